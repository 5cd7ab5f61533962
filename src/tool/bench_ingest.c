// `anlan bench ingest`: makes a county in a folder of its own, starts this very program on it, sends readings as its
// devices over MQTT and prints what that cost as one JSON object. With --connect it only sends, to a server that runs.
#include "tool/bench.h"
#include "tool/bench_int.h"
#include "tool/tool.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"

#define USAGE \
	"anlan bench ingest [--points 10000] [--devices 100] [--batch 100] [--rate READINGS/S] [--seconds 10] [--alarms 20]\n" \
	"                   [--qos 0|1] [--version 4|5] [--window 4] [--interval 10s] [--packs DIR] [--keep]\n" \
	"                   [--expressions 0]\n" \
	"anlan bench ingest --connect ADDR:PORT --devices FILE [the same]   FILE: lines CODE KEY POINT…\n" \
	"--rate 0: as fast as acknowledged; --alarms: a second, 0 for none; --interval: distance of the device times\n" \
	"(default: the wall clock with --rate, 10s from 20 days ago without); --keep: leave the folder\n" \
	"--expressions: so many points have a condition over windows and another point, too\n"

#define MIB (1024.0 * 1024)

struct bench {
	struct load_config load;
	struct load_result sent;
	struct bench_server server;
	struct bench_events *events;
	struct bench_usage idle, before, after;
	struct bench_disk disk_before, disk_after;
	struct bench_latency alarms;
	double fill_s, start_s, restart_s;
	double accepted, duplicates, late, syncs, log_bytes, block_bytes, sealed, worst_sync_s;
	double load_average;          // of the machine before anything ran here
	size_t points, devices, expressions;
	const char *packs;
	size_t *first_point;          // of a device: index of its first point
};

static double option_number(int *argc, char **argv, const char *name, double otherwise)
{
	const char *s = tool_option(argc, argv, name);
	double v = otherwise;
	if (s && (!str_to_f64(str_of(s), &v) || v < 0)) {
		fprintf(stderr, "%s: not a number: %s\n", name, s);
		exit(2);
	}
	return v;
}

static bool split_address(char *text, struct load_config *cfg)
{
	char *colon = strrchr(text, ':');
	uint64_t port;
	if (!colon || !str_to_u64(str_of(colon + 1), &port) || !port || port > UINT16_MAX)
		return false;
	*colon = 0;
	if (*text == '[' && colon > text && colon[-1] == ']') { // [::1]:1883
		colon[-1] = 0;
		text++;
	}
	cfg->address = text;
	cfg->port = (uint16_t)port;
	return true;
}

// Only the first n points, so that one file serves every size.
static void limit_points(struct load_config *cfg, struct load_device *devices, size_t n)
{
	size_t left = n ? n : SIZE_MAX, used = 0;
	for (; used < cfg->ndevices && left; used++) {
		devices[used].npoints = MIN(devices[used].npoints, left);
		left -= devices[used].npoints;
	}
	cfg->ndevices = used;
}

// ---- what is printed ----

static void write_percentiles(struct jw *w, const char *key, int64_t p50, int64_t p99, int64_t max)
{
	jw_kobj(w, key);
	jw_kf64(w, "p50", (double)p50 / US_PER_MS);
	jw_kf64(w, "p99", (double)p99 / US_PER_MS);
	jw_kf64(w, "max", (double)max / US_PER_MS);
	jw_end(w);
}

static double per(double what, double of) { return of > 0 ? what / of : 0; }

