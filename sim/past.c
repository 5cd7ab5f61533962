#include "sim/past.h"

#include <math.h>

#include "sim/link.h"

#define FILL_CYCLE 180.0        // minutes, of past.level02
#define FILL_BEGAN 50.0         // minutes before the start
#define FILL_RATE 0.35          // % a minute
#define FILL_LOW 50.0           // %
#define FILL_HIGH 86.0          // just beyond the high limit of 85
#define DRAIN_RATE 3.0
#define CREEP_AGO 510.0         // minutes
#define CREEP_TAKES 60.0
#define CREEP 4.2               // %LEL
#define FROZEN_AGO 20.0         // minutes

static const struct past {
	const char *tag;
	int64_t span, every;    // of the history
} pasts[] = {
	{ "past.level02", 100 * US_PER_MIN, US_PER_MIN },
	{ "past.gas07", US_PER_HOUR, 30 * US_PER_S },
	{ "past.gas", 24 * US_PER_HOUR, 10 * US_PER_MIN }, // all detectors, not only the third: they vote, and one alone says nothing
	{ "tep.", 135 * US_PER_MIN, 20 * US_PER_S },
};

static double filling(double minute) // since it began
{
	double m = fmod(minute + 10 * FILL_CYCLE, FILL_CYCLE), full = (FILL_HIGH - FILL_LOW) / FILL_RATE;
	if (m < full)
		return FILL_LOW + FILL_RATE * m;
	return fmax(FILL_LOW, FILL_HIGH - DRAIN_RATE * (m - full));
}

bool past_value(const struct sim_point *p, int64_t start, int64_t now, double *ret)
{
	double minute = (double)(now - start) / (double)US_PER_MIN;
	uint64_t state = p->seed ^ (uint64_t)now;
	if (strcmp(p->tag, "past.level02") == 0)
		*ret = filling(minute + FILL_BEGAN) + p->noise * sim_noise(&state);
	else if (strcmp(p->tag, "past.gas03") == 0)
		*ret = normal_value(p, now) + CREEP * fmin(fmax((minute + CREEP_AGO) / CREEP_TAKES, 0), 1);
	else if (strcmp(p->tag, "past.gas07") == 0)
		*ret = normal_value(p, minute > -FROZEN_AGO ? start - (int64_t)FROZEN_AGO * US_PER_MIN : now);
	else
		return false;
	*ret = fmin(fmax(*ret, p->lo), p->hi);
	return true;
}

// Of the histories that fit a point at one moment the first is its own.
static const struct past *past_of(const struct sim_point *p, int64_t ago)
{
	for (size_t i = 0; i < ARRAY_LEN(pasts); i++)
		if (ago <= pasts[i].span && strncmp(p->tag, pasts[i].tag, strlen(pasts[i].tag)) == 0)
			return &pasts[i];
	return NULL;
}

void past_send(const struct sim_device *d, int64_t start, struct held_value *values)
{
	int64_t begin = start - start % US_PER_S;
	for (size_t i = ARRAY_LEN(pasts); i-- > 0;) { // the long ones first: each point's own in the order of time
		const struct past *past = &pasts[i];
		for (int64_t t = begin - past->span; t < begin; t += past->every) {
			size_t n = 0;
			for (size_t k = 0; k < d->npoints; k++) {
				const struct sim_point *p = &d->points[k];
				if (past_of(p, begin - t) != past)
					continue;
				double v;
				values[n++] = (struct held_value){ (uint32_t)k, past_value(p, start, t, &v) ? v : normal_value(p, t) };
			}
			if (n)
				link_add(d->link, t, values, n);
		}
	}
}
