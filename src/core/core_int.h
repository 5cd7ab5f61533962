// Shared by the files of core/ only.
#pragma once

#include <pthread.h>

#include "api/api.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/time.h"
#include "bus/ring.h"
#include "core/core.h"
#include "fence/fence.h"
#include "loop/loop.h"
#include "loop/queue.h"
#include "measure/index.h"
#include "measure/measure.h"
#include "notify/notify.h"
#include "model/held.h"

struct push_item {              // readings of an HTTP push or a file on their way through T_SERIES; lives on the sender's stack
	uint32_t device;            // 0: a file; its readings are sorted by their devices, which did not send them
	const struct reading *v;
	size_t n;
	struct push_result result;
	uint64_t mark;
	bool done;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

struct site_delta {             // what a generation of the site changed against the one before
	bool all;                   // whatever: other rules, or too much to name
	size_t n;
	uint32_t points[];          // changed, new or gone; ascending
};

enum control_kind { CONTROL_PUSH, CONTROL_SITE, CONTROL_FENCES, CONTROL_STOP };
struct control {                // to T_SERIES
	enum control_kind kind;
	struct push_item *push;
	struct site *site;          // a reference
	struct site_delta *delta;   // owned
	struct fence_set *fences;   // owned
};

enum event_kind { EVENT_ALARM, EVENT_RECORD, EVENT_CONFIG, EVENT_STOP };
struct event {                  // to T_EVENTS
	enum event_kind kind;
	int64_t alarm;
	bool opens;                 // the alarm wants a record opened
	struct record_event record;
	char type[64], state[64], area[16], sector[48]; // what record's strings point to
};

struct held {                   // a change of a condition whose samples are not on disk yet
	uint64_t mark;
	int64_t cause;              // clock_mono of the arrival of the last of them
	struct transition t;
};

struct pending {                // waits for the disk
	uint64_t mark, position, seq;
	struct push_item *push;     // or NULL
};

struct arrived {                // one message of readings
	uint32_t device;
	uint16_t protocol;
	uint64_t conn;
	size_t accepted, duplicates;
	int64_t arrival, newest, sent; // wall us; sent 0: the protocol does not say
	bool history;               // re-sent: says nothing about the clock
};

struct tally_point { uint32_t device; uint16_t most, count; };
struct tally {                  // T_SERIES: readings of the five minutes that run, by point id
	struct tally_point *point;
	size_t n;
	int64_t slot, from;         // number and start of the five minutes
	int64_t since;              // counted since
	bool set;                   // the clock was set: count anew
};
struct late_run { uint32_t device; uint32_t n; int64_t slot; }; // readings of one message for other five minutes
struct cell { uint32_t got; float due; uint8_t on, of; };
struct heard {                  // of a device
	struct cell five[13], hour[24];
	float due;                  // in five minutes
};

struct ids { uint32_t *v; size_t n, cap; };
struct site_news {              // which records have changed that the site is made of
	bool all;                   // the last load failed
	bool roster;                // devices or enterprises
	struct ids points, devices;
};

struct core {
	struct app app;             // first: handlers get a struct app *
	struct core_config cfg;

	// T_SERIES
	struct loop *loop;
	struct evaluator *evaluator;
	struct fences *fences;
	struct kept **kept;         // by device; written by T_SERIES; kept_mutex
	size_t kept_cap;
	pthread_mutex_t kept_mutex;
	struct site *current;       // reference of T_SERIES
	struct queue *control;
	struct pending *pending;    // FIFO: pending[head … tail)
	size_t pending_head, pending_tail, pending_cap;
	uint64_t ack_due, ack_sent;
	struct held *held;          // FIFO: held[held_head … held_tail)
	size_t held_head, held_tail, held_cap;
	struct loop_timer tick_timer, ack_timer;
	int signal_fd;
	int64_t tick_at, fences_at;
	_Atomic size_t fences_now, fence_watches; // for /metrics
	_Atomic uint64_t fence_positions, fence_left_out;
	struct arena *late_arena;
	int64_t wall;               // wall clock − monotonic clock; changes only when the wall clock is set
	struct tally tally;
	struct loop_timer watch_timer;
	int64_t minute;
	int64_t cause;              // clock_mono of the arrival of what is being judged
	struct histogram ring_wait, lag, alarm_latency, index_lag;
	_Atomic uint64_t clock_sets;
	_Atomic int64_t clock_set_by, clock_set_at;
	struct msg_gate gate;       // its newest word; stats_mutex

