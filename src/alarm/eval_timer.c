// What the evaluator must look at although no sample came: pending delays (a heap by due time, at most one entry a
// point) and silence (a wheel of seconds, at most one place a point). Wall clock. T_SERIES only.
//
// A point's own clock may be wrong by any constant, so a due time of its samples is turned into wall-clock time with
// what its newest sample says: due + (arrival - time).
#include "alarm/eval.h"

// ---- heap --------------------------------------------------------------------------------------
static void heap_put(struct evaluator *ev, uint32_t at, struct timer t)
{
	ev->heap[at] = t;
	ev->cold[t.point].heap_at = at + 1;
}

static void heap_up(struct evaluator *ev, uint32_t at)
{
	struct timer t = ev->heap[at];
	while (at > 0 && ev->heap[(at - 1) / 2].due > t.due) {
		heap_put(ev, at, ev->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(ev, at, t);
}

static void heap_down(struct evaluator *ev, uint32_t at)
{
	struct timer t = ev->heap[at];
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= ev->nheap)
			break;
		if (child + 1 < ev->nheap && ev->heap[child + 1].due < ev->heap[child].due)
			child++;
		if (ev->heap[child].due >= t.due)
			break;
		heap_put(ev, at, ev->heap[child]);
		at = child;
	}
	heap_put(ev, at, t);
}

static void heap_pop(struct evaluator *ev)
{
	ev->cold[ev->heap[0].point].heap_at = 0;
	struct timer last = ev->heap[--ev->nheap];
	if (ev->nheap > 0) {
		heap_put(ev, 0, last);
		heap_down(ev, 0);
	}
}

// An entry that is too early costs one look; only an earlier due time moves it.
static void heap_want(struct evaluator *ev, uint32_t point, int64_t due)
{
	uint32_t at = ev->cold[point].heap_at;
	if (at) {
		if (due >= ev->heap[at - 1].due)
			return;
		ev->heap[at - 1].due = due;
		heap_up(ev, at - 1);
		return;
	}
	if (ev->nheap == ev->heap_cap) {
		ev->heap_cap = ev->heap_cap ? ev->heap_cap * 2 : 256;
		ev->heap = mem_resize(ev->heap, ev->heap_cap * sizeof *ev->heap);
	}
	ev->heap[ev->nheap++] = (struct timer){ due, point };
	heap_up(ev, ev->nheap - 1);
}

// ---- silence -----------------------------------------------------------------------------------
int64_t silent_due(const struct evaluator *ev, uint32_t point)
{
	const struct hot *h = &ev->hot[point];
	const struct plan *p = &ev->plans[ev->cold[point].plan];
	int64_t due = INT64_MAX;
	if (!(h->flags & HOT_SEEN)) // never heard of: not installed yet, which is no alarm
		return due;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].family == FAMILY_SILENT && !(h->active & 1u << i))
			due = MIN(due, h->arrival + p->c[i].on);
	return due;
}

static void wheel_add(struct evaluator *ev, uint32_t point, int64_t due)
{
	int64_t sec = due / US_PER_S + 1;
	sec = MAX(sec, ev->wheel_sec + 1);
	sec = MIN(sec, ev->wheel_sec + WHEEL_SLOTS - 1);
	uint32_t *slot = &ev->wheel[sec % WHEEL_SLOTS];
	ev->cold[point].wheel_next = *slot;
	*slot = point;
	ev->hot[point].flags |= HOT_WHEEL;
	ev->nwheel++;
}

static void wheel_want(struct evaluator *ev, uint32_t point)
{
	if (!ev->started || (ev->hot[point].flags & HOT_WHEEL) || ev->plans[ev->cold[point].plan].silent_for == 0)
		return;
	int64_t due = silent_due(ev, point);
	if (due != INT64_MAX)
		wheel_add(ev, point, due);
}

