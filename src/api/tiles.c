// Vector tiles of the map: every type with a point is a layer, in the reader's rights and scope.
#include "api/api.h"
#include "base/time.h"

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

enum err call_map_layer(struct call *c, struct str name, const struct type **ret, struct map_layer **ret_layer)
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

enum err call_map_ask(struct call *c, const struct type *t, struct map_ask *ret)
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
static struct str key_of(struct call *c, const struct type *t, struct tile tile, const struct scope *s, const struct map_ask *ask,
                         bool gzip)
{
	return arena_printf(c->arena, "%.*s|%lld|%u|%u|%u|%.*s|%lld|%d|%.*s|%d|%u|%d|%d|%.*s|%.*s", STR_FMT(t->name), (long long)t->version, tile.z,
	                    tile.x, tile.y, STR_FMT(s->area), (long long)s->enterprise, s->nothing, STR_FMT(s->sectors), ask->titles, ask->colors,
	                    (int)ask->by, gzip, STR_FMT(ask->sectors), STR_FMT(ask->states));
}

static enum err make_tile(struct call *c, struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct tile tile,
                          bool gzip)
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
	if (err)
		return err;
	c->rs->type = "application/vnd.mapbox-vector-tile";
	c->rs->kept = true;
	t = registry_type(c->reg, c->param[0]);
	if (t && call_area_field(c, t))
		return area_tile(c, t, tile);
	err = call_map_layer(c, c->param[0], &t, &l);
	if (!err)
		err = call_map_ask(c, t, &ask);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	bool gzip = str_contains(http_header(c->rq, "Accept-Encoding"), STR("gzip"));
	struct str key = key_of(c, t, tile, &scope, &ask, gzip);
	uint32_t stamp = map_stamp(l, tile); // before it is made: what changes meanwhile has a newer one
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
		bool point = call_map_source(c, t, &s);
		if (!point && !call_area_field(c, t))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "layer", t->name);
		jw_kstr(&c->w, "label", label_text(c, t->label));
		jw_kstr(&c->w, "url", arena_printf(c->arena, "/api/v1/tiles/%.*s/{z}/{x}/{y}.mvt", STR_FMT(t->name)));
		jw_kcstr(&c->w, "kind", point ? "point" : "area");
		jw_kbool(&c->w, "risk", !point || s.level); // areas: of their enterprises
		jw_kbool(&c->w, "live", point && s.live);
		jw_ki64(&c->w, "z_max", TILE_Z_MAX);
		jw_ki64(&c->w, "z_titles", MAP_TITLE_Z);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
