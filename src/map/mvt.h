// Writing Mapbox Vector Tiles (specification 2.1): one layer of a tile, feature by feature. Protocol Buffers' wire format is
// written here by hand: six kinds of field. Coordinates are units of the tile's side (TILE_EXTENT), y southwards.
//
//   mvt_open(&m, name); mvt_feature(&m, MVT_POINT, id); mvt_text(&m, "title", t); mvt_point(&m, x, y); … mvt_close(&m, out);
//
// One owner at a time. Too much of anything fails once and for all (buf.h): mvt_close says so.
#pragma once

#include "base/buf.h"
#include "base/strmap.h"

enum mvt_kind { MVT_POINT = 1, MVT_LINE = 2, MVT_AREA = 3 }; // 4.3.4
struct mvt_xy { int32_t x, y; };

#define MVT_KEYS 32         // different attributes of one layer
struct mvt {
	struct str name;
	struct buf features, tags, geometry, values;
	const char *keys[MVT_KEYS];
	uint32_t nkeys, nvalues;
	struct strmap *known;   // a value as it is written → its number
	size_t n;               // features
	uint64_t id;
	enum mvt_kind kind;     // of the feature that is being written, 0 = none
	struct mvt_xy at;
	bool failed;
};

void mvt_open(struct mvt *m, struct str name);
void mvt_feature(struct mvt *m, enum mvt_kind kind, uint64_t id); // id 0: none. Ends the one before.
void mvt_text(struct mvt *m, const char *key, struct str v);  // key: a literal
void mvt_number(struct mvt *m, const char *key, uint64_t v);
void mvt_point(struct mvt *m, int32_t x, int32_t y);
void mvt_line(struct mvt *m, const struct mvt_xy *v, size_t n);
// A ring, its last point is not its first again; outer: of an area, else of a hole in the area before. Turned as 4.3.4.4 wants.
// Rings without an area are left out.
void mvt_ring(struct mvt *m, const struct mvt_xy *v, size_t n, bool outer);
// The tile with this one layer, appended to out; nothing at all without features. Frees what was held. False: too large.
bool mvt_close(struct mvt *m, struct buf *out);
