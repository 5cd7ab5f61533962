// One SQLite connection with its statement caches: what the files of store/ share and nobody else includes.
// A connection is used by one thread at a time (opened without SQLite's own mutex).
#pragma once

#include <sqlite3.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "store/store.h"

#define DB_DYNAMIC_MAX 512  // statements formed by records.c that one connection keeps prepared

struct after_commit {
	void (*fn)(void *arg);
	void *arg;
	struct after_commit *next;
};

struct dynamic {            // a statement formed at run time from checked identifiers
	sqlite3_stmt *stmt;
	bool in_use;
};

struct db {
	sqlite3 *h;             // NULL: could not be opened; every query ends in ERR_UNAVAILABLE
	struct store *store;
	bool writer;
	bool migrating;         // the authorizer lets tables be altered
	struct arena *arena;    // writer: of the running batch
	struct after_commit *after_first, *after_last; // of the running job
	sqlite3_stmt *stmts[STMT__MAX];
	bool in_use[STMT__MAX];
	int open_queries;       // begun and not ended
	struct dynamic *dyn;
	size_t ndyn;
	struct strmap *dyn_map; // SQL text → index into dyn
	char conflict[64];      // column of the last violated unique index
	struct db *next;        // in the pool …
	int64_t returned;       // … since, clock_mono
};

// Opens DIR/anlan.db; writer creates it. *ret is always set and must be closed.
enum err db_open(struct db **ret, struct store *s, const char *path, bool writer) must_check;
void db_close(struct db *db); // NULL is fine
// Runs statements without parameters or rows.
void sql_admits(sqlite3_context *cx, int argc, sqlite3_value **argv); // scope.c
enum err db_exec(struct db *db, const char *sql) must_check;
// What the connection keeps of the file is freed; it is read again when it is needed.
void db_forget_pages(struct db *db);
// Ends whatever transaction is open, changes undone.
void db_rollback(struct db *db);
// From SQLite's result code; remembers the column of a conflict.
enum err db_error(struct db *db, int rc);
// As query_begin, for SQL formed from checked identifiers.
void query_begin_sql(struct query *q, struct db *db, struct str sql);
bool store_is_closing(struct store *s);
struct images;
struct images *store_images(struct store *s); // NULL while opening and closing
// Resets what a job has left running; true if there was any.
bool db_reset_queries(struct db *db);

// A value of the running row without converting what it is: false if there is none (NULL). Half the calls into SQLite of
// query_is_null and query_get_*, which counts where rows come by the million.
bool query_cell_i64(struct query *q, int col, int64_t *ret);
bool query_cell_f64(struct query *q, int col, double *ret);
bool query_cell_str(struct query *q, int col, struct arena *a, struct str *ret); // copied into a
