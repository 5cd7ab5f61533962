// One map: the base (areas, rivers, roads) and what stands on it with its colour.
//
// Colour of a point: worst active alarm; else grey without trustworthy data (none, stale, bad, in doubt); else green.
// An enterprise and an installation take the worst of their points; grey only if all are grey. A point in doubt counts as
// blue for them: what may not be so raises a risk, it never lowers one.
#include <math.h>

#include "api/api.h"
#include "base/time.h"

enum err map_base_get(struct call *c)
{
	struct str text = map_base_text(c->app->base, c->arena);
	if (text.n)
		buf_add_str(&c->rs->body, text);
	else
		buf_add_cstr(&c->rs->body, "{\"bounds\":null,\"areas\":[],\"layers\":{}}");
	return OK;
}

struct tally { // of an enterprise or installation
	int64_t id;
	enum map_color worst;
	bool any_live;
	int points, alarms;
};

struct objects {
	struct call *c;
	enum map_color *colors;     // by point
	bool *active;               // has an active alarm
	struct tally *ent, *inst;   // by id; index = id
	size_t nent, ninst;
};

static void on_active(void *arg, uint32_t point, struct str color)
{
	struct objects *o = arg;
	struct site_point p;
	if (!site_point(o->c->site, point, &p))
		return;
	o->colors[point] = MAX(o->colors[point], alarm_map_color(color));
	o->active[point] = true;
}

static void count(struct tally *t, size_t n, int64_t id, enum map_color color, bool active)
{
	if (id <= 0 || (size_t)id >= n)
		return;
	t[id].points++;
	t[id].alarms += active;
	t[id].any_live |= color != MAP_GREY;
	t[id].worst = MAX(t[id].worst, color);
}

static void write_position(struct jw *w, double lon, double lat)
{
	jw_key(w, "position");
	if (isnan(lon) || isnan(lat)) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	jw_f64(w, lon);
	jw_f64(w, lat);
	jw_end(w);
}

static void write_points(struct objects *o)
{
	struct call *c = o->c;
	struct jw *w = &c->w;
	int64_t now = clock_now();
	jw_karr(w, "points");
	struct site_point each, *p = &each;
	for (uint32_t i = 0; site_point_next(c->site, &i, p);) {
		struct sample s;
		bool is_live = point_is_live(c->app, c->site, p, now, &s);
		struct doubted k;
		bool doubted = c->app->detect_doubted(c->app, i, &k);
		if (!o->active[i])
			o->colors[i] = is_live && !doubted ? MAP_GREEN : MAP_GREY;
		if (!auth_in_scope(&c->id, point_place(p)))
			continue;
		enum map_color counts = doubted ? MAX(o->colors[i], MAP_BLUE) : o->colors[i];
		count(o->ent, o->nent, p->def.enterprise, counts, o->active[i]);
		count(o->inst, o->ninst, p->def.installation, counts, o->active[i]);
		jw_obj(w);
		jw_ki64(w, "id", p->def.id);
		jw_kstr(w, "code", p->def.code);
		jw_kstr(w, "name", p->name);
		jw_kstr(w, "kind", p->def.kind);
		write_position(w, p->lon, p->lat);
		jw_kcstr(w, "color", map_color_name(o->colors[i]));
		if (series_last(c->app->series, p->def.id, &s)) {
			jw_kf64(w, "value", s.value);
			jw_kcstr(w, "quality", quality_name((enum quality)s.quality));
			jw_ktime(w, "at", s.time);
		}
		if (doubted)
			write_doubt(c, i);
		jw_kstr(w, "unit", p->unit);
		jw_ki64(w, "enterprise", p->def.enterprise);
		jw_ki64(w, "installation", p->def.installation);
		jw_end(w);
	}
	jw_end(w);
}

struct record_writer {
	struct objects *o;
	const struct type *t;
	const struct tally *tally;
	size_t ntally;
	const char *extra;          // another field shown on the map
};

static double coordinate(const struct type *t, const struct row *row, size_t which)
{
	const struct field *f = type_field(t, t->geometry);
	if (!f || f->kind != FIELD_POSITION || row->vals[f->col + which].kind != VAL_REAL)
		return NAN;
	return row->vals[f->col + which].f;
}

static void write_record_object(struct record_writer *rw, const struct row *row)
{
	struct jw *w = &rw->o->c->w;
	static const struct tally nothing;
	const struct tally *t = row->c.id > 0 && (size_t)row->c.id < rw->ntally ? &rw->tally[row->c.id] : &nothing;
	jw_obj(w);
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "title", row->c.title);
	jw_kstr(w, "name", row->c.title);
	jw_kstr(w, "number", row->c.number);
	write_position(w, coordinate(rw->t, row, 0), coordinate(rw->t, row, 1));
	jw_kcstr(w, "color", t->worst > MAP_GREEN ? map_color_name(t->worst) : t->any_live ? "green" : "grey");
	jw_ki64(w, "points", t->points);
	jw_ki64(w, "alarms", t->alarms);
	jw_kstr(w, "area", row->c.area);
	jw_ki64(w, "enterprise", row->c.enterprise);
	const struct field *f = type_field(rw->t, str_of(rw->extra));
	if (f && row->vals[f->col].kind == VAL_TEXT)
		jw_kstr(w, rw->extra, row->vals[f->col].s);
	jw_end(w);
}

static enum err write_records(struct objects *o, const char *key, const char *type, const struct tally *tally, size_t n, const char *extra)
{
	struct call *c = o->c;
	struct record_writer rw = { o, registry_type(c->reg, str_of(type)), tally, n, extra };
	jw_karr(&c->w, key);
	enum err err = OK;
	size_t got = rw.t ? 1000 : 0;
	struct scope scope = rw.t ? auth_scope(&c->id, rw.t) : (struct scope){ .nothing = true };
	for (size_t at = 0; !err && got == 1000; at += got) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
		struct list_query lq = { .offset = at, .limit = 1000 };
		struct row *rows;
		int64_t total;
		err = records_list(call_db(c), &rw.t->table, &scope, &lq, a, &rows, &got, &total, &c->p);
		for (size_t i = 0; !err && i < got; i++)
			write_record_object(&rw, &rows[i]);
	}
	jw_end(&c->w);
	return err;
}

static size_t highest_id(const struct site *site, bool installation)
{
	int64_t max = 0;
	struct site_point p;
	for (uint32_t i = 0; site_point_next(site, &i, &p);)
		max = MAX(max, installation ? p.def.installation : p.def.enterprise);
	return (size_t)max + 1;
}

enum err map_objects(struct call *c)
{
	struct site *site = call_site(c);
	struct objects o = { .c = c, .nent = highest_id(site, false), .ninst = highest_id(site, true) };
	o.colors = arena_many(c->arena, points_max(site->points) + 1, enum map_color);
	o.active = arena_many(c->arena, points_max(site->points) + 1, bool);
	o.ent = arena_many(c->arena, o.nent, struct tally);
	o.inst = arena_many(c->arena, o.ninst, struct tally);
	enum err err = alarm_each_active(call_db(c), on_active, &o, c->arena);
	if (err)
		return err;
	jw_obj(&c->w);
	write_points(&o);
	err = write_records(&o, "enterprises", "enterprise", o.ent, o.nent, "sector");
	if (!err)
		err = write_records(&o, "installations", "installation", o.inst, o.ninst, "grade");
	jw_ktime(&c->w, "at", clock_now());
	jw_end(&c->w);
	return err;
}
