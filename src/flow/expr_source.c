// What the names of an expression hold: the fields of one record, one step through its references, what refers to it. Used
// for guards, conditions of fields, checks and computed fields; inside a store job or on any connection, one thread.
#include <math.h>

#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/draft.h"
#include "model/exprs.h"

#define STEPS 8                 // records that references lead to, kept while one expression is evaluated

struct scene {
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	const struct row *row;
	const struct identity *by;
	struct arena *a;
	struct { const struct type *t; int64_t id; struct row row; bool there; } steps[STEPS];
	size_t nsteps;
	struct { const struct field *f; json_t *rows; } tables[STEPS];
	size_t ntables;
};

static const struct expr_value nothing = { .kind = EXPR_NONE, .s = { "", 0 } };

static struct expr_value whole(enum expr_kind kind, int64_t i)
{
	return (struct expr_value){ .kind = kind, .i = i, .s = STR_EMPTY };
}

static struct expr_value real(double f)
{
	return (struct expr_value){ .kind = EXPR_NUMBER, .f = f, .s = STR_EMPTY };
}

static struct expr_value text(enum expr_kind kind, struct str s)
{
	return s.n ? (struct expr_value){ .kind = kind, .s = s } : nothing;
}

static struct expr_value date(struct str s)
{
	int64_t day;
	return expr_day_parse(s, &day) ? whole(EXPR_DATE, day) : nothing;
}

static int64_t ids_in(struct str s)
{
	int64_t n = 0;
	while (s.n)
		n += str_cut(&s, ',').n > 0;
	return n;
}

// ---- tables ------------------------------------------------------------------------------------
static json_t *table_of(struct scene *s, const struct field *f, const struct value *v)
{
	for (size_t i = 0; i < s->ntables; i++)
		if (s->tables[i].f == f)
			return s->tables[i].rows;
	if (s->ntables == STEPS)
		return NULL;
	s->tables[s->ntables].f = f;
	s->tables[s->ntables].rows = value_rows(v);
	return s->tables[s->ntables++].rows;
}

static struct expr_value cell_value(const struct field *f, const json_t *j)
{
	int64_t us;
	struct str s = json_is_string(j) ? str_from(json_string_value(j), json_string_length(j)) : STR_EMPTY;
	if (!j || json_is_null(j))
		return nothing;
	switch ((int)f->kind) {
	case FIELD_NUMBER:
	case FIELD_MONEY: return real(json_number_value(j));
	case FIELD_BOOL: return whole(EXPR_BOOL, json_is_true(j));
	case FIELD_DATE: return date(s);
	case FIELD_TIME: return time_parse(s, &us) ? whole(EXPR_TIME, us) : nothing;
	case FIELD_REF: return whole(EXPR_REF, json_integer_value(j));
	case FIELD_MENU: return text(EXPR_MENU, s);
	default: return text(EXPR_TEXT, s);
	}
}

// ---- fields ------------------------------------------------------------------------------------
struct expr_value flow_field_value(const struct field *f, const struct value *v)
{
	if (v->kind == VAL_NULL)
		return nothing;
	switch (f->kind) {
	case FIELD_NUMBER: return real(v->kind == VAL_REAL ? v->f : (double)v->i);
	case FIELD_MONEY: return real((double)v->i / 100);
	case FIELD_BOOL: return whole(EXPR_BOOL, v->i);
	case FIELD_DATE: return date(v->s);
	case FIELD_TIME: return whole(EXPR_TIME, v->i);
	case FIELD_MENU: return text(EXPR_MENU, v->s);
	case FIELD_MENUS: return text(EXPR_MENUS, v->s);
	case FIELD_REF: return whole(EXPR_REF, v->i);
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS: return whole(EXPR_LIST, ids_in(v->s));
	case FIELD_ROWS: return whole(EXPR_ROWS, v->s.n > 2);
	case FIELD_ORIGIN: return text(EXPR_ORIGIN, v->s);
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_SHEET: return whole(EXPR_OTHER, 1);
	case FIELD_TEXT:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_AREA:
	case FIELD_IDCARD:
	case FIELD__MAX: break;
	}
	return text(EXPR_TEXT, v->s);
}

static struct expr_value time_or_nothing(int64_t us)
{
	return us ? whole(EXPR_TIME, us) : nothing;
}

static struct expr_value ref_or_nothing(int64_t id)
{
	return id > 0 ? whole(EXPR_REF, id) : nothing;
}

