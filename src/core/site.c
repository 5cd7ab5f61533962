// Points and devices as the records say, in one immutable generation that everything else reads.
#include <math.h>
#include <sched.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/strmap.h"
#include "core/core_int.h"

struct loading {
	struct site *s;
	const struct type *t;
	size_t cap;
};

static const struct value *cell(const struct type *t, const struct row *row, const char *name)
{
	static const struct value null;
	const struct field *f = type_field(t, str_of(name));
	return f && f->ncols ? &row->vals[f->col] : &null;
}

static double number(const struct type *t, const struct row *row, const char *name, double fallback)
{
	const struct value *v = cell(t, row, name);
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : fallback;
}

static int64_t integer(const struct type *t, const struct row *row, const char *name)
{
	const struct value *v = cell(t, row, name);
	return v->kind == VAL_INT ? v->i : v->kind == VAL_REAL ? (int64_t)v->f : 0;
}

static struct str text(struct loading *l, const struct row *row, const char *name)
{
	const struct value *v = cell(l->t, row, name);
	return v->kind == VAL_TEXT ? arena_str(l->s->arena, v->s) : STR_EMPTY;
}

static void read_position(const struct type *t, const struct row *row, double *lon, double *lat)
{
	const struct field *f = type_field(t, STR("position"));
	bool has = f && f->kind == FIELD_POSITION && row->vals[f->col].kind == VAL_REAL && row->vals[f->col + 1].kind == VAL_REAL;
	*lon = has ? row->vals[f->col].f : NAN;
	*lat = has ? row->vals[f->col + 1].f : NAN;
}

static void read_calibration(struct loading *l, const struct row *row, struct point_def *d)
{
	struct str s = text(l, row, "calibration_due");
	d->has_calibration = s.n == 10;
	if (d->has_calibration &&
	    time_parse_local(arena_printf(l->s->arena, "%.*s 00:00:00", STR_FMT(s)), time_zone(), &d->calibration_due))
		return;
	d->has_calibration = false;
}

static enum err on_point(void *arg, const struct row *row)
{
	struct loading *l = arg;
	const struct type *t = l->t;
	if (row->c.id <= 0 || row->c.id > LIMIT_POINTS)
		return ERR_TOO_LARGE;
	l->s->points = arena_push(l->s->arena, l->s->points, &l->s->npoints, &l->cap, sizeof *l->s->points);
	struct site_point *p = &l->s->points[l->s->npoints - 1];
	struct str service = text(l, row, "service");
	struct point_def *d = &p->def;
	*d = (struct point_def){
		.id = (uint32_t)row->c.id,
		.device = integer(t, row, "device"),
		.enterprise = row->c.enterprise,
		.installation = integer(t, row, "installation"),
		.code = text(l, row, "code"),
		.kind = text(l, row, "kind"),
		.area = arena_str(l->s->arena, row->c.area),
		.ll = number(t, row, "ll", NAN),
		.l = number(t, row, "l", NAN),
		.h = number(t, row, "h", NAN),
		.hh = number(t, row, "hh", NAN),
		.min = number(t, row, "range_min", NAN),
		.max = number(t, row, "range_max", NAN),
		.interval = (int64_t)(number(t, row, "interval_s", 0) * US_PER_S),
		.out_of_service = str_is(service, "out_of_service"),
		.maintenance = str_is(service, "maintenance"),
	};
	read_calibration(l, row, d);
	p->name = text(l, row, "name");
	p->unit = text(l, row, "unit");
	p->address = text(l, row, "address");
	p->scale = number(t, row, "scale", 1);
	read_position(t, row, &p->lon, &p->lat);
	return OK;
}

static enum err on_device(void *arg, const struct row *row)
{
	struct loading *l = arg;
	l->s->devices = arena_push(l->s->arena, l->s->devices, &l->s->ndevices, &l->cap, sizeof *l->s->devices);
	struct site_device *d = &l->s->devices[l->s->ndevices - 1];
	*d = (struct site_device){ .id = (uint32_t)row->c.id,
				   .enterprise = row->c.enterprise,
				   .area = arena_str(l->s->arena, row->c.area) };
	d->code = text(l, row, "code");
	d->name = text(l, row, "name");
	d->keyless = integer(l->t, row, "keyless") != 0;
	d->disabled = str_is(text(l, row, "service"), "disabled");
	return OK;
}

struct sectors { // enterprise id → sector, for rules that watch one
	struct site *s;
	const struct type *t;
	struct str *v;
	size_t n;
};

