// Units of equipment whose model is in force (api/unit_model.h): the rows that history makes are judged as they become complete, what
// lasts becomes a record (type unit_alert), and a warning if the unit says so. T_DETECT.
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "core/detect_int.h"

#define PATIENCE_LEAST (30 * US_PER_S) // a row waits so long, or three intervals, for a point that is behind the others
#define BATCH_US (10 * US_PER_S)   // rows of shorter intervals are judged so many seconds of them at once: reading costs more than judging
#define CATCH_UP_ROWS 20000        // a unit that is further behind begins anew
#define LEAD_ROWS 60               // of history before now that a unit begins with

// ---- the record of what lasts -------------------------------------------------------------------

struct unit_job {
	struct core *co;
	struct site *site;
	struct arena *arena;
	int64_t unit, at;
	uint32_t version;
	uint32_t cause[UNIT_CAUSES]; // points
	struct unit_episode e;
	double score;
	bool begins;
};

static struct value val_text(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value val_int(int64_t i) { return (struct value){ .kind = i ? VAL_INT : VAL_NULL, .i = i }; }
static struct value val_real(double f) { return (struct value){ .kind = isfinite(f) ? VAL_REAL : VAL_NULL, .f = f }; }
static double thousandth(double v) { return round(v * 1000) / 1000; }

static struct str key_of(const struct unit_job *j)
{
	return arena_printf(j->arena, "%lld-%u-%lld", (long long)j->unit, j->version, (long long)j->e.since);
}

static void sentence(const struct unit_job *j, struct str *ret_zh, struct str *ret_en, struct str *ret_ids)
{
	*ret_zh = *ret_en = STR_EMPTY;
	*ret_ids = j->e.ncauses ? STR(",") : STR_EMPTY;
	for (uint32_t i = 0; i < j->e.ncauses; i++) {
		struct site_point p;
		int percent = (int)round(100 * j->e.share[i]);
		if (!site_point(j->site, j->cause[i], &p))
			continue;
		*ret_zh = arena_printf(j->arena, "%.*s%s%.*s（%d%%）", STR_FMT(*ret_zh), i ? "、" : "贡献最大：", STR_FMT(p.name), percent);
		*ret_en = arena_printf(j->arena, "%.*s%s%.*s (%d %%)", STR_FMT(*ret_en), i ? ", " : "Most from: ", STR_FMT(p.name), percent);
		*ret_ids = arena_printf(j->arena, "%.*s%u,", STR_FMT(*ret_ids), j->cause[i]);
	}
}

// The warning that the unit asks for: of the same place, to be verified by a person like any other.
static enum err open_warning(struct db *db, const struct unit_job *j, const struct unit_spec *s, struct str title, struct str zh,
                             struct str en, struct problem *p)
{
	const struct type *t = registry_type(j->site->reg, STR("warning"));
	struct flow_field all[] = {
		{ "title", val_text(title) },      { "category", val_text(STR("process")) }, { "level", val_text(STR("yellow")) },
		{ "content", val_text(zh) },       { "content_en", val_text(en) },           { "enterprise", val_int(s->enterprise) },
		{ "happened", val_int(j->e.since) }, { "point", val_int(j->e.ncauses ? j->cause[0] : 0) }, { "value", val_real(thousandth(j->score)) },
	};
	struct flow_field fields[ARRAY_LEN(all)];
	size_t n = 0;
	int64_t id;
	for (size_t i = 0; t && i < ARRAY_LEN(all); i++)
		if (type_field(t, str_of(all[i].name)) && all[i].v.kind != VAL_NULL)
			fields[n++] = all[i];
	return t ? flow_open(db, j->site->reg, t, fields, n, s->area, s->enterprise, 0, j->arena, &id, p) : OK;
}

static enum err open_alert(struct db *db, const struct unit_job *j, const struct type *t, struct problem *p)
{
	const struct type *units = registry_type(j->site->reg, STR("unit_model"));
	struct row row, unit;
	struct unit_spec s;
	struct str zh, en, ids;
	int64_t id;
	struct value key = val_text(key_of(j));
	if (!units || records_get(db, &units->table, &(struct scope){ 0 }, j->unit, j->arena, &unit) ||
	    records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), key, j->arena, &row) == OK || unit_spec_read(units, &unit, j->site, &s, p))
		return OK; // it is gone, or this was read once more after a crash
	sentence(j, &zh, &en, &ids);
	struct str title = arena_printf(j->arena, "%.*s 运行异常", STR_FMT(s.name));
	struct flow_field fields[] = {
		{ "title", val_text(title) },
		{ "enterprise", val_int(s.enterprise) },
		{ "unit_model", val_int(j->unit) },
		{ "with_version", val_int(j->version) },
		{ "since", val_int(j->e.since) },
		{ "score", val_real(thousandth(j->score)) },
		{ "points", val_text(ids) },
		{ "content", val_text(zh) },
		{ "content_en", val_text(en) },
		{ "key", key },
	};
	enum err err = flow_open(db, j->site->reg, t, fields, ARRAY_LEN(fields), s.area, s.enterprise, 0, j->arena, &id, p);
	return !err && str_is(s.says, "warning") ? open_warning(db, j, &s, title, zh, en, p) : err;
}