static struct expr_value common_value(const struct common *c, struct str name, enum expr_kind kind)
{
	const struct { const char *name; struct expr_value v; } all[] = {
		{ "id", real((double)c->id) }, { "number", text(EXPR_TEXT, c->number) }, { "title", text(EXPR_TEXT, c->title) },
		{ "state", text(EXPR_MENU, c->state) }, { "area", text(EXPR_TEXT, c->area) },
		{ "enterprise", ref_or_nothing(c->enterprise) }, { "sector", text(kind, c->sector) }, { "thread", real((double)c->thread) },
		{ "version", real((double)c->version) }, { "created_at", time_or_nothing(c->created_at) },
		{ "created_by", ref_or_nothing(c->created_by) }, { "changed_at", time_or_nothing(c->changed_at) },
		{ "changed_by", ref_or_nothing(c->changed_by) }, { "state_at", time_or_nothing(c->state_at) },
		{ "deadline", time_or_nothing(c->deadline) }, { "escalated", real((double)c->escalated) },
		{ "retired", whole(EXPR_BOOL, c->retired) }, { "prev_state", text(EXPR_MENU, c->prev_state) },
		{ "moved_by", ref_or_nothing(c->moved_by) }, { "paused", whole(EXPR_BOOL, c->paused != 0) },
		{ "reminded", real((double)c->reminded) }, { "batch", real((double)c->batch) },
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_is(name, all[i].name))
			return all[i].v;
	return nothing;
}

static struct expr_value of_row(const struct row *row, const struct expr_name *n, struct str column)
{
	struct value common;
	const struct field *f = n->n == SOURCE_FIELD ? n->p : NULL;
	return f ? flow_field_value(f, row_slot(f, row, &common)) : common_value(&row->c, column, n->kind);
}

// ---- one step further --------------------------------------------------------------------------
static const struct row *record(struct scene *s, const struct type *t, int64_t id)
{
	for (size_t i = 0; i < s->nsteps; i++)
		if (s->steps[i].t == t && s->steps[i].id == id)
			return s->steps[i].there ? &s->steps[i].row : NULL;
	if (!t || id <= 0 || !s->db)
		return NULL;
	size_t k = s->nsteps < STEPS ? s->nsteps++ : STEPS - 1;
	s->steps[k].t = t;
	s->steps[k].id = id;
	s->steps[k].there = records_get(s->db, &t->table, NULL, id, s->a, &s->steps[k].row) == OK;
	return s->steps[k].there ? &s->steps[k].row : NULL;
}

// What stands behind the dot of an origin.
static struct expr_value of_origin(struct scene *s, const struct expr_slot *slot)
{
	struct value common;
	const struct type *t;
	int64_t id;
	const struct value *v = row_slot(slot->of.p, s->row, &common);
	if (v->kind != VAL_TEXT || !origin_parse(s->reg, v->s, &t, &id))
		return nothing;
	if (slot->name.n == SOURCE_ORIGIN_TYPE)
		return text(EXPR_MENU, t->name);
	const struct row *row = record(s, t, id);
	return row ? of_row(row, &slot->name, slot_column(slot)) : nothing;
}

static const struct type *leads_to(const struct scene *s, const struct expr_slot *slot)
{
	const struct field *f = slot->of.n == SOURCE_FIELD ? slot->of.p : NULL;
	struct str first = slot->text;
	if (f)
		return registry_type(s->reg, f->to);
	first = str_cut(&first, '.');
	bool enterprise = slot->of.n == SOURCE_MY_ENTERPRISE || str_is(first, "enterprise");
	return registry_type(s->reg, enterprise ? STR("enterprise") : STR("person"));
}

static struct expr_value own_value(struct scene *s, const struct expr_name *n, struct str name)
{
	if (n->n == SOURCE_ME)
		return ref_or_nothing(s->by->person);
	return n->n == SOURCE_MY_ENTERPRISE ? ref_or_nothing(s->by->scope.enterprise) : of_row(s->row, n, name);
}

static struct expr_value drawn(struct scene *s, const struct draw *d)
{
	struct value common;
	const struct common *c = &s->row->c;
	int64_t id = str_is(d->via, "enterprise") ? c->enterprise : str_is(d->via, "created_by") ? c->created_by : c->changed_by;
	if (d->ref)
		id = row_slot(d->ref, s->row, &common)->kind == VAL_INT ? row_slot(d->ref, s->row, &common)->i : 0;
	const struct row *row = d->field ? record(s, d->to, id) : NULL;
	return row ? flow_field_value(d->field, row_slot(d->field, row, &common)) : nothing;
}

