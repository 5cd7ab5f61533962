// What stands around the site of a planning assessment: the nearest places with people, each with its distance measured on the map
// (from the outline of the site, or from its point), beside the distance that was entered for it. Nothing is written: the caller
// may take the measured rows over by an edit of the record.
#include "api/zones.h"

#include <stdlib.h>

#define SITE_FAR 5000.0     // m around the site that are looked at, unless more is required
#define SITE_SHOWN 100      // places; as many as the record has rows for

static const char type_name[] = "planning_assessment";

struct site_work {
	struct zone_work w;
	const struct type *t;
	struct row row;
	struct zone_ring outline;   // m; without points: there is none
	json_t *entered;            // rows {name, persons, distance_m}
	double required;            // m, NAN
};

static const struct value *value_of(const struct call *c, const struct site_work *s, const char *name, size_t which)
{
	const struct field *f = type_field(s->t, str_of(name));
	return f && f->ncols > which && auth_may_read_field(&c->id, f) ? &s->row.vals[f->col + which] : NULL;
}

static double real_of(const struct call *c, const struct site_work *s, const char *name, size_t which)
{
	const struct value *v = value_of(c, s, name, which);
	return v && v->kind == VAL_REAL ? v->f : v && v->kind == VAL_INT ? (double)v->i : NAN;
}

static json_t *json_of(const struct call *c, const struct site_work *s, const char *name)
{
	const struct value *v = value_of(c, s, name, 0);
	return v && v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
}

// Where the site is: its point, else the middle of its outline.
static enum err read_place(struct call *c, struct site_work *s)
{
	json_t *shape = json_of(c, s, "outline"), *ring = json_array_get(json_object_get(shape, "coordinates"), 0), *at;
	double lon = real_of(c, s, "position", 0), lat = real_of(c, s, "position", 1), x = 0, y = 0;
	size_t n = json_array_size(ring), i;
	json_array_foreach(ring, i, at) {
		x += json_number_value(json_array_get(at, 0)) / (double)n;
		y += json_number_value(json_array_get(at, 1)) / (double)n;
	}
	s->w.source = (struct zone_source){ .title = s->row.c.title, .lon = isnan(lon) && n ? x : lon, .lat = isnan(lat) && n ? y : lat };
	s->w.plane = plane_at(s->w.source.lon, s->w.source.lat);
	s->outline.v = arena_many(c->arena, n + 1, struct zone_xy);
	json_array_foreach(ring, i, at) {
		lon = json_number_value(json_array_get(at, 0));
		lat = json_number_value(json_array_get(at, 1));
		s->outline.v[s->outline.n++] = plane_metres(&s->w.plane, lon, lat);
	}
	json_decref(shape);
	return isnan(s->w.source.lon) ? call_fail(c, ERR_INVALID, "position", "这条记录没有位置：请先在地图上标出位置或用地范围",
	                                          "the record has no place: mark its position or outline on the map first") : OK;
}

