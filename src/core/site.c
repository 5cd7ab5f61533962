// Points and devices as the records say, in one immutable generation that everything else reads. A generation in which a few
// records changed shares the rest with the one before it.
#include <math.h>
#include <sched.h>
#include <stdlib.h>

#include "base/limits.h"
#include "core/core_int.h"

#define TWO_THREADS 20000        // points from which reading them in two threads is worth a thread

// ---- values of a row ----------------------------------------------------------------------------

static const struct value null_value;

double value_number(const struct value *v, double fallback)
{
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : fallback;
}

int64_t value_integer(const struct value *v) { return v->kind == VAL_INT ? v->i : v->kind == VAL_REAL ? (int64_t)v->f : 0; }

static struct str value_text(const struct value *v) { return v->kind == VAL_TEXT ? v->s : STR_EMPTY; }

// ---- points -------------------------------------------------------------------------------------

enum point_field { P_DEVICE, P_INSTALLATION, P_CODE, P_KIND, P_LL, P_L, P_H, P_HH, P_DEADBAND, P_ON, P_OFF, P_MIN, P_MAX,
	           P_INTERVAL, P_SERVICE, P_CALIBRATION, P_NAME, P_UNIT, P_ADDRESS, P_SCALE, P_POSITION, P__MAX };
static const char *const field_names[P__MAX] = { "device", "installation", "code", "kind", "ll", "l", "h", "hh", "deadband",
	"delay_on_s", "delay_off_s", "range_min", "range_max", "interval_s", "service", "calibration_due", "name", "unit", "address", "scale", "position" };

static const struct field *field_of(const struct type *t, size_t i) // NULL: the type has none of that shape
{
	const struct field *f = type_field(t, str_of(field_names[i]));
	bool position = i == P_POSITION; // longitude and latitude
	return f && f->ncols == (position ? 2 : 1) && position == (f->kind == FIELD_POSITION) ? f : NULL;
}

struct loading {                // what is read of a row: of a million rows everything takes twice as long
	struct table table;
	struct column cols[P__MAX + 1];
	size_t at[P__MAX];          // of the field's value + 1, 0 = the type has no such field
	struct points_writer *w;
};

static void loading_begin(struct loading *l, const struct type *t, struct points_writer *w)
{
	*l = (struct loading){ .w = w, .table = { .name = t->table.name, .cols = l->cols, .only_place = true } };
	for (size_t i = 0; i < P__MAX; i++) {
		const struct field *f = field_of(t, i);
		if (!f)
			continue;
		l->at[i] = l->table.ncols + 1;
		memcpy(&l->cols[l->table.ncols], &t->table.cols[f->col], f->ncols * sizeof *l->cols);
		l->table.ncols += f->ncols;
	}
}

static void read_position(size_t at, const struct row *row, double *lon, double *lat)
{
	bool has = at && row->vals[at - 1].kind == VAL_REAL && row->vals[at].kind == VAL_REAL;
	*lon = has ? row->vals[at - 1].f : NAN;
	*lat = has ? row->vals[at].f : NAN;
}

static void read_calibration(struct str date, struct point_def *d)
{
	char text[32];
	if (date.n != 10)
		return;
	size_t n = (size_t)snprintf(text, sizeof text, "%.*s 00:00:00", STR_FMT(date));
	d->has_calibration = time_parse_local(str_from(text, n), time_zone(), &d->calibration_due);
}

// A point's own dead band and delays; a field that is empty leaves it to the rules.
static struct point_own read_own(const struct value *const v[P__MAX])
{
	double deadband = value_number(v[P_DEADBAND], NAN), on = value_number(v[P_ON], NAN), off = value_number(v[P_OFF], NAN);
	struct point_own own = { .has_deadband = !isnan(deadband), .has_on = !isnan(on), .has_off = !isnan(off) };
	own.deadband = own.has_deadband ? deadband : 0;
	own.on = own.has_on ? (int64_t)(on * US_PER_S) : 0;
	own.off = own.has_off ? (int64_t)(off * US_PER_S) : 0;
	return own;
}

// at: of each field's value in the row + 1, 0 = none. Texts are the row's.
static enum err read_point(const size_t at[P__MAX], const struct row *row, struct site_point *ret)
{
	const struct value *v[P__MAX];
	for (size_t i = 0; i < P__MAX; i++)
		v[i] = at[i] ? &row->vals[at[i] - 1] : &null_value;
	if (row->c.id <= 0 || row->c.id > LIMIT_POINTS)
		return ERR_TOO_LARGE;
	struct str service = value_text(v[P_SERVICE]);
	*ret = (struct site_point){
		.def = {
			.id = (uint32_t)row->c.id,
			.device = value_integer(v[P_DEVICE]),
			.enterprise = row->c.enterprise,
			.installation = value_integer(v[P_INSTALLATION]),
			.code = value_text(v[P_CODE]),
			.kind = value_text(v[P_KIND]),
			.area = row->c.area,
			.ll = value_number(v[P_LL], NAN),
			.l = value_number(v[P_L], NAN),
			.h = value_number(v[P_H], NAN),
			.hh = value_number(v[P_HH], NAN),
			.own = read_own(v),
			.min = value_number(v[P_MIN], NAN),
			.max = value_number(v[P_MAX], NAN),
			.interval = (int64_t)(value_number(v[P_INTERVAL], 0) * US_PER_S),
			.out_of_service = str_is(service, "out_of_service"),
			.maintenance = str_is(service, "maintenance"),
		},
		.name = value_text(v[P_NAME]), .unit = value_text(v[P_UNIT]), .address = value_text(v[P_ADDRESS]),
		.scale = value_number(v[P_SCALE], 1),
	};
	read_calibration(value_text(v[P_CALIBRATION]), &ret->def);
	read_position(at[P_POSITION], row, &ret->lon, &ret->lat);
	return OK;
}

