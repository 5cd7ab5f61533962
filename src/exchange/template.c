// Empty tables to fill in. CSV: heading and an example. XLSX: heading with what must be filled marked, lists to choose
// from, a second sheet that says what each column takes, a third with every choice. A row that begins with # is no record,
// so the example may stay. Any thread.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/cell.h"
#include "exchange/import.h"

#define VALIDATED_ROWS 5000 // rows below the heading that offer the choices

struct template {
	const struct registry *reg;
	const struct type *t;
	bool en;
	struct arena *a;
	const struct field *v[LIMIT_TYPE_FIELDS];
	size_t n;
};

static struct str pick(const struct template *x, struct label l)
{
	return x->en && l.en.n ? l.en : l.zh;
}

static void collect(struct template *x)
{
	for (size_t i = 0; i < x->t->nfields && x->n < ARRAY_LEN(x->v); i++)
		if (cell_takes(&x->t->fields[i]))
			x->v[x->n++] = &x->t->fields[i];
}

// "从业人数（人）", with * if it must be filled.
static struct str heading(const struct template *x, const struct field *f)
{
	struct str label = pick(x, f->label), unit = pick(x, f->unit);
	const char *open = x->en ? " (" : "（", *close = x->en ? ")" : "）";
	struct str s = unit.n ? arena_printf(x->a, "%.*s%s%.*s%s", STR_FMT(label), open, STR_FMT(unit), close) : label;
	return f->need && !f->fallback.n ? arena_printf(x->a, "*%.*s", STR_FMT(s)) : s;
}

// ---- what a column takes -----------------------------------------------------------------------

static const struct {
	enum field_kind kind;
	const char *zh, *en, *example;
} kinds[] = {
	{ FIELD_TEXT, "文字", "text", "…" },
	{ FIELD_NUMBER, "数", "a number", "12" },
	{ FIELD_MONEY, "金额，单位元，最多两位小数", "an amount in yuan, at most two decimals", "1200.50" },
	{ FIELD_BOOL, "是 或 否", "yes or no", "是" },
	{ FIELD_DATE, "日期：2026-11-22、2026/11/22 或 2026年11月22日", "a date: 2026-11-22 or 2026/11/22", "2026-11-22" },
	{ FIELD_TIME, "日期和时间：2026-11-22 08:30", "date and time: 2026-11-22 08:30", "2026-11-22 08:30" },
	{ FIELD_MENU, "选一项，见“选项”表", "one of the choices on the third sheet", "" },
	{ FIELD_MENUS, "一项或几项，用顿号隔开，见“选项”表", "one or several of the choices on the third sheet, separated by commas", "" },
	{ FIELD_REF, "所引用记录的名称、编号或唯一代码", "name, number or unique code of the record referred to", "…" },
	{ FIELD_POSITION, "经度,纬度（CGCS2000，度）", "longitude,latitude (CGCS2000, degrees)", "118.123,32.456" },
	{ FIELD_SHAPE, "GeoJSON 几何图形", "a GeoJSON geometry", "{\"type\":\"Point\",\"coordinates\":[118.1,32.4]}" },
	{ FIELD_PHONE, "电话号码", "a phone number", "13800000000" },
	{ FIELD_USCC, "18 位统一社会信用代码", "the unified social credit code, 18 characters", "…" },
	{ FIELD_REFS, "一条或几条记录的名称、编号或唯一代码，用顿号隔开", "names, numbers or unique codes of records, separated by commas", "…" },
	{ FIELD_ROWS, "每行一条，各列用 | 隔开", "a line a row, its columns separated by |", "" },
	{ FIELD_IDCARD, "18 位居民身份证号", "the resident identity number, 18 characters", "…" },
	{ FIELD_AREA, "12 位区划代码，或区域名称", "12-digit area code, or the area's name", "…" },
};

static struct str explain(const struct template *x, const struct field *f)
{
	const char *what = "";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == f->kind)
			what = x->en ? kinds[i].en : kinds[i].zh;
	struct str s = str_of(what), help = pick(x, f->help);
	if (f->unique)
		s = arena_printf(x->a, "%.*s%s", STR_FMT(s), x->en ? "; unique" : "；不能重复");
	for (size_t i = 0; i < f->ncolumns; i++) {
		struct str label = pick(x, f->columns[i].label);
		s = arena_printf(x->a, "%.*s%s%.*s", STR_FMT(s), i ? " | " : x->en ? ": " : "：", STR_FMT(label));
	}
	if (f->kind == FIELD_TEXT && f->has_max)
		return arena_printf(x->a, x->en ? "%.*s; at most %.0f characters%s%.*s" : "%.*s，最多 %.0f 个字%s%.*s", STR_FMT(s), f->max,
		                    help.n ? x->en ? "; " : "；" : "", STR_FMT(help));
	if (f->has_min)
		s = arena_printf(x->a, x->en ? "%.*s; from %.10g" : "%.*s；最小 %.10g", STR_FMT(s), f->min);
	if (f->has_max)
		s = arena_printf(x->a, x->en ? "%.*s; up to %.10g" : "%.*s；最大 %.10g", STR_FMT(s), f->max);
	return help.n ? arena_printf(x->a, "%.*s%s%.*s", STR_FMT(s), x->en ? "; " : "；", STR_FMT(help)) : s;
}

