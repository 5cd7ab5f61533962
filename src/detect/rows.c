#include "detect/rows.h"

#include <ctype.h>
#include <math.h>

#include "base/arena.h"

static const char *const time_names[] = { "time", "timestamp", "datetime", "date", "ts", "sample", "时间", "日期" };
// Behind one of these comes the unit or the zone: "Time (s)", "Timestamp_UTC".
static const char *const time_begins[] = { "time", "timestamp", "datetime", "date" };
static const char *const time_within[] = { "时间", "日期", "时刻" };
// What the known recordings and their users call the truth.
static const char *const label_names[] = { "changepoint", "change_point", "outlier", "is_outlier", "target", "attack", "normal/attack", "fault", "is_fault",
                                           "faultnumber", "ground_truth", "y_true", "故障" };
static const char *const label_within[] = { "anomal", "label", "标签", "异常" };
// Numbers of rows, which say nothing of the plant.
static const char *const index_names[] = { "", "unnamed: 0", "index", "idx", "id", "no", "no.", "row", "#", "序号", "行号" };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool one_of(struct str s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(s, str_of(names[i])))
			return true;
	return false;
}

static bool one_within(struct str s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);
		for (size_t at = 0; at + len <= s.n; at++)
			if (str_eq_nocase(str_from(s.p + at, len), str_of(names[i])))
				return true;
	}
	return false;
}

static bool names_time(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(time_begins); i++) {
		size_t n = strlen(time_begins[i]);
		if (s.n > n && str_eq_nocase(str_first(s, n), str_of(time_begins[i])) && !isalpha((unsigned char)s.p[n]))
			return true;
	}
	return one_of(s, time_names, ARRAY_LEN(time_names)) || one_within(s, time_within, ARRAY_LEN(time_within));
}

static bool names_label(struct str s)
{
	return one_of(s, label_names, ARRAY_LEN(label_names)) || one_within(s, label_within, ARRAY_LEN(label_within));
}

bool rows_cell(struct str *rest, char separator, struct str *ret)
{
	if (!rest->p)
		return false;
	struct str s = *rest;
	if (separator == ' ') {
		while (s.n && is_blank(s.p[0]))
			s = str_skip(s, 1);
		if (!s.n)
			return false;
	}
	size_t n = 0;
	bool quoted = false;
	for (; n < s.n && (quoted || (separator == ' ' ? !is_blank(s.p[n]) : s.p[n] != separator)); n++)
		quoted ^= s.p[n] == '"';
	*rest = n < s.n ? (struct str){ s.p + n + 1, s.n - n - 1 } : (struct str){ NULL, 0 };
	s = str_trim(str_first(s, n));
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = str_trim(str_from(s.p + 1, s.n - 2));
	*ret = s;
	return true;
}

// "+.5", "5." and "007" are numbers, too; JSON does not know them.
static bool plain_number(struct str s, double *ret)
{
	char text[64];
	size_t n = 0;
	bool minus = s.p[0] == '-';
	s = str_skip(s, minus || s.p[0] == '+');
	while (s.n > 1 && s.p[0] == '0' && isdigit((unsigned char)s.p[1]))
		s = str_skip(s, 1);
	if (s.n + 3 > sizeof text)
		return false;
	if (minus)
		text[n++] = '-';
	if (s.n && s.p[0] == '.')
		text[n++] = '0';
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '.' && (i + 1 == s.n || (s.p[i + 1] | 32) == 'e')))
			text[n++] = s.p[i];
	return str_to_f64(str_from(text, n), ret);
}

bool rows_number(struct str s, double *ret)
{
	static const char *const missing[] = { "", "nan", "-nan", "null", "na", "n/a", "#n/a", "none", "nil", "-", "--", "—", "/", ".", "?", "inf", "+inf", "-inf",
	                                       "infinity", "-infinity", "missing", "bad", "no data", "坏值", "无数据" };
	if (one_of(s, missing, ARRAY_LEN(missing))) {
		*ret = NAN;
		return true;
	}
	return plain_number(s, ret);
}

// Where the comma does not separate, it may be the decimal point: "9,3".
static bool number_in(struct str cell, char separator, double *ret)
{
	char text[64];
	const char *comma = separator == ',' || cell.n >= sizeof text ? NULL : memchr(cell.p, ',', cell.n);
	if (!comma || memchr(cell.p, '.', cell.n))
		return rows_number(cell, ret);
	memcpy(text, cell.p, cell.n);
	text[comma - cell.p] = '.';
	return rows_number(str_from(text, cell.n), ret);
}

