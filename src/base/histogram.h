// Counts of measured values by size, for /metrics. Any thread adds, any thread writes it out; nothing is locked.
#pragma once

#include <stdatomic.h>

#include "base/base.h"
#include "base/buf.h"

#define HISTOGRAM_BOUNDS 15

struct histogram {
	const int64_t *bounds;      // HISTOGRAM_BOUNDS of them, rising; a value counts in the first it does not exceed
	_Atomic uint64_t count[HISTOGRAM_BOUNDS + 1];
	_Atomic int64_t sum;
};

extern const int64_t histogram_seconds[HISTOGRAM_BOUNDS]; // us: 0.5 ms … 60 s
extern const int64_t histogram_sizes[HISTOGRAM_BOUNDS];   // 64 … 1 Mi

void histogram_add(struct histogram *h, int64_t v); // negative values count as 0
// Prometheus text exposition format 0.0.4, with HELP and TYPE. Values are divided by `per` (US_PER_S for seconds).
void histogram_write(const struct histogram *h, const char *name, const char *help, double per, struct buf *out);
