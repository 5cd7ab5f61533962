// Passwords: rules, Argon2id, the credential table. Hashing is slow on purpose and happens outside store jobs.
//
// Argon2id (RFC 9106) with m = 19 MiB, t = 2, p = 1: the first of the equivalent choices of the OWASP Password Storage
// Cheat Sheet. The parameters are part of the encoded hash, so they can be raised without touching old ones.
#include <argon2.h>

#include "auth/auth_int.h"
#include "auth/directory.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/time.h"
#include "store/audit.h"

#define ARGON2_KIB (19u << 10)
#define ARGON2_PASSES 2
#define ARGON2_LANES 1
#define SALT_LEN 16
#define HASH_LEN 32
#define ENCODED_MAX 128
#define PASSWORD_MIN 10     // characters
#define PASSWORD_DIFFERENT 5
#define PASSWORD_MAX 200    // bytes

// ---- rules -------------------------------------------------------------------------------------
static size_t different_bytes(struct str s)
{
	bool seen[256] = { false };
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		n += !seen[(uint8_t)s.p[i]];
		seen[(uint8_t)s.p[i]] = true;
	}
	return n;
}

static enum err password_check(struct str login, struct str password, struct problem *p)
{
	if (password.n > PASSWORD_MAX || !str_utf8_valid(password))
		return problem_set(p, ERR_INVALID, "password", "密码太长或含有无效字符", "the password is too long or not valid text");
	if (str_utf8_len(password) < PASSWORD_MIN)
		return problem_set(p, ERR_INVALID, "password", "密码至少 %d 个字符", "a password has at least %d characters", PASSWORD_MIN);
	if (different_bytes(password) < PASSWORD_DIFFERENT)
		return problem_set(p, ERR_INVALID, "password", "密码至少要有 %d 个不同的字符", "a password has at least %d different characters",
		                   PASSWORD_DIFFERENT);
	if (login.n && str_eq_nocase(login, password))
		return problem_set(p, ERR_INVALID, "password", "密码不能与登录名相同", "the password must not be the login name");
	return OK;
}

// ---- Argon2id ----------------------------------------------------------------------------------
static enum err password_hash(struct str password, struct arena *a, struct str *ret_encoded)
{
	uint8_t salt[SALT_LEN];
	char encoded[ENCODED_MAX];
	random_bytes(salt, sizeof(salt));
	if (argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, ARGON2_LANES, password.p, password.n, salt, sizeof(salt), HASH_LEN,
	                          encoded, sizeof(encoded)) != ARGON2_OK)
		return ERR_UNAVAILABLE;
	*ret_encoded = arena_str(a, str_of(encoded));
	return OK;
}

struct str password_of_nobody(struct arena *a)
{
	uint8_t salt[SALT_LEN], hash[HASH_LEN];
	random_bytes(salt, sizeof(salt));
	random_bytes(hash, sizeof(hash));
	struct str s = str_to_base64(a, str_from((char *)salt, sizeof(salt))), h = str_to_base64(a, str_from((char *)hash, sizeof(hash)));
	while (str_ends(s, STR("=")))
		s.n--;
	while (str_ends(h, STR("=")))
		h.n--;
	return arena_printf(a, "$argon2id$v=%d$m=%u,t=%d,p=%d$%.*s$%.*s", ARGON2_VERSION_NUMBER, ARGON2_KIB, ARGON2_PASSES, ARGON2_LANES, STR_FMT(s),
	                    STR_FMT(h));
}

bool password_matches(struct str encoded, struct str password)
{
	char text[ENCODED_MAX];
	if (encoded.n >= sizeof(text) || password.n > PASSWORD_MAX)
		return false;
	memcpy(text, encoded.p, encoded.n);
	text[encoded.n] = 0;
	return argon2id_verify(text, password.p, password.n) == ARGON2_OK;
}

enum err auth_encode_password(struct str login, struct str password, struct arena *a, struct str *ret_encoded,
                              struct problem *p)
{
	enum err err = password_check(login, password, p);
	return err ? err : password_hash(password, a, ret_encoded);
}

