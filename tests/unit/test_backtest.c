// The back-test says what a live evaluator says: bit for bit on the same history, whatever disturbs the live one. Its
// figures, what counts as preceded, and that a proposal is quieter, keeps what must be kept, and loses nothing it hides.
// needs: base loop bus store expr risk model auth alarm
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "alarm/backtest.h"
#include "alarm_help.h"
#include "series/series.h"

#define MAX_SAMPLES 400

struct trial {
	struct arena *a;
	struct registry reg;
	struct rule_set *rules;
	struct point_def point;
	struct sample v[MAX_SAMPLES]; // by time, as history has them
	size_t n;
	int64_t to;
};

static void trial_rules(struct trial *t, const char *text)
{
	t->rules = rules_of(t->a, &t->reg, text);
	t->point = (struct point_def){ .id = 7, .code = STR("p"), .kind = STR("level"), .ll = 10, .l = 20, .h = 80, .hh = 90,
		                       .min = NAN, .max = NAN };
}

static const char *const limits = "rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\nlevels:\n"
				  "  ll: {below: point.ll, for: 1s, color: red, say: {zh: a, en: a}}\n"
				  "  l: {below: point.l, clear_by: 1, off: 2s, color: red, say: {zh: a, en: a}}\n"
				  "  h: {above: point.h, clear_by: 2, color: red, say: {zh: a, en: a}}\n"
				  "  hh: {above: point.hh, for: 2s, off: 3s, color: red, say: {zh: a, en: a}}\n";
static const char *const silence = "silent: {for: 8s, color: blue, say: {zh: a, en: a}}\n";

static void trial_begin(struct trial *t, uint64_t seed, const char *more)
{
	*t = (struct trial){ .a = arena_new(0) };
	seed_set(seed);
	trial_rules(t, arena_printf(t->a, "%s%s%s", limits, FAMILY_RULES, more).p);
	if (below(2))
		t->point.own = (struct point_own){ .has_deadband = below(2), .has_on = below(2), .has_off = below(2),
			                           .deadband = below(8), .on = below(6) * US_PER_S, .off = below(9) * US_PER_S };
}
static void trial_end(struct trial *t)
{
	rules_free(t->rules);
	arena_free(t->a);
}

// A walk with jumps, bad quality and gaps, at odd fractions of seconds.
static void trial_samples(struct trial *t)
{
	static const enum quality others[] = { Q_CALIBRATION, Q_MAINTENANCE, Q_FLAT, Q_RANGE, Q_STALE, Q_BAD };
	int64_t at = T0;
	double v = 50;
	t->n = (size_t)(10 + below(MAX_SAMPLES - 10));
	for (size_t i = 0; i < t->n; i++) {
		at += below(5) ? (1 + below(4)) * US_PER_S : 1 + below(3000000);
		at += below(30) ? 0 : (10 + below(100)) * US_PER_S;
		v = below(6) == 0 ? below(101) : fmin(100, fmax(0, v + below(25) - 12));
		t->v[i] = (struct sample){ at, v, (uint16_t)(below(8) ? Q_GOOD : others[below(6)]) };
	}
	t->to = at + US_PER_HOUR + below(1000000);
}

static struct backtest_setup setup_of(const struct trial *t, struct heard *h)
{
	return (struct backtest_setup){ .rules = t->rules, .reg = &t->reg, .point = &t->point, .from = T0, .to = t->to,
		                        .hear = h ? hear : NULL, .arg = h };
}

static size_t tried(const struct trial *t, const struct backtest_setup *s, const struct sample *v, size_t n,
                    struct backtest_alarm **ret, struct backtest_figures *f)
{
	size_t nv;
	struct backtest *b = backtest_begin(s, t->a);
	for (size_t i = 0; i < n;) { // in parts, as history is read
		size_t part = (size_t)(1 + below(50));
		part = MIN(part, n - i);
		assert_int_equal(backtest_feed(b, v + i, part), OK);
		i += part;
	}
	backtest_end(b, ret, &nv, f);
	return nv;
}

