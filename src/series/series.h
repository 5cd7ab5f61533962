// History of readings. Every accepted reading is appended to the arrival log (durable before acknowledged, group
// commit by a sync thread), kept in an open compressed chunk per point, and sealed into blocks in monthly SQLite
// files by a seal thread. A fuzzy snapshot of the open chunks (and of the alarm evaluator's state) bounds replay.
//
// History is a set: one sample for a (point, time); the first to arrive wins. Late and out-of-order samples end in
// the same history.
//
// Threads: one owner (T_SERIES: who called series_turn last, until then who opened) calls all not marked otherwise.
// A reader in another thread is served by the owner's series_turn; without one it gives up after 5 s (ERR_TIMEOUT).
//
// History is lossless: times in microseconds, values as exact doubles (only -0 becomes 0), quality below 16, flags
// below 16 (flags are kept in the log for replay, not in history).
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "bus/reading.h"

struct arena;
struct buf;
struct histogram;
struct series;

enum arrival { ARRIVED_NEW, ARRIVED_LATE, ARRIVED_DUPLICATE };

// What rides on a point's snapshot for someone else (the alarm evaluator), and what replay calls. save: T_SERIES,
// inside series_turn and series_close; load, replay: inside series_open, first every load, then every replay in order
// of arrival. A snapshot whose ext_size was another is loaded without calling load. Only points with a reading are saved.
struct series_hooks {
	void *arg;
	size_t ext_size; // bytes per point, <= 256
	void (*save)(void *arg, uint32_t point, void *ext);
	void (*load)(void *arg, uint32_t point, const void *ext);
	void (*replay)(void *arg, const struct reading *r, enum arrival how, int64_t arrival);
	// What belongs to no single point: saved in one piece when a snapshot begins, loaded before anything is replayed (empty: the
	// snapshot has none; not called without a snapshot). Both NULL: nothing. With them replay is called for every reading of the
	// log since then, ARRIVED_DUPLICATE for those that the points' own state holds already.
	void (*save_all)(void *arg, struct buf *out);
	void (*load_all)(void *arg, struct str saved);
	// A note (series_note) found in the log, in its order among the readings. What was noted before a snapshot is in save_all. NULL: none.
	void (*note)(void *arg, uint32_t owner, struct str bytes);
	// What follows from readings and is kept elsewhere (alarms): said counts it, done counts what is kept. A snapshot
	// makes log superfluous only when done has reached what said was. T_SERIES; both NULL: nothing is kept elsewhere.
	uint64_t (*said)(void *arg), (*done)(void *arg);
};

struct series_config {
	const char *dir;         // DATA/series
	uint32_t group_us;       // longest wait of a flushed reading for its group's sync, and least time from the end of
	                         // one sync to the next unless flushed `now`; 2000
	size_t log_limit;        // most bytes of log before a snapshot is taken (sooner if a quarter of the last one's size,
	                         // at least 24 MiB, is less: a restart should be ready in 2 s); 256 MiB
	uint32_t chunk_points;   // samples in a sealed block; 240
	int64_t roll_us;         // from one pass that rolls up sealed blocks to the next; 6 h
	int64_t gather_us;       // longest wait of a sealed chunk for others, to be committed together; 5 s
};

// Opens, loads the snapshot, replays the log, starts the sync and seal threads.
enum err series_open(struct series **ret, const struct series_config *cfg, const struct series_hooks *hooks,
                     struct problem *p) must_check;
// Syncs, takes a snapshot, stops the threads. No other thread may be in a call. Gives up after 30 s on a full disk.
void series_close(struct series *s);

// Adds one reading to the log's current group and its point's open chunk. Returns how it arrived. ARRIVED_DUPLICATE is
// not stored again; so does what cannot be history (point 0 or beyond LIMIT_POINTS, time before 1970 or after about
// 6500, value not finite). A late duplicate of a sample sealed before returns ARRIVED_LATE and is left out when
// reading. The reading is durable once series_durable() >= the number series_mark() returns after it.
// Quality may have been changed by the caller before.
enum arrival series_add(struct series *s, const struct reading *r, int64_t arrival);
// Writes some bytes into the log behind the readings added so far, durable as they are. Nothing in history; hooks.note at a replay.
#define SERIES_NOTE_MAX 2048u
void series_note(struct series *s, uint32_t owner, struct str bytes, int64_t arrival);
void series_prefetch(const struct series *s, uint32_t point); // a reading of it will be added soon
void series_prefetch_more(const struct series *s, uint32_t point); // … and what that had to be there for
uint64_t series_mark(struct series *s);             // closes nothing; a number for "everything added so far"
void series_flush(struct series *s, bool now);      // hand the group to the sync thread (now: do not wait for group_us)
uint64_t series_durable(const struct series *s);    // any thread
int series_durable_fd(const struct series *s);      // eventfd: series_durable has moved
// False: so much waits for the disk that no reading should be added before series_durable_fd or series_wake_fd is
// readable (they may be added all the same; then memory grows). T_SERIES.
bool series_may_add(const struct series *s);
// OK, or why nothing is being made durable (ERR_FULL, ERR_IO). While not OK nothing is acknowledged; it retries.
enum err series_health(const struct series *s);
// Serves readers' requests and snapshot steps (below 1 ms); call once a loop turn, and when series_wake_fd is readable.
int series_wake_fd(const struct series *s);
void series_turn(struct series *s, int64_t now);

