// Zones of fires and explosions: the distance at which the model comes down to the level, found by asking it. Pure but for the
// arena; any thread.
#include "risk/inputs.h"
#include "risk/zone_int.h"

struct ask { struct zone_job *z; };

static double along(void *ctx, double x) { return ((struct ask *)ctx)->z->at(((struct ask *)ctx)->z, x, 0); }
static double across(void *ctx, double y) { return ((struct ask *)ctx)->z->at(((struct ask *)ctx)->z, 0, y); }

// Distance of the level in one direction, from near on.
static double distance_of(struct zone_job *z, double (*f)(void *ctx, double x), double near, double want)
{
	struct ask a = { z };
	z->steady = true;
	double d = zone_reach(f, &a, near, ZONE_FAR, want);
	z->steady = false;
	return d;
}

// Downwind half an ellipse to ahead, upwind half a circle; side: the distance without wind.
static struct zone_ring leaning(struct arena *a, double ahead, double side)
{
	double x[2 * ZONE_SIDE], y[2 * ZONE_SIDE];
	size_t n = 0;
	for (int i = 0; i < ZONE_SIDE; i++) {
		double angle = M_PI * i / (ZONE_SIDE - 1);
		x[n] = -cos(angle) * (angle < M_PI_2 ? side : ahead);
		y[n++] = i == 0 || i == ZONE_SIDE - 1 ? 0 : side * sin(angle);
	}
	return zone_profile(a, x, y, n);
}

void zone_circles(struct zone_job *z, const char *effect, double near, double centre)
{
	struct zone_level levels[ZONE_MAX];
	size_t n = z->bare ? 0 : zone_levels(z, effect, NULL, levels);
	for (size_t i = 0; i < n; i++) {
		struct zone *zn = zone_add(z, &levels[i]);
		double d = distance_of(z, across, near, levels[i].value);
		if (d > 0) {
			zn->ring = zone_ellipse(z->arena, centre, d, d);
		}
	}
}

// ---- pool fire ---------------------------------------------------------------------------------------------------------

static struct str pool_fuel(struct zone_job *z)
{
	double dhc = zone_need(z, "dHc", z->sub.fuel.n ? 0 : z->sub.dhc), burning = risk_num(z->in, "burning");
	struct str s = STR_EMPTY;
	if (z->sub.fuel.n) {
		s = arena_printf(z->arena, "\"fuel\":\"%.*s\",", STR_FMT(z->sub.fuel));
	} else if (!isfinite(burning)) {
		if (!isfinite(z->sub.dhv) || !isfinite(z->sub.cp)) {
			zone_need(z, "burning", NAN);
			return s;
		}
		const struct risk_run *r = zone_model(z, "burning-rate", "液池燃烧速率", "burning rate of the pool",
			"{\"dHc\":%.6g,\"dHv\":%.6g,\"Cp\":%.6g,\"Tb\":%.6g,\"Ta\":%.6g}", dhc, z->sub.dhv, z->sub.cp, z->sub.boiling, z->set->air.t);
		burning = zone_out(r, "m");
	}
	if (isfinite(burning)) {
		s = arena_printf(z->arena, "%.*s\"m\":%.6g,", STR_FMT(s), burning);
	}
	return dhc > 0 ? arena_printf(z->arena, "%.*s\"dHc\":%.6g,", STR_FMT(s), dhc) : s;
}

static const struct risk_run *ask_pool(struct zone_job *z, struct str fuel, double x, double u)
{
	return zone_model(z, "pool-fire", u > 0 ? "池火在下风此处的热辐射" : "池火在无风方向此处的热辐射",
		u > 0 ? "radiation downwind" : "radiation without wind", "{%.*s\"D\":%.6g,\"x\":%.9g,\"u\":%.6g,\"RH\":%.6g,\"T\":%.6g}",
		STR_FMT(fuel), risk_num(z->in, "D"), x, u, z->set->air.rh, z->set->air.t);
}

// The flame leans downwind: with wind ahead, without elsewhere, between them by the angle.
static double pool_at(struct zone_job *z, double x, double y)
{
	double d = hypot(x, y), ahead = x > 0 ? x / d : 0;
	struct str fuel = z->fuel;
	const struct risk_run *r = ask_pool(z, fuel, fmax(d, 0.1), 0);
	double calm = r ? zone_out(r, "q") : HUGE_VAL, windy = calm;
	if (ahead > 0) {
		r = ask_pool(z, fuel, fmax(d, 0.1), fmin(z->set->air.u, 40));
		windy = r ? zone_out(r, "q") : HUGE_VAL;
	}
	// below the flame or in it the model refuses: hotter than any level
	double v = calm + (fmax(windy, calm) - calm) * ahead * ahead;
	return isnan(v) || isinf(v) ? 1000 : v;
}

