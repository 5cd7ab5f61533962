// A small registry: roles, types and a table of persons, as the packs have them. Included by the tests of auth/.
#pragma once

#include "store_fixture.h"

#include "auth/auth.h"

#define COUNTY "990121000000"
#define TOWN1 "990121101000"
#define TOWN2 "990121102000"
#define VILLAGE "990121101001"

static const struct {
	const char *name;
	enum unmask unmask;
	bool demo;
	const char *may[3];
} role_rows[] = {
	{ "admin", UNMASK_NO, true, { "user.manage", "device.manage" } },
	{ "security", UNMASK_NO, true, { "session.manage" } },
	{ "auditor", UNMASK_NO, false, { "audit.read" } },
	{ "bureau", UNMASK_REASON, true, { "alarm.handle" } },
	{ "town", UNMASK_REASON, true, { "user.manage.below" } },
	{ "duty", UNMASK_ALWAYS, true, { "alarm.handle" } },
	{ "enterprise", UNMASK_NO, true, { 0 } },
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

static inline struct str *words(struct arena *a, const char *text, size_t *ret_n)
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

static inline struct registry *small_registry(void)
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
	for (size_t i = 0; i < r->nroles; i++)
		r->roles[i].bound = str_is(r->roles[i].name, "enterprise") ? STR("enterprise") : str_is(r->roles[i].name, "town") ? STR("area") : STR_EMPTY;
	r->roles[4].manages = words(a, "enterprise", &r->roles[4].nmanages); // the town: people of enterprises
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
	r->types[0].table = (struct table){ .name = STR("person"), .cols = person_columns, .ncols = PERSON_COLUMNS };
	return r;
}

// Somebody with one role, or none.
static inline struct identity as(const struct registry *r, const char *role, struct arena *a)
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
