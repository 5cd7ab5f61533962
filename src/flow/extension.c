// Asking for more time and granting it: one open request a record; somebody else decides. Called in store jobs; lists read
// on any connection.
#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/change.h"

enum err extensions_lapse(const struct change *ch, int64_t id)
{
	struct query q;
	if (ch->t->extend.nstates == 0)
		return OK;
	query_begin(&q, ch->db, STMT_EXTENSION_LAPSE);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	query_i64(&q, 3, clock_now());
	return query_run(&q);
}

static bool extends_here(const struct type *t, struct str state)
{
	for (size_t i = 0; i < t->extend.nstates; i++)
		if (str_eq(t->extend.states[i]->name, state))
			return true;
	return false;
}

static bool called(const struct type *t, const struct str *who, size_t n, const struct row *row, const struct identity *by)
{
	if (row->c.retired || !auth_may_write(by, t) || !row_in_scope(by, t, &row->c))
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_called(t, who[i], row, by))
			return true;
	return false;
}

bool flow_may_extend(const struct type *t, const struct row *row, const struct identity *by)
{
	return row->c.deadline && extends_here(t, row->c.state) && called(t, t->extend.ask, t->extend.nask, row, by);
}

bool flow_may_grant(const struct type *t, const struct row *row, const struct extension *e, const struct identity *by)
{
	bool own = e->asked_by == by->person || (by->actor && (e->asked_by == by->actor || e->asked_actor == by->actor)) ||
	           e->asked_actor == by->person;
	return !own && str_is(e->state, "asked") && called(t, t->extend.approve, t->extend.napprove, row, by);
}

static void extension_read(struct query *q, struct arena *a, struct extension *e)
{
	*e = (struct extension){ .id = query_get_i64(q, 0), .type = query_get_str(q, 1, a), .record = query_get_i64(q, 2),
		                 .asked_at = query_get_i64(q, 3), .asked_by = query_get_i64(q, 4), .asked_actor = query_get_i64(q, 5),
		                 .asked_name = query_get_str(q, 6, a), .was = query_get_i64(q, 7), .until = query_get_i64(q, 8),
		                 .reason = query_get_str(q, 9, a), .state = query_get_str(q, 10, a), .decided_at = query_get_i64(q, 11),
		                 .decided_name = query_get_str(q, 13, a), .answer = query_get_str(q, 14, a) };
}

enum err flow_extensions(struct db *db, const struct type *t, int64_t id, struct arena *a, struct extension **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_EXTENSION_OF);
	query_str(&q, 1, t->name);
	query_i64(&q, 2, id);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		extension_read(&q, a, &(*ret)[*ret_n - 1]);
	}
	return query_end(&q);
}

static enum err granted(const struct change *ch, int64_t id, int64_t *ret)
{
	struct query q;
	query_begin(&q, ch->db, STMT_EXTENSION_GRANTED);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	*ret = query_row(&q) ? query_get_i64(&q, 0) : 0;
	return query_end(&q);
}

// "2026-12-31" (its end) or RFC 3339.
static bool moment(struct str s, int64_t *ret)
{
	int64_t day;
	if (day_parse(s, &day)) {
		*ret = day_end(day);
		return true;
	}
	return time_parse(s, ret);
}

static enum err ask_check(const struct change *ch, const struct row *row, struct str until, int64_t *ret_until)
{
	const struct extending *x = &ch->t->extend;
	int64_t times = 0, longest = allowance_end(ch->reg->workdays, x->longest, row->c.deadline);
	if (!flow_may_extend(ch->t, row, ch->by))
		return problem_set(ch->p, ERR_FORBIDDEN, "", "现在不能由你申请延期", "you cannot ask for more time now");
	if (!moment(until, ret_until) || *ret_until <= MAX(row->c.deadline, clock_now()))
		return problem_set(ch->p, ERR_INVALID, "until", "请写晚于原时限的日期或时间", "a day or time after the present deadline is needed");
	if (longest && *ret_until > MAX(longest, day_end(day_of(longest))))
		return problem_set(ch->p, ERR_INVALID, "until", "超过了一次可延的最长时间", "more than one extension may be");
	enum err err = granted(ch, row->c.id, &times);
	if (!err && times >= x->max)
		return problem_set(ch->p, ERR_CONFLICT, "", "已延期 %d 次，不能再延", "extended %d times already, no more is allowed", x->max);
	return err;
}

static struct label about(const struct change *ch, const struct common *c, const char *zh, const char *en, int64_t until)
{
	char text[TIME_TEXT_MAX];
	size_t n = MIN(time_text(until, text), (size_t)16);
	text[10] = ' ';
	return (struct label){ arena_printf(ch->a, "%s：%.*s %.*s 至 %.*s", zh, STR_FMT(ch->t->label.zh),
		                            STR_FMT(c->number.n ? c->number : c->title), (int)n, text),
		               arena_printf(ch->a, "%s: %.*s %.*s until %.*s", en, STR_FMT(ch->t->label.en),
		                            STR_FMT(c->number.n ? c->number : c->title), (int)n, text) };
}

