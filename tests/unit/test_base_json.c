// needs: base
// JSON out and in: what is written, what is read, and every way a stranger can get it wrong.
#include "base/arena.h"
#include "base/jr.h"
#include "base/jw.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define assert_str(s, lit) assert_true(str_is((s), lit))

static void test_write(void **state)
{
	(void)state;
	struct buf b;
	struct jw w;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "a", STR("x\"\\\n\t\x01/安\x7f"));
	jw_kcstr(&w, "n", NULL);
	jw_ki64(&w, "i", INT64_MIN);
	jw_key(&w, "u");
	jw_u64(&w, UINT64_MAX);
	jw_kf64(&w, "f", 0.1);
	jw_kf64(&w, "nan", NAN);
	jw_kbool(&w, "b", true);
	jw_ktime(&w, "t", 0);
	jw_karr(&w, "arr");
	jw_end(&w);
	jw_karr(&w, "arr2");
	jw_i64(&w, 0);
	jw_bool(&w, false);
	jw_obj(&w);
	jw_end(&w);
	jw_raw(&w, STR("[1]"));
	jw_end(&w);
	jw_kobj(&w, "o");
	jw_key_str(&w, STR("k\n"));
	jw_null(&w);
	jw_end(&w);
	jw_kstr(&w, "bad", STR("a\xff" "b\xe5\xae"));
	jw_end(&w);
	assert_true(jw_done(&w));
	const char *want = "{\"a\":\"x\\\"\\\\\\n\\t\\u0001/安\\u007f\",\"n\":null,\"i\":-9223372036854775808,\"u\":18446744073709551615,"
	                   "\"f\":0.1,\"nan\":null,\"b\":true,\"t\":\"1970-01-01T08:00:00+08:00\",\"arr\":[],\"arr2\":[0,false,{},[1]],"
	                   "\"o\":{\"k\\n\":null},\"bad\":\"a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd\"}";
	if (!str_is(buf_str(&b), want)) {
		fail_msg("%.*s", STR_FMT(buf_str(&b)));
	}
	buf_free(&b);
	buf_init(&b, 5);
	jw_init(&w, &b);
	jw_str(&w, STR("too long"));
	assert_false(jw_done(&w));
	buf_free(&b);
}

static void test_read(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct jr r;
	struct str key;
	jr_init(&r, STR(" [ {\"point\" : \"P-1\", \"v\":12.34,\"i\":-5 ,\"b\":true,\"c\":false,\"n\":null,\"x\":{\"deep\":[1,[2],{}]}},{} ] "), a);
	int items = 0;
	for (jr_arr(&r); jr_more(&r);) {
		items++;
		for (jr_obj(&r); jr_key(&r, &key);) {
			if (str_is(key, "point")) {
				assert_int_equal(jr_peek(&r), JR_STRING);
				assert_str(jr_str(&r), "P-1");
			} else if (str_is(key, "v")) {
				assert_int_equal(jr_peek(&r), JR_NUMBER);
				assert_true(jr_f64(&r) == 12.34);
			} else if (str_is(key, "i")) {
				assert_int_equal(jr_i64(&r), -5);
			} else if (str_is(key, "b")) {
				assert_int_equal(jr_peek(&r), JR_BOOL);
				assert_true(jr_bool(&r));
			} else if (str_is(key, "c")) {
				assert_false(jr_bool(&r));
			} else if (str_is(key, "n")) {
				assert_int_equal(jr_peek(&r), JR_NULL);
				jr_null(&r);
			} else {
				assert_str(jr_skip(&r), "{\"deep\":[1,[2],{}]}");
			}
		}
	}
	assert_int_equal(items, 2);
	assert_true(jr_end(&r));
	arena_free(a);
}

static void test_strings(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct jr r;
	jr_init(&r, STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u5b89\\ud83d\\ude00 plain 安\""), a);
	assert_str(jr_str(&r), "\"\\/\b\f\n\r\tAé安😀 plain 安");
	assert_true(jr_end(&r));
	jr_init(&r, STR("\"a\\u0000b\""), a);
	assert_int_equal(jr_str(&r).n, 3);
	assert_true(jr_end(&r));
	jr_init(&r, STR("\"12345678901234567890123456789012345\""), NULL);
	assert_int_equal(jr_str(&r).n, 35);
	assert_true(jr_end(&r));
	jr_init(&r, STR("\"\\n\""), NULL); // no arena: no escapes
	jr_str(&r);
	assert_false(jr_end(&r));
	jr_init(&r, STR("[\"\\n\",{\"\\n\":1}]"), NULL); // but skipping needs none
	jr_skip(&r);
	assert_true(jr_end(&r));
	static const char *const bad[] = {
		"\"", "\"abc", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
		"\"\\ud83d\\ud83d\"", "\"\n\"", "\"\x1f\"", "\"\xff\"", "\"12345678\xc3\"", "\"\xed\xa0\x80\"", "abc", "'a'", "\"\\U0041\"",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		jr_init(&r, str_of(bad[i]), a);
		jr_str(&r);
		if (jr_end(&r)) {
			fail_msg("%s was accepted", bad[i]);
		}
		jr_init(&r, str_of(bad[i]), a);
		jr_skip(&r);
		assert_false(jr_end(&r));
		assert_true(jr_offset(&r) <= strlen(bad[i]));
	}
	arena_free(a);
}

