// Who may do a move on this row now: state, role or person, separation of duties, scope. Pure; any thread.
#include "flow/draft.h"

// Scope as it is for records of this type: what is of no enterprise is not hidden from enterprises.
bool row_in_scope(const struct identity *by, const struct type *t, struct str area, int64_t enterprise)
{
	struct identity as = *by;
	as.scope = auth_scope(by, t);
	return auth_in_scope(&as, area, enterprise);
}

static bool is_from(const struct move *m, struct str state)
{
	for (size_t i = 0; i < m->nfrom; i++)
		if (str_eq(m->from[i]->name, state))
			return true;
	return false;
}

// The person a REF field names, or the creator; 0 = nobody.
static int64_t person_of(const struct type *t, struct str name, const struct row *row)
{
	if (str_is(name, "creator"))
		return row->c.created_by;
	const struct field *f = type_field(t, name);
	return f && f->ncols && row->vals[f->col].kind == VAL_INT ? row->vals[f->col].i : 0;
}

static bool is_called(const struct type *t, struct str who, const struct row *row, const struct identity *by)
{
	if (str_is(who, "creator"))
		return by->person && row->c.created_by == by->person;
	if (str_starts(who, STR("owner_of.")))
		return by->person && person_of(t, str_skip(who, 9), row) == by->person;
	return auth_has_role(by, who);
}

bool flow_may_move(const struct type *t, const struct move *m, const struct row *row, const struct identity *by)
{
	bool called = false;
	if (row->c.retired || !is_from(m, row->c.state) || !row_in_scope(by, t, row->c.area, row->c.enterprise))
		return false;
	for (size_t i = 0; i < m->nwho && !called; i++)
		called = is_called(t, m->who[i], row, by);
	return called && !(m->not_same.n && by->person && person_of(t, m->not_same, row) == by->person);
}
