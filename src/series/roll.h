// Roll-ups: what an hour of samples of one point comes to, exactly, so that hours merged into days and years give the same
// numbers as the samples themselves, in whatever parts they are added. And the row of a day, as stored beside the blocks.
//
//   row  = version(1) newest(varint, us since the start of the day) hours(3, LE, a bit each) hour…
//   hour = qualities(1, a bit each) count(varint) for each; if any of them is usable (up to Q_RANGE):
//          decimals(1: 0..6, or 7) first min max last  (zig-zag varints: first, the others less first; or 4 doubles)
//          n(1) double… : the sum as n doubles that do not overlap
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "series/series.h"

#define SUM_PARTS 40 // doubles that do not overlap: 2,098 bits of range in pieces of 53

// A sum of doubles without rounding, as a row of doubles that do not overlap (J. R. Shewchuk, Adaptive Precision
// Floating-Point Arithmetic, 1997, theorem 10). A sum beyond the range of a double is infinite.
struct exact {
	unsigned n;
	double part[SUM_PARTS]; // rising
};
void exact_add(struct exact *e, double x);
double exact_value(const struct exact *e); // rounded once, to the nearest, ties to even

struct roll {
	uint32_t count[Q__MAX]; // samples by quality
	uint32_t usable;        // of them up to Q_RANGE
	double min, max, first, last; // of the usable
	struct exact sum;
};
void roll_add(struct roll *r, const struct sample *x); // samples in order of time
void roll_merge(struct roll *r, const struct roll *later); // every sample in `later` is later
static inline bool roll_empty(const struct roll *r)
{
	uint32_t n = 0;
	for (size_t i = 0; i < Q__MAX; i++)
		n |= r->count[i];
	return n == 0;
}

struct roll_day {
	int64_t newest; // greatest time of a sample, us since the start of the day
	struct roll hour[24];
};
void roll_day_write(const struct roll_day *d, struct buf *out);
bool roll_day_read(struct str bytes, struct roll_day *ret); // false: not a row
