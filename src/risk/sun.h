// Where the sun stands, and what a clear sky there is to the air. Pure; any thread.
#pragma once

#include <stdint.h>

// Degrees above the horizon at a time (microseconds since 1970, UTC) and place (degrees, east and north). Low-precision formulas of the
// Astronomical Almanac, good to 0.02 degrees from 1950 to 2050; refraction is left out.
double sun_elevation(int64_t time_us, double lon, double lat);

// The clear sky of that elevation, an item of the model stability-class (Pasquill: strong sun above 60 degrees, moderate 35-60, slight
// 15-35, neutral in the hour beside night).
const char *sun_sky(double elevation);
