// needs: base series store
// threads
// Roll-ups give what the samples give, to the last bit: with late and repeated samples, over restarts, passes at any moment
// and kills; and retention deletes what it says, keeps what is held, and leaves the roll-ups.
#include <sys/stat.h>

#include "base/hash.h"
#include "series/roll.h"
#include "store/blocks.h"
#include "store/rolls.h"
#include "tests/unit/series_help.h"

#define POINTS 5

static struct series *open_rolling(uint32_t chunk_points, int64_t roll_us)
{
	struct series_config cfg = { .dir = dir, .group_us = 1000, .gather_us = 50000, .log_limit = 20000, .chunk_points = chunk_points, .roll_us = roll_us };
	struct series *s = NULL;
	assert_int_equal(series_open(&s, &cfg, NULL, NULL), OK);
	return s;
}

static void roll(struct series *s)
{
	wait_sealed(s);
	assert_int_equal(series_roll(s, 60 * US_PER_S), OK);
}

// ---- sums ----

// An oracle that shares nothing with it: multiples of 2^-60 as whole numbers of 128 bits.
static __int128 fixed(double v)
{
	return (__int128)(v * 0x1p60);
}

static double rounded(__int128 sum)
{
	return (double)sum * 0x1p-60;
}

static void test_sum_is_exact(void **state)
{
	(void)state;
	for (int run = 0; run < 2000; run++) {
		struct exact whole = { 0 }, part[3] = { 0 };
		__int128 sum = 0;
		int n = (int)(rnd() % 60);
		for (int i = 0; i < n; i++) {
			double v = ldexp((double)(int64_t)(rnd() % (1u << 30)) - (1 << 29), (int)(rnd() % 50) - 60);
			if (rnd() % 7 == 0 && sum)
				v = -rounded(sum); // cancels nearly all of it
			if (v != v || fabs(v) < 0x1p-60 || fixed(v) != (__int128)(v * 0x1p60))
				continue;
			sum += fixed(v);
			exact_add(&whole, v);
			exact_add(&part[rnd() % 3], v);
		}
		assert_true(exact_value(&whole) == rounded(sum));
		for (size_t k = 1; k < 3; k++)
			for (unsigned i = 0; i < part[k].n; i++)
				exact_add(&part[0], part[k].part[i]);
		assert_true(exact_value(&part[0]) == rounded(sum));
	}
	struct exact big = { 0 };
	for (int i = 0; i < 4; i++)
		exact_add(&big, 1.7e308);
	assert_true(isinf(exact_value(&big)));
}

static void test_row(void **state)
{
	(void)state;
	for (int run = 0; run < 300; run++) {
		struct roll_day d = { .newest = (int64_t)(rnd() % (86400 * UINT64_C(1000000))) }, back;
		for (int h = 0; h < 24; h++)
			for (uint64_t i = rnd() % 4 ? rnd() % 50 : 0; i; i--) {
				double v = run % 3 == 0 ? (double)rnd() / 7 : (double)(int64_t)(rnd() % 20001 - 10000) / (run % 3 == 1 ? 10 : 1000);
				roll_add(&d.hour[h], &(struct sample){ 0, v, (uint16_t)(rnd() % Q__MAX) });
			}
		struct buf b;
		buf_init(&b, 1 << 20);
		roll_day_write(&d, &b);
		assert_true(roll_day_read(buf_str(&b), &back));
		assert_int_equal(back.newest, d.newest);
		for (int h = 0; h < 24; h++) {
			for (unsigned i = d.hour[h].sum.n; i < SUM_PARTS; i++)
				d.hour[h].sum.part[i] = 0; // left over
			assert_memory_equal(&back.hour[h], &d.hour[h], sizeof(d.hour[h]));
		}
		for (size_t cut = 0; cut < b.n; cut++)
			assert_false(roll_day_read(str_from(b.p, cut), &back));
		buf_free(&b);
	}
}

// ---- against the samples ----

