#include "detect/stream.h"

#include <math.h>

#include "base/arena.h"

#define WINDOWS 3
#define WINDOW_MAX 256     // values
#define MEANS 8            // of a shape
#define SHAPES_MAX 800
#define RADIUS 0.2         // of a shape, in deviations of the last RECENT values
#define RECENT 2000
#define RADIUS_EVERY 50    // values between two looks at that deviation
#define FADE 0.99984597809 // of a record with each value: by half in 4,500
#define FILLED 2           // windows before distances are counted
#define USUAL_MIN 50       // distances before their spread is known
#define SPREADS 3.5        // deviations above the mean that are still usual
#define FIRST_RECORDS 20   // values before a record of the range is counted
#define HAIR 0.02          // of the range: a record by less is none
#define HUGE_MAX 1e100     // its square can still be added up
#define QUIET 100          // values after an event in which only a
#define WORSE 1.5          // times worse one is said

static const size_t WINDOW[WINDOWS] = { 16, 64, WINDOW_MAX }; // in the order of enum stream_reason

struct shape {
	double mean[MEANS];
};

struct memory {
	size_t window;              // values
	size_t n;
	struct shape shape[SHAPES_MAX];
	uint64_t met[SHAPES_MAX];   // when last
	struct shape waiting[WINDOW_MAX / 2]; // ring of the shapes that are too new to be compared with
	double furthest;            // distance, faded
	uint64_t distances;         // that were not 0
	double usual, spread;       // their mean and variance, the newest RECENT or so
};

struct stream {
	struct arena *arena;
	size_t learn;
	uint64_t n;                // values so far
	double recent[RECENT];     // ring
	double radius;
	double high, low, last;
	double said;               // index of the last event, over the limit
	uint64_t quiet_until;
	struct memory memory[WINDOWS];
};

struct stream *stream_new(size_t learn)
{
	assert(learn >= STREAM_LEARN_MIN);
	struct arena *a = arena_new(sizeof(struct stream) + 64);
	struct stream *s = arena_one(a, struct stream);
	s->arena = a;
	s->learn = learn;
	s->last = NAN;
	for (size_t i = 0; i < WINDOWS; i++)
		s->memory[i].window = WINDOW[i];
	return s;
}

void stream_free(struct stream *s)
{
	if (s) {
		struct arena *a = s->arena;
		arena_free(a);
	}
}

size_t stream_bytes(const struct stream *s)
{
	return arena_used(s->arena);
}

// The newest window as means, the newest first. n values were seen, the last at n - 1.
static struct shape shape_now(const struct stream *s, size_t window)
{
	struct shape ret;
	size_t each = window / MEANS;
	uint64_t at = s->n;
	for (size_t k = 0; k < MEANS; k++) {
		double sum = 0;
		for (size_t i = 0; i < each; i++)
			sum += s->recent[--at % RECENT];
		ret.mean[k] = sum / (double)each;
	}
	return ret;
}

// Mean square distance to the nearest shape; *ret_which only if there is one.
static double nearest(const struct memory *m, const struct shape *f, size_t *ret_which)
{
	double best = INFINITY;
	for (size_t i = 0; i < m->n; i++) {
		double sum = 0;
		for (size_t k = 0; k < MEANS; k++) {
			double d = m->shape[i].mean[k] - f->mean[k];
			sum += d * d;
		}
		if (sum < best) {
			best = sum;
			*ret_which = i;
		}
	}
	return sqrt(best / MEANS);
}

static void remember(struct memory *m, const struct shape *f, double radius, uint64_t now)
{
	size_t at = 0;
	double d = nearest(m, f, &at);
	if (m->n && !(d > radius)) {
		m->met[at] = now;
		return;
	}
	if (m->n < SHAPES_MAX) {
		at = m->n++;
	} else {
		at = 0;
		for (size_t i = 1; i < m->n; i++)
			if (m->met[i] < m->met[at])
				at = i;
	}
	m->shape[at] = *f;
	m->met[at] = now;
}

