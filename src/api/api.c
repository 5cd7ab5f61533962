// From a request to its handler: route, identity, permission, parameters, body; and from the handler's err to the
// answer. Nothing here knows a resource.
#include "api/api.h"

#include "base/log.h"
#include "base/time.h"

static bool path_matches(const char *pattern, struct str path, struct str *param)
{
	struct str pat = str_of(pattern);
	size_t n = 0;
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
		if (!str_is(c->rq->method, api_routes[i].method))
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
	c->rs->status = err_http_status(err);
	c->rs->type = "application/json; charset=utf-8";
	c->rs->stream = NULL;
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

// A browser sends the cookie with any request, also one another site made it send: a change with only the cookie
// must come from our own pages.
static bool same_origin(struct call *c)
{
	struct str site = http_header(c->rq, "Sec-Fetch-Site");
	if (site.n)
		return str_is(site, "same-origin") || str_is(site, "none");
	return str_contains(http_header(c->rq, "Content-Type"), STR("application/json")) || str_is(c->rq->method, "GET");
}

static enum err identify(struct call *c)
{
	if (c->route->access != ACCESS_SESSION)
		return OK; // devices are identified by their handler
	bool cookie;
	struct str token = bearer_token(c, &cookie);
	if (!token.n)
		return call_fail(c, ERR_UNAUTHENTICATED, NULL, "请先登录", "log in first");
	enum err err = auth_session(c->app->auth, c->reg, token, c->arena, &c->id);
	if (err)
		return call_fail(c, err, NULL, "登录已失效，请重新登录", "the session has ended; log in again");
	c->id.peer = c->rq->peer;
	struct str lang = str_trim(http_header(c->rq, "Accept-Language"));
	if (lang.n) // what the person reads now goes before what their record says
		c->id.lang = str_starts(lang, STR("en")) ? STR("en") : STR("zh");
	if (cookie && !str_is(c->rq->method, "GET") && !same_origin(c))
		return call_fail(c, ERR_FORBIDDEN, NULL, "请求不是从本平台页面发出", "the request did not come from this platform's pages");
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
	if (!c->route->body)
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

static enum err run(struct call *c)
{
	bool known;
	c->route = find_route(c, &known);
	if (!c->route && known) {
		enum err err = call_fail(c, ERR_UNSUPPORTED, NULL, "此地址不支持该方法", "this address does not support the method");
		return err;
	}
	if (!c->route)
		return call_fail(c, ERR_NOT_FOUND, NULL, "没有这个接口，见 /api/v1/openapi.json", "no such address; see /api/v1/openapi.json");
	enum err err = identify(c);
	if (!err)
		err = read_query(c);
	if (!err)
		err = read_body(c);
	return err ? err : c->route->run(c);
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
	if (err == ERR_BUG || err == ERR_IO || err == ERR_CORRUPT)
		log_error("api", "%.*s %.*s: %s", STR_FMT(rq->method), STR_FMT(rq->path), err_name(err));
	if (c.db)
		store_read_end(c.app->store, c.db);
	if (c.site)
		c.app->site_give(c.app, c.site);
	json_decref(c.body);
	registry_unpin(c.reg);
}
