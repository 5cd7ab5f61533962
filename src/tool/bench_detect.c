// anlan bench detect --data DIR: how well the detectors of src/detect find what is known to be wrong in public recordings:
// DIR/tep (Tennessee Eastman), DIR/skab (Skoltech Anomaly Benchmark), DIR/nab (Numenta Anomaly Benchmark with windows.json).
// The detectors see what `anlan detect` gives them; labels and windows are read here only. --units N instead: what a row of
// 50 points costs; --early N: what a million readings of N points cost the early warnings and doubts. Prints one JSON object.
#include "tool/bench_detect.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "detect/doubt.h"
#include "detect/drift.h"
#include "detect/early.h"
#include "detect/order.h"
#include "detect/stream.h"
#include "detect/unit.h"
#include "tool/bench.h"
#include "tool/detect_io.h"
#include "tool/tool.h"

double bench_round4(double v)
{
	return round(v * 1e4) / 1e4;
}

static double ratio(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

// ---- Tennessee Eastman: E. Russell, L. Chiang, R. Braatz, Chemometr. Intell. Lab. Syst. 51 (2000) ----

#define TEP_COLUMNS 52
#define TEP_ONSET 160 // rows before the fault begins
#define TEP_FAULTS 21

struct tep {
	struct arena *a;
	const char *dir;
	struct recording normal;
	double found[TEP_FAULTS], delay[TEP_FAULTS]; // of the faults that count
	size_t n;
};

// The model learned as --train does it, over a recording: how many rows it flags before and behind the onset; *ret_delay:
// rows from the onset to the first flag, all of them if there is none.
static bool tep_judge(const struct tep *t, const struct recording *r, size_t onset, size_t *ret_before, size_t *ret_behind,
                      size_t *ret_delay)
{
	struct unit_score s;
	struct unit *u = unit_new(t->normal.columns, UNIT_LEARN_MAX);
	for (size_t i = 0; i < t->normal.rows && i < UNIT_LEARN_MAX - 1; i++)
		unit_feed(u, t->normal.values + i * t->normal.columns, &s);
	bool ok = unit_learn_end(u);
	*ret_before = *ret_behind = 0;
	*ret_delay = r->rows - onset;
	for (size_t i = 0; ok && i < r->rows; i++) {
		unit_feed(u, r->values + i * r->columns, &s);
		if (!s.flag)
			continue;
		*(i < onset ? ret_before : ret_behind) += 1;
		if (i >= onset)
			*ret_delay = MIN(*ret_delay, i - onset);
	}
	unit_free(u);
	return ok;
}

static bool hard(unsigned fault) // hardly visible to any published method
{
	return fault == 3 || fault == 9 || fault == 15;
}

static bool tep_fault(struct tep *t, struct jw *w, unsigned fault)
{
	struct recording r;
	struct problem p;
	size_t before, behind, delay;
	problem_init(&p, t->a);
	char *path = arena_cstr(t->a, arena_printf(t->a, "%s/d%02u_te.dat", t->dir, fault));
	enum err err = recording_load(&r, t->a, path, false, TEP_COLUMNS, &p);
	if (err == ERR_NOT_FOUND)
		return true;
	if (err || r.rows <= TEP_ONSET || !tep_judge(t, &r, TEP_ONSET, &before, &behind, &delay))
		return bench_refuse(&p, path);
	double found = ratio(behind, r.rows - TEP_ONSET);
	jw_obj(w);
	jw_ki64(w, "fault", fault);
	jw_kf64(w, "detection_rate", bench_round4(found));
	jw_ki64(w, "delay_rows", (int64_t)delay);
	jw_kf64(w, "false_alarms_before_onset", bench_round4(ratio(before, TEP_ONSET)));
	jw_kbool(w, "counted", !hard(fault));
	jw_end(w);
	if (!hard(fault)) {
		t->found[t->n] = found;
		t->delay[t->n++] = (double)delay;
	}
	return true;
}

static bool tep(struct arena *a, struct jw *w, const char *dir)
{
	struct tep t = { .a = a, .dir = dir };
	struct recording te;
	struct problem p;
	size_t flags, none, delay;
	problem_init(&p, a);
	const char *train = arena_cstr(a, arena_printf(a, "%s/d00.dat", dir)), *test = arena_cstr(a, arena_printf(a, "%s/d00_te.dat", dir));
	if (recording_load(&t.normal, a, train, false, TEP_COLUMNS, &p) || recording_load(&te, a, test, false, TEP_COLUMNS, &p) ||
	    !tep_judge(&t, &te, 0, &none, &flags, &delay))
		return bench_refuse(&p, dir);
	jw_kobj(w, "tep");
	jw_kcstr(w, "model", UNIT_VERSION);
	jw_ki64(w, "learned_rows", (int64_t)t.normal.rows);
	jw_kf64(w, "false_alarm_rate_d00_te", bench_round4(ratio(flags, te.rows)));
	jw_karr(w, "faults");
	bool ok = true;
	for (unsigned fault = 1; ok && fault <= TEP_FAULTS; fault++)
		ok = tep_fault(&t, w, fault);
	jw_end(w);
	double sum = 0;
	for (size_t i = 0; i < t.n; i++)
		sum += t.found[i];
	jw_ki64(w, "faults_counted", (int64_t)t.n);
	jw_kf64(w, "mean_detection_rate", t.n ? bench_round4(sum / (double)t.n) : 0);
	jw_kf64(w, "median_delay_rows", t.n ? order_median(t.delay, t.n) : 0);
	jw_end(w);
	return ok;
}

// ---- SKAB: I. Katser, V. Kozitsin, Skoltech Anomaly Benchmark (2020) ---------------------------

struct confusion {
	size_t tp, fp, fn, tn;
};

static void count(struct confusion *c, bool anomaly, bool flag)
{
	*(anomaly ? flag ? &c->tp : &c->fn : flag ? &c->fp : &c->tn) += 1;
}

static void print_confusion(struct jw *w, const struct confusion *c)
{
	jw_kf64(w, "f1", bench_round4(ratio(2 * c->tp, 2 * c->tp + c->fp + c->fn)));
	jw_kf64(w, "false_alarm_rate", bench_round4(ratio(c->fp, c->fp + c->tn)));
	jw_kf64(w, "missed_rate", bench_round4(ratio(c->fn, c->tp + c->fn)));
}

static void add(struct confusion *to, const struct confusion *c)
{
	to->tp += c->tp;
	to->fp += c->fp;
	to->fn += c->fn;
	to->tn += c->tn;
}

static bool skab_file(struct arena *a, struct jw *w, const char *dir, struct str name, struct confusion *later, struct confusion *all)
{
	struct recording r;
	struct problem p;
	struct unit_score s;
	problem_init(&p, a);
	const char *path = arena_cstr(a, arena_printf(a, "%s/%.*s", dir, STR_FMT(name)));
	if (recording_load(&r, a, path, false, 0, &p))
		return bench_refuse(&p, path);
	if (r.columns > UNIT_COLUMNS_MAX)
		return bench_refuse(&p, path);
	struct confusion c = { 0 };
	struct unit *u = unit_new(r.columns, UNIT_LEARN_DEFAULT);
	for (size_t i = 0; i < r.rows; i++) {
		unit_feed(u, r.values + i * r.columns, &s);
		bool anomaly = r.anomaly && r.anomaly[i] > 0;
		if (i >= UNIT_LEARN_DEFAULT)
			count(&c, anomaly, s.flag);
		count(all, anomaly, s.flag);
	}
	unit_free(u);
	jw_obj(w);
	jw_kstr(w, "file", name);
	print_confusion(w, &c);
	jw_end(w);
	add(later, &c);
	return true;
}

static bool skab(struct arena *a, struct jw *w, const char *dir)
{
	struct confusion half[2] = { { 0 }, { 0 } }, later = { 0 }, all = { 0 };
	size_t n;
	struct str *names = bench_files(a, dir, ".csv", &n);
	jw_kobj(w, "skab");
	jw_kcstr(w, "model", UNIT_VERSION);
	jw_ki64(w, "learned_rows", UNIT_LEARN_DEFAULT);
	jw_karr(w, "files");
	bool ok = true;
	for (size_t i = 0, labelled = 0; ok && i < n; i++) {
		if (str_contains(names[i], STR("anomaly-free"))) // has no labels
			continue;
		struct arena *file = arena_new(0);
		struct confusion c = { 0 };
		ok = skab_file(file, w, dir, names[i], &c, &all);
		add(&later, &c);
		add(&half[labelled++ % 2], &c);
		arena_free(file);
	}
	jw_end(w);
	static const char *const names_of[] = { "rows_after_learning", "all_rows", "first_half_of_files", "second_half_of_files" };
	const struct confusion *totals[] = { &later, &all, &half[0], &half[1] };
	for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
		jw_kobj(w, names_of[i]);
		print_confusion(w, totals[i]);
		jw_end(w);
	}
	jw_end(w);
	return ok;
}

