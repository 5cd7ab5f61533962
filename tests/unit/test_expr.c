// The expression language: what it accepts and refuses (with the place of the mistake), its values with and without missing
// ones, units, working days, the sentence for people and the tree for the browser.
// needs: base expr
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/time.h"
#include "expr/expr.h"

// ---- a small record: fields by name --------------------------------------------------------------
static const struct expr_item levels[] = { { { "major", 5 }, { "重大", 6 }, { "Major", 5 } }, { { "minor", 5 }, { "一般", 6 }, { "Minor", 5 } } };

static struct expr_name name_of(const char *name, enum expr_kind kind, const char *unit, const char *zh)
{
	struct expr_name n = { .kind = kind, .unit = str_of(unit), .zh = str_of(zh), .en = str_of(name), .p = name };
	if (kind == EXPR_MENU || kind == EXPR_MENUS) {
		n.items = levels;
		n.nitems = ARRAY_LEN(levels);
	}
	return n;
}

static const struct { const char *name; enum expr_kind kind; const char *unit, *zh; } fields[] = {
	{ "level", EXPR_MENU, "", "级别" },       { "kinds", EXPR_MENUS, "", "种类" },   { "mass", EXPR_NUMBER, "kg", "质量" },
	{ "length", EXPR_NUMBER, "m", "长度" },   { "count_of", EXPR_NUMBER, "", "数量" }, { "none", EXPR_NUMBER, "", "空数" },
	{ "found", EXPR_DATE, "", "发现日期" },   { "seen", EXPR_TIME, "", "查看时间" }, { "name", EXPR_TEXT, "", "名称" },
	{ "blank", EXPR_TEXT, "", "空白" },       { "open", EXPR_BOOL, "", "未办结" },   { "photos", EXPR_LIST, "", "照片" },
	{ "parts", EXPR_ROWS, "", "部件" },       { "firm", EXPR_REF, "", "企业" },      { "place", EXPR_OTHER, "", "位置" },
};

static bool find(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret)
{
	(void)arg;
	if (of && of->kind == EXPR_ROWS) {
		*ret = name_of("cost", EXPR_NUMBER, "CNY", "费用");
		return str_is(name, "cost");
	}
	if (of) {
		*ret = name_of("staff", EXPR_NUMBER, "", "人数");
		return str_is(name, "staff");
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_is(name, fields[i].name)) {
			*ret = name_of(fields[i].name, fields[i].kind, fields[i].unit, fields[i].zh);
			return true;
		}
	return false;
}

static size_t list(void *arg, const struct expr_name *of, struct arena *a, struct str **ret)
{
	(void)arg;
	size_t n = of ? 1 : ARRAY_LEN(fields);
	*ret = arena_many(a, n, struct str);
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = of ? (of->kind == EXPR_ROWS ? STR("cost") : STR("staff")) : str_of(fields[i].name);
	return n;
}

static bool call(void *arg, struct str function, struct str argument, int64_t window, struct expr_name *ret, bool *known)
{
	(void)arg;
	*known = str_is(function, "linked");
	*ret = name_of("linked", EXPR_NUMBER, "", "隐患数");
	ret->any_unit = true;
	return *known && str_is(argument, "hazard") && window == 0;
}

static struct expr_value value(void *arg, const struct expr_slot *s)
{
	(void)arg;
	struct expr_value v = { .kind = s->name.kind, .s = STR_EMPTY };
	if (str_is(s->text, "level"))
		v.s = STR("major");
	else if (str_is(s->text, "kinds"))
		v.s = STR(",major,");
	else if (str_is(s->text, "mass"))
		v.f = 2.5;
	else if (str_is(s->text, "length"))
		v.f = 4;
	else if (str_is(s->text, "count_of"))
		v.f = 3;
	else if (str_is(s->text, "found"))
		assert_true(expr_day_parse(STR("2026-11-20"), &v.i)); // a Friday
	else if (str_is(s->text, "seen"))
		assert_true(time_parse(STR("2026-11-22T10:30:00+08:00"), &v.i));
	else if (str_is(s->text, "name"))
		v.s = STR("泵");
	else if (str_is(s->text, "open"))
		v.i = 1;
	else if (str_is(s->text, "photos"))
		v.i = 2;
	else if (str_starts(s->text, STR("parts")))
		v = (struct expr_value){ .kind = EXPR_ROWS, .i = 3, .s = STR_EMPTY };
	else if (str_is(s->text, "firm.staff"))
		v.f = 120;
	else if (s->function.n)
		v.f = 7;
	else
		v.kind = EXPR_NONE;
	return v;
}