// ---- live --------------------------------------------------------------------------------------
static struct evaluator *live_begin(const struct trial *t)
{
	struct evaluator *ev = evaluator_new(10);
	evaluator_load(ev, t->rules, &t->reg, &t->point, 1, T0);
	(void)evaluator_tick(ev, T0, NULL, NULL);
	return ev;
}
static void live_clock(struct evaluator *ev, int64_t to, struct heard *h)
{
	for (int64_t due; (due = evaluator_due(ev)) && due <= to;)
		(void)evaluator_tick(ev, due, hear, h);
}
static struct reading reading_of(const struct trial *t, const struct sample *s)
{
	return (struct reading){ .point = t->point.id, .time = s->time, .value = s->value, .quality = s->quality };
}
static struct evaluator *live_restart(const struct trial *t, struct evaluator *ev, int64_t now, struct heard *h)
{
	uint8_t ext[ALARM_EXT];
	evaluator_save(ev, t->point.id, ext);
	evaluator_free(ev);
	ev = evaluator_new(10);
	evaluator_load(ev, t->rules, &t->reg, &t->point, 1, now);
	evaluator_restore(ev, t->point.id, ext);
	(void)evaluator_tick(ev, now, hear, h);
	return ev;
}

// Fed as samples come, some twice, with ticks when due and at any other moment; restarts too where silence does not
// count (it begins anew with a process).
static void live(const struct trial *t, bool restarts, struct heard *h)
{
	struct evaluator *ev = live_begin(t);
	for (size_t i = 0; i < t->n; i++) {
		struct reading r = reading_of(t, &t->v[i]);
		live_clock(ev, r.time, h);
		evaluator_feed(ev, &r, r.time, hear, h);
		while (below(3) == 0) {
			struct reading again = reading_of(t, &t->v[below((int)i + 1)]);
			evaluator_feed(ev, &again, r.time, hear, h);
		}
		if (restarts && below(8) == 0)
			ev = live_restart(t, ev, r.time, h);
	}
	live_clock(ev, t->to, h);
	evaluator_free(ev);
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

static void same(const struct heard *a, const struct heard *b, uint64_t seed)
{
	for (size_t i = 0; i < MAX(a->n, b->n); i++) {
		const struct transition *x = &a->v[i], *y = &b->v[i];
		if (i >= a->n || i >= b->n || x->at != y->at || x->kind != y->kind || x->level != y->level || x->rule != y->rule ||
		    x->key != y->key || x->cause_time != y->cause_time || !same_bits(x->cause_value, y->cause_value) ||
		    !same_bits(x->limit, y->limit) || x->cause_quality != y->cause_quality || x->late != y->late)
			fail_msg("seed %llu: change %zu differs (%zu and %zu in all)", (unsigned long long)seed, i, a->n, b->n);
	}
}

static void test_equals_live(void **state)
{
	(void)state;
	size_t said = 0;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct trial t;
		static struct heard a, b;
		struct backtest_alarm *v;
		struct backtest_figures f;
		a.n = b.n = 0;
		bool restarts = seed % 2;
		trial_begin(&t, seed, restarts ? "" : silence);
		trial_samples(&t);
		struct backtest_setup s = setup_of(&t, &a);
		tried(&t, &s, t.v, t.n, &v, &f);
		live(&t, restarts, &b);
		same(&a, &b, seed);
		said += a.n;
		trial_end(&t);
	}
	assert_true(said > 10000); // it was about something
}

// ---- late data ---------------------------------------------------------------------------------
struct history { struct sample v[MAX_SAMPLES]; size_t n; };

static enum err read_history(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret,
                             size_t *ret_n)
{
	struct history *s = arg;
	size_t lo = 0, hi = s->n;
	(void)point, (void)a;
	while (lo < hi && s->v[lo].time < from)
		lo++;
	while (hi > lo && s->v[hi - 1].time >= to)
		hi--;
	*ret = s->v + lo;
	*ret_n = hi - lo;
	return OK;
}
// A set, as series is: the first for a time wins. False: it was there.
static bool history_add(struct history *s, const struct sample *x)
{
	size_t at = s->n;
	while (at > 0 && s->v[at - 1].time > x->time)
		at--;
	if (at > 0 && s->v[at - 1].time == x->time)
		return false;
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof *s->v);
	s->v[at] = *x;
	s->n++;
	return true;
}

// What was recorded while data came late, out of order and twice.
static void live_late(const struct trial *t, int far, struct history *s, struct heard *h)
{
	struct evaluator *ev = live_begin(t);
	size_t order[MAX_SAMPLES];
	int64_t newest = 0;
	for (size_t i = 0; i < t->n; i++)
		order[i] = i;
	for (size_t i = 0; i < t->n; i++) {
		size_t k = i + (size_t)below(far + 1), o = order[i];
		k = MIN(k, t->n - 1);
		order[i] = order[k];
		order[k] = o;
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct sample *x = &t->v[order[i]];
		struct reading r = reading_of(t, x);
		if (!history_add(s, x) || (below(4) == 0 && !history_add(s, x) && below(2)))
			continue;
		if (x->time > newest) {
			newest = x->time;
			evaluator_feed(ev, &r, newest, hear, h);
		} else {
			evaluator_note_late(ev, &r);
		}
		if (below(2) || i + 1 == t->n) {
			struct arena *a = arena_new(0);
			while (evaluator_late(ev, 10, read_history, s, a, hear, h) > 0)
				;
			arena_free(a);
		}
	}
	(void)evaluator_tick(ev, t->to, hear, h);
	evaluator_free(ev);
}

