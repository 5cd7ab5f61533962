// A CSV of readings, read a slice at a time: memory does not grow with the file. Columns, by their headings: time, point,
// value and perhaps quality; or time and a column for each point, headed by its code. Any one thread.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "bus/reading.h"

struct readings_in {
	int fd;
	void *arg;
	bool (*point)(void *arg, struct str code, uint32_t *ret); // false: none of this code
	// A batch, in the order of the file; the memory is the reader's. An error ends the reading with it.
	enum err (*take)(void *arg, struct reading *v, size_t n);
	// A row, or a cell of it, that is left out; row as spreadsheets count, column: its heading.
	void (*wrong)(void *arg, uint64_t row, struct str column, const char *zh, const char *en);
	int64_t now;          // UTC us: what is further ahead than LIMIT_READING_FUTURE_S is wrong
};
// OK: everything was read, rows that are wrong were told. Otherwise the file as a whole cannot be read on, p says why; what
// was taken before stays taken. ret_rows: rows behind the heading.
enum err readings_in_read(const struct readings_in *in, uint64_t *ret_rows, struct problem *p) must_check;
