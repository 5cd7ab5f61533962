// The JSON pull reader. It runs for every message of every device, so strings without escapes and usual numbers take
// a short way. One owner at a time.
#include "base/jr.h"
#include "base/arena.h"

#include <math.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

void jr_init(struct jr *r, struct str json, struct arena *arena)
{
	*r = (struct jr){ .p = json.p, .start = json.p, .end = json.p + json.n, .arena = arena, .fresh = true };
}

void jr_fail(struct jr *r, const char *why)
{
	if (!r->error) {
		r->error = why;
	}
}

size_t jr_offset(const struct jr *r)
{
	return (size_t)(r->p - r->start);
}

static inline void skip_space(struct jr *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')) {
		r->p++;
	}
}

// Stands on the first byte of a value; false if there is none.
static inline bool value_begin(struct jr *r)
{
	if (r->error) {
		return false;
	}
	if (r->depth == 0) {
		if (!r->fresh) {
			jr_fail(r, "more than one value");
			return false;
		}
		r->fresh = false;
	}
	skip_space(r);
	if (r->p == r->end) {
		jr_fail(r, "value expected");
		return false;
	}
	return true;
}

enum jr_type jr_peek(struct jr *r)
{
	if (r->error || (r->depth == 0 && !r->fresh)) {
		return JR_NONE;
	}
	skip_space(r);
	if (r->p == r->end) {
		return JR_NONE;
	}
	switch (*r->p) {
	case '{': return JR_OBJECT;
	case '[': return JR_ARRAY;
	case '"': return JR_STRING;
	case 't': case 'f': return JR_BOOL;
	case 'n': return JR_NULL;
	default: return *r->p == '-' || (*r->p >= '0' && *r->p <= '9') ? JR_NUMBER : JR_NONE;
	}
}

static void scope_open(struct jr *r, char bracket, const char *why)
{
	if (!value_begin(r)) {
		return;
	}
	if (*r->p != bracket) {
		jr_fail(r, why);
	} else if (r->depth == JR_MAX_DEPTH) {
		jr_fail(r, "nested too deep");
	} else {
		r->stack[r->depth++] = (uint8_t)bracket;
		r->fresh = true;
		r->p++;
	}
}

void jr_arr(struct jr *r)
{
	scope_open(r, '[', "array expected");
}

void jr_obj(struct jr *r)
{
	scope_open(r, '{', "object expected");
}

// Between the elements of the innermost scope: true if one follows, false if it was closed or on a mistake.
static bool scope_next(struct jr *r, char open, char close, const char *why)
{
	if (r->error) {
		return false;
	}
	if (r->depth == 0 || r->stack[r->depth - 1] != open) {
		jr_fail(r, why);
		return false;
	}
	skip_space(r);
	if (r->p == r->end) {
		jr_fail(r, "text ends too early");
		return false;
	}
	if (*r->p == close) {
		r->p++;
		r->depth--;
		r->fresh = false;
		return false;
	}
	if (r->fresh) {
		r->fresh = false;
		return true;
	}
	if (*r->p != ',') {
		jr_fail(r, "comma expected");
		return false;
	}
	r->p++;
	return true;
}

bool jr_more(struct jr *r)
{
	return scope_next(r, '[', ']', "not inside an array");
}

const char *jr_plain_run(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (end - p >= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		uint64_t quote = w ^ ONES * '"', slash = w ^ ONES * '\\';
		uint64_t hit = ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | (w - ONES * 0x20) | w;
		hit &= HIGHS;
		if (hit) {
			return p + __builtin_ctzll(hit) / 8; // the lowest hit is exact, borrows only spoil higher ones
		}
		p += 8;
	}
#endif
	while (p < end && (uint8_t)*p >= 0x20 && (uint8_t)*p < 0x80 && *p != '"' && *p != '\\') {
		p++;
	}
	return p;
}

