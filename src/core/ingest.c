// T_SERIES: from the ring and the push queue to history, alarm conditions and acknowledgements.
//
// A device is answered (MSG_ACK, HTTP 200) only when series_durable has passed the mark taken after its readings; the
// ring's space is released at the same moment, so a core that dies in between finds the message again.
#include <signal.h>
#include <stdatomic.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cursor.h"
#include "core/core_int.h"
#include "series/series.h"

// ---- alarm conditions → store -------------------------------------------------------------------

struct alarm_job {
	struct core *co;
	struct site *site;
	struct site_point point;    // t's
	struct transition t;
	struct alarm_change change;
	int64_t cause;              // clock_mono; 0: found again after a start
	struct touched *also;       // alarms that it hid or brought back
	size_t nalso, also_cap;
};

static void note_touched(void *arg, int64_t alarm, bool opened)
{
	struct alarm_job *j = arg;
	if (j->nalso == j->also_cap) {
		j->also_cap = MAX(j->also_cap * 2, (size_t)16);
		j->also = mem_resize(j->also, j->also_cap * sizeof *j->also);
	}
	j->also[j->nalso++] = (struct touched){ alarm, opened };
}

static const struct point_def *context_point(void *arg, uint32_t id)
{
	struct alarm_job *j = arg;
	return site_point(j->site, id, &j->point) ? &j->point.def : NULL;
}

static enum err alarm_job_run(struct db *db, void *arg, struct problem *p)
{
	struct alarm_job *j = arg;
	(void)p;
	struct alarm_context cx = { .rules = j->site->rules, .point = context_point, .arg = j, .touched = note_touched };
	return alarm_apply(db, &cx, &j->t, &j->change);
}

static void alarm_job_done(void *arg, enum err err)
{
	struct alarm_job *j = arg;
	struct core *co = j->co;
	atomic_fetch_add(&co->alarms_committed, 1);
	if (err)
		log_error("alarm", "point %u: cannot record a change of its alarm: %s", j->t.point, err_name(err));
	else if (j->change.changed && j->cause)
		histogram_add(&co->alarm_latency, clock_mono() - j->cause);
	if (!err && j->change.changed)
		event_alarm(co, j->change.alarm, j->change.opened);
	for (size_t i = 0; i < j->nalso && !err; i++)
		event_alarm(co, j->also[i].alarm, j->also[i].opened);
	core_site_give(&co->app, j->site);
	mem_free(j->also);
	mem_free(j);
}

static void record(struct core *co, const struct transition *t, int64_t cause)
{
	struct alarm_job *j = mem_alloc(sizeof *j);
	*j = (struct alarm_job){ .co = co, .site = core_site_take(&co->app), .t = *t, .cause = t->late ? 0 : cause };
	atomic_fetch_add(&co->alarms_posted, 1);
	store_post(co->app.store, alarm_job_run, j, alarm_job_done);
}

void on_transition(void *arg, const struct transition *t) { record(arg, t, 0); }

// ---- what waits for the disk --------------------------------------------------------------------

// The alarm table is never ahead of the log: a change is recorded when the samples that made it are on disk. A core
// that dies in between finds the samples, or is sent them again, and comes to the same change.
static void on_change(void *arg, const struct transition *t)
{
	struct core *co = arg;
	uint64_t mark = series_mark(co->app.series);
	if (co->held_head == co->held_tail && mark <= series_durable(co->app.series)) {
		record(co, t, co->cause);
		return;
	}
	if (co->held_tail == co->held_cap && co->held_head) {
		memmove(co->held, co->held + co->held_head, (co->held_tail - co->held_head) * sizeof *co->held);
		co->held_tail -= co->held_head;
		co->held_head = 0;
	}
	if (co->held_tail == co->held_cap) {
		co->held_cap = MAX(co->held_cap * 2, (size_t)256);
		co->held = mem_resize(co->held, co->held_cap * sizeof *co->held);
	}
	atomic_fetch_add(&co->alarms_posted, 1); // from now on it must be in the table before a snapshot counts
	co->held[co->held_tail++] = (struct held){ mark, co->cause, *t };
}

static void record_held(struct core *co)
{
	uint64_t durable = series_durable(co->app.series);
	while (co->held_head < co->held_tail && co->held[co->held_head].mark <= durable) {
		atomic_fetch_sub(&co->alarms_posted, 1);
		record(co, &co->held[co->held_head].t, co->held[co->held_head].cause);
		co->held_head++;
	}
}

