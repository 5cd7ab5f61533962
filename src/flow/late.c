// What is past its deadline, and on whom it waits: open records of every type in the caller's scope, by type, state, town and enterprise.
// Reads only; any connection.
#include "flow/draft.h"

#define TOWN_DIGITS 9           // of a division's code

static void take(struct late *l, const struct type *t, const struct aggregate *g)
{
	*l = (struct late){ .type = t, .state = type_state(t, g->keys[0].s), .n = g->measures[0].i, .oldest = g->measures[1].i };
	l->area = g->keys[1].kind == VAL_TEXT ? g->keys[1].s : STR_EMPTY;
	l->enterprise = g->keys[2].kind == VAL_INT ? g->keys[2].i : 0;
}

// A record in a state in which nothing is due any more keeps the deadline it had.
static struct filter open_states(const struct type *t, struct arena *a)
{
	struct value *open = arena_many(a, t->nstates, struct value);
	struct filter f = { STR("state"), FILTER_IN, open, 0 };
	for (size_t i = 0; i < t->nstates; i++)
		if (!t->states[i].end)
			open[f.nvals++] = (struct value){ .kind = VAL_TEXT, .s = t->states[i].name };
	return f;
}

static enum err type_late(struct db *db, const struct type *t, const struct identity *by, int64_t now, struct arena *a,
                          struct aggregate **ret, size_t *ret_n, struct problem *p)
{
	struct value from = { .kind = VAL_INT, .i = 1 }, until = { .kind = VAL_INT, .i = now };
	struct filter due[] = { { STR("deadline"), FILTER_GE, &from, 1 }, { STR("deadline"), FILTER_LT, &until, 1 }, open_states(t, a) };
	struct group_by groups[] = { { GROUP_VALUE, STR("state"), 0 }, { GROUP_AREA, STR("area"), TOWN_DIGITS }, { GROUP_VALUE, STR("enterprise"), 0 } };
	struct measure measures[] = { { .op = MEASURE_COUNT }, { .op = MEASURE_MIN, .column = STR("deadline") } };
	struct list_query lq = { .text = STR_EMPTY, .filters = due, .nfilters = ARRAY_LEN(due) };
	struct scope scope = auth_scope(by, t);
	return records_aggregate(db, &t->table, &scope, &lq, groups, ARRAY_LEN(groups), measures, ARRAY_LEN(measures), a, ret, ret_n, p);
}

enum err flow_late(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                   struct late **ret, size_t *ret_n, struct problem *p)
{
	struct late *v = NULL;
	size_t n = 0, cap = 0;
	enum err err = OK;
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		struct aggregate *groups;
		size_t ngroups = 0;
		if (t->nstates == 0 || !auth_may_read(by, t))
			continue;
		err = type_late(db, t, by, now, a, &groups, &ngroups, p);
		for (size_t k = 0; !err && k < ngroups; k++) {
			v = arena_push(a, v, &n, &cap, sizeof *v);
			take(&v[n - 1], t, &groups[k]);
		}
	}
	*ret = v;
	*ret_n = n;
	return err;
}

static bool role_of_enterprises(const struct registry *reg, struct str who)
{
	const struct role *r = registry_role(reg, who);
	return r && str_is(r->bound, "enterprise");
}

bool flow_waits_on_enterprise(const struct registry *reg, const struct type *t, const struct state *s)
{
	for (size_t i = 0; i < s->nwho; i++) {
		struct str name;
		enum caller kind = caller_word(s->who[i], &name);
		const struct field *f = type_field(t, name);
		if ((kind == CALLER_ROLE && role_of_enterprises(reg, s->who[i])) || (kind == CALLER_STAFF && f && str_is(f->to, "enterprise")))
			return true;
	}
	return false;
}

size_t flow_waits_on(const struct registry *reg, const struct type *t, const struct state *s, struct label *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < s->nwho; i++) {
		struct str name;
		enum caller kind = caller_word(s->who[i], &name);
		const struct field *f = type_field(t, name);
		const struct role *r = registry_role(reg, s->who[i]);
		if (kind == CALLER_CREATOR)
			ret[n++] = (struct label){ STR("登记人"), STR("Who entered it") };
		else if (kind == CALLER_ROLE ? !!r : !!f)
			ret[n++] = kind == CALLER_ROLE ? r->label : f->label;
	}
	return n;
}
