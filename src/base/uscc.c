#include "base/uscc.h"

// GB 32100-2015, table of characters: 0-9 and A-Z without I O S V Z, values 0..30 in this order.
static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static int uscc_value(char ch)
{
	const char *at = ch ? strchr(uscc_alphabet, ch) : NULL;
	return at ? (int)(at - uscc_alphabet) : -1;
}

// GB 32100-2015 4.5: weights are 3^(i-1) mod 31, check value is (31 - sum mod 31) mod 31.
char uscc_check_char(struct str first17)
{
	int sum = 0, weight = 1;
	if (first17.n < 17)
		return 0;
	for (size_t i = 0; i < 17; i++) {
		int v = uscc_value(first17.p[i]);
		if (v < 0)
			return 0;
		sum += v * weight;
		weight = weight * 3 % 31;
	}
	return uscc_alphabet[(31 - sum % 31) % 31];
}

bool uscc_ok(struct str s)
{
	return s.n == 18 && uscc_check_char(s) == s.p[17];
}
