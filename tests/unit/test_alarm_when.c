// Conditions over several points and windows of time: every window function against a naive one that looks at all samples again;
// whatever disturbs a live evaluator (ticks, duplicates, restarts, reloads) changes nothing; what a missing value does to a
// condition; what the checker says of units.
// needs: base loop bus store expr risk model auth alarm
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "alarm/backtest.h"
#include "alarm/eval.h"
#include "base/buf.h"
#include "base/time.h"
#include "base/workday.h"
#include "model/yaml.h"
#include "series/series.h"

#define T0 INT64_C(1767225600000000) // 2026-01-01T00:00:00Z
#define MAX_SAMPLES 300
#define MAX_SAID 4000
#define POINTS 4

static uint64_t seed_now;
static uint64_t rnd(void)
{
	seed_now ^= seed_now << 13;
	seed_now ^= seed_now >> 7;
	seed_now ^= seed_now << 17;
	return seed_now;
}
static int below(int n) { return (int)(rnd() % (uint64_t)n); }

// ---- windows against a naive one ---------------------------------------------------------------
struct one { int64_t time; double value; bool usable; };
struct series_of { struct one v[MAX_SAMPLES]; size_t n; int64_t hold; };

static bool passes(const struct when_slot *s, double v) { return s->op == EXPR_GT ? v > s->than : v <= s->than; }

// How long sample i stands inside [from, at].
static double stands_for(const struct series_of *x, size_t i, int64_t from, int64_t at)
{
	int64_t end = i + 1 < x->n && x->v[i + 1].time <= at ? x->v[i + 1].time : at;
	end = MIN(end, x->v[i].time + x->hold);
	return x->v[i].usable ? (double)MAX(MIN(end, at) - MAX(x->v[i].time, from), 0) : 0;
}

static struct bounds naive(const struct when_slot *s, const struct series_of *x, size_t n, int64_t at)
{
	const struct bounds unknown = { -INFINITY, INFINITY };
	int64_t step = s->window ? s->window / WHEN_BUCKETS : 1, from = (at / step - WHEN_BUCKETS + 1) * step, since = 0, observed = 0;
	struct series_of seen = *x;
	double sum = 0, us = 0, held = 0, count = 0, times = 0, lo = INFINITY, hi = -INFINITY;
	double sn = 0, st = 0, stt = 0, sv = 0, stv = 0;
	const struct one *first = NULL, *last = &x->v[n - 1];
	bool was = false, stands = last->usable && at - last->time <= x->hold;
	seen.n = n;
	for (size_t i = 0; i < n; i++) {
		const struct one *o = &x->v[i];
		double part = stands_for(&seen, i, from, at);
		bool gap = i == 0 || !x->v[i - 1].usable || o->time - x->v[i - 1].time > x->hold;
		since = !o->usable || !passes(s, o->value) ? 0 : since && !gap ? since : o->time;
		us += part;
		sum += o->value * part;
		held += passes(s, o->value) ? part : 0;
		if (o->usable && (observed == 0 || i == 0 || o->time - x->v[i - 1].time > s->window))
			observed = o->time;
		if (o->usable && (part > 0 || o->time >= from || (i + 1 == n && stands))) {
			lo = fmin(lo, o->value);
			hi = fmax(hi, o->value);
		}
		if (!o->usable)
			continue;
		bool now = passes(s, o->value);
		if (o->time >= from) {
			count += now;
			times += now && !was;
			first = first ? first : o;
			double t = (double)(o->time - last->time) / US_PER_S;
			sn++, st += t, stt += t * t, sv += o->value, stv += t * o->value;
		}
		was = now;
	}
	bool half = observed && at - observed >= s->window / 2;
	switch ((int)s->what) {
	case SLOT_DURATION: return stands ? (struct bounds){ since ? (double)(at - since) : 0, since ? (double)(at - since) : 0 } : (struct bounds){ 0, INFINITY };
	case SLOT_MEAN: return us < (double)s->window / 2 ? unknown : (struct bounds){ sum / us, sum / us };
	case SLOT_MAX: return !isfinite(hi) ? unknown : (struct bounds){ hi, half ? hi : INFINITY };
	case SLOT_MIN: return !isfinite(lo) ? unknown : (struct bounds){ half ? lo : -INFINITY, lo };
	case SLOT_HELD: return (struct bounds){ held, half ? held : (double)s->window };
	case SLOT_COUNT: return (struct bounds){ count, half ? count : INFINITY };
	case SLOT_TIMES: return (struct bounds){ times, half ? times : INFINITY };
	case SLOT_RATE:
		if (!stands || !first || last->time - first->time < s->window / 2)
			return unknown;
		sum = (last->value - first->value) / ((double)(last->time - first->time) / US_PER_MIN);
		return (struct bounds){ sum, sum };
	default:
		sum = sn * stt - st * st;
		if (!stands || !half || sn < 3 || !(sum > 1e-9))
			return unknown;
		sum = (sn * stv - st * sv) / sum * 60;
		return (struct bounds){ sum, sum };
	}
}

