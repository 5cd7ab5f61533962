// Changes that the system itself makes to a record, from what it measures: fields nobody types, with history, event and notices
// like everybody's changes. Called in store jobs.
#include "base/time.h"
#include "flow/change.h"

static enum err put_all(const struct change *ch, struct draft *d, const struct flow_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *f = type_field(ch->t, str_of(fields[i].name));
		if (!f || f->ncols > 1)
			return problem_set(ch->p, ERR_INVALID, fields[i].name, "没有名为“%s”的字段", "there is no field \"%s\"", fields[i].name);
		*draft_slot(d, f) = fields[i].v;
	}
	return OK;
}

enum err flow_update(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const struct flow_field *fields,
                     size_t n, struct label reason, struct arena *a, struct row *ret, struct problem *p)
{
	struct identity system = identity_system();
	struct change ch = { db, reg, t, &system, a, p };
	struct row old;
	struct draft d;
	enum err err = change_load(&ch, id, &old);
	if (err)
		return err;
	struct common c = old.c;
	draft_begin(&d, t, &old, a);
	if ((err = put_all(&ch, &d, fields, n)))
		return err;
	draft_settle(db, reg, &d, &c, &system, a);
	*ret = (struct row){ .c = c, .vals = d.vals };
	if (str_is(history_detail(t, &old, &c, d.vals, LABEL_EMPTY, a), "{}"))
		return OK; // nothing is different
	deadline_follow(reg, t, &old, &c, d.vals, clock_now());
	err = change_save(&ch, &old, &d, &c, "update", STR_EMPTY, reason);
	change_announce(&ch, "updated", &c);
	*ret = (struct row){ .c = c, .vals = d.vals };
	return err;
}

enum err flow_say(struct db *db, const struct registry *reg, const struct type *t, struct row *row, struct label text, struct arena *a)
{
	const struct state *s = type_state(t, row->c.state);
	struct audience au = { .reg = reg, .t = t, .row = row, .kind = "duty", .text = text };
	enum err err = s ? flow_tell(db, &au, s->who, s->nwho, a) : OK;
	au.kind = "tell";
	au.copied = true;
	return err || !s ? err : flow_tell(db, &au, s->tell, s->ntell, a);
}
