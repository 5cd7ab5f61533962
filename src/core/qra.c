// Regional assessments that somebody asked for (records qra_run, state queued): one at a time, in a thread of its own that yields to
// everything else. What it works on is in the record, so after a crash it is simply done again. How far it is stands in memory
// (app.qra_part); the answer goes into the record and a file in one transaction.
#include <math.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "core/qra_park.h"
#include "flow/draft.h"
#include "risk/qra.h"

#define RETRY_S 5           // after a failure that is not the record's
#define NICE 10             // live readings come first
#define FN_SHOWN 200        // points of the curve in the record; the file has all
#define ROWS_SHOWN 200
#define ANSWER_MAX (48u << 20)

struct qra_jobs {
	struct core *co;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool woken, stopping;     // mutex
	int64_t run;              // at work, 0 = none; mutex
	double part;              // mutex
};

struct work {
	struct qra_jobs *q;
	const struct registry *reg;
	const struct type *t;
	struct arena *a;
	struct row row;
	struct qra_input in;
	struct qra_result all, less;
	bool *skip, *skip_planned, planned; // planned: there is something to compare with
	double from, share;       // of the progress
	struct str answer;        // JSON
	json_t *body;             // of the move
	int64_t began;
};

static bool stopping(struct qra_jobs *q)
{
	pthread_mutex_lock(&q->mutex);
	bool stop = q->stopping;
	pthread_mutex_unlock(&q->mutex);
	return stop;
}

static bool on_step(void *arg, double part)
{
	struct work *w = arg;
	pthread_mutex_lock(&w->q->mutex);
	w->q->part = w->from + w->share * part;
	bool go_on = !w->q->stopping;
	pthread_mutex_unlock(&w->q->mutex);
	return go_on;
}

bool core_qra_part(struct app *app, int64_t run, double *ret)
{
	struct qra_jobs *q = ((struct core *)app)->qra;
	pthread_mutex_lock(&q->mutex);
	bool mine = q->run == run;
	*ret = mine ? q->part : 0;
	pthread_mutex_unlock(&q->mutex);
	return mine;
}

// ---- computing --------------------------------------------------------------------------------

// The one that waits longest.
static enum err next_run(struct work *w, struct db *db, struct problem *p)
{
	struct value queued = { .kind = VAL_TEXT, .s = STR("queued") };
	struct filter f[] = { { STR("state"), FILTER_EQ, &queued, 1 }, { STR("park"), FILTER_NOT_NULL, NULL, 0 } };
	struct sort oldest = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f), .sorts = &oldest, .nsorts = 1, .limit = 1 };
	struct row *rows;
	size_t n;
	enum err err = records_list(db, &w->t->table, NULL, &lq, w->a, &rows, &n, NULL, p);
	if (!err && n)
		w->row = rows[0];
	return err ? err : n ? OK : ERR_NOT_FOUND;
}

static int64_t int_of(const struct work *w, const char *field)
{
	const struct field *f = type_field(w->t, str_of(field));
	return f && w->row.vals[f->col].kind == VAL_INT ? w->row.vals[f->col].i : 0;
}

static void mark_left_out(struct work *w)
{
	const struct field *f = type_field(w->t, STR("without"));
	int64_t *ids = NULL;
	size_t n = f ? value_ids(&w->row.vals[f->col], w->a, &ids) : 0;
	w->skip = arena_many(w->a, w->in.nsources, bool);
	w->skip_planned = arena_many(w->a, w->in.nsources, bool);
	for (size_t i = 0; i < w->in.nsources; i++) {
		for (size_t k = 0; k < n; k++)
			w->skip[i] = w->skip[i] || ids[k] == w->in.sources[i].id;
		w->skip_planned[i] = w->skip[i] || w->in.sources[i].planned;
		w->planned = w->planned || (w->in.sources[i].planned && !w->skip[i]);
	}
	w->in.skip = w->skip;
}

static enum err read_park(struct work *w, struct db *db, struct problem *p)
{
	struct buf text;
	buf_init(&text, LIMIT_QRA_INPUT);
	enum err err = qra_park_json(db, w->reg, int_of(w, "park"), w->a, &text, p);
	if (!err)
		err = qra_read(arena_str(w->a, buf_str(&text)), w->q->co->app.risk, w->a, &w->in, p);
	buf_free(&text);
	if (!err)
		mark_left_out(w);
	return err;
}

static unsigned threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 2 ? (unsigned)n - 1 : 1; // the platform goes on
}

static enum err compute(struct work *w, struct problem *p)
{
	struct qra_input less = w->in;
	less.skip = w->skip_planned;
	w->share = w->planned ? 0.5 : 1;
	enum err err = qra_run(&w->in, threads(), on_step, w, w->a, &w->all, p);
	w->from = 0.5;
	if (!err && w->planned)
		err = qra_run(&less, threads(), on_step, w, w->a, &w->less, p);
	return err;
}

// ---- the answer ---------------------------------------------------------------------------------

static json_t *small(double v) // 3.0e-7: a column of numbers would show 0
{
	char s[24];
	snprintf(s, sizeof s, "%.2e", v);
	return json_string(s);
}

