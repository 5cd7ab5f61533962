// needs: base series store
// Codecs of src/series: chunks and log groups, round trips with random data, and what they do with damaged bytes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/arena.h"
#include "series/chunk.h"
#include "series/group.h"

static uint64_t seed = 88172645463325252u;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

enum kind { K_TYPICAL, K_SECONDS, K_MICRO, K_LATE, K_NOISE, K_MIXED, K_CONSTANT, K_HUGE, K_FLOAT, K_QUALITY, K__MAX };

static double random_value(enum kind kind, double before)
{
	uint64_t r = rnd();
	switch (kind) {
	case K_NOISE: return (double)(int64_t)r / 3.0e12;
	case K_MIXED: return r % 40 ? (double)(int64_t)(r % 100000) / (r % 3 ? 10 : 1000) : 1.0 / (double)(1 + r % 77);
	case K_CONSTANT: return 20.9;
	case K_HUGE: return ldexp((double)(int64_t)r, (int)(r % 1800) - 900);
	case K_FLOAT: return (double)(float)((double)(r % 100000) / 7.0);
	case K_TYPICAL: case K_SECONDS: case K_MICRO: case K_LATE: case K_QUALITY: case K__MAX: break;
	}
	return r % 100 < 40 ? before : round(before * 10 + (double)(r >> 8 & 7) - (double)(r >> 12 & 7)) / 10;
}

static int64_t random_time(enum kind kind, int64_t grid)
{
	uint64_t r = rnd();
	switch (kind) {
	case K_SECONDS: return grid;
	case K_MICRO: return grid + (int64_t)(r % 15000);
	case K_LATE: return r % 5 ? grid + (int64_t)(r >> 20 & 15) * 1000 : grid - (int64_t)(r >> 20 & 0xfffff) * 1000;
	case K_HUGE: return (int64_t)(r >> 8) % CHUNK_TIME_LIMIT;
	case K_MIXED: return r % 30 ? grid + (int64_t)(r >> 20 & 15) * 1000 : grid + (int64_t)(r >> 20 & 0xffff);
	case K_TYPICAL: case K_NOISE: case K_CONSTANT: case K_FLOAT: case K_QUALITY: case K__MAX: break;
	}
	return grid + (int64_t)(r >> 20 & 15) * 1000;
}

static size_t make(enum kind kind, struct sample *v, size_t n)
{
	int64_t grid = INT64_C(1763683200) * US_PER_S;
	double value = 55.5;
	for (size_t i = 0; i < n; i++, grid += 10 * US_PER_S) {
		value = random_value(kind, value);
		if (!isfinite(value))
			value = 1;
		v[i] = (struct sample){ .time = random_time(kind, grid), .value = value + 0.0 };
		if (kind == K_QUALITY)
			v[i].quality = rnd() % 3 ? 0 : (uint16_t)(rnd() % 256);
	}
	return n;
}

static void assert_same(const struct sample *a, const struct sample *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(a[i].time, b[i].time);
		assert_memory_equal(&a[i].value, &b[i].value, 8);
		assert_int_equal(a[i].quality, b[i].quality);
	}
}

static void test_chunk_round_trip(void **state)
{
	(void)state;
	static struct sample v[CHUNK_SAMPLES], got[CHUNK_SAMPLES];
	static uint8_t flat[CHUNK_FLAT];
	struct cells pool;
	cells_init(&pool);
	for (int kind = 0; kind < K__MAX; kind++) {
		double bytes = 0, samples = 0;
		for (int run = 0; run < 60; run++) {
			size_t n = make((enum kind)kind, v, run < 20 ? 1 + rnd() % 10 : 240), got_n = 0;
			struct chunk c = { 0 };
			for (size_t i = 0; i < n; i++) {
				chunk_add(&c, &pool, &v[i]);
				if (rnd() % 16)
					continue;
				// at any moment what was added can be read
				size_t size = chunk_flatten(&c, &pool, flat);
				assert_int_equal(size, chunk_size(&c));
				assert_int_equal(chunk_decode(str_from((char *)flat, size), got, &got_n), OK);
				assert_int_equal(got_n, i + 1);
				assert_same(v, got, got_n);
			}
			size_t size = chunk_flatten(&c, &pool, flat);
			assert_true(size <= CHUNK_FLAT);
			assert_int_equal(chunk_decode(str_from((char *)flat, size), got, &got_n), OK);
			assert_int_equal(got_n, n);
			assert_same(v, got, n);
			assert_int_equal(chunk_first(str_from((char *)flat, size)), v[0].time);
			bytes += (double)size;
			samples += (double)n;
			chunk_clear(&c, &pool);
			assert_int_equal(pool.in_use, 0);
		}
		print_message("kind %d: %.3f bytes a sample\n", kind, bytes / samples);
		if (kind == K_TYPICAL)
			assert_true(bytes / samples < 1.3);
		if (kind == K_CONSTANT)
			assert_true(bytes / samples < 0.9);
	}
	cells_free(&pool);
}

