#include "map/geo.h"

#include <math.h>

#define WORLD 4294967296.0
#define LAT_MAX 85.05112877980659 // where the square of the projection ends: atan(sinh(pi))

bool spot_of(double lon, double lat, struct spot *ret)
{
	if (!(lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90))
		return false;
	double s = sin(fmin(fmax(lat, -LAT_MAX), LAT_MAX) * M_PI / 180);
	double x = (lon + 180) / 360 * WORLD, y = (0.5 - log((1 + s) / (1 - s)) / (4 * M_PI)) * WORLD;
	ret->x = (uint32_t)fmin(fmax(x, 0), WORLD - 1);
	ret->y = (uint32_t)fmin(fmax(y, 0), WORLD - 1);
	return true;
}

double spot_lon(uint32_t x)
{
	return ((double)x + 0.5) / WORLD * 360 - 180;
}

double spot_lat(uint32_t y)
{
	return atan(sinh(M_PI * (1 - 2 * ((double)y + 0.5) / WORLD))) * 180 / M_PI;
}

static uint64_t spread(uint32_t v)
{
	uint64_t k = v;
	k = (k | k << 16) & 0x0000ffff0000ffffu;
	k = (k | k << 8) & 0x00ff00ff00ff00ffu;
	k = (k | k << 4) & 0x0f0f0f0f0f0f0f0fu;
	k = (k | k << 2) & 0x3333333333333333u;
	return (k | k << 1) & 0x5555555555555555u;
}

static uint32_t gather(uint64_t k)
{
	k &= 0x5555555555555555u;
	k = (k | k >> 1) & 0x3333333333333333u;
	k = (k | k >> 2) & 0x0f0f0f0f0f0f0f0fu;
	k = (k | k >> 4) & 0x00ff00ff00ff00ffu;
	k = (k | k >> 8) & 0x0000ffff0000ffffu;
	return (uint32_t)(k | k >> 16);
}

uint64_t spot_key(struct spot s)
{
	return spread(s.x) | spread(s.y) << 1;
}

struct spot spot_of_key(uint64_t key)
{
	return (struct spot){ gather(key), gather(key >> 1) };
}

double geo_metres(double lon1, double lat1, double lon2, double lat2)
{
	const double rad = M_PI / 180;
	double a = sin((lat2 - lat1) * rad / 2), b = sin((lon2 - lon1) * rad / 2);
	double h = a * a + cos(lat1 * rad) * cos(lat2 * rad) * b * b;
	return 2 * 6371008.8 * asin(fmin(1, sqrt(h)));
}

bool tile_ok(struct tile t)
{
	return t.z <= TILE_Z_MAX && t.x < UINT32_C(1) << t.z && t.y < UINT32_C(1) << t.z;
}

void tile_keys(struct tile t, uint64_t *ret_first, uint64_t *ret_last)
{
	if (t.z == 0) {
		*ret_first = 0;
		*ret_last = UINT64_MAX;
		return;
	}
	unsigned below = 64 - 2 * t.z;
	*ret_first = spot_key((struct spot){ t.x, t.y }) << below;
	*ret_last = *ret_first | ((UINT64_C(1) << below) - 1);
}
