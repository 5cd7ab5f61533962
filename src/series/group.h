// The bytes of one group of the arrival log: readings in the order they were added, delta-coded within the group only,
// so that every group can be read without any other.
//
//   head (32, LE): magic(4) length of the rest(4) crc32c of all else(4) count(4) first seq(8) arrival(8)
//   reading:       tag [arrival change, us] [point] [quality | flags<<4] [time] value  (put_number in group.c)
//   tag:           bits 0-2 decimals 0..6 of the value (an integer), or 7: raw double
//                  bits 3-4 unit of the time difference to the reading before: 0 us, 1 ms, 2 s, 3 no difference
//                  bit 5 point is not the previous one + 1; bit 6 quality or flags follow; bit 7 arrival changed
#pragma once

#include "base/base.h"
#include "base/cursor.h"
#include "base/err.h"
#include "bus/reading.h"

#define GROUP_HEAD 32
#define GROUP_READING_MAX 48       // most bytes of one reading
#define GROUP_MAX (256u << 10)     // most bytes of a group

struct group_state { // what the next reading is coded against
	uint32_t point;
	int64_t time, arrival;
};
static inline struct group_state group_start(int64_t arrival)
{
	return (struct group_state){ 0, arrival, arrival };
}
// Writes one reading to out (GROUP_READING_MAX bytes free) and returns its length. mode and scaled: the value as the
// point's chunk holds it (decimals and integer, or CHUNK_XOR). quality and flags below 16.
size_t group_put(uint8_t *out, struct group_state *st, const struct reading *r, int64_t arrival, unsigned mode,
                 int64_t scaled);
// Fills the head of a group of `length` bytes behind it, except the checksum; group_seal adds that.
void group_head(uint8_t *group, uint32_t length, uint32_t count, uint64_t first, int64_t arrival);
void group_seal(uint8_t *group);

struct group {
	struct cursor c;
	struct group_state st;
	uint32_t left;      // readings not yet returned
	uint32_t count;
	uint64_t first;     // seq of the first reading
	size_t size;        // of the whole group, head included
};
// A group at the start of bytes. ERR_NOT_FOUND: nothing was written here (zeros or end); ERR_CORRUPT: something else.
enum err group_open(struct str bytes, struct group *ret) must_check;
// False at the end; then g->c.failed says whether the content was wrong.
bool group_next(struct group *g, struct reading *ret, int64_t *ret_arrival);
