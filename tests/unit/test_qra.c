// needs: base risk
// threads
// The regional assessment against its definition (plain sums) and against cases that can be done by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/jw.h"
#include "risk/numeric.h"
#include "risk/qra_int.h"
#include "risk_help.h"

static void assert_near(double got, double want, double rel)
{
	if (!(fabs(got - want) <= rel * fabs(want))) {
		fail_msg("%.15g is not %.15g", got, want);
	}
}

static struct qra_input park(const char *json)
{
	struct qra_input in;
	struct problem p;
	problem_init(&p, a);
	if (qra_read(str_of(json), &tables, a, &in, &p)) {
		fail_msg("%.*s", STR_FMT(p.en));
	}
	return in;
}

static struct qra_result run(const struct qra_input *in, unsigned threads)
{
	struct qra_result r;
	struct problem p;
	problem_init(&p, a);
	assert_int_equal(qra_run(in, threads, NULL, NULL, a, &r, &p), OK);
	return r;
}

#define GRID "\"grid\":{\"x0\":-600,\"y0\":-600,\"cell\":40,\"nx\":31,\"ny\":31},\"rows\":48,\"columns\":96,"
#define UNIFORM "\"weather\":[{\"stability\":\"D\",\"u\":4,\"day\":1,\"from\":[0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125]}],"
#define WEST "\"weather\":[{\"stability\":\"D\",\"u\":4,\"day\":1,\"from\":[0,0,0,0,0,0,1,0]}],"
#define TWO "\"weather\":[{\"stability\":\"D\",\"u\":5,\"day\":0.7,\"from\":[0.1,0,0.05,0.15,0.1,0,0.1,0.1]}," \
	"{\"stability\":\"F\",\"u\":1.5,\"day\":0,\"from\":[0.05,0.05,0.1,0,0.05,0.05,0.1,0]}],"
#define CHLORINE "{\"name\":\"hole\",\"f\":1e-4,\"substance\":\"chlorine\",\"rate\":0.8,\"duration\":900}"
#define POISON "\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":[" CHLORINE "]}]"
#define EVERYTHING \
	"\"sources\":[{\"name\":\"a\",\"x\":13,\"y\":-21,\"target\":\"pressurised\",\"volume\":100,\"scenarios\":[" CHLORINE "," \
	"{\"name\":\"vessel\",\"f\":5e-7,\"substance\":\"LPG\",\"release\":\"instantaneous\",\"mass\":8000,\"rupture\":true}]}," \
	"{\"name\":\"b\",\"x\":-120,\"y\":75,\"target\":\"atmospheric\",\"volume\":800,\"scenarios\":[" \
	"{\"name\":\"jet\",\"f\":1e-5,\"substance\":\"propylene\",\"rate\":6,\"duration\":300}," \
	"{\"name\":\"pool\",\"f\":2e-5,\"substance\":\"苯\",\"rate\":1,\"pool\":15,\"heavy\":true,\"rupture\":true}," \
	"{\"name\":\"both\",\"f\":3e-5,\"substance\":\"ethylene oxide\",\"rate\":4,\"duration\":600}," \
	"{\"name\":\"puff\",\"f\":3e-6,\"substance\":\"ammonia\",\"release\":\"instantaneous\",\"mass\":3000}," \
	"{\"name\":\"given\",\"f\":1e-6,\"circle\":200,\"lethal\":0.5}]}]"
#define PEOPLE "\"people\":[[100,40,30,12,0.9],[-210,-300,0,80,0.99],[333,-5,7,7,0.5],[-150,90,20,3,0.2]],"
#define SPARKS "\"ignition\":[{\"x\":-60,\"y\":80,\"rate\":0.01},{\"x\":60,\"y\":-80,\"rate\":0.002}],"
#define PLACES "\"places\":[{\"name\":\"school\",\"class\":\"sensitive\",\"x\":280,\"y\":120},{\"name\":\"yard\",\"class\":\"low\"," \
	"\"x\":-90,\"y\":10,\"old\":false}],"

