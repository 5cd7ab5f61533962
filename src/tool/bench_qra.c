// anlan bench qra: the regional assessment of an invented park of the stated size, in seconds, and how far the answer is from the
// plain definition at some cells. Prints one JSON object.
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "risk/qra.h"
#include "tool/bench.h"
#include "tool/tool.h"

static const char usage[] = "bench qra [--sources 50] [--scenarios 20] [--side 1000] [--threads 2] [--check CELLS]";

#define PARK 4000.0         // m: the installations stand in a square of this side
#define REGION 10000.0      // m: side of the grid

static uint64_t seed = 1;

// 0 … 1; the same park every time.
static double chance(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 40) / (double)(1u << 24);
}

static double between(double lo, double hi)
{
	return lo * pow(hi / lo, chance());
}

// A third poison, a third gas that burns, a third liquids and vessels.
static void write_scenario(struct jw *w, unsigned i)
{
	static const char *const poisons[] = { "chlorine", "ammonia", "hydrogen sulfide", "sulfur dioxide" };
	static const char *const gases[] = { "LPG", "propylene", "ethylene", "vinyl chloride" };
	static const char *const liquids[] = { "benzene", "gasoline", "hexane", "acetone" };
	unsigned kind = i % 3, which = (unsigned)(chance() * 4) & 3;
	char name[32];
	snprintf(name, sizeof name, "s%u", i);
	jw_obj(w);
	jw_kcstr(w, "name", name);
	jw_kf64(w, "f", between(1e-7, 1e-4));
	jw_kcstr(w, "substance", kind == 0 ? poisons[which] : kind == 1 ? gases[which] : liquids[which]);
	if (i % 7 == 4) {
		jw_kcstr(w, "release", "instantaneous");
		jw_kf64(w, "mass", between(500, 50000));
	} else {
		jw_kf64(w, "rate", between(0.2, 20));
		jw_kf64(w, "duration", between(120, 1800));
	}
	if (kind == 2)
		jw_kf64(w, "pool", between(5, 40));
	jw_end(w);
}