// The history that a disturbed recording leaves is back-tested as its live replay in order says, bit for bit. (That none
// of those alarms was missed while the data came late is shown by test_alarm_property, any order.)
static void test_late_recording(void **state)
{
	(void)state;
	size_t said = 0;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct trial t, again;
		static struct heard a, b, told;
		static struct history s;
		struct backtest_alarm *v;
		struct backtest_figures f;
		a.n = b.n = told.n = s.n = 0;
		trial_begin(&t, seed, "");
		trial_samples(&t);
		for (size_t i = 0; i < t.n; i++)
			t.v[i].quality = Q_GOOD;
		live_late(&t, 1 + (int)(seed % 12), &s, &told);
		assert_int_equal(s.n, t.n);
		again = t;
		memcpy(again.v, s.v, sizeof s.v);
		struct backtest_setup set = setup_of(&t, &a);
		tried(&t, &set, s.v, s.n, &v, &f);
		live(&again, true, &b);
		same(&a, &b, seed);
		said += told.n;
		trial_end(&t);
	}
	assert_true(said > 10000); // it was about something
}

// ---- figures -----------------------------------------------------------------------------------
static void test_figures(void **state)
{
	(void)state;
	struct trial t = { .a = arena_new(0) };
	trial_rules(&t, "rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\nlevels:\n"
	                "  h: {above: point.h, clear_by: 2, color: red, say: {zh: a, en: a}}\n"
	                "  hh: {above: point.hh, color: red, say: {zh: a, en: a}}\n");
	// 2026-01-01 08:00 in the site's zone. Three raises within a minute, one alone, one at night that lasts
	const struct { int64_t s; double v; } at[] = { { 0, 81 },    { 10, 70 },    { 20, 85 },        { 30, 50 },     { 40, 80 },
		                                       { 50, 50 },   { 3600, 99 },  { 3700, 95 },      { 3710, 10 },
		                                       { 50400, 83 } };
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		t.v[t.n++] = (struct sample){ T0 + at[i].s * US_PER_S, at[i].v, Q_GOOD };
	t.to = T0 + 3 * US_PER_DAY;
	struct backtest_setup s = setup_of(&t, NULL);
	struct backtest_alarm *v;
	struct backtest_figures f;
	assert_int_equal(tried(&t, &s, t.v, t.n, &v, &f), 5);
	assert_int_equal(f.alarms, 5);
	assert_int_equal(f.chatter, 3);
	assert_int_equal(f.night, 1);
	assert_int_equal(f.standing, 1);
	assert_int_equal(f.most, 3);
	assert_int_equal(f.by_level[LEVEL_H], 4);
	assert_int_equal(f.by_level[LEVEL_HH], 1);
	assert_int_equal(f.active, (10 + 10 + 10 + 110) * US_PER_S + 3 * US_PER_DAY - 50400 * US_PER_S);
	assert_true(f.days == 3);
	s.from -= 27 * US_PER_DAY; // the point was connected three days ago
	assert_int_equal(tried(&t, &s, t.v, t.n, &v, &f), 5);
	assert_true(f.days == 3);
	s.from = t.v[0].time - US_PER_HOUR;
	s.to = t.v[0].time + US_PER_MIN; // an hour and a minute, of which a minute is known
	(void)tried(&t, &s, t.v, 1, &v, &f);
	assert_true(fabs(f.days - 61.0 / 1440) < 1e-9);
	s = setup_of(&t, NULL);
	assert_int_equal(tried(&t, &s, t.v, t.n, &v, &f), 5);
	assert_true(v[3].extreme == 99 && v[3].extreme_at == T0 + 3600 * US_PER_S && v[3].to == T0 + 3710 * US_PER_S);
	assert_int_equal(v[4].to, 0);
	assert_int_equal(v[3].beyond, 110 * US_PER_S);
	// an event is preceded by what was raised within the window; what follows closely is one occurrence
	assert_int_equal(backtest_precede(v, 5, T0 + 45 * US_PER_S, US_PER_HOUR, US_PER_MIN), 0);
	assert_int_equal(backtest_precede(v, 5, T0 + 3650 * US_PER_S, US_PER_MIN, US_PER_MIN), 3);
	assert_int_equal(backtest_precede(v, 5, T0 + 3800 * US_PER_S, 100 * US_PER_S, US_PER_MIN), 5);
	assert_int_equal(backtest_precede(v, 5, T0 + 2 * US_PER_DAY, US_PER_MIN, US_PER_MIN), 5); // it stands since a day
	assert_int_equal(backtest_precede(v, 5, T0 + 2 * US_PER_DAY, 2 * US_PER_DAY, US_PER_MIN), 4);
	assert_int_equal(backtest_precede(v, 5, T0 - 1, US_PER_DAY, US_PER_MIN), 5);
	trial_end(&t);
}

