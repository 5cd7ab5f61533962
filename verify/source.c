#include "base/jr.h"
#include "verify/verify.h"

// ---- a database --------------------------------------------------------------------------------
static bool has_rows_digest(sqlite3 *db)
{
	return sqlite3_table_column_metadata(db, NULL, "audit", "row_hash", NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

bool source_open_db(struct source *s, const char *path)
{
	*s = (struct source){ 0 };
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		s->error = "cannot be opened";
		return false;
	}
	sqlite3_busy_timeout(s->db, 5000);
	const char *sql = has_rows_digest(s->db) ?
	                      "SELECT seq, at, actor, actor_name, action, type, record, detail, hash, row_hash FROM audit ORDER BY seq" :
	                      "SELECT seq, at, actor, actor_name, action, type, record, detail, hash, NULL FROM audit ORDER BY seq";
	if (sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK || sqlite3_prepare_v2(s->db, sql, -1, &s->stmt, NULL) != SQLITE_OK) {
		s->error = "is no database of the platform";
		return false;
	}
	return true;
}

static struct str column_str(sqlite3_stmt *stmt, int i, struct arena *a)
{
	const char *p = sqlite3_column_blob(stmt, i);
	return arena_str(a, str_from(p, (size_t)sqlite3_column_bytes(stmt, i)));
}

static bool column_hash(sqlite3_stmt *stmt, int i, uint8_t ret[SM3_LEN])
{
	if (sqlite3_column_bytes(stmt, i) != SM3_LEN)
		return false;
	memcpy(ret, sqlite3_column_blob(stmt, i), SM3_LEN);
	return true;
}

static bool next_row(struct source *s, struct entry *ret, struct arena *a)
{
	int rc = sqlite3_step(s->stmt);
	if (rc != SQLITE_ROW) {
		if (rc != SQLITE_DONE)
			s->error = "cannot be read to its end: the file is damaged";
		return false;
	}
	ret->e = (struct chain_entry){ .seq = sqlite3_column_int64(s->stmt, 0), .at = sqlite3_column_int64(s->stmt, 1),
		                           .actor = sqlite3_column_int64(s->stmt, 2), .actor_name = column_str(s->stmt, 3, a),
		                           .action = column_str(s->stmt, 4, a), .type = column_str(s->stmt, 5, a),
		                           .record = sqlite3_column_int64(s->stmt, 6), .detail = column_str(s->stmt, 7, a) };
	ret->hash_ok = column_hash(s->stmt, 8, ret->hash);
	ret->e.has_row = column_hash(s->stmt, 9, ret->e.row);
	return true;
}

// ---- exported lines ----------------------------------------------------------------------------
void source_open_text(struct source *s, struct str text, struct arena *a)
{
	*s = (struct source){ .text = text, .arena = a };
}

static bool hex_of(struct jr *r, uint8_t ret[SM3_LEN])
{
	if (jr_peek(r) == JR_NULL) {
		jr_null(r);
		return false;
	}
	return str_from_hex(jr_str(r), ret, SM3_LEN);
}

static bool entry_parse(struct str line, struct entry *ret, struct arena *a)
{
	struct jr r;
	struct str key;
	jr_init(&r, line, a);
	*ret = (struct entry){ 0 };
	for (jr_obj(&r); jr_key(&r, &key);) {
		if (str_is(key, "seq"))
			ret->e.seq = jr_i64(&r);
		else if (str_is(key, "at"))
			ret->e.at = jr_i64(&r);
		else if (str_is(key, "actor"))
			ret->e.actor = jr_i64(&r);
		else if (str_is(key, "record"))
			ret->e.record = jr_i64(&r);
		else if (str_is(key, "actor_name"))
			ret->e.actor_name = jr_str(&r);
		else if (str_is(key, "action"))
			ret->e.action = jr_str(&r);
		else if (str_is(key, "type"))
			ret->e.type = jr_str(&r);
		else if (str_is(key, "detail"))
			ret->e.detail = jr_str(&r);
		else if (str_is(key, "row"))
			ret->e.has_row = hex_of(&r, ret->e.row);
		else if (str_is(key, "hash"))
			ret->hash_ok = hex_of(&r, ret->hash);
		else
			jr_skip(&r);
	}
	return jr_end(&r) && ret->e.seq > 0;
}

static bool next_line(struct source *s, struct entry *ret, struct arena *a)
{
	while (s->text.n) {
		struct anchor found;
		struct str line = str_trim(str_cut(&s->text, '\n'));
		if (!line.n)
			continue;
		if (line.p[0] == '{') {
			if (entry_parse(line, ret, a))
				return true;
			s->error = "has a line that is no entry";
			return false;
		}
		if (chain_anchor_read(line, &found.seq, found.hash)) {
			s->anchors = arena_push(s->arena, s->anchors, &s->nanchors, &s->cap_anchors, sizeof *s->anchors);
			found.from = STR("its own anchor line");
			s->anchors[s->nanchors - 1] = found;
		}
	}
	return false;
}

bool source_next(struct source *s, struct entry *ret, struct arena *scratch)
{
	return s->stmt ? next_row(s, ret, scratch) : next_line(s, ret, scratch);
}

void source_close(struct source *s)
{
	sqlite3_finalize(s->stmt);
	sqlite3_close(s->db);
}
