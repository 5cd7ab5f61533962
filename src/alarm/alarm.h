// Alarms: rules compiled from packs, the evaluator (hot path, event time), and the ISA-18.2 / IEC 62682 state machine.
//
// Two halves with one meeting place:
//   condition  — is the limit exceeded? A pure function of a point's samples and its rule: rule_feed / rule_tick,
//                in T_SERIES, state of at most ALARM_EXT bytes a point, saved in the series' snapshot.
//   annunciation — unacknowledged, acknowledged, shelved …: a row of table `alarm`, changed only in a store job by
//                the pure function alarm_next. Evaluation never stops while an alarm is shelved or out of service.
// One alarm a condition: (point, rule) has at most one open row.
#pragma once

#include "base/base.h"
#include "base/jw.h"
#include "bus/reading.h"
#include "model/model.h"
#include "store/store.h"

#define ALARM_EXT 128       // bytes of evaluator state a point
#define ALARM_LEVELS 11

// ---- rules -------------------------------------------------------------------------------------
enum level { LEVEL_LL, LEVEL_L, LEVEL_H, LEVEL_HH, LEVEL_RATE, LEVEL_SILENT, LEVEL_FLAT, LEVEL_BAD,
	     LEVEL_WHEN, LEVEL_BLIND,   // an expression holds; it cannot be judged
	     LEVEL_FENCE };             // of a mover at an electronic fence: judged by fence/, not by the evaluator
const char *level_name(enum level l); // "ll","l","h","hh","rate","silent","flat","bad","when","blind","fence"

// What a vehicle or a person does at a fence (fence/fence.h); a rule says which of them it is for.
enum fence_what { FENCE_LEFT, FENCE_ENTERED, FENCE_FAST, FENCE_STAYED, FENCE_OFF_ROUTE, FENCE_STOPPED, FENCE_OFF_POST, FENCE_WHATS };
const char *fence_what_name(enum fence_what w); // "left","entered","fast","stayed","off_route","stopped","off_post"
bool fence_what_find(struct str name, enum fence_what *ret);

struct rule;                // immutable, part of a rule set
struct rule_set;            // all rules of a registry generation

// Compiles every rule file of the registry; mistakes go to d with file:line:col.
enum err rules_compile(struct rule_set **ret, const struct registry *reg, struct diags *d) must_check;
void rules_free(struct rule_set *rs);

// What a point says itself instead of the rules that watch it, for all its limits (ll l h hh); nothing is set in zeroed
// memory. deadband: distance from the limit at which an alarm ends, in the point's unit, >= 0; delays: us, >= 0.
struct point_own {
	bool has_deadband, has_on, has_off;
	double deadband;
	int64_t on, off;
};

// A point as the evaluator needs it; from the point's record.
struct point_def {
	uint32_t id;
	int64_t device, enterprise, installation;
	struct str code, kind, area, sector; // sector: of the enterprise, for where: {sector: …}
	double ll, l, h, hh;    // NaN = no limit
	struct point_own own;
	double min, max;        // sensor range; NaN = the kind's
	int64_t interval;       // us
	bool out_of_service, maintenance; // evaluated as ever, readings get Q_MAINTENANCE, alarms are not annunciated
	int64_t calibration_due; // us, 0 = none
	bool has_calibration;
};

struct buf;
struct evaluator;           // one a process, owned by T_SERIES
// max_point: no point id above it is ever taken; memory grows with the points that are loaded.
struct evaluator *evaluator_new(uint32_t max_point);
void evaluator_free(struct evaluator *ev);
// Puts a new generation of rules and points in force; conditions that exist keep their state where the rule still
// exists; conditions whose rule or level is gone return to normal (transitions come out of the next tick).
void evaluator_load(struct evaluator *ev, const struct rule_set *rs, const struct registry *reg,
                    const struct point_def *points, size_t n, int64_t now);
// The same point by point; max_point: room is made up to it at once. all: the points that are put are all there are; otherwise
// those that are neither put nor dropped stay as they are, and the rules must be those in force (a generation made anew from
// the same packs is). Texts of a point are not needed after evaluator_put.
struct evaluator_load;
struct evaluator_load *evaluator_begin(struct evaluator *ev, const struct rule_set *rs, const struct registry *reg, bool all,
                                       uint32_t max_point, int64_t now);
void evaluator_put(struct evaluator_load *l, const struct point_def *p);
void evaluator_drop(struct evaluator_load *l, uint32_t point);
void evaluator_end(struct evaluator_load *l);

