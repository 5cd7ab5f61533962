// Load generator: many devices over MQTT against a running server, with times and values like those of real plants, and
// the time from sending a message to its PUBACK. One thread; used by `anlan bench`.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

struct load_device {
	struct str code, key;
	struct str *points;   // names
	size_t npoints;       // at least 1
};

// Lines CODE KEY POINT…, separated by blanks; # begins a comment. Everything ends in the arena.
enum err mqtt_load_read_devices(const char *path, struct arena *a, struct load_device **ret, size_t *ret_n,
                                struct problem *p) must_check;

struct load_config {
	const char *address;  // numeric IPv4 or IPv6
	uint16_t port;
	uint8_t version;      // 4 = MQTT 3.1.1, 5
	uint8_t qos;          // 0 or 1
	const struct load_device *devices;
	size_t ndevices;
	size_t batch;         // readings in a message, 1…1000; a message may hold several rounds of a device's points
	double rate;          // readings a second over all devices; 0 = as fast as acknowledgements come
	double seconds;       // of sending, at most
	uint64_t messages;    // of each device; 0: as many as there is time for
	bool at_once;         // each device sends as soon as it is welcomed, without waiting for the others
	const _Atomic bool *stop; // ends sending before its time; may be NULL
	size_t window;        // rate 0: messages of one connection not yet acknowledged
	// Device time. 0: the wall clock. Otherwise rounds are this far apart (us), with 0-15 ms of jitter, from
	// `from` on, until they meet the wall clock.
	int64_t interval, from;
	// Value in tenths; NULL: a random walk with one decimal, unchanged in four of ten rounds.
	int64_t (*value)(void *arg, size_t device, size_t point, uint64_t round, int64_t time);
	void *arg;
	// Alarms to cause: `alarms` messages a second (0: none) hold one reading of alarm_tenths at a point that had none
	// before. injected is called just before such a message is written, with the monotonic time.
	double alarms, alarms_from;   // from: seconds after the beginning (at least 0.5: not in the first rush)
	int64_t alarm_tenths;
	void (*injected)(void *arg, size_t device, size_t point, int64_t mono);
};

struct load_result {
	uint64_t messages, readings;  // sent
	uint64_t acked;               // readings in acknowledged messages (QoS 0: sent)
	double connect_s;             // until the last device was welcomed
	double seconds;               // from the first message to the last acknowledgement
	double cpu;                   // of this thread, user and system
	int64_t ack_p50, ack_p99, ack_max; // us; QoS 1
	uint64_t negative;            // 5.0: PUBACK with a reason of 0x80 and above
	uint64_t injected;            // readings of alarm_tenths sent
	size_t refused, lost;         // connections not accepted, or ended by the server
};

// ERR_UNAVAILABLE: nobody listens or not one connection was accepted.
enum err mqtt_load(const struct load_config *cfg, struct load_result *ret, struct problem *p) must_check;
