// What a sample means: limits with hysteresis and delays, rate, flat, bad data, silence, for one point, in event
// time. A value holds until the next sample (zero-order hold), so what comes out depends on the samples and not on
// when anybody looked. Pure on struct judged; called by eval_feed.c (live) and eval_late.c (history).
//
// The formulas, with v the value, L the limit, C the clear limit (C = L without clear), d the delay on, o off:
//   high   begins when v >= L has held for d; ends when v < C has held for o. Low levels mirrored (v <= L, v > C).
//   rate   change = v - (lowest value in the last `per`, in steps of per/4: the window is between 3/4 and 1 per),
//          or, if the sample before is older than per, the change to it scaled to one per; begins when change >= rise.
//   flat   begins with a sample when |v - reference| < by since `for`; a gap longer than `for` starts again.
//   bad    begins when quality Q_RANGE, Q_STALE or Q_BAD has held for d; ends with trusted quality.
//   silent begins when nothing arrived for `for` by the wall clock; ends with the next arrival.
// Untrusted samples: Q_STALE and Q_BAD neither begin nor end anything but `bad`; a delay to the beginning that is
// already running goes on (the last trusted value still says "beyond"), a delay to the end starts again. Q_RANGE is
// the same, except that it can begin a limit alarm: a full scale reading may be an overfull tank.
#include <math.h>

#include "alarm/eval.h"

static inline double word_f64(const int64_t *w)
{
	double v;
	memcpy(&v, w, sizeof v);
	return v;
}
static inline void word_set(int64_t *w, double v) { memcpy(w, &v, sizeof v); }
static inline uint16_t bit(size_t i) { return (uint16_t)(1u << i); }

uint16_t plan_group(const struct plan *p, size_t cond)
{
	if (p->c[cond].family != FAMILY_LIMIT)
		return bit(cond);
	uint16_t group = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].family == FAMILY_LIMIT && p->c[i].group == p->c[cond].group)
			group |= bit(i);
	return group;
}

void plan_reset_words(const struct plan *p, int64_t *w)
{
	memset(w, 0, p->words * sizeof *w);
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].family == FAMILY_RATE)
			for (size_t k = 1; k <= 4; k++)
				word_set(&w[p->c[i].word + k], INFINITY);
}

bool judge_level(const struct plan *p, uint16_t group, uint16_t active, uint16_t pending, size_t *ret_cond)
{
	int best = -1;
	for (uint16_t m = group & active; m; m &= (uint16_t)(m - 1)) {
		size_t i = (size_t)__builtin_ctz(m);
		// of two equally severe ones (low and high at once) the one that is not about to end
		int weight = level_rank((enum level)p->c[i].level) * 2 + !(pending & bit(i));
		if (weight > best) {
			best = weight;
			*ret_cond = i;
		}
	}
	return best >= 0;
}

// ---- what comes out ----------------------------------------------------------------------------
static void say(const struct judged *j, enum transition_kind kind, size_t cond, int64_t at)
{
	const struct cond *c = &j->plan->c[cond];
	double limit = c->family == FAMILY_LIMIT ? c->sign * j->limits[c->limit].limit :
	               c->family == FAMILY_RATE || c->family == FAMILY_FLAT ? c->by : NAN;
	struct transition t = { .point = j->point, .rule = c->rule, .key = c->key, .kind = kind,
		                .level = (enum level)c->level, .at = at, .cause_time = j->cause.time,
		                .cause_value = j->cause.value, .limit = limit, .cause_quality = j->cause.quality,
		                .arrival = j->arrival };
	j->fn(j->arg, &t);
}

// Compares one family before and after; says what changed.
static void say_change(const struct judged *j, uint16_t group, uint16_t active_before, uint16_t pending_before,
                       int64_t at)
{
	size_t was = 0, is = 0;
	bool before = judge_level(j->plan, group, active_before, pending_before, &was);
	bool after = judge_level(j->plan, group, j->h->active, j->h->pending, &is);
	if (before && !after)
		say(j, COND_RETURNED, was, at);
	else if (!before && after)
		say(j, COND_RAISED, is, at);
	else if (before && after && was != is)
		say(j, COND_LEVEL, is, at);
}

