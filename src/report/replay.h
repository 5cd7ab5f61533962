// What happened in a span of time around something: alarms as they were, what people and the platform did to records, messages that
// left and receipts that came. Made of what is stored (alarm journal, audit chain, log of messages), in the reader's rights, and
// nothing of it is later than the span. Readings are not in it: who has the series adds them (api/replay.c). Reads only; any thread
// with a connection.
#pragma once

#include "alarm/past.h"
#include "flow/flow.h"

struct replay_ask {         // one of: alarm, type and record, enterprise, installation, point, area
	int64_t alarm, record, enterprise, installation, point;
	struct str type, area;
	int64_t from, to;       // us; 0 = as suits the subject: from half an hour before it to its end, or now
	int64_t now;
};

enum replay_kind { REPLAY_ALARM, REPLAY_ACTION, REPLAY_MESSAGE };
struct replay_event {
	int64_t at, seq;        // seq: of the audit entry; 0 = none
	enum replay_kind kind;
	struct str what;        // entry of a journal ("raised"), action ("move:verify"), message: made sent failed delivered undelivered told read confirmed
	const struct past_alarm *alarm; // REPLAY_ALARM
	const struct past_entry *entry;
	const struct type *t;   // the others: what record it was about
	int64_t record;
	struct str number, title;
	struct str actor;       // who, as he was called then; of a receipt whose it is, empty if the reader may not know
	struct str before, after; // states of the record
	struct str reason, reason_en, detail; // reason_en: where the platform itself gave it; detail: JSON as the history shows it
	struct str channel;     // of a message: the channel's name; of a receipt: msg of the release and its level
	int64_t tier;
};

struct replay {
	int64_t from, to;
	struct str kind, title, number; // of the subject: "alarm" "record" "enterprise" "installation" "point" "area"
	int64_t id;
	const struct type *t;   // of a record
	int64_t enterprise, installation, point; // where it looks; 0 = everywhere in the area
	struct str area;        // prefix, when no enterprise is
	struct past_alarm *alarms;
	size_t nalarms;
	struct replay_event *events; // by time
	size_t nevents;
};

// ERR_NOT_FOUND if the subject is not there or outside the scope; ERR_INVALID, ERR_TOO_LARGE with the field and what to do.
enum err replay_read(struct db *db, const struct registry *reg, const struct rule_set *rs, const struct identity *by, bool en,
                     const struct replay_ask *ask, struct arena *a, struct replay *ret, struct problem *p) must_check;

// What an event is called: "报警", "流转：核实" …
struct str replay_what(const struct replay_event *e, bool en);
struct str replay_state(enum alarm_state s, bool en);
// A name without what tells who it is: the first character and two stars.
struct str replay_mask(struct str name, struct arena *a);

// The curves of a replay in numbers, for its summary on paper.
struct replay_curve { struct str code, name, unit; int64_t n; double min, max; };
enum err replay_paper(const struct replay *r, const struct replay_curve *curves, size_t ncurves, const struct identity *by,
                      struct str office, int64_t at, bool en, struct arena *a, struct str *ret_pdf) must_check;