static json_t *rows_of_places(const struct work *w, int64_t *ret_over)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < w->in.nplaces; i++) {
		const struct qra_place *q = &w->in.places[i];
		bool met = w->all.place_sum[i] <= q->limit;
		*ret_over += !met;
		if (i < ROWS_SHOWN)
			json_array_append_new(rows, json_pack("{s:s%,s:s%,s:o,s:o,s:b}", "name", q->name.p, q->name.n, "class", q->cls.p, q->cls.n, "limit",
			                                      small(q->limit), "ir", small(w->all.place_sum[i]), "met", met));
	}
	return rows;
}

static json_t *rows_of_sources(const struct work *w)
{
	json_t *rows = json_array();
	size_t n = 0;
	size_t *order = qra_ranking(&w->in, &w->all, w->a);
	for (size_t i = 0; i < w->in.nsources && n < ROWS_SHOWN; i++) {
		const struct qra_source *s = &w->in.sources[order[i]];
		const struct qra_source_sum *m = &w->all.sources[order[i]];
		if (w->skip[order[i]])
			continue;
		n++;
		json_array_append_new(rows, json_pack("{s:s%,s:s%,s:o,s:o,s:f,s:o}", "name", s->name.p, s->name.n, "owner", s->owner.n ? s->owner.p : "",
		                                      s->owner.n, "f", small(m->f), "pll", small(m->pll), "part",
		                                      w->all.pll > 0 ? round(1000 * m->pll / w->all.pll) / 10 : 0.0, "domino", small(m->domino)));
	}
	return rows;
}

static json_t *rows_of_curve(const struct work *w)
{
	json_t *rows = json_array();
	size_t step = (w->all.nfn + FN_SHOWN - 1) / FN_SHOWN;
	for (size_t i = 0; i < w->all.nfn; i++)
		if (i % MAX(step, (size_t)1) == 0 || i + 1 == w->all.nfn)
			json_array_append_new(rows, json_pack("{s:f,s:o}", "n", round(w->all.fn[i].n * 100) / 100, "f", small(w->all.fn[i].f)));
	if (json_array_size(rows) > FN_SHOWN)
		json_array_remove(rows, FN_SHOWN - 1);
	return rows;
}

// The outermost contour that there is; NULL if the whole grid is below.
static json_t *contour(const struct work *w)
{
	struct buf b;
	struct jw j;
	struct qra_ring *rings = NULL;
	size_t n = 0;
	for (size_t i = 0; i < w->in.nlevels && !n; i++)
		qra_contours(&w->in.grid, w->all.ir, w->in.levels[i], w->a, &rings, &n);
	buf_init(&b, LIMIT_SHAPE_FIELD - 64);
	jw_init(&j, &b);
	qra_write_polygons(&w->in, rings, n, w->a, &j);
	json_t *shape = n && jw_done(&j) ? json_loadb(b.p, b.n, 0, NULL) : NULL; // too long for a field: the file has it
	buf_free(&b);
	return shape ? json_pack("{s:s,s:o}", "type", "MultiPolygon", "coordinates", shape) : NULL;
}

static bool write_answer(struct work *w)
{
	struct buf b;
	struct jw j;
	buf_init(&b, ANSWER_MAX);
	jw_init(&j, &b);
	qra_write(&w->in, &w->all, w->planned ? &(struct qra_compared){ &w->less, w->skip_planned } : NULL, w->a, &j);
	bool ok = jw_done(&j);
	if (ok)
		w->answer = arena_str(w->a, buf_str(&b));
	buf_free(&b);
	return ok;
}

static void make_body(struct work *w)
{
	struct qra_room m = qra_room(&w->in, &w->all);
	int64_t over = 0;
	json_t *places = rows_of_places(w, &over), *shape = contour(w);
	w->body = json_pack("{s:f,s:f,s:f,s:s,s:I,s:f,s:o,s:o,s:o}", "seconds", round((double)(clock_mono() - w->began) / US_PER_S * 10) / 10, "pll",
	                    round(w->all.pll * 1e7) / 1e4, "ir_max", round(w->all.ir_max * 1e9) / 1e3, "zone", m.zone, "over", (json_int_t)over,
	                    "worst", round(w->all.worst * 10) / 10, "places", places, "sources", rows_of_sources(w), "fn", rows_of_curve(w));
	if (isfinite(m.factor))
		json_object_set_new(w->body, "factor", json_real(round(fmin(m.factor, 1e6) * 1000) / 1000));
	if (shape)
		json_object_set_new(w->body, "contour", shape);
}

static enum err keep_file(struct work *w, struct db *db, struct problem *p)
{
	struct file_in *f;
	struct file_info info = { .name = arena_printf(w->a, "%.*s.json.txt", STR_FMT(w->row.c.number)), .lon = NAN, .lat = NAN, .source = STR_EMPTY,
		                  .type = w->t->name, .record = w->row.c.id, .field = STR("result") };
	enum err err = file_in_begin(&f, w->q->co->app.store, p);
	if (err)
		return err;
	(void)file_in_add(f, w->answer.p, w->answer.n);
	err = file_in_end(f, info.name, p);
	if (!err)
		err = files_add(db, f, &info, STR("system"), p);
	file_in_free(f);
	if (!err)
		json_object_set_new(w->body, "result", json_pack("[I]", (json_int_t)info.id));
	return err;
}

