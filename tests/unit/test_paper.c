// needs: base store expr risk model auth bus alarm flow measure notify report
// Paper: what is put on it can be read from it (pdftotext), long things go over pages, the same calls give the same bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/paper.h"

// cairo 1.16 keeps one small array of each PDF
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libcairo.so"; }

static const struct paper_options options = { .title = { "T", 1 }, .at = INT64_C(1763769600000000), .watermark = { "", 0 } };

static struct str text_of(struct arena *a, struct str pdf, const char *args)
{
	char path[] = "/tmp/anlan-paper-XXXXXX", command[128];
	int fd = mkstemp(path);
	assert_true(write(fd, pdf.p, pdf.n) == (ssize_t)pdf.n);
	close(fd);
	snprintf(command, sizeof command, "pdftotext %s %s -", args, path);
	FILE *f = popen(command, "r");
	char *text = arena_alloc(a, 1 << 20);
	size_t n = fread(text, 1, (1 << 20) - 1, f);
	assert_int_equal(pclose(f), 0);
	unlink(path);
	return str_from(text, n);
}

static struct str letter(struct arena *a, const struct paper_options *o, int paragraphs)
{
	struct str ret;
	struct paper *p = paper_new(o);
	paper_head(p, STR("安澜县应急管理局文件"));
	paper_number(p, STR("安应急改〔2026〕001号"));
	paper_title(p, STR("隐患整改通知书"));
	for (int i = 0; i < paragraphs; i++)
		paper_text(p, STR("经查，你单位存在下列隐患：可燃气体报警器未检定，储罐区消防通道被占用。请于收到本通知之日起立即整改。"), true);
	paper_right(p, STR("2026年11月22日"));
	paper_code(p, STR("http://127.0.0.1/verify/1"), (struct str[]){ STR("扫码验真") }, 1);
	assert_int_equal(paper_end(p, a, &ret), OK);
	return ret;
}

static void what_is_put_can_be_read(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	assert_true(paper_fonts(NULL));
	struct str pdf = letter(a, &options, 1), text = text_of(a, pdf, "");
	assert_true(str_starts(pdf, STR("%PDF-1.5")));
	static const char *const want[] = { "安澜县应急管理局文件", "安应急改〔2026〕001号", "隐患整改通知书", "可燃气体报警器未检定", "2026年11月22日", "扫码验真", "—1—" };
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (!str_contains(text, str_of(want[i])))
			fail_msg("\"%s\" is not in:\n%.*s", want[i], STR_FMT(text));
	arena_free(a);
}

static void the_same_calls_give_the_same_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct str one = letter(a, &options, 3);
	sleep(1);
	assert_true(str_eq(one, letter(a, &options, 3)));
	arena_free(a);
}

static void long_texts_and_tables_go_over_pages(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct str pdf, cells[300];
	struct paper *p = paper_new(&options);
	for (size_t i = 0; i < 100; i++) {
		cells[3 * i] = arena_printf(a, "行%zu", i);
		cells[3 * i + 1] = i == 50 ? STR("很长很长的一格很长很长的一格很长很长的一格很长很长的一格很长很长的一格很长很长的一格") : STR("乙");
		cells[3 * i + 2] = STR("丙");
	}
	paper_put_table(p, &(struct paper_table){ .columns = 3, .widths = (double[]){ 1, 2, 1 }, .cells = cells, .rows = 100,
	                                          .head = (struct str[]){ STR("表头一"), STR("表头二"), STR("表头三") } });
	assert_true(paper_pages(p) >= 3);
	assert_int_equal(paper_end(p, a, &pdf), OK);
	struct str second = text_of(a, pdf, "-f 2 -l 2");
	assert_true(str_contains(second, STR("表头一"))); // repeated
	assert_true(str_contains(second, STR("—2—")));
	struct str all = text_of(a, pdf, "");
	for (size_t i = 0; i < 100; i++)
		assert_true(str_contains(all, arena_printf(a, "行%zu\n", i)));
	arena_free(a);
}

static void a_preview_says_so_on_every_page(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct paper_options o = options;
	o.watermark = STR("预览");
	struct str pdf = letter(a, &o, 30);
	for (int i = 1; i <= 2; i++) { // turned: read sign by sign
		struct str page = text_of(a, pdf, i == 1 ? "-f 1 -l 1" : "-f 2 -l 2");
		assert_true(str_contains(page, STR("预")) && str_contains(page, STR("览")));
	}
	arena_free(a);
}

static void broken_pictures_do_no_harm(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct str pdf;
	struct paper *p = paper_new(&options);
	static const char huge[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\0\0\0....";
	paper_picture(p, str_from(huge, sizeof huge - 1), STR("image/png"), STR("一"));
	paper_picture(p, STR("\xff\xd8\xff\xe0\xff\xff"), STR("image/jpeg"), STR("二"));
	paper_picture(p, STR("\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03"), STR("image/jpeg"), STR("三"));
	paper_picture(p, STR("nothing"), STR("image/heic"), STR("四"));
	paper_pictures_end(p);
	assert_int_equal(paper_end(p, a, &pdf), OK);
	arena_free(a);
}

static void several_are_printed_as_one(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct str files[] = { letter(a, &options, 1), letter(a, &options, 40) }, all;
	assert_int_equal(paper_merge(files, 2, a, &all), OK);
	assert_true(str_contains(text_of(a, all, "-f 1 -l 1"), STR("—1—")));
	assert_true(str_contains(text_of(a, all, "-f 2 -l 2"), STR("—1—")));
	assert_true(str_contains(text_of(a, all, "-f 3 -l 3"), STR("—2—")));
	struct str bad[] = { files[0], STR("no PDF") };
	assert_int_equal(paper_merge(bad, 2, a, &all), ERR_CORRUPT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_can_be_read),
		cmocka_unit_test(the_same_calls_give_the_same_bytes),
		cmocka_unit_test(long_texts_and_tables_go_over_pages),
		cmocka_unit_test(a_preview_says_so_on_every_page),
		cmocka_unit_test(broken_pictures_do_no_harm),
		cmocka_unit_test(several_are_printed_as_one),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	paper_close();
	return failed;
}
