// JSON → typed values of a record's columns, with every rule of the type that needs no database. Called by flow.c in
// store jobs and by the API for dry checks; any thread.
#include <math.h>
#include <stdarg.h>

#include "base/limits.h"
#include "base/time.h"
#include "base/uscc.h"
#include "flow/draft.h"

enum err field_wrong(struct problem *p, const struct field *f, enum err err, const char *zh, const char *en, ...)
{
	va_list ap;
	if (!p || p->err)
		return err;
	p->err = err;
	p->field = arena_str(p->arena, f->name);
	va_start(ap, en);
	p->zh = arena_printf(p->arena, "%.*s：%s", STR_FMT(f->label.zh), arena_vprintf(p->arena, zh, ap).p);
	va_end(ap);
	va_start(ap, en);
	p->en = arena_printf(p->arena, "%.*s: %s", STR_FMT(f->label.en), arena_vprintf(p->arena, en, ap).p);
	va_end(ap);
	return err;
}

static struct value text_value(struct str s)
{
	return s.n ? (struct value){ .kind = VAL_TEXT, .s = s } : (struct value){ .kind = VAL_NULL };
}

static struct value int_value(int64_t i)
{
	return (struct value){ .kind = VAL_INT, .i = i };
}

static bool json_text(const json_t *j, struct str *ret, struct arena *a)
{
	if (!json_is_string(j))
		return false;
	*ret = arena_str(a, str_trim(str_from(json_string_value(j), json_string_length(j))));
	return true;
}

static bool control_free(struct str s, bool lines)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if (ch == 127 || (ch < ' ' && !(lines && (ch == '\n' || ch == '\r' || ch == '\t'))))
			return false;
	}
	return true;
}

static enum err read_text(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a))
		return field_wrong(p, f, ERR_INVALID, "应为文字", "a text is expected");
	if (s.n > LIMIT_TEXT_FIELD)
		return field_wrong(p, f, ERR_INVALID, "太长，最多 %u 字节", "too long, at most %u bytes", (unsigned)LIMIT_TEXT_FIELD);
	size_t n = str_utf8_len(s);
	if (f->has_max && (double)n > f->max)
		return field_wrong(p, f, ERR_INVALID, "太长，最多 %.0f 个字", "too long, at most %.0f characters", f->max);
	if (f->has_min && n && (double)n < f->min)
		return field_wrong(p, f, ERR_INVALID, "太短，至少 %.0f 个字", "too short, at least %.0f characters", f->min);
	if (!control_free(s, f->lines))
		return field_wrong(p, f, ERR_INVALID, "含有不能显示的字符", "contains characters that cannot be shown");
	*ret = text_value(s);
	return OK;
}

static enum err check_range(const struct field *f, double v, struct problem *p)
{
	if (f->has_min && v < f->min)
		return field_wrong(p, f, ERR_INVALID, "不能小于 %.10g", "must not be less than %.10g", f->min);
	if (f->has_max && v > f->max)
		return field_wrong(p, f, ERR_INVALID, "不能大于 %.10g", "must not be more than %.10g", f->max);
	return OK;
}

// Is v a decimal number with at most that many digits behind the point, as far as a double can tell?
static bool has_decimals(double v, int decimals)
{
	double scaled = v * pow(10, decimals);
	return fabs(scaled - round(scaled)) <= 1e-9 * fmax(1, fabs(scaled));
}

static enum err read_number(const struct field *f, const json_t *j, struct value *ret, struct problem *p)
{
	double v = json_number_value(j);
	if (!json_is_number(j) || !isfinite(v))
		return field_wrong(p, f, ERR_INVALID, "应为数", "a number is expected");
	if (f->decimals >= 0 && !has_decimals(v, f->decimals))
		return field_wrong(p, f, ERR_INVALID, "最多 %d 位小数", "at most %d decimals", f->decimals);
	*ret = (struct value){ .kind = VAL_REAL, .f = v };
	return check_range(f, v, p);
}

