// Consequence zones on the map: what an accident of a scenario does around its place in this weather. Nothing is stored here;
// zone_cases.c saves. The models and the outlines are src/risk/zone*.c; the ground is src/map/plane.h.
#include "api/zones.h"
#include "base/time.h"
#include "model/held.h"

// ---- what can be asked ----------------------------------------------------------------------------
static void substance_json(struct jw *w, const struct zone_substance *s)
{
	jw_obj(w);
	jw_kstr(w, "cas", s->cas);
	jw_kstr(w, "name", s->name);
	jw_kstr(w, "names", s->names);
	jw_kbool(w, "toxic", s->toxic);
	jw_kbool(w, "flammable", isfinite(s->lel) || isfinite(s->dhc));
	jw_kbool(w, "liquid", zone_is_liquid(s));
	jw_kf64(w, "dHc", s->dhc);
	jw_kf64(w, "boiling_K", s->boiling);
	jw_kf64(w, "rho", s->rho);
	// what the scenarios can do with it
	jw_karr(w, "scenarios");
	if (s->toxic && isfinite(s->mw)) {
		jw_cstr(w, "toxic-plume");
		jw_cstr(w, "toxic-puff");
	}
	if (isfinite(s->lel))
		jw_cstr(w, "flash-fire");
	if (isfinite(s->dhc)) {
		jw_cstr(w, "pool-fire");
		jw_cstr(w, "jet-fire");
		jw_cstr(w, "bleve");
		jw_cstr(w, "vce");
	}
	jw_cstr(w, "vessel-burst");
	jw_cstr(w, "dust-explosion");
	jw_end(w);
	jw_end(w);
}

enum err zones_get(struct call *c)
{
	size_t n;
	const struct risk_model *const *list = zone_scenarios(&n);
	struct zone_substance s;
	jw_obj(&c->w);
	jw_karr(&c->w, "scenarios");
	for (size_t i = 0; i < n; i++)
		risk_write_schema(list[i], c->app->risk, &c->w);
	jw_end(&c->w);
	jw_key(&c->w, "weather");
	risk_write_schema(&zone_weather, c->app->risk, &c->w);
	jw_karr(&c->w, "substances");
	for (size_t i = 0; zone_substance_at(c->app->risk, i, &s); i++)
		substance_json(&c->w, &s);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

static double real_of(const struct type *t, const struct row *row, const char *name, size_t which)
{
	const struct field *f = type_field(t, str_of(name));
	return f && f->ncols > which && row->vals[f->col + which].kind == VAL_REAL ? row->vals[f->col + which].f : NAN;
}

static void vessel_json(struct call *c, const struct type *t, const struct row *row)
{
	struct zone_substance s;
	double volume = real_of(t, row, "capacity", 0), lon = real_of(t, row, "position", 0), lat = real_of(t, row, "position", 1);
	bool tonnes = str_is(held_text(t, row, "capacity_unit"), "t");
	if (!zone_substance_find(c->app->risk, held_text(t, row, "medium"), &s))
		return; // nothing that the scenarios know
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", row->c.id);
	jw_kstr(&c->w, "title", row->c.title);
	jw_kstr(&c->w, "medium", held_text(t, row, "medium"));
	jw_kstr(&c->w, "cas", s.cas);
	jw_kf64(&c->w, "volume", tonnes ? volume * 1000 / s.rho : volume);
	jw_kf64(&c->w, "mass", round(tonnes ? volume * 1000 : volume * s.rho * 0.85)); // kg, filled to 85 %
	jw_key(&c->w, "position");
	if (isnan(lon) || isnan(lat)) {
		jw_null(&c->w);
	} else {
		jw_arr(&c->w);
		jw_f64(&c->w, lon);
		jw_f64(&c->w, lat);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

// Vessels that belong to the installation or enterprise, in the caller's scope; at most one page of them.
enum err zones_vessels(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("equipment"));
	int64_t installation, enterprise, total;
	struct row *rows = NULL;
	size_t n = 0;
	enum err err = query_int(c, "installation", 0, 1, INT64_MAX, &installation);
	err = err ? err : query_int(c, "enterprise", 0, 1, INT64_MAX, &enterprise);
	if (err)
		return err;
	if (!installation && !enterprise)
		return call_fail(c, ERR_INVALID, "installation", "应给出 installation 或 enterprise", "installation or enterprise is needed");
	struct value id = { .kind = VAL_INT, .i = installation ? installation : enterprise };
	struct filter filter = { installation ? STR("installation") : STR("enterprise"), FILTER_EQ, &id, 1 };
	struct list_query lq = { .filters = &filter, .nfilters = 1, .limit = LIMIT_PAGE_SIZE };
	if (t && auth_may_read(&c->id, t)) {
		struct scope scope = auth_scope(&c->id, t);
		err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p);
	}
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = n; i-- > 0 && !err;) // in the order in which they were entered
		vessel_json(c, t, &rows[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}

// ---- reading what is asked --------------------------------------------------------------------------
static enum err known_keys(struct call *c, const json_t *body)
{
	static const char *const keys[] = { "at", "equipment", "installation", "scenario", "substance", "inputs", "weather", "title", "warning", "note" };
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)body, key, v) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known |= strcmp(key, keys[i]) == 0;
		if (!known)
			return call_fail(c, ERR_INVALID, arena_cstr(c->arena, str_of(key)), "没有这一项", "there is no such member");
	}
	return json_is_object(body) ? OK : call_fail(c, ERR_INVALID, "", "应为一个对象", "an object is expected");
}

