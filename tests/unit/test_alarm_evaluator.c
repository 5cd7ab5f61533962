// The evaluator beyond single scenarios: quality, many points and timers, long silence, loads that grow and shrink, state
// of every point through save and restore, history that cannot be read.
// needs: base loop bus store expr risk model auth alarm
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "alarm/alarm.h"
#include "base/arena.h"
#include "model/yaml.h"
#include "series/series.h"

#define T0 INT64_C(1767225600000000)
#define MANY 5000

static struct {
	struct arena *a;
	struct registry reg;
	struct rule_set *rules;
	struct evaluator *ev;
	struct point_def points[MANY];
	struct transition said[MANY * 4];
	size_t n;
} x;

static void hear(void *arg, const struct transition *t)
{
	(void)arg;
	assert_true(x.n < sizeof x.said / sizeof *x.said);
	x.said[x.n++] = *t;
}

static struct point_kind kinds[] = { { .name = { "level", 5 }, .min = 0, .max = 100, .interval = US_PER_S } };

static void load_rule(const char *text)
{
	struct diags d = { .arena = x.a };
	struct rule_file *file = arena_one(x.a, struct rule_file);
	*file = (struct rule_file){ .file = STR("a.yaml"), .root = yaml_parse(x.a, STR("a.yaml"), str_of(text), &d) };
	x.reg = (struct registry){ .arena = x.a, .kinds = kinds, .nkinds = 1, .rules = file, .nrules = 1 };
	rules_free(x.rules);
	if (rules_compile(&x.rules, &x.reg, &d))
		fail_msg("%.*s", (int)d.v[0].text.n, d.v[0].text.p);
}
static void begin(const char *rule, size_t points)
{
	memset(&x, 0, sizeof x);
	x.a = arena_new(0);
	load_rule(rule);
	for (uint32_t i = 0; i < MANY; i++)
		x.points[i] = (struct point_def){ .id = i + 1, .kind = STR("level"), .area = STR("990121101001"), .ll = NAN,
			                          .l = NAN, .h = NAN, .hh = NAN, .min = NAN, .max = NAN };
	x.ev = evaluator_new(100000);
	evaluator_load(x.ev, x.rules, &x.reg, x.points, points, T0);
	(void)evaluator_tick(x.ev, T0, hear, NULL);
}
static void finish(void)
{
	evaluator_free(x.ev);
	rules_free(x.rules);
	arena_free(x.a);
}
static void feed(uint32_t point, int64_t s, double v)
{
	struct reading r = { .point = point, .time = T0 + s * US_PER_S, .value = v };
	evaluator_feed(x.ev, &r, r.time, hear, NULL);
}

#define HEAD "rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\n"
#define SAY "color: red, say: {zh: a, en: a}"
#define HH HEAD "levels:\n  hh: {above: 90, clear: 88, for: 5s, " SAY "}\n"

static enum quality judged(uint32_t point, double v, enum quality q)
{
	struct reading r = { .point = point, .time = T0, .value = v, .quality = (uint16_t)q };
	return evaluator_quality(x.ev, &r, T0);
}

static void test_quality(void **state)
{
	(void)state;
	begin(HH, 1);
	assert_int_equal(judged(1, 50, Q_GOOD), Q_GOOD);
	assert_int_equal(judged(1, 100, Q_GOOD), Q_GOOD);
	assert_int_equal(judged(1, 100.1, Q_GOOD), Q_RANGE); // of the kind
	assert_int_equal(judged(1, -1, Q_STALE), Q_STALE);   // the worse one stands
	assert_int_equal(judged(77, 500, Q_GOOD), Q_GOOD);   // not known: not judged
	assert_int_equal(judged(4000000000u, 500, Q_GOOD), Q_GOOD);
	x.points[0].min = 20; // of the sensor
	x.points[0].max = 200;
	x.points[0].calibration_due = T0 + US_PER_DAY;
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 1, T0);
	assert_int_equal(judged(1, 150, Q_GOOD), Q_GOOD);
	assert_int_equal(judged(1, 10, Q_GOOD), Q_RANGE);
	(void)evaluator_tick(x.ev, T0 + US_PER_DAY, hear, NULL); // the day comes while running
	assert_int_equal(judged(1, 150, Q_GOOD), Q_CALIBRATION);
	x.points[0].maintenance = true;
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 1, T0 + US_PER_DAY);
	assert_int_equal(judged(1, 150, Q_GOOD), Q_MAINTENANCE);
	finish();
}

