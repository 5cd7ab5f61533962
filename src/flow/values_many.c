// JSON → values of the kinds that hold several things: references, files, tables of rows, score sheets. Pure; called by
// value_read. That the records and files exist is checked in refs.c and bind.c.
#include "base/limits.h"
#include "flow/draft.h"

static enum err too_few_or_many(const struct field *f, size_t n, size_t most, struct problem *p)
{
	size_t max = f->has_max ? (size_t)f->max : most;
	if (n > max)
		return field_wrong(p, f, ERR_INVALID, "最多 %zu 项", "at most %zu", max);
	if (n && f->has_min && (double)n < f->min)
		return field_wrong(p, f, ERR_INVALID, "至少 %.0f 项", "at least %.0f", f->min);
	return OK;
}

static bool listed(struct str all, int64_t id)
{
	while (all.n) {
		int64_t other;
		struct str one = str_cut(&all, ',');
		if (one.n && str_to_i64(one, &other) && other == id)
			return true;
	}
	return false;
}

enum err value_read_ids(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str all = STR(",");
	size_t n = 0;
	if (!json_is_array(j) || json_array_size(j) > LIMIT_LIST_FIELD)
		return field_wrong(p, f, ERR_INVALID, "应为列表，最多 %u 项", "a list of at most %u is expected", (unsigned)LIMIT_LIST_FIELD);
	for (size_t i = 0; i < json_array_size(j); i++) {
		const json_t *one = json_array_get(j, i);
		if (json_is_object(one))
			one = json_object_get(one, "id");
		if (!json_is_integer(one) || json_integer_value(one) <= 0)
			return field_wrong(p, f, ERR_INVALID, "第 %zu 项应为编号（id）", "item %zu: an id is expected", i + 1);
		if (listed(all, json_integer_value(one)))
			continue;
		all = arena_printf(a, "%.*s%lld,", STR_FMT(all), (long long)json_integer_value(one));
		n++;
	}
	*ret = n ? (struct value){ .kind = VAL_TEXT, .s = all } : (struct value){ .kind = VAL_NULL };
	return too_few_or_many(f, n, LIMIT_LIST_FIELD, p);
}

size_t value_ids(const struct value *v, struct arena *a, int64_t **ret)
{
	struct str all = v->kind == VAL_TEXT ? v->s : STR_EMPTY;
	size_t n = 0, cap = 0;
	*ret = NULL;
	while (all.n) {
		int64_t id;
		struct str one = str_cut(&all, ',');
		if (one.n == 0 || !str_to_i64(one, &id))
			continue;
		*ret = arena_push(a, *ret, &n, &cap, sizeof **ret);
		(*ret)[n - 1] = id;
	}
	return n;
}

// ---- tables ------------------------------------------------------------------------------------

// "parts" row 2, "cost": the path parts.1.cost, and the row in the text.
static enum err row_wrong(const struct field *f, size_t row, struct problem *inner, struct problem *p)
{
	enum err err = inner->err;
	if (p->err)
		return err;
	field_wrong(p, f, err, "第 %zu 行，%.*s", "row %zu, %.*s", row + 1, STR_FMT(inner->zh));
	p->en = arena_printf(p->arena, "%.*s: row %zu, %.*s", STR_FMT(f->label.en), row + 1, STR_FMT(inner->en));
	p->field = arena_printf(p->arena, "%.*s.%zu.%.*s", STR_FMT(f->name), row, STR_FMT(inner->field));
	return err;
}

static const struct field *column(const struct field *f, const char *name)
{
	for (size_t i = 0; i < f->ncolumns; i++)
		if (str_is(f->columns[i].name, name))
			return &f->columns[i];
	return NULL;
}

static enum err known_columns(const struct field *f, const json_t *row, struct problem *p)
{
	const char *key;
	json_t *j;
	if (!json_is_object(row))
		return problem_set(p, ERR_INVALID, "", "应为一行（对象）", "a row (an object) is expected");
	json_object_foreach((json_t *)(uintptr_t)row, key, j)
		if (!column(f, key))
			return problem_set(p, ERR_INVALID, key, "没有名为“%.60s”的列", "there is no column \"%.60s\"", key);
	return OK;
}

// One row, in the order of the columns. *ret_any: it is not empty.
static enum err read_row(const struct field *f, const json_t *row, struct jw *w, bool *ret_any, struct arena *a, struct problem *p)
{
	struct value vals[LIMIT_ROW_COLUMNS];
	enum err err = known_columns(f, row, p);
	*ret_any = false;
	for (size_t i = 0; !err && i < f->ncolumns; i++) {
		const json_t *j = json_object_get(row, arena_cstr(a, f->columns[i].name));
		vals[i] = (struct value){ .kind = VAL_NULL };
		if (j)
			err = value_read(&f->columns[i], j, &vals[i], a, p);
		*ret_any |= vals[i].kind != VAL_NULL;
	}
	if (err || !*ret_any)
		return err;
	jw_obj(w);
	for (size_t i = 0; i < f->ncolumns; i++) {
		if (vals[i].kind == VAL_NULL && f->columns[i].need)
			err = field_wrong(p, &f->columns[i], ERR_INVALID, "必须填写", "must be filled in");
		if (vals[i].kind == VAL_NULL)
			continue;
		jw_key_str(w, f->columns[i].name);
		value_json(w, &f->columns[i], &vals[i], false, a);
	}
	jw_end(w);
	return err;
}

