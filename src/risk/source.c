// Source terms: holes, tanks, vessels, relief valves, two-phase discharge, flashing. Entered in models.c. Pure; any thread.
#include "risk/source.h"
#include "risk/inputs.h"
#include "risk/models.h"

static double circle(double d)
{
	return M_PI / 4 * d * d;
}

double liquid_velocity(double dp, double rho, double head)
{
	return sqrt(fmax(2 * dp / rho + 2 * GRAVITY * head, 0));
}

double gas_critical_ratio(double k)
{
	return pow(2 / (k + 1), k / (k - 1));
}

double gas_discharge(const struct gas_hole *g, bool *ret_choked)
{
	double ratio = g->pa / g->p, k = g->k;
	bool choked = ratio <= gas_critical_ratio(k);
	if (ret_choked) {
		*ret_choked = choked;
	}
	if (ratio >= 1) {
		return 0;
	}
	double most = g->cd * g->area * g->p * sqrt(k * g->m / (GAS_CONSTANT * g->t) * pow(2 / (k + 1), (k + 1) / (k - 1)));
	double y = 2 / (k - 1) * pow((k + 1) / 2, (k + 1) / (k - 1)) * pow(ratio, 2 / k) * (1 - pow(ratio, (k - 1) / k));
	return choked ? most : most * sqrt(y);
}

// ---- liquid through a hole ---------------------------------------------------------------------------------------

static void run_liquid(struct risk_run *r)
{
	double p = risk_num(r, "P"), pa = risk_num(r, "Pa"), rho = risk_num(r, "rho");
	if (risk_given(r, "SG")) {
		rho = 1000 * risk_num(r, "SG");
	}
	if (!isfinite(rho)) {
		risk_fail(r, "rho", "应给出 rho 或 SG", "rho or SG is needed");
		return;
	}
	double head = risk_num(r, "head");
	if (p - pa + rho * GRAVITY * head < 0) {
		risk_fail(r, "P", "压力与液柱不足以流出", "the pressure and the head do not drive the liquid out");
		return;
	}
	double u = liquid_velocity(p - pa, rho, head), m = risk_num(r, "Cd") * circle(risk_num(r, "d")) * rho * u;
	risk_out(r, "mdot", m);
	risk_out(r, "u", risk_num(r, "Cd") * u);
	risk_out(r, "u_ideal", u);
	if (risk_given(r, "duration")) {
		risk_out(r, "mass", m * risk_num(r, "duration"));
	}
}

#define IN_P IN_NUM("P", "Pa", "容器内压力（绝压）", "pressure inside, absolute", 1e3, 1e9)
#define IN_PA IN_OPT("Pa", "Pa", "环境压力", "pressure outside", 1e4, 2e7, ATM)
#define IN_HOLE IN_NUM("d", "m", "孔径", "diameter of the hole", 1e-5, 5)
#define IN_CD(def) IN_OPT_NOTE("Cd", "", "流量系数", "discharge coefficient", 0.05, 1, def, \
	{ "液体：锐边 0.61、圆角 1.0；AQ/T 3046：圆形 0.65、三角形 0.60、长条形 0.55；气体：圆形 1.0、三角形 0.95、长条形 0.90", "liquid: sharp edge 0.61, rounded 1.0; AQ/T 3046: round 0.65, triangle 0.60, slot 0.55; gas: 1.0 round, 0.95 triangle, 0.90 slot" })
static const struct risk_input in_liquid[] = {
	IN_P, IN_PA, IN_OPT("rho", "kg/m3", "液体密度", "density", 10, 20000, NAN),
	IN_OPT("SG", "", "相对密度", "specific gravity, instead of rho", 0.01, 20, NAN),
	IN_HOLE, IN_CD(0.61), IN_OPT("head", "m", "液柱高度", "height of the liquid above the hole", 0, 200, 0),
	IN_OPT("duration", "s", "泄漏时间", "duration, for the mass", 0, 1e7, NAN), IN_END,
};
static const struct risk_output out_liquid[] = {
	{ "mdot", "kg/s", "泄漏速率", "rate" }, { "u", "m/s", "出口平均速度", "velocity, with Cd" },
	{ "u_ideal", "m/s", "理想速度", "velocity without Cd" },
	{ "mass", "kg", "泄漏量", "mass in the duration" }, { 0 },
};
static const struct risk_alias alias_liquid[] = {
	{ "liquid discharge through a hole*", NULL, NULL }, { "liquid flow through a hole, US units*", NULL, "mdot=lb/s;mass=lb" },
	{ "liquid flow through a hole*", NULL, NULL }, { 0 },
};
const struct risk_model model_liquid = { "liquid-hole", "液体泄漏", "liquid through a hole", "Bernoulli; CCPS 1999; HJ 169; AQ/T 3046",
	{ "孔口内不闪蒸的液体", "liquid that does not flash in the hole" },
	in_liquid, out_liquid, alias_liquid, NULL, run_liquid };

