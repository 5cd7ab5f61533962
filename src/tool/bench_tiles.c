// anlan bench tiles: vector tiles of many enterprises, in process: what a request for a tile costs without HTTP. A reader walks
// over the county (seeded): each step moves or changes the depth, and takes the tiles of a screen of 1920 x 1080; those without
// anything in them are not counted. The walk is gone three times: without kept tiles, with them, and with one enterprise changed
// before each screen. Enterprises are invented and kept in --dir, which a server can serve afterwards (bench/map.mjs does).
// Prints one JSON object.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "map/cache.h"
#include "map/feed.h"
#include "tool/bench.h"

#define ROWS_A_JOB 5000
#define WEST 118.9      // the county: 80 x 80 km
#define SOUTH 32.9
#define WIDE 0.85
#define HIGH 0.72
#define TOWNS 20        // half of the enterprises are in their towns

static const char *const sectors[] = { "chemical", "ammonia", "dust", "tailings", "metal", "fire", "general" };
static const char *const risks[] = { "red", "orange", "yellow", "yellow", "blue", "blue", "blue", "blue" };

struct bench {
	struct store *store;
	struct registry *reg;
	const struct type *t;
	struct arena *a;
	struct jw *w;
	struct map_source source;
	struct map_layer *layer;
	struct map_cache *cache;
	int64_t rows, from, to;
	int views;
	uint64_t random;
	int64_t *us, *cpu;      // of each tile of a walk: the clock, and this thread's share of it
	size_t n, cap, ncpu, cpu_cap, bytes, most;
};

static uint64_t next(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random >> 11;
}

static double unit(struct bench *b) // 0 to 1
{
	return (double)(next(b) % 1000000) / 1e6;
}

// ---- the enterprises -----------------------------------------------------------------------------
static void set(const struct table *t, struct value *vals, const char *name, struct value v)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (str_is(t->cols[i].name, name))
			vals[i] = v;
}

static struct value text(struct str s) { return (struct value){ .kind = VAL_TEXT, .s = s }; }

static void anywhere(struct bench *b, double *lon, double *lat)
{
	uint64_t town = next(b) % (2 * TOWNS);
	*lon = WEST + unit(b) * WIDE;
	*lat = SOUTH + unit(b) * HIGH;
	if (town >= TOWNS)
		return;
	double r = 0.03 * unit(b) * unit(b), turn = 2 * M_PI * unit(b); // 3 km at most, denser in the middle
	*lon = WEST + WIDE * (0.1 + 0.8 * (double)(town % 5) / 4) + r * cos(turn);
	*lat = SOUTH + HIGH * (0.1 + 0.8 * (double)(town / 5) / 3) + r * sin(turn);
}

static enum err job_tables(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	return registry_make_tables(db, b->reg, p);
}

static enum err job_rows(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	const struct table *t = &b->t->table;
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	int64_t now = clock_now();
	enum err err = OK;
	for (int64_t id = b->from; !err && id <= b->to; id++) {
		struct str name = arena_printf(a, "虚构企业%lld（演示数据）", (long long)id), sector = str_of(sectors[next(b) % ARRAY_LEN(sectors)]);
		struct str area = arena_printf(a, "990121%03d000", 101 + (int)(next(b) % TOWNS));
		struct value *vals = arena_many(a, t->ncols, struct value);
		double lon, lat;
		anywhere(b, &lon, &lat);
		set(t, vals, "name", text(name));
		set(t, vals, "risk", text(str_of(risks[next(b) % ARRAY_LEN(risks)])));
		set(t, vals, "demo", (struct value){ .kind = VAL_INT, .i = 1 });
		set(t, vals, "position_lon", (struct value){ .kind = VAL_REAL, .f = lon });
		set(t, vals, "position_lat", (struct value){ .kind = VAL_REAL, .f = lat });
		struct common c = { .id = id, .number = arena_printf(a, "QY-%06lld", (long long)id), .state = STR_EMPTY, .area = area, .title = name,
			                .enterprise = id, .version = 1, .created_at = now, .changed_at = now, .sector = sector, .prev_state = STR_EMPTY };
		err = records_insert(db, t, &c, vals, p);
	}
	return err;
}

static int64_t last_row(struct bench *b)
{
	struct problem p;
	struct row *rows;
	size_t n = 0;
	problem_init(&p, b->a);
	if (store_write(b->store, job_tables, b, &p))
		return 0;
	struct db *db = store_read_begin(b->store);
	if (records_list(db, &b->t->table, NULL, &(struct list_query){ .limit = 1, .with_retired = true }, b->a, &rows, &n, NULL, &p))
		n = 0;
	store_read_end(b->store, db);
	return n ? rows[0].c.id : 0;
}

