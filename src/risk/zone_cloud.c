// Zones of clouds: toxic and flammable gas, continuous and all at once, as heavy as air (Gauss) or heavier (Britter-McQuaid).
// Pure but for the arena; any thread.
#include "risk/gauss.h"
#include "risk/inputs.h"
#include "risk/numeric.h"
#include "risk/zone_int.h"

static double density_at(const struct zone_substance *s, double t) { return s->mw / 1000 * ATM / (GAS_CONSTANT * t); }

// The cloud starts at the boiling point of what is liquefied by cold or pressure, at the air's temperature of everything else.
static double source_temperature(const struct zone_job *z) { return fmin(z->sub.boiling, z->set->air.t); }

static char class_of(const struct zone_job *z) { return (char)('A' + z->set->air.stability); }

static bool known(struct zone_job *z)
{
	if (!isfinite(z->sub.mw)) {
		zone_fail(z, "substance", "数据表 toxic-thresholds 中没有这种物质的摩尔质量，不能推演气云",
			  "the table toxic-thresholds has no molar mass of this substance: no cloud can be computed");
	}
	return !zone_failed(z);
}

// "rate": Q; "mass": m
static bool is_dense(struct zone_job *z, const char *amount, double value)
{
	int asked = risk_choice(z->in, "density");
	double t = source_temperature(z), rho = density_at(&z->sub, t);
	if (asked == 1) {
		return false;
	}
	if (rho <= AIR_MOLAR_MASS * ATM / (GAS_CONSTANT * z->set->air.t)) {
		if (asked == 2) {
			zone_fail(z, "inputs.density", "这种气体不比空气重，请选 neutral", "this gas is not heavier than air: choose neutral");
		}
		return false;
	}
	const struct risk_run *r = zone_model(z, "dense-gas-criterion", "是否重气", "is it heavier than air",
		"{\"rho_gas\":%.6g,\"T_air\":%.6g,\"u10\":%.6g,\"%s\":%.9g}", rho, z->set->air.t, z->set->air.u, amount, value);
	return asked == 2 || str_is(zone_out_text(r, "dense"), "yes");
}

// The models know flat ground only. What is said where it is not: SMEDIS (1999) left out its trials on slopes of 4 to 11.6 %, and in its
// trials with and without a fence the same places had a third to twice the concentration, single ones up to a hundred times;
// wakes: EPA-450/4-80-023R (five heights).
static void warn_relief(struct zone_job *z, bool dense)
{
	double slope = risk_num(z->in, "slope"), high = risk_num(z->in, "obstacles");
	if (slope >= 4 && dense) {
		zone_warn(z, "坡度 4 % 以上：重气向低处流，可能偏离甚至逆着风向，轮廓不可靠；下坡方向的低洼处、沟渠按可能有毒气处置",
			  "a slope of 4 % and more: heavy gas runs downhill, across or against the wind, and the outline does not hold; take hollows and ditches downhill for reached");
	} else if (slope >= 4) {
		zone_warn(z, "坡度 4 % 以上：不是平坦地面，轮廓不可靠，夜间冷空气顺坡流动", "a slope of 4 % and more: not flat ground, the outline does not hold; at night cold air drains downhill");
	}
	if (high > 0) {
		zone_warn(z, arena_printf(z->arena, "附近有 %.3g m 高的建筑或围墙：模型按无障碍计算；约 %.3g m（5 倍高度）以内浓度可差数倍，背风面可能滞留", high, 5 * high).p,
			  arena_printf(z->arena, "buildings or walls of %.3g m nearby: the models know none; within about %.3g m (five heights) the concentration may differ several "
			  "times, and gas stays behind them", high, 5 * high).p);
	}
}

// ---- levels of a poison ------------------------------------------------------------------------------------------------

static double ppm_of(const struct risk_table *t, int row, struct str level)
{
	static const char *const columns[] = { "aegl3_60min", "aegl2_60min", "aegl1_60min", "erpg3", "erpg2", "erpg1", "pac3", "pac2",
		"pac1", "idlh" };
	double v;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		if (str_starts(str_of(columns[i]), level)) {
			struct str rest = risk_table_cell(t, (size_t)row, columns[i]), number = str_cut(&rest, ' ');
			return str_to_f64(number, &v) ? v : NAN;
		}
	}
	return NAN;
}

