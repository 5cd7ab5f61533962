// Vector tiles of the map and what lies within an area: every type with a point is a layer, in the reader's rights and scope.
#include <math.h>

#include "api/api.h"
#include "base/time.h"
#include "exchange/table.h"

bool call_map_source(struct call *c, const struct type *t, struct map_source *ret)
{
	return map_source_of(t, ret) && auth_may_read(&c->id, t) && auth_may_read_field(&c->id, ret->place) &&
	       (!ret->level || auth_may_read_field(&c->id, ret->level));
}

static bool sees_title(const struct call *c, const struct type *t)
{
	const struct field *f = type_field(t, t->title);
	return !f || (auth_may_read_field(&c->id, f) && auth_sees_masked(&c->id, f));
}

static enum err find_layer(struct call *c, struct str name, const struct type **ret, struct map_layer **ret_layer)
{
	struct map_source s;
	*ret = registry_type(c->reg, name);
	if (!*ret || !call_map_source(c, *ret, &s))
		return call_fail(c, ERR_NOT_FOUND, "layer", "没有这个图层，或无权查看；图层见 /api/v1/tiles",
		                 "no such layer, or not yours to see; /api/v1/tiles lists them");
	*ret_layer = c->app->map_layer(c->app, *ret, &c->p);
	return *ret_layer ? OK : c->p.err ? c->p.err : ERR_UNAVAILABLE;
}

// ---- what is asked for -------------------------------------------------------------------------
static enum err read_colors(struct call *c, struct map_ask *ask)
{
	struct str rest = http_query(c->rq, "level");
	enum map_color color;
	while (rest.n) {
		struct str one = str_cut(&rest, ',');
		if (!map_color_of(one, &color))
			return call_fail(c, ERR_INVALID, "level", "级别须为 red、orange、yellow、blue、green、grey，多个用逗号隔开",
			                 "level must be red, orange, yellow, blue, green or grey, several with commas");
		ask->colors |= 1u << color;
	}
	return OK;
}

static enum err read_ask(struct call *c, const struct type *t, struct map_ask *ret)
{
	struct str by = http_query(c->rq, "by");
	*ret = (struct map_ask){ .sectors = http_query(c->rq, "sector"), .states = http_query(c->rq, "state"), .titles = sees_title(c, t) };
	if (by.n && !str_is(by, "state") && !str_is(by, "risk"))
		return call_fail(c, ERR_INVALID, "by", "by 须为 state（按当前状态）或 risk（按风险等级）", "by must be state (as it is now) or risk (its grade)");
	ret->by = str_is(by, "risk") ? MAP_BY_RISK : MAP_BY_STATE;
	if (ret->sectors.n + ret->states.n > LIMIT_VIEW_QUERY)
		return call_fail(c, ERR_TOO_LARGE, "sector", "筛选条件过长", "the filter is too long");
	return read_colors(c, ret);
}

static enum err read_tile(struct call *c, struct tile *ret)
{
	struct str y = c->param[3];
	uint64_t v[3] = { 0 };
	if (!str_ends(y, STR(".mvt")))
		return call_fail(c, ERR_NOT_FOUND, "y", "瓦片地址以 .mvt 结尾：/api/v1/tiles/图层/z/x/y.mvt", "a tile's address ends in .mvt: /api/v1/tiles/LAYER/z/x/y.mvt");
	y.n -= 4;
	if (!str_to_u64(c->param[1], &v[0]) || v[0] > TILE_Z_MAX)
		return problem_set(&c->p, ERR_INVALID, "z", "层级 z 须为 0 到 %d 的整数", "z must be a whole number from 0 to %d", TILE_Z_MAX);
	if (!str_to_u64(c->param[2], &v[1]) || v[1] >> v[0])
		return problem_set(&c->p, ERR_INVALID, "x", "列号 x 须为 0 到 %llu 的整数", "x must be a whole number from 0 to %llu", (1ull << v[0]) - 1);
	if (!str_to_u64(y, &v[2]) || v[2] >> v[0])
		return problem_set(&c->p, ERR_INVALID, "y", "行号 y 须为 0 到 %llu 的整数", "y must be a whole number from 0 to %llu", (1ull << v[0]) - 1);
	*ret = (struct tile){ (unsigned)v[0], (uint32_t)v[1], (uint32_t)v[2] };
	return OK;
}

// ---- a tile ------------------------------------------------------------------------------------
// All that an answer depends on but the objects themselves.
static struct str key_of(struct call *c, const struct type *t, struct tile tile, const struct scope *s, const struct map_ask *ask, bool gzip)
{
	return arena_printf(c->arena, "%.*s|%lld|%u|%u|%u|%.*s|%lld|%d|%.*s|%d|%u|%d|%d|%.*s|%.*s", STR_FMT(t->name), (long long)t->version, tile.z,
	                    tile.x, tile.y, STR_FMT(s->area), (long long)s->enterprise, s->nothing, STR_FMT(s->sectors), ask->titles, ask->colors,
	                    (int)ask->by, gzip, STR_FMT(ask->sectors), STR_FMT(ask->states));
}

