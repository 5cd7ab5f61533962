// Places on the map: Web Mercator (EPSG:3857, the plane of OGC's Two Dimensional Tile Matrix Set WebMercatorQuad, OGC 17-083r4
// annex D.1) in whole numbers. Coordinates are CGCS2000 longitude and latitude, which agree with WGS 84 to centimetres.
// Pure functions; any thread.
#pragma once

#include "base/base.h"

// x from the 180th meridian eastwards, y from 85.0511° N southwards, both in 2^-32 of the width of the world (1 cm at the equator).
struct spot { uint32_t x, y; };

// lon, lat in degrees; beyond 85.0511° it lies on the border. False: they are no place (NaN, out of range).
bool spot_of(double lon, double lat, struct spot *ret);
double spot_lon(uint32_t x);
double spot_lat(uint32_t y);
// The bits of x and y in turn, y first: what lies in one tile lies next to each other in the order of the keys.
uint64_t spot_key(struct spot s);
struct spot spot_of_key(uint64_t key);
// Metres on the sphere of 6,371,008.8 m (mean radius of GRS 80, IUGG), degrees in.
double geo_metres(double lon1, double lat1, double lon2, double lat2);

#define TILE_Z_MAX 20      // deepest tiles: 38 m wide at the equator
#define TILE_EXTENT 4096   // units of a tile's side

struct tile { unsigned z; uint32_t x, y; };
bool tile_ok(struct tile t); // z at most TILE_Z_MAX, x and y below 2^z
// First key of the tile and the last one in it.
void tile_keys(struct tile t, uint64_t *ret_first, uint64_t *ret_last);
