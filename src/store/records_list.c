// Lists of record types: scope, filters, text search, order, pages, totals, counts, streaming. Reads only; any
// connection, the thread that holds it.
#include "store/records_sql.h"

#define SEARCH_WORDS 8      // words of ?q= that all must occur
#define COUNT_KEYS 1000     // distinct values records_count_by returns

// ---- where -------------------------------------------------------------------------------------
// Everything that starts with s lies in [s, s U+10FFFF).
static struct str prefix_end(struct str s, struct arena *a)
{
	return arena_printf(a, "%.*s\xf4\x8f\xbf\xbf", STR_FMT(s));
}

static void sql_prefix(struct sql *s, struct str column, struct str prefix)
{
	sql_name(s, column);
	sql_add(s, ">=");
	sql_param(s, value_str(prefix));
	sql_add(s, " AND ");
	sql_name(s, column);
	sql_add(s, "<");
	sql_param(s, value_str(prefix_end(prefix, s->arena)));
}

void sql_scope(struct sql *s, const struct scope *scope)
{
	if (!scope)
		return;
	if (scope->nothing) {
		sql_add(s, " AND 0");
		return;
	}
	if (scope->area.n) {
		sql_add(s, " AND ");
		sql_prefix(s, STR("area"), scope->area);
	}
	if (scope->enterprise) {
		sql_add(s, " AND enterprise=");
		sql_param(s, value_i64(scope->enterprise));
	}
}

static void sql_in(struct sql *s, const struct filter *f)
{
	if (f->nvals == 0) {
		sql_add(s, "0");
		return;
	}
	sql_name(s, f->column);
	sql_add(s, " IN (");
	for (size_t i = 0; i < f->nvals; i++) {
		if (i)
			sql_add(s, ",");
		sql_param(s, f->vals[i]);
	}
	sql_add(s, ")");
}

static void sql_compare(struct sql *s, const struct filter *f, const char *op)
{
	sql_name(s, f->column);
	sql_add(s, op);
	sql_param(s, f->vals[0]);
}

static void sql_filter_op(struct sql *s, const struct filter *f)
{
	switch (f->op) {
	case FILTER_EQ:
		sql_compare(s, f, "=");
		break;
	case FILTER_NE:
		sql_compare(s, f, " IS NOT "); // a row without a value is different too
		break;
	case FILTER_LT:
		sql_compare(s, f, "<");
		break;
	case FILTER_LE:
		sql_compare(s, f, "<=");
		break;
	case FILTER_GT:
		sql_compare(s, f, ">");
		break;
	case FILTER_GE:
		sql_compare(s, f, ">=");
		break;
	case FILTER_IN:
		sql_in(s, f);
		break;
	case FILTER_PREFIX:
		sql_prefix(s, f->column, f->vals[0].s);
		break;
	case FILTER_CONTAINS:
		sql_add(s, "holds(");
		sql_name(s, f->column);
		sql_add(s, ",");
		sql_param(s, f->vals[0]);
		sql_add(s, ")");
		break;
	case FILTER_NULL:
		sql_name(s, f->column);
		sql_add(s, " IS NULL");
		break;
	case FILTER_NOT_NULL:
		sql_name(s, f->column);
		sql_add(s, " IS NOT NULL");
		break;
	}
}

static bool filter_values_fit(const struct filter *f, enum column_kind kind)
{
	bool wants_text = f->op == FILTER_PREFIX || f->op == FILTER_CONTAINS;
	bool wants_none = f->op == FILTER_NULL || f->op == FILTER_NOT_NULL;
	if (!wants_none && f->op != FILTER_IN && f->nvals != 1)
		return false;
	if (wants_text && kind != COL_TEXT)
		return false;
	for (size_t i = 0; !wants_none && i < f->nvals; i++)
		if ((kind == COL_TEXT) != (f->vals[i].kind == VAL_TEXT))
			return false;
	return true;
}

static enum err sql_filter(struct sql *s, const struct table *t, const struct filter *f, struct problem *p)
{
	enum column_kind kind;
	enum err err = column_check(t, f->column, &kind, p);
	if (err)
		return err;
	if (!filter_values_fit(f, kind))
		return problem_set(p, ERR_INVALID, "where", "列“%.*s”不能这样筛选", "column \"%.*s\" cannot be filtered like this",
		                   STR_FMT(f->column));
	sql_add(s, " AND ");
	sql_filter_op(s, f);
	return OK;
}

