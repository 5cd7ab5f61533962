// See loop.h. Descriptors sit in a table indexed by their number; the number and a generation travel through epoll, so
// that a stale event is recognised. Timers are a binary heap of pointers into their owners.
#include "loop/loop.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"

#include <errno.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256

struct watch {
	loop_fd_fn *fn;      // NULL: not watched
	void *ctx;
	uint32_t events;
	uint32_t generation; // raised by every unwatch
};

struct loop {
	int ep;
	struct watch *watch;        // indexed by fd
	size_t nwatch;
	struct loop_timer **heap;   // [0] unused, children of i are 2i and 2i+1
	size_t nheap, heap_cap;
	loop_idle_fn *idle;
	void *idle_ctx;
	int64_t mono, wall;
	bool stop, busy;            // busy: the idle hook asked not to sleep
	struct epoll_event events[EVENTS_PER_TURN];
};

static void loop_read_clocks(struct loop *l)
{
	l->mono = clock_mono();
	l->wall = clock_now();
}

struct loop *loop_new(void)
{
	struct loop *l = mem_alloc(sizeof *l);
	l->ep = epoll_create1(EPOLL_CLOEXEC);
	if (l->ep < 0)
		log_die("loop", "epoll_create1: errno %d", errno);
	loop_read_clocks(l);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	close(l->ep);
	for (size_t i = 1; i <= l->nheap; i++)
		l->heap[i]->slot = 0;
	mem_free(l->heap);
	mem_free(l->watch);
	mem_free(l);
}

// --- descriptors ---

static void watch_table_grow(struct loop *l, size_t need)
{
	if (need <= l->nwatch)
		return;
	size_t n = MAX(need, MAX(l->nwatch * 2, (size_t)64));
	l->watch = mem_resize(l->watch, n * sizeof *l->watch);
	memset(l->watch + l->nwatch, 0, (n - l->nwatch) * sizeof *l->watch);
	l->nwatch = n;
}

static uint64_t watch_tag(const struct loop *l, int fd)
{
	return (uint64_t)l->watch[fd].generation << 32 | (uint32_t)fd;
}

enum err loop_watch(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *ctx)
{
	if (fd < 0)
		return ERR_INVALID;
	watch_table_grow(l, (size_t)fd + 1);
	struct watch *w = &l->watch[fd];
	if (w->fn)
		return ERR_CONFLICT;
	struct epoll_event ev = { .events = events, .data.u64 = watch_tag(l, fd) };
	if (epoll_ctl(l->ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		return ERR_IO;
	w->fn = fn;
	w->ctx = ctx;
	w->events = events;
	return OK;
}

void loop_rewatch(struct loop *l, int fd, uint32_t events)
{
	if (fd < 0 || (size_t)fd >= l->nwatch || !l->watch[fd].fn || l->watch[fd].events == events)
		return;
	struct epoll_event ev = { .events = events, .data.u64 = watch_tag(l, fd) };
	if (epoll_ctl(l->ep, EPOLL_CTL_MOD, fd, &ev) < 0)
		log_die("loop", "epoll_ctl: errno %d", errno); // only a bug of ours: fd closed before loop_unwatch
	l->watch[fd].events = events;
}

void loop_unwatch(struct loop *l, int fd)
{
	if (fd < 0 || (size_t)fd >= l->nwatch || !l->watch[fd].fn)
		return;
	struct epoll_event ev = { 0 };
	epoll_ctl(l->ep, EPOLL_CTL_DEL, fd, &ev);
	l->watch[fd].fn = NULL;
	l->watch[fd].ctx = NULL;
	l->watch[fd].generation++;
}

// --- timers ---

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->slot = i;
}

static void heap_up(struct loop *l, size_t i)
{
	struct loop_timer *t = l->heap[i];
	for (; i > 1 && l->heap[i / 2]->at > t->at; i /= 2)
		heap_put(l, i, l->heap[i / 2]);
	heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
	struct loop_timer *t = l->heap[i];
	for (size_t child; (child = 2 * i) <= l->nheap; i = child) {
		if (child < l->nheap && l->heap[child + 1]->at < l->heap[child]->at)
			child++;
		if (l->heap[child]->at >= t->at)
			break;
		heap_put(l, i, l->heap[child]);
	}
	heap_put(l, i, t);
}

void loop_timer_init(struct loop_timer *t, loop_timer_fn *fn, void *ctx)
{
	*t = (struct loop_timer){ .fn = fn, .ctx = ctx };
}

void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t mono_us)
{
	t->at = mono_us;
	if (!t->slot) {
		if (l->nheap + 2 > l->heap_cap) {
			l->heap_cap = MAX(l->heap_cap * 2, (size_t)64);
			l->heap = mem_resize(l->heap, l->heap_cap * sizeof(*l->heap));
		}
		heap_put(l, ++l->nheap, t);
	}
	heap_up(l, t->slot);
	heap_down(l, t->slot);
}

void loop_timer_in(struct loop *l, struct loop_timer *t, int64_t delay_us)
{
	loop_timer_at(l, t, l->mono + delay_us);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	size_t i = t->slot;
	if (!i)
		return;
	t->slot = 0;
	struct loop_timer *last = l->heap[l->nheap--];
	if (last == t)
		return;
	heap_put(l, i, last);
	heap_up(l, i);
	heap_down(l, last->slot);
}

static size_t timers_run(struct loop *l)
{
	size_t n = 0;
	// Those due when the turn began: a timer that sets itself to "now" waits for the next turn.
	for (size_t most = l->nheap; most && l->nheap && l->heap[1]->at <= l->mono; most--, n++) {
		struct loop_timer *t = l->heap[1];
		loop_timer_stop(l, t);
		t->fn(t->ctx);
	}
	return n;
}

// --- turning ---

void loop_on_idle(struct loop *l, loop_idle_fn *fn, void *ctx)
{
	l->idle = fn;
	l->idle_ctx = ctx;
}

int64_t loop_mono(const struct loop *l) { return l->mono; }
int64_t loop_wall(const struct loop *l) { return l->wall; }

static int loop_wait_ms(const struct loop *l, int max_wait_ms)
{
	if (l->busy)
		return 0;
	if (!l->nheap)
		return max_wait_ms;
	int64_t us = l->heap[1]->at - clock_mono();
	int64_t ms = us <= 0 ? 0 : MIN((us + US_PER_MS - 1) / US_PER_MS, INT64_C(3600000));
	return max_wait_ms < 0 ? (int)ms : (int)MIN(ms, (int64_t)max_wait_ms);
}

size_t loop_turn(struct loop *l, int max_wait_ms)
{
	int n = epoll_wait(l->ep, l->events, EVENTS_PER_TURN, loop_wait_ms(l, max_wait_ms));
	if (n < 0 && errno != EINTR)
		log_die("loop", "epoll_wait: errno %d", errno);
	loop_read_clocks(l);
	size_t calls = 0;
	for (int i = 0; i < n; i++) {
		uint64_t tag = l->events[i].data.u64;
		const struct watch *w = &l->watch[(uint32_t)tag];
		if (!w->fn || w->generation != (uint32_t)(tag >> 32))
			continue; // closed by an earlier callback of this turn
		w->fn(w->ctx, l->events[i].events);
		calls++;
	}
	calls += timers_run(l);
	l->busy = l->idle && l->idle(l->idle_ctx);
	return calls;
}

void loop_run(struct loop *l)
{
	for (l->stop = false; !l->stop;)
		loop_turn(l, -1);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
