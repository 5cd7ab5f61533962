// Cameras: which are near a point or belong to an enterprise, how many are online, and the stills that core/stills.c keeps. All in the
// caller's scope of the type camera; the address of a still is not told here.
#include <math.h>

#include "api/api.h"
#include "base/time.h"
#include "map/plane.h"
#include "model/held.h"

static enum err camera_type(struct call *c, const struct type **ret)
{
	*ret = registry_type(c->reg, STR("camera"));
	if (*ret && auth_may_read(&c->id, *ret))
		return OK;
	return call_fail(c, ERR_FORBIDDEN, "camera", "您的角色看不到摄像机", "your role may not see cameras");
}

// ---- which ---------------------------------------------------------------------------------------
struct near_camera { const struct row *row; double metres; };

struct asked {
	const struct type *t;
	struct filter f[6];
	struct value v[6];
	size_t n;
	bool near;
	struct plane plane;
	double metres;
};

static void bound(struct asked *a, size_t col, enum filter_op op, double x)
{
	a->v[a->n] = (struct value){ .kind = VAL_REAL, .f = x };
	a->f[a->n] = (struct filter){ a->t->table.cols[col].name, op, &a->v[a->n], 1 };
	a->n++;
}

// Where the point is: its own place, else its enterprise's.
static enum err place_of_point(struct call *c, struct asked *a)
{
	const struct site_point *p;
	enum err err = call_point(c, http_query(c->rq, "point"), "point", &p);
	if (err)
		return err;
	double lon = p->lon, lat = p->lat;
	const struct type *t = registry_type(c->reg, STR("enterprise"));
	struct row row;
	if (isnan(lon) && t && !records_get(call_db(c), &t->table, &(struct scope){ 0 }, p->def.enterprise, c->arena, &row)) {
		const struct value *at = held(t, &row, "position");
		lon = at[0].kind == VAL_REAL ? at[0].f : NAN;
		lat = lon == lon ? at[1].f : NAN;
	}
	if (isnan(lon))
		return call_fail(c, ERR_INVALID, "point", "这个监测点和它的企业都没有位置；请先登记位置", "neither the point nor its enterprise has a place; enter one first");
	a->near = true;
	a->plane = plane_at(lon, lat);
	return OK;
}

static enum err read_asked(struct call *c, struct asked *a)
{
	struct str m = http_query(c->rq, "m");
	int64_t enterprise;
	*a = (struct asked){ .metres = 500 };
	enum err err = camera_type(c, &a->t);
	if (!err)
		err = query_int(c, "enterprise", 0, 0, INT64_MAX, &enterprise);
	if (!err && m.n && (!str_to_f64(m, &a->metres) || !(a->metres >= 1 && a->metres <= 20000)))
		return call_fail(c, ERR_INVALID, "m", "距离须为 1 到 20000 米", "the distance must be 1 to 20000 metres");
	if (!err && http_query(c->rq, "point").n)
		err = place_of_point(c, a);
	if (err)
		return err;
	if (enterprise) {
		a->v[a->n] = (struct value){ .kind = VAL_INT, .i = enterprise };
		a->f[a->n] = (struct filter){ STR("enterprise"), FILTER_EQ, &a->v[a->n], 1 };
		a->n++;
	}
	const struct field *place = type_field(a->t, a->t->geometry);
	if (a->near && place && place->ncols == 2) {
		double dlon = a->metres / a->plane.per_lon, dlat = a->metres / a->plane.per_lat;
		bound(a, place->col, FILTER_GE, a->plane.lon - dlon);
		bound(a, place->col, FILTER_LE, a->plane.lon + dlon);
		bound(a, place->col + 1, FILTER_GE, a->plane.lat - dlat);
		bound(a, place->col + 1, FILTER_LE, a->plane.lat + dlat);
	}
	return OK;
}

static int by_metres(const void *a, const void *b)
{
	double x = ((const struct near_camera *)a)->metres, y = ((const struct near_camera *)b)->metres;
	return (x > y) - (x < y);
}

static void camera_json(struct call *c, const struct asked *a, const struct near_camera *k)
{
	const struct type *t = a->t;
	const struct value *at = held(t, k->row, "position");
	const struct field *part = type_field(t, STR("part"));
	struct str what = held_text(t, k->row, "part"), link = held_text(t, k->row, "link");
	const struct menu_item *item = part && part->menu && what.n ? menu_item(part->menu, what) : NULL;
	struct still_view v;
	struct jw *w = &c->w;
	bool fetched = c->app->still(c->app, k->row->c.id, NULL, &v);
	jw_obj(w);
	jw_ki64(w, "id", k->row->c.id);
	jw_kstr(w, "title", k->row->c.title);
	jw_ki64(w, "enterprise", k->row->c.enterprise);
	jw_kstr(w, "part", what);
	jw_kstr(w, "part_label", item ? label_text(c, item->label) : what);
	jw_kstr(w, "link", link.n ? link : STR("unknown"));
	jw_kbool(w, "fetched", fetched);
	jw_karr(w, "position");
	for (size_t i = 0; at[0].kind == VAL_REAL && i < 2; i++)
		jw_f64(w, at[i].f);
	jw_end(w);
	if (a->near)
		jw_kf64(w, "metres", round(k->metres));
	if (fetched && v.at)
		jw_ktime(w, "still_at", v.at);
	if (fetched && v.why.zh.n)
		jw_kstr(w, "why", label_text(c, v.why));
	jw_end(w);
}

