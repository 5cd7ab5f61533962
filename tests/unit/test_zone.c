// needs: base loop bus store expr risk model auth map
// Consequence zones: properties that need no published number, agreement with the models they rest on, and the chain.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/jr.h"
#include "base/limits.h"
#include "map/plane.h"
#include "risk/zone.h"
#include "risk_help.h"

#define AIR "{\"u\":3,\"from\":270,\"stability\":\"D\",\"T\":20,\"RH\":50}"
#define ANY "{\"u\":3,\"from\":270,\"stability\":\"D\",\"spread\":10}"

static struct problem problem;

static enum err compute(const char *scenario, const char *substance, const char *inputs, const char *weather, struct zone_set *ret)
{
	problem_init(&problem, a);
	struct zone_ask ask = { .scenario = str_of(scenario), .substance = str_of(substance), .inputs = str_of(inputs), .weather = str_of(weather) };
	return zone_compute(&ask, &tables, a, ret, &problem);
}

static struct zone_set zones(const char *scenario, const char *substance, const char *inputs, const char *weather)
{
	struct zone_set s;
	if (compute(scenario, substance, inputs, weather, &s) != OK) {
		fail_msg("%s: %.*s %.*s", scenario, STR_FMT(problem.field), STR_FMT(problem.en));
	}
	return s;
}

static void assert_near(double got, double want, double rel)
{
	if (!(fabs(got - want) <= rel * fabs(want) + 1e-9)) {
		fail_msg("%.12g is not %.12g", got, want);
	}
}

static const struct { const char *scenario, *substance, *less, *more; } all[] = {
	{ "toxic-plume", "氨", "{\"Q\":1,\"density\":\"neutral\"}", "{\"Q\":3,\"density\":\"neutral\"}" },
	{ "toxic-plume", "7782-50-5", "{\"Q\":1,\"density\":\"dense\"}", "{\"Q\":3,\"density\":\"dense\"}" },
	{ "toxic-puff", "CARBON MONOXIDE", "{\"m\":5000}", "{\"m\":20000}" },
	{ "toxic-puff", "液氯", "{\"m\":500}", "{\"m\":5000}" },
	{ "flash-fire", "甲烷", "{\"Q\":5}", "{\"Q\":20}" }, { "flash-fire", "丙烷", "{\"Q\":5}", "{\"Q\":20}" },
	{ "pool-fire", "甲醇", "{\"D\":5}", "{\"D\":15}" }, { "pool-fire", "甲苯", "{\"D\":5}", "{\"D\":15}" },
	{ "jet-fire", "丙烷", "{\"Q\":2}", "{\"Q\":8}" }, { "bleve", "丙烷", "{\"m\":1000}", "{\"m\":20000}" },
	{ "vce", "丙烷", "{\"m\":500}", "{\"m\":5000}" }, { "vessel-burst", "", "{\"V\":10,\"k\":1.4}", "{\"V\":80,\"k\":1.4}" },
};

static void more_of_it_makes_no_zone_smaller_and_severe_ones_lie_in_milder(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct zone_set less = zones(all[i].scenario, all[i].substance, all[i].less, AIR);
		struct zone_set more = zones(all[i].scenario, all[i].substance, all[i].more, AIR);
		assert_int_equal(less.n, more.n);
		assert_true(less.n >= 2);
		assert_true(more.v[more.n - 1].reach > 0);
		for (size_t k = 0; k < less.n; k++) {
			if (more.v[k].reach < less.v[k].reach * 0.9999 || more.v[k].area < less.v[k].area * 0.9999) {
				fail_msg("%s %zu: %g m, then %g m; %g, then %g m2", all[i].scenario, k, less.v[k].reach, more.v[k].reach,
					 less.v[k].area, more.v[k].area);
			}
			assert_true(!k || more.v[k].reach >= more.v[k - 1].reach * 0.9999);
		}
	}
}

