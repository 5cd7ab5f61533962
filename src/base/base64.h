// Base64 (RFC 4648), for credentials and envelopes; by OpenSSL.
#pragma once

#include "base/arena.h"

struct str str_from_base64(struct arena *a, struct str text); // empty if not base64
struct str str_to_base64(struct arena *a, struct str bytes);
// The form for addresses and tokens (RFC 4648 section 5) without padding. False for any other byte, a length that cannot
// be, or bits left over that are not zero: one value has one text.
bool str_from_base64url(struct arena *a, struct str text, struct str *ret);
struct str base64url_text(struct str bytes, struct arena *a);
