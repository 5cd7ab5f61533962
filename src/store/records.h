// Tables of record types: one table `r_TYPE` per type with real typed columns, made and migrated from a neutral
// description. This file knows columns, not business: types, rights and moves are model/ and flow/.
//
// Every table has these common columns besides the type's own:
//   id INTEGER PRIMARY KEY, number TEXT UNIQUE, state TEXT, area TEXT (GB/T 2260 form, '' = none),
//   enterprise INTEGER (0 = none), thread INTEGER (0 = none), version INTEGER, type_version INTEGER,
//   created_at, created_by, changed_at, changed_by INTEGER, state_at INTEGER (entered the state),
//   deadline INTEGER (0 = none), escalated INTEGER (times), retired INTEGER (0/1), title TEXT (for lists and references),
//   sector TEXT (a value of menu sector, '' = none), paused INTEGER (us left while the clock stands, 0 = it runs),
//   reminded INTEGER (reminders sent in this state), prev_state TEXT, moved_by INTEGER (who brought it into its state),
//   batch INTEGER (the import it came with, 0 = none)
#pragma once

#include "store/store.h"

enum column_kind { COL_INT, COL_REAL, COL_TEXT };

struct column {
	struct str name;        // checked identifier: [a-z][a-z0-9_]*, at most 48 bytes
	enum column_kind kind;
	bool unique;            // among rows where it is not null
	bool indexed;
	bool searched;          // part of full-text search ?q=
};

struct unique {             // several columns together, own or common, among the rows that are not retired and have all of them
	const struct str *cols;
	size_t ncols;
};

struct table {
	struct str name;        // type name
	const struct column *cols;
	size_t ncols;
	const struct unique *uniques;
	size_t nuniques;
	bool timeless;          // its rows have neither states nor an end of validity: no index on states and deadlines
	bool only_place;        // of the common columns only id, area, enterprise and retired are read: for a million rows
};

enum value_kind { VAL_NULL, VAL_INT, VAL_REAL, VAL_TEXT };

struct value {
	enum value_kind kind;
	int64_t i;
	double f;
	struct str s;
};

struct common { // the common columns of a row
	int64_t id;
	struct str number, state, area, title;
	int64_t enterprise, thread, version, type_version;
	int64_t created_at, created_by, changed_at, changed_by, state_at, deadline, escalated;
	bool retired;
	struct str sector, prev_state;
	int64_t paused, reminded, moved_by, batch;
};

struct row {
	struct common c;
	struct value *vals; // in the order of table.cols
};

// Who may see which rows; applied to every read in this file, and to what is of a place without being a record (alarms,
// points). Made by auth/ only. What it admits is said once, in scope.c.
struct scope {
	struct str area;      // area code prefix; empty = everywhere
	int64_t enterprise;   // 0 = any
	bool nothing;         // sees no row at all
	struct str sectors;   // ",chemical,dust,": rows of these sectors and of none; empty = every sector
};

struct place { struct str area; int64_t enterprise; struct str sector; };
static inline struct place common_place(const struct common *c) { return (struct place){ c->area, c->enterprise, c->sector }; }
bool scope_admits(const struct scope *s, struct place p);

enum filter_op { FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE, FILTER_IN, FILTER_PREFIX, FILTER_NULL,
                 FILTER_CONTAINS /* text within text: ",duty," in a column of menu values */, FILTER_NOT_NULL };

struct filter {
	struct str column;      // own or common column
	enum filter_op op;
	const struct value *vals;
	size_t nvals;           // 1; FILTER_IN any number (0: no row); FILTER_NULL, FILTER_NOT_NULL 0
};

// A condition over a row's columns; expressions of packs become one (expr_to_cond). Depth at most LIMIT_EXPR_DEPTH.
enum cond_op { COND_AND, COND_OR, COND_NOT /* of subs[0] */, COND_FILTER, COND_COLUMNS /* filter.column OP other */,
               COND_MATCHED /* some row of r_of has filter.column's value in its
                            column other, and one of filter.vals as its state, if there are any */,
               COND_TWINS /* another row that `within` admits and that is not retired has the same values in cols, the
                            first of which is not empty */,
               COND_BAD_CODE /* filter.column holds a unified social credit code whose check character does not fit */ };
