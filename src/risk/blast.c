// Blast of condensed explosives, TNT equivalence of vapour clouds, damage. Entered in models.c. Pure; any thread.
#include "risk/blast.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

struct fit {
	double from, to, c[7]; // ln value = sum c[i] (ln Z)^i
};

static const struct fit fits[KB__MAX][5] = {
	[KB_SIDE_ON] = { { 0.2, 2.9, { 7.2106, -2.1069, -0.3229, 0.1117, 0.0685 } },
		{ 2.9, 23.8, { 7.5938, -3.0523, 0.40977, 0.0261, -0.01267 } }, { 23.8, 198.5, { 6.0536, -1.4066 } } },
	[KB_REFLECTED] = { { 0.06, 2, { 9.006, -2.6893, -0.6295, 0.1011, 0.29255, 0.13505, 0.019736 } },
		{ 2, 40, { 8.8396, -1.733, -2.64, 2.293, -0.8232, 0.14247, -0.0099 } } },
	[KB_ARRIVAL] = { { 0.06, 1.5, { -0.7604, 1.8058, 0.1257, -0.0437, -0.0310, -0.00669 } },
		{ 1.5, 40, { -0.7137, 1.5732, 0.5561, -0.4213, 0.1054, -0.00929 } } },
	[KB_DURATION] = { { 0.2, 1.02, { 0.5426, 3.2299, -1.5931, -5.9667, -4.0815, -0.9149 } },
		{ 1.02, 2.8, { 0.5440, 2.7082, -9.7354, 14.3425, -9.7791, 2.8535 } },
		{ 2.8, 40, { -2.4608, 7.1639, -5.6215, 2.2711, -0.44994, 0.03486 } } },
	[KB_IMPULSE] = { { 0.2, 0.96, { 5.522, 1.117, 0.6, -0.292, -0.087 } }, { 0.96, 2.38, { 5.465, -0.308, -1.464, 1.362, -0.432 } },
		{ 2.38, 33.7, { 5.2749, -0.4677, -0.2499, 0.0588, -0.00554 } }, { 33.7, 158.7, { 5.9825, -1.062 } } },
	[KB_IMPULSE_REFLECTED] = { { 0.06, 40, { 6.7853, -1.3466, 0.101, -0.01123 } } },
	[KB_VELOCITY] = { { 0.06, 1.5, { 0.1794, -0.956, -0.0866, 0.109, 0.0699, 0.01218 } },
		{ 1.5, 40, { 0.2597, -1.326, 0.3767, 0.0396, -0.0351, 0.00432 } } },
};

double kingery_bulmash(enum kb what, double z)
{
	for (const struct fit *f = fits[what]; f < fits[what] + 5 && f->to > 0; f++) {
		if (z >= f->from && z <= f->to) {
			double sum = 0, l = log(z);
			for (int i = 6; i >= 0; i--) {
				sum = sum * l + f->c[i];
			}
			return exp(sum);
		}
	}
	return NAN;
}

double kinney_graham(double z, double factor)
{
	return factor * (1 + pow(z / 4.5, 2)) / sqrt((1 + pow(z / 0.048, 2)) * (1 + pow(z / 0.32, 2)) * (1 + pow(z / 1.35, 2)));
}

// ---- Kingery-Bulmash ---------------------------------------------------------------------------------------------

static const struct { const char *name; double power; } kb_out[KB__MAX] = {
	{ "P_side_on", 0 }, { "P_reflected", 0 }, { "t_arrival", 1 }, { "t_positive", 1 }, { "I_side_on", 1 }, { "I_reflected", 1 },
	{ "U_shock", 0 },
};

