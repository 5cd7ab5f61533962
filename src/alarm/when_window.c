// Windows over the values of one point, in buckets of a thirtieth. A pure function of the point's samples in their order;
// nothing is changed by asking. T_SERIES, or who back-tests.
//
// Words: [0] the first sample from which on it was observed without a gap as long as the window, [1] number of the newest
// bucket, [2] of its own (TIMES: 1 = the test held; DURATION: since when it holds, 0 = it does not), [3] and [4] what the buckets but
// the newest come to (RATE: time and value of the first sample), so that who asks reads one line of memory, then the buckets:
//   MEAN        covered us, value × covered         HELD        us with the test true
//   MAX, MIN    that                                COUNT TIMES how many
//   RATE        time and value of the first sample  SLOPE       n, Σt, Σt², Σv, Σtv (t in s from the bucket's start)
// A value stands from its sample to the next, but no longer than the channel's hold.
#include <math.h>

#include "alarm/when.h"
#include "base/limits.h"

enum { FROM, NEWEST, OWN, CLOSED, HEAD = CLOSED + 2 };

static const uint8_t per_bucket[SLOT__MAX] = { [SLOT_HELD] = 1, [SLOT_MEAN] = 2, [SLOT_MAX] = 1, [SLOT_MIN] = 1,
	                                          [SLOT_COUNT] = 1, [SLOT_TIMES] = 1, [SLOT_RATE] = 2, [SLOT_SLOPE] = 5 };
static const struct bounds unknown = { -INFINITY, INFINITY };

static struct bounds exactly(double v) { return (struct bounds){ v, v }; }
static double get(const int64_t *w)
{
	double v;
	memcpy(&v, w, sizeof v);
	return v;
}
static void set(int64_t *w, double v) { memcpy(w, &v, sizeof v); }
static void add(int64_t *w, double v) { set(w, get(w) + v); }

static int64_t step_of(const struct when_slot *s) { return MAX(s->window / WHEN_BUCKETS, 1); }

size_t when_state(const struct when_slot *s)
{
	return s->what < SLOT_DURATION ? 0 : HEAD + (size_t)per_bucket[s->what] * WHEN_BUCKETS;
}

static double empty_of(const struct when_slot *s)
{
	return s->what == SLOT_MAX ? -INFINITY : s->what == SLOT_MIN ? INFINITY : 0;
}

static void clear_bucket(const struct when_slot *s, int64_t *bucket)
{
	for (size_t i = 0; i < per_bucket[s->what]; i++)
		set(&bucket[i], empty_of(s));
	if (s->what == SLOT_RATE)
		bucket[0] = 0; // a time
}

static int64_t *bucket_at(const struct when_slot *s, int64_t *w, int64_t number)
{
	return w + HEAD + (number % WHEN_BUCKETS) * per_bucket[s->what];
}

void window_reset(const struct when_slot *s, int64_t *w)
{
	w[FROM] = w[NEWEST] = w[OWN] = w[CLOSED] = w[CLOSED + 1] = 0;
	for (int64_t i = 0; i < WHEN_BUCKETS && per_bucket[s->what]; i++)
		clear_bucket(s, bucket_at(s, w, i));
}

static bool passes(const struct feature *f, double v)
{
	switch ((int)f->slot->op) {
	case EXPR_EQ: return v == f->than;
	case EXPR_NE: return v != f->than;
	case EXPR_LT: return v < f->than;
	case EXPR_LE: return v <= f->than;
	case EXPR_GT: return v > f->than;
	default: return v >= f->than;
	}
}

static double joined(const struct when_slot *s, double a, double b)
{
	return s->what == SLOT_MAX ? fmax(a, b) : s->what == SLOT_MIN ? fmin(a, b) : a + b;
}

// Of the buckets from first to last: one of the sums, or the extreme.
static double summed(const struct when_slot *s, const int64_t *w, int64_t first, int64_t last, size_t which)
{
	double sum = empty_of(s);
	for (; first <= last; first++)
		sum = joined(s, sum, get(&w[HEAD + (first % WHEN_BUCKETS) * per_bucket[s->what] + (int64_t)which]));
	return sum;
}

// The oldest sample of the buckets from first to last; NULL if they have none.
static const int64_t *oldest(const int64_t *w, int64_t first, int64_t last)
{
	for (; first <= last; first++)
		if (w[HEAD + (first % WHEN_BUCKETS) * 2])
			return &w[HEAD + (first % WHEN_BUCKETS) * 2];
	return NULL;
}

static void close_before(const struct when_slot *s, int64_t *w, int64_t number)
{
	int64_t first = MAX(number - WHEN_BUCKETS + 1, 0);
	if (s->what == SLOT_RATE) {
		const int64_t *b = oldest(w, first, number - 1);
		w[CLOSED] = b ? b[0] : 0;
		w[CLOSED + 1] = b ? b[1] : 0;
	} else if (s->what != SLOT_SLOPE) {
		set(&w[CLOSED], summed(s, w, first, number - 1, 0));
		if (s->what == SLOT_MEAN)
			set(&w[CLOSED + 1], summed(s, w, first, number - 1, 1));
	}
}

