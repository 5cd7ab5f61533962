// From a request to its handler: route, identity, permission, parameters, body; and from the handler's err to the
// answer. Nothing here knows a resource.
#include "api/api.h"

#include <unistd.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/time.h"

static bool path_matches(const char *pattern, struct str path, struct str *param)
{
	struct str pat = str_of(pattern);
	size_t n = 0, fixed = strcspn(pattern, ":");
	if (path.n < fixed || memcmp(path.p, pattern, fixed) != 0) // most of the table ends here
		return false;
	while (pat.n || path.n) {
		struct str want = str_cut(&pat, '/'), got = str_cut(&path, '/');
		if (want.n && want.p[0] == ':') {
			if (!got.n)
				return false;
			param[n++] = got;
		} else if (!str_eq(want, got)) {
			return false;
		}
		if (!pat.n != !path.n)
			return false;
	}
	return true;
}

// A literal part wins over a parameter, whatever the order in the table: fewest parameters first.
// HEAD is GET whose body the server leaves out (RFC 9110 9.3.2); a stream has nothing but its body.
static bool method_is(const struct call *c, const struct route *r)
{
	if (str_is(c->rq->method, "HEAD"))
		return strcmp(r->method, "GET") == 0 && r->run != events_get;
	return str_is(c->rq->method, r->method);
}

// The methods of an address, for who took another: "GET, HEAD, POST".
static struct str methods_of(struct call *c)
{
	struct str all = STR_EMPTY;
	struct str param[4];
	for (size_t i = 0; i < api_nroutes; i++) {
		if (!path_matches(api_routes[i].path, c->rq->path, param) || str_contains(all, str_of(api_routes[i].method)))
			continue;
		bool head = strcmp(api_routes[i].method, "GET") == 0 && api_routes[i].run != events_get;
		all = arena_printf(c->arena, "%.*s%s%s%s", STR_FMT(all), all.n ? ", " : "", api_routes[i].method, head ? ", HEAD" : "");
	}
	return all;
}

static const struct route *find_route(struct call *c, bool *ret_path_known)
{
	const struct route *best = NULL;
	size_t best_n = SIZE_MAX;
	*ret_path_known = false;
	for (size_t i = 0; i < api_nroutes; i++) {
		struct str param[4] = { 0 };
		if (!path_matches(api_routes[i].path, c->rq->path, param))
			continue;
		*ret_path_known = true;
		if (!method_is(c, &api_routes[i]))
			continue;
		size_t n = 0;
		while (n < 4 && param[n].p)
			n++;
		if (n < best_n) {
			best = &api_routes[i];
			best_n = n;
			memcpy(c->param, param, sizeof param);
		}
	}
	return best;
}

bool call_is_en(const struct call *c)
{
	if (c->id.lang.n && !http_header(c->rq, "Accept-Language").n)
		return str_is(c->id.lang, "en");
	return str_starts(str_trim(http_header(c->rq, "Accept-Language")), STR("en"));
}

struct str label_text(const struct call *c, struct label l) { return call_is_en(c) ? l.en : l.zh; }

void jw_klabel(struct jw *w, const char *key, struct label l)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}

enum err call_fail(struct call *c, enum err err, const char *field, const char *zh, const char *en)
{
	return problem_set(&c->p, err, field, "%s%.0s", "%.0s%s", zh, en);
}

struct db *call_db(struct call *c)
{
	if (!c->db)
		c->db = store_read_begin(c->app->store);
	return c->db;
}

void call_db_refresh(struct call *c)
{
	if (c->db)
		store_read_end(c->app->store, c->db);
	c->db = NULL;
}

struct site *call_site(struct call *c)
{
	if (!c->site)
		c->site = c->app->site_take(c->app);
	return c->site;
}

enum err query_time(struct call *c, const char *name, int64_t fallback, int64_t *ret)
{
	struct str s = http_query(c->rq, name);
	*ret = fallback;
	if (s.n && !time_parse(s, ret))
		return call_fail(c, ERR_INVALID, name, "时间须为 RFC 3339 格式，如 2026-11-22T08:00:00+08:00（加号写作 %2B）",
		                 "a time must be RFC 3339, e.g. 2026-11-22T08:00:00+08:00 (write + as %2B)");
	return OK;
}

