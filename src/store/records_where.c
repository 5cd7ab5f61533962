// Which rows: scope, filters, conditions and the text search of a list as the WHERE of a statement. Forms text only; called
// by the other records_*.c files.
#include "base/limits.h"
#include "store/records_sql.h"

#define COND_DEPTH 32       // of a condition's tree; more than LIMIT_EXPR_DEPTH, so that only a mistake of ours meets it

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

// ---- none --------------------------------------------------------------------------------------
bool none_is_empty(const struct table *t, struct str column, enum column_kind *ret)
{
	static const char *const plain[] = { "id", "version", "type_version", "escalated", "reminded", "retired" };
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_is(column, plain[i]))
			return false;
	return own_column(t, column) < 0 && common_column(column, ret);
}

static void sql_has(struct sql *s, const struct table *t, struct str column, bool has)
{
	enum column_kind kind = COL_TEXT;
	bool empty = none_is_empty(t, column, &kind);
	sql_name(s, column);
	if (empty)
		sql_add(s, has ? "<>" : "=");
	sql_add(s, empty ? kind == COL_TEXT ? "''" : "0" : has ? " IS NOT NULL" : " IS NULL");
}

// ---- filters -----------------------------------------------------------------------------------
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

static void sql_filter_op(struct sql *s, const struct table *t, const struct filter *f)
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
	case FILTER_NOT_NULL:
		sql_has(s, t, f->column, f->op == FILTER_NOT_NULL);
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

void sql_scope(struct sql *s, const struct table *t, const struct scope *scope)
{
	struct filter f[SCOPE_FILTERS];
	size_t n = scope ? scope_filters(scope, s->arena, f) : 0;
	for (size_t i = 0; i < n; i++) {
		sql_add(s, " AND ");
		sql_filter_op(s, t, &f[i]);
	}
}

enum err filter_check(const struct table *t, const struct filter *f, struct problem *p)
{
	enum column_kind kind;
	enum err err = column_check(t, f->column, &kind, p);
	if (err)
		return err;
	if (!filter_values_fit(f, kind))
		return problem_set(p, ERR_INVALID, "where", "列“%.*s”不能这样筛选", "column \"%.*s\" cannot be filtered like this",
		                   STR_FMT(f->column));
	return OK;
}

// ---- conditions --------------------------------------------------------------------------------
// As expressions are evaluated (decision 0004): a comparison with a missing value is false, and its opposite true.
static const char *op_text(enum filter_op op)
{
	switch (op) {
	case FILTER_EQ:
		return "=";
	case FILTER_NE:
		return "<>";
	case FILTER_LT:
		return "<";
	case FILTER_LE:
		return "<=";
	case FILTER_GT:
		return ">";
	case FILTER_GE:
		return ">=";
	case FILTER_IN:
	case FILTER_PREFIX:
	case FILTER_NULL:
	case FILTER_CONTAINS:
	case FILTER_NOT_NULL:
		break;
	}
	return NULL;
}

static enum err cond_leaf(struct sql *s, const struct table *t, const struct filter *f, struct problem *p)
{
	enum err err = filter_check(t, f, p);
	if (err)
		return err;
	if (f->op != FILTER_EQ && op_text(f->op)) {
		sql_has(s, t, f->column, true);
		sql_add(s, " AND ");
		sql_compare(s, f, op_text(f->op));
	} else {
		sql_filter_op(s, t, f);
	}
	return OK;
}

static enum err cond_columns(struct sql *s, const struct table *t, const struct condition *c, struct problem *p)
{
	enum column_kind left, right;
	enum err err = column_check(t, c->filter.column, &left, p);
	if (!err)
		err = column_check(t, c->other, &right, p);
	if (err)
		return err;
	if (!op_text(c->filter.op) || (left == COL_TEXT) != (right == COL_TEXT))
		return problem_set(p, ERR_INVALID, "where", "列“%.*s”和“%.*s”不能这样比较", "columns \"%.*s\" and \"%.*s\" cannot be compared like this",
		                   STR_FMT(c->filter.column), STR_FMT(c->other));
	sql_has(s, t, c->filter.column, true);
	sql_add(s, " AND ");
	sql_has(s, t, c->other, true);
	sql_add(s, " AND ");
	sql_name(s, c->filter.column);
	sql_add(s, op_text(c->filter.op));
	sql_name(s, c->other);
	return OK;
}

// Whether there is one is said, never which: no scope is applied to it.
static enum err cond_matched(struct sql *s, const struct table *t, const struct condition *c, struct problem *p)
{
	enum column_kind left, right;
	enum err err = column_check(t, c->filter.column, &left, p);
	if (!err)
		err = column_check(c->of, c->other, &right, p);
	if (err)
		return err;
	if (left != right)
		return problem_set(p, ERR_INVALID, "where", "两列的种类不同，不能比较", "columns of different kinds cannot be compared");
	sql_add(s, "EXISTS(SELECT 1 FROM ");
	sql_table(s, c->of);
	sql_add(s, " AS other WHERE other.retired=0 AND other.");
	sql_name(s, c->other);
	sql_add(s, "=");
	sql_table(s, t);
	sql_add(s, ".");
	sql_name(s, c->filter.column);
	if (c->filter.nvals) {
		const struct filter states = { .column = STR("state"), .op = FILTER_IN, .vals = c->filter.vals, .nvals = c->filter.nvals };
		sql_add(s, " AND other.");
		sql_in(s, &states);
	}
	sql_add(s, ")");
	return OK;
}

