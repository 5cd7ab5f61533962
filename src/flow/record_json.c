// A record as the API shows it: common columns, fields (personal data masked unless the caller may see it), titles of
// what it refers to, and what the caller may do with it now. Reads only; any connection.
#include "flow/draft.h"
#include "store/files.h"

struct show {
	struct jw *w;
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	struct arena *a;
	bool names;             // the public page: what is referred to by its title alone
};

// {"id":…,"title":…} or null. The title is shown even where the record itself is out of the caller's scope: a name.
static void ref_json(const struct show *s, struct str type, int64_t id)
{
	const struct type *to = registry_type(s->reg, type);
	struct row row;
	if (id == 0) {
		jw_null(s->w);
		return;
	}
	bool found = to && records_get(s->db, &to->table, NULL, id, s->a, &row) == OK;
	jw_obj(s->w);
	if (!s->names)
		jw_ki64(s->w, "id", id);
	jw_kstr(s->w, "title", found ? row.c.title : STR_EMPTY);
	jw_end(s->w);
}

// {"type":…,"id":…,"number":…,"title":…}, null, or {"hidden":true} where the caller may not read records of that type.
static void origin_json(const struct show *s, const struct value *v)
{
	const struct type *t;
	struct row row;
	int64_t id;
	if (v->kind != VAL_TEXT) {
		jw_null(s->w);
		return;
	}
	bool known = origin_parse(s->reg, v->s, &t, &id) && auth_may_read(s->by, t);
	bool found = known && records_get(s->db, &t->table, NULL, id, s->a, &row) == OK;
	jw_obj(s->w);
	if (known) {
		jw_kstr(s->w, "type", t->name);
		jw_ki64(s->w, "id", id);
		jw_kstr(s->w, "number", found ? row.c.number : STR_EMPTY);
		jw_kstr(s->w, "title", found ? row.c.title : STR_EMPTY);
	} else {
		jw_kbool(s->w, "hidden", true);
	}
	jw_end(s->w);
}

static void person_json(const struct show *s, const char *key, int64_t id)
{
	jw_key(s->w, key);
	if (id) {
		ref_json(s, STR("person"), id);
		return;
	}
	jw_obj(s->w);
	jw_ki64(s->w, "id", 0);
	jw_kcstr(s->w, "title", str_is(s->by->lang, "en") ? "System" : "系统");
	jw_end(s->w);
}

static void time_or_null(const struct show *s, const char *key, int64_t us)
{
	jw_key(s->w, key);
	if (us)
		jw_time(s->w, us);
	else
		jw_null(s->w);
}

static void area_json(const struct show *s, struct str code)
{
	struct row row;
	const struct type *areas = registry_type(s->reg, STR("area"));
	struct value v = { .kind = VAL_TEXT, .s = code };
	jw_kstr(s->w, "area", code);
	bool found = areas && code.n && type_field(areas, STR("code")) &&
	             records_find(s->db, &areas->table, NULL, STR("code"), v, s->a, &row) == OK;
	jw_kstr(s->w, "area_title", found ? row.c.title : STR_EMPTY);
}

static void common_json(const struct show *s, const struct common *c)
{
	jw_ki64(s->w, "id", c->id);
	jw_kstr(s->w, "number", c->number);
	jw_kstr(s->w, "title", c->title);
	jw_kstr(s->w, "state", c->state);
	area_json(s, c->area);
	jw_key(s->w, "enterprise");
	ref_json(s, STR("enterprise"), c->enterprise);
	jw_kstr(s->w, "sector", c->sector);
	if (c->batch)
		jw_ki64(s->w, "batch", c->batch);
	jw_ki64(s->w, "thread", c->thread);
	jw_ki64(s->w, "version", c->version);
	jw_ki64(s->w, "type_version", c->type_version);
	time_or_null(s, "created_at", c->created_at);
	person_json(s, "created_by", c->created_by);
	time_or_null(s, "changed_at", c->changed_at);
	person_json(s, "changed_by", c->changed_by);
	time_or_null(s, "state_at", c->state_at);
	time_or_null(s, "deadline", c->deadline);
	jw_ki64(s->w, "escalated", c->escalated);
	if (c->paused)
		jw_ki64(s->w, "paused_s", c->paused / US_PER_S);
	jw_kbool(s->w, "retired", c->retired);
}

// [{"id":…,"title":…}]
static void refs_json(const struct show *s, const struct field *f, const struct value *v)
{
	int64_t *ids;
	size_t n = value_ids(v, s->a, &ids);
	jw_arr(s->w);
	for (size_t i = 0; i < n; i++)
		ref_json(s, f->to, ids[i]);
	jw_end(s->w);
}

static void file_json(const struct show *s, int64_t id)
{
	struct file_info info;
	bool found = files_info(s->db, id, s->a, &info) == OK;
	jw_obj(s->w);
	jw_ki64(s->w, "id", id);
	if (found) {
		jw_kstr(s->w, "name", info.name);
		jw_ki64(s->w, "size", info.size);
		jw_kstr(s->w, "mime", info.mime);
		time_or_null(s, "taken_at", info.taken_at);
		jw_kf64(s->w, "lon", info.lon);
		jw_kf64(s->w, "lat", info.lat);
	}
	jw_end(s->w);
}

static void files_json(const struct show *s, const struct value *v)
{
	int64_t *ids;
	size_t n = value_ids(v, s->a, &ids);
	jw_arr(s->w);
	for (size_t i = 0; i < n; i++)
		file_json(s, ids[i]);
	jw_end(s->w);
}

