// Rules and limits tried on the stored history before anybody saves them. A request is one piece of bounded work of a
// worker thread (LIMIT_BACKTEST_*): what does not fit is refused with what to change; the last one stops at a deadline.
#include <math.h>
#include <stdlib.h>

#include "alarm/backtest_try.h"
#include "api/api.h"
#include "base/time.h"

#define SLICE (7 * US_PER_DAY)           // of history in memory
#define DEFAULT_SPAN (30 * US_PER_DAY)
#define SHARED_SHOWN 100                 // alarms listed of a point when there are several

struct told { struct str type; size_t n; };

struct request {
	struct call *c;
	const struct site_point **points;
	size_t npoints;
	int64_t from, to, window, until; // until: monotonic, when to stop
	struct rule_set *rules;          // with the rule that is tried, or NULL
	const json_t *changes;
	bool suggest, all;
	double remove;
	int64_t delay, keep;
	uint64_t left;                   // samples
	size_t shown;
	const struct site_point *now;    // the point at hand
	struct point_def *others;        // what rules read beside it
	size_t nothers, others_cap;
	struct told told[8];             // people told by a type of record about it
	size_t ntold;
};

// ---- the request -------------------------------------------------------------------------------
static enum err body_time(struct call *c, const char *key, int64_t fallback, int64_t *ret)
{
	struct str s = body_str(c, key);
	*ret = fallback;
	if (!json_object_get(c->body, key) || time_parse(s, ret))
		return OK;
	return call_fail(c, ERR_INVALID, key, "时间格式应为 RFC 3339", "an RFC 3339 time is expected");
}

static enum err number_in(struct call *c, const json_t *o, const char *key, double fallback, double min, double max, double *ret)
{
	const json_t *v = json_object_get(o, key);
	*ret = v ? json_number_value(v) : fallback;
	if ((!v || json_is_number(v)) && *ret >= min && *ret <= max)
		return OK;
	return problem_set(&c->p, ERR_INVALID, key, "%s 应为 %g 到 %g 的数", "%s must be a number from %g to %g", key, min, max);
}

static enum err read_span(struct request *r)
{
	struct call *c = r->c;
	double hours = 24;
	enum err err = body_time(c, "to", clock_now(), &r->to);
	if (!err)
		err = body_time(c, "from", r->to - DEFAULT_SPAN, &r->from);
	if (!err)
		err = number_in(c, c->body, "window_h", 24, 0, 24 * 31, &hours);
	r->window = (int64_t)(hours * US_PER_HOUR);
	if (!err && r->from >= r->to)
		return call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	if (!err && r->to - r->from > LIMIT_BACKTEST_DAYS * US_PER_DAY)
		return call_fail(c, ERR_TOO_LARGE, "from", "一次至多试算 400 天", "at most 400 days at once");
	return err;
}

static enum err add_point(struct request *r, const struct site_point *p)
{
	if (r->npoints == LIMIT_BACKTEST_POINTS)
		return call_fail(r->c, ERR_TOO_LARGE, "points", "监测点过多：一次至多 200 个", "too many points: at most 200 at once");
	r->points[r->npoints++] = p;
	return OK;
}

// {kind, enterprise?, area?}: the points of that kind in the caller's scope.
static enum err find_points(struct request *r, struct str kind)
{
	struct call *c = r->c;
	const struct site *site = call_site(c);
	struct str area = body_str(c, "area");
	const json_t *enterprise = json_object_get(c->body, "enterprise");
	enum err err = OK;
	struct site_point p;
	for (uint32_t i = 0; !err && site_point_next(site, &i, &p);)
		if (str_eq(p.def.kind, kind) && str_starts(p.def.area, area) && auth_in_scope(&c->id, point_place(&p)) &&
		    (!enterprise || json_integer_value(enterprise) == p.def.enterprise))
			err = add_point(r, memcpy(arena_one(c->arena, struct site_point), &p, sizeof p));
	return err;
}

static enum err read_points(struct request *r)
{
	struct call *c = r->c;
	const json_t *list = json_object_get(c->body, "points"), *item;
	struct str kind = body_str(c, "kind");
	size_t i;
	enum err err = OK;
	r->points = arena_many(c->arena, LIMIT_BACKTEST_POINTS, const struct site_point *);
	if (!list && kind.n)
		err = find_points(r, kind);
	json_array_foreach (list, i, item) {
		const struct site_point *p;
		struct str name = json_is_integer(item) ? arena_printf(c->arena, "%lld", (long long)json_integer_value(item)) :
		                                          str_from(json_string_value(item), json_string_length(item));
		if (!err)
			err = call_point(c, name, "points", &p);
		if (!err)
			err = add_point(r, p);
	}
	if (!err && !r->npoints)
		return call_fail(c, ERR_INVALID, "points", "请用 points 指定监测点，或用 kind 指定种类", "say which points, or a kind");
	return err;
}

