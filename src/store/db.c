// One SQLite connection: opening with the right pragmas, the authorizer, statement caches, result codes. Called by
// the writer thread on its own connection and by reader threads on the one they hold.
#include "store/db.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/pinyin.h"
#include "base/uscc.h"

#define BUSY_MS 10000       // a command line tool may hold the write lock for the time of its one transaction

static const char *const catalogue[] = {
#define STMT(name, sql) [STMT_##name] = sql,
#include "store/sql/catalogue.def"
#undef STMT
};

// ---- second line of defence --------------------------------------------------------------------
// Asked when a statement is prepared. Readers cannot write whatever the statement says; nobody rewrites the audit;
// tables are altered only while the store migrates.

static int reader_authorizer(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)arg, (void)b, (void)c, (void)d;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
		return SQLITE_OK;
	case SQLITE_PRAGMA:
		return a && strcmp(a, "table_info") == 0 ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static int writer_authorizer(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
	const struct db *db = arg;
	(void)b, (void)c, (void)d;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_INSERT:
		return SQLITE_OK;
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return strcmp(a, "audit") == 0 ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return strcmp(a, "table_info") == 0 || strcmp(a, "index_list") == 0 || strcmp(a, "schema_version") == 0 ||
		               strcmp(a, "wal_checkpoint") == 0 ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		return SQLITE_DENY;
	default: // CREATE, DROP, ALTER, REINDEX, ANALYZE
		return db->migrating ? SQLITE_OK : SQLITE_DENY;
	}
}

// holds(text, part): does the part occur in the text, byte for byte? SQLite's instr goes character by character and is
// several times slower. NULL holds nothing.
static void sql_holds(sqlite3_context *cx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const unsigned char *text = sqlite3_value_text(argv[0]), *part = sqlite3_value_text(argv[1]);
	bool found = text && part && memmem(text, (size_t)sqlite3_value_bytes(argv[0]), part, (size_t)sqlite3_value_bytes(argv[1]));
	sqlite3_result_int(cx, found);
}

// finds(text, word): does the word occur in the text, or in the initials of its Chinese characters? NULL holds nothing.
static void sql_finds(sqlite3_context *cx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const char *text = (const char *)sqlite3_value_text(argv[0]), *word = (const char *)sqlite3_value_text(argv[1]);
	if (!text || !word) {
		sqlite3_result_int(cx, 0);
		return;
	}
	struct str t = str_from(text, (size_t)sqlite3_value_bytes(argv[0])), w = str_from(word, (size_t)sqlite3_value_bytes(argv[1]));
	bool found = w.n == 0 || memmem(t.p, t.n, w.p, w.n) != NULL;
	if (!found && pinyin_letters(w)) {
		struct buf b;
		buf_init(&b, 1 << 20);
		pinyin_initials(t, &b);
		found = b.n >= w.n && memmem(b.p, b.n, w.p, w.n) != NULL;
		buf_free(&b);
	}
	sqlite3_result_int(cx, found);
}

// code_fits(text): is it a unified social credit code whose check character fits? NULL is none.
static void sql_code_fits(sqlite3_context *cx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	sqlite3_result_int(cx, text && uscc_ok(str_from(text, (size_t)sqlite3_value_bytes(argv[0]))));
}

// ---- opening -----------------------------------------------------------------------------------
static enum err db_prepare_connection(struct db *db)
{
	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, BUSY_MS);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DML, 0, NULL); // a mistyped column is an error, not a text
	// A reader keeps little: after a change of the file it reads again anyway, and there may be STORE_READERS of them.
	// The log is folded back into the file every 4,000 pages (16 MiB; by checkpoint.c when it runs) and shrunk to that size afterwards.
	const char *sql = db->writer ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
	                               "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=16777216; PRAGMA secure_delete=ON;"
	                               "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA recursive_triggers=ON"
	                             : "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048";
	enum err err = db_exec(db, sql);
	if (!err)
		err = db_error(db, sqlite3_create_function_v2(db->h, "holds", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
		                                              NULL, sql_holds, NULL, NULL, NULL));
	if (!err)
		err = db_error(db, sqlite3_create_function_v2(db->h, "finds", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
		                                              NULL, sql_finds, NULL, NULL, NULL));
	if (!err)
		err = db_error(db, sqlite3_create_function_v2(db->h, "code_fits", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
		                                              NULL, sql_code_fits, NULL, NULL, NULL));
	if (!err)
		err = db_error(db, sqlite3_create_function_v2(db->h, "admits", 6, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
		                                              NULL, sql_admits, NULL, NULL, NULL));
	if (!err)
		sqlite3_set_authorizer(db->h, db->writer ? writer_authorizer : reader_authorizer, db);
	return err;
}