static void a_zone_holds_its_source_and_is_the_same_on_both_sides_of_the_wind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct zone_set s = zones(all[i].scenario, all[i].substance, all[i].more, AIR);
		for (size_t k = 0; k < s.n; k++) {
			const struct zone *zn = &s.v[k];
			if (!zn->ring.n) {
				continue;
			}
			double up = 0, down = 0, north = 0, south = 0;
			for (size_t p = 0; p < zn->ring.n; p++) { // a west wind: downwind is east
				north = fmax(north, zn->ring.v[p].y);
				south = fmax(south, -zn->ring.v[p].y);
				down = fmax(down, zn->ring.v[p].x);
				up = fmax(up, -zn->ring.v[p].x);
			}
			if (!plane_inside(&zn->ring, (struct zone_xy){ 0, 0 }) || !plane_inside(&zn->band, (struct zone_xy){ 0, 0 })) {
				fail_msg("%s %s: zone %zu does not hold its source", all[i].scenario, all[i].substance, k);
			}
			assert_near(north, south, 1e-6);
			assert_near(down, zn->reach, 1e-6);
			assert_near(up, zn->upwind, 1e-6);
			assert_true(down >= up * 0.9999);
			// what the wind may do besides lies in the band
			for (size_t p = 0; p < zn->ring.n; p += 7) {
				struct zone_xy in = { zn->ring.v[p].x * 0.98, zn->ring.v[p].y * 0.98 };
				assert_true(!plane_inside(&zn->ring, in) || hypot(in.x, in.y) < 3 || in.x < 0 || plane_inside(&zn->band, in));
			}
		}
	}
}

static double answer_of(const struct zone_set *s, const char *model, const char *output, size_t skip)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		struct jr j;
		struct str key, inner;
		if (!str_is(s->steps[i].model, model) || skip-- > 0) {
			continue;
		}
		jr_init(&j, s->steps[i].answer, a);
		for (jr_obj(&j); jr_key(&j, &key);) {
			if (!str_is(key, "outputs")) {
				jr_skip(&j);
				continue;
			}
			for (jr_obj(&j); jr_key(&j, &inner);) {
				struct str value = jr_skip(&j);
				struct jr v;
				struct str name;
				jr_init(&v, value, a);
				for (jr_obj(&v); str_is(inner, output) && jr_key(&v, &name);) {
					return jr_f64(&v);
				}
			}
		}
	}
	return NAN;
}

static void zones_agree_with_the_models_they_rest_on(void **state)
{
	(void)state;
	struct zone_set s = zones("toxic-plume", "氨", "{\"Q\":2,\"density\":\"neutral\"}", AIR);
	for (size_t k = 0; k < s.n; k++) {
		assert_near(s.v[k].reach, answer_of(&s, "gaussian-zone", "distance", k), 1e-6);
		assert_near(s.v[k].half_width, answer_of(&s, "gaussian-zone", "half_width", k), 1e-6);
		assert_near(s.v[k].area, answer_of(&s, "gaussian-zone", "area", k), 0.02);
	}
	s = zones("toxic-plume", "氯", "{\"Q\":2,\"density\":\"dense\"}", AIR);
	assert_near(s.v[0].reach, answer_of(&s, "britter-mcquaid-plume", "distance", 0), 1e-6);
	s = zones("bleve", "丙烷", "{\"m\":10000}", AIR);
	for (size_t k = 0; k < s.n; k++) {
		assert_near(answer_of(&s, "bleve", "q", k), s.v[k].value, 1e-3);
	}
	s = zones("vce", "丙烷", "{\"m\":1000}", AIR);
	for (size_t k = 0; k < s.n; k++) {
		assert_near(answer_of(&s, "tnt-equivalence", "P", k), s.v[k].value, 1e-3);
		assert_near(s.v[k].area, M_PI * s.v[k].reach * s.v[k].reach, 5e-3);
		assert_near(zone_intensity(&s, 0, s.v[k].reach), s.v[k].value, 1e-3);
	}
	s = zones("pool-fire", "汽油", "{\"D\":10}", AIR);
	assert_near(zone_intensity(&s, s.v[2].reach, 0), s.v[2].value, 0.01);
	assert_true(zone_intensity(&s, s.v[2].reach * 2, 0) < s.v[2].value);
}

static void a_cloud_travels_and_is_gone_after_its_release(void **state)
{
	(void)state;
	struct zone_set s = zones("toxic-plume", "氨", "{\"Q\":5,\"density\":\"neutral\",\"duration\":10}", AIR);
	const struct zone *far = &s.v[s.n - 1];
	assert_true(s.travels);
	assert_near(s.front[0], 1800, 1e-9);
	assert_near(s.front[2], 10800, 1e-9);
	double most = 0, least = HUGE_VAL;
	for (size_t i = 0; i < far->then[0].ring.n; i++) {
		most = fmax(most, far->then[0].ring.v[i].x);
	}
	assert_near(most, fmin(far->reach, 1800), 1e-6);
	for (size_t i = 0; i < far->then[1].ring.n; i++) { // 20 minutes after its end the tail is 3600 m away
		least = fmin(least, far->then[1].ring.v[i].x);
	}
	assert_true(far->reach < 3600 ? far->then[1].ring.n == 0 : least >= 3600 * 0.9999);
	struct zone_set fire = zones("pool-fire", "甲醇", "{\"D\":10}", AIR);
	assert_false(fire.travels);
	assert_int_equal(fire.v[0].then[0].ring.n, 0);
}

