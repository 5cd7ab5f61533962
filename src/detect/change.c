#include "detect/change.h"

#include <math.h>

#include "detect/order.h"

#define SLACK 0.5       // half the change that matters, in deviations
#define LIMIT 10.0
#define ERRORS 2.0      // standard errors of the learned centre that are no change
#define MEDIAN_ERROR 1.2533 // of a median, over that of a mean, of normal values
#define CLIP 4.0
#define MEMORY_MAX 0.9  // correlation beyond which a level is not learned in so few values
#define NORMAL 1.4826   // median deviation of a normal distribution to its standard deviation

void change_init(struct change *c, size_t learn)
{
	assert(learn >= CHANGE_LEARN_MIN && learn <= CHANGE_LEARN_MAX);
	*c = (struct change){ .learn = learn };
}

static double memory(const double *x, size_t n, double mean)
{
	double both = 0, square = 0;
	for (size_t i = 0; i < n; i++) {
		square += (x[i] - mean) * (x[i] - mean);
		both += i ? (x[i] - mean) * (x[i - 1] - mean) : 0;
	}
	return square > 0 ? fmin(fmax(both / square, 0), MEMORY_MAX) : 0;
}

static void learn(struct change *c)
{
	double sum = 0, square = 0;
	for (size_t i = 0; i < c->learn; i++)
		sum += c->values[i];
	double mean = sum / (double)c->learn, r = memory(c->values, c->learn, mean);
	for (size_t i = 0; i < c->learn; i++)
		square += (c->values[i] - mean) * (c->values[i] - mean);
	c->centre = order_median(c->values, c->learn);
	for (size_t i = 0; i < c->learn; i++)
		c->values[i] = fabs(c->values[i] - c->centre);
	c->deviation = NORMAL * order_median(c->values, c->learn);
	if (!(c->deviation > 0)) // more than half the values are equal
		c->deviation = sqrt(square / (double)c->learn);
	c->limit = LIMIT * (1 + r) / (1 - r);
	c->slack = SLACK + ERRORS * MEDIAN_ERROR * sqrt((1 + r) / (1 - r) / (double)c->learn);
}

static void sum_feed(double *sum, double *total, uint64_t *since, double z, double slack, uint64_t at)
{
	if (*sum <= 0) {
		*total = 0;
		*since = at;
	}
	*total += z;
	*sum = fmax(0, *sum + z - slack);
}

void change_feed(struct change *c, double value, struct change_found *ret)
{
	*ret = (struct change_found){ 0 };
	if (!isfinite(value))
		return;
	uint64_t at = c->n++;
	if (at < c->learn) {
		c->values[at] = value;
		if (c->n == c->learn)
			learn(c);
		return;
	}
	if (!(c->deviation > 0)) // never moved while learning: that it moves now is for others to judge
		return;
	double z = fmin(fmax((value - c->centre) / c->deviation, -CLIP), CLIP);
	sum_feed(&c->up, &c->up_total, &c->up_since, z, c->slack, at);
	sum_feed(&c->down, &c->down_total, &c->down_since, -z, c->slack, at);
	bool up = c->up > c->limit, down = c->down > c->limit;
	if (!up && !down)
		return;
	uint64_t since = up ? c->up_since : c->down_since;
	ret->direction = up ? 1 : -1;
	ret->since = since;
	ret->size = (up ? c->up_total : -c->down_total) / (double)(at - since + 1) * c->deviation;
	c->up = c->down = 0;
}
