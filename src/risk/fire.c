// Pool fires, jet fires, flares, and what radiation does on the way. Entered in models.c. Pure; any thread.
#include "risk/fire.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

void view_cylinder(double h, double s, double *v, double *hor)
{
	double b = (1 + s * s) / (2 * s), a = (h * h + s * s + 1) / (2 * s), ra = sqrt(a * a - 1), rb = sqrt(b * b - 1);
	double ta = atan(sqrt((a + 1) * (s - 1) / ((a - 1) * (s + 1)))), tb = atan(sqrt((b + 1) * (s - 1) / ((b - 1) * (s + 1))));
	*v = atan(h / sqrt(s * s - 1)) / (M_PI * s) - h / (M_PI * s) * atan(sqrt((s - 1) / (s + 1))) + a * h / (M_PI * s * ra) * ta;
	*hor = (b - 1 / s) / (M_PI * rb) * tb - (a - 1 / s) / (M_PI * ra) * ta;
}

void view_tilted(double h, double s, double tilt, double *v, double *hor)
{
	enum { ROUND = 180, UP = 120 };
	double sum_v = 0, sum_h = 0, lean = tan(tilt), height = h * cos(tilt);
	for (int i = 0; i < ROUND; i++) {
		double phi = 2 * M_PI * (i + 0.5) / ROUND;
		for (int k = 0; k < UP; k++) {
			// sheared cylinder: circles stay level; the surface element is that of its sides
			double z = height * (k + 0.5) / UP, x = cos(phi) + z * lean, y = sin(phi), dx = s - x, r2 = dx * dx + y * y + z * z;
			double nx = cos(phi), ny = sin(phi), nz = -cos(phi) * lean, facing = nx * dx - ny * y - nz * z;
			if (facing <= 0) {
				continue;
			}
			double da = facing * (2 * M_PI / ROUND) * (height / UP) / (M_PI * r2 * r2);
			sum_v += dx > 0 ? da * dx : 0;
			sum_h += da * z;
		}
	}
	*v = sum_v;
	*hor = sum_h;
}

static double vapour_pressure(double rh, double t)
{
	return rh / 100 * exp(23.18986 - 3816.42 / (t - 46.13));
}

double transmissivity(double rh, double t, double x)
{
	double px = vapour_pressure(rh, t) * x;
	if (px <= 0) {
		return 1;
	}
	return fmin(px < 1e4 ? 1.53 * pow(px, -0.06) : px <= 1e5 ? 2.02 * pow(px, -0.09) : 2.85 * pow(px, -0.12), 1);
}

// ---- view factors, transmissivity, point source ------------------------------------------------------------------

static void run_view(struct risk_run *r)
{
	double h = risk_num(r, "h"), s = risk_num(r, "S"), tilt = risk_num(r, "tilt") * M_PI / 180, fv, fh;
	if (s <= 1.0001 || s <= 1.0001 + h * sin(fmax(tilt, 0))) {
		risk_fail(r, "S", "目标在火焰内或火焰下", "the target is inside or below the flame");
		return;
	}
	tilt == 0 ? view_cylinder(h, s, &fv, &fh) : view_tilted(h, s, tilt, &fv, &fh);
	risk_out(r, "Fv", fv);
	risk_out(r, "Fh", fh);
	risk_out(r, "Fmax", hypot(fv, fh));
}

static const struct risk_input in_view[] = {
	IN_NUM("h", "", "高径比 H/R", "length by radius", 0.01, 1000), IN_NUM("S", "", "距离比 X/R（到轴线）",
		"distance from the axis by radius", 1, 1e4),
	IN_OPT("tilt", "deg", "倾角（朝向目标为正）", "tilt towards the target", -80, 80, 0), IN_END,
};
static const struct risk_output out_view[] = { { "Fv", "", "垂直目标视角系数", "vertical target" },
	{ "Fh", "", "水平目标视角系数", "horizontal target" }, { "Fmax", "", "最大视角系数", "highest" }, { 0 } };
