// The writer thread, transactions, the read pool, the authorizer, a full disk, a crash.
// needs: base store
// threads
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "store/audit.h"
#include "store/db.h"
#include "store/records.h"

// ---- jobs the tests run ------------------------------------------------------------------------
struct set {
	const char *name, *value;
	enum err result;
	int after;              // calls of the after-commit callback
};

static void count_call(void *arg)
{
	++*(int *)arg;
}

static enum err job_set(struct db *db, void *arg, struct problem *p)
{
	struct set *s = arg;
	struct query q;
	query_begin(&q, db, STMT_META_SET);
	query_str(&q, 1, str_of(s->name));
	query_str(&q, 2, str_of(s->value));
	enum err err = query_run(&q);
	db_after_commit(db, count_call, &s->after);
	if (s->result)
		return problem_set(p, s->result, "x", "不行", "no");
	return err;
}

static struct str meta_get(struct db *db, const char *name, struct arena *a)
{
	struct query q;
	struct str s = STR_EMPTY;
	query_begin(&q, db, STMT_META_GET);
	query_str(&q, 1, str_of(name));
	if (query_row(&q))
		s = query_get_str(&q, 0, a);
	assert_int_equal(query_end(&q), OK);
	return s;
}

static struct str read_meta(struct fixture *f, const char *name)
{
	struct db *db = store_read_begin(f->store);
	struct str s = meta_get(db, name, f->arena);
	store_read_end(f->store, db);
	return s;
}

// ---- tests -------------------------------------------------------------------------------------
static void test_write_and_read(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct set one = { "a", "1", OK, 0 };
	assert_int_equal(fixture_write(&f, job_set, &one), OK);
	assert_int_equal(one.after, 1);
	assert_str(read_meta(&f, "a"), "1");
	fixture_reopen(&f);
	assert_str(read_meta(&f, "a"), "1");
	fixture_end(&f);
}

static void test_failed_job_is_undone_alone(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct set good = { "a", "1", OK, 0 }, bad = { "b", "2", ERR_INVALID, 0 }, silent = { "c", "3", OK, 0 };
	assert_int_equal(fixture_write(&f, job_set, &good), OK);
	assert_int_equal(fixture_write(&f, job_set, &bad), ERR_INVALID);
	assert_str(f.p.field, "x");
	assert_str(f.p.en, "no");
	assert_int_equal(bad.after, 0);
	assert_int_equal(fixture_write(&f, job_set, &silent), OK);
	assert_str(read_meta(&f, "a"), "1");
	assert_str(read_meta(&f, "b"), "");
	assert_str(read_meta(&f, "c"), "3");
	fixture_end(&f);
}

struct posted {
	struct set set;
	int *done_ok, *done_failed;
};

static void posted_done(void *arg, enum err err)
{
	struct posted *p = arg;
	++*(err ? p->done_failed : p->done_ok);
}

static enum err job_posted(struct db *db, void *arg, struct problem *p)
{
	return job_set(db, &((struct posted *)arg)->set, p);
}

static void test_post_keeps_order_and_each_has_its_own_result(void **state)
{
	(void)state;
	enum { N = 5000 }; // more than the queue holds
	struct fixture f;
	fixture_begin(&f);
	struct posted *v = arena_many(f.arena, N, struct posted);
	int ok = 0, failed = 0; // written in the writer thread only, read after store_close
	for (int i = 0; i < N; i++) {
		v[i].set = (struct set){ i % 3 ? "x" : "y", arena_printf(f.arena, "%d", i).p, i % 10 == 9 ? ERR_INVALID : OK, 0 };
		v[i].done_ok = &ok;
		v[i].done_failed = &failed;
		store_post(f.store, job_posted, &v[i], posted_done);
	}
	fixture_reopen(&f); // closing finishes what is queued
	assert_int_equal(ok, N - N / 10);
	assert_int_equal(failed, N / 10);
	for (int i = 0; i < N; i++)
		assert_int_equal(v[i].set.after, i % 10 != 9);
	assert_str(read_meta(&f, "x"), "4997"); // the last that is not divisible by 3: 4999 fails
	assert_str(read_meta(&f, "y"), "4998");
	fixture_end(&f);
}

static enum err job_count(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	int64_t *last = arg;
	return records_next_seq(db, STR("shared"), last);
}

