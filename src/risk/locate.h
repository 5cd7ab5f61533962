// Where it leaks: a source from detectors and wind, a place on a pipeline from its two ends. Pure but for the arena; any thread.
#pragma once

#include "base/arena.h"
#include "risk/gauss.h"

struct leak_reading { double x, y, c; }; // m east and north, kg/m3 (0: nothing was measured)

struct leak_case {
	const struct leak_reading *v;
	size_t n;
	struct gauss plume;      // q is looked for; factor 1
	double from, from_sd;    // degrees, where the wind comes from; its uncertainty
	double noise, floor;     // standard deviation: part of the value; kg/m3
	double range;            // m around the detectors that is searched
	double q_min, q_max;     // kg/s
};

struct leak_guess {          // the distribution of the source given the readings
	double x, y;             // mean, m
	double x_best, y_best, q_best; // the most probable
	double q, q_low, q_high; // median, 5 % and 95 %, kg/s
	double major, minor;     // semi-axes of the ellipse that holds it with 95 %, m
	double bearing;          // of the major axis, degrees from north, 0 … 180
	double chi2;             // misfit of the best by number of readings; about 1 is right
	bool at_edge;            // it may lie outside of what was searched
};
struct leak_guess leak_locate(const struct leak_case *c, struct arena *a);

struct pipe_wave { double length, speed, flow, dt, sd_dt, sd_speed; }; // m, m/s, m/s, s: arrival at the inlet - at the outlet
// m from the inlet, by the negative pressure wave; *ret_sd its standard deviation.
double pipe_by_wave(const struct pipe_wave *w, double *ret_sd);

struct pipe_gradient {       // Pa, m3/s, m, kg/m3; rise: m from inlet to outlet; friction: Darcy
	double length, p_in, p_out, q_in, q_out, diameter, rho, friction, rise, sd_p, sd_q;
};
// m from the inlet, where the two gradients meet; *ret_sd its standard deviation. NAN: both ends flow alike.
double pipe_by_gradient(const struct pipe_gradient *g, double *ret_sd);
