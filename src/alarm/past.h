// Alarms as they were: what was open in a span of time, and in which state each was at any moment of it, from the journal alone.
// Nothing of what an alarm became after the span is in it. Reading: any thread, own connection.
//
// A journal is written in the order of the changes (its ids), each with the time of what changed: of a condition the time of the
// sample, of a person's act the time of the act. They can disagree by what a message takes to arrive. The state at t is that after
// the newest written entry among those whose time is not after t. What was found afterwards in re-sent history and no longer changed
// the alarm (`noted`) is an event of its time and no state.
#pragma once

#include "alarm/alarm.h"

struct past_entry {
	int64_t id, at;
	struct str what;        // "raised", "level", "returned", "ack", …
	struct str level;       // of a condition, or empty
	enum alarm_state from, to;
	int64_t actor, arrival; // arrival: us, 0 = none; when the sample reached us
	double value, limit;    // NaN = none
	uint16_t quality;
	struct str reason;
	bool noted;             // filled by past_steps
};

struct past_step {          // from `at` on, until the next
	int64_t at;
	enum alarm_state state;
	bool active;
	struct str level, color; // as it was announced; color: filled by past_alarms
};

// The states of one alarm, by time, from its entries in the order of their ids. Before the first step it was normal. Pure.
size_t past_steps(struct past_entry *v, size_t n, struct arena *a, struct past_step **ret);
// The step in force at t; NULL before the first.
const struct past_step *past_at(const struct past_step *v, size_t n, int64_t t);

struct past_alarm {
	int64_t id, point, enterprise, installation, thread;
	struct place place;
	struct str rule, point_code, point_name, point_unit, enterprise_title;
	struct label rule_label, say; // say: at its highest level in the span
	double lon, lat;        // NaN = no position
	struct past_entry *entries; // of before the end of the span, in the order of their ids
	size_t nentries;
	struct past_step *steps;
	size_t nsteps;
};

struct past_query {
	int64_t from, to;       // us
	int64_t enterprise, installation, point; // 0 = any
	struct str area;        // prefix, empty = any
	size_t most, most_entries; // more alarms, or entries of all their journals: ERR_TOO_LARGE
};
// The alarms in the scope that were open at a moment of the span, by their id. rs: the rules in force, for the words and colours of
// levels that an alarm has left since.
enum err past_alarms(struct db *db, const struct rule_set *rs, const struct scope *scope, const struct past_query *q, struct arena *a,
                     struct past_alarm **ret, size_t *ret_n) must_check;
// The span of one alarm: when it was first raised and when it was closed (0 = open), and whose it is. ERR_NOT_FOUND outside the scope.
struct past_which { int64_t raised, closed, point, enterprise, installation; struct str title, area; };
enum err past_which(struct db *db, const struct scope *scope, int64_t alarm, struct arena *a, struct past_which *ret) must_check;
