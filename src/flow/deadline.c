// When work is due: time allowed in a state, in hours or working days; a field that says it; a clock that goes on or
// stands still; the expiry of a register; and when its reminders come. Pure but for one line of log; any thread.
//
// deadline stays the moment at which the work was due; step k (from 0) of the escalation is due at deadline + k × every.
// reminded counts the reminders of the present state that are past.
#include "base/log.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/draft.h"

#define REMIND_HOUR 9 // a reminder that is counted in working days comes at this hour of its day

// Without a calendar Monday to Friday count: said once a year asked for.
static void want_calendar(const struct workdays *w, int64_t day)
{
	static _Atomic int told[4];
	int year = day_year(day);
	if (workdays_knows(w, year))
		return;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		int none = 0;
		if (told[i] == year)
			return;
		if (__atomic_compare_exchange_n((int *)&told[i], &none, year, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			log_warn("flow", "no calendar for %d: Monday to Friday are taken as working days; add packs/*/calendars", year);
			return;
		}
	}
}

int64_t allowance_end(const struct workdays *w, struct allowance s, int64_t from)
{
	if (s.wd == 0)
		return s.us ? from + s.us : 0;
	int64_t end = workday_end(w, from, s.wd);
	want_calendar(w, day_of(end));
	return end;
}

int64_t reminder_at(const struct workdays *w, struct allowance s, int64_t deadline)
{
	if (s.wd == 0)
		return deadline - s.us;
	return day_start(workday_step(w, day_of(deadline), -s.wd)) + REMIND_HOUR * US_PER_HOUR;
}

// The latest deadline whose reminder has come at now: reminder_at turned round.
int64_t reminder_until(const struct workdays *w, struct allowance s, int64_t now)
{
	if (s.wd == 0)
		return now + s.us;
	int64_t day = day_of(now - REMIND_HOUR * US_PER_HOUR);
	return day_start(workday_step(w, day, s.wd) + 1) - 1;
}

// What the state allows this row; {0} = no time of its own.
static struct allowance state_allows(const struct state *s, const struct value *vals)
{
	const struct deadline *dl = &s->within;
	struct str chosen = STR_EMPTY;
	if (dl->set && dl->by && vals[dl->by->col].kind == VAL_TEXT)
		chosen = vals[dl->by->col].s;
	for (size_t i = 0; dl->set && i < dl->n; i++)
		if (str_is(dl->keys[i], "else") || str_eq(dl->keys[i], chosen))
			return dl->spans[i];
	return (struct allowance){ 0 };
}

// A day lasts to its end.
int64_t field_moment(const struct field *f, const struct value *vals)
{
	const struct value *v = f->ncols ? &vals[f->col] : NULL;
	int64_t day;
	if (v && v->kind == VAL_INT && f->kind == FIELD_TIME)
		return v->i;
	return v && v->kind == VAL_TEXT && day_parse(v->s, &day) ? day_end(day) : 0;
}

static int64_t own_deadline(const struct registry *reg, const struct state *s, const struct value *vals, int64_t from)
{
	return s->due ? field_moment(s->due, vals) : allowance_end(reg->workdays, state_allows(s, vals), from);
}

static void count_past(const struct registry *reg, const struct allowance *remind, size_t n, struct common *c, int64_t now)
{
	c->reminded = 0;
	while (c->deadline && c->reminded < (int64_t)n && reminder_at(reg->workdays, remind[c->reminded], c->deadline) <= now)
		c->reminded++;
}

void expiry_start(const struct registry *reg, const struct type *t, struct common *c, const struct value *vals, int64_t now)
{
	c->deadline = field_moment(t->expires.at, vals);
	c->escalated = 0;
	count_past(reg, t->expires.remind, t->expires.nremind, c, now);
}

void deadline_start(const struct registry *reg, const struct type *t, struct common *c, const struct value *vals, int64_t now)
{
	const struct state *s = type_state(t, c->state);
	c->state_at = now;
	if (t->expires.at)
		expiry_start(reg, t, c, vals, now);
	if (!s)
		return;
	if (s->clock == CLOCK_PAUSE) {
		if (c->deadline) // what is left; less than nothing if it is overdue
			c->paused = c->deadline == now ? 1 : c->deadline - now;
		c->deadline = 0;
		return;
	}
	if (s->clock == CLOCK_KEEP) {
		c->deadline = c->paused ? now + c->paused : c->deadline;
	} else {
		c->deadline = own_deadline(reg, s, vals, now);
		c->escalated = 0;
	}
	c->paused = 0;
	count_past(reg, s->remind, s->nremind, c, now);
}

static bool same(const struct field *f, const struct row *old, const struct value *vals)
{
	return !f || !f->ncols || value_same(old->vals[f->col], vals[f->col]);
}

// Another level, another date: another time allowed, counted from when the record entered the state.
void deadline_follow(const struct registry *reg, const struct type *t, const struct row *old, struct common *c,
                     const struct value *vals, int64_t now)
{
	const struct state *s = type_state(t, c->state);
	if (t->expires.at && !same(t->expires.at, old, vals))
		expiry_start(reg, t, c, vals, now);
	if (!s || (same(s->within.by, old, vals) && same(s->due, old, vals)))
		return;
	c->deadline = own_deadline(reg, s, vals, c->state_at);
	c->escalated = 0;
	count_past(reg, s->remind, s->nremind, c, now);
}

// When the clock must look at the row next; 0 = never.
int64_t deadline_wake(const struct registry *reg, const struct type *t, const struct common *c)
{
	const struct state *s = type_state(t, c->state);
	const struct allowance *remind = s ? s->remind : t->expires.remind;
	size_t nremind = s ? s->nremind : t->expires.nremind;
	int64_t tiers = s ? (int64_t)s->nescalate : t->expires.at != NULL, every = s ? s->escalate_every : 0, at = 0;
	if (!c->deadline || c->retired)
		return 0;
	if (c->escalated < tiers)
		at = c->deadline + c->escalated * every;
	if (c->reminded < (int64_t)nremind) {
		int64_t then = reminder_at(reg->workdays, remind[c->reminded], c->deadline);
		at = at ? MIN(at, then) : then;
	}
	return at;
}
