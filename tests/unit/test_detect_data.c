// Bad data, lasting changes and the time to a limit, on values whose truth is known.
// needs: base detect
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/change.h"
#include "detect/drift.h"
#include "detect/doubt.h"
#include "detect/early.h"
#include "detect/order.h"
#include "detect/quality.h"
#include "detect/trend.h"

static uint64_t state;

static double uniform(void) // 0..1
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(state >> 11) * 0x1p-53;
}

static double noise(void) // sum of twelve: nearly normal, deviation 1
{
	double s = -6;
	for (int i = 0; i < 12; i++)
		s += uniform();
	return s;
}

static void test_quantiles(void **ignored)
{
	(void)ignored;
	double x[] = { 4, 1, 3, 2 };
	assert_true(order_median(x, 4) == 2.5 && order_quantile(x, 4, 0) == 1 && order_quantile(x, 4, 1) == 4);
	assert_true(x[0] == 1 && x[3] == 4);
}

// ---- quality -----------------------------------------------------------------------------------

static const struct quality_facts unknown = { NAN, NAN, NAN };

// Feeds n moving values of the given step, then equal ones; after how many of those it is called frozen.
static int frozen_after(double step, int n)
{
	struct quality_seen q = { 0 };
	int64_t t = 0;
	state = 4;
	for (int i = 0; i < n; i++)
		assert_int_equal(quality_feed(&q, &unknown, t += US_PER_S, floor((20 + noise()) / step) * step), 0);
	for (int i = 1; i < 100000; i++)
		if (quality_feed(&q, &unknown, t += US_PER_S, 777) & QUALITY_FROZEN)
			return i;
	return 0;
}

static void test_a_frozen_value_is_found_sooner_the_finer_the_sensor(void **ignored)
{
	(void)ignored;
	int fine = frozen_after(0.001, 1000), coarse = frozen_after(2, 1000);
	assert_in_range(fine, 3, 8);
	assert_in_range(coarse, 15, 80);
	assert_int_equal(frozen_after(0.001, 5), 0); // too little known
}

static void test_frozen_ends_with_the_next_move(void **ignored)
{
	(void)ignored;
	struct quality_seen q = { 0 };
	int64_t t = 0;
	for (int i = 0; i < 100; i++)
		(void)quality_feed(&q, &unknown, t += US_PER_S, i);
	for (int i = 0; i < 1000; i++)
		(void)quality_feed(&q, &unknown, t += US_PER_S, 5);
	assert_int_equal(quality_feed(&q, &unknown, t += US_PER_S, 5), QUALITY_FROZEN);
	uint64_t most = quality_run_max(&q);
	assert_int_equal(quality_feed(&q, &unknown, t += US_PER_S, 6), 0);
	assert_true(quality_run_max(&q) <= most + 1); // the frozen time was not learned
}

static void test_impossible_values_and_jumps(void **ignored)
{
	(void)ignored;
	const struct quality_facts tank = { 0, 15, 0.1 }; // metres, a tenth a second
	struct quality_seen q = { 0 };
	int64_t t = 0;
	assert_int_equal(quality_feed(&q, &tank, t += US_PER_S, 5), 0);
	assert_int_equal(quality_feed(&q, &tank, t += US_PER_S, -1), QUALITY_RANGE | QUALITY_JUMP);
	assert_int_equal(quality_feed(&q, &tank, t += US_PER_S, 9), QUALITY_JUMP);
	assert_int_equal(quality_feed(&q, &tank, t += US_PER_S, 5.2), 0); // back: no jump from what was none
	assert_int_equal(quality_feed(&q, &tank, t += 60 * US_PER_S, 11), 0); // a minute is long enough for it
	assert_int_equal(quality_feed(&q, &tank, t += US_PER_S, NAN), 0);
}