enum err query_int(struct call *c, const char *name, int64_t fallback, int64_t min, int64_t max, int64_t *ret)
{
	struct str s = http_query(c->rq, name);
	*ret = fallback;
	if (s.n && (!str_to_i64(s, ret) || *ret < min || *ret > max))
		return problem_set(&c->p, ERR_INVALID, name, "须为 %lld 到 %lld 之间的整数", "must be a whole number from %lld to %lld", (long long)min, (long long)max);
	return OK;
}

enum err query_real(struct call *c, const char *name, double min, double max, double *ret)
{
	if (str_to_f64(http_query(c->rq, name), ret) && *ret >= min && *ret <= max)
		return OK;
	return problem_set(&c->p, ERR_INVALID, name, "须为 %g 到 %g 之间的数", "must be a number from %g to %g", min, max);
}

enum err param_id(struct call *c, int at, int64_t *ret)
{
	if (!str_to_i64(c->param[at], ret) || *ret <= 0)
		return call_fail(c, ERR_NOT_FOUND, "id", "编号不是正整数", "the id is not a positive whole number");
	return OK;
}

enum err call_done(struct call *c)
{
	jw_obj(&c->w);
	jw_kbool(&c->w, "done", true);
	jw_end(&c->w);
	return OK;
}

struct str body_str(const struct call *c, const char *key)
{
	const json_t *v = json_object_get(c->body, key);
	return json_is_string(v) ? str_from(json_string_value(v), json_string_length(v)) : STR_EMPTY;
}

static void write_error(struct call *c, enum err err)
{
	if (c->p.err == OK)
		problem_set(&c->p, err, NULL, "%s%.0s", "%.0s%s", err_text(err, true), err_text(err, false));
	bool en = call_is_en(c);
	struct buf *out = &c->rs->body;
	buf_clear(out);
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	jw_kobj(&w, "error");
	jw_kcstr(&w, "code", err_name(err));
	jw_kstr(&w, "message", en ? c->p.en : c->p.zh);
	if (c->p.field.n)
		jw_kstr(&w, "field", c->p.field);
	if (c->p.hint_zh.n)
		jw_kstr(&w, "hint", en ? c->p.hint_en : c->p.hint_zh);
	jw_end(&w);
	jw_end(&w);
	if (!jw_done(&w))
		buf_clear(out);
	c->rs->status = c->status ? c->status : err_http_status(err);
	c->rs->type = "application/json; charset=utf-8";
	c->rs->stream = NULL;
	c->rs->filename = STR_EMPTY;
	c->rs->csp = NULL;
	if (c->rs->fd >= 0)
		close(c->rs->fd);
	c->rs->fd = -1;
	if (err == ERR_THROTTLED)
		c->rs->retry_after = LIMIT_LOGIN_WAIT_S;
}

static struct str bearer_token(struct call *c, bool *ret_cookie)
{
	struct str auth = http_header(c->rq, "Authorization");
	*ret_cookie = false;
	if (str_starts(auth, STR("Bearer ")))
		return str_trim(str_skip(auth, 7));
	*ret_cookie = true;
	return http_cookie(c->rq, "anlan");
}

// What a page of another site cannot make a browser send without asking us first, which we do not answer: a method other
// than POST, or a type that no form has ("text/plain; application/json" is text/plain).
static bool must_ask(const struct call *c)
{
	static const char *const plain[] = { "", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded" };
	struct str rest = http_header(c->rq, "Content-Type"), type = str_trim(str_cut(&rest, ';'));
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_eq_nocase(type, str_of(plain[i])))
			return !str_is(c->rq->method, "POST");
	return true;
}

