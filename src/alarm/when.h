// Conditions over several points and windows of time: `when:` of a rule. For alarm/ only.
//
// An expression (expr/) is over slots: a point's value, one of its limits, a window over its values, the hour. What has a
// memory, the windows, belongs to one point each and is a pure function of that point's samples; a watcher (a rule at one of the
// points it watches) puts the slots together, without a memory but its own condition with the delays. Everything is in event
// time: a watcher is judged at each time at which one of its inputs has a sample, and at the times at which its value can
// change by itself (a window moves by one bucket, a value gets too old, an hour is over).
//
// A value that is not known (no data, too old, bad) is a span of what it may be, and so is what follows from it: `x > 5 or y > 5`
// is true with one of them, `count_of(gas > 20) >= 2` is true with two high and one broken. What is neither true nor false
// changes nothing (the condition holds as it is) and is what `blind:` waits for.
//
// Memory: WHEN_BUCKETS buckets a window, whatever its length: a window of W at time t covers between 29/30 W and W. Cost: one
// bucket for each window of a sample's point, and at most once a time: the expression's steps, 30 for each window it reads.
#pragma once

#include "alarm/alarm.h"
#include "base/buf.h"

#define WHEN_BUCKETS 30
#define WHEN_WORDS (5 + 5 * WHEN_BUCKETS) // of the largest window, as it is saved
#define WHEN_DUES 4             // durations that one slot is compared with

struct rule;

enum when_scope { SCOPE_DEVICE, SCOPE_INSTALLATION, SCOPE_ENTERPRISE, SCOPE_AREA, SCOPE__MAX };
extern const char *const when_scopes[]; // "device", "installation", "enterprise", "area", NULL

struct when_role {              // points by what they are beside the one that is watched
	struct str name;
	struct label label;
	struct str *kinds;      // role 0: those of the rule
	size_t nkinds;
	enum when_scope scope;  // AREA: of its own area, else of the area above it, … up to the province
	bool many;              // all of them; else the one with the lowest id
	struct str code;        // its code ends so; empty: whatever
	struct str unit;
	int decimals;
};

enum when_measure {
	SLOT_LAST, SLOT_AGE, SLOT_LIMIT,
	SLOT_HIGHEST, SLOT_LOWEST, SLOT_AVERAGE,       // of several points, now
	SLOT_HOUR, SLOT_WEEKDAY, SLOT_WORKDAY, SLOT_WORKING_HOURS,
	SLOT_DURATION,       // here and below: with a memory
	SLOT_HELD, SLOT_MEAN, SLOT_MAX, SLOT_MIN,   // of the value as it is held until the next sample
	SLOT_COUNT, SLOT_TIMES, SLOT_RATE, SLOT_SLOPE, // of the samples
	SLOT__MAX
};

struct when_slot {
	enum when_measure what;
	size_t role;
	int64_t window;         // us
	enum expr_op op;        // DURATION, HELD, COUNT, TIMES: the test
	double than;
	int limit;              // of the test or LIMIT: enum level; -1 = none
	double from, to;        // WORKING_HOURS: hours of the day
	int64_t due[WHEN_DUES]; // AGE, DURATION: durations that it is compared with, us; 0 = none
	struct str text;        // as written
	struct label label;
	struct str unit;        // empty: a number; "time": us
};

struct when_step {              // of the program, for a stack of spans
	uint8_t op;             // enum expr_op; LITERAL: f; SLOT: at
	uint8_t n;              // AND OR MIN MAX: operands
	uint16_t at;            // SLOT: which; ANY ALL COUNT_OF: how many steps follow that are for each of the several
	uint16_t role;          // ANY ALL COUNT_OF: which several
	double f;
};

struct when {                   // compiled; part of its rule, immutable
	const struct expr *expr;
	struct when_role *roles;
	size_t nroles;
	struct when_slot *slots; // as those of the expression
	size_t nslots;
	struct when_step *steps;
	size_t nsteps;
	bool has_once;
	enum when_scope once;   // one watcher for each of these, at its point with the lowest id; else one a point
};

// when_load.c: the node `when:` of a rule; NULL after a mistake.
struct loading;
struct yaml_node;
const struct when *when_compile(struct arena *a, const struct registry *reg, const struct rule *r, const struct yaml_node *map,
                                struct diags *d);
