// What the detectors watch, what they say now and how often they were right: early warnings of points.
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/time.h"
#include "model/held.h"

#define LEADS_MAX 10000         // hits of one rule whose lead times are kept for the median

static const char *const level_names[EARLY_LEVELS] = { "ll", "l", "h", "hh" };

// ---- how often they were right ------------------------------------------------------------------

struct rule_tally {
	struct str rule;            // its name
	int64_t within, every;      // 0: not in force any more
	size_t points, open, hits, missed, prevented, dropped;
	double *leads;
	size_t nleads, cap;
};

struct tally_all {
	struct call *c;
	const struct type *t;
	struct rule_tally *v;
	size_t n, cap;
};

static struct rule_tally *tally_of(struct tally_all *all, struct str rule)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].rule, rule))
			return &all->v[i];
	all->v = arena_push(all->c->arena, all->v, &all->n, &all->cap, sizeof *all->v);
	all->v[all->n - 1].rule = arena_str(all->c->arena, rule);
	return &all->v[all->n - 1];
}

static enum err count_row(void *arg, const struct row *row)
{
	struct tally_all *all = arg;
	const struct value *rule = held(all->t, row, "rule"), *lead = held(all->t, row, "lead");
	struct rule_tally *y = tally_of(all, rule->kind == VAL_TEXT ? rule->s : STR_EMPTY);
	y->open += str_is(row->c.state, "coming") || str_is(row->c.state, "averted") || str_is(row->c.state, "ended");
	y->missed += str_is(row->c.state, "missed");
	y->prevented += str_is(row->c.state, "prevented");
	y->dropped += str_is(row->c.state, "dropped");
	if (!str_is(row->c.state, "hit"))
		return OK;
	y->hits++;
	if (lead->kind == VAL_REAL && y->nleads < LEADS_MAX) {
		y->leads = arena_push(all->c->arena, y->leads, &y->nleads, &y->cap, sizeof *y->leads);
		y->leads[y->nleads - 1] = lead->f;
	}
	return OK;
}

static enum err count_records(struct tally_all *all, int64_t from, int64_t to)
{
	struct value span[2] = { { .kind = VAL_INT, .i = from }, { .kind = VAL_INT, .i = to } };
	struct filter f[] = { { STR("raised"), FILTER_GE, &span[0], 1 }, { STR("raised"), FILTER_LT, &span[1], 1 } };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f) };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(4096);
	return records_scan(call_db(all->c), &all->t->table, &all->c->id.scope, &lq, scratch, count_row, all, &all->c->p);
}

// ---- the points that are watched ----------------------------------------------------------------

struct ids_found {
	struct arena *a;
	uint32_t *v;
	size_t n, cap;
};

static void note_id(void *arg, uint32_t point)
{
	struct ids_found *f = arg;
	f->v = arena_push(f->a, f->v, &f->n, &f->cap, sizeof *f->v);
	f->v[f->n - 1] = point;
}

static size_t count_points(struct tally_all *all)
{
	struct call *c = all->c;
	struct site *site = call_site(c);
	struct ids_found ids = { .a = c->arena };
	struct rule_early rules[RULE_EARLY_MAX];
	struct site_point p;
	size_t points = 0;
	c->app->detect_early_points(c->app, note_id, &ids);
	for (size_t i = 0; i < ids.n; i++) {
		if (!site_point(site, ids.v[i], &p) || !auth_in_scope(&c->id, point_place(&p)))
			continue;
		size_t n = rules_early(site->rules, &p.def, rules);
		points += n > 0;
		for (size_t k = 0; k < n; k++) {
			struct rule_tally *y = tally_of(all, rule_info(site->rules, rules[k].rule).name);
			y->points++;
			y->within = rules[k].within;
			y->every = rules[k].every;
		}
	}
	return points;
}

// ---- answers ------------------------------------------------------------------------------------

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void write_leads(struct jw *w, double *v, size_t n)
{
	if (!n)
		return;
	qsort(v, n, sizeof *v, by_value);
	jw_kf64(w, "lead_median_min", n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2);
	jw_kf64(w, "lead_least_min", v[0]);
	jw_kf64(w, "lead_most_min", v[n - 1]);
}

static void write_tally(struct call *c, struct rule_tally *y)
{
	struct jw *w = &c->w;
	uint32_t rule;
	const struct rule_set *rules = call_site(c)->rules;
	jw_obj(w);
	jw_kstr(w, "rule", y->rule);
	if (rule_find(rules, y->rule, &rule))
		jw_klabel(w, "label", rule_info(rules, rule).label);
	if (y->within) {
		jw_kf64(w, "within_min", (double)y->within / (double)US_PER_MIN);
		jw_kf64(w, "every_s", (double)y->every / (double)US_PER_S);
	}
	jw_ki64(w, "points", (int64_t)y->points);
	jw_ki64(w, "open", (int64_t)y->open);
	jw_ki64(w, "hits", (int64_t)y->hits);
	jw_ki64(w, "missed", (int64_t)y->missed);
	jw_ki64(w, "prevented", (int64_t)y->prevented);
	jw_ki64(w, "dropped", (int64_t)y->dropped);
	write_leads(w, y->leads, y->nleads);
	jw_end(w);
}

