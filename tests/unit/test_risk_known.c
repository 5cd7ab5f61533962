// needs: base risk
// The models as a sceptic looks at them: published values that stand in no worked case, each with its source; limits (nothing
// there, nothing comes out), joints where one branch becomes another, curves that must fall.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "risk/inputs.h"

static struct arena *a;
static struct risk_tables tables;

static int setup(void **state)
{
	(void)state;
	struct str wrong;
	a = arena_new(1 << 20);
	return risk_tables_load(a, "packs", &tables, &wrong) ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static struct problem problem;

// The model's answer to inputs (JSON); the run has failed if problem.err is not OK.
static struct risk_run *run(struct arena *arena, const char *model, struct str inputs)
{
	struct risk_run *r = arena_one(arena, struct risk_run);
	problem_init(&problem, arena);
	r->model = risk_find(str_of(model), &r->alias);
	assert_non_null(r->model);
	r->tables = &tables;
	r->arena = arena;
	r->problem = &problem;
	if (risk_read(r, inputs) == OK) {
		r->model->run(r);
	}
	return r;
}

static double output(const struct risk_run *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (str_is(r->results[i].name, name) && r->results[i].kind == RISK_NUM) {
			return r->results[i].num;
		}
	}
	return NAN;
}

// One number of an answer; the inputs are a printf format.
static double value(const char *model, const char *name, const char *fmt, ...)
{
	struct arena *own = arena_new(1 << 16);
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	const struct risk_run *r = run(own, model, str_of(text));
	if (problem.err != OK) {
		fail_msg("%s %s: %.*s %.*s", model, text, STR_FMT(problem.field), STR_FMT(problem.en));
	}
	double v = output(r, name);
	arena_free(own);
	return v;
}

static bool refused(const char *model, const char *field, const char *inputs)
{
	struct arena *own = arena_new(1 << 16);
	run(own, model, str_of(inputs));
	bool yes = problem.err != OK && str_is(problem.field, field) && problem.zh.n && problem.en.n;
	arena_free(own);
	return yes;
}

static bool warns(const char *model, const char *inputs)
{
	struct arena *own = arena_new(1 << 16);
	const struct risk_run *r = run(own, model, str_of(inputs));
	bool yes = problem.err == OK && r->n_warnings > 0;
	arena_free(own);
	return yes;
}

static void assert_near(double got, double want, double rel)
{
	if (!(fabs(got - want) <= rel * fabs(want) + 1e-12)) {
		fail_msg("%.12g is not %.12g within %g", got, want, rel);
	}
}

// ---- vapour clouds --------------------------------------------------------------------------------------------------------

// van den Berg 1985: the overpressure inside the cloud is the class; strong classes are one curve beyond R = 2.35.
static void multi_energy_curves_fall_and_join(void **state)
{
	(void)state;
	static const double inside[] = { 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2 };
	const char *form = "{\"V\":1,\"E_per_m3\":1e6,\"P0\":1e5,\"blast_class\":%d,\"r\":%.9g}";
	for (int c = 1; c <= 10; c++) {
		double last = 0;
		for (double x = 0.23; x < 90; x *= 1.05) {
			double r = x * cbrt(10), p = value("multi-energy", "P_ratio", form, c, r);
			assert_true(last == 0 || (p <= last * 1.01 && p > last * 0.87)); // the laws meet within a per cent
			assert_near(value("multi-energy", "impulse", form, c, r), 0.5 * p * 1e5 * value("multi-energy", "duration", form, c, r) / 1000, 1e-9);
			last = p;
		}
		assert_near(value("multi-energy", "P_ratio", form, c, 0.3 * cbrt(10)), c <= 8 ? inside[c - 1] : c == 9 ? 2.73 : 7.28, 0.01);
		if (c >= 6) {
			assert_near(value("multi-energy", "P_ratio", form, c, 5 * cbrt(10)), value("multi-energy", "P_ratio", form, 10, 5 * cbrt(10)), 1e-12);
		}
	}
	assert_true(warns("multi-energy", "{\"V\":1,\"blast_class\":7,\"r\":0.2}"));    // inside the cloud
	assert_true(warns("multi-energy", "{\"V\":1,\"blast_class\":7,\"r\":1000}"));   // beyond the chart
	assert_false(warns("multi-energy", "{\"V\":1,\"blast_class\":7,\"r\":10}"));
	assert_true(refused("multi-energy", "r", "{\"V\":1,\"blast_class\":7,\"r\":10000}"));
	assert_true(refused("multi-energy", "blast_class", "{\"V\":1,\"blast_class\":7.5,\"r\":10}"));
}

static void baker_strehlow_curves_fall_and_say_where_they_end(void **state)
{
	(void)state;
	static const char *const families[] = { "tang-baker-1999", "ccps-2000" };
	static const double mach[] = { 0.2, 0.35, 0.7, 1, 5.2 };
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		for (size_t k = 0; k < ARRAY_LEN(mach); k++) {
			double last = HUGE_VAL;
			for (double x = 0.3; x < 60; x *= 1.1) {
				double p = value("baker-strehlow-tang", "P_ratio", "{\"Mf\":%g,\"R\":%g,\"family\":\"%s\"}", mach[k], x, families[f]);
				assert_true(p < last * 1.01 && p > 0);
				last = p;
			}
		}
	}
	assert_true(warns("baker-strehlow-tang", "{\"Mf\":0.03,\"R\":1}"));
	assert_true(warns("baker-strehlow-tang", "{\"Mf\":1,\"R\":0.1}"));
	assert_true(warns("baker-strehlow-tang", "{\"Mf\":1,\"R\":50}"));
	assert_false(warns("baker-strehlow-tang", "{\"Mf\":1,\"R\":2}"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		TEST(multi_energy_curves_fall_and_join), TEST(baker_strehlow_curves_fall_and_say_where_they_end),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
