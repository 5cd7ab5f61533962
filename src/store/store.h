// The only SQL of the product. One writer thread owns the one read-write connection and runs jobs in the order
// they arrive, many jobs in one transaction (each under a savepoint of its own), commits with a full sync, and
// only then tells the callers. Readers use read-only connections from a pool and see the last committed state.
//
// SQL text lives in a closed catalogue (store/sql/*.def, one file a user module, addressed by enum stmt) and in
// store/records.c, which forms statements for record types from checked identifiers. Values are always bound.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

struct arena;
struct store;
struct db; // one connection, owned by the thread that uses it for the time of a job or a read

enum stmt {
#define STMT(name, sql) STMT_##name,
#include "store/sql/catalogue.def"
#undef STMT
	STMT__MAX
};

// Opens or creates DIR/anlan.db, applies migrations, starts the writer thread.
enum err store_open(struct store **ret, const char *dir, struct problem *p) must_check;
void store_close(struct store *s); // finishes queued jobs; NULL is fine
struct str store_dir(const struct store *s); // the data folder, as given; lives as long as the store

// A job runs in the writer thread inside a transaction. If it returns an error, its own changes (and only those)
// are undone. p (never NULL) lives until the call that posted the job returns or its done has run.
typedef enum err store_job(struct db *db, void *arg, struct problem *p);
// Runs the job and waits until it is on disk. Any thread but the writer.
enum err store_write(struct store *s, store_job *job, void *arg, struct problem *p) must_check;
// Folds the write-ahead log back into the file and empties it, so that nothing that was overwritten is left in it. At start.
enum err store_fold(struct store *s) must_check;
// Queues the job; done (may be NULL) is called in the writer thread after the commit. arg must live until then.
void store_post(struct store *s, store_job *job, void *arg, void (*done)(void *arg, enum err err));

struct histogram;
// Jobs that wait now, and how long jobs have waited for the writer. Any thread; valid until store_close.
size_t store_queue(struct store *s, const struct histogram **ret_waits);

// Inside a job: memory that lives until every callback of this commit has run, and a callback in the writer thread
// after the commit (in the order of the calls, before the job's done). A job that fails calls back nothing.
struct arena *db_arena(struct db *db);
void db_after_commit(struct db *db, void (*fn)(void *arg), void *arg);
// Inside a job: a part of it that may be taken back alone (a row of many). Parts do not nest. After keep = false its
// changes and callbacks are gone; the job goes on.
struct db_part { void *after; };
enum err db_part_begin(struct db *db, struct db_part *part) must_check;
enum err db_part_end(struct db *db, struct db_part *part, bool keep) must_check;
// Inside a job that may leave the rest of its work to another: does anybody wait for the writer?
bool db_others_wait(struct db *db);
// Inside a job: the enclosing store, for store_post from a callback. NULL on a reader.
struct store *db_store(struct db *db);

// A read-only connection for this thread, in one snapshot (from its first query on) until given back. Never NULL; if
// no connection can be had, its queries end in ERR_UNAVAILABLE. Waits while all STORE_READERS are out.
struct db *store_read_begin(struct store *s);
void store_read_end(struct store *s, struct db *db);

// One running statement. After an error the rest is ignored and query_end returns it.
//   struct query q;
//   query_begin(&q, db, STMT_USER_BY_NAME); query_str(&q, 1, name);
//   while (query_row(&q)) id = query_get_i64(&q, 0);
//   return query_end(&q);
struct query {
	struct db *db;
	void *stmt; // sqlite3_stmt
	enum err err;
	bool own;   // not from the cache: the cached one was running already
	int slot;   // in the connection's cache
};
void query_begin(struct query *q, struct db *db, enum stmt stmt);
void query_i64(struct query *q, int col, int64_t v);
void query_f64(struct query *q, int col, double v);
void query_str(struct query *q, int col, struct str v);    // not copied: must live until query_end
void query_blob(struct query *q, int col, struct str v);
void query_null(struct query *q, int col);
bool query_row(struct query *q) must_check;
enum err query_end(struct query *q); // resets; ERR_CONFLICT on a violated unique or foreign key, ERR_FULL on a full disk
bool query_is_null(struct query *q, int col);
int64_t query_get_i64(struct query *q, int col);
double query_get_f64(struct query *q, int col);
struct str query_get_str(struct query *q, int col, struct arena *a); // copied into a
enum err query_run(struct query *q) must_check; // no rows expected: step + end
int64_t db_last_id(struct db *db);   // rowid of the last insert
int64_t db_changes(struct db *db);   // rows changed by the last statement
bool db_is_writer(const struct db *db);
// After ERR_CONFLICT: the column of the unique index that refused, or empty. Valid until the next statement.
struct str db_conflict_column(const struct db *db);
