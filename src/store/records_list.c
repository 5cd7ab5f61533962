// Lists of record types: order, pages, totals, counts, streaming. Reads only; any connection, the thread that holds it.
#include "store/image.h"
#include "store/records_sql.h"

#include <stdlib.h>

#define COUNT_KEYS 1000     // distinct values records_count_by returns

// ---- order -------------------------------------------------------------------------------------
static void sql_rank(struct sql *s, const struct sort *o)
{
	sql_add(s, "CASE ");
	sql_name(s, o->column);
	for (size_t i = 0; i < o->nranks; i++) {
		sql_add(s, " WHEN ");
		sql_param(s, value_str(o->ranks[i]));
		buf_printf(&s->text, " THEN %zu", i);
	}
	buf_printf(&s->text, " ELSE %zu END", o->nranks);
}

static enum err sql_order(struct sql *s, const struct table *t, const struct list_query *lq, struct problem *p)
{
	sql_add(s, " ORDER BY ");
	for (size_t i = 0; lq && i < lq->nsorts; i++) {
		const struct sort *o = &lq->sorts[i];
		enum err err = column_check(t, o->column, NULL, p);
		if (err)
			return err;
		if (o->nranks)
			sql_rank(s, o);
		else
			sql_name(s, o->column);
		sql_add(s, o->descending ? " DESC," : ",");
	}
	// The plus: a text is searched in its covering index and what is found sorted, instead of walking the rows by id.
	sql_add(s, lq && lq->text.n ? "+id DESC" : "id DESC");
	return OK;
}

// ---- lists -------------------------------------------------------------------------------------
static enum err list_total(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                           struct arena *a, int64_t *ret, struct problem *p)
{
	struct sql s;
	struct query q;
	sql_init(&s, a);
	sql_add(&s, "SELECT count(*) FROM ");
	sql_table(&s, t);
	enum err err = sql_where(&s, t, scope, lq, p);
	if (!err) {
		sql_begin(&q, db, &s);
		if (query_row(&q))
			*ret = query_get_i64(&q, 0);
		err = query_end(&q);
	}
	sql_free(&s);
	return err;
}

// The ids are chosen first, so that searching, sorting and skipping carry no wide rows.
static enum err sql_page(struct sql *s, const struct table *t, const struct scope *scope, const struct list_query *lq,
                         struct problem *p)
{
	sql_add(s, "SELECT ");
	sql_columns(s, t);
	sql_add(s, " FROM ");
	sql_table(s, t);
	sql_add(s, " WHERE id IN (SELECT id FROM ");
	sql_table(s, t);
	enum err err = sql_where(s, t, scope, lq, p);
	if (!err)
		err = sql_order(s, t, lq, p);
	sql_add(s, " LIMIT ");
	sql_param(s, value_i64(lq && lq->limit ? (int64_t)lq->limit : -1));
	sql_add(s, " OFFSET ");
	sql_param(s, value_i64(lq ? (int64_t)lq->offset : 0));
	sql_add(s, ")");
	return err ? err : sql_order(s, t, lq, p);
}

// A page that is not full says itself how many there are.
static bool total_known(const struct list_query *lq, size_t n, int64_t *ret)
{
	size_t offset = lq ? lq->offset : 0, limit = lq ? lq->limit : 0;
	*ret = (int64_t)(offset + n);
	return (limit == 0 || n < limit) && (n > 0 || offset == 0);
}

// A row that is no longer the caller's, or not yet in what this connection reads, is left out.
static enum err rows_by_id(struct db *db, const struct table *t, const struct scope *scope, const int64_t *ids, size_t n,
                           struct arena *a, struct row **ret_rows, size_t *ret_n)
{
	*ret_rows = arena_many(a, n + 1, struct row);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		enum err err = records_get(db, t, scope, ids[i], a, &(*ret_rows)[*ret_n]);
		if (err && err != ERR_NOT_FOUND)
			return err;
		*ret_n += err == OK;
	}
	return OK;
}

static enum err list_check(const struct table *t, const struct list_query *lq, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && lq && i < lq->nfilters; i++)
		err = filter_check(t, &lq->filters[i], p);
	for (size_t i = 0; !err && lq && i < lq->nsorts; i++)
		err = column_check(t, lq->sorts[i].column, NULL, p);
	return err;
}

enum err records_list(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                      struct arena *a, struct row **ret_rows, size_t *ret_n, int64_t *ret_total, struct problem *p)
{
	struct sql s;
	struct query q;
	size_t cap = 0;
	int64_t *ids, total;
	size_t nids;
	*ret_rows = NULL;
	*ret_n = 0;
	enum err err = list_check(t, lq, p);
	if (err)
		return err;
	if (image_list(db, t, scope, lq, a, &ids, &nids, &total)) {
		if (ret_total)
			*ret_total = total;
		return rows_by_id(db, t, scope, ids, nids, a, ret_rows, ret_n);
	}
	sql_init(&s, a);
	err = sql_page(&s, t, scope, lq, p);
	if (!err) {
		sql_begin(&q, db, &s);
		while (query_row(&q)) {
			*ret_rows = arena_push(a, *ret_rows, ret_n, &cap, sizeof(**ret_rows));
			row_read(&q, t, a, &(*ret_rows)[*ret_n - 1]);
		}
		err = query_end(&q);
	}
	sql_free(&s);
	if (!err && ret_total && !total_known(lq, *ret_n, ret_total))
		err = list_total(db, t, scope, lq, a, ret_total, p);
	return err;
}

