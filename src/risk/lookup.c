// Look-ups: emergency response guide distances, toxic and flammable thresholds, EPA's table distances. Entered in models.c.
// Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"

// ---- ERG --------------------------------------------------------------------------------------------------------------

static const char *const menu_when[] = { "day", "night", NULL };
static const char *const menu_spill[] = { "small", "large", NULL };
static const char *const menu_wind[] = { "low", "moderate", "high", NULL };

static void out_km(struct risk_run *r, struct str cell, const char *name)
{
	double km;
	if (str_to_f64(cell, &km)) {
		risk_out(r, name, km * 1000);
		if (km >= 11) {
			risk_warn(r, "“11+”：实际可能更大", "\"11+\": it may be larger");
		}
	} else {
		risk_warn(r, "数据表缺这一距离（%.*s），请查原书", "the table lacks this distance (%.*s); see the printed guide", STR_FMT(cell));
	}
}

static void large_by_container(struct risk_run *r, struct str un)
{
	const struct risk_table *t = risk_need_table(r, "erg-table3");
	struct str container = risk_text(r, "container"), all = STR_EMPTY;
	for (size_t i = 0; t && i < t->n; i++) {
		if (!str_eq(risk_table_cell(t, i, "un"), un)) {
			continue;
		}
		struct str name = risk_table_cell(t, i, "container");
		if (risk_given(r, "container") && str_eq_nocase(name, container)) {
			struct str column = arena_printf(r->arena, "%s_%s", menu_when[risk_choice(r, "when")], menu_wind[risk_choice(r, "wind")]);
			risk_out(r, "isolation", risk_table_num(t, i, "isolation"));
			out_km(r, risk_table_cell(t, i, column.p), "protective");
			return;
		}
		all = arena_printf(r->arena, "%.*s%s%.*s", STR_FMT(all), all.n ? ", " : "", STR_FMT(name));
	}
	risk_fail(r, "container", "大量泄漏应给出容器：%.*s", "a large spill needs the container: %.*s", STR_FMT(all));
}

static void run_erg(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "erg-table1");
	struct str un = risk_text(r, "UN");
	if (str_starts(un, STR("UN"))) {
		un = str_skip(un, 2);
	}
	int row = t ? risk_table_row(t, "un", un) : -1;
	bool large = risk_choice(r, "spill") == 1, night = risk_choice(r, "when") == 1;
	const struct risk_table *by_container = risk_need_table(r, "erg-table3");
	int third = by_container ? risk_table_row(by_container, "un", un) : -1;
	if (row < 0 && third >= 0 && large) { // table 3 has it, table 1 does not
		risk_out_text(r, "material", risk_table_cell(by_container, (size_t)third, "material"));
		large_by_container(r, un);
		return;
	}
	if (row < 0) {
		risk_fail(r, "UN", third < 0 ? "数据表 erg-table1 中没有 UN %.*s" : "UN %.*s 只录有大量泄漏（spill: large）",
			third < 0 ? "the table erg-table1 has no UN %.*s" : "of UN %.*s only large spills are entered (spill: large)", STR_FMT(un));
		return;
	}
	risk_out_text(r, "material", risk_table_cell(t, (size_t)row, "material"));
	risk_out_text(r, "guide", risk_table_cell(t, (size_t)row, "guide"));
	double iso = risk_table_num(t, (size_t)row, large ? "large_iso" : "small_iso");
	if (large && isnan(iso)) {
		large_by_container(r, un);
		return;
	}
	risk_out(r, "isolation", iso);
	out_km(r, risk_table_cell(t, (size_t)row, large ? (night ? "large_night" : "large_day") : (night ? "small_night" : "small_day")),
		"protective");
}

