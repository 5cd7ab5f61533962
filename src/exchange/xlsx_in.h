// Inside exchange/: the reader of a workbook, shared by xlsx.c (parts, strings, styles) and xlsx_sheet.c (the rows).
#pragma once

#include <expat.h>
#include <zip.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/sheet.h"

struct arena;

struct part {               // a file of the workbook that is being parsed
	XML_Parser parser;
	zip_file_t *file;
	bool ended, suspended;
};

struct xlsx_merge {         // merged cells over several rows: the value of the first holds for all
	uint32_t first, last;   // rows
	size_t column;          // the first; others stay empty
	struct cell value;
};

struct xlsx {
	struct arena *arena;    // of what lives as long as the workbook
	zip_t *zip;
	uint64_t bytes;         // unpacked so far
	XML_Parser running;
	enum err err;           // why the parser was stopped
	// workbook and styles
	struct str sheet_rel, sheet_part;
	bool date1904, in_xfs;
	uint64_t *formats;      // ids of number formats that show a date
	size_t nformats, cap_formats;
	bool *styles;           // by index of cellXfs: shows a date
	size_t nstyles, cap_styles;
	// shared strings
	struct str *strings;
	size_t nstrings, cap_strings, string_bytes;
	struct buf text;        // what is being read
	bool in_text, in_phonetic;
	// the sheet
	struct part sheet;
	struct arena *row_arena;
	uint32_t row;
	bool row_done, row_too_wide;
	struct cell *cells;
	size_t ncells, cap_cells;
	size_t column;          // of the cell being read
	char type;              // of it: n s S(tr) i b e d
	bool date;
	bool in_value;
	// merged cells, by their first row; those the present row may be in
	struct xlsx_merge *merges;
	size_t nmerges, cap_merges, next_merge, merged_bytes;
	size_t active[LIMIT_SHEET_COLUMNS], nactive;
};

const char *xlsx_local(const char *name);   // without a namespace prefix
const char *xlsx_attr(const char **atts, const char *name); // NULL if absent
enum err xlsx_part_open(struct xlsx *x, const char *name, struct part *ret, struct problem *p) must_check; // ERR_NOT_FOUND
void xlsx_part_close(struct part *part);
void xlsx_part_handlers(struct xlsx *x, struct part *part, XML_StartElementHandler start, XML_EndElementHandler end,
                        XML_CharacterDataHandler text);
enum err xlsx_part_run(struct xlsx *x, struct part *part, struct problem *p) must_check;
void xlsx_stop(struct xlsx *x, enum err err);
void xlsx_text(void *arg, const XML_Char *s, int n);
struct str xlsx_unescape(struct arena *a, struct str s);
void xlsx_sheet_begin(struct xlsx *x);
enum err xlsx_sheet_next(void *self, struct arena *a, struct sheet_row *ret, struct problem *p) must_check;
bool xlsx_cell_ref(const char *ref, size_t *ret_column, uint32_t *ret_row); // "BC12" → column 54, row 12; false if it is none
enum err xlsx_merges_read(struct xlsx *x, const char *part, struct problem *p) must_check; // before the rows are read
void xlsx_merges_fill(struct xlsx *x);      // the row that was read takes what stands above it in its merged cells
