// How the platform itself is: liveness, metrics, and a page for its keeper.
#include <sys/resource.h>

#include "api/api.h"
#include "base/time.h"

enum err healthz_get(struct call *c)
{
	enum err err = series_health(c->app->series);
	c->rs->status = err ? 503 : 200;
	jw_obj(&c->w);
	jw_kcstr(&c->w, "status", err ? err_name(err) : "ok");
	jw_end(&c->w);
	return OK;
}

static bool may_see_metrics(struct call *c)
{
	if (c->rq->peer_loopback)
		return true;
	struct str auth = http_header(c->rq, "Authorization");
	struct identity id;
	return str_starts(auth, STR("Bearer ")) && auth_session(c->app->auth, c->reg, str_skip(auth, 7), c->arena, &id) == OK && auth_may(&id, "device.read");
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, double v)
{
	char text[F64_TEXT_MAX];
	size_t n = f64_text(v, text);
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.*s\n", name, help, name, type, name, (int)n, text);
}

enum err metrics_get(struct call *c)
{
	if (!may_see_metrics(c))
		return call_fail(c, ERR_FORBIDDEN, NULL, "指标只对本机开放", "metrics are for loopback only");
	struct buf *out = &c->rs->body;
	struct series_stats s;
	struct rusage ru;
	series_stats(c->app->series, &s);
	getrusage(RUSAGE_SELF, &ru);
	metric(out, "anlan_readings_total", "counter", "Readings accepted", (double)s.readings);
	metric(out, "anlan_readings_duplicate_total", "counter", "Readings received again", (double)s.duplicates);
	metric(out, "anlan_readings_late_total", "counter", "Readings older than the newest of their point", (double)s.late);
	metric(out, "anlan_readings_sealed_total", "counter", "Readings in the sealed blocks", (double)s.sealed);
	metric(out, "anlan_series_log_bytes", "gauge", "Bytes of the arrival log on disk", (double)s.log_bytes);
	metric(out, "anlan_series_block_bytes_total", "counter", "Bytes of sealed blocks written", (double)s.block_bytes);
	metric(out, "anlan_series_syncs_total", "counter", "Group commits", (double)s.syncs);
	metric(out, "anlan_series_sync_worst_seconds", "gauge", "Longest group commit", (double)s.worst_sync_us / US_PER_S);
	metric(out, "anlan_series_points", "gauge", "Points with history in memory", (double)s.points);
	metric(out, "anlan_series_healthy", "gauge", "1 while readings can be made durable", series_health(c->app->series) == OK);
	metric(out, "anlan_event_streams", "gauge", "Open event streams", (double)http_streams(c->app->http));
	metric(out, "process_cpu_seconds_total", "counter", "CPU of the core",
	       (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / US_PER_S);
	metric(out, "process_resident_memory_bytes", "gauge", "Largest resident size of the core", (double)ru.ru_maxrss * 1024);
	metric(out, "anlan_start_time_seconds", "gauge", "Start of the core", (double)c->app->started / US_PER_S);
	c->app->metrics(c->app, out);
	c->rs->type = "text/plain; version=0.0.4; charset=utf-8";
	return OK;
}

enum err health_page(struct call *c)
{
	struct series_stats s;
	series_stats(c->app->series, &s);
	struct site *site = call_site(c);
	struct jw *w = &c->w;
	jw_obj(w);
	jw_kcstr(w, "version", c->app->version);
	jw_ktime(w, "started", c->app->started);
	jw_kcstr(w, "series", err_name(series_health(c->app->series)));
	jw_ki64(w, "readings", (int64_t)s.readings);
	jw_ki64(w, "duplicates", (int64_t)s.duplicates);
	jw_ki64(w, "late", (int64_t)s.late);
	jw_ki64(w, "log_bytes", (int64_t)s.log_bytes);
	jw_ki64(w, "block_bytes", (int64_t)s.block_bytes);
	jw_ki64(w, "worst_sync_us", s.worst_sync_us);
	jw_ki64(w, "points", (int64_t)site->npoints);
	jw_ki64(w, "devices", (int64_t)site->ndevices);
	jw_ki64(w, "event_streams", (int64_t)http_streams(c->app->http));
	jw_kbool(w, "demo", c->app->demo);
	jw_end(w);
	return OK;
}
