// What a person has done and was told of, for the work centre: one row a person, box and record, written with the change
// itself. Reads on any connection.
#include <stdlib.h>

#include "base/time.h"
#include "flow/draft.h"

enum err work_put(struct db *db, int64_t person, const char *box, const struct type *t, const struct common *c, struct str what)
{
	struct query q;
	if (person == 0)
		return OK;
	query_begin(&q, db, STMT_WORK_PUT);
	query_i64(&q, 1, person);
	query_str(&q, 2, str_of(box));
	query_str(&q, 3, t->name);
	query_i64(&q, 4, c->id);
	query_i64(&q, 5, clock_now());
	query_str(&q, 6, what);
	query_str(&q, 7, c->number);
	query_str(&q, 8, c->title);
	return query_run(&q);
}

// ---- the boxes ---------------------------------------------------------------------------------

static void fill(struct work_item *w, const struct type *t, const struct common *c)
{
	w->type = t->name;
	w->id = c->id;
	w->number = c->number;
	w->title = c->title;
	w->state = c->state;
	w->deadline = c->deadline;
	w->escalated = c->escalated;
}

static struct str lower(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
	return str_from(p, s.n);
}

static bool wanted(const struct work_query *wq, struct str type, struct str number, struct str title, struct arena *a)
{
	if (wq->type.n && !str_eq(wq->type, type))
		return false;
	return wq->text.n == 0 || str_contains(lower(number, a), wq->text) || str_contains(lower(title, a), wq->text);
}

static enum err box_todo(struct db *db, const struct work_query *wq, struct arena *a, struct work_item **ret, size_t *ret_n,
                         int64_t *ret_total)
{
	struct duty *v;
	size_t n, cap = 0;
	enum err err = flow_duties(db, wq->reg, wq->by, a, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (!wanted(wq, v[i].type, v[i].number, v[i].title, a))
			continue;
		if (++*ret_total <= (int64_t)wq->offset || *ret_n == wq->limit)
			continue;
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct work_item){ .type = v[i].type, .id = v[i].id, .number = v[i].number, .title = v[i].title,
			                                 .state = v[i].state, .deadline = v[i].deadline, .at = v[i].since,
			                                 .escalated = v[i].escalated, .request = v[i].request, .what = STR_EMPTY };
	}
	return err;
}

static void work_params(struct query *q, const struct work_query *wq)
{
	query_i64(q, 1, wq->by->person);
	query_str(q, 2, wq->box);
	query_str(q, 3, wq->type);
	query_str(q, 4, wq->text);
}

// As it is now; what the caller may not see any more stays a line without its record.
static enum err refresh(struct db *db, const struct work_query *wq, struct work_item *w, struct arena *a)
{
	struct row row;
	const struct type *t = registry_type(wq->reg, w->type);
	struct scope scope = t ? auth_scope(wq->by, t) : (struct scope){ .nothing = true };
	enum err err = t && auth_may_read(wq->by, t) ? records_get(db, &t->table, &scope, w->id, a, &row) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND) {
		w->gone = true;
		w->title = STR_EMPTY;
		return OK;
	}
	if (!err)
		fill(w, t, &row.c);
	return err;
}

static enum err box_kept(struct db *db, const struct work_query *wq, struct arena *a, struct work_item **ret, size_t *ret_n,
                         int64_t *ret_total)
{
	struct query q;
	size_t cap = 0;
	query_begin(&q, db, STMT_WORK_COUNT);
	work_params(&q, wq);
	*ret_total = query_row(&q) ? query_get_i64(&q, 0) : 0;
	enum err err = query_end(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_WORK_LIST);
	work_params(&q, wq);
	query_i64(&q, 5, (int64_t)wq->limit);
	query_i64(&q, 6, (int64_t)wq->offset);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct work_item){ .type = query_get_str(&q, 0, a), .id = query_get_i64(&q, 1), .at = query_get_i64(&q, 2),
			                                 .what = query_get_str(&q, 3, a), .number = query_get_str(&q, 4, a),
			                                 .title = query_get_str(&q, 5, a), .state = STR_EMPTY };
	}
	err = query_end(&q);
	for (size_t i = 0; !err && i < *ret_n; i++)
		err = refresh(db, wq, &(*ret)[i], a);
	return err;
}

static int newest_first(const void *x, const void *y)
{
	const struct work_item *a = x, *b = y;
	return (a->at < b->at) - (a->at > b->at);
}

static enum err started_of(struct db *db, const struct work_query *wq, const struct type *t, struct arena *a, struct work_item **all,
                           size_t *n, size_t *cap, int64_t *total)
{
	struct problem p;
	struct row *rows;
	size_t nrows;
	int64_t count = 0;
	struct value me = { .kind = VAL_INT, .i = wq->by->person };
	struct filter f = { STR("created_by"), FILTER_EQ, &me, 1 };
	struct sort newest = { .column = STR("created_at"), .descending = true };
	struct list_query lq = { .text = wq->text, .filters = &f, .nfilters = 1, .sorts = &newest, .nsorts = 1,
		                 .limit = wq->offset + wq->limit };
	struct scope scope = auth_scope(wq->by, t);
	problem_init(&p, a);
	enum err err = records_list(db, &t->table, &scope, &lq, a, &rows, &nrows, &count, &p);
	for (size_t i = 0; !err && i < nrows; i++) {
		*all = arena_push(a, *all, n, cap, sizeof **all);
		struct work_item *w = &(*all)[*n - 1];
		*w = (struct work_item){ .at = rows[i].c.created_at, .what = STR_EMPTY };
		fill(w, t, &rows[i].c);
	}
	*total += count;
	return err;
}

static enum err box_started(struct db *db, const struct work_query *wq, struct arena *a, struct work_item **ret, size_t *ret_n,
                            int64_t *ret_total)
{
	size_t cap = 0;
	enum err err = OK;
	for (size_t i = 0; !err && i < wq->reg->ntypes; i++) {
		const struct type *t = &wq->reg->types[i];
		if (auth_may_read(wq->by, t) && (wq->type.n == 0 || str_eq(wq->type, t->name)))
			err = started_of(db, wq, t, a, ret, ret_n, &cap, ret_total);
	}
	if (*ret_n > 1)
		qsort(*ret, *ret_n, sizeof **ret, newest_first);
	size_t skip = MIN(wq->offset, *ret_n);
	*ret += skip;
	*ret_n = MIN(*ret_n - skip, wq->limit);
	return err;
}

enum err flow_work(struct db *db, const struct work_query *asked, struct arena *a, struct work_item **ret, size_t *ret_n,
                   int64_t *ret_total)
{
	struct work_query wq = *asked;
	*ret = NULL;
	*ret_n = 0;
	*ret_total = 0;
	wq.text = lower(asked->text, a);
	if (str_is(wq.box, "todo"))
		return box_todo(db, &wq, a, ret, ret_n, ret_total);
	if (str_is(wq.box, "started"))
		return box_started(db, &wq, a, ret, ret_n, ret_total);
	return box_kept(db, &wq, a, ret, ret_n, ret_total);
}
