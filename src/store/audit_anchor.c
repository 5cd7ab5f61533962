// Anchors: heads of the chain that are noted apart, and the chain as lines to take away. Any connection; noting runs in a job.
#include "base/chain.h"
#include "base/jw.h"
#include "base/time.h"
#include "store/audit_int.h"
#include "store/db.h"

enum err audit_anchor(struct db *db, int64_t *ret_seq, char ret_hash[65])
{
	uint8_t hash[SM3_LEN];
	enum err err = audit_head_read(db, ret_seq, hash);
	str_to_hex(hash, SM3_LEN, ret_hash);
	ret_hash[2 * SM3_LEN] = 0;
	return err;
}

enum err audit_anchor_note(struct db *db, int64_t now, struct arena *a, struct str *ret_line)
{
	int64_t seq;
	uint8_t hash[SM3_LEN];
	struct query q;
	*ret_line = STR_EMPTY;
	enum err err = audit_head_read(db, &seq, hash);
	if (err || seq == 0)
		return err;
	query_begin(&q, db, STMT_ANCHOR_ADD);
	query_i64(&q, 1, seq);
	query_i64(&q, 2, now);
	query_blob(&q, 3, str_from((const char *)hash, SM3_LEN));
	err = query_run(&q);
	if (!err && db_changes(db) == 1)
		*ret_line = chain_anchor_line(seq, hash, now, a);
	return err;
}

enum err audit_anchor_last(struct db *db, int64_t *ret_at)
{
	struct query q;
	*ret_at = 0;
	query_begin(&q, db, STMT_ANCHOR_LAST);
	if (query_row(&q))
		*ret_at = query_get_i64(&q, 0);
	return query_end(&q);
}

enum err audit_anchors(struct db *db, size_t limit, struct arena *a, struct audit_anchor_row **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_ANCHOR_LIST);
	query_i64(&q, 1, (int64_t)limit);
	while (query_row(&q)) {
		struct str hash = query_get_str(&q, 2, a);
		char *hex = arena_alloc(a, 2 * SM3_LEN + 1);
		if (hash.n == SM3_LEN)
			str_to_hex((const uint8_t *)hash.p, SM3_LEN, hex);
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		(*ret)[*ret_n - 1] = (struct audit_anchor_row){ query_get_i64(&q, 0), query_get_i64(&q, 1), str_of(hex) };
	}
	return query_end(&q);
}

// ---- export ------------------------------------------------------------------------------------
static void key_hex(struct jw *w, const char *key, struct query *q, int col, struct arena *a)
{
	char hex[2 * SM3_LEN];
	struct str s = query_get_str(q, col, a);
	jw_key(w, key);
	if (s.n != SM3_LEN) {
		jw_null(w);
		return;
	}
	str_to_hex((const uint8_t *)s.p, SM3_LEN, hex);
	jw_str(w, str_from(hex, sizeof hex));
}

static void entry_line(struct buf *out, struct query *q, struct arena *a)
{
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	jw_ki64(&w, "seq", query_get_i64(q, 0));
	jw_ki64(&w, "at", query_get_i64(q, 1)); // us, as it is hashed
	jw_ki64(&w, "actor", query_get_i64(q, 2));
	jw_kstr(&w, "actor_name", query_get_str(q, 3, a));
	jw_kstr(&w, "action", query_get_str(q, 4, a));
	jw_kstr(&w, "type", query_get_str(q, 5, a));
	jw_ki64(&w, "record", query_get_i64(q, 6));
	jw_kstr(&w, "detail", query_get_str(q, 7, a)); // as text: every byte of it is hashed
	key_hex(&w, "row", q, 9, a);
	key_hex(&w, "hash", q, 8, a);
	jw_end(&w);
	if (!jw_done(&w))
		out->failed = true;
	buf_add_u8(out, '\n');
}

enum err audit_export(struct db *db, int64_t from, size_t limit, struct buf *out)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct query q;
	int64_t seq = 0;
	uint8_t hash[SM3_LEN];
	query_begin(&q, db, STMT_AUDIT_EXPORT);
	query_i64(&q, 1, from);
	query_i64(&q, 2, (int64_t)limit);
	while (query_row(&q) && buf_ok(out)) {
		arena_reset(a);
		entry_line(out, &q, a);
		seq = query_get_i64(&q, 0);
		struct str s = query_get_str(&q, 8, a);
		memcpy(hash, s.p, MIN(s.n, sizeof hash));
	}
	enum err err = query_end(&q);
	if (!err && seq) {
		buf_add_str(out, chain_anchor_line(seq, hash, clock_now(), a));
		buf_add_u8(out, '\n');
	}
	return err;
}
