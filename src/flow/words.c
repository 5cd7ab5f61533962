// Records as people read them. See words.h. Reads only.
#include "flow/words.h"

#include <stdio.h>

#include "base/strmap.h"
#include "base/time.h"
#include "flow/draft.h"
#include "store/files.h"

#define TITLES_MAX 200000 // titles kept; then they are forgotten all at once

struct words {
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	bool en;
	struct arena *arena;    // of the titles
	struct strmap *map;     // "type:id" → index into titles
	struct str *titles;
	size_t n, cap;
};

struct words *words_new(struct db *db, const struct registry *reg, const struct identity *by, bool en)
{
	struct words *w = mem_alloc(sizeof *w);
	*w = (struct words){ .db = db, .reg = reg, .by = by, .en = en, .arena = arena_new(64 << 10), .map = strmap_new(256) };
	return w;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	strmap_free(w->map);
	arena_free(w->arena);
	mem_free(w);
}

struct str words_label(const struct words *w, struct label l) { return w->en ? l.en : l.zh; }

// ---- titles ------------------------------------------------------------------------------------
static struct str keep_title(struct words *w, struct str key, struct str title)
{
	if (w->n >= TITLES_MAX) {
		strmap_free(w->map);
		arena_reset(w->arena);
		w->map = strmap_new(256);
		w->titles = NULL;
		w->n = w->cap = 0;
	}
	w->titles = arena_push(w->arena, w->titles, &w->n, &w->cap, sizeof *w->titles);
	w->titles[w->n - 1] = arena_str(w->arena, title);
	strmap_put(w->map, key, (uint32_t)(w->n - 1));
	return w->titles[w->n - 1];
}

static struct str look_up(struct words *w, struct str type, int64_t id, struct arena *a)
{
	const struct type *t = registry_type(w->reg, type);
	struct row row;
	return t && records_get(w->db, &t->table, NULL, id, a, &row) == OK ? row.c.title : STR_EMPTY;
}

static struct str look_up_area(struct words *w, struct str code, struct arena *a)
{
	const struct type *t = registry_type(w->reg, STR("area"));
	struct value v = { .kind = VAL_TEXT, .s = code };
	struct row row;
	bool found = t && type_field(t, STR("code")) && records_find(w->db, &t->table, NULL, STR("code"), v, a, &row) == OK;
	return found ? row.c.title : code;
}

struct str words_title(struct words *w, struct str type, int64_t id)
{
	char text[96];
	uint32_t at;
	if (id <= 0)
		return STR_EMPTY;
	struct str key = str_from(text, (size_t)snprintf(text, sizeof text, "%.60s:%lld", type.p, (long long)id));
	if (strmap_get(w->map, key, &at))
		return w->titles[at];
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	return keep_title(w, key, look_up(w, type, id, a));
}

struct str words_area(struct words *w, struct str code)
{
	uint32_t at;
	if (!code.n)
		return STR_EMPTY;
	if (strmap_get(w->map, code, &at))
		return w->titles[at];
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	return keep_title(w, code, look_up_area(w, code, a));
}

// ---- values ------------------------------------------------------------------------------------
struct str words_time(int64_t us, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	return us ? arena_printf(a, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.min) : STR_EMPTY;
}

static struct word text_word(struct str s)
{
	return (struct word){ .kind = s.n ? WORD_TEXT : WORD_NONE, .text = s };
}

static struct word number_word(double v, int decimals, struct arena *a)
{
	char *text = arena_alloc(a, F64_TEXT_MAX);
	struct word w = { .kind = WORD_NUMBER, .number = v };
	w.text = decimals >= 0 ? arena_printf(a, "%.*f", decimals, v) : str_from(text, f64_text(v, text));
	return w;
}

static struct word time_word(int64_t us, struct arena *a)
{
	return us ? (struct word){ .kind = WORD_TIME, .text = words_time(us, a), .at = us } : text_word(STR_EMPTY);
}

static struct word date_word(struct str s)
{
	int64_t us = 0;
	char text[20];
	if (s.n != 10)
		return text_word(s);
	memcpy(text, s.p, 10);
	memcpy(text + 10, " 00:00:00", 9);
	if (!time_parse_local(str_from(text, 19), 0, &us))
		return text_word(s);
	return (struct word){ .kind = WORD_DATE, .text = s, .number = (double)(us / (86400 * US_PER_S)) };
}

static struct str item_label(const struct words *w, const struct menu *m, struct str value)
{
	const struct menu_item *i = m ? menu_item(m, value) : NULL;
	return i ? words_label(w, i->label) : value;
}

