// A park as its records say (packs/qra) → the description that risk/qra.h reads. Reads only; any thread.
#include "core/qra_park.h"

#include <math.h>

#include "base/limits.h"
#include "base/time.h"
#include "core/core_int.h"

#define METRES_OF_DEGREE (6371008.8 * M_PI / 180) // as qra_read takes its origin
#define SPOTS 3             // people are spread over at most (2 × SPOTS + 1)² points

struct park {
	struct db *db;
	const struct registry *reg;
	struct identity by;
	struct arena *a;
	struct problem *p;
	struct jw w;
	double lon, lat;
	json_t *triggers;           // natural events, records of qra_trigger; a list
};

// ---- records as JSON --------------------------------------------------------------------------

static json_t *record_of(struct park *k, const struct type *t, const struct row *row)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 4u << 20);
	jw_init(&w, &b);
	record_json(&w, k->db, k->reg, t, row, &k->by, true, k->a);
	json_t *j = jw_done(&w) ? json_loadb(b.p, b.n, 0, NULL) : NULL;
	buf_free(&b);
	return j;
}

static double number(const json_t *j, const char *key, double fallback)
{
	const json_t *v = json_object_get(j, key);
	return json_is_number(v) ? json_number_value(v) : fallback;
}

static struct str text(const json_t *j, const char *key) { return str_of(json_string_value(json_object_get(j, key))); }

static bool copy_number(struct park *k, const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);
	if (json_is_number(v))
		jw_kf64(&k->w, key, json_number_value(v));
	return json_is_number(v);
}

static void copy_true(struct park *k, const json_t *j, const char *key)
{
	if (json_is_true(json_object_get(j, key)))
		jw_kbool(&k->w, key, true);
}

static void write_at(struct park *k, const json_t *at, double dx, double dy)
{
	double lon = json_number_value(json_array_get(at, 0)), lat = json_number_value(json_array_get(at, 1));
	jw_kf64(&k->w, "x", (lon - k->lon) * METRES_OF_DEGREE * cos(k->lat * M_PI / 180) + dx);
	jw_kf64(&k->w, "y", (lat - k->lat) * METRES_OF_DEGREE + dy);
}

// ---- the park ------------------------------------------------------------------------------------

static void write_grid(struct park *k, const json_t *park)
{
	double half = number(park, "half_km", 3) * 1000, cell = number(park, "cell", 30);
	int64_t n = MIN((int64_t)(2 * half / cell) + 1, LIMIT_QRA_SIDE);
	jw_kobj(&k->w, "grid");
	jw_kf64(&k->w, "x0", -half);
	jw_kf64(&k->w, "y0", -half);
	jw_kf64(&k->w, "cell", cell);
	jw_ki64(&k->w, "nx", n);
	jw_ki64(&k->w, "ny", n);
	jw_end(&k->w);
}

// Classes and rose are registered apart: the probability of both is their product.
static void write_weather(struct park *k, const json_t *park)
{
	json_t *classes = json_object_get(park, "weather"), *rose = json_object_get(park, "rose"), *c, *d;
	size_t i, n;
	jw_karr(&k->w, "weather");
	json_array_foreach(classes, i, c) {
		jw_obj(&k->w);
		jw_kstr(&k->w, "stability", text(c, "stability"));
		jw_kf64(&k->w, "u", number(c, "u", 0));
		jw_kf64(&k->w, "day", number(c, "day", 50) / 100);
		jw_karr(&k->w, "from");
		json_array_foreach(rose, n, d)
			jw_f64(&k->w, number(c, "share", 0) * number(d, "share", 0) / 1e4);
		jw_end(&k->w);
		jw_end(&k->w);
	}
	jw_end(&k->w);
}

// ---- sources -----------------------------------------------------------------------------------------

static bool frequency_of(const json_t *s, double *ret)
{
	struct str f = str_trim(text(s, "f"));
	char wide[32];
	if (f.n && f.n < sizeof wide && str_starts(f, STR("."))) { // as people write it
		wide[0] = '0';
		memcpy(wide + 1, f.p, f.n);
		f = str_from(wide, f.n + 1);
	}
	return str_to_f64(f, ret);
}

// What leaves and how; inside of the scenario's object.
static void write_release(struct park *k, const json_t *s)
{
	static const char *const numbers[] = { "rate", "duration", "mass", "pool", "immediate", "delayed" };
	jw_kstr(&k->w, "substance", text(s, "substance"));
	jw_kstr(&k->w, "release", text(s, "release"));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		copy_number(k, s, numbers[i]);
	copy_true(k, s, "heavy");
}

