// The history of a record is the audit chain: who changed what from what to what. Called by flow.c and deadline.c in
// store jobs, in the transaction of the change itself.
#include "base/limits.h"
#include "base/time.h"
#include "flow/draft.h"
#include "store/audit.h"

#define HISTORY_VALUE 4000      // bytes of a table or sheet that the history shows in full

static void menus_json(struct jw *w, struct str text)
{
	jw_arr(w);
	while (text.n) {
		struct str item = str_cut(&text, ',');
		if (item.n)
			jw_str(w, item);
	}
	jw_end(w);
}

static void ids_json(struct jw *w, const struct value *v, struct arena *a)
{
	int64_t *ids;
	size_t n = value_ids(v, a, &ids);
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		jw_i64(w, ids[i]);
	jw_end(w);
}

static void position_json(struct jw *w, const struct value *v)
{
	if (v[0].kind != VAL_REAL || v[1].kind != VAL_REAL) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	jw_f64(w, v[0].f);
	jw_f64(w, v[1].f);
	jw_end(w);
}

void value_json(struct jw *w, const struct field *f, const struct value *v, bool masked, struct arena *a)
{
	if (f->kind == FIELD_POSITION && f->ncols == 2) {
		position_json(w, v);
		return;
	}
	if (v->kind == VAL_NULL) {
		jw_null(w);
		return;
	}
	switch (f->kind) {
	case FIELD_NUMBER: jw_f64(w, v->f); break;
	case FIELD_MONEY: jw_f64(w, (double)v->i / 100); break;
	case FIELD_BOOL: jw_bool(w, v->i != 0); break;
	case FIELD_TIME: jw_time(w, v->i); break;
	case FIELD_REF: jw_i64(w, v->i); break;
	case FIELD_MENUS: menus_json(w, v->s); break;
	case FIELD_SHAPE: jw_raw(w, v->s); break;
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS: ids_json(w, v, a); break;
	case FIELD_ROWS: value_rows_json(w, f, v, masked, a); break;
	case FIELD_SHEET: jw_raw(w, v->s); break;
	case FIELD_PHONE:
	case FIELD_IDCARD:
	case FIELD_TEXT: jw_str(w, masked && f->personal ? value_mask(f, v->s, a) : v->s); break;
	case FIELD_DATE:
	case FIELD_MENU:
	case FIELD_USCC:
	case FIELD_ORIGIN:
	case FIELD_AREA: jw_str(w, v->s); break;
	case FIELD_POSITION:
	case FIELD__MAX: jw_null(w); break;
	}
}

static bool field_same(const struct field *f, const struct value *a, const struct value *b)
{
	for (size_t i = 0; i < MAX(f->ncols, (size_t)1); i++)
		if (!value_same(a[i], b[i]))
			return false;
	return true;
}

static void change_json(struct jw *w, const struct field *f, const struct value *was, const struct value *is, struct arena *a)
{
	jw_key_str(w, f->name);
	jw_arr(w);
	bool large = MAX(was->kind == VAL_TEXT ? was->s.n : 0, is->kind == VAL_TEXT ? is->s.n : 0) > HISTORY_VALUE;
	if (f->kind == FIELD_SHAPE || (large && (f->kind == FIELD_ROWS || f->kind == FIELD_SHEET))) { // long: only that it changed
		jw_cstr(w, was->kind == VAL_NULL ? NULL : "…");
		jw_cstr(w, is->kind == VAL_NULL ? NULL : "…");
	} else {
		value_json(w, f, was, true, a);
		value_json(w, f, is, true, a);
	}
	jw_end(w);
}

