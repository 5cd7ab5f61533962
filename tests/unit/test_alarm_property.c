// What must hold for any samples: a naive second implementation gives the same changes; duplicates, ticks and restarts
// at any moment change nothing; samples in any order end in the same alarms.
// needs: base loop bus store expr risk model auth alarm
#include "store_fixture.h"

#include <math.h>

#include "alarm_help.h"
#include "auth/auth.h"
#include "series/series.h"

#define MAX_SAMPLES 120

struct trial {
	struct arena *a;
	struct registry reg;
	struct rule_set *rules;
	struct point_def point;
	struct reading samples[MAX_SAMPLES]; // by time
	size_t n;
	int on[4], off[4];                   // s, by level ll l h hh
	double limit[4], clear[4];
};

static void trial_rules(struct trial *t, const char *text)
{
	t->rules = rules_of(t->a, &t->reg, text);
	t->point = (struct point_def){ .id = 1, .code = STR("p"), .kind = STR("level"), .ll = NAN, .l = NAN, .h = NAN,
		                       .hh = NAN, .min = NAN, .max = NAN };
}

// Four limits with random delays and clear limits (none of either if plain).
static void trial_limits(struct trial *t, bool delays, bool hysteresis, const char *more)
{
	static const char *const names[] = { "ll", "l", "h", "hh" };
	static const double limits[] = { 10, 20, 80, 90 };
	struct str text = STR("rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\nlevels:\n");
	for (int k = 0; k < 4; k++) {
		double away = hysteresis ? below(12) : 0;
		t->limit[k] = limits[k];
		t->clear[k] = k < 2 ? limits[k] + away : limits[k] - away;
		t->on[k] = delays ? below(3) * below(5) : 0;
		t->off[k] = delays ? below(3) * below(5) : 0;
		text = arena_printf(t->a, "%.*s  %s: {%s: %d, clear: %d, for: %ds, off: %ds, color: red, say: {zh: a, en: a}}\n",
		                    STR_FMT(text), names[k], k < 2 ? "below" : "above", (int)limits[k], (int)t->clear[k],
		                    t->on[k], t->off[k]);
	}
	trial_rules(t, arena_printf(t->a, "%.*s%s", STR_FMT(text), more).p);
}

static void trial_samples(struct trial *t, bool all_good)
{
	int64_t at = T0;
	double v = 50;
	t->n = (size_t)(10 + below(MAX_SAMPLES - 10));
	for (size_t i = 0; i < t->n; i++) {
		at += (1 + below(4)) * US_PER_S;
		v = below(6) == 0 ? below(101) : fmin(100, fmax(0, v + below(25) - 12));
		static const enum quality others[] = { Q_CALIBRATION, Q_FLAT, Q_RANGE, Q_STALE, Q_BAD };
		enum quality q = all_good || below(8) ? Q_GOOD : others[below(5)];
		t->samples[i] = (struct reading){ .point = 1, .time = at, .value = v, .quality = (uint16_t)q };
	}
}

static struct evaluator *begin(struct trial *t)
{
	struct evaluator *ev = evaluator_new(10);
	evaluator_load(ev, t->rules, &t->reg, &t->point, 1, T0);
	(void)evaluator_tick(ev, T0, NULL, NULL);
	return ev;
}

static void finish(struct trial *t, struct evaluator *ev, struct heard *h)
{
	(void)evaluator_tick(ev, t->samples[t->n - 1].time + US_PER_HOUR, hear, h);
	evaluator_free(ev);
}

static void in_order(struct trial *t, struct heard *h)
{
	struct evaluator *ev = begin(t);
	for (size_t i = 0; i < t->n; i++)
		evaluator_feed(ev, &t->samples[i], t->samples[i].time, hear, h);
	finish(t, ev, h);
}

static void same(const struct heard *a, const struct heard *b, uint64_t seed)
{
	for (size_t i = 0; i < MAX(a->n, b->n); i++)
		if (i >= a->n || i >= b->n || a->v[i].at != b->v[i].at || a->v[i].kind != b->v[i].kind ||
		    a->v[i].level != b->v[i].level)
			fail_msg("seed %llu: change %zu differs (%zu and %zu in all)", (unsigned long long)seed, i, a->n, b->n);
}

// ---- a naive second implementation -------------------------------------------------------------
static bool beyond(const struct trial *t, int k, double v) { return k < 2 ? v <= t->limit[k] : v >= t->limit[k]; }
static bool cleared(const struct trial *t, int k, double v) { return k < 2 ? v > t->clear[k] : v < t->clear[k]; }