static struct word menus_word(const struct words *w, const struct field *f, struct str s, struct arena *a)
{
	struct str all = STR_EMPTY;
	while (s.n) {
		struct str one = str_cut(&s, ',');
		if (one.n) {
			struct str label = item_label(w, f->menu, one);
			all = arena_printf(a, "%.*s%s%.*s", STR_FMT(all), all.n ? (w->en ? ", " : "、") : "", STR_FMT(label));
		}
	}
	return text_word(all);
}

// What has no words of its own here: as the API shows it.
static struct word json_word(const struct words *w, const struct field *f, const struct value *v, struct arena *a)
{
	struct buf out;
	struct jw jw;
	buf_init(&out, 1 << 20);
	jw_init(&jw, &out);
	value_json(&jw, f, v, !auth_sees_masked(w->by, f), a);
	struct str s = jw_done(&jw) ? arena_str(a, buf_str(&out)) : STR_EMPTY;
	buf_free(&out);
	if (s.n >= 2 && s.p[0] == '"')
		s = str_from(s.p + 1, s.n - 2);
	return text_word(str_is(s, "null") || str_is(s, "[]") ? STR_EMPTY : s);
}

static struct str id_title(struct words *w, const struct field *f, int64_t id, struct arena *a)
{
	struct file_info i;
	if (f->kind == FIELD_REFS)
		return words_title(w, f->to, id);
	return files_info(w->db, id, a, &i) == OK ? i.name : STR_EMPTY;
}

// ",1,2,": titles of records, or names of files.
static struct word ids_word(struct words *w, const struct field *f, struct str s, struct arena *a)
{
	struct str all = STR_EMPTY;
	int64_t id;
	while (s.n) {
		struct str one = str_cut(&s, ',');
		struct str title = str_to_i64(one, &id) ? id_title(w, f, id, a) : STR_EMPTY;
		if (title.n)
			all = arena_printf(a, "%.*s%s%.*s", STR_FMT(all), all.n ? (w->en ? ", " : "、") : "", STR_FMT(title));
	}
	return text_word(all);
}

// ---- tables of rows ----------------------------------------------------------------------------
static struct str row_cell(struct words *w, const struct field *col, const json_t *v, struct arena *a)
{
	char text[F64_TEXT_MAX];
	if (json_is_object(v))
		v = json_object_get(v, "id");
	if (json_is_string(v)) {
		struct str s = arena_str(a, str_from(json_string_value(v), json_string_length(v)));
		return col->kind == FIELD_MENU ? item_label(w, col->menu, s) : col->kind == FIELD_AREA ? words_area(w, s) : s;
	}
	if (json_is_boolean(v))
		return w->en ? (json_is_true(v) ? STR("yes") : STR("no")) : json_is_true(v) ? STR("是") : STR("否");
	if (json_is_integer(v) && col->kind == FIELD_REF)
		return words_title(w, col->to, json_integer_value(v));
	return json_is_number(v) ? arena_str(a, str_from(text, f64_text(json_number_value(v), text))) : STR_EMPTY;
}

size_t words_rows(struct words *w, const struct field *f, const struct value *v, struct arena *a, struct str **ret_cells)
{
	size_t cap = 0, n = 0;
	*ret_cells = NULL;
	struct buf text;
	struct jw jw;
	buf_init(&text, 4u << 20);
	jw_init(&jw, &text);
	value_json(&jw, f, v, !auth_sees_masked(w->by, f), a);
	json_t *rows = v->kind == VAL_TEXT && jw_done(&jw) ? json_loadb(text.p, text.n, 0, NULL) : NULL;
	for (size_t i = 0; i < json_array_size(rows); i++)
		for (size_t c = 0; c < f->ncolumns; c++) {
			const json_t *cell = json_object_get(json_array_get(rows, i), arena_cstr(a, f->columns[c].name));
			*ret_cells = arena_push(a, *ret_cells, &n, &cap, sizeof **ret_cells);
			(*ret_cells)[n - 1] = row_cell(w, &f->columns[c], cell, a);
		}
	json_decref(rows);
	buf_free(&text);
	return f->ncolumns ? n / f->ncolumns : 0;
}

// A table in one cell: "检查人 张三, 结论 合格; …"
static struct word rows_word(struct words *w, const struct field *f, const struct value *v, struct arena *a)
{
	struct str *cells, all = STR_EMPTY;
	size_t rows = words_rows(w, f, v, a, &cells);
	for (size_t i = 0; i < rows * f->ncolumns; i++) {
		struct str label = words_label(w, f->columns[i % f->ncolumns].label);
		const char *between = i == 0 ? "" : i % f->ncolumns ? (w->en ? ", " : "，") : w->en ? "; " : "；";
		if (cells[i].n)
			all = arena_printf(a, "%.*s%s%.*s %.*s", STR_FMT(all), between, STR_FMT(label), STR_FMT(cells[i]));
	}
	return text_word(all);
}

