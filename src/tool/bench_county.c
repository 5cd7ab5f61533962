// The synthetic county of `anlan bench ingest`; see bench_int.h. Rows go straight into their tables, some thousands in
// a store job: a hundred thousand points take seconds, and what is measured is the server, not this.
#include "tool/bench_int.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/time.h"
#include "model/model.h"

#define ROWS_PER_JOB 10000
#define ENTERPRISE_DEVICES 10         // devices of one enterprise
#define AREA "990121101000"

static const char point_yaml[] =
	"point: bench_level\n"
	"label: {zh: 压测液位, en: Bench level}\n"
	"unit: \"%\"\nmin: -50\nmax: 200\ndecimals: 1\ninterval: 10s\nstale_after: 60s\ndimension: storage\n";

// With --expressions: the kinds of the points that the condition watches and reads.
static const char tank_yaml[] =
	"point: bench_tank\n"
	"label: {zh: 压测储罐液位, en: Bench tank level}\n"
	"unit: \"%\"\nmin: -50\nmax: 200\ndecimals: 1\ninterval: 10s\nstale_after: 60s\ndimension: storage\n";
static const char pressure_yaml[] =
	"point: bench_pressure\n"
	"label: {zh: 压测压力, en: Bench pressure}\n"
	"unit: kPa\nmin: -50\nmax: 200\ndecimals: 1\ninterval: 10s\nstale_after: 60s\ndimension: storage\n";
static const char when_yaml[] =
	"rule: bench_tank\n"
	"label: {zh: 压测组合, en: Bench condition}\n"
	"watch: {kind: bench_tank}\n"
	"when:\n"
	"  with: {p: {kind: bench_pressure, in: device}}\n"
	"  that: mean(value, 10min) > 0.9 * limit(hh) or (rate(value, 5min) > 60 %/min and p > 150 kPa)\n"
	"  for: 5s\n  color: red\n  say: {zh: 高, en: High}\n";

static const char rule_yaml[] =
	"rule: bench_level\n"
	"label: {zh: 压测液位, en: Bench level}\n"
	"watch: {kind: [bench_level, bench_tank, bench_pressure]}\n"
	"levels:\n"
	"  hh: {above: point.hh, clear_by: 2, for: 0s, off: 0s, color: red, open: warning, say: {zh: 高高限, en: High-high}}\n"
	"  h: {above: point.h, clear_by: 2, for: 5s, off: 5s, color: yellow, say: {zh: 高限, en: High}}\n"
	"  l: {below: point.l, clear_by: 2, for: 5s, off: 5s, color: yellow, say: {zh: 低限, en: Low}}\n"
	"  ll: {below: point.ll, clear_by: 2, for: 0s, off: 0s, color: red, open: warning, say: {zh: 低低限, en: Low-low}}\n";

void bench_point_code(size_t index, char ret[32]) { snprintf(ret, 32, "B%05zu-LT%03zu", index / 1000, index % 1000); }

// ---- packs ----

static enum err cannot(struct problem *p, const char *path)
{
	return problem_set(p, ERR_IO, NULL, "写不了 %s：%s", "cannot write %s: %s", path, strerror(errno));
}

static enum err write_text(const char *dir, const char *folder, const char *name, const char *text, struct problem *p)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", dir, folder);
	if (mkdir(path, 0700) && errno != EEXIST)
		return cannot(p, path);
	snprintf(path, sizeof path, "%s/%s/%s.yaml", dir, folder, name);
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;
	ok = f && fclose(f) == 0 && ok;
	return ok ? OK : cannot(p, path);
}

static enum err make_packs(const char *dir, const char *shipped_dir, struct problem *p)
{
	char path[PATH_MAX], from[PATH_MAX];
	snprintf(path, sizeof path, "%s/packs", dir);
	if (mkdir(path, 0700))
		return cannot(p, path);
	const char *shipped = realpath(shipped_dir, from);
	glob_t g = { 0 };
	char pattern[PATH_MAX + 4];
	snprintf(pattern, sizeof pattern, "%s/*/", shipped ? shipped : "");
	bool ok = shipped && glob(pattern, GLOB_ONLYDIR, NULL, &g) == 0;
	for (size_t i = 0; ok && i < g.gl_pathc; i++) {
		struct str name = str_of(g.gl_pathv[i]);
		name = str_skip(str_first(name, name.n - 1), strlen(shipped) + 1);
		snprintf(path, sizeof path, "%s/packs/%.*s", dir, STR_FMT(name));
		ok = symlink(g.gl_pathv[i], path) == 0;
	}
	globfree(&g);
	snprintf(path, sizeof path, "%s/packs/bench", dir);
	if (!ok)
		return problem_set(p, ERR_NOT_FOUND, NULL, "找不到业务包（--packs DIR）", "no packs found; name them with --packs DIR");
	if (mkdir(path, 0700))
		return cannot(p, path);
	const struct { const char *folder, *name, *text; } files[] = {
		{ "points", "bench_level", point_yaml }, { "points", "bench_tank", tank_yaml }, { "points", "bench_pressure", pressure_yaml },
		{ "rules", "bench_level", rule_yaml }, { "rules", "bench_tank", when_yaml },
	};
	enum err err = OK;
	for (size_t i = 0; i < ARRAY_LEN(files) && !err; i++)
		err = write_text(path, files[i].folder, files[i].name, files[i].text, p);
	return err;
}

