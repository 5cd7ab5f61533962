// The rule checker: every mistake it knows has an example in tests/packs/bad_rules/ with the exact text; good rules
// compile; rules in plain words. UPDATE=1 writes the expected texts anew.
// needs: base loop store expr risk model auth alarm bus
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "alarm/alarm.h"
#include "alarm/rule_diag.h"
#include "base/arena.h"
#include "base/buf.h"
#include "model/yaml.h"

#define BAD "tests/packs/bad_rules"
#define MAX_FOLDERS 100

static struct point_kind kinds[] = { { .name = { "level", 5 }, .min = 0, .max = 100, .interval = 10 * US_PER_S },
	                             { .name = { "depth", 5 }, .unit = { "m", 1 }, .min = 0, .max = 100, .interval = 10 * US_PER_S } };
static struct type types[] = { { .name = { "warning", 7 }, .label = { { "预警", 6 }, { "Warning", 7 } } } };
static struct menu_item sectors[] = { { .value = { "chemical", 8 } }, { .value = { "dust", 4 } } };
static struct menu_item categories[] = { { .value = { "leak", 4 } } };
static struct menu menus[] = { { .name = { "sector", 6 }, .items = sectors, .nitems = 2 },
	                       { .name = { "warning_category", 16 }, .items = categories, .nitems = 1 } };

static struct str read_file(struct arena *a, const char *path, bool *ret_found)
{
	struct buf b;
	char chunk[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	*ret_found = f != NULL;
	if (!f)
		return STR_EMPTY;
	buf_init(&b, 1u << 20);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(&b, chunk, n);
	fclose(f);
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static struct registry registry_with(struct arena *a, size_t max_rules)
{
	struct registry reg = { .arena = a, .kinds = kinds, .nkinds = ARRAY_LEN(kinds), .types = types, .ntypes = 1, .menus = menus, .nmenus = ARRAY_LEN(menus) };
	reg.rules = arena_many(a, max_rules, struct rule_file);
	return reg;
}

static struct rule_set *compile(struct arena *a, const char *text)
{
	struct diags d = { .arena = a };
	struct registry reg = registry_with(a, 1);
	struct rule_set *rs;
	reg.rules[reg.nrules++] = (struct rule_file){ .file = STR("a.yaml"), .root = yaml_parse(a, STR("a.yaml"), str_of(text), &d) };
	assert_non_null(reg.rules[0].root);
	if (rules_compile(&rs, &reg, &d)) {
		print_error("%.*s\n", STR_FMT(d.v[0].text));
		fail();
	}
	return rs;
}

// a.yaml and b.yaml of a folder → diagnostics, a line each.
static struct str diagnose(struct arena *a, const char *folder, bool zh)
{
	struct diags d = { .arena = a, .zh = zh };
	struct registry reg = registry_with(a, 2);
	struct rule_set *rs = NULL;
	static const char *const names[] = { "a.yaml", "b.yaml" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool found;
		struct str path = arena_printf(a, BAD "/%s/%s", folder, names[i]), text = read_file(a, path.p, &found);
		if (!found)
			continue;
		struct yaml_node *root = yaml_parse(a, str_of(names[i]), text, &d);
		assert_non_null(root);
		reg.rules[reg.nrules++] = (struct rule_file){ .file = str_of(names[i]), .root = root };
	}
	assert_int_equal(rules_compile(&rs, &reg, &d), ERR_INVALID);
	assert_null(rs);
	assert_true(d.n > 0);
	diags_sort(&d);
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < d.n; i++)
		all = arena_printf(a, "%.*s%.*s:%u:%u: %.*s\n", STR_FMT(all), STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col,
		                   STR_FMT(d.v[i].text));
	return all;
}

static size_t folders(char names[MAX_FOLDERS][256])
{
	size_t n = 0;
	DIR *dir = opendir(BAD);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.') {
			assert_true(n < MAX_FOLDERS);
			snprintf(names[n++], sizeof names[0], "%s", e->d_name);
		}
	closedir(dir);
	return n;
}

static void test_bad_rules_give_the_exact_text(void **state)
{
	static char names[MAX_FOLDERS][256];
	struct arena *a = arena_new(0);
	(void)state;
	size_t n = folders(names);
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++) {
		static const char *const languages[] = { "en", "zh" };
		for (int zh = 0; zh < 2; zh++) {
			bool found;
			struct str got = diagnose(a, names[i], zh);
			struct str path = arena_printf(a, BAD "/%s/expected.%s", names[i], languages[zh]);
			if (getenv("UPDATE")) {
				FILE *f = fopen(path.p, "w");
				assert_non_null(f);
				fwrite(got.p, 1, got.n, f);
				fclose(f);
			}
			struct str want = read_file(a, path.p, &found);
			if (!found || !str_eq(got, want))
				fail_msg("%s: got\n%.*swant\n%.*s", path.p, STR_FMT(got), STR_FMT(want));
		}
	}
	arena_free(a);
}

// Do the fixed parts of a printf format occur in the text in their order?
static bool fits(struct str text, const char *format)
{
	for (const char *p = format; *p;) {
		const char *e = p;
		while (*e && *e != '%')
			e++;
		struct str piece = str_from(p, (size_t)(e - p));
		size_t at = 0;
		while (at + piece.n <= text.n && !str_eq(str_from(text.p + at, piece.n), piece))
			at++;
		if (at + piece.n > text.n)
			return false;
		text = str_skip(text, at + piece.n);
		p = e;
		if (*p == '%')
			p += p[1] == '.' ? 4 : 2; // %.*s, %s, %u
	}
	return true;
}

