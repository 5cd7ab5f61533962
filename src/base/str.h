// A slice of bytes: pointer and length, not owned, not NUL-terminated unless it came from an arena.
// The empty string is {"", 0}; a zeroed struct str is taken as empty too. Numbers are read and printed here, independent of the locale.
#pragma once

#include "base/base.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_EMPTY ((struct str){ "", 0 })
#define STR_FMT(s) (int)(s).n, (s).p // for "%.*s"; evaluates s twice: name a variable, never a call that moves on

static inline struct str str_from(const char *p, size_t n) { return (struct str){ n ? p : "", n }; }
struct str str_of(const char *cstr); // NULL gives the empty string
static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
// Inline so that a comparison with a literal costs a length and a few bytes.
static inline bool str_is(struct str a, const char *cstr)
{
	size_t n = strlen(cstr);
	return a.n == n && memcmp(a.p, cstr, n) == 0;
}
bool str_eq_nocase(struct str a, struct str b); // ASCII only
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str needle);
struct str str_trim(struct str s); // ASCII white space
struct str str_skip(struct str s, size_t n); // without the first n bytes (all, if shorter)
struct str str_first(struct str s, size_t n);
// Cuts *s at the first sep and returns what stood before it; *s becomes the rest. Without sep: all of it, *s empty.
struct str str_cut(struct str *s, char sep);
// Which of the names a person may have meant by word: -1 if none is near.
int str_nearest(struct str word, const struct str *names, size_t n);
uint64_t str_hash(struct str s); // not for strangers' keys in unbounded tables: see strmap.h
bool str_utf8_valid(struct str s); // RFC 3629: no surrogates, no overlong forms
size_t str_utf8_len(struct str s); // code points; s must be valid
size_t utf8_sequence(const uint8_t *p, size_t n); // bytes (1..4) of the well-formed sequence at p, 0: none; n >= 1

// Whole string or nothing: no white space, no sign unless noted. False on overflow or any other byte.
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i64(struct str s, int64_t *ret);     // optional leading -
bool str_to_f64(struct str s, double *ret);      // JSON number syntax; result is finite
// The JSON number that starts at p: its value and the byte behind it; NULL if none starts there or if it is longer than
// 1,024 bytes. Exact (correctly rounded); infinite when beyond the range of a double.
const char *f64_scan(const char *p, const char *end, double *ret);
bool str_from_hex(struct str s, uint8_t *ret, size_t n); // exactly 2n hex digits, any case
void str_to_hex(const uint8_t *p, size_t n, char *ret /* 2n bytes, lower case, no NUL */);

// Shortest decimal that reads back as the same double, without a locale (some exact powers of two get one digit more
// than they need; NaN and infinities give null). At most F64_TEXT_MAX bytes; returns the length.
#define F64_TEXT_MAX 32
size_t f64_text(double v, char *ret);
