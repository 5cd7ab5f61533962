// Where vehicles (JT/T 808, GB/T 32960) and tags of people were last, from the last values of their points. A mover is what a device
// says under one name: points of kinds longitude and latitude whose addresses are NAME.longitude and NAME.latitude (a tag), or lon and
// lat (the vehicle itself). Who carries a tag is not told here: a tag is a number (packs/monitoring/types/position_tag.yaml).
#include <math.h>

#include "api/api.h"
#include "base/time.h"

struct mover {
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

static const struct site_device *device_of(const struct site *s, int64_t id)
{
	for (size_t i = 0; i < s->roster->ndevices; i++)
		if (s->roster->devices[i].id == id)
			return &s->roster->devices[i];
	return NULL;
}

static void mover_json(struct call *c, const struct mover *m, int64_t now)
{
	struct jw *w = &c->w;
	struct sample s;
	int64_t at = MIN(m->at_lon.time, m->at_lat.time);
	const struct site_device *d = device_of(c->site, m->lon.def.device);
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
	size_t n = 0;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (uint32_t i = 0; site_point_next(site, &i, &p) && n < LIMIT_MAP_FOUND;) {
		if (!str_is(p.def.kind, "longitude") || !auth_in_scope(&c->id, point_place(&p)))
			continue;
		struct mover m = { .tag = name_of(p.address, &what), .lon = p, .speed = NAN, .heading = NAN, .zone = NAN, .alarm = NAN };
		if (!gather(c, &m) || !auth_in_scope(&c->id, point_place(&m.lat)) || !series_last(c->app->series, p.def.id, &m.at_lon) ||
		    !series_last(c->app->series, m.lat.def.id, &m.at_lat))
			continue;
		mover_json(c, &m, now);
		n++;
	}
	jw_end(&c->w);
	jw_ktime(&c->w, "at", now);
	jw_end(&c->w);
	return OK;
}
