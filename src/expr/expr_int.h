// Inside expr/: the tree as written, before names are known, and what parser and checker share.
#pragma once

#include "expr/expr.h"

enum raw_kind { RAW_NUMBER, RAW_TEXT, RAW_BOOL, RAW_DURATION, RAW_NAME, RAW_CALL, RAW_OP };

struct raw {
	enum raw_kind kind;
	enum expr_op op;        // OP
	struct str text;        // as written; TEXT: without quotes; NAME: before the dot; CALL: the function
	struct str field;       // NAME: behind the dot
	struct str unit;        // NUMBER: behind it, or empty
	double f;               // NUMBER
	int64_t i;              // DURATION, BOOL
	bool workdays;
	struct raw **subs;
	size_t nsubs;
	size_t at, end;         // bytes of the text
	unsigned depth;
};

struct compiler {
	struct arena *a;
	struct arena *raws;     // the tree as written: gone when the checked one stands
	struct str text;
	const struct expr_names *names;
	struct expr_error *error;
	bool failed;
	size_t at;              // parser: next byte
	size_t nodes;
	unsigned nesting;
	struct expr_slot *slots;
	size_t nslots;
	bool in_group;          // checker: inside any(), all() or count_of() …
	const void *group;      // … of these; NULL: none named yet
};

// Keeps the first mistake.
void expr_fail(struct compiler *c, size_t at, const char *zh, const char *en, ...) printf_like(3, 5) printf_like(4, 5);
void expr_fail_near(struct compiler *c, struct str word, const struct str *names, size_t n); // adds "did you mean"
struct raw *expr_parse(struct compiler *c);                     // NULL after a mistake
const struct expr_node *expr_check(struct compiler *c, const struct raw *r); // NULL after a mistake
enum expr_op expr_function(struct str name);                    // EXPR_OP__MAX: none of ours

// check.c, for measured.c
struct expr_node *expr_check_any(struct compiler *c, const struct raw *r);      // whatever kind; NULL after a mistake
struct expr_node *expr_make(struct compiler *c, const struct raw *r, enum expr_op op, enum expr_kind kind);
struct expr_node *expr_make_slot(struct compiler *c, const struct raw *r, const struct expr_slot *s);
bool expr_want(struct compiler *c, const struct expr_node *n, enum expr_kind kind, const char *zh, const char *en);

// measured.c: what is measured, and units
struct expr_node *expr_measured(struct compiler *c, const struct raw *r, bool *ret_known); // a function that measures
struct expr_node *expr_grouped(struct compiler *c, const struct raw *r, enum expr_op op);  // any, all, count_of
// Of two numbers in units of one quantity the second (the first, if it is a literal and the second is not) is turned into the
// other's unit; nothing else changes.
void expr_fit_units(struct compiler *c, struct expr_node **a, struct expr_node **b);
bool expr_literal_unit(struct compiler *c, const struct raw *r, struct expr_node *n); // the unit behind a number; false after a mistake
