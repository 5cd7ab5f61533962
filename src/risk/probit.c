// Probit functions of heat, overpressure and poison. P = Phi(Y - 5). Constants that were not read in a source stand in data
// tables. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

static void out_probit(struct risk_run *r, const char *name, double y)
{
	risk_out(r, name, y);
	risk_out(r, "P", num_phi(y - 5));
}

#define OUT_PROBIT { "Y", "", "概率单位", "probit" }, { "P", "", "概率", "probability" }

// ---- heat ---------------------------------------------------------------------------------------------------------

static void run_dose(struct risk_run *r)
{
	risk_out(r, "dose", pow(risk_num(r, "I"), 4.0 / 3) * risk_num(r, "t"));
}

#define IN_EXPOSURE IN_OPT("t", "s", "暴露时间", "exposure", 0.01, 3600, NAN)
static const struct risk_input in_dose[] = { IN_NUM("I", "W/m2", "热辐射", "radiation", 0, 1e7),
	IN_NUM("t", "s", "暴露时间", "exposure", 0.001, 1e5), IN_END };
static const struct risk_output out_dose[] = { { "dose", "(W/m2)^(4/3) s", "热剂量", "dose" }, { 0 } };
static const struct risk_alias alias_dose[] = { { "thermal dose*", NULL, NULL }, { 0 } };
const struct risk_model model_dose = { "thermal-dose", "热剂量", "thermal dose", "I^(4/3) t", { 0 }, in_dose, out_dose, alias_dose, NULL,
	run_dose };

static const char *const menu_heat[] = { "eisenberg", "tsao-perry|aqt3046|gbt37243", "tno", "lees", "crowl", "gost", NULL };

static void run_thermal(struct risk_run *r)
{
	static const double ab[6][2] = { { -38.48, 2.56 }, { -36.38, 2.56 }, { -37.23, 2.56 }, { -29.02, 1.99 }, { -14.9, 2.56 },
		{ -14.9, 2.56 } };
	int form = risk_choice(r, "form");
	double v = risk_num(r, "V");
	if (!risk_given(r, "V") && risk_given(r, "I") && risk_given(r, "t")) {
		v = pow(risk_num(r, "I"), 4.0 / 3) * risk_num(r, "t");
		if (form == 1 && risk_num(r, "t") > 20) {
			risk_warn(r, "AQ/T 3046 暴露时间取不超过 20 s", "AQ/T 3046 takes an exposure of at most 20 s");
		}
	}
	if (!isfinite(v)) {
		risk_fail(r, "V", "应给出 V，或 I 与 t", "V is needed, or I and t");
		return;
	}
	if (risk_given(r, "I") && risk_num(r, "I") >= 37500) {
		risk_warn(r, "AQ/T 3046：热辐射不低于 37.5 kW/m2 时死亡概率取 1", "AQ/T 3046 takes death for certain from 37.5 kW/m2");
	}
	double x = form == 3 ? 0.5 * v : form >= 4 ? v / 1e4 : v;
	out_probit(r, "Y", ab[form][0] + ab[form][1] * log(x));
}

static const struct risk_input in_thermal[] = {
	IN_MENU_OPT("form", "公式", "formula", menu_heat), IN_OPT("V", "(W/m2)^(4/3) s", "热剂量", "dose", 1, 1e14, NAN),
	IN_OPT("I", "W/m2", "热辐射", "radiation", 1, 1e7, NAN), IN_EXPOSURE, IN_END,
};
static const struct risk_output out_y[] = { OUT_PROBIT, { 0 } };
static const struct risk_alias alias_thermal[] = {
	{ "thermal fatality probit eisenberg", "form=eisenberg", NULL }, { "thermal fatality probit tsao*", "form=tsao-perry", NULL },
	{ "thermal fatality probit tno", "form=tno", NULL }, { "thermal fatality probit lees", "form=lees", NULL },
	{ "thermal fatality probit crowl*", "form=crowl", NULL }, { "thermal fatality probit gost*", "form=gost", NULL }, { 0 },
};
const struct risk_model model_thermal = { "thermal-probit", "热辐射死亡概率", "death by heat",
	"Eisenberg; Tsao & Perry (AQ/T 3046, GB/T 37243); TNO Green Book; Lees; Crowl & Louvar; GOST R 12.3.047", { "数分钟以内", "up to some minutes" },
	in_thermal, out_y, alias_thermal, NULL, run_thermal };

// ---- overpressure ----------------------------------------------------------------------------------------------------

static const char *const menu_blast[] = { "eisenberg-lung", "hse", "tno-head", "tno-collapse", "gost", NULL };

static void run_blast(struct risk_run *r)
{
	int form = risk_choice(r, "form");
	double p = risk_num(r, "P"), i = risk_num(r, "I");
	if (form >= 2 && !isfinite(i)) {
		risk_fail(r, "I", "该公式需要冲量 I", "this formula needs the impulse I");
		return;
	}
	double y = form == 0 ? -77.1 + 6.91 * log(p)
		: form == 1 ? 5.13 + 1.37 * log(p / 1e5)
		: form == 2 ? 5 - 8.49 * log(2430 / p + 4e8 / (p * i))
		: form == 3 ? 5 - 0.22 * log(pow(40000 / p, 7.4) + pow(460 / i, 11.3))
		: 5 - 0.26 * log(pow(17500 / p, 8.4) + pow(290 / i, 9.3));
	out_probit(r, "Y", y);
}

