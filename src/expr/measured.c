// What a rule measures: functions of the owner with any arguments, conditions over several values, and numbers with units.
// Called by the checker; any thread.
#include "base/limits.h"
#include "expr/expr_int.h"

// ---- units -------------------------------------------------------------------------------------
static struct str meant(const struct compiler *c, struct str unit)
{
	struct str own = STR("{unit}");
	if (!str_starts(unit, own))
		return unit;
	return arena_printf(c->a, "%.*s%.*s", STR_FMT(c->names->own_unit), (int)(unit.n - own.n), unit.p + own.n);
}

bool expr_literal_unit(struct compiler *c, const struct raw *r, struct expr_node *n)
{
	double factor;
	if (r->unit.n == 0)
		return true;
	struct str unit = meant(c, r->unit);
	if (!c->names->convert(c->names->arg, unit, unit, &factor)) {
		expr_fail(c, r->at, "没有单位“%.*s”；请写如 m、kPa、%%、℃/min", "there is no unit \"%.*s\"; write for example m, kPa, %%, ℃/min", STR_FMT(unit));
		return false;
	}
	n->unit = unit;
	n->any_unit = false;
	return true;
}

static struct expr_node *turned(struct compiler *c, struct expr_node *n, struct str unit, double factor)
{
	struct expr_node *by = arena_one(c->a, struct expr_node), *product = arena_one(c->a, struct expr_node);
	if (n->op == EXPR_LITERAL) {
		*product = *n;
		product->value.f *= factor;
		product->unit = unit;
		return product;
	}
	*by = (struct expr_node){ .op = EXPR_LITERAL, .kind = EXPR_NUMBER, .unit = STR_EMPTY, .any_unit = true, .at = n->at,
		                  .value = { .kind = EXPR_NUMBER, .f = factor, .s = STR_EMPTY } };
	*product = (struct expr_node){ .op = EXPR_MUL, .kind = EXPR_NUMBER, .unit = unit, .at = n->at, .value.s = STR_EMPTY };
	product->subs = arena_many(c->a, 2, const struct expr_node *);
	product->subs[product->nsubs++] = n;
	product->subs[product->nsubs++] = by;
	return product;
}

void expr_fit_units(struct compiler *c, struct expr_node **a, struct expr_node **b)
{
	struct expr_node *x = *a, *y = *b;
	double factor;
	if (!c->names->convert || x->kind != EXPR_NUMBER || y->kind != EXPR_NUMBER || x->any_unit || y->any_unit || str_eq(x->unit, y->unit))
		return;
	if (x->op == EXPR_LITERAL && y->op != EXPR_LITERAL) {
		if (c->names->convert(c->names->arg, x->unit, y->unit, &factor))
			*a = turned(c, x, y->unit, factor);
	} else if (c->names->convert(c->names->arg, y->unit, x->unit, &factor)) {
		*b = turned(c, y, x->unit, factor);
	}
}

// ---- arguments ---------------------------------------------------------------------------------
static const struct raw *unsigned_of(const struct raw *r, double *sign)
{
	*sign = r->kind == RAW_OP && r->op == EXPR_NEG ? -1 : 1;
	return *sign < 0 ? r->subs[0] : r;
}

// The number of a test, in the unit of the name it is compared with.
static bool test_number(struct compiler *c, const struct raw *name, const struct raw *r, struct expr_argument *ret)
{
	double sign, factor = 1;
	struct expr_name of = { .unit = STR_EMPTY };
	const struct raw *n = unsigned_of(r, &sign);
	if (n->kind != RAW_NUMBER)
		return false;
	if (n->unit.n && c->names->find(c->names->arg, NULL, name->text, &of)) {
		struct str unit = meant(c, n->unit);
		if (!c->names->convert(c->names->arg, unit, of.unit, &factor))
			expr_fail(c, n->at, "单位不同：前面是“%.*s”，这里是“%.*s”；请换算成一样的单位",
			          "the units differ: \"%.*s\" before, \"%.*s\" here; convert one of them", STR_FMT(of.unit), STR_FMT(unit));
	}
	ret->f = sign * n->f * factor;
	return true;
}

static bool limit_word(const struct raw *r, struct str *ret)
{
	bool is = r->kind == RAW_CALL && str_is(r->text, "limit") && r->nsubs == 1 && r->subs[0]->kind == RAW_NAME && !r->subs[0]->field.n;
	if (is)
		*ret = r->subs[0]->text;
	return is;
}

