// Reading and verifying of ID tokens. What a token may say of itself is as little as can be: its algorithm must be one of two
// and fit the key, the key comes from the issuer's set and from nowhere else (jwk, jku, x5u and x5c are not looked at), and
// a header that demands more (crit) is refused.
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "auth/jwt.h"
#include "base/base64.h"
#include "base/limits.h"

#define RSA_BITS_MIN 2048   // RFC 7518 section 3.3
#define RSA_BITS_MAX 8192
#define P256_BYTES 32       // RFC 7518 section 3.4: r and s of 32 octets each
#define LEEWAY_S 60         // clocks of two servers
#define AGE_MAX_S 3600      // an ID token is fetched by us moments after it was made

const char *jwt_text(enum jwt why, bool zh)
{
	static const char *const text[JWT__MAX][2] = {
		[JWT_OK] = { "正确", "right" },
		[JWT_FORM] = { "令牌格式不对", "the token is malformed" },
		[JWT_ALGORITHM] = { "令牌的签名算法不是 RS256 或 ES256", "the token is not signed by RS256 or ES256" },
		[JWT_KEY] = { "没有核验令牌的公钥", "there is no key to verify the token with" },
		[JWT_SIGNATURE] = { "令牌签名不对", "the signature of the token is wrong" },
		[JWT_ISSUER] = { "令牌的颁发者不符", "the token is of another issuer" },
		[JWT_AUDIENCE] = { "令牌不是发给本平台的", "the token was made for another client" },
		[JWT_TIME] = { "令牌已过期或时间不对，请核对两边服务器的时钟", "the token is over or its time is wrong; compare the clocks of both servers" },
		[JWT_NONCE] = { "令牌不属于这次登录", "the token belongs to another login" },
		[JWT_CLAIM] = { "令牌里没有登录名声明", "the token lacks the claim of the login name" },
	};
	return text[why][zh ? 0 : 1];
}

static void json_free(json_t **j) { json_decref(*j); }

static struct str text_of(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	return json_is_string(v) ? str_from(json_string_value(v), json_string_length(v)) : STR_EMPTY;
}

