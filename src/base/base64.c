#include "base/base64.h"

#include <openssl/evp.h>

struct str str_from_base64(struct arena *a, struct str text)
{
	if (!text.n || text.n % 4 || text.n > (4u << 20))
		return STR_EMPTY;
	uint8_t *out = arena_alloc(a, text.n);
	int n = EVP_DecodeBlock(out, (const uint8_t *)text.p, (int)text.n);
	if (n < 0)
		return STR_EMPTY;
	for (size_t i = 0; i < 2 && text.p[text.n - 1 - i] == '='; i++)
		n--;
	return str_from((const char *)out, (size_t)n);
}

struct str str_to_base64(struct arena *a, struct str bytes)
{
	uint8_t *out = arena_alloc(a, bytes.n / 3 * 4 + 5);
	return str_from((const char *)out, (size_t)EVP_EncodeBlock(out, (const uint8_t *)bytes.p, (int)bytes.n));
}

static int url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool str_from_base64url(struct arena *a, struct str text, struct str *ret)
{
	uint8_t *out = arena_alloc(a, text.n * 3 / 4 + 1);
	uint32_t bits = 0, have = 0;
	size_t n = 0;
	*ret = STR_EMPTY;
	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int digit = url_digit(text.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if ((have += 6) >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	if (bits & ((1u << have) - 1))
		return false;
	*ret = str_from((const char *)out, n);
	return true;
}

struct str base64url_text(struct str bytes, struct arena *a)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *out = arena_alloc(a, bytes.n * 4 / 3 + 2);
	uint32_t bits = 0, have = 0;
	size_t n = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (uint8_t)bytes.p[i];
		for (have += 8; have >= 6;) {
			have -= 6;
			out[n++] = digits[bits >> have & 63];
		}
	}
	if (have)
		out[n++] = digits[bits << (6 - have) & 63];
	return str_from(out, n);
}
