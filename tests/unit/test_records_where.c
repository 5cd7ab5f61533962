// Conditions of expressions and aggregates, as the store answers them.
// needs: base store
#include "store_fixture.h"

#include "base/time.h"
#include "store/db.h"
#include "store/records.h"

static const struct column columns[] = {
	{ { "level", 5 }, COL_TEXT, .unique = false }, { { "cost", 4 }, COL_INT, .unique = false },
	{ { "size", 4 }, COL_REAL, .unique = false },  { { "found", 5 }, COL_TEXT, .unique = false },
	{ { "at", 2 }, COL_INT, .unique = false },     { { "tags", 4 }, COL_TEXT, .unique = false },
};
static const struct table hazard = { .name = { "hazard", 6 }, .cols = columns, .ncols = ARRAY_LEN(columns) };

static struct value vi(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }
static struct value vf(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }
static struct value vs(const char *s) { return s ? (struct value){ .kind = VAL_TEXT, .s = str_of(s) } : (struct value){ .kind = VAL_NULL }; }

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	return records_migrate(db, arg, p);
}

struct put {
	struct common c;
	struct value v[ARRAY_LEN(columns)];
};

static enum err job_insert(struct db *db, void *arg, struct problem *p)
{
	struct put *put = arg;
	return records_insert(db, &hazard, &put->c, put->v, p);
}

static const struct {
	const char *area, *sector, *level;
	int64_t cost;   // fen; -1: none
	double size;
	const char *found, *at, *tags;
} rows[] = {
	{ "990121101001", "dust", "major", 100, 1.5, "2026-01-31", "2025-12-31T23:30:00Z", ",a,b," },
	{ "990121101000", "dust", "general", 250, 2.5, "2026-02-01", "2026-03-31T15:59:59Z", ",b," },
	{ "990121102000", "fire", "general", -1, 0.5, "2026-12-31", "2026-03-31T16:00:00Z", NULL },
	{ "990121000000", "", NULL, 50, 4, NULL, NULL, ",a," },
	{ "", "fire", "major", 300, 1, "2025-07-01", "2026-11-22T00:00:00Z", NULL },
};

static void begin(struct fixture *f)
{
	fixture_begin(f);
	assert_int_equal(fixture_write(f, job_migrate, (void *)&hazard), OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = 0;
		assert_true(!rows[i].at || time_parse(str_of(rows[i].at), &at));
		struct put put = {
			.c = { .area = str_of(rows[i].area), .sector = str_of(rows[i].sector), .version = 1 },
			.v = { vs(rows[i].level), rows[i].cost < 0 ? vs(NULL) : vi(rows[i].cost), vf(rows[i].size), vs(rows[i].found),
			       at ? vi(at) : vs(NULL), vs(rows[i].tags) },
		};
		assert_int_equal(fixture_write(f, job_insert, &put), OK);
	}
}

// ---- conditions --------------------------------------------------------------------------------
static struct condition leaf(const char *column, enum filter_op op, const struct value *v, size_t n)
{
	return (struct condition){ .op = COND_FILTER, .filter = { str_of(column), op, v, n } };
}

static unsigned found(struct fixture *f, const struct condition *c, enum err want)
{
	struct list_query lq = { .cond = c };
	struct row *got;
	size_t n;
	unsigned ids = 0;
	struct db *db = store_read_begin(f->store);
	problem_init(&f->p, f->arena);
	enum err err = records_list(db, &hazard, NULL, &lq, f->arena, &got, &n, NULL, &f->p);
	assert_int_equal(err, want);
	for (size_t i = 0; !err && i < n; i++)
		ids |= 1u << (got[i].c.id - 1);
	store_read_end(f->store, db);
	return ids;
}

