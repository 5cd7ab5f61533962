// Readings to take away, and what retention deletes.
#include "api/api.h"
#include "base/time.h"
#include "exchange/readings_file.h"

static enum err export_format(struct call *c, enum readings_format *ret)
{
	struct str format = http_query(c->rq, "format");
	*ret = str_is(format, "parquet") ? READINGS_PARQUET : READINGS_CSV;
	if (!format.n || str_is(format, "csv") || str_is(format, "parquet"))
		return OK;
	return call_fail(c, ERR_INVALID, "format", "format 须为 csv 或 parquet", "format must be csv or parquet");
}

enum err readings_export(struct call *c)
{
	const struct site_point **p;
	size_t n;
	int fd;
	int64_t from, to, size;
	enum readings_format format;
	enum err err = export_format(c, &format);
	if (!err)
		err = call_points(c, &p, &n);
	if (!err)
		err = call_span(c, &from, &to);
	if (!err && n > LIMIT_EXPORT_POINTS)
		err = call_fail(c, ERR_TOO_LARGE, "points", "一次最多导出 100 个监测点", "at most 100 points in one export");
	if (err)
		return err;
	uint32_t *ids = arena_many(c->arena, n, uint32_t);
	struct str *codes = arena_many(c->arena, n, struct str);
	for (size_t i = 0; i < n; i++) {
		ids[i] = p[i]->def.id;
		codes[i] = p[i]->def.code;
	}
	struct readings_request rq = { .store = c->app->store, .series = c->app->series, .points = ids, .codes = codes, .npoints = n,
		.from = MAX(from, INT64_C(0)), .to = MIN(to, clock_now() + US_PER_DAY), .max = LIMIT_EXPORT_READINGS, .format = format,
		.en = call_is_en(c) };
	err = readings_file(&rq, &fd, &size, &c->p);
	if (err)
		return err;
	bool csv = format == READINGS_CSV;
	return call_file(c, fd, size, csv ? STR("text/csv") : STR("application/vnd.apache.parquet"), csv ? STR("readings.csv") : STR("readings.parquet"), false);
}

// ---- retention ----------------------------------------------------------------------------------

#define HOLD_US US_PER_HOUR // before an alarm that opened a record, and after it
#define CLOCK_TRUST (31 * US_PER_DAY)

struct holds {
	struct arena *arena;
	struct series_hold *v;
	size_t n, cap;
};

static void add_hold(void *arg, uint32_t point, int64_t from, int64_t to)
{
	struct holds *h = arg;
	h->v = arena_push(h->arena, h->v, &h->n, &h->cap, sizeof *h->v);
	h->v[h->n - 1] = (struct series_hold){ point, from - HOLD_US, to + HOLD_US };
}

static int64_t retention_now(struct app *app, const struct site *site)
{
	int64_t newest = 0;
	struct sample x;
	struct site_point p;
	for (uint32_t i = 0; site_point_next(site, &i, &p);)
		if (series_last(app->series, i, &x))
			newest = MAX(newest, x.time);
	return MIN(clock_now(), newest + CLOCK_TRUST);
}

enum err api_retention(struct app *app, const struct site *site, struct db *db, struct arena *a, struct series_retention *ret)
{
	struct holds h = { .arena = a };
	int64_t now = retention_now(app, site);
	struct series_keep *keep = arena_many(a, points_count(site->points), struct series_keep);
	size_t n = 0;
	struct site_point p;
	for (uint32_t i = 0; site_point_next(site, &i, &p);) { // by id
		const struct point_kind *k = registry_kind(site->reg, p.def.kind);
		if (k && k->retention)
			keep[n++] = (struct series_keep){ i, now - k->retention, k->retention_hours ? now - k->retention_hours : 0 };
	}
	enum err err = alarm_each_opened(db, now, add_hold, &h);
	*ret = (struct series_retention){ keep, n, h.v, h.n };
	return err;
}

static void write_kinds(struct call *c)
{
	struct jw *w = &c->w;
	jw_karr(w, "kinds");
	for (size_t i = 0; i < c->site->reg->nkinds; i++) {
		const struct point_kind *k = &c->site->reg->kinds[i];
		if (!k->retention)
			continue;
		jw_obj(w);
		jw_kstr(w, "kind", k->name);
		jw_klabel(w, "label", k->label);
		jw_ki64(w, "days", k->retention / US_PER_DAY);
		if (k->retention_hours)
			jw_ki64(w, "hours_days", k->retention_hours / US_PER_DAY);
		jw_end(w);
	}
	jw_end(w);
}

enum err retention_get(struct call *c)
{
	struct series_retention what;
	struct series_removal *v = NULL;
	size_t n = 0;
	struct jw *w = &c->w;
	enum err err = api_retention(c->app, call_site(c), call_db(c), c->arena, &what);
	if (!err)
		err = series_retain(c->app->series, &what, true, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(w);
	write_kinds(c);
	jw_karr(w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_ktime(w, "month", v[i].month);
		jw_ki64(w, "points", (int64_t)v[i].points);
		jw_ki64(w, "blocks", (int64_t)v[i].blocks);
		jw_ki64(w, "bytes", (int64_t)(v[i].bytes + v[i].day_bytes));
		jw_ki64(w, "roll_up_days", (int64_t)v[i].days);
		jw_ki64(w, "held", (int64_t)v[i].held);
		jw_kbool(w, "file", v[i].file);
		jw_ki64(w, "file_bytes", (int64_t)v[i].file_bytes);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return OK;
}