#define RULE_GONE UINT32_MAX // the rule is not in force any more: only COND_RETURNED; key 0: whichever rule it was
enum transition_kind { COND_RAISED, COND_LEVEL, COND_RETURNED };

#define ALARM_SEEN 8
struct alarm_seen { uint16_t slot; uint32_t point; double value; }; // what a condition of an expression saw: of its slot; NaN = unknown

struct transition {
	uint32_t point;
	uint32_t rule;          // index in the rule set, or RULE_GONE
	uint32_t key;           // crc32c of the rule's name
	enum transition_kind kind;
	enum level level;       // the level now (RETURNED: the level that was)
	int64_t at;             // when the condition changed, in the time of the samples
	int64_t cause_time;     // the sample that caused it
	double cause_value, limit;
	uint16_t cause_quality;
	int64_t arrival;        // when that sample arrived (for the measured latency)
	bool late;              // found in re-sent history
	int64_t ended;          // late COND_RAISED: when that episode ended; 0 = it still lasts
	int64_t prev_ended;     // late COND_RAISED: end of the episode before it, 0 = none known
	int64_t through;        // late: the newest sample that was judged
	int64_t since;          // late COND_RETURNED: when that episode was raised
	bool standing;          // COND_RAISED of evaluator_active: it is active now, whatever the journal says
	uint8_t nseen;          // LEVEL_WHEN, LEVEL_BLIND
	struct alarm_seen seen[ALARM_SEEN];
	bool replayed;          // found while the log was replayed after a start: what is older than the journal's newest is known
	int64_t fence;          // LEVEL_FENCE: record of the fence; each fence has an alarm of its own at a point
	enum fence_what what;
	double lon, lat;        // where it was
};
typedef void transition_fn(void *arg, const struct transition *t);

// Judges quality (range, flat, maintenance, calibration): returns the reading's quality to store.
enum quality evaluator_quality(struct evaluator *ev, const struct reading *r, int64_t now);
// One sample, newer than all before it of this point (series: ARRIVED_NEW). About 50 ns without a transition.
void evaluator_feed(struct evaluator *ev, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg);
// A sample older than what was seen: remembered; evaluator_late then re-evaluates from history.
void evaluator_note_late(struct evaluator *ev, const struct reading *r);
struct sample;              // series/series.h
typedef enum err late_read(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret,
                           size_t *ret_n);
// Re-evaluates at most max points whose history changed; the episodes found come out with late=true, in order for each
// family (alarm_apply leaves out those it knows). A point whose late samples keep coming is left alone for some calls.
// Returns how many points still wait. a: scratch, reset after each point.
size_t evaluator_late(struct evaluator *ev, size_t max, late_read *read, void *read_arg, struct arena *a,
                      transition_fn *fn, void *arg);
// Delays and silence that are due. Returns when to call again (us). On the first call after start every point counts as
// heard now: no flood of silence, and devices have the length of a delay to re-send what came in between.
int64_t evaluator_tick(struct evaluator *ev, int64_t now, transition_fn *fn, void *arg);
// The wall clock was set: by us it is later than before. What was counted before counts on, nothing fires or waits for it.
void evaluator_clock_set(struct evaluator *ev, int64_t by, int64_t now);
// Conditions over several points are judged when all that came of one time is there: now. At the end of a turn the tick does it.
void evaluator_settle(struct evaluator *ev, transition_fn *fn, void *arg);
// And their state (windows and conditions), which does not fit into ALARM_EXT: all of it at one moment. Restored before anything is
// replayed; what is replayed then is also told for readings that the points' own state already holds.
void evaluator_save_all(const struct evaluator *ev, struct buf *out);
void evaluator_restore_all(struct evaluator *ev, struct str saved);
void evaluator_feed_again(struct evaluator *ev, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg);
// When evaluator_tick has something to do next (us, 0 = nothing is pending); a feed may move it. O(1).
int64_t evaluator_due(const struct evaluator *ev);
void evaluator_save(void *ev, uint32_t point, void *ext /* ALARM_EXT */); // series_hooks
void evaluator_restore(void *ev, uint32_t point, const void *ext);
// After start, once the log is replayed: every family that is active, as COND_RAISED (alarm_apply knows what it has).
void evaluator_active(const struct evaluator *ev, transition_fn *fn, void *arg);
// After start and replay, before evaluator_active: a delay that the clock had ended before the process died is over now
// too. newest says when the journal last saw this condition change (alarm_newest), 0 = never.
typedef int64_t alarm_newest_fn(void *arg, uint32_t point, uint32_t rule, enum level level);
void evaluator_resume(struct evaluator *ev, alarm_newest_fn *newest, void *arg);
// After start, for every open and active row of table alarm: makes the two agree. Where the evaluator's state of the
// point is whole (restored under the same rules, or built from the log) and says "not active", the condition returns
// with the next tick; so does one whose rule or level is gone. Where it is not, the condition becomes active and the
// next samples decide.
void evaluator_adopt(struct evaluator *ev, uint32_t point, struct str rule, enum level level);
// Asks for the cache line of a point that will be fed soon.
void evaluator_prefetch(const struct evaluator *ev, uint32_t point);
void evaluator_prefetch_more(const struct evaluator *ev, const struct reading *r); // some readings later: what windows of it need
struct evaluator_stats { size_t points, watched, pending, late, late_dropped, bytes; };
struct evaluator_stats evaluator_stats(const struct evaluator *ev);