bool money_fen(double yuan, int64_t *ret)
{
	if (!(fabs(yuan) <= 1e13) || !has_decimals(yuan, 2))
		return false;
	*ret = (int64_t)llround(yuan * 100);
	return true;
}

// In: yuan with at most two decimals. Kept: fen.
static enum err read_money(const struct field *f, const json_t *j, struct value *ret, struct problem *p)
{
	double v = json_number_value(j);
	int64_t fen = 0;
	if (!json_is_number(j) || !money_fen(v, &fen))
		return field_wrong(p, f, ERR_INVALID, "应为金额（元），最多两位小数", "an amount in yuan with at most two decimals is expected");
	*ret = int_value(fen);
	return check_range(f, v, p);
}

static enum err read_date(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && !date_text_ok(s)))
		return field_wrong(p, f, ERR_INVALID, "应为日期，如 2026-11-22", "a date like 2026-11-22 is expected");
	*ret = text_value(s);
	return OK;
}

static enum err read_time(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	int64_t us = 0;
	if (!json_text(j, &s, a) || (s.n && !time_parse(s, &us)))
		return field_wrong(p, f, ERR_INVALID, "应为时间，如 2026-11-22T08:00:00+08:00",
		                   "a time like 2026-11-22T08:00:00+08:00 is expected");
	*ret = s.n ? int_value(us) : text_value(s);
	return OK;
}

static enum err read_menu(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && !menu_item(f->menu, s)))
		return field_wrong(p, f, ERR_INVALID, "不在可选项之中", "is not one of the choices");
	*ret = text_value(s);
	return OK;
}

// Kept as ",a,b," in the order of the menu, so that the same choice is the same text.
static enum err read_menus(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	if (!json_is_array(j))
		return field_wrong(p, f, ERR_INVALID, "应为列表", "a list is expected");
	for (size_t i = 0; i < json_array_size(j); i++) {
		const char *s = json_string_value(json_array_get(j, i));
		if (!s || !menu_item(f->menu, str_of(s)))
			return field_wrong(p, f, ERR_INVALID, "第 %zu 项不在可选项之中", "item %zu is not one of the choices", i + 1);
	}
	struct str all = STR(",");
	for (size_t k = 0; k < f->menu->nitems; k++)
		for (size_t i = 0; i < json_array_size(j); i++)
			if (str_is(f->menu->items[k].value, json_string_value(json_array_get(j, i)))) {
				all = arena_printf(a, "%.*s%.*s,", STR_FMT(all), STR_FMT(f->menu->items[k].value));
				break;
			}
	*ret = text_value(all.n > 1 ? all : STR_EMPTY);
	return OK;
}

static enum err read_ref(const struct field *f, const json_t *j, struct value *ret, struct problem *p)
{
	if (json_is_object(j))
		j = json_object_get(j, "id");
	if (!json_is_integer(j) || json_integer_value(j) <= 0)
		return field_wrong(p, f, ERR_INVALID, "应为记录的编号（id）", "the id of a record is expected");
	*ret = int_value(json_integer_value(j));
	return OK;
}

// "danger_report:12" or {"type": "danger_report", "id": 12}: of a type that opens such records.
static enum err read_origin(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	int64_t id = json_integer_value(json_object_get(j, "id"));
	const json_t *type = json_is_object(j) ? json_object_get(j, "type") : j;
	struct str rest = json_is_string(type) ? str_from(json_string_value(type), json_string_length(type)) : STR_EMPTY;
	const struct type *t = origin_type(f, str_cut(&rest, ':'));
	if (json_is_string(j) && !str_to_i64(rest, &id))
		id = 0;
	if (!t || id <= 0)
		return field_wrong(p, f, ERR_INVALID, "应为 {type, id}，type 是会建立这种记录的类型", "{type, id} is expected, of a type that opens such records");
	*ret = (struct value){ .kind = VAL_TEXT, .s = origin_text(t->name, id, a) };
	return OK;
}

