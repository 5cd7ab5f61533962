// What hides alarms by itself (ISA-18.2-2016 clause 11: suppression by design, out of service): for alarm/ only. Runs in store
// jobs (writer thread).
//
//   service   the point's record says maintenance or out of service             → out_of_service
//   window    an approved maintenance window of its enterprise runs             → out_of_service
//   cause     a condition that its rule or its rationale names lasts            → suppressed
// The strongest is shown. Which of them holds is found anew at each change, so that what ends lays open what is still active.
// A cause and what it suppresses are of one enterprise. The highest level of a rule with never_suppress: is hidden by the point's
// own service alone: then there is no measurement.
#pragma once

#include "alarm/alarm_row.h"

struct follow {
	struct db *db;
	const struct rule_set *rules;
	struct arena *a;
	struct problem *p;
	int64_t at;             // when: of the change that made it necessary, or now
	const struct alarm_context *cx; // whom to tell of alarms that changed besides; NULL: nobody
};

// What hides the alarm at f->at; ret->by HIDE_NONE: nothing. service: its point is in maintenance or out of service.
enum err hold_find(const struct follow *f, const struct alarm_row *row, bool service, struct hold *ret) must_check;
// Hides it, or brings it back, as hold says; what a person hid stays hidden unless nothing may hide it, or it has become worse
// than what he hid (a higher level, the other side). raising: it becomes active
// next, so it is hidden before it is announced.
enum err follow_hold(const struct follow *f, struct alarm_row *row, const struct hold *hold, bool raising,
                     struct alarm_entry e) must_check;
// The condition of (point, rule, family) lasts, or is over; row: of table alarm, NULL for a hint. What it suppresses is hidden or
// comes back.
struct cause {
	uint32_t point;
	struct str rule, family;
	int64_t since, alarm, enterprise, installation, device;
	struct str area, sector, point_code, point_name;
	struct label say;
	bool matters;           // a rule or a rationale names it
};
enum err cause_lasts(const struct follow *f, const struct cause *c) must_check;
enum err cause_over(const struct follow *f, const struct cause *c) must_check;
// Does any rule or rationale name it as a cause?
enum err cause_matters(const struct follow *f, struct str rule, bool *ret) must_check;
