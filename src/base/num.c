// Numbers with a fraction, read and printed without the locale. Reading has an exact fast path for what sensors send
// (W. D. Clinger, "How to read floating point numbers accurately", 1990: a significand below 2^53 and a power of ten
// up to 22 need one rounding only); the rest goes to the C library with the C locale. Pure functions, any thread.
#include "base/str.h"
#include "base/log.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_TEXT_MAX 1024 // bytes of a number that we are willing to read
#define EXACT_DIGITS_MAX (UINT64_C(1) << 53)
#define EXACT_TEXT_MAX 19 // digits, leading zeros among them, that 64 bits hold
#define EXACT_POWER_MAX 22

static const double POWER10[EXACT_POWER_MAX + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale) {
		log_die("base", "the C locale cannot be made");
	}
}

static double slow_f64(const char *text)
{
	pthread_once(&c_locale_once, make_c_locale);
	return strtod_l(text, NULL, c_locale);
}

static inline bool is_digit(char c)
{
	return (uint8_t)(c - '0') <= 9;
}

// Digits at p appended to *v, which wraps when there are more than 19 of them.
static inline const char *scan_digits(const char *p, const char *end, uint64_t *v)
{
	uint64_t x = *v;
	for (; p < end && is_digit(*p); p++) {
		x = x * 10 + (uint64_t)(*p - '0');
	}
	*v = x;
	return p;
}

static const char *scan_exponent(const char *p, const char *end, int *ret)
{
	bool minus = false;
	if (p < end && (*p == '+' || *p == '-')) {
		minus = *p++ == '-';
	}
	const char *first = p;
	int v = 0;
	for (; p < end && is_digit(*p); p++) {
		if (v < 100000) {
			v = v * 10 + (*p - '0');
		}
	}
	*ret = minus ? -v : v;
	return p == first ? NULL : p;
}

static __attribute__((noinline)) bool scan_slow(const char *p, size_t n, double *ret)
{
	char text[NUMBER_TEXT_MAX + 1];
	if (n > NUMBER_TEXT_MAX) {
		return false;
	}
	memcpy(text, p, n);
	text[n] = '\0';
	*ret = slow_f64(text);
	return true;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

// Eight digits, the first in the lowest byte, as values 0 to 9: pairs, then fours, then all (both machines are little-endian).
static inline uint64_t eight_digits(uint64_t v)
{
	v = v * 10 + (v >> 8);
	v = (v & UINT64_C(0x00ff00ff00ff00ff)) * (1 + (UINT64_C(100) << 16)) >> 16;
	return (v & UINT64_C(0x0000ffff0000ffff)) * (1 + (UINT64_C(10000) << 32)) >> 32;
}

// What most sensors send: a number that ends within eight bytes, without exponent; all eight are looked at at once. NULL: it
// is something else.
static inline const char *scan_short(const char *p, double *ret)
{
	uint64_t w;
	memcpy(&w, p, 8);
	uint64_t x = w ^ EACH_BYTE * '0';
	uint64_t others = (((x & EACH_BYTE * 0x7f) + EACH_BYTE * 0x76) | x) & EACH_BYTE * 0x80; // bytes that are no digits
	unsigned n = others ? (unsigned)__builtin_ctzll(others) / 8 : 8, end = n, decimals = 0;
	if (n == 0 || n == 8 || (p[0] == '0' && n > 1))
		return NULL;
	uint64_t before = (UINT64_C(1) << 8 * n) - 1;
	if (p[n] == '.') {
		others &= others - 1;
		end = others ? (unsigned)__builtin_ctzll(others) / 8 : 0;
		if (end < n + 2)
			return NULL;
		decimals = end - n - 1;
		n = end - 1;
		x = (x & before) | (x >> 8 & ~before);
	}
	if ((p[end] | 32) == 'e')
		return NULL;
	*ret = (double)eight_digits(x << 8 * (8 - n)) / POWER10[decimals];
	return p + end;
}

const char *f64_scan(const char *p, const char *end, double *ret)
{
	const char *start = p;
	bool minus = p < end && *p == '-';
	p += minus;
	const char *after = end - p >= 8 ? scan_short(p, ret) : NULL;
	if (after) {
		*ret = minus ? -*ret : *ret;
		return after;
	}
	uint64_t m = 0;
	int exponent = 0;
	const char *first = p;
	p = scan_digits(p, end, &m);
	ptrdiff_t digits = p - first;
	if (p == first || (*first == '0' && p - first > 1)) {
		return NULL; // no digit, or a leading zero
	}
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		p = scan_digits(p, end, &m);
		if (p == fraction) {
			return NULL;
		}
		digits += p - fraction;
		exponent = p - fraction > NUMBER_TEXT_MAX ? -NUMBER_TEXT_MAX : -(int)(p - fraction);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		int e;
		p = scan_exponent(p + 1, end, &e);
		if (!p) {
			return NULL;
		}
		exponent += e;
	}
	if (digits <= EXACT_TEXT_MAX && m <= EXACT_DIGITS_MAX && exponent >= -EXACT_POWER_MAX && exponent <= EXACT_POWER_MAX) {
		double v = (double)m;
		v = exponent < 0 ? v / POWER10[-exponent] : v * POWER10[exponent];
		*ret = minus ? -v : v;
		return p;
	}
	return scan_slow(start, (size_t)(p - start), ret) ? p : NULL;
}

