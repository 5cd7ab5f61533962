// One thread's event loop: file descriptors through epoll, timers in a heap, one look at the clocks per turn.
// Owned and used by exactly one thread; other threads reach it through a queue (loop/queue.h) whose fd it watches.
// Descriptors may be closed and watched again inside any callback: an event that belongs to an earlier owner of the
// same number is never delivered.
#pragma once

#include "base/base.h"
#include "base/err.h"

#include <sys/epoll.h> // EPOLLIN, EPOLLOUT, EPOLLET

struct loop;

typedef void loop_fd_fn(void *ctx, uint32_t events);
typedef void loop_timer_fn(void *ctx);
// Called at the end of every turn, before sleeping. True: there is more to do, look at the descriptors but do not
// sleep.
typedef bool loop_idle_fn(void *ctx);

// A timer lives in its owner's struct; the loop keeps only a pointer while it is set.
struct loop_timer {
	int64_t at;        // clock_mono() time it is due
	size_t slot;       // place in the heap from 1; 0 = not set
	loop_timer_fn *fn;
	void *ctx;
};

struct loop *loop_new(void);      // ends the process when the kernel refuses an epoll descriptor
void loop_free(struct loop *l);   // closes none of the watched descriptors; NULL is fine

// events: EPOLL* bits. ERR_IO when the kernel refuses (limit, not pollable), ERR_CONFLICT when fd is already watched.
enum err loop_watch(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *ctx) must_check;
void loop_rewatch(struct loop *l, int fd, uint32_t events); // other events for a watched fd; same events cost nothing
void loop_unwatch(struct loop *l, int fd);                  // before close(fd); unknown fd is fine

void loop_timer_init(struct loop_timer *t, loop_timer_fn *fn, void *ctx);
void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t mono_us); // set, or move if set
void loop_timer_in(struct loop *l, struct loop_timer *t, int64_t delay_us); // from loop_mono()
void loop_timer_stop(struct loop *l, struct loop_timer *t);                 // not set is fine
static inline bool loop_timer_is_set(const struct loop_timer *t) { return t->slot != 0; }

void loop_on_idle(struct loop *l, loop_idle_fn *fn, void *ctx); // one hook; NULL takes it away

// The clocks as they were when this turn woke up.
int64_t loop_mono(const struct loop *l);
int64_t loop_wall(const struct loop *l);

// One turn: waits at most max_wait_ms (0 = not at all, -1 = until something happens), delivers events, runs due timers,
// calls the idle hook. Returns the number of callbacks. Tests with a fake clock set it and call loop_turn(l, 0).
size_t loop_turn(struct loop *l, int max_wait_ms);
void loop_run(struct loop *l);  // turns until loop_stop
void loop_stop(struct loop *l); // from a callback: the current turn is the last
