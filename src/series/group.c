#include "series/group.h"

#include <math.h>

#include "base/hash.h"
#include "series/chunk.h"

#define MAGIC 0x474c4e41u // "ANLG"

static const double SCALE[7] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
static const int64_t UNIT[4] = { 1, 1000, 1000000, 0 };

static uint8_t *put_varint(uint8_t *p, uint64_t u)
{
	while (u >= 0x80) {
		*p++ = (uint8_t)(u | 0x80);
		u >>= 7;
	}
	*p++ = (uint8_t)u;
	return p;
}

static uint8_t *put_zigzag(uint8_t *p, int64_t v)
{
	return put_varint(p, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
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
		p = put_zigzag(p, arrival - st->arrival);
		st->arrival = arrival;
	}
	if (r->point != st->point + 1) {
		tag |= 0x20;
		p = put_zigzag(p, (int64_t)r->point - (int64_t)st->point);
	}
	if (r->quality | r->flags) {
		tag |= 0x40;
		*p++ = (uint8_t)((r->quality & 15) | (unsigned)(r->flags & 15) << 4);
	}
	if (unit != 3)
		p = put_zigzag(p, d);
	if (mode == CHUNK_XOR) {
		memcpy(p, &r->value, 8);
		p += 8;
	} else {
		p = put_zigzag(p, scaled);
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
		g->st.arrival = wrap_add(g->st.arrival, take_zigzag(c));
	g->st.point += tag & 0x20 ? (uint32_t)take_zigzag(c) : 1;
	unsigned q = tag & 0x40 ? take_u8(c) : 0;
	if (unit != 3)
		g->st.time = wrap_add(g->st.time, (int64_t)((uint64_t)take_zigzag(c) * (uint64_t)UNIT[unit]));
	*ret = (struct reading){ .point = g->st.point, .quality = q & 15, .flags = (uint16_t)(q >> 4),
		.time = g->st.time };
	if (mode == CHUNK_XOR) {
		uint64_t bits = take_le64(c);
		memcpy(&ret->value, &bits, 8);
	} else {
		ret->value = (double)take_zigzag(c) / SCALE[mode];
	}
	*ret_arrival = g->st.arrival;
	g->left--;
	c->failed |= !isfinite(ret->value) || (!g->left && cursor_left(c));
	return cursor_ok(c);
}