static void test_a_copy_is_two_points_that_move_alike(void **ignored)
{
	(void)ignored;
	struct quality_pair q = { 0 };
	state = 9;
	for (int i = 0; i < 10000; i++) { // both coarse, each on its own: they meet often, and never move alike for long
		double a = floor(4 * uniform()), b = floor(4 * uniform());
		assert_false(quality_pair_feed(&q, a, b));
	}
	for (int i = 0; i < 1000; i++)
		assert_false(quality_pair_feed(&q, 3, 3)); // both at rest is no copy
	bool copied = false;
	for (int i = 0; i < QUALITY_COPIED_MOVES; i++) {
		double v = noise();
		copied = quality_pair_feed(&q, v, v);
	}
	assert_true(copied);
	assert_false(quality_pair_feed(&q, 1, 2));
}

// ---- change ------------------------------------------------------------------------------------

// Learns 200, then n values of centre + shift * deviation; the number of the value at which a change is said, 0 if none.
static size_t change_after(double shift, double memory, size_t n, struct change_found *ret)
{
	static struct change c;
	double x = 0;
	change_init(&c, 200);
	for (size_t i = 0; i < 200 + n; i++) {
		x = memory * x + sqrt(1 - memory * memory) * noise();
		change_feed(&c, 50 + 2 * (x + (i >= 200 ? shift : 0)), ret);
		if (ret->direction)
			return i - 199;
	}
	return 0;
}

static void test_a_small_shift_is_found_with_its_direction_beginning_and_size(void **ignored)
{
	(void)ignored;
	struct change_found f;
	for (state = 1; state < 20; state += 2) {
		uint64_t seed = state;
		size_t n = change_after(1.5, 0, 200, &f);
		assert_in_range(n, 4, 40);
		assert_int_equal(f.direction, 1);
		assert_true(f.since >= 185 && f.since < 200 + n);
		assert_true(fabs(f.size - 3) < 3); // found early means that the first values were large
		n = change_after(-3, 0, 200, &f);
		assert_in_range(n, 2, 12);
		assert_true(f.direction == -1 && f.size < -3);
		state = seed;
	}
}

static void test_no_change_is_said_of_steady_values_slow_or_fast(void **ignored)
{
	(void)ignored;
	struct change_found f;
	size_t said = 0;
	for (int i = 0; i < 40; i++) {
		state = (uint64_t)i * 77 + 1;
		said += change_after(0, 0, 1000, &f) != 0;
		said += change_after(0, 0.8, 1000, &f) != 0;
	}
	assert_true(said <= 8); // of 80 times a thousand values
}

static void test_one_spike_is_no_change(void **ignored)
{
	(void)ignored;
	static struct change c;
	struct change_found f;
	state = 6;
	change_init(&c, 100);
	for (int i = 0; i < 400; i++) {
		change_feed(&c, i == 250 ? 1e9 : noise(), &f);
		assert_int_equal(f.direction, 0);
	}
}

// ---- drift -------------------------------------------------------------------------------------

#define SPAN (10 * US_PER_MIN)
static const struct drift_facts gas = { SPAN, 3 };

struct drifts {
	struct drift_event e[8];
	size_t n;
};

static void note_drift(void *arg, const struct drift_event *e)
{
	struct drifts *v = arg;
	assert_true(v->n < 8);
	v->e[v->n++] = *e;
}

static void feed_spans(struct drift *d, size_t *span, size_t n, double level, double spread, struct drifts *v)
{
	for (size_t i = 0; i < n; i++, ++*span)
		for (int k = 0; k < 4; k++)
			drift_feed(d, &gas, (int64_t)*span * SPAN + k * US_PER_MIN, level + spread * noise(), note_drift, v);
}