static const struct risk_input in_erg[] = {
	IN_TEXT("UN", "UN 号", "UN number"), IN_MENU_OPT("spill", "泄漏规模", "spill (small: up to 208 L)", menu_spill),
	IN_MENU_OPT("when", "昼夜", "time of day", menu_when), IN_TEXT_OPT("container", "容器（大量泄漏）",
		"container, for large spills of table 3", { 0 }),
	IN_MENU_OPT("wind", "风力（大量泄漏）", "wind: low < 10, moderate to 20, high > 20 km/h", menu_wind), IN_END,
};
static const struct risk_output out_erg[] = { { "material", "", "物质", "material" }, { "guide", "", "指南号", "guide" },
	{ "isolation", "m", "初始隔离距离", "initial isolation, all directions" },
	{ "protective", "m", "防护距离（下风）", "protective action, downwind" }, { 0 } };
const struct risk_model model_erg = { "erg-distance", "应急隔离与防护距离（ERG）", "isolation and protective action distances (ERG)",
	"Emergency Response Guidebook, tables 1 and 3, as ERG2024", { "事故最初 30 分钟", "the first 30 minutes" }, in_erg, out_erg, CALLED(AS("ERG *")), "erg-table1 erg-table3",
	run_erg };

// ---- thresholds -----------------------------------------------------------------------------------------------------------

static void run_threshold(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "toxic-thresholds");
	struct str what = risk_text(r, "substance");
	int row = t ? risk_table_row(t, "cas", what) : -1;
	row = t && row < 0 ? risk_substance_row(r, t, "name", what) : row;
	if (row < 0) {
		risk_fail(r, "substance", "数据表 toxic-thresholds 中没有这种物质（CAS 号、中文名或英文名）",
			"the table toxic-thresholds has no such substance (CAS number or name)");
		return;
	}
	static const char *const columns[] = { "name", "cas", "idlh", "aegl1_60min", "aegl2_60min", "aegl3_60min", "erpg1", "erpg2",
		"erpg3", "pac1", "pac2", "pac3", "LEL", "UEL" };
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct str cell = risk_table_cell(t, (size_t)row, columns[i]);
		if (cell.n) {
			risk_out_text(r, columns[i], cell);
		}
	}
	risk_out(r, "MW", risk_table_num(t, (size_t)row, "MW"));
	double tb = risk_table_num(t, (size_t)row, "boiling_K");
	if (isfinite(tb)) {
		risk_out(r, "boiling_K", tb);
	}
	if (risk_given(r, "ppm")) {
		risk_out(r, "C", risk_num(r, "ppm") * 1e-6 * risk_table_num(t, (size_t)row,
			"MW") / 1000 * ATM / (GAS_CONSTANT * risk_num(r, "T")));
	}
}

static const struct risk_input in_threshold[] = { IN_TEXT("substance", "CAS 号、中文名或英文名", "CAS number or name, Chinese or English"),
	IN_OPT("ppm", "", "要换算的 ppm", "ppm to convert", 0, 1e6, NAN), IN_OPT("T", "K", "气温", "air temperature", 200, 340, 298.15), IN_END };
static const struct risk_output out_threshold[] = {
	{ "name", "", "名称", "name" }, { "cas", "", "CAS 号", "CAS number" }, { "idlh", "", "IDLH", "IDLH" },
	{ "aegl1_60min", "", "AEGL-1", "AEGL-1, 60 min" }, { "aegl2_60min", "", "AEGL-2", "AEGL-2, 60 min" },
	{ "aegl3_60min", "", "AEGL-3", "AEGL-3, 60 min" },
	{ "erpg1", "", "ERPG-1 ppm", "ERPG-1, ppm" }, { "erpg2", "", "ERPG-2 ppm", "ERPG-2, ppm" },
	{ "erpg3", "", "ERPG-3 ppm", "ERPG-3, ppm" }, { "pac1", "", "PAC-1", "PAC-1" }, { "pac2", "", "PAC-2", "PAC-2" },
	{ "pac3", "", "PAC-3", "PAC-3" },
	{ "LEL", "", "爆炸下限", "lower explosive limit" }, { "UEL", "", "爆炸上限", "upper explosive limit" },
	{ "MW", "kg/kmol", "摩尔质量", "molar mass" }, { "boiling_K", "K", "沸点", "boiling point" },
	{ "C", "kg/m3", "换算浓度", "the ppm as a concentration" }, { 0 },
};
const struct risk_model model_threshold = { "toxic-threshold", "毒性与可燃阈值", "toxic and flammable thresholds",
	"NIOSH IDLH; EPA AEGL; AIHA ERPG; DOE PAC (CAMEO lineage): check against the current edition", { 0 }, in_threshold, out_threshold,
	NULL, "toxic-thresholds", run_threshold };

