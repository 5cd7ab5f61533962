// See physics.h for the formulas.
#include "sim/physics.h"

#include <math.h>

void tank_step(struct tank *t, double hours)
{
	double level = t->level + (t->in - t->out) * hours / t->volume * 100;
	if (level > 100)
		t->spilled += (level - 100) / 100 * t->volume;
	t->level = fmin(fmax(level, 0), 100);
}

double tank_vapour(const struct tank *t)
{
	double breathed = fmax(t->level - 93, 0) * 25;
	return fmin(1.2 + breathed + t->spilled * 0.5, 100);
}

double plume_along(struct wind w, double east, double north)
{
	double to = (w.from + 180) * M_PI / 180; // where it blows to
	return east * sin(to) + north * cos(to);
}

double plume_mg_m3(struct wind w, double rate, double east, double north)
{
	double to = (w.from + 180) * M_PI / 180;
	double x = plume_along(w, east, north);
	double y = east * cos(to) - north * sin(to); // across
	if (x <= 0 || w.speed <= 0 || rate <= 0)
		return 0;
	double sy = hypot(0.08 * x / sqrt(1 + 0.0001 * x), 2);
	double sz = hypot(0.06 * x / sqrt(1 + 0.0015 * x), 1.5);
	return rate * 1000 / (M_PI * w.speed * sy * sz) * exp(-y * y / (2 * sy * sy));
}

double nh3_ppm(double mg_m3)
{
	return mg_m3 * 24.45 / 17.03;
}

double sensor_lag(double shown, double true_value, double seconds, double tau)
{
	return true_value + (shown - true_value) * exp(-seconds / tau);
}

#define COLLECTOR_CLEAN 980.0
#define COLLECTOR_BLOCKED 2100.0
#define COLLECTOR_AIR 32.0

void collector_step(struct collector *c, double minutes)
{
	double target = c->clogging ? COLLECTOR_BLOCKED : COLLECTOR_CLEAN;
	c->pressure += (target - c->pressure) * (1 - exp(-minutes / (c->clogging ? 22 : 8)));
	double reserve = fmax((2450 - c->pressure) / (2450 - COLLECTOR_CLEAN), 0);
	c->wind = 23 * sqrt(reserve);
	c->dust = 2.4 + fmax(16 - c->wind, 0) * 1.6;
	if (c->inerted)
		c->temperature += (COLLECTOR_AIR - c->temperature) * (1 - exp(-minutes / 15));
	else if (c->clogging && c->wind < 17)
		c->temperature += 1.5 * minutes; // smouldering, ℃ a minute
}

void pond_step(struct pond *p, double hours)
{
	double inflow = p->rain / 1000 * POND_CATCHMENT * 0.7;
	p->runoff = inflow + (p->runoff - inflow) * exp(-hours / 0.5);
	double head = fmax(p->level - POND_SILL, 0);
	double discharge = 1.8 * p->weir * pow(head, 1.5) * 3600;
	p->level += (p->runoff - discharge) * hours / POND_AREA;
	p->level = fmax(p->level, POND_SILL - 3);
}

double pond_beach(const struct pond *p)
{
	return fmax((POND_CREST - p->level) / POND_SLOPE, 0);
}

void cold_step(struct cold *c, double hours)
{
	double rate = (25 - c->temperature) / 30 - (c->running ? 4.2 : 0);
	c->temperature += rate * hours;
	c->temperature = fmax(c->temperature, -20);
}
