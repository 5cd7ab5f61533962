// The arrival log: segment files DATA/series/log/%016x.log (named by the seq of their first reading), preallocated, a
// row of groups (group.h) each. T_SERIES fills pages in memory; the sync thread writes them, syncs, and only then moves
// `durable`. Nothing is dropped from memory before it is on disk: on a full disk the thread keeps trying.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "bus/reading.h"

struct slog;

struct histogram;
struct slog_stats {
	uint64_t bytes, syncs;
	int64_t worst_sync_us;
	const struct histogram *sync_us, *sync_bytes; // of each write and sync; valid until slog_close
};

// next: seq of the first reading to come (> 0). Starts the sync thread.
enum err slog_open(struct slog **ret, const char *dir, uint32_t group_us, uint64_t next) must_check;
// Waits until all is durable (at most 10 s when the disk refuses), stops the thread. NULL is fine.
void slog_close(struct slog *l);

// T_SERIES:
void slog_add(struct slog *l, const struct reading *r, int64_t arrival, unsigned mode, int64_t scaled);
uint64_t slog_last(const struct slog *l);     // seq of the reading added last
void slog_flush(struct slog *l, bool now);
// Any thread:
uint64_t slog_durable(const struct slog *l);
int slog_fd(const struct slog *l);
enum err slog_health(const struct slog *l);
size_t slog_backlog(const struct slog *l);    // bytes handed to the sync thread and not yet on disk
void slog_stats(const struct slog *l, struct slog_stats *ret);
void slog_trim(struct slog *l, uint64_t seq); // deletes the files that hold nothing after seq

struct slog_replay {
	void *arg;
	void (*reading)(void *arg, uint64_t seq, const struct reading *r, int64_t arrival);
	void (*gap)(void *arg); // readings before the next one are missing; may be NULL
	uint64_t next;      // out: seq after the last reading found (at least `after` + 1)
	uint64_t bytes;     // out: bytes of groups read
	uint64_t lost;      // out: readings that a damaged group in the middle has taken with it
};
// Calls reading for everything in DIR with seq > after, in order, and cuts what a crash left half-written.
enum err slog_replay(const char *dir, uint64_t after, struct slog_replay *r) must_check;

#ifdef ANLAN_TEST
extern _Atomic int slog_fault; // errno with which every write of the log fails, half done; 0 = none
#endif
