// Fireballs and flash fires. Entered in models.c. Pure; any thread.
#include "risk/fire.h"
#include "risk/gauss.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

struct ball {
	double d, t; // m, s
};

static struct ball ball_ccps(double m)
{
	return (struct ball){ 5.8 * cbrt(m), m < 30000 ? 0.45 * cbrt(m) : 2.6 * pow(m, 1.0 / 6) };
}

static struct ball ball_tno(double m)
{
	return (struct ball){ 6.48 * pow(m, 0.325), 0.852 * pow(m, 0.26) };
}

static struct ball ball_gost(double m)
{
	return (struct ball){ 5.33 * pow(m, 0.327), 0.92 * pow(m, 0.303) };
}

static double probit_gost(double t, double q) // q kW/m2
{
	return -14.9 + 2.56 * log(t * pow(q, 4.0 / 3));
}

static void run_size(struct risk_run *r)
{
	double m = risk_num(r, "M");
	struct ball c = ball_ccps(m), t = ball_tno(m), g = ball_gost(m);
	risk_out(r, "D_ccps", c.d);
	risk_out(r, "t_ccps", c.t);
	risk_out(r, "H_ccps", 0.75 * c.d);
	risk_out(r, "D_tno", t.d);
	risk_out(r, "t_tno", t.t);
	risk_out(r, "D_gost", g.d);
	risk_out(r, "t_gost", g.t);
}

static const struct risk_input in_size[] = { IN_NUM("M", "kg", "可燃物质量", "mass of fuel", 0.1, 1e8), IN_END };
static const struct risk_output out_size[] = {
	{ "D_ccps", "m", "直径（CCPS）", "diameter, CCPS" }, { "t_ccps", "s", "持续时间（CCPS）", "duration, CCPS" },
	{ "H_ccps", "m", "球心高度（CCPS）", "height of the centre, CCPS" }, { "D_tno", "m", "直径（TNO）", "diameter, TNO" },
	{ "t_tno", "s", "持续时间（TNO）", "duration, TNO" }, { "D_gost", "m", "直径（GOST）", "diameter, GOST" },
	{ "t_gost", "s", "持续时间（GOST）", "duration, GOST" }, { 0 },
};
static const struct risk_alias alias_size[] = { { "fireball size/duration correlations*", NULL, NULL }, { 0 } };
const struct risk_model model_ball_size = { "fireball-size", "火球直径与时间", "size and duration of a fireball",
	"CCPS 1994; TNO Yellow Book; GOST R 12.3.047-98", { 0 }, in_size, out_size, alias_size, NULL, run_size };

static void run_gost(struct risk_run *r)
{
	struct ball b = ball_gost(risk_num(r, "m"));
	double h = b.d / 2, x = risk_num(r, "r"), given;
	if (risk_given(r, "H") && str_to_f64(risk_text(r, "H"), &given)) {
		h = num_clamp(given, 0, 1e4);
	}
	double a = h / b.d + 0.5, f = a / (4 * pow(a * a + x / b.d * x / b.d, 1.5)),
	q = risk_num(r, "Ef") * f * exp(-7e-4 * fmax(hypot(x, h) - b.d / 2, 0));
	risk_out(r, "D", b.d);
	risk_out(r, "t", b.t);
	risk_out(r, "F", f);
	risk_out(r, "q", q);
	risk_out(r, "probit", probit_gost(b.t, q));
	risk_out(r, "P", num_phi(probit_gost(b.t, q) - 5));
}

static const struct risk_input in_gost[] = {
	IN_NUM("m", "kg", "可燃物质量", "mass of fuel", 1, 1e8), IN_OPT("Ef", "kW/m2", "表面热辐射", "surface emissive power", 10, 600,
		450), IN_NUM("r", "m", "距离", "distance at the ground", 0.1, 1e5),
	IN_TEXT_OPT("H", "球心高度", "height of the centre", { "D/2，或米数", "D/2, or metres" }), IN_END,
};
static const struct risk_output out_gost[] = {
	{ "D", "m", "直径", "diameter" }, { "t", "s", "持续时间", "duration" }, { "F", "", "视角系数", "view factor" },
	{ "q", "kW/m2", "热辐射", "radiation" }, { "probit", "", "概率单位", "probit of death" },
	{ "P", "", "死亡概率", "probability of death" }, { 0 },
};
static const struct risk_alias alias_gost[] = { { "fireball thermal radiation*", NULL, NULL }, { 0 } };
const struct risk_model model_ball_gost = { "fireball-gost", "火球热辐射（GOST）", "radiation of a fireball (GOST)",
	"GOST R 12.3.047-98 annexes D, E", { 0 }, in_gost, out_gost, alias_gost, NULL, run_gost };

