// OGC API - Features - Part 1: Core (OGC 17-069r4) for geographic information systems: every type with a geometry is a
// collection. Coordinates are CGCS2000 longitude and latitude, given out as CRS84: the two frames agree to centimetres, far
// below what a map of enterprises can show. QGIS logs in with Basic: login name and an access token with the scope ogc.
#include <math.h>

#include "api/api.h"
#include "base/time.h"

#define CRS84 "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#define LIMIT_USUAL 100
#define SCAN_MAX 5000       // rows looked at for one page where the store cannot compare places (shapes)

struct bbox {
	bool given;
	double w, s, e, n;          // w > e: over the 180th meridian
};

static const struct field *geometry_of(const struct type *t)
{
	const struct field *f = t->geometry.n ? type_field(t, t->geometry) : NULL;
	return f && f->ncols && (f->kind == FIELD_POSITION || f->kind == FIELD_SHAPE) ? f : NULL;
}

// May the caller have the type as a collection? Its place must be his to see, too.
static const struct field *collection_of(struct call *c, const struct type *t)
{
	const struct field *f = geometry_of(t);
	return f && auth_may_read(&c->id, t) && auth_may_read_field(&c->id, f) ? f : NULL;
}

// ---- links -------------------------------------------------------------------------------------
static struct str base_url(struct call *c)
{
	struct str host = http_header(c->rq, "Host");
	bool tls = str_is(http_header(c->rq, "X-Forwarded-Proto"), "https");
	for (size_t i = 0; i < host.n; i++) // it is echoed into addresses: only what a host may hold
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", host.p[i]))
			host.n = 0;
	return host.n ? arena_printf(c->arena, "http%s://%.*s/ogc", tls ? "s" : "", STR_FMT(host)) : STR("/ogc");
}

static void link_json(struct call *c, const char *rel, const char *type, struct str path)
{
	struct str base = base_url(c);
	jw_obj(&c->w);
	jw_kstr(&c->w, "href", arena_printf(c->arena, "%.*s%.*s", STR_FMT(base), STR_FMT(path)));
	jw_kcstr(&c->w, "rel", rel);
	jw_kcstr(&c->w, "type", type);
	jw_end(&c->w);
}