// field: the input that is wrong if z is outside of every fit
static void out_kb(struct risk_run *r, const char *field, double z, double cube_root)
{
	int n = 0;
	for (int i = 0; i < KB__MAX; i++) {
		double v = kingery_bulmash((enum kb)i, z);
		if (isnan(v)) {
			risk_warn(r, "Z = %.4g 超出 %s 的拟合范围，未给出", "Z = %.4g is outside of the fit of %s, which is left out", z,
				kb_out[i].name);
			continue;
		}
		n++;
		risk_out(r, kb_out[i].name, v * (kb_out[i].power > 0 ? cube_root : 1));
	}
	if (!n) {
		risk_fail(r, field, "Z = %.4g m/kg^(1/3) 超出全部拟合范围 0.06～198.5",
			"Z = %.4g m/kg^(1/3) is outside of every fit, 0.06 … 198.5", z);
	}
}

static void run_kb(struct risk_run *r)
{
	if (risk_given(r, "Z")) {
		out_kb(r, "Z", risk_num(r, "Z"), 1);
	} else {
		risk_fail(r, "Z", "应给出 Z", "Z is needed");
	}
}

static const struct risk_input in_kb[] = { IN_NUM("Z", "m/kg^(1/3)", "比例距离", "scaled distance", 0.06, 198.5), IN_END };
static const struct risk_output out_kb_scaled[] = {
	{ "t_arrival", "ms/kg^(1/3)", "到达时间", "arrival" }, { "t_positive", "ms/kg^(1/3)", "正压时间", "positive duration" },
	{ "P_side_on", "kPa", "入射超压", "side-on overpressure" }, { "P_reflected", "kPa", "反射超压", "reflected overpressure" },
	{ "I_side_on", "kPa ms/kg^(1/3)", "入射冲量", "side-on impulse" },
	{ "I_reflected", "kPa ms/kg^(1/3)", "反射冲量", "reflected impulse" }, { "U_shock", "m/ms", "激波速度", "shock velocity" }, { 0 },
};
static const struct risk_alias alias_kb[] = { { "Kingery-Bulmash hemispherical*", NULL, NULL },
	{ "Kingery-Bulmash far-field*", NULL, NULL }, { 0 } };
#define KB_SOURCE "Swisdak, Simplified Kingery Airblast Calculations, ADA526744, 1994; hemispherical TNT charge at the ground"
const struct risk_model model_kb = { "kingery-bulmash", "TNT 地面爆炸（比例量）", "Kingery-Bulmash, scaled", KB_SOURCE,
	{ "Z 0.06 至 198.5，各量范围不同", "Z 0.06 … 198.5; each quantity has its own range" }, in_kb, out_kb_scaled, alias_kb, NULL, run_kb };

static void run_kb_charge(struct risk_run *r)
{
	double c = cbrt(risk_num(r, "W") * risk_num(r, "factor")), z = risk_num(r, "r") / c;
	risk_out(r, "Z", z);
	out_kb(r, "r", z, c);
}

static const struct risk_input in_kb_charge[] = {
	IN_NUM("W", "kg", "装药量", "charge", 1e-3, 1e8), IN_NUM("r", "m", "距离", "range", 0.01, 1e6),
	IN_OPT("factor", "", "TNT 当量系数", "TNT equivalent of the explosive", 0.1, 3, 1), IN_END,
};
static const struct risk_output out_kb_range[] = {
	{ "Z", "m/kg^(1/3)", "比例距离", "scaled distance" }, { "t_arrival", "ms", "到达时间", "arrival" },
	{ "t_positive", "ms", "正压时间", "positive duration" }, { "P_side_on", "kPa", "入射超压", "side-on overpressure" },
	{ "P_reflected", "kPa", "反射超压", "reflected overpressure" }, { "I_side_on", "kPa ms", "入射冲量", "side-on impulse" },
	{ "I_reflected", "kPa ms", "反射冲量", "reflected impulse" }, { "U_shock", "m/ms", "激波速度", "shock velocity" }, { 0 },
};
static const struct risk_alias alias_kb_charge[] = { { "Kingery-Bulmash, charge & range*", NULL, NULL }, { 0 } };
const struct risk_model model_kb_charge = { "kingery-bulmash-charge", "凝聚相炸药爆炸", "condensed explosive (Kingery-Bulmash)", KB_SOURCE,
	{ "Z 0.06 至 198.5", "Z 0.06 … 198.5" }, in_kb_charge, out_kb_range, alias_kb_charge, NULL, run_kb_charge };

