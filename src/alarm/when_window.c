// Windows over the values of one point, in buckets of a thirtieth. A pure function of the point's samples in their order;
// nothing is changed by asking. T_SERIES, or who back-tests.
//
// In buckets of the ring, and as `current` (and `current2`) of the feature as long as it is the newest; `closed` is what the others
// come to, so that who asks reads one line of memory:
//   MEAN        covered us, value × covered         HELD        us with the test true
//   MAX, MIN    that                                COUNT TIMES how many
//   RATE        time and value of the first sample  SLOPE       n, Σt, Σt², Σv, Σtv (t in s from the bucket's start), in the ring only
// A value stands from its sample to the next, but no longer than the channel's hold.
#include <math.h>

#include "alarm/when.h"
#include "base/limits.h"

enum { FROM, NEWEST, OWN, CLOSED, HEAD = CLOSED + 2 }; // words as they are saved; then the ring

static const uint8_t per_bucket[SLOT__MAX] = { [SLOT_HELD] = 1, [SLOT_MEAN] = 2, [SLOT_MAX] = 1, [SLOT_MIN] = 1,
	                                          [SLOT_COUNT] = 1, [SLOT_TIMES] = 1, [SLOT_RATE] = 2, [SLOT_SLOPE] = 5 };
static const struct bounds unknown = { -INFINITY, INFINITY };

static struct bounds exactly(double v) { return (struct bounds){ v, v }; }
static double get(int64_t w)
{
	double v;
	memcpy(&v, &w, sizeof v);
	return v;
}
static int64_t word(double v)
{
	int64_t w;
	memcpy(&w, &v, sizeof w);
	return w;
}
static void add(int64_t *w, double v) { *w = word(get(*w) + v); }

static int64_t step_of(const struct when_slot *s) { return MAX(s->window / WHEN_BUCKETS, 1); }
static bool has_second(const struct when_slot *s) { return s->what == SLOT_MEAN || s->what == SLOT_RATE; }

// The bucket's number: most questions are about the newest, and a division is slow.
static inline int64_t number_of(const struct feature *f, int64_t step, int64_t at)
{
	return (uint64_t)(at - f->newest * step) < (uint64_t)step ? f->newest : at / step;
}

size_t window_ring(const struct when_slot *s) { return (size_t)per_bucket[s->what] * WHEN_BUCKETS; }
size_t when_state(const struct when_slot *s) { return s->what < SLOT_DURATION ? 0 : HEAD + window_ring(s); }

static int64_t empty_of(const struct when_slot *s)
{
	return s->what == SLOT_MAX ? word(-INFINITY) : s->what == SLOT_MIN ? word(INFINITY) : 0; // 0 is 0.0, and no time
}

static int64_t *ring_at(const struct when_slot *s, int64_t *ring, int64_t number)
{
	return ring + (number % WHEN_BUCKETS) * per_bucket[s->what];
}

static void clear_bucket(const struct when_slot *s, int64_t *bucket)
{
	for (size_t i = 0; i < per_bucket[s->what]; i++)
		bucket[i] = empty_of(s);
}

static void clear_current(struct feature *f)
{
	f->current = empty_of(f->slot);
	if (has_second(f->slot))
		f->current2 = 0;
}

void window_reset(struct feature *f, int64_t *ring)
{
	f->from = f->newest = f->closed = 0;
	if (has_second(f->slot))
		f->closed2 = 0;
	else
		f->own = 0;
	clear_current(f);
	for (int64_t i = 0; i < WHEN_BUCKETS && per_bucket[f->slot->what]; i++)
		clear_bucket(f->slot, ring_at(f->slot, ring, i));
}

// The newest bucket to its place in the ring.
static void file_current(const struct feature *f, int64_t *ring)
{
	int64_t *bucket = ring_at(f->slot, ring, f->newest);
	if (f->slot->what == SLOT_SLOPE || f->slot->what == SLOT_DURATION)
		return;
	bucket[0] = f->current;
	if (has_second(f->slot))
		bucket[1] = f->current2;
}

void window_save(const struct feature *f, const int64_t *ring, int64_t *words)
{
	bool second = has_second(f->slot);
	words[FROM] = f->from;
	words[NEWEST] = f->newest;
	words[OWN] = second ? 0 : f->own;
	words[CLOSED] = f->closed;
	words[CLOSED + 1] = second ? f->closed2 : 0;
	memcpy(&words[HEAD], ring, window_ring(f->slot) * sizeof *ring);
	file_current(f, &words[HEAD]);
}

