// The reader of the event stream for `anlan bench ingest`: when did the alarm of a point arrive. HTTP/1.0, so that the
// stream comes without chunks.
#include "tool/bench_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/strmap.h"
#include "base/time.h"

#define LINE_MAX_BYTES (1u << 20)
#define WAIT_S 5

struct bench_events {
	pthread_mutex_t mutex;
	pthread_t thread;
	int fd;
	struct strmap *by_code;   // → index
	int64_t *sent;            // by point: monotonic time, 0 = nothing expected
	uint32_t *latency;
	size_t n, cap, expected;
	struct arena *arena;
};

// The text value behind the first KEY after `from`; empty if there is none.
static struct str text_after(struct str s, const char *from, const char *key)
{
	const char *p = memmem(s.p, s.n, from, strlen(from));
	if (!p)
		return STR_EMPTY;
	s = str_skip(s, (size_t)(p - s.p));
	p = memmem(s.p, s.n, key, strlen(key));
	if (!p)
		return STR_EMPTY;
	s = str_skip(s, (size_t)(p - s.p) + strlen(key));
	return str_cut(&s, '"');
}

static void on_alarm(struct bench_events *e, struct str json, int64_t now)
{
	uint32_t i;
	struct str code = text_after(json, "\"point\":", "\"code\":\"");
	if (!strmap_get(e->by_code, code, &i))
		return;
	pthread_mutex_lock(&e->mutex);
	if (e->sent[i] && e->n < e->cap) {
		e->latency[e->n++] = (uint32_t)MIN(MAX(now - e->sent[i], 0), (int64_t)UINT32_MAX);
		e->sent[i] = 0;
	}
	pthread_mutex_unlock(&e->mutex);
}

static void *read_stream(void *arg)
{
	struct bench_events *e = arg;
	struct buf in;
	bool alarm = false;
	buf_init(&in, LINE_MAX_BYTES);
	for (;;) {
		char *to = buf_room(&in, 65536);
		ssize_t n = to ? recv(e->fd, to, 65536, 0) : -1;
		int64_t now = clock_mono();
		if (n <= 0)
			break;
		buf_commit(&in, (size_t)n);
		size_t used = 0;
		for (const char *nl; (nl = memchr(in.p + used, '\n', in.n - used)) != NULL; used = (size_t)(nl - in.p) + 1) {
			struct str line = str_from(in.p + used, (size_t)(nl - in.p) - used);
			if (str_starts(line, STR("event: ")))
				alarm = str_starts(line, STR("event: alarm"));
			else if (alarm && str_starts(line, STR("data: ")))
				on_alarm(e, line, now);
		}
		buf_drop_front(&in, used);
	}
	buf_free(&in);
	return NULL;
}

static bool log_in(struct bench_events *e, uint16_t port)
{
	struct buf out;
	char head[256];
	buf_init(&out, LINE_MAX_BYTES);
	bool ok = bench_http(port, "/api/v1/login", "{\"name\":\"" BENCH_LOGIN "\",\"password\":\"" BENCH_PASSWORD "\"}", &out);
	struct str token = text_after(buf_str(&out), "\r\n\r\n", "\"token\":\"");
	int n = snprintf(head, sizeof head, "GET /api/v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %.*s\r\n\r\n", STR_FMT(token));
	buf_free(&out);
	e->fd = ok && token.n ? bench_connect(port) : -1;
	return e->fd >= 0 && send(e->fd, head, (size_t)n, MSG_NOSIGNAL) == n;
}

enum err bench_events_open(struct bench_events **ret, uint16_t port, size_t points, struct problem *p)
{
	struct bench_events *e = mem_alloc(sizeof *e);
	pthread_mutex_init(&e->mutex, NULL);
	e->arena = arena_new(1u << 20);
	e->by_code = strmap_new(points);
	e->sent = arena_many(e->arena, points, int64_t);
	e->cap = points;
	e->latency = arena_many(e->arena, points, uint32_t);
	for (size_t i = 0; i < points; i++) {
		char code[32];
		bench_point_code(i, code);
		strmap_put(e->by_code, arena_str(e->arena, str_of(code)), (uint32_t)i);
	}
	*ret = e;
	if (log_in(e, port) && pthread_create(&e->thread, NULL, read_stream, e) == 0)
		return OK;
	*ret = NULL;
	return problem_set(p, ERR_UNAVAILABLE, NULL, "无法读取事件流", "cannot read the event stream");
}

void bench_events_expect(struct bench_events *e, size_t point, int64_t mono)
{
	pthread_mutex_lock(&e->mutex);
	e->sent[point] = mono;
	e->expected++;
	pthread_mutex_unlock(&e->mutex);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void bench_events_close(struct bench_events *e, struct bench_latency *ret)
{
	*ret = (struct bench_latency){ 0 };
	if (!e)
		return;
	for (int i = 0; i < WAIT_S * 10; i++) {
		pthread_mutex_lock(&e->mutex);
		bool all = e->n >= e->expected;
		pthread_mutex_unlock(&e->mutex);
		if (all)
			break;
		struct timespec t = { .tv_nsec = 100000000 };
		nanosleep(&t, NULL);
	}
	shutdown(e->fd, SHUT_RDWR);
	pthread_join(e->thread, NULL);
	close(e->fd);
	ret->n = e->n;
	ret->missing = e->expected - e->n;
	if (e->n) {
		qsort(e->latency, e->n, sizeof *e->latency, by_size);
		ret->p50 = e->latency[e->n / 2];
		ret->p99 = e->latency[e->n * 99 / 100];
		ret->max = e->latency[e->n - 1];
	}
	strmap_free(e->by_code);
	pthread_mutex_destroy(&e->mutex);
	arena_free(e->arena);
	mem_free(e);
}