enum err db_open(struct db **ret, struct store *s, const char *path, bool writer)
{
	struct db *db = mem_alloc(sizeof(*db));
	*ret = db;
	db->store = s;
	db->writer = writer;
	db->dyn_map = strmap_new(64);
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
	            (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
	int rc = sqlite3_open_v2(path, &db->h, flags, NULL);
	enum err err = rc == SQLITE_OK ? db_prepare_connection(db) : db_error(db, rc);
	if (err) {
		sqlite3_close_v2(db->h);
		db->h = NULL;
	}
	return err;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < STMT__MAX; i++)
		sqlite3_finalize(db->stmts[i]);
	for (size_t i = 0; i < db->ndyn; i++)
		sqlite3_finalize(db->dyn[i].stmt);
	mem_free(db->dyn);
	strmap_free(db->dyn_map);
	if (db->h)
		sqlite3_close_v2(db->h);
	mem_free(db);
}

// ---- result codes ------------------------------------------------------------------------------
// "UNIQUE constraint failed: r_person.login" → login; of several columns the last.
static void remember_conflict(struct db *db)
{
	struct str text = str_of(sqlite3_errmsg(db->h));
	size_t dot = text.n;
	while (dot > 0 && text.p[dot - 1] != '.')
		dot--;
	struct str column = str_skip(text, dot);
	if (dot == 0 || column.n >= sizeof(db->conflict))
		column = STR_EMPTY;
	memcpy(db->conflict, column.p, column.n);
	db->conflict[column.n] = 0;
}

static bool errno_is_full(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

// SQLite says "full" only for ENOSPC at a write; a quota and the limit of file sizes come as I/O errors.
static bool disk_is_full(struct db *db)
{
	if (!db->h)
		return false;
	static const int files[] = { SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		sqlite3_file *file = NULL;
		int e = 0;
		if (sqlite3_file_control(db->h, "main", files[i], &file) == SQLITE_OK && file && file->pMethods &&
		    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &e) == SQLITE_OK && errno_is_full(e))
			return true;
	}
	return errno_is_full(sqlite3_system_errno(db->h));
}

static enum err constraint_error(struct db *db, int rc)
{
	if (rc == SQLITE_CONSTRAINT_CHECK || rc == SQLITE_CONSTRAINT_NOTNULL || rc == SQLITE_CONSTRAINT_DATATYPE)
		return ERR_INVALID;
	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		remember_conflict(db);
	return ERR_CONFLICT;
}

enum err db_error(struct db *db, int rc)
{
	db->conflict[0] = 0;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_CONSTRAINT:
		return constraint_error(db, rc);
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return disk_is_full(db) ? ERR_FULL : ERR_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
	case SQLITE_SCHEMA:
		return ERR_UNAVAILABLE;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	case SQLITE_NOMEM:
		log_die("store", "out of memory in SQLite");
	default: // a statement of ours is wrong
		log_error("store", "SQLite %d: %s", rc, db->h ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc));
		return ERR_BUG;
	}
}

enum err db_exec(struct db *db, const char *sql)
{
	if (!db->h)
		return ERR_UNAVAILABLE;
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? OK : db_error(db, rc);
}

void db_forget_pages(struct db *db)
{
	if (db->h)
		sqlite3_db_release_memory(db->h);
}

void db_rollback(struct db *db)
{
	// After some errors SQLite has rolled back already; what matters is that nothing stays open.
	if (db->h && !sqlite3_get_autocommit(db->h))
		sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
}

// ---- queries -----------------------------------------------------------------------------------
#define SLOT_NONE (-1)

static sqlite3_stmt *db_prepare(struct db *db, struct str sql, unsigned flags, enum err *ret_err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v3(db->h, sql.p, (int)sql.n, flags, &stmt, NULL);
	*ret_err = rc == SQLITE_OK ? OK : db_error(db, rc);
	return stmt;
}

