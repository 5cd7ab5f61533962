// Who may do a move on this row now: state, role or person, separation of duties, scope. Pure; any thread.
#include "flow/draft.h"

// Scope as it is for records of this type: what is of no enterprise is not hidden from enterprises.
bool row_in_scope(const struct identity *by, const struct type *t, const struct common *c)
{
	struct identity as = *by;
	as.scope = auth_scope(by, t);
	return auth_in_scope(&as, common_place(c));
}

static bool is_from(const struct move *m, struct str state)
{
	for (size_t i = 0; i < m->nfrom; i++)
		if (str_eq(m->from[i]->name, state))
			return true;
	return false;
}

// The creator, or the person a REF field names; 0 = nobody.
static int64_t person_of(const struct type *t, struct str name, const struct row *row)
{
	return str_is(name, "creator") ? row->c.created_by : row_ref(t, name, row);
}

// Separation of duties holds against who acts and against whom he acts for.
static bool is_same(const struct identity *by, int64_t person)
{
	return person && (person == by->person || person == by->actor);
}

bool flow_may_move(const struct type *t, const struct move *m, const struct row *row, const struct identity *by)
{
	bool called = by->system;
	if (row->c.retired || !auth_may_write(by, t) || !is_from(m, row->c.state) || !row_in_scope(by, t, &row->c))
		return false;
	for (size_t i = 0; i < m->nwho && !called; i++)
		called = is_called(t, m->who[i], row, by);
	for (size_t i = 0; i < m->nnot_same && called && !by->system; i++)
		called = !is_same(by, person_of(t, m->not_same[i], row));
	return called;
}

bool flow_may_edit(const struct type *t, struct str state, const struct identity *by)
{
	const struct state *s = type_state(t, state);
	if (!s || !s->edit_set || by->system)
		return auth_may_edit(by, t);
	for (size_t i = 0; i < s->nedit; i++)
		if (auth_has_role(by, s->edit[i]))
			return auth_may_write(by, t);
	return false;
}