static void test_a_level_that_wandered_away_is_a_drift_with_its_beginning_and_ends_when_it_is_back(void **ignored)
{
	(void)ignored;
	static struct drift d;
	const double spreads[] = { 0, 0.2, 2 };
	for (size_t s = 0; s < ARRAY_LEN(spreads); s++) { // a point that never moved drifts like one that does
		struct drifts v = { .n = 0 };
		size_t span = 1000;
		state = 7;
		drift_init(&d, SPAN);
		feed_spans(&d, &span, DRIFT_LEARN + 40, 1, spreads[s], &v);
		assert_int_equal(v.n, 0);
		size_t began = span;
		feed_spans(&d, &span, 60, 6, spreads[s], &v);
		assert_int_equal(v.n, 1);
		assert_true(v.e[0].begins);
		assert_true(fabs(v.e[0].usual - 1) < 0.7 && v.e[0].now - v.e[0].usual >= 3 && v.e[0].now < 8);
		assert_true(llabs(v.e[0].since - (int64_t)began * SPAN) <= 6 * SPAN);
		assert_true(v.e[0].at > v.e[0].since && v.e[0].at <= (int64_t)(began + 30) * SPAN);
		feed_spans(&d, &span, 60, 1, 0.2, &v);
		assert_int_equal(v.n, 2);
		assert_false(v.e[1].begins);
		assert_true(v.e[1].since == v.e[0].since && v.e[1].at > v.e[0].at);
	}
}

static void test_what_does_not_matter_is_no_drift(void **ignored)
{
	(void)ignored;
	static struct drift d;
	struct drifts v = { .n = 0 };
	size_t span = 1000;
	state = 8;
	drift_init(&d, SPAN);
	feed_spans(&d, &span, DRIFT_LEARN, 1, 0.2, &v);
	feed_spans(&d, &span, 300, 3, 0.2, &v); // sure, and less than 3
	feed_spans(&d, &span, 2, 40, 0.2, &v);  // an alarm for twenty minutes
	feed_spans(&d, &span, 100, 1, 0.2, &v);
	assert_int_equal(v.n, 0);
	for (size_t day = 0; day < 20; day++) // a day's swing, learned over half of it
		for (size_t k = 0; k < 144; k++)
			feed_spans(&d, &span, 1, 1 + sin((double)k * 2 * M_PI / 144), 0.1, &v);
	assert_int_equal(v.n, 0);
}

static void test_a_drift_is_the_same_in_any_slices(void **ignored)
{
	(void)ignored;
	static struct drift a, b;
	struct drifts va = { .n = 0 }, vb = { .n = 0 };
	drift_init(&a, SPAN);
	drift_init(&b, SPAN);
	for (size_t i = 0; i < 800; i++) {
		double x = i < 500 ? sin((double)i) : 5 + sin((double)i);
		drift_feed(&a, &gas, (int64_t)(i + 900) * SPAN / 3, x, note_drift, &va);
		if (i % 7 == 0) { // kept as bytes, and on from there
			struct drift kept = b;
			memset(&b, 0, sizeof b);
			b = kept;
		}
		drift_feed(&b, &gas, (int64_t)(i + 900) * SPAN / 3, x, note_drift, &vb);
		drift_feed(&b, &gas, (int64_t)(i + 900) * SPAN / 3 - SPAN, 1e6, note_drift, &vb); // of a span that is over
		drift_feed(&b, &gas, (int64_t)(i + 900) * SPAN / 3, NAN, note_drift, &vb);
	}
	assert_true(va.n == 1 && vb.n == 1);
	assert_memory_equal(&va.e[0], &vb.e[0], sizeof va.e[0]);
	assert_memory_equal(&a, &b, sizeof a);
}

// ---- trend -------------------------------------------------------------------------------------

static double scratch[TREND_PAIRS_MAX];

static void test_a_straight_line_reaches_its_limit_when_it_does(void **ignored)
{
	(void)ignored;
	struct trend t;
	struct trend_forecast f;
	trend_init(&t);
	for (int i = 0; i < 300; i++)
		trend_feed(&t, i * US_PER_MIN, 2 + 0.5 * i);
	assert_true(trend_to_limit(&t, 2 + 0.5 * 299 + 10, true, scratch, &f));
	assert_true(f.moving && !f.reached && fabs(f.per_minute - 0.5) < 1e-9);
	assert_true(fabs(f.p10 - 20) < 1e-6 && fabs(f.p50 - 20) < 1e-6 && fabs(f.p90 - 20) < 1e-6);
	assert_true(trend_to_limit(&t, 0, false, scratch, &f)); // it moves away from that one
	assert_true(!f.moving && isinf(f.p50) && isinf(f.p90) && f.per_minute > 0);
	assert_true(trend_to_limit(&t, 100, true, scratch, &f));
	assert_true(f.reached && f.p50 == 0 && f.p90 == 0);
}

