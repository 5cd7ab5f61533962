// From records to objects on the map, and what colour each has. One place decides that: map_level().
#pragma once

#include "map/map.h"
#include "model/model.h"

// What measurements and alarms say now, by record id; made by api/levels.c. In an arena; immutable.
enum map_live { MAP_LIVE_POINT, MAP_LIVE_ENTERPRISE, MAP_LIVE_INSTALLATION, MAP_LIVES };
struct map_levels {
	const uint8_t *of[MAP_LIVES];   // enum map_color
	size_t n[MAP_LIVES];
	// The level of an enterprise in the risk index; false: it is not in it. NULL: there is no index.
	bool (*risk)(void *arg, int64_t enterprise, enum map_color *ret);
	void *arg;
};
bool map_live_of(struct str type, enum map_live *ret); // false: the type has no colour of now but its records' own

struct map_source {             // how rows of a type become objects
	const struct type *t;
	const struct field *place;  // POSITION
	const struct field *level;  // MENU whose items have colours, or NULL
	struct table table;         // t's, with the columns of place and level only
	struct column cols[3];
	bool live;
	enum map_live kind;
};
bool map_source_of(const struct type *t, struct map_source *ret); // false: it has no place, or not a point. *ret stays where it is.

// The colour of an object of this type: the one place that says so. row: of s->table.
enum map_color map_level(const struct map_source *s, const struct map_levels *lv, enum map_by by, const struct row *row);
struct map_object map_object_of(const struct map_source *s, const struct map_levels *lv, const struct row *row); // texts are the row's
// The layer anew, of all records of the type as db sees them.
enum err map_load(struct map_layer *l, const struct map_source *s, const struct map_levels *lv, struct db *db) must_check;
// The record as db sees it put into the layer, or dropped if it is gone. Inside a batch. *ret_was, *ret_is: before and after;
// id 0: not on the map.
enum err map_follow(struct map_layer *l, const struct map_source *s, const struct map_levels *lv, struct db *db, int64_t id,
                    struct arena *a, struct map_object *ret_was, struct map_object *ret_is) must_check;
