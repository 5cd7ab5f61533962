// anlan bench alarm: what judging one sample costs, at 10k, 100k and 1M points with four own limits each. One thread.
// --expressions N: instead what N conditions over two windows of a point and another point of its device cost, and hold in memory.
// Prints one JSON object. Seconds depend on the machine; instructions and bytes hardly do.
#include "tool/bench.h"

#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "alarm/alarm.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/jw.h"
#include "model/yaml.h"
#include "tool/tool.h"

#define SAMPLES 4000000u
#define BATCH 256u // readings a message brings at once; the cache lines of a batch are asked for ahead

static const char rule_text[] =
	"rule: level\nlabel: {zh: 液位, en: Level}\nwatch: {kind: level}\nlevels:\n"
	"  hh: {above: point.hh, clear_by: 2, for: 5s, color: red, say: {zh: 高高, en: HH}}\n"
	"  h: {above: point.h, clear_by: 2, for: 5s, color: orange, say: {zh: 高, en: H}}\n"
	"  l: {below: point.l, clear_by: 2, for: 5s, color: orange, say: {zh: 低, en: L}}\n"
	"  ll: {below: point.ll, clear_by: 2, for: 5s, color: red, say: {zh: 低低, en: LL}}\n";

// Every tenth point of a device is its pressure, which nine conditions read.
static const char when_text[] =
	"rule: both\nlabel: {zh: 组合, en: Both}\nwatch: {kind: level}\nwhen:\n  with: {p: {kind: pressure, in: device}}\n"
	"  that: mean(level, 10min) > 0.9 * limit(hh) or (rate(level, 5min) > 20 %/min and p > 0.4 MPa)\n"
	"  for: 5s\n  color: red\n  say: {zh: 高, en: H}\n";

struct bench {
	struct arena *a;
	struct registry reg;
	struct rule_set *rules;
	struct point_def *defs;
	uint64_t said;
	bool pressures; // every tenth point is one, which the rule of four limits does not watch
	uint64_t random;
};

static void hear(void *arg, const struct transition *t)
{
	(void)t;
	((struct bench *)arg)->said++;
}

static uint64_t next_random(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random;
}

// Instructions of this thread, in user mode; -1 where the machine does not count them for us.
static int counter_open(void)
{
	struct perf_event_attr pe = { .type = PERF_TYPE_HARDWARE, .size = sizeof pe,
		                      .config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_kernel = 1, .exclude_hv = 1 };
	return (int)syscall(SYS_perf_event_open, &pe, 0, -1, -1, 0);
}
static int64_t counter_read(int fd)
{
	int64_t v;
	return fd >= 0 && read(fd, &v, sizeof v) == (ssize_t)sizeof v ? v : -1;
}

// CPU time of this thread: other work on the machine is not counted.
static int64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct evaluator *load(struct bench *b, uint32_t points)
{
	for (uint32_t i = 0; i < points; i++) {
		double off = (double)(next_random(b) % 1000) / 1000; // limits of its own
		bool pressure = b->pressures && i % 10 == 9;
		b->defs[i] = (struct point_def){ .id = i + 1, .device = i / 10 + 1, .kind = pressure ? STR("pressure") : STR("level"), .ll = 5 + off, .l = 10 + off,
			                         .h = 80 + off, .hh = 90 + off, .min = NAN, .max = NAN };
	}
	struct evaluator *ev = evaluator_new(points);
	evaluator_load(ev, b->rules, &b->reg, b->defs, points, 0);
	return ev;
}

// Points in random order, each about once a second; one point in alarms_every is beyond its limit for ten seconds.
static void feed(struct bench *b, struct evaluator *ev, uint32_t points, uint64_t alarms_every,
                 struct reading batch[BATCH], int64_t *clock)
{
	for (uint32_t k = 0; k < BATCH; k++) {
		uint64_t r = next_random(b);
		uint32_t point = (uint32_t)(r % points) + 1;
		*clock += US_PER_S / points;
		batch[k] = (struct reading){ .point = point, .time = *clock, .value = 40 + (double)(r >> 40 & 1023) / 100 };
		if (alarms_every && (point * 7919u + (uint64_t)(*clock / (10 * US_PER_S))) % alarms_every == 0)
			batch[k].value = 95;
	}
	for (uint32_t k = 0; k < BATCH; k++)
		evaluator_prefetch(ev, batch[k].point);
	for (uint32_t k = 0; k < BATCH; k++) {
		if (k + 4 < BATCH)
			evaluator_prefetch_more(ev, &batch[k + 4]);
		batch[k].quality = (uint16_t)evaluator_quality(ev, &batch[k], *clock);
		evaluator_feed(ev, &batch[k], *clock, hear, b);
	}
	evaluator_settle(ev, hear, b);
	if (evaluator_due(ev) <= *clock)
		(void)evaluator_tick(ev, *clock, hear, b);
}