static enum err make_rows(struct bench *b, struct problem *p)
{
	enum err err = OK;
	for (int64_t have = last_row(b); !err && have < b->rows; have = b->to) {
		b->from = have + 1;
		b->to = MIN(have + ROWS_A_JOB, b->rows);
		err = store_write(b->store, job_rows, b, p);
	}
	return err;
}

// ---- a walk --------------------------------------------------------------------------------------
static int cmp_i64(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, c = *(const int64_t *)y;
	return (a > c) - (a < c);
}

static double ms(int64_t us)
{
	return round((double)us / 10) / 100;
}

static void report(struct bench *b, const char *name)
{
	qsort(b->us, b->n, sizeof *b->us, cmp_i64);
	jw_kobj(b->w, name);
	jw_ki64(b->w, "tiles", (int64_t)b->n);
	jw_kf64(b->w, "p50_ms", ms(b->us[b->n / 2]));
	jw_kf64(b->w, "p99_ms", ms(b->us[MIN(b->n * 99 / 100, b->n - 1)]));
	jw_kf64(b->w, "max_ms", ms(b->us[b->n - 1]));
	qsort(b->cpu, b->ncpu, sizeof *b->cpu, cmp_i64);
	jw_kf64(b->w, "cpu_p50_ms", ms(b->cpu[b->ncpu / 2]));
	jw_kf64(b->w, "cpu_p99_ms", ms(b->cpu[MIN(b->ncpu * 99 / 100, b->ncpu - 1)]));
	jw_ki64(b->w, "mean_bytes", (int64_t)(b->bytes / b->n));
	jw_ki64(b->w, "most_bytes", (int64_t)b->most);
	jw_end(b->w);
	fprintf(stderr, "%-14s %6zu tiles  p50 %7.2f  p99 %7.2f  max %7.2f  cpu p99 %7.2f ms\n", name, b->n, ms(b->us[b->n / 2]),
	        ms(b->us[MIN(b->n * 99 / 100, b->n - 1)]), ms(b->us[b->n - 1]), ms(b->cpu[MIN(b->ncpu * 99 / 100, b->ncpu - 1)]));
}

static void took(struct bench *b, int64_t us, int64_t cpu)
{
	b->us = arena_push(b->a, b->us, &b->n, &b->cap, sizeof *b->us);
	b->us[b->n - 1] = us;
	b->cpu = arena_push(b->a, b->cpu, &b->ncpu, &b->cpu_cap, sizeof *b->cpu);
	b->cpu[b->ncpu - 1] = cpu;
}

static int64_t cpu_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

// As api/tiles.c answers it.
static void one_tile(struct bench *b, const struct scope *scope, const struct map_ask *ask, struct tile t, bool keep)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1024);
	struct map_sum sum;
	struct buf out;
	int64_t began = clock_mono(), cpu = cpu_us();
	buf_init(&out, LIMIT_TILE_BYTES);
	struct str key = arena_printf(a, "%u|%u|%u|%.*s", t.z, t.x, t.y, STR_FMT(scope->area));
	uint32_t stamp = map_stamp(b->layer, t);
	if (!keep || !map_cache_get(b->cache, key, stamp, &out)) {
		if (map_tile(b->layer, scope, ask, t, &out, &sum) || !map_gzip(&out))
			fprintf(stderr, "a tile failed\n");
		map_cache_put(b->cache, key, stamp, buf_str(&out));
	}
	int64_t us = clock_mono() - began;
	cpu = cpu_us() - cpu;
	if (!out.n) {
		buf_free(&out);
		return;
	}
	b->bytes += out.n;
	b->most = MAX(b->most, out.n);
	buf_free(&out);
	took(b, us, cpu);
}

static void change_one(struct bench *b)
{
	map_begin(b->layer, false);
	(void)map_tint(b->layer, 1 + (int64_t)(next(b) % (uint64_t)b->rows), MAP_BY_STATE, (enum map_color)(next(b) % MAP_COLORS));
	map_end(b->layer);
}

static void walk(struct bench *b, const char *name, const struct scope *scope, bool keep, bool change)
{
	const struct map_ask ask = { .by = MAP_BY_RISK, .titles = true };
	uint64_t others = 99;
	double lon = WEST + WIDE / 2, lat = SOUTH + HIGH / 2;
	unsigned z = 9;
	b->random = 20261130;
	b->n = b->ncpu = b->bytes = b->most = 0;
	for (int i = 0; i < b->views; i++) {
		struct spot s;
		z = (unsigned)MIN(MAX((int)z + (int)(next(b) % 3) - 1, 6), 15);
		double screen = 360.0 * 4 / (double)(1u << z); // degrees it is wide
		lon = fmin(fmax(lon + (unit(b) - 0.5) * screen, WEST), WEST + WIDE);
		lat = fmin(fmax(lat + (unit(b) - 0.5) * screen / 2, SOUTH), SOUTH + HIGH);
		if (change) {
			uint64_t kept = b->random; // the walk stays the same
			b->random = others;
			change_one(b);
			others = b->random;
			b->random = kept;
		}
		if (!spot_of(lon, lat, &s))
			return;
		struct tile middle = { z, s.x >> (32 - z), s.y >> (32 - z) };
		for (int y = -1; y <= 1; y++)
			for (int x = -2; x <= 2; x++) {
				struct tile t = { z, middle.x + (uint32_t)x, middle.y + (uint32_t)y };
				if (tile_ok(t))
					one_tile(b, scope, &ask, t, keep);
			}
	}
	report(b, name);
}