// What the steps must be, from samples in order of time, each time once.
static void expect_steps(const struct sample *v, size_t n, const struct agg *g, size_t steps, int64_t step, int64_t to)
{
	size_t i = 0;
	while (i < n && steps && v[i].time < g[0].from)
		i++;
	for (size_t k = 0; k < steps; k++) {
		struct agg want = { .from = g[k].from };
		__int128 sum = 0;
		for (; i < n && v[i].time < MIN(g[k].from + step, to); i++) {
			want.count[v[i].quality]++;
			want.worst = MAX(want.worst, v[i].quality);
			if (v[i].quality > Q_RANGE) {
				want.bad++;
				continue;
			}
			want.first = want.n ? want.first : v[i].value;
			want.min = want.n ? fmin(want.min, v[i].value) : v[i].value;
			want.max = want.n ? fmax(want.max, v[i].value) : v[i].value;
			want.last = v[i].value;
			sum += fixed(v[i].value);
			want.n++;
		}
		want.sum = rounded(sum);
		CHECK(memcmp(want.count, g[k].count, sizeof(want.count)) == 0);
		CHECK(want.n == g[k].n && want.bad == g[k].bad && want.worst == g[k].worst);
		CHECK(want.first == g[k].first && want.last == g[k].last && want.min == g[k].min && want.max == g[k].max);
		CHECK(want.sum == g[k].sum);
	}
}

static void check_steps(struct series *s, uint32_t point, const struct sample *v, size_t n, int64_t from, int64_t to, int64_t step)
{
	struct arena *a = arena_new(0);
	struct agg *g;
	size_t steps;
	CHECK(series_aggregate(s, point, from, to, step, a, &g, &steps) == OK);
	CHECK(steps == (size_t)((to - from + step - 1) / step));
	expect_steps(v, n, g, steps, step, to);
	arena_free(a);
}

static void check_all(struct series *s, struct model *m)
{
	static const int64_t steps[] = { US_PER_HOUR, 3 * US_PER_HOUR, US_PER_DAY, 7 * US_PER_DAY };
	for (uint32_t p = 1; p <= POINTS; p++) {
		struct sample *v = malloc((m[p].n + 1) * sizeof(*v));
		memcpy(v, m[p].v, m[p].n * sizeof(*v));
		qsort(v, m[p].n, sizeof(*v), by_time);
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			int64_t from = START - 70 * US_PER_DAY + 16 * US_PER_HOUR; // a day of the site's zone
			from += (int64_t)(rnd() % 2000) * US_PER_HOUR;
			check_steps(s, p, v, m[p].n, from, from + 120 * US_PER_DAY + (int64_t)(rnd() % 3) * 1234567, steps[k]);
		}
		check_steps(s, p, v, m[p].n, START - 50 * US_PER_DAY, START + 90 * US_PER_DAY, US_PER_DAY);
		free(v);
	}
}

static void test_late_and_repeated(void **state)
{
	(void)state;
	struct model m[POINTS + 1] = { 0 };
	struct series *s = open_rolling(16, 0);
	int64_t now = START;
	for (int step = 0; step < 6000; step++) {
		uint32_t point = 1 + (uint32_t)(rnd() % POINTS);
		now += (int64_t)(rnd() % 1200) * US_PER_S;
		struct reading r = reading(point, now, (double)(int64_t)(rnd() % 20001 - 10000) / 10);
		r.quality = rnd() % 10 ? 0 : rnd() % Q__MAX;
		unsigned what = rnd() % 20;
		if (what == 0 && m[point].n)
			r.time = m[point].v[rnd() % m[point].n].time; // again
		else if (what < 3)
			r.time -= (int64_t)(rnd() % 100000) * US_PER_S;
		else if (what == 3 && rnd() % 4 == 0)
			r.time -= (int64_t)(rnd() % 60) * US_PER_DAY;
		series_add(s, &r, now);
		model_add(&m[point], &r);
		if (rnd() % 50 == 0) {
			series_flush(s, false);
			series_turn(s, now);
		}
		if (rnd() % 300 == 0)
			roll(s);
		if (rnd() % 1200 == 0) {
			series_close(s);
			s = open_rolling(rnd() % 2 ? 16 : 25, 0);
		}
		if (rnd() % 900 == 0)
			check_all(s, m);
	}
	for (int pass = 0; pass < 2; pass++) {
		check_all(s, m);
		roll(s);
		check_all(s, m);
		series_close(s);
		s = open_rolling(16, 0);
	}
	struct series_stats st;
	series_stats(s, &st);
	assert_int_equal(st.corrupt, 0);
	series_close(s);
	for (uint32_t p = 1; p <= POINTS; p++)
		free(m[p].v);
}

