// Degrees and metres, points and lines against outlines. Pure; any thread.
#include "map/plane.h"

#include <stdlib.h>

#define MAX_CUTS 64 // of one straight piece with one outline

struct plane plane_at(double lon, double lat)
{
	// CGCS2000: a = 6378137 m, 1/f = 298.257222101 (GB 22021-2008)
	const double a = 6378137, f = 1 / 298.257222101, e2 = f * (2 - f), rad = M_PI / 180;
	double s = sin(lat * rad), w = sqrt(1 - e2 * s * s);
	return (struct plane){ lon, lat, a / w * cos(lat * rad) * rad, a * (1 - e2) / (w * w * w) * rad };
}

struct zone_xy plane_metres(const struct plane *p, double lon, double lat)
{
	return (struct zone_xy){ (lon - p->lon) * p->per_lon, (lat - p->lat) * p->per_lat };
}

void plane_degrees(const struct plane *p, struct zone_xy at, double *ret_lon, double *ret_lat)
{
	*ret_lon = p->lon + at.x / p->per_lon;
	*ret_lat = p->lat + at.y / p->per_lat;
}

bool plane_inside(const struct zone_ring *r, struct zone_xy p)
{
	bool in = false;
	for (size_t i = 0, j = r->n - 1; i < r->n; j = i++) {
		struct zone_xy a = r->v[i], b = r->v[j];
		if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) {
			in = !in;
		}
	}
	return in;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double plane_inside_length(const struct zone_ring *r, struct zone_xy a, struct zone_xy b, struct zone_xy *crossings, size_t max, size_t *n)
{
	double cuts[MAX_CUTS + 2], dx = b.x - a.x, dy = b.y - a.y, inside = 0;
	size_t k = 0;
	cuts[k++] = 0;
	for (size_t i = 0, j = r->n - 1; i < r->n && k <= MAX_CUTS; j = i++) {
		double ex = r->v[i].x - r->v[j].x, ey = r->v[i].y - r->v[j].y, cross = dx * ey - dy * ex;
		if (cross == 0) {
			continue;
		}
		double ax = r->v[j].x - a.x, ay = r->v[j].y - a.y;
		double t = (ax * ey - ay * ex) / cross, u = (ax * dy - ay * dx) / cross;
		if (t >= 0 && t < 1 && u >= 0 && u < 1) {
			cuts[k++] = t;
			if (*n < max) {
				crossings[(*n)++] = (struct zone_xy){ a.x + t * dx, a.y + t * dy };
			}
		}
	}
	cuts[k++] = 1;
	qsort(cuts, k, sizeof *cuts, rising);
	for (size_t i = 1; i < k; i++) {
		double middle = (cuts[i - 1] + cuts[i]) / 2;
		if (r->n && plane_inside(r, (struct zone_xy){ a.x + middle * dx, a.y + middle * dy })) {
			inside += cuts[i] - cuts[i - 1];
		}
	}
	return inside * hypot(dx, dy);
}

double plane_distance(const struct zone_ring *r, struct zone_xy p)
{
	double best = HUGE_VAL;
	for (size_t i = 0, j = r->n - 1; i < r->n; j = i++) {
		double ex = r->v[i].x - r->v[j].x, ey = r->v[i].y - r->v[j].y, l2 = ex * ex + ey * ey;
		double t = l2 > 0 ? ((p.x - r->v[j].x) * ex + (p.y - r->v[j].y) * ey) / l2 : 0;
		t = t < 0 ? 0 : t > 1 ? 1 : t;
		best = fmin(best, hypot(p.x - r->v[j].x - t * ex, p.y - r->v[j].y - t * ey));
	}
	return r->n && plane_inside(r, p) ? 0 : best;
}
