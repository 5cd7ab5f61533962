// GET /api/v1/late: what is past its deadline in the caller's county, and on whom it waits.
#include <stdlib.h>

#include "api/api.h"
#include "base/time.h"

#define ENTERPRISES 10

struct tally { struct str code; int64_t id, n; };
struct tallies { struct tally *v; size_t n, cap; };

static void add(struct call *c, struct tallies *t, struct str code, int64_t id, int64_t n)
{
	size_t i = 0;
	while (i < t->n && !(t->v[i].id == id && str_eq(t->v[i].code, code)))
		i++;
	if (i == t->n) {
		t->v = arena_push(c->arena, t->v, &t->n, &t->cap, sizeof *t->v);
		t->v[i] = (struct tally){ code, id, 0 };
	}
	t->v[i].n += n;
}

static int most_first(const void *x, const void *y)
{
	const struct tally *a = x, *b = y;
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return a->id != b->id ? (a->id > b->id) - (a->id < b->id) : str_cmp(a->code, b->code);
}

static void write_who(struct call *c, const struct late *v)
{
	struct waiter w;
	jw_karr(&c->w, "who");
	for (size_t i = 0; i < v->state->nwho; i++) {
		if (!flow_waiter(c->reg, v->type, v->state->who[i], &w))
			continue;
		if (w.role || w.field)
			jw_str(&c->w, label_text(c, w.role ? w.role->label : w.field->label));
		else
			jw_cstr(&c->w, call_is_en(c) ? "Who entered it" : "登记人");
	}
	jw_end(&c->w);
}

// Groups of one type and state stand together.
static void write_item(struct call *c, const struct late *v, size_t n)
{
	int64_t count = 0, oldest = v->oldest;
	for (size_t i = 0; i < n; i++) {
		count += v[i].n;
		oldest = MIN(oldest, v[i].oldest);
	}
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", v->type->name);
	jw_klabel(&c->w, "type_label", v->type->label);
	jw_kstr(&c->w, "state", v->state->name);
	jw_klabel(&c->w, "state_label", v->state->label);
	write_who(c, v);
	jw_kbool(&c->w, "enterprise", flow_waits_on_enterprise(c->reg, v->type, v->state));
	jw_ki64(&c->w, "n", count);
	jw_ktime(&c->w, "oldest", oldest);
	jw_end(&c->w);
}

static void write_items(struct call *c, const struct late *v, size_t n)
{
	jw_karr(&c->w, "items");
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && v[k].type == v[i].type && v[k].state == v[i].state; k++)
			;
		write_item(c, &v[i], k - i);
	}
	jw_end(&c->w);
}

static void write_areas(struct call *c, struct tallies *t)
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof *t->v, most_first);
	jw_karr(&c->w, "areas");
	for (size_t i = 0; i < t->n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "code", t->v[i].code);
		jw_ki64(&c->w, "n", t->v[i].n);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

static enum err write_enterprises(struct call *c, struct tallies *t)
{
	const struct type *firm = registry_type(c->reg, STR("enterprise"));
	enum err err = OK;
	if (t->n > 1)
		qsort(t->v, t->n, sizeof *t->v, most_first);
	jw_karr(&c->w, "enterprises");
	for (size_t i = 0; !err && firm && i < MIN(t->n, (size_t)ENTERPRISES); i++) {
		struct row row;
		err = records_get(call_db(c), &firm->table, NULL, t->v[i].id, c->arena, &row);
		if (err)
			break;
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", t->v[i].id);
		jw_kstr(&c->w, "title", row.c.title);
		jw_ki64(&c->w, "n", t->v[i].n);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return err;
}

enum err late_get(struct call *c)
{
	struct tallies areas = { 0 }, firms = { 0 };
	struct late *v;
	struct late_enterprise *e;
	size_t n, ne;
	int64_t total = 0, enterprise = 0, now = clock_now();
	enum err err = flow_late(call_db(c), c->reg, &c->id, now, c->arena, &v, &n, &c->p);
	if (!err)
		err = flow_late_enterprises(call_db(c), c->reg, &c->id, now, c->arena, &e, &ne, &c->p);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		total += v[i].n;
		enterprise += flow_waits_on_enterprise(c->reg, v[i].type, v[i].state) ? v[i].n : 0;
		if (v[i].area.n)
			add(c, &areas, v[i].area, 0, v[i].n);
	}
	for (size_t i = 0; i < ne; i++)
		add(c, &firms, STR_EMPTY, e[i].enterprise, e[i].n);
	jw_obj(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "enterprise", enterprise);
	write_items(c, v, n);
	write_areas(c, &areas);
	err = write_enterprises(c, &firms);
	jw_end(&c->w);
	return err;
}
