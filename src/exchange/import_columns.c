// Which column of the sheet is which field: the heading is found among the first rows and its words are compared with the
// fields' labels in both languages and their names. The import's thread.
#include "base/arena.h"
#include "exchange/import_in.h"

#define HEADING_ROWS 10

static const struct {
	const char *words[4];
	bool number, id;
} common[] = { // what exports write besides the fields
	{ { "编号", "number", "No." }, .number = true }, { { "id" }, .id = true },
	{ { "状态", "state" }, .number = false },        { { "行政区划", "area" }, .number = false },
	{ { "企业", "enterprise" }, .number = false },   { { "序号", "#" }, .number = false },
};

// "* 从业人数（人）" → "从业人数": marks of need and a unit in brackets do not belong to the name.
static struct str heading_word(const struct cell *c, struct arena *a)
{
	struct str s = cell_text(c, a);
	while (s.n && (s.p[0] == '*' || s.p[s.n - 1] == '*'))
		s = str_trim(s.p[0] == '*' ? str_skip(s, 1) : str_first(s, s.n - 1));
	return s;
}

static struct str without_brackets(struct str s)
{
	size_t open = 0;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '(' || str_starts(str_skip(s, i), STR("（")))
			open = i;
	bool closed = str_ends(s, STR(")")) || str_ends(s, STR("）"));
	return open && closed ? str_trim(str_first(s, open)) : s;
}

// "姓　名", or a heading in two lines: blanks only spread the characters.
static struct str without_blanks(struct str s, struct arena *a)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	s = cell_plain(s, a);
	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" \t\r\n", s.p[i]))
			out[n++] = s.p[i];
	return str_from(out, n);
}

static const struct field *field_called(const struct type *t, struct str s)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (str_eq(f->label.zh, s) || str_eq_nocase(f->label.en, s) || str_eq(f->name, s))
			return f;
	}
	return NULL;
}

static struct import_column column_of(const struct type *t, const struct cell *c, struct arena *a)
{
	struct import_column col = { .label = heading_word(c, a) };
	struct str s = col.label;
	col.field = field_called(t, s);
	if (!col.field)
		col.field = field_called(t, without_brackets(s));
	if (!col.field)
		col.field = field_called(t, without_brackets(without_blanks(s, a)));
	for (size_t i = 0; !col.field && i < ARRAY_LEN(common); i++)
		for (size_t k = 0; k < ARRAY_LEN(common[i].words) && common[i].words[k]; k++)
			if (str_eq_nocase(s, str_of(common[i].words[k]))) {
				col.is_number = common[i].number;
				col.is_id = common[i].id;
				col.why = "system";
			}
	if (s.n && s.p[0] == '#')
		col.why = "comment";
	if (col.field && !cell_takes(col.field)) {
		col.field = NULL;
		col.why = "system";
	}
	if (!col.field && !col.why)
		col.why = s.n ? "unknown" : "comment";
	return col;
}

static void heading_read(const struct type *t, const struct sheet_row *row, struct arena *a, struct import_columns *ret)
{
	*ret = (struct import_columns){ .n = row->ncells, .key = SIZE_MAX };
	ret->v = arena_many(a, row->ncells, struct import_column);
	for (size_t i = 0; i < row->ncells; i++) {
		ret->v[i] = column_of(t, &row->cells[i], a);
		ret->matched += ret->v[i].field != NULL;
	}
}

bool import_key_ok(const struct type *t, struct str key)
{
	const struct field *f = type_field(t, key);
	return str_is(key, "number") || str_is(key, "id") || (f && f->unique && f->ncols == 1 && t->table.cols[f->col].kind == COL_TEXT);
}