// ---- EPA RMP tables ----------------------------------------------------------------------------------------------------------

static const char *const menu_oca[] = { "10min-rural", "60min-rural", "10min-urban", NULL };

static void run_oca(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "oca-neutral"), *ends = risk_need_table(r, "oca-endpoints");
	double end = risk_num(r, "endpoint");
	if (ends && !isfinite(end)) {
		int row = risk_given(r, "substance") ? risk_substance_row(r, ends, "substance", risk_text(r, "substance")) : -1;
		end = row < 0 ? NAN : risk_table_num(ends, (size_t)row, "endpoint");
	}
	if (!t || !isfinite(end)) {
		risk_fail(r, "endpoint", "应给出 endpoint 或数据表 oca-endpoints 中的 substance",
			"endpoint is needed, or a substance of the table oca-endpoints");
		return;
	}
	double quotient = risk_num(r, "Q") / end, miles = 25;
	bool found = false;
	for (size_t i = 0; i < t->n && !found; i++) {
		if (str_is(risk_table_cell(t, i, "table"), menu_oca[risk_choice(r, "table")]) && risk_table_num(t, i, "quotient") >= quotient) {
			miles = risk_table_num(t, i, "miles");
			found = true;
		}
	}
	if (!found) {
		bool short_table = risk_choice(r, "table") == 2;
		risk_warn(r, short_table ? "该表只录有前 8 行，商数超出" : "商数超出表末，距离按 25 英里",
			short_table ? "only the first 8 rows of this table are entered" : "the quotient is beyond the table: 25 miles");
		if (short_table) {
			risk_fail(r, "table", "商数 %.4g 超出已录入的表", "the quotient %.4g is beyond the rows entered", quotient);
			return;
		}
	}
	risk_out(r, "quotient", quotient);
	risk_out(r, "distance_mi", miles);
	risk_out(r, "distance", miles * 1609.344);
}

static const struct risk_input in_oca[] = {
	IN_NUM("Q", "lb/min", "释放速率", "rate", 1e-3, 1e7), IN_OPT("endpoint", "mg/L", "毒性终点", "toxic endpoint", 1e-6, 10, NAN),
	IN_TEXT_OPT("substance", "物质（见数据表 oca-endpoints）", "substance, of the table oca-endpoints", { 0 }),
	IN_MENU_OPT("table", "表", "table", menu_oca), IN_END,
};
static const struct risk_output out_oca[] = { { "quotient", "", "商数 (lb/min)/(mg/L)", "quotient (lb/min)/(mg/L)" },
	{ "distance_mi", "mi", "距离", "distance" }, { "distance", "m", "距离", "distance" }, { "QR", "lb/min", "释放速率", "rate" },
	{ "duration_min", "min", "释放时间", "duration" }, { 0 } };
const struct risk_model model_oca = { "oca-toxic-distance", "EPA 毒性距离（中性气体表）", "EPA toxic distance, neutrally buoyant",
	"EPA RMP OCA Guidance reference tables 1-3; 40 CFR 68 appendix A", { "最坏情景：F 类、1.5 m/s", "worst case F, 1.5 m/s" }, in_oca, out_oca, CALLED(AS("EPA OCA toxic distance*")),
	"oca-neutral oca-endpoints", run_oca };

