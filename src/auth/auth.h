// People, passwords, sessions, device keys, and the one place where rights are decided. A person is a record of
// type `person`; its credential (Argon2id) is apart, in a table no record API reaches.
#pragma once

#include "base/hash.h"
#include "model/model.h"
#include "store/store.h"

struct identity {           // who is asking; lives in the request's arena
	int64_t person;         // 0 = the system itself, or nobody
	int64_t actor;          // who really sits there when he acts for `person` by delegation; 0 = person himself
	int64_t organisation;   // he is of, 0 = none
	bool system;            // made by identity_system only: may everything. A zeroed identity may nothing.
	struct str name;        // login name
	struct str title;       // name of the person
	struct str lang;        // "zh" or "en"
	const struct role **roles;
	size_t nroles;
	struct scope scope;     // own area and below × own enterprise × own sectors
	int64_t session;        // row id, 0 = none
	struct str peer;        // address, for the audit
	bool must_enrol;        // his role needs a second factor and he has none: nothing but setting it up is open to him
	bool second_factor;     // he has one
	bool export;            // what is written is a file to take away: personal data stays masked for everybody
	int64_t token;          // row id of a personal access token, 0 = a session
	struct str scopes;      // of the token: ",records:read:hazard,ogc,"
	const char *reach;      // of a token's call: the part of the API it is in, "records", "readings", "ogc"; set by api/
	int64_t done_at;        // us: when it was really done, as the device says that had no signal then (never after its arrival); 0 = now
	int64_t batch;          // the import whose rows these are: their records carry it, nobody is told row by row. 0 = none
};

// ---- decisions: every handler and every move asks here, nobody else decides --------------------
bool auth_has_role(const struct identity *id, struct str role);
bool auth_may(const struct identity *id, const char *permission); // see struct role.may
bool auth_may_create(const struct identity *id, const struct type *t);
bool auth_may_read(const struct identity *id, const struct type *t);
bool auth_may_edit(const struct identity *id, const struct type *t);
bool auth_may_retire(const struct identity *id, const struct type *t);
bool auth_in_scope(const struct identity *id, struct place p);
// What the caller may see of one type: his own scope, except that types which belong to no enterprise (area,
// organisation, duty roster …) are not narrowed to one, and the register of areas is for all who may read it.
struct scope auth_scope(const struct identity *id, const struct type *t);
// A field with rights of its own (read:, edit:). Who may not read it may not write it either.
bool auth_may_read_field(const struct identity *id, const struct field *f);
bool auth_may_edit_field(const struct identity *id, const struct field *f);
bool auth_sees_masked(const struct identity *id, const struct field *f); // true: personal data in the clear
// May ask for the personal data of one record in the clear, with a reason (role option unmask). Never by token.
bool auth_may_reveal(const struct identity *id);
// May change records of the type at all: always true of a session; a token needs the scope records:write (or of the type).
bool auth_may_write(const struct identity *id, const struct type *t);
// Persons are made and changed by "user.manage" (everywhere in scope, every role but his own) and "user.manage.below":
// people of his own area and below (and his own enterprise), who have and get no roles but those his roles manage, and
// never himself. old NULL: a new one; now NULL: password or lock only. Nobody changes his own roles. The administrator, the
// security officer and the auditor are kept apart from each other and from business (GB/T 22239-2019: 8.1.4.2 separation
// of administrators' rights; 8.1.5.1 system, 8.1.5.2 audit, 8.1.5.3 security administration).
// ERR_FORBIDDEN, ERR_INVALID with the field.
struct person_facts { int64_t id; struct str roles /* ",a,b," */, area; int64_t enterprise; struct str sectors /* ",a,b," */; };
enum err auth_check_person(const struct identity *by, const struct person_facts *old, const struct person_facts *now,
                           struct problem *p) must_check;
// The prefix of an area code (2, 4, 6, 9 or 12 digits without trailing zero groups): what lies below it starts with it.
// A slice of code. Province 2, city 2, county 2 digits (GB/T 2260-2007), town 3 (GB/T 10114-2003), village 3 (the code of
// statistical areas, 统计用区划代码).
struct str area_prefix(struct str code);
struct identity identity_system(void);
// What a session of this person would be; ERR_NOT_FOUND if there is no such person or he is retired.
enum err auth_identity(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret) must_check;

