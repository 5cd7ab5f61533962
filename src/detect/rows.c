#include "detect/rows.h"

#include <math.h>

#include "base/arena.h"

static const char *const time_names[] = { "time", "timestamp", "datetime", "date", "ts", "时间", "日期" };
// What the known recordings and their users call the truth.
static const char *const label_names[] = { "anomaly", "changepoint", "change_point", "label", "labels", "is_anomaly", "outlier", "target", "标签", "异常" };

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

bool rows_number(struct str s, double *ret)
{
	static const char *const missing[] = { "", "nan", "null", "na", "n/a", "#n/a", "none", "-", "--", "?", "inf", "+inf", "-inf", "infinity", "-infinity" };
	if (one_of(s, missing, ARRAY_LEN(missing))) {
		*ret = NAN;
		return true;
	}
	return str_to_f64(s.p[0] == '+' ? str_skip(s, 1) : s, ret);
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
	static const char known[] = { ';', ',', '\t' };
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

// All cells numbers: a row without a time. Else a header, unless only the first cell (the time) is not a number.
static bool looks_headed(const struct str *cells, size_t n, char separator)
{
	double v;
	for (size_t i = n > 1; i < n; i++)
		if (number_in(cells[i], separator, &v))
			return false;
	return n > 1 || !number_in(cells[0], separator, &v);
}

static void find_time(struct rows *r, const struct str *cells, bool one_value)
{
	double v;
	r->time = ROWS_NONE;
	if (!r->headed) {
		if (!number_in(cells[0], r->separator, &v) || (one_value && r->cells > 1))
			r->time = 0;
		return;
	}
	for (size_t i = 0; i < r->cells && r->time == ROWS_NONE; i++)
		if (one_of(cells[i], time_names, ARRAY_LEN(time_names)))
			r->time = i;
	if (r->time == ROWS_NONE && r->cells > 1)
		r->time = 0;
}

static enum err find_values(struct rows *r, bool one_value, struct problem *p)
{
	for (size_t i = 0; i < r->cells; i++) {
		if (i == r->time)
			continue;
		if (r->headed && one_of(r->name[i], label_names, ARRAY_LEN(label_names))) {
			r->label[r->nlabels++] = i;
			continue;
		}
		if (r->nvalues == ROWS_VALUES_MAX)
			return problem_set(p, ERR_TOO_LARGE, "1", "数值列超过 %d 列", "more than %d columns of values", ROWS_VALUES_MAX);
		r->value[r->nvalues++] = i;
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

enum err rows_begin(struct rows *r, struct arena *a, struct str line, bool one_value, struct problem *p)
{
	struct str cells[ROWS_CELLS_MAX], cell;
	*r = (struct rows){ 0 };
	if (str_starts(line, STR("\xef\xbb\xbf")))
		line = str_skip(line, 3);
	r->separator = find_separator(line);
	for (struct str rest = line; rows_cell(&rest, r->separator, &cell);) {
		if (r->cells == ROWS_CELLS_MAX)
			return problem_set(p, ERR_TOO_LARGE, "1", "第 1 行超过 %d 列", "line 1 has more than %d columns", ROWS_CELLS_MAX);
		cells[r->cells++] = cell;
	}
	if (!r->cells || !str_trim(line).n)
		return problem_set(p, ERR_INVALID, "1", "第 1 行是空的", "line 1 is empty");
	if (!str_utf8_valid(line))
		return problem_set(p, ERR_INVALID, "1", "第 1 行不是 UTF-8", "line 1 is not UTF-8");
	r->headed = looks_headed(cells, r->cells, r->separator);
	find_time(r, cells, one_value);
	for (size_t i = 0; i < r->cells; i++)
		r->name[i] = r->headed ? arena_str(a, cells[i]) : arena_printf(a, "x%zu", i + (r->time == ROWS_NONE));
	return find_values(r, one_value, p);
}

static enum err not_a_number(const struct rows *r, struct str cell, size_t number, size_t column, struct problem *p)
{
	struct str shown = str_first(cell, 40);
	while (shown.n && !str_utf8_valid(shown))
		shown = str_first(shown, shown.n - 1);
	return problem_set(p, ERR_INVALID, "", "第 %zu 行第 %zu 列（%.*s）：“%.*s”不是数", "line %zu, column %zu (%.*s): \"%.*s\" is not a number",
	                   number, column + 1, STR_FMT(r->name[column]), STR_FMT(shown));
}

enum err rows_read(const struct rows *r, struct str line, size_t number, struct str *ret_time, double *ret, struct problem *p)
{
	struct str cell;
	size_t column = 0, k = 0;
	bool more = false; // than the first line has; a separator at the end is none
	*ret_time = STR_EMPTY;
	if (number == 1 && str_starts(line, STR("\xef\xbb\xbf")))
		line = str_skip(line, 3);
	for (struct str rest = line; rows_cell(&rest, r->separator, &cell); column++) {
		if (column >= r->cells) {
			more |= cell.n > 0;
			continue;
		}
		if (column == r->time)
			*ret_time = cell;
		if (k < r->nvalues && r->value[k] == column && !number_in(cell, r->separator, &ret[k++]))
			return not_a_number(r, cell, number, column, p);
	}
	if (column < r->cells || more)
		return problem_set(p, ERR_INVALID, "", "第 %zu 行有 %zu 列，应有 %zu 列", "line %zu has %zu columns, not %zu", number, column, r->cells);
	return OK;
}
