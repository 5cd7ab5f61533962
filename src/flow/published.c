// What had to be public and by when, and whether it was: counted from the records, nobody types it. The type says from which day the
// time runs, how long it is and since when a record is public (publish: due:).
#include <stdlib.h>

#include "base/time.h"
#include "base/workday.h"
#include "flow/change.h"
#include "flow/draft.h"

struct tally {
	const struct registry *reg;
	const struct type *t;
	int64_t since, now;
	struct arena *a;
	size_t *count;
	struct published_item *v;
	size_t n, cap;
};

static enum published judged(int64_t due, int64_t on, int64_t now)
{
	if (on)
		return on <= due ? PUBLISHED_IN_TIME : PUBLISHED_LATE;
	return now > due ? PUBLISHED_NOT : PUBLISHED_WAITING;
}

// A day lasts to its end; what was published on the last day was in time, at whatever hour.
static int64_t last_moment(int64_t at) { return at ? day_end(day_of(at)) : 0; }

static enum err look(void *arg, const struct row *row)
{
	struct tally *k = arg;
	const struct publish_due *d = &k->t->publish.due;
	struct published_item one = { .id = row->c.id, .from = field_moment(d->from, row->vals), .on = field_moment(d->on, row->vals) };
	if (!one.from || one.from < k->since)
		return OK;
	one.due = last_moment(allowance_end(k->reg->workdays, d->within, one.from));
	one.is = judged(one.due, one.on, k->now);
	k->count[one.is]++;
	if (one.is == PUBLISHED_IN_TIME)
		return OK;
	one.number = arena_str(k->a, row->c.number);
	one.title = arena_str(k->a, row->c.title);
	k->v = arena_push(k->a, k->v, &k->n, &k->cap, sizeof *k->v);
	k->v[k->n - 1] = one;
	return OK;
}

static int by_need(const void *x, const void *y)
{
	static const int order[PUBLISHED_KINDS] = { [PUBLISHED_NOT] = 0, [PUBLISHED_WAITING] = 1, [PUBLISHED_LATE] = 2, [PUBLISHED_IN_TIME] = 3 };
	const struct published_item *a = x, *b = y;
	if (a->is != b->is)
		return order[a->is] - order[b->is];
	return a->due != b->due ? (a->due > b->due) - (a->due < b->due) : (a->id > b->id) - (a->id < b->id);
}

enum err flow_publish_due(struct db *db, const struct registry *reg, const struct type *t, const struct scope *scope, int64_t since,
                          struct arena *a, size_t count[PUBLISHED_KINDS], struct published_item *ret, size_t max, size_t *ret_n,
                          struct problem *p)
{
	struct list_query lq = { .cond = flow_publish_cond(reg, t, a), .limit = SIZE_MAX };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	struct tally k = { .reg = reg, .t = t, .since = since, .now = clock_now(), .a = a, .count = count };
	memset(count, 0, PUBLISHED_KINDS * sizeof *count);
	enum err err = records_scan(db, &t->table, scope, &lq, scratch, look, &k, p);
	if (k.n)
		qsort(k.v, k.n, sizeof *k.v, by_need);
	*ret_n = MIN(k.n, max);
	for (size_t i = 0; i < *ret_n; i++)
		ret[i] = k.v[i];
	return err;
}