// ---- acting for somebody on leave --------------------------------------------------------------
struct delegation { int64_t id, person, deputy, starts, until, made_at, ended_at; struct str reason; };
// by gives his duties to the deputy from starts to until (at most 180 days). Roles of administrators are not given and not
// received. Inside a job.
enum err auth_delegate(struct db *db, const struct registry *reg, const struct identity *by, int64_t deputy, int64_t starts,
                       int64_t until, struct str reason, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
enum err auth_delegation_end(struct db *db, const struct identity *by, int64_t id, struct problem *p) must_check; // either side
enum err auth_delegations(struct db *db, const struct identity *by, struct arena *a, struct delegation **ret, size_t *ret_n) must_check;
// Turns the caller into `person`, for whom he acts by a delegation in force: his roles and scope, .actor the caller, the
// title says both. ERR_FORBIDDEN without one. Nobody acts for himself or passes it on.
enum err auth_act_for(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *id,
                      struct problem *p) must_check;

// ---- logging in --------------------------------------------------------------------------------
struct auth;                // login throttle (in memory) + store
// dir: the data folder; its file secret.key (made at the first start, 0600) encrypts the secrets kept in the database.
// ERR_FORBIDDEN if others can read it, ERR_CORRUPT if it is not ours.
enum err auth_open(struct auth **ret, struct store *s, const char *dir, struct problem *p) must_check;
void auth_close(struct auth *au);
// Password by Argon2id. Throttled by name and by peer; the same answer and time for an unknown name and a wrong
// password. token: 32 characters + NUL; only its SM3 is stored. Writes the audit entry in either case.
// code: of the second factor, six digits or a recovery code; empty: if the person has one, ERR_UNAUTHENTICATED with field
// "code" asks for it (the password was right, no session is made).
enum err auth_login(struct auth *au, struct str name, struct str password, struct str code, struct str peer,
                    char ret_token[33], struct problem *p) must_check;
// The person as he is now, without a session: for work that goes on after his request (an import). ERR_UNAUTHENTICATED
// if he is retired or gone.
enum err auth_person(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret) must_check;
// Is the session of an identity that was read some time ago still open, with the same roles and scope? Roles are compared by name.
bool auth_still(struct auth *au, const struct registry *reg, const struct identity *id);
enum err auth_logout(struct auth *au, const struct identity *id) must_check;
// ERR_UNAUTHENTICATED if the token is unknown, revoked or older than its life (12 h without use, 7 d at most).
enum err auth_session(struct auth *au, const struct registry *reg, struct str token, struct arena *a,
                      struct identity *ret) must_check;
// What a session of that person would be, without one. ERR_NOT_FOUND. Any thread.
enum err auth_person_identity(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret) must_check;
// Is this the person's password, here or in his LDAP directory? For moves that are signed. ERR_FORBIDDEN if not,
// ERR_THROTTLED after too many tries, ERR_UNAVAILABLE (p says why) if the directory does not answer.
// About 30 ms of Argon2, or a wait for the network: ask before the store job, not in it.
enum err auth_check_password(struct auth *au, const struct identity *id, struct str password, struct problem *p) must_check;
enum err auth_set_password(struct auth *au, const struct identity *by, int64_t person, struct str password,
                           struct problem *p) must_check;
// The two halves of it, for a job that creates the person as well. auth_encode_password checks the rules (at least 10
// characters, 5 different ones, not the login name) and is slow; auth_put_credential runs in a job, ends the person's
// other sessions and writes the audit entry.
enum err auth_encode_password(struct str login, struct str password, struct arena *a, struct str *ret_encoded,
                              struct problem *p) must_check;
enum err auth_put_credential(struct db *db, const struct identity *by, int64_t person, struct str encoded) must_check;
// Inside a job, by the system (first start, `anlan user`): no old password, same rules.
enum err auth_set_password_in(struct db *db, const struct registry *reg, int64_t person, struct str password, struct problem *p) must_check;
enum err auth_count_credentials(struct db *db, int64_t *ret) must_check;
// One's own session, or any for who may "session.manage".
enum err auth_revoke(struct auth *au, const struct identity *by, int64_t session) must_check;
// Only under --demo on loopback: a session of the demo person of that role without a password.
enum err auth_demo_login(struct auth *au, struct str role, struct str peer, char ret_token[33], struct problem *p) must_check;
// The title of that person, for the login page; in the arena. ERR_NOT_FOUND if nobody has the role.
enum err auth_demo_title(struct db *db, const struct registry *reg, struct str role, struct arena *a, struct str *ret) must_check;
// Newest first: one's own; all of them for who may "session.manage".
struct session_info { int64_t id, person, created_at, seen_at; struct str peer; bool current; };
enum err auth_sessions(struct auth *au, const struct identity *id, struct arena *a, struct session_info **ret, size_t *ret_n) must_check;

// ---- second factor (RFC 6238: SHA-1, 6 digits, 30 s) -------------------------------------------
#define RECOVERY_CODES 10
#define RECOVERY_TEXT 20    // "xxxx-xxxx-xxxx-xxxx" and NUL
// A new secret, shown this once: base32, and as otpauth:// address for the phone's camera. It counts when confirmed.
// ERR_FORBIDDEN: wrong password (field "password"); ERR_CONFLICT: there is one already.
enum err auth_totp_start(struct auth *au, const struct identity *id, struct str password, struct arena *a,
                         struct str *ret_secret, struct str *ret_uri, struct problem *p) must_check;
// The first code proves that the phone has it. Ends the person's other sessions; the codes are shown this once.
enum err auth_totp_confirm(struct auth *au, const struct identity *id, struct str code,
                           char ret_codes[RECOVERY_CODES][RECOVERY_TEXT], struct problem *p) must_check;
// One's own with password and code; of others (a lost phone) who may "session.manage", without. ERR_NOT_FOUND: none there.
enum err auth_totp_remove(struct auth *au, const struct identity *id, int64_t person, struct str password, struct str code,
                          struct problem *p) must_check;
// Inside a job, by `anlan user`.
enum err auth_totp_remove_in(struct db *db, const struct identity *by, int64_t person) must_check;

// ---- secrets at rest (AES-256-GCM under DIR/secret.key) ----------------------------------------
// what: names the use ("totp", "webhook"); with it and whose the text cannot be moved to another place. In a.
// A digest that only who has secret.key can compute again; the caller adds and ends it.
void auth_digest_begin(const struct auth *au, struct sm3 *ret);
enum err auth_seal(const struct auth *au, const char *what, int64_t whose, struct str plain, struct arena *a,
                   struct str *ret) must_check;
enum err auth_unseal(const struct auth *au, const char *what, int64_t whose, struct str sealed, struct arena *a,
                     struct str *ret) must_check; // ERR_CORRUPT

// ---- login directories (records of type `directory`) -------------------------------------------
// A person whose record names a directory logs in by it, with the same login name; who may "user.manage" never does.
struct login_way { int64_t id; struct str name; };
// The single sign-ons that the login page offers.
enum err auth_login_ways(struct auth *au, struct arena *a, struct login_way **ret, size_t *ret_n) must_check;
// Seals and stores the secret for the address the record has now; nothing reads it back. ERR_NOT_FOUND, ERR_INVALID.
enum err auth_directory_secret(struct auth *au, const struct identity *by, int64_t id, struct str secret, struct problem *p) must_check;
struct directory_step { const char *name; bool ok; struct str zh, en; };
struct directory_trial { struct arena *a; struct directory_step v[10]; size_t n; };
// Tries the directory step by step: LDAP with a login name and, if given, its password (throttled like a login). Waits for the
// network, at most 2 x LIMIT_DIRECTORY_SECONDS. What does not work is a step that is not ok, not an error.
enum err auth_directory_test(struct auth *au, const struct identity *by, int64_t id, struct str name, struct str password,
                             struct str site_url, struct directory_trial *t, struct problem *p) must_check;
// Single sign-on (OpenID Connect Core 1.0, code flow with PKCE). begin: where to send the browser (empty: to the login page,
// which finishes it) and a cookie for it. callback: what the provider says. Neither fails: what they find is in the cookie.
// finish: the session, as auth_login, or what went wrong. site_url: of this platform, as registered at the provider.
struct oidc_answer { struct str code, state, issuer, error; };
void auth_oidc_begin(struct auth *au, int64_t id, struct str site_url, struct str peer, struct arena *a, struct str *ret_url,
                     struct str *ret_cookie);
void auth_oidc_callback(struct auth *au, int64_t id, struct str site_url, const struct oidc_answer *said, struct str cookie,
                        struct str peer, struct arena *a, struct str *ret_cookie);
enum err auth_oidc_finish(struct auth *au, struct str cookie, struct str code, struct str peer, char ret_token[33],
                          struct problem *p) must_check;

// ---- personal access tokens --------------------------------------------------------------------
// Scopes: records:read, records:write (reading too), each also :TYPE; readings; ogc. At most the person's own rights:
// they are asked at every call. Shown once, only the digest is kept; ends after at most a year.
#define ACCESS_TOKEN_TEXT 37 // "anl_" + 32 characters + NUL
#define ACCESS_TOKEN_LIFE (366 * US_PER_DAY)
struct access_token { int64_t id, person, created_at, expires_at, seen_at; struct str name, scopes, peer; };
// scopes: ",a,b,". expires_at 0: after 90 days. ERR_INVALID with field "name", "scopes" or "expires_at".
enum err auth_token_new(struct auth *au, const struct registry *reg, const struct identity *by, struct str name,
                        struct str scopes, int64_t expires_at, char ret_token[ACCESS_TOKEN_TEXT],
                        struct access_token *ret, struct problem *p) must_check;
// One's own; of everybody for who may "session.manage". Ended ones are not listed.
enum err auth_tokens(struct db *db, const struct identity *by, struct arena *a, struct access_token **ret,
                     size_t *ret_n) must_check;
enum err auth_token_end(struct auth *au, const struct identity *by, int64_t token, struct problem *p) must_check;
// Whose token is it? login: what the caller says he is, or empty. Fills ret as auth_session does, with .token and .scopes.
enum err auth_token(struct auth *au, const struct registry *reg, struct str login, struct str token, struct str peer,
                    struct arena *a, struct identity *ret) must_check;
bool auth_is_access_token(struct str token); // by its form
// May the token be used in this part of the API ("records", "readings", "ogc", "any")? True of sessions.
bool auth_token_reaches(const struct identity *id, const char *reach);

// ---- devices -----------------------------------------------------------------------------------
// A new random key for the device; only its SM3 is stored. key: 32 characters + NUL, shown once.
enum err device_new_key(struct db *db, const struct identity *by, int64_t device, char ret_key[33], struct problem *p) must_check;
// The key itself chosen by the caller (import of existing field devices, tests): at least 6 characters.
enum err device_set_key(struct db *db, const struct identity *by, int64_t device, struct str key, struct problem *p) must_check;
// False for a device without a key too (whether it may do without is the device record's business).
bool device_key_ok(struct db *db, int64_t device, struct str key);
// A device whose messages arrive encrypted (bytes: of its protocol's key): its key is stored sealed, since it must open them, in the
// place of a digest. false: it has none, or secret.key is another.
enum err device_set_cipher_key(struct db *db, const struct auth *au, const struct identity *by, int64_t device,
                               struct str key, size_t bytes, struct problem *p) must_check;
enum err device_new_cipher_key(struct db *db, const struct auth *au, const struct identity *by, int64_t device,
                               size_t bytes, char ret_key[33], struct problem *p) must_check;
bool device_cipher_key(struct db *db, const struct auth *au, int64_t device, struct arena *a, struct str *ret);
// Who fails to open what it sends waits as who fails to log in, by address.
bool device_throttled(struct auth *au, struct str peer);
void device_failed(struct auth *au, struct str peer);
// Whose key is this? Only for keys that device_new_key made; 0 = nobody's.
int64_t device_by_key(struct db *db, struct str key);
