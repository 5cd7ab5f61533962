// The tables against the chain: the head, the triggers that guard it, and every record's row against the digest in the last
// entry about it.
#include "verify/verify.h"

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	return sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK ? stmt : NULL;
}

void head_check(sqlite3 *db, struct verdict *v, const struct chain *c)
{
	sqlite3_stmt *stmt = prepare(db, "SELECT seq, hash FROM audit_head WHERE id = 1");
	if (!stmt || sqlite3_step(stmt) != SQLITE_ROW) {
		verdict_add(v, INCOMPLETE, "没有链尾记录%.0s", "there is no head of the chain%.0s", "");
	} else {
		int64_t seq = sqlite3_column_int64(stmt, 0);
		bool fits = sqlite3_column_bytes(stmt, 1) == SM3_LEN && memcmp(sqlite3_column_blob(stmt, 1), c->head, SM3_LEN) == 0;
		if (seq > c->last)
			verdict_add(v, INCOMPLETE, "在 %lld 之后被截断：链尾记到 %lld", "cut off after entry %lld: the head counts %lld", (long long)c->last, (long long)seq);
		else if (seq < c->last)
			verdict_add(v, ALTERED, "链尾只记到 %lld，记录却有 %lld 条", "the head counts %lld, but there are %lld entries", (long long)seq, (long long)c->last);
		else if (!fits && c->last)
			verdict_add(v, ALTERED, "链尾 %lld 的摘要与记录不符%.0s", "the head's digest does not fit entry %lld%.0s", (long long)seq, "");
	}
	sqlite3_finalize(stmt);
}

void guards_check(sqlite3 *db, struct verdict *v)
{
	static const char *const names[] = { "audit_no_update", "audit_no_delete", "audit_head_stays" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		sqlite3_stmt *stmt = prepare(db, "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?1");
		if (stmt)
			sqlite3_bind_text(stmt, 1, names[i], -1, SQLITE_STATIC);
		if (!stmt || sqlite3_step(stmt) != SQLITE_ROW)
			verdict_add(v, UNPROTECTED, "保护触发器 %s 不见了%.0s", "the guarding trigger %s is gone%.0s", names[i], "");
		sqlite3_finalize(stmt);
	}
}

// ---- rows --------------------------------------------------------------------------------------
struct rows {
	sqlite3 *db;
	struct verdict *v;
	const char *table, *type;
	sqlite3_stmt *last;         // newest entry about a record
	struct arena *a;
	int64_t compared;
};

static struct chain_column column_of(const struct rows *r, sqlite3_stmt *row, int i)
{
	const char *name = sqlite3_column_name(row, i);
	int not_null = 0;
	struct chain_column c = { .name = str_of(name) };
	switch (sqlite3_column_type(row, i)) {
	case SQLITE_INTEGER:
		c.i = sqlite3_column_int64(row, i);
		sqlite3_table_column_metadata(r->db, NULL, r->table, name, NULL, NULL, &not_null, NULL, NULL);
		c.kind = c.i == 0 && not_null ? 0 : 'i';
		break;
	case SQLITE_FLOAT:
		c.f = sqlite3_column_double(row, i);
		c.kind = 'r';
		break;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		c.kind = sqlite3_column_type(row, i) == SQLITE_TEXT ? 't' : 'b';
		c.s.p = sqlite3_column_blob(row, i);
		c.s.n = (size_t)sqlite3_column_bytes(row, i);
		break;
	default:
		break;
	}
	return c;
}

// Only entries with the digest of a row count; what was written before there were any cannot be compared.
static void row_check(struct rows *r, sqlite3_stmt *row, int id_column)
{
	uint8_t digest[SM3_LEN];
	int n = sqlite3_column_count(row);
	int64_t id = sqlite3_column_int64(row, id_column);
	struct chain_column *cols = arena_many(r->a, (size_t)n, struct chain_column);
	sqlite3_reset(r->last);
	sqlite3_bind_text(r->last, 1, r->type, -1, SQLITE_STATIC);
	sqlite3_bind_int64(r->last, 2, id);
	if (sqlite3_step(r->last) != SQLITE_ROW) {
		verdict_add(r->v, ALTERED, "记录 %s/%lld 没有任何审计记录：是在平台之外插入的", "record %s/%lld has no entry at all: it was inserted past the platform",
		            r->type, (long long)id);
		return;
	}
	if (sqlite3_column_bytes(r->last, 1) != SM3_LEN)
		return;
	for (int i = 0; i < n; i++)
		cols[i] = column_of(r, row, i);
	chain_row_hash(cols, (size_t)n, digest);
	r->compared++;
	if (memcmp(digest, sqlite3_column_blob(r->last, 1), SM3_LEN) != 0)
		verdict_add(r->v, ALTERED, "记录 %s/%lld 在审计记录 %lld 之后被平台之外的手段改动", "record %s/%lld was changed past the platform after entry %lld",
		            r->type, (long long)id, (long long)sqlite3_column_int64(r->last, 0));
}

static int id_column(sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++)
		if (strcmp(sqlite3_column_name(row, i), "id") == 0)
			return i;
	return 0;
}

// Records whose last entry knows a row that is there no more.
static void deleted_check(struct rows *r)
{
	sqlite3_stmt *stmt = prepare(r->db, arena_printf(r->a,
		"SELECT a.record, a.seq FROM audit a WHERE a.type = '%s' AND a.row_hash IS NOT NULL AND NOT EXISTS"
		" (SELECT 1 FROM \"%s\" t WHERE t.id = a.record) AND a.seq = (SELECT max(b.seq) FROM audit b WHERE b.type = a.type AND b.record = a.record)",
		r->type, r->table).p);
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
		verdict_add(r->v, ALTERED, "记录 %s/%lld 在审计记录 %lld 之后被平台之外的手段删除", "record %s/%lld was deleted past the platform after entry %lld",
		            r->type, (long long)sqlite3_column_int64(stmt, 0), (long long)sqlite3_column_int64(stmt, 1));
	sqlite3_finalize(stmt);
}

static void table_check(struct rows *r)
{
	sqlite3_stmt *row = prepare(r->db, arena_printf(r->a, "SELECT * FROM \"%s\" ORDER BY id", r->table).p);
	struct arena *scratch = arena_new(64 << 10), *outer = r->a;
	int at = row ? id_column(row) : 0;
	r->a = scratch;
	while (row && sqlite3_step(row) == SQLITE_ROW) {
		row_check(r, row, at);
		arena_reset(scratch);
	}
	r->a = outer;
	arena_free(scratch);
	sqlite3_finalize(row);
	deleted_check(r);
}

static bool plain(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

void rows_check(sqlite3 *db, struct verdict *v, int64_t *ret_rows)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct rows r = { .db = db, .v = v, .a = a };
	*ret_rows = 0;
	if (sqlite3_table_column_metadata(db, NULL, "audit", "row_hash", NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		return; // written before digests of rows
	r.last = prepare(db, "SELECT seq, row_hash FROM audit WHERE type = ?1 AND record = ?2 ORDER BY seq DESC LIMIT 1");
	sqlite3_stmt *tables = prepare(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'r_*' ORDER BY name");
	while (r.last && tables && sqlite3_step(tables) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(tables, 0);
		if (!plain(name))
			continue;
		r.table = arena_cstr(a, str_of(name));
		r.type = r.table + 2;
		table_check(&r);
	}
	sqlite3_finalize(tables);
	sqlite3_finalize(r.last);
	*ret_rows = r.compared;
}
