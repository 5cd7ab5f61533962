// From the rows of an upload to bodies that flow takes: cells read by their fields, the record a row changes found by its
// key, values that two rows of one file cannot both have. The import's thread.
#include "base/arena.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "exchange/import_in.h"

struct seen {
	struct strmap *map;     // field '\n' value → row
};

void line_error(struct import_line *line, struct arena *a, size_t column, const struct problem *p)
{
	size_t cap = line->nerrors; // grown one by one: there are few
	struct row_error *v = arena_grow(a, line->errors, cap, cap + 1, sizeof *v);
	v[cap] = (struct row_error){ column, arena_str(a, p->field), arena_str(a, p->zh), arena_str(a, p->en), arena_str(a, p->hint_zh),
		                     arena_str(a, p->hint_en) };
	line->errors = v;
	line->nerrors++;
}

// ---- opening -----------------------------------------------------------------------------------

enum err source_open(struct source *s, const struct import *im, struct str bytes, const struct registry *reg,
                     const struct identity *by, bool check, struct problem *p)
{
	*s = (struct source){ .arena = arena_new(0), .check = check };
	s->t = registry_type(reg, im->type);
	if (!s->t)
		return problem_set(p, ERR_NOT_FOUND, "type", "没有这个类型了", "this type does not exist any more");
	enum err err = sheet_open(&s->sheet, str_is(im->format, "xlsx") ? SHEET_XLSX : SHEET_CSV, bytes, p);
	if (!err)
		err = columns_read(s->sheet, s->t, im->key, s->arena, &s->columns, p);
	s->names = names_new();
	s->seen = arena_one(s->arena, struct seen);
	s->seen->map = strmap_new(1024);
	s->cells = (struct cell_reader){ .reg = reg, .by = by, .names = s->names };
	return err;
}

void source_close(struct source *s)
{
	sheet_close(s->sheet);
	names_free(s->names);
	if (s->seen)
		strmap_free(s->seen->map);
	arena_free(s->arena);
	*s = (struct source){ 0 };
}

// ---- values used twice -------------------------------------------------------------------------

// The row that has used this value of a unique field before; 0 if none, and it is remembered.
static uint32_t used_before(struct source *s, struct str field, struct str value, uint32_t row, struct arena *a)
{
	uint32_t before;
	struct str key = arena_printf(a, "%.*s\n%.*s", STR_FMT(field), STR_FMT(value));
	if (strmap_get(s->seen->map, key, &before))
		return before;
	strmap_put(s->seen->map, key, row);
	return 0;
}

static void check_twice(struct source *s, struct import_line *line, size_t column, struct str field, struct str value, struct arena *a)
{
	struct problem p;
	uint32_t before = used_before(s, field, value, line->number, a);
	if (!before || before == line->number) // the same row read again
		return;
	problem_init(&p, a);
	struct str label = s->columns.v[column].label;
	problem_set(&p, ERR_CONFLICT, arena_cstr(a, field), "%s：与第 %u 行相同，不能重复", "%s: the same as in row %u; it must be unique",
	            arena_cstr(a, label), before);
	line_error(line, a, column, &p);
}

// ---- one row -----------------------------------------------------------------------------------

static void find_record(struct source *s, struct import_line *line, const struct cell *c, struct arena *a)
{
	struct problem p;
	size_t key = s->columns.key;
	const struct import_column *col = &s->columns.v[key];
	struct str text = cell_plain(cell_text(c, a), a);
	problem_init(&p, a);
	if (text.n == 0) {
		if (col->field)
			return; // a new record, if its other rules allow
		return;
	}
	if (!col->field)
		check_twice(s, line, key, STR("#key"), text, a);
	if (col->is_id) {
		if (!str_to_i64(text, &line->id) || line->id <= 0) {
			problem_set(&p, ERR_INVALID, "id", "id 应为正整数", "an id is a positive whole number");
			line_error(line, a, key, &p);
		}
		return;
	}
	enum err err = names_find(s->names, s->cells.db, s->t, s->cells.by, text, &line->id);
	line->key_pending = !err && line->id == NAME_PENDING;
	if (line->key_pending || (err == ERR_NOT_FOUND && col->field))
		line->id = 0;
	else if (err) {
		problem_set(&p, ERR_NOT_FOUND, "number", "没有编号为“%s”的记录，或不在你的范围内；新记录请留空", "there is no record \"%s\" in your area; leave it empty for a new one",
		            arena_cstr(a, text));
		line_error(line, a, key, &p);
	}
}

static void read_cell(struct source *s, struct import_line *line, size_t column, const struct cell *c, struct arena *a)
{
	struct problem p;
	json_t *v = NULL;
	bool pending = false;
	const struct field *f = s->columns.v[column].field;
	problem_init(&p, a);
	enum err err = cell_read(&s->cells, f, c, &v, &pending, &p);
	if (err) {
		line_error(line, a, column, &p);
		return;
	}
	if (pending) {
		const struct field **grown = arena_grow(a, line->pending, line->npending, line->npending + 1, sizeof *grown);
		grown[line->npending++] = f;
		line->pending = grown;
	}
	if (!v)
		return;
	if (f->unique && json_is_string(v))
		check_twice(s, line, column, f->name, str_from(json_string_value(v), json_string_length(v)), a);
	json_object_set_new(line->body, arena_cstr(a, f->name), v);
}

