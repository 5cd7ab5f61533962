// One step of the steady plume of the SLAB model: Runge-Kutta of the integrated quantities, the cloud found from them at each
// stage (Ermak 1990, section 2.4). Pure.
#include "risk/slab_int.h"

#include <math.h>

double slab_ambient(const struct slab *s, double htp)
{
	const struct slab_air *a = &s->air;
	const struct cloud *o = &s->old;
	double k = a->u_star / SLAB_K, lo = k * slab_profile(a, o->htp), mid = k * slab_profile(a, 0.5 * (o->htp + htp)),
	hi = k * slab_profile(a, htp);
	return fmin((o->htp * o->uab + (lo + 4 * mid + hi) * (htp - o->htp) / 6) / htp, hi);
}

static double top_of(double zc, double h)
{
	return zc > 0.5 * h ? zc + 0.5 * h : h;
}

static void slopes(const struct slab *s, double f[11])
{
	const struct cloud *n = &s->now;
	double source = s->in->pool && n->x < s->bse ? 0.25 * s->in->rate / s->bse : 0, dense = n->rho - s->air.rho;
	f[0] = s->air.rho * SQRT3 * (n->v * n->h + n->w * n->bb) + source;
	f[1] = (SQRT3 * s->air.rho / n->rho * n->v + n->vg) / n->u;
	f[2] = n->vg * n->b / (n->u * n->bb);
	f[3] = 0.75 * SLAB_G * dense * n->h * n->h;
	f[4] = n->ft;
	f[5] = n->fu;
	f[6] = -SLAB_G * dense * n->bb * n->h;
	f[7] = n->wc / n->u;
	f[8] = 2 * n->rho * n->bb * n->h * n->cm;
	f[9] = n->fv;
	f[10] = n->fw;
}

static void apply(struct slab *s, const double d[11])
{
	const struct cloud *o = &s->old;
	struct cloud *n = &s->now;
	n->r = o->r + d[0];
	n->bbv = o->bbv + d[1];
	n->bv = o->bv + d[2];
	n->g = d[3];
	n->sft = d[4];
	n->sfu = d[5];
	n->gw = d[6];
	n->zc = fmax(fmin(o->zc + d[7], s->air.h_mix - 0.5 * n->h), 0);
	n->qint = o->qint + d[8];
	n->sfy = d[9];
	n->sfz = d[10];
}

// Speed from the balance of momentum, in which gravity's pressure stands: the largest root of U3 - Ue U2 + Ug3 = 0 (4b).
// *widen: by how much the cloud must be wider for a root to exist (4d), else 1.
static double speed(const struct slab *s, double *widen)
{
	const struct cloud *o = &s->old, *n = &s->now;
	double lost = 0, excess = o->r * fabs(o->u - n->uab);
	if (n->sfu != 0) {
		lost = -o->r * (o->u - n->uab) * fabs(n->sfu) / (fabs(n->sfu) + excess);
	}
	double ue = n->uab * (1 - n->cm) + (s->sru0 + lost) / n->r;
	double ug3 = s->alfg * SLAB_G * (n->rho - s->air.rho) * n->r / (2 * n->bb * n->rho * n->rho), um3 = 2.0 / 27 * ue * ue * ue;
	*widen = 1;
	if (ug3 <= 0) {
		return ue;
	}
	if (ug3 - um3 > um3) {
		*widen = 27.0 / 4 * ug3 / (ue * ue * ue);
		return fmin(2.0 / 3 * ue, o->u);
	}
	return (ue + 2 * ue * cos(acos(-(ug3 - um3) / um3) / 3)) / 3;
}