static bool near(double a, double b) { return a == b || fabs(a - b) <= 1e-7 * fmax(1, fmax(fabs(a), fabs(b))); }

static void make_series(struct series_of *x)
{
	int64_t at = T0 + below(1000000);
	double v = 50;
	x->n = (size_t)(3 + below(MAX_SAMPLES - 3));
	x->hold = (1 + below(20)) * US_PER_S;
	for (size_t i = 0; i < x->n; i++) {
		at += below(3) ? (1 + below(4)) * US_PER_S : 1 + below(3000000);
		at += below(40) ? 0 : below(90) * US_PER_S;
		v = below(6) ? fmin(100, fmax(0, v + below(25) - 12)) : below(101);
		x->v[i] = (struct one){ at, v, below(12) != 0 };
	}
}

static void test_windows_are_those_of_all_samples(void **state)
{
	(void)state;
	size_t compared = 0, known = 0;
	for (uint64_t seed = 1; seed <= 900; seed++) {
		struct series_of x;
		seed_now = seed * 0x9e3779b97f4a7c15u;
		struct when_slot s = { .what = (enum when_measure)(SLOT_DURATION + (int)(seed % 9)), .op = below(2) ? EXPR_GT : EXPR_LE, .than = below(100),
			               .window = (3 + below(60)) * US_PER_S, .limit = -1 };
		struct feature f = { .slot = &s };
		int64_t w[5 * WHEN_BUCKETS];
		if (s.what != SLOT_MEAN && s.what != SLOT_RATE)
			f.than = s.than;
		make_series(&x);
		struct channel c = { .hold = x.hold };
		window_reset(&f, w);
		for (size_t i = 0; i < x.n; i++) {
			struct reading r = { .time = x.v[i].time, .value = x.v[i].value };
			window_sample(&f, w, &c, &r, x.v[i].usable);
			c.time = r.time;
			c.value = r.value;
			c.usable = x.v[i].usable;
			int64_t until = i + 1 < x.n ? x.v[i + 1].time : r.time + 3 * s.window;
			for (int64_t at = r.time; at < until; at += 1 + below((int)(2 * US_PER_S))) {
				struct bounds is = window_value(&f, w, &c, at), want = naive(&s, &x, i + 1, at);
				compared++;
				known += isfinite(want.lo) && isfinite(want.hi);
				if (!near(is.lo, want.lo) || !near(is.hi, want.hi))
					fail_msg("seed %llu, function %d, sample %zu: %.17g..%.17g, naive %.17g..%.17g", (unsigned long long)seed, (int)s.what, i,
					         is.lo, is.hi, want.lo, want.hi);
			}
		}
	}
	assert_true(compared > 100000 && known > compared / 3);
}