static bool query_start(struct query *q, struct db *db)
{
	*q = (struct query){ .db = db, .slot = SLOT_NONE, .err = db->h ? OK : ERR_UNAVAILABLE };
	db->open_queries++;
	return db->h != NULL;
}

void query_begin(struct query *q, struct db *db, enum stmt stmt)
{
	if (!query_start(q, db))
		return;
	assert(stmt < STMT__MAX);
	struct str sql = str_of(catalogue[stmt]);
	if (db->in_use[stmt]) {
		q->own = true;
		q->stmt = db_prepare(db, sql, 0, &q->err);
		return;
	}
	if (!db->stmts[stmt])
		db->stmts[stmt] = db_prepare(db, sql, SQLITE_PREPARE_PERSISTENT, &q->err);
	q->stmt = db->stmts[stmt];
	q->slot = (int)stmt;
	db->in_use[stmt] = q->stmt != NULL;
}

// Forgets all prepared dynamic statements that are not running; false if any is.
static bool dynamic_clear(struct db *db)
{
	for (size_t i = 0; i < db->ndyn; i++)
		if (db->dyn[i].in_use)
			return false;
	for (size_t i = 0; i < db->ndyn; i++)
		sqlite3_finalize(db->dyn[i].stmt);
	db->ndyn = 0;
	strmap_free(db->dyn_map);
	db->dyn_map = strmap_new(64);
	return true;
}

// A place in the cache for this text; false if it has to be prepared for this once.
static bool dynamic_slot(struct db *db, struct str sql, uint32_t *ret, enum err *ret_err)
{
	if (strmap_get(db->dyn_map, sql, ret))
		return !db->dyn[*ret].in_use;
	if (db->ndyn == DB_DYNAMIC_MAX && !dynamic_clear(db))
		return false;
	if (!db->dyn)
		db->dyn = mem_alloc(DB_DYNAMIC_MAX * sizeof(*db->dyn));
	sqlite3_stmt *stmt = db_prepare(db, sql, SQLITE_PREPARE_PERSISTENT, ret_err);
	if (!stmt)
		return false;
	*ret = (uint32_t)db->ndyn++;
	db->dyn[*ret] = (struct dynamic){ .stmt = stmt };
	strmap_put(db->dyn_map, sql, *ret);
	return true;
}

void query_begin_sql(struct query *q, struct db *db, struct str sql)
{
	if (!query_start(q, db))
		return;
	uint32_t slot;
	if (dynamic_slot(db, sql, &slot, &q->err)) {
		db->dyn[slot].in_use = true;
		q->stmt = db->dyn[slot].stmt;
		q->slot = STMT__MAX + (int)slot;
	} else if (!q->err) {
		q->own = true;
		q->stmt = db_prepare(db, sql, 0, &q->err);
	}
}

static void query_bound(struct query *q, int rc)
{
	if (rc != SQLITE_OK && !q->err)
		q->err = db_error(q->db, rc);
}

void query_i64(struct query *q, int col, int64_t v)
{
	if (!q->err)
		query_bound(q, sqlite3_bind_int64(q->stmt, col, v));
}

void query_f64(struct query *q, int col, double v)
{
	if (!q->err)
		query_bound(q, sqlite3_bind_double(q->stmt, col, v)); // NaN becomes NULL
}

