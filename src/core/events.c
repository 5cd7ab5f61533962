// T_EVENTS: tells the browsers what changed, runs the deadlines and shelves, opens the records that alarms ask for,
// and reloads points and devices after their records changed.
#include "core/core_int.h"

static void push_event(struct core *co, struct event *e)
{
	struct event *own = mem_alloc(sizeof *own); // the queue is long, for storms, and nearly always empty
	*own = *e;
	if (!queue_push(co->events, &own)) { // a lost event costs a browser its liveness, never a record: it reloads on reconnect
		mem_free(own);
		log_warn("core", "the event queue is full");
	}
}

void event_alarm(struct core *co, int64_t alarm, bool opens)
{
	push_event(co, &(struct event){ .kind = EVENT_ALARM, .alarm = alarm, .opens = opens });
}

void core_alarm_changed(struct app *app, int64_t alarm) { event_alarm((struct core *)app, alarm, false); }

static struct str keep(char *to, size_t size, struct str s)
{
	size_t n = MIN(s.n, size);
	memcpy(to, s.p, n);
	return str_from(to, n);
}

void event_record(void *core, const struct record_event *r)
{
	struct event e = { .kind = EVENT_RECORD, .record = *r };
	keep(e.type, sizeof e.type, r->type);
	keep(e.state, sizeof e.state, r->state);
	keep(e.area, sizeof e.area, r->area);
	e.record.type.n = MIN(r->type.n, sizeof e.type);
	e.record.state.n = MIN(r->state.n, sizeof e.state);
	e.record.area.n = MIN(r->area.n, sizeof e.area);
	push_event(core, &e);
}

// ---- records that alarms open -------------------------------------------------------------------

struct open_job {
	struct core *co;
	struct site *site;
	struct arena *arena;
	bool opened;
};

static struct value val_text(struct str s) { return (struct value){ .kind = VAL_TEXT, .s = s }; }
static struct value val_int(int64_t i) { return (struct value){ .kind = i ? VAL_INT : VAL_NULL, .i = i }; }
static struct value val_real(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }

static enum err open_job_run(struct db *db, void *arg, struct problem *p)
{
	struct open_job *j = arg;
	struct alarm_context cx = { .rules = j->site->rules };
	struct alarm_open o;
	enum err err = alarm_next_open(db, &cx, j->arena, &o);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	const struct type *t = registry_type(j->site->reg, o.type);
	if (!t)
		return problem_set(p, ERR_INVALID, NULL, "规则要求建立的类型 %.*s 不存在", "the rule opens type %.*s, which does not exist", STR_FMT(o.type));
	struct str title = arena_printf(j->arena, "%.*s %.*s", STR_FMT(o.point_name), STR_FMT(o.say.zh));
	struct flow_field all[] = {
		{ "level", val_text(o.color) },         { "title", val_text(title) },           { "content", val_text(o.say.zh) },
		{ "source", val_text(STR("alarm")) },   { "alarm", val_int(o.alarm) },          { "point", val_int(o.point) },
		{ "enterprise", val_int(o.enterprise) }, { "installation", val_int(o.installation) }, { "happened", val_int(o.at) },
		{ "value", val_real(o.value) },         { "limit", val_real(o.limit) },         { "advice", val_text(o.guide.zh) },
	};
	struct flow_field fields[ARRAY_LEN(all)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) // a type takes what it has a field for
		if (type_field(t, str_of(all[i].name)) && all[i].v.kind != VAL_NULL)
			fields[n++] = all[i];
	int64_t id;
	struct row row;
	err = flow_open(db, j->site->reg, t, fields, n, o.area, o.enterprise, o.thread, j->arena, &id, p);
	if (!err)
		err = records_get(db, &t->table, &(struct scope){ 0 }, id, j->arena, &row);
	if (!err)
		err = alarm_opened(db, &o, id, row.c.thread);
	j->opened = !err;
	if (!err)
		event_alarm(j->co, o.alarm, false);
	return err;
}

static void open_job_done(void *arg, enum err err)
{
	struct open_job *j = arg;
	if (err)
		log_error("alarm", "cannot open the record an alarm asks for: %s; it is tried again", err_name(err));
	if (j->opened) // perhaps there are more
		event_alarm(j->co, 0, true);
	core_site_give(&j->co->app, j->site);
	arena_free(j->arena);
	mem_free(j);
}

static void open_next(struct core *co)
{
	struct open_job *j = mem_alloc(sizeof *j);
	*j = (struct open_job){ .co = co, .site = core_site_take(&co->app), .arena = arena_new(16 << 10) };
	store_post(co->app.store, open_job_run, j, open_job_done);
}

