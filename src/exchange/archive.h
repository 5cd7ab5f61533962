// A county in one file. Two kinds, both bundles (bundle.h):
//   archive  everything that people and devices brought in, as text that can be read without this program: records and
//            other tables as lines of JSON with descriptions of every type, the packs in force, files, the audit chain; no
//            passwords, keys, sessions. For handing over, keeping for decades, moving to another system.
//   backup   the data folder as it is at one moment, credentials included. For coming back after a loss.
// Both are taken while the server runs or not, and both are restored into an empty folder. Called by tool/; one thread.
#pragma once

#include "base/base.h"
#include "base/err.h"

struct archive_report {
	int64_t members, bytes, rows, readings;
	char audit_hash[65];
	int64_t audit_count;
	const char *kind;           // "archive", "backup"
};

enum err archive_write(const char *data_dir, const char *file, bool readings, const char *program, struct archive_report *ret,
                       struct problem *p) must_check;
enum err backup_write(const char *data_dir, const char *file, const char *program, struct archive_report *ret,
                      struct problem *p) must_check;
// Every member against its digest; of an archive the audit chain too.
enum err archive_check(const char *file, struct archive_report *ret, struct problem *p) must_check;
// Either kind. The folder must not exist or be empty; it appears whole or not at all. ERR_CONFLICT, ERR_CORRUPT (the member
// is named), ERR_UNSUPPORTED (written by a newer program).
enum err archive_restore(const char *file, const char *data_dir, struct archive_report *ret, struct problem *p) must_check;

// Inside exchange/: copies DIR/series of a running server so that every reading acknowledged before the call is in it.
// as: called for each file in an order that keeps that true; db: it is an SQLite file.
enum err series_files(const char *dir, enum err (*as)(void *arg, const char *name, const char *path, bool db), void *arg) must_check;
// readings.c: history as readings/YYYY-MM.csv, and back.
struct bundle;
struct db;
struct registry;
enum err readings_write(struct bundle *b, const char *data_dir, struct db *db, const struct registry *reg, int64_t *ret_n,
                        struct problem *p) must_check;
enum err readings_restore(const char *dir, const char *data_dir, int64_t *ret_n, struct problem *p) must_check;
// Opens a copy of DIR/series in the empty folder `copy`, so that a running server is not disturbed. The caller closes it
// and removes the folder (bundle_remove_tree).
struct series;
enum err readings_open_copy(struct series **ret, const char *data_dir, const char *copy, struct problem *p) must_check;