// ---- cost --------------------------------------------------------------------------------------

#define COST_COLUMNS 50
#define COST_SECONDS 20 // rows a unit, measured

static double cpu_seconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double next_noise(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) * 0x1p-53 - 0.5;
}

static void made_row(uint64_t *random, double *row)
{
	double common = next_noise(random);
	for (size_t c = 0; c < COST_COLUMNS; c++)
		row[c] = common + next_noise(random);
}

// Every unit is a model of its own, so that the caches are as cold as they are with so many.
static void cost(struct arena *a, struct jw *w, size_t units)
{
	double row[COST_COLUMNS];
	struct unit_score s;
	uint64_t random = 1;
	struct unit **u = arena_many(a, units, struct unit *);
	double learning = -cpu_seconds();
	for (size_t i = 0; i < units; i++) {
		u[i] = unit_new(COST_COLUMNS, UNIT_LEARN_DEFAULT);
		for (size_t k = 0; k < UNIT_LEARN_DEFAULT; k++) {
			made_row(&random, row);
			unit_feed(u[i], row, &s);
		}
	}
	learning += cpu_seconds();
	double judging = -cpu_seconds();
	for (size_t k = 0; k < COST_SECONDS; k++)
		for (size_t i = 0; i < units; i++) {
			made_row(&random, row);
			unit_feed(u[i], row, &s);
		}
	judging += cpu_seconds();
	jw_kobj(w, "cost");
	jw_ki64(w, "units", (int64_t)units);
	jw_ki64(w, "columns", COST_COLUMNS);
	jw_kf64(w, "us_per_row", bench_round4(judging / COST_SECONDS / (double)units * 1e6));
	jw_kf64(w, "cores_at_1_hz", bench_round4(judging / COST_SECONDS));
	jw_kf64(w, "ms_to_learn_a_unit", bench_round4(learning / (double)units * 1e3));
	jw_ki64(w, "bytes_per_unit", units ? (int64_t)unit_bytes(u[0]) : 0);
	jw_end(w);
	for (size_t i = 0; i < units; i++)
		unit_free(u[i]);
}

