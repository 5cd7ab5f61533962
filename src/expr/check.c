// The tree as written → the checked tree: names, kinds, units, items of menus. Called by expr_compile; any thread.
#include <math.h>
#include "base/limits.h"
#include "expr/expr_int.h"

#define BIT(k) (1u << (k))
#define MOMENT (BIT(EXPR_DATE) | BIT(EXPR_TIME))

struct hope {               // what a soft word (an item of a menu, a quoted day) would have to be
	enum expr_kind kind;
	const struct expr_item *items;
	size_t nitems;
};

static struct expr_node *check(struct compiler *c, const struct raw *r, const struct hope *hope);

// ---- names of kinds and operators --------------------------------------------------------------
static const struct { const char *zh, *en; } kind_names[EXPR__MAX] = {
	[EXPR_NONE] = { "空", "nothing" },         [EXPR_BOOL] = { "是否", "a yes or no" },     [EXPR_NUMBER] = { "数", "a number" },
	[EXPR_TEXT] = { "文字", "a text" },        [EXPR_DATE] = { "日期", "a date" },          [EXPR_TIME] = { "时间", "a time" },
	[EXPR_DURATION] = { "时长", "a duration" }, [EXPR_MENU] = { "菜单值", "a menu value" }, [EXPR_MENUS] = { "多个菜单值", "several menu values" },
	[EXPR_REF] = { "引用", "a reference" },    [EXPR_LIST] = { "列表", "a list" },          [EXPR_ROWS] = { "表格", "a table of rows" },
	[EXPR_ORIGIN] = { "来源", "an origin" },
	[EXPR_OTHER] = { "图形", "a shape" },
};

const char *expr_kind_name(enum expr_kind k, bool zh)
{
	return zh ? kind_names[k].zh : kind_names[k].en;
}

static const char *const op_names[EXPR_OP__MAX] = {
	[EXPR_LITERAL] = "literal", [EXPR_SLOT] = "f", [EXPR_AND] = "and", [EXPR_OR] = "or", [EXPR_NOT] = "not", [EXPR_EQ] = "==",
	[EXPR_NE] = "!=", [EXPR_LT] = "<", [EXPR_LE] = "<=", [EXPR_GT] = ">", [EXPR_GE] = ">=", [EXPR_IN] = "in", [EXPR_ADD] = "+",
	[EXPR_SUB] = "-", [EXPR_MUL] = "*", [EXPR_DIV] = "/", [EXPR_NEG] = "neg", [EXPR_EMPTY] = "empty", [EXPR_COUNT] = "count",
	[EXPR_SUM] = "sum", [EXPR_MIN] = "min", [EXPR_MAX] = "max", [EXPR_ABS] = "abs", [EXPR_ROUND] = "round", [EXPR_IF] = "if",
	[EXPR_HAS] = "has", [EXPR_DAYS] = "days", [EXPR_TODAY] = "today", [EXPR_NOW] = "now", [EXPR_YEAR] = "year", [EXPR_MONTH] = "month",
	[EXPR_ANY] = "any", [EXPR_ALL] = "all", [EXPR_COUNT_OF] = "count_of",
};

const char *expr_op_name(enum expr_op op)
{
	return op_names[op];
}

enum expr_op expr_function(struct str name)
{
	for (unsigned op = EXPR_EMPTY; op < EXPR_OP__MAX; op++)
		if (str_is(name, op_names[op]))
			return (enum expr_op)op;
	return EXPR_OP__MAX;
}

// ---- nodes -------------------------------------------------------------------------------------
static struct expr_node *make(struct compiler *c, const struct raw *r, enum expr_op op, enum expr_kind kind)
{
	struct expr_node *n = arena_one(c->a, struct expr_node);
	*n = (struct expr_node){ .op = op, .kind = kind, .unit = STR_EMPTY, .at = r->at, .value.s = STR_EMPTY };
	if (r->kind == RAW_OP || r->kind == RAW_CALL)
		n->subs = arena_many(c->a, r->nsubs, const struct expr_node *);
	return n;
}

static struct expr_node *literal(struct compiler *c, const struct raw *r, struct expr_value v)
{
	struct expr_node *n = make(c, r, EXPR_LITERAL, v.kind);
	n->value = v;
	n->any_unit = true;
	return n;
}

// A mistake whose words differ from language to language.
static void fail_words(struct compiler *c, size_t at, struct str zh, struct str en)
{
	if (c->failed)
		return;
	expr_fail(c, at, " ", " ");
	c->error->zh = zh;
	c->error->en = en;
}

static bool want(struct compiler *c, const struct expr_node *n, unsigned kinds, const char *want_zh, const char *want_en)
{
	if (!n)
		return false;
	if (!n->column && (kinds & BIT(n->kind)))
		return true;
	if (n->column)
		expr_fail(c, n->at, "这是一列里的许多值；请用 sum()、min()、max() 或 count() 取一个",
		          "these are all the values of a column; take one with sum(), min(), max() or count()");
	else
		fail_words(c, n->at, arena_printf(c->a, "这里应为%s，却是%s；请改正", want_zh, kind_names[n->kind].zh),
		           arena_printf(c->a, "%s is expected here, not %s; correct it", want_en, kind_names[n->kind].en));
	return false;
}

