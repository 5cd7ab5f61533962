// The value of an expression at a watcher: spans through its steps. Pure; nothing is kept but the windows.
#include <math.h>

#include "alarm/rule.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"

static const struct bounds unknown = { -INFINITY, INFINITY }, maybe = { 0, 1 };

static struct bounds exactly(double v) { return (struct bounds){ v, v }; }
static struct bounds truth(bool sure, bool possible) { return (struct bounds){ sure, sure || possible }; }

static const struct when *when_of(const struct when_set *s, const struct watcher *w) { return s->rules->v[w->rule].when; }

// ---- slots -------------------------------------------------------------------------------------
static struct bounds calendar(const struct when_set *s, const struct when_slot *sl, int64_t at)
{
	struct civil c = time_to_civil(at, time_zone());
	double hour = c.hour + c.min / 60.0;
	int64_t day = day_of(at);
	switch ((int)sl->what) {
	case SLOT_HOUR: return exactly(c.hour);
	case SLOT_WEEKDAY: return exactly(day_weekday(day));
	case SLOT_WORKDAY: return truth(workday_is(s->reg->workdays, day), false);
	default: return truth(workday_is(s->reg->workdays, day) && hour >= sl->from && hour < sl->to, false);
	}
}

static struct bounds of_channel(const struct when_set *s, const struct when_slot *sl, struct member m, int64_t at)
{
	const struct channel *c = &s->channels[m.channel];
	switch ((int)sl->what) {
	case SLOT_AGE: return c->time ? exactly((double)(at - c->time)) : (struct bounds){ 0, INFINITY };
	case SLOT_LIMIT: return isnan(m.limit) ? unknown : exactly(m.limit);
	case SLOT_LAST:
	case SLOT_HIGHEST:
	case SLOT_LOWEST:
	case SLOT_AVERAGE: return c->usable && at - c->time <= c->hold ? exactly(c->value) : unknown;
	default: return window_value(&s->features[m.feature], s->rings + s->features[m.feature].ring, c, at);
	}
}

// highest, lowest and average: of those that are known; one that is not may be anything.
static struct bounds of_several(const struct when_set *s, const struct when_slot *sl, const struct bind *b, int64_t at)
{
	double lo = sl->what == SLOT_LOWEST ? INFINITY : -INFINITY, hi = lo, sum = 0, n = 0;
	bool blind = false;
	for (uint32_t i = 0; i < b->n; i++) {
		struct bounds v = of_channel(s, sl, s->members[b->first + i], at);
		blind |= v.lo != v.hi;
		if (v.lo != v.hi)
			continue;
		lo = hi = sl->what == SLOT_LOWEST ? smaller(lo, v.lo) : larger(lo, v.lo);
		sum += v.lo;
		n++;
	}
	if (n == 0 || (blind && sl->what == SLOT_AVERAGE))
		return unknown;
	if (sl->what == SLOT_AVERAGE)
		return exactly(sum / n);
	return sl->what == SLOT_LOWEST ? (struct bounds){ blind ? -INFINITY : lo, lo } : (struct bounds){ hi, blind ? INFINITY : hi };
}

static bool about_nobody(const struct when_slot *sl) { return sl->what >= SLOT_HOUR && sl->what <= SLOT_WORKING_HOURS; }
static bool about_several(const struct when_slot *sl) { return sl->what >= SLOT_HIGHEST && sl->what <= SLOT_AVERAGE; }

struct bounds when_slot_value(const struct when_set *s, const struct watcher *w, size_t slot, size_t member, int64_t at)
{
	const struct when_slot *sl = &when_of(s, w)->slots[slot];
	if (about_nobody(sl))
		return calendar(s, sl, at);
	if (w->single && !about_several(sl))
		return member == 0 ? of_channel(s, sl, s->members[w->members + slot], at) : unknown;
	const struct bind *b = &s->binds[w->binds + slot];
	if (b->n == UINT32_MAX || member >= b->n)
		return unknown;
	return about_several(sl) ? of_several(s, sl, b, at) : of_channel(s, sl, s->members[b->first + member], at);
}