// ---- tank draining ----------------------------------------------------------------------------------------------------

static void run_tank(struct risk_run *r)
{
	double rho = risk_num(r, "rho"), hole = risk_num(r, "hole_height"), step = risk_num(r, "step"), pg = risk_num(r, "P_gauge");
	double h = risk_num(r, "fill") * risk_num(r, "H_tank") - hole, tank = circle(risk_num(r, "D_tank")),
	flow = risk_num(r, "Cd") * circle(risk_num(r, "d_hole"));
	size_t n = (size_t)risk_num(r, "steps");
	if (h <= 0) {
		risk_fail(r, "fill", "液面低于孔口", "the liquid stands below the hole");
		return;
	}
	double *t = arena_many(r->arena, n + 1, double), *rate = arena_many(r->arena, n + 1, double),
	*level = arena_many(r->arena, n + 1, double), total = 0;
	double s0 = sqrt(2 * pg / rho + 2 * GRAVITY * h), s_end = sqrt(2 * pg / rho), empty = tank / (flow * GRAVITY) * (s0 - s_end);
	for (size_t i = 0; i <= n; i++) { // the rate of a step is that at its beginning
		t[i] = step * (double)i;
		level[i] = h + hole;
		rate[i] = h > 0 ? flow * rho * liquid_velocity(pg, rho, h) : 0;
		risk_out_named(r, rate[i], "mdot%zu", i);
		if (i < n) {
			double out = fmin(rate[i] * step, h * tank * rho);
			total += out;
			h = out < h * tank * rho ? h - out / (rho * tank) : 0;
		}
	}
	risk_out_named(r, total, "total_%gs", step * (double)n);
	risk_out(r, "t_empty", empty);
	risk_out_list(r, "t", t, n + 1);
	risk_out_list(r, "mdot", rate, n + 1);
	risk_out_list(r, "level", level, n + 1);
}

static const struct risk_input in_tank[] = {
	IN_NUM("rho", "kg/m3", "液体密度", "density", 10, 20000), IN_NUM("D_tank", "m", "罐径", "diameter of the tank", 0.1, 200),
	IN_NUM("H_tank", "m", "罐高", "height of the tank", 0.1, 100),
	IN_NUM("fill", "", "充装系数", "part filled", 0, 1), IN_NUM("d_hole", "m", "孔径", "diameter of the hole", 1e-4, 5),
	IN_OPT("hole_height", "m", "孔高", "height of the hole", 0, 100, 0),
	IN_CD(0.61), IN_OPT("step", "s", "时间步长", "time step", 0.1, 1e6, 60), IN_OPT("steps", "", "步数", "steps", 1, 1000, 10),
	IN_OVER_OPT("P_gauge", "Pa", "气相表压", "gauge pressure above the liquid", 0, 1e7, 0, { 0 }), IN_END,
};
static const struct risk_output out_tank[] = {
	{ "mdot", "kg/s", "各时刻速率", "rates" }, { "mdot*", "kg/s", "第 n 步速率", "rate of step n" },
	{ "total_*", "kg", "累计泄漏量", "mass lost by then" },
	{ "t_empty", "s", "流尽时间（解析）", "time until the hole is dry (closed form)" }, { "t", "s", "时间", "times" },
	{ "level", "m", "液位", "levels" }, { 0 },
};
static const struct risk_alias alias_tank[] = { { "gravity outflow of a vertical tank*", NULL, NULL }, { 0 } };
const struct risk_model model_tank = { "tank-draining", "立式储罐泄放", "draining of a vertical tank",
	"Casal 2008, 2.1; Crowl & Louvar 4-18 [M] for t_empty", { "等截面，气相压力不变", "constant cross section and gas pressure" },
	in_tank, out_tank, alias_tank, NULL, run_tank };

