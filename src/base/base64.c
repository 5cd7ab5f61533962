#include "base/base64.h"

#include <openssl/evp.h>

struct str str_from_base64(struct arena *a, struct str text)
{
	if (!text.n || text.n % 4 || text.n > (1u << 20))
		return STR_EMPTY;
	uint8_t *out = arena_alloc(a, text.n);
	int n = EVP_DecodeBlock(out, (const uint8_t *)text.p, (int)text.n);
	if (n < 0)
		return STR_EMPTY;
	for (size_t i = 0; i < 2 && text.p[text.n - 1 - i] == '='; i++)
		n--;
	return str_from((const char *)out, (size_t)n);
}
