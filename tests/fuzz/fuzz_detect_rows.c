// Any bytes as the rows that `anlan detect` reads: values come out or a reason does.
// needs: base detect
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "detect/rows.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct arena *a = arena_new(0);
	struct rows *r = arena_one(a, struct rows);
	struct problem p;
	struct str text = str_from((const char *)data + 1, size - 1), time[2];
	double v[ROWS_VALUES_MAX];
	bool one = data[0] & 1;
	problem_init(&p, a);
	if (rows_begin(r, a, str_cut(&text, '\n'), one, &p) == OK) {
		must(r->nvalues >= 1 && r->nvalues <= (one ? 1 : ROWS_VALUES_MAX) && r->cells <= ROWS_CELLS_MAX);
		struct str rest = text;
		if (rows_settle(r, str_cut(&rest, '\n'), one, &p) != OK) {
			must(p.en.n && p.zh.n);
			text.n = 0;
		}
		for (size_t i = 0; i < r->nvalues; i++)
			must(r->value[i] < r->cells && r->value[i] != r->time && r->value[i] != r->clock && (!i || r->value[i] > r->value[i - 1]));
		for (size_t line = 2; text.n; line++) {
			problem_init(&p, a);
			enum err err = rows_read(r, str_cut(&text, '\n'), line, time, v, &p);
			must(err == OK || (p.en.n && p.zh.n && str_utf8_valid(p.en)));
			for (size_t i = 0; !err && i < r->nvalues; i++)
				must(!isinf(v[i]));
		}
	} else {
		must(p.en.n && p.zh.n);
	}
	arena_free(a);
	return 0;
}
