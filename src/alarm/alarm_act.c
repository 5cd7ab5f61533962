// What people do to an alarm, what time does to a shelf, and what waits to be opened. Store jobs (writer thread).
#include <math.h>

#include "alarm/alarm_row.h"
#include "auth/auth.h"
#include "base/buf.h"
#include "base/time.h"
#include "store/audit.h"

static const struct {
	const char *name;
	enum alarm_input in;
	bool reason;                // a reason is asked for
} acts[] = {
	[ACT_ACK] = { "ack", IN_ACK, false },
	[ACT_SHELVE] = { "shelve", IN_SHELVE, true },
	[ACT_UNSHELVE] = { "unshelve", IN_UNSHELVE, false },
	[ACT_SUPPRESS] = { "suppress", IN_SUPPRESS, true },
	[ACT_UNSUPPRESS] = { "unsuppress", IN_UNSUPPRESS, false },
	[ACT_OUT_OF_SERVICE] = { "out_of_service", IN_OUT_OF_SERVICE, true },
	[ACT_IN_SERVICE] = { "in_service", IN_IN_SERVICE, false },
	[ACT_COMMENT] = { "comment", IN_ACK, true },
	[ACT_RESET] = { "reset", IN_RESET, false },
};

static bool hides(enum alarm_act act) { return act == ACT_SHELVE || act == ACT_SUPPRESS || act == ACT_OUT_OF_SERVICE; }

// Until when a person hides it: what he says, else the usual time; never longer than the rule or the program allows.
static enum err find_until(const struct alarm_row *row, enum alarm_act act, int64_t now, int64_t *until, struct problem *p)
{
	int64_t longest = act == ACT_SHELVE ? ALARM_SHELVE_MAX : act == ACT_SUPPRESS ? ALARM_SUPPRESS_MAX : ALARM_SERVICE_MAX;
	if (row->hide_longest && act != ACT_OUT_OF_SERVICE)
		longest = MIN(longest, row->hide_longest);
	if (!*until)
		*until = now + MIN(longest, act == ACT_SUPPRESS ? ALARM_SUPPRESS_USUAL : ALARM_SERVICE_USUAL);
	if (*until <= now)
		return problem_set(p, ERR_INVALID, "until", "请写明到何时，要在现在之后", "say until when, later than now");
	if (*until > now + longest)
		return problem_set(p, ERR_INVALID, "until", "这条规则最长可隐藏 %.4g 小时", "this alarm is hidden for %.4g hours at most",
		                   (double)longest / (double)US_PER_HOUR);
	return OK;
}

// What a person may not do with it as it is.
static enum err check_row(const struct alarm_row *row, enum alarm_act act, struct problem *p)
{
	bool ends = act == ACT_UNSUPPRESS || act == ACT_IN_SERVICE;
	if (hides(act) && row->always)
		return problem_set(p, ERR_CONFLICT, "state", "规则规定这一级不得搁置、抑制或停用；请处置，或确认后处置",
		                   "the rule never lets this level be hidden; acknowledge and handle it");
	if (hides(act) && row->mode.state > ALARM_SHELVED && row->hidden.by > HIDE_PERSON)
		return problem_set(p, ERR_CONFLICT, "state", "报警已由起因、检修窗口或测点检修隐藏，到时自动恢复", "it is hidden by a cause, a window or its point's service already, and comes back by itself");
	if (ends && row->hidden.by == HIDE_SERVICE)
		return problem_set(p, ERR_CONFLICT, "state", "测点在检修或停用；请把监测点恢复投用", "its point is in maintenance or out of service; put the point in service");
	if (ends && row->hidden.by == HIDE_CAUSE)
		return problem_set(p, ERR_CONFLICT, "state", "由设计抑制，起因消除后自动恢复；请处置起因", "suppressed by design; it comes back with the end of its cause: handle the cause");
	if (ends && row->hidden.by == HIDE_WINDOW)
		return problem_set(p, ERR_CONFLICT, "state", "在检修窗口内；请到该检修窗口办理提前结束", "inside a maintenance window; end the window in its record");
	return OK;
}