static void write_weather(struct jw *w)
{
	static const struct { const char *stability; double u, day, part; } classes[6] = { { "B", 2, 1, 0.1 }, { "C", 4, 0.8, 0.15 },
		{ "D", 2, 0.5, 0.2 }, { "D", 5, 0.6, 0.3 }, { "E", 3, 0, 0.1 }, { "F", 1.5, 0, 0.15 } };
	jw_karr(w, "weather");
	for (size_t c = 0; c < 6; c++) {
		jw_obj(w);
		jw_kcstr(w, "stability", classes[c].stability);
		jw_kf64(w, "u", classes[c].u);
		jw_kf64(w, "day", classes[c].day);
		jw_karr(w, "from");
		for (int d = 0; d < 16; d++)
			jw_f64(w, classes[c].part / 16 * (1 + 0.8 * sin(M_PI / 8 * d + (double)c)));
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
}

static void write_park(struct jw *w, uint64_t sources, uint64_t scenarios, uint64_t side)
{
	jw_obj(w);
	jw_kobj(w, "grid");
	jw_kf64(w, "x0", 0);
	jw_kf64(w, "y0", 0);
	jw_kf64(w, "cell", REGION / (double)(side - 1));
	jw_ki64(w, "nx", (int64_t)side);
	jw_ki64(w, "ny", (int64_t)side);
	jw_end(w);
	write_weather(w);
	jw_karr(w, "sources");
	for (uint64_t i = 0; i < sources; i++) {
		char name[32];
		snprintf(name, sizeof name, "installation %u", (unsigned)i);
		jw_obj(w);
		jw_kcstr(w, "name", name);
		jw_kf64(w, "x", REGION / 2 + PARK * (chance() - 0.5));
		jw_kf64(w, "y", REGION / 2 + PARK * (chance() - 0.5));
		jw_kcstr(w, "target", i & 1 ? "atmospheric" : "pressurised");
		jw_kf64(w, "volume", between(50, 5000));
		jw_karr(w, "scenarios");
		for (uint64_t k = 0; k < scenarios; k++)
			write_scenario(w, (unsigned)k);
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "people");
	for (int i = 0; i < 10000; i++) { // a cell of a hectare each, in the whole region
		jw_arr(w);
		jw_f64(w, REGION * chance());
		jw_f64(w, REGION * chance());
		jw_f64(w, between(1, 60));
		jw_f64(w, between(1, 60));
		jw_f64(w, 0.9);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

// The farthest the grid is from the plain sum at some cells, relative to the highest risk there is, and from the raster-free sum.
static double difference(const struct qra_input *in, const struct qra_result *r, uint64_t cells, double *ret_direct)
{
	double worst = 0;
	*ret_direct = 0;
	for (uint64_t i = 0; i < cells; i++) {
		size_t x = (size_t)(chance() * (double)in->grid.nx), y = (size_t)(chance() * (double)in->grid.ny);
		double px = in->grid.x0 + (double)x * in->grid.cell, py = in->grid.y0 + (double)y * in->grid.cell, got = r->ir[y * in->grid.nx + x],
		       plain = qra_plain_ir(in, px, py, r->reach), direct = qra_direct_ir(in, px, py);
		worst = fmax(worst, plain > 0 ? fabs(got / plain - 1) : got);
		*ret_direct = fmax(*ret_direct, fabs(got - direct) / r->ir_max);
	}
	return worst;
}

// Of the process, all threads together: what is left when others use the machine too.
static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const struct qra_input *in, const struct qra_result *r, double seconds, double cpu, uint64_t threads, uint64_t cells)
{
	double direct = 0, plain = cells ? difference(in, r, cells, &direct) : 0;
	size_t scenarios = 0;
	for (size_t i = 0; i < in->nsources; i++)
		scenarios += in->sources[i].n;
	printf("{\"bench\":\"qra\",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"threads\":%u,\"sources\":%zu,\"scenarios\":%zu,\"classes\":%zu,\"directions\":%zu,"
	       "\"cells\":%zu,\"people_cells\":%zu,\"outcomes\":%llu,\"mean_footprint_km2\":%.3f,\"raster\":[%zu,%zu],\"pll\":%.6g,"
	       "\"ir_max\":%.6g,\"fn_points\":%zu,\"checked_cells\":%llu,\"worst_relative_difference_from_plain\":%.3g,"
	       "\"worst_difference_from_direct_by_highest\":%.3g}\n",
	       seconds, cpu, (unsigned)threads, in->nsources, scenarios, in->nclasses, in->directions, in->grid.nx * in->grid.ny, in->npeople,
	       (unsigned long long)r->outcomes, r->footprint / 1e6, r->rows, r->columns, r->pll, r->ir_max, r->nfn, (unsigned long long)cells,
	       plain, direct);
}

static bool option(int *argc, char **argv, const char *name, uint64_t max, uint64_t *ret)
{
	const char *v = tool_option(argc, argv, name);
	return !v || (str_to_u64(str_of(v), ret) && *ret <= max);
}

int bench_qra(int argc, char **argv)
{
	uint64_t sources = 50, scenarios = 20, side = 1000, threads = 2, cells = 5;
	bool ok = option(&argc, argv, "--sources", LIMIT_QRA_SOURCES, &sources) && option(&argc, argv, "--scenarios", 400, &scenarios) &&
		  option(&argc, argv, "--side", 2000, &side) && option(&argc, argv, "--threads", LIMIT_QRA_THREADS, &threads) &&
		  option(&argc, argv, "--check", 10000, &cells);
	tool_no_more_options(argc, argv, usage);
	if (!ok || argc || !sources || !scenarios || side < 2 || !threads) {
		fprintf(stderr, "anlan %s\n", usage);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	struct risk_tables tables;
	struct qra_input in;
	struct qra_result r;
	struct problem p;
	struct str wrong;
	struct buf text;
	struct jw w;
	problem_init(&p, a);
	buf_init(&text, LIMIT_QRA_INPUT);
	jw_init(&w, &text);
	write_park(&w, sources, scenarios, side);
	if (!jw_done(&w) || !risk_tables_load(a, tool_packs_dir(), &tables, &wrong) || qra_read(buf_str(&text), &tables, a, &in, &p)) {
		fprintf(stderr, "anlan bench qra: %.*s\n", STR_FMT(p.en));
		return 1;
	}
	int64_t before = clock_mono();
	double cpu = cpu_seconds();
	enum err err = qra_run(&in, (unsigned)threads, NULL, NULL, a, &r, &p);
	if (!err)
		print(&in, &r, (double)(clock_mono() - before) / US_PER_S, cpu_seconds() - cpu, threads, cells);
	buf_free(&text);
	return err ? 1 : 0;
}
