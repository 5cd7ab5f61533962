#include "base/jpeg.h"

#include "base/buf.h"
#include "base/cursor.h"

enum { SOI = 0xd8, EOI = 0xd9, SOS = 0xda, APP0 = 0xe0, APP14 = 0xee, JFIF_BYTES = 14, ADOBE_BYTES = 12 };

// Tables, frames and scans; of the application's own segments the two that say how colours are meant, if they hold nothing else.
static bool is_picture(uint8_t marker, size_t n)
{
	if (marker == APP0 || marker == APP14)
		return n == (marker == APP0 ? JFIF_BYTES : ADOBE_BYTES);
	return marker >= 0xc0 && marker <= 0xdf && marker != SOI && marker != EOI && !(marker >= 0xd0 && marker <= 0xd7);
}

static uint8_t next_marker(struct cursor *c)
{
	uint8_t b = take_u8(c);
	if (b != 0xff)
		c->failed = true;
	while (cursor_ok(c) && b == 0xff)
		b = take_u8(c);
	return b;
}

static bool segment(struct cursor *c, uint8_t marker, struct buf *out)
{
	size_t n = take_be16(c);
	const uint8_t *p = n >= 2 ? cursor_take_raw(c, n - 2) : NULL;
	if (!p)
		return false;
	if (!is_picture(marker, n - 2))
		return true;
	buf_add_u8(out, 0xff);
	buf_add_u8(out, marker);
	buf_add_u8(out, (uint8_t)(n >> 8));
	buf_add_u8(out, (uint8_t)n);
	buf_add(out, p, n - 2);
	return true;
}

// Coded data up to the next marker that is not one of its own (stuffed zero, restart).
static void scan(struct cursor *c, struct buf *out)
{
	for (;;) {
		struct cursor ahead = *c;
		uint8_t b = take_u8(&ahead), m = b == 0xff ? take_u8(&ahead) : 0;
		if (!cursor_ok(&ahead) || (b == 0xff && m != 0 && !(m >= 0xd0 && m <= 0xd7))) {
			c->failed |= !cursor_ok(&ahead);
			return;
		}
		buf_add_u8(out, b);
		if (b == 0xff)
			buf_add_u8(out, m);
		*c = ahead;
	}
}

struct str jpeg_plain(struct str bytes, struct arena *a)
{
	struct cursor c = cursor_of(bytes);
	struct buf out;
	struct str ret = STR_EMPTY;
	bool scanned = false, done = false;
	buf_init(&out, bytes.n + 2);
	if (next_marker(&c) == SOI)
		buf_add(&out, "\xff\xd8", 2);
	else
		c.failed = true;
	while (cursor_ok(&c) && !done) {
		uint8_t marker = next_marker(&c);
		done = marker == EOI;
		if (!done && !segment(&c, marker, &out))
			break;
		if (marker == SOS)
			scan(&c, &out);
		scanned |= marker == SOS;
	}
	buf_add(&out, "\xff\xd9", 2);
	if (done && scanned && cursor_ok(&c) && buf_ok(&out))
		ret = arena_str(a, buf_str(&out));
	buf_free(&out);
	return ret;
}
