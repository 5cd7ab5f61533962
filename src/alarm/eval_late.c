// Readings that came late: what they would have meant is found by judging the point's history again, from before
// them to its newest sample, by the same code. What was raised stays raised; episodes that were missed come out with
// late=true; the live state becomes what the whole history says. T_SERIES only.
//
// The store decides what of this is news (alarm_apply): an episode whose beginning is in the journal, or that
// overlaps a known one which belongs to it, changes nothing.
#include <math.h>

#include "alarm/eval.h"
#include "base/arena.h"
#include "series/series.h"

#define LATE_SLICE US_PER_DAY            // history is read in slices of this
#define LATE_AHEAD (2 * US_PER_DAY)      // judged beyond the newest late sample at most
#define LATE_BEHIND US_PER_HOUR          // judged before the oldest late sample at least
#define LATE_PATIENCE 64                 // calls that a point is left alone while its late samples keep coming
#define LATE_STEPS 6                     // and at most 2^5 times as far, until a sample is clearly normal

struct episode {
	struct transition raised, returned;
	int64_t ended;              // 0 = it lasts
	enum level worst;
	uint16_t group;             // bits of its family
};

struct rejudging {
	struct judged j;
	struct hot hot;
	int64_t words[POINT_WORDS];
	struct episode *v;
	size_t n, cap;
	struct arena *a;
};

void evaluator_note_late(struct evaluator *ev, const struct reading *r)
{
	if (r->point <= ev->max_point && ev->hot[r->point].flags & HOT_INPUT)
		when_note_late(ev->when, r->point, r->time, r->time);
	if (r->point > ev->max_point || !ev->hot[r->point].known || ev->plans[ev->cold[r->point].plan].n == 0)
		return;
	struct cold *c = &ev->cold[r->point];
	if (c->late_at) {
		struct late_point *l = &ev->late[c->late_at - 1];
		l->fresh = true;
		l->from = MIN(l->from, r->time);
		l->to = MAX(l->to, r->time);
		return;
	}
	if (ev->nlate == ev->late_cap) { // at most one entry a point
		ev->late_cap = ev->late_cap ? ev->late_cap * 2 : 64;
		ev->late = mem_resize(ev->late, ev->late_cap * sizeof *ev->late);
	}
	ev->late[ev->nlate++] = (struct late_point){ .point = r->point, .fresh = true, .from = r->time, .to = r->time };
	c->late_at = ev->nlate;
}

static uint16_t group_of(const struct plan *p, const struct transition *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].key == t->key && p->c[i].level == t->level)
			return plan_group(p, i);
	return 0;
}

// transition_fn: collects episodes.
static void collect(void *arg, const struct transition *t)
{
	struct rejudging *re = arg;
	uint16_t group = group_of(re->j.plan, t);
	if (t->kind == COND_RAISED) {
		re->v = arena_push(re->a, re->v, &re->n, &re->cap, sizeof *re->v);
		re->v[re->n - 1] = (struct episode){ .raised = *t, .worst = t->level, .group = group };
		return;
	}
	for (size_t i = re->n; i-- > 0;) {
		struct episode *e = &re->v[i];
		if (e->group != group || e->ended)
			continue;
		if (t->kind == COND_RETURNED) {
			e->returned = *t;
			e->ended = t->at;
		}
		else if (level_rank(t->level) >= level_rank(e->worst))
			e->worst = t->level;
		return;
	}
}

// A sample after which nothing from before it matters: no limit is reached or still held by its clear limit.
static bool clearly_normal(const struct judged *j, const struct sample *s)
{
	if (s->quality > Q_FLAT)
		return false;
	for (size_t i = 0; i < j->plan->n; i++) {
		const struct cond *c = &j->plan->c[i];
		if (c->family == FAMILY_LIMIT && c->sign * s->value >= j->limits[c->limit].clear)
			return false;
	}
	return true;
}

// Where to begin: far enough back for every window and delay, and further while the first sample is not normal.
static enum err find_start(struct rejudging *re, int64_t from, late_read *read, void *read_arg, int64_t *ret)
{
	int64_t back = MAX(LATE_BEHIND, re->j.plan->lookback * 2);
	for (int step = 0; step < LATE_STEPS; step++, back *= 2) {
		struct sample *v;
		size_t n;
		*ret = MAX(from - back, 1);
		enum err err = read(read_arg, re->j.point, *ret, *ret + (step ? back / 2 : back), re->a, &v, &n);
		if (err)
			return err;
		if (n == 0 || clearly_normal(&re->j, &v[0]))
			return OK;
	}
	return OK;
}

static enum err rejudge(struct rejudging *re, int64_t from, int64_t to, late_read *read, void *read_arg)
{
	for (int64_t at = from; at < to; at += LATE_SLICE) {
		struct sample *v;
		size_t n;
		enum err err = read(read_arg, re->j.point, at, MIN(at + LATE_SLICE, to), re->a, &v, &n);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			struct reading r = { .point = re->j.point, .time = v[i].time, .value = v[i].value,
				             .quality = v[i].quality };
			judge_advance(&re->j, r.time);
			judge_sample(&re->j, &r);
		}
	}
	return OK;
}

