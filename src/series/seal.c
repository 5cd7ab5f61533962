// The seal thread: gathers sealed chunks and commits them as blocks, many in a transaction, writes the snapshot file, and
// in between rolls up and deletes what is old (roller.c).
// A chunk is handed back to T_SERIES to be dropped from memory only after the commit; a block is written only
// when the log holds all its readings; a snapshot replaces the one before only when every chunk sealed until its end
// is committed, and the log it makes superfluous is deleted only after that.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"
#include "series/series_in.h"
#include "series/slog_in.h"

// What a commit costs is the pages it touches, and a point's blocks lie together: the more blocks are gathered, the more
// of them share a page. Here: three a point at 10,000 points (their log, 24 MB, is what a restart would replay).
#define GATHER_BLOCKS 32768
#define BATCH_BLOCKS 4096              // most in one transaction: its sync must not keep the log's waiting
#define RETRY_US (500 * US_PER_MS)
#define SYNC_BYTES (1u << 20)          // the snapshot is synced in steps, so as not to stall the log's syncs

// ---- T_SERIES ----

void seal_put(struct series *s, struct pending *p)
{
	struct seal *x = &s->seal;
	p->next_queued = NULL;
	pthread_mutex_lock(&x->mutex);
	*x->last = p;
	x->last = &p->next_queued;
	if (!x->queued++)
		x->since = clock_mono();
	x->put++;
	if (x->queued == 1 || x->queued == GATHER_BLOCKS)
		pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
}

struct pending *seal_take_done(struct series *s)
{
	pthread_mutex_lock(&s->seal.mutex);
	struct pending *p = s->seal.done;
	s->seal.done = NULL;
	pthread_mutex_unlock(&s->seal.mutex);
	return p;
}

bool seal_snap_idle(struct series *s, enum err *ret_result)
{
	pthread_mutex_lock(&s->seal.mutex);
	bool idle = s->seal.snap.what == SNAP_IDLE;
	*ret_result = s->seal.snap.result;
	pthread_mutex_unlock(&s->seal.mutex);
	return idle;
}

void seal_snap(struct series *s, int what, struct buf *bytes, uint64_t seq, uint64_t from)
{
	struct seal *x = &s->seal;
	pthread_mutex_lock(&x->mutex);
	struct buf old = x->snap.bytes; // the one before was written: its memory goes back to be filled again
	x->snap.bytes = *bytes;
	buf_clear(&old);
	*bytes = old;
	x->snap.seq = seq;
	x->snap.from = from;
	x->snap.need = x->put;
	x->snap.result = OK;
	x->snap.what = what;
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
}

// ---- seal thread: blocks ----

struct work {
	struct block *v;       // blocks of the batch; a chunk of several months has several
	size_t n, cap;
	struct sample *samples; // scratch, CHUNK_SAMPLES
	struct pending **order; // scratch of in_order
	size_t order_cap;
};

static void work_add(struct work *w, const struct pending *p, int32_t month, int64_t t0, int64_t t1)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 1024;
		w->v = mem_resize(w->v, w->cap * sizeof(*w->v));
	}
	w->v[w->n++] = (struct block){ .month = month, .point = p->point, .no = p->no, .t0 = t0, .t1 = t1,
		.again = !p->seq, .bytes = str_from((const char *)p->bytes, p->size) };
}

static void work_add_late(struct work *w, const struct pending *p)
{
	size_t n = 0, first = w->n;
	if (chunk_decode(str_from((const char *)p->bytes, p->size), w->samples, &n) != OK)
		n = 0; // cannot be: it was coded in this process
	int64_t t0 = INT64_MAX, t1 = INT64_MIN;
	for (size_t i = 0; i < n; i++) {
		t0 = MIN(t0, w->samples[i].time);
		t1 = MAX(t1, w->samples[i].time);
	}
	for (size_t i = 0; i < n; i++) {
		int32_t month = blocks_month(w->samples[i].time);
		size_t k = first;
		while (k < w->n && w->v[k].month != month)
			k++;
		if (k == w->n)
			work_add(w, p, month, t0, t1);
	}
}

static int compare_block(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	if (x->month != y->month)
		return x->month < y->month ? -1 : 1;
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	return (x->no > y->no) - (x->no < y->no);
}

static bool stopping(struct seal *x)
{
	pthread_mutex_lock(&x->mutex);
	bool stop = x->stop;
	pthread_mutex_unlock(&x->mutex);
	return stop;
}

// Waits until the log is on disk up to seq. False: it will not be, the process is ending.
static bool wait_durable(struct series *s, uint64_t seq)
{
	while (seq && slog_durable(s->log) < seq) {
		if (stopping(&s->seal))
			return false;
		usleep(1000);
	}
	return true;
}

