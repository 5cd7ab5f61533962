// Which dead band and delays would have been quieter: every combination of a small grid, from the least intrusive on, is
// back-tested; the first that removes enough and keeps what must be kept wins. Delays cost more than dead band, and a
// delay to the beginning more than one to the end, because it makes an alarm late.
#include <math.h>
#include <stdlib.h>

#include "alarm/backtest.h"
#include "alarm/eval.h"
#include "base/limits.h"
#include "series/series.h"

// Starting values in use are 1 to 5 % of the span and 15 to 60 s (alarm management practice after ISA-18.2): the grid
// goes from a tenth of that to a few times as much. Index 0: as it is.
static const double shares[] = { 0, 0.005, 0.01, 0.02, 0.05, 0.1 };
static const int64_t on_s[] = { 0, 2, 5, 10, 15, 30, 60, 120, 300 };
static const int64_t off_s[] = { 0, 15, 30, 60, 120, 300, 600 };
#define FRESH US_PER_HOUR // an alarm that had been active for longer calls nobody to what happens now
#define COMBINATIONS (ARRAY_LEN(shares) * ARRAY_LEN(on_s) * ARRAY_LEN(off_s))
#define COST(share, on, off) ((share) / 0.05 + (double)(on) / 30 + (double)(off) / 120) // 1 = a usual value of each

struct combination { struct point_own own; double cost; };

struct must {               // an alarm that has to be there
	int64_t from, by;   // since `from` the value was beyond the limit in earnest; of use until `by`
	int64_t earliest;   // raised before this it calls nobody any more
	int rank;           // at least so severe; 0 = any
	bool low;
};

struct search {
	const struct backtest_setup *s;
	const struct backtest_goal *g;
	const struct sample *v;
	size_t n;
	struct must *must;
	size_t nmust;
	struct backtest_suggestion *ret;
};

static bool is_low(enum level l) { return l == LEVEL_L || l == LEVEL_LL; }

// ---- the least the settings in force are --------------------------------------------------------
struct in_force { int64_t on, off; double deadband; bool any; };

static struct in_force in_force_of(struct evaluator *ev)
{
	const struct cold *c = &ev->cold[1];
	const struct plan *p = &ev->plans[c->plan];
	struct in_force f = { 0 };
	for (size_t i = 0; i < p->n; i++) {
		if (p->c[i].family != FAMILY_LIMIT)
			continue;
		const struct pair *l = &ev->limits[c->limits + p->c[i].limit];
		f.on = MAX(f.on, p->c[i].on);
		f.off = MAX(f.off, p->c[i].off);
		f.deadband = fmax(f.deadband, l->limit - l->clear);
		f.any = true;
	}
	return f;
}

static struct evaluator *loaded(const struct backtest_setup *s, const struct point_own *own)
{
	struct point_def point = *s->point;
	struct evaluator *ev = evaluator_new(1);
	point.id = 1;
	point.own = *own;
	evaluator_load(ev, s->rules, s->reg, &point, 1, s->from);
	return ev;
}

static int by_cost(const void *a, const void *b)
{
	double x = ((const struct combination *)a)->cost, y = ((const struct combination *)b)->cost;
	return (x > y) - (x < y);
}

// A settings' value that is less than what is in force would take protection against noise away: never proposed.
static size_t combinations(const struct search *se, struct combination *ret)
{
	struct evaluator *ev = loaded(se->s, &se->s->point->own);
	struct in_force f = in_force_of(ev);
	size_t n = 0;
	evaluator_free(ev);
	for (size_t d = 0; d < ARRAY_LEN(shares) && f.any; d++)
		for (size_t i = 0; i < ARRAY_LEN(on_s); i++)
			for (size_t k = 0; k < ARRAY_LEN(off_s); k++) {
				struct combination c = { .own = se->s->point->own };
				double deadband = shares[d] * se->g->span;
				int64_t on = on_s[i] * US_PER_S, off = off_s[k] * US_PER_S;
				if ((d && deadband <= f.deadband) || (i && on <= f.on) || (k && off <= f.off) || !(d || i || k) ||
				    (i && se->nmust && on - f.on > se->g->delay))
					continue;
				if (d)
					c.own.has_deadband = true, c.own.deadband = deadband;
				if (i)
					c.own.has_on = true, c.own.on = on;
				if (k)
					c.own.has_off = true, c.own.off = off;
				c.cost = COST(shares[d], on_s[i], off_s[k]);
				ret[n++] = c;
			}
	qsort(ret, n, sizeof *ret, by_cost);
	return n;
}

// ---- samples that matter -----------------------------------------------------------------------
static bool calm_sample(const struct evaluator *ev, const struct sample *s, double deadband)
{
	const struct cold *c = &ev->cold[1];
	const struct plan *p = &ev->plans[c->plan];
	if (s->quality > Q_FLAT)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct pair *l = &ev->limits[c->limits + p->c[i].limit];
		if (p->c[i].family == FAMILY_LIMIT && !(p->c[i].sign * s->value < fmin(l->clear, l->limit - deadband)))
			return false;
	}
	return true;
}

size_t backtest_condense(const struct backtest_setup *s, double span, struct sample *v, size_t n, bool *calm)
{
	struct evaluator *ev = loaded(s, &s->point->own);
	double deadband = shares[ARRAY_LEN(shares) - 1] * span;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool is = calm_sample(ev, &v[i], deadband);
		if (!is || !*calm)
			v[kept++] = v[i];
		*calm = is;
	}
	evaluator_free(ev);
	return kept;
}

// ---- one setting -------------------------------------------------------------------------------
// Alarms of limits that are announced; the others do not depend on what is searched for.
static size_t only_limits(struct backtest_alarm *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].announced && v[i].level <= LEVEL_HH)
			v[kept++] = v[i];
	return kept;
}

