// Dense-gas models by correlation. Entered in models.c. Pure; any thread.
#include "risk/dense.h"
#include "risk/inputs.h"
#include "risk/models.h"

struct line {
	double to, slope, at_zero; // beta = slope alpha + at_zero up to and including alpha = to
};

#define END HUGE_VAL
const double bm_plume_ratio[BM_PLUME_CURVES] = { 0.10, 0.05, 0.02, 0.01, 0.005, 0.002 };
const double bm_puff_ratio[BM_PUFF_CURVES] = { 0.10, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001 };
static const struct line plume_lines[BM_PLUME_CURVES][4] = {
	{ { -0.55, 0, 1.75 }, { -0.14, 0.24, 1.88 }, { END, -0.50, 1.78 } },
	{ { -0.68, 0, 1.92 }, { -0.29, 0.36, 2.16 }, { -0.18, 0, 2.06 }, { END, -0.56, 1.96 } },
	{ { -0.69, 0, 2.08 }, { -0.31, 0.45, 2.39 }, { -0.16, 0, 2.25 }, { END, -0.54, 2.16 } },
	{ { -0.70, 0, 2.25 }, { -0.29, 0.49, 2.59 }, { -0.20, 0, 2.45 }, { END, -0.52, 2.35 } },
	{ { -0.67, 0, 2.40 }, { -0.28, 0.59, 2.80 }, { -0.15, 0, 2.63 }, { END, -0.48, 2.56 } },
	{ { -0.69, 0, 2.60 }, { -0.25, 0.39, 2.87 }, { -0.13, 0, 2.77 }, { END, -0.50, 2.71 } },
};
static const struct line puff_lines[BM_PUFF_CURVES][3] = {
	{ { -0.44, 0, 0.70 }, { 0.43, 0.26, 0.81 }, { END, 0, 0.93 } },
	{ { -0.56, 0, 0.85 }, { 0.31, 0.26, 1.00 }, { END, -0.12, 1.12 } },
	{ { -0.66, 0, 0.95 }, { 0.32, 0.36, 1.19 }, { END, -0.26, 1.38 } },
	{ { -0.71, 0, 1.15 }, { 0.37, 0.34, 1.39 }, { END, -0.38, 1.66 } },
	{ { -0.52, 0, 1.48 }, { 0.24, 0.26, 1.62 }, { END, -0.30, 1.75 } },
	{ { 0.27, 0, 1.83 }, { END, -0.32, 1.92 } },
	{ { -0.10, 0, 2.075 }, { END, -0.27, 2.05 } },
};

static double on_line(const struct line *l, double alpha)
{
	while (alpha > l->to) {
		l++;
	}
	return l->slope * alpha + l->at_zero;
}

void bm_plume_beta(double alpha, bool steep, double ret[BM_PLUME_CURVES])
{
	for (int i = 0; i < BM_PLUME_CURVES; i++) {
		ret[i] = on_line(plume_lines[i], alpha);
	}
	if (steep && alpha > -0.15) {
		ret[4] = -0.49 * alpha + 2.56;
	}
}

void bm_puff_beta(double alpha, double ret[BM_PUFF_CURVES])
{
	for (int i = 0; i < BM_PUFF_CURVES; i++) {
		ret[i] = on_line(puff_lines[i], alpha);
	}
}

// Ratio on the broken line through (betas, ratios); the caller handles what lies outside.
static double between(const double *betas, const double *ratios, int n, double beta)
{
	for (int i = 1; i < n; i++) {
		if (beta <= betas[i]) {
			return ratios[i - 1] + (ratios[i] - ratios[i - 1]) * (beta - betas[i - 1]) / (betas[i] - betas[i - 1]);
		}
	}
	return ratios[n - 1];
}

#define NEAR_X 30.0                      // x/D up to which the near-field form holds
#define NEAR_RATIO (306 / (306 + 900.0)) // its value there

#define STEEPEST 5.0                     // no power of the distance is steeper; those of the workbook reach 3 (plume) and 4.3 (puff)

// A curve that begins at or before the one above it (the 10 % curve inside the near field from alpha 0.61 on; end lines that cross
// where they are extended) is entered later: the concentration neither leaps nor rises, in distance as in alpha.
static void in_order(double *betas, const double *ratios, int n)
{
	for (int i = 1; i < n; i++) {
		betas[i] = fmax(betas[i], betas[i - 1] + log10(ratios[i - 1] / ratios[i]) / STEEPEST);
	}
}

