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
};

// Appends within the caller's transaction, so the entry and what it describes are one. e->seq is not read: the chain
// gives the number. e->at 0 = now.
enum err audit_add(struct db *db, const struct audit_entry *e) must_check;
// Newest first; type empty = all; record 0 = all of the type. Returns at most limit entries older than before (0 = newest).
enum err audit_list(struct db *db, struct str type, int64_t record, int64_t before, size_t limit, struct arena *a,
                    struct audit_entry **ret, size_t *ret_n) must_check;
// Recomputes the chain. On ERR_CORRUPT p names the first entry that is altered, missing or out of order, a missing last
// entry included (the head is kept apart). ret_count/ret_hash: the head that an outside anchor should hold (64 hex
// digits and NUL), on ERR_CORRUPT as far as the chain is whole. Who can rewrite the whole file can rewrite the whole
// chain: only a head kept elsewhere shows that, see audit_hash_at.
enum err audit_verify(struct db *db, struct problem *p, int64_t *ret_count, char ret_hash[65]) must_check;
// The hash of one entry, to compare with a head that was kept elsewhere; ERR_NOT_FOUND if there is no such entry.
enum err audit_hash_at(struct db *db, int64_t seq, char ret_hash[65]) must_check;
