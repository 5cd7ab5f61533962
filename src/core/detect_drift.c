// Points whose level has wandered away (detect/drift.h): a watch for each point whose kind has `drift`. What it finds is a doubt like the
// others (detect_doubt.c). T_DETECT.
#include <math.h>

#include "base/limits.h"
#include "core/detect_int.h"

#define BACK (3 * DRIFT_LEARN) // spans before its newest sample from which a new watch learns

struct drifting {
	struct detect *d;
	struct drift_watch *w;
};

static void on_event(void *arg, const struct drift_event *e)
{
	const struct drifting *f = arg;
	f->w->said = true;
	doubt_say(f->d, f->w->point, 0, &(struct doubt_event){ .reason = DOUBT_DRIFT, .begins = e->begins, .at = e->at, .since = e->since,
	                                                       .value = e->now, .usual = e->usual });
}

static void on_sample(void *arg, const struct sample *s)
{
	struct drifting *f = arg;
	if (s->quality <= DETECT_TRUSTED)
		drift_feed(&f->w->d, &f->w->facts, s->time, s->value, on_event, f);
}

static void keep(struct detect_saving **save, struct drift_watch *w)
{
	detect_save(save, &(struct detect_kept){ .thing = w->point, .through = w->through, .state = str_from((const char *)&w->d, sizeof w->d) });
	w->dirty = w->said = false;
}

static void begin_new(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "drift");
	for (size_t i = 0; i < d->ndrift; i++) {
		struct drift_watch *w = &d->drift[i];
		struct sample last;
		if (w->through || !series_last(d->co->app.series, w->point, &last))
			continue;
		w->through = MAX(last.time - BACK * w->facts.every, INT64_C(1)) - 1;
		keep(&save, w);
	}
	detect_save_end(save);
}

void drift_pass(struct detect *d)
{
	begin_new(d);
	struct detect_saving *save = detect_save_begin(d, "drift");
	for (size_t i = 0; i < d->ndrift && !detect_stopping(d); i++) {
		struct drift_watch *w = &d->drift[i];
		struct drifting f = { d, w };
		struct sample last;
		if (w->through && series_last(d->co->app.series, w->point, &last) && last.time / w->facts.every > w->through / w->facts.every) {
			detect_read(d, w->point, &w->through, last.time, on_sample, &f);
			w->dirty = true;
		}
		if (w->said) // behind the changes it made
			keep(&save, w);
	}
	detect_save_end(save);
}

void drift_save_all(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "drift");
	for (size_t i = 0; i < d->ndrift; i++)
		if (d->drift[i].dirty)
			keep(&save, &d->drift[i]);
	detect_save_end(save);
}

void drift_decided(struct detect *d, const struct type *t, struct db *db)
{
	for (size_t i = 0; i < d->ndrift; i++) {
		struct drift_watch *w = &d->drift[i];
		if (!w->d.since)
			continue;
		struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
		struct value key = { .kind = VAL_TEXT, .s = doubt_key(a, w->point, DOUBT_DRIFT, w->d.since) };
		struct row row;
		if (records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), key, a, &row) == OK &&
		    (str_is(row.c.state, "repaired") || str_is(row.c.state, "dismissed"))) {
			drift_init(&w->d, w->facts.every);
			w->said = true;
		}
	}
}

// ---- another site -------------------------------------------------------------------------------

static void drop(struct detect *d, struct drift_watch *w)
{
	struct drifting f = { d, w };
	if (w->d.since)
		on_event(&f, &(struct drift_event){ .at = w->through, .since = w->d.since, .usual = NAN, .now = NAN });
	detect_forget(d, "drift", w->point, 0);
}

static void make(struct detect *d, const struct site *s, struct drift_watch *old, size_t nold)
{
	struct watch_list l;
	struct drift_watch *w;
	struct site_point p;
	bool was;
	watch_list_begin(&l, sizeof *w, LIMIT_DRIFT_WATCHES, old, nold);
	for (uint32_t id = 0; site_point_next(s, &id, &p);) {
		const struct point_kind *k = registry_kind(s->reg, p.def.kind);
		if (!k || !k->drift || p.def.out_of_service || !(w = watch_list_put(&l, p.def.id, 0, &was)))
			continue;
		if (was && w->d.every != k->drift) { // of other spans: nothing of it can go on
			drop(d, w);
			*w = (struct drift_watch){ .point = p.def.id };
			was = false;
		}
		if (!was)
			drift_init(&w->d, k->drift);
		w->facts = (struct drift_facts){ k->drift, k->drift_least };
	}
	while ((w = watch_list_gone(&l)))
		drop(d, w);
	watch_list_end(d, &l, &d->drift, &d->ndrift, &d->drift_left);
}

void drift_site(struct detect *d, const struct site *s) { make(d, s, d->drift, d->ndrift); }

static bool take(void *watch, const struct detect_kept *k)
{
	struct drift_watch *w = watch;
	return detect_state_take(k, &w->d, sizeof w->d, DRIFT_VERSION);
}

void drift_begin(struct detect *d, const struct site *s)
{
	size_t n;
	struct drift_watch *old = detect_kept_watches(d, "drift", sizeof *old, take, &n);
	make(d, s, old, n);
}
