// Writer of the arrival log. T_SERIES owns `fill` and the unpublished part of its last page; what is published (under
// `mutex`) belongs to the sync thread until it is on disk.
#include "series/slog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "base/time.h"
#include "series/group.h"
#include "series/slog_in.h"

#define PAGE_BYTES (GROUP_MAX + 4096u)
#define PAGES_KEPT 8                      // empty pages kept for reuse
#define RETRY_US (100 * US_PER_MS)
#define CLOSE_WAIT_US (10 * US_PER_S)

struct page {
	struct page *next;
	size_t published;    // under mutex: groups before this are complete
	size_t written;      // sync thread: groups before this are on disk
	bool closed;         // under mutex: nothing will be added
	uint8_t b[PAGE_BYTES];
};

struct slog {
	char *dir;
	uint32_t group_us;
	int fd_event;
	pthread_t thread;

	// T_SERIES
	struct page *fill;          // the page being filled, last of the queue
	size_t at;                  // end of what is in it
	size_t group;               // start of the open group
	uint32_t count;             // readings in the open group; 0 = none open
	struct group_state state;
	int64_t group_arrival;      // arrival in the open group's head
	uint64_t last;              // seq added last

	// under mutex
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct page *head, *tail;   // queue of pages with something unwritten, and the page being filled
	struct page *spare;
	size_t n_spare;
	size_t waiting;             // bytes published, not written
	int64_t since;              // clock_mono of the oldest of them
	int64_t idle_since;         // clock_mono of the end of the last sync
	bool urgent, sleeping, grouping, stop;

	// sync thread
	int fd;                     // current segment, -1 = none
	size_t offset;              // end of what is written and synced in it
	uint64_t next;              // seq of the first reading not written

	_Atomic uint64_t durable, bytes, syncs;
	_Atomic int64_t worst_sync_us;
	struct histogram sync_us, sync_bytes;
	_Atomic size_t backlog;
	_Atomic int health;
};

#ifdef ANLAN_TEST
_Atomic int slog_fault;
static bool fault(void)
{
	int e = atomic_load(&slog_fault);
	errno = e ? e : errno;
	return e != 0;
}
#else
static bool fault(void)
{
	return false;
}
#endif

// ---- T_SERIES ----

static struct page *page_take(struct slog *l) // under mutex
{
	struct page *p = l->spare;
	if (p) {
		l->spare = p->next;
		l->n_spare--;
	} else {
		p = mem_alloc(sizeof(*p));
	}
	p->next = NULL;
	p->published = p->written = 0;
	p->closed = false;
	if (l->tail)
		l->tail->next = p;
	else
		l->head = p;
	l->tail = p;
	return p;
}

static void page_next(struct slog *l)
{
	pthread_mutex_lock(&l->mutex);
	if (l->fill) {
		l->fill->closed = true;
		if (l->sleeping)
			pthread_cond_signal(&l->cond);
	}
	l->fill = page_take(l);
	pthread_mutex_unlock(&l->mutex);
	l->at = 0;
}

// Completes the open group and hands it over.
static void publish(struct slog *l, bool now)
{
	size_t size = l->at - l->group;
	group_head(l->fill->b + l->group, (uint32_t)(size - GROUP_HEAD), l->count, l->last + 1 - l->count,
	           l->group_arrival);
	l->count = 0;
	pthread_mutex_lock(&l->mutex);
	l->fill->published = l->at;
	if (!l->waiting)
		l->since = clock_mono();
	l->waiting += size;
	l->urgent |= now || l->waiting >= GROUP_MAX;
	if (l->sleeping && (l->urgent || !l->grouping))
		pthread_cond_signal(&l->cond);
	pthread_mutex_unlock(&l->mutex);
	atomic_fetch_add(&l->backlog, size);
}

static void group_begin(struct slog *l, int64_t arrival)
{
	if (!l->fill || l->at + GROUP_HEAD + GROUP_READING_MAX > PAGE_BYTES)
		page_next(l);
	l->group = l->at;
	l->at += GROUP_HEAD;
	l->group_arrival = arrival;
	l->state = group_start(arrival);
}

void slog_add(struct slog *l, const struct reading *r, int64_t arrival, unsigned mode, int64_t scaled)
{
	if (!l->count)
		group_begin(l, arrival);
	l->at += group_put(l->fill->b + l->at, &l->state, r, arrival, mode, scaled);
	l->count++;
	l->last++;
	if (l->at - l->group >= GROUP_MAX - GROUP_HEAD - GROUP_READING_MAX || l->at + GROUP_READING_MAX > PAGE_BYTES)
		publish(l, true);
}

uint64_t slog_last(const struct slog *l)
{
	return l->last;
}

