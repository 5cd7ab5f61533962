// Units of equipment and their models: the record (type unit_model) says of which points, what was learned lies in table
// detect_model, and the rows that a model judges are made of history. For api/units.c and core/detect_unit.c. Any thread.
#pragma once

#include "api/app.h"
#include "detect/unit.h"

#define UNIT_POINTS_MIN 2

// A row every interval: of each point the last trusted value that is not older than `hold`. Plain data, may be kept as bytes.
struct unit_rows {
	uint32_t n, spare;
	uint32_t point[UNIT_COLUMNS_MAX];
	double value[UNIT_COLUMNS_MAX]; // the last, NaN: none yet
	int64_t time[UNIT_COLUMNS_MAX];
	int64_t interval, hold;         // us
	int64_t seen;                   // samples up to here were taken
	int64_t next;                   // time of the next row, a multiple of the interval
	uint64_t rows, gaps;            // gaps: rows left out because fewer than half of the points had a value
};

struct unit_spec {                      // of a record
	int64_t id, enterprise;
	struct str name, area, state, says;
	uint32_t n;
	uint32_t point[UNIT_COLUMNS_MAX];
	int64_t interval, learn_from, learn_to; // us; 0 = not given
	int64_t version;                // in force, 0 = none
};

// ERR_INVALID with the field: the points are not all of the unit's enterprise, too few, gone …. Texts are the row's.
enum err unit_spec_read(const struct type *t, const struct row *row, struct site *site, struct unit_spec *ret,
                        struct problem *p) must_check;
// The first row at or behind `from`.
void unit_rows_begin(struct unit_rows *r, const struct unit_spec *s, int64_t from);
// Calls fn for every row up to and including `to`, in order; a value is NaN where the point had none. Stops if fn is false. What
// comes out does not depend on how the time is cut into calls. a: scratch, reset.
typedef bool unit_row_fn(void *arg, int64_t time, const double *row);
enum err unit_rows_run(struct unit_rows *r, struct series *series, int64_t to, struct arena *a, unit_row_fn *fn, void *arg) must_check;

// A hint begins when UNIT_BEGINS or more flagged rows in a row lie together UNIT_EVIDENCE above the limit (index - 1, summed): what
// only touches the limit is none, for the slow filters make one chance last for rows. It ends with UNIT_ENDS rows that are not
// flagged. Plain data.
#define UNIT_BEGINS 3
#define UNIT_EVIDENCE 1.0
#define UNIT_ENDS 10
struct unit_episode {
	uint32_t flagged, calm;         // in a row
	int64_t first;                  // of the flagged rows in a row
	double evidence;                // of them
	int64_t since;                  // of the episode that lasts, 0 = none
	double peak;                    // score
	uint32_t ncauses, spare;
	uint32_t cause[UNIT_CAUSES];    // columns, at the peak
	double share[UNIT_CAUSES];
};
enum unit_turn { UNIT_STAYS, UNIT_BEGAN, UNIT_ENDED };
enum unit_turn unit_episode_feed(struct unit_episode *e, int64_t time, const struct unit_score *s);

struct unit_version {                   // a row of detect_model
	int64_t version, at, by, from, to, interval;
	uint64_t rows, gaps;
	struct str by_name, checksum, summary; // summary: JSON of columns, limits, spectrum
	uint32_t n;
	uint32_t point[UNIT_COLUMNS_MAX];
	struct str model;               // unit_model_load
};
// Newest first, without the models; one with its model (version 0: the newest). Memory of the arena.
enum err unit_versions(struct db *db, int64_t unit, struct arena *a, struct unit_version **ret, size_t *ret_n) must_check;
enum err unit_version_get(struct db *db, int64_t unit, int64_t version, struct arena *a, struct unit_version *ret) must_check;

struct unit_view {                      // a unit in force as it is now; a copy
	int64_t version, through, since;
	uint64_t rows, gaps, flagged;
	struct unit_score score;        // of the newest row
	uint32_t n;
	uint32_t point[UNIT_COLUMNS_MAX];
	struct { int64_t at; float score; bool flag; } recent[240]; // oldest first
	size_t nrecent;
	enum { UNIT_WAITS, UNIT_RUNS, UNIT_NO_VERSION, UNIT_WRONG } state; // WAITS: for data; WRONG: its points changed since it learned
};
