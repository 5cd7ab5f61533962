// The course of a SLAB run: the source, the steps along the wind, the change to a puff, concentrations on the axis. Pure.
#include "risk/slab_int.h"

#include <math.h>

enum { STEPS = 60, SUBSTEPS = 3, POOL_STEPS = 60 };

struct track {
	struct slab s;
	struct cloud v[SLAB_POINTS_MAX];
	bool puff[SLAB_POINTS_MAX];
	size_t n;
	size_t turned;          // index of the point at which the plume became a puff; n if it did not
};

static bool sane(const struct cloud *c)
{
	double all = c->r + c->h + c->u + c->t + c->rho + c->bb + c->cv;
	return isfinite(all) && c->r > 0 && c->h > 0 && c->u > 0 && c->t > 20 && c->rho > 0 && c->bb > 0;
}

static void keep(struct track *k)
{
	if (k->n < SLAB_POINTS_MAX) {
		k->puff[k->n] = k->s.puff;
		k->v[k->n++] = k->s.old;
	}
}

static void common(struct slab *s, const struct slab_in *in)
{
	*s = (struct slab){ .in = in };
	slab_air_init(in, &s->air);
	s->spb = in->spb > 0 ? in->spb : in->dhv * in->mw / SLAB_R;
	s->spa = s->spb / (in->t_boil + in->spc);
	s->t_source = in->liquid > 0 || in->t_source < in->t_boil ? in->t_boil : in->t_source;
	s->urf = slab_profile(&s->air, 4);
	double u2 = s->air.u_star / SLAB_K * slab_profile(&s->air, 2);
	s->cf0 = s->air.u_star / u2;
	s->rcf = sqrt(s->cf0 / 0.086);
	s->afa = 0.08 * pow(SLAB_TAU0 / SLAB_TAV0, 0.2);
	s->alfg = 0;
}

static double crosswind(const struct slab *s, double uab, double delu, double bb)
{
	double l = s->air.inv_l, total = s->afa * (l < 0 ? 1 - s->rcf * 10 * l : 1 / (1 + s->rcf * 10 * l));
	double va = total * uab / (1 + 0.5 * SLAB_SIGB / total * bb / SQRT3), jet = SLAB_AA * SLAB_K * delu;
	return sqrt(va * va + SLAB_CF1 * jet * jet);
}

// The undiluted jet at x = 1 m.
static void start_jet(struct slab *s)
{
	const struct slab_in *in = s->in;
	const struct slab_air *a = &s->air;
	struct cloud *c = &s->old;
	double alpha = a->mw / in->mw * (1 - in->liquid), liquid = a->rho / in->rho_l * in->liquid;
	*c = (struct cloud){ .x = 1, .t = s->t_source, .cm = 1, .cv = 1, .cmev = 1 - in->liquid };
	c->rho = a->rho * a->t / (alpha * s->t_source + liquid * a->t);
	c->u = in->rate / (c->rho * in->area);
	c->cp = c->cmev * in->cp + in->liquid * in->cp_l;
	c->bb = 0.5 * sqrt(in->area);
	c->h = 2 * c->bb;
	c->htp = in->height + c->bb;
	if (in->height <= c->bb) { // it lies on the ground
		s->alfg = 0.25;
		c->bb = 0.5 * (sqrt(in->height * in->height + 2 * in->area) - in->height);
		c->h = c->htp = c->bb + in->height;
	}
	c->b = c->bv = 0.9 * c->bb;
	c->bbv = c->bb;
	c->zc = in->height;
	c->uab = slab_mean_wind(a, c->htp);
	c->r = c->rho * c->u * c->bb * c->h;
	s->sru0 = c->r * c->u + 0.5 * s->alfg * SLAB_G * (c->rho - a->rho) * c->bb * c->h * c->h;
	double delu = a->rho / c->rho * fabs(c->uab - c->u), star2 = SLAB_CF1 * delu * delu, um = a->u_star / c->uab * c->u;
	c->ubs2 = c->htp > c->h ? a->u_star * a->u_star : um * um;
	c->w = s->urf / slab_profile(a, c->htp) * SLAB_AA * SLAB_K * sqrt(c->ubs2 + star2);
	c->v = crosswind(s, c->uab, delu, c->bb);
	s->bse = 1;
	s->now = *c;
}

// Height to which the wind alone would mix over the first step dx (log profile, neutral): (h+z0)F2 - 2(h+z0)F + 2h = Z.
static double first_height(const struct slab *s, double dx)
{
	double z0 = s->air.z0, z = SQRT3 * SLAB_AA * SLAB_K * SLAB_K * SLAB_K * s->urf * dx / s->air.u_star;
	double f = log(1 + cbrt(3 * z * z0 * z0) / z0), h = 3 * z / (f * f);
	for (int i = 0; i < 50; i++) {
		double g = log1p(h / z0), step = ((h + z0) * g * g - 2 * (h + z0) * g + 2 * h - z) / (g * g);
		h = h - step > 0 ? h - step : 0.5 * h;
		if (fabs(step) < 1e-10 * fmax(h, 1)) {
			break;
		}
	}
	return h;
}

