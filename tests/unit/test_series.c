// needs: base series store
// threads
// The series store against a plain model: what was accepted is found once, the first wins, over restarts and kills at
// any moment; months, aggregation, readers in other threads.
#include "base/buf.h"
#include "tests/unit/series_help.h"

#define POINTS 7

static void test_against_model(void **state)
{
	(void)state;
	struct model model[POINTS + 1] = { 0 };
	struct series *s = open_with(20000, 16, NULL);
	int64_t now = START;
	for (int step = 0; step < 12000; step++) {
		uint32_t point = 1 + (uint32_t)(rnd() % POINTS);
		struct model *m = &model[point];
		now += (int64_t)(rnd() % 2000) * US_PER_MS;
		struct reading r = reading(point, now, (double)(rnd() % 1000) / 10);
		r.quality = rnd() % 20 ? 0 : rnd() % Q__MAX;
		unsigned what = rnd() % 20;
		if (what == 0 && m->n) // again what was there
			r.time = m->v[rnd() % m->n].time;
		else if (what == 1 && m->n)
			r.time = m->v[m->n - 1].time;
		else if (what < 4) // late
			r.time -= (int64_t)(rnd() % 1000) * US_PER_S;
		else if (what == 4 && rnd() % 8 == 0) // another month
			r.time -= (int64_t)(rnd() % 100) * US_PER_DAY;
		enum arrival how = series_add(s, &r, now);
		size_t before = m->n;
		model_add(m, &r);
		if (how == ARRIVED_DUPLICATE)
			assert_int_equal(m->n, before);
		if (rnd() % 50 == 0) {
			series_flush(s, rnd() % 2);
			series_turn(s, now);
		}
		if (rnd() % 500 == 0)
			check_model(s, point, m, START + (int64_t)(rnd() % 2000) * US_PER_S,
			            now - (int64_t)(rnd() % 2000) * US_PER_S);
		if (rnd() % 1500 == 0) {
			series_close(s);
			s = open_with(20000, rnd() % 2 ? 16 : 30, NULL);
		}
		if (rnd() % 1500 == 0)
			wait_sealed(s);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t p = 1; p <= POINTS; p++) {
			struct sample last;
			int64_t newest = 0;
			for (size_t i = 0; i < model[p].n; i++)
				newest = MAX(newest, model[p].v[i].time);
			assert_true(series_last(s, p, &last));
			assert_int_equal(last.time, newest);
			check_model(s, p, &model[p], 0, INT64_MAX);
			check_model(s, p, &model[p], START - 40 * US_PER_DAY, START);
		}
		struct series_stats st;
		series_stats(s, &st);
		assert_int_equal(st.corrupt, 0);
		series_close(s);
		s = open_with(20000, 16, NULL);
	}
	assert_false(series_last(s, 99, &(struct sample){ 0 }));
	series_close(s);
	for (uint32_t p = 1; p <= POINTS; p++)
		free(model[p].v);
}

static void test_refused(void **state)
{
	(void)state;
	struct series *s = open_with(1 << 20, 16, NULL);
	struct reading bad[] = { reading(0, START, 1), reading(4000001, START, 1), reading(1, -1, 1),
		reading(1, INT64_MAX, 1), reading(1, START, NAN), reading(1, START, INFINITY) };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(series_add(s, &bad[i], START), ARRIVED_DUPLICATE);
	struct reading zero = reading(1, START, -0.0);
	assert_int_equal(series_add(s, &zero, START), ARRIVED_NEW);
	struct sample last;
	assert_true(series_last(s, 1, &last));
	assert_false(signbit(last.value));
	series_close(s);
}

// ---- months ----

