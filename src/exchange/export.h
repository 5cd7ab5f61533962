// A list as a table for spreadsheets: CSV (UTF-8 with mark) or XLSX, as many rows as the list has (LIMIT_EXPORT_ROWS), in
// one pass over the rows and in memory that does not grow with them. Both formats are made of the same columns.
#pragma once

#include "flow/flow.h"

enum export_format { EXPORT_NONE, EXPORT_CSV, EXPORT_XLSX };

struct export_request {
	struct store *store;
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	const struct identity *by;  // scope, masks and language are his
	const struct list_query *lq; // its page does not matter
	enum export_format format;
	bool en;                    // language of headings and labels
};

enum export_format export_format_of(struct str name); // "csv", "xlsx"
const char *export_mime(enum export_format f);
// The table as a file that has no name any more; the caller closes it.
enum err export_list(const struct export_request *rq, int *ret_fd, int64_t *ret_size, int64_t *ret_rows, struct problem *p) must_check;
