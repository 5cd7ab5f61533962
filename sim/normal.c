// The quiet county: every point near its normal value, with the swing of the day and a little noise. Pure functions.
#include "sim/sim.h"

#include <math.h>

uint64_t sim_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
	return (double)(sim_random(state) >> 11) / (double)(UINT64_C(1) << 53);
}

double sim_noise(uint64_t *state)
{
	return 2 * (uniform(state) + uniform(state) - 1);
}

static bool daily(const char *kind)
{
	static const char *const kinds[] = { "ambient_temperature", "humidity", "wind_speed", "wind_direction", "pm25", "pm10", "headcount" };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

double normal_bound(const struct sim_point *p)
{
	return fabs(p->swing) + 2 * fabs(p->noise) + p->step;
}

double normal_value(const struct sim_point *p, int64_t now)
{
	bool day = daily(p->kind);
	double period = day ? 86400 : 7200;
	double seconds = (double)(now / US_PER_MS) / 1000;
	// weather is warmest at 15:00 (07:00 UTC); what plants do has no common hour
	double phase = day ? -2 * M_PI * (7 - 6) / 24 : (double)(p->seed % 1000) / 1000 * 2 * M_PI;
	uint64_t state = p->seed ^ (uint64_t)(now / US_PER_MS) * UINT64_C(0x9e3779b97f4a7c15);
	double v = p->normal + p->swing * sin(2 * M_PI * fmod(seconds, period) / period + phase) + p->noise * sim_noise(&state);
	if (p->step > 0)
		v = round(v / p->step) * p->step;
	return fmin(fmax(v, p->lo), p->hi);
}
