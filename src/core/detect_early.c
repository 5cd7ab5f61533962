// Points on their way to a limit (detect/early.h): a watch for each rule with `early` at each point, and its record (type
// early_warning), which is moved as the watch says. T_DETECT; the record's changes are jobs of the writer.
#include <math.h>

#include "base/limits.h"
#include "core/detect_int.h"

static const char *const level_names[EARLY_LEVELS] = { "ll", "l", "h", "hh" };

// ---- the record ---------------------------------------------------------------------------------

enum early_step { STEP_RAISE, STEP_STOP, STEP_AGAIN, STEP_REACH, STEP_PASS, STEP_DROP };

struct early_job {
	struct core *co;
	struct site *site;
	struct arena *arena;
	uint32_t point, rule, key;
	enum early_step step;
	struct early_event e;
};

static struct value val_text(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value val_int(int64_t i) { return (struct value){ .kind = i ? VAL_INT : VAL_NULL, .i = i }; }
static struct value val_real(double f) { return (struct value){ .kind = isfinite(f) ? VAL_REAL : VAL_NULL, .f = f }; }

// One condition: point, rule, level and since when. The same samples read again make the same.
static struct str key_of(const struct early_job *j)
{
	return arena_printf(j->arena, "%u-%08x-%s-%lld", j->point, j->key, level_names[j->e.level], (long long)j->e.raised);
}

static double round_to(double v, double step) { return round(v / step) * step; }

static void sentence(const struct early_job *j, struct str unit, struct str *ret_zh, struct str *ret_en)
{
	static const char *const zh[] = { "低低限", "低限", "高限", "高高限" }, *const en[] = { "low-low limit", "low limit", "high limit", "high-high limit" };
	const struct early_event *e = &j->e;
	double step = e->p90 > 20 ? 1 : 0.1;
	*ret_zh = arena_printf(j->arena, "按现在的趋势约 %g（%g–%g）分钟后到%s %g %.*s", round_to(e->p50, step), round_to(e->p10, step),
	                       round_to(e->p90, step), zh[e->level], e->limit, STR_FMT(unit));
	*ret_en = arena_printf(j->arena, "At the present trend about %g (%g to %g) minutes to the %s %g %.*s", round_to(e->p50, step),
	                       round_to(e->p10, step), round_to(e->p90, step), en[e->level], e->limit, STR_FMT(unit));
}

static enum err raise_record(struct db *db, const struct early_job *j, const struct type *t, struct problem *p)
{
	const struct early_event *e = &j->e;
	struct site_point sp;
	struct str zh, en;
	struct row row;
	int64_t id;
	struct value key = val_text(key_of(j));
	if (!site_point(j->site, j->point, &sp) || records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), key, j->arena, &row) == OK)
		return OK; // the point is gone, or it was read once more after a crash
	sentence(j, sp.unit, &zh, &en);
	struct str title = arena_printf(j->arena, "%.*s %.*s", STR_FMT(sp.name), STR_FMT(zh));
	struct flow_field fields[] = {
		{ "title", val_text(title) },
		{ "enterprise", val_int(sp.def.enterprise) },
		{ "point", val_int(j->point) },
		{ "color", val_text(rule_early_color(j->site->rules, j->rule)) },
		{ "level", val_text(str_of(level_names[e->level])) },
		{ "limit", val_real(e->limit) },
		{ "content", val_text(zh) },
		{ "content_en", val_text(en) },
		{ "raised", val_int(e->raised) },
		{ "value", val_real(round_to(e->value, 0.001)) },
		{ "per_hour", val_real(round_to(60 * e->per_minute, 0.001)) },
		{ "minutes", val_real(round_to(e->p50, 0.1)) },
		{ "minutes_from", val_real(round_to(e->p10, 0.1)) },
		{ "minutes_to", val_real(round_to(e->p90, 0.1)) },
		{ "until", val_int(e->until) },
		{ "rule", val_text(rule_info(j->site->rules, j->rule).name) },
		{ "key", key },
	};
	return flow_open(db, j->site->reg, t, fields, ARRAY_LEN(fields), sp.def.area, sp.def.enterprise, 0, j->arena, &id, p);
}

static json_t *time_json(int64_t at)
{
	char text[TIME_TEXT_MAX];
	size_t n = time_text(at, text);
	return json_stringn(text, n);
}