enum err value_read_rows(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct buf b;
	struct jw w;
	size_t n = 0;
	enum err err = OK;
	if (!json_is_array(j) || json_array_size(j) > LIMIT_ROWS)
		return field_wrong(p, f, ERR_INVALID, "应为表格，最多 %u 行", "a list of at most %u rows is expected", (unsigned)LIMIT_ROWS);
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	jw_arr(&w);
	for (size_t i = 0; !err && i < json_array_size(j); i++) {
		struct problem inner;
		bool any;
		problem_init(&inner, a);
		err = read_row(f, json_array_get(j, i), &w, &any, a, &inner);
		n += any;
		if (err)
			err = row_wrong(f, i, &inner, p);
	}
	jw_end(&w);
	if (!err && !jw_done(&w))
		err = field_wrong(p, f, ERR_INVALID, "太大，最多 %u 字节", "too large, at most %u bytes", LIMIT_ROWS_FIELD);
	*ret = n && !err ? (struct value){ .kind = VAL_TEXT, .s = arena_str(a, buf_str(&b)) } : (struct value){ .kind = VAL_NULL };
	buf_free(&b);
	return err ? err : too_few_or_many(f, n, LIMIT_ROWS, p);
}

struct json_t *value_rows(const struct value *v)
{
	json_t *rows = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	return json_is_array(rows) ? rows : json_array();
}

// Somebody who sees cells masked sends the masks back: then what was there stays.
json_t *value_unmask_rows(const struct field *f, const json_t *j, const struct value *was, struct arena *a)
{
	json_t *ret = json_deep_copy(j), *old = value_rows(was);
	for (size_t i = 0; json_is_array(ret) && i < json_array_size(ret) && i < json_array_size(old); i++)
		for (size_t k = 0; k < f->ncolumns; k++) {
			const char *name = arena_cstr(a, f->columns[k].name);
			const char *now = json_string_value(json_object_get(json_array_get(ret, i), name));
			json_t *before = json_object_get(json_array_get(old, i), name);
			if (f->columns[k].personal && now && json_is_string(before) &&
			    str_is(value_mask(&f->columns[k], str_of(json_string_value(before)), a), now))
				json_object_set(json_array_get(ret, i), name, before);
		}
	json_decref(old);
	return ret;
}

void value_cell_json(struct jw *w, const struct field *col, const json_t *cell, bool masked, struct arena *a)
{
	struct str s = str_of(json_string_value(cell));
	if (json_is_string(cell))
		jw_str(w, masked && col->personal ? value_mask(col, s, a) : s);
	else if (json_is_boolean(cell))
		jw_bool(w, json_is_true(cell));
	else if (json_is_integer(cell))
		jw_i64(w, json_integer_value(cell));
	else
		jw_f64(w, json_number_value(cell));
}

void value_rows_json(struct jw *w, const struct field *f, const struct value *v, bool masked, struct arena *a)
{
	json_t *rows = value_rows(v);
	jw_arr(w);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		jw_obj(w);
		for (size_t k = 0; k < f->ncolumns; k++) {
			json_t *cell = json_object_get(json_array_get(rows, i), arena_cstr(a, f->columns[k].name));
			if (!cell)
				continue;
			jw_key_str(w, f->columns[k].name);
			value_cell_json(w, &f->columns[k], cell, masked, a);
		}
		jw_end(w);
	}
	jw_end(w);
	json_decref(rows);
}

// ---- score sheets ------------------------------------------------------------------------------
static bool scalar(const json_t *j)
{
	return json_is_number(j) || json_is_null(j) || json_is_boolean(j) ||
	       (json_is_string(j) && json_string_length(j) <= LIMIT_TEXT_FIELD);
}

static bool part_ok(const json_t *j)
{
	if (scalar(j))
		return true;
	if (!json_is_array(j) || json_array_size(j) > LIMIT_LIST_FIELD)
		return false;
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!scalar(json_array_get(j, i)))
			return false;
	return true;
}

static bool item_ok(const json_t *j)
{
	const char *key;
	json_t *part;
	if (scalar(j))
		return true;
	if (!json_is_object(j) || json_object_size(j) > 20)
		return false;
	json_object_foreach((json_t *)(uintptr_t)j, key, part)
		if (!part_ok(part))
			return false;
	return true;
}

// {ITEM: number, or {score, self, note, files: [ids] …}}. Which items there are is measure/'s business.
enum err value_read_sheet(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	const char *key;
	json_t *item;
	if (!json_is_object(j) || json_object_size(j) > LIMIT_SHEET_ITEMS)
		return field_wrong(p, f, ERR_INVALID, "应为评分表（对象），最多 %u 项", "a score sheet (an object) of at most %u items is expected",
		                   (unsigned)LIMIT_SHEET_ITEMS);
	json_object_foreach((json_t *)(uintptr_t)j, key, item)
		if (!item_ok(item))
			return field_wrong(p, f, ERR_INVALID, "“%.60s”的值不成立", "the value of \"%.60s\" is not possible", key);
	size_t n = json_dumpb(j, NULL, 0, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (n == 0 || n > LIMIT_SHEET_FIELD)
		return field_wrong(p, f, ERR_INVALID, "太大，最多 %u 字节", "too large, at most %u bytes", LIMIT_SHEET_FIELD);
	char *text = arena_alloc(a, n + 1);
	(void)json_dumpb(j, text, n, JSON_COMPACT | JSON_PRESERVE_ORDER);
	*ret = json_object_size(j) ? (struct value){ .kind = VAL_TEXT, .s = str_from(text, n) } : (struct value){ .kind = VAL_NULL };
	return OK;
}
