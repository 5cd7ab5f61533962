// What a lot of records needs beside the drawing itself (flow/lot.h): its pool as text, the seed that nobody chooses (draw.c says how).
#pragma once

#include "api/api.h"
#include "flow/lot.h"

#define LOT_SEED 65         // 64 hex digits and the end

struct str lot_text(const struct type *t, const char *field, const struct row *row);    // empty: none
int64_t lot_id(const struct type *t, const char *field, const struct row *row);         // of a reference; 0: none
double lot_number(const struct type *t, const char *field, const struct row *row);      // 0: none
// Ids in the order of v, with commas, those with several tickets as ID*N; LIMIT_TEXT_FIELD bytes are about 3,000. ERR_TOO_LARGE: more.
enum err lot_pool_text(const struct ticket *v, size_t n, struct arena *a, struct value *ret) must_check;
// The digest of the newest audit entry of the record, which has just taken the pools in.
enum err lot_seed(struct db *db, struct str type, int64_t id, struct arena *a, int64_t *ret_entry, char ret[LOT_SEED]) must_check;
struct value lot_rows(const json_t *rows, struct arena *a);                             // for a field of rows
