// Roads and railways of the county's base map (map.json in the data folder, the demo's otherwise), read when first asked for and
// again when the file is another: a county's map has megabytes, a question touches what is near. Any thread.
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct map_line {
	const double (*at)[2];      // longitude, latitude; degrees of CGCS2000
	size_t n;
	double west, south, east, north; // what it spans, degrees
};
struct map_way {
	struct str name, kind;      // kind: name of its layer
	const struct map_line *lines;
	size_t nlines;
};
struct map_ways {               // one reading of the file; immutable
	const struct map_way *v;
	size_t n;
};

struct map_base;
struct map_base *map_base_new(struct str data_dir); // the text must live as long
void map_base_free(struct map_base *b);             // NULL is fine; nobody holds ways of it
// What the file says now; never NULL, empty without a map. To be given back.
const struct map_ways *map_ways_take(struct map_base *b);
void map_ways_give(struct map_base *b, const struct map_ways *w);
// The file as it is, in the arena; empty: there is none, or it is beyond LIMIT_RESPONSE.
struct str map_base_text(const struct map_base *b, struct arena *a);
size_t map_base_reads(struct map_base *b);          // how often the file was read for its ways
