#include "alarm/backtest.h"

#include <math.h>

#include "alarm/eval.h"
#include "base/limits.h"
#include "base/time.h"
#include "series/series.h"

#define MAX_OPEN (4 * POINT_CONDS) // alarms of the point active together: its own conditions, and expressions
#define SLICE 65536u         // samples between two questions whether to go on
#define STANDING US_PER_DAY  // ISA-18.2: an alarm active for more than a day is stale
#define NIGHT_FROM 22        // hours of the site's day
#define NIGHT_TO 6
#define FLOOD_WINDOW (10 * US_PER_MIN) // EEMUA 191

struct open_alarm {
	uint32_t rule;
	const char *family;
	size_t at;           // index of the alarm
	int64_t stretch_from, stretch_end, stretch; // us, of values beyond the limit
};

struct backtest {
	struct backtest_setup s;
	struct evaluator *ev;
	uint32_t point;      // in the private evaluator, where ids are in the order of the true ones
	struct arena *a;
	struct backtest_alarm *v;
	size_t n, cap;
	struct open_alarm open[MAX_OPEN];
	size_t nopen;
	uint64_t samples;
	int64_t first;       // time of the first sample
	struct sample last;
	bool full;
};

int64_t backtest_chatter(int64_t interval) { return MAX(US_PER_MIN, 10 * interval); }

bool backtest_is_night(int64_t us)
{
	int hour = time_to_civil(us, time_zone()).hour;
	return hour >= NIGHT_FROM || hour < NIGHT_TO;
}

static bool is_low(enum level l) { return l == LEVEL_L || l == LEVEL_LL; }

// ---- what the evaluator says -------------------------------------------------------------------
static void raised(struct backtest *b, const struct transition *t)
{
	if (b->n == LIMIT_BACKTEST_ALARMS || b->nopen == MAX_OPEN) {
		b->full = true;
		return;
	}
	b->v = arena_push(b->a, b->v, &b->n, &b->cap, sizeof *b->v);
	b->v[b->n - 1] = (struct backtest_alarm){
		.rule = t->rule, .first = t->level, .level = t->level, .from = t->at, .limit = t->limit, .extreme = t->cause_value,
		.extreme_at = t->cause_time, .announced = !rule_hint(b->s.rules, t->rule) && t->cause_quality != Q_MAINTENANCE
	};
	b->open[b->nopen++] = (struct open_alarm){ .rule = t->rule, .family = level_family(t->level), .at = b->n - 1 };
}

static void on_change(void *arg, const struct transition *t)
{
	struct backtest *b = arg;
	if (t->point != b->point)
		return; // another one's own alarm
	if (b->s.hear)
		b->s.hear(b->s.arg, t);
	if (t->kind == COND_RAISED) {
		raised(b, t);
		return;
	}
	for (size_t i = 0; i < b->nopen; i++) {
		struct backtest_alarm *x = &b->v[b->open[i].at];
		if (b->open[i].rule != t->rule || strcmp(b->open[i].family, level_family(t->level)) != 0)
			continue;
		if (t->kind == COND_RETURNED) {
			x->to = MAX(t->at, x->from);
			b->open[i] = b->open[--b->nopen];
		} else if (level_rank(t->level) > level_rank(x->level)) {
			if (is_low(t->level) != is_low(x->level)) {
				x->extreme = t->cause_value;
				x->extreme_at = t->cause_time;
			}
			x->level = t->level;
		}
		return;
	}
}

// ---- samples -----------------------------------------------------------------------------------
static uint32_t other_id(const struct backtest *b, size_t other)
{
	return (uint32_t)other + 1 + (b->s.others[other].id > b->s.point->id);
}

static void put_point(struct evaluator_load *l, const struct point_def *p, uint32_t id)
{
	struct point_def own = *p;
	own.id = id;
	own.calibration_due = 0;                        // stored quality says what was overdue then
	own.maintenance = own.out_of_service = false;   // and when it was in maintenance
	evaluator_put(l, &own);
}

