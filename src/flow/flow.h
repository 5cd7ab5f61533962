// Records in action: create, edit, move, deadline, escalation, numbering, history. Pure business on top of model/
// (what a type is), store/records.h (rows) and auth/ (who may). Every function that changes runs inside a store
// job, writes the audit entry in the same transaction, and says on the bus what changed.
#pragma once

#include <jansson.h>

#include "auth/auth.h"
#include "base/jw.h"
#include "model/model.h"
#include "store/store.h"

// What changed, for the event stream and for other parts; called in the writer thread after the commit.
struct record_event {
	const char *what;       // "created", "updated", "moved", "overdue", "retired"
	struct str type;
	int64_t id;
	struct str state, area;
	int64_t enterprise;
	struct str sector;
	int64_t wake;           // when flow_tick must look at it; 0 = never
};
typedef void flow_listener(void *arg, const struct record_event *e);
void flow_listen(flow_listener *fn, void *arg); // at start-up; at most 8
// Called by a job that changed records; delivered after the commit of the job's transaction.
void flow_changed(struct db *db, const struct record_event *e);

// ---- values ------------------------------------------------------------------------------------
// JSON body → values of the type's columns. Unknown field, wrong type, out of bounds, bad USCC, unknown menu value:
// ERR_INVALID with problem.field. old: the row being edited (NULL for a new one); fields not in body keep its values.
enum err record_values(const struct type *t, const json_t *body, const struct row *old, const struct identity *by,
                       struct arena *a, struct value **ret, struct problem *p) must_check;
// The record as JSON: common columns and every field the caller may see (personal data masked unless allowed), with
// references as {"id":…,"title":…}, "moves": names of the moves the caller may do now, "can": ["edit","retire"].
void record_json(struct jw *w, struct db *db, const struct registry *reg, const struct type *t, const struct row *row,
                 const struct identity *by, bool full, struct arena *a);
// Queries of the API as the store's filters. column: a field or common column; op: eq ne lt le gt ge in prefix null
// notnull contains (empty = eq); text: the value as in a URL, "a,b" for in, "me" and "my_enterprise" as in lists.
// Personal data cannot be filtered by who may not see it.
enum err record_filter(const struct type *t, struct str column, struct str op, struct str text, const struct identity *by,
                       struct arena *a, struct filter *ret, struct problem *p) must_check;
// Fields that the caller may not read cannot be filtered or sorted by.
// "-happened,level": a menu is sorted in the order of its items.
enum err record_sorts(const struct type *t, struct str text, const struct identity *by, struct arena *a,
                       struct sort **ret, size_t *ret_n, struct problem *p) must_check;
// Which records of the field's type refer by it (REF, REFS, ORIGIN) to the record of type to; false: it refers to other types.
bool field_link(const struct field *f, const struct type *to, int64_t id, struct arena *a, struct filter *ret);
// The filters of a named list with the caller in place of me and my_enterprise, and "open" as a filter on the state.
void flow_list_filters(const struct type *t, const struct listing *l, const struct identity *by, struct arena *a,
                       struct filter **ret, size_t *ret_n);
// Which records everybody may see (publish.when), and in them every word of the text in one of the texts that are shown, as it
// is written. The type has one.
const struct condition *flow_published(const struct registry *reg, const struct type *t, struct str text, struct arena *a);
// Records that had to be public (publish.due of the type, which has one) whose time began at `since` or later.
enum published { PUBLISHED_IN_TIME, PUBLISHED_LATE, PUBLISHED_NOT, PUBLISHED_WAITING /* its time still runs */, PUBLISHED_KINDS };
struct published_item {
	int64_t id, from, due, on;  // on: 0 = it is not public yet
	enum published is;
	struct str number, title;
};
// How many of each; in ret those that are not public, earliest due first, then those that were late; at most max. scope: NULL = all.
enum err flow_publish_due(struct db *db, const struct registry *reg, const struct type *t, const struct scope *scope, int64_t since,
                          struct arena *a, size_t count[PUBLISHED_KINDS], struct published_item *ret, size_t max, size_t *ret_n,
                          struct problem *p) must_check;
// Of such a record the fields of publish.show and nothing else; what it refers to by title. by: for the language.
void published_json(struct jw *w, struct db *db, const struct registry *reg, const struct type *t, const struct row *row,
                    const struct identity *by, struct arena *a);