static int hex4(const char *p)
{
	uint8_t b[2];
	return str_from_hex(str_from(p, 4), b, 2) ? b[0] << 8 | b[1] : -1;
}

// Behind a backslash: bytes of the escape at p, and its code point. 0 on a mistake.
static size_t escape(const char *p, const char *end, uint32_t *ret)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	if (p == end) {
		return 0;
	}
	const char *at = *p ? strchr(letters, *p) : NULL;
	if (at) {
		*ret = (uint8_t)values[at - letters];
		return 1;
	}
	int hi = *p == 'u' && end - p >= 5 ? hex4(p + 1) : -1;
	if (hi < 0 || (hi >= 0xdc00 && hi <= 0xdfff)) {
		return 0;
	}
	if (hi < 0xd800 || hi > 0xdbff) {
		*ret = (uint32_t)hi;
		return 5;
	}
	int lo = end - p >= 11 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
	if (lo < 0xdc00 || lo > 0xdfff) {
		return 0;
	}
	*ret = 0x10000 + ((uint32_t)(hi - 0xd800) << 10) + (uint32_t)(lo - 0xdc00);
	return 11;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

// r->p stands behind the opening quote; checks the string and moves behind the closing one. The raw text (between
// the quotes) is returned, and whether it has escapes.
static struct str scan_string(struct jr *r, bool *ret_escaped)
{
	const char *first = r->p, *p = first;
	for (;;) {
		p = jr_plain_run(p, r->end);
		if (p < r->end && *p == '"') {
			r->p = p + 1;
			return str_from(first, (size_t)(p - first));
		}
		size_t len = 0;
		if (p == r->end) {
			jr_fail(r, "string without end");
		} else if (*p == '\\') {
			uint32_t c;
			*ret_escaped = true;
			len = escape(p + 1, r->end, &c);
			len += len > 0;
			if (!len) {
				jr_fail(r, "bad escape in string");
			}
		} else if ((uint8_t)*p < 0x20) {
			jr_fail(r, "control character in string");
		} else {
			len = utf8_sequence((const uint8_t *)p, (size_t)(r->end - p));
			if (!len) {
				jr_fail(r, "string is not UTF-8");
			}
		}
		if (!len) {
			r->p = p;
			return STR_EMPTY;
		}
		p += len;
	}
}

static struct str unescape(struct jr *r, struct str raw)
{
	if (!r->arena) {
		jr_fail(r, "escape in string not accepted here");
		return STR_EMPTY;
	}
	char *to = arena_alloc(r->arena, raw.n + 1), *at = to; // an escape is never shorter than what it means
	const char *p = raw.p, *end = raw.p + raw.n;
	while (p < end) {
		if (*p != '\\') {
			*at++ = *p++;
			continue;
		}
		uint32_t c = 0;
		p += 1 + escape(p + 1, end, &c);
		at = put_utf8(at, c);
	}
	return str_from(to, (size_t)(at - to));
}

// The string whose opening quote is at r->p; raw_wanted: its escapes do not matter to the caller.
static struct str read_string(struct jr *r, bool raw_wanted)
{
	if (*r->p != '"') {
		jr_fail(r, "string expected");
		return STR_EMPTY;
	}
	r->p++;
	bool escaped = false;
	struct str raw = scan_string(r, &escaped);
	return escaped && !raw_wanted && !r->error ? unescape(r, raw) : raw;
}

static bool next_key(struct jr *r, struct str *ret, bool raw_wanted)
{
	*ret = STR_EMPTY;
	if (!scope_next(r, '{', '}', "not inside an object")) {
		return false;
	}
	skip_space(r);
	if (r->p == r->end) {
		jr_fail(r, "text ends too early");
		return false;
	}
	*ret = read_string(r, raw_wanted);
	if (r->error) {
		*ret = STR_EMPTY;
		return false;
	}
	skip_space(r);
	if (r->p == r->end || *r->p != ':') {
		jr_fail(r, "colon expected");
		return false;
	}
	r->p++;
	return true;
}

