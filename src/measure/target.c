// How a number stands against its target: target of the year on the straight line from the base, change against the base,
// projection to the end of the year, light. Reads only.
#include <math.h>

#include "measure/measure_int.h"
#include "model/held.h"

static bool number(const struct type *t, const struct row *r, const char *name, double *ret)
{
	const struct value *v = held(t, r, name);
	if (v->kind == VAL_NULL || v->kind == VAL_TEXT)
		return false;
	*ret = v->kind == VAL_INT ? (double)v->i : v->f;
	return true;
}

// The target that is due next: the first year that is not before the asked one.
static enum err target_row(const struct measure_ask *q, const struct indicator *i, struct str area, struct row *ret, bool *ret_found)
{
	const struct type *t = i->targets;
	struct value name = { .kind = VAL_TEXT, .s = i->name }, place = { .kind = VAL_TEXT, .s = area };
	struct value year = { .kind = VAL_REAL, .f = q->period.year };
	struct filter filters[] = { { .column = STR("indicator"), .op = FILTER_EQ, .vals = &name, .nvals = 1 },
		                    { .column = STR("area"), .op = FILTER_EQ, .vals = &place, .nvals = 1 },
		                    { .column = STR("year"), .op = FILTER_GE, .vals = &year, .nvals = 1 } };
	struct sort sort = { .column = STR("year") };
	struct list_query lq = { .filters = filters, .nfilters = ARRAY_LEN(filters), .sorts = &sort, .nsorts = 1, .limit = 1 };
	struct row *rows;
	size_t n;
	enum err err = records_list(q->db, &t->table, NULL, &lq, q->arena, &rows, &n, NULL, q->p);
	*ret_found = !err && n == 1;
	if (*ret_found)
		*ret = rows[0];
	return err;
}

// The base value: as written, else computed for the base year.
static enum err base_read(const struct measure_ask *q, const struct indicator *i, const struct row *r, struct str area, struct target *t)
{
	double v;
	t->base_year = number(i->targets, r, "base_year", &v) ? (int)v : 0;
	t->has_base = number(i->targets, r, "base", &t->base);
	if (t->has_base || !t->base_year)
		return OK;
	struct measure_ask then = *q;
	struct figure *f;
	size_t n;
	then.dim = DIM_NONE;
	then.area = area;
	struct civil middle = { .year = t->base_year, .month = 7, .day = 1 };
	then.period = period_at(PERIOD_YEAR, time_from_civil(middle, time_zone()), false, q->arena);
	enum err err = measure_figures(&then, i, &f, &n);
	if (!err && n == 1 && f[0].has) {
		t->has_base = true;
		t->base = f[0].value;
	}
	return err;
}

static enum target_kind kind_of(struct str s)
{
	static const struct { const char *name; enum target_kind kind; } kinds[] = {
		{ "ceiling", TARGET_CEILING }, { "floor", TARGET_FLOOR }, { "zero", TARGET_ZERO }, { "drop", TARGET_DROP }, { "relative", TARGET_RELATIVE },
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(s, kinds[i].name))
			return kinds[i].kind;
	return TARGET_NONE;
}

// drop: value % below the base; relative: a drop larger than that of the comparator (say, the province); the rest as written.
static void goal_set(const struct measure_ask *q, const struct indicator *i, const struct row *r, struct target *t)
{
	double v = 0, comparator = 0;
	bool has = number(i->targets, r, "value", &v) || t->kind == TARGET_ZERO;
	bool drop = t->kind == TARGET_DROP || t->kind == TARGET_RELATIVE;
	if (t->kind == TARGET_RELATIVE)
		has = number(i->targets, r, "comparator", &comparator);
	if (!has || (drop && !t->has_base))
		return;
	t->last = t->kind == TARGET_ZERO ? 0 : drop ? t->base * (1 - (t->kind == TARGET_DROP ? v : comparator) / 100) : v;
	t->goal = t->last;
	t->has_goal = true;
	if (t->has_base && t->base_year && t->base_year < t->year && q->period.year < t->year && drop)
		t->goal = t->base + (t->last - t->base) * (q->period.year - t->base_year) / (t->year - t->base_year);
}

static bool flows(const struct source *s) { return s->at == AT_DATE || s->at == AT_TIME; }

// Carried on to the end of the year: what has come about so far, times the year over the part that is past. A figure of a
// stock or of a whole year stays as it is.
static double project(const struct measure_ask *q, const struct indicator *i, const struct figure *f)
{
	struct civil c = time_to_civil(q->now, time_zone());
	int64_t begin = time_from_civil((struct civil){ .year = q->period.year, .month = 1, .day = 1 }, time_zone());
	int64_t end = time_from_civil((struct civil){ .year = q->period.year + 1, .month = 1, .day = 1 }, time_zone());
	bool running = c.year == q->period.year && q->period.from == begin && q->period.to > q->now;
	double share = (double)MIN(q->now, q->period.to) - (double)begin;
	if (!running || !i->of.type || !flows(&i->of) || (i->per.type && flows(&i->per)) || share <= 0)
		return f->value;
	return f->value * (double)(end - begin) / share;
}

static struct str light(const struct indicator *i, const struct target *t)
{
	double v = t->projected, slack = fabs(t->goal) * i->amber / 100;
	bool higher = t->kind == TARGET_FLOOR || (t->kind != TARGET_CEILING && t->kind != TARGET_ZERO && i->higher);
	double miss = higher ? t->goal - v : v - t->goal;
	if (miss <= 1e-9 * fmax(1, fabs(t->goal)))
		return STR("green");
	return miss <= slack ? STR("amber") : STR("red");
}

enum err measure_target(const struct measure_ask *q, const struct indicator *i, const struct figure *f, struct str area, struct target *ret)
{
	struct row r;
	bool found = false;
	*ret = (struct target){ .kind = i->target, .goal = i->target_value, .last = i->target_value, .has_goal = i->target != TARGET_NONE };
	enum err err = i->targets && area.n ? target_row(q, i, area, &r, &found) : OK;
	if (!err && found) {
		double year = 0;
		const struct value *kind = held(i->targets, &r, "kind");
		ret->kind = kind->kind == VAL_TEXT ? kind_of(kind->s) : TARGET_NONE;
		(void)number(i->targets, &r, "year", &year);
		ret->year = (int)year;
		err = base_read(q, i, &r, area, ret);
		if (!err)
			goal_set(q, i, &r, ret);
	}
	if (err || !f->has)
		return err;
	ret->projected = project(q, i, f);
	if (ret->has_base && ret->base != 0)
		ret->change = (f->value - ret->base) / ret->base * 100;
	if (ret->has_goal)
		ret->light = light(i, ret);
	return OK;
}