#define STREAM_VALUES 100000

static void stream_cost(struct jw *w)
{
	struct stream_score s;
	uint64_t random = 1;
	struct stream *stream = stream_new(STREAM_LEARN_DEFAULT);
	double seconds = -cpu_seconds();
	for (size_t i = 0; i < STREAM_VALUES; i++) // noise: every shape is new, the memories are full
		stream_feed(stream, next_noise(&random), &s);
	seconds += cpu_seconds();
	jw_kobj(w, "stream");
	jw_kf64(w, "us_per_value", bench_round4(seconds / STREAM_VALUES * 1e6));
	jw_ki64(w, "bytes", (int64_t)stream_bytes(stream));
	jw_end(w);
	stream_free(stream);
}

// ---- early warnings and doubts ------------------------------------------------------------------

#define EARLY_READINGS 1000000
#define EARLY_EVERY_S 10    // of one point
#define EARLY_MOVING 20     // one point in so many is on its way to its limit, the whole time

static void count_event(void *arg, const struct early_event *e)
{
	(void)e;
	++*(uint64_t *)arg;
}

static void count_doubt(void *arg, const struct doubt_event *e)
{
	(void)e;
	++*(uint64_t *)arg;
}

static void count_drift(void *arg, const struct drift_event *e)
{
	(void)e;
	++*(uint64_t *)arg;
}

