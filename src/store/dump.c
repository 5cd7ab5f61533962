#include "store/dump.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/jw.h"
#include "base/limits.h"
#include "store/records_sql.h"

#define COLUMNS_MAX 1000

// Every fixed table stands here (test_dump fails if one does not): what may leave, and what never does.
static const struct {
	const char *name;
	enum dump_kind kind;
} known[] = {
	{ "view", DUMP_OPEN },             { "idempotency", DUMP_OWN },      { "anchor", DUMP_OPEN },           { "issued", DUMP_OPEN },          { "kpi_snapshot", DUMP_OPEN },
	{ "access_token", DUMP_SECRET },   { "alarm", DUMP_OPEN },           { "alarm_cursor", DUMP_OPEN },     { "alarm_journal", DUMP_OPEN },
	{ "audit", DUMP_OPEN },            { "audit_head", DUMP_OPEN },      { "channel_state", DUMP_OPEN },    { "comment", DUMP_OPEN },
	{ "config_migration", DUMP_OPEN }, { "config_text", DUMP_OPEN },     { "config_version", DUMP_OPEN },   { "credential", DUMP_SECRET },
	{ "delegation", DUMP_OPEN },       { "device_cipher", DUMP_SECRET }, { "device_key", DUMP_SECRET },     { "directory_secret", DUMP_SECRET },
	{ "dropped_value", DUMP_OPEN },    { "extension", DUMP_OPEN },
	{ "exam_paper", DUMP_OPEN }, // answers and keys: what the digest of a sitting is of
	{ "file", DUMP_OPEN },             { "import", DUMP_OPEN },          { "import_error", DUMP_OPEN },     { "import_row", DUMP_OPEN },
	{ "last_move", DUMP_OPEN },        { "meta", DUMP_OPEN },            { "migration", DUMP_OWN },         { "notice", DUMP_OPEN },
	{ "notify_cursor", DUMP_OPEN },    { "notify_secret", DUMP_SECRET }, { "outbox", DUMP_OPEN },           { "outmsg", DUMP_OPEN },
	{ "outmsg_part", DUMP_OPEN },      { "recovery_code", DUMP_SECRET }, { "schedule_period", DUMP_OPEN },  { "scheduled", DUMP_OPEN },
	{ "sequence", DUMP_OPEN },         { "session", DUMP_SECRET },       { "sqlite_sequence", DUMP_OWN },   { "totp", DUMP_SECRET },
	{ "alarm_cause", DUMP_OPEN },      { "alarm_design", DUMP_OPEN },    { "alarm_window", DUMP_OPEN },     { "detect_model", DUMP_OPEN },
	{ "detect_state", DUMP_OPEN },     { "risk_index", DUMP_OPEN },
	{ "type_version", DUMP_OPEN },     { "work", DUMP_OPEN },            { "release", DUMP_OPEN },         { "receipt", DUMP_OPEN },
	{ "report_seal", DUMP_SECRET },
};

static enum dump_kind kind_of(struct str name)
{
	if (str_starts(name, STR("r_")))
		return DUMP_RECORDS;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_is(name, known[i].name))
			return known[i].kind;
	return str_starts(name, STR("sqlite_")) ? DUMP_OWN : DUMP_UNKNOWN;
}

enum err dump_tables(struct db *db, struct arena *a, struct dump_table **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_TABLE_LIST);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		struct str name = query_get_str(&q, 0, a);
		(*ret)[*ret_n - 1] = (struct dump_table){ name, kind_of(name) };
	}
	return query_end(&q);
}

// ---- columns -----------------------------------------------------------------------------------

struct columns {
	struct str name[COLUMNS_MAX]; // the key's first, the rest by name
	size_t n;
};

static bool before(struct str x, int64_t x_key, struct str y, int64_t y_key)
{
	if (x_key != y_key)
		return x_key && (!y_key || x_key < y_key);
	return str_cmp(x, y) < 0;
}

static enum err columns_read(struct db *db, struct str table, struct arena *a, struct columns *ret)
{
	struct query q;
	int64_t key[COLUMNS_MAX];
	ret->n = 0;
	if (!identifier_ok(table) && !str_starts(table, STR("r_")))
		return ERR_INVALID;
	query_begin_sql(&q, db, arena_printf(a, "PRAGMA table_info(\"%.*s\")", STR_FMT(table)));
	while (query_row(&q) && ret->n < COLUMNS_MAX) { // cid, name, type, notnull, default, pk
		struct str name = query_get_str(&q, 1, a);
		int64_t pk = query_get_i64(&q, 5);
		size_t at = ret->n++;
		for (; at > 0 && before(name, pk, ret->name[at - 1], key[at - 1]); at--) {
			ret->name[at] = ret->name[at - 1];
			key[at] = key[at - 1];
		}
		ret->name[at] = name;
		key[at] = pk;
	}
	enum err err = query_end(&q);
	return err ? err : ret->n ? OK : ERR_NOT_FOUND;
}

// ---- out ---------------------------------------------------------------------------------------

