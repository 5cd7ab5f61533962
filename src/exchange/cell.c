// Cells → values of fields, one small reader a kind. Runs in the import's own thread; the values are checked again by
// flow/ when the record is made, so nothing here is a second rule book: it only understands how people write.
#include "exchange/cell.h"

#include <math.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/when.h"
#include "flow/draft.h"

struct reading {
	struct cell_reader *r;
	const struct field *f;
	const struct cell *c;
	struct str text;        // as shown, trimmed
	struct str plain;       // and in half width
	bool pending;
	struct problem *p;
};

typedef enum err kind_reader(struct reading *x, json_t **ret);

static json_t *text_json(struct str s)
{
	return json_stringn(s.n ? s.p : "", s.n);
}

// ---- the text of a cell ------------------------------------------------------------------------

struct str cell_plain(struct str s, struct arena *a)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		const uint8_t *q = (const uint8_t *)s.p + i;
		uint32_t ch = i + 3 <= s.n && (q[0] & 0xf0) == 0xe0 ? (uint32_t)(q[0] & 15) << 12 | (uint32_t)(q[1] & 63) << 6 | (q[2] & 63) : 0;
		if ((ch >= 0xff01 && ch <= 0xff5e) || ch == 0x3000 || ch == 0xfeff) {
			if (ch != 0xfeff)
				out[n++] = ch == 0x3000 ? ' ' : (char)(ch - 0xfee0);
			i += 3;
		} else if (i + 2 <= s.n && q[0] == 0xc2 && q[1] == 0xa0) { // no-break space
			out[n++] = ' ';
			i += 2;
		} else {
			out[n++] = s.p[i++];
		}
	}
	return str_trim(str_from(out, n));
}

static struct str number_text(double v, struct arena *a)
{
	char text[F64_TEXT_MAX];
	if (fabs(v) < 1e15 && v == floor(v))
		return arena_printf(a, "%.0f", v);
	return arena_str(a, str_from(text, f64_text(v, text)));
}

struct str cell_text(const struct cell *c, struct arena *a)
{
	struct when w;
	switch (c->kind) {
	case CELL_EMPTY: return STR_EMPTY;
	case CELL_NUMBER: return number_text(c->number, a);
	case CELL_BOOL: return c->number != 0 ? STR("是") : STR("否");
	case CELL_SERIAL:
		if (when_from_serial(c->number, &w))
			return when_text(&w, a);
		return number_text(c->number, a);
	case CELL_TEXT:
	case CELL_ERROR: break;
	}
	struct str s = str_trim(c->text);
	while (str_starts(s, STR("　")))
		s = str_trim(str_skip(s, 3));
	while (str_ends(s, STR("　")))
		s = str_trim(str_first(s, s.n - 3));
	return s;
}

// ---- numbers, amounts, yes and no --------------------------------------------------------------

// "1,234.5", "12 人", "80%": thousands separators and the field's own unit are left out.
static bool parse_number(struct reading *x, double *ret)
{
	if (x->c->kind == CELL_NUMBER || x->c->kind == CELL_SERIAL) {
		*ret = x->c->number;
		return isfinite(*ret);
	}
	struct str s = x->plain;
	const struct str units[] = { x->f->unit.zh, x->f->unit.en };
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].n && s.n > units[i].n && str_ends(s, units[i]))
			s = str_trim(str_first(s, s.n - units[i].n));
	char *out = arena_alloc(x->r->arena, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ',' && s.p[i] != ' ' && !(i == 0 && s.p[i] == '+'))
			out[n++] = s.p[i];
	return str_to_f64(str_from(out, n), ret);
}

static enum err read_number(struct reading *x, json_t **ret)
{
	double v;
	if (!parse_number(x, &v))
		return field_wrong(x->p, x->f, ERR_INVALID, "应为数，如 12.5", "a number like 12.5 is expected");
	*ret = json_real(v);
	return OK;
}