	// one lock for the ring to the gate: T_SERIES, T_DEVICE and HTTP workers write to it
	pthread_mutex_t to_gate;

	// T_DEVICE
	struct queue *hellos;       // owned copies of MSG_HELLO; an empty item ends the thread
	struct loop *device_loop;
	pthread_t device_thread;

	// T_EVENTS
	struct queue *events;       // owned struct event *
	struct loop *event_loop;
	pthread_t event_thread;
	struct loop_timer second, site_timer, fence_timer, tell_timer;
	int seconds;
	struct site_news news;      // T_EVENTS; since the site was loaded last
	_Atomic bool news_lost;     // an event found the queue full
	int64_t anchor_due;         // when to look again whether a day has passed
	bool flow_busy, schedule_busy, shelf_busy, suppress_busy, exam_busy;
	int64_t suppress_due;       // when to look at what hides alarms; atomic, suppress_wake makes it now
	bool suppress_load;         // records that hide alarms have changed; atomic
	struct qra_jobs *qra;       // qra.c
	struct stills *stills;      // stills.c: its own thread
	int64_t schedule_due;       // when flow_schedule_tick must run next; atomic
	int64_t flow_due;           // when flow_tick must run next; atomic, clock_wake makes it earlier
	bool measure_busy;
	pthread_t measure_thread;   // if it runs or is to be joined; T_EVENTS
	bool measure_thread_runs;
	int64_t measure_due;        // when snapshots are looked at next; atomic
	struct measure_read *measures; // clock.c; the thread of snapshots

	struct index_thread *index; // index.c: its own thread

	struct dialler *dialler;    // dial.c; T_EVENTS
	struct regrader *regrader;  // regrade.c
	pthread_t retention_thread; // T_EVENTS, and who ends after it
	bool retention_started, retention_over; // over: atomic
	int64_t retention_due;      // clock_mono

	struct drop *drop;          // drop.c: its own thread
	struct keeper *map;         // map.c: its own thread

	struct detect *detect;      // detect.c: its own thread
	struct notify *notify;      // messages out; its own thread

	// site
	pthread_mutex_t site_mutex;
	struct site *site;          // newest; a reference
	uint64_t site_generation;

	// commands.c, guarded by commands_mutex
	pthread_mutex_t commands_mutex;
	pthread_cond_t commands_cond; // the gate has said what became of one
	struct waiting *commands;   // oldest first
	size_t ncommands;
	struct { uint64_t seq; bool delivered; } commands_said[64]; // the last words of the gate, in a ring
	size_t ncommands_said;
	int command_waiters;        // workers that wait for a device

	// alarm jobs posted and committed, for the series' snapshot fence
	_Atomic uint64_t alarms_posted, alarms_committed;

