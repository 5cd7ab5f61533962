// A computation of zones kept as a record (consequence_case). It is computed again here, and what the models said is written by
// the system over the record that the caller creates, in one transaction: nobody can save numbers that were not computed.
#include "api/zones.h"
#include "base/time.h"

static const char case_type[] = "consequence_case";

static json_t *text(struct str s) { return json_stringn(s.p, s.n); }
static struct str said(const struct zone_work *w, struct str zh, struct str en) { return call_is_en(w->c) ? en : zh; }

static const char *points_of_compass(double from)
{
	static const char *const zh[] = { "北", "东北", "东", "东南", "南", "西南", "西", "西北" };
	return zh[(int)((from + 22.5) / 45) % 8];
}

static struct str weather_text(const struct zone_work *w)
{
	const struct zone_air *a = &w->set.air;
	char when[TIME_TEXT_MAX];
	struct str s = arena_printf(w->c->arena, "%s风（%.0f°）%.1f m/s，稳定度 %c，%.1f ℃，湿度 %.0f %%，风向不确定 ±%.0f°", points_of_compass(a->from), a->from,
	                            a->u, 'A' + a->stability, a->t - 273.15, a->rh, a->spread);
	if (!w->live.at)
		return arena_printf(w->c->arena, "%.*s（填写）", STR_FMT(s));
	size_t n = time_text(w->live.at, when);
	return arena_printf(w->c->arena, "%.*s（实测：%.*s，%.1f km，%.*s）", STR_FMT(s), STR_FMT(w->live.station), w->live.distance / 1000, (int)n, when);
}

static struct str level_of(const struct zone_work *w, size_t k)
{
	return k < w->set.n ? said(w, w->set.v[k].zh, w->set.v[k].en) : STR_EMPTY;
}

static json_t *levels_rows(const struct zone_work *w)
{
	json_t *rows = json_array();
	for (size_t k = 0; k < w->set.n; k++) {
		const struct zone *z = &w->set.v[k];
		json_array_append_new(rows, json_pack("{s:o,s:f,s:f,s:f,s:f,s:f}", "level", text(level_of(w, k)), "reach", round(z->reach), "width",
		                                      round(z->half_width), "area", round(z->area), "day", w->day[k], "night", w->night[k]));
	}
	return rows;
}

static json_t *places_rows(const struct zone_work *w)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < w->nplaces && i < LIMIT_ROWS; i++) {
		const struct zone_place *p = &w->places[i];
		json_array_append_new(rows, json_pack("{s:o,s:o,s:o,s:f,s:f,s:f}", "name", text(p->title), "kind", text(said(w, p->label.zh, p->label.en)),
		                                      "level", text(level_of(w, p->level)), "distance", round(p->distance), "day", p->day, "night", p->night));
	}
	return rows;
}

static json_t *roads_rows(const struct zone_work *w)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < w->nroads && i < 200; i++)
		json_array_append_new(rows, json_pack("{s:o,s:o,s:f}", "name", text(w->roads[i].name), "level", text(level_of(w, w->roads[i].level)),
		                                      "length", round(w->roads[i].length)));
	return rows;
}

static json_t *chain_rows(const struct zone_work *w)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < w->nblows; i++) {
		const struct zone_blow *b = &w->blows[i];
		const char *unit = b->effect == ZONE_BLAST ? "kPa" : "kW/m2";
		json_t *row = json_pack("{s:i,s:o,s:o,s:o,s:o}", "order", (int)b->order, "from",
		                        text(b->from ? zone_target_title(w, b->from) : w->source.title), "to", text(zone_target_title(w, b->to)), "load",
		                        text(arena_printf(w->c->arena, "%.3g / %.3g %s", b->intensity, b->limit, unit)), "next",
		                        text(said(w, b->next_zh, b->next_en)));
		if (isfinite(b->probability))
			json_object_set_new(row, "probability", json_real(round(b->probability * 1000) / 1000));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *steps_rows(const struct zone_work *w)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < w->set.n_steps && i < 60; i++) {
		const struct zone_step *s = &w->set.steps[i];
		json_array_append_new(rows, json_pack("{s:o,s:o,s:o,s:o}", "model", text(s->model), "why", text(said(w, s->why_zh, s->why_en)), "inputs",
		                                      text(s->inputs), "answer", text(str_first(s->answer, 20000))));
	}
	return rows;
}

