// The threads that answer requests. MHD's own threads only move bytes: each of them serves many connections, so that an
// answer which waits there (for the disk, the writer, a list being loaded) would stop people who asked for something else.
// Threads are made when there is work for them, up to LIMIT_HTTP_RUNNING, and end when there has been none for a while.
#pragma once

#include "base/base.h"

enum work_kind {            // each with its own bound, so that many of one kind leave room for the others
	WORK_CHANGE,        // LIMIT_HTTP_RUNNING
	WORK_READ,          // LIMIT_HTTP_READING
	WORK_SLOW,          // LIMIT_SLOW_RUNNING
	WORK__MAX
};

struct work {               // one request; memory of who puts it
	void (*run)(struct work *w); // in a thread of these; w may be gone when it returns
	enum work_kind kind;
	uint64_t seq;       // of work.c, as next
	struct work *next;
};

struct workers;
struct workers *workers_open(void);
// Any thread; never waits. False: it is not taken (they are closing, or there is no thread), the caller runs it himself.
bool workers_put(struct workers *ws, struct work *w) must_check;
void workers_close(struct workers *ws); // takes nothing more, does what was taken, ends the threads
void workers_free(struct workers *ws);  // closed before
