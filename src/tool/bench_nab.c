// The Numenta Anomaly Benchmark's score (A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms", ICMLA
// 2015; standard profile): the earliest detection in a labelled window earns up to 1, by how early it is; a window without
// one costs 1; each detection elsewhere costs up to 0.11, by how far behind the last window it is. One threshold for all
// files, the best one. 0 is a detector that says nothing, 100 one that says everything at once and nothing else.
#include "tool/bench_detect.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/arena.h"
#include "detect/order.h"
#include "detect/stream.h"
#include "tool/detect_io.h"

#define FALSE_ALARM 0.11 // standard profile
#define MISSED 1.0
#define PROBATION 0.15   // of a file, of at most PROBATION_ROWS
#define PROBATION_ROWS 5000
#define TIME_BYTES 19    // "2014-07-10 12:29:00"
#define FAR_BEHIND 3.0   // window lengths behind a window: a false alarm costs all of it

struct detection {
	double score;    // of the detector
	double worth;    // in a window: what it earns; elsewhere: what it costs, negative
	size_t window;   // SIZE_MAX: none
};

struct nab_file {
	struct str name;
	size_t windows, n;
	struct detection *d; // rows behind probation, in their order
};

// ---- files -------------------------------------------------------------------------------------

bool bench_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool bench_refuse(const struct problem *p, const char *path)
{
	struct str why = p->err ? p->en : STR("cannot be used");
	fprintf(stderr, "anlan bench detect: %s: %.*s\n", path, STR_FMT(why));
	return false;
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct found {
	struct arena *a;
	const char *suffix;
	struct str *name;
	size_t n, cap;
};

static void find_files(struct found *f, const char *dir, struct str below, int depth)
{
	DIR *d = depth < 4 ? opendir(dir) : NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		struct str relative = arena_printf(f->a, "%.*s%s", STR_FMT(below), e->d_name);
		const char *path = arena_cstr(f->a, arena_printf(f->a, "%s/%s", dir, e->d_name));
		if (bench_is_dir(path)) {
			find_files(f, path, arena_printf(f->a, "%.*s/", STR_FMT(relative)), depth + 1);
		} else if (str_ends(relative, str_of(f->suffix))) {
			f->name = arena_push(f->a, f->name, &f->n, &f->cap, sizeof *f->name);
			f->name[f->n - 1] = relative;
		}
	}
	if (d)
		closedir(d);
}

struct str *bench_files(struct arena *a, const char *dir, const char *suffix, size_t *ret_n)
{
	struct found f = { .a = a, .suffix = suffix };
	find_files(&f, dir, STR_EMPTY, 0);
	if (f.n)
		qsort(f.name, f.n, sizeof *f.name, by_text);
	*ret_n = f.n;
	return f.name;
}

// ---- worth of a detection ----------------------------------------------------------------------

static double sigmoid(double position)
{
	return position > FAR_BEHIND ? -1 : 2 / (1 + exp(5 * position)) - 1;
}

struct window {
	size_t first, last; // rows
};

static size_t row_at(const struct recording *r, const char *time, bool last)
{
	struct str t = str_first(str_of(time), TIME_BYTES);
	size_t i = 0;
	while (i < r->rows && str_cmp(str_first(r->times[i], TIME_BYTES), t) < (last ? 1 : 0))
		i++;
	return last ? i - (i > 0) : i;
}

static void worth(const struct window *w, size_t windows, size_t row, struct detection *d)
{
	const struct window *before = NULL;
	d->window = SIZE_MAX;
	for (size_t k = 0; k < windows; k++) {
		if (row >= w[k].first && row <= w[k].last) {
			double width = (double)(w[k].last - w[k].first + 1);
			d->window = k;
			d->worth = sigmoid(-(double)(w[k].last - row + 1) / width) / sigmoid(-1);
			return;
		}
		if (w[k].last < row)
			before = &w[k];
	}
	d->worth = before ? FALSE_ALARM * sigmoid((double)(row - before->last) / fmax((double)(before->last - before->first), 1)) : -FALSE_ALARM;
}

static bool judge_file(struct arena *a, struct nab_file *f, const char *path, const json_t *list, struct problem *p)
{
	struct recording r;
	if (recording_load(&r, a, path, true, 0, p))
		return false;
	struct window *w = arena_many(a, json_array_size(list), struct window);
	f->windows = json_array_size(list);
	for (size_t k = 0; k < f->windows; k++) {
		const char *from = json_string_value(json_array_get(json_array_get(list, k), 0));
		const char *to = json_string_value(json_array_get(json_array_get(list, k), 1));
		w[k] = (struct window){ row_at(&r, from ? from : "", false), row_at(&r, to ? to : "", true) };
	}
	size_t probation = (size_t)(PROBATION * (double)MIN(r.rows, (size_t)PROBATION_ROWS));
	f->d = arena_many(a, r.rows, struct detection);
	struct stream_score s;
	struct stream *stream = stream_new(STREAM_LEARN_DEFAULT);
	for (size_t i = 0; i < r.rows; i++) {
		stream_feed(stream, r.values[i], &s);
		if (i < probation)
			continue;
		f->d[f->n].score = s.score;
		worth(w, f->windows, i, &f->d[f->n++]);
	}
	stream_free(stream);
	return true;
}

