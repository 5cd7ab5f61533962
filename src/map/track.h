// A track against a plan: which of its points a patrol came near enough to, when, and which it missed. Pure; any thread.
#pragma once

#include "base/base.h"

struct track_at { int64_t time; double lon, lat; };   // us; degrees of CGCS2000
struct track_point {
	double lon, lat, radius;    // m, > 0
	int64_t passed;             // out: when it was nearest on the first stretch that came within the radius; 0: never
	double nearest;             // out: m; HUGE_VAL: there is no track
};
#define TRACK_GAP (2 * US_PER_MIN) // positions farther apart in time are not joined: nobody knows where it was between them

// v: by time. Between two positions that are joined the way is a straight line. The length of the way, m.
double track_compare(const struct track_at *v, size_t n, struct track_point *points, size_t npoints);