static json_t *object_of(struct str text)
{
	json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

// ---- the token ---------------------------------------------------------------------------------
static enum jwt header_read(struct str header, struct arena *a, struct jws *ret)
{
	json_t *j on_scope_exit(json_free) = object_of(header);
	if (!j)
		return JWT_FORM;
	struct str alg = text_of(j, "alg"), type = text_of(j, "typ");
	if (str_is(alg, "RS256"))
		ret->algorithm = JWS_RS256;
	else if (str_is(alg, "ES256"))
		ret->algorithm = JWS_ES256;
	else
		return JWT_ALGORITHM;
	const json_t *kid = json_object_get(j, "kid"), *typ = json_object_get(j, "typ");
	if (json_object_get(j, "crit") || (kid && !json_is_string(kid)) || (typ && !str_eq_nocase(type, STR("JWT"))))
		return JWT_FORM; // "at+jwt" is an access token, RFC 9068
	ret->kid = arena_str(a, text_of(j, "kid"));
	return JWT_OK;
}

enum jwt jws_read(struct str token, struct arena *a, struct jws *ret)
{
	*ret = (struct jws){ .kid = STR_EMPTY };
	if (token.n > LIMIT_JWT)
		return JWT_FORM;
	struct str rest = token, header, bytes;
	struct str first = str_cut(&rest, '.'), second = str_cut(&rest, '.');
	if (!first.n || !second.n || memchr(rest.p, '.', rest.n))
		return JWT_FORM;
	ret->input = str_from(token.p, first.n + 1 + second.n);
	if (!str_from_base64url(a, first, &header) || !str_from_base64url(a, second, &ret->payload) ||
	    !str_from_base64url(a, rest, &bytes))
		return JWT_FORM;
	ret->signature = bytes;
	enum jwt why = header_read(header, a, ret);
	return why ? why : bytes.n ? JWT_OK : JWT_SIGNATURE;
}

// ---- keys --------------------------------------------------------------------------------------
static BIGNUM *number_of(const json_t *key, const char *name, struct arena *a)
{
	struct str bytes;
	if (!str_from_base64url(a, text_of(key, name), &bytes) || !bytes.n || bytes.n > RSA_BITS_MAX / 8 + 1)
		return NULL;
	return BN_bin2bn((const uint8_t *)bytes.p, (int)bytes.n, NULL);
}

static EVP_PKEY *pkey_of(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!params || !c || EVP_PKEY_fromdata_init(c) != 1 || EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *rsa_key(const json_t *key, struct arena *a)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *n = number_of(key, "n", a), *e = number_of(key, "e", a);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	bool fits = n && e && build && BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) &&
	            !BN_is_one(e) && BN_num_bits(e) <= 64;
	if (fits && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = pkey_of("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static EVP_PKEY *p256_key(const json_t *key, struct arena *a)
{
	uint8_t point[1 + 2 * P256_BYTES] = { 4 }; // SEC 1 section 2.3.3: uncompressed
	struct str x, y;
	EVP_PKEY *pkey = NULL;
	if (!str_is(text_of(key, "crv"), "P-256") || !str_from_base64url(a, text_of(key, "x"), &x) ||
	    !str_from_base64url(a, text_of(key, "y"), &y) || x.n != P256_BYTES || y.n != P256_BYTES)
		return NULL;
	memcpy(point + 1, x.p, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y.p, P256_BYTES);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
		pkey = pkey_of("EC", build); // refuses a point that is not on the curve
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

// The key, if it may sign with the algorithm; else NULL.
static EVP_PKEY *key_for(const json_t *key, enum jws_algorithm algorithm, struct arena *a)
{
	struct str alg = text_of(key, "alg"), use = text_of(key, "use"), type = text_of(key, "kty");
	bool rs = algorithm == JWS_RS256;
	if ((use.n && !str_is(use, "sig")) || (alg.n && !str_is(alg, rs ? "RS256" : "ES256")) || !str_is(type, rs ? "RSA" : "EC"))
		return NULL;
	return rs ? rsa_key(key, a) : p256_key(key, a);
}

// ---- the signature -----------------------------------------------------------------------------
// r and s (RFC 7518 section 3.4) as OpenSSL wants them. The DER text is OpenSSL's memory; *ret_n 0: none.
static uint8_t *ecdsa_der(struct str raw, size_t *ret_n)
{
	uint8_t *der = NULL;
	ECDSA_SIG *sig = raw.n == 2 * P256_BYTES ? ECDSA_SIG_new() : NULL;
	BIGNUM *r = sig ? BN_bin2bn((const uint8_t *)raw.p, P256_BYTES, NULL) : NULL;
	BIGNUM *s = sig ? BN_bin2bn((const uint8_t *)raw.p + P256_BYTES, P256_BYTES, NULL) : NULL;
	*ret_n = 0;
	if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		int n = i2d_ECDSA_SIG(sig, &der);
		*ret_n = n > 0 ? (size_t)n : 0;
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return der;
}

static bool signed_by(const struct jws *s, EVP_PKEY *key)
{
	size_t n = s->signature.n;
	uint8_t *der = NULL;
	const uint8_t *signature = (const uint8_t *)s->signature.p;
	if (s->algorithm == JWS_ES256)
		signature = der = ecdsa_der(s->signature, &n);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = signature && n && c && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 && // RSA: PKCS #1 v1.5
	          EVP_DigestVerify(c, signature, n, (const uint8_t *)s->input.p, s->input.n) == 1;
	EVP_MD_CTX_free(c);
	OPENSSL_free(der);
	return ok;
}

enum jwt jws_verify(const struct jws *s, struct str keys, struct arena *a)
{
	json_t *set on_scope_exit(json_free) = object_of(keys);
	const json_t *list = json_object_get(set, "keys");
	enum jwt why = JWT_KEY;
	for (size_t i = 0; why != JWT_OK && i < MIN(json_array_size(list), (size_t)LIMIT_JWKS_KEYS); i++) {
		const json_t *one = json_array_get(list, i);
		if (s->kid.n && !str_eq(s->kid, text_of(one, "kid")))
			continue;
		EVP_PKEY *key = key_for(one, s->algorithm, a);
		if (key)
			why = signed_by(s, key) ? JWT_OK : JWT_SIGNATURE;
		EVP_PKEY_free(key);
	}
	return why;
}

size_t jwks_usable(struct str keys)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	json_t *set on_scope_exit(json_free) = object_of(keys);
	const json_t *list = json_object_get(set, "keys");
	size_t n = 0;
	for (size_t i = 0; i < MIN(json_array_size(list), (size_t)LIMIT_JWKS_KEYS); i++)
		for (int alg = JWS_RS256; alg <= JWS_ES256; alg++) {
			EVP_PKEY *key = key_for(json_array_get(list, i), (enum jws_algorithm)alg, a);
			n += key != NULL;
			EVP_PKEY_free(key);
		}
	return n;
}

// ---- the claims --------------------------------------------------------------------------------
static enum jwt check_audience(const json_t *j, struct str client)
{
	const json_t *aud = json_object_get(j, "aud"), *azp = json_object_get(j, "azp");
	bool ours = str_eq(text_of(j, "aud"), client);
	for (size_t i = 0; i < json_array_size(aud); i++) {
		const json_t *one = json_array_get(aud, i);
		ours |= json_is_string(one) && str_eq(str_from(json_string_value(one), json_string_length(one)), client);
	}
	if (!client.n || !ours || (azp && !str_eq(text_of(j, "azp"), client)) || (json_array_size(aud) > 1 && !azp))
		return JWT_AUDIENCE;
	return JWT_OK;
}

// A time in seconds (RFC 7519 section 2: a number, perhaps with a fraction); false if it is none.
static bool seconds(const json_t *j, const char *name, double *ret)
{
	const json_t *v = json_object_get(j, name);
	*ret = json_number_value(v);
	return json_is_number(v) && *ret > 0 && *ret < 1e11;
}

static enum jwt check_times(const json_t *j, int64_t now_us)
{
	double now = (double)now_us / 1e6, exp, iat, nbf;
	if (!seconds(j, "exp", &exp) || !seconds(j, "iat", &iat))
		return JWT_TIME;
	if (exp <= now - LEEWAY_S || iat > now + LEEWAY_S || iat < now - AGE_MAX_S)
		return JWT_TIME;
	if (json_object_get(j, "nbf") && (!seconds(j, "nbf", &nbf) || nbf > now + LEEWAY_S))
		return JWT_TIME;
	return JWT_OK;
}

enum jwt jwt_claims(struct str payload, const struct jwt_want *want, struct arena *a, struct str *ret_login)
{
	*ret_login = STR_EMPTY;
	json_t *j on_scope_exit(json_free) = object_of(payload);
	if (!j)
		return JWT_FORM;
	if (!want->issuer.n || !str_eq(text_of(j, "iss"), want->issuer))
		return JWT_ISSUER;
	enum jwt why = check_audience(j, want->client);
	if (!why)
		why = check_times(j, want->now);
	if (why)
		return why;
	if (!want->nonce.n || !str_eq(text_of(j, "nonce"), want->nonce))
		return JWT_NONCE;
	struct str login = str_trim(text_of(j, arena_cstr(a, want->claim)));
	if (!login.n || !text_of(j, "sub").n)
		return JWT_CLAIM;
	*ret_login = arena_str(a, login);
	return JWT_OK;
}