static void write_machine(struct jw *w, const struct bench *b)
{
	struct utsname u;
	jw_ktime(w, "at", clock_now());
	jw_ki64(w, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	if (uname(&u) == 0)
		jw_kcstr(w, "kernel", u.release);
	jw_kf64(w, "load_average_before", b->load_average);
}

static void write_sent(struct jw *w, const struct bench *b)
{
	const struct load_result *r = &b->sent;
	jw_ki64(w, "points", (int64_t)b->points);
	jw_ki64(w, "devices", (int64_t)b->load.ndevices);
	jw_ki64(w, "expressions", (int64_t)b->expressions);
	jw_ki64(w, "batch", (int64_t)b->load.batch);
	jw_ki64(w, "qos", b->load.qos);
	jw_kf64(w, "rate_asked", b->load.rate);
	jw_kf64(w, "seconds", r->seconds);
	jw_ki64(w, "messages", (int64_t)r->messages);
	jw_ki64(w, "readings", (int64_t)r->readings);
	jw_ki64(w, "acknowledged", (int64_t)r->acked);
	jw_kf64(w, "readings_per_s", per((double)r->acked, r->seconds));
	write_percentiles(w, "ack_ms", r->ack_p50, r->ack_p99, r->ack_max);
	jw_kf64(w, "generator_cpu_s_per_million", per(r->cpu * 1e6, (double)r->acked));
	jw_ki64(w, "negative", (int64_t)r->negative);
	jw_ki64(w, "connections_refused", (int64_t)r->refused);
	jw_ki64(w, "connections_lost", (int64_t)r->lost);
}

static void write_server(struct jw *w, const struct bench *b)
{
	double n = b->accepted;
	jw_ki64(w, "stored", (int64_t)b->accepted);
	jw_ki64(w, "duplicates", (int64_t)b->duplicates);
	jw_ki64(w, "late", (int64_t)b->late);
	jw_ki64(w, "missing", (int64_t)b->sent.acked - (int64_t)(b->accepted + b->duplicates)); // acknowledged, not stored
	jw_ki64(w, "alarms_sent", (int64_t)(b->alarms.n + b->alarms.missing));
	jw_ki64(w, "alarms_missing", (int64_t)b->alarms.missing);
	write_percentiles(w, "alarm_ms", b->alarms.p50, b->alarms.p99, b->alarms.max);
	jw_kf64(w, "cpu_s_per_million", per((b->after.cpu - b->before.cpu) * 1e6, n));
	jw_ki64(w, "syncs", (int64_t)b->syncs);
	jw_kf64(w, "worst_sync_ms", b->worst_sync_s * 1000);
	jw_kobj(w, "disk_bytes_per_reading");
	jw_kf64(w, "log", per(b->log_bytes, n));
	jw_kf64(w, "blocks", per(b->block_bytes, b->sealed)); // of the readings that are in blocks already
	jw_end(w);
	jw_kobj(w, "disk_growth_mib"); // log segments are allocated whole, 64 MiB each
	jw_kf64(w, "log", (double)(b->disk_after.log - b->disk_before.log) / MIB);
	jw_kf64(w, "blocks", (double)(b->disk_after.blocks - b->disk_before.blocks) / MIB);
	jw_kf64(w, "database", (double)(b->disk_after.database - b->disk_before.database) / MIB);
	jw_kf64(w, "all", (double)(b->disk_after.all - b->disk_before.all) / MIB);
	jw_end(w);
	jw_kobj(w, "memory_mib");
	jw_kf64(w, "idle_pss", b->idle.pss_mib);
	jw_kf64(w, "idle_rss", b->idle.rss_mib);
	jw_kf64(w, "loaded_pss", b->after.pss_mib);
	jw_kf64(w, "loaded_rss", b->after.rss_mib);
	jw_end(w);
	jw_kf64(w, "fill_s", b->fill_s);
	jw_kf64(w, "start_s", b->start_s);
	jw_kf64(w, "restart_s", b->restart_s);
}

static void print_result(const struct bench *b)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 65536);
	jw_init(&w, &out);
	jw_obj(&w);
	write_machine(&w, b);
	write_sent(&w, b);
	if (b->server.dir[0])
		write_server(&w, b);
	jw_end(&w);
	if (jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
}

// ---- with a server of its own ----

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void on_injected(void *arg, size_t device, size_t point, int64_t mono)
{
	struct bench *b = arg;
	bench_events_expect(b->events, b->first_point[device] + point, mono);
}

static void look_after(struct bench *b)
{
	const struct bench_server *s = &b->server;
	bench_server_usage(s, &b->after);
	bench_server_disk(s, &b->disk_after);
	b->accepted = bench_server_metric(s, "anlan_readings_total");
	b->duplicates = bench_server_metric(s, "anlan_readings_duplicate_total");
	b->late = bench_server_metric(s, "anlan_readings_late_total");
	b->syncs = bench_server_metric(s, "anlan_series_syncs_total");
	b->worst_sync_s = bench_server_metric(s, "anlan_series_sync_worst_seconds");
	b->log_bytes = bench_server_metric(s, "anlan_series_log_bytes");
	b->block_bytes = bench_server_metric(s, "anlan_series_block_bytes_total");
	b->sealed = bench_server_metric(s, "anlan_readings_sealed_total");
}

static enum err measure(struct bench *b, struct problem *p)
{
	fprintf(stderr, "starting the server …\n");
	enum err err = bench_server_start(&b->server, p);
	if (err)
		return err;
	b->start_s = b->server.start_s;
	bench_server_settle(&b->server);
	bench_server_usage(&b->server, &b->idle);
	if (b->load.alarms > 0)
		err = bench_events_open(&b->events, b->server.http, b->points, p);
	if (err)
		return err;
	bench_server_usage(&b->server, &b->before);
	bench_server_disk(&b->server, &b->disk_before);
	b->load.address = "127.0.0.1";
	b->load.port = b->server.mqtt;
	b->load.injected = on_injected;
	b->load.arg = b;
	b->load.alarm_tenths = BENCH_ALARM_TENTHS;
	fprintf(stderr, "sending for %g s …\n", b->load.seconds);
	err = mqtt_load(&b->load, &b->sent, p);
	bench_events_close(b->events, &b->alarms);
	b->events = NULL;
	if (err)
		return err;
	bench_server_settle(&b->server);
	look_after(b);
	fprintf(stderr, "starting it again …\n");
	bench_server_stop(&b->server);
	err = bench_server_start(&b->server, p);
	b->restart_s = b->server.start_s;
	return err;
}

