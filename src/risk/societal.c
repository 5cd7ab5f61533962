// Individual and societal risk, domino: the arithmetic of scenarios. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

#include <stdlib.h>

// ---- individual risk of circles -------------------------------------------------------------------------------------

static const struct risk_input columns_ir[] = { IN_NUM("f", "/yr", "频率", "frequency", 0, 10),
	IN_NUM("r", "m", "致死半径", "lethal radius", 0, 1e6), IN_END };

// Frequency of the scenarios that reach v: a radius r, a number of deaths N.
static double frequency_from(struct risk_run *r, const char *column, double v)
{
	double sum = 0;
	for (size_t i = 0; i < risk_rows(r, "scenarios"); i++) {
		sum += risk_cell(r, "scenarios", i, column)->num >= v ? risk_cell(r, "scenarios", i, "f")->num : 0;
	}
	return sum;
}

// "1e5" of 1e-5: how published cases name a contour.
static struct str level_name(struct risk_run *r, double level)
{
	int e = (int)floor(log10(level) + 1e-9);
	return arena_printf(r->arena, "%.3ge%d", level / pow(10, e), -e);
}

static void run_circles(struct risk_run *r)
{
	static const double usual[] = { 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7 };
	size_t n, k;
	const double *xs = risk_list(r, "x", &n), *levels = risk_list(r, "levels", &k);
	for (size_t i = 0; i < n; i++) {
		risk_out_named(r, frequency_from(r, "r", xs[i]), "IR_%g", xs[i]);
	}
	for (int x = 10; !n && x <= 500; x += 10) {
		risk_out_named(r, frequency_from(r, "r", x), "IR_%d", x);
	}
	levels = k ? levels : usual;
	k = k ? k : ARRAY_LEN(usual);
	for (size_t i = 0; i < k; i++) { // the farthest radius at which the sum still reaches the level
		double far = 0;
		for (size_t s = 0; s < risk_rows(r, "scenarios"); s++) {
			double rad = risk_cell(r, "scenarios", s, "r")->num;
			far = rad > far && frequency_from(r, "r", rad) >= levels[i] * (1 - 1e-12) ? rad : far;
		}
		struct str name = level_name(r, levels[i]);
		risk_out_named(r, far, "r_%.*s", STR_FMT(name));
	}
}

static const struct risk_input in_circles[] = {
	IN_ROWS("scenarios", "情景：频率、致死半径", "scenarios: frequency, lethal radius", columns_ir),
	IN_LIST_OPT("x", "m", "距离", "distances", 0, 1e6, { "不填：10、20 … 500 m", "absent: 10, 20 … 500 m" }),
	IN_LIST_OPT("levels", "/yr", "等值线", "contours", 1e-12, 1, { "不填：1e-4 至 1e-7", "absent: 1e-4 … 1e-7" }), IN_END,
};
static const struct risk_output out_ir[] = { { "IR_*", "/yr", "该处个人风险", "individual risk there" },
	{ "r_*", "m", "等值线半径（r_1e5 为 1e-5）", "radius of the contour (r_1e5: 1e-5)" }, { 0 } };
static const struct risk_alias alias_circles[] = { { "individual risk of 3 isotropic scenarios*", NULL, NULL }, { "individual risk of*", NULL, NULL }, { 0 } };
const struct risk_model model_circles = { "individual-risk", "个人风险（各向同性情景）", "individual risk of circular scenarios",
	"GB/T 37243-2019: sum of f P v; step lethality", { "人员全年在室外、无防护", "person outdoors all year, unprotected" }, in_circles, out_ir, alias_circles, NULL,
	run_circles };

// ---- a wedge and a wind rose -------------------------------------------------------------------------------------------

// Part of the directions from a to b (degrees, b - a <= 360) weighted by the rose, uniform in each sector.
static double rose_part(const double *rose, size_t n, double a, double b)
{
	double width = 360.0 / (double)n, sum = 0;
	for (size_t s = 0; s < n; s++) {
		for (int turn = -1; turn <= 1; turn++) {
			double from = ((double)s - 0.5) * width + 360.0 * turn, to = from + width;
			sum += rose[s] * fmax(fmin(b, to) - fmax(a, from), 0) / width;
		}
	}
	return sum;
}

