// needs: base
// Slices, numbers, buffers, cursors, arenas, errors, digests and the string map.
#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/strmap.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define assert_str(s, lit) assert_true(str_is((s), lit))

static void test_str_cutting(void **state)
{
	(void)state;
	struct str s = STR("a;b;;c");
	assert_str(str_cut(&s, ';'), "a");
	assert_str(str_cut(&s, ';'), "b");
	assert_str(str_cut(&s, ';'), "");
	assert_str(str_cut(&s, ';'), "c");
	assert_int_equal(s.n, 0);
	assert_non_null(s.p);
	assert_str(str_trim(STR(" \t\r\n x y \v")), "x y");
	assert_str(str_trim(STR("  ")), "");
	assert_str(str_skip(STR("abc"), 9), "");
	assert_str(str_first(STR("abc"), 2), "ab");
	assert_true(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
	assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
	assert_true(str_contains(STR("abc"), STR("")) && str_contains(STR("abc"), STR("b")) && !str_contains(STR("abc"), STR("d")));
	assert_true(str_eq_nocase(STR("1c80"), STR("1C80")) && !str_eq_nocase(STR("1c8"), STR("1C80")));
	assert_true(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0 && str_cmp(STR("a"), STR("a")) == 0);
	assert_str(str_of(NULL), "");
	assert_true(str_hash(STR("a")) != str_hash(STR("b")));
}

static void test_utf8(void **state)
{
	(void)state;
	assert_true(str_utf8_valid(STR("安澜 ascii long enough for words é 😀")));
	assert_int_equal(str_utf8_len(STR("安澜é😀a")), 5);
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe5\xae", "\xff",
		"\xe5\xae\x41", "longer than eight \xc3",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(str_utf8_valid(str_of(bad[i])));
	}
	assert_true(str_utf8_valid(STR("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\xe0\xa0\x80")));
}

static void test_whole_numbers(void **state)
{
	(void)state;
	uint64_t u;
	int64_t i;
	assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_true(str_to_u64(STR("007"), &u) && u == 7);
	static const char *const bad[] = { "", "18446744073709551616", "-1", "+1", " 1", "1 ", "1.0", "0x1", "99999999999999999999" };
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		assert_false(str_to_u64(str_of(bad[k]), &u));
	}
	assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
	assert_false(str_to_i64(STR("9223372036854775808"), &i));
	assert_false(str_to_i64(STR("-9223372036854775809"), &i));
	assert_false(str_to_i64(STR("-"), &i));
	assert_false(str_to_i64(STR("--1"), &i));
}

static void test_hex(void **state)
{
	(void)state;
	uint8_t b[2];
	char text[4];
	assert_true(str_from_hex(STR("a0Ff"), b, 2) && b[0] == 0xa0 && b[1] == 0xff);
	assert_false(str_from_hex(STR("a0F"), b, 2));
	assert_false(str_from_hex(STR("a0Fg"), b, 2));
	assert_false(str_from_hex(STR("a0Ff00"), b, 2));
	assert_false(str_from_hex(STR("a0Ff0"), b, 2));
	str_to_hex(b, 2, text);
	assert_memory_equal(text, "a0ff", 4);
}

static void test_f64_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double v;
	} good[] = {
		{ "0", 0 }, { "-0", -0.0 }, { "1", 1 }, { "12.34", 12.34 }, { "-0.001", -0.001 }, { "1e3", 1000 }, { "1E+3", 1000 },
		{ "1e-3", 0.001 }, { "9007199254740993", 9007199254740992.0 }, { "123456789012345", 123456789012345.0 },
		{ "0.1", 0.1 }, { "1.7976931348623157e308", 1.7976931348623157e308 }, { "5e-324", 5e-324 },
		{ "2.2250738585072011e-308", 2.2250738585072011e-308 }, { "1e22", 1e22 }, { "1e23", 1e23 },
		{ "0.000000000000000000000000000001", 1e-30 }, { "123456789012345678901234567890", 123456789012345678901234567890.0 },
		{ "1e-400", 0 }, { "0e999999999", 0 }, { "8.41e21", 8.41e21 }, { "18446744073709551616", 18446744073709551616.0 },
		{ "0.00000000000000000001234567890123456789", 0.00000000000000000001234567890123456789 },
	};
	double v;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(str_to_f64(str_of(good[i].text), &v));
		assert_true(memcmp(&v, &good[i].v, sizeof(v)) == 0);
	}
	static const char *const bad[] = { "", "-", "+1", "01", "-01", "00", ".5", "5.", "1e", "1e+", "1.e3", "nan", "inf", "Infinity",
		                           "0x10", "1 ", " 1", "1e400", "-1e309", "1,5", "1e99999999999", "--1", "1.2.3" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(str_to_f64(str_of(bad[i]), &v));
	}
	char longer[2000];
	memset(longer, '1', sizeof(longer));
	assert_false(str_to_f64(str_from(longer, sizeof(longer)), &v));
	assert_true(str_to_f64(str_from(longer, 300), &v) && v > 1e299);
}

