// Data that were hardly measured (detect/doubt.h): a watch for each point whose kind asks for it, a record (type data_doubt) for each
// doubt, and the marks that the points carry while a record is open. T_DETECT; the record's changes are jobs of the writer.
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "core/detect_int.h"

#define LOOK_US (30 * US_PER_S)    // a point is read when so much is new, or so long after the last time
#define COPIES_US (2 * US_PER_S)   // copies are looked for at most so often,
#define COPIES_REST 50             // and at most a fiftieth of the time
#define MARKS_MAX 100000           // open doubts that are shown at points

static const char *const reason_names[DOUBT_REASONS] = { "frozen", "impossible", "copied", "drift" };

// ---- the record ---------------------------------------------------------------------------------

struct doubt_job {
	struct core *co;
	struct site *site;
	struct arena *arena;
	uint32_t point, twin;
	struct doubt_event e;
};

static struct value val_text(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value val_int(int64_t i) { return (struct value){ .kind = i ? VAL_INT : VAL_NULL, .i = i }; }
static struct value val_real(double f) { return (struct value){ .kind = isfinite(f) ? VAL_REAL : VAL_NULL, .f = f }; }

struct str doubt_key(struct arena *a, uint32_t point, enum doubt_reason r, int64_t since)
{
	return arena_printf(a, "%u-%s-%lld", point, reason_names[r], (long long)since);
}

static struct str key_of(const struct doubt_job *j) { return doubt_key(j->arena, j->point, j->e.reason, j->e.since); }

static void sentence(const struct doubt_job *j, const struct site_point *p, struct str *ret_zh, struct str *ret_en)
{
	const struct doubt_event *e = &j->e;
	struct site_point twin;
	struct str other = j->twin && site_point(j->site, j->twin, &twin) ? twin.name : STR("?");
	switch (e->reason) {
	case DOUBT_FROZEN:
		*ret_zh = arena_printf(j->arena, "连续 %llu 次都是 %g %.*s，按它平时的变化不可能", (unsigned long long)e->run, e->value, STR_FMT(p->unit));
		*ret_en = arena_printf(j->arena, "%llu times %g %.*s in a row, which cannot be by how it usually moves", (unsigned long long)e->run, e->value, STR_FMT(p->unit));
		break;
	case DOUBT_BEYOND:
		*ret_zh = arena_printf(j->arena, "一小时内 %d 次超出可能的范围或变化过快，最近为 %g %.*s", DOUBT_IMPOSSIBLE, e->value, STR_FMT(p->unit));
		*ret_en = arena_printf(j->arena, "%d times within an hour beyond what is possible, or changing too fast; now %g %.*s", DOUBT_IMPOSSIBLE, e->value, STR_FMT(p->unit));
		break;
	case DOUBT_DRIFT:
		*ret_zh = arena_printf(j->arena, "均值由平时的 %.4g 变为 %.4g %.*s 且未恢复，疑似漂移，请校准或确认工况", e->usual, e->value, STR_FMT(p->unit));
		*ret_en = arena_printf(j->arena, "Its mean has gone from the usual %.4g to %.4g %.*s and stays there: drift? Calibrate, or confirm the process", e->usual, e->value, STR_FMT(p->unit));
		break;
	case DOUBT_COPIED:
	case DOUBT_REASONS:
		*ret_zh = arena_printf(j->arena, "最近 %d 次变化与 %.*s 完全相同", DOUBT_MOVES, STR_FMT(other));
		*ret_en = arena_printf(j->arena, "The last %d moves are exactly those of %.*s", DOUBT_MOVES, STR_FMT(other));
	}
}

static enum err open_record(struct db *db, const struct doubt_job *j, const struct type *t, struct problem *p)
{
	struct site_point sp;
	struct str zh, en;
	struct row row;
	int64_t id;
	struct value key = val_text(key_of(j));
	if (!site_point(j->site, j->point, &sp) || records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), key, j->arena, &row) == OK)
		return OK; // the point is gone, or it was read once more after a crash
	sentence(j, &sp, &zh, &en);
	struct flow_field fields[] = {
		{ "title", val_text(arena_printf(j->arena, "%.*s %.*s", STR_FMT(sp.name), STR_FMT(zh))) },
		{ "enterprise", val_int(sp.def.enterprise) },
		{ "point", val_int(j->point) },
		{ "device", val_int(sp.def.device) },
		{ "cause", val_text(str_of(reason_names[j->e.reason])) },
		{ "other", val_int(j->twin) },
		{ "content", val_text(zh) },
		{ "content_en", val_text(en) },
		{ "since", val_int(j->e.since) },
		{ "value", val_real(j->e.value) },
		{ "key", key },
	};
	return flow_open(db, j->site->reg, t, fields, ARRAY_LEN(fields), sp.def.area, sp.def.enterprise, 0, j->arena, &id, p);
}

