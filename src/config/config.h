// The packs in force and how they change while the server runs: read (shipped ones, the county's own over them), checked,
// compared with what is in force, with the records a change would touch, and put into force as a new version. What would
// lose data is refused unless a migration says what becomes of it (packs/*/migrations). The last version that was in force is
// kept in the database: a mistake made on disk while the server was down does not keep it from starting.
#pragma once

#include "auth/auth.h"
#include "model/pack_diff.h"
#include "model/pack_texts.h"
#include "store/store.h"

struct config;

// Takes over a checked registry: every thread sees it from now on. Called in the thread that put it into force.
typedef void config_put(void *arg, struct registry *reg);
// What a registry must pass besides its own check: rules, migrations and whatever else compiles files of packs. True if
// there is no mistake. Also what `anlan check` runs.
bool config_compiles(const struct registry *reg, struct diags *d);

struct config_options {
	struct store *store;
	struct str shipped;         // folder of the program's packs
	struct str own;             // the county's folder, DIR/packs; need not exist
	config_put *put;
	void *arg;
};

struct config_effect {          // what a change does to records
	struct str type, key;       // key: "fields.cost", "states.fixing", "items.a" …
	int64_t records;            // touched
	bool loses;                 // refused for it
	struct label says;
};

struct config_candidate {       // everything lives in the arena but reg
	struct pack_texts texts;
	struct pack_change *changes;
	size_t nchanges;
	struct config_effect *effects;
	size_t neffects;
	struct diags diags;
	struct registry *reg;       // NULL if there are mistakes
	char digest[2 * SM3_LEN + 1];
	bool refused;               // some effect loses data
};

// At start-up, when the store is open: loads and puts into force what is on disk, or, if that has mistakes (they are
// logged), what was in force last. ERR_INVALID with the diagnostics in d if there is neither.
enum err config_open(struct config **ret, const struct config_options *o, struct diags *d, struct problem *p) must_check;
void config_close(struct config *cf); // NULL is fine

// What is on disk now, with path's text replaced if path is not empty (an empty text takes the own file out), against what
// is in force. db: a reader. Candidate mistakes are in ret->diags, not an error. Free with config_candidate_free.
enum err config_look(struct config *cf, struct db *db, struct str path, struct str text, bool zh, struct arena *a,
                     struct config_candidate *ret, struct problem *p) must_check;
void config_candidate_free(struct config_candidate *cc);
// Puts it into force: writes the own file (if path is not empty), runs migrations, widens tables, keeps the version, swaps
// the registry. accept: the digest the person has seen; ERR_CONFLICT if the packs are others by now, ERR_INVALID with
// mistakes, ERR_CONFLICT (field "loses") if data would be lost. Any thread but the writer; one change at a time.
enum err config_apply(struct config *cf, struct str path, struct str text, struct str accept, const struct identity *by,
                      struct arena *a, struct problem *p) must_check;

// The text as it is on disk: the county's own, else the shipped one. ERR_NOT_FOUND.
enum err config_text(struct config *cf, struct str path, struct arena *a, struct pack_text *ret) must_check;
void config_texts(struct config *cf, struct arena *a, struct pack_texts *ret);

struct config_version {
	int64_t id, at, by;
	struct str by_name, changes; // JSON list
};
enum err config_versions(struct db *db, size_t limit, struct arena *a, struct config_version **ret, size_t *ret_n) must_check;
// The description of a type as it was in force; JSON. ERR_NOT_FOUND.
enum err config_type_version(struct db *db, struct str type, int64_t version, struct arena *a, struct str *ret) must_check;
struct type_version {
	int64_t version, at;
};
enum err config_type_versions(struct db *db, struct str type, struct arena *a, struct type_version **ret, size_t *ret_n) must_check;
