// Checks what packs say about time beside states: expiry and extension of a type, calendars, schedules. Called by
// check_type and registry_load.
#include <stdlib.h>

#include "base/workday.h"
#include "model/check.h"
#include "model/exprs.h"

// ---- expires: of a type ------------------------------------------------------------------------

struct raw_expires {
	struct expiry e;
	struct str at;
	struct str *remind;
	size_t nremind;
};

void check_expires(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "at", KEY_STR, true, offsetof(struct raw_expires, at), 0 },
		{ "remind", KEY_STRS, false, offsetof(struct raw_expires, remind), offsetof(struct raw_expires, nremind) },
		{ "tell", KEY_STRS, true, offsetof(struct raw_expires, e.tell), offsetof(struct raw_expires, e.ntell) },
	};
	struct raw_expires raw = { .at = STR_EMPTY };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	if (t->nstates)
		DIAG(c->d, n, EXPIRES_STATES);
	const struct field *f = raw.e.at = raw.at.n ? want_field(c, t, at_key(n, "at"), raw.at) : NULL;
	if (f && f->kind != FIELD_DATE && f->kind != FIELD_TIME)
		DIAG(c->d, at_key(n, "at"), DUE_KIND, "at", STR_FMT(raw.at));
	check_reminders(c, yaml_get(n, "remind"), raw.nremind, &raw.e.remind, &raw.e.nremind);
	check_callers(c, t, yaml_get(n, "tell"), &raw.e.tell, &raw.e.ntell);
	t->expires = raw.e;
}

// ---- extend: of a type -------------------------------------------------------------------------

struct raw_extend {
	struct extending e;
	struct str *states;
	size_t nstates;
	const struct yaml_node *longest;
};

static bool has_deadline(const struct state *s) { return s->within.set || s->due || s->clock == CLOCK_KEEP; }

void check_extend(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "states", KEY_STRS, true, offsetof(struct raw_extend, states), offsetof(struct raw_extend, nstates) },
		{ "ask", KEY_STRS, true, offsetof(struct raw_extend, e.ask), offsetof(struct raw_extend, e.nask) },
		{ "approve", KEY_STRS, true, offsetof(struct raw_extend, e.approve), offsetof(struct raw_extend, e.napprove) },
		{ "max", KEY_INT, true, offsetof(struct raw_extend, e.max), 0 },
		{ "longest", KEY_ANY, true, offsetof(struct raw_extend, longest), 0 },
	};
	struct raw_extend raw = { .e.max = 1 };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	raw.e.states = arena_many(c->a, raw.nstates, const struct state *);
	for (size_t i = 0; i < raw.nstates; i++) {
		const struct yaml_node *at = at_item(yaml_get(n, "states"), i);
		const struct state *s = want_state(c, t, at, raw.states[i]);
		if (s && !has_deadline(s))
			DIAG(c->d, at, EXTEND_STATE, STR_FMT(s->name));
		if (s)
			raw.e.states[raw.e.nstates++] = s;
	}
	check_callers(c, t, yaml_get(n, "ask"), &raw.e.ask, &raw.e.nask);
	check_roles(c, yaml_get(n, "approve"), &raw.e.approve, &raw.e.napprove);
	if (raw.e.max < 1)
		DIAG(c->d, at_key(n, "max"), EXTEND_MAX);
	if (raw.longest)
		(void)check_span(c, raw.longest, &raw.e.longest);
	t->extend = raw.e;
}

// ---- calendars ---------------------------------------------------------------------------------

struct raw_calendar {
	struct str name;
	int year;
	const struct yaml_node *holidays, *workdays;
};

struct days {               // being put together over all files
	int *years;
	int64_t *holidays, *extra;
	size_t nyears, nholidays, nextra;
};