// Second by second: a state changes when the opposite was true for its whole delay.
static void naive(const struct trial *t, struct heard *h)
{
	bool active[4] = { 0 };
	int run[4] = { 0 }; // seconds the held value has asked for the other state
	double held = 50;
	size_t next = 0;
	int was = -1;
	for (int64_t at = T0; at <= t->samples[t->n - 1].time + 1000 * US_PER_S; at += US_PER_S) {
		// first what the time up to now has brought, then the sample; a change in each is said
		for (int phase = 0; phase < 2; phase++) {
			if (phase == 1 && (next >= t->n || t->samples[next].time != at))
				continue;
			if (phase == 1)
				held = t->samples[next++].value;
			for (int k = 0; k < 4; k++) {
				bool wants = active[k] ? cleared(t, k, held) : beyond(t, k, held);
				int delay = active[k] ? t->off[k] : t->on[k];
				if (phase == 0 && run[k] > 0)
					run[k]++;
				else if (phase == 1)
					run[k] = wants ? MAX(run[k], 1) : 0;
				if (run[k] > delay) {
					active[k] = !active[k];
					run[k] = 0;
				}
			}
			int is = active[3] ? 3 : active[0] ? 0 : active[2] ? 2 : active[1] ? 1 : -1;
			struct transition tr = { .at = at, .level = (enum level)(is < 0 ? was : is) };
			tr.kind = was < 0 ? COND_RAISED : is < 0 ? COND_RETURNED : COND_LEVEL;
			if (is != was)
				hear(h, &tr);
			was = is;
		}
	}
}

static void test_naive(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct trial t = { .a = arena_new(0) };
		static struct heard a, b;
		a.n = b.n = 0;
		seed_set(seed);
		trial_limits(&t, true, true, "");
		trial_samples(&t, true);
		// two sides at once have no order in the naive one: keep to one side
		for (size_t i = 0; i < t.n; i++)
			t.samples[i].value = 50 + fabs(t.samples[i].value - 50) * (seed % 2 ? 1 : -1);
		in_order(&t, &a);
		naive(&t, &b);
		same(&a, &b, seed);
		rules_free(t.rules);
		arena_free(t.a);
	}
}

// ---- duplicates, ticks, restarts ---------------------------------------------------------------
static struct evaluator *restart(struct trial *t, struct evaluator *ev, int64_t now, struct heard *h)
{
	uint8_t ext[ALARM_EXT];
	evaluator_save(ev, 1, ext);
	evaluator_free(ev);
	ev = evaluator_new(10);
	evaluator_load(ev, t->rules, &t->reg, &t->point, 1, now);
	evaluator_restore(ev, 1, ext);
	if (below(2))
		evaluator_load(ev, t->rules, &t->reg, &t->point, 1, now); // and the packs are loaded again
	(void)evaluator_tick(ev, now, hear, h);
	return ev;
}

static void disturbed(struct trial *t, struct heard *h)
{
	struct evaluator *ev = begin(t);
	for (size_t i = 0; i < t->n; i++) {
		const struct reading *r = &t->samples[i];
		evaluator_feed(ev, r, r->time, hear, h);
		int64_t until = i + 1 < t->n ? t->samples[i + 1].time : r->time;
		while (below(3) == 0)
			evaluator_feed(ev, &t->samples[below((int)i + 1)], r->time, hear, h);
		if (below(4) == 0)
			ev = restart(t, ev, r->time, h);
		for (int64_t now = r->time; now < until && below(3); now += US_PER_S / 2)
			(void)evaluator_tick(ev, now, hear, h);
	}
	finish(t, ev, h);
}

static void test_disturbance_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct trial t = { .a = arena_new(0) };
		static struct heard a, b;
		a.n = b.n = 0;
		seed_set(seed);
		trial_limits(&t, true, true, FAMILY_RULES);
		trial_samples(&t, false);
		in_order(&t, &a);
		disturbed(&t, &b);
		same(&a, &b, seed);
		rules_free(t.rules);
		arena_free(t.a);
	}
}

// ---- any order ---------------------------------------------------------------------------------
struct shuffled {
	struct trial *t;
	struct sample history[MAX_SAMPLES];
	size_t n;
};

static enum err read_history(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret,
                             size_t *ret_n)
{
	struct shuffled *s = arg;
	size_t lo = 0, hi = s->n;
	(void)point;
	(void)a;
	while (lo < hi && s->history[lo].time < from)
		lo++;
	while (hi > lo && s->history[hi - 1].time >= to)
		hi--;
	*ret = s->history + lo;
	*ret_n = hi - lo;
	return OK;
}

static bool remember(struct shuffled *s, const struct reading *r)
{
	size_t at = s->n;
	while (at > 0 && s->history[at - 1].time > r->time)
		at--;
	if (at > 0 && s->history[at - 1].time == r->time)
		return false;
	memmove(&s->history[at + 1], &s->history[at], (s->n - at) * sizeof *s->history);
	s->history[at] = (struct sample){ r->time, r->value, r->quality };
	s->n++;
	return true;
}

// Each sample up to `far` places away from where it belongs, some twice.
static void out_of_order(struct trial *t, int far, struct heard *h)
{
	size_t order[MAX_SAMPLES];
	struct shuffled s = { .t = t };
	struct evaluator *ev = begin(t);
	int64_t newest = 0;
	for (size_t i = 0; i < t->n; i++)
		order[i] = i;
	for (size_t i = 0; i < t->n; i++) {
		size_t k = i + (size_t)below(far + 1);
		if (k < t->n) {
			size_t o = order[i];
			order[i] = order[k];
			order[k] = o;
		}
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct reading *r = &t->samples[order[i]];
		if (!remember(&s, r))
			continue;
		if (r->time > newest) {
			newest = r->time;
			evaluator_feed(ev, r, newest, hear, h);
		} else {
			evaluator_note_late(ev, r);
		}
		if (below(2) || i + 1 == t->n) {
			struct arena *a = arena_new(0);
			while (evaluator_late(ev, 10, read_history, &s, a, hear, h) > 0)
				;
			arena_free(a);
		}
	}
	finish(t, ev, h);
}

