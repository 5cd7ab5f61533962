#include "series/series_in.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "series/slog_in.h"

#define SLAB_PAGES ((size_t)160)   // 16 MiB, of which only what is in use is memory
#define BACKLOG_MAX (8u << 20)      // bytes of log waiting for the disk
#define DROP_A_TURN 1000u           // about 0.2 ms
#define LOG_LIMIT_MIN (24u << 20)
#define PENDING_MAX 2000000u        // sealed chunks waiting for the disk

static_assert(LIMIT_POINTS < POINT_PAGES * POINTS_PER_PAGE, "every point has its page");

// ---- points ----

uint16_t series_limit(const struct series *s, uint32_t id, bool full)
{
	uint32_t n = s->cfg.chunk_points;
	if (full)
		return (uint16_t)n;
	// points that start together (first start, first of the month) must not all be full together
	uint32_t spread = (uint32_t)((uint64_t)(id * UINT32_C(2654435761)) * (n - n / 4) >> 32);
	return (uint16_t)(n / 4 + spread + 1);
}

// Pages lie side by side in large blocks, so that the kernel can map them at once.
static struct point *page_take(struct series *s)
{
	if (!s->nslabs || s->slab_used == SLAB_PAGES) {
		s->slabs = mem_resize(s->slabs, (s->nslabs + 1) * sizeof *s->slabs);
		s->slabs[s->nslabs++] = mem_table(SLAB_PAGES * POINTS_PER_PAGE * sizeof(struct point));
		s->slab_used = 0;
	}
	return s->slabs[s->nslabs - 1] + s->slab_used++ * POINTS_PER_PAGE;
}

struct point *point_make(struct series *s, uint32_t id)
{
	struct point *p = point_at(s, id);
	if (p)
		return p;
	uint32_t i = id >> POINT_PAGE_BITS;
	struct point *page = page_take(s);
	for (uint32_t k = 0; k < POINTS_PER_PAGE; k++)
		page[k].limit = series_limit(s, i * POINTS_PER_PAGE + k, false);
	atomic_store_explicit(&s->page[i], page, memory_order_release);
	s->pages_end = MAX(s->pages_end, i + 1);
	return &page[id & (POINTS_PER_PAGE - 1)];
}

// Each store is a release, each load of the reader an acquire: an odd or changed version is seen by whoever sees any
// of the new fields. (Plain moves on x86.)
void point_publish(struct point *p, int64_t time, double value, unsigned quality)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t v = atomic_load_explicit(&p->version, memory_order_relaxed);
	atomic_store_explicit(&p->version, v + 1, memory_order_relaxed);
	atomic_store_explicit(&p->last_time, time, memory_order_release);
	atomic_store_explicit(&p->last_bits, bits, memory_order_release);
	atomic_store_explicit(&p->last_quality, (uint16_t)quality, memory_order_release);
	atomic_store_explicit(&p->version, v + 2 ? v + 2 : 2, memory_order_release);
}

bool series_last(struct series *s, uint32_t point, struct sample *ret)
{
	const struct point *p = point_at(s, point);
	if (!p)
		return false;
	for (;;) {
		uint32_t v = atomic_load_explicit(&p->version, memory_order_acquire);
		int64_t time = atomic_load_explicit(&p->last_time, memory_order_acquire);
		uint64_t bits = atomic_load_explicit(&p->last_bits, memory_order_acquire);
		uint16_t quality = atomic_load_explicit(&p->last_quality, memory_order_acquire);
		if (v & 1 || atomic_load_explicit(&p->version, memory_order_relaxed) != v)
			continue;
		*ret = (struct sample){ .time = time, .quality = quality };
		memcpy(&ret->value, &bits, sizeof(bits));
		return v != 0;
	}
}