static void measure(struct bench *b, struct jw *w, uint32_t points, uint64_t alarms_every, const char *name)
{
	struct reading batch[BATCH];
	int64_t clock = US_PER_DAY;
	struct evaluator *ev = load(b, points);
	(void)evaluator_tick(ev, clock, hear, b);
	for (uint32_t i = 0; i < points; i++) { // every point is known
		struct reading r = { .point = i + 1, .time = ++clock, .value = 45 };
		evaluator_feed(ev, &r, clock, hear, b);
	}
	b->said = 0;
	int fd = counter_open();
	int64_t began = cpu_ns(), instructions = counter_read(fd);
	for (uint32_t i = 0; i < SAMPLES; i += BATCH)
		feed(b, ev, points, alarms_every, batch, &clock);
	int64_t ns = cpu_ns() - began;
	int64_t used = instructions < 0 ? -1 : counter_read(fd) - instructions;
	if (fd >= 0)
		close(fd);
	struct evaluator_stats s = evaluator_stats(ev);
	jw_kobj(w, name);
	jw_ki64(w, "points", points);
	jw_ki64(w, "samples", SAMPLES);
	jw_kf64(w, "ns_per_sample", round((double)ns / SAMPLES * 10) / 10);
	jw_key(w, "instructions_per_sample");
	if (used < 0)
		jw_null(w);
	else
		jw_f64(w, round((double)used / SAMPLES * 10) / 10);
	jw_kf64(w, "cpu_s_per_million", round((double)ns / SAMPLES * 10000) / 1e7);
	jw_ki64(w, "bytes_per_point", (int64_t)(s.bytes / points));
	jw_ki64(w, "changes", (int64_t)b->said);
	jw_end(w);
	evaluator_free(ev);
}

// The same points and readings without and with the rule of expressions; and how long a snapshot of their state takes.
static bool measure_expressions(struct bench *b, struct jw *w, uint32_t expressions, struct diags *d)
{
	uint32_t points = (uint32_t)((uint64_t)expressions * 10 / 9);
	measure(b, w, points, 0, "without");
	rules_free(b->rules);
	b->reg.nrules = 2;
	if (rules_compile(&b->rules, &b->reg, d)) {
		fprintf(stderr, "%.*s\n", d->n ? (int)d->v[0].text.n : 0, d->n ? d->v[0].text.p : "");
		return false;
	}
	measure(b, w, points, 0, "with");
	int64_t began = cpu_ns();
	struct evaluator *ev = load(b, points);
	int64_t loaded = cpu_ns();
	struct buf state;
	buf_init(&state, (size_t)4 << 30);
	evaluator_save_all(ev, &state);
	jw_ki64(w, "expressions", expressions);
	jw_kf64(w, "load_ms", round((double)(loaded - began) / 1e5) / 10);
	jw_kf64(w, "save_ms", round((double)(cpu_ns() - loaded) / 1e5) / 10);
	jw_ki64(w, "saved_bytes_per_expression", (int64_t)(state.n / expressions));
	buf_free(&state);
	evaluator_free(ev);
	return true;
}

static uint32_t expressions_option(int argc, char **argv)
{
	const char *text = tool_option(&argc, argv, "--expressions");
	uint64_t n = 0;
	if (text && (!str_to_u64(str_of(text), &n) || n < 10 || n > 800000)) {
		fprintf(stderr, "anlan bench alarm [--expressions N]   N from 10 to 800000\n");
		exit(2);
	}
	return (uint32_t)n;
}

int bench_alarm(int argc, char **argv)
{
	static struct point_kind kinds[] = {
		{ .name = { "level", 5 }, .unit = { "%", 1 }, .min = 0, .max = 100, .interval = US_PER_S },
		{ .name = { "pressure", 8 }, .unit = { "kPa", 3 }, .min = 0, .max = 1000, .interval = US_PER_S },
	};
	uint32_t expressions = expressions_option(argc, argv);
	struct bench b = { .a = arena_new(0), .random = 0x9e3779b97f4a7c15u };
	struct diags d = { .arena = b.a };
	struct rule_file files[] = {
		{ .pack = STR("bench"), .file = STR("level.yaml"), .root = yaml_parse(b.a, STR("level.yaml"), str_of(rule_text), &d) },
		{ .pack = STR("bench"), .file = STR("both.yaml"), .root = yaml_parse(b.a, STR("both.yaml"), str_of(when_text), &d) },
	};
	b.reg = (struct registry){ .arena = b.a, .kinds = kinds, .nkinds = ARRAY_LEN(kinds), .rules = files, .nrules = 1 };
	if (!files[0].root || !files[1].root || rules_compile(&b.rules, &b.reg, &d))
		return 1;
	b.defs = mem_alloc(1000000 * sizeof *b.defs);
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 16);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "alarm");
	jw_kcstr(&w, "rule", "four limits of the point itself, each with clear limit and delay");
	jw_kcstr(&w, "counted", "CPU time of making the sample, judging its quality and its limits");
	b.pressures = expressions > 0;
	if (expressions && !measure_expressions(&b, &w, expressions, &d))
		return 1;
	if (!expressions) {
		measure(&b, &w, 10000, 0, "points_10k");
		measure(&b, &w, 100000, 0, "points_100k");
		measure(&b, &w, 1000000, 0, "points_1m");
		measure(&b, &w, 10000, 1000, "points_10k_with_excursions");
	}
	jw_end(&w);
	bool whole = jw_done(&w);
	printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	rules_free(b.rules);
	mem_free(b.defs);
	arena_free(b.a);
	return whole ? 0 : 1;
}
