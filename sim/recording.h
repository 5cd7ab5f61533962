// A recording to be replayed: rows of numbers at an even pace. Text files in packs/*/demo/recordings/: remarks (#), a line
// "columns N N …" that names them, then a row a line.
#pragma once

#include "base/arena.h"
#include "base/base.h"

#define RECORDING_MAX_COLUMNS 16

struct recording {
	int columns[RECORDING_MAX_COLUMNS];
	size_t ncolumns;
	double *values;      // nrows × ncolumns
	size_t nrows;
};

// dir: the packs folder. False with a line on the log if it cannot be read; what needs it is then left out.
bool recording_load(struct recording *r, struct arena *a, const char *dir, const char *name);
// Value of a named column at a row (clamped to the last); NaN if there is no such column.
double recording_value(const struct recording *r, size_t row, int column);