static void test_flat_marks_readings(void **state)
{
	(void)state;
	begin(HEAD "flat: {for: 10s, by: 1, " SAY "}\n", 1);
	feed(1, 1, 50);
	feed(1, 6, 50);
	assert_int_equal(judged(1, 50, Q_GOOD), Q_GOOD);
	feed(1, 11, 50);
	assert_int_equal(x.n, 1);
	assert_int_equal(judged(1, 50, Q_GOOD), Q_FLAT);
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 1, T0); // kept by a load
	assert_int_equal(judged(1, 50, Q_GOOD), Q_FLAT);
	feed(1, 12, 60);
	assert_int_equal(judged(1, 60, Q_GOOD), Q_GOOD);
	finish();
}

// Many delays at once: each comes out at its own time, and the next call is never too late.
static void test_many_timers(void **state)
{
	(void)state;
	begin(HH, MANY);
	for (uint32_t i = 0; i < MANY; i++) { // at scattered milliseconds
		struct reading r = { .point = i + 1, .value = 95, .time = T0 + (int64_t)(1 + i * 7919u % 10007u) * US_PER_MS };
		evaluator_feed(x.ev, &r, r.time, hear, NULL);
	}
	assert_int_equal(evaluator_stats(x.ev).pending, MANY);
	for (int64_t t = T0; t < T0 + 30 * US_PER_S;) {
		size_t before = x.n;
		int64_t next = evaluator_tick(x.ev, t, hear, NULL);
		for (size_t i = before; i < x.n; i++)
			assert_in_range(t - x.said[i].at, 0, 0); // called exactly when due
		assert_true(next > t);
		t = next;
	}
	assert_int_equal(x.n, MANY);
	assert_int_equal(evaluator_stats(x.ev).pending, 0);
	assert_int_equal(evaluator_due(x.ev), 0);
	finish();
}

static void test_cancelled_timers_stay_bounded(void **state)
{
	(void)state;
	begin(HH, 10);
	for (int i = 1; i < 20000; i++)
		feed((uint32_t)(i % 10) + 1, i, i / 10 % 2 ? 95 : 50);
	assert_in_range(evaluator_stats(x.ev).pending, 0, 10);
	finish();
}

// Longer than the wheel is round (4096 s), and many at once.
static void test_long_silence(void **state)
{
	(void)state;
	begin(HEAD "silent: {for: 3h, " SAY "}\n", MANY);
	for (uint32_t i = 0; i < MANY; i++)
		feed(i + 1, 1 + i % 60, 50);
	for (int64_t t = T0; t < T0 + 3 * US_PER_HOUR; t += 10 * US_PER_S)
		(void)evaluator_tick(x.ev, t, hear, NULL);
	assert_int_equal(x.n, 0);
	(void)evaluator_tick(x.ev, T0 + 3 * US_PER_HOUR + 2 * US_PER_MIN, hear, NULL);
	assert_int_equal(x.n, MANY);
	for (size_t i = 0; i < x.n; i++)
		assert_int_equal(x.said[i].at, T0 + (1 + (x.said[i].point - 1) % 60) * US_PER_S + 3 * US_PER_HOUR);
	finish();
}

