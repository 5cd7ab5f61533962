// The shared-memory ring: whole messages in order, wake-ups, and random kills of either side.
// needs: base bus
// threads
#include "base/hash.h"
#include "bus/command.h"
#include "bus/ring.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ring *ring_make(size_t bytes)
{
	struct ring *r = NULL;
	assert_int_equal(ring_create(&r, bytes), OK);
	return r;
}

// A message that proves itself: its number, then a pattern of it, length from the number.
static size_t pattern_size(uint64_t n) { return 8 + n * 37 % 900; }
static void pattern_fill(char *p, uint64_t n)
{
	memcpy(p, &n, 8);
	memset(p + 8, (int)(n * 131 % 251), pattern_size(n) - 8);
}
static bool pattern_is(const char *p, size_t size, uint64_t *ret_n)
{
	memcpy(ret_n, p, 8);
	if (size != pattern_size(*ret_n))
		return false;
	for (size_t i = 8; i < size; i++)
		if ((uint8_t)p[i] != *ret_n * 131 % 251)
			return false;
	return true;
}

static bool pattern_put(struct ring *r, uint64_t n)
{
	char *p = ring_reserve(r, pattern_size(n) + 100); // more than is used
	if (!p)
		return false;
	pattern_fill(p, n);
	ring_commit(r, pattern_size(n));
	return true;
}

static void messages_come_whole_and_in_order(void **state)
{
	(void)state;
	struct ring *r = ring_make(8192);
	uint64_t put = 0, got = 0;
	for (int round = 0; round < 300; round++) {
		while (pattern_put(r, put))
			put++;
		size_t n;
		for (const char *p; (p = ring_next(r, &n));) {
			uint64_t k;
			assert_true(pattern_is(p, n, &k));
			assert_int_equal(k, got++);
			assert_int_equal((uintptr_t)p % 8, 0);
		}
		assert_int_equal(got, put);
		ring_release(r, ring_position(r));
		assert_int_equal(ring_used(r), 0);
	}
	assert_true(put > 2000);
	ring_destroy(r);
}

static void what_is_not_released_comes_again(void **state)
{
	(void)state;
	struct ring *r = ring_make(4096);
	for (uint64_t i = 0; i < 3; i++) {
		char *p = ring_reserve(r, 8);
		memcpy(p, &i, 8);
		ring_commit(r, 8);
	}
	size_t n;
	ring_next(r, &n);
	uint64_t first = ring_position(r);
	ring_next(r, &n);
	ring_release(r, first);
	ring_attach_consumer(r); // the consumer was restarted
	uint64_t k;
	memcpy(&k, ring_next(r, &n), 8);
	assert_int_equal(k, 1);
	ring_destroy(r);
}

static void refuses_odd_sizes(void **state)
{
	(void)state;
	struct ring *r;
	assert_int_equal(ring_create(&r, 5000), ERR_INVALID);
	assert_int_equal(ring_create(&r, 1024), ERR_INVALID);
}

static bool readable(int fd) { return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1; }

static void wakes_only_who_sleeps(void **state)
{
	(void)state;
	struct ring *r = ring_make(4096);
	size_t n;
	pattern_put(r, 0);
	assert_false(readable(ring_data_fd(r))); // nobody said it sleeps
	assert_false(ring_may_sleep(r));
	assert_non_null(ring_next(r, &n));
	assert_true(ring_may_sleep(r));
	pattern_put(r, 0);
	assert_true(readable(ring_data_fd(r)));
	assert_non_null(ring_next(r, &n));
	assert_true(ring_may_sleep(r));
	assert_false(readable(ring_data_fd(r)));
	while (pattern_put(r, 20))
		;
	while (ring_next(r, &n))
		;
	assert_false(readable(ring_space_fd(r)));
	ring_release(r, ring_position(r));
	assert_true(readable(ring_space_fd(r)));
	assert_true(pattern_put(r, 20));
	assert_false(readable(ring_space_fd(r)));
	ring_destroy(r);
}

