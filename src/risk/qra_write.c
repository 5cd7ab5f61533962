// The answer as JSON. Pure but for the arena; any thread.
#include "base/jw.h"
#include "base/limits.h"
#include "risk/qra_int.h"

#include <stdlib.h>

#define SHOWN_SHARES 5      // sources named for a place

static void number_or_null(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	isfinite(v) ? jw_f64(w, v) : jw_null(w);
}

// In degrees if the origin is known, else in local metres.
static void write_place(const struct qra_input *in, double x, double y, struct jw *w)
{
	const struct qra_origin *o = &in->origin;
	jw_f64(w, o->east > 0 ? round((o->lon + x / o->east) * 1e6) / 1e6 : round(x * 10) / 10);
	jw_f64(w, o->east > 0 ? round((o->lat + y / o->north) * 1e6) / 1e6 : round(y * 10) / 10);
}

static void write_at(const struct qra_input *in, double x, double y, struct jw *w)
{
	jw_karr(w, "at");
	write_place(in, x, y, w);
	jw_end(w);
}

static void write_ring(const struct qra_input *in, const struct qra_ring *r, struct jw *w)
{
	jw_arr(w);
	for (size_t k = 0; k < r->n; k++) {
		jw_arr(w);
		write_place(in, r->x[k], r->y[k], w);
		jw_end(w);
	}
	jw_end(w);
}

static bool inside(const struct qra_ring *r, double x, double y)
{
	bool in = false;
	for (size_t k = 1; k < r->n; k++) {
		if ((r->y[k - 1] > y) != (r->y[k] > y) && x < r->x[k] + (y - r->y[k]) * (r->x[k - 1] - r->x[k]) / (r->y[k - 1] - r->y[k])) {
			in = !in;
		}
	}
	return in;
}

// Which outer ring a hole belongs to: the smallest around its first point.
static size_t owner_of(const struct qra_ring *rings, const double *areas, size_t n, size_t hole)
{
	size_t best = n;
	for (size_t i = 0; i < n; i++) {
		if (areas[i] > 0 && (best == n || areas[i] < areas[best]) && inside(&rings[i], rings[hole].x[0], rings[hole].y[0])) {
			best = i;
		}
	}
	return best;
}

void qra_write_polygons(const struct qra_input *in, const struct qra_ring *rings, size_t n, struct arena *a, struct jw *w)
{
	double *areas = arena_many(a, n + 1, double);
	size_t *owner = arena_many(a, n + 1, size_t);
	for (size_t i = 0; i < n; i++) {
		areas[i] = qra_area(&rings[i], 1);
	}
	for (size_t i = 0; i < n; i++) {
		owner[i] = areas[i] > 0 ? i : owner_of(rings, areas, n, i);
	}
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		if (areas[i] <= 0) {
			continue;
		}
		jw_arr(w);
		write_ring(in, &rings[i], w);
		for (size_t k = 0; k < n; k++) {
			if (k != i && owner[k] == i) {
				write_ring(in, &rings[k], w);
			}
		}
		jw_end(w);
	}
	jw_end(w);
}

static void write_contours(const struct qra_input *in, const struct qra_result *r, struct arena *a, struct jw *w)
{
	jw_karr(w, "contours");
	for (size_t i = 0; i < in->nlevels; i++) {
		struct qra_ring *rings;
		size_t n;
		qra_contours(&in->grid, r->ir, in->levels[i], a, &rings, &n);
		jw_obj(w);
		jw_kf64(w, "level", in->levels[i]);
		jw_kf64(w, "km2", qra_area(rings, n) / 1e6);
		jw_key(w, "polygons"); // coordinates of a GeoJSON MultiPolygon
		qra_write_polygons(in, rings, n, a, w);
		jw_end(w);
	}
	jw_end(w);
}

static void write_line(const struct qra_fn_line *l, struct jw *w)
{
	jw_kobj(w, "criterion");
	jw_kstr(w, "name", l->name);
	jw_kstr(w, "zh", l->zh);
	jw_kstr(w, "en", l->en);
	jw_kf64(w, "upper", l->upper);
	jw_kf64(w, "lower", l->lower);
	jw_kf64(w, "slope", l->slope);
	jw_kf64(w, "people", l->people);
	jw_end(w);
}

