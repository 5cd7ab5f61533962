// Logging in: by password, throttled, with one answer for every failure; and the demo's one-click roles. Any thread:
// the password is verified in the caller's thread, the session written by the store's.
#include "auth/auth_int.h"
#include "auth/oidc.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/audit.h"

enum err auth_open(struct auth **ret, struct store *s, const char *dir, struct problem *p)
{
	struct auth *au = mem_alloc(sizeof(*au));
	au->store = s;
	au->arena = arena_new(0);
	au->throttle = throttle_new();
	au->nobody = password_of_nobody(au->arena);
	random_bytes(au->flow_key, sizeof(au->flow_key));
	au->oidc = oidc_new();
	enum err err = secret_open(au, dir, p);
	if (err) {
		auth_close(au);
		return err;
	}
	*ret = au;
	return OK;
}

void auth_close(struct auth *au)
{
	if (!au)
		return;
	throttle_free(au->throttle);
	oidc_free(au->oidc);
	arena_free(au->arena);
	explicit_bzero(au->flow_key, sizeof(au->flow_key));
	explicit_bzero(au->key, sizeof(au->key));
	mem_free(au);
}

// ---- who is it? --------------------------------------------------------------------------------
struct login {
	const struct auth *au;
	struct str name;        // as typed
	struct str code;        // of the second factor
	enum factor factor;
	enum proof how;
	struct str peer;
	int64_t person;         // 0 = no such name
	int64_t directory;      // that vouches for him, 0 = the password here does
	bool ok;
	const char *action, *way; // way: "ldap" or "oidc", NULL = here
	char token[TOKEN_LEN];
	struct arena *arena;
};