static enum err clear_record(struct db *db, const struct doubt_job *j, const struct type *t, struct problem *p)
{
	struct identity system = identity_system();
	struct row row;
	char text[TIME_TEXT_MAX];
	enum err err = records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), val_text(key_of(j)), j->arena, &row);
	if (err)
		return err;
	json_t *body = json_object();
	json_object_set_new(body, "over", json_stringn(text, time_text(j->e.at, text)));
	err = flow_move(db, j->site->reg, t, row.c.id, STR("clear"), body, &system, false, j->arena, p);
	json_decref(body);
	return err == ERR_CONFLICT ? OK : err; // a person has it in hand
}

static enum err doubt_run(struct db *db, void *arg, struct problem *p)
{
	struct doubt_job *j = arg;
	const struct type *t = registry_type(j->site->reg, STR("data_doubt"));
	return !t ? OK : j->e.begins ? open_record(db, j, t, p) : clear_record(db, j, t, p);
}

static void doubt_done(void *arg, enum err err)
{
	struct doubt_job *j = arg;
	if (err && err != ERR_NOT_FOUND)
		log_error("detect", "point %u: a doubt about its data cannot be recorded: %s", j->point, err_name(err));
	core_site_give(&j->co->app, j->site);
	arena_free(j->arena);
	mem_free(j);
}

struct doubting {
	struct detect *d;
	struct doubt_watch *w;
};

void doubt_say(struct detect *d, uint32_t point, uint32_t twin, const struct doubt_event *e)
{
	struct doubt_job *j = mem_alloc(sizeof *j);
	*j = (struct doubt_job){ .co = d->co, .site = core_site_take(&d->co->app), .arena = arena_new(4096), .point = point, .twin = twin,
		                 .e = *e };
	store_post(d->co->app.store, doubt_run, j, doubt_done);
}

static void on_event(void *arg, const struct doubt_event *e)
{
	const struct doubting *f = arg;
	f->w->said = true;
	doubt_say(f->d, f->w->point, e->reason == DOUBT_COPIED ? f->w->d.twin : 0, e);
}

static void on_sample(void *arg, const struct sample *s)
{
	struct doubting *f = arg;
	if (s->quality != Q_BAD && s->quality != Q_STALE && s->quality != Q_MAINTENANCE) // the device says so itself; somebody works on it
		doubt_feed(&f->w->d, &f->w->facts, s->time, s->value, on_event, f);
}

// ---- copies -------------------------------------------------------------------------------------

struct print { uint64_t digest; uint32_t at; };

static int by_digest(const void *a, const void *b)
{
	const struct print *x = a, *y = b;
	return x->digest < y->digest ? -1 : x->digest > y->digest;
}

// The watch whose newest moves are moves of w; NULL: none. v: by digest of the newest moves.
static const struct doubt_watch *twin_of(const struct detect *d, const struct doubt_watch *w, const struct print *v, size_t n,
                                         unsigned back)
{
	uint64_t digest = doubt_digest(&w->d, back);
	size_t lo = 0, hi = n;
	while (digest && lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (v[mid].digest < digest)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; digest && lo < n && v[lo].digest == digest; lo++) {
		const struct doubt_watch *o = &d->doubt[v[lo].at];
		if (o->point != w->point && o->enterprise == w->enterprise && o->kind == w->kind && doubt_same_moves(&w->d, &o->d, o->near))
			return o;
	}
	return NULL;
}

static void look_for_copies(struct detect *d)
{
	struct print *v = mem_alloc(MAX(d->ndoubt, (size_t)1) * sizeof *v);
	uint32_t *twin = mem_alloc(MAX(d->ndoubt, (size_t)1) * sizeof *twin);
	size_t n = 0;
	for (size_t i = 0; i < d->ndoubt; i++)
		if (d->doubt[i].facts.copied && (v[n].digest = doubt_digest(&d->doubt[i].d, 0)))
			v[n++].at = (uint32_t)i;
	if (n)
		qsort(v, n, sizeof *v, by_digest);
	for (size_t i = 0; i < d->ndoubt; i++)
		for (unsigned back = 0; d->doubt[i].facts.copied && back <= DOUBT_TRAIL - DOUBT_MOVES; back++) {
			const struct doubt_watch *o = twin_of(d, &d->doubt[i], v, n, back);
			if (!o)
				continue;
			twin[i] = o->point; // of either the other
			twin[o - d->doubt] = d->doubt[i].point;
			break;
		}
	pthread_mutex_lock(&d->mutex);
	for (size_t i = 0; i < d->ndoubt; i++) {
		struct doubt_watch *w = &d->doubt[i];
		struct doubting f = { d, w };
		if (w->facts.copied && (twin[i] || w->d.twin))
			doubt_copied(&w->d, twin[i], on_event, &f);
	}
	pthread_mutex_unlock(&d->mutex);
	mem_free(v);
	mem_free(twin);
}

