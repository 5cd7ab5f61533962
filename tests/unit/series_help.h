// What the tests of src/series share: a folder of their own, opening, waiting, and the plain model of a history.
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/time.h"
#include "series/series.h"
#include "series/slog.h"
#include "store/blocks.h"

#define START (INT64_C(1763683200) * US_PER_S) // 2025-11-21
#define MANY 100000

static char dir[128];
static uint64_t seed = 88172645463325252u;
static inline uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static __attribute__((noinline)) void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		char sub[520];
		if (e->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%.200s/%.300s", path, e->d_name);
		if (unlink(sub))
			remove_dir(sub);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static inline int fresh_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/anlan-series-%d", (int)getpid());
	remove_dir(dir);
	return mkdir(dir, 0700);
}

static inline int drop_dir(void **state)
{
	(void)state;
	remove_dir(dir);
	return 0;
}

// In a child process, where an assertion of cmocka would run the other tests a second time.
#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: not so: %s\n", __LINE__, #x), _exit(1)))

static inline struct series *open_with(size_t log_limit, uint32_t chunk_points, const struct series_hooks *hooks)
{
	struct series_config cfg = { .dir = dir, .group_us = 1000, .gather_us = 50000, .log_limit = log_limit, .chunk_points = chunk_points };
	struct series *s = NULL;
	assert_int_equal(series_open(&s, &cfg, hooks, NULL), OK);
	return s;
}

static inline void wait_durable(struct series *s)
{
	series_flush(s, true);
	uint64_t mark = series_mark(s);
	for (int i = 0; series_durable(s) < mark; i++) {
		assert_true(i < 120000); // a minute
		series_turn(s, 0);
		usleep(500);
	}
}

static inline void wait_sealed(struct series *s)
{
	struct series_stats st;
	series_flush(s, true); // a block waits for its readings to be in the log
	for (int i = 0; series_turn(s, 0), series_stats(s, &st), st.pending; i++) {
		assert_true(i < 120000); // a minute
		usleep(500);
	}
}

static inline struct reading reading(uint32_t point, int64_t time, double value)
{
	return (struct reading){ .point = point, .time = time, .value = value };
}

// ---- the model ----

struct model {
	struct sample *v; // in order of arrival, each time once (the first)
	size_t n, cap;
	double sum_all;
};

static inline void model_add(struct model *m, const struct reading *r)
{
	for (size_t i = m->n; i-- > 0;)
		if (m->v[i].time == r->time)
			return;
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->v = realloc(m->v, m->cap * sizeof(*m->v));
	}
	m->v[m->n++] = (struct sample){ r->time, r->value, r->quality };
}

static inline int by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	return (x->time > y->time) - (x->time < y->time);
}

static inline void check_model(struct series *s, uint32_t point, const struct model *m, int64_t from, int64_t to)
{
	struct arena *a = arena_new(0);
	struct sample *got, *want = malloc((m->n + 1) * sizeof(*want));
	size_t n, k = 0;
	assert_int_equal(series_read(s, point, from, to, MANY, a, &got, &n), OK);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].time >= from && m->v[i].time < to)
			want[k++] = m->v[i];
	qsort(want, k, sizeof(*want), by_time);
	assert_int_equal(n, k);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i].time, want[i].time);
		assert_true(got[i].value == want[i].value);
		assert_int_equal(got[i].quality, want[i].quality);
	}
	free(want);
	arena_free(a);
}
