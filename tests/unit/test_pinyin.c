// First letters of pinyin, as lists are searched by.
// needs: base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/pinyin.h"

static void test_initials(void **state)
{
	(void)state;
	static const struct { const char *text, *want; } cases[] = {
		{ "化工园", "hgy\n" },    { "园区", "yq\nyo\n" }, { "安澜县安全生产监督", "alxaqscjd\n" },
		{ "3号储罐A-07", "3hcga07\n" },             { "鑫淼氰化钠", "xmqhn\n" },
		{ "氨；液氯（苯）", "aylb\n" },              { "YJ-2026-1", "" },
		{ "", "" },                                 { "隐患\nplain\n整改", "yh\nzg\n" },
		{ "重点", "zd\ncd\n" },                     { "银行", "yx\nyh\n" },
		{ "行长", "xc\nhc\nxz\nhz\n" },              { "\xff\xfe化", "h\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;
		buf_init(&b, 4096);
		pinyin_initials(str_of(cases[i].text), &b);
		if (!str_is(buf_str(&b), cases[i].want))
			fail_msg("%s → %.*s", cases[i].text, STR_FMT(buf_str(&b)));
		buf_free(&b);
	}
}

// The first and last characters of each letter in level 1 of GB 2312: 啊…澳 芭…怖 … 匝…座.
static void test_bounds_of_level_one(void **state)
{
	(void)state;
	static const uint32_t ends[][3] = {
		{ 'a', 0x554a, 0x6fb3 }, { 'b', 0x82ad, 0x6016 }, { 'c', 0x64e6, 0x9519 }, { 'd', 0x642d, 0x5815 }, { 'e', 0x86fe, 0x8d30 },
		{ 'f', 0x53d1, 0x9644 }, { 'g', 0x5676, 0x8fc7 }, { 'h', 0x54c8, 0x83b7 }, { 'j', 0x51fb, 0x9a8f }, { 'k', 0x5580, 0x9614 },
		{ 'l', 0x5783, 0x7edc }, { 'm', 0x5988, 0x8c0b }, { 'n', 0x62ff, 0x632a }, { 'o', 0x54e6, 0x6ca4 }, { 'p', 0x556a, 0x66dd },
		{ 'q', 0x671f, 0x7fa4 }, { 'r', 0x7136, 0x5f31 }, { 's', 0x6492, 0x6240 }, { 't', 0x584c, 0x553e }, { 'w', 0x6316, 0x8bef },
		{ 'x', 0x6614, 0x8fc5 }, { 'y', 0x538b, 0x5b55 }, { 'z', 0x531d, 0x5ea7 },
	};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		for (size_t k = 1; k < 3; k++)
			if (pinyin_initial(ends[i][k]) != (char)ends[i][0])
				fail_msg("U+%04X is not %c", ends[i][k], (int)ends[i][0]);
	assert_int_equal(pinyin_initial('a'), 0);
	assert_int_equal(pinyin_initial(0x4dff), 0);
	assert_int_equal(pinyin_initial(0x9fa6), 0);
	assert_int_equal(pinyin_initial(0x1f600), 0);
	size_t with = 0;
	for (uint32_t c = 0; c < 0x11000; c++)
		with += pinyin_initial(c) != 0;
	assert_int_equal(with, 6763); // all of GB 2312
}

static void test_long_lines_are_cut(void **state)
{
	(void)state;
	static char text[3 * 4000];
	for (size_t i = 0; i < 4000; i++)
		memcpy(text + 3 * i, "重", 3);
	struct buf b;
	buf_init(&b, 1 << 20);
	pinyin_initials(str_from(text, sizeof(text)), &b);
	assert_true(buf_ok(&b));
	assert_true(b.n > PINYIN_LINE && b.n < 32 * PINYIN_LINE);
	buf_free(&b);
	assert_true(pinyin_letters(STR("hgyq")) && pinyin_letters(STR("3h")));
	assert_false(pinyin_letters(STR("化")) || pinyin_letters(STR("")) || pinyin_letters(STR("a-b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initials),
		cmocka_unit_test(test_bounds_of_level_one),
		cmocka_unit_test(test_long_lines_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