static enum err read_money(struct reading *x, json_t **ret)
{
	double v;
	struct str s = x->plain;
	if (str_ends(s, STR("万元")) || str_ends(s, STR("万")))
		return field_wrong(x->p, x->f, ERR_INVALID, "单位是元，请把万元换算成元", "amounts are in yuan, not in ten thousands");
	if (str_ends(s, STR("元")))
		s = str_first(s, s.n - 3);
	if (str_starts(s, STR("¥")))
		s = str_skip(s, 2);
	else if (str_starts(s, STR("￥")))
		s = str_skip(s, 3);
	x->plain = str_trim(s);
	if (!parse_number(x, &v))
		return field_wrong(x->p, x->f, ERR_INVALID, "应为金额（元），如 1200.50", "an amount in yuan like 1200.50 is expected");
	*ret = json_real(round(v * 100) / 100 == v || fabs(round(v * 100) - v * 100) < 1e-6 ? round(v * 100) / 100 : v);
	return OK;
}

static enum err read_bool(struct reading *x, json_t **ret)
{
	static const char *const yes[] = { "是", "有", "√", "对", "真", "1", "yes", "y", "true" };
	static const char *const no[] = { "否", "无", "×", "错", "假", "0", "no", "n", "false" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (str_eq_nocase(x->plain, str_of(yes[i])) || str_eq_nocase(x->plain, str_of(no[i]))) {
			*ret = json_boolean(str_eq_nocase(x->plain, str_of(yes[i])));
			return OK;
		}
	return field_wrong(x->p, x->f, ERR_INVALID, "请填 是 或 否", "write yes or no");
}

// ---- dates and times ---------------------------------------------------------------------------

static bool parse_when(struct reading *x, struct when *ret)
{
	if (x->c->kind == CELL_NUMBER || x->c->kind == CELL_SERIAL) {
		if (x->c->number >= 19000101 && x->c->number <= 99991231)
			return when_from_text(number_text(x->c->number, x->r->arena), ret);
		return when_from_serial(x->c->number, ret);
	}
	double serial; // a day of a spreadsheet that was saved as text: 1954 to 2119
	if (str_to_f64(x->plain, &serial) && serial >= 20000 && serial < 80000)
		return when_from_serial(serial, ret);
	return when_from_text(x->plain, ret);
}

static enum err read_date(struct reading *x, json_t **ret)
{
	struct when w;
	if (!parse_when(x, &w))
		return field_wrong(x->p, x->f, ERR_INVALID, "应为日期，如 2026-11-22、2026/11/22 或 2026年11月22日",
		                   "a date like 2026-11-22 is expected");
	*ret = text_json(arena_printf(x->r->arena, "%04d-%02d-%02d", w.civil.year, w.civil.month, w.civil.day));
	return OK;
}

static enum err read_time(struct reading *x, json_t **ret)
{
	struct when w;
	char text[TIME_TEXT_MAX];
	int64_t us;
	bool ok = x->c->kind == CELL_TEXT && time_parse(x->plain, &us);
	if (!ok && parse_when(x, &w)) {
		us = time_from_civil(w.civil, time_zone());
		ok = true;
	}
	if (!ok)
		return field_wrong(x->p, x->f, ERR_INVALID, "应为时间，如 2026-11-22 08:30", "a time like 2026-11-22 08:30 is expected");
	*ret = text_json(str_from(text, time_text(us, text)));
	return OK;
}

// ---- menus -------------------------------------------------------------------------------------

static const struct menu_item *find_item(const struct menu *m, struct str s)
{
	for (size_t i = 0; i < m->nitems; i++) {
		const struct menu_item *it = &m->items[i];
		if (str_eq(it->value, s) || str_eq(it->label.zh, s) || str_eq_nocase(it->label.en, s))
			return it;
	}
	return NULL;
}

// At most n bytes, not in the middle of a character.
static struct str clip(struct str s, size_t n)
{
	if (s.n <= n)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_first(s, n);
}

static enum err not_in_menu(struct reading *x, struct str s)
{
	struct str zh = STR_EMPTY, en = STR_EMPTY;
	const struct menu *m = x->f->menu;
	struct arena *a = x->r->arena;
	for (size_t i = 0; i < MIN(m->nitems, (size_t)8); i++) {
		zh = arena_printf(a, "%.*s%s%.*s", STR_FMT(zh), i ? "、" : "", STR_FMT(m->items[i].label.zh));
		en = arena_printf(a, "%.*s%s%.*s", STR_FMT(en), i ? ", " : "", STR_FMT(m->items[i].label.en));
	}
	const char *more = m->nitems > 8 ? " …" : "";
	return field_wrong(x->p, x->f, ERR_INVALID, "“%s”不在可选项之中，可选：%s%.0s%s", "\"%s\" is not one of the choices: %.0s%s%s",
	                   arena_cstr(a, clip(s, 60)), arena_cstr(a, zh), arena_cstr(a, en), more);
}

static enum err read_menu(struct reading *x, json_t **ret)
{
	const struct menu_item *it = find_item(x->f->menu, x->text);
	if (!it)
		it = find_item(x->f->menu, x->plain);
	if (!it)
		return not_in_menu(x, x->text);
	*ret = text_json(it->value);
	return OK;
}

// The next of several: separated by 、 ， ； , ; or a new line.
static struct str take_item(struct str *rest)
{
	static const char *const marks[] = { "、", "，", "；", ",", ";", "\n", "|" };
	size_t best = rest->n, skip = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = rest->n ? memmem(rest->p, best, marks[i], strlen(marks[i])) : NULL;
		if (at) {
			best = (size_t)(at - rest->p);
			skip = strlen(marks[i]);
		}
	}
	struct str item = str_first(*rest, best);
	*rest = str_skip(*rest, best + skip);
	return str_trim(item);
}