static struct str example(const struct template *x, const struct field *f)
{
	if (f->menu)
		return f->menu->nitems ? pick(x, f->menu->items[0].label) : STR_EMPTY;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == f->kind)
			return f->kind == FIELD_BOOL && x->en ? STR("yes") : str_of(kinds[i].example);
	return STR_EMPTY;
}

// ---- CSV ---------------------------------------------------------------------------------------

static void csv_quoted(struct buf *out, struct str s)
{
	buf_add_u8(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, (uint8_t)s.p[i]);
	}
	buf_add_u8(out, '"');
}

static void write_csv(const struct template *x, struct buf *out)
{
	buf_add_cstr(out, "\xef\xbb\xbf");
	csv_quoted(out, STR("#"));
	for (size_t i = 0; i < x->n; i++) {
		buf_add_u8(out, ',');
		csv_quoted(out, heading(x, x->v[i]));
	}
	buf_add_cstr(out, "\r\n");
	csv_quoted(out, x->en ? STR("# example: rows that begin with # are not imported") : STR("# 示例：以 # 开头的行不导入"));
	for (size_t i = 0; i < x->n; i++) {
		buf_add_u8(out, ',');
		csv_quoted(out, example(x, x->v[i]));
	}
	buf_add_cstr(out, "\r\n");
}

// ---- XLSX --------------------------------------------------------------------------------------

struct book {
	lxw_workbook *wb;
	lxw_worksheet *data, *help, *choices;
	lxw_format *head, *must, *grey, *wrap, *text;
};

static const char *c_str(const struct template *x, struct str s)
{
	return arena_cstr(x->a, s);
}

static void open_sheets(const struct template *x, struct book *b)
{
	b->data = workbook_add_worksheet(b->wb, x->en ? "Data" : "数据");
	b->help = workbook_add_worksheet(b->wb, x->en ? "How to fill in" : "填写说明");
	b->choices = workbook_add_worksheet(b->wb, x->en ? "Choices" : "选项");
	b->head = workbook_add_format(b->wb);
	format_set_bold(b->head);
	format_set_bg_color(b->head, 0xE6EEF5);
	format_set_border(b->head, LXW_BORDER_THIN);
	b->must = workbook_add_format(b->wb);
	format_set_bold(b->must);
	format_set_bg_color(b->must, 0xFBE9D0);
	format_set_border(b->must, LXW_BORDER_THIN);
	b->grey = workbook_add_format(b->wb);
	format_set_font_color(b->grey, 0x808080);
	format_set_italic(b->grey);
	b->wrap = workbook_add_format(b->wb);
	format_set_text_wrap(b->wrap);
	format_set_align(b->wrap, LXW_ALIGN_VERTICAL_TOP);
	b->text = workbook_add_format(b->wb);
	format_set_num_format(b->text, "@"); // so that long digits stay as they are typed
}

// Choices of column i stand on the third sheet, one column a menu field; the data sheet offers them.
static void write_choices(const struct template *x, struct book *b, const struct field *f, size_t column, size_t at)
{
	char name[4], formula[80];
	worksheet_write_string(b->choices, 0, (lxw_col_t)at, c_str(x, pick(x, f->label)), b->head);
	for (size_t k = 0; k < f->menu->nitems; k++)
		worksheet_write_string(b->choices, (lxw_row_t)k + 1, (lxw_col_t)at, c_str(x, pick(x, f->menu->items[k].label)), NULL);
	worksheet_set_column(b->choices, (lxw_col_t)at, (lxw_col_t)at, 20, NULL);
	if (f->kind != FIELD_MENU || f->menu->nitems == 0)
		return;
	sheet_column_name(at, name);
	snprintf(formula, sizeof formula, "='%s'!$%s$2:$%s$%zu", x->en ? "Choices" : "选项", name, name, f->menu->nitems + 1);
	lxw_data_validation v = { .validate = LXW_VALIDATION_TYPE_LIST_FORMULA, .value_formula = formula,
		                  .error_type = LXW_VALIDATION_ERROR_TYPE_WARNING };
	worksheet_data_validation_range(b->data, 1, (lxw_col_t)column, VALIDATED_ROWS, (lxw_col_t)column, &v);
}

