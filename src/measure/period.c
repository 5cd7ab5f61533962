// Periods of the calendar, in the site's zone. Pure.
#include "base/time.h"
#include "measure/measure_int.h"

static int64_t day_start(int year, int month, int day)
{
	return time_from_civil((struct civil){ .year = year, .month = month, .day = day }, time_zone());
}

// Sets from, to and name of a period whose kind, year and sub stand.
static void finish(struct period *p, struct arena *a)
{
	int y = p->year;
	int64_t begin = 0, end = 0;
	switch (p->kind) {
	case PERIOD_YEAR:
		begin = day_start(y, 1, 1);
		end = day_start(y + 1, 1, 1);
		p->name = arena_printf(a, "%04d", y);
		break;
	case PERIOD_QUARTER:
		begin = day_start(y, p->sub * 3 - 2, 1);
		end = p->sub == 4 ? day_start(y + 1, 1, 1) : day_start(y, p->sub * 3 + 1, 1);
		p->name = arena_printf(a, "%04d-Q%d", y, p->sub);
		break;
	case PERIOD_MONTH:
		begin = day_start(y, p->sub, 1);
		end = p->sub == 12 ? day_start(y + 1, 1, 1) : day_start(y, p->sub + 1, 1);
		p->name = arena_printf(a, "%04d-%02d", y, p->sub);
		break;
	case PERIOD_DAY: {
		begin = day_start(y, 1, 1) + (p->sub - 1) * US_PER_DAY;
		end = begin + US_PER_DAY;
		struct civil c = time_to_civil(begin, time_zone());
		p->name = arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
		break;
	}
	}
	p->from = p->ytd ? day_start(y, 1, 1) : begin;
	p->to = end;
}

static int day_of_year(int64_t us, int year)
{
	return (int)((us - day_start(year, 1, 1)) / US_PER_DAY) + 1;
}

struct period period_at(enum period_kind kind, int64_t us, bool ytd, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	struct period p = { .kind = kind, .ytd = ytd, .year = c.year };
	p.sub = kind == PERIOD_QUARTER ? (c.month + 2) / 3 : kind == PERIOD_MONTH ? c.month : kind == PERIOD_DAY ? day_of_year(us, c.year) : 0;
	finish(&p, a);
	return p;
}

struct period period_back(const struct period *p, int n, struct arena *a)
{
	struct period b = *p;
	int per_year = p->kind == PERIOD_QUARTER ? 4 : 12;
	if (p->kind == PERIOD_DAY)
		return period_at(PERIOD_DAY, day_start(p->year, 1, 1) + (p->sub - 1 - (int64_t)n) * US_PER_DAY, p->ytd, a);
	if (p->kind == PERIOD_YEAR) {
		b.year -= n;
	} else {
		int all = p->year * per_year + p->sub - 1 - n;
		b.year = all / per_year;
		b.sub = all % per_year + 1;
	}
	finish(&b, a);
	return b;
}

bool period_parse(struct str text, bool ytd, struct arena *a, struct period *ret)
{
	struct str rest = text, year = str_cut(&rest, '-'), second = str_cut(&rest, '-');
	uint64_t y, s, day;
	*ret = (struct period){ .kind = PERIOD_YEAR, .ytd = ytd };
	if (year.n != 4 || !str_to_u64(year, &y) || y < 1900 || y > 2200)
		return false;
	ret->year = (int)y;
	if (second.n == 2 && second.p[0] == 'Q') {
		ret->kind = PERIOD_QUARTER;
		ret->sub = second.p[1] - '0';
		if (ret->sub < 1 || ret->sub > 4 || rest.n)
			return false;
	} else if (second.n) {
		if (second.n != 2 || !str_to_u64(second, &s) || s < 1 || s > 12)
			return false;
		ret->kind = PERIOD_MONTH;
		ret->sub = (int)s;
		if (rest.n) {
			struct civil c = { .year = (int)y, .month = (int)s };
			if (rest.n != 2 || !str_to_u64(rest, &day) || (c.day = (int)day, !civil_valid(c)))
				return false;
			ret->kind = PERIOD_DAY;
			ret->sub = day_of_year(day_start((int)y, (int)s, (int)day), (int)y);
		}
	} else if (text.n != 4) {
		return false;
	}
	finish(ret, a);
	return true;
}