// ---- gas through a hole --------------------------------------------------------------------------------------------------

static void run_gas(struct risk_run *r)
{
	struct gas_hole g = { risk_num(r, "P"), risk_num(r, "Pa"), risk_num(r, "T"), risk_num(r, "M") / 1000, risk_num(r, "k"),
		circle(risk_num(r, "d")), risk_num(r, "Cd") };
	bool choked;
	double m = gas_discharge(&g, &choked), rc = gas_critical_ratio(g.k);
	if (g.p <= g.pa) {
		risk_fail(r, "P", "容器压力不高于环境压力", "the pressure inside is not above that outside");
		return;
	}
	risk_out(r, "mdot", m);
	risk_out(r, "critical_ratio", rc);
	risk_out_text(r, "regime", str_of(choked ? "choked" : "subsonic"));
	risk_out(r, "P_exit", choked ? g.p * rc : g.pa);
	risk_out(r, "T_exit", choked ? 2 * g.t / (g.k + 1) : g.t * pow(g.pa / g.p, (g.k - 1) / g.k));
}

static const struct risk_input in_gas[] = {
	IN_P, IN_PA, IN_NUM("T", "K", "气体温度", "temperature inside", 50, 2500), IN_NUM("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500),
	IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7),
	IN_HOLE, IN_CD(1), IN_END,
};
static const struct risk_output out_gas[] = {
	{ "mdot", "kg/s", "泄漏速率", "rate" }, { "critical_ratio", "", "临界压力比 Pa/P", "critical ratio Pa/P" },
	{ "regime", "", "流动状态", "regime" },
	{ "P_exit", "Pa", "出口压力", "pressure in the exit" }, { "T_exit", "K", "出口温度", "temperature in the exit" }, { 0 },
};
static const struct risk_alias alias_gas[] = {
	{ "choked propane gas through a hole*", NULL, NULL }, { "choked gas leak*", NULL, NULL }, { "choked N2 leak*", NULL, "mdot=lb/s" },
	{ "gas discharge through a hole*", NULL, NULL },
	{ "subsonic*", NULL, NULL }, { "gas flow through a hole*", NULL, NULL }, { "choked*", NULL, NULL }, { 0 },
};
const struct risk_model model_gas = { "gas-hole", "气体泄漏（临界/亚临界）", "gas through a hole, choked or subsonic",
	"CCPS 1999; HJ 169; AQ/T 3046", { "理想气体", "ideal gas" }, in_gas, out_gas, alias_gas, NULL, run_gas };

// ---- blow-down -------------------------------------------------------------------------------------------------------------

static void run_blowdown(struct risk_run *r)
{
	double k = risk_num(r, "k"), base = 1 + (k - 1) / 2 * risk_num(r, "t_over_tau");
	risk_out(r, "w_ratio", pow(base, (1 + k) / (1 - k)));
	risk_out(r, "P_ratio", pow(base, 2 * k / (1 - k)));
	risk_out(r, "T_ratio", 1 / (base * base));
}

static const struct risk_input in_blowdown[] = { IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7),
	IN_NUM("t_over_tau", "", "t/τ，τ = m0/w0", "t/tau, tau = m0/w0", 0, 1e4), IN_END };
static const struct risk_output out_blowdown[] = { { "w_ratio", "", "w/w0", "w/w0" }, { "P_ratio", "", "P/P0", "P/P0" },
	{ "T_ratio", "", "T/T0", "T/T0" }, { 0 } };
static const struct risk_alias alias_blowdown[] = { { "adiabatic choked blowdown*", NULL, NULL }, { 0 } };
const struct risk_model model_blowdown = { "blowdown", "绝热放空（无量纲）", "adiabatic choked blow-down, dimensionless",
	"closed form for an ideal gas (Perry prints an exponent wrongly)", { "临界流阶段", "while choked" },
	in_blowdown, out_blowdown, alias_blowdown, NULL, run_blowdown };

// A vessel that blows down: the mass in it and what it began with.
struct vessel {
	struct gas_hole g;           // p and t are those of now
	double m, m0, p0, t0, m_end; // m_end: at the pressure outside
};

