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
	uint8_t key[32];        // of secret.key
	uint8_t flow_key[32];   // of this process: seals what a single sign-on on its way leaves in the browser
	_Atomic int directory_busy; // threads that wait for a directory
	struct oidc *oidc;      // keys of single sign-ons, in memory
};

// ---- secret.c ----------------------------------------------------------------------------------
enum err secret_open(struct auth *au, const char *dir, struct problem *p) must_check;
// As auth_seal and auth_unseal, under a key of the caller's.
enum err key_seal(const uint8_t key[32], const char *what, int64_t whose, struct str plain, struct arena *a, struct str *ret) must_check;
enum err key_unseal(const uint8_t key[32], const char *what, int64_t whose, struct str sealed, struct arena *a, struct str *ret) must_check;

// ---- totp.c: inside a job ----------------------------------------------------------------------
enum factor { FACTOR_NONE, FACTOR_OK, FACTOR_WANTED, FACTOR_WRONG };
// Does the person have a second factor, and is this its code? A code that is right is used up.
enum err factor_check(struct db *db, const struct auth *au, int64_t person, struct str code, enum factor *ret) must_check;
enum err factor_exists(struct db *db, int64_t person, bool *ret) must_check;

// ---- token.c: what a token leaves of a right; true of sessions ---------------------------------
bool token_may_read(const struct identity *id, const struct type *t);
bool token_may(const struct identity *id, const char *permission);

// ---- throttle.c: failures by key, in memory; any thread ----------------------------------------
struct throttle *throttle_new(void);
void throttle_free(struct throttle *t);
bool throttle_blocked(struct throttle *t, char kind, struct str who, int64_t now); // kind: 'n' name, 'p' peer, 's' signing, 'c' code
void throttle_fail(struct throttle *t, char kind, struct str who, int64_t now);
// Somebody has logged in: his own failures are forgiven, and as many of his address. Not those of the other names that were tried from
// there: with one account of one's own one could else try one password at all the others, as fast as one likes.
void throttle_forgive(struct throttle *t, struct str name, struct str peer);
void throttle_clear(struct throttle *t, char kind, struct str who);

// ---- password.c --------------------------------------------------------------------------------
struct str password_of_nobody(struct arena *a); // an encoded hash of no password: it takes as long to be refused as any other
bool password_matches(struct str encoded, struct str password);
enum err credential_read(struct db *db, int64_t person, struct arena *a, struct str *ret_encoded) must_check; // ERR_NOT_FOUND
// The person's record, whatever his area; retired ones too.
enum err person_get(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct row *ret) must_check;
struct str person_text(const struct registry *reg, const struct row *row, const char *column); // empty if not there
int64_t person_int(const struct registry *reg, const struct row *row, const char *column);     // 0 if not there

// The directory by which the person logs in; 0: by the password kept here, as everybody who may "user.manage".
int64_t person_directory(const struct registry *reg, const struct row *row);
// Whose password is asked for, and what is known of it.
struct prover {
	int64_t person, directory; // 0 = nobody; none
	struct str login, encoded; // encoded: of auth.nobody if there is none
};
// Is the password right? By what is kept here, or by the LDAP directory; waits for the network. sign: somebody who is logged
// in signs (a person of a single sign-on has a password here for that alone).
enum err password_prove(struct auth *au, const struct prover *v, struct str password, bool sign, bool *ret_ok,
                        struct problem *p) must_check;

// ---- auth.c: after somebody has proved who he is to a directory --------------------------------
// Second factor, throttle, session and audit entry as of any login. ERR_UNAUTHENTICATED (field "code").
enum err login_by_directory(struct auth *au, int64_t person, struct str name, int64_t directory, struct str code, struct str peer,
                            char ret_token[33], struct problem *p) must_check;
enum err login_failed_there(struct auth *au, int64_t person, struct str name, struct str peer, struct problem *p) must_check;

// ---- session.c ---------------------------------------------------------------------------------
// Inside a job: a new session and its audit entry; ends those that are too old or too many.
// how: what the person proved.
enum proof { PROOF_PASSWORD, PROOF_FACTOR, PROOF_DEMO };
enum err session_open(struct db *db, int64_t person, struct str name, struct str peer, const char *action,
                      enum proof how, const char token[TOKEN_LEN]) must_check;
// Name, title, language, roles and scope of a person's row.
void identity_of(const struct registry *reg, const struct row *person, struct arena *a, struct identity *ret);
// {"peer":"…"} in a.
struct str peer_detail(struct str peer, struct arena *a);
struct str way_detail(struct str peer, const char *way, struct arena *a); // {"peer":"…","way":"ldap"}; way NULL: without