// The equipment or installation that was named, in the caller's scope.
static enum err read_thing(struct zone_work *w, const char *type, int64_t id)
{
	struct call *c = w->c;
	const struct type *t = registry_type(c->reg, str_of(type));
	struct row row;
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, type, "没有这个类型，或无权查看", "no such type, or not yours to see");
	struct scope scope = auth_scope(&c->id, t);
	enum err err = records_get(call_db(c), &t->table, &scope, id, c->arena, &row);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, type, "没有这条记录，或不在您的管辖范围", "no such record, or outside your scope");
	if (err)
		return err;
	struct zone_source *s = &w->source;
	bool vessel = strcmp(type, "equipment") == 0;
	*(vessel ? &s->equipment : &s->installation) = id;
	s->title = row.c.title;
	s->enterprise = row.c.enterprise;
	s->area = row.c.area;
	s->lon = real_of(t, &row, "position", 0);
	s->lat = real_of(t, &row, "position", 1);
	s->substance = vessel ? held_text(t, &row, "medium") : STR_EMPTY;
	s->required = vessel ? NAN : real_of(t, &row, "external_distance", 0);
	s->volume = vessel ? real_of(t, &row, "capacity", 0) : NAN;
	const struct field *in = vessel ? type_field(t, STR("installation")) : NULL;
	if (in && row.vals[in->col].kind == VAL_INT && registry_type(c->reg, STR("installation"))) { // what its installation must keep clear
		const struct type *it = registry_type(c->reg, STR("installation"));
		struct scope around = auth_scope(&c->id, it);
		struct row unit;
		if (auth_may_read(&c->id, it) && records_get(call_db(c), &it->table, &around, row.vals[in->col].i, c->arena, &unit) == OK) {
			s->installation = unit.c.id;
			s->required = real_of(it, &unit, "external_distance", 0);
		}
	}
	if (isnan(s->lon) || isnan(s->lat))
		return call_fail(c, ERR_INVALID, type, "这条记录没有位置：先在记录中标出，或在地图上点一个点", "the record has no position: put it there, or pick a point");
	return OK;
}

static enum err read_source(struct zone_work *w, const json_t *body)
{
	static const char *const types[] = { "equipment", "installation" };
	const json_t *at = json_object_get(body, "at");
	w->source = (struct zone_source){ .title = STR_EMPTY, .substance = STR_EMPTY, .area = STR_EMPTY, .lon = NAN, .lat = NAN,
		.volume = NAN, .required = NAN };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const json_t *id = json_object_get(body, types[i]);
		if (json_is_integer(id) && json_integer_value(id) > 0) {
			enum err err = read_thing(w, types[i], json_integer_value(id));
			if (err)
				return err;
			break;
		}
	}
	if (at) {
		const json_t *x = json_array_get(at, 0), *y = json_array_get(at, 1);
		double lon = json_number_value(x), lat = json_number_value(y);
		if (json_array_size(at) != 2 || !json_is_number(x) || !json_is_number(y) || fabs(lon) > 180 || fabs(lat) > 85)
			return call_fail(w->c, ERR_INVALID, "at", "应为 [经度, 纬度]（度）", "[longitude, latitude] in degrees is expected");
		w->source.lon = lon;
		w->source.lat = lat;
	}
	if (isnan(w->source.lon))
		return call_fail(w->c, ERR_INVALID, "at", "应给出地点 at，或 equipment、installation", "at is needed, or equipment or installation");
	w->plane = plane_at(w->source.lon, w->source.lat);
	return OK;
}

