// A lasting change of level, however small: two-sided CUSUM (E. Page, Biometrika 41, 1954) on values made comparable by
// median and median deviation of learning. Limit 10, widened by the memory of the values, (1 + r) / (1 - r) with r the
// correlation of neighbours while learning (R. Johnson, M. Bagshaw, Technometrics 16, 1974), so that a slow point is not
// called changing because it is slow; slack 0.5 deviations and two standard errors of the learned centre. A value counts
// for at most 4 deviations: one spike is no change.
//
// Version: CHANGE_VERSION. Memory: 1.7 KB, most of it for learning. Deterministic. One thread an object.
#pragma once

#include "base/base.h"

#define CHANGE_VERSION "change-1"
#define CHANGE_LEARN_MIN 30
#define CHANGE_LEARN_MAX 200

struct change {
	size_t learn, n;          // values to learn from; values seen
	double centre, deviation; // of learning
	double limit, slack;      // of the sums
	double up, down;          // sums
	uint64_t up_since, down_since; // number of the first value of each sum (from 0)
	double up_total, down_total;   // of the values, in deviations, since then
	double values[CHANGE_LEARN_MAX];
};

struct change_found {
	int direction;       // +1, -1; 0: none
	uint64_t since;      // the value with which it began, as the sum tells (from 0)
	double size;         // mean since then less the learned centre, in the unit of the values
};

// learn: CHANGE_LEARN_MIN..CHANGE_LEARN_MAX values.
void change_init(struct change *c, size_t learn);
// NaN is ignored. After a finding the sums begin anew from here, against the same centre: it is said again as long as it lasts.
void change_feed(struct change *c, double value, struct change_found *ret);