// ---- units -------------------------------------------------------------------------------------
static bool same_unit(struct compiler *c, const struct expr_node *a, const struct expr_node *b)
{
	if (a->any_unit || b->any_unit || str_eq(a->unit, b->unit))
		return true;
	struct str x = a->unit.n ? a->unit : STR("1"), y = b->unit.n ? b->unit : STR("1");
	expr_fail(c, b->at, "单位不同：前面是“%.*s”，这里是“%.*s”；请换算成一样的单位",
	          "the units differ: \"%.*s\" before, \"%.*s\" here; convert one of them", STR_FMT(x), STR_FMT(y));
	return false;
}

static void unit_of(struct expr_node *n, const struct expr_node *a, const struct expr_node *b)
{
	n->unit = a->any_unit ? b->unit : a->unit;
	n->any_unit = a->any_unit && b->any_unit;
}

static struct str joined(struct compiler *c, struct str a, const char *sign, struct str b)
{
	if (b.n == 0)
		return a;
	return arena_printf(c->a, "%.*s%s%.*s", (int)a.n, a.p, sign, (int)b.n, b.p);
}

// ---- names -------------------------------------------------------------------------------------
static void no_name(struct compiler *c, size_t at, struct str name, const struct expr_name *of)
{
	struct str *names = NULL;
	bool function = !of && expr_function(name) != EXPR_OP__MAX;
	if (of && of->kind == EXPR_ORIGIN)
		expr_fail(c, at, "来源可以是几种记录，点后面没有“%.*s”，只有 type 和每种记录都有的列；请改正",
		          "an origin is of one of several types: behind its dot there is no \"%.*s\", only type and the columns that every record has; correct it",
		          STR_FMT(name));
	else if (of)
		expr_fail(c, at, "点后面没有“%.*s”；请改成有的字段", "there is no \"%.*s\" behind the dot; use a field that exists", STR_FMT(name));
	else if (function)
		expr_fail(c, at, "“%.*s”是函数，后面要有括号；请写 %.*s()", "\"%.*s\" is a function and takes parentheses; write %.*s()", STR_FMT(name), STR_FMT(name));
	else if (str_is(name, "yes") || str_is(name, "no") || str_is(name, "True") || str_is(name, "False"))
		expr_fail(c, at, "“%.*s”不是 true 或 false；请写其中一个", "\"%.*s\" is neither true nor false; write one of them", STR_FMT(name));
	else
		expr_fail(c, at, "没有“%.*s”；请改成字段名，文字要加引号", "there is no \"%.*s\"; use the name of a field, put texts in quotes", STR_FMT(name));
	size_t n = c->names->list && !function ? c->names->list(c->names->arg, of, c->a, &names) : 0;
	expr_fail_near(c, name, names, n);
}

static size_t slot_of(struct compiler *c, const struct raw *r, const struct expr_slot *s)
{
	for (size_t i = 0; i < c->nslots; i++)
		if (str_eq(c->slots[i].text, s->text))
			return i;
	if (c->nslots == LIMIT_EXPR_SLOTS) {
		expr_fail(c, r->at, "表达式读的字段超过 %u 个；请拆开", "the expression reads more than %u fields; split it", (unsigned)LIMIT_EXPR_SLOTS);
		return 0;
	}
	c->slots[c->nslots] = *s;
	return c->nslots++;
}

static struct expr_node *slot_node(struct compiler *c, const struct raw *r, const struct expr_slot *s)
{
	struct expr_node *n = make(c, r, EXPR_SLOT, s->name.kind);
	n->unit = s->name.unit;
	n->any_unit = s->name.any_unit;
	n->items = s->name.items;
	n->nitems = s->name.nitems;
	n->column = s->of.kind == EXPR_ROWS;
	n->slot = slot_of(c, r, s);
	if (s->name.many && !(c->in_group && (!c->group || c->group == s->name.p))) {
		expr_fail(c, r->at, "“%.*s”有好几个测点；请写在 any()、all() 或 count_of() 里，一次只写一种",
		          "\"%.*s\" stands for several points; write it inside any(), all() or count_of(), one kind at a time", STR_FMT(s->text));
		return NULL;
	}
	c->group = s->name.many ? s->name.p : c->group;
	return n;
}