// ---- samples that cannot matter ----------------------------------------------------------------
static void test_condensed_samples_say_the_same(void **state)
{
	(void)state;
	size_t saved = 0;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct trial t = { .a = arena_new(0) };
		struct backtest_alarm *v, *w;
		struct backtest_figures f;
		struct sample few[MAX_SAMPLES];
		bool calm = false;
		seed_set(seed);
		trial_rules(&t, limits);
		trial_samples(&t);
		struct backtest_setup s = setup_of(&t, NULL);
		memcpy(few, t.v, sizeof few);
		size_t half = t.n / 2, n = backtest_condense(&s, 100, few, half, &calm);
		memmove(few + n, few + half, (t.n - half) * sizeof *few);
		n += backtest_condense(&s, 100, few + n, t.n - half, &calm);
		saved += t.n - n;
		t.point.own = (struct point_own){ true, true, true, below(11), below(9) * US_PER_S, below(30) * US_PER_S };
		size_t nv = tried(&t, &s, t.v, t.n, &v, &f), nw = tried(&t, &s, few, n, &w, &f);
		assert_int_equal(nv, nw);
		for (size_t i = 0; i < nv; i++)
			assert_true(v[i].from == w[i].from && v[i].to == w[i].to && v[i].level == w[i].level &&
			            v[i].extreme == w[i].extreme && v[i].beyond == w[i].beyond && v[i].chatter == w[i].chatter);
		trial_end(&t);
	}
	assert_true(saved > 1000);
}

// ---- the proposal ------------------------------------------------------------------------------
// Two days of a level that swings to just below its limit, with the noise of a bad gauge (alarms that mean nothing), and
// twice a true rise that lasts and after which something happened.
#define NOISY 34560
#define RISE_1 10000
#define RISE_2 26000
static struct sample noisy[NOISY];
static void make_noisy(struct trial *t)
{
	seed_set(42);
	for (size_t i = 0; i < NOISY; i++) {
		double v = 70 + 9.5 * sin((double)i / 500) + (below(100) - 50) / 50.0 * 1.5;
		if (i >= RISE_1 && i < RISE_1 + 150)
			v = 85 + below(20) / 10.0;
		if (i >= RISE_2 && i < RISE_2 + 40)
			v = 92;
		noisy[i] = (struct sample){ T0 + (int64_t)i * 5 * US_PER_S, v, Q_GOOD };
	}
	t->to = noisy[NOISY - 1].time + US_PER_HOUR;
}

static void noisy_rules(struct trial *t)
{
	*t = (struct trial){ .a = arena_new(0) };
	trial_rules(t, "rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\nlevels:\n"
	               "  h: {above: point.h, color: orange, say: {zh: a, en: a}}\n"
	               "  hh: {above: point.hh, for: 5s, color: red, say: {zh: a, en: a}}\n");
	make_noisy(t);
}

static void test_proposal_is_quieter_and_keeps_what_was_true(void **state)
{
	(void)state;
	struct trial t;
	noisy_rules(&t);
	const int64_t events[] = { noisy[RISE_1 + 100].time, noisy[RISE_2 + 30].time };
	struct backtest_setup s = setup_of(&t, NULL);
	struct backtest_goal g = { .events = events, .nevents = 2, .remove = 0.8, .all = true, .delay = 30 * US_PER_S,
		                   .keep = 5 * US_PER_MIN, .window = US_PER_DAY, .span = 100 };
	struct backtest_suggestion r;
	assert_int_equal(backtest_suggest(&s, noisy, NOISY, &g, t.a, &r), OK);
	assert_true(r.found && r.reached);
	assert_true(r.before > 100);
	assert_true(r.after * 5 <= r.before);
	assert_int_equal(r.confirmed, 2);
	assert_true(r.later <= g.delay);
	// set and tried again: it is what it said
	t.point.own = r.own;
	struct backtest_alarm *v;
	struct backtest_figures f;
	size_t n = tried(&t, &s, noisy, NOISY, &v, &f);
	assert_int_equal(n, r.after);
	assert_int_equal(f.chatter, r.after_chatter);
	for (int i = 0; i < 2; i++) {
		size_t at = backtest_precede(v, n, events[i], g.window, US_PER_MIN);
		assert_true(at < n);
		while (at < n && v[at].to && v[at].to < events[i])
			at++;
		assert_true(at < n && v[at].from <= events[i]); // and one was active at it
	}
	trial_end(&t);
}