static void run_wedge(struct risk_run *r)
{
	size_t n;
	const double *rose = risk_list(r, "rose", &n);
	double wedge = risk_num(r, "wedge"), total = 0;
	for (size_t i = 0; i < n; i++) {
		total += rose[i];
	}
	if (n < 2 || fabs(total - 1) > 1e-6) {
		risk_fail(r, "rose", "风向概率之和应为 1（现为 %.6g）", "the probabilities of the rose must add up to 1 (they are %.6g)", total);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		double dir = 360.0 * (double)i / (double)n;
		risk_out_named(r, risk_num(r, "f") * rose_part(rose, n, dir - wedge / 2, dir + wedge / 2), "IR_dir%g", dir);
	}
}

static const struct risk_input in_wedge[] = {
	IN_NUM("f", "/yr", "频率", "frequency", 0, 10), IN_NUM("wedge", "deg", "致死扇形角度", "angle of the lethal wedge", 0.1, 360),
	IN_LIST("rose", "", "各风向（去向）概率，自 0 度起", "probability of blowing towards 0, …", 0, 1),
	IN_TEXT_OPT("r", "距离", "distance", { "在致死范围内", "inside the lethal range" }), IN_END,
};
static const struct risk_alias alias_wedge[] = { { "individual risk from*", NULL, NULL },
	{ 0 } };
const struct risk_model model_wedge = { "individual-risk-wedge", "个人风险（扇形与风玫瑰）", "individual risk of a wedge under a wind rose",
	"GB/T 37243-2019; wind uniform inside each sector", { 0 }, in_wedge, out_ir, alias_wedge, NULL, run_wedge };

// ---- F-N ------------------------------------------------------------------------------------------------------------------

static const struct risk_input columns_fn[] = { IN_NUM("f", "/yr", "频率", "frequency", 0, 10),
	IN_NUM("N", "", "死亡人数", "deaths", 0, 1e7), IN_END };

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// Where the curve is given: 1 … 20, then 1-2-5 steps, and both sides of each scenario's step.
static size_t steps_of(struct risk_run *r, double *at)
{
	size_t n = 0, rows = risk_rows(r, "scenarios");
	for (double d = 1; d <= 20; d++) {
		at[n++] = d;
	}
	for (double d = 10; d <= 1e4; d *= 10) {
		at[n++] = d;
		at[n++] = 2 * d;
		at[n++] = 5 * d;
	}
	for (size_t i = 0; i < rows; i++) {
		double v = ceil(risk_cell(r, "scenarios", i, "N")->num);
		at[n++] = fmax(v, 1);
		at[n++] = v + 1;
	}
	qsort(at, n, sizeof *at, compare_doubles);
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		if (m == 0 || at[i] != at[m - 1]) {
			at[m++] = at[i];
		}
	}
	return m;
}

static void run_fn(struct risk_run *r)
{
	size_t rows = risk_rows(r, "scenarios"), given;
	const double *asked = risk_list(r, "n", &given);
	double *at = arena_many(r->arena, 2 * rows + 40, double), pll = 0;
	size_t n = steps_of(r, at);
	for (size_t i = 0; i < rows; i++) {
		pll += risk_cell(r, "scenarios", i, "N")->num * risk_cell(r, "scenarios", i, "f")->num;
	}
	double upper = risk_num(r, "upper"), lower = risk_num(r, "lower"), worst = 0;
	double *f = arena_many(r->arena, n, double);
	for (size_t i = 0; i < n; i++) {
		f[i] = frequency_from(r, "N", at[i]);
		risk_out_named(r, f[i], "F%g", at[i]);
		worst = fmax(worst, f[i] * at[i]);
	}
	for (size_t i = 0; i < given; i++) {
		bool there = bsearch(&asked[i], at, n, sizeof *at, compare_doubles) != NULL;
		if (!there) {
			risk_out_named(r, frequency_from(r, "N", asked[i]), "F%g", asked[i]);
		}
	}
	risk_out(r, "PLL", pll);
	risk_out_list(r, "N", at, n);
	risk_out_list(r, "F", f, n);
	risk_out_text(r, "zone", str_of(worst > upper ? "unacceptable" : worst > lower ? "alarp" : "acceptable"));
}

