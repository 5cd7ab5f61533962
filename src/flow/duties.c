// What waits for the caller: records in states whose who: calls him (a role of his, or he himself in a field), in his scope;
// and requests for more time that he may answer. Reads only; any connection.
#include <stdlib.h>

#include "base/time.h"
#include "flow/draft.h"

#define DUTIES_A_TYPE 500

struct duties {
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	struct arena *a;
	struct duty *v;
	size_t n, cap;
	struct problem *p;
};

static struct value value_id(int64_t id) { return (struct value){ .kind = VAL_INT, .i = id }; }

static struct condition *filter_cond(struct arena *a, struct str column, enum filter_op op, struct value v)
{
	struct condition *c = arena_one(a, struct condition);
	struct value *kept = arena_one(a, struct value);
	*kept = v;
	*c = (struct condition){ .op = COND_FILTER, .filter = { column, op, kept, 1 } };
	return c;
}

// The caller himself stands in the field that the word names; NULL: the word is none for him.
static struct condition *person_cond(const struct duties *d, const struct type *t, struct str who)
{
	struct str name;
	enum caller kind = caller_word(who, &name);
	const struct field *f = type_field(t, name);
	int64_t me = d->by->person;
	if (kind == CALLER_CREATOR)
		return filter_cond(d->a, STR("created_by"), FILTER_EQ, value_id(me));
	if (kind == CALLER_ROLE || !f)
		return NULL;
	if (kind == CALLER_MEMBERS) {
		struct str text = arena_printf(d->a, ",%lld,", (long long)me);
		return filter_cond(d->a, name, FILTER_CONTAINS, (struct value){ .kind = VAL_TEXT, .s = text });
	}
	if (kind == CALLER_STAFF)
		me = str_is(f->to, "organisation") ? d->by->organisation : d->by->scope.enterprise;
	return me ? filter_cond(d->a, name, FILTER_EQ, value_id(me)) : NULL;
}

// state = S, and (unless a role of his is called) one of the persons' conditions.
static bool state_cond(const struct duties *d, const struct type *t, const struct state *s, struct condition *ret)
{
	struct condition *any = arena_many(d->a, s->nwho, struct condition), *both = arena_many(d->a, 2, struct condition);
	size_t n = 0;
	bool role = false;
	for (size_t i = 0; i < s->nwho; i++) {
		struct condition *one = person_cond(d, t, s->who[i]);
		role |= !one && auth_has_role(d->by, s->who[i]);
		if (one)
			any[n++] = *one;
	}
	both[0] = *filter_cond(d->a, STR("state"), FILTER_EQ, (struct value){ .kind = VAL_TEXT, .s = s->name });
	both[1] = (struct condition){ .op = COND_OR, .subs = any, .nsubs = n };
	*ret = role ? both[0] : (struct condition){ .op = COND_AND, .subs = both, .nsubs = 2 };
	return role || n;
}

static struct duty *duty_add(struct duties *d, const struct type *t, const struct common *c)
{
	d->v = arena_push(d->a, d->v, &d->n, &d->cap, sizeof *d->v);
	d->v[d->n - 1] = (struct duty){ .type = t->name, .id = c->id, .number = c->number, .title = c->title, .state = c->state,
		                        .deadline = c->deadline, .since = c->state_at, .escalated = c->escalated };
	return &d->v[d->n - 1];
}

static enum err type_duties(struct duties *d, const struct type *t)
{
	struct condition *states = arena_many(d->a, t->nstates, struct condition);
	struct condition all = { .op = COND_OR, .subs = states };
	for (size_t i = 0; i < t->nstates; i++)
		all.nsubs += state_cond(d, t, &t->states[i], &states[all.nsubs]);
	struct sort sorts[] = { { .column = STR("deadline") }, { .column = STR("state_at") } };
	struct list_query lq = { .text = STR_EMPTY, .cond = &all, .sorts = sorts, .nsorts = ARRAY_LEN(sorts), .limit = DUTIES_A_TYPE };
	struct row *rows = NULL;
	size_t n = 0;
	struct scope scope = auth_scope(d->by, t);
	if (all.nsubs == 0)
		return OK;
	enum err err = records_list(d->db, &t->table, &scope, &lq, d->a, &rows, &n, NULL, d->p);
	for (size_t i = 0; !err && i < n; i++)
		(void)duty_add(d, t, &rows[i].c);
	return err;
}

// Requests of others for more time.
static enum err type_requests(struct duties *d, const struct type *t)
{
	struct query q;
	struct extension *v = NULL;
	size_t n = 0, cap = 0;
	struct scope scope = auth_scope(d->by, t);
	query_begin(&q, d->db, STMT_EXTENSION_OPEN);
	query_str(&q, 1, t->name);
	while (query_row(&q)) {
		v = arena_push(d->a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct extension){ .id = query_get_i64(&q, 0), .record = query_get_i64(&q, 1), .asked_at = query_get_i64(&q, 2),
			                       .asked_by = query_get_i64(&q, 3), .until = query_get_i64(&q, 4), .state = STR("asked") };
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n; i++) {
		struct row row;
		err = records_get(d->db, &t->table, &scope, v[i].record, d->a, &row);
		if (!err && flow_may_grant(t, &row, &v[i], d->by)) {
			struct duty *one = duty_add(d, t, &row.c);
			one->request = v[i].id;
			one->since = v[i].asked_at;
		}
		err = err == ERR_NOT_FOUND ? OK : err;
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
	struct problem p;
	struct duties d = { .db = db, .reg = reg, .by = by, .a = a, .p = &p };
	enum err err = OK;
	problem_init(&p, a);
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		if (t->nstates == 0 || !auth_may_read(by, t))
			continue;
		err = type_duties(&d, t);
		if (!err && t->extend.nstates)
			err = type_requests(&d, t);
	}
	if (d.n > 1)
		qsort(d.v, d.n, sizeof *d.v, by_urgency);
	*ret = d.v;
	*ret_n = d.n;
	return err;
}