static void a_lying_producer_is_found_out(void **state)
{
	(void)state;
	struct ring *r = ring_make(4096);
	char *p = ring_reserve(r, 64);
	ring_commit(r, 64);
	uint64_t lie = 1u << 20;
	memcpy(p - 8, &lie, 8); // the length in front of the message
	size_t n;
	assert_null(ring_next(r, &n));
	assert_true(ring_is_corrupt(r));
	assert_true(ring_may_sleep(r));
	ring_destroy(r);
}

// --- two threads, sleeping and waking ---

#define THREAD_MESSAGES 30000

static void *producer_main(void *ctx)
{
	struct ring *r = ctx;
	for (uint64_t i = 0; i < THREAD_MESSAGES; i++)
		while (!pattern_put(r, i))
			poll(&(struct pollfd){ .fd = ring_space_fd(r), .events = POLLIN }, 1, -1);
	return NULL;
}

static void two_threads_never_miss_a_wake_up(void **state)
{
	(void)state;
	struct ring *r = ring_make(8192);
	pthread_t th;
	assert_int_equal(pthread_create(&th, NULL, producer_main, r), 0);
	for (uint64_t got = 0; got < THREAD_MESSAGES;) {
		size_t n;
		const char *p = ring_next(r, &n);
		if (!p) {
			if (ring_may_sleep(r))
				assert_int_equal(
					poll(&(struct pollfd){ .fd = ring_data_fd(r), .events = POLLIN }, 1, 60000), 1);
			continue;
		}
		uint64_t k;
		if (!pattern_is(p, n, &k) || k != got)
			fail_msg("message %lu instead of %lu", k, got);
		got++;
		if (got % 7 == 0)
			ring_release(r, ring_position(r));
	}
	pthread_join(th, NULL);
	ring_destroy(r);
}

#ifndef __SANITIZE_THREAD__ // fork and kill say nothing to TSan

struct crash_page { // what the two processes have done for good, in shared memory
	volatile uint64_t started; // producer: number of the message it is about to publish
	volatile uint64_t stored;  // consumer: next number it expects ("on disk")
	volatile uint64_t bad;     // consumer: a message that was half, doubled beyond the allowed, or out of order
};

// The producer numbers its messages from what it knows was started; after a kill it cannot know whether `started` was
// published, so it sends it again: the consumer may see that one number twice, nothing else.
static void crash_producer(struct ring *r, struct crash_page *page)
{
	ring_attach_producer(r);
	for (uint64_t i = page->started;; i++) {
		page->started = i;
		while (!pattern_put(r, i))
			poll(&(struct pollfd){ .fd = ring_space_fd(r), .events = POLLIN }, 1, -1);
	}
}

static void crash_consumer(struct ring *r, struct crash_page *page)
{
	ring_attach_consumer(r);
	for (uint64_t batch = 0;; batch++) {
		size_t n;
		const char *p = ring_next(r, &n);
		if (!p) {
			ring_release(r, ring_position(r));
			if (ring_may_sleep(r))
				poll(&(struct pollfd){ .fd = ring_data_fd(r), .events = POLLIN }, 1, -1);
			continue;
		}
		uint64_t k;
		if (!pattern_is(p, n, &k) || k > page->stored)
			page->bad++;
		else if (k == page->stored)
			page->stored = k + 1; // k < stored: seen before a kill, not yet released then
		if (batch % 16 == 15)
			ring_release(r, ring_position(r));
	}
}

static pid_t crash_spawn(void (*run)(struct ring *, struct crash_page *), struct ring *r, struct crash_page *page)
{
	pid_t pid = fork();
	if (pid == 0) {
		run(r, page);
		_exit(0);
	}
	return pid;
}

