// Indicators and assessments: what the checker says of mistakes, periods of the calendar, and the arithmetic of sheets.
// needs: base loop expr store model auth measure
#include <math.h>

#include "store_fixture.h"
#include "diag_help.h"

#include "base/time.h"
#include "measure/measure.h"
#include "model/yaml.h"

// The folder tests/packs/measure holds one good indicator and files with a mistake or two; measure.err is all that must be
// said, in this order.
static void test_every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct registry *reg;
	assert_int_equal(registry_load(&reg, STR("tests/packs/measure"), &d), OK);
	assert_null(measures_load(reg, a, &d));
	assert_all_told(&d, "tests/packs/measure", a);
	registry_free(reg);
	arena_free(a);
}

static void assert_period(const char *text, bool ytd, const char *from, const char *to)
{
	struct arena *a = arena_new(0);
	struct period p;
	int64_t f, t;
	assert_true(period_parse(str_of(text), ytd, a, &p));
	assert_true(time_parse(str_of(from), &f) && time_parse(str_of(to), &t));
	assert_int_equal(p.from, f);
	assert_int_equal(p.to, t);
	assert_str(p.name, text);
	arena_free(a);
}

static void test_periods(void **state)
{
	struct arena *a = arena_new(0);
	struct period p, back;
	(void)state;
	assert_period("2026", false, "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00");
	assert_period("2026-Q4", false, "2026-10-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00");
	assert_period("2024-02", false, "2024-02-01T00:00:00+08:00", "2024-03-01T00:00:00+08:00");
	assert_period("2024-02", true, "2024-01-01T00:00:00+08:00", "2024-03-01T00:00:00+08:00");
	assert_period("2024-02-29", false, "2024-02-29T00:00:00+08:00", "2024-03-01T00:00:00+08:00");
	static const char *const bad[] = { "", "26", "2026-13", "2026-Q5", "2026-02-30", "2026-1", "2026-11-2", "2026x" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(period_parse(str_of(bad[i]), false, a, &p));
	assert_true(period_parse(STR("2026-02"), false, a, &p));
	back = period_back(&p, 3, a);
	assert_str(back.name, "2025-11");
	assert_true(period_parse(STR("2026-Q1"), false, a, &p));
	back = period_back(&p, 5, a);
	assert_str(back.name, "2024-Q4");
	assert_true(period_parse(STR("2026-01-01"), false, a, &p));
	back = period_back(&p, 1, a);
	assert_str(back.name, "2025-12-31");
	arena_free(a);
}

// A line with a known season comes apart into exactly these; noise alone has none; too little says so.
static void test_seasons(void **state)
{
	static const double season[12] = { -3, -2, 0, 1, 2, 4, 6, 1, -1, -2, -3, -3 }; // sums up to 0
	struct arena *a = arena_new(0);
	double v[60];
	struct season s;
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(v); k++)
		v[k] = 10 + 0.5 * (double)k + season[(k + 3) % 12];
	assert_true(season_split(v, ARRAY_LEN(v), 3, a, &s));
	for (size_t m = 0; m < 12; m++)
		assert_true(fabs(s.factor[m] - season[m]) < 1e-9);
	assert_true(isnan(s.trend[5]) && isnan(s.trend[54]));
	for (size_t k = 6; k < 54; k++)
		assert_true(fabs(s.trend[k] - (10 + 0.5 * (double)k)) < 1e-9);
	assert_true(fabs(s.strength - 1) < 1e-9);
	for (size_t k = 0; k < ARRAY_LEN(v); k++)
		v[k] = k % 24 < 12 ? 4 : 8; // what one year brings the next takes back: no month of its own
	assert_true(season_split(v, ARRAY_LEN(v), 0, a, &s));
	assert_true(s.strength < 0.2);
	for (size_t k = 0; k < ARRAY_LEN(v); k++)
		v[k] = 7;
	assert_true(season_split(v, SEASON_MONTHS, 0, a, &s));
	assert_true(s.strength == 0 && fabs(s.factor[6]) < 1e-12);
	assert_false(season_split(v, SEASON_MONTHS - 1, 0, a, &s));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_is_told_with_its_place),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_seasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