// ---- kill ----

static _Noreturn void child_run(_Atomic uint64_t *k)
{
	struct series *s = open_rolling(12, 1000); // passes without a pause
	for (;; atomic_fetch_add(k, 1)) {
		uint64_t i = atomic_load(k);
		struct reading r = reading(1 + (uint32_t)(i % 3), START + (int64_t)i * 30 * US_PER_S, (double)(i % 977) / 10);
		if (i % 17 == 0)
			r.time -= (int64_t)(i * 7919 % 90000) * US_PER_S + 1;
		series_add(s, &r, r.time);
		if (i % 6 == 0) {
			series_flush(s, i % 24 == 0);
			series_turn(s, 0);
		}
		if (i % 64 == 0)
			usleep(300);
	}
}

static void child_check(void)
{
	struct series *s = open_rolling(12, 1000);
	struct arena *a = arena_new(0);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t p = 1; p <= 3; p++) {
			struct sample *v;
			size_t n;
			CHECK(series_read(s, p, 0, INT64_MAX, 1000000, a, &v, &n) == OK);
			check_steps(s, p, v, n, START - 3 * US_PER_DAY, START + 300 * US_PER_DAY, US_PER_HOUR);
			check_steps(s, p, v, n, START - 40 * US_PER_DAY, START + 400 * US_PER_DAY, US_PER_DAY);
			if (p == 3 && !pass)
				CHECK(series_roll(s, 60 * US_PER_S) == OK);
		}
	struct series_stats st;
	series_stats(s, &st);
	CHECK(st.corrupt == 0);
	arena_free(a);
	if (rnd() % 2)
		series_close(s);
}

static void test_killed(void **state)
{
	(void)state;
	_Atomic uint64_t *k = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int run = 0; run < 20; run++) {
		for (int who = 0; who < 2; who++) {
			fflush(stdout);
			pid_t child = fork();
			if (child == 0 && who) {
				child_check();
				_exit(0);
			}
			if (child == 0)
				child_run(k);
			if (!who)
				usleep((useconds_t)(rnd() % 120000));
			if (!who)
				kill(child, SIGKILL);
			int status;
			waitpid(child, &status, 0);
			if (who)
				assert_int_equal(status, 0);
			rnd();
		}
	}
	print_message("killed: %llu readings\n", (unsigned long long)atomic_load(k));
	munmap(k, 4096);
}

// ---- retention ----

#define MONTH(n) blocks_month_start(blocks_month(START) + (n))

static void fill(struct series *s, struct model *m, int months)
{
	for (int64_t t = MONTH(0); t < MONTH(months); t += 600 * US_PER_S)
		for (uint32_t p = 1; p <= 3; p++) {
			struct reading r = reading(p, t + p, (double)(rnd() % 1000) / 10);
			series_add(s, &r, t);
			if (m[p].n == m[p].cap) {
				m[p].cap = m[p].cap ? 2 * m[p].cap : 1024;
				m[p].v = realloc(m[p].v, m[p].cap * sizeof(*m[p].v));
			}
			m[p].v[m[p].n++] = (struct sample){ r.time, r.value, 0 };
			if (p == 3) {
				series_flush(s, false);
				series_turn(s, t);
			}
		}
	wait_durable(s);
	wait_sealed(s);
}

