// Records of type fence (with the groups they name) → fences. What a record lacks has the default of its type.
#include <math.h>

#include "auth/auth.h"
#include "base/time.h"
#include "fence/record.h"
#include "model/held.h"

static double number(const struct value *v,
	double otherwise) { return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : otherwise; }
static int64_t integer(const struct value *v) { return v->kind == VAL_INT ? v->i : 0; }
static struct str text(const struct value *v) { return v->kind == VAL_TEXT ? v->s : STR_EMPTY; }

static json_t *json_of(const struct value *v)
{
	struct str s = text(v);
	return s.n ? json_loadb(s.p, s.n, 0, NULL) : NULL;
}

// ---- for whom ----------------------------------------------------------------------------------
struct whom {
	struct arena *a;
	int64_t *devices;
	struct str *tags;
	size_t ndevices, cap_devices, ntags, cap_tags;
};

// ",1,2,"
static size_t ids_of(const struct value *v, struct arena *a, int64_t **ret)
{
	size_t n = 0, cap = 0;
	struct str s = text(v);
	*ret = NULL;
	for (size_t i = 0, end; i < s.n; i = end + 1) {
		uint64_t id;
		for (end = i; end < s.n && s.p[end] != ',';)
			end++;
		if (!str_to_u64(str_from(s.p + i, end - i), &id))
			continue;
		*ret = arena_push(a, *ret, &n, &cap, sizeof **ret);
		(*ret)[n - 1] = (int64_t)id;
	}
	return n;
}

static void add_devices(struct whom *w, const struct value *v)
{
	int64_t *ids;
	size_t n = ids_of(v, w->a, &ids);
	for (size_t i = 0; i < n; i++) {
		w->devices = arena_push(w->a, w->devices, &w->ndevices, &w->cap_devices, sizeof *w->devices);
		w->devices[w->ndevices - 1] = ids[i];
	}
}

// Numbers of tags between anything that is no letter, digit, '-' or '_'.
static void add_tags(struct whom *w, struct str s)
{
	for (size_t i = 0, end; i < s.n; i = end + 1) {
		for (end = i; end < s.n; end++) {
			unsigned char ch = (unsigned char)s.p[end];
			bool in = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
				ch == '-' || ch == '_';
			if (!in)
				break;
		}
		if (end == i)
			continue;
		w->tags = arena_push(w->a, w->tags, &w->ntags, &w->cap_tags, sizeof *w->tags);
		w->tags[w->ntags - 1] = arena_str(w->a, str_from(s.p + i, end - i));
	}
}

static enum err add_groups(struct whom *w, struct db *db, const struct registry *reg, const struct value *v)
{
	const struct type *t = registry_type(reg, STR("fence_group"));
	int64_t *ids;
	size_t n = t ? ids_of(v, w->a, &ids) : 0;
	for (size_t i = 0; i < n; i++) {
		struct row row;
		enum err err = records_get(db, &t->table, &(struct scope){ 0 }, ids[i], w->a, &row);
		if (err && err != ERR_NOT_FOUND)
			return err;
		if (err || row.c.retired)
			continue;
		add_devices(w, held(t, &row, "devices"));
		add_tags(w, text(held(t, &row, "tags")));
	}
	// a group that is empty is nobody, not everybody
	if (n && !w->ndevices && !w->ntags)
		add_tags(w, STR("-"));
	return OK;
}

// ---- when and where ----------------------------------------------------------------------------
// "t0830" of menu day_half_hour
static int32_t half_hour(struct str s)
{
	uint64_t n;
	return s.n == 5 && str_to_u64(str_skip(s, 1), &n) && n < 2400 ? (int32_t)(n / 100 * 3600 + n % 100 * 60) : 0;
}

static int64_t first_moment(struct str date, int64_t days)
{
	char s[32];
	int64_t at;
	if (date.n != 10)
		return 0;
	size_t n = (size_t)snprintf(s, sizeof s, "%.*s 00:00:00", STR_FMT(date));
	return time_parse_local(str_from(s, n), time_zone(), &at) ? at + days * US_PER_DAY : 0;
}

static void read_times(const struct type *t, const struct row *row, struct fence_times *ret)
{
	static const char *const days[] = { ",mon,", ",tue,", ",wed,", ",thu,", ",fri,", ",sat,", ",sun," };
	struct str s = text(held(t, row, "days"));
	*ret = (struct fence_times){ .from = half_hour(text(held(t, row, "day_from"))), .to = half_hour(text(held(t, row, "day_to"))),
		                     .first = first_moment(text(held(t, row, "valid_from")), 0),
		                     	.last = first_moment(text(held(t, row, "valid_to")), 1) };
	for (size_t d = 0; d < ARRAY_LEN(days); d++)
		for (size_t i = 0; i + 5 <= s.n; i++)
			if (memcmp(s.p + i, days[d], 5) == 0)
				ret->days |= (uint8_t)(1u << d);
}

static void read_stops(const struct type *t, const struct row *row, struct arena *a, struct fence_def *ret)
{
	json_t *list = json_of(held(t, row, "stops")), *j;
	struct fence_stop *v = arena_many(a, json_array_size(list), struct fence_stop);
	size_t i;
	json_array_foreach (list, i, j)
		v[i] = (struct fence_stop){ json_number_value(json_object_get(j, "lon")), json_number_value(json_object_get(j,
			"lat")), json_number_value(json_object_get(j, "radius_m")) };
	ret->stops = v;
	ret->nstops = json_array_size(list);
	json_decref(list);
}

