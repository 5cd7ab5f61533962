// What the API's handlers work on: the parts of the core, handed over by core/ at start-up. Handlers reach every part
// through here and nothing through globals (the registry's current generation excepted, model.h).
#pragma once

#include "alarm/alarm.h"
#include "alarm/site_points.h"
#include "auth/auth.h"
#include "bus/msg.h"
#include "config/config.h"
#include "detect/doubt.h"
#include "detect/early.h"
#include "flow/flow.h"
#include "gate/template/payloads.h"
#include "http/http.h"
#include "map/cache.h"
#include "map/feed.h"
#include "map/ways.h"
#include "model/model.h"
#include "risk/table.h"
#include "series/series.h"
#include "store/store.h"

struct site_device {
	uint32_t id;
	struct str code, name;
	int64_t enterprise;
	struct str area, sector;    // sector: of the enterprise
	bool keyless, disabled, bcd_time;
	struct str poll_address;    // "192.0.2.10:502": it is called (Modbus TCP); or empty
	uint32_t poll_ms;
	uint8_t poll_unit;
	int64_t clock_warn, clock_bad; // us: its clock is judged by them
	enum { CIPHER_NONE, CIPHER_AES, CIPHER_DES } cipher; // its messages arrive encrypted (gateway, dust)
	const struct payload_template *tpl; // its messages are read by it; NULL: the forms that are ours
};
// Devices and what is needed of enterprises; the generations between two changes of them share it.
struct roster {
	struct arena *arena;
	int refs;                   // guarded by app.site_mutex
	struct site_device *devices; // sorted by code
	size_t ndevices;
	uint32_t *polled;           // indexes of the devices with a poll_address
	size_t npolled;
	struct str *sectors;        // by enterprise
	size_t nsectors;
	struct named_template *templates;
	size_t ntemplates;
};
// All points and devices as the records say, in one immutable generation.
struct site {
	int refs;                   // guarded by app.site_mutex
	uint64_t generation;
	struct site_points *points;
	const struct roster *roster;
	struct rule_set *rules;
	const struct registry *reg; // pinned
};

static inline struct place point_place(const struct site_point *p)
{
	return (struct place){ p->def.area, p->def.enterprise, p->def.sector };
}

// By record id; the next after *at in the order of the ids, start with 0; by code. False, NULL if there is none.
bool site_point(const struct site *s, uint32_t id, struct site_point *ret);
bool site_point_next(const struct site *s, uint32_t *at, struct site_point *ret);
bool site_point_named(const struct site *s, struct str code, struct site_point *ret);
struct str roster_sector(const struct roster *r, int64_t enterprise); // empty: none
const struct site_device *site_device(const struct site *s, struct str code);

// A device's clock against ours. off = ours − the device's, us: > 0 behind us (or everything comes late), < 0 ahead.
struct device_clock {
	bool known;
	int64_t off;
	int64_t slot, least[2];     // least offset of these five minutes and of those before
	uint32_t leaps;             // times it was seen to be set
	int64_t leap_by, leap_at;   // the last: > 0 forward, us
};
enum clock_state { CLOCK_UNKNOWN, CLOCK_OK, CLOCK_WARN, CLOCK_BAD };
const char *clock_state_name(enum clock_state s); // "unknown", "ok", "warn", "bad"
enum clock_state clock_judge(const struct device_clock *k, int64_t warn, int64_t bad);

struct device_share {           // of the last hour or day, as far as this process has seen it
	double received, expected;  // readings; received counts at most what was expected
	uint32_t on, of;            // minutes with the device online, minutes in all
};

// What the gate and the push interface count for a device; kept in memory by core/.
struct device_stats {
	uint32_t device;            // 0 = unknown device (by peer)
	bool online;
	int64_t since, last;        // connected since, last message; us
	uint64_t messages, readings, duplicates;
	uint64_t rejects[REJECT__MAX];
	char last_reject[121];      // text of the newest refusal
	uint16_t last_reason;
	int64_t last_reject_at;
	char peer[64];
	uint16_t protocol;
	int64_t lag;                // arrival − time of the newest reading in the last message, us
	struct device_clock clock;
	struct device_share hour, day; // filled for a copy only
};

struct drop_file {              // a file of the drop folder, newest last
	char name[256];
	enum { DROP_READING, DROP_DONE, DROP_FAILED } state;
	int64_t at;                 // begun; us
	uint64_t rows, accepted, duplicates, wrong;
	char zh[200], en[200];      // FAILED: why
};
struct drop_totals { uint64_t done, failed, rows, wrong; }; // since the start
#define DROP_SHOWN 50

