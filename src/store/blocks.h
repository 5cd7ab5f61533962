// Sealed blocks of readings: SQLite files DIR/YYYY-MM.db (months in UTC), one table of compressed blocks each. Apart
// from store.h: other files, other threads, nothing but blocks. One thread writes (series' seal thread); any thread
// reads, each read on a connection of its own from a small pool.
//
// A block is keyed by (point, no): no counts a point's blocks in order of arrival, so writing a block again after a
// crash replaces it, and of two samples for one instant the one in the lower block came first. A block that holds
// samples of several months (late ones) stands in each of those files.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

struct blocks;

struct block {
	int32_t month;    // month of the file: year * 12 + month - 1
	uint32_t point;
	uint32_t no;
	int64_t t0, t1;   // first and last time within it, us; may reach beyond the month
	bool again;       // may be in the file already: what was rolled up of it and of later ones is looked at again
	struct str bytes; // a chunk (series/chunk.h)
};

enum err blocks_open(struct blocks **ret, const char *dir) must_check;
void blocks_close(struct blocks *b); // NULL is fine

int32_t blocks_month(int64_t us);
int64_t blocks_month_start(int32_t month); // us

// Writes blocks in one durable transaction per month (v is sorted by month, then point). After an error all may be
// written again. ERR_FULL, ERR_IO, ERR_CORRUPT.
enum err blocks_write(struct blocks *b, const struct block *v, size_t n) must_check;

// Calls fn for every block of the point that may hold samples with from <= time < to, by month and no; the bytes live
// only during the call. A block whose checksum is wrong is counted in *ret_corrupt and left out. fn's error ends it.
typedef enum err blocks_fn(void *arg, const struct block *block);
enum err blocks_read(struct blocks *b, uint32_t point, int64_t from, int64_t to, blocks_fn *fn, void *arg,
                     uint32_t *ret_corrupt) must_check;
// Greatest no of the point in any file + 1, or 0.
enum err blocks_next_no(struct blocks *b, uint32_t point, uint32_t *ret) must_check;
bool blocks_any(struct blocks *b); // is there any file?
// Next file with month >= *month and <= last. False: none.
bool blocks_month_next(struct blocks *b, int32_t *month, int32_t last);
void blocks_path(const struct blocks *b, int32_t month, char *ret, size_t cap);

#ifdef ANLAN_TEST
extern _Atomic int blocks_fault; // enum err with which every write fails before its commit; 0 = none
#endif
