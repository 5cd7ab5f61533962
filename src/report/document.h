// Documents and reports: packs/*/documents/*.yaml, checked, and made into paper from records. Issuing gives a number without
// gaps, keeps the bytes, writes the audit entry, and prints where the audit chain stood: what was issued can be checked by
// anybody who holds the paper (verify), and is printed again byte for byte.
#pragma once

#include "flow/flow.h"
#include "flow/words.h"
#include "measure/measure.h"

// ---- what the packs say ------------------------------------------------------------------------
enum report_every { REPORT_NONE, REPORT_DAY, REPORT_WEEK, REPORT_MONTH, REPORT_QUARTER, REPORT_YEAR };

enum piece_kind { PIECE_TEXT, PIECE_DOC /* {doc.NAME} */, PIECE_NAME /* field or common column */, PIECE_STEP /* REF.NAME */, PIECE_EXPR };
struct piece {
	enum piece_kind kind;
	struct str text;            // TEXT; DOC, NAME: the name; STEP: behind the dot
	struct str ref;             // STEP: before the dot
	const struct expr *e;       // EXPR
};
struct phrase {                 // a text with {…} in it
	struct piece *v;
	size_t n;
};

enum block_kind {
	BLOCK_HEAD, BLOCK_NUMBER, BLOCK_TITLE, BLOCK_HEADING, BLOCK_TEXT, BLOCK_NOTE, BLOCK_RIGHT, BLOCK_FIELDS, BLOCK_PHOTOS,
	BLOCK_ROWS, BLOCK_HISTORY, BLOCK_LIST, BLOCK_ALARMS, BLOCK_INDICATOR, BLOCK_SIGN, BLOCK_PAGE
};
struct block {
	enum block_kind kind;
	struct phrase phrase;       // HEAD … RIGHT
	const struct expr *when;    // left out when it does not hold; NULL = never
	const struct indicator *indicator; // INDICATOR
	struct str *names;          // FIELDS: columns; PHOTOS, ROWS: the field; SIGN: what stands before each line
	size_t nnames;
	const struct type *t;       // LIST
	const struct listing *list;
	struct str column;          // LIST: only what lies in the period by this time or date column; empty = all
	struct str by;              // LIST: counts by this column instead of rows; INDICATOR: area, sector, enterprise; empty = neither
	size_t max;                 // LIST: rows shown; 0 = only the number
	bool own;                   // LIST: only records of the enterprise whose record it is printed from
	struct str of;              // LIST: only records that refer to the one it is printed from, by this field
};

struct document {
	struct str name, pack, file;
	struct label label, about;
	const struct type *t;       // NULL: a report
	struct str number;          // numbering rule; empty (reports only): NAME-PERIOD
	struct str *who;            // roles that may issue, or see the report
	size_t nwho;
	enum report_every every;           // reports
	int64_t at;                 // us of the day when it is made
	struct str *states;         // in: only in these states; none = any
	size_t nstates;
	const struct expr *when;    // and only then; NULL = always
	const struct field *span[2]; // period: DATE fields of the record, first and last day of its lists with in:; or NULL
	struct block *v;
	size_t n;
};
struct documents {
	const struct registry *reg;
	const struct measures *measures; // NULL if they have mistakes
	struct document *v;
	size_t n;
};

// Every mistake goes to d; NULL if there is any.
struct documents *documents_load(const struct registry *reg, struct arena *a, struct diags *d);
// The set of a pinned registry, made once and kept while somebody has it. Any thread.
const struct documents *documents_take(const struct registry *reg);
void documents_give(const struct documents *ds);
const struct document *document_find(const struct documents *ds, struct str name);
// May this person issue it for this record now? row NULL: as a report.
bool document_offered(const struct document *d, const struct row *row, const struct identity *by);

// Does its condition hold for the record? Any connection.
bool document_fits(struct db *db, const struct registry *reg, const struct document *d, const struct row *row, const struct identity *by,
                   struct arena *a);

// ---- making ------------------------------------------------------------------------------------
struct report_period {
	int64_t from, to;           // us; to is not in it
	struct str name;            // "2026-11-22" "2026-W47" "2026-11" "2026-Q4" "2026"; in the arena
};
// The period of that kind that us lies in; back periods earlier.
struct report_period report_period_at(enum report_every e, int64_t us, int back, struct arena *a);
bool report_period_parse(enum report_every e, struct str text, struct arena *a, struct report_period *ret);

struct making {                 // what a document is made from
	struct store *store;        // for the bytes of photographs
	struct db *db;
	const struct registry *reg;
	const struct document *d;
	const struct row *row;      // NULL: a report
	struct report_period period;
	const struct identity *by;  // rights and masks are his; of a report: only what everybody may see
	struct str office;          // name of the county
	struct str number;          // as issued; empty: a preview
	struct str url, anchor;     // of the verify page; what stands beside the code
	int64_t at;                 // us, date of the document
	struct arena *arena;
};
enum err document_make(const struct making *m, struct str *ret_pdf) must_check;

// ---- issuing -----------------------------------------------------------------------------------
struct issued {
	int64_t id, at, by, file, audit_seq, entry_seq, record, void_at;
	struct str document, number, type, period, by_name, sm3, audit_hash, void_reason;
};
struct issue {                  // arguments of the job
	struct store *store;
	const struct registry *reg;
	const struct document *d;
	int64_t record;             // 0: a report
	struct report_period period;
	const struct identity *by;
	struct str office, site_url; // "https://anlan.example.gov.cn", no slash at the end
	struct arena *arena;
	struct issued ret;
};
// Inside a store job. ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_CONFLICT (not in this state). A report of a period that was issued
// already: that one.
enum err document_issue(struct db *db, struct issue *i, struct problem *p) must_check;
// Inside a store job: the paper stays known and is shown as void from now on.
enum err document_void(struct db *db, const struct registry *reg, int64_t id, struct str reason, const struct identity *by,
                       struct problem *p) must_check;
enum err issued_get(struct db *db, int64_t id, struct arena *a, struct issued *ret) must_check;
enum err issued_by_number(struct db *db, struct str number, struct arena *a, struct issued *ret) must_check;
// Of one record, newest first; type "report": of one report, or of all (name empty).
enum err issued_of(struct db *db, struct str type, int64_t record, struct arena *a, struct issued **ret, size_t *ret_n) must_check;
enum err issued_reports(struct db *db, struct str name, size_t limit, struct arena *a, struct issued **ret, size_t *ret_n) must_check;

struct verdict {                // what the public may know
	bool content;           // the kept bytes are those that were issued
	bool chain;             // the entry of the issue is whole and names these bytes; the anchor is what the chain held then
	bool anchor;            // what was printed (given by the caller) is what was issued; false if none was given
	bool given;
};
enum err issued_verify(struct store *s, struct db *db, const struct issued *i, struct str anchor, struct verdict *ret) must_check;

// Inside a store job: makes what is due and not there yet, the newest missed period once. At most one report a call;
// *ret_more: there are others.
enum err reports_tick(struct db *db, struct store *s, const struct registry *reg, struct str office, struct str site_url, int64_t now,
                      struct arena *a, bool *ret_more) must_check;
