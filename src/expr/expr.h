// The expression language of packs: guards, conditions, computed fields, filters of indicators. Text → checked tree → value,
// sentence or JSON. It knows kinds, units and menus, but no record: what a name means and what it holds now is told by the
// owner through struct expr_names (when compiling) and struct expr_source (when evaluating). Pure: no clock, no files, no
// loops; the cost is bounded by LIMIT_EXPR_* and the rows of the fields. A compiled expression lives in the arena it was
// made in, is never changed, and may be evaluated by any number of threads.
#pragma once

#include "base/arena.h"
#include "base/jw.h"
#include "base/str.h"

enum expr_kind {
	EXPR_NONE,      // as a value: missing
	EXPR_BOOL,
	EXPR_NUMBER,    // with a unit or without
	EXPR_TEXT,
	EXPR_DATE,      // a day: days since 1970-01-01
	EXPR_TIME,      // UTC us
	EXPR_DURATION,  // us, or working days
	EXPR_MENU,      // one value of a list of items (a state is one too)
	EXPR_MENUS,     // several, as ",a,b,"
	EXPR_REF,       // id of a record; NAME.FIELD steps through it
	EXPR_LIST,      // files, references …: only their number counts
	EXPR_ROWS,      // table of rows; NAME.COLUMN is all the values of a column
	EXPR_ORIGIN,    // a reference to a record of one of several types: s; NAME.FIELD steps through it, else empty or not
	EXPR_OTHER,     // a place, a shape: empty or not, nothing else
	EXPR__MAX
};

struct expr_item {          // of a menu
	struct str value, zh, en;
};

struct expr_name {          // what a name stands for; filled in by the owner, who must let it live as long as the expression
	enum expr_kind kind;    // for a column of rows: the kind of one value
	struct str unit;        // NUMBER; empty = none. Equal text = equal unit.
	const struct expr_item *items; // MENU, MENUS: the same pointer = the same menu
	size_t nitems;
	struct str zh, en;      // label for the sentence
	bool any_unit;          // a plain count that may be compared with any unit
	bool many;              // stands for several values: only inside any(), all() and count_of()
	bool said;              // zh and en say the arguments of the call too
	const void *p;          // the owner's; many: the same pointer = the same several
	int64_t n;              // the owner's
};

enum expr_op {
	EXPR_LITERAL, EXPR_SLOT,
	EXPR_AND, EXPR_OR, EXPR_NOT,                                    // and, or: two or more
	EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE, EXPR_IN,  // in: the value, then the choices
	EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_NEG,
	EXPR_EMPTY, EXPR_COUNT, EXPR_SUM, EXPR_MIN, EXPR_MAX, EXPR_ABS, EXPR_ROUND, EXPR_IF, EXPR_HAS, EXPR_DAYS, EXPR_TODAY,
	EXPR_NOW, EXPR_YEAR, EXPR_MONTH,
	EXPR_ANY, EXPR_ALL, EXPR_COUNT_OF,                              // of several values: one sub, true or not for each
	EXPR_OP__MAX
};

enum expr_argument_kind { EXPR_ARG_NAME, EXPR_ARG_TEXT, EXPR_ARG_NUMBER, EXPR_ARG_DURATION, EXPR_ARG_TEST };
struct expr_argument {      // of a function of the owner that measures: mean(level, 10min), count(level > 80 %, 1h)
	enum expr_argument_kind kind;
	struct str text;        // NAME, TEXT; TEST: the name that is compared
	enum expr_op op;        // TEST: EXPR_EQ … EXPR_GE, the name on the left
	double f;               // NUMBER; TEST: what it is compared with, in the name's unit
	struct str limit;       // TEST: NAME > limit(h): "h"; else empty
	int64_t us;             // DURATION
};

struct expr_slot {          // one value that the expression reads
	struct str text;        // as written: "level", "enterprise.staff", "parts.cost", "linked(hazard)"
	struct str function;    // of a call of the owner: "linked"; else empty
	struct str argument;    // of a call: "hazard"
	int64_t window;         // of a call with a duration behind its argument: us; else 0
	const struct expr_argument *args; // of a function that measures
	size_t nargs;
	struct expr_name name;  // the value itself
	struct expr_name of;    // before the dot; kind EXPR_NONE = there is no dot
};

