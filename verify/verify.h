// anlan-verify: looks for changes of the evidence that were made past the platform. A program of its own: it links base/ and
// SQLite, nothing of the server, and needs neither packs nor a running service. One thread; what it opens it only reads.
//
//   main.c    options, sources, verdict
//   chain.c   the entries: altered, incomplete, rewritten
//   rows.c    the records' tables against the last entry about each row
//   source.c  entries from a database or from exported lines
#pragma once

#include <sqlite3.h>

#include "base/arena.h"
#include "base/chain.h"

enum finding { ALTERED, INCOMPLETE, REWRITTEN, UNPROTECTED, FINDINGS };

struct verdict {
	struct arena *arena;
	size_t found[FINDINGS];
	size_t shown;
	bool quiet;                 // count only
};
// Prints "altered     entry 17: …" in both languages; at most 1000 lines.
void verdict_add(struct verdict *v, enum finding f, const char *zh, const char *en, ...) printf_like(3, 5) printf_like(4, 5);

struct anchor {
	int64_t seq;
	uint8_t hash[SM3_LEN];
	struct str from;            // file it was in, or "command line"
};

// ---- source.c: entries one by one, in the order they stand ---------------------------------------
struct entry {
	struct chain_entry e;
	uint8_t hash[SM3_LEN];      // as stored
	bool hash_ok;               // 32 bytes were stored
};
struct source {
	sqlite3 *db;                // a database …
	sqlite3_stmt *stmt;
	struct str text;            // … or exported lines
	struct anchor *anchors;     // that stood among the lines
	size_t nanchors, cap_anchors;
	struct arena *arena;        // of anchors
	const char *error;          // what could not be read, or NULL
	bool rewound;               // lines: entries are not in order
};
bool source_open_db(struct source *s, const char *path);
void source_open_text(struct source *s, struct str text, struct arena *a);
bool source_next(struct source *s, struct entry *ret, struct arena *scratch);
void source_close(struct source *s);

// ---- chain.c -------------------------------------------------------------------------------------
struct chain {                  // what the walk found
	int64_t first, last;        // numbers of the entries read; 0 = none
	uint8_t head[SM3_LEN];      // stored digest of the last
};
// anchors sorted by seq; head_seq 0: the source keeps no head (lines).
void chain_check(struct source *s, struct verdict *v, const struct anchor *anchors, size_t nanchors, struct chain *ret);

// ---- rows.c --------------------------------------------------------------------------------------
void head_check(sqlite3 *db, struct verdict *v, const struct chain *c);
void guards_check(sqlite3 *db, struct verdict *v);
// *ret_rows: rows compared.
void rows_check(sqlite3 *db, struct verdict *v, int64_t *ret_rows);
