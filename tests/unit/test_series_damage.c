// needs: base series store
// threads
// The series store when the disk is full or files are damaged: nothing acknowledged is lost, what is damaged is left
// out and counted, and nothing else.
#include "tests/unit/series_help.h"

// ---- full disk ----

static void test_full_disk(void **state)
{
	(void)state;
	struct series *s = open_with(1 << 20, 16, NULL);
	struct model m = { 0 };
	int64_t t = START;
	for (int round = 0; round < 6; round++) {
		if (round % 2)
			atomic_store(&slog_fault, round == 3 ? EIO : ENOSPC);
		uint64_t before = series_durable(s);
		for (int i = 0; i < 300; i++) {
			struct reading r = reading(1 + i % 3, t += US_PER_S, i);
			series_add(s, &r, t);
			if (r.point == 1)
				model_add(&m, &r);
			if (i % 40 == 0)
				series_flush(s, true);
		}
		series_flush(s, true);
		if (round % 2) {
			for (int i = 0; series_health(s) == OK; i++) {
				assert_true(i < 30000);
				usleep(1000);
			}
			assert_int_equal(series_health(s), round == 3 ? ERR_IO : ERR_FULL);
			assert_int_equal(series_durable(s), before);
			usleep(150000);
			assert_int_equal(series_durable(s), before);
			check_model(s, 1, &m, 0, INT64_MAX);
			atomic_store(&slog_fault, 0);
		}
		wait_durable(s);
		assert_int_equal(series_health(s), OK);
	}
	// blocks that cannot be written stay in memory and are found
	atomic_store(&blocks_fault, ERR_FULL);
	for (int i = 0; i < 100; i++) {
		struct reading r = reading(1, t += US_PER_S, i);
		series_add(s, &r, t);
		model_add(&m, &r);
	}
	wait_durable(s);
	struct series_stats st;
	for (int i = 0; series_stats(s, &st), st.seal_error == OK; i++) {
		assert_true(i < 30000);
		usleep(1000);
	}
	assert_true(st.pending > 0);
	check_model(s, 1, &m, 0, INT64_MAX);
	atomic_store(&blocks_fault, 0);
	wait_sealed(s);
	check_model(s, 1, &m, 0, INT64_MAX);
	series_close(s);
	s = open_with(1 << 20, 16, NULL);
	check_model(s, 1, &m, 0, INT64_MAX);
	series_close(s);
	free(m.v);
}

// ---- damaged files ----

