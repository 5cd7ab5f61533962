// GB 18218-2018, identification and grading of major hazard installations: S = sum q/Q, R = alpha sum beta q/Q, unit by unit.
// All numbers of the standard are data tables (packs/installation/tables). Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"

#define UNITS_MAX 200
#define EQUAL 1e-12 // so that 0.1 + … ten times is 1

struct threshold {
	double q, beta;
	struct str why_q, why_beta; // where they stand
};

struct unit {
	struct str name;
	double s, weighted;
	struct str parts, weights; // the sums, written out
};

// The name or one of the other names, which are separated by ; in a cell.
static bool is_named(struct str cell, struct str name)
{
	while (cell.n) {
		if (str_eq_nocase(str_trim(str_cut(&cell, ';')), name)) {
			return true;
		}
	}
	return false;
}

// Row of table 1 by name, other name or CAS number; -1: none, -2: several have this other name or CAS number (six kinds of 硝化棉).
static int named_row(const struct risk_table *t, struct str name)
{
	int found = -1;
	for (size_t i = 0; i < t->n; i++) {
		if (is_named(risk_table_cell(t, i, "name"), name)) {
			return (int)i;
		}
		if (is_named(risk_table_cell(t, i, "alias"), name) || is_named(risk_table_cell(t, i, "cas"), name)) {
			found = found == -1 ? (int)i : -2;
		}
	}
	return found;
}

// The names of table 1 in which this text stands, or whose other name or CAS number it is: what may have been meant. "": none.
static struct str names_like(struct risk_run *r, const struct risk_table *t, struct str text)
{
	enum { MOST = 6 };
	struct str all = STR_EMPTY;
	int n = 0;
	for (size_t i = 0; text.n && i < t->n && n < MOST; i++) {
		struct str name = risk_table_cell(t, i, "name");
		if (str_contains(name, text) || is_named(risk_table_cell(t, i, "alias"), text) || is_named(risk_table_cell(t, i, "cas"), text)) {
			all = arena_printf(r->arena, "%.*s%s%.*s", STR_FMT(all), n++ ? "；" : "", STR_FMT(name));
		}
	}
	return all;
}

// An English name, of the table toxic-thresholds: its CAS number.
static int english_row(struct risk_run *r, const struct risk_table *named, struct str name)
{
	const struct risk_table *t = risk_table_find(r->tables, STR("toxic-thresholds"));
	int row = t ? risk_table_row(t, "name", name) : -1;
	return row < 0 ? -1 : named_row(named, risk_table_cell(t, (size_t)row, "cas"));
}

// Cuts at the next separator, Western or Chinese: "J2,W5.3", "J2、W5.3".
static struct str cut_class(struct str *rest)
{
	static const char *const marks[] = { ",", ";", "，", "、", "；" };
	for (size_t i = 0; i < rest->n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(marks); k++) {
			if (str_starts(str_skip(*rest, i), str_of(marks[k]))) {
				struct str one = str_from(rest->p, i);
				*rest = str_skip(*rest, i + strlen(marks[k]));
				return str_trim(one);
			}
		}
	}
	struct str one = *rest;
	*rest = STR_EMPTY;
	return str_trim(one);
}

// Of several classes the one with the smallest threshold counts (of equal ones that with the larger beta).
static bool by_class(struct risk_run *r, const struct risk_table *t, struct str classes, struct threshold *ret)
{
	bool any = false;
	while (classes.n) {
		struct str one = cut_class(&classes);
		if (!one.n) {
			continue;
		}
		int row = risk_table_row(t, "class", one);
		if (row < 0) {
			risk_fail(r, "inventory", "没有类别 %.*s（J1…J5、W1.1…W11）", "there is no class %.*s (J1 … J5, W1.1 … W11)",
				STR_FMT(one));
			return false;
		}
		double q = risk_table_num(t, (size_t)row, "Q"), beta = risk_table_num(t, (size_t)row, "beta");
		if (!any || q < ret->q || (q == ret->q && beta > ret->beta)) {
			ret->q = q;
			ret->beta = beta;
			ret->why_q = arena_printf(r->arena, "表2 %.*s", STR_FMT(one));
			ret->why_beta = arena_printf(r->arena, "表4 %.*s", STR_FMT(one));
		}
		any = true;
	}
	if (!any) {
		risk_fail(r, "inventory", "class 中没有类别", "there is no class in class");
	}
	return any;
}

