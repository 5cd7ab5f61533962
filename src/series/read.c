// Reading, from any thread: first what is in memory (T_SERIES copies it on request), then the block files; in that
// order nothing can slip through, as a chunk leaves memory only after its block is committed. What is found twice is
// the same sample of the same block number and is kept once.
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/time.h"
#include "series/series_in.h"

#define REPLY_MAX ((size_t)256 << 20) // bytes of one point's chunks in memory
#define WAIT_US (5 * US_PER_S)

// ---- T_SERIES ----

static void reply_add(struct buf *b, uint32_t no, const void *p, size_t n)
{
	buf_add_le32(b, no);
	buf_add_le32(b, (uint32_t)n);
	buf_add(b, p, n);
}

static void copy_memory(struct series *s, uint32_t id, struct buf *ret)
{
	const struct point *p = point_at(s, id);
	if (!p)
		return;
	for (const struct pending *b = p->pending; b; b = b->next)
		reply_add(ret, b->no, b->bytes, b->size);
	if (p->open.n) {
		uint8_t flat[CHUNK_FLAT];
		reply_add(ret, p->no, flat, chunk_flatten(&p->open, &s->cells, flat));
	}
}

void read_serve(struct series *s)
{
	pthread_mutex_lock(&s->mutex);
	struct request *list = s->first;
	s->first = NULL;
	s->last = &s->first;
	for (struct request *r = list; r; r = r->next)
		r->state = REQUEST_TAKEN;
	pthread_mutex_unlock(&s->mutex);
	if (!list)
		return;
	for (struct request *r = list; r; r = r->next)
		copy_memory(s, r->point, r->ret);
	pthread_mutex_lock(&s->mutex);
	for (struct request *r = list, *next; r; r = next) {
		next = r->next;
		r->state = REQUEST_DONE;
	}
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->mutex);
}

static bool has_time(const uint8_t *bytes, size_t size, int64_t time)
{
	static _Thread_local struct sample v[CHUNK_SAMPLES];
	size_t n = 0;
	if (chunk_decode(str_from((const char *)bytes, size), v, &n) != OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].time == time)
			return true;
	return false;
}

bool read_in_memory(struct series *s, const struct point *p, int64_t time)
{
	uint8_t flat[CHUNK_FLAT];
	size_t size = p->open.n ? chunk_flatten(&p->open, &s->cells, flat) : 0;
	bool before = size && !p->open.m.late && time < chunk_first(str_from((const char *)flat, size));
	if (size && !before && has_time(flat, size, time))
		return true;
	for (const struct pending *b = p->pending; b; b = b->next)
		if (time <= b->newest && has_time(b->bytes, b->size, time))
			return true;
	return false;
}

// ---- any thread ----

static bool is_owner(const struct series *s)
{
	return pthread_equal(atomic_load_explicit(&s->owner, memory_order_relaxed), pthread_self());
}

static void unlink_request(struct series *s, struct request *r) // under mutex
{
	struct request **at = &s->first;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (!*at)
		s->last = at;
}

enum err read_memory(struct series *s, uint32_t id, struct buf *ret)
{
	if (is_owner(s)) {
		copy_memory(s, id, ret);
		return OK;
	}
	int64_t end = clock_mono() + WAIT_US;
	struct timespec ts = { .tv_sec = end / US_PER_S, .tv_nsec = end % US_PER_S * 1000 };
	struct request r = { .point = id, .ret = ret };
	enum err err = OK;
	pthread_mutex_lock(&s->mutex);
	*s->last = &r;
	s->last = &r.next;
	pthread_mutex_unlock(&s->mutex);
	series_wake(s);
	pthread_mutex_lock(&s->mutex);
	while (r.state != REQUEST_DONE && !err) {
		int rc = pthread_cond_timedwait(&s->cond, &s->mutex, &ts);
		if (rc && r.state == REQUEST_QUEUED) {
			unlink_request(s, &r);
			err = ERR_TIMEOUT;
		}
	}
	pthread_mutex_unlock(&s->mutex);
	return err ? err : buf_ok(ret) ? OK : ERR_TOO_LARGE;
}

static bool found_before(const struct found *a, const struct found *b)
{
	return a->sample.time < b->sample.time || (a->sample.time == b->sample.time && a->order < b->order);
}

