// The audit chain: every change of data and every login, in order, each entry hashed with SM3 together with the
// hash before it. It is also the history of a record. Entries are only ever appended (a trigger refuses the rest).
#pragma once

#include "store/store.h"

struct audit_entry {
	int64_t seq;            // from 1, without gaps
	int64_t at;             // us
	int64_t actor;          // person id; 0 = the system itself
	struct str actor_name;  // as it was then
	struct str action;      // "login", "login.fail", "create", "update", "move:verify", "alarm.ack", "config.load" …
	struct str type;        // record type, "alarm", "session", or empty
	int64_t record;         // id, or 0
	struct str detail;      // JSON object: what changed ({"field":[old,new]}), reason, address; never a secret
	bool has_row;           // filled by audit_add: the digest of the record's row as it is now (base/chain.h). A change of a row
	uint8_t row[32];        // comes before its entry in the job, and no change of it comes without one
};

// Appends within the caller's transaction, so the entry and what it describes are one. e->seq is not read: the chain
// gives the number. e->at 0 = now.
enum err audit_add(struct db *db, const struct audit_entry *e) must_check;
// Newest first; type empty = all; record 0 = all of the type. Returns at most limit entries older than before (0 = newest).
enum err audit_list(struct db *db, struct str type, int64_t record, int64_t before, size_t limit, struct arena *a,
                    struct audit_entry **ret, size_t *ret_n) must_check;
// Those with from <= at < to, one by one, oldest first; ERR_TOO_LARGE after limit of them. An entry's texts live until fn returns; an
// error of fn ends it.
typedef enum err audit_each(void *arg, const struct audit_entry *e);
enum err audit_span(struct db *db, int64_t from, int64_t to, size_t limit, audit_each *fn, void *arg) must_check;
// Recomputes the chain. On ERR_CORRUPT p names the first entry that is altered, missing or out of order, a missing last
// entry included (the head is kept apart). ret_count/ret_hash: the head that an outside anchor should hold (64 hex
// digits and NUL), on ERR_CORRUPT as far as the chain is whole. Who can rewrite the whole file can rewrite the whole
// chain: only a head kept elsewhere shows that, see audit_hash_at.
enum err audit_verify(struct db *db, struct problem *p, int64_t *ret_count, char ret_hash[65]) must_check;
// The hash of one entry, to compare with a head that was kept elsewhere; ERR_NOT_FOUND if there is no such entry.
enum err audit_hash_at(struct db *db, int64_t seq, char ret_hash[65]) must_check;

// ---- anchors: heads noted where nobody who rewrites the database can reach them ------------------
// The newest entry's number and digest (64 hex digits and NUL), as printed on documents.
enum err audit_anchor(struct db *db, int64_t *ret_seq, char ret_hash[65]) must_check;
// Inside a job: notes the head in table anchor; *ret_line is the line to keep elsewhere, empty if this head is noted.
enum err audit_anchor_note(struct db *db, int64_t now, struct arena *a, struct str *ret_line) must_check;
enum err audit_anchor_last(struct db *db, int64_t *ret_at) must_check; // when one was noted last, 0 = never
struct audit_anchor_row { int64_t seq, at; struct str hash; };
// Newest first.
enum err audit_anchors(struct db *db, size_t limit, struct arena *a, struct audit_anchor_row **ret, size_t *ret_n) must_check;
// Entries from number `from` on as JSON, a line each, then an anchor line; at most limit entries. What verify/ reads.
struct buf;
enum err audit_export(struct db *db, int64_t from, size_t limit, struct buf *out) must_check;
// Inside a job, after rows were changed without one entry each (a written migration): an entry like e for every row of the type.
enum err audit_add_rows(struct db *db, struct str type, const struct audit_entry *e) must_check;
// One entry, its hash recomputed from the one before: ERR_CORRUPT if it does not fit, ERR_NOT_FOUND.
enum err audit_one(struct db *db, int64_t seq, struct arena *a, struct audit_entry *ret) must_check;
