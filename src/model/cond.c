// Expression → condition of the store, for lists, indicators and reports. Called when a registry is loaded and (resolve)
// when it is asked; any thread.
#include <math.h>
#include <stdarg.h>

#include "base/time.h"
#include "model/exprs.h"

// Words that stand in values until it is asked: what no text of a record can be.
#define WORD_ME STR("\1me")
#define WORD_MY_ENTERPRISE STR("\1my_enterprise")
#define WORD_DAY STR("\1day")             // today + i days (f != 0: working days), as a date
#define WORD_DAY_START STR("\1day_start") // its first moment
#define WORD_NOW STR("\1now")             // now + i us

struct maker {
	const struct expr *e;
	const struct type *t;
	struct arena *a;
	struct expr_error *error;
};

static const struct condition *make(struct maker *m, const struct expr_node *n);

static void *fail(struct maker *m, const struct expr_node *n, const char *zh, const char *en)
{
	size_t at = MIN(n->at, m->e->text.n);
	*m->error = (struct expr_error){ .at = at, .column = str_utf8_len(str_first(m->e->text, at)) + 1, .zh = str_of(zh), .en = str_of(en) };
	return NULL;
}

static void *too_hard(struct maker *m, const struct expr_node *n)
{
	return fail(m, n, "列表条件里不能这样写：只能用本记录的字段与常数、today()±时长比较；请改写，或加一个 compute 字段",
	            "a condition of a list cannot do this: it compares fields of the record with constants or today() ± a duration; rewrite it or add a "
	            "field with compute");
}

// ---- small conditions --------------------------------------------------------------------------
static struct condition *cond(struct maker *m, enum cond_op op, size_t nsubs)
{
	struct condition *c = arena_one(m->a, struct condition);
	*c = (struct condition){ .op = op, .subs = arena_many(m->a, nsubs, struct condition), .nsubs = 0, .other = STR_EMPTY };
	return c;
}

static void add(struct condition *c, const struct condition *sub)
{
	((struct condition *)(uintptr_t)c->subs)[c->nsubs++] = *sub;
}

static struct condition *filter(struct maker *m, struct str column, enum filter_op op, const struct value *vals, size_t n)
{
	struct condition *c = cond(m, COND_FILTER, 0);
	struct value *copy = arena_many(m->a, n, struct value);
	for (size_t i = 0; i < n; i++)
		copy[i] = vals[i];
	c->filter = (struct filter){ .column = column, .op = op, .vals = copy, .nvals = n };
	return c;
}

static const struct condition *both(struct maker *m, enum cond_op op, const struct condition *x, const struct condition *y)
{
	struct condition *c = cond(m, op, 2);
	add(c, x);
	add(c, y);
	return c;
}

// ---- columns -----------------------------------------------------------------------------------
struct col {
	struct str name;
	const struct field *f;      // NULL: common
	enum expr_kind kind;
	bool common;
};

// A field or common column of the record itself.
static bool column_of(struct maker *m, const struct expr_node *n, struct col *ret)
{
	const struct expr_slot *s = n->op == EXPR_SLOT ? &m->e->slots[n->slot] : NULL;
	if (!s || s->of.kind != EXPR_NONE || (s->name.n != SOURCE_FIELD && s->name.n != SOURCE_COMMON))
		return false;
	const struct field *f = s->name.n == SOURCE_FIELD ? s->name.p : NULL;
	*ret = (struct col){ .name = s->text, .f = f, .kind = n->kind, .common = !f || f->ncols == 0 };
	if (f && f->kind == FIELD_POSITION)
		ret->name = m->t->table.cols[f->col].name;
	return true;
}

// In a common column '' and 0 mean that there is nothing: a comparison with nothing is false.
static const struct condition *present(struct maker *m, const struct col *c, const struct condition *is)
{
	return c->common ? both(m, COND_AND, filter(m, c->name, FILTER_NOT_NULL, NULL, 0), is) : is;
}

// ---- constants ---------------------------------------------------------------------------------
struct constant {
	enum { BASE_NONE, BASE_TODAY, BASE_NOW } base;
	struct expr_value v;        // BASE_NONE: the value; else DURATION to add
};

static bool fold(struct maker *m, const struct expr_node *n, struct constant *ret);

static struct expr_value none_at(void *arg, const struct expr_slot *s)
{
	(void)arg;
	(void)s;
	return (struct expr_value){ .kind = EXPR_NONE, .s = STR_EMPTY };
}

static bool all_literal(const struct expr_node *n)
{
	if (n->op == EXPR_SLOT || n->op == EXPR_TODAY || n->op == EXPR_NOW)
		return false;
	for (size_t i = 0; i < n->nsubs; i++)
		if (!all_literal(n->subs[i]))
			return false;
	return true;
}