// Makes the bucket of that number the newest; those between are empty.
static void turn(const struct when_slot *s, int64_t *w, int64_t number)
{
	int64_t from = MAX(w[NEWEST] + 1, number - WHEN_BUCKETS + 1);
	if (number <= w[NEWEST])
		return;
	for (int64_t i = from; i <= number; i++)
		clear_bucket(s, bucket_at(s, w, i));
	w[NEWEST] = number;
	close_before(s, w, number);
}

// ---- a value that stood for some time ----------------------------------------------------------
static void stand(const struct feature *f, int64_t *bucket, double v, int64_t us)
{
	switch ((int)f->slot->what) {
	case SLOT_MEAN:
		add(&bucket[0], (double)us);
		add(&bucket[1], v * (double)us);
		break;
	case SLOT_HELD: add(bucket, passes(f, v) ? (double)us : 0); break;
	case SLOT_MAX: set(bucket, fmax(get(bucket), v)); break;
	case SLOT_MIN: set(bucket, fmin(get(bucket), v)); break;
	default: break;
	}
}

static void stood(const struct feature *f, int64_t *w, double v, int64_t from, int64_t to)
{
	int64_t step = step_of(f->slot), last = to / step;
	for (int64_t number = MAX(from / step, MAX(last, w[NEWEST]) - WHEN_BUCKETS + 1); number <= last; number++) {
		int64_t begin = MAX(from, number * step), end = MIN(to, (number + 1) * step);
		if (end <= begin)
			continue; // up to the border: the next value's
		turn(f->slot, w, number);
		stand(f, bucket_at(f->slot, w, number), v, end - begin);
	}
}

// ---- a sample ----------------------------------------------------------------------------------
static void note_slope(int64_t *bucket, double seconds, double v)
{
	const double terms[] = { 1, seconds, seconds * seconds, v, seconds * v };
	for (size_t i = 0; i < ARRAY_LEN(terms); i++)
		add(&bucket[i], terms[i]);
}

static void note(const struct feature *f, int64_t *w, const struct reading *r)
{
	const struct when_slot *s = f->slot;
	int64_t step = step_of(s), number = r->time / step, *bucket = bucket_at(s, w, number);
	bool holds = passes(f, r->value);
	turn(s, w, number);
	switch ((int)s->what) {
	case SLOT_MAX:
	case SLOT_MIN: stand(f, bucket, r->value, 0); break;
	case SLOT_COUNT: add(bucket, holds); break;
	case SLOT_TIMES:
		add(bucket, holds && !w[OWN]);
		w[OWN] = holds;
		break;
	case SLOT_RATE:
		if (bucket[0] == 0) {
			bucket[0] = r->time;
			set(&bucket[1], r->value);
		}
		break;
	case SLOT_SLOPE: note_slope(bucket, (double)(r->time - number * step) / US_PER_S, r->value); break;
	default: break;
	}
}

void window_sample(const struct feature *f, int64_t *w, const struct channel *before, const struct reading *r, bool usable)
{
	const struct when_slot *s = f->slot;
	bool gap = !before->usable || r->time - before->time > before->hold;
	if (s->what == SLOT_DURATION) {
		bool holds = usable && passes(f, r->value);
		w[OWN] = !holds ? 0 : w[OWN] && !gap ? w[OWN] : r->time;
		return;
	}
	if (s->what <= SLOT_MIN && before->usable)
		stood(f, w, before->value, before->time, MIN(r->time, before->time + before->hold));
	if (usable && (w[FROM] == 0 || r->time - before->time > s->window))
		w[FROM] = r->time;
	if (usable)
		note(f, w, r);
}

// ---- asking ------------------------------------------------------------------------------------
static bool half(const struct when_slot *s, const int64_t *w, int64_t at) { return w[FROM] && at - w[FROM] >= s->window / 2; }

// The numbers of the buckets that are inside the window.
static void inside(const struct when_slot *s, const int64_t *w, int64_t at, int64_t *ret_first, int64_t *ret_last)
{
	int64_t now = at / step_of(s);
	*ret_first = MAX(MAX(now, w[NEWEST]) - WHEN_BUCKETS + 1, 0);
	*ret_last = MIN(now, w[NEWEST]);
}

// Of the window at that time: one of the sums, or the extreme.
static double total(const struct when_slot *s, const int64_t *w, int64_t at, size_t which)
{
	int64_t first, last, newest = w[NEWEST];
	if (at / step_of(s) == newest)
		return joined(s, get(&w[CLOSED + which]), get(&w[HEAD + (newest % WHEN_BUCKETS) * per_bucket[s->what] + (int64_t)which]));
	inside(s, w, at, &first, &last);
	return summed(s, w, first, last, which);
}