struct early_view {             // what a rule says ahead of its limits at a point; a copy
	uint32_t rule;              // index in the site's set
	int64_t through;            // the newest sample it has seen, us; 0 = none
	struct early e;
};
struct doubted {                // a point whose data are in doubt: it has an open record of type data_doubt
	uint32_t point, reasons;    // bits by doubt_reason
	int64_t since;              // us
};
struct still_view {             // the newest still of a camera
	struct str bytes;           // in the caller's arena
	const char *mime;           // "image/jpeg", "image/png"
	int64_t at;                 // when it was fetched, us; 0 = there is none
	struct label why;           // why the last try failed; empty: it did not
};
struct unit_view;               // api/unit_model.h
struct detect_cost {            // of T_DETECT since the start
	uint64_t turns, reads, samples, rows, errors; // rows: of units
	int64_t cpu_us;
	size_t early_watches, doubt_watches, drift_watches, units; // now
	size_t early_left, doubt_left, drift_left; // beyond LIMIT_EARLY_WATCHES, LIMIT_DOUBT_WATCHES, LIMIT_DRIFT_WATCHES: not watched
};
struct index_live;          // measure/index.h

struct push_result {            // what became of an HTTP push
	enum err err;
	size_t accepted, duplicates, late;
};

struct app {
	struct store *store;
	struct auth *auth;
	struct series *series;
	struct config *config;
	struct http *http;
	struct imports *imports;
	struct map_cache *tiles;    // as they were answered
	struct map_base *base;      // the county's base map
	struct map_placings *placings; // points that say where something is
	struct index_live *index;   // the risk index of now
	const struct risk_tables *risk; // data tables of the packs, as at the start
	struct str county, data_dir;
	struct str site_url;        // "https://host:port", no slash at the end: what stands on documents
	bool demo;                  // --demo and every listener on loopback
	int64_t started;
	const char *version;

	struct site *(*site_take)(struct app *app);
	void (*site_give)(struct app *app, struct site *s);
	// Adds readings of a device and waits until they are on disk. Readings carry point ids already.
	struct push_result (*push)(struct app *app, uint32_t device, const struct reading *r, size_t n);
	// The last files of the drop folder into ret[DROP_SHOWN].
	size_t (*drop_files)(struct app *app, struct drop_file *ret, struct drop_totals *ret_totals);
	// Early warnings: what is said at a point (how many rules); every point that is watched, returns how many watches there are.
	size_t (*detect_early)(struct app *app, uint32_t point, struct early_view *ret, size_t max);
	size_t (*detect_early_points)(struct app *app, void (*fn)(void *arg, uint32_t point), void *arg);
	bool (*detect_doubted)(struct app *app, uint32_t point, struct doubted *ret);
	void (*detect_doubted_each)(struct app *app, void (*fn)(void *arg, const struct doubted *k), void *arg);
	bool (*detect_unit)(struct app *app, int64_t unit, struct unit_view *ret); // of a unit in force
	struct detect_cost (*detect_cost)(struct app *app);
	bool (*device_stats)(struct app *app, uint32_t device, struct device_stats *ret); // copy
	// time: REJECT_TIME of a time that could be read, 0 otherwise
	void (*device_reject)(struct app *app, uint32_t device, enum reject reason, struct str text, struct str peer, int64_t time);
	size_t (*unknown_devices)(struct app *app, struct device_stats *ret, size_t max); // refused connections of nobody we know
	// Waits up to 2 s until the device has the command (record of type device_command); false: it is kept for it.
	bool (*command_wait)(struct app *app, int64_t command);
	// Is the core at this assessment (record of type qra_run), and how far, 0 to 1?
	bool (*qra_part)(struct app *app, int64_t run, double *ret);
	// The camera's newest still; a NULL: without its bytes. False: none is fetched of it (no address, out of service).
	bool (*still)(struct app *app, int64_t camera, struct arena *a, struct still_view *ret);
	bool (*still_ask)(struct app *app, int64_t camera);     // fetch one now; false likewise
	void (*kick)(struct app *app, uint32_t device);
	void (*alarm_changed)(struct app *app, int64_t alarm);  // publish it
	void (*messages_changed)(struct app *app);              // something is to be sent: wake notify/
	// The layer of the type on the map, filled; the first to ask waits while it is. NULL: it cannot be read, p says why.
	struct map_layer *(*map_layer)(struct app *app, const struct type *t, struct problem *p);
	void (*metrics)(struct app *app, struct buf *out);
	int64_t (*clock_set)(struct app *app, int64_t *ret_by);  // when this machine's clock was last set while we ran, 0 = never; by us
	void *core;
};

// Answers kept for repeated requests (idempotent.c) whose records say the same, a day later. Any thread but the writer.
enum err api_forget_answers(struct app *app, struct arena *a) must_check;
// What retention says now: the kinds of the points, and an hour around each alarm that opened a record, which stays.
// Time is at most a month past the newest reading: a clock that jumps ahead deletes nothing.
enum err api_retention(struct app *app, const struct site *site, struct db *db, struct arena *a, struct series_retention *ret) must_check;