static json_t *coordinates(const struct zone_work *w, const struct zone_ring *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i <= r->n && r->n; i++) {
		double lon, lat;
		plane_degrees(&w->plane, r->v[i % r->n], &lon, &lat);
		json_array_append_new(list, json_pack("[f,f]", round(lon * 1e6) / 1e6, round(lat * 1e6) / 1e6));
	}
	return list;
}

static void add_outline(const struct zone_work *w, json_t *rows, struct str key, const char *what, const struct zone_ring *r)
{
	json_t *ring = coordinates(w, r);
	if (r->n)
		json_array_append_new(rows, json_pack("{s:o,s:s,s:o}", "key", text(key), "what", what, "ring", text(zones_text(w->c, ring))));
	json_decref(ring);
}

static json_t *outline_rows(const struct zone_work *w)
{
	static const char *const then[ZONE_TIMES] = { "10min", "30min", "60min" };
	json_t *rows = json_array();
	for (size_t k = 0; k < w->set.n; k++) {
		const struct zone *z = &w->set.v[k];
		add_outline(w, rows, z->key, "ring", &z->ring);
		add_outline(w, rows, z->key, "band", &z->band);
		for (size_t i = 0; i < ZONE_TIMES; i++)
			add_outline(w, rows, z->key, then[i], &z->then[i].ring);
	}
	return rows;
}

static json_t *warnings_text(const struct zone_work *w)
{
	struct str s = STR_EMPTY;
	for (size_t i = 0; i < w->set.n_warnings; i++)
		s = arena_printf(w->c->arena, "%.*s%s%.*s", STR_FMT(s), i ? "\n" : "", STR_FMT(said(w, w->set.warnings[i].zh, w->set.warnings[i].en)));
	return text(s);
}

// What the system writes: everything that was computed.
static json_t *computed(const struct zone_work *w)
{
	char now[TIME_TEXT_MAX];
	const struct zone_ring *widest = NULL;
	double reach = 0, day = 0, night = 0;
	struct zone_substance sub;
	bool known = zone_substance_find(w->c->app->risk, w->substance, &sub);
	for (size_t k = 0; k < w->set.n; k++) {
		widest = w->set.v[k].band.n ? &w->set.v[k].band : widest;
		reach = fmax(reach, w->set.v[k].reach);
		day = fmax(day, w->day[k]);
		night = fmax(night, w->night[k]);
	}
	size_t n = time_text(clock_now(), now);
	json_t *j = json_pack("{s:s,s:o,s:o,s:o,s:s%,s:[f,f],s:f,s:f,s:f}", "scenario", w->set.scenario->name, "substance",
	                      text(known ? arena_printf(w->c->arena, "%.*s（CAS %.*s）", STR_FMT(sub.zh), STR_FMT(sub.cas)) : w->substance), "inputs",
	                      text(zone_inputs_text(&w->set, call_is_en(w->c), w->c->arena)), "weather", text(weather_text(w)), "computed", now, n, "position", w->source.lon, w->source.lat, "reach",
	                      round(reach), "day", day, "night", night);
	if (widest)
		json_object_set_new(j, "zone", json_pack("{s:s,s:[o]}", "type", "Polygon", "coordinates", coordinates(w, widest)));
	json_object_set_new(j, "version", json_integer(1)); // of the record that was created a moment before
	json_object_set_new(j, "levels", levels_rows(w));
	json_object_set_new(j, "places", places_rows(w));
	json_object_set_new(j, "roads", roads_rows(w));
	json_object_set_new(j, "chain", chain_rows(w));
	json_object_set_new(j, "steps", steps_rows(w));
	json_object_set_new(j, "outlines", outline_rows(w));
	json_object_set_new(j, "warnings", warnings_text(w));
	return j;
}

static void copy_if(json_t *to, const json_t *from, const char *key)
{
	json_t *v = json_object_get(from, key);
	if (v && !json_is_null(v))
		json_object_set(to, key, v);
}

