// What stands around an accident, in the caller's scope: places and enterprises with people, roads of the base map, vessels. The
// store compares positions with a box, so the cost is that of what is near.
#include "api/zones.h"

#include <stdlib.h>

#define DOMINO_FAR 1500.0 // m beyond the widest zone's reach that vessels are looked at for the chain, at most

struct near {                      // rows of a type in a box
	const struct type *t;
	const struct field *place;
	struct filter filters[4];
	struct value vals[4];
};

static void bound(struct near *n, size_t i, size_t col, enum filter_op op, double v)
{
	n->vals[i] = (struct value){ .kind = VAL_REAL, .f = v };
	n->filters[i] = (struct filter){ .column = n->t->table.cols[col].name, .op = op, .vals = &n->vals[i], .nvals = 1 };
}

// False: there is no such type, or the caller may not see it or its place.
static bool near_begin(struct zone_work *w, const char *type, double metres, struct near *n)
{
	*n = (struct near){ .t = registry_type(w->c->reg, str_of(type)) };
	n->place = n->t && auth_may_read(&w->c->id, n->t) ? type_field(n->t, n->t->geometry) : NULL;
	if (!n->place || n->place->kind != FIELD_POSITION || !auth_may_read_field(&w->c->id, n->place))
		return false;
	double dlon = metres / w->plane.per_lon, dlat = metres / w->plane.per_lat;
	size_t lon = n->place->col, lat = lon + 1;
	bound(n, 0, lat, FILTER_GE, w->plane.lat - dlat);
	bound(n, 1, lat, FILTER_LE, w->plane.lat + dlat);
	bound(n, 2, lon, FILTER_GE, w->plane.lon - dlon);
	bound(n, 3, lon, FILTER_LE, w->plane.lon + dlon);
	return true;
}

typedef void near_row(struct zone_work *w, const struct near *n, const struct row *row, struct zone_xy at);

static enum err near_each(struct zone_work *w, struct near *n, near_row *fn)
{
	struct scope scope = auth_scope(&w->c->id, n->t);
	enum err err = OK;
	size_t got = 500;
	for (size_t at = 0; !err && got == 500; at += got) {
		struct list_query lq = { .filters = n->filters, .nfilters = 4, .offset = at, .limit = 500 };
		struct row *rows;
		int64_t total;
		err = records_list(call_db(w->c), &n->t->table, &scope, &lq, w->c->arena, &rows, &got, &total, &w->c->p);
		for (size_t i = 0; !err && i < got; i++) {
			const struct value *v = &rows[i].vals[n->place->col];
			if (v[0].kind == VAL_REAL && v[1].kind == VAL_REAL)
				fn(w, n, &rows[i], plane_metres(&w->plane, v[0].f, v[1].f));
		}
	}
	return err;
}

static double number_of(struct zone_work *w, const struct near *n, const struct row *row, const char *name)
{
	const struct field *f = type_field(n->t, str_of(name));
	if (!f || !f->ncols || !auth_may_read_field(&w->c->id, f))
		return 0;
	return row->vals[f->col].kind == VAL_REAL ? row->vals[f->col].f : row->vals[f->col].kind == VAL_INT ? (double)row->vals[f->col].i : 0;
}

static struct str text_of(struct zone_work *w, const struct near *n, const struct row *row, const char *name)
{
	const struct field *f = type_field(n->t, str_of(name));
	bool shown = f && f->ncols && auth_may_read_field(&w->c->id, f);
	return shown && row->vals[f->col].kind == VAL_TEXT ? row->vals[f->col].s : STR_EMPTY;
}

