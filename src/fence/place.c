// Where a place lies against a fence: geometry, times, and for whom it holds. Pure; any thread.
#include <math.h>

#include "base/time.h"
#include "fence/fence_int.h"

bool fence_kind_find(struct str name, enum fence_kind *ret)
{
	static const char *const names[FENCE_KINDS] = { "in", "out", "speed", "stay", "route", "post" };
	for (int i = 0; i < FENCE_KINDS; i++)
		if (str_is(name, names[i])) {
			*ret = (enum fence_kind)i;
			return true;
		}
	return false;
}

bool fence_must(enum fence_kind k) { return k == FENCE_IN || k == FENCE_ROUTE || k == FENCE_POST; }

// ---- reading a shape ---------------------------------------------------------------------------
struct shaping {
	struct fence *f;
	struct arena *a;
	size_t cap, corners;
	bool ok;
};

static bool place_of(const json_t *j, double *lon, double *lat)
{
	*lon = json_number_value(json_array_get(j, 0));
	*lat = json_number_value(json_array_get(j, 1));
	return json_array_size(j) >= 2 && fabs(*lon) <= 180 && fabs(*lat) <= 85;
}

static void widen(struct fence *f, double lon, double lat)
{
	f->lo[0] = fmin(f->lo[0], lon);
	f->hi[0] = fmax(f->hi[0], lon);
	f->lo[1] = fmin(f->lo[1], lat);
	f->hi[1] = fmax(f->hi[1], lat);
}

// The first pass finds the middle, the second makes edges in metres about it.
static void path(struct shaping *s, const json_t *list, bool measure)
{
	double lon, lat;
	struct zone_xy before = { 0, 0 };
	for (size_t i = 0; i < json_array_size(list) && s->ok; i++) {
		if (!place_of(json_array_get(list, i), &lon, &lat) || (measure && ++s->corners > LIMIT_FENCE_CORNERS)) {
			s->ok = false;
		} else if (measure) {
			widen(s->f, lon, lat);
		} else {
			struct zone_xy here = plane_metres(&s->f->plane, lon, lat);
			if (i) {
				s->f->edges = arena_push(s->a, s->f->edges, &s->f->nedges, &s->cap, sizeof *s->f->edges);
				s->f->edges[s->f->nedges - 1] = (struct fence_edge){ before, here };
			}
			before = here;
		}
	}
}

static void walk(struct shaping *s, const json_t *coords, unsigned depth, bool measure)
{
	if (depth == 1) {
		if (json_array_size(coords) < (s->f->area ? 4u : 2u))
			s->ok = false;
		path(s, coords, measure);
		return;
	}
	for (size_t i = 0; i < json_array_size(coords) && s->ok; i++)
		walk(s, json_array_get(coords, i), depth - 1, measure);
}

static void point(struct shaping *s, const json_t *coords)
{
	double lon, lat;
	s->ok = place_of(coords, &lon, &lat);
	if (!s->ok)
		return;
	widen(s->f, lon, lat);
	s->f->plane = plane_at(lon, lat);
	s->f->edges = arena_one(s->a, struct fence_edge);
	s->f->nedges = 1;
}

