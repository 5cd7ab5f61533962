// The codec of a run of samples of one point, used for the open chunk in memory, for sealed blocks and for snapshots:
// the same bytes in all three. It is append-only, so sealing is a copy.
//
//   bytes  = format(1) n(2, LE) bits…            format = version<<6 | mode<<2 | unit
//   first  = number(time) value quality(8)        number(x) = length(7), that many bits of zigzag(x)
//   next   = [mark quality(8)] rice(time error) value
//   value  = rice(difference of scaled integers)  in modes 0..6 (decimals), or XOR of raw doubles in mode 7:
//            0 | 1 leading zeros(5) length-1(6) significant bits
//
// Bits run from the low end of each byte. Times are in the chunk's unit (s, ms or us: the largest that divides all of
// them) and are predicted from the period learned so far (a filter with gains 1/4 and 1/32: jitter around a fixed grid
// costs its own entropy, a drifting clock is followed). A sample older than the newest one is predicted from the sample
// before it and teaches nothing. Rice parameters follow the running mean of the errors (as in JPEG-LS, ITU-T T.87 A.5);
// an error too large for them is escaped by RICE_ESCAPE ones and a length. When a sample does not fit unit or
// decimals, the chunk is coded again with finer ones: at most 3 + 8 times in a chunk, in practice at its second sample.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "series/cells.h"
#include "series/series.h"

#define CHUNK_SAMPLES 4096            // most samples in a chunk
#define CHUNK_BYTES 8192              // a chunk of this size is sealed
#define CHUNK_FLAT (CHUNK_BYTES + 96) // room for the bytes of any chunk
#define CHUNK_TIME_LIMIT (INT64_C(1) << 57) // |time| in us must be smaller (about the year 6500)
#define CHUNK_XOR 7                   // mode of raw doubles; 0..6 are decimals

// What encoder and decoder both know after each sample.
struct chunk_model {
	int64_t newest;      // greatest time so far, in units
	int64_t prev_time;   // time of the sample before, in units
	int64_t prev_value;  // its scaled value, or its bits in CHUNK_XOR
	int32_t phase;       // learned grid minus newest, 1/16 unit
	uint32_t period;     // learned period, 1/16 unit; 0 = not yet
	uint32_t time_mean;  // running mean of zigzag time errors, 1/16
	uint32_t value_mean; // and of value errors
	uint8_t unit;        // index of a unit: 0 s, 1 ms, 2 us
	uint8_t mode;        // decimals 0..6, or CHUNK_XOR
	uint8_t quality;     // of the sample before
	bool jumped;         // the last in-order sample was off the grid
	bool late;           // a sample not newer than one before it is in here
};

struct chunk {
	struct chunk_model m;
	uint32_t head, tail; // chain of cells
	uint32_t bits;       // length of the bit stream
	uint16_t n;          // samples
	uint8_t fill;        // whole bytes used in the tail cell
	uint8_t part;        // the last bits & 7 bits, not in the cell yet: appending never reads the cell, which is far
};

// Appends a sample. |time| < CHUNK_TIME_LIMIT, value finite and not -0.0, quality < 256, n < CHUNK_SAMPLES.
void chunk_add(struct chunk *c, struct cells *pool, const struct sample *s);
static inline size_t chunk_size(const struct chunk *c) { return 3 + (c->bits + 7) / 8; }
// The chunk's bytes, chunk_size() of them. ret has room for CHUNK_FLAT.
size_t chunk_flatten(const struct chunk *c, const struct cells *pool, uint8_t *ret);
// Gives the cells back and empties the chunk.
void chunk_clear(struct chunk *c, struct cells *pool);
// The opposite of chunk_flatten, for a snapshot: puts stream bytes back into cells; c->m, n and bits are set already.
void chunk_restore(struct chunk *c, struct cells *pool, const uint8_t *stream);

// Samples in the order they were added. ret has room for CHUNK_SAMPLES. ERR_CORRUPT if the bytes are not a chunk.
enum err chunk_decode(struct str bytes, struct sample *ret, size_t *ret_n) must_check;
int64_t chunk_first(struct str bytes); // time of the first sample; 0 if not a chunk
static inline int64_t chunk_unit(const struct chunk *c) // us
{
	return c->m.unit == 0 ? 1000000 : c->m.unit == 1 ? 1000 : 1;
}
// True if v is an exact decimal with d <= 6 places, and then its integer; and back.
bool chunk_decimal(double v, unsigned d, int64_t *ret);
double chunk_undecimal(int64_t i, unsigned d);
size_t chunk_count(struct str bytes); // samples claimed by the head, 0 if not a chunk
