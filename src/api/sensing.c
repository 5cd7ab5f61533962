// How well the county is watched, from the points of now: coverage of the six dimensions by enterprise, and every major risk, risk of
// the city's list and key facility with its points, alarms, last inspection, and whether anything of it is online. One pass over the
// points of the site for each question; records are read page by page, in the caller's scope.
#include "api/api.h"
#include "base/time.h"
#include "flow/draft.h"
#include "model/held.h"

#define DIMENSIONS 6
#define PAGE 500
#define SHOWN 3 // points of an object that an answer names

static const char *const dimensions[DIMENSIONS] = { "people", "equipment", "process", "storage", "logistics", "environment" };

struct tally { uint32_t n, live; };

static void tally_json(struct jw *w, const char *key, struct tally t)
{
	jw_kobj(w, key);
	jw_ki64(w, "points", t.n);
	jw_ki64(w, "live", t.live);
	jw_end(w);
}

// What both questions may be narrowed by.
struct asked {
	struct str area, sector;
	int64_t page, size;
	struct filter filters[4];
	struct value vals[4];
	size_t n;
};

static void narrow(struct asked *a, const char *column, enum filter_op op, struct str s)
{
	a->vals[a->n] = (struct value){ .kind = VAL_TEXT, .s = s };
	a->filters[a->n] = (struct filter){ str_of(column), op, &a->vals[a->n], 1 };
	a->n++;
}

static enum err read_asked(struct call *c, struct asked *a)
{
	*a = (struct asked){ .area = area_prefix(http_query(c->rq, "area")), .sector = http_query(c->rq, "sector") };
	enum err err = query_int(c, "page", 1, 1, 1000000, &a->page);
	if (!err)
		err = query_int(c, "size", 50, 1, LIMIT_PAGE_SIZE, &a->size);
	if (a->area.n)
		narrow(a, "area", FILTER_PREFIX, a->area);
	if (a->sector.n)
		narrow(a, "sector", FILTER_EQ, a->sector);
	return err;
}

static bool point_counts(struct call *c, const struct asked *a, const struct site_point *p)
{
	return !p->def.out_of_service && auth_in_scope(&c->id, point_place(p)) && str_starts(p->def.area, a->area) &&
	       (!a->sector.n || str_eq(p->def.sector, a->sector));
}

// ---- the six dimensions --------------------------------------------------------------------------
struct coverage {
	struct tally (*of)[DIMENSIONS]; // by enterprise
	size_t n;
	struct tally all[DIMENSIONS];
	uint32_t covered[DIMENSIONS];   // enterprises with a point
	size_t gap;                     // only enterprises without a point of it; DIMENSIONS: all of them
};

static size_t dimension_of(const struct site *site, struct str kind)
{
	const struct point_kind *k = registry_kind(site->reg, kind);
	size_t i = 0;
	while (i < DIMENSIONS && !(k && str_is(k->dimension, dimensions[i])))
		i++;
	return i;
}

static void count_points(struct call *c, const struct asked *a, struct coverage *cov)
{
	struct site *site = call_site(c);
	int64_t now = clock_now();
	struct site_point p;
	struct sample s;
	cov->n = 1;
	for (uint32_t i = 0; site_point_next(site, &i, &p);)
		cov->n = MAX(cov->n, (size_t)p.def.enterprise + 1);
	cov->of = arena_alloc(c->arena, cov->n * sizeof *cov->of);
	for (uint32_t i = 0; site_point_next(site, &i, &p);) {
		size_t d = dimension_of(site, p.def.kind);
		if (d == DIMENSIONS || !point_counts(c, a, &p))
			continue;
		struct tally *t = &cov->of[p.def.enterprise][d];
		bool live = point_is_live(c->app, site, &p, now, &s);
		cov->covered[d] += t->n == 0;
		t->n++;
		t->live += live;
		cov->all[d].n++;
		cov->all[d].live += live;
	}
}

static void enterprise_json(struct call *c, const struct row *row, const struct tally v[DIMENSIONS])
{
	size_t have = 0;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", row->c.id);
	jw_kstr(&c->w, "title", row->c.title);
	jw_kstr(&c->w, "area", row->c.area);
	jw_kstr(&c->w, "sector", row->c.sector);
	for (size_t i = 0; i < DIMENSIONS; i++) {
		tally_json(&c->w, dimensions[i], v[i]);
		have += v[i].n > 0;
	}
	jw_ki64(&c->w, "dimensions", (int64_t)have);
	jw_end(&c->w);
}

