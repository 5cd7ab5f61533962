// The points of a county, packed: what was put is what is read, a change touches what it names and nothing else, and the
// generation before stays what it was.
// needs: base loop bus store expr risk model auth alarm
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "alarm/site_points.h"
#include "base/arena.h"

#define IDS 3000u
#define ROUNDS 60

static uint64_t dice = 42;
static uint32_t roll(uint32_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(dice >> 33) % n;
}

// What the records say, without packing.
struct model { bool there[IDS]; struct site_point p[IDS]; char code[IDS][16]; uint32_t number[IDS]; };

static double any_limit(void) { return roll(3) ? NAN : roll(4) * 10.5; }

static struct point_own any_own(void)
{
	struct point_own own = { .has_deadband = roll(3) == 0, .has_on = roll(3) == 0, .has_off = roll(3) == 0 };
	own.deadband = own.has_deadband ? roll(3) * 0.5 : 0;
	own.on = own.has_on ? roll(3) * US_PER_S : 0;
	own.off = own.has_off ? roll(3) * US_PER_S : 0;
	return own;
}

static struct site_point any_point(struct model *m, uint32_t id, uint32_t code)
{
	static const struct str kinds[] = { { "level", 5 }, { "温度", 6 }, { "", 0 } }, names[] = { { "储罐", 6 }, { "a long name of a point", 22 }, { "", 0 } };
	m->number[id] = code;
	snprintf(m->code[id], sizeof m->code[id], "P%u", code);
	return (struct site_point){
		.def = { .id = id, .device = roll(20), .enterprise = roll(5), .installation = roll(3), .code = str_of(m->code[id]),
			 .kind = kinds[roll(3)], .area = STR("990121101000"), .ll = any_limit(), .l = any_limit(), .h = any_limit(),
			 .hh = any_limit(), .own = any_own(), .min = any_limit(), .max = any_limit(), .interval = roll(3) * US_PER_S, .out_of_service = roll(9) == 0,
			 .maintenance = roll(9) == 0, .has_calibration = roll(2), .calibration_due = 0 },
		.name = names[roll(3)], .unit = kinds[roll(3)], .address = roll(2) ? STR("holding:7") : STR_EMPTY, .scale = roll(2) ? 1 : 0.1,
		.lon = roll(2) ? NAN : 119.5, .lat = 33.25,
	};
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static void assert_same(const struct site_point *a, const struct site_point *b)
{
	const struct point_def *x = &a->def, *y = &b->def;
	assert_int_equal(x->id, y->id);
	assert_true(x->device == y->device && x->enterprise == y->enterprise && x->installation == y->installation);
	assert_true(str_eq(x->code, y->code) && str_eq(x->kind, y->kind) && str_eq(x->area, y->area));
	assert_true(str_eq(a->name, b->name) && str_eq(a->unit, b->unit) && str_eq(a->address, b->address));
	assert_true(same_number(x->ll, y->ll) && same_number(x->l, y->l) && same_number(x->h, y->h) && same_number(x->hh, y->hh));
	assert_true(x->own.has_deadband == y->own.has_deadband && x->own.has_on == y->own.has_on && x->own.has_off == y->own.has_off);
	assert_true(x->own.deadband == y->own.deadband && x->own.on == y->own.on && x->own.off == y->own.off);
	assert_true(same_number(x->min, y->min) && same_number(x->max, y->max) && x->interval == y->interval);
	assert_true(x->out_of_service == y->out_of_service && x->maintenance == y->maintenance);
	assert_true(x->has_calibration == y->has_calibration && x->calibration_due == y->calibration_due);
	assert_true(a->scale == b->scale && same_number(a->lon, b->lon) && same_number(a->lat, b->lat));
}

static void assert_says(const struct site_points *s, const struct model *m)
{
	struct site_point p;
	uint32_t at = 0;
	size_t n = 0, of_devices = 0;
	for (uint32_t id = 1; id < IDS; id++) {
		assert_int_equal(points_at(s, id, &p), m->there[id]);
		if (!m->there[id])
			continue;
		assert_same(&p, &m->p[id]);
		assert_int_equal(points_find(s, m->p[id].def.code), id);
		assert_true(points_next(s, &at, &p));
		assert_int_equal(at, id);
		n++;
		of_devices += m->p[id].def.device != 0;
	}
	assert_false(points_next(s, &at, &p));
	assert_int_equal(points_count(s), n);
	for (uint32_t device = 1; device < 30; device++) {
		size_t k;
		const uint32_t *ids = points_of_device(s, device, &k);
		for (size_t i = 0; i < k; i++)
			assert_true(m->p[ids[i]].def.device == device && m->there[ids[i]] && (i == 0 || ids[i - 1] < ids[i]));
		of_devices -= k;
	}
	assert_int_equal(of_devices, 0);
	assert_int_equal(points_find(s, STR("nobody")), 0);
	assert_false(points_at(s, 4000000, &p));
}

static void test_generations(void **state)
{
	(void)state;
	struct model *m = mem_alloc(sizeof *m), *before = mem_alloc(sizeof *m);
	struct site_points *s = NULL;
	for (uint32_t round = 0, code = 1; round < ROUNDS; round++) {
		memcpy(before, m, sizeof *m);
		for (uint32_t id = 1; id < IDS; id++)
			before->p[id].def.code.p = before->code[id];
		struct points_writer *w = points_begin(s);
		for (uint32_t id = 1; id < IDS; id++) {
			if (round ? roll(200) : roll(3))
				continue;
			bool stays = roll(4) != 0;
			if (stays) {
				m->p[id] = any_point(m, id, m->there[id] && roll(2) ? m->number[id] : code++);
				assert_int_equal(points_put(w, &m->p[id]), OK);
			} else {
				points_remove(w, id);
			}
			m->there[id] = stays;
		}
		struct site_points *next = points_end(w);
		assert_says(next, m);
		if (s)
			assert_says(s, before);
		points_free(s);
		s = next;
	}
	points_free(s);
	mem_free(m);
	mem_free(before);
}

// Two threads have read half of the ids each; what they made is one generation, and goes on as one.
static void test_two_halves(void **state)
{
	(void)state;
	struct model *m = mem_alloc(sizeof *m);
	uint32_t border = points_border(IDS / 2);
	assert_true(border > 0 && border <= IDS / 2);
	struct points_writer *w = points_begin(NULL), *above = points_begin(NULL);
	for (uint32_t id = 1; id < IDS; id++) {
		if (roll(3))
			continue;
		m->p[id] = any_point(m, id, id);
		m->there[id] = true;
		assert_int_equal(points_put(id < border ? w : above, &m->p[id]), OK);
	}
	points_join(w, above);
	struct site_points *s = points_end(w);
	assert_says(s, m);
	w = points_begin(s);
	points_remove(w, border);
	m->there[border] = false;
	m->p[border + 1] = any_point(m, border + 1, IDS);
	m->there[border + 1] = true;
	assert_int_equal(points_put(w, &m->p[border + 1]), OK);
	struct site_points *next = points_end(w);
	assert_says(next, m);
	points_free(s);
	points_free(next);
	w = points_begin(NULL);
	points_join(w, points_begin(NULL)); // both empty
	s = points_end(w);
	assert_int_equal(points_count(s), 0);
	points_free(s);
	mem_free(m);
}

// Two points give each other their codes; they lie in different pages.
static void test_codes_change_places(void **state)
{
	(void)state;
	struct points_writer *w = points_begin(NULL);
	struct site_point a = { .def = { .id = 1, .code = STR("a") } }, b = { .def = { .id = 1000, .code = STR("b") } };
	assert_int_equal(points_put(w, &a), OK);
	assert_int_equal(points_put(w, &b), OK);
	struct site_points *s = points_end(w);
	w = points_begin(s);
	a.def.code = STR("b");
	b.def.code = STR("a");
	assert_int_equal(points_put(w, &a), OK);
	assert_int_equal(points_put(w, &b), OK);
	struct site_points *next = points_end(w);
	assert_int_equal(points_find(next, STR("a")), 1000);
	assert_int_equal(points_find(next, STR("b")), 1);
	assert_int_equal(points_find(s, STR("a")), 1);
	points_free(s);
	points_free(next);
}

static void test_what_no_record_can_have(void **state)
{
	(void)state;
	struct points_writer *w = points_begin(NULL);
	assert_int_equal(points_put(w, &(struct site_point){ .def = { .id = 0 } }), ERR_TOO_LARGE);
	assert_int_equal(points_put(w, &(struct site_point){ .def = { .id = 4000001 } }), ERR_TOO_LARGE);
	assert_int_equal(points_put(w, &(struct site_point){ .def = { .id = 1, .device = -1 } }), ERR_TOO_LARGE);
	assert_int_equal(points_put(w, &(struct site_point){ .def = { .id = 1, .enterprise = INT64_C(1) << 32 } }), ERR_TOO_LARGE);
	points_free(points_end(w));
}

// Points as a plant has them: alike but for code and name.
static void test_bytes(void **state)
{
	(void)state;
	enum { N = 100000 };
	struct points_writer *w = points_begin(NULL);
	for (uint32_t id = 1; id <= N; id++) {
		char code[32], name[32];
		snprintf(code, sizeof code, "B%05u-LT%03u", id / 1000, id % 1000);
		snprintf(name, sizeof name, "Tank %u level", id);
		struct site_point p = { .def = { .id = id, .device = 1 + id / 100, .enterprise = 1 + id / 1000, .code = str_of(code), .kind = STR("bench_level"),
						 .area = STR("990121101000"), .h = 110, .hh = 120, .interval = 10 * US_PER_S },
					.name = str_of(name), .unit = STR("%"), .scale = 1 };
		assert_int_equal(points_put(w, &p), OK);
	}
	struct site_points *s = points_end(w);
	assert_true(points_bytes(s) / N < 110);
	points_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_two_halves),
		cmocka_unit_test(test_codes_change_places),
		cmocka_unit_test(test_what_no_record_can_have),
		cmocka_unit_test(test_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