static enum err write_cameras(struct call *c, struct asked *a, const struct scope *scope)
{
	struct list_query lq = { .filters = a->f, .nfilters = a->n, .limit = LIMIT_PAGE_SIZE };
	struct row *rows;
	size_t n, kept = 0;
	enum err err = records_list(call_db(c), &a->t->table, scope, &lq, c->arena, &rows, &n, NULL, &c->p);
	if (err)
		return err;
	struct near_camera *v = arena_many(c->arena, n + 1, struct near_camera);
	for (size_t i = 0; i < n; i++) {
		const struct value *at = held(a->t, &rows[i], "position");
		struct near_camera k = { &rows[i], 0 };
		if (a->near) {
			struct zone_xy xy = plane_metres(&a->plane, at[0].f, at[1].f);
			k.metres = hypot(xy.x, xy.y);
		}
		if (!a->near || k.metres <= a->metres)
			v[kept++] = k;
	}
	if (a->near)
		qsort(v, kept, sizeof *v, by_metres);
	for (size_t i = 0; i < kept && i < LIMIT_CAMERAS_NEAR; i++)
		camera_json(c, a, &v[i]);
	return OK;
}

// How many of the caller's cameras in use have this connection; NULL: all.
static enum err count(struct call *c, const struct type *t, const struct scope *scope, const char *link, int64_t *ret)
{
	struct value v[] = { { .kind = VAL_TEXT, .s = STR("active") }, { .kind = VAL_TEXT, .s = str_of(link) } };
	struct filter f[] = { { STR("service"), FILTER_EQ, &v[0], 1 }, { STR("link"), FILTER_EQ, &v[1], 1 } };
	struct list_query lq = { .filters = f, .nfilters = link ? 2 : 1, .limit = 1 };
	struct row *rows;
	size_t n;
	return records_list(call_db(c), &t->table, scope, &lq, c->arena, &rows, &n, ret, &c->p);
}

enum err cameras_get(struct call *c)
{
	struct asked a;
	int64_t total = 0, online = 0, offline = 0;
	enum err err = read_asked(c, &a);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, a.t);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	if (a.n)
		err = write_cameras(c, &a, &scope);
	jw_end(&c->w);
	if (!err)
		err = count(c, a.t, &scope, NULL, &total);
	if (!err)
		err = count(c, a.t, &scope, "online", &online);
	if (!err)
		err = count(c, a.t, &scope, "offline", &offline);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "online", online);
	jw_ki64(&c->w, "offline", offline);
	jw_ki64(&c->w, "unknown", total - online - offline);
	if (a.near)
		jw_kf64(&c->w, "m", a.metres);
	jw_end(&c->w);
	return err;
}

// ---- stills --------------------------------------------------------------------------------------
static enum err camera_of(struct call *c, int64_t *ret)
{
	const struct type *t;
	struct row row;
	enum err err = camera_type(c, &t);
	if (!err)
		err = param_id(c, 0, ret);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	if (records_get(call_db(c), &t->table, &scope, *ret, c->arena, &row) || row.c.retired)
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这台摄像机，或不在您的管辖范围", "no such camera, or outside your scope");
	return OK;
}

static enum err no_address(struct call *c)
{
	return call_fail(c, ERR_NOT_FOUND, "id", "这台摄像机没有登记抓图地址，或已停用", "no address of a still is entered for this camera, or it is out of service");
}

enum err camera_still(struct call *c)
{
	struct still_view v;
	int64_t id;
	enum err err = camera_of(c, &id);
	if (err)
		return err;
	if (!c->app->still(c->app, id, c->arena, &v))
		return no_address(c);
	if (!v.why.zh.n)
		v.why = (struct label){ STR("还没有抓到，请稍候"), STR("it was not fetched yet; wait a moment") };
	if (!v.at)
		return call_fail(c, ERR_NOT_FOUND, "id", arena_printf(c->arena, "没有可用的画面：%.*s", STR_FMT(v.why.zh)).p,
		                 arena_printf(c->arena, "there is no still: %.*s", STR_FMT(v.why.en)).p);
	buf_add_str(&c->rs->body, v.bytes);
	c->rs->type = v.mime;
	c->rs->filename = str_is(str_of(v.mime), "image/png") ? STR("still.png") : STR("still.jpg");
	c->rs->shown = true;
	c->rs->csp = "default-src 'none'; sandbox";
	return OK;
}

enum err camera_ask(struct call *c)
{
	int64_t id, now = clock_now();
	enum err err = camera_of(c, &id);
	if (err)
		return err;
	if (!c->app->still_ask(c->app, id))
		return no_address(c);
	jw_obj(&c->w);
	jw_kbool(&c->w, "asked", true);
	jw_ktime(&c->w, "at", now);
	jw_end(&c->w);
	return OK;
}