// ---- rows ----

struct county {
	const struct registry *reg;
	struct arena *arena;          // of a job
	struct value *vals;           // of a row
	const struct type *t;
	size_t npoints, ndevices, from, to;
	size_t nconditions;           // the first ten ninths of them have points of the kinds of the condition
	int64_t first_enterprise, first_device;
	struct load_device *devices;  // keys are put in
	struct arena *keep;
};

static void row_begin(struct county *c, const char *type)
{
	c->t = registry_type(c->reg, str_of(type));
	c->vals = arena_many(c->arena, c->t->table.ncols + 1, struct value);
}

static void row_put(struct county *c, const char *name, struct value v)
{
	const struct field *f = type_field(c->t, str_of(name));
	if (f && f->ncols)
		c->vals[f->col] = v;
}

static void row_text(struct county *c, const char *name, struct str s)
{
	row_put(c, name, (struct value){ .kind = VAL_TEXT, .s = s });
}

static void row_number(struct county *c, const char *name, double v)
{
	const struct field *f = type_field(c->t, str_of(name));
	bool real = f && f->ncols && c->t->table.cols[f->col].kind == COL_REAL;
	row_put(c, name, real ? (struct value){ .kind = VAL_REAL, .f = v } : (struct value){ .kind = VAL_INT, .i = (int64_t)v });
}

static enum err row_insert(struct county *c, struct db *db, struct str title, int64_t enterprise, int64_t *ret, struct problem *p)
{
	int64_t now = clock_now();
	struct common common = { .area = STR(AREA), .title = title, .enterprise = enterprise, .version = 1, .type_version = 1,
		                 .created_at = now, .changed_at = now, .state_at = now };
	enum err err = records_insert(db, &c->t->table, &common, c->vals, p);
	*ret = common.id;
	return err;
}

static enum err migrate_job(struct db *db, void *arg, struct problem *p)
{
	struct county *c = arg;
	return registry_make_tables(db, c->reg, p);
}

static enum err person_job(struct db *db, void *arg, struct problem *p)
{
	struct county *c = arg;
	int64_t id;
	row_begin(c, "person");
	row_text(c, "login", STR(BENCH_LOGIN));
	row_text(c, "name", STR("Bench"));
	row_text(c, "role", STR(",duty,"));
	row_text(c, "lang", STR("en"));
	enum err err = row_insert(c, db, STR("Bench"), 0, &id, p);
	return err ? err : auth_set_password_in(db, c->reg, id, STR(BENCH_PASSWORD), p);
}

static enum err enterprises_job(struct db *db, void *arg, struct problem *p)
{
	struct county *c = arg;
	enum err err = OK;
	for (size_t i = c->from; i < c->to && !err; i++) {
		int64_t id;
		row_begin(c, "enterprise");
		struct str name = arena_printf(c->arena, "Bench plant %zu", i + 1);
		row_text(c, "name", name);
		row_text(c, "uscc", arena_printf(c->arena, "BENCH%013zu", i));
		row_text(c, "sector", STR("chemical"));
		err = row_insert(c, db, name, ENTERPRISE_SELF, &id, p);
		if (i == 0)
			c->first_enterprise = id;
	}
	return err;
}

static enum err devices_job(struct db *db, void *arg, struct problem *p)
{
	struct county *c = arg;
	struct identity system = identity_system();
	enum err err = OK;
	for (size_t i = c->from; i < c->to && !err; i++) {
		int64_t enterprise = c->first_enterprise + (int64_t)(i / ENTERPRISE_DEVICES), id;
		char key[33];
		row_begin(c, "device");
		c->devices[i].code = arena_printf(c->keep, "bench-%05zu", i);
		row_text(c, "code", c->devices[i].code);
		row_text(c, "name", c->devices[i].code);
		row_number(c, "enterprise", (double)enterprise);
		row_text(c, "protocol", STR("mqtt"));
		row_text(c, "service", STR("active"));
		err = row_insert(c, db, c->devices[i].code, enterprise, &id, p);
		if (!err)
			err = device_new_key(db, &system, id, key, p);
		if (i == 0)
			c->first_device = id;
		c->devices[i].key = err ? STR_EMPTY : arena_str(c->keep, str_of(key));
	}
	return err;
}

