// Checksums, digests and randomness. Pure functions but for the kernel's random source; any thread. A struct sm3 has
// one owner.
#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define _mm_crc32_u8 __crc32cb
#define _mm_crc32_u64 __crc32cd
#endif

#if defined(__SSE4_2__) || defined(__ARM_FEATURE_CRC32)
uint32_t crc32c(uint32_t seed, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t crc = ~seed;
	for (; n >= 8; n -= 8, b += 8) {
		uint64_t w;
		memcpy(&w, b, 8);
		crc = _mm_crc32_u64((uint32_t)crc, w);
	}
	for (; n; n--, b++) {
		crc = _mm_crc32_u8((uint32_t)crc, *b);
	}
	return ~(uint32_t)crc;
}
#else
// Castagnoli polynomial 0x1EDC6F41, reflected 0x82F63B78 (RFC 3720 B.4).
uint32_t crc32c(uint32_t seed, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t crc = ~seed;
	for (; n; n--, b++) {
		crc ^= *b;
		for (int i = 0; i < 8; i++) {
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
		}
	}
	return ~crc;
}
#endif

void sm3_init(struct sm3 *h)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sm3(), NULL) != 1) {
		log_die("hash", "SM3 is not available");
	}
	h->ctx = ctx;
}

void sm3_add(struct sm3 *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1) {
		log_die("hash", "SM3 failed");
	}
}

void sm3_add_str(struct sm3 *h, struct str s)
{
	uint32_t n = (uint32_t)s.n;
	uint8_t len[4] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) };
	sm3_add(h, len, sizeof(len));
	sm3_add(h, s.p, s.n);
}

void sm3_end(struct sm3 *h, uint8_t ret[SM3_LEN])
{
	unsigned n = 0;
	if (EVP_DigestFinal_ex(h->ctx, ret, &n) != 1 || n != SM3_LEN) {
		log_die("hash", "SM3 failed");
	}
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void sm3_once(struct str s, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	sm3_add(&h, s.p, s.n);
	sm3_end(&h, ret);
}

void random_bytes(void *p, size_t n)
{
	uint8_t *b = p;
	while (n) {
		ssize_t got = getrandom(b, n, 0);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			log_die("hash", "no random bytes from the kernel");
		}
		b += got;
		n -= (size_t)got;
	}
}

void random_text(char *ret, size_t n)
{
	static const char alphabet[] = "23456789abcdefghjkmnpqrstuvwxyz";
	const unsigned letters = sizeof(alphabet) - 1;
	const unsigned fair = 256 / letters * letters; // bytes from here on would favour the first letters
	for (size_t i = 0; i < n;) {
		uint8_t b;
		random_bytes(&b, 1);
		if (b < fair) {
			ret[i++] = alphabet[b % letters];
		}
	}
}

bool equal_const_time(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
