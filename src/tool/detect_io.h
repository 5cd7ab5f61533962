// Lines in and tables of numbers, for `anlan detect` and its benchmark.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "detect/rows.h"

struct lines {
	int fd;
	size_t number;  // of the line last given, from 1
	size_t used;    // bytes at the front of buf that were given
	bool ended;
	struct buf buf;
};

void lines_open(struct lines *l, int fd); // fd stays the caller's
void lines_close(struct lines *l);
// The next line that is not blank, without its end; valid until the next call. False at the end. ERR_TOO_LARGE, ERR_IO.
enum err lines_next(struct lines *l, struct str *ret, bool *ret_any, struct problem *p) must_check;

// A file of recorded values: n rows of `columns` numbers. A file of `columns` lines without a header that are all longer or shorter
// than that is a table on its side (a variable a line), as the Tennessee Eastman training file is. columns 0: as many as there are;
// with a header it is for the caller to find his by name. What is no number is a missing value.
struct recording {
	size_t rows, columns;
	double *values;     // rows x columns, in the arena
	const struct str *names; // of the columns; NULL without a header
	struct str *times;  // as they stand there, empty without a column of times
	size_t odd;         // rows in which something is no number, or not there
	double *anomaly;    // the column "anomaly", NULL if there is none; for judging a detector, never for it
};
enum err recording_load(struct recording *ret, struct arena *a, const char *path, bool one_value, size_t columns,
                        struct problem *p) must_check;
