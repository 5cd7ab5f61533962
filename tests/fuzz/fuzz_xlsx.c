// Any bytes as a workbook. With a first byte below 128 the bytes are the XML of the first sheet in an otherwise good
// workbook (so that the fuzzer gets past the zip's checksums), else the whole file.
// needs: base bus store model auth measure flow exchange expr series
#include <zip.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/sheet.h"
#include "tests/fuzz/must.h"

static const char workbook[] = "<workbook><sheets><sheet name=\"a\" r:id=\"r1\"/></sheets></workbook>";
static const char styles[] = "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
static const char strings[] = "<sst><si><t>x</t></si><si><r><t>y</t></r><rPh><t>z</t></rPh></si></sst>";

static void add(zip_t *z, const char *name, const char *text, size_t n)
{
	zip_source_t *src = zip_source_buffer(z, text, n, 0);
	must(src && zip_file_add(z, name, src, ZIP_FL_ENC_UTF_8) >= 0);
}

static struct str packed(struct arena *a, const uint8_t *data, size_t size)
{
	zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = zip_open_from_source(out, ZIP_CREATE, NULL);
	must(z != NULL);
	add(z, "xl/workbook.xml", workbook, sizeof workbook - 1);
	add(z, "xl/styles.xml", styles, sizeof styles - 1);
	add(z, "xl/sharedStrings.xml", strings, sizeof strings - 1);
	add(z, "xl/worksheets/sheet1.xml", (const char *)data, size);
	zip_source_keep(out);
	must(zip_close(z) == 0);
	must(zip_source_open(out) == 0);
	zip_source_seek(out, 0, SEEK_END);
	zip_int64_t n = zip_source_tell(out);
	zip_source_seek(out, 0, SEEK_SET);
	char *bytes = arena_alloc(a, (size_t)n + 1);
	must(zip_source_read(out, bytes, (zip_uint64_t)n) == n);
	zip_source_close(out);
	zip_source_free(out);
	return str_from(bytes, (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct problem p;
	struct sheet *s = NULL;
	struct sheet_row row;
	uint32_t last = 0;
	problem_init(&p, a);
	bool whole = size && data[0] >= 128;
	struct str bytes = whole ? str_from((const char *)data + 1, size - 1) : packed(a, data, size);
	if (sheet_open(&s, SHEET_XLSX, bytes, &p) == OK) {
		while (sheet_next(s, &row, &p) == OK && row.ncells) {
			must(row.number > last && row.number <= LIMIT_XLSX_ROW && row.ncells <= LIMIT_SHEET_COLUMNS);
			last = row.number;
			for (size_t i = 0; i < row.ncells; i++)
				must(row.cells[i].kind != CELL_TEXT || row.cells[i].text.p != NULL);
		}
	}
	sheet_close(s);
	arena_free(a);
	return 0;
}
