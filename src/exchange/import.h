// Imports: a table that somebody uploads becomes records, checked first, in slices of the writer's time, undone on wish.
//
// The life of an import: checking → checked → running → done → undoing → undone. A file that cannot be read at all, and a
// run in which a row failed without skip_errors (all of it is taken back), end in failed. Every row goes through flow/ as if
// its author had typed it: rights, scope, rules, numbering and audit hold. What became of a row is written in the
// transaction that made it, so after a crash the work goes on behind the last row that is done.
//
// One thread of its own does the work, one import at a time; any thread may call what is below.
#pragma once

#include "auth/auth.h"
#include "base/jw.h"
#include "model/model.h"
#include "store/files.h"

struct imports;

// Goes on with what a crash interrupted. At most LIMIT_FILE_BYTES of an upload are in memory while it is worked on.
enum err imports_open(struct imports **ret, struct store *s, struct problem *p) must_check;
void imports_close(struct imports *im); // the slice at work is finished; NULL is fine

struct import_request {
	struct str type, format; // format: "csv", "xlsx" or empty = by the bytes
	struct str key;          // field by whose value a row finds the record it changes; empty = every row is new
	struct str name;         // of the file, with .csv or .xlsx behind
	struct file_in *file;    // the upload, not ended; its content is kept with the import
};
enum err imports_add(struct imports *im, const struct registry *reg, const struct identity *by, const struct import_request *rq,
                     struct arena *a, int64_t *ret_id, struct problem *p) must_check;
// Only who uploaded it. ERR_CONFLICT in another state, and when rows are wrong and skip_errors is false.
enum err imports_run(struct imports *im, int64_t id, bool skip_errors, const struct identity *by, struct problem *p) must_check;
// Retires what the import created and puts back what it changed, except what somebody has changed since.
enum err imports_undo(struct imports *im, int64_t id, const struct identity *by, struct problem *p) must_check;
// As JSON: one with its columns and a page of what is wrong, or the newest ones of the caller. ERR_NOT_FOUND.
enum err imports_json(struct jw *w, struct db *db, int64_t id, int64_t page, const struct identity *by, struct arena *a) must_check;
enum err imports_list_json(struct jw *w, struct db *db, const struct identity *by, struct arena *a) must_check;
// An empty table to fill in. xlsx: with lists to choose from and a sheet that explains every column.
enum err template_write(struct buf *out, const struct registry *reg, const struct type *t, bool en, bool xlsx,
                        struct problem *p) must_check;