struct sample {
	int64_t time;
	double value;
	uint16_t quality;
};

// Any thread: series_read, series_aggregate, series_last, series_stats.

// All samples of a point with from <= time < to, by time, each once. At most max (ERR_TOO_LARGE beyond).
enum err series_read(struct series *s, uint32_t point, int64_t from, int64_t to, size_t max, struct arena *a,
                     struct sample **ret, size_t *ret_n) must_check;

struct agg { // one step of an aggregated series; n = 0: no usable sample (the values are 0)
	int64_t from;
	uint32_t n;         // samples with quality up to Q_RANGE count into the values; others only into bad
	uint32_t bad;
	double min, max, sum, first, last; // sum: exact, rounded once
	uint32_t count[Q__MAX]; // samples by quality
	uint16_t worst;     // enum quality
};
// Steps of step_us from `from`; (to-from)/step_us <= 20000. Hours, days and longer are answered from roll-ups where they
// are whole UTC hours; the numbers are those of the samples, late and repeated ones included.
enum err series_aggregate(struct series *s, uint32_t point, int64_t from, int64_t to, int64_t step_us, struct arena *a,
                          struct agg **ret, size_t *ret_n) must_check;
// Newest sample of a point, from memory. False if none is known.
bool series_last(struct series *s, uint32_t point, struct sample *ret); // any thread

// Rolls up everything that is sealed, and waits for it. ERR_TIMEOUT after `wait_us`: it goes on all the same.
enum err series_roll(struct series *s, int64_t wait_us) must_check; // any thread

// ---- retention (any thread; one at a time, others wait) ----
// Readings go by whole months in UTC, when the month was over before `raw`; roll-ups likewise before `hours`. 0: kept.
struct series_keep {
	uint32_t point;
	int64_t raw, hours; // us
};
struct series_hold { // what stays all the same
	uint32_t point;
	int64_t from, to;
};
struct series_retention {
	const struct series_keep *keep; // sorted by point, each once; a point that is not here is kept
	size_t nkeep;
	const struct series_hold *hold; // sorted by point
	size_t nhold;
};
struct series_removal {      // of one month
	int64_t month;       // its start, us
	uint64_t points;     // of which something goes
	uint64_t blocks, bytes; // sealed blocks that go
	uint64_t days, day_bytes; // roll-ups of a day that go
	uint64_t held;       // blocks that would go but for a hold
	bool file;           // nothing is left: the file goes
	uint64_t file_bytes; // its size
};
// What goes, month by month (months of which nothing goes are left out); with dry = false it is deleted. What is not in
// a block is never touched. An error leaves what was deleted before it; the next time goes on.
enum err series_retain(struct series *s, const struct series_retention *r, bool dry, struct arena *a, struct series_removal **ret,
                       size_t *ret_n) must_check;
// Ends series_roll and series_retain early, with ERR_TIMEOUT and ERR_UNAVAILABLE: whoever is in them must have left before
// series_close. Any thread.
void series_leave(struct series *s);

struct series_stats {
	uint64_t readings, duplicates, late, log_bytes, block_bytes, blocks, syncs, replayed, points;
	int64_t worst_sync_us;
	uint64_t corrupt;     // blocks, snapshot sections and log readings found damaged and left out
	uint32_t damaged_point; // whose block was found damaged last, 0 = none
	uint64_t snapshots;   // taken since open
	uint64_t sealed;      // readings in the blocks
	uint64_t pending;     // sealed chunks not yet committed
	uint64_t log_kept;    // bytes of log a restart would have to read
	uint64_t backlog;     // bytes of log not yet on disk
	const struct histogram *sync_us, *sync_bytes; // of the group commits; valid until series_close
	enum err seal_error;  // why blocks or snapshots cannot be written now; OK normally
};
void series_stats(struct series *s, struct series_stats *ret); // any thread
