// Grades of major hazard installations from what is in their tanks: once a second the newest levels of the linked points become
// masses (risk/inventory.h), the masses R and a grade (GB 18218-2018, model gb18218 with a dead band), and what is different
// enough is a change of the record. A grade above the one on file starts the re-assessment. T_EVENTS; jobs in the writer thread.
// The units are read again when an installation has changed, at most once a second.
#include <math.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "model/exprs.h"
#include "risk/inventory.h"
#include "risk/risk.h"

#define TYPE STR("installation")
#define REST (30 * US_PER_S)
#define SAME 0.001      // of a mass: below that nothing is computed anew

struct substance { struct str name, cas, class, state; double design, critical, beta; };
struct tank { uint32_t point; size_t substance; double volume, height, density; enum tank_shape shape; };

struct unit {
	int64_t id, enterprise, changed_at;
	struct str live_grade;
	double persons, live_r;     // live_r NAN: not known yet
	struct substance *subs;
	struct tank *tanks;
	size_t nsubs, ntanks;
	double *judged;             // masses that were judged last, by substance
	bool rises;                 // it is graver than the grade on file
	bool edited;                // by a person, since it was graded from its levels
	bool agrees;                // what is there was computed and is as the record says
};

struct settings { double dead_band, write_share, write_interval; };

struct regrader {
	struct arena *arena;        // of the units
	struct unit *units;
	size_t n, cap;
	const struct registry *reg; // pinned: of the units
	struct settings set;
	_Atomic bool stale;
	_Atomic int pending;        // jobs
	_Atomic int64_t rest;       // after a job that failed: not before (clock_mono)
};

// ---- reading the units --------------------------------------------------------------------------

static struct str cell_str(const json_t *row, const char *name, struct arena *a)
{
	const json_t *j = json_object_get(row, name);
	return json_is_string(j) ? arena_str(a, str_from(json_string_value(j), json_string_length(j))) : STR_EMPTY;
}

static double cell_num(const json_t *row, const char *name)
{
	const json_t *j = json_object_get(row, name);
	return json_is_number(j) ? json_number_value(j) : NAN;
}

static json_t *rows_of(const struct type *t, const struct row *row, const char *name)
{
	const struct value *v = held(t, row, name);
	json_t *rows = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	return json_is_array(rows) ? rows : json_array();
}

static void read_substances(struct unit *u, json_t *rows, struct arena *a)
{
	json_t *j;
	size_t i;
	u->subs = arena_many(a, json_array_size(rows), struct substance);
	json_array_foreach(rows, i, j)
		u->subs[u->nsubs++] = (struct substance){ .name = cell_str(j, "name", a), .cas = cell_str(j, "cas", a),
			.class = cell_str(j, "class", a), .state = cell_str(j, "state", a), .design = cell_num(j, "quantity_t"),
			.critical = cell_num(j, "critical_t"), .beta = cell_num(j, "beta") };
	u->judged = arena_many(a, u->nsubs, double);
	for (i = 0; i < u->nsubs; i++)
		u->judged[i] = NAN;
}

static enum tank_shape shape_of(struct str name)
{
	return str_is(name, "horizontal") ? TANK_HORIZONTAL : str_is(name, "sphere") ? TANK_SPHERE : TANK_VERTICAL;
}

static void read_tanks(struct unit *u, json_t *rows, struct arena *a)
{
	json_t *j;
	size_t i;
	u->tanks = arena_many(a, json_array_size(rows), struct tank);
	json_array_foreach(rows, i, j) {
		struct tank k = { .volume = cell_num(j, "volume_m3"), .height = cell_num(j, "height_m"), .density = cell_num(j, "density"),
			          .shape = shape_of(cell_str(j, "shape", a)), .substance = u->nsubs };
		int64_t point = json_integer_value(json_object_get(j, "point"));
		struct str name = cell_str(j, "substance", a);
		for (size_t s = 0; s < u->nsubs; s++)
			if (str_eq(u->subs[s].name, name))
				k.substance = s;
		if (point <= 0 || point > LIMIT_POINTS || k.substance == u->nsubs)
			continue;
		k.point = (uint32_t)point;
		u->tanks[u->ntanks++] = k;
	}
}

// Items of the menu stand gravest first. SIZE_MAX: none.
static size_t rank(const struct type *t, const char *field, struct str grade)
{
	const struct field *f = type_field(t, str_of(field));
	for (size_t i = 0; f && f->menu && i < f->menu->nitems; i++)
		if (str_eq(f->menu->items[i].value, grade))
			return i;
	return SIZE_MAX;
}