static void vessel_state(struct vessel *v, double m)
{
	v->g.p = v->p0 * pow(m / v->m0, v->g.k);
	v->g.t = v->t0 * pow(m / v->m0, v->g.k - 1);
}

// For `lasts` seconds, in steps in which at most two hundredths of the mass leave (midpoint rule on the mass, state by the
// isentrope), or until the pressure is that outside.
static void vessel_drain(struct vessel *v, double lasts)
{
	while (lasts > 0 && v->m > v->m_end) {
		double out = gas_discharge(&v->g, NULL), dt = out > 0 ? fmin(lasts, 0.02 * v->m / out) : lasts;
		vessel_state(v, fmax(v->m - 0.5 * dt * out, v->m_end));
		double left = v->m - dt * gas_discharge(&v->g, NULL);
		if (left == v->m) { // nothing moves any more
			left = v->m_end;
		}
		v->m = fmax(left, v->m_end);
		vessel_state(v, v->m);
		lasts -= dt;
	}
}

// When a flow that begins choked becomes subsonic (closed form of the choked blow-down); 0: it is subsonic from the beginning. s
static double choked_until(const struct gas_hole *g, double tau)
{
	double k = g->k, last = g->pa / pow(2 / (k + 1), k / (k - 1)); // the pressure inside at which it ends
	return last >= g->p ? 0 : tau * 2 / (k - 1) * (pow(g->p / last, (k - 1) / (2 * k)) - 1);
}

static void run_vessel(struct risk_run *r)
{
	enum { POINTS = 60 };
	struct gas_hole g = { risk_num(r, "P"), risk_num(r, "Pa"), risk_num(r, "T"), risk_num(r, "M") / 1000, risk_num(r, "k"),
		circle(risk_num(r, "d")), risk_num(r, "Cd") };
	double v = risk_num(r, "V"), m0 = g.p * v * g.m / (GAS_CONSTANT * g.t), m, w0 = gas_discharge(&g, NULL);
	if (g.p <= g.pa) {
		risk_fail(r, "P", "容器压力不高于环境压力", "the pressure inside is not above that outside");
		return;
	}
	double until = risk_given(r, "duration") ? risk_num(r, "duration") : 5 * m0 / w0;
	double t[POINTS + 1], p[POINTS + 1], rate[POINTS + 1], temp[POINTS + 1];
	struct vessel vessel = { g, m0, m0, g.p, g.t, m0 * pow(g.pa / g.p, 1 / g.k) };
	for (int i = 0; i <= POINTS; i++) {
		t[i] = until * i / POINTS;
		rate[i] = vessel.m > vessel.m_end ? gas_discharge(&vessel.g, NULL) : 0;
		p[i] = vessel.g.p;
		temp[i] = vessel.g.t;
		if (i < POINTS) {
			vessel_drain(&vessel, until / POINTS);
		}
	}
	m = vessel.m;
	risk_out(r, "mass0", m0);
	risk_out(r, "mdot0", w0);
	risk_out(r, "tau", m0 / w0);
	risk_out(r, "t_choked", choked_until(&g, m0 / w0));
	risk_out(r, "mass_out", m0 - m);
	risk_out_list(r, "t", t, POINTS + 1);
	risk_out_list(r, "P", p, POINTS + 1);
	risk_out_list(r, "T", temp, POINTS + 1);
	risk_out_list(r, "mdot", rate, POINTS + 1);
}

static const struct risk_input in_vessel[] = {
	IN_P, IN_PA, IN_NUM("V", "m3", "容器容积", "volume", 1e-3, 1e6), IN_NUM("T", "K", "气体温度", "temperature", 50, 2500),
	IN_NUM("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500),
	IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7), IN_HOLE, IN_CD(1),
	IN_OPT("duration", "s", "计算时间", "how long; absent: 5 m0/w0", 1e-3, 1e7, NAN), IN_END,
};
static const struct risk_output out_vessel[] = {
	{ "mass0", "kg", "初始质量", "mass at the beginning" }, { "mdot0", "kg/s", "初始速率", "rate at the beginning" },
	{ "tau", "s", "τ = m0/w0", "tau = m0/w0" },
	{ "t_choked", "s", "临界流结束时间", "when the flow ceases to be choked" }, { "mass_out", "kg", "排出量", "mass lost" },
	{ "t", "s", "时间", "times" }, { "P", "Pa", "压力", "pressures" },
	{ "T", "K", "温度", "temperatures" }, { "mdot", "kg/s", "速率", "rates" }, { 0 },
};
const struct risk_model model_vessel = { "vessel-blowdown", "压力容器放空过程", "blow-down of a gas vessel in time",
	"gas-hole on the isentrope of an ideal gas, choked and subsonic", { "理想气体，不计器壁传热", "ideal gas, no heat from the wall" },
	in_vessel, out_vessel, CALLED(AS("vessel blowdown*"), AS("vessel blow-down*")), NULL, run_vessel };