static bool fold_sum(struct maker *m, const struct expr_node *n, struct constant *ret)
{
	struct constant by;
	bool swap = n->op == EXPR_ADD && n->subs[0]->kind == EXPR_DURATION;
	if (!fold(m, n->subs[swap], ret) || !fold(m, n->subs[!swap], &by) || by.base != BASE_NONE || by.v.kind != EXPR_DURATION)
		return false;
	if (ret->v.i && ret->v.workdays != by.v.workdays)
		return false;
	ret->v.workdays = by.v.workdays;
	ret->v.i += n->op == EXPR_SUB ? -by.v.i : by.v.i;
	return ret->base != BASE_NONE;
}

static bool fold(struct maker *m, const struct expr_node *n, struct constant *ret)
{
	*ret = (struct constant){ .v = { .kind = EXPR_DURATION, .s = STR_EMPTY } };
	if (all_literal(n)) {
		const struct expr one = { .text = m->e->text, .root = n };
		struct expr_source src = { .value = none_at, .zone = time_zone(), .arena = m->a };
		ret->v = expr_eval(&one, &src);
		return ret->v.kind != EXPR_NONE;
	}
	if (n->op == EXPR_TODAY || n->op == EXPR_NOW) {
		ret->base = n->op == EXPR_TODAY ? BASE_TODAY : BASE_NOW;
		return true;
	}
	return (n->op == EXPR_ADD || n->op == EXPR_SUB) && fold_sum(m, n, ret);
}

static bool is_me(struct maker *m, const struct expr_node *n, struct str *ret)
{
	const struct expr_slot *s = n->op == EXPR_SLOT ? &m->e->slots[n->slot] : NULL;
	if (!s || s->of.kind != EXPR_NONE || (s->name.n != SOURCE_ME && s->name.n != SOURCE_MY_ENTERPRISE))
		return false;
	*ret = s->name.n == SOURCE_ME ? WORD_ME : WORD_MY_ENTERPRISE;
	return true;
}

static struct value day_value(struct maker *m, const struct constant *k, int64_t more)
{
	bool wd = k->v.workdays;
	if (k->base == BASE_NONE) {
		int64_t day = k->v.kind == EXPR_TIME ? expr_day_of(k->v.i, time_zone()) : k->v.i;
		return (struct value){ .kind = VAL_TEXT, .s = expr_day_text(day + more, m->a) };
	}
	return (struct value){ .kind = VAL_TEXT, .s = WORD_DAY, .i = (wd ? k->v.i : k->v.i / US_PER_DAY) + (wd ? 0 : more), .f = wd };
}

// The first moment of the day, or (more 1) of the next.
static struct value start_value(const struct constant *k, int64_t more)
{
	if (k->base == BASE_NONE)
		return (struct value){ .kind = VAL_INT, .i = expr_day_start(k->v.i + more, time_zone()), .s = STR_EMPTY };
	bool wd = k->v.workdays;
	return (struct value){ .kind = VAL_TEXT, .s = WORD_DAY_START, .i = wd ? k->v.i : k->v.i / US_PER_DAY + more,
		               .f = wd ? 1 + (double)more : 0 };
}

static struct value moment_value(const struct constant *k)
{
	if (k->base == BASE_NONE)
		return (struct value){ .kind = VAL_INT, .i = k->v.i, .s = STR_EMPTY };
	return (struct value){ .kind = VAL_TEXT, .s = WORD_NOW, .i = k->v.i };
}

static struct value plain_value(const struct col *c, const struct constant *k)
{
	const struct expr_value *v = &k->v;
	if (c->f && c->f->kind == FIELD_MONEY)
		return (struct value){ .kind = VAL_INT, .i = llround(v->f * 100), .s = STR_EMPTY };
	if (v->kind == EXPR_NUMBER && c->f)
		return (struct value){ .kind = VAL_REAL, .f = v->f, .s = STR_EMPTY };
	if (v->kind == EXPR_NUMBER && v->f == floor(v->f) && fabs(v->f) < 9e15)
		return (struct value){ .kind = VAL_INT, .i = (int64_t)v->f, .s = STR_EMPTY };
	if (v->kind == EXPR_NUMBER)
		return (struct value){ .kind = VAL_REAL, .f = v->f, .s = STR_EMPTY };
	if (v->kind == EXPR_TEXT || v->kind == EXPR_MENU)
		return (struct value){ .kind = VAL_TEXT, .s = v->s };
	return (struct value){ .kind = VAL_INT, .i = v->i, .s = STR_EMPTY };
}

