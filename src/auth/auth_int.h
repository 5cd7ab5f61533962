// What the files of auth/ share and nobody else includes.
#pragma once

#include <pthread.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/err.h"

#define SESSION_IDLE (12 * US_PER_HOUR)
#define SESSION_LIFE (7 * US_PER_DAY)
#define TOKEN_LEN 32

struct throttle;

struct auth {
	struct store *store;
	struct throttle *throttle;
	struct str nobody;      // an encoded hash that no password has: an unknown name takes as long as a known one
	struct arena *arena;    // of nobody
};

// ---- throttle.c: failures by key, in memory; any thread ----------------------------------------
struct throttle *throttle_new(void);
void throttle_free(struct throttle *t);
bool throttle_blocked(struct throttle *t, char kind, struct str who, int64_t now); // kind: 'n' name, 'p' peer, 's' signing
void throttle_fail(struct throttle *t, char kind, struct str who, int64_t now);
void throttle_clear(struct throttle *t, char kind, struct str who);

// ---- password.c --------------------------------------------------------------------------------
enum err password_hash(struct str password, struct arena *a, struct str *ret_encoded) must_check;
bool password_matches(struct str encoded, struct str password);
enum err credential_read(struct db *db, int64_t person, struct arena *a, struct str *ret_encoded) must_check; // ERR_NOT_FOUND
// The person's record, whatever his area; retired ones too.
enum err person_get(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct row *ret) must_check;
struct str person_text(const struct registry *reg, const struct row *row, const char *column); // empty if not there

// ---- session.c ---------------------------------------------------------------------------------
// Inside a job: a new session and its audit entry; ends those that are too old or too many.
enum err session_open(struct db *db, int64_t person, struct str name, struct str peer, const char *action,
                      const char token[TOKEN_LEN]) must_check;
// {"peer":"…"} in a.
struct str peer_detail(struct str peer, struct arena *a);
