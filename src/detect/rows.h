// Rows of measured values as lines of text, one at a time as they arrive (exchange/sheet.h wants the whole file): comma,
// semicolon, tab or bar, or white space if the first line has none of them; a decimal point, or a decimal comma where the comma does not
// separate; a header or none; cells in quotes or not; a separator at the end or not. The first
// line and the first row say what the columns are. Pure, any thread.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#define ROWS_VALUES_MAX 128
#define ROWS_CELLS_MAX 160
#define ROWS_NONE SIZE_MAX

struct rows {
	char separator;               // ' ': white space
	bool headed;
	size_t cells;                 // of every line
	size_t time;                  // its column, ROWS_NONE: the number of the row is the time
	bool time_named;              // its name says so; else it was concluded
	size_t clock;                 // column of the time of day, if `time` holds only dates; else ROWS_NONE
	size_t nvalues;
	size_t value[ROWS_VALUES_MAX]; // columns
	struct str name[ROWS_CELLS_MAX]; // of a column; "x1" … without a header
	size_t nlabels;
	size_t label[ROWS_CELLS_MAX]; // columns that say what is to be found (anomaly, changepoint, …): never read
	size_t nskipped;
	size_t skipped[ROWS_CELLS_MAX]; // further times and numbers of rows: not read
	size_t odd;                   // of the row last read: the first column whose cell is no number, or is not there; ROWS_NONE: none
	struct str odd_text;          // that cell, points into the line
};

// The next cell of a line, *rest moves behind it; false at the end. Without the white space and quotes around it.
bool rows_cell(struct str *rest, char separator, struct str *ret);
// The first line: header (then it is not a row) or row. one_value: a single column of values is wanted, the one called
// "value" or the first. Names are copied into a. ERR_INVALID, ERR_TOO_LARGE with line and column in p.
enum err rows_begin(struct rows *r, struct arena *a, struct str line, bool one_value, struct problem *p) must_check;
// The first row behind a header, before it is read: what looks like a moment there is no column of values but the time, if no
// column is called so; so is the first column if its name says nothing and it begins with a whole number.
// Without a header it does nothing. ERR_INVALID, ERR_TOO_LARGE.
enum err rows_settle(struct rows *r, struct str line, bool one_value, struct problem *p) must_check;
// A row: its time as it stands there (empty without such a column; [1]: the time of day beside a date) and nvalues numbers; NaN for
// an empty cell, NaN, null, NA, - and the like, for infinities, and for what is no number or is not there: then r->odd says where.
// ERR_INVALID if there are more cells than columns. number: of the line, from 1, for messages.
enum err rows_read(struct rows *r, struct str line, size_t number, struct str ret_time[2], double *ret, struct problem *p) must_check;
// A cell as a number.
bool rows_number(struct str cell, double *ret);