static enum err make_tile(struct call *c, struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct tile tile, bool gzip)
{
	struct map_sum sum;
	enum err err = map_tile(l, scope, ask, tile, &c->rs->body, &sum);
	return !err && gzip && !map_gzip(&c->rs->body) ? ERR_TOO_LARGE : err;
}

enum err tiles_get(struct call *c)
{
	const struct type *t;
	struct map_layer *l;
	struct map_ask ask;
	struct tile tile;
	enum err err = read_tile(c, &tile);
	if (!err)
		err = find_layer(c, c->param[0], &t, &l);
	if (!err)
		err = read_ask(c, t, &ask);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	bool gzip = str_contains(http_header(c->rq, "Accept-Encoding"), STR("gzip"));
	struct str key = key_of(c, t, tile, &scope, &ask, gzip);
	uint32_t stamp = map_stamp(l, tile); // before it is made: what changes meanwhile has a newer one
	c->rs->type = "application/vnd.mapbox-vector-tile";
	c->rs->kept = true;
	c->rs->etag = arena_printf(c->arena, "\"%llx-%x-%llx\"", (unsigned long long)c->app->started, stamp, (unsigned long long)str_hash(key));
	if (str_eq(str_trim(http_header(c->rq, "If-None-Match")), c->rs->etag)) {
		c->rs->status = 304;
		return OK;
	}
	if (!map_cache_get(c->app->tiles, key, stamp, &c->rs->body)) {
		err = make_tile(c, l, &scope, &ask, tile, gzip);
		if (!err)
			map_cache_put(c->app->tiles, key, stamp, buf_str(&c->rs->body));
	}
	c->rs->gzip = gzip && c->rs->body.n;
	return err;
}

// ---- which layers there are --------------------------------------------------------------------
enum err tiles_list(struct call *c)
{
	struct map_source s;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < c->reg->ntypes; i++) {
		const struct type *t = &c->reg->types[i];
		if (!call_map_source(c, t, &s))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "layer", t->name);
		jw_kstr(&c->w, "label", label_text(c, t->label));
		jw_kstr(&c->w, "url", arena_printf(c->arena, "/api/v1/tiles/%.*s/{z}/{x}/{y}.mvt", STR_FMT(t->name)));
		jw_kbool(&c->w, "risk", s.level != NULL);
		jw_kbool(&c->w, "live", s.live);
		jw_ki64(&c->w, "z_max", TILE_Z_MAX);
		jw_ki64(&c->w, "z_titles", MAP_TITLE_Z);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// ---- what lies within --------------------------------------------------------------------------
static enum err read_ring(struct call *c, struct map_where *w)
{
	struct str rest = http_query(c->rq, "ring");
	double(*v)[2] = arena_alloc(c->arena, (rest.n / 4 + 1) * sizeof *v);
	bool ok = true;
	size_t n = 0;
	while (rest.n && ok && n < LIMIT_MAP_RING) {
		struct str lat = str_cut(&rest, ';'), lon = str_cut(&lat, ',');
		ok = str_to_f64(str_trim(lon), &v[n][0]) && str_to_f64(str_trim(lat), &v[n][1]) && fabs(v[n][0]) <= 180 && fabs(v[n][1]) <= 90;
		n += ok;
	}
	w->ring = (const double(*)[2])v;
	w->n = n;
	if (!ok || n < 3 || rest.n)
		return problem_set(&c->p, ERR_INVALID, "ring", "范围须为 3 到 %d 个点：经度,纬度;经度,纬度;…（度）",
		                   "the area must be 3 to %d corners: lon,lat;lon,lat;… in degrees", LIMIT_MAP_RING);
	return OK;
}

static enum err read_number(struct call *c, const char *name, double min, double max, double *ret)
{
	struct str s = http_query(c->rq, name);
	if (str_to_f64(s, ret) && *ret >= min && *ret <= max)
		return OK;
	return problem_set(&c->p, ERR_INVALID, name, "须为 %g 到 %g 之间的数", "must be a number from %g to %g", min, max);
}

// near=TYPE:ID, a thing on the map that the caller may see.
static enum err read_thing(struct call *c, struct map_where *w)
{
	struct str id = http_query(c->rq, "near"), name = str_cut(&id, ':');
	const struct type *t;
	struct map_layer *l;
	int64_t number;
	if (!str_to_i64(id, &number))
		return call_fail(c, ERR_INVALID, "near", "near 须为 类型:编号，如 enterprise:12", "near must be TYPE:ID, e.g. enterprise:12");
	enum err err = find_layer(c, name, &t, &l);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	if (!map_place(l, &scope, number, &w->lon, &w->lat))
		return call_fail(c, ERR_NOT_FOUND, "near", "没有这个对象，或它没有位置，或不在您的管辖范围", "no such thing, or it has no place, or it is outside your scope");
	return OK;
}

