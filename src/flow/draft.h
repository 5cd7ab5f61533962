// Inside flow/: a change being put together. It lives in the arena of the request or job; one thread.
#pragma once

#include "flow/flow.h"

enum ask { ASK_CREATE, ASK_EDIT, ASK_MOVE };

struct draft {
	const struct type *t;
	struct value *vals;     // t->table.ncols values: the row as it will be
	struct value title, area, enterprise, sector; // fields that are common columns (model.h: ncols 0)
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
// Every field that must always have a value has one (what depends on an expression: draft_conform).
enum err draft_complete(struct draft *d, const struct identity *by, struct problem *p) must_check;
bool move_asks(const struct move *m, const struct field *f); // is it in the form of the move?

// ---- conform.c, expr_source.c ------------------------------------------------------------------
// Computed fields are filled in, what is not shown is emptied.
void draft_settle(struct db *db, const struct registry *reg, struct draft *d, const struct common *c, const struct identity *by,
                  struct arena *a);
// A copy in which the computed fields say what they will of the values given, in the order of the fields; nothing else changes.
struct draft draft_computed(struct db *db, const struct registry *reg, const struct draft *d, const struct common *c,
                            const struct identity *by, struct arena *a);
// The same as draft_settle; then every field that must have a value has one and all checks: hold. c: the common columns as they will be,
// with state and created_by set; its title is set if that is computed. m: the move (ASK_MOVE).
enum err draft_conform(struct db *db, const struct registry *reg, struct draft *d, struct common *c, enum ask ask,
                       const struct move *m, const struct identity *by, struct arena *a, struct problem *p) must_check;
// The draft as a row, for flow_eval.
struct row draft_row(const struct draft *d, const struct common *c);

// ---- models.c ----------------------------------------------------------------------------------
// Runs the model over the draft and puts what it says into its fields; they are empty when an input that it needs is, or when it
// refuses (then *p says why, at the field of the input). The first failure counts.
enum err model_fill(struct draft *d, const struct model_use *u, bool *ret_changed, struct arena *a, struct problem *p);

// ---- bind.c ------------------------------------------------------------------------------------
// The files named in the fields that were given belong to the record from now on, if they are of the kinds that the field
// takes; photos with where: must have time and place.
enum err draft_bind_files(struct db *db, const struct draft *d, int64_t id, const struct identity *by, struct arena *a,
                          struct problem *p) must_check;
enum err draft_has(struct draft *d, const struct field *f, struct problem *p) must_check;
// "now", "me", "my_area", "my_enterprise" or a literal, as the field stores it.
enum err draft_word(const struct field *f, struct str word, const struct identity *by, struct arena *a,
                    struct value *ret) must_check;

// One value of a field from JSON; ret has f->ncols values (at least one).
enum err value_read(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p) must_check;
// Yuan → fen; false beyond ±10¹³ yuan or with more than two decimals.
bool money_fen(double yuan, int64_t *ret);
bool value_same(struct value a, struct value b);
// ---- values_many.c: refs, files and photos; rows; sheets ------------------------------------------
enum err value_read_ids(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p) must_check;
enum err value_read_rows(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p) must_check;
enum err value_read_sheet(const struct field *f, const json_t *j, struct value *ret, struct arena *a, struct problem *p) must_check;
size_t value_ids(const struct value *v, struct arena *a, int64_t **ret); // of ",1,2,"
json_t *value_rows(const struct value *v);  // the rows as an array (empty if there are none); the caller drops it
// The rows as given, with what was there before in place of its own mask; the caller drops it.
json_t *value_unmask_rows(const struct field *f, const json_t *j, const struct value *was, struct arena *a);
void value_rows_json(struct jw *w, const struct field *f, const struct value *v, bool masked, struct arena *a);
void value_cell_json(struct jw *w, const struct field *col, const json_t *cell, bool masked, struct arena *a);
// The mask of a personal datum: 138****1234, 9901************1X, 张**.
struct str value_mask(const struct field *f, struct str s, struct arena *a);

// A value as JSON, references as ids; masked: personal data "138****1234".
void value_json(struct jw *w, const struct field *f, const struct value *v, bool masked, struct arena *a);
struct str area_whole(struct str prefix, struct arena *a); // 12 digits: zeros behind a prefix
// Sets the problem at the field, with its label before the text.
enum err field_wrong(struct problem *p, const struct field *f, enum err err, const char *zh, const char *en, ...)
        printf_like(4, 6) printf_like(5, 6);

// ---- text.c ------------------------------------------------------------------------------------
bool phone_ok(struct str s);
bool idcard_ok(struct str s);     // GB 11643-1999: 18 characters, a real day of birth, check character verified
char idcard_check_char(struct str first17); // 0 if a character is not a digit
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
bool row_in_scope(const struct identity *by, const struct type *t, const struct common *c);

// ---- number.c, deadline.c ----------------------------------------------------------------------
enum err number_next(struct db *db, const struct type *t, const struct common *c, struct arena *a, struct str *ret) must_check;
// The end of a time allowed that begins at from (us); 0 = none allowed.
int64_t allowance_end(const struct workdays *w, struct allowance s, int64_t from);
// When the reminder so long before the deadline comes, and the latest deadline whose reminder has come at now.
int64_t reminder_at(const struct workdays *w, struct allowance s, int64_t deadline);
int64_t reminder_until(const struct workdays *w, struct allowance s, int64_t now);
int64_t field_moment(const struct field *f, const struct value *vals); // DATE (its end) or TIME field; 0 = empty
// Sets state_at, deadline, escalated, reminded, paused for a row that enters its state now; c has those of the state
// before.
void deadline_start(const struct registry *reg, const struct type *t, struct common *c, const struct value *vals, int64_t now);
// The deadline of a register without states: its date of expiry.
void expiry_start(const struct registry *reg, const struct type *t, struct common *c, const struct value *vals, int64_t now);
// The fields its deadline comes from were edited.
void deadline_follow(const struct registry *reg, const struct type *t, const struct row *old, struct common *c,
                     const struct value *vals, int64_t now);
int64_t deadline_wake(const struct registry *reg, const struct type *t, const struct common *c); // for record_event

// ---- callers.c ---------------------------------------------------------------------------------
enum caller { CALLER_ROLE, CALLER_SYSTEM, CALLER_CREATOR, CALLER_OWNER, CALLER_STAFF, CALLER_MEMBERS };
enum caller caller_word(struct str who, struct str *ret_field); // "staff_of.firm" → CALLER_STAFF, "firm"
int64_t row_ref(const struct type *t, struct str name, const struct row *row); // the id in a REF field, 0 = none
bool is_called(const struct type *t, struct str who, const struct row *row, const struct identity *by);
struct audience {
	const struct registry *reg;
	const struct type *t;
	const struct row *row;  // that it is about
	const char *kind;       // struct notice.kind
	struct label text;
	bool copied;            // they have no duty: box "copied" of their work
};
struct people {             // ids, each once
	int64_t *v;
	size_t n, cap;
	struct arena *a;
};
void people_add(struct people *p, int64_t id);
// Adds whom the word calls; persons where the filter holds (in_scope: and the record is in what they see).
enum err people_called(struct db *db, const struct audience *au, struct str who, struct people *all) must_check;
enum err people_where(struct db *db, const struct audience *au, const struct filter *f, bool in_scope, struct people *all) must_check;
// A notice to everybody who is called by one of the words, once each. Inside a store job.
enum err flow_tell(struct db *db, const struct audience *au, const struct str *who, size_t nwho, struct arena *a) must_check;
enum err notice_add(struct db *db, int64_t person, struct label text, struct str type, int64_t record, const char *kind) must_check;
struct notice_new {
	int64_t person, record, release; // release: 0 = none
	struct label text;
	struct str type, channels;  // channels: ",mail,sms,": by these kinds besides the ways the person chose
	const char *kind;
};
enum err notice_put(struct db *db, const struct notice_new *n) must_check;
// What was said of a duty that is done, or not theirs any longer, is read: nobody has to look into it. Inside a store job.
enum err notice_settle(struct db *db, struct str type, int64_t record) must_check;

// ---- release.c, receipt.c ----------------------------------------------------------------------
// Persons that the rows of a tier of the matrix name for the record as it is, each once.
struct recipient { int64_t person, wait, times; struct str name, channels; };
struct recipients { struct recipient *v; size_t n, cap; bool webhook; };
enum err release_recipients(struct db *db, const struct registry *reg, const struct type *t, const struct row *row, int64_t tier,
                            struct arena *a, struct recipients *ret) must_check;
// A receipt for each that has none of this release yet, and the message to him.
enum err receipts_add(struct db *db, const struct type *t, const struct row *row, int64_t release, int64_t tier,
                      const struct recipients *to, struct label text, const char *kind, int64_t now) must_check;
// Re-sends what is not confirmed, tells the next tier, and says when a time of validity has ended. One store job with
// flow_tick; *ret_next: when to call again if earlier than it was.
enum err receipts_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next) must_check;
int64_t receipts_due(struct db *db); // when the next is due (us), 0 = never

// ---- work.c ------------------------------------------------------------------------------------
// box "done" or "copied"; the newest time counts.
enum err work_put(struct db *db, int64_t person, const char *box, const struct type *t, const struct common *c, struct str what) must_check;

// ---- history.c ---------------------------------------------------------------------------------
// What changed between two versions, as the audit detail; personal data masked. old NULL: a new record.
struct str history_detail(const struct type *t, const struct row *old, const struct common *c, const struct value *vals,
                          struct label reason, struct arena *a);
// A detail with one member more, as JSON ("_name":value): no field's name begins with _.
struct str history_mark(struct str detail, struct str member, struct arena *a);