static void test_wild_values_do_not_move_the_line(void **ignored)
{
	(void)ignored;
	struct trend t;
	struct trend_forecast f;
	trend_init(&t);
	for (int i = 0; i < 100; i++)
		trend_feed(&t, i * US_PER_MIN, i % 5 ? -0.1 * i : 500);
	assert_true(trend_to_limit(&t, -20, false, scratch, &f));
	assert_true(fabs(f.per_minute + 0.1) < 1e-6 && fabs(f.p50 - (20 - 9.9) / 0.1) < 0.1);
}

// The truth lies between the early and the late tenth in about 80 of 100 cases, with independent and with slow noise.
static void check_cover(double memory, size_t least)
{
	size_t inside = 0, below = 0;
	for (int k = 0; k < 300; k++) {
		struct trend t;
		struct trend_forecast f;
		double x = 0;
		state = (uint64_t)k * 1000003 + 17;
		trend_init(&t);
		for (int i = 0; i < 60; i++) {
			x = memory * x + sqrt(1 - memory * memory) * noise();
			trend_feed(&t, i * US_PER_MIN, 0.2 * i + x);
		}
		assert_true(trend_to_limit(&t, 0.2 * 59 + 10, true, scratch, &f)); // truly in 50 minutes
		assert_true(f.p10 <= f.p50 && f.p50 <= f.p90);
		inside += f.p10 <= 50 && 50 <= f.p90;
		below += f.p50 < 50;
	}
	assert_true(inside >= least);
	assert_in_range(below, 105, 195);
}

static void test_the_interval_holds_the_truth_as_often_as_it_says(void **ignored)
{
	(void)ignored;
	check_cover(0, 225);
	check_cover(0.6, 210);
}

static void test_no_trend_may_never_reach_it(void **ignored)
{
	(void)ignored;
	struct trend t;
	struct trend_forecast f;
	size_t sure = 0;
	for (int k = 0; k < 200; k++) {
		state = (uint64_t)k * 31 + 5;
		trend_init(&t);
		for (int i = 0; i < 60; i++)
			trend_feed(&t, i * US_PER_MIN, noise());
		assert_true(trend_to_limit(&t, 10, true, scratch, &f));
		sure += f.moving;
	}
	assert_true(sure <= 40); // one in ten by chance
	trend_init(&t);
	for (int i = 0; i < TREND_VALUES_MIN - 1; i++)
		trend_feed(&t, i * US_PER_MIN, i);
	assert_false(trend_to_limit(&t, 10, true, scratch, &f));
	trend_feed(&t, 0, 5); // not later: ignored
	trend_feed(&t, US_PER_HOUR, NAN);
	assert_false(trend_to_limit(&t, 10, true, scratch, &f));
}

// ---- early -------------------------------------------------------------------------------------

struct said {
	struct early_event v[64];
	size_t n;
};

static void note(void *arg, const struct early_event *e)
{
	struct said *s = arg;
	assert_true(s->n < 64);
	s->v[s->n++] = *e;
}

static double early_scratch[TREND_PAIRS_MAX];
#define EARLY_STEP (10 * US_PER_S)
#define EARLY_ZERO (INT64_C(1700000000) * US_PER_S)

// Quiet, a climb that reaches 80, back, a climb that stops short, quiet; a value every ten seconds.
static double story(int i)
{
	double minute = i / 6.0, x = 50;
	if (minute > 100)
		x += fmin(0.5 * (minute - 100), 35);
	if (minute > 180)
		x = 50;
	if (minute > 300)
		x += fmin(0.5 * (minute - 300), 20);
	return x;
}

