// A tile of a layer: objects in the order of their keys, so that the cells of the tile come one after the other.
#include "base/limits.h"
#include "map/layer.h"
#include "map/mvt.h"

struct painting {
	struct map_layer *l;
	const struct map_ask *ask;
	struct tile t;
	struct mvt m;
	struct map_sum cell;        // of the cell that is being read
	uint64_t x, y;              // sums of the places in it, from the corner of the tile
	const struct object *last;
	uint32_t last_id;
};

static int32_t units(uint64_t from_corner, unsigned z) // 2^-32 of the world → units of the tile
{
	return (int32_t)(from_corner * TILE_EXTENT >> (32 - z));
}

static void write_one(struct painting *p)
{
	const struct object *o = p->last;
	struct str state = p->l->states[o->state], sector = p->l->places[o->place].sector;
	mvt_feature(&p->m, MVT_POINT, p->last_id);
	mvt_point(&p->m, units(p->x, p->t.z), units(p->y, p->t.z));
	mvt_text(&p->m, "level", str_of(map_color_name((enum map_color)o->color[p->ask->by])));
	mvt_text(&p->m, "type", str_of(p->l->name));
	if (state.n)
		mvt_text(&p->m, "state", state);
	if (sector.n)
		mvt_text(&p->m, "sector", sector);
	if (p->t.z >= MAP_TITLE_Z && p->ask->titles && o->title)
		mvt_text(&p->m, "title", str_of(o->title));
}

static void write_cluster(struct painting *p)
{
	const struct map_sum *s = &p->cell;
	mvt_feature(&p->m, MVT_POINT, 0);
	mvt_point(&p->m, units(p->x / s->n, p->t.z), units(p->y / s->n, p->t.z));
	mvt_number(&p->m, "n", s->n);
	mvt_text(&p->m, "level", str_of(map_color_name(sum_worst(s))));
	for (size_t c = 0; c < MAP_COLORS; c++)
		if (s->color[c])
			mvt_number(&p->m, map_color_name((enum map_color)c), s->color[c]);
}

static void end_cell(struct painting *p)
{
	if (p->cell.n == 1)
		write_one(p);
	else if (p->cell.n)
		write_cluster(p);
	p->cell = (struct map_sum){ 0 };
	p->x = p->y = 0;
}

static void paint(struct painting *p, struct choice *c, struct map_sum *sum)
{
	struct map_layer *l = p->l;
	uint64_t first, last, corner_x = (uint64_t)p->t.x << (32 - p->t.z), corner_y = (uint64_t)p->t.y << (32 - p->t.z), cell = 0;
	unsigned below = 64 - 2 * (p->t.z + MAP_CELL);
	tile_keys(p->t, &first, &last);
	for (size_t i = layer_find(l, first, 0); i < l->n && l->entries[i].key <= last; i++) {
		const struct entry *e = &l->entries[i];
		const struct object *o = &l->objects[e->id];
		if (!choice_has(c, o))
			continue;
		if (e->key >> below != cell)
			end_cell(p);
		cell = e->key >> below;
		struct spot s = spot_of_key(e->key);
		p->x += s.x - corner_x;
		p->y += s.y - corner_y;
		p->last = o;
		p->last_id = e->id;
		sum_add(&p->cell, o->color[p->ask->by]);
		sum_add(sum, o->color[p->ask->by]);
	}
	end_cell(p);
}

enum err map_tile(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct tile t, struct buf *out,
                  struct map_sum *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct painting p = { .l = l, .ask = ask, .t = t };
	struct choice c;
	*ret = (struct map_sum){ 0 };
	pthread_rwlock_rdlock(&l->lock);
	mvt_open(&p.m, str_of(l->name));
	choice_make(&c, l, scope, ask, a);
	paint(&p, &c, ret);
	bool ok = mvt_close(&p.m, out);
	pthread_rwlock_unlock(&l->lock);
	return ok ? OK : ERR_TOO_LARGE;
}
