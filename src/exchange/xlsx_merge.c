// Merged cells of an XLSX sheet: what stands in the uppermost holds for the rows below it, as people mean it who write the name of
// an enterprise once beside five of its rows. The ranges stand behind the rows in the file, so the part is looked through
// once before; only ranges over several rows count, and only their first column.
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/xlsx_in.h"

#define CHUNK 65536
#define CARRY 64            // a range's element is shorter: <mergeCell ref="XFD1048576:XFD1048576"/>

static void range_add(struct xlsx *x, const char *ref, size_t n)
{
	struct xlsx_merge m = { .value = { .kind = CELL_EMPTY } };
	char first[12] = "", last[12] = "";
	const char *colon = memchr(ref, ':', n);
	size_t head = colon ? (size_t)(colon - ref) : 0, column;
	if (!colon || head >= sizeof first || n - head - 1 >= sizeof last || x->nmerges >= LIMIT_XLSX_MERGES)
		return;
	memcpy(first, ref, head);
	memcpy(last, colon + 1, n - head - 1);
	if (!xlsx_cell_ref(first, &m.column, &m.first) || !xlsx_cell_ref(last, &column, &m.last))
		return;
	if (m.last <= m.first || m.column >= LIMIT_SHEET_COLUMNS)
		return;
	x->merges = arena_push(x->arena, x->merges, &x->nmerges, &x->cap_merges, sizeof *x->merges);
	x->merges[x->nmerges - 1] = m;
}

static void ranges_in(struct xlsx *x, const char *p, size_t n)
{
	static const char word[] = "mergeCell ref=\"";
	for (const char *end = p + n, *at; (at = memmem(p, (size_t)(end - p), word, sizeof word - 1)) != NULL;) {
		const char *ref = at + sizeof word - 1, *quote = memchr(ref, '"', MIN((size_t)(end - ref), (size_t)CARRY));
		if (!quote) // it goes on in the next chunk, or is none
			return;
		range_add(x, ref, (size_t)(quote - ref));
		p = quote;
	}
}

static int by_first_row(const void *a, const void *b)
{
	const struct xlsx_merge *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

enum err xlsx_merges_read(struct xlsx *x, const char *part, struct problem *p)
{
	struct part s = { 0 };
	struct arena *a on_scope_exit(arena_freep) = arena_new(CHUNK + CARRY + 256);
	char *text = arena_alloc(a, CHUNK + CARRY);
	size_t kept = 0;
	uint64_t bytes = 0;
	enum err err = xlsx_part_open(x, part, &s, p);
	for (zip_int64_t n = 1; !err && n > 0 && bytes <= LIMIT_XLSX_BYTES;) { // what is wrong with the part is told when its rows are read
		n = zip_fread(s.file, text + kept, CHUNK);
		size_t all = kept + (size_t)MAX(n, (zip_int64_t)0);
		bytes += (uint64_t)MAX(n, (zip_int64_t)0);
		ranges_in(x, text, all);
		kept = MIN(all, (size_t)CARRY);
		memmove(text, text + all - kept, kept);
		char *whole = memrchr(text, '>', kept); // what ends before it has been seen
		if (whole)
			memset(text, ' ', (size_t)(whole - text));
	}
	xlsx_part_close(&s);
	if (x->nmerges > 1)
		qsort(x->merges, x->nmerges, sizeof *x->merges, by_first_row);
	return err == ERR_NOT_FOUND ? OK : err;
}

static struct cell kept_cell(struct xlsx *x, struct cell c)
{
	x->merged_bytes += c.kind == CELL_TEXT ? c.text.n : 0;
	if (x->merged_bytes > LIMIT_XLSX_STRINGS)
		return (struct cell){ .kind = CELL_EMPTY };
	if (c.kind == CELL_TEXT)
		c.text = arena_str(x->arena, c.text);
	return c;
}

static bool has_own(const struct xlsx *x)
{
	for (size_t i = 0; i < x->ncells; i++)
		if (x->cells[i].kind != CELL_EMPTY)
			return true;
	return false;
}

void xlsx_merges_fill(struct xlsx *x)
{
	size_t kept = 0;
	bool own = has_own(x); // a row with nothing of its own stays empty
	for (; x->next_merge < x->nmerges && x->merges[x->next_merge].first <= x->row; x->next_merge++)
		if (x->nactive < LIMIT_SHEET_COLUMNS)
			x->active[x->nactive++] = x->next_merge;
	for (size_t i = 0; i < x->nactive; i++) {
		struct xlsx_merge *m = &x->merges[x->active[i]];
		if (m->last < x->row)
			continue;
		x->active[kept++] = x->active[i];
		if (m->first == x->row && m->column < x->ncells) {
			m->value = kept_cell(x, x->cells[m->column]);
		} else if (m->first < x->row && own && m->value.kind != CELL_EMPTY) {
			while (x->ncells <= m->column)
				x->cells = arena_push(x->row_arena, x->cells, &x->ncells, &x->cap_cells, sizeof *x->cells);
			if (x->cells[m->column].kind == CELL_EMPTY)
				x->cells[m->column] = m->value;
		}
	}
	x->nactive = kept;
}