// Person and encoded hash of a login name; the hash of nobody if there is none.
static enum err look_up(struct auth *au, struct login *l, struct str *ret_encoded)
{
	const struct registry *reg = registry_pin();
	const struct type *t = reg ? registry_type(reg, STR("person")) : NULL;
	struct row row;
	struct value name = { .kind = VAL_TEXT, .s = l->name };
	struct db *db = store_read_begin(au->store);
	*ret_encoded = au->nobody;
	enum err err = t ? records_find(db, &t->table, NULL, STR("login"), name, l->arena, &row) : ERR_UNAVAILABLE;
	if (!err) {
		l->person = row.c.id;
		l->directory = person_directory(reg, &row);
		err = credential_read(db, l->person, l->arena, ret_encoded);
	}
	store_read_end(au->store, db);
	registry_unpin(reg);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err job_login(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	struct login *l = arg;
	if (l->ok && l->how != PROOF_DEMO) {
		enum err err = factor_check(db, l->au, l->person, l->code, &l->factor);
		if (err)
			return err;
		l->how = l->factor == FACTOR_OK ? PROOF_FACTOR : PROOF_PASSWORD;
		l->ok = l->factor == FACTOR_NONE || l->factor == FACTOR_OK;
	}
	if (l->factor == FACTOR_WANTED)
		return OK; // half a login
	// A name nobody has may be a password typed into the wrong box: it is not kept.
	struct str name = l->person ? l->name : STR_EMPTY;
	if (l->ok)
		return session_open(db, l->person, name, l->peer, l->action, l->how, l->token);
	return audit_add(db, &(struct audit_entry){ .actor = l->person, .actor_name = name, .action = STR("login.fail"),
	                 .type = STR("session"), .detail = way_detail(l->peer, l->way, db_arena(db)) });
}

// ---- by password -------------------------------------------------------------------------------
static enum err login_throttled(struct problem *p)
{
	problem_set(p, ERR_THROTTLED, "", "登录失败次数过多", "too many failed logins");
	problem_hint(p, "请一分钟后再试", "try again in a minute");
	return ERR_THROTTLED;
}

static enum err login_refused(struct auth *au, const struct login *l, int64_t now, struct problem *p)
{
	if (l->factor == FACTOR_WANTED)
		return problem_set(p, ERR_UNAUTHENTICATED, "code", "请输入动态验证码", "enter the code of your second factor");
	throttle_fail(au->throttle, 'n', l->name, now);
	throttle_fail(au->throttle, 'p', l->peer, now);
	if (l->factor == FACTOR_WRONG)
		return problem_set(p, ERR_UNAUTHENTICATED, "code", "动态验证码不正确或已用过", "the code is wrong or was used already");
	return problem_set(p, ERR_UNAUTHENTICATED, "", "登录名或密码错误", "wrong name or password");
}

// The session of who has proved who he is, if his second factor is right too; or the end of a failure.
static enum err login_end(struct auth *au, struct login *l, int64_t now, char ret_token[33], struct problem *p)
{
	if (l->ok)
		random_text(l->token, sizeof(l->token));
	enum err err = store_write(au->store, job_login, l, p);
	if (err)
		return err;
	if (!l->ok)
		return login_refused(au, l, now, p);
	throttle_forgive(au->throttle, l->name, l->peer);
	memcpy(ret_token, l->token, TOKEN_LEN);
	ret_token[TOKEN_LEN] = 0;
	return OK;
}

enum err auth_login(struct auth *au, struct str name, struct str password, struct str code, struct str peer,
                    char ret_token[33], struct problem *p)
{
	int64_t now = clock_now();
	if (throttle_blocked(au->throttle, 'n', name, now) || throttle_blocked(au->throttle, 'p', peer, now))
		return login_throttled(p);
	struct login l = { .au = au, .name = name, .code = code, .peer = peer, .action = "login", .arena = p->arena };
	struct str encoded;
	enum err err = look_up(au, &l, &encoded);
	if (err)
		return problem_set(p, err, "", "%s", "%s", "");
	struct prover v = { .person = l.person, .directory = l.directory, .login = l.name, .encoded = encoded };
	if ((err = password_prove(au, &v, password, false, &l.ok, p)))
		return err;
	if (l.directory) {
		l.way = "ldap";
		l.action = "login.ldap";
	}
	return login_end(au, &l, now, ret_token, p);
}

// ---- by a directory ----------------------------------------------------------------------------
enum err login_by_directory(struct auth *au, int64_t person, struct str name, int64_t directory, struct str code, struct str peer,
                            char ret_token[33], struct problem *p)
{
	int64_t now = clock_now();
	if (throttle_blocked(au->throttle, 'n', name, now) || throttle_blocked(au->throttle, 'p', peer, now))
		return login_throttled(p);
	struct login l = { .au = au, .name = name, .code = code, .peer = peer, .person = person, .directory = directory, .ok = true,
		           .action = "login.oidc", .way = "oidc", .arena = p->arena };
	return login_end(au, &l, now, ret_token, p);
}

enum err login_failed_there(struct auth *au, int64_t person, struct str name, struct str peer, struct problem *p)
{
	struct login l = { .au = au, .name = name, .peer = peer, .person = person, .way = "oidc", .arena = p->arena };
	throttle_fail(au->throttle, 'p', peer, clock_now());
	return store_write(au->store, job_login, &l, p);
}

// ---- by one click ------------------------------------------------------------------------------
// The first person who has the role.
static enum err demo_row(struct db *db, const struct registry *reg, struct str role, struct arena *a, struct row *ret)
{
	const struct type *t = registry_type(reg, STR("person"));
	if (!t)
		return ERR_UNAVAILABLE;
	struct value has = { .kind = VAL_TEXT, .s = arena_printf(a, ",%.*s,", STR_FMT(role)) };
	struct filter f = { STR("role"), FILTER_CONTAINS, &has, 1 };
	struct sort by_id = { .column = STR("id") };
	struct list_query lq = { .filters = &f, .nfilters = 1, .sorts = &by_id, .nsorts = 1, .limit = 1 };
	struct row *rows;
	size_t n;
	enum err err = records_list(db, &t->table, NULL, &lq, a, &rows, &n, NULL, NULL);
	if (!err && n)
		*ret = rows[0];
	return err ? err : n ? OK : ERR_NOT_FOUND;
}

static enum err demo_person(struct auth *au, const struct registry *reg, struct str role, struct arena *a, struct login *ret)
{
	struct row row;
	struct db *db = store_read_begin(au->store);
	enum err err = demo_row(db, reg, role, a, &row);
	store_read_end(au->store, db);
	if (err)
		return err;
	ret->person = row.c.id;
	ret->name = person_text(reg, &row, "login");
	return OK;
}

enum err auth_demo_title(struct db *db, const struct registry *reg, struct str role, struct arena *a, struct str *ret)
{
	struct row row;
	enum err err = demo_row(db, reg, role, a, &row);
	*ret = err ? STR_EMPTY : row.c.title;
	return err;
}

enum err auth_demo_login(struct auth *au, struct str role, struct str peer, char ret_token[33], struct problem *p)
{
	struct login l = { .peer = peer, .ok = true, .how = PROOF_DEMO, .action = "login.demo", .arena = p->arena };
	const struct registry *reg = registry_pin();
	const struct role *r = reg ? registry_role(reg, role) : NULL;
	enum err err = r && r->demo ? demo_person(au, reg, role, p->arena, &l) : ERR_NOT_FOUND;
	registry_unpin(reg);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "role", "没有这个演示角色", "there is no such demo role");
	if (err)
		return err;
	random_text(l.token, sizeof(l.token));
	if ((err = store_write(au->store, job_login, &l, p)))
		return err;
	memcpy(ret_token, l.token, TOKEN_LEN);
	ret_token[TOKEN_LEN] = 0;
	return OK;
}