// ---- what refers to the record -----------------------------------------------------------------
static void add_filter(struct condition *c, struct str column, enum filter_op op, struct value v, struct arena *a)
{
	struct value *copy = arena_one(a, struct value);
	*copy = v;
	((struct condition *)(uintptr_t)c->subs)[c->nsubs++] = (struct condition){
		.op = COND_FILTER, .filter = { .column = column, .op = op, .vals = copy, .nvals = 1 }, .other = STR_EMPTY };
}

// states: only those in one of them; NULL: all.
static struct expr_value linked(struct scene *s, const struct type *from, const struct filter *states)
{
	struct condition any = { .op = COND_OR, .subs = arena_many(s->a, from->nfields + 1, struct condition), .other = STR_EMPTY };
	struct aggregate *groups;
	struct problem p;
	size_t n = 0;
	struct value id = { .kind = VAL_INT, .i = s->row->c.id, .s = STR_EMPTY };
	if (!s->db || s->row->c.id <= 0)
		return real(0);
	for (size_t i = 0; i < from->nfields; i++) {
		struct filter link;
		if (field_link(&from->fields[i], s->t, s->row->c.id, s->a, &link))
			add_filter(&any, link.column, link.op, link.vals[0], s->a);
	}
	if (str_is(s->t->name, "enterprise") && from->enterprise_from.n)
		add_filter(&any, STR("enterprise"), FILTER_EQ, id, s->a);
	struct list_query lq = { .text = STR_EMPTY, .cond = &any, .filters = states, .nfilters = states && from->nstates ? 1 : 0 };
	static const struct measure count = { .op = MEASURE_COUNT, .column = { "", 0 } };
	problem_init(&p, s->a);
	if (records_aggregate(s->db, &from->table, NULL, &lq, NULL, 0, &count, 1, s->a, &groups, &n, &p) || n != 1)
		return nothing;
	return real((double)groups[0].measures[0].i);
}

static struct expr_value linked_of(struct scene *s, const struct expr_name *n)
{
	if (n->n == SOURCE_LINKED_IN) {
		const struct expr_links *l = n->p;
		struct value state = { .kind = VAL_TEXT, .s = l->state->name };
		return linked(s, l->type, &(struct filter){ .column = STR("state"), .op = FILTER_EQ, .vals = &state, .nvals = 1 });
	}
	struct filter open = type_open_states(n->p, s->a);
	return linked(s, n->p, n->n == SOURCE_LINKED_OPEN ? &open : NULL);
}

static struct expr_value matched(struct scene *s, const struct expr_match *by)
{
	struct value common;
	const struct value *own = row_slot(by->own, s->row, &common);
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	struct filter f[] = { { .column = by->of->name, .op = FILTER_EQ, .vals = own, .nvals = 1 }, type_open_states(by->type, scratch) };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = by->type->nstates && !by->ever ? 2 : 1, .limit = 1 };
	struct row *rows;
	struct problem p;
	int64_t total;
	size_t n = 0;
	if (!s->db || own->kind == VAL_NULL)
		return whole(EXPR_BOOL, false);
	problem_init(&p, scratch);
	enum err err = records_list(s->db, &by->type->table, NULL, &lq, scratch, &rows, &n, &total, &p);
	return err ? nothing : whole(EXPR_BOOL, n > 0);
}

// ---- struct expr_source ------------------------------------------------------------------------
static const struct value *rows_value(struct scene *s, const struct expr_name *n)
{
	struct value common;
	return n->n == SOURCE_FIELD ? row_slot(n->p, s->row, &common) : NULL;
}

static struct expr_value value(void *arg, const struct expr_slot *slot)
{
	struct scene *s = arg;
	const struct expr_name *n = &slot->name;
	if (slot->function.n && n->n == SOURCE_MATCHED)
		return matched(s, n->p);
	if (slot->function.n)
		return linked_of(s, n);
	if (n->n == SOURCE_DRAW)
		return drawn(s, n->p);
	if (slot->of.kind == EXPR_ORIGIN)
		return of_origin(s, slot);
	if (slot->of.kind == EXPR_REF) {
		struct str first = slot->text;
		struct expr_value ref = own_value(s, &slot->of, str_cut(&first, '.'));
		const struct row *row = ref.kind == EXPR_REF ? record(s, leads_to(s, slot), ref.i) : NULL;
		return row ? of_row(row, n, slot_column(slot)) : nothing;
	}
	const struct expr_name *table = slot->of.kind == EXPR_ROWS ? &slot->of : n;
	if (table->kind == EXPR_ROWS) {
		const struct value *v = rows_value(s, table);
		json_t *rows = v ? table_of(s, table->p, v) : NULL;
		return whole(EXPR_ROWS, (int64_t)json_array_size(rows));
	}
	return own_value(s, n, slot->text);
}

