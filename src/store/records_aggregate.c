// Aggregates of record types: counts, sums, extremes and averages by value, area tier or period. Reads only; any
// connection, the thread that holds it. Called by indicators, reports and counts.
#include "base/time.h"
#include "store/records_sql.h"

#define BY_MAX 4
#define MEASURES_MAX 64

static enum err by_check(const struct table *t, const struct group_by *by, enum column_kind *ret, struct problem *p)
{
	enum err err = column_check(t, by->column, ret, p);
	if (err)
		return err;
	bool period = by->op >= GROUP_YEAR;
	if ((by->op == GROUP_AREA && (*ret != COL_TEXT || by->length == 0)) || (period && *ret == COL_REAL))
		return problem_set(p, ERR_INVALID, "by", "列“%.*s”不能这样分组", "column \"%.*s\" cannot be grouped by like this",
		                   STR_FMT(by->column));
	return OK;
}

// A day of the site's zone, as text or a part of it. Common columns hold 0 or '' where there is nothing.
static void sql_period(struct sql *s, struct str column, enum column_kind kind, const char *format, int length)
{
	if (kind == COL_TEXT) {
		sql_add(s, "substr(nullif(");
		sql_name(s, column);
		buf_printf(&s->text, ",''),1,%d)", length);
		return;
	}
	buf_printf(&s->text, "strftime('%s',nullif(", format);
	sql_name(s, column);
	buf_printf(&s->text, ",0)/1000000+%d,'unixepoch')", time_zone() * 60);
}

static void sql_quarter(struct sql *s, struct str column, enum column_kind kind)
{
	sql_period(s, column, kind, "%Y", 4);
	sql_add(s, "||'-Q'||((");
	if (kind == COL_TEXT) {
		sql_add(s, "substr(");
		sql_name(s, column);
		sql_add(s, ",6,2)");
	} else {
		sql_period(s, column, kind, "%m", 0);
	}
	sql_add(s, "+2)/3)");
}

static void sql_by(struct sql *s, const struct group_by *by, enum column_kind kind)
{
	switch (by->op) {
	case GROUP_VALUE:
		sql_name(s, by->column);
		break;
	case GROUP_AREA:
		sql_add(s, "substr(nullif(");
		sql_name(s, by->column);
		buf_printf(&s->text, ",''),1,%zu)", by->length);
		break;
	case GROUP_YEAR:
		sql_period(s, by->column, kind, "%Y", 4);
		break;
	case GROUP_QUARTER:
		sql_quarter(s, by->column, kind);
		break;
	case GROUP_MONTH:
		sql_period(s, by->column, kind, "%Y-%m", 7);
		break;
	case GROUP_DAY:
		sql_period(s, by->column, kind, "%Y-%m-%d", 10);
		break;
	}
}

static enum err sql_measure(struct sql *s, const struct table *t, const struct measure *m, enum column_kind *ret,
                            struct problem *p)
{
	static const char *const names[] = { [MEASURE_COUNT] = "count(", [MEASURE_SUM] = "sum(", [MEASURE_AVG] = "avg(",
		                                 [MEASURE_MIN] = "min(", [MEASURE_MAX] = "max(" };
	*ret = COL_INT;
	sql_add(s, names[m->op]);
	if (m->op == MEASURE_COUNT && m->cond) {
		sql_add(s, "CASE WHEN ");
		enum err err = sql_condition(s, t, m->cond, p);
		sql_add(s, " THEN 1 END)");
		return err;
	}
	if (m->op == MEASURE_COUNT && m->column.n == 0) {
		sql_add(s, "*)");
		return OK;
	}
	enum err err = column_check(t, m->column, ret, p);
	if (err)
		return err;
	if (*ret == COL_TEXT && (m->op == MEASURE_SUM || m->op == MEASURE_AVG))
		return problem_set(p, ERR_INVALID, "measure", "列“%.*s”不是数字", "column \"%.*s\" is not a number", STR_FMT(m->column));
	sql_name(s, m->column);
	sql_add(s, ")");
	*ret = m->op == MEASURE_COUNT ? COL_INT : m->op == MEASURE_AVG ? COL_REAL : *ret;
	return OK;
}

struct plan { // what the columns of the answer are
	enum column_kind key[BY_MAX], measure[MEASURES_MAX];
	size_t nby, nmeasures;
};

static enum err sql_aggregate(struct sql *s, const struct table *t, const struct group_by *by, const struct measure *measures,
                              struct plan *plan, struct problem *p)
{
	enum err err = OK;
	sql_add(s, "SELECT ");
	for (size_t i = 0; !err && i < plan->nby; i++) {
		enum column_kind kind;
		err = by_check(t, &by[i], &kind, p);
		plan->key[i] = by[i].op == GROUP_VALUE ? kind : COL_TEXT;
		if (!err) {
			sql_by(s, &by[i], kind);
			sql_add(s, ",");
		}
	}
	for (size_t i = 0; !err && i < plan->nmeasures; i++) {
		sql_add(s, i ? "," : "");
		err = sql_measure(s, t, &measures[i], &plan->measure[i], p);
	}
	sql_add(s, " FROM ");
	sql_table(s, t);
	return err;
}

static void sql_groups(struct sql *s, size_t nby)
{
	for (size_t i = 0; i < nby; i++)
		buf_printf(&s->text, "%s%zu", i ? "," : " GROUP BY ", i + 1);
	for (size_t i = 0; i < nby; i++)
		buf_printf(&s->text, "%s%zu", i ? "," : " ORDER BY ", i + 1);
	buf_printf(&s->text, " LIMIT %d", GROUPS_MAX + 1);
}

static enum err groups_read(struct query *q, const struct plan *plan, struct arena *a, struct aggregate **ret, size_t *ret_n)
{
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	while (query_row(q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		struct aggregate *g = &(*ret)[*ret_n - 1];
		g->keys = arena_many(a, plan->nby + 1, struct value);
		g->measures = arena_many(a, plan->nmeasures + 1, struct value);
		for (size_t i = 0; i < plan->nby; i++)
			g->keys[i] = value_get(q, (int)i, plan->key[i], a);
		for (size_t i = 0; i < plan->nmeasures; i++)
			g->measures[i] = value_get(q, (int)(plan->nby + i), plan->measure[i], a);
	}
	return query_end(q);
}

enum err records_aggregate(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                           const struct group_by *by, size_t nby, const struct measure *measures, size_t nmeasures,
                           struct arena *a, struct aggregate **ret, size_t *ret_n, struct problem *p)
{
	struct plan plan = { .nby = nby, .nmeasures = nmeasures };
	struct sql s;
	struct query q;
	if (nby > BY_MAX || nmeasures == 0 || nmeasures > MEASURES_MAX)
		return problem_set(p, ERR_INVALID, "by", "分组或度量太多", "too many groups or measures");
	sql_init(&s, a);
	enum err err = sql_aggregate(&s, t, by, measures, &plan, p);
	if (!err)
		err = sql_where(&s, t, scope, lq, p);
	if (!err) {
		sql_groups(&s, nby);
		sql_begin(&q, db, &s);
		err = groups_read(&q, &plan, a, ret, ret_n);
	}
	sql_free(&s);
	if (!err && *ret_n > GROUPS_MAX)
		return problem_set(p, ERR_TOO_LARGE, "by", "分组太多，请缩小范围", "too many groups: narrow the question");
	return err;
}
