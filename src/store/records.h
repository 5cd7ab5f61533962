// Tables of record types: one table `r_TYPE` per type with real typed columns, made and migrated from a neutral
// description. This file knows columns, not business: types, rights and moves are model/ and flow/.
//
// Every table has these common columns besides the type's own:
//   id INTEGER PRIMARY KEY, number TEXT UNIQUE, state TEXT, area TEXT (GB/T 2260 form, '' = none),
//   enterprise INTEGER (0 = none), thread INTEGER (0 = none), version INTEGER, type_version INTEGER,
//   created_at, created_by, changed_at, changed_by INTEGER, state_at INTEGER (entered the state),
//   deadline INTEGER (0 = none), escalated INTEGER (times), retired INTEGER (0/1), title TEXT (for lists and references)
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

struct table {
	struct str name;        // type name
	const struct column *cols;
	size_t ncols;
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
};

struct row {
	struct common c;
	struct value *vals; // in the order of table.cols
};

// Who may see which rows; applied to every read in this file. Made by auth/ only.
struct scope {
	struct str area;      // area code prefix; empty = everywhere
	int64_t enterprise;   // 0 = any
	bool nothing;         // sees no row at all
};

enum filter_op { FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE, FILTER_IN, FILTER_PREFIX, FILTER_NULL,
                 FILTER_CONTAINS /* text within text: ",duty," in a column of menu values */, FILTER_NOT_NULL };

struct filter {
	struct str column;      // own or common column
	enum filter_op op;
	const struct value *vals;
	size_t nvals;           // 1; FILTER_IN any number (0: no row); FILTER_NULL, FILTER_NOT_NULL 0
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
	const struct sort *sorts;
	size_t nsorts;          // id descending is always the last
	size_t offset, limit;
	bool with_retired;
};

// Creates the table and its indexes, or adds what is new. Refuses (ERR_CONFLICT, names the column) a change of
// kind or a removed column that holds data: that needs a written migration.
enum err records_migrate(struct db *db, const struct table *t, struct problem *p) must_check;
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
// Calls back for every row in id order (start-up loads: points, areas, users). Stops on the first error.
enum err records_each(struct db *db, const struct table *t, const struct list_query *lq, struct arena *scratch,
                      enum err (*fn)(void *arg, const struct row *row), void *arg) must_check;
// Count of rows by the value of one column (counts by area, state, level).
enum err records_count_by(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                          const struct list_query *lq, struct arena *a, struct value **ret_keys, int64_t **ret_counts,
                          size_t *ret_n) must_check;
// The next value of a named sequence, from 1 (numbering rules).
enum err records_next_seq(struct db *db, struct str name, int64_t *ret) must_check;