static enum err finish_job(struct db *db, void *arg, struct problem *p)
{
	struct work *w = arg;
	struct identity by = identity_system();
	enum err err = w->answer.n ? keep_file(w, db, p) : OK;
	return err ? err : flow_move(db, w->reg, w->t, w->row.c.id, w->answer.n ? STR("finish") : STR("fail"), w->body, &by, true, w->a, p);
}

// ---- the thread -----------------------------------------------------------------------------------

static void set_at_work(struct qra_jobs *q, int64_t run)
{
	pthread_mutex_lock(&q->mutex);
	q->run = run;
	q->part = 0;
	pthread_mutex_unlock(&q->mutex);
}

static void say_why(struct work *w, const struct problem *p)
{
	struct str why = str_first(arena_printf(w->a, "%.*s / %.*s", STR_FMT(p->zh), STR_FMT(p->en)), 390);
	while (why.n && !str_utf8_valid(why))
		why.n--;
	w->answer = STR_EMPTY;
	json_decref(w->body);
	w->body = json_pack("{s:s%}", "why", why.p, why.n);
}

static enum err keep(struct work *w)
{
	struct problem p;
	problem_init(&p, w->a);
	enum err err = store_write(w->q->co->app.store, finish_job, w, &p);
	if (err && w->answer.n && err != ERR_UNAVAILABLE && err != ERR_FULL && err != ERR_IO) { // that would not be better the next time
		say_why(w, &p);
		err = store_write(w->q->co->app.store, finish_job, w, &p);
	}
	if (err)
		log_error("qra", "run %lld is not kept: %.*s", (long long)w->row.c.id, STR_FMT(p.en));
	json_decref(w->body);
	w->body = NULL;
	return err;
}

static enum err work(struct work *w, struct db *db)
{
	struct problem p;
	problem_init(&p, w->a);
	w->began = clock_mono();
	enum err err = read_park(w, db, &p);
	store_read_end(w->q->co->app.store, db);
	if (!err)
		err = compute(w, &p);
	if (!err && !write_answer(w))
		err = problem_set(&p, ERR_TOO_LARGE, "", "结果过大，请放大网格边长", "the answer is too large: larger cells");
	if (err == ERR_TIMEOUT || err == ERR_UNAVAILABLE)
		return ERR_UNAVAILABLE; // we stop; it is done after the next start
	if (err)
		say_why(w, &p);
	else
		make_body(w);
	return keep(w);
}

// True if there was something to do.
static bool work_next(struct qra_jobs *q, bool *ret_retry)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct work w = { .q = q, .reg = registry_pin(), .a = a };
	struct problem p;
	problem_init(&p, a);
	w.t = registry_type(w.reg, STR("qra_run"));
	struct db *db = store_read_begin(q->co->app.store);
	enum err err = w.t ? next_run(&w, db, &p) : ERR_NOT_FOUND;
	*ret_retry = err && err != ERR_NOT_FOUND;
	if (err) {
		store_read_end(q->co->app.store, db);
	} else {
		set_at_work(q, w.row.c.id);
		err = work(&w, db); // ends the reading
		set_at_work(q, 0);
		*ret_retry = err != OK;
	}
	registry_unpin(w.reg);
	return !err;
}

static void *qra_main(void *arg)
{
	struct qra_jobs *q = arg;
	pthread_setname_np(pthread_self(), "qra");
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); // those that it starts have it from it
	while (!stopping(q)) {
		bool retry;
		if (work_next(q, &retry))
			continue;
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += RETRY_S;
		pthread_mutex_lock(&q->mutex);
		if (retry && !q->stopping)
			pthread_cond_timedwait(&q->cond, &q->mutex, &until);
		while (!retry && !q->stopping && !q->woken)
			pthread_cond_wait(&q->cond, &q->mutex);
		q->woken = false;
		pthread_mutex_unlock(&q->mutex);
	}
	return NULL;
}

void qra_wake(struct core *co, const struct record_event *e)
{
	struct qra_jobs *q = co->qra;
	if (!q || !str_is(e->type, "qra_run") || !str_is(e->state, "queued"))
		return;
	pthread_mutex_lock(&q->mutex);
	q->woken = true;
	pthread_cond_signal(&q->cond);
	pthread_mutex_unlock(&q->mutex);
}

void qra_start(struct core *co)
{
	struct qra_jobs *q = mem_alloc(sizeof *q);
	q->co = co;
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->cond, NULL);
	co->qra = q;
	if (pthread_create(&q->thread, NULL, qra_main, q))
		log_die("core", "cannot start a thread");
}

void qra_stop(struct core *co)
{
	struct qra_jobs *q = co->qra;
	pthread_mutex_lock(&q->mutex);
	q->stopping = true;
	pthread_cond_signal(&q->cond);
	pthread_mutex_unlock(&q->mutex);
	pthread_join(q->thread, NULL);
}