static void pending_add(struct core *co, struct pending p)
{
	if (co->pending_tail == co->pending_cap && co->pending_head) {
		memmove(co->pending, co->pending + co->pending_head, (co->pending_tail - co->pending_head) * sizeof *co->pending);
		co->pending_tail -= co->pending_head;
		co->pending_head = 0;
	}
	if (co->pending_tail == co->pending_cap) {
		co->pending_cap = MAX(co->pending_cap * 2, (size_t)256);
		co->pending = mem_resize(co->pending, co->pending_cap * sizeof *co->pending);
	}
	co->pending[co->pending_tail++] = p;
}

static void push_finish(struct push_item *it, enum err err)
{
	pthread_mutex_lock(&it->mutex);
	it->result.err = err;
	it->done = true;
	pthread_cond_signal(&it->cond);
	pthread_mutex_unlock(&it->mutex);
}

static void send_ack(struct core *co)
{
	if (co->ack_due <= co->ack_sent)
		return;
	struct msg m = { .size = sizeof m, .kind = MSG_ACK, .seq = co->ack_due };
	if (to_gate_send(co, &m, sizeof m))
		co->ack_sent = co->ack_due;
	else
		loop_timer_in(co->loop, &co->ack_timer, US_PER_MS);
}

static void settle(struct core *co)
{
	record_held(co);
	uint64_t durable = series_durable(co->app.series), position = 0;
	while (co->pending_head < co->pending_tail && co->pending[co->pending_head].mark <= durable) {
		struct pending *p = &co->pending[co->pending_head++];
		if (p->push) {
			push_finish(p->push, OK);
		} else {
			co->ack_due = MAX(co->ack_due, p->seq);
			position = p->position;
		}
	}
	if (position)
		ring_release(co->cfg.from_gate, position);
	send_ack(co);
	enum err err = series_health(co->app.series);
	for (size_t i = co->pending_head; err && i < co->pending_tail; i++)
		if (co->pending[i].push) { // a person or device waits at the other end: say so now, it will send again
			push_finish(co->pending[i].push, err);
			co->pending[i].push = NULL;
			co->pending[i].seq = co->ack_due;
		}
}

// ---- readings -----------------------------------------------------------------------------------

struct counts {
	size_t accepted, duplicates, late;
	struct late_run run;
};

// A point's state is in five or six cache lines, which at a million points are in no cache: they are asked for a few
// readings ahead.
#define PREFETCH 8u

static inline void take_prefetch(const struct core *co, uint32_t point)
{
	evaluator_prefetch(co->evaluator, point);
	series_prefetch(co->app.series, point);
	if (point < co->tally.n)
		__builtin_prefetch(&co->tally.point[point], 1);
}

static inline void take_prefetch_more(const struct core *co, const struct reading *r)
{
	evaluator_prefetch_more(co->evaluator, r);
	series_prefetch_more(co->app.series, r->point);
}

static void take_readings(struct core *co, struct reading *v, size_t n, int64_t arrival, struct counts *ret)
{
	for (size_t i = 0; i < MIN(n, PREFETCH); i++)
		take_prefetch(co, v[i].point);
	for (size_t i = 0; i < n; i++) {
		struct reading *r = &v[i];
		if (i + PREFETCH < n)
			take_prefetch(co, v[i + PREFETCH].point);
		if (i + PREFETCH / 2 < n)
			take_prefetch_more(co, &v[i + PREFETCH / 2]);
		r->quality = (uint16_t)evaluator_quality(co->evaluator, r, arrival);
		switch (series_add(co->app.series, r, arrival)) {
		case ARRIVED_NEW:
			ret->accepted++;
			evaluator_feed(co->evaluator, r, arrival, on_change, co);
			fences_reading(co, r, arrival, on_change);
			watch_tally(co, &ret->run, r);
			break;
		case ARRIVED_LATE:
			ret->accepted++;
			ret->late++;
			evaluator_note_late(co->evaluator, r);
			watch_tally(co, &ret->run, r);
			break;
		case ARRIVED_DUPLICATE:
			ret->duplicates++;
			break;
		}
	}
	watch_tally_end(co, &ret->run);
}