static void check_f64_text(double v, const char *want)
{
	char text[F64_TEXT_MAX];
	size_t n = f64_text(v, text);
	assert_true(n <= F64_TEXT_MAX);
	if (want && !str_is(str_from(text, n), want)) {
		fail_msg("%.17g printed as %.*s, not %s", v, (int)n, text, want);
	}
	double back;
	assert_true(str_to_f64(str_from(text, n), &back));
	assert_true(memcmp(&v, &back, sizeof(v)) == 0);
}

static void test_f64_text(void **state)
{
	(void)state;
	check_f64_text(0, "0");
	check_f64_text(-0.0, "-0");
	check_f64_text(1, "1");
	check_f64_text(-12.5, "-12.5");
	check_f64_text(0.1, "0.1");
	check_f64_text(0.05, "0.05");
	check_f64_text(100000, "100000");
	check_f64_text(1e14, "100000000000000");
	check_f64_text(1e22, "1e+22");
	check_f64_text(1e-7, "1e-07");
	check_f64_text(0.1 + 0.2, "0.30000000000000004");
	check_f64_text(1.0 / 3, "0.3333333333333333");
	check_f64_text(5e-324, "5e-324");
	check_f64_text(1.7976931348623157e308, NULL);
	check_f64_text(2.2250738585072014e-308, NULL);
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		double v;
		memcpy(&v, &x, sizeof(v));
		if (isfinite(v)) {
			check_f64_text(v, NULL);
		}
		check_f64_text((double)(int64_t)(x >> 20) / 1000, NULL);
	}
	char text[F64_TEXT_MAX];
	assert_str(str_from(text, f64_text(NAN, text)), "null");
	assert_str(str_from(text, f64_text(-INFINITY, text)), "null");
}

// A number within a longer text is the same as where the text ends with it: as the grammar of JSON (RFC 8259, 6) says, and as the
// C library reads it.
static void test_f64_within_text(void **state)
{
	(void)state;
	static const char letters[] = "0123456789012345678900..-eE+,} :/;";
	uint64_t x = 88172645463325252u;
	size_t numbers = 0;
	for (int i = 0; i < 400000; i++) {
		char text[16];
		for (size_t k = 0; k < sizeof(text); k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			text[k] = letters[x % (sizeof(letters) - 1)];
		}
		size_t n = text[0] == '-', digits = n, dot;
		while (digits < sizeof(text) && text[digits] >= '0' && text[digits] <= '9')
			digits++;
		bool is = digits > n && (text[n] != '0' || digits == n + 1);
		n = dot = digits;
		if (is && n < sizeof(text) && text[n] == '.') {
			for (n++; n < sizeof(text) && text[n] >= '0' && text[n] <= '9'; n++)
				;
			is = n > dot + 1;
		}
		if (n < sizeof(text) && (text[n] | 32) == 'e')
			continue;
		double v = -1;
		const char *end = f64_scan(text, text + sizeof(text), &v);
		if (!is || n == sizeof(text)) {
			assert_true(is || end == NULL);
			continue;
		}
		assert_ptr_equal(end, text + n);
		char own[17];
		snprintf(own, sizeof(own), "%.*s", (int)n, text);
		double want = strtod(own, NULL);
		assert_memory_equal(&v, &want, sizeof(v));
		numbers++;
	}
	assert_true(numbers > 100000);
}

// The C library's own: as few of 15, 16 or 17 digits as read back to the same.
static void check_shortest(double v)
{
	char want[64];
	if (v == floor(v) && v < 1e15)
		snprintf(want, sizeof(want), "%.0f", v);
	else
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(want, sizeof(want), "%.*g", digits, v);
			if (strtod(want, NULL) == v)
				break;
		}
	check_f64_text(v, want);
}