static void *many_writes(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new(0);
	for (int i = 0; i < 200; i++) {
		struct problem p;
		problem_init(&p, a);
		int64_t n = 0;
		assert_int_equal(store_write(f->store, job_count, &n, &p), OK);
		assert_true(n > 0);
	}
	arena_free(a);
	return NULL;
}

static void *many_reads(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new(0);
	for (int i = 0; i < 300; i++) {
		struct db *db = store_read_begin(f->store);
		struct str first = meta_get(db, "a", a);
		assert_true(str_eq(first, meta_get(db, "a", a)));
		store_read_end(f->store, db);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void test_many_threads(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	pthread_t t[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, i % 2 ? many_writes : many_reads, &f);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	int64_t n = 0;
	assert_int_equal(fixture_write(&f, job_count, &n), OK);
	assert_int_equal(n, 4 * 200 + 1);
	fixture_end(&f);
}

static void test_reader_sees_one_snapshot(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct set one = { "a", "1", OK, 0 }, two = { "a", "2", OK, 0 };
	assert_int_equal(fixture_write(&f, job_set, &one), OK);
	struct db *db = store_read_begin(f.store);
	assert_str(meta_get(db, "a", f.arena), "1");
	assert_int_equal(fixture_write(&f, job_set, &two), OK);
	assert_str(meta_get(db, "a", f.arena), "1");
	store_read_end(f.store, db);
	assert_str(read_meta(&f, "a"), "2");
	fixture_end(&f);
}

static void test_reader_cannot_write(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct db *db = store_read_begin(f.store);
	struct query q;
	query_begin(&q, db, STMT_META_SET);
	query_str(&q, 1, STR("a"));
	query_str(&q, 2, STR("1"));
	assert_int_not_equal(query_run(&q), OK);
	assert_false(db_is_writer(db));
	store_read_end(f.store, db);
	assert_str(read_meta(&f, "a"), "");
	fixture_end(&f);
}

// Every statement of the catalogue must fit the tables.
static void test_catalogue_prepares(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	char path[128];
	snprintf(path, sizeof(path), "%s/anlan.db", f.dir);
	struct db *db;
	assert_int_equal(db_open(&db, NULL, path, true), OK);
	for (int i = 0; i < STMT__MAX; i++) {
		struct query q;
		query_begin(&q, db, (enum stmt)i);
		if (query_end(&q) != OK)
			fail_msg("statement %d of the catalogue does not fit the tables", i);
	}
	db_close(db);
	fixture_end(&f);
}

static enum err job_nested(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	struct query outer;
	int *seen = arg;
	query_begin(&outer, db, STMT_MIGRATION_LIST);
	while (query_row(&outer)) {
		struct query inner; // the same statement, running twice
		query_begin(&inner, db, STMT_MIGRATION_LIST);
		while (query_row(&inner))
			++*seen;
		if (query_end(&inner))
			return ERR_BUG;
	}
	return query_end(&outer);
}

static void test_statement_may_run_within_itself(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	int seen = 0;
	assert_int_equal(fixture_write(&f, job_nested, &seen), OK);
	int n = 1;
	while (n * n < seen)
		n++;
	assert_int_equal(n * n, seen);
	fixture_end(&f);
}

static enum err job_forgetful(struct db *db, void *arg, struct problem *p)
{
	(void)arg, (void)p;
	struct query q;
	query_begin(&q, db, STMT_MIGRATION_LIST);
	return query_row(&q) ? ERR_INVALID : OK; // no query_end
}

static void test_forgotten_query_does_not_harm_the_next_job(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct set one = { "a", "1", OK, 0 };
	assert_int_equal(fixture_write(&f, job_forgetful, NULL), ERR_INVALID);
	assert_int_equal(fixture_write(&f, job_set, &one), OK);
	assert_str(read_meta(&f, "a"), "1");
	fixture_end(&f);
}

static enum err job_rewrite_audit(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	return db_exec(db, arg);
}

static void test_audit_is_append_only(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	assert_int_not_equal(fixture_write(&f, job_rewrite_audit, (void *)"DELETE FROM audit"), OK);
	assert_int_not_equal(fixture_write(&f, job_rewrite_audit, (void *)"UPDATE audit SET detail=''"), OK);
	assert_int_not_equal(fixture_write(&f, job_rewrite_audit, (void *)"DROP TRIGGER audit_no_update"), OK);
	assert_int_not_equal(fixture_write(&f, job_rewrite_audit, (void *)"ATTACH '/tmp/x' AS x"), OK);
	fixture_end(&f);
}

// The triggers hold for any other program too.
static void test_audit_triggers(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	char path[128];
	snprintf(path, sizeof(path), "%s/anlan.db", f.dir);
	sqlite3 *h;
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "INSERT INTO audit(seq, at, actor, actor_name, action, type, record, detail, hash) VALUES(1,0,0,'','','',0,'',x'')", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "UPDATE audit SET detail='x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_exec(h, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	sqlite3_close(h);
	fixture_end(&f);
}

// ---- a full disk -------------------------------------------------------------------------------
static enum err job_big(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	struct str *big = arg;
	struct query q;
	query_begin(&q, db, STMT_META_SET);
	query_str(&q, 1, STR("big"));
	query_str(&q, 2, *big);
	return query_run(&q);
}

static void test_full_disk(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct set one = { "a", "1", OK, 0 }, two = { "a", "2", OK, 0 };
	assert_int_equal(fixture_write(&f, job_set, &one), OK);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit old, small;
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ .rlim_cur = 1200 << 10, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	struct str big = { arena_alloc(f.arena, 2 << 20), 2 << 20 };
	memset((char *)big.p, 'x', big.n);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fixture_write(&f, job_big, &big), ERR_FULL);
	assert_true(f.p.zh.n > 0 && f.p.en.n > 0);
	assert_str(read_meta(&f, "a"), "1"); // serving goes on
	assert_int_equal(fixture_write(&f, job_set, &two), OK); // small things still fit
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(fixture_write(&f, job_big, &big), OK);
	assert_str(read_meta(&f, "a"), "2");
	assert_true(str_eq(read_meta(&f, "big"), big));
	fixture_reopen(&f);
	assert_str(read_meta(&f, "a"), "2");
	fixture_end(&f);
}

// ---- a crash -----------------------------------------------------------------------------------
static enum err job_crash(struct db *db, void *arg, struct problem *p)
{
	struct set half = { "half", "1", OK, 0 };
	if (job_set(db, &half, p))
		return ERR_BUG;
	_exit(*(int *)arg);
}

static void child(const char *dir)
{
	struct fixture f = { .arena = arena_new(0) };
	snprintf(f.dir, sizeof(f.dir), "%s", dir);
	fixture_open(&f);
	struct set whole = { "whole", "1", OK, 0 };
	int code = fixture_write(&f, job_set, &whole) == OK ? 7 : 1;
	enum err err = fixture_write(&f, job_crash, &code);
	_exit(err ? 2 : 3); // not reached
}

static void test_crash_in_the_middle_of_a_job(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	store_close(f.store); // no thread and no lock goes over the fork
	pid_t pid = fork();
	if (pid == 0)
		child(f.dir);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	fixture_open(&f);
	assert_str(read_meta(&f, "whole"), "1");
	assert_str(read_meta(&f, "half"), "");
	fixture_end(&f);
}

static void test_newer_database_is_refused(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	store_close(f.store);
	f.store = NULL;
	char path[128];
	snprintf(path, sizeof(path), "%s/anlan.db", f.dir);
	sqlite3 *h;
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "INSERT INTO migration VALUES(99999,'future',0)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	problem_init(&f.p, f.arena);
	assert_int_equal(store_open(&f.store, f.dir, &f.p), ERR_UNSUPPORTED);
	assert_true(str_contains(f.p.en, STR("99999")));
	fixture_end(&f);
}

static void test_no_database_is_an_error_with_a_text(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct problem p;
	struct store *s = NULL;
	problem_init(&p, a);
	assert_int_not_equal(store_open(&s, "/nonexistent/folder", &p), OK);
	assert_true(p.zh.n > 0);
	assert_null(s);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_failed_job_is_undone_alone),
		cmocka_unit_test(test_post_keeps_order_and_each_has_its_own_result),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_reader_sees_one_snapshot),
		cmocka_unit_test(test_reader_cannot_write),
		cmocka_unit_test(test_catalogue_prepares),
		cmocka_unit_test(test_statement_may_run_within_itself),
		cmocka_unit_test(test_forgotten_query_does_not_harm_the_next_job),
		cmocka_unit_test(test_audit_is_append_only),
		cmocka_unit_test(test_audit_triggers),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_crash_in_the_middle_of_a_job),
		cmocka_unit_test(test_newer_database_is_refused),
		cmocka_unit_test(test_no_database_is_an_error_with_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