static enum err end_alert(struct db *db, const struct unit_job *j, const struct type *t, struct problem *p)
{
	struct identity system = identity_system();
	struct row row;
	char text[TIME_TEXT_MAX];
	enum err err = records_find(db, &t->table, &(struct scope){ 0 }, STR("key"), val_text(key_of(j)), j->arena, &row);
	if (err)
		return err;
	json_t *body = json_object();
	json_object_set_new(body, "over", json_stringn(text, time_text(j->at, text)));
	json_object_set_new(body, "peak", json_real(thousandth(j->e.peak)));
	err = flow_move(db, j->site->reg, t, row.c.id, STR("end"), body, &system, false, j->arena, p);
	json_decref(body);
	return err == ERR_CONFLICT ? OK : err; // a person has judged it
}

static enum err unit_run(struct db *db, void *arg, struct problem *p)
{
	struct unit_job *j = arg;
	const struct type *t = registry_type(j->site->reg, STR("unit_alert"));
	return !t ? OK : j->begins ? open_alert(db, j, t, p) : end_alert(db, j, t, p);
}

static void unit_done(void *arg, enum err err)
{
	struct unit_job *j = arg;
	if (err && err != ERR_NOT_FOUND)
		log_error("detect", "unit %lld: what it found cannot be recorded: %s", (long long)j->unit, err_name(err));
	core_site_give(&j->co->app, j->site);
	arena_free(j->arena);
	mem_free(j);
}

static void post(struct detect *d, struct unit_watch *w, bool begins, int64_t at, double score)
{
	struct unit_job *j = mem_alloc(sizeof *j);
	*j = (struct unit_job){ .co = d->co, .site = core_site_take(&d->co->app), .arena = arena_new(4096), .unit = w->id, .at = at,
		                .version = w->k.version, .e = w->k.e, .score = score, .begins = begins };
	for (uint32_t i = 0; i < w->k.e.ncauses; i++)
		j->cause[i] = w->k.rows.point[w->k.e.cause[i]];
	w->said = true;
	store_post(d->co->app.store, unit_run, j, unit_done);
}

// ---- rows ---------------------------------------------------------------------------------------

struct judging {
	struct detect *d;
	struct unit_watch *w;
};

static void note_recent(struct unit_view *v, int64_t at, const struct unit_score *s)
{
	if (v->nrecent == ARRAY_LEN(v->recent))
		memmove(v->recent, v->recent + 1, --v->nrecent * sizeof *v->recent);
	v->recent[v->nrecent].at = at;
	v->recent[v->nrecent].score = (float)s->score;
	v->recent[v->nrecent++].flag = s->flag;
}

static bool judge_row(void *arg, int64_t time, const double *row)
{
	struct judging *j = arg;
	struct unit_watch *w = j->w;
	struct unit_score s;
	unit_feed(w->unit, row, &s);
	enum unit_turn turn = unit_episode_feed(&w->k.e, time, &s);
	w->k.flagged += s.flag;
	if (turn != UNIT_STAYS)
		post(j->d, w, turn == UNIT_BEGAN, time, s.score);
	if (turn == UNIT_ENDED)
		w->k.e = (struct unit_episode){ 0 };
	pthread_mutex_lock(&j->d->mutex);
	w->view.score = s;
	w->view.through = time;
	w->view.since = w->k.e.since;
	w->view.rows = w->k.rows.rows;
	w->view.gaps = w->k.rows.gaps;
	w->view.flagged = w->k.flagged;
	w->view.state = UNIT_RUNS;
	note_recent(&w->view, time, &s);
	j->d->cost.rows++;
	bool go_on = !j->d->stop;
	pthread_mutex_unlock(&j->d->mutex);
	return go_on;
}

