// A row of table alarm as alarm_store.c, alarm_act.c and alarm_json.c see it. For alarm/ only.
#pragma once

#include "alarm/alarm.h"
#include "base/arena.h"

// Who or what hides an alarm. In the row as its name: "", "person", "service", "window", "cause".
enum hider { HIDE_NONE, HIDE_PERSON, HIDE_SERVICE, HIDE_WINDOW, HIDE_CAUSE };
const char *hider_name(enum hider h);
struct hold {
	enum hider by;
	int64_t ref;            // record of the window, or row of table alarm_cause
	int64_t until;          // 0 = no end of its own
	struct str who;
	struct label why;
};

struct alarm_row {
	int64_t id, point;
	struct str rule, family, level, color;
	struct alarm_mode mode;
	int64_t raised_at;      // first raise of this row
	int64_t last_raised_at; // newest raise
	int64_t returned_at, closed_at; // 0 = not
	double value, limit, peak; // NaN = none
	int64_t count;
	bool late;
	struct str area, sector; // sector: of the enterprise when it was raised
	int64_t enterprise, installation, device;
	struct str point_code, point_name, point_kind, point_unit, enterprise_title, installation_title;
	int64_t acked_by, acked_at, shelved_until;
	struct str acked_name, reason;
	int64_t thread, opened_id;
	struct str opened_type; // of the record that is, or is being, opened for it
	struct str opens;       // type of the record the rule opens at this level, or empty
	double lon, lat;        // NaN = no position
	struct label rule_label, say, guide;
	bool by_service;        // of a row written before `hidden`: it says HIDE_SERVICE
	int64_t level_at, cause_time, arrival;
	uint16_t quality;
	struct hold hidden;     // what keeps it from being announced; of a shelf: the fields above
	int64_t hidden_at;
	bool always;            // nothing may hide it: the highest level of a rule with never_suppress
	int64_t hide_longest;   // the longest a person may hide it, 0 = as alarm.h says
};

// One change as the journal has it.
struct alarm_entry {
	int64_t at;
	const char *what;       // "raised", "level", "returned", "ack", "shelve", …
	struct str level;
	double value, limit;    // NaN = none
	uint16_t quality;
	int64_t actor, arrival;
	struct str reason;
};

static inline struct place alarm_row_place(const struct alarm_row *r) { return (struct place){ r->area, r->enterprise, r->sector }; }
void alarm_row_read(struct query *q, struct arena *a, struct alarm_row *ret); // the current row of an ALARM_ROW statement
enum err alarm_row_get(struct db *db, int64_t id, struct arena *a, struct alarm_row *ret) must_check;
// Puts the input through the state machine, writes state and flags, and the journal entry. at: when the change was.
enum err alarm_move(struct db *db, struct alarm_row *row, enum alarm_input in, const struct alarm_entry *e,
                    struct problem *p) must_check;
enum err alarm_note(struct db *db, int64_t alarm, const struct alarm_entry *e, enum alarm_state from,
                    enum alarm_state to) must_check;
// Takes it out of shelved, suppressed or out_of_service, whoever hid it.
enum err alarm_reveal(struct db *db, struct alarm_row *row, struct alarm_entry e, struct problem *p) must_check;
// Writes what hides it (HIDE_NONE: nothing).
enum err alarm_set_hidden(struct db *db, struct alarm_row *row, const struct hold *h, int64_t at) must_check;
enum err alarm_clear_shelf(struct db *db, const struct alarm_row *row) must_check;
// Queues the record to open, if the rule opens one at this level, the alarm is announced, and none is opened yet.
enum err alarm_want_open(struct db *db, struct alarm_row *row) must_check;
