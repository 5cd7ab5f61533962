// Rights (roles × types × scopes), logging in and being throttled, sessions, passwords, device keys.
// needs: base store model auth
#include "store_fixture.h"

#include "auth/auth.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "base/time.h"
#include "store/audit.h"

#define COUNTY "990121000000"
#define TOWN1 "990121101000"
#define TOWN2 "990121102000"
#define VILLAGE "990121101001"
#define T0 (INT64_C(1790000000) * US_PER_S)
static const struct str good = { "correct horse 7", 15 };

// ---- a small registry --------------------------------------------------------------------------
static const struct {
	const char *name;
	bool unmask, demo;
	const char *may[3];
} role_rows[] = {
	{ "admin", false, true, { "user.manage", "device.manage" } },
	{ "security", false, true, { "session.manage" } },
	{ "auditor", false, false, { "audit.read" } },
	{ "bureau", true, true, { "alarm.handle" } },
	{ "town", true, true, { 0 } },
	{ "duty", true, true, { "alarm.handle" } },
	{ "enterprise", false, true, { 0 } },
};
static const struct {
	const char *name, *enterprise_from;
	const char *create, *read, *edit, *retire;
} type_rows[] = {
	{ "person", "enterprise", "admin", "all", "admin", "admin" },
	{ "area", "", "admin", "all", "admin", "" },
	{ "enterprise", "", "bureau town", "bureau duty town enterprise", "bureau town", "bureau" },
	{ "warning", "point", "bureau", "bureau duty town enterprise", "bureau", "" },
	{ "duty_roster", "", "bureau", "bureau duty town enterprise", "bureau", "bureau" },
};
enum { LOGIN, ROLE, LANG, PERSON_COLUMNS };
static const struct column person_columns[PERSON_COLUMNS] = {
	[LOGIN] = { { "login", 5 }, COL_TEXT, .unique = true },
	[ROLE] = { { "role", 4 }, COL_TEXT, .unique = false },
	[LANG] = { { "lang", 4 }, COL_TEXT, .unique = false },
};

static struct str *words(struct arena *a, const char *text, size_t *ret_n)
{
	struct str s = str_of(text), *v = NULL;
	size_t cap = 0;
	*ret_n = 0;
	while (s.n) {
		struct str w = str_cut(&s, ' ');
		v = arena_push(a, v, ret_n, &cap, sizeof(*v));
		v[*ret_n - 1] = w;
	}
	return v;
}

static struct registry *small_registry(void)
{
	struct arena *a = arena_new(0);
	struct registry *r = arena_one(a, struct registry);
	r->arena = a;
	r->nroles = ARRAY_LEN(role_rows);
	r->roles = arena_many(a, r->nroles, struct role);
	for (size_t i = 0; i < r->nroles; i++) {
		struct role *ro = &r->roles[i];
		*ro = (struct role){ .name = str_of(role_rows[i].name), .unmask = role_rows[i].unmask, .demo = role_rows[i].demo };
		ro->may = arena_many(a, 3, struct str);
		for (; ro->nmay < 3 && role_rows[i].may[ro->nmay]; ro->nmay++)
			ro->may[ro->nmay] = str_of(role_rows[i].may[ro->nmay]);
	}
	r->ntypes = ARRAY_LEN(type_rows);
	r->types = arena_many(a, r->ntypes, struct type);
	for (size_t i = 0; i < r->ntypes; i++) {
		struct type *t = &r->types[i];
		t->name = str_of(type_rows[i].name);
		t->enterprise_from = str_of(type_rows[i].enterprise_from);
		t->rights.create = words(a, type_rows[i].create, &t->rights.ncreate);
		t->rights.read = words(a, type_rows[i].read, &t->rights.nread);
		t->rights.edit = words(a, type_rows[i].edit, &t->rights.nedit);
		t->rights.retire = words(a, type_rows[i].retire, &t->rights.nretire);
	}
	r->types[0].table = (struct table){ STR("person"), person_columns, PERSON_COLUMNS };
	return r;
}

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
	assert_int_equal(auth_open(&w->auth, w->f.store), OK);
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
	return auth_login(w->auth, str_of(name), password, str_of(peer), token, &w->f.p);
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

// ---- rights ------------------------------------------------------------------------------------
static struct identity as(const struct registry *r, const char *role, struct arena *a)
{
	struct identity id = { .person = 5 };
	id.roles = arena_many(a, 1, const struct role *);
	if (*role) {
		id.roles[0] = registry_role(r, str_of(role));
		assert_non_null(id.roles[0]);
		id.nroles = 1;
	}
	return id;
}

