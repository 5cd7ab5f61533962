// What a clock looks for in the tables of record types: rows whose deadline has come, by the indexes on
// (state, counter, deadline). Reads on any connection; counters are set in store jobs.
#include "store/records_sql.h"

// The planner has no statistics: left alone it may take the index on state and read every row of it.
static void due_where(struct sql *s, const struct table *t, const struct due_query *q)
{
	sql_add(s, " INDEXED BY ");
	sql_name(s, arena_printf(s->arena, "k_%.*s_%s", STR_FMT(t->name), str_is(q->counter, "escalated") ? "due" : "remind"));
	sql_add(s, " WHERE deadline > 0 AND state="); // the indexes are on these rows alone
	sql_param(s, value_str(q->state));
	sql_add(s, " AND ");
	sql_name(s, q->counter);
	sql_add(s, "=");
	sql_param(s, value_i64(q->count));
}

enum err records_due(struct db *db, const struct table *t, const struct due_query *dq, struct arena *a, struct row **ret,
                     size_t *ret_n, struct problem *p)
{
	struct sql s;
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	enum err err = column_check(t, dq->counter, NULL, p);
	if (err)
		return err;
	sql_init(&s, a);
	sql_add(&s, "SELECT ");
	sql_columns(&s, t);
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	due_where(&s, t, dq);
	sql_add(&s, " AND deadline<=");
	sql_param(&s, value_i64(dq->until));
	sql_add(&s, " ORDER BY deadline LIMIT ");
	sql_param(&s, value_i64((int64_t)dq->limit));
	sql_begin(&q, db, &s);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		row_read(&q, t, a, &(*ret)[*ret_n - 1]);
	}
	err = query_end(&q);
	sql_free(&s);
	return err;
}

enum err records_due_next(struct db *db, const struct table *t, const struct due_query *dq, struct arena *a, int64_t *ret,
                          struct problem *p)
{
	struct sql s;
	struct query q;
	*ret = 0;
	enum err err = column_check(t, dq->counter, NULL, p);
	if (err)
		return err;
	sql_init(&s, a);
	sql_add(&s, "SELECT MIN(deadline) FROM ");
	sql_table(&s, t);
	due_where(&s, t, dq);
	sql_add(&s, " AND deadline>");
	sql_param(&s, value_i64(dq->until));
	sql_begin(&q, db, &s);
	if (query_row(&q) && !query_is_null(&q, 0))
		*ret = query_get_i64(&q, 0);
	err = query_end(&q);
	sql_free(&s);
	return err;
}

enum err records_set_counter(struct db *db, const struct table *t, int64_t id, struct str counter, int64_t count, struct problem *p)
{
	struct sql s;
	struct query q;
	enum err err = column_check(t, counter, NULL, p);
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "UPDATE ");
	sql_table(&s, t);
	sql_add(&s, " SET ");
	sql_name(&s, counter);
	sql_add(&s, "=");
	sql_param(&s, value_i64(count));
	sql_add(&s, " WHERE id=");
	sql_param(&s, value_i64(id));
	sql_begin(&q, db, &s);
	err = query_run(&q);
	sql_free(&s);
	return err;
}

// ---- records of schedules ----------------------------------------------------------------------

enum err records_scheduled_subjects(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                                    const struct scheduled_query *sq, int64_t *ret_subjects, int64_t *ret_missing, struct problem *p)
{
	struct sql s;
	struct query q;
	*ret_subjects = *ret_missing = 0;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT COUNT(*), SUM(NOT EXISTS(SELECT 1 FROM scheduled d WHERE d.schedule=");
	sql_param(&s, value_str(sq->schedule));
	sql_add(&s, " AND d.period=");
	sql_param(&s, value_str(sq->period));
	sql_add(&s, " AND d.subject=");
	sql_table(&s, t);
	sql_add(&s, ".id)) FROM ");
	sql_table(&s, t);
	enum err err = sql_where(&s, t, scope, lq, p);
	if (!err) {
		sql_begin(&q, db, &s);
		if (query_row(&q)) {
			*ret_subjects = query_get_i64(&q, 0);
			*ret_missing = query_get_i64(&q, 1);
		}
		err = query_end(&q);
	}
	sql_free(&s);
	return err;
}

static void sql_ended(struct sql *s, const struct scheduled_query *sq)
{
	sql_add(s, "state IN (''");
	for (size_t i = 0; i < sq->nends; i++) {
		sql_add(s, ",");
		sql_param(s, sq->ends[i]);
	}
	sql_add(s, ")");
}

enum err records_scheduled(struct db *db, const struct table *t, const struct scope *scope, const struct scheduled_query *sq,
                           int64_t *ret_opened, int64_t *ret_done, int64_t *ret_overdue, struct problem *p)
{
	struct sql s;
	struct query q;
	*ret_opened = *ret_done = *ret_overdue = 0;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT COUNT(*), SUM(");
	sql_ended(&s, sq);
	sql_add(&s, "), SUM(deadline > 0 AND deadline < ");
	sql_param(&s, value_i64(sq->now));
	sql_add(&s, " AND NOT ");
	sql_ended(&s, sq);
	sql_add(&s, ") FROM scheduled d JOIN ");
	sql_table(&s, t);
	sql_add(&s, " ON id=d.record WHERE retired=0 AND d.schedule=");
	sql_param(&s, value_str(sq->schedule));
	sql_add(&s, " AND d.period=");
	sql_param(&s, value_str(sq->period));
	sql_scope(&s, t, scope);
	sql_begin(&q, db, &s);
	if (query_row(&q)) {
		*ret_opened = query_get_i64(&q, 0);
		*ret_done = query_get_i64(&q, 1);
		*ret_overdue = query_get_i64(&q, 2);
	}
	enum err err = query_end(&q);
	sql_free(&s);
	return err;
}
