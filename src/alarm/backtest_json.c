// A back-test as JSON.
#include <math.h>
#include <stdlib.h>

#include "alarm/backtest_try.h"
#include "base/limits.h"

static double seconds(int64_t us) { return (double)us / US_PER_S; }

static void known(struct jw *w, const char *key, bool has, double v)
{
	jw_key(w, key);
	if (has && !isnan(v))
		jw_f64(w, v);
	else
		jw_null(w);
}

static void own_json(struct jw *w, const struct point_own *o)
{
	known(w, "deadband", o->has_deadband, o->deadband);
	known(w, "delay_on_s", o->has_on, seconds(o->on));
	known(w, "delay_off_s", o->has_off, seconds(o->off));
}

static void settings_json(struct jw *w, const struct point_def *d)
{
	jw_kobj(w, "settings");
	known(w, "ll", true, d->ll);
	known(w, "l", true, d->l);
	known(w, "h", true, d->h);
	known(w, "hh", true, d->hh);
	own_json(w, &d->own);
	jw_end(w);
}

// Lead of each event, in the order of the events; NaN: no alarm before it.
static double lead_of(const struct backtest_try *t, const struct backtest_side *s, int64_t at, size_t *ret_first)
{
	*ret_first = backtest_precede(s->v, s->n, at, t->window, t->chatter);
	return *ret_first < s->n ? (double)(at - s->v[*ret_first].from) / US_PER_MIN : NAN;
}

static void events_json(struct jw *w, const struct backtest_try *t, const struct backtest_side *s)
{
	jw_karr(w, "events");
	for (size_t i = 0; i < t->nevents; i++) {
		const struct backtest_event *e = &t->events[i];
		size_t first;
		double lead = lead_of(t, s, e->at, &first);
		jw_obj(w);
		jw_ktime(w, "at", e->at);
		if (e->type.n) {
			jw_kstr(w, "type", e->type);
			jw_ki64(w, "id", e->id);
			jw_kstr(w, "number", e->number);
			jw_kstr(w, "title", e->title);
		}
		jw_key(w, "alarm");
		if (first < s->n)
			jw_time(w, s->v[first].from);
		else
			jw_null(w);
		known(w, "lead_min", true, lead);
		jw_end(w);
	}
	jw_end(w);
}

static void people(struct jw *w, const char *key, int64_t n)
{
	jw_key(w, key);
	if (n < 0)
		jw_null(w);
	else
		jw_i64(w, n);
}

static void figures_json(struct jw *w, const struct backtest_try *t, const struct backtest_side *s)
{
	const struct backtest_figures *f = &s->f;
	size_t preceded = 0, first;
	double least = INFINITY;
	for (size_t i = 0; i < t->nevents; i++) {
		double lead = lead_of(t, s, t->events[i].at, &first);
		preceded += !isnan(lead);
		least = fmin(least, lead); // fmin leaves NaN out
	}
	jw_kobj(w, "figures");
	jw_ki64(w, "samples", (int64_t)f->samples);
	jw_kf64(w, "days", f->days);
	jw_ki64(w, "alarms", (int64_t)f->alarms);
	jw_kf64(w, "per_day", f->days > 0 ? (double)f->alarms / f->days : 0);
	jw_ki64(w, "chatter", (int64_t)f->chatter);
	jw_ki64(w, "standing", (int64_t)f->standing);
	jw_ki64(w, "night", (int64_t)f->night);
	jw_ki64(w, "most_10min", (int64_t)f->most);
	jw_kf64(w, "active_s", seconds(f->active));
	jw_ki64(w, "events", (int64_t)t->nevents);
	jw_ki64(w, "preceded", (int64_t)preceded);
	known(w, "least_lead_min", preceded > 0, least);
	people(w, "notices", s->notices);
	people(w, "night_notices", s->night_notices);
	jw_kobj(w, "by_level");
	for (int l = 0; l < ALARM_LEVELS; l++)
		if (f->by_level[l])
			jw_ki64(w, level_name((enum level)l), (int64_t)f->by_level[l]);
	jw_end(w);
	jw_end(w);
}

static void one_json(struct jw *w, const struct backtest_side *s, const struct backtest_alarm *x)
{
	jw_obj(w);
	jw_kstr(w, "rule", rule_info(s->rules, x->rule).name);
	jw_kcstr(w, "level", level_name(x->level));
	jw_kstr(w, "color", rule_color(s->rules, x->rule, x->level));
	jw_ktime(w, "from", x->from);
	jw_key(w, "to");
	if (x->to)
		jw_time(w, x->to);
	else
		jw_null(w);
	known(w, "limit", true, x->limit);
	jw_kf64(w, "extreme", x->extreme);
	jw_ktime(w, "extreme_at", x->extreme_at);
	jw_kbool(w, "announced", x->announced);
	jw_kbool(w, "chatter", x->chatter);
	jw_end(w);
}

void backtest_side_json(struct jw *w, const struct backtest_try *t, const struct backtest_side *s, size_t shown)
{
	jw_obj(w);
	settings_json(w, &s->point);
	figures_json(w, t, s);
	events_json(w, t, s);
	jw_karr(w, "alarms");
	for (size_t i = s->n > shown ? s->n - shown : 0; i < s->n; i++)
		one_json(w, s, &s->v[i]);
	jw_end(w);
	jw_ki64(w, "alarms_total", (int64_t)s->n);
	jw_end(w);
}

void backtest_suggestion_json(struct jw *w, const struct backtest_try *t)
{
	const struct backtest_suggestion *r = &t->suggestion;
	jw_obj(w);
	jw_kbool(w, "found", r->found);
	jw_kbool(w, "reached", r->reached);
	jw_kobj(w, "changes");
	own_json(w, &r->own);
	jw_end(w);
	jw_kcstr(w, "of", t->all ? "alarms" : "chatter");
	jw_kf64(w, "remove", t->remove);
	jw_kf64(w, "delay_s", seconds(t->delay));
	jw_ki64(w, "before", (int64_t)r->before);
	jw_ki64(w, "after", (int64_t)r->after);
	jw_ki64(w, "before_chatter", (int64_t)r->before_chatter);
	jw_ki64(w, "after_chatter", (int64_t)r->after_chatter);
	jw_ki64(w, "kept_confirmed", (int64_t)r->confirmed);
	jw_ki64(w, "kept_long", (int64_t)r->longs);
	jw_kf64(w, "keep_s", seconds(t->keep));
	jw_kf64(w, "later_s", seconds(r->later));
	jw_ki64(w, "tried", (int64_t)r->tried);
	jw_ktime(w, "searched_from", r->searched_from);
	jw_end(w);
}
