// Shared by the files of notify/ only.
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "model/model.h"
#include "notify/notify.h"
#include "store/store.h"
#include "model/held.h"

#define VIA_CHANNEL "channel"
#define VIA_WEBHOOK "webhook"

struct channel {                // a record of type `channel` or `webhook`
	struct str via;
	int64_t id;
	struct str name, kind, url, from, user, tls, template, success, receipt, area;
	struct str secret;          // set only for a message on its way
	bool enabled, urgent_only;
	int64_t tries, retry_s, merge_s, rate; // rate: messages a minute
	int64_t fallback;           // the channel that stands in when this one gives up, 0 = none
	struct str types, events;   // webhook: ",warning,hazard," (empty = all) and ",created,moved,"
};

struct outgoing {               // a message on its way; lives in its own arena
	struct arena *arena;
	int64_t id, tries, count;
	struct str mid, kind, to, body, subject, stamp;
	struct channel ch;
};

struct outcome {
	int64_t id, tries;
	struct channel ch;          // strings live in the outgoing's arena
	bool ok, final;             // final: trying again makes no sense
	int64_t after_s;            // the other side said when (Retry-After), 0 = not
	struct str error, receipt;
};

// channel.c ---------------------------------------------------------------------------------------
// All channels and webhooks that are not retired. Any connection.
enum err channels_read(struct db *db, const struct registry *reg, struct arena *a, struct channel **ret, size_t *ret_n) must_check;
const struct channel *channel_find(const struct channel *v, size_t n, struct str via, int64_t id);
struct person {
	int64_t id;
	struct str name, lang, mail, phone, wecom, area, quiet_from, quiet_to, ways; // ways: ",mail,sms,"
};
enum err person_read(struct db *db, const struct registry *reg, int64_t id, struct arena *a, struct person *ret) must_check;
// more: ",mail,": kinds besides the ways he chose. Empty: cannot be reached that way, or does not want to be.
struct str person_address(const struct person *p, struct str kind, struct str more);
bool listed(struct str list, struct str name); // ",a,b,"

// secret.c ----------------------------------------------------------------------------------------
// Of a channel or webhook, in the clear, in a; empty if it has none. ERR_CORRUPT: it was sealed under another key.
enum err secret_read(struct db *db, const struct auth *au, struct str via, int64_t id, struct arena *a, struct str *ret) must_check;
bool secret_fits(struct db *db, const struct auth *au, int64_t channel, struct str secret);

// expand.c ----------------------------------------------------------------------------------------
// Inside a store job: notices and changes since the last time become messages. *ret_more: there is more to do.
enum err expand(struct db *db, const struct registry *reg, const struct channel *chs, size_t nchs, int64_t now,
                struct arena *a, bool *ret_more) must_check;
struct new_message {
	struct str via, kind, address, mergekey, type, body;
	int64_t channel, person, record, parts, next_at;
	bool urgent;
};
enum err message_add(struct db *db, const struct new_message *m, int64_t now, struct arena *a, int64_t *ret_id) must_check;

// fallback.c --------------------------------------------------------------------------------------
// Inside the job that gave the message of the outcome up: another one by the channel that stands in, if there is one and the
// person can be reached by it.
enum err fall_back(struct db *db, const struct registry *reg, const struct channel *chs, size_t nchs, const struct outcome *o, int64_t now,
                   struct arena *a) must_check;

// message.c ---------------------------------------------------------------------------------------
// What is sent: the body of a notice is made of its parts now. Inside a store job or on a reader.
enum err message_text(struct db *db, struct outgoing *o, struct str lang, struct str site) must_check;
struct str json_text(struct str s, struct arena *a); // the inside of a JSON string

// send.c ------------------------------------------------------------------------------------------
struct sender;
struct sender *sender_new(void);
void sender_free(struct sender *s);
bool sender_room(const struct sender *s);
void sender_start(struct sender *s, struct outgoing *o); // owns o until its outcome is taken
// Waits up to ms for something to happen, drives the transfers. Outcomes are taken until NULL; then their messages freed.
void sender_wait(struct sender *s, int ms);
struct outgoing *sender_done(struct sender *s, struct outcome *ret);
size_t sender_busy(const struct sender *s);
void sender_wake(struct sender *s); // any thread
