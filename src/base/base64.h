// Base64 (RFC 4648), for credentials and envelopes; by OpenSSL.
#pragma once

#include "base/arena.h"

struct str str_from_base64(struct arena *a, struct str text); // empty if not base64
