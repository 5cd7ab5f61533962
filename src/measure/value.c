// The numbers: numerators and denominators as aggregates in the store, put together by key; indicators over indicators;
// and the records behind a number. Reads only; the thread that holds the connection.
#include <math.h>
#include <stdlib.h>

#include "measure/measure_int.h"
#include "model/exprs.h"

#define CONDS 10                // parts of one query's condition

// ---- areas -------------------------------------------------------------------------------------
struct str area_key(struct str code, size_t tier, struct arena *a)
{
	char *p = arena_alloc(a, 13);
	memset(p, '0', 12);
	memcpy(p, code.p, MIN(MIN(code.n, tier), (size_t)12));
	return str_from(p, 12);
}

struct str area_asked(const struct measure_ask *q) { return q->area.n ? q->area : q->by->scope.area; }

// Of who sees everything: the area that lies above all enterprises, else above all areas but those nothing lies in.
enum err area_top(const struct measure_ask *q, struct str *ret)
{
	static const size_t tiers[] = { 12, 9, 6, 4, 2 };
	struct str asked = area_asked(q);
	const struct type *t = registry_type(q->m->reg, STR("enterprise"));
	struct aggregate *v = NULL;
	size_t n = 0;
	*ret = STR_EMPTY;
	if (asked.n) {
		*ret = area_key(asked, 12, q->arena);
		return OK;
	}
	for (size_t i = 0; t && i < ARRAY_LEN(tiers); i++) {
		struct group_by by = { GROUP_AREA, STR("area"), tiers[i] };
		struct measure m = { .op = MEASURE_COUNT };
		enum err err = records_aggregate(q->db, &t->table, NULL, NULL, &by, 1, &m, 1, q->arena, &v, &n, q->p);
		if (err)
			return err;
		if (n == 1 && v[0].keys[0].kind == VAL_TEXT) {
			*ret = area_key(v[0].keys[0].s, tiers[i], q->arena);
			// a village or town alone is not the county: go on to the county at least
			if (tiers[i] <= 6)
				return OK;
			*ret = area_key(*ret, 6, q->arena);
			return OK;
		}
	}
	return OK;
}

// ---- one aggregate -----------------------------------------------------------------------------
struct conds {
	struct condition v[CONDS];
	struct value vals[CONDS];
	size_t n;
};

static void add_cond(struct conds *c, struct str column, enum filter_op op, struct value v)
{
	c->vals[c->n] = v;
	c->v[c->n] = (struct condition){ .op = COND_FILTER, .filter = { .column = column, .op = op, .vals = &c->vals[c->n], .nvals = 1 } };
	c->n++;
}

static struct value text(struct str s) { return (struct value){ .kind = VAL_TEXT, .s = s }; }
static struct value integer(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }

