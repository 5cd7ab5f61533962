// The event loop and the many-to-one queue.
// needs: base loop
// threads
#include "base/time.h"
#include "loop/loop.h"
#include "loop/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void count(void *ctx) { ++*(int *)ctx; }
static void count_fd(void *ctx, uint32_t events)
{
	(void)events;
	++*(int *)ctx;
}

static void timers_fire_in_order_on_the_fake_clock(void **state)
{
	(void)state;
	clock_set_fake(1000 * US_PER_S);
	struct loop *l = loop_new();
	int fired[3] = { 0 };
	struct loop_timer t[3];
	for (int i = 0; i < 3; i++)
		loop_timer_init(&t[i], count, &fired[i]);
	loop_timer_at(l, &t[0], 1003 * US_PER_S);
	loop_timer_at(l, &t[1], 1001 * US_PER_S);
	loop_timer_at(l, &t[2], 1002 * US_PER_S);
	loop_turn(l, 0);
	assert_int_equal(fired[0] + fired[1] + fired[2], 0);
	clock_set_fake(1001 * US_PER_S);
	loop_turn(l, 0);
	assert_int_equal(fired[1], 1);
	assert_false(loop_timer_is_set(&t[1]));
	loop_timer_stop(l, &t[2]);
	loop_timer_at(l, &t[0], 1010 * US_PER_S); // moved
	clock_set_fake(1009 * US_PER_S);
	loop_turn(l, 0);
	assert_int_equal(fired[0] + fired[2], 0);
	clock_set_fake(1010 * US_PER_S);
	loop_turn(l, 0);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[2], 0);
	loop_free(l);
	clock_set_fake(0);
}

static void a_thousand_timers_fire_once_each(void **state)
{
	(void)state;
	clock_set_fake(US_PER_S);
	struct loop *l = loop_new();
	static struct loop_timer t[1000];
	int fired = 0;
	for (int i = 0; i < 1000; i++) {
		loop_timer_init(&t[i], count, &fired);
		loop_timer_in(l, &t[i], (i * 7919 % 1000) * US_PER_MS);
	}
	for (int i = 0; i < 1000; i += 3)
		loop_timer_stop(l, &t[i]);
	int expected = 0;
	for (int ms = 0; ms < 1000; ms++) {
		clock_set_fake(US_PER_S + ms * US_PER_MS);
		loop_turn(l, 0);
		for (int i = 0; i < 1000; i++)
			expected += i % 3 != 0 && i * 7919 % 1000 == ms;
		assert_int_equal(fired, expected);
	}
	loop_free(l);
	clock_set_fake(0);
}

struct swap { // closes the other end's watch from within a callback
	struct loop *l;
	int victim;
	int own_calls, victim_calls;
};
static void swap_cb(void *ctx, uint32_t events)
{
	(void)events;
	struct swap *s = ctx;
	s->own_calls++;
	loop_unwatch(s->l, s->victim);
	assert_int_equal(loop_watch(s->l, s->victim, EPOLLIN, count_fd, &s->victim_calls), OK);
}

static void an_event_of_an_earlier_owner_is_not_delivered(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	int a[2], b[2], old_calls = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	struct swap s = { .l = l, .victim = b[0] };
	assert_int_equal(loop_watch(l, a[0], EPOLLIN, swap_cb, &s), OK);
	assert_int_equal(loop_watch(l, b[0], EPOLLIN, count_fd, &old_calls), OK);
	assert_int_equal(loop_watch(l, b[0], EPOLLIN, count_fd, &old_calls), ERR_CONFLICT);
	assert_int_equal(loop_watch(l, -1, EPOLLIN, count_fd, &old_calls), ERR_INVALID);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	loop_turn(l, 100); // both ready in one turn; a[0] was ready first
	assert_int_equal(s.own_calls, 1);
	assert_int_equal(old_calls, 0);
	assert_int_equal(s.victim_calls, 0);
	loop_unwatch(l, a[0]);
	loop_turn(l, 100);
	assert_int_equal(s.victim_calls, 1);
	loop_free(l);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static bool idle_three_times(void *ctx) { return ++*(int *)ctx < 3; }

static void the_idle_hook_keeps_the_loop_awake(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	int idle = 0;
	loop_on_idle(l, idle_three_times, &idle);
	loop_turn(l, 0);
	loop_turn(l, -1); // would block for ever, had the hook not asked for more
	loop_turn(l, -1);
	assert_int_equal(idle, 3);
	loop_free(l);
}

// --- queue ---

#define SENDERS 3
#define EACH 20000

struct item {
	uint32_t sender, n;
};
struct tally {
	struct loop *l;
	struct queue *q;
	uint32_t next[SENDERS];
	uint32_t total;
};

static void *sender_main(void *ctx)
{
	struct { struct queue *q; uint32_t id; } *me = ctx;
	for (uint32_t i = 0; i < EACH; i++) {
		struct item it = { me->id, i };
		while (!queue_push(me->q, &it))
			usleep(50);
	}
	return NULL;
}

static void tally_item(void *ctx, void *item)
{
	struct tally *t = ctx;
	struct item *it = item;
	assert_int_equal(it->n, t->next[it->sender]);
	t->next[it->sender]++;
	t->total++;
}

static void tally_cb(void *ctx, uint32_t events)
{
	(void)events;
	struct tally *t = ctx;
	queue_drain(t->q, 100, tally_item, t);
	if (t->total == SENDERS * EACH)
		loop_stop(t->l);
}

static void nothing_is_lost_between_many_senders_and_one_loop(void **state)
{
	(void)state;
	struct tally t = { .l = loop_new(), .q = queue_new(60, sizeof(struct item)) };
	assert_int_equal(loop_watch(t.l, queue_fd(t.q), EPOLLIN, tally_cb, &t), OK);
	pthread_t th[SENDERS];
	struct { struct queue *q; uint32_t id; } arg[SENDERS];
	for (uint32_t i = 0; i < SENDERS; i++) {
		arg[i].q = t.q;
		arg[i].id = i;
		assert_int_equal(pthread_create(&th[i], NULL, sender_main, &arg[i]), 0);
	}
	loop_run(t.l);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(th[i], NULL);
	assert_int_equal(t.total, SENDERS * EACH);
	loop_free(t.l);
	queue_free(t.q);
}

static void a_full_queue_refuses(void **state)
{
	(void)state;
	struct queue *q = queue_new(4, sizeof(int));
	for (int i = 0; i < 4; i++)
		assert_true(queue_push(q, &i));
	int x = 9;
	assert_false(queue_push(q, &x));
	assert_int_equal(queue_len(q), 4);
	assert_true(queue_pop(q, &x));
	assert_int_equal(x, 0);
	assert_true(queue_push(q, &(int){ 4 }));
	for (int i = 1; i <= 4; i++) {
		assert_true(queue_pop(q, &x));
		assert_int_equal(x, i);
	}
	assert_false(queue_pop(q, &x));
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_on_the_fake_clock),
		cmocka_unit_test(a_thousand_timers_fire_once_each),
		cmocka_unit_test(an_event_of_an_earlier_owner_is_not_delivered),
		cmocka_unit_test(the_idle_hook_keeps_the_loop_awake),
		cmocka_unit_test(nothing_is_lost_between_many_senders_and_one_loop),
		cmocka_unit_test(a_full_queue_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
