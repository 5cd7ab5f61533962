// POST /api/v1/patrols/:id: the track of a patrol (packs/spot/types/patrol_round.yaml) compared with the points of its route. The track is
// what its terminal sent, read from the history; what was passed, when, and what was missed is written into the record.
#include <math.h>

#include "api/lot.h"
#include "api/mover.h"
#include "base/time.h"
#include "flow/draft.h"
#include "model/held.h"

struct patrolling {
	struct call *c;
	const struct type *t, *route_type;
	int64_t id;
	struct row row, route;
	json_t *plan;               // rows {name, lon, lat, radius}
	struct track_point *points;
	size_t npoints, positions, passed;
	double way;                 // m
	struct value passes;
	struct str missed;
};

static enum err read_plan(struct patrolling *k)
{
	struct call *c = k->c;
	const struct type *t = k->route_type = registry_type(c->reg, STR("patrol_route"));
	const struct field *f = t ? type_field(t, STR("points")) : NULL;
	enum err err = f ? records_get(call_db(c), &t->table, &c->id.scope, held_int(k->t, &k->row, "route", 0), c->arena, &k->route) : ERR_NOT_FOUND;
	json_t *one;
	size_t i;
	if (err)
		return call_fail(c, err, "route", "没有这条巡防线路，或不在您的管辖范围", "no such route, or outside your scope");
	k->plan = value_rows(&k->route.vals[f->col]);
	k->points = arena_many(c->arena, json_array_size(k->plan) + 1, struct track_point);
	json_array_foreach(k->plan, i, one)
		k->points[k->npoints++] = (struct track_point){ json_number_value(json_object_get(one, "lon")), json_number_value(json_object_get(one, "lat")),
			json_number_value(json_object_get(one, "radius")), 0, 0 };
	return k->npoints ? OK : call_fail(c, ERR_CONFLICT, "route", "这条线路没有巡查点", "the route has no points");
}

static enum err read_track(struct patrolling *k)
{
	struct call *c = k->c;
	int64_t from = held_int(k->t, &k->row, "started", 0), to = held_int(k->t, &k->row, "ended", 0), device = held_int(k->route_type, &k->route, "device", 0);
	struct site_point lon, lat;
	struct track_at *v;
	if (!from || !to || to - from > US_PER_DAY)
		return call_fail(c, ERR_CONFLICT, "ended", "先登记开始和结束时间（至多 24 小时）", "say when it began and ended, at most 24 hours");
	if (!mover_points(c, device, held_text(k->route_type, &k->route, "tag"), &lon, &lat))
		return call_fail(c, ERR_CONFLICT, "device", "没有这台终端的位置测点，或不在您的管辖范围", "the terminal has no points of its position, or not in your scope");
	enum err err = mover_track(c, &lon, &lat, from, to + 1, &v, &k->positions);
	if (err)
		return err;
	k->way = track_compare(v, k->positions, k->points, k->npoints);
	return OK;
}

static void tell(struct patrolling *k)
{
	struct arena *a = k->c->arena;
	json_t *rows = json_array();
	for (size_t i = 0; i < k->npoints; i++) {
		const struct track_point *p = &k->points[i];
		const char *name = json_string_value(json_object_get(json_array_get(k->plan, i), "name"));
		char at[TIME_TEXT_MAX] = "";
		struct str title = str_of(name ? name : "");
		if (p->passed)
			at[MIN(time_text(p->passed / US_PER_S * US_PER_S, at), (size_t)19)] = 0;
		else
			k->missed = arena_printf(a, "%.*s%s%.*s", STR_FMT(k->missed), k->missed.n ? "、" : "", STR_FMT(title));
		k->passed += p->passed != 0;
		json_t *row = json_pack("{s:s, s:s}", "name", name ? name : "", "at", at);
		if (isfinite(p->nearest))
			json_object_set_new(row, "nearest", json_real(round(p->nearest)));
		json_array_append_new(rows, row);
	}
	k->passes = lot_rows(rows, a);
	json_decref(rows);
}

static enum err patrol_job(struct db *db, void *arg, struct problem *p)
{
	struct patrolling *k = arg;
	const struct flow_field f[] = {
		{ "passes", k->passes },
		{ "missed", { .kind = VAL_TEXT, .s = k->missed } },
		{ "planned", { .kind = VAL_REAL, .f = (double)k->npoints, .s = STR_EMPTY } },
		{ "passed", { .kind = VAL_REAL, .f = (double)k->passed, .s = STR_EMPTY } },
		{ "positions", { .kind = VAL_REAL, .f = (double)k->positions, .s = STR_EMPTY } },
		{ "km", { .kind = VAL_REAL, .f = round(k->way / 10) / 100, .s = STR_EMPTY } },
		{ "compared", { .kind = VAL_INT, .i = clock_now(), .s = STR_EMPTY } },
	};
	return flow_update(db, k->c->reg, k->t, k->id, f, ARRAY_LEN(f), LABEL_EMPTY, k->c->arena, &k->row, p);
}

enum err patrol_post(struct call *c)
{
	struct patrolling k = { .c = c, .t = registry_type(c->reg, STR("patrol_round")), .missed = STR_EMPTY };
	enum err err = call_may_edit(c, k.t, &k.id, "您的角色不能对比轨迹", "your role does not compare tracks");
	if (!err)
		err = call_row(c, call_db(c), k.t, k.id, &k.row, &c->p);
	if (!err && !str_is(k.row.c.state, "comparing"))
		err = call_fail(c, ERR_CONFLICT, "state", "巡查结束后、确认前才能对比", "after the patrol and before it is confirmed");
	if (!err)
		err = read_plan(&k);
	if (!err)
		err = read_track(&k);
	if (!err)
		tell(&k);
	json_decref(k.plan);
	if (!err)
		err = store_write(c->app->store, patrol_job, &k, &c->p);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, k.t, &k.row, &c->id, true, c->arena);
	return OK;
}