// ---- steps -------------------------------------------------------------------------------------
static struct bounds compared(enum expr_op op, struct bounds a, struct bounds b)
{
	bool less = a.hi < b.lo, more = a.lo > b.hi, same = a.lo == a.hi && b.lo == b.hi && a.lo == b.lo;
	bool at_most = a.hi <= b.lo, at_least = a.lo >= b.hi;
	switch ((int)op) {
	case EXPR_LT: return truth(less, !at_least);
	case EXPR_LE: return truth(at_most, !more);
	case EXPR_GT: return truth(more, !at_most);
	case EXPR_GE: return truth(at_least, !less);
	case EXPR_NE: return truth(less || more, !same);
	default: return truth(same, !less && !more);
	}
}

static struct bounds hull(const double *v, size_t n)
{
	struct bounds r = { INFINITY, -INFINITY };
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			return unknown;
		r.lo = smaller(r.lo, v[i]);
		r.hi = larger(r.hi, v[i]);
	}
	return r;
}

static struct bounds arithmetic(enum expr_op op, struct bounds a, struct bounds b)
{
	if (op == EXPR_ADD)
		return hull((const double[]){ a.lo + b.lo, a.hi + b.hi }, 2);
	if (op == EXPR_SUB)
		return hull((const double[]){ a.lo - b.hi, a.hi - b.lo }, 2);
	if (op == EXPR_MUL)
		return hull((const double[]){ a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi }, 4);
	if (b.lo <= 0 && b.hi >= 0)
		return unknown; // by zero, or perhaps by zero
	return hull((const double[]){ a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi }, 4);
}

static struct bounds absolute(struct bounds a)
{
	double x = fabs(a.lo), y = fabs(a.hi);
	return (struct bounds){ a.lo <= 0 && a.hi >= 0 ? 0 : smaller(x, y), larger(x, y) };
}

static struct bounds chosen(struct bounds cond, struct bounds a, struct bounds b)
{
	if (cond.lo > 0)
		return a;
	return cond.hi > 0 ? (struct bounds){ smaller(a.lo, b.lo), larger(a.hi, b.hi) } : b;
}

// Several operands to one.
static struct bounds folded(enum expr_op op, const struct bounds *v, size_t n)
{
	bool least = op == EXPR_AND || op == EXPR_MIN;
	struct bounds r = v[0];
	for (size_t i = 1; i < n; i++)
		r = least ? (struct bounds){ smaller(r.lo, v[i].lo), smaller(r.hi, v[i].hi) } :
		            (struct bounds){ larger(r.lo, v[i].lo), larger(r.hi, v[i].hi) };
	return r;
}

struct running {
	const struct when_set *s;
	const struct watcher *w;
	const struct when *when;
	int64_t at;
};

static struct bounds run(const struct running *r, size_t from, size_t to, size_t member);

// any, all, count_of: the steps behind once for each of the several.
static struct bounds several(const struct running *r, size_t step)
{
	const struct when_step *st = &r->when->steps[step];
	const struct when_slot *slots = r->when->slots;
	struct bounds sum = { 0, 0 };
	uint32_t n = 0;
	for (size_t i = step + 1; i <= step + st->at; i++) // how many there are says the first slot that is of them
		if (r->when->steps[i].op == EXPR_SLOT && slots[r->when->steps[i].at].role == st->role && !about_nobody(&slots[r->when->steps[i].at])) {
			n = r->s->binds[r->w->binds + r->when->steps[i].at].n;
			break;
		}
	bool blind = n == 0 || n == UINT32_MAX;
	for (uint32_t i = 0; i < n && !blind; i++) {
		struct bounds v = run(r, step + 1, step + 1 + st->at, i);
		sum.lo += v.lo;
		sum.hi += v.hi;
	}
	if (st->op == EXPR_COUNT_OF)
		return blind ? (struct bounds){ 0, INFINITY } : sum;
	if (blind)
		return maybe;
	return st->op == EXPR_ANY ? truth(sum.lo > 0, sum.hi > 0) : truth(sum.lo >= n, sum.hi >= n);
}