static void test_every_diagnostic_has_an_example(void **state)
{
	static char names[MAX_FOLDERS][256];
	static const struct { const char *name, *zh, *en; } all[] = {
#define X(name, zh, en) { #name, zh, en },
		RULE_DIAGS(X)
#undef X
	};
	struct arena *a = arena_new(0);
	(void)state;
	size_t n = folders(names);
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		bool en = false, zh = false;
		for (size_t i = 0; i < n && !(en && zh); i++) {
			en |= fits(diagnose(a, names[i], false), all[k].en);
			zh |= fits(diagnose(a, names[i], true), all[k].zh);
		}
		if (!en || !zh)
			fail_msg("no example in " BAD " for %s", all[k].name);
	}
	arena_free(a);
}

static const char full[] =
	"rule: tank_level\nlabel: {zh: 储罐液位, en: Tank level}\nwatch: {kind: level, where: {sector: chemical}}\n"
	"levels:\n"
	"  hh: {above: point.hh, clear_by: 2, for: 5s, off: 30s, color: red, say: {zh: 液位高高, en: Level high-high}, open: warning}\n"
	"  h: {above: 80, clear: 78.5, color: orange, say: {zh: 液位高, en: Level high}, guide: {zh: 停止进料, en: Stop the feed}}\n"
	"  l: {below: 20, color: yellow, say: {zh: 液位低, en: Level low}}\n"
	"rate: {rise: 5, per: 1min, for: 10s, color: orange, say: {zh: 上升过快, en: Rising fast}}\n"
	"silent: {for: 90s, color: blue, say: {zh: 无数据, en: No data}}\n"
	"flat: {for: 2h, by: 0.01, color: blue, say: {zh: 不变, en: Unchanged}}\n"
	"bad: {for: 30s, color: blue, say: {zh: 无效, en: Bad}}\n";

static void test_rule_in_words(void **state)
{
	struct arena *a = arena_new(0);
	(void)state;
	struct rule_set *rs = compile(a, full);
	assert_string_equal(rule_words(rs, 0, NULL, false, a).p,
	        "Watches level in sector chemical.\n"
	        "High-high (red): at or above the point's own high-high limit for 5 s; clears below the limit minus 2 for 30 s; opens \"Warning\". \"Level high-high\"\n"
	        "High (orange): at or above 80; clears below 78.5. \"Level high\"\n"
	        "Low (yellow): at or below 20; clears above 20. \"Level low\"\n"
	        "Rate of change (orange): 1 min: a rise of 5 or more for 10 s; clears 1 min after it stopped. \"Rising fast\"\n"
	        "Silence (blue): 90 s without a reading. \"No data\"\n"
	        "Flat line (blue): 2 h with a change of less than 0.01. \"Unchanged\"\n"
	        "Bad data (blue): readings out of range, stale or marked bad for 30 s. \"Bad\"\n");
	assert_string_equal(rule_words(rs, 0, NULL, true, a).p,
	        "监测种类 level，行业 chemical。\n"
	        "高高报（红色）：达到或超过测点自己的高高限，持续 5 秒；低于限值减 2，持续 30 秒后解除；生成“预警”。“液位高高”\n"
	        "高报（橙色）：达到或超过 80；低于 78.5 时解除。“液位高”\n"
	        "低报（黄色）：等于或低于 20；高于 20 时解除。“液位低”\n"
	        "变化率（橙色）：1 分钟内上升 5 或更多，持续 10 秒；恢复 1 分钟后解除。“上升过快”\n"
	        "无数据（蓝色）：90 秒没有收到数据。“无数据”\n"
	        "数据不变（蓝色）：2 小时内变化小于 0.01。“不变”\n"
	        "数据无效（蓝色）：数据超量程、过期或无效，持续 30 秒。“无效”\n");
	rules_free(rs);
	arena_free(a);
}

static void test_what_a_rule_knows(void **state)
{
	struct arena *a = arena_new(0);
	uint32_t i;
	(void)state;
	struct rule_set *rs = compile(a, full);
	assert_int_equal(rules_count(rs), 1);
	assert_true(rule_find(rs, STR("tank_level"), &i));
	assert_false(rule_find(rs, STR("tank"), &i));
	assert_true(str_is(rule_info(rs, 0).label.zh, "储罐液位"));
	assert_int_equal(rule_info(rs, 0).line, 1);
	assert_true(str_is(rule_opens(rs, 0, LEVEL_HH), "warning"));
	assert_int_equal(rule_opens(rs, 0, LEVEL_H).n, 0);
	assert_true(str_is(rule_color(rs, 0, LEVEL_L), "yellow"));
	assert_true(str_is(rule_guide(rs, 0, LEVEL_H).en, "Stop the feed"));
	assert_false(rule_hint(rs, 0));
	rules_free(rs);
	arena_free(a);
}

// The packs as they are shipped.
static void test_the_packs_compile(void **state)
{
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct registry *reg = NULL;
	struct rule_set *rs = NULL;
	(void)state;
	enum err err = registry_load(&reg, STR("packs"), &d);
	if (!err)
		err = rules_compile(&rs, reg, &d);
	for (size_t i = 0; i < d.n; i++)
		print_error("%.*s:%u:%u: %.*s\n", STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
	assert_int_equal(err, OK);
	assert_int_equal(rules_count(rs), reg->nrules);
	for (uint32_t i = 0; i < rules_count(rs); i++)
		assert_true(rule_words(rs, i, NULL, true, a).n > 0 && rule_words(rs, i, NULL, false, a).n > 0);
	rules_free(rs);
	registry_free(reg);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_rules_give_the_exact_text), cmocka_unit_test(test_every_diagnostic_has_an_example),
		cmocka_unit_test(test_rule_in_words), cmocka_unit_test(test_what_a_rule_knows),
		cmocka_unit_test(test_the_packs_compile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
