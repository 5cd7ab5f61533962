// Separation of duties where somebody acted for somebody else: the field names whom he acted for, the history names him.
// Called by flow_move in store jobs, after flow_may_move has looked at the fields.
#include "flow/change.h"

struct latest {
	int64_t seq, actor;
};

// Who did that last on this record.
static enum err latest_of(const struct change *ch, int64_t id, struct str action, struct latest *ret)
{
	struct query q;
	query_begin(&q, ch->db, STMT_AUDIT_LATEST);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	query_str(&q, 3, action);
	if (query_row(&q) && query_get_i64(&q, 0) > ret->seq)
		*ret = (struct latest){ query_get_i64(&q, 0), query_get_i64(&q, 1) };
	return query_end(&q);
}

static bool signs(const struct move *m, struct str field)
{
	for (size_t i = 0; i < m->nsets; i++)
		if (str_eq(m->sets[i].field->name, field) && str_is(m->sets[i].text, "me"))
			return true;
	return false;
}

// The newest entry that put the person into the field, or made the record.
static enum err who_acted(const struct change *ch, int64_t id, struct str name, struct latest *ret)
{
	enum err err = OK;
	if (str_is(name, "creator"))
		return latest_of(ch, id, STR("create"), ret);
	for (size_t i = 0; !err && i < ch->t->nmoves; i++)
		if (signs(&ch->t->moves[i], name))
			err = latest_of(ch, id, arena_printf(ch->a, "move:%.*s", STR_FMT(ch->t->moves[i].name)), ret);
	return err;
}

enum err move_apart(const struct change *ch, const struct move *m, int64_t id)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < m->nnot_same; i++) {
		struct latest l = { 0 };
		err = who_acted(ch, id, m->not_same[i], &l);
		if (!err && l.actor && (l.actor == ch->by->person || l.actor == ch->by->actor))
			err = problem_set(ch->p, ERR_FORBIDDEN, "", "不能由同一个人做这一步（曾代他人办理），请由另一人办理",
			                  "the same person may not do this step (he acted for somebody else before); somebody else must");
	}
	return err;
}