// The levels that this substance has, most severe first, ppm in value.
static size_t toxic_levels(struct zone_job *z, struct zone_level ret[ZONE_MAX])
{
	static const char *const families[] = { NULL, "aegl", "erpg", "pac", "idlh" };
	const struct risk_table *t = risk_table_find(z->tables, STR("toxic-thresholds"));
	int asked = risk_choice(z->in, "levels");
	size_t n = 0;
	for (int f = asked ? asked : 1; t && z->sub.threshold >= 0 && f <= (asked ? asked : 4) && !n; f++) {
		struct zone_level all[ZONE_MAX];
		size_t k = zone_levels(z, "toxic", families[f], all);
		for (size_t i = 0; i < k; i++) {
			all[i].value = ppm_of(t, z->sub.threshold, all[i].key);
			if (all[i].value > 0) {
				ret[n++] = all[i];
			}
		}
	}
	if (!n && !zone_failed(z)) {
		zone_fail(z, "inputs.levels", "这种物质没有这组毒性阈值，请选别的一组（levels）或别的情景",
			  "this substance has no such toxic levels: choose another set (levels) or another scenario");
	}
	return n;
}

// kg/m3 of a level in ppm; 0: failed
static double concentration(struct zone_job *z, double ppm)
{
	const struct risk_run *r = zone_model(z, "toxic-threshold", "阈值换算为浓度", "the level as a concentration",
		"{\"substance\":\"%.*s\",\"ppm\":%.9g,\"T\":%.6g}", STR_FMT(z->sub.cas), ppm, z->set->air.t);
	return r ? zone_out(r, "C") : 0;
}

// ---- plumes ------------------------------------------------------------------------------------------------------------------

// The source lies in its zone even if the plume of an elevated one reaches the ground farther away.
static struct zone_ring plume_ring(struct zone_job *z, const double *x, const double *y, size_t n, double back)
{
	double *xs = arena_many(z->arena, n + 2, double), *ys = arena_many(z->arena, n + 2, double);
	double near = 1;
	size_t k = 0;
	xs[k++] = -back;
	if (n && x[0] > 0) {
		near = fmin(fmax(y[0], 1), 5);
		xs[k] = 0, ys[k++] = near;
	}
	for (size_t i = 0; i < n; i++) {
		xs[k] = x[i];
		ys[k++] = i + 1 < n ? fmax(y[i], i ? 0.5 : near) : 0;
	}
	return zone_profile(z->arena, xs, ys, k);
}

static void neutral_plume(struct zone_job *z, struct zone *zn, double c)
{
	size_t n, same;
	bool urban = risk_choice(z->in, "terrain") == 1;
	const struct risk_run *r = zone_model(z, "gaussian-zone", "烟羽在此阈值以上的范围", "zone of the plume above this level",
		"{\"Q\":%.9g,\"C\":%.9g,\"u\":%.6g,\"stability\":\"%c\",\"sigma_set\":\"%s\",\"h\":%.6g}", risk_num(z->in, "Q"),
		num_clamp(c, 1e-15, 10), z->set->air.u, class_of(z), urban ? "briggs-urban" : "briggs-rural", risk_num(z->in, "h"));
	const double *x = zone_out_list(r, "x", &n), *y = zone_out_list(r, "y", &same);
	if (r && zone_out(r, "distance") > 0) {
		zn->ring = plume_ring(z, x, y, n, 1);
	}
}