struct str history_detail(const struct type *t, const struct row *old, const struct common *c, const struct value *vals,
                          struct label reason, struct arena *a)
{
	static const struct value nothing[2];
	struct row now = { .c = *c, .vals = (struct value *)(uintptr_t)vals };
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	if (old && !str_eq(old->c.state, c->state)) {
		jw_karr(&w, "state");
		jw_str(&w, old->c.state);
		jw_str(&w, c->state);
		jw_end(&w);
	}
	for (size_t i = 0; i < t->nfields; i++) {
		struct value before, after;
		const struct field *f = &t->fields[i];
		const struct value *was = old ? row_slot(f, old, &before) : nothing;
		const struct value *is = row_slot(f, &now, &after);
		if (!field_same(f, was, is))
			change_json(&w, f, was, is, a);
	}
	if (reason.zh.n)
		jw_kstr(&w, "reason", reason.zh);
	if (reason.en.n)
		jw_kstr(&w, "reason_en", reason.en);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

struct str history_mark(struct str detail, struct str member, struct arena *a)
{
	return arena_printf(a, "%.*s%s%.*s}", (int)detail.n - 1, detail.p, detail.n > 2 ? "," : "", STR_FMT(member));
}

// When it was really done, by the device; the entry's own time is when it arrived.
static struct str detail_done(struct db *db, struct str detail, const struct identity *by)
{
	char at[TIME_TEXT_MAX];
	if (!by->done_at)
		return detail;
	int n = (int)time_text(by->done_at, at);
	struct str member = arena_printf(db_arena(db), "\"_done\":\"%.*s\"", n, at);
	return history_mark(detail, member, db_arena(db));
}

enum err history_add(struct db *db, const struct type *t, int64_t id, const char *action, struct str name,
                     struct str detail, const struct identity *by)
{
	struct audit_entry e = { .at = clock_now(), .actor = by->actor ? by->actor : by->person, .actor_name = by->title.n ? by->title : by->name,
		                 .action = str_of(action), .type = t->name, .record = id, .detail = detail_done(db, detail, by) };
	if (name.n)
		e.action = arena_printf(db_arena(db), "%s:%.*s", action, STR_FMT(name));
	return audit_add(db, &e);
}

// An origin's value may be of a type that the caller may not read.
static bool origins_hidden(const struct field *f, const struct identity *by)
{
	for (size_t i = 0; i < f->nfrom; i++)
		if (!auth_may_read(by, f->from[i]))
			return true;
	return false;
}

static bool hides(const struct type *t, const struct identity *by)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (!auth_may_read_field(by, &t->fields[i]) || origins_hidden(&t->fields[i], by))
			return true;
	return !auth_may(by, "audit.read");
}

// What a field held that is no more: who might read it is no longer said, so it is for who reads the audit.
static void hide_gone(const struct type *t, json_t *j, const struct identity *by)
{
	enum column_kind kind;
	const char *key;
	json_t *v;
	void *next;
	json_object_foreach_safe(j, next, key, v) {
		bool own = type_field(t, str_of(key)) || type_common_column(str_of(key), &kind);
		if (json_array_size(v) == 2 && !own && !auth_may(by, "audit.read"))
			json_object_del(j, key);
	}
}

// ["danger_report:12", null] without the values of types that the caller may not read.
static void hide_origin(const struct field *f, json_t *change, const struct identity *by)
{
	for (size_t i = 0; i < json_array_size(change); i++) {
		const json_t *v = json_array_get(change, i);
		struct str text = json_is_string(v) ? str_from(json_string_value(v), json_string_length(v)) : STR_EMPTY;
		const struct type *t = origin_type(f, str_cut(&text, ':'));
		if (json_is_string(v) && !(t && auth_may_read(by, t)))
			json_array_set_new(change, i, json_string("…"));
	}
}

struct str history_visible(const struct type *t, struct str detail, const struct identity *by, struct arena *a)
{
	json_t *j = detail.n && hides(t, by) ? json_loadb(detail.p, detail.n, 0, NULL) : NULL;
	if (!j)
		return detail;
	for (size_t i = 0; i < t->nfields; i++)
		if (!auth_may_read_field(by, &t->fields[i]))
			json_object_del(j, arena_cstr(a, t->fields[i].name));
		else if (t->fields[i].kind == FIELD_ORIGIN)
			hide_origin(&t->fields[i], json_object_get(j, arena_cstr(a, t->fields[i].name)), by);
	hide_gone(t, j, by);
	size_t n = json_dumpb(j, NULL, 0, JSON_COMPACT);
	char *text = arena_alloc(a, n + 1);
	(void)json_dumpb(j, text, n, JSON_COMPACT);
	json_decref(j);
	return str_from(text, n);
}