struct rule_info { struct str name; struct label label; struct str file; unsigned line; };
size_t rules_count(const struct rule_set *rs);
struct rule_info rule_info(const struct rule_set *rs, uint32_t rule);
struct str rule_opens(const struct rule_set *rs, uint32_t rule, enum level level);  // type to open, or empty
struct str rule_color(const struct rule_set *rs, uint32_t rule, enum level level);  // red orange yellow blue
struct label rule_say(const struct rule_set *rs, uint32_t rule, enum level level);
struct label rule_guide(const struct rule_set *rs, uint32_t rule, enum level level); // what to do
bool rule_find(const struct rule_set *rs, struct str name, uint32_t *ret);
struct str rule_category(const struct rule_set *rs, struct str name); // of the warning that the rule of this name opens, or empty
// Whether a rule that watches `own` reads `other` in its expression, as far as kind and place say: perhaps another is nearer.
bool rules_read(const struct rule_set *rs, const struct point_def *own, const struct point_def *other);
// What a rule's expression costs at a point that it watches: steps of one judgement and bytes of its windows, counted with one point for
// each name (of all: true with as many as there are). False: it has none.
struct rule_cost { size_t steps, bytes; const char *zh, *en; };
bool rule_cost(const struct rule_set *rs, uint32_t rule, struct rule_cost *ret);
bool rule_hint(const struct rule_set *rs, uint32_t rule); // evaluated, never annunciated
bool rule_latch(const struct rule_set *rs, uint32_t rule); // its alarms stay until they are reset
bool rule_always(const struct rule_set *rs, uint32_t rule, enum level level); // nothing may hide it at this level
int64_t rule_hide_longest(const struct rule_set *rs, uint32_t rule); // us, 0 = not said
const char *level_family(enum level l); // "limit","rate","silent","flat","bad","when","blind"; of a fence "fence:RECORD:WHAT"
// The rule that is for this at a point (its kind, sector, area and code). False: there is none.
bool rules_fence(const struct rule_set *rs, enum fence_what what, const struct point_def *p, uint32_t *ret);
bool level_find(struct str name, enum level *ret);
int level_rank(enum level l);           // 2 for ll and hh, 1 for the others
// The rule in plain words: one line for whom it watches, then one sentence a level with limits and delays. With reg kinds
// and sectors are said by their labels; NULL: as the rule has them.
struct str rule_words(const struct rule_set *rs, uint32_t rule, const struct registry *reg, bool zh, struct arena *a);

// What the rules say at a point ahead of their limits (early:, detect/early.h): one for each rule that watches it and asks for it.
struct rule_early {
	uint32_t rule, key;     // index in the set; digest of its name
	int64_t within, every;  // us
	double limit[4];        // ll l h hh; NaN: none
};
#define RULE_EARLY_MAX 4    // at one point; more are left out
size_t rules_early(const struct rule_set *rs, const struct point_def *p, struct rule_early ret[RULE_EARLY_MAX]);
bool rules_have_early(const struct rule_set *rs);
struct str rule_early_color(const struct rule_set *rs, uint32_t rule);

// ---- annunciation ------------------------------------------------------------------------------
enum alarm_state {
	ALARM_NORMAL, ALARM_UNACK, ALARM_ACKED, ALARM_RTN_UNACK, ALARM_LATCH_UNACK, ALARM_LATCH_ACKED, ALARM_SHELVED, ALARM_SUPPRESSED,
	ALARM_OUT_OF_SERVICE
};
// "normal","unack","acked","rtn_unack","latch_unack","latch_acked","shelved","suppressed","out_of_service"
const char *alarm_state_name(enum alarm_state s);

