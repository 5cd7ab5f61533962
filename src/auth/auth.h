// People, passwords, sessions, device keys, and the one place where rights are decided. A person is a record of
// type `person`; its credential (Argon2id) is apart, in a table no record API reaches.
#pragma once

#include "model/model.h"
#include "store/store.h"

struct identity {           // who is asking; lives in the request's arena
	int64_t person;         // 0 = the system itself, or nobody
	bool system;            // made by identity_system only: may everything. A zeroed identity may nothing.
	struct str name;        // login name
	struct str title;       // name of the person
	struct str lang;        // "zh" or "en"
	const struct role **roles;
	size_t nroles;
	struct scope scope;     // own area and below × own enterprise
	int64_t session;        // row id, 0 = none
	struct str peer;        // address, for the audit
};

// ---- decisions: every handler and every move asks here, nobody else decides --------------------
bool auth_has_role(const struct identity *id, struct str role);
bool auth_may(const struct identity *id, const char *permission); // see struct role.may
bool auth_may_create(const struct identity *id, const struct type *t);
bool auth_may_read(const struct identity *id, const struct type *t);
bool auth_may_edit(const struct identity *id, const struct type *t);
bool auth_may_retire(const struct identity *id, const struct type *t);
bool auth_in_scope(const struct identity *id, struct str area, int64_t enterprise);
// What the caller may see of one type: his own scope, except that types which belong to no enterprise (area,
// organisation, duty roster …) are not narrowed to one, and the register of areas is for all who may read it.
struct scope auth_scope(const struct identity *id, const struct type *t);
// May these roles (a MENUS value, ",duty,town,") be given to this person? The administrator, the security officer and the
// auditor are kept apart from each other and from business (GB/T 22239-2019: 8.1.4.2 separation of administrators'
// rights; 8.1.5.1 system, 8.1.5.2 audit, 8.1.5.3 security administration), nobody changes his own roles, and only who
// manages users grants any. person 0 = a new one. ERR_INVALID or ERR_FORBIDDEN with field "role".
enum err auth_check_grant(const struct identity *by, int64_t person, struct str old_roles, struct str new_roles,
                          struct problem *p) must_check;
bool auth_sees_masked(const struct identity *id, const struct field *f); // true: personal data in the clear
// The prefix of an area code (2, 4, 6, 9 or 12 digits without trailing zero groups): what lies below it starts with it.
// A slice of code. Province 2, city 2, county 2 digits (GB/T 2260-2007), town 3 (GB/T 10114-2003), village 3 (the code of
// statistical areas, 统计用区划代码).
struct str area_prefix(struct str code);
struct identity identity_system(void);

// ---- logging in --------------------------------------------------------------------------------
struct auth;                // login throttle (in memory) + store
enum err auth_open(struct auth **ret, struct store *s) must_check;
void auth_close(struct auth *au);
// Password by Argon2id. Throttled by name and by peer; the same answer and time for an unknown name and a wrong
// password. token: 32 characters + NUL; only its SM3 is stored. Writes the audit entry in either case.
enum err auth_login(struct auth *au, struct str name, struct str password, struct str peer, char ret_token[33],
                    struct problem *p) must_check;
enum err auth_logout(struct auth *au, const struct identity *id) must_check;
// ERR_UNAUTHENTICATED if the token is unknown, revoked or older than its life (12 h without use, 7 d at most).
enum err auth_session(struct auth *au, const struct registry *reg, struct str token, struct arena *a,
                      struct identity *ret) must_check;
// Is this the person's password? For moves that are signed. ERR_FORBIDDEN if not, ERR_THROTTLED after too many tries.
// About 30 ms of Argon2: ask before the store job, not in it.
enum err auth_check_password(struct auth *au, const struct identity *id, struct str password) must_check;
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

// ---- devices -----------------------------------------------------------------------------------
// A new random key for the device; only its SM3 is stored. key: 32 characters + NUL, shown once.
enum err device_new_key(struct db *db, const struct identity *by, int64_t device, char ret_key[33], struct problem *p) must_check;
// The key itself chosen by the caller (import of existing field devices, tests): at least 6 characters.
enum err device_set_key(struct db *db, const struct identity *by, int64_t device, struct str key, struct problem *p) must_check;
// False for a device without a key too (whether it may do without is the device record's business).
bool device_key_ok(struct db *db, int64_t device, struct str key);
// Whose key is this? Only for keys that device_new_key made; 0 = nobody's.
int64_t device_by_key(struct db *db, struct str key);
