// Temperature, density and phases of the SLAB model: the energy of the mixture is kept, the released liquid and the water of
// the air are in equilibrium with their vapours (Ermak 1990, section 2.3). Pure.
#include "risk/slab_int.h"

#include <math.h>

struct mixture {
	const struct slab *s;
	double cm, cmw, dry;                // mass fractions: released, water, dry air
	double cmw_t, cmev_t;               // vapour by conservation
	double energy, dh_e, dh_w;          // J/kg; heats of vaporisation reduced to 0 K
	bool all_e, all_w;                  // everything is vapour
};

static double heat_capacity(const struct mixture *m, double cmwv, double cmev)
{
	const struct slab_in *in = m->s->in;
	return m->dry * SLAB_CP_AIR + cmwv * SLAB_CP_VAPOUR + (m->cmw - cmwv) * SLAB_CP_WATER + cmev * in->cp + (m->cm - cmev) * in->cp_l;
}

static double saturation(const struct slab *s, double t)
{
	return exp(fmin(s->spa - s->spb / (t + s->in->spc), 50));
}

static double saturation_water(double t)
{
	return exp(fmin(SLAB_SPA_WATER - SLAB_SPB_WATER / t, 50));
}

// Vapour mass fraction at equilibrium, and its derivative by temperature; beyond the whole mass it goes on linearly, so that
// Newton's step has a slope. p: saturation pressure in atm; others: mass fraction of the rest, in equivalents of this one.
static double vapour(double total, double others, double p, double t, double spb, double spc, double spa, double *slope)
{
	double top = total / (total + others);
	if (p < top) {
		double v = others * p / (1 - p);
		*slope = spb * v / ((1 - p) * (t + spc) * (t + spc));
		return v;
	}
	double t_top = spb / (spa - log(top)) - spc;
	*slope = spb * total / ((1 - top) * (t_top + spc) * (t_top + spc));
	return *slope * (t - t_top) + total;
}

// Newton's iteration for the temperature at which the energy balance holds with the vapours of that temperature.
static double balance(struct mixture *m, double t, double *cmwv, double *cmev)
{
	const struct slab *s = m->s;
	const struct slab_in *in = s->in;
	for (int i = 0; i < 15; i++) {
		double slope_e = 0, slope_w = 0;
		*cmev = m->cm;
		if (!m->all_e) {
			double others = in->mw * (m->dry / SLAB_MW_AIR + fmin(*cmwv, m->cmw) / SLAB_MW_WATER);
			*cmev = vapour(m->cm, others, saturation(s, t), t, s->spb, in->spc, s->spa, &slope_e);
		}
		*cmwv = m->cmw;
		if (!m->all_w) {
			double others = SLAB_MW_WATER * (m->dry / SLAB_MW_AIR + fmin(*cmev, m->cm) / in->mw);
			*cmwv = vapour(m->cmw, others, saturation_water(t), t, SLAB_SPB_WATER, 0, SLAB_SPA_WATER, &slope_w);
		}
		double cp = heat_capacity(m, fmin(*cmwv, m->cmw), fmin(*cmev, m->cm));
		double want = (m->energy + m->dh_w * (m->cmw_t - *cmwv) + m->dh_e * (m->cmev_t - *cmev)) / cp;
		double dh_w = m->dh_w + want * (SLAB_CP_VAPOUR - SLAB_CP_WATER), dh_e = m->dh_e + want * (in->cp - in->cp_l);
		double next = t - (t - want) / (1 + (dh_w * slope_w + dh_e * slope_e) / cp);
		bool done = fabs(next - want) < 0.001;
		t = next;
		if (done) {
			break;
		}
	}
	return t;
}

// First guess of the temperature when the released liquid may still evaporate or condense.
static double first_guess(const struct mixture *m, double t, double cp)
{
	const struct slab *s = m->s;
	double p = saturation(s, t), tc = t + s->in->spc, slope = s->spb * p / (tc * tc);
	if (p > 1) {
		double tb = s->in->t_boil + s->in->spc;
		p = 1 + s->spa * (t - s->in->t_boil) / tb;
		slope = s->spa / tb;
	}
	double others = s->in->mw * (m->dry / SLAB_MW_AIR + m->cmw_t / SLAB_MW_WATER);
	double half = 0.5 * ((1 - p) / slope + m->dh_e / cp * (others + m->cmev_t));
	double c = m->dh_e * (others - (1 - p) * m->cmev_t) / (cp * slope);
	return t + fmax(half - sqrt(fmax(half * half + c, 0)), m->dh_e * (m->cmev_t - m->cm) / cp);
}