static bool is_code(const struct field *f)
{
	return f->kind != FIELD_NUMBER && f->kind != FIELD_MONEY && f->kind != FIELD_DATE && f->kind != FIELD_TIME;
}

static void write_data(const struct template *x, struct book *b)
{
	worksheet_write_string(b->data, 0, 0, "#", b->head);
	worksheet_write_string(b->data, 1, 0, x->en ? "# example: rows that begin with # are not imported" : "# 示例：以 # 开头的行不导入", b->grey);
	worksheet_set_column(b->data, 0, 0, 8, NULL);
	size_t menus = 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct field *f = x->v[i];
		lxw_col_t col = (lxw_col_t)(i + 1);
		worksheet_set_column(b->data, col, col, f->lines ? 40 : 18, is_code(f) ? b->text : NULL);
		worksheet_write_string(b->data, 0, col, c_str(x, heading(x, f)), f->need && !f->fallback.n ? b->must : b->head);
		worksheet_write_string(b->data, 1, col, c_str(x, example(x, f)), b->grey);
		if (f->menu)
			write_choices(x, b, f, i + 1, menus++);
	}
	worksheet_freeze_panes(b->data, 1, 0);
}

static void write_help(const struct template *x, struct book *b)
{
	static const char *const heads[][2] = {
		{ "列", "Column" }, { "必填", "Needed" }, { "填什么", "What it takes" }, { "例", "Example" }, { "字段", "Field" },
	};
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		worksheet_write_string(b->help, 0, (lxw_col_t)i, heads[i][x->en], b->head);
	worksheet_set_column(b->help, 0, 0, 24, b->wrap);
	worksheet_set_column(b->help, 2, 2, 64, b->wrap);
	worksheet_set_column(b->help, 3, 4, 24, b->wrap);
	lxw_row_t row = 1;
	for (size_t i = 0; i < x->n; i++, row++) {
		const struct field *f = x->v[i];
		bool must = f->need && !f->fallback.n;
		worksheet_write_string(b->help, row, 0, c_str(x, pick(x, f->label)), NULL);
		worksheet_write_string(b->help, row, 1, must ? (x->en ? "yes" : "是") : "", NULL);
		worksheet_write_string(b->help, row, 2, c_str(x, explain(x, f)), NULL);
		worksheet_write_string(b->help, row, 3, c_str(x, example(x, f)), NULL);
		worksheet_write_string(b->help, row, 4, c_str(x, f->name), NULL);
	}
	static const char *const notes[][2] = {
		{ "空格不改已有的值；要清空一项，填 #清空。", "An empty cell leaves the value as it is; write #clear to empty it." },
		{ "列可以删、可以换顺序；表头不要改名。", "Columns may be removed or moved; do not rename the heading." },
		{ "导入分两步：先检查并指出每一处错误，确认后才写入；写入后可以撤销。",
		  "Importing has two steps: a check that names every mistake, then writing after you agree; it can be undone." },
	};
	for (size_t i = 0; i < ARRAY_LEN(notes); i++)
		worksheet_write_string(b->help, ++row, 0, notes[i][x->en], NULL);
}

// The library writes files only; this one is gone at once.
static enum err read_back(int fd, struct buf *out)
{
	for (ssize_t got = 1; got > 0;) {
		char *to = buf_room(out, 65536);
		got = to ? read(fd, to, 65536) : -1;
		if (got < 0)
			return ERR_IO;
		buf_commit(out, (size_t)got);
	}
	return OK;
}

static enum err make_workbook(const struct template *x, const char *path)
{
	struct book b = { .wb = workbook_new(path) };
	if (!b.wb)
		return ERR_IO;
	open_sheets(x, &b);
	write_data(x, &b);
	write_help(x, &b);
	return workbook_close(b.wb) == LXW_NO_ERROR ? OK : ERR_IO;
}

static enum err write_xlsx(const struct template *x, struct buf *out, struct problem *p)
{
	char path[] = "/tmp/anlan-template-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	enum err err = fd < 0 ? ERR_IO : make_workbook(x, path);
	int back = err ? -1 : open(path, O_RDONLY | O_CLOEXEC); // the library may have replaced the file
	if (!err)
		err = back < 0 ? ERR_IO : read_back(back, out);
	if (back >= 0)
		close(back);
	if (fd >= 0) {
		unlink(path);
		close(fd);
	}
	return err ? problem_set(p, err, "", "无法生成工作簿（/tmp 写得了吗？）", "the workbook cannot be made (can /tmp be written?)") : OK;
}

enum err template_write(struct buf *out, const struct registry *reg, const struct type *t, bool en, bool xlsx, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct template *x = arena_one(a, struct template);
	*x = (struct template){ .reg = reg, .t = t, .en = en, .a = a };
	collect(x);
	if (xlsx)
		return write_xlsx(x, out, p);
	write_csv(x, out);
	return OK;
}