static void test_months(void **state)
{
	(void)state;
	struct series *s = open_with(1 << 20, 100, NULL);
	struct model m = { 0 };
	int64_t boundary = blocks_month_start(blocks_month(START) + 1);
	for (int i = -50; i < 50; i++) {
		struct reading r = reading(1, boundary + i * 10 * US_PER_S, i);
		assert_int_equal(series_add(s, &r, r.time), ARRIVED_NEW);
		model_add(&m, &r);
		if (i % 7 == 0) { // late over the boundary
			r.time -= 123 * US_PER_S + i;
			series_add(s, &r, r.time);
			model_add(&m, &r);
		}
	}
	check_model(s, 1, &m, 0, INT64_MAX);
	series_close(s);
	s = open_with(1 << 20, 100, NULL);
	for (int i = 0; i < 200; i++) {
		struct reading r = reading(1, boundary + 5000 * US_PER_S + i * US_PER_S, i);
		series_add(s, &r, r.time);
		model_add(&m, &r);
	}
	wait_durable(s);
	wait_sealed(s);
	check_model(s, 1, &m, 0, INT64_MAX);
	check_model(s, 1, &m, boundary, INT64_MAX);
	check_model(s, 1, &m, 0, boundary);
	check_model(s, 1, &m, boundary - 100 * US_PER_S, boundary + 100 * US_PER_S);
	char path[300];
	for (int k = 0; k < 2; k++) {
		struct civil c = time_to_civil(k ? boundary : boundary - 1, 0);
		snprintf(path, sizeof(path), "%s/%04d-%02d.db", dir, c.year, c.month);
		assert_int_equal(access(path, F_OK), 0);
	}
	series_close(s);
	free(m.v);
}

// Late samples that rise among themselves from one month into the next are found in both.
static void test_late_over_months(void **state)
{
	(void)state;
	struct series *s = open_with(1 << 20, 4, NULL);
	struct model m = { 0 };
	int64_t boundary = blocks_month_start(blocks_month(START) + 1);
	int64_t times[] = { boundary + 900, boundary + 901, boundary + 902, boundary + 903, boundary - 5, boundary - 3, boundary + 3, boundary + 5 };
	for (size_t i = 0; i < ARRAY_LEN(times) * 8; i++) {
		struct reading r = reading(1, times[i % 8] + (int64_t)(i / 8) * 1000, (double)i);
		series_add(s, &r, r.time);
		model_add(&m, &r);
	}
	wait_durable(s);
	wait_sealed(s);
	check_model(s, 1, &m, boundary, INT64_MAX);
	check_model(s, 1, &m, 0, boundary);
	series_close(s);
	free(m.v);
}

// ---- aggregation ----

static void test_aggregate(void **state)
{
	(void)state;
	struct series *s = open_with(1 << 20, 50, NULL);
	struct model m = { 0 };
	for (int i = 0; i < 3000; i++) {
		struct reading r = reading(3, START + (int64_t)(rnd() % (30 * 86400)) * US_PER_S, (double)(rnd() % 1000) / 10);
		r.quality = rnd() % Q__MAX;
		series_add(s, &r, r.time);
		model_add(&m, &r);
	}
	qsort(m.v, m.n, sizeof(*m.v), by_time);
	static const int64_t steps[] = { 7 * US_PER_HOUR, US_PER_DAY + 1, 40 * US_PER_DAY, 300 * US_PER_S };
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		struct arena *a = arena_new(0);
		struct agg *v;
		size_t n;
		int64_t from = START + US_PER_DAY, to = START + 28 * US_PER_DAY + 17;
		assert_int_equal(series_aggregate(s, 3, from, to, steps[k], a, &v, &n), OK);
		assert_int_equal(n, (to - from + steps[k] - 1) / steps[k]);
		for (size_t i = 0; i < n; i++) {
			struct agg want = { .from = from + (int64_t)i * steps[k] };
			assert_int_equal(v[i].from, want.from);
			for (size_t j = 0; j < m.n; j++) {
				const struct sample *x = &m.v[j];
				if (x->time < want.from || x->time >= MIN(want.from + steps[k], to))
					continue;
				want.worst = MAX(want.worst, x->quality);
				if (x->quality > Q_RANGE) {
					want.bad++;
					continue;
				}
				want.min = want.n ? fmin(want.min, x->value) : x->value;
				want.max = want.n ? fmax(want.max, x->value) : x->value;
				want.sum += x->value;
				want.last = x->value;
				want.n++;
			}
			assert_int_equal(v[i].n, want.n);
			assert_int_equal(v[i].bad, want.bad);
			assert_int_equal(v[i].worst, want.worst);
			assert_true(v[i].min == want.min && v[i].max == want.max && v[i].last == want.last);
			assert_true(fabs(v[i].sum - want.sum) < 1e-6);
		}
		arena_free(a);
	}
	struct arena *a = arena_new(0);
	struct agg *v;
	struct sample *raw;
	size_t n;
	assert_int_equal(series_aggregate(s, 3, 0, INT64_MAX, 1, a, &v, &n), ERR_TOO_LARGE);
	assert_int_equal(series_aggregate(s, 3, 0, 10, 0, a, &v, &n), ERR_INVALID);
	assert_int_equal(series_aggregate(s, 3, INT64_MIN, INT64_MAX, 10, a, &v, &n), ERR_INVALID);
	assert_int_equal(series_read(s, 3, 0, INT64_MAX, 100, a, &raw, &n), ERR_TOO_LARGE);
	assert_int_equal(n, 0);
	arena_free(a);
	series_close(s);
	free(m.v);
}

