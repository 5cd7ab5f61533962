// The air of the SLAB model: humidity, stability, wind profile. Ermak 1990, sections 2 and 3. Pure.
#include "risk/slab_int.h"

#include <math.h>

// Stability class as a number from 4 (neutral) and the inverse Monin-Obukhov length, by roughness.
static void stability(const struct slab_in *in, struct slab_air *a)
{
	double z0 = in->z0, al1 = 0.0081 / pow(z0, 0.3044), al2, al3;
	if (z0 > 0.0111) {
		al2 = 0.0385 / pow(z0, 0.1715);
		al3 = 0.0875 / pow(z0, 0.1028);
	} else {
		al2 = al1 + 0.0137 / pow(z0, 0.1715) + 0.0218;
		al3 = al2 + 0.0557;
	}
	double en2 = log(al2 / al1) / log(2), en3 = log(al3 / al1) / log(3), eni = 2 * en3 - en2, dln = en2 - eni;
	double most = al1 * pow(3.5, eni + dln / 3.25);
	if (in->stability > 0) {
		double s = fabs(in->stability - 4), l;
		if (s < 2) {
			l = s > 0 ? al1 * pow(s, en2) : 0;
		} else if (s < 3.5) {
			l = al1 * pow(s, eni + dln / (1 + (s - 2) * (s - 2)));
		} else {
			l = most;
		}
		a->stb = in->stability - 4;
		a->inv_l = a->stb < 0 ? -l : l;
		return;
	}
	double l = fabs(in->inv_l), s;
	if (l < al2) {
		s = l > 0 ? pow(l / al1, 1 / en2) : 0;
	} else if (l < most) {
		double ral = (l - al2) / (al3 - al2);
		s = pow(l / al1, 1 / (eni + dln / (1 + ral * ral)));
	} else {
		s = 3.5;
	}
	a->inv_l = in->inv_l;
	a->stb = in->inv_l < 0 ? -s : s;
}

// Above zt: logarithmic, with stability that fades with height and a wind that stops growing at the mixing height.
static double profile_above(const struct slab_air *a, double z)
{
	double z0 = a->z0, hm = a->h_mix;
	if (a->inv_l0 < 0) {
		double phi = a->phi_inf, g = a->phi_gamma, q = sqrt(1 + g * z), q0 = sqrt(1 + g * z0);
		return log(z / z0) - phi * (z - z0) / hm - 2 * (1 - phi) * (log((1 + q) / (1 + q0)) - (sqrt(q) - sqrt(q0)) / (g * hm));
	}
	return log(z / z0) - (z - z0) / hm + 5 * a->inv_l0 * a->zl * ((1 + a->zl / hm) * log((z + a->zl) / (z0 + a->zl)) - (z - z0) / hm);
}

double slab_profile(const struct slab_air *a, double z)
{
	return z < a->zt ? a->c1 * z + a->c2 * z * z : profile_above(a, z);
}

double slab_mean_wind(const struct slab_air *a, double h)
{
	enum { PANELS = 5 };
	double sum = 0, d = h / PANELS;
	for (int i = 0; i < PANELS; i++) {
		sum += slab_profile(a, i * d) + 4 * slab_profile(a, (i + 0.5) * d) + slab_profile(a, (i + 1) * d);
	}
	return a->u_star / SLAB_K * sum / (6 * PANELS);
}

// W/m2 that dry ground gives the air at most: sun at the zenith of a clear sky, nothing evaporates (Holtslag & van Ulden,
// J. Climate Appl. Meteor. 22, 1983: 990 sin(phi) - 30 W/m2, albedo 0.2, a tenth into the ground).
static double most_heat(double t)
{
	double net = (0.8 * 960 + 5.31e-13 * pow(t, 6) - 5.67e-8 * pow(t, 4)) / 1.12;
	return 0.9 * fmax(net, 0);
}

static void settle(const struct slab_in *in, struct slab_air *a)
{
	double p = 0.01 * in->rh * exp(SLAB_SPA_WATER - SLAB_SPB_WATER / in->t_air);
	a->water = SLAB_MW_WATER * p / (SLAB_MW_AIR + (SLAB_MW_WATER - SLAB_MW_AIR) * p);
	a->dry = 1 - a->water;
	a->cp = a->dry * SLAB_CP_AIR + a->water * SLAB_CP_VAPOUR;
	a->mw = SLAB_MW_AIR * SLAB_MW_WATER / (SLAB_MW_WATER + (SLAB_MW_AIR - SLAB_MW_WATER) * a->water);
	a->t = in->t_air;
	a->rho = a->mw * SLAB_PA / (SLAB_R * in->t_air);
	a->z0 = in->z0;
	a->zl = a->stb < 0 ? exp(-0.8 * a->stb) : 1 + 0.8 * a->stb;
	a->inv_l0 = a->inv_l * (1 + fmax(in->z_u, 3) / a->zl);
	a->h_mix = 130 * pow(2, 3 - a->stb);
	a->phi_inf = a->inv_l0 < 0 ? pow(1 - 16 * a->zl * a->inv_l0, -0.25) : 0;
	a->phi_gamma = a->inv_l0 < 0 ? -8 * a->inv_l0 / (1 - a->phi_inf) : 0;
	// below zt a parabola through zero that joins with the same slope
	double zt = a->zt = 2.71828183 * a->z0, u = profile_above(a, zt);
	double phi = a->inv_l0 < 0 ? a->phi_inf + (1 - a->phi_inf) / sqrt(1 + a->phi_gamma * zt) : 1 + 5 * a->inv_l0 * zt / (1 + zt / a->zl);
	double slope = phi * (1 - zt / a->h_mix) / zt;
	a->c1 = (2 * u - zt * slope) / zt;
	a->c2 = (zt * slope - u) / (zt * zt);
	a->u_star = SLAB_K * in->u / slab_profile(a, in->z_u);
}

// An unstable class in a strong wind says a heat of the ground that the sun does not give (C at 10 m/s over water: 1 kW/m2):
// the class stands for weaker winds. Then the length is that of the greatest heat.
void slab_air_init(const struct slab_in *in, struct slab_air *a)
{
	stability(in, a);
	settle(in, a);
	a->limited = false;
	for (int i = 0; i < 12 && in->stability > 0 && a->inv_l < 0; i++) {
		double flux = a->rho * a->cp * a->t * pow(a->u_star, 3) / (SLAB_K * SLAB_G), most = most_heat(a->t);
		if (!a->limited && -a->inv_l * flux <= most) {
			return;
		}
		struct slab_in limit = *in;
		limit.stability = 0;
		limit.inv_l = -most / flux;
		a->limited = true;
		stability(&limit, a);
		settle(&limit, a);
	}
}
