// The numbers of alarm load from counts by ten minutes: where a flood begins and ends, peaks, shares of time.
// needs: base loop bus store expr risk model auth alarm
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alarm/kpi.h"

static struct kpi_numbers of(const int64_t *counts, size_t n)
{
	struct kpi_count v[64];
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (counts[i])
			v[k++] = (struct kpi_count){ (int64_t)i, counts[i] };
	return kpi_of(v, k, (int64_t)n);
}

static void test_a_flood_begins_with_ten_and_ends_below_five(void **state)
{
	(void)state;
	// nine are none; ten are; five go on; four end it; a second one
	const int64_t counts[] = { 9, 9, 10, 5, 7, 4, 9, 25, 0 };
	struct kpi_numbers k = of(counts, ARRAY_LEN(counts));
	assert_int_equal(k.floods, 2);
	assert_int_equal(k.flood_periods, 4);
	assert_int_equal(k.periods, 9);
	assert_int_equal(k.activations, 78);
	assert_int_equal(k.peak_period, 25);
	assert_int_equal(k.above, 8);
}

static void test_hours_are_six_periods_from_the_beginning(void **state)
{
	(void)state;
	const int64_t counts[] = { 0, 0, 0, 0, 0, 4, 3, 3, 0, 0, 0, 0, 1 };
	assert_int_equal(of(counts, ARRAY_LEN(counts)).peak_hour, 6); // not the seven across the hour
	const int64_t busy[] = { 10, 10, 10, 0, 0, 1, 10, 10, 10, 0, 0, 0, 31 }; // 31, 30, and a last hour that is not whole
	struct kpi_numbers k = of(busy, ARRAY_LEN(busy));
	assert_true(k.hours == 3 && k.busy_hours == 2);
	assert_string_equal(kpi_load(6), "acceptable");
	assert_string_equal(kpi_load(12), "manageable");
	assert_string_equal(kpi_load(13), "demanding");
	assert_string_equal(kpi_load(61), "unacceptable");
}

// As the banner sees it: any ten minutes on end, and it does not flicker between nine and ten.
static void test_the_flood_of_now_begins_and_ends_as_in_the_figures(void **state)
{
	(void)state;
	const struct kpi_count v[] = { { 100, 4 }, { 105, 5 }, { 108, 1 }, { 112, 3 }, { 119, 2 }, { 200, 9 }, { 210, 9 }, { 300, 30 } };
	int64_t since = 0;
	for (int64_t now = 90; now <= 320; now++) {
		size_t n = 0; // what is known at that minute
		while (n < ARRAY_LEN(v) && v[n].period <= now)
			n++;
		bool flood = kpi_flood_at(v, n, now, &since);
		assert_int_equal(flood, (now >= 108 && now < 115) || (now >= 300 && now < 310)); // at 115 four are left; five are no new one
		assert_true(!flood || since == (now < 200 ? 108 : 300));
	}
	assert_false(kpi_flood_at(NULL, 0, 500, &since));
}

static void test_nothing_is_no_load(void **state)
{
	(void)state;
	struct kpi_numbers k = kpi_of(NULL, 0, 144);
	assert_int_equal(k.activations + k.floods + k.flood_periods + k.above + k.peak_period + k.peak_hour, 0);
	assert_int_equal(kpi_of(NULL, 0, 0).periods, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flood_begins_with_ten_and_ends_below_five),
		cmocka_unit_test(test_hours_are_six_periods_from_the_beginning),
		cmocka_unit_test(test_the_flood_of_now_begins_and_ends_as_in_the_figures),
		cmocka_unit_test(test_nothing_is_no_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
