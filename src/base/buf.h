// A growable byte buffer with a declared maximum. Growing past the maximum fails once and for all: later
// writes are ignored, buf_ok() is false, and nothing half-written is ever used by mistake.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct buf {
	char *p;      // owned; NULL while empty
	size_t n;     // bytes in use
	size_t cap;
	size_t max;   // never grows beyond
	bool failed;  // sticky
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_clear(struct buf *b);  // keeps the memory, forgets the failure
static inline bool buf_ok(const struct buf *b) { return !b->failed; }
static inline struct str buf_str(const struct buf *b) { return str_from(b->p, b->n); }
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_u8(struct buf *b, uint8_t v);
void buf_add_be16(struct buf *b, uint16_t v);
void buf_add_be32(struct buf *b, uint32_t v);
void buf_add_le16(struct buf *b, uint16_t v);
void buf_add_le32(struct buf *b, uint32_t v);
void buf_add_le64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
// Room for n more bytes, to be written by the caller and claimed with buf_commit; NULL if beyond max.
char *buf_room(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
void buf_drop_front(struct buf *b, size_t n); // n <= b->n
