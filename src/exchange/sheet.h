// A table that somebody hands in: rows of cells out of a CSV text or the first sheet of an XLSX workbook, one row at a
// time, in memory that does not grow with the file (an XLSX's shared strings excepted; they are bounded). What a cell
// means for a field is cell.c's business. One thread a sheet.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

enum sheet_format { SHEET_CSV, SHEET_XLSX };

enum cell_kind {
	CELL_EMPTY,
	CELL_TEXT,
	CELL_NUMBER,
	CELL_SERIAL, // a number that the workbook shows as a date or time: days since 1899-12-30
	CELL_BOOL,   // number is 0 or 1
	CELL_ERROR,  // "#REF!" and its like in text
};

struct cell {
	enum cell_kind kind;
	struct str text;   // CELL_TEXT, CELL_ERROR; valid UTF-8
	double number;     // CELL_NUMBER, CELL_SERIAL, CELL_BOOL
};

struct sheet_row {
	uint32_t number;   // as a spreadsheet counts them, from 1
	struct cell *cells;
	size_t ncells;     // 0: the end of the sheet
};

struct sheet;

// bytes must live until sheet_close. ERR_PARSE, ERR_TOO_LARGE, ERR_UNSUPPORTED (encrypted) say in p what to do.
enum err sheet_open(struct sheet **ret, enum sheet_format format, struct str bytes, struct problem *p) must_check;
// The next row that has anything in it; its memory lives until the next call. At the end ncells is 0.
enum err sheet_next(struct sheet *s, struct sheet_row *ret, struct problem *p) must_check;
void sheet_close(struct sheet *s); // NULL is fine

// "A", "Z", "AA" … for column 0, 25, 26; at most 3 letters. Not NUL-terminated beyond.
void sheet_column_name(size_t column, char ret[4]);

// Inside exchange/: the two readers.
struct arena;
struct sheet_reader {
	enum err (*next)(void *self, struct arena *a, struct sheet_row *ret, struct problem *p);
	void (*close)(void *self);
	void *self;
};
enum err csv_open(struct sheet_reader *ret, struct str bytes, struct problem *p) must_check;
enum err xlsx_open(struct sheet_reader *ret, struct str bytes, struct problem *p) must_check;