// ---- people ------------------------------------------------------------------------------------
static void kind_of(struct zone_work *w, const struct near *n, const struct row *row, struct zone_place *ret)
{
	const struct field *f = type_field(n->t, STR("kind"));
	ret->label = n->t->label;
	ret->rank = 1000;
	ret->kind = text_of(w, n, row, "kind");
	for (size_t i = 0; f && f->menu && i < f->menu->nitems; i++) {
		if (!str_eq(f->menu->items[i].value, ret->kind))
			continue;
		ret->label = f->menu->items[i].label;
		ret->color = f->menu->items[i].color;
		ret->rank = (int)i;
	}
}

// What an enterprise does, instead of "enterprise": a hospital or a market is to be seen as one.
static void trade_of(struct zone_work *w, const struct near *n, const struct row *row, struct zone_place *ret)
{
	struct str trade = text_of(w, n, row, "trade");
	if (!trade.n)
		return;
	ret->label.zh = trade;
	ret->label.en = arena_printf(w->c->arena, "%.*s, %.*s", STR_FMT(n->t->label.en), STR_FMT(trade));
}

static bool zone_holds(const struct zone_set *s, struct zone_xy at, struct zone_place *ret)
{
	for (size_t k = 0; k < s->n; k++) {
		bool sure = s->v[k].ring.n && plane_inside(&s->v[k].ring, at);
		if (!sure && !(s->v[k].band.n && plane_inside(&s->v[k].band, at)))
			continue;
		ret->level = k;
		ret->sure = sure;
		return true;
	}
	return false;
}

static struct zone_place place_of(struct zone_work *w, const struct near *n, const struct row *row, struct zone_xy at)
{
	struct zone_place p = { .type = n->t->name, .title = row->c.title, .id = row->c.id, .minutes = NAN, .level = w->set.n,
		.kind = STR_EMPTY, .color = STR_EMPTY };
	p.distance = hypot(at.x, at.y);
	bool staff = str_is(n->t->name, "enterprise");
	kind_of(w, n, row, &p);
	if (staff)
		trade_of(w, n, row, &p);
	plane_degrees(&w->plane, at, &p.lon, &p.lat);
	p.day = number_of(w, n, row, staff ? "staff" : "day");
	p.night = number_of(w, n, row, staff ? "staff" : "night"); // who works when, is not registered
	if (w->set.travels)
		p.minutes = p.distance / w->set.air.u / 60;
	return p;
}

static void add_place(struct zone_work *w, const struct near *n, const struct row *row, struct zone_xy at)
{
	struct zone_place p = place_of(w, n, row, at);
	if (zone_holds(&w->set, at, &p)) {
		if (w->nplaces == LIMIT_ZONE_PLACES) {
			w->left++;
			return;
		}
		w->places = arena_push(w->c->arena, w->places, &w->nplaces, &w->cap_places, sizeof p);
		w->places[w->nplaces - 1] = p;
	}
	if (isfinite(w->source.required) && p.distance < w->source.required && !str_is(p.type, "enterprise") && w->nnearer < LIMIT_ZONE_PLACES) {
		w->nearer = arena_push(w->c->arena, w->nearer, &w->nnearer, &w->cap_nearer, sizeof p);
		w->nearer[w->nnearer - 1] = p;
	}
}

// Most severe first; who cannot help themselves before others; the nearest first.
static int urgency(const void *a, const void *b)
{
	const struct zone_place *x = a, *y = b;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->distance > y->distance) - (x->distance < y->distance);
}

static void count(struct zone_work *w)
{
	for (size_t i = 0; i < w->nplaces; i++) {
		const struct zone_place *p = &w->places[i];
		struct zone_xy at = plane_metres(&w->plane, p->lon, p->lat);
		for (size_t k = p->level; k < w->set.n; k++) {
			w->day[k] += p->day;
			w->night[k] += p->night;
			bool sure = w->set.v[k].ring.n && plane_inside(&w->set.v[k].ring, at);
			w->sure_day[k] += sure ? p->day : 0;
			w->sure_night[k] += sure ? p->night : 0;
		}
	}
}