static void write_cost(struct call *c)
{
	struct detect_cost k = c->app->detect_cost(c->app);
	struct jw *w = &c->w;
	jw_kobj(w, "cost");
	jw_ki64(w, "early_watches", (int64_t)k.early_watches);
	jw_ki64(w, "early_left_out", (int64_t)k.early_left);
	jw_ki64(w, "doubt_watches", (int64_t)k.doubt_watches);
	jw_ki64(w, "doubt_left_out", (int64_t)k.doubt_left);
	jw_ki64(w, "drift_watches", (int64_t)k.drift_watches);
	jw_ki64(w, "drift_left_out", (int64_t)k.drift_left);
	jw_ki64(w, "units", (int64_t)k.units);
	jw_ki64(w, "turns", (int64_t)k.turns);
	jw_ki64(w, "reads", (int64_t)k.reads);
	jw_ki64(w, "samples", (int64_t)k.samples);
	jw_ki64(w, "unit_rows", (int64_t)k.rows);
	jw_ki64(w, "errors", (int64_t)k.errors);
	jw_kf64(w, "cpu_s", (double)k.cpu_us / (double)US_PER_S);
	jw_end(w);
}

static void write_early(struct tally_all *all, size_t points, int64_t from, int64_t to)
{
	struct jw *w = &all->c->w;
	struct rule_tally sum = { 0 };
	jw_kobj(w, "early");
	jw_ktime(w, "from", from);
	jw_ktime(w, "to", to);
	jw_ki64(w, "points", (int64_t)points);
	jw_karr(w, "rules");
	for (size_t i = 0; i < all->n; i++) {
		struct rule_tally *y = &all->v[i];
		write_tally(all->c, y);
		sum.open += y->open;
		sum.hits += y->hits;
		sum.missed += y->missed;
		sum.prevented += y->prevented;
		for (size_t k = 0; k < y->nleads && sum.nleads < LEADS_MAX; k++) {
			sum.leads = arena_push(all->c->arena, sum.leads, &sum.nleads, &sum.cap, sizeof *sum.leads);
			sum.leads[sum.nleads - 1] = y->leads[k];
		}
	}
	jw_end(w);
	jw_ki64(w, "open", (int64_t)sum.open);
	jw_ki64(w, "hits", (int64_t)sum.hits);
	jw_ki64(w, "missed", (int64_t)sum.missed);
	jw_ki64(w, "prevented", (int64_t)sum.prevented);
	write_leads(w, sum.leads, sum.nleads);
	jw_end(w);
}

enum err detect_get(struct call *c)
{
	struct tally_all all = { .c = c, .t = registry_type(c->reg, STR("early_warning")) };
	int64_t from, to;
	enum err err = query_time(c, "to", clock_now() + US_PER_S, &to);
	if (!err)
		err = query_time(c, "from", to - 90 * US_PER_DAY, &from);
	if (!err && from >= to)
		err = call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	if (!err && all.t && auth_may_read(&c->id, all.t))
		err = count_records(&all, from, to);
	if (err)
		return err;
	size_t points = count_points(&all);
	jw_obj(&c->w);
	write_early(&all, points, from, to);
	write_cost(c);
	jw_end(&c->w);
	return OK;
}

static void minutes(struct jw *w, const char *key, double v)
{
	if (isfinite(v))
		jw_kf64(w, key, v);
}

static void write_level(struct jw *w, const struct early *e, unsigned level)
{
	const struct early_level *l = &e->level[level];
	jw_obj(w);
	jw_kcstr(w, "level", level_names[level]);
	jw_kf64(w, "limit", e->facts.limit[level]);
	if (l->now) {
		jw_ktime(w, "at", l->now);
		minutes(w, "p10_min", l->now10);
		minutes(w, "p50_min", l->now50);
		minutes(w, "p90_min", l->now90);
	}
	jw_kbool(w, "said", l->raised != 0);
	if (l->raised) {
		jw_kbool(w, "lasts", l->lasts);
		jw_ktime(w, "raised", l->raised);
		jw_ktime(w, "until", l->until);
	}
	jw_end(w);
}

enum err detect_point(struct call *c)
{
	const struct site_point *p;
	enum err err = call_point(c, c->param[0], "id", &p);
	if (err)
		return err;
	struct early_view v[RULE_EARLY_MAX];
	size_t n = c->app->detect_early(c->app, p->def.id, v, ARRAY_LEN(v));
	const struct rule_set *rules = call_site(c)->rules;
	struct jw *w = &c->w;
	jw_obj(w);
	jw_ki64(w, "point", p->def.id);
	jw_karr(w, "early");
	for (size_t i = 0; i < n; i++) {
		if (v[i].rule >= rules_count(rules))
			continue;
		struct rule_info info = rule_info(rules, v[i].rule);
		jw_obj(w);
		jw_kstr(w, "rule", info.name);
		jw_klabel(w, "label", info.label);
		if (v[i].through)
			jw_ktime(w, "through", v[i].through);
		jw_ki64(w, "values", v[i].e.n);
		jw_karr(w, "levels");
		for (unsigned level = 0; level < EARLY_LEVELS; level++)
			if (!isnan(v[i].e.facts.limit[level]))
				write_level(w, &v[i].e, level);
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	write_doubt(c, p->def.id);
	jw_end(w);
	return OK;
}