// The cross-wind profile of Britter and McQuaid's plume: half_width is where a tenth of the axis is left. [M]
static void dense_plume(struct zone_job *z, struct zone *zn, double fraction)
{
	enum { N = 40 };
	double t = source_temperature(z), rho = density_at(&z->sub, t), x[N + 1], y[N + 1];
	const char *form = "{\"Q\":%.9g,\"rho_gas\":%.6g,\"T_gas\":%.6g,\"T_air\":%.6g,\"u10\":%.6g,%s}";
	struct str want = arena_printf(z->arena, "\"threshold\":%.9g", fmin(fraction, 0.99));
	const struct risk_run *r = zone_model(z, "britter-mcquaid-plume", "重气烟羽到此阈值的距离", "distance of this level, dense plume", form,
		risk_num(z->in, "Q"), rho, t, z->set->air.t, z->set->air.u, want.p);
	double to = zone_out(r, "distance"), back = zone_out(r, "upwind");
	if (!(to > 0)) {
		return;
	}
	to = fmin(fmax(to, 1), ZONE_FAR);
	struct str list = STR("\"x\":[");
	for (int i = 0; i <= N; i++) {
		x[i] = fmax(to * i / N, 0.1);
		list = arena_printf(z->arena, "%.*s%s%.6g", STR_FMT(list), i ? "," : "", x[i]);
	}
	list = arena_printf(z->arena, "%.*s]", STR_FMT(list));
	r = zone_model(z, "britter-mcquaid-plume", "重气烟羽的半宽和轴线浓度", "half widths and concentrations on the axis", form,
		risk_num(z->in, "Q"), rho, t, z->set->air.t, z->set->air.u, list.p);
	size_t n, same;
	const double *c = zone_out_list(r, "c", &n), *half = zone_out_list(r, "half_width", &same);
	for (size_t i = 0; i < n && i <= N; i++) {
		double ratio = c[i] / fraction;
		y[i] = ratio > 1 ? half[i] * sqrt(fmin(1, log(ratio) / log(10))) : 0;
	}
	if (n == N + 1) {
		zn->ring = plume_ring(z, x, y, n, fmax(back, 1));
	}
	zone_warn(z, "重气烟羽横向浓度按正态分布取，模型的半宽处为轴线的 1/10 [M]；Britter-McQuaid 对低温气体偏大约三倍，偏于安全，只用于筛查",
		  "dense plume: normal across the wind, a tenth of the axis at the model's half width [M]; Britter-McQuaid is about three times "
		  "too high for cold gas: on the safe side, for screening");
}

// What is under way of a plume: between the tail, after the release has ended, and the front.
static void travel(struct zone_job *z, double lasts)
{
	struct zone_set *s = z->set;
	s->travels = true;
	for (int k = 0; k < ZONE_TIMES; k++) {
		double t = zone_minutes[k] * 60, front = s->air.u * t, tail = t > lasts ? s->air.u * (t - lasts) : -HUGE_VAL;
		s->front[k] = front;
		for (size_t i = 0; i < s->n; i++) {
			s->v[i].then[k].ring = zone_cut(z->arena, &s->v[i].ring, tail, front);
		}
	}
	for (size_t i = 0; i < s->n; i++) {
		zone_measure(&s->v[i]);
		if (s->v[i].reach > s->air.u * lasts) {
			zone_warn(z, "泄漏结束时前锋还未到最远处：轮廓按一直泄漏的稳定烟羽，偏于安全",
				  "the release ends before its front is that far: the outline is that of an endless one, on the safe side");
		}
	}
}

void zone_run_toxic_plume(struct zone_job *z)
{
	struct zone_level levels[ZONE_MAX];
	size_t n = known(z) ? toxic_levels(z, levels) : 0;
	bool dense = n && is_dense(z, "Q", risk_num(z->in, "Q"));
	warn_relief(z, dense);
	for (size_t i = 0; i < n && !zone_failed(z); i++) {
		struct zone *zn = zone_add(z, &levels[i]);
		if (dense) {
			dense_plume(z, zn, levels[i].value * 1e-6);
		} else {
			neutral_plume(z, zn, concentration(z, levels[i].value));
		}
	}
	travel(z, risk_num(z->in, "duration") * 60);
}

// ---- flammable gas -----------------------------------------------------------------------------------------------------------

