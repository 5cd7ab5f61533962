// Imports as people see them: how far, what each column was taken for, what is wrong in which cell. Any thread.
#include "base/arena.h"
#include "exchange/import_in.h"

#define ERRORS_PAGE 200
#define LIST_MAX 100

static void label(struct jw *w, const char *key, struct str zh, struct str en, bool is_en)
{
	if (zh.n || en.n)
		jw_kstr(w, key, is_en ? en : zh);
}

static void head_json(struct jw *w, const struct import *im, bool en)
{
	jw_ki64(w, "id", im->id);
	jw_kstr(w, "type", im->type);
	jw_kstr(w, "format", im->format);
	jw_kstr(w, "key", im->key);
	jw_kstr(w, "name", im->name);
	jw_kstr(w, "sm3", im->sm3);
	jw_kstr(w, "by", im->person_name);
	jw_kstr(w, "state", im->state);
	jw_kbool(w, "skip_errors", im->skip_errors);
	jw_ki64(w, "rows", im->rows);
	jw_ki64(w, "done", im->created + im->changed + im->unchanged + im->failed);
	jw_ki64(w, "created", im->created);
	jw_ki64(w, "changed", im->changed);
	jw_ki64(w, "unchanged", im->unchanged);
	jw_ki64(w, "failed", im->failed);
	jw_ki64(w, "errors_total", im->errors);
	jw_ki64(w, "undone", im->undone);
	jw_ki64(w, "kept", im->kept);
	label(w, "message", im->message_zh, im->message_en, en);
	jw_ktime(w, "created_at", im->created_at);
	jw_ktime(w, "changed_at", im->changed_at);
}

static void columns_out(struct jw *w, const json_t *columns, bool en)
{
	size_t i;
	json_t *v;
	jw_karr(w, "columns");
	json_array_foreach(json_object_get(columns, "columns"), i, v) {
		jw_obj(w);
		jw_kcstr(w, "column", json_string_value(json_object_get(v, "column")));
		jw_kcstr(w, "label", json_string_value(json_object_get(v, "label")));
		jw_kcstr(w, "field", json_string_value(json_object_get(v, "field")));
		if (json_object_get(v, "why"))
			jw_kcstr(w, "why", json_string_value(json_object_get(v, "why")));
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "missing");
	json_array_foreach(json_object_get(columns, "missing"), i, v) {
		jw_obj(w);
		jw_kcstr(w, "field", json_string_value(json_object_get(v, "field")));
		jw_kcstr(w, "label", json_string_value(json_object_get(v, en ? "en" : "zh")));
		jw_end(w);
	}
	jw_end(w);
}

static void error_out(struct jw *w, struct query *q, const json_t *columns, bool en, struct arena *a)
{
	char name[4];
	int64_t row = query_get_i64(q, 0), col = query_get_i64(q, 1);
	struct str field = query_get_str(q, 2, a), hint = query_get_str(q, en ? 6 : 5, a);
	jw_obj(w);
	jw_ki64(w, "row", row);
	if (col >= 0) {
		sheet_column_name((size_t)col, name);
		jw_kcstr(w, "column", name);
		jw_kstr(w, "cell", arena_printf(a, "%s%lld", name, (long long)row));
		const json_t *c = json_array_get(json_object_get(columns, "columns"), (size_t)col);
		jw_kcstr(w, "label", json_string_value(json_object_get(c, "label")));
	}
	if (field.n)
		jw_kstr(w, "field", field);
	jw_kstr(w, "message", query_get_str(q, en ? 4 : 3, a));
	if (hint.n)
		jw_kstr(w, "hint", hint);
	jw_end(w);
}

enum err imports_json(struct jw *w, struct db *db, int64_t id, int64_t page, const struct identity *by, struct arena *a)
{
	struct import im;
	struct query q;
	bool en = str_is(by->lang, "en");
	enum err err = import_get(db, id, a, &im);
	if (err || im.person != by->person)
		return err ? err : ERR_NOT_FOUND;
	json_t *columns = json_loadb(im.columns.p, im.columns.n, 0, NULL);
	jw_obj(w);
	head_json(w, &im, en);
	columns_out(w, columns, en);
	jw_karr(w, "errors");
	query_begin(&q, db, STMT_IMPORT_ERROR_LIST);
	query_i64(&q, 1, id);
	query_i64(&q, 2, ERRORS_PAGE);
	query_i64(&q, 3, (page - 1) * ERRORS_PAGE);
	while (query_row(&q))
		error_out(w, &q, columns, en, a);
	err = query_end(&q);
	jw_end(w);
	jw_end(w);
	json_decref(columns);
	return err;
}

enum err imports_list_json(struct jw *w, struct db *db, const struct identity *by, struct arena *a)
{
	struct import im;
	struct query q;
	jw_obj(w);
	jw_karr(w, "items");
	query_begin(&q, db, STMT_IMPORT_LIST);
	query_i64(&q, 1, by->person);
	query_i64(&q, 2, LIST_MAX);
	while (import_read(&q, a, &im)) {
		jw_obj(w);
		head_json(w, &im, str_is(by->lang, "en"));
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return query_end(&q);
}
