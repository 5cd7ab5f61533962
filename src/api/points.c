// A point's newest value and its history.
#include <math.h>

#include "api/api.h"
#include "base/strmap.h"
#include "base/time.h"

static const struct site_point *find_point(struct call *c, enum err *ret_err)
{
	struct site *site = call_site(c);
	const struct site_point *p = NULL;
	uint64_t id;
	uint32_t at;
	if (strmap_get(site->point_by_code, c->param[0], &at)) {
		p = &site->points[at];
	} else if (str_to_u64(c->param[0], &id) && id <= UINT32_MAX) {
		p = site_point(site, (uint32_t)id);
	}
	*ret_err = OK;
	if (!p || !auth_in_scope(&c->id, p->def.area, p->def.enterprise)) {
		*ret_err = call_fail(c, ERR_NOT_FOUND, "id", "没有这个监测点，或不在您的管辖范围", "no such point, or outside your scope");
		return NULL;
	}
	return p;
}

static void limit(struct jw *w, const char *key, double v)
{
	if (!isnan(v))
		jw_kf64(w, key, v);
}

static void write_point(struct call *c, const struct site_point *p)
{
	struct jw *w = &c->w;
	jw_ki64(w, "id", p->def.id);
	jw_kstr(w, "code", p->def.code);
	jw_kstr(w, "name", p->name);
	jw_kstr(w, "kind", p->def.kind);
	jw_kstr(w, "unit", p->unit);
	jw_ki64(w, "enterprise", p->def.enterprise);
	jw_kstr(w, "area", p->def.area);
	jw_kobj(w, "limits");
	limit(w, "ll", p->def.ll);
	limit(w, "l", p->def.l);
	limit(w, "h", p->def.h);
	limit(w, "hh", p->def.hh);
	jw_end(w);
}

enum err points_get(struct call *c)
{
	enum err err;
	const struct site_point *p = find_point(c, &err);
	if (err)
		return err;
	struct sample s;
	jw_obj(&c->w);
	write_point(c, p);
	if (series_last(c->app->series, p->def.id, &s)) {
		jw_kf64(&c->w, "value", s.value);
		jw_ktime(&c->w, "time", s.time);
		jw_kcstr(&c->w, "quality", quality_name((enum quality)s.quality));
	}
	jw_end(&c->w);
	return OK;
}

static enum err write_raw(struct call *c, uint32_t point, int64_t from, int64_t to)
{
	struct sample *v;
	size_t n;
	int64_t max;
	enum err err = query_int(c, "max", 200000, 1, 1000000, &max);
	if (!err)
		err = series_read(c->app->series, point, from, to, (size_t)max, c->arena, &v, &n);
	if (err == ERR_TOO_LARGE)
		return call_fail(c, err, "to", "这段时间的原始数据过多，请缩短时间或用 step 汇总", "too many samples: shorten the time or use step");
	if (err)
		return err;
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_arr(&c->w);
		jw_time(&c->w, v[i].time);
		jw_f64(&c->w, v[i].value);
		jw_cstr(&c->w, quality_name((enum quality)v[i].quality));
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return OK;
}

static enum err write_steps(struct call *c, uint32_t point, int64_t from, int64_t to, int64_t step)
{
	struct agg *v;
	size_t n;
	enum err err = series_aggregate(c->app->series, point, from, to, step, c->arena, &v, &n);
	if (err == ERR_TOO_LARGE)
		return call_fail(c, err, "step", "步数过多：请加大 step 或缩短时间（至多 20000 步）", "too many steps: a larger step or a shorter time (at most 20000)");
	if (err)
		return err;
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].n && !v[i].bad)
			continue;
		jw_obj(&c->w);
		jw_ktime(&c->w, "from", v[i].from);
		jw_ki64(&c->w, "count", v[i].n);
		jw_ki64(&c->w, "bad", v[i].bad);
		if (v[i].n) {
			jw_kf64(&c->w, "min", v[i].min);
			jw_kf64(&c->w, "max", v[i].max);
			jw_kf64(&c->w, "avg", v[i].sum / v[i].n);
			jw_kf64(&c->w, "last", v[i].last);
		}
		jw_kcstr(&c->w, "quality", quality_name((enum quality)v[i].worst));
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return OK;
}

enum err points_series(struct call *c)
{
	enum err err;
	const struct site_point *p = find_point(c, &err);
	int64_t now = clock_now(), from, to, step = 0;
	struct str step_text = http_query(c->rq, "step");
	if (!err)
		err = query_time(c, "to", now + US_PER_S, &to);
	if (!err)
		err = query_time(c, "from", to - US_PER_HOUR, &from);
	if (err)
		return err;
	if (step_text.n && (!duration_parse(step_text, &step) || step <= 0))
		return call_fail(c, ERR_INVALID, "step", "step 须为时长，如 60s、5min、1h", "step must be a duration such as 60s, 5min, 1h");
	if (from >= to)
		return call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	jw_obj(&c->w);
	jw_kobj(&c->w, "point");
	write_point(c, p);
	jw_end(&c->w);
	jw_kstr(&c->w, "unit", p->unit);
	err = step ? write_steps(c, p->def.id, from, to, step) : write_raw(c, p->def.id, from, to);
	jw_end(&c->w);
	return err;
}