static enum err write_scenario(struct park *k, const json_t *source, const json_t *s)
{
	struct str f = text(s, "f"), name = text(s, "name"), of = text(source, "name");
	double v;
	if (!frequency_of(s, &v))
		return problem_set(k->p, ERR_INVALID, "f", "%.*s／%.*s：频率“%.*s”不是数（写作 1e-5）", "%.*s / %.*s: the frequency \"%.*s\" is no number (write 1e-5)",
		                   STR_FMT(of), STR_FMT(name), STR_FMT(f));
	jw_obj(&k->w);
	jw_kstr(&k->w, "name", name);
	jw_kf64(&k->w, "f", v);
	write_release(k, s);
	copy_true(k, s, "rupture");
	jw_end(&k->w);
	return OK;
}

static bool exposed(const json_t *trigger, const json_t *source)
{
	json_int_t id = json_integer_value(json_object_get(source, "id"));
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(trigger, "sources"), i, one)
		if (json_integer_value(json_object_get(one, "id")) == id)
			return true;
	return false;
}

// The ruptures of the source when the event comes: the probability of damage, shared as their frequencies are.
static enum err write_triggered(struct park *k, const json_t *source, const json_t *trigger)
{
	double damage = number(trigger, "damage", 0), years = number(trigger, "return_years", 0), all = 0, f;
	struct str of = text(source, "name"), event = text(trigger, "name");
	size_t i;
	json_t *s;
	json_array_foreach(json_object_get(source, "scenarios"), i, s)
		all += json_is_true(json_object_get(s, "rupture")) && frequency_of(s, &f) ? f : 0;
	if (all <= 0)
		return problem_set(k->p, ERR_INVALID, "sources", "%.*s：风险源“%.*s”没有频率大于 0 且勾选“受多米诺影响”的情景，请在风险源中勾选破裂情景",
		                   "%.*s: no scenario of the source \"%.*s\" with a frequency above 0 is marked \"grows by escalation\"; mark its ruptures",
		                   STR_FMT(event), STR_FMT(of));
	json_array_foreach(json_object_get(source, "scenarios"), i, s) {
		if (!json_is_true(json_object_get(s, "rupture")) || !frequency_of(s, &f) || f <= 0 || damage <= 0 || years <= 0)
			continue;
		jw_obj(&k->w);
		jw_kstr(&k->w, "name", arena_printf(k->a, "%.*s（%.*s）", STR_FMT(text(s, "name")), STR_FMT(event)));
		jw_kstr(&k->w, "trigger", event);
		jw_kf64(&k->w, "event", 1 / years);
		jw_kf64(&k->w, "damage", damage * f / all);
		write_release(k, s);
		jw_end(&k->w);
	}
	return OK;
}

static enum err write_source(struct park *k, const json_t *r)
{
	json_t *s;
	size_t i;
	enum err err = OK;
	jw_obj(&k->w);
	jw_kstr(&k->w, "name", text(r, "title"));
	jw_ki64(&k->w, "id", json_integer_value(json_object_get(r, "id")));
	struct str owner = text(json_object_get(r, "enterprise"), "title");
	if (owner.n)
		jw_kstr(&k->w, "owner", owner);
	write_at(k, json_object_get(r, "position"), 0, 0);
	copy_true(k, r, "planned");
	if (text(r, "target").n)
		jw_kstr(&k->w, "target", text(r, "target"));
	copy_number(k, r, "volume");
	jw_karr(&k->w, "scenarios");
	json_array_foreach(json_object_get(r, "scenarios"), i, s) {
		if (!err)
			err = write_scenario(k, r, s);
	}
	json_array_foreach(k->triggers, i, s) {
		if (!err && exposed(s, r))
			err = write_triggered(k, r, s);
	}
	jw_end(&k->w);
	jw_end(&k->w);
	return err;
}

// ---- people ---------------------------------------------------------------------------------------------

// In equal parts on the points of a square lattice inside the circle.
static enum err write_people(struct park *k, const json_t *r)
{
	double radius = number(r, "radius", 0), step = radius / SPOTS, day = number(r, "day", 0), night = number(r, "night", 0);
	int n = 0;
	for (int pass = 0, parts = 1; pass < 2; pass++, parts = n, n = 0) {
		for (int x = -SPOTS; x <= SPOTS; x++) {
			for (int y = -SPOTS; y <= SPOTS; y++) {
				bool in = radius > 0 ? x * x + y * y <= SPOTS * SPOTS : x == 0 && y == 0;
				n += in;
				if (!in || !pass)
					continue;
				jw_obj(&k->w);
				write_at(k, json_object_get(r, "position"), x * step, y * step);
				jw_kf64(&k->w, "day", day / parts);
				jw_kf64(&k->w, "night", night / parts);
				jw_kf64(&k->w, "indoors", number(r, "indoors", 90) / 100);
				jw_end(&k->w);
			}
		}
	}
	return OK;
}

