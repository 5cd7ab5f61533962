#include "detect/trend.h"

#include <math.h>

#include "detect/order.h"

#define NORMAL_P90 1.2815515655446004 // quantile of the standard normal distribution
#define NORMAL 1.4826                 // median deviation of a normal distribution to its standard deviation
#define MEMORY_MAX 0.95

void trend_init(struct trend *t)
{
	*t = (struct trend){ 0 };
}

void trend_feed(struct trend *t, int64_t time, double value)
{
	if (!isfinite(value))
		return;
	if (!t->n)
		t->first = time;
	double minute = (double)(time - t->first) / 60e6;
	size_t last = (t->next + TREND_VALUES_MAX - 1) % TREND_VALUES_MAX;
	if (t->n && !(minute > t->minute[last]))
		return;
	t->minute[t->next] = minute;
	t->value[t->next] = value;
	t->next = (t->next + 1) % TREND_VALUES_MAX;
	t->n = MIN(t->n + 1, (size_t)TREND_VALUES_MAX);
}

static size_t slopes(const double *minute, const double *value, size_t n, double *ret)
{
	size_t pairs = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			ret[pairs++] = (value[i] - value[j]) / (minute[i] - minute[j]);
	order_sort(ret, pairs);
	return pairs;
}

// How much wider the interval is because neighbours resemble each other: (1 + r) / (1 - r) of an AR(1).
static double widening(const double *rest, size_t n)
{
	double both = 0, square = 0;
	for (size_t i = 0; i < n; i++) {
		square += rest[i] * rest[i];
		both += i ? rest[i] * rest[i - 1] : 0;
	}
	double r = square > 0 ? fmin(fmax(both / square, 0), MEMORY_MAX) : 0;
	return (1 + r) / (1 - r);
}

static double minutes_until(double distance, double slope)
{
	return distance <= 0 ? 0 : slope > 0 ? distance / slope : INFINITY;
}

bool trend_to_limit(const struct trend *t, double limit, bool above, double scratch[TREND_PAIRS_MAX], struct trend_forecast *ret)
{
	double minute[TREND_VALUES_MAX], value[TREND_VALUES_MAX], rest[TREND_VALUES_MAX], sorted[TREND_VALUES_MAX];
	size_t n = t->n;
	*ret = (struct trend_forecast){ 0 };
	if (n < TREND_VALUES_MIN)
		return false;
	double side = above ? 1 : -1; // from here on the limit is above
	size_t oldest = (t->next + TREND_VALUES_MAX - n) % TREND_VALUES_MAX, newest = (t->next + TREND_VALUES_MAX - 1) % TREND_VALUES_MAX;
	for (size_t i = 0; i < n; i++) {
		size_t at = (oldest + i) % TREND_VALUES_MAX;
		minute[i] = t->minute[at] - t->minute[newest]; // 0 is now
		value[i] = side * t->value[at];
	}
	size_t pairs = slopes(minute, value, n, scratch);
	double slope = (scratch[(pairs - 1) / 2] + scratch[pairs / 2]) / 2;
	for (size_t i = 0; i < n; i++)
		rest[i] = sorted[i] = value[i] - slope * minute[i];
	double now = order_median(sorted, n);
	for (size_t i = 0; i < n; i++) {
		rest[i] -= now;
		sorted[i] = fabs(rest[i]);
	}
	double spread = NORMAL * order_median(sorted, n), wide = widening(rest, n), dn = (double)n;
	double c = NORMAL_P90 * sqrt(wide * dn * (dn - 1) * (2 * dn + 5) / 18);
	size_t out = (size_t)fmin(fmax(((double)pairs - c) / 2, 0), (double)((pairs - 1) / 2));
	double slow = scratch[out], fast = scratch[pairs - 1 - out];
	double sure = NORMAL_P90 * spread * sqrt(wide / dn); // of the line at the middle of the values
	double distance = side * limit - now;
	double p50 = minutes_until(distance, slope), middle = -minute[0] / 2;
	// the ends turn about the middle of the values, where the line is best known
	double at_middle = side * limit - (now - slope * middle);
	ret->reached = distance <= 0;
	ret->per_minute = side * slope;
	ret->moving = slow > 0;
	ret->p50 = p50;
	ret->p10 = fmin(p50, fmax(0, minutes_until(at_middle - sure, fast) - middle));
	ret->p90 = fmax(p50, fmax(0, minutes_until(at_middle + sure, slow) - middle));
	return true;
}
