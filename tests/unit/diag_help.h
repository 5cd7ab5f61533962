// What is said about files with mistakes in them, against what must be said. Included by the tests of things that are loaded.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/diag.h"

// Everything in d, sorted, is what stands in FOLDER.err, in its order: "file:line:col: text", the file within the folder.
// With DIAG_SHOW in the environment it is printed, to be copied there.
static inline void assert_all_told(struct diags *d, const char *folder, struct arena *a)
{
	char line[600];
	FILE *want = fopen(arena_printf(a, "%s.err", folder).p, "r");
	size_t i = 0;
	assert_non_null(want);
	diags_sort(d);
	for (size_t k = 0; getenv("DIAG_SHOW") && k < d->n; k++)
		printf("%.*s:%u:%u: %.*s\n", STR_FMT(d->v[k].file), d->v[k].line, d->v[k].col, STR_FMT(d->v[k].text));
	while (fgets(line, sizeof line, want)) {
		struct str wanted = str_trim(str_of(line));
		assert_true(i < d->n);
		struct str got = arena_printf(a, "%.*s:%u:%u: %.*s", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
		got = str_skip(got, strlen(folder) + 1);
		if (!str_eq(got, wanted))
			fail_msg("it says  %.*s\nwanted   %.*s", STR_FMT(got), STR_FMT(wanted));
		i++;
	}
	assert_int_equal(i, d->n);
	fclose(want);
}