// "Report JB-2026-00012"; of a type that the reader may not read only that there is one.
static struct word origin_word(struct words *w, struct str s, struct arena *a)
{
	const struct type *t;
	struct row row;
	int64_t id;
	if (!origin_parse(w->reg, s, &t, &id) || !auth_may_read(w->by, t))
		return text_word(w->en ? STR("(not yours to see)") : STR("（无权查看）"));
	bool found = records_get(w->db, &t->table, NULL, id, a, &row) == OK;
	struct str name = !found ? STR_EMPTY : row.c.number.n ? row.c.number : row.c.title, label = words_label(w, t->label);
	return text_word(arena_printf(a, "%.*s %.*s", STR_FMT(label), STR_FMT(name)));
}

static struct word value_word(struct words *w, const struct field *f, const struct value *v, struct arena *a)
{
	if (v->kind == VAL_NULL)
		return text_word(STR_EMPTY);
	if (f->kind == FIELD_ROWS)
		return rows_word(w, f, v, a);
	if (f->kind == FIELD_REFS || f->kind == FIELD_FILES || f->kind == FIELD_PHOTOS)
		return ids_word(w, f, v->s, a);
	if (!auth_sees_masked(w->by, f))
		return json_word(w, f, v, a);
	if (f->kind == FIELD_NUMBER)
		return number_word(v->kind == VAL_REAL ? v->f : (double)v->i, f->decimals, a);
	if (f->kind == FIELD_MONEY)
		return number_word((double)v->i / 100, 2, a);
	if (f->kind == FIELD_BOOL)
		return text_word(w->en ? (v->i ? STR("yes") : STR("no")) : v->i ? STR("是") : STR("否"));
	if (f->kind == FIELD_DATE)
		return date_word(v->s);
	if (f->kind == FIELD_TIME)
		return time_word(v->i, a);
	if (f->kind == FIELD_MENU)
		return text_word(item_label(w, f->menu, v->s));
	if (f->kind == FIELD_MENUS)
		return menus_word(w, f, v->s, a);
	if (f->kind == FIELD_REF)
		return text_word(words_title(w, f->to, v->i));
	if (f->kind == FIELD_ORIGIN)
		return origin_word(w, v->s, a);
	if (f->kind == FIELD_AREA)
		return text_word(words_area(w, v->s));
	if (f->kind == FIELD_POSITION)
		return text_word(v[1].kind == VAL_REAL ? arena_printf(a, "%.6f, %.6f", v[0].f, v[1].f) : STR_EMPTY);
	if (f->kind == FIELD_TEXT || f->kind == FIELD_PHONE || f->kind == FIELD_USCC || f->kind == FIELD_IDCARD)
		return text_word(v->s);
	return json_word(w, f, v, a);
}

struct word words_field(struct words *w, const struct type *t, const struct field *f, const struct row *row, struct arena *a)
{
	if (!auth_may_read_field(w->by, f))
		return text_word(STR_EMPTY);
	return f->ncols ? value_word(w, f, &row->vals[f->col], a) : words_common(w, t, f->name, row, a);
}

static struct str sector_label(struct words *w, struct str sector)
{
	return item_label(w, registry_menu(w->reg, STR("sector")), sector);
}

struct word words_common(struct words *w, const struct type *t, struct str column, const struct row *row, struct arena *a)
{
	const struct common *c = &row->c;
	const struct state *s = type_state(t, c->state);
	const struct { const char *name; int64_t at; } times[] = {
		{ "created_at", c->created_at }, { "changed_at", c->changed_at }, { "state_at", c->state_at }, { "deadline", c->deadline },
	};
	if (str_is(column, "number"))
		return text_word(c->number);
	if (str_is(column, "title"))
		return text_word(c->title);
	if (str_is(column, "state"))
		return text_word(s ? words_label(w, s->label) : c->state);
	if (str_is(column, "area"))
		return text_word(words_area(w, c->area));
	if (str_is(column, "sector"))
		return text_word(sector_label(w, c->sector));
	if (str_is(column, "enterprise"))
		return text_word(words_title(w, STR("enterprise"), c->enterprise));
	if (str_is(column, "created_by"))
		return text_word(words_title(w, STR("person"), c->created_by));
	if (str_is(column, "changed_by"))
		return text_word(words_title(w, STR("person"), c->changed_by));
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (str_is(column, times[i].name))
			return time_word(times[i].at, a);
	if (str_is(column, "id"))
		return number_word((double)c->id, 0, a);
	return str_is(column, "escalated") ? number_word((double)c->escalated, 0, a) : text_word(STR_EMPTY);
}