struct str zones_text(struct call *c, const json_t *j)
{
	const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(12);
	size_t n = j ? json_dumpb(j, NULL, 0, flags) : 0;
	char *p = n ? arena_alloc(c->arena, n + 1) : NULL;
	if (p)
		(void)json_dumpb(j, p, n, flags);
	return p ? str_from(p, n) : STR("{}");
}

static struct str text_in(const json_t *body, const char *key)
{
	const json_t *j = json_object_get(body, key);
	return json_is_string(j) ? str_from(json_string_value(j), json_string_length(j)) : STR_EMPTY;
}

enum err zones_work(struct call *c, const json_t *body, struct zone_work *w)
{
	int64_t began = clock_mono();
	json_t *weather = NULL;
	*w = (struct zone_work){ .c = c };
	enum err err = known_keys(c, body);
	if (!err)
		err = read_source(w, body);
	if (!err)
		err = zone_live_weather(w, json_object_get(body, "weather"), &weather);
	if (err) {
		json_decref(weather);
		return err;
	}
	w->scenario = text_in(body, "scenario");
	w->substance = text_in(body, "substance");
	w->substance = w->substance.n ? w->substance : w->source.substance;
	w->inputs = zones_text(c, json_object_get(body, "inputs"));
	w->weather = zones_text(c, weather);
	json_decref(weather);
	struct zone_ask ask = { .scenario = w->scenario, .substance = w->substance, .inputs = w->inputs, .weather = w->weather };
	err = zone_compute(&ask, c->app->risk, c->arena, &w->set, &c->p);
	if (!err)
		err = zone_around(w);
	w->took = clock_mono() - began;
	return err;
}

// ---- the answer --------------------------------------------------------------------------------------
static void ring_json(const struct zone_work *w, struct jw *o, const struct zone_ring *r)
{
	jw_arr(o);
	for (size_t i = 0; i <= r->n && r->n; i++) {
		double lon, lat;
		plane_degrees(&w->plane, r->v[i % r->n], &lon, &lat);
		jw_arr(o);
		jw_f64(o, round(lon * 1e6) / 1e6);
		jw_f64(o, round(lat * 1e6) / 1e6);
		jw_end(o);
	}
	jw_end(o);
}

static void words_json(struct jw *o, const char *key, struct str zh, struct str en)
{
	jw_klabel(o, key, (struct label){ zh, en });
}

static void people_json(struct jw *o, const char *key, double day, double night)
{
	jw_kobj(o, key);
	jw_ki64(o, "day", (int64_t)llround(day));
	jw_ki64(o, "night", (int64_t)llround(night));
	jw_end(o);
}

static void zone_json(const struct zone_work *w, struct jw *o, size_t k)
{
	const struct zone *z = &w->set.v[k];
	jw_obj(o);
	jw_kstr(o, "key", z->key);
	jw_kstr(o, "color", z->color);
	words_json(o, "label", z->zh, z->en);
	jw_kf64(o, "value", z->value);
	jw_kstr(o, "unit", z->unit);
	jw_kf64(o, "reach", round(z->reach * 10) / 10);
	jw_kf64(o, "upwind", round(z->upwind * 10) / 10);
	jw_kf64(o, "half_width", round(z->half_width * 10) / 10);
	jw_kf64(o, "area", round(z->area));
	jw_key(o, "ring");
	ring_json(w, o, &z->ring);
	jw_key(o, "band");
	ring_json(w, o, &z->band);
	people_json(o, "people", w->day[k], w->night[k]);
	people_json(o, "people_this_wind", w->sure_day[k], w->sure_night[k]);
	jw_karr(o, "then");
	for (size_t i = 0; i < ZONE_TIMES && w->set.travels; i++) {
		jw_obj(o);
		jw_kf64(o, "minutes", z->then[i].minutes);
		jw_key(o, "ring");
		ring_json(w, o, &z->then[i].ring);
		jw_end(o);
	}
	jw_end(o);
	jw_end(o);
}

