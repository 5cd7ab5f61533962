// One point tried: the settings in force and a candidate side by side on the same samples, and a proposal. What the
// API (api/backtest.c) and the command (tool/tool_backtest.c) share; they bring samples, events and people. One thread.
#pragma once

#include "alarm/backtest.h"
#include "base/jw.h"

struct backtest_event {         // something that did happen
	int64_t at;             // us
	struct str type, number, title; // of its record; empty: only a time
	int64_t id;
};

struct backtest_side {
	const struct rule_set *rules;
	struct point_def point;
	struct backtest_alarm *v;
	size_t n;
	struct backtest_figures f;
	int64_t notices, night_notices; // people told by the records its alarms open; -1 = not known
};

// Samples of [from, to), by time. Their memory may be from a, which is emptied between two calls.
typedef enum err backtest_read(void *arg, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n);

// The same of others[other].
typedef enum err backtest_read_other(void *arg, size_t other, int64_t from, int64_t to, struct arena *a, struct sample **ret,
                                     size_t *ret_n);

struct backtest_try {
	// in
	const struct registry *reg;
	struct backtest_side stored, candidate;
	bool has_candidate;
	int64_t from, to, slice;    // us; slice: of one call of read
	bool judge_quality;
	uint64_t max;               // samples
	backtest_read *read;
	void *read_arg;
	const struct point_def *others; // as struct backtest_setup: read by either side's rules
	size_t nothers;
	backtest_read_other *read_other;
	bool (*go_on)(void *arg, double part);
	void *go_on_arg;
	const struct backtest_event *events; // by time
	size_t nevents;
	int64_t window;             // an event counts as preceded by an alarm raised at most this long before
	bool suggest;
	double remove;              // as struct backtest_goal
	bool all;
	int64_t delay, keep;
	// out
	struct backtest_suggestion suggestion;
	int64_t chatter;            // the window that was used
};
// ERR_TOO_LARGE (field "from" or "changes"), ERR_TIMEOUT (go_on said no), ERR_INVALID (no limit to propose for), and what
// read returns. Results in a.
enum err backtest_run(struct backtest_try *t, struct arena *a, struct problem *p) must_check;

// Changes one setting of a point by the name of its record's field: ll l h hh deadband delay_on_s delay_off_s. NaN takes it
// away (limits: no limit; others: as the rules say). False: no such name, or a value that it cannot have.
bool backtest_change(struct point_def *d, struct str name, double value);
// The rules of reg with this text instead of the rule of the same name, or besides. ERR_INVALID: mistakes are in d.
enum err backtest_rules(struct rule_set **ret, const struct registry *reg, struct str text, struct diags *d, struct arena *a) must_check;
// Counts notices: each alarm that opens a record of a type tells told(type) people.
void backtest_notices(struct backtest_side *s, size_t (*told)(void *arg, struct str type), void *arg);

// One object: settings, figures, events with the alarm before each, alarms (at most `shown`, the newest).
void backtest_side_json(struct jw *w, const struct backtest_try *t, const struct backtest_side *s, size_t shown);
void backtest_suggestion_json(struct jw *w, const struct backtest_try *t); // one object
