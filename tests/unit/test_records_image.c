// Lists of big types: what memory answers is what SQL answers, for any filter, order, page and text, while rows change.
// needs: base store
// threads
#include "store_fixture.h"

#include "store/db.h"
#include "store/image.h"

#include <time.h>

static const struct column columns[] = {
	{ { "name", 4 }, COL_TEXT, .searched = true },   { { "level", 5 }, COL_TEXT, .unique = false },
	{ { "cost", 4 }, COL_INT, .unique = false },     { { "size", 4 }, COL_REAL, .unique = false },
	{ { "found", 5 }, COL_TEXT, .unique = false },   { { "tags", 4 }, COL_TEXT, .searched = true },
};
static const struct table hazard = { .name = { "hazard", 6 }, .cols = columns, .ncols = ARRAY_LEN(columns) };

#define ROWS 700

static uint64_t seed = 1;
static size_t any(size_t n) // below n
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

static struct value vi(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }
static struct value vf(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }
static struct value vs(struct str s) { return (struct value){ .kind = VAL_TEXT, .s = s }; }
static struct value none(void) { return (struct value){ .kind = VAL_NULL }; }

static const char *const areas[] = { "", "990121000000", "990121101000", "990121101001", "990121102000", "990121401000", "990122000000" };
static const char *const sectors[] = { "", "dust", "fire", "chemical" };
static const char *const levels[] = { "general", "major", "larger" };
static const char *const words[] = { "储罐", "液氯", "安澜", "化工园区", "粉尘", "YJ-1", "鑫淼", "重点", "valve", "管道", "氨" };
static const char *const asked[] = { "储", "液氯", "安澜", "hgyq", "ya", "yj-1", "xm", "cd", "zd", "VALVE", "道粉", "没有", "a", "化工 储", "q 液" };

static struct str text_of(struct arena *a)
{
	struct str s = STR_EMPTY;
	for (size_t n = any(5); n > 0; n--)
		s = arena_printf(a, "%.*s%s%s", STR_FMT(s), any(3) ? "" : " ", words[any(ARRAY_LEN(words))]);
	return s;
}

// What the widths of a column end with, and beside it.
static const int64_t borders[] = { 0, 126, 127, 128, -127, -128, -129, 32766, 32767, 32768, -32767, -32768, -32769, INT32_MAX - 1, INT32_MAX,
	                               INT64_C(1) + INT32_MAX, -INT32_MAX, INT32_MIN, INT64_C(-1) + INT32_MIN, INT64_MAX, INT64_MIN + 1 };
static int64_t any_cost(void) { return any(8) ? (int64_t)any(50) - 10 : borders[any(ARRAY_LEN(borders))]; }

struct put {
	struct common c;
	struct value v[ARRAY_LEN(columns)];
};

static struct put any_row(struct arena *a)
{
	struct str name = text_of(a);
	return (struct put){
		.c = { .number = arena_printf(a, "H%zu", any(1000000000)), .state = any(2) ? STR("open") : STR("closed"),
		       .area = str_of(areas[any(ARRAY_LEN(areas))]), .title = name, .sector = str_of(sectors[any(ARRAY_LEN(sectors))]),
		       .enterprise = (int64_t)any(5), .deadline = (int64_t)any(3) * 1000, .version = 1, .retired = any(10) == 0 },
		.v = { vs(name), any(5) ? vs(str_of(levels[any(3)])) : none(), any(4) ? vi(any_cost()) : none(),
		       any(4) ? vf((double)any(40) / 4 - 2) : none(), any(6) ? vs(arena_printf(a, "2026-%02zu-01", 1 + any(12))) : none(),
		       any(3) ? vs(any(2) ? STR(",a,b,") : STR(",b,")) : none() },
	};
}

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	return records_migrate(db, arg, p);
}

static enum err job_insert(struct db *db, void *arg, struct problem *p)
{
	struct put *put = arg;
	return records_insert(db, &hazard, &put->c, put->v, p);
}

static enum err job_update(struct db *db, void *arg, struct problem *p)
{
	struct put *put = arg;
	return records_update(db, &hazard, &put->c, put->v, p);
}

static enum err job_fail(struct db *db, void *arg, struct problem *p)
{
	enum err err = job_insert(db, arg, p);
	return err ? err : ERR_INVALID; // undone: it must not be in any list
}