// Up to when rows are complete: every point has been heard of behind it, or it lies so far back that who is late is not waited for.
static int64_t complete(struct detect *d, const struct unit_watch *w)
{
	int64_t least = INT64_MAX, most = 0;
	for (uint32_t i = 0; i < w->k.rows.n; i++) {
		struct sample s;
		int64_t last = series_last(d->co->app.series, w->k.rows.point[i], &s) ? s.time : 0;
		least = MIN(least, last);
		most = MAX(most, last);
	}
	return MAX(least, most - MAX(PATIENCE_LEAST, 3 * w->k.rows.interval));
}

static void keep(struct detect_saving **save, struct unit_watch *w)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	buf_add(&out, &w->k, sizeof w->k);
	unit_state_save(w->unit, &out);
	struct detect_kept row = { .thing = (uint32_t)w->id, .key = w->k.version, .through = w->k.rows.seen, .state = buf_str(&out) };
	detect_save(save, &row);
	buf_free(&out);
	w->dirty = w->said = false;
}

static void begin_new(struct detect_saving **save, struct unit_watch *w, int64_t to)
{
	struct unit_spec s = { .n = w->k.rows.n, .interval = w->k.rows.interval };
	memcpy(s.point, w->k.rows.point, sizeof s.point);
	unit_rows_begin(&w->k.rows, &s, MAX(to - LEAD_ROWS * s.interval, s.interval));
	keep(save, w);
}

void unit_pass(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "unit");
	for (size_t i = 0; i < d->nunits && !detect_stopping(d); i++) {
		struct unit_watch *w = d->units[i];
		struct judging j = { d, w };
		int64_t to = w->unit ? complete(d, w) : 0;
		if (to <= 0 || (w->k.rows.next && (to < w->k.rows.next || to - w->k.rows.next < BATCH_US - w->k.rows.interval)))
			continue;
		if (!w->k.rows.next || (to - w->k.rows.next) / w->k.rows.interval > CATCH_UP_ROWS)
			begin_new(&save, w, to);
		if (unit_rows_run(&w->k.rows, d->co->app.series, to, d->arena, judge_row, &j))
			d->cost.errors++; // the next turn goes on where this one stopped
		w->dirty = true;
		if (w->said)
			keep(&save, w);
	}
	detect_save_end(save);
}

void unit_save_all(struct detect *d)
{
	struct detect_saving *save = detect_save_begin(d, "unit");
	for (size_t i = 0; i < d->nunits; i++)
		if (d->units[i]->dirty && d->units[i]->unit)
			keep(&save, d->units[i]);
	detect_save_end(save);
}

// ---- which are in force -------------------------------------------------------------------------

void detect_note_unit(struct core *co)
{
	if (co->detect)
		atomic_store(&co->detect->units_news, true);
}

// Of the same points, in the same order, at the same interval.
static bool same_rows(const struct unit_rows *r, uint32_t n, const uint32_t *point, int64_t interval)
{
	return r->n == n && r->interval == interval && memcmp(r->point, point, n * sizeof *point) == 0;
}

static void restore(struct unit_watch *w, struct str state)
{
	struct unit_kept k;
	if (state.n <= sizeof k)
		return;
	memcpy(&k, state.p, sizeof k);
	if (same_rows(&k.rows, w->k.rows.n, w->k.rows.point, w->k.rows.interval) &&
	    unit_state_load(w->unit, str_skip(state, sizeof k)))
		w->k = k;
}