static void sql_cols(struct sql *s, const struct condition *c)
{
	for (size_t i = 0; i < c->ncols; i++) {
		sql_add(s, i ? "," : "");
		sql_name(s, c->cols[i]);
	}
}

// The values that occur more than once are found once for the statement, not for each row.
static enum err cond_twins(struct sql *s, const struct table *t, const struct condition *c, struct problem *p)
{
	enum column_kind kind = COL_INT;
	enum err err = c->ncols ? OK : problem_set(p, ERR_INVALID, "where", "没有可比较的列", "no columns to compare");
	for (size_t i = c->ncols; !err && i > 0; i--)
		err = column_check(t, c->cols[i - 1], &kind, p);
	if (!err && kind != COL_TEXT)
		err = problem_set(p, ERR_INVALID, "where", "第一列应为文字", "the first column is to be text");
	if (err)
		return err;
	sql_add(s, "(");
	sql_cols(s, c);
	sql_add(s, ") IN (SELECT ");
	sql_cols(s, c);
	sql_add(s, " FROM ");
	sql_table(s, t);
	sql_add(s, " WHERE +retired=0 AND ");
	sql_name(s, c->cols[0]);
	sql_add(s, "<>''");
	sql_scope(s, t, c->within);
	sql_add(s, " GROUP BY ");
	sql_cols(s, c);
	sql_add(s, " HAVING count(*)>1)");
	return OK;
}

static enum err cond_bad_code(struct sql *s, const struct table *t, const struct condition *c, struct problem *p)
{
	enum err err = column_check(t, c->filter.column, NULL, p);
	if (err)
		return err;
	sql_has(s, t, c->filter.column, true);
	sql_add(s, " AND NOT code_fits(");
	sql_name(s, c->filter.column);
	sql_add(s, ")");
	return OK;
}

static enum err sql_cond(struct sql *s, const struct table *t, const struct condition *c, unsigned depth, struct problem *p);

static enum err cond_subs(struct sql *s, const struct table *t, const struct condition *c, unsigned depth, struct problem *p)
{
	bool and = c->op == COND_AND;
	enum err err = OK;
	if (c->nsubs == 0)
		sql_add(s, and ? "1" : "0");
	for (size_t i = 0; !err && i < c->nsubs; i++) {
		if (i)
			sql_add(s, and ? " AND " : " OR ");
		err = sql_cond(s, t, &c->subs[i], depth - 1, p);
	}
	return err;
}

static enum err sql_cond(struct sql *s, const struct table *t, const struct condition *c, unsigned depth, struct problem *p)
{
	enum err err = OK;
	if (depth == 0 || (c->op == COND_NOT && c->nsubs != 1))
		return problem_set(p, ERR_INVALID, "where", "条件太深", "the condition is nested too deeply");
	sql_add(s, c->op == COND_NOT ? "NOT coalesce(" : "(");
	switch (c->op) {
	case COND_AND:
	case COND_OR:
		err = cond_subs(s, t, c, depth, p);
		break;
	case COND_NOT:
		err = sql_cond(s, t, &c->subs[0], depth - 1, p);
		break;
	case COND_FILTER:
		err = cond_leaf(s, t, &c->filter, p);
		break;
	case COND_COLUMNS:
		err = cond_columns(s, t, c, p);
		break;
	case COND_MATCHED:
		err = cond_matched(s, t, c, p);
		break;
	case COND_TWINS:
		err = cond_twins(s, t, c, p);
		break;
	case COND_BAD_CODE:
		err = cond_bad_code(s, t, c, p);
		break;
	}
	sql_add(s, c->op == COND_NOT ? ",0)" : ")");
	return err;
}

enum err sql_condition(struct sql *s, const struct table *t, const struct condition *c, struct problem *p)
{
	return sql_cond(s, t, c, COND_DEPTH, p);
}

// ---- text --------------------------------------------------------------------------------------

size_t search_words(struct str text, struct arena *a, struct str ret[SEARCH_WORDS])
{
	struct str rest = fold_case(str_trim(text), a);
	size_t n = 0;
	while (n < SEARCH_WORDS && rest.n) {
		struct str word = str_cut(&rest, ' ');
		if (word.n)
			ret[n++] = word;
	}
	return n;
}

// Every word of the text must occur somewhere in the row's search text, or in its initials. Two Chinese characters are
// found as well as twenty. Reads every row that the rest of the condition leaves: big types are searched in image_select.c.
static void sql_search(struct sql *s, struct str text)
{
	struct str words[SEARCH_WORDS];
	size_t n = search_words(text, s->arena, words);
	for (size_t i = 0; i < n; i++) {
		sql_add(s, " AND finds(search,");
		sql_param(s, value_str(words[i]));
		sql_add(s, ")");
	}
}

enum err sql_where(struct sql *s, const struct table *t, const struct scope *scope, const struct list_query *lq,
                   struct problem *p)
{
	// The plus: an index that only says which rows are retired leads through the table in its own order, which is slower
	// than reading all of it.
	sql_add(s, lq && lq->with_retired ? " WHERE 1" : " WHERE +retired=0");
	sql_scope(s, t, scope);
	if (!lq)
		return OK;
	for (size_t i = 0; i < lq->nfilters; i++) {
		enum err err = filter_check(t, &lq->filters[i], p);
		if (err)
			return err;
		sql_add(s, " AND ");
		sql_filter_op(s, t, &lq->filters[i]);
	}
	if (lq->cond) {
		sql_add(s, " AND ");
		enum err err = sql_cond(s, t, lq->cond, COND_DEPTH, p);
		if (err)
			return err;
	}
	sql_search(s, lq->text);
	return OK;
}