static struct str day_text(int64_t us, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static void period_conds(const struct measure_ask *q, const struct source *s, struct conds *c)
{
	switch (s->at) {
	case AT_NONE:
		break;
	case AT_DATE:
		add_cond(c, s->at_column, FILTER_GE, text(day_text(q->period.from, q->arena)));
		add_cond(c, s->at_column, FILTER_LT, text(day_text(q->period.to, q->arena)));
		break;
	case AT_TIME:
		add_cond(c, s->at_column, FILTER_GE, integer(q->period.from));
		add_cond(c, s->at_column, FILTER_LT, integer(q->period.to));
		break;
	case AT_YEAR:
		add_cond(c, s->at_column, FILTER_EQ, (struct value){ .kind = VAL_REAL, .f = q->period.year });
		break;
	}
}

// All that decides which rows of the source count, as one condition in the arena.
static enum err source_cond(const struct measure_ask *q, const struct source *s, const struct condition **ret)
{
	struct conds *c = arena_one(q->arena, struct conds);
	struct condition *all = arena_one(q->arena, struct condition);
	struct cond_now now = { .now = q->now, .zone = time_zone(), .me = q->by->person, .my_enterprise = q->by->scope.enterprise };
	if (s->where)
		c->v[c->n++] = *cond_resolve(s->where, &now, q->arena);
	period_conds(q, s, c);
	if (s->exact && q->dim != DIM_AREA) {
		struct str top;
		enum err err = area_top(q, &top);
		if (err)
			return err;
		add_cond(c, STR("area"), FILTER_EQ, text(top));
	} else if (q->area.n) {
		add_cond(c, STR("area"), FILTER_PREFIX, text(area_prefix(q->area)));
	}
	if (q->sector.n)
		add_cond(c, STR("sector"), FILTER_EQ, text(q->sector));
	if (q->enterprise)
		add_cond(c, STR("enterprise"), FILTER_EQ, integer(q->enterprise));
	if (q->organisation)
		add_cond(c, STR("organisation"), FILTER_EQ, integer(q->organisation));
	*all = (struct condition){ .op = COND_AND, .subs = c->v, .nsubs = c->n };
	*ret = all;
	return OK;
}

static struct group_by grouping(const struct measure_ask *q, const struct source *s)
{
	static const char *const columns[] = { "", "area", "sector", "enterprise", "organisation" };
	struct group_by by = { GROUP_VALUE, str_of(columns[q->dim]), 0 };
	if (q->dim == DIM_AREA && !s->exact) {
		by.op = GROUP_AREA;
		by.length = q->tier;
	}
	return by;
}

// Nothing counted is 0; but of a yearly statistic that was not entered there is no number.
static bool zero_if_none(const struct source *s) { return s->at != AT_YEAR; }

struct part {                   // one source's sums by key
	struct value key;
	double v;
};

static double number_of(const struct source *s, const struct value *v)
{
	double f = v->kind == VAL_INT ? (double)v->i : v->f;
	return s->sum && s->sum->kind == FIELD_MONEY ? f / 100 : f; // fen → yuan
}

// A key as it is compared and shown: areas as 12 digits; of a figure of the area itself only those of this tier.
static bool key_of(const struct measure_ask *q, const struct source *s, struct value k, struct value *ret)
{
	*ret = k;
	if (q->dim != DIM_AREA || k.kind != VAL_TEXT)
		return !(q->dim == DIM_AREA && s->exact);
	ret->s = area_key(k.s, q->tier, q->arena);
	return !s->exact || str_eq(ret->s, k.s);
}

static enum err source_parts(const struct measure_ask *q, const struct source *s, struct part **ret, size_t *ret_n)
{
	const struct condition *cond;
	struct aggregate *v;
	size_t n;
	struct group_by by = grouping(q, s);
	struct measure m = { .op = s->sum ? MEASURE_SUM : MEASURE_COUNT, .column = s->sum ? s->sum->name : STR_EMPTY };
	struct scope scope = auth_scope(q->by, s->type);
	enum err err = source_cond(q, s, &cond);
	struct list_query lq = { .cond = cond };
	*ret = NULL;
	*ret_n = 0;
	if (!err)
		err = records_aggregate(q->db, &s->type->table, &scope, &lq, &by, q->dim != DIM_NONE, &m, 1, q->arena, &v, &n, q->p);
	if (err)
		return err;
	*ret = arena_many(q->arena, n + 1, struct part);
	for (size_t i = 0; i < n; i++) {
		struct value key = { .kind = VAL_NULL };
		bool none = v[i].measures[0].kind == VAL_NULL; // rows, but none has a number
		if ((none && !zero_if_none(s)) || (q->dim != DIM_NONE && !key_of(q, s, v[i].keys[0], &key)))
			continue;
		(*ret)[(*ret_n)++] = (struct part){ key, none ? 0 : number_of(s, &v[i].measures[0]) };
	}
	return OK;
}

// ---- figures -----------------------------------------------------------------------------------
static int value_cmp(struct value a, struct value b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	if (a.kind == VAL_INT)
		return (a.i > b.i) - (a.i < b.i);
	return a.kind == VAL_TEXT ? str_cmp(a.s, b.s) : 0;
}

static int by_key(const void *x, const void *y)
{
	return value_cmp(((const struct figure *)x)->key, ((const struct figure *)y)->key);
}

struct figures {
	struct figure *v;
	size_t n, cap, sorted;  // the first `sorted` are in the order of their keys
};

static void figures_sort(struct figures *all)
{
	if (all->n > 1)
		qsort(all->v, all->n, sizeof *all->v, by_key);
	all->sorted = all->n;
}

static struct figure *figure_at(const struct measure_ask *q, struct figures *all, struct value key)
{
	struct figure wanted = { .key = key };
	struct figure *found = all->sorted ? bsearch(&wanted, all->v, all->sorted, sizeof *all->v, by_key) : NULL;
	if (found)
		return found;
	for (size_t i = all->sorted; i < all->n; i++)
		if (value_cmp(all->v[i].key, key) == 0)
			return &all->v[i];
	all->v = arena_push(q->arena, all->v, &all->n, &all->cap, sizeof *all->v);
	all->v[all->n - 1].key = key;
	return &all->v[all->n - 1];
}

static enum err plain_figures(const struct measure_ask *q, const struct indicator *i, struct figures *all)
{
	struct part *num, *den = NULL;
	size_t nnum, nden = 0;
	enum err err = source_parts(q, &i->of, &num, &nnum);
	if (!err && i->per.type)
		err = source_parts(q, &i->per, &den, &nden);
	if (err)
		return err;
	for (size_t k = 0; k < nnum; k++) { // the keys of one source differ
		all->v = arena_push(q->arena, all->v, &all->n, &all->cap, sizeof *all->v);
		all->v[k] = (struct figure){ .key = num[k].key, .num = num[k].v, .has_num = true };
	}
	figures_sort(all);
	for (size_t k = 0; k < nden; k++) {
		struct figure *f = figure_at(q, all, den[k].key);
		f->den = den[k].v;
		f->has_den = true;
	}
	if (q->dim == DIM_NONE)
		(void)figure_at(q, all, (struct value){ .kind = VAL_NULL });
	for (size_t k = 0; k < all->n; k++) {
		struct figure *f = &all->v[k];
		if (!f->has_num && zero_if_none(&i->of))
			f->has_num = true;
		f->has = f->has_num && (!i->per.type || (f->has_den && f->den != 0));
		f->value = !f->has ? 0 : i->per.type ? f->num / f->den * i->times : f->num;
	}
	return OK;
}

struct over {                   // an expression over other indicators, for one key
	const struct expr *e;
	struct figure **lists;
	size_t *counts;
	struct value key;
};

static struct expr_value slot_value(void *arg, const struct expr_slot *s)
{
	const struct over *o = arg;
	size_t at = (size_t)(s - o->e->slots);
	for (size_t k = 0; k < o->counts[at]; k++) {
		const struct figure *f = &o->lists[at][k];
		if (value_cmp(f->key, o->key) == 0 && f->has)
			return (struct expr_value){ .kind = EXPR_NUMBER, .f = f->value };
	}
	return (struct expr_value){ .kind = EXPR_NONE };
}

static struct expr_value no_cell(void *arg, const struct expr_slot *s, size_t row)
{
	(void)arg, (void)s, (void)row;
	return (struct expr_value){ .kind = EXPR_NONE };
}

static enum err expr_figures(const struct measure_ask *q, const struct indicator *i, struct figures *all)
{
	const struct expr *e = i->expr;
	struct over o = { .e = e, .lists = arena_many(q->arena, e->nslots, struct figure *), .counts = arena_many(q->arena, e->nslots, size_t) };
	enum err err = OK;
	for (size_t s = 0; !err && s < e->nslots; s++) {
		err = measure_figures(q, indicator_find(q->m, e->slots[s].argument), &o.lists[s], &o.counts[s]);
		for (size_t k = 0; !err && k < o.counts[s]; k++)
			(void)figure_at(q, all, o.lists[s][k].key);
		figures_sort(all);
	}
	for (size_t k = 0; !err && k < all->n; k++) {
		struct expr_source src = { .arg = &o, .now = q->now, .zone = time_zone(), .value = slot_value, .cell = no_cell, .arena = q->arena };
		o.key = all->v[k].key;
		struct expr_value v = expr_eval(e, &src);
		all->v[k].has = v.kind == EXPR_NUMBER && isfinite(v.f);
		all->v[k].value = all->v[k].has ? v.f * i->times : 0;
	}
	return err;
}

static enum err change_figures(const struct measure_ask *q, const struct indicator *i, struct figures *all)
{
	const struct indicator *of = indicator_find(q->m, i->change_of);
	struct measure_ask then = *q;
	int back = i->change_back ? i->change_back : q->period.year - i->change_base;
	int per_year = q->period.kind == PERIOD_QUARTER ? 4 : q->period.kind == PERIOD_MONTH ? 12 : 1;
	struct figure *now, *was;
	size_t nnow, nwas;
	if (q->period.kind == PERIOD_DAY)
		return problem_set(q->p, ERR_INVALID, "period", "变化率不按日计算", "a change is not computed by day");
	then.period = period_back(&q->period, back * per_year, q->arena);
	enum err err = measure_figures(q, of, &now, &nnow);
	if (!err)
		err = measure_figures(&then, of, &was, &nwas);
	for (size_t k = 0; !err && k < nnow; k++) {
		struct figure *f = figure_at(q, all, now[k].key);
		f->num = now[k].value;
		f->has_num = now[k].has;
	}
	figures_sort(all);
	for (size_t k = 0; !err && k < nwas; k++) {
		struct figure *f = figure_at(q, all, was[k].key);
		f->den = was[k].value;
		f->has_den = was[k].has;
	}
	for (size_t k = 0; !err && k < all->n; k++) {
		struct figure *f = &all->v[k];
		f->has = f->has_num && f->has_den && f->den != 0;
		f->value = f->has ? (f->num - f->den) / f->den * 100 : 0;
	}
	return err;
}

enum err measure_figures(const struct measure_ask *q, const struct indicator *i, struct figure **ret, size_t *ret_n)
{
	struct figures all = { 0 };
	enum err err = i->expr ? expr_figures(q, i, &all) : i->change_of.n ? change_figures(q, i, &all) : plain_figures(q, i, &all);
	figures_sort(&all);
	*ret = all.v;
	*ret_n = all.n;
	return err;
}

// ---- the records behind ------------------------------------------------------------------------
enum err measure_records(const struct measure_ask *q, const struct indicator *i, struct str part, const struct type **ret_type,
                         struct list_query *ret)
{
	const struct condition *of = NULL, *per = NULL;
	bool gap = str_is(part, "gap");
	if (!i->of.type || (!str_is(part, "of") && !i->per.type))
		return problem_set(q->p, ERR_INVALID, "part", "这个指标没有这一部分的记录", "the indicator has no records of this part");
	if (gap && i->of.type != i->per.type)
		return problem_set(q->p, ERR_INVALID, "part", "分子分母不是同一类型，没有差额名单", "of and per are of different types: there is no gap list");
	if (!gap && !str_is(part, "of") && !str_is(part, "per"))
		return problem_set(q->p, ERR_INVALID, "part", "part 应为 of、per 或 gap", "part is of, per or gap");
	enum err err = source_cond(q, &i->of, &of);
	if (!err && i->per.type)
		err = source_cond(q, &i->per, &per);
	if (err)
		return err;
	*ret_type = str_is(part, "of") ? i->of.type : i->per.type;
	*ret = (struct list_query){ .cond = str_is(part, "of") ? of : per };
	if (gap) {
		struct condition *both = arena_many(q->arena, 2, struct condition), *all = arena_one(q->arena, struct condition);
		both[0] = *per;
		both[1] = (struct condition){ .op = COND_NOT, .subs = of, .nsubs = 1 };
		*all = (struct condition){ .op = COND_AND, .subs = both, .nsubs = 2 };
		ret->cond = all;
	}
	return OK;
}
