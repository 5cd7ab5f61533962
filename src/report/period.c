// Periods of reports: a day, a week from Monday (ISO 8601), a month, a quarter, a year of the site's zone. Pure.
#include "base/time.h"
#include "report/document.h"

#define DAY (86400 * US_PER_S)

static int64_t start_of(int year, int month, int day)
{
	while (month < 1)
		month += 12, year--;
	while (month > 12)
		month -= 12, year++;
	return time_from_civil((struct civil){ .year = year, .month = month, .day = day }, time_zone());
}

// 0 = Monday; 1970-01-01 was a Thursday.
static int weekday_of(int64_t day_start)
{
	int64_t day = (day_start + time_zone() * 60 * US_PER_S) / DAY;
	return (int)((day % 7 + 7 + 3) % 7);
}

static struct str week_name(int64_t monday, struct arena *a)
{
	struct civil thursday = time_to_civil(monday + 3 * DAY, time_zone()); // it says whose week it is
	int64_t day = (monday + 3 * DAY - start_of(thursday.year, 1, 1)) / DAY;
	return arena_printf(a, "%04d-W%02d", thursday.year, (int)(day / 7) + 1);
}

struct report_period report_period_at(enum report_every e, int64_t us, int back, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	int64_t today = start_of(c.year, c.month, c.day);
	struct report_period p = { .name = STR_EMPTY };
	if (e == REPORT_WEEK) {
		p.from = today - weekday_of(today) * DAY - back * 7 * DAY;
		p.to = p.from + 7 * DAY;
		p.name = week_name(p.from, a);
	} else if (e == REPORT_MONTH || e == REPORT_QUARTER || e == REPORT_YEAR) {
		int months = e == REPORT_MONTH ? 1 : e == REPORT_QUARTER ? 3 : 12, month = (c.month - 1) / months * months + 1;
		p.from = start_of(c.year, month - back * months, 1);
		p.to = start_of(c.year, month - back * months + months, 1);
	} else {
		p.from = today - back * DAY;
		p.to = p.from + DAY;
	}
	c = time_to_civil(p.from, time_zone());
	if (e == REPORT_MONTH)
		p.name = arena_printf(a, "%04d-%02d", c.year, c.month);
	else if (e == REPORT_QUARTER)
		p.name = arena_printf(a, "%04d-Q%d", c.year, (c.month - 1) / 3 + 1);
	else if (e == REPORT_YEAR)
		p.name = arena_printf(a, "%04d", c.year);
	else if (e == REPORT_DAY)
		p.name = arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
	return p;
}

// The name is read by looking for a moment in it, and then compared with what that period is called.
bool report_period_parse(enum report_every e, struct str text, struct arena *a, struct report_period *ret)
{
	uint64_t year, sub = 1, day = 1;
	struct str rest = text, y = str_cut(&rest, '-');
	if (!str_to_u64(y, &year) || year < 2000 || year > 2199)
		return false;
	if (e == REPORT_WEEK || e == REPORT_QUARTER)
		rest = str_skip(rest, 1);
	struct str s = str_cut(&rest, '-');
	if ((s.n && !str_to_u64(s, &sub)) || (rest.n && !str_to_u64(rest, &day)) || sub > 53 || day > 31 || !sub || !day)
		return false;
	int64_t at = start_of((int)year, 1, 4) + ((int64_t)sub - 1) * 7 * DAY; // January 4 lies in week 1
	if (e == REPORT_QUARTER)
		at = start_of((int)year, (int)MIN(sub, UINT64_C(4)) * 3 - 2, 1);
	else if (e != REPORT_WEEK)
		at = start_of((int)year, (int)MIN(sub, UINT64_C(12)), (int)day);
	*ret = report_period_at(e, at, 0, a);
	return str_eq(ret->name, text);
}
