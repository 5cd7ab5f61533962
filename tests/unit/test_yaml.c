// The YAML reader: positions, the small dialect, typed access; mistakes in both languages.
// needs: base store expr model
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/diag.h"

struct page {
	struct arena *a;
	struct diags d;
	struct yaml_node *root;
};

static void page_read(struct page *p, const char *text, bool zh)
{
	p->a = arena_new(0);
	p->d = (struct diags){ .arena = p->a, .zh = zh };
	p->root = yaml_parse(p->a, STR("f.yaml"), str_of(text), &p->d);
}

static void page_free(struct page *p)
{
	arena_free(p->a);
}

static void assert_text(struct str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}

static void test_tree(void **state)
{
	(void)state;
	struct page p;
	page_read(&p, "# c\na: 1\nlist:\n  - x\n  - {k: \"v w\", n: no}\ntext: |\n  one\n  two\n", false);
	assert_non_null(p.root);
	assert_int_equal(p.root->kind, YAML_MAP);
	assert_int_equal(p.root->n, 3);
	struct yaml_node *list = yaml_get(p.root, "list");
	assert_int_equal(list->kind, YAML_LIST);
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[0]->line, 4);
	assert_int_equal(list->items[0]->col, 5);
	assert_text(yaml_get(list->items[1], "k")->text, "v w");
	assert_text(yaml_get(list->items[1], "n")->text, "no"); // a text, not a bool
	assert_text(yaml_get(p.root, "text")->text, "one\ntwo\n");
	assert_null(yaml_get(p.root, "none"));
	assert_null(yaml_get(list, "a"));
	assert_int_equal(p.d.n, 0);
	page_free(&p);
}

static void test_typed(void **state)
{
	(void)state;
	struct page p;
	double f;
	int64_t i;
	bool b;
	struct label l;
	struct str *v;
	size_t n;
	page_read(&p, "f: -1.5e2\ni: -12\nb: true\nd: 1h\nl: {zh: 甲, en: \" A \"}\nv: [a, b]\n", false);
	assert_true(yaml_f64(yaml_get(p.root, "f"), &f, &p.d) && f == -150);
	assert_true(yaml_i64(yaml_get(p.root, "i"), &i, &p.d) && i == -12);
	assert_true(yaml_bool(yaml_get(p.root, "b"), &b, &p.d) && b);
	assert_true(yaml_duration(yaml_get(p.root, "d"), &i, &p.d) && i == US_PER_HOUR);
	assert_true(yaml_label(yaml_get(p.root, "l"), &l, &p.d));
	assert_text(l.en, "A");
	assert_true(yaml_strs(yaml_get(p.root, "v"), p.a, &v, &n, &p.d) && n == 2);
	assert_text(v[1], "b");
	assert_int_equal(p.d.n, 0);
	assert_false(yaml_i64(yaml_get(p.root, "v"), &i, &p.d));
	assert_false(yaml_bool(yaml_get(p.root, "f"), &b, &p.d));
	assert_int_equal(p.d.n, 2);
	page_free(&p);
}

static void test_languages(void **state)
{
	(void)state;
	static const char *const keys[] = { "label", "items", NULL };
	struct page p;
	page_read(&p, "lable: x\n", true);
	yaml_check_keys(p.root, keys, &p.d);
	assert_int_equal(p.d.n, 1);
	assert_text(p.d.v[0].text, "未知的键“lable”；请改正或删去——是不是“label”？");
	page_free(&p);
	page_read(&p, "lable: x\n", false);
	yaml_check_keys(p.root, keys, &p.d);
	assert_text(p.d.v[0].text, "unknown key \"lable\"; correct it or take it out - did you mean \"label\"?");
	page_free(&p);
}

static void test_sorted(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct yaml_node at = { .file = STR("b"), .line = 2, .col = 1 };
	diag_add(&d, &at, "two");
	at.line = 1;
	diag_add(&d, &at, "one");
	diag_add(&d, &at, "one");
	at.file = STR("a");
	diag_add(&d, &at, "%s", "zero");
	diags_sort(&d);
	assert_int_equal(d.n, 3);
	assert_text(d.v[0].text, "zero");
	assert_text(d.v[1].text, "one");
	assert_text(d.v[2].text, "two");
	arena_free(a);
}

static void test_limits(void **state)
{
	(void)state;
	struct page p;
	struct arena *a = arena_new(0);
	size_t n = LIMIT_YAML_FILE + 1;
	char *text = arena_alloc(a, n + 1);
	memset(text, '#', n);
	page_read(&p, text, false);
	assert_null(p.root);
	assert_text(p.d.v[0].text, "the file is larger than 1048576 bytes; split it");
	page_free(&p);
	struct diags many = { .arena = a };
	struct yaml_node at = { .file = STR("a") };
	for (unsigned i = 0; i < LIMIT_DIAGS + 10; i++) {
		at.line = i;
		DIAG(&many, &at, EMPTY);
		diag_near(&many, STR("a"), &STR("b"), 1);
	}
	assert_int_equal(many.n, LIMIT_DIAGS);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),   cmocka_unit_test(test_typed),  cmocka_unit_test(test_languages),
		cmocka_unit_test(test_sorted), cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
