// Personal access tokens: for programs that act for a person (QGIS, scripts). A token carries scopes and never more than
// the person's rights at the moment of the call. Only its SM3 is stored. Any thread; writing goes through the store.
#include "auth/auth_int.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"

#define PREFIX "anl_"
#define LIFE_USUAL (90 * US_PER_DAY)
#define SEEN_EVERY US_PER_MIN

bool auth_is_access_token(struct str token)
{
	return token.n == ACCESS_TOKEN_TEXT - 1 && str_starts(token, STR(PREFIX));
}

// ---- scopes ------------------------------------------------------------------------------------
static bool scope_known(const struct registry *reg, struct str scope)
{
	if (str_is(scope, "readings") || str_is(scope, "ogc"))
		return true;
	struct str what = str_cut(&scope, ':'), how = str_cut(&scope, ':');
	return str_is(what, "records") && (str_is(how, "read") || str_is(how, "write")) &&
	       (scope.n == 0 || registry_type(reg, scope) != NULL);
}

static enum err check_scopes(const struct registry *reg, struct str scopes, struct problem *p)
{
	size_t n = 0;
	while (scopes.n) {
		struct str one = str_cut(&scopes, ',');
		n += one.n > 0;
		if (one.n && !scope_known(reg, one)) {
			problem_set(p, ERR_INVALID, "scopes", "没有“%.*s”这种授权范围", "there is no scope \"%.*s\"", (int)MIN(one.n, (size_t)60), one.p);
			problem_hint(p, "可用 records:read、records:write（可加 :类型）、readings、ogc",
			             "use records:read, records:write (also with :TYPE), readings, ogc");
			return ERR_INVALID;
		}
	}
	return n ? OK : problem_set(p, ERR_INVALID, "scopes", "请选择令牌可以做什么", "say what the token is for");
}

static bool has_scope(struct str scopes, struct str want)
{
	while (scopes.n)
		if (str_eq(str_cut(&scopes, ','), want))
			return true;
	return false;
}

bool auth_token_reaches(const struct identity *id, const char *reach)
{
	if (!id->token)
		return true;
	if (!reach)
		return false;
	if (strcmp(reach, "any") == 0)
		return true;
	if (strcmp(reach, "records") == 0)
		return str_contains(id->scopes, STR(",records:"));
	return has_scope(id->scopes, str_of(reach));
}

static bool records_scope(const struct identity *id, const char *how, struct str type)
{
	char text[16 + 64];
	struct str all = str_of(how);
	memcpy(text, all.p, all.n);
	text[all.n] = ':';
	size_t n = MIN(type.n, (size_t)60);
	memcpy(text + all.n + 1, type.p, n);
	return has_scope(id->scopes, all) || has_scope(id->scopes, str_from(text, all.n + 1 + n));
}

bool auth_may_write(const struct identity *id, const struct type *t)
{
	return !id->token || (id->reach && strcmp(id->reach, "records") == 0 && records_scope(id, "records:write", t->name));
}

bool token_may_read(const struct identity *id, const struct type *t)
{
	if (!id->token)
		return true;
	if (!id->reach || strcmp(id->reach, "records") != 0)
		return id->reach != NULL; // the route's own scope was asked for already
	return records_scope(id, "records:read", t->name) || records_scope(id, "records:write", t->name);
}

bool token_may(const struct identity *id, const char *permission)
{
	if (!id->token)
		return true;
	return id->reach && strcmp(id->reach, "readings") == 0 &&
	       (strcmp(permission, "alarm.read") == 0 || strcmp(permission, "device.read") == 0);
}

// ---- making and ending -------------------------------------------------------------------------
struct making {
	const struct identity *by;
	struct access_token *t;
	uint8_t hash[SM3_LEN];
};

static struct str token_detail(const struct access_token *t, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 8192);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "name", t->name);
	jw_kstr(&w, "scopes", t->scopes);
	jw_ktime(&w, "expires_at", t->expires_at);
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return s;
}