// ---- rules -------------------------------------------------------------------------------------
static struct point_kind kinds[] = {
	{ .name = { "level", 5 }, .label = { { "液位", 6 }, { "Level", 5 } }, .unit = { "%", 1 }, .min = 0, .max = 100, .interval = US_PER_S, .stale_after = 20 * US_PER_S },
	{ .name = { "gas", 3 }, .label = { { "气体", 6 }, { "Gas", 3 } }, .unit = { "%LEL", 4 }, .min = 0, .max = 100, .interval = US_PER_S, .stale_after = 15 * US_PER_S },
	{ .name = { "pressure", 8 }, .label = { { "压力", 6 }, { "Pressure", 8 } }, .unit = { "kPa", 3 }, .min = 0, .max = 1000, .interval = US_PER_S },
	{ .name = { "temperature", 11 }, .label = { { "温度", 6 }, { "Temperature", 11 } }, .unit = { "℃", 3 }, .min = 0, .max = 1000, .interval = US_PER_S },
};
static const struct workdays no_calendar;

struct world {
	struct arena *a;
	struct registry reg;
	struct rule_set *rules;
	struct point_def points[POINTS];
};

static struct str rule_text(struct arena *a, const char *kind, const char *that)
{
	return arena_printf(a, "rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: %s}\nwhen:\n"
	                       "  with:\n    gas: {kind: gas, in: installation, all: true}\n    p: {kind: pressure, in: installation}\n    t: {kind: temperature, in: installation}\n"
	                       "  that: \"%s\"\n  for: 1500ms\n  off: 700ms\n  color: red\n  say: {zh: a, en: a}\n"
	                       "blind: {for: 31s, color: blue, say: {zh: b, en: b}}\n", kind, that);
}

static bool compile(struct world *w, const char *that, struct diags *d)
{
	w->reg = (struct registry){ .arena = w->a, .kinds = kinds, .nkinds = ARRAY_LEN(kinds), .rules = arena_one(w->a, struct rule_file), .nrules = 1,
		                    .workdays = &no_calendar };
	w->reg.rules[0] = (struct rule_file){ .file = STR("a.yaml"), .root = yaml_parse(w->a, STR("a.yaml"), rule_text(w->a, "level", that), d) };
	assert_non_null(w->reg.rules[0].root);
	return rules_compile(&w->rules, &w->reg, d) == OK;
}

static void begin(struct world *w, const char *that)
{
	struct diags d = { .arena = arena_new(0) };
	*w = (struct world){ .a = d.arena };
	if (!compile(w, that, &d)) {
		print_error("%s: %.*s\n", that, STR_FMT(d.v[0].text));
		fail();
	}
	static const char *const of[POINTS] = { "level", "gas", "gas", "pressure" };
	for (uint32_t i = 0; i < POINTS; i++)
		w->points[i] = (struct point_def){ .id = i + 1, .code = STR("p"), .kind = str_of(of[i]), .installation = 1, .ll = NAN, .l = 20, .h = 80, .hh = NAN,
			                           .min = NAN, .max = NAN };
}
static void end(struct world *w)
{
	rules_free(w->rules);
	arena_free(w->a);
}

// ---- what disturbs changes nothing -------------------------------------------------------------
struct heard { struct transition v[MAX_SAID]; size_t n; };
static void hear(void *arg, const struct transition *t)
{
	struct heard *h = arg;
	assert_true(h->n < MAX_SAID);
	h->v[h->n++] = *t;
}

static const char *const conditions[] = {
	"mean(level, 30s) > 55",
	"max(level, 20s) - min(level, 20s) > 40 and not (level < 10)",
	"rate(level, 15s) > 60 %/min or slope(p, 40s) < -1 kPa/s",
	"count(level > limit(h), 30s) >= 2 or times(level > 50, 1min) > 4",
	"duration(level > 50) >= 5s and any(gas > 50)",
	"count_of(gas > 60) >= 2 or (all(mean(gas, 10s) > 40) and p > 0.5 MPa)",
	"highest(gas) - lowest(gas) > 50 and age(p) < 6s",
	"duration(level > 70, 30s) > 10s and if(p > 500, level, 100 - level) > 20",
};

struct feeding { struct reading v[MAX_SAMPLES]; size_t n; };