// ---- score -------------------------------------------------------------------------------------

struct result {
	double raw;
	size_t found, false_alarms;
};

static struct result score_file(const struct nab_file *f, double threshold)
{
	struct result ret = { 0 };
	size_t window = SIZE_MAX;
	double best = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct detection *d = &f->d[i];
		if (d->score < threshold)
			continue;
		if (d->window == SIZE_MAX) {
			ret.raw += d->worth;
			ret.false_alarms++;
		} else if (d->window != window) {
			window = d->window; // the first in it is the earliest and earns most
			best = d->worth;
			ret.raw += best;
			ret.found++;
		}
	}
	ret.raw -= MISSED * (double)(f->windows - ret.found);
	return ret;
}

static double normal(double raw, size_t windows) // against saying nothing and the perfect detector
{
	return windows ? 100 * (raw + MISSED * (double)windows) / ((1 + MISSED) * (double)windows) : 0;
}

static double total(const struct nab_file *f, size_t n, double threshold)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += score_file(&f[i], threshold).raw;
	return sum;
}

static double best_threshold(struct arena *a, const struct nab_file *f, size_t n)
{
	size_t count = 0, tried = 0;
	for (size_t i = 0; i < n; i++)
		count += f[i].n;
	double *all = arena_many(a, count + 1, double), best = 1.1, most = total(f, n, 1.1); // nothing is said
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < f[i].n; k++)
			if (f[i].d[k].score > 0.2)
				all[tried++] = f[i].d[k].score;
	order_sort(all, tried);
	for (size_t at = tried, step = 1; at > 0 && at <= tried; at -= step) { // the rare ones singly, then ever coarser
		double raw = total(f, n, all[at - 1]);
		if (raw > most) {
			most = raw;
			best = all[at - 1];
		}
		step = MAX((size_t)1, (tried - at) / 200);
		if (step > at)
			break;
	}
	return best;
}

static void print_result(struct jw *w, const struct nab_file *f, size_t n, double threshold, const char *name)
{
	struct result sum = { 0 };
	size_t windows = 0;
	for (size_t i = 0; i < n; i++) {
		struct result r = score_file(&f[i], threshold);
		sum.raw += r.raw;
		sum.found += r.found;
		sum.false_alarms += r.false_alarms;
		windows += f[i].windows;
	}
	if (name)
		jw_kobj(w, name);
	else
		jw_obj(w);
	if (n == 1)
		jw_kstr(w, "file", f->name);
	jw_kf64(w, "threshold", threshold);
	jw_kf64(w, "score", bench_round4(normal(sum.raw, windows)));
	jw_ki64(w, "windows", (int64_t)windows);
	jw_ki64(w, "windows_found", (int64_t)sum.found);
	jw_ki64(w, "false_alarms", (int64_t)sum.false_alarms);
	jw_end(w);
}

static const char *find_path(struct arena *a, const char *dir, const char *key)
{
	const char *whole = arena_cstr(a, arena_printf(a, "%s/%s", dir, key)), *slash = strrchr(key, '/');
	struct stat st;
	if (stat(whole, &st) == 0 || !slash)
		return whole;
	return arena_cstr(a, arena_printf(a, "%s%s", dir, slash));
}

bool bench_nab(struct arena *a, struct jw *w, const char *dir)
{
	struct problem p;
	problem_init(&p, a);
	const char *path = arena_cstr(a, arena_printf(a, "%s/windows.json", dir)), *key;
	json_t *windows = json_load_file(path, 0, NULL), *list;
	if (!json_is_object(windows)) {
		json_decref(windows);
		return bench_refuse(&p, path);
	}
	struct nab_file *f = arena_many(a, json_object_size(windows), struct nab_file);
	size_t n = 0;
	bool ok = true;
	json_object_foreach(windows, key, list) {
		f[n].name = arena_str(a, str_of(key));
		path = find_path(a, dir, key);
		ok = judge_file(a, &f[n++], path, list, &p);
		if (!ok)
			break;
	}
	json_decref(windows);
	if (!ok)
		return bench_refuse(&p, path);
	double threshold = best_threshold(a, f, n);
	jw_kobj(w, "nab");
	jw_kcstr(w, "model", STREAM_VERSION);
	jw_kcstr(w, "profile", "standard");
	jw_karr(w, "files");
	for (size_t i = 0; i < n; i++)
		print_result(w, &f[i], 1, threshold, NULL);
	jw_end(w);
	print_result(w, f, n, threshold, "best_threshold");
	print_result(w, f, n, 0.5, "own_flags");
	jw_end(w);
	return true;
}
