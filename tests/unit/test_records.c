// Tables of record types: migration, rows, lists, scope, search, counts.
// needs: base store
#include "store_fixture.h"

#include "store/db.h"
#include "store/records.h"

static const struct column columns[] = {
	{ { "name", 4 }, COL_TEXT, .searched = true },
	{ { "code", 4 }, COL_TEXT, .unique = true },
	{ { "limit", 5 }, COL_REAL, .unique = false },             // an SQL word
	{ { "owner", 5 }, COL_INT, .indexed = true },
	{ { "roles", 5 }, COL_TEXT, .unique = false },
};
static const struct table tank = { .name = { "tank", 4 }, .cols = columns, .ncols = ARRAY_LEN(columns) };

enum { NAME, CODE, LIMIT, OWNER, ROLES };

static struct value vi(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }
static struct value vf(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }
static struct value vs(const char *s) { return (struct value){ .kind = VAL_TEXT, .s = str_of(s) }; }

// ---- jobs --------------------------------------------------------------------------------------
static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	return records_migrate(db, arg, p);
}

struct put {
	const struct table *t;
	struct common c;
	struct value v[5];
};

static enum err job_insert(struct db *db, void *arg, struct problem *p)
{
	struct put *put = arg;
	return records_insert(db, put->t, &put->c, put->v, p);
}

static enum err job_update(struct db *db, void *arg, struct problem *p)
{
	struct put *put = arg;
	return records_update(db, put->t, &put->c, put->v, p);
}

static struct put tank_put(const char *number, const char *area, int64_t enterprise, const char *name, const char *code)
{
	return (struct put){
		.t = &tank,
		.c = { .number = str_of(number), .state = STR("open"), .area = str_of(area), .title = str_of(name),
		       .enterprise = enterprise, .version = 1, .created_at = 5, .created_by = 2 },
		.v = { vs(name), code ? vs(code) : (struct value){ .kind = VAL_NULL }, vf(1.5), vi(enterprise), vs(",a,b,") },
	};
}

static void begin(struct fixture *f)
{
	fixture_begin(f);
	assert_int_equal(fixture_write(f, job_migrate, (void *)&tank), OK);
}

static int64_t insert(struct fixture *f, struct put put)
{
	assert_int_equal(fixture_write(f, job_insert, &put), OK);
	assert_true(put.c.id > 0);
	return put.c.id;
}

// ---- lists -------------------------------------------------------------------------------------
struct got {
	struct row *rows;
	size_t n;
	int64_t total;
	enum err err;
};

static struct got list(struct fixture *f, const struct scope *scope, struct list_query lq)
{
	struct got g = { 0 };
	struct db *db = store_read_begin(f->store);
	problem_init(&f->p, f->arena);
	g.err = records_list(db, &tank, scope, &lq, f->arena, &g.rows, &g.n, &g.total, &f->p);
	store_read_end(f->store, db);
	return g;
}

static struct got filtered(struct fixture *f, const char *column, enum filter_op op, const struct value *v, size_t n)
{
	struct filter one = { str_of(column), op, v, n };
	return list(f, NULL, (struct list_query){ .filters = &one, .nfilters = 1 });
}

static void expect(struct got g, size_t n)
{
	assert_int_equal(g.err, OK);
	assert_int_equal(g.n, n);
	assert_int_equal(g.total, n);
}

// ---- tests: rows -------------------------------------------------------------------------------
static void test_insert_get_update(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	struct put put = tank_put("T-1", "990121101000", 7, "液氨储罐", "A1");
	put.c.id = insert(&f, put);
	put.c.version = 2;
	put.c.state = STR("closed");
	put.v[LIMIT] = vf(2.5);
	put.v[CODE] = (struct value){ .kind = VAL_NULL };
	assert_int_equal(fixture_write(&f, job_update, &put), OK);
	assert_int_equal(fixture_write(&f, job_update, &put), ERR_CONFLICT); // version 1 is gone
	assert_str(f.p.field, "version");
	put.c.id = 999;
	assert_int_equal(fixture_write(&f, job_update, &put), ERR_NOT_FOUND);
	struct db *db = store_read_begin(f.store);
	struct row r;
	assert_int_equal(records_get(db, &tank, NULL, 1, f.arena, &r), OK);
	assert_str(r.c.number, "T-1");
	assert_str(r.c.state, "closed");
	assert_int_equal(r.c.version, 2);
	assert_int_equal(r.c.enterprise, 7);
	assert_int_equal(r.c.created_at, 5);
	assert_str(r.vals[NAME].s, "液氨储罐");
	assert_int_equal(r.vals[CODE].kind, VAL_NULL);
	assert_true(r.vals[LIMIT].kind == VAL_REAL && r.vals[LIMIT].f == 2.5);
	assert_int_equal(r.vals[OWNER].i, 7);
	assert_int_equal(records_get(db, &tank, NULL, 2, f.arena, &r), ERR_NOT_FOUND);
	store_read_end(f.store, db);
	fixture_end(&f);
}