// ---- comparisons -------------------------------------------------------------------------------
static enum filter_op filter_op(enum expr_op op)
{
	static const enum filter_op ops[] = { FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE };
	return ops[op - EXPR_EQ];
}

static enum expr_op turned(enum expr_op op)
{
	switch ((int)op) {
	case EXPR_LT: return EXPR_GT;
	case EXPR_LE: return EXPR_GE;
	case EXPR_GT: return EXPR_LT;
	case EXPR_GE: return EXPR_LE;
	default: return op;
	}
}

// A moment against a day: by the day.
static const struct condition *by_day(struct maker *m, const struct col *c, enum expr_op op, const struct constant *k)
{
	struct value begin = start_value(k, 0), end = start_value(k, 1);
	const struct condition *from = filter(m, c->name, FILTER_GE, &begin, 1), *to = filter(m, c->name, FILTER_LT, &end, 1);
	switch ((int)op) {
	case EXPR_EQ: return both(m, COND_AND, from, to);
	case EXPR_NE: return both(m, COND_OR, filter(m, c->name, FILTER_LT, &begin, 1), filter(m, c->name, FILTER_GE, &end, 1));
	case EXPR_LT: return filter(m, c->name, FILTER_LT, &begin, 1);
	case EXPR_LE: return to;
	case EXPR_GT: return filter(m, c->name, FILTER_GE, &end, 1);
	default: return from;
	}
}

static const struct condition *against(struct maker *m, const struct col *c, enum expr_op op, const struct constant *k)
{
	struct value v;
	bool moment = k->base == BASE_NOW || (k->base == BASE_NONE && k->v.kind == EXPR_TIME);
	if (c->kind == EXPR_TIME && !moment)
		return present(m, c, by_day(m, c, op, k));
	if (c->kind == EXPR_TIME)
		v = moment_value(k);
	else if (c->kind == EXPR_DATE)
		v = day_value(m, k, 0);
	else
		v = plain_value(c, k);
	if (c->kind == EXPR_BOOL && !c->f)
		return filter(m, c->name, filter_op(op), &v, 1); // retired: 0 is no
	return present(m, c, filter(m, c->name, filter_op(op), &v, 1));
}

static const struct condition *columns(struct maker *m, const struct expr_node *n, const struct col *x, const struct col *y)
{
	bool money = (x->f && x->f->kind == FIELD_MONEY) != (y->f && y->f->kind == FIELD_MONEY);
	if (x->kind != y->kind || money)
		return too_hard(m, n);
	struct condition *c = cond(m, COND_COLUMNS, 0);
	c->filter = (struct filter){ .column = x->name, .op = filter_op(n->op) };
	c->other = y->name;
	return present(m, x, present(m, y, c));
}

// days(found, today()) > 30 is found < today() - 30d; days(today(), due) < 7 is due < today() + 7d.
static const struct condition *days(struct maker *m, const struct expr_node *n, const struct expr_node *d, const struct expr_node *limit,
                                    enum expr_op op)
{
	struct col c;
	struct constant day, count;
	bool since = column_of(m, d->subs[0], &c);
	if (!since && !column_of(m, d->subs[1], &c))
		return too_hard(m, n);
	if (!fold(m, d->subs[since], &day) || !fold(m, limit, &count) || count.base != BASE_NONE || day.v.workdays)
		return too_hard(m, n);
	if (count.v.f != floor(count.v.f) || fabs(count.v.f) > 1e6)
		return fail(m, limit, "天数要是整数；请改正", "the number of days must be whole; correct it");
	int64_t n_days = (since ? -1 : 1) * (int64_t)count.v.f;
	if (day.base == BASE_NOW)
		day = (struct constant){ .base = BASE_TODAY, .v = { .kind = EXPR_DURATION, .i = day.v.i / US_PER_DAY * US_PER_DAY } };
	if (day.base == BASE_NONE && day.v.kind == EXPR_TIME)
		day.v = (struct expr_value){ .kind = EXPR_DATE, .i = expr_day_of(day.v.i, time_zone()) };
	day.v.i += day.base == BASE_NONE ? n_days : n_days * US_PER_DAY;
	return against(m, &c, since ? turned(op) : op, &day);
}

// origin.type: what is stored begins with the type.
static const struct field *origin_of(struct maker *m, const struct expr_node *n)
{
	const struct expr_slot *s = n->op == EXPR_SLOT ? &m->e->slots[n->slot] : NULL;
	return s && s->name.n == SOURCE_ORIGIN_TYPE ? s->name.p : NULL;
}

