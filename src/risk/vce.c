// Vapour cloud explosions by the energy of the congested volume: multi-energy, Baker-Strehlow-Tang, analytic deflagration.
// The curves are data tables. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

enum { CURVE_MAX = 32, CURVES_MAX = 24 };

struct curve {
	double mf, r[CURVE_MAX], p[CURVE_MAX];
	size_t n;
};

// Reads the curves of a family, Mach number rising, from the table bst-curves (family, Mf, R, P).
static size_t read_curves(const struct risk_table *t, const char *family, struct curve *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++) {
		double mf = risk_table_num(t, i, "Mf"), x = risk_table_num(t, i, "R"), p = risk_table_num(t, i, "P");
		if (!str_is(risk_table_cell(t, i, "family"), family) || !(mf > 0 && x > 0 && p > 0)) {
			continue;
		}
		size_t k = 0;
		while (k < n && ret[k].mf != mf) {
			k++;
		}
		if (k == n && n < CURVES_MAX) {
			ret[n++] = (struct curve){ .mf = mf };
		}
		if (k < n && ret[k].n < CURVE_MAX) {
			ret[k].r[ret[k].n] = x;
			ret[k].p[ret[k].n++] = p;
		}
	}
	for (size_t i = 1; i < n; i++) { // few: by insertion
		struct curve c = ret[i];
		size_t k = i;
		for (; k > 0 && ret[k - 1].mf > c.mf; k--) {
			ret[k] = ret[k - 1];
		}
		ret[k] = c;
	}
	return n;
}

// On one curve; beyond its ends on the slope of the last two points (in logarithms), held at the first.
static double on_curve(const struct curve *c, double x)
{
	if (c->n >= 2 && x > c->r[c->n - 1]) {
		double slope = log(c->p[c->n - 1] / c->p[c->n - 2]) / log(c->r[c->n - 1] / c->r[c->n - 2]);
		return c->p[c->n - 1] * pow(x / c->r[c->n - 1], slope);
	}
	return num_interp_loglog(c->r, c->p, c->n, x);
}

// ---- Baker-Strehlow-Tang ---------------------------------------------------------------------------------------

static const char *const menu_family[] = { "tang-baker-1999", "ccps-2000", NULL };
static const char *const menu_reactivity[] = { "low", "medium", "high", NULL };
static const char *const menu_confinement[] = { "2D", "2.5D", "3D", NULL };

static double flame_speed(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "bst-mach");
	if (!t || risk_given(r, "Mf")) {
		return risk_num(r, "Mf");
	}
	if (!risk_given(r, "reactivity") || !risk_given(r, "congestion") || !risk_given(r, "confinement")) {
		risk_fail(r, "Mf", "应给出 Mf，或 reactivity、congestion、confinement",
			"Mf is needed, or reactivity, congestion and confinement");
		return NAN;
	}
	static const char *const levels[] = { "low", "medium", "high" }, *const dims[] = { "2D", "2.5D", "3D" };
	for (size_t i = 0; i < t->n; i++) {
		if (str_is(risk_table_cell(t, i, "confinement"), dims[risk_choice(r, "confinement")])
		    && str_is(risk_table_cell(t, i, "reactivity"), levels[risk_choice(r, "reactivity")])
		    && str_is(risk_table_cell(t, i, "congestion"), levels[risk_choice(r, "congestion")])) {
			return risk_table_num(t, i, "Mf");
		}
	}
	risk_fail(r, "reactivity", "数据表 bst-mach 中没有这一组合", "the table bst-mach has no such combination");
	return NAN;
}

