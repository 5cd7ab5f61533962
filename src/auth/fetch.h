// One bounded HTTPS exchange by libcurl, waited for: what a single sign-on says. Any thread.
#pragma once

#include "base/arena.h"

struct fetch {
	struct str url;         // https://…; http:// only to this machine
	struct str form;        // body of a POST (application/x-www-form-urlencoded), or empty: GET
	struct str user, password; // Basic, or empty
	struct str ca;          // certificate authority (PEM), or empty: those of the system
};
// The address read by libcurl, for curl_url_cleanup; NULL: it is none, or has what curl would trim or a header would break at.
struct Curl_URL *fetch_url_read(struct str url);
// https, or http to a loopback host; no user or password in it. Nothing else is fetched, and no browser is sent elsewhere.
bool fetch_url_ok(struct str url);
// The body of an answer with status 200, in a; at most LIMIT_DIRECTORY_ANSWER bytes, LIMIT_DIRECTORY_SECONDS. Redirects are
// not followed. False: *ret_why says why, in English, without anything secret.
bool fetch_run(const struct fetch *f, struct arena *a, struct str *ret_body, struct str *ret_why);
struct str url_text(struct str s, struct arena *a); // percent-encoded but for the unreserved of RFC 3986