static void changes(struct bench *b)
{
	b->n = b->ncpu = b->bytes = b->most = 0;
	for (int i = 0; i < 1000; i++) {
		struct map_object o;
		int64_t began = clock_mono(), cpu = cpu_us();
		map_begin(b->layer, false);
		if (map_known(b->layer, 1 + (int64_t)(next(b) % (uint64_t)b->rows), &o)) {
			char title[200]; // as a record is read: its texts are not the layer's
			size_t n = MIN(o.title.n, sizeof title);
			memcpy(title, o.title.p, n);
			o.title = str_from(title, n);
			anywhere(b, &o.lon, &o.lat);
			map_put(b->layer, &o);
		}
		map_end(b->layer);
		took(b, clock_mono() - began, cpu_us() - cpu);
	}
	report(b, "move_one");
}

static enum err run(struct bench *b)
{
	const struct scope all = { 0 }, town = { .area = STR("990121103") };
	int64_t began = clock_mono();
	double load = 0;
	struct db *db = store_read_begin(b->store);
	enum err err = map_load(b->layer, &b->source, &(struct map_levels){ 0 }, db);
	store_read_end(b->store, db);
	if (err || getloadavg(&load, 1) != 1)
		return err;
	jw_kf64(b->w, "fill_ms", ms(clock_mono() - began));
	jw_ki64(b->w, "objects", (int64_t)map_count(b->layer));
	jw_ki64(b->w, "bytes", (int64_t)map_bytes(b->layer));
	jw_kf64(b->w, "load_average", load);
	walk(b, "cold", &all, false, false);
	walk(b, "warm", &all, true, false);
	walk(b, "after_change", &all, true, true);
	walk(b, "cold_town", &town, false, false);
	changes(b);
	return OK;
}

static int usage(void)
{
	fprintf(stderr, "usage: anlan bench tiles --dir DIR [--rows N] [--views V] [--packs DIR]\n"
	                "  DIR is made, or is its own folder of a run before\n");
	return 2;
}

static int bench_in(struct bench *b, const char *dir)
{
	struct problem p;
	problem_init(&p, b->a);
	b->layer = map_layer_new(STR("enterprise"));
	b->cache = map_cache_new(LIMIT_MAP_CACHE);
	enum err err = store_open(&b->store, dir, &p);
	if (!err)
		err = make_rows(b, &p);
	if (!err)
		err = run(b);
	if (err)
		fprintf(stderr, "anlan: %s %.*s\n", err_name(err), STR_FMT(p.en));
	store_close(b->store);
	map_layer_free(b->layer);
	map_cache_free(b->cache);
	return err ? 1 : 0;
}

static bool number(const char *s, int64_t max, int64_t *ret)
{
	return str_to_i64(str_of(s), ret) && *ret > 0 && *ret <= max;
}

int bench_tiles(int argc, char **argv)
{
	const char *dir = NULL, *packs = "packs";
	struct bench b = { .a = arena_new(0), .rows = 100000, .random = 7 };
	int64_t views = 400;
	for (int i = 0; i + 1 < argc; i += 2) {
		bool ok = true;
		if (strcmp(argv[i], "--dir") == 0)
			dir = argv[i + 1];
		else if (strcmp(argv[i], "--packs") == 0)
			packs = argv[i + 1];
		else if (strcmp(argv[i], "--rows") == 0)
			ok = number(argv[i + 1], 1000000, &b.rows);
		else
			ok = strcmp(argv[i], "--views") == 0 && number(argv[i + 1], 100000, &views);
		if (!ok)
			return usage();
	}
	struct diags d = { .arena = b.a };
	b.views = (int)views;
	if (!dir || argc % 2)
		return usage();
	if (!bench_dir(dir))
		return 1;
	if (registry_load(&b.reg, str_of(packs), &d) || !(b.t = registry_type(b.reg, STR("enterprise"))) || !map_source_of(b.t, &b.source)) {
		fprintf(stderr, "anlan: no type \"enterprise\" with a place in %s\n", packs);
		return 1;
	}
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	b.w = &w;
	jw_obj(&w);
	jw_kcstr(&w, "bench", "tiles");
	jw_ki64(&w, "rows", b.rows);
	jw_ki64(&w, "screens", views);
	int status = bench_in(&b, dir);
	jw_end(&w);
	if (status == 0 && jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	registry_free(b.reg);
	arena_free(b.a);
	return status;
}
