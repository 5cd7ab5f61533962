// What a move writes into records that its own refers to: the decision stands where it is used (decision 0037). Same transaction, with
// the history, event and triggers of any change, in the name of who makes the move. Called in store jobs.
#include "base/time.h"
#include "flow/change.h"

static enum err write_one(const struct change *ch, const struct writes *w, const struct row *row)
{
	struct identity system = identity_system();
	struct change to = *ch;
	struct value common;
	const struct value *id = row_slot(w->to, row, &common);
	struct row old;
	struct draft d;
	to.t = w->type;
	if (id->kind != VAL_INT || (w->where && !flow_holds(ch->db, ch->reg, ch->t, w->where, row, ch->by, ch->a)))
		return OK;
	to.by = &system; // the workflow writes it, whatever the mover's own scope
	enum err err = change_load(&to, id->i, &old);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err; // retired meanwhile: nothing uses it any more
	to.by = ch->by;
	struct common c = old.c;
	draft_begin(&d, w->type, &old, ch->a);
	for (size_t i = 0; !err && i < w->nfields; i++)
		err = assign_put(&to, &w->fields[i], ch->t, row, NULL, &d);
	if (err)
		return err;
	draft_settle(ch->db, ch->reg, &d, &c, ch->by, ch->a);
	if (str_is(history_detail(w->type, &old, &c, d.vals, LABEL_EMPTY, ch->a), "{}"))
		return OK; // nothing is different
	deadline_follow(ch->reg, w->type, &old, &c, d.vals, clock_now());
	err = change_save(&to, &old, &d, &c, "update", STR_EMPTY, row->c.number.n ? LABEL_SAID(row->c.number) : ch->t->label);
	if (!err)
		change_announce(&to, "updated", &c);
	return err;
}

enum err move_writes(const struct change *ch, const struct move *m, const struct row *row)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < m->nwrites; i++)
		err = write_one(ch, &m->writes[i], row);
	return err;
}