static enum err tokens_count(struct db *db, int64_t person, int64_t *ret)
{
	struct query q;
	*ret = 0;
	query_begin(&q, db, STMT_TOKEN_COUNT);
	query_i64(&q, 1, person);
	query_i64(&q, 2, clock_now());
	if (query_row(&q))
		*ret = query_get_i64(&q, 0);
	return query_end(&q);
}

static enum err job_make(struct db *db, void *arg, struct problem *p)
{
	struct making *m = arg;
	struct query q;
	int64_t n;
	enum err err = tokens_count(db, m->by->person, &n);
	if (!err && n >= LIMIT_TOKENS_PER_USER)
		return problem_set(p, ERR_CONFLICT, "", "最多可有 %d 个令牌，请先删除不用的", "at most %d tokens; end those not in use first",
		                   LIMIT_TOKENS_PER_USER);
	if (err)
		return err;
	query_begin(&q, db, STMT_TOKEN_ADD);
	query_i64(&q, 1, m->by->person);
	query_str(&q, 2, m->t->name);
	query_blob(&q, 3, str_from((const char *)m->hash, SM3_LEN));
	query_str(&q, 4, m->t->scopes);
	query_i64(&q, 5, m->t->created_at);
	query_i64(&q, 6, m->t->expires_at);
	if ((err = query_run(&q)))
		return err;
	m->t->id = db_last_id(db);
	return audit_add(db, &(struct audit_entry){ .actor = m->by->person, .actor_name = m->by->name, .action = STR("token.new"),
	                 .type = STR("token"), .record = m->t->id, .detail = token_detail(m->t, db_arena(db)) });
}

static enum err check_new(const struct registry *reg, struct access_token *t, struct problem *p)
{
	if (t->name.n == 0 || str_utf8_len(t->name) > 60)
		return problem_set(p, ERR_INVALID, "name", "请给令牌起名（不超过 60 字），说明用在哪里", "give the token a name (at most 60 characters) that says where it is used");
	if (t->expires_at == 0)
		t->expires_at = t->created_at + LIFE_USUAL;
	if (t->expires_at <= t->created_at || t->expires_at > t->created_at + ACCESS_TOKEN_LIFE)
		return problem_set(p, ERR_INVALID, "expires_at", "到期时间须在今后一年之内", "it must end within a year from now");
	return check_scopes(reg, t->scopes, p);
}

enum err auth_token_new(struct auth *au, const struct registry *reg, const struct identity *by, struct str name,
                        struct str scopes, int64_t expires_at, char ret_token[ACCESS_TOKEN_TEXT], struct access_token *ret,
                        struct problem *p)
{
	*ret = (struct access_token){ .person = by->person, .created_at = clock_now(), .expires_at = expires_at,
		                          .name = str_trim(name), .scopes = scopes, .peer = STR_EMPTY };
	struct making m = { .by = by, .t = ret };
	enum err err = check_new(reg, ret, p);
	if (err)
		return err;
	memcpy(ret_token, PREFIX, strlen(PREFIX));
	random_text(ret_token + strlen(PREFIX), TOKEN_LEN);
	ret_token[ACCESS_TOKEN_TEXT - 1] = 0;
	sm3_once(str_of(ret_token), m.hash);
	return store_write(au->store, job_make, &m, p);
}

struct token_end {
	const struct identity *by;
	int64_t token;
};

static enum err job_token_end(struct db *db, void *arg, struct problem *p)
{
	const struct token_end *e = arg;
	struct query q;
	query_begin(&q, db, STMT_TOKEN_END);
	query_i64(&q, 1, e->token);
	query_i64(&q, 2, clock_now());
	query_i64(&q, 3, auth_may(e->by, "session.manage") ? 0 : e->by->person);
	enum err err = query_run(&q);
	if (!err && db_changes(db) == 0)
		return problem_set(p, ERR_NOT_FOUND, "", "没有这个令牌", "there is no such token");
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = e->by->person, .actor_name = e->by->name,
		                         .action = STR("token.end"), .type = STR("token"), .record = e->token,
		                         .detail = peer_detail(e->by->peer, db_arena(db)) });
}

enum err auth_token_end(struct auth *au, const struct identity *by, int64_t token, struct problem *p)
{
	struct token_end e = { by, token };
	return store_write(au->store, job_token_end, &e, p);
}