// Members name, label, about, title, fields of an object that is open: what the public page is drawn from.
void published_type_json(struct jw *w, const struct type *t, const struct identity *by);
// The type description that forms and lists are drawn from.
void type_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by, bool full);

// ---- expressions over a record (expr_source.c) --------------------------------------------------
// The value of an expression compiled for the type (model/exprs.h), with the row as it is (id 0: a new one; draft_row makes
// one of a draft). Reads what its references lead to and counts what refers to it, without regard to rights: rules see all.
// ret_missed (may be NULL): a comparison was false only because a value was missing. Texts may be from a. The same thread
// as the database.
struct expr_value flow_eval(struct db *db, const struct registry *reg, const struct type *t, const struct expr *e,
                            const struct row *row, const struct identity *by, struct arena *a, bool *ret_missed);
// Of a condition; false if a value is missing.
bool flow_holds(struct db *db, const struct registry *reg, const struct type *t, const struct expr *e, const struct row *row,
                const struct identity *by, struct arena *a);
struct expr_value flow_field_value(const struct field *f, const struct value *v); // a stored value for expressions
// A value for a field to store ("= EXPR", compute): decimals and fen as the field has them; VAL_NULL if it is missing.
struct value flow_store_value(const struct field *f, struct expr_value v, struct arena *a);
// The data tables that models: of types read (risk/). At start-up, before any change; they must outlive everything. Without
// them a model that reads one refuses.
struct risk_tables;
void flow_tables(const struct risk_tables *t);
// The condition of a named list with the caller and the present moment in it; NULL if it has none.
const struct condition *flow_list_cond(const struct registry *reg, const struct listing *l, const struct identity *by, struct arena *a);

// The detail of an audit entry of a record without the fields that the caller may not read.
struct str history_visible(const struct type *t, struct str detail, const struct identity *by, struct arena *a);

