// Lethality of the branches of an event tree. Formulae: AQ/T 3046-2013 and GB/T 37243-2019 (probits, thresholds, jet length),
// CCPS 1994 (fireball), Thomas and Mudan (pool fire), Swisdak 1994 (blast), Gauss, Britter & McQuaid (clouds). Pure; any thread.
#include "risk/blast.h"
#include "risk/dense.h"
#include "risk/fire.h"
#include "risk/inputs.h"
#include "risk/numeric.h"
#include "risk/qra_int.h"

#define AIR_DENSITY 1.2      // kg/m3
#define TSAO_A (-36.38)      // Tsao & Perry, W/m2 and s
#define TSAO_B 2.56
#define JET_POINTS 5         // a jet radiates from so many points on its axis
#define JET_HALF_WIDTH 0.075 // of its length
#define ALMOST_AT 1.0        // m: nearer than that is at the source

// ---- clouds -----------------------------------------------------------------------------------------------------

// kg/m3 at the ground; of a puff the highest that comes by.
static double concentration(const struct qra_cloud *c, double x, double y)
{
	struct sigma s;
	if (x <= 0) {
		return 0;
	}
	if (c->heavy) {
		double half = c->d + 8 * c->spread + 2.5 * cbrt(c->spread * x * x);
		return fabs(y) <= half ? c->density * bm_plume_ratio_at(c->alpha, false, x / c->d) : 0;
	}
	if (!c->puff) {
		return gauss_plume(&c->g, x, y, 0);
	}
	if (!sigma_at(c->g.set, c->g.stability, x, &s)) {
		return 0;
	}
	double h = c->g.h / s.z;
	return 2 * c->g.q / (pow(2 * M_PI, 1.5) * s.x * s.y * s.z) * exp(-0.5 * (y * y / (s.y * s.y) + h * h));
}

bool qra_in_cloud(const struct qra_cloud *c, double x, double y)
{
	if (c->lfl <= 0 || x > c->far) {
		return false;
	}
	if (x * x + y * y < ALMOST_AT * ALMOST_AT) {
		return c->far >= ALMOST_AT;
	}
	return concentration(c, x, y) >= c->lfl;
}

static double poisoned(const struct qra_branch *b, double x, double y)
{
	double c = concentration(&b->cloud, x, y) * 1e6, seconds = b->seconds; // mg/m3
	struct sigma s;
	if (c <= 0) {
		return 0;
	}
	if (b->cloud.puff && sigma_at(b->cloud.g.set, b->cloud.g.stability, x, &s)) { // the dose of a Gaussian that comes by
		seconds = fmin(s.x * sqrt(2 * M_PI / b->n) / b->cloud.g.u, b->seconds);
	}
	return num_phi(b->a + b->b * (b->n * log(c) + log(seconds / 60)) - 5);
}

// ---- heat ---------------------------------------------------------------------------------------------------------

// Transmissivity of AQ/T 3046: 1 - 0.058 ln x.
static double through_air(double x)
{
	return num_clamp(1 - 0.058 * log(fmax(x, 1)), 0.1, 1);
}

static double jet_heat(const struct qra_branch *b, double x, double y)
{
	double sum = 0;
	for (int i = 0; i < JET_POINTS; i++) {
		double dx = x - b->length * (i + 0.5) / JET_POINTS, d = fmax(sqrt(dx * dx + y * y), 1);
		sum += b->power / JET_POINTS * through_air(d) / (4 * M_PI * d * d);
	}
	return sum / 1000;
}

static double pool_heat(const struct qra_branch *b, double r)
{
	double v, h;
	view_cylinder(b->height / b->radius, fmax(r / b->radius, 1.0001), &v, &h);
	return b->sep * hypot(v, h) * through_air(r - b->radius);
}

static double ball_heat(const struct qra_branch *b, double r)
{
	double away2 = r * r + b->height * b->height;
	return b->sep * fmin(b->radius * b->radius / away2, 1) * through_air(sqrt(away2) - b->radius);
}

static struct qra_v burnt(const struct qra_rules *k, double heat, double seconds)
{
	if (heat >= k->heat_certain) {
		return (struct qra_v){ 1, 1, 1 };
	}
	double p = heat > 0 ? num_phi(TSAO_A + TSAO_B * (4.0 / 3 * log(heat * 1000) + log(seconds)) - 5) : 0;
	return (struct qra_v){ p, p * k->heat_outdoors, p * k->heat_indoors };
}

// ---- all -----------------------------------------------------------------------------------------------------------