	// devices
	pthread_mutex_t stats_mutex;
	struct device_stats *stats; // index = device id
	size_t stats_cap;
	struct device_stats unknown[200];
	size_t nunknown;
	struct heard *heard;        // index = device id
	size_t nheard;
	uint64_t *conns;            // by device: the gate's newest connection, 0 = none
	char *message;              // our copy of the message that is being taken from the gate
	size_t message_cap;
};

// site.c
struct site *site_load(struct core *co, const struct registry *reg, struct rule_set *rules, struct problem *p);
// The generation after s, which differs by the news, and the delta between them. Costs what the news are.
struct site *site_change(struct core *co, const struct site *s, struct site_news *news, const struct registry *reg,
                         struct rule_set *rules, struct site_delta **ret, struct problem *p);
void ids_note(struct ids *v, uint32_t id);
void ids_sort(struct ids *v); // each once
struct site_delta *delta_new(bool all, const struct ids *points);
struct site *core_site_take(struct app *app);
void core_site_give(struct app *app, struct site *s);
void site_publish(struct core *co, struct site *s, struct site_delta *d); // takes both; tells T_SERIES

// Values of a row's field by name; a NULL value if the type has none. 0 or fallback if it is no number.
double value_number(const struct value *v, double fallback);
int64_t value_integer(const struct value *v);

// roster.c
enum err roster_load(struct db *db, const struct registry *reg, struct roster **ret);
void roster_free(struct roster *r);

// core.c
void core_stop_begin(struct core *co); // asked to end; T_SERIES goes on until CONTROL_STOP

// ingest.c
void ingest_run(struct core *co);                     // T_SERIES' loop
void ingest_take_site(struct core *co);               // at start, before the loop
struct series_hooks ingest_hooks(struct core *co);
void ingest_replayed(struct core *co);                // once the log is replayed, before the alarms are reconciled
struct push_result core_push(struct app *app, uint32_t device, const struct reading *r, size_t n);
void on_transition(void *arg, const struct transition *t); // at once: its samples are on disk

// devices.c
void *device_thread(void *core);
void device_thread_stop(struct core *co); // waits until it has ended
void device_on_message(struct core *co, const struct msg *m, size_t size); // HELLO, REJECT, GONE; T_SERIES
void device_on_readings(struct core *co, const struct arrived *a);
bool device_is_online(const struct device_stats *s, int64_t now);
bool core_device_stats(struct app *app, uint32_t device, struct device_stats *ret);
void core_device_reject(struct app *app, uint32_t device, enum reject reason, struct str text, struct str peer, int64_t time);
size_t core_unknown_devices(struct app *app, struct device_stats *ret, size_t max);
void core_kick(struct app *app, uint32_t device);
uint64_t device_conn(struct core *co, uint32_t device); // its newest connection, 0 = none; any thread
bool to_gate_send(struct core *co, const void *msg, size_t n); // false: ring full

// metrics.c
void core_metrics(struct app *app, struct buf *out);

// watch.c; T_SERIES but for watch_shares
int64_t watch_offset(void);
int64_t core_clock_set(struct app *app, int64_t *ret_by); // any thread
void watch_start(struct core *co);
void watch_site(struct core *co, const struct site *s);
void watch_point(struct core *co, uint32_t id, const struct site *before, const struct site *s); // that point only
void watch_message(struct core *co, struct device_stats *s, const struct arrived *a);       // stats_mutex is held
void watch_refused_time(struct core *co, struct device_stats *s, int64_t time);             // likewise
void watch_shares(struct core *co, uint32_t device, struct device_share *hour, struct device_share *day); // likewise
void watch_tally_late(struct core *co, struct late_run *run, int64_t time);
void watch_tally_end(struct core *co, struct late_run *run);
static inline int64_t core_now(const struct core *co) { return loop_mono(co->loop) + co->wall; } // wall clock of this turn
static inline void watch_tally(struct core *co, struct late_run *run, const struct reading *r)
{
	if (r->time >= co->tally.from && r->point < co->tally.n) // a clock that is ahead counts now
		co->tally.point[r->point].count += co->tally.point[r->point].count < UINT16_MAX;
	else
		watch_tally_late(co, run, r->time);
}

// anchor.c
void anchor_tick(struct core *co); // soon after the start and every ten minutes: an anchor if a day has passed; T_EVENTS

// commands.c
void commands_init(struct core *co);
bool core_command_wait(struct app *app, int64_t command);                  // HTTP workers
void commands_load(struct core *co);                                       // T_EVENTS: at start, and when one was made
void commands_subscribed(struct core *co, uint32_t device, uint64_t conn); // T_SERIES
void commands_delivered(struct core *co, uint64_t seq, bool delivered);    // T_SERIES
void commands_answered(struct core *co, const struct msg_answer *m);       // T_SERIES
void commands_tick(struct core *co);                                       // T_EVENTS, once a second

// dial.c
void dial_tick(struct core *co); // T_EVENTS, once a second

// fences.c; the first four T_EVENTS (at start: before the others run), then T_SERIES
void fences_start(struct core *co);
void fences_load(struct core *co);                               // makes a generation of the records and points
void fences_wake(struct core *co);                               // soon
void fences_note(struct core *co, const struct record_event *e); // a record has changed
void fences_reading(struct core *co, const struct reading *r, int64_t arrival, transition_fn *fn);
void fences_turn(struct core *co, transition_fn *fn);            // what came of one time is there
void fences_second(struct core *co, transition_fn *fn);
void fences_swap(struct core *co, struct fence_set *s, transition_fn *fn);
// What stands behind something else in the snapshot: its bytes from `before` on, their number, a mark. Opened from the back.
void behind_close(struct buf *out, size_t before, uint32_t mark);
bool behind_open(struct str saved, uint32_t mark, struct str *ret_before, struct str *ret_own); // false: it is not there, own is empty
void fences_save_behind(struct core *co, struct buf *out);

// kept.c
struct msg_keep;
void kept_on_message(struct core *co, const struct msg_keep *m, size_t size, int64_t now); // T_SERIES
void kept_replayed(void *arg, uint32_t device, struct str note);
bool kept_give(struct core *co, uint32_t device, uint64_t conn); // T_DEVICE, before WELCOME; false: no room in the ring
void kept_save_behind(struct core *co, struct buf *out);
struct str kept_restore_behind(struct core *co, struct str saved);
struct str fences_restore_behind(struct core *co, struct str saved); // what stands before it
void fences_tell_active(struct core *co, transition_fn *fn);
void fences_adopt_row(struct core *co, uint32_t point, int64_t fence, enum fence_what what);

// regrade.c; T_EVENTS
void regrade_start(struct core *co);
void regrade_note(struct core *co, const struct record_event *e); // a record has changed
void regrade_reload(struct core *co);                             // other packs
void regrade_tick(struct core *co);                               // once a second

// events.c
void *event_thread(void *core);
void event_thread_stop(struct core *co); // after what is queued; waits until it has ended
void core_alarm_changed(struct app *app, int64_t alarm);
void event_alarm(struct core *co, int64_t alarm, bool opens);
struct touched { int64_t alarm; bool opened; };
void suppress_wake(struct core *co, bool load); // any thread; load: read the records too
void event_record(void *core, const struct record_event *e);
void event_config(struct core *co); // other packs are in force
void core_messages_changed(struct app *app);

void open_next(struct core *co);         // a record that an alarm asks for

// clock.c
void clock_start(struct core *co);
void clock_join(struct core *co);            // the thread that takes snapshots has ended; T_EVENTS, or after it
void clock_wake(struct core *co, int64_t at); // a record's clock runs out then; any thread

// retention.c
void retention_tick(struct core *co); // T_EVENTS
void retention_stop(struct core *co); // waits for what runs; series_leave makes that short

// index.c; the notes from T_EVENTS (and from who finds its queue full)
void index_start(struct core *co);
void index_stop(struct core *co);
void index_note_alarm(struct core *co, int64_t alarm);
void index_note_record(struct core *co, const struct record_event *e);
void index_note_all(struct core *co, bool config); // config: other packs are in force

// drop.c
void drop_start(struct core *co);
void drop_stop(struct core *co);  // waits for the batch at hand; the file is read again after the next start
bool core_qra_part(struct app *app, int64_t run, double *ret);
void qra_start(struct core *co);
void qra_wake(struct core *co, const struct record_event *e); // T_EVENTS: a record has changed
void qra_stop(struct core *co);

// stills.c
void stills_start(struct core *co);
void stills_note(struct core *co, const struct record_event *e); // T_EVENTS: a record has changed
void stills_stop(struct core *co);
bool core_still(struct app *app, int64_t camera, struct arena *a, struct still_view *ret);
bool core_still_ask(struct app *app, int64_t camera);
size_t core_drop_files(struct app *app, struct drop_file *ret, struct drop_totals *ret_totals);

// map.c: the map's layers follow the records and alarms, in a thread of their own
void map_start(struct core *co);
void map_stop(struct core *co); // HTTP may still read
void map_note_record(struct core *co, const struct record_event *e); // T_EVENTS
void map_note_alarm(struct core *co);                                // any thread: colours of now, or of the risk index, are others
void map_note_lost(struct core *co);                                 // any thread: an event was lost
struct map_layer *core_map_layer(struct app *app, const struct type *t, struct problem *p);
// detect.c
void detect_start(struct core *co);
void detect_stop(struct core *co); // keeps what the detectors have seen; T_SERIES still answers
struct detect_cost core_detect_cost(struct app *app);
size_t core_detect_early(struct app *app, uint32_t point, struct early_view *ret, size_t max);
void detect_note_doubt(struct core *co); // a record of type data_doubt has changed; any thread
void detect_note_unit(struct core *co);  // likewise of type unit_model
bool core_detect_unit(struct app *app, int64_t unit, struct unit_view *ret);
bool core_detect_doubted(struct app *app, uint32_t point, struct doubted *ret);
void core_detect_doubted_each(struct app *app, void (*fn)(void *arg, const struct doubted *k), void *arg);
size_t core_detect_early_points(struct app *app, void (*fn)(void *arg, uint32_t point), void *arg);

// setup.c
enum err setup_first_start(struct core *co, const struct registry *reg, char ret_password[33], struct problem *p);