bool str_to_f64(struct str s, double *ret)
{
	double v;
	const char *end = s.p + s.n;
	if (s.n == 0 || f64_scan(s.p, end, &v) != end || !isfinite(v)) {
		return false;
	}
	*ret = v;
	return true;
}

static size_t put_u64(uint64_t v, char *ret)
{
	char tmp[20];
	size_t n = 0;
	do {
		tmp[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	for (size_t i = 0; i < n; i++) {
		ret[i] = tmp[n - 1 - i];
	}
	return n;
}

#define PLAIN_DECIMALS_MAX 6 // decimals tried before the general way

// v = m / 10^decimals exactly as a reader would compute it: the text is m with a point.
static size_t put_decimal(uint64_t m, unsigned decimals, char *ret)
{
	char digits[24];
	size_t n = put_u64(m, digits), at = 0;
	if (n <= decimals) {
		ret[at++] = '0';
		ret[at++] = '.';
		for (size_t i = n; i < decimals; i++) {
			ret[at++] = '0';
		}
		memcpy(ret + at, digits, n);
		return at + n;
	}
	memcpy(ret, digits, n - decimals);
	at = n - decimals;
	if (decimals) {
		ret[at++] = '.';
		memcpy(ret + at, digits + n - decimals, decimals);
		at += decimals;
	}
	return at;
}

// The usual measurement: few decimals, at most 15 digits. 0 if v is not one.
static size_t plain_text(double v, char *ret)
{
	for (unsigned k = 0; k <= PLAIN_DECIMALS_MAX; k++) {
		double scaled = v * POWER10[k];
		if (scaled >= 1e15) {
			return 0;
		}
		uint64_t m = (uint64_t)(scaled + 0.5);
		if ((double)m / POWER10[k] == v) {
			return put_decimal(m, k, ret);
		}
	}
	return 0;
}

#define WIDE_MIN 0x1p-11
#define WIDE_MAX 1e15

// What the general way gives, for numbers of everyday size such as averages, whose digits do not end: v = m / 2^s exactly, so
// that m * 10^k fits 128 bits; it is rounded to 15, 16 or 17 digits (half to even), and read back when it is nearer to v than half
// the distance to v's neighbours. 0 if v is not of that size.
static size_t wide_text(double v, char *ret)
{
	int exponent;
	if (!(v >= WIDE_MIN && v < WIDE_MAX))
		return 0;
	uint64_t m = (uint64_t)ldexp(frexp(v, &exponent), 53), even = ~m & 1;
	unsigned s = (unsigned)(53 - exponent), whole = 0; // s: 3 to 63
	if (m == UINT64_C(1) << 52)
		return 0; // a power of two: its neighbour below is nearer
	while (v >= POWER10[whole])
		whole++;
	int first = (int)whole; // digits before the point
	while (first <= 0 && v < 1 / POWER10[1 - first])
		first--;
	for (int digits = 15; digits <= 17; digits++) {
		unsigned k = (unsigned)(digits - first);
		unsigned __int128 power = k > 19 ? (unsigned __int128)UINT64_C(10000000000000000000) * (uint64_t)POWER10[k - 19] : (uint64_t)POWER10[k];
		unsigned __int128 x = power * m, rest = x & (((unsigned __int128)1 << s) - 1), half = (unsigned __int128)1 << (s - 1);
		uint64_t d = (uint64_t)(x >> s);
		d += rest > half || (rest == half && (d & 1));
		unsigned __int128 back = (unsigned __int128)d << s, off = back > x ? back - x : x - back;
		if (digits < 17 && !(2 * off < power || (2 * off == power && even)))
			continue;
		for (; k && d % 10 == 0; k--)
			d /= 10;
		return put_decimal(d, k, ret);
	}
	return 0; // not reached
}

// 15 digits are enough for most doubles, 17 for all; below the normal range fewer may do.
static size_t general_text(double v, char *ret)
{
	int first = fabs(v) < 2.2250738585072014e-308 ? 1 : 15;
	for (int digits = first; digits <= 17; digits++) {
		pthread_once(&c_locale_once, make_c_locale);
		locale_t old = uselocale(c_locale);
		int n = snprintf(ret, F64_TEXT_MAX, "%.*g", digits, v);
		uselocale(old);
		if (digits == 17 || slow_f64(ret) == v) {
			return (size_t)n;
		}
	}
	return 0; // not reached
}

size_t f64_text(double v, char *ret)
{
	if (!isfinite(v)) {
		memcpy(ret, "null", 4);
		return 4;
	}
	size_t sign = signbit(v) ? 1 : 0;
	if (sign) {
		ret[0] = '-';
	}
	char tmp[F64_TEXT_MAX];
	double a = fabs(v);
	size_t n = plain_text(a, tmp);
	if (!n) {
		n = wide_text(a, tmp);
	}
	if (!n) {
		n = general_text(a, tmp);
	}
	n = MIN(n, (size_t)F64_TEXT_MAX - sign);
	memcpy(ret + sign, tmp, n);
	return n + sign;
}
