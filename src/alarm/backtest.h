// Back-test: what rules and limits would have said of stored history, before they are put in force. The samples go
// through a private evaluator (alarm.h), the same code in the same order as live, so its changes are those of a live
// evaluator that is fed the same samples as they are measured and is asked whenever something is due. Pure: no store, no
// clock. One thread at a time; memory from the caller's arena but the evaluator's own (backtest_end frees it).
// History carries no time of arrival: a sample counts as arrived when it was measured. What was live only because data
// came late (a silence, a delay that ran out before a sample of its time came) is therefore not repeated.
#pragma once

#include "alarm/alarm.h"
#include "base/arena.h"

struct sample; // series/series.h

struct backtest_alarm {         // from its raise to its return; one a condition, as in table alarm
	uint32_t rule;          // index in the rule set
	enum level first, level; // as raised; the most severe
	int64_t from, to;       // us; to 0 = it lasts at the end
	double limit;           // as raised; NaN = none
	double extreme;         // farthest value beyond the limit while it was active; other families: the value that raised it
	int64_t extreme_at;
	// longest time with the value at or beyond the limit while it was active (limits only), from when; interruptions up to
	// the chatter window end no stretch but do not count
	int64_t beyond, beyond_from;
	bool announced;         // false: an engineering hint, or raised during maintenance
	bool chatter;           // one of three raises of the same condition within the window
};

struct backtest_setup {
	const struct rule_set *rules;
	const struct registry *reg;
	const struct point_def *point;
	const struct point_def *others; // what its rules' expressions read beside it (rules_read), by id; may be none
	size_t nothers;
	int64_t from, to;       // us: silence and delays run on to `to`
	int64_t chatter;        // us, see backtest_chatter; 0 = one minute
	bool judge_quality;     // samples carry what the device said: range is judged as live; else as stored
	transition_fn *hear;    // every change besides, may be NULL
	void *arg;
	bool (*go_on)(void *arg, double part); // asked now and then, may be NULL; false: stop
	void *go_on_arg;
};

struct backtest_figures {       // of announced alarms
	uint64_t samples;
	double days;            // of from..to, those since the first sample; a whole day at least, if that is not more than from..to
	size_t alarms, chatter, standing; // standing: active for more than 24 h (ISA-18.2: stale)
	size_t night;           // raised from 22:00 to 06:00 in the site's zone
	size_t most;            // in any ten minutes (EEMUA 191: more than 10 is a flood)
	size_t by_level[ALARM_LEVELS]; // by the most severe level
	int64_t active;         // us with at least one alarm active
};

struct backtest;
struct backtest *backtest_begin(const struct backtest_setup *s, struct arena *a);
// Samples by time, each once. ERR_TOO_LARGE beyond LIMIT_BACKTEST_ALARMS, ERR_TIMEOUT if go_on said no; then only
// backtest_end may follow.
enum err backtest_feed(struct backtest *b, const struct sample *v, size_t n) must_check;
void backtest_other(struct backtest *b, size_t other, const struct sample *s); // of others[other], in time with those of the point
// Ends it. Alarms by their raise, in the arena of backtest_begin.
void backtest_end(struct backtest *b, struct backtest_alarm **ret, size_t *ret_n, struct backtest_figures *f);

// ISA-18.2 calls three raises within a minute chattering. A point sampled seldom cannot do that: then within ten samples.
int64_t backtest_chatter(int64_t interval);
bool backtest_is_night(int64_t us); // 22:00 to 06:00, site's zone

// ---- what really happened ----------------------------------------------------------------------
// An event (a confirmed warning, hazard, accident) was preceded if an alarm was raised at most `window` before it: one that
// had been standing for longer warned nobody. Alarms that follow each other within `chatter` are one occurrence, which
// began with the first. Returns the index of that first alarm, or n.
size_t backtest_precede(const struct backtest_alarm *v, size_t n, int64_t event, int64_t window, int64_t chatter);

// ---- settings that would have been quieter -----------------------------------------------------
struct backtest_goal {
	const int64_t *events;  // us, by time
	size_t nevents;
	double remove;          // share of the alarms (all, or those that chatter) to be rid of, 0 to 1
	bool all;
	int64_t delay;          // us: an alarm that must be kept may come later by this much
	int64_t keep;           // us: an alarm whose value was beyond the limit so long must be kept as if confirmed; 0 = none
	int64_t window;         // as backtest_precede
	double span;            // the point's range, in its unit: dead bands are tried in shares of it
};

struct backtest_suggestion {
	bool found;             // something is quieter and keeps what must be kept
	bool reached;           // by as much as was asked for
	struct point_own own;   // what to set; unset fields stay as they are
	size_t confirmed, longs; // alarms that must be kept: before events, and for how long they were beyond
	int64_t later;          // us: by how much one of them comes later at most
	size_t tried;           // settings
	int64_t searched_from;  // us: the newest LIMIT_BACKTEST_SEARCH samples that can matter begin here
	size_t before, before_chatter, after, after_chatter; // alarms of limits since then
};
// Searches dead band and delays of the point, from small to large, for the first that reach the goal; else for the
// quietest. Samples by time. ERR_TIMEOUT if go_on said no.
enum err backtest_suggest(const struct backtest_setup *s, const struct sample *v, size_t n, const struct backtest_goal *g,
                          struct arena *a, struct backtest_suggestion *ret) must_check;
// What is never of importance to an alarm of a limit is left out, exactly: of samples in a row inside every clear limit,
// also with the largest dead band tried, only the first. In place; returns how many are left. *calm is false for the first
// call and kept between calls.
size_t backtest_condense(const struct backtest_setup *s, double span, struct sample *v, size_t n, bool *calm);