static enum err move_record(struct db *db, const struct early_job *j, const struct type *t, struct problem *p)
{
	static const char *const moves[] = { [STEP_STOP] = "stop", [STEP_AGAIN] = "again", [STEP_REACH] = "reach", [STEP_PASS] = "pass", [STEP_DROP] = "drop" };
	struct identity system = identity_system();
	struct row row;
	enum err err = records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), val_text(key_of(j)), j->arena, &row);
	if (err)
		return err;
	struct str move = str_of(moves[j->step]);
	if (j->step == STEP_PASS && str_is(row.c.state, "averted"))
		move = STR("prevent");
	json_t *body = json_object();
	if (j->step == STEP_STOP)
		json_object_set_new(body, "over", time_json(j->e.at));
	if (j->step == STEP_REACH) {
		json_object_set_new(body, "hit", time_json(j->e.at));
		json_object_set_new(body, "lead", json_real(round_to((double)(j->e.at - j->e.raised) / (double)US_PER_MIN, 0.1)));
	}
	err = flow_move(db, j->site->reg, t, row.c.id, move, body, &system, false, j->arena, p);
	json_decref(body);
	return err == ERR_CONFLICT ? OK : err; // a person, or the same samples read again, was there before
}

static enum err early_run(struct db *db, void *arg, struct problem *p)
{
	struct early_job *j = arg;
	const struct type *t = registry_type(j->site->reg, STR("early_warning"));
	if (!t)
		return OK;
	return j->step == STEP_RAISE ? raise_record(db, j, t, p) : move_record(db, j, t, p);
}

static void early_done(void *arg, enum err err)
{
	struct early_job *j = arg;
	if (err && err != ERR_NOT_FOUND)
		log_error("detect", "point %u: its early warning cannot be recorded: %s", j->point, err_name(err));
	core_site_give(&j->co->app, j->site);
	arena_free(j->arena);
	mem_free(j);
}

static void post(struct detect *d, const struct early_watch *w, enum early_step step, const struct early_event *e)
{
	struct early_job *j = mem_alloc(sizeof *j);
	*j = (struct early_job){ .co = d->co, .site = core_site_take(&d->co->app), .arena = arena_new(4096), .point = w->point,
		                 .rule = w->rule, .key = w->key, .step = step, .e = *e };
	store_post(d->co->app.store, early_run, j, early_done);
}

// ---- the watches --------------------------------------------------------------------------------

struct feeding {
	struct detect *d;
	struct early_watch *w;
};

static void on_event(void *arg, const struct early_event *e)
{
	static const enum early_step steps[] = { [EARLY_RAISED] = STEP_RAISE, [EARLY_ENDED] = STEP_STOP, [EARLY_AGAIN] = STEP_AGAIN,
		                                 [EARLY_HIT] = STEP_REACH, [EARLY_MISSED] = STEP_PASS };
	const struct feeding *f = arg;
	f->w->said = true;
	post(f->d, f->w, steps[e->what], e);
}

static void on_gone(void *arg, unsigned level, int64_t raised)
{
	const struct feeding *f = arg;
	post(f->d, f->w, STEP_DROP, &(struct early_event){ .level = level, .raised = raised });
}

static void on_sample(void *arg, const struct sample *s)
{
	struct feeding *f = arg;
	if (s->quality <= DETECT_TRUSTED)
		early_feed(&f->w->e, s->time, s->value, f->d->scratch, on_event, f);
}

static bool says_something(const struct early *e)
{
	for (unsigned level = 0; level < EARLY_LEVELS; level++)
		if (e->level[level].raised)
			return true;
	return false;
}

// A span is over; or something is said, and each sample may be the hit.
static bool is_due(const struct early_watch *w, int64_t newest)
{
	int64_t every = w->e.facts.every;
	return newest > w->through && (newest / every != w->through / every || says_something(&w->e));
}

static void keep(struct detect_saving **save, struct early_watch *w)
{
	detect_save(save, &(struct detect_kept){ .thing = w->point, .key = w->key, .through = w->through,
	                                         .state = str_from((const char *)&w->e, sizeof w->e) });
	w->dirty = w->said = false;
}

// Where a new watch begins is kept before anything is said of it: read again after a crash, the same samples say the same.
static void begin_new(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "early");
	for (size_t i = 0; i < d->nearly; i++) {
		struct early_watch *w = &d->early[i];
		struct sample last;
		if (w->through || !series_last(d->co->app.series, w->point, &last))
			continue;
		pthread_mutex_lock(&d->mutex);
		w->through = MAX(last.time - EARLY_KEEP * w->e.facts.every, INT64_C(1)) - 1;
		pthread_mutex_unlock(&d->mutex);
		keep(&save, w);
	}
	detect_save_end(save);
}

