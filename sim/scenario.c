// The scenarios. Each is a small state machine over physics.c or a recording; how much faster than nature it runs is
// stated at its name (FASTER_…). One line on the log for every step.
#include "sim/scenario.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "sim/physics.h"
#include "sim/recording.h"

#define CYCLE_S 900.0                // all scenarios start again after a quarter of an hour
#define MAX_TAGGED 16                // points of one tag

#define FASTER_OVERFILL 60.0
#define FASTER_DUST 20.0
#define FASTER_COLD 120.0
#define FASTER_RAIN 150.0
#define TEP_ROWS_PER_S 1.0           // a row is 3 minutes: 180 times faster
#define NAB_ROWS_PER_S 5.0           // a row is 5 minutes: 1,500 times faster

struct tagged {
	struct sim_point *p[MAX_TAGGED];
	size_t n;
};

struct scenario {
	const struct scenario_kind *kind;
	struct scenarios *all;
	double next_start;           // scenario clock, s
	bool running;
	double t;                    // s since it started
	int step;                    // of the state machine; 0 = just started
	unsigned runs;
	union {
		struct tank tank;
		struct collector collector;
		struct cold cold;
		struct pond pond;
		struct {
			double shown[MAX_TAGGED];
			unsigned told; // bit i: detector i was above its limit already
		} leak;
	};
};

struct scenario_kind {
	const char *name, *what;
	double starts;               // s after the beginning of a cycle
	bool (*run)(struct scenario *s, double dt); // false: it is over
	void (*idle)(struct scenario *s, double dt); // between two runs; may be NULL
};

struct scenarios {
	struct county *county;
	struct arena *arena;
	double clock, speed;
	bool once;
	struct scenario *v;
	size_t n;
	struct recording tep[4], nab; // normal, faults 6, 7, 1
	bool has_tep, has_nab;
};

// ---- helpers -----------------------------------------------------------------------------------

static struct tagged find_tag(const struct scenarios *all, const char *tag)
{
	struct tagged t = { .n = 0 };
	for (size_t i = 0; i < all->county->ndevices; i++)
		for (size_t k = 0; k < all->county->devices[i].npoints && t.n < MAX_TAGGED; k++)
			if (strcmp(all->county->devices[i].points[k].tag, tag) == 0)
				t.p[t.n++] = &all->county->devices[i].points[k];
	return t;
}

static void force(struct scenario *s, const char *tag, double value)
{
	struct tagged t = find_tag(s->all, tag);
	for (size_t i = 0; i < t.n; i++)
		t.p[i]->forced = value;
}

// Gives the points back to the quiet county.
static void release(struct scenario *s, const char *tag)
{
	force(s, tag, NAN);
}

static void say(const struct scenario *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct scenario *s, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_info("scenario", "%s: %s", s->kind->name, text);
}

// True once: when the state machine stands at step and the condition holds; it then moves on.
static bool reached(struct scenario *s, int step, bool condition)
{
	if (s->step != step || !condition)
		return false;
	s->step++;
	return true;
}

// ---- tank overfill -----------------------------------------------------------------------------

static bool run_overfill(struct scenario *s, double dt)
{
	struct tank *t = &s->tank;
	if (reached(s, 0, true)) {
		*t = (struct tank){ .volume = 4000, .level = 78, .in = 600 };
		say(s, "T-501 takes in 600 m3/h and nobody stops the pump; 60 times faster than nature");
	}
	tank_step(t, dt * FASTER_OVERFILL / 3600);
	if (reached(s, 1, t->level > 85))
		say(s, "level above H, 85 %%");
	if (reached(s, 2, t->level > 92))
		say(s, "level above HH, 92 %%");
	if (reached(s, 3, t->level > 94.3)) {
		t->in = 0;
		s->t = 0;
		say(s, "emergency shut-off valve closed at %.1f %%; vapour in the bund", t->level);
	}
	if (reached(s, 4, s->t > 60)) {
		t->out = 900;
		say(s, "transfer to the spare tank at 900 m3/h");
	}
	force(s, "overfill.level", t->level);
	force(s, "overfill.inflow", t->in);
	force(s, "overfill.gas", tank_vapour(t));
	if (s->step < 5 || t->level > 78)
		return true;
	say(s, "level back to 78 %%, over");
	release(s, "overfill.level");
	release(s, "overfill.inflow");
	release(s, "overfill.gas");
	return false;
}

// ---- recordings --------------------------------------------------------------------------------

static const int tep_columns[] = { 7, 8, 9, 11, 12, 13, 15, 18, 21, 22 };