// ---- changes (inside a store job) --------------------------------------------------------------
enum err flow_create(struct db *db, const struct registry *reg, const struct type *t, const json_t *body,
                     const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
enum err flow_edit(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                   const struct identity *by, struct arena *a, struct problem *p) must_check; // body.version: optimistic lock
// body: fields of the move, "reason", "password" (if sign), "version" (optional). proved: that password is the caller's, as
// auth_check_password said before the job (it is slow, and may wait for a directory).
enum err flow_move(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str move,
                   const json_t *body, const struct identity *by, bool proved, struct arena *a,
                   struct problem *p) must_check;
enum err flow_retire(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str reason,
                     const struct identity *by, struct arena *a, struct problem *p) must_check;
// {"values":{field: …}}: personal data of one record in the clear, for body {fields, reason}; the reason goes to the audit
// in the same transaction.
enum err flow_reveal(struct db *db, const struct type *t, int64_t id, const json_t *body, const struct identity *by,
                     struct jw *w, struct arena *a, struct problem *p) must_check;
// A retired record is in use again, in the state it had. Who may create may.
enum err flow_revive(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str reason,
                     const struct identity *by, struct arena *a, struct problem *p) must_check;
// Score sheets (measure/): body {version, items: {PATH: {self|review|final, note, files}}, fill: true}.
struct measures;
enum err flow_sheet(struct db *db, const struct measures *m, const struct type *t, int64_t id, const struct field *f,
                    const json_t *body, const struct identity *by, struct arena *a, struct problem *p) must_check;
json_t *sheet_value(const struct field *f, const struct row *row); // new reference; empty if nothing was written yet
// A new record made by the system (an alarm opens a warning): fields by name; thread 0 = new thread.
struct flow_field { const char *name; struct value v; };
enum err flow_open(struct db *db, const struct registry *reg, const struct type *t, const struct flow_field *fields,
                   size_t nfields, struct str area, int64_t enterprise, int64_t thread, struct arena *a,
                   int64_t *ret_id, struct problem *p) must_check;
// The system changes fields of a record, those too that nobody writes; computed ones follow. reason: for the history, in both
// languages. *ret: the row as it is now. Nothing happens if nothing is different.
enum err flow_update(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const struct flow_field *fields,
                     size_t n, struct label reason, struct arena *a, struct row *ret, struct problem *p) must_check;
// What the computed fields of a new record would say: the fields given as they are, fixed (NULL: none) too though it is computed.
// Nothing is stored, nothing refused; the system's eyes: show of it only what the caller may read. Lives in the arena.
struct row flow_suppose(struct db *db, const struct registry *reg, const struct type *t, const struct flow_field *given, size_t n,
                        const struct flow_field *fixed, struct arena *a);
// A notice to those whose duty the record is in its state, and a copy to those who are to know of the state.
enum err flow_say(struct db *db, const struct registry *reg, const struct type *t, struct row *row, struct label text,
                  struct arena *a) must_check;
// The newest open record that is the same as the fields in all that its type gathers by; 0 = none, or a field is empty.
enum err flow_gathers(struct db *db, const struct type *t, const struct flow_field *fields, size_t nfields, struct arena *a,
                      int64_t *ret_id, struct problem *p) must_check;
// An alarm joins the record: history, a notice to whose duty it is, and a higher level if it has not been released yet.
enum err flow_join(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str level, int64_t alarm,
                   struct label text, struct arena *a, struct problem *p) must_check;
// From this state, by this person (role, creator, owner), who is not the one it must not be, in his scope.
bool flow_may_move(const struct type *t, const struct move *m, const struct row *row, const struct identity *by);
// May the caller's roles edit records in this state (edit: of the state, else rights of the type)?
bool flow_may_edit(const struct type *t, struct str state, const struct identity *by);
// Who brought it into its state, while nobody else has touched it: move "withdraw" of flow_move.
bool flow_may_withdraw(const struct type *t, const struct row *row, const struct identity *by);

// ---- more time (inside a store job, but for reading) -------------------------------------------
struct extension {          // a request; state: asked granted refused lapsed
	int64_t id, record, asked_at, asked_by, asked_actor, was, until, decided_at;
	struct str type, asked_name, reason, state, decided_name, answer;
};
bool flow_may_extend(const struct type *t, const struct row *row, const struct identity *by);
bool flow_may_grant(const struct type *t, const struct row *row, const struct extension *e, const struct identity *by);
// body: until (a day or RFC 3339), reason.
enum err flow_extension_ask(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                            const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
enum err flow_extension_decide(struct db *db, const struct registry *reg, const struct type *t, int64_t id, int64_t request,
                               bool grant, struct str answer, const struct identity *by, struct arena *a, struct problem *p) must_check;
// Of one record, newest first.
enum err flow_extensions(struct db *db, const struct type *t, int64_t id, struct arena *a, struct extension **ret,
                         size_t *ret_n) must_check;

// ---- deadlines (one store job a tick) ----------------------------------------------------------
// Reminds before a deadline, and tells the next tier after it; the k-th tier (from 0) is told at deadline + k × every.
// Survives restarts: all of it is in the rows (deadline stays the moment the work was due, escalated counts the tiers
// told, reminded the reminders). The cost is that of what is due. *ret_next: when to call again (us): at most an hour
// ahead, now if there was more to do than one tick should; a change of a record may ask for less (record_event.wake).
enum err flow_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next) must_check;

// ---- schedules ---------------------------------------------------------------------------------
// Opens the records of periods that have begun, a few hundred subjects a call; survives stops (what was missed is opened
// afterwards) and is idempotent. *ret_next: when to call again (us), now if there is more to do. Inside a store job.
enum err flow_schedule_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next) must_check;
// A ceiling of road accidents (type road_control) is counted again from the register; *row as it is then. What is above it, projected to
// the end of the year, becomes a red alarm. The tick does it for all that are open. Inside a store job.
enum err flow_control(struct db *db, const struct registry *reg, const struct type *t, struct row *row, int64_t now, struct arena *a,
                      struct problem *p) must_check;
enum err flow_control_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a) must_check;
struct schedule_state {     // of the newest period, in the caller's scope
	const struct schedule *s;
	struct str period;      // "2026-11", "2026-W47", "2026-Q4" …
	int64_t subjects, opened, done, overdue, missing;
};
enum err flow_schedules(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                        struct schedule_state **ret, size_t *ret_n) must_check;

