// Reading bytes that a stranger sent. A read past the end returns zero and marks the cursor as failed, for good;
// a decoder reads on and checks once. No decoder does pointer arithmetic outside this file.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct cursor {
	const uint8_t *p, *end;
	bool failed;
};

static inline struct cursor cursor_of(struct str s)
{
	return (struct cursor){ (const uint8_t *)s.p, (const uint8_t *)s.p + s.n, false };
}
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->p); }
static inline bool cursor_ok(const struct cursor *c) { return !c->failed; }
static inline bool cursor_done(const struct cursor *c) { return !c->failed && c->p == c->end; }

static inline const uint8_t *cursor_take_raw(struct cursor *c, size_t n)
{
	if (c->failed || cursor_left(c) < n) {
		c->failed = true;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}
static inline uint8_t take_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take_raw(c, 1);
	return p ? p[0] : 0;
}
static inline uint16_t take_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take_raw(c, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}
static inline uint32_t take_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take_raw(c, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}
static inline uint16_t take_le16(struct cursor *c)
{
	const uint8_t *p = cursor_take_raw(c, 2);
	return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}
static inline uint32_t take_le32(struct cursor *c)
{
	const uint8_t *p = cursor_take_raw(c, 4);
	return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}
static inline uint64_t take_le64(struct cursor *c)
{
	uint64_t lo = take_le32(c);
	return lo | (uint64_t)take_le32(c) << 32;
}
// n bytes as a slice of the input; empty on failure.
static inline struct str take_str(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take_raw(c, n);
	return p ? str_from((const char *)p, n) : STR_EMPTY;
}
// n bytes copied; zeroes on failure.
static inline void take_bytes(struct cursor *c, void *ret, size_t n)
{
	const uint8_t *p = cursor_take_raw(c, n);
	if (p) {
		memcpy(ret, p, n);
	} else {
		memset(ret, 0, n);
	}
}
static inline struct str take_rest(struct cursor *c) { return take_str(c, cursor_left(c)); }
// Up to (not including) the first sep, which is consumed. Fails if sep does not occur.
struct str take_until(struct cursor *c, char sep);
// LEB128, at most 10 bytes, and its zig-zag form.
uint64_t take_varint(struct cursor *c);
int64_t take_zigzag(struct cursor *c);