// What the caller may say himself.
static json_t *by_caller(const struct zone_work *w, const json_t *body)
{
	json_t *j = json_object();
	copy_if(j, body, "title");
	copy_if(j, body, "warning");
	copy_if(j, body, "note");
	if (w->source.equipment)
		json_object_set_new(j, "equipment", json_integer(w->source.equipment));
	if (w->source.installation)
		json_object_set_new(j, "installation", json_integer(w->source.installation));
	if (w->source.enterprise)
		json_object_set_new(j, "enterprise", json_integer(w->source.enterprise));
	if (w->source.area.n)
		json_object_set_new(j, "area", text(w->source.area));
	return j;
}

struct saving { struct call *c; const struct type *t; json_t *given, *computed; int64_t id; };

static enum err save_job(struct db *db, void *arg, struct problem *p)
{
	struct saving *s = arg;
	struct identity system = identity_system();
	enum err err = flow_create(db, s->c->reg, s->t, s->given, &s->c->id, s->c->arena, &s->id, p);
	if (!err)
		err = flow_edit(db, s->c->reg, s->t, s->id, s->computed, &system, s->c->arena, p);
	return err ? err : idempotent_claim(db, s->c, s->id);
}

enum err zones_save(struct call *c)
{
	struct saving s = { .c = c, .t = registry_type(c->reg, str_of(case_type)) };
	struct zone_work *w = arena_one(c->arena, struct zone_work);
	if (!s.t || !auth_may_create(&c->id, s.t))
		return call_fail(c, ERR_FORBIDDEN, NULL, "你的角色不能保存后果推演", "your role may not save consequence cases");
	enum err err = zones_work(c, c->body, w);
	if (err)
		return err;
	s.given = by_caller(w, c->body);
	s.computed = computed(w);
	call_db_refresh(c);
	err = store_write(c->app->store, save_job, &s, &c->p);
	json_decref(s.given);
	json_decref(s.computed);
	if (err)
		return err;
	c->rs->status = 201;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", s.id);
	jw_end(&c->w);
	return OK;
}

// ---- GeoJSON -------------------------------------------------------------------------------------------
static void feature(struct jw *o, const json_t *row, const struct row *r)
{
	const char *ring = json_string_value(json_object_get(row, "ring"));
	jw_obj(o);
	jw_kcstr(o, "type", "Feature");
	jw_kobj(o, "properties");
	jw_kstr(o, "case", r->c.number);
	jw_kstr(o, "title", r->c.title);
	jw_kcstr(o, "zone", json_string_value(json_object_get(row, "key")));
	jw_kcstr(o, "what", json_string_value(json_object_get(row, "what")));
	jw_end(o);
	jw_kobj(o, "geometry");
	jw_kcstr(o, "type", "Polygon");
	jw_karr(o, "coordinates");
	jw_raw(o, str_of(ring ? ring : "[]"));
	jw_end(o);
	jw_end(o);
	jw_end(o);
}

enum err zones_geojson(struct call *c)
{
	const struct type *t = registry_type(c->reg, str_of(case_type));
	const struct field *f = t ? type_field(t, STR("outlines")) : NULL;
	struct row row;
	int64_t id;
	size_t i;
	json_t *one;
	if (!f || !auth_may_read(&c->id, t) || !auth_may_read_field(&c->id, f))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有后果推演这个类型，或无权查看", "there are no consequence cases, or not yours to see");
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = call_row(c, call_db(c), t, id, &row, &c->p);
	if (err)
		return err;
	const struct value *v = &row.vals[f->col];
	json_t *rows = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	jw_obj(&c->w);
	jw_kcstr(&c->w, "type", "FeatureCollection");
	jw_karr(&c->w, "features"); // WGS 84 longitude and latitude (RFC 7946); CGCS2000 differs by centimetres
	json_array_foreach(rows, i, one)
		feature(&c->w, one, &row);
	jw_end(&c->w);
	jw_end(&c->w);
	json_decref(rows);
	c->rs->type = "application/geo+json";
	c->rs->filename = arena_printf(c->arena, "%.*s.geojson", STR_FMT(row.c.number));
	return OK;
}