// ---- one condition -----------------------------------------------------------------------------
static void begin(const struct judged *j, size_t i, int64_t at)
{
	j->h->active |= bit(i);
	j->h->pending &= (uint16_t)~bit(i);
	if (j->plan->c[i].family == FAMILY_FLAT)
		j->h->flags |= HOT_FLAT;
	else if (j->plan->c[i].family != FAMILY_SILENT)
		j->w[j->plan->c[i].word] = at;
}
static void end(const struct judged *j, size_t i, int64_t at)
{
	const struct cond *c = &j->plan->c[i];
	bool was_pending = j->h->pending & bit(i);
	j->h->active &= (uint16_t)~bit(i);
	j->h->pending &= (uint16_t)~bit(i);
	if (c->family == FAMILY_FLAT) {
		j->h->flags &= (uint16_t)~HOT_FLAT; // a point has one flat condition
		return;
	}
	if (c->family == FAMILY_SILENT)
		return;
	// never before it began: a timer may have begun it while this older sample was on its way
	int64_t began = was_pending ? 0 : j->w[c->word];
	j->w[c->word] = MAX(at, began);
}
// The condition says `toward` the other state, or not: starts, keeps or drops the delay to it.
static void lean(const struct judged *j, size_t i, bool toward, int64_t at)
{
	const struct cond *c = &j->plan->c[i];
	bool active = j->h->active & bit(i), pending = j->h->pending & bit(i);
	if (!toward) {
		if (pending) {
			j->h->pending &= (uint16_t)~bit(i);
			j->w[c->word] = 0;
		}
		return;
	}
	if (pending)
		return;
	if ((active ? c->off : c->on) == 0) {
		if (active)
			end(j, i, at);
		else
			begin(j, i, at);
		return;
	}
	j->h->pending |= bit(i);
	j->w[c->word] = at;
}

static void judge_limit(const struct judged *j, size_t i, const struct reading *r)
{
	const struct cond *c = &j->plan->c[i];
	const struct pair *p = &j->limits[c->limit];
	double v = c->sign * r->value;
	bool active = j->h->active & bit(i);
	if (r->quality <= Q_FLAT) {
		lean(j, i, active ? v < p->clear : v >= p->limit, r->time);
		return;
	}
	if (active)
		lean(j, i, false, r->time);
	else if (r->quality == Q_RANGE && v >= p->limit)
		lean(j, i, true, r->time);
}

static void judge_rate(const struct judged *j, size_t i, const struct reading *r)
{
	const struct cond *c = &j->plan->c[i];
	int64_t *w = j->w + c->word, step = MAX(c->per / 4, 1), before = j->w[0];
	int64_t now = r->time / step, last = before / step;
	double v = c->sign * r->value, change = -INFINITY;
	for (int64_t k = now - last < 4 ? last + 1 : now - 3; before && k <= now; k++)
		word_set(&w[1 + (k & 3)], INFINITY);
	for (size_t k = 1; k <= 4; k++)
		change = fmax(change, v - word_f64(&w[k])); // v - INFINITY: nothing in that quarter
	if (before) {
		double since_last = v - c->sign * j->h->value;
		int64_t gap = r->time - before;
		change = fmax(change, gap > c->per ? since_last * (double)c->per / (double)gap : since_last);
	}
	word_set(&w[1 + (now & 3)], fmin(word_f64(&w[1 + (now & 3)]), v));
	bool exceeded = change >= c->by;
	lean(j, i, j->h->active & bit(i) ? !exceeded : exceeded, r->time);
}

static void judge_flat(const struct judged *j, size_t i, const struct reading *r)
{
	const struct cond *c = &j->plan->c[i];
	int64_t *w = j->w + c->word, before = j->w[0];
	double reference = word_f64(&w[1]);
	bool active = j->h->active & bit(i);
	if (w[0] == 0 || (r->value != reference && fabs(r->value - reference) >= c->by)) {
		w[0] = r->time;
		word_set(&w[1], r->value);
		if (active)
			end(j, i, r->time);
	} else if (!active && r->time - before > c->on) {
		w[0] = r->time;
	} else if (!active && r->time - w[0] >= c->on) {
		begin(j, i, r->time);
	}
}

static void judge_cond(const struct judged *j, size_t i, const struct reading *r)
{
	bool active = j->h->active & bit(i), bad = r->quality >= Q_RANGE;
	switch ((enum family)j->plan->c[i].family) {
	case FAMILY_LIMIT:
		judge_limit(j, i, r);
		break;
	case FAMILY_RATE:
		if (r->quality <= Q_FLAT)
			judge_rate(j, i, r);
		break;
	case FAMILY_FLAT:
		if (r->quality <= Q_FLAT)
			judge_flat(j, i, r);
		break;
	case FAMILY_BAD:
		lean(j, i, active ? !bad : bad, r->time);
		break;
	case FAMILY_SILENT:
		if (active)
			end(j, i, j->arrival);
		break;
	}
}

// ---- a sample ----------------------------------------------------------------------------------
// When a change of a family is said to be: the sample's time, but not before what was said already.
static int64_t change_time(const struct judged *j, uint16_t group, uint16_t changed, int64_t at)
{
	for (uint16_t m = group; m; m &= (uint16_t)(m - 1)) {
		size_t i = (size_t)__builtin_ctz(m);
		const struct cond *c = &j->plan->c[i];
		bool standing = (j->h->active & bit(i)) && !(j->h->pending & bit(i));
		if ((c->family == FAMILY_LIMIT || c->family == FAMILY_BAD || c->family == FAMILY_RATE) &&
		    (standing || (changed & bit(i))))
			at = MAX(at, j->w[c->word]);
	}
	return at;
}