static const struct risk_alias alias_view[] = { { "view factor ground target <- vertical cylinder*", NULL, NULL }, { 0 } };
const struct risk_model model_view = { "view-factor-cylinder", "圆柱火焰视角系数", "view factor of a cylinder",
	"Sparrow; Mudan; SFPE handbook (upright); surface integral (tilted)", { "目标位于地面", "target at ground level" },
	in_view, out_view, alias_view, NULL, run_view };

static void run_tau(struct risk_run *r)
{
	double x = risk_num(r, "x"), rh = risk_num(r, "RH"), t = risk_num(r, "T");
	risk_out(r, "tau", transmissivity(rh, t, x));
	risk_out(r, "tau_aqt", num_clamp(1 - 0.058 * log(fmax(x, 1)), 0, 1));
	risk_out(r, "Pw", vapour_pressure(rh, t));
}

#define IN_HUMID IN_OPT("RH", "%", "相对湿度", "relative humidity", 0, 100, 50), IN_OPT("T", "K", "气温", "air temperature", 220, 330, 293.15)
static const struct risk_input in_tau[] = { IN_NUM("x", "m", "距离", "distance", 0.1, 1e5), IN_HUMID, IN_END };
static const struct risk_output out_tau[] = { { "tau", "", "大气透射率", "transmissivity" },
	{ "tau_aqt", "", "大气透射率（AQ/T 3046）", "transmissivity, 1 - 0.058 ln x" },
	{ "Pw", "Pa", "水蒸气分压", "partial pressure of water" }, { 0 } };
const struct risk_model model_tau = { "transmissivity", "大气透射率", "transmissivity of the air",
	"CCPS 1999: 2.02 (Pw x)^-0.09 from 1e4 to 1e5 Pa m, 1.53 (..)^-0.06 below, 2.85 (..)^-0.12 above; AQ/T 3046", { 0 },
	in_tau, out_tau, CALLED(AS("atmospheric transmissivity*")), NULL, run_tau };

static void run_point(struct risk_run *r)
{
	double x = risk_num(r, "x"), tau = risk_given(r, "tau") ? risk_num(r, "tau") : transmissivity(risk_num(r, "RH"), risk_num(r, "T"), x);
	risk_out(r, "tau", tau);
	risk_out(r, "q", risk_num(r, "fraction") * risk_num(r, "m") * risk_num(r, "dHc") * tau / (4 * M_PI * x * x));
}

static const struct risk_input in_point[] = {
	IN_NUM("m", "kg/s", "燃烧速率", "burning rate", 1e-6, 1e5), IN_NUM("dHc", "kJ/kg", "燃烧热", "heat of combustion", 100, 2e5),
	IN_OPT("fraction", "", "辐射分数", "part radiated", 0.01, 1, 0.3), IN_NUM("x", "m", "距离", "distance", 0.1, 1e5),
	IN_OPT("tau", "", "透射率", "transmissivity; absent: by humidity", 0, 1, NAN), IN_HUMID, IN_END,
};
static const struct risk_output out_q[] = { { "q", "kW/m2", "热辐射", "radiation" }, { "tau", "", "透射率", "transmissivity" }, { 0 } };
const struct risk_model model_point = { "point-source", "点源热辐射", "point source radiation", "q = f m dHc tau/(4 pi x2)",
	{ "约三倍火焰长度以外", "beyond about three flame lengths" }, in_point, out_q, CALLED(AS("point source*")), NULL, run_point };

// ---- burning rate ------------------------------------------------------------------------------------------------------

static void run_burning(struct risk_run *r)
{
	double dhc = risk_num(r, "dHc"), tb = risk_num(r, "Tb"), ta = risk_num(r, "Ta"),
	heat = risk_num(r, "dHv") + (tb > ta ? risk_num(r, "Cp") * (tb - ta) : 0);
	risk_out(r, "m", 0.001 * dhc / heat);
	risk_out(r, "y", 1.27e-6 * dhc / heat);
}