enum alarm_input {
	IN_RAISE, IN_LEVEL_UP, IN_LEVEL_DOWN, IN_RETURN, // the condition
	IN_ACK, IN_RESET, IN_SHELVE, IN_UNSHELVE, IN_SUPPRESS, IN_UNSUPPRESS, IN_OUT_OF_SERVICE, IN_IN_SERVICE
};
// latch: it stays when the condition has returned, until somebody resets it; set by whoever raises it, of its rule.
struct alarm_mode { enum alarm_state state; bool active; bool acked; bool latch; };
// The pure state machine. ERR_CONFLICT if the input is not possible in this state (p says why; *ret is then now).
enum err alarm_next(struct alarm_mode now, enum alarm_input in, struct alarm_mode *ret, struct problem *p) must_check;

// Store jobs (writer thread).
struct alarm_context {
	const struct rule_set *rules;
	const struct point_def *(*point)(void *arg, uint32_t id); // NULL: no point is known
	void *arg;
	// Another alarm was hidden by the change, or came back; opened: a record waits to be opened for it. NULL: nobody asks.
	void (*touched)(void *arg, int64_t alarm, bool opened);
};
// Applies one transition: opens, changes or closes the alarm row, journals it, and puts it in the outbox if the rule
// opens a record. Idempotent: replayed transitions (same point, rule, at, kind) change nothing.
struct alarm_change { int64_t alarm; enum alarm_state state; bool changed; bool opened; };
enum err alarm_apply(struct db *db, const struct alarm_context *cx, const struct transition *t,
                     struct alarm_change *ret) must_check;

#define ALARM_SHELVE_MAX (24 * US_PER_HOUR) // ISA-18.2-2016: shelving is limited in time; 8 to 24 h is usual
#define ALARM_SUPPRESS_MAX (7 * US_PER_DAY)  // by a person; a rule may say less with hide_at_most:
#define ALARM_SERVICE_MAX (30 * US_PER_DAY)
#define ALARM_SUPPRESS_USUAL (8 * US_PER_HOUR) // if nobody says until when: no suppression is without an end
#define ALARM_SERVICE_USUAL (7 * US_PER_DAY)
#define ALARM_REASON_MAX 1000               // bytes
enum alarm_act {
	ACT_ACK, ACT_SHELVE, ACT_UNSHELVE, ACT_SUPPRESS, ACT_UNSUPPRESS, ACT_OUT_OF_SERVICE, ACT_IN_SERVICE, ACT_COMMENT,
	ACT_RESET
};
struct identity;            // auth/auth.h
// Acts on an alarm in the scope of `by` (others: ERR_NOT_FOUND), with journal and audit. The caller has checked the
// right. SHELVE needs until (later than now, at most ALARM_SHELVE_MAX ahead); SUPPRESS and OUT_OF_SERVICE end after the usual time
// if until is 0; these three and COMMENT need a reason. None of the three hides an alarm that its rule never suppresses.
enum err alarm_act(struct db *db, int64_t alarm, enum alarm_act act, struct str reason, int64_t until,
                   const struct identity *by, struct alarm_change *ret, struct problem *p) must_check;
// Shelves whose end has come; their alarms. *ret_next: end of the next one (us), 0 = none is shelved.
enum err alarm_shelf_tick(struct db *db, int64_t now, struct arena *a, int64_t **ret_alarms, size_t *ret_n,
                          int64_t *ret_next) must_check;

// ---- what hides alarms by itself: suppress.h, doc/decisions/0014-suppression.md ------------------
// Store jobs. Records (maintenance windows, rationales) → what the tick works with; after a change of one.
enum err alarm_suppress_load(struct db *db, const struct registry *reg, struct arena *a) must_check;
// Every second: what a person or a cause hid until now comes back. all: at start and after alarm_suppress_load, after a change of
// the rules, after a shelf has ended, and at *ret_next (us, 0 = nothing is due): every alarm that is hidden by itself, or could be,
// is looked at anew. cx->touched says which changed.
enum err alarm_suppress_tick(struct db *db, const struct alarm_context *cx, int64_t now, bool all, struct arena *a,
                             int64_t *ret_next) must_check;
