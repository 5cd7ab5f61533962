// Numbers as field devices write them, looser than JSON. Pure, any thread.
#include "gate/decode/decode.h"

#define NUMBER_MAX 64 // bytes

bool decode_number(struct str s, double *ret)
{
	char text[NUMBER_MAX + 2];
	size_t n = 0;
	s = str_trim(s);
	if (str_to_f64(s, ret)) {
		return true;
	}
	if (s.n == 0 || s.n > NUMBER_MAX) {
		return false;
	}
	if (s.p[0] == '-') {
		text[n++] = '-';
	}
	if (s.p[0] == '-' || s.p[0] == '+') {
		s = str_skip(s, 1);
		if (s.n == 0 || s.p[0] == '-') {
			return false;
		}
	}
	while (s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9') {
		s = str_skip(s, 1);
	}
	if (s.n > 1 && s.p[0] == '.') {
		text[n++] = '0';
	} else if (s.n > 1 && s.p[s.n - 1] == '.') {
		s.n--;
	}
	memcpy(text + n, s.p, s.n);
	return str_to_f64(str_from(text, n + s.n), ret);
}