// The curves with the end of the near field before them.
static void plume_table(double alpha, bool steep, double betas[BM_PLUME_CURVES + 1], double ratios[BM_PLUME_CURVES + 1])
{
	betas[0] = log10(NEAR_X);
	ratios[0] = NEAR_RATIO;
	bm_plume_beta(alpha, steep, betas + 1);
	memcpy(ratios + 1, bm_plume_ratio, sizeof bm_plume_ratio);
	in_order(betas, ratios, BM_PLUME_CURVES + 1);
}

double bm_plume_ratio_at(double alpha, bool steep, double x)
{
	double betas[BM_PLUME_CURVES + 1], ratios[BM_PLUME_CURVES + 1];
	plume_table(alpha, steep, betas, ratios);
	double last = pow(10, betas[BM_PLUME_CURVES]);
	if (x <= NEAR_X) {
		return 306 / (306 + x * x);
	}
	return x > last ? ratios[BM_PLUME_CURVES] * (last / x) * (last / x) : between(betas, ratios, BM_PLUME_CURVES + 1, log10(x));
}

double bm_plume_x_of(double alpha, bool steep, double ratio)
{
	double betas[BM_PLUME_CURVES + 1], ratios[BM_PLUME_CURVES + 1];
	plume_table(alpha, steep, betas, ratios);
	if (ratio >= NEAR_RATIO) {
		return sqrt(306 * (1 - ratio) / ratio);
	}
	for (int i = 1; i <= BM_PLUME_CURVES; i++) {
		if (ratio >= ratios[i]) {
			return pow(10, betas[i - 1] + (betas[i] - betas[i - 1]) * (ratio - ratios[i - 1]) / (ratios[i] - ratios[i - 1]));
		}
	}
	return pow(10, betas[BM_PLUME_CURVES]) * sqrt(ratios[BM_PLUME_CURVES] / ratio);
}

double bm_puff_ratio_at(double alpha, double x)
{
	double betas[BM_PUFF_CURVES];
	bm_puff_beta(alpha, betas);
	in_order(betas, bm_puff_ratio, BM_PUFF_CURVES);
	double first = pow(10, betas[0]), last = pow(10, betas[BM_PUFF_CURVES - 1]);
	if (x <= first) {
		return fmax(3.24 / (3.24 + x * x), bm_puff_ratio[0]);
	}
	return x > last ? bm_puff_ratio[BM_PUFF_CURVES - 1] * (last / x) * (last / x) : between(betas, bm_puff_ratio, BM_PUFF_CURVES, log10(x));
}

double bm_warm(double c, double t_source, double t_air)
{
	return c / (c + (1 - c) * t_source / t_air);
}

double bm_warm_inverse(double c, double t_source, double t_air)
{
	return c / (c + (1 - c) * t_air / t_source);
}

static double air_density(double t)
{
	return AIR_MOLAR_MASS * ATM / (GAS_CONSTANT * t);
}

static void warn_alpha(struct risk_run *r, double alpha, double lo, double hi)
{
	if (alpha < lo || alpha > hi) {
		risk_warn(r, "α = %.3g 超出曲线范围 [%g, %g]，按端线外推",
			"alpha = %.3g is outside of the curves [%g, %g]; their end lines are extended", alpha, lo, hi);
	}
}

// ---- the curves themselves -------------------------------------------------------------------------------------

static void run_plume_beta(struct risk_run *r)
{
	double beta[BM_PLUME_CURVES], alpha = risk_num(r, "alpha");
	bm_plume_beta(alpha, risk_choice(r, "print") == 1, beta);
	warn_alpha(r, alpha, -1, 1);
	for (int i = 0; i < BM_PLUME_CURVES; i++) {
		risk_out_named(r, beta[i], "beta_%g", bm_plume_ratio[i]);
	}
}

static void run_puff_beta(struct risk_run *r)
{
	double beta[BM_PUFF_CURVES], alpha = risk_num(r, "alpha");
	bm_puff_beta(alpha, beta);
	warn_alpha(r, alpha, -1, 1);
	for (int i = 0; i < BM_PUFF_CURVES; i++) {
		risk_out_named(r, beta[i], "beta_%g", bm_puff_ratio[i]);
	}
}