// ---- relief valve: API 520-I --------------------------------------------------------------------------------------------------

static void run_relief(struct risk_run *r)
{
	double w = risk_num(r, "W"), t = risk_num(r, "T"), z = risk_num(r, "Z"), m = risk_num(r, "M"), k = risk_num(r, "k"),
	p1 = risk_num(r, "P1"), p2 = risk_num(r, "P2"), kd = risk_num(r, "Kd");
	double ratio = p2 / p1, rc = gas_critical_ratio(k), area;
	if (ratio >= 1) {
		risk_fail(r, "P2", "背压不低于泄放压力", "the back pressure is not below the relieving pressure");
		return;
	}
	if (ratio <= rc) {
		double c = 0.03948 * sqrt(k * pow(2 / (k + 1), (k + 1) / (k - 1)));
		area = w / (c * kd * p1) * sqrt(t * z / m);
	} else {
		double f2 = sqrt(k / (k - 1) * pow(ratio, 2 / k) * (1 - pow(ratio, (k - 1) / k)) / (1 - ratio));
		area = 17.9 * w / (f2 * kd) * sqrt(t * z / (m * p1 * (p1 - p2)));
		risk_out(r, "F2", f2);
	}
	risk_out(r, "A", area);
	risk_out_text(r, "regime", str_of(ratio <= rc ? "critical" : "subcritical"));
}

static const struct risk_input in_relief[] = {
	IN_NUM("W", "kg/h", "泄放量", "required rate", 1e-3, 1e7), IN_NUM("T", "K", "泄放温度", "relieving temperature", 50, 2500),
	IN_OPT("Z", "", "压缩因子", "compressibility factor", 0.1, 2, 1),
	IN_NUM("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500), IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7),
	IN_NUM("P1", "kPa", "泄放压力（绝压）", "relieving pressure, absolute", 100, 1e5),
	IN_OPT("P2", "kPa", "背压（绝压）", "back pressure, absolute", 1, 1e5, 101.325),
	IN_OPT("Kd", "", "排量系数", "coefficient of discharge", 0.1, 1, 0.975), IN_END,
};
static const struct risk_output out_relief[] = { { "A", "mm2", "泄放面积", "area" },
	{ "F2", "", "亚临界系数", "coefficient of subcritical flow" }, { "regime", "", "流动状态", "regime" }, { 0 } };
static const struct risk_alias alias_relief[] = { { "API 520*", NULL, NULL }, { 0 } };
const struct risk_model model_relief = { "relief-area", "安全阀泄放面积（API 520）", "relief valve area (API 520)",
	"API 520-I, SI equations, Kb = Kc = 1", { "气体或蒸气", "gas or vapour" }, in_relief, out_relief, alias_relief, NULL, run_relief };

// ---- two phases -----------------------------------------------------------------------------------------------------------------

static void run_erm(struct risk_run *r)
{
	double g = risk_num(r, "dHv") / risk_num(r, "vfg") / sqrt(risk_num(r, "T") * risk_num(r, "Cp"));
	risk_out(r, "G", g);
	risk_out(r, "mdot", g * circle(risk_num(r, "d")));
}

static const struct risk_input in_erm[] = {
	IN_NUM("T", "K", "温度", "temperature", 50, 1000), IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 5e6),
	IN_NUM("vfg", "m3/kg", "比容差", "specific volume of vapour less liquid", 1e-4, 100),
	IN_NUM("Cp", "J/kg/K", "液体比热", "heat capacity of the liquid", 100, 20000), IN_HOLE, IN_END,
};
static const struct risk_output out_two[] = { { "G", "kg/m2/s", "质量流率", "mass flux" }, { "mdot", "kg/s", "泄漏速率", "rate" },
	{ "rho_m", "kg/m3", "混合密度", "density of the mixture" },
	{ "Fv", "", "闪蒸分率", "part evaporated" }, { "Pc", "Pa", "临界压力", "critical pressure" }, { 0 } };