static void show_tep(struct scenario *s, const struct recording *r, double row)
{
	char tag[16];
	for (size_t i = 0; i < ARRAY_LEN(tep_columns); i++) {
		snprintf(tag, sizeof tag, "tep.%d", tep_columns[i]);
		force(s, tag, recording_value(r, (size_t)row, tep_columns[i]));
	}
}

static void idle_tep(struct scenario *s, double dt)
{
	(void)dt;
	if (s->all->has_tep)
		show_tep(s, &s->all->tep[0], fmod(s->all->clock * TEP_ROWS_PER_S / 3, (double)s->all->tep[0].nrows));
}

static bool run_tep(struct scenario *s, double dt)
{
	static const char *const faults[] = { "fault 6, loss of feed A", "fault 7, pressure loss of header C", "fault 1, feed ratio A/C" };
	size_t which = 1 + (s->runs - 1) % 3;
	const struct recording *r = &s->all->tep[which];
	double row = s->t * TEP_ROWS_PER_S, pressure = recording_value(r, (size_t)row, 7);
	(void)dt;
	if (!s->all->has_tep)
		return false;
	if (reached(s, 0, true))
		say(s, "replaying the Tennessee Eastman recording, %s, a row a second (180 times faster)", faults[which - 1]);
	if (reached(s, 1, pressure > 2800))
		say(s, "reactor pressure above H, 2,800 kPa");
	if (reached(s, 2, pressure > 2895))
		say(s, "reactor pressure above HH, 2,895 kPa; the plant trips at 3,000");
	show_tep(s, r, row);
	if (row < (double)r->nrows)
		return true;
	say(s, "recording at its end, normal operation again");
	return false;
}

static bool run_nab(struct scenario *s, double dt)
{
	const struct recording *r = &s->all->nab;
	double row = s->t * NAB_ROWS_PER_S, value = recording_value(r, (size_t)row, 1);
	(void)dt;
	if (!s->all->has_nab)
		return false;
	if (reached(s, 0, true))
		say(s, "replaying the recorded failure of a large machine, five rows a second (1,500 times faster)");
	if (reached(s, 1, value < 55))
		say(s, "temperature below L, 55");
	if (reached(s, 2, value < 40))
		say(s, "temperature below LL, 40: the machine has failed");
	force(s, "nab.temperature", value);
	if (row < (double)r->nrows)
		return true;
	say(s, "repaired, over");
	release(s, "nab.temperature");
	return false;
}

// ---- ammonia leak ------------------------------------------------------------------------------

#define LEAK_G_S 12.0
#define LEAK_S 170.0
#define METRES_PER_LON 93200.0
#define METRES_PER_LAT 110900.0

static double leak_rate(double t) // g/s at a moment of the scenario: opens within 20 s, is shut after LEAK_S
{
	return t <= 0 || t > LEAK_S ? 0 : LEAK_G_S * fmin(t / 20, 1);
}

static struct wind leak_wind(double t)
{
	return (struct wind){ .speed = 2 + 0.3 * sin(t / 23), .from = 225 + 8 * sin(2 * M_PI * t / 70) };
}

// The source is 7 m upwind (south-west) of the first detector.
static double detector_ppm(const struct tagged *gas, size_t i, struct wind w, double t)
{
	double east = (gas->p[i]->lon - gas->p[0]->lon) * METRES_PER_LON + 5;
	double north = (gas->p[i]->lat - gas->p[0]->lat) * METRES_PER_LAT + 5;
	double rate = leak_rate(t - fmax(plume_along(w, east, north), 0) / w.speed);
	return 2.5 + nh3_ppm(plume_mg_m3(w, rate, east, north));
}

static bool run_ammonia(struct scenario *s, double dt)
{
	struct tagged gas = find_tag(s->all, "ammonia.gas");
	struct wind w = leak_wind(s->t);
	double worst = 0;
	if (reached(s, 0, gas.n > 0)) {
		for (size_t i = 0; i < gas.n; i++)
			s->leak.shown[i] = 2.5;
		s->leak.told = 0;
		say(s, "a valve packing of the quick freezer leaks %.0f g/s of ammonia; wind from the south-west, 2 m/s", LEAK_G_S);
	}
	for (size_t i = 0; i < gas.n; i++) {
		double *shown = &s->leak.shown[i];
		*shown = fmin(sensor_lag(*shown, detector_ppm(&gas, i, w, s->t), dt, 8), 500);
		gas.p[i]->forced = *shown;
		worst = fmax(worst, *shown);
		if (*shown > 25 && !(s->leak.told & 1u << i)) {
			s->leak.told |= 1u << i;
			say(s, "detector %s above 25 ppm after %.0f s", gas.p[i]->code, s->t);
		}
	}
	force(s, "ammonia.speed", w.speed);
	force(s, "ammonia.direction", w.from);
	if (reached(s, 1, s->t > LEAK_S))
		say(s, "both stop valves closed, the cloud drifts away");
	if (gas.n && (s->step < 2 || worst > 4))
		return true;
	say(s, "air clean again, over");
	release(s, "ammonia.gas");
	release(s, "ammonia.speed");
	release(s, "ammonia.direction");
	return false;
}