static const struct move *way_up(const struct type *t, struct str state)
{
	const struct move *m = type_move(t, STR("reassess"));
	for (size_t i = 0; m && i < m->nfrom; i++)
		if (str_eq(m->from[i]->name, state))
			return m;
	return NULL;
}

static bool rises(const struct type *t, const struct row *row)
{
	size_t filed = rank(t, "filed_grade", held_text(t, row, "filed_grade"));
	return filed != SIZE_MAX && rank(t, "grade", held_text(t, row, "grade")) < filed && way_up(t, row->c.state);
}

struct reading_units { struct regrader *g; const struct type *t; };

static enum err read_unit(void *arg, const struct row *row)
{
	struct reading_units *r = arg;
	struct arena *a = r->g->arena;
	const struct state *s = type_state(r->t, row->c.state);
	json_t *subs = rows_of(r->t, row, "substances"), *tanks = rows_of(r->t, row, "tanks");
	struct unit u = { .id = row->c.id, .enterprise = row->c.enterprise, .changed_at = row->c.changed_at,
		          .live_grade = arena_str(a, held_text(r->t, row, "live_grade")), .rises = rises(r->t, row),
		          .edited = row->c.changed_by != 0, // the system itself is nobody
		          .persons = value_number(held(r->t, row, "persons"), NAN), .live_r = value_number(held(r->t, row, "live_r"), NAN) };
	if (!row->c.retired && !(s && s->end)) {
		read_substances(&u, subs, a);
		read_tanks(&u, tanks, a);
		if (u.ntanks || u.rises) {
			r->g->units = arena_push(a, r->g->units, &r->g->n, &r->g->cap, sizeof *r->g->units);
			r->g->units[r->g->n - 1] = u;
		}
	}
	json_decref(subs);
	json_decref(tanks);
	return OK;
}

static double setting(const struct risk_tables *tables, const char *name, double otherwise)
{
	const struct risk_table *t = tables ? risk_table_find(tables, STR("installation-regrading")) : NULL;
	int row = t ? risk_table_row(t, "setting", str_of(name)) : -1;
	double v = row < 0 ? NAN : risk_table_num(t, (size_t)row, "value");
	return isfinite(v) ? v : otherwise;
}

static void load(struct core *co)
{
	struct regrader *g = co->regrader;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	arena_reset(g->arena);
	if (g->reg)
		registry_unpin(g->reg);
	g->reg = registry_pin();
	g->units = NULL;
	g->n = g->cap = 0;
	struct reading_units r = { g, registry_type(g->reg, TYPE) };
	struct list_query lq = { .text = STR_EMPTY };
	struct db *db = store_read_begin(co->app.store);
	enum err err = r.t ? records_each(db, &r.t->table, &lq, a, read_unit, &r) : OK;
	store_read_end(co->app.store, db);
	if (err) {
		log_error("core", "installations cannot be read: %s; it is tried again", err_name(err));
		g->n = 0;
		atomic_store(&g->stale, true);
	}
}

// ---- from levels to a grade ---------------------------------------------------------------------

// Tonnes; NAN without a usable reading, or if the point is not the enterprise's own.
static double tank_mass(struct core *co, const struct site *s, const struct unit *u, const struct tank *k)
{
	struct site_point p;
	struct sample last;
	double metres = 0;
	if (!site_point(s, k->point, &p) || p.def.enterprise != u->enterprise || !series_last(co->app.series, k->point, &last) ||
	    last.quality >= Q_RANGE)
		return NAN;
	bool length = k->height > 0 && unit_convert(last.value, p.unit, STR("m"), &metres);
	return tank_full(k->shape, length ? metres / k->height : last.value / 100) * k->volume * k->density / 1000;
}

struct present { double mass; bool measured, partly; };

// By substance. A tank without a reading counts as full, but not beyond the design maximum; a substance without a tank that is
// measured counts with its design maximum. False: nothing is measured.
static bool masses(struct core *co, const struct site *s, const struct unit *u, struct present *ret)
{
	bool any = false;
	for (size_t i = 0; i < u->nsubs; i++) {
		double known = 0, blind = 0;
		size_t measured = 0, unknown = 0;
		for (size_t k = 0; k < u->ntanks; k++) {
			const struct tank *tank = &u->tanks[k];
			double m = tank->substance == i ? tank_mass(co, s, u, tank) : NAN;
			if (tank->substance != i)
				continue;
			known += isnan(m) ? 0 : m;
			blind += isnan(m) ? tank->volume * tank->density / 1000 : 0;
			measured += !isnan(m);
			unknown += isnan(m);
		}
		double most = MAX(u->subs[i].design, known);
		ret[i] = (struct present){ measured ? MIN(known + blind, unknown ? most : known) : u->subs[i].design, measured > 0, unknown > 0 };
		any |= measured > 0;
	}
	return any;
}

