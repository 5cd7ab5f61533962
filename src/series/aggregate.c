// Steps of a series. Days that are rolled up are taken from their rows, all others from the samples: days on which
// something is in memory, or in a block that came after the row. Both come in order of time into the same sums, which are
// exact, so it does not show which it was.
#include "base/arena.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/time.h"
#include "series/roll.h"
#include "series/series_in.h"
#include "store/rolls.h"

#define STEPS_MAX 20000
#define WINDOW (10 * US_PER_DAY)  // samples of this long are in memory at once
#define SAMPLES_MAX 50000000u

struct steps {
	struct series *s;
	uint32_t point;
	struct arena *arena;
	struct gather g;
	struct agg *v;
	int64_t from, to, step;
	int64_t at;       // step that `now` is of, -1: none yet
	int64_t begin, end; // of it
	struct roll now;
	// of the month in work
	int64_t start;    // us
	uint32_t fresh;   // days that must be read from samples, a bit each
	struct str row[ROLL_DAYS];
};

static void step_end(struct steps *x)
{
	if (x->at < 0)
		return;
	struct agg *a = &x->v[x->at];
	const struct roll *r = &x->now;
	for (size_t i = 0; i < Q__MAX; i++) {
		a->count[i] = r->count[i];
		a->bad += i > Q_RANGE ? r->count[i] : 0;
		a->worst = r->count[i] ? (uint16_t)i : a->worst;
	}
	a->n = r->usable;
	a->min = r->min;
	a->max = r->max;
	a->first = r->first;
	a->last = r->last;
	a->sum = exact_value(&r->sum);
}

static void step_to(struct steps *x, int64_t time)
{
	if (time >= x->begin && time < x->end)
		return;
	step_end(x);
	x->at = (time - x->from) / x->step;
	x->begin = x->from + x->at * x->step;
	x->end = x->begin + MIN(x->step, INT64_MAX - x->begin);
	x->now = (struct roll){ 0 };
}

static enum err add_samples(struct steps *x, int64_t from, int64_t to)
{
	enum err err = OK;
	for (int64_t t = from; !err && t < to; t += WINDOW) {
		err = gather_all(&x->g, x->point, t, MIN(t + WINDOW, to), SAMPLES_MAX, buf_str(&x->g.memory));
		for (size_t i = 0; !err && i < x->g.n; i++) {
			step_to(x, x->g.v[i].sample.time);
			roll_add(&x->now, &x->g.v[i].sample);
		}
	}
	return err;
}

static void add_hours(struct steps *x, const struct roll_day *d, int64_t day, int64_t from, int64_t to)
{
	for (int h = 0; h < 24; h++) {
		int64_t t = day + h * US_PER_HOUR;
		if (t < from || t >= to || roll_empty(&d->hour[h]))
			continue;
		step_to(x, t);
		roll_merge(&x->now, &d->hour[h]);
	}
}

// ---- one month ----

static void on_row(void *arg, int day, struct str bytes)
{
	struct steps *x = arg;
	if (day >= 0 && day < ROLL_DAYS)
		x->row[day] = arena_str(x->arena, bytes);
}

static void on_fresh(void *arg, int first, int last)
{
	struct steps *x = arg;
	for (int day = MAX(first, 0); day <= MIN(last, ROLL_DAYS - 1); day++)
		x->fresh |= UINT32_C(1) << day;
}

static enum err mark_memory(struct steps *x)
{
	struct cursor c = cursor_of(buf_str(&x->g.memory));
	while (!cursor_done(&c) && cursor_ok(&c)) {
		size_t n = 0;
		take_le32(&c); // no
		struct str bytes = take_str(&c, take_le32(&c));
		if (chunk_decode(bytes, x->g.chunk, &n) != OK)
			continue; // counted where it is read
		for (size_t i = 0; i < n; i++) {
			int64_t day = x->g.chunk[i].time - x->start;
			if (day >= 0 && day < ROLL_DAYS * US_PER_DAY)
				on_fresh(x, (int)(day / US_PER_DAY), (int)(day / US_PER_DAY));
		}
	}
	return OK;
}

