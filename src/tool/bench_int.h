// Inside `anlan bench ingest`: the county it makes (bench_county.c), the server it starts and looks at from outside
// (bench_server.c), the reader of the event stream (bench_events.c). Main thread, but for bench_events' own.
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "tool/mqtt_load.h"

#define BENCH_LOGIN "bench"
#define BENCH_PASSWORD "Bench-2-Reader"
#define BENCH_ALARM_TENTHS 1300       // above the hh of every point of the county

// ---- the county ----
// DIR/packs: the packs in `packs` (those the program comes with) and one rule of four limits without delay, whose hh
// opens a warning. DIR/data: an enterprise for ten devices, the devices with keys, the points, one duty officer. Values
// from 0 to 100 raise nothing. conditions: so many points have, beside their limits, a condition with a mean over 10 minutes, a rate
// over 5, a limit and a pressure of their device (every tenth point).
enum err bench_county(const char *dir, const char *packs, size_t points, size_t devices, size_t conditions, struct arena *a,
                      struct load_device **ret, struct problem *p) must_check;

// ---- the server ----
struct bench_server {
	pid_t pid;              // the parent of core and gate; 0 = not running
	uint16_t http, mqtt;    // ports on 127.0.0.1
	char dir[256];          // data, packs and server.log
	double start_s;         // from fork to the first 200 of /healthz
};

struct bench_usage {
	double cpu;             // seconds, user and system, of all server processes
	double rss_mib, pss_mib;// sums; pss counts a shared page once. pss 0: it may not be read here
};

struct bench_disk {
	int64_t log, blocks, database, all; // bytes taken from the file system
};

enum err bench_server_start(struct bench_server *s, struct problem *p) must_check;
void bench_server_stop(struct bench_server *s);
void bench_server_usage(const struct bench_server *s, struct bench_usage *ret);
void bench_server_settle(const struct bench_server *s); // until it has nothing more to do; 20 s at most
void bench_server_disk(const struct bench_server *s, struct bench_disk *ret);
double bench_server_metric(const struct bench_server *s, const char *name); // from /metrics; -1 if absent
// One request, HTTP/1.0, and its answer; false unless the status is 200. body: NULL for GET.
bool bench_http(uint16_t port, const char *path, const char *body, struct buf *out);
int bench_connect(uint16_t port);     // blocking socket to 127.0.0.1, or -1

// ---- the event stream ----
struct bench_events;
// Logs in and reads /api/v1/events in a thread of its own.
enum err bench_events_open(struct bench_events **ret, uint16_t port, size_t points, struct problem *p) must_check;
// The alarm of a point is on its way; any thread.
void bench_events_expect(struct bench_events *e, size_t point, int64_t mono);

struct bench_latency {
	size_t n, missing;
	int64_t p50, p99, max;  // us
};
// Waits up to five seconds for what is missing, ends the thread, frees.
void bench_events_close(struct bench_events *e, struct bench_latency *ret);

void bench_point_code(size_t index, char ret[32]);
