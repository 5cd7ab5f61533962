#include "detect/early.h"

#include <math.h>

#define BEGINS 2                // spans in a row
#define ENDS 5
#define NEAR 4.0                // the screen: how many times `within` the plain line may be away

void early_init(struct early *e, const struct early_facts *facts)
{
	*e = (struct early){ .version = EARLY_VERSION, .facts = *facts };
}

static bool is_above(unsigned level) { return level >= 2; }

static double minutes(int64_t us) { return (double)us / (double)US_PER_MIN; }

static void say(struct early *e, unsigned level, enum early_what what, int64_t at, double value, early_fn *fn, void *arg)
{
	const struct early_level *l = &e->level[level];
	fn(arg, &(struct early_event){ .what = what, .level = level, .at = at, .raised = l->raised, .until = l->until, .value = value,
	                               .limit = e->facts.limit[level], .per_minute = l->per_minute, .p10 = l->p10, .p50 = l->p50,
	                               .p90 = l->p90 });
}

static void forget(struct early_level *l) { *l = (struct early_level){ 0 }; }

// ---- the values of the spans --------------------------------------------------------------------

static size_t newest(const struct early *e) { return (e->next + EARLY_KEEP - 1) % EARLY_KEEP; }

// Of the last n values.
static void trend_of(const struct early *e, size_t n, struct trend *ret)
{
	trend_init(ret);
	for (size_t i = 0; i < n; i++) {
		size_t at = (e->next + EARLY_KEEP - n + i) % EARLY_KEEP;
		trend_feed(ret, e->time[at], e->value[at]);
	}
}

struct line { double now, slope; };

// Least squares over the last n values: where the line is at the newest, and its slope a minute.
static struct line plain_line(const struct early *e, size_t many)
{
	double n = (double)many, st = 0, sv = 0, stt = 0, stv = 0;
	int64_t now = e->time[newest(e)];
	for (size_t i = 0; i < many; i++) {
		size_t at = (e->next + EARLY_KEEP - many + i) % EARLY_KEEP;
		double t = minutes(e->time[at] - now), v = e->value[at];
		st += t;
		sv += v;
		stt += t * t;
		stv += t * v;
	}
	double d = n * stt - st * st, slope = d > 0 ? (n * stv - st * sv) / d : 0;
	return (struct line){ (sv - slope * st) / n, slope };
}

static bool comes_near(const struct early *e, unsigned level, struct line l)
{
	double side = is_above(level) ? 1 : -1, distance = side * (e->facts.limit[level] - l.now), toward = side * l.slope;
	return toward > 0 && distance <= toward * NEAR * minutes(e->facts.within);
}

// high-high lies behind high, low-low behind low: nothing is said of it before the nearer one is reached.
static bool is_behind(const struct early *e, unsigned level, double now)
{
	unsigned nearer = level == 3 ? 2 : 1;
	double limit = e->facts.limit[nearer];
	return (level == 3 && now < limit) || (level == 0 && now > limit); // false without the nearer one (NaN)
}

// The forecast of all the values; or of the newest alone where they surely lead there earlier or later than all of them do (the
// intervals lie apart): what has just begun is not held back by the quiet before it, what has stopped is not carried on.
static void forecast(const struct early *e, unsigned level, double scratch[TREND_PAIRS_MAX], struct trend_forecast *ret)
{
	struct trend t;
	struct trend_forecast brief;
	double limit = e->facts.limit[level];
	trend_of(e, e->n, &t);
	if (!trend_to_limit(&t, limit, is_above(level), scratch, ret))
		return;
	trend_of(e, MIN(e->n, (uint32_t)EARLY_BRIEF), &t);
	if (trend_to_limit(&t, limit, is_above(level), scratch, &brief) && (brief.p90 < ret->p10 || brief.p10 > ret->p90))
		*ret = brief;
}

// ---- what a span says ---------------------------------------------------------------------------