// A million readings of so many points, in the order in which a county sends them: each point in turn.
static void early_cost(struct jw *w, size_t points)
{
	static const struct doubt_facts looks = { { 0, 1e6, 1000 }, true, true, true };
	const struct early_facts facts = { { NAN, 10, 90, NAN }, US_PER_HOUR, US_PER_MIN };
	struct early *e = mem_alloc(points * sizeof *e);
	struct doubt *q = mem_alloc(points * sizeof *q);
	const struct drift_facts drift_facts = { 10 * US_PER_MIN, 3 };
	struct drift *r = mem_alloc(points * sizeof *r);
	double *scratch = mem_alloc(TREND_PAIRS_MAX * sizeof *scratch), seconds = 0, doubting = 0, drifting = 0;
	uint64_t random = 1, events = 0, doubts = 0, drifts = 0;
	size_t rounds = MAX((size_t)EARLY_READINGS / points, 1), warm = EARLY_KEEP * 60 / EARLY_EVERY_S;
	for (size_t i = 0; i < points; i++) {
		early_init(&e[i], &facts);
		doubt_init(&q[i]);
		drift_init(&r[i], drift_facts.every);
	}
	for (size_t k = 0; k < warm + rounds; k++) {
		double begin = cpu_seconds(), middle;
		int64_t t = (int64_t)(k * EARLY_EVERY_S + 1000000000) * US_PER_S;
		for (size_t i = 0; i < points; i++)
			early_feed(&e[i], t, 50 + (i % EARLY_MOVING ? 0 : (double)k * 0.08) + next_noise(&random), scratch, count_event, &events);
		middle = cpu_seconds();
		for (size_t i = 0; i < points; i++)
			doubt_feed(&q[i], &looks, t, 50 + next_noise(&random), count_doubt, &doubts);
		double last = cpu_seconds();
		for (size_t i = 0; i < points; i++)
			drift_feed(&r[i], &drift_facts, t, 50 + next_noise(&random), count_drift, &drifts);
		if (k >= warm) { // with full memories
			seconds += middle - begin;
			doubting += last - middle;
			drifting += cpu_seconds() - last;
		}
	}
	double readings = (double)(rounds * points);
	jw_kobj(w, "early");
	jw_ki64(w, "points", (int64_t)points);
	jw_kf64(w, "cpu_s_per_million", bench_round4(seconds / readings * 1e6));
	jw_kf64(w, "doubts_cpu_s_per_million", bench_round4(doubting / readings * 1e6));
	jw_kf64(w, "drift_cpu_s_per_million", bench_round4(drifting / readings * 1e6));
	jw_ki64(w, "bytes_per_point", (int64_t)sizeof *e);
	jw_ki64(w, "doubts_bytes_per_point", (int64_t)sizeof *q);
	jw_ki64(w, "drift_bytes_per_point", (int64_t)sizeof *r);
	jw_ki64(w, "events", (int64_t)events);
	jw_end(w);
	mem_free(scratch);
	mem_free(e);
	mem_free(q);
	mem_free(r);
}

// ---- all ---------------------------------------------------------------------------------------

static bool measure(struct arena *a, struct jw *w, const char *dir)
{
	static const struct {
		const char *name;
		bool (*run)(struct arena *a, struct jw *w, const char *dir);
	} sets[] = { { "tep", tep }, { "skab", skab }, { "nab", bench_nab } };
	bool ok = true, any = false;
	for (size_t i = 0; ok && i < ARRAY_LEN(sets); i++) {
		const char *path = arena_cstr(a, arena_printf(a, "%s/%s", dir, sets[i].name));
		if (!bench_is_dir(path))
			continue;
		any = true;
		ok = sets[i].run(a, w, path);
	}
	if (!any)
		fprintf(stderr, "anlan bench detect: %s has neither tep nor skab nor nab\n", dir);
	return ok && any;
}

int bench_detect(int argc, char **argv)
{
	static const char usage[] = "usage: anlan bench detect --data DIR | --units N | --early N";
	const char *dir = tool_option(&argc, argv, "--data"), *units = tool_option(&argc, argv, "--units"),
		   *early = tool_option(&argc, argv, "--early"), *number = units ? units : early;
	tool_no_more_options(argc, argv, usage);
	uint64_t n = 0;
	if (argc || !!dir + !!units + !!early != 1 || (number && (!str_to_u64(str_of(number), &n) || n < 1 || n > 100000))) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a = arena_new(0);
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "detect");
	bool ok = true;
	if (dir) {
		ok = measure(a, &w, dir);
	} else if (early) {
		early_cost(&w, (size_t)n);
	} else {
		cost(a, &w, (size_t)n);
		stream_cost(&w);
	}
	if (ok) {
		jw_end(&w);
		ok = jw_done(&w);
		printf("%.*s\n", (int)out.n, out.p);
	}
	buf_free(&out);
	arena_free(a);
	return ok ? 0 : 1;
}