static void test_conditions(void **state)
{
	(void)state;
	const struct value major = vs("major"), a = vs(",a,"), many[] = { vs("major"), vs("other") }, cost = vi(200), day = vs("2026-02-01");
	const struct value fire = vs("fire");
	struct condition l[] = {
		leaf("level", FILTER_EQ, &major, 1), leaf("level", FILTER_NE, &major, 1), leaf("cost", FILTER_LT, &cost, 1),
		leaf("tags", FILTER_CONTAINS, &a, 1), leaf("found", FILTER_GE, &day, 1), leaf("level", FILTER_IN, many, 2),
		leaf("level", FILTER_NULL, NULL, 0),  leaf("sector", FILTER_NULL, NULL, 0), leaf("sector", FILTER_NE, &fire, 1),
		leaf("area", FILTER_NOT_NULL, NULL, 0),
	};
	static const unsigned alone[] = { 0x11, 0x06, 0x09, 0x09, 0x06, 0x11, 0x08, 0x08, 0x03, 0x0f }; // bit i: row i
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(l); i++) {
		assert_int_equal(found(&f, &l[i], OK), alone[i]);
		struct condition not = { .op = COND_NOT, .subs = &l[i], .nsubs = 1 }; // what is missing is in the opposite
		assert_int_equal(found(&f, &not, OK), ~alone[i] & 0x1f);
		struct condition twice = { .op = COND_NOT, .subs = &not, .nsubs = 1 };
		assert_int_equal(found(&f, &twice, OK), alone[i]);
		for (size_t k = 0; k < ARRAY_LEN(l); k++) {
			struct condition two[] = { l[i], l[k] };
			assert_int_equal(found(&f, &(struct condition){ .op = COND_AND, .subs = two, .nsubs = 2 }, OK), alone[i] & alone[k]);
			assert_int_equal(found(&f, &(struct condition){ .op = COND_OR, .subs = two, .nsubs = 2 }, OK), alone[i] | alone[k]);
		}
	}
	assert_int_equal(found(&f, &(struct condition){ .op = COND_AND }, OK), 0x1f);
	assert_int_equal(found(&f, &(struct condition){ .op = COND_OR }, OK), 0);
	struct condition columns_of = { .op = COND_COLUMNS, .filter = { .column = STR("cost"), .op = FILTER_GT }, .other = STR("size") };
	assert_int_equal(found(&f, &columns_of, OK), 0x1b);
	columns_of.other = STR("level");
	assert_int_equal(found(&f, &columns_of, ERR_INVALID), 0);
	columns_of.other = STR("nowhere");
	assert_int_equal(found(&f, &columns_of, ERR_INVALID), 0);
	fixture_end(&f);
}

static void test_condition_too_deep(void **state)
{
	(void)state;
	struct condition deep[100] = { leaf("level", FILTER_NULL, NULL, 0) };
	for (size_t i = 1; i < ARRAY_LEN(deep); i++)
		deep[i] = (struct condition){ .op = COND_NOT, .subs = &deep[i - 1], .nsubs = 1 };
	struct fixture f;
	begin(&f);
	assert_int_equal(found(&f, &deep[20], OK), 0x08);
	assert_int_equal(found(&f, &deep[99], ERR_INVALID), 0);
	fixture_end(&f);
}

// ---- aggregates --------------------------------------------------------------------------------
static struct str text(struct fixture *f, const struct value *v)
{
	switch (v->kind) {
	case VAL_NULL: return STR("-");
	case VAL_INT: return arena_printf(f->arena, "%lld", (long long)v->i);
	case VAL_REAL: return arena_printf(f->arena, "%g", v->f);
	case VAL_TEXT: break;
	}
	return v->s;
}

// "key=measure,measure key=…"
static struct str aggregate(struct fixture *f, const struct list_query *lq, const struct group_by *by, size_t nby,
                            const struct measure *m, size_t nm, enum err want)
{
	struct aggregate *g = NULL;
	size_t n = 0;
	struct str s = STR_EMPTY;
	struct db *db = store_read_begin(f->store);
	problem_init(&f->p, f->arena);
	assert_int_equal(records_aggregate(db, &hazard, NULL, lq, by, nby, m, nm, f->arena, &g, &n, &f->p), want);
	store_read_end(f->store, db);
	for (size_t i = 0; !want && i < n; i++) {
		s = arena_printf(f->arena, "%.*s%s", STR_FMT(s), i ? " " : "");
		for (size_t k = 0; k < nby; k++)
			s = arena_printf(f->arena, "%.*s%.*s%s", STR_FMT(s), STR_FMT(text(f, &g[i].keys[k])), k + 1 < nby ? "/" : "=");
		for (size_t k = 0; k < nm; k++)
			s = arena_printf(f->arena, "%.*s%s%.*s", STR_FMT(s), k ? "," : "", STR_FMT(text(f, &g[i].measures[k])));
	}
	return s;
}

