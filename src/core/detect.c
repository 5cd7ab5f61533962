// T_DETECT: the detectors that say something ahead of a limit, on stored history as it grows. Once a second it asks for each point
// that is watched whether enough is new, reads that and feeds it. Nothing of it is on the way of a reading.
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "core/detect_int.h"

#define EVERY_US US_PER_S
#define KEEP_EVERY (60 * US_PER_S)   // states are kept so often
#define SLICE (6 * US_PER_HOUR)      // of history read at once
#define SLICE_SAMPLES 100000
#define MAKE_LONGEST (60 * US_PER_S) // after a change of the site
#define SAVE_ROWS 500                // a job of the writer

// ---- reading history ----------------------------------------------------------------------------

bool detect_stopping(struct detect *d)
{
	pthread_mutex_lock(&d->mutex);
	bool stop = d->stop;
	pthread_mutex_unlock(&d->mutex);
	return stop;
}

void detect_read(struct detect *d, uint32_t point, int64_t *through, int64_t newest, detect_sample_fn *fn, void *arg)
{
	int64_t slice = SLICE;
	while (*through < newest && !detect_stopping(d)) {
		int64_t to = MIN(newest, *through + slice);
		struct sample *v;
		size_t n;
		arena_reset(d->arena);
		enum err err = series_read(d->co->app.series, point, *through + 1, to + 1, SLICE_SAMPLES, d->arena, &v, &n);
		if (err == ERR_TOO_LARGE && slice > US_PER_S) {
			slice /= 4;
			continue;
		}
		if (err) { // the next turn tries again
			d->cost.errors++;
			return;
		}
		pthread_mutex_lock(&d->mutex);
		for (size_t i = 0; i < n; i++)
			fn(arg, &v[i]);
		*through = to;
		d->cost.reads++;
		d->cost.samples += n;
		pthread_mutex_unlock(&d->mutex);
	}
}

// ---- states -------------------------------------------------------------------------------------

struct detect_saving {
	struct detect *d;
	const char *what;
	struct arena *arena;
	size_t n;
	struct detect_kept v[SAVE_ROWS];
};

static enum err save_run(struct db *db, void *arg, struct problem *p)
{
	struct detect_saving *s = arg;
	enum err err = OK;
	(void)p;
	for (size_t i = 0; i < s->n && !err; i++) {
		const struct detect_kept *k = &s->v[i];
		struct query q;
		query_begin(&q, db, k->state.n ? STMT_DETECT_PUT : STMT_DETECT_DROP);
		query_str(&q, 1, str_of(s->what));
		query_i64(&q, 2, k->thing);
		query_i64(&q, 3, k->key);
		if (k->state.n) {
			query_i64(&q, 4, k->through);
			query_blob(&q, 5, k->state);
		}
		err = query_run(&q);
	}
	return err;
}

static void save_done(void *arg, enum err err)
{
	struct detect_saving *s = arg;
	if (err) // they are read again from before: nothing is lost
		log_error("detect", "states of detectors cannot be kept: %s", err_name(err));
	arena_free(s->arena);
	mem_free(s);
}

struct detect_saving *detect_save_begin(struct detect *d, const char *what)
{
	struct detect_saving *s = mem_alloc(sizeof *s);
	s->d = d;
	s->what = what;
	s->arena = arena_new(64 << 10);
	return s;
}

void detect_save_end(struct detect_saving *s)
{
	if (s->n)
		store_post(s->d->co->app.store, save_run, s, save_done);
	else
		save_done(s, OK);
}

void detect_save(struct detect_saving **s, const struct detect_kept *row)
{
	if ((*s)->n == SAVE_ROWS) {
		struct detect_saving *next = detect_save_begin((*s)->d, (*s)->what);
		detect_save_end(*s);
		*s = next;
	}
	struct detect_kept *k = &(*s)->v[(*s)->n++];
	*k = *row;
	k->state = arena_str((*s)->arena, row->state);
}

void detect_forget(struct detect *d, const char *what, uint32_t thing, uint32_t key)
{
	struct detect_saving *s = detect_save_begin(d, what);
	detect_save(&s, &(struct detect_kept){ .thing = thing, .key = key, .state = STR_EMPTY });
	detect_save_end(s);
}

// The states kept, by thing and key. Memory of the arena.
static enum err kept_read(struct detect *d, const char *what, struct arena *a, struct detect_kept **ret, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct detect_kept *v = NULL;
	struct db *db = store_read_begin(d->co->app.store);
	struct query q;
	query_begin(&q, db, STMT_DETECT_STATES);
	query_str(&q, 1, str_of(what));
	while (query_row(&q)) {
		v = arena_push(a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct detect_kept){ .thing = (uint32_t)query_get_i64(&q, 0), .key = (uint32_t)query_get_i64(&q, 1),
			                         .through = query_get_i64(&q, 2), .state = query_get_str(&q, 3, a) };
	}
	enum err err = query_end(&q);
	store_read_end(d->co->app.store, db);
	*ret = v;
	*ret_n = n;
	return err;
}

