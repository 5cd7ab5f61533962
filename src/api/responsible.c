// GET /responsible/:id: who answers for an enterprise, found at once: the grid, village, town, county, city, the department of its
// sector, the comprehensive one, and its own people; and which of these nobody holds. From the lists of duties in force
// (duty_list), the grid and the key persons. What is said of officials is what a list of duties publishes: name, post, office
// phone; so an enterprise sees who supervises it though the lists themselves are not its records.
#include <stdlib.h>

#include "api/api.h"
#include "model/held.h"

struct holder {
	struct row row;
	size_t digits;          // of the area: the longer, the nearer
	size_t rank;            // of the role in its menu
};

struct chain {
	struct call *c;
	const struct type *lists, *enterprise;
	struct row row;
	struct holder *v;
	size_t n, cap;
};

static size_t rank_of(const struct type *t, struct str role)
{
	const struct menu *m = type_field(t, STR("role"))->menu;
	for (size_t i = 0; i < m->nitems; i++)
		if (str_eq(m->items[i].value, role))
			return i;
	return m->nitems;
}

static enum err on_list(void *arg, const struct row *row)
{
	struct chain *g = arg;
	struct str sectors = held_text(g->lists, row, "sectors"), prefix = area_prefix(row->c.area);
	if (!str_is(row->c.state, "in_force") || !str_starts(g->row.c.area, prefix))
		return OK;
	if (sectors.n && !str_contains(sectors, arena_printf(g->c->arena, ",%.*s,", STR_FMT(g->row.c.sector))))
		return OK;
	g->v = arena_push(g->c->arena, g->v, &g->n, &g->cap, sizeof *g->v);
	g->v[g->n - 1] = (struct holder){ .digits = prefix.n, .rank = rank_of(g->lists, held_text(g->lists, row, "role")) };
	return records_get(call_db(g->c), &g->lists->table, NULL, row->c.id, g->c->arena, &g->v[g->n - 1].row);
}

static int nearest_first(const void *x, const void *y)
{
	const struct holder *a = x, *b = y;
	if (a->digits != b->digits)
		return a->digits < b->digits ? 1 : -1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->row.c.id > b->row.c.id) - (a->row.c.id < b->row.c.id);
}

// The record that a field refers to: its title and one field of it.
static void referred_json(struct chain *g, const struct type *t, const struct row *row, const char *field, const char *more)
{
	const struct value *v = held(t, row, field);
	const struct field *f = type_field(t, str_of(field));
	const struct type *to = f ? registry_type(g->c->reg, f->to) : NULL;
	struct jw *w = &g->c->w;
	struct row other;
	if (!to || v->kind != VAL_INT || records_get(call_db(g->c), &to->table, NULL, v->i, g->c->arena, &other))
		return;
	jw_kstr(w, field, other.c.title);
	jw_kstr(w, more, held_text(to, &other, more));
}

static void holder_json(struct chain *g, const struct holder *h)
{
	struct call *c = g->c;
	struct jw *w = &c->w;
	const struct menu_item *role = menu_item(type_field(g->lists, STR("role"))->menu, held_text(g->lists, &h->row, "role"));
	jw_obj(w);
	jw_ki64(w, "id", h->row.c.id);
	jw_kstr(w, "number", h->row.c.number);
	jw_kstr(w, "area", h->row.c.area);
	jw_kstr(w, "role", role ? role->value : STR_EMPTY);
	jw_kstr(w, "role_label", role ? label_text(c, role->label) : STR_EMPTY);
	referred_json(g, g->lists, &h->row, "person", "post");
	referred_json(g, g->lists, &h->row, "organisation", "duty_phone");
	jw_kstr(w, "phone", held_text(g->lists, &h->row, "phone"));
	jw_end(w);
}

// A role that must be held for every enterprise and is not.
static void missing_json(struct chain *g)
{
	struct jw *w = &g->c->w;
	const struct menu *m = type_field(g->lists, STR("role"))->menu;
	jw_karr(w, "missing");
	for (size_t i = 0; i < m->nitems; i++) {
		bool there = false;
		for (size_t k = 0; k < g->n; k++)
			there |= g->v[k].rank == i;
		if (!there)
			jw_str(w, label_text(g->c, m->items[i].label));
	}
	jw_end(w);
}

static void grid_json(struct chain *g)
{
	struct jw *w = &g->c->w;
	const struct value *v = held(g->enterprise, &g->row, "grid");
	const struct type *t = registry_type(g->c->reg, STR("grid"));
	struct row row;
	if (!t || v->kind != VAL_INT || records_get(call_db(g->c), &t->table, NULL, v->i, g->c->arena, &row))
		return;
	jw_kobj(w, "grid");
	jw_kstr(w, "title", row.c.title);
	referred_json(g, t, &row, "leader", "post");
	jw_end(w);
}

static enum err own_json(struct chain *g)
{
	struct jw *w = &g->c->w;
	const struct type *t = registry_type(g->c->reg, STR("key_person"));
	const struct field *role = t ? type_field(t, STR("role")) : NULL;
	struct value id = { .kind = VAL_INT, .i = g->row.c.id, .s = STR_EMPTY };
	struct filter f = { .column = STR("enterprise"), .op = FILTER_EQ, .vals = &id, .nvals = 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .limit = 20 };
	struct row *rows;
	size_t n = 0;
	int64_t total;
	jw_karr(w, "own");
	enum err err = t && role && role->menu ? records_list(call_db(g->c), &t->table, NULL, &lq, g->c->arena, &rows, &n, &total, &g->c->p) : OK;
	for (size_t i = 0; !err && i < n; i++) {
		const struct menu_item *item = menu_item(role->menu, held_text(t, &rows[i], "role"));
		jw_obj(w);
		jw_ki64(w, "id", rows[i].c.id);
		jw_kstr(w, "person", rows[i].c.title);
		jw_kstr(w, "role_label", item ? label_text(g->c, item->label) : STR_EMPTY);
		jw_end(w);
	}
	jw_end(w);
	return err;
}

enum err responsible_get(struct call *c)
{
	struct chain g = { .c = c, .lists = registry_type(c->reg, STR("duty_list")), .enterprise = registry_type(c->reg, STR("enterprise")) };
	int64_t id;
	if (!g.lists || !g.enterprise || !auth_may_read(&c->id, g.enterprise))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有责任清单，或无权查看", "there are no lists of duties, or they are not yours to see");
	enum err err = param_id(c, 0, &id);
	struct scope scope = auth_scope(&c->id, g.enterprise);
	if (!err)
		err = records_get(call_db(c), &g.enterprise->table, &scope, id, c->arena, &g.row);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这家企业，或不在您的管辖范围", "no such enterprise, or outside your scope");
	struct list_query all = { .limit = SIZE_MAX };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	if (!err)
		err = records_each(call_db(c), &g.lists->table, &all, scratch, on_list, &g);
	if (err)
		return err;
	if (g.n)
		qsort(g.v, g.n, sizeof *g.v, nearest_first);
	jw_obj(&c->w);
	jw_kstr(&c->w, "title", g.row.c.title);
	grid_json(&g);
	jw_karr(&c->w, "chain");
	for (size_t i = 0; i < g.n; i++)
		holder_json(&g, &g.v[i]);
	jw_end(&c->w);
	missing_json(&g);
	err = own_json(&g);
	jw_end(&c->w);
	return err;
}