// ---- duties ------------------------------------------------------------------------------------
// Records that wait for one of the caller's roles in the caller's scope (states with who:), overdue first, then by
// deadline, those without one last. At most 500 a type.
// request: not the record itself waits but a request for more time (struct extension) for his answer; else 0.
struct duty { struct str type; int64_t id; struct str number, title, state; int64_t deadline, since, escalated, request; };
enum err flow_duties(struct db *db, const struct registry *reg, const struct identity *by, struct arena *a,
                     struct duty **ret, size_t *ret_n) must_check;
// ---- what is late ------------------------------------------------------------------------------
// Open records past their deadline at `now` in the caller's scope and rights, counted by type, state and town; type after
// type, state after state. area: nine digits of its division (fewer: of a county), empty = none; oldest: the earliest of
// their deadlines. Any connection.
struct late { const struct type *type; const struct state *state; struct str area; int64_t n, oldest; };
enum err flow_late(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                   struct late **ret, size_t *ret_n, struct problem *p) must_check;
// Of those that wait on enterprises, how many each has, by type: a thousand with most of each type.
struct late_enterprise { int64_t enterprise, n; };
enum err flow_late_enterprises(struct db *db, const struct registry *reg, const struct identity *by, int64_t now, struct arena *a,
                               struct late_enterprise **ret, size_t *ret_n, struct problem *p) must_check;
// Who is meant by a word of a state's who: a role, or the field in which persons, an organisation or an enterprise stand; neither: who
// entered the record. False: nobody (the platform). Pure.
struct waiter { const struct role *role; const struct field *field; };
bool flow_waiter(const struct registry *reg, const struct type *t, struct str who, struct waiter *ret);
bool flow_waits_on_enterprise(const struct registry *reg, const struct type *t, const struct state *s);

// ---- quality of data ---------------------------------------------------------------------------
// Which records of the type have a flaw that a list can be asked for: "missing" (a field that every record must have is empty),
// "missing.FIELD", "doubled" (the same title elsewhere in what the caller may see), "code" (unified social credit code). NULL: there
// is no such flaw, or the type cannot have it. Pure; what it answers lives in a.
const struct condition *flow_flaw(const struct type *t, struct str name, const struct identity *by, struct arena *a);
struct lacking { const struct field *field; int64_t n; };
struct data_quality {            // of the records that are not retired and in the caller's scope
	const struct type *type;
	int64_t records, missing, stale, doubled, bad_code, typed, imported, opened;
	int64_t newest;         // change, UTC us; 0 = no record
	bool titled, coded;     // can it be doubled, does it have a code?
	struct lacking *fields; // that every record must have and the caller may read, with how many lack it
	size_t nfields;
};
// One reading of the type's rows. stale: open, and not changed since `before` (UTC us). Any connection.
enum err flow_quality(struct db *db, const struct type *t, const struct identity *by, int64_t before, struct arena *a,
                      struct data_quality *ret, struct problem *p) must_check;

// ---- work centre -------------------------------------------------------------------------------
struct work_query {
	const struct registry *reg;
	const struct identity *by;
	struct str box;         // todo done started copied
	struct str type, text;  // empty = all; text: in number or title
	size_t offset, limit;
};
struct work_item {
	struct str type, number, title, state;
	int64_t id, deadline, at, escalated, request; // at: since when it waits, when it was done, created, told
	struct str what;        // done: the last thing: name of the move, "update" …; else empty
	bool gone;              // the caller may not see it any more; title is empty
};
// todo by urgency, the others newest first. ret_total: of all pages.
enum err flow_work(struct db *db, const struct work_query *wq, struct arena *a, struct work_item **ret, size_t *ret_n,
                   int64_t *ret_total) must_check;

// ---- who reported a danger (seal.c) -------------------------------------------------------------
// Kept beside the record, in no field of it: what shows, finds, exports or audits records cannot show this. digest: SM3_LEN bytes of
// the receipt number; plain: JSON, empty if nobody is named. Inside the job that creates the record.
enum err flow_seal(struct db *db, const struct auth *au, int64_t record, struct str digest, struct str plain, struct arena *a) must_check;
enum err flow_sealed_record(struct db *db, struct str digest, int64_t *ret) must_check; // ERR_NOT_FOUND: no such receipt
enum err flow_sealed_text(struct db *db, const struct auth *au, int64_t record, struct arena *a, struct str *ret) must_check;
// Opens it for who may "report.unseal" and sees the record; body.reason goes to the audit in the same transaction, what was in it
// goes nowhere but to *ret. ERR_NOT_FOUND: nobody is named. Inside a store job.
enum err flow_unseal(struct db *db, const struct auth *au, const struct type *t, int64_t id, const json_t *body,
                     const struct identity *by, struct arena *a, struct str *ret, struct problem *p) must_check;

