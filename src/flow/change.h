// Inside flow/: a change on its way through a store job, and the steps that flow.c shares with what else changes records
// (moves that open records, withdrawals, extensions, schedules). Writer thread.
#pragma once

#include "flow/draft.h"

struct change {
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	const struct identity *by;
	struct arena *a;
	struct problem *p;
};

// The row, if the caller may see it and it is not retired; else the problem says why.
enum err change_load(const struct change *ch, int64_t id, struct row *ret) must_check;
// Writes the row with the next version and its history entry; the person's work. name, reason: may be empty.
enum err change_save(const struct change *ch, const struct row *old, struct draft *d, struct common *c, const char *action,
                     struct str name, struct label reason) must_check;
// A new row in the first state of its type: number, thread (if c has none), history, notices, event.
enum err change_insert(const struct change *ch, struct draft *d, struct common *c) must_check;
enum err change_tell(const struct change *ch, const struct common *c, const struct value *vals) must_check; // whose duty it is now
void change_announce(const struct change *ch, const char *what, const struct common *c);
struct common common_empty(void);
struct str body_text(const json_t *body, const char *key, struct arena *a); // trimmed; empty if absent

// ---- apart.c -----------------------------------------------------------------------------------
// not_same: against who really acted, when it was by delegation.
enum err move_apart(const struct change *ch, const struct move *m, int64_t id) must_check;

// ---- refusal.c ---------------------------------------------------------------------------------
// What the store said of a value that must be unique, in the words of the type; other errors as they are.
enum err twice_told(const struct change *ch, enum err err) must_check;
enum err same_told(const struct change *ch, const struct move *m, const struct row *row); // ERR_FORBIDDEN: he is in not_same
// ERR_FORBIDDEN: the role does not have the right (zh, en say which), or the token of the call does not.
enum err right_told(struct problem *p, const struct identity *by, const struct type *t, const char *zh, const char *en);
enum err role_told(const struct change *ch, const struct move *m);                        // ERR_FORBIDDEN: not among who

// ---- opens.c -----------------------------------------------------------------------------------
// The value of an assignment in a draft of its type; from: the record that an expression is over; line: the row of a ROWS
// field it is about, or NULL.
enum err assign_put(const struct change *ch, const struct assign *as, const struct type *from_type, const struct row *from,
                    const json_t *line, struct draft *to) must_check;
// Opens what the move opens, from the row as it is after the move.
enum err move_opens(const struct change *ch, const struct move *m, const struct row *row) must_check;
// Writes what the move writes into the records that the row, as it is after the move, refers to (writes.c).
enum err move_writes(const struct change *ch, const struct move *m, const struct row *row) must_check;
// Which of the records that it may open for (struct opens.across); NULL = all. For this moment.
const struct condition *opens_cond(const struct registry *reg, const struct opens *o, const struct identity *by, struct arena *a);
// Which records have to be public (publish.due.where); NULL = all.
const struct condition *flow_publish_cond(const struct registry *reg, const struct type *t, struct arena *a);
// Opens what the triggers of the type say whose condition holds for the row and did not for old (NULL: it is new).
enum err triggers_fire(const struct change *ch, const struct row *old, const struct row *row) must_check;
// One record of the type, linked to a record of another: fields, area, enterprise, sector from it. thread 0 = a new one.
// deadline: 0 = the state's own. created_by: ch->by.
enum err open_linked(const struct change *ch, const struct opens *o, const struct type *from_type, const struct row *from,
                     const json_t *line, int64_t deadline, int64_t *ret_id) must_check;

// ---- schedule.c --------------------------------------------------------------------------------
int64_t period_start(enum every e, int64_t day);    // days since 1970
int64_t period_next(enum every e, int64_t start);
struct str period_key(enum every e, int64_t start, struct arena *a); // "2026-11-22", "2026-W47", "2026-11", "2026-Q4", "2026-H2", "2026"
int64_t schedule_newest(const struct schedule *s, int64_t today); // start of the newest period that has opened
// Which subjects; NULL = all. For this moment.
const struct condition *schedule_cond(const struct schedule *s, int64_t now, const struct registry *reg, struct arena *a);

// ---- withdraw.c --------------------------------------------------------------------------------
// Remembers the clock of the state that is left, and who leaves it, in the row and beside it.
enum err move_remember(const struct change *ch, const struct row *old, struct common *c) must_check;
enum err flow_withdraw(const struct change *ch, int64_t id, struct str reason) must_check;

// ---- release.c, receipt.c ----------------------------------------------------------------------
// An upgrade goes up, a downgrade down, the time of validity is not over. Then, after the row is saved: the release, its
// receipts and messages.
enum err release_check(const struct change *ch, const struct move *m, const struct row *old, const struct value *vals) must_check;
enum err release_make(const struct change *ch, const struct move *m, const struct row *row, struct str reason) must_check;
// The caller's own receipt of the release in force; *ret_done: there was one that waited.
enum err receipt_confirm(const struct change *ch, int64_t id, struct str note, bool *ret_done) must_check;

// ---- extension.c -------------------------------------------------------------------------------
enum err extensions_lapse(const struct change *ch, int64_t id) must_check; // the record has left the state they were for