static void say_changes(const struct judged *j, uint16_t active_before, uint16_t pending_before, bool serviced_changed)
{
	uint16_t changed = active_before ^ j->h->active, todo = changed;
	if (serviced_changed)
		todo |= j->h->active;
	while (todo) {
		size_t i = (size_t)__builtin_ctz(todo), is = 0;
		uint16_t group = plan_group(j->plan, i);
		todo &= (uint16_t)~group;
		if (changed & group) {
			int64_t at = j->plan->c[i].family == FAMILY_SILENT ? j->arrival :
			             change_time(j, group, changed, j->cause.time);
			say_change(j, group, active_before, pending_before, at);
		} else if (judge_level(j->plan, group, j->h->active, j->h->pending, &is)) {
			say(j, COND_LEVEL, is, j->cause.time); // same level: maintenance began or ended
		}
	}
}

void judge_sample(struct judged *j, const struct reading *r)
{
	struct hot *h = j->h;
	uint16_t active = h->active, pending = h->pending;
	bool serviced_changed = false;
	j->cause = (struct sample_cause){ r->time, r->value, r->quality };
	for (size_t i = 0; i < j->plan->n; i++)
		judge_cond(j, i, r);
	if (r->quality <= Q_FLAT) {
		bool serviced = r->quality == Q_MAINTENANCE;
		serviced_changed = serviced != !!(h->flags & HOT_SERVICED);
		h->flags = (uint16_t)((h->flags & ~HOT_SERVICED) | (serviced ? HOT_SERVICED : 0));
		h->value = r->value;
		if (j->plan->clock)
			j->w[0] = r->time;
	}
	h->time = r->time;
	h->quality = (uint8_t)r->quality;
	h->flags |= HOT_SEEN;
	if (active != h->active || (serviced_changed && h->active))
		say_changes(j, active, pending, serviced_changed);
}

// ---- time passing ------------------------------------------------------------------------------
static int64_t cond_due(const struct judged *j, size_t i)
{
	const struct cond *c = &j->plan->c[i];
	return j->w[c->word] + (j->h->active & bit(i) ? c->off : c->on);
}

int64_t judge_due(const struct judged *j)
{
	int64_t due = INT64_MAX;
	for (uint16_t m = j->h->pending; m; m &= (uint16_t)(m - 1))
		due = MIN(due, cond_due(j, (size_t)__builtin_ctz(m)));
	return due;
}

// All that is due at one moment, then one change for each family.
static void advance_to(struct judged *j, int64_t due)
{
	uint16_t active = j->h->active, pending = j->h->pending, todo = 0;
	for (uint16_t m = pending; m; m &= (uint16_t)(m - 1)) {
		size_t i = (size_t)__builtin_ctz(m);
		if (cond_due(j, i) != due)
			continue;
		if (active & bit(i))
			end(j, i, due);
		else
			begin(j, i, due);
		todo |= bit(i);
	}
	while (todo) {
		uint16_t group = plan_group(j->plan, (size_t)__builtin_ctz(todo));
		todo &= (uint16_t)~group;
		say_change(j, group, active, pending, due);
	}
}

void judge_advance(struct judged *j, int64_t to)
{
	while (j->h->pending) {
		int64_t due = judge_due(j);
		if (due > to)
			return;
		advance_to(j, due);
	}
}

void judge_silent(struct judged *j, int64_t now)
{
	for (size_t i = 0; i < j->plan->n; i++) {
		const struct cond *c = &j->plan->c[i];
		if (c->family != FAMILY_SILENT || (j->h->active & bit(i)) || j->h->arrival + c->on > now)
			continue;
		begin(j, i, 0);
		say(j, COND_RAISED, i, j->h->arrival + c->on);
	}
}

// ---- the band inside which nothing changes ----------------------------------------------------
void judge_band(const struct judged *j)
{
	struct hot *h = j->h;
	const struct plan *p = j->plan;
	double lo = -INFINITY, hi = INFINITY;
	bool slow = p->slow || h->pending || (h->flags & HOT_SERVICED); // serviced: the next sample may say that it is over
	for (size_t i = 0; i < p->n && !slow; i++) {
		const struct cond *c = &p->c[i];
		bool active = h->active & bit(i);
		if (c->family != FAMILY_LIMIT) {
			slow = active;
			continue;
		}
		const struct pair *l = &j->limits[c->limit];
		// active: changes when sign*v < clear; inactive: when sign*v >= limit
		if (c->sign > 0 && active)
			lo = fmax(lo, l->clear);
		else if (c->sign > 0)
			hi = fmin(hi, nextafter(l->limit, -INFINITY));
		else if (active)
			hi = fmin(hi, -l->clear);
		else
			lo = fmax(lo, nextafter(-l->limit, INFINITY));
	}
	h->lo = slow ? 1 : lo;
	h->hi = slow ? -1 : hi;
}