static const struct risk_input in_blast[] = {
	IN_MENU_OPT("form", "公式", "formula", menu_blast), IN_OVER("P", "Pa", "超压", "overpressure", 1, 1e8),
	IN_OPT("I", "Pa s", "冲量", "impulse", 1e-3, 1e8, NAN), IN_END,
};
static const struct risk_output out_blast[] = { OUT_PROBIT, { 0 } };
static const struct risk_alias alias_blast[] = {
	{ "overpressure fatality probit", "form=eisenberg-lung", NULL }, { "TNO structural collapse probit*", "form=tno-collapse", NULL },
	{ "TNO head*", "form=tno-head", NULL }, { "overpressure fatality probit eisenberg*", "form=eisenberg-lung", NULL },
	{ "overpressure fatality probit hse*", "form=hse", NULL }, { "HSE overpressure*", "form=hse", NULL },
	{ "overpressure fatality probit (HSE*", "form=hse", NULL }, { "overpressure fatality probit tno*", "form=tno-head", NULL },
	{ "overpressure fatality probit (TNO head*", "form=tno-head", NULL }, { "GOST structural*", "form=gost", NULL }, { "TNO structural*", "form=tno-collapse", NULL }, { 0 },
};
const struct risk_model model_overpressure = { "overpressure-probit", "超压死亡与倒塌概率", "death and collapse by overpressure",
	"Eisenberg (lung); HSE; TNO Green Book (head impact, collapse); GOST R 12.3.047", { 0 }, in_blast, out_blast, alias_blast, NULL,
	run_blast };

static void run_other(struct risk_run *r)
{
	int row = risk_need_row(r, "probits", "effect", "effect");
	if (row < 0) {
		return;
	}
	const struct risk_table *t = risk_need_table(r, "probits");
	out_probit(r, "Y", risk_table_num(t, (size_t)row, "a") + risk_table_num(t, (size_t)row, "b") * log(risk_num(r, "x")));
}

static const struct risk_input in_other[] = { IN_TEXT("effect", "后果（见数据表 probits）", "effect, of the table probits"),
	IN_NUM("x", "", "自变量（单位见表）", "cause, in the unit of the table", 1e-6, 1e12), IN_END };
const struct risk_model model_other = { "probit", "其他概率函数", "other probit functions", "table probits", { 0 }, in_other, out_y, NULL,
	"probits", run_other };

// ---- poison ----------------------------------------------------------------------------------------------------------------

struct toxic {
	double a, b, n;
};

// The constants: those given, the others of the substance in the table.
static bool read_toxic(struct risk_run *r, const char *table, struct toxic *ret)
{
	*ret = (struct toxic){ risk_num(r, "a"), risk_num(r, "b"), risk_num(r, "n") };
	if (risk_given(r, "substance")) {
		const struct risk_table *k = risk_need_table(r, table);
		int row = k ? risk_substance_row(r, k, "substance", risk_text(r, "substance")) : -1;
		if (row < 0) {
			risk_fail(r, "substance", "数据表 %s 中没有这种物质", "the table %s has no such substance", table);
			return false;
		}
		ret->a = isfinite(ret->a) ? ret->a : risk_table_num(k, (size_t)row, "a");
		ret->b = isfinite(ret->b) ? ret->b : risk_table_num(k, (size_t)row, "b");
		ret->n = isfinite(ret->n) ? ret->n : risk_table_num(k, (size_t)row, "n");
		if (risk_table_cell(k, (size_t)row, "note").n) {
			struct str note = risk_table_cell(k, (size_t)row, "note");
			risk_warn(r, "常数存疑：%.*s", "the constants are doubtful: %.*s", STR_FMT(note));
		}
	}
	if (!isfinite(ret->a) || !isfinite(ret->b) || !isfinite(ret->n)) {
		risk_fail(r, "substance", "应给出 substance，或 a、b、n", "substance is needed, or a, b and n");
		return false;
	}
	return true;
}

static void run_toxic(struct risk_run *r)
{
	struct toxic k;
	double c = risk_num(r, "C"), t = risk_num(r, "t");
	if (!read_toxic(r, "toxic-probits", &k)) {
		return;
	}
	if (t > 30) {
		risk_warn(r, "AQ/T 3046 暴露时间取不超过 30 min", "AQ/T 3046 takes an exposure of at most 30 min");
	}
	double y = k.a + k.b * log(pow(c, k.n) * t);
	out_probit(r, "Pr", y);
	risk_out(r, "P_indoor", 0.1 * num_phi(y - 5));
	risk_out(r, "LC50", pow(exp((5 - k.a) / k.b) / t, 1 / k.n));
}

