// What the API's handlers work on: the parts of the core, handed over by core/ at start-up. Handlers reach every part
// through here and nothing through globals (the registry's current generation excepted, model.h).
#pragma once

#include "alarm/alarm.h"
#include "auth/auth.h"
#include "bus/msg.h"
#include "flow/flow.h"
#include "http/http.h"
#include "model/model.h"
#include "series/series.h"
#include "store/store.h"

struct site_point {
	struct point_def def;
	struct str name, unit, address;
	double scale;
	double lon, lat;            // NaN = unknown
};
struct site_device {
	uint32_t id;
	struct str code, name;
	int64_t enterprise;
	struct str area;
	bool keyless, disabled;
	uint32_t *points;           // indexes into site.points
	size_t npoints;
};
// All points and devices as the records say, in one immutable generation.
struct site {
	struct arena *arena;
	int refs;                   // guarded by app.site_mutex
	uint64_t generation;
	struct site_point *points;  // sorted by id
	size_t npoints;
	struct site_device *devices; // sorted by code
	size_t ndevices;
	struct strmap *point_by_code;   // → index
	struct rule_set *rules;
	const struct registry *reg; // pinned
};

// By record id, by code; NULL if unknown.
const struct site_point *site_point(const struct site *s, uint32_t id);
const struct site_device *site_device(const struct site *s, struct str code);

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
};

struct push_result {            // what became of an HTTP push
	enum err err;
	size_t accepted, duplicates, late;
};

struct app {
	struct store *store;
	struct auth *auth;
	struct series *series;
	struct http *http;
	struct str county, data_dir;
	bool demo;                  // --demo and every listener on loopback
	int64_t started;
	const char *version;

	struct site *(*site_take)(struct app *app);
	void (*site_give)(struct app *app, struct site *s);
	// Adds readings of a device and waits until they are on disk. Readings carry point ids already.
	struct push_result (*push)(struct app *app, uint32_t device, const struct reading *r, size_t n);
	bool (*device_stats)(struct app *app, uint32_t device, struct device_stats *ret); // copy
	void (*device_reject)(struct app *app, uint32_t device, enum reject reason, struct str text, struct str peer);
	size_t (*unknown_devices)(struct app *app, struct device_stats *ret, size_t max); // refused connections of nobody we know
	// Sends bytes to the device's command topic, or keeps them until it subscribes. Waits up to 2 s for the device.
	// ERR_UNAVAILABLE: too much is waiting already.
	enum err (*command)(struct app *app, uint32_t device, struct str bytes, bool *ret_delivered);
	void (*kick)(struct app *app, uint32_t device);
	void (*alarm_changed)(struct app *app, int64_t alarm);  // publish it
	void (*metrics)(struct app *app, struct buf *out);
	void *core;
};
