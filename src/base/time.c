// Time text and the clock. Pure functions but for the clock; any thread. Days are counted with H. Hinnant's
// proleptic Gregorian arithmetic (years begin in March, so that the leap day is the last of its year).
#include "base/time.h"

#include <stdatomic.h>
#include <time.h>

#define DAYS_TO_1970 719468 // from 0000-03-01

static _Atomic int64_t fake_now;
static int zone_min = 8 * 60;

int64_t clock_now(void)
{
	int64_t fake = atomic_load_explicit(&fake_now, memory_order_relaxed);
	if (fake) {
		return fake;
	}
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_mono(void)
{
	int64_t fake = atomic_load_explicit(&fake_now, memory_order_relaxed);
	if (fake) {
		return fake;
	}
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

void clock_set_fake(int64_t now_us)
{
	atomic_store(&fake_now, now_us);
}

void time_set_zone(int offset_min)
{
	zone_min = offset_min;
}

int time_zone(void)
{
	return zone_min;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool civil_valid(struct civil c)
{
	return c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= month_days(c.year, c.month) && c.hour >= 0 &&
	       c.hour < 24 && c.min >= 0 && c.min < 60 && c.sec >= 0 && c.sec < 60 && c.us >= 0 && c.us < 1000000;
}

static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153u * (unsigned)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (unsigned)day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - DAYS_TO_1970;
}

int64_t time_from_civil(struct civil c, int offset_min)
{
	int64_t days = days_from_civil(c.year, c.month, c.day);
	int64_t s = days * 86400 + c.hour * 3600 + c.min * 60 + c.sec - (int64_t)offset_min * 60;
	return s * US_PER_S + c.us;
}

struct civil time_to_civil(int64_t us, int offset_min)
{
	int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
	rest += (int64_t)offset_min * US_PER_MIN; // after the division: no overflow near the ends
	int64_t carry = rest / US_PER_DAY;
	rest -= carry * US_PER_DAY;
	if (rest < 0) {
		rest += US_PER_DAY;
		carry--;
	}
	days += carry + DAYS_TO_1970;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned doe = (unsigned)(days - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	struct civil c;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (int)((int64_t)yoe + era * 400) + (c.month <= 2);
	c.us = (int)(rest % US_PER_S);
	int s = (int)(rest / US_PER_S);
	c.hour = s / 3600;
	c.min = s / 60 % 60;
	c.sec = s % 60;
	return c;
}

// Two digits; *bad collects whether any was none.
static inline int two(const char *p, unsigned *bad)
{
	unsigned a = (unsigned)(uint8_t)(p[0] - '0'), b = (unsigned)(uint8_t)(p[1] - '0');
	*bad |= (a > 9) | (b > 9);
	return (int)(a * 10 + b);
}

static inline bool digit(char c)
{
	return (uint8_t)(c - '0') <= 9;
}

// .digits, cut to microseconds. NULL: a point without digits.
static inline const char *take_fraction(const char *p, const char *end, int *ret_us)
{
	static const int scale[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
	int v = 0, n = 0;
	for (; p < end && digit(*p); p++) {
		if (n < 6) {
			v = v * 10 + (*p - '0');
			n++;
		}
	}
	*ret_us = v * scale[n];
	return n ? p : NULL;
}

// "2026-11-22T08:00:00": 19 bytes at p. The separators are checked by the caller's choice of between.
static bool take_civil(const char *p, struct civil *c)
{
	unsigned bad = 0;
	c->year = two(p, &bad) * 100 + two(p + 2, &bad);
	c->month = two(p + 5, &bad);
	c->day = two(p + 8, &bad);
	c->hour = two(p + 11, &bad);
	c->min = two(p + 14, &bad);
	c->sec = two(p + 17, &bad);
	c->us = 0;
	bad |= (p[4] != '-') | (p[7] != '-') | (p[13] != ':') | (p[16] != ':');
	return !bad && civil_valid(*c);
}

#define SECOND_TEXT 19 // bytes of "2026-11-22T08:00:00"

// The seconds since 1970 that this text would be in UTC. Readings of one message mostly share it: the last one is
// remembered by its bytes, in each thread.
static bool take_second(const char *p, int64_t *ret_s)
{
	static _Thread_local struct {
		char text[SECOND_TEXT];
		int64_t s;
	} last = { "1970-01-01T00:00:00", 0 };
	if (memcmp(p, last.text, SECOND_TEXT) != 0) {
		struct civil c;
		if ((p[10] != 'T' && p[10] != 't' && p[10] != ' ') || !take_civil(p, &c)) {
			return false;
		}
		last.s = time_from_civil(c, 0) / US_PER_S;
		memcpy(last.text, p, SECOND_TEXT);
	}
	*ret_s = last.s;
	return true;
}

// "Z" or "+08:00" at p, in minutes.
static inline const char *take_offset(const char *p, const char *end, int *ret_min)
{
	if (p < end && (*p == 'Z' || *p == 'z')) {
		*ret_min = 0;
		return p + 1;
	}
	if (end - p < 6 || (*p != '+' && *p != '-') || p[3] != ':') {
		return NULL;
	}
	unsigned bad = 0;
	int h = two(p + 1, &bad), m = two(p + 4, &bad);
	*ret_min = *p == '-' ? -(h * 60 + m) : h * 60 + m;
	return !bad && h < 24 && m < 60 ? p + 6 : NULL;
}

const char *time_scan(const char *p, const char *end, int64_t *ret_us)
{
	int64_t s;
	int us = 0, offset;
	if (end - p <= SECOND_TEXT || !take_second(p, &s)) {
		return NULL;
	}
	p += SECOND_TEXT;
	if (*p == '.') {
		p = take_fraction(p + 1, end, &us);
	}
	p = p ? take_offset(p, end, &offset) : NULL;
	if (!p) {
		return NULL;
	}
	*ret_us = (s - (int64_t)offset * 60) * US_PER_S + us;
	return p;
}

bool time_parse(struct str s, int64_t *ret_us)
{
	const char *end = s.p + s.n;
	int64_t us;
	if (time_scan(s.p, end, &us) != end) {
		return false;
	}
	*ret_us = us;
	return true;
}

static bool parse_compact(struct str s, struct civil *c)
{
	unsigned bad = 0;
	const char *p = s.p;
	c->year = two(p, &bad) * 100 + two(p + 2, &bad);
	c->month = two(p + 4, &bad);
	c->day = two(p + 6, &bad);
	c->hour = two(p + 8, &bad);
	c->min = two(p + 10, &bad);
	c->sec = two(p + 12, &bad);
	c->us = 0;
	if (s.n == 17) {
		unsigned ones = (unsigned)(uint8_t)(p[16] - '0');
		c->us = (two(p + 14, &bad) * 10 + (int)ones) * 1000;
		bad |= ones > 9;
	}
	return !bad && civil_valid(*c);
}

bool time_parse_local(struct str s, int offset_min, int64_t *ret_us)
{
	struct civil c;
	if (s.n == 14 || s.n == 17) {
		if (!parse_compact(s, &c)) {
			return false;
		}
	} else {
		if (s.n < 19 || !take_civil(s.p, &c) || (s.p[10] != ' ' && s.p[10] != 'T')) {
			return false;
		}
		const char *end = s.p + s.n;
		if (s.n > 19 && (s.p[19] != '.' || take_fraction(s.p + 20, end, &c.us) != end)) {
			return false;
		}
	}
	*ret_us = time_from_civil(c, offset_min);
	return true;
}

static char *put_digits(char *p, unsigned v, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + n;
}

static char *put_zone(char *p, int offset_min)
{
	if (offset_min == 0) {
		*p++ = 'Z';
		return p;
	}
	unsigned m = (unsigned)(offset_min < 0 ? -offset_min : offset_min);
	*p++ = offset_min < 0 ? '-' : '+';
	p = put_digits(p, m / 60, 2);
	*p++ = ':';
	return put_digits(p, m % 60, 2);
}

size_t time_text_zone(int64_t us, int offset_min, char *ret)
{
	struct civil c = time_to_civil(us, offset_min);
	char *p = ret;
	if (c.year < 0) {
		*p++ = '-';
		c.year = -c.year;
	}
	p = put_digits(p, (unsigned)c.year, c.year > 9999 ? 6 : 4);
	*p++ = '-';
	p = put_digits(p, (unsigned)c.month, 2);
	*p++ = '-';
	p = put_digits(p, (unsigned)c.day, 2);
	*p++ = 'T';
	p = put_digits(p, (unsigned)c.hour, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)c.min, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)c.sec, 2);
	if (c.us) {
		*p++ = '.';
		p = c.us % 1000 ? put_digits(p, (unsigned)c.us, 6) : put_digits(p, (unsigned)c.us / 1000, 3);
	}
	p = put_zone(p, offset_min);
	return (size_t)(p - ret);
}

size_t time_text(int64_t us, char *ret)
{
	return time_text_zone(us, zone_min, ret);
}

bool duration_parse(struct str s, int64_t *ret_us)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = { { "y", 365 * US_PER_DAY },
		      { "d", US_PER_DAY },
		      { "h", US_PER_HOUR },
		      { "min", US_PER_MIN },
		      { "s", US_PER_S },
		      { "ms", US_PER_MS } };
	size_t n = 0;
	while (n < s.n && digit(s.p[n])) {
		n++;
	}
	int64_t v;
	if (!str_to_i64(str_first(s, n), &v)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (str_is(str_skip(s, n), units[i].name)) {
			return !__builtin_mul_overflow(v, units[i].us, ret_us);
		}
	}
	return false;
}
