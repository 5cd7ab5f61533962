// Any bytes as a CSV that somebody uploads: rows come out or a reason does.
// needs: base bus store model auth measure flow exchange expr series
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/sheet.h"
#include "exchange/when.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct problem p;
	struct sheet *s = NULL;
	struct sheet_row row;
	uint32_t last = 0;
	problem_init(&p, a);
	if (sheet_open(&s, SHEET_CSV, str_from((const char *)data, size), &p) == OK) {
		while (sheet_next(s, &row, &p) == OK && row.ncells) {
			must(row.number > last && row.ncells <= LIMIT_SHEET_COLUMNS);
			last = row.number;
			for (size_t i = 0; i < row.ncells; i++) {
				struct when w;
				must(str_utf8_valid(row.cells[i].text));
				if (when_from_text(row.cells[i].text, &w))
					must(civil_valid(w.civil));
			}
		}
	}
	sheet_close(s);
	arena_free(a);
	return 0;
}
