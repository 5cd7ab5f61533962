// Texts with an inner rule: phone numbers, area codes, dates. Pure functions.
#include "base/time.h"
#include "flow/draft.h"

static bool digits(struct str s, size_t least, size_t most)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n >= least && s.n <= most;
}

// Mainland numbers: mobile 1[3-9] and nine digits; fixed line 0 and two or three digits of the area, then seven or
// eight; 400 service numbers.
bool phone_ok(struct str s)
{
	if (digits(s, 11, 11) && s.p[0] == '1')
		return s.p[1] >= '3';
	char plain[16];
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '-' && i > 0 && i + 1 < s.n)
			continue;
		if (n == sizeof plain)
			return false;
		plain[n++] = s.p[i];
	}
	struct str all = str_from(plain, n);
	if (n && plain[0] == '0')
		return digits(all, 10, 12);
	return str_starts(all, STR("400")) && digits(all, 10, 10);
}

// GB 11643-1999 4.2 (ISO 7064 MOD 11-2): weights 2^(18-i) mod 11, check value (12 - sum mod 11) mod 11, 10 is X.
char idcard_check_char(struct str first17)
{
	static const int weights[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	if (first17.n < 17 || !digits(str_first(first17, 17), 17, 17))
		return 0;
	for (size_t i = 0; i < 17; i++)
		sum += (first17.p[i] - '0') * weights[i];
	return "10X98765432"[sum % 11];
}

bool idcard_ok(struct str s)
{
	uint64_t y, m, d;
	if (s.n != 18 || s.p[0] == '0' || idcard_check_char(s) != s.p[17])
		return false;
	return str_to_u64(str_from(s.p + 6, 4), &y) && str_to_u64(str_from(s.p + 10, 2), &m) && str_to_u64(str_from(s.p + 12, 2), &d) &&
	       y >= 1850 && civil_valid((struct civil){ .year = (int)y, .month = (int)m, .day = (int)d });
}

// GB/T 2260 and GB/T 10114: province 2, city 2, county 2, town 3, village 3 digits; zeros for what is not given.
bool area_code_ok(struct str s)
{
	return digits(s, 12, 12) && !str_is(s, "000000000000");
}

bool date_text_ok(struct str s)
{
	uint64_t y, m, d;
	return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' && str_to_u64(str_first(s, 4), &y) &&
	       str_to_u64(str_from(s.p + 5, 2), &m) && str_to_u64(str_skip(s, 8), &d) &&
	       civil_valid((struct civil){ .year = (int)y, .month = (int)m, .day = (int)d });
}

struct str date_text(int64_t us, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

// Keeps three digits in front and four behind; of short numbers one at each end.
struct str phone_mask(struct str s, struct arena *a)
{
	size_t front = s.n >= 11 ? 3 : 1, back = s.n >= 11 ? 4 : 1;
	if (s.n == 0)
		return s;
	if (s.n < 4)
		return STR("****");
	return arena_printf(a, "%.*s****%.*s", (int)front, s.p, (int)back, s.p + s.n - back);
}

// The first character, and a star for each of the others (of names two or three; never the true number of more).
static struct str text_mask(struct str s, struct arena *a)
{
	size_t first = s.n ? utf8_sequence((const uint8_t *)s.p, s.n) : 0, n = str_utf8_len(s);
	if (s.n == 0)
		return s;
	return arena_printf(a, "%.*s%s", (int)first, s.p, n > 2 ? "**" : "*");
}

struct str value_mask(const struct field *f, struct str s, struct arena *a)
{
	if (f->kind == FIELD_PHONE)
		return phone_mask(s, a);
	if (f->kind == FIELD_IDCARD)
		return s.n < 18 ? STR("****") : arena_printf(a, "%.*s************%.*s", 4, s.p, 2, s.p + 16);
	return text_mask(s, a);
}
