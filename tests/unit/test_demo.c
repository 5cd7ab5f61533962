// The demo county: complete, consistent, quiet. Filled into a real store, as at the first start.
// needs: base store expr model auth measure flow ../sim
#include "store_fixture.h"

#include <jansson.h>
#include <math.h>
#include <sys/stat.h>

#include "base/time.h"
#include "risk/table.h"
#include "sim/sim.h"
#include "tool/demo.c"        // the folder tool/ as a whole would bring the server with it
#include "tool/demo_history.c"
#include "tool/demo_people.c"
#include "tool/demo_plants.c"
#include "tool/demo_records.c"

static const struct registry *reg;

static enum err migrate(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	return registry_make_tables(db, reg, p);
}

static int setup(void **state)
{
	static struct fixture f;
	static struct risk_tables tables;
	struct str wrong = STR_EMPTY;
	struct registry *r = NULL;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	time_set_zone(480);
	fixture_begin(&f);
	assert_int_equal(registry_load(&r, STR("packs"), &d), OK);
	reg = r;
	arena_free(a);
	assert_true(risk_tables_load(r->arena, "packs", &tables, &wrong)); // what grades installations
	flow_tables(&tables);
	if (fixture_write(&f, migrate, NULL) || demo_fill(f.store, reg, f.dir, &f.p))
		fail_msg("%.*s", STR_FMT(f.p.en));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];
	static const char *const names[] = { "demo/devices.tsv", "demo/map.json" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/demo", f->dir);
	rmdir(path);
	fixture_end(f);
	registry_free((struct registry *)(uintptr_t)reg);
	return 0;
}

static int64_t count(struct fixture *f, const char *type)
{
	struct list_query lq = { .limit = 1 };
	struct row *rows;
	size_t n;
	int64_t total = 0;
	struct db *db = store_read_begin(f->store);
	assert_int_equal(records_list(db, &registry_type(reg, str_of(type))->table, NULL, &lq, f->arena, &rows, &n, &total, &f->p), OK);
	store_read_end(f->store, db);
	return total;
}

static void complete(void **state)
{
	struct fixture *f = *state;
	int64_t people = 0;
	struct db *db = store_read_begin(f->store);
	assert_int_equal(demo_is_filled(db, reg, &people), OK);
	store_read_end(f->store, db);
	assert_true(people > 60);
	assert_int_equal(count(f, "point"), 3000);
	assert_int_equal(count(f, "enterprise"), 200);
	assert_int_equal(count(f, "area"), 30);
	assert_int_equal(count(f, "duty_roster"), 56);
	assert_true(count(f, "installation") > 30);
	assert_true(count(f, "device") > 300);
}

// ---- every record the demo login needs ---------------------------------------------------------

struct who {
	const struct type *t;
	unsigned found[32], seen[32];
};

static enum err on_person(void *arg, const struct row *row)
{
	struct who *w = arg;
	const struct value *role = &row->vals[type_field(w->t, STR("role"))->col];
	const struct value *demo = &row->vals[type_field(w->t, STR("demo"))->col];
	for (size_t i = 0; i < reg->nroles; i++) {
		char part[64];
		snprintf(part, sizeof part, ",%.*s,", STR_FMT(reg->roles[i].name));
		if (!str_contains(role->s, str_of(part)))
			continue;
		bool is_demo = demo->kind == VAL_INT && demo->i;
		assert_true(w->seen[i]++ || is_demo || !reg->roles[i].demo); // the first of a role is the one
		w->found[i] += is_demo;
	}
	return OK;
}

static void one_person_a_role(void **state)
{
	struct fixture *f = *state;
	struct who w = { .t = registry_type(reg, STR("person")) };
	struct list_query all = { .limit = SIZE_MAX };
	struct db *db = store_read_begin(f->store);
	assert_int_equal(records_each(db, &w.t->table, &all, f->arena, on_person, &w), OK);
	store_read_end(f->store, db);
	for (size_t i = 0; i < reg->nroles; i++)
		assert_int_equal(w.found[i], reg->roles[i].demo ? 1 : 0);
}

// ---- quiet -------------------------------------------------------------------------------------

struct limits {
	const struct type *t;
	struct county *county;
	size_t seen;
};

static double limit_of(const struct limits *l, const struct row *row, const char *name)
{
	const struct value *v = &row->vals[type_field(l->t, str_of(name))->col];
	return v->kind == VAL_REAL ? v->f : NAN;
}

static const struct sim_point *sim_point_of(const struct county *c, struct str code)
{
	for (size_t i = 0; i < c->ndevices; i++)
		for (size_t k = 0; k < c->devices[i].npoints; k++)
			if (str_is(code, c->devices[i].points[k].code))
				return &c->devices[i].points[k];
	return NULL;
}