static void the_fast_sum_is_the_plain_sum(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO PEOPLE SPARKS PLACES "\"split\":2,\"domino\":true," EVERYTHING "}");
	struct qra_result r = run(&in, 2);
	for (size_t i = 3; i < 31 * 31; i += 67) {
		double x = in.grid.x0 + (double)(i % 31) * in.grid.cell, y = in.grid.y0 + (double)(i / 31) * in.grid.cell;
		double plain = qra_plain_ir(&in, x, y, r.reach);
		assert_true(fabs(r.ir[i] - plain) <= 1e-10 * r.ir_max);
		assert_true(plain == 0 || fabs(r.ir[i] / plain - 1) <= 1e-6);
	}
	for (size_t i = 0; i < in.nplaces; i++) {
		assert_near(r.place_sum[i], qra_plain_ir(&in, in.places[i].x, in.places[i].y, r.reach), 1e-9);
	}
	assert_true(r.pll > 0);
	assert_near(r.pll, qra_plain_pll(&in, r.reach), 1e-9);
}

static double away_from_direct(size_t rows, size_t columns)
{
	struct qra_input in = park("{" GRID TWO "\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":[" CHLORINE "]}]}");
	double worst = 0;
	in.rows = rows, in.columns = columns;
	struct qra_result r = run(&in, 1);
	for (size_t i = 0; i < 31 * 31; i++) {
		double x = in.grid.x0 + (double)(i % 31) * in.grid.cell, y = in.grid.y0 + (double)(i / 31) * in.grid.cell;
		worst = fmax(worst, fabs(r.ir[i] - qra_direct_ir(&in, x, y)));
	}
	return worst / r.ir_max;
}

static void a_finer_raster_comes_to_the_lethality_itself(void **state)
{
	(void)state;
	double coarse = away_from_direct(64, 192), middle = away_from_direct(128, 384), fine = away_from_direct(256, 768);
	assert_true(middle < 0.5 * coarse && fine < 0.5 * middle && fine < 2e-3);
}

static void the_threads_do_not_change_a_bit(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO PEOPLE SPARKS PLACES EVERYTHING "}");
	struct qra_result one = run(&in, 1), three = run(&in, 3);
	assert_memory_equal(one.ir, three.ir, 31 * 31 * sizeof(double));
	assert_memory_equal(one.fn, three.fn, one.nfn * sizeof *one.fn);
	assert_true(one.pll == three.pll && one.nfn == three.nfn);
}

static void an_even_rose_is_the_same_all_round(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID UNIFORM PLACES POISON "}");
	struct qra_result r = run(&in, 1);
	for (size_t k = 0; k < 31; k++) { // four quarters of the grid, about its middle
		for (size_t i = 0; i < 31; i++) {
			double v = r.ir[k * 31 + i];
			assert_true(fabs(v - r.ir[i * 31 + (30 - k)]) <= 1e-12 * r.ir_max);
			assert_true(fabs(v - r.ir[(30 - k) * 31 + (30 - i)]) <= 1e-12 * r.ir_max);
			assert_true(fabs(v - r.ir[k * 31 + 30 - i]) <= 1e-12 * r.ir_max);
		}
	}
}

static void the_wind_of_the_west_blows_to_the_east(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID WEST POISON "}");
	struct qra_result r = run(&in, 1);
	assert_true(r.ir[15 * 31 + 17] > 1e-6);
	for (size_t k = 0; k < 31; k++) {
		for (size_t i = 0; i < 15; i++) {
			assert_true(r.ir[k * 31 + i] == 0);
		}
	}
}

static void sources_add_up_and_risk_is_linear_in_frequency(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO PEOPLE SPARKS EVERYTHING "}"), part = in, twice = in;
	struct qra_result all = run(&in, 2);
	bool without_a[2] = { true, false }, without_b[2] = { false, true };
	part.skip = without_a;
	struct qra_result b = run(&part, 1);
	part.skip = without_b;
	struct qra_result only_a = run(&part, 1);
	for (size_t i = 0; i < 31 * 31; i++) {
		assert_true(fabs(all.ir[i] - only_a.ir[i] - b.ir[i]) <= 1e-12 * all.ir_max);
	}
	assert_near(all.pll, only_a.pll + b.pll, 1e-12);
	for (size_t i = 0; i < twice.nsources; i++) {
		for (size_t k = 0; k < twice.sources[i].n; k++) {
			twice.sources[i].scenarios[k].f *= 2;
		}
	}
	struct qra_result more = run(&twice, 1);
	for (size_t i = 0; i < 31 * 31; i += 7) {
		assert_true(fabs(more.ir[i] - 2 * all.ir[i]) <= 1e-12 * more.ir_max);
	}
	assert_near(more.pll, 2 * all.pll, 1e-12);
	assert_near(qra_fn_at(&more, 5), 2 * qra_fn_at(&all, 5), 1e-12);
}

