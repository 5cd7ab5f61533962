// Will a point reach one of its limits soon? Its values are taken as means of equal spans of time (`every`); the line through the
// last EARLY_KEEP of them (trend.h), or the last EARLY_BRIEF where those surely say otherwise, says in how many minutes the next limit
// ahead is reached (high-high only when high is behind). A warning begins when two spans in a
// row say so: the slope is sure at 80 %, the median lies within `within`, the late tenth within twice that. It ends when five in
// a row do not, begins again if they do again, and is judged once: a hit when the value is at the limit before the late tenth is
// over (lead time: from its beginning), a miss when it is not.
//
// A pure function of the point's trusted samples in their own time: no clock, nothing of the future; the same samples in any
// slices end in the same state and the same events. After a pause of more than EARLY_PAUSE spans the line begins anew. A
// line is fitted only if the least squares' line through the same values comes near a limit at all; that keeps the usual span
// below a microsecond.
//
// Version: EARLY_VERSION changes whenever the same samples could end otherwise. Memory: the struct, which is plain data and may
// be kept as bytes. One thread an object.
#pragma once

#include "detect/trend.h"

#define EARLY_VERSION 1
#define EARLY_KEEP 40
#define EARLY_BRIEF 15
#define EARLY_PAUSE 5
#define EARLY_LEVELS 4          // ll l h hh, in this order: the first two are reached from above

struct early_facts {
	double limit[EARLY_LEVELS]; // in the point's unit; NaN: none
	int64_t within, every;      // us, > 0
};

enum early_what {
	EARLY_RAISED,           // it is coming
	EARLY_ENDED,            // the trend is over; whether it was right is not known yet
	EARLY_AGAIN,            // and is there again
	EARLY_HIT,              // the limit is reached
	EARLY_MISSED,           // it was not reached in the time that was said
};

struct early_event {
	enum early_what what;
	unsigned level;
	int64_t at, raised, until;  // us, of the samples; until: the late tenth that was said
	double value, limit;        // of the line when it was raised, else of the sample
	double per_minute, p10, p50, p90; // as they were said (minutes from `raised`)
};
typedef void early_fn(void *arg, const struct early_event *e);

struct early_level {
	int64_t raised, until;      // 0: nothing is said
	uint32_t yes, no;           // spans in a row
	uint32_t lasts;             // the trend is still there
	uint32_t spare;
	double per_minute, p10, p50, p90; // as they were said
	double now10, now50, now90; // by the newest span, minutes from `now`
	int64_t now;
};

struct early {
	uint32_t version, n, next;  // values held; where the next one goes
	uint32_t count;             // samples in the span that runs
	struct early_facts facts;
	int64_t span;               // its number: time / every
	double sum, after;          // of its values; of their times, us after its start
	int64_t time[EARLY_KEEP];
	double value[EARLY_KEEP];
	struct early_level level[EARLY_LEVELS];
};

void early_init(struct early *e, const struct early_facts *facts);
// A trusted sample, newer than all before (others are ignored). scratch as of trend_to_limit.
void early_feed(struct early *e, int64_t time, double value, double scratch[TREND_PAIRS_MAX], early_fn *fn, void *arg);
// Other limits: what is said of a limit that stays goes on; of the others nothing is said any more, and gone(level, raised) is
// called for it. Another within or every: everything begins anew.
void early_change(struct early *e, const struct early_facts *facts, void (*gone)(void *arg, unsigned level, int64_t raised), void *arg);