struct qra_v qra_lethality(const struct qra_rules *k, const struct qra_branch *b, double x, double y)
{
	double r = sqrt(x * x + y * y); // far from where hypot would be needed
	if (r < ALMOST_AT) {
		x = ALMOST_AT, y = 0, r = ALMOST_AT;
	}
	switch (b->effect) {
	case QRA_CIRCLE: {
		double p = r <= b->radius ? b->lethal : 0;
		return (struct qra_v){ p, p, p };
	}
	case QRA_TOXIC: {
		double p = poisoned(b, x, y);
		return (struct qra_v){ p, p, p * k->toxic_indoors };
	}
	case QRA_FLASH: {
		double p = qra_in_cloud(&b->cloud, x, y);
		return (struct qra_v){ p, p, p * k->flash_indoors };
	}
	case QRA_JET:
		if (x >= 0 && x <= b->length && fabs(y) <= JET_HALF_WIDTH * b->length) {
			return (struct qra_v){ 1, 1, 1 };
		}
		return burnt(k, jet_heat(b, x, y), b->seconds);
	case QRA_POOL: return r <= b->radius ? (struct qra_v){ 1, 1, 1 } : burnt(k, pool_heat(b, r), b->seconds);
	case QRA_BALL: return burnt(k, ball_heat(b, r), b->seconds);
	case QRA_BLAST: {
		double dx = x - b->centre, away = sqrt(dx * dx + y * y);
		if (away <= b->high) {
			return (struct qra_v){ 1, 1, 1 };
		}
		return (struct qra_v){ 0, 0, away <= b->low ? k->blast_low_indoors : 0 };
	}
	}
	return (struct qra_v){ 0 };
}

void qra_impact(const struct qra_branch *b, double x, double y, double *heat, double *pressure)
{
	*heat = *pressure = 0;
	if (b->effect == QRA_JET) {
		*heat = jet_heat(b, x, y);
	} else if (b->effect == QRA_POOL) {
		*heat = pool_heat(b, hypot(x, y));
	} else if (b->effect == QRA_BLAST && b->tnt > 0) {
		double z = hypot(x - b->centre, y) / cbrt(b->tnt), kpa = kingery_bulmash(KB_SIDE_ON, fmax(z, 0.2));
		*pressure = isfinite(kpa) ? kpa * 1000 : 0;
	}
}

// ---- the event tree ---------------------------------------------------------------------------------------------------

// Farthest place on the axis above the lower limit.
static double far_of(const struct qra_cloud *c)
{
	double lo = 0, hi = 0;
	for (double x = 5e4; x > 0.1; x /= 1.1) {
		if (concentration(c, x, 0) >= c->lfl) {
			lo = x, hi = x * 1.1;
			break;
		}
	}
	for (int i = 0; i < 30 && hi > 0; i++) {
		double mid = 0.5 * (lo + hi);
		*(concentration(c, mid, 0) >= c->lfl ? &lo : &hi) = mid;
	}
	return lo;
}

static struct qra_cloud cloud_of(const struct qra_input *in, const struct qra_scenario *s, const struct qra_class *w)
{
	enum sigma_set plume = in->urban ? SIGMA_BRIGGS_URBAN : SIGMA_BRIGGS_RURAL;
	struct qra_cloud c = { .puff = s->instantaneous, .lfl = s->s->lfl, .density = s->s->gas_density, .seconds = s->duration };
	c.g = (struct gauss){ c.puff ? SIGMA_CCPS_PUFF : plume, w->stability, c.puff ? s->mass : s->rate, w->u, s->height, 1 };
	double g0 = GRAVITY * (c.density - AIR_DENSITY) / AIR_DENSITY;
	if (s->heavy && !c.puff && g0 > 0 && s->rate > 0) {
		double v = s->rate / c.density;
		c.heavy = true;
		c.d = sqrt(v / w->u);
		c.spread = v * g0 / (w->u * w->u * w->u);
		c.alpha = num_clamp(0.2 * log10(g0 * g0 * v * pow(w->u, -5)), -1, 1);
	}
	c.far = c.lfl > 0 && c.g.q > 0 ? far_of(&c) : 0;
	return c;
}

// Distance (m/kg^(1/3)) at which the side-on pressure falls to p (Pa); it falls with z.
static double scaled_distance(double p)
{
	double lo = 0.2, hi = 190;
	for (int i = 0; i < 60; i++) {
		double mid = sqrt(lo * hi);
		*(kingery_bulmash(KB_SIDE_ON, mid) * 1000 >= p ? &lo : &hi) = mid;
	}
	return lo;
}

