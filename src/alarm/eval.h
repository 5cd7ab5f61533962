// Inside the evaluator, for alarm/eval_*.c and alarm/backtest*.c only. One thread owns all of it: T_SERIES, or who back-tests.
//
// A point's memory is one hot line of 64 bytes (all that a sample inside its band touches), a cold line, a run of
// state words, and a run of limits; points with equal limits share the run of limits, points with equal rules share
// the plan. Everything is in four arrays: no pointer to follow, nothing allocated between two loads.
//
// Words by condition (8 bytes each); a point without rate or flat has none before its first condition begins:
//   ll l h hh bad   [since]: start of the pending change while pending; else, while active, when it was raised (0 = unknown)
//   rate            [since][4 x lowest value of a quarter of the window, rise; highest for fall (sign turned)]
//   flat            [since][reference value]
//   silent          none
// and, if a rate or flat condition is there, word 0 is the time of the last trusted sample.
#pragma once

#include "alarm/rule.h"

enum hot_flag {
	HOT_SEEN = 1,           // a sample has been
	HOT_MAINTENANCE = 2,    // the point's record says maintenance or out of service
	HOT_CALIBRATION = 4,    // calibration is overdue
	HOT_FLAT = 8,           // a flat condition is active
	HOT_SERVICED = 16,      // the newest trusted sample was Q_MAINTENANCE, or the record said so until now
	HOT_WHEEL = 32,         // on the silence wheel
	HOT_UNSURE = 64,        // its saved state was made under other rules
	HOT_INPUT = 128,        // an expression of a rule reads it
};
#define QUALITY_NONE 255    // of a point without a sample

struct hot {                // 64 bytes
	int64_t time;           // newest sample
	int64_t arrival;        // when it arrived (wall clock)
	double value;           // newest trusted value (quality up to Q_FLAT)
	double lo, hi;          // a trusted value in [lo, hi] changes nothing; lo > hi: always the slow path
	double min, max;        // plausible range
	uint16_t active, pending; // bits by condition of the plan
	uint16_t flags;
	uint8_t quality;        // of the newest sample
	uint8_t known;          // the point has a record
};
_Static_assert(sizeof(struct hot) == 64, "a cache line");

#define WORDS_NONE UINT32_MAX

struct cold {
	uint32_t plan, words, limits; // indexes into the arrays of the evaluator; words: WORDS_NONE until one is not 0
	uint32_t heap_at;       // place in the timer heap + 1, 0 = not there
	uint32_t wheel_next;    // next point of the same second, 0 = last
	uint32_t late_at;       // place in the list of late points + 1
	uint32_t calibration_due; // minutes since 1970, as the site has it; 0 = never
};
_Static_assert(sizeof(struct cold) == 28, "a million of them");

enum family { FAMILY_LIMIT, FAMILY_RATE, FAMILY_SILENT, FAMILY_FLAT, FAMILY_BAD };

struct cond {
	uint8_t level, family, word, limit; // limit: index of (limit, clear) in the point's limits
	int8_t sign;            // +1 high or rise, -1 low or fall: values are multiplied by it
	uint8_t group;          // limit family: index of its rule's first condition in the plan
	uint16_t rule;          // index in the rule set
	uint32_t key;           // rule.key
	int64_t on, off, per;
	double by;              // rate: change; flat: least change
};

struct plan {               // what is judged at a point: conditions of all its rules
	uint8_t n, words, nlimits;
	bool clock;             // word 0 is the time of the last trusted sample
	bool slow;              // has rate or flat: every sample takes the slow path
	uint16_t groups;        // bit i: cond i is the first of its rule's limits
	uint32_t digest;        // of the conditions' identities: saved state fits only a plan with the same
	int64_t lookback;       // us of history that decide the state
	int64_t silent_for;     // shortest, 0 = none
	struct cond c[POINT_CONDS];
};

struct pair { double limit, clear; }; // already multiplied by sign

