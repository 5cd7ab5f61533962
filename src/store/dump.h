// Every table as lines of JSON, and back: what a county archive is made of. A line is an object with all columns of a row:
// integers, reals (always with a point or exponent), texts, null, and blobs as {"hex": "…"}; the key first, the rest by name.
// Reading on any connection (one snapshot), writing in store jobs on a new database only.
#pragma once

#include "store/store.h"

enum dump_kind {
	DUMP_RECORDS,  // r_TYPE
	DUMP_OPEN,     // goes into an archive
	DUMP_SECRET,   // passwords, keys, sessions: never leaves
	DUMP_OWN,      // the database's own affair, made anew
	DUMP_UNKNOWN,  // not in the list of dump.c: left out, and named
};
struct dump_table {
	struct str name;
	enum dump_kind kind;
};
enum err dump_tables(struct db *db, struct arena *a, struct dump_table **ret, size_t *ret_n) must_check; // by name
// Calls back for each row in the order of the key; the line lives during the call. *ret_rows counts them.
enum err dump_rows(struct db *db, struct str table, enum err (*fn)(void *arg, struct str line), void *arg, int64_t *ret_rows) must_check;
// Empties a table that a new database fills by itself (sequence, meta …); nothing for others and for the audit chain.
enum err dump_begin(struct db *db, struct str table) must_check;
// ERR_UNSUPPORTED: a column that this program does not know; ERR_CORRUPT: no such line.
enum err dump_insert(struct db *db, struct str table, struct str line, struct arena *a, struct problem *p) must_check;

// A copy of an SQLite file as of one moment, whoever is writing it; the copy is on disk when this returns.
enum err dump_copy_file(const char *from, const char *to) must_check;
