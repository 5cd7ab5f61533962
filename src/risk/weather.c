// Models of stability, wind and dispersion parameters. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/sigma.h"

// ---- sigma ------------------------------------------------------------------------------------------------

static void run_sigma(struct risk_run *r)
{
	double x = risk_num(r, "x");
	int set = risk_choice(r, "sigma_set");
	struct sigma s;
	if (!sigma_at((enum sigma_set)set, risk_choice(r, "stability"), x, &s)) {
		risk_fail(r, "stability", "该组参数只有稳定度 D", "this set has class D only");
		return;
	}
	if (x < 100 || x > 10000) {
		risk_warn(r, "扩散参数一般适用于 100 m 至 10 km", "dispersion parameters were fitted between 100 m and 10 km");
	}
	if (set == SIGMA_CCPS_PUFF || set == SIGMA_TNO_PUFF) {
		risk_out(r, "sigma_x", s.x);
	}
	risk_out(r, "sigma_y", s.y);
	risk_out(r, "sigma_z", s.z);
}

static const struct risk_input in_sigma[] = {
	IN_NUM("x", "m", "下风距离", "distance downwind", 0.1, 1e5), IN_STABILITY, IN_SIGMA_SET, IN_END,
};
static const struct risk_output out_sigma[] = {
	{ "sigma_x", "m", "纵向扩散参数", "along the wind" }, { "sigma_y", "m", "横向扩散参数", "across the wind" },
	{ "sigma_z", "m", "垂直扩散参数", "vertical" }, { 0 },
};
static const struct risk_alias alias_sigma[] = {
	{ "pasquill-gifford sigma: briggs-rural", "sigma_set=briggs-rural", NULL },
	{ "pasquill-gifford sigma: briggs-urban", "sigma_set=briggs-urban", NULL },
	{ "pasquill-gifford sigma: tno-plume", "sigma_set=tno-plume", NULL }, { "pasquill-gifford sigma: tno-puff", "sigma_set=tno-puff", NULL },
	{ "pasquill-gifford sigma: turner*", "sigma_set=turner-lees", NULL },
	{ "pasquill-gifford sigma: EPA ISC3 rural", "sigma_set=isc3-rural", NULL },
	{ "pasquill-gifford sigma: isc3*", "sigma_set=isc3-rural", NULL },
	{ "pasquill-gifford sigma: EPA ISC3 urban", "sigma_set=briggs-urban", NULL }, // the same curves (McElroy & Pooler)
	{ "pasquill-gifford sigma: isc3 urban", "sigma_set=briggs-urban", NULL },
	{ "pasquill-gifford sigma: CCPS rural*", "sigma_set=briggs-rural", NULL },
	{ "pasquill-gifford sigma: CCPS urban*", "sigma_set=briggs-urban", NULL },
	{ "pasquill-gifford sigma: CCPS*", "sigma_set=ccps-puff", NULL },
	{ "pasquill-gifford sigma: Spicer-Havens*", "sigma_set=seinfeld", NULL },
	{ "pasquill-gifford sigma: Seinfeld*", "sigma_set=seinfeld", NULL }, { "pasquill-gifford sigma: CHEF*", "sigma_set=chef", NULL }, { 0 },
};
const struct risk_model model_sigma = { "sigma", "扩散参数", "dispersion parameters",
	"Briggs 1973; CCPS 1999; TNO Yellow Book CPR 14E; Turner/Lees; EPA ISC3 vol. II tables 1-1, 1-2; Spicer-Havens/Seinfeld; CHEF guide",
	{ "100 m 至 10 km", "100 m … 10 km" }, in_sigma, out_sigma, alias_sigma, NULL, run_sigma };

// ---- stability class ------------------------------------------------------------------------------------------

static const char *const menu_sky[] = { "strong", "moderate", "slight", "night-cloudy", "night-clear", "overcast", NULL };

static void run_stability(struct risk_run *r)
{
	static const char *const table[5][5] = {
		{ "A", "A-B", "B", "F", "F" }, { "A-B", "B", "C", "E", "F" }, { "B", "B-C", "C", "D", "E" }, { "C", "C-D", "D", "D", "D" },
		{ "C", "D", "D", "D", "D" },
	};
	double u = risk_num(r, "u10");
	int sky = risk_choice(r, "sky"), row = u < 2 ? 0 : u < 3 ? 1 : u < 5 ? 2 : u <= 6 ? 3 : 4;
	risk_out_text(r, "stability", str_of(sky == 5 ? "D" : table[row][sky]));
	if (row == 0 && sky == 3) {
		risk_warn(r, "夜间风速低于 2 m/s 时原表无此格，从严取 F",
			"the table has no entry for a night below 2 m/s; F is taken, the stricter");
	}
}