// ---- persons and their credentials -------------------------------------------------------------
enum err credential_read(struct db *db, int64_t person, struct arena *a, struct str *ret_encoded)
{
	struct query q;
	query_begin(&q, db, STMT_CREDENTIAL_GET);
	query_i64(&q, 1, person);
	bool found = query_row(&q);
	if (found)
		*ret_encoded = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err person_get(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct row *ret)
{
	const struct type *t = registry_type(reg, STR("person"));
	return t ? records_get(db, &t->table, NULL, person, a, ret) : ERR_UNAVAILABLE;
}

struct str person_text(const struct registry *reg, const struct row *row, const char *column)
{
	const struct type *t = registry_type(reg, STR("person"));
	for (size_t i = 0; t && i < t->table.ncols; i++)
		if (str_is(t->table.cols[i].name, column) && row->vals[i].kind == VAL_TEXT)
			return row->vals[i].s;
	return STR_EMPTY;
}

int64_t person_int(const struct registry *reg, const struct row *row, const char *column)
{
	const struct type *t = registry_type(reg, STR("person"));
	for (size_t i = 0; t && i < t->table.ncols; i++)
		if (str_is(t->table.cols[i].name, column) && row->vals[i].kind == VAL_INT)
			return row->vals[i].i;
	return 0;
}

int64_t person_directory(const struct registry *reg, const struct row *row)
{
	struct str roles = person_text(reg, row, "role");
	while (roles.n) {
		struct str name = str_cut(&roles, ',');
		const struct role *r = name.n ? registry_role(reg, name) : NULL;
		for (size_t i = 0; r && i < r->nmay; i++)
			if (str_is(r->may[i], "user.manage"))
				return 0;
	}
	return person_int(reg, row, "directory");
}

enum err auth_put_credential(struct db *db, const struct identity *by, int64_t person, struct str encoded)
{
	struct query q;
	query_begin(&q, db, STMT_CREDENTIAL_SET);
	query_i64(&q, 1, person);
	query_str(&q, 2, encoded);
	query_i64(&q, 3, clock_now());
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_SESSION_DELETE_OTHERS);
	query_i64(&q, 1, person);
	query_i64(&q, 2, by->person == person ? by->session : 0);
	err = query_run(&q);
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = by->person, .actor_name = by->name,
		                         .action = STR("password"), .type = STR("person"), .record = person,
		                         .detail = peer_detail(by->peer, db_arena(db)) });
}

enum err auth_set_password_in(struct db *db, const struct registry *reg, int64_t person, struct str password,
                              struct problem *p)
{
	struct row row;
	struct str encoded;
	struct identity by = identity_system();
	enum err err = person_get(db, reg, person, p->arena, &row);
	if (!err)
		err = auth_encode_password(person_text(reg, &row, "login"), password, p->arena, &encoded, p);
	return err ? err : auth_put_credential(db, &by, person, encoded);
}

enum err auth_count_credentials(struct db *db, int64_t *ret)
{
	struct query q;
	*ret = 0;
	query_begin(&q, db, STMT_CREDENTIAL_COUNT);
	if (query_row(&q))
		*ret = query_get_i64(&q, 0);
	return query_end(&q);
}

struct set_password {
	const struct identity *by;
	int64_t person;
	struct str encoded;
};

static enum err job_set_password(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	const struct set_password *s = arg;
	return auth_put_credential(db, s->by, s->person, s->encoded);
}

static enum err may_reset(const struct registry *reg, const struct identity *by, const struct row *row, struct problem *p)
{
	struct person_facts f = { row->c.id, person_text(reg, row, "role"), row->c.area, row->c.enterprise,
		                        person_text(reg, row, "sectors") };
	return auth_check_person(by, &f, NULL, p);
}

