// Any text as an expression: a mistake has a place inside the text and words in both languages; what is accepted has a
// value, a sentence and JSON, and takes no longer than its length allows.
// needs: base expr
#include "expr/expr.h"

static const struct expr_item items[] = { { { "a", 1 }, { "甲", 3 }, { "A", 1 } }, { { "b", 1 }, { "乙", 3 }, { "B", 1 } } };

// The first letter of a name says its kind, so that every kind is met soon.
static bool find(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret)
{
	static const char letters[] = "-bntdouMSrlRp";
	const char *at = name.n ? strchr(letters, name.p[0]) : NULL;
	(void)arg;
	if (!at || at == letters || (of && of->kind == EXPR_ROWS && (at - letters) > EXPR_MENU))
		return false;
	*ret = (struct expr_name){ .kind = (enum expr_kind)(at - letters), .unit = name.n > 3 ? STR("kg") : STR_EMPTY, .zh = name, .en = name };
	if (ret->kind == EXPR_MENU || ret->kind == EXPR_MENUS) {
		ret->items = items;
		ret->nitems = ARRAY_LEN(items);
	}
	return true;
}

static bool call(void *arg, struct str function, struct str argument, int64_t window, struct expr_name *ret, bool *known)
{
	(void)arg;
	(void)window;
	*known = str_is(function, "linked") && argument.n; // as callers do: what is linked has a name
	*ret = (struct expr_name){ .kind = EXPR_NUMBER, .unit = STR_EMPTY, .zh = argument, .en = argument, .any_unit = true };
	return *known;
}

static struct expr_value value(void *arg, const struct expr_slot *s)
{
	(void)arg;
	static const int64_t days[] = { 0, 20000, -5, INT32_MAX };
	uint64_t h = str_hash(s->text);
	struct expr_value v = { .kind = h % 5 ? s->name.kind : EXPR_NONE, .f = (double)(int64_t)h, .i = days[h % 4], .s = STR(",a,") };
	if (s->of.kind == EXPR_ROWS || s->name.kind == EXPR_ROWS || s->name.kind == EXPR_LIST)
		v = (struct expr_value){ .kind = s->name.kind == EXPR_LIST ? EXPR_LIST : EXPR_ROWS, .i = 3, .s = STR_EMPTY };
	return v;
}

static struct expr_value cell(void *arg, const struct expr_slot *s, size_t row)
{
	(void)arg;
	return (struct expr_value){ .kind = row ? s->name.kind : EXPR_NONE, .f = 1.5, .i = 7, .s = STR("a") };
}

static void accepted(const struct expr *e, struct arena *a)
{
	struct expr_source src = { .now = 1795320000000000, .zone = 480, .value = value, .cell = cell, .arena = a };
	struct buf b;
	struct jw w;
	struct expr_value v = expr_eval(e, &src);
	if (v.kind != EXPR_NONE && v.kind != e->root->kind)
		__builtin_trap();
	if (!str_utf8_valid(e->text))
		return;
	if (expr_words(e, true, a).n == 0 || expr_words(e, false, a).n == 0)
		__builtin_trap();
	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	expr_json(&w, e);
	if (!jw_done(&w))
		__builtin_trap();
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct expr_names names = { .find = find, .call = call, .stored = size && data[0] == ' ' };
	struct expr_error error = { .zh = STR_EMPTY, .en = STR_EMPTY };
	struct str text = str_from((const char *)data, size);
	const struct expr *e = str_utf8_valid(text) ? expr_compile(a, text, &names, &error) : NULL;
	if (e)
		accepted(e, a);
	else if (str_utf8_valid(text) && (error.zh.n == 0 || error.en.n == 0 || error.at > size || error.column > size + 1))
		__builtin_trap();
	arena_free(a);
	return 0;
}