static const struct risk_input in_stability[] = {
	IN_NUM("u10", "m/s", "10 m 高风速", "wind speed at 10 m", 0, 60),
	{ .name = "sky", .kind = RISK_MENU, .menu = menu_sky, .zh = "天空状况", .en = "sun or cloud",
	  .note = { "strong：> 600 W/m2（太阳高度角 > 60°）；moderate：300～600（35～60°）；slight：< 300（15～35°）；night-cloudy：低云 4/8 以上", "strong > 600 W/m2 (sun above 60 deg), moderate 300-600 (35-60), slight < 300 (15-35); night-cloudy: at least 4/8 low cloud" } },
	IN_END,
};
static const struct risk_output out_stability[] = { { "stability", "", "稳定度", "stability class" }, { 0 } };
const struct risk_model model_stability = { "stability-class", "大气稳定度分级", "stability class",
	"Pasquill 1961 [M]; EPA RMP and AQ/T 3046 worst case: F, 1.5 m/s",
	{ 0 }, in_stability, out_stability, NULL, NULL, run_stability };

// ---- Monin-Obukhov length ------------------------------------------------------------------------------------------

static const char *const menu_length[] = { "tno", "pasquill-1974", NULL };

static void run_length(struct risk_run *r)
{
	int s = risk_choice(r, "stability");
	double z0 = risk_num(r, "z0"), inv = risk_choice(r, "set") ? inverse_length_pasquill(s, z0) : inverse_length_tno(s, z0);
	risk_out(r, "inv_L", inv);
	if (inv != 0) {
		risk_out(r, "L", 1 / inv);
	}
}

static const struct risk_input in_length[] = {
	IN_STABILITY, IN_NUM("z0", "m", "地面粗糙度", "roughness length", 1e-5, 3), IN_MENU_OPT("set", "公式", "formula", menu_length), IN_END,
};
static const struct risk_output out_length[] = {
	{ "inv_L", "1/m", "莫宁-奥布霍夫长度倒数", "inverse Monin-Obukhov length" },
	{ "L", "m", "莫宁-奥布霍夫长度", "Monin-Obukhov length (absent if neutral)" }, { 0 },
};
const struct risk_model model_length = { "monin-obukhov", "莫宁-奥布霍夫长度", "Monin-Obukhov length", "TNO Yellow Book CPR 14E; Pasquill 1974",
	{ 0 }, in_length, out_length, CALLED(AS("Monin-Obukhov length*"), { "Monin-Obukhov length (Pasquill*", "set=pasquill-1974", NULL }), NULL,
	run_length };

// ---- wind ---------------------------------------------------------------------------------------------------------

static const char *const menu_terrain[] = { "rural", "urban", NULL };
static const char *const menu_exponents[] = { "irwin|Irwin/CCPS", "isc3", "old", NULL };

static void run_wind_power(struct risk_run *r)
{
	static const double old[6] = { 0.108, 0.112, 0.120, 0.142, 0.203, 0.253 };
	int s = risk_choice(r, "stability"), set = risk_choice(r, "set");
	bool urban = risk_choice(r, "terrain") == 1;
	double p = set == 2 ? old[s] : set == 1 && urban && s >= 4 ? 0.30 : wind_exponent(s, urban);
	if (risk_given(r, "p")) {
		p = risk_num(r, "p");
	}
	risk_out(r, "u", risk_num(r, "u_ref") * pow(risk_num(r, "z") / risk_num(r, "z_ref"), p));
	risk_out(r, "p", p);
}

#define IN_WIND_AT \
	IN_NUM("u_ref", "m/s", "参考高度风速", "wind speed at the reference height", 0, 60), \
	IN_NUM("z_ref", "m", "参考高度", "reference height", 0.1, 200), IN_NUM("z", "m", "高度", "height", 0.01, 500)

