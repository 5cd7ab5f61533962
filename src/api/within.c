// What lies within a circle or a polygon of the map, and what each area holds: lists and sums of what the reader may see.
#include <math.h>

#include "api/api.h"
#include "base/strmap.h"
#include "exchange/table.h"

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
	enum err err = call_map_layer(c, name, &t, &l);
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
		err = call_map_layer(c, str_cut(&rest, ','), &f->t, &l);
		if (!err)
			err = call_map_ask(c, f->t, &ask);
		if (err)
			break;
		struct scope scope = auth_scope(&c->id, f->t);
		err = map_within(l, &scope, &ask, &w, room, c->arena, &f->v, &f->n, &f->sum);
		room -= f->n;
	}
	return err ? err : write_found(c, found, n, &w, ask.by);
}

// ---- areas -------------------------------------------------------------------------------------
struct area_sum {
	struct str code;        // the digits that say something
	struct map_sum sum;
};

static struct area_sum *area_of(struct strmap *known, struct area_sum *v, size_t *n, struct str code)
{
	uint32_t i;
	if (!strmap_get(known, code, &i)) {
		i = (uint32_t)(*n)++;
		strmap_put(known, code, i);
		v[i].code = code;
	}
	return &v[i];
}

// Each area and all above it: county 6 digits, town 9, village 12 (area_prefix).
static void roll_up(struct strmap *known, const struct map_of_place *p, struct area_sum *v, size_t *n)
{
	static const size_t tiers[] = { 4, 6, 9, 12 };
	struct str whole = area_prefix(p->place.area);
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		if (whole.n < tiers[i])
			break;
		struct area_sum *s = area_of(known, v, n, str_first(whole, tiers[i]));
		s->sum.n += p->sum.n;
		for (size_t k = 0; k < MAP_COLORS; k++)
			s->sum.color[k] += p->sum.color[k];
	}
}

enum err map_areas_get(struct call *c)
{
	const struct type *t;
	struct map_layer *l;
	struct map_ask ask;
	struct map_of_place *places;
	size_t n, areas = 0;
	enum err err = call_map_layer(c, STR("enterprise"), &t, &l);
	if (!err)
		err = call_map_ask(c, t, &ask);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	map_places(l, &scope, &ask, c->arena, &places, &n);
	struct area_sum *v = arena_many(c->arena, n * 4 + 1, struct area_sum);
	struct strmap *known = strmap_new(n * 2);
	for (size_t i = 0; i < n; i++)
		if (places[i].sum.n)
			roll_up(known, &places[i], v, &areas);
	strmap_free(known);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < areas; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "code", v[i].code);
		jw_kcstr(&c->w, "level", map_color_name(map_sum_worst(&v[i].sum)));
		jw_ki64(&c->w, "total", v[i].sum.n);
		for (size_t k = 0; k < MAP_COLORS; k++)
			jw_ki64(&c->w, map_color_name((enum map_color)k), v[i].sum.color[k]);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
