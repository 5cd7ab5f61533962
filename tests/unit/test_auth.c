// Logging in and being throttled, sessions, passwords, device keys.
// needs: base store expr model auth
#include "auth_fixture.h"

#include <argon2.h>

#include "auth/auth_int.h"
#include "auth/totp.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"

#define T0 (INT64_C(1790000000) * US_PER_S)
static const struct str good = { "correct horse 7", 15 };

// ---- a store with persons ----------------------------------------------------------------------
struct world {
	struct fixture f;
	struct auth *auth;
	const struct registry *reg;
};

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	const struct registry *r = arg;
	return records_migrate(db, &r->types[0].table, p);
}

struct person {
	struct world *w;
	const char *login, *role, *area;
	int64_t enterprise, id;
	bool password;
};

static enum err job_person(struct db *db, void *arg, struct problem *p)
{
	struct person *x = arg;
	struct common c = { .title = arena_printf(p->arena, "%s 同志", x->login), .area = str_of(x->area), .enterprise = x->enterprise,
		                .version = 1 };
	struct value v[PERSON_COLUMNS] = { [LOGIN] = { VAL_TEXT, 0, 0, str_of(x->login) },
		                               [ROLE] = { VAL_TEXT, 0, 0, arena_printf(p->arena, ",%s,", x->role) } };
	enum err err = records_insert(db, &x->w->reg->types[0].table, &c, v, p);
	x->id = c.id;
	if (err || !x->password)
		return err;
	return auth_set_password_in(db, x->w->reg, c.id, good, p);
}

static int64_t add_person(struct world *w, const char *login, const char *role, const char *area, int64_t enterprise,
                          bool password)
{
	struct person x = { w, login, role, area, enterprise, 0, password };
	assert_int_equal(fixture_write(&w->f, job_person, &x), OK);
	return x.id;
}

static void world_begin(struct world *w)
{
	clock_set_fake(T0);
	fixture_begin(&w->f);
	registry_set(small_registry());
	w->reg = registry_pin();
	assert_int_equal(fixture_write(&w->f, job_migrate, (void *)w->reg), OK);
	assert_int_equal(auth_open(&w->auth, w->f.store, w->f.dir, &w->f.p), OK);
}

static void world_end(struct world *w)
{
	char hash[65];
	int64_t n;
	struct db *db = store_read_begin(w->f.store);
	assert_int_equal(audit_verify(db, NULL, &n, hash), OK);
	store_read_end(w->f.store, db);
	auth_close(w->auth);
	registry_unpin(w->reg);
	registry_close();
	fixture_end(&w->f);
	clock_set_fake(0);
}

static enum err login(struct world *w, const char *name, struct str password, const char *peer, char token[33])
{
	problem_init(&w->f.p, w->f.arena);
	return auth_login(w->auth, str_of(name), password, STR_EMPTY, str_of(peer), token, &w->f.p);
}

static enum err session(struct world *w, const char *token, struct identity *id)
{
	*id = (struct identity){ 0 };
	return auth_session(w->auth, w->reg, str_of(token), w->f.arena, id);
}

static size_t audit_count(struct world *w, const char *action)
{
	struct audit_entry *e;
	size_t n, hits = 0;
	struct db *db = store_read_begin(w->f.store);
	assert_int_equal(audit_list(db, STR_EMPTY, 0, 0, 1000, w->f.arena, &e, &n), OK);
	for (size_t i = 0; i < n; i++)
		hits += str_is(e[i].action, action);
	store_read_end(w->f.store, db);
	return hits;
}

// ---- logging in --------------------------------------------------------------------------------
static void test_login_and_identity(void **state)
{
	(void)state;
	struct world w;
	char token[33], other[33];
	struct identity id;
	world_begin(&w);
	int64_t person = add_person(&w, "zhang", "duty,town", TOWN1, 0, true);
	assert_int_equal(login(&w, "zhang", good, "10.0.0.1", token), OK);
	assert_int_equal(strlen(token), 32);
	assert_int_equal(session(&w, token, &id), OK);
	assert_int_equal(id.person, person);
	assert_false(id.system);
	assert_str(id.name, "zhang");
	assert_str(id.title, "zhang 同志");
	assert_str(id.lang, "zh");
	assert_str(id.peer, "10.0.0.1");
	assert_int_equal(id.nroles, 2);
	assert_true(auth_has_role(&id, STR("duty")) && auth_has_role(&id, STR("town")));
	assert_str(id.scope.area, "990121101");
	assert_int_equal(id.scope.enterprise, 0);
	assert_int_equal(login(&w, "zhang", good, "10.0.0.1", other), OK);
	assert_string_not_equal(token, other);
	assert_int_equal(session(&w, "x2345678901234567890123456789012", &id), ERR_UNAUTHENTICATED);
	assert_int_equal(session(&w, "", &id), ERR_UNAUTHENTICATED);
	assert_int_equal(audit_count(&w, "login"), 2);
	world_end(&w);
}

