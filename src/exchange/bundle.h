// One file with many members and a manifest: a zip (PKWARE APPNOTE; every tool opens it) whose manifest.json lists each
// member with its size and SM3. What county archives and backups are written in. Members are collected in FILE.part.d beside
// the file and the file appears under its name only when it is whole and on disk, so whatever ends the process leaves no
// half one. One thread.
#pragma once

#include <jansson.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct bundle;

// ERR_CONFLICT if the file exists. Leftovers of an attempt that was cut off are removed.
enum err bundle_begin(struct bundle **ret, const char *file, struct problem *p) must_check;
// A member that is written piece by piece; one at a time.
enum err bundle_member(struct bundle *b, const char *name, struct problem *p) must_check;
enum err bundle_add(struct bundle *b, struct str bytes) must_check;
enum err bundle_member_end(struct bundle *b, struct problem *p) must_check;
// A member that is a file already; a file that is gone is ERR_NOT_FOUND and no member.
enum err bundle_copy(struct bundle *b, const char *name, const char *path, struct problem *p) must_check;
// A folder and all below it as PREFIX/…; skip says what stays out (path below the folder). A folder that is not there is none.
enum err bundle_tree(struct bundle *b, const char *prefix, const char *dir, bool (*skip)(struct str path), struct problem *p) must_check;
// For members that others write: the path to write to, then bundle_made.
const char *bundle_path(struct bundle *b, const char *name);
enum err bundle_made(struct bundle *b, const char *name, struct problem *p) must_check;
const json_t *bundle_members(const struct bundle *b); // so far: [{name,size,sm3}]
json_t *bundle_manifest(struct bundle *b);  // to be filled: kind, version …; members are added at the end
enum err bundle_end(struct bundle *b, struct problem *p) must_check; // the file is there
void bundle_free(struct bundle *b);         // what is not ended is gone; NULL is fine

// ---- reading ----
struct bundle_in;
enum err bundle_open(struct bundle_in **ret, const char *file, struct problem *p) must_check; // manifest read, names checked
json_t *bundle_in_manifest(struct bundle_in *b);
// Every member against its SM3; names the first that is damaged or missing. ERR_CORRUPT.
enum err bundle_check(struct bundle_in *b, int64_t *ret_bytes, struct problem *p) must_check;
enum err bundle_extract(struct bundle_in *b, const char *dir, bool (*want)(struct str name), struct problem *p) must_check;
void bundle_close(struct bundle_in *b);

// Removes a folder with everything in it.
void bundle_remove_tree(const char *dir);
// "a/b/c" below dir: the folders are made.
enum err bundle_make_dirs(const char *path) must_check;
enum err bundle_sync_tree(const char *dir) must_check;
