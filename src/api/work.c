// The work centre: what waits for me, what I did, started and was told of; my calendar; who acts for whom; schedules.
#include "api/api.h"
#include "base/time.h"
#include "base/workday.h"

static const char *const boxes[] = { "todo", "done", "started", "copied" };

static void item_json(struct call *c, const struct work_item *w)
{
	const struct type *t = registry_type(c->reg, w->type);
	const struct state *s = t ? type_state(t, w->state) : NULL;
	const struct move *m = t ? type_move(t, w->what) : NULL;
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", w->type);
	if (t)
		jw_klabel(&c->w, "type_label", t->label);
	jw_ki64(&c->w, "id", w->id);
	jw_kstr(&c->w, "number", w->number);
	jw_kstr(&c->w, "title", w->title);
	jw_kstr(&c->w, "state", w->state);
	if (s)
		jw_klabel(&c->w, "state_label", s->label);
	if (w->deadline)
		jw_ktime(&c->w, "deadline", w->deadline);
	if (w->at)
		jw_ktime(&c->w, "at", w->at);
	jw_ki64(&c->w, "escalated", w->escalated);
	if (w->what.n)
		jw_kstr(&c->w, "what", w->what);
	if (m)
		jw_klabel(&c->w, "what_label", m->label);
	if (w->request)
		jw_ki64(&c->w, "request", w->request);
	if (w->gone)
		jw_kbool(&c->w, "gone", true);
	jw_end(&c->w);
}

static enum err box_of(struct call *c, struct str *ret)
{
	*ret = http_query(c->rq, "box");
	if (ret->n == 0)
		*ret = STR("todo");
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++)
		if (str_is(*ret, boxes[i]))
			return OK;
	return call_fail(c, ERR_INVALID, "box", "box 可用 todo done started copied", "box is todo, done, started or copied");
}

enum err work_get(struct call *c)
{
	struct work_query wq = { .reg = c->reg, .by = &c->id, .type = http_query(c->rq, "type"), .text = str_trim(http_query(c->rq, "q")) };
	struct work_item *v;
	size_t n;
	int64_t page, size, total;
	enum err err = box_of(c, &wq.box);
	if (!err)
		err = query_int(c, "page", 1, 1, 100000, &page);
	if (!err)
		err = query_int(c, "size", 50, 1, LIMIT_PAGE_SIZE, &size);
	if (err)
		return err;
	wq.limit = (size_t)size;
	wq.offset = (size_t)((page - 1) * size);
	if ((err = flow_work(call_db(c), &wq, c->arena, &v, &n, &total)))
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		item_json(c, &v[i]);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "page", page);
	jw_ki64(&c->w, "size", size);
	jw_end(&c->w);
	return OK;
}

enum err work_counts(struct call *c)
{
	struct duty *v;
	size_t n;
	int64_t overdue = 0, now = clock_now(), total;
	enum err err = flow_duties(call_db(c), c->reg, &c->id, c->arena, &v, &n);
	for (size_t i = 0; !err && i < n; i++)
		overdue += v[i].deadline && v[i].deadline < now;
	if (err)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "todo", (int64_t)n);
	jw_ki64(&c->w, "overdue", overdue);
	for (size_t i = 1; !err && i < ARRAY_LEN(boxes); i++) {
		struct work_query wq = { .reg = c->reg, .by = &c->id, .box = str_of(boxes[i]), .type = STR_EMPTY, .text = STR_EMPTY, .limit = 1 };
		struct work_item *items;
		size_t nitems;
		err = flow_work(call_db(c), &wq, c->arena, &items, &nitems, &total);
		jw_ki64(&c->w, boxes[i], total);
	}
	struct notice *notices;
	if (!err)
		err = flow_notices(call_db(c), &c->id, true, LIMIT_PAGE_SIZE, c->arena, &notices, &n);
	jw_ki64(&c->w, "unread", err ? 0 : (int64_t)n);
	jw_end(&c->w);
	return err;
}

// "2026-11" → its first day and the first of the next month; empty: this month.
static bool month_of(struct call *c, int64_t *ret_first, int64_t *ret_next)
{
	struct str s = http_query(c->rq, "month");
	struct civil now = time_to_civil(clock_now(), time_zone());
	if (s.n == 0)
		s = arena_printf(c->arena, "%04d-%02d", now.year, now.month);
	if (s.n != 7 || !day_parse(arena_printf(c->arena, "%.*s-01", STR_FMT(s)), ret_first))
		return false;
	*ret_next = *ret_first + 31;
	struct civil next = time_to_civil(*ret_next * US_PER_DAY, 0);
	*ret_next -= next.day - 1;
	return true;
}