static void test_aggregates(void **state)
{
	(void)state;
	static const struct {
		struct group_by by;
		const char *want; // count
	} cases[] = {
		{ { GROUP_VALUE, { "level", 5 }, 0 }, "-=1 general=2 major=2" },
		{ { GROUP_AREA, { "area", 4 }, 9 }, "-=1 990121000=1 990121101=2 990121102=1" },
		{ { GROUP_AREA, { "area", 4 }, 2 }, "-=1 99=4" },
		{ { GROUP_YEAR, { "found", 5 }, 0 }, "-=1 2025=1 2026=3" },
		{ { GROUP_QUARTER, { "found", 5 }, 0 }, "-=1 2025-Q3=1 2026-Q1=2 2026-Q4=1" },
		{ { GROUP_MONTH, { "found", 5 }, 0 }, "-=1 2025-07=1 2026-01=1 2026-02=1 2026-12=1" },
		// in the zone of the site: 2026-01-01 07:30, 2026-03-31 23:59:59, 2026-04-01 00:00
		{ { GROUP_DAY, { "at", 2 }, 0 }, "-=1 2026-01-01=1 2026-03-31=1 2026-04-01=1 2026-11-22=1" },
		{ { GROUP_MONTH, { "at", 2 }, 0 }, "-=1 2026-01=1 2026-03=1 2026-04=1 2026-11=1" },
		{ { GROUP_QUARTER, { "at", 2 }, 0 }, "-=1 2026-Q1=2 2026-Q2=1 2026-Q4=1" },
		{ { GROUP_YEAR, { "at", 2 }, 0 }, "-=1 2026=4" },
	};
	struct fixture f;
	begin(&f);
	struct measure count = { .op = MEASURE_COUNT, .column = STR_EMPTY };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(aggregate(&f, NULL, &cases[i].by, 1, &count, 1, OK), cases[i].want);
	struct measure all[] = { count, { .op = MEASURE_COUNT, .column = STR("cost") }, { .op = MEASURE_SUM, .column = STR("cost") }, { .op = MEASURE_AVG, .column = STR("cost") },
		                     { .op = MEASURE_MIN, .column = STR("size") }, { .op = MEASURE_MAX, .column = STR("found") } };
	assert_str(aggregate(&f, NULL, NULL, 0, all, 6, OK), "5,4,700,175,0.5,2026-12-31");
	struct value major = vs("major"), nobody = vs("nobody");
	struct condition c = leaf("level", FILTER_EQ, &major, 1), none = leaf("level", FILTER_EQ, &nobody, 1);
	struct group_by two[] = { { GROUP_VALUE, STR("sector"), 0 }, { GROUP_YEAR, STR("found"), 0 } };
	assert_str(aggregate(&f, &(struct list_query){ .cond = &c }, two, 2, &all[2], 1, OK), "dust/2026=100 fire/2025=300");
	assert_str(aggregate(&f, &(struct list_query){ .cond = &none }, NULL, 0, all, 3, OK), "0,0,-"); // of nothing there is no sum
	assert_str(aggregate(&f, &(struct list_query){ .cond = &none }, two, 1, all, 3, OK), "");
	fixture_end(&f);
}