// ---- questions ---------------------------------------------------------------------------------
static struct value value_for(enum column_kind kind, struct str column, struct arena *a)
{
	if (kind == COL_INT)
		return vi(str_is(column, "cost") ? any_cost() : str_is(column, "deadline") ? (int64_t)any(3) * 1000 : (int64_t)any(5));
	if (kind == COL_REAL)
		return vf((double)any(40) / 4 - 2);
	if (str_is(column, "level"))
		return vs(str_of(levels[any(3)]));
	if (str_is(column, "area"))
		return vs(str_first(str_of(areas[1 + any(6)]), 2 + any(10)));
	if (str_is(column, "sector"))
		return vs(str_of(sectors[any(4)]));
	return any(2) ? vs(str_of(words[any(ARRAY_LEN(words))])) : vs(arena_printf(a, "2026-%02zu-01", 1 + any(12)));
}

static struct str any_column(void)
{
	static const char *const names[] = { "name", "level", "cost", "size", "found", "tags", "area", "sector", "enterprise", "deadline", "state" };
	return str_of(names[any(ARRAY_LEN(names))]);
}

static struct filter any_filter(struct arena *a)
{
	struct filter f = { .column = any_column() };
	enum column_kind kind;
	assert_int_equal(column_check(&hazard, f.column, &kind, NULL), OK);
	do
		f.op = (enum filter_op)any(FILTER_NOT_NULL + 1);
	while ((f.op == FILTER_PREFIX || f.op == FILTER_CONTAINS) && kind != COL_TEXT);
	f.nvals = f.op == FILTER_NULL || f.op == FILTER_NOT_NULL ? 0 : f.op == FILTER_IN ? any(4) : 1;
	struct value *v = arena_many(a, 4, struct value);
	for (size_t i = 0; i < f.nvals; i++)
		v[i] = value_for(kind, f.column, a);
	f.vals = v;
	return f;
}

static struct condition any_condition(struct arena *a, unsigned depth)
{
	struct condition c = { .op = depth ? (enum cond_op)any(5) : COND_FILTER };
	if (c.op == COND_FILTER) {
		c.filter = any_filter(a);
	} else if (c.op == COND_COLUMNS) {
		bool numbers = any(2);
		c.filter = (struct filter){ .column = numbers ? STR("cost") : STR("found"), .op = (enum filter_op)any(FILTER_GE + 1) };
		c.other = numbers ? any(2) ? STR("size") : STR("deadline") : any(2) ? STR("level") : STR("area");
	} else {
		c.nsubs = c.op == COND_NOT ? 1 : any(4);
		struct condition *subs = arena_many(a, c.nsubs, struct condition);
		for (size_t i = 0; i < c.nsubs; i++)
			subs[i] = any_condition(a, depth - 1);
		c.subs = subs;
	}
	return c;
}

static const struct str ranks[] = { { "major", 5 }, { "larger", 6 } };

static struct list_query any_question(struct arena *a)
{
	struct filter *f = arena_many(a, 3, struct filter);
	struct sort *sorts = arena_many(a, 3, struct sort);
	struct condition *c = arena_one(a, struct condition);
	struct list_query lq = { .filters = f, .nfilters = any(3), .sorts = sorts, .nsorts = any(3), .limit = any(3) ? 1 + any(40) : 0,
		                     .offset = any(2) ? any(300) : 0, .with_retired = any(3) == 0 };
	for (size_t i = 0; i < lq.nfilters; i++)
		f[i] = any_filter(a);
	for (size_t i = 0; i < lq.nsorts; i++) {
		sorts[i] = (struct sort){ .column = any_column(), .descending = any(2) };
		if (str_is(sorts[i].column, "level") && any(2)) {
			sorts[i].ranks = ranks;
			sorts[i].nranks = ARRAY_LEN(ranks);
		}
	}
	if (any(3) == 0) {
		*c = any_condition(a, 3);
		lq.cond = c;
	}
	if (any(3) == 0)
		lq.text = str_of(asked[any(ARRAY_LEN(asked))]);
	return lq;
}

static struct scope any_scope(void)
{
	static const char *const of[] = { ",dust,", ",dust,fire,", ",nothing," };
	struct scope s = { .area = any(2) ? STR("") : str_first(str_of(areas[1 + any(6)]), any(2) ? 6 : 9),
		               .enterprise = any(4) ? 0 : (int64_t)any(5), .nothing = any(40) == 0 };
	s.sectors = any(3) ? STR("") : str_of(of[any(3)]);
	return s;
}

// ---- asking both -------------------------------------------------------------------------------
struct answer {
	struct row *rows;
	size_t n;
	int64_t total, sum;
	struct value *keys;
	int64_t *counts;
	size_t nkeys;
};