// How long the newest value has stood inside the window, us; it is in no bucket yet.
static double open_us(const struct when_slot *s, const struct channel *c, int64_t at)
{
	int64_t step = step_of(s), begin = (at / step - WHEN_BUCKETS + 1) * step;
	return c->usable ? (double)MAX(MIN(at, c->time + c->hold) - MAX(c->time, begin), 0) : 0;
}

static bool stands(const struct channel *c, int64_t at) { return c->usable && at - c->time <= c->hold; }

static struct bounds mean_value(const struct when_slot *s, const int64_t *w, const struct channel *c, int64_t at)
{
	double open = open_us(s, c, at), covered = total(s, w, at, 0) + open;
	if (covered < (double)s->window / 2)
		return unknown;
	return exactly((total(s, w, at, 1) + (open > 0 ? c->value * open : 0)) / covered);
}

static struct bounds extreme_value(const struct when_slot *s, const int64_t *w, const struct channel *c, int64_t at)
{
	bool max = s->what == SLOT_MAX, open = open_us(s, c, at) > 0 || stands(c, at);
	double v = total(s, w, at, 0);
	if (open)
		v = max ? fmax(v, c->value) : fmin(v, c->value);
	if (!isfinite(v))
		return unknown;
	if (half(s, w, at))
		return exactly(v);
	return max ? (struct bounds){ v, INFINITY } : (struct bounds){ -INFINITY, v };
}

static struct bounds rate_value(const struct when_slot *s, const int64_t *w, const struct channel *c, int64_t at)
{
	int64_t first, last, newest = w[NEWEST];
	const int64_t *b = &w[CLOSED];
	if (!stands(c, at))
		return unknown;
	if (at / step_of(s) != newest || !b[0]) {
		inside(s, w, at, &first, &last);
		b = oldest(w, first, last);
	}
	if (!b || c->time - b[0] < s->window / 2)
		return unknown;
	return exactly((c->value - get(&b[1])) / ((double)(c->time - b[0]) / US_PER_MIN));
}

// Least squares: the time of each bucket's samples is moved to the newest bucket's start.
static struct bounds slope_value(const struct when_slot *s, const int64_t *w, const struct channel *c, int64_t at)
{
	int64_t number, last, step = step_of(s);
	double n = 0, t = 0, tt = 0, v = 0, tv = 0;
	if (!stands(c, at) || !half(s, w, at))
		return unknown;
	inside(s, w, at, &number, &last);
	for (; number <= last; number++) {
		const int64_t *b = &w[HEAD + (number % WHEN_BUCKETS) * 5];
		double bn = get(&b[0]), bt = get(&b[1]), bv = get(&b[3]), by = (double)((number - last) * step) / US_PER_S;
		n += bn;
		t += bt + bn * by;
		tt += get(&b[2]) + 2 * by * bt + bn * by * by;
		v += bv;
		tv += get(&b[4]) + by * bv;
	}
	double d = n * tt - t * t;
	return n < 3 || !(d > 0) ? unknown : exactly((n * tv - t * v) / d * 60);
}

struct bounds window_value(const struct feature *f, const int64_t *w, const struct channel *c, int64_t at)
{
	const struct when_slot *s = f->slot;
	double open;
	if (isnan(f->than)) // compared with a limit that this point does not have
		return unknown;
	switch ((int)s->what) {
	case SLOT_DURATION:
		return stands(c, at) ? exactly(w[OWN] ? (double)(at - w[OWN]) : 0) : (struct bounds){ 0, INFINITY };
	case SLOT_MEAN: return mean_value(s, w, c, at);
	case SLOT_MAX:
	case SLOT_MIN: return extreme_value(s, w, c, at);
	case SLOT_RATE: return rate_value(s, w, c, at);
	case SLOT_SLOPE: return slope_value(s, w, c, at);
	case SLOT_HELD:
		open = open_us(s, c, at);
		open = total(s, w, at, 0) + (open > 0 && passes(f, c->value) ? open : 0);
		return half(s, w, at) ? exactly(open) : (struct bounds){ open, (double)s->window };
	default:
		open = total(s, w, at, 0);
		return half(s, w, at) ? exactly(open) : (struct bounds){ open, INFINITY };
	}
}

// A window moves by one bucket while there is something in it; a duration grows, and comes to what it is compared with.
int64_t window_next(const struct feature *f, const int64_t *w, const struct channel *c, int64_t at)
{
	const struct when_slot *s = f->slot;
	int64_t next = INT64_MAX, step = step_of(s), now = at / step;
	if (s->what == SLOT_DURATION) {
		for (size_t i = 0; i < WHEN_DUES && s->due[i] && w[OWN] && stands(c, at); i++)
			if (w[OWN] + s->due[i] > at)
				next = MIN(next, w[OWN] + s->due[i]);
		return next;
	}
	bool moves = w[NEWEST] > now - WHEN_BUCKETS;
	if (!moves && c->usable && !stands(c, at)) // it stood for the whole window, and now goes out of it
		moves = c->time + c->hold > (now - WHEN_BUCKETS) * step;
	return w[FROM] && moves ? (now + 1) * step : next;
}