static struct str kind_of(const struct county *c, size_t point)
{
	if (point >= c->nconditions * 10 / 9)
		return STR("bench_level");
	return point % 10 == 9 ? STR("bench_pressure") : STR("bench_tank");
}

static enum err points_job(struct db *db, void *arg, struct problem *p)
{
	static const struct { const char *name; double v; } numbers[] = {
		{ "ll", -20 }, { "l", -10 }, { "h", 110 }, { "hh", 120 }, { "range_min", -50 }, { "range_max", 200 }, { "interval_s", 10 }, { "scale", 1 },
	};
	struct county *c = arg;
	enum err err = OK;
	for (size_t i = c->from; i < c->to && !err; i++) {
		size_t device = i * c->ndevices / c->npoints;
		int64_t enterprise = c->first_enterprise + (int64_t)(device / ENTERPRISE_DEVICES), id;
		char code[32];
		bench_point_code(i, code);
		row_begin(c, "point");
		row_text(c, "code", arena_str(c->arena, str_of(code)));
		row_text(c, "name", arena_printf(c->arena, "Tank %zu level", i));
		row_number(c, "device", (double)(c->first_device + (int64_t)device));
		row_number(c, "enterprise", (double)enterprise);
		row_text(c, "kind", kind_of(c, i));
		row_text(c, "unit", str_eq(kind_of(c, i), STR("bench_pressure")) ? STR("kPa") : STR("%"));
		row_text(c, "service", STR("in_service"));
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
			row_number(c, numbers[k].name, numbers[k].v);
		err = row_insert(c, db, str_of(code), enterprise, &id, p);
		if (i % 256 == 255)
			arena_reset(c->arena);
	}
	return err;
}

static enum err in_jobs(struct store *s, struct county *c, store_job *job, size_t n, struct problem *p)
{
	enum err err = OK;
	for (c->from = 0; c->from < n && !err; c->from = c->to) {
		c->to = MIN(n, c->from + ROWS_PER_JOB);
		err = store_write(s, job, c, p);
		arena_reset(c->arena);
	}
	return err;
}

static enum err fill(struct store *s, struct county *c, struct problem *p)
{
	enum err err = store_write(s, migrate_job, c, p);
	if (!err)
		err = store_write(s, person_job, c, p);
	if (!err)
		err = in_jobs(s, c, enterprises_job, (c->ndevices + ENTERPRISE_DEVICES - 1) / ENTERPRISE_DEVICES, p);
	if (!err)
		err = in_jobs(s, c, devices_job, c->ndevices, p);
	return err ? err : in_jobs(s, c, points_job, c->npoints, p);
}

static void name_points(struct county *c)
{
	for (size_t i = 0; i < c->npoints; i++)
		c->devices[i * c->ndevices / c->npoints].npoints++;
	for (size_t i = 0, at = 0; i < c->ndevices; at += c->devices[i++].npoints) {
		c->devices[i].points = arena_many(c->keep, c->devices[i].npoints, struct str);
		for (size_t k = 0; k < c->devices[i].npoints; k++) {
			char code[32];
			bench_point_code(at + k, code);
			c->devices[i].points[k] = arena_str(c->keep, str_of(code));
		}
	}
}

enum err bench_county(const char *dir, const char *packs, size_t points, size_t devices, size_t conditions, struct arena *a,
                      struct load_device **ret, struct problem *p)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1u << 20);
	char path[PATH_MAX];
	struct registry *reg;
	struct diags d = { .arena = a };
	enum err err = make_packs(dir, packs, p);
	if (err)
		return err;
	snprintf(path, sizeof path, "%s/packs", dir);
	if (registry_load(&reg, str_of(path), &d))
		return problem_set(p, ERR_INVALID, NULL, "业务包有错误：%.*s", "the packs have mistakes: %.*s",
		                   d.n ? (int)d.v[0].text.n : 0, d.n ? d.v[0].text.p : "");
	snprintf(path, sizeof path, "%s/data", dir);
	struct store *s = NULL;
	struct county c = { .reg = reg, .arena = scratch, .keep = a, .npoints = points, .ndevices = devices, .nconditions = conditions };
	*ret = c.devices = arena_many(a, devices, struct load_device);
	err = mkdir(path, 0700) ? cannot(p, path) : store_open(&s, path, p);
	if (!err)
		err = fill(s, &c, p);
	if (!err)
		name_points(&c);
	store_close(s);
	registry_free(reg);
	return err;
}
