// An integral model of a cloud heavier than air in a wind: the equations of SLAB (Ermak, User's Manual for SLAB, LLNL, 1990,
// UCRL-MA-105607), for a horizontal jet (also two-phase) and an evaporating pool; a steady plume that becomes a puff when
// the release has ended. Cross-wind averaged balances of mass, species, momentum and energy, water and liquid in equilibrium,
// entrainment by shear, friction and stability. Pure; any thread.
#pragma once

#include "base/arena.h"

#define SLAB_POINTS_MAX 400

struct slab_in {
	// the substance
	double mw;           // kg/mol
	double cp, cp_l;     // J/kg/K of vapour and liquid
	double t_boil;       // K at 1 atm
	double dhv;          // J/kg
	double rho_l;        // kg/m3
	double spb, spc;     // K, Antoine: ln(p/atm) = spb/(t_boil+spc) - spb/(T+spc); spb < 0: from dhv (Clausius-Clapeyron)
	// the release
	bool pool;           // else a horizontal jet
	double t_source;     // K
	double liquid;       // mass fraction of liquid (jet)
	double rate;         // kg/s
	double area;         // m2 of the pool, or of the jet
	double duration;     // s
	double height;       // m (jet)
	bool free_jet;       // a jet entrains as a free one does (Ricou & Spalding), besides what the air's turbulence does
	double ground;       // J/m2/K/s^0.5, sqrt(conductivity x density x heat capacity) of the ground; 0: it stays as warm as the air
	// the air
	double z0, z_u, u;   // m, m, m/s at z_u
	double t_air;        // K
	double rh;           // %
	double stability;    // 1 … 6 (A … F), may lie between; 0: from inv_l
	double inv_l;        // 1/m
	// the answer
	double t_avg;        // s, averaging time of concentrations
	double x_max;        // m
	double z;            // m, height of the concentrations along the axis
};

struct slab_point {
	double x, t;         // m; s at which the cloud's centre is here
	double cv;           // volume fraction, average over the cloud
	double c_max;        // volume fraction on the axis at height z, highest in time, averaged over t_avg
	double temperature, rho, u, h, half_width;
	bool puff;
};

struct slab_out {
	struct slab_point *v;
	size_t n;
	double half_width;   // of the source, enlarged if gravity spreads the cloud upwind
	double u_star, rho_air, stability;
	bool limited;        // the class says more heat from the ground than the sun gives: less unstable was taken
	const char *failed;  // NULL, or why the integration could not be done
};

void slab_run(const struct slab_in *in, struct arena *a, struct slab_out *ret);

// What a liquid under pressure, warmer than its boiling point, is after it left a hole or a short nozzle as a liquid and
// expanded to the pressure of the air: mass, momentum and enthalpy are kept, no drop falls out.
struct slab_flash {
	double t, p, pa;     // K and Pa at the exit, Pa outside
	double rate, area;   // kg/s, m2 of the hole
};

struct slab_flashed {
	double liquid;       // mass fraction
	double u_exit, u;    // m/s before and after the expansion
	double rho, area;    // kg/m3, m2 after it
	double flux;         // kg m/s2, of momentum
};

// Of the substance in `in`, at t (K). Pa.
double slab_saturation(const struct slab_in *in, double t);
struct slab_flashed slab_flash(const struct slab_in *in, const struct slab_flash *f);
