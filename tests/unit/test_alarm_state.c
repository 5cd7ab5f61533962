// The alarm state machine, all of it: every reachable mode and every input, and what must always hold.
// needs: base loop store expr risk model auth alarm bus
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "alarm/alarm.h"
#include "base/arena.h"

#define STATES (ALARM_OUT_OF_SERVICE + 1)
#define INPUTS (IN_IN_SERVICE + 1)
#define MODES (STATES * 8)

static size_t index_of(struct alarm_mode m) { return (size_t)m.state * 8 + m.active * 4 + m.acked * 2 + m.latch; }
static struct alarm_mode mode_of(size_t i)
{
	return (struct alarm_mode){ (enum alarm_state)(i / 8), i & 4, i & 2, i & 1 };
}
// of a rule that latches and of one that does not
static const struct alarm_mode first[2] = { { ALARM_NORMAL, false, true, false }, { ALARM_NORMAL, false, true, true } };

static size_t reachable(bool seen[MODES])
{
	bool more = true;
	size_t n = 0;
	memset(seen, 0, MODES * sizeof *seen);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		seen[index_of(first[i])] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < MODES; i++)
			for (int in = 0; in < INPUTS && seen[i]; in++) {
				struct alarm_mode next;
				if (alarm_next(mode_of(i), (enum alarm_input)in, &next, NULL) == OK && !seen[index_of(next)])
					more = seen[index_of(next)] = true;
			}
	}
	for (size_t i = 0; i < MODES; i++)
		n += seen[i];
	return n;
}

static bool hidden(enum alarm_state s) { return s >= ALARM_SHELVED; }

static void test_every_mode_is_consistent(void **state)
{
	bool seen[MODES];
	(void)state;
	// four announced ones of each sort of rule (its first state is normal, latched it never returns to that), and of the three hidden
	// ones those where "acked while raised" can be
	assert_in_range(reachable(seen), 4 + 5 + 2 * 3 * 3, 4 + 5 + 2 * 3 * 4);
	for (size_t i = 0; i < MODES; i++) {
		struct alarm_mode m = mode_of(i);
		if (!seen[i] || hidden(m.state))
			continue;
		// no active alarm is lost: announced states say exactly what the flags say
		assert_int_equal(m.active, m.state == ALARM_UNACK || m.state == ALARM_ACKED);
		assert_int_equal(m.acked, m.state == ALARM_NORMAL || m.state == ALARM_ACKED || m.state == ALARM_LATCH_ACKED);
		assert_true(m.latch || (m.state != ALARM_LATCH_UNACK && m.state != ALARM_LATCH_ACKED));
		assert_true(!m.latch || m.state != ALARM_RTN_UNACK);
	}
}

static void check_step(struct alarm_mode m, enum alarm_input in)
{
	struct alarm_mode n;
	enum err err = alarm_next(m, in, &n, NULL);
	if (err) {
		assert_int_equal(err, ERR_CONFLICT);
		assert_int_equal(index_of(n), index_of(m)); // refused changes nothing
		return;
	}
	bool condition = in == IN_RAISE || in == IN_RETURN || in == IN_LEVEL_UP || in == IN_LEVEL_DOWN;
	// only the condition changes whether it is active; only people and the design change whether it is hidden
	if (condition)
		assert_int_equal(hidden(n.state) ? n.state : 0, hidden(m.state) ? m.state : 0);
	else
		assert_int_equal(n.active, m.active);
	if (in == IN_RAISE || in == IN_LEVEL_UP) {
		assert_true(n.active && !n.acked);
		assert_true(hidden(n.state) || n.state == ALARM_UNACK); // announced anew, from wherever
	}
	if (in == IN_LEVEL_DOWN)
		assert_int_equal(index_of(n), index_of(m));
	if (in == IN_RETURN)
		assert_false(n.active);
	if (in == IN_ACK)
		assert_int_equal(n.state, m.active ? ALARM_ACKED : m.latch ? ALARM_LATCH_ACKED : ALARM_NORMAL);
	if (in == IN_RESET)
		assert_true(m.state == ALARM_LATCH_ACKED && n.state == ALARM_NORMAL && !n.latch);
	else
		assert_int_equal(n.latch, m.latch); // nothing else ends a latch
	if (in == IN_UNSHELVE || in == IN_UNSUPPRESS || in == IN_IN_SERVICE)
		assert_int_equal(n.state, m.active ? ALARM_UNACK : m.latch ? ALARM_LATCH_UNACK : ALARM_NORMAL);
}

static void test_every_step(void **state)
{
	bool seen[MODES];
	(void)state;
	reachable(seen);
	for (size_t i = 0; i < MODES; i++)
		for (int in = 0; in < INPUTS && seen[i]; in++)
			check_step(mode_of(i), (enum alarm_input)in);
}

// The condition can always be followed: raise when not active, everything else when active.
static void test_the_condition_is_never_refused(void **state)
{
	bool seen[MODES];
	(void)state;
	reachable(seen);
	for (size_t i = 0; i < MODES; i++) {
		struct alarm_mode n;
		if (!seen[i])
			continue;
		bool active = mode_of(i).active;
		assert_int_equal(alarm_next(mode_of(i), IN_RAISE, &n, NULL), active ? ERR_CONFLICT : OK);
		assert_int_equal(alarm_next(mode_of(i), IN_RETURN, &n, NULL), active ? OK : ERR_CONFLICT);
		assert_int_equal(alarm_next(mode_of(i), IN_LEVEL_UP, &n, NULL), active ? OK : ERR_CONFLICT);
		assert_int_equal(alarm_next(mode_of(i), IN_LEVEL_DOWN, &n, NULL), active ? OK : ERR_CONFLICT);
	}
}

// From every mode there is a way back to normal, and to the announcement of a new alarm.
static void test_no_trap(void **state)
{
	bool seen[MODES];
	(void)state;
	reachable(seen);
	for (size_t i = 0; i < MODES; i++) {
		static const enum alarm_input ways[] = { IN_IN_SERVICE, IN_UNSUPPRESS, IN_UNSHELVE, IN_RETURN, IN_ACK, IN_RESET };
		struct alarm_mode m = mode_of(i);
		for (size_t k = 0; k < ARRAY_LEN(ways) && seen[i]; k++) {
			struct alarm_mode n;
			if (alarm_next(m, ways[k], &n, NULL) == OK)
				m = n;
		}
		if (seen[i])
			assert_int_equal(m.state, ALARM_NORMAL);
	}
}

static void test_a_refusal_says_why(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct problem p;
	struct alarm_mode n;
	problem_init(&p, a);
	assert_int_equal(alarm_next((struct alarm_mode){ ALARM_SHELVED, true, false, false }, IN_ACK, &n, &p), ERR_CONFLICT);
	assert_true(str_is(p.zh, "报警已搁置，请先取消搁置"));
	assert_true(str_is(p.en, "the alarm is shelved; unshelve it first"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mode_is_consistent), cmocka_unit_test(test_every_step),
		cmocka_unit_test(test_the_condition_is_never_refused), cmocka_unit_test(test_no_trap),
		cmocka_unit_test(test_a_refusal_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