bool fence_shape(struct fence *f, const struct fence_def *d, struct arena *a)
{
	static const struct { const char *type; unsigned depth; bool area; } shapes[] = {
		{ "Point", 0, false }, { "LineString", 1, false }, { "MultiLineString", 2, false }, { "Polygon", 2, true },
			{ "MultiPolygon", 3, true },
	};
	const char *type = json_string_value(json_object_get(d->shape, "type"));
	const json_t *coords = json_object_get(d->shape, "coordinates");
	struct shaping s = { .f = f, .a = a };
	*f = (struct fence){ .def = *d, .lo = { 180, 90 }, .hi = { -180, -90 } };
	for (size_t i = 0; type && i < ARRAY_LEN(shapes); i++) {
		if (strcmp(type, shapes[i].type) != 0)
			continue;
		s.ok = true;
		f->area = shapes[i].area;
		if (shapes[i].depth == 0) {
			point(&s, coords);
			continue;
		}
		walk(&s, coords, shapes[i].depth, true);
		f->plane = plane_at((f->lo[0] + f->hi[0]) / 2, (f->lo[1] + f->hi[1]) / 2);
		if (s.ok)
			walk(&s, coords, shapes[i].depth, false);
	}
	if (!s.ok || !f->nedges || (!f->area && !(d->reach > 0)))
		return false;
	double grow = (f->area ? 0 : d->reach) + d->band;
	f->lo[0] -= grow / f->plane.per_lon;
	f->hi[0] += grow / f->plane.per_lon;
	f->lo[1] -= grow / f->plane.per_lat;
	f->hi[1] += grow / f->plane.per_lat;
	f->stops = arena_many(a, d->nstops, struct zone_xy);
	for (size_t i = 0; i < d->nstops; i++)
		f->stops[i] = plane_metres(&f->plane, d->stops[i].lon, d->stops[i].lat);
	return true;
}

// ---- a place -----------------------------------------------------------------------------------
static double edge_distance2(const struct fence_edge *e, struct zone_xy p)
{
	double ex = e->b.x - e->a.x, ey = e->b.y - e->a.y, l2 = ex * ex + ey * ey;
	double t = l2 > 0 ? ((p.x - e->a.x) * ex + (p.y - e->a.y) * ey) / l2 : 0;
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	double dx = p.x - e->a.x - t * ex, dy = p.y - e->a.y - t * ey;
	return dx * dx + dy * dy;
}

// Holes and parts alike: by the ray rule over all rings.
double fence_where(const struct fence *f, double lon, double lat)
{
	struct zone_xy p = plane_metres(&f->plane, lon, lat);
	double best = HUGE_VAL;
	bool in = false;
	for (size_t i = 0; i < f->nedges; i++) {
		const struct fence_edge *e = &f->edges[i];
		best = fmin(best, edge_distance2(e, p));
		if ((e->a.y > p.y) != (e->b.y > p.y) && p.x < (e->b.x - e->a.x) * (p.y - e->a.y) / (e->b.y - e->a.y) + e->a.x)
			in = !in;
	}
	best = sqrt(best);
	return f->area ? (in ? -best : best) : best - f->def.reach;
}

bool fence_at_stop(const struct fence *f, double lon, double lat)
{
	struct zone_xy p = plane_metres(&f->plane, lon, lat);
	for (size_t i = 0; i < f->def.nstops; i++)
		if (hypot(p.x - f->stops[i].x, p.y - f->stops[i].y) <= f->def.stops[i].radius)
			return true;
	return false;
}

// ---- when and for whom -------------------------------------------------------------------------
bool fence_in_force(const struct fence_times *t, int64_t at)
{
	if ((t->first && at < t->first) || (t->last && at >= t->last))
		return false;
	int64_t local = at + (int64_t)time_zone() * US_PER_MIN, day = local / US_PER_DAY;
	int32_t of_day = (int32_t)((local - day * US_PER_DAY) / US_PER_S);
	if (t->from != t->to && t->from > t->to) { // over midnight
		if (of_day < t->to)
			day--;
		else if (of_day < t->from)
			return false;
	} else if (t->from != t->to && (of_day < t->from || of_day >= t->to)) {
		return false;
	}
	return !t->days || (t->days & 1u << (day + 3) % 7); // 1 January 1970 was a Thursday
}

bool fence_holds(const struct fence *f, const struct fence_mover *m, uint32_t mover)
{
	const struct fence_def *d = &f->def;
	if ((d->enterprise && d->enterprise != m->enterprise) || !str_starts(m->area, d->area) || !(m->tag.n ? d->people : d->vehicles))
		return false;
	if (f->all)
		return true;
	size_t lo = 0, hi = f->nlist;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (f->list[mid] < mover)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->nlist && f->list[lo] == mover;
}