// ---- roads ---------------------------------------------------------------------------------------
static const struct zone_ring *widest(const struct zone_work *w)
{
	for (size_t k = w->set.n; k-- > 0;)
		if (w->set.v[k].band.n)
			return &w->set.v[k].band;
	return NULL;
}

struct box { double west, south, east, north; }; // m

static struct box box_of(const struct zone_ring *r)
{
	struct box b = { HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL };
	for (size_t i = 0; i < r->n; i++) {
		b.west = fmin(b.west, r->v[i].x);
		b.east = fmax(b.east, r->v[i].x);
		b.south = fmin(b.south, r->v[i].y);
		b.north = fmax(b.north, r->v[i].y);
	}
	return b;
}

static bool apart(const struct box *b, struct zone_xy p, struct zone_xy q)
{
	return fmax(p.x, q.x) < b->west || fmin(p.x, q.x) > b->east || fmax(p.y, q.y) < b->south || fmin(p.y, q.y) > b->north;
}

static void add_line(struct zone_work *w, const struct map_line *l, struct zone_road *r, const struct zone_ring *ring,
                     const struct box *box)
{
	struct zone_xy cuts[4], was = { 0, 0 };
	size_t ncuts = r->nclose, before = ncuts;
	for (size_t i = 0; i < l->n; i++) {
		struct zone_xy at = plane_metres(&w->plane, l->at[i][0], l->at[i][1]);
		double inside = i && !apart(box, was, at) ? plane_inside_length(ring, was, at, cuts, ARRAY_LEN(cuts), &ncuts) : 0;
		r->length += inside;
		for (size_t k = 0; inside > 0 && k < r->level; k++) { // the most severe that it touches
			struct zone_xy ignored[1];
			size_t none = 1;
			if (w->set.v[k].band.n && plane_inside_length(&w->set.v[k].band, was, at, ignored, 1, &none) > 0)
				r->level = k;
		}
		was = at;
	}
	for (size_t k = before; k < ncuts; k++)
		plane_degrees(&w->plane, cuts[k], &r->close[k][0], &r->close[k][1]);
	r->nclose = ncuts;
}

static void add_road(struct zone_work *w, const struct map_way *way, const struct zone_ring *ring, const struct box *box)
{
	struct zone_road r = { .level = w->set.n - 1 };
	for (size_t i = 0; i < way->nlines; i++) {
		const struct map_line *l = &way->lines[i];
		if (!apart(box, plane_metres(&w->plane, l->west, l->south), plane_metres(&w->plane, l->east, l->north)))
			add_line(w, l, &r, ring, box);
	}
	if (r.length <= 0 || w->nroads == LIMIT_ZONE_PLACES)
		return;
	r.name = arena_str(w->c->arena, way->name);
	r.kind = arena_str(w->c->arena, way->kind);
	w->roads = arena_push(w->c->arena, w->roads, &w->nroads, &w->cap_roads, sizeof r);
	w->roads[w->nroads - 1] = r;
}

static void add_roads(struct zone_work *w)
{
	const struct zone_ring *ring = widest(w);
	if (!ring)
		return;
	struct box box = box_of(ring);
	const struct map_ways *ways = map_ways_take(w->c->app->base);
	for (size_t i = 0; i < ways->n; i++)
		add_road(w, &ways->v[i], ring, &box);
	map_ways_give(w->c->app->base, ways);
}