static struct expr_node *named(struct compiler *c, const struct raw *r)
{
	struct expr_slot s = { .text = r->text, .function = STR_EMPTY, .argument = STR_EMPTY };
	if (!c->names->find(c->names->arg, NULL, r->text, &s.name)) {
		no_name(c, r->at, r->text, NULL);
		return NULL;
	}
	if (r->field.n == 0)
		return slot_node(c, r, &s);
	s.of = s.name;
	s.text = arena_printf(c->a, "%.*s.%.*s", STR_FMT(r->text), STR_FMT(r->field));
	if (s.of.kind != EXPR_REF && s.of.kind != EXPR_ORIGIN && s.of.kind != EXPR_ROWS) {
		expr_fail(c, r->at + r->text.n, "“%.*s”不是引用也不是表格，后面不能有点；请改正",
		          "\"%.*s\" is neither a reference nor a table: nothing can stand behind a dot; correct it", STR_FMT(r->text));
		return NULL;
	}
	if (!c->names->find(c->names->arg, &s.of, r->field, &s.name)) {
		no_name(c, r->at + r->text.n + 1, r->field, &s.of);
		return NULL;
	}
	return slot_node(c, r, &s);
}

static bool is_soft(const struct raw *r)
{
	return r->kind == RAW_TEXT || r->kind == RAW_NUMBER || (r->kind == RAW_NAME && r->field.n == 0);
}

static struct expr_node *item(struct compiler *c, const struct raw *r, const struct hope *hope)
{
	struct expr_name own;
	for (size_t i = 0; i < hope->nitems; i++)
		if (str_eq(hope->items[i].value, r->text)) {
			struct expr_node *n = literal(c, r, (struct expr_value){ .kind = EXPR_MENU, .s = hope->items[i].value });
			n->items = hope->items;
			n->nitems = hope->nitems;
			return n;
		}
	if (r->kind == RAW_NAME && c->names->find(c->names->arg, NULL, r->text, &own))
		return named(c, r);
	struct str *names = arena_many(c->a, hope->nitems, struct str);
	for (size_t i = 0; i < hope->nitems; i++)
		names[i] = hope->items[i].value;
	struct str some = STR_EMPTY; // of a long menu its beginning
	for (size_t i = 0; i < hope->nitems && i < 12; i++)
		some = joined(c, some, i ? " " : "", names[i]);
	if (hope->nitems == 0)
		expr_fail(c, r->at, "没有“%.*s”：这里没有可选的值；请先写上", "there is no \"%.*s\": nothing to choose from here; write the values first", STR_FMT(r->text));
	else
		expr_fail(c, r->at, "菜单里没有“%.*s”；可用 %.*s%s", "the menu has no \"%.*s\"; use %.*s%s", STR_FMT(r->text), STR_FMT(some),
		          hope->nitems > 12 ? " …" : "");
	expr_fail_near(c, r->text, names, hope->nitems);
	return NULL;
}

static struct expr_node *day(struct compiler *c, const struct raw *r)
{
	struct expr_value v = { .kind = EXPR_DATE };
	if (expr_day_parse(r->text, &v.i))
		return literal(c, r, v);
	expr_fail(c, r->at, "“%.*s”不是日期；请写如 '2026-11-22'", "\"%.*s\" is not a date; write for example '2026-11-22'", STR_FMT(r->text));
	return NULL;
}

// ---- comparisons -------------------------------------------------------------------------------
static struct hope hope_of(const struct expr_node *n)
{
	return n ? (struct hope){ n->kind, n->items, n->nitems } : (struct hope){ .kind = EXPR_NONE };
}

// Is the word a name of the owner's?
static bool found(struct compiler *c, const struct raw *r, struct expr_name *ret)
{
	return r->kind == RAW_NAME && c->names->find(c->names->arg, NULL, r->text, ret);
}

// Which of two operands says what the other must be.
static bool second_leads(struct compiler *c, const struct raw *a, const struct raw *b)
{
	struct expr_name x, y;
	if (!is_soft(a))
		return false;
	if (!found(c, a, &x))
		return !is_soft(b) || found(c, b, &y);
	return x.kind != EXPR_MENU && found(c, b, &y) && y.kind == EXPR_MENU;
}

static bool pair(struct compiler *c, const struct raw *a, const struct raw *b, struct expr_node **ret_a, struct expr_node **ret_b)
{
	bool second = second_leads(c, a, b);
	struct expr_node *first = check(c, second ? b : a, NULL);
	struct hope hope = hope_of(first);
	struct expr_node *other = first ? check(c, second ? a : b, &hope) : NULL;
	*ret_a = second ? other : first;
	*ret_b = second ? first : other;
	return other != NULL;
}

static bool single(struct compiler *c, const struct expr_node *n)
{
	return want(c, n, ~0u, "", "");
}

