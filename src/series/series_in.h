// What the files of src/series/ share: the table of points, the seal thread's queues, readers' requests.
//   series.c    open, close, add, turn          (T_SERIES)
//   seal.c      the seal thread: blocks and snapshot file
//   snapshot.c  taking and loading snapshots    (T_SERIES)
//   read.c      reading                         (any thread)
//   aggregate.c steps of a series               (any thread)
//   roller.c    roll-ups and retention          (the seal thread)
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "series/cells.h"
#include "series/chunk.h"
#include "series/series.h"
#include "series/slog.h"
#include "store/blocks.h"

#define POINT_PAGE_BITS 10
#define POINTS_PER_PAGE (1u << POINT_PAGE_BITS)
#define POINT_PAGES (4000000u / POINTS_PER_PAGE + 1)

struct pending { // a sealed chunk that is not known to be in a block file yet
	struct pending *next;        // of the same point, newer first; T_SERIES
	struct pending *next_queued; // in seal thread's queue or done list
	uint32_t point, no;
	uint64_t seq;                // log's last seq when it was sealed: must be durable before the block is
	int64_t newest;              // greatest time in it, us
	bool late;                   // times are not ascending
	uint32_t size;
	uint8_t bytes[];
};

struct point {
	_Atomic int64_t last_time;   // newest sample, guarded by version (a seqlock): see point_publish
	_Atomic uint64_t last_bits;
	_Atomic uint32_t version;    // odd while changing; 0 = no sample yet
	_Atomic uint16_t last_quality;
	uint16_t limit;              // samples at which the open chunk is sealed
	struct chunk open;
	uint32_t no;                 // of the open chunk
	bool known;                  // no is right (see lost in struct series)
	struct pending *pending;
};

struct request { // a reader's, on its stack
	struct request *next;
	uint32_t point;
	struct buf *ret;             // no(4) size(4) bytes… for each chunk in memory, oldest first
	enum { REQUEST_QUEUED, REQUEST_TAKEN, REQUEST_DONE } state;
};

enum snap_state { SNAP_NONE, SNAP_SLICES, SNAP_ENDING };

// What T_SERIES hands the seal thread next for the snapshot file. One at a time.
struct snap_job {
	enum { SNAP_IDLE, SNAP_BEGIN, SNAP_WRITE, SNAP_END, SNAP_DROP } what;
	struct buf bytes;            // BEGIN, WRITE, END: appended to the file
	uint64_t seq;                // END: must be durable; log up to `from` may go
	uint64_t from;
	uint64_t need;               // END: seal.committed must have reached this
	enum err result;             // of the last job
};

// What roller.c has to do, seal thread but for what is under seal.mutex.
struct roller {
	int64_t next;                // clock_mono when the next slice may run
	bool running;                // a pass over the files
	int32_t month;               // next in it
	uint32_t point;              // last done in it
	uint64_t asked, done;        // under seal.mutex: passes asked for, and the last that is over
	uint64_t taken;              // asked when the pass began
	enum err result;             // under seal.mutex: of the last pass
	struct retain_job *retain;   // under seal.mutex: what is to be deleted, or NULL
	bool leave;                  // under seal.mutex: series_leave was called
};

struct seal {
	struct roller roller;
	pthread_cond_t chores;         // with mutex: a pass or a deletion is over
	pthread_t thread;
	bool running;                  // T_SERIES
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct pending *first, **last; // queue, under mutex
	size_t queued;                 // under mutex: in the queue
	int64_t since;                 // under mutex: clock_mono of the oldest in it
	uint64_t put, committed;       // under mutex: ever queued, ever committed (queue by queue)
	struct pending *done;          // committed, for T_SERIES to drop; under mutex
	struct snap_job snap;          // under mutex
	bool stop;                     // under mutex
	int snap_fd;                   // seal thread
	size_t snap_unsynced;          // seal thread
	_Atomic uint64_t blocks;       // committed
	_Atomic uint64_t samples;      // in them
	_Atomic uint64_t block_bytes;
	_Atomic int error;             // enum err of the last attempt
};

struct series {
	struct series_config cfg;
	struct series_hooks hooks;
	char *dir;
	struct slog *log;
	struct blocks *blocks;
	struct seal seal;

	// T_SERIES
	struct point *_Atomic page[POINT_PAGES]; // readable by any thread
	uint32_t pages_end;            // pages beyond are NULL
	struct point **slabs;          // what the pages lie in, SLAB_PAGES each
	size_t nslabs, slab_used;      // pages taken of the last
	struct cells cells;
	struct pending *drop;          // committed, still to be dropped
	int64_t month_from, month_to;  // the month of the reading before
	bool lost;                     // part of a snapshot was lost once: block numbers of unknown points are asked for