static const char *const menu_surface[] = { "free-air", "surface", NULL };

static void run_kg(struct risk_run *r)
{
	double ratio = kinney_graham(risk_num(r, "Z"), risk_choice(r, "burst") ? 1616 : 808);
	risk_out(r, "P_ratio", ratio);
	risk_out(r, "P", ratio * risk_num(r, "Pa") / 1000);
}

static const struct risk_input in_kg[] = { IN_NUM("Z", "m/kg^(1/3)", "比例距离", "scaled distance", 0.05, 500),
	IN_MENU_OPT("burst", "爆炸位置", "burst", menu_surface), IN_OPT("Pa", "Pa", "大气压", "ambient pressure", 3e4, 2e5, ATM), IN_END };
static const struct risk_output out_kg[] = { { "P_ratio", "", "超压比 p/pa", "overpressure by ambient" },
	{ "P", "kPa", "超压", "overpressure" }, { 0 } };
static const struct risk_alias alias_kg[] = { { "Kinney-Graham*", NULL, NULL }, { 0 } };
const struct risk_model model_kg = { "kinney-graham", "TNT 空中爆炸（Kinney-Graham）", "Kinney-Graham",
	"Kinney & Graham 1985 (808, free air); Crowl & Louvar 6-21 (1616, charge at the ground)", { 0 }, in_kg, out_kg, alias_kg, NULL, run_kg };

// ---- TNT equivalence --------------------------------------------------------------------------------------------------

static const char *const menu_curve[] = { "crowl-louvar", "kinney-graham", "kingery-bulmash", NULL };

static void run_tnt(struct risk_run *r)
{
	double w = risk_num(r, "eta") * risk_num(r, "ground") * risk_num(r, "m") * risk_num(r, "dHc") / risk_num(r, "E_TNT"),
	z = risk_num(r, "r") / cbrt(w), p;
	int curve = risk_choice(r, "curve");
	p = curve == 2 ? kingery_bulmash(KB_SIDE_ON, z) : ATM / 1000 * kinney_graham(z, curve ? 808 : 1616);
	if (isnan(p)) {
		risk_fail(r, "r", "比例距离 %.4g 超出 Kingery-Bulmash 范围 0.2～198.5",
			"scaled distance %.4g is outside of Kingery-Bulmash, 0.2 … 198.5", z);
		return;
	}
	risk_out(r, "W_TNT", w);
	risk_out(r, "Z", z);
	risk_out(r, "P", p);
}

#define IN_TNT IN_NUM("m", "kg", "可燃物质量", "mass of fuel", 1e-3, 1e9), IN_NUM("dHc", "kJ/kg", "燃烧热", "heat of combustion", 100, 2e5)
#define IN_Q_TNT(d) IN_OPT_NOTE("E_TNT", "kJ/kg", "TNT 爆热", "energy of TNT", 3500, 5500, d, \
	{ "4184 AQ/T，4520 国标与 GOST，4600 CHEF，4680 EPA、Casal，4686 Crowl", "4184 AQ/T, 4520 GB and GOST, 4600 CHEF, 4680 EPA, Casal, 4686 Crowl" })
static const struct risk_input in_tnt[] = {
	IN_TNT, IN_OPT_NOTE("eta", "", "爆炸当量系数", "yield", 0.001, 1, 0.04, { "0.03～0.10", "0.03 … 0.10" }),
	IN_OPT_NOTE("ground", "", "地面爆炸系数", "factor for a burst at the ground", 1, 2, 1, { "国内常取 1.8", "1.8 in Chinese practice" }), IN_Q_TNT(4686),
	IN_NUM("r", "m", "距离", "distance", 0.1, 1e6), IN_MENU_OPT("curve", "超压曲线", "curve of overpressure", menu_curve), IN_END,
};
static const struct risk_output out_tnt[] = { { "W_TNT", "kg", "TNT 当量", "TNT equivalent" },
	{ "Z", "m/kg^(1/3)", "比例距离", "scaled distance" }, { "P", "kPa", "超压", "overpressure" }, { 0 } };
