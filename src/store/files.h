// Files: content by its SM3 in DIR/files/ab/cdef… (the same content is kept once), what a file is and to which field of
// which record it belongs in table `file`. A file that is bound to a record stays as long as the record, also when the
// field no longer names it: it is evidence. One that nobody bound within a day is removed.
//
// Who may read a file is decided by the caller (auth/): this part knows records only by type and id.
#pragma once

#include "store/store.h"

#define FILE_UNBOUND_US (INT64_C(86400) * 1000000) // an upload that no record took within a day goes

struct file_info {
	int64_t id;
	struct str sm3;         // 64 hex digits
	int64_t size;           // bytes
	struct str name;        // as the uploader called it, without folders
	struct str mime;        // found in the bytes, never what the client said
	int64_t uploader;       // person, 0 = the system
	int64_t at;             // us, uploaded
	int64_t taken_at;       // us, 0 = unknown
	double lon, lat;        // degrees, NaN = unknown
	struct str source;      // where time and place come from: "client", "exif" or empty
	struct str type;        // of the record it is bound to; empty = unbound
	int64_t record;
	struct str field;       // or "document:NAME" for an issued document
};

// ---- what a file is (file_kind.c; pure) --------------------------------------------------------
// Groups of `accept:` — "pdf" "office" "image" "video" "text" — of a mime type; empty if it is none that we keep.
struct str file_group(struct str mime);
// The mime type by magic bytes; empty: not a kind that we keep. head: the first bytes (16 KiB are enough), tail: the last
// ones (of zip files; may be empty). The name's ending only tells apart what the bytes cannot: doc from xls, csv from txt.
struct str file_mime(struct str head, struct str tail, struct str name);

// ---- a file on its way in ----------------------------------------------------------------------
// Written to DIR/files/tmp as it comes, hashed on the way. Any one thread.
struct file_in;
enum err file_in_begin(struct file_in **ret, struct store *s, struct problem *p) must_check;
// ERR_TOO_LARGE beyond LIMIT_FILE_BYTES, ERR_FULL on a full disk; after an error the rest is ignored.
enum err file_in_add(struct file_in *f, const void *bytes, size_t n);
// Nothing more comes: on disk, hashed, its kind known. ERR_UNSUPPORTED: not a kind that we keep; ERR_INVALID: empty.
enum err file_in_end(struct file_in *f, struct str name, struct problem *p) must_check;
struct str file_in_head(const struct file_in *f); // the first bytes, at most 128 KiB; valid until freed
struct str file_in_sm3(const struct file_in *f);  // after file_in_end: 64 hex digits
struct str file_in_mime(const struct file_in *f);
void file_in_free(struct file_in *f);             // NULL is fine; what was not added is gone

// ---- inside a store job ------------------------------------------------------------------------
// Keeps the content (durable before the commit) and adds the row; of info the caller gives name, uploader, taken_at,
// lon, lat, source, type, record, field; id, sm3, size, mime and at are set. Writes the audit entry "file.add".
enum err files_add(struct db *db, struct file_in *f, struct file_info *info, struct str actor, struct problem *p) must_check;
// The file belongs to this field from now on. Nothing to do if it does already. ERR_NOT_FOUND: no such file;
// ERR_FORBIDDEN: unbound, and not uploaded by this person (0 = the system may bind any); ERR_CONFLICT: bound elsewhere.
enum err files_bind(struct db *db, int64_t id, struct str type, int64_t record, struct str field, int64_t person,
                    struct problem *p) must_check;
// Bytes of the files that the person has uploaded and no record has taken.
enum err files_waiting(struct db *db, int64_t person, int64_t *ret) must_check;
// Removes unbound files older than FILE_UNBOUND_US; their content goes after the commit if nothing else has it.
enum err files_sweep(struct db *db, int64_t now, int64_t *ret_removed) must_check;

// ---- any connection ----------------------------------------------------------------------------
enum err files_info(struct db *db, int64_t id, struct arena *a, struct file_info *ret) must_check; // ERR_NOT_FOUND
// Files bound to one record, oldest first.
enum err files_of(struct db *db, struct str type, int64_t record, struct arena *a, struct file_info **ret, size_t *ret_n) must_check;
// Opens the content for reading; the caller closes the descriptor. ERR_NOT_FOUND, ERR_IO.
enum err files_open(struct store *s, const struct file_info *info, int *ret_fd) must_check;
// The content as one text, checked against its SM3: ERR_CORRUPT if it differs.
enum err files_read(struct store *s, const struct file_info *info, struct arena *a, struct str *ret) must_check;
// A new empty file in DIR/files/tmp for what is made and then sent; the caller closes and unlinks it. What a crash leaves
// goes at the next start. folder: where it lies; both are PATH_MAX bytes.
enum err files_temp(struct store *s, char *ret_folder, char *ret_path, int *ret_fd) must_check;
// At start-up, before anything is uploaded: removes what a crash left (half-written files, content without a row).
enum err files_tidy(struct store *s) must_check;