static void run_bleve(struct risk_run *r)
{
	double m = risk_num(r, "M"), x = risk_num(r, "x"), dhc = risk_num(r, "dHc");
	struct ball b = ball_ccps(m);
	double h = 0.75 * b.d, eta = risk_given(r, "P") ? fmin(0.27 * pow(risk_num(r, "P") / 1e6, 0.32), 0.4) : risk_num(r, "eta");
	double sep = risk_given(r, "SEP") ? risk_num(r, "SEP") : eta * m * dhc / (M_PI * b.d * b.d * b.t), away = hypot(x, h), rad = b.d / 2;
	if (away <= rad) {
		risk_fail(r, "x", "目标在火球内", "the target is inside the fireball");
		return;
	}
	double fmax_ = rad * rad / (away * away), fv = x * rad * rad / pow(away, 3),
	tau = transmissivity(risk_num(r, "RH"), risk_num(r, "T"), away - rad);
	double ground = x * rad * rad / pow(x * x + rad * rad, 1.5), q = sep * fmax_ * tau;
	risk_out(r, "D", b.d);
	risk_out(r, "t", b.t);
	risk_out(r, "H", h);
	risk_out(r, "SEP", sep);
	risk_out(r, "tau", tau);
	risk_out(r, "q", q);
	risk_out(r, "q_vertical", sep * fv * tau);
	risk_out(r, "Fv_ground", ground);
	risk_out(r, "q_ground", sep * ground);
	risk_out(r, "dose", pow(q * 1000, 4.0 / 3) * b.t);
	risk_out(r, "probit", -36.38 + 2.56 * log(pow(q * 1000, 4.0 / 3) * b.t));
	risk_out(r, "q_hymes", 2.2 * tau * eta * dhc * pow(m, 0.67) / (4 * M_PI * away * away));
	if (sep > 400) {
		risk_warn(r, "表面热辐射 %.3g kW/m2 高于常见的 200～350", "the emissive power %.3g kW/m2 is above the usual 200 … 350", sep);
	}
}