static bool comparable(struct compiler *c, const struct expr_node *a, const struct expr_node *b, bool order)
{
	unsigned ordered = BIT(EXPR_NUMBER) | MOMENT | BIT(EXPR_DURATION);
	unsigned equal = ordered | BIT(EXPR_TEXT) | BIT(EXPR_BOOL) | BIT(EXPR_MENU) | BIT(EXPR_REF);
	if (!single(c, a) || !single(c, b))
		return false;
	if (a->kind == EXPR_MENUS || b->kind == EXPR_MENUS) {
		expr_fail(c, a->at, "多个菜单值不能这样比较；请写 has(字段, 值)", "several menu values are not compared like this; write has(field, item)");
		return false;
	}
	if (a->kind == EXPR_ORIGIN || b->kind == EXPR_ORIGIN) {
		expr_fail(c, a->at, "来源不能直接比较；请比较它的 .type、.number，或写 empty(字段)",
		          "an origin is not compared itself; compare its .type or .number, or write empty(field)");
		return false;
	}
	if (!(BIT(a->kind) & (order ? ordered : equal))) {
		const char *zh = order ? "%s没有大小；请写 == 或 in (…)" : "%s不能比较；请写 empty() 或 count()";
		const char *en = order ? "%s has no order; write == or in (…)" : "%s cannot be compared; write empty() or count()";
		fail_words(c, a->at, arena_printf(c->a, zh, kind_names[a->kind].zh), arena_printf(c->a, en, kind_names[a->kind].en));
		return false;
	}
	bool moments = (BIT(a->kind) & MOMENT) && (BIT(b->kind) & MOMENT);
	if (!moments && !want(c, b, BIT(a->kind), kind_names[a->kind].zh, kind_names[a->kind].en))
		return false;
	if (a->kind == EXPR_MENU && a->items != b->items) {
		expr_fail(c, b->at, "两个字段的菜单不同，不能比较；请改正", "the two fields have different menus; correct it");
		return false;
	}
	if (a->kind == EXPR_DURATION && (a->value.workdays || b->value.workdays) && a->value.workdays != b->value.workdays) {
		expr_fail(c, b->at, "工作日不能与其他时长比较；请写成 日期 + 5wd", "working days cannot be compared with other durations; write a date + 5wd");
		return false;
	}
	return a->kind != EXPR_NUMBER || same_unit(c, a, b);
}

static struct expr_node *compare(struct compiler *c, const struct raw *r)
{
	struct expr_node *a, *b;
	if (!pair(c, r->subs[0], r->subs[1], &a, &b))
		return NULL;
	expr_fit_units(c, &a, &b);
	if (!comparable(c, a, b, r->op != EXPR_EQ && r->op != EXPR_NE))
		return NULL;
	struct expr_node *n = make(c, r, r->op, EXPR_BOOL);
	n->subs[n->nsubs++] = a;
	n->subs[n->nsubs++] = b;
	return n;
}

static struct expr_node *choice(struct compiler *c, const struct raw *r)
{
	struct expr_node *n = make(c, r, EXPR_IN, EXPR_BOOL);
	struct expr_node *of = check(c, r->subs[0], NULL);
	struct hope hope = hope_of(of);
	if (!of)
		return NULL;
	n->subs[n->nsubs++] = of;
	for (size_t i = 1; i < r->nsubs; i++) {
		struct expr_node *one = check(c, r->subs[i], &hope);
		if (!one || !comparable(c, of, one, false))
			return NULL;
		n->subs[n->nsubs++] = one;
	}
	return n;
}

// ---- logic and arithmetic ----------------------------------------------------------------------
static struct expr_node *logic(struct compiler *c, const struct raw *r)
{
	struct expr_node *n = make(c, r, r->op, EXPR_BOOL);
	for (size_t i = 0; i < r->nsubs; i++) {
		struct expr_node *sub = check(c, r->subs[i], NULL);
		if (!want(c, sub, BIT(EXPR_BOOL), "条件", "a condition"))
			return NULL;
		n->subs[n->nsubs++] = sub;
	}
	return n;
}

static bool whole_days(const struct expr_node *d)
{
	return d->op != EXPR_LITERAL || d->value.workdays || d->value.i % US_PER_DAY == 0;
}

static enum expr_kind moved(struct compiler *c, const struct expr_node *at, const struct expr_node *by)
{
	if (at->kind == EXPR_DATE && !whole_days(by)) {
		expr_fail(c, by->at, "日期只能加减整天；请写如 30d 或 5wd", "a date takes whole days only; write for example 30d or 5wd");
		return EXPR_NONE;
	}
	return at->kind;
}

static enum expr_kind durations(struct compiler *c, const struct expr_node *a, const struct expr_node *b)
{
	if (a->value.workdays || b->value.workdays) {
		expr_fail(c, b->at, "工作日只能加在日期或时间上；请改正", "working days can only be added to a date or time; correct it");
		return EXPR_NONE;
	}
	return EXPR_DURATION;
}

// The kind of a + b and a - b; EXPR_NONE if it has none (told, if there is something better to say than the usual).
static enum expr_kind sum_kind(struct compiler *c, const struct expr_node *a, const struct expr_node *b, bool minus)
{
	bool ma = BIT(a->kind) & MOMENT, mb = BIT(b->kind) & MOMENT;
	if (a->kind == EXPR_NUMBER && b->kind == EXPR_NUMBER)
		return same_unit(c, a, b) ? EXPR_NUMBER : EXPR_NONE;
	if (ma && b->kind == EXPR_DURATION)
		return moved(c, a, b);
	if (mb && a->kind == EXPR_DURATION && !minus)
		return moved(c, b, a);
	if (ma && mb && minus)
		return EXPR_DURATION;
	if (a->kind == EXPR_DURATION && b->kind == EXPR_DURATION)
		return durations(c, a, b);
	return a->kind == EXPR_TEXT && b->kind == EXPR_TEXT && !minus ? EXPR_TEXT : EXPR_NONE;
}

