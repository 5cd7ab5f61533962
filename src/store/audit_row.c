// The digest of a record's row, for the audit entry that tells of its change: whoever changes the table past the program
// is found by comparing (verify/). Read back from the table, whatever its columns are. Runs in store jobs.
#include <stdio.h>

#include "base/chain.h"
#include "store/audit_int.h"
#include "store/db.h"
#include "store/records_sql.h"

#define ROW_COLUMNS 512

static struct chain_column column_of(struct db *db, sqlite3_stmt *stmt, int i, const char *table)
{
	const char *name = sqlite3_column_name(stmt, i);
	int not_null = 0;
	struct chain_column c = { .name = str_of(name) };
	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		c.i = sqlite3_column_int64(stmt, i);
		c.kind = 'i';
		if (c.i == 0 && sqlite3_table_column_metadata(db->h, NULL, table, name, NULL, NULL, &not_null, NULL, NULL) == SQLITE_OK && not_null)
			c.kind = 0;
		break;
	case SQLITE_FLOAT:
		c.f = sqlite3_column_double(stmt, i);
		c.kind = 'r';
		break;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		c.kind = sqlite3_column_type(stmt, i) == SQLITE_TEXT ? 't' : 'b';
		const char *p = sqlite3_column_blob(stmt, i);
		c.s = str_from(p, (size_t)sqlite3_column_bytes(stmt, i));
		break;
	default:
		break;
	}
	return c;
}

enum err audit_row_digest(struct db *db, struct str type, int64_t record, bool *ret_found, uint8_t ret[SM3_LEN])
{
	char table[64];
	struct query q;
	*ret_found = false;
	if (record <= 0 || !identifier_ok(type) || !db->h)
		return OK;
	snprintf(table, sizeof table, "r_%.*s", STR_FMT(type));
	if (sqlite3_table_column_metadata(db->h, NULL, table, NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		return OK; // no record type: a session, an alarm
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	query_begin_sql(&q, db, arena_printf(a, "SELECT * FROM \"%s\" WHERE id=?1", table));
	query_i64(&q, 1, record);
	if (query_row(&q)) {
		int n = MIN(sqlite3_column_count(q.stmt), ROW_COLUMNS);
		struct chain_column *cols = arena_many(a, (size_t)n, struct chain_column);
		for (int i = 0; i < n; i++)
			cols[i] = column_of(db, q.stmt, i, table);
		chain_row_hash(cols, (size_t)n, ret);
		*ret_found = true;
	}
	return query_end(&q);
}

// ---- after a migration -------------------------------------------------------------------------
enum err audit_add_rows(struct db *db, struct str type, const struct audit_entry *e)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct query q;
	int64_t id = 0;
	enum err err = OK;
	if (!identifier_ok(type))
		return ERR_INVALID;
	struct str sql = arena_printf(a, "SELECT id FROM \"r_%.*s\" WHERE id>?1 ORDER BY id LIMIT 1", STR_FMT(type));
	for (bool more = true; more && !err;) {
		query_begin_sql(&q, db, sql);
		query_i64(&q, 1, id);
		more = query_row(&q);
		if (more)
			id = query_get_i64(&q, 0);
		err = query_end(&q);
		struct audit_entry one = *e;
		one.type = type;
		one.record = id;
		if (more && !err)
			err = audit_add(db, &one);
	}
	return err;
}
