// A published chain for n-butane: leak, flash, droplets that stay in the air (RELEASE); and from the dense cloud to the energy
// of an explosion. Correlations of Perry's handbook, 8th ed. Entered in models.c. Pure; any thread.
#include "risk/dense.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

#define BUTANE_M 58.122    // kg/kmol
#define BUTANE_TC 425.12   // K
#define PSI 6894.757293168361
#define PA_EXAMPLE (14.7 * PSI)
#define AIR_EXAMPLE 28.960 // kg/kmol

static double liquid_density(double t)
{
	return BUTANE_M * 1.0677 / pow(0.27188, 1 + pow(1 - t / BUTANE_TC, 0.28688));
}

static double gas_density(double m, double t)
{
	return PA_EXAMPLE * m / (GAS_CONSTANT * t) / 1000;
}

static double heat_capacity(double t) // J/kmol/K
{
	return 191030 + t * (-1675 + t * (12.5 + t * (-0.03874 + t * 4.6121e-5)));
}

static double heat_of_vaporisation(double t) // J/kmol
{
	double tr = t / BUTANE_TC;
	return 3.6238e7 * pow(1 - tr, 0.8337 + tr * (-0.82274 + tr * 0.39613));
}

static double surface_tension(double t)
{
	return 0.05196 * pow(1 - t / BUTANE_TC, 1.2181);
}

struct fall {
	double t, rho, u, sign;
};

// Weight of a droplet of diameter d less its drag at the critical velocity.
static double balance(double d, const void *ctx)
{
	const struct fall *f = ctx;
	double mu = 1.425e-6 * pow(f->t, 0.5039) / (1 + 108.3 / f->t), re = f->rho * f->u * d / mu,
	drag = 0.4 + 24 / re + 6 / (1 + f->sign * sqrt(re));
	return (liquid_density(f->t) - f->rho) * 9.81 * d - 0.75 * drag * f->rho * f->u * f->u;
}

// The largest diameter between 0.1 and 10 (or 1000, if none there) times d at which the droplet floats.
static bool floating(const struct fall *f, double d, double *ret)
{
	for (double top = 10 * d; top > 0.1 * d; top *= 0.98) {
		double a = balance(top * 0.98, f), b = balance(top, f);
		if (a * b <= 0 && fabs(a) + fabs(b) < 1e6 && num_root(balance, f, top * 0.98, top, ret)) {
			return true;
		}
	}
	return num_root(balance, f, 10 * d, 1e4 * d, ret);
}

static const char *const menu_drag[] = { "published", "white", NULL };

static void run_leak(struct risk_run *r)
{
	double t = risk_num(r, "T"), tb = risk_num(r, "Tb"), rho = liquid_density(t), d = risk_num(r, "d_hole"),
	dp = risk_num(r, "p_gauge") * PSI;
	if (t <= tb) {
		risk_fail(r, "T", "温度不高于沸点，不发生闪蒸", "not above the boiling point: nothing flashes");
		return;
	}
	double u = sqrt(2 * dp / rho + 2 * 9.81 * risk_num(r, "head")), ql = risk_num(r, "Cd") * rho * M_PI / 4 * d * d * u;
	double fv = heat_capacity(t) * (t - tb) / heat_of_vaporisation(t);
	double drop = fmin(12 * surface_tension(tb) / (gas_density(AIR_EXAMPLE, tb) * u * u), 0.03 / (10 + 4 * (t - tb)));
	struct fall f = { tb, gas_density(BUTANE_M, tb), u * tan(4.46 * M_PI / 180), risk_choice(r, "drag") ? 1 : -1 };
	double crit, s = log(1.8);
	if (!floating(&f, drop, &crit)) {
		risk_fail(r, "p_gauge", "求不出临界液滴直径", "no critical droplet diameter");
		return;
	}
	if (f.sign < 0) {
		risk_warn(r, "阻力系数按已发表算例 6/(1-√Re)；White 原式为 6/(1+√Re)（drag=white），气溶胶分率更大",
			  "drag as in the published example, 6/(1-sqrt Re); White's law has 6/(1+sqrt Re) (drag=white) and leaves more in the air");
	}
	double fa = 0.5 * (1 - erf((3 * s * s - log(crit) + log(drop)) / (M_SQRT2 * s)));
	risk_out(r, "Ql", ql);
	risk_out(r, "fv", fv);
	risk_out(r, "d_drop", drop);
	risk_out(r, "d_crit", crit);
	risk_out(r, "fa", fa);
	risk_out(r, "Q_airborne", ql * (fv + fa * (1 - fv)));
}

