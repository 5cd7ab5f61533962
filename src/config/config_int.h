// Inside config/.
#pragma once

#include "config/config.h"

// ---- effect.c: what of the difference concerns records; compared as two registries. Reads counts from db.
enum err effects_find(struct db *db, const struct registry *old, const struct registry *now, struct arena *a,
                      struct config_effect **ret, size_t *ret_n, struct problem *p) must_check;

// ---- migration.c: packs/*/migrations/*.yaml ----------------------------------------------------
struct migration_step {
	enum { STEP_RENAME, STEP_DROP, STEP_STATE, STEP_VALUE, STEP_GATHER } what;
	struct str field, from, to; // RENAME: from, to; DROP: field; STATE: from, to; VALUE: field, from, to; GATHER: from, to
	struct str type;            // GATHER: that from refers to
	const struct str *others;   // GATHER: columns that go into the same field, of which a row may have one
	size_t nothers;
};
struct migration {
	struct str name, type;
	struct migration_step *steps;
	size_t nsteps;
};
// All migrations of the registry's packs; mistakes at their places. With db, those still to be done are compared with old,
// the registry in force, which has the types and fields that their steps speak of; without, only the form is checked.
bool migrations_read(const struct registry *reg, const struct registry *old, struct db *db, struct diags *d, struct arena *a,
                     struct migration **ret, size_t *ret_n);
// Is it still to be done?
enum err migration_pending(struct db *db, struct str name, bool *ret) must_check;
// Adds to the effects what each step of the pending ones would do, and takes off the losses they answer for.
enum err migrations_effects(struct db *db, const struct registry *old, const struct migration *v, size_t n, struct arena *a,
                            struct config_effect **effects, size_t *neffects, struct problem *p) must_check;
// In a store job: does the pending ones; audit entries say how many rows each step touched. Those of a type that is new are done
// with: there is nothing to move. first: no packs were in force before, all are.
enum err migrations_run(struct db *db, const struct registry *old, const struct migration *v, size_t n, const struct identity *by,
                        bool first, struct arena *a, struct problem *p) must_check;

struct str effect_key(const char *what, struct str name, struct arena *a); // "fields.cost"
