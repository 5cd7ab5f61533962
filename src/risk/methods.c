// Scored methods of risk grading: LEC, LS, MES. Scores and bands are data tables (packs/risk/tables). Entered in models.c.
// Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"

static const char *const menu_edge[] = { "inclusive", "exclusive", NULL };

// A score must be one of the table's.
static bool scored(struct risk_run *r, const struct risk_table *t, const char *method, const char *factor, double v)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < t->n; i++) {
		if (!str_is(risk_table_cell(t, i, "method"), method) || !str_is(risk_table_cell(t, i, "factor"), factor)) {
			continue;
		}
		struct str cell = risk_table_cell(t, i, "score");
		if (risk_table_num(t, i, "score") == v) {
			return true;
		}
		all = arena_printf(r->arena, "%.*s%s%.*s", STR_FMT(all), all.n ? ", " : "", STR_FMT(cell));
	}
	risk_fail(r, factor, "%s = %g 不在分值表中：%.*s", "%s = %g is no score of the table: %.*s", factor, v, STR_FMT(all));
	return false;
}

static void out_band(struct risk_run *r, const char *method, double v)
{
	const struct risk_table *t = risk_need_table(r, "risk-bands");
	bool above = risk_choice(r, "edge") == 1;
	int best = -1;
	for (size_t i = 0; t && i < t->n; i++) {
		double from = risk_table_num(t, i, "from");
		if (str_is(risk_table_cell(t, i, "method"),
			method) && (above && from > 0 ? v > from : v >= from) && (best < 0 || from > risk_table_num(t, (size_t)best, "from"))) {
			best = (int)i;
		}
	}
	if (best < 0) {
		risk_fail(r, "", "数据表 risk-bands 中没有 %s 的档", "the table risk-bands has no band of %s", method);
		return;
	}
	risk_out_text(r, "level", risk_table_cell(t, (size_t)best, "zh"));
	risk_out_text(r, "level_en", risk_table_cell(t, (size_t)best, "en"));
	risk_out_text(r, "colour", risk_table_cell(t, (size_t)best, "colour"));
	risk_out_text(r, "control", risk_table_cell(t, (size_t)best, "control"));
}

static void run_product(struct risk_run *r, const char *method, const char *const factors[3], const char *bands)
{
	const struct risk_table *t = risk_need_table(r, "risk-scores");
	double product = 1;
	for (int i = 0; t && i < 3 && factors[i]; i++) {
		double v = risk_num(r, factors[i]);
		if (!scored(r, t, method, factors[i], v)) {
			return;
		}
		product *= v;
	}
	if (t) {
		risk_out(r, strcmp(method, "LEC") == 0 ? "D" : "R", product);
		out_band(r, bands, product);
	}
}

static void run_lec(struct risk_run *r)
{
	static const char *const factors[3] = { "L", "E", "C" };
	run_product(r, "LEC", factors, "LEC");
}

static void run_ls(struct risk_run *r)
{
	static const char *const factors[3] = { "L", "S" };
	run_product(r, "LS", factors, risk_choice(r, "variant") ? "LS-variant" : "LS");
}

static void run_mes(struct risk_run *r)
{
	static const char *const factors[3] = { "M", "E", "S" };
	run_product(r, "MES", factors, "MES");
}

#define IN_EDGE { .name = "edge", .kind = RISK_MENU, .menu = menu_edge, .opt = true, .zh = "边界", .en = "edge of the bands", \
	.note = { "inclusive：320 属上一档；exclusive：大于 320 才属上一档", "inclusive: 320 is the upper band; exclusive: above 320" } }
static const struct risk_output out_method[] = {
	{ "D", "", "危险性 D", "D" }, { "R", "", "风险值 R", "R" }, { "level", "", "等级", "level (Chinese)" },
	{ "level_en", "", "等级（英文）", "level" }, { "colour", "", "颜色", "colour" }, { "control", "", "管控层级", "who controls" }, { 0 },
};
static const struct risk_input in_lec[] = { IN_NUM("L", "", "事故可能性", "likelihood", 0, 100),
	IN_NUM("E", "", "暴露频次", "exposure", 0, 100), IN_NUM("C", "", "后果", "consequence", 0, 1000), IN_EDGE, IN_END };
static const struct risk_alias alias_lec[] = { { "LEC", NULL, NULL }, { 0 } };
const struct risk_model model_lec = { "lec", "作业条件危险性评价（LEC）", "LEC: D = L E C",
	"Graham & Kinney; four-colour bands of Chinese practice", { 0 }, in_lec, out_method, alias_lec, "risk-scores risk-bands", run_lec };

static const char *const menu_variant[] = { "standard", "variant", NULL };
static const struct risk_input in_ls[] = { IN_NUM("L", "", "可能性 1～5", "likelihood 1 … 5", 0, 10),
	IN_NUM("S", "", "严重性 1～5", "severity 1 … 5", 0, 10), IN_MENU_OPT("variant", "分档", "bands", menu_variant), IN_EDGE, IN_END };
static const struct risk_alias alias_ls[] = { { "LS", NULL, NULL }, { "risk matrix", NULL, NULL }, { 0 } };
const struct risk_model model_ls = { "ls", "风险矩阵（LS）", "risk matrix LS: R = L S",
	"5 × 5 matrix of Chinese practice; the variant has bands 20, 9, 4", { 0 }, in_ls, out_method, alias_ls, "risk-scores risk-bands", run_ls };

static const struct risk_input in_mes[] = { IN_NUM("M", "", "控制措施状态", "state of controls", 0, 10),
	IN_NUM("E", "", "暴露频次", "exposure", 0, 100), IN_NUM("S", "", "后果", "severity", 0, 100), IN_EDGE, IN_END };
static const struct risk_alias alias_mes[] = { { "MES", NULL, NULL }, { 0 } };
const struct risk_model model_mes = { "mes", "MES 评价", "MES: R = M E S", "MES method; S and levels [M]", { 0 }, in_mes, out_method,
	alias_mes, "risk-scores risk-bands", run_mes };
