// GET /replay: any past span of time around an alarm, a record or a place, as one bounded answer made of what is stored. What the
// reader may not see is not in it, and nothing is later than its end.
#include "api/replay.h"

#include <math.h>
#include <stdlib.h>

#include "base/time.h"

// ---- what is asked for -----------------------------------------------------------------------------
static enum err read_ask(struct call *c, struct replay_ask *ask)
{
	*ask = (struct replay_ask){ .type = http_query(c->rq, "type"), .area = http_query(c->rq, "area"), .now = clock_now() };
	const struct { const char *name; int64_t *to; } ids[] = { { "alarm", &ask->alarm }, { "record", &ask->record },
		{ "enterprise", &ask->enterprise }, { "installation", &ask->installation }, { "point", &ask->point } };
	enum err err = OK;
	for (size_t i = 0; !err && i < ARRAY_LEN(ids); i++)
		err = query_int(c, ids[i].name, 0, 0, INT64_MAX, ids[i].to);
	if (!err)
		err = query_time(c, "from", 0, &ask->from);
	if (!err)
		err = query_time(c, "to", 0, &ask->to);
	if (!err && ask->area.n && ask->area.n < 4)
		err = call_fail(c, ERR_INVALID, "area", "area 须为区划代码（4 至 12 位）", "area must be the code of an area (4 to 12 digits)");
	if (!err && (ask->type.n > 0) != (ask->record > 0))
		err = call_fail(c, ERR_INVALID, "record", "一条记录要同时写 type 和 record", "a record is said by type and record together");
	return err;
}

// ---- points ----------------------------------------------------------------------------------------
enum rank { RANK_SUBJECT, RANK_ALARM, RANK_NEAR, RANK_OTHER, RANK_SILENT /* since before the span */, RANKS };
struct candidate {
	uint32_t id;
	enum rank rank;
	size_t order;           // of its first alarm
};

static bool in_place(const struct replay *r, const struct site_point *p)
{
	if (str_is(r->kind, "point"))
		return p->def.id == r->point;
	if (str_is(r->kind, "installation"))
		return p->def.installation == r->installation;
	return r->enterprise ? p->def.enterprise == r->enterprise : str_starts(p->def.area, r->area);
}

static enum rank rank_of(struct call *c, const struct replay *r, const struct site_point *p, size_t *ret_order)
{
	struct sample newest;
	*ret_order = 0;
	if (r->point == p->def.id)
		return RANK_SUBJECT;
	for (; *ret_order < r->nalarms; ++*ret_order)
		if (r->alarms[*ret_order].point == p->def.id)
			return RANK_ALARM;
	if (!series_last(c->app->series, p->def.id, &newest) || newest.time < r->from)
		return RANK_SILENT;
	return r->installation && p->def.installation == r->installation ? RANK_NEAR : RANK_OTHER;
}