static bool find_threshold(struct risk_run *r, size_t row, struct threshold *ret)
{
	const struct risk_table *named = risk_need_table(r, "gb18218-2018-chemicals"), *classes = risk_need_table(r, "gb18218-2018-classes");
	const struct risk_value *name = risk_cell(r, "inventory", row, "name"), *class = risk_cell(r, "inventory", row, "class");
	*ret = (struct threshold){ NAN, NAN, STR_EMPTY, STR_EMPTY };
	if (!named || !classes || (class->given && !by_class(r, classes, class->text, ret))) {
		return false;
	}
	const struct risk_value *cas = risk_cell(r, "inventory", row, "cas");
	int at = name->given ? named_row(named, name->text) : -1;
	if (at == -1 && cas->given) {
		at = named_row(named, cas->text);
	}
	at = at == -1 && name->given ? english_row(r, named, name->text) : at;
	if (at == -2) {
		struct str what = cas->given ? cas->text : name->text, names = names_like(r, named, what);
		risk_fail(r, "inventory", "%.*s 在表1中有多行，请写名称：%.*s", "%.*s has several rows in table 1; give the name: %.*s", STR_FMT(what),
			STR_FMT(names));
		return false;
	}
	if (at >= 0) {
		ret->q = risk_table_num(named, (size_t)at, "Q");
		ret->why_q = arena_printf(r->arena, "表1 第 %d 项", at + 1);
		bool gas = str_is(risk_table_cell(named, (size_t)at, "basis"), "T3");
		if (gas || !class->given) { // table 3 goes before the class
			struct str basis = risk_table_cell(named, (size_t)at, "basis");
			ret->beta = risk_table_num(named, (size_t)at, "beta");
			ret->why_beta = gas ? STR("表3") : arena_printf(r->arena, "表4 %.*s（推定）", STR_FMT(basis));
			if (!gas) {
				risk_warn(r, "%.*s 的 β 按通常类别推定，可在 class 中给出实际类别",
					"beta of %.*s follows from its usual class; give class if it differs", STR_FMT(name->text));
			}
		}
	} else if (!class->given) {
		struct str names = names_like(r, named, name->text);
		risk_fail(r, "inventory", "%.*s 不在表1中，请给出 class（类别）%s%.*s", "%.*s is not in table 1; give its class%s%.*s", STR_FMT(name->text),
			names.n ? "；表1: " : "", STR_FMT(names));
		return false;
	}
	const struct risk_value *q = risk_cell(r, "inventory", row, "Q"), *beta = risk_cell(r, "inventory", row, "beta");
	if (q->given) {
		ret->q = q->num;
		ret->why_q = STR("给定");
	}
	if (beta->given) {
		ret->beta = beta->num;
		ret->why_beta = STR("给定");
	}
	return true;
}

static struct unit *unit_of(struct risk_run *r, struct unit *units, size_t *n, struct str name)
{
	for (size_t i = 0; i < *n; i++) {
		if (str_eq(units[i].name, name)) {
			return &units[i];
		}
	}
	if (*n == UNITS_MAX) {
		risk_fail(r, "inventory", "单元最多 %d 个", "at most %d units", UNITS_MAX);
		return NULL;
	}
	units[*n].name = name;
	return &units[(*n)++];
}

// Highest row whose `from` is reached.
static int band(const struct risk_table *t, double v)
{
	int best = -1;
	double top = -HUGE_VAL;
	for (size_t i = 0; t && i < t->n; i++) {
		double from = risk_table_num(t, i, "from");
		if (v >= from - EQUAL * fabs(from) && from > top) {
			best = (int)i;
			top = from;
		}
	}
	return best;
}