// The geometry that its kind of place says: an area, a line with half its width, a middle with a radius.
static const json_t *read_shape(const struct type *t, const struct row *row, struct fence_def *ret)
{
	struct str by = text(held(t, row, "drawn_as"));
	const struct field *centre = type_field(t, STR("centre"));
	if (str_is(by, "circle") && centre && centre->ncols == 2) {
		const struct value *v = &row->vals[centre->col];
		ret->reach = number(held(t, row, "radius_m"), 0);
		return v->kind == VAL_REAL ? json_pack("{s:s, s:[ff]}", "type", "Point", "coordinates", v[0].f, v[1].f) : NULL;
	}
	ret->reach = number(held(t, row, "half_width_m"), 0);
	return json_of(held(t, row, str_is(by, "line") ? "line" : "outline"));
}

enum err fence_read(struct db *db, const struct registry *reg, const struct type *t, const struct row *row, struct arena *a,
	struct fence_def *ret)
{
	struct str who = text(held(t, row, "holds_for"));
	struct whom w = { .a = a };
	*ret = (struct fence_def){ .id = row->c.id, .name = arena_str(a, row->c.title), .kind = FENCE_KINDS,
		.enterprise = row->c.enterprise,
		                   .area = row->c.enterprise ? STR_EMPTY : arena_str(a, area_prefix(row->c.area)) };
	(void)fence_kind_find(text(held(t, row, "kind")), &ret->kind);
	ret->shape = read_shape(t, row, ret);
	ret->band = number(held(t, row, "dead_band_m"), 20);
	ret->positions = (unsigned)fmin(fmax(number(held(t, row, "positions"), 3), 1), 20);
	ret->speed = number(held(t, row, "speed_kmh"), HUGE_VAL);
	ret->speed_band = number(held(t, row, "speed_band_kmh"), 3);
	ret->still = number(held(t, row, "still_kmh"), 5);
	ret->allowed = (int64_t)(number(held(t, row, "minutes"), 0) * US_PER_MIN);
	ret->vehicles = !str_is(who, "people");
	ret->people = !str_is(who, "vehicles");
	read_times(t, row, &ret->times);
	read_stops(t, row, a, ret);
	add_devices(&w, held(t, row, "devices"));
	add_tags(&w, text(held(t, row, "tags")));
	enum err err = add_groups(&w, db, reg, held(t, row, "groups"));
	ret->devices = w.devices;
	ret->ndevices = w.ndevices;
	ret->tags = w.tags;
	ret->ntags = w.ntags;
	return err;
}

void fence_unread(struct fence_def *d)
{
	json_decref((json_t *)(uintptr_t)d->shape);
	d->shape = NULL;
}

struct reading_all {
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	struct arena *a;
	struct fence_def *v;
	size_t n, cap;
};

static enum err on_fence(void *arg, const struct row *row)
{
	struct reading_all *ra = arg;
	const struct value *off = held(ra->t, row, "in_force");
	if (row->c.retired || (off->kind == VAL_INT && !integer(off)) || ra->n == LIMIT_FENCES)
		return OK;
	ra->v = arena_push(ra->a, ra->v, &ra->n, &ra->cap, sizeof *ra->v);
	return fence_read(ra->db, ra->reg, ra->t, row, ra->a, &ra->v[ra->n - 1]);
}

enum err fence_read_all(struct db *db, const struct registry *reg, struct arena *a, struct fence_def **ret, size_t *ret_n)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct list_query all = { 0 };
	struct reading_all ra = { .db = db, .reg = reg, .t = registry_type(reg, STR("fence")), .a = a };
	enum err err = ra.t ? records_each(db, &ra.t->table, &all, scratch, on_fence, &ra) : OK;
	*ret = ra.v;
	*ret_n = ra.n;
	return err;
}

// ---- who moves ---------------------------------------------------------------------------------
struct str fence_tag_of(struct str address, struct str *ret_what)
{
	size_t dot = address.n;
	while (dot && address.p[dot - 1] != '.')
		dot--;
	*ret_what = str_skip(address, dot);
	return str_first(address, dot ? dot - 1 : 0);
}

static bool gather(const struct site_points *s, const struct site_point *lon, struct fence_mover *m)
{
	size_t n;
	const uint32_t *ids = points_of_device(s, (uint32_t)lon->def.device, &n);
	for (size_t i = 0; i < n; i++) {
		struct site_point p;
		struct str what;
		if (!points_at(s, ids[i], &p) || !str_eq(fence_tag_of(p.address, &what), m->tag))
			continue;
		if (str_is(p.def.kind, "latitude"))
			m->lat = p.def.id;
		else if (str_is(p.def.kind, "vehicle_speed") || str_is(p.def.kind, "coach_speed"))
			m->speed = p.def.id;
	}
	return m->lat;
}

void fence_movers(const struct site_points *s, struct arena *a, struct fence_mover **ret, size_t *ret_n)
{
	struct site_point p;
	struct str what;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	for (uint32_t i = 0; points_next(s, &i, &p);) {
		if (!str_is(p.def.kind, "longitude"))
			continue;
		struct fence_mover m = { .lon = p.def.id, .device = p.def.device, .enterprise = p.def.enterprise, .area = p.def.area,
			                 .tag = fence_tag_of(p.address, &what) };
		if (!gather(s, &p, &m))
			continue;
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = m;
	}
}
