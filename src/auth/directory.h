// A login directory of the county, as its record says, and the parts that speak to it. Inside of auth/ and for its tests.
#pragma once

#include "auth/auth.h"
#include "base/arena.h"

enum directory_kind { DIRECTORY_LDAP, DIRECTORY_OIDC };

struct directory {
	int64_t id;
	enum directory_kind kind;
	bool enabled, plain;
	struct str name, url, ca;
	struct str secret;      // in the clear; empty: none is stored
	bool secret_stale;      // one is stored, but for another address
	struct str account, base, attribute, filter, template;
	struct str client, claim, scopes;
};

// ---- directory.c -------------------------------------------------------------------------------
// ERR_NOT_FOUND: no such record, or retired. Any connection.
enum err directory_read(struct db *db, const struct registry *reg, const struct auth *au, int64_t id, struct arena *a,
                        struct directory *ret) must_check;
enum err directory_now(struct auth *au, int64_t id, struct arena *a, struct directory *ret) must_check; // the same, read now
enum err directory_off(struct problem *p); // ERR_UNAVAILABLE: it is switched off or gone, and what to do
// At most LIMIT_DIRECTORY_BUSY threads wait for directories; ERR_UNAVAILABLE beyond. Each OK is followed by one leave.
enum err directory_enter(struct auth *au, struct problem *p) must_check;
void directory_leave(struct auth *au);
// 127.0.0.0/8, ::1 (also in brackets) or localhost, exactly.
bool host_is_loopback(struct str host);
// The directory cannot be spoken to: ERR_UNAVAILABLE with why and what to do. why: a library's English text.
enum err directory_away(const struct directory *d, const char *why, struct problem *p);
// A step of a trial; t may be NULL (a login). Formats as in problem_set. Returns ok.
bool trial_step(struct directory_trial *t, const char *name, bool ok, const char *zh, const char *en, ...) printf_like(4, 6)
	printf_like(5, 6);

// ---- ldap.c ------------------------------------------------------------------------------------
struct str ldap_filter_text(struct str s, struct arena *a); // RFC 4515 section 3: an assertion value
struct str ldap_dn_text(struct str s, struct arena *a);     // RFC 4514 section 2.4: an attribute value
// The name to bind with, by a template with {name}: a DN, or (without "=") a user principal name. False if the template has
// no {name}, or a character of the name does not belong into a principal name.
bool ldap_bind_name(struct str template, struct str name, struct arena *a, struct str *ret);
// Is every address one that a password may be sent to? ERR_INVALID with what is wrong.
enum err ldap_urls_check(struct str urls, bool plain, struct problem *p) must_check;
// Is this the password of that login name? At most LIMIT_DIRECTORY_SECONDS (and what the system's resolver takes for the
// name of the host). An empty password is wrong without asking. ERR_UNAVAILABLE: not known, p says why.
// t: every step is noted; with an empty password the trial ends before it.
enum err ldap_check(const struct directory *d, struct str name, struct str password, struct directory_trial *t,
                    struct arena *a, bool *ret_ok, struct problem *p) must_check;