static enum expr_kind product_kind(struct compiler *c, const struct expr_node *a, const struct expr_node *b, bool divide)
{
	bool da = a->kind == EXPR_DURATION, db = b->kind == EXPR_DURATION;
	if ((da && a->value.workdays) || (db && b->value.workdays)) {
		expr_fail(c, a->at, "工作日只能加在日期或时间上；请改正", "working days can only be added to a date or time; correct it");
		return EXPR_NONE;
	}
	if (a->kind == EXPR_NUMBER && b->kind == EXPR_NUMBER)
		return EXPR_NUMBER;
	if (da && b->kind == EXPR_NUMBER)
		return EXPR_DURATION;
	if (divide)
		return da && db ? EXPR_NUMBER : EXPR_NONE;
	return db && a->kind == EXPR_NUMBER ? EXPR_DURATION : EXPR_NONE;
}

// A constant that turns one unit into another: a power of ten but 1, hours and minutes.
static bool converts(const struct expr_node *n)
{
	double f = n->value.f;
	if (n->op != EXPR_LITERAL || n->unit.n || f == 1 || f <= 0)
		return false;
	while (f >= 10)
		f /= 10;
	while (f < 0.999)
		f *= 10;
	return f == 1 || n->value.f == 60 || n->value.f == 24 || n->value.f == 3600;
}

static void product_unit(struct compiler *c, struct expr_node *n, const struct expr_node *a, const struct expr_node *b)
{
	bool divide = n->op == EXPR_DIV;
	if (divide && str_eq(a->unit, b->unit))
		n->any_unit = true; // a share
	else
		n->unit = a->unit.n || divide ? joined(c, a->unit, divide ? "/" : "·", b->unit) : b->unit;
	n->any_unit |= (a->any_unit && b->any_unit) || converts(a) || converts(b);
}

static struct expr_node *arithmetic(struct compiler *c, const struct raw *r)
{
	struct expr_node *a = check(c, r->subs[0], NULL), *b = a ? check(c, r->subs[1], NULL) : NULL;
	bool sum = r->op == EXPR_ADD || r->op == EXPR_SUB;
	if (!b || !single(c, a) || !single(c, b))
		return NULL;
	if (sum)
		expr_fit_units(c, &a, &b);
	enum expr_kind kind = sum ? sum_kind(c, a, b, r->op == EXPR_SUB) : product_kind(c, a, b, r->op == EXPR_DIV);
	if (kind == EXPR_NONE) {
		fail_words(c, r->at,
		           arena_printf(c->a, "%s与%s之间不能用“%s”；请改正", kind_names[a->kind].zh, kind_names[b->kind].zh, op_names[r->op]),
		           arena_printf(c->a, "\"%s\" does not go between %s and %s; correct it", op_names[r->op], kind_names[a->kind].en,
		                        kind_names[b->kind].en));
		return NULL;
	}
	struct expr_node *n = make(c, r, r->op, kind);
	if (kind == EXPR_NUMBER && sum)
		unit_of(n, a, b);
	else if (kind == EXPR_NUMBER)
		product_unit(c, n, a, b);
	n->subs[n->nsubs++] = a;
	n->subs[n->nsubs++] = b;
	return n;
}

static struct expr_node *negative(struct compiler *c, const struct raw *r)
{
	struct expr_node *sub = check(c, r->subs[0], NULL);
	if (!want(c, sub, BIT(EXPR_NUMBER) | BIT(EXPR_DURATION), "数", "a number"))
		return NULL;
	struct expr_node *n = make(c, r, EXPR_NEG, sub->kind);
	n->unit = sub->unit;
	n->any_unit = sub->any_unit;
	n->value.workdays = sub->value.workdays;
	n->subs[n->nsubs++] = sub;
	return n;
}

// ---- functions ---------------------------------------------------------------------------------
static bool arity(struct compiler *c, const struct raw *r, size_t least, size_t most)
{
	if (r->nsubs >= least && r->nsubs <= most)
		return true;
	expr_fail(c, r->at, "“%.*s”要有 %zu 到 %zu 项，这里有 %zu 项；请改正", "\"%.*s\" takes %zu to %zu arguments, not %zu; correct it",
	          STR_FMT(r->text), least, most, r->nsubs);
	return false;
}

static struct expr_node *apply(struct compiler *c, const struct raw *r, enum expr_op op, enum expr_kind kind, const struct expr_node *sub)
{
	struct expr_node *n = make(c, r, op, kind);
	if (sub) {
		n->unit = sub->unit;
		n->any_unit = sub->any_unit;
		n->subs[n->nsubs++] = sub;
	}
	return n;
}