static bool origin_is_host(const struct call *c)
{
	struct str origin = http_header(c->rq, "Origin"), host = str_trim(http_header(c->rq, "Host"));
	struct str at = str_starts(origin, STR("https://")) ? str_skip(origin, 8) : str_starts(origin, STR("http://")) ? str_skip(origin, 7) : STR_EMPTY;
	return at.n && str_eq_nocase(at, host);
}

// A browser sends the cookie with any request, also one another site made it send: a change with only the cookie
// must come from our own pages. Sec-Fetch-Site is there where the connection is encrypted or on loopback, Origin elsewhere too.
bool call_same_origin(const struct call *c)
{
	struct str site = http_header(c->rq, "Sec-Fetch-Site");
	if (site.n)
		return str_is(site, "same-origin") || str_is(site, "none");
	return str_is(c->rq->method, "GET") || origin_is_host(c) || must_ask(c);
}

// Another site's page makes the browser log in as somebody else, or report: what has no cookie yet is no less ours. Programs, which
// are no browsers, say neither Sec-Fetch-Site nor Origin.
static enum err foreign_page(struct call *c)
{
	bool browser = http_header(c->rq, "Sec-Fetch-Site").n || http_header(c->rq, "Origin").n;
	if (c->route->access != ACCESS_PUBLIC || str_is(c->rq->method, "GET") || str_is(c->rq->method, "HEAD") || !browser || call_same_origin(c))
		return OK;
	return call_fail(c, ERR_FORBIDDEN, NULL, "请求不是从本平台页面发出", "the request did not come from this platform's pages");
}

// Map programs know only name and password: the password is an access token. Without, as everywhere.
static struct str basic_token(struct call *c, struct str *ret_login, bool *ret_cookie)
{
	struct str auth = http_header(c->rq, "Authorization");
	if (!str_starts(auth, STR("Basic ")))
		return bearer_token(c, ret_cookie);
	struct str token = str_from_base64(c->arena, str_trim(str_skip(auth, 6)));
	*ret_login = str_cut(&token, ':');
	*ret_cookie = false;
	return auth_is_access_token(token) ? token : STR_EMPTY; // never a person's own password
}

// What is open to somebody who must set up his second factor first.
static bool for_enrolling(const struct route *r)
{
	static api_handler *const open[] = { session_me, session_logout, session_password, totp_start, totp_confirm };
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		if (r->run == open[i])
			return true;
	return false;
}

// Parts of the API where somebody may act for another: business, not what belongs to a person or an administrator.
static bool acts_here(const char *path)
{
	static const char *const parts[] = { "records", "work", "duties", "notices", "types", "me", "map", "tiles", "alarms", "points", "rules",
		                             "thread", "files", "events", "replay", "schedules", "indicators", "dossier", "views", "documents" };
	struct str rest = str_of(path), part;
	if (!str_starts(rest, STR("/api/v1/")))
		return false;
	rest = str_skip(rest, 8);
	part = str_cut(&rest, '/');
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_eq(part, str_of(parts[i])))
			return true;
	return false;
}

static enum err act_for(struct call *c)
{
	struct str who = str_trim(http_header(c->rq, "X-Anlan-For"));
	int64_t person;
	if (who.n == 0)
		return OK;
	if (!str_to_i64(who, &person) || person <= 0)
		return call_fail(c, ERR_INVALID, NULL, "X-Anlan-For 要写人员编号", "X-Anlan-For is the id of a person");
	if (!acts_here(c->route->path))
		return call_fail(c, ERR_FORBIDDEN, NULL, "代办时不能使用此功能", "this is not open to who acts for somebody else");
	return auth_act_for(call_db(c), c->reg, person, c->arena, &c->id, &c->p);
}

// What was done without signal says when: by the clock of the device, which no other can vouch for; nothing is done after it arrived,
// and what is older than a device keeps its work counts from its arrival: nobody dates a deed back by months.
static enum err done_when(struct call *c)
{
	struct str at = str_trim(http_header(c->rq, "X-Anlan-Done"));
	int64_t us;
	if (at.n == 0)
		return OK;
	if (!time_parse(at, &us) || us <= 0)
		return call_fail(c, ERR_INVALID, NULL, "X-Anlan-Done 要写时间，如 2026-11-22T08:30:00Z", "X-Anlan-Done is a time like 2026-11-22T08:30:00Z");
	int64_t now = clock_now();
	c->id.done_at = us < now - LIMIT_AWAY_DAYS * US_PER_DAY ? 0 : MIN(us, now);
	return OK;
}