bool jr_key(struct jr *r, struct str *ret)
{
	return next_key(r, ret, false);
}

struct str jr_str(struct jr *r)
{
	if (!value_begin(r)) {
		return STR_EMPTY;
	}
	struct str s = read_string(r, false);
	return r->error ? STR_EMPTY : s;
}

double jr_f64_wide(struct jr *r)
{
	double v = 0;
	if (!value_begin(r)) {
		return 0;
	}
	const char *behind = f64_scan(r->p, r->end, &v);
	if (!behind) {
		jr_fail(r, "number expected");
		return 0;
	}
	r->p = behind;
	return v;
}

double jr_f64(struct jr *r)
{
	double v = jr_f64_wide(r);
	if (!isfinite(v)) {
		jr_fail(r, "number out of range");
		return 0;
	}
	return v;
}

int64_t jr_i64(struct jr *r)
{
	int64_t v;
	if (!value_begin(r)) {
		return 0;
	}
	const char *p = r->p;
	if (p < r->end && *p == '-') {
		p++;
	}
	const char *first = p;
	while (p < r->end && *p >= '0' && *p <= '9') {
		p++;
	}
	bool plain = p > first && !(*first == '0' && p - first > 1) &&
	             !(p < r->end && (*p == '.' || *p == 'e' || *p == 'E'));
	if (!plain || !str_to_i64(str_from(r->p, (size_t)(p - r->p)), &v)) {
		jr_fail(r, "whole number expected, or out of range");
		return 0;
	}
	r->p = p;
	return v;
}

static bool literal(struct jr *r, struct str word)
{
	if ((size_t)(r->end - r->p) < word.n || memcmp(r->p, word.p, word.n) != 0) {
		return false;
	}
	r->p += word.n;
	return true;
}

bool jr_bool(struct jr *r)
{
	if (!value_begin(r)) {
		return false;
	}
	if (literal(r, STR("true"))) {
		return true;
	}
	if (!literal(r, STR("false"))) {
		jr_fail(r, "true or false expected");
	}
	return false;
}

void jr_null(struct jr *r)
{
	if (value_begin(r) && !literal(r, STR("null"))) {
		jr_fail(r, "null expected");
	}
}

static void skip_string(struct jr *r)
{
	if (value_begin(r)) {
		read_string(r, true);
	}
}

// Recursion is bounded: jr_arr and jr_obj fail beyond JR_MAX_DEPTH.
struct str jr_skip(struct jr *r)
{
	struct str key;
	enum jr_type type = jr_peek(r);
	const char *first = r->p;
	switch (type) {
	case JR_NONE: value_begin(r); jr_fail(r, "value expected"); break;
	case JR_NULL: jr_null(r); break;
	case JR_BOOL: jr_bool(r); break;
	case JR_NUMBER: jr_f64_wide(r); break;
	case JR_STRING: skip_string(r); break;
	case JR_ARRAY:
		for (jr_arr(r); jr_more(r);) {
			jr_skip(r);
		}
		break;
	case JR_OBJECT:
		for (jr_obj(r); next_key(r, &key, true);) {
			jr_skip(r);
		}
		break;
	}
	return r->error ? STR_EMPTY : str_from(first, (size_t)(r->p - first));
}

struct str jr_rest(const struct jr *r)
{
	return str_from(r->p, (size_t)(r->end - r->p));
}

void jr_pass(struct jr *r, size_t n)
{
	r->p += n;
}

bool jr_end(struct jr *r)
{
	if (r->error) {
		return false;
	}
	if (r->depth > 0) {
		jr_fail(r, "text not read to its end");
	} else if (r->fresh) {
		jr_fail(r, "value expected");
	} else {
		skip_space(r);
		if (r->p != r->end) {
			jr_fail(r, "more text behind the value");
		}
	}
	return !r->error;
}