// Of all points, by time; sometimes several at one moment.
static void samples_of(struct feeding *f)
{
	static const enum quality others[] = { Q_CALIBRATION, Q_MAINTENANCE, Q_FLAT, Q_RANGE, Q_STALE, Q_BAD };
	int64_t at = T0;
	double v[POINTS] = { 50, 50, 50, 500 };
	int64_t newest[POINTS] = { 0 };
	f->n = 0;
	while (f->n < (size_t)(60 + below(MAX_SAMPLES - 60))) {
		int i = below(POINTS);
		at += below(4) ? below(900000) + 1 : 0;
		at += below(50) ? 0 : below(40) * US_PER_S;
		if (newest[i] == at)
			continue;
		newest[i] = at;
		double wide = i == 3 ? 10 : 1;
		v[i] = below(6) ? fmin(100 * wide, fmax(0, v[i] + wide * (below(25) - 12))) : wide * below(101);
		f->v[f->n++] = (struct reading){ .point = (uint32_t)i + 1, .time = at, .value = v[i], .quality = (uint16_t)(below(9) ? Q_GOOD : others[below(6)]) };
	}
}

static struct evaluator *live(struct world *w, int64_t now, struct heard *h)
{
	struct evaluator *ev = evaluator_new(10);
	evaluator_load(ev, w->rules, &w->reg, w->points, POINTS, now);
	(void)evaluator_tick(ev, now, hear, h);
	return ev;
}

static void finish(struct evaluator *ev, const struct feeding *f, struct heard *h)
{
	int64_t last = f->v[f->n - 1].time;
	for (int64_t due; (due = evaluator_due(ev)) && due < last + US_PER_HOUR;)
		(void)evaluator_tick(ev, due, hear, h);
	evaluator_free(ev);
}

static void in_order(struct world *w, const struct feeding *f, struct heard *h)
{
	struct evaluator *ev = live(w, T0, h);
	for (size_t i = 0; i < f->n; i++)
		evaluator_feed(ev, &f->v[i], f->v[i].time, hear, h);
	finish(ev, f, h);
}

static struct evaluator *restart(struct world *w, struct evaluator *ev, int64_t now, struct heard *h)
{
	uint8_t ext[POINTS][ALARM_EXT];
	struct buf all;
	buf_init(&all, 1u << 20);
	for (uint32_t p = 1; p <= POINTS; p++)
		evaluator_save(ev, p, ext[p - 1]);
	evaluator_save_all(ev, &all);
	evaluator_free(ev);
	ev = evaluator_new(10);
	evaluator_load(ev, w->rules, &w->reg, w->points, POINTS, now);
	evaluator_restore_all(ev, buf_str(&all));
	for (uint32_t p = 1; p <= POINTS; p++)
		evaluator_restore(ev, p, ext[p - 1]);
	buf_free(&all);
	(void)evaluator_tick(ev, now, hear, h);
	return ev;
}

static void one_put_again(struct world *w, struct evaluator *ev, int64_t now)
{
	struct evaluator_load *l = evaluator_begin(ev, w->rules, &w->reg, false, 0, now);
	evaluator_put(l, &w->points[below(POINTS)]);
	evaluator_end(l);
}

static void disturbed(struct world *w, const struct feeding *f, struct heard *h)
{
	struct evaluator *ev = live(w, T0, h);
	for (size_t i = 0; i < f->n; i++) {
		const struct reading *r = &f->v[i];
		int64_t until = i + 1 < f->n ? f->v[i + 1].time : r->time;
		evaluator_feed(ev, r, r->time, hear, h);
		while (below(4) == 0)
			evaluator_feed(ev, &f->v[below((int)i + 1)], r->time, hear, h);
		if (below(6) == 0)
			evaluator_load(ev, w->rules, &w->reg, w->points, POINTS, r->time);
		if (below(6) == 0)
			one_put_again(w, ev, r->time);
		if (until == r->time)
			continue; // more comes of this time
		if (below(5) == 0)
			ev = restart(w, ev, r->time, h);
		for (int64_t now = r->time; now < until && below(4); now += 1 + below(300000))
			(void)evaluator_tick(ev, now, hear, h);
	}
	finish(ev, f, h);
}