static enum err read_where(struct call *c, struct map_where *w)
{
	*w = (struct map_where){ .circle = !http_query(c->rq, "ring").n };
	if (!w->circle)
		return read_ring(c, w);
	enum err err = read_number(c, "m", 1, 500000, &w->metres);
	if (err || http_query(c->rq, "near").n)
		return err ? err : read_thing(c, w);
	err = read_number(c, "lon", -180, 180, &w->lon);
	return err ? err : read_number(c, "lat", -90, 90, &w->lat);
}

struct found {
	const struct type *t;
	struct map_found *v;
	size_t n;
	struct map_sum sum;
};

static void found_json(struct call *c, const struct found *f, const struct map_where *w, enum map_by by)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct map_object *o = &f->v[i].o;
		jw_obj(&c->w);
		jw_kstr(&c->w, "type", f->t->name);
		jw_ki64(&c->w, "id", o->id);
		jw_kstr(&c->w, "title", o->title);
		jw_kcstr(&c->w, "level", map_color_name(o->color[by]));
		jw_kstr(&c->w, "state", o->state);
		jw_kstr(&c->w, "sector", o->place.sector);
		jw_kstr(&c->w, "area", o->place.area);
		jw_karr(&c->w, "position");
		jw_f64(&c->w, round(o->lon * 1e7) / 1e7);
		jw_f64(&c->w, round(o->lat * 1e7) / 1e7);
		jw_end(&c->w);
		if (w->circle)
			jw_kf64(&c->w, "metres", round(f->v[i].metres * 10) / 10);
		jw_end(&c->w);
	}
}

static void sum_json(struct call *c, const struct found *f, size_t n)
{
	jw_karr(&c->w, "layers");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "layer", f[i].t->name);
		jw_ki64(&c->w, "total", f[i].sum.n);
		for (size_t k = 0; k < MAP_COLORS; k++)
			jw_ki64(&c->w, map_color_name((enum map_color)k), f[i].sum.color[k]);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

static void found_csv(struct call *c, const struct found *f, enum map_by by)
{
	struct buf *b = &c->rs->body;
	for (size_t i = 0; i < f->n; i++) {
		const struct map_object *o = &f->v[i].o;
		buf_printf(b, "%.*s,%lld,", STR_FMT(f->t->name), (long long)o->id);
		struct str texts[] = { o->title, str_of(map_color_name(o->color[by])), o->state, o->place.sector, o->place.area };
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			table_csv_text(b, texts[k]);
			buf_add_u8(b, ',');
		}
		buf_printf(b, "%.7f,%.7f,%.1f\r\n", o->lon, o->lat, f->v[i].metres);
	}
}

static enum err write_found(struct call *c, const struct found *f, size_t n, const struct map_where *w, enum map_by by)
{
	if (str_is(http_query(c->rq, "format"), "csv")) {
		c->rs->type = "text/csv; charset=utf-8";
		c->rs->filename = STR("within.csv");
		buf_add_cstr(&c->rs->body, "\xef\xbb\xbf"); // so that Excel reads UTF-8
		buf_add_cstr(&c->rs->body, call_is_en(c) ? "type,id,title,level,state,sector,area,longitude,latitude,metres\r\n" :
		                                           "类型,编号,名称,级别,状态,行业,区划,经度,纬度,距离（米）\r\n");
		for (size_t i = 0; i < n; i++)
			found_csv(c, &f[i], by);
		return OK;
	}
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		found_json(c, &f[i], w, by);
	jw_end(&c->w);
	sum_json(c, f, n);
	jw_end(&c->w);
	return OK;
}

enum err map_within_get(struct call *c)
{
	struct str rest = http_query(c->rq, "layer");
	struct found *found = arena_many(c->arena, LIMIT_MAP_LAYERS, struct found);
	struct map_where w;
	struct map_ask ask = { 0 };
	size_t n = 0, room = LIMIT_MAP_FOUND;
	enum err err = rest.n ? read_where(c, &w) : call_fail(c, ERR_INVALID, "layer", "请写出图层，多个用逗号隔开", "name the layers, several with commas");
	while (!err && rest.n && n < LIMIT_MAP_LAYERS) {
		struct found *f = &found[n++];
		struct map_layer *l;
		err = find_layer(c, str_cut(&rest, ','), &f->t, &l);
		if (!err)
			err = read_ask(c, f->t, &ask);
		if (err)
			break;
		struct scope scope = auth_scope(&c->id, f->t);
		err = map_within(l, &scope, &ask, &w, room, c->arena, &f->v, &f->n, &f->sum);
		room -= f->n;
	}
	return err ? err : write_found(c, found, n, &w, ask.by);
}
