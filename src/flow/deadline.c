// Time allowed in a state, and what happens when it has run out: the next tier is told, step by step. Everything is in
// the rows (deadline, escalated), so a restart loses nothing. Called by core once a tick, in a store job.
//
// deadline stays the moment at which the work was due; step k (from 0) is due at deadline + k × every.
#include "base/time.h"
#include "flow/draft.h"

#define STEPS_A_TICK 500 // so that a long stop does not hold the writer for a second

int64_t state_allows(const struct type *t, const struct state *s, const struct value *vals)
{
	const struct deadline *dl = &s->within;
	struct str chosen = STR_EMPTY;
	(void)t;
	if (!dl->set)
		return 0;
	if (dl->by && vals[dl->by->col].kind == VAL_TEXT)
		chosen = vals[dl->by->col].s;
	for (size_t i = 0; i < dl->n; i++)
		if (str_is(dl->keys[i], "else") || str_eq(dl->keys[i], chosen))
			return dl->us[i];
	return 0;
}

void deadline_start(const struct type *t, struct common *c, const struct value *vals, int64_t now)
{
	const struct state *s = type_state(t, c->state);
	int64_t us = s ? state_allows(t, s, vals) : 0;
	c->state_at = now;
	c->deadline = us ? now + us : 0;
	c->escalated = 0;
}

struct tick {
	struct db *db;
	const struct type *t;
	const struct state *s;
	int64_t now;
	struct arena *a;
	struct problem *p;
	int64_t next;
	size_t steps;           // done in this tick
};

static int64_t step_due(const struct tick *k, const struct row *row)
{
	return row->c.deadline + row->c.escalated * k->s->escalate_every;
}

static enum err tell(const struct tick *k, const struct row *row, struct str role)
{
	const struct common *c = &row->c;
	long long late = (k->now - c->deadline) / US_PER_MIN;
	struct str zh = arena_printf(k->a, "超时上报：%.*s %.*s 在“%.*s”已超时 %lld 分钟", STR_FMT(k->t->label.zh),
	                             STR_FMT(c->number.n ? c->number : c->title), STR_FMT(k->s->label.zh), late);
	struct str en = arena_printf(k->a, "Overdue: %.*s %.*s has been over its time in \"%.*s\" for %lld minutes",
	                             STR_FMT(k->t->label.en), STR_FMT(c->number.n ? c->number : c->title),
	                             STR_FMT(k->s->label.en), late);
	return flow_notify_role(k->db, role, c->area, c->enterprise, zh, en, k->t->name, c->id);
}

static enum err step(struct tick *k, struct row *row)
{
	struct identity system = identity_system();
	struct str role = k->s->escalate_to[row->c.escalated];
	struct str detail = arena_printf(k->a, "{\"state\":\"%.*s\",\"step\":%lld,\"told\":\"%.*s\"}", STR_FMT(row->c.state),
	                                 (long long)row->c.escalated + 1, STR_FMT(role));
	enum err err = tell(k, row, role);
	row->c.escalated++;
	row->c.version++;
	if (!err)
		err = records_update(k->db, &k->t->table, &row->c, row->vals, k->p);
	if (!err)
		err = history_add(k->db, k->t, row->c.id, "overdue", STR_EMPTY, detail, &system);
	if (!err)
		flow_changed(k->db, &(struct record_event){ "overdue", k->t->name, row->c.id, row->c.state, row->c.area, row->c.enterprise });
	return err;
}

// Rows in the state whose deadline is (before or after) now and whose tiers have not all been told, earliest first.
static enum err state_rows(struct tick *k, enum filter_op op, size_t limit, struct row **rows, size_t *n)
{
	struct value state = { .kind = VAL_TEXT, .s = k->s->name }, zero = { .kind = VAL_INT };
	struct value now = { .kind = VAL_INT, .i = k->now }, tiers = { .kind = VAL_INT, .i = (int64_t)k->s->nescalate };
	struct filter filters[] = { { STR("state"), FILTER_EQ, &state, 1 },
		                    { STR("deadline"), FILTER_GT, &zero, 1 },
		                    { STR("deadline"), op, &now, 1 },
		                    { STR("escalated"), FILTER_LT, &tiers, 1 } };
	struct sort sort = { .column = STR("deadline") };
	struct list_query lq = { .text = STR_EMPTY, .filters = filters, .nfilters = ARRAY_LEN(filters), .sorts = &sort,
		                 .nsorts = 1, .limit = limit };
	return records_list(k->db, &k->t->table, NULL, &lq, k->a, rows, n, NULL, k->p);
}

// One step a row a tick: a row that was overdue through a long stop climbs one tier a tick, in order.
static enum err state_tick(struct tick *k)
{
	struct row *rows;
	size_t n;
	enum err err = state_rows(k, FILTER_LE, 10000, &rows, &n);
	for (size_t i = 0; !err && i < n; i++) {
		bool due = step_due(k, &rows[i]) <= k->now;
		if (due && k->steps == STEPS_A_TICK) {
			k->next = k->now;
			return OK;
		}
		if (due)
			err = step(k, &rows[i]);
		k->steps += due;
		if (!err && rows[i].c.escalated < (int64_t)k->s->nescalate)
			k->next = MIN(k->next, MAX(step_due(k, &rows[i]), k->now + US_PER_S));
	}
	if (!err)
		err = state_rows(k, FILTER_GT, 1, &rows, &n);
	if (!err && n)
		k->next = MIN(k->next, rows[0].c.deadline);
	return err;
}

enum err flow_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next)
{
	struct problem p;
	problem_init(&p, a);
	struct tick k = { .db = db, .now = now, .a = a, .p = &p, .next = now + US_PER_MIN };
	enum err err = OK;
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		k.t = &reg->types[i];
		for (size_t s = 0; !err && s < k.t->nstates; s++) {
			k.s = &k.t->states[s];
			if (k.s->within.set && k.s->nescalate)
				err = state_tick(&k);
		}
	}
	*ret_next = k.next;
	return err;
}