struct backtest *backtest_begin(const struct backtest_setup *s, struct arena *a)
{
	struct backtest *b = arena_one(a, struct backtest);
	*b = (struct backtest){ .s = *s, .a = a, .point = 1 };
	b->s.chatter = s->chatter ? s->chatter : US_PER_MIN;
	while (b->point <= s->nothers && s->others[b->point - 1].id < s->point->id)
		b->point++;
	b->ev = evaluator_new((uint32_t)s->nothers + 1);
	struct evaluator_load *l = evaluator_begin(b->ev, s->rules, s->reg, true, (uint32_t)s->nothers + 1, s->from);
	put_point(l, s->point, b->point);
	for (size_t i = 0; i < s->nothers; i++)
		put_point(l, &s->others[i], other_id(b, i));
	evaluator_end(l);
	(void)evaluator_tick(b->ev, s->from, on_change, b);
	return b;
}

// The clock up to and including `to`, as far as it finds what no sample does: silence, in the second after it is due.
static void pass_time(struct backtest *b, int64_t to)
{
	for (;;) {
		int64_t due = silent_due(b->ev, b->point);
		if (due == INT64_MAX || (due / US_PER_S + 1) * US_PER_S > to)
			return;
		(void)evaluator_tick(b->ev, (due / US_PER_S + 1) * US_PER_S, on_change, b);
	}
}

// While an alarm of a limit is active: how long the value, held until the next sample, was beyond the limit.
static void note_beyond(struct backtest *b, int64_t until)
{
	for (size_t i = 0; i < b->nopen && b->last.quality <= Q_RANGE; i++) {
		struct open_alarm *o = &b->open[i];
		struct backtest_alarm *x = &b->v[o->at];
		bool beyond = is_low(x->first) ? b->last.value <= x->limit : b->last.value >= x->limit;
		if (x->level > LEVEL_HH || !beyond)
			continue;
		if (b->last.time - o->stretch_end > b->s.chatter) {
			o->stretch_from = MAX(b->last.time, x->from);
			o->stretch = 0;
		}
		o->stretch += MAX(until - MAX(b->last.time, x->from), 0);
		o->stretch_end = until;
		if (o->stretch > x->beyond) {
			x->beyond = o->stretch;
			x->beyond_from = o->stretch_from;
		}
	}
}

// And its farthest value.
static void note_extreme(struct backtest *b, const struct sample *s)
{
	for (size_t i = 0; i < b->nopen && s->quality <= Q_RANGE; i++) {
		struct backtest_alarm *x = &b->v[b->open[i].at];
		if (x->level <= LEVEL_HH && (is_low(x->level) ? s->value < x->extreme : s->value > x->extreme)) {
			x->extreme = s->value;
			x->extreme_at = s->time;
		}
	}
}

enum err backtest_feed(struct backtest *b, const struct sample *v, size_t n)
{
	int64_t silent = b->ev->plans[b->ev->cold[b->point].plan].silent_for;
	for (size_t i = 0; i < n; i++) {
		struct reading r = { .point = b->point, .time = v[i].time, .value = v[i].value, .quality = v[i].quality };
		if (b->s.judge_quality)
			r.quality = (uint16_t)evaluator_quality(b->ev, &r, r.time);
		if (silent)
			pass_time(b, r.time);
		if (b->nopen)
			note_beyond(b, r.time);
		evaluator_feed(b->ev, &r, r.time, on_change, b);
		if (b->nopen)
			note_extreme(b, &v[i]);
		b->last = v[i];
		b->first = b->samples ? b->first : r.time;
		if (b->samples++ % SLICE == 0 && b->s.go_on) {
			double part = (double)(r.time - b->s.from) / (double)MAX(b->s.to - b->s.from, 1);
			if (!b->s.go_on(b->s.go_on_arg, part))
				return ERR_TIMEOUT;
		}
	}
	return b->full ? ERR_TOO_LARGE : OK;
}