void slog_flush(struct slog *l, bool now)
{
	if (l->count) {
		publish(l, now);
		return;
	}
	if (!now)
		return;
	pthread_mutex_lock(&l->mutex);
	if (l->waiting && !l->urgent) {
		l->urgent = true;
		if (l->sleeping)
			pthread_cond_signal(&l->cond);
	}
	pthread_mutex_unlock(&l->mutex);
}

// ---- sync thread ----

static enum err open_segment(struct slog *l, uint64_t first)
{
	char path[4096];
	slog_name(l->dir, first, path, sizeof(path));
	int fd = fault() ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_of_errno(errno);
	int e = fault() ? errno : posix_fallocate(fd, 0, SEGMENT_BYTES);
	enum err err = e ? err_of_errno(e) : OK;
	if (!err && fsync(fd))
		err = err_of_errno(errno);
	if (!err)
		err = slog_sync_dir(l->dir);
	if (err) { // leave no half file behind: it takes space that others need
		unlink(path);
		close(fd);
		return err;
	}
	l->fd = fd;
	l->offset = 0;
	return OK;
}

static void close_segment(struct slog *l)
{
	if (l->fd < 0)
		return;
	if (ftruncate(l->fd, (off_t)l->offset) == 0) // gives back the rest; not needed for correctness
		(void)!fsync(l->fd);
	close(l->fd);
	l->fd = -1;
}

static enum err write_all(struct slog *l, const uint8_t *p, size_t n)
{
	size_t at = 0;
	while (at < n) {
		size_t want = n - at;
		bool bad = fault();
		if (bad)
			want /= 2;
		ssize_t k = pwrite(l->fd, p + at, want, (off_t)(l->offset + at));
		if (bad) {
			fault(); // sets errno
			return err_of_errno(errno);
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? err_of_errno(errno) : ERR_IO;
		at += (size_t)k;
	}
	return OK;
}

// End of the groups from p->written that still fit the segment; seals them and counts their readings.
static size_t groups_that_fit(struct page *p, size_t published, size_t room, uint64_t *ret_count)
{
	size_t at = p->written;
	*ret_count = 0;
	while (at < published) {
		uint32_t length, count;
		memcpy(&length, p->b + at + 4, 4);
		memcpy(&count, p->b + at + 12, 4);
		size_t size = GROUP_HEAD + (size_t)length;
		if (at + size - p->written > room)
			break;
		group_seal(p->b + at);
		at += size;
		*ret_count += count;
	}
	return at;
}

static void announce(struct slog *l, uint64_t count, size_t size)
{
	uint64_t one = 1;
	l->next += count;
	atomic_fetch_add_explicit(&l->bytes, size, memory_order_relaxed);
	atomic_fetch_add_explicit(&l->syncs, 1, memory_order_relaxed);
	atomic_fetch_sub(&l->backlog, size);
	atomic_store(&l->health, OK); // who sees the new mark sees that it was written
	atomic_store(&l->durable, l->next - 1);
	(void)!write(l->fd_event, &one, sizeof(one));
}

// Writes and syncs the groups of one page up to `published`. What was written before an error stays announced.
static enum err write_page(struct slog *l, struct page *p, size_t published)
{
	while (p->written < published) {
		uint64_t count = 0;
		size_t room = l->fd >= 0 ? SEGMENT_BYTES - l->offset : 0;
		size_t to = groups_that_fit(p, published, room, &count);
		if (to == p->written) {
			close_segment(l);
			enum err err = open_segment(l, l->next);
			if (err)
				return err;
			continue;
		}
		int64_t start = clock_mono();
		enum err err = write_all(l, p->b + p->written, to - p->written);
		if (!err && (fault() || fdatasync(l->fd)))
			err = err_of_errno(errno);
		if (err)
			return err; // the same bytes are written again to the same place
		int64_t took = clock_mono() - start;
		if (took > atomic_load_explicit(&l->worst_sync_us, memory_order_relaxed))
			atomic_store_explicit(&l->worst_sync_us, took, memory_order_relaxed);
		l->offset += to - p->written;
		size_t size = to - p->written;
		histogram_add(&l->sync_us, took);
		histogram_add(&l->sync_bytes, (int64_t)size);
		p->written = to;
		announce(l, count, size);
	}
	return OK;
}

static void wait_until(struct slog *l, int64_t mono_us) // under mutex; 0 = until signalled
{
	l->sleeping = true;
	l->grouping = mono_us != 0;
	if (mono_us) {
		struct timespec ts = { .tv_sec = mono_us / US_PER_S, .tv_nsec = mono_us % US_PER_S * 1000 };
		pthread_cond_timedwait(&l->cond, &l->mutex, &ts);
	} else {
		pthread_cond_wait(&l->cond, &l->mutex);
	}
	l->sleeping = false;
}

static void drop_written(struct slog *l) // under mutex
{
	while (l->head && l->head->closed && l->head->written == l->head->published) {
		struct page *p = l->head;
		l->head = p->next;
		if (!l->head)
			l->tail = NULL;
		if (l->n_spare < PAGES_KEPT) {
			p->next = l->spare;
			l->spare = p;
			l->n_spare++;
		} else {
			mem_free(p);
		}
	}
}

// First page with something to write, or NULL.
static struct page *page_to_write(struct slog *l)
{
	for (struct page *p = l->head; p; p = p->next)
		if (p->written < p->published)
			return p;
	return NULL;
}

// Waits for a group that is due. False: stop. Under mutex.
static bool wait_for_work(struct slog *l)
{
	for (;;) {
		drop_written(l);
		if (!page_to_write(l)) {
			if (l->stop)
				return false;
			wait_until(l, 0);
			continue;
		}
		int64_t due = MIN(l->since, l->idle_since) + l->group_us; // an idle disk is used at once
		if (l->urgent || l->stop || clock_mono() >= due)
			return true;
		wait_until(l, due);
	}
}

static void *sync_main(void *arg)
{
	struct slog *l = arg;
	int64_t give_up = 0;
	pthread_mutex_lock(&l->mutex);
	while (wait_for_work(l)) {
		l->urgent = false;
		l->waiting = 0;
		struct page *p;
		enum err err = OK;
		while (!err && (p = page_to_write(l))) {
			size_t published = p->published;
			pthread_mutex_unlock(&l->mutex);
			err = write_page(l, p, published);
			pthread_mutex_lock(&l->mutex);
			drop_written(l);
		}
		atomic_store(&l->health, (int)err);
		l->idle_since = clock_mono();
		if (!err)
			continue;
		l->waiting = 1;
		int64_t now = clock_mono();
		if (l->stop && !give_up)
			give_up = now + CLOSE_WAIT_US;
		if (give_up && now >= give_up)
			break;
		l->urgent = true;
		pthread_mutex_unlock(&l->mutex);
		usleep(RETRY_US);
		pthread_mutex_lock(&l->mutex);
	}
	pthread_mutex_unlock(&l->mutex);
	close_segment(l);
	return NULL;
}

// ---- open, close ----

enum err slog_open(struct slog **ret, const char *dir, uint32_t group_us, uint64_t next)
{
	struct slog *l = mem_alloc(sizeof(*l));
	size_t n = strlen(dir) + 1;
	l->dir = mem_alloc(n);
	memcpy(l->dir, dir, n);
	l->group_us = group_us;
	l->sync_us.bounds = histogram_seconds;
	l->sync_bytes.bounds = histogram_sizes;
	l->fd = -1;
	l->next = next;
	l->last = next - 1;
	atomic_store(&l->durable, next - 1);
	l->fd_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->cond, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&l->mutex, NULL);
	if (l->fd_event >= 0 && pthread_create(&l->thread, NULL, sync_main, l) == 0) {
		*ret = l;
		return OK;
	}
	if (l->fd_event >= 0)
		close(l->fd_event);
	mem_free(l->dir);
	mem_free(l);
	return ERR_UNAVAILABLE;
}

