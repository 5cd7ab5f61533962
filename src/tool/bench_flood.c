// `anlan bench flood`: devices that were away come back all at once, each with what it kept (one hour by default), while
// another device is live and raises alarms. How long do its alarms take before, and meanwhile? One JSON object.
#include "tool/bench.h"
#include "tool/bench_int.h"
#include "tool/tool.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"

#define USAGE \
	"anlan bench flood [--devices 10000] [--points 10] [--batch 100] [--history 1h] [--interval 10s] [--alarms 20]\n" \
	"                  [--quiet 10] [--packs DIR] [--keep]\n" \
	"--points: of each device; --quiet: seconds of live readings alone, before\n"
#define QUIET_DEVICES 100      // live before the flood
#define LIVE_DEVICES 300       // live meanwhile; one alarm a point
#define LIVE_RATE 1000         // readings/s
#define KNOWN_S 4              // until each live device has sent once

struct flood {
	struct bench_server server;
	struct bench_events *events;
	struct load_device *devices;  // QUIET_DEVICES, LIVE_DEVICES, then those that come back
	size_t npoints, npoints_all, first_live;
	struct load_config live, back;
	struct load_result live_sent, back_sent;
	struct bench_latency quiet, meanwhile;
	struct bench_usage idle, after;
	double quiet_s, load_average, peak_mib, ring_peak, stored, duplicates, blocked_s, worst_sync_s;
	_Atomic bool over;
};

static double number_option(int *argc, char **argv, const char *name, double otherwise)
{
	const char *s = tool_option(argc, argv, name);
	double v = otherwise;
	if (s && (!str_to_f64(str_of(s), &v) || v < 1)) {
		fprintf(stderr, "%s: not a number from 1: %s\n", name, s);
		exit(2);
	}
	return v;
}