static const struct risk_input in_fn[] = {
	IN_ROWS("scenarios", "情景：频率、死亡人数", "scenarios: frequency, deaths", columns_fn),
	IN_LIST_OPT("n", "", "另求的 N", "more values of N", 1, 1e7, { 0 }),
	IN_OPT_NOTE("upper", "/yr", "上限线 F N", "upper line, F × N", 1e-9, 10, 1e-3, { "1e-3/N [M，未核实]：请填现行规定", "1e-3/N [M, unverified]: set what is in force" }),
	IN_OPT_NOTE("lower", "/yr", "下限线 F N", "lower line, F × N", 1e-12, 10, 1e-5, { "1e-5/N [M，未核实]", "1e-5/N [M, unverified]" }), IN_END,
};
static const struct risk_output out_fn[] = {
	{ "PLL", "fatalities/yr", "潜在生命损失", "potential loss of life" }, { "N", "", "人数", "deaths" },
	{ "F", "/yr", "累计频率", "frequency of N or more" }, { "F*", "/yr", "N 人及以上频率", "frequency of so many or more" },
	{ "zone", "", "区域", "zone of the curve" }, { 0 },
};
static const struct risk_alias alias_fn[] = { { "F-N curve*", NULL, NULL }, { "FN curve*", NULL, NULL }, { "societal risk*", NULL, NULL }, { 0 } };
const struct risk_model model_fn = { "fn-curve", "社会风险 F-N 曲线", "F-N curve and PLL", "GB/T 37243-2019; F(N) = sum of f with n >= N",
	{ 0 }, in_fn, out_fn, alias_fn, NULL, run_fn };

// ---- criteria --------------------------------------------------------------------------------------------------------------

static void run_criteria(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "ir-criteria");
	double ir = risk_num(r, "IR");
	struct str *lines = arena_many(r->arena, t ? t->n + 1 : 1, struct str);
	size_t n = 0, over = 0;
	for (size_t i = 0; t && i < t->n; i++) {
		double limit = risk_table_num(t, i, "limit");
		struct str zh = risk_table_cell(t, i, "zh"), en = risk_table_cell(t, i, "en");
		over += ir > limit;
		lines[n++] = arena_printf(r->arena, "%s %.*s / %.*s: %.3g %s %.3g", ir > limit ? "×" : "√", STR_FMT(zh), STR_FMT(en), ir,
			ir > limit ? ">" : "≤", limit);
	}
	risk_out_texts(r, "lines", lines, n);
	risk_out(r, "exceeded", (double)over);
}

static const struct risk_input in_criteria[] = { IN_NUM("IR", "/yr", "个人风险", "individual risk", 0, 1), IN_END };
static const struct risk_output out_criteria[] = { { "lines", "", "逐条对照", "against each criterion" },
	{ "exceeded", "", "超过的条数", "how many are exceeded" }, { 0 } };
const struct risk_model model_criteria = { "risk-criteria", "个人风险基准对照", "individual risk against the criteria",
	"SAWS notice 2014 No. 13; GB 36894-2018", { 0 }, in_criteria, out_criteria, NULL, "ir-criteria", run_criteria };

static void run_frequency(struct risk_run *r)
{
	int row = risk_need_row(r, "frequencies", "equipment", "equipment");
	if (row < 0) {
		return;
	}
	const struct risk_table *t = risk_need_table(r, "frequencies");
	static const char *const columns[] = { "instantaneous", "ten_minutes", "leak" };
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		double v = risk_table_num(t, (size_t)row, columns[i]);
		if (isfinite(v)) {
			risk_out(r, columns[i], v * risk_num(r, "count"));
		}
	}
}

static const struct risk_input in_frequency[] = { IN_TEXT("equipment", "设备（见数据表 frequencies）",
	"equipment, of the table frequencies"), IN_OPT("count", "", "数量（管道为米）", "how many; metres of pipe", 0, 1e7, 1), IN_END };
static const struct risk_output out_frequency[] = { { "instantaneous", "/yr", "完全破裂", "instantaneous or rupture" },
	{ "ten_minutes", "/yr", "10 min 内全部释放", "all within ten minutes" }, { "leak", "/yr", "泄漏", "leak" }, { 0 } };