enum err work_calendar(struct call *c)
{
	int64_t first, next;
	struct duty *v;
	size_t n;
	if (!month_of(c, &first, &next))
		return call_fail(c, ERR_INVALID, "month", "month 写如 2026-11", "month is for example 2026-11");
	enum err err = flow_duties(call_db(c), c->reg, &c->id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "days");
	for (int64_t day = first; day < next; day++) {
		struct civil at = time_to_civil(day * US_PER_DAY, 0);
		jw_obj(&c->w);
		jw_kstr(&c->w, "day", arena_printf(c->arena, "%04d-%02d-%02d", at.year, at.month, at.day));
		jw_kbool(&c->w, "workday", workday_is(c->reg->workdays, day));
		jw_karr(&c->w, "items");
		for (size_t i = 0; i < n; i++) {
			struct work_item w = { .type = v[i].type, .id = v[i].id, .number = v[i].number, .title = v[i].title, .state = v[i].state,
				               .deadline = v[i].deadline, .at = v[i].since, .escalated = v[i].escalated,
				               .request = v[i].request, .what = STR_EMPTY };
			if (w.deadline && day_of(w.deadline) == day)
				item_json(c, &w);
		}
		jw_end(&c->w);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// ---- delegations -------------------------------------------------------------------------------

static void person_json(struct call *c, const char *key, int64_t id)
{
	struct row row;
	const struct type *t = registry_type(c->reg, STR("person"));
	bool there = t && records_get(call_db(c), &t->table, NULL, id, c->arena, &row) == OK;
	jw_kobj(&c->w, key);
	jw_ki64(&c->w, "id", id);
	jw_kstr(&c->w, "title", there ? row.c.title : STR_EMPTY);
	jw_end(&c->w);
}

enum err delegations_get(struct call *c)
{
	struct delegation *v;
	size_t n;
	int64_t now = clock_now();
	enum err err = auth_delegations(call_db(c), &c->id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		person_json(c, "person", v[i].person);
		person_json(c, "to", v[i].deputy);
		jw_ktime(&c->w, "from", v[i].starts);
		jw_ktime(&c->w, "until", v[i].until);
		jw_kstr(&c->w, "reason", v[i].reason);
		jw_kbool(&c->w, "in_force", v[i].ended_at == 0 && v[i].starts <= now && v[i].until > now);
		jw_kbool(&c->w, "ended", v[i].ended_at != 0 || v[i].until <= now);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

struct delegate_job {
	struct call *c;
	int64_t id, deputy, starts, until;
};

static enum err delegate_run(struct db *db, void *arg, struct problem *p)
{
	struct delegate_job *j = arg;
	struct call *c = j->c;
	return auth_delegate(db, c->reg, &c->id, j->deputy, j->starts, j->until, str_trim(body_str(c, "reason")), c->arena, &j->id, p);
}

static enum err body_moment(struct call *c, const char *key, int64_t fallback, bool end, int64_t *ret)
{
	struct str s = body_str(c, key);
	int64_t day;
	*ret = fallback;
	if (s.n == 0 && fallback)
		return OK;
	if (day_parse(s, &day))
		*ret = end ? day_end(day) : day_start(day);
	else if (!time_parse(s, ret))
		return call_fail(c, ERR_INVALID, key, "写日期如 2026-11-30，或 RFC 3339 时间", "a day such as 2026-11-30, or an RFC 3339 time");
	return OK;
}

enum err delegations_post(struct call *c)
{
	struct delegate_job j = { .c = c };
	const json_t *to = json_object_get(c->body, "to");
	if (!json_is_integer(to))
		return call_fail(c, ERR_INVALID, "to", "to 为代办人的编号", "to is the id of the person");
	j.deputy = json_integer_value(to);
	enum err err = body_moment(c, "from", clock_now(), false, &j.starts);
	if (!err)
		err = body_moment(c, "until", 0, true, &j.until);
	if (!err)
		err = store_write(c->app->store, delegate_run, &j, &c->p);
	if (err)
		return err;
	c->rs->status = 201;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", j.id);
	jw_end(&c->w);
	return OK;
}

static enum err delegation_end_run(struct db *db, void *arg, struct problem *p)
{
	struct delegate_job *j = arg;
	return auth_delegation_end(db, &j->c->id, j->id, p);
}

enum err delegations_end(struct call *c)
{
	struct delegate_job j = { .c = c };
	enum err err = param_id(c, 0, &j.id);
	if (!err)
		err = store_write(c->app->store, delegation_end_run, &j, &c->p);
	return err ? err : call_done(c);
}

// ---- schedules ---------------------------------------------------------------------------------

enum err schedules_get(struct call *c)
{
	struct schedule_state *v;
	size_t n;
	enum err err = flow_schedules(call_db(c), c->reg, &c->id, clock_now(), c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", v[i].s->name);
		jw_klabel(&c->w, "label", v[i].s->label);
		jw_kcstr(&c->w, "every", every_name(v[i].s->every));
		jw_kstr(&c->w, "for", v[i].s->subject->name);
		jw_kstr(&c->w, "type", v[i].s->type->name);
		jw_kstr(&c->w, "period", v[i].period);
		jw_ki64(&c->w, "subjects", v[i].subjects);
		jw_ki64(&c->w, "opened", v[i].opened);
		jw_ki64(&c->w, "done", v[i].done);
		jw_ki64(&c->w, "overdue", v[i].overdue);
		jw_ki64(&c->w, "missing", v[i].missing);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
