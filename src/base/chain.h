// The digests of the evidence: of an audit entry, linked to the one before, and of a record's row as the table holds it.
// Apart from the store, because the verifier (verify/), which knows nothing else of the platform, computes them too.
// Pure. SM3 is GB/T 32905-2016.
//
// Entry: SM3 over the digest of the entry before (32 zero bytes before the first), then seq, at, actor, record as 8 bytes
// little-endian, then actor_name, action, type, detail each with its length in front (4 bytes little-endian), then, if
// the entry has one, the digest of the row.
// Row: SM3 over its columns in the order of their names (bytes), each: the name with its length; 'i' and 8 bytes, 'r' and the 8
// bytes of the double, 't' or 'b' and the bytes with their length. Left out is what a column that was added later would
// hold: null, the empty text, and 0 in a column that cannot be null; and the columns that carry no statement: search…
// (derived from others) and reminded (bookkeeping of reminders).
#pragma once

#include "base/arena.h"
#include "base/hash.h"

struct chain_entry {
	int64_t seq, at, actor, record;
	struct str actor_name, action, type, detail;
	bool has_row;
	uint8_t row[SM3_LEN];
};
// hash: in the digest of the entry before, out that of e.
void chain_entry_hash(const struct chain_entry *e, uint8_t hash[SM3_LEN]);

struct chain_column {
	struct str name;
	char kind;                  // 'i', 'r', 't', 'b'; 0: left out
	int64_t i;
	double f;
	struct str s;
};
// Sorts the columns in place. kind 0 and the names that carry no statement are skipped.
void chain_row_hash(struct chain_column *cols, size_t n, uint8_t ret[SM3_LEN]);

// "anlan-anchor 1 SEQ HASH TIME": a line to be kept elsewhere. HASH: 64 hex digits; TIME: RFC 3339. In a.
struct str chain_anchor_line(int64_t seq, const uint8_t hash[SM3_LEN], int64_t at, struct arena *a);
// Also reads "SEQ:HASH" and finds either within a longer line (a printed page, a mail). False if there is none.
bool chain_anchor_read(struct str line, int64_t *ret_seq, uint8_t ret_hash[SM3_LEN]);
