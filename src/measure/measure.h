// Indicators and assessments: what packs/*/indicators and packs/*/assessments say, checked, and the numbers. A number is
// computed in the store when it is asked for; the numbers of periods that are over are kept as snapshots and never change.
// Any thread that holds a connection; the set lives in its caller's arena and needs the registry it was made from.
#pragma once

#include <jansson.h>

#include "auth/auth.h"
#include "base/jw.h"
#include "model/model.h"
#include "store/store.h"

// ---- periods -----------------------------------------------------------------------------------
enum period_kind { PERIOD_YEAR, PERIOD_QUARTER, PERIOD_MONTH, PERIOD_DAY };
struct period {
	enum period_kind kind;
	bool ytd;               // from 1 January to the end of the period
	int year, sub;          // sub: quarter 1–4, month 1–12, day of the year 1–366; YEAR: 0
	int64_t from, to;       // us, to is not in it
	struct str name;        // "2026" "2026-Q3" "2026-11" "2026-11-22"; in the arena
};
bool period_parse(struct str text, bool ytd, struct arena *a, struct period *ret);
struct period period_at(enum period_kind kind, int64_t us, bool ytd, struct arena *a); // the one that us lies in
struct period period_back(const struct period *p, int n, struct arena *a);             // n periods before

// ---- the set -----------------------------------------------------------------------------------
enum at_kind { AT_NONE, AT_DATE, AT_TIME, AT_YEAR };
struct source {             // records that are counted or summed up
	const struct type *type; // NULL: no source
	const struct condition *where;
	enum at_kind at;
	struct str at_column;
	const struct field *sum; // NULL = count
	bool exact;             // a figure of the area itself, not of what lies below it
};
enum target_kind { TARGET_NONE, TARGET_CEILING, TARGET_FLOOR, TARGET_ZERO, TARGET_DROP, TARGET_RELATIVE };
enum dimension { DIM_NONE, DIM_AREA, DIM_SECTOR, DIM_ENTERPRISE, DIM_ORGANISATION };
struct indicator {
	struct str name, pack, file;
	struct label label, about, unit;
	int decimals;
	double times;
	enum period_kind period;
	struct str property;    // binding expected process, or empty
	bool higher;            // better: higher
	bool public;
	struct source of, per;
	const struct expr *expr; // instead of of: over other indicators
	struct str change_of;   // instead of of: change of another indicator in % …
	int change_base, change_back; // … against that year, or so many years back
	enum target_kind target; // written in the file
	double target_value;
	const struct type *targets; // or from records of this type
	double amber;           // % of the target
	unsigned dims;          // bits of enum dimension
	int64_t freeze_after;   // us after the end of a period until its snapshot is taken
	struct str version;     // digest of the definition, 16 hex digits
};
struct score_item {         // of an assessment; a tree flattened in order
	struct str name, path;  // "basics.training"
	struct label label, about;
	int level, parent;      // parent: index, -1 = none
	bool leaf, veto, evidence;
	double points;          // of a leaf; of a branch the sum of its leaves
	const struct expr *auto_expr; // 0…1: the share of the points, or NULL
};
struct grade {
	struct str name;
	struct label label;
	double from;            // points of 100
	struct str color;
};
struct assessment {
	struct str name, pack, file;
	struct label label, about;
	double full;
	struct score_item *items;
	size_t nitems;
	struct grade *grades;   // best first
	size_t ngrades;
	struct str version;
};
struct measures {
	const struct registry *reg;
	struct indicator *v;
	size_t n;
	struct assessment *assessments;
	size_t nassessments;
};
// Every mistake goes to d; NULL if there is any.
struct measures *measures_load(const struct registry *reg, struct arena *a, struct diags *d);
const struct indicator *indicator_find(const struct measures *m, struct str name);
const struct assessment *assessment_find(const struct measures *m, struct str name);
// May the caller see it? Who may read the records it is made of may see the number.
bool indicator_visible(const struct measures *m, const struct indicator *i, const struct identity *by);

// ---- numbers -----------------------------------------------------------------------------------
struct measure_ask {
	struct db *db;
	const struct measures *m;
	const struct identity *by;
	struct arena *arena;
	struct problem *p;
	int64_t now;
	struct period period;
	struct str area;        // 12-digit code or empty: this area and below
	struct str sector;
	int64_t enterprise, organisation;
	enum dimension dim;
	size_t tier;            // DIM_AREA: digits of the code, 2 4 6 9 12
};
struct figure {             // one number
	struct value key;       // of the dimension; VAL_NULL: rows without
	bool has_num, has_den, has; // has: there is a value; a missing denominator gives none
	double num, den, value;
};
// One figure for each value of the dimension that occurs; DIM_NONE: exactly one.
enum err measure_figures(const struct measure_ask *q, const struct indicator *i, struct figure **ret, size_t *ret_n) must_check;

