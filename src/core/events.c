// T_EVENTS: tells the browsers what changed, runs the periodic jobs (clock.c), opens the records that alarms ask for,
// and reloads points and devices after their records changed.
#include <unistd.h>

#include "base/limits.h"
#include "core/core_int.h"

static void push_event(struct core *co, struct event *e)
{
	struct event *own = mem_alloc(sizeof *own); // the queue is long, for storms, and nearly always empty
	*own = *e;
	if (!queue_push(co->events, &own)) { // a lost event costs a browser its liveness, never a record: it reloads on reconnect
		mem_free(own);
		clock_wake(co, 0); // its clock is not lost
		atomic_store(&co->news_lost, true); // nor is what it may say of a point
		map_note_lost(co);
		index_note_all(co, false);
		log_warn("core", "the event queue is full");
	}
}

void event_alarm(struct core *co, int64_t alarm, bool opens)
{
	push_event(co, &(struct event){ .kind = EVENT_ALARM, .alarm = alarm, .opens = opens });
}

void core_alarm_changed(struct app *app, int64_t alarm) { event_alarm((struct core *)app, alarm, false); }

void core_messages_changed(struct app *app)
{
	struct core *co = (struct core *)app;
	if (co->notify)
		notify_wake(co->notify);
}

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
	keep(e.sector, sizeof e.sector, r->sector);
	e.record.type.n = MIN(r->type.n, sizeof e.type);
	e.record.state.n = MIN(r->state.n, sizeof e.state);
	e.record.area.n = MIN(r->area.n, sizeof e.area);
	e.record.sector.n = MIN(r->sector.n, sizeof e.sector);
	push_event(core, &e);
}

void event_config(struct core *co) { push_event(co, &(struct event){ .kind = EVENT_CONFIG }); }

// ---- records that alarms open -------------------------------------------------------------------

struct open_job {
	struct core *co;
	struct site *site;
	struct arena *arena;
	bool opened;
};

