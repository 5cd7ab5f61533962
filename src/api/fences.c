// A fence or route tried on stored tracks before it is saved: the same judge as the live one (fence/fence.h), fed with what the vehicles
// and people of the caller's scope did. One piece of bounded work of a worker thread.
#include <math.h>

#include "api/api.h"
#include "base/time.h"
#include "fence/record.h"

#define DEFAULT_SPAN (7 * US_PER_DAY)
#define LONGEST (31 * US_PER_DAY)
#define EPISODES 2000

struct episode { uint32_t point; enum fence_what what; int64_t from, to; double lon, lat, value, limit; }; // to: 0 = it lasts

struct trial {
	struct call *c;
	int64_t from, to, until;    // until: monotonic, when to stop
	struct fence_def def;
	struct fence_mover *movers;
	size_t nmovers, positions, left_out;
	struct episode *v;
	size_t n, cap, all;
};

// ---- the request -------------------------------------------------------------------------------
static enum err read_time(struct call *c, const char *key, int64_t otherwise, int64_t *ret)
{
	*ret = otherwise;
	if (!json_object_get(c->body, key) || time_parse(body_str(c, key), ret))
		return OK;
	return call_fail(c, ERR_INVALID, key, "时间格式应为 RFC 3339", "an RFC 3339 time is expected");
}

static enum err read_span(struct trial *t)
{
	enum err err = read_time(t->c, "to", clock_now(), &t->to);
	if (!err)
		err = read_time(t->c, "from", t->to - DEFAULT_SPAN, &t->from);
	if (!err && (t->from >= t->to || t->to - t->from > LONGEST))
		return call_fail(t->c, ERR_INVALID, "from", "from 须早于 to，一次至多试算 31 天",
			"from must be before to, and at most 31 days are tried at once");
	return err;
}

// A saved fence that the caller may see, or the fields of one that is not.
static enum err read_fence(struct trial *t)
{
	struct call *c = t->c;
	const struct type *type = registry_type(c->reg, STR("fence"));
	const json_t *id = json_object_get(c->body, "id"), *fields = json_object_get(c->body, "fence");
	struct row row = { .vals = NULL };
	if (!type || !auth_may_read(&c->id, type))
		return call_fail(c, ERR_FORBIDDEN, NULL, "您的角色没有此项权限", "your role does not have this permission");
	enum err err;
	if (json_is_integer(id)) {
		err = records_get(call_db(c), &type->table, &c->id.scope, json_integer_value(id), c->arena, &row);
		if (err == ERR_NOT_FOUND)
			return call_fail(c, err, "id", "没有这个围栏，或不在您的管辖范围", "no such fence, or outside your scope");
	} else if (json_is_object(fields)) {
		const char *area = json_string_value(json_object_get(fields, "area")),
			*name = json_string_value(json_object_get(fields, "name"));
		err = record_values(type, fields, NULL, &c->id, c->arena, &row.vals, &c->p);
		row.c.enterprise = json_integer_value(json_object_get(fields, "enterprise"));
		row.c.area = area ? str_of(area) : STR_EMPTY;
		row.c.title = name ? str_of(name) : STR_EMPTY;
	} else {
		return call_fail(c, ERR_INVALID, "fence", "请用 id 指定已保存的围栏，或用 fence 给出它的字段",
			"say which fence: id of a saved one, or fence with its fields");
	}
	return err ? err : fence_read(call_db(c), c->reg, type, &row, c->arena, &t->def);
}

// Those it holds for and the caller may see.
static void find_movers(struct trial *t, const struct fence_mover *all, size_t n)
{
	struct call *c = t->c;
	struct fence_set *set = fence_set_new(&t->def, 1, all, n, points_max(call_site(c)->points), NULL, NULL);
	t->movers = arena_many(c->arena, LIMIT_FENCE_TRIAL_MOVERS, struct fence_mover);
	for (size_t i = 0; i < n; i++) {
		struct site_point lon, lat;
		if (!site_point(call_site(c), all[i].lon, &lon) || !site_point(call_site(c), all[i].lat, &lat) ||
			!auth_in_scope(&c->id, point_place(&lon)) ||
		    !auth_in_scope(&c->id, point_place(&lat)))
			continue;
		bool holds = fence_set_holds(set, t->def.id, all[i].lon);
		if (holds && t->nmovers < LIMIT_FENCE_TRIAL_MOVERS)
			t->movers[t->nmovers++] = all[i];
		else
			t->left_out += holds;
	}
	fence_set_free(set);
}