static void same(const struct heard *a, const struct heard *b, uint64_t seed, const char *that)
{
	for (size_t i = 0; i < MAX(a->n, b->n); i++) {
		bool both = i < a->n && i < b->n;
		if (!both || a->v[i].at != b->v[i].at || a->v[i].kind != b->v[i].kind || a->v[i].level != b->v[i].level || a->v[i].nseen != b->v[i].nseen)
			fail_msg("seed %llu, %s: change %zu differs (%zu and %zu in all)", (unsigned long long)seed, that, i, a->n, b->n);
		for (size_t k = 0; k < a->v[i].nseen; k++)
			if (memcmp(&a->v[i].seen[k].value, &b->v[i].seen[k].value, sizeof(double)) != 0)
				fail_msg("seed %llu, %s: change %zu saw something else", (unsigned long long)seed, that, i);
	}
}

static void test_disturbance_changes_nothing(void **state)
{
	(void)state;
	size_t said[ARRAY_LEN(conditions)] = { 0 };
	for (uint64_t seed = 1; seed <= 400; seed++) {
		static struct heard a, b;
		static struct feeding f;
		struct world w;
		const char *that = conditions[seed % ARRAY_LEN(conditions)];
		seed_now = seed * 0x9e3779b97f4a7c15u;
		begin(&w, that);
		a.n = b.n = 0;
		samples_of(&f);
		in_order(&w, &f, &a);
		disturbed(&w, &f, &b);
		same(&a, &b, seed, that);
		said[seed % ARRAY_LEN(conditions)] += a.n;
		end(&w);
	}
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (said[i] == 0)
			fail_msg("%s never came true", conditions[i]);
}

// ---- on history as live -------------------------------------------------------------------------
// The ids of the others are below and above that of the point.
static void on_history(struct world *w, const struct feeding *f, uint32_t own, struct heard *h)
{
	struct point_def others[POINTS];
	size_t of[POINTS + 1] = { 0 }, n = 0;
	for (uint32_t i = 0; i < POINTS; i++)
		if (w->points[i].id != own) {
			assert_true(rules_read(w->rules, &w->points[own - 1], &w->points[i]));
			of[w->points[i].id] = n;
			others[n++] = w->points[i];
		}
	struct backtest_setup s = { .rules = w->rules, .reg = &w->reg, .point = &w->points[own - 1], .others = others, .nothers = n, .from = T0,
		                    .to = f->v[f->n - 1].time + US_PER_HOUR, .hear = hear, .arg = h };
	struct backtest *b = backtest_begin(&s, w->a);
	for (size_t i = 0; i < f->n; i++) {
		struct sample one = { f->v[i].time, f->v[i].value, f->v[i].quality };
		if (f->v[i].point != own)
			backtest_other(b, of[f->v[i].point], &one);
		else
			assert_int_equal(backtest_feed(b, &one, 1), OK);
	}
	struct backtest_alarm *v;
	struct backtest_figures figures;
	backtest_end(b, &v, &n, &figures);
}

static void test_history_says_what_was_live(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		static struct heard a, b;
		static struct feeding f;
		struct world w;
		const char *that = conditions[seed % ARRAY_LEN(conditions)];
		seed_now = seed * 0x9e3779b97f4a7c15u;
		begin(&w, that);
		uint32_t own = 1 + (uint32_t)below(POINTS); // whose place the watched point takes
		for (size_t i = 0; i < POINTS && own > 1; i++)
			w.points[i].kind = i == 0 ? w.points[own - 1].kind : i == own - 1 ? STR("level") : w.points[i].kind;
		a.n = b.n = 0;
		samples_of(&f);
		disturbed(&w, &f, &a);
		on_history(&w, &f, own, &b);
		same(&a, &b, seed, that);
		end(&w);
	}
}

// ---- in any order -------------------------------------------------------------------------------
struct kept { struct sample v[POINTS][MAX_SAMPLES]; size_t n[POINTS]; };