struct condition {
	enum cond_op op;
	struct filter filter;       // COND_FILTER; COND_COLUMNS: column and op
	struct str other;           // COND_COLUMNS, COND_MATCHED
	const struct table *of;     // COND_MATCHED: answered from disk; its rows count wherever they are, but retired ones do not
	const struct condition *subs;
	size_t nsubs;
	const struct str *cols;     // COND_TWINS: at least one, of text first; answered from disk, as COND_BAD_CODE
	size_t ncols;
	const struct scope *within; // COND_TWINS: NULL = everywhere
};

struct sort {
	struct str column;
	bool descending;
	const struct str *ranks; // order of the values (a menu's items) instead of the alphabet; others come after
	size_t nranks;           // 0 = plain
};

struct list_query {
	struct str text;        // ?q=, empty = none
	const struct filter *filters;
	size_t nfilters;
	const struct condition *cond;    // besides the filters; NULL = none
	const struct sort *sorts;
	size_t nsorts;          // id descending is always the last
	size_t offset, limit;
	bool with_retired;
};

// Creates the table and its indexes, or adds what is new. Refuses (ERR_CONFLICT, names the column) a change of
// kind or a removed column that holds data: that needs a written migration.
enum err records_migrate(struct db *db, const struct table *t, struct problem *p) must_check;
// All tables of a generation. What stands as it was left the last time, by the digest of its form, is not looked at again:
// 4,000 indexes take a tenth of a second.
enum err records_migrate_all(struct db *db, const struct table *const *tables, size_t n, struct problem *p) must_check;
// The row is its own enterprise: records_insert stores the new id in column enterprise (type enterprise).
#define ENTERPRISE_SELF INT64_C(-1)
// c->id is set on success (given by the database unless it is not 0); created/changed/version are taken as given.
// ERR_CONFLICT with problem.field = the column whose unique value exists already. p is never NULL here: its arena
// is also the scratch memory.
enum err records_insert(struct db *db, const struct table *t, struct common *c, const struct value *vals,
                        struct problem *p) must_check;
// Writes all columns of the row where id and version (c->version - 1) match; ERR_CONFLICT (field "version") if another
// version is there, ERR_NOT_FOUND if no row is.
enum err records_update(struct db *db, const struct table *t, const struct common *c, const struct value *vals,
                        struct problem *p) must_check;
enum err records_get(struct db *db, const struct table *t, const struct scope *scope, int64_t id, struct arena *a,
                     struct row *ret) must_check;
// First row where the column has the value (any state, not retired); ERR_NOT_FOUND if none.
enum err records_find(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                      struct value v, struct arena *a, struct row *ret) must_check;
// Rows of one page, and how many there are in all.
enum err records_list(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                      struct arena *a, struct row **ret_rows, size_t *ret_n, int64_t *ret_total,
                      struct problem *p) must_check;
// Lists of big types are answered from memory (decision 0005). What a list needs is loaded when it is first asked for, and
// until then it is answered from disk. Loads it now and waits at most wait_us: true when it is there. lq may be NULL.
bool records_warm(struct db *db, const struct table *t, const struct list_query *lq, int64_t wait_us);
// For measurements: from now on every list is answered from disk (or not).
void records_from_disk(struct store *s, bool yes);
// At the start: what lists need is loaded when this is over; until then they are answered from disk.
void records_lists_later(struct store *s, bool later);
// Calls back for every row in id order (start-up loads: points, areas, users). Stops on the first error.
enum err records_each(struct db *db, const struct table *t, const struct list_query *lq, struct arena *scratch,
                      enum err (*fn)(void *arg, const struct row *row), void *arg) must_check;
// The same for rows that the scope admits, in the order of lq, its page aside; one row in memory at a time (scratch is
// emptied before each).
enum err records_scan(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                      struct arena *scratch, enum err (*fn)(void *arg, const struct row *row), void *arg,
                      struct problem *p) must_check;
// Count of rows by the value of one column (counts by area, state, level).
enum err records_count_by(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                          const struct list_query *lq, struct arena *a, struct value **ret_keys, int64_t **ret_counts,
                          size_t *ret_n) must_check;