static void run_oca_ammonia(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "oca-ammonia");
	double q = risk_num(r, "Q");
	bool urban = risk_choice(r, "terrain") == 1;
	for (size_t i = 0; t && i < t->n; i++) {
		if (q <= risk_table_num(t, i, "rate")) {
			double miles = risk_table_num(t, i, urban ? "urban" : "rural");
			risk_out(r, "distance_mi", miles);
			risk_out(r, "distance", miles * 1609.344);
			if (miles >= 25) {
				risk_warn(r, "表中为“>25 英里”", "the table says \"more than 25 miles\"");
			}
			return;
		}
	}
	risk_fail(r, "Q", "速率 %.4g lb/min 超出表末", "the rate %.4g lb/min is beyond the table", q);
}

static const char *const menu_terrain[] = { "rural", "urban", NULL };
static const struct risk_input in_oca_ammonia[] = { IN_NUM("Q", "lb/min", "释放速率", "rate", 0.01, 250000),
	IN_MENU_OPT("terrain", "地形", "terrain", menu_terrain), IN_END };
const struct risk_model model_oca_ammonia = { "oca-ammonia-distance", "EPA 液氨距离", "EPA distance of liquefied ammonia",
	"EPA RMP OCA Guidance reference table 9", { "最坏情景：F 类、1.5 m/s", "worst case F, 1.5 m/s" }, in_oca_ammonia, out_oca, NULL, "oca-ammonia", run_oca_ammonia };

static void run_oca_rate(struct risk_run *r)
{
	double qs = risk_num(r, "QS");
	if (!risk_given(r, "LFA")) { // a gas: all of it in ten minutes
		double q = qs / 10 * (risk_choice(r, "indoors") == 1 ? 0.55 : 1);
		risk_out(r, "QR", q);
		risk_out(r, "duration_min", 10);
		return;
	}
	double lfa = risk_num(r, "LFA"), dike = risk_given(r, "dike") ? risk_num(r, "dike") : HUGE_VAL;
	double spread = risk_given(r, "DF") ? qs * risk_num(r, "DF") : HUGE_VAL, q = 1.4 * lfa * fmin(dike, spread);
	if (!isfinite(q)) {
		risk_fail(r, "DF", "液体应给出 DF 或 dike", "a liquid needs DF or dike");
		return;
	}
	if (risk_choice(r, "indoors") == 1) {
		risk_warn(r, "室内系数 0.55 只用于气体，此处未计", "the factor of 0.55 indoors is for gases: not applied here");
	}
	risk_out(r, "QR", q);
	risk_out(r, "duration_min", qs / q);
}

static const char *const menu_in[] = { "outdoors", "indoors", NULL };
static const struct risk_input in_oca_rate[] = {
	IN_NUM("QS", "lb", "释放量", "quantity", 1, 1e9), IN_OPT("LFA", "", "液体系数（气体不填）", "liquid factor ambient; absent: a gas",
		1e-9, 10, NAN), IN_OPT("DF", "", "密度系数", "density factor", 0.01, 5, NAN),
		IN_OPT("dike", "ft2", "围堰面积", "area of the dike", 1, 1e7, NAN),
	IN_MENU_OPT("indoors", "位置", "where (indoors: factor 0.55)", menu_in), IN_END,
};
const struct risk_model model_oca_rate = { "oca-release-rate", "EPA 最坏情景释放速率", "EPA worst-case release rate",
	"EPA RMP OCA Guidance: QR = QS/10; QR = QS 1.4 LFA DF; QR = 1.4 LFA A", { "最坏情景", "worst case" }, in_oca_rate, out_oca,
	CALLED(AS("EPA OCA release rate*"), AS("EPA OCA worst-case*"), AS("EPA OCA pool evaporation*")), NULL, run_oca_rate };
