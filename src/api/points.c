// A point's newest value and its history.
#include <math.h>

#include "api/api.h"
#include "base/time.h"

// By code or record id, if it is in the caller's scope; otherwise it is as if it were not there.
enum err call_point(struct call *c, struct str name, const char *field, const struct site_point **ret)
{
	struct site *site = call_site(c);
	struct site_point *p = arena_one(c->arena, struct site_point);
	uint64_t id;
	bool found = site_point_named(site, name, p) || (str_to_u64(name, &id) && id <= UINT32_MAX && site_point(site, (uint32_t)id, p));
	*ret = p;
	if (found && auth_in_scope(&c->id, point_place(p)))
		return OK;
	return call_fail(c, ERR_NOT_FOUND, field, arena_printf(c->arena, "没有监测点 %.*s，或不在您的管辖范围", STR_FMT(name)).p,
	                 arena_printf(c->arena, "no point %.*s, or outside your scope", STR_FMT(name)).p);
}

// ?points=A,B,…: one to LIMIT_SERIES_POINTS.
enum err call_points(struct call *c, const struct site_point ***ret, size_t *ret_n)
{
	struct str rest = http_query(c->rq, "points");
	const struct site_point **v = arena_many(c->arena, LIMIT_SERIES_POINTS, const struct site_point *);
	size_t n = 0;
	enum err err = OK;
	while (rest.n && !err) {
		struct str name = str_trim(str_cut(&rest, ','));
		if (n == LIMIT_SERIES_POINTS)
			return call_fail(c, ERR_TOO_LARGE, "points", "监测点过多：至多 1000 个", "too many points: at most 1000");
		err = call_point(c, name, "points", &v[n++]);
	}
	if (!err && !n)
		err = call_fail(c, ERR_INVALID, "points", "请用 points=A,B 指定监测点", "say which points: points=A,B");
	*ret = v;
	*ret_n = n;
	return err;
}

enum err call_span(struct call *c, int64_t *ret_from, int64_t *ret_to)
{
	enum err err = query_time(c, "to", clock_now() + US_PER_S, ret_to);
	if (!err)
		err = query_time(c, "from", *ret_to - US_PER_HOUR, ret_from);
	if (!err && *ret_from >= *ret_to)
		err = call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	return err;
}

static enum err query_step(struct call *c, int64_t *ret)
{
	struct str text = http_query(c->rq, "step");
	*ret = 0;
	if (!text.n || (duration_parse(text, ret) && *ret > 0))
		return OK;
	return call_fail(c, ERR_INVALID, "step", "step 须为时长，如 60s、5min、1h、1d", "step must be a duration such as 60s, 5min, 1h, 1d");
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

void write_doubt(struct call *c, uint32_t point)
{
	static const char *const names[DOUBT_REASONS] = { "frozen", "impossible", "copied", "drift" };
	struct doubted k;
	if (!c->app->detect_doubted(c->app, point, &k))
		return;
	jw_kobj(&c->w, "doubt");
	jw_karr(&c->w, "reasons");
	for (unsigned r = 0; r < DOUBT_REASONS; r++)
		if (k.reasons >> r & 1)
			jw_cstr(&c->w, names[r]);
	jw_end(&c->w);
	jw_ktime(&c->w, "since", k.since);
	jw_end(&c->w);
}

enum err points_get(struct call *c)
{
	const struct site_point *p;
	enum err err = call_point(c, c->param[0], "id", &p);
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
	write_doubt(c, p->def.id);
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

// ---- steps --------------------------------------------------------------------------------------

enum agg_name { AGG_COUNT, AGG_BAD, AGG_MIN, AGG_MAX, AGG_AVG, AGG_SUM, AGG_FIRST, AGG_LAST, AGG_QUALITY, AGG_COUNTS, AGG__MAX };
static const char *const agg_names[AGG__MAX] = { "count", "bad", "min", "max", "avg", "sum", "first", "last", "quality", "counts" };

// ?agg=min,max…; a bit for each.
static enum err query_agg(struct call *c, unsigned otherwise, unsigned *ret)
{
	struct str rest = http_query(c->rq, "agg");
	*ret = rest.n ? 0 : otherwise;
	while (rest.n) {
		struct str name = str_trim(str_cut(&rest, ','));
		unsigned i = 0;
		while (i < AGG__MAX && !str_is(name, agg_names[i]))
			i++;
		if (i == AGG__MAX)
			return call_fail(c, ERR_INVALID, "agg", "agg 可为 count bad min max avg sum first last quality counts，用逗号分隔",
			                 "agg may be count bad min max avg sum first last quality counts, with commas");
		*ret |= 1u << i;
	}
	return OK;
}

static void write_counts(struct jw *w, const struct agg *v)
{
	jw_obj(w);
	for (unsigned q = 0; q < Q__MAX; q++)
		if (v->count[q])
			jw_ki64(w, quality_name((enum quality)q), v->count[q]);
	jw_end(w);
}

static void write_agg(struct jw *w, const struct agg *v, unsigned which)
{
	const double value[AGG__MAX] = { [AGG_MIN] = v->min, [AGG_MAX] = v->max, [AGG_AVG] = v->n ? v->sum / v->n : 0,
		[AGG_SUM] = v->sum, [AGG_FIRST] = v->first, [AGG_LAST] = v->last };
	if (which == AGG_COUNT || which == AGG_BAD)
		jw_i64(w, which == AGG_COUNT ? v->n : v->bad);
	else if (which == AGG_COUNTS)
		write_counts(w, v);
	else if (which == AGG_QUALITY && v->n + v->bad)
		jw_cstr(w, quality_name((enum quality)v->worst));
	else if (which == AGG_QUALITY || !v->n)
		jw_null(w);
	else
		jw_f64(w, value[which]);
}

static enum err steps_of(struct call *c, uint32_t point, int64_t from, int64_t to, int64_t step, struct arena *a, struct agg **ret,
                         size_t *ret_n)
{
	enum err err = series_aggregate(c->app->series, point, from, to, step, a, ret, ret_n);
	if (err == ERR_TOO_LARGE)
		return call_fail(c, err, "step", "步数过多：请加大 step 或缩短时间（至多 20000 步）", "too many steps: a larger step or a shorter time (at most 20000)");
	return err;
}

static enum err write_steps(struct call *c, uint32_t point, int64_t from, int64_t to, int64_t step)
{
	struct agg *v;
	size_t n;
	unsigned which;
	enum err err = query_agg(c, (1u << AGG_COUNTS) - 1, &which);
	if (!err)
		err = steps_of(c, point, from, to, step, c->arena, &v, &n);
	if (err)
		return err;
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].n && !v[i].bad)
			continue;
		jw_obj(&c->w);
		jw_ktime(&c->w, "from", v[i].from);
		for (unsigned k = 0; k < AGG__MAX; k++)
			if (which >> k & 1 && (v[i].n || k < AGG_MIN || k > AGG_LAST)) {
				jw_key(&c->w, agg_names[k]);
				write_agg(&c->w, &v[i], k);
			}
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return OK;
}

