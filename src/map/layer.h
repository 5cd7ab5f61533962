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
	uint32_t place;             // number of its area and sector
	uint16_t state;
	uint8_t color[MAP_BYS];
	bool here;                  // on the map
};

struct entry {                  // sorted by key, then id
	uint64_t key;
	uint32_t id;
};

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
bool choice_has(struct choice *c, const struct object *o);
void sum_add(struct map_sum *s, uint8_t color);

size_t layer_find(const struct map_layer *l, uint64_t key, uint32_t id); // first entry not before it