// What a message says about its sender. Devices send in the order of time, or in the reverse: the newest is at an end.
static struct arrived arrived_of(uint32_t device, enum protocol protocol, const struct reading *v, size_t n, int64_t arrival,
                                 const struct counts *c)
{
	return (struct arrived){ .device = device, .protocol = (uint16_t)protocol, .accepted = c->accepted, .duplicates = c->duplicates,
		                 .arrival = arrival, .newest = MAX(v[0].time, v[n - 1].time),
		                 .history = v[n - 1].flags & READING_HISTORY };
}

static uint32_t tally_device(const struct core *co, uint32_t point)
{
	return point < co->tally.n ? co->tally.point[point].device : 0;
}

static void on_readings(struct core *co, const struct msg_readings *m)
{
	struct counts n = { .run = { .device = m->m.device } };
	struct reading *v = (struct reading *)(uintptr_t)(m + 1);
	int64_t arrival = m->arrival + co->wall;
	co->cause = m->arrival;
	histogram_add(&co->ring_wait, loop_mono(co->loop) - m->arrival);
	take_readings(co, v, m->m.count, arrival, &n);
	if (!m->m.count)
		return;
	struct arrived a = arrived_of(m->m.device, (enum protocol)m->m.protocol, v, m->m.count, arrival, &n);
	a.sent = m->sent;
	device_on_readings(co, &a);
}

static void gate_is_wrong(void)
{
	log_error("core", "the gate left something impossible in the ring; both start again");
	_exit(RING_EXIT);
}

// Out of the ring before it is looked at: there the gate could still change it.
static const struct msg *own_copy(struct core *co, const void *bytes, size_t n)
{
	if (n > co->message_cap) {
		co->message_cap = MAX(n, co->message_cap * 2);
		co->message = mem_resize(co->message, co->message_cap);
	}
	memcpy(co->message, bytes, n);
	if (!msg_from_gate_ok((const void *)co->message, n))
		gate_is_wrong();
	return (const void *)co->message;
}

// Takes what the gate has sent, a slice at a time so that a flood does not keep the clock waiting.
static bool take_ring(struct core *co)
{
	uint64_t seq = 0;
	size_t n = 0, readings = 0;
	const void *next;
	if (ring_is_corrupt(co->cfg.from_gate))
		gate_is_wrong();
	while (readings < 50000 && series_may_add(co->app.series) && (next = ring_next(co->cfg.from_gate, &n))) {
		const struct msg *m = own_copy(co, next, n);
		if (m->kind == MSG_READINGS) {
			on_readings(co, (const void *)m);
			readings += m->count;
			seq = MAX(seq, m->seq);
		} else if (m->kind == MSG_KEEP) {
			kept_on_message(co, (const void *)m, n, core_now(co));
			readings++;
			seq = MAX(seq, m->seq);
		} else {
			device_on_message(co, m, n);
			readings++;
		}
	}
	if (readings)
		pending_add(co, (struct pending){ .mark = series_mark(co->app.series), .position = ring_position(co->cfg.from_gate), .seq = seq });
	return readings >= 50000;
}

// Of a file: each device's readings count for its completeness, but nobody was in contact.
static void on_file(struct core *co, struct push_item *it)
{
	struct reading *v = (struct reading *)(uintptr_t)it->v; // the sender's own copy
	int64_t now = core_now(co);
	co->cause = loop_mono(co->loop);
	for (size_t i = 0, end; i < it->n; i = end) {
		uint32_t device = tally_device(co, v[i].point);
		for (end = i + 1; end < it->n && tally_device(co, v[end].point) == device;)
			end++;
		struct counts n = { .run = { .device = device } };
		take_readings(co, v + i, end - i, now, &n);
		it->result.accepted += n.accepted;
		it->result.duplicates += n.duplicates;
		it->result.late += n.late;
	}
	pending_add(co, (struct pending){ .mark = series_mark(co->app.series), .push = it });
}

static void on_push(struct core *co, struct push_item *it)
{
	if (!it->device) {
		on_file(co, it);
		return;
	}
	struct counts n = { .run = { .device = it->device } };
	struct reading *v = (struct reading *)(uintptr_t)it->v; // the worker's own copy
	int64_t now = core_now(co);
	co->cause = loop_mono(co->loop);
	take_readings(co, v, it->n, now, &n);
	it->result = (struct push_result){ .accepted = n.accepted, .duplicates = n.duplicates, .late = n.late };
	struct arrived a = arrived_of(it->device, PROTO_HTTP, v, it->n, now, &n);
	device_on_readings(co, &a);
	pending_add(co, (struct pending){ .mark = series_mark(co->app.series), .push = it });
}

