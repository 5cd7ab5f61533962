// When will a value reach its limit if it goes on as it does, and how sure is that? A line through the last values by the
// median of all slopes (H. Theil 1950; P. K. Sen, J. Am. Stat. Assoc. 63, 1968: up to 29 % of wild values do not move it),
// with Sen's interval of the slope by Kendall's rank variance, widened by the memory of what the line leaves over (K.
// Hamed, A. Rao, J. Hydrol. 204, 1998). The earliest and latest tenth follow from the interval's ends, and from the
// spread of the values around the line now.
//
// Version: TREND_VERSION. Memory: 16 bytes a value, at most TREND_VALUES_MAX. The forecast needs scratch of the caller's and
// costs 7,140 slopes and their order at most (about 1 ms). Deterministic. One thread an object.
#pragma once

#include "base/base.h"

#define TREND_VERSION "trend-1"
#define TREND_VALUES_MAX 120
#define TREND_VALUES_MIN 10
#define TREND_PAIRS_MAX (TREND_VALUES_MAX * (TREND_VALUES_MAX - 1) / 2)

struct trend {
	size_t n, next;                   // values held; where the next one goes
	double minute[TREND_VALUES_MAX];  // since the first value
	double value[TREND_VALUES_MAX];
	int64_t first;                    // its time, us
};

struct trend_forecast {
	bool moving;         // the slope's sign is sure at 80 %, and it leads to the limit
	bool reached;        // the line is there or beyond: minutes are 0
	double per_minute;   // slope
	double p10, p50, p90; // minutes from the last value; INFINITY: perhaps never. p10 is the early one
};

void trend_init(struct trend *t);
// time: us, later than the one before; others and NaN are ignored.
void trend_feed(struct trend *t, int64_t time, double value);
// above: the limit is reached from below. False if there are fewer than TREND_VALUES_MIN values.
bool trend_to_limit(const struct trend *t, double limit, bool above, double scratch[TREND_PAIRS_MAX],
                    struct trend_forecast *ret) must_check;
