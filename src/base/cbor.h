// A strict CBOR pull reader (RFC 8949) for what devices send: no tree, nothing allocated but strings that came in pieces,
// bounded depth. The caller walks as with base/jr.h:
//
//   for (cbor_arr(&r); cbor_more(&r);) {
//           for (cbor_map(&r); cbor_more(&r);) {
//                   key: cbor_int or cbor_str; value: cbor_f64 … or cbor_skip
//           }
//   }
//   if (!cbor_end(&r)) refuse;
//
// What is not well-formed makes the reader fail for good: cbor_more returns false, values are zero, and error says what.
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

#define CBOR_MAX_DEPTH 16

enum cbor_type { CBOR_NONE, CBOR_INT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_BOOL, CBOR_FLOAT, CBOR_OTHER };

struct cbor {
	struct cursor c;
	const uint8_t *start;
	struct arena *arena;
	const char *error;        // NULL while fine; a constant English text
	uint8_t depth;
	struct {
		uint64_t left;    // items of an array, pairs of a map, UINT64_MAX: until the break
	} stack[CBOR_MAX_DEPTH];
};

void cbor_init(struct cbor *r, struct str bytes, struct arena *arena);
enum cbor_type cbor_peek(const struct cbor *r); // of the next item; CBOR_NONE at the end; CBOR_OTHER: null, undefined, simple, break
bool cbor_tag_is(const struct cbor *r, uint64_t tag); // the next item is this tag, in its shortest form
void cbor_tag(struct cbor *r);                  // passes over one tag; its content follows
void cbor_arr(struct cbor *r);                  // expects an array, of either kind of length
void cbor_map(struct cbor *r);                  // expects a map; then cbor_more, key, value, cbor_more …
bool cbor_more(struct cbor *r);                 // true: an item or a pair follows; false: its end was passed, or failed
bool cbor_int(struct cbor *r, int64_t *ret);    // expects an integer; false if it has more than 63 bits (but is passed over)
// Text or bytes; text is checked as UTF-8. ret_pieces (or NULL): it came with indefinite length.
struct str cbor_str(struct cbor *r, bool *ret_pieces);
// Integer, half, single or double, or decimal fraction (tag 4, RFC 8949 3.4.4), correctly rounded. Anything else is
// passed over and gives false. NaN and infinities are numbers here.
bool cbor_f64(struct cbor *r, double *ret);
bool cbor_bool(struct cbor *r);
void cbor_skip(struct cbor *r);                 // any item with all that it holds
bool cbor_end(struct cbor *r) must_check;       // everything was read without a mistake
void cbor_fail(struct cbor *r, const char *why);
size_t cbor_offset(const struct cbor *r);