static void test_unique_names_the_column(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("T-1", "", 0, "a", "A1"));
	insert(&f, tank_put("", "", 0, "b", NULL)); // no number, no code: any number of them
	insert(&f, tank_put("", "", 0, "c", NULL));
	struct put twice = tank_put("T-2", "", 0, "d", "A1");
	assert_int_equal(fixture_write(&f, job_insert, &twice), ERR_CONFLICT);
	assert_str(f.p.field, "code");
	assert_true(f.p.zh.n > 0 && f.p.en.n > 0);
	twice = tank_put("T-1", "", 0, "e", "A2");
	assert_int_equal(fixture_write(&f, job_insert, &twice), ERR_CONFLICT);
	assert_str(f.p.field, "number");
	fixture_end(&f);
}

static void test_row_that_is_its_own_enterprise(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("", "", 3, "other", NULL));
	int64_t id = insert(&f, tank_put("", "", ENTERPRISE_SELF, "self", NULL));
	struct got g = list(&f, &(struct scope){ .enterprise = id }, (struct list_query){ 0 });
	expect(g, 1);
	assert_int_equal(g.rows[0].c.enterprise, id);
	fixture_end(&f);
}

static void test_values_are_never_sql(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	static const char evil[] = "x'); DROP TABLE r_tank; --";
	insert(&f, tank_put(evil, evil, 0, evil, evil));
	struct got g = list(&f, NULL, (struct list_query){ .text = STR("drop table") });
	expect(g, 1);
	assert_str(g.rows[0].vals[NAME].s, evil);
	struct value v = vs(evil);
	expect(filtered(&f, "name", FILTER_EQ, &v, 1), 1);
	assert_int_equal(filtered(&f, "name\" OR 1=1 --", FILTER_EQ, &v, 1).err, ERR_INVALID);
	assert_int_equal(filtered(&f, "search", FILTER_EQ, &v, 1).err, ERR_INVALID);
	struct sort bad = { .column = STR("id; DROP TABLE r_tank") };
	assert_int_equal(list(&f, NULL, (struct list_query){ .sorts = &bad, .nsorts = 1 }).err, ERR_INVALID);
	fixture_end(&f);
}

static void test_find(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	struct put old = tank_put("", "", 0, "x", "OLD");
	old.c.retired = true;
	insert(&f, old);
	int64_t id = insert(&f, tank_put("", "9901", 0, "x", "NEW"));
	struct db *db = store_read_begin(f.store);
	struct row r;
	assert_int_equal(records_find(db, &tank, NULL, STR("name"), vs("x"), f.arena, &r), OK);
	assert_int_equal(r.c.id, id);
	assert_int_equal(records_find(db, &tank, NULL, STR("code"), vs("OLD"), f.arena, &r), ERR_NOT_FOUND);
	assert_int_equal(records_find(db, &tank, NULL, STR("nothing"), vs("x"), f.arena, &r), ERR_INVALID);
	struct scope other = { .area = STR("8801") };
	assert_int_equal(records_find(db, &tank, &other, STR("name"), vs("x"), f.arena, &r), ERR_NOT_FOUND);
	store_read_end(f.store, db);
	fixture_end(&f);
}