// What each role may do with each type, written out: c create, r read, e edit, x retire.
static void test_roles_by_types(void **state)
{
	(void)state;
	static const struct {
		const char *role, *person, *area, *enterprise, *warning, *duty_roster;
	} table[] = {
		{ "admin", "crex", "cre", "", "", "" },
		{ "security", "r", "r", "", "", "" },
		{ "auditor", "r", "r", "", "", "" },
		{ "bureau", "r", "r", "crex", "cre", "crex" },
		{ "town", "r", "r", "cre", "r", "r" },
		{ "duty", "r", "r", "r", "r", "r" },
		{ "enterprise", "r", "r", "r", "r", "r" },
		{ "", "", "", "", "", "" },
	};
	struct registry *r = small_registry();
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct identity id = as(r, table[i].role, r->arena);
		const char *const want[] = { table[i].person, table[i].area, table[i].enterprise, table[i].warning, table[i].duty_roster };
		for (size_t t = 0; t < ARRAY_LEN(want); t++) {
			char got[5];
			size_t n = 0;
			if (auth_may_create(&id, &r->types[t]))
				got[n++] = 'c';
			if (auth_may_read(&id, &r->types[t]))
				got[n++] = 'r';
			if (auth_may_edit(&id, &r->types[t]))
				got[n++] = 'e';
			if (auth_may_retire(&id, &r->types[t]))
				got[n++] = 'x';
			got[n] = 0;
			if (strcmp(got, want[t]) != 0)
				fail_msg("%s may \"%s\" with %s, want \"%s\"", table[i].role, got, type_rows[t].name, want[t]);
		}
	}
	registry_free(r);
}

static void test_permissions(void **state)
{
	(void)state;
	static const struct {
		const char *role, *permission;
		bool may;
	} cases[] = {
		{ "admin", "user.manage", true },     { "admin", "audit.read", false },    { "admin", "alarm.handle", false },
		{ "admin", "session.manage", false }, { "security", "session.manage", true }, { "security", "user.manage", false },
		{ "security", "audit.read", false },  { "auditor", "audit.read", true },   { "auditor", "user.manage", false },
		{ "auditor", "alarm.handle", false }, { "duty", "alarm.handle", true },    { "duty", "user.manage", false },
		{ "town", "alarm.handle", false },    { "", "user.manage", false },        { "admin", "", false },
	};
	struct registry *r = small_registry();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity id = as(r, cases[i].role, r->arena);
		if (auth_may(&id, cases[i].permission) != cases[i].may)
			fail_msg("%s %s", cases[i].role, cases[i].permission);
	}
	registry_free(r);
}

static void test_system_and_nobody(void **state)
{
	(void)state;
	struct registry *r = small_registry();
	struct identity sys = identity_system(), none = { 0 };
	const struct field phone = { .kind = FIELD_PHONE };
	for (size_t t = 0; t < r->ntypes; t++) {
		assert_true(auth_may_create(&sys, &r->types[t]) && auth_may_retire(&sys, &r->types[t]));
		assert_false(auth_may_create(&none, &r->types[t]) || auth_may_read(&none, &r->types[t]));
		assert_false(auth_scope(&sys, &r->types[t]).nothing);
		assert_true(auth_scope(&none, &r->types[t]).nothing);
	}
	assert_true(auth_may(&sys, "anything") && auth_sees_masked(&sys, &phone) && auth_in_scope(&sys, STR(TOWN1), 4));
	assert_false(auth_may(&none, "user.manage") || auth_sees_masked(&none, &phone) || auth_in_scope(&none, STR_EMPTY, 0));
	registry_free(r);
}

static void test_masking(void **state)
{
	(void)state;
	struct registry *r = small_registry();
	const struct field phone = { .kind = FIELD_PHONE }, text = { .kind = FIELD_TEXT };
	for (size_t i = 0; i < r->nroles; i++) {
		struct identity id = as(r, r->roles[i].name.p, r->arena);
		assert_int_equal(auth_sees_masked(&id, &phone), r->roles[i].unmask);
		assert_true(auth_sees_masked(&id, &text));
	}
	registry_free(r);
}

