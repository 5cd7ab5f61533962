// Time: UTC microseconds inside, RFC 3339 outside, one clock that tests can set. The site's zone is a fixed
// offset (China has one zone and no daylight saving): +08:00 unless configured.
#pragma once

#include "base/base.h"
#include "base/str.h"

int64_t clock_now(void);   // wall clock, UTC us. About 40 ns: read it once a batch, never once a reading.
int64_t clock_mono(void);  // monotonic us, for durations
void clock_set_fake(int64_t now_us); // tests: from now on clock_now and clock_mono return this; 0 = real again

void time_set_zone(int offset_min); // at start-up, before threads
int time_zone(void);

struct civil {
	int year, month, day, hour, min, sec, us; // month and day from 1
};
int64_t time_from_civil(struct civil c, int offset_min); // proleptic Gregorian
struct civil time_to_civil(int64_t us, int offset_min);
bool civil_valid(struct civil c); // real date, hour < 24, min and sec < 60 (sec 60 is not accepted)

// "2026-11-22T08:00:00.123456+08:00", "…Z"; a blank instead of T is accepted; an offset is required.
bool time_parse(struct str s, int64_t *ret_us);
// The same at the front of p: the byte behind it, NULL if none starts there.
const char *time_scan(const char *p, const char *end, int64_t *ret_us);
// "20160801085857" or "20160801085857223" or "2025-11-20 16:20:17": local time of the given zone.
bool time_parse_local(struct str s, int offset_min, int64_t *ret_us);
#define TIME_TEXT_MAX 40
// Site zone; milliseconds or microseconds only when not zero. Returns the length.
size_t time_text(int64_t us, char *ret);
size_t time_text_zone(int64_t us, int offset_min, char *ret);
// "15d", "3h", "10min", "30s", "250ms" → microseconds. Units: y (365 days) d h min s ms.
bool duration_parse(struct str s, int64_t *ret_us);