// ---- dust collector ----------------------------------------------------------------------------

static bool run_dust(struct scenario *s, double dt)
{
	struct collector *c = &s->collector;
	if (reached(s, 0, true)) {
		*c = (struct collector){ .pressure = 980, .wind = 23, .temperature = 32, .dust = 2.4, .clogging = true };
		say(s, "pulse cleaning of collector CC-01 has failed, the bags clog; 20 times faster than nature");
	}
	collector_step(c, dt * FASTER_DUST / 60);
	if (reached(s, 1, c->pressure > 1600))
		say(s, "differential pressure above H, 1,600 Pa");
	if (reached(s, 2, c->temperature > 60))
		say(s, "ash bin above 60 degrees: deposits smoulder");
	if (reached(s, 3, c->temperature > 78)) {
		c->clogging = false;
		c->inerted = true;
		say(s, "collector stopped and inerted with nitrogen");
	}
	force(s, "dust.pressure", c->pressure);
	force(s, "dust.temperature", c->temperature);
	force(s, "dust.wind", c->wind);
	force(s, "dust.concentration", c->dust);
	if (s->step < 4 || c->temperature > 34)
		return true;
	say(s, "cooled down, over");
	release(s, "dust.pressure");
	release(s, "dust.temperature");
	release(s, "dust.wind");
	release(s, "dust.concentration");
	return false;
}

// ---- cold store --------------------------------------------------------------------------------

static bool run_cold(struct scenario *s, double dt)
{
	struct cold *c = &s->cold;
	if (reached(s, 0, true)) {
		*c = (struct cold){ .temperature = -19 };
		say(s, "compressor 1 has tripped, the store warms up; 120 times faster than nature");
	}
	cold_step(c, dt * FASTER_COLD / 3600);
	if (reached(s, 1, c->temperature > -15))
		say(s, "store above H, -15 degrees");
	if (reached(s, 2, c->temperature > -12))
		say(s, "store above HH, -12 degrees");
	if (reached(s, 3, c->temperature > -9.5)) {
		c->running = true;
		say(s, "compressor runs again");
	}
	force(s, "cold.temperature", c->temperature);
	force(s, "cold.current", c->running ? 122 : 0);
	if (s->step < 4 || c->temperature > -18.9)
		return true;
	say(s, "cold again, over");
	release(s, "cold.temperature");
	release(s, "cold.current");
	return false;
}

// ---- tailings pond after rain ------------------------------------------------------------------

static bool run_rain(struct scenario *s, double dt)
{
	struct pond *p = &s->pond;
	if (reached(s, 0, true)) {
		*p = (struct pond){ .level = 127.6, .weir = 2, .rain = 60 };
		say(s, "a rainstorm of 60 mm/h over the tailings pond; 150 times faster than nature");
	}
	pond_step(p, dt * FASTER_RAIN / 3600);
	if (reached(s, 1, p->level > 128.5))
		say(s, "pool above the flood-season level, 128.50 m");
	if (reached(s, 2, p->level > 129.5))
		say(s, "pool above the design flood level, 129.50 m; dry beach %.0f m", pond_beach(p));
	if (reached(s, 3, p->level > 129.8)) {
		p->rain = 0;
		s->t = 0;
		say(s, "rain over at %.2f m", p->level);
	}
	if (reached(s, 4, s->t > 60)) {
		p->weir = 9;
		say(s, "reserve spillway open");
	}
	force(s, "rain.level", p->level);
	force(s, "rain.rain", p->rain);
	force(s, "rain.beach", pond_beach(p));
	force(s, "rain.seepage", 4.2 + fmax(p->level - 127.6, 0) * 2.1);
	if (s->step < 5 || p->level > 127.75)
		return true;
	say(s, "pool back to 127.75 m, over");
	release(s, "rain.level");
	release(s, "rain.rain");
	release(s, "rain.beach");
	release(s, "rain.seepage");
	return false;
}