static void test_one_answer_for_every_failure(void **state)
{
	(void)state;
	struct world w;
	char token[33];
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	add_person(&w, "li", "duty", COUNTY, 0, false); // no password yet
	static const char *const names[] = { "zhang", "li", "nobody" };
	struct str text = STR_EMPTY;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char peer[32];
		snprintf(peer, sizeof(peer), "10.0.0.%zu", i);
		assert_int_equal(login(&w, names[i], STR("wrong password"), peer, token), ERR_UNAUTHENTICATED);
		assert_true(i == 0 || str_eq(text, w.f.p.zh));
		assert_int_equal(w.f.p.field.n, 0);
		text = w.f.p.zh;
	}
	assert_int_equal(audit_count(&w, "login.fail"), 3);
	struct audit_entry *e;
	size_t n;
	struct db *db = store_read_begin(w.f.store);
	assert_int_equal(audit_list(db, STR("session"), 0, 0, 1, w.f.arena, &e, &n), OK);
	assert_str(e[0].actor_name, ""); // what nobody is called may have been a password
	store_read_end(w.f.store, db);
	world_end(&w);
}

// What an unknown name's password is compared with is a hash like any other: it is computed and does not match, and is no other's the next time.
static void test_hash_of_nobody(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct str one = password_of_nobody(a), other = password_of_nobody(a);
	assert_int_equal(argon2id_verify(arena_cstr(a, one), "correct horse 7", 15), ARGON2_VERIFY_MISMATCH); // not ARGON2_DECODING_FAIL, which is quick
	assert_true(str_starts(one, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
	assert_false(str_eq(one, other));
	arena_free(a);
}

static void test_throttle_by_name(void **state)
{
	(void)state;
	struct world w;
	char token[33], peer[24];
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	add_person(&w, "li", "duty", COUNTY, 0, true);
	for (int i = 0; i < LIMIT_LOGIN_TRIES; i++) {
		snprintf(peer, sizeof(peer), "10.0.1.%d", i);
		assert_int_equal(login(&w, "zhang", STR("wrong password"), peer, token), ERR_UNAUTHENTICATED);
	}
	assert_int_equal(login(&w, "zhang", good, "10.0.2.1", token), ERR_THROTTLED);
	assert_true(w.f.p.zh.n > 0 && w.f.p.hint_en.n > 0);
	assert_int_equal(login(&w, "li", good, "10.0.2.1", token), OK);
	clock_set_fake(T0 + LIMIT_LOGIN_WAIT_S * US_PER_S - 1);
	assert_int_equal(login(&w, "zhang", good, "10.0.2.1", token), ERR_THROTTLED);
	clock_set_fake(T0 + LIMIT_LOGIN_WAIT_S * US_PER_S);
	assert_int_equal(login(&w, "zhang", good, "10.0.2.1", token), OK);
	world_end(&w);
}

static void test_throttle_by_peer(void **state)
{
	(void)state;
	struct world w;
	char token[33], name[24];
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	for (int i = 0; i < LIMIT_LOGIN_ADDRESS; i++) {
		snprintf(name, sizeof(name), "guess%d", i);
		assert_int_equal(login(&w, name, STR("wrong password"), "10.0.0.9", token), ERR_UNAUTHENTICATED);
	}
	assert_int_equal(login(&w, "zhang", good, "10.0.0.9", token), ERR_THROTTLED);
	assert_int_equal(login(&w, "zhang", good, "10.0.0.8", token), OK);
	world_end(&w);
}

static void test_success_forgives(void **state)
{
	(void)state;
	struct world w;
	char token[33];
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < LIMIT_LOGIN_TRIES - 1; i++)
			assert_int_equal(login(&w, "zhang", STR("wrong password"), "10.0.0.1", token), ERR_UNAUTHENTICATED);
		assert_int_equal(login(&w, "zhang", good, "10.0.0.1", token), OK);
	}
	world_end(&w);
}

