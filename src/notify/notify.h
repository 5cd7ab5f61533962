// Messages that leave the platform: mail (SMTP) and webhooks (HTTP POST of JSON: SMS and WeCom gateways, other systems).
// A thread of its own reads what is to be said from the tables that hold it anyway - notices to persons, and the audit
// chain for events of records - so whatever was committed is said even after a crash, and nobody has to call here.
// Every message has an id that stays the same through every repetition (at least once; the receiver drops repetitions).
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/jw.h"
#include "base/str.h"

struct arena;
struct auth;
struct db;
struct registry;
struct store;
struct notify;

struct notify_config {
	struct store *store;
	const struct auth *auth; // opens the secrets of channels
	struct str site;        // name of the platform, in subjects
};

// At start: seals what an older version kept in the clear, and leaves nothing of it in the file.
enum err notify_seal_secrets(struct store *store, const struct auth *au, struct problem *p) must_check;
// Starts the thread. Never NULL: without a thread the process ends.
struct notify *notify_start(const struct notify_config *cfg);
void notify_wake(struct notify *n);  // something was committed; any thread, cheap
void notify_stop(struct notify *n);  // waits at most for the transfers under way (10 s)

// ---- for api/ ----------------------------------------------------------------------------------
struct notify_log_query {
	struct str state;       // empty = all
	int64_t channel, person; // 0 = all
	int64_t before;         // ids below; 0 = newest
	size_t limit;
};
// {"items":[…],"channels":[…]}: messages newest first, and how each channel and webhook is doing. Addresses and bodies
// are not in it.
enum err notify_log_json(struct db *db, const struct registry *reg, const struct notify_log_query *q, struct jw *w,
                         struct arena *a) must_check;
enum err notify_message_json(struct db *db, const struct registry *reg, int64_t id, struct jw *w, struct arena *a) must_check;
// Messages made with from <= created < to, oldest first, at most limit: without whom they went to and what they said.
struct message_then {
	struct str via, kind, type, state, error; // as in the log
	int64_t channel, record, parts, created_at, sent_at, receipt_at, tried_at; // 0 = not
};
enum err notify_span(struct db *db, int64_t from, int64_t to, size_t limit, struct arena *a, struct message_then **ret,
                     size_t *ret_n) must_check;
// Inside a store job: a test message over a channel to an address, or to a webhook (address empty).
enum err notify_test(struct db *db, const struct registry *reg, struct str via, int64_t channel, struct str address,
                     int64_t person, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
// Inside a store job: the password, token or key of a channel or webhook; empty = none. It is kept sealed (auth_seal);
// nothing reads it back but notify/.
enum err notify_set_secret(struct db *db, const struct auth *au, struct str via, int64_t channel, struct str secret) must_check;
// Inside a store job: what a gateway says later about a message. id: ours or the gateway's. ERR_FORBIDDEN if secret is not
// the channel's, ERR_NOT_FOUND if the message is unknown.
enum err notify_receipt(struct db *db, const struct auth *au, int64_t channel, struct str secret, struct str id, bool delivered,
                        struct str text) must_check;

// ---- pure, for tests ---------------------------------------------------------------------------
// The end of the quiet hours ("22:00" to "07:00", site zone, may span midnight) that now lies in, or now.
int64_t notify_quiet_end(struct str from, struct str to, int64_t now);
// Seconds until the next try after `tries` tries: base, doubled each time, at most an hour.
int64_t notify_backoff(int64_t base_s, int64_t tries);
// A template with {to} {text} {title} {id} {time} {count} {kind} {site} filled in, each as the inside of a JSON string.
struct notify_words {
	struct str to, text, title, id, time, kind, site;
	int64_t count;
};
struct str notify_fill(struct str template, const struct notify_words *w, struct arena *a);
// "sha256=" and 64 hex digits of HMAC-SHA256 (RFC 2104, FIPS 180-4) over TIME "." BODY.
struct str notify_sign(struct str secret, struct str time, struct str body, struct arena *a);
// An RFC 5322 message in UTF-8, base64 (RFC 2045, 2047).
struct str notify_mail(struct str from, struct str to, struct str subject, struct str text, struct str mid, int64_t at,
                       struct arena *a);
