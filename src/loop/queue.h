// A bounded queue from many threads to one, with an eventfd the receiving loop watches. Items are copied by value
// (a small struct, usually holding a pointer whose ownership travels along). Order of one sender is kept.
#pragma once

#include "base/base.h"

struct queue;

// capacity: rounded up to a power of two, at least 2. item: bytes of one item, 1..1024.
struct queue *queue_new(size_t capacity, size_t item);
void queue_free(struct queue *q); // no thread may still use it; items left inside are dropped. NULL is fine

// Any thread. False: full, nothing was taken; the sender decides (refuse the request, wait, drop). Wakes the receiver.
bool queue_push(struct queue *q, const void *item) must_check;

// Receiving thread only.
bool queue_pop(struct queue *q, void *ret_item); // false: empty
int queue_fd(const struct queue *q);             // readable when there may be items
typedef void queue_fn(void *ctx, void *item);    // item is valid during the call
// The usual handler of queue_fd: takes what is there, at most max items (0 = all), and leaves the queue so that the
// next push makes the fd readable again. Returns the number taken; with more left the fd stays readable.
size_t queue_drain(struct queue *q, size_t max, queue_fn *fn, void *ctx);
size_t queue_len(const struct queue *q); // any thread; an estimate while others push
