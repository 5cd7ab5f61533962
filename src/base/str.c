// Slices of bytes: comparing, cutting, UTF-8, hex and whole numbers. Pure functions, any thread. Numbers with a
// fraction are in num.c.
#include "base/str.h"

struct str str_of(const char *cstr)
{
	return cstr ? (struct str){ cstr, strlen(cstr) } : STR_EMPTY;
}

static inline uint8_t lower(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i])) {
			return false;
		}
	}
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int c = n ? memcmp(a.p, b.p, n) : 0;
	if (c) {
		return c;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

bool str_contains(struct str s, struct str needle)
{
	return needle.n == 0 || (s.n > 0 && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1])) {
		s.n--;
	}
	return str_from(s.p, s.n);
}

struct str str_skip(struct str s, size_t n)
{
	n = MIN(n, s.n);
	return n ? str_from(s.p + n, s.n - n) : str_from(s.p, s.n);
}

struct str str_first(struct str s, size_t n)
{
	return str_from(s.p, MIN(n, s.n));
}

struct str str_cut(struct str *s, char sep)
{
	const char *at = s->n ? memchr(s->p, sep, s->n) : NULL;
	if (!at) {
		struct str all = *s;
		*s = STR_EMPTY;
		return all;
	}
	size_t n = (size_t)(at - s->p);
	struct str head = str_from(s->p, n);
	*s = str_skip(*s, n + 1);
	return head;
}

// FNV-1a, 64 bits.
uint64_t str_hash(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < s.n; i++) {
		h = (h ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
	}
	return h;
}

// Bytes of the well-formed sequence at p (RFC 3629, table of section 4), 0 if there is none.
size_t utf8_sequence(const uint8_t *p, size_t n)
{
	uint8_t c = p[0];
	if (c < 0x80) {
		return 1;
	}
	if (c < 0xc2 || c > 0xf4) {
		return 0;
	}
	size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n < len) {
		return 0;
	}
	uint8_t lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	uint8_t hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < lo || p[1] > hi) {
		return 0;
	}
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return len;
}

bool str_utf8_valid(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	while (p < end) {
		if (end - p >= 8) {
			uint64_t w;
			memcpy(&w, p, 8);
			if (!(w & UINT64_C(0x8080808080808080))) {
				p += 8;
				continue;
			}
		}
		size_t len = utf8_sequence(p, (size_t)(end - p));
		if (!len) {
			return false;
		}
		p += len;
	}
	return true;
}

size_t str_utf8_len(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
	}
	return n;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	if (s.n == 0) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		uint8_t d = (uint8_t)(s.p[i] - '0');
		if (d > 9 || __builtin_mul_overflow(v, UINT64_C(10), &v) || __builtin_add_overflow(v, d, &v)) {
			return false;
		}
	}
	*ret = v;
	return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t v;
	if (!str_to_u64(minus ? str_skip(s, 1) : s, &v) || v > (uint64_t)INT64_MAX + minus) {
		return false;
	}
	*ret = (int64_t)(minus ? 0 - v : v);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_from_hex(struct str s, uint8_t *ret, size_t n)
{
	if (s.n / 2 != n || s.n % 2) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s.p[2 * i]), lo = hex_digit(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0) {
			return false;
		}
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void str_to_hex(const uint8_t *p, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
}

// Letters to change, add, take away or swap with the next (optimal string alignment), or a big number for long words.
static unsigned distance(struct str a, struct str b)
{
	enum { LONGEST = 48 };
	unsigned rows[3][LONGEST + 1];
	if (a.n > LONGEST || b.n > LONGEST)
		return LONGEST;
	for (unsigned j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			unsigned best = MIN(above[j], row[j - 1]) + 1;
			best = MIN(best, above[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				best = MIN(best, before[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[a.n % 3][b.n];
}

int str_nearest(struct str word, const struct str *names, size_t n)
{
	unsigned best = (unsigned)(word.n < 4 ? 1 : word.n < 8 ? 2 : 3) + 1;
	int near = -1;
	for (size_t i = 0; i < n; i++) {
		unsigned far = distance(word, names[i]);
		if (far < best) {
			best = far;
			near = (int)i;
		}
	}
	return near;
}