enum err site_point_read(const struct type *t, const struct row *row, struct site_point *ret)
{
	size_t at[P__MAX];
	for (size_t i = 0; i < P__MAX; i++) {
		const struct field *f = field_of(t, i);
		at[i] = f ? f->col + 1 : 0;
	}
	return read_point(at, row, ret);
}

static enum err on_point(void *arg, const struct row *row)
{
	struct loading *l = arg;
	struct site_point p;
	enum err err = read_point(l->at, row, &p);
	return err ? err : points_put(l->w, &p);
}

struct part {                   // of the points: ids in [from, to)
	struct core *co;
	const struct type *t;
	struct points_writer *w;
	uint32_t from, to;
	enum err err;
};

static enum err load_points(struct db *db, const struct part *part)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct value from = { .kind = VAL_INT, .i = part->from }, to = { .kind = VAL_INT, .i = part->to };
	struct filter ids[] = { { STR("id"), FILTER_GE, &from, 1 }, { STR("id"), FILTER_LT, &to, 1 } };
	struct list_query some = { .filters = ids, .nfilters = ARRAY_LEN(ids) };
	struct loading l;
	loading_begin(&l, part->t, part->w);
	return records_each(db, &l.table, &some, scratch, on_point, &l);
}

static void *load_part(void *arg)
{
	struct part *part = arg;
	struct db *db = store_read_begin(part->co->app.store);
	part->err = load_points(db, part);
	store_read_end(part->co->app.store, db);
	return NULL;
}

static enum err stop_at_first(void *arg, const struct row *row)
{
	*(int64_t *)arg = row->c.id;
	return ERR_UNSUPPORTED; // no more rows
}

static enum err last_point(struct db *db, const struct type *t, int64_t *ret)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(4 << 10);
	struct table ids = { .name = t->table.name, .only_place = true };
	struct list_query all = { 0 };
	struct problem p;
	problem_init(&p, scratch);
	*ret = 0;
	enum err err = records_scan(db, &ids, &(struct scope){ 0 }, &all, scratch, stop_at_first, ret, &p);
	return *ret ? OK : err;
}

// All of them; many by two threads, each with half of the ids.
static enum err load_all(struct core *co, struct db *db, const struct type *t, struct points_writer *w)
{
	int64_t last;
	pthread_t thread;
	enum err err = last_point(db, t, &last);
	if (err)
		return err;
	if (last > LIMIT_POINTS)
		return ERR_TOO_LARGE;
	struct part below = { co, t, w, 0, last < TWO_THREADS ? LIMIT_POINTS + 1 : points_border((uint32_t)last / 2), OK };
	struct part above = { co, t, points_begin(NULL), below.to, LIMIT_POINTS + 1, OK };
	bool two = last >= TWO_THREADS && pthread_create(&thread, NULL, load_part, &above) == 0;
	err = load_points(db, &below);
	if (two)
		pthread_join(thread, NULL);
	else if (!err)
		above.err = load_points(db, &above);
	points_join(w, above.w);
	return err ? err : above.err;
}

static enum err load_changed(struct db *db, const struct type *t, const struct ids *ids, struct points_writer *w)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct loading l;
	loading_begin(&l, t, w);
	enum err err = OK;
	for (size_t i = 0; i < ids->n && !err; i++, arena_reset(a)) {
		struct row row;
		err = records_get(db, &l.table, &(struct scope){ 0 }, ids->v[i], a, &row);
		if (err == ERR_NOT_FOUND || (!err && row.c.retired)) {
			points_remove(w, ids->v[i]);
			err = OK;
		} else if (!err) {
			err = on_point(&l, &row);
		}
	}
	return err;
}

// ---- what changed -------------------------------------------------------------------------------

static int id_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void ids_sort(struct ids *v)
{
	size_t n = 0;
	if (v->n)
		qsort(v->v, v->n, sizeof *v->v, id_cmp);
	for (size_t i = 0; i < v->n; i++)
		if (!n || v->v[n - 1] != v->v[i])
			v->v[n++] = v->v[i];
	v->n = n;
}

void ids_note(struct ids *v, uint32_t id)
{
	if (v->n == v->cap) {
		v->cap = MAX(v->cap * 2, (size_t)64);
		v->v = mem_resize(v->v, v->cap * sizeof *v->v);
	}
	v->v[v->n++] = id;
}