// Parameters 1 to 3 of a fixed statement with admits(?1, ?2, ?3, area, enterprise, sector).
void query_scope(struct query *q, const struct scope *s);
// ---- aggregates: indicators, reports, counts ---------------------------------------------------
enum measure_op {
	MEASURE_COUNT,          // rows; with a column: rows that have a value in it; with a condition: rows for which it holds
	MEASURE_SUM, MEASURE_AVG, MEASURE_MIN, MEASURE_MAX // of the rows that have a value; none: VAL_NULL
};
struct measure {
	enum measure_op op;
	struct str column;      // sum and avg: a number (money in fen); min and max: any; count: may be empty
	const struct condition *cond; // count only, without a column; NULL: none
};
enum group_op {
	GROUP_VALUE,            // of the column itself
	GROUP_AREA,             // first `length` characters of an area code: 2 province, 4 city, 6 county, 9 town, 12 village
	// of a date column ("2026-11-22") or of a time column (us, as a day of the site's zone); the key is text:
	GROUP_YEAR,             // "2026"
	GROUP_QUARTER,          // "2026-Q4"
	GROUP_MONTH,            // "2026-11"
	GROUP_DAY               // "2026-11-22"
};
struct group_by {
	enum group_op op;
	struct str column;
	size_t length;          // GROUP_AREA only
};
struct aggregate {          // one group
	struct value *keys;     // in the order of the group_bys; VAL_NULL: rows without that value
	struct value *measures; // in the order of the measures; a count is VAL_INT, an average VAL_REAL, else as the column
};
// How many rows by one column, area tier or period: the most first, then by key; at most 1,000 keys.
enum err records_counts(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                        const struct group_by *by, struct arena *a, struct value **ret_keys, int64_t **ret_counts, size_t *ret_n,
                        struct problem *p) must_check;
#define GROUPS_MAX 10000    // groups of one answer
// Measures over the rows that scope and lq admit (lq's filters, cond, text and with_retired; its sorts and page do not
// matter; NULL = all), by group, in the order of the keys. Without group_bys exactly one group. In common columns the
// empty text and a time of 0 are "without value". Memory from a. ERR_INVALID (field "by" or "measure") for what the
// columns do not allow, ERR_TOO_LARGE for more than GROUPS_MAX groups. Any connection; reads the rows once.
enum err records_aggregate(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                           const struct group_by *by, size_t nby, const struct measure *measures, size_t nmeasures,
                           struct arena *a, struct aggregate **ret, size_t *ret_n, struct problem *p) must_check;

// Rows in the state whose deadline (> 0) is not after until and whose counter ("escalated", "reminded") is count, earliest
// first.
struct due_query {
	struct str state, counter;
	int64_t count;
	int64_t until;
	size_t limit;
};
enum err records_due(struct db *db, const struct table *t, const struct due_query *dq, struct arena *a, struct row **ret,
                     size_t *ret_n, struct problem *p) must_check;
// The earliest deadline behind until; 0 if none.
enum err records_due_next(struct db *db, const struct table *t, const struct due_query *dq, struct arena *a, int64_t *ret,
                          struct problem *p) must_check;
// Records that a schedule opened for the subjects of a period (table scheduled): of the subjects in the list and scope how
// many there are and how many have none; of the records in the scope how many there are, are at an end, are overdue.
struct scheduled_query {
	struct str schedule, period;
	const struct value *ends; // states that are an end; none: a plain register is done when it is there
	size_t nends;
	int64_t now;
};
enum err records_scheduled_subjects(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                                    const struct scheduled_query *sq, int64_t *ret_subjects, int64_t *ret_missing,
                                    struct problem *p) must_check;
enum err records_scheduled(struct db *db, const struct table *t, const struct scope *scope, const struct scheduled_query *sq,
                           int64_t *ret_opened, int64_t *ret_done, int64_t *ret_overdue, struct problem *p) must_check;
// A counter of the clock: not a change of the record, its version stays.
enum err records_set_counter(struct db *db, const struct table *t, int64_t id, struct str counter, int64_t count,
                             struct problem *p) must_check;
// The next value of a named sequence, from 1 (numbering rules).
enum err records_next_seq(struct db *db, struct str name, int64_t *ret) must_check;