static void the_band_grows_with_the_uncertainty(void **state)
{
	(void)state;
	const char *in = "{\"Q\":2,\"density\":\"neutral\"}", *none = "{\"u\":3,\"from\":0,\"stability\":\"D\",\"spread\":0}",
	*half = "{\"u\":3,\"from\":0,\"stability\":\"D\",\"spread\":30}", *round = "{\"u\":3,\"from\":0,\"stability\":\"D\",\"spread\":180}";
	struct zone_set s0 = zones("toxic-plume", "氨", in, none), s1 = zones("toxic-plume", "氨", in, half), s2 = zones("toxic-plume", "氨", in, round);
	double far = s0.v[0].reach * 0.9;
	assert_true(plane_inside(&s0.v[0].band, (struct zone_xy){ 0, -far }));   // a north wind: to the south
	assert_false(plane_inside(&s0.v[0].band, (struct zone_xy){ 0, far }));
	double x = far * sin(25 * M_PI / 180), y = -far * cos(25 * M_PI / 180);
	assert_false(plane_inside(&s0.v[0].band, (struct zone_xy){ x, y }));
	assert_true(plane_inside(&s1.v[0].band, (struct zone_xy){ x, y }));
	assert_true(plane_inside(&s1.v[0].band, (struct zone_xy){ -x, y }));
	assert_true(plane_inside(&s2.v[0].band, (struct zone_xy){ 0, far }));
}

static void nothing_is_drawn_beyond_the_end_of_the_computation(void **state)
{
	(void)state;
	struct zone_set s = zones("toxic-puff", "氯", "{\"m\":100000}", "{\"u\":2,\"from\":0,\"stability\":\"F\"}");
	assert_near(s.v[2].reach, ZONE_FAR, 1e-9);
	assert_true(s.n_warnings > 0);
	for (size_t i = 0; i < s.v[2].ring.n; i++) { // wide around its source: what this wind does is part of what any wind may do
		struct zone_xy in = { s.v[2].ring.v[i].x * 0.97, s.v[2].ring.v[i].y * 0.97 };
		assert_true(plane_inside(&s.v[2].band, in));
	}
	assert_true(str_contains(zone_inputs_text(&s, false, a), STR("参与质量 100000 kg；泄漏高度 0 m（预设）")));
}