static void wheel_turn(struct evaluator *ev, int64_t now, transition_fn *fn, void *arg)
{
	int64_t last = now / US_PER_S;
	if (ev->nwheel == 0 || last - ev->wheel_sec > WHEEL_SLOTS)
		ev->wheel_sec = MAX(ev->wheel_sec, last - WHEEL_SLOTS);
	while (ev->wheel_sec < last) {
		uint32_t *slot = &ev->wheel[++ev->wheel_sec % WHEEL_SLOTS], point = *slot;
		*slot = 0;
		while (point) {
			uint32_t next = ev->cold[point].wheel_next;
			ev->hot[point].flags &= (uint16_t)~HOT_WHEEL;
			ev->nwheel--;
			if (silent_due(ev, point) <= now) {
				struct judged j = judged_of(ev, point, fn, arg);
				judge_silent(&j, now);
				judge_band(&j);
			}
			wheel_want(ev, point);
			point = next;
		}
	}
}

// ---- both --------------------------------------------------------------------------------------
void timer_set(struct evaluator *ev, uint32_t point)
{
	words_keep(ev, point);
	struct judged j = judged_of(ev, point, NULL, NULL);
	judge_band(&j);
	if (j.h->pending)
		heap_want(ev, point, judge_due(&j) + (j.h->arrival - j.h->time));
	wheel_want(ev, point);
}

void timers_rebuild(struct evaluator *ev)
{
	ev->nheap = 0;
	ev->nwheel = 0;
	memset(ev->wheel, 0, sizeof ev->wheel);
	for (uint32_t point = 1; point <= ev->max_point; point++) {
		ev->cold[point].heap_at = 0;
		ev->hot[point].flags &= (uint16_t)~HOT_WHEEL;
		if (ev->hot[point].known)
			timer_set(ev, point);
	}
}

static void start(struct evaluator *ev, int64_t now)
{
	ev->started = true;
	ev->wheel_sec = now / US_PER_S;
	for (uint32_t point = 1; point <= ev->max_point; point++)
		if (ev->hot[point].flags & HOT_SEEN)
			ev->hot[point].arrival = now;
	timers_rebuild(ev);
}

void evaluator_clock_set(struct evaluator *ev, int64_t by, int64_t now)
{
	if (!ev->started)
		return; // the first tick counts every point as heard then
	for (uint32_t point = 1; point <= ev->max_point; point++)
		ev->hot[point].arrival += ev->hot[point].flags & HOT_SEEN ? by : 0;
	ev->wheel_sec = now / US_PER_S;
	timers_rebuild(ev);
	if (ev->when)
		when_clock_set(ev->when, by);
	ev->next_calibration = now; // dates are the wall clock's own
}

static void calibration_turn(struct evaluator *ev, int64_t now)
{
	ev->next_calibration = INT64_MAX;
	for (uint32_t point = 1; point <= ev->max_point; point++) {
		int64_t due = ev->cold[point].calibration_due * US_PER_MIN;
		if (due && due <= now)
			ev->hot[point].flags |= HOT_CALIBRATION;
		else if (due)
			ev->next_calibration = MIN(ev->next_calibration, due);
	}
}

int64_t evaluator_due(const struct evaluator *ev)
{
	int64_t next = INT64_MAX;
	if (ev->ngone > 0 || !ev->started)
		return 1;
	if (ev->nheap > 0)
		next = ev->heap[0].due;
	if (ev->nwheel > 0)
		next = MIN(next, (ev->wheel_sec + 1) * US_PER_S);
	next = MIN(next, ev->next_calibration);
	if (ev->when)
		next = MIN(next, when_due(ev->when));
	return next == INT64_MAX ? 0 : MAX(next, 1);
}

int64_t evaluator_tick(struct evaluator *ev, int64_t now, transition_fn *fn, void *arg)
{
	if (!ev->started)
		start(ev, now);
	if (now >= ev->next_calibration)
		calibration_turn(ev, now);
	for (size_t i = 0; i < ev->ngone; i++)
		fn(arg, &ev->gone[i]);
	ev->ngone = 0;
	while (ev->nheap > 0 && ev->heap[0].due <= now) {
		uint32_t point = ev->heap[0].point;
		heap_pop(ev);
		struct judged j = judged_of(ev, point, fn, arg);
		judge_advance(&j, now - (j.h->arrival - j.h->time));
		timer_set(ev, point);
	}
	wheel_turn(ev, now, fn, arg);
	if (ev->when)
		when_tick(ev->when, now, fn, arg);
	int64_t next = evaluator_due(ev);
	return next ? MAX(MIN(next, now + US_PER_MIN), now) : now + US_PER_MIN;
}