static void test_aggregates_refused(void **state)
{
	(void)state;
	static const struct {
		struct group_by by;
		struct measure m;
	} cases[] = {
		{ { GROUP_VALUE, { "nowhere", 7 }, 0 }, { .op = MEASURE_COUNT, .column = { "", 0 } } },
		{ { GROUP_AREA, { "cost", 4 }, 6 }, { .op = MEASURE_COUNT, .column = { "", 0 } } },
		{ { GROUP_AREA, { "area", 4 }, 0 }, { .op = MEASURE_COUNT, .column = { "", 0 } } },
		{ { GROUP_YEAR, { "size", 4 }, 0 }, { .op = MEASURE_COUNT, .column = { "", 0 } } },
		{ { GROUP_VALUE, { "level", 5 }, 0 }, { .op = MEASURE_SUM, .column = { "level", 5 } } },
		{ { GROUP_VALUE, { "level", 5 }, 0 }, { .op = MEASURE_AVG, .column = { "", 0 } } },
	};
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		(void)aggregate(&f, NULL, &cases[i].by, 1, &cases[i].m, 1, ERR_INVALID);
	fixture_end(&f);
}

// What occurs twice in some columns, and codes whose check character does not fit; and rows counted for which a condition holds.
static void test_twins_and_codes(void **state)
{
	(void)state;
	static const struct { const char *title, *area, *code; bool retired; } two[] = {
		{ "阀门", "990121101000", "91350100M000100Y43", false }, { "阀门", "990121101000", "91350100M000100Y44", false },
		{ "阀门", "990121102000", "", false },                   { "", "990121101000", NULL, false },
		{ "", "990121101000", NULL, false },                     { "泵", "990121101000", "91350100M000100Y4", false },
		{ "泵", "990121101000", "91350100M000100Y43", true },
	};
	static const struct str cols[] = { { "title", 5 }, { "area", 4 } }, number_first[] = { { "enterprise", 10 } }, nowhere[] = { { "title", 5 }, { "nowhere", 7 } };
	struct condition title = { .op = COND_TWINS, .cols = cols, .ncols = 1 }, both = { .op = COND_TWINS, .cols = cols, .ncols = 2 };
	struct condition code = { .op = COND_BAD_CODE, .filter = { .column = STR("level") } };
	struct fixture f;
	fixture_begin(&f);
	assert_int_equal(fixture_write(&f, job_migrate, (void *)&hazard), OK);
	for (size_t i = 0; i < ARRAY_LEN(two); i++) {
		struct put put = { .c = { .title = str_of(two[i].title), .area = str_of(two[i].area), .version = 1, .retired = two[i].retired }, .v = { vs(two[i].code) } };
		assert_int_equal(fixture_write(&f, job_insert, &put), OK);
	}
	assert_int_equal(found(&f, &title, OK), 0x07); // without a title there is no twin, and a retired one is none
	assert_int_equal(found(&f, &both, OK), 0x03);
	struct scope town = { .area = STR("990121102") };
	both.within = &town;
	assert_int_equal(found(&f, &both, OK), 0);     // two outside of what may be seen are not told of
	both.within = NULL;
	assert_int_equal(found(&f, &code, OK), 0x26);
	struct measure m[] = { { .op = MEASURE_COUNT, .column = STR_EMPTY }, { .op = MEASURE_COUNT, .column = STR_EMPTY, .cond = &both },
		                   { .op = MEASURE_COUNT, .column = STR_EMPTY, .cond = &code } };
	assert_str(aggregate(&f, NULL, NULL, 0, m, 3, OK), "6,2,3");
	both.ncols = 0;
	assert_int_equal(found(&f, &both, ERR_INVALID), 0);
	assert_int_equal(found(&f, &(struct condition){ .op = COND_TWINS, .cols = number_first, .ncols = 1 }, ERR_INVALID), 0);
	assert_int_equal(found(&f, &(struct condition){ .op = COND_TWINS, .cols = nowhere, .ncols = 2 }, ERR_INVALID), 0);
	code.filter.column = STR("nowhere");
	assert_int_equal(found(&f, &code, ERR_INVALID), 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_condition_too_deep),
		cmocka_unit_test(test_twins_and_codes),
		cmocka_unit_test(test_aggregates),
		cmocka_unit_test(test_aggregates_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