static void what_cannot_be_computed_is_refused_with_its_field(void **state)
{
	(void)state;
	static const struct { const char *scenario, *substance, *inputs, *weather, *field; } bad[] = {
		{ "earthquake", "氨", "{}", AIR, "scenario" }, { "toxic-plume", "面粉", "{}", AIR, "substance" },
		{ "toxic-plume", "氨", "{\"Q\":-1}", AIR, "inputs.Q" }, { "toxic-plume", "氨", "{}", "{\"u\":3}", "weather.from" },
		{ "toxic-plume", "氨", "{}", "{\"u\":3,\"from\":90}", "weather.stability" }, { "flash-fire", "氯", "{}", AIR, "substance" },
		{ "toxic-plume", "汽油", "{}", AIR, "substance" }, { "toxic-plume", "氨", "{\"levels\":\"aegl\",\"x\":1}", AIR, "inputs.x" },
		{ "toxic-plume", "氯", "{\"levels\":\"erpg\"}", AIR, "inputs.levels" }, { "bleve", "", "{}", AIR, "inputs.dHc" },
		{ "pool-fire", "", "{\"dHc\":40000}", AIR, "inputs.burning" }, { "vessel-burst", "", "{}", AIR, "inputs.k" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct zone_set s;
		assert_int_not_equal(compute(bad[i].scenario, bad[i].substance, bad[i].inputs, bad[i].weather, &s), OK);
		if (!str_is(problem.field, bad[i].field)) {
			fail_msg("%s %s: field %.*s, %.*s", bad[i].scenario, bad[i].inputs, STR_FMT(problem.field), STR_FMT(problem.en));
		}
		assert_true(problem.zh.n && problem.en.n && !str_eq(problem.zh, problem.en));
	}
}

static void every_substance_has_a_name_and_a_scenario_that_works(void **state)
{
	(void)state;
	struct zone_substance s;
	size_t with_levels = 0;
	for (size_t i = 0; zone_substance_at(&tables, i, &s); i++) {
		struct zone_set set;
		assert_true(s.cas.n && s.zh.n);
		if (s.threshold >= 0 && s.toxic) {
			with_levels++;
			if (compute("toxic-plume", arena_cstr(a, s.cas), "{\"Q\":1}", ANY, &set) != OK) {
				fail_msg("%.*s: %.*s", STR_FMT(s.zh), STR_FMT(problem.en));
			}
		}
	}
	assert_int_equal(with_levels, 79);
	assert_true(zone_substance_find(&tables, STR("液氯"), &s) && str_is(s.cas, "7782-50-5"));
	assert_true(!zone_is_liquid(&s) && zone_substance_find(&tables, STR("甲醇"), &s) && zone_is_liquid(&s));
	assert_false(zone_substance_find(&tables, STR("液"), &s));
}

static void the_chain_goes_to_the_second_order_and_no_further(void **state)
{
	(void)state;
	struct zone_set s = zones("pool-fire", "汽油", "{\"D\":30,\"lasts\":120}", AIR);
	double near = 0;
	while (zone_intensity(&s, near + 1, 0) > 20) { // the first tank stands in more than its 15 kW/m2
		near += 1;
	}
	struct zone_target v[] = {
		{ 1, 0, 0, STR("tank"), STR("汽油"), 1000 },              // the source itself
		{ 2, near, 0, STR("tank"), STR("甲苯"), 2000 },           // reached by it
		{ 3, near + 45, 0, STR("tank"), STR("苯"), 2000 },        // reached by the second
		{ 4, near + 90, 0, STR("tank"), STR("苯"), 2000 },        // would be the third order
		{ 5, 3000, 0, STR("tank"), STR("苯"), 2000 },             // far away
		{ 6, near, 5, STR("building"), STR("苯"), 2000 },         // no vessel
		{ 7, near, 9, STR("tank"), STR("水"), 2000 },             // nothing that is known
	};
	struct zone_blow *b;
	size_t n, left;
	problem_init(&problem, a);
	assert_int_equal(zone_chain(&s, v, ARRAY_LEN(v), 1, &tables, a, &b, &n, &left, &problem), OK);
	bool second = false;
	assert_true(n >= 2 && left == 0);
	assert_true(b[0].from == 0 && b[0].to == 2 && b[0].order == 1);
	assert_true(b[0].intensity >= b[0].limit && b[0].probability > 0 && b[0].probability <= 1 && str_is(b[0].next, "pool-fire"));
	for (size_t i = 0; i < n; i++) {
		assert_true(b[i].order <= 2 && b[i].to != 1 && b[i].to != 5 && b[i].to != 6 && b[i].to != 7);
		second |= b[i].order == 2 && b[i].from == 2;
		assert_true(!(b[i].along > b[0].probability));
	}
	assert_true(second);
	// a fireball is over before a tank fails by its heat; a blast is not
	s = zones("bleve", "丙烷", "{\"m\":5000}", AIR);
	assert_int_equal(zone_chain(&s, v, 2, 1, &tables, a, &b, &n, &left, &problem), OK);
	assert_true(n == 0 || (b[0].probability == 0 && !b[0].next.n));
	s = zones("toxic-plume", "氯", "{}", AIR);
	assert_int_equal(zone_chain(&s, v, 2, 1, &tables, a, &b, &n, &left, &problem), OK);
	assert_int_equal(n, 0);
}

static void a_chain_among_many_vessels_is_bounded(void **state)
{
	(void)state;
	struct zone_target v[LIMIT_ZONE_TARGETS];
	struct zone_blow *b;
	size_t n, left;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = (struct zone_target){ (int64_t)i + 1, 30.0 * (double)(i % 25), 30.0 * (double)(i / 25), STR("tank"), STR("汽油"), 1000 };
	}
	struct zone_set s = zones("vce", "丙烷", "{\"m\":50000}", AIR);
	problem_init(&problem, a);
	assert_int_equal(zone_chain(&s, v, ARRAY_LEN(v), 1, &tables, a, &b, &n, &left, &problem), OK);
	assert_true(n > 20 && n <= LIMIT_DOMINO);
	assert_true(n < LIMIT_DOMINO || left > 0);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_true(b[i].to != b[k].to); // a vessel fails once
		}
	}
}