// ---- the watches --------------------------------------------------------------------------------

static void keep(struct detect_saving **save, struct doubt_watch *w)
{
	detect_save(save, &(struct detect_kept){ .thing = w->point, .through = w->through, .state = str_from((const char *)&w->d, sizeof w->d) });
	w->dirty = w->said = false;
}

static void begin_new(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "doubt");
	for (size_t i = 0; i < d->ndoubt; i++) {
		struct doubt_watch *w = &d->doubt[i];
		struct sample last;
		if (w->through || !series_last(d->co->app.series, w->point, &last))
			continue;
		w->through = MAX(last.time - DOUBT_CALM, INT64_C(1)) - 1;
		keep(&save, w);
	}
	detect_save_end(save);
}

static void keep_said(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "doubt");
	for (size_t i = 0; i < d->ndoubt; i++)
		if (d->doubt[i].said)
			keep(&save, &d->doubt[i]);
	detect_save_end(save);
}

void doubt_pass(struct detect *d)
{
	int64_t now = clock_mono();
	begin_new(d);
	for (size_t i = 0; i < d->ndoubt && !detect_stopping(d); i++) {
		struct doubt_watch *w = &d->doubt[i];
		struct doubting f = { d, w };
		struct sample last;
		if (!w->through || !series_last(d->co->app.series, w->point, &last) || last.time <= w->through ||
		    (last.time - w->through < LOOK_US && now - w->looked < LOOK_US))
			continue;
		detect_read(d, w->point, &w->through, last.time, on_sample, &f);
		w->looked = now;
		w->dirty = true;
		d->copies_wanted = true;
	}
	now = clock_mono();
	if (d->copies_wanted && now >= d->copies_due) {
		look_for_copies(d);
		d->copies_wanted = false;
		d->copies_due = clock_mono() + MAX(COPIES_US, COPIES_REST * (clock_mono() - now));
	}
	keep_said(d);
}

void doubt_save_all(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "doubt");
	for (size_t i = 0; i < d->ndoubt; i++)
		if (d->doubt[i].dirty)
			keep(&save, &d->doubt[i]);
	detect_save_end(save);
}

// ---- another site -------------------------------------------------------------------------------

static struct doubt_facts facts_of(const struct point_kind *k, const struct point_def *p)
{
	return (struct doubt_facts){
		.quality = { .low = !isnan(p->min) ? p->min : k->min, .high = !isnan(p->max) ? p->max : k->max,
		             .per_second = k->fastest > 0 ? k->fastest : NAN },
		.frozen = k->frozen, .beyond = k->impossible, .copied = k->copied };
}

static void drop(struct detect *d, struct doubt_watch *w)
{
	struct doubting f = { d, w };
	for (enum doubt_reason r = 0; r < DOUBT_DRIFT; r++)
		if (w->d.reasons >> r & 1)
			on_event(&f, &(struct doubt_event){ .reason = r, .at = w->d.q.time, .since = w->d.since[r] });
	detect_forget(d, "doubt", w->point, 0);
}

static void make(struct detect *d, const struct site *s, struct doubt_watch *old, size_t nold)
{
	struct watch_list l;
	struct doubt_watch *w;
	struct site_point p;
	bool was;
	watch_list_begin(&l, sizeof *w, LIMIT_DOUBT_WATCHES, old, nold);
	for (uint32_t id = 0; site_point_next(s, &id, &p);) {
		const struct point_kind *k = registry_kind(s->reg, p.def.kind);
		if (!k || !(k->frozen || k->copied || k->impossible) || p.def.out_of_service || !(w = watch_list_put(&l, p.def.id, 0, &was)))
			continue;
		if (!was)
			doubt_init(&w->d);
		w->facts = facts_of(k, &p.def);
		w->enterprise = p.def.enterprise;
		w->kind = (uint32_t)(k - s->reg->kinds);
		w->near = 2 * MAX(p.def.interval, k->interval);
	}
	while ((w = watch_list_gone(&l)))
		drop(d, w);
	watch_list_end(d, &l, &d->doubt, &d->ndoubt, &d->doubt_left);
}