static const struct risk_alias alias_tnt[] = { { "TNT equivalence of*", NULL, NULL }, { 0 } };
const struct risk_model model_tnt = { "tnt-equivalence", "TNT 当量法", "TNT equivalence", "Crowl & Louvar 6-24, 6-21",
	{ "须说明所用曲线：1 kg、30 m 处三者分别为 5.6、2.9、3.6 kPa", "says which curve: at 30 m from 1 kg they give 5.6, 2.9 and 3.6 kPa" }, in_tnt, out_tnt, alias_tnt, NULL, run_tnt };

static void run_mills(struct risk_run *r)
{
	double w = risk_num(r, "eta") * risk_num(r, "m") * risk_num(r, "dHc") / risk_num(r, "E_TNT"), d = risk_num(r, "r") / cbrt(w),
	p = risk_num(r, "P0") / 1e5 * (1 / d + 4 / (d * d) + 12 / (d * d * d));
	risk_out(r, "W_TNT", w);
	risk_out(r, "Z", d);
	risk_out(r, "dP", p);
}

static const struct risk_input in_mills[] = { IN_TNT, IN_OPT("eta", "", "爆炸当量系数", "yield", 0.001, 1, 0.03), IN_Q_TNT(4680),
	IN_NUM("r", "m", "距离", "distance", 0.1, 1e6), IN_OPT("P0", "Pa", "大气压", "ambient pressure", 3e4, 2e5, ATM), IN_END };
static const struct risk_output out_mills[] = { { "W_TNT", "kg", "TNT 当量", "TNT equivalent" },
	{ "Z", "m/kg^(1/3)", "比例距离", "scaled distance" }, { "dP", "bar", "超压", "overpressure" }, { 0 } };
static const struct risk_alias alias_mills[] = { { "TNT-equivalent VCE*", NULL, NULL }, { 0 } };
const struct risk_model model_mills = { "vce-tnt", "蒸气云爆炸（TNT，Casal）", "vapour cloud explosion by TNT (Casal)",
	"Casal 2008, 4.1; Mills: P0 (1/d + 4/d2 + 12/d3)", { 0 }, in_mills, out_mills, alias_mills, NULL, run_mills };

static void run_gost(struct risk_run *r)
{
	double m = risk_num(r, "dHc") / risk_num(r, "Q0") * risk_num(r, "m") * risk_num(r, "Z"), x = risk_num(r, "r"), a = cbrt(m);
	double dp = risk_num(r, "P0") * (0.8 * a / x + 3 * a * a / (x * x) + 5 * m / (x * x * x)), impulse = 123 * a * a / x;
	double y = 5 - 0.26 * log(pow(17500 / (dp * 1000), 8.4) + pow(290 / impulse, 9.3));
	risk_out(r, "m_eq", m);
	risk_out(r, "dP", dp);
	risk_out(r, "impulse", impulse);
	risk_out(r, "probit", y);
	risk_out(r, "P", num_phi(y - 5));
}

