// Inside fence/ only: what a generation of fences looks like.
#pragma once

#include "base/limits.h"
#include "fence/fence.h"
#include "map/plane.h"

struct fence_edge { struct zone_xy a, b; };

struct fence {
	struct fence_def def;        // shape, devices and tags are not kept
	struct plane plane;
	bool area;                   // outline; else a line or a point with reach
	struct fence_edge *edges;
	size_t nedges;
	struct zone_xy *stops;       // m
	double lo[2], hi[2];         // degrees: of the shape with reach and dead band
	bool all;                    // every mover of its enterprise and area; else list
	uint32_t *list;              // movers, ascending
	size_t nlist;
};

// A square of the index. Squares of level k have FENCE_CELL * 4^k degrees a side.
#define FENCE_CELL 0.005
#define FENCE_CELL_LEVELS 7
struct fence_cell { uint64_t key; uint32_t at, n; };
struct fence_in_cell { uint64_t key; uint32_t fence; bool within; }; // within: all of the square is inside

struct mover_fences { uint32_t at, n; }; // of set.musts

struct fence_set {
	struct arena *arena;
	struct fence *v;             // ascending by id
	size_t n;
	struct fence_mover *movers;  // ascending by the point of longitude
	size_t nmovers;
	uint32_t *role;              // by point: 0 = none, else mover * 4 + 1 longitude, 2 latitude, 3 speed, + 4
	uint32_t max_point;
	struct fence_in_cell *in;    // ascending by key
	size_t nin;
	struct fence_cell *cells;    // hashed, a power of two
	size_t ncells, cells_cap;
	struct mover_fences *must;   // by mover: fences that it must stay in
	uint32_t *musts;
	size_t nmusts;
	unsigned levels;             // bits: levels that are used
	struct fence_made made;
};

// place.c
bool fence_shape(struct fence *f, const struct fence_def *d, struct arena *a);
double fence_where(const struct fence *f, double lon, double lat); // m from the outline, negative inside
bool fence_at_stop(const struct fence *f, double lon, double lat);
bool fence_in_force(const struct fence_times *t, int64_t at);
bool fence_holds(const struct fence *f, const struct fence_mover *m, uint32_t mover);
bool fence_must(enum fence_kind k);  // being outside is the deviation
// index.c
void fence_index(struct fence_set *s);
// Calls for each fence whose square holds the place.
static inline uint64_t fence_key(unsigned level, double lon, double lat)
{
	double side = FENCE_CELL * (double)(1u << 2 * level);
	return (uint64_t)level << 60 | (uint64_t)((lon + 180) / side) << 30 | (uint64_t)((lat + 90) / side);
}
const struct fence_cell *fence_cell_find(const struct fence_set *s, uint64_t key);
bool fence_find(const struct fence_set *s, int64_t id, uint32_t *ret);