static const struct risk_alias alias_erm[] = { { "equilibrium-rate model*", NULL, NULL }, { 0 } };
const struct risk_model model_erm = { "two-phase-erm", "两相泄漏（平衡速率模型）", "two-phase, equilibrium rate model",
	"Fauske; Crowl & Louvar 4-9 [M]: G = dHv/vfg / sqrt(T Cp)", { "饱和液体，管长 0.1 m 以上", "saturated liquid, pipe from 0.1 m" },
	in_erm, out_two, alias_erm, NULL, run_erm };

static void run_subcooled(struct risk_run *r)
{
	double dp = risk_num(r, "P") - risk_num(r, "Psat");
	if (dp <= 0) {
		risk_fail(r, "Psat", "液体已饱和，请用 two-phase-erm", "the liquid is saturated; use two-phase-erm");
		return;
	}
	double g = risk_num(r, "Cd") * sqrt(2 * risk_num(r, "rho") * dp);
	risk_out(r, "G", g);
	risk_out(r, "mdot", g * circle(risk_num(r, "d")));
}

static const struct risk_input in_subcooled[] = { IN_P, IN_NUM("Psat", "Pa", "饱和压力", "saturation pressure", 1, 1e8),
	IN_NUM("rho", "kg/m3", "液体密度", "density", 10, 20000), IN_HOLE, IN_CD(0.61), IN_END };
const struct risk_model model_subcooled = { "two-phase-subcooled", "过冷液体泄漏", "subcooled liquid",
	"Fauske [M]: G = Cd sqrt(2 rho (P - Psat))", { 0 }, in_subcooled, out_two, CALLED(AS("subcooled liquid*"), AS("Fauske subcooled*")), NULL, run_subcooled };

static void run_hj169(struct risk_run *r)
{
	double p = risk_num(r, "P"), pc = risk_num(r, "Pc_ratio") * p, fv = risk_num(r,
		"Cp") * (risk_num(r, "T") - risk_num(r, "Tb")) / risk_num(r, "dHv");
	if (fv <= 0 || fv >= 1) {
		risk_fail(r, "T", fv <= 0 ? "温度不高于沸点，按液体计算" : "全部汽化，按气体计算",
			fv <= 0 ? "not above the boiling point: use liquid-hole" : "all of it evaporates: use gas-hole");
		return;
	}
	double rho = 1 / (fv / risk_num(r, "rho_g") + (1 - fv) / risk_num(r, "rho_l"));
	risk_out(r, "Fv", fv);
	risk_out(r, "rho_m", rho);
	risk_out(r, "Pc", pc);
	risk_out(r, "mdot", risk_num(r, "Cd") * circle(risk_num(r, "d")) * sqrt(2 * rho * (p - pc)));
}

static const struct risk_input in_hj169[] = {
	IN_P, IN_NUM("T", "K", "温度", "temperature", 50, 1000), IN_NUM("Tb", "K", "沸点", "boiling point at the critical pressure", 15,
		1000), IN_NUM("Cp", "J/kg/K", "液体比热", "heat capacity of the liquid", 100, 20000),
	IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 5e6),
	IN_NUM("rho_g", "kg/m3", "蒸气密度", "density of the vapour", 0.01, 1000),
	IN_NUM("rho_l", "kg/m3", "液体密度", "density of the liquid", 10, 20000),
	IN_HOLE, IN_OPT_NOTE("Cd", "", "流量系数", "discharge coefficient", 0.05, 1, 0.8, { "HJ 169 [M]", "HJ 169 [M]" }),
	IN_OPT_NOTE("Pc_ratio", "", "临界压力比", "Pc/P", 0.1, 0.99, 0.55, { "HJ 169 [M]", "HJ 169 [M]" }), IN_END,
};
const struct risk_model model_hj169 = { "two-phase-hj169", "两相泄漏（HJ 169）", "two-phase (HJ 169)",
	"HJ 169-2018 annex F [M]: Q = Cd A sqrt(2 rho_m (P - Pc)), Pc = 0.55 P", { 0 }, in_hj169, out_two, CALLED(AS("two-phase HJ 169*"), AS("HJ 169 two-phase*")), NULL, run_hj169 };