// ---- kill -9 at any moment ----

struct shared {
	_Atomic uint64_t tried;    // index of the last reading given to series_add, + 1
	_Atomic uint64_t durable;  // all before this index were acknowledged
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

#define KILL_POINTS 40
// The k-th reading of the test, always the same; times are unique for a point.
static struct reading nth(uint64_t k)
{
	uint64_t h = mix(k + 1);
	int64_t t = START + (int64_t)k * 20 * US_PER_S;
	if (h % 13 == 0)
		t -= (int64_t)(h >> 8 & 0xffff) * 20 * US_PER_S + (int64_t)(k % 9999999) + 1; // late; never the same twice
	return (struct reading){ .point = 1 + (uint32_t)(h >> 20) % KILL_POINTS, .time = t,
		.value = (double)(mix(h) % 10000) / 10, .quality = h % 31 == 0 };
}

struct ext {
	uint64_t n, sum; // readings and a sum over them, as an evaluator would keep
};
static struct ext ext[KILL_POINTS + 1];
static struct ext whole; // of all points, in the order of arrival

static void ext_add(uint32_t point, int64_t time, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	ext[point].n++;
	ext[point].sum += mix((uint64_t)time ^ bits);
}
static void whole_add(int64_t time, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	whole.n++;
	whole.sum = mix(whole.sum ^ (uint64_t)time ^ bits);
}
static void whole_save(void *arg, struct buf *out)
{
	(void)arg;
	buf_add(out, &whole, sizeof(whole));
}
static void whole_load(void *arg, struct str saved)
{
	(void)arg;
	CHECK(saved.n == sizeof(whole));
	memcpy(&whole, saved.p, sizeof(whole));
}
static void ext_save(void *arg, uint32_t point, void *p)
{
	(void)arg;
	memcpy(p, &ext[point], sizeof(ext[point]));
}
static void ext_load(void *arg, uint32_t point, const void *p)
{
	(void)arg;
	memcpy(&ext[point], p, sizeof(ext[point]));
}
static void ext_replay(void *arg, const struct reading *r, enum arrival how, int64_t arrival)
{
	(void)arg;
	(void)arrival;
	whole_add(r->time, r->value);
	if (how != ARRIVED_DUPLICATE)
		ext_add(r->point, r->time, r->value);
}
static const struct series_hooks ext_hooks = { .ext_size = sizeof(struct ext), .save = ext_save, .load = ext_load,
	.replay = ext_replay, .save_all = whole_save, .load_all = whole_load };

static _Noreturn void child_run(struct shared *sh)
{
	memset(ext, 0, sizeof(ext));
	memset(&whole, 0, sizeof(whole));
	struct series *s = open_with(8000, 12, &ext_hooks);
	static struct {
		uint64_t mark, k;
	} ring[1024];
	size_t first = 0, n = 0;
	for (uint64_t k = atomic_load(&sh->tried);; k++) {
		atomic_store(&sh->tried, k + 1);
		struct reading r = nth(k);
		if (series_add(s, &r, r.time) != ARRIVED_DUPLICATE)
			ext_add(r.point, r.time, r.value), whole_add(r.time, r.value);
		if (k % 7 == 0)
			series_add(s, &r, r.time); // again: newest or late, never stored twice
		if (k % 5 == 0) {
			series_flush(s, k % 20 == 0);
			if (n < ARRAY_LEN(ring)) {
				ring[(first + n) % ARRAY_LEN(ring)].mark = series_mark(s);
				ring[(first + n++) % ARRAY_LEN(ring)].k = k + 1;
			}
			series_turn(s, 0);
		}
		while (n && ring[first].mark <= series_durable(s)) {
			atomic_store(&sh->durable, ring[first].k);
			first = (first + 1) % ARRAY_LEN(ring);
			n--;
		}
		if (k % 64 == 0)
			usleep(200);
	}
}

enum fate { ACKNOWLEDGED, UNCERTAIN, SEEN, GONE }; // of a reading: what a look before found, or what must hold now

static void check_killed(const struct shared *sh, uint8_t *fate)
{
	memset(ext, 0, sizeof(ext));
	memset(&whole, 0, sizeof(whole));
	struct series *s = open_with(8000, 12, &ext_hooks);
	struct ext all = { 0 };
	struct arena *a = arena_new(0);
	uint64_t tried = atomic_load(&sh->tried);
	struct {
		struct sample *v;
		size_t n;
	} got[KILL_POINTS + 1];
	size_t total = 0, expected = 0;
	for (uint32_t p = 1; p <= KILL_POINTS; p++) {
		CHECK(series_read(s, p, 0, INT64_MAX, 1000000, a, &got[p].v, &got[p].n) == OK);
		uint64_t sum = 0, bits;
		for (size_t i = 0; i < got[p].n; i++) {
			memcpy(&bits, &got[p].v[i].value, sizeof(bits));
			sum += mix((uint64_t)got[p].v[i].time ^ bits);
		}
		CHECK(ext[p].n == got[p].n); // the hooks saw each exactly once too
		CHECK(ext[p].sum == sum);
		total += got[p].n;
	}
	for (uint64_t k = 0; k < tried; k++) {
		struct reading r = nth(k);
		struct sample key = { .time = r.time };
		const struct sample *x = bsearch(&key, got[r.point].v, got[r.point].n, sizeof(*x), by_time);
		if (fate[k] == ACKNOWLEDGED || fate[k] == SEEN)
			CHECK(x != NULL);
		if (fate[k] == GONE)
			CHECK(x == NULL); // what was lost unacknowledged does not come back
		if (x) {
			CHECK(x->value == r.value);
			CHECK(x->quality == r.quality);
			expected++;
			uint64_t bits;
			memcpy(&bits, &r.value, sizeof(bits));
			all.sum = mix(all.sum ^ (uint64_t)r.time ^ bits);
		}
		fate[k] = x ? SEEN : GONE;
	}
	CHECK(total == expected);
	CHECK(whole.n == total && whole.sum == all.sum); // and in the order in which they came
	struct series_stats st;
	series_stats(s, &st);
	CHECK(st.corrupt == 0);
	arena_free(a);
	if (rnd() % 3 == 0)
		series_close(s); // otherwise leave it like a crash: the process that checks is a child as well
}

static void test_kill(void **state)
{
	(void)state;
	struct shared *sh = mmap(NULL, sizeof(*sh) + (4 << 20), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint8_t *fate = (uint8_t *)(sh + 1);
	const char *runs = getenv("KILL_RUNS");
	for (int run = 0, end = runs ? (int)strtol(runs, NULL, 10) : 100; run < end; run++) {
		pid_t child = fork();
		if (child == 0)
			child_run(sh);
		usleep((useconds_t)(rnd() % (run % 10 == 0 ? 1500000 : 80000)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		assert_true(atomic_load(&sh->tried) < (4 << 20));
		for (uint64_t k = atomic_load(&sh->durable); k < atomic_load(&sh->tried); k++)
			fate[k] = UNCERTAIN;
		atomic_store(&sh->durable, atomic_load(&sh->tried));
		if (run % 4 && run != end - 1)
			continue; // several kills before one look
		rnd();
		fflush(stdout);
		pid_t checker = fork();
		if (checker == 0) {
			check_killed(sh, fate);
			_exit(0);
		}
		int status;
		waitpid(checker, &status, 0);
		assert_int_equal(status, 0);
	}
	print_message("killed: %llu readings tried\n", (unsigned long long)atomic_load(&sh->tried));
	munmap(sh, sizeof(*sh) + (4 << 20));
}

// ---- notes ----

static char noted[3][SERIES_NOTE_MAX + 1];
static size_t noted_n[3];

static void on_note(void *arg, uint32_t owner, struct str bytes)
{
	(void)arg;
	CHECK(owner < 3);
	noted_n[owner] = bytes.n;
	memcpy(noted[owner], bytes.p, bytes.n);
}
static const struct series_hooks note_hooks = { .note = on_note };

// What was noted and is durable comes again, the last of each owner last, and is no reading.
static void test_notes(void **state)
{
	(void)state;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		static char all[SERIES_NOTE_MAX];
		for (size_t i = 0; i < sizeof all; i++)
			all[i] = (char)(i * 7);
		struct series *s = open_with(8000, 12, &note_hooks);
		struct reading r = { .point = 5, .time = INT64_C(1700000000000000), .value = 1.5 };
		series_note(s, 1, STR("earlier"), r.time);
		series_add(s, &r, r.time);
		series_note(s, 2, str_from(all, sizeof all), r.time);
		series_note(s, 1, STR("\xff\xff\xff\xff\xff\xff\x00x"), r.time);
		r.time += US_PER_S;
		series_add(s, &r, r.time);
		series_note(s, 0, STR("gone"), r.time);
		series_note(s, 0, STR_EMPTY, r.time);
		series_flush(s, true);
		while (series_durable(s) < series_mark(s))
			usleep(1000);
		_exit(0); // without a word
	}
	int status;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	struct series *s = open_with(8000, 12, &note_hooks);
	struct series_stats st;
	series_stats(s, &st);
	assert_int_equal(st.replayed, 2);
	assert_int_equal(st.points, 1);
	assert_int_equal(st.corrupt, 0);
	assert_int_equal(noted_n[0], 0);
	assert_true(str_eq(str_from(noted[1], noted_n[1]), STR("\xff\xff\xff\xff\xff\xff\x00x")));
	assert_int_equal(noted_n[2], SERIES_NOTE_MAX);
	for (size_t i = 0; i < SERIES_NOTE_MAX; i++)
		assert_true(noted[2][i] == (char)(i * 7));
	series_close(s);
}

// ---- other threads ----

struct readers {
	struct series *s;
	_Atomic bool stop;
	_Atomic uint64_t reads;
	_Atomic int64_t durable_to; // point 5 has every second up to here
};

static void *reader_main(void *arg)
{
	struct readers *rd = arg;
	while (!atomic_load(&rd->stop)) {
		struct arena *a = arena_new(0);
		struct sample *v, last;
		struct agg *g;
		size_t n;
		int64_t to = atomic_load(&rd->durable_to);
		assert_int_equal(series_read(rd->s, 5, START, to, MANY, a, &v, &n), OK);
		assert_int_equal(n, (to - START) / US_PER_S);
		for (size_t i = 0; i < n; i++)
			assert_true(v[i].time == START + (int64_t)i * US_PER_S && v[i].value == (double)(i % 100));
		if (series_last(rd->s, 5, &last))
			assert_true(last.value == (double)((last.time - START) / US_PER_S % 100));
		assert_int_equal(series_aggregate(rd->s, 5, START, START + 86400 * US_PER_S, US_PER_HOUR, a, &g, &n), OK);
		arena_free(a);
		atomic_fetch_add(&rd->reads, 1);
	}
	return NULL;
}

static void test_readers(void **state)
{
	(void)state;
	struct readers rd = { .s = open_with(30000, 40, NULL) };
	atomic_store(&rd.durable_to, START);
	pthread_t t[3];
	series_turn(rd.s, 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_create(&t[i], NULL, reader_main, &rd);
	for (int i = 0; i < 6000 || atomic_load(&rd.reads) < 100; i++) {
		struct reading r = reading(5, START + i * US_PER_S, i % 100);
		series_add(rd.s, &r, r.time);
		for (uint32_t p = 6; p < 20; p++) {
			r.point = p;
			series_add(rd.s, &r, r.time);
		}
		atomic_store(&rd.durable_to, r.time + US_PER_S);
		series_flush(rd.s, false);
		series_turn(rd.s, 0);
		if (i % 16 == 0)
			usleep(300);
	}
	struct series_stats st;
	for (int i = 0; series_stats(rd.s, &st), st.snapshots == 0; i++) { // one comes to its end while they read
		assert_true(i < 120000);
		series_turn(rd.s, 0);
		usleep(500);
	}
	atomic_store(&rd.stop, true);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct timespec ts;
		do {
			series_turn(rd.s, 0);
			clock_gettime(CLOCK_REALTIME, &ts);
			ts.tv_nsec += 1000000;
		} while (pthread_timedjoin_np(t[i], NULL, &ts) != 0);
	}
	series_close(rd.s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_refused), TEST(test_against_model), TEST(test_months), TEST(test_late_over_months), TEST(test_aggregate), TEST(test_kill),
		TEST(test_notes),
		TEST(test_readers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
