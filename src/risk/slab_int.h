// What the files of the SLAB model share: constants of the manual, the cloud, the air.
#pragma once

#include "risk/slab.h"

#define SLAB_R 8.31431
#define SLAB_G 9.80665
#define SLAB_PA 101325.0
#define SLAB_K 0.41           // von Karman
#define SLAB_AA 1.5           // entrainment
#define SLAB_CF1 0.02         // internal friction
#define SLAB_SIGB 0.0004
#define SLAB_TAV0 900.0
#define SLAB_TAU0 10.0
#define SLAB_MW_AIR 0.02896
#define SLAB_CP_AIR 1005.87
#define SLAB_MW_WATER 0.01802
#define SLAB_RHO_WATER 1000.0
#define SLAB_CP_VAPOUR 1846.0
#define SLAB_CP_WATER 4178.0
#define SLAB_DH_WATER 2441000.0
#define SLAB_SPA_WATER 15.08
#define SLAB_SPB_WATER 5514.0
#define SQRT3 1.7320508075688772

struct slab_air {
	double mw, cp, rho, t, water, dry; // mass fractions of water and dry air
	double u_star, z0, inv_l, inv_l0, zl, h_mix, stb, phi_inf, phi_gamma;
	double zt, c1, c2;                 // the profile below zt = e z0
	bool limited;                      // less unstable than the class, by the heat that the sun gives
};

struct cloud {
	double x, time;
	// integrated
	double r, bbv, bv, bbvx, bvx, zc, qint, g, gw, gx, sft, sfu, sfx, sfy, sfz;
	// found from them
	double cm, cv, cmw, cmwv, cmev, t, rho, cp;
	double h, htp, bb, b, bbx, bx, u, uab, vg, ug, wc;
	double w, v, vx, ubs2, ft, fu, fv, fw, fug;
};

struct slab {
	const struct slab_in *in;
	struct slab_air air;
	struct cloud old, now;       // beginning of the step, and the stage
	bool puff, widened;
	double bse, ws, t_source, spa, spb;
	double alfg, sru0, urf, cf0, rcf, afa;
	int stage;
};

void slab_air_init(const struct slab_in *in, struct slab_air *ret);
double slab_profile(const struct slab_air *a, double z);                  // u / (u*/k) at z
double slab_mean_wind(const struct slab_air *a, double h);                // m/s, average from the ground to h
void slab_thermo(struct slab *s);
void slab_entrain(struct slab *s);
void slab_plume_step(struct slab *s, double dx);
void slab_puff_step(struct slab *s, double dt);
// Mean of the ambient wind over the cloud, which grew from htp0 to htp.
double slab_ambient(const struct slab *s, double htp);