static const struct risk_input in_gost[] = {
	IN_NUM("m", "kg", "可燃物质量", "mass of fuel released", 1e-3, 1e9),
	IN_OPT("Z", "", "参与系数", "part that takes part", 0.001, 1, 0.1), IN_NUM("dHc", "J/kg", "燃烧热", "heat of combustion", 1e5, 2e8),
	IN_OPT("Q0", "J/kg", "TNT 爆热", "energy of TNT", 3.5e6, 5.5e6, 4.52e6),
	IN_NUM("r", "m", "距离", "distance", 1, 1e6), IN_OPT("P0", "kPa", "大气压", "ambient pressure", 30, 200, 101), IN_END,
};
static const struct risk_output out_gost[] = {
	{ "m_eq", "kg", "当量质量", "equivalent mass" }, { "dP", "kPa", "超压", "overpressure" }, { "impulse", "Pa s", "冲量", "impulse" },
	{ "probit", "", "概率单位", "probit of destruction" }, { "P", "", "概率", "probability" }, { 0 },
};
static const struct risk_alias alias_gost[] = { { "outdoor gas explosion*", NULL, NULL }, { 0 } };
const struct risk_model model_vce_gost = { "vce-gost", "室外气体爆炸（GOST）", "outdoor gas explosion (GOST)",
	"GOST R 12.3.047-98 annex E, exponents 1/3 and 2/3", { 0 }, in_gost, out_gost, alias_gost, NULL, run_gost };

static void run_epa(struct risk_run *r)
{
	double d = 17 * cbrt(risk_num(r, "yield_") * risk_num(r, "m") * risk_num(r, "dHc") / risk_num(r, "E_TNT"));
	risk_out(r, "D_m", d);
	risk_out(r, "D_mi", d / 1609.344);
}

static const struct risk_input in_epa[] = { IN_TNT, IN_OPT("yield_", "", "当量系数", "yield", 0.001, 1, 0.1), IN_Q_TNT(4680), IN_END };
static const struct risk_output out_epa[] = { { "D_m", "m", "1 psi 距离", "distance of 1 psi" },
	{ "D_mi", "mi", "1 psi 距离", "distance of 1 psi" }, { 0 } };
static const struct risk_alias alias_epa[] = { { "EPA OCA VCE distance*", NULL, NULL }, { 0 } };
const struct risk_model model_vce_epa = { "vce-epa", "蒸气云爆炸 1 psi 距离（EPA）", "vapour cloud explosion, 1 psi (EPA)",
	"EPA RMP OCA Guidance C-1: 17 (0.1 W Hc/HTNT)^(1/3)", { 0 }, in_epa, out_epa, alias_epa, NULL, run_epa };

// ---- zones by the Chinese simplified method -----------------------------------------------------------------------------

static double chinese(double z, const void *ctx)
{
	return 0.137 / (z * z * z) + 0.119 / (z * z) + 0.269 / z - 0.019 - *(const double *)ctx;
}

static void run_zones(struct risk_run *r)
{
	double e = risk_num(r, "eta") * risk_num(r, "ground") * risk_num(r, "m") * risk_num(r, "dHc") * 1000,
	w = e / 1000 / risk_num(r, "E_TNT"), scale = cbrt(e / ATM);
	static const struct { const char *name; double kpa; } zones[] = { { "R_severe", 44 }, { "R_light", 17 } };
	risk_out(r, "W_TNT", w);
	risk_out(r, "R_death", 13.6 * pow(w / 1000, 0.37));
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		double want = zones[i].kpa * 1000 / ATM, z;
		if (num_root(chinese, &want, 0.05, 14, &z)) {
			risk_out(r, zones[i].name, z * scale);
		}
	}
	risk_out(r, "R_property", risk_num(r, "K") * cbrt(w) / pow(1 + pow(3175 / w, 2), 1.0 / 6));
}

