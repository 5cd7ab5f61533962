// See ring.h. One memfd: a page of shared counters, then the data, which is mapped twice in a row so that a message
// never wraps. A record is u64 length, then the message padded to 8. All positions are byte counts since the ring was
// made and never wrap around (2^64 bytes). A record becomes visible by one store of `head`: killing the producer
// anywhere leaves it there whole or not at all. What the consumer reads from shared memory it takes once and checks.
#include "bus/ring.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE 64
#define RING_PAGE 4096u
#define RECORD_HEAD sizeof(uint64_t)

struct ring_shared { // in the first page, seen by both processes
	_Alignas(CACHE_LINE) _Atomic uint64_t head;    // end of the last published record; producer writes
	_Alignas(CACHE_LINE) _Atomic uint64_t tail;    // everything before it may be overwritten; consumer writes
	_Alignas(CACHE_LINE) _Atomic uint64_t sleeps;  // odd: consumer waits for data_fd; counts up; consumer writes
	_Alignas(CACHE_LINE) _Atomic uint32_t waiting; // producer waits for space_fd; producer writes
};

struct ring {
	struct ring_shared *sh;
	char *data;         // bytes, mapped twice
	size_t bytes;
	int memfd, data_fd, space_fd;
	// producer's own
	_Alignas(CACHE_LINE) uint64_t head;
	uint64_t tail_seen; // last tail read; the true one is not less
	size_t reserved;
	bool was_full;      // space_fd may have been written
	uint64_t woken;     // value of sleeps when data_fd was last written: once a sleep is enough
	// consumer's own
	_Alignas(CACHE_LINE) uint64_t next; // read cursor
	uint64_t head_seen;
	uint64_t tail;
	uint64_t sleeps;    // sh->sleeps as we left it
	bool corrupt;
	void *unaligned;    // what mem_alloc gave for this struct
};

static size_t record_size(size_t n) { return RECORD_HEAD + (n + 7) / 8 * 8; }

static void ring_signal(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof one); // EAGAIN: already readable
	(void)n;
}

static void ring_unsignal(int fd)
{
	uint64_t ignored;
	ssize_t n = read(fd, &ignored, sizeof ignored);
	(void)n;
}

// --- making ---

static bool ring_map(struct ring *r)
{
	size_t all = RING_PAGE + 2 * r->bytes;
	char *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	r->sh = (struct ring_shared *)p;
	r->data = p + RING_PAGE;
	int rw = PROT_READ | PROT_WRITE;
	void *a = mmap(p, RING_PAGE + r->bytes, rw, MAP_SHARED | MAP_FIXED, r->memfd, 0);
	void *b = mmap(r->data + r->bytes, r->bytes, rw, MAP_SHARED | MAP_FIXED, r->memfd, RING_PAGE);
	return a != MAP_FAILED && b != MAP_FAILED;
}

enum err ring_create(struct ring **ret, size_t bytes)
{
	if (bytes < RING_PAGE || (bytes & (bytes - 1)))
		return ERR_INVALID;
	char *raw = mem_alloc(sizeof(struct ring) + CACHE_LINE);
	struct ring *r = (struct ring *)(raw + (CACHE_LINE - (uintptr_t)raw % CACHE_LINE));
	r->unaligned = raw;
	r->bytes = bytes;
	r->memfd = memfd_create("anlan-ring", MFD_CLOEXEC);
	r->data_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r->space_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->memfd < 0 || r->data_fd < 0 || r->space_fd < 0 || ftruncate(r->memfd, (off_t)(RING_PAGE + bytes)) < 0 ||
	    !ring_map(r)) {
		ring_destroy(r);
		return ERR_IO;
	}
	*ret = r;
	return OK;
}

void ring_destroy(struct ring *r)
{
	if (!r)
		return;
	if (r->sh)
		munmap(r->sh, RING_PAGE + 2 * r->bytes);
	int fds[] = { r->memfd, r->data_fd, r->space_fd };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	mem_free(r->unaligned);
}

int ring_data_fd(const struct ring *r) { return r->data_fd; }
int ring_space_fd(const struct ring *r) { return r->space_fd; }

// --- producer ---

void ring_attach_producer(struct ring *r)
{
	r->head = atomic_load(&r->sh->head);
	r->tail_seen = atomic_load(&r->sh->tail);
	r->reserved = 0;
	r->woken = 0;
	r->was_full = true; // a predecessor may have left the flag
	ring_signal(r->data_fd);
}

static bool ring_has_room(struct ring *r, size_t need)
{
	if (r->bytes - (r->head - r->tail_seen) >= need)
		return true;
	r->tail_seen = atomic_load_explicit(&r->sh->tail, memory_order_acquire);
	return r->bytes - (r->head - r->tail_seen) >= need;
}

