// Where vehicles (JT/T 808, GB/T 32960) and tags of people were last, from the last values of their points. A mover is what a device
// says under one name: points of kinds longitude and latitude whose addresses are NAME.longitude and NAME.latitude (a tag), or lon and
// lat (the vehicle itself). Who carries a tag is not told here: a tag is a number (packs/monitoring/types/position_tag.yaml).
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/time.h"

// ---- which points say where something is -----------------------------------------------------------
// Of one generation of points and devices: a map that is looked at asks every few seconds, and few of a million points carry positions.
struct placing {
	uint32_t point;             // of kind longitude
	uint32_t device;            // where in the roster; UINT32_MAX: nowhere
};
struct map_placings {
	pthread_mutex_t mutex;
	uint64_t generation;
	struct placing *v;
	size_t n, cap;
};

struct map_placings *map_placings_new(void)
{
	struct map_placings *m = mem_alloc(sizeof *m);
	pthread_mutex_init(&m->mutex, NULL);
	return m;
}

struct numbered { uint32_t id, at; };

static int by_id(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static struct numbered *devices_by_id(const struct roster *r, struct arena *a)
{
	struct numbered *v = arena_many(a, r->ndevices + 1, struct numbered);
	for (size_t i = 0; i < r->ndevices; i++)
		v[i] = (struct numbered){ r->devices[i].id, (uint32_t)i };
	qsort(v, r->ndevices, sizeof *v, by_id);
	return v;
}

// Under the mutex.
static void look_through(struct map_placings *m, const struct site *site)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	const struct numbered *devices = devices_by_id(site->roster, a), *d;
	struct site_point p;
	m->n = 0;
	for (uint32_t i = 0; site_point_next(site, &i, &p);) {
		struct numbered key = { .id = (uint32_t)p.def.device };
		if (!str_is(p.def.kind, "longitude"))
			continue;
		if (m->n == m->cap) {
			m->cap = MAX(m->cap * 2, (size_t)64);
			m->v = mem_resize(m->v, m->cap * sizeof *m->v);
		}
		d = bsearch(&key, devices, site->roster->ndevices, sizeof *devices, by_id);
		m->v[m->n++] = (struct placing){ p.def.id, d ? d->at : UINT32_MAX };
	}
	m->generation = site->generation;
}

// Those of this generation; in the arena.
static const struct placing *placings_of(struct map_placings *m, const struct site *site, struct arena *a, size_t *ret_n)
{
	pthread_mutex_lock(&m->mutex);
	if (m->generation != site->generation)
		look_through(m, site);
	struct placing *v = arena_many(a, m->n + 1, struct placing);
	if (m->n)
		memcpy(v, m->v, m->n * sizeof *v);
	*ret_n = m->n;
	pthread_mutex_unlock(&m->mutex);
	return v;
}

// ---- where they were -------------------------------------------------------------------------------
struct mover {
	const struct site_device *device; // NULL: unknown
	struct str tag;                 // NAME, empty: the device itself
	struct site_point lon, lat;
	struct sample at_lon, at_lat;
	double speed, heading, zone, alarm; // NaN: not said
};

static struct str name_of(struct str address, struct str *ret_what)
{
	size_t dot = address.n;
	while (dot && address.p[dot - 1] != '.')
		dot--;
	*ret_what = str_skip(address, dot);
	return str_first(address, dot ? dot - 1 : 0);
}

static double last_value(struct call *c, const struct site_point *p)
{
	struct sample s;
	return series_last(c->app->series, p->def.id, &s) && s.quality < Q_FLAT ? s.value : NAN;
}

// What else the device says under the same name.
static bool gather(struct call *c, struct mover *m)
{
	size_t n;
	bool has_lat = false;
	const uint32_t *ids = points_of_device(c->site->points, (uint32_t)m->lon.def.device, &n);
	for (size_t i = 0; i < n; i++) {
		struct site_point p;
		struct str what;
		if (!site_point(c->site, ids[i], &p) || !str_eq(name_of(p.address, &what), m->tag))
			continue;
		if (str_is(p.def.kind, "latitude")) {
			m->lat = p;
			has_lat = true;
		} else if (str_is(p.def.kind, "vehicle_speed") && isnan(m->speed)) {
			m->speed = last_value(c, &p);
		} else if (str_is(what, "direction")) {
			m->heading = last_value(c, &p);
		} else if (str_is(p.def.kind, "person_zone")) {
			m->zone = last_value(c, &p);
		} else if (str_is(p.def.kind, "person_alarm") || str_is(what, "alarm.sos")) {
			m->alarm = last_value(c, &p);
		}
	}
	return has_lat;
}

static void optional(struct jw *w, const char *key, double v)
{
	if (!isnan(v))
		jw_kf64(w, key, v);
}

static void mover_json(struct call *c, const struct mover *m, int64_t now)
{
	struct jw *w = &c->w;
	struct sample s;
	int64_t at = MIN(m->at_lon.time, m->at_lat.time);
	const struct site_device *d = m->device;
	bool fresh = point_is_live(c->app, c->site, &m->lon, now, &s) && point_is_live(c->app, c->site, &m->lat, now, &s);
	jw_obj(w);
	jw_ki64(w, "device", m->lon.def.device);
	jw_kstr(w, "code", d ? d->code : STR_EMPTY);
	jw_kstr(w, "name", d ? d->name : m->lon.name);
	jw_kstr(w, "tag", m->tag);
	jw_kcstr(w, "what", m->tag.n ? "person" : "vehicle");
	jw_ki64(w, "enterprise", m->lon.def.enterprise);
	jw_karr(w, "position");
	jw_f64(w, m->at_lon.value);
	jw_f64(w, m->at_lat.value);
	jw_end(w);
	jw_ktime(w, "at", at);
	jw_kf64(w, "age_s", round((double)(now - at) / (double)US_PER_S));
	jw_kbool(w, "stale", !fresh);
	optional(w, "speed", m->speed);
	optional(w, "heading", m->heading);
	optional(w, "zone", m->zone);
	if (!isnan(m->alarm))
		jw_kbool(w, "alarm", m->alarm > 0);
	jw_kobj(w, "points");
	jw_ki64(w, "lon", m->lon.def.id);
	jw_ki64(w, "lat", m->lat.def.id);
	jw_end(w);
	jw_end(w);
}

enum err map_positions(struct call *c)
{
	int64_t now = clock_now();
	struct site *site = call_site(c);
	struct site_point p;
	struct str what;
	size_t shown = 0, n;
	const struct placing *v = placings_of(c->app->placings, site, c->arena, &n);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n && shown < LIMIT_MAP_FOUND; i++) {
		if (!site_point(site, v[i].point, &p) || !auth_in_scope(&c->id, point_place(&p)))
			continue;
		struct mover m = { .device = v[i].device == UINT32_MAX ? NULL : &site->roster->devices[v[i].device],
			.tag = name_of(p.address, &what), .lon = p, .speed = NAN, .heading = NAN, .zone = NAN, .alarm = NAN };
		if (!gather(c, &m) || !auth_in_scope(&c->id, point_place(&m.lat)) || !series_last(c->app->series, p.def.id, &m.at_lon) ||
		    !series_last(c->app->series, m.lat.def.id, &m.at_lat))
			continue;
		mover_json(c, &m, now);
		shown++;
	}
	jw_end(&c->w);
	jw_ktime(&c->w, "at", now);
	jw_end(&c->w);
	return OK;
}
