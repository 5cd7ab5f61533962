// anlan bench index: the risk index at many enterprises, in process: how long it takes to count all anew, to count again what
// one changed record concerns with all that lies above it, to take in a weather warning over the whole county, and to answer
// why a county has its level. Makes its county in --dir, or uses the one that is there. Prints one JSON object.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/time.h"
#include "measure/index.h"
#include "store/records.h"
#include "tool/bench.h"

#define ROWS_A_JOB 4000
#define VILLAGES 300
#define PART_US 2000            // as core/index.c
#define PARTS_MAX 100000

struct bench {
	struct store *store;
	struct registry *reg;
	struct risk_indexes *all;
	struct index_live *live;
	struct arena *a;
	struct jw *w;
	int64_t enterprises, hazards, changes;
	int64_t from, to;       // rows of this job
	uint64_t random;
	int64_t *us;
};

static uint64_t next(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random >> 11;
}

static void set(const struct type *t, struct value *vals, const char *name, struct value v)
{
	const struct field *f = type_field(t, str_of(name));
	if (f && f->ncols)
		vals[f->col] = v;
}

static struct value text(const char *s) { return (struct value){ .kind = VAL_TEXT, .s = str_of(s) }; }

static enum err insert(struct bench *b, struct db *db, const char *type, struct common *c, const char *field, const char *value,
                       struct problem *p)
{
	const struct type *t = registry_type(b->reg, str_of(type));
	struct value *v = arena_many(b->a, t->table.ncols, struct value);
	set(t, v, field, text(value));
	c->version = 1;
	c->created_at = c->changed_at = c->state_at = clock_now();
	return records_insert(db, &t->table, c, v, p);
}

// ---- the county --------------------------------------------------------------------------------
static enum err job_tables(struct db *db, void *arg, struct problem *p)
{
	const struct bench *b = arg;
	return registry_make_tables(db, b->reg, p);
}

static const char *area_of(struct bench *b, int64_t i)
{
	return arena_printf(b->a, "990121%03d%03d", (int)(101 + i % VILLAGES / 15), (int)(1 + i % 15)).p;
}

static enum err job_enterprises(struct db *db, void *arg, struct problem *p)
{
	static const char *const sectors[] = { "chemical", "ammonia", "dust", "tailings", "metal", "fire", "general" };
	static const char *const risks[] = { "blue", "blue", "yellow", "orange", "red" };
	struct bench *b = arg;
	enum err err = OK;
	for (int64_t i = b->from; !err && i < b->to; i++) {
		struct common c = { .area = str_of(area_of(b, i)), .sector = str_of(sectors[i % 7]), .title = arena_printf(b->a, "企业 %lld", (long long)i),
			            .enterprise = ENTERPRISE_SELF };
		err = insert(b, db, "enterprise", &c, "risk", risks[i % 5], p);
	}
	return err;
}

static enum err job_hazards(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	enum err err = OK;
	for (int64_t i = b->from; !err && i < b->to; i++) {
		int64_t e = (int64_t)(next(b) % (uint64_t)b->enterprises);
		struct common c = { .area = str_of(area_of(b, e)), .enterprise = e + 1, .state = i % 3 ? STR("closed") : STR("fixing"), .title = STR("隐患") };
		err = insert(b, db, "hazard", &c, "level", i % 50 ? "general" : "major", p);
	}
	return err;
}

static enum err in_jobs(struct bench *b, store_job *job, int64_t n, struct problem *p)
{
	enum err err = OK;
	for (b->from = 0; !err && b->from < n; b->from = b->to) {
		b->to = MIN(b->from + ROWS_A_JOB, n);
		err = store_write(b->store, job, b, p);
	}
	return err;
}

static enum err make(struct bench *b, struct problem *p)
{
	const struct type *t = registry_type(b->reg, STR("enterprise"));
	enum err err = store_write(b->store, job_tables, b, p);
	if (err)
		return err;
	struct db *db = store_read_begin(b->store);
	struct list_query lq = { .limit = 1 };
	struct row *rows;
	size_t n;
	int64_t there = 0;
	err = records_list(db, &t->table, NULL, &lq, b->a, &rows, &n, &there, p);
	store_read_end(b->store, db);
	if (err || there)
		return err;
	err = in_jobs(b, job_enterprises, b->enterprises, p);
	return err ? err : in_jobs(b, job_hazards, b->hazards, p);
}

// ---- measuring ---------------------------------------------------------------------------------
static int cmp(const void *pa, const void *pb)
{
	int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;
	return (a > b) - (a < b);
}

// Of this thread: what it takes, whoever else is on the machine.
static int64_t cpu_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static double ms(int64_t us) { return round((double)us / 10) / 100; }

