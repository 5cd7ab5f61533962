// The history of readings in an archive: one CSV a month (UTC), and back into a new history. The running server's history
// is not touched: its files are copied as for a backup and opened beside it.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/archive.h"
#include "exchange/bundle.h"
#include "model/model.h"
#include "series/series.h"
#include "store/blocks.h"
#include "store/dump.h"

#define PATH_TEXT 4352
#define SAMPLES_MAX 20000000u // of one point in one month
#define OTHER "readings/other.csv" // what lies outside the months that have files: late or early clocks

struct point_name {
	uint32_t id;
	struct str code;
};

struct export {
	struct bundle *b;
	struct series *s;
	struct arena *arena;
	struct point_name *points;
	size_t npoints, cap;
	const struct field *code;
	int64_t n;
	struct problem *p;
};

// ---- a copy to read from -----------------------------------------------------------------------

static enum err copy_plain(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = in ? fopen(to, "we") : NULL;
	char *bytes = mem_alloc(1u << 20);
	bool ok = in && out;
	for (size_t n = 1; ok && n;) {
		n = fread(bytes, 1, 1u << 20, in);
		ok = fwrite(bytes, 1, n, out) == n && !ferror(in);
	}
	mem_free(bytes);
	if (out && fclose(out))
		ok = false;
	enum err err = !in ? ERR_NOT_FOUND : ok ? OK : ERR_IO;
	if (in)
		fclose(in);
	return err;
}

static enum err copy_one(void *arg, const char *name, const char *path, bool db)
{
	char to[PATH_TEXT];
	snprintf(to, sizeof to, "%s/%s", (const char *)arg, name);
	if (bundle_make_dirs(to))
		return ERR_IO;
	return db ? dump_copy_file(path, to) : copy_plain(path, to);
}

static enum err open_history(struct series **ret, const char *dir, struct problem *p)
{
	struct series_config cfg = { .dir = dir, .group_us = 2000, .log_limit = 256u << 20, .chunk_points = 240 };
	struct series_hooks none = { 0 };
	if (mkdir(dir, 0700) && access(dir, F_OK))
		return problem_set(p, ERR_IO, "", "写不了 %s", "cannot write %s", dir);
	return series_open(ret, &cfg, &none, p);
}

enum err readings_open_copy(struct series **ret, const char *data_dir, const char *copy, struct problem *p)
{
	char from[PATH_TEXT];
	snprintf(from, sizeof from, "%s/series", data_dir);
	if (series_files(from, copy_one, (void *)(uintptr_t)copy))
		return problem_set(p, ERR_IO, "", "复制不了监测数据", "the readings cannot be copied");
	return open_history(ret, copy, p);
}

// ---- out ---------------------------------------------------------------------------------------

static enum err take_point(void *arg, const struct row *row)
{
	struct export *x = arg;
	if (row->c.id > LIMIT_POINTS)
		return OK;
	x->points = arena_push(x->arena, x->points, &x->npoints, &x->cap, sizeof *x->points);
	struct str code = x->code && row->vals[x->code->col].kind == VAL_TEXT ? row->vals[x->code->col].s : row->c.title;
	x->points[x->npoints - 1] = (struct point_name){ (uint32_t)row->c.id, arena_str(x->arena, code) };
	return OK;
}

static enum err find_points(struct export *x, struct db *db, const struct registry *reg)
{
	const struct type *t = registry_type(reg, STR("point"));
	if (!t)
		return OK;
	x->code = type_field(t, STR("code"));
	if (x->code && x->code->ncols != 1)
		x->code = NULL;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	struct list_query all = { .with_retired = true };
	return records_each(db, &t->table, &all, scratch, take_point, x);
}

static enum err write_point(struct export *x, const struct point_name *pt, int64_t from, int64_t to, struct arena *a)
{
	struct sample *v;
	size_t n;
	char text[TIME_TEXT_MAX], number[F64_TEXT_MAX];
	enum err err = series_read(x->s, pt->id, from, to, SAMPLES_MAX, a, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		struct str t = str_from(text, time_text_zone(v[i].time, 0, text)), value = str_from(number, f64_text(v[i].value, number));
		err = bundle_add(x->b, arena_printf(a, "%u,\"%.*s\",%.*s,%.*s,%u\n", pt->id, STR_FMT(pt->code), STR_FMT(t), STR_FMT(value), v[i].quality));
		x->n++;
	}
	return err;
}

static enum err write_window(struct export *x, const char *name, const int64_t (*ranges)[2], size_t nranges)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	enum err err = bundle_member(x->b, name, x->p);
	if (!err)
		err = bundle_add(x->b, STR("\xef\xbb\xbfpoint,code,time,value,quality\n"));
	for (size_t i = 0; !err && i < x->npoints; i++)
		for (size_t k = 0; !err && k < nranges; k++) {
			arena_reset(a);
			err = write_point(x, &x->points[i], ranges[k][0], ranges[k][1], a);
		}
	if (!err)
		return bundle_member_end(x->b, x->p);
	return problem_set(x->p, err, "", "监测数据 %s 读不出来", "the readings of %s cannot be read", name);
}