static void run_bst(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "bst-curves");
	double mf = flame_speed(r), x = risk_num(r, "R");
	double e = risk_given(r, "E") ? risk_num(r, "E") : risk_num(r, "V") * risk_num(r, "E_per_m3");
	struct curve *c = arena_many(r->arena, CURVES_MAX, struct curve);
	size_t n = t ? read_curves(t, menu_family[risk_choice(r, "family")], c) : 0;
	if (!risk_given(r, "R") && (!isfinite(e) || !risk_given(r, "r"))) {
		risk_fail(r, "R", "应给出 R，或 r 与 E（V）", "R is needed, or r and E (or V)");
	}
	if (!risk_failed(r) && n < 2) {
		risk_fail(r, "family", "数据表 bst-curves 缺少该曲线族", "the table bst-curves lacks this family");
	}
	if (risk_failed(r)) {
		return;
	}
	if (isnan(x)) {
		x = risk_num(r, "r") / cbrt(e * risk_num(r, "ground") / risk_num(r, "P0"));
	}
	if (mf < c[0].mf || mf > c[n - 1].mf) {
		risk_warn(r, "火焰马赫数 %.3g 超出曲线范围 %g～%g，取端线",
			"flame speed Mach %.3g is outside of the curves %g … %g; the end curve is taken", mf, c[0].mf, c[n - 1].mf);
	}
	if (x < c[0].r[0]) {
		risk_warn(r, "比例距离 %.3g 小于曲线起点，取起点值",
			"scaled distance %.3g is before the curves begin; their first value is taken", x);
	}
	if (x > c[0].r[c[0].n - 1] || x > c[n - 1].r[c[n - 1].n - 1]) {
		risk_warn(r, "比例距离 %.3g 超出曲线终点，按末段斜率外推", "scaled distance %.3g is beyond the end of the curves, which go on with their last slope", x);
	}
	size_t k = 1;
	while (k < n - 1 && c[k].mf < mf) {
		k++;
	}
	double m = num_clamp(mf, c[k - 1].mf, c[k].mf), a = on_curve(&c[k - 1], x), b = on_curve(&c[k], x);
	double p = a * pow(b / a, log(m / c[k - 1].mf) / log(c[k].mf / c[k - 1].mf));
	risk_out(r, "Mf", mf);
	if (isfinite(e)) {
		risk_out(r, "E", e);
	}
	risk_out(r, "R_scaled", x);
	risk_out(r, "P_ratio", p);
	risk_out(r, "P", p * risk_num(r, "P0") / 1000);
}

#define IN_CLOUD_ENERGY IN_OPT("V", "m3", "受阻塞体积", "congested volume", 0.1, 1e7, NAN), \
	IN_OPT("E_per_m3", "J/m3", "单位体积能量", "energy of a stoichiometric mixture", 1e5, 1e7, 3.5e6)
#define IN_BLAST_R IN_NUM("r", "m", "距离", "distance from the centre", 0.1, 1e6), IN_OPT("P0", "Pa", "大气压", "ambient pressure", 3e4, 2e5, ATM)
static const struct risk_input in_bst[] = {
	IN_OPT("E", "J", "爆炸能量", "energy", 1e3, 1e15, NAN), IN_CLOUD_ENERGY, IN_OPT("r", "m", "距离", "distance from the centre", 0.1, 1e6, NAN),
	IN_OPT("R", "", "比例距离", "scaled distance, instead of r and E", 0.05, 100, NAN),
	IN_OPT("P0", "Pa", "大气压", "ambient pressure", 3e4, 2e5, ATM),
	IN_OPT("Mf", "", "火焰马赫数", "flame speed, Mach", 0.03, 5.2, NAN), IN_MENU_OPT("reactivity", "反应性", "reactivity", menu_reactivity),
	IN_MENU_OPT("congestion", "拥塞度", "congestion", menu_reactivity),
	IN_MENU_OPT("confinement", "约束", "confinement", menu_confinement),
	IN_OPT("ground", "", "地面反射系数", "factor of the ground", 1, 2, 2),
	IN_MENU_OPT("family", "曲线族", "family of curves", menu_family), IN_END,
};
static const struct risk_output out_vce[] = {
	{ "E", "J", "爆炸能量", "energy" }, { "R_scaled", "", "比例距离", "scaled distance" }, { "P", "kPa", "超压", "overpressure" },
	{ "P_ratio", "", "超压比", "overpressure by ambient" }, { "P_reflected", "kPa", "正反射超压", "overpressure reflected by a wall" },
	{ "duration", "ms", "正压历时", "positive duration" }, { "Mf", "", "火焰马赫数", "flame speed, Mach" },
	{ "v_flame", "m/s", "火焰速度", "flame speed" }, { "Rx", "", "比例距离", "scaled distance" },
	{ "dP", "kPa", "超压", "overpressure" }, { "impulse", "Pa s", "冲量", "impulse" },
	{ "dP_detonation", "kPa", "爆轰超压", "overpressure if it detonates" }, { 0 },
};
static const struct risk_alias alias_bst[] = { { "Baker-Strehlow*", NULL, NULL }, { 0 } };
const struct risk_model model_bst = { "baker-strehlow-tang", "Baker-Strehlow-Tang 法", "Baker-Strehlow-Tang",
	"Tang & Baker 1999; CCPS 2000; flame speeds Pierorazio 2005 [M]", { "两族曲线远场相差可达 35 %", "the two families differ by up to 35 % far away" }, in_bst, out_vce,
	alias_bst, "bst-mach bst-curves", run_bst };