// The one there is most of; ; before , where there are as many: then the comma is the decimal point.
static char find_separator(struct str line)
{
	static const char known[] = { ';', ',', '\t', '|' };
	size_t most = 0;
	char best = ' ';
	for (size_t k = 0; k < ARRAY_LEN(known); k++) {
		size_t n = 0;
		for (size_t i = 0; i < line.n; i++)
			n += line.p[i] == known[k];
		if (n > most) {
			most = n;
			best = known[k];
		}
	}
	return best;
}

static bool has(struct str s, const char *any)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] && strchr(any, s.p[i]))
			return true;
	return false;
}

// Digits and marks, at most a T or Z between: "2026-01-01 08:00", "08:00:00".
static bool looks_a_moment(struct str s)
{
	static const char may[] = "0123456789 :-/.,+TZ";
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(may, s.p[i]))
			return false;
	return has(s, "0123456789") && has(s, ":-/");
}

// All cells numbers, or times: a row. So is a line of which only the first cell is something else. Else a header.
static bool looks_headed(const struct str *cells, size_t n, char separator)
{
	double v;
	for (size_t i = n > 1; i < n; i++)
		if (!number_in(cells[i], separator, &v) && !looks_a_moment(cells[i]))
			return true;
	return n == 1 && !number_in(cells[0], separator, &v);
}

// The first row, as far as it says what the columns are; NULL while there is only the header.
struct first_row {
	struct str cell[ROWS_CELLS_MAX];
	size_t n;
};

static bool is_text(const struct rows *r, const struct first_row *f, size_t i)
{
	double v;
	return f && i < f->n && !number_in(f->cell[i], r->separator, &v);
}

static bool is_moment(const struct rows *r, const struct first_row *f, size_t i)
{
	return is_text(r, f, i) && looks_a_moment(f->cell[i]);
}

static bool is_index(const struct rows *r, size_t i)
{
	return r->headed && i == 0 && r->cells > 1 && one_of(r->name[i], index_names, ARRAY_LEN(index_names));
}

// Columns that may hold values: no labels, no texts.
static size_t candidates(const struct rows *r, const struct first_row *f)
{
	size_t n = 0;
	for (size_t i = 0; i < r->cells; i++)
		n += !(r->headed && names_label(r->name[i])) && !is_text(r, f, i);
	return n;
}

// A first column without a telling name: the time, unless it is the only one of values or begins with a fraction.
static bool first_is_time(const struct rows *r, const struct first_row *f, bool one_value)
{
	double v;
	if (names_label(r->name[0]) || str_eq_nocase(r->name[0], STR("value")) || candidates(r, f) < 2)
		return false;
	return one_value || is_index(r, 0) || !f || !f->n || !number_in(f->cell[0], r->separator, &v) || v == floor(v);
}

static void find_time(struct rows *r, const struct first_row *f, bool one_value)
{
	r->time = r->clock = ROWS_NONE;
	for (size_t i = 0; r->headed && i < r->cells && r->time == ROWS_NONE; i++)
		if (names_time(r->name[i]))
			r->time = i;
	r->time_named = r->time != ROWS_NONE;
	for (size_t i = 0; i < r->cells && r->time == ROWS_NONE; i++)
		if (is_moment(r, f, i))
			r->time = i;
	if (r->time == ROWS_NONE && (r->headed ? first_is_time(r, f, one_value) : is_text(r, f, 0) || (one_value && candidates(r, f) > 1)))
		r->time = 0;
	size_t next = r->time + 1; // a date and, beside it, the time of day
	if (r->time != ROWS_NONE && next < r->cells && is_moment(r, f, r->time) && !has(f->cell[r->time], ":") && is_moment(r, f, next) &&
	    has(f->cell[next], ":"))
		r->clock = next;
}