struct site_delta *delta_new(bool all, const struct ids *points)
{
	struct site_delta *d = mem_alloc(sizeof *d + points->n * sizeof *d->points);
	d->all = all;
	d->n = points->n;
	if (d->n)
		memcpy(d->points, points->v, d->n * sizeof *d->points);
	return d;
}

// Rules may watch a sector: what changed of an enterprise's sector changed its points.
static void add_sectors(const struct site *s, const struct roster *old, struct ids *points)
{
	size_t n = MAX(s->roster->nsectors, old->nsectors), same = 0;
	while (same < n && str_eq(roster_sector(s->roster, (int64_t)same), roster_sector(old, (int64_t)same)))
		same++;
	if (same == n)
		return;
	struct site_point p;
	for (uint32_t i = 0; site_point_next(s, &i, &p);)
		if (!str_eq(roster_sector(old, p.def.enterprise), roster_sector(s->roster, p.def.enterprise)))
			ids_note(points, i);
}

// ---- generations --------------------------------------------------------------------------------

static void site_free(struct site *s)
{
	points_free(s->points);
	rules_free(s->rules);
	registry_unpin(s->reg);
	mem_free(s);
}

static struct site *site_new(struct core *co, const struct registry *reg, struct rule_set *rules)
{
	struct site *s = mem_alloc(sizeof *s);
	*s = (struct site){ .refs = 1, .reg = reg, .rules = rules, .generation = ++co->site_generation };
	return s;
}

static struct roster *roster_share(struct core *co, const struct site *s)
{
	struct roster *r = (struct roster *)(uintptr_t)s->roster; // only its count changes
	pthread_mutex_lock(&co->site_mutex);
	r->refs++;
	pthread_mutex_unlock(&co->site_mutex);
	return r;
}

static struct site *site_failed(struct core *co, struct site *s, struct roster *r, enum err err, struct problem *p)
{
	s->roster = r;
	core_site_give(&co->app, s);
	problem_set(p, err, NULL, "无法读取监测点和设备", "cannot read points and devices");
	return NULL;
}

struct site *site_load(struct core *co, const struct registry *reg, struct rule_set *rules, struct problem *p)
{
	struct site *s = site_new(co, reg, rules);
	struct roster *r = NULL;
	const struct type *point = registry_type(reg, STR("point"));
	struct points_writer *w = points_begin(NULL);
	enum err err = point && registry_type(reg, STR("device")) ? OK : ERR_INVALID;
	struct db *db = store_read_begin(co->app.store);
	if (!err)
		err = load_all(co, db, point, w);
	if (!err)
		err = roster_load(db, reg, &r);
	store_read_end(co->app.store, db);
	s->points = points_end(w);
	if (err)
		return site_failed(co, s, r, err, p);
	s->roster = r;
	return s;
}

struct site *site_change(struct core *co, const struct site *old, struct site_news *news, const struct registry *reg,
                         struct rule_set *rules, struct site_delta **ret, struct problem *p)
{
	struct site *s = site_new(co, reg, rules);
	struct roster *r = NULL;
	struct points_writer *w = points_begin(old->points);
	ids_sort(&news->points);
	struct db *db = store_read_begin(co->app.store);
	enum err err = load_changed(db, registry_type(reg, STR("point")), &news->points, w);
	if (!err && news->roster)
		err = roster_load(db, reg, &r);
	else if (!err)
		r = roster_share(co, old);
	store_read_end(co->app.store, db);
	s->points = points_end(w);
	if (err)
		return site_failed(co, s, r, err, p);
	s->roster = r;
	if (news->roster) {
		add_sectors(s, old->roster, &news->points);
		ids_sort(&news->points);
	}
	*ret = delta_new(false, &news->points);
	return s;
}

struct site *core_site_take(struct app *app)
{
	struct core *co = (struct core *)app;
	pthread_mutex_lock(&co->site_mutex);
	struct site *s = co->site;
	s->refs++;
	pthread_mutex_unlock(&co->site_mutex);
	return s;
}

void core_site_give(struct app *app, struct site *s)
{
	struct core *co = (struct core *)app;
	pthread_mutex_lock(&co->site_mutex);
	bool last = --s->refs == 0;
	struct roster *r = (struct roster *)(uintptr_t)s->roster;
	bool last_roster = last && r && --r->refs == 0;
	pthread_mutex_unlock(&co->site_mutex);
	if (last_roster)
		roster_free(r);
	if (last)
		site_free(s);
}

void site_publish(struct core *co, struct site *s, struct site_delta *d)
{
	pthread_mutex_lock(&co->site_mutex);
	struct site *old = co->site;
	co->site = s;
	s->refs++; // for T_SERIES
	pthread_mutex_unlock(&co->site_mutex);
	if (old)
		core_site_give(&co->app, old);
	struct control c = { .kind = CONTROL_SITE, .site = s, .delta = d };
	while (!queue_push(co->control, &c))
		sched_yield(); // T_SERIES drains it within a turn
}