static int64_t duration_option(int *argc, char **argv, const char *name, int64_t otherwise)
{
	const char *s = tool_option(argc, argv, name);
	int64_t v = otherwise;
	if (s && !duration_parse(str_of(s), &v)) {
		fprintf(stderr, "%s: not a duration: %s\n", name, s);
		exit(2);
	}
	return v;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void on_injected(void *arg, size_t device, size_t point, int64_t mono)
{
	struct flood *f = arg;
	bench_events_expect(f->events, (f->first_live + device) * f->npoints + point, mono);
}

static void *look_on(void *arg) // the most the server took while it was at work
{
	struct flood *f = arg;
	while (!atomic_load(&f->over)) {
		struct bench_usage u;
		struct timespec ms = { .tv_nsec = 200000000 };
		bench_server_usage(&f->server, &u);
		f->peak_mib = MAX(f->peak_mib, u.pss_mib > 0 ? u.pss_mib : u.rss_mib);
		f->ring_peak = MAX(f->ring_peak, bench_server_metric(&f->server, "anlan_ring_to_core_fill_ratio"));
		nanosleep(&ms, NULL);
	}
	return NULL;
}

static void *come_back(void *arg)
{
	struct flood *f = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct problem p;
	problem_init(&p, a);
	nanosleep(&(struct timespec){ .tv_sec = KNOWN_S }, NULL);
	if (mqtt_load(&f->back, &f->back_sent, &p))
		fprintf(stderr, "%.*s\n", STR_FMT(p.en));
	atomic_store(&f->over, true);
	return NULL;
}

// Live readings and alarms for so long, or until `stop`.
static enum err live_part(struct flood *f, double seconds, const _Atomic bool *stop, struct bench_latency *ret, struct problem *p)
{
	enum err err = bench_events_open(&f->events, f->server.http, f->npoints_all, p);
	if (err)
		return err;
	f->live.seconds = seconds;
	f->live.stop = stop;
	err = mqtt_load(&f->live, &f->live_sent, p);
	bench_events_close(f->events, ret);
	return err;
}

static enum err measure(struct flood *f, struct problem *p)
{
	pthread_t back, look;
	enum err err = bench_server_start(&f->server, p);
	if (err)
		return err;
	bench_server_settle(&f->server);
	bench_server_usage(&f->server, &f->idle);
	f->live.address = f->back.address = "127.0.0.1";
	f->live.port = f->back.port = f->server.mqtt;
	fprintf(stderr, "live readings alone for %g s …\n", f->quiet_s);
	if ((err = live_part(f, f->quiet_s, NULL, &f->quiet, p)))
		return err;
	fprintf(stderr, "%zu devices come back …\n", f->back.ndevices);
	f->live.devices += QUIET_DEVICES;
	f->live.ndevices = LIVE_DEVICES;
	f->first_live = QUIET_DEVICES;
	f->live.alarms_from = KNOWN_S;
	if (pthread_create(&look, NULL, look_on, f) || pthread_create(&back, NULL, come_back, f))
		return problem_set(p, ERR_UNAVAILABLE, NULL, "无法创建线程", "cannot create a thread");
	err = live_part(f, 600, &f->over, &f->meanwhile, p);
	atomic_store(&f->over, true);
	pthread_join(back, NULL);
	pthread_join(look, NULL);
	bench_server_settle(&f->server);
	bench_server_usage(&f->server, &f->after);
	f->stored = bench_server_metric(&f->server, "anlan_readings_total");
	f->duplicates = bench_server_metric(&f->server, "anlan_readings_duplicate_total");
	f->blocked_s = bench_server_metric(&f->server, "anlan_gate_back_pressure_seconds_total");
	f->worst_sync_s = bench_server_metric(&f->server, "anlan_series_sync_worst_seconds");
	return err;
}

static void write_latency(struct jw *w, const char *key, const struct bench_latency *l)
{
	jw_kobj(w, key);
	jw_ki64(w, "alarms", (int64_t)(l->n + l->missing));
	jw_ki64(w, "missing", (int64_t)l->missing);
	jw_kf64(w, "p50", (double)l->p50 / US_PER_MS);
	jw_kf64(w, "p99", (double)l->p99 / US_PER_MS);
	jw_kf64(w, "max", (double)l->max / US_PER_MS);
	jw_end(w);
}

static void print_result(const struct flood *f)
{
	const struct load_result *r = &f->back_sent;
	struct buf out;
	struct jw w;
	buf_init(&out, 65536);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_ktime(&w, "at", clock_now());
	jw_ki64(&w, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	jw_kf64(&w, "load_average_before", f->load_average);
	jw_ki64(&w, "devices", (int64_t)f->back.ndevices);
	jw_ki64(&w, "points_each", (int64_t)f->npoints);
	jw_ki64(&w, "connections_refused", (int64_t)r->refused);
	jw_ki64(&w, "connections_lost", (int64_t)r->lost);
	jw_kf64(&w, "welcomed_s", r->connect_s);
	jw_ki64(&w, "readings", (int64_t)r->readings);
	jw_ki64(&w, "acknowledged", (int64_t)r->acked);
	jw_ki64(&w, "stored_all", (int64_t)f->stored);
	jw_ki64(&w, "duplicates", (int64_t)f->duplicates);
	jw_kf64(&w, "absorbed_s", r->seconds);
	jw_kf64(&w, "readings_per_s", r->seconds > 0 ? (double)r->acked / r->seconds : 0);
	write_latency(&w, "live_alarm_ms_before", &f->quiet);
	write_latency(&w, "live_alarm_ms_meanwhile", &f->meanwhile);
	jw_kf64(&w, "worst_sync_ms", f->worst_sync_s * 1000);
	jw_kf64(&w, "ring_fill_peak", f->ring_peak);
	jw_kf64(&w, "back_pressure_s", f->blocked_s);
	jw_kf64(&w, "memory_idle_mib", f->idle.pss_mib);
	jw_kf64(&w, "memory_peak_mib", f->peak_mib);
	jw_end(&w);
	if (jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
}

static enum err run(struct flood *f, const char *packs, bool keep, struct arena *a, struct problem *p)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(f->server.dir, sizeof f->server.dir, "%s/anlan-flood-XXXXXX", tmp && strlen(tmp) < 200 ? tmp : "/var/tmp");
	if (!mkdtemp(f->server.dir))
		return problem_set(p, ERR_IO, NULL, "无法建立临时目录", "cannot make a temporary folder");
	size_t devices = QUIET_DEVICES + LIVE_DEVICES + f->back.ndevices;
	f->npoints_all = devices * f->npoints;
	fprintf(stderr, "%s: filling with %zu points …\n", f->server.dir, f->npoints_all);
	enum err err = bench_county(f->server.dir, packs, f->npoints_all, devices, 0, a, &f->devices, p);
	f->live.devices = f->devices;
	f->back.devices = f->devices + QUIET_DEVICES + LIVE_DEVICES;
	if (!err)
		err = measure(f, p);
	bench_server_stop(&f->server);
	if (!keep && !err)
		nftw(f->server.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return err;
}

int bench_flood(int argc, char **argv)
{
	struct flood f = { .live = { .version = 4, .qos = 1, .ndevices = QUIET_DEVICES, .batch = 10, .rate = LIVE_RATE,
		                     .alarm_tenths = BENCH_ALARM_TENTHS, .injected = on_injected, .arg = &f } };
	f.back = (struct load_config){ .version = 4, .qos = 1, .window = 4, .at_once = true, .seconds = 600 };
	bool keep = tool_flag(&argc, argv, "--keep");
	const char *packs = tool_option(&argc, argv, "--packs");
	int64_t history = duration_option(&argc, argv, "--history", US_PER_HOUR);
	f.back.ndevices = (size_t)number_option(&argc, argv, "--devices", 10000);
	f.npoints = (size_t)number_option(&argc, argv, "--points", 10);
	f.back.batch = (size_t)number_option(&argc, argv, "--batch", 100);
	f.back.interval = duration_option(&argc, argv, "--interval", 10 * US_PER_S);
	f.live.alarms = number_option(&argc, argv, "--alarms", 20);
	f.quiet_s = number_option(&argc, argv, "--quiet", 10);
	tool_no_more_options(argc, argv, USAGE);
	f.back.from = clock_now() - history - 2 * US_PER_MIN; // the last of it is history, too
	f.back.messages = (uint64_t)(history / MAX(f.back.interval, INT64_C(1))) * f.npoints / f.back.batch;
	if (f.back.ndevices > LIMIT_GATE_CONNECTIONS - LIVE_DEVICES || f.npoints > 1000 || f.back.batch > 1000 || !f.back.messages) {
		fprintf(stderr, "usage: %s", USAGE);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct problem p;
	problem_init(&p, a);
	if (getloadavg(&f.load_average, 1) != 1)
		f.load_average = -1;
	enum err err = run(&f, packs ? packs : tool_packs_dir(), keep, a, &p);
	if (err)
		fprintf(stderr, "%.*s\n", STR_FMT(p.en));
	else
		print_result(&f);
	return err ? 1 : 0;
}