static enum err identify(struct call *c)
{
	if (c->route->access != ACCESS_SESSION)
		return OK; // devices are identified by their handler
	bool cookie, ogc = route_reach(c->route) && strcmp(route_reach(c->route), "ogc") == 0;
	struct str login = STR_EMPTY, token = ogc ? basic_token(c, &login, &cookie) : bearer_token(c, &cookie);
	if (ogc)
		c->rs->challenge = "Basic realm=\"Anlan\", charset=\"UTF-8\"";
	if (!token.n)
		return call_fail(c, ERR_UNAUTHENTICATED, NULL, "请先登录", "log in first");
	enum err err = auth_is_access_token(token) ?
	                   auth_token(c->app->auth, c->reg, login, token, c->rq->peer, c->arena, &c->id) :
	                   auth_session(c->app->auth, c->reg, token, c->arena, &c->id);
	if (err)
		return call_fail(c, err, NULL, "登录已失效，请重新登录", "the session has ended; log in again");
	c->id.peer = c->rq->peer;
	c->id.reach = route_reach(c->route);
	struct str lang = str_trim(http_header(c->rq, "Accept-Language"));
	if (lang.n) // what the person reads now goes before what their record says
		c->id.lang = str_starts(lang, STR("en")) ? STR("en") : STR("zh");
	if (cookie && strcmp(c->route->method, "GET") != 0 && !call_same_origin(c))
		return call_fail(c, ERR_FORBIDDEN, NULL, "请求不是从本平台页面发出", "the request did not come from this platform's pages");
	if (!auth_token_reaches(&c->id, route_reach(c->route)))
		return call_fail(c, ERR_FORBIDDEN, NULL, "此访问令牌的授权范围不含该接口", "the scopes of this access token do not reach here");
	if (c->id.must_enrol && !for_enrolling(c->route))
		return call_fail(c, ERR_FORBIDDEN, "second_factor", "您的角色须启用第二因素：请先在“我的”中绑定",
		                 "your role needs a second factor: set it up first");
	if ((err = act_for(c)) || (err = done_when(c)))
		return err;
	if (c->route->may && !auth_may(&c->id, c->route->may))
		return call_fail(c, ERR_FORBIDDEN, NULL, "您的角色没有此项权限", "your role does not have this permission");
	return OK;
}

struct query_check {
	struct call *c;
	struct str unknown;
};

static void check_query(void *arg, struct str key, struct str value)
{
	(void)value;
	struct query_check *q = arg;
	struct str allowed = str_of(q->c->route->query);
	while (allowed.n)
		if (str_eq(str_cut(&allowed, ' '), key))
			return;
	q->unknown = key;
}

static enum err read_query(struct call *c)
{
	if (c->route->query && strcmp(c->route->query, "*") == 0)
		return OK;
	struct query_check q = { c, STR_EMPTY };
	http_each_query(c->rq, check_query, &q);
	if (!q.unknown.n)
		return OK;
	return problem_set(&c->p, ERR_INVALID, arena_cstr(c->arena, q.unknown), "不认识的查询参数 %.*s", "unknown query parameter %.*s", STR_FMT(q.unknown));
}

static enum err read_body(struct call *c)
{
	if (c->route->body != BODY_JSON)
		return OK;
	struct str text = str_trim(c->rq->body);
	if (!text.n)
		text = STR("{}");
	json_error_t e;
	c->body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
	if (!c->body)
		return problem_set(&c->p, ERR_PARSE, NULL, "请求体不是正确的 JSON：第 %d 行第 %d 列 %s", "the body is not JSON: line %d column %d %s", e.line, e.column, e.text);
	if (!json_is_object(c->body))
		return call_fail(c, ERR_INVALID, NULL, "请求体须为 JSON 对象", "the body must be a JSON object");
	return OK;
}

