// Distances are in a plane about the point that is asked for: good to a few per mille near it, which is where they matter.
#include <math.h>

#include "map/geo.h"
#include "map/plane.h"
#include "map/track.h"

// From the origin to the line a-b, m; *ret_part: where on it, 0 to 1.
static double to_line(struct zone_xy a, struct zone_xy b, double *ret_part)
{
	double x = b.x - a.x, y = b.y - a.y, square = x * x + y * y;
	double part = square > 0 ? fmin(fmax(-(a.x * x + a.y * y) / square, 0), 1) : 0;
	*ret_part = part;
	return hypot(a.x + part * x, a.y + part * y);
}

static void pass(const struct track_at *v, size_t n, struct track_point *p)
{
	struct plane plane = plane_at(p->lon, p->lat);
	p->passed = 0;
	p->nearest = HUGE_VAL;
	for (size_t i = 0; i < n; i++) {
		struct zone_xy b = plane_metres(&plane, v[i].lon, v[i].lat), a = b;
		bool joined = i && v[i].time - v[i - 1].time <= TRACK_GAP;
		double part, metres;
		if (joined)
			a = plane_metres(&plane, v[i - 1].lon, v[i - 1].lat);
		metres = to_line(a, b, &part);
		p->nearest = fmin(p->nearest, metres);
		if (!p->passed && metres <= p->radius)
			p->passed = joined ? v[i - 1].time + (int64_t)(part * (double)(v[i].time - v[i - 1].time)) : v[i].time;
	}
}

double track_compare(const struct track_at *v, size_t n, struct track_point *points, size_t npoints)
{
	double way = 0;
	for (size_t i = 1; i < n; i++)
		if (v[i].time - v[i - 1].time <= TRACK_GAP)
			way += geo_metres(v[i - 1].lon, v[i - 1].lat, v[i].lon, v[i].lat);
	for (size_t i = 0; i < npoints; i++)
		pass(v, n, &points[i]);
	return way;
}