static const struct risk_input in_zones[] = {
	IN_TNT, IN_OPT("eta", "", "当量系数", "yield", 0.001, 1, 0.04),
	IN_OPT("ground", "", "地面爆炸系数", "factor for a burst at the ground", 1, 2, 1.8), IN_Q_TNT(4520),
	IN_OPT_NOTE("K", "", "财产损失系数", "constant of property damage", 1, 60, 4.6, { "4.6：二级 [M]", "4.6: class 2 [M]" }), IN_END,
};
static const struct risk_output out_zones[] = {
	{ "W_TNT", "kg", "TNT 当量", "TNT equivalent" }, { "R_death", "m", "死亡半径", "radius of death (50 %)" },
	{ "R_severe", "m", "重伤半径（44 kPa）", "severe injury, 44 kPa" }, { "R_light", "m", "轻伤半径（17 kPa）", "light injury, 17 kPa" },
	{ "R_property", "m", "财产损失半径", "property damage" }, { 0 },
};
const struct risk_model model_zones = { "vce-zones-cn", "蒸气云爆炸伤害分区（国内简化法）", "injury zones, Chinese simplified method",
	"practice of safety assessment [M]: R = 13.6 (W/1000)^0.37; dP = 0.137 Z^-3 + 0.119 Z^-2 + 0.269 Z^-1 - 0.019", { 0 }, in_zones,
	out_zones, CALLED(AS("Chinese simplified*"), AS("VCE injury zones*")), NULL, run_zones };

// ---- vessel burst, dust ---------------------------------------------------------------------------------------------------

static void run_burst(struct risk_run *r)
{
	double p1 = risk_num(r, "P1"), p0 = risk_num(r, "P0"), v = risk_num(r, "V"), k = risk_num(r, "k");
	if (p1 <= p0) {
		risk_fail(r, "P1", "破裂压力不高于环境压力", "the pressure is not above the ambient");
		return;
	}
	double brode = (p1 - p0) * v / (k - 1), isentropic = p1 * v / (k - 1) * (1 - pow(p0 / p1, (k - 1) / k)),
	isothermal = p1 * v * log(p1 / p0);
	double w = risk_num(r, "fraction") * isentropic / 1000 / risk_num(r, "E_TNT");
	risk_out(r, "E_brode", brode / 1e6);
	risk_out(r, "E_isentropic", isentropic / 1e6);
	risk_out(r, "E_isothermal", isothermal / 1e6);
	risk_out(r, "W_TNT", w);
	if (risk_given(r, "r")) {
		double z = risk_num(r, "r") / cbrt(w), p = kingery_bulmash(KB_SIDE_ON, z);
		if (isnan(p)) {
			risk_warn(r, "比例距离 %.4g 超出超压拟合范围，未给出",
				"scaled distance %.4g is outside of the fit; no overpressure is given", z);
		} else {
			risk_out(r, "P", p);
		}
	}
}

