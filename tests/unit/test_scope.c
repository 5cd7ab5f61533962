// One scope, three forms: what it admits in memory, in statements over records, and in function admits() is the same.
// needs: base store
#include "store_fixture.h"

#include "store/db.h"
#include "store/records.h"

static const struct table thing = { .name = { "thing", 5 } };
static const char *const areas[] = { "", "990121000000", "990121101000", "990121102000", "990122000000" };
static const char *const sectors[] = { "", "dust", "chemical", "dust_x" };
static const char *const owns[] = { "", ",dust,", ",dust,chemical,", ",mine,", ",dust_x," };
static const char *const prefixes[] = { "", "990121", "990121101", "99" };

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	return records_migrate(db, &thing, p);
}

static enum err job_fill(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	enum err err = OK;
	for (size_t a = 0; a < ARRAY_LEN(areas); a++)
		for (size_t s = 0; s < ARRAY_LEN(sectors); s++)
			for (int64_t e = 0; !err && e < 3; e++) {
				struct common c = { .number = STR_EMPTY, .state = STR_EMPTY, .title = STR_EMPTY, .area = str_of(areas[a]), .enterprise = e,
					            .sector = str_of(sectors[s]), .prev_state = STR_EMPTY, .version = 1 };
				c.number = arena_printf(p->arena, "%zu-%zu-%lld", a, s, (long long)e);
				err = records_insert(db, &thing, &c, NULL, p);
			}
	return err;
}

static bool listed(const struct row *rows, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].c.id == id)
			return true;
	return false;
}

static bool by_function(struct db *db, const struct scope *s, int64_t id)
{
	struct query q;
	query_begin_sql(&q, db, STR("SELECT 1 FROM r_thing WHERE admits(?1, ?2, ?3, area, enterprise, sector) AND id = ?4"));
	query_scope(&q, s);
	query_i64(&q, 4, id);
	bool yes = query_row(&q);
	assert_int_equal(query_end(&q), OK);
	return yes;
}

static size_t check_scope(struct fixture *f, struct db *db, const struct scope *s, const struct row *all, size_t nall)
{
	struct list_query lq = { .limit = 1000 };
	struct row *rows;
	size_t n, admitted = 0;
	int64_t total;
	assert_int_equal(records_list(db, &thing, s, &lq, f->arena, &rows, &n, &total, &f->p), OK);
	for (size_t i = 0; i < nall; i++) {
		bool yes = scope_admits(s, common_place(&all[i].c));
		assert_int_equal(yes, listed(rows, n, all[i].c.id));
		assert_int_equal(yes, by_function(db, s, all[i].c.id));
		admitted += yes;
	}
	assert_int_equal(admitted, n);
	return n;
}

static void test_all_forms_admit_the_same(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f);
	assert_int_equal(fixture_write(&f, job_migrate, NULL), OK);
	assert_int_equal(fixture_write(&f, job_fill, NULL), OK);
	struct db *db = store_read_begin(f.store);
	struct list_query lq = { .limit = 1000 };
	struct row *all;
	size_t nall;
	int64_t total;
	assert_int_equal(records_list(db, &thing, NULL, &lq, f.arena, &all, &nall, &total, &f.p), OK);
	assert_int_equal(nall, ARRAY_LEN(areas) * ARRAY_LEN(sectors) * 3);
	size_t some = 0;
	for (size_t a = 0; a < ARRAY_LEN(prefixes); a++)
		for (size_t s = 0; s < ARRAY_LEN(owns); s++)
			for (int64_t e = 0; e < 3; e++) {
				struct scope scope = { .area = str_of(prefixes[a]), .enterprise = e, .sectors = str_of(owns[s]) };
				size_t n = check_scope(&f, db, &scope, all, nall);
				some += n > 0 && n < nall;
				scope.nothing = true;
				assert_int_equal(check_scope(&f, db, &scope, all, nall), 0);
			}
	assert_true(some > 40);
	store_read_end(f.store, db);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_forms_admit_the_same) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