// ---- tests: scope ------------------------------------------------------------------------------
static void test_scope(void **state)
{
	(void)state;
	static const struct {
		const char *area;
		int64_t enterprise;
		bool nothing;
		size_t sees;
	} cases[] = {
		{ "", 0, false, 6 },
		{ "99", 0, false, 5 },
		{ "9901", 0, false, 5 },
		{ "990121", 0, false, 4 },
		{ "990121101", 0, false, 2 },
		{ "990121101001", 0, false, 1 },
		{ "990121102", 0, false, 1 },
		{ "990121103", 0, false, 0 },
		{ "", 7, false, 3 },
		{ "990121101", 7, false, 1 },
		{ "990121101", 9, false, 0 },
		{ "", 0, true, 0 },
		{ "990121", 7, true, 0 },
	};
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("", "990121000000", 0, "county", NULL));
	insert(&f, tank_put("", "990121101000", 7, "town one", NULL));
	insert(&f, tank_put("", "990121101001", 8, "village", NULL));
	insert(&f, tank_put("", "990121102000", 7, "town two", NULL));
	insert(&f, tank_put("", "990122101000", 0, "other county", NULL));
	insert(&f, tank_put("", "", 7, "nowhere", NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scope s = { .area = str_of(cases[i].area), .enterprise = cases[i].enterprise, .nothing = cases[i].nothing };
		struct got g = list(&f, &s, (struct list_query){ 0 });
		if (g.n != cases[i].sees || g.total != (int64_t)cases[i].sees)
			fail_msg("scope %zu sees %zu rows, %lld in all", i, g.n, (long long)g.total);
		struct db *db = store_read_begin(f.store);
		size_t one_by_one = 0;
		for (int64_t id = 1; id <= 6; id++) {
			struct row r;
			one_by_one += records_get(db, &tank, &s, id, f.arena, &r) == OK;
		}
		assert_int_equal(one_by_one, cases[i].sees);
		struct value *keys;
		int64_t *counts, sum = 0;
		size_t n;
		assert_int_equal(records_count_by(db, &tank, &s, STR("area"), NULL, f.arena, &keys, &counts, &n), OK);
		for (size_t k = 0; k < n; k++)
			sum += counts[k];
		assert_int_equal(sum, cases[i].sees);
		store_read_end(f.store, db);
	}
	fixture_end(&f);
}

// ---- tests: lists ------------------------------------------------------------------------------
static void test_scope_of_sectors(void **state)
{
	(void)state;
	static const struct { const char *sectors; size_t sees; } cases[] = {
		{ "", 4 }, { ",chemical,", 2 }, { ",chemical,dust,", 3 }, { ",dust,fire,", 3 }, { ",metal,", 1 },
	};
	static const char *const of[] = { "chemical", "dust", "fire", "" }; // the last is of no sector: everybody's
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		struct put put = tank_put("", "990121101000", 0, "tank", NULL);
		put.c.sector = str_of(of[i]);
		insert(&f, put);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(list(&f, &(struct scope){ .sectors = str_of(cases[i].sectors) }, (struct list_query){ 0 }), cases[i].sees);
	fixture_end(&f);
}

static void test_filters(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int i = 1; i <= 10; i++) {
		struct put put = tank_put("", "990121101000", i, arena_printf(f.arena, "tank %d", i).p, NULL);
		put.v[LIMIT] = i == 10 ? (struct value){ .kind = VAL_NULL } : vf(i);
		put.v[ROLES] = vs(i % 2 ? ",duty,town," : ",duty2,");
		insert(&f, put);
	}
	struct value five = vf(5), name = vs("tank 1"), duty = vs(",duty,"), ids[] = { vi(2), vi(3), vi(77) };
	expect(filtered(&f, "limit", FILTER_LT, &five, 1), 4);
	expect(filtered(&f, "limit", FILTER_LE, &five, 1), 5);
	expect(filtered(&f, "limit", FILTER_GT, &five, 1), 4);
	expect(filtered(&f, "limit", FILTER_GE, &five, 1), 5);
	expect(filtered(&f, "limit", FILTER_EQ, &five, 1), 1);
	expect(filtered(&f, "limit", FILTER_NE, &five, 1), 9);
	expect(filtered(&f, "limit", FILTER_NULL, NULL, 0), 1);
	expect(filtered(&f, "limit", FILTER_NOT_NULL, NULL, 0), 9);
	expect(filtered(&f, "id", FILTER_IN, ids, 3), 2);
	expect(filtered(&f, "id", FILTER_IN, ids, 0), 0);
	expect(filtered(&f, "name", FILTER_PREFIX, &name, 1), 2);
	expect(filtered(&f, "roles", FILTER_CONTAINS, &duty, 1), 5);
	expect(filtered(&f, "enterprise", FILTER_GT, &ids[1], 1), 7);
	assert_int_equal(filtered(&f, "limit", FILTER_PREFIX, &name, 1).err, ERR_INVALID);
	assert_int_equal(filtered(&f, "limit", FILTER_EQ, &name, 1).err, ERR_INVALID);
	assert_int_equal(filtered(&f, "name", FILTER_EQ, &five, 1).err, ERR_INVALID);
	assert_int_equal(filtered(&f, "name", FILTER_EQ, &name, 0).err, ERR_INVALID);
	fixture_end(&f);
}