static void nobody_there_is_no_societal_risk(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO EVERYTHING "}");
	struct qra_result r = run(&in, 1);
	assert_true(r.pll == 0 && r.nfn == 0 && r.ir_max > 0);
	assert_string_equal(qra_room(&in, &r).zone, "acceptable");
	assert_true(isinf(qra_room(&in, &r).societal));
}

// One circle: IR = f P inside, nothing outside; N is who is inside; F is one step.
static void a_circle_is_known_exactly(void **state)
{
	(void)state;
	struct qra_input in = park("{\"grid\":{\"x0\":-600,\"y0\":-600,\"cell\":40,\"nx\":31,\"ny\":31}," UNIFORM
		"\"people\":[[50,0,10,10,0],[0,-150,30,30,0.5],[0,500,1000,1000,0]],\"places\":[{\"name\":\"s\",\"class\":\"sensitive\","
		"\"x\":100,\"y\":0}],\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":[{\"name\":\"c\",\"f\":2e-6,"
		"\"circle\":300,\"lethal\":0.8}]}]}");
	struct qra_result r = run(&in, 1);
	for (size_t i = 0; i < 31 * 31; i++) {
		double d = hypot((double)(i % 31) * 40 - 600, (double)(i / 31) * 40 - 600);
		if (d < 290) {
			assert_near(r.ir[i], 1.6e-6, 1e-12);
		} else if (d > 310) {
			assert_true(r.ir[i] == 0);
		}
	}
	assert_near(r.pll, 2e-6 * 32, 1e-12);
	assert_near(qra_fn_at(&r, 31.9), 2e-6, 1e-12);
	assert_true(qra_fn_at(&r, 32.1) == 0);
	struct qra_room m = qra_room(&in, &r); // 3e-6 in service; 1e-3/32 on the line
	assert_near(m.places, 3e-6 / 1.6e-6, 1e-12);
	assert_near(m.societal, 1e-3 / 32 / 2e-6, 1e-12);
	assert_near(m.pll, r.pll * (3e-6 / 1.6e-6 - 1), 1e-12);
	struct qra_ring *rings;
	size_t n;
	qra_contours(&in.grid, r.ir, 8e-7, a, &rings, &n);
	assert_int_equal(n, 1);
	assert_near(qra_area(rings, n), M_PI * 300 * 300, 0.03);
}

static void a_ring_has_a_hole_and_a_saddle_is_closed(void **state)
{
	(void)state;
	struct qra_grid g = { 0, 0, 10, 5, 5 };
	double v[25] = { 0 };
	for (int i = 0; i < 25; i++) {
		int x = i % 5, y = i / 5;
		v[i] = x >= 1 && x <= 3 && y >= 1 && y <= 3 && !(x == 2 && y == 2) ? 1 : 0;
	}
	struct qra_ring *rings;
	size_t n;
	qra_contours(&g, v, 0.5, a, &rings, &n);
	assert_int_equal(n, 2);
	assert_true(qra_area(rings, 1) > 0 && qra_area(rings + 1, 1) < 0);
	double chess[4] = { 1, 0, 0, 1 };
	struct qra_grid small = { 0, 0, 1, 2, 2 };
	qra_contours(&small, chess, 0.6, a, &rings, &n);
	assert_int_equal(n, 2);
	qra_contours(&small, chess, 0.4, a, &rings, &n);
	assert_int_equal(n, 1);
	for (size_t i = 0; i < n; i++) {
		assert_true(rings[i].x[0] == rings[i].x[rings[i].n - 1] && rings[i].y[0] == rings[i].y[rings[i].n - 1]);
	}
}

static void the_event_tree_loses_nothing(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID UNIFORM EVERYTHING "}");
	struct qra_branch b[QRA_BRANCHES];
	const struct qra_scenario *both = &in.sources[1].scenarios[2];
	double sum = 0;
	size_t n = qra_branches(&in, both, &in.classes[0], b);
	assert_int_equal(n, 4); // jet, flash fire, explosion, poison
	for (size_t i = 0; i < n; i++) {
		sum += b[i].p;
	}
	assert_near(sum, 1, 1e-12);
	assert_near(both->immediate, 0.2, 1e-12); // the table's: below 10 kg/s, reactive
	assert_near(both->delayed, 0.2, 1e-12);
}

static void an_ignition_source_counts_only_in_the_cloud(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID UNIFORM "\"ignition\":[{\"x\":60,\"y\":0,\"rate\":0.001}],\"sources\":[{\"name\":\"b\",\"x\":0,"
		"\"y\":0,\"scenarios\":[{\"name\":\"g\",\"f\":1,\"substance\":\"LPG\",\"rate\":8,\"duration\":500}]}]}");
	struct qra_branch b[QRA_BRANCHES];
	size_t n = qra_branches(&in, &in.sources[0].scenarios[0], &in.classes[0], b);
	assert_int_equal(n, 3);
	assert_near(qra_ignited(&in, &in.sources[0], &b[1], M_PI / 2), 1 - exp(-0.5), 1e-12);
	assert_true(qra_ignited(&in, &in.sources[0], &b[1], -M_PI / 2) == 0);
}