void zone_run_pool(struct zone_job *z)
{
	struct zone_level levels[ZONE_MAX];
	double radius = risk_num(z->in, "D") / 2;
	z->fuel = pool_fuel(z);
	z->at = pool_at;
	z->set->duration = risk_num(z->in, "lasts") * 60;
	size_t n = zone_failed(z) || z->bare ? 0 : zone_levels(z, "heat", NULL, levels);
	for (size_t i = 0; i < n && !zone_failed(z); i++) {
		struct zone *zn = zone_add(z, &levels[i]);
		double side = fmax(distance_of(z, across, radius, levels[i].value), radius),
		ahead = fmax(distance_of(z, along, radius, levels[i].value), side);
		zn->ring = leaning(z->arena, ahead, side);
		ask_pool(z, z->fuel, ahead * (1 + 1e-6), fmin(z->set->air.u, 40));
	}
	zone_warn(z, "池火火焰向下风倾斜：下风按有风，其余方向按无风取，偏于安全",
		  "the flame leans downwind: ahead with wind, elsewhere without, on the safe side");
}

// ---- jet fire ------------------------------------------------------------------------------------------------------------

static const struct risk_run *ask_jet(struct zone_job *z, double x)
{
	static const char *const phases[] = { "gas", "lpg-vapour", "liquid" };
	return zone_model(z, "jet-fire", "喷射火长度和点源热辐射", "length of the jet and radiation of a point source",
		"{\"m\":%.9g,\"dHc\":%.6g,\"phase\":\"%s\",\"x\":%.9g,\"fraction\":%.6g,\"RH\":%.6g,\"T\":%.6g}", risk_num(z->in, "Q"), z->dhc,
		phases[risk_choice(z->in, "phase")], x, risk_num(z->in, "fraction"), z->set->air.rh, z->set->air.t);
}

// It may point anywhere: at a distance d it is at best aimed there, its middle half its length nearer.
static double jet_at(struct zone_job *z, double x, double y)
{
	double d = hypot(x, y);
	const struct risk_run *r = ask_jet(z, 1);
	double length = zone_out(r, "L_aqt");
	if (d <= length) {
		return 1000;
	}
	r = ask_jet(z, fmax(d - length / 2, 0.5));
	return zone_out(r, "q");
}

void zone_run_jet(struct zone_job *z)
{
	z->dhc = zone_need(z, "dHc", z->sub.dhc);
	z->at = jet_at;
	z->set->duration = risk_num(z->in, "lasts") * 60;
	if (zone_failed(z)) {
		return;
	}
	zone_circles(z, "heat", 0.5, 0);
	for (size_t i = 0; i < z->set->n; i++) {
		struct zone *zn = &z->set->v[i];
		zone_measure(zn);
		z->steady = true;
		double length = zone_out(ask_jet(z, 1), "L_aqt");
		z->steady = false;
		ask_jet(z, fmax(zn->reach - length / 2, 0.5));
	}
	zone_warn(z, "喷射方向未知，按可能指向任一方向取圆：半径为到火焰中点的距离加半个火焰长度，不小于火焰长度",
		  "the jet's direction is not known: a circle, of the distance from the middle of the flame and half its length, at least its length");
}

// ---- fireball ------------------------------------------------------------------------------------------------------------

static const struct risk_run *ask_ball(struct zone_job *z, double x)
{
	return zone_model(z, "bleve", "火球在此处的热辐射", "radiation of the fireball",
		"{\"M\":%.9g,\"dHc\":%.6g,\"eta\":%.6g,\"x\":%.9g,\"RH\":%.6g,\"T\":%.6g}", risk_num(z->in, "m"), z->dhc, risk_num(z->in, "eta"), x,
		z->set->air.rh, z->set->air.t);
}

static double ball_at(struct zone_job *z, double x, double y)
{
	const struct risk_run *r = ask_ball(z, fmax(hypot(x, y), 1));
	return r ? zone_out(r, "q") : 1000;
}

