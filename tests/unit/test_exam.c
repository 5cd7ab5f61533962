// needs: base store expr risk model auth bus alarm flow measure
// Lots and papers on a fixed seed (the digests are those of `openssl dgst -sm3`), and what an answer earns.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "flow/exam.h"
#include "flow/lot.h"

#define SEED STR("abc")

static void a_ticket_is_the_digest_of_seed_what_and_id(void **state)
{
	(void)state;
	struct ticket v[3] = { { .id = 7 }, { .id = 8 }, { .id = 9 } };
	char hex[2 * SM3_LEN + 1] = "";
	lot_draw(SEED, STR("question"), v, 3);
	for (int i = 0; i < 3; i++)
		if (v[i].id == 7)
			str_to_hex(v[i].hash, SM3_LEN, hex);
	assert_string_equal(hex, "3d57841a56fc2c47e867f5b1e255887eeb4c58f18d8182021c40c4e3018bce57");
	for (int i = 1; i < 3; i++)
		assert_true(memcmp(v[i - 1].hash, v[i].hash, SM3_LEN) < 0);
	lot_draw(SEED, STR("nothing"), NULL, 0);
}

static struct exam_question bank[12];

static void fill(void)
{
	for (int i = 0; i < 12; i++)
		bank[i] = (struct exam_question){ i + 1, i < 8 ? STR("law") : STR("dust"), i % 2 ? STR("judge") : STR("single") };
}

static void a_paper_is_drawn_by_the_rules_in_turn(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	const struct exam_rule rules[] = { { STR("law"), STR("judge"), 2, 1 }, { STR("law"), STR_EMPTY, 4, 2 }, { STR("dust"), STR("single"), 1, 5 } };
	struct exam_item *v, *again;
	size_t n, m, at;
	fill();
	assert_int_equal(exam_draw(SEED, rules, 3, bank, 12, a, &v, &n, &at), OK);
	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++) {
		const struct exam_question *q = &bank[v[i].question - 1];
		assert_true(str_is(q->subject, i < 6 ? "law" : "dust"));
		assert_true(i >= 2 || str_is(q->kind, "judge"));
		assert_true(v[i].points == (i < 2 ? 1 : i < 6 ? 2 : 5));
		for (size_t k = 0; k < i; k++)
			assert_true(v[k].question != v[i].question);
	}
	// by hand: printf abc:question:ID | openssl dgst -sm3, of the judge questions of law the two lowest
	assert_int_equal(v[0].question, 8);
	assert_int_equal(v[1].question, 2);
	// the bank in another order is the same paper, another seed another
	struct exam_question turned[12];
	for (int i = 0; i < 12; i++)
		turned[i] = bank[11 - i];
	assert_int_equal(exam_draw(SEED, rules, 3, turned, 12, a, &again, &m, &at), OK);
	assert_memory_equal(v, again, n * sizeof *v);
	assert_int_equal(exam_draw(STR("abd"), rules, 3, bank, 12, a, &again, &m, &at), OK);
	assert_true(memcmp(v, again, n * sizeof *v) != 0);
	arena_free(a);
}

static void a_bank_too_small_says_which_rule_and_how_many(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	const struct exam_rule rules[] = { { STR("dust"), STR_EMPTY, 3, 1 }, { STR("dust"), STR_EMPTY, 2, 1 } };
	struct exam_item *v;
	size_t n, at;
	fill();
	assert_int_equal(exam_draw(SEED, rules, 2, bank, 12, a, &v, &n, &at), ERR_CONFLICT);
	assert_int_equal(at, 1);
	assert_int_equal(n, 1);
	arena_free(a);
}

static void options_are_shown_in_an_order_of_the_paper(void **state)
{
	(void)state;
	uint8_t v[6], w[6];
	unsigned seen = 0;
	exam_shuffle(SEED, 7, v, 6);
	exam_shuffle(SEED, 7, w, 6);
	assert_memory_equal(v, w, 6);
	for (int i = 0; i < 6; i++)
		seen |= 1u << v[i];
	assert_int_equal(seen, 0x7e);
	exam_shuffle(SEED, 8, w, 6);
	assert_true(memcmp(v, w, 6) != 0);
}

static void points_are_for_the_key_or_a_part_of_it(void **state)
{
	(void)state;
	static const struct { const char *key, *answer; double part, got; } cases[] = {
		{ ",b,", ",b,", 0, 4 },        { ",b,", ",a,", 50, 0 },      { ",b,", "", 50, 0 },           { ",a,c,", ",c,a,", 0, 4 },
		{ ",a,c,", ",a,", 0, 0 },      { ",a,c,", ",a,", 50, 2 },    { ",a,c,", ",a,b,", 50, 0 },    { ",a,c,", ",a,b,c,", 50, 0 },
		{ ",yes,", ",yes,", 0, 4 },    { ",no,", ",yes,", 0, 0 },    { ",a,b,c,d,e,f,", ",f,e,d,c,b,a,", 0, 4 }, { "", "", 50, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double got = exam_points(str_of(cases[i].key), str_of(cases[i].answer), 4, cases[i].part);
		if (got != cases[i].got)
			fail_msg("key %s, answer %s: %g", cases[i].key, cases[i].answer, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_the_digest_of_seed_what_and_id),
		cmocka_unit_test(a_paper_is_drawn_by_the_rules_in_turn),
		cmocka_unit_test(a_bank_too_small_says_which_rule_and_how_many),
		cmocka_unit_test(options_are_shown_in_an_order_of_the_paper),
		cmocka_unit_test(points_are_for_the_key_or_a_part_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
