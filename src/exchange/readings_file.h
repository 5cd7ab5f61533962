// Readings of some points and a time as one file to take away: CSV (UTF-8 with mark; time, point, value, quality) or
// Parquet. Memory does not grow with it. Any one thread.
#pragma once

#include "exchange/export.h"
#include "series/series.h"

enum readings_format { READINGS_CSV, READINGS_PARQUET };

struct readings_request {
	struct store *store;
	struct series *series;
	const uint32_t *points;
	const struct str *codes;     // what the points are called in it
	size_t npoints;
	int64_t from, to;            // us
	size_t max;                  // readings; more is ERR_TOO_LARGE
	enum readings_format format;
	bool en;                     // language of the heading and of qualities in CSV
};
// As a file that has no name any more; the caller closes it.
enum err readings_file(const struct readings_request *rq, int *ret_fd, int64_t *ret_size, struct problem *p) must_check;
