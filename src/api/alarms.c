// Alarms: lists, one, its journal, what a person does with it; and the rules in words.
#include "api/api.h"
#include "base/time.h"

static enum err list_query_read(struct call *c, struct alarm_query *q)
{
	int64_t size;
	*q = (struct alarm_query){ .state = http_query(c->rq, "state"), .color = http_query(c->rq, "color"),
	                           .area = area_prefix(http_query(c->rq, "area")), .words = str_trim(http_query(c->rq, "q")) };
	struct str point = http_query(c->rq, "point");
	uint64_t id;
	if (str_to_u64(point, &id))
		q->point = (int64_t)id;
	else
		q->point_code = point;
	enum err err = query_int(c, "enterprise", 0, 0, INT64_MAX, &q->enterprise);
	if (!err)
		err = query_int(c, "before", 0, 0, INT64_MAX, &q->before);
	if (!err)
		err = query_int(c, "size", 200, 1, LIMIT_PAGE_SIZE, &size);
	bool span = http_query(c->rq, "from").n || http_query(c->rq, "to").n;
	if (!err && span)
		err = query_time(c, "from", 0, &q->from);
	if (!err && span)
		err = query_time(c, "to", INT64_MAX, &q->to);
	if (!err && span && q->from >= q->to)
		err = call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	if (!err)
		q->limit = (size_t)size;
	return err;
}

static struct alarm_context context(struct call *c)
{
	return (struct alarm_context){ .rules = call_site(c)->rules };
}

enum err alarms_list(struct call *c)
{
	struct alarm_query q;
	enum err err = list_query_read(c, &q);
	struct alarm_context cx = context(c);
	return err ? err : alarm_list_json(call_db(c), &cx, &c->id.scope, &q, &c->w, c->arena);
}

static enum err write_alarm(struct call *c, int64_t id)
{
	struct alarm_context cx = context(c);
	enum err err = alarm_json(call_db(c), &cx, &c->id.scope, id, &c->w, c->arena);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这条报警，或不在您的管辖范围", "no such alarm, or outside your scope");
	return err;
}

enum err alarms_get(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	return err ? err : write_alarm(c, id);
}

// In scope? Decided by the same query that shows it.
static enum err check_scope(struct call *c, int64_t id)
{
	struct buf scratch;
	struct jw w;
	buf_init(&scratch, 1 << 20);
	jw_init(&w, &scratch);
	struct alarm_context cx = context(c);
	enum err err = alarm_json(call_db(c), &cx, &c->id.scope, id, &w, c->arena);
	buf_free(&scratch);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这条报警，或不在您的管辖范围", "no such alarm, or outside your scope");
	return err;
}

enum err alarms_journal(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = check_scope(c, id);
	return err ? err : alarm_journal_json(call_db(c), id, &c->w, c->arena);
}

static const struct {
	const char *name;
	enum alarm_act act;
	bool reason;     // required
	const char *may;
} acts[] = {
	{ "ack", ACT_ACK, false, "alarm.handle" },
	{ "comment", ACT_COMMENT, true, "alarm.handle" },
	{ "reset", ACT_RESET, false, "alarm.reset" },
	{ "shelve", ACT_SHELVE, true, "alarm.shelve" },
	{ "unshelve", ACT_UNSHELVE, false, "alarm.shelve" },
	{ "suppress", ACT_SUPPRESS, true, "alarm.shelve" },
	{ "unsuppress", ACT_UNSUPPRESS, false, "alarm.shelve" },
	{ "out_of_service", ACT_OUT_OF_SERVICE, true, "alarm.shelve" },
	{ "in_service", ACT_IN_SERVICE, false, "alarm.shelve" },
};

struct act_job {
	struct call *c;
	int64_t alarm, until;
	enum alarm_act act;
	struct str reason;
	struct alarm_change change;
	struct site_point point;    // the last that was asked for
};

static const struct point_def *act_point(void *arg, uint32_t id)
{
	struct act_job *j = arg;
	return site_point(call_site(j->c), id, &j->point) ? &j->point.def : NULL;
}

static enum err act_job_run(struct db *db, void *arg, struct problem *p)
{
	struct act_job *j = arg;
	struct alarm_context cx = { .rules = call_site(j->c)->rules, .point = act_point, .arg = j };
	bool back = j->act == ACT_UNSHELVE || j->act == ACT_UNSUPPRESS || j->act == ACT_IN_SERVICE;
	enum err err = alarm_act(db, j->alarm, j->act, j->reason, j->until, &j->c->id, &j->change, p);
	return err || !back ? err : alarm_settle(db, &cx, j->alarm, clock_now());
}

static enum err read_until(struct call *c, struct act_job *j)
{
	struct str until = body_str(c, "until");
	int64_t span;
	if (until.n && duration_parse(until, &span) && span > 0)
		j->until = clock_now() + span;
	else if (until.n && !time_parse(until, &j->until))
		return call_fail(c, ERR_INVALID, "until", "搁置到何时：时长（30min、8h）或 RFC 3339 时间", "until: a duration (30min, 8h) or an RFC 3339 time");
	if (j->act == ACT_SHELVE && !j->until)
		return call_fail(c, ERR_INVALID, "until", "搁置必须有结束时间", "a shelved alarm needs an end");
	return OK;
}

enum err alarms_act(struct call *c)
{
	struct act_job j = { .c = c, .reason = str_trim(body_str(c, "reason")) };
	size_t k = 0;
	enum err err = param_id(c, 0, &j.alarm);
	while (k < ARRAY_LEN(acts) && !str_is(c->param[1], acts[k].name))
		k++;
	if (!err && k == ARRAY_LEN(acts))
		err = call_fail(c, ERR_NOT_FOUND, "act", "没有这个操作", "no such action");
	if (err)
		return err;
	if (!auth_may(&c->id, acts[k].may))
		return call_fail(c, ERR_FORBIDDEN, NULL, "您的角色没有此项权限", "your role does not have this permission");
	j.act = acts[k].act;
	if (acts[k].reason && !j.reason.n)
		return call_fail(c, ERR_INVALID, "reason", "请写明原因", "a reason is needed");
	err = read_until(c, &j);
	if (!err)
		err = check_scope(c, j.alarm);
	if (err)
		return err;
	call_db_refresh(c);
	err = store_write(c->app->store, act_job_run, &j, &c->p);
	if (err)
		return err;
	c->app->alarm_changed(c->app, j.alarm);
	return write_alarm(c, j.alarm);
}

enum err rules_get(struct call *c)
{
	const struct rule_set *rs = call_site(c)->rules;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (uint32_t i = 0; i < rules_count(rs); i++) {
		struct rule_info info = rule_info(rs, i);
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", info.name);
		jw_klabel(&c->w, "label", info.label);
		jw_kstr(&c->w, "file", info.file);
		jw_kobj(&c->w, "words");
		jw_kstr(&c->w, "zh", rule_words(rs, i, c->reg, true, c->arena));
		jw_kstr(&c->w, "en", rule_words(rs, i, c->reg, false, c->arena));
		jw_end(&c->w);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