static void degrees_and_metres_agree_and_outlines_know_what_is_inside(void **state)
{
	(void)state;
	struct plane p = plane_at(119, 33);
	double lon, lat;
	struct zone_xy m = plane_metres(&p, 119.01, 33.01), square[] = { { -1, -1 }, { 1, -1 }, { 1, 1 }, { -1, 1 } },
	notch[] = { { 0, 0 }, { 4, 0 }, { 4, 4 }, { 2, 1 }, { 0, 4 } }, cuts[8];
	assert_near(m.x, 934.6, 2e-3);
	assert_near(m.y, 1109.0, 2e-3);
	plane_degrees(&p, m, &lon, &lat);
	assert_near(lon, 119.01, 1e-12);
	assert_near(lat, 33.01, 1e-12);
	struct zone_ring s = { square, 4 }, v = { notch, 5 }, nothing = { NULL, 0 };
	assert_true(plane_inside(&s, (struct zone_xy){ 0.99, -0.99 }));
	assert_false(plane_inside(&s, (struct zone_xy){ 1.01, 0 }));
	assert_true(plane_inside(&v, (struct zone_xy){ 0.5, 2 }));
	assert_false(plane_inside(&v, (struct zone_xy){ 2, 2 }));
	assert_false(plane_inside(&nothing, (struct zone_xy){ 0, 0 }));
	size_t n = 0;
	assert_near(plane_inside_length(&s, (struct zone_xy){ -5, 0 }, (struct zone_xy){ 5, 0.1 }, cuts, 8, &n), 2 * hypot(10, 0.1) / 10, 1e-9);
	assert_int_equal(n, 2);
	n = 0;
	assert_near(plane_inside_length(&v, (struct zone_xy){ -1, 2 }, (struct zone_xy){ 9, 2 }, cuts, 8, &n), 2 * (1 + 1.0 / 3), 1e-9);
	assert_int_equal(n, 4);
	n = 0;
	assert_near(plane_inside_length(&s, (struct zone_xy){ 0, 0 }, (struct zone_xy){ 0.5, 0 }, cuts, 8, &n), 0.5, 1e-9);
	assert_int_equal(n, 0);
	assert_near(plane_inside_length(&nothing, (struct zone_xy){ 0, 0 }, (struct zone_xy){ 1, 0 }, cuts, 8, &n), 0, 1e-9);
	assert_near(plane_distance(&s, (struct zone_xy){ 4, 0 }), 3, 1e-9);
	assert_near(plane_distance(&s, (struct zone_xy){ 0, 0 }), 0, 1e-9);
}

// A vented vessel: the flame reaches 10 V^(1/3) (EN 14491), the pressure falls with r^-1.5; one that holds until it bursts reaches farther.
static void dust_comes_out_of_its_vent_or_bursts_its_vessel(void **state)
{
	(void)state;
	double last = 0;
	for (double v = 1; v < 250; v *= 3) {
		char inputs[120];
		snprintf(inputs, sizeof inputs, "{\"V\":%g}", v);
		struct zone_set s = zones("dust-explosion", "", inputs, AIR);
		assert_true(str_is(s.v[0].key, "flame") && s.n == 5);
		assert_near(s.v[0].reach, 10 * cbrt(v), 0.01);
		for (size_t k = 2; k < s.n; k++) {
			assert_true(s.v[k].reach >= s.v[k - 1].reach);
		}
		assert_true(s.v[4].reach > last);
		if (s.v[3].reach > 1.1 * 2.5 * cbrt(v)) {
			assert_near(s.v[4].reach / s.v[3].reach, pow(6.9 / 2.76, 1 / 1.5), 0.01);
		}
		last = s.v[4].reach;
		snprintf(inputs, sizeof inputs, "{\"V\":%g,\"vessel\":\"closed\"}", v);
		struct zone_set closed = zones("dust-explosion", "", inputs, AIR);
		assert_int_equal(closed.n, 4);
		assert_true(closed.v[3].reach > last);
		struct zone_set burst = zones("vessel-burst", "", (snprintf(inputs, sizeof inputs, "{\"V\":%g,\"P1\":1001.325,\"k\":1.4}", v), inputs), AIR);
		assert_near(closed.v[3].reach, burst.v[3].reach, 1e-6); // 9 bar, gauge
	}
	struct zone_set s;
	assert_int_equal(compute("dust-explosion", "", "{\"V\":0.1}", AIR, &s), ERR_INVALID);
	assert_true(str_is(problem.field, "inputs.V"));
}