static int by_rank(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static void find_points(struct call *c, struct replay_view *v)
{
	struct site *site = call_site(c);
	struct candidate *list = NULL;
	struct site_point p;
	size_t n = 0, cap = 0, of[RANKS] = { 0 };
	for (uint32_t i = 0; site_point_next(site, &i, &p);) {
		if (!in_place(&v->r, &p) || !auth_in_scope(&c->id, point_place(&p)))
			continue;
		struct candidate k = { .id = i };
		k.rank = rank_of(c, &v->r, &p, &k.order);
		v->points_there++;
		if (of[k.rank]++ >= LIMIT_REPLAY_POINTS && k.rank >= RANK_NEAR)
			continue;
		list = arena_push(c->arena, list, &n, &cap, sizeof *list);
		list[n - 1] = k;
	}
	if (n)
		qsort(list, n, sizeof *list, by_rank);
	v->npoints = MIN(n, (size_t)LIMIT_REPLAY_POINTS);
	v->ntrends = MIN(n, (size_t)LIMIT_REPLAY_TRENDS);
	struct site_point *points = arena_many(c->arena, v->npoints + 1, struct site_point);
	for (size_t i = 0; i < v->npoints; i++)
		(void)!site_point(site, list[i].id, &points[i]);
	v->points = points;
}

enum err replay_view_read(struct call *c, struct replay_view *ret)
{
	struct replay_ask ask;
	*ret = (struct replay_view){ 0 };
	enum err err = read_ask(c, &ask);
	if (!err)
		err = replay_read(call_db(c), c->reg, call_site(c)->rules, &c->id, call_is_en(c), &ask, c->arena, &ret->r, &c->p);
	if (!err)
		find_points(c, ret);
	return err;
}

// ---- readings --------------------------------------------------------------------------------------
int64_t replay_step(const struct replay *r, const struct site_point *p)
{
	static const int nice[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600 }; // s
	size_t i = 0;
	int64_t least = MAX((r->to - r->from) / LIMIT_REPLAY_STEPS, p->def.interval);
	while (i + 1 < ARRAY_LEN(nice) && nice[i] * US_PER_S < least)
		i++;
	return nice[i] * US_PER_S;
}

// How long a point may be silent and still count as there: as on the map of now (levels.c).
static int64_t quiet_of(struct call *c, const struct site_point *p)
{
	const struct point_kind *k = registry_kind(c->reg, p->def.kind);
	int64_t stale = k && k->stale_after ? k->stale_after : 10 * US_PER_MIN;
	return MAX(stale, 3 * p->def.interval);
}

static void gap_json(struct jw *w, const struct replay *r, int64_t from, int64_t to)
{
	from = MAX(from, r->from);
	to = MIN(to, r->to);
	if (from >= to)
		return;
	jw_arr(w);
	jw_time(w, from);
	jw_time(w, to);
	jw_end(w);
}

// Members items and gaps, to a step: when there was nothing that could be trusted for longer than the point may be silent.
static enum err readings_json(struct call *c, const struct replay *r, const struct site_point *p, bool curve, struct arena *a, struct jw *w)
{
	struct agg *v;
	size_t n;
	int64_t step = replay_step(r, p), quiet = quiet_of(c, p), ahead = (quiet + step - 1) / step; // steps before the span
	int64_t start = r->from - ahead * step, last = start;
	enum err err = series_aggregate(c->app->series, p->def.id, start, r->to, step, a, &v, &n);
	if (err)
		return err;
	jw_karr(w, "gaps");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].n)
			continue;
		if (v[i].from > last + quiet)
			gap_json(w, r, last + quiet, v[i].from);
		last = v[i].from + step;
	}
	gap_json(w, r, last == start ? r->from : last + quiet, r->to);
	jw_end(w);
	if (!curve)
		return OK;
	jw_kf64(w, "step_s", (double)step / US_PER_S);
	jw_karr(w, "items");
	for (size_t i = (size_t)ahead; i < n; i++) {
		if (!v[i].n)
			continue;
		const double numbers[] = { v[i].min, v[i].sum / v[i].n, v[i].max, v[i].last };
		jw_arr(w);
		jw_i64(w, (int64_t)i - ahead);
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
			jw_f64(w, numbers[k]);
		jw_end(w);
	}
	jw_end(w);
	return OK;
}

static void limits_json(struct jw *w, const struct point_def *d)
{
	const struct { const char *name; double v; } limits[] = { { "ll", d->ll }, { "l", d->l }, { "h", d->h }, { "hh", d->hh } };
	jw_kobj(w, "limits");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (!isnan(limits[i].v))
			jw_kf64(w, limits[i].name, limits[i].v);
	jw_end(w);
}

static void position_json(struct jw *w, double lon, double lat)
{
	jw_key(w, "position");
	if (isnan(lon) || isnan(lat)) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	jw_f64(w, round(lon * 1e7) / 1e7);
	jw_f64(w, round(lat * 1e7) / 1e7);
	jw_end(w);
}

