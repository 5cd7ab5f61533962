// Envelopes, see envelope.h.
#include "gate/decode/envelope.h"

#include "base/base64.h"
#include "base/jr.h"
#include "base/jw.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>

#define IV_ZEROS "0000000000000000"
#define IV_DUST "12345678"

static const struct complaint NOT_JSON = { REJECT_SYNTAX, "外层报文不是合法的 JSON", "the envelope is not JSON" };
static const struct complaint NO_DATA = { REJECT_SYNTAX, "缺少 serviceId 或 data", "serviceId or data is missing" };
static const struct complaint NO_BASE64 = { REJECT_SYNTAX, "data 不是 Base64", "data is not Base64" };
static const struct complaint NO_HEX = { REJECT_SYNTAX, "data 不是十六进制", "data is not hexadecimal" };
static const struct complaint WRONG_KEY = { REJECT_AUTH, "密钥不能解开报文", "the key does not open the message" };
static const struct complaint NO_LEGACY = { REJECT_UNSUPPORTED, "本机 OpenSSL 没有 legacy 算法库，无法解密 DES",
	"this machine's OpenSSL has no legacy provider: DES cannot be opened" };
static const struct complaint FRAME_TOO_LARGE = { REJECT_TOO_LARGE, "报文过长", "the frame is too long" };

// --- framing ---------------------------------------------------------------------------------------------------------

static bool is_blank(char c) { return c == ' ' || c == '\r' || c == '\n' || c == '\t'; }

struct fed envelope_feed(struct str in)
{
	size_t blanks = 0;
	while (blanks < in.n && is_blank(in.p[blanks])) {
		blanks++;
	}
	struct str rest = str_skip(in, blanks);
	const char *end = rest.n ? memmem(rest.p, rest.n, "@@", 2) : NULL;
	struct fed fed = { .what = FEED_MORE, .drop = blanks, .frame = STR_EMPTY };
	if (end) {
		fed.what = FEED_FRAME;
		fed.frame = str_from(rest.p, (size_t)(end - rest.p));
		fed.drop = blanks + fed.frame.n + 2;
	} else if (rest.n > LIMIT_GATEWAY_FRAME || (rest.n && rest.p[0] != '{')) {
		fed.what = FEED_BAD;
		fed.drop = in.n;
		refuse_as(&fed.why, rest.n > LIMIT_GATEWAY_FRAME ? &FRAME_TOO_LARGE : &NOT_JSON, 0);
	}
	return fed;
}

// --- outside ---------------------------------------------------------------------------------------------------------

static struct str text_of(struct jr *r)
{
	if (jr_peek(r) == JR_STRING) {
		return jr_str(r);
	}
	jr_skip(r);
	return STR_EMPTY;
}