// Months that have a block file, from the names; and this one and the one before, of which all may still be in memory.
static void find_months(const char *dir, int32_t *first, int32_t *last)
{
	*last = blocks_month(clock_now());
	*first = *last - 1;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		int year = 0, month = 0, n = 0;
		if (sscanf(e->d_name, "%4d-%2d.db%n", &year, &month, &n) != 2 || n != 10 || e->d_name[n])
			continue;
		*first = MIN(*first, year * 12 + month - 1);
		*last = MAX(*last, year * 12 + month - 1);
	}
	if (d)
		closedir(d);
}

static enum err write_history(struct export *x, const char *copy)
{
	int32_t first, last;
	char name[64];
	enum err err = OK;
	find_months(copy, &first, &last);
	for (int32_t m = first; !err && m <= last; m++) {
		const int64_t range[1][2] = { { blocks_month_start(m), blocks_month_start(m + 1) } };
		snprintf(name, sizeof name, "readings/%04d-%02d.csv", m / 12, m % 12 + 1);
		err = write_window(x, name, range, 1);
	}
	const int64_t outside[2][2] = { { 0, blocks_month_start(first) }, { blocks_month_start(last + 1), INT64_MAX / 2 } };
	if (!err)
		err = write_window(x, OTHER, outside, 2);
	series_close(x->s);
	return err;
}

enum err readings_write(struct bundle *b, const char *data_dir, struct db *db, const struct registry *reg, int64_t *ret_n,
                        struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct export x = { .b = b, .arena = a, .p = p };
	const char *copy = bundle_path(b, ".series/x");
	*ret_n = 0;
	if (!copy)
		return problem_set(p, ERR_IO, "", "复制不了监测数据", "the readings cannot be copied");
	copy = arena_cstr(a, str_first(str_of(copy), strlen(copy) - 2));
	enum err err = find_points(&x, db, reg);
	if (!err)
		err = readings_open_copy(&x.s, data_dir, copy, p);
	if (!err)
		err = write_history(&x, copy);
	bundle_remove_tree(copy);
	*ret_n = x.n;
	return err;
}

// ---- in ----------------------------------------------------------------------------------------

struct intake {
	struct series *s;
	int64_t n;
	char *line;
	size_t cap;
	struct problem *p;
};

static bool parse_line(struct str line, struct reading *ret)
{
	uint64_t point, quality;
	struct str id = str_cut(&line, ',');
	if (!str_to_u64(id, &point) || point == 0 || point > LIMIT_POINTS || line.n == 0 || line.p[0] != '"')
		return false;
	const char *end = memrchr(line.p + 1, '"', line.n - 1);
	if (!end || end + 1 >= line.p + line.n)
		return false;
	line = str_skip(line, (size_t)(end - line.p) + 2);
	struct str time = str_cut(&line, ','), value = str_cut(&line, ',');
	*ret = (struct reading){ .point = (uint32_t)point };
	bool ok = time_parse(time, &ret->time) && str_to_f64(value, &ret->value) && str_to_u64(line, &quality) && quality < 16;
	ret->quality = ok ? (uint16_t)quality : 0;
	return ok;
}

static void breathe(struct series *s)
{
	series_flush(s, false);
	series_turn(s, clock_now());
	while (!series_may_add(s) && series_health(s) == OK) {
		usleep(500);
		series_turn(s, clock_now());
	}
}

static enum err take_file(struct intake *in, const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	enum err err = f ? OK : ERR_IO;
	bool head = true;
	for (ssize_t n; !err && (n = getline(&in->line, &in->cap, f)) > 0; head = false) {
		struct reading r;
		struct str line = str_trim(str_from(in->line, (size_t)n));
		if (head || line.n == 0)
			continue;
		if (!parse_line(line, &r))
			err = problem_set(in->p, ERR_CORRUPT, name, "readings/%s 有一行读不懂", "a line of readings/%s cannot be read", name);
		else
			(void)series_add(in->s, &r, r.time);
		if (++in->n % 4096 == 0)
			breathe(in->s);
		if (!err && in->n % 4096 == 0)
			err = series_health(in->s);
	}
	if (f)
		fclose(f);
	return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_csv(const struct dirent *e)
{
	return str_ends(str_of(e->d_name), STR(".csv"));
}

enum err readings_restore(const char *dir, const char *data_dir, int64_t *ret_n, struct problem *p)
{
	struct intake in = { .p = p };
	struct dirent **v = NULL;
	char path[PATH_TEXT];
	*ret_n = 0;
	int n = scandir(dir, &v, is_csv, by_name);
	if (n <= 0) {
		mem_free(v);
		return OK;
	}
	snprintf(path, sizeof path, "%s/series", data_dir);
	enum err err = open_history(&in.s, path, p);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, v[i]->d_name);
		err = err ? err : take_file(&in, path, v[i]->d_name);
		mem_free(v[i]);
	}
	mem_free(v);
	if (in.s)
		series_close(in.s);
	mem_free(in.line);
	*ret_n = in.n;
	return err;
}