static enum err on_enterprise(void *arg, const struct row *row)
{
	struct sectors *x = arg;
	const struct value *v = cell(x->t, row, "sector");
	if (v->kind != VAL_TEXT || row->c.id <= 0)
		return OK;
	if ((size_t)row->c.id >= x->n) {
		size_t n = MAX((size_t)row->c.id + 1, x->n * 2);
		x->v = arena_grow(x->s->arena, x->v, x->n, n, sizeof *x->v);
		x->n = n;
	}
	x->v[row->c.id] = arena_str(x->s->arena, v->s);
	return OK;
}

static void set_sectors(const struct sectors *x)
{
	for (size_t i = 0; i < x->s->npoints; i++) {
		struct point_def *d = &x->s->points[i].def;
		d->sector = d->enterprise > 0 && (size_t)d->enterprise < x->n && x->v[d->enterprise].n ? x->v[d->enterprise]
												       : STR_EMPTY;
	}
}

static int device_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct site_device *)a)->code, ((const struct site_device *)b)->code);
}

static void link_points(struct site *s)
{
	size_t max = 0;
	for (size_t i = 0; i < s->ndevices; i++)
		max = MAX(max, s->devices[i].id);
	size_t *at = arena_many(s->arena, max + 1, size_t); // device id → index + 1
	for (size_t i = 0; i < s->ndevices; i++)
		at[s->devices[i].id] = i + 1;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < s->npoints; i++) {
			int64_t id = s->points[i].def.device;
			if (id <= 0 || (size_t)id > max || !at[id])
				continue;
			struct site_device *d = &s->devices[at[id] - 1];
			if (pass)
				d->points[d->npoints] = (uint32_t)i;
			d->npoints++;
		}
		for (size_t i = 0; !pass && i < s->ndevices; i++) {
			s->devices[i].points = arena_many(s->arena, s->devices[i].npoints + 1, uint32_t);
			s->devices[i].npoints = 0;
		}
	}
	s->point_by_code = strmap_new(s->npoints);
	for (size_t i = 0; i < s->npoints; i++)
		strmap_put(s->point_by_code, s->points[i].def.code, (uint32_t)i);
}

static void site_free(struct site *s)
{
	strmap_free(s->point_by_code);
	rules_free(s->rules);
	registry_unpin(s->reg);
	arena_free(s->arena);
}

struct site *site_load(struct core *co, const struct registry *reg, struct rule_set *rules, struct problem *p)
{
	struct arena *a = arena_new(1 << 20);
	struct site *s = arena_one(a, struct site);
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	*s = (struct site){ .arena = a, .refs = 1, .reg = reg, .rules = rules, .generation = ++co->site_generation };
	struct loading points = { s, registry_type(reg, STR("point")), 0 }, devices = { s, registry_type(reg, STR("device")), 0 };
	struct sectors sectors = { .s = s, .t = registry_type(reg, STR("enterprise")) };
	struct list_query all = { 0 };
	enum err err = points.t && devices.t ? OK
					     : problem_set(p, ERR_INVALID, NULL, "业务包缺少类型 point 或 device",
							   "the packs lack the types point and device");
	struct db *db = store_read_begin(co->app.store);
	if (!err)
		err = records_each(db, &points.t->table, &all, scratch, on_point, &points);
	if (!err)
		err = records_each(db, &devices.t->table, &all, scratch, on_device, &devices);
	if (!err && sectors.t)
		err = records_each(db, &sectors.t->table, &all, scratch, on_enterprise, &sectors);
	store_read_end(co->app.store, db);
	if (!err)
		set_sectors(&sectors);
	if (err) {
		site_free(s);
		problem_set(p, err, NULL, "无法读取监测点和设备", "cannot read points and devices");
		return NULL;
	}
	if (s->ndevices)
		qsort(s->devices, s->ndevices, sizeof *s->devices, device_cmp);
	link_points(s);
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
	pthread_mutex_unlock(&co->site_mutex);
	if (last)
		site_free(s);
}

void site_publish(struct core *co, struct site *s)
{
	pthread_mutex_lock(&co->site_mutex);
	struct site *old = co->site;
	co->site = s;
	s->refs++; // for T_SERIES
	pthread_mutex_unlock(&co->site_mutex);
	if (old)
		core_site_give(&co->app, old);
	struct control c = { .kind = CONTROL_SITE, .site = s };
	while (!queue_push(co->control, &c))
		sched_yield(); // T_SERIES drains it within a turn
}
