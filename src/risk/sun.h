// Where the sun stands, and what sky to reckon with when nobody looked up. Pure; any thread.
#pragma once

#include <stdint.h>

// Degrees above the horizon at a time (microseconds since 1970, UTC) and place (degrees, east and north). Low-precision formulas of the
// Astronomical Almanac, good to 0.02 degrees from 1950 to 2050; refraction is left out.
double sun_elevation(int64_t time_us, double lon, double lat);

// An item of the model stability-class (Pasquill: strong sun above 60 degrees, moderate 35-60, slight 15-35, neutral in the hour beside
// night). Clouds are not known: the sun is taken one step weaker, the night as clear, so that no cloud is made thinner than it may be.
const char *sun_sky(double elevation);