static enum err points_json(struct call *c, const struct replay_view *v, struct jw *w)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 18);
	enum err err = OK;
	jw_karr(w, "points");
	for (size_t i = 0; i < v->npoints && !err; i++, arena_reset(a)) {
		const struct site_point *p = &v->points[i];
		jw_obj(w);
		jw_ki64(w, "id", p->def.id);
		jw_kstr(w, "code", p->def.code);
		jw_kstr(w, "name", p->name);
		jw_kstr(w, "unit", p->unit);
		jw_kstr(w, "kind", p->def.kind);
		jw_ki64(w, "enterprise", p->def.enterprise);
		position_json(w, p->lon, p->lat);
		limits_json(w, &p->def);
		err = readings_json(c, &v->r, p, i < v->ntrends, a, w);
		jw_end(w);
	}
	jw_end(w);
	return err;
}

// ---- alarms ----------------------------------------------------------------------------------------
static void steps_json(struct jw *w, const struct replay *r, const struct past_alarm *p)
{
	const struct past_step *first = past_at(p->steps, p->nsteps, r->from);
	jw_karr(w, "steps");
	for (const struct past_step *s = first ? first : p->steps; s < p->steps + p->nsteps; s++) {
		jw_arr(w);
		jw_time(w, s->at);
		jw_cstr(w, alarm_state_name(s->state));
		jw_bool(w, s->active);
		jw_str(w, s->level);
		jw_str(w, s->color);
		jw_end(w);
	}
	jw_end(w);
}

static void alarms_json(struct jw *w, const struct replay *r)
{
	jw_karr(w, "alarms");
	for (size_t i = 0; i < r->nalarms; i++) {
		const struct past_alarm *p = &r->alarms[i];
		jw_obj(w);
		jw_ki64(w, "id", p->id);
		jw_ki64(w, "point", p->point);
		jw_kstr(w, "code", p->point_code);
		jw_kstr(w, "name", p->point_name);
		jw_kstr(w, "unit", p->point_unit);
		jw_ki64(w, "enterprise", p->enterprise);
		jw_kstr(w, "enterprise_title", p->enterprise_title);
		jw_klabel(w, "rule_label", p->rule_label);
		jw_klabel(w, "say", p->say);
		position_json(w, p->lon, p->lat);
		steps_json(w, r, p);
		jw_end(w);
	}
	jw_end(w);
}

// ---- events ----------------------------------------------------------------------------------------
static void alarm_event_json(struct jw *w, const struct replay_event *e)
{
	jw_ki64(w, "alarm", e->alarm->id);
	jw_kstr(w, "title", e->alarm->point_name);
	jw_kstr(w, "level", e->entry->level);
	jw_kcstr(w, "before", alarm_state_name(e->entry->from));
	jw_kcstr(w, "after", alarm_state_name(e->entry->to));
	jw_kf64(w, "value", e->entry->value);
	jw_kstr(w, "unit", e->alarm->point_unit);
	jw_kbool(w, "noted", e->entry->noted);
	if (e->entry->arrival)
		jw_ktime(w, "arrived_at", e->entry->arrival);
}

static struct str state_label(struct call *c, const struct type *t, struct str name)
{
	const struct state *s = name.n ? type_state(t, name) : NULL;
	return s ? label_text(c, s->label) : name;
}

static void record_event_json(struct call *c, struct jw *w, const struct replay_event *e)
{
	jw_kstr(w, "type", e->t->name);
	jw_kstr(w, "type_label", label_text(c, e->t->label));
	jw_ki64(w, "record", e->record);
	jw_kstr(w, "number", e->number);
	jw_kstr(w, "title", e->title);
	if (e->kind == REPLAY_MESSAGE) {
		jw_kstr(w, "channel", e->channel);
		return;
	}
	jw_kstr(w, "before", state_label(c, e->t, e->before));
	jw_kstr(w, "after", state_label(c, e->t, e->after));
}

static void events_json(struct call *c, struct jw *w, const struct replay *r)
{
	static const char *const kinds[] = { "alarm", "action", "message" };
	jw_karr(w, "events");
	for (size_t i = 0; i < r->nevents; i++) {
		const struct replay_event *e = &r->events[i];
		jw_obj(w);
		jw_ktime(w, "at", e->at);
		jw_kcstr(w, "kind", kinds[e->kind]);
		jw_kstr(w, "what", e->what);
		jw_kstr(w, "label", replay_what(e, call_is_en(c)));
		jw_kstr(w, "actor", e->kind == REPLAY_MESSAGE ? replay_mask(e->actor, c->arena) : e->actor);
		jw_kstr(w, "reason", call_is_en(c) && e->reason_en.n ? e->reason_en : e->reason);
		if (e->kind == REPLAY_ALARM)
			alarm_event_json(w, e);
		else
			record_event_json(c, w, e);
		jw_end(w);
	}
	jw_end(w);
}