static bool calendar_day(struct check *c, const struct yaml_node *at, int year, int64_t *ret)
{
	if (!day_parse(at->text, ret)) {
		DIAG(c->d, at, CALENDAR_DAY, STR_FMT(at->text));
		return false;
	}
	if (day_year(*ret) != year)
		DIAG(c->d, at, CALENDAR_YEAR, STR_FMT(at->text), year);
	return true;
}

static void calendar_holidays(struct check *c, const struct raw_calendar *raw, struct days *d)
{
	for (size_t i = 0; raw->holidays && i < raw->holidays->n; i++) {
		struct label l;
		(void)yaml_label(raw->holidays->items[i], &l, c->d);
		d->nholidays += calendar_day(c, raw->holidays->keys[i], raw->year, &d->holidays[d->nholidays]);
	}
}

static void calendar_workdays(struct check *c, const struct raw_calendar *raw, struct days *d)
{
	for (size_t i = 0; raw->workdays && i < raw->workdays->n; i++) {
		const struct yaml_node *n = raw->workdays->items[i];
		struct str s;
		int64_t day;
		if (!yaml_str(n, &s, c->d) || !calendar_day(c, n, raw->year, &day))
			continue;
		if (day_weekday(day) <= 5 || (raw->holidays && yaml_get(raw->holidays, arena_cstr(c->a, s))))
			DIAG(c->d, n, CALENDAR_WORKDAY, STR_FMT(s));
		d->extra[d->nextra++] = day;
	}
}

static void check_calendar(struct check *c, const struct source *s, struct days *d)
{
	static const struct key keys[] = {
		{ "calendar", KEY_NAME, true, offsetof(struct raw_calendar, name), 0 },
		{ "year", KEY_INT, true, offsetof(struct raw_calendar, year), 0 },
		{ "holidays", KEY_MAP, true, offsetof(struct raw_calendar, holidays), 0 },
		{ "workdays", KEY_LIST, false, offsetof(struct raw_calendar, workdays), 0 },
	};
	struct raw_calendar raw = { .name = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw))
		return;
	if (raw.year && declare(c, 'c', arena_printf(c->a, "%d", raw.year), at_key(s->root, "year"))) {
		d->years[d->nyears++] = raw.year;
		calendar_holidays(c, &raw, d);
		calendar_workdays(c, &raw, d);
	}
}

