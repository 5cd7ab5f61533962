// How the platform itself is: liveness, metrics, and a page for its keeper.
#include "api/api.h"
#include "base/time.h"

#include <sys/statvfs.h>

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

enum err metrics_get(struct call *c)
{
	if (!may_see_metrics(c))
		return call_fail(c, ERR_FORBIDDEN, NULL, "指标只对本机开放", "metrics are for loopback only");
	struct buf *out = &c->rs->body;
	c->app->metrics(c->app, out);
	c->rs->type = "text/plain; version=0.0.4; charset=utf-8";
	return OK;
}

// Of the disk the data folder is on, in bytes; what only root may use does not count as free.
static void write_disk(struct jw *w, const char *dir)
{
	struct statvfs v;
	if (statvfs(dir, &v))
		return;
	jw_ki64(w, "disk_free", (int64_t)(v.f_bavail * v.f_frsize));
	jw_ki64(w, "disk_size", (int64_t)(v.f_blocks * v.f_frsize));
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
	jw_ki64(w, "damaged", (int64_t)s.corrupt); // blocks, snapshot sections and log readings left out
	struct site_point damaged;
	if (s.damaged_point && site_point(site, s.damaged_point, &damaged))
		jw_kstr(w, "damaged_point", damaged.def.code);
	jw_ki64(w, "worst_sync_us", s.worst_sync_us);
	jw_ki64(w, "points", (int64_t)points_count(site->points));
	jw_ki64(w, "devices", (int64_t)site->roster->ndevices);
	jw_ki64(w, "event_streams", (int64_t)http_streams(c->app->http));
	jw_kbool(w, "demo", c->app->demo);
	write_disk(w, arena_cstr(c->arena, c->app->data_dir));
	int64_t by = 0, at = c->app->clock_set(c->app, &by);
	if (at) { // the server's own clock was set: whoever wonders about times looks here
		jw_ktime(w, "clock_set_at", at);
		jw_kf64(w, "clock_set_by_s", (double)by / US_PER_S);
	}
	jw_end(w);
	return OK;
}