// Its model with the state that was kept; the view says what is missing.
static void load(struct db *db, struct unit_watch *w, const struct unit_spec *s, struct arena *a)
{
	struct unit_version v;
	struct detect_kept kept;
	w->view.version = s->version;
	w->view.state = UNIT_NO_VERSION;
	if (s->version <= 0 || unit_version_get(db, s->id, s->version, a, &v))
		return;
	w->view.state = UNIT_WRONG;
	if (v.n != s->n || v.interval != s->interval || memcmp(v.point, s->point, v.n * sizeof *v.point) != 0)
		return;
	w->unit = unit_model_load(v.model);
	if (!w->unit)
		return;
	w->view.state = UNIT_WAITS;
	w->view.n = s->n;
	memcpy(w->view.point, s->point, sizeof s->point);
	w->k = (struct unit_kept){ .version = (uint32_t)s->version, .rows = { .n = s->n, .interval = s->interval } };
	memcpy(w->k.rows.point, s->point, sizeof s->point);
	if (!detect_kept_one(db, "unit", (uint32_t)s->id, (uint32_t)s->version, a, &kept))
		restore(w, kept.state);
}

static void free_watch(struct unit_watch *w)
{
	unit_free(w->unit);
	mem_free(w);
}

struct units_found {
	struct detect *d;
	struct site *site;
	struct db *db;
	const struct type *t;
	struct arena *a;
	struct unit_watch **v;
	size_t n;
	bool *taken;                // by place in d->units: goes on as it is
};

static struct unit_watch *same_watch(struct units_found *g, const struct unit_spec *s)
{
	for (size_t i = 0; i < g->d->nunits; i++) {
		struct unit_watch *w = g->d->units[i];
		if (!g->taken[i] && w->unit && w->id == s->id && w->view.version == s->version &&
		    same_rows(&w->k.rows, s->n, s->point, s->interval)) {
			g->taken[i] = true;
			return w;
		}
	}
	return NULL;
}

static void gather(struct units_found *g, const struct row *row)
{
	struct unit_spec s;
	struct problem p;
	problem_init(&p, g->a);
	enum err err = unit_spec_read(g->t, row, g->site, &s, &p);
	struct unit_watch *w = err ? NULL : same_watch(g, &s);
	if (!w) {
		w = mem_alloc(sizeof *w);
		w->id = row->c.id;
		w->view.state = UNIT_WRONG;
		if (!err)
			load(g->db, w, &s, g->a);
	}
	g->v[g->n++] = w;
}

static void put_in_force(struct detect *d, struct units_found *g)
{
	pthread_mutex_lock(&d->mutex);
	struct unit_watch **old = d->units;
	size_t nold = d->nunits;
	d->units = g->v;
	d->nunits = g->n;
	pthread_mutex_unlock(&d->mutex);
	for (size_t i = 0; i < nold; i++)
		if (!g->taken[i])
			free_watch(old[i]);
	mem_free(old);
}

void unit_news(struct detect *d, struct site *s, bool all)
{
	static const struct value in_force = { .kind = VAL_TEXT, .s = { "in_force", 8 } };
	struct units_found g = { .d = d, .site = s, .t = registry_type(s->reg, STR("unit_model")) };
	bool news = atomic_exchange(&d->units_news, false);
	if ((!news && !all) || !g.t)
		return;
	g.a = arena_new(1 << 16);
	struct filter f = { STR("state"), FILTER_EQ, &in_force, 1 };
	struct sort by = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .sorts = &by, .nsorts = 1, .limit = LIMIT_UNIT_MODELS };
	struct problem p;
	struct row *rows;
	size_t n = 0;
	problem_init(&p, g.a);
	g.db = store_read_begin(d->co->app.store);
	enum err err = records_list(g.db, &g.t->table, &(struct scope){ 0 }, &lq, g.a, &rows, &n, NULL, &p);
	g.v = mem_alloc(MAX(n, (size_t)1) * sizeof(struct unit_watch *));
	g.taken = arena_many(g.a, d->nunits + 1, bool);
	for (size_t i = 0; !err && i < n; i++)
		gather(&g, &rows[i]);
	store_read_end(d->co->app.store, g.db);
	if (err) {
		mem_free(g.v);
		atomic_store(&d->units_news, true); // the next turn tries again
	} else {
		put_in_force(d, &g);
	}
	arena_free(g.a);
}

bool core_detect_unit(struct app *app, int64_t unit, struct unit_view *ret)
{
	struct detect *d = ((struct core *)app)->detect;
	bool found = false;
	pthread_mutex_lock(&d->mutex);
	for (size_t i = 0; i < d->nunits && !found; i++)
		if (d->units[i]->id == unit) {
			*ret = d->units[i]->view;
			found = true;
		}
	pthread_mutex_unlock(&d->mutex);
	return found;
}
