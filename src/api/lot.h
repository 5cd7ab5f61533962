// What a lot of records needs beside the drawing itself (flow/lot.h): its pool as text, its rows; draw.c says how it goes.
#pragma once

#include "api/api.h"
#include "flow/lot.h"

// Ids in the order of v, with commas, those with several tickets as ID*N; LIMIT_TEXT_FIELD bytes are about 3,000. ERR_TOO_LARGE: more.
enum err lot_pool_text(const struct ticket *v, size_t n, struct arena *a, struct value *ret) must_check;
struct value lot_rows(const json_t *rows, struct arena *a);                             // for a field of rows