static enum err on_limits(void *arg, const struct row *row)
{
	struct limits *l = arg;
	struct str code = row->vals[type_field(l->t, STR("code"))->col].s;
	const struct sim_point *p = sim_point_of(l->county, code);
	assert_non_null(p);
	double most = p->normal + normal_bound(p), least = p->normal - normal_bound(p);
	double low = fmax(limit_of(l, row, "l"), limit_of(l, row, "ll")), high = fmin(limit_of(l, row, "h"), limit_of(l, row, "hh"));
	if (most >= high || least <= low)
		fail_msg("%.*s: %g … %g meets its limits %g … %g", STR_FMT(code), least, most, low, high);
	assert_non_null(registry_kind(reg, str_of(p->kind)));
	l->seen++;
	return OK;
}

// Without a scenario no point comes to a limit of its own: whatever alarms in the demo, a scenario has caused.
static void quiet(void **state)
{
	struct fixture *f = *state;
	struct county c;
	struct stat st;
	char path[128];
	snprintf(path, sizeof path, "%s/demo/devices.tsv", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(county_load(&c, path));
	assert_int_equal(c.npoints, 3000);
	for (size_t i = 0; i < c.ndevices; i++) {
		size_t n = strlen(c.devices[i].code);
		assert_true(c.devices[i].protocol != SIM_HJ212 || n == 24);
		assert_true(c.devices[i].protocol != SIM_GB26875 || n == 12);
		assert_true(c.devices[i].protocol == SIM_GB26875 || strlen(c.devices[i].key) == 12);
	}
	struct limits l = { .t = registry_type(reg, STR("point")), .county = &c };
	struct list_query all = { .limit = SIZE_MAX };
	struct db *db = store_read_begin(f->store);
	assert_int_equal(records_each(db, &l.t->table, &all, f->arena, on_limits, &l), OK);
	store_read_end(f->store, db);
	assert_int_equal(l.seen, 3000);
	county_free(&c);
}

// ---- borders -----------------------------------------------------------------------------------

static double ring_area(const json_t *geometry)
{
	const json_t *ring = json_array_get(json_object_get(geometry, "coordinates"), 0);
	double sum = 0;
	for (size_t i = 0; i + 1 < json_array_size(ring); i++) {
		const json_t *a = json_array_get(ring, i), *b = json_array_get(ring, i + 1);
		sum += json_number_value(json_array_get(a, 0)) * json_number_value(json_array_get(b, 1)) -
		       json_number_value(json_array_get(b, 0)) * json_number_value(json_array_get(a, 1));
	}
	return fabs(sum) / 2;
}

// Villages fill their towns, towns fill the county, without gap or overlap.
static void borders(void **state)
{
	struct fixture *f = *state;
	char path[128];
	json_error_t e;
	double county = 0, towns = 0, villages = 0;
	size_t i;
	json_t *a;
	snprintf(path, sizeof path, "%s/demo/map.json", f->dir);
	json_t *map = json_load_file(path, 0, &e);
	assert_non_null(map);
	assert_int_equal(json_array_size(json_object_get(map, "bounds")), 4);
	json_array_foreach(json_object_get(map, "areas"), i, a) {
		const char *tier = json_string_value(json_object_get(a, "tier"));
		double area = ring_area(json_object_get(a, "geometry"));
		assert_true(area > 0);
		county += strcmp(tier, "county") == 0 ? area : 0;
		towns += strcmp(tier, "town") == 0 || strcmp(tier, "zone") == 0 ? area : 0;
		villages += strcmp(tier, "village") == 0 ? area : 0;
	}
	assert_true(county > 0.05 && fabs(towns / county - 1) < 1e-4 && fabs(villages / county - 1) < 1e-4);
	assert_non_null(json_object_get(json_object_get(map, "layers"), "river"));
	json_decref(map);
}

static void codes(void **state)
{
	(void)state;
	char code[64];
	demo_device_code("mqtt", "C01", "tank", 7, code);
	assert_string_equal(code, "C01-tank");
	demo_device_code("hj212", "C01", "env", 10, code);
	assert_string_equal(code, "990121A0000000000000000A");
	demo_device_code("gb26875", "F01", "utd", 255, code);
	assert_string_equal(code, "9901210000ff");
	double j = demo_jitter("C01-LT501");
	assert_true(j >= -1 && j < 1 && j == demo_jitter("C01-LT501") && j != demo_jitter("C01-LT502"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete), cmocka_unit_test(one_person_a_role), cmocka_unit_test(quiet), cmocka_unit_test(borders),
		cmocka_unit_test(codes),
	};
	log_set(LOG_WARN, "test");
	return cmocka_run_group_tests(tests, setup, teardown);
}