// It is one of the types that the nodes name.
static const struct condition *of_types(struct maker *m, const struct field *f, const struct expr_node *const *types, size_t n)
{
	struct condition *any = cond(m, COND_OR, n);
	for (size_t i = 0; i < n; i++) {
		struct constant k;
		if (!fold(m, types[i], &k))
			return too_hard(m, types[i]);
		struct value v = { .kind = VAL_TEXT, .s = arena_printf(m->a, "%.*s:", STR_FMT(k.v.s)) };
		add(any, filter(m, f->name, FILTER_PREFIX, &v, 1));
	}
	return any;
}

static const struct condition *compare_type(struct maker *m, const struct expr_node *n, const struct field *f,
                                            const struct expr_node *other)
{
	const struct condition *is = of_types(m, f, &other, 1);
	if (!is || n->op == EXPR_EQ)
		return is;
	struct condition *no = cond(m, COND_NOT, 1);
	add(no, is);
	return both(m, COND_AND, filter(m, f->name, FILTER_NOT_NULL, NULL, 0), no); // nothing is no other type
}

static const struct condition *compare(struct maker *m, const struct expr_node *n)
{
	struct col x, y;
	struct str word;
	struct constant k;
	const struct expr_node *a = n->subs[0], *b = n->subs[1];
	bool left = column_of(m, a, &x), right = column_of(m, b, &y);
	enum expr_op op = n->op;
	if (origin_of(m, a) || origin_of(m, b))
		return origin_of(m, a) ? compare_type(m, n, origin_of(m, a), b) : compare_type(m, n, origin_of(m, b), a);
	if (left && right)
		return columns(m, n, &x, &y);
	if (a->op == EXPR_DAYS)
		return days(m, n, a, b, op);
	if (b->op == EXPR_DAYS)
		return days(m, n, b, a, turned(op));
	if (!left && !right)
		return too_hard(m, n);
	if (right) {
		x = y;
		op = turned(op);
	}
	const struct expr_node *other = left ? b : a;
	if (is_me(m, other, &word)) {
		struct value v = { .kind = VAL_TEXT, .s = word };
		return present(m, &x, filter(m, x.name, filter_op(op), &v, 1));
	}
	return fold(m, other, &k) ? against(m, &x, op, &k) : too_hard(m, n);
}

static const struct condition *choice(struct maker *m, const struct expr_node *n)
{
	struct col c;
	struct condition *any = cond(m, COND_OR, n->nsubs);
	struct value *vals = arena_many(m->a, n->nsubs, struct value);
	const struct field *origin = origin_of(m, n->subs[0]);
	if (origin)
		return of_types(m, origin, n->subs + 1, n->nsubs - 1);
	if (!column_of(m, n->subs[0], &c))
		return too_hard(m, n);
	for (size_t i = 1; i < n->nsubs; i++) {
		struct constant k;
		if (!fold(m, n->subs[i], &k))
			return too_hard(m, n->subs[i]);
		vals[i - 1] = plain_value(&c, &k);
		add(any, against(m, &c, EXPR_EQ, &k));
	}
	bool days_too = c.kind == EXPR_TIME || c.kind == EXPR_DATE;
	return days_too ? any : filter(m, c.name, FILTER_IN, vals, n->nsubs - 1);
}

static const struct condition *has(struct maker *m, const struct expr_node *n)
{
	struct col c;
	struct constant k;
	if (!column_of(m, n->subs[0], &c) || !fold(m, n->subs[1], &k))
		return too_hard(m, n);
	struct value v = { .kind = VAL_TEXT, .s = arena_printf(m->a, ",%.*s,", STR_FMT(k.v.s)) };
	return filter(m, c.name, FILTER_CONTAINS, &v, 1);
}

static const struct condition *is_empty(struct maker *m, const struct expr_node *n)
{
	struct col c;
	if (n->subs[0]->column || !column_of(m, n->subs[0], &c))
		return too_hard(m, n);
	return filter(m, c.name, FILTER_NULL, NULL, 0);
}

static const struct condition *matched(struct maker *m, const struct expr_slot *s)
{
	const struct expr_match *by = s->name.p;
	struct condition *c = cond(m, COND_MATCHED, 0);
	struct filter open = type_open_states(by->type, m->a);
	c->filter = (struct filter){ .column = by->own->name, .op = FILTER_EQ, .vals = open.vals, .nvals = by->ever ? 0 : open.nvals };
	c->other = by->of->name;
	c->of = &by->type->table;
	return c;
}