static struct expr_value cell(void *arg, const struct expr_slot *slot, size_t row)
{
	struct scene *s = arg;
	const struct field *column = slot->name.p;
	const struct value *v = rows_value(s, &slot->of);
	json_t *rows = v ? table_of(s, slot->of.p, v) : NULL;
	return cell_value(column, json_object_get(json_array_get(rows, row), arena_cstr(s->a, column->name)));
}

static int64_t workday(void *arg, int64_t day, int64_t n)
{
	struct scene *s = arg;
	return workday_step(s->reg->workdays, day, (int)MAX(MIN(n, 10000), -10000));
}

struct expr_value flow_eval(struct db *db, const struct registry *reg, const struct type *t, const struct expr *e,
                            const struct row *row, const struct identity *by, struct arena *a, bool *ret_missed)
{
	struct scene s = { .db = db, .reg = reg, .t = t, .row = row, .by = by, .a = a };
	struct expr_source src = { .arg = &s, .now = clock_now(), .zone = time_zone(), .value = value, .cell = cell,
		                   .workday = workday, .arena = a };
	struct expr_value v = expr_eval(e, &src);
	for (size_t i = 0; i < s.ntables; i++)
		json_decref(s.tables[i].rows);
	if (ret_missed)
		*ret_missed = src.missed;
	return v;
}

bool flow_holds(struct db *db, const struct registry *reg, const struct type *t, const struct expr *e, const struct row *row,
                const struct identity *by, struct arena *a)
{
	struct expr_value v = flow_eval(db, reg, t, e, row, by, a, NULL);
	return v.kind == EXPR_BOOL && v.i;
}

// ---- and back ----------------------------------------------------------------------------------
struct value flow_store_value(const struct field *f, struct expr_value v, struct arena *a)
{
	struct value none = { .kind = VAL_NULL, .s = STR_EMPTY };
	double scale = f->decimals >= 0 ? pow(10, f->decimals) : 0;
	switch ((int)v.kind) {
	case EXPR_NUMBER:
		if (f->kind == FIELD_MONEY)
			return fabs(v.f) <= 1e13 ? (struct value){ .kind = VAL_INT, .i = llround(v.f * 100), .s = STR_EMPTY } : none;
		return (struct value){ .kind = VAL_REAL, .f = scale > 0 ? round(v.f * scale) / scale : v.f, .s = STR_EMPTY };
	case EXPR_DATE: return (struct value){ .kind = VAL_TEXT, .s = expr_day_text(v.i, a) };
	case EXPR_BOOL:
	case EXPR_TIME:
	case EXPR_REF: return (struct value){ .kind = VAL_INT, .i = v.i, .s = STR_EMPTY };
	case EXPR_TEXT:
	case EXPR_MENU:
	case EXPR_MENUS: return v.s.n ? (struct value){ .kind = VAL_TEXT, .s = arena_str(a, v.s) } : none;
	default: return none;
	}
}

struct row draft_row(const struct draft *d, const struct common *c)
{
	struct row row = { .c = *c, .vals = d->vals };
	const struct field *title = type_field(d->t, d->t->title), *area = type_field(d->t, STR("area"));
	const struct field *enterprise = type_field(d->t, STR("enterprise")), *sector = type_field(d->t, STR("sector"));
	const struct value *t = title ? draft_slot((struct draft *)(uintptr_t)d, title) : NULL;
	if (t)
		row.c.title = t->kind == VAL_TEXT ? t->s : STR_EMPTY;
	if (area && area->ncols == 0)
		row.c.area = d->area.kind == VAL_TEXT ? d->area.s : STR_EMPTY;
	if (enterprise && enterprise->ncols == 0)
		row.c.enterprise = d->enterprise.kind == VAL_INT ? d->enterprise.i : 0;
	if (sector && sector->ncols == 0)
		row.c.sector = d->sector.kind == VAL_TEXT ? d->sector.s : STR_EMPTY;
	return row;
}