static void test_area_prefix(void **state)
{
	(void)state;
	static const struct {
		const char *code, *prefix;
	} cases[] = {
		{ "990000000000", "99" },        { "990100000000", "9901" },      { COUNTY, "990121" },    { TOWN1, "990121101" },
		{ VILLAGE, VILLAGE },            { "990121401000", "990121401" }, { "990121", "990121" },  { "990100", "9901" },
		{ "990000", "99" },              { "990121101", "990121101" },    { "990121000", "990121" }, { "9901", "9901" },
		{ "9900", "99" },                { "99", "99" },                  { "", "" },              { "990121100000", "990121100" },
		{ "110000000000", "11" },        { "99012110100", "99012110100" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = area_prefix(str_of(cases[i].code));
		if (!str_is(got, cases[i].prefix))
			fail_msg("%s → %.*s", cases[i].code, STR_FMT(got));
	}
}

static void test_scope_by_roles_and_types(void **state)
{
	(void)state;
	static const struct {
		const char *role, *prefix;
		int64_t enterprise;
		const char *area;
		int64_t of;
		bool in;
	} cases[] = {
		{ "bureau", "990121", 0, TOWN1, 7, true },      { "bureau", "990121", 0, "990122101000", 7, false },
		{ "bureau", "990121", 0, COUNTY, 0, true },     { "bureau", "990121", 0, "990100000000", 0, false },
		{ "town", "990121101", 0, TOWN1, 7, true },     { "town", "990121101", 0, VILLAGE, 7, true },
		{ "town", "990121101", 0, TOWN2, 7, false },    { "town", "990121101", 0, COUNTY, 7, false },
		{ "town", "990121101", 0, "", 0, false },       { "enterprise", "990121101", 7, TOWN1, 7, true },
		{ "enterprise", "990121101", 7, TOWN1, 8, false }, { "enterprise", "990121101", 7, TOWN2, 7, false },
		{ "enterprise", "", 7, TOWN2, 7, true },        { "enterprise", "", 7, TOWN2, 0, false },
		{ "admin", "", 0, TOWN2, 3, true },             { "admin", "", 0, "", 0, true },
	};
	struct registry *r = small_registry();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity id = as(r, cases[i].role, r->arena);
		id.scope = (struct scope){ str_of(cases[i].prefix), cases[i].enterprise, false };
		if (auth_in_scope(&id, str_of(cases[i].area), cases[i].of) != cases[i].in)
			fail_msg("case %zu", i);
		id.scope.nothing = true;
		assert_false(auth_in_scope(&id, str_of(cases[i].area), cases[i].of));
	}
	struct identity id = as(r, "enterprise", r->arena);
	id.scope = (struct scope){ STR("990121101"), 7, false };
	static const bool narrowed[] = { true, false, true, true, false }; // as type_rows
	for (size_t t = 0; t < r->ntypes; t++) {
		struct scope s = auth_scope(&id, &r->types[t]);
		assert_int_equal(s.enterprise, narrowed[t] ? 7 : 0);
		assert_int_equal(s.area.n > 0, narrowed[t]);
	}
	id.scope.enterprise = 0; // of a town: its own area, and the register of areas
	assert_str(auth_scope(&id, &r->types[3]).area, "990121101");
	assert_str(auth_scope(&id, &r->types[4]).area, "990121101");
	assert_str(auth_scope(&id, &r->types[1]).area, "");
	registry_free(r);
}

static void test_giving_roles(void **state)
{
	(void)state;
	static const struct {
		const char *by;
		int64_t person; // 5 is the one who asks
		const char *old, *new;
		enum err err;
	} cases[] = {
		{ "admin", 0, "", ",duty,", OK },                     { "admin", 8, ",duty,", ",duty,town,", OK },
		{ "admin", 0, "", ",auditor,", OK },                  { "admin", 0, "", ",admin,auditor,", ERR_INVALID },
		{ "admin", 0, "", ",security,admin,", ERR_INVALID },  { "admin", 0, "", ",auditor,duty,", ERR_INVALID },
		{ "admin", 0, "", "duty,admin", ERR_INVALID },        { "admin", 5, ",admin,", ",bureau,", ERR_FORBIDDEN },
		{ "admin", 5, ",admin,", ",admin,", OK },             { "bureau", 0, "", ",duty,", ERR_FORBIDDEN },
		{ "bureau", 5, ",bureau,", ",admin,", ERR_FORBIDDEN }, { "security", 8, "", ",duty,", ERR_FORBIDDEN },
		{ "auditor", 8, "", ",duty,", ERR_FORBIDDEN },        { "", 8, "", ",duty,", ERR_FORBIDDEN },
		{ "bureau", 8, ",duty,", ",duty,", OK },
	};
	struct registry *r = small_registry();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity by = as(r, cases[i].by, r->arena);
		struct problem p;
		problem_init(&p, r->arena);
		enum err err = auth_check_grant(&by, cases[i].person, str_of(cases[i].old), str_of(cases[i].new), &p);
		if (err != cases[i].err)
			fail_msg("case %zu: %s", i, err_name(err));
		if (err)
			assert_str(p.field, "role");
	}
	struct identity sys = identity_system();
	assert_int_equal(auth_check_grant(&sys, 0, STR_EMPTY, STR(",admin,"), NULL), OK);
	assert_int_equal(auth_check_grant(&sys, 0, STR_EMPTY, STR(",admin,duty,"), NULL), ERR_INVALID);
	registry_free(r);
}

