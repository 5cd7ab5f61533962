// The evaluator's hot path: judging the quality of a reading and feeding it. T_SERIES only.
#include "alarm/eval.h"

enum quality evaluator_quality(struct evaluator *ev, const struct reading *r, int64_t now)
{
	enum quality q = (enum quality)r->quality;
	(void)now;
	if (r->point > ev->max_point)
		return q;
	const struct hot *h = &ev->hot[r->point];
	if ((h->flags & (HOT_MAINTENANCE | HOT_CALIBRATION | HOT_FLAT)) != 0) {
		if ((h->flags & HOT_CALIBRATION) && q < Q_CALIBRATION)
			q = Q_CALIBRATION;
		if ((h->flags & HOT_MAINTENANCE) && q < Q_MAINTENANCE)
			q = Q_MAINTENANCE;
		else if ((h->flags & HOT_FLAT) && q < Q_FLAT && q != Q_MAINTENANCE)
			q = Q_FLAT;
	}
	if ((r->value < h->min || r->value > h->max) && q < Q_RANGE)
		q = Q_RANGE;
	return q;
}

static __attribute__((noinline)) void feed_slow(struct evaluator *ev, const struct reading *r, int64_t arrival,
                                                transition_fn *fn, void *arg)
{
	struct hot *h = &ev->hot[r->point];
	if (!h->known || r->time <= h->time)
		return;
	struct judged j = judged_of(ev, r->point, fn, arg);
	if (h->pending) {
		// what a timer would have found before this sample arrived, found whether it ran or not
		int64_t event_now = arrival - (h->arrival - h->time);
		judge_advance(&j, MAX(r->time, event_now));
	}
	h->arrival = arrival;
	j.arrival = arrival;
	judge_sample(&j, r);
	timer_set(ev, r->point);
}

void evaluator_feed(struct evaluator *ev, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg)
{
	if (r->point > ev->max_point)
		return;
	struct hot *h = &ev->hot[r->point];
	if (h->flags & HOT_INPUT)
		when_feed(ev->when, r, arrival, fn, arg);
	if (r->quality != h->quality || r->quality > Q_FLAT || !(r->value >= h->lo && r->value <= h->hi) ||
	    r->time <= h->time) {
		feed_slow(ev, r, arrival, fn, arg);
		return;
	}
	h->time = r->time;
	h->value = r->value;
	h->arrival = arrival;
}

void evaluator_prefetch(const struct evaluator *ev, uint32_t point)
{
	if (point <= ev->max_point)
		__builtin_prefetch(&ev->hot[point], 1);
	if (ev->when)
		when_prefetch(ev->when, point);
}

void evaluator_prefetch_more(const struct evaluator *ev, const struct reading *r)
{
	if (ev->when && r->point <= ev->max_point && ev->hot[r->point].flags & HOT_INPUT)
		when_prefetch_rings(ev->when, r);
}

// While the log is replayed: a reading that the point's own state holds already; the expressions' state is older.
void evaluator_feed_again(struct evaluator *ev, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg)
{
	if (r->point <= ev->max_point && ev->hot[r->point].flags & HOT_INPUT)
		when_feed(ev->when, r, arrival, fn, arg);
}

void evaluator_settle(struct evaluator *ev, transition_fn *fn, void *arg)
{
	if (ev->when)
		when_settle(ev->when, fn, arg);
}