static enum err read_menus(struct reading *x, json_t **ret)
{
	json_t *list = json_array();
	for (struct str rest = x->text; rest.n;) {
		struct str s = take_item(&rest);
		const struct menu_item *it = find_item(x->f->menu, s);
		if (s.n && !it) {
			json_decref(list);
			return not_in_menu(x, s);
		}
		if (s.n)
			json_array_append_new(list, text_json(it->value));
	}
	*ret = list;
	return OK;
}

// ---- references, areas, places -----------------------------------------------------------------

static enum err find_ref(struct reading *x, struct str s, int64_t *ret)
{
	struct cell_reader *r = x->r;
	struct arena *a = r->arena;
	const struct type *to = registry_type(r->reg, x->f->to);
	if (!to || !auth_may_read(r->by, to))
		return field_wrong(x->p, x->f, ERR_FORBIDDEN, "无权引用这类记录", "you may not refer to records of this kind");
	enum err err = names_find(r->names, r->db, to, r->by, s, ret);
	if (err == ERR_CONFLICT)
		return field_wrong(x->p, x->f, ERR_INVALID, "有几条记录都叫“%s”，请改填编号", "several records are called \"%s\": write the number",
		                   arena_cstr(a, clip(s, 60)));
	if (err)
		return field_wrong(x->p, x->f, ERR_INVALID, "没有叫“%s”的%s%.0s，请填名称、编号或唯一代码",
		                   "there is no \"%s\" among the records of \"%.0s%s\": write the name, number or unique code",
		                   arena_cstr(a, clip(s, 60)), arena_cstr(a, to->label.zh), arena_cstr(a, to->label.en));
	return OK;
}

static enum err read_ref(struct reading *x, json_t **ret)
{
	int64_t id = 0;
	enum err err = find_ref(x, x->text, &id);
	x->pending = !err && id == NAME_PENDING;
	if (!err && !x->pending)
		*ret = json_integer(id);
	return err;
}

static enum err read_refs(struct reading *x, json_t **ret)
{
	json_t *list = json_array();
	enum err err = OK;
	for (struct str rest = x->text; !err && rest.n;) {
		struct str s = take_item(&rest);
		int64_t id = 0;
		err = s.n ? find_ref(x, s, &id) : OK;
		x->pending |= !err && id == NAME_PENDING;
		if (!err && id > 0)
			json_array_append_new(list, json_integer(id));
	}
	if (err || x->pending)
		json_decref(list);
	else
		*ret = list;
	return err;
}