static const char *const menu_print[] = { "hse", "ccps", NULL };
#define IN_PRINT { .name = "print", .kind = RISK_MENU, .menu = menu_print, .opt = true, .zh = "0.005 曲线版本", .en = "slope of the 0.005 curve", \
	.note = { "hse 为 -0.48；ccps 为 CCPS 1999 印本的 -0.49", "hse -0.48; ccps as printed in CCPS 1999, -0.49" } }
static const struct risk_input in_plume_beta[] = { IN_NUM("alpha", "", "α", "alpha", -5, 5), IN_PRINT, IN_END };
static const struct risk_input in_puff_beta[] = { IN_NUM("alpha", "", "α", "alpha", -5, 5), IN_END };
static const struct risk_output out_beta[] = { { "beta_*", "", "该浓度比的 β", "beta of this ratio Cm/C0" }, { 0 } };
static const struct risk_alias alias_plume_beta[] = { { "Britter-McQuaid plume correlation*", NULL, NULL }, { 0 } };
static const struct risk_alias alias_puff_beta[] = { { "Britter-McQuaid puff correlation*", NULL, NULL }, { 0 } };
#define BM_SOURCE "Britter & McQuaid, Workbook on the Dispersion of Dense Gases, HSE CRR 17/1988; CCPS 1999"
const struct risk_model model_plume_beta = { "britter-mcquaid-plume-beta", "重气烟羽关联曲线", "Britter-McQuaid plume curves", BM_SOURCE,
	{ "-1 ≤ α ≤ 1", "-1 <= alpha <= 1" }, in_plume_beta, out_beta, alias_plume_beta, NULL, run_plume_beta };
const struct risk_model model_puff_beta = { "britter-mcquaid-puff-beta", "重气烟团关联曲线", "Britter-McQuaid puff curves", BM_SOURCE,
	{ "-1 ≤ α ≤ 1", "-1 <= alpha <= 1" }, in_puff_beta, out_beta, alias_puff_beta, NULL, run_puff_beta };

// ---- plume -----------------------------------------------------------------------------------------------------------

struct bm {
	double v, g0, alpha, d, u, t_source, t_air;
	bool steep;
};

static double bm_at(const struct bm *b, double x)
{
	return bm_warm(bm_plume_ratio_at(b->alpha, b->steep, x / b->d), b->t_source, b->t_air);
}

static bool read_bm(struct risk_run *r, struct bm *b)
{
	double rho = risk_num(r, "rho_gas"), rate;
	b->t_source = risk_num(r, "T_gas");
	b->t_air = risk_num(r, "T_air");
	b->u = risk_num(r, "u10");
	b->steep = risk_choice(r, "print") == 1;
	if (risk_given(r, "Q")) {
		rate = risk_num(r, "Q");
	} else if (risk_given(r, "liquid_rate") && risk_given(r, "rho_liq")) {
		rate = risk_num(r, "liquid_rate") * risk_num(r, "rho_liq");
	} else {
		risk_fail(r, "Q", "应给出 Q，或 liquid_rate 与 rho_liq", "Q is needed, or liquid_rate and rho_liq");
		return false;
	}
	double rho_a = air_density(b->t_air);
	if (rho <= rho_a) {
		risk_fail(r, "rho_gas", "气体密度 %.4g 不大于空气密度 %.4g kg/m3",
			"the gas (%.4g) is not heavier than the air (%.4g kg/m3)", rho, rho_a);
		return false;
	}
	b->v = rate / rho;
	b->g0 = BM_GRAVITY * (rho - rho_a) / rho_a;
	b->d = sqrt(b->v / b->u);
	b->alpha = 0.2 * log10(b->g0 * b->g0 * b->v * pow(b->u, -5));
	warn_alpha(r, b->alpha, -1, 1);
	if (cbrt(b->g0 * b->v / (b->u * b->u * b->u * b->d)) < 0.15) {
		risk_warn(r, "重气效应判据 < 0.15，可按中性气体计算", "the criterion for dense gas is below 0.15; the release is passive");
	}
	return true;
}

