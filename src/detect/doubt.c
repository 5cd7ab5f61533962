#include "detect/doubt.h"

#include <math.h>
#include <stdlib.h>

void doubt_init(struct doubt *d) { *d = (struct doubt){ .version = DOUBT_VERSION }; }

static bool has(const struct doubt *d, enum doubt_reason r) { return d->reasons >> r & 1; }

static void set(struct doubt *d, enum doubt_reason r, bool begins, int64_t since, const struct doubt_event *e, doubt_fn *fn, void *arg)
{
	struct doubt_event own = *e;
	own.reason = r;
	own.begins = begins;
	own.since = begins ? since : d->since[r];
	d->reasons = (uint16_t)(begins ? d->reasons | 1u << r : d->reasons & ~(1u << r));
	d->since[r] = begins ? since : 0;
	fn(arg, &own);
}

static void note_move(struct doubt *d, int64_t time, double value)
{
	d->move[d->nmoves % DOUBT_TRAIL] = value;
	d->moved[d->nmoves++ % DOUBT_TRAIL] = time;
}

static void judge_frozen(struct doubt *d, bool frozen, const struct doubt_event *e, doubt_fn *fn, void *arg)
{
	d->sound = frozen ? 0 : d->sound + 1;
	if (frozen && !has(d, DOUBT_FROZEN))
		set(d, DOUBT_FROZEN, true, d->run_since, e, fn, arg);
	else if (has(d, DOUBT_FROZEN) && d->sound >= DOUBT_SOUND)
		set(d, DOUBT_FROZEN, false, 0, e, fn, arg);
}

static void judge_impossible(struct doubt *d, bool found, struct doubt_event *e, doubt_fn *fn, void *arg)
{
	if (found)
		d->impossible[d->nimpossible++ % DOUBT_IMPOSSIBLE] = e->at;
	int64_t oldest = d->nimpossible >= DOUBT_IMPOSSIBLE ? d->impossible[d->nimpossible % DOUBT_IMPOSSIBLE] : 0;
	int64_t newest = d->nimpossible ? d->impossible[(d->nimpossible + DOUBT_IMPOSSIBLE - 1) % DOUBT_IMPOSSIBLE] : 0;
	e->run = d->nimpossible;
	if (found && oldest && e->at - oldest <= DOUBT_CALM && !has(d, DOUBT_BEYOND))
		set(d, DOUBT_BEYOND, true, oldest, e, fn, arg);
	else if (has(d, DOUBT_BEYOND) && e->at - newest > DOUBT_CALM)
		set(d, DOUBT_BEYOND, false, 0, e, fn, arg);
}

void doubt_feed(struct doubt *d, const struct doubt_facts *facts, int64_t time, double value, doubt_fn *fn, void *arg)
{
	if (isnan(value) || (d->q.known && time <= d->q.time))
		return;
	bool moves = !d->q.known || value != d->q.last;
	unsigned found = quality_feed(&d->q, &facts->quality, time, value);
	struct doubt_event e = { .at = time, .value = value, .run = d->q.run };
	if (moves) {
		note_move(d, time, value);
		d->run_since = time;
	}
	if (facts->frozen)
		judge_frozen(d, found & QUALITY_FROZEN, &e, fn, arg);
	if (facts->beyond)
		judge_impossible(d, found & (QUALITY_RANGE | QUALITY_JUMP), &e, fn, arg);
}

// ---- copies -------------------------------------------------------------------------------------

static size_t move_at(const struct doubt *d, unsigned back, unsigned i) // i-th of the moves, 0 the newest
{
	return (size_t)((d->nmoves - 1 - back - i) % DOUBT_TRAIL);
}

static bool enough(const struct doubt *d, unsigned back)
{
	unsigned distinct = 0;
	if (d->nmoves < DOUBT_MOVES + back)
		return false;
	for (unsigned i = 0; i < DOUBT_MOVES; i++) {
		bool first = true;
		for (unsigned k = 0; k < i; k++)
			first &= d->move[move_at(d, back, k)] != d->move[move_at(d, back, i)];
		distinct += first;
	}
	return distinct >= DOUBT_DISTINCT;
}

uint64_t doubt_digest(const struct doubt *d, unsigned back)
{
	uint64_t h = UINT64_C(14695981039346656037);
	if (!enough(d, back))
		return 0;
	for (unsigned i = 0; i < DOUBT_MOVES; i++) {
		uint64_t bits;
		memcpy(&bits, &d->move[move_at(d, back, i)], sizeof bits);
		h = (h ^ bits) * UINT64_C(1099511628211);
		h ^= h >> 29;
	}
	return h ? h : 1;
}

static bool same_at(const struct doubt *a, const struct doubt *b, unsigned back, int64_t near)
{
	if (b->nmoves < DOUBT_MOVES + back)
		return false;
	for (unsigned i = 0; i < DOUBT_MOVES; i++) {
		size_t x = move_at(a, 0, i), y = move_at(b, back, i);
		if (a->move[x] != b->move[y] || llabs(a->moved[x] - b->moved[y]) > near)
			return false;
	}
	return true;
}

bool doubt_same_moves(const struct doubt *a, const struct doubt *b, int64_t near)
{
	if (!enough(a, 0) || !enough(b, 0))
		return false;
	for (unsigned back = 0; back <= DOUBT_TRAIL - DOUBT_MOVES; back++)
		if (same_at(a, b, back, near) || same_at(b, a, back, near))
			return true;
	return false;
}

void doubt_copied(struct doubt *d, uint32_t twin, doubt_fn *fn, void *arg)
{
	struct doubt_event e = { .at = d->q.time, .value = d->q.last, .run = DOUBT_MOVES };
	d->apart = twin ? 0 : (uint16_t)MIN(d->apart + 1, DOUBT_APART);
	if (twin && !has(d, DOUBT_COPIED)) {
		d->twin = twin;
		set(d, DOUBT_COPIED, true, d->moved[move_at(d, 0, DOUBT_MOVES - 1)], &e, fn, arg);
	} else if (has(d, DOUBT_COPIED) && d->apart >= DOUBT_APART) {
		d->twin = 0;
		set(d, DOUBT_COPIED, false, 0, &e, fn, arg);
	}
}
