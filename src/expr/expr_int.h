// Inside expr/: the tree as written, before names are known, and what parser and checker share.
#pragma once

#include "expr/expr.h"

enum raw_kind { RAW_NUMBER, RAW_TEXT, RAW_BOOL, RAW_DURATION, RAW_NAME, RAW_CALL, RAW_OP };

struct raw {
	enum raw_kind kind;
	enum expr_op op;        // OP
	struct str text;        // as written; TEXT: without quotes; NAME: before the dot; CALL: the function
	struct str field;       // NAME: behind the dot
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
	struct str text;
	const struct expr_names *names;
	struct expr_error *error;
	bool failed;
	size_t at;              // parser: next byte
	size_t nodes;
	unsigned nesting;
	struct expr_slot *slots;
	size_t nslots;
};

// Keeps the first mistake.
void expr_fail(struct compiler *c, size_t at, const char *zh, const char *en, ...) printf_like(3, 5) printf_like(4, 5);
void expr_fail_near(struct compiler *c, struct str word, const struct str *names, size_t n); // adds "did you mean"
struct raw *expr_parse(struct compiler *c);                     // NULL after a mistake
const struct expr_node *expr_check(struct compiler *c, const struct raw *r); // NULL after a mistake
enum expr_op expr_function(struct str name);                    // EXPR_OP__MAX: none of ours