size_t when_state(const struct when_slot *s); // words (8 bytes) of its memory as it is saved, 0 = none
size_t when_cost(const struct when *w);       // steps of one judgement, with one point for each role

// ---- the engine: when_site.c, when_run.c, when_eval.c, when_window.c, when_save.c ----------------------------------------------
struct bounds { double lo, hi; };
// fmax and fmin, without a call.
static inline double larger(double a, double b) { return a >= b || b != b ? a : b; }
static inline double smaller(double a, double b) { return a <= b || b != b ? a : b; }

struct when_point {             // a point of a kind that some rule with an expression names
	struct point_def def;   // texts in when_set.texts
	int64_t hold;           // us that a value stands for
};

// What a judgement that changes nothing touches is one line of memory each (64 bytes): the watcher, its channels, their windows.
struct channel {                // a point that is read
	uint32_t point;
	uint32_t features;      // in when_set.features
	uint32_t users, nusers; // watchers, in when_set.users; if it is one: itself
	uint32_t nfeatures;
	bool usable;            // value is the newest sample's
	uint8_t quality;
	int64_t time;           // newest sample, 0 = none
	int64_t hold;
	double value;
	uint64_t unused[2];
};

struct feature {                // a window, or another memory, of a channel
	const struct when_slot *slot; // the set's own; its texts are not to be read
	uint32_t ring;          // in when_set.rings: the buckets
	uint32_t digest;        // of what it measures: kept state fits only the same
	int64_t from;           // the first sample from which on it was observed without a gap as long as the window, 0 = none
	int64_t newest;         // number of the newest bucket
	int64_t closed, current; // what the buckets but the newest come to, and the newest, which is in the ring once it is over
	union {
		struct { int64_t closed2, current2; }; // MEAN, RATE: their second number
		struct { int64_t own; double than; };  // with a test: TIMES: 1 = it held; DURATION: since when it holds, 0 = it does not
	};
};

struct member { uint32_t channel, feature; double limit; }; // feature: UINT32_MAX = none. limit: LIMIT's
struct bind { uint32_t first; uint32_t n; };  // of a slot: members; n UINT32_MAX: more than LIMIT_RULE_MEMBERS

enum { WATCH_WHEN, WATCH_BLIND, WATCH__MAX };
struct watcher {
	uint32_t point;         // it is an alarm of this one
	uint32_t key;           // of the rule
	uint16_t rule;
	uint8_t active, pending; // bits by WATCH_
	bool dirty;             // an input has news
	bool queued;            // in when_set.dirty, which may name one that is not dirty any more
	bool unsure;            // made after a start without its saved state
	bool single;            // slot i has the member `members + i` and no other
	uint32_t binds;         // one for each slot, in when_set.binds
	uint32_t members;       // the first slot's first
	int64_t clock;          // event time it was judged at, 0 = never
	int64_t due;            // event time of the next change that may come by itself
	int64_t offset;         // arrival − time of the newest input
	int64_t cause;          // time of the newest input
	int64_t timer;          // what its place in the heap says, INT64_MAX = it has none
};
_Static_assert(sizeof(struct channel) == 64 && sizeof(struct feature) == 64 && sizeof(struct watcher) == 64, "a cache line each");

struct watch_cold {             // of a watcher, by its index
	int64_t since[WATCH__MAX]; // pending: when it began; active: since when
};

struct when_timer { int64_t due; uint32_t watcher; };
struct when_late { uint32_t point; uint16_t waited; bool fresh; int64_t from, to; }; // as struct late_point of eval.h

struct when_set {
	const struct rule_set *rules;
	const struct registry *reg;
	struct arena *arena;    // all arrays but points
	struct arena *texts;
	struct when_point *points; // by id
	size_t npoints, points_cap;
	void *lines;            // memory of channels, features, watchers, members and the heap, on lines of their own
	struct channel *channels; // by point
	size_t nchannels;
	struct feature *features;
	size_t nfeatures;
	struct watcher *watchers;
	size_t nwatchers;
	struct watch_cold *cold; // by watcher
	uint32_t *heap_at;      // by watcher: place in the heap + 1, 0 = none
	int64_t *rings;
	size_t nrings;
	uint32_t *users;
	struct bind *binds;
	size_t nbinds;
	struct member *members;
	size_t nmembers;
	struct when_late *late; // points whose history changed
	size_t nlate, late_cap;
	uint32_t *dirty;        // watchers
	size_t ndirty;
	struct when_timer *heap;
	size_t nheap;
	struct when_place { uint32_t channel, features, user; } *by_point; // open addressing: channel + 1, 0 = none; user: its first
	size_t mask;
	bool started;
	transition_fn *fn;      // while something is judged
	void *arg;
	int64_t arrival;
	bool mute;              // judged again: nothing is said
};