static void test_pages_and_total(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int i = 1; i <= 23; i++) {
		struct put put = tank_put("", "", 0, "t", NULL);
		put.v[LIMIT] = vf(i % 5);
		insert(&f, put);
	}
	struct put retired = tank_put("", "", 0, "t", NULL);
	retired.c.retired = true;
	insert(&f, retired);
	struct sort by = { .column = STR("limit") };
	bool seen[25] = { false };
	double before = -1;
	for (size_t page = 0; page < 4; page++) {
		struct got g = list(&f, NULL, (struct list_query){ .sorts = &by, .nsorts = 1, .offset = page * 7, .limit = 7 });
		assert_int_equal(g.err, OK);
		assert_int_equal(g.total, 23);
		assert_int_equal(g.n, page < 3 ? 7 : 2);
		for (size_t i = 0; i < g.n; i++) {
			assert_false(seen[g.rows[i].c.id]);
			seen[g.rows[i].c.id] = true;
			assert_true(g.rows[i].vals[LIMIT].f >= before);
			before = g.rows[i].vals[LIMIT].f;
		}
	}
	struct got beyond = list(&f, NULL, (struct list_query){ .offset = 100, .limit = 7 });
	assert_true(beyond.n == 0 && beyond.total == 23);
	expect(list(&f, NULL, (struct list_query){ .with_retired = true }), 24);
	assert_int_equal(list(&f, NULL, (struct list_query){ 0 }).rows[0].c.id, 23); // newest first
	fixture_end(&f);
}

static void test_order_of_a_menu(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	static const char *const levels[] = { "blue", "red", "", "orange", "yellow" };
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		insert(&f, tank_put("", "", 0, levels[i], NULL));
	const struct str ranks[] = { STR("red"), STR("orange"), STR("yellow"), STR("blue") };
	struct sort by = { .column = STR("name"), .ranks = ranks, .nranks = 4 };
	struct got g = list(&f, NULL, (struct list_query){ .sorts = &by, .nsorts = 1 });
	expect(g, 5);
	for (size_t i = 0; i < 4; i++)
		assert_true(str_eq(g.rows[i].vals[NAME].s, ranks[i]));
	by.descending = true;
	g = list(&f, NULL, (struct list_query){ .sorts = &by, .nsorts = 1 });
	assert_str(g.rows[4].vals[NAME].s, "red");
	fixture_end(&f);
}

static void test_search(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("YJ-2026-00001", "", 0, "安澜化工 1 号液氨储罐", NULL));
	insert(&f, tank_put("YJ-2026-00002", "", 0, "安澜化工 2 号液氯储罐", NULL));
	insert(&f, tank_put("YJ-2026-00003", "", 0, "Cold store NORTH", NULL));
	static const struct {
		const char *q;
		size_t n;
	} cases[] = {
		{ "储罐", 2 }, { "氨", 1 }, { "安澜 液氯", 1 }, { "  液氯  化工 ", 1 }, { "north", 1 }, { "NorTH cold", 1 },
		{ "00003", 1 }, { "yj-2026", 3 }, { "", 3 }, { "%", 0 }, { "_", 0 }, { "罐储", 0 }, { "990121", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct got g = list(&f, NULL, (struct list_query){ .text = str_of(cases[i].q) });
		if (g.err || g.n != cases[i].n || g.total != (int64_t)cases[i].n)
			fail_msg("search \"%s\" found %zu", cases[i].q, g.n);
	}
	fixture_end(&f);
}

struct each {
	int64_t sum, last, stop_at;
	struct db *db;
	struct arena *arena;
};

static enum err each_row(void *arg, const struct row *row)
{
	struct each *e = arg;
	assert_true(row->c.id > e->last);
	e->last = row->c.id;
	e->sum += row->vals[OWNER].i;
	struct row again; // reading within reading
	assert_int_equal(records_get(e->db, &tank, NULL, row->c.id, e->arena, &again), OK);
	return row->c.id == e->stop_at ? ERR_TOO_LARGE : OK;
}

