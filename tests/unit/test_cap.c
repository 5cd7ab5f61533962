// CAP 1.2 messages where the API test does not come: other zones, several outlines, text that XML has no place for, facts that
// are no facts.
// needs: base store expr risk model auth bus alarm flow measure notify report
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "report/cap.h"

static struct str written(struct arena *a, const struct cap_message *m)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(cap_write(&b, m, a), OK);
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static bool has(struct str s, const char *part) { return str_contains(s, str_of(part)); }

static struct cap_message message(const char *facts)
{
	return (struct cap_message){ .sender = STR("duty@county.example"), .sender_name = STR("<县> & \"局\""), .identifier = STR("YJ-1"),
		                     .sent = INT64_C(1700000000) * US_PER_S + 123456, .msg = STR("alert"), .facts = str_of(facts) };
}

static void test_times_have_an_offset_and_no_fraction(void **state)
{
	struct arena *a = arena_new(0);
	struct cap_message m = message("{}");
	const struct { int zone; const char *text; } want[] = {
		{ 480, "<sent>2023-11-15T06:13:20+08:00</sent>" },
		{ 0, "<sent>2023-11-14T22:13:20+00:00</sent>" },
		{ -210, "<sent>2023-11-14T18:43:20-03:30</sent>" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		time_set_zone(want[i].zone);
		assert_true(has(written(a, &m), want[i].text));
	}
	time_set_zone(480);
	arena_free(a);
}

static void test_markup_is_escaped_and_control_characters_left_out(void **state)
{
	struct arena *a = arena_new(0);
	struct cap_message m = message("{\"title\":\"a\\u0001b <c> ]]> &amp;\"}");
	struct str s = written(a, &m);
	(void)state;
	assert_true(has(s, "<senderName>&lt;县&gt; &amp; \"局\"</senderName>"));
	assert_true(has(s, "ab &lt;c&gt; ]]&gt; &amp;amp;"));
	arena_free(a);
}

static void test_every_outline_latitude_first_and_no_ring_that_is_none(void **state)
{
	struct arena *a = arena_new(0);
	struct cap_message m = message("{\"lon\":118.5,\"lat\":33.25,\"radius\":250,\"shape\":{\"type\":\"MultiPolygon\",\"coordinates\":["
	                               "[[[1,2],[3,2],[3,4],[1,2]]],[[[5,6],[7,6],[5,6]]],[[[8,9],[10,9],[10,11],[8,9]],[[8,9],[9,9],[9,10],[8,9]]]]}}");
	struct str s = written(a, &m);
	(void)state;
	assert_true(has(s, "<polygon>2.000000,1.000000 2.000000,3.000000 4.000000,3.000000 2.000000,1.000000</polygon>"));
	assert_true(has(s, "<polygon>9.000000,8.000000 "));
	assert_false(has(s, "6.000000,5.000000")); // three pairs are no ring
	assert_false(has(s, "<circle>"));
	m = message("{\"lon\":118.5,\"lat\":33.25,\"radius\":250}");
	assert_true(has(written(a, &m), "<circle>33.250000,118.500000 0.250</circle>"));
	m = message("{}"); // nothing is known of it: what must be there is
	s = written(a, &m);
	assert_true(has(s, "<urgency>Unknown</urgency>\n<severity>Unknown</severity>\n<certainty>Unknown</certainty>"));
	assert_true(has(s, "<category>Safety</category>"));
	arena_free(a);
}

static void test_identifiers_and_facts(void **state)
{
	struct arena *a = arena_new(0);
	struct buf b;
	(void)state;
	assert_true(str_is(cap_identifier(STR("YJ 2026,<1>&"), 3, a), "YJ-2026--1>--3"));
	buf_init(&b, 1 << 16);
	struct cap_message m = message("[1]");
	assert_int_equal(cap_write(&b, &m, a), ERR_CORRUPT);
	m.facts = STR("{");
	assert_int_equal(cap_write(&b, &m, a), ERR_CORRUPT);
	buf_free(&b);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_have_an_offset_and_no_fraction),
		cmocka_unit_test(test_markup_is_escaped_and_control_characters_left_out),
		cmocka_unit_test(test_every_outline_latitude_first_and_no_ring_that_is_none),
		cmocka_unit_test(test_identifiers_and_facts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