// What a distance must exceed, besides the radius within which a shape is a known one.
static double usual_most(const struct memory *m)
{
	return fmax(m->furthest, m->usual + SPREADS * sqrt(m->spread));
}

static void distance_add(struct memory *m, double d)
{
	m->furthest = fmax(m->furthest * FADE, d);
	if (!(d > 0))
		return;
	double weight = fmax(1 / (double)++m->distances, 1.0 / RECENT), off = d - m->usual;
	m->usual += weight * off;
	m->spread = (1 - weight) * (m->spread + weight * off * off);
}

// Index of the newest window's shape.
static double judge_shape(struct stream *s, struct memory *m)
{
	if (s->n <= m->window)
		return 0;
	struct shape f = shape_now(s, m->window);
	size_t which = 0, wait = m->window / 2;
	double d = m->n ? nearest(m, &f, &which) : 0;
	double index = 0;
	if (s->n > MAX(s->learn, FILLED * m->window)) { // before, a shape is far from all others because there are few
		index = m->distances > USUAL_MIN ? d / fmax(usual_most(m), s->radius) : 0;
		distance_add(m, d);
	}
	struct shape *slot = &m->waiting[s->n % wait];
	if (s->n > m->window + wait)
		remember(m, slot, s->radius, s->n);
	*slot = f;
	return index;
}

static double judge_range(struct stream *s, double v, enum stream_reason *ret)
{
	if (s->n == 1) {
		s->high = s->low = v;
		return 0;
	}
	double range = fmax(s->high - s->low, 1e-9 * (1 + fabs(v)));
	double beyond = fmax(v - s->high, s->low - v);
	*ret = v > s->high ? STREAM_ABOVE : STREAM_BELOW;
	s->high = fmax(s->high, v);
	s->low = fmin(s->low, v);
	return beyond > HAIR * range && s->n > FIRST_RECORDS ? 1 + beyond / range : 0;
}

static void refresh_radius(struct stream *s)
{
	size_t n = (size_t)MIN(s->n, (uint64_t)RECENT);
	double sum = 0, square = 0;
	for (size_t i = 0; i < n; i++)
		sum += s->recent[i];
	for (size_t i = 0; i < n; i++) {
		double d = s->recent[i] - sum / (double)n;
		square += d * d;
	}
	s->radius = RADIUS * sqrt(square / (double)n);
}

static void take_larger(struct stream_score *ret, double index, enum stream_reason reason)
{
	if (index > ret->index) {
		ret->index = index;
		ret->reason = reason;
	}
}

void stream_feed(struct stream *s, double value, struct stream_score *ret)
{
	*ret = (struct stream_score){ 0 };
	if (!isfinite(value))
		value = s->last;
	if (isnan(value))
		return;
	value = fmax(fmin(value, HUGE_MAX), -HUGE_MAX);
	s->last = value;
	s->recent[s->n++ % RECENT] = value;
	if (s->n % RADIUS_EVERY == 0)
		refresh_radius(s);
	enum stream_reason beyond = STREAM_NOTHING;
	double index = judge_range(s, value, &beyond);
	take_larger(ret, index, beyond);
	for (size_t i = 0; i < WINDOWS; i++)
		take_larger(ret, judge_shape(s, &s->memory[i]), STREAM_SHAPE_16 + (enum stream_reason)i);
	if (index > STREAM_LIMIT) // the plainer reason
		ret->reason = beyond;
	if (s->n <= s->learn) {
		*ret = (struct stream_score){ 0 };
		return;
	}
	bool quiet = s->n < s->quiet_until;
	ret->flag = ret->index > STREAM_LIMIT * (quiet ? WORSE * s->said : 1);
	if (ret->flag) {
		s->said = ret->index / STREAM_LIMIT;
		s->quiet_until = s->n + QUIET + 1;
		ret->score = 1 - 0.5 * STREAM_LIMIT / ret->index;
	} else {
		ret->score = (quiet ? 0.25 : 0.45) * fmin(ret->index / STREAM_LIMIT, 1);
	}
}