void window_restore(struct feature *f, int64_t *ring, const int64_t *words)
{
	bool second = has_second(f->slot);
	const int64_t *bucket = ring_at(f->slot, ring, words[NEWEST]);
	memcpy(ring, &words[HEAD], window_ring(f->slot) * sizeof *ring);
	f->from = words[FROM];
	f->newest = words[NEWEST];
	f->closed = words[CLOSED];
	if (second)
		f->closed2 = words[CLOSED + 1];
	else
		f->own = words[OWN];
	if (per_bucket[f->slot->what])
		f->current = bucket[0];
	if (second)
		f->current2 = bucket[1];
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
	return s->what == SLOT_MAX ? larger(a, b) : s->what == SLOT_MIN ? smaller(a, b) : a + b;
}

// One of the numbers of a bucket that is there, the first or the second.
static int64_t bucket_word(const struct feature *f, const int64_t *ring, int64_t number, size_t which)
{
	if (number == f->newest)
		return which ? f->current2 : f->current;
	return ring[(number % WHEN_BUCKETS) * per_bucket[f->slot->what] + (int64_t)which];
}

// Of the buckets from first to last: the sum, or the extreme.
static double summed(const struct feature *f, const int64_t *ring, int64_t first, int64_t last)
{
	double sum = get(empty_of(f->slot));
	for (; first <= last; first++)
		sum = joined(f->slot, sum, get(bucket_word(f, ring, first, 0)));
	return sum;
}

// MEAN: both sums of the buckets from first to last in one walk. Those before the newest, which is not in the ring, are asked for.
static struct sums { double us, value; } mean_sums(const struct feature *f, const int64_t *ring, int64_t first, int64_t last)
{
	struct sums sum = { 0, 0 };
	int64_t end = MIN(last + 1, f->newest), at = first % WHEN_BUCKETS;
	for (; first < end; first++) {
		sum.us += get(ring[2 * at]);
		sum.value += get(ring[2 * at + 1]);
		at = at == WHEN_BUCKETS - 1 ? 0 : at + 1;
	}
	if (first <= last) {
		sum.us += get(f->current);
		sum.value += get(f->current2);
	}
	return sum;
}

// The oldest sample of the buckets from first to last; time 0 if they have none.
static struct first { int64_t time, value; } oldest(const struct feature *f, const int64_t *ring, int64_t first, int64_t last)
{
	for (; first <= last; first++)
		if (bucket_word(f, ring, first, 0))
			return (struct first){ bucket_word(f, ring, first, 0), bucket_word(f, ring, first, 1) };
	return (struct first){ 0, 0 };
}

static void close_before(struct feature *f, const int64_t *ring, int64_t number)
{
	int64_t first = MAX(number - WHEN_BUCKETS + 1, 0);
	if (f->slot->what == SLOT_RATE) {
		struct first b = oldest(f, ring, first, number - 1);
		f->closed = b.time;
		f->closed2 = b.value;
	} else if (f->slot->what == SLOT_MEAN) {
		struct sums sum = mean_sums(f, ring, first, number - 1);
		f->closed = word(sum.us);
		f->closed2 = word(sum.value);
	} else if (f->slot->what != SLOT_SLOPE) {
		f->closed = word(summed(f, ring, first, number - 1));
	}
}

// Makes the bucket of that number the newest; those between are empty.
static __attribute__((noinline)) void turn_to(struct feature *f, int64_t *ring, int64_t number)
{
	int64_t from = MAX(f->newest + 1, number - WHEN_BUCKETS + 1);
	file_current(f, ring);
	for (int64_t i = from; i <= number; i++)
		clear_bucket(f->slot, ring_at(f->slot, ring, i));
	f->newest = number;
	clear_current(f);
	close_before(f, ring, number);
}

static inline void turn(struct feature *f, int64_t *ring, int64_t number)
{
	if (number > f->newest)
		turn_to(f, ring, number);
}

// ---- a value that stood for some time ----------------------------------------------------------
static void stand(struct feature *f, double v, int64_t us) // in the newest bucket
{
	switch ((int)f->slot->what) {
	case SLOT_MEAN:
		add(&f->current, (double)us);
		add(&f->current2, v * (double)us);
		break;
	case SLOT_HELD: add(&f->current, passes(f, v) ? (double)us : 0); break;
	case SLOT_MAX: f->current = word(larger(get(f->current), v)); break;
	case SLOT_MIN: f->current = word(smaller(get(f->current), v)); break;
	default: break;
	}
}