static void report(struct bench *b, const char *name, int64_t n)
{
	qsort(b->us, (size_t)n, sizeof *b->us, cmp);
	jw_kobj(b->w, name);
	jw_kf64(b->w, "p50_ms", ms(b->us[n / 2]));
	jw_kf64(b->w, "p99_ms", ms(b->us[MIN(n * 99 / 100, n - 1)]));
	jw_kf64(b->w, "max_ms", ms(b->us[n - 1]));
	jw_ki64(b->w, "n", n);
	jw_end(b->w);
}

static enum err build(struct bench *b, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	struct db *db = store_read_begin(b->store);
	enum err err = index_build(b->live, db, b->all, clock_now(), a, c, p);
	store_read_end(b->store, db);
	return err;
}

// Everything again in parts, as a server does each hour: how long a part lasts is how long a change waits.
struct parts { struct bench *b; int64_t began, cpu, *cpus; size_t n; };

static void part_over(void *arg)
{
	struct parts *p = arg;
	if (p->n < PARTS_MAX) {
		p->cpus[p->n] = cpu_us() - p->cpu;
		p->b->us[p->n++] = clock_mono() - p->began;
	}
	p->began = clock_mono();
	p->cpu = cpu_us();
}

static enum err measure_parts(struct bench *b, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	struct parts parts = { .b = b, .began = clock_mono(), .cpu = cpu_us(), .cpus = arena_many(a, PARTS_MAX, int64_t) };
	struct index_pause pause = { part_over, &parts, PART_US };
	struct index_live *next = index_live_new();
	struct db *db = store_read_begin(b->store);
	int64_t now = clock_now(), cpu = cpu_us();
	enum err err = index_count_all(next, db, b->all, now, &pause, a, p);
	store_read_end(b->store, db);
	part_over(&parts);
	if (!err)
		index_replace(b->live, next, now, a, c);
	part_over(&parts);
	index_live_free(next);
	if (err)
		return err;
	jw_kf64(b->w, "all_in_parts_cpu_s", round((double)(cpu_us() - cpu) / 1e4) / 100);
	report(b, "parts", (int64_t)parts.n);
	memcpy(b->us, parts.cpus, parts.n * sizeof *parts.cpus);
	report(b, "parts_cpu", (int64_t)parts.n);
	return OK;
}

static enum err job_change(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	struct common c = { .area = str_of(area_of(b, b->from)), .enterprise = b->from + 1, .state = STR("found"), .title = STR("隐患") };
	return insert(b, db, "hazard", &c, "level", "general", p);
}

static enum err job_weather(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	const struct type *t = registry_type(b->reg, STR("weather_notice"));
	struct value *v = arena_many(b->a, t->table.ncols, struct value);
	struct common c = { .area = STR("990121000000"), .title = STR("暴雨"), .version = 1 };
	set(t, v, "level", text("red"));
	set(t, v, "starts", (struct value){ .kind = VAL_INT, .i = clock_now() - US_PER_MIN });
	set(t, v, "ends", (struct value){ .kind = VAL_INT, .i = clock_now() + US_PER_HOUR });
	return records_insert(db, &t->table, &c, v, p);
}

// After the commit: what an event costs until the scores are new.
static enum err update(struct bench *b, int64_t id, const char *type, int64_t *ret_us, size_t *ret_changes, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	struct index_changes c = { 0 };
	struct index_news news = { .enterprises = &id, .n = id ? 1 : 0 };
	int64_t began = clock_mono();
	struct db *db = store_read_begin(b->store);
	news.components = index_concerns(b->live, 0, str_of(type), &news.covers);
	enum err err = index_update(b->live, db, 0, &news, clock_now(), a, &c, p);
	store_read_end(b->store, db);
	*ret_us = clock_mono() - began;
	*ret_changes = c.n;
	return err;
}

static enum err measure_why(struct bench *b, struct problem *p)
{
	struct identity all = identity_system();
	struct db *db = store_read_begin(b->store);
	enum err err = OK;
	for (int i = 0; !err && i < 20; i++) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
		struct index_ask q = { .live = b->live, .db = db, .reg = b->reg, .by = &all, .arena = a, .p = p, .name = STR("safety"), .now = clock_now() };
		struct buf out;
		struct jw w;
		buf_init(&out, 4u << 20);
		jw_init(&w, &out);
		int64_t began = clock_mono();
		err = index_why_json(&q, INDEX_AREA, STR("990121000000"), &w);
		b->us[i] = clock_mono() - began;
		buf_free(&out);
	}
	store_read_end(b->store, db);
	if (!err)
		report(b, "why_county", 20);
	return err;
}