static struct value val_text(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value val_int(int64_t i) { return (struct value){ .kind = i ? VAL_INT : VAL_NULL, .i = i }; }
static struct value val_real(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }

// The open record that the alarm belongs to (gather: of its type), if the last alarm that joined it is not too old.
static enum err joined(struct db *db, const struct open_job *j, const struct type *t, const struct flow_field *fields, size_t n,
                       const struct alarm_open *o, int64_t *ret_id, struct problem *p)
{
	int64_t last;
	enum err err = flow_gathers(db, t, fields, n, j->arena, ret_id, p);
	if (err || !*ret_id || (err = alarm_last_opening(db, t->name, *ret_id, &last)))
		return err;
	if (llabs(o->at - last) > t->gather.within) {
		*ret_id = 0;
		return OK;
	}
	struct label text = { arena_printf(j->arena, "%.*s %.*s", STR_FMT(o->point_name), STR_FMT(o->say.zh)),
		              arena_printf(j->arena, "%.*s %.*s", STR_FMT(o->point_name), STR_FMT(o->say.en)) };
	return flow_join(db, j->site->reg, t, *ret_id, o->color, o->alarm, text, j->arena, p);
}

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
		{ "category", val_text(o.category) },   { "content_en", val_text(o.say.en) },   { "control_plan_en", val_text(o.guide.en) },
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
	err = joined(db, j, t, fields, n, &o, &id, p);
	if (!err && !id)
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

void open_next(struct core *co)
{
	struct open_job *j = mem_alloc(sizeof *j);
	*j = (struct open_job){ .co = co, .site = core_site_take(&co->app), .arena = arena_new(16 << 10) };
	store_post(co->app.store, open_job_run, j, open_job_done);
}

// ---- points and devices changed -----------------------------------------------------------------

#define NEWS_MAX 20000 // beyond so many changed points all are loaded: that costs less
#define TELL_MAX 500   // and beyond so many devices every connection is told

static bool is_disabled(const struct roster *r, uint32_t device)
{
	for (size_t i = 0; i < r->ndevices; i++)
		if (r->devices[i].id == device)
			return r->devices[i].disabled;
	return false;
}

static void kick_disabled(struct core *co, const struct roster *r)
{
	for (size_t i = 0; i < r->ndevices; i++) {
		struct device_stats st;
		if (r->devices[i].disabled && core_device_stats(&co->app, r->devices[i].id, &st) && st.online)
			core_kick(&co->app, r->devices[i].id);
	}
}

// After the new site is there: the answers are made from it, and a device that is only asked never says what it misses.
// device 0: every connection asks for its points again; else that device's.
static void tell_gate(struct core *co, uint32_t device)
{
	struct msg ready = { .size = sizeof ready, .kind = MSG_READY, .device = device };
	if (!to_gate_send(co, &ready, sizeof ready)) // it is slow or dead: later every connection is told
		loop_timer_in(co->event_loop, &co->tell_timer, US_PER_S);
}

static void on_tell_timer(void *arg) { tell_gate(arg, 0); }

static void tell_devices(struct core *co, const struct site *old, const struct site *s, struct site_news *news)
{
	struct site_point p;
	for (size_t i = 0; i < news->points.n && news->devices.n <= TELL_MAX; i++) {
		if (site_point(old, news->points.v[i], &p))
			ids_note(&news->devices, (uint32_t)p.def.device);
		if (site_point(s, news->points.v[i], &p))
			ids_note(&news->devices, (uint32_t)p.def.device);
	}
	ids_sort(&news->devices);
	if (news->devices.n > TELL_MAX) {
		kick_disabled(co, s->roster);
		tell_gate(co, 0);
		return;
	}
	for (size_t i = 0; i < news->devices.n; i++) {
		uint32_t device = news->devices.v[i];
		if (is_disabled(s->roster, device))
			core_kick(&co->app, device);
		else if (device)
			tell_gate(co, device);
	}
}

static void news_forget(struct site_news *news)
{
	mem_free(news->points.v);
	mem_free(news->devices.v);
	*news = (struct site_news){ 0 };
}

static void load_site(struct core *co, const struct registry *reg, struct rule_set *rules, struct problem *p)
{
	struct site *old = core_site_take(&co->app), *s;
	struct site_news *news = &co->news;
	struct site_delta *d = NULL;
	bool lost = atomic_exchange(&co->news_lost, false);
	bool all = news->all || lost || reg != old->reg || news->points.n > NEWS_MAX;
	if (all)
		s = site_load(co, reg, rules, p);
	else
		s = site_change(co, old, news, reg, rules, &d, p);
	if (!s) { // the rules and the pin went with it
		log_error("core", "%.*s", STR_FMT(p->en));
		news->all = true; // next time
		core_site_give(&co->app, old);
		return;
	}
	bool other_rules = reg != old->reg || lost;
	site_publish(co, s, d ? d : delta_new(true, &(struct ids){ 0 }));
	s = core_site_take(&co->app); // nobody else publishes
	if (all) {
		kick_disabled(co, s->roster);
		tell_gate(co, 0);
	} else {
		tell_devices(co, old, s, news);
	}
	core_site_give(&co->app, s);
	core_site_give(&co->app, old);
	news_forget(news);
	fences_wake(co); // perhaps somebody else moves
	suppress_wake(co, other_rules); // of points, too: what their service hid may be over
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
	load_site(co, reg, rules, &p);
}

static bool is_new_command(const struct record_event *r)
{
	return str_is(r->type, "device_command") && strcmp(r->what, "created") == 0;
}

// What the site is made of: it is loaded again soon, with what else changes until then.
static void note_for_site(struct core *co, const struct record_event *e)
{
	struct site_news *n = &co->news;
	if (str_is(e->type, "point") && e->id > 0 && e->id <= LIMIT_POINTS) {
		if (n->points.n <= NEWS_MAX)
			ids_note(&n->points, (uint32_t)e->id);
	} else if (str_is(e->type, "device")) {
		n->roster = true;
		if (n->devices.n <= TELL_MAX)
			ids_note(&n->devices, (uint32_t)e->id);
	} else if (str_is(e->type, "enterprise")) {
		n->roster = true;
	} else if (str_is(e->type, "data_doubt")) {
		detect_note_doubt(co);
		return;
	} else if (str_is(e->type, "unit_model")) {
		detect_note_unit(co);
		return;
	} else {
		return;
	}
	if (!loop_timer_is_set(&co->site_timer))
		loop_timer_in(co->event_loop, &co->site_timer, 100 * US_PER_MS);
}

static void on_alarm_event(struct core *co, const struct event *e)
{
	if (e->alarm) {
		index_note_alarm(co, e->alarm);
		api_publish_alarm(&co->app, e->alarm);
		map_note_alarm(co);
	}
	if (e->opens) // after it: people hear of the alarm first
		open_next(co);
}

static void on_record_event(struct core *co, struct event *e)
{
	e->record.type.p = e->type;
	e->record.state.p = e->state;
	e->record.area.p = e->area;
	e->record.sector.p = e->sector;
	if (e->record.wake)
		clock_wake(co, e->record.wake);
	index_note_record(co, &e->record);
	api_publish_record(&co->app, &e->record);
	if (is_new_command(&e->record))
		commands_load(co);
	qra_wake(co, &e->record);
	stills_note(co, &e->record);
	note_for_site(co, &e->record);
	if (str_is(e->record.type, "maintenance_window") || str_is(e->record.type, "alarm_rationale"))
		suppress_wake(co, true);
	fences_note(co, &e->record);
	regrade_note(co, &e->record);
	map_note_record(co, &e->record);
}

// Browsers load the types again, rules and points are compiled again.
static void on_config_event(struct core *co)
{
	struct site *s = core_site_take(&co->app);
	const struct registry *reg = registry_pin();
	bool known = s->reg == reg; // core_run or the site's timer was there before
	registry_unpin(reg);
	core_site_give(&co->app, s);
	api_publish_config(&co->app);
	regrade_reload(co);
	index_note_all(co, true);
	__atomic_store_n(&co->schedule_due, 0, __ATOMIC_RELEASE);
	clock_wake(co, 0); // other reminders, other tiers
	if (!known && !loop_timer_is_set(&co->site_timer))
		loop_timer_in(co->event_loop, &co->site_timer, 10 * US_PER_MS);
}

static void on_event(void *arg, void *item)
{
	struct event *e = *(struct event **)item;
	switch (e->kind) {
	case EVENT_ALARM: on_alarm_event(arg, e); break;
	case EVENT_RECORD: on_record_event(arg, e); break;
	case EVENT_CONFIG: on_config_event(arg); break;
	case EVENT_STOP: loop_stop(((struct core *)arg)->event_loop); break;
	}
	mem_free(e);
}

static void events_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	queue_drain(co->events, 256, on_event, co);
	if (atomic_load(&co->news_lost) && !loop_timer_is_set(&co->site_timer))
		loop_timer_in(co->event_loop, &co->site_timer, 100 * US_PER_MS);
}

void *event_thread(void *core)
{
	struct core *co = core;
	loop_timer_init(&co->site_timer, on_site_timer, co);
	loop_timer_init(&co->tell_timer, on_tell_timer, co);
	if (loop_watch(co->event_loop, queue_fd(co->events), EPOLLIN, events_ready, co))
		log_die("core", "cannot watch the event queue");
	clock_start(co);
	commands_load(co);
	regrade_start(co);
	loop_run(co->event_loop);
	return NULL;
}

void event_thread_stop(struct core *co)
{
	struct event *stop = mem_alloc(sizeof *stop);
	stop->kind = EVENT_STOP;
	while (!queue_push(co->events, &stop)) // a storm: the thread makes room
		usleep(1000);
	pthread_join(co->event_thread, NULL);
}