// count, empty: of what holds several; empty: of anything that has a name.
static struct expr_node *how_many(struct compiler *c, const struct raw *r, enum expr_op op)
{
	unsigned several = BIT(EXPR_LIST) | BIT(EXPR_ROWS) | BIT(EXPR_MENUS);
	struct expr_node *sub = arity(c, r, 1, 1) ? check(c, r->subs[0], NULL) : NULL;
	if (!sub)
		return NULL;
	if (sub->op != EXPR_SLOT) {
		expr_fail(c, sub->at, "%s 里要写一个字段名；请改正", "%s takes the name of a field; correct it", op_names[op]);
		return NULL;
	}
	if (op == EXPR_COUNT && !sub->column && !want(c, sub, several, "列表、表格或多个菜单值", "a list, a table or several menu values"))
		return NULL;
	struct expr_node *n = apply(c, r, op, op == EXPR_COUNT ? EXPR_NUMBER : EXPR_BOOL, sub);
	n->any_unit = true;
	return n;
}

static bool column_of(struct compiler *c, const struct expr_node *n, unsigned kinds, enum expr_op op)
{
	if (n->column && (kinds & BIT(n->kind)))
		return true;
	expr_fail(c, n->at, "%s 里要写 表格.列，列里是数；请改正", "%s takes TABLE.COLUMN with numbers in the column; correct it", op_names[op]);
	return false;
}

static struct expr_node *extreme(struct compiler *c, const struct raw *r, enum expr_op op)
{
	unsigned kinds = BIT(EXPR_NUMBER) | MOMENT | BIT(EXPR_DURATION);
	struct expr_node *first = arity(c, r, 1, 20) ? check(c, r->subs[0], NULL) : NULL;
	if (!first)
		return NULL;
	if (r->nsubs == 1)
		return column_of(c, first, kinds, op) ? apply(c, r, op, first->kind, first) : NULL;
	if (!want(c, first, kinds, "数、日期、时间或时长", "a number, date, time or duration"))
		return NULL;
	struct expr_node *n = apply(c, r, op, first->kind, first);
	for (size_t i = 1; i < r->nsubs; i++) {
		struct expr_node *sub = check(c, r->subs[i], NULL);
		if (!want(c, sub, BIT(first->kind), kind_names[first->kind].zh, kind_names[first->kind].en))
			return NULL;
		expr_fit_units(c, &n, &sub);
		if (first->kind == EXPR_NUMBER && !same_unit(c, n, sub))
			return NULL;
		unit_of(n, n, sub);
		n->subs[n->nsubs++] = sub;
	}
	return n;
}

static struct expr_node *rounded(struct compiler *c, const struct raw *r, enum expr_op op)
{
	struct expr_node *sub = arity(c, r, 1, op == EXPR_ROUND ? 2 : 1) ? check(c, r->subs[0], NULL) : NULL;
	if (!want(c, sub, BIT(EXPR_NUMBER) | (op == EXPR_ABS ? BIT(EXPR_DURATION) : 0), "数", "a number"))
		return NULL;
	struct expr_node *n = apply(c, r, op, sub->kind, sub);
	if (r->nsubs == 1)
		return n;
	const struct raw *places = r->subs[1];
	if (places->kind != RAW_NUMBER || !(places->f >= 0 && places->f <= 9) || places->f != floor(places->f)) {
		expr_fail(c, places->at, "小数位数要写 0 到 9；请改正", "the number of decimals must be from 0 to 9; correct it");
		return NULL;
	}
	n->subs[n->nsubs++] = check(c, places, NULL);
	return n;
}

static struct expr_node *either_or(struct compiler *c, const struct raw *r, const struct hope *hope)
{
	struct expr_node *cond = arity(c, r, 3, 3) ? check(c, r->subs[0], NULL) : NULL, *a, *b;
	if (!want(c, cond, BIT(EXPR_BOOL), "条件", "a condition"))
		return NULL;
	if (hope && hope->kind != EXPR_NONE) {
		a = check(c, r->subs[1], hope);
		b = a ? check(c, r->subs[2], hope) : NULL;
	} else if (!pair(c, r->subs[1], r->subs[2], &a, &b)) {
		return NULL;
	}
	if (!b || !single(c, a) || !want(c, b, BIT(a->kind), kind_names[a->kind].zh, kind_names[a->kind].en))
		return NULL;
	if (a->kind == EXPR_NUMBER && !same_unit(c, a, b))
		return NULL;
	struct expr_node *n = apply(c, r, EXPR_IF, a->kind, cond);
	unit_of(n, a, b);
	n->items = a->items;
	n->nitems = a->nitems;
	n->subs[n->nsubs++] = a;
	n->subs[n->nsubs++] = b;
	return n;
}