// CGCS2000 longitude and latitude in degrees.
static enum err read_position(const struct field *f, const json_t *j, struct value *ret, struct problem *p)
{
	double lon = json_number_value(json_array_get(j, 0)), lat = json_number_value(json_array_get(j, 1));
	if (json_array_size(j) != 2 || !json_is_number(json_array_get(j, 0)) || !json_is_number(json_array_get(j, 1)))
		return field_wrong(p, f, ERR_INVALID, "应为 [经度, 纬度]", "[longitude, latitude] is expected");
	if (!(fabs(lon) <= 180) || !(fabs(lat) <= 90))
		return field_wrong(p, f, ERR_INVALID, "经度在 ±180、纬度在 ±90 之内", "longitude must be within ±180, latitude within ±90");
	ret[0] = (struct value){ .kind = VAL_REAL, .f = lon };
	ret[1] = (struct value){ .kind = VAL_REAL, .f = lat };
	return OK;
}

static bool coordinates_ok(const json_t *j, unsigned depth)
{
	if (!json_is_array(j) || json_array_size(j) == 0)
		return false;
	if (depth == 0)
		return json_array_size(j) >= 2 && json_is_number(json_array_get(j, 0)) && json_is_number(json_array_get(j, 1)) &&
		       fabs(json_number_value(json_array_get(j, 0))) <= 180 && fabs(json_number_value(json_array_get(j, 1))) <= 90;
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!coordinates_ok(json_array_get(j, i), depth - 1))
			return false;
	return true;
}

// RFC 7946 geometry: the nesting of coordinates goes with the type.
static enum err read_shape(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	static const struct { const char *type; unsigned depth; enum shape_kind kind; } shapes[] = {
		{ "Point", 0, SHAPE_POINT }, { "MultiPoint", 1, SHAPE_POINT }, { "LineString", 1, SHAPE_LINE },
		{ "MultiLineString", 2, SHAPE_LINE }, { "Polygon", 2, SHAPE_AREA }, { "MultiPolygon", 3, SHAPE_AREA },
	};
	static const struct label names[] = { [SHAPE_POINT] = { { "点", 3 }, { "a point", 7 } }, [SHAPE_LINE] = { { "线", 3 }, { "a line", 6 } },
		                              [SHAPE_AREA] = { { "面", 3 }, { "an area", 7 } } };
	const char *type = json_string_value(json_object_get(j, "type"));
	enum shape_kind kind = SHAPE_ANY;
	bool ok = false;
	for (size_t i = 0; type && i < ARRAY_LEN(shapes); i++)
		if (strcmp(type, shapes[i].type) == 0) {
			ok = coordinates_ok(json_object_get(j, "coordinates"), shapes[i].depth);
			kind = shapes[i].kind;
		}
	if (!ok)
		return field_wrong(p, f, ERR_INVALID, "应为 GeoJSON 几何图形", "a GeoJSON geometry is expected");
	if (f->shape != SHAPE_ANY && kind != f->shape) {
		field_wrong(p, f, ERR_INVALID, "应为%s", "must be %s", names[f->shape].zh.p);
		p->en = arena_printf(p->arena, "%.*s: must be %s", STR_FMT(f->label.en), names[f->shape].en.p);
		return ERR_INVALID;
	}
	json_t *plain = json_pack("{s:s, s:O}", "type", type, "coordinates", json_object_get(j, "coordinates"));
	const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15); // 116.1 stays 116.1; 15 digits are a ten-thousandth of a millimetre
	size_t n = json_dumpb(plain, NULL, 0, flags);
	char *text = n && n <= LIMIT_SHAPE_FIELD ? arena_alloc(a, n + 1) : NULL;
	if (text)
		(void)json_dumpb(plain, text, n, flags);
	json_decref(plain);
	if (!text)
		return field_wrong(p, f, ERR_INVALID, "图形太大，最多 %u 字节", "the shape is too large, at most %u bytes", LIMIT_SHAPE_FIELD);
	*ret = text_value(str_from(text, n));
	return OK;
}