void series_seal_point(struct series *s, uint32_t id, struct point *p, bool full)
{
	struct chunk *c = &p->open;
	uint8_t flat[CHUNK_FLAT];
	size_t size = chunk_flatten(c, &s->cells, flat);
	struct pending *b = mem_alloc(sizeof(*b) + size);
	b->point = id;
	b->no = p->no++;
	b->seq = s->log ? slog_last(s->log) : 0; // while replaying all is on disk
	b->newest = c->m.newest * chunk_unit(c);
	b->late = c->m.late;
	b->size = (uint32_t)size;
	memcpy(b->bytes, flat, size);
	b->next = p->pending;
	p->pending = b;
	p->limit = series_limit(s, id, full);
	chunk_clear(c, &s->cells);
	bump(&s->n_pending, 1);
	seal_put(s, b);
}

// ---- adding ----

static bool same_month(struct series *s, int64_t a, int64_t b)
{
	if (a >= s->month_from && a < s->month_to)
		return b >= s->month_from && b < s->month_to;
	int32_t m = blocks_month(a);
	s->month_from = blocks_month_start(m);
	s->month_to = blocks_month_start(m + 1);
	return b >= s->month_from && b < s->month_to;
}

static void find_number(struct series *s, uint32_t id, struct point *p)
{
	p->known = true;
	uint32_t no = 0;
	if (s->lost && blocks_next_no(s->blocks, id, &no) != OK)
		no = UINT32_MAX / 2; // files that cannot be read: stay clear of what may be in them
	p->no = MAX(p->no, no);
}

// Stores an accepted sample; also the way of replay, so everything here depends only on the samples and their order.
static void store_sample(struct series *s, uint32_t id, struct point *p, const struct sample *x, bool newest)
{
	if (!p->known)
		find_number(s, id, p);
	if (newest && p->open.n && !same_month(s, x->time, p->open.m.newest * chunk_unit(&p->open)))
		series_seal_point(s, id, p, false);
	chunk_add(&p->open, &s->cells, x);
	if (newest) {
		if (!point_used(p))
			bump(&s->n_points, 1);
		point_publish(p, x->time, x->value, x->quality);
	}
}

static void seal_if_full(struct series *s, uint32_t id, struct point *p)
{
	if (p->open.n >= p->limit || p->open.bits >= CHUNK_BYTES * 8)
		series_seal_point(s, id, p, true);
}

static bool acceptable(const struct reading *r)
{
	return r->point && r->point <= LIMIT_POINTS && r->time >= 0 && r->time < CHUNK_TIME_LIMIT && isfinite(r->value);
}

enum arrival series_add(struct series *s, const struct reading *r, int64_t arrival)
{
	if (!acceptable(r)) {
		bump(&s->n_duplicates, 1);
		return ARRIVED_DUPLICATE;
	}
	struct point *p = point_make(s, r->point);
	enum arrival how = ARRIVED_NEW;
	if (point_used(p)) {
		int64_t last = atomic_load_explicit(&p->last_time, memory_order_relaxed);
		if (r->time == last || (r->time < last && read_in_memory(s, p, r->time))) {
			bump(&s->n_duplicates, 1);
			return ARRIVED_DUPLICATE;
		}
		how = r->time < last ? ARRIVED_LATE : ARRIVED_NEW;
	}
	struct reading x = *r;
	x.value += 0.0; // -0 becomes 0
	x.quality &= 15;
	struct sample sample = { .time = x.time, .value = x.value, .quality = x.quality };
	store_sample(s, r->point, p, &sample, how == ARRIVED_NEW);
	slog_add(s->log, &x, arrival, p->open.m.mode, p->open.m.prev_value);
	seal_if_full(s, r->point, p);
	bump(&s->n_readings, 1);
	if (how == ARRIVED_LATE)
		bump(&s->n_late, 1);
	return how;
}

void series_prefetch(const struct series *s, uint32_t point)
{
	const struct point *p = point_at(s, point);
	if (!p)
		return;
	__builtin_prefetch(p, 1); // two lines of 64 bytes; of three points in eight three
	__builtin_prefetch((const char *)p + 64, 1);
	__builtin_prefetch((const char *)(p + 1) - 1, 1);
}

