// What lies inside the outlines of a type (zones of natural hazards, of risk) and is on a layer of the map: pairs of an outline and
// an object that do not go together, as a list and as CSV. Both are what the caller may see. A hole in an outline counts as inside:
// a list of conflicts errs to the safe side.
#include <math.h>

#include "api/api.h"
#include "exchange/table.h"
#include "map/shape.h"

struct zone {
	int64_t id;
	struct str title, level;
};

struct pair {
	const struct zone *zone;
	const struct type *t;
	struct map_object o;
};

struct layer_asked {
	const struct type *t;
	struct map_layer *l;
	struct scope scope;
	struct map_ask ask;
};

struct overlay {
	struct call *c;
	const struct type *of;
	const struct field *shape, *level;
	struct layer_asked layers[LIMIT_MAP_LAYERS];
	size_t nlayers;
	struct pair *v;
	size_t n, cap, nzones, room;
};

static enum err read_layers(struct overlay *o)
{
	struct call *c = o->c;
	struct str rest = http_query(c->rq, "layer");
	enum err err = rest.n ? OK : call_fail(c, ERR_INVALID, "layer", "请写出图层，多个用逗号隔开", "name the layers, several with commas");
	while (!err && rest.n && o->nlayers < LIMIT_MAP_LAYERS) {
		struct layer_asked *a = &o->layers[o->nlayers++];
		err = call_map_layer(c, str_cut(&rest, ','), &a->t, &a->l);
		if (!err)
			err = call_map_ask(c, a->t, &a->ask);
		if (!err)
			a->scope = auth_scope(&c->id, a->t);
	}
	return err;
}

static enum err inside(struct overlay *o, const struct zone *z, const struct map_ring *ring)
{
	const struct map_where w = { .ring = ring->v, .n = ring->n };
	enum err err = OK;
	for (size_t i = 0; !err && i < o->nlayers; i++) {
		const struct layer_asked *a = &o->layers[i];
		struct map_found *found;
		struct map_sum sum;
		size_t n;
		err = map_within(a->l, &a->scope, &a->ask, &w, o->room, o->c->arena, &found, &n, &sum);
		for (size_t k = 0; !err && k < n; k++) {
			o->v = arena_push(o->c->arena, o->v, &o->n, &o->cap, sizeof *o->v);
			o->v[o->n - 1] = (struct pair){ z, a->t, found[k].o };
		}
		o->room -= err ? 0 : n;
	}
	return err;
}

static enum err on_zone(void *arg, const struct row *row)
{
	struct overlay *o = arg;
	struct arena *a = o->c->arena;
	const struct value *shape = &row->vals[o->shape->col], *level = o->level ? &row->vals[o->level->col] : NULL;
	struct map_ring *rings;
	size_t n;
	enum err err = OK;
	json_t *j = shape->kind == VAL_TEXT ? json_loadb(shape->s.p, shape->s.n, 0, NULL) : NULL;
	bool ok = shape_rings(j, a, &rings, &n);
	json_decref(j);
	if (!ok)
		return OK;
	struct zone *z = arena_one(a, struct zone);
	*z = (struct zone){ row->c.id, arena_str(a, row->c.title), level && level->kind == VAL_TEXT ? arena_str(a, level->s) : STR_EMPTY };
	o->nzones++;
	for (size_t i = 0; !err && i < n; i++)
		if (rings[i].outer && o->room)
			err = inside(o, z, &rings[i]);
	return err;
}

static const struct field *graded_by(struct call *c, const struct type *t)
{
	static const char *const names[] = { "level", "grade" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct field *f = type_field(t, str_of(names[i]));
		if (f && f->kind == FIELD_MENU && f->ncols == 1 && auth_may_read_field(&c->id, f))
			return f;
	}
	return NULL;
}

static void write_json(struct overlay *o)
{
	struct jw *w = &o->c->w;
	jw_obj(w);
	jw_ki64(w, "zones", (int64_t)o->nzones);
	jw_kbool(w, "cut", o->room == 0);
	jw_karr(w, "items");
	for (size_t i = 0; i < o->n; i++) {
		const struct pair *p = &o->v[i];
		jw_obj(w);
		jw_kobj(w, "zone");
		jw_kstr(w, "type", o->of->name);
		jw_ki64(w, "id", p->zone->id);
		jw_kstr(w, "title", p->zone->title);
		jw_kstr(w, "level", p->zone->level);
		jw_end(w);
		jw_kstr(w, "type", p->t->name);
		jw_ki64(w, "id", p->o.id);
		jw_kstr(w, "title", p->o.title);
		jw_kcstr(w, "level", map_color_name(p->o.color[MAP_BY_RISK]));
		jw_kstr(w, "state", p->o.state);
		jw_kstr(w, "sector", p->o.place.sector);
		jw_kstr(w, "area", p->o.place.area);
		jw_karr(w, "position");
		jw_f64(w, round(p->o.lon * 1e7) / 1e7);
		jw_f64(w, round(p->o.lat * 1e7) / 1e7);
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void write_csv(struct overlay *o)
{
	struct buf *b = &o->c->rs->body;
	o->c->rs->type = "text/csv; charset=utf-8";
	o->c->rs->filename = STR("overlay.csv");
	buf_add_cstr(b, "\xef\xbb\xbf"); // so that Excel reads UTF-8
	buf_add_cstr(b, call_is_en(o->c) ? "zone,zone level,type,id,title,level,sector,area,longitude,latitude\r\n" :
	                                   "分区,分区等级,类型,编号,名称,级别,行业,区划,经度,纬度\r\n");
	for (size_t i = 0; i < o->n; i++) {
		const struct pair *p = &o->v[i];
		struct str texts[] = { p->zone->title, p->zone->level, p->t->name };
		struct str more[] = { p->o.title, str_of(map_color_name(p->o.color[MAP_BY_RISK])), p->o.place.sector, p->o.place.area };
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			table_csv_text(b, texts[k]);
			buf_add_u8(b, ',');
		}
		buf_printf(b, "%lld,", (long long)p->o.id);
		for (size_t k = 0; k < ARRAY_LEN(more); k++) {
			table_csv_text(b, more[k]);
			buf_add_u8(b, ',');
		}
		buf_printf(b, "%.7f,%.7f\r\n", p->o.lon, p->o.lat);
	}
}

enum err map_overlay_get(struct call *c)
{
	struct overlay *o = arena_one(c->arena, struct overlay);
	*o = (struct overlay){ .c = c, .of = registry_type(c->reg, http_query(c->rq, "of")), .room = LIMIT_MAP_FOUND };
	o->shape = o->of ? call_area_field(c, o->of) : NULL;
	if (!o->shape)
		return call_fail(c, ERR_NOT_FOUND, "of", "没有这类范围，或无权查看；of 为有范围（面）的类型，如 natural_zone",
		                 "no such outlines, or not yours to see; of is a type whose place is an outline, e.g. natural_zone");
	o->level = graded_by(c, o->of);
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct scope scope = auth_scope(&c->id, o->of);
	enum err err = read_layers(o);
	if (!err)
		err = records_scan(call_db(c), &o->of->table, &scope, &(struct list_query){ .limit = LIMIT_MAP_AREAS }, scratch, on_zone, o, &c->p);
	if (err)
		return err;
	if (str_is(http_query(c->rq, "format"), "csv"))
		write_csv(o);
	else
		write_json(o);
	return OK;
}
