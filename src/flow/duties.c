// What waits for the caller: records in states whose who: names one of the caller's roles, in the caller's scope.
// Reads only; any connection.
#include <stdlib.h>

#include "base/time.h"
#include "flow/flow.h"

#define DUTIES_A_TYPE 500

static bool waits_for(const struct state *s, const struct identity *by)
{
	for (size_t i = 0; i < s->nwho; i++)
		if (auth_has_role(by, s->who[i]))
			return true;
	return false;
}

static size_t waiting_states(const struct type *t, const struct identity *by, struct value *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < t->nstates; i++)
		if (waits_for(&t->states[i], by))
			ret[n++] = (struct value){ .kind = VAL_TEXT, .s = t->states[i].name };
	return n;
}

struct duties {
	struct duty *v;
	size_t n, cap;
};

static enum err type_duties(struct db *db, const struct type *t, const struct identity *by, struct arena *a,
                            struct duties *all, struct problem *p)
{
	struct value *states = arena_many(a, t->nstates, struct value);
	struct filter filter = { STR("state"), FILTER_IN, states, waiting_states(t, by, states) };
	struct sort sorts[] = { { .column = STR("deadline") }, { .column = STR("state_at") } };
	struct list_query lq = { .text = STR_EMPTY, .filters = &filter, .nfilters = 1, .sorts = sorts,
		                 .nsorts = ARRAY_LEN(sorts), .limit = DUTIES_A_TYPE };
	struct row *rows = NULL;
	size_t n = 0;
	struct scope scope = auth_scope(by, t);
	if (filter.nvals == 0 || !auth_may_read(by, t))
		return OK;
	enum err err = records_list(db, &t->table, &scope, &lq, a, &rows, &n, NULL, p);
	for (size_t i = 0; !err && i < n; i++) {
		const struct common *c = &rows[i].c;
		all->v = arena_push(a, all->v, &all->n, &all->cap, sizeof *all->v);
		all->v[all->n - 1] = (struct duty){ .type = t->name, .id = c->id, .number = c->number, .title = c->title,
			                            .state = c->state, .deadline = c->deadline, .since = c->state_at,
			                            .escalated = c->escalated };
	}
	return err;
}

// By deadline: what is overdue comes first by itself; without a deadline last; then what has waited longest.
static int by_urgency(const void *x, const void *y)
{
	const struct duty *a = x, *b = y;
	int64_t ad = a->deadline ? a->deadline : INT64_MAX, bd = b->deadline ? b->deadline : INT64_MAX;
	if (ad != bd)
		return ad < bd ? -1 : 1;
	return (a->since > b->since) - (a->since < b->since);
}

enum err flow_duties(struct db *db, const struct registry *reg, const struct identity *by, struct arena *a,
                     struct duty **ret, size_t *ret_n)
{
	struct duties all = { .v = NULL };
	struct problem p;
	enum err err = OK;
	problem_init(&p, a);
	for (size_t i = 0; !err && i < reg->ntypes; i++)
		err = type_duties(db, &reg->types[i], by, a, &all, &p);
	if (all.n > 1)
		qsort(all.v, all.n, sizeof *all.v, by_urgency);
	*ret = all.v;
	*ret_n = all.n;
	return err;
}
