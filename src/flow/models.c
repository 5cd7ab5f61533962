// Fields that a model of risk/ computes (models: of a type): what the model takes is written as its inputs, what it says goes
// into the fields. The data tables are those of the process. Called by conform.c before a row is stored; one thread.
#include "base/limits.h"
#include "flow/draft.h"
#include "risk/risk.h"

static const struct risk_tables *tables; // set once at start-up, before any change

void flow_tables(const struct risk_tables *t) { tables = t; }

static const struct value none = { .kind = VAL_NULL, .s = { "", 0 } };

// ---- inputs ------------------------------------------------------------------------------------
static void rows_json(struct jw *w, const struct model_use *u, const struct value *v, struct arena *a)
{
	json_t *rows = value_rows(v);
	jw_arr(w);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		jw_obj(w);
		for (size_t k = 0; k < u->ncolumns; k++) {
			const json_t *cell = json_object_get(json_array_get(rows, i), arena_cstr(a, u->columns[k].column->name));
			if (!cell || json_is_null(cell))
				continue;
			jw_key(w, u->columns[k].in->name);
			value_cell_json(w, u->columns[k].column, cell, false, a);
		}
		jw_end(w);
	}
	jw_end(w);
	json_decref(rows);
}

// False: an input that the model needs has no value yet.
static bool inputs_json(struct jw *w, struct draft *d, const struct model_use *u, struct arena *a)
{
	jw_obj(w);
	for (size_t i = 0; i < u->ntakes; i++) {
		const struct value *v = draft_slot(d, u->takes[i].field);
		if (v->kind == VAL_NULL && !u->takes[i].in->opt)
			return false;
		if (v->kind == VAL_NULL)
			continue;
		jw_key(w, u->takes[i].in->name);
		if (u->takes[i].in->kind == RISK_ROWS)
			rows_json(w, u, v, a);
		else
			value_json(w, u->takes[i].field, v, false, a);
	}
	jw_end(w);
	return true;
}

// ---- outputs -----------------------------------------------------------------------------------
// An item by its value or Chinese label, or by its colour as the tables name it: 一级, 红.
static struct str item_for(const struct menu *m, struct str said)
{
	static const struct { const char *zh, *color; } colours[] = {
		{ "红", "red" }, { "橙", "orange" }, { "黄", "yellow" }, { "蓝", "blue" }, { "绿", "green" },
	};
	const char *color = NULL;
	for (size_t i = 0; i < ARRAY_LEN(colours); i++)
		color = str_is(said, colours[i].zh) ? colours[i].color : color;
	for (size_t i = 0; i < m->nitems; i++)
		if (str_eq(m->items[i].value, said) || str_eq(m->items[i].label.zh, said) || (color && str_is(m->items[i].color, color)))
			return m->items[i].value;
	return STR_EMPTY;
}

static struct value text_value(struct str s, struct arena *a)
{
	return s.n ? (struct value){ .kind = VAL_TEXT, .s = arena_str(a, str_first(s, LIMIT_TEXT_FIELD)) } : none;
}

static struct value lines_value(const struct risk_result *res, struct arena *a)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < res->n && all.n < LIMIT_TEXT_FIELD; i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_FMT(all), all.n ? "\n" : "", STR_FMT(res->texts[i]));
	return text_value(all, a);
}

static struct value output(const struct risk_run *r, const struct model_give *g, struct arena *a)
{
	const struct risk_result *res = NULL;
	for (size_t i = 0; i < r->n; i++)
		if (r->results[i].out == g->out)
			res = &r->results[i];
	if (!res)
		return none;
	if (res->kind == RISK_NUM && g->field->kind == FIELD_NUMBER && isfinite(res->num))
		return flow_store_value(g->field, (struct expr_value){ .kind = EXPR_NUMBER, .f = res->num }, a);
	if (res->kind == RISK_ROWS && g->field->kind == FIELD_TEXT)
		return lines_value(res, a);
	if (res->kind == RISK_TEXT && g->field->kind == FIELD_MENU)
		return text_value(item_for(g->field->menu, res->text), a);
	return res->kind == RISK_TEXT && g->field->kind == FIELD_TEXT ? text_value(res->text, a) : none;
}

// ---- the run -----------------------------------------------------------------------------------
// The field of the type that the model's input comes from.
static const struct field *source_of(const struct model_use *u, struct str input)
{
	for (size_t i = 0; i < u->ntakes; i++)
		if (str_starts(input, str_of(u->takes[i].in->name)))
			return u->takes[i].field;
	return u->ntakes ? u->takes[0].field : NULL;
}

static enum err refused(const struct model_use *u, const struct problem *why, struct problem *p)
{
	const struct field *f = source_of(u, why->field);
	if (!p || p->err)
		return why->err;
	problem_set(p, ERR_INVALID, f ? arena_str(p->arena, f->name).p : "", "%.*s", "%.*s", STR_FMT(why->zh));
	p->en = arena_printf(p->arena, "%.*s: %.*s", STR_FMT(f ? f->label.en : STR_EMPTY), STR_FMT(why->en));
	p->zh = arena_printf(p->arena, "%.*s：%.*s", STR_FMT(f ? f->label.zh : STR_EMPTY), STR_FMT(why->zh));
	return p->err;
}

enum err model_fill(struct draft *d, const struct model_use *u, bool *ret_changed, struct arena *a, struct problem *p)
{
	struct problem inner;
	struct buf b;
	struct jw w;
	struct risk_run *r = arena_one(a, struct risk_run);
	problem_init(&inner, a);
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	*r = (struct risk_run){ .model = u->model, .tables = tables, .arena = a, .problem = &inner };
	bool whole = inputs_json(&w, d, u, a);
	if (whole && jw_done(&w) && risk_read(r, arena_str(a, buf_str(&b))) == OK)
		u->model->run(r);
	buf_free(&b);
	for (size_t i = 0; i < u->ngives; i++) {
		struct value *slot = draft_slot(d, u->gives[i].field);
		struct value now = whole && !inner.err ? output(r, &u->gives[i], a) : none;
		*ret_changed |= !value_same(*slot, now);
		*slot = now;
	}
	return inner.err ? refused(u, &inner, p) : OK;
}