static enum err read_kept(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct kept *k = arg;
	size_t lo = 0, hi = k->n[point - 1];
	(void)a;
	while (lo < hi && k->v[point - 1][lo].time < from)
		lo++;
	while (hi > lo && k->v[point - 1][hi - 1].time >= to)
		hi--;
	*ret = &k->v[point - 1][lo];
	*ret_n = hi - lo;
	return OK;
}

static bool keep(struct kept *k, const struct reading *r) // false: it came late
{
	struct sample *v = k->v[r->point - 1];
	size_t n = k->n[r->point - 1]++, at = n;
	while (at > 0 && v[at - 1].time > r->time)
		at--;
	memmove(&v[at + 1], &v[at], (n - at) * sizeof *v);
	v[at] = (struct sample){ r->time, r->value, r->quality };
	return at == n;
}

static void out_of_order(struct evaluator *ev, struct feeding *f, struct heard *h)
{
	static struct kept k;
	struct arena *a = arena_new(0);
	memset(&k, 0, sizeof k);
	for (size_t i = 0; i < f->n; i++) {
		size_t other = i + (size_t)below(12);
		other = MIN(other, f->n - 1);
		struct reading r = f->v[other];
		f->v[other] = f->v[i];
		f->v[i] = r;
		if (keep(&k, &r))
			evaluator_feed(ev, &r, r.time, hear, h);
		else
			evaluator_note_late(ev, &r);
		while ((below(4) == 0 || i + 1 == f->n) && evaluator_late(ev, 10, read_kept, &k, a, hear, h) > 0)
			;
	}
	evaluator_settle(ev, hear, h);
	// what one point had before another's newer sample, though not late itself, counted from then on: a re-sent first reading of each
	// has everything judged by the whole history
	for (uint32_t p = 1; p <= POINTS; p++)
		if (k.n[p - 1])
			evaluator_note_late(ev, &(struct reading){ .point = p, .time = k.v[p - 1][0].time });
	while (evaluator_late(ev, 10, read_kept, &k, a, hear, h) > 0)
		;
	evaluator_settle(ev, hear, h);
	arena_free(a);
}

static void test_any_order_comes_to_the_same(void **state)
{
	(void)state;
	size_t active = 0;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		static struct heard h;
		static struct feeding f;
		struct world w;
		const char *that = conditions[seed % ARRAY_LEN(conditions)];
		seed_now = seed * 0x9e3779b97f4a7c15u;
		begin(&w, that);
		samples_of(&f);
		h.n = 0;
		struct evaluator *a = live(&w, T0, &h), *b = live(&w, T0, &h);
		for (size_t i = 0; i < f.n; i++)
			evaluator_feed(a, &f.v[i], f.v[i].time, hear, &h);
		evaluator_settle(a, hear, &h);
		out_of_order(b, &f, &h);
		const struct watcher *x = &a->when->watchers[0], *y = &b->when->watchers[0];
		for (int64_t at = x->clock; at < x->clock + 20 * US_PER_S; at += US_PER_S / 3) {
			struct bounds in = when_value(a->when, x, at), out = when_value(b->when, y, at);
			if (in.lo != out.lo || in.hi != out.hi)
				fail_msg("seed %llu, %s: in order %g..%g, out of order %g..%g", (unsigned long long)seed, that, in.lo, in.hi, out.lo, out.hi);
		}
		if ((x->active & 1) != (y->active & 1))
			fail_msg("seed %llu, %s: active in one order, not in the other", (unsigned long long)seed, that);
		active += x->active & 1;
		evaluator_free(a);
		evaluator_free(b);
		end(&w);
	}
	assert_true(active > 10);
}

// ---- what the checker says ---------------------------------------------------------------------
static void refused(const char *that, const char *why)
{
	struct diags d = { .arena = arena_new(0) };
	struct world w = { .a = d.arena };
	if (compile(&w, that, &d))
		fail_msg("%s was taken", that);
	if (!str_contains(d.v[0].text, str_of(why)))
		fail_msg("%s: \"%.*s\" does not say \"%s\"", that, STR_FMT(d.v[0].text), why);
	assert_true(d.v[0].line == 9 && d.v[0].col > 0);
	arena_free(w.a);
}

