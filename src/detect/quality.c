#include "detect/quality.h"

#include <math.h>

uint64_t quality_run_max(const struct quality_seen *q)
{
	if (q->runs < QUALITY_RUNS_MIN)
		return 0;
	double again = 1 - (double)q->runs / (double)q->values;
	// A point that never repeated may do so: as if the next run had two values.
	again = fmax(again, 1 / (double)(q->values + 2));
	return (uint64_t)ceil(1 + log(QUALITY_CHANCE) / log(again));
}

static bool frozen(struct quality_seen *q, double value)
{
	if (q->known && value == q->last) {
		q->run++;
	} else {
		// a run that was called frozen teaches nothing
		uint64_t most = quality_run_max(q);
		if (q->run && (!most || q->run <= most)) {
			q->runs++;
			q->values += q->run;
		}
		q->run = 1;
	}
	uint64_t most = quality_run_max(q);
	return most && q->run > most;
}

unsigned quality_feed(struct quality_seen *q, const struct quality_facts *facts, int64_t time, double value)
{
	unsigned ret = 0;
	if (isnan(value))
		return 0;
	if (value < facts->low || value > facts->high) // false for NaN
		ret |= QUALITY_RANGE;
	double seconds = q->sound_known ? (double)(time - q->sound_time) / 1e6 : 0;
	if (q->sound_known && seconds > 0 && fabs(value - q->sound) > facts->per_second * seconds)
		ret |= QUALITY_JUMP;
	if (frozen(q, value))
		ret |= QUALITY_FROZEN;
	q->last = value;
	q->time = time;
	q->known = true;
	if (!(ret & (QUALITY_RANGE | QUALITY_JUMP))) { // a spike back is no second jump
		q->sound = value;
		q->sound_time = time;
		q->sound_known = true;
	}
	return ret;
}

bool quality_pair_feed(struct quality_pair *q, double a, double b)
{
	if (isnan(a) || isnan(b))
		return q->moves >= QUALITY_COPIED_MOVES;
	if (a != b)
		q->moves = 0;
	else if (q->known && a != q->a && b != q->b && q->moves < UINT32_MAX)
		q->moves++;
	q->a = a;
	q->b = b;
	q->known = true;
	return q->moves >= QUALITY_COPIED_MOVES;
}
