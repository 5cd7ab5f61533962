#include "detect/drift.h"

#include <math.h>

#define LEAST_PARTS 4 // the spread counts as at least so small a part of what matters

void drift_init(struct drift *d, int64_t every)
{
	*d = (struct drift){ .version = DRIFT_VERSION, .every = every };
	change_init(&d->c, DRIFT_LEARN);
}

static void begin(struct drift *d, const struct change_found *found, int64_t at, drift_fn *fn, void *arg)
{
	d->since = found->direction > 0 ? d->up_since : d->down_since;
	d->sound = 0;
	fn(arg, &(struct drift_event){ .begins = true, .at = at, .since = d->since, .usual = d->c.centre, .now = d->c.centre + found->size });
}

static void end(struct drift *d, double mean, int64_t at, drift_fn *fn, void *arg)
{
	struct drift_event e = { .at = at, .since = d->since, .usual = d->c.centre, .now = mean };
	d->since = 0;
	fn(arg, &e);
}

// The mean of a span that is over; it began at `from`.
static void judge(struct drift *d, const struct drift_facts *facts, double mean, int64_t from, drift_fn *fn, void *arg)
{
	struct change_found found;
	uint64_t number = d->c.n;
	bool up = d->c.up <= 0, down = d->c.down <= 0; // such a sum begins with this value
	change_feed(&d->c, mean, &found);
	if (d->c.n == DRIFT_LEARN)
		d->c.deviation = fmax(d->c.deviation, facts->least / LEAST_PARTS);
	if (up && d->c.up_since == number)
		d->up_since = from;
	if (down && d->c.down_since == number)
		d->down_since = from;
	if (number < DRIFT_LEARN)
		return;
	if (!d->since && found.direction && fabs(found.size) >= facts->least)
		begin(d, &found, from + facts->every, fn, arg);
	d->sound = fabs(mean - d->c.centre) < facts->least / 2 ? d->sound + 1 : 0;
	if (d->since && d->sound >= DRIFT_SOUND)
		end(d, mean, from + facts->every, fn, arg);
}

void drift_feed(struct drift *d, const struct drift_facts *facts, int64_t time, double value, drift_fn *fn, void *arg)
{
	int64_t span = time / facts->every;
	if (!isfinite(value) || span < d->span)
		return;
	if (span > d->span && d->count) {
		judge(d, facts, d->sum / d->count, d->span * facts->every, fn, arg);
		d->count = 0;
		d->sum = 0;
	}
	d->span = span;
	d->sum += value;
	d->count++;
}
