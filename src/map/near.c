// What lies within a circle or a polygon.
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "map/layer.h"

struct looking {
	struct map_layer *l;
	const struct map_where *w;
	struct choice c;
	struct spot from, to;       // the box around it
	double *metres;             // of what was found, beside ids
	uint32_t *ids;
	size_t n, cap, metres_n, metres_cap;
	struct arena *a;
	struct map_sum sum;
};

// Is the point inside the ring? A ray eastwards crosses its edges an odd number of times.
static bool in_ring(const double (*ring)[2], size_t n, double lon, double lat)
{
	bool in = false;
	for (size_t i = 0, j = n - 1; i < n; j = i++) {
		const double *a = ring[i], *b = ring[j];
		if ((a[1] > lat) != (b[1] > lat) && lon < (b[0] - a[0]) * (lat - a[1]) / (b[1] - a[1]) + a[0])
			in = !in;
	}
	return in;
}

static void box_of(const struct map_where *w, struct looking *k)
{
	double box[4] = { 180, 90, -180, -90 };
	if (w->circle) {
		double dlat = w->metres / 110500, dlon = dlat / fmax(cos(w->lat * M_PI / 180), 0.01); // a degree is no shorter
		box[0] = w->lon - dlon, box[1] = w->lat - dlat, box[2] = w->lon + dlon, box[3] = w->lat + dlat;
	}
	for (size_t i = 0; i < w->n; i++) {
		box[0] = fmin(box[0], w->ring[i][0]), box[2] = fmax(box[2], w->ring[i][0]);
		box[1] = fmin(box[1], w->ring[i][1]), box[3] = fmax(box[3], w->ring[i][1]);
	}
	(void)spot_of(fmin(fmax(box[0], -180), 180), fmin(fmax(box[3], -90), 90), &k->from);
	(void)spot_of(fmin(fmax(box[2], -180), 180), fmin(fmax(box[1], -90), 90), &k->to);
}

static void look_at(struct looking *k, const struct entry *e)
{
	struct spot s = spot_of_key(e->key);
	double lon = spot_lon(s.x), lat = spot_lat(s.y), metres = 0;
	if (s.x < k->from.x || s.x > k->to.x || s.y < k->from.y || s.y > k->to.y || !choice_has(&k->c, e))
		return;
	if (k->w->circle)
		metres = geo_metres(k->w->lon, k->w->lat, lon, lat);
	if (k->w->circle ? metres > k->w->metres : !in_ring(k->w->ring, k->w->n, lon, lat))
		return;
	sum_add(&k->sum, entry_color(e, k->c.by));
	k->ids = arena_push(k->a, k->ids, &k->n, &k->cap, sizeof *k->ids);
	k->ids[k->n - 1] = e->id;
	k->metres = arena_push(k->a, k->metres, &k->metres_n, &k->metres_cap, sizeof *k->metres);
	k->metres[k->metres_n - 1] = metres;
}

// The tiles of a depth at which the box covers a few, each one run of entries.
static void look(struct looking *k)
{
	unsigned z = 0;
	uint64_t wide = (uint64_t)MAX(k->to.x - k->from.x, k->to.y - k->from.y) + 1;
	while (z < TILE_Z_MAX && wide << (z + 1) <= UINT64_C(1) << 33)
		z++;
	unsigned down = 32 - z;
	for (uint64_t x = (uint64_t)k->from.x >> down; x <= (uint64_t)k->to.x >> down; x++)
		for (uint64_t y = (uint64_t)k->from.y >> down; y <= (uint64_t)k->to.y >> down; y++) {
			uint64_t first, last;
			tile_keys((struct tile){ z, (uint32_t)x, (uint32_t)y }, &first, &last);
			for (size_t i = layer_find(k->l, first, 0); i < k->l->n && k->l->entries[i].key <= last; i++)
				look_at(k, &k->l->entries[i]);
		}
}

static int nearest(const void *a, const void *b)
{
	const struct map_found *x = a, *y = b;
	return x->metres != y->metres ? (x->metres > y->metres) - (x->metres < y->metres) : (x->o.id > y->o.id) - (x->o.id < y->o.id);
}

enum err map_within(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, const struct map_where *w, size_t max,
                    struct arena *a, struct map_found **ret, size_t *ret_n, struct map_sum *ret_sum)
{
	struct looking k = { .l = l, .w = w, .a = a };
	box_of(w, &k);
	pthread_rwlock_rdlock(&l->lock);
	choice_make(&k.c, l, scope, ask, a);
	look(&k);
	struct map_found *v = arena_many(a, k.n + 1, struct map_found);
	for (size_t i = 0; i < k.n; i++)
		v[i] = (struct map_found){ .o.id = k.ids[i], .metres = k.metres[i] };
	if (k.n)
		qsort(v, k.n, sizeof *v, nearest);
	*ret_n = MIN(k.n, max);
	for (size_t i = 0; i < *ret_n; i++) {
		(void)map_known(l, v[i].o.id, &v[i].o);
		struct map_object *o = &v[i].o;
		struct str *texts[] = { &o->title, &o->state, &o->place.area, &o->place.sector };
		for (size_t j = 0; j < ARRAY_LEN(texts); j++)
			*texts[j] = arena_str(a, *texts[j]);
		if (!ask->titles)
			o->title = STR_EMPTY;
	}
	pthread_rwlock_unlock(&l->lock);
	*ret = v;
	*ret_sum = k.sum;
	return OK;
}

bool map_place(struct map_layer *l, const struct scope *scope, int64_t id, double *ret_lon, double *ret_lat)
{
	struct map_object o;
	pthread_rwlock_rdlock(&l->lock);
	bool ok = map_known(l, id, &o) && scope_admits(scope, o.place);
	pthread_rwlock_unlock(&l->lock);
	if (ok) {
		*ret_lon = o.lon;
		*ret_lat = o.lat;
	}
	return ok;
}
