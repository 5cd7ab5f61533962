// The CBOR reader, see cbor.h. Section numbers: RFC 8949. Pure over the caller's bytes, any thread.
#include "base/cbor.h"

#include <math.h>
#include <stdio.h>

#define UNTIL_BREAK UINT64_MAX
#define BREAK 0xFF

struct head {
	unsigned major, info;
	uint64_t arg;
	bool indefinite;
};

void cbor_fail(struct cbor *r, const char *why)
{
	if (!r->error) {
		r->error = why;
	}
	r->c.failed = true;
}

void cbor_init(struct cbor *r, struct str bytes, struct arena *arena)
{
	*r = (struct cbor){ .c = cursor_of(bytes), .start = (const uint8_t *)bytes.p, .arena = arena };
}

size_t cbor_offset(const struct cbor *r) { return (size_t)(r->c.p - r->start); }

bool cbor_end(struct cbor *r)
{
	if (!r->error && !cursor_done(&r->c)) {
		cbor_fail(r, "bytes behind the last item");
	}
	return !r->error;
}

// 3: the first byte and its argument.
static struct head take_head(struct cbor *r)
{
	uint8_t b = take_u8(&r->c);
	struct head h = { .major = b >> 5, .info = b & 31 };
	switch (h.info) {
	case 24: h.arg = take_u8(&r->c); break;
	case 25: h.arg = take_be16(&r->c); break;
	case 26: h.arg = take_be32(&r->c); break;
	case 27: h.arg = (uint64_t)take_be32(&r->c) << 32; h.arg |= take_be32(&r->c); break;
	case 28: case 29: case 30: cbor_fail(r, "reserved length"); break;
	case 31:
		h.indefinite = h.major >= 2 && h.major <= 5; // 3.2.1
		if (!h.indefinite) {
			cbor_fail(r, h.major == 7 ? "a break where a value belongs" : "reserved length");
		}
		break;
	default: h.arg = h.info; break;
	}
	if (!r->error && !cursor_ok(&r->c)) {
		cbor_fail(r, "ends in the middle of an item");
	}
	return r->error ? (struct head){ 0 } : h;
}

enum cbor_type cbor_peek(const struct cbor *r)
{
	static const enum cbor_type types[] = { CBOR_INT, CBOR_INT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG };
	struct cursor c = r->c;
	uint8_t b = take_u8(&c);
	if (!cursor_ok(&c)) {
		return CBOR_NONE;
	}
	if (b >> 5 < 7) {
		return types[b >> 5];
	}
	unsigned info = b & 31;
	return info == 20 || info == 21 ? CBOR_BOOL : info >= 25 && info <= 27 ? CBOR_FLOAT : CBOR_OTHER;
}

bool cbor_tag_is(const struct cbor *r, uint64_t tag)
{
	struct cbor look = *r;
	return cbor_peek(&look) == CBOR_TAG && take_head(&look).arg == tag && !look.error;
}

static struct head expect(struct cbor *r, unsigned major, const char *why)
{
	struct head h = take_head(r);
	if (!r->error && h.major != major) {
		cbor_fail(r, why);
	}
	return h;
}

void cbor_tag(struct cbor *r) { (void)expect(r, 6, "a tag is expected"); }

static void open(struct cbor *r, unsigned major, const char *why)
{
	struct head h = expect(r, major, why);
	if (!r->error && r->depth == CBOR_MAX_DEPTH) {
		cbor_fail(r, "nested too deep");
	}
	if (!r->error) {
		r->stack[r->depth++].left = h.indefinite ? UNTIL_BREAK : h.arg;
	}
}

void cbor_arr(struct cbor *r) { open(r, 4, "an array is expected"); }
void cbor_map(struct cbor *r) { open(r, 5, "a map is expected"); }

bool cbor_more(struct cbor *r)
{
	if (r->error || !r->depth) {
		return false;
	}
	uint64_t *left = &r->stack[r->depth - 1].left;
	if (*left == UNTIL_BREAK) {
		struct cursor c = r->c;
		if (take_u8(&c) != BREAK || !cursor_ok(&c)) {
			return true; // the end of the bytes is noticed by whoever reads the item
		}
		r->c = c;
		r->depth--;
		return false;
	}
	if (*left == 0) {
		r->depth--;
		return false;
	}
	--*left;
	return true;
}

bool cbor_int(struct cbor *r, int64_t *ret)
{
	struct head h = take_head(r);
	*ret = 0;
	if (!r->error && h.major > 1) {
		cbor_fail(r, "an integer is expected");
	}
	if (r->error || h.arg > INT64_MAX) {
		return false;
	}
	*ret = h.major ? -1 - (int64_t)h.arg : (int64_t)h.arg;
	return true;
}

static struct str definite(struct cbor *r, struct head h)
{
	if (!r->error && h.arg > cursor_left(&r->c)) {
		cbor_fail(r, "ends in the middle of a string");
	}
	struct str s = r->error ? STR_EMPTY : take_str(&r->c, (size_t)h.arg);
	if (h.major == 3 && !str_utf8_valid(s)) {
		cbor_fail(r, "text that is not UTF-8");
		return STR_EMPTY;
	}
	return s;
}

