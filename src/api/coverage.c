// GET /rescue/coverage: whom rescue stations reach in time. Time = turnout + way / speed; the way is 1.4 times the straight
// line, as on the page of an emergency (ui/src/command/command.ts); no road network is used. Stations are records of
// emergency_resource that are ready and have a place; objects are the places with people (place) and the major hazard installations.
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "model/held.h"

#define WAY 1.4             // of the straight line; a setting of the county's estimate
#define SPEED 40.0          // km/h, of a station that names none
#define COVERED_MAX 20000   // stations, objects looked at

struct station {
	int64_t id;
	struct str title, kind;
	double lon, lat, turnout, speed; // minutes, km/h
	int64_t persons, objects;       // that it is the first to reach in time
};

struct object {
	const struct type *t;
	int64_t id, persons;
	struct str title, area;
	double lon, lat, minutes;       // of the nearest station in time
	size_t station;
};

struct coverage {
	struct call *c;
	const struct type *t;           // being read
	struct str kinds;
	struct station *stations;
	struct object *objects;
	size_t nstations, stations_cap, nobjects, objects_cap;
};

// Is the kind one of those asked for, in a list with commas?
static bool asked(struct str kinds, struct str kind)
{
	while (kinds.n)
		if (str_eq(str_trim(str_cut(&kinds, ',')), kind))
			return true;
	return false;
}

static enum err on_station(void *arg, const struct row *row)
{
	struct coverage *g = arg;
	struct arena *a = g->c->arena;
	struct station s = { .id = row->c.id, .turnout = held_number(g->t, row, "turnout_min", 0), .speed = held_number(g->t, row, "speed", SPEED) };
	struct str kind = held_text(g->t, row, "kind");
	if (!str_is(row->c.state, "ready") || !asked(g->kinds, kind) || !held_place(g->t, row, "position", &s.lon, &s.lat))
		return OK;
	s.title = arena_str(a, row->c.title);
	s.kind = arena_str(a, kind);
	g->stations = arena_push(a, g->stations, &g->nstations, &g->stations_cap, sizeof *g->stations);
	g->stations[g->nstations - 1] = s;
	return OK;
}

static enum err on_object(void *arg, const struct row *row)
{
	struct coverage *g = arg;
	struct arena *a = g->c->arena;
	struct object o = { .t = g->t, .id = row->c.id, .minutes = INFINITY };
	if (!held_place(g->t, row, "position", &o.lon, &o.lat))
		return OK;
	o.persons = MAX(held_int(g->t, row, "day", 0), held_int(g->t, row, "night", 0));
	o.title = arena_str(a, row->c.title);
	o.area = arena_str(a, row->c.area);
	g->objects = arena_push(a, g->objects, &g->nobjects, &g->objects_cap, sizeof *g->objects);
	g->objects[g->nobjects - 1] = o;
	return OK;
}

// A type that is not in force or not his to read adds nothing.
static enum err read_type(struct coverage *g, const char *name, enum err (*each)(void *, const struct row *))
{
	struct call *c = g->c;
	g->t = registry_type(c->reg, str_of(name));
	if (!g->t || !auth_may_read(&c->id, g->t))
		return OK;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct scope scope = auth_scope(&c->id, g->t);
	return records_scan(call_db(c), &g->t->table, &scope, &(struct list_query){ .limit = COVERED_MAX }, scratch, each, g, &c->p);
}

static void find_nearest(struct coverage *g, double within)
{
	for (size_t i = 0; i < g->nobjects; i++) {
		struct object *o = &g->objects[i];
		for (size_t k = 0; k < g->nstations; k++) {
			const struct station *s = &g->stations[k];
			double minutes = s->turnout + geo_metres(s->lon, s->lat, o->lon, o->lat) * WAY / (s->speed * 1000 / 60);
			if (minutes < o->minutes) {
				o->minutes = minutes;
				o->station = k;
			}
		}
		if (o->minutes <= within) {
			g->stations[o->station].persons += o->persons;
			g->stations[o->station].objects++;
		}
	}
}

static int farthest_first(const void *x, const void *y)
{
	const struct object *a = x, *b = y;
	return (a->minutes < b->minutes) - (a->minutes > b->minutes);
}

static void write_coverage(struct coverage *g, double within)
{
	struct jw *w = &g->c->w;
	int64_t persons = 0, covered = 0, objects = 0;
	jw_obj(w);
	jw_karr(w, "uncovered");
	for (size_t i = 0; i < g->nobjects; i++) {
		const struct object *o = &g->objects[i];
		bool in = o->minutes <= within;
		persons += o->persons;
		covered += in ? o->persons : 0;
		objects += in;
		if (in)
			continue;
		jw_obj(w);
		jw_kstr(w, "type", o->t->name);
		jw_ki64(w, "id", o->id);
		jw_kstr(w, "title", o->title);
		jw_kstr(w, "area", o->area);
		jw_karr(w, "position");
		jw_f64(w, o->lon);
		jw_f64(w, o->lat);
		jw_end(w);
		jw_ki64(w, "persons", o->persons);
		if (g->nstations) {
			jw_kf64(w, "minutes", round(o->minutes * 10) / 10);
			jw_kstr(w, "station", g->stations[o->station].title);
		}
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "stations");
	for (size_t i = 0; i < g->nstations; i++) {
		const struct station *s = &g->stations[i];
		jw_obj(w);
		jw_ki64(w, "id", s->id);
		jw_kstr(w, "title", s->title);
		jw_kstr(w, "kind", s->kind);
		jw_karr(w, "position");
		jw_f64(w, s->lon);
		jw_f64(w, s->lat);
		jw_end(w);
		jw_kf64(w, "km", round(fmax(within - s->turnout, 0) * s->speed / 60 / WAY * 10) / 10);
		jw_ki64(w, "persons", s->persons);
		jw_ki64(w, "objects", s->objects);
		jw_end(w);
	}
	jw_end(w);
	jw_ki64(w, "objects", (int64_t)g->nobjects);
	jw_ki64(w, "objects_covered", objects);
	jw_ki64(w, "persons", persons);
	jw_ki64(w, "persons_covered", covered);
	jw_end(w);
}

enum err rescue_coverage(struct call *c)
{
	struct coverage g = { .c = c, .kinds = http_query(c->rq, "kind") };
	int64_t minutes;
	enum err err = query_int(c, "minutes", 10, 1, 600, &minutes);
	g.kinds = g.kinds.n ? g.kinds : STR("station,base,team");
	const struct type *stations = registry_type(c->reg, STR("emergency_resource"));
	if (!err && (!stations || !auth_may_read(&c->id, stations)))
		err = call_fail(c, ERR_NOT_FOUND, "type", "没有应急资源台账，或无权查看", "there is no register of rescue resources, or not yours to see");
	if (!err)
		err = read_type(&g, "emergency_resource", on_station);
	if (!err)
		err = read_type(&g, "place", on_object);
	if (!err)
		err = read_type(&g, "installation", on_object);
	if (err)
		return err;
	find_nearest(&g, (double)minutes);
	if (g.nobjects)
		qsort(g.objects, g.nobjects, sizeof *g.objects, farthest_first);
	write_coverage(&g, (double)minutes);
	return OK;
}
