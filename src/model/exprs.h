// Expressions over the records of a type: which names there are, and what they stand for. Compiled at load by the checker,
// by flow/ (moves), measure/ and report/; the compiled expression lives as long as the registry it was made for.
#pragma once

#include "model/model.h"
#include "model/yaml.h"

// What stands behind a name: struct expr_name.n, with .p
enum expr_source_kind {
	SOURCE_FIELD,           // p: struct field; behind a dot: of the record referred to, or a column of rows
	SOURCE_COMMON,          // common column; its name is the text of the slot (behind the dot)
	SOURCE_LINKED,          // p: struct type whose records refer to this one: how many
	SOURCE_LINKED_OPEN,     // and of these, not at an end and not retired
	SOURCE_LINKED_IN,       // p: struct expr_links: how many of them are in one state
	SOURCE_MATCHED,         // p: struct expr_match: has any record of another type the same value?
	SOURCE_ME,              // the person who asks (a reference to person)
	SOURCE_MY_ENTERPRISE,
	SOURCE_DRAW,            // p: struct draw
	SOURCE_ORIGIN_TYPE,     // p: ORIGIN field: the name of the type behind it
};
// The name of the common column of a SOURCE_COMMON slot: "state", of "enterprise.state" too.
struct str slot_column(const struct expr_slot *s);

struct expr_links {         // linked('TYPE.STATE')
	const struct type *type;
	const struct state *state;
};
struct expr_match {         // matched('TYPE.FIELD'): own and of have the same name and kind
	const struct field *own, *of;
	const struct type *type;
	bool ever;              // matched_ever(): those at an end, too
};

struct expr_ask {
	const struct registry *reg;
	const struct type *t;           // whose names; the expression may also name what its references hold
	const struct expr_name *want;   // kind of the result; NULL = a condition
	bool stored;                    // computed fields: nothing that changes by waiting
};
// NULL after a mistake, which is in *ret_error.
const struct expr *type_expr(const struct expr_ask *ask, struct str text, struct arena *a, struct expr_error *ret_error);
// The same from a scalar of a pack; skip: bytes in front of the expression ("= "). A mistake is told at its place.
const struct expr *type_expr_at(const struct expr_ask *ask, const struct yaml_node *n, size_t skip, struct arena *a, struct diags *d);
// Tells a mistake at its place in the text of the node.
void expr_say(struct diags *d, const struct yaml_node *n, size_t skip, const struct expr_error *e);
// What a value of the field is for an expression.
struct expr_name field_expr_name(const struct field *f);

// ---- conditions of lists, indicators, reports --------------------------------------------------
// The part of the language the store can do itself: own and common columns, literals, me, my_enterprise, today() and now()
// ± durations, and or not in empty has. Anything else is a mistake. Words that are known only when it is asked stand in the
// values: kind VAL_TEXT with s = COND_ME …, i = days or us to add; cond_resolve puts the truth in.
const struct condition *expr_to_cond(const struct expr *e, const struct type *t, struct arena *a, struct expr_error *ret_error);
const struct condition *expr_to_cond_at(const struct expr *e, const struct type *t, const struct yaml_node *n, struct arena *a,
                                        struct diags *d);
struct cond_now {
	int64_t now;                    // us
	int zone;                       // minutes
	int64_t me, my_enterprise;      // 0: nobody, none
	int64_t (*workday)(void *arg, int64_t day, int64_t n); // as in struct expr_source
	void *arg;
};
// A copy in the arena with all words replaced.
const struct condition *cond_resolve(const struct condition *c, const struct cond_now *now, struct arena *a);
