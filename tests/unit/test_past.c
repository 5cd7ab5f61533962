// States of an alarm at any instant: from steps and from the journal entry by entry the same, for journals written out of the order of
// their times, and for the cases that are easily got wrong.
// needs: base loop bus store expr risk model auth alarm
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "alarm/past.h"
#include "base/arena.h"

static uint64_t seed;
static uint32_t below(uint32_t n) // xorshift: the same journals on every machine
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed % n);
}

static bool condition(struct str what) { return str_is(what, "raised") || str_is(what, "level") || str_is(what, "returned"); }

// Entry by entry, nothing kept: the newest written among those not after t that count, and what all before it in writing say.
static struct past_step naive(const struct past_entry *v, size_t n, int64_t t, bool *ret_any)
{
	size_t best = n;
	bool counts[64];
	for (size_t i = 0; i < n; i++) {
		int64_t newest = INT64_MIN;
		for (size_t k = 0; k < i; k++)
			if (counts[k] && condition(v[k].what) && v[k].at > newest)
				newest = v[k].at;
		counts[i] = !(str_is(v[i].reason, "late") && condition(v[i].what) && v[i].from == v[i].to && v[i].at < newest);
		if (counts[i] && v[i].at <= t)
			best = i;
	}
	struct past_step s = { .state = ALARM_NORMAL };
	*ret_any = best < n;
	for (size_t i = 0; i < n && *ret_any && i <= best; i++) {
		if (!counts[i])
			continue;
		s.state = v[i].to;
		if (condition(v[i].what)) {
			s.active = !str_is(v[i].what, "returned");
			s.level = v[i].level;
		}
	}
	return s;
}

static size_t random_journal(struct past_entry *v)
{
	static const char *const what[] = { "raised", "level", "returned", "ack", "shelve", "comment" };
	static const char *const levels[] = { "h", "hh", "rate" };
	size_t n = 1 + below(40);
	int64_t at = 1000;
	for (size_t i = 0; i < n; i++) {
		at += below(4) ? below(20) : 0;
		v[i] = (struct past_entry){ .id = (int64_t)i + 1, .what = str_of(what[below(6)]), .level = str_of(levels[below(3)]), .reason = STR_EMPTY,
			.from = i ? v[i - 1].to : ALARM_NORMAL, .to = (enum alarm_state)below(7) };
		bool late = below(5) == 0;
		v[i].at = late ? MAX(at - below(200), INT64_C(0)) : at;
		if (late) {
			v[i].reason = STR("late");
			v[i].to = below(2) ? v[i].from : v[i].to;
		}
	}
	return n;
}

static void test_random(void **state)
{
	(void)state;
	struct past_entry v[64];
	size_t noted = 0;
	struct arena *a = arena_new(0);
	for (uint64_t round = 1; round <= 600; round++) {
		seed = round * UINT64_C(0x9E3779B97F4A7C15);
		size_t n = random_journal(v), ns;
		struct past_step *s;
		ns = past_steps(v, n, a, &s);
		for (size_t i = 1; i < ns; i++)
			assert_true(s[i - 1].at < s[i].at);
		for (int64_t t = 790; t < 1900; t += 1 + (int64_t)below(3)) {
			bool any;
			struct past_step want = naive(v, n, t, &any);
			const struct past_step *got = past_at(s, ns, t);
			assert_int_equal(got ? got->state : ALARM_NORMAL, want.state);
			assert_int_equal(got && got->active, any && want.active);
			if (any)
				assert_true(got && str_eq(got->level, want.level));
		}
		for (size_t i = 0; i < n; i++)
			noted += v[i].noted;
		arena_reset(a);
	}
	assert_true(noted > 100); // the journals had what was only noted
	arena_free(a);
}

#define ENTRY(i, t, w, f, o) { .id = (i), .at = (t), .what = { (w), sizeof(w) - 1 }, .from = (f), .to = (o), .level = { "h", 1 } }

// A person acknowledged at 100; the return of sample 95 arrived after. At 97 the alarm had returned, and acknowledging did not undo it.
static void test_return_arrives_after_ack(void **state)
{
	(void)state;
	struct past_entry v[] = { ENTRY(1, 50, "raised", ALARM_NORMAL, ALARM_UNACK), ENTRY(2, 100, "ack", ALARM_UNACK, ALARM_ACKED),
		ENTRY(3, 95, "returned", ALARM_ACKED, ALARM_NORMAL) };
	struct arena *a = arena_new(0);
	struct past_step *s;
	size_t n = past_steps(v, 3, a, &s);
	assert_int_equal(n, 2);
	assert_null(past_at(s, n, 49));
	assert_int_equal(past_at(s, n, 50)->state, ALARM_UNACK);
	assert_int_equal(past_at(s, n, 97)->state, ALARM_NORMAL);
	assert_int_equal(past_at(s, n, 1000)->state, ALARM_NORMAL);
	assert_false(past_at(s, n, 1000)->active);
	arena_free(a);
}

// Suppressed, then raised, at one moment: it was never announced. And an episode found later in re-sent history changes nothing.
static void test_one_moment_and_noted(void **state)
{
	(void)state;
	struct past_entry v[] = { ENTRY(1, 50, "suppress", ALARM_NORMAL, ALARM_SUPPRESSED), ENTRY(2, 50, "raised", ALARM_SUPPRESSED, ALARM_SUPPRESSED),
		ENTRY(3, 20, "raised", ALARM_SUPPRESSED, ALARM_SUPPRESSED), ENTRY(4, 25, "returned", ALARM_SUPPRESSED, ALARM_SUPPRESSED) };
	v[2].reason = v[3].reason = STR("late");
	struct arena *a = arena_new(0);
	struct past_step *s;
	size_t n = past_steps(v, 4, a, &s);
	assert_int_equal(n, 1);
	assert_int_equal(s[0].at, 50);
	assert_int_equal(s[0].state, ALARM_SUPPRESSED);
	assert_true(s[0].active && v[2].noted && v[3].noted && !v[1].noted);
	assert_int_equal(past_steps(v, 0, a, &s), 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_return_arrives_after_ack),
		cmocka_unit_test(test_one_moment_and_noted) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