static struct expr_value cell(void *arg, const struct expr_slot *s, size_t row)
{
	(void)arg;
	(void)s;
	struct expr_value v = { .kind = row == 1 ? EXPR_NONE : EXPR_NUMBER, .f = row == 0 ? 10.5 : 20, .s = STR_EMPTY };
	return v;
}

static struct expr_names names = { .find = find, .list = list, .call = call };

static struct expr_source source(struct arena *a)
{
	struct expr_source s = { .zone = 480, .value = value, .cell = cell, .arena = a };
	assert_true(time_parse(STR("2026-11-22T12:00:00+08:00"), &s.now));
	return s;
}

static struct expr_value value_of(const char *text, struct arena *a)
{
	struct expr_error error;
	struct expr_source src = source(a);
	const struct expr *e = expr_compile(a, str_of(text), &names, &error);
	if (!e)
		fail_msg("%s: column %zu: %.*s", text, error.column, STR_FMT(error.en));
	return expr_eval(e, &src);
}

// ---- values ------------------------------------------------------------------------------------
static void assert_true_of(const char *text, bool want)
{
	struct arena *a = arena_new(0);
	struct expr_value v = value_of(text, a);
	if (v.kind != EXPR_BOOL || (v.i != 0) != want)
		fail_msg("%s should be %s", text, want ? "true" : "false");
	arena_free(a);
}

static void test_conditions(void **state)
{
	(void)state;
	static const char *const yes[] = {
		"level == major", "major == level", "level != minor", "level in (minor, major)", "level not in (minor)", "not level == minor",
		"level == 'major'", "has(kinds, major)", "not has(kinds, minor)", "open", "open == true", "not empty(name)", "empty(blank)",
		"empty(place)", "count(photos) >= 2", "count(parts) == 3", "count(parts.cost) == 2", "sum(parts.cost) == 30.5",
		"min(parts.cost) == 10.5 and max(parts.cost) == 20", "mass * 2 == 5", "mass + 0.5 <= 3", "-mass < 0", "abs(-mass) == 2.5",
		"round(mass) == 3", "round(1.005, 2) == 1.01", "min(3, count_of, 5) == 3", "if(open, 1, 2) == 1", "firm.staff > 100",
		"linked(hazard) == 7", "found < today()", "days(found, today()) == 2", "days(today(), found) == -2", "found + 30d == '2026-12-20'",
		"found + 1wd == '2026-11-23'", "found + 5wd == '2026-11-27'", "found - 5wd == '2026-11-13'", "seen < now()", "seen == today()",
		"now() - seen == 90min", "now() - seen > 1h", "year(found) == 2026 and month(seen) == 11", "name == '泵'", "name + '站' == '泵站'",
		"(1 + 2) * 3 == 9", "1 + 2 * 3 == 7", "10 - 3 - 2 == 5", "true or none > 1", "mass / mass == 1", "2 * 3h == 6h", "6h / 2h == 3",
	};
	static const char *const no[] = {
		"level == minor", "false", "mass > 3", "none > 0", "none < 0", "none == none", "none != 1", "none + 1 > 0", "1 / 0 > 0",
		"max(none, 1) > 0", "blank == 'x'", "empty(photos)", "open and mass > 9", "days(found, now()) > 2",
	};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true_of(yes[i], true);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_true_of(no[i], false);
}

