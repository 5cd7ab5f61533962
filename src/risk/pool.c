// Evaporation and spreading of pools. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

static const struct risk_output out_evap[] = {
	{ "mdot", "kg/s", "蒸发速率", "rate of evaporation" }, { "flux", "kg/m2/s", "单位面积蒸发速率", "per area" },
	{ "Km", "m/s", "传质系数", "mass transfer coefficient" },
	{ "LFA", "", "液体系数", "liquid factor ambient (lb/min/ft2 at 1 m/s)" }, { "t", "s", "时间", "times" },
	{ "rate", "kg/s", "速率", "rates" }, { "mass", "kg", "累计量", "mass evaporated" },
	{ "area", "m2", "面积", "areas" }, { 0 },
};

static bool vapour_ok(struct risk_run *r, double pv, double p0)
{
	if (pv >= p0) {
		risk_fail(r, "Pv", "蒸气压不低于环境压力：按沸腾液池计算",
			"the vapour pressure is not below the ambient pressure: the pool boils, use boiling-pool");
	}
	return !risk_failed(r);
}

// ---- Casal ---------------------------------------------------------------------------------------------------------

static void run_casal(struct risk_run *r)
{
	double rad = risk_num(r, "D_pool") / 2, p0 = risk_num(r, "P0"), pv = risk_num(r, "Pv");
	if (!vapour_ok(r, pv, p0)) {
		return;
	}
	double above = fmax(pv - risk_num(r, "Pa"), 0);
	if (above <= 0) {
		risk_warn(r, "空气中该蒸气已达饱和，不再蒸发", "the air is saturated with this vapour: nothing evaporates");
	}
	double flux = 2e-3 * pow(risk_num(r, "u"), 0.78) * pow(rad, -0.11) * risk_num(r, "M") / 1000 * p0 / (GAS_CONSTANT * risk_num(r, "T"))
		* log(1 + above / (p0 - pv));
	risk_out(r, "flux", flux);
	risk_out(r, "mdot", flux * M_PI * rad * rad);
}

#define IN_POOL_AIR IN_WIND, IN_NUM("T", "K", "液池温度", "temperature of the pool", 100, 600), \
	IN_NUM("Pv", "Pa", "蒸气压", "vapour pressure", 1e-3, 1e6), \
	IN_REMARK("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500), IN_OPT("P0", "Pa", "环境压力", "ambient pressure", 3e4, 2e5, ATM)
static const struct risk_input in_casal[] = {
	IN_NUM("D_pool", "m", "液池直径", "diameter of the pool", 0.05, 500), IN_POOL_AIR,
	IN_OPT("Pa", "Pa", "空气中分压", "partial pressure in the air", 0, 1e5, 0), IN_END,
};
static const struct risk_alias alias_casal[] = { { "non-boiling pool evaporation*", NULL, NULL },
	{ "pool evaporation (Casal)*", NULL, NULL }, { 0 } };
const struct risk_model model_casal = { "pool-evaporation", "液池蒸发（非沸腾）", "evaporation of a volatile pool",
	"Casal 2008, 2.9: m = 2e-3 u^0.78 r^-0.11 (M P0/RT) ln(1+(Pv-Pa)/(P0-Pv)) A",
	{ "低于沸点", "below the boiling point" }, in_casal, out_evap, alias_casal, NULL, run_casal };

// ---- Mackay and Matsugu ------------------------------------------------------------------------------------------------

static void run_mackay(struct risk_run *r)
{
	double z = risk_num(r, "length"), area = risk_num(r, "area"), p0 = risk_num(r, "P0"), pv = risk_num(r, "Pv");
	if (!vapour_ok(r, pv, p0)) {
		return;
	}
	double km = 0.0048 * pow(risk_num(r, "u"), 7.0 / 9) * pow(z, -1.0 / 9) * pow(risk_num(r, "Sc"), -2.0 / 3);
	double flux = km * risk_num(r, "M") / 1000 * pv / (GAS_CONSTANT * risk_num(r, "T")) * -(p0 / pv) * log(1 - pv / p0);
	risk_out(r, "Km", km);
	risk_out(r, "flux", flux);
	risk_out(r, "mdot", flux * area);
}

static const struct risk_input in_mackay[] = {
	IN_NUM("length", "m", "沿风向长度", "length of the pool along the wind", 0.05, 500),
	IN_NUM("area", "m2", "液池面积", "area", 1e-3, 1e6), IN_POOL_AIR,
	IN_OPT("Sc", "", "施密特数", "Schmidt number of the vapour in air", 0.2, 10, 0.8), IN_END,
};
const struct risk_model model_mackay = { "pool-evaporation-mackay", "液池蒸发（Mackay-Matsugu）", "evaporation (Mackay & Matsugu)",
	"Mackay & Matsugu 1973 [M]: Km = 0.0048 u^(7/9) Z^(-1/9) Sc^(-2/3); factor -(P/Pv) ln(1-Pv/P) for volatile liquids",
	{ "低于沸点", "below the boiling point" }, in_mackay, out_evap, CALLED(AS("Mackay*")), NULL, run_mackay };

// ---- HJ 169 / Sutton -----------------------------------------------------------------------------------------------------

static void run_sutton(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "sutton");
	if (!t) {
		return;
	}
	static const char *const rows[6] = { "A", "B", "C", "D", "E", "F" };
	int row = risk_table_row(t, "stability", str_of(rows[risk_choice(r, "stability")]));
	double n = row < 0 ? NAN : risk_table_num(t, (size_t)row, "n"), a = row < 0 ? NAN : risk_table_num(t, (size_t)row, "a");
	double m = a * risk_num(r, "Pv") * risk_num(r, "M") / 1000 / (GAS_CONSTANT * risk_num(r, "T")) * pow(risk_num(r, "u"), (2 - n) / (2 + n))
		* pow(risk_num(r, "radius"), (4 + n) / (2 + n));
	risk_out(r, "mdot", m);
}

