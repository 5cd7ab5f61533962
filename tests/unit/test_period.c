// needs: base store expr risk model auth bus alarm flow measure notify report
// Periods of reports: which day, week, month … a moment lies in, and what they are called.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/time.h"
#include "report/document.h"

static int64_t at(const char *text)
{
	int64_t us;
	assert_true(time_parse(str_of(text), &us));
	return us;
}

static void check(enum report_every e, const char *moment, int back, const char *name, const char *from, const char *to)
{
	struct arena *a = arena_new(0);
	struct report_period p = report_period_at(e, at(moment), back, a), again;
	if (!str_is(p.name, name) || p.from != at(from) || p.to != at(to))
		fail_msg("%s: %.*s from %lld", moment, STR_FMT(p.name), (long long)p.from);
	assert_true(report_period_parse(e, p.name, a, &again));
	assert_true(again.from == p.from && again.to == p.to);
	arena_free(a);
}

static void periods_are_those_of_the_calendar(void **state)
{
	(void)state;
	check(REPORT_DAY, "2026-03-01T00:00:00+08:00", 1, "2026-02-28", "2026-02-28T00:00:00+08:00", "2026-03-01T00:00:00+08:00");
	check(REPORT_DAY, "2026-02-28T16:00:00Z", 0, "2026-03-01", "2026-03-01T00:00:00+08:00", "2026-03-02T00:00:00+08:00");
	check(REPORT_MONTH, "2026-01-05T00:00:00+08:00", 1, "2025-12", "2025-12-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00");
	check(REPORT_QUARTER, "2026-01-05T00:00:00+08:00", 1, "2025-Q4", "2025-10-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00");
	check(REPORT_YEAR, "2026-07-05T00:00:00+08:00", 1, "2025", "2025-01-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00");
}

// ISO 8601: the week of the year's first Thursday is its first.
static void weeks_begin_on_monday_and_belong_to_their_thursday(void **state)
{
	(void)state;
	check(REPORT_WEEK, "2026-11-22T12:00:00+08:00", 0, "2026-W47", "2026-11-16T00:00:00+08:00", "2026-11-23T00:00:00+08:00");
	check(REPORT_WEEK, "2026-11-23T00:00:00+08:00", 0, "2026-W48", "2026-11-23T00:00:00+08:00", "2026-11-30T00:00:00+08:00");
	check(REPORT_WEEK, "2027-01-01T00:00:00+08:00", 0, "2026-W53", "2026-12-28T00:00:00+08:00", "2027-01-04T00:00:00+08:00");
	check(REPORT_WEEK, "2024-12-30T00:00:00+08:00", 0, "2025-W01", "2024-12-30T00:00:00+08:00", "2025-01-06T00:00:00+08:00");
}

static void what_is_no_period_is_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct report_period p;
	static const struct { enum report_every e; const char *text; } bad[] = {
		{ REPORT_DAY, "2026-02-30" }, { REPORT_DAY, "2026-2-3" },  { REPORT_DAY, "2026-11" },    { REPORT_DAY, "" },
		{ REPORT_MONTH, "2026-13" },  { REPORT_MONTH, "2026-00" }, { REPORT_WEEK, "2026-W60" },  { REPORT_WEEK, "2025-W53" },
		{ REPORT_QUARTER, "2026-Q5" }, { REPORT_YEAR, "26" },      { REPORT_YEAR, "2026-01-01" }, { REPORT_QUARTER, "2026-X1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (report_period_parse(bad[i].e, str_of(bad[i].text), a, &p))
			fail_msg("%s was taken", bad[i].text);
	arena_free(a);
}

int main(void)
{
	time_set_zone(480);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_those_of_the_calendar),
		cmocka_unit_test(weeks_begin_on_monday_and_belong_to_their_thursday),
		cmocka_unit_test(what_is_no_period_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