// Air at the upwind edge of the pool; the vapour comes into it on the way across.
static void start_pool(struct slab *s, double dx)
{
	const struct slab_air *a = &s->air;
	struct cloud *c = &s->old;
	double h = first_height(s, dx), u = slab_mean_wind(a, h);
	*c = (struct cloud){ .x = -s->bse, .t = a->t, .rho = a->rho, .cp = a->cp, .cmw = a->water, .cmwv = a->water, .bb = s->bse, .bbv = s->bse,
			     .b = 0.9 * s->bse, .bv = 0.9 * s->bse, .u = u, .uab = u };
	c->w = u * h / (SQRT3 * dx);
	c->v = crosswind(s, s->in->u, 0, 0);
	c->ubs2 = a->u_star * a->u_star;
	s->alfg = 0.25;
	s->sru0 = 0;
	s->now = *c;
}

// Across the pool. Gravity may not let the vapour go with the wind over so small a pool (4d): then it spreads upwind first,
// and the pool is taken wider, at the same rate, until it can.
static bool cross_pool(struct track *k, const struct slab_in *in)
{
	double rho = in->mw * SLAB_PA / (SLAB_R * k->s.t_source);
	k->s.bse = 0.5 * sqrt(in->area);
	k->s.ws = in->rate / (rho * in->area);
	for (int tries = 0; tries < 120; tries++) {
		double dx = 2 * k->s.bse / POOL_STEPS;
		bool ok = true;
		k->n = 0;
		k->s.widened = false;
		start_pool(&k->s, dx);
		for (int i = 0; i < POOL_STEPS && ok && !k->s.widened; i++) {
			slab_plume_step(&k->s, dx);
			ok = sane(&k->s.old);
			if (i % SUBSTEPS == SUBSTEPS - 1) {
				keep(k);
			}
		}
		if (ok && !k->s.widened) {
			return true;
		}
		k->s.bse *= 1.03;
	}
	return false;
}

static void become_puff(struct track *k)
{
	struct slab *s = &k->s;
	struct cloud *c = &s->old;
	s->puff = true;
	c->r = 0.25 * s->in->rate * s->in->duration / c->cm;
	c->bbx = c->bbvx = c->r / (c->rho * c->bb * c->h);
	c->bx = c->bvx = 0.9999 * c->bbx;
	s->sru0 = c->r * (c->u - (1 - c->cm) * c->uab);
	c->fu *= c->bbx;
	c->fv *= c->bbx;
	c->fw *= c->bbx;
	c->fug *= c->bbx;
	c->ft *= c->bbx;
	c->ug = c->bb / c->bbx * c->vg;
	c->time = s->in->duration; // all of the release is in the cloud now
	s->now = *c;
}

static bool walk(struct track *k)
{
	struct slab *s = &k->s;
	const struct slab_in *in = s->in;
	double from = s->old.x, grow = pow(10, (log10(fmax(in->x_max, 2 * from) / from - 1) + 1) / (STEPS * SUBSTEPS));
	double dx = (grow - 1) * (in->x_max - from) / (pow(grow, STEPS * SUBSTEPS) - 1);
	while (k->n < SLAB_POINTS_MAX - 1 && s->old.x < in->x_max * 1.1) {
		double dt = dx / s->old.u;
		for (int i = 0; i < SUBSTEPS; i++) {
			s->puff ? slab_puff_step(s, dt) : slab_plume_step(s, dx);
			if (!sane(&s->old)) {
				return k->n > 2 && s->old.cv < 1e-9;
			}
			dx *= grow;
			dt *= grow;
		}
		if (s->puff) {
			dx = dt * s->old.u;
		}
		if (!s->puff && s->old.qint >= 0.5 * in->rate * in->duration) {
			k->turned = k->n;
			become_puff(k);
		}
		keep(k);
	}
	return true;
}

// Mean of the profile along the wind, 2 in the middle of a long puff, over the t_avg seconds around the passage of its centre
// (Ermak 1990, equation 55b).
static double passing(const struct cloud *c, double t_avg)
{
	double beta = M_SQRT2 * sqrt(fmax(c->bbx * c->bbx - c->bx * c->bx, 1e-12) / 3), half = 0.5 * c->u * t_avg;
	double a = (c->bx + half) / beta, b = (c->bx - half) / beta;
	if (half < 1e-3 * beta) {
		return 2 * erf(c->bx / beta);
	}
	return beta / half * (a * erf(a) - b * erf(b) + (exp(-a * a) - exp(-b * b)) / sqrt(M_PI));
}