static const struct risk_input in_sutton[] = { IN_NUM("radius", "m", "液池半径", "radius of the pool", 0.05, 500), IN_POOL_AIR,
	IN_STABILITY, IN_END };
const struct risk_model model_sutton = { "pool-evaporation-hj169", "质量蒸发（HJ 169）", "evaporation by mass transfer (HJ 169)",
	"HJ 169-2018 annex F, after Sutton [M]", { "低于沸点", "below the boiling point" },
	in_sutton, out_evap, CALLED(AS("Sutton*"), AS("HJ 169 evaporation*")), "sutton", run_sutton };

// ---- Crowl and Louvar; EPA ---------------------------------------------------------------------------------------------------

static void run_crowl(struct risk_run *r)
{
	double m = risk_num(r, "M"), k = 0.83e-2 * cbrt(18 / m), flux = m / 1000 * k * risk_num(r, "Pv") / (GAS_CONSTANT * risk_num(r, "T"));
	risk_out(r, "Km", k);
	risk_out(r, "flux", flux);
	risk_out(r, "mdot", flux * risk_num(r, "area"));
}

static const struct risk_input in_crowl[] = {
	IN_NUM("area", "m2", "面积", "area", 1e-4, 1e6), IN_NUM("T", "K", "温度", "temperature", 100, 600),
	IN_NUM("Pv", "Pa", "蒸气压", "vapour pressure", 1e-3, 1e6), IN_REMARK("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500), IN_END,
};
const struct risk_model model_crowl = { "evaporation-still", "静止空气蒸发（Crowl-Louvar）", "evaporation into still air (Crowl & Louvar)",
	"Crowl & Louvar 3-18: K = 0.83 cm/s (18/M)^(1/3)", { "低蒸气压，室内", "low vapour pressure, indoors" },
	in_crowl, out_evap, CALLED(AS("Crowl-Louvar evaporation*"), AS("evaporation into still air*")), NULL, run_crowl };

static void run_lfa(struct risk_run *r)
{
	double t = risk_num(r, "T"), lfa = 0.284 * pow(risk_num(r, "MW"), 2.0 / 3) * risk_num(r, "VP") / (82.05 * t);
	risk_out(r, "LFA", lfa);
	if (risk_given(r, "area_ft2")) { // 1.4 is 1.5^0.78, the worst case wind
		risk_out(r, "mdot", lfa * pow(risk_num(r, "U"), 0.78) * risk_num(r, "area_ft2") * 0.45359237 / 60);
	}
}

static const struct risk_input in_lfa[] = {
	IN_REMARK("MW", "kg/kmol", "摩尔质量", "molar mass", 1, 1000), IN_NUM("VP", "mmHg", "蒸气压", "vapour pressure", 1e-6, 760),
	IN_OPT("U", "m/s", "风速", "wind speed", 0.1, 60, 1.5),
	IN_OPT("T", "K", "温度", "temperature", 200, 400, 298), IN_OPT("area_ft2", "ft2", "液池面积", "area of the pool, for the rate",
		1e-3, 1e8, NAN), IN_END,
};
static const struct risk_alias alias_lfa[] = { { "EPA liquid factor ambient*", NULL, NULL }, { 0 } };
const struct risk_model model_lfa = { "epa-lfa", "EPA 液体系数 LFA", "EPA liquid factor ambient",
	"EPA RMP OCA Guidance appendix D: LFA = 0.284 MW^(2/3) VP/(82.05 T)", { "低于沸点", "below the boiling point" }, in_lfa, out_evap, alias_lfa, NULL,
	run_lfa };

// ---- boiling on the ground -----------------------------------------------------------------------------------------------------

static void run_boiling(struct risk_run *r)
{
	enum { POINTS = 30 };
	int row = risk_need_row(r, "ground", "ground", "ground");
	if (row < 0) {
		return;
	}
	const struct risk_table *t = risk_need_table(r, "ground");
	double lam = risk_table_num(t, (size_t)row, "lambda"), a = risk_table_num(t, (size_t)row, "alpha"),
	dt = risk_num(r, "T_ground") - risk_num(r, "Tb"), until = risk_num(r, "t");
	if (dt <= 0) {
		risk_fail(r, "T_ground", "地面不高于沸点，不沸腾", "the ground is not warmer than the boiling point");
		return;
	}
	double scale = lam * risk_num(r, "area") * dt / (risk_num(r, "dHv") * sqrt(M_PI * a)), ts[POINTS], rates[POINTS];
	for (int i = 0; i < POINTS; i++) {
		ts[i] = until * (i + 1) / POINTS;
		rates[i] = scale / sqrt(ts[i]);
	}
	risk_out(r, "mdot", scale / sqrt(until));
	risk_out(r, "mass", 2 * scale * sqrt(until));
	risk_out_list(r, "t", ts, POINTS);
	risk_out_list(r, "rate", rates, POINTS);
}

static const struct risk_input in_boiling[] = {
	IN_NUM("area", "m2", "液池面积", "area", 1e-3, 1e6), IN_NUM("T_ground", "K", "地面温度", "temperature of the ground", 200, 350),
	IN_NUM("Tb", "K", "沸点", "boiling point", 4, 350),
	IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 5e6), IN_NUM("t", "s", "时间", "time since the spill", 0.1, 1e6),
	IN_TEXT("ground", "地面（见数据表 ground）", "ground, of the table ground"), IN_END,
};
const struct risk_model model_boiling = { "boiling-pool", "沸腾液池（地面导热）", "boiling pool, heat from the ground",
	"HJ 169 / AQ/T 3046: Q = lambda S (Tg - Tb)/(H sqrt(pi a t))", { "地面上的低温或液化气体", "cryogenic or liquefied gas on ground" },
	in_boiling, out_evap, CALLED(AS("boiling pool*"), AS("pool boiling on*")), "ground", run_boiling };

