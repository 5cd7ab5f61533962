// anlan-sim: the devices of the invented demo county. See usage below; the parts are listed in sim.h.
#include "sim/sim.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "sim/link.h"
#include "sim/past.h"
#include "sim/scenario.h"

#ifndef ANLAN_TEST

static const char usage[] =
	"usage: anlan-sim --devices FILE [--mqtt HOST:PORT] [--http HOST:PORT] [--hj212 HOST:PORT] [--gb26875 HOST:PORT]\n"
	"                 [--recordings PACKS] [--speed X] [--scenario NAME] [--once] [--quiet]\n"
	"  FILE is DATA/demo/devices.tsv of a server started with --demo; PACKS its packs folder.\n"
	"  --speed X     scenarios run X times faster than described\n"
	"  --scenario N  only this one, after five seconds\n"
	"  --once        each scenario once, then the program ends\n"
	"  --quiet       no scenario at all: only the quiet county\n"
	"  Without these three, some points bring a past with them (sim/past.h).\n"
	"scenarios:\n";

#define TURN_MS 200
#define CONNECT_SPREAD_US (3 * US_PER_S) // all devices connect within this
#define REPORT_S 60
#define MAX_EVENTS 256

struct options {
	const char *devices, *recordings, *scenario;
	double speed;
	bool once, quiet;
};

struct sim {
	struct county county;
	struct net net;
	struct scenarios *scenarios;
	struct held_value *values;   // of the device with most points
	int64_t last, report_at;
	int64_t start;               // of the points with a past; 0: there are none
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static double value_now(const struct sim *s, const struct sim_point *p, int64_t now)
{
	uint64_t state = p->seed ^ (uint64_t)now;
	double v;
	if (isnan(p->forced))
		return s->start && past_value(p, s->start, now, &v) ? v : normal_value(p, now);
	v = p->forced + p->noise * sim_noise(&state) * 0.5;
	return fmin(fmax(v, p->lo), p->hi);
}

// What the device measures this turn.
static void measure(struct sim *s, struct sim_device *d, int64_t now)
{
	size_t n = 0;
	int64_t second = now - now % US_PER_S;
	for (size_t i = 0; i < d->npoints; i++) {
		struct sim_point *p = &d->points[i];
		if (now < p->next && !p->changed)
			continue;
		p->changed = false;
		while (p->next <= now)
			p->next += p->every;
		s->values[n++] = (struct held_value){ (uint32_t)i, value_now(s, p, second) };
	}
	if (n)
		link_add(d->link, second, s->values, n);
}

static void report(struct sim *s, int64_t now)
{
	if (now < s->report_at)
		return;
	s->report_at = now + REPORT_S * US_PER_S;
	log_info("sim", "%zu of %zu devices connected; %llu readings sent, %llu acknowledged, %llu given up", s->net.online,
	         s->county.ndevices, (unsigned long long)s->net.sent, (unsigned long long)s->net.acked, (unsigned long long)s->net.dropped);
}

static bool turn(struct sim *s)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(s->net.epoll, events, MAX_EVENTS, TURN_MS);
	int64_t now = clock_now(), mono = clock_mono();
	for (int i = 0; i < n; i++)
		link_event(events[i].data.ptr, events[i].events, now);
	if (mono - s->last < TURN_MS * US_PER_MS)
		return true;
	bool more = !s->scenarios || scenarios_turn(s->scenarios, (double)(mono - s->last) / 1e6);
	s->last = mono;
	for (size_t i = 0; i < s->county.ndevices; i++) {
		measure(s, &s->county.devices[i], now);
		link_turn(s->county.devices[i].link, now);
	}
	report(s, now);
	return more;
}

static void start(struct sim *s, bool past)
{
	int64_t now = clock_now();
	s->start = past ? now : 0;
	size_t most = 1;
	s->last = clock_mono();
	s->report_at = now + 10 * US_PER_S;
	for (size_t i = 0; i < s->county.ndevices; i++) {
		struct sim_device *d = &s->county.devices[i];
		int64_t first = now + (int64_t)(i * CONNECT_SPREAD_US / MAX(s->county.ndevices, (size_t)1));
		link_new(&s->net, d, first);
		most = MAX(most, d->npoints);
		for (size_t k = 0; k < d->npoints; k++)
			d->points[k].next = first;
	}
	s->values = mem_alloc(most * sizeof *s->values);
	for (size_t i = 0; s->start && i < s->county.ndevices; i++)
		past_send(&s->county.devices[i], s->start, s->values);
}

static bool take_option(struct options *o, struct net *net, int *i, int argc, char **argv)
{
	static const struct { const char *name; enum sim_protocol protocol; } doors[] = {
		{ "--mqtt", SIM_MQTT }, { "--http", SIM_HTTP }, { "--hj212", SIM_HJ212 }, { "--gb26875", SIM_GB26875 },
	};
	const char *name = argv[*i];
	if (strcmp(name, "--once") == 0)
		return o->once = true;
	if (strcmp(name, "--quiet") == 0)
		return o->quiet = true;
	if (++*i >= argc)
		return false;
	const char *value = argv[*i];
	for (size_t k = 0; k < ARRAY_LEN(doors); k++)
		if (strcmp(name, doors[k].name) == 0)
			return strcmp(value, "off") == 0 || endpoint_set(&net->to[doors[k].protocol], value);
	if (strcmp(name, "--devices") == 0)
		return (o->devices = value) != NULL;
	if (strcmp(name, "--recordings") == 0)
		return (o->recordings = value) != NULL;
	if (strcmp(name, "--scenario") == 0)
		return (o->scenario = value) != NULL;
	return strcmp(name, "--speed") == 0 && str_to_f64(str_of(value), &o->speed) && o->speed > 0 && o->speed <= 100;
}

static int show_usage(void)
{
	struct buf b;
	buf_init(&b, 4096);
	scenarios_list(&b);
	fprintf(stderr, "%s%.*s", usage, STR_FMT(buf_str(&b)));
	buf_free(&b);
	return 2;
}

int main(int argc, char **argv)
{
	struct options o = { .speed = 1 };
	struct sim s = { .net.epoll = epoll_create1(EPOLL_CLOEXEC) };
	pid_t parent = getppid();
	log_set(LOG_INFO, "sim");
	prctl(PR_SET_PDEATHSIG, SIGTERM); // ends with the program that started it
	for (int i = 1; i < argc; i++)
		if (!take_option(&o, &s.net, &i, argc, argv))
			return show_usage();
	if (!o.devices)
		return show_usage();
	if (!county_load(&s.county, o.devices))
		return 1;
	if (!o.quiet && !(s.scenarios = scenarios_new(&s.county, o.recordings, o.speed, o.scenario, o.once)))
		return show_usage();
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	log_info("sim", "%zu devices with %zu points", s.county.ndevices, s.county.npoints);
	start(&s, !o.quiet && !o.scenario && !o.once);
	while (!stop && getppid() == parent && turn(&s))
		continue;
	log_info("sim", "ends: %llu readings sent, %llu acknowledged", (unsigned long long)s.net.sent, (unsigned long long)s.net.acked);
	for (size_t i = 0; i < s.county.ndevices; i++)
		link_free(s.county.devices[i].link);
	mem_free(s.values);
	scenarios_free(s.scenarios);
	county_free(&s.county);
	close(s.net.epoll);
	return 0;
}

#endif