// 12 digits, or 6 or 9 of a county or town; else a name.
static enum err read_area(struct reading *x, json_t **ret)
{
	struct str s = x->plain, code = names_area(x->r->names, x->r->db, x->r->reg, s);
	uint64_t n;
	bool digits = str_to_u64(s, &n);
	if (!code.n && digits && (s.n == 6 || s.n == 9))
		code = area_whole(s, x->r->arena);
	if (!code.n && digits && s.n == 12)
		code = s;
	if (!code.n)
		return field_wrong(x->p, x->f, ERR_INVALID, "没有“%s”这个区域，或有重名；请填 12 位区划代码或带上级的全称",
		                   "there is no one area \"%s\": write the 12-digit code or the full name", arena_cstr(x->r->arena, clip(s, 60)));
	*ret = text_json(code);
	return OK;
}

static enum err read_position(struct reading *x, json_t **ret)
{
	struct str rest = x->plain;
	if (rest.n && rest.p[0] == '[')
		rest = str_skip(str_first(rest, rest.n - str_ends(rest, STR("]"))), 1);
	struct str lon = take_item(&rest), lat = take_item(&rest);
	double v[2];
	if (lat.n == 0) { // "118.10 32.40"
		lat = lon;
		lon = str_cut(&lat, ' ');
		lat = str_trim(lat);
	}
	if (!str_to_f64(lon, &v[0]) || !str_to_f64(lat, &v[1]))
		return field_wrong(x->p, x->f, ERR_INVALID, "应为 经度,纬度，如 118.123,32.456", "longitude,latitude is expected, e.g. 118.123,32.456");
	*ret = json_pack("[f, f]", v[0], v[1]);
	return OK;
}

// What is written as JSON: a GeoJSON geometry, the rows of a table.
static enum err read_json(struct reading *x, json_t **ret)
{
	*ret = x->text.n && strchr("{[", x->text.p[0]) ? json_loadb(x->text.p, x->text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!*ret)
		return field_wrong(x->p, x->f, ERR_INVALID, "这一项要写成 JSON，见填写说明", "this is written as JSON: see the second sheet of the template");
	return OK;
}

// A table within a cell: a line a row, its columns in the order of the form, separated by |. Or as JSON.
static enum err read_row(struct reading *x, struct str line, json_t *ret)
{
	for (size_t i = 0; i < x->f->ncolumns && line.n; i++) {
		const struct field *f = &x->f->columns[i];
		struct cell c = { .kind = CELL_TEXT, .text = str_cut(&line, '|') };
		json_t *v = NULL;
		bool pending = false;
		enum err err = cell_takes(f) ? cell_read(x->r, f, &c, &v, &pending, x->p) : OK;
		x->pending |= pending;
		if (err) {
			if (x->p && x->p->err) // the cell is the field's, whatever column of it is wrong
				x->p->field = arena_str(x->p->arena, x->f->name);
			return err;
		}
		if (v)
			json_object_set_new(ret, arena_cstr(x->r->arena, f->name), v);
	}
	return OK;
}

static enum err read_rows(struct reading *x, json_t **ret)
{
	if (x->text.n && x->text.p[0] == '[')
		return read_json(x, ret);
	json_t *rows = json_array();
	enum err err = OK;
	for (struct str rest = x->text; !err && rest.n;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		json_t *row = line.n ? json_object() : NULL;
		err = row ? read_row(x, line, row) : OK;
		if (row)
			json_array_append_new(rows, row);
	}
	if (err)
		json_decref(rows);
	else
		*ret = rows;
	return err;
}

// Where the form has one line, a break within the cell is a blank.
static enum err read_text(struct reading *x, json_t **ret)
{
	char *out = arena_alloc(x->r->arena, x->text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < x->text.n; i++) {
		char ch = x->text.p[i];
		bool lf = ch == '\n' && !x->f->lines, cr = ch == '\r' && i + 1 < x->text.n && x->text.p[i + 1] == '\n';
		if (!cr || x->f->lines)
			out[n++] = lf ? ' ' : ch;
	}
	*ret = text_json(str_from(out, n));
	return OK;
}