// ---- spreading --------------------------------------------------------------------------------------------------------------------

static void run_spread(struct risk_run *r)
{
	enum { POINTS = 30 };
	double v = risk_num(r, "Q") / risk_num(r, "rho"), until = risk_num(r, "t"), thin = risk_num(r, "depth_min"),
	bund = risk_num(r, "bund"), ts[POINTS], as[POINTS];
	for (int i = 0; i < POINTS; i++) {
		ts[i] = until * (i + 1) / POINTS;
		double free_area = M_PI / 4 * sqrt(2048.0 / 81 * v * ts[i] * ts[i] * ts[i]);
		as[i] = fmin(fmin(free_area, v * ts[i] / thin), isfinite(bund) ? bund : HUGE_VAL);
	}
	risk_out(r, "A", as[POINTS - 1]);
	risk_out(r, "D", sqrt(4 / M_PI * as[POINTS - 1]));
	risk_out(r, "depth", v * until / as[POINTS - 1]);
	risk_out_list(r, "t", ts, POINTS);
	risk_out_list(r, "area", as, POINTS);
}

static const struct risk_input in_spread[] = {
	IN_NUM("Q", "kg/s", "流入速率", "rate into the pool", 1e-4, 1e5), IN_NUM("rho", "kg/m3", "液体密度", "density", 10, 20000),
	IN_NUM("t", "s", "时间", "time", 0.1, 1e6),
	IN_OPT("depth_min", "m", "最小液层厚度", "least depth", 1e-4, 1, 0.005),
	IN_OPT("bund", "m2", "防火堤面积", "area of the bund", 0.1, 1e7, NAN), IN_END,
};
static const struct risk_output out_spread[] = { { "A", "m2", "液池面积", "area" }, { "D", "m", "当量直径", "equivalent diameter" },
	{ "depth", "m", "液层厚度", "mean depth" }, { "t", "s", "时间", "times" }, { "area", "m2", "面积", "areas" }, { 0 } };
const struct risk_model model_spread = { "pool-spread", "液池扩展", "spreading of a pool",
	"Woodward 1998, 4.38: A = pi/4 sqrt(2048/81 (Q/rho) t^3); least depth 5 mm (concrete) … 25 mm (rough soil)",
	{ "平地上的连续泄漏", "continuous release on level ground" },
	in_spread, out_spread, CALLED(AS("pool spread*"), AS("unconfined pool spread*")), NULL, run_spread };
