#include "auth/fetch.h"

#include <curl/curl.h>

#include "auth/directory.h"
#include "base/buf.h"
#include "base/limits.h"

struct str url_text(struct str s, struct arena *a)
{
	struct buf b;
	buf_init(&b, s.n * 3 + 1);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
		if (plain)
			buf_add_u8(&b, (uint8_t)c);
		else
			buf_printf(&b, "%%%02X", (unsigned)(uint8_t)c);
	}
	struct str r = arena_str(a, buf_str(&b));
	buf_free(&b);
	return r;
}

static bool part_is(CURLU *u, CURLUPart part, bool (*fits)(struct str s))
{
	char *text = NULL;
	bool ok = curl_url_get(u, part, &text, 0) == CURLUE_OK && fits(str_of(text));
	curl_free(text);
	return ok;
}

static bool is_https(struct str s) { return str_is(s, "https"); }
static bool is_http(struct str s) { return str_is(s, "http"); }
static bool is_some(struct str s) { return s.n > 0; }

struct Curl_URL *fetch_url_read(struct str url)
{
	char text[1001];
	if (!url.n || url.n >= sizeof text)
		return NULL;
	for (size_t i = 0; i < url.n; i++) // what curl would trim or a header would break at
		if ((uint8_t)url.p[i] <= ' ' || (uint8_t)url.p[i] >= 0x7f || url.p[i] == '\\')
			return NULL;
	memcpy(text, url.p, url.n);
	text[url.n] = 0;
	CURLU *u = curl_url();
	if (u && curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK)
		return u;
	curl_url_cleanup(u);
	return NULL;
}

bool fetch_url_ok(struct str url)
{
	CURLU *u = fetch_url_read(url);
	bool ok = u && !part_is(u, CURLUPART_USER, is_some) && !part_is(u, CURLUPART_PASSWORD, is_some) &&
	          !part_is(u, CURLUPART_FRAGMENT, is_some) &&
	          (part_is(u, CURLUPART_SCHEME, is_https) ||
	           (part_is(u, CURLUPART_SCHEME, is_http) && part_is(u, CURLUPART_HOST, host_is_loopback)));
	curl_url_cleanup(u);
	return ok;
}

static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	buf_add(b, p, size * n);
	return buf_ok(b) ? size * n : 0; // too much ends it
}

static void prepare(CURL *c, const struct fetch *f, struct arena *a, struct buf *body, char *error)
{
	curl_easy_setopt(c, CURLOPT_URL, arena_cstr(a, f->url));
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)LIMIT_DIRECTORY_SECONDS);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	if (f->ca.n) {
		struct curl_blob ca = { .data = (void *)(uintptr_t)f->ca.p, .len = f->ca.n, .flags = CURL_BLOB_COPY };
		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
	}
	if (f->user.n) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERNAME, arena_cstr(a, f->user));
		curl_easy_setopt(c, CURLOPT_PASSWORD, arena_cstr(a, f->password));
	}
	if (f->form.n) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)f->form.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, f->form.p);
	}
}

bool fetch_run(const struct fetch *f, struct arena *a, struct str *ret_body, struct str *ret_why)
{
	char error[CURL_ERROR_SIZE] = "";
	long status = 0;
	struct buf body;
	*ret_body = *ret_why = STR_EMPTY;
	if (!fetch_url_ok(f->url)) {
		*ret_why = STR("the address must be https");
		return false;
	}
	CURL *c = curl_easy_init();
	if (!c) {
		*ret_why = STR("libcurl does not start");
		return false;
	}
	buf_init(&body, LIMIT_DIRECTORY_ANSWER);
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	prepare(c, f, a, &body, error);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	CURLcode code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	bool ok = code == CURLE_OK && status == 200;
	if (ok)
		*ret_body = arena_str(a, buf_str(&body));
	else if (code == CURLE_OK)
		*ret_why = arena_printf(a, "HTTP %ld", status);
	else
		*ret_why = !buf_ok(&body) ? STR("the answer is too long") : arena_printf(a, "%s", *error ? error : curl_easy_strerror(code));
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	buf_free(&body);
	return ok;
}