#define IN_TOXIC(table, unit) IN_TEXT_OPT("substance", "物质（见数据表 " table "）", "substance, of the table " table, { 0 }), \
	IN_OPT("a", "", "a", "a, for " unit " and min", -200, 50, NAN), IN_OPT("b", "", "b", "b", 1e-3, 20, NAN), \
	IN_OPT("n", "", "n", "n", 0.1, 10, NAN)
static const struct risk_input in_toxic[] = {
	IN_TOXIC("toxic-probits", "mg/m3"),
	IN_NUM("C", "mg/m3", "浓度", "concentration", 1e-6, 1e7), IN_NUM("t", "min", "暴露时间", "exposure", 1e-3, 1440), IN_END,
};
static const struct risk_output out_toxic[] = { { "Pr", "", "概率单位", "probit of death" },
	{ "P", "", "死亡概率", "probability of death outdoors" }, { "P_indoor", "", "室内死亡概率", "indoors, 0.1 of it (AQ/T 3046)" },
	{ "LC50", "mg/m3", "LC50", "lethal to half at this exposure" }, { 0 } };
static const struct risk_alias alias_toxic[] = { { "toxic probit*", NULL, NULL }, { 0 } };
const struct risk_model model_toxic = { "toxic-probit", "中毒死亡概率", "death by poison",
	"Pr = a + b ln(C^n t), mg/m3 and min; Purple Book table 5.2 = AQ/T 3046-2013 = GB/T 37243 [M]",
	{ "常数对应 mg/m3，不是 ppm", "constants belong to mg/m3, not ppm" }, in_toxic, out_toxic, alias_toxic, "toxic-probits", run_toxic };

static void run_toxic_ppm(struct risk_run *r)
{
	struct toxic k;
	double t = risk_num(r, "t");
	if (!read_toxic(r, "toxic-probits-ppm", &k)) {
		return;
	}
	out_probit(r, "Pr", k.a + k.b * log(pow(risk_num(r, "C") * 1e6, k.n) * t));
	risk_out(r, "LC50_ppm", pow(exp((5 - k.a) / k.b) / t, 1 / k.n));
}

static const struct risk_input in_toxic_ppm[] = { IN_TOXIC("toxic-probits-ppm", "ppm"),
	IN_NUM("C", "", "体积分数", "volume fraction (give the unit ppm)", 1e-12, 1),
	IN_NUM("t", "min", "暴露时间", "exposure", 1e-3, 1440), IN_END };
static const struct risk_output out_toxic_ppm[] = { { "Pr", "", "概率单位", "probit of death" },
	{ "P", "", "死亡概率", "probability of death" }, { "LC50_ppm", "", "LC50 (ppm)", "lethal to half, ppm" }, { 0 } };
const struct risk_model model_toxic_ppm = { "toxic-probit-ppm", "中毒死亡概率（ppm）", "death by poison, ppm constants",
	"CCPS CPQRA [M]; ppm and min", { "常数对应 ppm，不是 mg/m3", "constants belong to ppm, not mg/m3" }, in_toxic_ppm, out_toxic_ppm,
	CALLED(AS("toxic probit (ppm*"), AS("toxic probit ppm*"), AS("toxic probit Pr = a + b ln(C^n t), C ppm*")), "toxic-probits-ppm",
	run_toxic_ppm };

static void run_load(struct risk_run *r)
{
	const struct risk_table *k = risk_need_table(r, "toxic-loads");
	int row = k ? risk_substance_row(r, k, "substance", risk_text(r, "substance")) : -1;
	if (row < 0) {
		risk_fail(r, "substance", "数据表 toxic-loads 中没有这种物质", "the table toxic-loads has no such substance");
		return;
	}
	double load = pow(risk_num(r, "C") * 1e6, risk_table_num(k, (size_t)row, "n")) * risk_num(r, "t");
	risk_out(r, "load", load);
	risk_out(r, "of_SLOT", load / risk_table_num(k, (size_t)row, "SLOT"));
	risk_out(r, "of_SLOD", load / risk_table_num(k, (size_t)row, "SLOD"));
}

static const struct risk_input in_load[] = { IN_TEXT("substance", "物质（见数据表）", "substance, of the table toxic-loads"),
	IN_NUM("C", "", "体积分数", "volume fraction (give the unit ppm)", 1e-12, 1),
	IN_NUM("t", "min", "暴露时间", "exposure", 1e-3, 1440), IN_END };
static const struct risk_output out_load[] = { { "load", "", "毒性负荷 ppm^n min", "dangerous toxic load, ppm^n min" },
	{ "of_SLOT", "", "与 SLOT 之比", "part of SLOT (1 % of death)" }, { "of_SLOD", "", "与 SLOD 之比", "part of SLOD (50 % of death)" },
	{ 0 } };
const struct risk_model model_load = { "toxic-load", "危险毒性负荷", "dangerous toxic load", "HSE SLOT and SLOD [M]", { 0 }, in_load,
	out_load, CALLED(AS("dangerous toxic load*"), AS("SLOT*")), "toxic-loads", run_load };