static void a_neighbour_fails_by_blast_and_heat(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID UNIFORM "\"domino\":true,\"sources\":[{\"name\":\"pool\",\"x\":0,\"y\":0,\"scenarios\":["
		"{\"name\":\"p\",\"f\":1e-3,\"substance\":\"hexane\",\"pool\":20,\"immediate\":1}]},"
		"{\"name\":\"tank\",\"x\":15,\"y\":0,\"target\":\"atmospheric\",\"volume\":100,\"scenarios\":[{\"name\":\"r\",\"f\":5e-6,"
		"\"circle\":50,\"rupture\":true}]},{\"name\":\"far\",\"x\":400,\"y\":0,\"target\":\"atmospheric\",\"volume\":100,\"scenarios\":"
		"[{\"name\":\"r\",\"f\":5e-6,\"circle\":50,\"rupture\":true}]}]}");
	struct qra_branch b[QRA_BRANCHES];
	double f[3], heat, pressure;
	qra_domino(&in, f);
	assert_int_equal(qra_branches(&in, &in.sources[0].scenarios[0], NULL, b), 1);
	qra_impact(&b[0], 15, 0, &heat, &pressure);
	assert_true(heat > 15 && pressure == 0);
	double ttf = exp(-1.128 * log(heat) - 2.667e-5 * 100 + 9.877);
	assert_near(f[1], 1e-3 * num_phi(9.25 - 1.847 * log(ttf / 60) - 5), 1e-9);
	assert_true(f[2] == 0 && f[0] == 0);
	struct qra_result r = run(&in, 1);
	assert_near(r.sources[1].f, 5e-6 + f[1], 1e-12);
}

static void an_explosion_reaches_what_its_pressures_say(void **state)
{
	(void)state;
	struct qra_rules k = park("{" GRID UNIFORM POISON "}").rules;
	struct qra_branch b = { .effect = QRA_BLAST, .centre = 50, .high = 30, .low = 60 };
	assert_true(qra_lethality(&k, &b, 79, 0).person == 1 && qra_lethality(&k, &b, 81, 0).person == 0);
	assert_near(qra_lethality(&k, &b, 50, 59).indoors, 0.025, 1e-12);
	assert_true(qra_lethality(&k, &b, 50, 61).indoors == 0);
}

static void a_natural_event_gives_the_frequency(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID UNIFORM "\"people\":[[50,0,10,10,0]],\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":["
		"{\"name\":\"c\",\"trigger\":\"lightning\",\"event\":0.02,\"damage\":1e-3,\"circle\":300},"
		"{\"name\":\"d\",\"f\":1e-6,\"circle\":300}]}]}");
	struct qra_result r = run(&in, 1);
	struct buf b;
	struct jw w;
	buf_init(&b, 4 << 20);
	jw_init(&w, &b);
	qra_write(&in, &r, NULL, a, &w);
	assert_true(jw_done(&w) && str_contains(buf_str(&b), STR("\"trigger\":\"lightning\",\"event\":0.02,\"scenarios\":1")));
	buf_free(&b);
	assert_near(r.sources[0].scenario_pll[0], 0.02 * 1e-3 * 10, 1e-12);
}

static bool stop_at_once(void *arg, double part)
{
	*(double *)arg = part;
	return false;
}

