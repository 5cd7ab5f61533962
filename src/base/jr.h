// A strict JSON pull reader (RFC 8259) for what devices send: no tree, no allocation except unescaped strings
// into the given arena, bounded depth. The caller walks:
//
//   for (jr_arr(&r); jr_more(&r);) {
//           for (jr_obj(&r); jr_key(&r, &key);) {
//                   if (str_is(key, "v")) v = jr_f64(&r); else jr_skip(&r);
//           }
//   }
//   if (!jr_end(&r)) refuse;
//
// A mistake of any kind makes the reader fail for good: jr_more and jr_key return false, values are zero, and
// jr_error says what and where. Bodies of API requests, which need a tree, use jansson instead.
#pragma once

#include "base/base.h"
#include "base/str.h"

#define JR_MAX_DEPTH 16

struct arena;

enum jr_type { JR_NONE, JR_NULL, JR_BOOL, JR_NUMBER, JR_STRING, JR_OBJECT, JR_ARRAY };

struct jr {
	const char *p, *start, *end;
	struct arena *arena;      // for strings with escapes
	const char *error;        // NULL while fine; a constant English text
	uint8_t depth;
	uint8_t stack[JR_MAX_DEPTH]; // '{' or '['
	bool fresh;               // just opened: no comma expected
};

void jr_init(struct jr *r, struct str json, struct arena *arena);
enum jr_type jr_peek(struct jr *r);          // type of the next value
void jr_arr(struct jr *r);                   // expects [
bool jr_more(struct jr *r);                  // true: a value follows; false: ] was consumed, or failed
void jr_obj(struct jr *r);                   // expects {
bool jr_key(struct jr *r, struct str *ret);  // true: key read, its value follows; false: } was consumed, or failed
struct str jr_str(struct jr *r);
double jr_f64(struct jr *r);                 // fails beyond the range of a double
double jr_f64_wide(struct jr *r);            // infinite beyond the range of a double: for who refuses only that item
int64_t jr_i64(struct jr *r);                // fails on a fraction or overflow
bool jr_bool(struct jr *r);
void jr_null(struct jr *r);
struct str jr_skip(struct jr *r);            // any value; returns its text
// For a caller who knows the usual form of a value and reads it faster: after jr_more said that one follows, what is
// left of the text, and then, if a whole value was read, how many bytes it had.
struct str jr_rest(const struct jr *r);
void jr_pass(struct jr *r, size_t n);
// First byte at or behind p that a string cannot hold as it is, or that is not ASCII: " \ control, UTF-8, or end.
const char *jr_plain_run(const char *p, const char *end);
bool jr_end(struct jr *r) must_check;        // true if the whole text was read without a mistake
void jr_fail(struct jr *r, const char *why); // marks failure with the caller's reason
size_t jr_offset(const struct jr *r);