static struct early_facts story_facts(void)
{
	return (struct early_facts){ { NAN, NAN, 80, NAN }, US_PER_HOUR, US_PER_MIN };
}

static void feed_story(struct early *e, int from, int to, struct said *s)
{
	for (int i = from; i < to; i++)
		early_feed(e, EARLY_ZERO + i * EARLY_STEP, story(i) + 0.2 * noise(), early_scratch, note, s);
}

static void test_a_limit_ahead_is_said_once_and_judged(void **unused)
{
	(void)unused;
	struct early e;
	struct said s = { .n = 0 };
	struct early_facts facts = story_facts();
	state = 11;
	early_init(&e, &facts);
	feed_story(&e, 0, 3600, &s);
	assert_true(s.n >= 5);
	assert_int_equal(s.v[0].what, EARLY_RAISED);
	assert_int_equal(s.v[1].what, EARLY_HIT);
	assert_int_equal(s.v[1].raised, s.v[0].raised);
	assert_int_equal(s.v[0].level, 2);
	double lead = (double)(s.v[1].at - s.v[0].at) / 60e6;
	assert_true(lead > 20 && lead < 60); // of a climb of an hour, said when it is sure
	assert_true(s.v[1].at <= s.v[0].until);
	assert_true(s.v[0].p10 <= s.v[0].p50 && s.v[0].p50 <= s.v[0].p90);
	assert_true(s.v[0].p50 <= 60 && s.v[0].per_minute > 0.1);
	assert_int_equal(s.v[2].what, EARLY_RAISED); // the second climb stops at 70
	for (size_t i = 3; i + 1 < s.n; i++) // it may seem to stop before it does
		assert_int_equal(s.v[i].what, i % 2 ? EARLY_ENDED : EARLY_AGAIN);
	assert_int_equal(s.v[s.n - 2].what, EARLY_ENDED);
	assert_int_equal(s.v[s.n - 1].what, EARLY_MISSED);
	assert_int_equal(s.v[s.n - 1].at, s.v[2].until);
	assert_int_equal(s.v[s.n - 1].raised, s.v[2].raised);
}

static void test_early_slices_and_restarts_change_nothing(void **unused)
{
	(void)unused;
	struct early whole, part;
	struct said a = { .n = 0 }, b = { .n = 0 };
	struct early_facts facts = story_facts();
	state = 11;
	early_init(&whole, &facts);
	feed_story(&whole, 0, 3600, &a);
	state = 11;
	early_init(&part, &facts);
	for (int i = 0; i < 3600; i += 37) {
		struct early kept = part; // as bytes: what the server keeps and reads again
		memset(&part, 0xEE, sizeof part);
		memcpy(&part, &kept, sizeof part);
		feed_story(&part, i, MIN(i + 37, 3600), &b);
	}
	assert_memory_equal(&whole, &part, sizeof whole);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.v, b.v, a.n * sizeof *a.v);
}

// What is said up to a moment does not depend on what comes after it.
static void test_early_sees_no_future(void **unused)
{
	(void)unused;
	struct early_facts facts = story_facts();
	struct said all = { .n = 0 };
	struct early e;
	state = 11;
	early_init(&e, &facts);
	feed_story(&e, 0, 3600, &all);
	for (int to = 600; to < 3600; to += 300) {
		struct said some = { .n = 0 };
		state = 11;
		early_init(&e, &facts);
		feed_story(&e, 0, to, &some);
		assert_true(some.n <= all.n);
		assert_memory_equal(some.v, all.v, some.n * sizeof *some.v);
		for (size_t i = some.n; i < all.n; i++)
			assert_true(all.v[i].at >= EARLY_ZERO + (to - 1) * EARLY_STEP - US_PER_MIN);
	}
}

static size_t dropped;
static void on_gone(void *arg, unsigned level, int64_t raised)
{
	(void)arg;
	assert_int_equal(level, 2);
	assert_true(raised > 0);
	dropped++;
}