static enum err find_columns(struct rows *r, const struct first_row *f, bool one_value, struct problem *p)
{
	r->nvalues = r->nlabels = r->nskipped = 0;
	find_time(r, f, one_value);
	for (size_t i = 0; i < r->cells; i++) {
		if (i == r->time || i == r->clock)
			continue;
		if (r->headed && names_label(r->name[i])) {
			r->label[r->nlabels++] = i;
		} else if (is_moment(r, f, i) || (one_value && is_text(r, f, i)) || (is_index(r, i) && candidates(r, f) > 1)) {
			r->skipped[r->nskipped++] = i;
		} else if (r->nvalues == ROWS_VALUES_MAX) {
			return problem_set(p, ERR_TOO_LARGE, "1", "数值列超过 %d 列", "more than %d columns of values", ROWS_VALUES_MAX);
		} else {
			r->value[r->nvalues++] = i;
		}
	}
	if (!r->nvalues)
		return problem_set(p, ERR_INVALID, "1", "没有数值列", "there is no column of values");
	for (size_t k = 0; one_value && k < r->nvalues; k++)
		if (str_eq_nocase(r->name[r->value[k]], STR("value")))
			r->value[0] = r->value[k];
	if (one_value)
		r->nvalues = 1;
	return OK;
}

static void first_row(const struct rows *r, struct str line, struct first_row *ret)
{
	struct str cell;
	ret->n = 0;
	for (struct str rest = line; ret->n < ROWS_CELLS_MAX && rows_cell(&rest, r->separator, &cell);)
		ret->cell[ret->n++] = cell;
}

enum err rows_settle(struct rows *r, struct str line, bool one_value, struct problem *p)
{
	struct first_row f;
	if (!r->headed)
		return OK; // rows_begin has seen it
	first_row(r, line, &f);
	return find_columns(r, &f, one_value, p);
}

enum err rows_begin(struct rows *r, struct arena *a, struct str line, bool one_value, struct problem *p)
{
	struct first_row f;
	struct str cell;
	*r = (struct rows){ .odd = ROWS_NONE };
	if (str_starts(line, STR("\xef\xbb\xbf")))
		line = str_skip(line, 3);
	r->separator = find_separator(line);
	for (struct str rest = line; rows_cell(&rest, r->separator, &cell); r->cells++)
		if (r->cells == ROWS_CELLS_MAX)
			return problem_set(p, ERR_TOO_LARGE, "1", "第 1 行超过 %d 列", "line 1 has more than %d columns", ROWS_CELLS_MAX);
	if (!r->cells || !str_trim(line).n)
		return problem_set(p, ERR_INVALID, "1", "第 1 行是空的", "line 1 is empty");
	if (!str_utf8_valid(line))
		return problem_set(p, ERR_INVALID, "1", "第 1 行不是 UTF-8 编码，请另存为“CSV UTF-8”", "line 1 is not UTF-8; save the file as CSV UTF-8");
	first_row(r, line, &f);
	r->headed = looks_headed(f.cell, r->cells, r->separator);
	for (size_t i = 0; r->headed && i < r->cells; i++)
		r->name[i] = arena_str(a, f.cell[i]);
	enum err err = find_columns(r, r->headed ? NULL : &f, one_value, p);
	for (size_t i = 0; !r->headed && i < r->cells; i++)
		r->name[i] = arena_printf(a, "x%zu", i + (r->time != 0));
	return err;
}

static void odd_cell(struct rows *r, size_t column, struct str cell)
{
	if (r->odd != ROWS_NONE)
		return;
	r->odd = column;
	r->odd_text = str_first(cell, 40);
	while (r->odd_text.n && !str_utf8_valid(r->odd_text))
		r->odd_text = str_first(r->odd_text, r->odd_text.n - 1);
}

enum err rows_read(struct rows *r, struct str line, size_t number, struct str ret_time[2], double *ret, struct problem *p)
{
	struct str cell;
	size_t column = 0, k = 0;
	bool more = false; // than the first line has; a separator at the end is none
	ret_time[0] = ret_time[1] = STR_EMPTY;
	r->odd = ROWS_NONE;
	if (number == 1 && str_starts(line, STR("\xef\xbb\xbf")))
		line = str_skip(line, 3);
	for (struct str rest = line; rows_cell(&rest, r->separator, &cell); column++) {
		if (column >= r->cells) {
			more |= cell.n > 0;
			continue;
		}
		if (column == r->time || column == r->clock)
			ret_time[column == r->clock] = cell;
		if (k == r->nvalues || r->value[k] != column)
			continue;
		if (!number_in(cell, r->separator, &ret[k])) {
			ret[k] = NAN;
			odd_cell(r, column, cell);
		}
		k++;
	}
	if (more)
		return problem_set(p, ERR_INVALID, "", "第 %zu 行有 %zu 列，应有 %zu 列", "line %zu has %zu columns, not %zu", number, column, r->cells);
	if (k < r->nvalues)
		odd_cell(r, r->value[k], STR_EMPTY);
	while (k < r->nvalues)
		ret[k++] = NAN;
	return OK;
}