static const struct risk_input in_leak[] = {
	IN_OVER("p_gauge", "psig", "表压", "gauge pressure", 0, 600), IN_NUM("d_hole", "m", "孔径", "diameter of the hole", 1e-3, 1),
	IN_OPT("Cd", "", "流量系数", "discharge coefficient", 0.05, 1, 0.61),
	IN_OPT("head", "m", "液柱高度", "height of the liquid above the hole", 0, 100, 0),
	IN_NUM("T", "K", "温度", "temperature", 250, 400), IN_OPT("Tb", "K", "沸点", "boiling point", 250, 300, 272.55),
	IN_MENU_OPT("drag", "液滴阻力", "drag of the droplets", menu_drag),
	IN_TEXT_OPT("substance", "物质", "substance", { "固定为正丁烷", "always n-butane" }), IN_END,
};
static const struct risk_output out_leak[] = {
	{ "Ql", "kg/s", "泄漏速率", "rate of the leak" }, { "fv", "", "闪蒸分率", "part evaporated" },
	{ "d_drop", "m", "液滴直径", "diameter of the droplets" }, { "d_crit", "m", "临界直径", "critical diameter" },
	{ "fa", "", "气溶胶分率", "part of the rest that stays in the air" }, { "Q_airborne", "kg/s", "进入空气速率", "airborne rate" }, { 0 },
};
static const struct risk_alias alias_leak[] = { { "liquid leak + adiabatic flash + RELEASE*", NULL, NULL }, { 0 } };
const struct risk_model model_butane_leak = { "butane-leak", "丁烷泄漏链（闪蒸与液滴）", "butane leak: flash and droplets",
	"Woodward 1998; Johnson & Woodward 1999 (RELEASE); CCPS 1996, 1999; Perry 8th ed.",
	{ "高于沸点的正丁烷", "n-butane above its boiling point" }, in_leak, out_leak, alias_leak, NULL, run_leak };

// ---- dense cloud to explosion energy ------------------------------------------------------------------------------

static void run_cloud(struct risk_run *r)
{
	double fv = risk_num(r, "fv"), fa = risk_num(r, "fa"), tc = risk_num(r, "T_cloud"), ta = risk_num(r, "T_air"),
	h = risk_num(r, "h_release");
	static const double exponent[6] = { 0.07, 0.07, 0.10, 0.15, 0.35, 0.55 };
	double u10 = risk_num(r, "u_at_release") * pow(10 / h, exponent[risk_choice(r, "stability")]), ustar = 0.06 * u10; // EPA TSCREEN
	double rho = 1 / (fv / gas_density(BUTANE_M, tc) + (1 - fv) * fa / liquid_density(tc)), rho_a = gas_density(AIR_EXAMPLE, ta);
	double g0 = 9.806 * (rho - rho_a) / rho_a, v = risk_num(r, "Q_airborne") / rho, alpha = 0.2 * log10(g0 * g0 * v * pow(u10, -5)),
	d = sqrt(v / u10);
	if (rho <= rho_a) {
		risk_fail(r, "T_cloud", "云团不比空气重", "the cloud is not heavier than the air");
		return;
	}
	double iso = bm_warm_inverse(0.5 * risk_num(r, "LFL"), tc, ta), x = d * bm_plume_x_of(alpha, true, iso), volume = 0.03 * x * x * x;
	double eta = 1 / (1 + 6.5 / 0.20946); // C4H10 + 6.5 O2, oxygen of dry air
	risk_out(r, "u_star", ustar);
	risk_out(r, "Ri", g0 * v / (h * ustar));
	risk_out(r, "alpha", alpha);
	risk_out(r, "c_iso", iso);
	risk_out(r, "x_half_LFL", x);
	risk_out(r, "V_pes", volume);
	risk_out(r, "eta", eta);
	risk_out(r, "E", volume * eta * PA_EXAMPLE / (GAS_CONSTANT * tc) * risk_num(r, "dHc"));
}

static const struct risk_input in_cloud[] = {
	IN_NUM("Q_airborne", "kg/s", "进入空气速率", "airborne rate", 1e-3, 1e5), IN_NUM("fv", "", "闪蒸分率", "part evaporated", 0.001, 1),
	IN_NUM("fa", "", "气溶胶分率", "part of the rest that stays in the air", 0, 1),
	IN_NUM("u_at_release", "m/s", "释放高度风速", "wind speed at the release", 0.5, 30),
	IN_NUM("h_release", "m", "释放高度", "height of the release", 0.5, 100), IN_STABILITY,
	IN_NUM("T_air", "K", "气温", "air temperature", 220, 330), IN_NUM("T_cloud", "K", "云团温度", "temperature of the cloud", 200, 350),
	IN_NUM("LFL", "", "爆炸下限", "lower flammability limit, volume fraction", 0.001, 0.5),
	IN_NUM("dHc", "kJ/mol", "燃烧热", "heat of combustion", 100, 20000), IN_END,
};
static const struct risk_output out_cloud[] = {
	{ "u_star", "m/s", "摩擦速度", "friction velocity, 0.06 u10" }, { "Ri", "", "理查森数", "Richardson number" },
	{ "alpha", "", "α", "alpha" }, { "c_iso", "", "等温浓度", "isothermal concentration of half the LFL" },
	{ "x_half_LFL", "m", "1/2 LFL 距离", "distance of half the LFL" },
	{ "V_pes", "m3", "潜在爆炸体积", "potential explosion site, 0.03 x^3" },
	{ "eta", "", "化学计量体积分数", "stoichiometric volume fraction" },
	{ "E", "kJ", "爆炸能量", "energy" }, { 0 },
};
static const struct risk_alias alias_cloud[] = { { "dense cloud (Britter-McQuaid) -> 1/2 LFL*", NULL, NULL }, { 0 } };
const struct risk_model model_butane_cloud = { "butane-cloud", "丁烷重气云至爆炸能量", "butane cloud to explosion energy",
	"Britter-McQuaid with the CCPS 1999 print of the 0.005 curve; CCPS 2000, 2010", { "正丁烷，连续释放", "n-butane, continuous release" },
	in_cloud, out_cloud, alias_cloud, NULL, run_cloud };