static struct bounds run(const struct running *r, size_t from, size_t to, size_t member)
{
	struct bounds v[LIMIT_RULE_STACK];
	size_t n = 0;
	for (size_t i = from; i < to; i++) {
		const struct when_step *st = &r->when->steps[i];
		struct bounds one = unknown;
		bool own = r->when->slots && st->op == EXPR_SLOT && r->when->roles[r->when->slots[st->at].role].many;
		size_t take = st->n;
		switch ((int)st->op) {
		case EXPR_LITERAL: one = exactly(st->f); break;
		case EXPR_SLOT: one = when_slot_value(r->s, r->w, st->at, own && !about_several(&r->when->slots[st->at]) ? member : 0, r->at); break;
		case EXPR_AND:
		case EXPR_OR:
		case EXPR_MIN:
		case EXPR_MAX: one = folded((enum expr_op)st->op, &v[n - take], take); break;
		case EXPR_NOT: one = (struct bounds){ 1 - v[n - 1].hi, 1 - v[n - 1].lo }; break;
		case EXPR_NEG: one = (struct bounds){ -v[n - 1].hi, -v[n - 1].lo }; break;
		case EXPR_ABS: one = absolute(v[n - 1]); break;
		case EXPR_IF: one = chosen(v[n - 3], v[n - 2], v[n - 1]); break;
		case EXPR_ANY:
		case EXPR_ALL:
		case EXPR_COUNT_OF:
			one = several(r, i);
			i += st->at;
			break;
		case EXPR_ADD:
		case EXPR_SUB:
		case EXPR_MUL:
		case EXPR_DIV: one = arithmetic((enum expr_op)st->op, v[n - 2], v[n - 1]); break;
		default: one = compared((enum expr_op)st->op, v[n - 2], v[n - 1]); break;
		}
		n -= take;
		v[n++] = one;
	}
	return v[0];
}

struct bounds when_value(const struct when_set *s, const struct watcher *w, int64_t at)
{
	const struct when *when = when_of(s, w);
	return run(&(struct running){ s, w, when, at }, 0, when->nsteps, 0);
}

// ---- when it may change by itself --------------------------------------------------------------
static int64_t next_of_channel(const struct when_set *s, const struct when_slot *sl, struct member m, int64_t at)
{
	const struct channel *c = &s->channels[m.channel];
	int64_t next = c->usable && at - c->time <= c->hold ? c->time + c->hold + 1 : INT64_MAX;
	if (sl->what == SLOT_LIMIT)
		return INT64_MAX;
	for (size_t i = 0; i < WHEN_DUES && sl->due[i] && sl->what == SLOT_AGE && c->time; i++)
		if (c->time + sl->due[i] > at)
			next = MIN(next, c->time + sl->due[i]);
	return sl->what < SLOT_DURATION ? next : MIN(next, window_next(&s->features[m.feature], c, at));
}

static int64_t next_of_calendar(const struct when_slot *sl, int64_t at)
{
	int64_t day = day_of(at), start = day_start(day), next = start + US_PER_DAY;
	if (sl->what == SLOT_HOUR)
		return start + ((at - start) / US_PER_HOUR + 1) * US_PER_HOUR;
	if (sl->what == SLOT_WORKING_HOURS) {
		int64_t from = start + (int64_t)(sl->from * US_PER_HOUR), to = start + (int64_t)(sl->to * US_PER_HOUR);
		next = at < from ? from : at < to ? to : next;
	}
	return next;
}

int64_t when_next(const struct when_set *s, const struct watcher *w, int64_t at)
{
	const struct when *when = when_of(s, w);
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < when->nslots; i++) {
		if (about_nobody(&when->slots[i]))
			next = MIN(next, next_of_calendar(&when->slots[i], at));
		else if (w->single)
			next = MIN(next, next_of_channel(s, &when->slots[i], s->members[w->members + i], at));
		if (w->single)
			continue;
		const struct bind *b = &s->binds[w->binds + i];
		for (uint32_t k = 0; k < b->n && b->n != UINT32_MAX; k++)
			next = MIN(next, next_of_channel(s, &when->slots[i], s->members[b->first + k], at));
	}
	return next;
}