static struct qra_branch blast_of(const struct qra_rules *k, const struct qra_scenario *s, const struct qra_cloud *c)
{
	double mass = c->puff ? s->mass : s->rate * fmin(s->duration, c->far / c->g.u);
	struct qra_branch b = { .effect = QRA_BLAST, .kind = QRA_EXPLOSION, .cloud = *c, .centre = c->far / 2 };
	b.tnt = k->tnt_yield * mass * s->s->heat / k->tnt_heat;
	b.high = scaled_distance(k->blast_high) * cbrt(b.tnt);
	b.low = scaled_distance(k->blast_low) * cbrt(b.tnt);
	return b;
}

static struct qra_branch at_once(const struct qra_rules *k, const struct qra_scenario *s)
{
	const struct qra_substance *m = s->s;
	struct qra_branch b = { .kind = QRA_FIRE, .p = s->immediate, .seconds = k->heat_seconds };
	if (s->pool > 0 && m->burning > 0) {
		b.effect = QRA_POOL;
		b.round = true;
		b.radius = s->pool / 2;
		b.height = s->pool * 42 * pow(m->burning / (AIR_DENSITY * sqrt(GRAVITY * s->pool)), 0.61);
		b.sep = k->pool_radiated * m->burning * m->heat / (1 + 4 * b.height / s->pool) / 1000;
	} else if (s->instantaneous) {
		double d = 5.8 * cbrt(s->mass), t = s->mass < 30000 ? 0.45 * cbrt(s->mass) : 2.6 * pow(s->mass, 1.0 / 6);
		b.effect = QRA_BALL;
		b.round = true;
		b.radius = d / 2;
		b.height = 0.75 * d;
		b.sep = fmin(k->ball_radiated * s->mass * m->heat / (M_PI * d * d * t) / 1000, 400);
		b.seconds = fmin(t, k->heat_seconds);
	} else {
		b.effect = QRA_JET;
		b.power = m->radiated * s->rate * m->heat;
		b.length = pow(m->heat * s->rate, 0.444) / 161.66;
	}
	return b;
}

size_t qra_branches(const struct qra_input *in, const struct qra_scenario *s, const struct qra_class *w, struct qra_branch *ret)
{
	const struct qra_rules *k = &in->rules;
	size_t n = 0;
	bool burns = s->s && s->s->lfl > 0 && s->s->heat > 0;
	if (s->circle > 0) {
		if (!w) {
			ret[n++] = (struct qra_branch){ .effect = QRA_CIRCLE, .kind = QRA_GIVEN, .round = true, .p = 1, .radius = s->circle,
				.lethal = s->lethal };
		}
		return n;
	}
	if (burns && s->immediate > 0) {
		struct qra_branch b = at_once(k, s);
		if (b.round == !w) {
			ret[n++] = b;
		}
	}
	if (!w) {
		return n;
	}
	double rest = 1 - (burns ? s->immediate : 0), later = s->delayed, fixed = isfinite(later) ? later : 0;
	struct qra_cloud c = cloud_of(in, s, w);
	if (burns && c.far > 0) {
		struct qra_branch b[2] = { { .effect = QRA_FLASH, .kind = QRA_FIRE, .cloud = c }, blast_of(k, s, &c) };
		for (int i = 0; i < 2; i++) {
			double share = rest * (i ? s->explosion : 1 - s->explosion);
			b[i].p = share * fixed;
			b[i].later = isfinite(later) ? 0 : share;
			if (share > 0 && (b[i].p > 0 || b[i].later > 0)) {
				ret[n++] = b[i];
			}
		}
	} else {
		later = 0, fixed = 0;
	}
	if (s->s && s->s->toxic && c.g.q > 0) {
		ret[n++] = (struct qra_branch){ .effect = QRA_TOXIC, .kind = QRA_POISON, .cloud = c, .p = rest * (1 - fixed),
			.later = isfinite(later) ? 0 : -rest, .a = s->s->a, .b = s->s->b, .n = s->s->n,
			.seconds = s->instantaneous ? k->toxic_seconds : fmin(s->duration, k->toxic_seconds) };
	}
	return n;
}

double qra_ignited(const struct qra_input *in, const struct qra_source *s, const struct qra_branch *b, double bearing)
{
	double sum = 0, e = sin(bearing), n = cos(bearing);
	for (size_t i = 0; i < in->nignition; i++) {
		double dx = in->ignition[i].x - s->x, dy = in->ignition[i].y - s->y, x = dx * e + dy * n;
		if (qra_in_cloud(&b->cloud, x, dx * n - dy * e)) {
			double away = fmax(x, 1), seconds = b->cloud.puff ? fmax(0.3 * away / b->cloud.g.u, 1) : b->cloud.seconds;
			sum += in->ignition[i].rate * seconds;
		}
	}
	return -expm1(-sum);
}