static enum err check(enum alarm_act act, struct str reason, int64_t until, int64_t now, struct problem *p)
{
	if (acts[act].reason && str_trim(reason).n == 0)
		return problem_set(p, ERR_INVALID, "reason", "请写明原因", "give a reason");
	if (reason.n > ALARM_REASON_MAX)
		return problem_set(p, ERR_INVALID, "reason", "原因超过 %d 个字节", "the reason is longer than %d bytes",
		                   ALARM_REASON_MAX);
	if (act != ACT_SHELVE)
		return OK;
	if (until <= now)
		return problem_set(p, ERR_INVALID, "until", "请写明搁置到何时，要在现在之后", "say until when to shelve, later than now");
	if (until > now + ALARM_SHELVE_MAX)
		return problem_set(p, ERR_INVALID, "until", "最长搁置 %d 小时", "an alarm is shelved for %d hours at most",
		                   (int)(ALARM_SHELVE_MAX / US_PER_HOUR));
	return OK;
}

static enum err write_shelf(struct db *db, const struct alarm_row *row, int64_t until, int64_t by, struct str reason)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_SHELF);
	query_i64(&q, 1, row->id);
	if (until)
		query_i64(&q, 2, until);
	else
		query_null(&q, 2);
	if (until)
		query_i64(&q, 3, by);
	else
		query_null(&q, 3);
	query_str(&q, 4, reason);
	return query_run(&q);
}

static enum err write_ack(struct db *db, const struct alarm_row *row, const struct identity *by, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_ACK);
	query_i64(&q, 1, row->id);
	query_i64(&q, 2, by->person);
	query_i64(&q, 3, now);
	query_str(&q, 4, by->title.n ? by->title : by->name);
	return query_run(&q);
}

static enum err add_audit(struct db *db, const struct alarm_row *row, enum alarm_act act, struct str reason,
                          int64_t until, const struct identity *by, int64_t now, struct arena *a)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 4 * ALARM_REASON_MAX + 512);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "point", row->point_code);
	jw_kstr(&w, "rule", row->rule);
	if (reason.n)
		jw_kstr(&w, "reason", reason);
	if (hides(act))
		jw_ktime(&w, "until", until);
	jw_end(&w);
	bool whole = jw_done(&w);
	struct str detail = arena_str(a, buf_str(&out));
	buf_free(&out);
	struct audit_entry e = { .at = now, .actor = by->person, .actor_name = by->name, .type = STR("alarm"),
		                 .record = row->id, .detail = detail, .action = arena_printf(a, "alarm.%s", acts[act].name) };
	return whole ? audit_add(db, &e) : ERR_TOO_LARGE;
}

static enum err act_on(struct db *db, struct alarm_row *row, enum alarm_act act, struct str reason, int64_t until,
                       const struct identity *by, int64_t now, struct problem *p)
{
	struct alarm_entry e = { .at = now, .what = acts[act].name, .level = row->level, .value = NAN, .limit = NAN,
		                 .actor = by->person, .reason = reason };
	if (act == ACT_COMMENT)
		return alarm_note(db, row->id, &e, row->mode.state, row->mode.state);
	enum err err = alarm_move(db, row, acts[act].in, &e, p);
	if (err)
		return err;
	if (act == ACT_ACK)
		return write_ack(db, row, by, now);
	if (act == ACT_SHELVE)
		return write_shelf(db, row, until, by->person, reason);
	if ((err = write_shelf(db, row, 0, 0, hides(act) ? reason : STR_EMPTY)))
		return err;
	struct hold h = { .by = HIDE_NONE, .who = STR_EMPTY, .why = { STR_EMPTY, STR_EMPTY } };
	if (hides(act))
		h = (struct hold){ .by = HIDE_PERSON, .until = until, .who = by->title.n ? by->title : by->name, .why = { reason, reason } };
	return alarm_set_hidden(db, row, &h, now);
}

enum err alarm_act(struct db *db, int64_t alarm, enum alarm_act act, struct str reason, int64_t until,
                   const struct identity *by, struct alarm_change *ret, struct problem *p)
{
	int64_t now = clock_now();
	struct alarm_row row;
	*ret = (struct alarm_change){ 0 };
	enum err err = check(act, reason, until, now, p);
	if (err)
		return err;
	struct arena *a = arena_new(0);
	err = alarm_row_get(db, alarm, a, &row);
	if (!err && !auth_in_scope(by, alarm_row_place(&row)))
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		err = problem_set(p, err, "", "没有这个报警", "there is no such alarm");
	if (!err)
		err = check_row(&row, act, p);
	if (!err && hides(act))
		err = find_until(&row, act, now, &until, p);
	if (!err && row.closed_at && act != ACT_COMMENT)
		err = problem_set(p, ERR_CONFLICT, "state", "报警已结束", "the alarm is closed");
	if (!err)
		err = act_on(db, &row, act, reason, until, by, now, p);
	if (!err && act != ACT_COMMENT)
		err = alarm_want_open(db, &row);
	if (!err)
		err = add_audit(db, &row, act, reason, until, by, now, a);
	if (!err)
		*ret = (struct alarm_change){ .alarm = alarm, .state = row.mode.state, .changed = true };
	arena_free(a);
	return err;
}