static void test_another_limit_takes_back_what_was_said(void **unused)
{
	(void)unused;
	struct early_facts facts = story_facts(), other = facts;
	struct said s = { .n = 0 };
	struct early e;
	state = 11;
	dropped = 0;
	early_init(&e, &facts);
	feed_story(&e, 0, 130 * 6, &s);
	assert_int_equal(s.n, 1);
	other.limit[3] = 90; // one more: the other stays
	early_change(&e, &other, on_gone, NULL);
	assert_int_equal(dropped, 0);
	assert_true(e.level[2].raised);
	other.limit[2] = 85;
	early_change(&e, &other, on_gone, NULL);
	assert_int_equal(dropped, 1);
	assert_false(e.level[2].raised);
}

static void test_steady_and_pausing_points_say_nothing(void **unused)
{
	(void)unused;
	struct early_facts facts = story_facts();
	size_t raised = 0;
	state = 17;
	for (int k = 0; k < 50; k++) {
		struct early e;
		struct said s = { .n = 0 };
		early_init(&e, &facts);
		for (int i = 0; i < 6000; i++)
			early_feed(&e, EARLY_ZERO + i * EARLY_STEP, 50 + 3 * noise(), early_scratch, note, &s);
		raised += s.n;
	}
	assert_int_equal(raised, 0); // 800 hours of noise ten deviations below the limit
	struct early e;
	struct said s = { .n = 0 };
	early_init(&e, &facts);
	for (int i = 0; i < 3; i++) // three values an hour apart make no trend
		early_feed(&e, EARLY_ZERO + i * US_PER_HOUR, 50 + 10 * i, early_scratch, note, &s);
	early_feed(&e, EARLY_ZERO, 99, early_scratch, note, &s); // older: ignored
	early_feed(&e, EARLY_ZERO + 4 * US_PER_HOUR, NAN, early_scratch, note, &s);
	assert_int_equal(s.n, 0);
	assert_true(e.n <= 1);
}

// ---- doubts ------------------------------------------------------------------------------------

struct doubts {
	struct doubt_event v[32];
	size_t n;
};

static void note_doubt(void *arg, const struct doubt_event *e)
{
	struct doubts *s = arg;
	assert_true(s->n < 32);
	s->v[s->n++] = *e;
}

static const struct doubt_facts all_doubts = { { 0, 100, 1 }, true, true, true };

// Moves, stands still, moves, jumps three times, moves for two hours; ten seconds apart.
static double doubtful(int i) { return i >= 200 && i < 260 ? 50.25 : i == 400 || i == 420 || i == 440 ? 99 : 50 + 0.5 * noise(); }

static void feed_doubtful(struct doubt *d, int from, int to, struct doubts *s)
{
	for (int i = from; i < to; i++)
		doubt_feed(d, &all_doubts, EARLY_ZERO + i * EARLY_STEP, doubtful(i), note_doubt, s);
}

static void test_doubts_begin_and_end_whatever_the_slices(void **unused)
{
	(void)unused;
	struct doubt whole, part;
	struct doubts a = { .n = 0 }, b = { .n = 0 };
	state = 5;
	doubt_init(&whole);
	feed_doubtful(&whole, 0, 1200, &a);
	assert_int_equal(a.n, 4);
	assert_int_equal(a.v[0].reason, DOUBT_FROZEN);
	assert_true(a.v[0].begins);
	assert_int_equal(a.v[0].since, EARLY_ZERO + 200 * EARLY_STEP);
	assert_false(a.v[1].begins);
	assert_int_equal(a.v[1].at, EARLY_ZERO + (260 + DOUBT_SOUND - 1) * EARLY_STEP);
	assert_int_equal(a.v[2].reason, DOUBT_BEYOND);
	assert_int_equal(a.v[2].since, EARLY_ZERO + 400 * EARLY_STEP);
	assert_int_equal(a.v[3].at, EARLY_ZERO + 440 * EARLY_STEP + DOUBT_CALM + EARLY_STEP);
	state = 5;
	doubt_init(&part);
	for (int i = 0; i < 1200; i += 23) {
		struct doubt kept = part;
		memset(&part, 0xEE, sizeof part);
		memcpy(&part, &kept, sizeof part);
		feed_doubtful(&part, i, MIN(i + 23, 1200), &b);
	}
	assert_memory_equal(&whole, &part, sizeof whole);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.v, b.v, a.n * sizeof *a.v);
}