// The grade that stays: `before` while R (or S, of the lowest) has not left its band by more than the dead band. A higher grade
// comes at once.
static int held(const struct risk_table *t, struct str before, double dead, int row, double s, double all)
{
	int was = before.n ? risk_table_row(t, "grade", before) : -1;
	double from = was < 0 ? NAN : risk_table_num(t, (size_t)was, "from");
	if (was < 0 || (row >= 0 && risk_table_num(t, (size_t)row, "from") >= from)) {
		return row;
	}
	return s >= (1 - dead) * (1 - EQUAL) && all >= from * (1 - dead) ? was : row;
}

static bool add_up(struct risk_run *r, struct unit *units, size_t *n, struct str *lines)
{
	for (size_t i = 0; i < risk_rows(r, "inventory"); i++) {
		struct threshold t;
		const struct risk_value *name = risk_cell(r, "inventory", i, "name"), *unit = risk_cell(r, "inventory", i, "unit");
		double q = risk_cell(r, "inventory", i, "q")->num;
		struct unit *u = unit_of(r, units, n, unit->given ? unit->text : STR_EMPTY);
		if (!u || !find_threshold(r, i, &t)) {
			return false;
		}
		struct str label = name->given ? name->text : risk_cell(r, "inventory", i, "class")->text;
		u->s += q / t.q;
		u->weighted += t.beta * q / t.q;
		u->parts = arena_printf(r->arena, "%.*s%s%g/%g", STR_FMT(u->parts), u->parts.n ? " + " : "", q, t.q);
		u->weights = arena_printf(r->arena, "%.*s%s%g×%g/%g", STR_FMT(u->weights), u->weights.n ? " + " : "", t.beta, q, t.q);
		lines[i] = arena_printf(r->arena, "%.*s%s%.*s: q = %g t, Q = %g t (%.*s), β = %g (%.*s), q/Q = %.6g", STR_FMT(u->name),
			u->name.n ? " " : "", STR_FMT(label),
					q, t.q, STR_FMT(t.why_q), t.beta, STR_FMT(t.why_beta), q / t.q);
	}
	return true;
}

static void run_gb18218(struct risk_run *r)
{
	size_t n = 0, rows = risk_rows(r, "inventory"), hazards = 0;
	const struct risk_table *exposure = risk_need_table(r, "gb18218-2018-exposure"), *grades = risk_need_table(r, "gb18218-2018-grades");
	struct unit *units = arena_many(r->arena, UNITS_MAX, struct unit);
	struct str *lines = arena_many(r->arena, rows + 3 * UNITS_MAX, struct str), *names = arena_many(r->arena, UNITS_MAX, struct str),
	*levels = arena_many(r->arena, UNITS_MAX, struct str);
	double s[UNITS_MAX], all[UNITS_MAX], worst = -1;
	if (risk_num(r, "persons") != floor(risk_num(r, "persons"))) {
		risk_fail(r, "persons", "人数应为整数", "a number of persons is whole");
	}
	int alpha_row = band(exposure, risk_num(r, "persons"));
	if (risk_failed(r) || !add_up(r, units, &n, lines)) {
		return;
	}
	double alpha = alpha_row < 0 ? NAN : risk_table_num(exposure, (size_t)alpha_row, "alpha");
	size_t best = 0, m = rows;
	for (size_t i = 0; i < n; i++) {
		s[i] = units[i].s;
		all[i] = alpha * units[i].weighted;
		names[i] = units[i].name;
		int strict = s[i] >= 1 - EQUAL ? band(grades, all[i]) : -1;
		int row = held(grades, risk_text(r, "before"), risk_num(r, "dead_band"), strict, s[i], all[i]);
		levels[i] = row < 0 ? STR("不构成重大危险源") : risk_table_cell(grades, (size_t)row, "grade");
		hazards += row >= 0;
		if ((row >= 0 ? all[i] : 0) > worst) {
			worst = row >= 0 ? all[i] : 0;
			best = i;
		}
		lines[m++] = arena_printf(r->arena, "%.*s%sS = %.*s = %.6g", STR_FMT(names[i]), names[i].n ? " " : "",
			STR_FMT(units[i].parts), s[i]);
		lines[m++] = arena_printf(r->arena, "%.*s%sR = %g × (%.*s) = %.6g → %.*s", STR_FMT(names[i]), names[i].n ? " " : "", alpha,
			STR_FMT(units[i].weights), all[i], STR_FMT(levels[i]));
		if (row != strict) {
			lines[m++] = arena_printf(r->arena, "%.*s%s仍为%.*s：未低于界限 %g%%", STR_FMT(names[i]), names[i].n ? " " : "",
				STR_FMT(levels[i]), 100 * risk_num(r, "dead_band"));
		}
	}
	risk_out(r, "S", s[best]);
	risk_out(r, "R", all[best]);
	risk_out(r, "alpha", alpha);
	risk_out_text(r, "grade", levels[best]);
	risk_out(r, "hazard_units", (double)hazards);
	risk_out_texts(r, "units", names, n);
	risk_out_list(r, "S_units", s, n);
	risk_out_list(r, "R_units", all, n);
	risk_out_texts(r, "grades", levels, n);
	risk_out_texts(r, "arithmetic", lines, m);
}