// ---- the tracks --------------------------------------------------------------------------------
static void on_event(void *arg, const struct fence_event *e)
{
	struct trial *t = arg;
	if (e->begins) {
		t->all++;
		if (t->n == EPISODES)
			return;
		t->v = arena_push(t->c->arena, t->v, &t->n, &t->cap, sizeof *t->v);
		t->v[t->n - 1] = (struct episode){ e->point, e->what, e->at, 0, e->lon, e->lat, e->value, e->limit };
		return;
	}
	for (size_t i = t->n; i > 0; i--)
		if (t->v[i - 1].point == e->point && t->v[i - 1].what == e->what) {
			t->v[i - 1].to = t->v[i - 1].to ? t->v[i - 1].to : e->at;
			return;
		}
}

struct track { struct sample *v[3]; size_t n[3], at[3]; };

// The next of the three by time; at one time longitude and latitude before the speed.
static bool next_reading(struct track *k, const uint32_t points[3], struct reading *ret)
{
	int best = -1;
	for (int i = 0; i < 3; i++)
		if (k->at[i] < k->n[i] && (best < 0 || k->v[i][k->at[i]].time < k->v[best][k->at[best]].time))
			best = i;
	if (best < 0)
		return false;
	const struct sample *s = &k->v[best][k->at[best]++];
	*ret = (struct reading){ .point = points[best], .time = s->time, .value = s->value, .quality = s->quality };
	return true;
}

static enum err drive(struct trial *t, const struct fence_mover *m)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(256 << 10);
	const uint32_t points[3] = { m->lon, m->lat, m->speed };
	struct track k = { .n = { 0 } };
	for (int i = 0; i < 3; i++) {
		enum err err = points[i] ? series_read(t->c->app->series, points[i], t->from, t->to, LIMIT_FENCE_TRACK, a,
			&k.v[i], &k.n[i]) : OK;
		if (err == ERR_TOO_LARGE)
			return call_fail(t->c, err, "from", "一辆车的轨迹点超过 20 万个，请缩短时段",
				"more than 200,000 positions of one vehicle; shorten the period");
		if (err)
			return err;
	}
	t->positions += k.n[0];
	struct fences *f = fences_new();
	fence_set_free(fences_take(f, fence_set_new(&t->def, 1, m, 1, points_max(call_site(t->c)->points), NULL, NULL), 0, on_event, t));
	struct reading r;
	while (next_reading(&k, points, &r)) {
		fences_tick(f, r.time, on_event, t);
		fences_feed(f, &r, r.time, on_event, t);
	}
	fences_settle(f, on_event, t);
	fences_tick(f, MIN(t->to, clock_now()), on_event, t);
	fences_free(f);
	return OK;
}

// ---- the answer --------------------------------------------------------------------------------
static void write_episode(struct trial *t, const struct episode *e)
{
	struct jw *w = &t->c->w;
	struct site_point p;
	jw_obj(w);
	jw_ki64(w, "point", e->point);
	if (site_point(call_site(t->c), e->point, &p)) {
		const struct roster *r = call_site(t->c)->roster;
		jw_ki64(w, "device", p.def.device);
		for (size_t i = 0; i < r->ndevices; i++)
			if (r->devices[i].id == p.def.device)
				jw_kstr(w, "name", r->devices[i].name);
		struct str what;
		jw_kstr(w, "tag", fence_tag_of(p.address, &what));
	}
	jw_kcstr(w, "what", fence_what_name(e->what));
	jw_ktime(w, "from", e->from);
	jw_key(w, "to");
	if (e->to)
		jw_time(w, e->to);
	else
		jw_null(w);
	jw_kf64(w, "value", e->value);
	jw_kf64(w, "limit", e->limit);
	jw_karr(w, "position");
	jw_f64(w, e->lon);
	jw_f64(w, e->lat);
	jw_end(w);
	jw_end(w);
}

