// Dispersion parameters, stability and wind near the ground. Distances and heights in m. Pure; any thread.
#pragma once

#include "base/base.h"

enum sigma_set {
	SIGMA_BRIGGS_RURAL, // Briggs 1973, 100 m … 10 km
	SIGMA_BRIGGS_URBAN,
	SIGMA_CCPS_PUFF,    // CCPS 1999
	SIGMA_TNO_PLUME,    // TNO Yellow Book (CPR 14E), 10 min
	SIGMA_TNO_PUFF,
	SIGMA_TURNER,       // Turner 1970 as fitted in Lees
	SIGMA_ISC3_RURAL,   // EPA ISC3 vol. II
	SIGMA_SEINFELD,     // Spicer and Havens / Seinfeld, 600 s
	SIGMA_CHEF,         // CHEF guide: class D only, z0 1 m
	SIGMA__MAX
};

struct sigma {
	double x, y, z; // m; x along the wind (puffs)
};

// stability 0 … 5 for A … F. False: the set has no such class.
bool sigma_at(enum sigma_set set, int stability, double x, struct sigma *ret);
// Inverse of the Monin-Obukhov length, 1/m (0: neutral), by TNO (z0 bounded at 0.5 m) or by Pasquill 1974.
double inverse_length_tno(int stability, double z0);
double inverse_length_pasquill(int stability, double z0);
// ln(z/z0) - Psi(z) + Psi(z0) of the TNO Yellow Book: u = u*/0.4 times this.
double wind_log(double z, double z0, double inverse_length);
// Exponent of the wind profile: rural or urban (Irwin 1979, CCPS).
double wind_exponent(int stability, bool urban);