static int by_day(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

static size_t days_in(const struct source *s, const char *key)
{
	const struct yaml_node *n = yaml_get(s->root, key);
	return n ? n->n : 0;
}

void check_calendars(struct check *c, const struct source *files, size_t n)
{
	struct days d = { .nyears = 0 };
	struct workdays *w = arena_one(c->a, struct workdays);
	size_t holidays = 0, extra = 0;
	for (size_t i = 0; i < n; i++) {
		holidays += days_in(&files[i], "holidays");
		extra += days_in(&files[i], "workdays");
	}
	d.years = arena_many(c->a, n, int);
	d.holidays = arena_many(c->a, holidays, int64_t);
	d.extra = arena_many(c->a, extra, int64_t);
	for (size_t i = 0; i < n; i++)
		check_calendar(c, &files[i], &d);
	if (d.nholidays > 1)
		qsort(d.holidays, d.nholidays, sizeof *d.holidays, by_day);
	if (d.nextra > 1)
		qsort(d.extra, d.nextra, sizeof *d.extra, by_day);
	*w = (struct workdays){ d.years, d.nyears, d.holidays, d.nholidays, d.extra, d.nextra };
	c->reg->workdays = w;
}

// ---- schedules ---------------------------------------------------------------------------------

static const struct { const char *name; int days; } everies[] = {
	[EVERY_DAY] = { "day", 1 },         [EVERY_WEEK] = { "week", 7 },   [EVERY_MONTH] = { "month", 31 },
	[EVERY_QUARTER] = { "quarter", 92 }, [EVERY_HALF] = { "half", 184 }, [EVERY_YEAR] = { "year", 366 },
};

const char *every_name(enum every e) { return everies[e].name; }

struct raw_schedule {
	struct schedule s;
	struct str every, subject;
	const struct yaml_node *opens;
};

static void schedule_every(struct check *c, const struct yaml_node *root, struct raw_schedule *raw)
{
	struct str names[ARRAY_LEN(everies)];
	size_t found = ARRAY_LEN(everies);
	for (size_t i = 0; i < ARRAY_LEN(everies); i++) {
		names[i] = str_of(everies[i].name);
		if (str_eq(raw->every, names[i]))
			found = i;
	}
	if (found == ARRAY_LEN(everies)) {
		DIAG_NEARBY(c->d, at_key(root, "every"), raw->every, names, ARRAY_LEN(names), EVERY, STR_FMT(raw->every));
		return;
	}
	raw->s.every = (enum every)found;
	if (raw->s.on < 1 || raw->s.on > everies[found].days)
		DIAG(c->d, at_key(root, "on"), SCHEDULE_ON, everies[found].days, everies[found].name);
}

struct raw_scheduled {
	struct str type, link;
	const struct yaml_node *fields, *within;
};

static void schedule_opens(struct check *c, struct schedule *s, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "type", KEY_STR, true, offsetof(struct raw_scheduled, type), 0 },
		{ "link", KEY_STR, true, offsetof(struct raw_scheduled, link), 0 },
		{ "fields", KEY_MAP, false, offsetof(struct raw_scheduled, fields), 0 },
		{ "within", KEY_ANY, false, offsetof(struct raw_scheduled, within), 0 },
	};
	struct raw_scheduled raw = { .type = STR_EMPTY, .link = STR_EMPTY };
	if (!keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || raw.type.n == 0 || raw.link.n == 0)
		return;
	if (!(s->type = want_type(c, at_key(n, "type"), raw.type)) || !s->subject)
		return;
	s->link = check_link(c, n, s->type, s->subject, raw.link);
	if (raw.within)
		(void)check_span(c, raw.within, &s->within);
	if (raw.within && s->type->nstates == 0)
		DIAG(c->d, raw.within, SCHEDULE_WITHIN, STR_FMT(raw.type));
	check_assigns(c, s->subject, s->type, NULL, raw.fields, &s->fields, &s->nfields);
}

void check_schedule(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "schedule", KEY_NAME, true, offsetof(struct raw_schedule, s.name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct raw_schedule, s.label), 0 },
		{ "every", KEY_STR, true, offsetof(struct raw_schedule, every), 0 },
		{ "on", KEY_INT, false, offsetof(struct raw_schedule, s.on), 0 },
		{ "for", KEY_STR, true, offsetof(struct raw_schedule, subject), 0 },
		{ "where", KEY_STR, false, offsetof(struct raw_schedule, s.where), 0 },
		{ "opens", KEY_MAP, true, offsetof(struct raw_schedule, opens), 0 },
	};
	struct raw_schedule raw = { .s = { .name = STR_EMPTY, .pack = s->pack, .on = 1, .where = STR_EMPTY },
		                    .every = STR_EMPTY, .subject = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) || raw.s.name.n == 0)
		return;
	if (!declare(c, 's', raw.s.name, at_key(s->root, "schedule")))
		return;
	if (raw.every.n)
		schedule_every(c, s->root, &raw);
	if (raw.subject.n)
		raw.s.subject = want_type(c, at_key(s->root, "for"), raw.subject);
	if (raw.subject.n && raw.s.subject && raw.s.where.n) {
		struct expr_ask ask = { .reg = c->reg, .t = raw.s.subject };
		const struct yaml_node *where = yaml_get(s->root, "where");
		const struct expr *e = type_expr_at(&ask, where, 0, c->a, c->d);
		raw.s.cond = e ? expr_to_cond_at(e, raw.s.subject, where, c->a, c->d) : NULL;
	}
	if (raw.opens)
		schedule_opens(c, &raw.s, raw.opens);
	c->reg->schedules[c->reg->nschedules++] = raw.s;
}