void series_prefetch_more(const struct series *s, uint32_t point)
{
	const struct point *p = point_at(s, point);
	if (p && p->open.n)
		__builtin_prefetch(cells_at(&s->cells, p->open.tail), 1);
}

uint64_t series_mark(struct series *s)
{
	return slog_last(s->log);
}

void series_flush(struct series *s, bool now)
{
	slog_flush(s->log, now);
}

uint64_t series_durable(const struct series *s)
{
	return slog_durable(s->log);
}

int series_durable_fd(const struct series *s)
{
	return slog_fd(s->log);
}

enum err series_health(const struct series *s)
{
	return slog_health(s->log);
}

bool series_may_add(const struct series *s)
{
	return slog_backlog(s->log) < BACKLOG_MAX &&
	       atomic_load_explicit(&s->n_pending, memory_order_relaxed) < PENDING_MAX;
}

// ---- turn ----

int series_wake_fd(const struct series *s)
{
	return s->fd_wake;
}

void series_wake(struct series *s)
{
	uint64_t one = 1;
	if (!atomic_exchange(&s->wake, true))
		(void)!write(s->fd_wake, &one, sizeof(one));
}

// Drops chunks that are in blocks now, at most `max`; the rest in the next turns.
static void drop_committed(struct series *s, uint32_t max)
{
	if (!s->drop)
		s->drop = seal_take_done(s);
	for (uint32_t i = 0; s->drop && i < max; i++) {
		struct pending *b = s->drop;
		s->drop = b->next_queued;
		struct pending **at = &point_make(s, b->point)->pending;
		while (*at != b)
			at = &(*at)->next;
		*at = b->next;
		mem_free(b);
		atomic_fetch_sub_explicit(&s->n_pending, 1, memory_order_relaxed);
		if (!s->drop)
			s->drop = seal_take_done(s);
	}
}

static uint64_t log_kept(const struct series *s)
{
	struct slog_stats st;
	slog_stats(s->log, &st);
	return st.bytes - atomic_load_explicit(&s->log_base, memory_order_relaxed) +
	       atomic_load_explicit(&s->n_replayed_bytes, memory_order_relaxed);
}

// Bytes of log after which a snapshot is worth it. A restart replays about 35 MiB of log a second, so a quarter of
// the last snapshot's size keeps it under 2 s at a million points, and snapshots rare at few.
static uint64_t log_limit(const struct series *s)
{
	return MIN((uint64_t)s->cfg.log_limit, MAX(s->snap_size / 4, (uint64_t)LOG_LIMIT_MIN));
}

void series_turn(struct series *s, int64_t now)
{
	(void)now;
	atomic_store_explicit(&s->owner, pthread_self(), memory_order_relaxed);
	if (atomic_load_explicit(&s->wake, memory_order_relaxed)) {
		uint64_t n;
		(void)!read(s->fd_wake, &n, sizeof(n));
		atomic_store(&s->wake, false);
		read_serve(s);
		drop_committed(s, DROP_A_TURN);
		if (s->drop)
			series_wake(s);
	}
	int64_t mono = 0;
	if (!snapshot_running(s) && log_kept(s) >= log_limit(s) && (mono = clock_mono()) >= s->snap_retry)
		snapshot_start(s);
	if (snapshot_running(s))
		snapshot_turn(s, mono ? mono : clock_mono());
}

