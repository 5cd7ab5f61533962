// The drop folder: a CSV of readings that is put into DATA/drop is read as history (exchange/readings_in.h), what is wrong in
// it is written beside it, and it is moved to drop/done or drop/failed. A file whose size or time still changes waits.
//
// Nothing is remembered between starts: a file that lies there is read from its beginning. History is a set by point and
// time, so after a crash in the middle every row is there once.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "exchange/readings_in.h"
#include "exchange/table.h"

#define LOOK_US US_PER_S
#define YIELD_US (10 * US_PER_MS)
#define ERRORS_END ".errors.csv"
#define PATH_TEXT 4600

struct seen {               // a file as it was the last time
	char name[256];
	int64_t size, changed;
	bool stuck;         // read, but it cannot be moved away
};

struct drop {
	struct core *co;
	pthread_t thread;
	char dir[4096];
	struct seen *seen;
	size_t nseen;
	pthread_mutex_t mutex;  // for the rest
	pthread_cond_t cond;
	bool stop;
	struct drop_file files[DROP_SHOWN]; // a ring
	size_t first, nfiles;
	struct drop_totals totals;
};

static bool stopping(struct drop *d)
{
	pthread_mutex_lock(&d->mutex);
	bool stop = d->stop;
	pthread_mutex_unlock(&d->mutex);
	return stop;
}

static void pause_for(struct drop *d, int64_t us)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (us % US_PER_S) * 1000;
	until.tv_sec += us / US_PER_S + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&d->mutex);
	if (!d->stop)
		pthread_cond_timedwait(&d->cond, &d->mutex, &until);
	pthread_mutex_unlock(&d->mutex);
}

// ---- one file -----------------------------------------------------------------------------------

struct job {
	struct drop *d;
	struct site *site;
	struct drop_file file;
	FILE *errors;       // NULL before the first
	enum err stored;    // not OK: what was read could not be stored
	char errors_path[PATH_TEXT];
};

static struct drop_file *shown(struct drop *d) { return &d->files[(d->first + d->nfiles - 1) % DROP_SHOWN]; }

static void show(struct job *j) // the newest of the ring is this file
{
	pthread_mutex_lock(&j->d->mutex);
	*shown(j->d) = j->file;
	pthread_mutex_unlock(&j->d->mutex);
}

static bool find_point(void *arg, struct str code, uint32_t *ret)
{
	struct job *j = arg;
	*ret = points_find(j->site->points, code);
	return *ret;
}

static void csv_line(struct job *j, uint64_t row, struct str column, const char *zh, const char *en)
{
	struct buf b;
	buf_init(&b, 3 * LIMIT_CELL);
	buf_printf(&b, "%llu,", (unsigned long long)row);
	table_csv_text(&b, column);
	buf_printf(&b, ",%s,%s\r\n", zh, en);
	fwrite(b.p, 1, b.n, j->errors);
	buf_free(&b);
}

static void on_wrong(void *arg, uint64_t row, struct str column, const char *zh, const char *en)
{
	struct job *j = arg;
	if (!j->errors && !j->file.wrong && (j->errors = fopen(j->errors_path, "we")))
		fputs("\xef\xbb\xbf行 row,列 column,原因,reason\r\n", j->errors);
	if (j->errors && j->file.wrong < LIMIT_DROP_ERRORS)
		csv_line(j, row, column, zh, en);
	j->file.wrong++;
}

static int64_t device_of(const struct site *s, uint32_t point)
{
	struct site_point p;
	return site_point(s, point, &p) ? p.def.device : 0;
}

struct keyed { // a point is unpacked to know its device: once, not for every comparison
	int64_t device;
	struct reading r;
};

static int by_device(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->r.time == y->r.time ? 0 : x->r.time < y->r.time ? -1 : 1;
}

static void sort_by_device(const struct site *s, struct reading *v, size_t n)
{
	struct keyed *k = mem_alloc(n * sizeof *k);
	for (size_t i = 0; i < n; i++)
		k[i] = (struct keyed){ device_of(s, v[i].point), v[i] };
	qsort(k, n, sizeof *k, by_device);
	for (size_t i = 0; i < n; i++)
		v[i] = k[i].r;
	mem_free(k);
}

// Behind live data: while more than a little waits in the ring, devices go first (as in gate/gate.c).
static enum err on_batch(void *arg, struct reading *v, size_t n)
{
	struct job *j = arg;
	struct core *co = j->d->co;
	while (ring_used(co->cfg.from_gate) > LIMIT_GATE_HISTORY && !stopping(j->d))
		pause_for(j->d, YIELD_US);
	if (stopping(j->d))
		return j->stored = ERR_UNAVAILABLE;
	sort_by_device(j->site, v, n);
	struct push_result r = core_push(&co->app, 0, v, n);
	j->file.accepted += r.accepted;
	j->file.duplicates += r.duplicates;
	show(j);
	return j->stored = r.err;
}