static enum err write_enterprises(struct call *c, struct asked *a, const struct coverage *cov, int64_t *ret_total)
{
	static const struct tally none[DIMENSIONS];
	const struct type *t = registry_type(c->reg, STR("enterprise"));
	struct scope scope = auth_scope(&c->id, t);
	struct sort by_id = { .column = STR("id") };
	size_t got = PAGE, first = (size_t)((a->page - 1) * a->size);
	enum err err = OK;
	bool all = cov->gap == DIMENSIONS;
	*ret_total = 0;
	for (size_t at = all ? first : 0; !err && got == PAGE; at += got) {
		struct list_query lq = { .filters = a->filters, .nfilters = a->n, .sorts = &by_id, .nsorts = 1, .offset = at,
			                 .limit = all ? (size_t)a->size : PAGE };
		struct row *rows;
		int64_t total;
		err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &got, &total, &c->p);
		for (size_t i = 0; !err && i < got; i++) {
			const struct tally *v = (size_t)rows[i].c.id < cov->n ? cov->of[rows[i].c.id] : none;
			if (all) {
				enterprise_json(c, &rows[i], v);
			} else if (!v[cov->gap].n) {
				size_t k = (size_t)(*ret_total)++;
				if (k >= first && k < first + (size_t)a->size)
					enterprise_json(c, &rows[i], v);
			}
		}
		if (all) {
			*ret_total = total;
			break;
		}
	}
	return err;
}