const struct risk_model model_frequency = { "generic-frequency", "通用失效频率", "generic failure frequencies",
	"Purple Book CPR 18E = AQ/T 3046 annex [M]", { 0 }, in_frequency, out_frequency, CALLED(AS("generic failure frequenc*"), AS("generic frequenc*")), "frequencies", run_frequency };

static void run_ignition(struct risk_run *r)
{
	double q = risk_num(r, "Q");
	int band = q < 0.125 ? 0 : q <= 6.25 ? 1 : 2, mass = q < 10 ? 0 : q <= 100 ? 1 : 2;
	static const double now[3] = { 0.008, 0.053, 0.23 }, later[3] = { 0.004, 0.027, 0.12 };
	const struct risk_table *t = risk_need_table(r, "ignition");
	risk_out(r, "H2_immediate", now[band]);
	risk_out(r, "H2_delayed", later[band]);
	if (t && (size_t)mass < t->n) {
		risk_out(r, "low", risk_table_num(t, (size_t)mass, "low"));
		risk_out(r, "average_high", risk_table_num(t, (size_t)mass, "average_high"));
	}
	if (risk_given(r, "omega") && risk_given(r, "t")) {
		risk_out(r, "delayed", 1 - exp(-risk_num(r, "omega") * risk_num(r, "t")));
	}
}

static const struct risk_input in_ignition[] = { IN_NUM("Q", "kg/s", "释放速率", "rate", 0, 1e5),
	IN_OPT("omega", "", "点火源效率 1/s", "effectiveness of a source, 1/s", 0, 100, NAN),
	IN_OPT("t", "s", "暴露时间", "time", 0, 1e5, NAN), IN_END };
static const struct risk_output out_ignition[] = {
	{ "H2_immediate", "", "氢立即点火", "hydrogen, immediate" }, { "H2_delayed", "", "氢延迟点火", "hydrogen, delayed" },
	{ "low", "", "低反应性直接点火", "direct, low reactivity" }, { "average_high", "", "中高反应性直接点火",
		"direct, average and high reactivity" }, { "delayed", "", "延迟点火", "delayed, 1 - exp(-omega t)" }, { 0 },
};
const struct risk_model model_ignition = { "ignition", "点火概率", "ignition probability", "Sandia HyRAM+ (hydrogen); Purple Book [M]",
	{ 0 }, in_ignition, out_ignition, CALLED(AS("ignition probabilit*"), AS("HyRAM ignition*")), "ignition", run_ignition };

// ---- domino ----------------------------------------------------------------------------------------------------------------

static const char *const menu_target[] = { "atmospheric", "pressurised", "elongated", "small", NULL };

static void run_domino(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "domino");
	int row = t ? risk_table_row(t, "target", str_of(menu_target[risk_choice(r, "target")])) : -1, target = risk_choice(r, "target");
	if (row < 0) {
		risk_fail(r, "target", "数据表 domino 中没有这类设备", "the table domino has no such target");
		return;
	}
	if (risk_given(r, "P")) {
		double p = risk_num(r, "P"), limit = risk_table_num(t, (size_t)row, "P_limit") * 1000,
		y = risk_table_num(t, (size_t)row, "a") + risk_table_num(t, (size_t)row, "b") * log(fmax(p, 1e-3));
		risk_out(r, "Y_blast", y);
		risk_out(r, "P_blast", p < limit ? 0 : num_phi(y - 5));
		if (p < limit) {
			risk_warn(r, "低于升级阈值 %g kPa，概率取 0", "below the threshold of %g kPa: taken as 0", limit / 1000);
		}
	}
	if (risk_given(r, "I")) {
		double i = risk_num(r, "I"), v = risk_num(r, "V"), limit = risk_table_num(t, (size_t)row, "I_limit");
		if (target > 1 || (target == 0 && !risk_given(r, "V")) || (target == 1 && !risk_given(r, "V"))) {
			risk_fail(r, target > 1 ? "target" : "V", "失效时间公式只适用于常压、压力容器，且需要 V",
				"the time to failure is known for atmospheric and pressurised vessels only, and needs V");
			return;
		}
		double ttf = target == 0 ? exp(-1.128 * log(i) - 2.667e-5 * v + 9.877) : exp(-0.947 * log(i) + 8.835 * pow(v, 0.032)),
		y = 9.25 - 1.847 * log(ttf / 60);
		risk_out(r, "ttf", ttf);
		risk_out(r, "Y_heat", y);
		risk_out(r, "P_heat", i < limit ? 0 : num_phi(y - 5));
		if (i < limit) {
			risk_warn(r, "低于升级阈值 %g kW/m2，概率取 0", "below the threshold of %g kW/m2: taken as 0", limit);
		}
	}
	if (!risk_given(r, "P") && !risk_given(r, "I")) {
		risk_fail(r, "P", "应给出 P 或 I", "P or I is needed");
	}
}