// With one good account of one's own one password could be tried at all the others, as fast as one likes.
static void test_own_account_forgives_no_tries_at_others(void **state)
{
	(void)state;
	struct world w;
	char token[33], name[24];
	int tried = 0;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	for (int i = 0; i < 2 * LIMIT_LOGIN_ADDRESS; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		tried += login(&w, name, STR("Password-2026"), "10.0.0.1", token) == ERR_UNAUTHENTICATED;
		(void)login(&w, "zhang", good, "10.0.0.1", token);
	}
	assert_int_equal(tried, LIMIT_LOGIN_ADDRESS);
	assert_int_equal(login(&w, "zhang", good, "10.0.0.1", token), ERR_THROTTLED);
	world_end(&w);
}

// ---- sessions ----------------------------------------------------------------------------------
static void test_session_ages(void **state)
{
	(void)state;
	struct world w;
	char token[33];
	struct identity id;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	assert_int_equal(login(&w, "zhang", good, "p", token), OK);
	clock_set_fake(T0 + 12 * US_PER_HOUR - 1);
	assert_int_equal(session(&w, token, &id), OK);
	fixture_reopen(&w.f); // "last used" is written
	auth_close(w.auth);
	assert_int_equal(auth_open(&w.auth, w.f.store, w.f.dir, &w.f.p), OK);
	clock_set_fake(T0 + 24 * US_PER_HOUR - 2);
	assert_int_equal(session(&w, token, &id), OK);
	fixture_reopen(&w.f);
	auth_close(w.auth);
	assert_int_equal(auth_open(&w.auth, w.f.store, w.f.dir, &w.f.p), OK);
	clock_set_fake(T0 + 36 * US_PER_HOUR - 2);
	assert_int_equal(session(&w, token, &id), ERR_UNAUTHENTICATED); // 12 h without use
	assert_int_equal(login(&w, "zhang", good, "p", token), OK);
	int64_t begun = T0 + 36 * US_PER_HOUR - 2;
	for (int h = 0; h < 7 * 24; h += 6) {
		clock_set_fake(begun + h * US_PER_HOUR);
		assert_int_equal(session(&w, token, &id), OK);
		fixture_reopen(&w.f);
		auth_close(w.auth);
		assert_int_equal(auth_open(&w.auth, w.f.store, w.f.dir, &w.f.p), OK);
	}
	clock_set_fake(begun + 7 * US_PER_DAY);
	assert_int_equal(session(&w, token, &id), ERR_UNAUTHENTICATED); // whatever the use
	world_end(&w);
}

