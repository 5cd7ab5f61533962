// Working days: Monday to Friday, less the public holidays, plus the days worked instead (调休上班), as the calendars of
// the packs say. Days are counted from 1970-01-01 in the site's zone. Pure; any thread.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct workdays {           // made by model/, immutable
	const int *years;       // years there is a calendar for; of other years: Monday to Friday
	size_t nyears;
	const int64_t *holidays; // days, rising
	size_t nholidays;
	const int64_t *extra;   // Saturdays and Sundays that are worked, rising
	size_t nextra;
};

int64_t day_of(int64_t us);             // the local day of a moment
int64_t day_start(int64_t day);         // its first moment, us
int64_t day_end(int64_t day);           // 23:59:59 of it: what "until that day" means, us
int day_weekday(int64_t day);           // 1 = Monday … 7 = Sunday
int day_year(int64_t day);
bool day_parse(struct str s, int64_t *ret); // "2026-10-01"

bool workdays_knows(const struct workdays *w, int year); // is there a calendar for it?
bool workday_is(const struct workdays *w, int64_t day);
// The n-th working day after the day (n < 0: before it); the day itself for 0. |n| at most 10 000.
int64_t workday_step(const struct workdays *w, int64_t day, int n);
// The end of n working days from a moment: the day it begins on does not count and the last one counts to its end
// (民法典 第二百零一条、第二百零三条). n from 1.
int64_t workday_end(const struct workdays *w, int64_t from, int n);