static void run_bm_plume(struct risk_run *r)
{
	struct bm b;
	size_t n = 0;
	if (!read_bm(r, &b)) {
		return;
	}
	for (int i = 1; i <= 3; i++) {
		char name[4] = { 'x', (char)('0' + i), 0 };
		if (risk_given(r, name)) {
			risk_out_named(r, bm_at(&b, risk_num(r, name)), "c%d", i);
			n++;
		}
	}
	size_t k;
	const double *xs = risk_list(r, "x", &k);
	double *c = arena_many(r->arena, k + 1, double), *half = arena_many(r->arena, k + 1, double);
	double lb = b.v * b.g0 / (b.u * b.u * b.u);
	for (size_t i = 0; i < k; i++) {
		c[i] = bm_at(&b, xs[i]);
		half[i] = b.d + 8 * lb + 2.5 * cbrt(lb * xs[i] * xs[i]);
		risk_out_named(r, c[i], "c_%gm", xs[i]);
	}
	if (k) {
		risk_out_list(r, "c", c, k);
		risk_out_list(r, "half_width", half, k);
	}
	if (risk_given(r, "threshold")) {
		double iso = bm_warm_inverse(risk_num(r, "threshold"), b.t_source, b.t_air);
		risk_out(r, "distance", b.d * bm_plume_x_of(b.alpha, b.steep, iso));
		n++;
	}
	if (!n && !k) {
		risk_fail(r, "x", "应给出 x、x1…x3 或 threshold", "x, x1 … x3 or threshold is needed");
		return;
	}
	risk_out(r, "alpha", b.alpha);
	risk_out(r, "D", b.d);
	risk_out(r, "upwind", b.d / 2 + 2 * lb);
}

#define IN_X(n) IN_OPT(n, "m", "下风距离", "distance downwind", 0.1, 1e5, NAN)
static const struct risk_input in_bm_plume[] = {
	IN_OPT("Q", "kg/s", "释放速率", "release rate", 1e-3, 1e5, NAN),
	IN_OPT("liquid_rate", "m3/s", "液体流量", "liquid rate, instead of Q", 1e-6, 1e3, NAN),
	IN_OPT("rho_liq", "kg/m3", "液体密度", "liquid density", 1, 3000, NAN),
	IN_NUM("rho_gas", "kg/m3", "气体密度（源）", "density of the gas at the source", 0.1, 100),
	IN_OPT("T_gas", "K", "气体温度（源）", "temperature at the source", 20, 2000, 298.15),
	IN_OPT("T_air", "K", "气温", "air temperature", 200, 340, 298.15),
	IN_NUM("u10", "m/s", "10 m 高风速", "wind speed at 10 m", 0.1, 60),
	IN_LIST_OPT("x", "m", "下风距离", "distances downwind", 0.1, 1e5, { 0 }), IN_X("x1"), IN_X("x2"), IN_X("x3"),
	IN_OPT("threshold", "vol frac", "阈值", "threshold, for the distance", 1e-9, 0.99, NAN), IN_PRINT,
	IN_TEXT_OPT("temperature_correction", "温度修正式", "temperature correction", { "总按 c/(c+(1-c)Tr/Ta)", "always c/(c+(1-c)Tr/Ta)" }), IN_END,
};
static const struct risk_output out_bm_plume[] = {
	{ "c_*", "vol frac", "该处浓度", "concentration there" }, { "c1", "vol frac", "x1 处浓度", "at x1" },
	{ "c2", "vol frac", "x2 处浓度", "at x2" },
	{ "c3", "vol frac", "x3 处浓度", "at x3" }, { "c", "vol frac", "各处浓度", "concentrations at x" },
	{ "half_width", "m", "半宽", "half widths at x" },
	{ "distance", "m", "达到阈值的距离", "distance of the threshold" }, { "alpha", "", "α", "alpha" },
	{ "D", "m", "特征长度", "length scale (V/u)^0.5" },
	{ "upwind", "m", "上风扩展", "extent upwind" }, { 0 },
};
static const struct risk_alias alias_bm_plume[] = { { "Britter-McQuaid continuous dense plume*", NULL, NULL },
	{ "Britter-McQuaid plume*", NULL, NULL }, { 0 } };
const struct risk_model model_bm_plume = { "britter-mcquaid-plume", "重气烟羽（Britter-McQuaid）", "dense plume (Britter-McQuaid)", BM_SOURCE,
	{ "重于空气，地面释放，平坦无障碍，u t/x ≥ 2.5；不满足重气判据时给出警告", "heavier than air, at the ground, flat and unobstructed, u t/x >= 2.5; the criterion is given as a warning" }, in_bm_plume,
	out_bm_plume, alias_bm_plume, NULL, run_bm_plume };

