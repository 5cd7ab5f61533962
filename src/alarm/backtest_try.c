#include "alarm/backtest_try.h"

#include <math.h>

#include "alarm/rule.h"
#include "base/limits.h"
#include "model/yaml.h"
#include "series/series.h"

#define DELAY_MAX 3600 // s, as the record's fields

// ---- what is tried -----------------------------------------------------------------------------
static bool change_delay(bool *has, int64_t *us, double value)
{
	if (!isnan(value) && !(value >= 0 && value <= DELAY_MAX))
		return false;
	*has = !isnan(value);
	*us = *has ? (int64_t)(value * US_PER_S) : 0;
	return true;
}

bool backtest_change(struct point_def *d, struct str name, double value)
{
	double *const limits[] = { &d->ll, &d->l, &d->h, &d->hh };
	enum level level;
	if (level_find(name, &level) && level <= LEVEL_HH) {
		*limits[level] = value;
		return true;
	}
	if (str_is(name, "delay_on_s"))
		return change_delay(&d->own.has_on, &d->own.on, value);
	if (str_is(name, "delay_off_s"))
		return change_delay(&d->own.has_off, &d->own.off, value);
	if (!str_is(name, "deadband") || value < 0)
		return false;
	d->own.has_deadband = !isnan(value);
	d->own.deadband = d->own.has_deadband ? value : 0;
	return true;
}

static struct str rule_name(const struct yaml_node *root)
{
	const struct yaml_node *n = yaml_get(root, "rule");
	return n && n->kind == YAML_SCALAR ? n->text : STR_EMPTY;
}

enum err backtest_rules(struct rule_set **ret, const struct registry *reg, struct str text, struct diags *d, struct arena *a)
{
	struct registry own = *reg;
	struct rule_file mine = { .pack = STR_EMPTY, .file = STR("rule"), .root = yaml_parse(a, STR("rule"), text, d) };
	*ret = NULL;
	if (!mine.root)
		return ERR_INVALID;
	own.rules = arena_many(a, reg->nrules + 1, struct rule_file);
	own.nrules = 0;
	for (size_t i = 0; i < reg->nrules; i++)
		if (!str_eq(rule_name(reg->rules[i].root), rule_name(mine.root)))
			own.rules[own.nrules++] = reg->rules[i];
	own.rules[own.nrules++] = mine;
	return rules_compile(ret, &own, d);
}

// ---- running it --------------------------------------------------------------------------------
struct running {
	struct backtest_try *t;
	struct arena *a;
	struct problem *p;
	struct backtest_setup setup[2];
	struct backtest *b[2];
	size_t sides;
	double span;                // of the proposal's dead bands
	struct sample *kept;        // what a proposal has to look at
	size_t nkept, cap;
	bool calm;
	uint64_t samples;
};

static double span_of(const struct backtest_try *t)
{
	const struct point_def *d = &t->stored.point;
	const struct point_kind *k = registry_kind(t->reg, d->kind);
	double min = !isnan(d->min) ? d->min : k ? k->min : NAN, max = !isnan(d->max) ? d->max : k ? k->max : NAN;
	double limits[] = { d->ll, d->l, d->h, d->hh }, lo = INFINITY, hi = -INFINITY;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (!isnan(limits[i])) {
			lo = fmin(lo, limits[i]);
			hi = fmax(hi, limits[i]);
		}
	// of a range much wider than the limits (a general instrument) the limits say more
	double range = max - min, near = fmax(2 * (hi - lo), fabs(hi) / 2);
	range = isfinite(range) && range > 0 ? range : INFINITY;
	near = isfinite(near) && near > 0 ? near : INFINITY;
	return isfinite(fmin(range, near)) ? fmin(range, near) : 0;
}

static void keep(struct running *r, struct sample *v, size_t n)
{
	n = backtest_condense(&r->setup[0], r->span, v, n, &r->calm);
	if (r->nkept + n > r->cap) {
		size_t cap = MAX(r->cap * 2, r->nkept + n);
		r->kept = arena_grow(r->a, r->kept, r->nkept, cap, sizeof *r->kept);
		r->cap = cap;
	}
	memcpy(r->kept + r->nkept, v, n * sizeof *v);
	r->nkept += n;
	if (r->nkept > 2 * LIMIT_BACKTEST_SEARCH) { // only the newest are looked at
		memmove(r->kept, r->kept + r->nkept - LIMIT_BACKTEST_SEARCH, LIMIT_BACKTEST_SEARCH * sizeof *r->kept);
		r->nkept = LIMIT_BACKTEST_SEARCH;
	}
}

static enum err too_many(struct running *r, enum err err)
{
	if (err == ERR_TIMEOUT)
		return problem_set(r->p, err, "from", "试算超过时限，请缩短时间或减少监测点", "this takes too long: a shorter time or fewer points");
	if (err == ERR_TOO_LARGE)
		return problem_set(r->p, err, "changes", "报警超过 %d 次，这样的设置没有意义", "more than %d alarms: no setting anybody wants", LIMIT_BACKTEST_ALARMS);
	return err;
}

static enum err feed(struct running *r, struct sample *v, size_t n)
{
	enum err err = OK;
	r->samples += n;
	if (r->samples > r->t->max)
		return problem_set(r->p, ERR_TOO_LARGE, "from", "数据过多（一次至多 %d 条），请缩短时间或减少监测点",
		                   "too many samples (at most %d at once): a shorter time or fewer points", LIMIT_BACKTEST_SAMPLES);
	for (size_t i = 0; !err && i < r->sides; i++)
		err = backtest_feed(r->b[i], v, n);
	if (!err && r->t->suggest)
		keep(r, v, n);
	return too_many(r, err);
}