static void test_clock_jumps(void **state)
{
	(void)state;
	begin(HEAD "silent: {for: 60s, " SAY "}\n", 3);
	feed(1, 1, 50);
	(void)evaluator_tick(x.ev, T0 + 2 * US_PER_DAY, hear, NULL); // forward, over the whole wheel
	assert_int_equal(x.n, 1);
	(void)evaluator_tick(x.ev, T0, hear, NULL); // back
	(void)evaluator_tick(x.ev, T0 + 3 * US_PER_DAY, hear, NULL);
	assert_int_equal(x.n, 1);
	finish();
}

// The server's wall clock is set an hour forward, then an hour back, and across the end of 32-bit seconds (19 January
// 2038): a delay of five seconds and a silence of a minute take five seconds and a minute all the same.
static void test_clock_is_set(void **state)
{
	(void)state;
	static const int64_t sets[] = { 3600, -3600, INT64_C(2147483650) - T0 / US_PER_S };
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		begin(HEAD "levels:\n  hh: {above: 90, clear: 88, for: 5s, " SAY "}\nsilent: {for: 60s, " SAY "}\n", 2);
		int64_t by = sets[i] * US_PER_S, now = T0 + 100 * US_PER_S;
		feed(1, 100, 95);
		feed(2, 100, 50);
		evaluator_tick(x.ev, now + 2 * US_PER_S, hear, NULL);
		evaluator_clock_set(x.ev, by, now + 3 * US_PER_S + by);
		evaluator_tick(x.ev, now + by + 4 * US_PER_S, hear, NULL);
		assert_int_equal(x.n, 0);
		evaluator_tick(x.ev, now + by + 5 * US_PER_S, hear, NULL);
		assert_int_equal(x.n, 1);
		assert_int_equal(x.said[0].level, LEVEL_HH);
		assert_true(x.said[0].at == now + 5 * US_PER_S); // in the samples' own time
		for (int s = 6; s < 60; s++)
			evaluator_tick(x.ev, now + by + s * US_PER_S, hear, NULL);
		assert_int_equal(x.n, 1);
		for (int s = 60; s < 63; s++)
			evaluator_tick(x.ev, now + by + s * US_PER_S, hear, NULL);
		assert_int_equal(x.n, 3); // both are silent now
		finish();
	}
}

static void test_points_come_and_go(void **state)
{
	(void)state;
	begin(HEAD "levels:\n  hh: {above: 90, " SAY "}\n", 2);
	feed(1, 1, 95);
	feed(2, 1, 95);
	feed(3, 1, 95); // not known
	assert_int_equal(x.n, 2);
	evaluator_load(x.ev, x.rules, &x.reg, x.points, MANY, T0); // more: what was goes on
	(void)evaluator_tick(x.ev, T0 + 2 * US_PER_S, hear, NULL);
	assert_int_equal(x.n, 2);
	feed(MANY, 3, 95);
	assert_int_equal(x.n, 3);
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 1, T0 + 4 * US_PER_S); // fewer: the others return
	(void)evaluator_tick(x.ev, T0 + 4 * US_PER_S, hear, NULL);
	assert_int_equal(x.n, 5);
	assert_int_equal(x.said[3].kind, COND_RETURNED);
	assert_int_equal(x.said[3].rule, RULE_GONE);
	feed(1, 5, 50);
	assert_int_equal(x.said[5].kind, COND_RETURNED);
	x.points[1].id = 200000; // above what this evaluator takes
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 2, T0);
	assert_int_equal(evaluator_stats(x.ev).points, 1);
	finish();
}

static struct { struct transition v[MANY]; size_t n; } other;
static void hear_other(void *arg, const struct transition *t)
{
	(void)arg;
	assert_true(other.n < MANY);
	other.v[other.n++] = *t;
}