static const struct condition *is_true(struct maker *m, const struct expr_node *n)
{
	struct col c;
	struct value yes = { .kind = VAL_INT, .i = 1, .s = STR_EMPTY };
	const struct expr_slot *s = &m->e->slots[n->slot];
	if (s->function.n && s->name.n == SOURCE_MATCHED)
		return matched(m, s);
	if (!column_of(m, n, &c))
		return too_hard(m, n);
	return str_is(c.name, "paused") && c.common ? filter(m, c.name, FILTER_NOT_NULL, NULL, 0) : filter(m, c.name, FILTER_EQ, &yes, 1);
}

static const struct condition *logic(struct maker *m, const struct expr_node *n)
{
	struct condition *c = cond(m, n->op == EXPR_AND ? COND_AND : n->op == EXPR_OR ? COND_OR : COND_NOT, n->nsubs);
	for (size_t i = 0; i < n->nsubs; i++) {
		const struct condition *sub = make(m, n->subs[i]);
		if (!sub)
			return NULL;
		add(c, sub);
	}
	return c;
}

static const struct condition *make(struct maker *m, const struct expr_node *n)
{
	if (n->op == EXPR_AND || n->op == EXPR_OR || n->op == EXPR_NOT)
		return logic(m, n);
	if (n->op >= EXPR_EQ && n->op <= EXPR_GE)
		return compare(m, n);
	switch ((int)n->op) {
	case EXPR_IN: return choice(m, n);
	case EXPR_HAS: return has(m, n);
	case EXPR_EMPTY: return is_empty(m, n);
	case EXPR_SLOT: return is_true(m, n);
	default: return too_hard(m, n);
	}
}

const struct condition *expr_to_cond(const struct expr *e, const struct type *t, struct arena *a, struct expr_error *ret_error)
{
	struct maker m = { e, t, a, ret_error };
	return make(&m, e->root);
}

const struct condition *expr_to_cond_at(const struct expr *e, const struct type *t, const struct yaml_node *n, struct arena *a,
                                        struct diags *d)
{
	struct expr_error error;
	const struct condition *c = expr_to_cond(e, t, a, &error);
	if (!c)
		expr_say(d, n, 0, &error);
	return c;
}

// ---- when it is asked --------------------------------------------------------------------------
static int64_t weekday_of(int64_t day)
{
	return ((day + 3) % 7 + 7) % 7; // 0 = Monday; 1970-01-01 was a Thursday
}

static int64_t plain_workday(void *arg, int64_t day, int64_t n)
{
	(void)arg;
	for (int64_t step = n < 0 ? -1 : 1; n;) {
		day += step;
		n -= weekday_of(day) < 5 ? step : 0;
	}
	return day;
}

static struct value resolved(const struct value *v, const struct cond_now *now, struct arena *a)
{
	int64_t today = expr_day_of(now->now, now->zone), day = today + v->i;
	if (v->kind != VAL_TEXT || v->s.n == 0 || v->s.p[0] != '\1')
		return *v;
	if (v->f != 0)
		day = (now->workday ? now->workday : plain_workday)(now->arg, today, v->i) + (int64_t)v->f - 1;
	if (str_eq(v->s, WORD_ME))
		return (struct value){ .kind = VAL_INT, .i = now->me ? now->me : -1, .s = STR_EMPTY };
	if (str_eq(v->s, WORD_MY_ENTERPRISE))
		return (struct value){ .kind = VAL_INT, .i = now->my_enterprise ? now->my_enterprise : -1, .s = STR_EMPTY };
	if (str_eq(v->s, WORD_DAY))
		return (struct value){ .kind = VAL_TEXT, .s = expr_day_text(day, a) };
	if (str_eq(v->s, WORD_DAY_START))
		return (struct value){ .kind = VAL_INT, .i = expr_day_start(day, now->zone), .s = STR_EMPTY };
	return (struct value){ .kind = VAL_INT, .i = now->now + v->i, .s = STR_EMPTY };
}

static struct condition copied(const struct condition *c, const struct cond_now *now, struct arena *a)
{
	struct condition ret = *c;
	struct condition *subs = arena_many(a, c->nsubs, struct condition);
	struct value *vals = arena_many(a, c->filter.nvals, struct value);
	for (size_t i = 0; i < c->nsubs; i++)
		subs[i] = copied(&c->subs[i], now, a);
	for (size_t i = 0; i < c->filter.nvals; i++)
		vals[i] = resolved(&c->filter.vals[i], now, a);
	ret.subs = subs;
	ret.filter.vals = vals;
	return ret;
}

const struct condition *cond_resolve(const struct condition *c, const struct cond_now *now, struct arena *a)
{
	if (!c)
		return NULL;
	struct condition *ret = arena_one(a, struct condition);
	*ret = copied(c, now, a);
	return ret;
}