enum err ogc_landing(struct call *c)
{
	jw_obj(&c->w);
	jw_kstr(&c->w, "title", arena_printf(c->arena, "%s", call_is_en(c) ? "Anlan work safety" : "安澜安全生产"));
	jw_kcstr(&c->w, "description", call_is_en(c) ? "Records with a place, within the caller's area and rights" : "有位置的业务记录，限于本人的辖区和权限");
	jw_karr(&c->w, "links");
	link_json(c, "self", "application/json", STR(""));
	link_json(c, "conformance", "application/json", STR("/conformance"));
	link_json(c, "data", "application/json", STR("/collections"));
	link_json(c, "service-desc", "application/vnd.oai.openapi+json;version=3.0", STR("/api"));
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err ogc_conformance(struct call *c)
{
	jw_obj(&c->w);
	jw_karr(&c->w, "conformsTo");
	jw_cstr(&c->w, "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core");
	jw_cstr(&c->w, "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson");
	jw_cstr(&c->w, "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30");
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// ---- collections -------------------------------------------------------------------------------
static void collection_json(struct call *c, const struct type *t)
{
	struct str self = arena_printf(c->arena, "/collections/%.*s", STR_FMT(t->name));
	jw_obj(&c->w);
	jw_kstr(&c->w, "id", t->name);
	jw_kstr(&c->w, "title", label_text(c, t->label));
	jw_kstr(&c->w, "description", label_text(c, t->about));
	jw_kcstr(&c->w, "itemType", "feature");
	jw_karr(&c->w, "crs");
	jw_cstr(&c->w, CRS84);
	jw_end(&c->w);
	jw_kobj(&c->w, "extent");
	jw_key(&c->w, "spatial");
	jw_raw(&c->w, STR("{\"bbox\":[[-180,-90,180,90]],\"crs\":\"" CRS84 "\"}"));
	jw_key(&c->w, "temporal"); // of the last change
	jw_raw(&c->w, STR("{\"interval\":[[null,null]]}"));
	jw_end(&c->w);
	jw_karr(&c->w, "links");
	link_json(c, "self", "application/json", self);
	link_json(c, "items", "application/geo+json", arena_printf(c->arena, "%.*s/items", STR_FMT(self)));
	jw_end(&c->w);
	jw_end(&c->w);
}

enum err ogc_collections(struct call *c)
{
	jw_obj(&c->w);
	jw_karr(&c->w, "links");
	link_json(c, "self", "application/json", STR("/collections"));
	jw_end(&c->w);
	jw_karr(&c->w, "collections");
	for (size_t i = 0; i < c->reg->ntypes; i++)
		if (collection_of(c, &c->reg->types[i]))
			collection_json(c, &c->reg->types[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

static enum err find_collection(struct call *c, const struct type **ret, const struct field **ret_place)
{
	*ret = registry_type(c->reg, c->param[0]);
	*ret_place = *ret ? collection_of(c, *ret) : NULL;
	return *ret_place ? OK : call_fail(c, ERR_NOT_FOUND, "collection", "没有这个图层，或无权查看", "no such collection, or not yours to see");
}

enum err ogc_collection(struct call *c)
{
	const struct type *t;
	const struct field *place;
	enum err err = find_collection(c, &t, &place);
	if (!err)
		collection_json(c, t);
	return err;
}

// ---- features ----------------------------------------------------------------------------------
static void geometry_json(struct jw *w, const struct field *f, const struct row *row)
{
	const struct value *v = &row->vals[f->col];
	jw_key(w, "geometry");
	if (f->kind == FIELD_SHAPE && v->kind == VAL_TEXT) {
		jw_raw(w, v->s);
	} else if (f->kind == FIELD_POSITION && v[0].kind == VAL_REAL && v[1].kind == VAL_REAL) {
		jw_obj(w);
		jw_kcstr(w, "type", "Point");
		jw_karr(w, "coordinates");
		jw_f64(w, v[0].f);
		jw_f64(w, v[1].f);
		jw_end(w);
		jw_end(w);
	} else {
		jw_null(w);
	}
}

static bool left_out(const struct field *place, const char *key)
{
	return strcmp(key, "moves") == 0 || strcmp(key, "can") == 0 || str_is(place->name, key);
}

// The record as the API shows it (masked, only the caller's fields), references by their title: what a map program can label.
static void properties_json(struct call *c, const struct type *t, const struct field *place, const struct row *row, struct arena *a)
{
	struct buf b;
	struct jw inner;
	const char *key;
	json_t *v;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&inner, &b);
	record_json(&inner, call_db(c), c->reg, t, row, &c->id, false, a);
	json_t *o = jw_done(&inner) ? json_loadb(b.p, b.n, 0, NULL) : NULL;
	jw_kobj(&c->w, "properties");
	json_object_foreach(o, key, v) {
		const json_t *title = json_is_object(v) ? json_object_get(v, "title") : NULL;
		const json_t *shown = title ? title : v;
		if (left_out(place, key))
			continue;
		size_t n = json_dumpb(shown, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
		char *text = arena_alloc(a, n + 1);
		jw_key(&c->w, key);
		jw_raw(&c->w, str_from(text, json_dumpb(shown, text, n, JSON_ENCODE_ANY | JSON_COMPACT)));
	}
	jw_end(&c->w);
	json_decref(o);
	buf_free(&b);
}

static void feature_json(struct call *c, const struct type *t, const struct field *place, const struct row *row, struct arena *a,
                         bool alone)
{
	struct str self = arena_printf(a, "/collections/%.*s/items/%lld", STR_FMT(t->name), (long long)row->c.id);
	jw_obj(&c->w);
	jw_kcstr(&c->w, "type", "Feature");
	jw_ki64(&c->w, "id", row->c.id);
	geometry_json(&c->w, place, row);
	properties_json(c, t, place, row, a);
	if (alone) {
		jw_karr(&c->w, "links");
		link_json(c, "self", "application/geo+json", self);
		link_json(c, "collection", "application/json", arena_printf(a, "/collections/%.*s", STR_FMT(t->name)));
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

enum err ogc_item(struct call *c)
{
	const struct type *t;
	const struct field *place;
	struct row row;
	int64_t id;
	enum err err = find_collection(c, &t, &place);
	if (!err)
		err = param_id(c, 1, &id);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	err = records_get(call_db(c), &t->table, &scope, id, c->arena, &row);
	if (err == ERR_NOT_FOUND || (!err && row.c.retired))
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这条记录，或不在您的管辖范围", "no such record, or outside your scope");
	if (!err)
		feature_json(c, t, place, &row, c->arena, true);
	c->rs->type = "application/geo+json; charset=utf-8";
	return err;
}

// ---- a page of features ------------------------------------------------------------------------
struct page {
	struct bbox box;
	int64_t limit, offset;
	struct filter filters[6];
	struct value vals[6];
	size_t nfilters;
};

static void filter_add(struct page *pg, struct str column, enum filter_op op, struct value v)
{
	pg->vals[pg->nfilters] = v;
	pg->filters[pg->nfilters] = (struct filter){ .column = column, .op = op, .vals = &pg->vals[pg->nfilters], .nvals = 1 };
	pg->nfilters++;
}

static enum err read_bbox(struct call *c, struct bbox *ret)
{
	struct str rest = http_query(c->rq, "bbox");
	double v[6];
	size_t n = 0;
	ret->given = rest.n > 0;
	while (rest.n && n < 6) {
		struct str one = str_trim(str_cut(&rest, ','));
		if (!str_to_f64(one, &v[n++]))
			n = 7;
	}
	if (!ret->given)
		return OK;
	*ret = n == 6 ? (struct bbox){ true, v[0], v[1], v[3], v[4] } : (struct bbox){ true, v[0], v[1], v[2], v[3] };
	if ((n != 4 && n != 6) || rest.n || ret->s > ret->n || fabs(ret->w) > 180 || fabs(ret->e) > 180 || fabs(ret->s) > 90 || fabs(ret->n) > 90)
		return call_fail(c, ERR_INVALID, "bbox", "bbox 须为 西,南,东,北（度）", "bbox must be west,south,east,north in degrees");
	return OK;
}

// An instant or an interval ("a/b", ".." or empty for open), compared with the last change.
static enum err read_datetime(struct call *c, struct page *pg)
{
	struct str to = http_query(c->rq, "datetime"), from = str_cut(&to, '/');
	bool interval = str_contains(http_query(c->rq, "datetime"), STR("/"));
	int64_t us;
	for (int i = 0; i < 2; i++) {
		struct str one = i ? interval ? to : from : from;
		if (!one.n || str_is(one, ".."))
			continue;
		if (!time_parse(one, &us))
			return call_fail(c, ERR_INVALID, "datetime", "datetime 须为时间或时间段，如 2026-11-01T00:00:00Z/..", "datetime must be a time or an interval, e.g. 2026-11-01T00:00:00Z/..");
		filter_add(pg, STR("changed_at"), i ? FILTER_LE : FILTER_GE, (struct value){ .kind = VAL_INT, .i = us });
	}
	return OK;
}

// Of points the store compares the columns; a box over the 180th meridian is left to inside().
static void box_filters(struct page *pg, const struct type *t, const struct field *f)
{
	if (!pg->box.given || f->kind != FIELD_POSITION)
		return;
	struct str lon = t->table.cols[f->col].name, lat = t->table.cols[f->col + 1].name;
	filter_add(pg, lat, FILTER_GE, (struct value){ .kind = VAL_REAL, .f = pg->box.s });
	filter_add(pg, lat, FILTER_LE, (struct value){ .kind = VAL_REAL, .f = pg->box.n });
	if (pg->box.w <= pg->box.e) {
		filter_add(pg, lon, FILTER_GE, (struct value){ .kind = VAL_REAL, .f = pg->box.w });
		filter_add(pg, lon, FILTER_LE, (struct value){ .kind = VAL_REAL, .f = pg->box.e });
	}
}

static void extent(const json_t *coords, struct bbox *b)
{
	const json_t *first = json_array_get(coords, 0);
	if (!json_is_number(first)) {
		for (size_t i = 0; i < json_array_size(coords); i++)
			extent(json_array_get(coords, i), b);
		return;
	}
	double lon = json_number_value(first), lat = json_number_value(json_array_get(coords, 1));
	*b = b->given ? (struct bbox){ true, fmin(b->w, lon), fmin(b->s, lat), fmax(b->e, lon), fmax(b->n, lat) } :
	                (struct bbox){ true, lon, lat, lon, lat };
}

static bool over(double from, double to, const struct bbox *box) // longitudes
{
	return box->w <= box->e ? to >= box->w && from <= box->e : to >= box->w || from <= box->e;
}

// Does the row's place meet the box? Of a shape its own box counts.
static bool inside(const struct page *pg, const struct field *f, const struct row *row)
{
	const struct value *v = &row->vals[f->col];
	struct bbox own = { 0 };
	if (!pg->box.given)
		return true;
	if (f->kind == FIELD_POSITION)
		return v[0].kind == VAL_REAL && over(v[0].f, v[0].f, &pg->box);
	json_t *shape = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	extent(json_object_get(shape, "coordinates"), &own);
	json_decref(shape);
	return own.given && own.n >= pg->box.s && own.s <= pg->box.n && over(own.w, own.e, &pg->box);
}

static struct str next_path(struct call *c, const struct type *t, const struct page *pg, int64_t offset)
{
	struct str bbox = http_query(c->rq, "bbox"), when = http_query(c->rq, "datetime");
	for (size_t i = 0; i < when.n; i++) // a + in a query is a blank
		if (when.p[i] == '+')
			when = STR_EMPTY;
	return arena_printf(c->arena, "/collections/%.*s/items?limit=%lld&offset=%lld%s%.*s%s%.*s", STR_FMT(t->name), (long long)pg->limit,
	                    (long long)offset, bbox.n ? "&bbox=" : "", STR_FMT(bbox), when.n ? "&datetime=" : "", STR_FMT(when));
}

static enum err read_page(struct call *c, const struct type *t, const struct field *place, struct page *pg)
{
	enum err err = query_int(c, "limit", LIMIT_USUAL, 1, 1000000000, &pg->limit);
	// More than we give is no error (OGC 17-069r4, 7.15.2): QGIS may ask for 1000.
	pg->limit = MIN(pg->limit, (int64_t)LIMIT_PAGE_SIZE);
	if (!err)
		err = query_int(c, "offset", 0, 0, 100000000, &pg->offset);
	if (!err)
		err = read_bbox(c, &pg->box);
	if (!err)
		err = read_datetime(c, pg);
	if (!err)
		box_filters(pg, t, place);
	return err;
}

// Rows from pg->offset on until the page is full; *ret_next: where the next page begins, 0 = there is none.
static enum err write_features(struct call *c, const struct type *t, const struct field *place, const struct page *pg,
                               int64_t *ret_total, int64_t *ret_n, int64_t *ret_next)
{
	struct sort by_id = { .column = STR("id") };
	struct list_query lq = { .filters = pg->filters, .nfilters = pg->nfilters, .sorts = &by_id, .nsorts = 1 };
	struct scope scope = auth_scope(&c->id, t);
	size_t got = 1, at = (size_t)pg->offset;
	enum err err = OK;
	*ret_n = *ret_next = 0;
	while (!err && got && *ret_n < pg->limit && at - (size_t)pg->offset < SCAN_MAX) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
		struct row *rows;
		lq.offset = at;
		lq.limit = (size_t)pg->limit;
		err = records_list(call_db(c), &t->table, &scope, &lq, a, &rows, &got, ret_total, &c->p);
		for (size_t i = 0; !err && i < got && *ret_n < pg->limit; i++, at++)
			if (inside(pg, place, &rows[i])) {
				feature_json(c, t, place, &rows[i], a, false);
				++*ret_n;
			}
	}
	if (!err && (int64_t)at < *ret_total)
		*ret_next = (int64_t)at;
	return err;
}

enum err ogc_items(struct call *c)
{
	const struct type *t;
	const struct field *place;
	struct page pg = { 0 };
	int64_t total = 0, n, next;
	enum err err = find_collection(c, &t, &place);
	if (!err)
		err = read_page(c, t, place, &pg);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kcstr(&c->w, "type", "FeatureCollection");
	jw_karr(&c->w, "features");
	err = write_features(c, t, place, &pg, &total, &n, &next);
	jw_end(&c->w);
	jw_karr(&c->w, "links");
	link_json(c, "self", "application/geo+json", next_path(c, t, &pg, pg.offset));
	if (next)
		link_json(c, "next", "application/geo+json", next_path(c, t, &pg, next));
	jw_end(&c->w);
	jw_ktime(&c->w, "timeStamp", clock_now());
	if (!pg.box.given || (place->kind == FIELD_POSITION && pg.box.w <= pg.box.e)) // else only looking would tell
		jw_ki64(&c->w, "numberMatched", total);
	jw_ki64(&c->w, "numberReturned", n);
	jw_end(&c->w);
	c->rs->type = "application/geo+json; charset=utf-8";
	return err;
}
