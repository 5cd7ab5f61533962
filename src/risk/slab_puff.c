// One step in time of the puff that the SLAB model follows once the release has ended (Ermak 1990, section 2.5). Pure.
#include "risk/slab_int.h"

#include <math.h>

static void slopes(const struct slab *s, double f[15])
{
	const struct cloud *n = &s->now;
	double ratio = SQRT3 * s->air.rho / n->rho, dense = n->rho - s->air.rho, push = 0.75 * SLAB_G * dense * n->h * n->h;
	bool lasts = n->time < s->in->duration;
	double source = lasts ? 0.25 * s->in->rate : 0;
	f[0] = s->air.rho * SQRT3 * ((n->vx * n->bb + n->v * n->bbx) * n->h + n->w * n->bb * n->bbx) + source;
	f[1] = n->u - (lasts ? source / n->r * n->x : 0);
	f[2] = ratio * n->v + n->vg;
	f[3] = n->vg * n->b / n->bb;
	f[4] = ratio * n->vx + n->ug;
	f[5] = n->ug * n->bx / n->bbx;
	f[6] = push * n->bbx;
	f[7] = push * n->bb;
	f[8] = n->ft;
	f[9] = n->fu;
	f[10] = -SLAB_G * dense * n->bb * n->bbx * n->h;
	f[11] = n->wc;
	f[12] = n->fv;
	f[13] = n->fug;
	f[14] = n->fw;
}

static void apply(struct slab *s, const double d[15])
{
	const struct cloud *o = &s->old;
	struct cloud *n = &s->now;
	n->r = o->r + d[0];
	n->x = o->x + d[1];
	n->bbv = o->bbv + d[2];
	n->bv = o->bv + d[3];
	n->bbvx = o->bbvx + d[4];
	n->bvx = o->bvx + d[5];
	n->g = d[6];
	n->gx = d[7];
	n->sft = d[8];
	n->sfu = d[9];
	n->gw = d[10];
	n->zc = fmax(fmin(o->zc + d[11], s->air.h_mix - 0.5 * n->h), 0);
	n->sfy = d[12];
	n->sfx = d[13];
	n->sfz = d[14];
}

static void shape(struct slab *s)
{
	const struct cloud *o = &s->old;
	struct cloud *n = &s->now;
	double across = o->bbx * o->h / (o->h * (o->bbx + o->bb) + 2 * o->bb * o->bbx), ratio = o->rho / n->rho;
	double wide = pow(ratio, across), lengthen = pow(ratio, o->bb / o->bbx * across);
	n->bb = (o->bb + n->bbv - o->bbv) * wide;
	n->b = fmin((o->b + n->bv - o->bv) * wide, n->bb);
	n->bbx = (o->bbx + n->bbvx - o->bbvx) * lengthen;
	n->bx = fmin((o->bx + n->bvx - o->bvx) * lengthen, n->bbx);
	n->h = fmin(n->r / (n->rho * n->bbx * n->bb), s->air.h_mix);
	n->zc = fmin(n->zc, s->air.h_mix - 0.5 * n->h);
	n->htp = n->zc > 0.5 * n->h ? n->zc + 0.5 * n->h : n->h;
	n->uab = slab_ambient(s, n->htp);
	double lost = 0, excess = o->r * fabs(o->u - n->uab);
	if (n->sfu != 0) {
		lost = -o->r * (o->u - n->uab) * fabs(n->sfu) / (fabs(n->sfu) + excess);
	}
	n->u = (1 - n->cm) * n->uab + (s->sru0 + lost) / n->r;
}

static double kept(double r, double velocity, double sum)
{
	double m = r * fabs(velocity);
	return velocity == 0 ? 1 : m / (m + fabs(sum));
}

static void gravity(struct slab *s)
{
	struct cloud *o = &s->old, *n = &s->now;
	if (n->htp > n->h || n->rho <= s->air.rho) {
		n->vg = n->ug = 0;
		n->wc = kept(o->r, o->wc, n->sfz) * (n->gw + o->r * o->wc) / n->r;
		return;
	}
	double left = kept(o->r, o->vg, n->sfy), left_x = kept(o->r, o->ug, n->sfx), share = o->bb * o->bbx / (o->bb * o->bb + o->bbx * o->bbx);
	if (o->vg == 0) {
		o->vg = -2 * share * o->bbx * o->wc / o->h;
	}
	if (o->ug == 0) {
		o->ug = -2 * share * o->bb * o->wc / o->h;
	}
	n->vg = left * (n->g + o->r * o->vg) / n->r;
	n->ug = left_x * (n->gx + o->r * o->ug) / n->r;
	n->wc = -(n->vg / n->bb + n->ug / n->bbx) * n->zc;
}

void slab_puff_step(struct slab *s, double dt)
{
	static const double part[4] = { 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6 }, ahead[3] = { 0.5, 0.5, 1 };
	double sum[15] = { 0 }, f[15], d[15], time = s->old.time;
	for (s->stage = 0; s->stage < 4; s->stage++) {
		slopes(s, f);
		for (int i = 0; i < 15; i++) {
			sum[i] += dt * part[s->stage] * f[i];
			d[i] = s->stage == 3 ? sum[i] : dt * ahead[s->stage] * f[i];
		}
		s->now.time = time + dt * ahead[s->stage < 3 ? s->stage : 2];
		apply(s, d);
		slab_thermo(s);
		shape(s);
		gravity(s);
		slab_entrain(s);
	}
	s->sru0 = s->now.r * (s->now.u - (1 - s->now.cm) * s->now.uab);
	s->old = s->now;
}
