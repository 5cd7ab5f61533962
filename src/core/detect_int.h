// T_DETECT, shared by core/detect*.c only. It reads history behind what arrives, so what is found is a pure function of history:
// a point has a watch with a state of bounded size and the time through which it has seen it. Both are kept in table detect_state
// behind the changes they made; after a crash the same samples are read again and say the same, which is known already.
#pragma once

#include <jansson.h>

#include "api/unit_model.h"
#include "base/arena.h"
#include "core/core_int.h"
#include "detect/doubt.h"
#include "detect/drift.h"
#include "detect/early.h"

#define DETECT_TRUSTED Q_CALIBRATION // qualities up to it are fed

// What every watch of a point begins with. key: which of the point's; 0 if it has one.
#define WATCH_HEAD                                                                                                                        \
	uint32_t point, key;                                                                                                              \
	bool dirty, said; /* its state is not kept yet; and it has said something since */                                                \
	int64_t through   /* newest sample it has seen, 0 = none yet */
struct watch { WATCH_HEAD; } __attribute__((may_alias));

struct early_watch {
	WATCH_HEAD;                 // key: of the rule
	uint32_t rule;              // index in the site's set
	struct early e;
};

struct doubt_watch {
	WATCH_HEAD;
	uint32_t kind;              // index in the registry
	int64_t enterprise, near;   // near: times of the same move in two points lie within it, us
	int64_t looked;             // clock_mono
	struct doubt_facts facts;
	struct doubt d;
};

struct drift_watch {
	WATCH_HEAD;
	struct drift_facts facts;
	struct drift d;
};

struct unit_kept {              // what of a unit is kept besides where its model stands; plain data
	uint32_t version, spare;
	struct unit_rows rows;
	struct unit_episode e;
	uint64_t flagged;
};

struct unit_watch {
	int64_t id;
	bool dirty, said;
	struct unit *unit;          // NULL: view.state says why
	struct unit_kept k;
	struct unit_view view;
};

struct detect {
	struct core *co;
	pthread_t thread;
	pthread_mutex_t mutex;      // stop, and what the API looks at
	pthread_cond_t cond;
	bool stop;
	uint64_t generation, units_generation; // of the site the lists were made from
	int64_t save_due, make_due; // clock_mono
	struct arena *arena;        // of one read
	double *scratch;            // trend.h
	struct early_watch *early;  // by point
	size_t nearly, early_left;  // left: beyond LIMIT_EARLY_WATCHES
	struct doubt_watch *doubt;  // by point
	size_t ndoubt, doubt_left;
	struct drift_watch *drift;  // by point
	size_t ndrift, drift_left;
	struct unit_watch **units;  // in force, by id
	size_t nunits;
	_Atomic bool units_news;    // a record has changed
	bool copies_wanted;
	int64_t copies_due;         // clock_mono
	struct doubted *marks;      // points with an open record, by point
	size_t nmarks;
	_Atomic bool marks_news;    // a record has changed
	struct detect_cost cost;
};

struct detect_kept {            // a row of detect_state
	uint32_t thing, key;
	int64_t through;
	struct str state;
};

// Calls fn for every sample of the point behind *through up to `newest`, in their order, slice by slice; *through follows. Holds
// the mutex while it calls.
typedef void detect_sample_fn(void *arg, const struct sample *s);
void detect_read(struct detect *d, uint32_t point, int64_t *through, int64_t newest, detect_sample_fn *fn, void *arg);
bool detect_stopping(struct detect *d);
// Keeps a state; the bytes are copied. Behind every job that was posted before.
struct detect_saving;
struct detect_saving *detect_save_begin(struct detect *d, const char *what);
void detect_save(struct detect_saving **s, const struct detect_kept *row); // in slices that the writer has time for
void detect_save_end(struct detect_saving *s);
// What is kept of the watches `what`, as an array of watches of `size` bytes for mem_free, by point and key. take fills one, which has
// its head already; false: it begins anew.
typedef bool detect_take_fn(void *watch, const struct detect_kept *k);
void *detect_kept_watches(struct detect *d, const char *what, size_t size, detect_take_fn *take, size_t *ret_n);

// The watches of another site, made by point beside those before: what is watched on goes on. T_DETECT only.
struct watch_list {
	size_t size, most;          // bytes of a watch; how many there may be
	char *v, *old;
	size_t n, cap, left, nold, at;
};
void watch_list_begin(struct watch_list *l, size_t size, size_t most, void *old, size_t nold); // old: by point, for mem_free
// The next watch, points in ascending order: as it was before (*ret_was), or zeroed but for point and key. NULL: there are `most` already,
// and one more is left. Valid until the next call.
void *watch_list_put(struct watch_list *l, uint32_t point, uint32_t key, bool *ret_was);
void *watch_list_gone(struct watch_list *l); // one of before that was not put again, each once; NULL: no more
// Puts the list in force, where the API sees it, and frees the one before.
void watch_list_end(struct detect *d, struct watch_list *l, void *ret_v, size_t *ret_n, size_t *ret_left);
// The bytes of a state into one of `size` bytes; each begins with its version. false: they are of another.
bool detect_state_take(const struct detect_kept *k, void *ret, size_t size, uint32_t version);
enum err detect_kept_one(struct db *db, const char *what, uint32_t thing, uint32_t key, struct arena *a, struct detect_kept *ret);
void detect_forget(struct detect *d, const char *what, uint32_t thing, uint32_t key);

// detect_early.c
void early_begin(struct detect *d, const struct site *s);   // with what is kept, once at the start
void early_site(struct detect *d, const struct site *s);    // another generation
void early_pass(struct detect *d);                          // what came since
void early_save_all(struct detect *d);                      // what is dirty

// detect_doubt.c
void doubt_begin(struct detect *d, const struct site *s);
void doubt_site(struct detect *d, const struct site *s);
void doubt_pass(struct detect *d);
void doubt_save_all(struct detect *d);
void doubt_marks(struct detect *d, const struct site *s);   // reads the open records again if one has changed
void doubt_say(struct detect *d, uint32_t point, uint32_t twin, const struct doubt_event *e); // its record is opened, or over
struct str doubt_key(struct arena *a, uint32_t point, enum doubt_reason r, int64_t since);     // the record's `key`

// detect_drift.c: the fourth doubt
void drift_begin(struct detect *d, const struct site *s);
void drift_site(struct detect *d, const struct site *s);
void drift_pass(struct detect *d);
void drift_save_all(struct detect *d);
void drift_decided(struct detect *d, const struct type *t, struct db *db); // a person has closed one: its level is learned anew

// detect_unit.c
void unit_news(struct detect *d, struct site *s, bool all); // reads the records again if one has changed, or all
void unit_pass(struct detect *d);
void unit_save_all(struct detect *d);