// ---- the end of a shelf ------------------------------------------------------------------------
static enum err unshelve(struct db *db, int64_t alarm, int64_t now, struct arena *a)
{
	struct alarm_row row;
	struct problem p;
	problem_init(&p, a);
	enum err err = alarm_row_get(db, alarm, a, &row);
	if (err)
		return err;
	struct alarm_entry e = { .at = now, .what = "unshelve", .level = row.level, .value = NAN, .limit = NAN,
		                 .reason = STR("time") };
	err = alarm_move(db, &row, IN_UNSHELVE, &e, &p);
	if (!err)
		err = write_shelf(db, &row, 0, 0, STR_EMPTY);
	return err ? err : alarm_want_open(db, &row);
}

enum err alarm_shelf_tick(struct db *db, int64_t now, struct arena *a, int64_t **ret_alarms, size_t *ret_n,
                          int64_t *ret_next)
{
	struct query q;
	size_t cap = 0;
	*ret_alarms = NULL;
	*ret_n = 0;
	*ret_next = 0;
	query_begin(&q, db, STMT_ALARM_SHELF_DUE);
	query_i64(&q, 1, now);
	while (query_row(&q)) {
		*ret_alarms = arena_push(a, *ret_alarms, ret_n, &cap, sizeof **ret_alarms);
		(*ret_alarms)[*ret_n - 1] = query_get_i64(&q, 0);
	}
	enum err err = query_end(&q);
	for (size_t i = 0; i < *ret_n && !err; i++)
		err = unshelve(db, (*ret_alarms)[i], now, a);
	if (err)
		return err;
	query_begin(&q, db, STMT_ALARM_SHELF_NEXT);
	if (query_row(&q) && !query_is_null(&q, 0))
		*ret_next = query_get_i64(&q, 0);
	return query_end(&q);
}

// ---- what is to be opened ----------------------------------------------------------------------
enum err alarm_next_open(struct db *db, const struct alarm_context *cx, struct arena *a, struct alarm_open *ret)
{
	struct query q;
	struct alarm_row row;
	*ret = (struct alarm_open){ 0 };
	query_begin(&q, db, STMT_OUTBOX_NEXT);
	query_str(&q, 1, STR("alarm.open"));
	if (query_row(&q)) {
		ret->outbox = query_get_i64(&q, 0);
		ret->alarm = query_get_i64(&q, 1);
		ret->type = query_get_str(&q, 2, a);
	}
	enum err err = query_end(&q);
	if (err || !ret->outbox)
		return err ? err : ERR_NOT_FOUND;
	if ((err = alarm_row_get(db, ret->alarm, a, &row)))
		return err;
	ret->color = row.color;
	ret->area = row.area;
	ret->point_code = row.point_code;
	ret->point_name = row.point_name.n ? row.point_name : row.point_code;
	ret->rule = row.rule;
	ret->category = rule_category(cx ? cx->rules : NULL, row.rule);
	ret->point = row.point;
	ret->enterprise = row.enterprise;
	ret->installation = row.installation;
	ret->at = row.last_raised_at;
	ret->thread = row.thread;
	ret->value = row.value;
	ret->limit = row.limit;
	ret->say = row.say;
	ret->guide = row.guide;
	return OK;
}

enum err alarm_last_opening(struct db *db, struct str type, int64_t record, int64_t *ret)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_LAST_OPENING);
	query_str(&q, 1, type);
	query_i64(&q, 2, record);
	*ret = query_row(&q) && !query_is_null(&q, 0) ? query_get_i64(&q, 0) : 0;
	return query_end(&q);
}

enum err alarm_opened(struct db *db, const struct alarm_open *o, int64_t record, int64_t thread)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_OPENED);
	query_i64(&q, 1, o->alarm);
	query_str(&q, 2, o->type);
	query_i64(&q, 3, record);
	query_i64(&q, 4, thread);
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_OUTBOX_DONE);
	query_i64(&q, 1, o->outbox);
	return query_run(&q);
}
