// needs: base
// RFC 3339, local times of devices, leap days, far years, durations, the fake clock.
#include "base/time.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void check_parse(const char *text, int64_t want)
{
	int64_t us = -1;
	if (!time_parse(str_of(text), &us) || us != want) {
		fail_msg("%s read as %lld, not %lld", text, (long long)us, (long long)want);
	}
}

static void test_parse(void **state)
{
	(void)state;
	check_parse("1970-01-01T00:00:00Z", 0);
	check_parse("1970-01-01T08:00:00+08:00", 0);
	check_parse("1969-12-31T23:59:59.999999Z", -1);
	check_parse("2026-11-22T08:00:00.123456+08:00", INT64_C(1795305600123456));
	check_parse("2026-11-22 08:00:00+08:00", INT64_C(1795305600000000));
	check_parse("2026-11-22t00:00:00.1z", INT64_C(1795305600100000));
	check_parse("2026-11-22T00:00:00.123456789Z", INT64_C(1795305600123456));
	check_parse("2026-11-22T00:00:00.0000001Z", INT64_C(1795305600000000));
	check_parse("2038-01-19T03:14:08Z", INT64_C(2147483648000000));
	check_parse("2106-02-07T06:28:16Z", INT64_C(4294967296000000));
	check_parse("2024-02-29T12:00:00-05:30", INT64_C(1709227800000000));
	check_parse("2000-02-29T00:00:00Z", INT64_C(951782400000000));
	check_parse("0000-03-01T00:00:00Z", INT64_C(-62162035200000000));
	check_parse("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
	check_parse("2026-01-01T00:00:00-00:00", INT64_C(1767225600000000));
	check_parse("2026-01-01T00:00:00+23:59", INT64_C(1767225600000000) - (23 * 60 + 59) * US_PER_MIN);
}

static void test_parse_bad(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "2026", "2026-11-22", "2026-11-22T08:00:00", "2026-11-22T08:00Z", "2026-11-22T08:00:00.Z", "2026-11-22T08:00:00.1",
		"2026-11-22T08:00:00+8:00", "2026-11-22T08:00:00+0800", "2026-11-22T08:00:00+08", "2026-11-22T08:00:00+24:00",
		"2026-11-22T08:00:00+08:60", "2026-11-22T08:00:00Zx", "2026-11-22T08:00:00Z ", " 2026-11-22T08:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T23:60:00Z", "2026-11-22T23:59:60Z", "2026-11-22_23:59:00Z", "2026/11/22T23:59:00Z",
		"2026-11-22T23-59-00Z", "+026-11-22T23:59:00Z", "2026-1a-22T23:59:00Z", "2026-11-22T08:00:00.1.2Z",
		"2026-11-22T08:00:00,5Z", "20261122T080000Z", "1970-01-01T00:00:00", "2026-11-22T08:00:00\xef\xbc\x8b" "08:00", "-001-11-22T23:59:00Z",
	};
	int64_t us;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (time_parse(str_of(bad[i]), &us)) {
			fail_msg("%s was accepted", bad[i]);
		}
	}
	char zeros[20] = { [19] = 'Z' };
	assert_false(time_parse(str_from(zeros, sizeof zeros), &us));
}

static void test_local(void **state)
{
	(void)state;
	int64_t us;
	assert_true(time_parse_local(STR("20160801085857"), 480, &us) && us == INT64_C(1470013137000000));
	assert_true(time_parse_local(STR("20160801085857223"), 480, &us) && us == INT64_C(1470013137223000));
	assert_true(time_parse_local(STR("2016-08-01 08:58:57"), 480, &us) && us == INT64_C(1470013137000000));
	assert_true(time_parse_local(STR("2016-08-01 08:58:57.5"), 480, &us) && us == INT64_C(1470013137500000));
	assert_true(time_parse_local(STR("2016-08-01T08:58:57"), 0, &us) && us == INT64_C(1470041937000000));
	static const char *const bad[] = { "", "2016080108585", "201608010858577", "2016080108585722a", "20160231085857", "20160801245857",
		                           "20160801086057", "20160801085860", "2016-08-01 08:58:57Z", "2016-08-01 08:58:57.",
		                           "2016-08-01 08:58", "2016-08-01  8:58:57", "2016080108585722x", "201608010858572233", "2016080a085857" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (time_parse_local(str_of(bad[i]), 480, &us)) {
			fail_msg("%s was accepted", bad[i]);
		}
	}
}

static void check_text(int64_t us, int zone, const char *want)
{
	char text[TIME_TEXT_MAX];
	size_t n = time_text_zone(us, zone, text);
	assert_true(n <= TIME_TEXT_MAX);
	if (!str_is(str_from(text, n), want)) {
		fail_msg("%lld printed as %.*s, not %s", (long long)us, (int)n, text, want);
	}
}

static void test_text(void **state)
{
	(void)state;
	check_text(0, 0, "1970-01-01T00:00:00Z");
	check_text(0, 480, "1970-01-01T08:00:00+08:00");
	check_text(-1, 0, "1969-12-31T23:59:59.999999Z");
	check_text(INT64_C(1795305600123000), 480, "2026-11-22T08:00:00.123+08:00");
	check_text(INT64_C(1795305600123456), -330, "2026-11-21T18:30:00.123456-05:30");
	check_text(INT64_C(951782400000000), 0, "2000-02-29T00:00:00Z");
	char text[TIME_TEXT_MAX];
	assert_true(time_text_zone(INT64_MAX, 480, text) <= TIME_TEXT_MAX);
	assert_true(time_text_zone(INT64_MIN, -480, text) <= TIME_TEXT_MAX);
	assert_int_equal(time_zone(), 480);
	assert_int_equal(time_text(0, text), 25);
	time_set_zone(0);
	assert_int_equal(time_text(0, text), 20);
	time_set_zone(480);
}

// Every day of 800 years, forth and back.
static void test_every_day(void **state)
{
	(void)state;
	struct civil c = { .year = 1600, .month = 1, .day = 1, .hour = 23, .min = 59, .sec = 58, .us = 7 };
	int64_t first = time_from_civil(c, 480);
	for (int64_t day = 0; day < 292194; day++) {
		int64_t us = first + day * US_PER_DAY;
		struct civil back = time_to_civil(us, 480);
		assert_true(civil_valid(back) && back.hour == 23 && back.us == 7);
		assert_true(time_from_civil(back, 480) == us);
	}
}

static void test_duration(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t us;
	} good[] = { { "15d", 15 * US_PER_DAY }, { "3h", 3 * US_PER_HOUR }, { "10min", 10 * US_PER_MIN }, { "30s", 30 * US_PER_S },
		     { "250ms", 250 * US_PER_MS }, { "0s", 0 } };
	int64_t us;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(duration_parse(str_of(good[i].text), &us) && us == good[i].us);
	}
	static const char *const bad[] = { "", "s", "10", "10m", "-3h", "1.5h", "3 h", "3hours", "9223372036854775807d", "99999999999999999999s" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(duration_parse(str_of(bad[i]), &us));
	}
}

static void test_clock(void **state)
{
	(void)state;
	int64_t real = clock_now();
	assert_true(real > INT64_C(1700000000000000));
	clock_set_fake(42);
	assert_int_equal(clock_now(), 42);
	assert_int_equal(clock_mono(), 42);
	clock_set_fake(0);
	assert_true(clock_now() >= real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),     cmocka_unit_test(test_parse_bad), cmocka_unit_test(test_local),
		cmocka_unit_test(test_text),      cmocka_unit_test(test_every_day), cmocka_unit_test(test_duration),
		cmocka_unit_test(test_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
