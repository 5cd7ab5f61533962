// Gaussian dispersion of gas as heavy as air. Pure; any thread.
#pragma once

#include "risk/sigma.h"

struct gauss {
	enum sigma_set set;
	int stability;
	double q;      // kg/s, or kg of a puff
	double u;      // m/s
	double h;      // m, height of the source
	double factor; // of sigma_y, for the averaging time; 1: as the set
};

// kg/m3 at x > 0 downwind, y across, z above ground. 0 upwind. The set must have the class (sigma_at).
double gauss_plume(const struct gauss *g, double x, double y, double z);
// t seconds after a puff of q kg.
double gauss_puff(const struct gauss *g, double x, double y, double z, double t);
// Averaging-time factor of sigma_y: TNO, (t/600 s)^0.2, t at least 20 s.
double gauss_averaging(double seconds);