// Which of the two is all vapour is found by trying: twice at most.
static double equilibrium(struct mixture *m, double t, double cp, double *cmwv, double *cmev)
{
	const struct slab *s = m->s;
	if (!m->all_e) {
		t = first_guess(m, t, cp);
	}
	*cmwv = m->cmw_t;
	for (int round = 0; round < 2; round++) {
		double wv = *cmwv, ev = *cmev;
		t = balance(m, t, &wv, &ev);
		double mol = m->dry / SLAB_MW_AIR + fmin(wv, m->cmw) / SLAB_MW_WATER + fmin(ev, m->cm) / s->in->mw;
		bool again = false;
		*cmev = m->all_e ? m->cm : mol * s->in->mw * saturation(s, t);
		if (!m->all_e && *cmev > m->cm) {
			*cmev = m->cm;
			m->all_e = true;
			again = !m->all_w;
		}
		*cmwv = m->all_w ? m->cmw : mol * SLAB_MW_WATER * saturation_water(t);
		if (!m->all_w && *cmwv > m->cmw) {
			*cmwv = m->cmw;
			m->all_w = true;
			again = again || !m->all_e;
		}
		mol = m->dry / SLAB_MW_AIR + *cmwv / SLAB_MW_WATER + *cmev / s->in->mw;
		t = (m->energy + m->dh_w * (m->cmw_t - *cmwv) + m->dh_e * (m->cmev_t - *cmev)) / heat_capacity(m, *cmwv, *cmev);
		if (m->all_e && mol * s->in->mw * saturation(s, t) < m->cm) {
			m->all_e = false;
			again = true;
		}
		if (m->all_w && mol * SLAB_MW_WATER * saturation_water(t) < m->cmw) {
			m->all_w = false;
			again = true;
		}
		if (!again) {
			break;
		}
	}
	return t;
}

// Mass of the release that is in the cloud, as a flux (plume, half) or a quarter of the mass (puff).
static double released(const struct slab *s)
{
	double q = s->in->rate;
	if (s->puff) {
		return 0.25 * q * fmin(s->now.time, s->in->duration);
	}
	return !s->in->pool || s->now.x > s->bse ? 0.5 * q : 0.25 * q * (s->bse + s->now.x) / s->bse;
}

void slab_thermo(struct slab *s)
{
	const struct slab_in *in = s->in;
	const struct slab_air *a = &s->air;
	const struct cloud *o = &s->old;
	struct cloud *n = &s->now;
	double part = o->r / n->r;
	n->cm = released(s) / n->r;
	n->cv = a->mw * n->cm / (in->mw + (a->mw - in->mw) * n->cm);
	n->cmw = (1 - n->cm) * a->water;
	struct mixture m = { .s = s, .cm = n->cm, .cmw = n->cmw, .dry = (1 - n->cm) * a->dry };
	m.cmw_t = n->cmw + part * (o->cmwv - o->cmw);
	m.cmev_t = n->cm + part * (o->cmev - o->cm);
	m.dh_e = in->dhv + in->t_boil * (in->cp_l - in->cp);
	m.dh_w = SLAB_DH_WATER + 298.2 * (SLAB_CP_WATER - SLAB_CP_VAPOUR);
	double to_ground = 0, warmth = o->r * o->cp * fabs(o->t - a->t);
	if (n->sft != 0) {
		to_ground = -o->cp * (o->t - a->t) * fabs(n->sft) / (fabs(n->sft) + warmth);
	}
	double cp = heat_capacity(&m, m.cmw_t, m.cmev_t);
	m.energy = (1 - n->cm) * a->cp * a->t + n->cm * in->cp * s->t_source
		+ part * (o->cp * o->t - (1 - o->cm) * a->cp * a->t - o->cm * in->cp * s->t_source + to_ground);
	double t = m.energy / cp, mol = m.dry / SLAB_MW_AIR + m.cmw_t / SLAB_MW_WATER + m.cmev_t / in->mw;
	double cmwv = m.cmw_t, cmev = m.cmev_t;
	m.all_e = o->cmev == o->cm && saturation(s, t) > n->cm / (mol * in->mw);
	m.all_w = o->cmwv == o->cmw && saturation_water(t) > n->cmw / (mol * SLAB_MW_WATER);
	if (!(m.all_e && m.all_w)) {
		t = equilibrium(&m, t, cp, &cmwv, &cmev);
		cp = heat_capacity(&m, cmwv, cmev);
	}
	double alpha = a->mw * (m.dry / SLAB_MW_AIR + cmwv / SLAB_MW_WATER + cmev / in->mw);
	double liquid = a->rho / SLAB_RHO_WATER * (n->cmw - cmwv) + a->rho / in->rho_l * (n->cm - cmev);
	n->t = t;
	n->cmwv = cmwv;
	n->cmev = cmev;
	n->cp = cp;
	n->rho = a->rho * a->t / (alpha * t + liquid * a->t);
}
