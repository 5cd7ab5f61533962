// What opens by itself: one record for each subject and period. The table `scheduled` says which exist, so the same again
// is refused; what a stop has missed is opened afterwards, slice by slice. Ticks run in store jobs; the state of schedules
// is read on any connection.
#include "base/log.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/change.h"
#include "model/exprs.h"

#define SUBJECTS_A_TICK 200             // looked at, over all schedules
#define AGAIN US_PER_HOUR               // new subjects of a running period are found so soon
#define PERIODS_BACK 1000               // opened afterwards at most
#define SLEEP_MAX (10 * US_PER_MIN)

// ---- periods -----------------------------------------------------------------------------------

static int64_t day_at(int year, int month, int day)
{
	return time_from_civil((struct civil){ .year = year, .month = month, .day = day }, 0) / US_PER_DAY;
}

static struct civil civil_of(int64_t day) { return time_to_civil(day * US_PER_DAY, 0); }

int64_t period_start(enum every e, int64_t day)
{
	struct civil c = civil_of(day);
	switch (e) {
	case EVERY_DAY: return day;
	case EVERY_WEEK: return day - (day_weekday(day) - 1);
	case EVERY_MONTH: return day_at(c.year, c.month, 1);
	case EVERY_QUARTER: return day_at(c.year, (c.month - 1) / 3 * 3 + 1, 1);
	case EVERY_HALF: return day_at(c.year, c.month < 7 ? 1 : 7, 1);
	case EVERY_YEAR: break;
	}
	return day_at(c.year, 1, 1);
}

int64_t period_next(enum every e, int64_t start)
{
	static const int longest[] = { 1, 7, 31, 92, 184, 366 }; // lands within the next period, whatever this one's length
	return period_start(e, start + longest[e]);
}

struct str period_key(enum every e, int64_t start, struct arena *a)
{
	struct civil c = civil_of(start);
	int64_t thursday = start + 3; // the year of an ISO week is that of its Thursday
	switch (e) {
	case EVERY_DAY: return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
	case EVERY_WEEK:
		return arena_printf(a, "%04d-W%02d", day_year(thursday), (int)((thursday - day_at(day_year(thursday), 1, 1)) / 7 + 1));
	case EVERY_MONTH: return arena_printf(a, "%04d-%02d", c.year, c.month);
	case EVERY_QUARTER: return arena_printf(a, "%04d-Q%d", c.year, (c.month - 1) / 3 + 1);
	case EVERY_HALF: return arena_printf(a, "%04d-H%d", c.year, c.month < 7 ? 1 : 2);
	case EVERY_YEAR: break;
	}
	return arena_printf(a, "%04d", c.year);
}

// The day a period's records open; the last day of a shorter one.
static int64_t opening_day(const struct schedule *s, int64_t start)
{
	return MIN(start + s->on - 1, period_next(s->every, start) - 1);
}

// The newest period whose day of opening has come.
int64_t schedule_newest(const struct schedule *s, int64_t today)
{
	int64_t start = period_start(s->every, today);
	return opening_day(s, start) <= today ? start : period_start(s->every, start - 1);
}

static int64_t workday_from(void *arg, int64_t day, int64_t n) { return workday_step(arg, day, (int)MAX(MIN(n, 10000), -10000)); }

const struct condition *schedule_cond(const struct schedule *s, int64_t now, const struct registry *reg, struct arena *a)
{
	struct cond_now at = { .now = now, .zone = time_zone(), .workday = workday_from, .arg = (void *)(uintptr_t)reg->workdays };
	return s->cond ? cond_resolve(s->cond, &at, a) : NULL;
}

// ---- one tick ----------------------------------------------------------------------------------

struct run {
	struct change ch;
	const struct schedule *s;
	int64_t now, next;
	size_t left;            // subjects this tick may still look at
};

struct period {
	struct str key;
	int64_t start, after, again_at;
};

static enum err period_add(struct run *r, int64_t start)
{
	struct query q;
	query_begin(&q, r->ch.db, STMT_SCHEDULE_PERIOD_ADD);
	query_str(&q, 1, r->s->name);
	query_str(&q, 2, period_key(r->s->every, start, r->ch.a));
	query_i64(&q, 3, start);
	return query_run(&q);
}

