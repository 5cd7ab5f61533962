// The device simulator: what its files share. A separate program that knows nothing of the server but the protocols:
// it reads the list of devices, makes readings, and sends them as those devices would. One thread, one epoll.
//
//   devices.c    devices.tsv → devices and points
//   normal.c     the quiet county: plausible values that stay clear of their limits
//   physics.c    tank, plume, dust collector, pond, cold store: pure functions of time
//   recording.c  real recordings, replayed
//   scenario.c   what goes wrong, when, and what is logged about it
//   frames.c     HJ 212-2017 and GB/T 26875.3-2011 frames; mqtt.c MQTT 3.1.1 packets; http.c requests
//   link.c       connections: buffers while the gate is away, sends again as history
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

#define SIM_MAX_HELD 6000            // readings a device keeps while it cannot send; then the oldest go
#define SIM_WINDOW 4                 // messages under way at once on MQTT; the other protocols send one at a time
#define SIM_LATE_S 15                // a reading older than this when it is sent goes out as history
#define ZONE_MIN 480                 // devices tell the time in China's zone

enum sim_protocol { SIM_MQTT, SIM_HTTP, SIM_HJ212, SIM_GB26875, SIM_PROTOCOLS };

struct sim_point {
	const char *code, *kind, *address, *tag; // tag: "overfill.level", or ""
	double scale;                // value = what is sent × scale
	int64_t every;               // us between readings
	double normal, noise, swing; // see normal.c
	double step;                 // values are multiples of it; 0 = any
	double lo, hi;               // range of the sensor
	double lon, lat;
	double forced;               // value a scenario gives it; NaN = none
	bool changed;                // send at once
	int64_t next;                // when the next reading is due, UTC us
	uint64_t seed;
};

struct link;

struct sim_device {
	const char *code, *key, *plant;
	enum sim_protocol protocol;
	struct sim_point *points;
	size_t npoints;
	struct link *link;
};

struct county {
	struct arena *arena;
	struct sim_device *devices;
	size_t ndevices, npoints;
};

// devices.tsv: lines beginning with # are remarks; columns are separated by tabs, "-" is an empty text.
//   D code protocol key plant
//   P code kind address scale every_s normal noise swing step lo hi lon lat tag    points of the D line before
// False and a line on the log if the file cannot be read.
bool county_load(struct county *c, const char *path);
void county_free(struct county *c);

// A value of a quiet point at a time: normal + swing·sin (a day for weather, two hours else, each point at its own
// phase) + noise of at most ±2·noise, kept within the sensor's range.
double normal_value(const struct sim_point *p, int64_t now);
double normal_bound(const struct sim_point *p); // largest distance from p->normal
uint64_t sim_random(uint64_t *state);           // SplitMix64
double sim_noise(uint64_t *state);              // in [-2, 2], triangular