// ---- enterprises -----------------------------------------------------------------------------------
static void firm_json(struct jw *w, const struct type *t, const struct row *row)
{
	const struct field *f = type_field(t, t->geometry);
	const struct value *at = f && f->kind == FIELD_POSITION && f->ncols == 2 ? &row->vals[f->col] : NULL;
	bool placed = at && at[0].kind == VAL_REAL && at[1].kind == VAL_REAL;
	jw_obj(w);
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "title", row->c.title);
	position_json(w, placed ? at[0].f : NAN, placed ? at[1].f : NAN);
	jw_end(w);
}

// Those with alarms or points on the map first; of an area the others too, as many as there is room for.
static enum err firms_json(struct call *c, const struct replay_view *v, struct jw *w, int64_t *ret_left)
{
	const struct type *t = registry_type(c->reg, STR("enterprise"));
	const struct replay *r = &v->r;
	struct row *rows = NULL;
	size_t n = 0;
	int64_t total = 0;
	enum err err = OK;
	*ret_left = 0;
	jw_karr(w, "enterprises");
	if (t && auth_may_read(&c->id, t)) {
		struct scope scope = auth_scope(&c->id, t);
		struct value id = { .kind = VAL_INT, .i = r->enterprise }, area = { .kind = VAL_TEXT, .s = r->area };
		struct filter f = { .column = STR("area"), .op = FILTER_PREFIX, .vals = &area, .nvals = 1 };
		if (r->enterprise)
			f = (struct filter){ .column = STR("id"), .op = FILTER_EQ, .vals = &id, .nvals = 1 };
		struct list_query lq = { .filters = &f, .nfilters = r->enterprise || r->area.n, .limit = LIMIT_REPLAY_FIRMS };
		err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p);
		*ret_left = total - (int64_t)n;
	}
	for (size_t i = 0; i < n; i++)
		firm_json(w, t, &rows[i]);
	jw_end(w);
	return err;
}

// ---- the answer ------------------------------------------------------------------------------------
static void subject_json(struct call *c, struct jw *w, const struct replay *r)
{
	jw_kobj(w, "subject");
	jw_kstr(w, "kind", r->kind);
	jw_ki64(w, "id", r->id);
	jw_kstr(w, "type", r->t ? r->t->name : STR_EMPTY);
	jw_kstr(w, "type_label", r->t ? label_text(c, r->t->label) : STR_EMPTY);
	jw_kstr(w, "number", r->number);
	jw_kstr(w, "title", r->title);
	jw_ki64(w, "enterprise", r->enterprise);
	jw_kstr(w, "area", r->area);
	jw_end(w);
}

enum err replay_json(struct call *c, const struct replay_view *v, struct jw *w)
{
	int64_t left;
	jw_obj(w);
	jw_ktime(w, "from", v->r.from);
	jw_ktime(w, "to", v->r.to);
	subject_json(c, w, &v->r);
	alarms_json(w, &v->r);
	events_json(c, w, &v->r);
	enum err err = points_json(c, v, w);
	if (!err)
		err = firms_json(c, v, w, &left);
	if (!err) {
		jw_kobj(w, "left_out");
		jw_ki64(w, "points", (int64_t)(v->points_there - v->npoints));
		jw_ki64(w, "trends", (int64_t)(v->points_there - v->ntrends));
		jw_ki64(w, "enterprises", left);
		jw_end(w);
	}
	jw_end(w);
	return err;
}

enum err replay_get(struct call *c)
{
	struct replay_view v;
	enum err err = replay_view_read(c, &v);
	return err ? err : replay_json(c, &v, &c->w);
}