static void test_each(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int i = 1; i <= 10; i++)
		insert(&f, tank_put("", "", i, "t", NULL));
	struct db *db = store_read_begin(f.store);
	struct arena *scratch = arena_new(0);
	struct each e = { .db = db, .arena = f.arena };
	assert_int_equal(records_each(db, &tank, NULL, scratch, each_row, &e), OK);
	assert_int_equal(e.sum, 55);
	struct value five = vi(5);
	struct filter up = { STR("owner"), FILTER_LE, &five, 1 };
	e = (struct each){ .db = db, .arena = f.arena };
	struct list_query lq = { .filters = &up, .nfilters = 1 };
	assert_int_equal(records_each(db, &tank, &lq, scratch, each_row, &e), OK);
	assert_int_equal(e.sum, 15);
	e = (struct each){ .db = db, .arena = f.arena, .stop_at = 3 };
	assert_int_equal(records_each(db, &tank, NULL, scratch, each_row, &e), ERR_TOO_LARGE);
	assert_int_equal(e.last, 3);
	arena_free(scratch);
	store_read_end(f.store, db);
	fixture_end(&f);
}

static void test_count_by(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int i = 0; i < 9; i++)
		insert(&f, tank_put("", i < 6 ? "9901" : "9902", i < 2 ? 1 : 2, "t", NULL));
	struct db *db = store_read_begin(f.store);
	struct value *keys, two = vi(2);
	int64_t *counts;
	size_t n;
	assert_int_equal(records_count_by(db, &tank, NULL, STR("area"), NULL, f.arena, &keys, &counts, &n), OK);
	assert_int_equal(n, 2);
	assert_str(keys[0].s, "9901");
	assert_int_equal(counts[0], 6);
	assert_int_equal(counts[1], 3);
	struct filter only = { STR("owner"), FILTER_EQ, &two, 1 };
	struct list_query lq = { .filters = &only, .nfilters = 1 };
	assert_int_equal(records_count_by(db, &tank, NULL, STR("area"), &lq, f.arena, &keys, &counts, &n), OK);
	assert_int_equal(counts[0], 4);
	store_read_end(f.store, db);
	fixture_end(&f);
}

// ---- tests: migration --------------------------------------------------------------------------
static enum err migrate(struct fixture *f, struct column *cols, size_t n)
{
	struct table t = { .name = STR("tank"), .cols = cols, .ncols = n };
	return fixture_write(f, job_migrate, &t);
}

static void test_migrate_adds(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("", "", 0, "Alpha", "A1"));
	struct column wider[7];
	memcpy(wider, columns, sizeof(columns));
	wider[5] = (struct column){ STR("maker"), COL_TEXT, .searched = true };
	wider[6] = (struct column){ STR("built"), COL_INT, .unique = true, .indexed = true };
	wider[NAME].searched = false; // found through the title all the same
	wider[CODE].searched = true;
	assert_int_equal(migrate(&f, wider, 7), OK);
	assert_int_equal(migrate(&f, wider, 7), OK); // again: nothing to do
	expect(list(&f, NULL, (struct list_query){ .text = STR("a1") }), 1); // search text was formed anew
	struct table t = { .name = STR("tank"), .cols = wider, .ncols = 7 };
	struct db *db = store_read_begin(f.store);
	struct row r;
	assert_int_equal(records_get(db, &t, NULL, 1, f.arena, &r), OK);
	assert_str(r.vals[NAME].s, "Alpha");
	assert_int_equal(r.vals[5].kind, VAL_NULL);
	store_read_end(f.store, db);
	fixture_end(&f);
}

// ---- tests: all tables of a generation ---------------------------------------------------------
static enum err job_migrate_all(struct db *db, void *arg, struct problem *p)
{
	const struct table *t = arg;
	return records_migrate_all(db, &t, 1, p);
}

static enum err job_drop_index(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	db->migrating = true;
	enum err err = db_exec(db, arg);
	db->migrating = false;
	return err;
}

static int64_t count_of(struct fixture *f, const char *sql)
{
	struct db *db = store_read_begin(f->store);
	struct query q;
	query_begin_sql(&q, db, str_of(sql));
	int64_t n = query_row(&q) ? query_get_i64(&q, 0) : -1;
	assert_int_equal(query_end(&q), OK);
	store_read_end(f->store, db);
	return n;
}

