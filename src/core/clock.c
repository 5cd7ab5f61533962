// The periodic jobs of the core, in one table: what runs how often. T_EVENTS runs them; a job that writes posts a store
// job and returns. A part of the platform that needs a clock adds a function and a line to the table.
#include "core/core_int.h"
#include "flow/exam.h"
#include "report/document.h"

#include "store/files.h"

// ---- clocks of records and shelved alarms: when they say so themselves --------------------------

struct tick_job {
	struct core *co;
	struct arena *arena;
	const struct registry *reg;
	int64_t now, next;
	int64_t *alarms;
	size_t n;
};

static struct tick_job *tick_new(struct core *co)
{
	struct tick_job *j = mem_alloc(sizeof *j);
	*j = (struct tick_job){ .co = co, .arena = arena_new(4096), .reg = registry_pin(), .now = clock_now() };
	return j;
}

static void tick_free(struct tick_job *j)
{
	registry_unpin(j->reg);
	arena_free(j->arena);
	mem_free(j);
}

// The earlier of what was asked for; any thread.
void clock_wake(struct core *co, int64_t at)
{
	int64_t was = __atomic_load_n(&co->flow_due, __ATOMIC_ACQUIRE);
	while (at < was && !__atomic_compare_exchange_n(&co->flow_due, &was, at, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

static enum err records_run(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	(void)p;
	return flow_tick(db, j->reg, j->now, j->arena, &j->next);
}

static void records_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "deadlines: %s", err_name(err));
	clock_wake(j->co, err ? j->now + 10 * US_PER_S : j->next);
	__atomic_store_n(&j->co->flow_busy, false, __ATOMIC_RELEASE);
	tick_free(j);
}

// Not before it is due: then a tick would find nothing.
static void tick_records(struct core *co)
{
	if (__atomic_load_n(&co->flow_due, __ATOMIC_ACQUIRE) > clock_now() || __atomic_exchange_n(&co->flow_busy, true, __ATOMIC_ACQ_REL))
		return;
	__atomic_store_n(&co->flow_due, INT64_MAX, __ATOMIC_RELEASE); // whoever asks from now on is not forgotten
	store_post(co->app.store, records_run, tick_new(co), records_done);
}

#define CONTROL_EVERY US_PER_HOUR // ceilings of road accidents are counted again

static enum err schedules_run(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	(void)p;
	enum err err = flow_schedule_tick(db, j->reg, j->now, j->arena, &j->next);
	j->next = MIN(j->next, j->now + CONTROL_EVERY);
	return err ? err : flow_control_tick(db, j->reg, j->now, j->arena);
}

static void schedules_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "schedules: %s", err_name(err));
	__atomic_store_n(&j->co->schedule_due, err ? j->now + US_PER_MIN : j->next, __ATOMIC_RELEASE);
	__atomic_store_n(&j->co->schedule_busy, false, __ATOMIC_RELEASE);
	tick_free(j);
}

static void tick_schedules(struct core *co)
{
	if (__atomic_load_n(&co->schedule_due, __ATOMIC_ACQUIRE) > clock_now())
		return;
	if (!__atomic_exchange_n(&co->schedule_busy, true, __ATOMIC_ACQ_REL))
		store_post(co->app.store, schedules_run, tick_new(co), schedules_done);
}

static enum err shelves_run(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	(void)p;
	return alarm_shelf_tick(db, j->now, j->arena, &j->alarms, &j->n, &j->next);
}

static void shelves_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "shelves: %s", err_name(err));
	for (size_t i = 0; i < j->n && !err; i++)
		event_alarm(j->co, j->alarms[i], false);
	if (j->n && !err) // what a cause or a window hides besides
		suppress_wake(j->co, false);
	__atomic_store_n(&j->co->shelf_busy, false, __ATOMIC_RELEASE);
	tick_free(j);
}

static void tick_shelves(struct core *co)
{
	if (!__atomic_exchange_n(&co->shelf_busy, true, __ATOMIC_ACQ_REL))
		store_post(co->app.store, shelves_run, tick_new(co), shelves_done);
}

// ---- what hides alarms by itself ----------------------------------------------------------------

struct suppress_job {
	struct core *co;
	struct arena *arena;
	struct site *site;
	struct site_point point;    // the last that was asked for
	bool all, load;
	int64_t now, next;
	struct touched *v;
	size_t n, cap;
};

void suppress_wake(struct core *co, bool load)
{
	if (load)
		__atomic_store_n(&co->suppress_load, true, __ATOMIC_RELEASE);
	__atomic_store_n(&co->suppress_due, 0, __ATOMIC_RELEASE);
}

static void suppress_touched(void *arg, int64_t alarm, bool opened)
{
	struct suppress_job *j = arg;
	j->v = arena_push(j->arena, j->v, &j->n, &j->cap, sizeof *j->v);
	j->v[j->n - 1] = (struct touched){ alarm, opened };
}

