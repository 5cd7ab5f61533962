// A compiled rule, for alarm/ only. Made by rule_load.c from packs/*/rules/*.yaml, immutable afterwards, read by the
// evaluator (T_SERIES), by the store jobs and by the API threads.
#pragma once

#include "alarm/when.h"

struct rule_cond {          // one level of a rule: hh h l ll rate silent flat bad
	bool set;
	struct label say, guide;    // what the operator reads, and what to do
	struct str color;           // red orange yellow blue
	struct str open;            // type of the record it opens, or empty
	struct label open_label;    // that type's label
	bool from_point;            // hh h l ll: the limit is the point's own
	bool rise;                  // rate: rise, else fall
	bool has_clear, has_clear_by;
	double limit;               // hh h l ll: the limit; rate: the change; flat: the least change
	double clear, clear_by;     // hh h l ll: absolute, or distance from the limit
	int64_t on, off;            // us; silent and flat: on is the time without a sample or change
	int64_t per;                // us, rate: the window
};

// What else must last for an alarm of the rule to be suppressed: a condition of another rule at the same place.
enum cause_at { CAUSE_AT_POINT, CAUSE_AT_DEVICE, CAUSE_AT_INSTALLATION, CAUSE_AT_ENTERPRISE };
struct rule_cause {
	struct str rule;
	enum cause_at at;
	struct str point;           // code of the cause's point, or empty: any
	int64_t longest;            // us from the beginning of the cause
	struct label why;
};

struct rule {
	struct rule_info info;
	uint32_t key;               // digest of the name: identity across generations, never 0
	struct str category;        // of the warning it opens: an item of menu warning_category, or empty
	bool hint;                  // engineering hint: evaluated, never annunciated
	bool latch;                 // its alarms stay until they are reset
	bool never_suppress;        // its highest level is hidden by nothing but its point's own service
	bool is_cause;              // of another rule
	int64_t hide_longest;       // the longest a person may hide its alarms (us), 0 = as alarm.h says
	struct rule_cause *causes;
	size_t ncauses;
	int64_t early_within, early_every; // us; within 0 = nothing is said ahead of the limits
	struct str early_color;
	struct str *kinds;          // kinds of points it watches
	size_t nkinds;
	struct str *sectors, *areas, *points; // where: any of these; empty = everywhere
	size_t nsectors, nareas, npoints;
	struct rule_cond at[ALARM_LEVELS]; // by enum level
	enum fence_what fence;      // of LEVEL_FENCE
	const struct when *when; // of LEVEL_WHEN and LEVEL_BLIND, or NULL
};

struct rule_set {
	struct arena *arena;
	struct rule *v;
	size_t n;
};

bool rule_watches(const struct rule *r, const struct point_def *p); // its sector, area and code; the kind aside
// The limit of a level (ll l h hh) at a point; false if the point has none.
bool rule_limit(const struct rule_cond *c, enum level level, const struct point_def *p, double *ret);
struct label rule_seen(const struct rule_set *rs, uint32_t rule, const struct alarm_seen *v, size_t n, struct arena *a);

// Words of evaluator state (8 bytes each) that a rule with these conditions needs; see eval.h.
#define POINT_WORDS 13
#define POINT_CONDS 16
size_t rule_words_needed(const struct rule *r, bool shared_clock);
bool rule_watches(const struct rule *r, const struct point_def *p); // where: its sector, area and code; not its kind
bool rule_needs_clock(const struct rule *r); // rate or flat: one more word, shared by all rules of the point