static void test_f64_text_of_averages(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 200000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		check_shortest((double)(x >> 40) / 10 / (double)(1 + (x & 63)));
		check_shortest(ldexp((double)(x >> 11), (int)(x % 66) - 66)); // 2^-13 to 2^52
	}
	for (int e = -11; e < 50; e++)
		for (int near = -2; near <= 2; near++) {
			double v = ldexp(1, e);
			for (int k = 0; k < abs(near); k++)
				v = nextafter(v, near < 0 ? 0 : INFINITY);
			check_shortest(v);
		}
	for (double p = 1e-3; p < 1e15; p *= 10) {
		check_shortest(p);
		check_shortest(nextafter(p, 0));
		check_shortest(nextafter(p, INFINITY));
	}
}

static void test_buf(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 20);
	buf_add_be16(&b, 0x0102);
	buf_add_be32(&b, 0x03040506);
	buf_add_le16(&b, 0x0807);
	buf_add_le32(&b, 0x0c0b0a09);
	buf_add_le64(&b, UINT64_C(0x14131211100f0e0d));
	assert_true(buf_ok(&b));
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(b.p[i], i + 1);
	}
	buf_add_u8(&b, 21);
	assert_false(buf_ok(&b));
	buf_drop_front(&b, 10);
	buf_add_u8(&b, 21); // the failure stays
	assert_int_equal(b.n, 10);
	assert_int_equal(b.p[0], 11);
	buf_clear(&b);
	assert_true(buf_ok(&b));
	buf_printf(&b, "%d-%s", 42, "x");
	assert_str(buf_str(&b), "42-x");
	buf_printf(&b, "%s", "01234567890123456");
	assert_false(buf_ok(&b));
	buf_free(&b);

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++) {
		buf_printf(&b, "%s", "a text that is longer than the first block when repeated often enough");
	}
	assert_true(buf_ok(&b) && b.n == 10000 * 69);
	char wide[600];
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = 0;
	buf_clear(&b);
	buf_printf(&b, "%s", wide);
	assert_int_equal(b.n, 599);
	assert_null(buf_room(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
	buf_free(&b);
	assert_true(str_is(buf_str(&b), ""));
}

static void test_cursor(void **state)
{
	(void)state;
	struct cursor c = cursor_of(STR("\x01\x02\x03\x04\x05\x06name;rest"));
	assert_int_equal(take_u8(&c), 1);
	assert_int_equal(take_be16(&c), 0x0203);
	assert_int_equal(take_le16(&c), 0x0504);
	assert_int_equal(take_u8(&c), 6);
	assert_str(take_until(&c, ';'), "name");
	assert_str(take_rest(&c), "rest");
	assert_true(cursor_done(&c));
	assert_int_equal(take_le32(&c), 0);
	assert_false(cursor_ok(&c));
	assert_str(take_rest(&c), "");
	assert_str(take_until(&c, ';'), "");
	struct cursor d = cursor_of(STR("abc"));
	take_until(&d, ';');
	assert_false(cursor_ok(&d));
}

static void test_varint(void **state)
{
	(void)state;
	struct cursor c = cursor_of(STR("\x96\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x03\x04"));
	assert_int_equal(take_varint(&c), 150);
	assert_true(take_varint(&c) == UINT64_MAX);
	assert_int_equal(take_zigzag(&c), -2);
	assert_int_equal(take_zigzag(&c), 2);
	assert_true(cursor_done(&c));
	c = cursor_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
	take_varint(&c);
	assert_false(cursor_ok(&c));
	c = cursor_of(STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
	take_varint(&c);
	assert_false(cursor_ok(&c));
	c = cursor_of(STR("\x80"));
	assert_int_equal(take_varint(&c), 0);
	assert_false(cursor_ok(&c));
}

struct item {
	int a;
	double b;
};

static void test_arena(void **state)
{
	(void)state;
	struct arena *a = arena_new(64);
	for (int round = 0; round < 3; round++) {
		char *p = arena_alloc(a, 100);
		for (int i = 0; i < 100; i++) {
			assert_int_equal(p[i], 0);
		}
		memset(p, 0xff, 100);
		assert_int_equal((uintptr_t)arena_alloc(a, 3) % 16, 0);
		assert_non_null(arena_alloc(a, 0));
		struct item *v = NULL;
		size_t n = 0, cap = 0;
		for (int i = 0; i < 1000; i++) {
			v = arena_push(a, v, &n, &cap, sizeof(*v));
			assert_true(v[n - 1].a == 0 && v[n - 1].b == 0);
			v[n - 1].a = i;
		}
		assert_int_equal(n, 1000);
		assert_int_equal(v[999].a, 999);
		assert_str(arena_printf(a, "%s-%d", "x", 5), "x-5");
		char wide[500];
		memset(wide, 'w', sizeof(wide) - 1);
		wide[sizeof(wide) - 1] = 0;
		assert_int_equal(arena_printf(a, "%s", wide).n, 499);
		struct str s = arena_str(a, STR("abc"));
		assert_int_equal(s.p[3], 0);
		assert_true(arena_used(a) > 16000);
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_freep(&a);
	assert_null(a);
	arena_free(NULL);
}

static void test_err(void **state)
{
	(void)state;
	for (int e = 0; e < ERR__MAX; e++) {
		assert_non_null(err_name(e));
		assert_true(err_http_status(e) >= 200 && err_http_status(e) < 600);
		assert_true(strlen(err_text(e, true)) && strlen(err_text(e, false)));
	}
	struct arena *a = arena_new(0);
	struct problem p;
	problem_init(&p, a);
	problem_hint(&p, "无", "none"); // nothing to hint at yet
	assert_int_equal(p.hint_en.n, 0);
	assert_int_equal(problem_set(&p, ERR_INVALID, "value", "应不大于 %d", "must be at most %d", 5), ERR_INVALID);
	assert_int_equal(problem_set(&p, ERR_CONFLICT, "other", "后", "later"), ERR_CONFLICT);
	problem_hint(&p, "改小", "make it smaller");
	assert_int_equal(p.err, ERR_INVALID);
	assert_str(p.field, "value");
	assert_str(p.zh, "应不大于 5");
	assert_str(p.en, "must be at most 5");
	assert_str(p.hint_zh, "改小");
	assert_int_equal(problem_set(NULL, ERR_IO, NULL, "坏", "bad"), ERR_IO);
	arena_free(a);
}

static void test_hash(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
	// GB/T 32905-2016 annex A.1: "abc"
	uint8_t digest[SM3_LEN];
	char hex[2 * SM3_LEN];
	sm3_once(STR("abc"), digest);
	str_to_hex(digest, SM3_LEN, hex);
	assert_memory_equal(hex, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", 64);
	struct sm3 h;
	uint8_t one[SM3_LEN], two[SM3_LEN];
	sm3_init(&h);
	sm3_add_str(&h, STR("ab"));
	sm3_add_str(&h, STR("c"));
	sm3_end(&h, one);
	sm3_init(&h);
	sm3_add_str(&h, STR("a"));
	sm3_add_str(&h, STR("bc"));
	sm3_end(&h, two);
	assert_false(equal_const_time(one, two, SM3_LEN));
	assert_true(equal_const_time(one, one, SM3_LEN));
	char text[200];
	random_text(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_non_null(strchr("23456789abcdefghjkmnpqrstuvwxyz", text[i]));
	}
}

static void test_strmap(void **state)
{
	(void)state;
	struct strmap *m = strmap_new(0);
	uint32_t v;
	char key[32];
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			int n = snprintf(key, sizeof(key), "point-%u", i);
			strmap_put(m, str_from(key, (size_t)n), i + round);
		}
		assert_int_equal(strmap_len(m), 5000);
		for (uint32_t i = 0; i < 5000; i += 2) {
			int n = snprintf(key, sizeof(key), "point-%u", i);
			assert_true(strmap_del(m, str_from(key, (size_t)n)));
			assert_false(strmap_del(m, str_from(key, (size_t)n)));
		}
		assert_int_equal(strmap_len(m), 2500);
		for (uint32_t i = 0; i < 5000; i++) {
			int n = snprintf(key, sizeof(key), "point-%u", i);
			bool found = strmap_get(m, str_from(key, (size_t)n), &v);
			assert_true(found == (i % 2 == 1));
			assert_true(!found || v == i + round);
		}
	}
	strmap_put(m, STR_EMPTY, 9);
	strmap_put(m, STR_EMPTY, 10);
	assert_true(strmap_get(m, STR_EMPTY, &v) && v == 10);
	strmap_free(m);
	strmap_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_cutting), cmocka_unit_test(test_utf8),     cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_hex),         cmocka_unit_test(test_f64_read), cmocka_unit_test(test_f64_text),
		cmocka_unit_test(test_f64_text_of_averages), cmocka_unit_test(test_f64_within_text),
		cmocka_unit_test(test_buf),         cmocka_unit_test(test_cursor),   cmocka_unit_test(test_varint),
		cmocka_unit_test(test_arena),       cmocka_unit_test(test_err),      cmocka_unit_test(test_hash),
		cmocka_unit_test(test_strmap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
