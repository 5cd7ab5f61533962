// Inside exchange/: an import at work.
#pragma once

#include <pthread.h>

#include "exchange/cell.h"
#include "exchange/import.h"
#include "flow/flow.h"

#define SLICE_ROWS 500      // rows made ready at a time
#define SLICE_US (10 * US_PER_MS) // of the writer's time in one job
#define SLICE_YIELD_US (3 * US_PER_MS) // after this much of it the job ends when somebody else waits for the writer

struct import {             // a row of table import
	int64_t id, person, file, rows, done, created, changed, unchanged, failed, errors, undone, kept, created_at, changed_at;
	struct str type, format, key, name, sm3, person_name, state, columns, message_zh, message_en;
	bool skip_errors, failed_run;
};

struct imports {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool stopping, woken;
};

// ---- import_columns.c: what the columns of the sheet are ----
struct import_column {
	const struct field *field; // NULL: not imported
	bool is_number, is_id;     // the common column number, the record's id: they only find records
	struct str label;          // as it stands in the sheet
	const char *why;           // not imported because: "unknown" "system" "comment"; NULL if it is
};
struct import_columns {
	struct import_column *v;
	size_t n;
	size_t key;                // index of the key's column; SIZE_MAX = none
	size_t matched;
};
// The heading is the row among the first ten that fits best; sheet_next goes on behind it.
enum err columns_read(struct sheet *sheet, const struct type *t, struct str key, struct arena *a, struct import_columns *ret,
                      struct problem *p) must_check;
// Is the field one by which a row can find its record? number, id, or a unique text.
bool import_key_ok(const struct type *t, struct str key);
struct str columns_json(const struct import_columns *c, const struct type *t, struct arena *a);
size_t columns_of_field(const struct import_columns *c, struct str field); // SIZE_MAX if none

// Has a job of an import that began at begun (monotonic us) had enough of the writer's time?
bool slice_is_over(struct db *db, int64_t begun);

// ---- import_rows.c: rows of the sheet made ready for flow ----
struct row_error {
	size_t column;             // SIZE_MAX = the row
	struct str field, zh, en, hint_zh, hint_en;
};
enum outcome { ROW_CREATED, ROW_CHANGED, ROW_UNCHANGED, ROW_FAILED };
struct import_line {
	uint32_t number;
	json_t *body;              // owned
	int64_t id;                // record to change; 0 = new one
	int64_t version;           // after it
	bool key_pending;          // changes a row of the same file that is not there yet (a check)
	size_t npending;           // fields that refer to such rows
	const struct field **pending;
	struct row_error *errors;
	size_t nerrors;
	enum outcome outcome;
	struct str number_after, title_after;
};
struct seen;                   // values of unique fields that rows of this file have used
struct source {                // the rows of one upload, as they come
	struct sheet *sheet;
	struct import_columns columns;
	const struct type *t;
	struct cell_reader cells;
	struct names *names;
	struct seen *seen;
	struct arena *arena;       // of the upload's whole life
	bool check;
	bool begun, own;           // own: rows may refer to rows above them
	bool ended;
	uint32_t rows;             // read so far
	bool held;                 // read, but it waits until the rows before it are records
	struct sheet_row held_row;
};
enum err source_open(struct source *s, const struct import *im, struct str bytes, const struct registry *reg,
                     const struct identity *by, bool check, struct problem *p) must_check;
void source_close(struct source *s);
// The next rows (at most SLICE_ROWS), those up to row `behind` only remembered. cells.db must be set. *ret_n 0: the end.
enum err source_next(struct source *s, uint32_t behind, struct arena *a, struct import_line *ret, size_t *ret_n,
                     struct problem *p) must_check;
void lines_free(struct import_line *v, size_t n);
void source_made(struct source *s, const struct import_line *line); // it is a record now (or would be)
void line_error(struct import_line *line, struct arena *a, size_t column, const struct problem *p);

// ---- import_apply.c: inside store jobs ----
struct slice {
	const struct registry *reg;
	const struct type *t;
	const struct identity *by;
	const struct import *im;
	const struct import_columns *columns;
	bool check;
	struct import_line *v;
	size_t n, done;            // done: rows of v that this and earlier jobs have dealt with
	size_t failed_at;          // SIZE_MAX, or the row that stopped a run
	struct arena *arena;       // of the results
};
store_job slice_job;           // arg: struct slice; does as many rows as fit into SLICE_US
struct undo_slice {
	const struct registry *reg;
	const struct type *t;
	const struct identity *by;
	const struct import *im;
	size_t done;               // out: 0 = nothing is left
};
store_job undo_job;

// ---- import_store.c: rows of table import ----
enum err import_get(struct db *db, int64_t id, struct arena *a, struct import *ret) must_check;
bool import_read(struct query *q, struct arena *a, struct import *ret); // the next row of a query over IMPORT_ROW
enum err import_set_state(struct db *db, const struct import *im, const char *state, bool skip_errors, bool failed_run,
                          const struct problem *why) must_check;
enum err import_reset(struct db *db, int64_t id, bool check) must_check;
enum err import_add_errors(struct db *db, int64_t import, const struct import_line *line, size_t *room) must_check;
