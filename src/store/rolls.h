// Roll-ups of readings beside the blocks they were made from, in the same monthly files: a row of opaque bytes
// (series/roll.h) for each point and day, and for each point how far its blocks are rolled up. What is rolled up and how far is
// one transaction, so a crash leaves both as they were. A block beyond `no` makes the rows of its days stale: who reads is
// told of it (rolls_read), and the next pass makes them anew. Writing a block therefore costs nothing more.
//
// And what is deleted of both: retention.
#pragma once

#include "store/blocks.h"

#define ROLL_DAYS 31

struct rolled {
	int64_t no;  // all blocks of the point in this file up to it are in the rows; -1: none
	bool gone;   // blocks were deleted by retention: the rows are all there is, and are not made anew
};

// ---- any thread ----
struct rolls_reader {
	void *arg;
	void (*row)(void *arg, int day, struct str bytes);      // day of the month from 0; the bytes live during the call
	void (*fresh)(void *arg, int first_day, int last_day);  // a block that is not rolled up lies on these days
};
// State, rows of the days first..last and what is beyond them, all at one instant. A row whose checksum is wrong is left
// out and said to be fresh. A file without roll-ups: no = -1.
enum err rolls_read(struct blocks *b, int32_t month, uint32_t point, int first, int last, const struct rolls_reader *r,
                    struct rolled *ret) must_check;
// Rows of a point and their bytes.
enum err rolls_days(struct blocks *b, int32_t month, uint32_t point, uint64_t *ret_days, uint64_t *ret_bytes) must_check;
// Next point after `after` with anything in the file; *ret = 0: none.
enum err rolls_next(struct blocks *b, int32_t month, uint32_t after, uint32_t *ret) must_check;
// How many of the point's blocks may go, their bytes, and how many may not.
typedef bool rolls_goes_fn(void *arg, int64_t t0, int64_t t1); // us, rounded outwards to ms; true: it may go
enum err rolls_count(struct blocks *b, int32_t month, uint32_t point, rolls_goes_fn *goes, void *arg, uint64_t *ret_blocks,
                     uint64_t *ret_bytes, uint64_t *ret_held) must_check;

// ---- the seal thread, between rolls_begin and rolls_end ----
enum err rolls_begin(struct blocks *b, int32_t month) must_check;
enum err rolls_end(struct blocks *b, int32_t month, enum err err) must_check; // commits, or takes back if err; returns it
bool rolls_complete(struct blocks *b, int32_t month); // every block of the file is rolled up; outside of a transaction too
enum err rolls_set_complete(struct blocks *b, int32_t month) must_check;
// Next point after `after` with a block; 0: none.
enum err rolls_point(struct blocks *b, int32_t month, uint32_t after, uint32_t *ret) must_check;
enum err rolls_state(struct blocks *b, int32_t month, uint32_t point, struct rolled *ret) must_check;
// At most max blocks with a number above `after`, in order. *ret_n: how many there were, damaged ones included.
enum err rolls_blocks(struct blocks *b, int32_t month, uint32_t point, int64_t after, size_t max, blocks_fn *fn, void *arg,
                      int64_t *ret_last, size_t *ret_n, uint32_t *ret_corrupt) must_check;
// The row of a day into *ret, allocated in a. False in *ret_there: none. Empty and there: damaged.
enum err rolls_row(struct blocks *b, int32_t month, uint32_t point, int day, struct arena *a, struct str *ret, bool *ret_there) must_check;
enum err rolls_put(struct blocks *b, int32_t month, uint32_t point, int day, struct str bytes, struct arena *a) must_check;
enum err rolls_set(struct blocks *b, int32_t month, uint32_t point, struct rolled r) must_check;
// Deletes the point's blocks that may go, and with hours its rows too.
enum err rolls_drop(struct blocks *b, int32_t month, uint32_t point, bool hours, rolls_goes_fn *goes, void *arg,
                    uint64_t *ret_blocks) must_check;

// ---- the seal thread, outside of a transaction ----
enum err rolls_shrink(struct blocks *b, int32_t month) must_check; // gives free pages back if they are half of the file
// Writes the file anew in the order of its blocks, its pages full: what came between others left them partly empty. Only once, and
// again when it has grown by a tenth; not a file below 1 MiB, not without room on the disk for three of it. *ret: it was.
enum err rolls_pack(struct blocks *b, int32_t month, bool *ret) must_check;
enum err rolls_unlink(struct blocks *b, int32_t month) must_check; // deletes the file
