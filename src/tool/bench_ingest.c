// `anlan bench ingest`: the sending side against a server that runs already.
#include "tool/bench.h"
#include "tool/mqtt_load.h"
#include "tool/tool.h"

#include "base/buf.h"
#include "base/jw.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

#define USAGE \
	"anlan bench ingest --mqtt ADDR:PORT --devices FILE [--points N] [--batch 100] [--rate READINGS/S] [--seconds 10]\n" \
	"                   [--qos 0|1] [--version 4|5] [--window 4] [--interval 10s]\n" \
	"FILE: lines CODE KEY POINT…; --rate 0: as fast as acknowledged; --interval: distance of the device times\n" \
	"(default: the wall clock with --rate, 10s from 20 days ago without)\n"

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
	char *colon = text ? strrchr(text, ':') : NULL;
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
static void limit_points(struct load_config *cfg, struct load_device *devices, double n)
{
	size_t left = n > 0 ? (size_t)n : SIZE_MAX, used = 0;
	for (; used < cfg->ndevices && left; used++) {
		devices[used].npoints = MIN(devices[used].npoints, left);
		left -= devices[used].npoints;
	}
	cfg->ndevices = used;
}

static void print_result(const struct load_config *cfg, const struct load_result *r)
{
	struct buf out;
	struct jw w;
	size_t points = 0;
	for (size_t i = 0; i < cfg->ndevices; i++)
		points += cfg->devices[i].npoints;
	buf_init(&out, 65536);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_ki64(&w, "devices", (int64_t)cfg->ndevices);
	jw_ki64(&w, "points", (int64_t)points);
	jw_ki64(&w, "messages", (int64_t)r->messages);
	jw_ki64(&w, "readings", (int64_t)r->readings);
	jw_ki64(&w, "acknowledged", (int64_t)r->acked);
	jw_kf64(&w, "seconds", r->seconds);
	jw_kf64(&w, "readings_per_s", r->seconds > 0 ? (double)r->acked / r->seconds : 0);
	jw_kobj(&w, "ack_us");
	jw_ki64(&w, "p50", r->ack_p50);
	jw_ki64(&w, "p99", r->ack_p99);
	jw_ki64(&w, "max", r->ack_max);
	jw_end(&w);
	jw_kf64(&w, "generator_cpu_s", r->cpu);
	jw_ki64(&w, "negative", (int64_t)r->negative);
	jw_ki64(&w, "refused", (int64_t)r->refused);
	jw_ki64(&w, "lost", (int64_t)r->lost);
	jw_end(&w);
	if (jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
}

int bench_ingest(int argc, char **argv)
{
	struct load_config cfg = { 0 };
	const char *mqtt = tool_option(&argc, argv, "--mqtt"), *file = tool_option(&argc, argv, "--devices");
	const char *interval = tool_option(&argc, argv, "--interval");
	double points = option_number(&argc, argv, "--points", 0);
	cfg.batch = (size_t)option_number(&argc, argv, "--batch", 100);
	cfg.rate = option_number(&argc, argv, "--rate", 0);
	cfg.seconds = option_number(&argc, argv, "--seconds", 10);
	cfg.qos = (uint8_t)option_number(&argc, argv, "--qos", 1);
	cfg.version = (uint8_t)option_number(&argc, argv, "--version", 4);
	cfg.window = (size_t)option_number(&argc, argv, "--window", 4);
	tool_no_more_options(argc, argv, USAGE);
	struct arena *a = arena_new(1u << 20);
	char *address = mqtt ? arena_cstr(a, str_of(mqtt)) : NULL;
	if (!file || !split_address(address, &cfg) || (interval && !duration_parse(str_of(interval), &cfg.interval))) {
		fprintf(stderr, "usage: %s", USAGE);
		arena_free(a);
		return 2;
	}
	if (!interval && cfg.rate <= 0)
		cfg.interval = 10 * US_PER_S;
	cfg.from = clock_now() - 20 * US_PER_DAY;
	struct problem p;
	struct load_device *devices;
	struct load_result r;
	problem_init(&p, a);
	enum err err = mqtt_load_read_devices(file, a, &devices, &cfg.ndevices, &p);
	if (!err) {
		cfg.devices = devices;
		limit_points(&cfg, devices, points);
		err = mqtt_load(&cfg, &r, &p);
	}
	if (err)
		fprintf(stderr, "%.*s\n", STR_FMT(p.en));
	else
		print_result(&cfg, &r);
	arena_free(a);
	return err ? 1 : 0;
}