static enum err read_phone(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && !phone_ok(s)))
		return field_wrong(p, f, ERR_INVALID, "不是电话号码", "is not a phone number");
	*ret = text_value(s);
	return OK;
}

static enum err read_uscc(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && s.n != 18))
		return field_wrong(p, f, ERR_INVALID, "统一社会信用代码为 18 位", "the code has 18 characters");
	if (s.n && !uscc_check_char(s))
		return field_wrong(p, f, ERR_INVALID, "含有代码中不用的字符（I、O、S、V、Z 等）",
		                   "contains a character that the code does not use (I, O, S, V, Z …)");
	if (s.n && !uscc_ok(s))
		return field_wrong(p, f, ERR_INVALID, "校验码不符，请核对", "the check character does not fit, please compare");
	*ret = text_value(s);
	return OK;
}

static enum err read_idcard(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && s.n != 18))
		return field_wrong(p, f, ERR_INVALID, "居民身份证号码为 18 位", "an identity number has 18 characters");
	if (s.n && s.p[17] == 'x')
		s = arena_printf(a, "%.*sX", 17, s.p);
	if (s.n && !idcard_check_char(s))
		return field_wrong(p, f, ERR_INVALID, "前 17 位应为数字", "the first 17 characters must be digits");
	if (s.n && !idcard_ok(s))
		return field_wrong(p, f, ERR_INVALID, "出生日期或校验码不符，请核对", "day of birth or check character do not fit, please compare");
	*ret = text_value(s);
	return OK;
}

static enum err read_area(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	struct str s;
	if (!json_text(j, &s, a) || (s.n && !area_code_ok(s)))
		return field_wrong(p, f, ERR_INVALID, "应为 12 位区划代码", "a 12-digit area code is expected");
	*ret = text_value(s);
	return OK;
}

enum err value_read(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p)
{
	for (size_t i = 0; i < MAX(f->ncols, (size_t)1); i++)
		ret[i] = (struct value){ .kind = VAL_NULL };
	if (json_is_null(j))
		return OK;
	switch (f->kind) {
	case FIELD_TEXT: return read_text(f, j, ret, a, p);
	case FIELD_NUMBER: return read_number(f, j, ret, p);
	case FIELD_MONEY: return read_money(f, j, ret, p);
	case FIELD_BOOL:
		if (!json_is_boolean(j))
			return field_wrong(p, f, ERR_INVALID, "应为是或否", "true or false is expected");
		*ret = int_value(json_is_true(j));
		return OK;
	case FIELD_DATE: return read_date(f, j, ret, a, p);
	case FIELD_TIME: return read_time(f, j, ret, a, p);
	case FIELD_MENU: return read_menu(f, j, ret, a, p);
	case FIELD_MENUS: return read_menus(f, j, ret, a, p);
	case FIELD_REF: return read_ref(f, j, ret, p);
	case FIELD_POSITION: return read_position(f, j, ret, p);
	case FIELD_SHAPE: return read_shape(f, j, ret, a, p);
	case FIELD_PHONE: return read_phone(f, j, ret, a, p);
	case FIELD_USCC: return read_uscc(f, j, ret, a, p);
	case FIELD_AREA: return read_area(f, j, ret, a, p);
	case FIELD_IDCARD: return read_idcard(f, j, ret, a, p);
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS: return value_read_ids(f, j, ret, a, p);
	case FIELD_ROWS: return value_read_rows(f, j, ret, a, p);
	case FIELD_ORIGIN: return read_origin(f, j, ret, a, p);
	case FIELD_SHEET: return value_read_sheet(f, j, ret, a, p);
	case FIELD__MAX: break;
	}
	return ERR_BUG;
}

bool value_same(struct value a, struct value b)
{
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case VAL_NULL: return true;
	case VAL_INT: return a.i == b.i;
	case VAL_REAL: return a.f == b.f;
	case VAL_TEXT: return str_eq(a.s, b.s);
	}
	return false;
}