static void move_to(struct job *j, const char *folder)
{
	const char *name = j->file.name;
	int stem = (int)strlen(name) - 4; // .csv
	char from[PATH_TEXT], to[PATH_TEXT], beside[PATH_TEXT];
	snprintf(from, sizeof from, "%s/%s", j->d->dir, name);
	snprintf(to, sizeof to, "%s/%s/%s", j->d->dir, folder, name);
	snprintf(beside, sizeof beside, "%s/%s/%.*s" ERRORS_END, j->d->dir, folder, stem, name);
	if (access(to, F_OK) == 0) { // the same name again: the older one stays
		snprintf(to, sizeof to, "%s/%s/%.*s-%lld.csv", j->d->dir, folder, stem, name, (long long)(j->file.at / US_PER_MS));
		snprintf(beside, sizeof beside, "%s/%s/%.*s-%lld" ERRORS_END, j->d->dir, folder, stem, name, (long long)(j->file.at / US_PER_MS));
	}
	bool moved = !j->errors || rename(j->errors_path, beside) == 0;
	if (rename(from, to) == 0 && moved)
		return;
	log_error("drop", "%s was read but cannot be moved to %s: %s", name, folder, strerror(errno));
	for (size_t i = 0; i < j->d->nseen; i++)
		if (strcmp(j->d->seen[i].name, name) == 0)
			j->d->seen[i].stuck = true;
}

static void set_why(struct drop_file *f, const struct problem *p)
{
	snprintf(f->zh, sizeof f->zh, "%.*s", STR_FMT(str_first(p->zh, sizeof f->zh - 4)));
	snprintf(f->en, sizeof f->en, "%.*s", STR_FMT(str_first(p->en, sizeof f->en - 4)));
}

static void finish(struct job *j, enum err err, const struct problem *p)
{
	struct drop *d = j->d;
	bool failed = err || (j->file.wrong && !j->file.accepted && !j->file.duplicates);
	if (err)
		on_wrong(j, 0, STR_EMPTY, p->zh.n ? p->zh.p : err_text(err, true), p->en.n ? p->en.p : err_text(err, false));
	if (j->errors && j->file.wrong > LIMIT_DROP_ERRORS)
		csv_line(j, 0, STR_EMPTY, "后面的错误没有列出", "the mistakes behind are not listed");
	if (j->errors && (fflush(j->errors) || ferror(j->errors)))
		log_warn("drop", "the mistakes of %s cannot be written", j->file.name);
	j->file.state = failed ? DROP_FAILED : DROP_DONE;
	set_why(&j->file, p);
	move_to(j, failed ? "failed" : "done");
	log_info("drop", "%s: %llu rows, %llu readings new, %llu known, %llu mistakes%s", j->file.name, (unsigned long long)j->file.rows,
	         (unsigned long long)j->file.accepted, (unsigned long long)j->file.duplicates, (unsigned long long)j->file.wrong, failed ? "; failed" : "");
	pthread_mutex_lock(&d->mutex);
	*shown(d) = j->file;
	d->totals.done += !failed;
	d->totals.failed += failed;
	d->totals.rows += j->file.rows;
	d->totals.wrong += j->file.wrong;
	pthread_mutex_unlock(&d->mutex);
}

static void ring_push(struct drop *d, const char *name)
{
	pthread_mutex_lock(&d->mutex);
	bool again = d->nfiles && shown(d)->state == DROP_READING && strcmp(shown(d)->name, name) == 0;
	if (!again && d->nfiles < DROP_SHOWN)
		d->nfiles++;
	else if (!again)
		d->first = (d->first + 1) % DROP_SHOWN;
	pthread_mutex_unlock(&d->mutex);
}

static int64_t changed_at(const struct stat *st) { return st->st_mtim.tv_sec * US_PER_S + st->st_mtim.tv_nsec / 1000; }

// Nobody wrote to it while it was read.
static bool same_file(const struct seen *f, int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size == f->size && changed_at(&st) == f->changed;
}

