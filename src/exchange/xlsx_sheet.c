// The rows of an XLSX sheet: expat is stopped behind each row and goes on when the next one is asked for.
#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/xlsx_in.h"

#define DAYS_1904 1462 // between the two beginnings of time a workbook may have

bool xlsx_cell_ref(const char *ref, size_t *ret_column, uint32_t *ret_row)
{
	size_t column = 0;
	uint64_t row;
	const char *q = ref;
	for (; *q >= 'A' && *q <= 'Z' && q - ref < 4; q++)
		column = column * 26 + (size_t)(*q - 'A' + 1);
	if (q == ref || !str_to_u64(str_of(q), &row) || row > LIMIT_XLSX_ROW)
		return false;
	*ret_column = column - 1;
	*ret_row = (uint32_t)row;
	return true;
}

static void row_begin(struct xlsx *x, const char **atts)
{
	uint64_t n;
	const char *r = xlsx_attr(atts, "r");
	if (r && str_to_u64(str_of(r), &n) && n > x->row && n <= LIMIT_XLSX_ROW)
		x->row = (uint32_t)n;
	else
		x->row++;
	x->column = SIZE_MAX;
}

static void cell_begin(struct xlsx *x, const char **atts)
{
	const char *r = xlsx_attr(atts, "r"), *t = xlsx_attr(atts, "t"), *s = xlsx_attr(atts, "s");
	uint32_t row;
	uint64_t style;
	size_t column;
	x->column = r && xlsx_cell_ref(r, &column, &row) ? column : x->column + 1;
	x->type = !t                                ? 'n' :
	          strcmp(t, "inlineStr") == 0       ? 'i' :
	          strcmp(t, "str") == 0             ? 'S' :
	                                              t[0];
	x->date = s && str_to_u64(str_of(s), &style) && style < x->nstyles && x->styles[style];
	buf_clear(&x->text);
}

static void sheet_start(void *arg, const XML_Char *raw, const XML_Char **atts)
{
	struct xlsx *x = arg;
	const char *name = xlsx_local(raw);
	if (strcmp(name, "row") == 0)
		row_begin(x, atts);
	else if (strcmp(name, "c") == 0)
		cell_begin(x, atts);
	else if (strcmp(name, "rPh") == 0)
		x->in_phonetic = true;
	else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		x->in_text = !x->in_phonetic;
}

static struct cell shared(struct xlsx *x, struct str text)
{
	uint64_t i;
	if (!str_to_u64(str_trim(text), &i) || i >= x->nstrings)
		return (struct cell){ .kind = CELL_EMPTY };
	return (struct cell){ .kind = CELL_TEXT, .text = x->strings[i] };
}

static struct cell number(struct xlsx *x, struct str text)
{
	double v;
	if (!str_to_f64(str_trim(text), &v))
		return (struct cell){ .kind = CELL_TEXT, .text = arena_str(x->row_arena, text) };
	if (x->date && x->date1904)
		v += DAYS_1904;
	return (struct cell){ .kind = x->date ? CELL_SERIAL : CELL_NUMBER, .number = v };
}

static struct cell cell_of(struct xlsx *x)
{
	struct str text = buf_str(&x->text);
	if (text.n == 0)
		return (struct cell){ .kind = CELL_EMPTY };
	switch (x->type) {
	case 's': return shared(x, text);
	case 'n': return number(x, text);
	case 'b': return (struct cell){ .kind = CELL_BOOL, .number = str_is(str_trim(text), "1") };
	case 'e': return (struct cell){ .kind = CELL_ERROR, .text = arena_str(x->row_arena, text) };
	default: return (struct cell){ .kind = CELL_TEXT, .text = xlsx_unescape(x->row_arena, text) };
	}
}

static void cell_end(struct xlsx *x)
{
	struct cell c = cell_of(x);
	if (c.kind == CELL_EMPTY)
		return; // a format without content may stand anywhere
	if (x->column >= LIMIT_SHEET_COLUMNS) {
		x->row_too_wide = true;
		xlsx_stop(x, ERR_TOO_LARGE);
		return;
	}
	while (x->ncells <= x->column)
		x->cells = arena_push(x->row_arena, x->cells, &x->ncells, &x->cap_cells, sizeof *x->cells);
	x->cells[x->column] = c;
}

static void sheet_end(void *arg, const XML_Char *raw)
{
	struct xlsx *x = arg;
	const char *name = xlsx_local(raw);
	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		x->in_text = false;
	else if (strcmp(name, "rPh") == 0)
		x->in_phonetic = false;
	else if (strcmp(name, "c") == 0)
		cell_end(x);
	else if (strcmp(name, "row") == 0 && !x->err) {
		x->row_done = true;
		XML_StopParser(x->running, XML_TRUE);
	}
}

void xlsx_sheet_begin(struct xlsx *x)
{
	xlsx_part_handlers(x, &x->sheet, sheet_start, sheet_end, xlsx_text);
}

enum err xlsx_sheet_next(void *self, struct arena *a, struct sheet_row *ret, struct problem *p)
{
	struct xlsx *x = self;
	*ret = (struct sheet_row){ 0 };
	x->row_arena = a;
	x->cells = NULL;
	x->ncells = x->cap_cells = 0;
	x->row_done = false;
	if (x->sheet.ended && !x->sheet.suspended)
		return OK;
	enum err err = xlsx_part_run(x, &x->sheet, p);
	if (err || !x->row_done)
		return err;
	if (x->row > LIMIT_XLSX_ROW)
		return problem_set(p, ERR_TOO_LARGE, "", "行数太多", "too many rows");
	xlsx_merges_fill(x);
	static struct cell nothing;
	*ret = (struct sheet_row){ .number = x->row, .cells = x->ncells ? x->cells : &nothing, .ncells = MAX(x->ncells, (size_t)1) };
	return OK;
}
