// The parts of the byte reader that are not one line. Pure functions over the caller's cursor, any thread.
#include "base/cursor.h"

struct str take_until(struct cursor *c, char sep)
{
	const uint8_t *at = c->failed ? NULL : memchr(c->p, (uint8_t)sep, cursor_left(c));
	if (!at) {
		c->failed = true;
		return STR_EMPTY;
	}
	struct str s = str_from((const char *)c->p, (size_t)(at - c->p));
	c->p = at + 1;
	return s;
}

uint64_t take_varint(struct cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = take_u8(c);
		if (shift == 63 && b > 1) {
			break; // more than 64 bits
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			return v; // also after a failed read, with b = 0
		}
	}
	c->failed = true;
	return 0;
}

int64_t take_zigzag(struct cursor *c)
{
	uint64_t v = take_varint(c);
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}
