// What is the same for CSV and XLSX: the row's arena, rows without content, the end.
#include "exchange/sheet.h"

#include "base/arena.h"

struct sheet {
	struct sheet_reader reader;
	struct arena *row;      // of the row handed out last
	bool ended;
};

void sheet_column_name(size_t column, char ret[4])
{
	char back[4];
	size_t n = 0;
	for (size_t c = column + 1; c > 0 && n < 3; c = (c - 1) / 26)
		back[n++] = (char)('A' + (c - 1) % 26);
	for (size_t i = 0; i < n; i++)
		ret[i] = back[n - 1 - i];
	ret[n] = 0;
}

enum err sheet_open(struct sheet **ret, enum sheet_format format, struct str bytes, struct problem *p)
{
	struct sheet_reader reader = { 0 };
	if (bytes.n == 0)
		return problem_set(p, ERR_INVALID, "", "文件是空的", "the file is empty");
	enum err err = format == SHEET_XLSX ? xlsx_open(&reader, bytes, p) : csv_open(&reader, bytes, p);
	if (err)
		return err;
	struct sheet *s = mem_alloc(sizeof *s);
	s->reader = reader;
	s->row = arena_new(16 << 10);
	*ret = s;
	return OK;
}

static bool is_blank(const struct sheet_row *r)
{
	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].kind != CELL_EMPTY && !(r->cells[i].kind == CELL_TEXT && str_trim(r->cells[i].text).n == 0))
			return false;
	return true;
}

enum err sheet_next(struct sheet *s, struct sheet_row *ret, struct problem *p)
{
	*ret = (struct sheet_row){ 0 };
	while (!s->ended) {
		arena_reset(s->row);
		enum err err = s->reader.next(s->reader.self, s->row, ret, p);
		s->ended = err || ret->number == 0;
		if (err)
			return err;
		if (ret->number && !is_blank(ret))
			return OK;
	}
	*ret = (struct sheet_row){ 0 };
	return OK;
}

void sheet_close(struct sheet *s)
{
	if (!s)
		return;
	s->reader.close(s->reader.self);
	arena_free(s->row);
	mem_free(s);
}