static enum err read_rule(struct request *r)
{
	struct call *c = r->c;
	struct str text = body_str(c, "rule");
	struct diags d = { .arena = c->arena, .zh = !call_is_en(c) };
	if (!text.n)
		return OK;
	if (text.n > LIMIT_YAML_FILE)
		return call_fail(c, ERR_TOO_LARGE, "rule", "规则文本过长", "the rule is too long");
	enum err err = backtest_rules(&r->rules, c->reg, text, &d, c->arena);
	if (!err)
		return OK;
	struct str says = d.n ? arena_printf(c->arena, "%u:%u: %.*s", d.v[0].line, d.v[0].col, STR_FMT(d.v[0].text)) : STR_EMPTY;
	return call_fail(c, ERR_INVALID, "rule", says.p, says.p);
}

static enum err read_suggest(struct request *r)
{
	const json_t *s = json_object_get(r->c->body, "suggest");
	double delay = 30, keep = 600;
	r->suggest = json_is_object(s) || json_is_true(s);
	if (!r->suggest)
		return OK;
	if (r->npoints > 1)
		return call_fail(r->c, ERR_INVALID, "suggest", "建议只对一个监测点作出", "a proposal is for one point only");
	r->all = json_is_true(json_object_get(s, "all"));
	enum err err = number_in(r->c, s, "remove", 0.8, 0, 1, &r->remove);
	if (!err)
		err = number_in(r->c, s, "delay_s", 30, 0, 3600, &delay);
	if (!err)
		err = number_in(r->c, s, "keep_s", 600, 0, 86400, &keep);
	r->delay = (int64_t)(delay * US_PER_S);
	r->keep = (int64_t)(keep * US_PER_S);
	return err;
}

static enum err apply_changes(struct request *r, struct point_def *d)
{
	const char *key;
	json_t *v;
	json_object_foreach ((json_t *)(uintptr_t)r->changes, key, v)
		if (!(json_is_null(v) || json_is_number(v)) || !backtest_change(d, str_of(key), json_is_null(v) ? NAN : json_number_value(v)))
			return problem_set(&r->c->p, ERR_INVALID, "changes", "不能这样设置 %s：可设 ll l h hh deadband delay_on_s delay_off_s，延时 0 到 3600 秒",
			                   "%s cannot be set like that: ll l h hh deadband delay_on_s delay_off_s, delays from 0 to 3600 s", key);
	return OK;
}

// ---- what really happened ----------------------------------------------------------------------
// Records that say that something was real, by the time at which it was: a warning of the point that was not dismissed, a
// hidden hazard that monitoring brought up and somebody was told to fix, an accident at the enterprise.
static const struct source {
	const char *type, *time;
	const char *field, *value;  // must have this value, or NULL
	const char *not_states[4], *not_evaluation[3];
	bool of_point;              // field `point` is the point, else the same enterprise
} sources[] = {
	{ "warning", "happened", NULL, NULL, { "triggered", "verifying", "false_alarm" }, { "false", "nuisance" }, true },
	{ "hazard", "found", "source", "warning", { "found" }, { NULL }, false },
	{ "accident", "happened", NULL, NULL, { "reported", "void" }, { NULL }, false },
};

static bool text_is_one(const struct type *t, const struct row *row, const char *field, const char *const *words)
{
	const struct field *f = type_field(t, str_of(field));
	for (size_t i = 0; f && f->ncols && words[i]; i++)
		if (row->vals[f->col].kind == VAL_TEXT && str_is(row->vals[f->col].s, words[i]))
			return true;
	return false;
}

static bool counts(const struct source *s, const struct type *t, const struct row *row)
{
	const char *wanted[] = { s->value, NULL };
	for (size_t i = 0; s->not_states[i]; i++)
		if (str_is(row->c.state, s->not_states[i]))
			return false;
	return (!s->field || text_is_one(t, row, s->field, wanted)) && !text_is_one(t, row, "evaluation", s->not_evaluation);
}

