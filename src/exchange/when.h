// Dates and times as people and spreadsheets write them. Pure.
#pragma once

#include "base/time.h"

struct arena;

struct when {
	struct civil civil;     // hour 0 if has_time is false
	bool has_time;
};

// Days since 1899-12-30 with a fraction of the day, from 1900-03-01 (before it Excel counts a day that never was) to
// 9999-12-31. Rounded to the millisecond.
bool when_from_serial(double serial, struct when *ret);
// 2026-11-22, 2026/11/22, 2026.11.22, 2026年11月22日, 20261122; with a time behind: 8:30, 08:30:15, 8时30分.
bool when_from_text(struct str s, struct when *ret);
struct str when_text(const struct when *w, struct arena *a); // "2026-11-22" or "2026-11-22 08:30:00"
