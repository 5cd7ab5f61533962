// Entrainment of air into the cloud, and friction and heat from the ground: Ermak 1990, section 2.2, equations 35 to 38. Pure.
// A free jet entrains dm/dx = 0.282 sqrt(M rho_air) (Ricou & Spalding, J. Fluid Mech. 11, 1961), which over the perimeter of a round
// jet is 0.0796 sqrt(rho rho_air) (u - u_air) per m2; as in Ooms 1972 and the TNO Yellow Book (CPR 14E, 4.5.4) what the air's own
// turbulence brings is added. The manual's law has rho_air in place of sqrt(rho rho_air): too little while the jet is full of drops.
#include "risk/slab_int.h"

#include <math.h>

#define RICOU_SPALDING 0.0796

// Velocity scale of the turbulence at the ground below the cloud, squared.
static double bottom(const struct slab *s, double cf)
{
	const struct cloud *n = &s->now;
	double um = cf * n->u, vm = cf * 0.5 * n->vg;
	bool over_pool = s->in->pool && (s->puff ? n->time < s->in->duration : n->x <= s->bse);
	double here = um * um + vm * vm + (over_pool ? 0.05 * s->ws * n->uab : 0);
	if (s->in->pool && !s->puff && n->x > s->bse) { // what the pool's vapour stirred dies away behind it
		here += (s->old.ubs2 - here) * exp((s->bse - n->x) * s->cf0 / fmax(n->h, 1e-3));
	}
	return here;
}

static double stable(double height, double l)
{
	return l < 0 ? 1 / sqrt(1 - 16 * height * l) : 1 + 5 * height * l;
}

// Entrainment at the top (and at the bottom of a cloud that has left the ground), m/s.
static double vertical(const struct slab *s, double star2)
{
	const struct slab_air *a = &s->air;
	const struct cloud *n = &s->now;
	double dense = fmax(0.025 * SLAB_G * (n->rho - a->rho) / n->rho, 0);
	double l = (a->inv_l0 / (1 + n->htp / a->zl) * a->u_star * a->u_star + dense) / star2;
	double top = (1 - n->htp / a->h_mix) / stable(n->htp, l), below = 0;
	if (n->htp > 1.01 * n->h) {
		double base = n->htp - n->h;
		below = (1 - base / a->h_mix) / stable(base, l);
	}
	return s->urf / slab_profile(a, n->htp) * SLAB_AA * SLAB_K * sqrt(star2) * (top + below);
}

static double along(const struct slab *s, double total)
{
	const struct slab_air *a = &s->air;
	const struct cloud *n = &s->now;
	double sig = n->zc > 0.5 * n->h ? 0.5 * n->h / SQRT3 : (n->h - n->zc) / SQRT3, z = n->zc + 0.5 * sig;
	double phi = a->stb < 0 ? a->phi_inf + (1 - a->phi_inf) / sqrt(1 + a->phi_gamma * z) : 1 + 5 * a->inv_l0 * z / (1 + z / a->zl);
	double shear = 0.6 * a->u_star * z / (z + a->z0) * phi * (1 - z / a->h_mix) / SLAB_K;
	double meander = total * n->uab / (1 + 0.5 * SLAB_SIGB / total * n->bbx / SQRT3);
	return sqrt(meander * meander + shear * shear);
}

// How much of the difference of temperature between air and cloud is left at the surface: the ground conducts what the cloud
// takes, since the cloud came over it (a half-space, Carslaw & Jaeger 1959, 2.4). 1: the ground stays as warm as the air.
static double ground_share(const struct slab *s, double vh)
{
	const struct cloud *n = &s->now;
	if (!(s->in->ground > 0)) {
		return 1;
	}
	double since = s->puff ? n->bbx / n->u : 0.5 * s->in->duration, conducts = s->in->ground / sqrt(M_PI * since);
	return conducts / (conducts + n->rho * n->cp * vh);
}

void slab_entrain(struct slab *s)
{
	const struct slab_air *a = &s->air;
	struct cloud *n = &s->now;
	bool aloft = n->htp > n->h;
	double ratio = a->rho / n->rho, delu = (n->uab - n->u) * ratio, vrho = 0.5 * n->vg * ratio, urho = 0.5 * n->ug * ratio;
	bool free_jet = s->in->free_jet && n->u > n->uab;
	double cf = a->u_star / n->uab, shear2 = SLAB_CF1 * ((free_jet ? 0 : delu * delu) + vrho * vrho);
	n->ubs2 = aloft ? a->u_star * a->u_star + shear2 : bottom(s, cf);
	double vh = cf * sqrt(n->ubs2), heat2 = 0, warm = (a->t - n->t) * ground_share(s, vh);
	if (!aloft && warm > 0) { // the warmer ground stirs a cold cloud
		heat2 = pow(0.14 * SLAB_G * warm * vh * n->h / (0.5 * (a->t + n->t)), 2.0 / 3);
	}
	n->w = vertical(s, n->ubs2 + shear2 + heat2);
	double total = s->afa * (a->inv_l < 0 ? 1 - s->rcf * 10 * a->inv_l : 1 / (1 + s->rcf * 10 * a->inv_l));
	double va = total * n->uab / (1 + 0.5 * SLAB_SIGB / total * n->bb / SQRT3), jet = SLAB_AA * SLAB_K * delu;
	if (free_jet) {
		double mixes = RICOU_SPALDING / SQRT3 * sqrt(n->rho / a->rho) * (n->u - n->uab);
		n->v = va + mixes;
		n->w += aloft ? 2 * mixes : mixes;
	} else {
		n->v = sqrt(va * va + SLAB_CF1 * jet * jet);
	}
	n->vx = along(s, total);

	double rho = s->puff ? n->rho * n->bbx : n->rho, um = cf * n->u, ugm = cf * 0.5 * n->ug, vm = cf * 0.5 * n->vg;
	double drag = SLAB_CF1 * fabs(delu) * delu;
	if (aloft) {
		n->fu = rho * (2 * n->bb + n->h) * drag;
		n->fug = n->fv = n->ft = 0;
		n->fw = -rho * n->h * SLAB_CF1 * fabs(n->wc) * n->wc;
	} else {
		n->fu = -rho * (n->bb * (um * um - a->u_star * a->u_star) - (n->bb + n->h) * drag);
		n->fug = -rho * n->bb * (ugm * ugm + SLAB_CF1 * fabs(urho) * urho);
		n->fv = -rho * n->bb * (vm * vm + SLAB_CF1 * fabs(vrho) * vrho);
		n->fw = 0;
		n->ft = rho * n->bb * vh * n->cp * warm;
	}
}