static const struct risk_input in_burning[] = {
	IN_NUM("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5),
	IN_NUM("dHv", "kJ/kg", "汽化热", "heat of vaporisation", 10, 3000), IN_NUM("Cp", "kJ/kg/K", "液体比热", "heat capacity", 0.2, 20),
	IN_NUM("Tb", "K", "沸点", "boiling point", 15, 800), IN_OPT("Ta", "K", "气温", "air temperature", 220, 330, 298.15), IN_END,
};
static const struct risk_output out_burning[] = { { "m", "kg/m2/s", "燃烧速率", "burning rate" },
	{ "y", "m/s", "液面下降速率", "regression rate (Burgess)" }, { 0 } };
const struct risk_model model_burning = { "burning-rate", "液池燃烧速率", "burning rate of a pool",
	"AQ/T 3046: m = 0.001 dHc/(Cp(Tb-Ta)+dHv); Burgess: y = 1.27e-6 dHc/dH*", { "数据表 burning-rates 中没有的燃料", "fuel that is not in the table burning-rates" }, in_burning,
	out_burning, CALLED(AS("burning rate*"), AS("pool burning rate*")), NULL, run_burning };

// ---- pool fire ------------------------------------------------------------------------------------------------------------

static bool read_fuel(struct risk_run *r, double *m, double *dhc, double *kb)
{
	*m = risk_num(r, "m");
	*dhc = risk_num(r, "dHc");
	*kb = risk_num(r, "kb");
	if (risk_given(r, "fuel")) {
		int row = risk_need_row(r, "burning-rates", "fuel", "fuel");
		if (row < 0) {
			return false;
		}
		const struct risk_table *t = risk_need_table(r, "burning-rates");
		*m = isfinite(*m) ? *m : risk_table_num(t, (size_t)row, "m");
		*dhc = isfinite(*dhc) ? *dhc : risk_table_num(t, (size_t)row, "dHc");
		*kb = isfinite(*kb) ? *kb : risk_table_num(t, (size_t)row, "kb");
	}
	if (!isfinite(*m) || !isfinite(*dhc)) {
		risk_fail(r, "fuel", "应给出 fuel，或 m 与 dHc", "fuel is needed, or m and dHc");
		return false;
	}
	return true;
}

static const char *const menu_sep[] = { "mudan", "fraction", NULL };

static void run_pool_fire(struct risk_run *r)
{
	double m, dhc, kb, d = risk_num(r, "D"), u = risk_num(r, "u"), x = risk_num(r, "x"), rad = d / 2;
	if (!read_fuel(r, &m, &dhc, &kb)) {
		return;
	}
	m *= isfinite(kb) ? 1 - exp(-kb * d) : 1;
	double rho_a = 0.0289647 * ATM / (GAS_CONSTANT * risk_num(r, "T")), froude = m / (rho_a * sqrt(GRAVITY * d));
	double star = u / cbrt(GRAVITY * m * d / risk_num(r, "rho_v")), tilt = star > 1 ? acos(1 / sqrt(star)) : 0;
	double height = d * (u > 0 && star > 1 ? 55 * pow(froude, 0.67) * pow(star, -0.21) : 42 * pow(froude, 0.61));
	double sep = risk_choice(r, "sep") == 0 ? 140 * exp(-0.12 * d) + 20 * (1 - exp(-0.12 * d)) : risk_num(r,
		"beta") * m * dhc / (1 + 4 * height / d);
	double top = rad + fmax(height * sin(tilt), 0), fv, fh;
	if (x <= top * 1.001) {
		risk_fail(r, "x", "目标在火焰内或火焰下（至少 %.4g m）", "the target is inside or below the flame (at least %.4g m)",
			top * 1.001);
		return;
	}
	tilt > 0 ? view_tilted(height / rad, x / rad, tilt, &fv, &fh) : view_cylinder(height / rad, x / rad, &fv, &fh);
	double tau = transmissivity(risk_num(r, "RH"), risk_num(r, "T"), x - rad), f = hypot(fv, fh);
	risk_out(r, "m", m);
	risk_out(r, "H", height);
	risk_out(r, "tilt", tilt * 180 / M_PI);
	risk_out(r, "SEP", sep);
	risk_out(r, "F", f);
	risk_out(r, "tau", tau);
	risk_out(r, "q", sep * f * tau);
	risk_out(r, "Q", m * M_PI * rad * rad * dhc);
	risk_out(r, "H_heskestad", fmax(0.235 * pow(m * M_PI * rad * rad * dhc, 0.4) - 1.02 * d, 0));
	if (risk_choice(r, "sep") == 0 && (d < 1 || d > 100)) {
		risk_warn(r, "Mudan 表面热辐射按 1～100 m 烟质烃类液池拟合",
			"Mudan's emissive power was fitted to sooty hydrocarbon pools of 1 … 100 m");
	}
}

static const struct risk_input in_pool_fire[] = {
	IN_TEXT_OPT("fuel", "燃料（见数据表 burning-rates）", "fuel, of the table burning-rates", { 0 }),
	IN_OPT("m", "kg/m2/s", "燃烧速率", "burning rate, instead of the table", 1e-4, 1, NAN),
	IN_OPT("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5, NAN), IN_OPT("kb", "1/m", "kβ", "k beta", 0.01, 1000, NAN),
	IN_NUM("D", "m", "液池直径", "diameter of the pool", 0.1, 500), IN_NUM("x", "m", "到池心距离", "distance from the centre", 0.1, 1e5),
	IN_OPT("u", "m/s", "风速", "wind speed, towards the target", 0, 40, 0), IN_HUMID,
	IN_OPT("rho_v", "kg/m3", "蒸气密度", "density of the vapour", 0.05, 20, 2.5),
	IN_MENU_OPT("sep", "表面热辐射公式", "emissive power by", menu_sep),
	IN_OPT_NOTE("beta", "", "辐射分数", "part radiated (fraction)", 0.01, 1, 0.4, { "0.4；AQ/T 3046 为 0.13～0.40", "0.4; AQ/T 3046 0.13 … 0.40" }), IN_END,
};
static const struct risk_output out_pool_fire[] = {
	{ "q", "kW/m2", "热辐射", "radiation at the target" }, { "H", "m", "火焰长度", "flame length (Thomas)" },
	{ "tilt", "deg", "火焰倾角", "tilt" }, { "SEP", "kW/m2", "表面热辐射", "surface emissive power" },
	{ "F", "", "视角系数", "view factor" }, { "tau", "", "透射率", "transmissivity" }, { "m", "kg/m2/s", "燃烧速率", "burning rate" },
	{ "Q", "kW", "热释放速率", "heat release" }, { "H_heskestad", "m", "火焰高度（Heskestad）", "flame height (Heskestad)" }, { 0 },
};
const struct risk_model model_pool_fire = { "pool-fire", "池火", "pool fire",
	"Thomas 1963; Mudan 1984; NUREG-1805 (burning rates); view factor of a tilted cylinder", { "烃类液池，目标位于地面", "hydrocarbon pool, target at the ground" },
	in_pool_fire, out_pool_fire, CALLED(AS("pool fire*")), "burning-rates", run_pool_fire };

static void run_epa_pool(struct risk_run *r)
{
	double area = risk_num(r, "area"), heat = risk_num(r, "dHv") + fmax(risk_num(r, "Cp") * (risk_num(r, "Tb") - risk_num(r, "Ta")), 0);
	risk_out(r, "distance", risk_num(r, "dHc") * sqrt(0.0001 * area / (5000 * M_PI * heat)));
}

static const struct risk_input in_epa_pool[] = {
	IN_NUM("area", "m2", "液池面积", "area of the pool", 0.1, 1e6), IN_NUM("dHc", "J/kg", "燃烧热", "heat of combustion", 1e6, 2e8),
	IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 3e6), IN_NUM("Cp", "J/kg/K", "液体比热", "heat capacity", 200, 20000),
	IN_NUM("Tb", "K", "沸点", "boiling point", 15, 800), IN_OPT("Ta", "K", "气温", "air temperature", 220, 330, 298), IN_END,
};
static const struct risk_output out_distance[] = { { "distance", "m", "距离", "distance" }, { 0 } };
const struct risk_model model_epa_pool = { "epa-pool-fire", "池火 5 kW/m2 距离（EPA）", "pool fire, distance of 5 kW/m2 (EPA)",
	"EPA RMP OCA Guidance: d = Hc sqrt(0.0001 A/(5000 pi (Hv + Cp(Tb-Ta))))", { 0 }, in_epa_pool, out_distance,
	CALLED(AS("EPA OCA pool fire*"), AS("EPA pool fire*")), NULL, run_epa_pool };

// ---- jet fire -----------------------------------------------------------------------------------------------------------------

static const char *const menu_phase[] = { "gas", "lpg-vapour", "liquid", NULL };

static void run_jet_fire(struct risk_run *r)
{
	static const double k[3] = { 12.5, 13.5, 15 };
	double m = risk_num(r, "m"), dhc = risk_num(r, "dHc"), btu = m * dhc * 1000 / 1055.05585262 * 3600, x = risk_num(r, "x");
	double api = 0.0059 * pow(btu, 0.478) * 0.3048, aqt = pow(dhc * 1000 * m, 0.444) / 161.66,
	order = k[risk_choice(r, "phase")] * pow(m, 0.4), grint = 9.1 * sqrt(m);
	risk_out(r, "L_api", api);
	risk_out(r, "L_aqt", aqt);
	risk_out(r, "L_404", order);
	risk_out(r, "D_404", 0.15 * order);
	risk_out(r, "L_considine", grint);
	risk_out(r, "W_considine", 0.5 * grint);
	if (isfinite(x)) { // radiating from the middle of the flame
		double away = hypot(x, 0), tau = transmissivity(risk_num(r, "RH"), risk_num(r, "T"), away);
		risk_out(r, "q", risk_num(r, "fraction") * m * dhc * tau / (4 * M_PI * away * away));
		if (away < aqt) {
			risk_warn(r, "距离小于火焰长度，点源不适用", "nearer than the flame is long: a point source does not hold");
		}
	}
}

static const struct risk_input in_jet_fire[] = {
	IN_NUM("m", "kg/s", "泄漏速率", "rate", 1e-4, 1e4), IN_NUM("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5),
	IN_MENU_OPT("phase", "相态", "phase", menu_phase),
	IN_OPT("x", "m", "到火焰中点距离", "distance from the middle of the flame", 0.5, 1e5, NAN),
	IN_OPT("fraction", "", "辐射分数", "part radiated", 0.01, 1, 0.2), IN_HUMID, IN_END,
};
static const struct risk_output out_jet_fire[] = {
	{ "L_api", "m", "火焰长度（API 521）", "length, API 521 chart" }, { "L_aqt", "m", "火焰长度（AQ/T 3046）", "length, AQ/T 3046" },
	{ "L_404", "m", "火焰长度（404 号令）", "length, Russian order 404" }, { "D_404", "m", "火焰宽度", "width, order 404" },
	{ "L_considine", "m", "火焰长度（Considine-Grint）", "length, LPG (Considine & Grint)" },
	{ "W_considine", "m", "火焰宽度", "width" }, { "q", "kW/m2", "热辐射（点源）", "radiation, point source" }, { 0 },
};
const struct risk_model model_jet_fire = { "jet-fire", "喷射火", "jet fire",
	"API 521 chart (Beychok); AQ/T 3046: (dHc m)^0.444/161.66; order 404: K m^0.4; Considine & Grint 1985", { "自由射流", "free jet" },
	in_jet_fire, out_jet_fire, CALLED(AS("jet fire*"), AS("jet flame length*")), NULL, run_jet_fire };

// ---- flare ---------------------------------------------------------------------------------------------------------------------

static void run_flare(struct risk_run *r)
{
	double w = risk_num(r, "W"), t = risk_num(r, "T"), m = risk_num(r, "M") / 1000, k = risk_num(r, "k"), p = risk_num(r, "P"),
	q = w * risk_num(r, "LHV") * 1000; // W
	double area = w / (risk_num(r, "Mach") * sqrt(k * GAS_CONSTANT * t / m) * p * m / (GAS_CONSTANT * t));
	risk_out(r, "Q", q);
	risk_out(r, "d", sqrt(4 / M_PI * area));
	risk_out(r, "D", sqrt(risk_num(r, "F") * q / (4 * M_PI * risk_num(r, "K") * 1000)));
}

static const struct risk_input in_flare[] = {
	IN_NUM("W", "kg/s", "排放量", "rate", 1e-3, 1e4), IN_REMARK("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500),
	IN_NUM("T", "K", "温度", "temperature", 100, 2000), IN_NUM("LHV", "kJ/kg", "低位热值", "lower heating value", 100, 2e5),
	IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7),
	IN_OPT("P", "Pa", "出口压力", "pressure at the tip", 5e4, 5e6, ATM),
	IN_OPT("Mach", "", "出口马赫数", "Mach number at the tip", 0.01, 1, 0.2),
	IN_OPT("F", "", "辐射分数", "part radiated", 0.01, 1, 0.3), IN_NUM("K", "kW/m2", "允许热辐射", "allowed radiation", 0.5, 100), IN_END,
};
static const struct risk_output out_flare[] = { { "Q", "W", "热释放", "heat release" }, { "d", "m", "出口直径", "diameter of the tip" },
	{ "D", "m", "到火焰中心的最小距离", "least distance from the flame's centre" }, { "K_*", "kW/m2", "该处热辐射", "radiation there" },
	{ 0 } };
static const struct risk_alias alias_flare[] = { { "API 521 simple approach flare*", NULL, "Q=BTU/h;d=ft;D=ft" }, { 0 } };
const struct risk_model model_flare = { "flare", "火炬（API 521 简化法）", "flare (API 521 simple approach)", "API RP 521 annex C",
	{ "点源位于火焰中心", "point source at the flame's centre" }, in_flare, out_flare, alias_flare, NULL, run_flare };

static void run_profile(struct risk_run *r)
{
	size_t n;
	const double *x = risk_list(r, "x", &n), *raw = risk_list_raw(r, "x");
	double height = risk_num(r, "h_stack") + risk_num(r, "Yc");
	for (size_t i = 0; i < n; i++) {
		double dx = x[i] - risk_num(r, "Xc"), d2 = dx * dx + height * height;
		if (d2 <= 0) {
			risk_fail(r, "x", "目标在火焰中心", "the target is in the flame's centre");
			return;
		}
		risk_out_named(r, risk_num(r, "F") * risk_num(r, "Q") / 1000 / (4 * M_PI * d2), "K_%g", raw[i]);
	}
}

static const struct risk_input in_profile[] = {
	IN_NUM("Q", "W", "热释放", "heat release", 1, 1e13), IN_OPT("F", "", "辐射分数", "part radiated", 0.01, 1, 0.3),
	IN_NUM("h_stack", "m", "火炬高度", "height of the stack", 0, 500),
	IN_NUM("Xc", "m", "火焰中心水平偏移", "flame centre downwind of the stack", -500, 500),
	IN_NUM("Yc", "m", "火焰中心高出火炬", "flame centre above the tip", 0, 500),
	IN_LIST("x", "m", "下风距离", "distances downwind at grade", -1e4, 1e5), IN_END,
};
static const struct risk_alias alias_profile[] = { { "API 521 point-source flare*", NULL, "K_*=BTU/h/ft2" }, { 0 } };
const struct risk_model model_profile = { "flare-profile", "火炬地面热辐射", "radiation of a flare at grade",
	"API RP 521: K = F Q/(4 pi D2)", { 0 }, in_profile, out_flare, alias_profile, NULL, run_profile };