static struct answer ask(struct fixture *f, const struct scope *scope, const struct list_query *lq, const struct group_by *by)
{
	struct answer g = { 0 };
	struct db *db = store_read_begin(f->store);
	problem_init(&f->p, f->arena);
	assert_int_equal(records_list(db, &hazard, scope, lq, f->arena, &g.rows, &g.n, &g.total, &f->p), OK);
	assert_int_equal(records_counts(db, &hazard, scope, lq, by, f->arena, &g.keys, &g.counts, &g.nkeys, &f->p), OK);
	store_read_end(f->store, db);
	return g;
}

static void compare(struct fixture *f, size_t round)
{
	struct images *im = store_images(f->store);
	struct scope scope = any_scope();
	struct list_query lq = any_question(f->arena);
	struct group_by bys[] = { { GROUP_AREA, STR("area"), 9 }, { GROUP_VALUE, STR("level"), 0 }, { GROUP_VALUE, STR("sector"), 0 },
		                      { GROUP_VALUE, STR("enterprise"), 0 } };
	const struct group_by *by = &bys[any(4)];
	struct db *db = store_read_begin(f->store);
	struct list_query warm = lq;
	bool warmed = image_warm(db, &hazard, &warm, 10 * US_PER_S);
	store_read_end(f->store, db);
	assert_true(warmed);
	struct answer got = ask(f, &scope, &lq, by);
	images_from(im, INT64_MAX);
	struct answer want = ask(f, &scope, &lq, by);
	images_from(im, 1);
	if (got.n != want.n || got.total != want.total)
		fail_msg("question %zu: %zu rows of %lld, SQL %zu of %lld (%.*s)", round, got.n, (long long)got.total, want.n, (long long)want.total,
		         STR_FMT(lq.text));
	for (size_t i = 0; i < got.n; i++)
		if (got.rows[i].c.id != want.rows[i].c.id)
			fail_msg("question %zu: row %zu is %lld, SQL %lld", round, i, (long long)got.rows[i].c.id, (long long)want.rows[i].c.id);
	assert_int_equal(got.nkeys, want.nkeys);
	for (size_t i = 0; i < got.nkeys; i++) {
		assert_int_equal(got.counts[i], want.counts[i]);
		assert_int_equal(got.keys[i].kind, want.keys[i].kind);
		if (got.keys[i].kind == VAL_TEXT)
			assert_true(str_eq(got.keys[i].s, want.keys[i].s));
	}
}

static void begin(struct fixture *f)
{
	fixture_begin(f);
	assert_int_equal(fixture_write(f, job_migrate, (void *)&hazard), OK);
	images_from(store_images(f->store), 1);
}

static void test_memory_says_what_sql_says(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < ROWS; i++) {
		struct put put = any_row(f.arena);
		assert_int_equal(fixture_write(&f, job_insert, &put), OK);
	}
	int64_t versions[ROWS + 400] = { 0 };
	for (size_t round = 0; round < 400; round++) {
		struct put put = any_row(f.arena);
		if (any(2)) {
			size_t id = any(ROWS);
			put.c.id = (int64_t)id + 1;
			put.c.version = ++versions[id] + 1;
			assert_int_equal(fixture_write(&f, job_update, &put), OK);
		} else if (any(4) == 0) {
			assert_int_equal(fixture_write(&f, job_fail, &put), ERR_INVALID);
		} else {
			assert_int_equal(fixture_write(&f, job_insert, &put), OK);
		}
		compare(&f, round);
	}
	fixture_end(&f);
}

// A row may come with an id between others (an archive that is restored): then the image is made anew.
static void test_row_in_between(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int64_t id = 10; id <= 1000; id += 10) {
		struct put put = any_row(f.arena);
		put.c.id = id;
		assert_int_equal(fixture_write(&f, job_insert, &put), OK);
	}
	compare(&f, 0);
	struct put put = any_row(f.arena);
	put.c.id = 15;
	assert_int_equal(fixture_write(&f, job_insert, &put), OK);
	for (size_t i = 1; i < 20; i++)
		compare(&f, i);
	fixture_end(&f);
}