static void test_checker(void **state)
{
	(void)state;
	refused("p + t > 5", "the units differ: \"kPa\" before, \"℃\" here");
	refused("p > 5 m", "the units differ");
	refused("level > 5 banana", "no unit \"banana\"");
	refused("rate(p, 1min) > 2 kPa", "the units differ");
	refused("count(p > 3 ℃, 1h) > 2", "the units differ");
	refused("gas > 20", "stands for several points");
	refused("any(level > 20)", "nothing inside any()");
	refused("any(all(gas > 20))", "does not go inside another");
	refused("mean(level, 10ms) > 1", "from 1 second to 31 days");
	refused("rate(p, 1s) > 1", "shorter than two sample intervals");
	refused("mean(levle, 10s) > 1", "use a name given in with");
	refused("meen(level, 10s) > 1", "did you mean \"mean\"");
	refused("duration(level > 3) > age(p)", "a written duration only");
	refused("level", "a condition is expected here");
	refused("now() > now()", "a stored value may not use");
	refused("lvel > 3", "there is no \"lvel\"");
	refused("working_hours(18, 8)", "the earlier first");
	refused("limit(hhh) > 3", "ll, l, h or hh");
	refused("mean(level + 1, 10s) > 3", "takes a point, a duration, or a point compared with a number");
}

static void words_are(const char *that, const char *zh, const char *en)
{
	struct world w;
	begin(&w, that);
	struct str z = rule_words(w.rules, 0, NULL, true, w.a), e = rule_words(w.rules, 0, NULL, false, w.a);
	if (!str_contains(z, str_of(zh)))
		fail_msg("%.*s", STR_FMT(z));
	if (!str_contains(e, str_of(en)))
		fail_msg("%.*s", STR_FMT(e));
	end(&w);
}

static void test_words(void **state)
{
	(void)state;
	words_are("mean(level, 1min) > 0.8 * limit(h)", "液位最近 1 分钟的平均值大于0.8 × 液位的高限", "the mean of Level over 1 min is more than 0.8 × the high limit of Level");
	words_are("p > 0.4 MPa", "压力大于400 kPa", "Pressure is more than 400 kPa");
	words_are("rate(level, 1min) > 2 {unit}/min or rate(level, 1min) > 120 %/h", "液位最近 1 分钟平均每分钟的变化大于2 %/min", "is more than 2 %/min");
}

static void seen_is(struct world *w, const double *v, size_t n, const char *zh, const char *en)
{
	struct alarm_seen seen[ALARM_SEEN] = { 0 };
	for (size_t i = 0; i < n; i++)
		seen[i].value = v[i];
	struct label got = rule_seen(w->rules, 0, seen, n, w->a);
	assert_string_equal(arena_cstr(w->a, got.zh), zh);
	assert_string_equal(arena_cstr(w->a, got.en), en);
}

// What is not known is counted, not enumerated.
static void test_what_was_seen(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "count_of(gas > 60) >= 2");
	seen_is(&w, (const double[]){ NAN, 1.5, NAN, 20, NAN }, 5, "气体 1.5 %LEL、20 %LEL，另 3 个未知", "Gas 1.5 %LEL, 20 %LEL, 3 more unknown");
	seen_is(&w, (const double[]){ 1.5 }, 1, "气体 1.5 %LEL", "Gas 1.5 %LEL");
	seen_is(&w, (const double[]){ NAN }, 1, "气体 未知", "Gas unknown");
	seen_is(&w, (const double[]){ NAN, NAN }, 2, "气体 2 个都未知", "Gas all 2 unknown");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_are_those_of_all_samples),
		cmocka_unit_test(test_disturbance_changes_nothing),
		cmocka_unit_test(test_history_says_what_was_live),
		cmocka_unit_test(test_any_order_comes_to_the_same),
		cmocka_unit_test(test_checker),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_what_was_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
