// Names for directories, tokens of single sign-ons: the vectors of the RFCs, and what an attacker would change in them.
// needs: base store expr model auth
#include "store_fixture.h"

#include "auth/directory.h"
#include "auth/fetch.h"
#include "auth/jwt.h"
#include "base/base64.h"

#define NOW (INT64_C(1300819000) * US_PER_S)

// RFC 7515 appendix A.2 (RS256) and A.3 (ES256): header, payload, signature, key
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS_HEAD "eyJhbGciOiJSUzI1NiJ9"
#define RS_SIGNATURE "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RS_KEY "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define ES_HEAD "eyJhbGciOiJFUzI1NiJ9"
#define ES_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES_KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
// RFC 7520 section 4.1 (RS256 with a kid) and its key, section 3.3
#define COOK_HEAD "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
#define COOK_PAYLOAD "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define COOK_SIGNATURE "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
#define COOK_KEY(kid, more) "{\"kty\":\"RSA\",\"kid\":\"" kid "\"," more "\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\",\"e\":\"AQAB\"}"
#define BILBO "bilbo.baggins@hobbiton.example"
#define SET(keys) "{\"keys\":[" keys "]}"

static struct arena *a;

static int begin(void **state) { (void)state; a = arena_new(0); return 0; }
static int end(void **state) { (void)state; arena_free(a); return 0; }

static enum jwt verify(const char *token, const char *keys)
{
	struct jws s;
	enum jwt why = jws_read(str_of(token), a, &s);
	return why ? why : jws_verify(&s, str_of(keys), a);
}

static void test_vectors(void **state)
{
	(void)state;
	struct jws s;
	assert_int_equal(verify(RS_HEAD "." PAYLOAD "." RS_SIGNATURE, SET(RS_KEY)), JWT_OK);
	assert_int_equal(verify(ES_HEAD "." PAYLOAD "." ES_SIGNATURE, SET(ES_KEY)), JWT_OK);
	assert_int_equal(verify(COOK_HEAD "." COOK_PAYLOAD "." COOK_SIGNATURE, SET(COOK_KEY(BILBO, "\"use\":\"sig\","))), JWT_OK);
	assert_int_equal(verify(RS_HEAD "." PAYLOAD "." RS_SIGNATURE, SET(ES_KEY "," COOK_KEY("other", "") "," RS_KEY)), JWT_OK); // no kid: any that fits
	assert_int_equal(jws_read(STR(RS_HEAD "." PAYLOAD "." RS_SIGNATURE), a, &s), JWT_OK);
	assert_true(str_starts(s.payload, STR("{\"iss\":\"joe\",\r\n \"exp\":1300819380")));
	assert_int_equal(jwks_usable(STR(SET(RS_KEY "," ES_KEY "," COOK_KEY("x", "\"use\":\"enc\",")))), 2);
}