static bool has_refs(const struct field *f)
{
	for (size_t i = 0; i < f->ncolumns; i++)
		if (f->columns[i].kind == FIELD_REF)
			return true;
	return false;
}

// A table whose cells refer to records: with their titles.
static void rows_json(const struct show *s, const struct field *f, const struct value *v, bool masked)
{
	json_t *rows = value_rows(v);
	if (!has_refs(f)) {
		value_rows_json(s->w, f, v, masked, s->a);
		json_decref(rows);
		return;
	}
	jw_arr(s->w);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		jw_obj(s->w);
		for (size_t k = 0; k < f->ncolumns; k++) {
			const struct field *col = &f->columns[k];
			const json_t *cell = json_object_get(json_array_get(rows, i), arena_cstr(s->a, col->name));
			if (!cell)
				continue;
			jw_key_str(s->w, col->name);
			if (col->kind == FIELD_REF)
				ref_json(s, col->to, json_integer_value(cell));
			else
				value_cell_json(s->w, col, cell, masked, s->a);
		}
		jw_end(s->w);
	}
	jw_end(s->w);
	json_decref(rows);
}

static void shown_json(const struct show *s, const struct field *f, const struct value *v)
{
	bool masked = !auth_sees_masked(s->by, f);
	if (f->kind == FIELD_REF)
		ref_json(s, f->to, v->kind == VAL_INT ? v->i : 0);
	else if (f->kind == FIELD_REFS)
		refs_json(s, f, v);
	else if (f->kind == FIELD_ORIGIN)
		origin_json(s, v);
	else if (f->kind == FIELD_FILES || f->kind == FIELD_PHOTOS)
		files_json(s, v);
	else if (f->kind == FIELD_ROWS)
		rows_json(s, f, v, masked);
	else
		value_json(s->w, f, v, masked, s->a);
}

static void field_json(const struct show *s, const struct field *f, const struct row *row)
{
	jw_key_str(s->w, f->name);
	shown_json(s, f, &row->vals[f->col]);
}

// A fact that stands in another record: shown to who may read records of that kind; the record itself may be out of scope.
static void draw_json(const struct show *s, const struct draw *d, const struct row *row)
{
	struct row other;
	struct value common;
	const struct common *c = &row->c;
	int64_t id = str_is(d->via, "enterprise") ? c->enterprise : str_is(d->via, "created_by") ? c->created_by : c->changed_by;
	const struct value *ref = d->ref ? row_slot(d->ref, row, &common) : NULL;
	if (ref)
		id = ref->kind == VAL_INT ? ref->i : 0;
	if (!d->field || !auth_may_read(s->by, d->to) || !auth_may_read_field(s->by, d->field))
		return;
	jw_key_str(s->w, d->name);
	if (id > 0 && records_get(s->db, &d->to->table, NULL, id, s->a, &other) == OK)
		shown_json(s, d->field, row_slot(d->field, &other, &common));
	else
		jw_null(s->w);
}

static void rights_json(const struct show *s, const struct type *t, const struct row *row)
{
	const struct state *state = type_state(t, row->c.state);
	bool alive = !row->c.retired && row_in_scope(s->by, t, &row->c);
	jw_karr(s->w, "moves");
	for (size_t i = 0; i < t->nmoves; i++)
		if (flow_may_move(t, &t->moves[i], row, s->by))
			jw_str(s->w, t->moves[i].name);
	if (flow_may_withdraw(t, row, s->by))
		jw_cstr(s->w, "withdraw");
	jw_end(s->w);
	jw_karr(s->w, "can");
	if (alive && flow_may_edit(t, row->c.state, s->by) && !(state && state->end))
		jw_cstr(s->w, "edit");
	if (flow_may_extend(t, row, s->by))
		jw_cstr(s->w, "extend");
	if (alive && auth_may_retire(s->by, t))
		jw_cstr(s->w, "retire");
	jw_end(s->w);
}

void record_json(struct jw *w, struct db *db, const struct registry *reg, const struct type *t, const struct row *row,
                 const struct identity *by, bool full, struct arena *a)
{
	struct show s = { .w = w, .db = db, .reg = reg, .by = by, .a = a };
	jw_obj(w);
	common_json(&s, &row->c);
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (f->ncols && auth_may_read_field(by, f) && (full || f->kind != FIELD_SHAPE))
			field_json(&s, f, row);
	}
	for (size_t i = 0; i < t->ndraws; i++)
		draw_json(&s, &t->draws[i], row);
	rights_json(&s, t, row);
	jw_end(w);
}

void published_json(struct jw *w, struct db *db, const struct registry *reg, const struct type *t, const struct row *row,
                    const struct identity *by, struct arena *a)
{
	struct show s = { .w = w, .db = db, .reg = reg, .by = by, .a = a, .names = true };
	jw_obj(w);
	for (size_t i = 0; i < t->publish.nshow; i++) {
		const struct shown *p = &t->publish.show[i];
		struct value common;
		if (str_is(p->name, "area")) {
			area_json(&s, row->c.area);
			continue;
		}
		jw_key_str(w, p->name);
		if (p->field)
			shown_json(&s, p->field, row_slot(p->field, row, &common));
		else if (str_is(p->name, "enterprise"))
			ref_json(&s, STR("enterprise"), row->c.enterprise);
		else
			jw_str(w, str_is(p->name, "state") ? row->c.state : row->c.number);
	}
	jw_end(w);
}