// From the one behind the last known to the newest; a schedule that is new begins with the newest.
static enum err periods_add(struct run *r, int64_t newest)
{
	struct query q;
	query_begin(&q, r->ch.db, STMT_SCHEDULE_LAST);
	query_str(&q, 1, r->s->name);
	bool known = query_row(&q) && !query_is_null(&q, 0);
	int64_t last = known ? query_get_i64(&q, 0) : 0;
	enum err err = query_end(&q);
	if (err || !known)
		return err ? err : period_add(r, newest);
	last = period_next(r->s->every, last);
	for (int n = 0; !err && last <= newest && n < PERIODS_BACK; n++, last = period_next(r->s->every, last))
		err = period_add(r, last);
	return err;
}

static enum err periods_open(struct run *r, struct period **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, r->ch.db, STMT_SCHEDULE_PERIOD_OPEN);
	query_str(&q, 1, r->s->name);
	while (query_row(&q)) {
		*ret = arena_push(r->ch.a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct period){ .key = query_get_str(&q, 0, r->ch.a), .start = query_get_i64(&q, 1),
			                              .after = query_get_i64(&q, 2), .again_at = query_get_i64(&q, 3) };
	}
	return query_end(&q);
}

static bool has_record(struct run *r, const struct period *p, int64_t subject)
{
	struct query q;
	query_begin(&q, r->ch.db, STMT_SCHEDULED_HAS);
	query_str(&q, 1, r->s->name);
	query_str(&q, 2, p->key);
	query_i64(&q, 3, subject);
	bool has = query_row(&q);
	return query_end(&q) != OK || has;
}

static enum err remember(struct run *r, const struct period *p, int64_t subject, int64_t record)
{
	struct query q;
	query_begin(&q, r->ch.db, STMT_SCHEDULED_ADD);
	query_str(&q, 1, r->s->name);
	query_str(&q, 2, p->key);
	query_i64(&q, 3, subject);
	query_str(&q, 4, r->s->type->name);
	query_i64(&q, 5, record);
	query_i64(&q, 6, r->now);
	return query_run(&q);
}

static enum err open_one(struct run *r, const struct period *p, const struct row *subject)
{
	const struct schedule *s = r->s;
	struct opens o = { .type = s->type, .link = s->link, .fields = s->fields, .nfields = s->nfields };
	int64_t id, from = MAX(day_start(opening_day(s, p->start)), subject->c.created_at);
	if (has_record(r, p, subject->c.id))
		return OK;
	enum err err = open_linked(&r->ch, &o, s->subject, subject, NULL, allowance_end(r->ch.reg->workdays, s->within, from), &id);
	if (err == ERR_CONFLICT || err == ERR_INVALID) { // it stays a gap that people see; the others go on
		log_warn("flow", "schedule %.*s %.*s: no record for %.*s %lld: %s", STR_FMT(s->name), STR_FMT(p->key),
		         STR_FMT(s->subject->name), (long long)subject->c.id, err_name(err));
		return OK;
	}
	return err ? err : remember(r, p, subject->c.id, id);
}

// Subjects that were there in the period, by the condition of the schedule.
static enum err subjects(struct run *r, const struct period *p, struct row **ret, size_t *ret_n)
{
	struct value after = { .kind = VAL_INT, .i = p->after };
	struct value end = { .kind = VAL_INT, .i = day_start(period_next(r->s->every, p->start)) };
	struct filter f[] = { { STR("id"), FILTER_GT, &after, 1 }, { STR("created_at"), FILTER_LT, &end, 1 } };
	struct sort by_id = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f), .sorts = &by_id, .nsorts = 1, .limit = r->left,
		                 .cond = schedule_cond(r->s, r->now, r->ch.reg, r->ch.a) };
	return records_list(r->ch.db, &r->s->subject->table, NULL, &lq, r->ch.a, ret, ret_n, NULL, r->ch.p);
}

