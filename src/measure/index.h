// The risk index: what packs/*/indexes say, checked; the score and level of every enterprise and of the grids, towns,
// counties and sectors above it, kept in memory and recomputed when something changes; its stored history.
//
// The arithmetic (doc/decisions/0009-risk-index.md). A component sums weight × amount over its rows, capped; an enterprise's
// score is the sum of its components, at most 100, rounded to a tenth. An area's (a grid's, a sector's) is
//   worst × highest score + top_share × mean of its `top` highest + all_share × mean of all + own × own points,
// exact in tenths, since the scores are. Own points: the components over the rows that lie in the area and have no enterprise.
//
// One thread changes a board (core/index.c), any thread reads it: every function that takes a struct index_live locks.
#pragma once

#include "measure/measure.h"

// ---- the declaration ---------------------------------------------------------------------------
enum index_color { INDEX_NONE, INDEX_BLUE, INDEX_YELLOW, INDEX_ORANGE, INDEX_RED }; // as they rank
const char *index_color_name(enum index_color c); // "none", "blue" …
enum index_color index_color_of(struct str name); // INDEX_NONE: no such

enum index_kind { INDEX_ENTERPRISE, INDEX_AREA, INDEX_SECTOR, INDEX_GRID };
const char *index_kind_name(enum index_kind k); // "enterprise", "area", "sector", "grid"

#define INDEX_COMPONENTS 24     // of one index
#define INDEX_SLOTS 64          // weights of all its components together
#define INDEX_TENTHS 1000       // highest score, in tenths
enum index_family { INDEX_LIMIT = 1, INDEX_RATE = 2, INDEX_SILENT = 4, INDEX_FLAT = 8, INDEX_BAD = 16 }; // of alarms

struct index_weight {
	struct str value;       // of the menu `by`; of alarms their colour; empty: everything else
	struct label label;
	double weight;          // points for one
};
struct index_component {
	struct str name;
	struct label label, about;
	struct source of;       // type NULL: alarms
	unsigned families;      // bits of enum index_family; alarms only
	const struct field *by; // MENU; NULL: every row weighs the same
	bool covers;            // a row counts for every enterprise in its area (and in the sectors of the field)
	const struct field *sectors; // covers: MENUS of sectors, or NULL: every sector
	struct index_weight *weights;
	size_t nweights;
	size_t slot;            // its first; nweights of them
	bool worst;             // take: max - the heaviest row alone counts
	bool lowers;            // what it weighs is taken off: good marks (never of what says how dangerous something is)
	double cap;             // points at most
	int64_t half_life;      // us; an event weighs half after it; 0 = always the same
};
struct index_level {
	struct label label, actions; // actions: what must be done at this level
	double from;            // points
};
struct index_event {        // what the index is to have warned of
	struct source of;
	struct label label;
};
struct risk_index {
	struct str name, pack, file, version;
	struct label label, about, basis;
	int64_t valid_from;     // us
	struct index_component *components;
	size_t ncomponents, nslots;
	double worst, top_share, all_share; // of areas
	double own;             // and of the records without enterprise in them; 0 = they count nothing
	int top;
	struct index_level levels[INDEX_RED + 1]; // [INDEX_NONE] is not used
	double rise;            // points within 24 h that are told; 0 = never
	unsigned told;          // bits of levels: a change up to one of them is told
	struct str *tell;       // roles
	size_t ntell;
	bool aside;             // not the first of its kind: colours no map, is named after the others
	const struct type *opens; // a record of this type is opened for an enterprise; NULL = none
	unsigned opens_at;      // bits of levels
	struct str category;    // of that record
	int days;               // back-test: warned so many days before
	struct index_event *events;
	size_t nevents;
};
struct risk_indexes {
	const struct registry *reg;
	struct risk_index *v;
	size_t n;
};
// Every mistake goes to d; NULL if there is any.
struct risk_indexes *indexes_load(const struct registry *reg, struct arena *a, struct diags *d);
// The version in force at a moment: of those that are valid already the newest; NULL: none.
const struct risk_index *index_in_force(const struct risk_indexes *all, struct str name, int64_t now);
// The names of indexes, each once, in the order of their files; those aside last.
size_t index_names(const struct risk_indexes *all, struct str *ret, size_t max);

// ---- pure arithmetic (tested alone) ------------------------------------------------------------
struct index_slot { float n, v; };  // rows; their amounts, decayed ones as of the board's epoch
struct index_part {                 // of one component
	double raw, points;         // before and after the cap
};
// slots: nslots of the index, cover: the same of what covers the place (may be NULL). fade: see index_fade. parts:
// ncomponents of them, or NULL. Returns the score in tenths.
int index_score(const struct risk_index *x, const struct index_slot *slots, const struct index_slot *cover, const double *fade,
                struct index_part *parts);
// The same as if the rows of one component were not there: what doing away with them would give.
int index_score_without(const struct risk_index *x, const struct index_slot *slots, const struct index_slot *cover, const double *fade,
                        size_t component);
// 2^(-t / half_life) of each component for t us after the epoch; 1 without half-life. ret: ncomponents.
void index_fade(const struct risk_index *x, int64_t t, double *ret);
// What a row of that age counts, as of the epoch: > 1 if it is younger than the epoch.
double index_amount(const struct index_component *c, int64_t row_at, int64_t epoch);
enum index_color index_color_at(const struct risk_index *x, int tenths);
// bins[t]: how many have the score t tenths. In tenths; 0 of nobody.
int index_aggregate(const struct risk_index *x, const uint32_t bins[INDEX_TENTHS + 1]);

// ---- the live boards ---------------------------------------------------------------------------
struct index_live;
struct index_live *index_live_new(void);
void index_live_free(struct index_live *l);