static void speaks_for(struct early *e, unsigned level, const struct trend_forecast *f, int64_t at, double since, double now,
                       early_fn *fn, void *arg)
{
	struct early_level *l = &e->level[level];
	double within = minutes(e->facts.within), p50 = fmax(f->p50 - since, 0), p90 = fmax(f->p90 - since, 0);
	bool begins = f->moving && !f->reached && p50 <= within && p90 <= 2 * within;
	bool goes_on = f->moving && !f->reached && p50 <= 2 * within;
	bool was = l->raised && l->lasts;
	l->yes = begins ? l->yes + 1 : 0;
	l->no = was ? (goes_on ? 0 : l->no + 1) : 0;
	l->now = at;
	l->now10 = fmax(f->p10 - since, 0);
	l->now50 = p50;
	l->now90 = p90;
	if (was && l->no >= ENDS) {
		l->lasts = 0;
		say(e, level, EARLY_ENDED, at, now, fn, arg);
	} else if (!was && l->yes >= BEGINS && l->raised) {
		l->lasts = 1;
		say(e, level, EARLY_AGAIN, at, now, fn, arg);
	} else if (!was && l->yes >= BEGINS) {
		l->raised = at;
		l->lasts = 1;
		l->per_minute = f->per_minute;
		l->p10 = l->now10;
		l->p50 = p50;
		l->p90 = p90;
		l->until = at + (int64_t)(p90 * (double)US_PER_MIN);
		say(e, level, EARLY_RAISED, at, now, fn, arg);
	}
}

static void judge_span(struct early *e, int64_t at, double scratch[TREND_PAIRS_MAX], early_fn *fn, void *arg)
{
	double since = minutes(at - e->time[newest(e)]);
	if (e->n < TREND_VALUES_MIN)
		return;
	struct line all = plain_line(e, e->n), brief = plain_line(e, MIN(e->n, (uint32_t)EARLY_BRIEF));
	for (unsigned level = 0; level < EARLY_LEVELS; level++) {
		struct trend_forecast f = { .p10 = INFINITY, .p50 = INFINITY, .p90 = INFINITY };
		if (isnan(e->facts.limit[level]))
			continue;
		if (!is_behind(e, level, brief.now) && (comes_near(e, level, all) || comes_near(e, level, brief)))
			forecast(e, level, scratch, &f);
		speaks_for(e, level, &f, at, since, brief.now, fn, arg);
	}
}

// The span that runs is over at `at`.
static void close_span(struct early *e, double scratch[TREND_PAIRS_MAX], early_fn *fn, void *arg)
{
	if (!e->count)
		return;
	int64_t start = e->span * e->facts.every;
	e->time[e->next] = start + (int64_t)(e->after / e->count);
	e->value[e->next] = e->sum / e->count;
	e->next = (e->next + 1) % EARLY_KEEP;
	e->n += e->n < EARLY_KEEP;
	e->count = 0;
	judge_span(e, start + e->facts.every, scratch, fn, arg);
}

static void pause_over(struct early *e)
{
	e->n = e->next = 0;
	for (unsigned level = 0; level < EARLY_LEVELS; level++)
		e->level[level].yes = 0;
}

// ---- a sample -----------------------------------------------------------------------------------

static void judge_said(struct early *e, int64_t time, double value, early_fn *fn, void *arg)
{
	for (unsigned level = 0; level < EARLY_LEVELS; level++) {
		struct early_level *l = &e->level[level];
		double limit = e->facts.limit[level];
		if (!l->raised)
			continue;
		bool hit = time <= l->until && (is_above(level) ? value >= limit : value <= limit);
		if (!hit && time <= l->until)
			continue;
		say(e, level, hit ? EARLY_HIT : EARLY_MISSED, hit ? time : l->until, value, fn, arg);
		forget(l);
	}
}

void early_feed(struct early *e, int64_t time, double value, double scratch[TREND_PAIRS_MAX], early_fn *fn, void *arg)
{
	int64_t span = time / e->facts.every;
	if (!isfinite(value) || time < 0 || span < e->span)
		return;
	if (span != e->span) {
		close_span(e, scratch, fn, arg);
		if (span - e->span > EARLY_PAUSE)
			pause_over(e);
		e->span = span;
		e->sum = e->after = 0;
	}
	e->sum += value;
	e->after += (double)(time - span * e->facts.every);
	e->count++;
	judge_said(e, time, value, fn, arg);
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

void early_change(struct early *e, const struct early_facts *facts, void (*gone)(void *arg, unsigned level, int64_t raised), void *arg)
{
	bool anew = facts->within != e->facts.within || facts->every != e->facts.every;
	for (unsigned level = 0; level < EARLY_LEVELS; level++) {
		if (!anew && same(facts->limit[level], e->facts.limit[level]))
			continue;
		if (e->level[level].raised)
			gone(arg, level, e->level[level].raised);
		forget(&e->level[level]);
	}
	if (anew)
		early_init(e, facts);
	e->facts = *facts;
}