void doubt_site(struct detect *d, const struct site *s) { make(d, s, d->doubt, d->ndoubt); }

static bool take(void *watch, const struct detect_kept *k)
{
	struct doubt_watch *w = watch;
	return detect_state_take(k, &w->d, sizeof w->d, DOUBT_VERSION);
}

void doubt_begin(struct detect *d, const struct site *s)
{
	size_t n;
	struct doubt_watch *old = detect_kept_watches(d, "doubt", sizeof *old, take, &n);
	make(d, s, old, n);
	atomic_store(&d->marks_news, true);
}

// ---- marks --------------------------------------------------------------------------------------

void detect_note_doubt(struct core *co)
{
	if (co->detect)
		atomic_store(&co->detect->marks_news, true);
}

struct marks {
	const struct type *t;
	struct doubted *v;
	size_t n, cap;
};

static enum err mark_row(void *arg, const struct row *row)
{
	struct marks *m = arg;
	const struct value *reason = held(m->t, row, "cause");
	uint32_t point = (uint32_t)value_integer(held(m->t, row, "point"));
	int64_t since = value_integer(held(m->t, row, "since"));
	if (m->n == MARKS_MAX)
		return OK;
	if (m->n == m->cap)
		m->v = mem_resize(m->v, (m->cap = MAX(m->cap * 2, (size_t)64)) * sizeof *m->v);
	struct doubted *k = &m->v[m->n++];
	*k = (struct doubted){ .point = point, .since = since };
	for (unsigned r = 0; r < DOUBT_REASONS; r++)
		if (reason->kind == VAL_TEXT && str_is(reason->s, reason_names[r]))
			k->reasons = 1u << r;
	return OK;
}

static int by_point(const void *a, const void *b)
{
	const struct doubted *x = a, *y = b;
	return x->point < y->point ? -1 : x->point > y->point;
}

static void merge(struct marks *m)
{
	size_t n = 0;
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, by_point);
	for (size_t i = 0; i < m->n; i++) {
		if (n && m->v[n - 1].point == m->v[i].point) {
			m->v[n - 1].reasons |= m->v[i].reasons;
			m->v[n - 1].since = MIN(m->v[n - 1].since, m->v[i].since);
		} else {
			m->v[n++] = m->v[i];
		}
	}
	m->n = n;
}

void doubt_marks(struct detect *d, const struct site *s)
{
	static const struct value open[] = { { .kind = VAL_TEXT, .s = { "open", 4 } }, { .kind = VAL_TEXT, .s = { "confirmed", 9 } } };
	struct marks m = { .t = registry_type(s->reg, STR("data_doubt")) };
	if (!atomic_exchange(&d->marks_news, false) || !m.t)
		return;
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct filter f = { STR("state"), FILTER_IN, open, ARRAY_LEN(open) };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1 };
	struct db *db = store_read_begin(d->co->app.store);
	enum err err = records_each(db, &m.t->table, &lq, a, mark_row, &m);
	drift_decided(d, m.t, db);
	store_read_end(d->co->app.store, db);
	if (err) {
		log_error("detect", "the open doubts cannot be read: %s", err_name(err));
		mem_free(m.v);
		return;
	}
	merge(&m);
	pthread_mutex_lock(&d->mutex);
	struct doubted *old = d->marks;
	d->marks = m.v;
	d->nmarks = m.n;
	pthread_mutex_unlock(&d->mutex);
	mem_free(old);
}

bool core_detect_doubted(struct app *app, uint32_t point, struct doubted *ret)
{
	struct detect *d = ((struct core *)app)->detect;
	bool found = false;
	pthread_mutex_lock(&d->mutex);
	const struct doubted key = { .point = point };
	const struct doubted *k = d->nmarks ? bsearch(&key, d->marks, d->nmarks, sizeof *k, by_point) : NULL;
	if (k) {
		*ret = *k;
		found = true;
	}
	pthread_mutex_unlock(&d->mutex);
	return found;
}

void core_detect_doubted_each(struct app *app, void (*fn)(void *arg, const struct doubted *k), void *arg)
{
	struct detect *d = ((struct core *)app)->detect;
	pthread_mutex_lock(&d->mutex);
	for (size_t i = 0; i < d->nmarks; i++)
		fn(arg, &d->marks[i]);
	pthread_mutex_unlock(&d->mutex);
}