static void measure_mark(struct bench *b)
{
	struct index_mark m;
	uint64_t sum = 0;
	int64_t began = clock_mono(), n = 1000000;
	for (int64_t i = 0; i < n; i++)
		if (index_mark(b->live, 1 + i * 7919 % b->enterprises, &m))
			sum += m.tenths;
	jw_kf64(b->w, "mark_ns", round((double)(clock_mono() - began) * 1000 / (double)n));
	jw_kf64(b->w, "mean_score", round((double)sum / (double)n) / 10);
}

static enum err run(struct bench *b, struct problem *p)
{
	size_t n = 0;
	int64_t began = clock_mono(), cpu = cpu_us();
	enum err err = build(b, p);
	jw_kf64(b->w, "all_anew_s", round((double)(clock_mono() - began) / 1e4) / 100);
	jw_kf64(b->w, "all_anew_cpu_s", round((double)(cpu_us() - cpu) / 1e4) / 100);
	if (!err)
		err = measure_parts(b, p);
	cpu = cpu_us();
	for (int64_t i = 0; !err && i < b->changes; i++) {
		b->from = (int64_t)(next(b) % (uint64_t)b->enterprises);
		err = store_write(b->store, job_change, b, p);
		if (!err)
			err = update(b, b->from + 1, "hazard", &b->us[i], &n, p);
	}
	if (err)
		return err;
	report(b, "one_change", b->changes);
	jw_kf64(b->w, "one_change_cpu_ms", round((double)(cpu_us() - cpu) / (double)b->changes / 10) / 100);
	err = store_write(b->store, job_weather, b, p);
	cpu = cpu_us();
	if (!err)
		err = update(b, 0, "weather_notice", &b->us[0], &n, p);
	if (err)
		return err;
	jw_kf64(b->w, "weather_over_all_ms", ms(b->us[0]));
	jw_kf64(b->w, "weather_over_all_cpu_ms", ms(cpu_us() - cpu));
	jw_ki64(b->w, "weather_changes", (int64_t)n);
	measure_mark(b);
	return measure_why(b, p);
}

static int usage(void)
{
	fprintf(stderr, "usage: anlan bench index --dir DIR [--enterprises N] [--hazards N] [--changes N] [--packs DIR]\n"
	                "  DIR is made, or is its own folder of a run before\n");
	return 2;
}

static int64_t number_of(const char *s)
{
	int64_t v;
	return str_to_i64(str_of(s), &v) && v > 0 && v <= 1000000 ? v : -1;
}

static int bench_in(struct bench *b, const char *dir)
{
	struct problem p;
	problem_init(&p, b->a);
	enum err err = store_open(&b->store, dir, &p);
	if (!err)
		err = make(b, &p);
	if (!err)
		err = run(b, &p);
	if (err)
		fprintf(stderr, "anlan: %.*s\n", STR_FMT(p.en));
	store_close(b->store);
	return err ? 1 : 0;
}

int bench_index(int argc, char **argv)
{
	const char *dir = NULL, *packs = "packs";
	struct bench b = { .a = arena_new(0), .enterprises = 100000, .hazards = 300000, .changes = 500, .random = 88172645463325252u };
	for (int i = 0; i + 1 < argc; i += 2) {
		int64_t *n = strcmp(argv[i], "--enterprises") == 0 ? &b.enterprises : strcmp(argv[i], "--hazards") == 0 ? &b.hazards :
		             strcmp(argv[i], "--changes") == 0 ? &b.changes : NULL;
		if (strcmp(argv[i], "--dir") == 0)
			dir = argv[i + 1];
		else if (strcmp(argv[i], "--packs") == 0)
			packs = argv[i + 1];
		else if (!n || (*n = number_of(argv[i + 1])) < 0)
			return usage();
	}
	struct diags d = { .arena = b.a };
	if (!dir || argc % 2)
		return usage();
	if (!bench_dir(dir))
		return 1;
	if (registry_load(&b.reg, str_of(packs), &d) || !(b.all = indexes_load(b.reg, b.a, &d)) || !b.all->n) {
		fprintf(stderr, "anlan: no risk index in %s\n", packs);
		return 1;
	}
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	b.w = &w;
	b.us = arena_many(b.a, (size_t)MAX(b.changes, (int64_t)PARTS_MAX), int64_t);
	b.live = index_live_new();
	jw_obj(&w);
	jw_kcstr(&w, "bench", "index");
	jw_kcstr(&w, "counted", "from the commit of a change until the scores of its enterprise and all above it are new, in process");
	jw_ki64(&w, "enterprises", b.enterprises);
	jw_ki64(&w, "hazards", b.hazards);
	int status = bench_in(&b, dir);
	jw_end(&w);
	if (status == 0 && jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	index_live_free(b.live);
	registry_free(b.reg);
	arena_free(b.a);
	return status;
}