enum err points_series(struct call *c)
{
	const struct site_point *p;
	int64_t from, to, step;
	enum err err = call_point(c, c->param[0], "id", &p);
	if (!err)
		err = call_span(c, &from, &to);
	if (!err)
		err = query_step(c, &step);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kobj(&c->w, "point");
	write_point(c, p);
	jw_end(&c->w);
	jw_kstr(&c->w, "unit", p->unit);
	err = step ? write_steps(c, p->def.id, from, to, step) : write_raw(c, p->def.id, from, to);
	jw_end(&c->w);
	return err;
}

// ---- many points --------------------------------------------------------------------------------

enum err points_last(struct call *c)
{
	const struct site_point **p;
	size_t n;
	enum err err = call_points(c, &p, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		struct sample s;
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", p[i]->def.id);
		jw_kstr(&c->w, "code", p[i]->def.code);
		if (series_last(c->app->series, p[i]->def.id, &s)) {
			jw_kf64(&c->w, "value", s.value);
			jw_ktime(&c->w, "time", s.time);
			jw_kcstr(&c->w, "quality", quality_name((enum quality)s.quality));
		}
		write_doubt(c, p[i]->def.id);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

static enum err write_columns(struct call *c, const struct site_point *p, int64_t from, int64_t to, int64_t step, unsigned which,
                              struct arena *a)
{
	struct agg *v;
	size_t n;
	enum err err = steps_of(c, p->def.id, from, to, step, a, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", p->def.id);
	jw_kstr(&c->w, "code", p->def.code);
	jw_kstr(&c->w, "unit", p->unit);
	for (unsigned k = 0; k < AGG__MAX; k++) {
		if (!(which >> k & 1))
			continue;
		jw_karr(&c->w, agg_names[k]);
		for (size_t i = 0; i < n; i++)
			write_agg(&c->w, &v[i], k);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return OK;
}

enum err series_get(struct call *c)
{
	const struct site_point **p;
	size_t n;
	int64_t from, to, step;
	unsigned which;
	enum err err = call_points(c, &p, &n);
	if (!err)
		err = call_span(c, &from, &to);
	if (!err)
		err = query_step(c, &step);
	if (!err)
		err = query_agg(c, 1u << AGG_AVG, &which);
	if (err)
		return err;
	if (!step)
		return call_fail(c, ERR_INVALID, "step", "多个监测点须给出 step，如 1min、1h；原始数据请用导出", "several points need a step such as 1min, 1h; for samples use the export");
	if ((to - from) / step + 1 > (int64_t)(LIMIT_SERIES_VALUES / (n * (size_t)__builtin_popcount(which))))
		return call_fail(c, ERR_TOO_LARGE, "step", "数值过多（监测点×步数×agg 至多 2000000）：请加大 step、缩短时间或减少监测点",
		                 "too many numbers (points × steps × agg, at most 2000000): a larger step, a shorter time or fewer points");
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	jw_obj(&c->w);
	jw_ktime(&c->w, "from", from);
	jw_kf64(&c->w, "step_s", (double)step / US_PER_S);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n && !err; i++, arena_reset(a))
		err = write_columns(c, p[i], from, to, step, which, a);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}