static void real_json(struct jw *w, double v)
{
	char text[F64_TEXT_MAX + 2];
	size_t n = f64_text(v, text);
	bool plain = true;
	for (size_t i = 0; i < n; i++)
		plain &= text[i] != '.' && text[i] != 'e' && text[i] != 'n';
	if (plain) { // so that a reader sees that it is a real
		text[n++] = '.';
		text[n++] = '0';
	}
	jw_raw(w, str_from(text, n));
}

static void cell_json(struct jw *w, sqlite3_stmt *s, int col, struct arena *a)
{
	size_t n = (size_t)sqlite3_column_bytes(s, col);
	switch (sqlite3_column_type(s, col)) {
	case SQLITE_INTEGER: jw_i64(w, sqlite3_column_int64(s, col)); break;
	case SQLITE_FLOAT: real_json(w, sqlite3_column_double(s, col)); break;
	case SQLITE_TEXT: jw_str(w, str_from((const char *)sqlite3_column_blob(s, col), n)); break;
	case SQLITE_BLOB: {
		char *hex = arena_alloc(a, 2 * n + 1);
		str_to_hex(n ? sqlite3_column_blob(s, col) : (const void *)"", n, hex);
		jw_obj(w);
		jw_kstr(w, "hex", str_from(hex, 2 * n));
		jw_end(w);
		break;
	}
	default: jw_null(w);
	}
}

static struct str select_text(struct str table, const struct columns *c, struct arena *a)
{
	struct buf b;
	buf_init(&b, SQL_MAX);
	buf_add_cstr(&b, "SELECT ");
	for (size_t i = 0; i < c->n; i++)
		buf_printf(&b, "%s\"%.*s\"", i ? "," : "", STR_FMT(c->name[i]));
	buf_printf(&b, " FROM \"%.*s\" ORDER BY ", STR_FMT(table));
	buf_printf(&b, "\"%.*s\"", STR_FMT(c->name[0]));
	for (size_t i = 1; i < MIN(c->n, (size_t)3); i++)
		buf_printf(&b, ",\"%.*s\"", STR_FMT(c->name[i]));
	struct str s = buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return s;
}

enum err dump_rows(struct db *db, struct str table, enum err (*fn)(void *arg, struct str line), void *arg, int64_t *ret_rows)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10), *row on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct columns *c = arena_one(a, struct columns);
	struct query q;
	struct buf line;
	enum err err = columns_read(db, table, a, c);
	*ret_rows = 0;
	if (err)
		return err;
	buf_init(&line, LIMIT_ARCHIVE_LINE);
	query_begin_sql(&q, db, select_text(table, c, a));
	while (!err && query_row(&q)) {
		struct jw w;
		buf_clear(&line);
		arena_reset(row);
		jw_init(&w, &line);
		jw_obj(&w);
		for (size_t i = 0; i < c->n; i++) {
			jw_key_str(&w, c->name[i]);
			cell_json(&w, q.stmt, (int)i, row);
		}
		jw_end(&w);
		err = jw_done(&w) ? fn(arg, buf_str(&line)) : ERR_TOO_LARGE;
		++*ret_rows;
	}
	enum err end = query_end(&q);
	buf_free(&line);
	return err ? err : end;
}

// ---- in ----------------------------------------------------------------------------------------

enum err dump_begin(struct db *db, struct str table)
{
	static const char *const filled[] = { "sequence", "meta", "config_text", "alarm_cursor", "notify_cursor" };
	for (size_t i = 0; i < ARRAY_LEN(filled); i++)
		if (str_is(table, filled[i])) {
			struct query q;
			struct arena *a on_scope_exit(arena_freep) = arena_new(0);
			query_begin_sql(&q, db, arena_printf(a, "DELETE FROM \"%.*s\"", STR_FMT(table)));
			return query_run(&q);
		}
	return OK;
}

static enum err bind_json(struct query *q, int col, const json_t *v, struct arena *a)
{
	const json_t *hex = json_object_get(v, "hex");
	if (json_is_null(v)) {
		query_null(q, col);
	} else if (json_is_integer(v)) {
		query_i64(q, col, json_integer_value(v));
	} else if (json_is_real(v)) {
		query_f64(q, col, json_real_value(v));
	} else if (json_is_string(v)) {
		query_str(q, col, str_from(json_string_value(v), json_string_length(v)));
	} else if (json_is_string(hex) && json_string_length(hex) % 2 == 0) {
		size_t n = json_string_length(hex) / 2;
		uint8_t *p = arena_alloc(a, n + 1);
		if (!str_from_hex(str_from(json_string_value(hex), 2 * n), p, n))
			return ERR_CORRUPT;
		query_blob(q, col, str_from((const char *)p, n));
	} else {
		return ERR_CORRUPT;
	}
	return OK;
}