// A second start changes nothing; an index that somebody dropped by hand, and a table of another form, are seen.
static void test_migrate_all_again(void **state)
{
	(void)state;
	struct fixture f;
	const char *indexes = "SELECT count(*) FROM sqlite_master WHERE tbl_name = 'r_tank' AND type = 'index'";
	fixture_begin(&f);
	assert_int_equal(fixture_write(&f, job_migrate_all, (void *)&tank), OK);
	int64_t made = count_of(&f, indexes), forms = count_of(&f, "SELECT count(*) FROM meta WHERE name = 'forms'");
	assert_int_equal(forms, 1);
	assert_int_equal(fixture_write(&f, job_migrate_all, (void *)&tank), OK);
	assert_int_equal(count_of(&f, indexes), made);
	assert_int_equal(fixture_write(&f, job_drop_index, (void *)"DROP INDEX i_tank_owner"), OK);
	assert_int_equal(count_of(&f, indexes), made - 1);
	assert_int_equal(fixture_write(&f, job_migrate_all, (void *)&tank), OK);
	assert_int_equal(count_of(&f, indexes), made);
	struct table plain = tank;
	plain.timeless = true;
	assert_int_equal(fixture_write(&f, job_migrate_all, &plain), OK);
	assert_int_equal(count_of(&f, indexes), made - 4); // of states and deadlines
	fixture_end(&f);
}

static enum err job_old_table(struct db *db, void *arg, struct problem *p)
{
	(void)arg, (void)p;
	db->migrating = true;
	enum err err = db_exec(db, "CREATE TABLE r_tank(id INTEGER PRIMARY KEY, number TEXT NOT NULL DEFAULT '',"
	                           "state TEXT NOT NULL DEFAULT '', area TEXT NOT NULL DEFAULT '', title TEXT NOT NULL DEFAULT '',"
	                           "enterprise INTEGER NOT NULL DEFAULT 0, thread INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL"
	                           " DEFAULT 1, type_version INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL DEFAULT 0,"
	                           "created_by INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0, changed_by INTEGER NOT"
	                           " NULL DEFAULT 0, state_at INTEGER NOT NULL DEFAULT 0, deadline INTEGER NOT NULL DEFAULT 0,"
	                           "escalated INTEGER NOT NULL DEFAULT 0, retired INTEGER NOT NULL DEFAULT 0,"
	                           "search TEXT NOT NULL DEFAULT '', name TEXT, sector TEXT);"
	                           "INSERT INTO r_tank(title, name, sector) VALUES('a', 'a', 'dust'), ('b', 'b', NULL)");
	db->migrating = false;
	return err;
}

// A table made by the version before: its rows stay, the common columns it lacks come, and what was the type's own
// column `sector` is the common one now.
static void test_migrate_old_table(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	assert_int_equal(fixture_write(&f, job_old_table, NULL), OK);
	assert_int_equal(fixture_write(&f, job_migrate, (void *)&tank), OK);
	struct got g = list(&f, &(struct scope){ .sectors = STR(",dust,") }, (struct list_query){ 0 });
	expect(g, 2);
	assert_str(g.rows[1].c.sector, "dust");
	assert_str(g.rows[0].c.sector, "");
	assert_int_equal(g.rows[0].c.batch + g.rows[0].c.paused + g.rows[0].c.moved_by + g.rows[0].c.reminded, 0);
	fixture_end(&f);
}

// An empty field that goes leaves its column in a long table: taking it out would write every row anew. It comes back as it
// was, or in another kind.
static void test_migrate_long_table(void **state)
{
	(void)state;
	static const enum column_kind kinds[] = { COL_TEXT, COL_REAL };
	struct fixture f;
	begin(&f);
	struct put put = tank_put("N-1", "", 0, "tank", "A");
	put.c.id = 6000;
	insert(&f, put);
	struct column wide[ARRAY_LEN(columns) + 1];
	memcpy(wide, columns, sizeof(columns));
	for (size_t i = 0; i < 4; i++) {
		wide[ARRAY_LEN(columns)] = (struct column){ .name = STR("note"), .kind = kinds[i / 2], .indexed = true };
		struct table t = { .name = tank.name, .cols = wide, .ncols = ARRAY_LEN(wide) };
		assert_int_equal(fixture_write(&f, job_migrate, &t), OK);
		assert_int_equal(fixture_write(&f, job_migrate, (void *)&tank), OK);
		assert_int_equal(fixture_write(&f, job_migrate, (void *)&tank), OK);
		struct got g = list(&f, NULL, (struct list_query){ 0 });
		expect(g, 1);
		assert_str(g.rows[0].c.title, "tank");
	}
	fixture_end(&f);
}

