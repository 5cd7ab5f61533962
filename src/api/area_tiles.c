// Tiles of types whose place is an area (areas, grids): read from the records at each request, since they are few, made simpler and
// cut to the tile. Coloured by the worst of the enterprises inside that the reader may see, with their counts.
#include "api/api.h"
#include "base/hash.h"
#include "map/shape.h"

struct area_tile {
	struct call *c;
	struct tile t;
	struct mvt m;
	const struct type *type;
	struct map_layer *enterprises;  // NULL: not his to see
	struct scope scope;             // of enterprises
	struct map_ask ask;
	bool titles, by_code;           // by_code: an area of the register, else what lies inside its border
	struct map_of_place *places;
	size_t nplaces;
};

const struct field *call_area_field(struct call *c, const struct type *t)
{
	const struct field *f = t->geometry.n ? type_field(t, t->geometry) : NULL;
	bool is = f && f->kind == FIELD_SHAPE && (f->shape == SHAPE_AREA || f->shape == SHAPE_ANY) && f->ncols == 1;
	return is && auth_may_read(&c->id, t) && auth_may_read_field(&c->id, f) ? f : NULL;
}

static void add(struct map_sum *to, const struct map_sum *from)
{
	to->n += from->n;
	for (size_t k = 0; k < MAP_COLORS; k++)
		to->color[k] += from->color[k];
}

static enum err sum_inside(struct area_tile *at, struct str code, const struct map_ring *rings, size_t n, struct arena *a,
                           struct map_sum *ret)
{
	enum err err = OK;
	*ret = (struct map_sum){ 0 };
	if (!at->enterprises)
		return OK;
	for (size_t i = 0; at->by_code && i < at->nplaces; i++)
		if (code.n && str_starts(at->places[i].place.area, code))
			add(ret, &at->places[i].sum);
	for (size_t i = 0; !at->by_code && !err && i < n; i++) {
		const struct map_where w = { .ring = rings[i].v, .n = rings[i].n };
		struct map_found *v;
		struct map_sum sum;
		size_t found;
		if (!rings[i].outer) // what lies in a hole is counted too: borders of grids have none
			continue;
		err = map_within(at->enterprises, &at->scope, &at->ask, &w, 0, a, &v, &found, &sum);
		if (!err)
			add(ret, &sum);
	}
	return err;
}

static enum err on_area(void *arg, const struct row *row)
{
	struct area_tile *at = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	const struct value *shape = &row->vals[0], *own = &row->vals[1];
	struct map_ring *rings;
	struct map_sum sum;
	size_t n;
	json_t *j = shape->kind == VAL_TEXT ? json_loadb(shape->s.p, shape->s.n, 0, NULL) : NULL;
	bool ok = shape_rings(j, a, &rings, &n);
	json_decref(j);
	if (!ok)
		return OK;
	mvt_feature(&at->m, MVT_AREA, (uint64_t)row->c.id);
	if (!shape_paint(&at->m, rings, n, at->t, a))
		return OK; // without geometry it is not written
	struct str code = area_prefix(at->by_code && own->kind == VAL_TEXT ? own->s : row->c.area);
	enum err err = sum_inside(at, code, rings, n, a, &sum);
	mvt_text(&at->m, "type", at->type->name);
	mvt_text(&at->m, "code", code);
	if (at->titles)
		mvt_text(&at->m, "title", row->c.title);
	mvt_text(&at->m, "level", str_of(map_color_name(map_sum_worst(&sum))));
	mvt_number(&at->m, "n", sum.n);
	for (size_t k = 0; k < MAP_COLORS; k++)
		if (sum.color[k])
			mvt_number(&at->m, map_color_name((enum map_color)k), sum.color[k]);
	return err;
}

static enum err find_enterprises(struct call *c, struct area_tile *at)
{
	struct map_source s;
	const struct type *t = registry_type(c->reg, STR("enterprise"));
	if (!t || !call_map_source(c, t, &s))
		return OK;
	at->scope = auth_scope(&c->id, t);
	at->enterprises = c->app->map_layer(c->app, t, &c->p);
	if (!at->enterprises)
		return c->p.err;
	if (at->by_code)
		map_places(at->enterprises, &at->scope, &at->ask, c->arena, &at->places, &at->nplaces);
	return OK;
}

static void set_etag(struct call *c)
{
	uint8_t hash[SM3_LEN];
	char hex[32];
	sm3_once(buf_str(&c->rs->body), hash);
	str_to_hex(hash, sizeof hex / 2, hex);
	c->rs->etag = arena_printf(c->arena, "\"%.*s\"", (int)sizeof hex, hex);
}

enum err area_tile(struct call *c, const struct type *t, struct tile tile)
{
	const struct field *f = call_area_field(c, t), *code = type_field(t, STR("code"));
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct area_tile at = { .c = c, .t = tile, .type = t, .by_code = str_is(t->name, "area") && code && code->ncols == 1 };
	struct column cols[2] = { t->table.cols[f->col], at.by_code ? t->table.cols[code->col] : t->table.cols[f->col] };
	struct table table = { .name = t->table.name, .cols = cols, .ncols = 2 };
	enum err err = call_map_ask(c, t, &at.ask);
	if (!err)
		err = find_enterprises(c, &at);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	at.titles = at.ask.titles;
	mvt_open(&at.m, t->name);
	err = records_scan(call_db(c), &table, &scope, &(struct list_query){ .limit = LIMIT_MAP_AREAS }, scratch, on_area, &at, &c->p);
	if (!mvt_close(&at.m, &c->rs->body) && !err)
		err = ERR_TOO_LARGE;
	if (err)
		return err;
	set_etag(c);
	if (!str_eq(str_trim(http_header(c->rq, "If-None-Match")), c->rs->etag))
		return OK;
	buf_clear(&c->rs->body);
	c->rs->status = 304;
	return OK;
}