static enum err write_batch(struct series *s, struct work *w, const struct pending *batch)
{
	uint64_t seq = 0, bytes = 0, count = 0, samples = 0;
	w->n = 0;
	for (const struct pending *p = batch; p; p = p->next_queued) {
		seq = MAX(seq, p->seq);
		bytes += p->size;
		samples += chunk_count(str_from((const char *)p->bytes, p->size));
		count++;
		int64_t t0 = chunk_first(str_from((const char *)p->bytes, p->size));
		// rising times too may be of two months: when none of them was the point's newest
		if (p->late || blocks_month(t0) != blocks_month(p->newest))
			work_add_late(w, p);
		else
			work_add(w, p, blocks_month(t0), t0, p->newest);
	}
	if (!wait_durable(s, seq))
		return ERR_UNAVAILABLE;
	if (w->n)
		qsort(w->v, w->n, sizeof(*w->v), compare_block);
	enum err err = blocks_write(s->blocks, w->v, w->n);
	if (!err) {
		bump(&s->seal.blocks, count);
		bump(&s->seal.samples, samples);
		bump(&s->seal.block_bytes, bytes);
	}
	return err;
}

static struct pending *take_queue(struct seal *x) // under mutex: all of it at once, T_SERIES must not wait for a walk
{
	struct pending *all = x->first;
	x->first = NULL;
	x->last = &x->first;
	x->queued = 0;
	return all;
}

static int compare_pending(const void *a, const void *b)
{
	const struct pending *x = *(struct pending *const *)a, *y = *(struct pending *const *)b;
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	return (x->no > y->no) - (x->no < y->no);
}

// The same list by point and number. snap_ready looks at what is committed only when a whole queue is.
static struct pending *in_order(struct work *w, struct pending *all)
{
	size_t n = 0;
	for (struct pending *p = all; p; p = p->next_queued) {
		if (n == w->order_cap) {
			w->order_cap = MAX(2 * w->order_cap, (size_t)1024);
			w->order = mem_resize(w->order, w->order_cap * sizeof(*w->order));
		}
		w->order[n++] = p;
	}
	qsort(w->order, n, sizeof(*w->order), compare_pending);
	for (size_t i = 0; i < n; i++)
		w->order[i]->next_queued = i + 1 < n ? w->order[i + 1] : NULL;
	return w->order[0];
}

// Cuts the first BATCH_BLOCKS off; returns the rest.
static struct pending *cut_batch(struct pending *batch)
{
	struct pending *p = batch;
	for (size_t n = 1; n < BATCH_BLOCKS && p->next_queued; n++)
		p = p->next_queued;
	struct pending *rest = p->next_queued;
	p->next_queued = NULL;
	return rest;
}

static void batch_done(struct series *s, struct pending *batch)
{
	struct pending *last = batch;
	uint64_t n = 1;
	for (; last->next_queued; n++)
		last = last->next_queued;
	pthread_mutex_lock(&s->seal.mutex);
	last->next_queued = s->seal.done;
	s->seal.done = batch;
	s->seal.committed += n;
	pthread_mutex_unlock(&s->seal.mutex);
	series_wake(s);
}

// ---- seal thread: snapshot file ----

static void snap_path(const struct series *s, bool tmp, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s/snapshot%s", s->dir, tmp ? ".new" : "");
}