struct apply_all { struct trial *t; const struct heard *h; uint32_t point; };
static enum err apply_all(struct db *db, void *arg, struct problem *p)
{
	struct apply_all *j = arg;
	struct alarm_context cx = { .rules = j->t->rules };
	(void)p;
	for (size_t i = 0; i < j->h->n; i++) {
		struct transition t = j->h->v[i];
		struct alarm_change change;
		t.point = j->point;
		enum err err = alarm_apply(db, &cx, &t, &change);
		if (err)
			return err;
	}
	return OK;
}

struct span { int64_t from, to; };
// The episodes of the limit family of a point, from the journal.
static size_t spans_of(struct fixture *f, uint32_t point, struct span *v, size_t max)
{
	struct db *db = store_read_begin(f->store);
	struct query q;
	size_t n = 0;
	int64_t returned = INT64_MAX;
	query_begin(&q, db, STMT_ALARM_JOURNAL_EPISODES);
	query_i64(&q, 1, point);
	query_str(&q, 2, STR("r"));
	query_str(&q, 3, STR("limit"));
	while (query_row(&q)) {
		int64_t at = query_get_i64(&q, 0);
		if (str_is(query_get_str(&q, 1, f->arena), "returned")) {
			returned = at;
		} else {
			assert_true(n < max);
			v[n++] = (struct span){ at, returned };
			returned = at;
		}
	}
	assert_int_equal(query_end(&q), OK);
	store_read_end(f->store, db);
	return n;
}

static size_t active_count(struct fixture *f, uint32_t point)
{
	struct db *db = store_read_begin(f->store);
	struct query q;
	size_t n = 0;
	query_begin(&q, db, STMT_ALARM_ACTIVE);
	while (query_row(&q))
		n += query_get_i64(&q, 0) == (int64_t)point;
	assert_int_equal(query_end(&q), OK);
	store_read_end(f->store, db);
	return n;
}

static bool overlap(struct span a, struct span b) { return a.from <= b.to && b.from <= a.to; }

// In order as point 2k, out of order as point 2k+1, both through alarm_apply.
static void compare_orders(struct fixture *f, uint64_t seed, bool delays, bool hysteresis, int far)
{
	struct trial t = { .a = arena_new(0) };
	static struct heard a, b;
	static struct span va[MAX_SAID], vb[MAX_SAID];
	a.n = b.n = 0;
	seed_set(seed);
	trial_limits(&t, delays, hysteresis, "");
	trial_samples(&t, true);
	in_order(&t, &a);
	out_of_order(&t, far, &b);
	struct apply_all ja = { &t, &a, (uint32_t)seed * 2 }, jb = { &t, &b, (uint32_t)seed * 2 + 1 };
	assert_int_equal(fixture_write(f, apply_all, &ja), OK);
	assert_int_equal(fixture_write(f, apply_all, &jb), OK);
	size_t na = spans_of(f, ja.point, va, MAX_SAID), nb = spans_of(f, jb.point, vb, MAX_SAID);
	if (active_count(f, ja.point) != active_count(f, jb.point))
		fail_msg("seed %llu: active in one order, not in the other", (unsigned long long)seed);
	for (size_t i = 0; i < na; i++) {
		bool met = false;
		for (size_t k = 0; k < nb; k++)
			met |= overlap(va[i], vb[k]);
		if (!met)
			fail_msg("seed %llu: an alarm is missed out of order", (unsigned long long)seed);
	}
	// a return or a delay that was true of what had arrived is not taken back: there may be more of them, never fewer
	bool exact = !delays && !hysteresis;
	if (exact ? na != nb : !delays && nb < na)
		fail_msg("seed %llu: %zu alarms in order, %zu out of order", (unsigned long long)seed, na, nb);
	rules_free(t.rules);
	arena_free(t.a);
}

static void orders(bool delays, bool hysteresis, uint64_t first)
{
	struct fixture f;
	fixture_begin(&f);
	for (uint64_t seed = first; seed < first + 150; seed++)
		compare_orders(&f, seed, delays, hysteresis, 1 + (int)(seed % 12));
	fixture_end(&f);
}
static void test_any_order_plain(void **state)
{
	(void)state;
	orders(false, false, 1);
}
static void test_any_order_hysteresis(void **state)
{
	(void)state;
	orders(false, true, 1001);
}
static void test_any_order_delays(void **state)
{
	(void)state;
	orders(true, true, 2001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_naive),
		cmocka_unit_test(test_disturbance_changes_nothing),
		cmocka_unit_test(test_any_order_plain),
		cmocka_unit_test(test_any_order_hysteresis),
		cmocka_unit_test(test_any_order_delays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