static enum err read_site(struct call *c, struct site_work *s)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	s->t = registry_type(c->reg, str_of(type_name));
	if (err)
		return err;
	if (!s->t || !auth_may_read(&c->id, s->t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有规划安全风险评估这个类型，或无权查看", "there are no planning assessments, or not yours to see");
	err = call_row(c, call_db(c), s->t, id, &s->row, &c->p);
	if (err)
		return err;
	s->required = real_of(c, s, "required_m", 0);
	s->entered = json_of(c, s, "targets");
	return read_place(c, s);
}

// From the outline, 0 inside of it; without one from the point.
static double measured(const struct site_work *s, const struct zone_place *p)
{
	struct zone_xy at = plane_metres(&s->w.plane, p->lon, p->lat);
	return s->outline.n > 2 ? plane_distance(&s->outline, at) : hypot(at.x, at.y);
}

static int nearest_first(const void *a, const void *b)
{
	const struct zone_place *x = a, *y = b;
	return (x->distance > y->distance) - (x->distance < y->distance);
}

static const json_t *entered_for(const struct site_work *s, struct str title)
{
	size_t i;
	json_t *row;
	json_array_foreach(s->entered, i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		if (name && str_eq(str_trim(str_of(name)), title))
			return row;
	}
	return NULL;
}

static void place_json(const struct site_work *s, struct jw *w, const struct zone_place *p)
{
	const json_t *row = entered_for(s, p->title);
	double entered = row ? json_number_value(json_object_get(row, "distance_m")) : NAN;
	jw_obj(w);
	jw_ki64(w, "id", p->id);
	jw_kstr(w, "title", p->title);
	jw_klabel(w, "label", p->label);
	jw_kf64(w, "day", p->day);
	jw_kf64(w, "night", p->night);
	jw_kf64(w, "distance", round(p->distance));
	jw_kf64(w, "entered", entered);
	jw_kf64(w, "nearer_by", round(entered - p->distance)); // above 0: in truth it is nearer than was entered
	jw_kbool(w, "too_near", p->distance < s->required);
	jw_karr(w, "position");
	jw_f64(w, p->lon);
	jw_f64(w, p->lat);
	jw_end(w);
	jw_end(w);
}

// Rows for the record: what was measured, and what was entered of places that no register knows.
static void rows_json(const struct site_work *s, struct jw *w)
{
	size_t i, rows = 0;
	json_t *row;
	jw_karr(w, "rows");
	for (i = 0; i < s->w.nnearer && rows < SITE_SHOWN; i++, rows++) {
		const struct zone_place *p = &s->w.nearer[i];
		jw_obj(w);
		jw_kstr(w, "name", str_first(p->title, 80));
		jw_kf64(w, "persons", fmax(p->day, p->night));
		jw_kf64(w, "distance_m", round(p->distance));
		jw_end(w);
	}
	json_array_foreach(s->entered, i, row) {
		bool known = false;
		const char *name = json_string_value(json_object_get(row, "name"));
		for (size_t k = 0; k < s->w.nnearer && !known; k++)
			known = name && str_eq(str_trim(str_of(name)), s->w.nearer[k].title);
		if (known || rows++ >= SITE_SHOWN)
			continue;
		jw_obj(w);
		jw_kcstr(w, "name", name ? name : "");
		jw_kf64(w, "persons", json_is_number(json_object_get(row, "persons")) ? json_number_value(json_object_get(row, "persons")) : NAN);
		jw_kf64(w, "distance_m", json_number_value(json_object_get(row, "distance_m")));
		jw_end(w);
	}
	jw_end(w);
}

enum err siting_get(struct call *c)
{
	struct site_work *s = arena_one(c->arena, struct site_work);
	s->w.c = c;
	enum err err = read_site(c, s);
	double most = 0;
	for (size_t i = 0; i < s->outline.n; i++)
		most = fmax(most, hypot(s->outline.v[i].x, s->outline.v[i].y));
	if (!err)
		err = zone_nearest(&s->w, fmax(SITE_FAR, isfinite(s->required) ? s->required : 0) + most);
	if (!err) {
		for (size_t i = 0; i < s->w.nnearer; i++)
			s->w.nearer[i].distance = measured(s, &s->w.nearer[i]);
		if (s->w.nnearer)
			qsort(s->w.nearer, s->w.nnearer, sizeof *s->w.nearer, nearest_first);
		s->w.nnearer = MIN(s->w.nnearer, (size_t)SITE_SHOWN);
		jw_obj(&c->w);
		jw_ki64(&c->w, "version", s->row.c.version);
		jw_kcstr(&c->w, "field", "targets");
		jw_kbool(&c->w, "from_outline", s->outline.n > 2);
		jw_kf64(&c->w, "required", s->required);
		jw_karr(&c->w, "places");
		for (size_t i = 0; i < s->w.nnearer; i++)
			place_json(s, &c->w, &s->w.nearer[i]);
		jw_end(&c->w);
		rows_json(s, &c->w);
		jw_end(&c->w);
	}
	json_decref(s->entered);
	return err;
}