static const struct risk_input columns_inventory[] = {
	IN_TEXT_OPT("name", "名称、别名或 CAS 号", "name, other name or CAS number", { 0 }),
	IN_NUM("q", "t", "设计最大量", "design maximum", 0, 1e8), IN_TEXT_OPT("class", "类别（表2），多个以逗号分隔",
		"class of table 2, several with commas", { 0 }),
	IN_TEXT_OPT("unit", "单元", "unit", { 0 }), IN_OPT("Q", "t", "临界量（另行给定）", "threshold, instead of the tables", 1e-3, 1e6,
		NAN), IN_OPT("beta", "", "校正系数（另行给定）", "beta, instead of the tables", 0.1, 100, NAN),
	IN_TEXT_OPT("cas", "CAS 号（名称不在表1中时用）", "CAS number, when the name is not in table 1", { 0 }), IN_END,
};
static const struct risk_input in_gb18218[] = {
	IN_ROWS("inventory", "危险化学品清单", "inventory", columns_inventory),
	IN_NUM("persons", "", "厂界外 500 m 常住人口", "residents within 500 m outside the boundary", 0, 1e7),
	IN_TEXT_OPT("before", "此前等级（一级…四级）", "grade before, for the dead band (一级 … 四级)", { 0 }),
	IN_OPT("dead_band", "", "回差（低于界限多少才降级）", "dead band: how far below a bound a grade falls", 0, 0.5, 0), IN_END,
};
static const struct risk_output out_gb18218[] = {
	{ "S", "", "辨识指标（等级最高的单元）", "S of the highest unit" },
	{ "R", "", "分级指标（等级最高的单元）", "R of the highest unit" }, { "alpha", "", "α", "alpha" },
	{ "grade", "", "等级", "grade of the highest unit" }, { "hazard_units", "", "重大危险源个数", "units that are major hazards" },
	{ "units", "", "单元", "units" }, { "S_units", "", "各单元 S", "S of each" },
	{ "R_units", "", "各单元 R", "R of each (a unit with S < 1 has no grade)" }, { "grades", "", "各单元等级", "grade of each" },
	{ "arithmetic", "", "逐行计算", "the arithmetic, line by line" }, { 0 },
};
static const struct risk_alias alias_gb18218[] = { { "gb18218-2018", NULL, NULL }, { "GB 18218*", NULL, NULL }, { 0 } };
const struct risk_model model_gb18218 = { "gb18218", "危险化学品重大危险源辨识与分级",
	"major hazard installations, identification and grading", "GB 18218-2018, tables 1 to 6",
	{ "按单元辨识；取设计最大量而非当日液位；不含厂外运输、采矿、军事、核设施", "per unit; design maximum, not the level of the day; not transport outside a plant, mining, military, nuclear" }, in_gb18218,
	out_gb18218, alias_gb18218,
	"gb18218-2018-chemicals gb18218-2018-classes gb18218-2018-exposure gb18218-2018-grades", run_gb18218 };