// Highest concentration in time on the axis at height z, averaged over t_avg (Ermak 1990, section 2.6).
static double on_axis(const struct track *k, size_t i, double lasts)
{
	const struct slab *s = &k->s;
	const struct slab_in *in = s->in;
	const struct cloud *c = &k->v[i];
	double l = s->air.inv_l, stable = l < 0 ? 1 - 10 * s->rcf * l : 1 / (1 + 10 * s->rcf * l), asig = 2 * s->afa * stable / SLAB_SIGB;
	double avg = fmin(lasts, in->t_avg), fold = 0.08 * pow((avg + SLAB_TAU0 * exp(-avg / SLAB_TAU0)) / SLAB_TAV0, 0.2) / s->afa;
	double spread = asig * (sqrt(1 + SLAB_SIGB * fmax(c->x - k->v[0].x, 0)) - 1), jet = 1;
	if (!in->pool) { // a jet meanders little while it still moves by itself
		const struct cloud *o = &k->v[0];
		double m = cbrt(s->air.rho * c->uab * (1 - c->cm) / (in->mw * SLAB_PA / (SLAB_R * s->t_source) * o->u * c->cm));
		double ln = log((1 - m + m * m) / ((1 + m) * (1 + m))), arc = atan((2 * m - 1) / SQRT3) + atan(1 / SQRT3);
		jet = m < 0.1 ? 0 : 1 - 2 / (3 * m * m * m) * (0.5 * ln + SQRT3 * arc);
	}
	double beta2 = (c->bb * c->bb - c->b * c->b) / 3 + (fold * fold - 1) * spread * jet * spread * jet;
	double beta = sqrt(fmax(beta2, 1e-12)); // wider by the meander, of the same mass
	double top = c->zc > 0.5 * c->h ? c->zc + 0.5 * c->h : c->h, sig = fmax((top - c->zc) / SQRT3, 1e-6);
	double lengths = 1, ends = 2 * fmin(in->duration / in->t_avg, 1);
	if (k->puff[i] && c->bx > 0) {
		lengths = c->bbx / c->bx;
		ends = passing(c, in->t_avg);
	}
	double cc = lengths * c->bb * c->h * c->cv / (4 * sqrt(2 * M_PI) * fmax(c->b, 1e-9) * sig), a = (in->z - c->zc) / sig,
	b = (in->z + c->zc) / sig;
	double value = cc * ends * 2 * erf(c->b / (M_SQRT2 * beta)) * (exp(-0.5 * a * a) + exp(-0.5 * b * b));
	return fmin(value, 1);
}

// When the centre of the cloud is at a point of the plume: half of the release is out when it leaves the source, all of it
// when it becomes a puff (or would, at the rate at which the cloud fills).
static double passes(const struct track *k, size_t i)
{
	if (k->puff[i]) {
		return k->v[i].time;
	}
	const struct slab_in *in = k->s.in;
	const struct cloud *last = &k->v[k->n - 1];
	double from = in->pool ? 0 : k->v[0].x;
	double turn = k->turned < k->n ? k->v[k->turned].x : from + 0.5 * in->rate * in->duration / last->qint * (last->x - from);
	return 0.5 * in->duration * (1 + (k->v[i].x - from) / (turn - from));
}

void slab_run(const struct slab_in *in, struct arena *arena, struct slab_out *ret)
{
	struct track *k = arena_one(arena, struct track);
	*ret = (struct slab_out){ .failed = NULL };
	common(&k->s, in);
	k->turned = SLAB_POINTS_MAX;
	if (in->pool) {
		if (!cross_pool(k, in)) {
			ret->failed = "the vapour cannot be carried from the pool by this wind";
			return;
		}
	} else {
		start_jet(&k->s);
		keep(k);
	}
	if (!walk(k)) {
		ret->failed = "the integration does not go on: the inputs are outside of where the model holds";
		return;
	}
	ret->v = arena_many(arena, k->n, struct slab_point);
	for (size_t i = 0; i < k->n; i++) {
		const struct cloud *c = &k->v[i];
		if (c->x <= (in->pool ? k->s.bse * 0.999 : 0)) {
			continue; // over the pool itself
		}
		double lasts = fmax(in->duration, k->puff[i] ? 2 * c->bbx / c->u : 0);
		ret->v[ret->n++] = (struct slab_point){ c->x, passes(k, i), c->cv, on_axis(k, i, lasts), c->t, c->rho, c->u, c->h, c->bb,
			k->puff[i] };
	}
	ret->half_width = in->pool ? k->s.bse : k->v[0].bb;
	ret->u_star = k->s.air.u_star;
	ret->rho_air = k->s.air.rho;
	ret->stability = k->s.air.stb + 4;
	ret->limited = k->s.air.limited;
}