static const struct risk_input in_domino[] = {
	IN_MENU("target", "目标设备", "target", menu_target), IN_OVER_OPT("P", "Pa", "超压", "overpressure", 0, 1e8, NAN, { 0 }),
	IN_OPT("I", "kW/m2", "热辐射", "radiation", 0.1, 1000, NAN), IN_OPT("V", "m3", "容积", "volume", 1, 1e5, NAN), IN_END,
};
static const struct risk_output out_domino[] = {
	{ "Y_blast", "", "超压概率单位", "probit, blast" }, { "P_blast", "", "超压升级概率", "escalation by blast" },
	{ "ttf", "s", "失效时间", "time to failure" }, { "Y_heat", "", "热辐射概率单位", "probit, heat" },
	{ "P_heat", "", "热辐射升级概率", "escalation by heat" }, { 0 },
};
const struct risk_model model_domino = { "domino", "多米诺升级概率", "domino escalation",
	"Cozzani & Salzano 2004, Cozzani 2006, Landucci 2009 [M]; heat: Y = 9.25 - 1.847 ln(ttf min), 90 % at 5 min, 10 % at 20 min", { 0 },
	in_domino, out_domino,
	CALLED(AS("domino escalation*"), AS("domino time to failure*"), AS("domino probit*"), AS("escalation probit*")), "domino", run_domino };

static const struct risk_input columns_targets[] = { IN_NUM("p", "", "升级概率", "probability", 0, 1), IN_END };

static void run_combination(struct risk_run *r)
{
	size_t n = risk_rows(r, "targets");
	double none = 1, f = risk_num(r, "f"), sum = 0;
	if (n > 16) {
		risk_fail(r, "targets", "最多 16 个目标", "at most 16 targets");
		return;
	}
	double by_count[17] = { 0 };
	for (unsigned set = 0; set < 1u << n; set++) {
		double p = 1;
		unsigned k = 0;
		for (size_t i = 0; i < n; i++) {
			double q = risk_cell(r, "targets", i, "p")->num;
			bool hit = set >> i & 1;
			p *= hit ? q : 1 - q;
			k += hit;
		}
		by_count[k] += p;
		if (n <= 8) {
			risk_out_named(r, f * p, "f_%u", set);
		}
		sum += p * k;
	}
	none = by_count[0];
	risk_out(r, "f_none", f * none);
	risk_out(r, "f_any", f * (1 - none));
	risk_out(r, "expected", sum);
	for (size_t k = 0; k <= n; k++) {
		risk_out_named(r, f * by_count[k], "f_of%zu", k);
	}
}

static const struct risk_input in_combination[] = { IN_NUM("f", "/yr", "初始事件频率", "frequency of the primary event", 0, 10),
	IN_ROWS("targets", "目标的升级概率", "probabilities of the targets", columns_targets), IN_END };
static const struct risk_output out_combination[] = {
	{ "f_none", "/yr", "无升级频率", "no escalation" }, { "f_any", "/yr", "至少一个升级", "at least one" },
	{ "expected", "", "平均升级数", "mean number" }, { "f_of*", "/yr", "恰好 k 个升级", "exactly so many" },
	{ "f_*", "/yr", "组合频率（二进制编号）", "of one combination, its number in binary" }, { 0 },
};
static const struct risk_alias alias_combination[] = { { "domino combination*", NULL, NULL }, { 0 } };
const struct risk_model model_combination = { "domino-combinations", "多米诺组合频率", "domino combinations",
	"independent targets: product of p and 1 - p", { 0 }, in_combination, out_combination, alias_combination, NULL, run_combination };
