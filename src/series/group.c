#include "series/group.h"

#include <math.h>

#include "base/hash.h"
#include "series/chunk.h"

#define MAGIC 0x474c4e41u // "ANLG"

static const double SCALE[7] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
static const int64_t UNIT[4] = { 1, 1000, 1000000, 0 };

// A number of n bytes (1..8: 7 n bits; 9: 64) starts with n - 1 zero bits and a one, from the low end: its length is
// known from its first byte, so neither side branches on it. Writes up to 9 bytes.
static inline uint8_t *put_number(uint8_t *p, int64_t v)
{
	uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); // zigzag
	unsigned bits = 64 - (unsigned)__builtin_clzll(u | 1), n = (bits * 37 + 222) >> 8; // (bits + 6) / 7 for bits <= 56
	if (bits > 56) {
		*p = 0;
		memcpy(p + 1, &u, 8);
		return p + 9;
	}
	u = (u << 1 | 1) << (n - 1);
	memcpy(p, &u, 8);
	return p + n;
}

static inline int64_t take_number(struct cursor *c)
{
	uint64_t u = 0;
	if (cursor_left(c) >= 8)
		memcpy(&u, c->p, 8);
	else
		memcpy(&u, c->p, cursor_left(c));
	unsigned n = (unsigned)__builtin_ctz((unsigned)(u & 255) | 256) + 1;
	const uint8_t *p = cursor_take_raw(c, n);
	if (!p)
		return 0;
	if (n == 9)
		memcpy(&u, p + 1, 8);
	else
		u = u << (64 - 8 * n) >> (64 - 7 * n);
	return (int64_t)(u >> 1 ^ (0 - (u & 1)));
}

static unsigned unit_of(int64_t *d)
{
	if (*d == 0)
		return 3;
	int64_t ms = *d / 1000;
	if (ms * 1000 != *d)
		return 0;
	*d = ms;
	int64_t s = ms / 1000;
	if (s * 1000 != ms)
		return 1;
	*d = s;
	return 2;
}

size_t group_put(uint8_t *out, struct group_state *st, const struct reading *r, int64_t arrival, unsigned mode,
                 int64_t scaled)
{
	uint8_t *p = out + 1;
	int64_t d = r->time - st->time;
	unsigned unit = unit_of(&d), tag = mode | unit << 3;
	if (arrival != st->arrival) {
		tag |= 0x80;
		p = put_number(p, arrival - st->arrival);
		st->arrival = arrival;
	}
	if (r->point != st->point + 1) {
		tag |= 0x20;
		p = put_number(p, (int64_t)r->point - (int64_t)st->point);
	}
	if (r->quality | r->flags) {
		tag |= 0x40;
		*p++ = (uint8_t)((r->quality & 15) | (unsigned)(r->flags & 15) << 4);
	}
	if (unit != 3)
		p = put_number(p, d);
	if (mode == CHUNK_XOR) {
		memcpy(p, &r->value, 8);
		p += 8;
	} else {
		p = put_number(p, scaled);
	}
	*out = (uint8_t)tag;
	st->point = r->point;
	st->time = r->time;
	return (size_t)(p - out);
}

void group_head(uint8_t *group, uint32_t length, uint32_t count, uint64_t first, int64_t arrival)
{
	uint32_t magic = MAGIC, none = 0; // both supported machines are little-endian
	memcpy(group, &magic, 4);
	memcpy(group + 4, &length, 4);
	memcpy(group + 8, &none, 4);
	memcpy(group + 12, &count, 4);
	memcpy(group + 16, &first, 8);
	memcpy(group + 24, &arrival, 8);
}

static uint32_t group_crc(const uint8_t *group, uint32_t length)
{
	return crc32c(crc32c(0, group, 8), group + 12, GROUP_HEAD - 12 + (size_t)length);
}

void group_seal(uint8_t *group)
{
	uint32_t length, crc;
	memcpy(&length, group + 4, 4);
	crc = group_crc(group, length);
	memcpy(group + 8, &crc, 4);
}

static bool all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

enum err group_open(struct str bytes, struct group *ret)
{
	*ret = (struct group){ 0 };
	if (bytes.n < GROUP_HEAD)
		return all_zero(bytes.p, bytes.n) ? ERR_NOT_FOUND : ERR_CORRUPT;
	struct cursor c = cursor_of(bytes);
	uint32_t magic = take_le32(&c), length = take_le32(&c), crc = take_le32(&c);
	if (magic != MAGIC)
		return all_zero(bytes.p, GROUP_HEAD) ? ERR_NOT_FOUND : ERR_CORRUPT;
	ret->count = ret->left = take_le32(&c);
	ret->first = take_le64(&c);
	ret->st = group_start((int64_t)take_le64(&c));
	ret->size = GROUP_HEAD + (size_t)length;
	if (length > GROUP_MAX || ret->size > bytes.n || !ret->count || ret->count > length || !ret->first ||
	    ret->first > UINT64_MAX / 2)
		return ERR_CORRUPT;
	if (group_crc((const uint8_t *)bytes.p, length) != crc)
		return ERR_CORRUPT;
	ret->c = cursor_of(take_str(&c, length));
	return OK;
}

static int64_t wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

bool group_next(struct group *g, struct reading *ret, int64_t *ret_arrival)
{
	if (!g->left || !cursor_ok(&g->c))
		return false;
	struct cursor *c = &g->c;
	unsigned tag = take_u8(c), mode = tag & 7, unit = tag >> 3 & 3;
	if (tag & 0x80)
		g->st.arrival = wrap_add(g->st.arrival, take_number(c));
	g->st.point += tag & 0x20 ? (uint32_t)take_number(c) : 1;
	unsigned q = tag & 0x40 ? take_u8(c) : 0;
	if (unit != 3)
		g->st.time = wrap_add(g->st.time, (int64_t)((uint64_t)take_number(c) * (uint64_t)UNIT[unit]));
	*ret = (struct reading){ .point = g->st.point, .quality = q & 15, .flags = (uint16_t)(q >> 4),
		.time = g->st.time };
	if (mode == CHUNK_XOR) {
		uint64_t bits = take_le64(c);
		memcpy(&ret->value, &bits, 8);
	} else {
		ret->value = (double)take_number(c) / SCALE[mode];
	}
	*ret_arrival = g->st.arrival;
	g->left--;
	c->failed |= !isfinite(ret->value) || (!g->left && cursor_left(c));
	return cursor_ok(c);
}
