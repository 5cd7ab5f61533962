// A tile of a layer: objects in the order of their keys, so that the cells of the tile come one after the other.
#include "base/limits.h"
#include "map/layer.h"
#include "map/mvt.h"

struct cell {                   // of what lies in one cell of the tile
	uint64_t key;           // first bits of its objects' keys
	struct map_sum sum;
	uint64_t x, y;          // sums of their places, from the corner of the tile
	uint32_t last_id;
};

struct painting {
	struct map_layer *l;
	const struct map_ask *ask;
	struct tile t;
	struct mvt m;
	struct cell cells[1 << 2 * MAP_CELL];
	size_t n;
};

static int32_t units(uint64_t from_corner, unsigned z) // 2^-32 of the world → units of the tile
{
	return (int32_t)(from_corner * TILE_EXTENT >> (32 - z));
}

static void write_one(struct painting *p, const struct cell *c)
{
	const struct object *o = &p->l->objects[c->last_id];
	struct str state = p->l->states[o->state], sector = p->l->places[o->place].sector;
	mvt_feature(&p->m, MVT_POINT, c->last_id);
	mvt_point(&p->m, units(c->x, p->t.z), units(c->y, p->t.z));
	mvt_text(&p->m, "level", str_of(map_color_name((enum map_color)o->color[p->ask->by])));
	mvt_text(&p->m, "type", str_of(p->l->name));
	if (state.n)
		mvt_text(&p->m, "state", state);
	if (sector.n)
		mvt_text(&p->m, "sector", sector);
	if (p->t.z >= MAP_TITLE_Z && p->ask->titles && o->title)
		mvt_text(&p->m, "title", str_of(o->title));
}

static void write_cluster(struct painting *p, const struct cell *c)
{
	const struct map_sum *s = &c->sum;
	mvt_feature(&p->m, MVT_POINT, 0);
	mvt_point(&p->m, units(c->x / s->n, p->t.z), units(c->y / s->n, p->t.z));
	mvt_number(&p->m, "n", s->n);
	mvt_text(&p->m, "level", str_of(map_color_name(map_sum_worst(s))));
	for (size_t k = 0; k < MAP_COLORS; k++)
		if (s->color[k])
			mvt_number(&p->m, map_color_name((enum map_color)k), s->color[k]);
}

static void cell_add(struct cell *to, const struct cell *from)
{
	to->sum.n += from->sum.n;
	for (size_t k = 0; k < MAP_COLORS; k++)
		to->sum.color[k] += from->sum.color[k];
	to->x += from->x;
	to->y += from->y;
}

// Four cells become one: a crowded tile has fewer signs, which people can tell apart and a phone can draw.
static void thin_out(struct painting *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct cell c = p->cells[i];
		c.key >>= 2;
		if (n && p->cells[n - 1].key == c.key)
			cell_add(&p->cells[n - 1], &c);
		else
			p->cells[n++] = c;
	}
	p->n = n;
}

static void read_cells(struct painting *p, struct choice *c, struct map_sum *sum)
{
	struct map_layer *l = p->l;
	uint64_t first, last, corner_x = (uint64_t)p->t.x << (32 - p->t.z), corner_y = (uint64_t)p->t.y << (32 - p->t.z);
	unsigned below = 64 - 2 * (p->t.z + MAP_CELL);
	tile_keys(p->t, &first, &last);
	for (size_t i = layer_find(l, first, 0); i < l->n && l->entries[i].key <= last; i++) {
		const struct entry *e = &l->entries[i];
		if (!choice_has(c, e))
			continue;
		if (!p->n || p->cells[p->n - 1].key != e->key >> below)
			p->cells[p->n++] = (struct cell){ .key = e->key >> below };
		struct cell *cell = &p->cells[p->n - 1];
		struct spot s = spot_of_key(e->key);
		cell->x += s.x - corner_x;
		cell->y += s.y - corner_y;
		cell->last_id = e->id;
		sum_add(&cell->sum, entry_color(e, p->ask->by));
		sum_add(sum, entry_color(e, p->ask->by));
	}
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
	read_cells(&p, &c, ret);
	if (p.n > MAP_CROWD || ret->n > 10 * MAP_CROWD)
		thin_out(&p);
	for (size_t i = 0; i < p.n; i++)
		if (p.cells[i].sum.n == 1)
			write_one(&p, &p.cells[i]);
		else
			write_cluster(&p, &p.cells[i]);
	bool ok = mvt_close(&p.m, out);
	pthread_rwlock_unlock(&l->lock);
	return ok ? OK : ERR_TOO_LARGE;
}

void map_places(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct arena *a, struct map_of_place **ret,
                size_t *ret_n)
{
	struct choice c;
	pthread_rwlock_rdlock(&l->lock);
	choice_make(&c, l, scope, ask, a);
	struct map_of_place *v = arena_many(a, l->nplaces + 1, struct map_of_place);
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *e = &l->entries[i];
		if (choice_has(&c, e))
			sum_add(&v[entry_place(e)].sum, entry_color(e, ask->by));
	}
	for (size_t i = 0; i < l->nplaces; i++)
		v[i].place = (struct place){ .area = arena_str(a, l->places[i].area), .sector = arena_str(a, l->places[i].sector) };
	*ret = v;
	*ret_n = l->nplaces;
	pthread_rwlock_unlock(&l->lock);
}
