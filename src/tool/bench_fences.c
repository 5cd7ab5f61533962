// anlan bench fences: what judging a position costs beside 10, 1,000 and 10,000 fences with 10,000 vehicles, and how long a generation
// takes to be made and swapped. One thread, in process; the county is invented: 100 km a side, fences of five kinds.
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/jw.h"
#include "fence/fence.h"
#include "tool/bench.h"
#include "tool/tool.h"

#define VEHICLES 10000u
#define ROUNDS 50u
#define PER_M (1 / 111195.0)

static uint64_t seed = 0x9e3779b97f4a7c15u;
static double any(double lo, double hi)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return lo + (hi - lo) * (double)(seed >> 11) / 9007199254740992.0;
}

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void count(void *arg, const struct fence_event *e)
{
	(void)e;
	++*(size_t *)arg;
}

// A ragged outline of 24 corners.
static json_t *outline(double lon, double lat, double radius)
{
	json_t *ring = json_array();
	double r[24];
	for (int i = 0; i < 24; i++)
		r[i] = any(0.6, 1) * radius;
	for (int i = 0; i <= 24; i++) {
		double a = M_PI / 12 * i, d = r[i % 24] * PER_M;
		json_array_append_new(ring, json_pack("[ff]", lon + d * cos(a) * 1.18, lat + d * sin(a)));
	}
	return json_pack("{s:s, s:[o]}", "type", "Polygon", "coordinates", ring);
}

static json_t *route(double lon, double lat)
{
	json_t *line = json_array();
	for (int i = 0; i < 30; i++) {
		json_array_append_new(line, json_pack("[ff]", lon, lat));
		lon += any(-0.01, 0.015);
		lat += any(-0.01, 0.015);
	}
	return json_pack("{s:s, s:o}", "type", "LineString", "coordinates", line);
}

// One fence in ten is a route; half of all must be stayed in, each by one vehicle of a list, the others hold for everybody.
static void make_fences(struct fence_def *v, size_t n, int64_t *devices)
{
	for (size_t i = 0; i < n; i++) {
		bool line = i % 10 == 9;
		double lon = any(118, 119), lat = any(32, 33);
		devices[i] = (int64_t)(i % VEHICLES) + 1;
		v[i] = (struct fence_def){ .id = (int64_t)i + 1, .name = STR("f"), .area = STR_EMPTY, .reach = 60, .band = 20, .positions = 3,
			.speed = 40, .speed_band = 3, .still = 5, .allowed = 10 * US_PER_MIN, .vehicles = true };
		v[i].kind = line ? FENCE_ROUTE : i % 2 == 0 ? FENCE_IN : i % 3 == 0 ? FENCE_OUT : i % 3 == 1 ? FENCE_SPEED : FENCE_STAY;
		v[i].shape = line ? route(lon, lat) : outline(lon, lat, any(100, 3000));
		v[i].devices = &devices[i];
		v[i].ndevices = line || v[i].kind == FENCE_IN;
	}
}

static struct fence_mover *make_movers(void)
{
	struct fence_mover *m = mem_alloc(VEHICLES * sizeof *m);
	for (uint32_t i = 0; i < VEHICLES; i++)
		m[i] = (struct fence_mover){ i * 3 + 1, i * 3 + 2, i * 3 + 3, i + 1, 1, STR_EMPTY, STR_EMPTY };
	return m;
}

struct seen { double lon, lat; };

static size_t drive(struct fences *f, struct seen *at, size_t *heard, bool judge)
{
	double sink = 0;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		int64_t t = (1780000000LL + round * 10) * US_PER_S;
		for (uint32_t i = 0; i < VEHICLES; i++) {
			at[i].lon += any(-0.002, 0.002);
			at[i].lat += any(-0.002, 0.002);
			const double values[3] = { at[i].lon, at[i].lat, any(0, 60) };
			sink += values[2];
			for (uint32_t k = 0; k < 3 && judge; k++)
				fences_feed(f, &(struct reading){ .point = i * 3 + k + 1, .time = t, .value = values[k] }, t, count, heard);
			if (judge && i % 64 == 63)
				fences_settle(f, count, heard);
		}
	}
	return sink > 0;
}

static void measure(struct jw *w, size_t n)
{
	struct fence_def *v = mem_alloc(n * sizeof *v);
	int64_t *devices = mem_alloc(n * sizeof *devices);
	struct fence_mover *movers = make_movers();
	struct seen *at = mem_alloc(VEHICLES * sizeof *at);
	size_t heard = 0;
	make_fences(v, n, devices);
	for (uint32_t i = 0; i < VEHICLES; i++)
		at[i] = (struct seen){ any(118, 119), any(32, 33) };
	struct fences *f = fences_new();
	int64_t t0 = cpu_ns();
	struct fence_set *s = fence_set_new(v, n, movers, VEHICLES, VEHICLES * 3, NULL, NULL);
	int64_t t1 = cpu_ns();
	fence_set_free(fences_take(f, s, 0, count, &heard));
	(void)drive(NULL, at, &heard, false);
	int64_t t2 = cpu_ns();
	(void)drive(NULL, at, &heard, false);
	int64_t t3 = cpu_ns();
	(void)drive(f, at, &heard, true);
	fences_settle(f, count, &heard);
	int64_t t4 = cpu_ns();
	fences_tick(f, (1780000000LL + ROUNDS * 10) * US_PER_S, count, &heard);
	int64_t t5 = cpu_ns();
	struct fences_stats st = fences_stats(f);
	struct fence_made made = fence_set_made(s);
	s = fence_set_new(v, n, movers, VEHICLES, VEHICLES * 3, NULL, NULL);
	int64_t t6 = cpu_ns();
	s = fences_take(f, s, 0, count, &heard);
	int64_t t7 = cpu_ns();
	fence_set_free(s);
	jw_obj(w);
	jw_ki64(w, "fences", (int64_t)made.fences);
	jw_ki64(w, "vehicles", (int64_t)made.movers);
	jw_ki64(w, "positions", (int64_t)st.judged);
	jw_kf64(w, "ns_per_position", round((double)((t4 - t3) - (t3 - t2)) / (double)st.judged));
	jw_kf64(w, "geometries_per_position", round((double)st.tested / (double)st.judged * 1000) / 1000);
	jw_ki64(w, "left_out", (int64_t)st.left_out);
	jw_ki64(w, "changes", (int64_t)heard);
	jw_ki64(w, "watches", (int64_t)st.watches);
	jw_kf64(w, "tick_us", round((double)(t5 - t4) / 1000));
	jw_kf64(w, "make_ms", round((double)(t1 - t0) / 1e5) / 10);
	jw_kf64(w, "swap_ms", round((double)(t7 - t6) / 1e5) / 10);
	jw_kf64(w, "mib", round((double)made.bytes / 104857.6) / 10);
	jw_end(w);
	fences_free(f);
	for (size_t i = 0; i < n; i++)
		json_decref((json_t *)(uintptr_t)v[i].shape);
	mem_free(v);
	mem_free(devices);
	mem_free(movers);
	mem_free(at);
}

int bench_fences(int argc, char **argv)
{
	struct buf out;
	struct jw w;
	tool_no_more_options(argc, argv, "anlan bench fences");
	buf_init(&out, 1u << 16);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "fences");
	jw_kcstr(&w, "counted", "CPU time of one thread; a position is three readings: longitude, latitude, speed");
	jw_karr(&w, "items");
	measure(&w, 10);
	measure(&w, 1000);
	measure(&w, 10000);
	jw_end(&w);
	jw_end(&w);
	bool whole = jw_done(&w);
	printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	return whole ? 0 : 1;
}