static enum expr_op mirrored(enum expr_op op)
{
	static const enum expr_op others[] = { EXPR_EQ, EXPR_NE, EXPR_GT, EXPR_GE, EXPR_LT, EXPR_LE }; // of == != < <= > >=
	return others[op - EXPR_EQ];
}

// NAME > 3 or NAME > limit(h), either way round.
static bool test_of(struct compiler *c, const struct raw *r, struct expr_argument *ret)
{
	if (r->kind != RAW_OP || r->op < EXPR_EQ || r->op > EXPR_GE)
		return false;
	bool first = r->subs[0]->kind == RAW_NAME && !r->subs[0]->field.n;
	const struct raw *name = r->subs[first ? 0 : 1], *than = r->subs[first ? 1 : 0];
	if (name->kind != RAW_NAME || name->field.n)
		return false;
	*ret = (struct expr_argument){ .kind = EXPR_ARG_TEST, .text = name->text, .op = first ? r->op : mirrored(r->op), .limit = STR_EMPTY };
	return limit_word(than, &ret->limit) || test_number(c, name, than, ret);
}

static bool argument_of(struct compiler *c, const struct raw *r, struct expr_argument *ret)
{
	*ret = (struct expr_argument){ .text = r->text, .limit = STR_EMPTY };
	switch ((int)r->kind) {
	case RAW_NAME:
		ret->kind = EXPR_ARG_NAME;
		return r->field.n == 0;
	case RAW_TEXT:
		ret->kind = EXPR_ARG_TEXT;
		return true;
	case RAW_NUMBER:
		ret->kind = EXPR_ARG_NUMBER;
		ret->f = r->f;
		return r->unit.n == 0;
	case RAW_DURATION:
		ret->kind = EXPR_ARG_DURATION;
		ret->us = r->i;
		return !r->workdays;
	default:
		return test_of(c, r, ret);
	}
}

// ---- functions ---------------------------------------------------------------------------------
struct expr_node *expr_measured(struct compiler *c, const struct raw *r, bool *ret_known)
{
	struct expr_slot s = { .function = r->text, .argument = STR_EMPTY };
	struct expr_argument *v = arena_many(c->a, r->nsubs, struct expr_argument);
	size_t n = 0;
	while (n < r->nsubs && argument_of(c, r->subs[n], &v[n]))
		n++;
	if (c->failed)
		return NULL;
	if (n < r->nsubs) { // a condition or a sum, say; still one of ours?
		(void)c->names->measure(c->names->arg, r->text, NULL, 0, &s.name, ret_known);
		bool own = expr_function(r->text) != EXPR_OP__MAX;
		*ret_known &= !own;
		if (*ret_known)
			expr_fail(c, r->subs[n]->at, "%.*s() 里只能写测点、时长，或测点与一个数的比较；请改正",
			          "%.*s() takes a point, a duration, or a point compared with a number; correct it", STR_FMT(r->text));
		return NULL;
	}
	s.name = (struct expr_name){ .unit = STR_EMPTY, .zh = STR_EMPTY, .en = STR_EMPTY };
	if (!c->names->measure(c->names->arg, r->text, v, n, &s.name, ret_known)) {
		if (*ret_known) {
			expr_fail(c, r->at, " ", " ");
			c->error->zh = s.name.zh;
			c->error->en = s.name.en;
		}
		return NULL;
	}
	s.text = str_from(c->text.p + r->at, r->end - r->at);
	s.args = v;
	s.nargs = n;
	return expr_make_slot(c, r, &s);
}

struct expr_node *expr_grouped(struct compiler *c, const struct raw *r, enum expr_op op)
{
	const void *outer = c->group;
	if (!c->names->measure || r->nsubs != 1 || c->in_group) {
		expr_fail(c, r->at, "%s() 里要写一个条件，不能套在另一个里面；请改正", "%s() takes one condition and does not go inside another; correct it",
		          expr_op_name(op));
		return NULL;
	}
	c->in_group = true;
	c->group = NULL;
	struct expr_node *sub = expr_check_any(c, r->subs[0]);
	const void *group = c->group;
	c->in_group = false;
	c->group = outer;
	if (!expr_want(c, sub, EXPR_BOOL, "条件", "a condition"))
		return NULL;
	if (!group) {
		expr_fail(c, r->at, "%s() 里没有写成组的测点；请改正", "nothing inside %s() stands for several points; correct it", expr_op_name(op));
		return NULL;
	}
	struct expr_node *n = expr_make(c, r, op, op == EXPR_COUNT_OF ? EXPR_NUMBER : EXPR_BOOL);
	n->group = group;
	n->any_unit = true;
	n->subs[n->nsubs++] = sub;
	return n;
}