// ---- vessels --------------------------------------------------------------------------------------
static void add_target(struct zone_work *w, const struct near *n, const struct row *row, struct zone_xy at)
{
	struct zone_target t = { .id = row->c.id, .east = at.x, .north = at.y, .kind = text_of(w, n, row, "kind"),
		.medium = text_of(w, n, row, "medium"), .volume = number_of(w, n, row, "capacity") };
	struct str unit = text_of(w, n, row, "capacity_unit");
	struct zone_substance s;
	if (!t.medium.n || !(t.volume > 0) || !zone_substance_find(w->c->app->risk, t.medium, &s))
		return;
	if (str_is(unit, "t"))
		t.volume *= 1000 / s.rho;
	else if (unit.n && !str_is(unit, "m³") && !str_is(unit, "m3"))
		return;
	size_t far = w->ntargets;
	if (w->ntargets == LIMIT_ZONE_TARGETS) { // the farthest makes room
		w->targets_left++;
		far = 0;
		for (size_t i = 1; i < w->ntargets; i++)
			if (hypot(w->targets[i].east, w->targets[i].north) > hypot(w->targets[far].east, w->targets[far].north))
				far = i;
		if (hypot(w->targets[far].east, w->targets[far].north) <= hypot(at.x, at.y))
			return;
	} else {
		w->ntargets++;
	}
	w->targets[far] = t;
	struct str tag = text_of(w, n, row, "tag");
	w->target_titles[far] = tag.n ? arena_printf(w->c->arena, "%.*s %.*s", STR_FMT(row->c.title), STR_FMT(tag)) : row->c.title;
}

struct str zone_target_title(const struct zone_work *w, int64_t id)
{
	for (size_t i = 0; i < w->ntargets; i++)
		if (w->targets[i].id == id)
			return w->target_titles[i];
	return STR_EMPTY;
}

// The nearest first: of the chain as many are listed as fit.
static void sort_targets(struct zone_work *w)
{
	for (size_t i = 1; i < w->ntargets; i++) {
		struct zone_target t = w->targets[i];
		struct str title = w->target_titles[i];
		size_t k = i;
		for (; k && hypot(w->targets[k - 1].east, w->targets[k - 1].north) > hypot(t.east, t.north); k--) {
			w->targets[k] = w->targets[k - 1];
			w->target_titles[k] = w->target_titles[k - 1];
		}
		w->targets[k] = t;
		w->target_titles[k] = title;
	}
}

static enum err add_chain(struct zone_work *w, double far)
{
	struct near n;
	enum err err = OK;
	if (w->set.effect != ZONE_HEAT && w->set.effect != ZONE_BLAST)
		return OK;
	w->targets = arena_many(w->c->arena, LIMIT_ZONE_TARGETS, struct zone_target);
	w->target_titles = arena_many(w->c->arena, LIMIT_ZONE_TARGETS, struct str);
	if (near_begin(w, "equipment", fmin(far, ZONE_FAR) + DOMINO_FAR, &n))
		err = near_each(w, &n, add_target);
	if (err)
		return err;
	sort_targets(w);
	return zone_chain(&w->set, w->targets, w->ntargets, w->source.equipment, w->c->app->risk, w->c->arena, &w->blows, &w->nblows,
	                  &w->blows_left, &w->c->p);
}

enum err zone_around(struct zone_work *w)
{
	static const char *const people[] = { "place", "enterprise" };
	double far = isfinite(w->source.required) ? w->source.required : 0;
	for (size_t k = 0; k < w->set.n; k++)
		for (size_t i = 0; i < w->set.v[k].band.n; i++)
			far = fmax(far, hypot(w->set.v[k].band.v[i].x, w->set.v[k].band.v[i].y));
	enum err err = OK;
	for (size_t i = 0; i < ARRAY_LEN(people) && !err; i++) {
		struct near n;
		if (near_begin(w, people[i], far, &n))
			err = near_each(w, &n, add_place);
	}
	if (err)
		return err;
	if (w->nplaces)
		qsort(w->places, w->nplaces, sizeof *w->places, urgency);
	if (w->nnearer)
		qsort(w->nearer, w->nnearer, sizeof *w->nearer, urgency);
	count(w);
	add_roads(w);
	return add_chain(w, far);
}

enum err zone_nearest(struct zone_work *w, double metres)
{
	struct near n;
	w->source.required = metres; // what lies nearer is kept
	return near_begin(w, "place", metres, &n) ? near_each(w, &n, add_place) : OK;
}
