// The arithmetic of the second factor, apart for its test vectors (RFC 4226 appendix D, RFC 6238 appendix B).
#pragma once

#include "base/arena.h"
#include "base/str.h"

uint32_t totp_code(struct str secret, int64_t step);           // six digits as a number
struct str base32_text(struct str bytes, struct arena *a);     // RFC 4648, without padding
