// What the records_*.c files share: the common columns, text of statements, binding. Nobody else includes this.
#pragma once

#include "base/buf.h"
#include "store/db.h"
#include "store/records.h"

#define SQL_MAX (64u << 10)     // bytes of one formed statement
#define PARAMS_MAX 900          // values bound to one statement (SQLite's own limit is higher)
#define SEARCH_MAX 8000         // bytes of a row's search text
#define COMMON_COLUMNS 23       // as read by row_read, in this order, before the type's own
#define COMMON_SELECT \
	"id,number,state,area,title,enterprise,thread,version,type_version,created_at,created_by,changed_at,changed_by," \
	"state_at,deadline,escalated,retired,sector,paused,reminded,prev_state,moved_by,batch"
#define PLACE_COLUMNS 4         // of a table with only_place
#define PLACE_SELECT "id,area,enterprise,retired"

// [a-z][a-z0-9_]*, at most 48 bytes.
bool identifier_ok(struct str s);
// True if the common column exists; its kind in *ret.
bool common_column(struct str name, enum column_kind *ret);
// Index of the type's own column, or -1.
int own_column(const struct table *t, struct str name);
// Common or own; ERR_INVALID with the field named otherwise. *ret_kind may be NULL.
enum err column_check(const struct table *t, struct str name, enum column_kind *ret_kind, struct problem *p);

// A statement being formed, with the values to bind in order.
struct sql {
	struct buf text;
	struct value *params;
	size_t n, cap;
	struct arena *arena;
};
// Memory of text and params comes from the heap and a: sql_free ends the text.
void sql_init(struct sql *s, struct arena *a);
void sql_free(struct sql *s);
void sql_add(struct sql *s, const char *text);
void sql_name(struct sql *s, struct str name);          // "name", checked before
void sql_table(struct sql *s, const struct table *t);   // r_NAME
void sql_param(struct sql *s, struct value v);          // ?N
void sql_columns(struct sql *s, const struct table *t); // common and own, for row_read
// Starts the query and binds. ERR_TOO_LARGE if the text or the values do not fit.
void sql_begin(struct query *q, struct db *db, struct sql *s);
void query_value(struct query *q, int col, struct value v);
struct value value_get(struct query *q, int col, enum column_kind kind, struct arena *a); // texts copied into a
void row_read(struct query *q, const struct table *t, struct arena *a, struct row *ret);

static inline struct value value_i64(int64_t v) { return (struct value){ .kind = VAL_INT, .i = v }; }
static inline struct value value_str(struct str v) { return (struct value){ .kind = VAL_TEXT, .s = v }; }

// The text that ?q= looks in: number, title and searched columns, in lower case, a line each.
struct str search_text(const struct table *t, struct str number, struct str title, const struct value *vals,
                       struct arena *a);
struct str fold_case(struct str s, struct arena *a); // ASCII letters to lower case

#define SEARCH_WORDS 8      // words of ?q= that all must occur
// The words of ?q=, in lower case; how many.
size_t search_words(struct str text, struct arena *a, struct str ret[SEARCH_WORDS]);
// Are the values such that the column can be filtered like this? ERR_INVALID otherwise.
enum err filter_check(const struct table *t, const struct filter *f, struct problem *p);
// In most common columns '' and 0 say that there is none; in own columns that is NULL. Its kind in *ret.
bool none_is_empty(const struct table *t, struct str column, enum column_kind *ret);
struct value common_value(const struct common *c, struct str name); // of a common column, checked before

// " WHERE …" of scope and list query (lq may be NULL); scope may be NULL = everything.
enum err sql_where(struct sql *s, const struct table *t, const struct scope *scope, const struct list_query *lq,
                   struct problem *p);
enum err sql_condition(struct sql *s, const struct table *t, const struct condition *c, struct problem *p); // in brackets
void sql_scope(struct sql *s, const struct table *t, const struct scope *scope); // " AND …"; NULL: nothing
#define SCOPE_FILTERS 4
// The scope as filters, all of which must hold; how many.
size_t scope_filters(const struct scope *s, struct arena *a, struct filter ret[SCOPE_FILTERS]);