static void test_bad_texts(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", " ", "[", "]", "{", "}", "[}", "{]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[[1]", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "1 2", "nul", "tru", "falsE",
		"nulll", "truefalse", "[1]x", "01", "-", "1.", ".1", "1e", "+1", "NaN", "Infinity", "/**/1", "[1//\n]", "\xef\xbb\xbf[]",
		"[\"a\":1]", "{\"a\":1:2}", "[1,,2]",
	};
	struct arena *a = arena_new(0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct jr r;
		jr_init(&r, str_of(bad[i]), a);
		jr_skip(&r);
		if (jr_end(&r)) {
			fail_msg("%s was accepted", bad[i]);
		}
		assert_non_null(r.error);
	}
	static const char *const good[] = { "0", "-0", "1e5", "[]", "{}", " {} ", "[[],[]]", "\"\"", "null", "{\"\":\"\"}", "\t\r\n[1 , 2]\n" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct jr r;
		jr_init(&r, str_of(good[i]), a);
		jr_skip(&r);
		if (!jr_end(&r)) {
			fail_msg("%s was refused: %s", good[i], r.error);
		}
	}
	arena_free(a);
}

static void test_depth(void **state)
{
	(void)state;
	char text[2 * JR_MAX_DEPTH + 4];
	for (size_t depth = 1; depth <= JR_MAX_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		struct jr r;
		jr_init(&r, str_from(text, 2 * depth), NULL);
		jr_skip(&r);
		assert_true(jr_end(&r) == (depth <= JR_MAX_DEPTH));
	}
}

static void test_misuse(void **state)
{
	(void)state;
	struct jr r;
	struct str key;
	jr_init(&r, STR("[1,2]"), NULL);
	jr_arr(&r);
	assert_true(jr_more(&r));
	assert_int_equal(jr_i64(&r), 1);
	assert_false(jr_end(&r)); // not read to the end
	jr_init(&r, STR("[1,2]"), NULL);
	jr_obj(&r);
	assert_false(jr_key(&r, &key));
	assert_str(key, "");
	assert_false(jr_end(&r));
	jr_init(&r, STR("5"), NULL);
	assert_true(jr_f64(&r) == 5);
	assert_true(jr_f64(&r) == 0); // one value only
	assert_false(jr_end(&r));
	jr_init(&r, STR("5"), NULL);
	assert_false(jr_more(&r));
	assert_false(jr_end(&r));
	jr_init(&r, STR("5"), NULL);
	assert_false(jr_end(&r)); // nothing read
	jr_init(&r, STR("[5]"), NULL);
	jr_fail(&r, "mine");
	jr_fail(&r, "other");
	jr_arr(&r);
	assert_false(jr_more(&r));
	assert_string_equal(r.error, "mine");
	assert_int_equal(jr_peek(&r), JR_NONE);
	jr_init(&r, STR("[1e999,-1e999,2]"), NULL);
	jr_arr(&r);
	assert_true(jr_more(&r) && isinf(jr_f64_wide(&r)) && jr_more(&r));
	jr_skip(&r);
	assert_true(jr_more(&r) && jr_f64_wide(&r) == 2 && !jr_more(&r) && jr_end(&r));
	jr_init(&r, STR("1e999"), NULL);
	jr_f64(&r);
	assert_false(jr_end(&r));
	static const char *const not_whole[] = { "1.0", "1e2", "9223372036854775808", "-", "\"1\"", "01", "" };
	for (size_t i = 0; i < ARRAY_LEN(not_whole); i++) {
		jr_init(&r, str_of(not_whole[i]), NULL);
		jr_i64(&r);
		assert_false(jr_end(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),     cmocka_unit_test(test_read),  cmocka_unit_test(test_strings),
		cmocka_unit_test(test_bad_texts), cmocka_unit_test(test_depth), cmocka_unit_test(test_misuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