static void test_chunk_restore(void **state)
{
	(void)state;
	static struct sample v[CHUNK_SAMPLES], got[CHUNK_SAMPLES];
	static uint8_t flat[CHUNK_FLAT];
	struct cells pool;
	cells_init(&pool);
	for (int run = 0; run < 600; run++) {
		size_t n = make((enum kind)(run % K__MAX), v, 2 + rnd() % 200), got_n = 0, cut = 1 + rnd() % (n - 1);
		struct chunk c = { 0 };
		for (size_t i = 0; i < cut; i++)
			chunk_add(&c, &pool, &v[i]);
		size_t size = chunk_flatten(&c, &pool, flat);
		struct chunk d = { .m = c.m, .bits = c.bits, .n = c.n };
		chunk_restore(&d, &pool, flat + 3);
		chunk_clear(&c, &pool);
		for (size_t i = cut; i < n; i++)
			chunk_add(&d, &pool, &v[i]);
		size = chunk_flatten(&d, &pool, flat);
		assert_int_equal(chunk_decode(str_from((char *)flat, size), got, &got_n), OK);
		assert_int_equal(got_n, n);
		assert_same(v, got, n);
		chunk_clear(&d, &pool);
		assert_int_equal(pool.in_use, 0);
	}
	cells_free(&pool);
}

static void test_chunk_damaged(void **state)
{
	(void)state;
	static struct sample v[CHUNK_SAMPLES], got[CHUNK_SAMPLES];
	static uint8_t flat[CHUNK_FLAT];
	struct cells pool;
	cells_init(&pool);
	for (int run = 0; run < 3000; run++) {
		size_t n = make((enum kind)(run % K__MAX), v, 1 + rnd() % 60), got_n = 0;
		struct chunk c = { 0 };
		for (size_t i = 0; i < n; i++)
			chunk_add(&c, &pool, &v[i]);
		size_t size = chunk_flatten(&c, &pool, flat);
		chunk_clear(&c, &pool);
		for (int k = 0; k < 3; k++)
			flat[rnd() % size] ^= (uint8_t)(1u << rnd() % 8);
		char *copy = malloc(size); // exact, so that a read beyond is seen
		size_t cut = rnd() % size + 1;
		memcpy(copy, flat, cut);
		(void)!chunk_decode(str_from(copy, cut), got, &got_n);
		assert_true(got_n <= CHUNK_SAMPLES);
		free(copy);
	}
	cells_free(&pool);
}

static void test_group_round_trip(void **state)
{
	(void)state;
	static uint8_t bytes[GROUP_HEAD + 500 * GROUP_READING_MAX];
	static struct reading in[500];
	static int64_t arrivals[500];
	for (int run = 0; run < 400; run++) {
		uint32_t n = 1 + (uint32_t)(rnd() % 500);
		int64_t arrival = (int64_t)(rnd() >> 12);
		struct group_state st = group_start(arrival);
		size_t at = GROUP_HEAD;
		int64_t first = arrival;
		for (uint32_t i = 0; i < n; i++) {
			unsigned mode = rnd() % 8;
			int64_t scaled = (int64_t)(rnd() >> (11 + rnd() % 50)) * (rnd() & 1 ? 1 : -1);
			static const double scale[7] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
			in[i] = (struct reading){ .point = (uint32_t)(rnd() % 3 ? (i ? in[i - 1].point + 1 : 1) : rnd() >> 32),
				.quality = rnd() % 4 ? 0 : rnd() % 16, .flags = rnd() % 4 ? 0 : rnd() % 16,
				.time = arrival + (int64_t)(rnd() >> (20 + rnd() % 40)) * (rnd() & 1 ? 1000 : -1000) };
			in[i].value = mode == CHUNK_XOR ? (double)scaled / 3 : (double)scaled / scale[mode];
			arrivals[i] = arrival += rnd() % 5 ? 0 : (int64_t)(rnd() % 5000) - 2000;
			size_t k = group_put(bytes + at, &st, &in[i], arrival, mode, scaled);
			assert_true(k <= GROUP_READING_MAX);
			at += k;
		}
		group_head(bytes, (uint32_t)(at - GROUP_HEAD), n, 77, first);
		group_seal(bytes);
		struct group g;
		assert_int_equal(group_open(str_from((char *)bytes, at), &g), OK);
		assert_int_equal(g.first, 77);
		assert_int_equal(g.size, at);
		for (uint32_t i = 0; i < n; i++) {
			struct reading r;
			int64_t when;
			assert_true(group_next(&g, &r, &when));
			assert_int_equal(r.point, in[i].point);
			assert_int_equal(r.time, in[i].time);
			assert_memory_equal(&r.value, &in[i].value, 8);
			assert_int_equal(r.quality, in[i].quality);
			assert_int_equal(r.flags, in[i].flags);
			assert_int_equal(when, arrivals[i]);
		}
		struct reading r;
		int64_t when;
		assert_false(group_next(&g, &r, &when));
		assert_true(cursor_done(&g.c));
		bytes[rnd() % at] ^= 4; // any flipped bit is seen
		assert_int_not_equal(group_open(str_from((char *)bytes, at), &g), OK);
	}
}

static void test_group_empty(void **state)
{
	(void)state;
	static const char zeros[100] = { 0 };
	struct group g;
	assert_int_equal(group_open(str_from(zeros, 100), &g), ERR_NOT_FOUND);
	assert_int_equal(group_open(str_from(zeros, 5), &g), ERR_NOT_FOUND);
	assert_int_equal(group_open(str_from("ANLG and then something that is no group", 40), &g), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunk_round_trip), cmocka_unit_test(test_chunk_restore),
		cmocka_unit_test(test_chunk_damaged), cmocka_unit_test(test_group_round_trip),
		cmocka_unit_test(test_group_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