static void test_copies_need_moves_values_and_times(void **unused)
{
	(void)unused;
	struct doubt a, b, later, coarse[2];
	struct doubts s = { .n = 0 };
	state = 9;
	doubt_init(&a);
	doubt_init(&b);
	doubt_init(&later);
	doubt_init(&coarse[0]);
	doubt_init(&coarse[1]);
	for (int i = 0; i < 40; i++) {
		double v = 50 + noise();
		int64_t t = EARLY_ZERO + i * EARLY_STEP;
		doubt_feed(&a, &all_doubts, t, v, note_doubt, &s);
		if (i < 38) // it lags two moves behind
			doubt_feed(&b, &all_doubts, t + US_PER_S, v, note_doubt, &s);
		doubt_feed(&later, &all_doubts, t + US_PER_HOUR, v, note_doubt, &s);
		for (int k = 0; k < 2; k++) // a pump that runs or does not
			doubt_feed(&coarse[k], &all_doubts, t, i & 1, note_doubt, &s);
	}
	assert_true(doubt_same_moves(&a, &b, 2 * EARLY_STEP));
	assert_true(doubt_same_moves(&b, &a, 2 * EARLY_STEP));
	assert_int_equal(doubt_digest(&a, 2), doubt_digest(&b, 0));
	assert_false(doubt_same_moves(&a, &later, 2 * EARLY_STEP));
	assert_false(doubt_same_moves(&coarse[0], &coarse[1], 2 * EARLY_STEP));
	assert_int_equal(doubt_digest(&coarse[0], 0), 0);
	size_t before = s.n;
	doubt_copied(&a, 7, note_doubt, &s);
	doubt_copied(&a, 7, note_doubt, &s);
	assert_int_equal(s.n, before + 1);
	assert_int_equal(a.twin, 7);
	for (int i = 0; i < DOUBT_APART; i++)
		doubt_copied(&a, 0, note_doubt, &s);
	assert_int_equal(s.n, before + 2);
	assert_false(s.v[s.n - 1].begins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_a_frozen_value_is_found_sooner_the_finer_the_sensor),
		cmocka_unit_test(test_frozen_ends_with_the_next_move),
		cmocka_unit_test(test_impossible_values_and_jumps),
		cmocka_unit_test(test_a_copy_is_two_points_that_move_alike),
		cmocka_unit_test(test_a_small_shift_is_found_with_its_direction_beginning_and_size),
		cmocka_unit_test(test_no_change_is_said_of_steady_values_slow_or_fast),
		cmocka_unit_test(test_one_spike_is_no_change),
		cmocka_unit_test(test_a_level_that_wandered_away_is_a_drift_with_its_beginning_and_ends_when_it_is_back),
		cmocka_unit_test(test_what_does_not_matter_is_no_drift),
		cmocka_unit_test(test_a_drift_is_the_same_in_any_slices),
		cmocka_unit_test(test_a_straight_line_reaches_its_limit_when_it_does),
		cmocka_unit_test(test_wild_values_do_not_move_the_line),
		cmocka_unit_test(test_the_interval_holds_the_truth_as_often_as_it_says),
		cmocka_unit_test(test_no_trend_may_never_reach_it),
		cmocka_unit_test(test_a_limit_ahead_is_said_once_and_judged),
		cmocka_unit_test(test_early_slices_and_restarts_change_nothing),
		cmocka_unit_test(test_early_sees_no_future),
		cmocka_unit_test(test_another_limit_takes_back_what_was_said),
		cmocka_unit_test(test_steady_and_pausing_points_say_nothing),
		cmocka_unit_test(test_doubts_begin_and_end_whatever_the_slices),
		cmocka_unit_test(test_copies_need_moves_values_and_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