struct target {
	enum target_kind kind;
	double goal;            // of this period's year: on the straight line from base to the target year
	double last;            // the target itself
	int year;               // target year, 0 = none
	double base;            // value of the base year
	int base_year;          // 0 = none
	bool has_base, has_goal;
	double change;          // % against the base; only if has_base
	double projected;       // the figure carried on to the end of the year
	struct str light;       // green amber red, or empty
};
enum err measure_target(const struct measure_ask *q, const struct indicator *i, const struct figure *f, struct str area,
                        struct target *ret) must_check;
// The records behind a figure: part "of", "per" or "gap" (in per and not in of). *ret_type: whose; the query is to be given
// to records_list with the caller's scope.
enum err measure_records(const struct measure_ask *q, const struct indicator *i, struct str part, const struct type **ret_type,
                         struct list_query *ret) must_check;

// ---- season.c -----------------------------------------------------------------------------------
#define SEASON_MONTHS 36    // fewer months say nothing of a season: each calendar month is to be seen twice beside its trend
struct season {
	double factor[12];      // what a month brings above the trend, January first; their sum is 0
	double strength;        // 0 … 1: how much of what is not trend is season
	const double *trend;    // of each month; NAN in the first and last six. In a.
};
// v: n months one behind the other, the first is month `first` (0 = January). False: too few.
bool season_split(const double *v, size_t n, unsigned first, struct arena *a, struct season *ret);
bool indicator_seasonal(const struct indicator *i); // it is counted by when things happened
// The months of the last years that are over, from the first with a record on; q's period and dimension do not matter.
// ERR_INVALID: the indicator is not counted by when things happened.
enum err indicator_season_json(const struct measure_ask *q, const struct indicator *i, int years, struct jw *w) must_check;

// ---- JSON for api/ -----------------------------------------------------------------------------
enum err indicators_json(const struct measure_ask *q, bool public_only, struct jw *w) must_check;
enum err indicator_json(const struct measure_ask *q, const struct indicator *i, struct jw *w) must_check;
enum err indicator_series_json(const struct measure_ask *q, const struct indicator *i, size_t periods, struct jw *w) must_check;
// The table of indicator_json as rows of text, heading first, for CSV and XLSX.
struct measure_table {
	struct str *cells;      // row by row
	size_t rows, columns;
};
enum err indicator_table(const struct measure_ask *q, const struct indicator *i, bool en, struct measure_table *ret) must_check;

// ---- snapshots ---------------------------------------------------------------------------------
struct snapshot_taken;
// The oldest period of one indicator that is due and not taken yet, worked out; NULL: there is none. On a reader: at many
// records this takes seconds. Memory from a; m stays in use by it.
enum err measure_take(struct db *db, const struct measures *m, int64_t now, struct arena *a, struct snapshot_taken **ret) must_check;
// Inside a store job.
enum err measure_keep(struct db *db, const struct snapshot_taken *s, struct arena *a) must_check;
struct snapshot {
	struct str period, key, version, light;
	bool has_num, has_den, has, has_target;
	double num, den, value, target;
	int64_t at;
};
// Of one key of a dimension (DIM_NONE: key empty), newest period first.
enum err snapshots_read(struct db *db, struct str indicator, enum dimension dim, struct str key, size_t limit, struct arena *a,
                        struct snapshot **ret, size_t *ret_n) must_check;

// ---- assessments -------------------------------------------------------------------------------
// The value of a `sheet` field is JSON: {"version":…,"items":{"a.b":{"auto":0.8,"self":4,"review":5,"final":5,"note":"…",
// "files":[1,2]}},"auto_at":…}. Pure functions over it.
struct sheet_score {
	double score;           // of 100
	bool vetoed, complete;
	const struct grade *grade; // NULL = none
	double column[4];       // auto, self, review, final: points of each
};
struct sheet_score sheet_score(const struct assessment *as, const json_t *sheet);
// What the caller sends, laid over what is stored: only the columns of `allowed` ("self review final" …) may change; points within
// 0 and the item's; unknown items are refused. *ret is a new reference.
enum err sheet_merge(const struct assessment *as, const json_t *old, const json_t *body, struct str allowed, json_t **ret,
                     struct problem *p) must_check;
// Automatic items for a subject, written into the sheet (and frozen by being written).
enum err sheet_fill(const struct measure_ask *q, const struct assessment *as, json_t *sheet) must_check;
// What a field of kind sheet says of itself. Columns that may be written in a state: "self review", in the arena.
struct sheet_rule {
	const struct field *score, *grade, *vetoed; // fields that take the result, or NULL
};
struct sheet_rule sheet_rule(const struct type *t, const struct field *f);
struct str sheet_columns(const struct field *f, struct str state, struct arena *a);
void assessment_json(struct jw *w, const struct assessment *as);
// The sheet with the arithmetic: each item's points and what counts, branches, total, grade.
void sheet_json(struct jw *w, const struct assessment *as, const json_t *sheet);