// from is not before the newest bucket: the sample that the value came with made it.
static void stood(struct feature *f, int64_t *ring, double v, int64_t from, int64_t to)
{
	int64_t step = step_of(f->slot), last = number_of(f, step, to);
	for (int64_t number = MAX(number_of(f, step, from), MAX(last, f->newest) - WHEN_BUCKETS + 1); number <= last; number++) {
		int64_t begin = MAX(from, number * step), end = MIN(to, (number + 1) * step);
		if (end <= begin)
			continue; // up to the border: the next value's
		turn(f, ring, number);
		stand(f, v, end - begin);
	}
}

// ---- a sample ----------------------------------------------------------------------------------
static void note_slope(int64_t *bucket, double seconds, double v)
{
	const double terms[] = { 1, seconds, seconds * seconds, v, seconds * v };
	for (size_t i = 0; i < ARRAY_LEN(terms); i++)
		add(&bucket[i], terms[i]);
}

static void note(struct feature *f, int64_t *ring, const struct reading *r)
{
	const struct when_slot *s = f->slot;
	int64_t step = step_of(s), number = number_of(f, step, r->time);
	turn(f, ring, number);
	switch ((int)s->what) {
	case SLOT_MAX:
	case SLOT_MIN: stand(f, r->value, 0); break;
	case SLOT_COUNT: add(&f->current, passes(f, r->value)); break;
	case SLOT_TIMES:
		add(&f->current, passes(f, r->value) && !f->own);
		f->own = passes(f, r->value);
		break;
	case SLOT_RATE:
		if (f->current == 0) {
			f->current = r->time;
			f->current2 = word(r->value);
		}
		break;
	case SLOT_SLOPE: note_slope(ring_at(s, ring, number), (double)(r->time - number * step) / US_PER_S, r->value); break;
	default: break;
	}
}

void window_sample(struct feature *f, int64_t *ring, const struct channel *before, const struct reading *r, bool usable)
{
	const struct when_slot *s = f->slot;
	bool gap = !before->usable || r->time - before->time > before->hold;
	if (s->what == SLOT_DURATION) {
		bool holds = usable && passes(f, r->value);
		f->own = !holds ? 0 : f->own && !gap ? f->own : r->time;
		return;
	}
	if (s->what <= SLOT_MIN && before->usable)
		stood(f, ring, before->value, before->time, MIN(r->time, before->time + before->hold));
	if (usable && (f->from == 0 || r->time - before->time > s->window))
		f->from = r->time;
	if (usable)
		note(f, ring, r);
}

void window_prefetch(const struct feature *f, const int64_t *ring, int64_t at)
{
	const struct when_slot *s = f->slot;
	int64_t step = step_of(s), now = number_of(f, step, at);
	if (now == f->newest || s->what == SLOT_DURATION)
		return;
	if (s->what == SLOT_RATE) { // the oldest, which is asked for, and the place of the newest, which becomes one of them
		prefetch(&ring[(now + 1) % WHEN_BUCKETS * 2]);
		prefetch(&ring[f->newest % WHEN_BUCKETS * 2]);
		return;
	}
	for (size_t i = 0; i < window_ring(s); i += 8)
		prefetch(&ring[i]);
}

// ---- asking ------------------------------------------------------------------------------------
static bool half(const struct feature *f, int64_t at) { return f->from && at - f->from >= f->slot->window / 2; }

// The numbers of the buckets that are inside the window.
static void inside(const struct feature *f, int64_t at, int64_t *ret_first, int64_t *ret_last)
{
	int64_t now = number_of(f, step_of(f->slot), at);
	*ret_first = MAX(MAX(now, f->newest) - WHEN_BUCKETS + 1, 0);
	*ret_last = MIN(now, f->newest);
}

// Of the window at that time: the sum, or the extreme.
static double total(const struct feature *f, const int64_t *ring, int64_t at)
{
	int64_t first, last;
	if (number_of(f, step_of(f->slot), at) == f->newest)
		return joined(f->slot, get(f->closed), get(f->current));
	inside(f, at, &first, &last);
	return summed(f, ring, first, last);
}

// How long the newest value has stood inside the window, us; it is in no bucket yet.
static double open_us(const struct feature *f, const struct channel *c, int64_t at)
{
	int64_t step = step_of(f->slot), begin = (number_of(f, step, at) - WHEN_BUCKETS + 1) * step;
	return c->usable ? (double)MAX(MIN(at, c->time + c->hold) - MAX(c->time, begin), 0) : 0;
}

static bool stands(const struct channel *c, int64_t at) { return c->usable && at - c->time <= c->hold; }