void zone_run_bleve(struct zone_job *z)
{
	z->dhc = zone_need(z, "dHc", z->sub.dhc);
	z->at = ball_at;
	if (zone_failed(z)) {
		return;
	}
	zone_circles(z, "heat", 1, 0);
	for (size_t i = 0; i < z->set->n && !zone_failed(z); i++) {
		zone_measure(&z->set->v[i]);
		ask_ball(z, fmax(z->set->v[i].reach, 1));
	}
	z->steady = true;
	z->set->duration = zone_out(ask_ball(z, 1), "t");
	z->steady = false;
	zone_warn(z, "火球只持续数秒到数十秒，阈值按持续照射的含义给出，偏于安全",
		  "a fireball lasts seconds to tens of seconds; the levels are those of lasting radiation, on the safe side");
}

// ---- explosions ------------------------------------------------------------------------------------------------------------

static const struct risk_run *ask_vce(struct zone_job *z, double r)
{
	return zone_model(z, "tnt-equivalence", "蒸气云爆炸在此处的超压", "overpressure of the explosion",
		"{\"m\":%.9g,\"dHc\":%.6g,\"eta\":%.6g,\"r\":%.9g,\"curve\":\"crowl-louvar\"}", risk_num(z->in, "m"), z->dhc, risk_num(z->in, "eta"), r);
}

static double vce_at(struct zone_job *z, double x, double y)
{
	const struct risk_run *r = ask_vce(z, fmax(hypot(x - (z->centred ? 0 : risk_num(z->in, "drift")), y), 0.1));
	return r ? zone_out(r, "P") : 0;
}

// kPa at the distance; a place so near that the fit ends there: 1000
static const struct risk_run *ask_burst(struct zone_job *z, double r)
{
	return zone_model(z, "vessel-burst", "容器爆裂在此处的超压", "overpressure of the burst",
		"{\"P1\":%.9g,\"V\":%.9g,\"k\":%.6g,\"r\":%.9g}", z->p1 * 1000, risk_num(z->in, "V"), z->k, r);
}

static double burst_at(struct zone_job *z, double x, double y)
{
	double d = fmax(hypot(x, y), 0.1);
	const struct risk_run *r = ask_burst(z, d);
	double p = zone_out(r, "P"), scaled = d / cbrt(zone_out(r, "W_TNT"));
	return isfinite(p) ? p : scaled < 1 ? 1000 : 0; // outside of the fit of Kingery and Bulmash, 0.2 … 198
}

static void steps_of_blast(struct zone_job *z, const struct risk_run *(*ask)(struct zone_job *z, double r))
{
	for (size_t i = 0; i < z->set->n && !zone_failed(z); i++) {
		zone_measure(&z->set->v[i]);
		double radius = z->set->v[i].half_width;
		if (radius > 0.1) {
			ask(z, radius);
		}
	}
}

void zone_run_vce(struct zone_job *z)
{
	z->dhc = zone_need(z, "dHc", z->sub.dhc);
	z->at = vce_at;
	if (zone_failed(z)) {
		return;
	}
	z->centred = true; // the circles are found around the cloud's centre, and then put where it drifted
	zone_circles(z, "blast", 0.1, risk_num(z->in, "drift"));
	z->centred = false;
	steps_of_blast(z, ask_vce);
	if (risk_num(z->in, "drift") > 0) {
		zone_warn(z, "云团漂移后爆炸：轮廓以漂移后的中心为圆心，可能不含泄漏源", "the cloud drifts before it explodes: the outline is around its "
			  "centre and may not hold the source");
	}
	zone_warn(z, "TNT 当量法不区分阻塞与约束，近场偏大、远场偏小；曲线 crowl-louvar（地面爆炸）",
		  "TNT equivalence knows no congestion: too high near, too low far away; curve crowl-louvar (charge at the ground)");
}

void zone_burst(struct zone_job *z, double p1, double k)
{
	z->p1 = p1;
	z->k = k;
	z->at = burst_at;
	if (zone_failed(z)) {
		return;
	}
	zone_circles(z, "blast", 0.1, 0);
	steps_of_blast(z, ask_burst);
	zone_warn(z, "不计碎片：碎片可飞到超压范围以外", "no fragments: they may fly beyond the zones of pressure");
}

void zone_run_burst(struct zone_job *z)
{
	zone_burst(z, risk_num(z->in, "P1"), zone_need(z, "k", isfinite(z->sub.k) ? z->sub.k : NAN));
}