enum err sensing_coverage(struct call *c)
{
	struct asked a;
	struct coverage cov = { .gap = 0 };
	struct str gap = http_query(c->rq, "gap");
	int64_t total;
	enum err err = read_asked(c, &a);
	if (err)
		return err;
	while (cov.gap < DIMENSIONS && !str_is(gap, dimensions[cov.gap]))
		cov.gap++;
	if (gap.n && cov.gap == DIMENSIONS)
		return call_fail(c, ERR_INVALID, "gap", "维度须为 people、equipment、process、storage、logistics、environment 之一",
		                 "a dimension is people, equipment, process, storage, logistics or environment");
	count_points(c, &a, &cov);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	err = write_enterprises(c, &a, &cov, &total);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_karr(&c->w, "dimensions");
	for (size_t i = 0; i < DIMENSIONS; i++) {
		jw_obj(&c->w);
		jw_kcstr(&c->w, "name", dimensions[i]);
		jw_ki64(&c->w, "enterprises", cov.covered[i]);
		jw_ki64(&c->w, "points", cov.all[i].n);
		jw_ki64(&c->w, "live", cov.all[i].live);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_ktime(&c->w, "at", clock_now());
	jw_end(&c->w);
	return err;
}

// ---- risks with what is measured of them ---------------------------------------------------------
struct watched {                // an object's points
	struct tally t;
	uint32_t shown[SHOWN];  // with an alarm first
	size_t nshown;
	uint8_t color;          // enum map_color: worst alarm, else green if anything is live, else grey
	int64_t newest;         // us, 0 = never
};

struct risks {
	struct call *c;
	struct site *site;
	int64_t now;
	struct asked a;
	bool missing, major_only;
	uint8_t *alarm;         // enum map_color by point
	struct watched *of;     // by installation
	size_t n;
	int64_t major, online, tanks, tanks_live, total;
};

static void on_alarm(void *arg, uint32_t point, struct str color)
{
	struct risks *r = arg;
	if (point <= points_max(r->site->points))
		r->alarm[point] = MAX(r->alarm[point], (uint8_t)alarm_map_color(color));
}

static void watch_point(struct risks *r, struct watched *w, const struct site_point *p)
{
	struct sample s = { 0 };
	bool live = point_is_live(r->c->app, r->site, p, r->now, &s);
	uint8_t color = MAX(r->alarm[p->def.id], (uint8_t)(live ? MAP_GREEN : MAP_GREY));
	w->t.n++;
	w->t.live += live;
	w->newest = MAX(w->newest, s.time);
	if (color > w->color && w->nshown) { // the gravest stands first
		w->nshown = MIN(w->nshown + 1, (size_t)SHOWN);
		memmove(w->shown + 1, w->shown, (w->nshown - 1) * sizeof *w->shown);
		w->shown[0] = p->def.id;
	} else if (w->nshown < SHOWN) {
		w->shown[w->nshown++] = p->def.id;
	}
	w->color = MAX(w->color, color);
}

static enum err watch_all(struct risks *r)
{
	struct site_point p;
	static const struct asked everywhere;
	r->alarm = arena_alloc(r->c->arena, points_max(r->site->points) + 1u);
	enum err err = alarm_each_active(call_db(r->c), on_alarm, r, r->c->arena);
	for (uint32_t i = 0; site_point_next(r->site, &i, &p);)
		r->n = MAX(r->n, (size_t)p.def.installation + 1);
	r->of = arena_many(r->c->arena, r->n + 1, struct watched);
	for (uint32_t i = 0; !err && site_point_next(r->site, &i, &p);)
		if (p.def.installation && point_counts(r->c, &everywhere, &p))
			watch_point(r, &r->of[p.def.installation], &p);
	return err;
}

static bool cell_is(const struct type *t, const struct row *row, const char *name, const char *value)
{
	const struct value *v = held(t, row, name);
	return v->kind == VAL_TEXT && str_is(v->s, value);
}

// The points of a field of references, as far as the caller may see them.
static struct watched watched_refs(struct risks *r, const struct value *v)
{
	struct watched w = { 0 };
	struct site_point p;
	int64_t *ids;
	size_t n = value_ids(v, r->c->arena, &ids);
	for (size_t i = 0; i < n; i++)
		if (ids[i] > 0 && ids[i] <= LIMIT_POINTS && site_point(r->site, (uint32_t)ids[i], &p) && !p.def.out_of_service &&
		    auth_in_scope(&r->c->id, point_place(&p)))
			watch_point(r, &w, &p);
	return w;
}

// Tanks that an installation registers, and those with a level that is live.
static struct tally tanks_of(struct risks *r, const struct type *t, const struct row *row)
{
	struct tally k = { 0 };
	const struct value *v = held(t, row, "tanks");
	json_t *rows = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL, *j;
	size_t i;
	json_array_foreach(rows, i, j) {
		int64_t id = json_integer_value(json_object_get(j, "point"));
		struct site_point p;
		struct sample s;
		k.n++;
		k.live += id > 0 && id <= LIMIT_POINTS && site_point(r->site, (uint32_t)id, &p) && point_is_live(r->c->app, r->site, &p, r->now, &s);
	}
	json_decref(rows);
	return k;
}

static void shown_json(struct risks *r, const struct watched *w)
{
	struct jw *j = &r->c->w;
	jw_karr(j, "shown");
	for (size_t i = 0; i < w->nshown; i++) {
		struct site_point p;
		struct sample s;
		if (!site_point(r->site, w->shown[i], &p))
			continue;
		bool live = point_is_live(r->c->app, r->site, &p, r->now, &s);
		jw_obj(j);
		jw_ki64(j, "id", p.def.id);
		jw_kstr(j, "name", p.name);
		jw_kstr(j, "unit", p.unit);
		jw_key(j, "value");
		if (live)
			jw_f64(j, s.value);
		else
			jw_null(j);
		jw_kcstr(j, "color", map_color_name((enum map_color)MAX(r->alarm[p.def.id], (uint8_t)(live ? MAP_GREEN : MAP_GREY))));
		jw_end(j);
	}
	jw_end(j);
}

// The day of the newest check of it that was done, of the type with a reference to it; empty: none.
static enum err last_check(struct risks *r, const char *type, const char *link, int64_t id, struct str *ret)
{
	const struct type *t = registry_type(r->c->reg, str_of(type));
	*ret = STR_EMPTY;
	if (!t || !auth_may_read(&r->c->id, t))
		return OK;
	struct scope scope = auth_scope(&r->c->id, t);
	struct value of = { .kind = VAL_INT, .i = id }, done = { .kind = VAL_TEXT, .s = STR("done") };
	struct filter f[] = { { str_of(link), FILTER_EQ, &of, 1 }, { STR("state"), FILTER_EQ, &done, 1 } };
	struct sort newest = { .column = STR("checked"), .descending = true };
	struct list_query lq = { .filters = f, .nfilters = ARRAY_LEN(f), .sorts = &newest, .nsorts = 1, .limit = 1 };
	struct row *rows;
	size_t n;
	enum err err = records_list(call_db(r->c), &t->table, &scope, &lq, r->c->arena, &rows, &n, NULL, &r->c->p);
	const struct value *v = !err && n ? held(t, &rows[0], "checked") : NULL;
	if (v && v->kind == VAL_TEXT)
		*ret = v->s;
	return err;
}

struct source {                 // a type of objects at risk
	const char *type, *points;  // field of references; NULL: the points name the object
	const char *states[3];      // that count; none: all
	const char *grade;          // field that must be red for a major risk; NULL: each is one
	const char *check, *link;   // type of its inspections; NULL: field checked of its own
};
static const struct source sources[] = {
	{ "installation", NULL, { "filed", "reassessing", "cancelling" }, NULL, "installation_check", "installation" },
	{ "risk_item", "points", { "listed" }, "level", NULL, NULL },
	{ "key_facility", "points", { NULL }, "risk", "facility_check", "key_facility" },
};

static enum err risk_json(struct risks *r, const struct source *src, const struct type *t, const struct row *row, const struct watched *w,
                          struct tally tanks, bool major)
{
	struct call *c = r->c;
	struct str checked;
	const struct value *own = held(t, row, "checked");
	enum err err = src->check ? last_check(r, src->check, src->link, row->c.id, &checked) : OK;
	if (!src->check)
		checked = own->kind == VAL_TEXT ? own->s : STR_EMPTY;
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", t->name);
	jw_kstr(&c->w, "type_label", label_text(c, t->label));
	jw_kbool(&c->w, "major", major);
	tally_json(&c->w, "measured", w->t);
	jw_kcstr(&c->w, "color", map_color_name((enum map_color)w->color));
	if (w->newest)
		jw_ktime(&c->w, "newest", w->newest);
	if (checked.n)
		jw_kstr(&c->w, "checked", checked);
	if (tanks.n)
		tally_json(&c->w, "tanks", tanks);
	shown_json(r, w);
	jw_key(&c->w, "record");
	record_json(&c->w, call_db(c), c->reg, t, row, &c->id, false, c->arena);
	jw_end(&c->w);
	return OK;
}

static enum err one_risk(struct risks *r, const struct source *src, const struct type *t, const struct row *row)
{
	static const struct watched none;
	const struct watched w = src->points ? watched_refs(r, held(t, row, src->points)) : (size_t)row->c.id < r->n ? r->of[row->c.id] : none;
	struct tally tanks = src->points ? (struct tally){ 0 } : tanks_of(r, t, row);
	bool major = !src->grade || cell_is(t, row, src->grade, "red");
	r->major += major;
	r->online += major && w.t.live;
	r->tanks += tanks.n;
	r->tanks_live += tanks.live;
	if ((r->missing && w.t.live) || (r->major_only && !major))
		return OK;
	int64_t k = r->total++;
	return k / r->a.size == r->a.page - 1 ? risk_json(r, src, t, row, &w, tanks, major) : OK;
}

static enum err each_risk(struct risks *r, const struct source *src)
{
	const struct type *t = registry_type(r->c->reg, str_of(src->type));
	if (!t || !auth_may_read(&r->c->id, t))
		return OK;
	struct scope scope = auth_scope(&r->c->id, t);
	struct value states[ARRAY_LEN(src->states)];
	struct filter f[ARRAY_LEN(r->a.filters) + 1];
	struct sort by_id = { .column = STR("id") };
	size_t n = r->a.n, nstates = 0, got = PAGE;
	enum err err = OK;
	memcpy(f, r->a.filters, sizeof r->a.filters);
	for (; nstates < ARRAY_LEN(states) && src->states[nstates]; nstates++)
		states[nstates] = (struct value){ .kind = VAL_TEXT, .s = str_of(src->states[nstates]) };
	if (nstates)
		f[n++] = (struct filter){ STR("state"), FILTER_IN, states, nstates };
	for (size_t at = 0; !err && got == PAGE; at += got) {
		struct list_query lq = { .filters = f, .nfilters = n, .sorts = &by_id, .nsorts = 1, .offset = at, .limit = PAGE };
		struct row *rows;
		err = records_list(call_db(r->c), &t->table, &scope, &lq, r->c->arena, &rows, &got, NULL, &r->c->p);
		for (size_t i = 0; !err && i < got; i++)
			err = one_risk(r, src, t, &rows[i]);
	}
	return err;
}

static void rate(struct jw *w, const char *key, int64_t part, int64_t of)
{
	jw_key(w, key);
	if (of)
		jw_f64(w, 100.0 * (double)part / (double)of);
	else
		jw_null(w);
}

enum err sensing_risks(struct call *c)
{
	struct risks r = { .c = c, .site = call_site(c), .now = clock_now(), .missing = str_is(http_query(c->rq, "missing"), "true"),
		           .major_only = str_is(http_query(c->rq, "major"), "true") };
	struct str only = http_query(c->rq, "type");
	enum err err = read_asked(c, &r.a);
	if (!err)
		err = watch_all(&r);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; !err && i < ARRAY_LEN(sources); i++)
		if (!only.n || str_is(only, sources[i].type))
			err = each_risk(&r, &sources[i]);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", r.total);
	jw_ki64(&c->w, "major", r.major);
	jw_ki64(&c->w, "online", r.online);
	rate(&c->w, "rate", r.online, r.major);
	jw_ki64(&c->w, "tanks", r.tanks);
	jw_ki64(&c->w, "tanks_live", r.tanks_live);
	rate(&c->w, "tanks_rate", r.tanks_live, r.tanks);
	jw_ktime(&c->w, "at", r.now);
	jw_end(&c->w);
	return err;
}
