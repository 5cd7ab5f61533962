// Areas on the map: GeoJSON polygons made simpler and cut to a tile. Pure functions; any thread.
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "map/geo.h"
#include "map/mvt.h"

struct map_ring {
	const double (*v)[2];       // longitude, latitude in degrees; the last point is not the first again
	size_t n;
	bool outer;                 // else a hole of the outer ring before it
};
struct shape_xy { double x, y; }; // units of a tile's side

// Rings of a Polygon or MultiPolygon (RFC 7946), in a. False: it is neither, or damaged.
bool shape_rings(const json_t *geometry, struct arena *a, struct map_ring **ret, size_t *ret_n);
// Points that lie less than `tolerance` beside the line of those that stay are left out (Douglas and Peucker 1973). Works in
// place; returns how many are left. A ring keeps its first and last.
size_t shape_simplify(struct shape_xy *v, size_t n, double tolerance, struct arena *a);
// The ring cut to the square from min to max on both axes (Sutherland and Hodgman 1974); ret has room for 6n + 8.
size_t shape_clip(const struct shape_xy *v, size_t n, double min, double max, struct shape_xy *ret, struct arena *a);
// Adds the rings to the feature that is being written, as far as they lie in the tile and 64 units around it. False: nothing does.
bool shape_paint(struct mvt *m, const struct map_ring *rings, size_t n, struct tile t, struct arena *a);
