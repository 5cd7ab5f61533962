// Lists of big types in memory: what records_list, records_count_by and records_aggregate answer from when a type has
// IMAGE_ROWS rows or more. Decision 0005 says why. Nobody outside store/ includes this.
//
// An image holds columns of one table as arrays, one element a row in the order of the ids: numbers as they are, texts as
// codes of a dictionary; the search text as one long text; and orders, arrays of row numbers by what lists are sorted by.
// What a question needs and is not there yet is loaded by the image thread while the question waits; SQL answers if that
// takes too long. What jobs write is noted and applied before the next question: whoever saw a change acknowledged finds it
// in the list.
//
// Threads: questions on any thread that holds a connection; notes in the writer thread; loading in the image thread.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/records_sql.h"

#define IMAGE_ROWS 20000        // from this id on a type is big
#define IMAGE_COLUMNS 96        // of one image
#define IMAGE_ORDERS 16
#define IMAGES_MAX 64
#define IMAGE_TEXT_BASE 1024u   // entries; together they stay below 4 GiB, each text below 4 MiB
#define INT_NONE INT64_MIN      // NULL in an array of integers
#define REAL_NONE (-__builtin_inf()) // and of numbers

struct dict {                   // texts of one column; code 0 is NULL
	struct buf pool;
	size_t *at;                 // where text c - 1 begins; at[n] is the end
	size_t n, cap;
	uint32_t *slots;            // hash table of codes
	size_t nslots;
};

// Integers and codes are kept in 1, 2, 4 or 8 bytes each: as many as the widest of the column needs so far. The least value of a width
// stands for NULL, of codes 0 does.
struct image_column {
	char name[49];
	enum column_kind kind;
	uint8_t width;              // bytes of an element; numbers have 8
	void *v;                    // int8_t, int16_t, int32_t, int64_t; double of COL_REAL
	size_t n, cap;              // n: rows whose integer or code was set
	struct dict dict;
};

struct image_text {             // a text a row, ended by a line feed, one behind the other
	char *p;
	size_t n, cap, dead;        // bytes; dead: of rows that have been written anew behind
	uint32_t *at;               // where entry e begins, from base[e / IMAGE_TEXT_BASE] on
	size_t *base;
	size_t entries, entries_cap;
	uint32_t *row, *entry;      // whose an entry is, and which one a row's is; NULL: until a row is written anew they are the same
	size_t rows_cap;            // room of entry
};

struct sort_key {
	char column[49];
	bool descending;
	struct str *ranks;
	size_t nranks;
};

struct image_order {
	struct arena *arena;        // of the keys
	struct str spec;            // what it was made from
	struct sort_key *keys;
	size_t nkeys;
	uint32_t *v;                // rows in order
	size_t n;
	size_t seen;                // in the log of changed rows
	int64_t used;
	bool ready;
};

struct image_change;

struct image {
	char name[49];
	pthread_rwlock_t lock;      // of everything below
	atomic_bool loading;        // the image thread has the lock for long: ask SQL
	atomic_bool dead;           // to be thrown away
	atomic_size_t bytes;        // as of the last load
	size_t n, cap;              // rows
	struct image_column *ids;
	struct image_column *columns[IMAGE_COLUMNS];
	size_t ncolumns;
	bool has_text;
	struct image_text text, letters;
	struct image_order *orders[IMAGE_ORDERS];
	size_t norders;
	uint32_t *log;              // rows changed since the orders were made
	size_t nlog, log_cap;

	// under the images' mutex
	unsigned users;
	int64_t asked;              // monotonic us
	struct image_change *first, *last;
	atomic_size_t pending;
	struct image_need *need;    // what the image thread is to load
};

struct image_need {             // what a question needs; memory from the heap once it is handed to the image thread
	struct arena *arena;
	struct column columns[IMAGE_COLUMNS];
	size_t ncolumns;
	bool text;
	struct sort *sorts;
	size_t nsorts;
};

struct image_change {           // one written row
	struct image_change *next;
	struct arena *arena;
	struct common c;
	struct str *names;
	struct value *vals;
	size_t n;
	struct str search;
};

