// The audit chain: what is written is found again; what is altered, missing or reordered is named.
// needs: base store
#include "store_fixture.h"

#include <sqlite3.h>

#include "base/time.h"
#include "store/audit.h"

static enum err job_add(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	return audit_add(db, arg);
}

static void add(struct fixture *f, int n)
{
	for (int i = 1; i <= n; i++) {
		struct audit_entry e = { .at = i * US_PER_S, .actor = i % 3, .actor_name = STR("李四"), .action = STR("update"),
			                     .type = i % 2 ? STR("warning") : STR("tank"), .record = i % 5,
			                     .detail = STR("{\"level\":[\"yellow\",\"red\"]}") };
		assert_int_equal(fixture_write(f, job_add, &e), OK);
	}
}

struct verdict {
	enum err err;
	int64_t count;
	char hash[65];
	struct problem p;
};

static struct verdict verify(struct fixture *f)
{
	struct verdict v = { 0 };
	struct db *db = store_read_begin(f->store);
	problem_init(&v.p, f->arena);
	v.err = audit_verify(db, &v.p, &v.count, v.hash);
	store_read_end(f->store, db);
	return v;
}

static void test_chain_holds(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct verdict empty = verify(&f);
	assert_int_equal(empty.err, OK);
	assert_int_equal(empty.count, 0);
	assert_string_equal(empty.hash, "0000000000000000000000000000000000000000000000000000000000000000");
	add(&f, 20);
	struct verdict v = verify(&f);
	assert_int_equal(v.err, OK);
	assert_int_equal(v.count, 20);
	fixture_reopen(&f);
	assert_string_equal(verify(&f).hash, v.hash);
	add(&f, 1);
	assert_string_not_equal(verify(&f).hash, v.hash);
	char at[65];
	struct db *db = store_read_begin(f.store);
	assert_int_equal(audit_hash_at(db, 20, at), OK);
	assert_string_equal(at, v.hash);
	assert_int_equal(audit_hash_at(db, 22, at), ERR_NOT_FOUND);
	store_read_end(f.store, db);
	fixture_end(&f);
}

// The hash of one entry, computed apart from this program: openssl dgst -sm3 over the bytes audit.c describes.
static void test_hash_is_as_described(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct audit_entry e = { .at = 1, .actor = 2, .actor_name = STR("a"), .action = STR("login"), .type = STR(""),
		                     .record = 3, .detail = STR("{}") };
	assert_int_equal(fixture_write(&f, job_add, &e), OK);
	assert_string_equal(verify(&f).hash, "77d85f28df92d2e33a4b08796a68e509104b67f0d3531dffbfc256c506309551");
	fixture_end(&f);
}

static enum err job_add_then_fail(struct db *db, void *arg, struct problem *p)
{
	enum err err = audit_add(db, arg);
	return err ? err : problem_set(p, ERR_INVALID, "", "x", "x");
}

static void test_undone_job_leaves_no_entry_and_no_gap(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct audit_entry e = { .action = STR("create") };
	assert_int_equal(fixture_write(&f, job_add_then_fail, &e), ERR_INVALID);
	assert_int_equal(fixture_write(&f, job_add, &e), OK);
	struct verdict v = verify(&f);
	assert_int_equal(v.err, OK);
	assert_int_equal(v.count, 1);
	fixture_end(&f);
}