static void neutral_flash(struct zone_job *z, struct zone *zn, double factor)
{
	enum { N = 40 };
	double x[N + 1], y[N + 1], h = risk_num(z->in, "h");
	const struct risk_run *r = zone_model(z, "flash-fire", "可燃气云到爆炸下限及其一半的距离", "distance of the LEL and of half of it",
		"{\"Q\":%.9g,\"u\":%.6g,\"stability\":\"%c\",\"sigma_set\":\"%s\",\"h\":%.6g,\"LFL\":%.9g,\"M\":%.6g,\"T\":%.6g}",
		risk_num(z->in, "Q"), z->set->air.u, class_of(z), risk_choice(z->in, "terrain") ? "briggs-urban" : "briggs-rural", h,
		z->sub.lel, z->sub.mw, z->set->air.t);
	double to = zone_out(r, factor < 1 ? "distance_half_LFL" : "distance_LFL"), c = zone_out(r, "C_LFL") * factor;
	struct gauss g = { risk_choice(z->in, "terrain") ? SIGMA_BRIGGS_URBAN : SIGMA_BRIGGS_RURAL, z->set->air.stability, risk_num(z->in, "Q"),
		z->set->air.u, h, gauss_averaging(20) };
	if (!(to > 0)) {
		return;
	}
	for (int i = 0; i <= N; i++) {
		struct sigma s;
		x[i] = fmax(to * i / N, 0.5);
		double at = gauss_plume(&g, x[i], 0, h);
		y[i] = at > c && sigma_at(g.set, g.stability, x[i], &s) ? s.y * g.factor * sqrt(2 * log(at / c)) : 0;
	}
	zn->ring = plume_ring(z, x, y, N + 1, 1);
}

void zone_run_flash(struct zone_job *z)
{
	struct zone_level levels[ZONE_MAX];
	if (!known(z)) {
		return;
	}
	if (!isfinite(z->sub.lel)) {
		zone_fail(z, "substance", "数据表中没有这种物质的爆炸下限：它不燃，或请选别的物质",
			  "the tables have no lower explosive limit of this substance: it does not burn, or choose another");
		return;
	}
	size_t n = zone_levels(z, "flash", NULL, levels);
	bool dense = is_dense(z, "Q", risk_num(z->in, "Q"));
	warn_relief(z, dense);
	for (size_t i = 0; i < n && !zone_failed(z); i++) {
		struct zone *zn = zone_add(z, &levels[i]);
		dense ? dense_plume(z, zn, levels[i].value * z->sub.lel) : neutral_flash(z, zn, levels[i].value);
	}
	travel(z, risk_num(z->in, "duration") * 60);
}

// ---- all at once ---------------------------------------------------------------------------------------------------------------

struct puff { double xc, rx, ry; };

enum { PUFFS = 120 };

// Half axes of a Gaussian puff at x where the concentration is c.
static bool puff_at(const struct gauss *g, double x, double c, struct puff *ret)
{
	struct sigma s;
	double top = gauss_puff(g, x, 0, 0, x / g->u);
	if (!(top > c) || !sigma_at(g->set, g->stability, x, &s)) {
		return false;
	}
	double k = sqrt(2 * log(top / c));
	*ret = (struct puff){ x, s.x * k, s.y * k };
	return true;
}

static double puff_top(void *ctx, double x)
{
	const struct gauss *g = ctx;
	return gauss_puff(g, x, 0, 0, x / g->u);
}

static void ring_of_puffs(struct zone_job *z, struct zone *zn, const struct puff *v, size_t n)
{
	double xc[PUFFS + 1], rx[PUFFS + 1], ry[PUFFS + 1];
	for (size_t i = 0; i < n; i++) {
		xc[i] = v[i].xc, rx[i] = v[i].rx, ry[i] = v[i].ry;
	}
	zn->ring = zone_swept(z->arena, xc, rx, ry, n);
}