// After a person has brought an alarm back: what hides it by itself hides it at once.
enum err alarm_settle(struct db *db, const struct alarm_context *cx, int64_t alarm, int64_t now) must_check;
// At start, before evaluator_active: which hints last is said anew.
enum err alarm_causes_forget(struct db *db) must_check;
// Any thread: all that is hidden now, {"items":[alarms],"windows":[…],"causes":[…]}.
enum err alarm_suppressed_json(struct db *db, const struct scope *scope, int64_t now, struct jw *w, struct arena *a) must_check;

// What an alarm wants opened, and marking it done; inside the job that opens it (core/ calls flow_open in between).
struct alarm_open {
	int64_t outbox, alarm;
	struct str type;        // of the record to open
	struct str color, area, point_code, point_name, rule, category;
	int64_t point, enterprise, installation, at, thread;
	double value, limit;    // NaN = none
	struct label say, guide;
};
// The oldest; ERR_NOT_FOUND if none.
enum err alarm_next_open(struct db *db, const struct alarm_context *cx, struct arena *a,
                         struct alarm_open *ret) must_check;
// When the last alarm that opened the record or joined it was raised (us), 0 = none.
enum err alarm_last_opening(struct db *db, struct str type, int64_t record, int64_t *ret) must_check;
// Notes the record and its thread with the alarm, empties the outbox row.
enum err alarm_opened(struct db *db, const struct alarm_open *o, int64_t record, int64_t thread) must_check;

// ---- reading: any thread, own connection -------------------------------------------------------
// state: empty = open ones, "all", or a state name (others: ERR_INVALID); before: alarm id, 0 = newest.
struct alarm_query {
	struct str state, point_code;
	struct str color, words;    // words: a part of the point's code or name, of the enterprise, the installation or of what was said
	struct str area;            // beginning of its code
	int64_t point, enterprise, id, before;
	int64_t from, to;           // raised in [from, to), us; to = 0: whenever. With a span closed ones are meant too
	size_t limit;           // 0 = 100; at most LIMIT_PAGE_SIZE
};
// {"items":[…],"total":n,"counts":{state:n}}, written as one object; newest first. cx may be NULL in all of these.
enum err alarm_list_json(struct db *db, const struct alarm_context *cx, const struct scope *scope,
                         const struct alarm_query *q, struct jw *w, struct arena *a) must_check;
// One alarm as one object. ERR_NOT_FOUND outside the scope.
enum err alarm_json(struct db *db, const struct alarm_context *cx, const struct scope *scope, int64_t alarm,
                    struct jw *w, struct arena *a) must_check;
// {"items":[{id,at,what,level,from,to,actor,value,quality,limit,reason,arrived_at}]}, oldest first.
enum err alarm_journal_json(struct db *db, int64_t alarm, struct jw *w, struct arena *a) must_check;
// Array items {kind:"alarm",id,number,title:{zh,en},state,at} of the alarms on a thread of evidence.
enum err alarm_thread_json(struct db *db, const struct alarm_context *cx, const struct scope *scope, int64_t thread,
                           struct jw *w, struct arena *a) must_check;
// What an alarm is of. ERR_NOT_FOUND outside the scope.
struct alarm_which { int64_t point, enterprise; struct str rule, level; };
enum err alarm_which(struct db *db, const struct scope *scope, int64_t alarm, struct arena *a, struct alarm_which *ret) must_check;
// Whose alarm it is: for the event stream's filter.
enum err alarm_place(struct db *db, int64_t alarm, struct arena *a, struct place *ret) must_check;
// Inside a store job, at start: the sector of alarms raised before it was kept with them. Nothing to do: no cost.
enum err alarm_fill_sectors(struct db *db) must_check;
// Every open row whose condition is active, with its colour; shelved ones too.
enum err alarm_each_active(struct db *db, void (*fn)(void *arg, uint32_t point, struct str color), void *arg,
                           struct arena *a) must_check;
// When the journal last saw this condition (its point, rule and family) raised, changed or returned; 0 = never.
enum err alarm_newest(struct db *db, uint32_t point, struct str rule, struct str family, int64_t *ret) must_check;
// From when to when each alarm lasted that opened a record, by point; one that lasts: until now.
enum err alarm_each_opened(struct db *db, int64_t now, void (*fn)(void *arg, uint32_t point, int64_t from, int64_t to),
                           void *arg) must_check;
// The same rows, for evaluator_adopt after start.
enum err alarm_each_open(struct db *db, void (*fn)(void *arg, uint32_t point, struct str rule, struct str level, struct str family),
                         void *arg, struct arena *a) must_check;
// The fence of a family's name, and what was done at it. False: it is of no fence.
bool alarm_family_fence(struct str family, int64_t *fence, enum fence_what *what);
