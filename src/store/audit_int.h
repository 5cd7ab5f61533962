// What the audit*.c files share and nobody else includes.
#pragma once

#include "base/hash.h"
#include "store/audit.h"

// The digest of the row of a record type; *ret_found false: no such type or row.
enum err audit_row_digest(struct db *db, struct str type, int64_t record, bool *ret_found, uint8_t ret[SM3_LEN]) must_check;
// The row of the head: number and digest of the newest entry; 0 and zeros when there is none.
enum err audit_head_read(struct db *db, int64_t *ret_seq, uint8_t ret_hash[SM3_LEN]) must_check;