// ---- clocks -------------------------------------------------------------------------------------

struct tick_job {
	struct core *co;
	struct arena *arena;
	const struct registry *reg;
	int64_t now, next;
	int64_t *alarms;
	size_t n;
	bool shelf;
};

static enum err tick_job_run(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	(void)p;
	if (j->shelf)
		return alarm_shelf_tick(db, j->now, j->arena, &j->alarms, &j->n, &j->next);
	return flow_tick(db, j->reg, j->now, j->arena, &j->next);
}

static void tick_job_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "%s: %s", j->shelf ? "shelves" : "deadlines", err_name(err));
	for (size_t i = 0; i < j->n && !err; i++)
		event_alarm(j->co, j->alarms[i], false);
	*(j->shelf ? &j->co->shelf_busy : &j->co->flow_busy) = false;
	registry_unpin(j->reg);
	arena_free(j->arena);
	mem_free(j);
}

static void tick(struct core *co, bool shelf)
{
	bool *busy = shelf ? &co->shelf_busy : &co->flow_busy;
	if (__atomic_exchange_n(busy, true, __ATOMIC_ACQ_REL))
		return;
	struct tick_job *j = mem_alloc(sizeof *j);
	*j = (struct tick_job){ .co = co, .arena = arena_new(4096), .reg = registry_pin(), .now = clock_now(), .shelf = shelf };
	store_post(co->app.store, tick_job_run, j, tick_job_done);
}

static void on_second(void *arg)
{
	struct core *co = arg;
	co->seconds++;
	tick(co, false);
	tick(co, true);
	commands_tick(co);
	if (co->seconds % 5 == 1)
		open_next(co); // what an earlier failure or crash left
	if (co->seconds % 15 == 0)
		http_ping(co->app.http);
	loop_timer_in(co->event_loop, &co->second, US_PER_S);
}

// ---- points and devices changed -----------------------------------------------------------------

static void tell_gate(struct core *co, const struct site *s)
{
	for (size_t i = 0; i < s->ndevices; i++) {
		const struct site_device *d = &s->devices[i];
		struct device_stats st;
		if (core_device_stats(&co->app, d->id, &st) && st.online && d->disabled)
			core_kick(&co->app, d->id);
	}
	struct msg ready = { .size = sizeof ready, .kind = MSG_READY }; // every connection asks for its points again
	to_gate_send(co, &ready, sizeof ready);
}

static void on_site_timer(void *arg)
{
	struct core *co = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct problem p;
	problem_init(&p, a);
	const struct registry *reg = registry_pin();
	struct diags d = { .arena = a };
	struct rule_set *rules;
	if (rules_compile(&rules, reg, &d)) {
		registry_unpin(reg);
		return;
	}
	struct site *s = site_load(co, reg, rules, &p);
	if (!s) { // the rules and the pin went with it
		log_error("core", "%.*s", STR_FMT(p.en));
		return;
	}
	tell_gate(co, s);
	site_publish(co, s);
}

static bool concerns_site(struct str type)
{
	return str_is(type, "point") || str_is(type, "device") || str_is(type, "enterprise") || str_is(type, "installation");
}

static void on_alarm_event(struct core *co, const struct event *e)
{
	if (e->alarm)
		api_publish_alarm(&co->app, e->alarm);
	if (e->opens) // after it: people hear of the alarm first
		open_next(co);
}

static void on_record_event(struct core *co, struct event *e)
{
	e->record.type.p = e->type;
	e->record.state.p = e->state;
	e->record.area.p = e->area;
	api_publish_record(&co->app, &e->record);
	if (concerns_site(e->record.type) && !loop_timer_is_set(&co->site_timer))
		loop_timer_in(co->event_loop, &co->site_timer, 100 * US_PER_MS);
}

static void on_event(void *arg, void *item)
{
	struct event *e = *(struct event **)item;
	if (e->kind == EVENT_ALARM)
		on_alarm_event(arg, e);
	else
		on_record_event(arg, e);
	mem_free(e);
}

static void events_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	queue_drain(co->events, 256, on_event, co);
}

void *event_thread(void *core)
{
	struct core *co = core;
	loop_timer_init(&co->second, on_second, co);
	loop_timer_init(&co->site_timer, on_site_timer, co);
	if (loop_watch(co->event_loop, queue_fd(co->events), EPOLLIN, events_ready, co))
		log_die("core", "cannot watch the event queue");
	loop_timer_in(co->event_loop, &co->second, US_PER_S);
	loop_run(co->event_loop);
	return NULL;
}
