// A plane that touches the ground at one place: metres east and north of it for degrees of CGCS2000 (EPSG:4490), good to a
// few per mille within 50 km. Points in outlines, lines that outlines cut. Pure; any thread.
#pragma once

#include "risk/zone.h"

struct plane {
	double lon, lat;              // of the origin, degrees
	double per_lon, per_lat;      // metres a degree
};

struct plane plane_at(double lon, double lat);
struct zone_xy plane_metres(const struct plane *p, double lon, double lat);
void plane_degrees(const struct plane *p, struct zone_xy at, double *ret_lon, double *ret_lat);

// By the ray rule; a point of the outline itself may be either.
bool plane_inside(const struct zone_ring *r, struct zone_xy p);
// How much of the way from a to b is inside, m; where it goes in or out is added to crossings (at most max in all).
double plane_inside_length(const struct zone_ring *r, struct zone_xy a, struct zone_xy b, struct zone_xy *crossings, size_t max, size_t *n);
// From the point to the nearest of the outline, or 0 inside; HUGE_VAL: no outline.
double plane_distance(const struct zone_ring *r, struct zone_xy p);