struct answer { double s, r; struct str grade, arithmetic; }; // grade: as the standard calls it

static struct str label_of(const struct type *t, struct str grade)
{
	const struct field *f = type_field(t, STR("live_grade"));
	const struct menu_item *m = f && f->menu && grade.n ? menu_item(f->menu, grade) : NULL;
	return m ? m->label.zh : STR_EMPTY;
}

static void known_num(struct jw *w, const char *key, double v)
{
	if (isfinite(v))
		jw_kf64(w, key, v);
}

static void known_str(struct jw *w, const char *key, struct str v)
{
	if (v.n)
		jw_kstr(w, key, v);
}

static void write_inputs(struct jw *w, const struct type *t, const struct unit *u, const struct present *now, const struct settings *set)
{
	jw_obj(w);
	known_num(w, "persons", u->persons);
	known_str(w, "before", label_of(t, u->live_grade));
	jw_kf64(w, "dead_band", set->dead_band);
	jw_karr(w, "inventory");
	for (size_t i = 0; i < u->nsubs; i++) {
		jw_obj(w);
		known_str(w, "name", u->subs[i].name);
		known_str(w, "cas", u->subs[i].cas);
		known_str(w, "class", u->subs[i].class);
		jw_kf64(w, "q", now[i].mass);
		known_num(w, "Q", u->subs[i].critical);
		known_num(w, "beta", u->subs[i].beta);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void take_answer(const struct risk_run *r, struct arena *a, struct answer *ret)
{
	*ret = (struct answer){ NAN, NAN, STR_EMPTY, STR_EMPTY };
	for (size_t i = 0; i < r->n; i++) {
		const struct risk_result *x = &r->results[i];
		if (str_is(x->name, "S"))
			ret->s = x->num;
		else if (str_is(x->name, "R"))
			ret->r = x->num;
		else if (str_is(x->name, "grade"))
			ret->grade = x->text;
		for (size_t k = 0; str_is(x->name, "arithmetic") && k < x->n; k++)
			ret->arithmetic = arena_printf(a, "%.*s%s%.*s", STR_FMT(ret->arithmetic), k ? "\n" : "", STR_FMT(x->texts[k]));
	}
}

// False: it cannot be computed (a substance that is in no table); the record's own grading says why.
static bool compute(struct core *co, const struct type *t, const struct unit *u, const struct present *now, struct arena *a,
                    struct answer *ret)
{
	const struct risk_alias *alias;
	const struct risk_model *m = risk_find(STR("gb18218"), &alias);
	struct problem p;
	struct buf b;
	struct jw w;
	struct risk_run *r = arena_one(a, struct risk_run);
	problem_init(&p, a);
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	write_inputs(&w, t, u, now, &co->regrader->set);
	*r = (struct risk_run){ .model = m, .tables = co->app.risk, .arena = a, .problem = &p };
	bool ok = m && jw_done(&w) && risk_read(r, arena_str(a, buf_str(&b))) == OK;
	buf_free(&b);
	if (ok)
		m->run(r);
	if (!ok || risk_failed(r))
		return false;
	take_answer(r, a, ret);
	const struct field *f = type_field(t, STR("live_grade"));
	struct str said = ret->grade;
	ret->grade = STR_EMPTY;
	for (size_t i = 0; f && f->menu && i < f->menu->nitems; i++)
		if (str_eq(f->menu->items[i].label.zh, said))
			ret->grade = f->menu->items[i].value;
	return isfinite(ret->r);
}

// ---- the change of the record -------------------------------------------------------------------

#define FIELDS_MAX 6
struct regrade_job {
	struct core *co;
	const struct registry *reg;
	struct arena *arena;
	int64_t id;
	struct flow_field fields[FIELDS_MAX];
	size_t n;
	struct label reason;
};

static struct value val_text(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value val_real(double f, double scale)
{
	return (struct value){ .kind = VAL_REAL, .f = round(f * scale) / scale, .s = STR_EMPTY };
}

static struct str shown(const struct type *t, const char *field, const struct row *row, bool zh)
{
	const struct field *f = type_field(t, str_of(field));
	struct str v = held_text(t, row, field);
	const struct menu_item *m = f && f->menu && v.n ? menu_item(f->menu, v) : NULL;
	return m ? zh ? m->label.zh : m->label.en : zh ? STR("不构成") : STR("none");
}

static bool differs(const struct type *t, const char *field, const struct row *a, const struct row *b)
{
	return !str_eq(held_text(t, a, field), held_text(t, b, field));
}

// The grade of the record, or only that of what is there today, has changed.
static enum err say_grade(struct db *db, const struct regrade_job *j, const struct type *t, const struct row *was, struct row *now)
{
	bool whole = differs(t, "grade", was, now);
	const char *field = whole ? "grade" : "live_grade";
	double r = value_number(held(t, now, "live_r"), 0);
	if (!whole && (!differs(t, "live_grade", was, now) || held(t, was, "live_r")->kind == VAL_NULL))
		return OK; // the first time nothing has changed
	struct label text = {
		arena_printf(j->arena, "%.*s %.*s：%s由%.*s变为%.*s（现存量 R = %.2f）", STR_FMT(now->c.number), STR_FMT(now->c.title),
			     whole ? "级别" : "现存量等级", STR_FMT(shown(t, field, was, true)), STR_FMT(shown(t, field, now, true)), r),
		arena_printf(j->arena, "%.*s %.*s: %s changed from %.*s to %.*s (R of what is there %.2f)", STR_FMT(now->c.number),
			     STR_FMT(now->c.title), whole ? "the grade" : "the grade of what is there", STR_FMT(shown(t, field, was, false)),
			     STR_FMT(shown(t, field, now, false)), r) };
	return flow_say(db, j->reg, t, now, text, j->arena);
}

static enum err regrade_run(struct db *db, void *arg, struct problem *p)
{
	struct regrade_job *j = arg;
	struct identity system = identity_system();
	const struct type *t = registry_type(j->reg, TYPE);
	struct row was, now;
	json_t *none;
	if (!t)
		return OK;
	enum err err = records_get(db, &t->table, &(struct scope){ 0 }, j->id, j->arena, &was);
	if (err || was.c.retired)
		return err == ERR_NOT_FOUND ? OK : err;
	err = flow_update(db, j->reg, t, j->id, j->fields, j->n, j->reason, j->arena, &now, p);
	if (!err)
		err = say_grade(db, j, t, &was, &now);
	if (err || !rises(t, &now))
		return err;
	none = json_object();
	err = flow_move(db, j->reg, t, j->id, STR("reassess"), none, &system, true, j->arena, p);
	json_decref(none);
	return err;
}

static void regrade_done(void *arg, enum err err)
{
	struct regrade_job *j = arg;
	struct regrader *g = j->co->regrader;
	if (err)
		atomic_store(&g->rest, clock_mono() + REST);
	if (err)
		log_error("core", "installation %lld cannot be graded: %s", (long long)j->id, err_name(err));
	registry_unpin(j->reg);
	arena_free(j->arena);
	mem_free(j);
	atomic_store(&g->stale, true);
	atomic_fetch_sub(&g->pending, 1);
}

static struct regrade_job *job_new(struct core *co, int64_t id)
{
	struct regrade_job *j = mem_alloc(sizeof *j);
	*j = (struct regrade_job){ .co = co, .reg = registry_pin(), .arena = arena_new(16 << 10), .id = id, .reason = LABEL_EMPTY };
	return j;
}

static void post(struct core *co, struct regrade_job *j)
{
	atomic_fetch_add(&co->regrader->pending, 1);
	store_post(co->app.store, regrade_run, j, regrade_done);
}

static struct str present_rows(const struct unit *u, const struct present *now, int64_t at, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	jw_arr(&w);
	for (size_t i = 0; i < u->nsubs; i++) {
		jw_obj(&w);
		known_str(&w, "name", u->subs[i].name);
		known_str(&w, "cas", u->subs[i].cas);
		known_str(&w, "state", u->subs[i].state);
		jw_kf64(&w, "quantity_t", round(now[i].mass * 1000) / 1000);
		jw_kcstr(&w, "source", !now[i].measured ? "design" : now[i].partly ? "partly" : "measured");
		jw_ktime(&w, "at", at);
		jw_end(&w);
	}
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return s;
}

static void change(struct core *co, const struct unit *u, const struct present *now, const struct answer *x, int64_t at)
{
	struct regrade_job *j = job_new(co, u->id);
	j->fields[j->n++] = (struct flow_field){ "present", val_text(present_rows(u, now, at, j->arena)) };
	j->fields[j->n++] = (struct flow_field){ "live_s", val_real(x->s, 1e4) };
	j->fields[j->n++] = (struct flow_field){ "live_r", val_real(x->r, 1e4) };
	j->fields[j->n++] = (struct flow_field){ "live_grade", val_text(arena_str(j->arena, x->grade)) };
	j->fields[j->n++] = (struct flow_field){ "live_arithmetic", val_text(arena_str(j->arena, str_first(x->arithmetic, LIMIT_TEXT_FIELD))) };
	j->fields[j->n++] = (struct flow_field){ "live_at", { .kind = VAL_INT, .i = at, .s = STR_EMPTY } };
	j->reason = isnan(u->live_r) ? LABEL("按液位首次计算现存量", "first computed from the levels") :
	                               (struct label){ arena_printf(j->arena, "液位变化，现存量 R 由 %.4g 变为 %.4g", u->live_r, x->r),
		                                       arena_printf(j->arena, "levels moved: R of what is present from %.4g to %.4g", u->live_r, x->r) };
	post(co, j);
}

// ---- once a second ------------------------------------------------------------------------------

static bool is_same(const struct unit *u, const struct present *now)
{
	for (size_t i = 0; i < u->nsubs; i++)
		if (!(fabs(now[i].mass - u->judged[i]) <= SAME * MAX(now[i].mass, u->judged[i])))
			return false;
	return true;
}

// A new grade is written at once, and any other R after somebody has edited the record (persons, substances, tanks); otherwise
// an R that is another by a good share, and not more often than the interval.
static bool worth_writing(const struct settings *set, const struct unit *u, const struct answer *x, int64_t at)
{
	if (isnan(u->live_r) || !str_eq(x->grade, u->live_grade))
		return true;
	if (u->edited && fabs(x->r - u->live_r) > SAME * MAX(u->live_r, x->r))
		return true;
	return fabs(x->r - u->live_r) > set->write_share * MAX(u->live_r, x->r) && at - u->changed_at >= (int64_t)(set->write_interval * US_PER_S);
}

// True: the record is being changed.
static bool judge_masses(struct core *co, struct unit *u, const struct present *now, struct arena *a)
{
	const struct settings *set = &co->regrader->set;
	struct answer x;
	int64_t at = clock_now();
	if (is_same(u, now) || !compute(co, registry_type(co->regrader->reg, TYPE), u, now, a, &x))
		return false;
	if (worth_writing(set, u, &x, at)) {
		change(co, u, now, &x, at);
		return true;
	}
	u->agrees = true;
	if (fabs(x.r - u->live_r) <= set->write_share * MAX(u->live_r, x.r)) // else it waits for the interval
		for (size_t i = 0; i < u->nsubs; i++)
			u->judged[i] = now[i].mass;
	return false;
}

static void judge(struct core *co, const struct site *s, struct unit *u, struct arena *a)
{
	struct present *now = arena_many(a, u->nsubs, struct present);
	bool measured = masses(co, s, u, now);
	if (measured && judge_masses(co, u, now, a))
		return;
	if (u->rises && (u->agrees || !measured)) // never on a grade that is about to be corrected
		post(co, job_new(co, u->id));
}

void regrade_tick(struct core *co)
{
	struct regrader *g = co->regrader;
	if (atomic_load(&g->pending) || clock_mono() < atomic_load(&g->rest))
		return;
	if (atomic_exchange(&g->stale, false))
		load(co);
	if (!g->n)
		return;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct site *s = core_site_take(&co->app);
	for (size_t i = 0; i < g->n; i++) {
		judge(co, s, &g->units[i], a);
		arena_reset(a);
	}
	core_site_give(&co->app, s);
}

void regrade_note(struct core *co, const struct record_event *e)
{
	if (str_eq(e->type, TYPE))
		atomic_store(&co->regrader->stale, true);
}

void regrade_reload(struct core *co) { atomic_store(&co->regrader->stale, true); }

void regrade_start(struct core *co)
{
	struct regrader *g = mem_alloc(sizeof *g);
	*g = (struct regrader){ .arena = arena_new(64 << 10) };
	g->set = (struct settings){ setting(co->app.risk, "dead_band", 0), setting(co->app.risk, "write_share", 0),
		                    setting(co->app.risk, "write_interval", 0) };
	atomic_store(&g->stale, true);
	co->regrader = g;
}