static void test_logout_revoke_and_list(void **state)
{
	(void)state;
	struct world w;
	char a[33], b[33], s[33];
	struct identity ia, ib, is;
	struct session_info *v;
	size_t n;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	add_person(&w, "li", "duty", COUNTY, 0, true);
	add_person(&w, "officer", "security", COUNTY, 0, true);
	assert_int_equal(login(&w, "zhang", good, "p1", a), OK);
	assert_int_equal(login(&w, "li", good, "p2", b), OK);
	assert_int_equal(login(&w, "officer", good, "p3", s), OK);
	assert_true(!session(&w, a, &ia) && !session(&w, b, &ib) && !session(&w, s, &is));
	assert_int_equal(auth_sessions(w.auth, &ia, w.f.arena, &v, &n), OK);
	assert_int_equal(n, 1);
	assert_true(v[0].current && v[0].person == ia.person);
	assert_int_equal(auth_sessions(w.auth, &is, w.f.arena, &v, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(auth_revoke(w.auth, &ia, ib.session), ERR_NOT_FOUND); // not his
	assert_int_equal(session(&w, b, &ib), OK);
	assert_int_equal(auth_revoke(w.auth, &is, ib.session), OK);
	assert_int_equal(session(&w, b, &ib), ERR_UNAUTHENTICATED);
	assert_int_equal(auth_revoke(w.auth, &is, 12345), ERR_NOT_FOUND);
	assert_int_equal(auth_logout(w.auth, &ia), OK);
	assert_int_equal(auth_logout(w.auth, &ia), OK);
	assert_int_equal(session(&w, a, &ia), ERR_UNAUTHENTICATED);
	assert_int_equal(audit_count(&w, "session.revoke"), 1);
	assert_int_equal(audit_count(&w, "logout"), 1);
	world_end(&w);
}

static void test_sessions_are_bounded(void **state)
{
	(void)state;
	struct world w;
	char token[33], first[33];
	struct identity id;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, false);
	for (int i = 0; i < LIMIT_SESSIONS_PER_USER + 3; i++) {
		clock_set_fake(T0 + i * US_PER_S);
		assert_int_equal(auth_demo_login(w.auth, STR("duty"), STR("p"), i ? token : first, &w.f.p), OK);
	}
	struct session_info *v;
	size_t n;
	assert_int_equal(session(&w, token, &id), OK);
	assert_int_equal(auth_sessions(w.auth, &id, w.f.arena, &v, &n), OK);
	assert_int_equal(n, LIMIT_SESSIONS_PER_USER);
	assert_int_equal(session(&w, first, &id), ERR_UNAUTHENTICATED);
	world_end(&w);
}

static enum err job_retire(struct db *db, void *arg, struct problem *p)
{
	struct world *w = arg;
	struct row row;
	enum err err = records_get(db, &w->reg->types[0].table, NULL, 1, p->arena, &row);
	row.c.retired = true;
	row.c.version++;
	return err ? err : records_update(db, &w->reg->types[0].table, &row.c, row.vals, p);
}

static void test_retired_person(void **state)
{
	(void)state;
	struct world w;
	char token[33], peer[33];
	struct identity id;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	assert_int_equal(login(&w, "zhang", good, "p", token), OK);
	assert_int_equal(session(&w, token, &id), OK);
	assert_int_equal(fixture_write(&w.f, job_retire, &w), OK);
	assert_int_equal(session(&w, token, &id), ERR_UNAUTHENTICATED);
	assert_int_equal(login(&w, "zhang", good, "p", peer), ERR_UNAUTHENTICATED);
	assert_int_equal(auth_demo_login(w.auth, STR("duty"), STR("p"), token, &w.f.p), ERR_NOT_FOUND);
	world_end(&w);
}

static void test_scope_of_a_person(void **state)
{
	(void)state;
	static const struct {
		const char *login, *role, *area;
		int64_t enterprise;
		const char *prefix;
		bool nothing;
	} cases[] = {
		{ "a", "bureau", COUNTY, 0, "990121", false },
		{ "b", "admin", "", 0, "", false },
		{ "c", "enterprise", TOWN1, 7, "990121101", false },
		{ "d", "enterprise", TOWN1, 0, "990121101", true }, // whose? something is missing
		{ "f", "town", "", 0, "", true },
		{ "g", "duty", "", 0, "", false },
		{ "e", "unknown", TOWN1, 0, "990121101", true },    // a role the packs no longer have
	};
	struct world w;
	world_begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char token[33];
		struct identity id;
		add_person(&w, cases[i].login, cases[i].role, cases[i].area, cases[i].enterprise, true);
		assert_int_equal(login(&w, cases[i].login, good, "p", token), OK);
		assert_int_equal(session(&w, token, &id), OK);
		assert_str(id.scope.area, cases[i].prefix);
		assert_int_equal(id.scope.enterprise, cases[i].enterprise);
		assert_int_equal(id.scope.nothing, cases[i].nothing);
	}
	world_end(&w);
}

static void test_demo_login(void **state)
{
	(void)state;
	struct world w;
	char token[33];
	struct identity id;
	world_begin(&w);
	add_person(&w, "wang", "town,duty", TOWN1, 0, false);
	add_person(&w, "zhao", "duty", TOWN2, 0, false);
	add_person(&w, "aud", "auditor", "", 0, false);
	assert_int_equal(auth_demo_login(w.auth, STR("duty"), STR("127.0.0.1"), token, &w.f.p), OK);
	assert_int_equal(session(&w, token, &id), OK);
	assert_str(id.name, "wang");
	static const char *const refused[] = { "auditor", "bureau", "dut", "nothing", "", ",duty," }; // not a demo role; nobody; no role
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(auth_demo_login(w.auth, str_of(refused[i]), STR("127.0.0.1"), token, &w.f.p), ERR_NOT_FOUND);
	assert_int_equal(audit_count(&w, "login.demo"), 1);
	world_end(&w);
}

