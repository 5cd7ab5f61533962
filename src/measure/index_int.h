// Shared by the index_*.c files of measure/ only: what a board holds.
#pragma once

#include <pthread.h>

#include "base/strmap.h"
#include "measure/index.h"
#include "measure/measure_int.h"

#define RING 24                 // hours
#define UNIT_NODES 8            // village, town, county, city, province; sector; grid
#define NO_SCORE UINT16_MAX

struct standing {               // of an enterprise or of what lies above
	uint16_t tenths, kept;  // kept: as in the newest row of the history
	uint8_t color, kept_color;
	uint16_t ring[RING];    // scores of the last hours
	int64_t rise_at;        // when a rise was told last, us
};
struct unit {                   // an enterprise; index = its record id
	bool there;
	uint8_t nnodes;
	uint32_t nodes[UNIT_NODES]; // [0]: its own area, unless it has none
	uint32_t sector;        // its node, UINT32_MAX = none
	struct standing s;
};
struct node {                   // an area, a sector, a grid
	enum index_kind kind;
	char key[64];
	struct standing s;
	uint32_t n;
	bool dirty;
	uint32_t *bins;         // INDEX_TENTHS + 1
	double parts[INDEX_COMPONENTS]; // sums over its enterprises
	struct index_slot *own; // rows in it without enterprise; nslots, or NULL: none
};
struct cover {                  // a row that counts for every enterprise of a place
	char prefix[16], sectors[256]; // sectors ",a,b,"; empty = all
	size_t slot;
	float amount;
};
struct turns {                  // of a count that gives way
	const struct index_pause *pause;
	int64_t since;          // clock_mono: this part began
	unsigned rows;          // of it
};
struct board {
	struct turns *turns;    // while all of it is counted; NULL: without a stop
	const struct risk_index *x;
	const struct registry *reg; // that x was made from
	int64_t epoch;          // of decayed amounts
	struct unit *units;
	struct index_slot *slots; // by unit, nslots each
	float *parts;           // by unit, ncomponents each: points after the cap
	size_t nunits;          // highest id + 1
	struct node *nodes;
	size_t nnodes, cap_nodes;
	struct strmap *by_key;  // "0990121101000": kind and key
	struct cover *covers;
	size_t ncovers;
	int hour;               // of the rings
};
struct index_live {
	pthread_rwlock_t lock;
	struct board *boards[INDEX_BOARDS];
	size_t n;
};

// index_board.c
struct board *board_new(const struct risk_index *x, int64_t epoch);
void board_free(struct board *b);
struct node *board_node(const struct board *b, enum index_kind kind, struct str key); // NULL: none
void board_room(struct board *b, int64_t id); // units up to this id
// Puts the unit where it belongs now; its slots are as they were. area: any code, or empty.
void unit_place(struct board *b, int64_t id, struct str area, struct str sector, int64_t grid);
void unit_remove(struct board *b, int64_t id);
// Its score of now from its slots, and of what lies above the bins; nodes become dirty.
void unit_score(struct board *b, int64_t id, int64_t now);
void nodes_score(struct board *b, int64_t now); // of the dirty ones
// What the rows without enterprise add to its score, in tenths; parts: ncomponents, or NULL.
int node_own(const struct board *b, const struct node *n, int64_t now, struct index_part *parts);
struct index_slot *node_slots(struct board *b, struct node *n); // its own, made if there are none
struct str unit_area(const struct board *b, const struct unit *u);   // 12 digits or empty
struct str unit_sector(const struct board *b, const struct unit *u);
void standing_new(struct standing *s);
// Whose it is, for scopes. A sector is everybody's below whom all enterprises are.
struct place node_place(const struct board *b, const struct node *n);
struct place unit_where(const struct board *b, int64_t id);
// The board of that name; the lock is held.
struct board *live_board(const struct index_live *l, struct str name);
// A row or an object more is done: gives way when the part has lasted long enough.
void board_turn(const struct board *b);
void cover_of(const struct board *b, const struct unit *u, struct index_slot *ret); // nslots

// index_count.c
#define NO_ENTERPRISE INT64_C(-1)
// Adds the rows of the component to slots; enterprise 0: of every enterprise, into the board's, and of none into the areas'
// (NO_ENTERPRISE: these alone). Covers: into the list.
enum err count_component(struct board *b, struct db *db, const struct index_component *c, int64_t enterprise, struct index_slot *into,
                         int64_t now, struct arena *a, struct problem *p) must_check;
enum err count_units(struct board *b, struct db *db, const struct registry *reg, struct arena *a, struct problem *p) must_check;
// The condition of a source at this moment, of one enterprise (0 = all rows); in the arena.
struct list_query index_rows(const struct source *s, int64_t enterprise, int64_t now, struct arena *a);
// index_store.c
struct index_row {              // of the history
	int64_t at, enterprise;
	struct str kind, key, color, color_was, what, version, area, sector, parts;
	int score, was;
};
struct index_row index_row_read(struct query *q, struct arena *a);

int64_t row_moment(const struct source *s, const struct row *row); // us; 0 = it has none