// What tiles and lists need of an enterprise: of the first index. 30–60 ns. False: not known (yet).
struct index_mark { uint16_t tenths; uint8_t color; }; // enum index_color
bool index_mark(struct index_live *l, int64_t enterprise, struct index_mark *ret);

struct index_change {       // of one object, worth keeping
	enum index_kind kind;
	struct str key;         // id of the enterprise or grid, area code of 12 digits, sector
	int64_t id;             // ENTERPRISE: record id, 0 otherwise
	struct place place;     // whose it is; area of a sector: empty
	int tenths, was;        // was: -1 = it is new
	enum index_color color, color_was;
	bool rise;              // more than `rise` above the lowest of the last 24 h, told for the first time in them
	int lowest;             // that lowest
	double points[INDEX_COMPONENTS]; // of each component; of an area the mean over its enterprises
};
struct index_changes {
	struct index_change *v; // in the arena
	size_t n, cap;
	bool many;              // of enterprises only those are here whose level changed or that rose
};
struct index_news {         // what has changed since the last time
	int64_t *enterprises;   // whose records or alarms; any order, may repeat
	size_t n;
	unsigned components;    // bits: which components are to be counted again; ~0u: all
	bool covers;            // a record that covers areas changed
	unsigned own;           // bits: components of which a record without enterprise changed
};
// A long count gives way: about every `us` of it fn is called, on its thread; it may change the live boards. Longer lasts only a
// search of the database that finds nothing to count.
struct index_pause { void (*fn)(void *arg); void *arg; int64_t us; };
#define INDEX_BOARDS 4
// Counts everything anew under the declarations, into a set that nobody reads yet (and that is empty, or counted before). Takes seconds
// at some 100,000 enterprises; what happens meanwhile is put in by index_update of the same set. pause: NULL = without a stop.
enum err index_count_all(struct index_live *next, struct db *db, const struct risk_indexes *all, int64_t now,
                         const struct index_pause *pause, struct arena *a, struct problem *p) must_check;
// What was counted takes the place of the live boards, which next has afterwards. Its declarations must live until the next
// time. ret[board] says what changed; of a board that was not there before nothing.
void index_replace(struct index_live *l, struct index_live *next, int64_t now, struct arena *a, struct index_changes ret[INDEX_BOARDS]);
// Both at once, without a stop.
enum err index_build(struct index_live *l, struct db *db, const struct risk_indexes *all, int64_t now, struct arena *a,
                     struct index_changes ret[INDEX_BOARDS], struct problem *p) must_check;
// Counts again what the news are about, and what lies above; the changes of level and rises, and every changed object (for
// browsers). An enterprise that is unknown or has moved is taken in anew.
enum err index_update(struct index_live *l, struct db *db, size_t which, const struct index_news *news, int64_t now, struct arena *a,
                      struct index_changes *ret, struct problem *p) must_check;
// Which components a change of a record of this type concerns, of board `which`; *ret_covers: it covers areas.
unsigned index_concerns(struct index_live *l, size_t which, struct str type, bool *ret_covers);
size_t index_boards(struct index_live *l);
// The declaration of a board; valid until the next build.
const struct risk_index *index_of_board(struct index_live *l, size_t which);
// An hour has passed: the scores of now join those of the last 24 hours.
void index_hour(struct index_live *l);

// ---- history -----------------------------------------------------------------------------------
// Inside a store job: rows for changes (level, rise, first).
enum err index_keep(struct db *db, const struct risk_index *x, const struct index_changes *c, int64_t now, struct arena *a) must_check;
// At most max objects that differ from what was kept last: for index_keep, once an hour.
void index_differs(struct index_live *l, size_t which, size_t max, struct arena *a, struct index_changes *ret);
// After index_keep: these are kept.
void index_kept(struct index_live *l, size_t which, const struct index_changes *c);
// After the first build of a process: the kept scores, the lowest of the last 24 h, and the rises that were told.
enum err index_recall(struct index_live *l, struct db *db, int64_t now, struct arena *a) must_check;

// ---- answers -----------------------------------------------------------------------------------
struct index_ask {
	struct index_live *live;
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	struct arena *arena;
	struct problem *p;
	struct str name;
	int64_t now;
};
enum err index_list_json(const struct index_ask *q, struct jw *w) must_check;
// Ranking of one kind, highest first. day: the state at the end of that day ("2026-11-22"), empty: now.
struct index_rank_ask { enum index_kind kind; size_t tier; struct str under, sector, day; size_t offset, limit; };
enum err index_rank_json(const struct index_ask *q, const struct index_rank_ask *r, struct jw *w) must_check;
// Why: an object's components with their arithmetic; of areas the enterprises that weigh most.
enum err index_why_json(const struct index_ask *q, enum index_kind kind, struct str key, struct jw *w) must_check;
// The records behind a part of the arithmetic: of one component and, if value is not empty, one weight of it. To be given to
// records_list with the caller's scope. ERR_INVALID for alarms, which are no records.
enum err index_records(const struct index_ask *q, enum index_kind kind, struct str key, struct str component, struct str value,
                       const struct type **ret_type, struct list_query *ret) must_check;
// The kept scores of an object, oldest first, from … to.
enum err index_trend_json(const struct index_ask *q, enum index_kind kind, struct str key, int64_t from, int64_t to,
                          struct jw *w) must_check;
// Changes of level and rises in the caller's scope, newest first.
enum err index_changes_json(const struct index_ask *q, int64_t from, int64_t to, size_t limit, struct jw *w) must_check;
// Did orange or red come within `days` before an accident or major hazard? Counted on the kept history.
enum err index_backtest_json(const struct index_ask *q, int64_t from, int64_t to, int days, struct jw *w) must_check;