static void it_can_be_stopped(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO PEOPLE EVERYTHING "}");
	struct qra_result r;
	struct problem p;
	double part = -1;
	problem_init(&p, a);
	assert_int_equal(qra_run(&in, 2, stop_at_once, &part, a, &r, &p), ERR_TIMEOUT);
	assert_true(part > 0 && part <= 1);
}

static void what_is_wrong_is_said_with_its_field(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{ "{" GRID UNIFORM "\"sources\":[]}", "sources" },
		{ "{" GRID UNIFORM "\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":[{\"name\":\"s\",\"f\":1e-4,\"substance\":\"tea\"}]}]}",
		  "sources.0.scenarios.0.substance" },
		{ "{" GRID UNIFORM "\"sources\":[{\"name\":\"a\",\"x\":0,\"y\":0,\"scenarios\":[{\"name\":\"s\",\"f\":-1}]}]}", "sources.0.scenarios.0.f" },
		{ "{" GRID "\"weather\":[{\"stability\":\"D\",\"u\":4,\"from\":[0.1,0.1,0.1,0.1]}]," POISON "}", "weather" },
		{ "{" GRID "\"weather\":[{\"stability\":\"Q\",\"u\":4,\"from\":[0.25,0.25,0.25,0.25]}]," POISON "}", "weather.0.stability" },
		{ "{" UNIFORM POISON "}", "grid" }, { "{\"gird\":1}", "gird" },
		{ "{" GRID UNIFORM "\"places\":[{\"name\":\"p\",\"class\":\"castle\",\"x\":0,\"y\":0}]," POISON "}", "places.0.class" },
		{ "{" GRID UNIFORM "\"people\":[[1,2,3]]," POISON "}", "people.0" }, { "{" GRID UNIFORM "\"fn\":\"mars\"," POISON "}", "fn" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct qra_input in;
		struct problem p;
		problem_init(&p, a);
		assert_int_equal(qra_read(str_of(bad[i][0]), &tables, a, &in, &p), ERR_INVALID);
		if (!str_is(p.field, bad[i][1])) {
			fail_msg("field %.*s instead of %s (%.*s)", STR_FMT(p.field), bad[i][1], STR_FMT(p.en));
		}
		assert_true(p.zh.n && p.en.n && !str_eq(p.zh, p.en));
	}
}

static void the_answer_is_json_with_what_a_new_plant_brings(void **state)
{
	(void)state;
	struct qra_input in = park("{" GRID TWO PEOPLE PLACES EVERYTHING "}"), part = in;
	struct qra_result all = run(&in, 1);
	bool skip[2] = { false, true };
	part.skip = skip;
	struct qra_result less = run(&part, 1);
	struct buf b;
	struct jw w;
	buf_init(&b, 4 << 20);
	jw_init(&w, &b);
	qra_write(&in, &all, &(struct qra_compared){ &less, skip }, a, &w);
	assert_true(jw_done(&w));
	assert_true(str_contains(buf_str(&b), STR("\"left_out\":[\"b\"]")) && less.pll < all.pll);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_fast_sum_is_the_plain_sum, setup, teardown),
		cmocka_unit_test_setup_teardown(a_finer_raster_comes_to_the_lethality_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(the_threads_do_not_change_a_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(an_even_rose_is_the_same_all_round, setup, teardown),
		cmocka_unit_test_setup_teardown(the_wind_of_the_west_blows_to_the_east, setup, teardown),
		cmocka_unit_test_setup_teardown(sources_add_up_and_risk_is_linear_in_frequency, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_there_is_no_societal_risk, setup, teardown),
		cmocka_unit_test_setup_teardown(a_circle_is_known_exactly, setup, teardown),
		cmocka_unit_test_setup_teardown(a_ring_has_a_hole_and_a_saddle_is_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_event_tree_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ignition_source_counts_only_in_the_cloud, setup, teardown),
		cmocka_unit_test_setup_teardown(a_neighbour_fails_by_blast_and_heat, setup, teardown),
		cmocka_unit_test_setup_teardown(an_explosion_reaches_what_its_pressures_say, setup, teardown),
		cmocka_unit_test_setup_teardown(a_natural_event_gives_the_frequency, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_its_field, setup, teardown),
		cmocka_unit_test_setup_teardown(the_answer_is_json_with_what_a_new_plant_brings, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