static enum err refuse_elsewhere(struct auth *au, const struct registry *reg, const struct row *row, struct db *db, struct problem *p)
{
	struct directory d;
	int64_t id = person_directory(reg, row);
	if (!id || directory_read(db, reg, au, id, p->arena, &d) || d.kind != DIRECTORY_LDAP)
		return OK;
	return problem_set(p, ERR_CONFLICT, "person", "此人按登录目录“%.*s”登录，密码请在那里修改",
	                   "this person logs in by the directory \"%.*s\"; the password is changed there", STR_FMT(d.name));
}

enum err auth_set_password(struct auth *au, const struct identity *by, int64_t person, struct str password,
                           struct problem *p)
{
	const struct registry *reg = registry_pin();
	struct db *db = store_read_begin(au->store);
	struct row row;
	enum err err = person_get(db, reg, person, p->arena, &row);
	struct str login = err ? STR_EMPTY : person_text(reg, &row, "login");
	enum err allowed = err || by->person == person ? OK : may_reset(reg, by, &row, p);
	if (!err && !allowed)
		allowed = refuse_elsewhere(au, reg, &row, db, p);
	store_read_end(au->store, db);
	registry_unpin(reg);
	if (err == ERR_NOT_FOUND || (!err && row.c.retired))
		return problem_set(p, ERR_NOT_FOUND, "person", "没有这个人员", "there is no such person");
	if (allowed)
		return allowed;
	struct set_password s = { .by = by, .person = person };
	if (!err)
		err = auth_encode_password(login, password, p->arena, &s.encoded, p);
	return err ? err : store_write(au->store, job_set_password, &s, p);
}

// ---- is it the right one? ----------------------------------------------------------------------
static enum err ask_ldap(struct auth *au, const struct directory *d, struct str login, struct str password, bool *ret_ok,
                         struct problem *p)
{
	enum err err = directory_enter(au, p);
	if (err)
		return err;
	err = ldap_check(d, login, password, NULL, p->arena, ret_ok, p);
	directory_leave(au);
	return err == ERR_INVALID ? directory_away(d, "its settings are not complete", p) : err;
}

enum err password_prove(struct auth *au, const struct prover *v, struct str password, bool sign, bool *ret_ok, struct problem *p)
{
	bool here = password_matches(v->encoded, password) && v->person != 0; // always: it takes its time whoever it is
	struct directory d;
	*ret_ok = here && !v->directory;
	if (!v->directory)
		return OK;
	enum err err = directory_now(au, v->directory, p->arena, &d);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && d.kind == DIRECTORY_OIDC) { // it shows no password: one kept here signs, but does not log in
		*ret_ok = here && sign;
		return OK;
	}
	return err || !d.enabled ? directory_off(p) : ask_ldap(au, &d, v->login, password, ret_ok, p);
}

static enum err prover_of(struct auth *au, int64_t person, struct arena *a, struct prover *ret)
{
	struct row row;
	const struct registry *reg = registry_pin();
	struct db *db = store_read_begin(au->store);
	*ret = (struct prover){ .person = person, .encoded = au->nobody, .login = STR_EMPTY };
	enum err err = person_get(db, reg, person, a, &row);
	if (!err) {
		ret->login = person_text(reg, &row, "login");
		ret->directory = person_directory(reg, &row);
		err = credential_read(db, person, a, &ret->encoded);
	}
	store_read_end(au->store, db);
	registry_unpin(reg);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err auth_check_password(struct auth *au, const struct identity *id, struct str password, struct problem *p)
{
	int64_t now = clock_now();
	if (throttle_blocked(au->throttle, 's', id->name, now))
		return ERR_THROTTLED;
	struct prover v;
	bool ok = false;
	enum err err = prover_of(au, id->actor ? id->actor : id->person, p->arena, &v); // who signs, signs himself
	if (!err)
		err = password_prove(au, &v, password, true, &ok, p);
	if (err)
		return err;
	if (ok)
		throttle_clear(au->throttle, 's', id->name);
	else
		throttle_fail(au->throttle, 's', id->name, now);
	return ok ? OK : ERR_FORBIDDEN;
}