struct expr_names {
	void *arg;
	// A name, or (of not NULL: a reference or rows) what stands behind its dot.
	bool (*find)(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret);
	// What would be found there, for "did you mean"; in the arena. May be NULL.
	size_t (*list)(void *arg, const struct expr_name *of, struct arena *a, struct str **ret);
	// FUNCTION(NAME or 'TEXT') and FUNCTION(NAME, 5min): a function of the owner: linked(hazard). NULL: none.
	// known is set when the function exists, so that only its argument is wrong.
	bool (*call)(void *arg, struct str function, struct str argument, int64_t window, struct expr_name *ret, bool *known);
	// Functions that measure, with any arguments; asked before those of the language, so max(level, 1h) may be one. Not known:
	// another function. Known but false: ret->zh and en say why. NULL: none, and no any(), all(), count_of().
	bool (*measure)(void *arg, struct str function, const struct expr_argument *v, size_t n, struct expr_name *ret, bool *known);
	// How many of unit `to` one of unit `from` is; false: another quantity, or an unknown unit. NULL: a unit is a text, and
	// numbers are written without one.
	bool (*convert)(void *arg, struct str from, struct str to, double *ret);
	struct str own_unit;    // what {unit} stands for behind a number
	bool stored;            // the value will be kept: today(), now() and functions of the owner are refused
	const struct expr_name *want; // kind, unit and items that the whole must have; NULL or kind NONE: any
};

struct expr_value {
	enum expr_kind kind;    // EXPR_NONE: missing
	bool workdays;          // DURATION: i counts working days
	double f;               // NUMBER
	int64_t i;              // BOOL, DATE, TIME, DURATION, REF; LIST and ROWS: how many
	struct str s;           // TEXT, MENU, MENUS
};

struct expr_node {
	enum expr_op op;
	enum expr_kind kind;
	struct str unit;
	bool any_unit;
	bool column;            // all values of a column of rows: only in count, sum, min, max, empty
	const struct expr_item *items;
	size_t nitems;
	struct expr_value value; // LITERAL
	size_t slot;            // SLOT
	const void *group;      // ANY, ALL, COUNT_OF: expr_name.p of the several
	const struct expr_node **subs;
	size_t nsubs;
	size_t at;              // byte of the text
};

struct expr {
	struct str text;
	const struct expr_node *root;
	const struct expr_slot *slots;
	size_t nslots;
};

struct expr_error {
	size_t at;              // byte of the text, from 0
	size_t column;          // character of the text, from 1
	struct str zh, en;      // what is wrong and what to do; "did you mean" included
};

// Compiles a text. NULL after a mistake, which is in *ret_error; all memory is from a.
const struct expr *expr_compile(struct arena *a, struct str text, const struct expr_names *names, struct expr_error *ret_error);
const char *expr_kind_name(enum expr_kind k, bool zh);
const char *expr_op_name(enum expr_op op); // as written: "and", "==", "days"

struct expr_source {
	void *arg;
	int64_t now;            // UTC us
	int zone;               // minutes east of UTC
	// The value of a slot; kind EXPR_NONE = missing. Of LIST and ROWS, and of a column of rows, only i: how many.
	struct expr_value (*value)(void *arg, const struct expr_slot *s);
	// One value of a column of rows.
	struct expr_value (*cell)(void *arg, const struct expr_slot *s, size_t row);
	// The day (since 1970) that is n working days after (n < 0: before) the given one. NULL: Monday to Friday.
	int64_t (*workday)(void *arg, int64_t day, int64_t n);
	struct arena *arena;    // for texts put together with +
	bool missed;            // set by the evaluation: a comparison was false only because a value was missing
};
struct expr_value expr_eval(const struct expr *e, struct expr_source *src);
bool expr_true(const struct expr *e, struct expr_source *src); // BOOL and true
// Day of a moment in the zone, and the moment a day begins there.
int64_t expr_day_of(int64_t us, int zone);
int64_t expr_day_start(int64_t day, int zone);
bool expr_day_parse(struct str s, int64_t *ret); // "2026-11-22"
struct str expr_day_text(int64_t day, struct arena *a);

// The expression as a sentence for people.
struct str expr_words(const struct expr *e, bool zh, struct arena *a);
// As JSON for the browser: literals as they are, ["f","level"], ["f","enterprise","staff"], ["and",…], ["==",…] …;
// durations ["dur",seconds] and ["wd",days], calls of the owner ["call","linked","hazard"].
void expr_json(struct jw *w, const struct expr *e);
