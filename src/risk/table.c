// Data tables of the packs: CSV in memory. Called by read.c, the models and tool_calc. Pure; any thread.
#include "risk/table.h"

#include <math.h>

struct reader {
	const char *p, *end;
	unsigned line;
	struct arena *a;
	bool ok;
};

// One cell; *ret_last: a line end or the end of the text stood behind it.
static struct str read_cell(struct reader *r, bool *ret_last)
{
	struct str cell;
	if (r->p < r->end && *r->p == '"') {
		char *to = arena_alloc(r->a, (size_t)(r->end - r->p)), *at = to;
		r->p++;
		for (;;) {
			if (r->p == r->end) {
				r->ok = false;
				return STR_EMPTY;
			}
			if (*r->p == '"') {
				if (r->p + 1 == r->end || r->p[1] != '"') {
					r->p++;
					break;
				}
				r->p++;
			}
			*at++ = *r->p++;
		}
		cell = str_from(to, (size_t)(at - to));
	} else {
		const char *from = r->p;
		while (r->p < r->end && *r->p != ',' && *r->p != '\n' && *r->p != '\r') {
			r->p++;
		}
		cell = str_trim(str_from(from, (size_t)(r->p - from)));
	}
	if (r->p < r->end && *r->p == '\r') {
		r->p++;
	}
	*ret_last = r->p == r->end || *r->p == '\n';
	if (r->p < r->end) {
		r->ok = r->ok && (*r->p == ',' || *r->p == '\n');
		r->p++;
	}
	return cell;
}

static struct str read_comments(struct reader *r)
{
	struct str all = STR_EMPTY;
	while (r->end - r->p >= 1 && *r->p == '#') {
		struct str rest = str_from(r->p, (size_t)(r->end - r->p));
		struct str line = str_trim(str_skip(str_cut(&rest, '\n'), 1));
		all = all.n ? arena_printf(r->a, "%.*s %.*s", STR_FMT(all), STR_FMT(line)) : line;
		r->p = rest.n ? rest.p : r->end;
		r->line++;
	}
	return all;
}

bool risk_table_parse(struct arena *a, struct str name, struct str text, struct risk_table *ret, unsigned *ret_line)
{
	struct reader r = { .p = text.p, .end = text.p + text.n, .line = 1, .a = a, .ok = true };
	*ret = (struct risk_table){ .name = arena_str(a, name), .source = read_comments(&r) };
	size_t cap = 0, n = 0;
	for (bool last = false; r.ok && r.p < r.end && !last;) {
		struct str cell = read_cell(&r, &last);
		ret->columns = arena_push(a, ret->columns, &ret->n_columns, &cap, sizeof *ret->columns);
		ret->columns[ret->n_columns - 1] = cell;
	}
	cap = 0;
	while (r.ok && r.p < r.end && ret->n_columns) {
		r.line++;
		size_t in_row = 0;
		for (bool last = false; r.ok && !last;) {
			struct str cell = read_cell(&r, &last);
			ret->cells = arena_push(a, ret->cells, &n, &cap, sizeof *ret->cells);
			ret->cells[n - 1] = cell;
			in_row++;
		}
		r.ok = r.ok && in_row == ret->n_columns;
		ret->n++;
	}
	*ret_line = r.line;
	return r.ok && ret->n_columns > 0;
}

const struct risk_table *risk_table_find(const struct risk_tables *t, struct str name)
{
	for (size_t i = 0; t && i < t->n; i++) {
		if (str_eq(t->v[i].name, name)) {
			return &t->v[i];
		}
	}
	return NULL;
}

static int column_of(const struct risk_table *t, const char *column)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		if (str_is(t->columns[i], column)) {
			return (int)i;
		}
	}
	return -1;
}

struct str risk_table_cell(const struct risk_table *t, size_t row, const char *column)
{
	int c = column_of(t, column);
	return c < 0 || row >= t->n ? STR_EMPTY : t->cells[row * t->n_columns + (size_t)c];
}

double risk_table_num(const struct risk_table *t, size_t row, const char *column)
{
	double v;
	return str_to_f64(risk_table_cell(t, row, column), &v) ? v : NAN;
}

int risk_table_row(const struct risk_table *t, const char *column, struct str text)
{
	for (size_t i = 0; i < t->n; i++) {
		if (str_eq_nocase(risk_table_cell(t, i, column), text)) {
			return (int)i;
		}
	}
	return -1;
}

static char folded(char c)
{
	return c == ' ' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_said(struct str cell, struct str text)
{
	bool same = cell.n == text.n;
	for (size_t i = 0; same && i < cell.n; i++) {
		same = folded(cell.p[i]) == folded(text.p[i]);
	}
	return same;
}

int risk_table_row_said(const struct risk_table *t, const char *column, struct str text)
{
	text = str_trim(text);
	for (size_t i = 0; i < t->n; i++) {
		if (is_said(risk_table_cell(t, i, column), text) || is_said(risk_table_cell(t, i, "zh"), text)) {
			return (int)i;
		}
	}
	return -1;
}