// 3.2.3: definite pieces of the same type until the break.
static struct str pieces(struct cbor *r, unsigned major)
{
	struct cursor c = r->c;
	char *to = NULL;
	size_t n = 0;
	for (;;) {
		c = r->c;
		if (take_u8(&c) == BREAK && cursor_ok(&c)) {
			r->c = c;
			return str_from(to, n);
		}
		struct head h = expect(r, major, "a piece of another type");
		if (h.indefinite) {
			cbor_fail(r, "a piece without length");
		}
		struct str s = definite(r, h);
		if (r->error) {
			return STR_EMPTY;
		}
		if (!to) {
			to = arena_alloc(r->arena, s.n + cursor_left(&r->c)); // no more can follow
		}
		memcpy(to + n, s.p, s.n);
		n += s.n;
	}
}

struct str cbor_str(struct cbor *r, bool *ret_pieces)
{
	struct head h = take_head(r);
	if (ret_pieces) {
		*ret_pieces = h.indefinite;
	}
	if (!r->error && h.major != 2 && h.major != 3) {
		cbor_fail(r, "a string is expected");
	}
	if (r->error) {
		return STR_EMPTY;
	}
	return h.indefinite ? pieces(r, h.major) : definite(r, h);
}

bool cbor_bool(struct cbor *r)
{
	struct head h = take_head(r);
	if (!r->error && (h.major != 7 || (h.info != 20 && h.info != 21))) {
		cbor_fail(r, "a boolean is expected");
	}
	return h.info == 21;
}

static double half(uint16_t h) // appendix D
{
	unsigned exponent = h >> 10 & 31, mantissa = h & 0x3FF;
	double v = exponent == 0    ? ldexp(mantissa, -24)
		   : exponent != 31 ? ldexp(mantissa + 1024, (int)exponent - 25)
		   : mantissa       ? NAN
				    : INFINITY;
	return h & 0x8000 ? -v : v;
}

static double floating(struct head h)
{
	float f;
	double d;
	uint32_t bits = (uint32_t)h.arg;
	switch (h.info) {
	case 25: return half((uint16_t)h.arg);
	case 26: memcpy(&f, &bits, sizeof f); return f;
	default: memcpy(&d, &h.arg, sizeof d); return d;
	}
}

// Tag 4: [exponent, mantissa], as text so that it is rounded once.
static bool decimal(struct cbor *r, double *ret)
{
	char text[64];
	int64_t part[2] = { 0 };
	unsigned n = 0;
	bool ok = true;
	cbor_tag(r);
	if (cbor_peek(r) != CBOR_ARRAY) {
		cbor_skip(r);
		return false;
	}
	for (cbor_arr(r); cbor_more(r); n++) {
		if (n < 2 && cbor_peek(r) == CBOR_INT) {
			ok = cbor_int(r, &part[n]) && ok;
		} else {
			cbor_skip(r);
			ok = false;
		}
	}
	if (r->error || !ok || n != 2) {
		return false;
	}
	int exponent = (int)MIN(MAX(part[0], (int64_t)-2000), (int64_t)2000); // far beyond a double either way
	int len = snprintf(text, sizeof text, "%llde%d", (long long)part[1], exponent);
	return f64_scan(text, text + len, ret) == text + len;
}

bool cbor_f64(struct cbor *r, double *ret)
{
	*ret = 0;
	switch (cbor_peek(r)) {
	case CBOR_INT: {
		struct head h = take_head(r);
		*ret = h.major ? -1.0 - (double)h.arg : (double)h.arg;
		return !r->error;
	}
	case CBOR_FLOAT: {
		struct head h = take_head(r);
		*ret = r->error ? 0 : floating(h);
		return !r->error;
	}
	case CBOR_TAG:
		if (cbor_tag_is(r, 4)) {
			return decimal(r, ret);
		}
		break;
	case CBOR_NONE: case CBOR_BYTES: case CBOR_TEXT: case CBOR_ARRAY: case CBOR_MAP: case CBOR_BOOL: case CBOR_OTHER: break;
	}
	cbor_skip(r);
	return false;
}

void cbor_skip(struct cbor *r) // as deep as the stack allows
{
	while (!r->error && cbor_peek(r) == CBOR_TAG) {
		cbor_tag(r);
	}
	switch (cbor_peek(r)) {
	case CBOR_BYTES: case CBOR_TEXT: cbor_str(r, NULL); break;
	case CBOR_ARRAY:
		for (cbor_arr(r); cbor_more(r);) {
			cbor_skip(r);
		}
		break;
	case CBOR_MAP:
		for (cbor_map(r); cbor_more(r);) {
			cbor_skip(r);
			cbor_skip(r);
		}
		break;
	case CBOR_NONE: case CBOR_INT: case CBOR_TAG: case CBOR_BOOL: case CBOR_FLOAT: case CBOR_OTHER: {
		struct head h = take_head(r);
		if (!r->error && h.major == 7 && h.info == 24 && h.arg < 32) {
			cbor_fail(r, "a simple value in a form that is reserved"); // 3.3
		}
		break;
	}
	}
}
