// A draft made to agree with the expressions of its type: computed fields are filled in, fields whose when: does not hold
// are emptied, and what is needed and what checks: ask is looked at. Called by flow.c before a row is stored.
#include "flow/change.h"

struct conform {
	struct db *db;
	const struct registry *reg;
	struct draft *d;
	const struct common *c;
	const struct identity *by;
	struct arena *a;
	struct problem *refusal;    // why a model refused in this round
	const struct field *fixed;  // it keeps its value though it is computed; NULL: none
};

static struct expr_value eval(const struct conform *k, const struct expr *e, bool *ret_missed)
{
	struct row row = draft_row(k->d, k->c);
	return flow_eval(k->db, k->reg, k->d->t, e, &row, k->by, k->a, ret_missed);
}

static bool holds(const struct conform *k, const struct expr *e)
{
	struct expr_value v = eval(k, e, NULL);
	return v.kind == EXPR_BOOL && v.i;
}

static void run_models(const struct conform *k, size_t before, bool *ret_changed)
{
	for (size_t i = 0; i < k->d->t->nmodels; i++) {
		const struct model_use *u = &k->d->t->models[i];
		if (u->before == before && (!u->when || holds(k, u->when)))
			(void)model_fill(k->d, u, ret_changed, k->a, k->refusal); // kept in refusal
	}
}

// One round in the order of the fields; true if something is different from before.
static bool settle(const struct conform *k)
{
	bool changed = false;
	problem_init(k->refusal, k->a);
	for (size_t i = 0; i < k->d->t->nfields; i++) {
		run_models(k, i, &changed);
		const struct field *f = &k->d->t->fields[i];
		struct value *v = draft_slot(k->d, f), now = *v;
		if (f->compute && f != k->fixed)
			now = flow_store_value(f, eval(k, f->compute, NULL), k->a);
		if (f->when && !holds(k, f->when))
			now = (struct value){ .kind = VAL_NULL, .s = STR_EMPTY };
		for (size_t col = 1; col < f->ncols && now.kind == VAL_NULL; col++)
			v[col] = now;
		changed |= !value_same(*v, now);
		*v = now;
	}
	return changed;
}

static void settle_all(const struct conform *k)
{
	for (int round = 0; round < 4 && settle(k); round++) // a field hidden may hide another or change a sum
		;
}

void draft_settle(struct db *db, const struct registry *reg, struct draft *d, const struct common *c, const struct identity *by,
                  struct arena *a)
{
	struct problem refusal;
	struct conform k = { db, reg, d, c, by, a, &refusal, NULL };
	settle_all(&k);
}

struct row flow_suppose(struct db *db, const struct registry *reg, const struct type *t, const struct flow_field *given, size_t n,
                        const struct flow_field *fixed, struct arena *a)
{
	struct problem refusal;
	struct common c = common_empty();
	struct draft *d = arena_one(a, struct draft);
	struct identity by = identity_system();
	struct conform k = { db, reg, d, &c, &by, a, &refusal, fixed ? type_field(t, str_of(fixed->name)) : NULL };
	draft_begin(d, t, NULL, a);
	c.state = t->nstates ? t->states[0].name : STR_EMPTY;
	for (size_t i = 0; i < n; i++) {
		const struct field *f = type_field(t, str_of(given[i].name));
		if (f)
			*draft_slot(d, f) = given[i].v;
	}
	if (k.fixed)
		*draft_slot(d, k.fixed) = fixed->v;
	settle_all(&k);
	return draft_row(d, &c);
}

struct draft draft_computed(struct db *db, const struct registry *reg, const struct draft *d, const struct common *c,
                            const struct identity *by, struct arena *a)
{
	struct draft seen = *d;
	struct conform k = { db, reg, &seen, c, by, a, NULL, NULL };
	seen.vals = arena_many(a, d->t->table.ncols + 1, struct value);
	memcpy(seen.vals, d->vals, d->t->table.ncols * sizeof *d->vals);
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		if (f->compute && (!f->when || holds(&k, f->when)))
			*draft_slot(&seen, f) = flow_store_value(f, eval(&k, f->compute, NULL), a);
	}
	return seen;
}

// The system itself goes on with what a model cannot say; a person is told.
static enum err refused(const struct conform *k, struct problem *p)
{
	if (!k->refusal->err || k->by->system)
		return OK;
	problem_set(p, k->refusal->err, arena_cstr(k->a, k->refusal->field), "%.*s", "%.*s", STR_FMT(k->refusal->zh));
	p->en = arena_str(p->arena, k->refusal->en);
	return p->err;
}

// Must this field have a value now? A new record must have all; a change also what it makes necessary; a step what it asks.
static bool wanted(const struct conform *k, enum ask ask, const struct move *m, const struct field *f)
{
	bool given = k->d->given[f - k->d->t->fields];
	bool asked = given || (ask == ASK_MOVE ? move_asks(m, f) : ask == ASK_CREATE || f->need_if || f->when);
	if (!asked || f->compute || (!f->need && !f->need_if) || (f->readonly && !given && ask != ASK_MOVE))
		return false;
	if (!auth_may_edit_field(k->by, f) || (f->when && !holds(k, f->when)))
		return false;
	return f->need || holds(k, f->need_if);
}

enum err draft_conform(struct db *db, const struct registry *reg, struct draft *d, struct common *c, enum ask ask,
                       const struct move *m, const struct identity *by, struct arena *a, struct problem *p)
{
	struct problem refusal;
	struct conform k = { db, reg, d, c, by, a, &refusal, NULL };
	const struct field *title = type_field(d->t, d->t->title);
	settle_all(&k);
	if (refused(&k, p))
		return p->err;
	if (title) // it may be computed
		c->title = draft_slot(d, title)->kind == VAL_TEXT ? draft_slot(d, title)->s : STR_EMPTY;
	for (size_t i = 0; i < d->t->nfields; i++) {
		enum err err = wanted(&k, ask, m, &d->t->fields[i]) ? draft_has(d, &d->t->fields[i], p) : OK;
		if (err)
			return err;
	}
	for (size_t i = 0; i < d->t->nchecks; i++) {
		const struct check_rule *r = &d->t->checks[i];
		bool missed = false;
		struct expr_value v = eval(&k, r->that, &missed);
		if ((v.kind == EXPR_BOOL && v.i) || missed)
			continue; // with a value missing it cannot be told: then it does not refuse
		problem_set(p, ERR_INVALID, r->at ? arena_cstr(a, r->at->name) : "", "%.*s", "%.*s", STR_FMT(r->say.zh));
		p->en = arena_str(p->arena, r->say.en);
		return ERR_INVALID;
	}
	return OK;
}
