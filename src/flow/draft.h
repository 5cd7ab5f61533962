// Inside flow/: a change being put together. It lives in the arena of the request or job; one thread.
#pragma once

#include "flow/flow.h"

enum ask { ASK_CREATE, ASK_EDIT, ASK_MOVE };

struct draft {
	const struct type *t;
	struct value *vals;     // t->table.ncols values: the row as it will be
	struct value title, area, enterprise; // fields that are common columns (model.h: ncols 0)
	bool *given;            // by field: the caller named it
};

// Where the value of a field stands (POSITION: two values).
struct value *draft_slot(struct draft *d, const struct field *f);
const struct value *row_slot(const struct field *f, const struct row *row, struct value *common);
// The row as it is, or empty values for a new one.
void draft_begin(struct draft *d, const struct type *t, const struct row *old, struct arena *a);
// Takes the caller's fields. m: the move that asks (ASK_MOVE), else NULL.
enum err draft_take(struct draft *d, enum ask ask, const struct move *m, const json_t *body, const struct row *old,
                    const struct identity *by, struct arena *a, struct problem *p) must_check;
enum err draft_defaults(struct draft *d, const struct identity *by, struct arena *a, struct problem *p) must_check;
// Every field that must have a value has one.
enum err draft_complete(struct draft *d, struct problem *p) must_check;
enum err draft_has(struct draft *d, const struct field *f, struct problem *p) must_check;
// "now", "me", "my_area", "my_enterprise" or a literal, as the field stores it.
enum err draft_word(const struct field *f, struct str word, const struct identity *by, struct arena *a,
                    struct value *ret) must_check;

// One value of a field from JSON; ret has f->ncols values (at least one).
enum err value_read(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p) must_check;
// Yuan → fen; false beyond ±10¹³ yuan or with more than two decimals.
bool money_fen(double yuan, int64_t *ret);
bool value_same(struct value a, struct value b);
// A value as JSON, references as ids; masked: personal data "138****1234".
void value_json(struct jw *w, const struct field *f, const struct value *v, bool masked, struct arena *a);
struct str area_whole(struct str prefix, struct arena *a); // 12 digits: zeros behind a prefix
// Sets the problem at the field, with its label before the text.
enum err field_wrong(struct problem *p, const struct field *f, enum err err, const char *zh, const char *en, ...)
        printf_like(4, 6) printf_like(5, 6);

// ---- text.c ------------------------------------------------------------------------------------
bool uscc_ok(struct str s);       // GB 32100-2015: 18 characters, check character verified
char uscc_check_char(struct str first17); // 0 if a character is not of the code's alphabet
bool phone_ok(struct str s);
bool area_code_ok(struct str s);  // 12 digits, not all zero
bool date_text_ok(struct str s);  // YYYY-MM-DD, a real day
struct str date_text(int64_t us, struct arena *a); // in the site's zone
struct str phone_mask(struct str s, struct arena *a); // 138****1234

// ---- refs.c ------------------------------------------------------------------------------------
// Records that were named by the caller must exist and be in his scope; area codes too.
enum err refs_check(struct db *db, const struct registry *reg, struct draft *d, const struct identity *by,
                    struct arena *a, struct problem *p) must_check;
// Title, area and enterprise of the row, from the fields the type names or from the caller.
enum err common_derive(struct db *db, const struct registry *reg, struct draft *d, struct common *c,
                       const struct identity *by, bool fresh, struct arena *a, struct problem *p) must_check;

// ---- rights.c ----------------------------------------------------------------------------------
bool row_in_scope(const struct identity *by, const struct type *t, struct str area, int64_t enterprise);

// ---- number.c, deadline.c ----------------------------------------------------------------------
enum err number_next(struct db *db, const struct type *t, const struct common *c, struct arena *a, struct str *ret) must_check;
// Time allowed in the state for this row (us); 0 = none.
int64_t state_allows(const struct type *t, const struct state *s, const struct value *vals);
// Sets state_at, deadline, escalated for a row that enters its state now.
void deadline_start(const struct type *t, struct common *c, const struct value *vals, int64_t now);

// ---- history.c ---------------------------------------------------------------------------------
// What changed between two versions, as the audit detail; personal data masked. old NULL: a new record.
struct str history_detail(const struct type *t, const struct row *old, const struct common *c, const struct value *vals,
                          struct str reason, struct arena *a);
enum err history_add(struct db *db, const struct type *t, int64_t id, const char *action, struct str name,
                     struct str detail, const struct identity *by) must_check;