// Points put and dropped one by one come to the same as all of them loaded anew.
static void test_some_points_change(void **state)
{
	(void)state;
	enum { N = 60, ROUNDS = 300 };
	uint32_t dice = 7;
	size_t said = 0;
	bool there[N] = { 0 };
	begin(HEAD "levels:\n  hh: {above: point.hh, clear_by: 2, for: 3s, off: 2s, " SAY "}\n  h: {above: point.h, " SAY "}\n"
	      "silent: {for: 20s, " SAY "}\n", 0);
	struct evaluator *one = evaluator_new(100000);
	(void)evaluator_tick(one, T0, hear_other, NULL);
	other.n = 0;
	for (int round = 1; round <= ROUNDS; round++) {
		int64_t now = T0 + round * US_PER_S;
		uint32_t id = (dice = dice * 1664525 + 1013904223) >> 16, at = id % N;
		struct evaluator_load *l = evaluator_begin(one, x.rules, &x.reg, false, 0, now);
		there[at] = id % 5 != 0;
		x.points[at].h = id % 3 ? NAN : 70;
		x.points[at].hh = id % 7 ? 90 : NAN;
		x.points[at].maintenance = id % 11 == 0;
		x.points[at].own = (struct point_own){ .has_deadband = id % 2, .has_on = id % 13 < 5, .has_off = id % 17 < 5,
			                               .deadband = id % 4, .on = id % 3 * US_PER_S, .off = id % 6 * US_PER_S };
		if (there[at])
			evaluator_put(l, &x.points[at]);
		else
			evaluator_drop(l, at + 1);
		evaluator_end(l);
		static struct point_def now_there[N];
		size_t n = 0;
		for (uint32_t i = 0; i < N; i++)
			if (there[i])
				now_there[n++] = x.points[i];
		evaluator_load(x.ev, x.rules, &x.reg, now_there, n, now);
		for (uint32_t i = 1; i <= N; i++) {
			dice = dice * 1664525 + 1013904223;
			struct reading r = { .point = i, .time = now, .value = 60 + (double)(dice >> 26) };
			if (dice >> 8 & 1)
				continue;
			struct reading q = r;
			q.quality = (uint16_t)evaluator_quality(one, &r, now);
			r.quality = (uint16_t)evaluator_quality(x.ev, &r, now);
			assert_int_equal(q.quality, r.quality);
			evaluator_feed(x.ev, &r, now, hear, NULL);
			evaluator_feed(one, &q, now, hear_other, NULL);
		}
		(void)evaluator_tick(x.ev, now, hear, NULL);
		(void)evaluator_tick(one, now, hear_other, NULL);
		assert_int_equal(x.n, other.n);
		for (uint32_t i = 1; i <= N; i++) {
			uint8_t a[ALARM_EXT], b[ALARM_EXT];
			evaluator_save(x.ev, i, a);
			evaluator_save(one, i, b);
			assert_memory_equal(a, b, ALARM_EXT);
		}
		assert_int_equal(evaluator_stats(x.ev).points > 0, evaluator_stats(one).points > 0);
		assert_int_equal(evaluator_stats(x.ev).watched, evaluator_stats(one).watched);
		said += x.n;
		x.n = other.n = 0;
	}
	assert_true(said > 1000);
	assert_true(evaluator_stats(one).bytes < 60 * 400 + 20000);
	evaluator_free(one);
	finish();
}

static void test_where_area_and_point(void **state)
{
	(void)state;
	begin("rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level, where: {area: [9901211], point: [a, b]}}\n"
	      "levels:\n  hh: {above: 90, " SAY "}\n", 0);
	x.points[0].code = STR("a");
	x.points[1].code = STR("c");
	x.points[2].code = STR("b");
	x.points[2].area = STR("990122101001");
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 3, T0);
	assert_int_equal(evaluator_stats(x.ev).watched, 1);
	finish();
}

static enum err cannot_read(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	(void)arg;
	(void)point;
	(void)from;
	(void)to;
	(void)a;
	(void)ret;
	(void)ret_n;
	return ERR_IO;
}