static const struct point_def *suppress_point(void *arg, uint32_t id)
{
	struct suppress_job *j = arg;
	return site_point(j->site, id, &j->point) ? &j->point.def : NULL;
}

static enum err suppress_run(struct db *db, void *arg, struct problem *p)
{
	struct suppress_job *j = arg;
	struct alarm_context cx = { .rules = j->site->rules, .point = suppress_point, .arg = j, .touched = suppress_touched };
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	(void)p;
	enum err err = j->load ? alarm_suppress_load(db, j->site->reg, a) : OK;
	return err ? err : alarm_suppress_tick(db, &cx, j->now, j->all, a, &j->next);
}

static void suppress_done(void *arg, enum err err)
{
	struct suppress_job *j = arg;
	struct core *co = j->co;
	int64_t was = INT64_MAX, next = j->next ? j->next : INT64_MAX;
	if (err) {
		log_error("alarm", "what hides alarms: %s; it is tried again", err_name(err));
		next = j->now + 5 * US_PER_S;
		if (j->load)
			__atomic_store_n(&co->suppress_load, true, __ATOMIC_RELEASE);
	}
	if (j->all || err) // whoever woke it meanwhile is not forgotten
		(void)__atomic_compare_exchange_n(&co->suppress_due, &was, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < j->n && !err; i++)
		event_alarm(co, j->v[i].alarm, j->v[i].opened);
	__atomic_store_n(&co->suppress_busy, false, __ATOMIC_RELEASE);
	core_site_give(&co->app, j->site);
	arena_free(j->arena);
	mem_free(j);
}

static void tick_suppress(struct core *co)
{
	int64_t now = clock_now();
	if (__atomic_exchange_n(&co->suppress_busy, true, __ATOMIC_ACQ_REL))
		return;
	bool all = __atomic_load_n(&co->suppress_due, __ATOMIC_ACQUIRE) <= now;
	if (all)
		__atomic_store_n(&co->suppress_due, INT64_MAX, __ATOMIC_RELEASE);
	struct suppress_job *j = mem_alloc(sizeof *j);
	*j = (struct suppress_job){ .co = co, .arena = arena_new(4096), .site = core_site_take(&co->app), .now = now, .all = all };
	j->load = all && __atomic_exchange_n(&co->suppress_load, false, __ATOMIC_ACQ_REL);
	store_post(co->app.store, suppress_run, j, suppress_done);
}

// ---- snapshots of indicators --------------------------------------------------------------------
#define SNAPSHOTS_EVERY (10 * US_PER_MIN)

struct measure_job {
	struct core *co;
	struct arena *arena;
	struct snapshot_taken *taken;
};

// The indicators as read, from the first period that is due to the last: they are read once and not for each. One thread at a time has
// them, the next one begins after it was joined.
struct measure_read {
	struct arena *arena;
	const struct registry *reg;
	const struct measures *m;
};

static enum err snapshot_keep(struct db *db, void *arg, struct problem *p)
{
	struct measure_job *j = arg;
	(void)p;
	return measure_keep(db, j->taken, j->arena);
}

static void measures_forget(struct core *co)
{
	struct measure_read *r = co->measures;
	if (!r)
		return;
	registry_unpin(r->reg);
	arena_free(r->arena);
	mem_free(r);
	co->measures = NULL;
}

// Those of the packs in force; NULL: they cannot be read.
static const struct measures *measures_now(struct core *co)
{
	const struct registry *reg = registry_pin();
	if (co->measures && co->measures->reg == reg) {
		registry_unpin(reg);
		return co->measures->m;
	}
	measures_forget(co);
	struct measure_read *r = co->measures = mem_alloc(sizeof *r);
	*r = (struct measure_read){ .arena = arena_new(64 << 10), .reg = reg };
	struct diags d = { .arena = r->arena };
	r->m = measures_load(reg, r->arena, &d);
	return r->m;
}

// One period of one indicator.
static enum err snapshot_take(struct measure_job *j)
{
	struct problem p;
	problem_init(&p, j->arena);
	const struct measures *m = measures_now(j->co);
	if (!m)
		return ERR_BUG;
	struct db *db = store_read_begin(j->co->app.store);
	enum err err = measure_take(db, m, clock_now(), j->arena, &j->taken);
	store_read_end(j->co->app.store, db);
	return err || !j->taken ? err : store_write(j->co->app.store, snapshot_keep, j, &p);
}

