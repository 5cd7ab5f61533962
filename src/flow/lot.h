// Drawing lots that anybody can draw again with any SM3 (GB/T 32905-2016): the ticket of a thing is the digest of the text
// SEED:WHAT:ID, the id in decimal, the k-th of several SEED:WHAT:ID:k, of which the lowest counts; the lowest tickets win
// (doc/decisions/0031-enforcement.md).
#pragma once

#include "base/hash.h"
#include "base/str.h"
#include "store/db.h"

#define LOT_SEED 65         // 64 hex digits and the end

struct ticket {
	uint8_t hash[SM3_LEN];
	int64_t id;
	int many;               // how many it has; 0 and 1: one
};
// Gives each its ticket and puts the lowest first. Pure.
void lot_draw(struct str seed, struct str what, struct ticket *v, size_t n);
// The seed that nobody chooses: the digest of the newest audit entry of the record, which has just taken in what is drawn from.
enum err lot_seed(struct db *db, struct str type, int64_t id, struct arena *a, int64_t *ret_entry, char ret[LOT_SEED]) must_check;
