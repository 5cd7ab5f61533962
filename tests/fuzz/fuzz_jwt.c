// needs: base store expr model auth
// Any bytes as a token, as a set of keys and as claims: nothing is accepted but what a key signed, and claims that are read are
// what was asked for.
#include <stdlib.h>

#include "auth/jwt.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct str all = str_from((const char *)data, n), rest = all, token = str_cut(&rest, '\n'), login;
	struct jws s;
	if (jws_read(token, a, &s) == JWT_OK) {
		must(s.input.n < token.n && s.signature.n > 0);
		must(jws_verify(&s, rest, a) != JWT_FORM);
		must(jws_verify(&s, STR("{\"keys\":[]}"), a) == JWT_KEY);
	}
	(void)jwks_usable(all);
	struct jwt_want want = { STR("i"), STR("c"), STR("n"), STR("u"), INT64_C(1000000) * US_PER_S };
	must(jwt_claims(all, &want, a, &login) == JWT_OK ? login.n > 0 : login.n == 0);
	arena_free(a);
	return 0;
}
