// What measurements and alarms say of a place now, for the map.
//
// A point: its worst active alarm; else grey without trustworthy data (none, stale, bad); else green. An enterprise and an
// installation take the worst of their points; grey only if all are grey.
#include "api/api.h"
#include "base/time.h"

enum map_color alarm_map_color(struct str color)
{
	enum map_color c;
	return map_color_of(color, &c) ? c : MAP_YELLOW;
}

bool point_is_live(struct app *app, const struct site *site, const struct site_point *p, int64_t now, struct sample *ret)
{
	const struct point_kind *k = registry_kind(site->reg, p->def.kind);
	int64_t stale = k && k->stale_after ? k->stale_after : 10 * US_PER_MIN;
	if (!series_last(app->series, p->def.id, ret))
		return false;
	return ret->quality < Q_FLAT && now - ret->time <= MAX(stale, 3 * p->def.interval);
}

struct making {
	uint8_t *of[MAP_LIVES];
	size_t n[MAP_LIVES];
};

static void worse(struct making *m, enum map_live kind, int64_t id, enum map_color color)
{
	if (id > 0 && (size_t)id < m->n[kind])
		m->of[kind][id] = MAX(m->of[kind][id], (uint8_t)color);
}

static void on_active(void *arg, uint32_t point, struct str color)
{
	worse(arg, MAP_LIVE_POINT, point, alarm_map_color(color));
}

// Room for the highest id of each kind.
static void room(const struct site *site, const size_t n[MAP_LIVES], struct arena *a, struct making *m)
{
	struct site_point p;
	for (size_t i = 0; i < MAP_LIVES; i++)
		m->n[i] = MAX(n[i], 1u);
	m->n[MAP_LIVE_POINT] = MAX(m->n[MAP_LIVE_POINT], points_max(site->points) + 1u);
	for (uint32_t i = 0; site_point_next(site, &i, &p);) {
		m->n[MAP_LIVE_ENTERPRISE] = MAX(m->n[MAP_LIVE_ENTERPRISE], (size_t)p.def.enterprise + 1);
		m->n[MAP_LIVE_INSTALLATION] = MAX(m->n[MAP_LIVE_INSTALLATION], (size_t)p.def.installation + 1);
	}
	for (size_t i = 0; i < MAP_LIVES; i++)
		m->of[i] = arena_alloc(a, m->n[i]);
}

enum err api_map_levels(struct app *app, const struct site *site, struct db *db, const size_t n[MAP_LIVES], struct arena *a,
                        struct map_levels *ret)
{
	struct making m;
	struct site_point p;
	struct sample s;
	int64_t now = clock_now();
	room(site, n, a, &m);
	enum err err = alarm_each_active(db, on_active, &m, a);
	for (uint32_t i = 0; !err && site_point_next(site, &i, &p);) {
		if (point_is_live(app, site, &p, now, &s))
			worse(&m, MAP_LIVE_POINT, i, MAP_GREEN);
		worse(&m, MAP_LIVE_ENTERPRISE, p.def.enterprise, (enum map_color)m.of[MAP_LIVE_POINT][i]);
		worse(&m, MAP_LIVE_INSTALLATION, p.def.installation, (enum map_color)m.of[MAP_LIVE_POINT][i]);
	}
	for (size_t i = 0; i < MAP_LIVES; i++) {
		ret->of[i] = m.of[i];
		ret->n[i] = m.n[i];
	}
	return err;
}