// ---- comments ----------------------------------------------------------------------------------
struct comment { int64_t id, at, person; struct str name, text, mentions; }; // mentions: ids, ",1,2,"
// body: text, mentions [ids of persons who may read the record]. Inside a store job.
enum err flow_comment(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                      const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
// Newest first, older than id before (0 = all). The caller has seen to it that the record may be read.
enum err flow_comments(struct db *db, const struct type *t, int64_t id, int64_t before, size_t limit, struct arena *a,
                       struct comment **ret, size_t *ret_n) must_check;

// ---- releases and their receipts ---------------------------------------------------------------
struct release_row {        // one message about a record; the one that nothing superseded is in force
	int64_t id, seq, at, person, expires, tier, superseded_at; // seq: of the record, from 1; tier: the last that was told
	struct str msg, level, name, reason; // msg: release_name; name: of who released it
	struct label text;
	struct str facts;           // JSON of what it was about (report/cap.h reads it)
};
struct receipt {            // times us, 0 = not; due_at: of the next repetition
	int64_t person, tier, wait, told_at, sent, read_at, confirmed_at, due_at;
	struct str name, channels, confirmed_name, note;
};
struct receipt_message { int64_t channel; struct str state; }; // the newest by each channel, as in the log of messages
#define RECEIPT_NOTE_MAX 1000 // bytes
// Of one record, newest first; of one release; of one receipt.
enum err flow_releases(struct db *db, const struct type *t, int64_t id, struct arena *a, struct release_row **ret,
                       size_t *ret_n) must_check;
enum err flow_receipts(struct db *db, int64_t release, struct arena *a, struct receipt **ret, size_t *ret_n) must_check;
// Who was told, has read and confirmed what was released with from <= at < to, oldest first, at most limit.
struct receipt_then { struct str type, msg, level, name, confirmed_name; int64_t record, person, tier, told_at, read_at, confirmed_at; };
enum err flow_receipts_span(struct db *db, int64_t from, int64_t to, size_t limit, struct arena *a, struct receipt_then **ret,
                            size_t *ret_n) must_check;
enum err flow_receipt_messages(struct db *db, int64_t release, int64_t person, struct arena *a, struct receipt_message **ret,
                               size_t *ret_n) must_check;
// Inside a store job: the caller confirms that he has the release in force. ERR_CONFLICT if none waits for him.
enum err flow_receipt(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str note,
                      const struct identity *by, struct arena *a, struct problem *p) must_check;

// Messages to a person: created by moves, escalation and alarms; unread until read. kind: duty tell overdue remind
// extension mention.
struct notice { int64_t id, at; struct str text_zh, text_en, type; int64_t record, read_at; struct str kind; };
// To every person of the role whose area and enterprise cover the record's. Inside a store job, with a registry pinned
// or set (the type `person` is looked up in it).
enum err flow_notify_role(struct db *db, struct str role, struct str area, int64_t enterprise, struct str text_zh,
                          struct str text_en, struct str type, int64_t record) must_check;
// How many people hear of a record of the type that is opened at the place: those whom its first state calls or tells by
// their role and scope. Any connection.
enum err flow_count_called(struct db *db, const struct registry *reg, const struct type *t, struct place at, struct arena *a,
                           size_t *ret) must_check;
enum err flow_notices(struct db *db, const struct identity *by, bool unread_only, size_t limit, struct arena *a,
                      struct notice **ret, size_t *ret_n) must_check;
enum err flow_notice_read(struct db *db, const struct identity *by, int64_t notice, int64_t now) must_check; // own ones only

// ---- history.c ---------------------------------------------------------------------------------
// An entry of the record in the audit chain: action, or action:name; detail is a JSON object. Inside a store job.
enum err history_add(struct db *db, const struct type *t, int64_t id, const char *action, struct str name,
                     struct str detail, const struct identity *by) must_check;