static size_t count_raw(struct series *s, uint32_t point, int64_t from, int64_t to)
{
	struct arena *a = arena_new(0);
	struct sample *v;
	size_t n;
	assert_int_equal(series_read(s, point, from, to, MANY, a, &v, &n), OK);
	arena_free(a);
	return n;
}

static bool file_there(int month)
{
	char path[300];
	struct civil c = time_to_civil(MONTH(month), 0);
	snprintf(path, sizeof(path), "%s/%04d-%02d.db", dir, c.year, c.month);
	return access(path, F_OK) == 0;
}

static void test_retention(void **state)
{
	(void)state;
	struct model m[4] = { 0 };
	struct series *s = open_rolling(20, 0);
	fill(s, m, 4);
	int64_t held = MONTH(1) + 10 * US_PER_DAY;
	// 1: samples of two months go, roll-ups stay; 2: everything of one month goes; 3: nothing is said of it
	struct series_keep keep[] = { { 1, MONTH(2) + US_PER_DAY, 0 }, { 2, MONTH(1), MONTH(1) } };
	struct series_hold hold[] = { { 1, held, held + US_PER_HOUR } };
	struct series_retention w = { keep, ARRAY_LEN(keep), hold, ARRAY_LEN(hold) };
	struct series_removal *plan, *done;
	size_t n, k;
	struct arena *a = arena_new(0);
	assert_int_equal(series_retain(s, &w, true, a, &plan, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(plan[0].points, 2);
	assert_int_equal(plan[1].points, 1);
	assert_true(plan[0].bytes > 0 && plan[0].held == 0 && plan[1].held >= 1 && plan[1].held <= 2);
	assert_int_equal(count_raw(s, 1, MONTH(0), MONTH(1)), (MONTH(1) - MONTH(0)) / (600 * US_PER_S)); // a dry run is dry

	assert_int_equal(series_retain(s, &w, false, a, &done, &k), OK);
	assert_int_equal(k, n);
	assert_memory_equal(plan, done, n * sizeof(*plan));
	for (int pass = 0; pass < 2; pass++) {
		assert_int_equal(count_raw(s, 1, MONTH(0), MONTH(1)), pass); // what came too late
		assert_int_equal(count_raw(s, 1, held, held + US_PER_HOUR), 6);
		assert_in_range(count_raw(s, 1, MONTH(1), MONTH(2)), 6, 40);
		assert_int_equal(count_raw(s, 1, MONTH(2), MONTH(3)), (MONTH(3) - MONTH(2)) / (600 * US_PER_S));
		assert_int_equal(count_raw(s, 2, MONTH(0), MONTH(1)), 0);
		assert_int_equal(count_raw(s, 2, MONTH(1), MONTH(2)), (MONTH(2) - MONTH(1)) / (600 * US_PER_S));
		check_steps(s, 1, m[1].v, m[1].n, MONTH(0), MONTH(4), US_PER_HOUR * 2); // as if the samples were there
		check_steps(s, 1, m[1].v, m[1].n, MONTH(0) + 16 * US_PER_HOUR, MONTH(4), US_PER_DAY);
		check_steps(s, 3, m[3].v, m[3].n, MONTH(0), MONTH(4), US_PER_HOUR * 2);
		// too late to be counted; gone again with the next run
		struct reading late = reading(1, MONTH(0) + 5 * US_PER_DAY + pass, 1e6);
		series_add(s, &late, MONTH(4));
		wait_durable(s);
		check_steps(s, 1, m[1].v, m[1].n, MONTH(0), MONTH(4), US_PER_DAY);
		series_close(s);
		s = open_rolling(20, 0);
		roll(s);
		check_steps(s, 1, m[1].v, m[1].n, MONTH(0), MONTH(4), US_PER_DAY);
	}
	// all of a month goes: the file too, and what is written into that month afterwards makes a new one
	struct series_keep all[] = { { 1, MONTH(1), MONTH(1) }, { 2, MONTH(1), MONTH(1) }, { 3, MONTH(1), MONTH(1) } };
	w = (struct series_retention){ all, 3, NULL, 0 };
	assert_true(file_there(0));
	assert_int_equal(series_retain(s, &w, false, a, &done, &n), OK);
	assert_int_equal(n, 1);
	assert_true(done[0].file && done[0].file_bytes > 0);
	assert_false(file_there(0));
	assert_int_equal(count_raw(s, 3, MONTH(0), MONTH(1)), 0);
	assert_int_equal(count_raw(s, 3, MONTH(1), MONTH(4)), (MONTH(4) - MONTH(1)) / (600 * US_PER_S));
	for (int i = 0; i < 50; i++) {
		struct reading r = reading(3, MONTH(0) + i * US_PER_S, i);
		series_add(s, &r, MONTH(4));
	}
	wait_durable(s);
	wait_sealed(s);
	assert_true(file_there(0));
	assert_int_equal(count_raw(s, 3, MONTH(0), MONTH(1)), 50);
	assert_int_equal(series_retain(s, &w, true, a, &done, &n), OK);
	arena_free(a);
	series_close(s);
	for (int p = 1; p <= 3; p++)
		free(m[p].v);
}

static void test_old_file(void **state)
{
	(void)state;
	struct model m[POINTS + 1] = { 0 };
	struct series *s = open_rolling(20, 0);
	fill(s, m, 1);
	series_close(s);
	s = open_rolling(20, 0);
	assert_int_equal(series_roll(s, 60 * US_PER_S), OK);
	series_close(s);
	// a damaged row is not believed
	char cmd[400];
	struct civil c = time_to_civil(START, 0);
	snprintf(cmd, sizeof(cmd), "sqlite3 %s/%04d-%02d.db \"UPDATE hours SET data=x'0011223344556677' WHERE id %% 3 = 0; DELETE FROM rolled WHERE point=2\"",
	         dir, c.year, c.month);
	assert_int_equal(system(cmd), 0);
	s = open_rolling(20, 0);
	for (uint32_t p = 1; p <= 3; p++)
		check_steps(s, p, m[p].v, m[p].n, MONTH(0), MONTH(1), US_PER_HOUR);
	series_close(s);
	for (int p = 1; p <= 3; p++)
		free(m[p].v);
}

// Passes and deletions while others read.
struct reading_on {
	struct series *s;
	_Atomic bool stop;
};

static void *read_on(void *arg)
{
	struct reading_on *x = arg;
	while (!atomic_load(&x->stop)) {
		struct arena *a = arena_new(0);
		struct agg *g;
		size_t n;
		assert_int_equal(series_aggregate(x->s, 3, MONTH(0), MONTH(2), US_PER_DAY, a, &g, &n), OK);
		for (size_t i = 0; i < n; i++)
			assert_true(g[i].n == 144);
		(void)count_raw(x->s, 1, MONTH(0), MONTH(2));
		arena_free(a);
	}
	return NULL;
}

// ---- a month that is over ----

struct digest { uint32_t crc; size_t n; };

static enum err add_block(void *arg, const struct block *b)
{
	struct digest *d = arg;
	d->crc = crc32c(crc32c(d->crc, &b->no, sizeof b->no), b->bytes.p, b->bytes.n);
	d->n++;
	return OK;
}

static struct digest all_blocks(struct blocks *b, uint32_t points, int32_t month)
{
	struct digest d = { 0, 0 };
	uint32_t corrupt = 0;
	for (uint32_t p = 1; p <= points; p++)
		assert_int_equal(blocks_read(b, p, blocks_month_start(month), blocks_month_start(month + 1), add_block, &d, &corrupt), OK);
	assert_int_equal(corrupt, 0);
	return d;
}

static int64_t file_size(const struct blocks *b, int32_t month)
{
	char path[4096];
	struct stat st;
	blocks_path(b, month, path, sizeof path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_packed_once_and_the_same(void **state)
{
	enum { PACK_POINTS = 300, ROUNDS = 24 };
	static struct block v[PACK_POINTS];
	static char bytes[PACK_POINTS][300];
	struct blocks *b;
	bool packed = true;
	const int32_t month = 2025 * 12;
	(void)state;
	assert_int_equal(blocks_open(&b, dir), OK);
	for (uint32_t no = 0; no < ROUNDS; no++) { // a round of all points after the other: between blocks that are there
		for (uint32_t i = 0; i < PACK_POINTS; i++) {
			int64_t t0 = blocks_month_start(month) + no * US_PER_HOUR;
			memset(bytes[i], (int)(i * 7 + no), sizeof bytes[i]);
			v[i] = (struct block){ .month = month, .point = i + 1, .no = no, .t0 = t0, .t1 = t0 + US_PER_MIN,
				               .bytes = str_from(bytes[i], 200 + (i * 31 + no * 17) % 100) };
		}
		assert_int_equal(blocks_write(b, v, PACK_POINTS), OK);
	}
	struct digest before = all_blocks(b, PACK_POINTS, month);
	assert_int_equal(before.n, PACK_POINTS * ROUNDS);
	assert_int_equal(rolls_pack(b, month, &packed), OK);
	assert_true(packed);
	int64_t size = file_size(b, month);
	struct digest after = all_blocks(b, PACK_POINTS, month);
	assert_true(after.n == before.n && after.crc == before.crc);
	assert_true(size < (int64_t)(PACK_POINTS * ROUNDS) * (250 + 26) * 11 / 10); // blocks and rows, and less than a tenth of pages
	assert_int_equal(rolls_pack(b, month, &packed), OK);
	assert_false(packed); // nothing came since
	v[7].no = ROUNDS;
	assert_int_equal(blocks_write(b, &v[7], 1), OK);
	assert_int_equal(rolls_pack(b, month, &packed), OK);
	assert_false(packed); // one that came late is not worth it
	assert_int_equal(all_blocks(b, PACK_POINTS, month).n, before.n + 1);
	blocks_close(b);
}

static void test_while_others_read(void **state)
{
	(void)state;
	struct model m[4] = { 0 };
	struct reading_on x = { .s = open_rolling(20, 0) };
	fill(x.s, m, 2);
	struct series_keep keep[] = { { 1, MONTH(2), MONTH(2) }, { 2, MONTH(2), MONTH(1) }, { 3, MONTH(2), 0 } };
	struct series_retention w = { keep, 3, NULL, 0 };
	struct series_removal *done;
	size_t n;
	series_close(x.s); // the open chunks are few; what is sealed is in blocks
	x.s = open_rolling(20, 0);
	struct arena *a = arena_new(0);
	pthread_t t[2];
	series_turn(x.s, 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_create(&t[i], NULL, read_on, &x);
	for (int i = 0; i < 200; i++) { // T_SERIES serves the readers meanwhile
		series_turn(x.s, 0);
		usleep(300);
		if (i == 50) {
			assert_int_equal(series_retain(x.s, &w, true, a, &done, &n), OK);
			assert_int_equal(n, 2);
		}
	}
	assert_int_equal(series_roll(x.s, 60 * US_PER_S), OK);
	atomic_store(&x.stop, true);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct timespec ts;
		do {
			series_turn(x.s, 0);
			clock_gettime(CLOCK_REALTIME, &ts);
			ts.tv_nsec += 1000000;
		} while (pthread_timedjoin_np(t[i], NULL, &ts) != 0);
	}
	arena_free(a);
	series_close(x.s);
	for (int p = 1; p <= 3; p++)
		free(m[p].v);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_sum_is_exact), TEST(test_row), TEST(test_late_and_repeated), TEST(test_killed), TEST(test_retention),
		TEST(test_old_file), TEST(test_packed_once_and_the_same), TEST(test_while_others_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