void backtest_other(struct backtest *b, size_t other, const struct sample *s)
{
	struct reading r = { .point = other_id(b, other), .time = s->time, .value = s->value, .quality = s->quality };
	if (b->s.judge_quality)
		r.quality = (uint16_t)evaluator_quality(b->ev, &r, r.time);
	evaluator_feed(b->ev, &r, r.time, on_change, b);
}

// ---- figures -----------------------------------------------------------------------------------
static bool same_condition(const struct backtest_alarm *x, const struct backtest_alarm *y)
{
	return x->rule == y->rule && strcmp(level_family(x->level), level_family(y->level)) == 0;
}

// Marks every alarm that is one of three raises within the window. Alarms are by their raise, so the two before are near.
static void mark_chatter(struct backtest *b)
{
	for (size_t i = 0; i < b->n; i++) {
		size_t before[2], k = 0;
		for (size_t j = i; j-- > 0 && k < 2 && b->v[i].from - b->v[j].from <= b->s.chatter;)
			if (same_condition(&b->v[i], &b->v[j]))
				before[k++] = j;
		if (k == 2)
			b->v[i].chatter = b->v[before[0]].chatter = b->v[before[1]].chatter = true;
	}
}

// Of a point that was connected an hour ago a week says nothing; and an hour says nothing of a day.
static double days_known(const struct backtest *b)
{
	int64_t all = b->s.to - b->s.from, known = b->samples ? b->s.to - MAX(b->first, b->s.from) : all;
	return (double)MAX(known, MIN(all, US_PER_DAY)) / (double)US_PER_DAY;
}

static void count(const struct backtest *b, struct backtest_figures *f)
{
	int64_t covered = b->s.from; // up to here active time is counted
	size_t oldest = 0, within = 0;
	*f = (struct backtest_figures){ .samples = b->samples, .days = days_known(b) };
	for (size_t i = 0; i < b->n; i++) {
		const struct backtest_alarm *x = &b->v[i];
		int64_t to = x->to ? x->to : MAX(b->s.to, x->from);
		if (!x->announced)
			continue;
		f->alarms++;
		f->chatter += x->chatter;
		f->standing += to - x->from > STANDING;
		f->night += backtest_is_night(x->from);
		f->by_level[x->level]++;
		if (to > covered)
			f->active += to - MAX(covered, x->from);
		covered = MAX(covered, to);
		within++;
		for (; b->v[oldest].from <= x->from - FLOOD_WINDOW; oldest++)
			within -= b->v[oldest].announced;
		f->most = MAX(f->most, within);
	}
}

void backtest_end(struct backtest *b, struct backtest_alarm **ret, size_t *ret_n, struct backtest_figures *f)
{
	pass_time(b, b->s.to);
	if (b->ev->when)
		when_advance(b->ev->when, b->s.to, on_change, b);
	struct judged j = judged_of(b->ev, b->point, on_change, b);
	judge_advance(&j, b->s.to);
	note_beyond(b, b->s.to);
	mark_chatter(b);
	count(b, f);
	*ret = b->v;
	*ret_n = b->n;
	evaluator_free(b->ev);
	b->ev = NULL;
}

// ---- events ------------------------------------------------------------------------------------
size_t backtest_precede(const struct backtest_alarm *v, size_t n, int64_t event, int64_t window, int64_t chatter)
{
	size_t last = n, first;
	for (size_t i = n; i-- > 0;)
		if (v[i].announced && v[i].from <= event && event - v[i].from <= window) {
			last = i;
			break;
		}
	first = last;
	for (size_t i = last; i-- > 0 && first < n;) {
		if (!v[i].announced)
			continue;
		if (v[i].to && v[first].from - v[i].to > chatter)
			break;
		first = i;
	}
	return first;
}
