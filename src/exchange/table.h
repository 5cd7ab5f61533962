// A small table of texts as CSV or XLSX: indicators, reports. Any thread.
#pragma once

#include "exchange/export.h"

struct table_text {
	const struct str *cells;    // row by row, the first row is the heading
	size_t rows, columns;
	size_t numbers_from, numbers_to; // columns whose texts are numbers, the last included
};
// A quoted cell of CSV; what a spreadsheet would run as a formula gets an apostrophe in front.
void table_csv_text(struct buf *b, struct str s);
void table_csv_row(struct buf *b, const struct str *cells, size_t n); // of such cells, with its end of line
// As a file that has no name any more; the caller closes it.
enum err table_export(struct store *s, const struct table_text *t, enum export_format format, int *ret_fd, int64_t *ret_size,
                      struct problem *p) must_check;