// Every word of the text must occur somewhere in the row's search text. A scan of a covering index: no smallest length,
// so that two Chinese characters are found as well as twenty.
static void sql_search(struct sql *s, struct str text)
{
	struct str rest = fold_case(text, s->arena);
	for (size_t i = 0; i < SEARCH_WORDS && rest.n;) {
		struct str word = str_cut(&rest, ' ');
		if (word.n == 0)
			continue;
		sql_add(s, " AND holds(search,");
		sql_param(s, value_str(word));
		sql_add(s, ")");
		i++;
	}
}

enum err sql_where(struct sql *s, const struct table *t, const struct scope *scope, const struct list_query *lq,
                   struct problem *p)
{
	sql_add(s, lq && lq->with_retired ? " WHERE 1" : " WHERE retired=0");
	sql_scope(s, scope);
	if (!lq)
		return OK;
	for (size_t i = 0; i < lq->nfilters; i++) {
		enum err err = sql_filter(s, t, &lq->filters[i], p);
		if (err)
			return err;
	}
	sql_search(s, str_trim(lq->text));
	return OK;
}

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

enum err records_list(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                      struct arena *a, struct row **ret_rows, size_t *ret_n, int64_t *ret_total, struct problem *p)
{
	struct sql s;
	struct query q;
	size_t cap = 0;
	*ret_rows = NULL;
	*ret_n = 0;
	sql_init(&s, a);
	enum err err = sql_page(&s, t, scope, lq, p);
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

enum err records_each(struct db *db, const struct table *t, const struct list_query *lq, struct arena *scratch,
                      enum err (*fn)(void *arg, const struct row *row), void *arg)
{
	struct arena *own = arena_new(0); // the statement's values outlive each row's memory
	struct sql s;
	struct query q;
	sql_init(&s, own);
	sql_add(&s, "SELECT ");
	sql_columns(&s, t);
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	enum err err = sql_where(&s, t, NULL, lq, NULL);
	if (!err) {
		sql_add(&s, " ORDER BY id");
		sql_begin(&q, db, &s);
		enum err stop = OK;
		while (!stop && query_row(&q)) {
			struct row row;
			arena_reset(scratch);
			row_read(&q, t, scratch, &row);
			stop = fn(arg, &row);
		}
		err = query_end(&q);
		if (stop)
			err = stop;
	}
	sql_free(&s);
	arena_free(own);
	return err;
}

// ---- counts ------------------------------------------------------------------------------------
static struct value key_read(struct query *q, enum column_kind kind, struct arena *a)
{
	if (query_is_null(q, 0))
		return (struct value){ .kind = VAL_NULL };
	if (kind == COL_TEXT)
		return value_str(query_get_str(q, 0, a));
	if (kind == COL_REAL)
		return (struct value){ .kind = VAL_REAL, .f = query_get_f64(q, 0) };
	return value_i64(query_get_i64(q, 0));
}

static void counts_read(struct query *q, enum column_kind kind, struct arena *a, struct value **ret_keys,
                        int64_t **ret_counts, size_t *ret_n)
{
	*ret_keys = arena_many(a, COUNT_KEYS, struct value);
	*ret_counts = arena_many(a, COUNT_KEYS, int64_t);
	*ret_n = 0;
	while (query_row(q)) {
		(*ret_keys)[*ret_n] = key_read(q, kind, a);
		(*ret_counts)[*ret_n] = query_get_i64(q, 1);
		++*ret_n;
	}
}

enum err records_count_by(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                          const struct list_query *lq, struct arena *a, struct value **ret_keys, int64_t **ret_counts,
                          size_t *ret_n)
{
	enum column_kind kind;
	enum err err = column_check(t, column, &kind, NULL);
	if (err)
		return err;
	struct sql s;
	struct query q;
	sql_init(&s, a);
	sql_add(&s, "SELECT ");
	sql_name(&s, column);
	sql_add(&s, ",count(*) FROM ");
	sql_table(&s, t);
	err = sql_where(&s, t, scope, lq, NULL);
	if (!err) {
		sql_add(&s, " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ");
		sql_param(&s, value_i64(COUNT_KEYS));
		sql_begin(&q, db, &s);
		counts_read(&q, kind, a, ret_keys, ret_counts, ret_n);
		err = query_end(&q);
	}
	sql_free(&s);
	return err;
}