static size_t warnings_with(const char *substance, const char *inputs, const char *word)
{
	struct zone_set s = zones("toxic-plume", substance, inputs, AIR);
	size_t n = 0;
	for (size_t i = 0; i < s.n_warnings; i++) {
		n += str_contains(s.warnings[i].en, str_of(word)) && s.warnings[i].zh.n;
	}
	return n;
}

// The models know flat ground: what is not flat is said, and changes no outline.
static void ground_that_is_not_flat_is_said(void **state)
{
	(void)state;
	assert_int_equal(warnings_with("7782-50-5", "{\"Q\":3}", "slope") + warnings_with("7782-50-5", "{\"Q\":3}", "buildings"), 0);
	assert_int_equal(warnings_with("7782-50-5", "{\"Q\":3,\"slope\":3.9}", "slope"), 0);
	assert_int_equal(warnings_with("7782-50-5", "{\"Q\":3,\"density\":\"dense\",\"slope\":4}", "runs downhill"), 1);
	assert_int_equal(warnings_with("氨", "{\"Q\":1,\"density\":\"neutral\",\"slope\":10}", "cold air drains"), 1);
	assert_int_equal(warnings_with("氨", "{\"Q\":1,\"obstacles\":12}", "60 m"), 1);
	assert_near(zones("toxic-plume", "氨", "{\"Q\":1,\"obstacles\":12,\"slope\":10}", AIR).v[0].reach, zones("toxic-plume", "氨", "{\"Q\":1}", AIR).v[0].reach, 1e-12);
}

// Nobody looked up: as stable as behind clouds, as wide as under a clear sky; never nearer nor narrower than either.
static void an_unknown_cloud_makes_no_zone_smaller(void **state)
{
	(void)state;
	static const char *const skies[] = { "strong", "moderate", "slight", "overcast", "night-cloudy", "night-clear" };
	const char *form = "{\"u\":%g,\"from\":0,\"sky\":\"%s\",\"cloud\":\"%s\"}", *q = "{\"Q\":1,\"density\":\"neutral\"}";
	for (size_t i = 0; i < ARRAY_LEN(skies); i++) {
		for (double u = 1; u < 8; u += 1.5) {
			char seen[128], unseen[128];
			snprintf(seen, sizeof seen, form, u, skies[i], "known");
			snprintf(unseen, sizeof unseen, form, u, skies[i], "unknown");
			struct zone_set known = zones("toxic-plume", "氨", q, seen), unknown = zones("toxic-plume", "氨", q, unseen);
			assert_true(unknown.air.stability >= known.air.stability && unknown.air.spread >= known.air.spread);
			for (size_t k = 0; k < known.n; k++) {
				assert_true(unknown.v[k].reach >= known.v[k].reach * (1 - 1e-9));
			}
		}
	}
	struct zone_set s = zones("toxic-plume", "氨", q, "{\"u\":2.4,\"from\":0,\"sky\":\"slight\",\"cloud\":\"unknown\"}");
	assert_int_equal(s.air.stability, 3);       // D, not C
	assert_near(s.air.spread, 30, 1e-9);        // of C
	s = zones("toxic-plume", "氨", q, "{\"u\":2.4,\"from\":0,\"sky\":\"slight\",\"cloud\":\"unknown\",\"spread\":5}");
	assert_near(s.air.spread, 5, 1e-9);         // what was typed
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_of_it_makes_no_zone_smaller_and_severe_ones_lie_in_milder),
		cmocka_unit_test(a_zone_holds_its_source_and_is_the_same_on_both_sides_of_the_wind),
		cmocka_unit_test(zones_agree_with_the_models_they_rest_on),
		cmocka_unit_test(a_cloud_travels_and_is_gone_after_its_release),
		cmocka_unit_test(the_band_grows_with_the_uncertainty),
		cmocka_unit_test(an_unknown_cloud_makes_no_zone_smaller),
		cmocka_unit_test(nothing_is_drawn_beyond_the_end_of_the_computation),
		cmocka_unit_test(what_cannot_be_computed_is_refused_with_its_field),
		cmocka_unit_test(every_substance_has_a_name_and_a_scenario_that_works),
		cmocka_unit_test(ground_that_is_not_flat_is_said),
		cmocka_unit_test(dust_comes_out_of_its_vent_or_bursts_its_vessel),
		cmocka_unit_test(the_chain_goes_to_the_second_order_and_no_further),
		cmocka_unit_test(a_chain_among_many_vessels_is_bounded),
		cmocka_unit_test(degrees_and_metres_agree_and_outlines_know_what_is_inside),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
