// History of readings. Every accepted reading is appended to the arrival log (durable before acknowledged, group
// commit by a sync thread), kept in an open compressed chunk per point, and sealed into blocks in monthly SQLite
// files by a seal thread. A fuzzy snapshot of the open chunks (and of the alarm evaluator's state) bounds replay.
//
// History is a set: one sample for a (point, time); the first to arrive wins. Late and out-of-order samples end in
// the same history.
//
// Threads: one owner (T_SERIES) calls everything except series_read, which any thread may call.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "bus/reading.h"

struct arena;
struct series;

enum arrival { ARRIVED_NEW, ARRIVED_LATE, ARRIVED_DUPLICATE };

// What rides on a point's snapshot for someone else (the alarm evaluator), and what replay calls.
struct series_hooks {
	void *arg;
	size_t ext_size; // bytes per point, <= 256
	void (*save)(void *arg, uint32_t point, void *ext);
	void (*load)(void *arg, uint32_t point, const void *ext);
	void (*replay)(void *arg, const struct reading *r, enum arrival how, int64_t arrival);
};

struct series_config {
	const char *dir;         // DATA/series
	uint32_t group_us;       // longest wait of a reading for its group's sync; 2000
	size_t log_limit;        // bytes of log after which a snapshot is taken; 256 MiB
	uint32_t chunk_points;   // samples in a sealed block; 240
};

// Opens, loads the snapshot, replays the log, starts the sync and seal threads.
enum err series_open(struct series **ret, const struct series_config *cfg, const struct series_hooks *hooks,
                     struct problem *p) must_check;
// Syncs, takes a snapshot, stops the threads.
void series_close(struct series *s);

// Adds one reading to the log's current group and its point's open chunk. Returns how it arrived. ARRIVED_DUPLICATE is
// not stored again. The reading is durable once series_durable() >= the number series_mark() returns after it.
// Quality may have been changed by the caller before.
enum arrival series_add(struct series *s, const struct reading *r, int64_t arrival);
uint64_t series_mark(struct series *s);             // closes nothing; a number for "everything added so far"
void series_flush(struct series *s, bool now);      // hand the group to the sync thread (now: do not wait for group_us)
uint64_t series_durable(const struct series *s);    // any thread
int series_durable_fd(const struct series *s);      // eventfd: series_durable has moved
// OK, or why nothing is being made durable (ERR_FULL, ERR_IO). While not OK nothing is acknowledged; it retries.
enum err series_health(const struct series *s);
// Serves readers' requests for open chunks and snapshot steps; call once a loop turn, and when series_wake_fd is readable.
int series_wake_fd(const struct series *s);
void series_turn(struct series *s, int64_t now);

struct sample {
	int64_t time;
	double value;
	uint16_t quality;
};

// All samples of a point with from <= time < to, by time, each once. At most max (ERR_TOO_LARGE beyond).
enum err series_read(struct series *s, uint32_t point, int64_t from, int64_t to, size_t max, struct arena *a,
                     struct sample **ret, size_t *ret_n) must_check;

struct agg { // one step of an aggregated series; n = 0: no sample (the rest is 0)
	int64_t from;
	uint32_t n;         // samples with quality up to Q_RANGE count into min/max/avg; others only into bad
	uint32_t bad;
	double min, max, sum, last;
	uint16_t worst;     // enum quality
};
// Steps of step_us from `from`; (to-from)/step_us <= 20000.
enum err series_aggregate(struct series *s, uint32_t point, int64_t from, int64_t to, int64_t step_us, struct arena *a,
                          struct agg **ret, size_t *ret_n) must_check;
// Newest sample of a point, from memory. False if none is known.
bool series_last(struct series *s, uint32_t point, struct sample *ret); // any thread

struct series_stats {
	uint64_t readings, duplicates, late, log_bytes, block_bytes, blocks, syncs, replayed, points;
	int64_t worst_sync_us;
};
void series_stats(struct series *s, struct series_stats *ret); // any thread
