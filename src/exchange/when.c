// See when.h. Any thread.
#include "exchange/when.h"

#include <math.h>

#include "base/arena.h"

#define SERIAL_MIN 61.0
#define SERIAL_MAX 2958466.0
#define SERIAL_1970 25569

bool when_from_serial(double serial, struct when *ret)
{
	if (!(serial >= SERIAL_MIN) || !(serial < SERIAL_MAX))
		return false;
	int64_t ms = (int64_t)llround((serial - SERIAL_1970) * 86400000.0);
	*ret = (struct when){ .civil = time_to_civil(ms * US_PER_MS, 0) };
	ret->has_time = ret->civil.hour || ret->civil.min || ret->civil.sec || ret->civil.us;
	return true;
}

static bool take_number(struct str *s, size_t most, int *ret)
{
	size_t n = 0;
	*ret = 0;
	while (n < s->n && n < most && s->p[n] >= '0' && s->p[n] <= '9')
		*ret = *ret * 10 + (s->p[n++] - '0');
	*s = str_skip(*s, n);
	return n > 0;
}

static bool take_word(struct str *s, const char *word)
{
	bool there = str_starts(*s, str_of(word));
	if (there)
		*s = str_skip(*s, strlen(word));
	return there;
}

static void skip_blanks(struct str *s)
{
	*s = str_trim(*s);
}

static bool take_date(struct str *s, struct civil *c)
{
	static const char *const separators[] = { "-", "/", "." };
	if (!take_number(s, 4, &c->year))
		return false;
	if (take_word(s, "年")) {
		skip_blanks(s);
		if (!take_number(s, 2, &c->month) || !take_word(s, "月"))
			return false;
		skip_blanks(s);
		bool day = take_number(s, 2, &c->day);
		(void)(take_word(s, "日") || take_word(s, "号"));
		return day;
	}
	for (size_t i = 0; i < ARRAY_LEN(separators); i++)
		if (take_word(s, separators[i]))
			return take_number(s, 2, &c->month) && take_word(s, separators[i]) && take_number(s, 2, &c->day);
	return take_number(s, 2, &c->month) && take_number(s, 2, &c->day);
}

static bool take_clock(struct str *s, struct civil *c)
{
	if (!take_number(s, 2, &c->hour))
		return false;
	if (take_word(s, "时") || take_word(s, "点")) {
		if (take_number(s, 2, &c->min) && !take_word(s, "分"))
			return false;
		if (take_number(s, 2, &c->sec))
			(void)take_word(s, "秒");
		return true;
	}
	if (!take_word(s, ":") || !take_number(s, 2, &c->min))
		return false;
	return !take_word(s, ":") || take_number(s, 2, &c->sec);
}

bool when_from_text(struct str s, struct when *ret)
{
	*ret = (struct when){ .has_time = false };
	s = str_trim(s);
	struct str whole = s;
	if (!take_date(&s, &ret->civil))
		return false;
	bool gap = take_word(&s, "T") || s.n == 0 || s.p[0] == ' ' || s.p[0] == '\t' || str_ends(str_first(whole, whole.n - s.n), STR("日"));
	skip_blanks(&s);
	if (s.n) {
		ret->has_time = true;
		if (!gap || !take_clock(&s, &ret->civil))
			return false;
	}
	return s.n == 0 && ret->civil.year >= 1900 && civil_valid(ret->civil);
}

struct str when_text(const struct when *w, struct arena *a)
{
	const struct civil *c = &w->civil;
	if (!w->has_time)
		return arena_printf(a, "%04d-%02d-%02d", c->year, c->month, c->day);
	return arena_printf(a, "%04d-%02d-%02d %02d:%02d:%02d", c->year, c->month, c->day, c->hour, c->min, c->sec);
}