static void write_trial(struct trial *t)
{
	struct jw *w = &t->c->w;
	jw_obj(w);
	jw_ktime(w, "from", t->from);
	jw_ktime(w, "to", t->to);
	jw_ki64(w, "movers", (int64_t)t->nmovers);
	jw_ki64(w, "movers_left_out", (int64_t)t->left_out);
	jw_ki64(w, "positions", (int64_t)t->positions);
	jw_ki64(w, "alarms", (int64_t)t->all);
	jw_karr(w, "items");
	for (size_t i = 0; i < t->n; i++)
		write_episode(t, &t->v[i]);
	jw_end(w);
	jw_end(w);
}

static enum err try_it(struct trial *t)
{
	struct call *c = t->c;
	struct fence_mover *all;
	size_t n;
	struct fence_set *set = fence_set_new(&t->def, 1, NULL, 0, 0, NULL, NULL);
	bool bad = fence_set_made(set).bad > 0;
	fence_set_free(set);
	if (bad)
		return call_fail(c, ERR_INVALID, "outline", "图形不能用：区域至少三个角，线至少两点，圆和线要有半径（半宽）",
			"the shape cannot be used: an area has three corners or more, a line two points, a circle or line its radius or half width");
	fence_movers(call_site(c)->points, c->arena, &all, &n);
	find_movers(t, all, n);
	enum err err = OK;
	for (size_t i = 0; i < t->nmovers && !err; i++) {
		if (clock_mono() > t->until)
			return call_fail(c, ERR_TOO_LARGE, "from", "试算超时，请缩短时段或减少对象",
				"the trial takes too long; shorten the period or name fewer vehicles");
		err = drive(t, &t->movers[i]);
	}
	return err;
}

enum err fences_try(struct call *c)
{
	struct trial t = { .c = c, .until = clock_mono() + LIMIT_BACKTEST_SECONDS * US_PER_S };
	enum err err = read_span(&t);
	if (!err)
		err = read_fence(&t);
	if (err)
		return err;
	err = try_it(&t);
	fence_unread(&t.def);
	if (!err)
		write_trial(&t);
	return err;
}

// ---- on the map --------------------------------------------------------------------------------
static const char *const kind_names[FENCE_KINDS + 1] = { "in", "out", "speed", "stay", "route", "post", "" };

struct painting { struct call *c; const struct type *type; size_t n; };

static enum err draw(void *arg, const struct row *row)
{
	struct painting *d = arg;
	struct call *c = d->c;
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct fence_def def;
	enum err err = fence_read(call_db(c), c->reg, d->type, row, a, &def);
	size_t n = !err ? json_dumpb(def.shape, NULL, 0, JSON_COMPACT) : 0;
	char *shape = arena_alloc(a, n + 1);
	(void)json_dumpb(def.shape, shape, n, JSON_COMPACT);
	const struct field *f = type_field(d->type, STR("in_force"));
	fence_unread(&def);
	if (!n || d->n++ >= LIMIT_MAP_AREAS)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", row->c.id);
	jw_kstr(&c->w, "name", row->c.title);
	jw_kcstr(&c->w, "kind", kind_names[def.kind]);
	jw_ki64(&c->w, "enterprise", row->c.enterprise);
	jw_kbool(&c->w, "in_force", !f || !f->ncols || row->vals[f->col].kind != VAL_INT || row->vals[f->col].i);
	jw_kf64(&c->w, "reach_m", def.reach);
	jw_key(&c->w, "shape");
	jw_raw(&c->w, str_from(shape, n));
	jw_end(&c->w);
	return OK;
}

enum err map_fences(struct call *c)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct list_query all = { 0 };
	struct painting d = { .c = c, .type = registry_type(c->reg, STR("fence")) };
	enum err err = OK;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	if (d.type && auth_may_read(&c->id, d.type))
		err = records_scan(call_db(c), &d.type->table, &c->id.scope, &all, scratch, draw, &d, &c->p);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}
