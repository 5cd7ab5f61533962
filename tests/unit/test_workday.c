// Working days between holidays, and what time allowed in a state comes to.
// needs: base store expr model auth measure flow
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/time.h"
#include "base/workday.h"
#include "flow/draft.h"

static const struct registry *shipped(void)
{
	static struct registry *r;
	static struct arena *a;
	if (r)
		return r;
	a = arena_new(0);
	struct diags d = { .arena = a };
	assert_int_equal(registry_load(&r, STR("packs"), &d), OK);
	return r;
}

static int64_t day(const char *text)
{
	int64_t d;
	if (!day_parse(str_of(text), &d))
		fail_msg("%s is no day", text);
	return d;
}

static int64_t at(const char *text)
{
	int64_t us;
	if (!time_parse(str_of(text), &us))
		fail_msg("%s is no time", text);
	return us;
}

static void same_time(int64_t got, const char *want)
{
	char text[TIME_TEXT_MAX];
	size_t n = time_text(got, text);
	if (got != at(want))
		fail_msg("%.*s, should be %s", (int)n, text, want);
}

static void test_days(void **state)
{
	(void)state;
	int64_t d;
	assert_int_equal(day("1970-01-01"), 0);
	assert_int_equal(day_weekday(day("2026-11-22")), 7);
	assert_int_equal(day_weekday(day("1969-12-29")), 1);
	assert_int_equal(day_year(day("2025-12-31")), 2025);
	assert_int_equal(day_of(at("2026-11-22T00:00:00+08:00")), day("2026-11-22"));
	assert_int_equal(day_of(at("2026-11-21T23:59:59+08:00")), day("2026-11-21"));
	same_time(day_end(day("2026-12-31")), "2026-12-31T23:59:59+08:00");
	assert_false(day_parse(STR("2026-02-29"), &d));
	assert_false(day_parse(STR("2026-2-9"), &d));
}

static void test_holidays(void **state)
{
	const struct workdays *w = shipped()->workdays;
	(void)state;
	assert_true(workdays_knows(w, 2025) && workdays_knows(w, 2026) && !workdays_knows(w, 2031));
	assert_false(workday_is(w, day("2026-10-01"))); // a Thursday
	assert_true(workday_is(w, day("2026-10-10")));  // a Saturday, worked instead
	assert_true(workday_is(w, day("2025-01-26")));
	assert_false(workday_is(w, day("2025-10-08")));
	assert_true(workday_is(w, day("2031-10-01")));  // no calendar: Monday to Friday
	assert_false(workday_is(w, day("2031-10-04")));
}

static void test_steps(void **state)
{
	const struct workdays *w = shipped()->workdays;
	(void)state;
	assert_int_equal(workday_step(w, day("2026-09-30"), 1), day("2026-10-08"));
	assert_int_equal(workday_step(w, day("2026-10-08"), -1), day("2026-09-30"));
	assert_int_equal(workday_step(w, day("2026-10-09"), 1), day("2026-10-10")); // the Saturday counts
	assert_int_equal(workday_step(w, day("2025-12-31"), 1), day("2026-01-04")); // over the year's end, a Sunday worked
	assert_int_equal(workday_step(w, day("2026-02-13"), 3), day("2026-02-25"));
	assert_int_equal(workday_step(w, day("2026-11-22"), 0), day("2026-11-22"));
	assert_int_equal(workday_step(w, day("2026-11-22"), -1), day("2026-11-20"));
}

// The day it begins on does not count, the last one to its end.
static void test_allowance(void **state)
{
	const struct workdays *w = shipped()->workdays;
	struct allowance five = { .wd = 5 }, hours = { .us = 4 * US_PER_HOUR };
	(void)state;
	same_time(allowance_end(w, five, at("2026-11-23T09:30:00+08:00")), "2026-11-30T23:59:59+08:00");
	same_time(allowance_end(w, five, at("2026-11-21T09:30:00+08:00")), "2026-11-27T23:59:59+08:00"); // begun on a Saturday
	same_time(allowance_end(w, five, at("2026-09-29T23:00:00+08:00")), "2026-10-12T23:59:59+08:00"); // over National Day
	same_time(allowance_end(w, five, at("2026-12-30T16:30:00Z")), "2027-01-07T23:59:59+08:00");       // it is the 31st here
	same_time(allowance_end(w, hours, at("2026-11-22T22:00:00+08:00")), "2026-11-23T02:00:00+08:00");
	assert_int_equal(allowance_end(w, (struct allowance){ 0 }, 1), 0);
}

static void test_reminders(void **state)
{
	const struct workdays *w = shipped()->workdays;
	struct allowance three = { .wd = 3 }, day1 = { .us = US_PER_DAY };
	int64_t due = day_end(day("2026-10-12"));
	(void)state;
	same_time(reminder_at(w, three, due), "2026-10-08T09:00:00+08:00"); // 12th ← 10th, 9th, 8th
	same_time(reminder_at(w, day1, due), "2026-10-11T23:59:59+08:00");
	// turned round: whatever the moment, reminder_at(deadline) <= now is just deadline <= reminder_until(now)
	for (int64_t now = at("2026-09-20T03:00:00+08:00"); now < at("2026-10-20T00:00:00+08:00"); now += 7 * US_PER_HOUR)
		for (int64_t d = day("2026-09-18"); d < day("2026-10-25"); d++)
			assert_true((reminder_at(w, three, day_end(d)) <= now) == (day_end(d) <= reminder_until(w, three, now)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),      cmocka_unit_test(test_holidays),  cmocka_unit_test(test_steps),
		cmocka_unit_test(test_allowance), cmocka_unit_test(test_reminders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