static struct expr_node *has(struct compiler *c, const struct raw *r)
{
	struct expr_node *list = arity(c, r, 2, 2) ? check(c, r->subs[0], NULL) : NULL;
	if (!want(c, list, BIT(EXPR_MENUS), "多个菜单值", "several menu values"))
		return NULL;
	struct hope hope = { EXPR_MENU, list->items, list->nitems };
	struct expr_node *one = check(c, r->subs[1], &hope);
	if (!want(c, one, BIT(EXPR_MENU), "菜单值", "a menu value"))
		return NULL;
	struct expr_node *n = apply(c, r, EXPR_HAS, EXPR_BOOL, list);
	n->subs[n->nsubs++] = one;
	return n;
}

// days(a, b), year(d), month(d)
static struct expr_node *calendar(struct compiler *c, const struct raw *r, enum expr_op op)
{
	static const struct hope date = { .kind = EXPR_DATE };
	size_t n = op == EXPR_DAYS ? 2 : 1;
	if (!arity(c, r, n, n))
		return NULL;
	struct expr_node *ret = make(c, r, op, EXPR_NUMBER);
	ret->any_unit = true;
	for (size_t i = 0; i < n; i++) {
		struct expr_node *sub = check(c, r->subs[i], &date);
		if (!want(c, sub, MOMENT, "日期或时间", "a date or time"))
			return NULL;
		ret->subs[ret->nsubs++] = sub;
	}
	return ret;
}

static bool lasting(struct compiler *c, const struct raw *r)
{
	if (!c->names->stored)
		return true;
	expr_fail(c, r->at, "存下来的值不能用“%.*s”，过后就不对了；请去掉，或改用列表条件",
	          "a stored value may not use \"%.*s\": it would be wrong later; take it out or use a condition of a list", STR_FMT(r->text));
	return false;
}

static struct expr_node *total(struct compiler *c, const struct raw *r)
{
	struct expr_node *sub = arity(c, r, 1, 1) ? check(c, r->subs[0], NULL) : NULL;
	return sub && column_of(c, sub, BIT(EXPR_NUMBER), EXPR_SUM) ? apply(c, r, EXPR_SUM, EXPR_NUMBER, sub) : NULL;
}

static void no_function(struct compiler *c, const struct raw *r, bool known)
{
	struct str names[EXPR_OP__MAX + 10];
	size_t n = 0;
	if (known) {
		const struct raw *arg = r->nsubs ? r->subs[0] : r;
		expr_fail(c, arg->at, "“%.*s”不能写在 %.*s 里；请改正", "\"%.*s\" cannot stand in %.*s(); correct it", STR_FMT(arg->text), STR_FMT(r->text));
		return;
	}
	for (unsigned op = EXPR_EMPTY; op < EXPR_OP__MAX; op++)
		names[n++] = str_of(op_names[op]);
	if (c->names->measure) {
		static const char *const measures[] = { "mean", "rate", "slope", "times", "duration", "last", "age", "limit", "working_hours" };
		for (size_t i = 0; i < ARRAY_LEN(measures); i++)
			names[n++] = str_of(measures[i]);
	} else {
		names[n++] = STR("linked");
		names[n++] = STR("linked_open");
		names[n++] = STR("matched");
		names[n++] = STR("matched_ever");
	}
	expr_fail(c, r->at, "没有函数“%.*s”；请改正", "there is no function \"%.*s\"; correct it", STR_FMT(r->text));
	expr_fail_near(c, r->text, names, n);
}

// A function of the owner: NAME or text, and perhaps a duration.
static struct expr_node *foreign(struct compiler *c, const struct raw *r)
{
	struct expr_slot s = { .function = r->text, .argument = STR_EMPTY };
	bool known = false, form = r->nsubs >= 1 && r->nsubs <= 2 && (r->subs[0]->kind == RAW_TEXT || r->subs[0]->kind == RAW_NAME);
	if (form && r->subs[0]->kind == RAW_NAME && r->subs[0]->field.n)
		form = false;
	if (r->nsubs == 2 && (r->subs[1]->kind != RAW_DURATION || r->subs[1]->workdays))
		form = false;
	if (form) {
		s.argument = r->subs[0]->text;
		s.window = r->nsubs == 2 ? r->subs[1]->i : 0;
	}
	if (!c->names->call || !c->names->call(c->names->arg, r->text, s.argument, s.window, &s.name, &known)) {
		no_function(c, r, known);
		return NULL;
	}
	s.text = str_from(c->text.p + r->at, r->end - r->at);
	return lasting(c, r) ? slot_node(c, r, &s) : NULL;
}

static struct expr_node *call(struct compiler *c, const struct raw *r, const struct hope *hope)
{
	enum expr_op op = expr_function(r->text);
	bool known = false;
	struct expr_node *n = c->names->measure ? expr_measured(c, r, &known) : NULL;
	if (known || c->failed)
		return n;
	switch ((int)op) {
	case EXPR_ANY:
	case EXPR_ALL:
	case EXPR_COUNT_OF: return expr_grouped(c, r, op);
	case EXPR_EMPTY:
	case EXPR_COUNT: return how_many(c, r, op);
	case EXPR_SUM: return total(c, r);
	case EXPR_MIN:
	case EXPR_MAX: return extreme(c, r, op);
	case EXPR_ABS:
	case EXPR_ROUND: return rounded(c, r, op);
	case EXPR_IF: return either_or(c, r, hope);
	case EXPR_HAS: return has(c, r);
	case EXPR_DAYS:
	case EXPR_YEAR:
	case EXPR_MONTH: return calendar(c, r, op);
	case EXPR_TODAY:
	case EXPR_NOW:
		return arity(c, r, 0, 0) && lasting(c, r) ? apply(c, r, op, op == EXPR_TODAY ? EXPR_DATE : EXPR_TIME, NULL) : NULL;
	default: return foreign(c, r);
	}
}

