// The value of a compiled expression. Pure; any thread.
#include <math.h>

#include "base/time.h"
#include "expr/expr_int.h"

static struct expr_value eval(const struct expr *e, const struct expr_node *n, struct expr_source *src);

// ---- days --------------------------------------------------------------------------------------
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t expr_day_of(int64_t us, int zone)
{
	return floor_div(us + zone * US_PER_MIN, US_PER_DAY);
}

int64_t expr_day_start(int64_t day, int zone)
{
	const int64_t far = 36525000; // a hundred thousand years: beyond it, its edge
	day = MAX(MIN(day, far), -far);
	return day * US_PER_DAY - zone * US_PER_MIN;
}

bool expr_day_parse(struct str s, int64_t *ret)
{
	uint64_t y, m, d;
	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !str_to_u64(str_first(s, 4), &y) || !str_to_u64(str_from(s.p + 5, 2), &m) ||
	    !str_to_u64(str_skip(s, 8), &d))
		return false;
	struct civil c = { .year = (int)y, .month = (int)m, .day = (int)d };
	if (!civil_valid(c))
		return false;
	*ret = expr_day_of(time_from_civil(c, 0), 0);
	return true;
}

struct str expr_day_text(int64_t day, struct arena *a)
{
	struct civil c = time_to_civil(expr_day_start(day, 0), 0);
	return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

// Monday to Friday. 1970-01-01 was a Thursday.
static int64_t plain_workday(int64_t day, int64_t n)
{
	int64_t step = n < 0 ? -1 : 1;
	while (n) {
		day += step;
		int64_t weekday = ((day + 3) % 7 + 7) % 7; // 0 = Monday
		if (weekday < 5)
			n -= step;
	}
	return day;
}

static int64_t day_of(const struct expr_value *v, const struct expr_source *src)
{
	return v->kind == EXPR_TIME ? expr_day_of(v->i, src->zone) : v->i;
}

// ---- values ------------------------------------------------------------------------------------
static const struct expr_value missing = { .kind = EXPR_NONE, .s = { "", 0 } };

static struct expr_value truth(bool b)
{
	return (struct expr_value){ .kind = EXPR_BOOL, .i = b, .s = STR_EMPTY };
}

static struct expr_value number(double f)
{
	return isfinite(f) ? (struct expr_value){ .kind = EXPR_NUMBER, .f = f, .s = STR_EMPTY } : missing;
}

static struct expr_value of_kind(enum expr_kind kind, int64_t i)
{
	return (struct expr_value){ .kind = kind, .i = i, .s = STR_EMPTY };
}

static struct expr_value slot(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	return src->value(src->arg, &e->slots[n->slot]);
}

static bool is_true(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value v = eval(e, n, src);
	return v.kind == EXPR_BOOL && v.i;
}

// ---- comparisons -------------------------------------------------------------------------------
static int order_i(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int order(const struct expr_value *a, const struct expr_value *b, const struct expr_source *src)
{
	if (a->kind == EXPR_NUMBER)
		return (a->f > b->f) - (a->f < b->f);
	if (a->kind != b->kind)
		return order_i(day_of(a, src), day_of(b, src)); // a day and a moment: by the day
	if (a->kind == EXPR_TEXT || a->kind == EXPR_MENU || a->kind == EXPR_MENUS)
		return str_cmp(a->s, b->s);
	return order_i(a->i, b->i);
}

static bool holds(enum expr_op op, int o)
{
	switch ((int)op) {
	case EXPR_EQ: return o == 0;
	case EXPR_NE: return o != 0;
	case EXPR_LT: return o < 0;
	case EXPR_LE: return o <= 0;
	case EXPR_GT: return o > 0;
	default: return o >= 0;
	}
}

static struct expr_value compare(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value a = eval(e, n->subs[0], src), b = eval(e, n->subs[1], src);
	if (a.kind == EXPR_NONE || b.kind == EXPR_NONE) {
		src->missed = true;
		return truth(false);
	}
	return truth(holds(n->op, order(&a, &b, src)));
}

static struct expr_value choice(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value a = eval(e, n->subs[0], src);
	src->missed |= a.kind == EXPR_NONE;
	for (size_t i = 1; a.kind != EXPR_NONE && i < n->nsubs; i++) {
		struct expr_value b = eval(e, n->subs[i], src);
		if (b.kind != EXPR_NONE && order(&a, &b, src) == 0)
			return truth(true);
	}
	return truth(false);
}

// ---- arithmetic --------------------------------------------------------------------------------
static struct expr_value later(const struct expr_value *at, const struct expr_value *by, int sign, const struct expr_source *src)
{
	int64_t us;
	if (by->workdays) {
		int64_t n = sign * by->i, day = day_of(at, src);
		int64_t to = src->workday ? src->workday(src->arg, day, n) : plain_workday(day, n);
		return of_kind(at->kind, at->kind == EXPR_DATE ? to : at->i + (to - day) * US_PER_DAY);
	}
	if (at->kind == EXPR_DATE)
		return of_kind(EXPR_DATE, at->i + sign * (by->i / US_PER_DAY));
	if (__builtin_add_overflow(at->i, sign * by->i, &us))
		return missing;
	return of_kind(EXPR_TIME, us);
}

static struct expr_value difference(const struct expr_value *a, const struct expr_value *b, const struct expr_source *src)
{
	int64_t us;
	if (a->kind == EXPR_TIME && b->kind == EXPR_TIME)
		return __builtin_sub_overflow(a->i, b->i, &us) ? missing : of_kind(EXPR_DURATION, us);
	return __builtin_mul_overflow(day_of(a, src) - day_of(b, src), US_PER_DAY, &us) ? missing : of_kind(EXPR_DURATION, us);
}

static struct expr_value duration_of(double us)
{
	return fabs(us) < 9e18 ? of_kind(EXPR_DURATION, (int64_t)us) : missing;
}

static struct expr_value joined(const struct expr_value *a, const struct expr_value *b, struct expr_source *src)
{
	struct expr_value v = { .kind = EXPR_TEXT, .s = a->s };
	if (b->s.n)
		v.s = arena_printf(src->arena, "%.*s%.*s", STR_FMT(a->s), STR_FMT(b->s));
	return v;
}

static struct expr_value add(const struct expr_node *n, const struct expr_value *a, const struct expr_value *b, struct expr_source *src)
{
	int sign = n->op == EXPR_SUB ? -1 : 1;
	bool ma = a->kind == EXPR_DATE || a->kind == EXPR_TIME, mb = b->kind == EXPR_DATE || b->kind == EXPR_TIME;
	int64_t us;
	if (a->kind == EXPR_NUMBER)
		return number(a->f + sign * b->f);
	if (a->kind == EXPR_TEXT)
		return joined(a, b, src);
	if (ma && mb)
		return difference(a, b, src);
	if (ma)
		return later(a, b, sign, src);
	if (mb)
		return later(b, a, 1, src);
	return __builtin_add_overflow(a->i, sign * b->i, &us) ? missing : of_kind(EXPR_DURATION, us);
}

static double amount(const struct expr_value *v)
{
	return v->kind == EXPR_DURATION ? (double)v->i : v->f;
}

static struct expr_value arithmetic(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value a = eval(e, n->subs[0], src), b = eval(e, n->subs[1], src);
	if (a.kind == EXPR_NONE || b.kind == EXPR_NONE)
		return missing;
	if (n->op == EXPR_ADD || n->op == EXPR_SUB)
		return add(n, &a, &b, src);
	if (n->op == EXPR_DIV && amount(&b) == 0)
		return missing;
	double f = n->op == EXPR_MUL ? amount(&a) * amount(&b) : amount(&a) / amount(&b);
	return n->kind == EXPR_DURATION ? duration_of(f) : number(f);
}

// ---- functions ---------------------------------------------------------------------------------
static int64_t items_of(struct str menus)
{
	int64_t n = 0;
	while (menus.n)
		n += str_cut(&menus, ',').n > 0;
	return n;
}

static int64_t count_of(const struct expr_value *v)
{
	if (v->kind == EXPR_MENUS)
		return items_of(v->s);
	return v->kind == EXPR_LIST || v->kind == EXPR_ROWS ? v->i : 0;
}

static bool is_empty(const struct expr_value *v)
{
	switch ((int)v->kind) {
	case EXPR_NONE: return true;
	case EXPR_TEXT:
	case EXPR_MENU: return v->s.n == 0;
	case EXPR_MENUS:
	case EXPR_LIST:
	case EXPR_ROWS: return count_of(v) == 0;
	default: return false;
	}
}

// How many rows have a value in the column.
static int64_t filled(const struct expr_slot *s, int64_t rows, struct expr_source *src)
{
	int64_t n = 0;
	for (int64_t i = 0; i < rows; i++) {
		struct expr_value v = src->cell(src->arg, s, (size_t)i);
		n += !is_empty(&v);
	}
	return n;
}

static struct expr_value how_many(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value v = slot(e, n->subs[0], src);
	int64_t k = n->subs[0]->column ? filled(&e->slots[n->subs[0]->slot], count_of(&v), src) : count_of(&v);
	if (n->op == EXPR_COUNT)
		return number((double)k);
	return truth(n->subs[0]->column ? k == 0 : is_empty(&v));
}

static struct expr_value better(enum expr_op op, struct expr_value best, struct expr_value v, const struct expr_source *src)
{
	if (best.kind == EXPR_NONE || v.kind == EXPR_NONE)
		return v.kind == EXPR_NONE ? best : v;
	int o = order(&v, &best, src);
	return (op == EXPR_MIN ? o < 0 : o > 0) ? v : best;
}

// sum, min and max of a column: empty cells do not count; the sum of nothing is 0.
static struct expr_value of_column(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	const struct expr_slot *s = &e->slots[n->subs[0]->slot];
	struct expr_value rows = src->value(src->arg, s), best = missing;
	double sum = 0;
	for (int64_t i = 0; i < count_of(&rows); i++) {
		struct expr_value v = src->cell(src->arg, s, (size_t)i);
		sum += v.kind == EXPR_NUMBER ? v.f : 0;
		best = better(n->op, best, v, src);
	}
	return n->op == EXPR_SUM ? number(sum) : best;
}

static struct expr_value extreme(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value best = missing;
	if (n->subs[0]->column)
		return of_column(e, n, src);
	for (size_t i = 0; i < n->nsubs; i++) {
		struct expr_value v = eval(e, n->subs[i], src);
		if (v.kind == EXPR_NONE)
			return missing;
		best = better(n->op, best, v, src);
	}
	return best;
}

// Half away from zero, as in accounts; 1.005 is taken as written, not as the double below it.
static struct expr_value rounded(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value v = eval(e, n->subs[0], src);
	if (v.kind != EXPR_NUMBER)
		return missing;
	double scale = pow(10, n->nsubs > 1 ? n->subs[1]->value.f : 0), x = v.f * scale;
	return number(round(x + copysign(fmin(fabs(x) * 1e-14, 1e-6), x)) / scale);
}

static struct expr_value absolute(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value v = eval(e, n->subs[0], src);
	v.f = fabs(v.f);
	if (v.kind == EXPR_DURATION && v.i < 0 && v.i != INT64_MIN)
		v.i = -v.i;
	return v;
}

static struct expr_value negative(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value v = eval(e, n->subs[0], src);
	v.f = -v.f;
	v.i = v.i == INT64_MIN ? v.i : -v.i;
	return v;
}

static struct expr_value has(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value list = eval(e, n->subs[0], src), one = eval(e, n->subs[1], src);
	while (list.kind == EXPR_MENUS && one.kind == EXPR_MENU && list.s.n) {
		struct str item = str_cut(&list.s, ',');
		if (item.n && str_eq(item, one.s))
			return truth(true);
	}
	return truth(false);
}

static struct expr_value calendar(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	struct expr_value a = eval(e, n->subs[0], src);
	struct expr_value b = n->op == EXPR_DAYS ? eval(e, n->subs[1], src) : a;
	if (a.kind == EXPR_NONE || b.kind == EXPR_NONE)
		return missing;
	int64_t day = day_of(&a, src);
	if (n->op == EXPR_DAYS)
		return number((double)(day_of(&b, src) - day));
	struct civil c = time_to_civil(expr_day_start(day, 0), 0);
	return number(n->op == EXPR_YEAR ? c.year : c.month);
}

// ---- everything --------------------------------------------------------------------------------
static struct expr_value logic(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	if (n->op == EXPR_NOT)
		return truth(!is_true(e, n->subs[0], src));
	bool stop = n->op == EXPR_OR;
	for (size_t i = 0; i < n->nsubs; i++)
		if (is_true(e, n->subs[i], src) == stop)
			return truth(stop);
	return truth(!stop);
}

static struct expr_value call(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	switch ((int)n->op) {
	case EXPR_EMPTY:
	case EXPR_COUNT: return how_many(e, n, src);
	case EXPR_SUM: return of_column(e, n, src);
	case EXPR_MIN:
	case EXPR_MAX: return extreme(e, n, src);
	case EXPR_ABS: return absolute(e, n, src);
	case EXPR_ROUND: return rounded(e, n, src);
	case EXPR_IF: return eval(e, is_true(e, n->subs[0], src) ? n->subs[1] : n->subs[2], src);
	case EXPR_HAS: return has(e, n, src);
	case EXPR_TODAY: return of_kind(EXPR_DATE, expr_day_of(src->now, src->zone));
	case EXPR_NOW: return of_kind(EXPR_TIME, src->now);
	case EXPR_ANY:
	case EXPR_ALL:
	case EXPR_COUNT_OF: return missing; // only who has several values evaluates them: alarm/
	default: return calendar(e, n, src);
	}
}

static struct expr_value eval(const struct expr *e, const struct expr_node *n, struct expr_source *src)
{
	if (n->op == EXPR_LITERAL)
		return n->value;
	if (n->op == EXPR_SLOT)
		return slot(e, n, src);
	if (n->op <= EXPR_NOT)
		return logic(e, n, src);
	if (n->op <= EXPR_GE)
		return compare(e, n, src);
	if (n->op == EXPR_IN)
		return choice(e, n, src);
	if (n->op <= EXPR_DIV)
		return arithmetic(e, n, src);
	return n->op == EXPR_NEG ? negative(e, n, src) : call(e, n, src);
}

struct expr_value expr_eval(const struct expr *e, struct expr_source *src)
{
	src->missed = false;
	return eval(e, e->root, src);
}

bool expr_true(const struct expr *e, struct expr_source *src)
{
	struct expr_value v = expr_eval(e, src);
	return v.kind == EXPR_BOOL && v.i;
}