static enum err events_of(struct request *r, const struct source *s, struct backtest_event **v, size_t *n, size_t *cap)
{
	struct call *c = r->c;
	const struct type *t = registry_type(c->reg, str_of(s->type));
	const struct field *time = t ? type_field(t, str_of(s->time)) : NULL;
	if (!time || time->kind != FIELD_TIME || !auth_may_read(&c->id, t) || (s->of_point && !type_field(t, STR("point"))))
		return OK;
	struct value subject = { .kind = VAL_INT, .i = s->of_point ? (int64_t)r->now->def.id : r->now->def.enterprise };
	struct value from = { .kind = VAL_INT, .i = r->from }, to = { .kind = VAL_INT, .i = r->to };
	struct filter f[] = { { s->of_point ? STR("point") : STR("enterprise"), FILTER_EQ, &subject, 1 },
		              { str_of(s->time), FILTER_GE, &from, 1 },
		              { str_of(s->time), FILTER_LT, &to, 1 } };
	struct sort newest = { .column = str_of(s->time), .descending = true };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f), .sorts = &newest, .nsorts = 1,
		                 .limit = LIMIT_BACKTEST_EVENTS };
	struct scope scope = auth_scope(&c->id, t);
	struct row *rows;
	size_t nrows;
	enum err err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &nrows, NULL, &c->p);
	for (size_t i = 0; !err && i < nrows; i++) {
		if (!counts(s, t, &rows[i]) || rows[i].vals[time->col].kind != VAL_INT)
			continue;
		*v = arena_push(c->arena, *v, n, cap, sizeof **v);
		(*v)[*n - 1] = (struct backtest_event){ rows[i].vals[time->col].i, t->name, rows[i].c.number, rows[i].c.title, rows[i].c.id };
	}
	return err;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct backtest_event *)a)->at, y = ((const struct backtest_event *)b)->at;
	return (x > y) - (x < y);
}

static enum err read_events(struct request *r, struct backtest_try *t)
{
	struct backtest_event *v = NULL;
	size_t n = 0, cap = 0;
	enum err err = OK;
	for (size_t i = 0; i < ARRAY_LEN(sources) && !err; i++)
		err = events_of(r, &sources[i], &v, &n, &cap);
	if (n)
		qsort(v, n, sizeof *v, by_time);
	size_t skip = n > LIMIT_BACKTEST_EVENTS ? n - LIMIT_BACKTEST_EVENTS : 0;
	t->events = v + skip;
	t->nevents = n - skip;
	return err;
}

// ---- one point ---------------------------------------------------------------------------------
static enum err read_samples(void *arg, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct request *r = arg;
	return series_read(r->c->app->series, r->now->def.id, from, to, (size_t)r->left, a, ret, ret_n);
}

static enum err read_other(void *arg, size_t other, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct request *r = arg;
	return series_read(r->c->app->series, r->others[other].id, from, to, (size_t)r->left, a, ret, ret_n);
}

// Points that the rules of the point read, in force or tried. Who may try a rule sees of them only what it says of his point.
static enum err find_others(struct request *r, struct backtest_try *t, struct arena *a)
{
	const struct site *site = call_site(r->c);
	struct site_point p;
	r->others = NULL;
	r->nothers = r->others_cap = 0;
	for (uint32_t i = 0; site_point_next(site, &i, &p);) {
		if (i == r->now->def.id || !(rules_read(t->stored.rules, &r->now->def, &p.def) || rules_read(t->candidate.rules, &r->now->def, &p.def)))
			continue;
		if (r->nothers == LIMIT_BACKTEST_OTHERS)
			return problem_set(&r->c->p, ERR_TOO_LARGE, "points", "规则的条件涉及 %d 个以上测点，无法试算", "a rule reads more than %d points: too many to try",
			                   LIMIT_BACKTEST_OTHERS);
		r->others = arena_push(a, r->others, &r->nothers, &r->others_cap, sizeof *r->others);
		r->others[r->nothers - 1] = p.def;
	}
	t->others = r->others;
	t->nothers = r->nothers;
	t->read_other = read_other;
	return OK;
}

static bool go_on(void *arg, double part)
{
	struct request *r = arg;
	(void)part;
	return clock_mono() < r->until;
}

// How many people hear of a record of this type when it is opened at the point's place.
static size_t told(void *arg, struct str type)
{
	struct request *r = arg;
	for (size_t i = 0; i < r->ntold; i++)
		if (str_eq(r->told[i].type, type))
			return r->told[i].n;
	const struct type *t = registry_type(r->c->reg, type);
	size_t n = 0;
	if (!t || r->ntold == ARRAY_LEN(r->told) || flow_count_called(call_db(r->c), r->c->reg, t, point_place(r->now), r->c->arena, &n))
		return 0;
	r->told[r->ntold++] = (struct told){ type, n };
	return n;
}

struct totals { uint64_t alarms, chatter, standing, night, samples; int64_t notices, night_notices; double days; };

static void add_totals(struct totals *t, const struct backtest_side *s)
{
	t->alarms += s->f.alarms;
	t->chatter += s->f.chatter;
	t->standing += s->f.standing;
	t->night += s->f.night;
	t->samples += s->f.samples;
	t->days = fmax(t->days, s->f.days);
	t->notices += s->notices;
	t->night_notices += s->night_notices;
}