void series_stats(struct series *s, struct series_stats *ret)
{
	struct slog_stats log;
	slog_stats(s->log, &log);
	*ret = (struct series_stats){
		.readings = atomic_load_explicit(&s->n_readings, memory_order_relaxed),
		.duplicates = atomic_load_explicit(&s->n_duplicates, memory_order_relaxed),
		.late = atomic_load_explicit(&s->n_late, memory_order_relaxed),
		.log_bytes = log.bytes, .syncs = log.syncs, .worst_sync_us = log.worst_sync_us,
		.sync_us = log.sync_us, .sync_bytes = log.sync_bytes, .backlog = slog_backlog(s->log),
		.block_bytes = atomic_load_explicit(&s->seal.block_bytes, memory_order_relaxed),
		.blocks = atomic_load_explicit(&s->seal.blocks, memory_order_relaxed),
		.sealed = atomic_load_explicit(&s->seal.samples, memory_order_relaxed),
		.replayed = atomic_load_explicit(&s->n_replayed, memory_order_relaxed),
		.points = atomic_load_explicit(&s->n_points, memory_order_relaxed),
		.corrupt = atomic_load_explicit(&s->n_corrupt, memory_order_relaxed),
		.damaged_point = atomic_load_explicit(&s->damaged_point, memory_order_relaxed),
		.snapshots = atomic_load_explicit(&s->n_snapshots, memory_order_relaxed),
		.pending = atomic_load_explicit(&s->n_pending, memory_order_relaxed),
		.log_kept = log_kept(s),
		.seal_error = (enum err)atomic_load_explicit(&s->seal.error, memory_order_relaxed),
	};
}

// ---- open, close ----

struct replay {
	struct series *s;
	struct note_in note;
	const uint64_t *skip; // per page
	uint32_t pages;
};

static void replay_reading(void *arg, uint64_t seq, const struct reading *r, int64_t arrival)
{
	struct replay *rp = arg;
	struct series *s = rp->s;
	uint32_t page = r->point >> POINT_PAGE_BITS;
	if (!r->point) {
		note_replay(&rp->note, r, &s->hooks);
		return;
	}
	if (page < rp->pages && seq <= rp->skip[page]) {
		if (s->hooks.load_all && acceptable(r))
			s->hooks.replay(s->hooks.arg, r, ARRIVED_DUPLICATE, arrival);
		return;
	}
	if (!acceptable(r)) {
		atomic_fetch_add(&s->n_corrupt, 1);
		return;
	}
	struct point *p = point_make(s, r->point);
	bool newest = !point_used(p) || r->time > atomic_load_explicit(&p->last_time, memory_order_relaxed);
	struct sample sample = { .time = r->time, .value = r->value, .quality = r->quality };
	store_sample(s, r->point, p, &sample, newest);
	seal_if_full(s, r->point, p);
	bump(&s->n_replayed, 1);
	if (atomic_load_explicit(&s->n_replayed, memory_order_relaxed) % 65536 == 0)
		drop_committed(s, UINT32_MAX);
	if (s->hooks.replay)
		s->hooks.replay(s->hooks.arg, r, newest ? ARRIVED_NEW : ARRIVED_LATE, arrival);
}

// Readings are missing: the blocks they went into may exist, so numbers in use must not be used again.
static void replay_gap(void *arg)
{
	struct replay *rp = arg;
	rp->s->lost = true;
	for (uint32_t i = 0; i < rp->s->pages_end; i++) {
		struct point *page = atomic_load_explicit(&rp->s->page[i], memory_order_relaxed);
		for (uint32_t k = 0; page && k < POINTS_PER_PAGE; k++)
			page[k].known = false;
	}
}

static enum err recover(struct series *s, const char *log_dir)
{
	uint64_t from = 0, max = 0, *skip = NULL;
	enum err err = snapshot_load(s, &from, &skip, &max);
	if (err)
		return err;
	struct replay rp = { .s = s, .skip = skip, .pages = skip ? POINT_PAGES : 0 };
	struct slog_replay r = { .arg = &rp, .reading = replay_reading, .gap = replay_gap };
	if (!skip && blocks_any(s->blocks)) {
		struct slog_files files;
		err = slog_list(log_dir, &files);
		s->lost = err || !files.n || files.first[0] > 1; // blocks, but not the log from its beginning
		mem_free(files.first);
	}
	err = slog_replay(log_dir, from, &r);
	mem_free(skip);
	if (err)
		return err;
	atomic_fetch_add(&s->n_corrupt, r.lost);
	atomic_store_explicit(&s->n_replayed_bytes, r.bytes, memory_order_relaxed);
	return slog_open(&s->log, log_dir, s->cfg.group_us, MAX(r.next, max + 1));
}