// ---- TNO multi-energy -----------------------------------------------------------------------------------------------------

enum { MEM_FROM_PERCENT = 23 };  // the chart begins at R = 0.23, the radius of the cloud itself
#define SOUND 340.3               // m/s, of air at 15 C

// The curve of a class, "P" or "t", at scaled distance x. NAN: the table has none.
static double mem_curve(const struct risk_table *t, int class, const char *quantity, double x)
{
	for (size_t i = 0; i < t->n; i++) {
		if ((int)risk_table_num(t, i, "class") == class && str_is(risk_table_cell(t, i, "quantity"), quantity)
		    && x <= risk_table_num(t, i, "R_to")) {
			return risk_table_num(t, i, "a") * pow(x, risk_table_num(t, i, "b"));
		}
	}
	return NAN;
}

static void run_mem(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "multi-energy");
	double cls = risk_num(r, "blast_class"), e = risk_num(r, "V") * risk_num(r, "E_per_m3"), p0 = risk_num(r, "P0");
	if (!isfinite(e)) {
		risk_fail(r, "V", "应给出 V", "V is needed");
	}
	if (!risk_failed(r) && cls != floor(cls)) {
		risk_fail(r, "blast_class", "等级应为 1 至 10 的整数", "the class is a whole number, 1 … 10");
	}
	if (risk_failed(r)) {
		return;
	}
	double scale = cbrt(e / p0), x = risk_num(r, "r") / scale, at = fmax(x, MEM_FROM_PERCENT / 100.0);
	double p = mem_curve(t, (int)cls, "P", at), lasts = mem_curve(t, (int)cls, "t", at);
	if (x > 1000) {
		risk_fail(r, "r", "比例距离超过 1000，曲线到此为止", "the scaled distance is above 1000, where the curves end");
	} else if (!isfinite(p) || !isfinite(lasts)) {
		risk_fail(r, "blast_class", "数据表 multi-energy 中没有这一等级", "the table multi-energy has no such class");
	}
	if (risk_failed(r)) {
		return;
	}
	if (x < at) {
		risk_warn(r, "比例距离 %.3g 在云团之内（曲线自 0.23 起），取 0.23 处的值",
			"scaled distance %.3g lies inside the cloud (the chart begins at 0.23): the value at 0.23 is taken", x);
	}
	if (p < 0.001) {
		risk_warn(r, "比超压低于 0.001，超出原图，为外推", "below 0.001 of the ambient pressure, where the chart ends: extrapolated");
	}
	risk_out(r, "E", e);
	risk_out(r, "R_scaled", x);
	risk_out(r, "P_ratio", p);
	risk_out(r, "P", p * p0 / 1000);
	risk_out(r, "P_reflected", p * p0 / 1000 * (8 * p + 14) / (p + 7));
	risk_out(r, "duration", lasts * scale / SOUND * 1000);
	risk_out(r, "impulse", 0.5 * p * p0 * lasts * scale / SOUND);
}

static const struct risk_input in_mem[] = { IN_CLOUD_ENERGY, IN_BLAST_R,
	IN_NUM("blast_class", "", "爆炸强度等级", "class of strength", 1, 10), IN_END };