// A comparison with a missing value is false and says so; its negation is true.
static void test_missing(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct expr_source src = source(a);
	const struct expr *e = expr_compile(a, STR("none > 1"), &names, NULL);
	assert_false(expr_true(e, &src));
	assert_true(src.missed);
	assert_true_of("not (none > 1)", true);
	assert_int_equal(value_of("none * 2 + 1", a).kind, EXPR_NONE);
	assert_int_equal(value_of("if(none > 1, 1, none)", a).kind, EXPR_NONE);
	arena_free(a);
}

// ---- mistakes ----------------------------------------------------------------------------------
static void assert_refused(const char *text, size_t column, const char *says)
{
	struct arena *a = arena_new(0);
	struct expr_error error;
	if (expr_compile(a, str_of(text), &names, &error))
		fail_msg("%s should be refused", text);
	if (error.column != column || !str_contains(error.en, str_of(says)))
		fail_msg("%s: %zu: %.*s; should be %zu: … %s", text, error.column, STR_FMT(error.en), column, says);
	assert_true(error.zh.n > 0);
	arena_free(a);
}

static void test_mistakes(void **state)
{
	(void)state;
	assert_refused("levl == major", 1, "did you mean \"level\"");
	assert_refused("level == majr", 10, "did you mean \"major\"");
	assert_refused("mass + length > 1", 8, "the units differ: \"kg\" before, \"m\" here");
	assert_refused("mass > length", 8, "units differ");
	assert_refused("mass > found", 8, "a number is expected here, not a date");
	assert_refused("level > minor", 1, "a menu value has no order");
	assert_refused("kinds == major", 1, "write has(");
	assert_refused("parts.cost > 1", 1, "sum()");
	assert_refused("parts.price > 1", 7, "there is no \"price\"");
	assert_refused("name.x == 1", 5, "neither a reference nor a table");
	assert_refused("firm.stuff > 1", 6, "did you mean \"staff\"");
	assert_refused("empty(1)", 7, "the name of a field");
	assert_refused("count(name) > 1", 7, "a list, a table or several menu values");
	assert_refused("sum(mass) > 1", 5, "TABLE.COLUMN");
	assert_refused("found + 4h > today()", 9, "whole days");
	assert_refused("found == '2026-13-01'", 10, "is not a date");
	assert_refused("5wd + 1d", 7, "working days");
	assert_refused("linked(firm)", 8, "cannot stand in linked()");
	assert_refused("lniked(hazard) > 1", 1, "did you mean \"linked\"");
	assert_refused("mass = 1", 6, "write \"==\"");
	assert_refused("mass > 1 && open", 10, "write \"and\"");
	assert_refused("质量 > 1", 1, "cannot stand here");
	assert_refused("mass ＞ 1", 6, "cannot stand here");
	assert_refused("(mass > 1", 10, "\")\" is expected");
	assert_refused("mass >", 7, "ends too early");
	assert_refused("and open", 1, "missing beside \"and\"");
	assert_refused("name == 'x", 9, "the quote does not end");
	assert_refused("round(mass, 12) > 1", 13, "from 0 to 9");
	assert_refused("days(found) > 1", 1, "takes 2 to 2 arguments");
	assert_refused("", 1, "ends too early");
}

static void test_stored(void **state)
{
	(void)state;
	static const struct expr_name number = { .kind = EXPR_NUMBER, .unit = { "kg", 2 } }, menu = { .kind = EXPR_MENU, .items = levels, .nitems = 2 };
	struct arena *a = arena_new(0);
	struct expr_names stored = names;
	struct expr_error error;
	stored.stored = true;
	stored.want = &number;
	assert_non_null(expr_compile(a, STR("mass * 1.13"), &stored, &error));
	assert_non_null(expr_compile(a, STR("length / 1000"), &stored, &error)); // a conversion
	assert_non_null(expr_compile(a, STR("mass * length / 4"), &stored, &error));
	assert_null(expr_compile(a, STR("length"), &stored, &error));
	assert_null(expr_compile(a, STR("days(found, today())"), &stored, &error));
	assert_true(str_contains(error.en, STR("would be wrong later")));
	assert_null(expr_compile(a, STR("linked(hazard)"), &stored, &error));
	assert_null(expr_compile(a, STR("open"), &stored, &error));
	stored.want = &menu;
	assert_non_null(expr_compile(a, STR("if(mass >= 3, 'major', minor)"), &stored, &error));
	assert_null(expr_compile(a, STR("if(mass >= 3, 'huge', minor)"), &stored, &error));
	arena_free(a);
}