struct images;
// Images of types from this id on, instead of IMAGE_ROWS (INT64_MAX: none, SQL answers everything); for tests.
void images_from(struct images *im, int64_t id);
// While true what lists need is not loaded yet, only noted; for the start, when others need the processors.
void images_later(struct images *im, bool later);
struct images *images_open(struct store *s); // starts the image thread
void images_close(struct images *im);        // NULL is fine
// In a job that has written the row: applied to the image, if there is one, after the commit.
void images_note(struct db *db, const struct table *t, const struct common *c, const struct value *vals);
// In a job that has made the table ready: if the type is big, what its lists always need is loaded after the commit.
void images_expect(struct db *db, const struct table *t);
// In a job that has changed the table itself: after the commit its image is thrown away.
void images_drop(struct db *db, struct str type);

// The rows of a page: ids in order and the number of all. False: ask SQL (small type, not loaded yet, out of memory for it).
bool image_list(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                struct arena *a, int64_t **ret_ids, size_t *ret_n, int64_t *ret_total);
// Rows by the value of a column (length 0) or by the first length bytes of it; keys in no order.
bool image_counts(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                  struct str column, size_t length, struct arena *a, struct value **ret_keys, int64_t **ret_counts, size_t *ret_n);
// Asks for the type's image to be made and what the list needs to be loaded. Waits at most wait_us for it: true when it is
// there. For tests, benchmarks and start-up.
bool image_warm(struct db *db, const struct table *t, const struct list_query *lq, int64_t wait_us);

// ---- image_column.c ----------------------------------------------------------------------------
struct str dict_text(const struct dict *d, uint32_t code);
uint32_t dict_find(const struct dict *d, struct str s);  // 0: not there
uint32_t dict_code(struct dict *d, struct str s);        // added if it is not there
void dict_free(struct dict *d);
void column_set(struct image_column *c, size_t row, struct value v);
void column_put_int(struct image_column *c, size_t row, int64_t v);
// What stands for NULL in a width of 1, 2 or 4 bytes.
static inline int64_t column_none(unsigned width) { return -(INT64_C(1) << (8 * width - 1)); }
// Of COL_INT, INT_NONE: NULL; of COL_TEXT the code.
static inline int64_t column_int(const struct image_column *c, size_t row)
{
	int64_t v = c->width == 1 ? ((const int8_t *)c->v)[row] :
	            c->width == 2 ? ((const int16_t *)c->v)[row] :
	            c->width == 4 ? ((const int32_t *)c->v)[row] :
	                            ((const int64_t *)c->v)[row];
	return c->width < sizeof(v) && v == column_none(c->width) ? INT_NONE : v;
}
static inline const double *column_reals(const struct image_column *c) { return c->v; }
struct image_column *image_column(const struct image *m, struct str name);
struct image_column *column_new(struct str name, enum column_kind kind, size_t cap);
void column_free(struct image_column *c);
void column_resize(struct image_column *c, size_t cap);
void text_put(struct image_text *t, size_t row, bool fresh, struct str s); // fresh: the row has none yet; else it is replaced
void text_compact(struct image_text *t, size_t rows);          // when much of it is dead
void text_resize(struct image_text *t, size_t rows);           // room for entries of so many rows
void text_free(struct image_text *t);
struct str text_of_row(const struct image_text *t, size_t row);
static inline size_t text_at(const struct image_text *t, size_t entry) { return t->base[entry / IMAGE_TEXT_BASE] + t->at[entry]; }
static inline size_t text_row(const struct image_text *t, size_t entry) { return t->row ? t->row[entry] : entry; }
// Next place of the needle in p[from, n), n if there is none. needle.n >= 1.
size_t text_find(const char *p, size_t n, size_t from, struct str needle);

// ---- image_select.c ----------------------------------------------------------------------------
#define BITS_WORDS(n) (((n) + 63) / 64)
// A bit a row that scope and list admit; false if it cannot be said from the image. Memory from a.
bool image_select(const struct image *m, const struct table *t, const struct scope *scope, const struct list_query *lq,
                  struct arena *a, uint64_t **ret);
// Columns the question needs, into need.
bool image_needs(const struct table *t, const struct scope *scope, const struct list_query *lq, struct image_need *need);

// ---- image_order.c -----------------------------------------------------------------------------
struct str order_spec(const struct sort *sorts, size_t n, struct arena *a);
struct image_order *image_order(const struct image *m, struct str spec);
void image_order_make(struct image *m, const struct sort *sorts, size_t n); // under the write lock
void image_order_refresh(struct image *m, struct image_order *o);           // under the write lock
void image_order_free(struct image_order *o);
