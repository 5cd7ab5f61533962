// Steps of a written migration: what changes rows that exist. Each keeps what it takes away (table dropped_value) and says
// how many rows it touched. Called by config/ in store jobs, before records_migrate brings the table to its new form.
#pragma once

#include "store/records.h"

// Rows (retired ones too) where the column has a value; of a text column the empty text is none.
enum err records_count_filled(struct db *db, const struct table *t, struct str column, int64_t *ret, struct problem *p) must_check;
// Rows where the column is v.
enum err records_count_value(struct db *db, const struct table *t, struct str column, struct value v, int64_t *ret,
                             struct problem *p) must_check;
enum err records_rename_column(struct db *db, const struct table *t, struct str from, struct str to, struct problem *p) must_check;
// The values go to dropped_value first, so that they can still be read.
enum err records_drop_column(struct db *db, const struct table *t, struct str column, int64_t *ret_rows, struct problem *p) must_check;
// Ids of column `from` become "TYPE:ID" in the text column `into`, which is made if there is none, then `from` goes like a dropped
// one. Refused if a row has both: one of the two would be lost.
enum err records_gather_column(struct db *db, const struct table *t, struct str from, struct str type, struct str into, int64_t *ret_rows,
                               struct problem *p) must_check;
// Rows where the column and any of the others have a value.
enum err records_count_both(struct db *db, const struct table *t, struct str column, const struct str *others, size_t nothers, int64_t *ret,
                            struct problem *p) must_check;
// One value of a column ("state" too) becomes another. several: the column holds ",a,b,".
enum err records_map_value(struct db *db, const struct table *t, struct str column, struct str from, struct str to, bool several,
                           int64_t *ret_rows, struct problem *p) must_check;