// s: where and order are there already.
static enum err walk_rows(struct db *db, const struct table *t, struct sql *s, struct arena *scratch,
                          enum err (*fn)(void *arg, const struct row *row), void *arg)
{
	struct query q;
	enum err stop = OK;
	sql_begin(&q, db, s);
	while (!stop && query_row(&q)) {
		struct row row;
		arena_reset(scratch);
		row_read(&q, t, scratch, &row);
		stop = fn(arg, &row);
	}
	enum err err = query_end(&q);
	return stop ? stop : err;
}

static void sql_rows(struct sql *s, const struct table *t)
{
	sql_add(s, "SELECT ");
	sql_columns(s, t);
	sql_add(s, " FROM ");
	sql_table(s, t);
}

bool records_warm(struct db *db, const struct table *t, const struct list_query *lq, int64_t wait_us)
{
	return image_warm(db, t, lq, wait_us);
}

void records_from_disk(struct store *s, bool yes)
{
	images_from(store_images(s), yes ? INT64_MAX : IMAGE_ROWS);
}

void records_lists_later(struct store *s, bool later) { images_later(store_images(s), later); }

enum err records_each(struct db *db, const struct table *t, const struct list_query *lq, struct arena *scratch,
                      enum err (*fn)(void *arg, const struct row *row), void *arg)
{
	struct arena *own on_scope_exit(arena_freep) = arena_new(0); // the statement's values outlive each row's memory
	struct sql s;
	sql_init(&s, own);
	sql_rows(&s, t);
	enum err err = sql_where(&s, t, NULL, lq, NULL);
	sql_add(&s, " ORDER BY id");
	if (!err)
		err = walk_rows(db, t, &s, scratch, fn, arg);
	sql_free(&s);
	return err;
}

enum err records_scan(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                      struct arena *scratch, enum err (*fn)(void *arg, const struct row *row), void *arg, struct problem *p)
{
	struct arena *own on_scope_exit(arena_freep) = arena_new(0);
	struct sql s;
	sql_init(&s, own);
	sql_rows(&s, t);
	enum err err = sql_where(&s, t, scope, lq, p);
	if (!err)
		err = sql_order(&s, t, lq, p);
	if (!err)
		err = walk_rows(db, t, &s, scratch, fn, arg);
	sql_free(&s);
	return err;
}

// ---- counts ------------------------------------------------------------------------------------
enum err records_count_by(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                          const struct list_query *lq, struct arena *a, struct value **ret_keys, int64_t **ret_counts,
                          size_t *ret_n)
{
	struct group_by by = { .op = GROUP_VALUE, .column = column };
	return records_counts(db, t, scope, lq, &by, a, ret_keys, ret_counts, ret_n, NULL);
}

struct counted {
	struct value key;
	int64_t n;
};

static int cmp_counted(const void *pa, const void *pb)
{
	const struct counted *a = pa, *b = pb;
	if (a->n != b->n)
		return a->n < b->n ? 1 : -1;
	if (a->key.kind != b->key.kind)
		return a->key.kind < b->key.kind ? -1 : 1;
	return a->key.kind == VAL_TEXT ? str_cmp(a->key.s, b->key.s) : (a->key.i > b->key.i) - (a->key.i < b->key.i);
}

static enum err counts_from_sql(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                                const struct group_by *by, struct arena *a, struct value **ret_keys, int64_t **ret_counts,
                                size_t *ret_n, struct problem *p)
{
	struct measure count = { .op = MEASURE_COUNT, .column = STR_EMPTY };
	struct aggregate *g;
	enum err err = records_aggregate(db, t, scope, lq, by, 1, &count, 1, a, &g, ret_n, p);
	if (err)
		return err;
	*ret_keys = arena_many(a, *ret_n + 1, struct value);
	*ret_counts = arena_many(a, *ret_n + 1, int64_t);
	for (size_t i = 0; i < *ret_n; i++) {
		(*ret_keys)[i] = g[i].keys[0];
		(*ret_counts)[i] = g[i].measures[0].i;
	}
	return OK;
}

enum err records_counts(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                        const struct group_by *by, struct arena *a, struct value **ret_keys, int64_t **ret_counts, size_t *ret_n,
                        struct problem *p)
{
	bool plain = by->op == GROUP_VALUE || (by->op == GROUP_AREA && by->length > 0);
	size_t length = by->op == GROUP_AREA ? by->length : 0;
	enum err err = column_check(t, by->column, NULL, p);
	if (!err)
		err = list_check(t, lq, p);
	if (err)
		return err;
	if (!(plain && image_counts(db, t, scope, lq, by->column, length, a, ret_keys, ret_counts, ret_n)))
		err = counts_from_sql(db, t, scope, lq, by, a, ret_keys, ret_counts, ret_n, p);
	if (err || *ret_n == 0)
		return err;
	struct counted *v = arena_many(a, *ret_n, struct counted);
	for (size_t i = 0; i < *ret_n; i++)
		v[i] = (struct counted){ (*ret_keys)[i], (*ret_counts)[i] };
	qsort(v, *ret_n, sizeof(*v), cmp_counted);
	*ret_n = MIN(*ret_n, (size_t)COUNT_KEYS);
	for (size_t i = 0; i < *ret_n; i++) {
		(*ret_keys)[i] = v[i].key;
		(*ret_counts)[i] = v[i].n;
	}
	return OK;
}