static void random_kills_lose_nothing_and_tear_nothing(void **state)
{
	(void)state;
	struct ring *r = ring_make(16384);
	struct crash_page *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	pid_t prod = crash_spawn(crash_producer, r, page), cons = crash_spawn(crash_consumer, r, page);
	for (int i = 0; i < 60; i++) {
		uint64_t before = page->stored;
		uint16_t wait;
		random_bytes(&wait, sizeof wait);
		usleep(500 + wait % 8000);
		pid_t *victim = wait & 1 ? &prod : &cons;
		kill(*victim, SIGKILL);
		waitpid(*victim, NULL, 0);
		*victim = crash_spawn(wait & 1 ? crash_producer : crash_consumer, r, page);
		for (int ms = 0; page->stored == before && ms < 30000; ms++)
			usleep(1000);
		assert_true(page->stored > before); // it goes on: no wake-up was lost with the dead
		assert_int_equal(page->bad, 0);
	}
	kill(prod, SIGKILL);
	waitpid(prod, NULL, 0);
	for (int ms = 0; (page->stored < page->started || ring_used(r)) && ms < 30000; ms++)
		usleep(1000);
	kill(cons, SIGKILL);
	waitpid(cons, NULL, 0);
	assert_true(page->stored >= page->started); // everything before `started` was published
	assert_int_equal(page->bad, 0);
	print_message("%lu messages over 60 kills\n", page->stored);
	munmap(page, 4096);
	ring_destroy(r);
}
#endif

// The gate reads hostile bytes: when it is somebody else, the core must not read past what is there.
static void a_gate_that_lies_about_lengths_is_found_out(void **state)
{
	(void)state;
	_Alignas(8) char bytes[256] = { 0 };
	struct msg *m = (void *)bytes;
	const size_t readings = sizeof(struct msg_readings) + 2 * sizeof(struct reading);
	*m = (struct msg){ .kind = MSG_READINGS, .count = 2 };
	assert_true(msg_from_gate_ok(m, readings));
	assert_false(msg_from_gate_ok(m, readings - 1));
	m->count = UINT32_MAX;
	assert_false(msg_from_gate_ok(m, readings));
	for (size_t n = 0; n < sizeof *m; n++)
		assert_false(msg_from_gate_ok(m, n));
	struct msg_hello *h = (void *)bytes;
	*h = (struct msg_hello){ .m = { .kind = MSG_HELLO }, .name_len = 3, .key_len = 4, .peer_len = 5 };
	assert_true(msg_from_gate_ok(m, sizeof *h + 12));
	assert_false(msg_from_gate_ok(m, sizeof *h + 11)); // the key would come from our own memory
	h->name_len = h->key_len = h->peer_len = UINT16_MAX;
	assert_false(msg_from_gate_ok(m, sizeof bytes));
	struct msg_reject *r = (void *)bytes;
	*r = (struct msg_reject){ .m = { .kind = MSG_REJECT }, .text_len = 120, .peer_len = 16 };
	assert_true(msg_from_gate_ok(m, sizeof *r + 136));
	assert_false(msg_from_gate_ok(m, sizeof *r + 135));
	*m = (struct msg){ .kind = MSG_KEEP, .count = 9 };
	assert_true(msg_from_gate_ok(m, sizeof(struct msg_keep) + 9));
	assert_false(msg_from_gate_ok(m, sizeof(struct msg_keep) + 8));
	*m = (struct msg){ .kind = MSG_ANSWER };
	assert_true(msg_from_gate_ok(m, sizeof(struct msg_answer)));
	assert_false(msg_from_gate_ok(m, sizeof(struct msg_answer) - 1));
	*m = (struct msg){ .kind = MSG_GATE };
	assert_false(msg_from_gate_ok(m, sizeof *m));
	*m = (struct msg){ .kind = MSG_GONE };
	assert_true(msg_from_gate_ok(m, sizeof *m));
	m->device = UINT32_MAX; // statistics are kept by the device's number
	assert_false(msg_from_gate_ok(m, sizeof *m));
	*m = (struct msg){ .kind = MSG_WELCOME }; // the core's own word
	assert_false(msg_from_gate_ok(m, sizeof bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_whole_and_in_order),
		cmocka_unit_test(what_is_not_released_comes_again),
		cmocka_unit_test(refuses_odd_sizes),
		cmocka_unit_test(wakes_only_who_sleeps),
		cmocka_unit_test(a_lying_producer_is_found_out),
		cmocka_unit_test(a_gate_that_lies_about_lengths_is_found_out),
		cmocka_unit_test(two_threads_never_miss_a_wake_up),
#ifndef __SANITIZE_THREAD__
		cmocka_unit_test(random_kills_lose_nothing_and_tear_nothing),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