static enum err period_save(struct run *r, const struct period *p, bool closed)
{
	struct query q;
	query_begin(&q, r->ch.db, STMT_SCHEDULE_PERIOD_SET);
	query_str(&q, 1, r->s->name);
	query_str(&q, 2, p->key);
	query_i64(&q, 3, p->after);
	query_i64(&q, 4, p->again_at);
	query_i64(&q, 5, closed);
	return query_run(&q);
}

static enum err period_slice(struct run *r, struct period *p, int64_t newest)
{
	struct row *rows;
	size_t n, asked = r->left;
	enum err err = subjects(r, p, &rows, &n);
	for (size_t i = 0; !err && i < n; i++) {
		err = open_one(r, p, &rows[i]);
		p->after = rows[i].c.id;
	}
	r->left -= MIN(n, r->left);
	bool whole = n < asked;
	if (whole) {
		p->after = 0;
		p->again_at = r->now + AGAIN;
	}
	return err ? err : period_save(r, p, whole && p->start < newest);
}

static enum err schedule_tick(struct run *r)
{
	struct period *p;
	size_t n;
	int64_t newest = schedule_newest(r->s, day_of(r->now));
	enum err err = periods_add(r, newest);
	if (!err)
		err = periods_open(r, &p, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (p[i].again_at > r->now && p[i].start == newest)
			continue;
		if (r->left == 0) {
			r->next = r->now;
			return OK;
		}
		err = period_slice(r, &p[i], newest);
	}
	return err;
}

enum err flow_schedule_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next)
{
	struct problem p;
	struct identity system = identity_system();
	problem_init(&p, a);
	struct run r = { .ch = { db, reg, NULL, &system, a, &p }, .now = now, .next = now + SLEEP_MAX, .left = SUBJECTS_A_TICK };
	enum err err = OK;
	for (size_t i = 0; !err && i < reg->nschedules; i++) {
		r.s = &reg->schedules[i];
		r.ch.t = r.s->subject;
		err = schedule_tick(&r);
	}
	*ret_next = r.left ? r.next : now;
	return err;
}

// ---- how it stands -----------------------------------------------------------------------------

static enum err state_of(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                         struct schedule_state *ret)
{
	struct problem p;
	const struct schedule *s = ret->s;
	struct value *ends = arena_many(a, s->type->nstates, struct value);
	size_t nends = 0;
	problem_init(&p, a);
	for (size_t i = 0; i < s->type->nstates; i++)
		if (s->type->states[i].end)
			ends[nends++] = (struct value){ .kind = VAL_TEXT, .s = s->type->states[i].name };
	int64_t start = schedule_newest(s, day_of(now));
	struct value before = { .kind = VAL_INT, .i = day_start(period_next(s->every, start)) };
	struct filter f = { STR("created_at"), FILTER_LT, &before, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .cond = schedule_cond(s, now, reg, a) };
	struct scope subjects_scope = auth_scope(by, s->subject), scope = auth_scope(by, s->type);
	ret->period = period_key(s->every, start, a);
	struct scheduled_query sq = { .schedule = s->name, .period = ret->period, .ends = ends, .nends = nends, .now = now };
	enum err err = records_scheduled_subjects(db, &s->subject->table, &subjects_scope, &lq, &sq, &ret->subjects, &ret->missing, &p);
	return err ? err : records_scheduled(db, &s->type->table, &scope, &sq, &ret->opened, &ret->done, &ret->overdue, &p);
}

enum err flow_schedules(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                        struct schedule_state **ret, size_t *ret_n)
{
	enum err err = OK;
	*ret = arena_many(a, reg->nschedules, struct schedule_state);
	*ret_n = 0;
	for (size_t i = 0; !err && i < reg->nschedules; i++) {
		const struct schedule *s = &reg->schedules[i];
		if (!auth_may_read(by, s->subject) || !auth_may_read(by, s->type))
			continue;
		(*ret)[*ret_n] = (struct schedule_state){ .s = s };
		err = state_of(db, reg, by, now, a, &(*ret)[(*ret_n)++]);
	}
	return err;
}