// when_site.c. old may be NULL. all: only what is put is there.
struct when_load;
struct when_load *when_begin(const struct when_set *old, const struct rule_set *rs, const struct registry *reg, bool all);
void when_put(struct when_load *l, const struct point_def *p);
void when_drop(struct when_load *l, uint32_t point);
bool when_has(const struct when_load *l, uint32_t point); // was it put?
const struct point_def *when_point_of(const struct when_set *s, uint32_t point); // of a point that is read or watched
// The set that is in force from now on (NULL: no rule has an expression), its state taken over from old, which is freed unless it
// is the same. What is active no more is said to gone.
struct when_set *when_end(struct when_load *l, struct when_set *old, int64_t now, transition_fn *gone, void *arg);
void when_free(struct when_set *s);
struct watcher *when_watcher(const struct when_set *s, uint32_t point, uint32_t key); // NULL: none
struct channel *when_channel(const struct when_set *s, uint32_t point); // NULL: it is not read
size_t when_bytes(const struct when_set *s);
static inline const uint32_t *when_users(const struct when_set *s, const struct channel *c) // c->nusers watchers
{
	return c->nusers == 1 ? &c->users : &s->users[c->users];
}

// when_run.c
void when_feed(struct when_set *s, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg);
void when_prefetch(const struct when_set *s, uint32_t point); // a sample of it comes soon
void when_prefetch_rings(const struct when_set *s, const struct reading *r); // this one comes sooner: what it closes
void when_settle(struct when_set *s, transition_fn *fn, void *arg); // judges what has news
void when_advance(struct when_set *s, int64_t to, transition_fn *fn, void *arg); // all watchers up to that event time
void when_tick(struct when_set *s, int64_t now, transition_fn *fn, void *arg);
int64_t when_due(const struct when_set *s);  // wall clock, INT64_MAX = nothing
void when_clock_set(struct when_set *s, int64_t by);
void when_active(const struct when_set *s, transition_fn *fn, void *arg);
void when_resume(struct when_set *s, alarm_newest_fn *newest, void *arg);
// The table says it is active. False: the set knows better, it returned.
bool when_adopt(struct when_set *s, uint32_t point, uint32_t key, enum level level);
void when_mark(struct when_set *s, uint32_t watcher); // it has news
void when_news(struct when_set *s);          // every watcher that was judged has news
void when_drop_blind(struct when_set *s, struct watcher *w); // if its rule has no blind: any more
void when_timers(struct when_set *s);        // from all watchers, after their state changed
struct transition when_said(const struct when_set *s, const struct watcher *w, int which, enum transition_kind kind, int64_t at);

// when_late.c
void when_note_late(struct when_set *s, uint32_t point, int64_t from, int64_t to);
// As evaluator_late; returns how many points still wait.
size_t when_judge_late(struct when_set *s, size_t max, late_read *read, void *read_arg, struct arena *a, transition_fn *fn, void *arg);

// when_eval.c
struct bounds when_value(const struct when_set *s, const struct watcher *w, int64_t at); // of the whole: within [0, 1]
struct bounds when_slot_value(const struct when_set *s, const struct watcher *w, size_t slot, size_t member, int64_t at);
int64_t when_next(const struct when_set *s, const struct watcher *w, int64_t at); // when it may change by itself

// when_window.c: one point's memory
size_t window_ring(const struct when_slot *s); // words of its ring
void window_reset(struct feature *f, int64_t *ring);
void window_sample(struct feature *f, int64_t *ring, const struct channel *before, const struct reading *r, bool usable);
struct bounds window_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at);
void window_prefetch(const struct feature *f, const int64_t *ring, int64_t at); // it is asked, or has a sample, at that time soon
int64_t window_next(const struct feature *f, const struct channel *c, int64_t at);
void window_save(const struct feature *f, const int64_t *ring, int64_t *words); // when_state(slot) words
void window_restore(struct feature *f, int64_t *ring, const int64_t *words);

// when_save.c
void when_save(const struct when_set *s, struct buf *out);
void when_restore(struct when_set *s, struct str saved);