// ---- passwords ---------------------------------------------------------------------------------
static void test_password_rules(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	int64_t person = add_person(&w, "zhang-san-feng", "duty", COUNTY, 0, false);
	static const struct {
		const char *text;
		enum err err;
	} cases[] = {
		{ "", ERR_INVALID },           { "short 123", ERR_INVALID },       { "aaaaaaaaaaaaaa", ERR_INVALID },
		{ "ababababababab", ERR_INVALID }, { "Zhang-San-Feng", ERR_INVALID }, { "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6", ERR_INVALID },
		{ "ten chars!", OK },          { "安澜县应急管理局值班", OK },
	};
	struct identity sys = identity_system();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		problem_init(&w.f.p, w.f.arena);
		enum err err = auth_set_password(w.auth, &sys, person, str_of(cases[i].text), &w.f.p);
		if (err != cases[i].err)
			fail_msg("password %zu: %s", i, err_name(err));
		if (err)
			assert_str(w.f.p.field, "password");
	}
	struct str longest = { arena_alloc(w.f.arena, 201), 201 };
	for (size_t i = 0; i < longest.n; i++)
		((char *)longest.p)[i] = (char)('a' + i % 26);
	problem_init(&w.f.p, w.f.arena);
	assert_int_equal(auth_set_password(w.auth, &sys, person, longest, &w.f.p), ERR_INVALID);
	problem_init(&w.f.p, w.f.arena);
	assert_int_equal(auth_set_password(w.auth, &sys, 999, good, &w.f.p), ERR_NOT_FOUND);
	int64_t n;
	struct db *db = store_read_begin(w.f.store);
	assert_int_equal(auth_count_credentials(db, &n), OK);
	assert_int_equal(n, 1);
	store_read_end(w.f.store, db);
	world_end(&w);
}

static void test_new_password_ends_other_sessions(void **state)
{
	(void)state;
	struct world w;
	char here[33], there[33], li[33];
	struct identity id, other;
	world_begin(&w);
	int64_t zhang = add_person(&w, "zhang", "duty", COUNTY, 0, true);
	add_person(&w, "li", "duty", COUNTY, 0, true);
	assert_int_equal(login(&w, "zhang", good, "p", here), OK);
	assert_int_equal(login(&w, "zhang", good, "p", there), OK);
	assert_int_equal(login(&w, "li", good, "p", li), OK);
	assert_int_equal(session(&w, here, &id), OK);
	assert_int_equal(session(&w, li, &other), OK);
	assert_int_equal(auth_set_password(w.auth, &other, zhang, STR("another password"), &w.f.p), ERR_FORBIDDEN);
	problem_init(&w.f.p, w.f.arena);
	assert_int_equal(auth_set_password(w.auth, &id, zhang, STR("another password"), &w.f.p), OK);
	assert_int_equal(session(&w, here, &id), OK);
	assert_int_equal(session(&w, there, &other), ERR_UNAUTHENTICATED);
	assert_int_equal(session(&w, li, &other), OK);
	assert_int_equal(login(&w, "zhang", good, "p", there), ERR_UNAUTHENTICATED);
	assert_int_equal(login(&w, "zhang", STR("another password"), "p", there), OK);
	world_end(&w);
}

static void test_check_password(void **state)
{
	(void)state;
	struct world w;
	char token[33];
	struct identity id;
	world_begin(&w);
	add_person(&w, "zhang", "duty", COUNTY, 0, true);
	assert_int_equal(login(&w, "zhang", good, "p", token), OK);
	assert_int_equal(session(&w, token, &id), OK);
	assert_int_equal(auth_check_password(w.auth, &id, good, &w.f.p), OK);
	for (int i = 0; i < LIMIT_LOGIN_TRIES; i++)
		assert_int_equal(auth_check_password(w.auth, &id, STR("wrong password"), &w.f.p), ERR_FORBIDDEN);
	assert_int_equal(auth_check_password(w.auth, &id, good, &w.f.p), ERR_THROTTLED);
	world_end(&w);
}

// ---- device keys -------------------------------------------------------------------------------
struct key {
	const struct identity *by;
	struct str key;
	char made[33];
};

static enum err job_new_key(struct db *db, void *arg, struct problem *p)
{
	struct key *k = arg;
	return device_new_key(db, k->by, 42, k->made, p);
}

static enum err job_set_key(struct db *db, void *arg, struct problem *p)
{
	struct key *k = arg;
	return device_set_key(db, k->by, 42, k->key, p);
}

static bool key_ok(struct world *w, int64_t device, struct str key)
{
	struct db *db = store_read_begin(w->f.store);
	bool ok = device_key_ok(db, device, key);
	store_read_end(w->f.store, db);
	return ok;
}