static enum err find_key(struct import_columns *c, const struct type *t, struct str key, struct arena *a, struct problem *p)
{
	const struct field *f = type_field(t, key);
	for (size_t i = 0; i < c->n; i++)
		if ((f && c->v[i].field == f) || (!f && str_is(key, "number") && c->v[i].is_number) || (!f && str_is(key, "id") && c->v[i].is_id))
			c->key = i;
	if (key.n == 0 || c->key != SIZE_MAX)
		return OK;
	struct str zh = f ? f->label.zh : str_is(key, "number") ? STR("编号") : STR("id");
	struct str en = f ? f->label.en : key;
	return problem_set(p, ERR_INVALID, "key", "表中没有用来对应已有记录的列“%s”%.0s", "the table has no column \"%.0s%s\" to find existing records by",
	                   arena_cstr(a, zh), arena_cstr(a, en));
}

static enum err no_field_twice(const struct import_columns *c, struct arena *a, struct problem *p)
{
	char x[4], y[4];
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < i; k++)
			if (c->v[i].field && c->v[i].field == c->v[k].field) {
				sheet_column_name(k, x);
				sheet_column_name(i, y);
				return problem_set(p, ERR_INVALID, "", "%s 列和 %s 列都是“%s”，请去掉一列", "columns %s and %s are both \"%s\": remove one", x, y,
				                   arena_cstr(a, c->v[i].label));
			}
	return OK;
}

enum err columns_read(struct sheet *sheet, const struct type *t, struct str key, struct arena *a, struct import_columns *ret,
                      struct problem *p)
{
	*ret = (struct import_columns){ .key = SIZE_MAX };
	for (size_t i = 0; i < HEADING_ROWS; i++) {
		struct sheet_row row;
		struct import_columns now;
		enum err err = sheet_next(sheet, &row, p);
		if (err)
			return err;
		if (row.ncells == 0)
			break;
		heading_read(t, &row, a, &now);
		size_t named = 0;
		for (size_t k = 0; k < now.n; k++)
			named += now.v[k].label.n > 0;
		if (now.matched >= 2 || (now.matched == 1 && named <= 3)) {
			*ret = now;
			break;
		}
	}
	if (ret->matched == 0) {
		problem_set(p, ERR_INVALID, "", "前 %d 行里没有找到表头：没有一列的名称与“%s”的字段相同%.0s", "no heading in the first %d rows: no column is called like a field of \"%.0s%s\"",
		            HEADING_ROWS, arena_cstr(a, t->label.zh), arena_cstr(a, t->label.en));
		problem_hint(p, "请先下载模板，按模板的表头填写", "get the template and keep its heading");
		return ERR_INVALID;
	}
	enum err err = no_field_twice(ret, a, p);
	return err ? err : find_key(ret, t, key, a, p);
}

size_t columns_of_field(const struct import_columns *c, struct str field)
{
	struct str head = field;
	head = str_cut(&field, '.');
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].field && str_eq(c->v[i].field->name, head))
			return i;
	return SIZE_MAX;
}

// {"columns": [{column, label, field | null, why}], "missing": [labels of fields that are needed and not there]}
struct str columns_json(const struct import_columns *c, const struct type *t, struct arena *a)
{
	struct buf b;
	struct jw w;
	char name[4];
	buf_init(&b, 1u << 20);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_karr(&w, "columns");
	for (size_t i = 0; i < c->n; i++) {
		const struct import_column *col = &c->v[i];
		sheet_column_name(i, name);
		jw_obj(&w);
		jw_kcstr(&w, "column", name);
		jw_kstr(&w, "label", col->label);
		jw_key(&w, "field");
		if (col->field)
			jw_str(&w, col->field->name);
		else
			jw_null(&w);
		if (!col->field)
			jw_kcstr(&w, "why", i == c->key ? "key" : col->why);
		jw_end(&w);
	}
	jw_end(&w);
	jw_karr(&w, "missing");
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (!f->need || !cell_takes(f) || f->fallback.n || columns_of_field(c, f->name) != SIZE_MAX)
			continue;
		jw_obj(&w);
		jw_kstr(&w, "field", f->name);
		jw_kstr(&w, "zh", f->label.zh);
		jw_kstr(&w, "en", f->label.en);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return s;
}