// ---- everything --------------------------------------------------------------------------------
static struct expr_node *operation(struct compiler *c, const struct raw *r)
{
	if (r->op == EXPR_IN)
		return choice(c, r);
	if (r->op >= EXPR_EQ && r->op <= EXPR_GE)
		return compare(c, r);
	if (r->op == EXPR_AND || r->op == EXPR_OR || r->op == EXPR_NOT)
		return logic(c, r);
	return r->op == EXPR_NEG ? negative(c, r) : arithmetic(c, r);
}

static struct expr_node *check(struct compiler *c, const struct raw *r, const struct hope *hope)
{
	struct expr_node *n;
	if (c->failed)
		return NULL;
	if (hope && (hope->kind == EXPR_MENU || hope->kind == EXPR_MENUS) && is_soft(r))
		return item(c, r, hope);
	if (hope && (BIT(hope->kind) & MOMENT) && r->kind == RAW_TEXT)
		return day(c, r);
	switch (r->kind) {
	case RAW_NUMBER: n = literal(c, r, (struct expr_value){ .kind = EXPR_NUMBER, .f = r->f }); return expr_literal_unit(c, r, n) ? n : NULL;
	case RAW_TEXT: return literal(c, r, (struct expr_value){ .kind = EXPR_TEXT, .s = r->text });
	case RAW_BOOL: return literal(c, r, (struct expr_value){ .kind = EXPR_BOOL, .i = r->i });
	case RAW_DURATION: return literal(c, r, (struct expr_value){ .kind = EXPR_DURATION, .i = r->i, .workdays = r->workdays });
	case RAW_NAME: return named(c, r);
	case RAW_CALL: return call(c, r, hope);
	case RAW_OP: break;
	}
	return operation(c, r);
}

struct expr_node *expr_check_any(struct compiler *c, const struct raw *r) { return check(c, r, NULL); }
struct expr_node *expr_make(struct compiler *c, const struct raw *r, enum expr_op op, enum expr_kind kind) { return make(c, r, op, kind); }
struct expr_node *expr_make_slot(struct compiler *c, const struct raw *r, const struct expr_slot *s) { return slot_node(c, r, s); }
bool expr_want(struct compiler *c, const struct expr_node *n, enum expr_kind kind, const char *zh, const char *en)
{
	return want(c, n, BIT(kind), zh, en);
}

const struct expr_node *expr_check(struct compiler *c, const struct raw *r)
{
	const struct expr_name *w = c->names->want;
	bool any = !w || w->kind == EXPR_NONE;
	struct hope hope = any ? (struct hope){ .kind = EXPR_NONE } : (struct hope){ w->kind, w->items, w->nitems };
	struct expr_node *n = check(c, r, &hope);
	if (!n || any)
		return n && single(c, n) ? n : NULL;
	if (!want(c, n, BIT(w->kind), w->kind == EXPR_BOOL ? "条件" : kind_names[w->kind].zh,
	          w->kind == EXPR_BOOL ? "a condition" : kind_names[w->kind].en))
		return NULL;
	if (w->kind == EXPR_MENU && n->items != w->items) {
		expr_fail(c, n->at, "菜单不同；请改正", "this is of another menu; correct it");
		return NULL;
	}
	bool made = str_contains(n->unit, STR("·")) || str_contains(n->unit, STR("/")); // kg·m: nobody can name it
	struct expr_node wanted = { .unit = w->unit, .any_unit = w->any_unit || made, .at = n->at };
	return w->kind != EXPR_NUMBER || same_unit(c, &wanted, n) ? n : NULL;
}

const struct expr *expr_compile(struct arena *a, struct str text, const struct expr_names *names, struct expr_error *ret_error)
{
	struct expr_error none;
	struct expr_slot slots[LIMIT_EXPR_SLOTS];
	struct arena *raws on_scope_exit(arena_freep) = arena_new(0);
	struct compiler c = { .a = a, .raws = raws, .text = text, .names = names, .error = ret_error ? ret_error : &none, .slots = slots };
	const struct raw *r = expr_parse(&c);
	const struct expr_node *root = r ? expr_check(&c, r) : NULL;
	if (!root)
		return NULL;
	struct expr *e = arena_one(a, struct expr);
	*e = (struct expr){ .text = text, .root = root, .slots = arena_grow(a, slots, c.nslots, c.nslots, sizeof *slots), .nslots = c.nslots };
	return e;
}