static void neutral_puff(struct zone_job *z, struct zone *zn, double c)
{
	struct gauss g = { SIGMA_CCPS_PUFF, z->set->air.stability, risk_num(z->in, "m"), z->set->air.u, risk_num(z->in, "h"), 1 };
	struct puff v[PUFFS + 1];
	size_t n = 0;
	double near = 1;
	while (near < ZONE_FAR && !(puff_top(&g, near) > c)) { // an elevated puff comes down farther away
		near *= 1.1;
	}
	double to = near < ZONE_FAR ? zone_reach(puff_top, &g, near, ZONE_FAR, c) : 0;
	if (!(to > 0)) {
		return;
	}
	zone_model(z, "gaussian-puff", "烟团中心到此阈值的距离处的浓度", "concentration where the puff's centre is down to this level",
		"{\"m\":%.9g,\"u\":%.6g,\"stability\":\"%c\",\"sigma_set\":\"ccps-puff\",\"h\":%.6g,\"x\":%.6g,\"t\":%.6g}", g.q, g.u, class_of(z),
		g.h, to, to / g.u);
	for (int i = 0; i <= PUFFS; i++) {
		n += puff_at(&g, near * pow(to / near, (double)i / PUFFS), c, &v[n]);
	}
	if (n && v[0].xc - v[0].rx > -1) { // the source lies in its zone
		v[0].rx = v[0].xc + 1;
	}
	ring_of_puffs(z, zn, v, n);
	for (int k = 0; k < ZONE_TIMES; k++) {
		struct puff p;
		if (puff_at(&g, g.u * zone_minutes[k] * 60, c, &p)) {
			zn->then[k].ring = zone_ellipse(z->arena, p.xc, p.rx, p.ry);
		}
	}
}

// c: the volume fraction; the cloud is a disc of one concentration
static void dense_puff(struct zone_job *z, struct zone *zn, double c)
{
	double t = source_temperature(z), rho = density_at(&z->sub, t);
	struct str list = STR("\"t\":[");
	for (int i = 0; i < PUFFS; i++) {
		list = arena_printf(z->arena, "%.*s%s%.5g", STR_FMT(list), i ? "," : "", pow(86400, (double)i / (PUFFS - 1)));
	}
	struct str minutes = arena_printf(z->arena, ",%g,%g,%g]", zone_minutes[0] * 60, zone_minutes[1] * 60, zone_minutes[2] * 60);
	const struct risk_run *r = zone_model(z, "britter-mcquaid-puff", "重气烟团的前缘、半径和浓度", "front, radius and concentration of the dense puff",
		"{\"V0\":%.9g,\"rho0\":%.6g,\"T_gas\":%.6g,\"T_air\":%.6g,\"u10\":%.6g,%.*s%.*s}", risk_num(z->in, "m") / rho, rho, t,
		z->set->air.t, z->set->air.u, STR_FMT(list), STR_FMT(minutes));
	size_t n, same;
	const double *at = zone_out_list(r, "c", &n), *x = zone_out_list(r, "x", &same), *radius = zone_out_list(r, "radius", &same);
	struct puff v[PUFFS + 1];
	size_t k = 0;
	for (size_t i = 0; n == PUFFS + ZONE_TIMES && i < PUFFS && (at[i] >= c || (i && at[i - 1] >= c)); i++) {
		double part = at[i] >= c ? 1 : log(at[i - 1] / c) / log(at[i - 1] / at[i]); // of the last step, where it is down to c
		size_t was = i ? i - 1 : i;
		double r_now = radius[was] + (radius[i] - radius[was]) * part;
		v[k++] = (struct puff){ x[was] + (x[i] - x[was]) * part - r_now, r_now, r_now };
	}
	if (k) {
		ring_of_puffs(z, zn, v, k);
	}
	for (size_t i = 0; n == PUFFS + ZONE_TIMES && i < ZONE_TIMES; i++) {
		size_t at_then = PUFFS + i;
		z->set->front[i] = x[at_then];
		if (at[at_then] >= c) {
			zn->then[i].ring = zone_ellipse(z->arena, x[at_then] - radius[at_then], radius[at_then], radius[at_then]);
		}
	}
}

void zone_run_toxic_puff(struct zone_job *z)
{
	struct zone_level levels[ZONE_MAX];
	size_t n = known(z) ? toxic_levels(z, levels) : 0;
	bool dense = n && is_dense(z, "m", risk_num(z->in, "m"));
	warn_relief(z, dense);
	z->set->travels = true;
	for (size_t k = 0; k < ZONE_TIMES; k++) {
		z->set->front[k] = z->set->air.u * zone_minutes[k] * 60;
	}
	for (size_t i = 0; i < n && !zone_failed(z); i++) {
		struct zone *zn = zone_add(z, &levels[i]);
		dense ? dense_puff(z, zn, levels[i].value * 1e-6) : neutral_puff(z, zn, concentration(z, levels[i].value));
	}
}