// ---- puff ---------------------------------------------------------------------------------------------------------------

static void run_bm_puff(struct risk_run *r)
{
	double v0 = risk_num(r, "V0"), rho = risk_num(r, "rho0"), u = risk_num(r, "u10"), t_air = risk_num(r, "T_air"),
	rho_a = air_density(t_air);
	if (rho <= rho_a) {
		risk_fail(r, "rho0", "气体密度 %.4g 不大于空气密度 %.4g kg/m3", "the gas (%.4g) is not heavier than the air (%.4g kg/m3)",
			rho, rho_a);
		return;
	}
	double t_gas = risk_given(r, "T_gas") ? risk_num(r, "T_gas") : t_air, size = cbrt(v0), r0 = cbrt(3 * v0 / (4 * M_PI));
	double g0 = BM_GRAVITY * (rho - rho_a) / rho_a, alpha = 0.5 * log10(g0 * size / (u * u));
	warn_alpha(r, alpha, -1, 1);
	if (sqrt(g0 * v0) / (u * pow(v0, 1.0 / 3)) < 0.20) {
		risk_warn(r, "重气效应判据 < 0.20，可按中性气体计算", "the criterion for dense gas is below 0.20; the release is passive");
	}
	size_t n;
	const double *ts = risk_list(r, "t", &n);
	double *c = arena_many(r->arena, n, double), *x = arena_many(r->arena, n, double), *rad = arena_many(r->arena, n, double);
	for (size_t i = 0; i < n; i++) {
		rad[i] = sqrt(r0 * r0 + 1.2 * ts[i] * sqrt(g0 * v0));
		x[i] = 0.4 * u * ts[i] + rad[i];
		c[i] = risk_num(r, "c0") * bm_warm(bm_puff_ratio_at(alpha, x[i] / size), t_gas, t_air);
		risk_out_named(r, c[i], "c_%gs", ts[i]);
	}
	risk_out_list(r, "c", c, n);
	risk_out_list(r, "x", x, n);
	risk_out_list(r, "radius", rad, n);
	risk_out(r, "alpha", alpha);
}

static const struct risk_input in_bm_puff[] = {
	IN_NUM("V0", "m3", "初始体积", "initial volume", 1e-2, 1e7), IN_NUM("rho0", "kg/m3", "初始密度", "initial density", 0.1, 100),
	IN_OPT("c0", "vol frac", "初始体积分数", "initial volume fraction", 1e-6, 1, 1),
	IN_NUM("u10", "m/s", "10 m 高风速", "wind speed at 10 m", 0.1, 60),
	IN_OPT("T_air", "K", "气温", "air temperature", 200, 340, 298.15),
	IN_OPT("T_gas", "K", "气体温度", "temperature of the gas; as the air", 20, 2000, NAN),
	IN_LIST("t", "s", "时间", "times after the release", 0.1, 1e6), IN_END,
};
static const struct risk_output out_bm_puff[] = {
	{ "c_*", "vol frac", "该时刻云团前缘浓度", "concentration at the front at this time" }, { "c", "vol frac", "浓度", "concentrations" },
	{ "x", "m", "前缘距离", "distance of the front" }, { "radius", "m", "云团半径", "radius of the cloud" },
	{ "alpha", "", "α", "alpha" }, { 0 },
};
static const struct risk_alias alias_bm_puff[] = { { "Britter-McQuaid instantaneous dense puff*", NULL, NULL },
	{ "Britter-McQuaid puff*", NULL, NULL }, { 0 } };
const struct risk_model model_bm_puff = { "britter-mcquaid-puff", "重气烟团（Britter-McQuaid）", "dense puff (Britter-McQuaid)",
	BM_SOURCE "; front x = 0.4 u t + r",
	{ "重于空气，u t/x ≤ 0.6", "heavier than air, u t/x <= 0.6" }, in_bm_puff, out_bm_puff, alias_bm_puff, NULL, run_bm_puff };

// ---- is it dense, is it continuous ----------------------------------------------------------------------------------------