bool envelope_read(struct str text, struct arena *arena, struct envelope *ret, struct refusal *why)
{
	struct jr r;
	struct str key;
	text = str_trim(text);
	if (str_ends(text, STR("@@"))) {
		text.n -= 2;
	}
	*ret = (struct envelope){ STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
	jr_init(&r, text, arena);
	for (jr_obj(&r); jr_key(&r, &key);) {
		struct str *to = str_is(key, "appId") || str_is(key, "qybm")       ? &ret->app
				 : str_is(key, "serviceId") || str_is(key, "wgbm") ? &ret->service
				 : str_is(key, "dataId")                           ? &ret->data_id
				 : str_is(key, "data")                             ? &ret->data
										   : NULL;
		if (to) {
			*to = text_of(&r);
		} else {
			jr_skip(&r);
		}
	}
	if (!jr_end(&r)) {
		return refuse_as(why, &NOT_JSON, jr_offset(&r));
	}
	return (ret->service.n && ret->data.n) || refuse_as(why, &NO_DATA, 0);
}

// --- inside ----------------------------------------------------------------------------------------------------------

// Whole, padding checked and taken away; n < 0: not with this key. to has room for in.n.
static int decipher(const EVP_CIPHER *cipher, struct str key, const char *iv, struct str in, uint8_t *to)
{
	int n = -1, more = 0;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && cipher && in.n <= INT32_MAX / 2 &&
		  EVP_DecryptInit_ex(c, cipher, NULL, (const uint8_t *)key.p, (const uint8_t *)iv) == 1 &&
		  EVP_DecryptUpdate(c, to, &n, (const uint8_t *)in.p, (int)in.n) == 1 && EVP_DecryptFinal_ex(c, to + n, &more) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok ? n + more : -1;
}

// Base64 as libraries for mail write it has a line break every 76 digits.
static struct str from_lines(struct str base64, struct arena *arena)
{
	char *digits = arena_alloc(arena, base64.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < base64.n; i++) {
		digits[n] = base64.p[i];
		n += !is_blank(base64.p[i]);
	}
	return str_from_base64(arena, str_from(digits, n));
}

// A wrong IV spoils the first block only, and may leave it printable.
static bool is_json(struct str s, struct arena *arena)
{
	struct jr r;
	jr_init(&r, s, arena);
	if (jr_peek(&r) != JR_OBJECT && jr_peek(&r) != JR_ARRAY) {
		return false;
	}
	jr_skip(&r);
	return jr_end(&r);
}

static bool is_text(struct str s) // as a body is; a wrong key passes once in very many tries
{
	for (size_t i = 0; i < s.n; i++) {
		if ((uint8_t)s.p[i] < 0x20 && !is_blank(s.p[i])) {
			return false;
		}
	}
	return str_utf8_valid(s);
}

bool envelope_open_aes(struct str data, struct str key, struct arena *arena, struct str *ret, const char **ret_iv, struct refusal *why)
{
	struct str in = from_lines(data, arena);
	const char *ivs[] = { IV_ZEROS, key.p };
	static const char *const names[] = { IV_ZEROS, "key" };
	if (!in.n) {
		return refuse_as(why, &NO_BASE64, 0);
	}
	uint8_t *to = arena_alloc(arena, in.n + 16);
	for (int i = 0; i < 4 && key.n == ENVELOPE_AES_KEY && in.n % 16 == 0; i++) { // JSON with one of them, else text
		int n = decipher(EVP_aes_128_cbc(), key, ivs[i % 2], in, to);
		struct str text = n > 0 ? str_from((const char *)to, (size_t)n) : STR_EMPTY;
		if (n >= 0 && (i < 2 ? is_json(text, arena) : is_text(text))) {
			*ret = text;
			*ret_iv = names[i % 2];
			return true;
		}
	}
	return refuse_as(why, &WRONG_KEY, 0);
}

static EVP_CIPHER *des;
static pthread_once_t des_once = PTHREAD_ONCE_INIT;

static void des_load(void) // in a context of its own: loading legacy into the common one would unload the default
{
	OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
	if (own && OSSL_PROVIDER_load(own, "legacy")) {
		des = EVP_CIPHER_fetch(own, "DES-CBC", NULL);
	}
}

bool envelope_open_des(struct str data, struct str key, struct arena *arena, struct str *ret, const char **ret_iv, struct refusal *why)
{
	struct str hex = str_trim(data);
	char *text = arena_alloc(arena, hex.n / 2 + 1);
	if (!hex.n || hex.n % 2 || !str_from_hex(hex, (uint8_t *)text, hex.n / 2)) {
		return refuse_as(why, &NO_HEX, 0);
	}
	struct str in = from_lines(str_from(text, hex.n / 2), arena);
	pthread_once(&des_once, des_load);
	if (!des) {
		return refuse_as(why, &NO_LEGACY, 0);
	}
	if (!in.n) {
		return refuse_as(why, &NO_BASE64, 0);
	}
	uint8_t *to = arena_alloc(arena, in.n + 8);
	int n = key.n == ENVELOPE_DES_KEY && in.n % 8 == 0 ? decipher(des, key, IV_DUST, in, to) : -1;
	struct str plain = n > 0 ? str_from((const char *)to, (size_t)n) : STR_EMPTY;
	if (n < 0 || !is_text(plain)) {
		return refuse_as(why, &WRONG_KEY, 0);
	}
	*ret = plain;
	*ret_iv = IV_DUST;
	return true;
}

void envelope_prepare(void)
{
	uint8_t to[32];
	(void)decipher(EVP_aes_128_cbc(), STR(IV_ZEROS), IV_ZEROS, STR(IV_ZEROS), to);
}

// --- answers ---------------------------------------------------------------------------------------------------------

void envelope_answer(struct str data_id, int code, const char *type, const char *message, struct buf *out)
{
	struct jw w;
	struct str id = memmem(data_id.p, data_id.n, "@@", 2) ? STR_EMPTY : data_id; // nothing inside may end the frame
	jw_init(&w, out);
	jw_obj(&w);
	jw_kbool(&w, "success", code == 0);
	jw_kstr(&w, "dataId", id);
	jw_key(&w, "error");
	if (code) {
		jw_obj(&w);
		jw_ki64(&w, "code", code);
		jw_kcstr(&w, "type", type);
		jw_kcstr(&w, "message", message);
		jw_end(&w);
	} else {
		jw_null(&w);
	}
	jw_key(&w, "data");
	jw_null(&w);
	jw_end(&w);
	(void)!jw_done(&w); // the caller looks at the buffer
	buf_add_cstr(out, "@@");
}
