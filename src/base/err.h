// One error enum and one text table (err.c). A function that can fail returns enum err; what a
// person must read travels in a struct problem, in both languages, with the field that is wrong.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

enum err {
	OK = 0,
	ERR_INVALID,        // the input breaks a rule; problem.field names which
	ERR_PARSE,          // not in the expected syntax at all
	ERR_TOO_LARGE,      // beyond a limit of base/limits.h
	ERR_UNAUTHENTICATED,
	ERR_FORBIDDEN,
	ERR_NOT_FOUND,
	ERR_CONFLICT,       // version changed, duplicate, move not possible in this state
	ERR_THROTTLED,
	ERR_UNSUPPORTED,
	ERR_FULL,           // the disk is full; nothing was acknowledged
	ERR_IO,
	ERR_CORRUPT,        // stored data fails its checksum or chain
	ERR_TIMEOUT,
	ERR_UNAVAILABLE,    // a part is restarting or stopping; try again
	ERR_BUG,            // an invariant of ours is broken
	ERR__MAX
};

// Stable machine name ("invalid"), HTTP status, and general text of an error. err < ERR__MAX.
const char *err_name(enum err err);
int err_http_status(enum err err);
const char *err_text(enum err err, bool zh);

// What went wrong, for a person. All strings live in the arena given to problem_init.
struct problem {
	struct arena *arena;
	enum err err;             // OK while nothing is wrong
	struct str field;         // dotted path of the offending field, or empty
	struct str zh, en;        // what is wrong
	struct str hint_zh, hint_en; // what to do about it, or empty
};

void problem_init(struct problem *p, struct arena *arena);

// Records the first problem only (later calls are ignored) and returns err, so that
// `return problem_set(p, ERR_INVALID, "value", "…", "…")` reads well. zh and en are printf formats that
// take the same arguments in the same order. p may be NULL: then only err is returned.
enum err problem_set(struct problem *p, enum err err, const char *field, const char *zh, const char *en,
                     ...) printf_like(4, 6) printf_like(5, 6);
// Adds the hint to the problem already set.
void problem_hint(struct problem *p, const char *zh, const char *en);
