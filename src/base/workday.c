// Working days between holidays. Called by model/ (calendars) and flow/ (deadlines, schedules). Pure; any thread.
#include "base/workday.h"

#include "base/time.h"

#define STEPS_MAX 10000

int64_t day_of(int64_t us)
{
	int64_t local = us + time_zone() * US_PER_MIN;
	return local / US_PER_DAY - (local % US_PER_DAY < 0);
}

int64_t day_start(int64_t day) { return day * US_PER_DAY - time_zone() * US_PER_MIN; }

int64_t day_end(int64_t day) { return day_start(day + 1) - US_PER_S; }

int day_weekday(int64_t day)
{
	int64_t since = (day + 3) % 7; // 1970-01-01 was a Thursday
	return (int)(since < 0 ? since + 7 : since) + 1;
}

int day_year(int64_t day) { return time_to_civil(day * US_PER_DAY, 0).year; }

bool day_parse(struct str s, int64_t *ret)
{
	int64_t y, m, d;
	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !str_to_i64(str_first(s, 4), &y) ||
	    !str_to_i64(str_first(str_skip(s, 5), 2), &m) || !str_to_i64(str_skip(s, 8), &d))
		return false;
	struct civil c = { .year = (int)y, .month = (int)m, .day = (int)d };
	if (y < 1 || !civil_valid(c))
		return false;
	*ret = time_from_civil(c, 0) / US_PER_DAY;
	return true;
}

static bool listed(const int64_t *v, size_t n, int64_t day)
{
	size_t lo = 0;
	while (n > lo) {
		size_t mid = lo + (n - lo) / 2;
		if (v[mid] == day)
			return true;
		if (v[mid] < day)
			lo = mid + 1;
		else
			n = mid;
	}
	return false;
}

bool workdays_knows(const struct workdays *w, int year)
{
	for (size_t i = 0; i < w->nyears; i++)
		if (w->years[i] == year)
			return true;
	return false;
}

bool workday_is(const struct workdays *w, int64_t day)
{
	if (day_weekday(day) > 5)
		return listed(w->extra, w->nextra, day);
	return !listed(w->holidays, w->nholidays, day);
}

int64_t workday_step(const struct workdays *w, int64_t day, int n)
{
	int way = n < 0 ? -1 : 1;
	for (int left = MIN(n < 0 ? -n : n, STEPS_MAX); left > 0;) {
		day += way;
		left -= workday_is(w, day);
	}
	return day;
}

int64_t workday_end(const struct workdays *w, int64_t from, int n)
{
	return day_end(workday_step(w, day_of(from), n));
}