static void say_episodes(const struct rejudging *re, int64_t from, transition_fn *fn, void *arg)
{
	for (size_t i = 0; i < re->n; i++) {
		const struct episode *e = &re->v[i];
		if (e->ended && e->ended < from)
			continue;
		struct transition t = e->raised;
		t.level = e->worst;
		t.late = true;
		t.through = re->hot.time;
		t.ended = e->ended;
		for (size_t k = 0; k < i; k++)
			if (re->v[k].group == e->group)
				t.prev_ended = re->v[k].ended;
		fn(arg, &t);
		if (e->ended) {
			struct transition end = e->returned;
			end.late = true;
			end.through = re->hot.time;
			end.since = t.at;
			fn(arg, &end);
		}
	}
}

// Families that are active live but not by the whole history: they return at their newest sample.
static void say_ends(const struct rejudging *re, const struct hot *live, const int64_t *live_words, transition_fn *fn,
                     void *arg)
{
	const struct plan *p = re->j.plan;
	for (uint16_t todo = live->active; todo;) {
		size_t was = (size_t)__builtin_ctz(todo), is = 0;
		uint16_t group = plan_group(p, was);
		todo &= (uint16_t)~group;
		if (p->c[was].family == FAMILY_SILENT || !judge_level(p, group, live->active, live->pending, &was) ||
		    judge_level(p, group, re->hot.active, re->hot.pending, &is))
			continue;
		const struct cond *c = &p->c[was];
		int64_t began = c->family == FAMILY_FLAT || (live->pending & 1u << was) ? 0 : live_words[c->word];
		bool told = false; // its own end was among the episodes
		for (size_t i = 0; i < re->n; i++)
			told |= re->v[i].group == group && re->v[i].ended > began && began >= re->v[i].raised.at;
		if (told)
			continue;
		struct transition t = { .point = re->j.point, .rule = c->rule, .key = c->key, .kind = COND_RETURNED,
			                .level = (enum level)c->level, .at = MAX(live->time, began),
			                .cause_time = live->time, .cause_value = live->value, .limit = NAN,
			                .cause_quality = live->quality, .arrival = live->arrival, .late = true,
			                .since = began, .through = re->hot.time };
		fn(arg, &t);
	}
}

static uint16_t silent_bits(const struct plan *p)
{
	uint16_t bits = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].family == FAMILY_SILENT)
			bits |= (uint16_t)(1u << i);
	return bits;
}

// The live point takes over what the whole history says; silence is not a matter of history.
static void take_over(struct evaluator *ev, const struct rejudging *re)
{
	struct hot *h = &ev->hot[re->j.point];
	uint16_t silent = silent_bits(re->j.plan);
	h->active = (uint16_t)((h->active & silent) | (re->hot.active & ~silent));
	h->pending = re->hot.pending;
	h->value = re->hot.value;
	h->quality = re->hot.quality;
	h->flags = (uint16_t)((h->flags & ~(HOT_FLAT | HOT_SERVICED)) | (re->hot.flags & (HOT_FLAT | HOT_SERVICED)));
	memcpy(point_words(ev, re->j.point), re->words, re->j.plan->words * sizeof *re->words);
	timer_set(ev, re->j.point);
}

static bool late_point(struct evaluator *ev, const struct late_point *l, late_read *read, void *read_arg,
                       struct arena *a, transition_fn *fn, void *arg)
{
	struct judged live = judged_of(ev, l->point, NULL, NULL);
	struct rejudging re = { .a = a };
	int64_t from, to = MIN(live.h->time, l->to + LATE_AHEAD);
	re.hot = (struct hot){ .quality = QUALITY_NONE };
	re.j = live;
	re.j.h = &re.hot;
	re.j.w = re.words;
	re.j.fn = collect;
	re.j.arg = &re;
	plan_reset_words(live.plan, re.words);
	if (find_start(&re, l->from, read, read_arg, &from) || rejudge(&re, from, to + 1, read, read_arg))
		return false;
	bool whole = re.hot.time == live.h->time;
	say_episodes(&re, l->from, fn, arg);
	if (whole) {
		say_ends(&re, live.h, live.w, fn, arg);
		take_over(ev, &re);
	}
	return true;
}

static void late_remove(struct evaluator *ev, uint32_t at)
{
	if (ev->late[at].point <= ev->max_point)
		ev->cold[ev->late[at].point].late_at = 0;
	ev->late[at] = ev->late[--ev->nlate];
	if (at < ev->nlate && ev->late[at].point <= ev->max_point)
		ev->cold[ev->late[at].point].late_at = at + 1;
}

size_t evaluator_late(struct evaluator *ev, size_t max, late_read *read, void *read_arg, struct arena *a,
                      transition_fn *fn, void *arg)
{
	size_t done = 0;
	for (uint32_t i = ev->nlate; i-- > 0 && done < max;) {
		struct late_point *l = &ev->late[i], now = *l;
		if (l->fresh && l->waited < LATE_PATIENCE) { // a device that re-sends a day is judged once, not a hundred times
			l->fresh = false;
			l->waited++;
			continue;
		}
		late_remove(ev, i);
		if (now.point > ev->max_point || !ev->hot[now.point].known)
			continue;
		if (!late_point(ev, &now, read, read_arg, a, fn, arg))
			ev->late_dropped++; // history could not be read; the readings are stored all the same
		arena_reset(a);
		done++;
	}
	return ev->nlate + (ev->when ? when_judge_late(ev->when, max - done, read, read_arg, a, fn, arg) : 0);
}