static const struct risk_input in_wind_power[] = {
	IN_WIND_AT, IN_STABILITY, IN_MENU_OPT("terrain", "地形", "terrain", menu_terrain),
	{ .name = "set", .kind = RISK_MENU, .menu = menu_exponents, .opt = true, .zh = "指数取自", .en = "set of exponents",
	  .note = { "isc3：城市 E、F 为 0.30，其余同 irwin；old：.108 .112 .120 .142 .203 .253，不分地形", "isc3: urban E, F 0.30, else as irwin; old: .108 .112 .120 .142 .203 .253, whatever the terrain" } },
	IN_OPT("p", "", "指数", "exponent, instead of the table's", 0, 1, NAN), IN_END,
};
static const struct risk_output out_wind[] = {
	{ "u", "m/s", "风速", "wind speed" }, { "p", "", "指数", "exponent" }, { "u_star", "m/s", "摩擦速度", "friction velocity" },
	{ "inv_L", "1/m", "莫宁-奥布霍夫长度倒数", "inverse Monin-Obukhov length" }, { 0 },
};
static const struct risk_alias alias_wind_power[] = { { "power-law wind profile*", NULL, NULL },
	{ "power-law wind profile (ISC3*", "set=isc3", NULL }, { "power-law wind profile ISC3*", "set=isc3", NULL }, { 0 } };
const struct risk_model model_wind_power = { "wind-power-law", "风速幂律廓线", "power-law wind profile", "Irwin 1979; CCPS 1999",
	{ "高度 200 m 以内", "up to 200 m" }, in_wind_power, out_wind, alias_wind_power, NULL, run_wind_power };

static void run_wind_log(struct risk_run *r)
{
	double z0 = risk_num(r, "z0"), z = risk_num(r, "z"), z_ref = risk_num(r, "z_ref");
	int s = risk_choice(r, "stability");
	double inv = risk_choice(r, "set") ? inverse_length_pasquill(s, z0) : inverse_length_tno(s, z0), at_ref = wind_log(z_ref, z0, inv);
	if (z <= z0 || z_ref <= z0) {
		risk_fail(r, z <= z0 ? "z" : "z_ref", "高度必须大于粗糙度", "a height must be above the roughness length");
		return;
	}
	risk_out(r, "u", risk_num(r, "u_ref") * wind_log(z, z0, inv) / at_ref);
	risk_out(r, "u_star", 0.4 * risk_num(r, "u_ref") / at_ref);
	risk_out(r, "inv_L", inv);
}

static const struct risk_input in_wind_log[] = { IN_WIND_AT, IN_NUM("z0", "m", "地面粗糙度", "roughness length", 1e-5, 3), IN_STABILITY,
	IN_MENU_OPT("set", "莫宁-奥布霍夫长度公式", "Monin-Obukhov length by", menu_length), IN_END };
static const struct risk_alias alias_wind_log[] = { { "log wind profile with Pasquill*", "set=pasquill-1974", NULL }, { "log wind profile with TNO Monin-Obukhov length*", NULL, NULL }, { 0 } };
const struct risk_model model_wind_log = { "wind-log", "风速对数廓线", "logarithmic wind profile", "TNO Yellow Book CPR 14E; k = 0.4",
	{ "近地层，200 m 以内", "surface layer, up to 200 m" }, in_wind_log, out_wind, alias_wind_log, NULL, run_wind_log };

// ---- mixing height -----------------------------------------------------------------------------------------------

static void run_mixing(struct risk_run *r)
{
	double f = 2 * 7.2921e-5 * sin(risk_num(r, "latitude") * M_PI / 180);
	risk_out(r, "h_mix", 0.3 * risk_num(r, "u_star") / f);
}

static const struct risk_input in_mixing[] = {
	IN_NUM("u_star", "m/s", "摩擦速度", "friction velocity", 0.01, 5), IN_NUM("latitude", "deg", "纬度", "latitude", 5, 85), IN_END,
};
static const struct risk_output out_mixing[] = { { "h_mix", "m", "混合层高度", "mixing height" }, { 0 } };
const struct risk_model model_mixing = { "mixing-height", "中性混合层高度", "mixing height, neutral", "0.3 u*/f", { "中性大气", "neutral" }, in_mixing,
	out_mixing, CALLED(AS("neutral mixing height*"), AS("mixing height*")), NULL, run_mixing };
