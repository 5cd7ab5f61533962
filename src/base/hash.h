// Checksums and digests: crc32c for our own files (hardware where there is any), SM3 (GB/T 32905-2016, by OpenSSL)
// for audit and device keys, and random bytes from the kernel.
#pragma once

#include "base/base.h"
#include "base/str.h"

uint32_t crc32c(uint32_t seed, const void *p, size_t n); // start with 0

#define SM3_LEN 32
struct sm3 {
	void *ctx; // EVP_MD_CTX
};
void sm3_init(struct sm3 *h);
void sm3_add(struct sm3 *h, const void *p, size_t n);
void sm3_add_str(struct sm3 *h, struct str s); // length first (u32 LE), so that fields cannot run into each other
void sm3_end(struct sm3 *h, uint8_t ret[SM3_LEN]); // frees ctx
void sm3_once(struct str s, uint8_t ret[SM3_LEN]);

void random_bytes(void *p, size_t n);
// n characters of the alphabet 23456789abcdefghjkmnpqrstuvwxyz (no 0 o 1 i l): just under 5 bits each. No NUL.
void random_text(char *ret, size_t n);
bool equal_const_time(const void *a, const void *b, size_t n);