static bool is_comment(const struct sheet_row *row)
{
	for (size_t i = 0; i < row->ncells; i++)
		if (row->cells[i].kind != CELL_EMPTY)
			return row->cells[i].kind == CELL_TEXT && str_starts(str_trim(row->cells[i].text), STR("#"));
	return true;
}

static void read_line(struct source *s, const struct sheet_row *row, struct import_line *line, struct arena *a)
{
	static const struct cell nothing = { .kind = CELL_EMPTY };
	*line = (struct import_line){ .number = row->number, .body = json_object() };
	s->cells.arena = a;
	if (s->columns.key != SIZE_MAX)
		find_record(s, line, s->columns.key < row->ncells ? &row->cells[s->columns.key] : &nothing, a);
	for (size_t i = 0; i < s->columns.n && i < row->ncells; i++)
		if (s->columns.v[i].field)
			read_cell(s, line, i, &row->cells[i], a);
}

static struct str body_text(const struct import_line *line, struct str field, struct arena *a)
{
	const json_t *v = json_object_get(line->body, arena_cstr(a, field));
	return json_is_string(v) ? str_from(json_string_value(v), json_string_length(v)) : STR_EMPTY;
}

// What others in the file may call this row's record.
static void name_row(struct source *s, const struct import_line *line, int64_t id, struct arena *a)
{
	for (size_t i = 0; i < s->columns.n; i++) {
		const struct field *f = s->columns.v[i].field;
		if (f && (f->unique || str_eq(f->name, s->t->title)))
			names_add(s->names, s->t, body_text(line, f->name, a), id);
	}
}

void source_made(struct source *s, const struct import_line *line)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	if (s->check || line->outcome == ROW_FAILED || !s->own)
		return;
	name_row(s, line, line->id, a);
	names_add(s->names, s->t, line->number_after, line->id);
}

// Does a row look for records of its own type? Then it may mean a row above it in the file.
static bool refers_to_own(const struct source *s)
{
	for (size_t i = 0; i < s->columns.n; i++)
		if (s->columns.v[i].field && str_eq(s->columns.v[i].field->to, s->t->name))
			return true;
	return s->columns.key != SIZE_MAX && !s->columns.v[s->columns.key].is_id;
}

static void begin(struct source *s)
{
	int64_t id;
	s->begun = true;
	s->own = refers_to_own(s);
	if (s->own) // so that the names of new rows have a place
		(void)!names_find(s->names, s->cells.db, s->t, s->cells.by, STR("\n"), &id);
}

static enum err next_row(struct source *s, struct sheet_row *ret, struct problem *p)
{
	if (s->held) {
		s->held = false;
		*ret = s->held_row;
		return OK;
	}
	enum err err = sheet_next(s->sheet, ret, p);
	s->ended = err || ret->ncells == 0;
	if (err || s->ended || is_comment(ret))
		return err;
	if (++s->rows > LIMIT_IMPORT_ROWS)
		return problem_set(p, ERR_TOO_LARGE, "", "超过 %u 行，请分成几个文件", "more than %u rows: split the file", (unsigned)LIMIT_IMPORT_ROWS);
	return OK;
}

// A row that means another one of this file which is not a record: not yet (then it waits for the next slice), or not at all.
static bool must_wait(struct source *s, struct import_line *line, size_t before, struct arena *a)
{
	struct problem p;
	if (s->check || (!line->npending && !line->key_pending))
		return false;
	if (before > 0)
		return true;
	problem_init(&p, a);
	const struct field *f = line->npending ? line->pending[0] : s->columns.v[s->columns.key].field;
	struct str name = f ? f->name : STR_EMPTY;
	problem_set(&p, ERR_INVALID, arena_cstr(a, name), "所指的那一行没有导入", "the row it refers to was not imported");
	line_error(line, a, columns_of_field(&s->columns, name), &p);
	return false;
}

enum err source_next(struct source *s, uint32_t behind, struct arena *a, struct import_line *ret, size_t *ret_n, struct problem *p)
{
	*ret_n = 0;
	if (!s->begun)
		begin(s);
	while (*ret_n < SLICE_ROWS && !s->ended) {
		struct sheet_row row;
		enum err err = next_row(s, &row, p);
		if (err)
			return err;
		if (s->ended || is_comment(&row))
			continue;
		struct import_line *line = &ret[*ret_n];
		read_line(s, &row, line, a);
		if (row.number <= behind) { // done before a restart: only its values are remembered
			lines_free(line, 1);
			continue;
		}
		if (must_wait(s, line, *ret_n, a)) {
			lines_free(line, 1);
			s->held = true;
			s->held_row = row;
			return OK;
		}
		if (s->own && line->nerrors == 0)
			name_row(s, line, NAME_PENDING, a);
		++*ret_n;
	}
	return OK;
}

void lines_free(struct import_line *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(v[i].body);
		v[i].body = NULL;
	}
}