// ---- reading -----------------------------------------------------------------------------------
static struct access_token row_of(struct query *q, struct arena *a)
{
	return (struct access_token){ .id = query_get_i64(q, 0), .person = query_get_i64(q, 1), .created_at = query_get_i64(q, 2),
		                          .expires_at = query_get_i64(q, 3), .seen_at = query_get_i64(q, 4),
		                          .name = query_get_str(q, 5, a), .scopes = query_get_str(q, 6, a),
		                          .peer = query_get_str(q, 7, a) };
}

enum err auth_tokens(struct db *db, const struct identity *by, struct arena *a, struct access_token **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_TOKEN_LIST);
	query_i64(&q, 1, clock_now());
	query_i64(&q, 2, auth_may(by, "session.manage") ? 0 : by->person);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		(*ret)[*ret_n - 1] = row_of(&q, a);
	}
	return query_end(&q);
}

static enum err token_find(struct db *db, struct str token, struct arena *a, struct access_token *ret)
{
	uint8_t hash[SM3_LEN];
	struct query q;
	sm3_once(token, hash);
	query_begin(&q, db, STMT_TOKEN_BY_HASH);
	query_blob(&q, 1, str_from((const char *)hash, SM3_LEN));
	bool there = query_row(&q);
	if (there)
		*ret = row_of(&q, a);
	enum err err = query_end(&q);
	return err ? err : there && ret->expires_at > clock_now() ? OK : ERR_UNAUTHENTICATED;
}

static enum err token_person(struct db *db, const struct registry *reg, const struct access_token *t, struct arena *a,
                             struct identity *ret)
{
	struct row person;
	bool factor = false;
	enum err err = person_get(db, reg, t->person, a, &person);
	if (err == ERR_NOT_FOUND || (!err && person.c.retired))
		return ERR_UNAUTHENTICATED;
	if (!err)
		err = factor_exists(db, t->person, &factor);
	if (err)
		return err;
	identity_of(reg, &person, a, ret);
	ret->token = t->id;
	ret->scopes = t->scopes;
	ret->second_factor = factor;
	for (size_t i = 0; i < ret->nroles; i++)
		ret->must_enrol |= ret->roles[i]->second_factor && !factor;
	return OK;
}

struct seen {
	int64_t token, at;
	char peer[65];
};

static enum err job_seen(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	const struct seen *s = arg;
	struct query q;
	query_begin(&q, db, STMT_TOKEN_SEEN);
	query_i64(&q, 1, s->token);
	query_i64(&q, 2, s->at);
	query_str(&q, 3, str_of(s->peer));
	return query_run(&q);
}

static void seen_done(void *arg, enum err err)
{
	(void)err; // "last used" a minute late does no harm
	mem_free(arg);
}

static void note_seen(struct auth *au, const struct access_token *t, struct str peer)
{
	int64_t now = clock_now();
	if (now - t->seen_at < SEEN_EVERY)
		return;
	struct seen *s = mem_alloc(sizeof(*s));
	*s = (struct seen){ .token = t->id, .at = now };
	memcpy(s->peer, peer.p, MIN(peer.n, sizeof s->peer - 1));
	store_post(au->store, job_seen, s, seen_done);
}

enum err auth_token(struct auth *au, const struct registry *reg, struct str login, struct str token, struct str peer,
                    struct arena *a, struct identity *ret)
{
	struct access_token t = { 0 };
	if (!auth_is_access_token(token))
		return ERR_UNAUTHENTICATED;
	if (throttle_blocked(au->throttle, 'p', peer, clock_now()))
		return ERR_THROTTLED;
	struct db *db = store_read_begin(au->store);
	enum err err = token_find(db, token, a, &t);
	if (!err)
		err = token_person(db, reg, &t, a, ret);
	store_read_end(au->store, db);
	if (!err && login.n && !str_eq(login, ret->name))
		err = ERR_UNAUTHENTICATED;
	if (err == ERR_UNAUTHENTICATED)
		throttle_fail(au->throttle, 'p', peer, clock_now());
	if (!err)
		note_seen(au, &t, peer);
	ret->peer = peer;
	return err;
}