struct timer { int64_t due; uint32_t point; };
struct late_point {
	uint32_t point;
	uint16_t waited;        // calls of evaluator_late it was left to gather more
	bool fresh;             // more came since the last call
	int64_t from, to;
};

#define WHEEL_SLOTS 4096    // seconds

struct evaluator {
	uint32_t limit_point;   // no point above this
	uint32_t max_point;     // hot and cold have max_point + 1 entries
	void *hot_block;        // unaligned memory behind hot
	struct hot *hot;
	struct cold *cold;
	struct plan *plans;
	uint32_t nplans, plans_cap;
	int64_t *words;
	size_t nwords, words_cap;
	int64_t none[POINT_WORDS + 1]; // 0, but while a point without words is judged
	struct pair *limits;
	size_t nlimits, limits_cap;
	size_t npoints, nwatched;

	bool started;           // first tick has been
	int64_t next_calibration; // when the next calibration becomes overdue
	struct timer *heap;     // earliest due first
	uint32_t nheap, heap_cap;
	uint32_t wheel[WHEEL_SLOTS]; // first point of the second, 0 = none
	int64_t wheel_sec;      // seconds up to this one are done
	size_t nwheel;
	struct transition *gone; // returns of conditions whose rule is gone, for the next tick
	size_t ngone, gone_cap;
	struct when_set *when;  // conditions over several points; NULL: there are none
	struct late_point *late;
	uint32_t nlate, late_cap;
	size_t late_dropped;
};

// One point under judgement: the live one, or a scratch one in eval_late.c.
struct judged {
	const struct plan *plan;
	const struct pair *limits;
	struct hot *h;
	int64_t *w;
	uint32_t point;
	int64_t arrival;        // for transitions
	struct sample_cause { int64_t time; double value; uint16_t quality; } cause;
	transition_fn *fn;
	void *arg;
};

static inline int64_t *point_words(struct evaluator *ev, uint32_t point)
{
	return ev->cold[point].words == WORDS_NONE ? ev->none : ev->words + ev->cold[point].words;
}

static inline struct judged judged_of(struct evaluator *ev, uint32_t point, transition_fn *fn, void *arg)
{
	const struct cold *c = &ev->cold[point];
	struct hot *h = &ev->hot[point];
	return (struct judged){ .plan = &ev->plans[c->plan], .limits = ev->limits + c->limits, .h = h,
		                .w = point_words(ev, point), .point = point, .arrival = h->arrival, .fn = fn, .arg = arg,
		                .cause = { h->time, h->value, h->quality } };
}

// eval_judge.c: the rules of judgement, in event time.
void judge_advance(struct judged *j, int64_t to);  // pending changes that are due up to and including `to`
void judge_sample(struct judged *j, const struct reading *r); // r->time newer than the point's newest
void judge_silent(struct judged *j, int64_t now);  // raises silence that is due
void judge_band(const struct judged *j);           // sets lo and hi
int64_t judge_due(const struct judged *j);         // event time of the next pending change, INT64_MAX if none
// The level that stands for one family of one rule (group: its bits). False if none is active.
bool judge_level(const struct plan *p, uint16_t group, uint16_t active, uint16_t pending, size_t *ret_cond);
uint16_t plan_group(const struct plan *p, size_t cond); // bits of the conditions of the same rule and family
void plan_reset_words(const struct plan *p, int64_t *w);

// eval_timer.c: what is due, by wall clock.
void timer_set(struct evaluator *ev, uint32_t point);   // after judging: band, next due time, silence
void timers_rebuild(struct evaluator *ev);              // from all points, after a load
int64_t silent_due(const struct evaluator *ev, uint32_t point); // INT64_MAX if nothing can become silent

// eval_load.c
void evaluator_note_gone(struct evaluator *ev, const struct transition *t);
void words_keep(struct evaluator *ev, uint32_t point); // after judging: room of its own for words that are not 0 any more