static void run_criterion(struct risk_run *r)
{
	double rho = risk_num(r, "rho_gas"), rho_a = air_density(risk_num(r, "T_air")), u = risk_num(r, "u10"),
	g0 = BM_GRAVITY * (rho - rho_a) / rho_a;
	bool dense = false;
	if (risk_given(r, "Q")) {
		double v = risk_num(r, "Q") / rho, d = sqrt(v / u), value = g0 > 0 ? cbrt(g0 * v / (u * u * u * d)) : 0;
		dense = value >= 0.15;
		risk_out(r, "continuous", value);
	}
	if (risk_given(r, "m")) {
		double v = risk_num(r, "m") / rho, value = g0 > 0 ? sqrt(g0 * v) / (u * cbrt(v)) : 0;
		dense = dense || value >= 0.20;
		risk_out(r, "instantaneous", value);
	}
	risk_out_text(r, "dense", str_of(dense ? "yes" : "no"));
	if (risk_given(r, "duration") && risk_given(r, "x")) {
		double k = u * risk_num(r, "duration") / risk_num(r, "x");
		risk_out_text(r, "kind", str_of(k >= 2.5 ? "continuous" : k <= 0.6 ? "instantaneous" : "between"));
	}
}

static const struct risk_input in_criterion[] = {
	IN_NUM("rho_gas", "kg/m3", "气体密度（源）", "density of the gas at the source", 0.01, 100),
	IN_OPT("T_air", "K", "气温", "air temperature", 200, 340, 298.15),
	IN_NUM("u10", "m/s", "10 m 高风速", "wind speed at 10 m", 0.1, 60), IN_OPT("Q", "kg/s", "释放速率", "release rate", 1e-4, 1e5, NAN),
	IN_OPT("m", "kg", "瞬时释放量", "mass released at once", 1e-3, 1e8, NAN),
	IN_OPT("duration", "s", "释放时间", "duration", 0.1, 1e6, NAN), IN_X("x"), IN_END,
};
static const struct risk_output out_criterion[] = {
	{ "continuous", "", "连续释放判据（≥0.15 为重气）", "criterion, continuous (dense from 0.15)" },
	{ "instantaneous", "", "瞬时释放判据（≥0.20 为重气）", "criterion, instantaneous (dense from 0.20)" },
	{ "dense", "", "是否重气", "whether a dense-gas model is needed" },
	{ "kind", "", "连续或瞬时", "continuous (u t/x >= 2.5) or instantaneous (<= 0.6)" }, { 0 },
};
const struct risk_model model_criterion = { "dense-gas-criterion", "重气判据", "criterion for dense gas", BM_SOURCE, { 0 }, in_criterion,
	out_criterion, CALLED(AS("dense gas criterion*"), AS("Britter-McQuaid criterion*")), NULL, run_criterion };

// ---- turbulent jet -----------------------------------------------------------------------------------------------------------

static void run_jet(struct risk_run *r)
{
	double d = risk_num(r, "d"), z = risk_num(r, "x"), off = risk_num(r, "r"), rho_a = air_density(risk_num(r, "T_air"));
	double axis = 6 * d / z * sqrt(rho_a / risk_num(r, "rho0"));
	risk_out(r, "ratio", fmin(axis, 1) * exp(-pow(5 * off / z, 2)));
	if (axis > 1) {
		risk_warn(r, "距出口过近，轴线浓度按初始浓度计", "so near the exit the axis has the initial concentration");
	}
}

static const struct risk_input in_jet[] = {
	IN_NUM("d", "m", "出口直径", "exit diameter", 1e-4, 5), IN_NUM("x", "m", "沿轴距离", "distance along the axis", 1e-3, 1000),
	IN_OPT("r", "m", "离轴距离", "distance from the axis", 0, 500, 0),
	IN_NUM("rho0", "kg/m3", "出口密度", "density at the exit", 0.01, 100),
	IN_OPT("T_air", "K", "气温", "air temperature", 200, 340, 298.15), IN_END,
};
static const struct risk_output out_jet[] = { { "ratio", "", "C/C0", "C/C0" }, { 0 } };
const struct risk_model model_jet = { "turbulent-jet", "湍流射流", "turbulent jet",
	"Lees, Loss Prevention: C/C0 = 6 (d/z) sqrt(rho_a/rho_0) exp(-(5 r/z)^2)",
	{ "静止空气中的动量射流", "momentum jet in still air" }, in_jet, out_jet,
	CALLED(AS("turbulent jet*"), AS("turbulent free jet*")), NULL, run_jet };
