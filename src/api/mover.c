// Where one device, or one tag of it, is and was: for patrols (patrol.c) and vessels (distress.c).
#include "api/mover.h"
#include "fence/record.h"

bool mover_points(struct call *c, int64_t device, struct str tag, struct site_point *ret_lon, struct site_point *ret_lat)
{
	struct site *site = call_site(c);
	size_t n;
	bool lon = false, lat = false;
	const uint32_t *ids = points_of_device(site->points, (uint32_t)device, &n);
	for (size_t i = 0; i < n; i++) {
		struct site_point p;
		struct str what;
		if (!site_point(site, ids[i], &p) || !str_eq(fence_tag_of(p.address, &what), tag) || !auth_in_scope(&c->id, point_place(&p)))
			continue;
		if (str_is(p.def.kind, "longitude")) {
			*ret_lon = p;
			lon = true;
		} else if (str_is(p.def.kind, "latitude")) {
			*ret_lat = p;
			lat = true;
		}
	}
	return lon && lat;
}

enum err mover_track(struct call *c, const struct site_point *lon, const struct site_point *lat, int64_t from, int64_t to,
                     struct track_at **ret, size_t *ret_n)
{
	struct sample *x, *y;
	size_t nx, ny, n = 0, j = 0;
	enum err err = series_read(c->app->series, lon->def.id, from, to, LIMIT_FENCE_TRACK, c->arena, &x, &nx);
	if (!err)
		err = series_read(c->app->series, lat->def.id, from, to, LIMIT_FENCE_TRACK, c->arena, &y, &ny);
	if (err == ERR_TOO_LARGE)
		return call_fail(c, err, "started", "轨迹点超过 20 万个，请缩短时段", "more than 200,000 positions; shorten the period");
	if (err)
		return err;
	struct track_at *v = arena_many(c->arena, nx + 1, struct track_at);
	for (size_t i = 0; i < nx; i++) {
		while (j < ny && y[j].time < x[i].time)
			j++;
		if (j < ny && y[j].time == x[i].time && x[i].quality < Q_FLAT && y[j].quality < Q_FLAT)
			v[n++] = (struct track_at){ x[i].time, x[i].value, y[j].value };
	}
	*ret = v;
	*ret_n = n;
	return OK;
}

bool mover_last(struct call *c, const struct site_point *lon, const struct site_point *lat, struct track_at *ret)
{
	struct sample x, y;
	if (!series_last(c->app->series, lon->def.id, &x) || !series_last(c->app->series, lat->def.id, &y))
		return false;
	if (x.quality >= Q_FLAT || y.quality >= Q_FLAT)
		return false;
	*ret = (struct track_at){ MIN(x.time, y.time), x.value, y.value };
	return true;
}
