#include "series/roll.h"

#include <math.h>

#include "base/cursor.h"
#include "series/chunk.h"

#define VERSION 1u

// ---- sums ----

void exact_add(struct exact *e, double x)
{
	unsigned n = 0;
	for (unsigned i = 0; i < e->n; i++) {
		double y = e->part[i], big = fabs(x) < fabs(y) ? y : x, small = fabs(x) < fabs(y) ? x : y;
		double high = big + small, low = small - (high - big);
		if (low != 0 && isfinite(high))
			e->part[n++] = low;
		x = high;
	}
	if (!isfinite(x))
		n = 0; // nothing can be added to it any more
	if (x != 0 || n == 0)
		e->part[n++] = x;
	e->n = n;
}

double exact_value(const struct exact *e)
{
	if (!e->n)
		return 0;
	unsigned i = e->n - 1;
	double high = e->part[i], low = 0;
	while (i > 0 && low == 0) {
		double before = high, next = e->part[--i];
		high = before + next;
		low = next - (high - before);
	}
	// halfway, and what is left below says to which side
	if (i > 0 && ((low < 0 && e->part[i - 1] < 0) || (low > 0 && e->part[i - 1] > 0))) {
		double twice = low * 2, rounded = high + twice;
		if (twice == rounded - high)
			high = rounded;
	}
	return high;
}

// ---- one roll-up ----

void roll_add(struct roll *r, const struct sample *x)
{
	r->count[MIN(x->quality, (uint16_t)Q_BAD)]++;
	if (x->quality > Q_RANGE)
		return;
	if (!r->usable++) {
		r->min = r->max = r->first = x->value;
	} else {
		r->min = MIN(r->min, x->value);
		r->max = MAX(r->max, x->value);
	}
	r->last = x->value;
	exact_add(&r->sum, x->value);
}

void roll_merge(struct roll *r, const struct roll *later)
{
	for (size_t i = 0; i < Q__MAX; i++)
		r->count[i] += later->count[i];
	if (!later->usable)
		return;
	r->first = r->usable ? r->first : later->first;
	r->min = r->usable ? MIN(r->min, later->min) : later->min;
	r->max = r->usable ? MAX(r->max, later->max) : later->max;
	r->last = later->last;
	r->usable += later->usable;
	for (unsigned i = 0; i < later->sum.n; i++)
		exact_add(&r->sum, later->sum.part[i]);
}

// ---- the row of a day ----

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_u8(b, (uint8_t)(v | 0x80));
	buf_add_u8(b, (uint8_t)v);
}

static void put_zigzag(struct buf *b, int64_t v)
{
	put_varint(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_double(struct buf *b, double v)
{
	uint64_t u;
	memcpy(&u, &v, sizeof(u));
	buf_add_le64(b, u);
}

static double take_double(struct cursor *c)
{
	uint64_t u = take_le64(c);
	double v;
	memcpy(&v, &u, sizeof(v));
	return v;
}

static void put_values(struct buf *b, const double v[4])
{
	int64_t scaled[4] = { 0 };
	unsigned mode = 0;
	for (size_t i = 0; i < 4 && mode < CHUNK_XOR;)
		if (chunk_decimal(v[i], mode, &scaled[i])) {
			i++;
		} else {
			mode++;
			i = 0;
		}
	buf_add_u8(b, (uint8_t)mode);
	for (size_t i = 0; i < 4; i++)
		if (mode == CHUNK_XOR)
			put_double(b, v[i]);
		else
			put_zigzag(b, i ? scaled[i] - scaled[0] : scaled[0]);
}

static bool take_values(struct cursor *c, double v[4])
{
	unsigned mode = take_u8(c);
	int64_t first = 0;
	for (size_t i = 0; i < 4; i++) {
		int64_t x = mode < CHUNK_XOR ? take_zigzag(c) : 0;
		v[i] = mode == CHUNK_XOR ? take_double(c) : 0;
		if (mode < CHUNK_XOR) {
			x = i ? (int64_t)((uint64_t)x + (uint64_t)first) : x;
			first = i ? first : x;
			v[i] = chunk_undecimal(x, mode);
		}
	}
	return mode <= CHUNK_XOR && cursor_ok(c);
}

static void put_hour(struct buf *b, const struct roll *r)
{
	unsigned mask = 0;
	for (unsigned i = 0; i < Q__MAX; i++)
		mask |= (r->count[i] != 0) << i;
	buf_add_u8(b, (uint8_t)mask);
	for (unsigned i = 0; i < Q__MAX; i++)
		if (r->count[i])
			put_varint(b, r->count[i]);
	if (!r->usable)
		return;
	put_values(b, (double[]){ r->first, r->min, r->max, r->last });
	buf_add_u8(b, (uint8_t)r->sum.n);
	for (unsigned i = 0; i < r->sum.n; i++)
		put_double(b, r->sum.part[i]);
}

static bool take_hour(struct cursor *c, struct roll *r)
{
	unsigned mask = take_u8(c);
	double v[4];
	*r = (struct roll){ 0 };
	for (unsigned i = 0; i < Q__MAX; i++)
		if (mask >> i & 1) {
			r->count[i] = (uint32_t)take_varint(c);
			r->usable += i <= Q_RANGE ? r->count[i] : 0;
		}
	if (!mask || mask >> Q__MAX || !cursor_ok(c))
		return false;
	if (!r->usable)
		return true;
	if (!take_values(c, v))
		return false;
	r->first = v[0];
	r->min = v[1];
	r->max = v[2];
	r->last = v[3];
	r->sum.n = take_u8(c);
	if (r->sum.n > SUM_PARTS)
		return false;
	for (unsigned i = 0; i < r->sum.n; i++)
		r->sum.part[i] = take_double(c);
	return cursor_ok(c);
}

void roll_day_write(const struct roll_day *d, struct buf *out)
{
	uint32_t mask = 0;
	for (unsigned h = 0; h < 24; h++)
		mask |= (uint32_t)!roll_empty(&d->hour[h]) << h;
	buf_add_u8(out, VERSION);
	put_varint(out, (uint64_t)d->newest);
	buf_add_le16(out, (uint16_t)mask);
	buf_add_u8(out, (uint8_t)(mask >> 16));
	for (unsigned h = 0; h < 24; h++)
		if (mask >> h & 1)
			put_hour(out, &d->hour[h]);
}

bool roll_day_read(struct str bytes, struct roll_day *ret)
{
	struct cursor c = cursor_of(bytes);
	memset(ret, 0, sizeof(*ret));
	if (take_u8(&c) != VERSION)
		return false;
	ret->newest = (int64_t)take_varint(&c);
	uint32_t mask = take_le16(&c);
	mask |= (uint32_t)take_u8(&c) << 16;
	for (unsigned h = 0; h < 24; h++)
		if (mask >> h & 1 && !take_hour(&c, &ret->hour[h]))
			return false;
	return cursor_done(&c) && ret->newest >= 0 && ret->newest < US_PER_DAY;
}