// Width, height, speed and the wind over the cloud depend on one another: iterated with the speed damped.
static void shape(struct slab *s)
{
	const struct cloud *o = &s->old;
	struct cloud *n = &s->now;
	double widen = 1;
	n->u = o->u;
	n->bb = o->bb + n->bbv - o->bbv;
	n->h = n->r / (n->rho * n->u * n->bb);
	double stretch = pow(o->rho / n->rho, n->h / (n->h + 2 * n->bb));
	for (int i = 0; i < 11; i++) {
		double part = n->h / (n->h + 2 * n->bb), ratio = o->u > o->uab ? o->rho * o->u / (n->rho * n->u) : o->rho / n->rho;
		stretch = sqrt(stretch * pow(ratio, part));
		n->bb = (o->bb + n->bbv - o->bbv) * stretch;
		n->b = (o->b + n->bv - o->bv) * stretch;
		n->h = n->r / (n->rho * n->u * n->bb);
		if (n->h > 2 * n->bb) {
			n->bb = sqrt(n->r / (2 * n->rho * n->u));
			n->h = 2 * n->bb;
			stretch = sqrt(ratio);
		}
		n->htp = top_of(n->zc, n->h);
		n->uab = slab_ambient(s, n->htp);
		double u = speed(s, &widen);
		u = cbrt(n->u * u * u);
		double change = fabs(n->u - u) / sqrt(n->u * u);
		n->u = u;
		n->h = n->r / (n->rho * n->u * n->bb);
		if (!(change >= 0.001)) {
			break;
		}
	}
	if (s->alfg > 0 && n->h < 2 * n->zc && n->rho > s->air.rho) {
		n->h = 2 * n->zc;
		n->u = n->r / (n->rho * n->bb * n->h);
	}
	n->h = fmin(n->h, s->air.h_mix);
	n->zc = fmin(n->zc, s->air.h_mix - 0.5 * n->h);
	n->htp = top_of(n->zc, n->h);
	n->uab = slab_ambient(s, n->htp);
	if (widen > 1 && s->stage == 3) {
		s->widened = true;
		n->bb *= widen;
		n->b *= widen;
	}
	n->b = fmin(n->b, n->bb);
}

// What is left of a velocity after friction took momentum sum.
static double kept(double r, double velocity, double sum)
{
	double m = r * fabs(velocity);
	return velocity == 0 ? 1 : m / (m + fabs(sum));
}

// Spreading by gravity, and sinking or rising of the centre.
static void gravity(struct slab *s)
{
	struct cloud *o = &s->old, *n = &s->now;
	bool dense = n->rho > s->air.rho, source = s->in->pool && n->x <= s->bse;
	if (source) {
		n->vg = dense ? kept(o->r, o->vg, n->sfy) * (n->g + o->r * o->vg) / n->r : 0;
		n->wc = 0;
	} else if (n->htp > n->h || !dense) {
		n->vg = 0;
		n->wc = kept(o->r, o->wc, n->sfz) * (n->gw + o->r * o->wc) / n->r;
	} else {
		double left = kept(o->r, o->vg, n->sfy);
		if (o->vg == 0) { // it comes down: its fall becomes spreading
			o->vg = -2 * o->wc * o->bb / o->h;
		}
		n->vg = left * (n->g + o->r * o->vg) / n->r;
		n->wc = -n->vg * n->zc / n->bb;
	}
}

void slab_plume_step(struct slab *s, double dx)
{
	static const double part[4] = { 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6 }, ahead[3] = { 0.5, 0.5, 1 };
	double sum[11] = { 0 }, f[11], d[11], x = s->old.x;
	for (s->stage = 0; s->stage < 4; s->stage++) {
		slopes(s, f);
		for (int i = 0; i < 11; i++) {
			sum[i] += dx * part[s->stage] * f[i];
			d[i] = s->stage == 3 ? sum[i] : dx * ahead[s->stage] * f[i];
		}
		s->now.x = x + dx * ahead[s->stage < 3 ? s->stage : 2];
		apply(s, d);
		slab_thermo(s);
		shape(s);
		gravity(s);
		slab_entrain(s);
	}
	s->now.ubs2 = fmax(s->now.ubs2, 0);
	struct cloud *n = &s->now;
	n->time = s->old.time + dx / n->u;
	bool spreads = n->htp <= n->h && n->rho > s->air.rho;
	s->alfg = spreads ? 0.25 : 0;
	s->sru0 = n->r * (n->u - (1 - n->cm) * n->uab) + (spreads ? 0.5 * 0.25 * SLAB_G * (n->rho - s->air.rho) * n->bb * n->h * n->h : 0);
	s->old = *n;
}