// "9.19901E+17": a spreadsheet took the code for a number and lost its last digits.
static bool was_number(struct str s)
{
	double v;
	return s.n > 3 && s.p[0] >= '0' && s.p[0] <= '9' && (str_contains(s, STR("E+")) || str_contains(s, STR("e+")) || str_contains(s, STR("e1"))) &&
	       str_to_f64(s, &v);
}

// Codes and telephone numbers, without the blanks that people group them by; a mobile number without hyphens, too.
static enum err read_code(struct reading *x, json_t **ret)
{
	char *out = arena_alloc(x->r->arena, x->plain.n + 1);
	size_t n = 0, digits = 0;
	if (was_number(x->plain))
		return field_wrong(x->p, x->f, ERR_INVALID, "表格软件把它当成数，末尾的数字已经丢失；请把这一列设为文本，重新填写",
		                   "the spreadsheet took it for a number and lost its last digits; make the column text and write it again");
	for (size_t i = 0; i < x->plain.n; i++)
		digits += x->plain.p[i] >= '0' && x->plain.p[i] <= '9';
	bool mobile = x->f->kind == FIELD_PHONE && digits == 11 && x->plain.p[0] == '1';
	for (size_t i = 0; i < x->plain.n; i++)
		if (x->plain.p[i] != ' ' && !(mobile && x->plain.p[i] == '-'))
			out[n++] = x->plain.p[i];
	*ret = text_json(str_from(out, n));
	return OK;
}

// ---- one cell ----------------------------------------------------------------------------------

static kind_reader *const readers[FIELD__MAX] = {
	[FIELD_TEXT] = read_text,   [FIELD_NUMBER] = read_number,     [FIELD_MONEY] = read_money, [FIELD_BOOL] = read_bool,
	[FIELD_DATE] = read_date,   [FIELD_TIME] = read_time,         [FIELD_MENU] = read_menu,   [FIELD_MENUS] = read_menus,
	[FIELD_REF] = read_ref,     [FIELD_POSITION] = read_position, [FIELD_SHAPE] = read_json,  [FIELD_PHONE] = read_code,
	[FIELD_USCC] = read_code,   [FIELD_AREA] = read_area,         [FIELD_REFS] = read_refs,   [FIELD_ROWS] = read_rows,
	[FIELD_IDCARD] = read_code,
};

// "—", "/", and 无 where it can be no value.
static bool says_nothing(const struct field *f, struct str s)
{
	bool amount = f->kind == FIELD_NUMBER || f->kind == FIELD_MONEY || f->kind == FIELD_DATE || f->kind == FIELD_TIME;
	bool word = amount || f->kind == FIELD_PHONE || f->kind == FIELD_IDCARD || f->kind == FIELD_USCC;
	if (f->kind == FIELD_TEXT)
		return false;
	return str_is(s, "—") || str_is(s, "——") || str_is(s, "-") || str_is(s, "/") || (word && (str_is(s, "无") || str_is(s, "暂无")));
}

bool cell_takes(const struct field *f)
{
	return !f->readonly && !f->compute && readers[f->kind] != NULL;
}

enum err cell_read(struct cell_reader *r, const struct field *f, const struct cell *c, json_t **ret, bool *ret_pending, struct problem *p)
{
	struct reading x = { .r = r, .f = f, .c = c, .p = p };
	*ret = NULL;
	*ret_pending = false;
	if (c->kind == CELL_ERROR)
		return field_wrong(p, f, ERR_INVALID, "这一格的公式有错", "the formula of this cell is in error");
	x.text = cell_text(c, r->arena);
	if (x.text.n == 0 || says_nothing(f, x.text))
		return OK;
	if (str_is(x.text, "#清空") || str_is(x.text, "#clear")) {
		*ret = json_null();
		return OK;
	}
	x.plain = cell_plain(x.text, r->arena);
	enum err err = readers[f->kind](&x, ret);
	*ret_pending = x.pending;
	return err;
}
