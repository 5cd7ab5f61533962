// Tables that people hand in: encodings, quotes, workbooks with every kind of cell, and files that mean harm.
// needs: base bus store model auth measure flow exchange expr series
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "exchange/sheet.h"
#include "exchange/when.h"

static struct arena *a;
static struct problem p;

static int setup(void **state)
{
	(void)state;
	a = arena_new(0);
	problem_init(&p, a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

// All cells as text: "a|b\nc|d\n", numbers with 17 digits less what is not needed.
static struct str flatten(enum sheet_format format, struct str bytes, enum err *ret)
{
	struct sheet *s;
	struct sheet_row row;
	struct buf b;
	buf_init(&b, 1u << 20);
	problem_init(&p, a);
	*ret = sheet_open(&s, format, bytes, &p);
	if (*ret)
		return STR_EMPTY;
	while (!(*ret = sheet_next(s, &row, &p)) && row.ncells) {
		buf_printf(&b, "%u:", row.number);
		for (size_t i = 0; i < row.ncells; i++) {
			const struct cell *c = &row.cells[i];
			static const char marks[] = { [CELL_EMPTY] = '-', [CELL_TEXT] = 't', [CELL_NUMBER] = 'n', [CELL_SERIAL] = 'd', [CELL_BOOL] = 'b', [CELL_ERROR] = 'e' };
			buf_printf(&b, "%s%c", i ? "|" : "", marks[c->kind]);
			if (c->kind == CELL_TEXT || c->kind == CELL_ERROR)
				buf_add_str(&b, c->text);
			else if (c->kind != CELL_EMPTY)
				buf_printf(&b, "%.15g", c->number);
		}
		buf_add_cstr(&b, "\n");
	}
	sheet_close(s);
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void assert_sheet(enum sheet_format format, struct str bytes, const char *want)
{
	enum err err;
	struct str got = flatten(format, bytes, &err);
	if (err || !str_is(got, want))
		fail_msg("%s: got \"%.*s\", want \"%s\" (%.*s)", err_name(err), STR_FMT(got), want, STR_FMT(p.en));
}

static void assert_refused(enum sheet_format format, struct str bytes, enum err want)
{
	enum err err;
	flatten(format, bytes, &err);
	assert_int_equal(err, want);
	assert_true(p.zh.n && p.en.n);
}

// ---- CSV ---------------------------------------------------------------------------------------

static void test_csv_forms(void **state)
{
	(void)state;
	assert_sheet(SHEET_CSV, STR("a,b\r\nc,d"), "1:ta|tb\n2:tc|td\n");
	assert_sheet(SHEET_CSV, STR("\xef\xbb\xbf名,值\n"), "1:t名|t值\n");
	assert_sheet(SHEET_CSV, STR("a;b,c;d\n"), "1:ta|tb,c|td\n");
	assert_sheet(SHEET_CSV, STR("a\tb\tc,d\n"), "1:ta|tb|tc,d\n");
	assert_sheet(SHEET_CSV, STR("\"x \"\"y\"\", z\",\"two\nlines\"\n\n,\nlast,"), "1:tx \"y\", z|ttwo\nlines\n4:tlast|-\n");
	assert_sheet(SHEET_CSV, STR("=\"007\",'=1+1,'x\n"), "1:t007|t=1+1|t'x\n");
	assert_sheet(SHEET_CSV, STR("a,b\rc,d\r"), "1:ta|tb\n2:tc|td\n");
}

static void test_csv_encodings(void **state)
{
	(void)state;
	assert_sheet(SHEET_CSV, STR("\xc6\xf3\xd2\xb5,\xb0\xb2\xc0\xbd\n"), "1:t企业|t安澜\n");
	assert_sheet(SHEET_CSV, STR("\xff\xfe" "a\0,\0" "\x01\x4f" "\n\0"), "1:ta|t企\n");
	assert_refused(SHEET_CSV, STR("a,\xff\xff\xff\n"), ERR_PARSE);
}

static void test_csv_harm(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4u << 20);
	assert_refused(SHEET_CSV, STR("a,\"never closed\nb\n"), ERR_PARSE);
	for (unsigned i = 0; i <= LIMIT_SHEET_COLUMNS; i++)
		buf_add_cstr(&b, "x,");
	assert_refused(SHEET_CSV, buf_str(&b), ERR_TOO_LARGE);
	buf_clear(&b);
	for (unsigned i = 0; i <= LIMIT_CELL; i++)
		buf_add_u8(&b, 'x');
	assert_refused(SHEET_CSV, buf_str(&b), ERR_TOO_LARGE);
	assert_refused(SHEET_CSV, STR_EMPTY, ERR_INVALID);
	buf_free(&b);
}

// ---- XLSX --------------------------------------------------------------------------------------

struct member {
	const char *name, *text;
	size_t n; // 0 = strlen
};

static struct str zip_of(const struct member *v, size_t n)
{
	char path[] = "/tmp/anlan-test-XXXXXX";
	int fd = mkstemp(path), e = 0;
	assert_true(fd >= 0);
	zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &e);
	assert_non_null(z);
	for (size_t i = 0; i < n; i++) {
		zip_source_t *src = zip_source_buffer(z, v[i].text, v[i].n ? v[i].n : strlen(v[i].text), 0);
		assert_true(zip_file_add(z, v[i].name, src, ZIP_FL_ENC_UTF_8) >= 0);
	}
	assert_int_equal(zip_close(z), 0);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *bytes = arena_alloc(a, 8u << 20);
	size_t got = fread(bytes, 1, 8u << 20, f);
	fclose(f);
	unlink(path);
	close(fd);
	return str_from(bytes, got);
}

static const char workbook[] = "<workbook xmlns:r=\"x\"><sheets><sheet name=\"one\" sheetId=\"7\" r:id=\"rId3\"/><sheet name=\"two\" r:id=\"rId1\"/></sheets></workbook>";
static const char rels[] = "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/other.xml\"/>"
                           "<Relationship Id=\"rId3\" Target=\"worksheets/first.xml\"/></Relationships>";
static const char styles[] = "<styleSheet><numFmts><numFmt numFmtId=\"165\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;\"/>"
                             "<numFmt numFmtId=\"166\" formatCode=\"0.00&quot;days&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
                             "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"165\"/><xf numFmtId=\"166\"/></cellXfs></styleSheet>";
static const char strings[] = "<sst><si><t>企业名称</t></si><si><r><t>甲</t></r><r><t xml:space=\"preserve\"> 乙</t></r><rPh><t>JIA</t></rPh></si>"
                              "<si><t>a_x0009_b</t></si></sst>";

static struct str book_with(const char *sheet)
{
	struct member v[] = { { "xl/workbook.xml", workbook, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 }, { "xl/styles.xml", styles, 0 },
		              { "xl/sharedStrings.xml", strings, 0 }, { "xl/worksheets/first.xml", sheet, 0 },
		              { "xl/worksheets/other.xml", "<worksheet/>", 0 } };
	return zip_of(v, ARRAY_LEN(v));
}

static void test_xlsx_cells(void **state)
{
	(void)state;
	assert_sheet(SHEET_XLSX,
	             book_with("<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>"
	                       "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"C2\" t=\"s\"><v>1</v></c><c r=\"D2\" t=\"s\"><v>2</v></c></row>"
	                       "<row r=\"3\"><c r=\"A3\"><v>12.5</v></c><c r=\"B3\" s=\"1\"><v>46348</v></c><c r=\"C3\" s=\"2\"><v>46348.5</v></c>"
	                       "<c r=\"D3\" s=\"3\"><v>3</v></c><c r=\"XFD3\" s=\"1\"/></row>"
	                       "<row r=\"5\"><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#REF!</v></c><c t=\"str\"><f>A1&amp;B1</f><v>和</v></c>"
	                       "<c t=\"inlineStr\"><is><r><t>内</t></r><r><t>联</t></r></is></c><c t=\"s\"><v>99</v></c></row>"
	                       "<row r=\"9\"/><row><c t=\"inlineStr\"><is><t> </t></is></c></row></sheetData></worksheet>"),
	             "2:t企业名称|-|t甲 乙|ta\tb\n3:n12.5|d46348|d46348.5|n3\n5:b1|e#REF!|t和|t内联\n");
}

static void test_xlsx_1904(void **state)
{
	(void)state;
	struct member v[] = { { "xl/workbook.xml", "<x:workbook><x:workbookPr date1904=\"1\"/></x:workbook>", 0 }, { "xl/styles.xml", styles, 0 },
		              { "xl/worksheets/sheet1.xml", "<x:worksheet><x:row><x:c s=\"1\"><x:v>44886</x:v></x:c></x:row></x:worksheet>", 0 } };
	assert_sheet(SHEET_XLSX, zip_of(v, ARRAY_LEN(v)), "1:d46348\n");
}

static void test_xlsx_harm(void **state)
{
	(void)state;
	assert_refused(SHEET_XLSX, STR("PK\x03\x04 nothing"), ERR_PARSE);
	assert_refused(SHEET_XLSX, book_with("<worksheet><row><c><v>1</v></row></worksheet>"), ERR_PARSE);
	assert_refused(SHEET_XLSX, book_with("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><worksheet><row><c t=\"str\"><v>&b;</v></c></row></worksheet>"),
	               ERR_PARSE);
	assert_refused(SHEET_XLSX, book_with("<worksheet><row><c r=\"XFD1\"><v>1</v></c></row></worksheet>"), ERR_TOO_LARGE);
	struct member none[] = { { "word/document.xml", "<x/>", 0 } };
	assert_refused(SHEET_XLSX, zip_of(none, 1), ERR_PARSE);
	char *bomb = arena_alloc(a, 8u << 20); // zeros unpack to a thousand times their size
	struct member v[] = { { "xl/workbook.xml", workbook, 0 }, { "xl/sharedStrings.xml", bomb, 8u << 20 } };
	assert_refused(SHEET_XLSX, zip_of(v, 2), ERR_TOO_LARGE);
}

// ---- dates -------------------------------------------------------------------------------------

static void assert_when(const char *text, const char *want)
{
	struct when w;
	bool ok = when_from_text(str_of(text), &w);
	struct str got = ok ? when_text(&w, a) : STR("none");
	if (!str_is(got, want))
		fail_msg("%s: got %.*s, want %s", text, STR_FMT(got), want);
}

static void test_dates(void **state)
{
	(void)state;
	static const char *const day[] = { "2026-11-22", "2026/11/22", "2026.11.22", "2026年11月22日", "20261122", " 2026年11月22号 ", "2026年 11月 22日" };
	for (size_t i = 0; i < ARRAY_LEN(day); i++)
		assert_when(day[i], "2026-11-22");
	assert_when("2026/1/2", "2026-01-02");
	assert_when("2026-11-22 8:05", "2026-11-22 08:05:00");
	assert_when("2026-11-22T08:05:09", "2026-11-22 08:05:09");
	assert_when("2026年11月22日8时30分", "2026-11-22 08:30:00");
	static const char *const wrong[] = { "2026-02-30", "2026-13-01", "26-11-22", "2026-11", "2026-11/22", "2026-11-22 25:00", "2026-11-22x", "x", "", "2026-11-228:30" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_when(wrong[i], "none");
	struct when w;
	assert_true(when_from_serial(46348, &w) && !w.has_time && str_is(when_text(&w, a), "2026-11-22"));
	assert_true(when_from_serial(46348.354166667, &w) && str_is(when_text(&w, a), "2026-11-22 08:30:00"));
	assert_false(when_from_serial(59, &w) || when_from_serial(3e9, &w) || when_from_serial(-1, &w));
	char name[4];
	sheet_column_name(0, name);
	assert_string_equal(name, "A");
	sheet_column_name(54, name);
	assert_string_equal(name, "BC");
	sheet_column_name(702, name);
	assert_string_equal(name, "AAA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_csv_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv_encodings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xlsx_cells, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xlsx_1904, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xlsx_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dates, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