struct push_result core_push(struct app *app, uint32_t device, const struct reading *r, size_t n)
{
	struct core *co = (struct core *)app;
	struct push_item it = { .device = device, .v = r, .n = n };
	enum err err = series_health(app->series);
	if (err)
		return (struct push_result){ .err = err };
	pthread_mutex_init(&it.mutex, NULL);
	pthread_cond_init(&it.cond, NULL);
	struct control c = { .kind = CONTROL_PUSH, .push = &it };
	if (!queue_push(co->control, &c))
		return (struct push_result){ .err = ERR_UNAVAILABLE };
	pthread_mutex_lock(&it.mutex);
	while (!it.done)
		pthread_cond_wait(&it.cond, &it.mutex);
	pthread_mutex_unlock(&it.mutex);
	pthread_cond_destroy(&it.cond);
	pthread_mutex_destroy(&it.mutex);
	return it.result;
}

static void take_site(struct core *co, const struct site *s)
{
	struct evaluator_load *l = evaluator_begin(co->evaluator, s->rules, s->reg, true, points_max(s->points), clock_now());
	struct site_point p;
	for (uint32_t i = 0; site_point_next(s, &i, &p);)
		evaluator_put(l, &p.def);
	evaluator_end(l);
	watch_site(co, s);
}

static void take_delta(struct core *co, const struct site *s, const struct site_delta *d)
{
	struct evaluator_load *l = evaluator_begin(co->evaluator, s->rules, s->reg, false, 0, clock_now());
	struct site_point p;
	for (size_t i = 0; i < d->n; i++) {
		if (site_point(s, d->points[i], &p))
			evaluator_put(l, &p.def);
		else
			evaluator_drop(l, d->points[i]);
		watch_point(co, d->points[i], co->current, s);
	}
	evaluator_end(l);
}

static void on_site(struct core *co, struct site *s, struct site_delta *d)
{
	if (d->all)
		take_site(co, s);
	else
		take_delta(co, s, d);
	mem_free(d);
	if (co->current)
		core_site_give(&co->app, co->current);
	co->current = s;
}

// ---- the loop -----------------------------------------------------------------------------------

static void on_control(void *arg, void *item)
{
	struct core *co = arg;
	struct control *c = item;
	switch (c->kind) {
	case CONTROL_PUSH: on_push(co, c->push); break;
	case CONTROL_SITE: on_site(co, c->site, c->delta); break;
	case CONTROL_FENCES: fences_swap(co, c->fences, on_change); break;
	case CONTROL_STOP: loop_stop(co->loop); break;
	}
}

static void control_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	queue_drain(co->control, 256, on_control, co);
}

void ingest_take_site(struct core *co) { queue_drain(co->control, 0, on_control, co); }

static void drain_fd(int fd)
{
	uint64_t n;
	while (read(fd, &n, sizeof n) == sizeof n)
		;
}

static void ring_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	drain_fd(ring_data_fd(co->cfg.from_gate));
}

static void durable_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	drain_fd(series_durable_fd(co->app.series));
	settle(co);
}

static void wake_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	drain_fd(series_wake_fd(co->app.series));
}

static void signal_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	loop_unwatch(co->loop, co->signal_fd);
	core_stop_begin(co);
}

static void on_ack_timer(void *arg) { send_ack(arg); }

static void on_tick_timer(void *arg)
{
	struct core *co = arg;
	int64_t now = core_now(co);
	co->cause = loop_mono(co->loop);
	co->tick_at = evaluator_tick(co->evaluator, now, on_change, co);
	if (now >= co->fences_at) {
		co->fences_at = now + US_PER_S;
		fences_second(co, on_change);
	}
	int64_t wait = co->tick_at - now;
	loop_timer_in(co->loop, &co->tick_timer, wait < US_PER_MS ? US_PER_MS : MIN(wait, US_PER_S));
}

static enum err late_reader(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct core *co = arg;
	return series_read(co->app.series, point, from, to, 1000000, a, ret, ret_n);
}

// End of a turn: the ring, then bulk work, then sleep if there is nothing more.
static bool on_idle(void *arg)
{
	struct core *co = arg;
	bool more = take_ring(co);
	int64_t now = core_now(co);
	fences_turn(co, on_change);
	series_flush(co->app.series, false);
	series_turn(co->app.series, now);
	if (co->pending_head < co->pending_tail) // also what needed no sync: a message of nothing but duplicates
		settle(co);
	int64_t due = evaluator_due(co->evaluator);
	if (due && due <= now)
		on_tick_timer(co);
	if (!more && evaluator_late(co->evaluator, 16, late_reader, co, co->late_arena, on_change, co)) {
		arena_reset(co->late_arena);
		more = true;
	}
	return more || !ring_may_sleep(co->cfg.from_gate);
}