void slog_close(struct slog *l)
{
	if (!l)
		return;
	slog_flush(l, true);
	pthread_mutex_lock(&l->mutex);
	l->stop = true;
	pthread_cond_signal(&l->cond);
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
	for (struct page *p = l->head, *next; p; p = next) {
		next = p->next;
		mem_free(p);
	}
	for (struct page *p = l->spare, *next; p; p = next) {
		next = p->next;
		mem_free(p);
	}
	pthread_cond_destroy(&l->cond);
	pthread_mutex_destroy(&l->mutex);
	close(l->fd_event);
	mem_free(l->dir);
	mem_free(l);
}

uint64_t slog_durable(const struct slog *l)
{
	return atomic_load(&l->durable);
}

int slog_fd(const struct slog *l)
{
	return l->fd_event;
}

enum err slog_health(const struct slog *l)
{
	return (enum err)atomic_load(&l->health);
}

size_t slog_backlog(const struct slog *l)
{
	return atomic_load(&l->backlog);
}

void slog_stats(const struct slog *l, struct slog_stats *ret)
{
	ret->bytes = atomic_load_explicit(&l->bytes, memory_order_relaxed);
	ret->syncs = atomic_load_explicit(&l->syncs, memory_order_relaxed);
	ret->worst_sync_us = atomic_load_explicit(&l->worst_sync_us, memory_order_relaxed);
	ret->sync_us = &l->sync_us;
	ret->sync_bytes = &l->sync_bytes;
}

void slog_trim(struct slog *l, uint64_t seq)
{
	struct slog_files files;
	if (slog_list(l->dir, &files) == OK) {
		for (size_t i = 0; i + 1 < files.n && files.first[i + 1] <= seq + 1; i++) {
			char path[4096];
			slog_name(l->dir, files.first[i], path, sizeof(path));
			unlink(path);
		}
	}
	mem_free(files.first);
}