enum err gather_chunk(struct gather *g, uint32_t no, struct str bytes)
{
	size_t n = 0;
	if (chunk_decode(bytes, g->chunk, &n) != OK) {
		atomic_fetch_add_explicit(&g->s->n_corrupt, 1, memory_order_relaxed);
		return OK;
	}
	if (g->n + n > g->cap) {
		g->cap = MAX(2 * g->cap, g->n + n);
		g->v = mem_resize(g->v, g->cap * sizeof(*g->v));
	}
	for (size_t i = 0; i < n; i++) {
		if (g->chunk[i].time < g->from || g->chunk[i].time >= g->to)
			continue;
		g->v[g->n] = (struct found){ g->chunk[i], (uint64_t)no << 16 | i };
		g->sorted &= !g->n || found_before(&g->v[g->n - 1], &g->v[g->n]);
		g->n++;
	}
	// what memory and files both hold comes twice, late duplicates come besides: leave room before calling it too much
	return g->n / 2 > g->max + 2 * CHUNK_SAMPLES ? ERR_TOO_LARGE : OK;
}

enum err gather_block(void *arg, const struct block *b)
{
	return gather_chunk(arg, b->no, b->bytes);
}

static enum err gather_memory(struct gather *g, struct str reply)
{
	struct cursor c = cursor_of(reply);
	while (!cursor_done(&c) && cursor_ok(&c)) {
		uint32_t no = take_le32(&c);
		enum err err = gather_chunk(g, no, take_str(&c, take_le32(&c)));
		if (err)
			return err;
	}
	return OK;
}

static int compare_found(const void *a, const void *b)
{
	return found_before(a, b) ? -1 : found_before(b, a) ? 1 : 0;
}

// Sorts and leaves one sample, the first that arrived, for each time.
void gather_once(struct gather *g)
{
	if (!g->n)
		return;
	if (!g->sorted)
		qsort(g->v, g->n, sizeof(*g->v), compare_found);
	size_t n = 1;
	for (size_t i = 1; i < g->n; i++)
		if (g->v[i].sample.time != g->v[n - 1].sample.time)
			g->v[n++] = g->v[i];
	g->n = n;
}

void gather_for(struct gather *g, int64_t from, int64_t to, size_t max)
{
	g->from = from;
	g->to = to;
	g->max = max;
	g->n = 0;
	g->sorted = true;
}

enum err gather_all(struct gather *g, uint32_t point, int64_t from, int64_t to, size_t max, struct str reply)
{
	struct series *s = g->s;
	gather_for(g, from, to, max);
	uint32_t corrupt = 0;
	enum err err = blocks_read(s->blocks, point, from, to, gather_block, g, &corrupt);
	if (corrupt) {
		atomic_fetch_add_explicit(&s->n_corrupt, corrupt, memory_order_relaxed);
		atomic_store_explicit(&s->damaged_point, point, memory_order_relaxed);
	}
	if (!err)
		err = gather_memory(g, reply);
	if (err)
		return err;
	gather_once(g);
	return g->n > max ? ERR_TOO_LARGE : OK;
}

void gather_begin(struct gather *g, struct series *s)
{
	*g = (struct gather){ .s = s, .chunk = mem_alloc(CHUNK_SAMPLES * sizeof(struct sample)) };
	buf_init(&g->memory, REPLY_MAX);
}

void gather_end(struct gather *g)
{
	mem_free(g->v);
	mem_free(g->chunk);
	buf_free(&g->memory);
}

int64_t read_time(int64_t t)
{
	return MAX(MIN(t, CHUNK_TIME_LIMIT), INT64_C(0));
}

enum err series_read(struct series *s, uint32_t point, int64_t from, int64_t to, size_t max, struct arena *a,
                     struct sample **ret, size_t *ret_n)
{
	struct gather g;
	*ret = NULL;
	*ret_n = 0;
	if (point > LIMIT_POINTS)
		return OK;
	gather_begin(&g, s);
	enum err err = read_memory(s, point, &g.memory);
	if (!err)
		err = gather_all(&g, point, read_time(from), read_time(to), max, buf_str(&g.memory));
	if (!err) {
		*ret = arena_many(a, g.n, struct sample);
		*ret_n = g.n;
		for (size_t i = 0; i < g.n; i++)
			(*ret)[i] = g.v[i].sample;
	}
	gather_end(&g);
	return err;
}