// ---- requests that need more than a moment or much room -------------------------------------
static _Atomic int uploads; // bodies on their way to disk

static void sink_write(void *ctx, const void *bytes, size_t n) { (void)file_in_add(ctx, bytes, n); }

static void sink_end(void *ctx)
{
	file_in_free(ctx);
	uploads--;
}

// Only who is logged in and may use the route gets his bytes onto our disk.
static void plan_upload(struct call *c, struct http_plan *ret)
{
	struct file_in *f;
	ret->drop = true;
	if (identify(c))
		return;
	if (uploads++ >= LIMIT_UPLOADS || file_in_begin(&f, c->app->store, &c->p)) {
		uploads--;
		return;
	}
	ret->sink = (struct http_sink){ .write = sink_write, .end = sink_end, .ctx = f };
	ret->drop = false;
}

struct file_in *call_upload(struct call *c) { return c->rq->upload; }

void api_plan(void *arg, struct http_request *rq, struct http_plan *ret)
{
	bool known;
	struct call c = { .app = arg, .rq = rq, .arena = rq->arena, .reg = registry_pin() };
	problem_init(&c.p, c.arena);
	c.route = find_route(&c, &known);
	struct str format = http_query(rq, "format");
	ret->slow = c.route && (str_is(format, "csv") || str_is(format, "xlsx") || c.route->run == documents_batch ||
				c.route->run == documents_preview || c.route->run == readings_export ||
				c.route->run == retention_get || c.route->run == backtest_post || c.route->run == reports_preview ||
				c.route->run == replay_get || c.route->run == replay_case_post || c.route->run == record_case_post);
	if (c.route && c.route->body == BODY_FILE)
		plan_upload(&c, ret);
	if (c.db)
		store_read_end(c.app->store, c.db);
	registry_unpin(c.reg);
}

static enum err run(struct call *c)
{
	bool known;
	c->route = find_route(c, &known);
	if (!c->route && known) {
		c->rs->allow = methods_of(c);
		return problem_set(&c->p, ERR_UNSUPPORTED, "", "此地址不支持该方法，可用 %.*s", "this address does not support the method; it has %.*s",
		                   STR_FMT(c->rs->allow));
	}
	if (!c->route)
		return call_fail(c, ERR_NOT_FOUND, NULL, "没有这个接口，见 /api/v1/openapi.json", "no such address; see /api/v1/openapi.json");
	enum err err = foreign_page(c);
	if (!err)
		err = identify(c);
	if (!err)
		err = read_query(c);
	if (!err)
		err = read_body(c);
	bool answered = false;
	if (!err)
		err = idempotent_before(c, &answered);
	if (err || answered)
		return err;
	err = c->route->run(c);
	return err ? idempotent_meanwhile(c, err) : idempotent_after(c);
}

void api_dispatch(void *arg, struct http_request *rq, struct http_response *rs)
{
	struct call c = { .app = arg, .rq = rq, .rs = rs, .arena = rq->arena, .reg = registry_pin() };
	problem_init(&c.p, c.arena);
	jw_init(&c.w, &rs->body);
	enum err err = run(&c);
	if (!err && rs->body.n && !rs->stream && strncmp(rs->type, "application/json", 16) == 0 && !jw_done(&c.w) && buf_ok(&rs->body))
		err = ERR_BUG;
	if (err)
		write_error(&c, err);
	if (err == ERR_UNSUPPORTED && !c.route)
		rs->status = 405;
	if (rs->status != 401)
		rs->challenge = NULL;
	if (err == ERR_BUG || err == ERR_IO || err == ERR_CORRUPT)
		log_error("api", "%.*s %.*s: %s", STR_FMT(rq->method), STR_FMT(rq->path), err_name(err));
	if (c.db)
		store_read_end(c.app->store, c.db);
	if (c.site)
		c.app->site_give(c.app, c.site);
	json_decref(c.body);
	registry_unpin(c.reg);
}
