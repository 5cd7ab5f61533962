// How many records of a list there are by area, sector, state or a field.
#include "api/api.h"
#include "api/list_query.h"

static const size_t tiers[] = { 2, 4, 6, 9, 12 };

struct counts {
	const struct type *t;
	struct group_by by;
	struct value *keys;
	int64_t *n;
	size_t len;
};

// The narrowest area the question is about already.
static struct str base_area(const struct scope *scope, const struct list_query *lq)
{
	struct str base = scope->area;
	for (size_t i = 0; i < lq->nfilters; i++) {
		const struct filter *f = &lq->filters[i];
		bool one = f->nvals == 1 && f->vals[0].kind == VAL_TEXT && (f->op == FILTER_PREFIX || f->op == FILTER_EQ);
		if (one && str_is(f->column, "area") && f->vals[0].s.n > base.n)
			base = f->op == FILTER_EQ ? area_prefix(f->vals[0].s) : f->vals[0].s;
	}
	return base;
}

static enum err count(struct call *c, struct counts *k, const struct scope *scope, const struct list_query *lq)
{
	return records_counts(call_db(c), &k->t->table, scope, lq, &k->by, c->arena, &k->keys, &k->n, &k->len, &c->p);
}

// The tier below the area that is asked about; further down while all lies in one of its areas.
static enum err count_areas(struct call *c, struct counts *k, const struct scope *scope, const struct list_query *lq)
{
	struct str base = base_area(scope, lq);
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		if (tiers[i] <= base.n)
			continue;
		k->by = (struct group_by){ GROUP_AREA, STR("area"), tiers[i] };
		enum err err = count(c, k, scope, lq);
		if (err || k->len > 1 || tiers[i] == 12)
			return err;
	}
	k->by = (struct group_by){ GROUP_AREA, STR("area"), 12 };
	return count(c, k, scope, lq);
}

static bool countable(const struct type *t, struct str by)
{
	static const char *const common[] = { "state", "sector", "enterprise", "created_by", "changed_by", "batch" };
	const struct field *f = type_field(t, by);
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(by, common[i]))
			return true;
	return f && f->ncols &&
	       (f->kind == FIELD_MENU || f->kind == FIELD_BOOL || f->kind == FIELD_REF || f->kind == FIELD_AREA || f->kind == FIELD_DATE);
}

static struct str area_title(struct call *c, struct str prefix)
{
	const struct type *t = registry_type(c->reg, STR("area"));
	struct row row;
	struct str whole = arena_printf(c->arena, "%.*s%.*s", STR_FMT(prefix), (int)(12 - MIN(prefix.n, (size_t)12)), "000000000000");
	struct value v = { .kind = VAL_TEXT, .s = whole };
	bool ok = t && type_field(t, STR("code")) && records_find(call_db(c), &t->table, NULL, STR("code"), v, c->arena, &row) == OK;
	return ok ? row.c.title : prefix;
}

static struct str record_title(struct call *c, struct str type, int64_t id)
{
	const struct type *t = registry_type(c->reg, type);
	struct row row;
	return t && records_get(call_db(c), &t->table, NULL, id, c->arena, &row) == OK ? row.c.title : STR_EMPTY;
}

static struct str item_title(struct call *c, const struct menu *m, struct str value)
{
	const struct menu_item *item = m ? menu_item(m, value) : NULL;
	return item ? label_text(c, item->label) : value;
}

static struct str title_of(struct call *c, const struct counts *k, const struct value *v)
{
	const struct field *f = type_field(k->t, k->by.column);
	if (v->kind == VAL_NULL || (v->kind == VAL_TEXT && v->s.n == 0))
		return call_is_en(c) ? STR("none") : STR("无");
	if (k->by.op == GROUP_AREA || (f && f->kind == FIELD_AREA))
		return area_title(c, k->by.op == GROUP_AREA ? v->s : area_prefix(v->s));
	if (str_is(k->by.column, "state")) {
		const struct state *s = type_state(k->t, v->s);
		return s ? label_text(c, s->label) : v->s;
	}
	if (v->kind == VAL_TEXT)
		return item_title(c, f && f->menu ? f->menu : str_is(k->by.column, "sector") ? registry_menu(c->reg, STR("sector")) : NULL, v->s);
	if (f && f->kind == FIELD_BOOL)
		return call_is_en(c) ? v->i ? STR("yes") : STR("no") : v->i ? STR("是") : STR("否");
	if (str_is(k->by.column, "created_by") || str_is(k->by.column, "changed_by"))
		return record_title(c, STR("person"), v->i);
	if (str_is(k->by.column, "enterprise") && (!f || f->ncols == 0))
		return record_title(c, STR("enterprise"), v->i);
	return f && f->kind == FIELD_REF ? record_title(c, f->to, v->i) : STR_EMPTY;
}

static void write_counts(struct call *c, const struct counts *k)
{
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < k->len; i++) {
		jw_obj(&c->w);
		jw_key(&c->w, "key");
		if (k->keys[i].kind == VAL_TEXT)
			jw_str(&c->w, k->keys[i].s);
		else if (k->keys[i].kind == VAL_INT)
			jw_i64(&c->w, k->keys[i].i);
		else
			jw_null(&c->w);
		jw_kstr(&c->w, "title", title_of(c, k, &k->keys[i]));
		jw_ki64(&c->w, "n", k->n[i]);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
}

enum err records_counts_get(struct call *c)
{
	struct counts k = { 0 };
	struct list_request lr;
	struct filter may;
	struct str by = http_query(c->rq, "by");
	enum err err = call_type(c, &k.t);
	if (!err)
		err = list_request_read(c, k.t, &lr);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, k.t);
	if (str_is(by, "area")) {
		err = count_areas(c, &k, &scope, &lr.lq);
	} else if (!countable(k.t, by)) {
		err = call_fail(c, ERR_INVALID, "by", "只能按 area、sector、state、企业、人员或菜单、是否、引用、区划、日期字段统计",
		                "by is area, sector, state, enterprise, created_by, or a menu, bool, ref, area or date field");
	} else if (!(err = record_filter(k.t, by, STR("notnull"), STR_EMPTY, &c->id, c->arena, &may, &c->p))) { // fields he may not see
		k.by = (struct group_by){ GROUP_VALUE, by, 0 };
		err = count(c, &k, &scope, &lr.lq);
	}
	if (!err)
		write_counts(c, &k);
	return err;
}