static void test_proposal_of_nothing(void **state)
{
	(void)state;
	struct trial t;
	noisy_rules(&t);
	struct backtest_setup s = setup_of(&t, NULL);
	struct backtest_goal g = { .remove = 0.8, .all = true, .window = US_PER_DAY, .span = 100 };
	struct backtest_suggestion r;
	// nothing to be rid of
	assert_int_equal(backtest_suggest(&s, noisy, 100, &g, t.a, &r), OK);
	assert_false(r.found);
	assert_int_equal(r.before, 0);
	// every alarm is to be kept, at once: then no setting may be proposed that loses or delays one
	int64_t *events = arena_many(t.a, NOISY, int64_t);
	struct backtest_alarm *v;
	struct backtest_figures f;
	size_t n = tried(&t, &s, noisy, NOISY, &v, &f);
	for (size_t i = 0; i < n; i++)
		events[i] = v[i].from;
	g.events = events;
	g.nevents = n;
	assert_int_equal(backtest_suggest(&s, noisy, NOISY, &g, t.a, &r), OK);
	assert_int_equal(r.confirmed, n);
	if (r.found) { // only what holds on longer
		assert_false(r.own.has_on);
		assert_int_equal(r.later, 0);
	}
	trial_end(&t);
}

// A dead band that leaves one alarm standing for days has few alarms, and warns of nothing.
static void test_proposal_does_not_let_an_alarm_stand(void **state)
{
	(void)state;
	struct trial t;
	noisy_rules(&t);
	const int64_t events[] = { noisy[RISE_2 + 30].time };
	struct backtest_setup s = setup_of(&t, NULL);
	struct backtest_goal g = { .events = events, .nevents = 1, .remove = 1, .all = true, .delay = 30 * US_PER_S, .window = US_PER_DAY,
		                   .span = 1000 };
	struct backtest_suggestion r;
	struct backtest_alarm *v;
	struct backtest_figures f;
	assert_int_equal(backtest_suggest(&s, noisy, NOISY, &g, t.a, &r), OK);
	t.point.own = r.own;
	size_t n = tried(&t, &s, noisy, NOISY, &v, &f);
	assert_int_equal(f.standing, 0);
	size_t at = backtest_precede(v, n, events[0], US_PER_HOUR, US_PER_MIN);
	assert_true(r.found && at < n);
	trial_end(&t);
}

static bool stop_soon(void *arg, double part)
{
	int *left = arg;
	(void)part;
	return (*left)-- > 0;
}

static void test_it_can_be_stopped(void **state)
{
	(void)state;
	struct trial t;
	noisy_rules(&t);
	int left = 0;
	struct backtest_setup s = setup_of(&t, NULL);
	struct backtest_alarm *v;
	struct backtest_figures f;
	size_t n;
	s.go_on = stop_soon;
	s.go_on_arg = &left;
	struct backtest *b = backtest_begin(&s, t.a);
	assert_int_equal(backtest_feed(b, noisy, NOISY), ERR_TIMEOUT);
	backtest_end(b, &v, &n, &f);
	left = 3;
	struct backtest_goal g = { .remove = 1, .all = true, .window = US_PER_DAY, .span = 100 };
	struct backtest_suggestion r;
	assert_int_equal(backtest_suggest(&s, noisy, NOISY, &g, t.a, &r), ERR_TIMEOUT);
	trial_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_live),
		cmocka_unit_test(test_late_recording),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_condensed_samples_say_the_same),
		cmocka_unit_test(test_proposal_is_quieter_and_keeps_what_was_true),
		cmocka_unit_test(test_proposal_of_nothing),
		cmocka_unit_test(test_proposal_does_not_let_an_alarm_stand),
		cmocka_unit_test(test_it_can_be_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
