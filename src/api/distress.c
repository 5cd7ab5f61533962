// GET /api/v1/distress/:id: who is nearest to a vessel in distress (packs/water/types/ship_distress.yaml): vessels in service with the
// newest position of their terminal, rescue bases and boats where they lie. Nothing is written; who is sent is a move of the record.
#include <math.h>
#include <stdlib.h>

#include "api/mover.h"
#include "map/geo.h"
#include "model/held.h"

struct helper {
	const struct type *t;
	const struct row *row;
	double lon, lat, metres;
	int64_t at;                 // of the position; 0: it lies there
};

struct helping {
	struct call *c;
	double lon, lat;
	int64_t ship;               // which is in distress
	struct helper *v;
	size_t n, cap;
};

static int nearest_first(const void *a, const void *b)
{
	double x = ((const struct helper *)a)->metres, y = ((const struct helper *)b)->metres;
	return (x > y) - (x < y);
}

static void add(struct helping *k, struct helper h)
{
	h.metres = geo_metres(k->lon, k->lat, h.lon, h.lat);
	k->v = arena_push(k->c->arena, k->v, &k->n, &k->cap, sizeof *k->v);
	k->v[k->n - 1] = h;
}

static enum err rows_of(struct helping *k, const struct type *t, const struct filter *f, size_t n, struct row **ret, size_t *ret_n)
{
	struct list_query lq = { .filters = f, .nfilters = n, .limit = LIMIT_HELPERS };
	struct scope scope = auth_scope(&k->c->id, t);
	return records_list(call_db(k->c), &t->table, &scope, &lq, k->c->arena, ret, ret_n, NULL, &k->c->p);
}

static enum err add_ships(struct helping *k)
{
	const struct type *t = registry_type(k->c->reg, STR("ship"));
	struct value sailing = { .kind = VAL_TEXT, .s = STR("sailing") };
	const struct filter f[] = { { STR("state"), FILTER_EQ, &sailing, 1 }, { .column = STR("device"), .op = FILTER_NOT_NULL } };
	struct row *rows;
	size_t n = 0;
	enum err err = t && auth_may_read(&k->c->id, t) ? rows_of(k, t, f, ARRAY_LEN(f), &rows, &n) : OK;
	for (size_t i = 0; !err && i < n; i++) {
		struct site_point lon, lat;
		struct track_at at;
		if (rows[i].c.id != k->ship && mover_points(k->c, held_int(t, &rows[i], "device", 0), STR_EMPTY, &lon, &lat) && mover_last(k->c, &lon, &lat, &at))
			add(k, (struct helper){ t, &rows[i], at.lon, at.lat, 0, at.time });
	}
	return err;
}

static enum err add_rescue(struct helping *k)
{
	const struct type *t = registry_type(k->c->reg, STR("water_facility"));
	struct value kinds[] = { { .kind = VAL_TEXT, .s = STR("base") }, { .kind = VAL_TEXT, .s = STR("boat") } }, use = { .kind = VAL_TEXT, .s = STR("use") };
	const struct filter f[] = { { STR("state"), FILTER_EQ, &use, 1 }, { STR("kind"), FILTER_IN, kinds, ARRAY_LEN(kinds) } };
	struct row *rows;
	size_t n = 0;
	enum err err = t && auth_may_read(&k->c->id, t) ? rows_of(k, t, f, ARRAY_LEN(f), &rows, &n) : OK;
	for (size_t i = 0; !err && i < n; i++) {
		double lon, lat;
		if (held_place(t, &rows[i], "position", &lon, &lat))
			add(k, (struct helper){ t, &rows[i], lon, lat, 0, 0 });
	}
	return err;
}

static void write(struct helping *k, int64_t now)
{
	struct jw *w = &k->c->w;
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t i = 0; i < k->n && i < LIMIT_HELPERS_SHOWN; i++) {
		const struct helper *h = &k->v[i];
		jw_obj(w);
		jw_kstr(w, "type", h->t->name);
		jw_ki64(w, "id", h->row->c.id);
		jw_kstr(w, "title", h->row->c.title);
		jw_karr(w, "position");
		jw_f64(w, h->lon);
		jw_f64(w, h->lat);
		jw_end(w);
		jw_kf64(w, "metres", round(h->metres));
		if (h->at) {
			jw_ktime(w, "at", h->at);
			jw_kf64(w, "age_s", round((double)(now - h->at) / (double)US_PER_S));
		}
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

enum err distress_get(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("ship_distress"));
	struct helping k = { .c = c };
	struct row row;
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err && (!t || !auth_may_read(&c->id, t)))
		err = call_fail(c, ERR_NOT_FOUND, "type", "没有海上求救这个类型，或无权查看", "there are no distress calls, or not yours to see");
	if (!err)
		err = call_row(c, call_db(c), t, id, &row, &c->p);
	if (err)
		return err;
	if (!held_place(t, &row, "position", &k.lon, &k.lat))
		return call_fail(c, ERR_CONFLICT, "position", "先定位", "its position is not known yet");
	k.ship = held_int(t, &row, "ship", 0);
	err = add_ships(&k);
	if (!err)
		err = add_rescue(&k);
	if (err)
		return err;
	if (k.n)
		qsort(k.v, k.n, sizeof *k.v, nearest_first);
	write(&k, clock_now());
	return OK;
}
