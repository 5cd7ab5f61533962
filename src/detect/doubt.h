// Is what a point sends still a measurement? Three rules of quality.h made into conditions that begin and end, in the samples' own
// time: frozen (at once: one chance in 10^9), impossible (three findings within DOUBT_CALM) and copied (the last twelve moves of
// two points are the same, at least DOUBT_DISTINCT different values among them). Frozen ends with ten values in a row that are
// not; impossible when nothing was for DOUBT_CALM. A doubt is a hint to the maintainers and never takes an alarm away.
//
// doubt_feed is a pure function of the samples of one point; doubt_same_moves of two. Memory: the struct, plain data that may be
// kept as bytes. Version: DOUBT_VERSION. One thread an object.
#pragma once

#include "detect/quality.h"

#define DOUBT_VERSION 1
#define DOUBT_CALM US_PER_HOUR
#define DOUBT_IMPOSSIBLE 3      // findings
#define DOUBT_SOUND 10          // values in a row that end a frozen one
#define DOUBT_TRAIL 16          // moves that are remembered
#define DOUBT_MOVES QUALITY_COPIED_MOVES
#define DOUBT_DISTINCT 6
#define DOUBT_APART 3

enum doubt_reason { DOUBT_FROZEN, DOUBT_BEYOND, DOUBT_COPIED, DOUBT_DRIFT, DOUBT_REASONS }; // the last is drift.h's

struct doubt_facts {
	struct quality_facts quality;
	bool frozen, beyond, copied; // what is looked for
};

struct doubt_event {
	enum doubt_reason reason;
	bool begins;
	int64_t at, since;          // us; since: of the first value that made the doubt
	double value;
	double usual;               // drift: the learned level
	uint64_t run;               // frozen: values of the run; impossible: findings
};
typedef void doubt_fn(void *arg, const struct doubt_event *e);

struct doubt {
	uint32_t version;
	uint16_t reasons;           // bits by doubt_reason
	uint16_t apart;             // looks in a row at which it was no copy any more
	uint32_t twin;              // copied: of which point
	uint32_t spare;
	int64_t since[DOUBT_DRIFT]; // of the first three
	struct quality_seen q;
	int64_t run_since;          // first value of the present run
	uint64_t sound;             // values in a row that are not frozen
	int64_t impossible[DOUBT_IMPOSSIBLE]; // the newest findings; 0 = none
	uint64_t nimpossible;
	uint64_t nmoves;            // seen
	double move[DOUBT_TRAIL];   // the newest moves, at nmoves % DOUBT_TRAIL
	int64_t moved[DOUBT_TRAIL];
};

void doubt_init(struct doubt *d);
// time later than the one before; others and NaN are ignored.
void doubt_feed(struct doubt *d, const struct doubt_facts *facts, int64_t time, double value, doubt_fn *fn, void *arg);
// A digest of the DOUBT_MOVES moves that end `back` moves ago (0..DOUBT_TRAIL - DOUBT_MOVES); 0: fewer were seen, or too few values.
uint64_t doubt_digest(const struct doubt *d, unsigned back);
// The newest moves of the one are the same, in values and (within `near` us) times, as moves of the other at most
// DOUBT_TRAIL - DOUBT_MOVES back.
bool doubt_same_moves(const struct doubt *a, const struct doubt *b, int64_t near);
// What a look at the copies found: twin 0 = none. Begins at once, ends when three looks in a row found none.
void doubt_copied(struct doubt *d, uint32_t twin, doubt_fn *fn, void *arg);