static void place_json(const struct zone_work *w, struct jw *o, const struct zone_place *p)
{
	jw_obj(o);
	jw_kstr(o, "type", p->type);
	jw_ki64(o, "id", p->id);
	jw_kstr(o, "title", p->title);
	jw_kstr(o, "kind", p->kind);
	jw_klabel(o, "label", p->label);
	jw_kstr(o, "color", p->color);
	jw_kstr(o, "zone", p->level < w->set.n ? w->set.v[p->level].key : STR_EMPTY);
	jw_kbool(o, "this_wind", p->sure);
	jw_kf64(o, "distance", round(p->distance));
	jw_ki64(o, "day", (int64_t)llround(p->day));
	jw_ki64(o, "night", (int64_t)llround(p->night));
	jw_kf64(o, "minutes", isfinite(p->minutes) ? round(p->minutes * 10) / 10 : NAN); // of a cloud, by the mean wind
	jw_karr(o, "position");
	jw_f64(o, p->lon);
	jw_f64(o, p->lat);
	jw_end(o);
	jw_end(o);
}

static void road_json(const struct zone_work *w, struct jw *o, const struct zone_road *r)
{
	jw_obj(o);
	jw_kstr(o, "name", r->name);
	jw_kstr(o, "kind", r->kind);
	jw_kstr(o, "zone", w->set.v[r->level].key);
	jw_kf64(o, "length", round(r->length));
	jw_karr(o, "close");
	for (size_t i = 0; i < r->nclose; i++) {
		jw_arr(o);
		jw_f64(o, round(r->close[i][0] * 1e6) / 1e6);
		jw_f64(o, round(r->close[i][1] * 1e6) / 1e6);
		jw_end(o);
	}
	jw_end(o);
	jw_end(o);
}

static void blow_json(const struct zone_work *w, struct jw *o, const struct zone_blow *b)
{
	const struct zone_target *t = NULL;
	for (size_t i = 0; i < w->ntargets && !t; i++)
		t = w->targets[i].id == b->to ? &w->targets[i] : NULL;
	jw_obj(o);
	jw_ki64(o, "order", b->order);
	jw_ki64(o, "from", b->from);
	jw_kstr(o, "from_title", b->from ? zone_target_title(w, b->from) : w->source.title);
	jw_ki64(o, "to", b->to);
	jw_kstr(o, "to_title", zone_target_title(w, b->to));
	jw_kf64(o, "distance", round(b->distance));
	jw_kf64(o, "load", b->intensity);
	jw_kf64(o, "limit", b->limit);
	jw_kcstr(o, "unit", b->effect == ZONE_BLAST ? "kPa" : "kW/m2");
	jw_kstr(o, "target", b->target);
	jw_kf64(o, "probability", b->probability);
	jw_kf64(o, "along", b->along);
	jw_kstr(o, "substance", b->substance);
	jw_kstr(o, "scenario", b->next);
	if (b->next.n) {
		words_json(o, "next", b->next_zh, b->next_en);
		jw_key(o, "inputs");
		jw_raw(o, b->inputs);
	}
	jw_karr(o, "position");
	if (t) {
		double lon, lat;
		plane_degrees(&w->plane, (struct zone_xy){ t->east, t->north }, &lon, &lat);
		jw_f64(o, lon);
		jw_f64(o, lat);
	}
	jw_end(o);
	jw_end(o);
}

// What a record of relocation would begin with, in the order of the nearer places; nothing if the caller may make none.
static void relocations_json(const struct zone_work *w, struct jw *o)
{
	const struct type *t = registry_type(w->c->reg, STR("relocation"));
	if (!t || !auth_may_create(&w->c->id, t) || !w->source.installation)
		return;
	jw_karr(o, "register");
	for (size_t i = 0; i < w->nnearer; i++) {
		const struct zone_place *p = &w->nearer[i];
		jw_obj(o);
		jw_kstr(o, "name", str_first(p->title, 120));
		jw_ki64(o, "installation", w->source.installation);
		jw_kstr(o, "installation.title", w->source.title);
		jw_ki64(o, "place", p->id);
		jw_kstr(o, "place.title", p->title);
		jw_kf64(o, "required_m", w->source.required);
		jw_kf64(o, "distance_m", round(p->distance));
		jw_kf64(o, "persons", fmax(p->day, p->night));
		jw_end(o);
	}
	jw_end(o);
}

