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
		if (m->items[i].help.zh.n)
			jw_kstr(w, "help", in(by, m->items[i].help));
		if (m->items[i].parent.n)
			jw_kstr(w, "parent", m->items[i].parent);
		if (m->items[i].ended.n)
			jw_kstr(w, "ended", m->items[i].ended);
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

// {"js": the tree as in packs/README.md, "words": the sentence}, for the page to evaluate and to show.
static void expr_key(struct jw *w, const char *key, const struct expr *e, const struct identity *by)
{
	if (!e)
		return;
	struct arena *a = arena_new(0);
	jw_kobj(w, key);
	jw_key(w, "js");
	expr_json(w, e);
	jw_kstr(w, "words", expr_words(e, !str_is(by->lang, "en"), a));
	jw_end(w);
	arena_free(a);
}

static void fields_json(struct jw *w, const char *key, const struct field *fields, size_t n, const struct identity *by);

static void kind_json(struct jw *w, const struct field *f, const struct identity *by)
{
	static const char *const shapes[] = { "", "point", "line", "area" };
	if (f->menu)
		items_json(w, f->menu, by);
	if (f->kind == FIELD_REF || f->kind == FIELD_REFS)
		jw_kstr(w, "to", f->to);
	if (f->kind == FIELD_ORIGIN) {
		jw_karr(w, "from");
		for (size_t i = 0; i < f->nfrom; i++)
			if (auth_may_read(by, f->from[i]))
				jw_str(w, f->from[i]->name);
		jw_end(w);
	}
	if (f->naccept)
		names_json(w, "accept", f->accept, f->naccept);
	if (f->kind == FIELD_PHOTOS)
		jw_kbool(w, "where", f->where);
	if (f->shape)
		jw_kcstr(w, "shape", shapes[f->shape]);
	if (f->kind == FIELD_SHEET)
		jw_kstr(w, "of", f->assessment);
	if (f->kind == FIELD_ROWS)
		fields_json(w, "columns", f->columns, f->ncolumns, by);
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
	jw_kbool(w, "readonly", f->readonly || !auth_may_edit_field(by, f));
	jw_kbool(w, "search", f->search);
	jw_kbool(w, "expert", f->expert);
	jw_kbool(w, "unique", f->unique);
	jw_kstr(w, "unit", in(by, f->unit));
	jw_kbool(w, "lines", f->lines);
	bounds_json(w, f);
	kind_json(w, f, by);
	expr_key(w, "need_if", f->need_if, by);
	expr_key(w, "when", f->when, by);
	expr_key(w, "compute", f->compute, by);
	jw_kbool(w, "personal", f->personal);
	jw_kbool(w, "masked", f->personal && !auth_sees_masked(by, f));
	jw_kstr(w, "default", f->fallback);
	jw_end(w);
}

static void field_names_json(struct jw *w, const char *key, const struct field **fields, size_t n)
{
	jw_karr(w, key);
	for (size_t i = 0; i < n; i++)
		jw_str(w, fields[i]->name);
	jw_end(w);
}

// Shown, never asked: it stands in the record that "draw" names.
static void draw_json(struct jw *w, const struct draw *d, const struct identity *by)
{
	jw_obj(w);
	jw_kstr(w, "name", d->name);
	jw_kcstr(w, "is", field_kind_name(d->field->kind));
	jw_kstr(w, "label", in(by, d->label));
	jw_kstr(w, "help", in(by, d->help));
	jw_kstr(w, "group", d->group);
	jw_kbool(w, "need", false);
	jw_kbool(w, "readonly", true);
	jw_kbool(w, "search", false);
	jw_kbool(w, "expert", d->expert);
	jw_kbool(w, "unique", false);
	jw_kstr(w, "unit", in(by, d->field->unit));
	jw_kbool(w, "lines", d->field->lines);
	bounds_json(w, d->field);
	kind_json(w, d->field, by);
	jw_kstr(w, "draw", d->via);
	jw_kstr(w, "draw_field", d->field->name);
	jw_kbool(w, "personal", d->field->personal);
	jw_kbool(w, "masked", d->field->personal && !auth_sees_masked(by, d->field));
	jw_kstr(w, "default", STR_EMPTY);
	jw_end(w);
}

static void fields_json(struct jw *w, const char *key, const struct field *fields, size_t n, const struct identity *by)
{
	jw_karr(w, key);
	for (size_t i = 0; i < n; i++)
		field_json(w, &fields[i], by);
	jw_end(w);
}

static void draws_at(struct jw *w, const struct type *t, size_t before, const struct identity *by)
{
	for (size_t i = 0; i < t->ndraws; i++)
		if (t->draws[i].before == before && t->draws[i].field && auth_may_read_field(by, t->draws[i].field))
			draw_json(w, &t->draws[i], by);
}

static void all_fields_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "fields");
	for (size_t i = 0; i <= t->nfields; i++) {
		draws_at(w, t, i, by);
		if (i < t->nfields && auth_may_read_field(by, &t->fields[i]))
			field_json(w, &t->fields[i], by);
	}
	jw_end(w);
}

static void checks_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "checks");
	for (size_t i = 0; i < t->nchecks; i++) {
		jw_obj(w);
		jw_kstr(w, "name", t->checks[i].name);
		expr_key(w, "that", t->checks[i].that, by);
		jw_kstr(w, "say", in(by, t->checks[i].say));
		jw_kstr(w, "at", t->checks[i].at ? t->checks[i].at->name : STR_EMPTY);
		jw_end(w);
	}
	jw_end(w);
}