static enum err open_parts(struct series *s, struct problem *problem)
{
	char log_dir[4096];
	if ((size_t)snprintf(log_dir, sizeof(log_dir), "%s/log", s->dir) >= sizeof(log_dir) - 64)
		return problem_set(problem, ERR_INVALID, "data", "数据目录的路径太长",
		                   "The path of the data folder is too long");
	enum err err = blocks_open(&s->blocks, s->dir);
	if (!err)
		err = seal_start(s);
	if (!err)
		err = recover(s, log_dir);
	if (err)
		return problem_set(problem, err, "data", "无法打开监测历史数据 %s:%s%.0s",
		                   "Cannot open the history of readings in %s: %.0s%s", s->dir, err_text(err, true),
		                   err_text(err, false));
	return OK;
}

static struct series *series_new(const struct series_config *cfg, const struct series_hooks *hooks)
{
	struct series *s = mem_alloc(sizeof(*s));
	s->cfg = *cfg;
	s->cfg.chunk_points = MAX(2u, MIN(cfg->chunk_points ? cfg->chunk_points : 240u, (uint32_t)CHUNK_SAMPLES));
	s->cfg.group_us = cfg->group_us ? cfg->group_us : 2000;
	s->cfg.log_limit = cfg->log_limit ? cfg->log_limit : (size_t)256 << 20;
	s->cfg.gather_us = cfg->gather_us ? cfg->gather_us : 5 * US_PER_S;
	s->cfg.roll_us = cfg->roll_us ? cfg->roll_us : 6 * US_PER_HOUR;
	if (hooks)
		s->hooks = *hooks;
	size_t n = strlen(cfg->dir) + 1;
	s->dir = mem_alloc(n);
	memcpy(s->dir, cfg->dir, n);
	s->cfg.dir = s->dir;
	cells_init(&s->cells);
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->cond, &attr);
	pthread_condattr_destroy(&attr);
	s->last = &s->first;
	buf_init(&s->snap_bytes, (size_t)64 << 20);
	buf_init(&s->snap_all, (size_t)4 << 30);
	s->fd_wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	atomic_store(&s->owner, pthread_self());
	return s;
}

static void series_free(struct series *s)
{
	slog_close(s->log);
	blocks_close(s->blocks);
	for (uint32_t i = 0; i < s->pages_end; i++) {
		struct point *page = atomic_load_explicit(&s->page[i], memory_order_relaxed);
		for (uint32_t k = 0; page && k < POINTS_PER_PAGE; k++)
			for (struct pending *b = page[k].pending, *next; b; b = next) {
				next = b->next;
				mem_free(b);
			}
	}
	for (size_t i = 0; i < s->nslabs; i++)
		mem_free(s->slabs[i]);
	mem_free(s->slabs);
	cells_free(&s->cells);
	buf_free(&s->snap_bytes);
	buf_free(&s->snap_all);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->cond);
	close(s->fd_wake);
	mem_free(s->dir);
	mem_free(s);
}

enum err series_open(struct series **ret, const struct series_config *cfg, const struct series_hooks *hooks,
                     struct problem *p)
{
	struct series *s = series_new(cfg, hooks);
	enum err err = open_parts(s, p);
	if (err) {
		if (s->seal.running)
			seal_stop(s);
		drop_committed(s, UINT32_MAX);
		series_free(s);
		return err;
	}
	*ret = s;
	return OK;
}

#define CLOSE_WAIT_US (30 * US_PER_S)

void series_close(struct series *s)
{
	if (!s)
		return;
	slog_flush(s->log, true);
	int64_t end = clock_mono() + CLOSE_WAIT_US;
	if (!snapshot_running(s))
		snapshot_start(s);
	while (snapshot_running(s) && clock_mono() < end && series_health(s) == OK) {
		atomic_store(&s->wake, false);
		drop_committed(s, UINT32_MAX);
		snapshot_turn(s, clock_mono());
		usleep(200);
	}
	read_serve(s);
	seal_stop(s);
	drop_committed(s, UINT32_MAX);
	series_free(s);
}
