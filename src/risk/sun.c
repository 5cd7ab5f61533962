// The sun: see sun.h. Called by the live weather of zones. Pure; any thread.
#include "risk/sun.h"

#include <math.h>

#define DEG (M_PI / 180)
#define DAY_US 86400e6
#define EPOCH_2000 10957.5 // days from 1970-01-01T00:00 to 2000-01-01T12:00 UTC

double sun_elevation(int64_t time_us, double lon, double lat)
{
	double days = (double)time_us / DAY_US, n = days - EPOCH_2000, hours = (days - floor(days)) * 24;
	double mean = fmod(280.460 + 0.9856474 * n, 360), anomaly = fmod(357.528 + 0.9856003 * n, 360) * DEG;
	double along = (mean + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly)) * DEG, tilt = (23.439 - 4e-7 * n) * DEG;
	double right = atan2(cos(tilt) * sin(along), cos(along)), declination = asin(sin(tilt) * sin(along));
	double midnight = floor(days) - EPOCH_2000; // the sidereal hour counts from it
	double sidereal = fmod(6.697374558 + 0.06570982441908 * midnight + 1.00273790935 * hours, 24);
	double hour_angle = (sidereal * 15 + lon) * DEG - right;
	return asin(sin(lat * DEG) * sin(declination) + cos(lat * DEG) * cos(declination) * cos(hour_angle)) / DEG;
}

const char *sun_sky(double elevation)
{
	return elevation > 60 ? "strong" : elevation > 35 ? "moderate" : elevation > 15 ? "slight" : elevation > 0 ? "overcast" : "night-clear";
}