static void test_history_that_cannot_be_read(void **state)
{
	(void)state;
	begin(HH, MANY);
	for (uint32_t i = 1; i <= 100; i++) {
		feed(i, 100, 50);
		struct reading r = { .point = i, .time = T0 + US_PER_S, .value = 95 };
		evaluator_note_late(x.ev, &r);
		evaluator_note_late(x.ev, &r);
	}
	assert_int_equal(evaluator_stats(x.ev).late, 100);
	struct arena *a = arena_new(0);
	assert_int_equal(evaluator_late(x.ev, 30, cannot_read, NULL, a, hear, NULL), 100); // is there more to come?
	assert_int_equal(evaluator_late(x.ev, 30, cannot_read, NULL, a, hear, NULL), 70);
	assert_int_equal(evaluator_late(x.ev, 100, cannot_read, NULL, a, hear, NULL), 0);
	struct reading r = { .point = 7, .time = T0 + US_PER_S, .value = 95 };
	int calls = 0;
	do // more and more: at last it is judged all the same
		evaluator_note_late(x.ev, &r);
	while (evaluator_late(x.ev, 100, cannot_read, NULL, a, hear, NULL) > 0 && ++calls < 1000);
	assert_in_range(calls, 10, 100);
	arena_free(a);
	assert_int_equal(evaluator_stats(x.ev).late_dropped, 101);
	assert_int_equal(x.n, 0);
	feed(1, 101, 95); // and life goes on
	(void)evaluator_tick(x.ev, T0 + 200 * US_PER_S, hear, NULL);
	assert_int_equal(x.n, 1);
	finish();
}

static void test_saved_state_of_other_rules(void **state)
{
	uint8_t ext[ALARM_EXT];
	(void)state;
	begin(HEAD "levels:\n  hh: {above: 90, " SAY "}\n", 1);
	feed(1, 1, 95);
	evaluator_save(x.ev, 1, ext);
	load_rule(HEAD "levels:\n  hh: {above: 90, " SAY "}\n  h: {above: 80, " SAY "}\n");
	evaluator_free(x.ev);
	x.ev = evaluator_new(100);
	evaluator_load(x.ev, x.rules, &x.reg, x.points, 1, T0);
	evaluator_restore(x.ev, 1, ext);
	evaluator_restore(x.ev, 99, ext); // a point that is no more
	evaluator_adopt(x.ev, 1, STR("r"), LEVEL_HH);
	evaluator_adopt(x.ev, 1, STR("no_more"), LEVEL_HH);
	evaluator_adopt(x.ev, 4000000000u, STR("r"), LEVEL_HH);
	x.n = 0;
	(void)evaluator_tick(x.ev, T0 + 2 * US_PER_S, hear, NULL);
	assert_int_equal(x.n, 2); // of the two that are gone
	feed(1, 1, 10);           // not newer than the saved one
	assert_int_equal(x.n, 2);
	feed(1, 3, 85);
	assert_int_equal(x.n, 3);
	assert_int_equal(x.said[2].kind, COND_LEVEL);
	assert_int_equal(x.said[2].level, LEVEL_H);
	finish();
}

static void test_memory_of_a_point(void **state)
{
	(void)state;
	begin(HH, MANY);
	assert_in_range(evaluator_stats(x.ev).bytes / MANY, 64, 256);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quality),
		cmocka_unit_test(test_flat_marks_readings),
		cmocka_unit_test(test_many_timers),
		cmocka_unit_test(test_cancelled_timers_stay_bounded),
		cmocka_unit_test(test_long_silence),
		cmocka_unit_test(test_clock_jumps),
		cmocka_unit_test(test_clock_is_set),
		cmocka_unit_test(test_points_come_and_go),
		cmocka_unit_test(test_some_points_change),
		cmocka_unit_test(test_where_area_and_point),
		cmocka_unit_test(test_history_that_cannot_be_read),
		cmocka_unit_test(test_saved_state_of_other_rules),
		cmocka_unit_test(test_memory_of_a_point),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