static enum err write_place(struct park *k, const json_t *r)
{
	if (!text(r, "class").n)
		return OK;
	jw_obj(&k->w);
	jw_kstr(&k->w, "name", text(r, "title"));
	jw_ki64(&k->w, "id", json_integer_value(json_object_get(r, "id")));
	jw_kstr(&k->w, "class", text(r, "class"));
	jw_kbool(&k->w, "old", !json_is_true(json_object_get(r, "new")));
	write_at(k, json_object_get(r, "position"), 0, 0);
	jw_end(&k->w);
	return OK;
}

// Every record of the type that belongs to the park, oldest first.
static enum err each(struct park *k, int64_t park, const char *type, size_t max, enum err (*fn)(struct park *, const json_t *))
{
	const struct type *t = registry_type(k->reg, str_of(type));
	if (!t)
		return problem_set(k->p, ERR_INVALID, "", "业务包缺少类型 %s", "the packs lack the type %s", type);
	struct value v = { .kind = VAL_INT, .i = park };
	struct filter f = { STR("park"), FILTER_EQ, &v, 1 };
	struct sort oldest = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .sorts = &oldest, .nsorts = 1, .limit = max + 1 };
	struct row *rows;
	size_t n;
	enum err err = records_list(k->db, &t->table, NULL, &lq, k->a, &rows, &n, NULL, k->p);
	if (!err && n > max)
		err = problem_set(k->p, ERR_TOO_LARGE, "", "%s：至多 %zu 条", "%s: at most %zu records", type, max);
	for (size_t i = 0; i < n && !err; i++) {
		json_t *j = record_of(k, t, &rows[i]);
		err = j ? fn(k, j) : problem_set(k->p, ERR_BUG, "", "记录不能读取", "a record cannot be read");
		json_decref(j);
	}
	return err;
}

static enum err write_list(struct park *k, int64_t park, const char *type, const char *list, size_t max,
                           enum err (*write)(struct park *, const json_t *))
{
	jw_karr(&k->w, list);
	enum err err = each(k, park, type, max, write);
	jw_end(&k->w);
	return err;
}

static enum err keep_trigger(struct park *k, const json_t *r)
{
	json_array_append(k->triggers, (json_t *)(uintptr_t)r);
	return OK;
}

enum err qra_park_json(struct db *db, const struct registry *reg, int64_t id, struct arena *a, struct buf *out, struct problem *p)
{
	struct park k = { .db = db, .reg = reg, .by = identity_system(), .a = a, .p = p };
	const struct type *t = registry_type(reg, STR("qra_park"));
	struct row row;
	enum err err = t ? records_get(db, &t->table, &(struct scope){ 0 }, id, a, &row) : ERR_NOT_FOUND;
	json_t *park = err ? NULL : record_of(&k, t, &row), *centre = json_object_get(park, "centre");
	if (!json_is_array(centre)) {
		json_decref(park);
		return problem_set(p, ERR_NOT_FOUND, "park", "没有这个园区，或没有填中心位置", "there is no such park, or it has no centre");
	}
	k.lon = json_number_value(json_array_get(centre, 0));
	k.lat = json_number_value(json_array_get(centre, 1));
	jw_init(&k.w, out);
	jw_obj(&k.w);
	jw_kstr(&k.w, "name", text(park, "title"));
	jw_kobj(&k.w, "origin");
	jw_kf64(&k.w, "lon", k.lon);
	jw_kf64(&k.w, "lat", k.lat);
	jw_end(&k.w);
	write_grid(&k, park);
	write_weather(&k, park);
	jw_kf64(&k.w, "split", number(park, "split", 1));
	jw_kbool(&k.w, "urban", json_is_true(json_object_get(park, "urban")));
	jw_kbool(&k.w, "domino", json_is_true(json_object_get(park, "domino")));
	k.triggers = json_array();
	err = each(&k, id, "qra_trigger", LIMIT_QRA_SOURCES, keep_trigger);
	if (!err)
		err = write_list(&k, id, "qra_source", "sources", LIMIT_QRA_SOURCES, write_source);
	if (!err)
		err = write_list(&k, id, "qra_people", "people", LIMIT_QRA_PLACES, write_people);
	if (!err)
		err = write_list(&k, id, "qra_people", "places", LIMIT_QRA_PLACES, write_place);
	jw_end(&k.w);
	json_decref(k.triggers);
	json_decref(park);
	return err || jw_done(&k.w) ? err : problem_set(p, ERR_TOO_LARGE, "", "园区数据过多", "the park has too much data");
}