static enum err snap_append(struct seal *x, struct str bytes)
{
	for (size_t at = 0; at < bytes.n;) {
		ssize_t k = write(x->snap_fd, bytes.p + at, bytes.n - at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? err_of_errno(errno) : ERR_IO;
		at += (size_t)k;
	}
	x->snap_unsynced += bytes.n;
	if (x->snap_unsynced < SYNC_BYTES)
		return OK;
	x->snap_unsynced = 0;
	return fdatasync(x->snap_fd) ? err_of_errno(errno) : OK;
}

static void snap_drop(struct series *s)
{
	char tmp[4096];
	if (s->seal.snap_fd >= 0)
		close(s->seal.snap_fd);
	s->seal.snap_fd = -1;
	snap_path(s, true, tmp, sizeof(tmp));
	unlink(tmp);
}

static enum err snap_end(struct series *s, uint64_t seq, uint64_t from)
{
	char tmp[4096], path[4096];
	snap_path(s, true, tmp, sizeof(tmp));
	snap_path(s, false, path, sizeof(path));
	if (!wait_durable(s, seq))
		return ERR_UNAVAILABLE;
	if (fsync(s->seal.snap_fd) || rename(tmp, path))
		return err_of_errno(errno);
	close(s->seal.snap_fd);
	s->seal.snap_fd = -1;
	enum err err = slog_sync_dir(s->dir);
	if (!err)
		slog_trim(s->log, from);
	return err;
}

static enum err snap_run(struct series *s, const struct snap_job *job)
{
	char tmp[4096];
	if (job->what == SNAP_DROP) {
		snap_drop(s);
		return OK;
	}
	if (job->what == SNAP_BEGIN) {
		snap_drop(s);
		snap_path(s, true, tmp, sizeof(tmp));
		s->seal.snap_fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		s->seal.snap_unsynced = 0;
		if (s->seal.snap_fd < 0)
			return err_of_errno(errno);
	}
	enum err err = snap_append(&s->seal, buf_str(&job->bytes));
	if (!err && job->what == SNAP_END)
		err = snap_end(s, job->seq, job->from);
	return err;
}

static bool snap_ready(const struct seal *x) // under mutex
{
	return x->snap.what != SNAP_IDLE && (x->snap.what != SNAP_END || x->committed >= x->snap.need);
}

static void snap_step(struct series *s) // under mutex
{
	struct seal *x = &s->seal;
	struct snap_job job = x->snap;
	pthread_mutex_unlock(&x->mutex);
	enum err err = snap_run(s, &job); // T_SERIES does not touch the job before it is idle again
	pthread_mutex_lock(&x->mutex);
	x->snap.what = SNAP_IDLE;
	x->snap.result = err;
	atomic_store(&x->error, (int)err);
	series_wake(s);
}

// ---- seal thread: loop ----

static void wait_for(struct seal *x, int64_t mono_us) // under mutex
{
	struct timespec ts = { .tv_sec = mono_us / US_PER_S, .tv_nsec = mono_us % US_PER_S * 1000 };
	pthread_cond_timedwait(&x->cond, &x->mutex, &ts);
}

static bool batch_due(const struct series *s) // under mutex
{
	const struct seal *x = &s->seal;
	return x->queued && (x->queued >= GATHER_BLOCKS || x->stop || x->snap.what == SNAP_END ||
	                     clock_mono() >= x->since + s->cfg.gather_us);
}

// Waits for something to do. False: stop, and nothing is left. Under mutex.
static bool wait_for_work(struct series *s)
{
	struct seal *x = &s->seal;
	for (;;) {
		if (snap_ready(x) || batch_due(s))
			return true;
		if (x->stop)
			return false;
		if (roller_due(s, clock_mono()))
			return true;
		wait_for(x, x->queued ? MIN(x->since + s->cfg.gather_us, roller_next(s)) : roller_next(s));
	}
}

// Commits the batch, trying again until it works or the process ends. False: it is still not committed.
static bool commit(struct series *s, struct work *w, struct pending *batch)
{
	for (;;) {
		enum err err = write_batch(s, w, batch);
		if (err != ERR_UNAVAILABLE || !stopping(&s->seal))
			atomic_store(&s->seal.error, (int)err);
		if (!err) {
			batch_done(s, batch);
			return true;
		}
		if (stopping(&s->seal))
			return false;
		usleep(RETRY_US);
	}
}

static void *seal_main(void *arg)
{
	struct series *s = arg;
	struct seal *x = &s->seal;
	struct work w = { .samples = mem_alloc(CHUNK_SAMPLES * sizeof(struct sample)) };
	bool going = true;
	pthread_mutex_lock(&x->mutex);
	while (going && wait_for_work(s)) {
		if (snap_ready(x)) {
			snap_step(s);
			continue;
		}
		if (!batch_due(s)) {
			pthread_mutex_unlock(&x->mutex);
			roller_work(s, clock_mono());
			pthread_mutex_lock(&x->mutex);
			continue;
		}
		struct pending *batch = take_queue(x);
		pthread_mutex_unlock(&x->mutex);
		batch = in_order(&w, batch);
		for (struct pending *rest; going && batch; batch = rest) {
			rest = cut_batch(batch);
			going = commit(s, &w, batch);
		}
		pthread_mutex_lock(&x->mutex);
	}
	pthread_mutex_unlock(&x->mutex);
	mem_free(w.samples);
	mem_free(w.order);
	mem_free(w.v);
	return NULL;
}

enum err seal_start(struct series *s)
{
	struct seal *x = &s->seal;
	x->last = &x->first;
	x->snap_fd = -1;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&x->cond, &attr);
	pthread_cond_init(&x->chores, &attr);
	roller_init(s);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&x->mutex, NULL);
	buf_init(&x->snap.bytes, (size_t)64 << 20);
	x->running = pthread_create(&x->thread, NULL, seal_main, s) == 0;
	return x->running ? OK : ERR_UNAVAILABLE;
}

void seal_stop(struct series *s)
{
	struct seal *x = &s->seal;
	pthread_mutex_lock(&x->mutex);
	x->stop = true;
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
	pthread_join(x->thread, NULL);
	x->running = false;
	if (x->snap_fd >= 0)
		close(x->snap_fd);
	buf_free(&x->snap.bytes);
	pthread_cond_destroy(&x->cond);
	pthread_cond_destroy(&x->chores);
}