static void on_replayed(void *arg, const struct transition *t)
{
	struct transition own = *t;
	own.replayed = true;
	on_transition(arg, &own);
}

static void replay(void *arg, const struct reading *r, enum arrival how, int64_t arrival)
{
	struct core *co = arg;
	if (how != ARRIVED_LATE)
		fences_reading(co, r, arrival, on_replayed);
	if (how == ARRIVED_NEW)
		evaluator_feed(co->evaluator, r, arrival, on_replayed, co);
	else if (how == ARRIVED_LATE)
		evaluator_note_late(co->evaluator, r);
	else
		evaluator_feed_again(co->evaluator, r, arrival, on_replayed, co);
}

void ingest_replayed(struct core *co)
{
	evaluator_settle(co->evaluator, on_replayed, co);
	fences_turn(co, on_replayed);
}

void behind_close(struct buf *out, size_t before, uint32_t mark)
{
	buf_add_le32(out, (uint32_t)(out->n - before));
	buf_add_le32(out, mark);
}

bool behind_open(struct str saved, uint32_t mark, struct str *ret_before, struct str *ret_own)
{
	struct cursor c = cursor_of(saved.n >= 8 ? str_skip(saved, saved.n - 8) : STR_EMPTY);
	uint32_t n = take_le32(&c), found = take_le32(&c);
	bool there = cursor_ok(&c) && found == mark && n <= saved.n - 8;
	*ret_before = there ? str_first(saved, saved.n - 8 - n) : saved;
	*ret_own = there ? str_from(saved.p + saved.n - 8 - n, n) : STR_EMPTY;
	return there;
}

static void hook_save_all(void *arg, struct buf *out)
{
	struct core *co = arg;
	evaluator_save_all(co->evaluator, out);
	fences_save_behind(co, out);
	kept_save_behind(co, out);
}

static void hook_load_all(void *arg, struct str saved)
{
	struct core *co = arg;
	evaluator_restore_all(co->evaluator, fences_restore_behind(co, kept_restore_behind(co, saved)));
}

static void hook_save(void *arg, uint32_t point, void *ext) { evaluator_save(((struct core *)arg)->evaluator, point, ext); }
static void hook_load(void *arg, uint32_t point, const void *ext) { evaluator_restore(((struct core *)arg)->evaluator, point, ext); }

static uint64_t hook_said(void *arg) { return atomic_load(&((struct core *)arg)->alarms_posted); }
static uint64_t hook_done(void *arg) { return atomic_load(&((struct core *)arg)->alarms_committed); }

struct series_hooks ingest_hooks(struct core *co)
{
	return (struct series_hooks){ .arg = co, .ext_size = ALARM_EXT, .save = hook_save, .load = hook_load, .replay = replay,
				      .save_all = hook_save_all, .load_all = hook_load_all, .note = kept_replayed, .said = hook_said, .done = hook_done };
}

static void watch(struct core *co, int fd, loop_fd_fn *fn)
{
	if (loop_watch(co->loop, fd, EPOLLIN, fn, co))
		log_die("core", "cannot watch a descriptor");
}

void ingest_run(struct core *co)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	co->late_arena = arena_new(1 << 20);
	loop_timer_init(&co->tick_timer, on_tick_timer, co);
	loop_timer_init(&co->ack_timer, on_ack_timer, co);
	watch(co, ring_data_fd(co->cfg.from_gate), ring_ready);
	watch(co, series_durable_fd(co->app.series), durable_ready);
	watch(co, series_wake_fd(co->app.series), wake_ready);
	watch(co, queue_fd(co->control), control_ready);
	co->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	watch(co, co->signal_fd, signal_ready);
	loop_timer_in(co->loop, &co->tick_timer, US_PER_MS);
	watch_start(co);
	loop_on_idle(co->loop, on_idle, co);
	loop_run(co->loop);
	series_flush(co->app.series, true);
	for (int i = 0; i < 2000 && co->held_head < co->held_tail; i++) { // what was judged is recorded before the end
		usleep(1000);
		record_held(co);
	}
}