static struct bounds mean_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at)
{
	int64_t first, last;
	inside(f, at, &first, &last);
	struct sums sum = { get(f->closed) + get(f->current), get(f->closed2) + get(f->current2) };
	if (last != f->newest || first != MAX(last - WHEN_BUCKETS + 1, 0)) // it has moved on from the newest bucket
		sum = mean_sums(f, ring, first, last);
	double open = open_us(f, c, at), covered = sum.us + open;
	if (covered < (double)f->slot->window / 2)
		return unknown;
	return exactly((sum.value + (open > 0 ? c->value * open : 0)) / covered);
}

static struct bounds extreme_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at)
{
	bool max = f->slot->what == SLOT_MAX, open = open_us(f, c, at) > 0 || stands(c, at);
	double v = total(f, ring, at);
	if (open)
		v = max ? larger(v, c->value) : smaller(v, c->value);
	if (!isfinite(v))
		return unknown;
	if (half(f, at))
		return exactly(v);
	return max ? (struct bounds){ v, INFINITY } : (struct bounds){ -INFINITY, v };
}

static struct bounds rate_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at)
{
	int64_t first, last;
	struct first b = { f->closed, f->closed2 };
	if (!stands(c, at))
		return unknown;
	inside(f, at, &first, &last);
	if (last == f->newest && first <= last && !b.time)
		b = (struct first){ f->current, f->current2 };
	else if (last != f->newest || b.time < first * step_of(f->slot)) // it is no more, or not yet, of the window
		b = oldest(f, ring, first, last);
	if (!b.time || c->time - b.time < f->slot->window / 2)
		return unknown;
	return exactly((c->value - get(b.value)) / ((double)(c->time - b.time) / US_PER_MIN));
}

// Least squares: the time of each bucket's samples is moved to the newest bucket's start.
static struct bounds slope_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at)
{
	int64_t number, last, step = step_of(f->slot);
	double n = 0, t = 0, tt = 0, v = 0, tv = 0;
	if (!stands(c, at) || !half(f, at))
		return unknown;
	inside(f, at, &number, &last);
	for (; number <= last; number++) {
		const int64_t *b = &ring[(number % WHEN_BUCKETS) * 5];
		double bn = get(b[0]), bt = get(b[1]), bv = get(b[3]), by = (double)((number - last) * step) / US_PER_S;
		n += bn;
		t += bt + bn * by;
		tt += get(b[2]) + 2 * by * bt + bn * by * by;
		v += bv;
		tv += get(b[4]) + by * bv;
	}
	double d = n * tt - t * t;
	return n < 3 || !(d > 0) ? unknown : exactly((n * tv - t * v) / d * 60);
}

struct bounds window_value(const struct feature *f, const int64_t *ring, const struct channel *c, int64_t at)
{
	const struct when_slot *s = f->slot;
	double open;
	if (s->what == SLOT_MEAN)
		return mean_value(f, ring, c, at);
	if (s->what == SLOT_RATE)
		return rate_value(f, ring, c, at);
	if (isnan(f->than)) // compared with a limit that this point does not have
		return unknown;
	switch ((int)s->what) {
	case SLOT_DURATION:
		return stands(c, at) ? exactly(f->own ? (double)(at - f->own) : 0) : (struct bounds){ 0, INFINITY };
	case SLOT_MAX:
	case SLOT_MIN: return extreme_value(f, ring, c, at);
	case SLOT_SLOPE: return slope_value(f, ring, c, at);
	case SLOT_HELD:
		open = open_us(f, c, at);
		open = total(f, ring, at) + (open > 0 && passes(f, c->value) ? open : 0);
		return half(f, at) ? exactly(open) : (struct bounds){ open, (double)s->window };
	default:
		open = total(f, ring, at);
		return half(f, at) ? exactly(open) : (struct bounds){ open, INFINITY };
	}
}

// A window moves by one bucket while there is something in it; a duration grows, and comes to what it is compared with.
int64_t window_next(const struct feature *f, const struct channel *c, int64_t at)
{
	const struct when_slot *s = f->slot;
	int64_t next = INT64_MAX;
	if (s->what == SLOT_DURATION) {
		for (size_t i = 0; i < WHEN_DUES && s->due[i] && f->own && stands(c, at); i++)
			if (f->own + s->due[i] > at)
				next = MIN(next, f->own + s->due[i]);
		return next;
	}
	int64_t step = step_of(s), now = number_of(f, step, at);
	bool moves = f->newest > now - WHEN_BUCKETS;
	if (!moves && c->usable && !stands(c, at)) // it stood for the whole window, and now goes out of it
		moves = c->time + c->hold > (now - WHEN_BUCKETS) * step;
	return f->from && moves ? (now + 1) * step : next;
}