static void test_list(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	add(&f, 20);
	struct db *db = store_read_begin(f.store);
	struct audit_entry *e;
	size_t n;
	assert_int_equal(audit_list(db, STR_EMPTY, 0, 0, 7, f.arena, &e, &n), OK);
	assert_int_equal(n, 7);
	assert_int_equal(e[0].seq, 20);
	assert_int_equal(audit_list(db, STR_EMPTY, 0, e[6].seq, 100, f.arena, &e, &n), OK);
	assert_int_equal(n, 13);
	assert_int_equal(e[0].seq, 13);
	assert_int_equal(audit_list(db, STR("tank"), 0, 0, 100, f.arena, &e, &n), OK);
	assert_int_equal(n, 10);
	assert_int_equal(audit_list(db, STR("tank"), 2, 0, 100, f.arena, &e, &n), OK);
	assert_int_equal(n, 2); // 2 and 12
	assert_int_equal(e[0].seq, 12);
	assert_str(e[0].actor_name, "李四");
	assert_str(e[0].action, "update");
	assert_str(e[0].detail, "{\"level\":[\"yellow\",\"red\"]}");
	assert_int_equal(e[0].at, 12 * US_PER_S);
	assert_int_equal(audit_list(db, STR("nothing"), 0, 0, 100, f.arena, &e, &n), OK);
	assert_int_equal(n, 0);
	store_read_end(f.store, db);
	fixture_end(&f);
}

// Somebody with the file in hand and no respect for triggers.
static void test_tampering_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *entry; // which entry the answer must name
		int64_t whole;          // entries before it
	} cases[] = {
		{ "UPDATE audit SET detail='{}' WHERE seq=7", "7", 6 },
		{ "UPDATE audit SET at=at+1 WHERE seq=1", "1", 0 },
		{ "UPDATE audit SET actor=9 WHERE seq=3", "3", 2 },
		{ "UPDATE audit SET actor_name='张三' WHERE seq=3", "3", 2 },
		{ "UPDATE audit SET action='create' WHERE seq=3", "3", 2 },
		{ "UPDATE audit SET record=record+1 WHERE seq=20", "20", 19 },
		{ "UPDATE audit SET type=action, action=type WHERE seq=5", "5", 4 },
		// a byte moved over the border of two columns
		{ "UPDATE audit SET action=action||substr(type,1,1), type=substr(type,2) WHERE seq=5", "5", 4 },
		{ "UPDATE audit SET hash=zeroblob(32) WHERE seq=10", "10", 9 },
		{ "UPDATE audit SET hash=x'00' WHERE seq=10", "10", 9 },
		{ "DELETE FROM audit WHERE seq=4", "4", 3 },
		{ "DELETE FROM audit WHERE seq=1", "1", 0 },
		{ "DELETE FROM audit WHERE seq=20", "20", 19 },
		{ "DELETE FROM audit WHERE seq>15", "16", 15 },
		{ "DELETE FROM audit", "1", 0 },
		{ "DELETE FROM audit WHERE seq=4; UPDATE audit SET seq=seq-1 WHERE seq>4", "4", 3 },
		{ "UPDATE audit SET seq=100 WHERE seq=8; UPDATE audit SET seq=8 WHERE seq=9; UPDATE audit SET seq=9 WHERE seq=100",
		  "8", 7 },
		{ "INSERT INTO audit SELECT 21,at,actor,actor_name,action,type,record,detail,hash,row_hash FROM audit WHERE seq=20", "21", 20 },
		{ "UPDATE audit_head SET seq=19", "20", 20 },
		{ "DELETE FROM audit_head", "20", 20 },
		{ "UPDATE audit_head SET hash=zeroblob(32)", "20", 20 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;
		fixture_begin(&f);
		add(&f, 20);
		char path[128];
		snprintf(path, sizeof(path), "%s/anlan.db", f.dir);
		sqlite3 *h;
		assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
		assert_int_equal(sqlite3_exec(h, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"
		                                 "DROP TRIGGER audit_head_stays", NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_exec(h, cases[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(h);
		struct verdict v = verify(&f);
		if (v.err != ERR_CORRUPT || !str_is(v.p.field, cases[i].entry) || v.count != cases[i].whole)
			fail_msg("case %zu: %s names \"%.*s\" after %lld", i, err_name(v.err), STR_FMT(v.p.field), (long long)v.count);
		assert_true(v.p.zh.n > 0 && v.p.en.n > 0);
		fixture_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_holds),
		cmocka_unit_test(test_hash_is_as_described),
		cmocka_unit_test(test_undone_job_leaves_no_entry_and_no_gap),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_tampering_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
