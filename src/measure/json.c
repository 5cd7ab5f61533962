// Indicators as the API shows them: the list with the number of now, the table of one, its series, and the table as text.
// Reads only.
#include <math.h>

#include "measure/measure_int.h"

static const char *const period_names[] = { "year", "quarter", "month", "day" };
static const char *const dim_names[] = { "total", "area", "sector", "enterprise", "organisation" };

static void klabel(struct jw *w, const char *key, struct label l)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}

static void number(struct jw *w, const char *key, bool has, double v)
{
	jw_key(w, key);
	if (has && isfinite(v))
		jw_f64(w, v);
	else
		jw_null(w);
}

static void definition(struct jw *w, const struct indicator *i)
{
	jw_kstr(w, "name", i->name);
	klabel(w, "label", i->label);
	klabel(w, "about", i->about);
	klabel(w, "unit", i->unit);
	jw_ki64(w, "decimals", i->decimals);
	jw_kcstr(w, "period_kind", period_names[i->period]);
	jw_kstr(w, "property", i->property);
	jw_kcstr(w, "better", i->higher ? "higher" : "lower");
	jw_kbool(w, "public", i->public);
	jw_kbool(w, "seasonal", indicator_seasonal(i));
	jw_kstr(w, "version", i->version);
	jw_karr(w, "by");
	for (int d = DIM_AREA; d <= DIM_ORGANISATION; d++)
		if (i->dims & 1u << d)
			jw_cstr(w, dim_names[d]);
	jw_end(w);
	jw_karr(w, "parts");
	if (i->of.type)
		jw_cstr(w, "of");
	if (i->per.type)
		jw_cstr(w, "per");
	if (i->of.type && i->of.type == i->per.type)
		jw_cstr(w, "gap");
	jw_end(w);
}

static void figure(struct jw *w, const struct figure *f, const struct target *t)
{
	static const char *const kinds[] = { "", "ceiling", "floor", "zero", "drop", "relative" };
	number(w, "num", f->has_num, f->num);
	number(w, "den", f->has_den, f->den);
	number(w, "value", f->has, f->value);
	jw_kstr(w, "light", t->light);
	jw_key(w, "target");
	if (t->kind == TARGET_NONE) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_kcstr(w, "kind", kinds[t->kind]);
	number(w, "goal", t->has_goal, t->goal);
	number(w, "last", t->has_goal, t->last);
	number(w, "year", t->year != 0, t->year);
	number(w, "base", t->has_base, t->base);
	number(w, "base_year", t->base_year != 0, t->base_year);
	number(w, "change", t->has_base && f->has && t->base != 0, t->change);
	number(w, "projected", f->has, t->projected);
	jw_end(w);
}

static enum err total(const struct measure_ask *q, const struct indicator *i, struct figure *ret, struct target *t)
{
	struct measure_ask all = *q;
	struct figure *v;
	size_t n;
	struct str top;
	all.dim = DIM_NONE;
	*ret = (struct figure){ .key = { .kind = VAL_NULL } };
	*t = (struct target){ .light = STR_EMPTY };
	enum err err = measure_figures(&all, i, &v, &n);
	if (!err && n)
		*ret = v[0];
	if (!err)
		err = area_top(&all, &top);
	bool whole = !q->sector.n && !q->enterprise && !q->organisation; // targets are those of areas
	return err || !whole ? err : measure_target(&all, i, ret, top, t);
}

enum err indicators_json(const struct measure_ask *q, bool public_only, struct jw *w)
{
	enum err err = OK;
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t k = 0; !err && k < q->m->n; k++) {
		const struct indicator *i = &q->m->v[k];
		struct figure f;
		struct target t;
		struct measure_ask now = *q;
		if (public_only ? !i->public : !indicator_visible(q->m, i, q->by))
			continue;
		now.period = q->period.name.n ? q->period : period_at(i->period, q->now, i->period == PERIOD_YEAR, q->arena);
		err = total(&now, i, &f, &t);
		jw_obj(w);
		definition(w, i);
		jw_kstr(w, "period", now.period.name);
		figure(w, &f, &t);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return err;
}

// ---- one indicator -----------------------------------------------------------------------------
struct named {
	struct str key, title;
};

static struct str record_title(const struct measure_ask *q, const char *type, int64_t id)
{
	const struct type *t = registry_type(q->m->reg, str_of(type));
	struct row r;
	return t && records_get(q->db, &t->table, NULL, id, q->arena, &r) == OK ? r.c.title : STR_EMPTY;
}

