// Words of messages out: quiet hours, back-off, templates, signature, mail.
// needs: base loop store expr model auth notify
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/time.h"
#include "notify/notify.h"

static int64_t at(const char *text)
{
	int64_t us;
	assert_true(time_parse(str_of(text), &us));
	return us;
}

static void assert_quiet(const char *from, const char *to, const char *now, const char *want)
{
	assert_int_equal(notify_quiet_end(str_of(from), str_of(to), at(now)), at(want));
}

static void test_quiet_hours(void **state)
{
	(void)state;
	assert_quiet("22:00", "07:00", "2026-11-22T23:30:00+08:00", "2026-11-23T07:00:00+08:00");
	assert_quiet("22:00", "07:00", "2026-11-23T06:59:59+08:00", "2026-11-23T07:00:00+08:00");
	assert_quiet("22:00", "07:00", "2026-11-23T07:00:00+08:00", "2026-11-23T07:00:00+08:00");
	assert_quiet("22:00", "07:00", "2026-11-22T21:59:00+08:00", "2026-11-22T21:59:00+08:00");
	assert_quiet("12:00", "14:00", "2026-12-31T13:00:00+08:00", "2026-12-31T14:00:00+08:00");
	assert_quiet("23:00", "06:00", "2026-12-31T23:10:00+08:00", "2027-01-01T06:00:00+08:00");
	assert_quiet("", "", "2026-11-22T23:30:00+08:00", "2026-11-22T23:30:00+08:00");
	assert_quiet("25:00", "07:00", "2026-11-22T23:30:00+08:00", "2026-11-22T23:30:00+08:00");
}

static void test_backoff_doubles_up_to_an_hour(void **state)
{
	static const int64_t want[] = { 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(notify_backoff(10, (int64_t)i + 1), want[i]);
}

static void test_a_template_stays_json_whatever_is_filled_in(void **state)
{
	struct arena *a = arena_new(0);
	struct notify_words w = { .to = STR("13800001234"), .text = STR("说\"停\"\n\\ {title}"), .id = STR("m1"), .count = 3 };
	struct str got = notify_fill(STR("{\"a\":{\"to\":\"{to}\",\"n\":{count}},\"t\":\"{text}\",\"x\":\"{unknown}\"}"), &w, a);
	(void)state;
	assert_true(str_is(got, "{\"a\":{\"to\":\"13800001234\",\"n\":3},\"t\":\"说\\\"停\\\"\\n\\\\ {title}\",\"x\":\"{unknown}\"}"));
	arena_free(a);
}

// RFC 4231, test case 2: the key "Jefe" and the data "what do ya want for nothing?", which here is time "." body.
static void test_signature(void **state)
{
	struct arena *a = arena_new(0);
	struct str got = notify_sign(STR("Jefe"), STR("what do ya want for nothing?"), STR(""), a);
	(void)state;
	assert_false(str_is(got, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")); // the dot belongs to it
	got = notify_sign(STR("k"), STR("1"), STR("{}"), a); // printf '1.{}' | openssl dgst -sha256 -hmac k
	assert_true(str_is(got, "sha256=3dd49b2593d0f9a349e9e71c4bde3e2b862c2be4003fe9b4ba81332029310158"));
	arena_free(a);
}

static void test_mail_has_no_header_of_a_stranger(void **state)
{
	struct arena *a = arena_new(0);
	struct str got = notify_mail(STR("anlan@county.example"), STR("x@y.example\r\nBcc: z@y.example"), STR("标题\r\nX-Bad: 1"),
	                             STR("正文"), STR("m1"), at("2026-11-22T05:00:00+08:00"), a);
	(void)state;
	assert_false(str_contains(got, STR("Bcc")));
	assert_false(str_contains(got, STR("X-Bad")));
	assert_true(str_contains(got, STR("Date: Sun, 22 Nov 2026 05:00:00 +0800\r\n")));
	assert_true(str_contains(got, STR("Subject: =?UTF-8?B?5qCH6aKY?=\r\n")));
	assert_true(str_contains(got, STR("Message-ID: <m1@county.example>\r\n")));
	assert_true(str_ends(got, STR("\r\n\r\n5q2j5paH\r\n")));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_hours),
		cmocka_unit_test(test_backoff_doubles_up_to_an_hour),
		cmocka_unit_test(test_a_template_stays_json_whatever_is_filled_in),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_mail_has_no_header_of_a_stranger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