static enum err column_known(struct db *db, struct str table, const json_t *row, struct arena *a, struct problem *p)
{
	const char *name;
	json_t *v;
	struct columns *c = arena_one(a, struct columns);
	enum err err = columns_read(db, table, a, c);
	json_object_foreach((json_t *)(uintptr_t)row, name, v) {
		bool found = false;
		for (size_t i = 0; !err && i < c->n; i++)
			found |= str_is(c->name[i], name);
		if (!err && !found)
			return problem_set(p, ERR_UNSUPPORTED, name, "表 %.*s 有本程序不认识的列 %s：归档由更新的版本写成",
			                   "table %.*s has a column %s that this program does not know: the archive was written by a newer one", STR_FMT(table), name);
	}
	if (!err)
		return ERR_CORRUPT;
	return err == ERR_NOT_FOUND ? problem_set(p, ERR_UNSUPPORTED, "", "没有表 %.*s：归档由更新的版本写成",
	                                          "there is no table %.*s: the archive was written by a newer program", STR_FMT(table)) : err;
}

static struct str insert_text(struct str table, const json_t *row, struct arena *a)
{
	struct buf b;
	const char *name;
	json_t *v;
	size_t n = json_object_size(row), i = 0;
	buf_init(&b, SQL_MAX);
	buf_printf(&b, "INSERT INTO \"%.*s\"(", STR_FMT(table));
	json_object_foreach((json_t *)(uintptr_t)row, name, v)
		buf_printf(&b, "%s\"%s\"", i++ ? "," : "", name);
	buf_add_cstr(&b, ") VALUES(");
	for (i = 1; i <= n; i++)
		buf_printf(&b, "%s?%zu", i > 1 ? "," : "", i);
	buf_add_cstr(&b, ")");
	struct str s = buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return s;
}

static enum err insert_row(struct db *db, struct str table, const json_t *row, struct arena *a)
{
	struct query q;
	const char *name;
	json_t *v;
	int col = 0;
	enum err err = OK;
	query_begin_sql(&q, db, insert_text(table, row, a));
	json_object_foreach((json_t *)(uintptr_t)row, name, v) {
		enum err bad = bind_json(&q, ++col, v, a);
		err = err ? err : bad;
	}
	if (err)
		q.err = err;
	return query_run(&q);
}

// The head of a new chain is there already; nobody may take it away, but it may move on.
static enum err set_head(struct db *db, const json_t *row, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_AUDIT_HEAD_SET);
	query_i64(&q, 1, json_integer_value(json_object_get(row, "seq")));
	enum err err = bind_json(&q, 2, json_object_get(row, "hash"), a);
	if (err)
		q.err = err;
	return query_run(&q);
}

static bool names_ok(struct str table, const json_t *row)
{
	const char *name;
	json_t *v;
	bool ok = identifier_ok(table) && json_object_size(row) > 0;
	json_object_foreach((json_t *)(uintptr_t)row, name, v)
		ok &= identifier_ok(str_of(name));
	return ok;
}

enum err dump_insert(struct db *db, struct str table, struct str line, struct arena *a, struct problem *p)
{
	json_t *row = json_loadb(line.p, line.n, 0, NULL);
	if (!json_is_object(row)) {
		json_decref(row);
		return problem_set(p, ERR_CORRUPT, "", "表 %.*s 里有一行不是 JSON 对象", "a line of table %.*s is no JSON object", STR_FMT(table));
	}
	bool head = str_is(table, "audit_head");
	enum err err = head ? set_head(db, row, a) : names_ok(table, row) ? insert_row(db, table, row, a) : ERR_BUG;
	if (err == ERR_BUG) // a statement that cannot be prepared: which name is it?
		err = column_known(db, table, row, a, p);
	json_decref(row);
	if (err && p->err == OK)
		problem_set(p, err, "", "表 %.*s 的一行写不进去：%s", "a row of table %.*s cannot be written: %s", STR_FMT(table), err_name(err));
	return err;
}

// ---- copies of files ---------------------------------------------------------------------------

static enum err copy_all(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	if (!b)
		return ERR_IO;
	int rc = sqlite3_backup_step(b, -1); // in one step: one snapshot, writers go on
	for (int i = 0; i < 100 && (rc == SQLITE_BUSY || rc == SQLITE_LOCKED); i++) {
		sqlite3_sleep(50);
		rc = sqlite3_backup_step(b, -1);
	}
	int end = sqlite3_backup_finish(b);
	return rc != SQLITE_DONE ? ((rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO) : end != SQLITE_OK ? ERR_IO : OK;
}

enum err dump_copy_file(const char *from, const char *to)
{
	sqlite3 *in = NULL, *out = NULL;
	enum err err = OK;
	if (sqlite3_open_v2(from, &in, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_open_v2(to, &out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		err = ERR_IO;
	if (!err) {
		sqlite3_busy_timeout(in, 10000);
		err = copy_all(in, out);
	}
	sqlite3_close(in);
	sqlite3_close(out);
	int fd = err ? -1 : open(to, O_RDONLY | O_CLOEXEC);
	if (!err && (fd < 0 || fsync(fd)))
		err = ERR_IO;
	if (fd >= 0)
		close(fd);
	return err;
}
