// What stands on the map, in memory: a layer for each record type that has a place, its objects in the order of a quadtree
// (geo.h: the key), so that a tile is one run of them and a cluster a run inside it. A layer is filled once and then follows
// the records one by one; both come to the same. Decision 0012 says why.
//
// Who may see an object is decided by scope_admits() of its place, in one function of tile.c; counts are of what it admitted.
//
// Threads: any may read; the layer locks itself. One changes a layer at a time (map_begin … map_end holds the lock).
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "map/geo.h"
#include "store/records.h"

enum map_color { MAP_GREY, MAP_GREEN, MAP_BLUE, MAP_YELLOW, MAP_ORANGE, MAP_RED, MAP_COLORS }; // the worse the higher
const char *map_color_name(enum map_color c);
bool map_color_of(struct str name, enum map_color *ret);

enum map_by {                   // an object has two colours
	MAP_BY_STATE,           // of now: the worst alarm that is active; green: measured and in order; grey: nothing known
	MAP_BY_RISK,            // of an enterprise its level in the risk index, of others their own grade; grey: neither
	MAP_BYS
};

struct map_object {
	int64_t id;             // of the record, 1 to LIMIT_MAP_ID
	double lon, lat;        // degrees; NaN: it has no place and is not on the map
	struct place place;     // whose it is
	struct str title, state;
	enum map_color color[MAP_BYS];
};

struct map_layer;

struct map_layer *map_layer_new(struct str name);
void map_layer_free(struct map_layer *l); // NULL is fine

// A batch of changes. all: the layer is made anew of what is put now. Texts are copied.
void map_begin(struct map_layer *l, bool all);
void map_put(struct map_layer *l, const struct map_object *o); // new or changed. An id beyond LIMIT_MAP_ID is left out.
void map_drop(struct map_layer *l, int64_t id);
bool map_tint(struct map_layer *l, int64_t id, enum map_by by, enum map_color color); // true: it had another colour
bool map_known(const struct map_layer *l, int64_t id, struct map_object *ret); // inside a batch: as it is; texts live until it changes
int64_t map_last(const struct map_layer *l); // inside a batch: no object has a higher id
void map_end(struct map_layer *l);

size_t map_count(struct map_layer *l);  // objects with a place
size_t map_bytes(struct map_layer *l);  // memory it takes, about
// Of the last change in the tile (or in another tile that shares its number: a stamp may be newer than what it stands for,
// never older). A tile whose stamp has not changed is the same.
uint32_t map_stamp(struct map_layer *l, struct tile t);

struct map_ask {                // what of the layer is wanted
	struct str sectors, states; // "dust,metal"; empty: all. An object without a sector is none of them.
	enum map_by by;
	unsigned colors;            // bits 1 << map_color; 0: all
	bool titles;                // may the reader see them?
};

struct map_sum {                // of what was admitted
	uint32_t n, color[MAP_COLORS];
};

enum map_color map_sum_worst(const struct map_sum *s); // grey: nothing, or nothing known

#define MAP_TITLE_Z 10          // from this depth on single objects have their title
#define MAP_CELL 4              // a tile's side is cut into 2^4 cells; what lies in one is a cluster
#define MAP_CROWD 48            // more signs than this in a tile, or ten times as many objects, and it is cut into 2^3

// The tile as a Mapbox Vector Tile with one layer of the name of this one, appended to out; empty without objects. A feature is
//   one object:  id, level (its colour), type, state, sector, title (from MAP_TITLE_Z on, if ask->titles)
//   a cluster:   n, level (the worst), how many of each colour by its name; at the mean of their places
// ERR_TOO_LARGE beyond LIMIT_TILE_BYTES. *ret: sum of what is in the tile.
enum err map_tile(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct tile t, struct buf *out,
                  struct map_sum *ret) must_check;

// The sums of what the reader sees by area and sector (place.enterprise is 0); texts in the arena. In no order.
struct map_of_place { struct place place; struct map_sum sum; };
void map_places(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct arena *a, struct map_of_place **ret,
                size_t *ret_n);

// ---- what is where (near.c) --------------------------------------------------------------------
struct map_where {              // a circle, or a polygon (outer ring; its last point need not be its first)
	bool circle;
	double lon, lat, metres;
	const double (*ring)[2];
	size_t n;
};
struct map_found {
	struct map_object o;        // texts in the arena
	double metres;              // from the circle's middle; 0 in a polygon
};
// What lies inside, nearest first (a polygon: by id); at most max of them. *ret_sum: of all.
enum err map_within(struct map_layer *l, const struct scope *scope, const struct map_ask *ask, const struct map_where *w, size_t max,
                    struct arena *a, struct map_found **ret, size_t *ret_n, struct map_sum *ret_sum) must_check;
// The object's place, if the scope admits it.
bool map_place(struct map_layer *l, const struct scope *scope, int64_t id, double *ret_lon, double *ret_lat);
