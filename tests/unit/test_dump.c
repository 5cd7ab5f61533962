// Tables as lines of JSON: exact there and back; every table of the database is known to be open, secret or its own affair.
// needs: base store
#include "store_fixture.h"

#include "base/buf.h"
#include "store/audit.h"
#include "store/dump.h"
#include "store/records.h"

static const struct column columns[] = { { { "name", 4 }, COL_TEXT, .unique = false }, { { "size", 4 }, COL_REAL, .unique = false },
	                                 { { "n", 1 }, COL_INT, .unique = false } };
static const struct table thing = { .name = { "thing", 5 }, .cols = columns, .ncols = 3 };

static void test_every_table_is_known(void **state)
{
	(void)state;
	struct fixture f;
	struct dump_table *v;
	size_t n, secret = 0;
	fixture_begin(&f);
	struct db *db = store_read_begin(f.store);
	assert_int_equal(dump_tables(db, f.arena, &v, &n), OK);
	store_read_end(f.store, db);
	for (size_t i = 0; i < n; i++) {
		if (v[i].kind == DUMP_UNKNOWN)
			fail_msg("table %.*s is in no list of store/dump.c: does it go into an archive, or is it secret?", STR_FMT(v[i].name));
		secret += v[i].kind == DUMP_SECRET;
	}
	assert_true(n > 20 && secret >= 7);
	fixture_end(&f);
}

static enum err fill_job(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	enum err err = records_migrate(db, &thing, p);
	struct value v[] = { { .kind = VAL_TEXT, .s = STR("两行\n\"x\"\\,\x7f 尾") }, { .kind = VAL_REAL, .f = 3 }, { .kind = VAL_INT, .i = INT64_MIN } };
	struct common c = { .number = STR("T-1"), .state = STR("open"), .area = STR("990121000000"), .title = STR("甲"), .version = 7,
		            .sector = STR_EMPTY, .prev_state = STR_EMPTY, .batch = 9, .created_at = 1795305600000001 };
	if (!err)
		err = records_insert(db, &thing, &c, v, p);
	v[0] = (struct value){ .kind = VAL_NULL };
	v[1].f = 0.1 + 0.2;
	v[2].i = INT64_MAX;
	c.id = 41;
	c.number = STR_EMPTY;
	if (!err)
		err = records_insert(db, &thing, &c, v, p);
	struct audit_entry e = { .at = 5, .actor_name = STR("人"), .action = STR("create"), .type = STR("thing"), .record = 1, .detail = STR("{}") };
	return err ? err : audit_add(db, &e);
}

static enum err collect(void *arg, struct str line)
{
	buf_add_str(arg, line);
	buf_add_cstr(arg, "\n");
	return OK;
}

static void dump(struct fixture *f, const char *table, struct buf *out)
{
	int64_t rows;
	struct db *db = store_read_begin(f->store);
	assert_int_equal(dump_rows(db, str_of(table), collect, out, &rows), OK);
	store_read_end(f->store, db);
}

struct lines {
	const char *table;
	struct str text;
};

static enum err take_job(struct db *db, void *arg, struct problem *p)
{
	struct lines *l = arg;
	struct arena *a = arena_new(0);
	enum err err = str_starts(str_of(l->table), STR("r_")) ? records_migrate(db, &thing, p) : OK;
	for (struct str rest = l->text; !err && rest.n;)
		err = dump_insert(db, str_of(l->table), str_cut(&rest, '\n'), a, p);
	arena_free(a);
	return err;
}

static void test_there_and_back(void **state)
{
	(void)state;
	static const char *const tables[] = { "r_thing", "audit", "audit_head" };
	struct fixture one, two;
	struct buf out, again;
	int64_t count;
	char hash[65];
	buf_init(&out, 1u << 20);
	buf_init(&again, 1u << 20);
	fixture_begin(&one);
	fixture_begin(&two);
	assert_int_equal(fixture_write(&one, fill_job, NULL), OK);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		buf_clear(&out);
		buf_clear(&again);
		dump(&one, tables[i], &out);
		assert_true(out.n > 10);
		struct lines l = { tables[i], buf_str(&out) };
		assert_int_equal(fixture_write(&two, take_job, &l), OK);
		dump(&two, tables[i], &again);
		assert_true(str_eq(buf_str(&out), buf_str(&again)));
	}
	struct db *db = store_read_begin(two.store);
	struct row row;
	assert_int_equal(records_get(db, &thing, NULL, 41, two.arena, &row), OK);
	assert_true(row.vals[1].f == 0.1 + 0.2 && row.vals[2].i == INT64_MAX && row.vals[0].kind == VAL_NULL && row.c.batch == 9);
	assert_int_equal(records_get(db, &thing, NULL, 1, two.arena, &row), OK);
	assert_str(row.vals[0].s, "两行\n\"x\"\\,\x7f 尾");
	assert_int_equal(audit_verify(db, &two.p, &count, hash), OK);
	assert_int_equal(count, 1);
	store_read_end(two.store, db);
	fixture_end(&one);
	fixture_end(&two);
	buf_free(&out);
	buf_free(&again);
}

static void assert_line_refused(struct fixture *f, const char *table, const char *line, enum err want)
{
	struct lines l = { table, str_of(line) };
	assert_int_equal(fixture_write(f, take_job, &l), want);
	assert_true(f->p.zh.n > 0);
}

static void test_lines_that_do_not_fit(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	assert_line_refused(&f, "r_thing", "{\"id\": 1, \"colour\": \"x\"}", ERR_UNSUPPORTED);
	assert_line_refused(&f, "r_thing", "{\"id\": 1, \"name\\\") VALUES(1);--\": \"x\"}", ERR_UNSUPPORTED);
	assert_line_refused(&f, "nothing", "{\"id\": 1}", ERR_UNSUPPORTED);
	assert_line_refused(&f, "r_thing", "[1]", ERR_CORRUPT);
	assert_line_refused(&f, "r_thing", "{\"id\": 1, \"name\": [1]}", ERR_CORRUPT);
	assert_line_refused(&f, "r_thing", "{\"id\": 1", ERR_CORRUPT);
	fixture_end(&f);
}

static void test_copy_of_a_file(void **state)
{
	(void)state;
	struct fixture f;
	char from[128], to[128];
	fixture_begin(&f);
	assert_int_equal(fixture_write(&f, fill_job, NULL), OK);
	snprintf(from, sizeof from, "%s/anlan.db", f.dir);
	snprintf(to, sizeof to, "%s/copy.db", f.dir);
	assert_int_equal(dump_copy_file(from, to), OK); // while the store has it open
	assert_int_equal(access(to, R_OK), 0);
	unlink(to);
	assert_int_not_equal(dump_copy_file("/nonexistent/x.db", to), OK);
	unlink(to);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_table_is_known),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_lines_that_do_not_fit),
		cmocka_unit_test(test_copy_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
