// Taking a step back: who brought a record into its state may do so until somebody else has touched it. It returns to the
// state before with the clock that ran there, as if the step had not been. Called in store jobs; may is pure.
#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"

enum err move_remember(const struct change *ch, const struct row *old, struct common *c)
{
	const struct common *was = &old->c;
	struct query q;
	query_begin(&q, ch->db, STMT_LAST_MOVE_PUT);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, was->id);
	query_str(&q, 3, was->state);
	query_str(&q, 4, was->prev_state);
	query_i64(&q, 5, was->moved_by);
	query_i64(&q, 6, was->state_at);
	query_i64(&q, 7, was->deadline);
	query_i64(&q, 8, was->escalated);
	query_i64(&q, 9, was->reminded);
	query_i64(&q, 10, was->paused);
	c->prev_state = was->state;
	c->moved_by = ch->by->person;
	return query_run(&q);
}

bool flow_may_withdraw(const struct type *t, const struct row *row, const struct identity *by)
{
	const struct state *s = type_state(t, row->c.state), *back = type_state(t, row->c.prev_state);
	const struct common *c = &row->c;
	return s && auth_may_write(by, t) && s->withdraw && back && back != s && !c->retired && by->person && c->moved_by == by->person &&
	       c->changed_by == by->person && row_in_scope(by, t, c);
}

static enum err recall(const struct change *ch, struct common *c)
{
	struct query q;
	query_begin(&q, ch->db, STMT_LAST_MOVE_GET);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, c->id);
	bool found = query_row(&q);
	if (found) {
		c->state = query_get_str(&q, 0, ch->a);
		c->prev_state = query_get_str(&q, 1, ch->a);
		c->moved_by = query_get_i64(&q, 2);
		c->state_at = query_get_i64(&q, 3);
		c->deadline = query_get_i64(&q, 4);
		c->escalated = query_get_i64(&q, 5);
		c->reminded = query_get_i64(&q, 6);
		c->paused = query_get_i64(&q, 7);
	}
	enum err err = query_end(&q);
	if (err || !found)
		return err ? err : ERR_CONFLICT;
	query_begin(&q, ch->db, STMT_LAST_MOVE_DROP);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, c->id);
	return query_run(&q);
}

enum err flow_withdraw(const struct change *ch, int64_t id, struct str reason)
{
	struct row old;
	struct draft d;
	enum err err = change_load(ch, id, &old);
	if (err)
		return err;
	if (!flow_may_withdraw(ch->t, &old, ch->by))
		return problem_set(ch->p, ERR_FORBIDDEN, "", "不能撤回：只有送来的人在别人处理之前可以撤回",
		                   "it cannot be taken back: only who brought it here may, until somebody else has acted");
	if (reason.n > LIMIT_TEXT_FIELD)
		return problem_set(ch->p, ERR_INVALID, "reason", "理由太长", "the reason is too long");
	struct common c = old.c;
	if ((err = recall(ch, &c)))
		return problem_set(ch->p, err, "", "这一步已不能撤回", "this step cannot be taken back any more");
	draft_begin(&d, ch->t, &old, ch->a);
	if ((err = extensions_lapse(ch, id)) || (err = change_save(ch, &old, &d, &c, "withdraw", STR_EMPTY, LABEL_SAID(reason))))
		return err;
	err = change_tell(ch, &c, d.vals);
	change_announce(ch, "moved", &c);
	return err;
}
