// The audit chain: append, list, verify. Appending runs in store jobs (writer thread), the rest on any connection.
//
// What is hashed: base/chain.h.
#include "store/audit.h"

#include "base/arena.h"
#include "base/chain.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/audit_int.h"
#include "store/db.h"

struct head {
	int64_t seq;
	uint8_t hash[SM3_LEN];
};

static struct chain_entry chained(const struct audit_entry *e)
{
	struct chain_entry c = { .seq = e->seq, .at = e->at, .actor = e->actor, .record = e->record, .actor_name = e->actor_name,
		                     .action = e->action, .type = e->type, .detail = e->detail, .has_row = e->has_row };
	memcpy(c.row, e->row, SM3_LEN);
	return c;
}

// hash: in the one before, out that of e.
static void entry_hash(const struct audit_entry *e, uint8_t hash[SM3_LEN])
{
	struct chain_entry c = chained(e);
	chain_entry_hash(&c, hash);
}

static bool hash_read(struct query *q, int col, uint8_t ret[SM3_LEN], struct arena *a)
{
	struct str s = query_get_str(q, col, a);
	if (s.n != SM3_LEN)
		return false;
	memcpy(ret, s.p, SM3_LEN);
	return true;
}

static enum err head_read(struct db *db, struct head *ret)
{
	struct query q;
	struct arena *a = arena_new(0);
	bool ok = false;
	query_begin(&q, db, STMT_AUDIT_HEAD);
	if (query_row(&q)) {
		ret->seq = query_get_i64(&q, 0);
		ok = hash_read(&q, 1, ret->hash, a);
	}
	enum err err = query_end(&q);
	arena_free(a);
	return err ? err : ok ? OK : ERR_CORRUPT;
}

static enum err head_write(struct db *db, const struct head *head)
{
	struct query q;
	query_begin(&q, db, STMT_AUDIT_HEAD_SET);
	query_i64(&q, 1, head->seq);
	query_blob(&q, 2, str_from((const char *)head->hash, SM3_LEN));
	return query_run(&q);
}

static enum err entry_write(struct db *db, const struct audit_entry *e, const uint8_t hash[SM3_LEN])
{
	struct query q;
	query_begin(&q, db, STMT_AUDIT_ADD);
	query_i64(&q, 1, e->seq);
	query_i64(&q, 2, e->at);
	query_i64(&q, 3, e->actor);
	query_str(&q, 4, e->actor_name);
	query_str(&q, 5, e->action);
	query_str(&q, 6, e->type);
	query_i64(&q, 7, e->record);
	query_str(&q, 8, e->detail);
	query_blob(&q, 9, str_from((const char *)hash, SM3_LEN));
	if (e->has_row)
		query_blob(&q, 10, str_from((const char *)e->row, SM3_LEN));
	else
		query_null(&q, 10);
	return query_run(&q);
}

enum err audit_head_read(struct db *db, int64_t *ret_seq, uint8_t ret_hash[SM3_LEN])
{
	struct head head;
	enum err err = head_read(db, &head);
	if (err)
		return err;
	*ret_seq = head.seq;
	memcpy(ret_hash, head.hash, SM3_LEN);
	return OK;
}

enum err audit_add(struct db *db, const struct audit_entry *e)
{
	struct head head;
	enum err err = head_read(db, &head);
	if (err)
		return err;
	struct audit_entry entry = *e;
	entry.seq = ++head.seq;
	if (entry.at == 0)
		entry.at = clock_now();
	if ((err = audit_row_digest(db, entry.type, entry.record, &entry.has_row, entry.row)))
		return err;
	entry_hash(&entry, head.hash);
	err = entry_write(db, &entry, head.hash);
	return err ? err : head_write(db, &head);
}

// ---- reading -----------------------------------------------------------------------------------
static void entry_read(struct query *q, struct arena *a, struct audit_entry *ret)
{
	*ret = (struct audit_entry){
		.seq = query_get_i64(q, 0),
		.at = query_get_i64(q, 1),
		.actor = query_get_i64(q, 2),
		.actor_name = query_get_str(q, 3, a),
		.action = query_get_str(q, 4, a),
		.type = query_get_str(q, 5, a),
		.record = query_get_i64(q, 6),
		.detail = query_get_str(q, 7, a),
	};
	ret->has_row = hash_read(q, 8, ret->row, a);
}

enum err audit_list(struct db *db, struct str type, int64_t record, int64_t before, size_t limit, struct arena *a,
                    struct audit_entry **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, type.n == 0 ? STMT_AUDIT_LIST : record == 0 ? STMT_AUDIT_LIST_TYPE : STMT_AUDIT_LIST_RECORD);
	query_i64(&q, 1, before > 0 ? before : INT64_MAX);
	query_i64(&q, 2, (int64_t)limit);
	if (type.n)
		query_str(&q, 3, type);
	if (type.n && record)
		query_i64(&q, 4, record);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		entry_read(&q, a, &(*ret)[*ret_n - 1]);
	}
	return query_end(&q);
}

