// ID tokens: JSON Web Signatures in compact form (RFC 7515) with RS256 or ES256 (RFC 7518) by a key of a set (RFC 7517), and
// the claims of an OpenID Connect ID token (Core 1.0 section 3.1.3.7). Pure; any thread.
#pragma once

#include "base/arena.h"

enum jwt {
	JWT_OK,
	JWT_FORM,           // not three parts of base64url with JSON objects in them, or too long
	JWT_ALGORITHM,      // none, a symmetric one, or any but RS256 and ES256
	JWT_KEY,            // the set has no key for it: ask for the set again
	JWT_SIGNATURE,
	JWT_ISSUER,
	JWT_AUDIENCE,       // made for another client
	JWT_TIME,           // over, not begun, or from the future
	JWT_NONCE,          // of another login
	JWT_CLAIM,          // the claim of the login name is not there, or not text
	JWT__MAX
};
const char *jwt_text(enum jwt why, bool zh);

enum jws_algorithm { JWS_RS256, JWS_ES256 };

struct jws {
	enum jws_algorithm algorithm;
	struct str kid;         // empty: none
	struct str input;       // what is signed: a slice of the token
	struct str payload, signature; // decoded
};
// Form and algorithm only.
enum jwt jws_read(struct str token, struct arena *a, struct jws *ret);
// Is it signed by a key of the set that may do so? keys: JSON text of a JWK set.
enum jwt jws_verify(const struct jws *s, struct str keys, struct arena *a);
size_t jwks_usable(struct str keys); // keys of the set that can be used here

struct jwt_want {
	struct str issuer, client, nonce, claim;
	int64_t now;            // us
};
// A payload whose signature was found right. ret_login: value of the claim.
enum jwt jwt_claims(struct str payload, const struct jwt_want *want, struct arena *a, struct str *ret_login);
