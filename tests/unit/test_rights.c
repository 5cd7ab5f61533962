// Every decision about who may do what, as tables: roles × types, roles × permissions, roles × scopes.
// needs: base store expr model auth
#include "auth_fixture.h"

// ---- rights ------------------------------------------------------------------------------------
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
	const struct field phone = { .kind = FIELD_PHONE, .personal = true };
	for (size_t t = 0; t < r->ntypes; t++) {
		assert_true(auth_may_create(&sys, &r->types[t]) && auth_may_retire(&sys, &r->types[t]));
		assert_false(auth_may_create(&none, &r->types[t]) || auth_may_read(&none, &r->types[t]));
		assert_false(auth_scope(&sys, &r->types[t]).nothing);
		assert_true(auth_scope(&none, &r->types[t]).nothing);
	}
	assert_true(auth_may(&sys, "anything") && auth_sees_masked(&sys, &phone) && auth_in_scope(&sys, (struct place){ STR(TOWN1), 4, STR("dust") }));
	assert_false(auth_may(&none, "user.manage") || auth_sees_masked(&none, &phone) || auth_in_scope(&none, (struct place){ STR_EMPTY, 0, STR_EMPTY }));
	registry_free(r);
}

static void test_masking(void **state)
{
	(void)state;
	struct registry *r = small_registry();
	const struct field phone = { .kind = FIELD_PHONE, .personal = true }, text = { .kind = FIELD_TEXT };
	for (size_t i = 0; i < r->nroles; i++) {
		struct identity id = as(r, r->roles[i].name.p, r->arena);
		assert_int_equal(auth_sees_masked(&id, &phone), r->roles[i].unmask == UNMASK_ALWAYS);
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
		id.scope = (struct scope){ .area = str_of(cases[i].prefix), .enterprise = cases[i].enterprise };
		if (auth_in_scope(&id, (struct place){ str_of(cases[i].area), cases[i].of, STR_EMPTY }) != cases[i].in)
			fail_msg("case %zu", i);
		id.scope.nothing = true;
		assert_false(auth_in_scope(&id, (struct place){ str_of(cases[i].area), cases[i].of, STR_EMPTY }));
	}
	struct identity id = as(r, "enterprise", r->arena);
	id.scope = (struct scope){ .area = STR("990121101"), .enterprise = 7 };
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

static struct person_facts facts(int64_t id, const char *roles, const char *area, int64_t enterprise)
{
	return (struct person_facts){ id, str_of(roles), str_of(area), enterprise, STR_EMPTY };
}

static void test_giving_roles(void **state)
{
	(void)state;
	static const struct {
		const char *by;
		int64_t person; // 5 is the one who asks; 0: a new one
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
		{ "bureau", 8, ",duty,", ",duty,", ERR_FORBIDDEN },
	};
	struct registry *r = small_registry();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity by = as(r, cases[i].by, r->arena);
		struct problem p;
		problem_init(&p, r->arena);
		struct person_facts old = facts(cases[i].person, cases[i].old, COUNTY, 0), now = facts(cases[i].person, cases[i].new, COUNTY, 0);
		enum err err = auth_check_person(&by, cases[i].person ? &old : NULL, &now, &p);
		if (err != cases[i].err)
			fail_msg("case %zu: %s", i, err_name(err));
	}
	struct identity sys = identity_system();
	struct person_facts one = facts(0, ",admin,", "", 0), both = facts(0, ",admin,duty,", "", 0);
	assert_int_equal(auth_check_person(&sys, NULL, &one, NULL), OK);
	assert_int_equal(auth_check_person(&sys, NULL, &both, NULL), ERR_INVALID);
	registry_free(r);
}

// A town keeps the people of the enterprises in its area: never above or beside it, never itself, never other roles.
static void test_managing_people_below(void **state)
{
	(void)state;
	static const struct {
		int64_t person;
		const char *old_roles, *old_area, *new_roles, *new_area;
		enum err err;
		const char *field;
	} cases[] = {
		{ 0, NULL, NULL, ",enterprise,", TOWN1, OK, "" },
		{ 0, NULL, NULL, ",enterprise,", VILLAGE, OK, "" },
		{ 0, NULL, NULL, ",enterprise,", TOWN2, ERR_FORBIDDEN, "area" },
		{ 0, NULL, NULL, ",enterprise,", COUNTY, ERR_FORBIDDEN, "area" },
		{ 0, NULL, NULL, ",town,", TOWN1, ERR_FORBIDDEN, "role" },
		{ 0, NULL, NULL, ",admin,", TOWN1, ERR_FORBIDDEN, "role" },
		{ 0, NULL, NULL, ",enterprise,duty,", TOWN1, ERR_FORBIDDEN, "role" },
		{ 0, NULL, NULL, "", TOWN1, ERR_FORBIDDEN, "role" },
		{ 8, ",enterprise,", TOWN1, ",enterprise,", VILLAGE, OK, "" },
		{ 8, ",enterprise,", TOWN1, NULL, NULL, OK, "" }, // lock, new password
		{ 8, ",enterprise,", TOWN2, NULL, NULL, ERR_FORBIDDEN, "area" },
		{ 8, ",town,", TOWN1, NULL, NULL, ERR_FORBIDDEN, "role" },
		{ 8, ",admin,", TOWN1, NULL, NULL, ERR_FORBIDDEN, "role" },
		{ 8, ",enterprise,", TOWN1, ",town,", TOWN1, ERR_FORBIDDEN, "role" },
		{ 8, ",enterprise,", TOWN1, ",enterprise,", TOWN2, ERR_FORBIDDEN, "area" },
		{ 8, ",bureau,", COUNTY, ",enterprise,", TOWN1, ERR_FORBIDDEN, "area" },
		{ 5, ",enterprise,", TOWN1, ",enterprise,", TOWN1, ERR_FORBIDDEN, "" },
	};
	struct registry *r = small_registry();
	struct identity town = as(r, "town", r->arena);
	town.scope.area = STR("990121101");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct problem p;
		problem_init(&p, r->arena);
		struct person_facts old = facts(cases[i].person, cases[i].old_roles, cases[i].old_area, 0);
		struct person_facts now = facts(cases[i].person, cases[i].new_roles, cases[i].new_area, 0);
		enum err err = auth_check_person(&town, cases[i].person ? &old : NULL, cases[i].new_roles ? &now : NULL, &p);
		if (err != cases[i].err)
			fail_msg("case %zu: %s", i, err_name(err));
		assert_str(p.field, cases[i].field);
	}
	town.scope = (struct scope){ .area = STR_EMPTY, .nothing = true }; // a town without an area manages nobody
	struct person_facts any = facts(8, ",enterprise,", TOWN1, 0);
	assert_int_equal(auth_check_person(&town, &any, NULL, NULL), ERR_FORBIDDEN);
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
		cmocka_unit_test(test_managing_people_below),
		cmocka_unit_test(test_packs_keep_the_three_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
