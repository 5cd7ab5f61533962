// The weather of now for consequence zones: the newest trustworthy values of the nearest wind and temperature points in the
// caller's scope, and how old they are; the stability by the height of the sun. What was typed goes before what was measured.
#include "api/zones.h"
#include "base/time.h"
#include "risk/sun.h"

#define STATION_FAR 30000.0 // m: a station farther away says nothing about this place
#define OLD_US (60 * US_PER_MIN)

struct station {
	struct zone_work *w;
	const char *kind;
	double distance, value;
	int64_t at;
	struct str name;
	bool stale;
};

static void look(struct station *s, const struct row *row, const struct field *place)
{
	const struct value *v = &row->vals[place->col];
	struct sample last;
	if (v[0].kind != VAL_REAL || !series_last(s->w->c->app->series, (uint32_t)row->c.id, &last) || last.quality >= Q_FLAT)
		return;
	struct zone_xy at = plane_metres(&s->w->plane, v[0].f, v[1].f);
	double d = hypot(at.x, at.y);
	int64_t age = clock_now() - last.time;
	if (d > STATION_FAR || d >= s->distance || age > OLD_US)
		return;
	const struct point_kind *k = registry_kind(s->w->c->reg, str_of(s->kind));
	int64_t fresh = k && k->stale_after ? k->stale_after : 10 * US_PER_MIN;
	*s = (struct station){ s->w, s->kind, d, last.value, last.time, row->c.title, age > fresh };
}

// The nearest point of the kind; value NAN: there is none.
static enum err nearest(struct zone_work *w, const char *kind, struct station *ret)
{
	const struct type *t = registry_type(w->c->reg, STR("point"));
	const struct field *place = t ? type_field(t, t->geometry) : NULL;
	*ret = (struct station){ .w = w, .kind = kind, .distance = HUGE_VAL, .value = NAN };
	if (!place || place->kind != FIELD_POSITION || !auth_may(&w->c->id, "alarm.read"))
		return OK;
	double dlon = STATION_FAR / w->plane.per_lon, dlat = STATION_FAR / w->plane.per_lat;
	struct str lon = t->table.cols[place->col].name, lat = t->table.cols[place->col + 1].name;
	struct value vals[] = { { .kind = VAL_TEXT, .s = str_of(kind) },
		{ .kind = VAL_REAL, .f = w->plane.lat - dlat }, { .kind = VAL_REAL, .f = w->plane.lat + dlat },
		{ .kind = VAL_REAL, .f = w->plane.lon - dlon }, { .kind = VAL_REAL, .f = w->plane.lon + dlon } };
	struct filter filters[] = { { STR("kind"), FILTER_EQ, &vals[0], 1 }, { lat, FILTER_GE, &vals[1], 1 }, { lat, FILTER_LE, &vals[2], 1 },
		{ lon, FILTER_GE, &vals[3], 1 }, { lon, FILTER_LE, &vals[4], 1 } };
	struct list_query lq = { .filters = filters, .nfilters = ARRAY_LEN(filters), .limit = LIMIT_PAGE_SIZE };
	struct scope scope = auth_scope(&w->c->id, t);
	struct row *rows;
	size_t n = 0;
	int64_t total;
	enum err err = records_list(call_db(w->c), &t->table, &scope, &lq, w->c->arena, &rows, &n, &total, &w->c->p);
	for (size_t i = 0; i < n && !err; i++)
		look(ret, &rows[i], place);
	return err;
}

static void take(json_t *weather, const char *key, const struct station *s, double least)
{
	if (isfinite(s->value) && !json_object_get(weather, key))
		json_object_set_new(weather, key, json_real(fmax(s->value, least)));
}

enum err zone_live_weather(struct zone_work *w, const json_t *typed, json_t **ret)
{
	struct station wind, from, air, humid;
	*ret = json_is_object(typed) ? json_copy((json_t *)(uintptr_t)typed) : json_object();
	bool live = json_is_true(json_object_get(*ret, "live"));
	json_object_del(*ret, "live");
	if (!live)
		return OK;
	enum err err = nearest(w, "wind_speed", &wind);
	err = err ? err : nearest(w, "wind_direction", &from);
	err = err ? err : nearest(w, "ambient_temperature", &air);
	err = err ? err : nearest(w, "humidity", &humid);
	if (err)
		return err;
	if ((isnan(wind.value) && !json_object_get(*ret, "u")) || (isnan(from.value) && !json_object_get(*ret, "from")))
		return call_fail(w->c, ERR_INVALID, "weather.live", "30 公里内没有一小时以内的可信风速和风向，请填写天气",
		                 "no trustworthy wind of the last hour within 30 km: type the weather");
	take(*ret, "u", &wind, 0.5); // calm: the models need some wind
	take(*ret, "from", &from, 0);
	take(*ret, "T", &air, -50);
	take(*ret, "RH", &humid, 0);
	if (!json_object_get(*ret, "stability") && !json_object_get(*ret, "sky")) {
		json_object_set_new(*ret, "sky", json_string(sun_sky(sun_elevation(clock_now(), w->plane.lon, w->plane.lat))));
		json_object_set_new(*ret, "cloud", json_string("unknown")); // no station says it
	}
	w->live = (struct zone_live){ wind.name, wind.distance, MIN(wind.at, from.at), wind.stale || from.stale };
	return OK;
}
