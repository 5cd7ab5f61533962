// Acting for somebody who is on leave: who may give his duties to whom, and an identity that is both of them. The rows are
// never deleted. Reads on any connection, changes in store jobs.
#include "auth/auth_int.h"

#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"

#define LONGEST (180 * US_PER_DAY)

enum err auth_identity(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret)
{
	struct row row;
	enum err err = person_get(db, reg, person, a, &row);
	if (!err && row.c.retired)
		err = ERR_NOT_FOUND;
	if (!err)
		identity_of(reg, &row, a, ret);
	return err;
}

// Who manages people, sessions, settings or the audit does so himself (GB/T 22239-2019 8.1.4.2).
static bool administers(const struct identity *id)
{
	static const char *const own[] = { "user.manage", "session.manage", "config.change", "audit.read" };
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (auth_may(id, own[i]))
			return true;
	return false;
}

static enum err check_pair(struct db *db, const struct registry *reg, const struct identity *by, int64_t deputy, struct arena *a,
                           struct problem *p)
{
	struct identity other;
	if (by->actor || by->token)
		return problem_set(p, ERR_FORBIDDEN, "", "代办期间不能再委托他人", "who acts for somebody cannot pass it on");
	if (administers(by))
		return problem_set(p, ERR_FORBIDDEN, "", "管理员的权限不能委托", "an administrator's roles cannot be delegated");
	if (deputy == by->person)
		return problem_set(p, ERR_INVALID, "to", "不能委托给自己", "not to oneself");
	enum err err = auth_identity(db, reg, deputy, a, &other);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, ERR_INVALID, "to", "没有这个人", "there is no such person");
	if (!err && administers(&other))
		return problem_set(p, ERR_INVALID, "to", "不能委托给管理员", "not to an administrator");
	return err;
}

static struct str detail(const struct delegation *d, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "to", d->deputy);
	jw_ktime(&w, "from", d->starts);
	jw_ktime(&w, "until", d->until);
	jw_kstr(&w, "reason", d->reason);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

static enum err audit(struct db *db, const struct identity *by, const char *action, int64_t id, struct str text)
{
	return audit_add(db, &(struct audit_entry){ .actor = by->actor ? by->actor : by->person, .actor_name = by->title,
	                         .action = str_of(action), .type = STR("delegation"), .record = id, .detail = text });
}

enum err auth_delegate(struct db *db, const struct registry *reg, const struct identity *by, int64_t deputy, int64_t starts,
                       int64_t until, struct str reason, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct query q;
	struct delegation d = { .deputy = deputy, .starts = starts, .until = until, .reason = reason };
	enum err err = check_pair(db, reg, by, deputy, a, p);
	if (err)
		return err;
	if (until <= starts || until <= clock_now() || until - starts > LONGEST)
		return problem_set(p, ERR_INVALID, "until", "结束时间要在开始之后，最长 180 天", "the end must lie after the start, at most 180 days");
	if (reason.n == 0 || reason.n > LIMIT_TEXT_FIELD)
		return problem_set(p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	query_begin(&q, db, STMT_DELEGATION_ADD);
	query_i64(&q, 1, by->person);
	query_i64(&q, 2, deputy);
	query_i64(&q, 3, starts);
	query_i64(&q, 4, until);
	query_str(&q, 5, reason);
	query_i64(&q, 6, clock_now());
	err = query_run(&q);
	*ret_id = db_last_id(db);
	return err ? err : audit(db, by, "delegate", *ret_id, detail(&d, a));
}

enum err auth_delegation_end(struct db *db, const struct identity *by, int64_t id, struct problem *p)
{
	struct query q;
	query_begin(&q, db, STMT_DELEGATION_GET);
	query_i64(&q, 1, id);
	bool own = query_row(&q) && (query_get_i64(&q, 0) == by->person || query_get_i64(&q, 1) == by->person);
	enum err err = query_end(&q);
	if (err)
		return err;
	if (!own || by->actor)
		return problem_set(p, ERR_NOT_FOUND, "", "没有这个委托", "there is no such delegation");
	query_begin(&q, db, STMT_DELEGATION_END);
	query_i64(&q, 1, id);
	query_i64(&q, 2, clock_now());
	err = query_run(&q);
	if (err || db_changes(db) == 0)
		return err ? err : problem_set(p, ERR_CONFLICT, "", "这个委托已经结束", "this delegation has ended already");
	return audit(db, by, "delegate.end", id, STR("{}"));
}

enum err auth_delegations(struct db *db, const struct identity *by, struct arena *a, struct delegation **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_DELEGATION_OF);
	query_i64(&q, 1, by->person);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct delegation){ .id = query_get_i64(&q, 0), .person = query_get_i64(&q, 1),
			                                  .deputy = query_get_i64(&q, 2), .starts = query_get_i64(&q, 3),
			                                  .until = query_get_i64(&q, 4), .reason = query_get_str(&q, 5, a),
			                                  .made_at = query_get_i64(&q, 6), .ended_at = query_get_i64(&q, 7) };
	}
	return query_end(&q);
}

static enum err in_force(struct db *db, int64_t person, int64_t deputy, bool *ret)
{
	struct query q;
	query_begin(&q, db, STMT_DELEGATION_ACTIVE);
	query_i64(&q, 1, person);
	query_i64(&q, 2, deputy);
	query_i64(&q, 3, clock_now());
	*ret = query_row(&q);
	return query_end(&q);
}

enum err auth_act_for(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *id, struct problem *p)
{
	struct identity whole;
	bool given = false;
	enum err err = id->token || id->actor ? OK : in_force(db, person, id->person, &given);
	if (!err && given)
		err = auth_identity(db, reg, person, a, &whole);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!given || err || administers(&whole) || administers(id))
		return problem_set(p, ERR_FORBIDDEN, "", "没有生效的委托，不能代其办理", "no delegation in force: you cannot act for this person");
	whole.actor = id->person;
	whole.title = arena_printf(a, "%.*s（代 %.*s）", STR_FMT(id->title), STR_FMT(whole.title));
	whole.name = id->name;
	whole.reach = id->reach;
	whole.lang = id->lang;
	whole.session = id->session;
	whole.peer = id->peer;
	whole.second_factor = id->second_factor;
	whole.must_enrol = id->must_enrol;
	*id = whole;
	return OK;
}