static void test_migrate_refuses_to_lose_data(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	struct column less[] = { columns[0], columns[1], columns[2] };
	assert_int_equal(migrate(&f, less, 3), OK); // nothing in the columns that go
	assert_int_equal(fixture_write(&f, job_migrate, (void *)&tank), OK);
	insert(&f, tank_put("", "", 1, "x", "A1"));
	assert_int_equal(migrate(&f, less, 3), ERR_CONFLICT);
	assert_str(f.p.field, "tank.owner");
	assert_true(f.p.hint_zh.n > 0);
	struct column other[5];
	memcpy(other, columns, sizeof(columns));
	other[LIMIT].kind = COL_TEXT;
	assert_int_equal(migrate(&f, other, 5), ERR_CONFLICT);
	assert_str(f.p.field, "tank.limit");
	expect(list(&f, NULL, (struct list_query){ 0 }), 1);
	fixture_end(&f);
}

static void test_migrate_refuses_duplicates_for_unique(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	insert(&f, tank_put("", "", 4, "x", NULL));
	insert(&f, tank_put("", "", 4, "y", NULL));
	struct column unique[5];
	memcpy(unique, columns, sizeof(columns));
	unique[OWNER].unique = true;
	assert_int_equal(migrate(&f, unique, 5), ERR_CONFLICT);
	assert_str(f.p.field, "tank.owner");
	unique[OWNER].unique = false;
	unique[CODE].unique = false; // may be relaxed
	assert_int_equal(migrate(&f, unique, 5), OK);
	insert(&f, tank_put("", "", 5, "z", "same"));
	insert(&f, tank_put("", "", 6, "z", "same"));
	fixture_end(&f);
}

static void test_migrate_checks_names(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "Name", "1a", "a-b", "a\"b", "a b", "id", "state", "search", "rowid", "limit",
		                               "a23456789012345678901234567890123456789012345678b" };
	struct fixture f;
	fixture_begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct column cols[] = { columns[LIMIT], { str_of(bad[i]), COL_TEXT, .unique = false } };
		if (migrate(&f, cols, 2) != ERR_INVALID)
			fail_msg("column \"%s\" was accepted", bad[i]);
	}
	struct table t = { .name = STR("a;b"), .cols = columns, .ncols = 1 };
	assert_int_equal(fixture_write(&f, job_migrate, &t), ERR_INVALID);
	fixture_end(&f);
}

// ---- tests: sequences --------------------------------------------------------------------------
static enum err job_next(struct db *db, void *arg, struct problem *p)
{
	enum err err = records_next_seq(db, STR("yj-2026"), arg);
	return err ? err : *(int64_t *)arg == 3 ? problem_set(p, ERR_INVALID, "", "x", "x") : OK;
}

static void test_sequence(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	int64_t n;
	for (int want = 1; want <= 2; want++) {
		assert_int_equal(fixture_write(&f, job_next, &n), OK);
		assert_int_equal(n, want);
	}
	assert_int_equal(fixture_write(&f, job_next, &n), ERR_INVALID);
	assert_int_equal(fixture_write(&f, job_next, &n), ERR_INVALID); // a number of an undone job is not spent
	assert_int_equal(n, 3);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insert_get_update),
		cmocka_unit_test(test_unique_names_the_column),
		cmocka_unit_test(test_row_that_is_its_own_enterprise),
		cmocka_unit_test(test_values_are_never_sql),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_scope_of_sectors),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_pages_and_total),
		cmocka_unit_test(test_order_of_a_menu),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_count_by),
		cmocka_unit_test(test_migrate_adds),
		cmocka_unit_test(test_migrate_all_again),
		cmocka_unit_test(test_migrate_old_table),
		cmocka_unit_test(test_migrate_long_table),
		cmocka_unit_test(test_migrate_refuses_to_lose_data),
		cmocka_unit_test(test_migrate_refuses_duplicates_for_unique),
		cmocka_unit_test(test_migrate_checks_names),
		cmocka_unit_test(test_sequence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
