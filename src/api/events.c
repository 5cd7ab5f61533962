// The event stream: who may get which event, and what the events hold.
#include "api/api.h"

struct listener { // a stream's reader; outlives the request
	struct arena *arena;
	struct auth *auth;
	struct identity id;         // roles: see below
	struct str *roles;          // names: roles themselves belong to a registry generation
	size_t nroles;
};

#define ROLES 16

// The listener as an identity of the registry in force.
static struct identity listener_now(const struct listener *l, const struct registry *reg, const struct role *roles[ROLES])
{
	struct identity id = l->id;
	id.roles = roles;
	for (size_t i = 0; i < l->nroles && id.nroles < ROLES; i++) {
		const struct role *r = registry_role(reg, l->roles[i]);
		if (r)
			roles[id.nroles++] = r;
	}
	return id;
}

static bool still_in(const struct listener *l)
{
	const struct registry *reg = registry_pin();
	const struct role *roles[ROLES];
	struct identity id = listener_now(l, reg, roles);
	bool ret = auth_still(l->auth, reg, &id);
	registry_unpin(reg);
	return ret;
}

static bool may_read(const struct listener *l, struct str type)
{
	const struct registry *reg = registry_pin();
	const struct type *t = registry_type(reg, type);
	const struct role *roles[ROLES];
	struct identity id = listener_now(l, reg, roles);
	bool may = str_is(type, "alarm") ? auth_may(&id, "alarm.read") : t && auth_may_read(&id, t);
	registry_unpin(reg);
	return may;
}

static bool wants(void *ctx, const void *event)
{
	const struct listener *l = ctx;
	const struct api_event *e = event;
	if (!e)
		return still_in(l);
	if (e->everybody)
		return true;
	if (e->person)
		return e->person == l->id.person;
	return auth_in_scope(&l->id, e->place) && may_read(l, e->type);
}

static void listener_free(void *ctx)
{
	struct listener *l = ctx;
	arena_free(l->arena);
}

enum err events_get(struct call *c)
{
	struct arena *a = arena_new(1024);
	struct listener *l = arena_one(a, struct listener);
	l->arena = a;
	l->auth = c->app->auth;
	l->id = (struct identity){ .person = c->id.person, .actor = c->id.actor, .session = c->id.session, .scope = c->id.scope };
	l->id.scope.area = arena_str(a, c->id.scope.area);
	l->id.scope.sectors = arena_str(a, c->id.scope.sectors);
	l->roles = arena_many(a, c->id.nroles + 1, struct str);
	l->nroles = c->id.nroles;
	for (size_t i = 0; i < c->id.nroles; i++)
		l->roles[i] = arena_str(a, c->id.roles[i]->name);
	call_db_refresh(c); // the beat reads while it holds the streams: nobody waits for them with a connection in hand
	enum err err = http_stream_open(c->rq, c->rs, c->id.person, wants, l, listener_free);
	if (err) {
		arena_free(a);
		return call_fail(c, err, NULL, "实时连接过多，请稍后再试", "too many live connections; try again later");
	}
	return OK;
}

void api_publish_alarm(struct app *app, int64_t alarm)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct buf out;
	struct jw w;
	buf_init(&out, 64 << 10);
	jw_init(&w, &out);
	struct site *site = app->site_take(app);
	struct db *db = store_read_begin(app->store);
	struct alarm_context cx = { .rules = site->rules };
	struct place place = { 0 };
	bool ok = alarm_json(db, &cx, &(struct scope){ 0 }, alarm, &w, a) == OK && jw_done(&w) && alarm_place(db, alarm, a, &place) == OK;
	store_read_end(app->store, db);
	app->site_give(app, site);
	if (ok)
		http_publish(app->http, "alarm", buf_str(&out), &(struct api_event){ .place = place, .type = STR("alarm") });
	buf_free(&out);
}

void api_publish_record(struct app *app, const struct record_event *e)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 4 << 10);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "what", e->what);
	jw_kstr(&w, "type", e->type);
	jw_ki64(&w, "id", e->id);
	jw_kstr(&w, "state", e->state);
	jw_kstr(&w, "area", e->area);
	jw_end(&w);
	struct api_event scope = { .place = { e->area, e->enterprise, e->sector }, .type = e->type };
	if (jw_done(&w)) {
		http_publish(app->http, "record", buf_str(&out), &scope);
		http_publish(app->http, "duty", buf_str(&out), &scope);
	}
	buf_free(&out);
}

static void publish_object(struct app *app, struct str layer, const struct map_object *o)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 4 << 10);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "layer", layer);
	jw_karr(&w, "at");
	jw_f64(&w, o->lon);
	jw_f64(&w, o->lat);
	jw_end(&w);
	jw_end(&w);
	if (jw_done(&w))
		http_publish(app->http, "map", buf_str(&out), &(struct api_event){ .place = o->place, .type = layer });
	buf_free(&out);
}

void api_publish_map(struct app *app, struct str layer, const struct map_object *v, size_t n)
{
	for (size_t i = 0; i < n && n <= LIMIT_MAP_TOLD; i++)
		publish_object(app, layer, &v[i]);
	if (n <= LIMIT_MAP_TOLD)
		return;
	struct arena *a on_scope_exit(arena_freep) = arena_new(256);
	struct str json = arena_printf(a, "{\"layer\":\"%.*s\",\"all\":true}", STR_FMT(layer));
	http_publish(app->http, "map", json, &(struct api_event){ .type = STR_EMPTY, .everybody = true });
}

void api_publish_config(struct app *app)
{
	const struct registry *reg = registry_pin();
	struct arena *a on_scope_exit(arena_freep) = arena_new(256);
	struct str json = arena_printf(a, "{\"generation\":%llu}", (unsigned long long)reg->generation);
	http_publish(app->http, "config", json, &(struct api_event){ .type = STR_EMPTY, .everybody = true });
	registry_unpin(reg);
}
