// The names of qualities, as they stand in answers, pages and metrics. Pure, any thread.
#include "bus/reading.h"

const char *quality_name(enum quality q)
{
	static const char *const names[Q__MAX] = {
		[Q_GOOD] = "good", [Q_CALIBRATION] = "calibration", [Q_MAINTENANCE] = "maintenance",
		[Q_FLAT] = "flat", [Q_RANGE] = "range",             [Q_STALE] = "stale",
		[Q_BAD] = "bad",
	};
	return (unsigned)q < Q__MAX ? names[q] : "unknown";
}