// ---- fire alarm --------------------------------------------------------------------------------

static void fire_part(struct scenario *s, const char *tag, size_t which, double value)
{
	struct tagged t = find_tag(s->all, tag);
	if (which >= t.n)
		return;
	t.p[which]->forced = value;
	t.p[which]->changed = true; // a fire alarm does not wait for the next round
}

static bool run_fire(struct scenario *s, double dt)
{
	(void)dt;
	if (reached(s, 0, true)) {
		fire_part(s, "fire.part", 2, 1);
		say(s, "smoke in the kitchen on floor 3 of the mall: detector loop 3 reports fire");
	}
	if (reached(s, 1, s->t > 6)) {
		fire_part(s, "fire.system", 0, 1);
		say(s, "the control unit reports fire");
	}
	if (reached(s, 2, s->t > 20)) {
		fire_part(s, "fire.part", 3, 1);
		say(s, "loop 4 reports fire as well");
	}
	if (s->t < 150)
		return true;
	for (size_t i = 2; i < 4; i++)
		fire_part(s, "fire.part", i, NAN);
	fire_part(s, "fire.system", 0, NAN);
	say(s, "extinguished, system reset, over");
	return false;
}

// ---- the set -----------------------------------------------------------------------------------

static const struct scenario_kind kinds[] = {
	{ "overfill", "a styrene tank is filled beyond its limits; vapour in the bund", 15, run_overfill, NULL },
	{ "tep", "recorded faults of the Tennessee Eastman plant", 100, run_tep, idle_tep },
	{ "ammonia", "ammonia leak; the cloud reaches the detectors downwind one after another", 200, run_ammonia, NULL },
	{ "dust", "bags of a dust collector clog, deposits smoulder", 290, run_dust, NULL },
	{ "nab", "recorded failure of a large machine", 370, run_nab, NULL },
	{ "fire", "fire alarm in a mall", 450, run_fire, NULL },
	{ "cold", "a cold store warms up", 520, run_cold, NULL },
	{ "rain", "rainstorm over a tailings pond", 600, run_rain, NULL },
};

void scenarios_list(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		buf_printf(out, "  %-10s %s\n", kinds[i].name, kinds[i].what);
}

static void load_recordings(struct scenarios *s, const char *packs)
{
	static const char *const tep[] = { "normal", "fault06", "fault07", "fault01" };
	char name[64];
	s->has_tep = s->has_nab = packs != NULL;
	for (size_t i = 0; i < ARRAY_LEN(tep) && s->has_tep; i++) {
		snprintf(name, sizeof name, "chemical/demo/recordings/tep_%s.txt", tep[i]);
		s->has_tep = recording_load(&s->tep[i], s->arena, packs, name);
	}
	s->has_nab = s->has_nab && recording_load(&s->nab, s->arena, packs, "metal/demo/recordings/machine_temperature.txt");
}

struct scenarios *scenarios_new(struct county *c, const char *packs, double speed, const char *only, bool once)
{
	struct arena *a = arena_new(64 << 10);
	struct scenarios *s = arena_one(a, struct scenarios);
	*s = (struct scenarios){ .county = c, .arena = a, .speed = speed, .once = once };
	s->v = arena_many(a, ARRAY_LEN(kinds), struct scenario);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (only && strcmp(only, kinds[i].name) != 0)
			continue;
		s->v[s->n++] = (struct scenario){ .kind = &kinds[i], .all = s, .next_start = only ? 5 : kinds[i].starts };
	}
	if (s->n == 0) {
		arena_free(a);
		return NULL;
	}
	load_recordings(s, packs);
	return s;
}

void scenarios_free(struct scenarios *s)
{
	if (s)
		arena_free(s->arena);
}

static bool turn_one(struct scenario *s, double dt)
{
	if (!s->running && s->all->clock >= s->next_start && !(s->all->once && s->runs)) {
		s->running = true;
		s->t = 0;
		s->step = 0;
		s->runs++;
		while (s->next_start <= s->all->clock)
			s->next_start += CYCLE_S;
	}
	if (s->running) {
		s->t += dt;
		s->running = s->kind->run(s, dt);
	} else if (s->kind->idle) {
		s->kind->idle(s, dt);
	}
	return s->running || !s->all->once || !s->runs;
}

bool scenarios_turn(struct scenarios *s, double dt)
{
	bool more = false;
	dt *= s->speed;
	s->clock += dt;
	for (size_t i = 0; i < s->n; i++)
		more |= turn_one(&s->v[i], dt);
	return more;
}
