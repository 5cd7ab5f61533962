// The description of a record type that the pages draw forms, lists and state diagrams from. Labels are in the caller's
// language. Pure; any thread.
#include "flow/draft.h"

static struct str in(const struct identity *by, struct label l)
{
	return str_is(by->lang, "en") ? l.en : l.zh;
}

static void names_json(struct jw *w, const char *key, const struct str *names, size_t n)
{
	jw_karr(w, key);
	for (size_t i = 0; i < n; i++)
		jw_str(w, names[i]);
	jw_end(w);
}

static void items_json(struct jw *w, const struct menu *m, const struct identity *by)
{
	jw_karr(w, "items");
	for (size_t i = 0; i < m->nitems; i++) {
		jw_obj(w);
		jw_kstr(w, "value", m->items[i].value);
		jw_kstr(w, "label", in(by, m->items[i].label));
		if (m->items[i].color.n)
			jw_kstr(w, "color", m->items[i].color);
		jw_end(w);
	}
	jw_end(w);
}

static void bounds_json(struct jw *w, const struct field *f)
{
	if (f->has_min)
		jw_kf64(w, "min", f->min);
	if (f->has_max)
		jw_kf64(w, "max", f->max);
	if (f->kind == FIELD_NUMBER && f->decimals >= 0)
		jw_ki64(w, "decimals", f->decimals);
}

static void field_json(struct jw *w, const struct field *f, const struct identity *by)
{
	jw_obj(w);
	jw_kstr(w, "name", f->name);
	jw_kcstr(w, "is", field_kind_name(f->kind));
	jw_kstr(w, "label", in(by, f->label));
	jw_kstr(w, "help", in(by, f->help));
	jw_kstr(w, "group", f->group);
	jw_kbool(w, "need", f->need);
	jw_kbool(w, "readonly", f->readonly);
	jw_kbool(w, "search", f->search);
	jw_kbool(w, "expert", f->expert);
	jw_kbool(w, "unique", f->unique);
	jw_kstr(w, "unit", in(by, f->unit));
	jw_kbool(w, "lines", f->lines);
	bounds_json(w, f);
	if (f->menu)
		items_json(w, f->menu, by);
	if (f->kind == FIELD_REF)
		jw_kstr(w, "to", f->to);
	jw_kbool(w, "masked", f->kind == FIELD_PHONE && !auth_sees_masked(by, f));
	jw_kstr(w, "default", f->fallback);
	jw_end(w);
}

static void states_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "states");
	for (size_t i = 0; i < t->nstates; i++) {
		const struct state *s = &t->states[i];
		jw_obj(w);
		jw_kstr(w, "name", s->name);
		jw_kstr(w, "label", in(by, s->label));
		jw_kstr(w, "color", s->color);
		jw_kbool(w, "end", s->end);
		names_json(w, "who", s->who, s->nwho);
		jw_end(w);
	}
	jw_end(w);
}

static void field_names_json(struct jw *w, const char *key, const struct field **fields, size_t n)
{
	jw_karr(w, key);
	for (size_t i = 0; i < n; i++)
		jw_str(w, fields[i]->name);
	jw_end(w);
}

static void moves_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "moves");
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct move *m = &t->moves[i];
		jw_obj(w);
		jw_kstr(w, "name", m->name);
		jw_kstr(w, "label", in(by, m->label));
		jw_karr(w, "from");
		for (size_t k = 0; k < m->nfrom; k++)
			jw_str(w, m->from[k]->name);
		jw_end(w);
		jw_kstr(w, "to", m->to->name);
		names_json(w, "who", m->who, m->nwho);
		field_names_json(w, "needs", m->needs, m->nneeds);
		field_names_json(w, "asks", m->asks, m->nasks);
		jw_kbool(w, "reason", m->reason);
		jw_kbool(w, "sign", m->sign);
		jw_end(w);
	}
	jw_end(w);
}

static void filter_json(struct jw *w, const struct filter *f)
{
	jw_key_str(w, f->column);
	jw_arr(w);
	for (size_t i = 0; i < f->nvals; i++) {
		const struct value *v = &f->vals[i];
		if (v->kind == VAL_TEXT)
			jw_str(w, v->s);
		else if (v->kind == VAL_INT)
			jw_i64(w, v->i);
		else
			jw_f64(w, v->f);
	}
	jw_end(w);
}

// As in ?sort= : "-level" from the highest down.
static void order_json(struct jw *w, const struct listing *l)
{
	jw_karr(w, "order");
	for (size_t i = 0; i < l->nsorts; i++) {
		bool down = l->sorts[i].nranks ? !l->sorts[i].descending : l->sorts[i].descending;
		char text[64];
		size_t n = MIN(l->sorts[i].column.n, sizeof text - 1);
		text[0] = '-';
		memcpy(text + 1, l->sorts[i].column.p, n);
		jw_str(w, down ? str_from(text, n + 1) : l->sorts[i].column);
	}
	jw_end(w);
}

static void lists_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "lists");
	for (size_t i = 0; i < t->nlists; i++) {
		const struct listing *l = &t->lists[i];
		jw_obj(w);
		jw_kstr(w, "name", l->name);
		jw_kstr(w, "label", in(by, l->label));
		names_json(w, "show", l->show, l->nshow);
		jw_kbool(w, "open", l->open_only);
		jw_kobj(w, "where");
		for (size_t k = 0; k < l->nfilters; k++)
			filter_json(w, &l->filters[k]);
		jw_end(w);
		order_json(w, l);
		jw_end(w);
	}
	jw_end(w);
}

static void can_json(struct jw *w, const struct type *t, const struct identity *by, bool full)
{
	jw_karr(w, "can");
	if (auth_may_create(by, t))
		jw_cstr(w, "create");
	if (auth_may_read(by, t))
		jw_cstr(w, "read");
	if (full && auth_may_edit(by, t))
		jw_cstr(w, "edit");
	if (full && auth_may_retire(by, t))
		jw_cstr(w, "retire");
	if (full && auth_may_read(by, t)) // what one may read one may take home; the export is in the audit
		jw_cstr(w, "export");
	jw_end(w);
}

static void parts_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "groups");
	for (size_t i = 0; i < t->ngroups; i++) {
		jw_obj(w);
		jw_kstr(w, "name", t->groups[i].name);
		jw_kstr(w, "label", in(by, t->groups[i].label));
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "fields");
	for (size_t i = 0; i < t->nfields; i++)
		field_json(w, &t->fields[i], by);
	jw_end(w);
	states_json(w, t, by);
	moves_json(w, t, by);
	lists_json(w, t, by);
}

void type_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by, bool full)
{
	(void)reg;
	jw_obj(w);
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "label", in(by, t->label));
	jw_kstr(w, "pack", t->pack);
	jw_kstr(w, "icon", t->icon);
	if (full) {
		jw_kstr(w, "about", in(by, t->about));
		jw_kstr(w, "number", t->number);
		jw_kstr(w, "title", t->title);
		jw_kstr(w, "geometry", t->geometry);
		parts_json(w, t, by);
	} else {
		jw_kbool(w, "states", t->nstates > 0);
	}
	can_json(w, t, by, full);
	jw_end(w);
}
