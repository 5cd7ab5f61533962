// Growable bytes with a maximum. The owner of the buf frees it; one owner at a time.
#include "base/buf.h"
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_CAP 256u

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_free(struct buf *b)
{
	mem_free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->failed || n > b->max || b->n > b->max - n) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->n + n;
	if (need > b->cap || !b->p) {
		size_t cap = MAX(b->cap, (size_t)FIRST_CAP);
		while (cap < need) {
			cap *= 2;
		}
		cap = MAX(MIN(cap, b->max), (size_t)1);
		b->p = mem_resize(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->n);
	b->n += n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);
	if (to && n) {
		memcpy(to, p, n);
		b->n += n;
	}
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_add_cstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_u8(struct buf *b, uint8_t v)
{
	char *to = buf_room(b, 1);
	if (to) {
		to[0] = (char)v;
		b->n++;
	}
}

void buf_add_be16(struct buf *b, uint16_t v)
{
	buf_add(b, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

void buf_add_be32(struct buf *b, uint32_t v)
{
	buf_add(b, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

void buf_add_le16(struct buf *b, uint16_t v)
{
	buf_add(b, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

void buf_add_le32(struct buf *b, uint32_t v)
{
	buf_add(b, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) }, 4);
}

void buf_add_le64(struct buf *b, uint64_t v)
{
	if (buf_room(b, 8)) {
		buf_add_le32(b, (uint32_t)v);
		buf_add_le32(b, (uint32_t)(v >> 32));
	}
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
	} else if (n >= 0 && (size_t)n < b->max) {
		char *to = buf_room(b, (size_t)n + 1); // with the NUL that vsnprintf writes
		if (to) {
			vsnprintf(to, (size_t)n + 1, fmt, again);
			b->n += (size_t)n;
		}
	} else {
		b->failed = true;
	}
	va_end(again);
	va_end(ap);
}

void buf_drop_front(struct buf *b, size_t n)
{
	assert(n <= b->n);
	if (n) {
		memmove(b->p, b->p + n, b->n - n);
		b->n -= n;
	}
}