void query_str(struct query *q, int col, struct str v)
{
	if (!q->err)
		query_bound(q, sqlite3_bind_text64(q->stmt, col, v.p ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void query_blob(struct query *q, int col, struct str v)
{
	if (!q->err)
		query_bound(q, sqlite3_bind_blob64(q->stmt, col, v.p ? v.p : "", v.n, SQLITE_STATIC));
}

void query_null(struct query *q, int col)
{
	if (!q->err)
		query_bound(q, sqlite3_bind_null(q->stmt, col));
}

bool query_row(struct query *q)
{
	if (q->err)
		return false;
	int rc = sqlite3_step(q->stmt);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		q->err = db_error(q->db, rc);
	return false;
}

enum err query_end(struct query *q)
{
	struct db *db = q->db;
	db->open_queries--;
	if (q->own) {
		sqlite3_finalize(q->stmt);
	} else if (q->stmt) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
		if (q->slot < STMT__MAX)
			db->in_use[q->slot] = false;
		else
			db->dyn[q->slot - STMT__MAX].in_use = false;
	}
	q->stmt = NULL;
	return q->err;
}

bool query_is_null(struct query *q, int col)
{
	return q->err || sqlite3_column_type(q->stmt, col) == SQLITE_NULL;
}

int64_t query_get_i64(struct query *q, int col)
{
	return q->err ? 0 : sqlite3_column_int64(q->stmt, col);
}

double query_get_f64(struct query *q, int col)
{
	return q->err ? 0 : sqlite3_column_double(q->stmt, col);
}

struct str query_get_str(struct query *q, int col, struct arena *a)
{
	if (q->err)
		return STR_EMPTY;
	const void *p = sqlite3_column_blob(q->stmt, col); // text and blobs alike, without conversion
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, col);
	return p ? arena_str(a, str_from(p, n)) : STR_EMPTY;
}

bool query_cell_i64(struct query *q, int col, int64_t *ret)
{
	sqlite3_value *v = q->err ? NULL : sqlite3_column_value(q->stmt, col); // its connection is this thread's alone
	bool there = v && sqlite3_value_type(v) != SQLITE_NULL;
	if (there)
		*ret = sqlite3_value_int64(v);
	return there;
}

bool query_cell_f64(struct query *q, int col, double *ret)
{
	sqlite3_value *v = q->err ? NULL : sqlite3_column_value(q->stmt, col);
	bool there = v && sqlite3_value_type(v) != SQLITE_NULL;
	if (there)
		*ret = sqlite3_value_double(v);
	return there;
}

bool query_cell_str(struct query *q, int col, struct arena *a, struct str *ret)
{
	sqlite3_value *v = q->err ? NULL : sqlite3_column_value(q->stmt, col);
	if (!v || sqlite3_value_type(v) == SQLITE_NULL)
		return false;
	const void *p = sqlite3_value_blob(v);
	*ret = p ? arena_str(a, str_from(p, (size_t)sqlite3_value_bytes(v))) : STR_EMPTY;
	return true;
}

enum err query_run(struct query *q)
{
	bool row = query_row(q);
	assert(!row);
	(void)row;
	return query_end(q);
}

bool db_reset_queries(struct db *db)
{
	bool any = db->open_queries != 0;
	if (!any)
		return false;
	for (size_t i = 0; i < STMT__MAX; i++)
		if (db->in_use[i]) {
			sqlite3_reset(db->stmts[i]);
			db->in_use[i] = false;
		}
	for (size_t i = 0; i < db->ndyn; i++)
		if (db->dyn[i].in_use) {
			sqlite3_reset(db->dyn[i].stmt);
			db->dyn[i].in_use = false;
		}
	db->open_queries = 0;
	return any;
}

int64_t db_last_id(struct db *db)
{
	return db->h ? sqlite3_last_insert_rowid(db->h) : 0;
}

int64_t db_changes(struct db *db)
{
	return db->h ? sqlite3_changes64(db->h) : 0;
}

bool db_is_writer(const struct db *db)
{
	return db->writer;
}

struct str db_conflict_column(const struct db *db)
{
	return str_of(db->conflict);
}

struct arena *db_arena(struct db *db)
{
	return db->arena;
}

struct store *db_store(struct db *db)
{
	return db->writer ? db->store : NULL;
}

void db_after_commit(struct db *db, void (*fn)(void *arg), void *arg)
{
	struct after_commit *after = arena_one(db->arena, struct after_commit);
	*after = (struct after_commit){ .fn = fn, .arg = arg };
	if (db->after_last)
		db->after_last->next = after;
	else
		db->after_first = after;
	db->after_last = after;
}

static enum err part_stmt(struct db *db, enum stmt stmt)
{
	struct query q;
	query_begin(&q, db, stmt);
	return query_run(&q);
}

enum err db_part_begin(struct db *db, struct db_part *part)
{
	part->after = db->after_last;
	return part_stmt(db, STMT_PART_BEGIN);
}

enum err db_part_end(struct db *db, struct db_part *part, bool keep)
{
	enum err err = keep ? OK : part_stmt(db, STMT_PART_UNDO);
	if (!err)
		err = part_stmt(db, STMT_PART_END);
	if (keep)
		return err;
	db->after_last = part->after;
	if (db->after_last)
		db->after_last->next = NULL;
	else
		db->after_first = NULL;
	return err;
}