static void head_json(const struct zone_work *w, struct jw *o)
{
	const struct zone_source *s = &w->source;
	jw_kobj(o, "source");
	jw_karr(o, "at");
	jw_f64(o, s->lon);
	jw_f64(o, s->lat);
	jw_end(o);
	jw_kstr(o, "title", s->title);
	jw_ki64(o, "equipment", s->equipment);
	jw_ki64(o, "installation", s->installation);
	jw_ki64(o, "enterprise", s->enterprise);
	jw_end(o);
	jw_kcstr(o, "scenario", w->set.scenario->name);
	words_json(o, "scenario_label", str_of(w->set.scenario->zh), str_of(w->set.scenario->en));
	struct zone_substance sub;
	jw_key(o, "substance");
	if (zone_substance_find(w->c->app->risk, w->substance, &sub))
		substance_json(o, &sub);
	else
		jw_null(o);
	jw_key(o, "inputs");
	jw_raw(o, w->inputs);
	jw_kobj(o, "weather");
	jw_kf64(o, "u", w->set.air.u);
	jw_kf64(o, "from", w->set.air.from);
	jw_kstr(o, "stability", str_from((char[]){ (char)('A' + w->set.air.stability), 0 }, 1));
	jw_kf64(o, "T", round((w->set.air.t - 273.15) * 10) / 10);
	jw_kf64(o, "RH", w->set.air.rh);
	jw_kf64(o, "spread", w->set.air.spread);
	jw_kbool(o, "live", w->live.at != 0);
	if (w->live.at) {
		jw_kstr(o, "station", w->live.station);
		jw_kf64(o, "station_distance", round(w->live.distance));
		jw_ktime(o, "measured", w->live.at);
		jw_ki64(o, "age_s", (clock_now() - w->live.at) / US_PER_S);
		jw_kbool(o, "stale", w->live.stale);
	}
	jw_end(o);
}

static void arithmetic_json(const struct zone_work *w, struct jw *o)
{
	jw_karr(o, "warnings");
	for (size_t i = 0; i < w->set.n_warnings; i++) {
		jw_obj(o);
		jw_kstr(o, "zh", w->set.warnings[i].zh);
		jw_kstr(o, "en", w->set.warnings[i].en);
		jw_end(o);
	}
	jw_end(o);
	jw_karr(o, "steps");
	for (size_t i = 0; i < w->set.n_steps; i++) {
		const struct zone_step *s = &w->set.steps[i];
		jw_obj(o);
		jw_kstr(o, "model", s->model);
		words_json(o, "why", s->why_zh, s->why_en);
		jw_key(o, "inputs");
		jw_raw(o, s->inputs);
		jw_key(o, "answer");
		jw_raw(o, s->answer);
		jw_end(o);
	}
	jw_end(o);
}

enum err zones_post(struct call *c)
{
	struct zone_work *w = arena_one(c->arena, struct zone_work);
	enum err err = zones_work(c, c->body, w);
	struct jw *o = &c->w;
	if (err)
		return err;
	jw_obj(o);
	head_json(w, o);
	jw_karr(o, "zones");
	for (size_t k = 0; k < w->set.n; k++)
		zone_json(w, o, k);
	jw_end(o);
	jw_karr(o, "fronts");
	for (size_t i = 0; i < ZONE_TIMES && w->set.travels; i++)
		jw_f64(o, round(w->set.front[i]));
	jw_end(o);
	jw_karr(o, "places");
	for (size_t i = 0; i < w->nplaces; i++)
		place_json(w, o, &w->places[i]);
	jw_end(o);
	jw_ki64(o, "places_left", (int64_t)w->left);
	jw_karr(o, "roads");
	for (size_t i = 0; i < w->nroads; i++)
		road_json(w, o, &w->roads[i]);
	jw_end(o);
	jw_karr(o, "domino");
	for (size_t i = 0; i < w->nblows; i++)
		blow_json(w, o, &w->blows[i]);
	jw_end(o);
	jw_ki64(o, "domino_left", (int64_t)(w->blows_left + w->targets_left));
	jw_key(o, "safety");
	if (isfinite(w->source.required)) { // places nearer than the installation's external safety distance
		jw_obj(o);
		jw_kf64(o, "required", w->source.required);
		jw_karr(o, "nearer");
		for (size_t i = 0; i < w->nnearer; i++)
			place_json(w, o, &w->nearer[i]);
		jw_end(o);
		relocations_json(w, o);
		jw_end(o);
	} else {
		jw_null(o);
	}
	arithmetic_json(w, o);
	jw_kf64(o, "ms", (double)w->took / 1000);
	jw_end(o);
	return OK;
}