// The packs that come with the program keep the three apart too.
static void test_packs_keep_the_three_apart(void **state)
{
	(void)state;
	static const char *const apart[] = { "admin", "security", "auditor" };
	static const char *const business[] = { "warning", "hazard", "installation", "equipment", "enterprise", "duty_roster" };
	struct registry *r;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	if (registry_load(&r, STR("packs"), &d) != OK)
		fail_msg("packs: %.*s:%u: %.*s", STR_FMT(d.v[0].file), d.v[0].line, STR_FMT(d.v[0].text));
	for (size_t i = 0; i < ARRAY_LEN(apart); i++) {
		struct identity id = as(r, apart[i], a);
		for (size_t k = 0; k < ARRAY_LEN(business); k++) {
			const struct type *t = registry_type(r, str_of(business[k]));
			assert_non_null(t);
			if (auth_may_create(&id, t) || auth_may_edit(&id, t) || auth_may_retire(&id, t))
				fail_msg("%s handles %s", apart[i], business[k]);
			for (size_t m = 0; m < t->nmoves; m++)
				for (size_t w = 0; w < t->moves[m].nwho; w++)
					assert_false(str_is(t->moves[m].who[w], apart[i]));
		}
		assert_int_equal(auth_may(&id, "user.manage"), str_is(STR("admin"), apart[i]));
		assert_true(!auth_may(&id, "session.manage") || str_is(STR("security"), apart[i]));
		assert_int_equal(auth_may(&id, "audit.read"), str_is(STR("auditor"), apart[i]));
		assert_false(auth_may(&id, "alarm.handle"));
	}
	registry_free(r);
	arena_free(a);
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
	for (int i = 0; i < LIMIT_LOGIN_TRIES; i++) {
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
	assert_int_equal(auth_open(&w.auth, w.f.store), OK);
	clock_set_fake(T0 + 24 * US_PER_HOUR - 2);
	assert_int_equal(session(&w, token, &id), OK);
	fixture_reopen(&w.f);
	auth_close(w.auth);
	assert_int_equal(auth_open(&w.auth, w.f.store), OK);
	clock_set_fake(T0 + 36 * US_PER_HOUR - 2);
	assert_int_equal(session(&w, token, &id), ERR_UNAUTHENTICATED); // 12 h without use
	assert_int_equal(login(&w, "zhang", good, "p", token), OK);
	int64_t begun = T0 + 36 * US_PER_HOUR - 2;
	for (int h = 0; h < 7 * 24; h += 6) {
		clock_set_fake(begun + h * US_PER_HOUR);
		assert_int_equal(session(&w, token, &id), OK);
		fixture_reopen(&w.f);
		auth_close(w.auth);
		assert_int_equal(auth_open(&w.auth, w.f.store), OK);
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
	assert_int_equal(auth_check_password(w.auth, &id, good), OK);
	for (int i = 0; i < LIMIT_LOGIN_TRIES; i++)
		assert_int_equal(auth_check_password(w.auth, &id, STR("wrong password")), ERR_FORBIDDEN);
	assert_int_equal(auth_check_password(w.auth, &id, good), ERR_THROTTLED);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles_by_types),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_system_and_nobody),
		cmocka_unit_test(test_masking),
		cmocka_unit_test(test_area_prefix),
		cmocka_unit_test(test_scope_by_roles_and_types),
		cmocka_unit_test(test_giving_roles),
		cmocka_unit_test(test_packs_keep_the_three_apart),
		cmocka_unit_test(test_login_and_identity),
		cmocka_unit_test(test_one_answer_for_every_failure),
		cmocka_unit_test(test_throttle_by_name),
		cmocka_unit_test(test_throttle_by_peer),
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