static void read_one(struct drop *d, const struct seen *f, int fd)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct problem p;
	problem_init(&p, a);
	struct job j = { .d = d, .site = core_site_take(&d->co->app), .file = { .at = clock_now() } };
	snprintf(j.file.name, sizeof j.file.name, "%s", f->name);
	snprintf(j.errors_path, sizeof j.errors_path, "%s/.%s.errors", d->dir, f->name);
	ring_push(d, f->name);
	show(&j);
	struct readings_in in = { .fd = fd, .arg = &j, .point = find_point, .take = on_batch, .wrong = on_wrong, .now = clock_now() };
	enum err err = readings_in_read(&in, &j.file.rows, &p);
	if (j.stored || !same_file(f, fd)) { // it stays where it is and is read again
		show(&j);
		if (j.errors)
			unlink(j.errors_path);
		if (j.stored && j.stored != ERR_UNAVAILABLE) {
			log_warn("drop", "%s waits: %s", f->name, err_name(j.stored));
			pause_for(d, 10 * LOOK_US);
		}
	} else {
		finish(&j, err, &p);
	}
	if (j.errors)
		fclose(j.errors);
	core_site_give(&d->co->app, j.site);
}

// ---- looking ------------------------------------------------------------------------------------

static bool is_csv(const char *name)
{
	struct str s = str_of(name);
	return s.n > 4 && s.n < 200 && str_utf8_valid(s) && name[0] != '.' && !str_ends(s, STR(ERRORS_END)) && str_eq_nocase(str_skip(s, s.n - 4), STR(".csv"));
}

static struct seen *seen_of(struct seen *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

// As it is now; false: not a plain file.
static bool look_at(struct drop *d, const char *name, struct seen *ret)
{
	struct stat st;
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "%s/%s", d->dir, name);
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	*ret = (struct seen){ .size = st.st_size, .changed = changed_at(&st) };
	snprintf(ret->name, sizeof ret->name, "%s", name);
	const struct seen *was = seen_of(d->seen, d->nseen, name);
	ret->stuck = was && was->stuck && was->size == ret->size && was->changed == ret->changed;
	return true;
}

static int by_name(const void *a, const void *b) { return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name); }

// Reads what has not changed since the last look.
static void look(struct drop *d)
{
	struct seen *now = mem_alloc(LIMIT_DROP_FILES * sizeof *now), *before = d->seen;
	size_t n = 0, nbefore = d->nseen;
	DIR *dir = opendir(d->dir);
	for (struct dirent *e; dir && n < LIMIT_DROP_FILES && (e = readdir(dir));)
		n += is_csv(e->d_name) && look_at(d, e->d_name, &now[n]);
	if (dir)
		closedir(dir);
	qsort(now, n, sizeof *now, by_name);
	d->seen = now;
	d->nseen = n;
	for (size_t i = 0; i < n && !stopping(d); i++) {
		const struct seen *was = seen_of(before, nbefore, now[i].name);
		char path[PATH_TEXT];
		snprintf(path, sizeof path, "%s/%s", d->dir, now[i].name);
		if (!was || was->size != now[i].size || was->changed != now[i].changed || now[i].stuck)
			continue;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			log_warn("drop", "%s cannot be opened: %s", now[i].name, strerror(errno));
		else
			read_one(d, &now[i], fd);
		if (fd >= 0)
			close(fd);
	}
	mem_free(before);
}

static void *drop_thread(void *arg)
{
	struct drop *d = arg;
	while (!stopping(d)) {
		look(d);
		pause_for(d, LOOK_US);
	}
	return NULL;
}

void drop_start(struct core *co)
{
	struct drop *d = mem_alloc(sizeof *d);
	char path[PATH_TEXT];
	pthread_condattr_t attr;
	d->co = co;
	snprintf(d->dir, sizeof d->dir, "%s/drop", co->cfg.data_dir);
	mkdir(d->dir, 0700);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", d->dir, i ? "failed" : "done");
		mkdir(path, 0700);
	}
	pthread_mutex_init(&d->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->cond, &attr);
	co->drop = d;
	if (pthread_create(&d->thread, NULL, drop_thread, d))
		log_die("core", "cannot start a thread");
}

void drop_stop(struct core *co)
{
	struct drop *d = co->drop;
	pthread_mutex_lock(&d->mutex);
	d->stop = true;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->mutex);
	pthread_join(d->thread, NULL);
}

size_t core_drop_files(struct app *app, struct drop_file *ret, struct drop_totals *ret_totals)
{
	struct drop *d = ((struct core *)app)->drop;
	pthread_mutex_lock(&d->mutex);
	for (size_t i = 0; i < d->nfiles; i++)
		ret[i] = d->files[(d->first + i) % DROP_SHOWN];
	*ret_totals = d->totals;
	size_t n = d->nfiles;
	pthread_mutex_unlock(&d->mutex);
	return n;
}
