// Inside `anlan bench records`: the county it makes.
#pragma once

#include "model/model.h"
#include "store/store.h"

#define BENCH_ENTERPRISES 2000

// Every type's table; enterprises in six places and all sectors; one person; rows of the type, numbered, with dates over
// three years, a third of them open. Skips what is there already. Texts are put together from words, so that one word is in
// some per cent of the rows and a pair in some per mille.
enum err bench_rows(struct store *s, const struct registry *reg, const struct type *t, int64_t rows, int64_t *ret_made,
                    struct problem *p) must_check;