// ---- flash ------------------------------------------------------------------------------------------------------------------------

static void run_flash(struct risk_run *r)
{
	double x = risk_num(r, "Cp") * (risk_num(r, "T") - risk_num(r, "Tb")) / risk_num(r, "dHv");
	if (x < 0) {
		risk_fail(r, "T", "温度低于沸点，不发生闪蒸", "below the boiling point nothing flashes");
		return;
	}
	if (x > 1) {
		risk_warn(r, "线性式大于 1，全部汽化", "the linear form is above 1: all of it evaporates");
	}
	risk_out(r, "fv_linear", fmin(x, 1));
	risk_out(r, "fv_exp", 1 - exp(-x));
	risk_out(r, "airborne", x > 0.2 ? 1 : fmin(risk_num(r, "factor") * x, 1));
}

static const struct risk_input in_flash[] = {
	IN_NUM("Cp", "J/kg/K", "液体比热", "heat capacity of the liquid", 100, 20000), IN_NUM("T", "K", "温度", "temperature", 15, 1500),
	IN_NUM("Tb", "K", "沸点", "boiling point", 4, 1500),
	IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 5e6),
	IN_OPT_NOTE("factor", "", "夹带倍数", "airborne per flashed, where less than 0.2 flashes", 1, 10, 2,
		{ "AQ/T 3046：2～5 倍；大于 0.2 不形成液池", "AQ/T 3046: 2 … 5 times; above 0.2 no pool forms" }), IN_END,
};
static const struct risk_output out_flash[] = { { "fv_linear", "", "闪蒸分率（线性）", "part evaporated, linear" },
	{ "fv_exp", "", "闪蒸分率（指数）", "part evaporated, exponential" },
	{ "airborne", "", "进入空气的分率", "part that becomes airborne (rule)" }, { 0 } };
static const struct risk_alias alias_flash[] = { { "adiabatic flash fraction*", NULL, NULL }, { 0 } };
const struct risk_model model_flash = { "flash", "绝热闪蒸", "adiabatic flash", "Crowl & Louvar 4-7; rule of AQ/T 3046", { 0 }, in_flash,
	out_flash, alias_flash, NULL, run_flash };

// ---- Dow chemical exposure index -----------------------------------------------------------------------------------------------------

static void run_cei(struct risk_run *r)
{
	double d = risk_num(r, "D"), t = risk_num(r, "T"), aq = 4.751e-6 * d * d * risk_num(r, "Pa") * sqrt(risk_num(r, "MW") / (t + 273)),
	erpg = risk_num(r, "ERPG2");
	risk_out(r, "AQ", aq);
	risk_out(r, "CEI", fmin(655.1 * sqrt(aq / erpg), 1000));
	risk_out(r, "HD", fmin(6551 * sqrt(aq / erpg), 10000));
}

static const struct risk_input in_cei[] = {
	IN_NUM("D", "mm", "孔径", "diameter of the hole", 0.1, 2000), IN_NUM("Pa", "kPa", "压力（绝压）", "pressure, absolute", 101.325,
		1e5), IN_NUM("MW", "kg/kmol", "摩尔质量", "molar mass", 1, 500),
	IN_NUM("T", "degC", "温度", "temperature", -200, 600), IN_NUM("ERPG2", "mg/m3", "ERPG-2", "ERPG-2", 1e-4, 1e6), IN_END,
};
static const struct risk_output out_cei[] = { { "AQ", "kg/s", "空气中释放速率", "airborne rate" },
	{ "CEI", "", "化学暴露指数", "index, at most 1000" }, { "HD", "m", "危害距离", "hazard distance, at most 10 km" }, { 0 } };
const struct risk_model model_cei = { "dow-cei", "道化学暴露指数（气体）", "Dow chemical exposure index (gas)",
	"Dow CEI Guide, 2nd ed. 1994 [M]", { "气体释放", "gas release" }, in_cei, out_cei, CALLED(AS("Dow CEI*"), AS("Dow chemical exposure index*")), NULL, run_cei };
