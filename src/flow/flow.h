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
// "-happened,level": a menu is sorted in the order of its items.
enum err record_sorts(const struct type *t, struct str text, struct arena *a, struct sort **ret, size_t *ret_n,
                      struct problem *p) must_check;
// The filters of a named list with the caller in place of me and my_enterprise, and "open" as a filter on the state.
void flow_list_filters(const struct type *t, const struct listing *l, const struct identity *by, struct arena *a,
                       struct filter **ret, size_t *ret_n);
// The type description that forms and lists are drawn from.
void type_json(struct jw *w, const struct registry *reg, const struct type *t, const struct identity *by, bool full);

// ---- changes (inside a store job) --------------------------------------------------------------
enum err flow_create(struct db *db, const struct registry *reg, const struct type *t, const json_t *body,
                     const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p) must_check;
enum err flow_edit(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                   const struct identity *by, struct arena *a, struct problem *p) must_check; // body.version: optimistic lock
// body: fields of the move, "reason", "password" (if sign), "version" (optional).
enum err flow_move(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str move,
                   const json_t *body, const struct identity *by, struct auth *au, struct arena *a,
                   struct problem *p) must_check;
enum err flow_retire(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str reason,
                     const struct identity *by, struct arena *a, struct problem *p) must_check;
// A new record made by the system (an alarm opens a warning): fields by name; thread 0 = new thread.
struct flow_field { const char *name; struct value v; };
enum err flow_open(struct db *db, const struct registry *reg, const struct type *t, const struct flow_field *fields,
                   size_t nfields, struct str area, int64_t enterprise, int64_t thread, struct arena *a,
                   int64_t *ret_id, struct problem *p) must_check;
// From this state, by this person (role, creator, owner), who is not the one it must not be, in his scope.
bool flow_may_move(const struct type *t, const struct move *m, const struct row *row, const struct identity *by);

// ---- deadlines (one store job a tick) ----------------------------------------------------------
// Finds records whose deadline has passed, records the overdue step in the history and tells the next tier; the k-th
// tier (from 0) is told at deadline + k × every. Survives restarts: all of it is in the rows (deadline stays the moment
// the work was due, escalated counts the tiers told). *ret_next: when to call again (us):
// at most a minute ahead, now if there was more to do than one tick should.
enum err flow_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next) must_check;

// ---- duties ------------------------------------------------------------------------------------
// Records that wait for one of the caller's roles in the caller's scope (states with who:), overdue first, then by
// deadline, those without one last. At most 500 a type.
struct duty { struct str type; int64_t id; struct str number, title, state; int64_t deadline, since, escalated; };
enum err flow_duties(struct db *db, const struct registry *reg, const struct identity *by, struct arena *a,
                     struct duty **ret, size_t *ret_n) must_check;
// Messages to a person: created by moves, escalation and alarms; unread until read.
struct notice { int64_t id, at; struct str text_zh, text_en, type; int64_t record, read_at; };
// To every person of the role whose area and enterprise cover the record's. Inside a store job, with a registry pinned
// or set (the type `person` is looked up in it).
enum err flow_notify_role(struct db *db, struct str role, struct str area, int64_t enterprise, struct str text_zh,
                          struct str text_en, struct str type, int64_t record) must_check;
enum err flow_notices(struct db *db, const struct identity *by, bool unread_only, size_t limit, struct arena *a,
                      struct notice **ret, size_t *ret_n) must_check;
enum err flow_notice_read(struct db *db, const struct identity *by, int64_t notice, int64_t now) must_check; // own ones only
