// See queue.h. A ring of cells with a sequence number each (D. Vyukov's bounded queue, restricted to one consumer): a
// cell whose number equals the ticket is free, ticket + 1 is full. `armed` says that the receiver sleeps on the fd.
#include "loop/queue.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define QUEUE_ITEM_MAX 1024
#define CACHE_LINE 64

struct queue {
	_Alignas(CACHE_LINE) _Atomic uint64_t head; // next ticket of a sender
	_Alignas(CACHE_LINE) _Atomic uint64_t tail; // next ticket of the receiver (written by it alone)
	_Alignas(CACHE_LINE) atomic_bool armed;     // the next push must write the eventfd
	char *cells;       // capacity × stride: an _Atomic uint64_t, then the item
	size_t mask;       // capacity - 1
	size_t item;       // bytes of an item
	size_t stride;
	int fd;
	void *unaligned;   // what mem_alloc gave for this struct
};

static _Atomic uint64_t *cell_at(const struct queue *q, uint64_t ticket)
{
	return (_Atomic uint64_t *)(q->cells + (ticket & q->mask) * q->stride);
}

struct queue *queue_new(size_t capacity, size_t item)
{
	assert(item > 0 && item <= QUEUE_ITEM_MAX);
	size_t cap = 2;
	while (cap < capacity)
		cap *= 2;
	char *raw = mem_alloc(sizeof(struct queue) + CACHE_LINE);
	struct queue *q = (struct queue *)(raw + (CACHE_LINE - (uintptr_t)raw % CACHE_LINE));
	q->unaligned = raw;
	q->item = item;
	q->stride = sizeof(uint64_t) + (item + 7) / 8 * 8;
	q->mask = cap - 1;
	q->cells = mem_alloc(cap * q->stride);
	for (uint64_t i = 0; i < cap; i++)
		atomic_init(cell_at(q, i), i);
	atomic_init(&q->armed, true);
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd < 0)
		log_die("queue", "eventfd: errno %d", errno);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	close(q->fd);
	mem_free(q->cells);
	mem_free(q->unaligned);
}

static void queue_wake(struct queue *q)
{
	uint64_t one = 1;
	ssize_t n = write(q->fd, &one, sizeof one); // EAGAIN: already readable
	(void)n;
}

bool queue_push(struct queue *q, const void *item)
{
	uint64_t ticket = atomic_load_explicit(&q->head, memory_order_relaxed);
	for (;;) {
		_Atomic uint64_t *cell = cell_at(q, ticket);
		int64_t lead = (int64_t)(atomic_load_explicit(cell, memory_order_acquire) - ticket);
		if (lead < 0)
			return false; // still holds an item of the round before: full
		if (lead > 0) {
			ticket = atomic_load_explicit(&q->head, memory_order_relaxed);
			continue;
		}
		if (atomic_compare_exchange_weak_explicit(&q->head, &ticket, ticket + 1, memory_order_relaxed,
		                                          memory_order_relaxed)) {
			memcpy((char *)cell + sizeof(uint64_t), item, q->item);
			atomic_store_explicit(cell, ticket + 1, memory_order_seq_cst);
			break;
		}
	}
	// Either we see the receiver armed, or the receiver, which arms first and looks second, sees our item.
	if (atomic_load_explicit(&q->armed, memory_order_seq_cst) && atomic_exchange(&q->armed, false))
		queue_wake(q);
	return true;
}

static bool queue_has(const struct queue *q)
{
	uint64_t t = atomic_load_explicit(&q->tail, memory_order_relaxed);
	return atomic_load_explicit(cell_at(q, t), memory_order_seq_cst) == t + 1;
}

bool queue_pop(struct queue *q, void *ret_item)
{
	if (!queue_has(q))
		return false;
	uint64_t t = atomic_load_explicit(&q->tail, memory_order_relaxed);
	_Atomic uint64_t *cell = cell_at(q, t);
	memcpy(ret_item, (char *)cell + sizeof(uint64_t), q->item);
	atomic_store_explicit(cell, t + q->mask + 1, memory_order_release);
	atomic_store_explicit(&q->tail, t + 1, memory_order_relaxed);
	return true;
}

int queue_fd(const struct queue *q) { return q->fd; }

size_t queue_drain(struct queue *q, size_t max, queue_fn *fn, void *ctx)
{
	_Alignas(16) char item[QUEUE_ITEM_MAX];
	uint64_t ignored;
	ssize_t r = read(q->fd, &ignored, sizeof ignored);
	(void)r;
	size_t n = 0;
	for (;;) {
		while ((!max || n < max) && queue_pop(q, item)) {
			fn(ctx, item);
			n++;
		}
		if (max && n == max) {
			queue_wake(q); // there may be more: the fd stays readable
			return n;
		}
		atomic_store_explicit(&q->armed, true, memory_order_seq_cst);
		if (!queue_has(q))
			return n;
		atomic_store_explicit(&q->armed, false, memory_order_relaxed); // a sender's extra wake does no harm
	}
}

size_t queue_len(const struct queue *q)
{
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
	return head > tail ? (size_t)(head - tail) : 0;
}
