// A reading as it travels and as it is stored: which point, when, what, how good.
#pragma once

#include "base/base.h"

enum quality { // worst last; stored as a number: never renumber
	Q_GOOD = 0,
	Q_CALIBRATION = 1,   // calibration overdue (set by the core)
	Q_MAINTENANCE = 2,   // point under maintenance (device flag or set by the core)
	Q_FLAT = 3,          // unchanged beyond its time (set by the core)
	Q_RANGE = 4,         // outside the range of its kind or sensor (set by the core)
	Q_STALE = 5,         // device says the value is old
	Q_BAD = 6,           // device says the value is wrong (isValid=false, HJ 212 flag D/B/T, …)
	Q__MAX
};
const char *quality_name(enum quality q); // "good", "calibration", "maintenance", "flat", "range", "stale", "bad"

struct reading {
	uint32_t point;    // record id of the point, from 1
	uint16_t quality;  // enum quality
	uint16_t flags;    // READING_*
	int64_t time;      // device time, UTC us
	double value;      // finite; 0 when quality is Q_BAD and the device sent none
};
#define READING_HISTORY 1u // re-sent after an outage (continues, back-fill)