// Who a state waits for, to be shown: a role in words, or the field whose person, people or organisation it is.
static void waits_json(struct jw *w, const struct registry *reg, const struct type *t, const struct state *s, const struct identity *by)
{
	struct waiter who;
	jw_karr(w, "waits");
	for (size_t i = 0; i < s->nwho; i++) {
		if (!flow_waiter(reg, t, s->who[i], &who))
			continue;
		jw_obj(w);
		if (who.role)
			jw_kstr(w, "label", in(by, who.role->label));
		else
			jw_kstr(w, "field", who.field ? who.field->name : STR("created_by"));
		jw_end(w);
	}
	jw_end(w);
}

static void states_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by)
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
		waits_json(w, reg, t, s, by);
		jw_kbool(w, "withdraw", s->withdraw);
		if (s->edit_set)
			names_json(w, "edit", s->edit, s->nedit);
		if (s->nasks)
			field_names_json(w, "asks", s->asks, s->nasks);
		if (s->clock != CLOCK_OWN)
			jw_kcstr(w, "clock", s->clock == CLOCK_KEEP ? "keep" : "pause");
		jw_end(w);
	}
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
		if (m->to)
			jw_kstr(w, "to", m->to->name);
		names_json(w, "who", m->who, m->nwho);
		field_names_json(w, "needs", m->needs, m->nneeds);
		field_names_json(w, "asks", m->asks, m->nasks);
		jw_kbool(w, "reason", m->reason);
		jw_kbool(w, "sign", m->sign);
		jw_kbool(w, "back", m->back);
		jw_kcstr(w, "release", release_name(m->release));
		if (m->guard.n)
			jw_kstr(w, "say", in(by, m->say));
		jw_karr(w, "opens");
		for (size_t k = 0; k < m->nopens; k++)
			jw_str(w, m->opens[k].type->name);
		jw_end(w);
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
		expr_key(w, "if", l->where, by);
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

static void parts_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by)
{
	jw_karr(w, "groups");
	for (size_t i = 0; i < t->ngroups; i++) {
		jw_obj(w);
		jw_kstr(w, "name", t->groups[i].name);
		jw_kstr(w, "label", in(by, t->groups[i].label));
		jw_end(w);
	}
	jw_end(w);
	all_fields_json(w, t, by);
	checks_json(w, t, by);
	states_json(w, reg, t, by);
	moves_json(w, t, by);
	lists_json(w, t, by);
}

static void drawing_json(struct jw *w, const struct drawing *d)
{
	jw_kobj(w, "drawing");
	jw_kstr(w, "picture", d->picture->name);
	jw_kstr(w, "spots", d->spots->name);
	jw_kstr(w, "x", d->x->name);
	jw_kstr(w, "y", d->y->name);
	jw_kstr(w, "of", d->of->name);
	jw_kstr(w, "to", d->of->to);
	jw_kstr(w, "color", d->color->name);
	jw_end(w);
}

void type_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by, bool full)
{
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
		jw_kbool(w, "released", t->release.matrix != NULL);
		if (t->drawing.spots && auth_may_read_field(by, t->drawing.spots) && auth_may_read_field(by, t->drawing.picture))
			drawing_json(w, &t->drawing);
		parts_json(w, reg, t, by);
	} else {
		jw_kbool(w, "states", t->nstates > 0);
	}
	can_json(w, t, by, full);
	jw_end(w);
}

// ---- the public page ---------------------------------------------------------------------------
static void state_items_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_karr(w, "items");
	for (size_t i = 0; i < t->nstates; i++) {
		jw_obj(w);
		jw_kstr(w, "value", t->states[i].name);
		jw_kstr(w, "label", in(by, t->states[i].label));
		jw_kstr(w, "color", t->states[i].color);
		jw_end(w);
	}
	jw_end(w);
}

static void published_column_json(struct jw *w, const struct type *t, struct str name, const struct identity *by)
{
	static const struct { const char *name, *is; struct label label; } common[] = {
		{ "number", "text", { { "编号", 6 }, { "Number", 6 } } },       { "state", "menu", { { "状态", 6 }, { "State", 5 } } },
		{ "area", "area", { { "行政区划", 12 }, { "Area", 4 } } },      { "enterprise", "ref", { { "企业", 6 }, { "Enterprise", 10 } } },
	};
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(name, common[i].name)) {
			jw_kcstr(w, "is", common[i].is);
			jw_kstr(w, "label", in(by, common[i].label));
		}
	jw_kstr(w, "unit", STR_EMPTY);
	jw_kbool(w, "lines", false);
	if (str_is(name, "state"))
		state_items_json(w, t, by);
}

static void published_field_json(struct jw *w, const struct field *f, const struct identity *by)
{
	jw_kcstr(w, "is", field_kind_name(f->kind));
	jw_kstr(w, "label", in(by, f->label));
	jw_kstr(w, "unit", in(by, f->unit));
	jw_kbool(w, "lines", f->lines);
	bounds_json(w, f);
	kind_json(w, f, by);
}

void published_type_json(struct jw *w, const struct type *t, const struct identity *by)
{
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "label", in(by, t->label));
	jw_kstr(w, "about", in(by, t->about));
	jw_kstr(w, "title", t->title);
	jw_karr(w, "fields");
	for (size_t i = 0; i < t->publish.nshow; i++) {
		const struct shown *p = &t->publish.show[i];
		jw_obj(w);
		jw_kstr(w, "name", p->name);
		if (p->field)
			published_field_json(w, p->field, by);
		else
			published_column_json(w, t, p->name, by);
		jw_end(w);
	}
	jw_end(w);
}