static struct named name_of(const struct measure_ask *q, struct value key, bool en)
{
	struct named n = { STR_EMPTY, en ? STR("(none)") : STR("（无）") };
	struct row r;
	if (key.kind == VAL_INT && key.i) {
		n.key = arena_printf(q->arena, "%lld", (long long)key.i);
		n.title = record_title(q, dim_names[q->dim], key.i);
	} else if (key.kind == VAL_TEXT && key.s.n) {
		const struct type *areas = registry_type(q->m->reg, STR("area"));
		const struct menu *sectors = registry_menu(q->m->reg, STR("sector"));
		const struct menu_item *item = q->dim == DIM_SECTOR && sectors ? menu_item(sectors, key.s) : NULL;
		n.key = key.s;
		n.title = key.s;
		if (item)
			n.title = en ? item->label.en : item->label.zh;
		else if (q->dim == DIM_AREA && areas && type_field(areas, STR("code")) &&
		         records_find(q->db, &areas->table, NULL, STR("code"), key, q->arena, &r) == OK)
			n.title = r.c.title;
	}
	return n;
}

static enum err split(const struct measure_ask *q, const struct indicator *i, struct figure **v, struct target **t, size_t *n)
{
	enum err err = measure_figures(q, i, v, n);
	if (err)
		return err;
	*t = arena_many(q->arena, *n, struct target);
	for (size_t k = 0; !err && k < *n; k++) {
		(*t)[k].light = STR_EMPTY;
		if (q->dim == DIM_AREA && (*v)[k].key.kind == VAL_TEXT)
			err = measure_target(q, i, &(*v)[k], (*v)[k].key.s, &(*t)[k]);
		else if (i->target != TARGET_NONE) // a limit written in the file holds for every part of a rate
			err = i->per.type || i->target != TARGET_CEILING ? measure_target(q, i, &(*v)[k], STR_EMPTY, &(*t)[k]) : OK;
	}
	return err;
}

static enum err check_dim(const struct measure_ask *q, const struct indicator *i)
{
	if (q->dim == DIM_NONE || i->dims & 1u << q->dim)
		return OK;
	return problem_set(q->p, ERR_INVALID, "by", "这个指标不能按 %s 分", "this indicator is not split by %s", dim_names[q->dim]);
}

