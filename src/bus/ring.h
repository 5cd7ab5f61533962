// A single-producer single-consumer byte ring in shared memory (memfd), made by the parent and inherited by gate
// and core, so that it outlives a crash of either. A message is published whole or not at all. The consumer reads
// ahead with its own cursor and releases space only when the message is dealt with for good (readings: on disk):
// a restarted consumer starts again at the first message not released.
#pragma once

#include "base/base.h"
#include "base/err.h"

struct ring;

// bytes: power of two, at least 4096; ERR_INVALID otherwise, ERR_IO when the kernel refuses. Two eventfds come with it
// (data, space), all kept over fork.
enum err ring_create(struct ring **ret, size_t bytes) must_check;
void ring_destroy(struct ring *r); // NULL is fine
// Who starts (or restarts) as one end of a ring made before the fork calls one of these once: it takes up where its
// predecessor was killed and wakes the other side, so that no wake-up is lost with a dead process.
void ring_attach_producer(struct ring *r);
void ring_attach_consumer(struct ring *r); // includes ring_rewind
int ring_data_fd(const struct ring *r);  // readable when the consumer should look; an eventfd that its handler reads
int ring_space_fd(const struct ring *r); // readable when the producer, having met a full ring, should try again

// Producer. NULL: no room now (space_fd will tell). The memory is 8-aligned and contiguous; nothing is visible
// before ring_commit. n <= bytes/4.
void *ring_reserve(struct ring *r, size_t n);
void ring_commit(struct ring *r, size_t n); // n <= reserved; wakes the consumer if it sleeps
// Consumer. NULL: nothing more now.
const void *ring_next(struct ring *r, size_t *ret_n); // and moves the read cursor past it
uint64_t ring_position(const struct ring *r);         // of the read cursor: everything before it was returned
void ring_release(struct ring *r, uint64_t position); // frees the space of all before position
void ring_rewind(struct ring *r);                     // read cursor back to the first unreleased message
// Before sleeping on data_fd: returns true if the ring is empty and a later commit will write data_fd.
bool ring_may_sleep(struct ring *r);
// Consumer: the other process left something in the ring that cannot be (it was taken over or has a bug). Final:
// ring_next returns NULL from now on; the parent must end both children and make a new ring.
#define RING_EXIT 79 // exit status of a child that says so
bool ring_is_corrupt(const struct ring *r);
size_t ring_used(const struct ring *r);
size_t ring_size(const struct ring *r);