static void write_fn(const struct qra_input *in, const struct qra_result *r, const struct qra_room *m, struct jw *w)
{
	jw_kobj(w, "fn");
	write_line(&in->line, w);
	jw_kcstr(w, "zone", m->zone);
	jw_karr(w, "points");
	for (size_t i = 0; i < r->nfn; i++) {
		jw_arr(w);
		jw_f64(w, r->fn[i].n);
		jw_f64(w, r->fn[i].f);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

// The sources that a place has most of its risk from.
static void write_shares(const struct qra_input *in, const double *ir, double sum, struct jw *w)
{
	bool told[LIMIT_QRA_SOURCES] = { false };
	jw_karr(w, "from");
	for (int k = 0; k < SHOWN_SHARES; k++) {
		size_t best = in->nsources;
		for (size_t i = 0; i < in->nsources; i++) {
			if (!told[i] && ir[i] > 0 && (best == in->nsources || ir[i] > ir[best])) {
				best = i;
			}
		}
		if (best == in->nsources) {
			break;
		}
		told[best] = true;
		jw_obj(w);
		jw_kstr(w, "source", in->sources[best].name);
		jw_kf64(w, "ir", ir[best]);
		jw_kf64(w, "part", ir[best] / sum);
		jw_end(w);
	}
	jw_end(w);
}

static void write_places(const struct qra_input *in, const struct qra_result *r, struct jw *w)
{
	jw_karr(w, "places");
	for (size_t i = 0; i < in->nplaces; i++) {
		const struct qra_place *q = &in->places[i];
		jw_obj(w);
		jw_kstr(w, "name", q->name);
		if (q->id) {
			jw_ki64(w, "id", q->id);
		}
		jw_kstr(w, "class", q->cls);
		jw_kbool(w, "old", q->old);
		write_at(in, q->x, q->y, w);
		jw_kf64(w, "limit", q->limit);
		jw_kf64(w, "ir", r->place_sum[i]);
		jw_kbool(w, "met", r->place_sum[i] <= q->limit);
		jw_kf64(w, "left", q->limit - r->place_sum[i]);
		write_shares(in, r->place_ir + i * in->nsources, r->place_sum[i], w);
		jw_end(w);
	}
	jw_end(w);
}

static void write_source(const struct qra_input *in, const struct qra_source *s, const struct qra_source_sum *m, double pll, struct jw *w)
{
	static const char *const kinds[QRA_KIND__MAX] = { "poison", "fire", "explosion", "given" };
	jw_obj(w);
	jw_kstr(w, "name", s->name);
	if (s->owner.n) {
		jw_kstr(w, "owner", s->owner);
	}
	if (s->id) {
		jw_ki64(w, "id", s->id);
	}
	jw_kbool(w, "planned", s->planned);
	write_at(in, s->x, s->y, w);
	jw_kf64(w, "f", m->f);
	jw_kf64(w, "domino", m->domino);
	jw_kf64(w, "pll", m->pll);
	jw_kf64(w, "part", pll > 0 ? m->pll / pll : 0);
	jw_kf64(w, "worst", m->worst);
	for (int k = 0; k < QRA_KIND__MAX; k++) {
		jw_kf64(w, kinds[k], m->kind[k]);
	}
	jw_karr(w, "scenarios");
	for (size_t k = 0; k < s->n; k++) {
		jw_obj(w);
		jw_kstr(w, "name", s->scenarios[k].name);
		jw_kf64(w, "f", s->scenarios[k].f);
		jw_kf64(w, "pll", m->scenario_pll[k]);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

// By PLL, the largest first.
size_t *qra_ranking(const struct qra_input *in, const struct qra_result *r, struct arena *a)
{
	size_t *at = arena_many(a, in->nsources + 1, size_t);
	for (size_t i = 0; i < in->nsources; i++) {
		size_t k = i;
		for (; k > 0 && r->sources[at[k - 1]].pll < r->sources[i].pll; k--) {
			at[k] = at[k - 1];
		}
		at[k] = i;
	}
	return at;
}

// Natural events: what they cause, and how many die when one happens (coupled risk). The gravest event first.
struct trigger { struct str name; double event, pll, deaths; size_t scenarios; };

static struct trigger *triggers(const struct qra_input *in, const struct qra_result *r, struct arena *a, size_t *ret_n)
{
	struct trigger *v = NULL;
	size_t cap = 0;
	*ret_n = 0;
	for (size_t i = 0; i < in->nsources; i++) {
		for (size_t k = 0; k < in->sources[i].n && !qra_skipped(in, i); k++) {
			const struct qra_scenario *s = &in->sources[i].scenarios[k];
			size_t at = 0;
			while (at < *ret_n && !str_eq(v[at].name, s->trigger)) {
				at++;
			}
			if (!s->trigger.n) {
				continue;
			}
			if (at == *ret_n) {
				v = arena_push(a, v, ret_n, &cap, sizeof *v);
				v[at].name = s->trigger;
			}
			v[at].event = fmax(v[at].event, s->event);
			v[at].pll += r->sources[i].scenario_pll[k];
			v[at].deaths += r->sources[i].scenario_pll[k] / s->event;
			v[at].scenarios++;
		}
	}
	return v;
}

static int by_pll(const void *x, const void *y)
{
	double a = ((const struct trigger *)x)->pll, b = ((const struct trigger *)y)->pll;
	return (a < b) - (a > b);
}

static void write_triggers(const struct qra_input *in, const struct qra_result *r, struct arena *a, struct jw *w)
{
	size_t n;
	struct trigger *v = triggers(in, r, a, &n);
	if (n) {
		qsort(v, n, sizeof *v, by_pll);
	}
	jw_karr(w, "triggers");
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_kstr(w, "trigger", v[i].name);
		jw_kf64(w, "event", v[i].event);
		jw_ki64(w, "scenarios", (int64_t)v[i].scenarios);
		jw_kf64(w, "pll", v[i].pll);
		jw_kf64(w, "deaths_per_event", v[i].deaths);
		jw_end(w);
	}
	jw_end(w);
}

static void write_room(const struct qra_input *in, const struct qra_room *m, struct jw *w)
{
	jw_kobj(w, "capacity");
	number_or_null(w, "factor", m->factor);
	number_or_null(w, "pll", m->pll);
	number_or_null(w, "places", m->places);
	number_or_null(w, "societal", m->societal);
	if (isfinite(m->places)) {
		jw_kstr(w, "place", in->places[m->place].name);
	}
	if (isfinite(m->societal)) {
		jw_kf64(w, "n", m->n);
	}
	jw_end(w);
}

static void both(struct jw *w, const char *key, double with, double without)
{
	jw_kobj(w, key);
	number_or_null(w, "with", with);
	number_or_null(w, "without", without);
	jw_end(w);
}

// What the sources that were left out of `less` bring.
static void write_compared(const struct qra_input *in, const struct qra_result *r, const struct qra_compared *c, struct jw *w)
{
	struct qra_room m = qra_room(in, r), l = qra_room(in, c->less);
	jw_kobj(w, "compare");
	jw_karr(w, "left_out");
	for (size_t i = 0; i < in->nsources; i++) {
		if (c->skip[i]) {
			jw_str(w, in->sources[i].name);
		}
	}
	jw_end(w);
	both(w, "pll", r->pll, c->less->pll);
	both(w, "ir_max", r->ir_max, c->less->ir_max);
	both(w, "factor", m.factor, l.factor);
	jw_kobj(w, "zone");
	jw_kcstr(w, "with", m.zone);
	jw_kcstr(w, "without", l.zone);
	jw_end(w);
	jw_karr(w, "places");
	for (size_t i = 0; i < in->nplaces; i++) {
		jw_obj(w);
		jw_kstr(w, "name", in->places[i].name);
		jw_kf64(w, "limit", in->places[i].limit);
		both(w, "ir", r->place_sum[i], c->less->place_sum[i]);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

void qra_write(const struct qra_input *in, const struct qra_result *r, const struct qra_compared *c, struct arena *a, struct jw *w)
{
	struct qra_room m = qra_room(in, r);
	size_t *order = qra_ranking(in, r, a);
	jw_obj(w);
	jw_kstr(w, "name", in->name);
	jw_kf64(w, "pll", r->pll);
	jw_kf64(w, "ir_max", r->ir_max);
	jw_kf64(w, "worst", r->worst);
	jw_ki64(w, "outcomes", (int64_t)r->outcomes);
	jw_kf64(w, "footprint_m2", r->footprint);
	jw_kobj(w, "raster");
	jw_ki64(w, "rows", (int64_t)r->rows);
	jw_ki64(w, "columns", (int64_t)r->columns);
	jw_kf64(w, "reach_m", r->reach);
	jw_end(w);
	write_room(in, &m, w);
	write_fn(in, r, &m, w);
	write_places(in, r, w);
	jw_karr(w, "sources");
	for (size_t i = 0; i < in->nsources; i++) {
		if (!qra_skipped(in, order[i])) {
			write_source(in, &in->sources[order[i]], &r->sources[order[i]], r->pll, w);
		}
	}
	jw_end(w);
	write_triggers(in, r, a, w);
	if (c) {
		write_compared(in, r, c, w);
	}
	write_contours(in, r, a, w);
	jw_end(w);
}