enum err audit_span(struct db *db, int64_t from, int64_t to, size_t limit, audit_each *fn, void *arg)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct query q;
	enum err err = OK;
	query_begin(&q, db, STMT_AUDIT_SPAN);
	query_i64(&q, 1, from);
	query_i64(&q, 2, to);
	query_i64(&q, 3, (int64_t)limit + 1);
	for (size_t n = 0; !err && query_row(&q); n++) {
		struct audit_entry e;
		entry_read(&q, a, &e);
		err = n < limit ? fn(arg, &e) : ERR_TOO_LARGE;
		arena_reset(a);
	}
	enum err end = query_end(&q);
	return err ? err : end;
}

// ---- verifying ---------------------------------------------------------------------------------
static const struct {
	const char *zh, *en;    // formats with the number of the entry
} faults[] = {
	{ "审计记录 %lld 缺失", "audit entry %lld is missing" },
	{ "审计记录 %lld 被改动或次序不对", "audit entry %lld is altered or out of order" },
	{ "审计记录 %lld 与链尾不符", "audit entry %lld does not fit the head of the chain" },
	{ "审计记录 %lld 之后没有链尾", "there is no head of the chain after audit entry %lld" },
};
enum fault { MISSING, ALTERED, BEYOND_HEAD, NO_HEAD };

static enum err refuse(struct problem *p, int64_t seq, enum fault f)
{
	const char *field = p ? arena_printf(p->arena, "%lld", (long long)seq).p : "";
	return problem_set(p, ERR_CORRUPT, field, faults[f].zh, faults[f].en, (long long)seq);
}

// The next entry of the walk: is it the one that must come, and does its hash fit?
static enum err entry_verify(struct query *q, struct head *head, struct arena *a, struct problem *p)
{
	struct audit_entry e;
	uint8_t stored[SM3_LEN], computed[SM3_LEN];
	entry_read(q, a, &e);
	if (e.seq != head->seq + 1)
		return refuse(p, head->seq + 1, MISSING);
	memcpy(computed, head->hash, SM3_LEN);
	entry_hash(&e, computed);
	if (!hash_read(q, 9, stored, a) || memcmp(stored, computed, SM3_LEN) != 0)
		return refuse(p, e.seq, ALTERED);
	head->seq = e.seq;
	memcpy(head->hash, computed, SM3_LEN);
	return OK;
}

static enum err chain_walk(struct db *db, struct head *head, struct problem *p)
{
	struct arena *a = arena_new(0);
	struct query q;
	enum err err = OK;
	query_begin(&q, db, STMT_AUDIT_ALL);
	while (!err && query_row(&q)) {
		arena_reset(a);
		err = entry_verify(&q, head, a, p);
	}
	enum err end = query_end(&q);
	arena_free(a);
	return err ? err : end;
}

enum err audit_verify(struct db *db, struct problem *p, int64_t *ret_count, char ret_hash[65])
{
	struct head walked = { 0 }, kept = { 0 };
	enum err err = chain_walk(db, &walked, p);
	if (!err && head_read(db, &kept) != OK)
		err = refuse(p, walked.seq, NO_HEAD);
	if (!err && kept.seq > walked.seq)
		err = refuse(p, walked.seq + 1, MISSING);
	if (!err && (kept.seq < walked.seq || memcmp(kept.hash, walked.hash, SM3_LEN) != 0))
		err = refuse(p, walked.seq, BEYOND_HEAD);
	*ret_count = walked.seq;
	str_to_hex(walked.hash, SM3_LEN, ret_hash);
	ret_hash[2 * SM3_LEN] = 0;
	return err;
}

enum err audit_hash_at(struct db *db, int64_t seq, char ret_hash[65])
{
	struct arena *a = arena_new(0);
	struct query q;
	uint8_t hash[SM3_LEN];
	query_begin(&q, db, STMT_AUDIT_HASH);
	query_i64(&q, 1, seq);
	bool found = query_row(&q) && hash_read(&q, 0, hash, a);
	enum err err = query_end(&q);
	arena_free(a);
	if (err || !found)
		return err ? err : ERR_NOT_FOUND;
	str_to_hex(hash, SM3_LEN, ret_hash);
	ret_hash[2 * SM3_LEN] = 0;
	return OK;
}

static enum err hash_of(struct db *db, int64_t seq, uint8_t ret[SM3_LEN])
{
	char hex[65];
	memset(ret, 0, SM3_LEN);
	enum err err = seq ? audit_hash_at(db, seq, hex) : OK;
	return err || !seq ? err : str_from_hex(str_of(hex), ret, SM3_LEN) ? OK : ERR_CORRUPT;
}

enum err audit_one(struct db *db, int64_t seq, struct arena *a, struct audit_entry *ret)
{
	struct query q;
	uint8_t hash[SM3_LEN], stored[SM3_LEN];
	bool found = false;
	query_begin(&q, db, STMT_AUDIT_LIST);
	query_i64(&q, 1, seq + 1);
	query_i64(&q, 2, 1);
	if (query_row(&q)) {
		entry_read(&q, a, ret);
		found = ret->seq == seq;
	}
	enum err err = query_end(&q);
	if (err || !found)
		return err ? err : ERR_NOT_FOUND;
	if (hash_of(db, seq - 1, hash) || hash_of(db, seq, stored))
		return ERR_CORRUPT;
	entry_hash(ret, hash);
	return memcmp(hash, stored, SM3_LEN) == 0 ? OK : ERR_CORRUPT;
}