bool detect_state_take(const struct detect_kept *k, void *ret, size_t size, uint32_t version)
{
	uint32_t is;
	if (k->state.n != size || size < sizeof is)
		return false;
	memcpy(&is, k->state.p, sizeof is);
	if (is == version)
		memcpy(ret, k->state.p, size);
	return is == version;
}

void *detect_kept_watches(struct detect *d, const char *what, size_t size, detect_take_fn *take, size_t *ret_n)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct detect_kept *kept;
	size_t n, good = 0;
	if (kept_read(d, what, a, &kept, &n)) {
		log_error("detect", "the states of %s cannot be read; they begin anew", what);
		n = 0;
	}
	char *v = mem_alloc(MAX(n, (size_t)1) * size);
	for (size_t i = 0; i < n; i++) {
		struct watch *w = (struct watch *)(v + good * size);
		memset(w, 0, size);
		w->point = kept[i].thing;
		w->key = kept[i].key;
		w->through = kept[i].through;
		good += take(w, &kept[i]);
	}
	*ret_n = good;
	return v;
}

enum err detect_kept_one(struct db *db, const char *what, uint32_t thing, uint32_t key, struct arena *a, struct detect_kept *ret)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_DETECT_STATE);
	query_str(&q, 1, str_of(what));
	query_i64(&q, 2, thing);
	query_i64(&q, 3, key);
	if (query_row(&q)) {
		*ret = (struct detect_kept){ .thing = thing, .key = key, .through = query_get_i64(&q, 0), .state = query_get_str(&q, 1, a) };
		found = true;
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

// ---- the thread ---------------------------------------------------------------------------------

static int64_t cpu_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static void save_all(struct detect *d)
{
	early_save_all(d);
	doubt_save_all(d);
	drift_save_all(d);
	unit_save_all(d);
	d->save_due = clock_mono() + KEEP_EVERY;
}

// Looks at every point; where there are so many that it takes long, not after each change of one.
static void make_lists(struct detect *d, struct site *s)
{
	int64_t begin = clock_mono();
	early_site(d, s);
	doubt_site(d, s);
	drift_site(d, s);
	d->generation = s->generation;
	d->make_due = clock_mono() + MIN(20 * (clock_mono() - begin), MAKE_LONGEST);
}

static void turn(struct detect *d)
{
	struct site *s = core_site_take(&d->co->app);
	unit_news(d, s, s->generation != d->units_generation);
	d->units_generation = s->generation;
	if (s->generation != d->generation && clock_mono() >= d->make_due)
		make_lists(d, s);
	doubt_marks(d, s);
	core_site_give(&d->co->app, s);
	early_pass(d);
	doubt_pass(d);
	drift_pass(d);
	unit_pass(d);
	if (clock_mono() >= d->save_due)
		save_all(d);
	pthread_mutex_lock(&d->mutex);
	d->cost.cpu_us = cpu_now();
	d->cost.turns++;
	pthread_mutex_unlock(&d->mutex);
}

static bool wait_turn(struct detect *d)
{
	int64_t until = clock_mono() + EVERY_US;
	struct timespec ts = { .tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000 };
	pthread_mutex_lock(&d->mutex);
	while (!d->stop && clock_mono() < until && !pthread_cond_timedwait(&d->cond, &d->mutex, &ts))
		;
	bool go_on = !d->stop;
	pthread_mutex_unlock(&d->mutex);
	return go_on;
}

static void *detect_thread(void *arg)
{
	struct detect *d = arg;
	struct site *s = core_site_take(&d->co->app);
	early_begin(d, s);
	doubt_begin(d, s);
	drift_begin(d, s);
	unit_news(d, s, true);
	d->generation = s->generation;
	core_site_give(&d->co->app, s);
	d->save_due = clock_mono() + KEEP_EVERY;
	do
		turn(d);
	while (wait_turn(d));
	save_all(d);
	return NULL;
}

void detect_start(struct core *co)
{
	struct detect *d = mem_alloc(sizeof *d);
	pthread_condattr_t attr;
	d->co = co;
	d->arena = arena_new(1 << 20);
	d->scratch = mem_alloc(TREND_PAIRS_MAX * sizeof *d->scratch);
	pthread_mutex_init(&d->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->cond, &attr);
	co->detect = d;
	if (pthread_create(&d->thread, NULL, detect_thread, d))
		log_die("core", "cannot start a thread");
}

void detect_stop(struct core *co)
{
	struct detect *d = co->detect;
	pthread_mutex_lock(&d->mutex);
	d->stop = true;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->mutex);
	pthread_join(d->thread, NULL);
}

struct detect_cost core_detect_cost(struct app *app)
{
	struct detect *d = ((struct core *)app)->detect;
	pthread_mutex_lock(&d->mutex);
	struct detect_cost c = d->cost;
	c.early_watches = d->nearly;
	c.early_left = d->early_left;
	c.doubt_watches = d->ndoubt;
	c.doubt_left = d->doubt_left;
	c.drift_watches = d->ndrift;
	c.drift_left = d->drift_left;
	c.units = d->nunits;
	pthread_mutex_unlock(&d->mutex);
	return c;
}
