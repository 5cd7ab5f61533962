// needs: base risk
// Properties of the models that need no published number: limits, monotony, symmetry, conservation, agreement of one form
// with another. The worked cases run through the command: tests/api/97-calc.test.mjs.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/jr.h"
#include "risk/blast.h"
#include "risk/dense.h"
#include "risk/fire.h"
#include "risk/gauss.h"
#include "risk/numeric.h"
#include "risk/risk.h"
#include "risk/slab.h"
#include "risk/source.h"

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new(1 << 16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void assert_near(double got, double want, double rel)
{
	if (!(fabs(got - want) <= rel * fabs(want))) {
		fail_msg("%.12g is not %.12g", got, want);
	}
}

static double across(double y, const void *ctx)
{
	const struct gauss *g = ctx;
	double sum = 0;
	for (double z = 0.25; z < 400; z += 0.5) {
		sum += 0.5 * gauss_plume(g, 500, y, z);
	}
	return sum;
}

static void a_plume_carries_what_was_released(void **state)
{
	(void)state;
	struct gauss g = { SIGMA_BRIGGS_RURAL, 3, 2.5, 4, 10, 1 };
	assert_near(g.u * num_simpson(across, &g, -400, 400, 200), g.q, 1e-3);
}

static void a_plume_is_symmetric_falls_sideways_and_scales(void **state)
{
	(void)state;
	for (int set = 0; set < SIGMA_CHEF; set++) {
		for (int s = 0; s < 6; s++) {
			struct gauss g = { (enum sigma_set)set, s, 1, 3, 0, 1 }, twice = g, fast = g;
			twice.q = 2;
			fast.u = 6;
			double c = gauss_plume(&g, 300, 0, 0);
			assert_true(c > gauss_plume(&g, 300, 5, 0) && gauss_plume(&g, 300, 5, 0) == gauss_plume(&g, 300, -5, 0));
			assert_true(c > gauss_plume(&g, 400, 0, 0) && gauss_plume(&g, -1, 0, 0) == 0);
			assert_near(gauss_plume(&twice, 300, 0, 0), 2 * c, 1e-12);
			assert_near(gauss_plume(&fast, 300, 0, 0), c / 2, 1e-12);
		}
	}
}

static void dispersion_grows_with_distance_and_instability(void **state)
{
	(void)state;
	for (int set = 0; set < SIGMA_CHEF; set++) {
		struct sigma last[6] = { { 0 } };
		for (double x = 50; x < 9000; x *= 1.1) {
			for (int s = 0; s < 6; s++) {
				struct sigma v;
				assert_true(sigma_at((enum sigma_set)set, s, x, &v));
				assert_true(v.y > last[s].y && (v.z > last[s].z * 0.99 || v.z >= 4999));
				assert_true(s == 0 || v.y <= last[s - 1].y * 1.0000001);
				last[s] = v;
			}
		}
	}
}

static void wind_at_the_reference_is_the_reference(void **state)
{
	(void)state;
	assert_near(wind_log(10, 0.1, 0), log(100), 1e-12);
	assert_near(wind_log(10, 0.1, 1e-9), wind_log(10, 0.1, -1e-9), 1e-6); // both go to neutral
	assert_true(inverse_length_tno(0, 0.1) < 0 && inverse_length_tno(3, 0.1) == 0 && inverse_length_tno(5, 0.1) > 0);
}

static void dense_curves_join_and_invert(void **state)
{
	(void)state;
	for (double alpha = -0.9; alpha < 1; alpha += 0.1) {
		double last = 1;
		for (double x = 1; x < 1e4; x *= 1.05) {
			double c = bm_plume_ratio_at(alpha, false, x);
			assert_true(c <= last && c > 0);
			last = c;
			assert_near(bm_plume_x_of(alpha, false, c), x, 1e-6);
		}
	}
	assert_near(bm_warm_inverse(bm_warm(0.02, 111, 298), 111, 298), 0.02, 1e-12);
	assert_near(bm_warm(0.02, 298, 298), 0.02, 1e-12);
}

static const struct slab_in pool = { .mw = 0.016043, .cp = 2238, .cp_l = 3348.5, .t_boil = 111.7, .dhv = 509900, .rho_l = 424.1, .spb = -1,
	.t_source = 111.7, .pool = true,
	.rate = 50, .area = 300, .duration = 200, .z0 = 1e-3, .z_u = 10, .u = 5, .t_air = 295, .rh = 40, .stability = 4, .t_avg = 10,
	.x_max = 1500, .z = 1 };

static void a_dense_cloud_dilutes_warms_and_widens(void **state)
{
	(void)state;
	for (int s = 1; s <= 6; s++) {
		struct slab_in in = pool;
		struct slab_out o;
		in.stability = s;
		slab_run(&in, a, &o);
		assert_null(o.failed);
		assert_true(o.n > 20);
		for (size_t i = 1; i < o.n; i++) {
			assert_true(o.v[i].x > o.v[i - 1].x && o.v[i].cv < o.v[i - 1].cv);
			assert_true(o.v[i].temperature >= in.t_boil && o.v[i].temperature < in.t_air + 0.5);
			assert_true(o.v[i].half_width > o.v[i - 1].half_width * 0.999 || o.v[i].puff != o.v[i - 1].puff);
		}
	}
}

static void a_stronger_dense_release_goes_farther(void **state)
{
	(void)state;
	double last = 0;
	for (double rate = 5; rate < 200; rate *= 2) {
		struct slab_in in = pool;
		struct slab_out o;
		double to = 0;
		in.rate = rate;
		in.area = rate / 0.167;
		slab_run(&in, a, &o);
		assert_null(o.failed);
		for (size_t i = 0; i < o.n; i++) {
			to = o.v[i].c_max > 0.05 ? o.v[i].x : to;
		}
		assert_true(to > last);
		last = to;
	}
}

// The manual's example 1 (Burro 8) inside the plume: half width 78.6 m, height 2.08 m, 1.00 m/s, 1.28 kg/m3 at 31.1 m.
static void the_pool_of_the_manual(void **state)
{
	(void)state;
	struct slab_in in = pool;
	struct slab_out o;
	in.rate = 117, in.area = 657, in.duration = 107, in.z0 = 2e-4, in.z_u = 2.88, in.u = 1.92, in.t_air = 306, in.rh = 4.6,
	in.stability = 0, in.inv_l = 0.0665;
	slab_run(&in, a, &o);
	assert_null(o.failed);
	assert_near(o.half_width, 31.1, 0.05);
	assert_near(o.v[0].half_width, 78.6, 0.05);
	assert_near(o.v[0].h, 2.08, 0.05);
	assert_near(o.v[0].u, 1.00, 0.05);
	assert_near(o.v[0].rho, 1.28, 0.02);
}

// The longer the average the lower: by the meander first, and by the time without gas once it is longer than the cloud takes.
static void a_longer_average_is_lower(void **state)
{
	(void)state;
	static const double seconds[] = { 1, 10, 60, 199, 1800, 3600 };
	struct slab_out o[ARRAY_LEN(seconds)];
	for (size_t k = 0; k < ARRAY_LEN(seconds); k++) {
		struct slab_in in = pool;
		in.t_avg = seconds[k];
		slab_run(&in, a, &o[k]);
		assert_null(o[k].failed);
		for (size_t i = 0; k && i < o[k].n; i++) {
			assert_true(o[k].v[i].c_max < o[k - 1].v[i].c_max || (o[k].v[i].c_max == 1));
			assert_true(o[k].v[i].cv == o[0].v[i].cv);
		}
	}
	for (size_t i = 0; i < o[5].n; i++) {
		assert_near(o[5].v[i].c_max, 0.5 * o[4].v[i].c_max, o[5].v[i].puff ? 0.05 : 1e-9);
	}
	assert_true(o[3].v[o[3].n - 1].c_max < 0.98 * o[1].v[o[1].n - 1].c_max);
}

// Ricou & Spalding 1961: m / m0 = 0.32 x / d sqrt(rho_air / rho0), here of air into air that hardly moves; the air's turbulence
// adds a little.
static void a_free_jet_entrains_as_measured(void **state)
{
	(void)state;
	struct slab_in in = pool;
	in.pool = false, in.free_jet = true, in.mw = 0.02896, in.t_boil = 100, in.t_source = in.t_air = 295, in.rh = 0, in.rate = 6, in.area = 0.1,
	in.duration = 3600, in.height = 60, in.u = 0.3, in.x_max = 60;
	struct slab_out o;
	slab_run(&in, a, &o);
	assert_null(o.failed);
	double d = sqrt(4 * in.area / M_PI);
	int seen = 0;
	for (size_t i = 0; i < o.n; i++) {
		double far = (o.v[i].x - 1) / d, entrained = 1 / o.v[i].cv - 1;
		if (far > 1 && far < 50) { // then what the wind leaves of its momentum matters
			assert_true(entrained > 0.85 * 0.32 * far && entrained < 1.15 * 0.32 * far);
			seen++;
		}
	}
	assert_true(seen > 5);
}

// Mass, momentum and enthalpy over the expansion; the limits: no pressure left, no superheat.
static void a_flash_keeps_mass_momentum_and_heat(void **state)
{
	(void)state;
	struct slab_in nh3 = { .mw = 0.017031, .cp = 2045.9, .cp_l = 4611.8, .t_boil = 239.57, .dhv = 1371000, .rho_l = 603, .spb = -1 };
	assert_near(slab_saturation(&nh3, nh3.t_boil), 101325, 1e-9);
	assert_near(slab_saturation(&nh3, 293.15), 857500, 0.03); // NIST webbook: 0.8575 MPa at 20 C
	struct slab_flash f = { 297.3, 9.8e5, 101325, 108, 0.00701 };
	struct slab_flashed s = slab_flash(&nh3, &f);
	assert_near(s.rho * s.u * s.area, f.rate, 1e-12);
	assert_near(s.flux, f.rate * s.u_exit + (f.p - f.pa) * f.area, 1e-12);
	assert_near((1 - s.liquid) * nh3.dhv, nh3.cp_l * (f.t - nh3.t_boil), 1e-12);
	assert_true(s.rho > 2 && s.rho < 10 && s.area > f.area);
	f.p = f.pa;
	f.t = nh3.t_boil;
	s = slab_flash(&nh3, &f);
	assert_true(s.liquid == 1 && s.u == s.u_exit);
	assert_near(s.area, f.area, 1e-12);
}

// A jet of the same mass with more momentum is thinner nearby; ground that cools keeps it cold longer than ground that does not.
static void momentum_dilutes_and_ground_warms_a_flashing_jet(void **state)
{
	(void)state;
	struct slab_in in = { .mw = 0.017031, .cp = 2045.9, .cp_l = 4611.8, .t_boil = 239.57, .dhv = 1371000, .rho_l = 603, .spb = -1,
		.t_source = 239.57, .liquid = 0.81, .rate = 108, .area = 0.93, .duration = 381, .height = 1, .free_jet = true, .z0 = 0.003,
		.z_u = 2, .u = 4.5, .t_air = 306, .rh = 21, .inv_l = 0.0221, .t_avg = 80, .x_max = 3000, .z = 1 };
	double c[3] = { 0 }, t[3] = { 0 };
	for (int k = 0; k < 3; k++) {
		struct slab_out o;
		in.area = k ? 0.3 : 0.93;
		in.ground = k == 2 ? 600 : 0;
		slab_run(&in, a, &o);
		assert_null(o.failed);
		for (size_t i = 1; i < o.n; i++) {
			assert_true(o.v[i].cv < o.v[i - 1].cv);
			if (o.v[i].x > 100 && c[k] == 0) {
				c[k] = o.v[i].cv;
				t[k] = o.v[i].temperature;
			}
		}
	}
	assert_true(c[1] < c[0]);
	assert_true(t[2] < t[1]);
}

// The class stays what it is where the sun can heat the ground that much; else the heat is that of the noon sun.
static void an_unstable_class_is_held_by_the_sun(void **state)
{
	(void)state;
	struct slab_in in = pool;
	struct slab_out o;
	in.z0 = 2e-4, in.z_u = 3, in.stability = 3;
	for (double u = 2; u <= 14; u += 2) {
		in.u = u;
		slab_run(&in, a, &o);
		assert_null(o.failed);
		assert_true(o.limited ? o.stability > 3 && o.stability < 4 : fabs(o.stability - 3) < 1e-9);
		assert_true(u < 5 ? !o.limited : u < 10 || o.limited);
	}
	in.stability = 5;
	slab_run(&in, a, &o);
	assert_true(!o.limited);
}

static void gas_flow_is_steady_at_the_critical_ratio_and_zero_at_rest(void **state)
{
	(void)state;
	struct gas_hole g = { 5e5, 101325, 300, 0.029, 1.4, 1e-4, 1 };
	double rc = gas_critical_ratio(1.4), last = HUGE_VAL;
	assert_near(rc, 0.5283, 1e-3);
	g.pa = g.p * rc * 0.999999;
	double choked = gas_discharge(&g, NULL);
	g.pa = g.p * rc * 1.000001;
	assert_near(gas_discharge(&g, NULL), choked, 1e-5);
	for (double f = rc; f < 1; f += 0.01) {
		g.pa = f * g.p;
		assert_true(gas_discharge(&g, NULL) < last);
		last = gas_discharge(&g, NULL);
	}
	g.pa = g.p;
	assert_true(gas_discharge(&g, NULL) == 0);
}

static void view_factors_agree_and_stay_below_one(void **state)
{
	(void)state;
	for (double h = 0.5; h < 20; h *= 2) {
		double last = 1;
		for (double s = 1.5; s < 30; s *= 1.5) {
			double v, f, tv, tf;
			view_cylinder(h, s, &v, &f);
			view_tilted(h, s, 1e-9, &tv, &tf);
			assert_near(tv, v, 0.01);
			assert_near(tf, f, 0.01);
			assert_true(hypot(v, f) < 1 && v < last);
			last = v;
		}
	}
	double v, f, tv, tf;
	view_cylinder(4, 5, &v, &f);
	view_tilted(4, 5, 0.5, &tv, &tf);
	assert_true(hypot(tv, tf) > hypot(v, f)); // towards the target
	assert_true(transmissivity(50, 293, 10) > transmissivity(50, 293, 100) && transmissivity(0, 293, 10) == 1);
}

static void blast_falls_with_distance_and_its_fits_join(void **state)
{
	(void)state;
	double last = HUGE_VAL;
	for (double z = 0.2; z < 198; z *= 1.02) {
		double p = kingery_bulmash(KB_SIDE_ON, z);
		assert_true(p < last && p > 0);
		last = p;
		double r = kingery_bulmash(KB_REFLECTED, z);
		assert_true(isnan(r) || r > 1.9 * p);
		assert_near(kinney_graham(z, 1616), 2 * kinney_graham(z, 808), 1e-12);
	}
	assert_true(isnan(kingery_bulmash(KB_SIDE_ON, 0.1)) && isnan(kingery_bulmash(KB_SIDE_ON, 500)));
	assert_near(kingery_bulmash(KB_SIDE_ON, 2.9 + 1e-9), kingery_bulmash(KB_SIDE_ON, 2.9), 0.01);
}

static void units_convert_or_are_refused(void **state)
{
	(void)state;
	double v;
	assert_true(unit_convert(100, STR("psig"), STR("Pa"), &v));
	assert_near(v, 790800.7, 1e-6);
	assert_true(unit_convert(350, STR("F"), STR("K"), &v));
	assert_near(v, 449.8167, 1e-6);
	assert_true(unit_convert(1, STR("BTU/h/ft2"), STR("W/m2"), &v));
	assert_near(v, 3.15459, 1e-5);
	assert_true(unit_convert(2, STR("kg propane"), STR("g"), &v) && v == 2000);
	assert_true(unit_convert(25, STR("ppm"), STR(""), &v));
	assert_near(v, 25e-6, 1e-12);
	assert_false(unit_convert(1, STR("kg"), STR("m"), &v));
	assert_false(unit_convert(1, STR("stone"), STR("kg"), &v));
	assert_true(unit_convert(1, STR("kPa g"), STR("Pa"), &v) && v == 102325); // gauge, not "kPa" and a remark
}

static double line(double x, const void *ctx)
{
	return x * x - *(const double *)ctx;
}

static void roots_integrals_and_interpolation(void **state)
{
	(void)state;
	double two = 2, x;
	assert_true(num_root(line, &two, 0, 10, &x));
	assert_near(x, sqrt(2), 1e-11);
	assert_false(num_root(line, &two, 2, 10, &x));
	assert_near(num_simpson(line, &two, 0, 3, 10), 3, 1e-12);
	const double xs[] = { 1, 10, 100 }, ys[] = { 1, 0.1, 0.01 };
	assert_near(num_interp_loglog(xs, ys, 3, 31.6227766), 0.0316227766, 1e-9);
	assert_near(num_phi(0), 0.5, 1e-15);
	assert_near(num_phi(1.959963985), 0.975, 1e-9);
}

static void tables_are_read_or_their_line_is_named(void **state)
{
	(void)state;
	struct risk_table t;
	unsigned at;
	assert_true(risk_table_parse(a, STR("t"), STR("# a source\n# and more\nname,v\r\n\"a, \"\"b\"\"\",1.5\nc,\n"), &t, &at));
	assert_true(str_is(t.source, "a source and more") && t.n == 2 && t.n_columns == 2);
	assert_true(str_is(risk_table_cell(&t, 0, "name"), "a, \"b\""));
	assert_true(risk_table_num(&t, 0, "v") == 1.5 && isnan(risk_table_num(&t, 1, "v")) && risk_table_row(&t, "name", STR("C")) == 1);
	assert_false(risk_table_parse(a, STR("t"), STR("a,b\n1,2\n3\n"), &t, &at));
	assert_int_equal(at, 3);
	assert_false(risk_table_parse(a, STR("t"), STR("a,b\n\"1,2\n"), &t, &at));
}

// Every model, every number input alone at both ends of its range and just outside: an answer without null, or a refusal that
// names a field or says why; outside always a refusal that names the input.
static void every_model_holds_its_ranges(void **state)
{
	(void)state;
	size_t n;
	const struct risk_model *const *list = risk_models(&n);
	for (size_t m = 0; m < n; m++) {
		for (const struct risk_input *in = list[m]->inputs; in->name; in++) {
			if (in->kind != RISK_NUM) {
				continue;
			}
			for (int side = 0; side < 2; side++) {
				double edge = side ? in->max : in->min, past = edge + (side ? 1 : -1) * (fabs(edge) * 1e-3 + 1e-9);
				struct problem p;
				struct buf out;
				problem_init(&p, a);
				buf_init(&out, 1 << 20);
				struct str json = arena_printf(a, "{\"%s\": %.17g}", in->name, past);
				assert_int_equal(risk_calc(list[m], NULL, NULL, json, a, &out, &p), ERR_INVALID);
				if (!str_is(p.field, in->name) || !str_contains(p.en, STR("outside"))) {
					fail_msg("%s.%s: %.*s", list[m]->name, in->name, STR_FMT(p.en));
				}
				buf_free(&out);
			}
		}
		arena_reset(a);
	}
}

static void names_of_models_are_unique_and_other_names_find_them(void **state)
{
	(void)state;
	size_t n;
	const struct risk_model *const *list = risk_models(&n);
	const struct risk_alias *alias;
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(risk_find(str_of(list[i]->name), &alias), list[i]);
		assert_null(alias);
		for (const struct risk_alias *x = list[i]->aliases; x && x->name; x++) {
			struct str name = str_of(x->name);
			name.n -= name.p[name.n - 1] == '*';
			assert_ptr_equal(risk_find(name, &alias), list[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(a_plume_carries_what_was_released), TEST(a_plume_is_symmetric_falls_sideways_and_scales),
		TEST(dispersion_grows_with_distance_and_instability),
		TEST(wind_at_the_reference_is_the_reference), TEST(dense_curves_join_and_invert),
		TEST(a_dense_cloud_dilutes_warms_and_widens), TEST(a_stronger_dense_release_goes_farther),
		TEST(the_pool_of_the_manual), TEST(a_longer_average_is_lower), TEST(a_free_jet_entrains_as_measured), TEST(a_flash_keeps_mass_momentum_and_heat),
		TEST(momentum_dilutes_and_ground_warms_a_flashing_jet), TEST(an_unstable_class_is_held_by_the_sun),
		TEST(gas_flow_is_steady_at_the_critical_ratio_and_zero_at_rest),
		TEST(view_factors_agree_and_stay_below_one),
		TEST(blast_falls_with_distance_and_its_fits_join), TEST(units_convert_or_are_refused),
		TEST(roots_integrals_and_interpolation), TEST(tables_are_read_or_their_line_is_named),
		TEST(every_model_holds_its_ranges), TEST(names_of_models_are_unique_and_other_names_find_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
