// The points of a county as the records say, packed: at a million of them what counts is bytes a point. Points whose ids are next
// to each other lie in a page, in one block: numbers and texts that they share are in it once. A generation shares with the one
// before it every page, every shard of the index and every device's list in which nothing changed.
// Immutable once points_end has returned: any thread reads. Texts live as long as the generation.
#pragma once

#include "alarm/alarm.h"
#include "base/str.h"

struct site_point {
	struct point_def def;       // sector: not kept here, see site_point()
	struct str name, unit, address;
	double scale;
	double lon, lat;            // NaN = unknown
};

struct site_points;

// A new generation: of what base has (NULL: nothing), and what is put and removed, each id once and in ascending order.
struct points_writer *points_begin(const struct site_points *base);
// Texts are copied. ERR_TOO_LARGE: an id, a reference or a text beyond what a record can have.
enum err points_put(struct points_writer *w, const struct site_point *p) must_check;
// Two new generations (base NULL) made side by side by two threads become one: w takes what `above` has, whose ids are all
// above w's and above a border of pages. `above` is not needed any more.
uint32_t points_border(uint32_t id);                     // the border at or below id
void points_join(struct points_writer *w, struct points_writer *above);
void points_remove(struct points_writer *w, uint32_t id);
struct site_points *points_end(struct points_writer *w); // base is not needed any more
void points_free(struct site_points *s);                 // NULL is fine

size_t points_count(const struct site_points *s);
uint32_t points_max(const struct site_points *s);        // no id is above it
size_t points_bytes(const struct site_points *s);
bool points_at(const struct site_points *s, uint32_t id, struct site_point *ret);
// The next point after id *at, in the order of the ids; start with 0. False at the end.
bool points_next(const struct site_points *s, uint32_t *at, struct site_point *ret);
uint32_t points_find(const struct site_points *s, struct str code); // its id, 0 = none
const uint32_t *points_of_device(const struct site_points *s, uint32_t device, size_t *ret_n); // ids, ascending