void *ring_reserve(struct ring *r, size_t n)
{
	if (n > r->bytes / 4)
		log_die("ring", "reserve of %zu bytes in a ring of %zu", n, r->bytes);
	size_t need = record_size(n);
	if (!ring_has_room(r, need)) {
		// Say that we wait, then look again: the consumer releases first and looks at the flag second.
		r->was_full = true;
		ring_unsignal(r->space_fd);
		atomic_store(&r->sh->waiting, 1);
		atomic_thread_fence(memory_order_seq_cst);
		if (!ring_has_room(r, need))
			return NULL;
	}
	if (r->was_full) {
		r->was_full = false;
		atomic_store(&r->sh->waiting, 0);
		ring_unsignal(r->space_fd);
	}
	r->reserved = n;
	return r->data + (r->head & (r->bytes - 1)) + RECORD_HEAD;
}

void ring_commit(struct ring *r, size_t n)
{
	assert(n <= r->reserved);
	r->reserved = 0;
	uint64_t length = n;
	memcpy(r->data + (r->head & (r->bytes - 1)), &length, sizeof length);
	r->head += record_size(n);
	atomic_store_explicit(&r->sh->head, r->head, memory_order_seq_cst);
	// That the wake-up was sent is noted in our own memory: a kill before the write cannot lose it for a successor.
	uint64_t sleeps = atomic_load_explicit(&r->sh->sleeps, memory_order_seq_cst);
	if (sleeps & 1 && sleeps != r->woken) {
		ring_signal(r->data_fd);
		r->woken = sleeps;
	}
}

// --- consumer ---

static void ring_set_asleep(struct ring *r, bool asleep)
{
	if ((r->sleeps & 1) == asleep)
		return;
	r->sleeps++;
	atomic_store_explicit(&r->sh->sleeps, r->sleeps, memory_order_seq_cst);
}

void ring_rewind(struct ring *r)
{
	r->tail = atomic_load(&r->sh->tail);
	r->next = r->tail;
	r->head_seen = r->tail;
}

void ring_attach_consumer(struct ring *r)
{
	ring_rewind(r);
	r->sleeps = atomic_load(&r->sh->sleeps); // a predecessor may have died asleep
	ring_set_asleep(r, false);
	ring_signal(r->data_fd);  // our own first look
	if (atomic_load(&r->sh->waiting))
		ring_signal(r->space_fd); // a producer waits for the release that never came
}

static bool ring_has_next(struct ring *r)
{
	if (r->next == r->head_seen)
		r->head_seen = atomic_load_explicit(&r->sh->head, memory_order_seq_cst);
	if (r->head_seen - r->tail > r->bytes || r->next - r->tail > r->head_seen - r->tail)
		r->corrupt = true;
	return !r->corrupt && r->next != r->head_seen;
}

const void *ring_next(struct ring *r, size_t *ret_n)
{
	if (r->corrupt || !ring_has_next(r))
		return NULL;
	ring_set_asleep(r, false); // we are up: commits need not wake us
	const char *record = r->data + (r->next & (r->bytes - 1));
	uint64_t n;
	memcpy(&n, record, sizeof n);
	if (n > r->bytes / 4 || record_size(n) > r->head_seen - r->next) {
		r->corrupt = true;
		return NULL;
	}
	r->next += record_size(n);
	*ret_n = n;
	return record + RECORD_HEAD;
}

uint64_t ring_position(const struct ring *r) { return r->next; }

void ring_release(struct ring *r, uint64_t position)
{
	if (position == r->tail)
		return;
	assert(position - r->tail <= r->next - r->tail);
	r->tail = position;
	atomic_store_explicit(&r->sh->tail, position, memory_order_seq_cst);
	if (atomic_load_explicit(&r->sh->waiting, memory_order_seq_cst))
		ring_signal(r->space_fd);
}

bool ring_may_sleep(struct ring *r)
{
	if (r->corrupt)
		return true;
	if (ring_has_next(r))
		return false;
	if (r->sleeps & 1)
		return true; // still the same sleep: nothing came, whatever else woke this thread
	ring_unsignal(r->data_fd);
	ring_set_asleep(r, true);
	if (!ring_has_next(r)) // after the flag: a commit that is not seen here sees the flag
		return true;
	ring_set_asleep(r, false);
	return false;
}

bool ring_is_corrupt(const struct ring *r) { return r->corrupt; }

size_t ring_size(const struct ring *r) { return r->bytes; }

size_t ring_used(const struct ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->sh->tail, memory_order_acquire);
	return (size_t)(atomic_load_explicit(&r->sh->head, memory_order_acquire) - tail);
}