static const struct risk_input in_burst[] = {
	IN_NUM("P1", "Pa", "破裂压力（绝压）", "pressure at the burst, absolute", 1.01e5, 1e9),
	IN_OPT("P0", "Pa", "环境压力", "ambient pressure", 3e4, 2e5, ATM), IN_NUM("V", "m3", "容积", "volume of gas", 1e-4, 1e5),
	IN_NUM("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7),
	IN_OPT_NOTE("fraction", "", "冲击波能量分数", "part of the energy in the blast", 0.05, 1, 0.5, { "0.4～0.6", "0.4 … 0.6" }), IN_Q_TNT(4680),
	IN_OPT("r", "m", "距离", "distance", 0.1, 1e5, NAN), IN_END,
};
static const struct risk_output out_burst[] = {
	{ "E_brode", "MJ", "能量（Brode）", "energy, Brode" }, { "E_isentropic", "MJ", "能量（等熵）", "energy, isentropic" },
	{ "E_isothermal", "MJ", "能量（等温）", "energy, isothermal" }, { "W_TNT", "kg", "TNT 当量", "TNT equivalent" },
	{ "P", "kPa", "超压", "overpressure (Kingery-Bulmash)" }, { 0 },
};
static const struct risk_alias alias_burst[] = { { "vessel burst*", NULL, NULL }, { "pressure vessel burst*", NULL, NULL }, { 0 } };
const struct risk_model model_burst = { "vessel-burst", "压力容器爆裂", "vessel burst",
	"Brode 1959; isentropic and isothermal expansion; CCPS 1994", { "充气容器，不计碎片", "gas-filled vessel; no fragments" }, in_burst, out_burst, alias_burst, NULL,
	run_burst };

static const char *const menu_direction[] = { "horizontal", "upward", NULL };

static void run_kst(struct risk_run *r)
{
	double kst = risk_num(r, "dPdt") * cbrt(risk_num(r, "V"));
	risk_out(r, "Kst", kst);
	risk_out(r, "St_class", kst <= 0 ? 0 : kst <= 200 ? 1 : kst <= 300 ? 2 : 3);
}

static const struct risk_input in_kst[] = { IN_NUM("dPdt", "bar/s", "最大升压速率", "highest rate of pressure rise", 0, 1e5),
	IN_NUM("V", "m3", "容器容积", "volume of the vessel", 1e-4, 1e3), IN_END };
static const struct risk_output out_kst[] = { { "Kst", "bar m/s", "爆炸指数", "dust constant" }, { "St_class", "", "爆炸等级", "class" }, { 0 } };
static const struct risk_alias alias_kst[] = { { "cubic law*", NULL, NULL }, { 0 } };
const struct risk_model model_kst = { "dust-kst", "粉尘爆炸指数", "dust constant and class",
	"Bartknecht: Kst = (dP/dt)max V^(1/3); St1 to 200, St2 to 300, St3 above", { 0 }, in_kst, out_kst, alias_kst, NULL, run_kst };

static void run_vent(struct risk_run *r)
{
	double pred = risk_num(r, "pred"), pstat = risk_num(r, "pstat");
	if (pred <= pstat + 0.12) {
		risk_fail(r, "pred", "pred 必须大于 pstat + 0.12 bar", "pred must be above pstat + 0.12 bar");
		return;
	}
	if (risk_num(r, "Kst") <= 300 && risk_num(r, "pmax") > 10) {
		risk_warn(r, "Kst 不大于 300 时，EN 14491 的公式只到 pmax = 10 bar", "for Kst to 300 the formula of EN 14491 holds to pmax = 10 bar");
	}
	risk_out(r, "A", (3.264e-5 * risk_num(r, "pmax") * risk_num(r, "Kst") * pow(pred, -0.569) + 0.27 * (pstat - 0.1) * pow(pred,
		-0.5)) * pow(risk_num(r, "V"), 0.753));
}

static const struct risk_input in_vent[] = {
	IN_NUM("V", "m3", "容积", "volume", 0.1, 10000), IN_OVER("pmax", "bar", "最大爆炸压力（表压）", "highest pressure, gauge", 5, 12),
	IN_NUM("Kst", "bar m/s", "爆炸指数", "dust constant", 10, 800),
	IN_OVER("pstat", "bar", "静开启压力", "static opening pressure, gauge", 0.1, 1),
	IN_OVER("pred", "bar", "泄爆压力", "reduced pressure, gauge", 0.1, 2), IN_END,
};
static const struct risk_output out_vent[] = { { "A", "m2", "泄爆面积", "vent area" }, { 0 } };
static const struct risk_alias alias_vent[] = { { "EN 14491*", NULL, NULL }, { "dust explosion vent area*", NULL, NULL }, { "dust vent area*", NULL, NULL }, { 0 } };
const struct risk_model model_vent = { "dust-vent", "粉尘泄爆面积", "dust explosion vent area", "EN 14491; GB/T 15605 [M]",
	{ "长径比不超过 2；Kst 10～300（pmax ≤ 10）或 300～800（pmax ≤ 12）", "L/D up to 2; Kst 10 … 300 (pmax to 10) or 300 … 800 (pmax to 12)" }, in_vent, out_vent, alias_vent, NULL, run_vent };

// What comes out of a vent: the flame, and the pressure of what burns outside.
static void run_outside(struct risk_run *r)
{
	double v = risk_num(r, "V"), pred = risk_num(r, "pred"), area = risk_num(r, "A");
	double length = (risk_choice(r, "direction") == 1 ? 8 : 10) * cbrt(v), near = 0.25 * length, p = 0.2 * pred * pow(area, 0.1) * pow(v, 0.18);
	risk_out(r, "flame_length", length);
	risk_out(r, "flame_width", 1.3 * cbrt(10 * v));
	risk_out(r, "P_max", p * 100);
	risk_out(r, "R_max", near);
	if (risk_given(r, "r")) {
		risk_out(r, "P", p * 100 * pow(fmin(near / risk_num(r, "r"), 1), 1.5));
	}
	if (v > 250 || pred > 1) {
		risk_warn(r, "外部压力公式适用于 V ≤ 250 m3、pred ≤ 1 bar，此处为外推", "the pressure outside holds for V to 250 m3 and pred to 1 bar: extrapolated");
	}
}

static const struct risk_input in_outside[] = {
	IN_NUM("V", "m3", "容积", "volume", 0.1, 10000), IN_OVER("pred", "bar", "泄爆压力（表压）", "reduced pressure, gauge", 0.01, 2),
	IN_NUM("A", "m2", "泄爆面积", "vent area", 0.01, 1000), IN_MENU_OPT("direction", "泄放方向", "direction of the vent", menu_direction),
	IN_OPT("r", "m", "距泄爆口距离", "distance from the vent", 0.1, 1e4, NAN), IN_END,
};
static const struct risk_output out_outside[] = { { "flame_length", "m", "火焰喷出长度", "how far the flame comes out" },
	{ "flame_width", "m", "火焰宽度", "width of the flame" }, { "P_max", "kPa", "外部最大超压", "highest pressure outside" },
	{ "R_max", "m", "最大超压处距离", "where it is" }, { "P", "kPa", "该处超压", "pressure there" }, { 0 } };
const struct risk_model model_outside = { "dust-vent-outside", "粉尘泄爆外部火焰与超压", "vented dust explosion: flame and pressure outside",
	"EN 14491:2012, 7; VDI 3673-1 [M]: L = 10 V^(1/3) (8 upward), P = 0.2 pred A^0.1 V^0.18 at L/4, then r^-1.5",
	{ "V 0.3～250 m3，pred ≤ 1 bar，St1 粉尘，无导管", "V 0.3 … 250 m3, pred to 1 bar, dust of St1, no duct" }, in_outside, out_outside, NULL, NULL, run_outside };

static void run_damage(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "blast-damage");
	double p = risk_num(r, "P");
	struct str *found = arena_many(r->arena, t ? t->n + 1 : 1, struct str);
	size_t n = 0;
	for (size_t i = 0; t && i < t->n; i++) {
		if (p >= risk_table_num(t, i, "P")) {
			struct str zh = risk_table_cell(t, i, "zh"), en = risk_table_cell(t, i, "en"), kpa = risk_table_cell(t, i, "P");
			found[n++] = arena_printf(r->arena, "%.*s kPa %.*s / %.*s", STR_FMT(kpa), STR_FMT(zh), STR_FMT(en));
		}
	}
	risk_out_texts(r, "damage", found, n);
	risk_out(r, "death_outdoor", p >= 30 ? 1 : 0);
	risk_out(r, "death_indoor", p >= 30 ? 1 : p > 10 ? 0.025 : 0);
}

static const struct risk_input in_damage[] = { IN_OVER("P", "kPa", "超压", "side-on overpressure", 0, 1e5), IN_END };
static const struct risk_output out_damage[] = { { "damage", "", "破坏程度", "damage to be expected" },
	{ "death_outdoor", "", "室外死亡概率", "probability of death outdoors" },
	{ "death_indoor", "", "室内死亡概率", "probability of death indoors" }, { 0 } };
const struct risk_model model_damage = { "blast-damage", "超压破坏", "damage by overpressure",
	"table blast-damage; death rule of AQ/T 3046", { 0 }, in_damage, out_damage, NULL, "blast-damage", run_damage };
