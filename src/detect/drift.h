// Has a point's level wandered away from where it was, for good? The point's values are taken as means of equal spans of time
// (`every`); change.h learns from the first DRIFT_LEARN of them and finds what lasts. It is said when the change is as large as
// matters (`least`, in the point's unit), and ends when DRIFT_SOUND spans in a row lie within half of that of the learned level
// again. A spread smaller than a quarter of `least` counts as that: a point that shows the same number for days and then another
// is seen too.
//
// A pure function of the samples in their own time; spans without a sample do not count. Version: DRIFT_VERSION. Memory: the struct
// (1.8 KB), plain data that may be kept as bytes. One thread an object.
#pragma once

#include "detect/change.h"

#define DRIFT_VERSION 1
#define DRIFT_LEARN 72
#define DRIFT_SOUND 12

struct drift_facts {
	int64_t every;              // us, > 0
	double least;               // in the point's unit, > 0
};

struct drift_event {
	bool begins;
	int64_t at, since;          // us; since: of the first span of the change
	double usual, now;          // the learned level; the mean since `since`, or of the span that ended it
};
typedef void drift_fn(void *arg, const struct drift_event *e);

struct drift {
	uint32_t version, count;    // count: samples in the span that runs
	int64_t every, span;        // us; the number of the span that runs: time / every
	double sum;                 // of its values
	int64_t up_since, down_since; // us, of the sums of c
	int64_t since;              // of what was said; 0: nothing is
	uint32_t sound, spare;      // spans in a row at the learned level
	struct change c;
};

void drift_init(struct drift *d, int64_t every);
// time not earlier than the one before (others are ignored, and NaN). facts->every as at drift_init.
void drift_feed(struct drift *d, const struct drift_facts *facts, int64_t time, double value, drift_fn *fn, void *arg);
