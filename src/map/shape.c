#include "map/shape.h"

#include <math.h>

#define AROUND 64           // units beside the tile that are drawn too, so that no border shows at its edge
#define TOLERANCE 1.0       // units

static bool read_ring(const json_t *points, struct arena *a, struct map_ring *ret)
{
	size_t n = json_array_size(points);
	double(*v)[2] = arena_alloc(a, (n + 1) * sizeof *v);
	for (size_t i = 0; i < n; i++) {
		const json_t *p = json_array_get(points, i);
		if (!json_is_number(json_array_get(p, 0)) || !json_is_number(json_array_get(p, 1)))
			return false;
		v[i][0] = json_number_value(json_array_get(p, 0));
		v[i][1] = json_number_value(json_array_get(p, 1));
	}
	if (n > 1 && v[0][0] == v[n - 1][0] && v[0][1] == v[n - 1][1])
		n--;
	ret->v = (const double(*)[2])v;
	ret->n = n;
	return n >= 3;
}

static bool read_polygon(const json_t *rings, struct arena *a, struct map_ring *ret, size_t *n)
{
	for (size_t i = 0; i < json_array_size(rings); i++) {
		struct map_ring *r = &ret[*n];
		if (!read_ring(json_array_get(rings, i), a, r))
			return false;
		r->outer = i == 0;
		++*n;
	}
	return true;
}

bool shape_rings(const json_t *geometry, struct arena *a, struct map_ring **ret, size_t *ret_n)
{
	const json_t *coords = json_object_get(geometry, "coordinates");
	const char *type = json_string_value(json_object_get(geometry, "type"));
	bool many = type && strcmp(type, "MultiPolygon") == 0;
	size_t room = 0;
	*ret_n = 0;
	if (!many && !(type && strcmp(type, "Polygon") == 0))
		return false;
	for (size_t i = 0; many && i < json_array_size(coords); i++)
		room += json_array_size(json_array_get(coords, i));
	*ret = arena_many(a, (many ? room : json_array_size(coords)) + 1, struct map_ring);
	if (!many)
		return read_polygon(coords, a, *ret, ret_n);
	for (size_t i = 0; i < json_array_size(coords); i++)
		if (!read_polygon(json_array_get(coords, i), a, *ret, ret_n))
			return false;
	return true;
}

// ---- simpler -----------------------------------------------------------------------------------
static double beside(struct shape_xy p, struct shape_xy a, struct shape_xy b) // distance from the line from a to b
{
	double dx = b.x - a.x, dy = b.y - a.y, d = dx * dx + dy * dy;
	double t = d > 0 ? fmin(fmax(((p.x - a.x) * dx + (p.y - a.y) * dy) / d, 0), 1) : 0;
	return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

size_t shape_simplify(struct shape_xy *v, size_t n, double tolerance, struct arena *a)
{
	if (n < 3)
		return n;
	bool *keep = arena_many(a, n, bool);
	size_t(*todo)[2] = arena_alloc(a, n * sizeof *todo), ntodo = 1, left = 0;
	keep[0] = keep[n - 1] = true;
	todo[0][0] = 0;
	todo[0][1] = n - 1;
	while (ntodo) {
		size_t from = todo[ntodo - 1][0], to = todo[ntodo - 1][1], far = from;
		double most = tolerance;
		ntodo--;
		for (size_t i = from + 1; i < to; i++) {
			double d = beside(v[i], v[from], v[to]);
			if (d > most) {
				most = d;
				far = i;
			}
		}
		if (far == from)
			continue;
		keep[far] = true;
		todo[ntodo][0] = from;
		todo[ntodo++][1] = far;
		todo[ntodo][0] = far;
		todo[ntodo++][1] = to;
	}
	for (size_t i = 0; i < n; i++)
		if (keep[i])
			v[left++] = v[i];
	return left;
}

// ---- cut ---------------------------------------------------------------------------------------
struct border { bool y, above; double at; }; // what is on the other side of it is cut off: above = greater

static double along(struct shape_xy p, const struct border *b)
{
	return b->above ? b->at - (b->y ? p.y : p.x) : (b->y ? p.y : p.x) - b->at;
}

static size_t cut(const struct shape_xy *v, size_t n, const struct border *b, struct shape_xy *ret)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		struct shape_xy p = v[i], q = v[(i + 1) % n];
		double dp = along(p, b), dq = along(q, b);
		if (dp >= 0)
			ret[k++] = p;
		if ((dp >= 0) != (dq >= 0)) {
			double t = dp / (dp - dq);
			ret[k++] = (struct shape_xy){ p.x + t * (q.x - p.x), p.y + t * (q.y - p.y) };
		}
	}
	return k;
}

// Of n points a cut leaves k and adds at most 2 min(k, n - k): never more than 1.5 n, after four cuts 5.07 n.
size_t shape_clip(const struct shape_xy *v, size_t n, double min, double max, struct shape_xy *ret, struct arena *a)
{
	const struct border borders[] = { { false, false, min }, { false, true, max }, { true, false, min }, { true, true, max } };
	struct shape_xy *even = arena_many(a, 6 * n + 8, struct shape_xy);
	for (size_t i = 0; i < ARRAY_LEN(borders); i++) {
		struct shape_xy *to = i % 2 ? ret : even;
		n = cut(v, n, &borders[i], to);
		v = to;
	}
	return n;
}

// ---- onto the tile -----------------------------------------------------------------------------
static struct shape_xy unit_of(const double p[2], struct tile t)
{
	struct spot s = { 0 };
	double side = ldexp(1, 32 - (int)t.z);
	(void)spot_of(fmin(fmax(p[0], -180), 180), fmin(fmax(p[1], -90), 90), &s);
	return (struct shape_xy){ ((double)s.x - t.x * side) / side * TILE_EXTENT, ((double)s.y - t.y * side) / side * TILE_EXTENT };
}

static bool paint_ring(struct mvt *m, const struct map_ring *r, struct tile t, struct arena *a)
{
	struct shape_xy *v = arena_many(a, r->n + 1, struct shape_xy), *cut_off = arena_many(a, 6 * r->n + 20, struct shape_xy);
	for (size_t i = 0; i < r->n; i++)
		v[i] = unit_of(r->v[i], t);
	v[r->n] = v[0]; // closed, so that the last side is made simpler as well
	size_t n = shape_simplify(v, r->n + 1, TOLERANCE, a) - 1, left = 0;
	n = n < 3 ? 0 : shape_clip(v, n, -AROUND, TILE_EXTENT + AROUND, cut_off, a);
	struct mvt_xy *xy = arena_many(a, n + 1, struct mvt_xy);
	for (size_t i = 0; i < n; i++) {
		struct mvt_xy p = { (int32_t)lround(cut_off[i].x), (int32_t)lround(cut_off[i].y) };
		if (!left || p.x != xy[left - 1].x || p.y != xy[left - 1].y)
			xy[left++] = p;
	}
	size_t before = m->geometry.n;
	mvt_ring(m, xy, left, r->outer);
	return m->geometry.n > before;
}

bool shape_paint(struct mvt *m, const struct map_ring *rings, size_t n, struct tile t, struct arena *a)
{
	bool any = false, outer = false;
	for (size_t i = 0; i < n; i++) {
		if (!rings[i].outer && !outer) // a hole in what is not here
			continue;
		bool there = paint_ring(m, &rings[i], t, a);
		if (rings[i].outer)
			outer = there;
		any |= there;
	}
	return any;
}