// What the other points have in the slice, fed up to a time: those of each by time, the earliest of all first.
struct beside { struct sample **v; size_t *n, *at; };

static enum err read_others(struct running *r, int64_t from, int64_t to, struct arena *a, struct beside *o)
{
	enum err err = OK;
	o->v = arena_many(a, r->t->nothers, struct sample *);
	o->n = arena_many(a, r->t->nothers, size_t);
	o->at = arena_many(a, r->t->nothers, size_t);
	for (size_t i = 0; !err && i < r->t->nothers; i++) {
		err = r->t->read_other(r->t->read_arg, i, from, to, a, &o->v[i], &o->n[i]);
		r->samples += o->n[i];
	}
	return err;
}

static void feed_others(struct running *r, struct beside *o, int64_t before)
{
	for (;;) {
		size_t next = r->t->nothers;
		for (size_t i = 0; i < r->t->nothers; i++)
			if (o->at[i] < o->n[i] && o->v[i][o->at[i]].time < before &&
			    (next == r->t->nothers || o->v[i][o->at[i]].time < o->v[next][o->at[next]].time))
				next = i;
		if (next == r->t->nothers)
			return;
		for (size_t side = 0; side < r->sides; side++)
			backtest_other(r->b[side], next, &o->v[next][o->at[next]]);
		o->at[next]++;
	}
}

// The point's samples of a slice, each after what the others have before it.
static enum err feed_slice(struct running *r, int64_t from, int64_t to, struct arena *a)
{
	struct sample *v = NULL;
	struct beside o;
	size_t n = 0;
	enum err err = r->t->read(r->t->read_arg, from, to, a, &v, &n);
	if (err || r->t->nothers == 0)
		return err || n == 0 ? err : feed(r, v, n);
	if ((err = read_others(r, from, to, a, &o)))
		return err;
	for (size_t i = 0; !err && i < n; i++) {
		feed_others(r, &o, v[i].time);
		err = feed(r, &v[i], 1);
	}
	if (!err)
		feed_others(r, &o, to);
	return err;
}

static enum err read_all(struct running *r)
{
	struct arena *slice on_scope_exit(arena_freep) = arena_new(1u << 20);
	enum err err = OK;
	for (int64_t at = r->t->from; !err && at < r->t->to; at += r->t->slice, arena_reset(slice)) {
		err = feed_slice(r, at, MIN(at + r->t->slice, r->t->to), slice);
	}
	return err;
}

static enum err suggest(struct running *r)
{
	struct backtest_try *t = r->t;
	int64_t *events = arena_many(r->a, t->nevents, int64_t);
	for (size_t i = 0; i < t->nevents; i++)
		events[i] = t->events[i].at;
	struct backtest_goal g = { .events = events, .nevents = t->nevents, .remove = t->remove, .all = t->all, .delay = t->delay,
		                   .keep = t->keep, .window = t->window, .span = r->span };
	if (r->span <= 0)
		return problem_set(r->p, ERR_INVALID, "suggest", "监测点没有量程和限值，无法建议", "the point has no range and no limits: nothing to propose");
	return too_many(r, backtest_suggest(&r->setup[0], r->kept, r->nkept, &g, r->a, &t->suggestion));
}

enum err backtest_run(struct backtest_try *t, struct arena *a, struct problem *p)
{
	struct running r = { .t = t, .a = a, .p = p, .sides = t->has_candidate ? 2 : 1, .span = span_of(t) };
	struct backtest_side *sides[] = { &t->stored, &t->candidate };
	const struct point_kind *k = registry_kind(t->reg, t->stored.point.kind);
	int64_t interval = t->stored.point.interval ? t->stored.point.interval : k ? k->interval : 0;
	t->chatter = backtest_chatter(interval);
	for (size_t i = 0; i < r.sides; i++) {
		r.setup[i] = (struct backtest_setup){ .rules = sides[i]->rules, .reg = t->reg, .point = &sides[i]->point, .others = t->others,
			                              .nothers = t->nothers, .from = t->from,
			                              .to = t->to, .chatter = t->chatter, .judge_quality = t->judge_quality,
			                              .go_on = t->go_on, .go_on_arg = t->go_on_arg };
		r.b[i] = backtest_begin(&r.setup[i], a);
	}
	enum err err = read_all(&r);
	r.setup[0].nothers = 0; // a proposal is about the point's own limits
	for (size_t i = 0; i < r.sides; i++) {
		backtest_end(r.b[i], &sides[i]->v, &sides[i]->n, &sides[i]->f);
		sides[i]->notices = sides[i]->night_notices = -1;
	}
	return !err && t->suggest ? suggest(&r) : err;
}

void backtest_notices(struct backtest_side *s, size_t (*told)(void *arg, struct str type), void *arg)
{
	s->notices = s->night_notices = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct str type = rule_opens(s->rules, s->v[i].rule, s->v[i].level);
		if (!s->v[i].announced || !type.n)
			continue;
		int64_t n = (int64_t)told(arg, type);
		s->notices += n;
		s->night_notices += backtest_is_night(s->v[i].from) ? n : 0;
	}
}
