// A record as the API shows it: common columns, fields (personal data masked unless the caller may see it), titles of
// what it refers to, and what the caller may do with it now. Reads only; any connection.
#include "flow/draft.h"

struct show {
	struct jw *w;
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	struct arena *a;
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
	jw_ki64(s->w, "id", id);
	jw_kstr(s->w, "title", found ? row.c.title : STR_EMPTY);
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
	jw_ki64(s->w, "thread", c->thread);
	jw_ki64(s->w, "version", c->version);
	time_or_null(s, "created_at", c->created_at);
	person_json(s, "created_by", c->created_by);
	time_or_null(s, "changed_at", c->changed_at);
	person_json(s, "changed_by", c->changed_by);
	time_or_null(s, "state_at", c->state_at);
	time_or_null(s, "deadline", c->deadline);
	jw_ki64(s->w, "escalated", c->escalated);
	jw_kbool(s->w, "retired", c->retired);
}

static void field_json(const struct show *s, const struct field *f, const struct row *row)
{
	const struct value *v = &row->vals[f->col];
	jw_key_str(s->w, f->name);
	if (f->kind == FIELD_REF)
		ref_json(s, f->to, v->kind == VAL_INT ? v->i : 0);
	else
		value_json(s->w, f, v, !auth_sees_masked(s->by, f), s->a);
}

static void rights_json(const struct show *s, const struct type *t, const struct row *row)
{
	const struct state *state = type_state(t, row->c.state);
	bool alive = !row->c.retired && row_in_scope(s->by, t, row->c.area, row->c.enterprise);
	jw_karr(s->w, "moves");
	for (size_t i = 0; i < t->nmoves; i++)
		if (flow_may_move(t, &t->moves[i], row, s->by))
			jw_str(s->w, t->moves[i].name);
	jw_end(s->w);
	jw_karr(s->w, "can");
	if (alive && auth_may_edit(s->by, t) && !(state && state->end))
		jw_cstr(s->w, "edit");
	if (alive && auth_may_retire(s->by, t))
		jw_cstr(s->w, "retire");
	jw_end(s->w);
}

void record_json(struct jw *w, struct db *db, const struct registry *reg, const struct type *t, const struct row *row,
                 const struct identity *by, bool full, struct arena *a)
{
	struct show s = { w, db, reg, by, a };
	jw_obj(w);
	common_json(&s, &row->c);
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (f->ncols && (full || f->kind != FIELD_SHAPE))
			field_json(&s, f, row);
	}
	rights_json(&s, t, row);
	jw_end(w);
}