// Whatever an element's width has become, each is what was put there, NULL too.
static void test_widths(void **state)
{
	(void)state;
	for (size_t first = 0; first < ARRAY_LEN(borders); first++) {
		struct image_column *c = column_new(STR("cost"), COL_INT, 8);
		column_set(c, 0, none());
		for (size_t i = 0; i < ARRAY_LEN(borders); i++) {
			int64_t v = borders[(first + i) % ARRAY_LEN(borders)];
			if (i + 1 == c->cap)
				column_resize(c, c->cap * 2);
			column_set(c, i + 1, vi(v));
			assert_int_equal(column_int(c, i + 1), v);
		}
		assert_true(column_int(c, 0) == INT_NONE);
		for (size_t i = 0; i < ARRAY_LEN(borders); i++)
			assert_int_equal(column_int(c, i + 1), borders[(first + i) % ARRAY_LEN(borders)]);
		assert_int_equal(c->width, 8);
		column_free(c);
	}
	struct image_column *c = column_new(STR("level"), COL_TEXT, 40000);
	for (size_t i = 0; i < 40000; i++) {
		char text[16];
		column_set(c, i, i % 3 ? vs(str_from(text, (size_t)snprintf(text, sizeof text, "%zu", i))) : none());
		assert_int_equal(c->width, i < 190 ? 1 : c->width);
	}
	for (size_t i = 0; i < 40000; i++) {
		char text[16];
		struct str s = str_from(text, (size_t)snprintf(text, sizeof text, "%zu", i));
		assert_true(i % 3 ? str_eq(dict_text(&c->dict, (uint32_t)column_int(c, i)), s) : column_int(c, i) == 0);
	}
	assert_int_equal(c->width, 2); // 26,666 texts
	column_free(c);
}

static void test_finding_text(void **state)
{
	(void)state;
	static const struct { const char *text, *needle; } cases[] = {
		{ "", "a" }, { "a", "a" }, { "ba", "a" }, { "安澜县安澜化工园区", "园区" }, { "安澜县安澜化工园区", "安澜化" }, { "区", "园区" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdefx", "x" }, { "0123456789abcdef0123456789abcdef0123456789abcdefxyz", "xyz" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "aab" }, { "ab", "ba" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str t = str_of(cases[i].text), w = str_of(cases[i].needle);
		const char *at = memmem(t.p, t.n, w.p, w.n);
		assert_int_equal(text_find(t.p, t.n, 0, w), at ? (size_t)(at - t.p) : t.n);
	}
	char text[300], word[4];
	for (size_t round = 0; round < 20000; round++) {
		size_t n = any(sizeof(text)), k = 1 + any(4), from = any(n + 1);
		for (size_t i = 0; i < n; i++)
			text[i] = (char)('a' + any(3));
		for (size_t i = 0; i < k; i++)
			word[i] = (char)('a' + any(3));
		const char *at = memmem(text + from, n - from, word, k);
		assert_int_equal(text_find(text, n, from, str_from(word, k)), at ? (size_t)(at - text) : n);
	}
}

// Another field is searched from now on: rows that are there are found by it too, in slices, and nothing else of them changes.
static void test_search_of_other_columns(void **state)
{
	(void)state;
	enum { MANY = 7000 }; // more than is done at once
	struct column other[ARRAY_LEN(columns)];
	memcpy(other, columns, sizeof(other));
	other[0].searched = false;
	other[1].searched = true;
	const struct table now = { .name = hazard.name, .cols = other, .ncols = ARRAY_LEN(other) };
	struct fixture f;
	begin(&f);
	struct put put = any_row(f.arena);
	put.v[1] = vs(STR("unheard"));
	put.c.title = STR("t");
	for (size_t i = 0; i < MANY; i++) {
		put.c.number = arena_printf(f.arena, "N%zu", i);
		put.c.id = 0;
		put.c.retired = false;
		assert_int_equal(fixture_write(&f, job_insert, &put), OK);
	}
	struct list_query lq = { .text = STR("unheard"), .limit = 1 };
	struct group_by by = { GROUP_VALUE, STR("state"), 0 };
	assert_int_equal(ask(&f, NULL, &lq, &by).total, 0);
	assert_int_equal(fixture_write(&f, job_migrate, (void *)&now), OK);
	int64_t found = 0;
	for (int i = 0; i < 6000 && found < MANY; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		found = ask(&f, NULL, &lq, &by).total;
	}
	assert_int_equal(found, MANY);
	struct answer g = ask(&f, NULL, &lq, &by);
	assert_int_equal(g.rows[0].c.version, 1);
	assert_int_equal(g.rows[0].c.changed_at, 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_finding_text),
		cmocka_unit_test(test_memory_says_what_sql_says),
		cmocka_unit_test(test_row_in_between),
		cmocka_unit_test(test_search_of_other_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