	enum snap_state snap;
	uint32_t snap_page;            // next page to save
	uint32_t snap_pages;           // pages saved
	struct buf snap_bytes;         // filled for the seal thread
	struct buf snap_all;           // hooks.save_all when it began …
	size_t snap_all_at;            // … and how much of it has been given
	uint64_t snap_from;            // seq when it began
	uint64_t snap_said;            // what hooks.done must reach before it counts; 0 = not asked yet
	uint64_t snap_base;            // log bytes written when it began
	_Atomic uint64_t log_base;     // log bytes already covered (bytes kept = written - base + replayed)
	uint64_t snap_bytes_given;     // of the one being taken
	uint64_t snap_size;            // bytes of the last one
	int64_t snap_retry;            // clock_mono before which no new attempt is made

	int fd_wake;
	_Atomic bool wake;             // fd_wake was written
	_Atomic pthread_t owner;
	pthread_mutex_t mutex;         // readers' requests
	pthread_cond_t cond;
	struct request *first, **last;

	_Atomic uint32_t damaged_point; // the newest seen; 0 = none
	_Atomic uint64_t n_readings, n_duplicates, n_late, n_points, n_corrupt, n_snapshots, n_pending, n_replayed,
		n_replayed_bytes;
};

// A counter with one writer, readable by any thread.
static inline void bump(_Atomic uint64_t *n, uint64_t by)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by, memory_order_relaxed);
}

static inline struct point *point_at(const struct series *s, uint32_t id)
{
	uint32_t i = id >> POINT_PAGE_BITS;
	struct point *page = i < POINT_PAGES ? atomic_load_explicit(&s->page[i], memory_order_acquire) : NULL;
	return page ? &page[id & (POINTS_PER_PAGE - 1)] : NULL;
}
static inline bool point_used(const struct point *p)
{
	return atomic_load_explicit(&p->version, memory_order_relaxed) != 0;
}
struct point *point_make(struct series *s, uint32_t id); // id <= LIMIT_POINTS
void point_publish(struct point *p, int64_t time, double value, unsigned quality);
void series_seal_point(struct series *s, uint32_t id, struct point *p, bool full);
uint16_t series_limit(const struct series *s, uint32_t id, bool full); // samples of the next chunk
void series_wake(struct series *s); // any thread: makes fd_wake readable

enum err seal_start(struct series *s) must_check;
void seal_stop(struct series *s);   // commits what is queued, as far as the disk allows
void seal_put(struct series *s, struct pending *p);
struct pending *seal_take_done(struct series *s);
bool seal_snap_idle(struct series *s, enum err *ret_result); // may the next job be given?
void seal_snap(struct series *s, int what, struct buf *bytes, uint64_t seq, uint64_t from); // takes over bytes

void snapshot_turn(struct series *s, int64_t mono);
bool snapshot_running(const struct series *s);
void snapshot_start(struct series *s);
// Loads DIR/snapshot. *ret_from: seq it began at (0: none). skip[i] for page i: readings up to it are in the snapshot.
enum err snapshot_load(struct series *s, uint64_t *ret_from, uint64_t **ret_skip, uint64_t *ret_max) must_check;

// Samples of one point, out of chunks in any order.
struct found {
	struct sample sample;
	uint64_t order; // no << 16 | index in the chunk
};
struct gather {
	struct series *s;
	struct buf memory;   // what read_memory copied
	int64_t from, to;
	struct found *v;     // mem_free
	size_t n, cap, max;  // max: more than this is an error
	bool sorted;         // v is in order so far
	struct sample *chunk; // scratch, CHUNK_SAMPLES
};
void gather_begin(struct gather *g, struct series *s);
void gather_end(struct gather *g);
void gather_for(struct gather *g, int64_t from, int64_t to, size_t max); // empty, for these times
enum err gather_chunk(struct gather *g, uint32_t no, struct str bytes) must_check;
blocks_fn gather_block; // arg: a struct gather
void gather_once(struct gather *g); // sorts, and leaves one sample, the first that arrived, for each time
// All samples in [from, to), sorted, each once; from files and from what was in memory.
enum err gather_all(struct gather *g, uint32_t point, int64_t from, int64_t to, size_t max, struct str memory) must_check;
enum err read_memory(struct series *s, uint32_t point, struct buf *ret) must_check; // no(4) size(4) bytes… for each chunk
int64_t read_time(int64_t t); // cut to what history holds

// Does some milliseconds of work; true: there is more, at r->next. Seal thread, outside of seal.mutex.
void roller_work(struct series *s, int64_t mono);
bool roller_due(const struct series *s, int64_t mono); // under seal.mutex
int64_t roller_next(const struct series *s);           // under seal.mutex: when to look again
void roller_init(struct series *s);

void read_serve(struct series *s);  // T_SERIES: answers the queued requests
bool read_in_memory(struct series *s, const struct point *p, int64_t time); // is there a sample for this time?

// --- notes (note.c) ---

struct note_in { // one that is being read from the log
	uint32_t owner, want, have;
	bool open;
	char bytes[SERIES_NOTE_MAX];
};
void note_replay(struct note_in *n, const struct reading *r, const struct series_hooks *hooks);