void early_pass(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "early");
	begin_new(d);
	for (size_t i = 0; i < d->nearly && !detect_stopping(d); i++) {
		struct early_watch *w = &d->early[i];
		struct feeding f = { d, w };
		struct sample last;
		if (!w->through || !series_last(d->co->app.series, w->point, &last) || !is_due(w, last.time))
			continue;
		detect_read(d, w->point, &w->through, last.time, on_sample, &f);
		w->dirty = true;
		if (w->said) // behind the changes it made
			keep(&save, w);
	}
	detect_save_end(save);
}

// ---- another site -------------------------------------------------------------------------------

static struct early_facts facts_of(const struct rule_early *r)
{
	struct early_facts f = { .within = r->within, .every = r->every };
	memcpy(f.limit, r->limit, sizeof f.limit);
	return f;
}

static void drop(struct detect *d, struct early_watch *w)
{
	struct early_facts none = w->e.facts;
	struct feeding f = { d, w };
	for (unsigned level = 0; level < EARLY_LEVELS; level++)
		none.limit[level] = NAN;
	early_change(&w->e, &none, on_gone, &f);
	detect_forget(d, "early", w->point, w->key);
}

static void make(struct detect *d, const struct site *s, struct early_watch *old, size_t nold)
{
	struct watch_list l;
	struct early_watch *w;
	struct rule_early rules[RULE_EARLY_MAX];
	struct site_point p;
	bool was;
	watch_list_begin(&l, sizeof *w, LIMIT_EARLY_WATCHES, old, nold);
	for (uint32_t id = 0; rules_have_early(s->rules) && site_point_next(s, &id, &p);) {
		size_t nrules = rules_early(s->rules, &p.def, rules);
		for (size_t i = 0; i < nrules; i++) {
			struct early_facts facts = facts_of(&rules[i]);
			if (!(w = watch_list_put(&l, p.def.id, rules[i].key, &was)))
				continue;
			w->rule = rules[i].rule;
			if (was)
				early_change(&w->e, &facts, on_gone, &(struct feeding){ d, w });
			else
				early_init(&w->e, &facts);
		}
	}
	while ((w = watch_list_gone(&l)))
		drop(d, w);
	watch_list_end(d, &l, &d->early, &d->nearly, &d->early_left);
}

void early_site(struct detect *d, const struct site *s) { make(d, s, d->early, d->nearly); }

static bool take(void *watch, const struct detect_kept *k)
{
	struct early_watch *w = watch;
	return detect_state_take(k, &w->e, sizeof w->e, EARLY_VERSION);
}

void early_begin(struct detect *d, const struct site *s)
{
	size_t n;
	struct early_watch *old = detect_kept_watches(d, "early", sizeof *old, take, &n);
	make(d, s, old, n);
}

void early_save_all(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "early");
	for (size_t i = 0; i < d->nearly; i++) {
		struct early_watch *w = &d->early[i];
		if (!w->dirty)
			continue;
		keep(&save, w);
	}
	detect_save_end(save);
}

size_t core_detect_early(struct app *app, uint32_t point, struct early_view *ret, size_t max)
{
	struct detect *d = ((struct core *)app)->detect;
	size_t n = 0, lo = 0, hi;
	pthread_mutex_lock(&d->mutex);
	hi = d->nearly;
	while (lo < hi) { // the first of the point
		size_t mid = (lo + hi) / 2;
		if (d->early[mid].point < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i < d->nearly && d->early[i].point == point && n < max; i++)
		ret[n++] = (struct early_view){ .rule = d->early[i].rule, .through = d->early[i].through, .e = d->early[i].e };
	pthread_mutex_unlock(&d->mutex);
	return n;
}

size_t core_detect_early_points(struct app *app, void (*fn)(void *arg, uint32_t point), void *arg)
{
	struct detect *d = ((struct core *)app)->detect;
	pthread_mutex_lock(&d->mutex);
	size_t n = d->nearly;
	for (size_t i = 0; i < n; i++)
		if (!i || d->early[i].point != d->early[i - 1].point)
			fn(arg, d->early[i].point);
	pthread_mutex_unlock(&d->mutex);
	return n;
}
