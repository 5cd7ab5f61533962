// Data tables that come with the packs (packs/*/tables/NAME.csv): legal thresholds, published constants. Cells are text; the
// first line names the columns. Lines that begin with "# " before it say the source and are shown with the schema.
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct risk_table {
	struct str name;          // file name without .csv
	struct str source;        // the comment lines, joined
	struct str *columns;
	size_t n_columns;
	struct str *cells;        // rows × n_columns
	size_t n;                 // rows
};

struct risk_tables {
	struct risk_table *v;
	size_t n, cap;
};

// Reads CSV (RFC 4180, LF or CR LF). False: *ret_line is the line that is wrong (more or fewer cells, an open quote).
bool risk_table_parse(struct arena *a, struct str name, struct str text, struct risk_table *ret, unsigned *ret_line);
// Reads packs/PACK/tables/NAME.csv of every pack below the folder packs (a missing folder: no tables). All or nothing: false, and
// *ret_wrong is "path:line" of what cannot be read.
bool risk_tables_load(struct arena *a, const char *packs, struct risk_tables *ret, struct str *ret_wrong) must_check;
const struct risk_table *risk_table_find(const struct risk_tables *t, struct str name);
// "" if the column does not exist.
struct str risk_table_cell(const struct risk_table *t, size_t row, const char *column);
double risk_table_num(const struct risk_table *t, size_t row, const char *column); // NAN if empty or no number
// First row whose cell of the column is text (ASCII case ignored); -1: none.
int risk_table_row(const struct risk_table *t, const char *column, struct str text);
// As people write it: the cell of the column with blanks for its hyphens, or the Chinese name (column zh). -1: none.
int risk_table_row_said(const struct risk_table *t, const char *column, struct str text);