static const struct risk_alias alias_mem[] = { { "TNO multi-energy*", NULL, NULL }, { 0 } };
const struct risk_model model_mem = { "multi-energy", "TNO 多能法", "TNO multi-energy",
	"van den Berg, J. Haz. Mat. 12, 1985; curves: MSB B06-105 (2017), tables 4.2, 4.3; triangular pulse",
	{ "R 0.23 至约 100（比超压 0.001）；E 为地面半球云团的燃烧能", "R 0.23 … about 100 (0.001 of the ambient pressure); E of a hemispherical cloud on the ground" },
	in_mem, out_vce, alias_mem, "multi-energy", run_mem };

// ---- RD 03-409 ------------------------------------------------------------------------------------------------------------------

static void run_deflagration(struct risk_run *r)
{
	static const double speeds[4][4] = { { 500, 500, 300, 200 }, { 500, 300, 200, 150 }, { 300, 200, 150, -43 }, { 200, 150, -43, -26 } };
	double m = risk_num(r, "m"), fuel = risk_num(r, "fuel_class"), space = risk_num(r, "space_class"), p0 = risk_num(r, "P0"), c0 = 340;
	if (fuel != floor(fuel) || space != floor(space)) {
		risk_fail(r, fuel != floor(fuel) ? "fuel_class" : "space_class", "等级应为 1 至 4 的整数", "a class is a whole number, 1 … 4");
		return;
	}
	double s = risk_num(r, "sigma"), e = risk_num(r, "beta") * m * risk_num(r, "dHc") * 1000, v = speeds[(int)fuel - 1][(int)space - 1];
	v = v < 0 ? -v * pow(m, 1.0 / 6) : v;
	double x = risk_num(r, "r") / cbrt(e / p0), rx = fmax(x, 0.34), mach = v / c0, part = (s - 1) / s;
	if (x < 0.34) {
		risk_warn(r, "Rx < 0.34，按 0.34 计算", "Rx is below 0.34, which is taken");
	}
	double px = mach * mach * part * (0.83 / rx - 0.14 / (rx * rx)), w = mach * part;
	double ix = w * (1 - 0.4 * w) * (0.06 / rx + 0.01 / (rx * rx) - 0.0025 / (rx * rx * rx));
	risk_out(r, "v_flame", v);
	risk_out(r, "Rx", rx);
	risk_out(r, "dP", px * p0 / 1000);
	risk_out(r, "impulse", ix * pow(p0, 2.0 / 3) * cbrt(e) / c0);
	if (v >= 500) {
		double l = log(fmax(x, 0.2));
		risk_out(r, "dP_detonation", p0 / 1000 * exp(-1.124 - 1.66 * l + 0.26 * l * l));
		risk_warn(r, "该等级组合可能发展为爆轰", "this combination may detonate");
	}
}

static const struct risk_input in_deflagration[] = {
	IN_NUM("m", "kg", "爆炸范围内燃料质量", "mass of fuel in the explosive range", 0.1, 1e8),
	IN_NUM("dHc", "kJ/kg", "燃烧热", "heat of combustion", 100, 2e5), IN_NUM("fuel_class", "", "燃料等级", "class of the fuel", 1, 4),
	IN_NUM("space_class", "", "空间等级", "class of the space", 1, 4),
	IN_OPT("sigma", "", "膨胀比", "expansion (gas 7, drops 4)", 2, 9, 7),
	IN_OPT("beta", "", "地面反射系数", "factor of the ground", 1, 2, 2), IN_BLAST_R, IN_END,
};
static const struct risk_alias alias_deflagration[] = { { "analytic deflagration blast*", NULL, NULL }, { 0 } };
const struct risk_model model_deflagration = { "vce-deflagration", "爆燃解析法（RD 03-409）", "analytic deflagration (RD 03-409)",
	"RD 03-409-01; order 404 of MChS; detonation [M]", { "Rx 不小于 0.34", "Rx from 0.34" }, in_deflagration, out_vce, alias_deflagration, NULL, run_deflagration };
