// Shared by the files of core/ only.
#pragma once

#include <pthread.h>

#include "api/api.h"
#include "base/log.h"
#include "base/time.h"
#include "bus/ring.h"
#include "core/core.h"
#include "loop/loop.h"
#include "loop/queue.h"

struct push_item {              // readings of an HTTP push on their way through T_SERIES; lives on the worker's stack
	uint32_t device;
	const struct reading *v;
	size_t n;
	struct push_result result;
	uint64_t mark;
	bool done;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

enum control_kind { CONTROL_PUSH, CONTROL_SITE };
struct control {                // to T_SERIES
	enum control_kind kind;
	struct push_item *push;
	struct site *site;          // a reference
};

enum event_kind { EVENT_ALARM, EVENT_RECORD };
struct event {                  // to T_EVENTS
	enum event_kind kind;
	int64_t alarm;
	bool opens;                 // the alarm wants a record opened
	struct record_event record;
	char type[64], state[64], area[16]; // what record's strings point to
};

struct held {                   // a change of a condition whose samples are not on disk yet
	uint64_t mark;
	struct transition t;
};

struct pending {                // waits for the disk
	uint64_t mark, position, seq;
	struct push_item *push;     // or NULL
};

struct core {
	struct app app;             // first: handlers get a struct app *
	struct core_config cfg;

	// T_SERIES
	struct loop *loop;
	struct evaluator *evaluator;
	struct site *current;       // reference of T_SERIES
	struct queue *control;
	struct pending *pending;    // FIFO: pending[head … tail)
	size_t pending_head, pending_tail, pending_cap;
	uint64_t ack_due, ack_sent;
	struct held *held;          // FIFO: held[held_head … held_tail)
	size_t held_head, held_tail, held_cap;
	struct loop_timer tick_timer, ack_timer;
	int64_t tick_at;
	struct arena *late_arena;
	bool stopping;

	// one lock for the ring to the gate: T_SERIES, T_DEVICE and HTTP workers write to it
	pthread_mutex_t to_gate;

	// T_DEVICE
	struct queue *hellos;       // owned copies of MSG_HELLO
	pthread_t device_thread;

	// T_EVENTS
	struct queue *events;       // owned struct event *
	struct loop *event_loop;
	pthread_t event_thread;
	struct loop_timer second, site_timer;
	int seconds;
	bool flow_busy, shelf_busy;

	// site
	pthread_mutex_t site_mutex;
	struct site *site;          // newest; a reference
	uint64_t site_generation;

	// commands.c, guarded by commands_mutex
	pthread_mutex_t commands_mutex;
	pthread_cond_t commands_cond; // one was delivered
	struct command *commands;   // oldest first
	size_t ncommands;
	uint64_t command_seq;
	int command_waiters;        // workers that wait for a device

	// alarm jobs posted and committed, for the series' snapshot fence
	_Atomic uint64_t alarms_posted, alarms_committed;

	// devices
	pthread_mutex_t stats_mutex;
	struct device_stats *stats; // index = device id
	size_t stats_cap;
	struct device_stats unknown[200];
	size_t nunknown;
	uint64_t *conns;            // by device: the gate's newest connection, 0 = none
};

// site.c
struct site *site_load(struct core *co, const struct registry *reg, struct rule_set *rules, struct problem *p);
struct site *core_site_take(struct app *app);
void core_site_give(struct app *app, struct site *s);
void site_publish(struct core *co, struct site *s); // takes the reference; tells T_SERIES

// ingest.c
void ingest_run(struct core *co);                     // T_SERIES' loop
void ingest_take_site(struct core *co);               // at start, before the loop
struct series_hooks ingest_hooks(struct core *co);
struct push_result core_push(struct app *app, uint32_t device, const struct reading *r, size_t n);
void on_transition(void *arg, const struct transition *t); // at once: its samples are on disk

// devices.c
void *device_thread(void *core);
void device_on_message(struct core *co, const struct msg *m, size_t size); // HELLO, REJECT, GONE; T_SERIES
void device_on_readings(struct core *co, uint32_t device, uint64_t conn, uint16_t protocol, size_t n, size_t duplicates, int64_t arrival);
bool core_device_stats(struct app *app, uint32_t device, struct device_stats *ret);
void core_device_reject(struct app *app, uint32_t device, enum reject reason, struct str text, struct str peer);
size_t core_unknown_devices(struct app *app, struct device_stats *ret, size_t max);
void core_kick(struct app *app, uint32_t device);
uint64_t device_conn(struct core *co, uint32_t device); // its newest connection, 0 = none; any thread
bool to_gate_send(struct core *co, const void *msg, size_t n); // false: ring full
void core_metrics(struct app *app, struct buf *out);

// commands.c
void commands_init(struct core *co);
enum err core_command(struct app *app, uint32_t device, struct str bytes, bool *ret_delivered); // HTTP workers
void commands_subscribed(struct core *co, uint32_t device, uint64_t conn); // T_SERIES
void commands_answered(struct core *co, uint64_t seq, bool delivered);  // T_SERIES
void commands_tick(struct core *co);                                    // T_EVENTS, once a second

// events.c
void *event_thread(void *core);
void core_alarm_changed(struct app *app, int64_t alarm);
void event_alarm(struct core *co, int64_t alarm, bool opens);
void event_record(void *core, const struct record_event *e);

// setup.c
enum err setup_first_start(struct core *co, const struct registry *reg, char ret_password[33], struct problem *p);