enum err indicator_json(const struct measure_ask *q, const struct indicator *i, struct jw *w)
{
	struct figure f, *v = NULL;
	struct target t, *goals = NULL;
	size_t n = 0;
	bool en = str_is(q->by->lang, "en");
	enum err err = check_dim(q, i);
	if (!err)
		err = total(q, i, &f, &t);
	if (!err && q->dim != DIM_NONE)
		err = split(q, i, &v, &goals, &n);
	if (err)
		return err;
	jw_obj(w);
	definition(w, i);
	jw_kstr(w, "period", q->period.name);
	jw_kbool(w, "ytd", q->period.ytd);
	jw_ktime(w, "from", q->period.from);
	jw_ktime(w, "to", q->period.to);
	jw_kobj(w, "total");
	figure(w, &f, &t);
	jw_end(w);
	jw_karr(w, "items");
	for (size_t k = 0; k < n; k++) {
		struct named name = name_of(q, v[k].key, en);
		jw_obj(w);
		jw_kstr(w, "key", name.key);
		jw_kstr(w, "title", name.title);
		figure(w, &v[k], &goals[k]);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return OK;
}

// ---- series ------------------------------------------------------------------------------------
static bool same(bool has_a, double a, bool has_b, double b)
{
	return has_a == has_b && (!has_a || fabs(a - b) <= 1e-9 * fmax(1, fabs(a)));
}

static void snapshot(struct jw *w, const struct snapshot *s, const struct figure *f)
{
	jw_kobj(w, "snapshot");
	number(w, "num", s->has_num, s->num);
	number(w, "den", s->has_den, s->den);
	number(w, "value", s->has, s->value);
	number(w, "target", s->has_target, s->target);
	jw_kstr(w, "light", s->light);
	jw_kstr(w, "version", s->version);
	jw_ktime(w, "at", s->at);
	jw_kbool(w, "differs", !same(f->has, f->value, s->has, s->value));
	jw_end(w);
}

// Which snapshots the question is about: those of one area, enterprise, sector, or of all for who sees all.
static enum err snapshots_for(const struct measure_ask *q, const struct indicator *i, size_t limit, struct snapshot **v, size_t *n)
{
	struct str top, key = STR_EMPTY;
	enum dimension dim = DIM_NONE;
	*n = 0;
	*v = NULL;
	enum err err = area_top(q, &top);
	if (err)
		return err;
	int64_t enterprise = q->by->scope.enterprise ? q->by->scope.enterprise : q->enterprise;
	if (enterprise) {
		dim = DIM_ENTERPRISE;
		key = arena_printf(q->arena, "%lld", (long long)enterprise);
	} else if (q->organisation) {
		dim = DIM_ORGANISATION;
		key = arena_printf(q->arena, "%lld", (long long)q->organisation);
	} else if (area_asked(q).n) {
		struct identity all = identity_system();
		struct measure_ask whole = *q;
		struct str highest;
		whole.by = &all;
		whole.area = STR_EMPTY;
		err = area_top(&whole, &highest);
		if (err)
			return err;
		if (!str_eq(highest, top)) { // who asks about the whole county is answered with the snapshot of all
			dim = DIM_AREA;
			key = top;
		}
	}
	bool narrow = q->sector.n || q->by->scope.sectors.n;
	if (narrow && (dim != DIM_NONE || !q->sector.n))
		return OK; // of a sector within an area there is no snapshot
	if (narrow) {
		dim = DIM_SECTOR;
		key = q->sector;
	}
	return snapshots_read(q->db, i->name, dim, key, limit, q->arena, v, n);
}

enum err indicator_series_json(const struct measure_ask *q, const struct indicator *i, size_t periods, struct jw *w)
{
	struct snapshot *shots;
	size_t nshots;
	enum err err = snapshots_for(q, i, periods + 1, &shots, &nshots);
	if (err)
		return err;
	jw_obj(w);
	definition(w, i);
	jw_karr(w, "items");
	for (size_t k = periods; !err && k-- > 0;) {
		struct measure_ask then = *q;
		struct figure f;
		struct target t;
		then.period = period_back(&q->period, (int)k, q->arena);
		err = total(&then, i, &f, &t);
		jw_obj(w);
		jw_kstr(w, "period", then.period.name);
		figure(w, &f, &t);
		for (size_t s = 0; s < nshots && !q->period.ytd; s++)
			if (str_eq(shots[s].period, then.period.name))
				snapshot(w, &shots[s], &f);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return err;
}

// ---- as a table --------------------------------------------------------------------------------
static struct str shown(const struct measure_ask *q, bool has, double v, int decimals)
{
	if (!has)
		return STR_EMPTY;
	return arena_printf(q->arena, "%.*f", decimals, v);
}

static struct str plain(const struct measure_ask *q, bool has, double v)
{
	char text[F64_TEXT_MAX];
	return has ? arena_str(q->arena, str_from(text, f64_text(v, text))) : STR_EMPTY;
}

static void table_row(const struct measure_ask *q, const struct indicator *i, struct str *cells, struct named name, const struct figure *f,
                      const struct target *t)
{
	cells[0] = name.key;
	cells[1] = name.title;
	cells[2] = plain(q, f->has_num, f->num);
	cells[3] = plain(q, f->has_den, f->den);
	cells[4] = shown(q, f->has, f->value, i->decimals);
	cells[5] = plain(q, t->has_goal, t->goal);
	cells[6] = t->light;
}

enum err indicator_table(const struct measure_ask *q, const struct indicator *i, bool en, struct measure_table *ret)
{
	static const char *const zh_heads[] = { "代码", "名称", "分子", "分母", "数值", "目标", "状态" };
	static const char *const en_heads[] = { "Code", "Name", "Numerator", "Denominator", "Value", "Target", "State" };
	struct figure f, *v = NULL;
	struct target t, *goals = NULL;
	size_t n = 0;
	enum err err = check_dim(q, i);
	if (!err)
		err = total(q, i, &f, &t);
	if (!err && q->dim != DIM_NONE)
		err = split(q, i, &v, &goals, &n);
	if (err)
		return err;
	*ret = (struct measure_table){ .columns = ARRAY_LEN(zh_heads), .rows = n + 2 };
	ret->cells = arena_many(q->arena, ret->rows * ret->columns, struct str);
	for (size_t k = 0; k < ret->columns; k++)
		ret->cells[k] = str_of(en ? en_heads[k] : zh_heads[k]);
	for (size_t k = 0; k < n; k++)
		table_row(q, i, ret->cells + (k + 1) * ret->columns, name_of(q, v[k].key, en), &v[k], &goals[k]);
	struct named all = { STR_EMPTY, en ? STR("Total") : STR("合计") };
	table_row(q, i, ret->cells + (n + 1) * ret->columns, all, &f, &t);
	return OK;
}