// A process that adds n readings to point 1, all durable, and ends without closing.
static void crashed_process(int n, int64_t from)
{
	pid_t child = fork();
	if (child == 0) {
		struct series *s = open_with((size_t)64 << 20, 5000, NULL);
		for (int i = 0; i < n; i++) {
			struct reading r = reading(1, from + i * US_PER_S, i);
			series_add(s, &r, r.time);
			if (i % 10 == 9)
				wait_durable(s);
		}
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static size_t count_samples(struct series *s, uint32_t point)
{
	struct arena *a = arena_new(0);
	struct sample *v;
	size_t n;
	assert_int_equal(series_read(s, point, 0, INT64_MAX, MANY, a, &v, &n), OK);
	arena_free(a);
	return n;
}

static void only_file(const char *sub, const char *end, char *ret, size_t cap)
{
	char path[256];
	ret[0] = 0;
	snprintf(path, sizeof(path), "%s%s", dir, sub);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		if (str_ends(str_of(e->d_name), str_of(end)))
			snprintf(ret, cap, "%s/%s", path, e->d_name);
	closedir(d);
	assert_true(ret[0]);
}

static size_t log_end(const char *path) // after the last byte that is not zero
{
	int fd = open(path, O_RDONLY);
	static char b[2 << 20];
	ssize_t n = read(fd, b, sizeof(b));
	close(fd);
	while (n > 0 && !b[n - 1])
		n--;
	return (size_t)n;
}

static void damage(const char *path, size_t at, size_t n)
{
	char b[64];
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0 && n <= sizeof(b));
	assert_int_equal(pread(fd, b, n, (off_t)at), n);
	for (size_t i = 0; i < n; i++)
		b[i] ^= 0x55;
	assert_int_equal(pwrite(fd, b, n, (off_t)at), n);
	close(fd);
}

static void test_torn_log(void **state)
{
	(void)state;
	char path[512];
	for (int cut = 1; cut < 60; cut += 7) { // the last group is at most ~60 bytes long
		remove_dir(dir);
		mkdir(dir, 0700);
		crashed_process(100, START);
		only_file("/log", ".log", path, sizeof(path));
		size_t end = log_end(path);
		if (cut % 2)
			assert_int_equal(truncate(path, (off_t)(end - (size_t)cut)), 0);
		else
			damage(path, end - (size_t)cut, 1);
		struct series *s = open_with((size_t)64 << 20, 5000, NULL);
		size_t n = count_samples(s, 1);
		assert_true(n == 90 || n == 80);
		struct reading r = reading(1, START + 1000 * US_PER_S, 1);
		assert_int_equal(series_add(s, &r, r.time), ARRIVED_NEW); // and goes on
		series_close(s);
		s = open_with((size_t)64 << 20, 5000, NULL);
		assert_int_equal(count_samples(s, 1), n + 1);
		series_close(s);
	}
}

static void test_damaged_log_middle(void **state)
{
	(void)state;
	char path[512];
	crashed_process(100, START);
	only_file("/log", ".log", path, sizeof(path));
	damage(path, log_end(path) / 2, 1);
	struct series *s = open_with((size_t)64 << 20, 5000, NULL);
	struct series_stats st;
	series_stats(s, &st);
	assert_int_equal(count_samples(s, 1), 90);
	assert_int_equal(st.corrupt, 10);
	series_close(s);
}

static void test_damaged_block(void **state)
{
	(void)state;
	char path[512];
	struct series *s = open_with(1 << 20, 50, NULL);
	for (int i = 0; i < 2000; i++) {
		struct reading r = reading(1, START + i * US_PER_S, (double)(rnd() % 1000000) / 7);
		series_add(s, &r, r.time);
	}
	wait_durable(s);
	series_close(s);
	only_file("", ".db", path, sizeof(path));
	damage(path, 6 * 4096 + 2500, 16); // inside a block of some leaf: pages 2 to 4 are the roots of the tables
	s = open_with(1 << 20, 50, NULL);
	size_t n = count_samples(s, 1);
	struct series_stats st;
	series_stats(s, &st);
	assert_true(n < 2000 && n >= 1800);
	assert_true(st.corrupt >= 1);
	series_close(s);
}

// A damaged snapshot loses what was only in memory; block numbers are not used again, so no block is overwritten.
static void test_damaged_snapshot(void **state)
{
	(void)state;
	char path[300];
	struct series *s = open_with(1 << 20, 20, NULL);
	for (int i = 0; i < 200; i++) {
		struct reading r = reading(1, START + i * US_PER_S, i);
		series_add(s, &r, r.time);
	}
	series_close(s);
	snprintf(path, sizeof(path), "%s/snapshot", dir);
	damage(path, 60, 4);
	s = open_with(1 << 20, 20, NULL);
	size_t kept = count_samples(s, 1);
	struct series_stats st;
	series_stats(s, &st);
	assert_true(st.corrupt >= 1);
	assert_true(kept >= 180 && kept <= 200);
	for (int i = 0; i < 200; i++) {
		struct reading r = reading(1, START + (1000 + i) * US_PER_S, i);
		series_add(s, &r, r.time);
	}
	wait_durable(s);
	series_close(s);
	s = open_with(1 << 20, 20, NULL);
	assert_int_equal(count_samples(s, 1), kept + 200);
	series_close(s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_full_disk), TEST(test_torn_log), TEST(test_damaged_log_middle), TEST(test_damaged_block),
		TEST(test_damaged_snapshot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