static void test_keys_that_may_not(void **state)
{
	(void)state;
	static const char *const sets[] = {
		SET(COOK_KEY("somebody", "")),                          // another kid
		SET(COOK_KEY(BILBO, "\"use\":\"enc\",")),               // not for signatures
		SET(COOK_KEY(BILBO, "\"alg\":\"PS256\",")),             // of another algorithm
		SET("{\"kty\":\"RSA\",\"kid\":\"" BILBO "\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"), // 17 bits
		SET("{\"kty\":\"oct\",\"kid\":\"" BILBO "\",\"k\":\"AyM1\"}"),
		SET(""), "{}", "[]", "", "{\"keys\":{}}", "{\"keys\":[null,1,\"x\"]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		assert_int_equal(verify(COOK_HEAD "." COOK_PAYLOAD "." COOK_SIGNATURE, sets[i]), JWT_KEY);
	assert_int_equal(verify(ES_HEAD "." PAYLOAD "." ES_SIGNATURE, SET(RS_KEY)), JWT_KEY); // the key is of another kind
	// a point that is not on the curve
	assert_int_equal(verify(ES_HEAD "." PAYLOAD "." ES_SIGNATURE, SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}")), JWT_KEY);
}

static struct str coded(const char *json) { return base64url_text(str_of(json), a); }

static void test_headers(void **state)
{
	(void)state;
	static const struct { const char *header; enum jwt want; } cases[] = {
		{ "{\"alg\":\"none\"}", JWT_ALGORITHM },   { "{\"alg\":\"None\"}", JWT_ALGORITHM },  { "{\"alg\":\"HS256\"}", JWT_ALGORITHM },
		{ "{\"alg\":\"RS512\"}", JWT_ALGORITHM },  { "{\"alg\":\"PS256\"}", JWT_ALGORITHM }, { "{\"alg\":\"rs256\"}", JWT_ALGORITHM },
		{ "{\"alg\":[\"RS256\"]}", JWT_ALGORITHM }, { "{}", JWT_ALGORITHM },
		{ "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", JWT_FORM }, { "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", JWT_FORM },
		{ "{\"alg\":\"RS256\",\"kid\":7}", JWT_FORM }, { "{\"alg\":\"none\",\"alg\":\"RS256\"}", JWT_FORM }, { "[]", JWT_FORM }, { "", JWT_FORM },
		// a key it brings itself is not looked at: the signature is not by ours
		{ "{\"alg\":\"RS256\",\"jwk\":" RS_KEY "}", JWT_SIGNATURE },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str head = coded(cases[i].header);
		struct str token = arena_printf(a, "%.*s." PAYLOAD "." RS_SIGNATURE, STR_FMT(head));
		assert_int_equal(verify(token.p, SET(RS_KEY)), cases[i].want);
	}
}

static void test_changed_and_cut(void **state)
{
	(void)state;
	const char whole[] = RS_HEAD "." PAYLOAD "." RS_SIGNATURE;
	size_t payload = sizeof(RS_HEAD), signature = payload + sizeof(PAYLOAD);
	for (size_t n = 0; n < sizeof(whole) - 1; n++) { // every beginning of it
		struct str part = str_from(whole, n);
		assert_int_not_equal(verify(arena_cstr(a, part), SET(RS_KEY)), JWT_OK);
	}
	for (size_t i = payload; i < sizeof(whole) - 1; i++) { // every letter of payload and signature
		char *changed = arena_cstr(a, str_of(whole));
		if (i == signature - 1)
			continue; // the dot
		changed[i] = changed[i] == 'B' ? 'C' : 'B';
		assert_int_not_equal(verify(changed, SET(RS_KEY)), JWT_OK);
		if (i % 64 == 0) {
			arena_free(a);
			a = arena_new(0);
		}
	}
	assert_int_equal(verify(RS_HEAD "." PAYLOAD ".", SET(RS_KEY)), JWT_SIGNATURE);
	assert_int_equal(verify(RS_HEAD "." PAYLOAD "." RS_SIGNATURE ".x", SET(RS_KEY)), JWT_FORM);
	assert_int_equal(verify(RS_HEAD "." PAYLOAD "." RS_SIGNATURE "=", SET(RS_KEY)), JWT_FORM);
	assert_int_equal(verify(RS_HEAD "." PAYLOAD "." RS_SIGNATURE "\n", SET(RS_KEY)), JWT_FORM);
	assert_int_equal(verify(ES_HEAD "." PAYLOAD "." RS_SIGNATURE, SET(ES_KEY)), JWT_SIGNATURE);
}

static void test_claims(void **state)
{
	(void)state;
	static const struct { const char *json; enum jwt want; } cases[] = {
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_OK },
		{ "{\"iss\":\"https://id\",\"aud\":[\"anlan\"],\"azp\":\"anlan\",\"sub\":\"1\",\"exp\":1300818950,\"iat\":1300818990.5,\"nbf\":1300819050,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_OK },
		{ "{\"iss\":\"https://id/\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_ISSUER },
		{ "{\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_ISSUER },
		{ "{\"iss\":\"https://id\",\"aud\":\"other\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_AUDIENCE },
		{ "{\"iss\":\"https://id\",\"aud\":[\"anlan\",\"other\"],\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_AUDIENCE },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"azp\":\"other\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_AUDIENCE },
		{ "{\"iss\":\"https://id\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_AUDIENCE },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300818940,\"iat\":1300818900,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":\"1300819300\",\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300819061,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300815399,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nbf\":1300819061,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_TIME },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"m\",\"name\":\"zhang\"}", JWT_NONCE },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"name\":\"zhang\"}", JWT_NONCE },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"sub\":\"1\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":[\"zhang\"]}", JWT_CLAIM },
		{ "{\"iss\":\"https://id\",\"aud\":\"anlan\",\"exp\":1300819300,\"iat\":1300818990,\"nonce\":\"n\",\"name\":\"zhang\"}", JWT_CLAIM },
		{ "{\"iss\":\"https://id\",\"iss\":\"https://id\"}", JWT_FORM },
		{ "plain text", JWT_FORM },
	};
	struct jwt_want want = { STR("https://id"), STR("anlan"), STR("n"), STR("name"), NOW };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str login;
		assert_int_equal(jwt_claims(str_of(cases[i].json), &want, a, &login), cases[i].want);
		assert_true(cases[i].want ? login.n == 0 : str_is(login, "zhang"));
		assert_true(strlen(jwt_text(cases[i].want, true)) && strlen(jwt_text(cases[i].want, false)));
	}
}

static void test_base64url(void **state)
{
	(void)state;
	struct str out;
	static const char *const bad[] = { "A", "AB==", "AB", "A+BC", "A/BC", "AAB", "A BC", "AAAAA" }; // AB, AAB: bits left over
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_from_base64url(a, str_of(bad[i]), &out));
	for (size_t n = 0; n < 70; n++) {
		char bytes[70];
		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(i * 37 + n * 11);
		assert_true(str_from_base64url(a, base64url_text(str_from(bytes, n), a), &out));
		assert_true(str_eq(out, str_from(bytes, n)));
	}
}

static bool is(struct str got, const char *want) { return str_is(got, want); }

static void test_ldap_names(void **state)
{
	(void)state;
	struct str out;
	// RFC 4515 section 4, RFC 4514 section 4
	assert_true(is(ldap_filter_text(STR("Parens R Us (for all)"), a), "Parens R Us \\28for all\\29"));
	assert_true(is(ldap_filter_text(STR("*\\"), a), "\\2a\\5c"));
	assert_true(is(ldap_filter_text(str_from("a\0b", 3), a), "a\\00b"));
	assert_true(is(ldap_filter_text(STR("张三"), a), "张三"));
	assert_true(is(ldap_dn_text(STR("James \"Jim\" Smith, III"), a), "James \\22Jim\\22 Smith\\2c III"));
	assert_true(is(ldap_dn_text(STR(" #x "), a), "\\20#x\\20"));
	assert_true(is(ldap_dn_text(STR("#x+y=z;<>\\"), a), "\\23x\\2by\\3dz\\3b\\3c\\3e\\5c"));
	assert_true(ldap_bind_name(STR("uid={name},ou=p"), STR("a,ou=q"), a, &out) && is(out, "uid=a\\2cou\\3dq,ou=p"));
	assert_true(ldap_bind_name(STR("{name}@county"), STR("li.si-2_张"), a, &out) && is(out, "li.si-2_张@county"));
	assert_false(ldap_bind_name(STR("{name}@county"), STR("x@other"), a, &out));
	assert_false(ldap_bind_name(STR("uid=name,ou=p"), STR("x"), a, &out));
	assert_false(ldap_bind_name(STR("uid={name},ou=p"), STR_EMPTY, a, &out));
}

static void test_addresses(void **state)
{
	(void)state;
	static const struct { const char *urls; bool plain, ok; } ldap[] = {
		{ "ldaps://dc1.county ldap://dc2.county:389", false, true }, { "ldap://127.0.0.1:389", true, true }, { "ldap://[::1]", true, true },
		{ "ldap://localhost", true, true }, { "ldap://127.0.0.1 ldap://dc2.county", true, false }, { "ldap://127.0.0.1.evil.example", true, false },
		{ "ldap://localhost.evil.example", true, false }, { "ldapi:///", false, false }, { "ldaps://", false, false }, { "", false, false },
		{ "ldaps://dc/dc=x", false, false }, { "https://dc", false, false },
	};
	static const struct { const char *url; bool ok; } https[] = {
		{ "https://id.county/realm", true }, { "http://127.0.0.1:8080/", true }, { "http://[::1]:8080/x", true }, { "http://id.county/", false },
		{ "http://127.0.0.1@evil.example/", false }, { "https://user:secret@id.county/", false }, { "http://127.0.0.1.evil.example/", false },
		{ "file:///etc/passwd", false }, { "https://id.county/a b", false }, { "https://id.county/\r\nX: y", false }, { "", false }, { "//id", false },
		{ "https://id.county\\@evil.example/", false }, { "https://id.county/#x", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(ldap); i++) {
		struct problem p;
		problem_init(&p, a);
		assert_int_equal(ldap_urls_check(str_of(ldap[i].urls), ldap[i].plain, &p) == OK, ldap[i].ok);
	}
	for (size_t i = 0; i < ARRAY_LEN(https); i++)
		assert_int_equal(fetch_url_ok(str_of(https[i].url)), https[i].ok);
	assert_true(is(url_text(STR("a b&c=张"), a), "a%20b%26c%3D%E5%BC%A0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vectors, begin, end),    cmocka_unit_test_setup_teardown(test_keys_that_may_not, begin, end),
		cmocka_unit_test_setup_teardown(test_headers, begin, end),    cmocka_unit_test_setup_teardown(test_changed_and_cut, begin, end),
		cmocka_unit_test_setup_teardown(test_claims, begin, end),     cmocka_unit_test_setup_teardown(test_base64url, begin, end),
		cmocka_unit_test_setup_teardown(test_ldap_names, begin, end), cmocka_unit_test_setup_teardown(test_addresses, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
