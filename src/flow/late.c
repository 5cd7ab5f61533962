// What is past its deadline, and on whom it waits: open records of every type in the caller's scope. Reads only; any connection.
#include "flow/draft.h"

#define TOWN_DIGITS 9           // of a division's code

struct due {                    // the rows of a type that are late, as a question
	struct value from, until;
	struct filter filters[3];
	struct list_query lq;
	struct scope scope;
};

// states: in which of them; one in which nothing is due any more keeps the deadline it had.
static void due_begin(struct due *d, const struct type *t, const struct identity *by, int64_t now, struct filter states)
{
	*d = (struct due){ .from = { .kind = VAL_INT, .i = 1 }, .until = { .kind = VAL_INT, .i = now }, .scope = auth_scope(by, t) };
	d->filters[0] = (struct filter){ STR("deadline"), FILTER_GE, &d->from, 1 };
	d->filters[1] = (struct filter){ STR("deadline"), FILTER_LT, &d->until, 1 };
	d->filters[2] = states;
	d->lq = (struct list_query){ .text = STR_EMPTY, .filters = d->filters, .nfilters = ARRAY_LEN(d->filters) };
}

static enum err type_late(struct db *db, const struct type *t, const struct identity *by, int64_t now, struct arena *a,
                          struct aggregate **ret, size_t *ret_n, struct problem *p)
{
	struct group_by groups[] = { { GROUP_VALUE, STR("state"), 0 }, { GROUP_AREA, STR("area"), TOWN_DIGITS } };
	struct measure measures[] = { { .op = MEASURE_COUNT }, { .op = MEASURE_MIN, .column = STR("deadline") } };
	struct due d;
	due_begin(&d, t, by, now, type_open_states(t, a));
	return records_aggregate(db, &t->table, &d.scope, &d.lq, groups, ARRAY_LEN(groups), measures, ARRAY_LEN(measures), a, ret, ret_n, p);
}

enum err flow_late(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                   struct late **ret, size_t *ret_n, struct problem *p)
{
	struct late *v = NULL;
	size_t n = 0, cap = 0;
	enum err err = OK;
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		struct aggregate *g;
		size_t ngroups = 0;
		if (t->nstates == 0 || !auth_may_read(by, t))
			continue;
		err = type_late(db, t, by, now, a, &g, &ngroups, p);
		for (size_t k = 0; !err && k < ngroups; k++) {
			struct str area = g[k].keys[1].kind == VAL_TEXT ? g[k].keys[1].s : STR_EMPTY;
			v = arena_push(a, v, &n, &cap, sizeof *v);
			v[n - 1] = (struct late){ t, type_state(t, g[k].keys[0].s), area, g[k].measures[0].i, g[k].measures[1].i };
		}
	}
	*ret = v;
	*ret_n = n;
	return err;
}

static struct filter states_of_enterprises(const struct registry *reg, const struct type *t, struct arena *a)
{
	struct value *v = arena_many(a, t->nstates, struct value);
	struct filter f = { STR("state"), FILTER_IN, v, 0 };
	for (size_t i = 0; i < t->nstates; i++)
		if (!t->states[i].end && flow_waits_on_enterprise(reg, t, &t->states[i]))
			v[f.nvals++] = (struct value){ .kind = VAL_TEXT, .s = t->states[i].name };
	return f;
}

enum err flow_late_enterprises(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                               struct late_enterprise **ret, size_t *ret_n, struct problem *p)
{
	static const struct group_by enterprise = { GROUP_VALUE, { "enterprise", 10 }, 0 };
	struct late_enterprise *v = NULL;
	size_t n = 0, cap = 0;
	enum err err = OK;
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		struct value *keys;
		int64_t *counts;
		size_t nkeys = 0;
		struct due d;
		if (!auth_may_read(by, t))
			continue;
		due_begin(&d, t, by, now, states_of_enterprises(reg, t, a));
		if (d.filters[2].nvals)
			err = records_counts(db, &t->table, &d.scope, &d.lq, &enterprise, a, &keys, &counts, &nkeys, p);
		for (size_t k = 0; !err && k < nkeys; k++) {
			if (keys[k].kind != VAL_INT || keys[k].i == 0)
				continue;
			v = arena_push(a, v, &n, &cap, sizeof *v);
			v[n - 1] = (struct late_enterprise){ keys[k].i, counts[k] };
		}
	}
	*ret = v;
	*ret_n = n;
	return err;
}