static struct str detail(const struct change *ch, const struct extension *e, struct str reason)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "extension", e->id);
	jw_ktime(&w, "until", e->until);
	jw_kstr(&w, "reason", reason);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(ch->a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

static enum err ask_write(const struct change *ch, const struct row *row, struct extension *e)
{
	struct query q;
	query_begin(&q, ch->db, STMT_EXTENSION_ADD);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, row->c.id);
	query_i64(&q, 3, clock_now());
	query_i64(&q, 4, ch->by->person);
	query_i64(&q, 5, ch->by->actor);
	query_str(&q, 6, ch->by->title);
	query_i64(&q, 7, row->c.deadline);
	query_i64(&q, 8, e->until);
	query_str(&q, 9, e->reason);
	enum err err = query_run(&q);
	e->id = db_last_id(ch->db);
	if (err == ERR_CONFLICT)
		return problem_set(ch->p, err, "", "已有一个延期申请在等待批准", "a request is waiting for its answer already");
	return err;
}

enum err flow_extension_ask(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                            const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row row;
	struct extension e = { .reason = body_text(body, "reason", a) };
	enum err err = change_load(&ch, id, &row);
	if (!err)
		err = ask_check(&ch, &row, body_text(body, "until", a), &e.until);
	if (!err && (e.reason.n == 0 || e.reason.n > LIMIT_TEXT_FIELD))
		err = problem_set(p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	if (err || (err = ask_write(&ch, &row, &e)) ||
	    (err = history_add(db, t, id, "extension", STR("ask"), detail(&ch, &e, e.reason), by)))
		return err;
	*ret_id = e.id;
	struct audience au = { .reg = reg, .t = t, .row = &row, .kind = "extension",
		               .text = about(&ch, &row.c, "延期申请", "More time asked for", e.until) };
	err = work_put(db, by->person, "done", t, &row.c, STR("extension:ask"));
	if (!err)
		err = flow_tell(db, &au, t->extend.approve, t->extend.napprove, a);
	change_announce(&ch, "updated", &row.c);
	return err;
}

static enum err decision_find(const struct change *ch, int64_t id, int64_t request, struct row *row, struct extension *e)
{
	struct query q;
	enum err err = change_load(ch, id, row);
	if (err)
		return err;
	query_begin(&q, ch->db, STMT_EXTENSION_GET);
	query_i64(&q, 1, request);
	bool found = query_row(&q);
	if (found)
		extension_read(&q, ch->a, e);
	err = query_end(&q);
	if (err)
		return err;
	if (!found || !str_eq(e->type, ch->t->name) || e->record != id)
		return problem_set(ch->p, ERR_NOT_FOUND, "", "没有这个延期申请", "there is no such request");
	if (!str_is(e->state, "asked") || !extends_here(ch->t, row->c.state))
		return problem_set(ch->p, ERR_CONFLICT, "", "这个申请已经处理过或已失效", "this request has been answered or has lapsed");
	if (!flow_may_grant(ch->t, row, e, ch->by))
		return problem_set(ch->p, ERR_FORBIDDEN, "", "要由有权批准的另一个人决定", "somebody else who may approve has to decide");
	return OK;
}

// The deadline, and the field it came from.
static void put_off(const struct change *ch, const struct extension *e, struct draft *d, struct common *c)
{
	const struct state *s = type_state(ch->t, c->state);
	if (s && s->due && s->due->ncols)
		d->vals[s->due->col] = s->due->kind == FIELD_TIME ? (struct value){ .kind = VAL_INT, .i = e->until } :
		                                                  (struct value){ .kind = VAL_TEXT, .s = date_text(e->until, ch->a) };
	c->deadline = e->until;
	c->escalated = 0;
	c->reminded = 0;
	while (s && c->reminded < (int64_t)s->nremind &&
	       reminder_at(ch->reg->workdays, s->remind[c->reminded], c->deadline) <= clock_now())
		c->reminded++;
}

static enum err decision_write(const struct change *ch, const struct extension *e, bool grant, struct str answer)
{
	struct query q;
	query_begin(&q, ch->db, STMT_EXTENSION_DECIDE);
	query_i64(&q, 1, e->id);
	query_str(&q, 2, grant ? STR("granted") : STR("refused"));
	query_i64(&q, 3, clock_now());
	query_i64(&q, 4, ch->by->person);
	query_str(&q, 5, ch->by->title);
	query_str(&q, 6, answer);
	return query_run(&q);
}

static enum err decision_tell(const struct change *ch, const struct row *row, const struct extension *e, bool grant)
{
	struct label text = about(ch, &row->c, grant ? "已同意延期" : "未同意延期", grant ? "More time granted" : "More time refused", e->until);
	enum err err = notice_add(ch->db, e->asked_by, text, ch->t->name, row->c.id, "extension");
	return err ? err : work_put(ch->db, ch->by->person, "done", ch->t, &row->c, grant ? STR("extension:approve") : STR("extension:refuse"));
}

enum err flow_extension_decide(struct db *db, const struct registry *reg, const struct type *t, int64_t id, int64_t request, bool grant,
                               struct str answer, const struct identity *by, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row row;
	struct draft d;
	struct extension e;
	enum err err = decision_find(&ch, id, request, &row, &e);
	if (!err && (answer.n > LIMIT_TEXT_FIELD || (!grant && answer.n == 0)))
		err = problem_set(p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	if (err || (err = decision_write(&ch, &e, grant, answer)))
		return err;
	struct common c = row.c;
	draft_begin(&d, t, &row, a);
	if (grant) {
		put_off(&ch, &e, &d, &c);
		err = change_save(&ch, &row, &d, &c, "extension", STR("approve"), LABEL_SAID(answer));
	} else {
		err = history_add(db, t, id, "extension", STR("refuse"), detail(&ch, &e, answer), by);
	}
	if (!err)
		err = decision_tell(&ch, &row, &e, grant);
	change_announce(&ch, "updated", &c);
	return err;
}
