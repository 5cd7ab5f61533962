// Inside of map/: how a layer lies in memory.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/strmap.h"
#include "map/map.h"

#define MAP_STAMPS 65536        // tiles share them by their hash

struct object {                 // by record id
	uint64_t key;
	int64_t enterprise;
	char *title;                // owned; NULL: none
	uint32_t place;             // number of its area and sector, below 2^24
	uint16_t state;
	uint8_t color[MAP_BYS];
	bool here;                  // on the map
};

struct entry {                  // sorted by key, then id: all that a tile of many looks at, one behind the other
	uint64_t key;
	uint32_t id;
	uint32_t facts;         // of the object: its place's number in 24 bits, its colours in 4 each
};

static inline uint32_t facts_of(const struct object *o)
{
	return o->place << 8 | (uint32_t)o->color[MAP_BY_RISK] << 4 | o->color[MAP_BY_STATE];
}
static inline uint32_t entry_place(const struct entry *e) { return e->facts >> 8; }
static inline uint8_t entry_color(const struct entry *e, enum map_by by) { return e->facts >> (4 * by) & 15; }

struct map_layer {
	char name[49];
	pthread_rwlock_t lock;
	struct object *objects;
	size_t ids;                 // objects[0 … ids)
	struct entry *entries;
	size_t n, cap;
	bool all;                   // the batch makes it anew

	struct arena *texts;        // of places and states
	struct strmap *place_numbers, *state_numbers;
	struct place *places;       // .enterprise is not used
	size_t nplaces, places_cap;
	struct str *states;
	size_t nstates, states_cap;
	size_t title_bytes;

	uint32_t change;            // number of the last one
	_Atomic uint32_t stamps[MAP_STAMPS];
};

// ---- who may see what, and what is asked for (choose.c) -----------------------------------------
struct choice {
	const struct map_layer *l;
	const struct scope *scope;
	uint8_t *place;             // by number: 0 not looked at yet, 1 no, 2 yes
	bool *state;                // by number; NULL: all
	struct str sectors;
	unsigned colors;
	enum map_by by;
};
void choice_make(struct choice *c, const struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct arena *a);
bool choice_has(struct choice *c, const struct entry *e);
void sum_add(struct map_sum *s, uint8_t color);

size_t layer_find(const struct map_layer *l, uint64_t key, uint32_t id); // first entry not before it