static enum err walk_days(struct steps *x, int first, int last, int64_t from, int64_t to)
{
	struct roll_day *d = arena_one(x->arena, struct roll_day);
	enum err err = OK;
	for (int day = first, end; !err && day <= last; day = end) {
		int64_t t = x->start + day * US_PER_DAY;
		end = day + 1;
		if (x->row[day].n && !(x->fresh >> day & 1) && roll_day_read(x->row[day], d)) {
			add_hours(x, d, t, from, to);
			continue;
		}
		if (!(x->fresh >> day & 1) && !x->row[day].n)
			continue; // rolled up, and there was nothing
		while (end <= last && x->fresh >> end & 1)
			end++;
		err = add_samples(x, MAX(t, from), MIN(x->start + end * US_PER_DAY, to));
	}
	return err;
}

static enum err add_month(struct steps *x, int32_t month, int64_t from, int64_t to)
{
	struct rolled rolled;
	struct rolls_reader r = { x, on_row, on_fresh };
	x->start = blocks_month_start(month);
	x->fresh = 0;
	memset(x->row, 0, sizeof(x->row));
	int first = (int)((from - x->start) / US_PER_DAY), last = (int)((to - 1 - x->start) / US_PER_DAY);
	enum err err = rolls_read(x->s->blocks, month, x->point, first, last, &r, &rolled);
	if (err == ERR_CORRUPT) {
		rolled = (struct rolled){ .no = -1 }; // a damaged page: the samples say what they can
		err = OK;
	}
	if (err)
		return err;
	if (!rolled.gone) {
		err = mark_memory(x);
		if (to % US_PER_HOUR) // the end cuts an hour
			on_fresh(x, last, last);
	}
	if (rolled.no < 0)
		x->fresh = UINT32_MAX;
	else if (rolled.gone)
		x->fresh = 0;
	return err ? err : walk_days(x, first, last, from, to);
}

static enum err add_months(struct steps *x, int64_t from, int64_t to)
{
	enum err err = OK;
	int32_t last = blocks_month(to - 1);
	for (int32_t m = blocks_month(from); !err && m <= last; m++) {
		struct arena *whole = x->arena;
		x->arena = arena_new(32 << 10);
		err = add_month(x, m, MAX(from, blocks_month_start(m)), MIN(to, blocks_month_start(m + 1)));
		arena_free(x->arena);
		x->arena = whole;
	}
	return err;
}

enum err series_aggregate(struct series *s, uint32_t point, int64_t from, int64_t to, int64_t step_us, struct arena *a,
                          struct agg **ret, size_t *ret_n)
{
	int64_t span;
	*ret = NULL;
	*ret_n = 0;
	if (step_us <= 0 || __builtin_sub_overflow(to, from, &span))
		return ERR_INVALID;
	if (span <= 0 || point > LIMIT_POINTS)
		return OK;
	int64_t n = span / step_us + (span % step_us != 0);
	if (n > STEPS_MAX)
		return ERR_TOO_LARGE;
	struct steps x = { .s = s, .point = point, .arena = a, .v = arena_many(a, (size_t)n, struct agg), .from = from, .to = to,
		.step = step_us, .at = -1 };
	for (int64_t i = 0; i < n; i++)
		x.v[i].from = from + i * step_us;
	gather_begin(&x.g, s);
	enum err err = read_memory(s, point, &x.g.memory);
	int64_t begin = read_time(from), end = read_time(to);
	if (!err && begin < end)
		err = step_us % US_PER_HOUR == 0 && from % US_PER_HOUR == 0 ? add_months(&x, begin, end) : add_samples(&x, begin, end);
	step_end(&x);
	gather_end(&x.g);
	if (err)
		return err;
	*ret = x.v;
	*ret_n = (size_t)n;
	return OK;
}