static void write_totals(struct request *r, const char *key, const struct totals *t)
{
	struct jw *w = &r->c->w;
	jw_kobj(w, key);
	jw_ki64(w, "samples", (int64_t)t->samples);
	jw_ki64(w, "alarms", (int64_t)t->alarms);
	jw_kf64(w, "per_day", t->days > 0 ? (double)t->alarms / t->days : 0);
	jw_ki64(w, "chatter", (int64_t)t->chatter);
	jw_ki64(w, "standing", (int64_t)t->standing);
	jw_ki64(w, "night", (int64_t)t->night);
	jw_ki64(w, "notices", t->notices);
	jw_ki64(w, "night_notices", t->night_notices);
	jw_end(w);
}

static void write_point(struct request *r, const struct backtest_try *t)
{
	struct jw *w = &r->c->w;
	jw_obj(w);
	jw_kobj(w, "point");
	jw_ki64(w, "id", r->now->def.id);
	jw_kstr(w, "code", r->now->def.code);
	jw_kstr(w, "name", r->now->name);
	jw_kstr(w, "kind", r->now->def.kind);
	jw_kstr(w, "unit", r->now->unit);
	jw_end(w);
	jw_kf64(w, "chatter_window_s", (double)t->chatter / US_PER_S);
	jw_key(w, "stored");
	backtest_side_json(w, t, &t->stored, r->shown);
	if (t->has_candidate) {
		jw_key(w, "candidate");
		backtest_side_json(w, t, &t->candidate, r->shown);
	}
	if (t->suggest) {
		jw_key(w, "suggestion");
		backtest_suggestion_json(w, t);
	}
	jw_end(w);
}

static enum err try_point(struct request *r, const struct site_point *p, struct arena *a, struct totals totals[2])
{
	const struct site *site = call_site(r->c);
	struct backtest_try t = { .reg = site->reg, .from = r->from, .to = r->to, .slice = SLICE, .max = r->left, .read = read_samples,
		                  .read_arg = r, .go_on = go_on, .go_on_arg = r, .window = r->window, .suggest = r->suggest,
		                  .remove = r->remove, .all = r->all, .delay = r->delay, .keep = r->keep };
	r->now = p;
	r->ntold = 0;
	t.stored = t.candidate = (struct backtest_side){ .rules = site->rules, .point = p->def };
	t.candidate.rules = r->rules ? r->rules : site->rules;
	t.has_candidate = r->rules || json_object_size(r->changes);
	enum err err = apply_changes(r, &t.candidate.point);
	if (!err)
		err = read_events(r, &t);
	if (!err)
		err = find_others(r, &t, a);
	if (!err)
		err = backtest_run(&t, a, &r->c->p);
	if (err == ERR_TOO_LARGE) // of series_read: more in one slice than is left
		return problem_set(&r->c->p, err, "from", "数据过多，请缩短时间或减少监测点", "too many samples: a shorter time or fewer points");
	if (err)
		return err;
	backtest_notices(&t.stored, told, r);
	if (t.has_candidate)
		backtest_notices(&t.candidate, told, r);
	r->left -= t.stored.f.samples;
	add_totals(&totals[0], &t.stored);
	if (t.has_candidate)
		add_totals(&totals[1], &t.candidate);
	write_point(r, &t);
	return OK;
}

static enum err try_all(struct request *r)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct totals totals[2] = { 0 };
	struct jw *w = &r->c->w;
	enum err err = OK;
	jw_obj(w);
	jw_ktime(w, "from", r->from);
	jw_ktime(w, "to", r->to);
	jw_kf64(w, "window_h", (double)r->window / (double)US_PER_HOUR);
	jw_karr(w, "items");
	for (size_t i = 0; i < r->npoints && !err; i++, arena_reset(a))
		err = try_point(r, r->points[i], a, totals);
	jw_end(w);
	jw_kobj(w, "total");
	write_totals(r, "stored", &totals[0]);
	if (r->rules || json_object_size(r->changes))
		write_totals(r, "candidate", &totals[1]);
	jw_end(w);
	jw_end(w);
	return err;
}

enum err backtest_post(struct call *c)
{
	struct request r = { .c = c, .until = clock_mono() + LIMIT_BACKTEST_SECONDS * US_PER_S, .left = LIMIT_BACKTEST_SAMPLES,
		             .changes = json_object_get(c->body, "changes") };
	enum err err = read_span(&r);
	if (!err)
		err = read_points(&r);
	if (!err && r.changes && !json_is_object(r.changes))
		err = call_fail(c, ERR_INVALID, "changes", "changes 应为对象", "changes must be an object");
	if (!err)
		err = read_suggest(&r);
	if (!err)
		err = read_rule(&r);
	r.shown = r.npoints > 1 ? SHARED_SHOWN : LIMIT_BACKTEST_SHOWN;
	if (!err)
		err = try_all(&r);
	rules_free(r.rules);
	return err;
}