static const struct risk_input in_bleve[] = {
	IN_NUM("M", "kg", "可燃物质量", "mass of fuel", 1, 1e8), IN_OPT("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5, 46000),
	IN_OPT("P", "Pa", "破裂压力", "pressure at the burst (eta = 0.27 P^0.32, MPa)", 1e5, 5e7, NAN),
	IN_OPT_NOTE("eta", "", "辐射分数", "part radiated", 0.05, 0.6, 0.3, { "低于泄放压力 0.3，泄放压力 0.4（Roberts、Hymes）", "0.3 below, 0.4 at relief pressure (Roberts, Hymes)" }),
	IN_OPT("SEP", "kW/m2", "表面热辐射", "surface emissive power, instead of eta", 10, 600, NAN),
	IN_NUM("x", "m", "地面距离", "distance at the ground", 1, 1e5), IN_OPT("RH", "%", "相对湿度", "relative humidity", 0, 100, 50),
	IN_OPT("T", "K", "气温", "air temperature", 220, 330, 293.15), IN_END,
};
static const struct risk_output out_bleve[] = {
	{ "D", "m", "直径", "diameter" }, { "t", "s", "持续时间", "duration" }, { "H", "m", "球心高度", "height of the centre" },
	{ "SEP", "kW/m2", "表面热辐射", "surface emissive power" }, { "tau", "", "透射率", "transmissivity" },
	{ "q", "kW/m2", "热辐射", "radiation on a target that faces the ball" },
	{ "q_vertical", "kW/m2", "垂直目标热辐射", "on a vertical target" },
	{ "Fv_ground", "", "贴地火球视角系数", "view factor of a ball on the ground, vertical target" },
	{ "q_ground", "kW/m2", "贴地火球热辐射", "of a ball on the ground, without the air" },
	{ "dose", "(W/m2)^(4/3) s", "热剂量", "dose" }, { "probit", "", "概率单位", "probit of death (Tsao-Perry, AQ/T 3046)" },
	{ "q_hymes", "kW/m2", "热辐射（Hymes）", "radiation, Hymes" }, { 0 },
};
static const struct risk_alias alias_bleve[] = { { "BLEVE*", NULL, NULL }, { 0 } };
const struct risk_model model_bleve = { "bleve", "BLEVE 火球", "BLEVE fireball", "CCPS 1994, 1999; Roberts 1981; Hymes 1983", { 0 },
	in_bleve, out_bleve, alias_bleve, NULL, run_bleve };

static void run_epa_ball(struct risk_run *r)
{
	double m = risk_num(r, "M"), t = ball_ccps(m).t;
	risk_out(r, "t", t);
	risk_out(r, "distance", sqrt(2.2 * risk_num(r, "tau") * risk_num(r, "R") * risk_num(r, "dHc") * 1000 * pow(m,
		0.67) / (4 * M_PI * pow(3.42e6 / t, 0.75))));
}

static const struct risk_input in_epa_ball[] = {
	IN_NUM("M", "kg", "可燃物质量", "mass of fuel", 1, 1e8), IN_OPT("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5, 46333),
	IN_OPT("R", "", "辐射分数", "part radiated", 0.05, 1, 0.4), IN_OPT("tau", "", "透射率", "transmissivity", 0.05, 1, 1), IN_END,
};
static const struct risk_output out_epa_ball[] = { { "t", "s", "持续时间", "duration" },
	{ "distance", "m", "二度烧伤距离", "distance of second-degree burns" }, { 0 } };
const struct risk_model model_epa_ball = { "epa-fireball", "火球二度烧伤距离（EPA）", "fireball, second-degree burns (EPA)",
	"EPA RMP OCA Guidance, after Hymes; dose 3.42e6 (W/m2)^(4/3) s", { 0 }, in_epa_ball, out_epa_ball,
	CALLED(AS("EPA OCA fireball*"), AS("EPA fireball*")), NULL, run_epa_ball };

// ---- flash fire --------------------------------------------------------------------------------------------------------------

static double reach(const struct gauss *g, double want)
{
	for (double x = 5e4; x > 1; x /= 1.01) {
		if (gauss_plume(g, x, 0, g->h) > want) {
			return x;
		}
	}
	return 0;
}

static void run_flash_fire(struct risk_run *r)
{
	struct gauss g = { (enum sigma_set)risk_choice(r, "sigma_set"), risk_choice(r, "stability"), risk_num(r, "Q"), risk_num(r, "u"),
		risk_num(r, "h"), gauss_averaging(risk_num(r, "t_avg")) };
	double lfl = risk_num(r, "LFL") * risk_num(r, "M") / 1000 * ATM / (GAS_CONSTANT * risk_num(r, "T"));
	struct sigma s;
	if (!sigma_at(g.set, g.stability, 100, &s)) {
		risk_fail(r, "stability", "该组参数只有稳定度 D", "this set has class D only");
		return;
	}
	risk_out(r, "C_LFL", lfl);
	risk_out(r, "distance_LFL", reach(&g, lfl));
	risk_out(r, "distance_half_LFL", reach(&g, lfl / 2));
	if (risk_num(r, "M") > 29 * 1.2) {
		risk_warn(r, "气体较空气重得多，宜用重气模型（britter-mcquaid-plume、slab-jet）",
			"the gas is much heavier than air: use a dense-gas model (britter-mcquaid-plume, slab-jet)");
	}
}

static const struct risk_input in_flash_fire[] = {
	IN_NUM("Q", "kg/s", "释放速率", "rate", 1e-3, 1e5), IN_WIND, IN_STABILITY, IN_SIGMA_SET,
	IN_OPT("h", "m", "源高", "height of the source", 0, 500, 0), IN_NUM("LFL", "", "爆炸下限",
		"lower flammability limit, volume fraction", 0.001, 0.5),
	IN_NUM("M", "kg/kmol", "摩尔质量", "molar mass", 1, 500), IN_OPT("T", "K", "气温", "air temperature", 220, 330, 298.15),
	IN_OPT("t_avg", "s", "平均时间", "averaging time of flammable clouds", 1, 600, 20), IN_END,
};
static const struct risk_output out_flash_fire[] = { { "C_LFL", "kg/m3", "爆炸下限浓度", "LFL as a concentration" },
	{ "distance_LFL", "m", "LFL 距离（死亡 100 %）", "distance of the LFL: death inside, none outside" },
	{ "distance_half_LFL", "m", "1/2 LFL 距离", "distance of half the LFL" }, { 0 } };
const struct risk_model model_flash_fire = { "flash-fire", "闪火", "flash fire",
	"AQ/T 3046: death inside the LFL, none outside; cloud by gaussian-plume at the height of the source", { "与空气密度相近的气体", "gas about as heavy as air" },
	in_flash_fire, out_flash_fire, NULL, NULL, run_flash_fire };