// A thread of its own: at many records it reads for seconds, and neither the writer nor T_EVENTS may.
static void *snapshot_thread(void *arg)
{
	struct measure_job *j = arg;
	struct core *co = j->co;
	pthread_setname_np(pthread_self(), "snapshots");
	enum err err = snapshot_take(j);
	if (err)
		log_error("core", "snapshots of indicators: %s", err_name(err));
	// with more to do in the next second, so that people's work comes between
	bool more = !err && j->taken;
	__atomic_store_n(&co->measure_due, clock_now() + (more ? 0 : SNAPSHOTS_EVERY), __ATOMIC_RELEASE);
	arena_free(j->arena);
	mem_free(j);
	if (!more) {
		measures_forget(co);
		mem_give_back();
	}
	__atomic_store_n(&co->measure_busy, false, __ATOMIC_RELEASE);
	return NULL;
}

static void tick_snapshots(struct core *co)
{
	if (__atomic_load_n(&co->measure_due, __ATOMIC_ACQUIRE) > clock_now() || __atomic_exchange_n(&co->measure_busy, true, __ATOMIC_ACQ_REL))
		return;
	clock_join(co);
	struct measure_job *j = mem_alloc(sizeof *j);
	*j = (struct measure_job){ .co = co, .arena = arena_new(64 << 10) };
	co->measure_thread_runs = pthread_create(&co->measure_thread, NULL, snapshot_thread, j) == 0;
	if (!co->measure_thread_runs)
		snapshot_thread(j); // T_EVENTS is late once
}

void clock_join(struct core *co)
{
	if (co->measure_thread_runs)
		pthread_join(co->measure_thread, NULL);
	co->measure_thread_runs = false;
}

// ---- uploads that no record took ----------------------------------------------------------------
static enum err sweep_run(struct db *db, void *arg, struct problem *p)
{
	int64_t removed = 0;
	(void)arg, (void)p;
	enum err err = files_sweep(db, clock_now(), &removed);
	if (removed)
		log_info("files", "removed %lld uploads that no record took", (long long)removed);
	return err;
}

static void sweep_files(struct core *co) { store_post(co->app.store, sweep_run, NULL, NULL); }

// ---- reports ------------------------------------------------------------------------------------
static enum err reports_job(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	bool more;
	(void)p;
	return reports_tick(db, j->co->app.store, j->reg, j->co->app.county, j->co->app.site_url, j->now, j->arena, &more);
}

static void reports_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "reports: %s", err_name(err));
	tick_free(j);
}

static void tick_reports(struct core *co) { store_post(co->app.store, reports_job, tick_new(co), reports_done); }

// A tick ends a few of those whose time is over, so that others get at the writer between two.
#define EXAMS_A_TICK 25

static enum err exams_run(struct db *db, void *arg, struct problem *p)
{
	struct tick_job *j = arg;
	(void)p;
	return exam_tick(db, j->reg, j->now, EXAMS_A_TICK, j->arena, &j->n);
}

static void exams_done(void *arg, enum err err)
{
	struct tick_job *j = arg;
	if (err)
		log_error("core", "exams: %s", err_name(err));
	__atomic_store_n(&j->co->exam_busy, false, __ATOMIC_RELEASE);
	tick_free(j);
}

static void tick_exams(struct core *co)
{
	if (!__atomic_exchange_n(&co->exam_busy, true, __ATOMIC_ACQ_REL))
		store_post(co->app.store, exams_run, tick_new(co), exams_done);
}

static void ping_streams(struct core *co) { http_ping(co->app.http); }

// ---- the table ----------------------------------------------------------------------------------
static const struct periodic {
	const char *name;
	void (*fn)(struct core *co);    // T_EVENTS; must not wait
	int seconds;                    // between two calls
} jobs[] = {
	{ "deadlines", tick_records, 1 },       // looks at a number; works when something is due
	{ "schedules", tick_schedules, 1 },
	{ "shelves", tick_shelves, 1 },
	{ "exams whose time is over", tick_exams, 1 }, // a query; works when one is
	{ "what hides alarms", tick_suppress, 1 }, // a query; all of it when something began or changed
	{ "commands", commands_tick, 1 },
	{ "grades from levels", regrade_tick, 1 },
	{ "devices that are called", dial_tick, 1 },
	{ "snapshots", tick_snapshots, 1 },     // looks at a number; works every ten minutes
	{ "records that alarms open", open_next, 5 }, // what an earlier failure or crash left
	{ "anchor of the audit chain", anchor_tick, 2 }, // looks at a number; a job every ten minutes
	{ "streams", ping_streams, HTTP_BEAT_S },
	{ "uploads", sweep_files, 600 },
	{ "retention", retention_tick, 2 },     // looks at a number; once a day
	{ "reports", tick_reports, 30 },        // one at most each time
};

static void on_second(void *arg)
{
	struct core *co = arg;
	co->seconds++;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		if (co->seconds % jobs[i].seconds == 0)
			jobs[i].fn(co);
	loop_timer_in(co->event_loop, &co->second, US_PER_S);
}

void clock_start(struct core *co)
{
	loop_timer_init(&co->second, on_second, co);
	loop_timer_in(co->event_loop, &co->second, US_PER_S);
}
