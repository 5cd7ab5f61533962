// Data that cannot be what was measured: frozen, impossible, copied. Such data raise a risk, they never lower it.
//
// Frozen: how often the point repeats a value is learned from its own finished runs of equal values (geometric law: a run
// goes on with p = 1 - runs / values); a run so long that p^n < 1e-9 is no chance. A sensor with coarse steps repeats
// often and is given long; one with fine steps is found after a few values.
// Impossible: outside the range the quantity can have, or a change faster than it can be (both facts of the point,
// not learned). Copied: two points that move alike to the last digit: QUALITY_COPIED_MOVES changes in a row, each to the
// same value in both.
//
// Version: QUALITY_VERSION. Memory: fixed, the structs below. One thread an object.
#pragma once

#include "base/base.h"

#define QUALITY_VERSION "quality-1"
#define QUALITY_RUNS_MIN 10       // finished runs before anything is called frozen
#define QUALITY_CHANCE 1e-9
#define QUALITY_COPIED_MOVES 12

enum quality_finding { QUALITY_FROZEN = 1, QUALITY_RANGE = 2, QUALITY_JUMP = 4 };

struct quality_facts {
	double low, high;       // of the quantity, in its unit; NaN: none known
	double per_second;      // fastest change possible, in units a second; NaN: none known
};

struct quality_seen {
	uint64_t runs, values;  // finished runs of equal values, and the values in them
	uint64_t run;           // length of the present one
	int64_t time;           // of the last value, us
	double last, sound;     // the last value; the last one that was possible
	int64_t sound_time;
	bool known, sound_known;
};

// Zeroed struct: nothing seen. time: us, not before the last one. Returns quality_finding bits; NaN is no value: 0.
unsigned quality_feed(struct quality_seen *q, const struct quality_facts *facts, int64_t time, double value);
// Values that a run may have before it is called frozen; 0 while not enough runs are known.
uint64_t quality_run_max(const struct quality_seen *q);

struct quality_pair {
	double a, b;
	bool known;
	uint32_t moves;         // in a row that both made to the same value
};

// Values of two points at the same time. True while they are the copy of one another.
bool quality_pair_feed(struct quality_pair *q, double a, double b);