static void test_device_keys(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	struct identity sys = identity_system(), admin = as(w.reg, "admin", w.f.arena), duty = as(w.reg, "duty", w.f.arena);
	struct key made = { .by = &admin };
	assert_int_equal(fixture_write(&w.f, job_new_key, &made), OK);
	assert_int_equal(strlen(made.made), 32);
	assert_true(key_ok(&w, 42, str_of(made.made)));
	assert_false(key_ok(&w, 43, str_of(made.made)));
	assert_false(key_ok(&w, 42, STR_EMPTY));
	assert_false(key_ok(&w, 42, str_first(str_of(made.made), 31)));
	struct key given = { .by = &sys, .key = STR("123456") };
	assert_int_equal(fixture_write(&w.f, job_set_key, &given), OK);
	assert_true(key_ok(&w, 42, STR("123456")));
	assert_false(key_ok(&w, 42, str_of(made.made))); // the old one is gone
	given.key = STR("12345");
	assert_int_equal(fixture_write(&w.f, job_set_key, &given), ERR_INVALID);
	given.key = (struct str){ arena_alloc(w.f.arena, LIMIT_DEVICE_KEY + 1), LIMIT_DEVICE_KEY + 1 };
	assert_int_equal(fixture_write(&w.f, job_set_key, &given), ERR_INVALID);
	made.by = &duty;
	assert_int_equal(fixture_write(&w.f, job_new_key, &made), ERR_FORBIDDEN);
	assert_true(key_ok(&w, 42, STR("123456")));
	assert_int_equal(audit_count(&w, "device.key"), 2);
	world_end(&w);
}

// RFC 6238 appendix B (SHA-1; the last six of its eight digits), RFC 4648 section 10 without padding.
static void test_second_factor_arithmetic(void **state)
{
	(void)state;
	static const struct { int64_t at; uint32_t code; } vectors[] = {
		{ 59, 287082 },         { 1111111109, 81804 },  { 1111111111, 50471 },
		{ 1234567890, 5924 },   { 2000000000, 279037 }, { INT64_C(20000000000), 353130 },
	};
	static const struct { const char *plain, *text; } words32[] = {
		{ "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" }, { "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" },
	};
	struct arena *a = arena_new(0);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		assert_int_equal(totp_code(STR("12345678901234567890"), vectors[i].at / 30), vectors[i].code);
	for (size_t i = 0; i < ARRAY_LEN(words32); i++)
		assert_str(base32_text(str_of(words32[i].plain), a), words32[i].text);
	arena_free(a);
}

// What is sealed opens again only with the same key, for the same use and owner, and whole.
static void test_sealed_secrets(void **state)
{
	(void)state;
	struct world w;
	struct str sealed, back;
	world_begin(&w);
	assert_int_equal(auth_seal(w.auth, "totp", 7, STR("a secret"), w.f.arena, &sealed), OK);
	assert_false(str_contains(sealed, STR("secret")));
	assert_int_equal(auth_unseal(w.auth, "totp", 7, sealed, w.f.arena, &back), OK);
	assert_str(back, "a secret");
	assert_int_equal(auth_unseal(w.auth, "totp", 8, sealed, w.f.arena, &back), ERR_CORRUPT);
	assert_int_equal(auth_unseal(w.auth, "webhook", 7, sealed, w.f.arena, &back), ERR_CORRUPT);
	for (size_t i = 0; i < sealed.n; i++) {
		char *bent = arena_cstr(w.f.arena, sealed);
		bent[i] ^= 1;
		assert_int_equal(auth_unseal(w.auth, "totp", 7, str_from(bent, sealed.n), w.f.arena, &back), ERR_CORRUPT);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login_and_identity), cmocka_unit_test(test_second_factor_arithmetic),
		cmocka_unit_test(test_sealed_secrets),
		cmocka_unit_test(test_one_answer_for_every_failure),
		cmocka_unit_test(test_hash_of_nobody),
		cmocka_unit_test(test_throttle_by_name),
		cmocka_unit_test(test_throttle_by_peer),
		cmocka_unit_test(test_own_account_forgives_no_tries_at_others),
		cmocka_unit_test(test_success_forgives),
		cmocka_unit_test(test_session_ages),
		cmocka_unit_test(test_logout_revoke_and_list),
		cmocka_unit_test(test_sessions_are_bounded),
		cmocka_unit_test(test_retired_person),
		cmocka_unit_test(test_scope_of_a_person),
		cmocka_unit_test(test_demo_login),
		cmocka_unit_test(test_password_rules),
		cmocka_unit_test(test_new_password_ends_other_sessions),
		cmocka_unit_test(test_check_password),
		cmocka_unit_test(test_device_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