static enum err run(const struct search *se, const struct point_own *own, struct arena *a, struct backtest_alarm **ret,
                    size_t *ret_n)
{
	struct point_def point = *se->s->point;
	struct backtest_setup s = *se->s;
	struct backtest_figures f;
	point.own = *own;
	s.point = &point;
	s.hear = NULL;
	s.go_on = NULL;
	struct backtest *b = backtest_begin(&s, a);
	enum err err = backtest_feed(b, se->v, se->n);
	backtest_end(b, ret, ret_n, &f);
	*ret_n = only_limits(*ret, *ret_n);
	return err;
}

static size_t chattering(const struct backtest_alarm *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		k += v[i].chatter;
	return k;
}

// Alarms are by their raise: the first that still lasted when it had to be there, and is as severe.
static bool keeps(const struct must *m, const struct backtest_alarm *v, size_t n, int64_t delay, int64_t *later)
{
	for (size_t i = 0; i < n && v[i].from <= m->by; i++) {
		if ((v[i].to && v[i].to < m->from) || v[i].from < m->earliest || is_low(v[i].level) != m->low || level_rank(v[i].level) < m->rank)
			continue;
		int64_t late = MAX(v[i].from - m->from, 0);
		*later = MAX(*later, late);
		return late <= delay;
	}
	return false;
}

static bool keeps_all(const struct search *se, const struct backtest_alarm *v, size_t n, int64_t *later)
{
	*later = 0;
	for (size_t i = 0; i < se->nmust; i++)
		if (!keeps(&se->must[i], v, n, se->g->delay, later))
			return false;
	return true;
}

// ---- what must be kept -------------------------------------------------------------------------
static void list_must(struct search *se, const struct backtest_alarm *v, size_t n, struct arena *a)
{
	se->must = arena_many(a, n + se->g->nevents, struct must);
	for (size_t i = 0; i < se->g->nevents; i++) {
		int64_t event = se->g->events[i];
		size_t first = backtest_precede(v, n, event, se->g->window, se->s->chatter);
		if (first == n)
			continue;
		struct must m = { .from = v[first].from, .by = event, .rank = level_rank(v[first].level), .low = is_low(v[first].level) };
		for (size_t k = first; k < n && v[k].from <= event; k++)
			if (is_low(v[k].level) == m.low) {
				m.rank = MAX(m.rank, level_rank(v[k].level));
				m.from = v[k].beyond_from > m.from && v[k].beyond_from <= event ? v[k].beyond_from : m.from;
			}
		m.earliest = MAX(m.from - FRESH, event - se->g->window);
		se->must[se->nmust++] = m;
		se->ret->confirmed++;
	}
	for (size_t i = 0; i < n && se->g->keep; i++) {
		if (v[i].beyond < se->g->keep)
			continue;
		se->must[se->nmust++] = (struct must){ .from = v[i].beyond_from, .by = v[i].to ? v[i].to : se->s->to,
			                               .earliest = v[i].beyond_from - FRESH, .low = is_low(v[i].first) };
		se->ret->longs++;
	}
}

// ---- the search --------------------------------------------------------------------------------
static size_t measure(const struct backtest_goal *g, size_t alarms, size_t chatter) { return g->all ? alarms : chatter; }

static enum err search(struct search *se, const struct combination *c, size_t n, struct arena *a)
{
	struct backtest_suggestion *r = se->ret;
	size_t before = measure(se->g, r->before, r->before_chatter), best = before;
	double enough = (1 - se->g->remove) * (double)before;
	for (size_t i = 0; i < n && !r->reached; i++, arena_reset(a)) {
		struct backtest_alarm *v;
		size_t nv;
		int64_t later;
		if (se->s->go_on && !se->s->go_on(se->s->go_on_arg, (double)i / (double)n))
			return ERR_TIMEOUT;
		enum err err = run(se, &c[i].own, a, &v, &nv);
		r->tried++;
		if (err)
			return err;
		size_t chatter = chattering(v, nv), now = measure(se->g, nv, chatter);
		if (now >= best || !keeps_all(se, v, nv, &later))
			continue;
		best = now;
		r->found = true;
		r->reached = (double)now <= enough;
		r->own = c[i].own;
		r->later = later;
		r->after = nv;
		r->after_chatter = chatter;
	}
	return OK;
}

enum err backtest_suggest(const struct backtest_setup *s, const struct sample *v, size_t n, const struct backtest_goal *g,
                          struct arena *a, struct backtest_suggestion *ret)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct combination *c = arena_many(a, COMBINATIONS, struct combination);
	size_t skip = n > LIMIT_BACKTEST_SEARCH ? n - LIMIT_BACKTEST_SEARCH : 0;
	struct backtest_setup own = *s;
	struct search se = { .s = &own, .g = g, .v = v + skip, .n = n - skip, .ret = ret };
	struct backtest_alarm *stored;
	size_t nstored;
	*ret = (struct backtest_suggestion){ .own = s->point->own, .searched_from = skip ? v[skip].time : s->from };
	own.chatter = s->chatter ? s->chatter : US_PER_MIN;
	own.from = ret->searched_from;
	enum err err = run(&se, &s->point->own, scratch, &stored, &nstored);
	if (err)
		return err;
	ret->before = ret->after = nstored;
	ret->before_chatter = ret->after_chatter = chattering(stored, nstored);
	list_must(&se, stored, nstored, a);
	arena_reset(scratch);
	if (measure(g, ret->before, ret->before_chatter) == 0)
		return OK;
	return search(&se, c, combinations(&se, c), scratch);
}