// What a stranger's text can cost is bounded.
static void test_bounds(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct expr_error error;
	char text[LIMIT_EXPR_TEXT + 100];
	memset(text, '(', sizeof text);
	assert_null(expr_compile(a, str_from(text, 500), &names, &error));
	assert_null(expr_compile(a, str_from(text, LIMIT_EXPR_TEXT + 1), &names, &error));
	memset(text, '-', sizeof text);
	assert_null(expr_compile(a, str_from(text, 500), &names, &error));
	for (size_t i = 0; i + 4 < 1200; i += 4)
		memcpy(text + i, "not ", 4);
	assert_null(expr_compile(a, str_from(text, 1200), &names, &error));
	for (size_t i = 0; i + 2 < 1800; i += 2)
		memcpy(text + i, "1+", 2);
	assert_null(expr_compile(a, str_from(text, 1799), &names, &error));
	arena_free(a);
}

// ---- for people and for the browser ------------------------------------------------------------
static void assert_words(const char *text, const char *zh, const char *en)
{
	struct arena *a = arena_new(0);
	const struct expr *e = expr_compile(a, str_of(text), &names, NULL);
	assert_non_null(e);
	assert_string_equal(arena_cstr(a, expr_words(e, true, a)), zh);
	assert_string_equal(arena_cstr(a, expr_words(e, false, a)), en);
	arena_free(a);
}

static void test_words(void **state)
{
	(void)state;
	assert_words("level == major and not empty(photos)", "级别是“重大”，并且照片已填写", "level is \"Major\", and photos is filled in");
	assert_words("sum(parts.cost) * 1.13 > 100", "部件的费用的合计 × 1.13大于100", "parts → cost (sum) × 1.13 is more than 100");
	assert_words("found + 5wd < today()", "发现日期 + 5 个工作日早于今天", "found + 5 working days is before today");
	assert_words("(open or mass > 1) and level in (major, minor)", "（未办结，或者质量大于1），并且级别是“重大”、“一般”之一",
	             "(open, or mass is more than 1), and level is one of \"Major\", \"Minor\"");
}

static void assert_json(const char *text, const char *want)
{
	struct arena *a = arena_new(0);
	struct buf b;
	struct jw w;
	const struct expr *e = expr_compile(a, str_of(text), &names, NULL);
	assert_non_null(e);
	buf_init(&b, 1 << 16);
	jw_init(&w, &b);
	expr_json(&w, e);
	assert_true(jw_done(&w));
	assert_string_equal(arena_cstr(a, buf_str(&b)), want);
	buf_free(&b);
	arena_free(a);
}

static void test_json(void **state)
{
	(void)state;
	assert_json("level == major and not empty(photos)", "[\"and\",[\"==\",[\"f\",\"level\"],\"major\"],[\"not\",[\"empty\",[\"f\",\"photos\"]]]]");
	assert_json("found + 5wd < today() - 2h * 12 / 12", "[\"<\",[\"+\",[\"f\",\"found\"],[\"wd\",5]],[\"-\",[\"today\"],[\"/\",[\"*\",[\"dur\",7200],12],12]]]");
	assert_json("linked(hazard) > firm.staff", "[\">\",[\"call\",\"linked\",\"hazard\"],[\"f\",\"firm\",\"staff\"]]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_missing), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_stored),
		cmocka_unit_test(test_bounds),     cmocka_unit_test(test_words),   cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