static enum err run_here(struct bench *b, bool keep, struct arena *a, struct problem *p)
{
	const char *tmp = getenv("TMPDIR");
	struct load_device *devices = NULL;
	snprintf(b->server.dir, sizeof b->server.dir, "%s/anlan-bench-XXXXXX", tmp && strlen(tmp) < 200 ? tmp : "/var/tmp");
	if (!mkdtemp(b->server.dir)) {
		b->server.dir[0] = 0;
		return problem_set(p, ERR_IO, NULL, "无法建立临时目录", "cannot make a temporary folder");
	}
	fprintf(stderr, "%s: filling with %zu points of %zu devices …\n", b->server.dir, b->points, b->devices);
	int64_t begin = clock_mono();
	enum err err = bench_county(b->server.dir, b->packs, b->points, b->devices, b->expressions, a, &devices, p);
	b->fill_s = (double)(clock_mono() - begin) / US_PER_S;
	b->load.devices = devices;
	b->load.ndevices = b->devices;
	b->first_point = arena_many(a, b->devices + 1, size_t);
	for (size_t i = 0; i < b->devices && !err; i++)
		b->first_point[i + 1] = b->first_point[i] + devices[i].npoints;
	if (!err)
		err = measure(b, p);
	bench_server_stop(&b->server);
	if (!keep && !(err && b->server.start_s > 0)) // a server that failed says why in its log
		nftw(b->server.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return err;
}

static enum err run_there(struct bench *b, char *address, const char *file, size_t points, struct arena *a, struct problem *p)
{
	struct load_device *devices;
	if (!split_address(address, &b->load))
		return problem_set(p, ERR_INVALID, "connect", "地址须为 ADDR:PORT", "the address must be ADDR:PORT");
	enum err err = mqtt_load_read_devices(file, a, &devices, &b->load.ndevices, p);
	if (err)
		return err;
	b->load.devices = devices;
	limit_points(&b->load, devices, points);
	for (size_t i = 0; i < b->load.ndevices; i++)
		b->points += devices[i].npoints;
	b->load.alarms = 0;
	return mqtt_load(&b->load, &b->sent, p);
}

static void read_load(int *argc, char **argv, struct load_config *cfg)
{
	const char *interval = tool_option(argc, argv, "--interval");
	cfg->batch = (size_t)option_number(argc, argv, "--batch", 100);
	cfg->rate = option_number(argc, argv, "--rate", 0);
	cfg->seconds = option_number(argc, argv, "--seconds", 10);
	cfg->alarms = option_number(argc, argv, "--alarms", 20);
	cfg->qos = (uint8_t)option_number(argc, argv, "--qos", 1);
	cfg->version = (uint8_t)option_number(argc, argv, "--version", 4);
	cfg->window = (size_t)option_number(argc, argv, "--window", 4);
	if (interval && !duration_parse(str_of(interval), &cfg->interval)) {
		fprintf(stderr, "--interval: not a duration: %s\n", interval);
		exit(2);
	}
	if (!interval && cfg->rate <= 0)
		cfg->interval = 10 * US_PER_S;
	cfg->from = clock_now() - 20 * US_PER_DAY;
}

int bench_ingest(int argc, char **argv)
{
	struct bench b = { 0 };
	const char *connect = tool_option(&argc, argv, "--connect"), *devices = tool_option(&argc, argv, "--devices");
	double points = option_number(&argc, argv, "--points", connect ? 0 : 10000);
	uint64_t ndevices = 100;
	b.expressions = (size_t)option_number(&argc, argv, "--expressions", 0);
	bool keep = tool_flag(&argc, argv, "--keep");
	const char *packs = tool_option(&argc, argv, "--packs");
	b.packs = packs ? packs : tool_packs_dir();
	read_load(&argc, argv, &b.load);
	tool_no_more_options(argc, argv, USAGE);
	if (!connect && devices && !str_to_u64(str_of(devices), &ndevices))
		ndevices = 0;
	b.points = connect ? 0 : (size_t)points;
	b.devices = MIN((size_t)ndevices, b.points);
	bool many = b.points > LIMIT_POINTS || b.expressions > b.points * 9 / 10;
	if (connect ? !devices : many || !b.devices || b.points / b.devices >= LIMIT_POINTS_PER_DEVICE) {
		fprintf(stderr, "usage: %s", USAGE);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct problem p;
	problem_init(&p, a);
	if (getloadavg(&b.load_average, 1) != 1)
		b.load_average = -1;
	enum err err = connect ? run_there(&b, arena_cstr(a, str_of(connect)), devices, (size_t)points, a, &p) : run_here(&b, keep, a, &p);
	if (err)
		fprintf(stderr, "%.*s\n", STR_FMT(p.en));
	else
		print_result(&b);
	return err ? 1 : 0;
}
