// Evaluator state in the snapshot of the series (ALARM_EXT bytes a point), and agreement with the alarm table after a
// start. T_SERIES only.
#include <math.h>

#include "alarm/eval.h"
#include "base/hash.h"

struct saved {
	int64_t time;
	double value;
	uint32_t digest;            // of the plan, but its low 4 bits: quality and HOT_SERVICED
	uint16_t active, pending;
	int64_t words[POINT_WORDS];
};
_Static_assert(sizeof(struct saved) == ALARM_EXT, "the state of a point");

void evaluator_save(void *arg, uint32_t point, void *ext)
{
	const struct evaluator *ev = arg;
	struct saved s = { 0 };
	if (point <= ev->max_point && ev->hot[point].known && (ev->hot[point].flags & HOT_SEEN)) {
		const struct hot *h = &ev->hot[point];
		const struct cold *c = &ev->cold[point];
		const struct plan *p = &ev->plans[c->plan];
		s = (struct saved){ .time = h->time, .value = h->value, .active = h->active, .pending = h->pending };
		s.digest = (p->digest & ~15u) | (h->quality & 7u) | (h->flags & HOT_SERVICED ? 8u : 0);
		if (c->words != WORDS_NONE)
			memcpy(s.words, ev->words + c->words, p->words * sizeof *s.words);
	}
	memcpy(ext, &s, sizeof s);
}

// Of a point whose rules changed while the process was down only the newest sample is known again; evaluator_adopt
// then brings back what table alarm says is active.
void evaluator_restore(void *arg, uint32_t point, const void *ext)
{
	struct evaluator *ev = arg;
	struct saved s;
	memcpy(&s, ext, sizeof s);
	if (point > ev->max_point || !ev->hot[point].known || s.time == 0)
		return;
	struct hot *h = &ev->hot[point];
	const struct cold *c = &ev->cold[point];
	const struct plan *p = &ev->plans[c->plan];
	h->time = h->arrival = s.time;
	h->value = s.value;
	h->quality = (uint8_t)(s.digest & 7u);
	h->flags = (uint16_t)((h->flags & ~HOT_SERVICED) | HOT_SEEN | (s.digest & 8u ? HOT_SERVICED : 0));
	if ((p->digest & ~15u) == (s.digest & ~15u)) {
		h->active = s.active;
		h->pending = s.pending;
		memcpy(point_words(ev, point), s.words, p->words * sizeof *s.words);
		for (size_t i = 0; i < p->n; i++)
			if (p->c[i].family == FAMILY_FLAT && (h->active & 1u << i))
				h->flags |= HOT_FLAT;
	} else {
		h->flags |= HOT_UNSURE;
	}
	timer_set(ev, point);
}

void evaluator_save_all(const struct evaluator *ev, struct buf *out)
{
	if (ev->when)
		when_save(ev->when, out);
}

void evaluator_restore_all(struct evaluator *ev, struct str saved)
{
	if (ev->when)
		when_restore(ev->when, saved);
}

static void say_active(const struct evaluator *ev, uint32_t point, size_t cond, transition_fn *fn, void *arg)
{
	const struct hot *h = &ev->hot[point];
	const struct cond *c = &ev->plans[ev->cold[point].plan].c[cond];
	const struct pair *limits = ev->limits + ev->cold[point].limits;
	uint32_t words = ev->cold[point].words;
	bool unknown = c->family == FAMILY_SILENT || c->family == FAMILY_FLAT || (h->pending & 1u << cond) || words == WORDS_NONE;
	int64_t began = unknown ? 0 : ev->words[words + c->word];
	struct transition t = { .point = point, .rule = c->rule, .key = c->key, .kind = COND_RAISED, .standing = true,
		                .level = (enum level)c->level, .at = began ? began : h->time, .cause_time = h->time,
		                .cause_value = h->value, .cause_quality = h->quality, .arrival = h->arrival,
		                .limit = c->family == FAMILY_LIMIT ? c->sign * limits[c->limit].limit : c->by };
	fn(arg, &t);
}

void evaluator_active(const struct evaluator *ev, transition_fn *fn, void *arg)
{
	for (uint32_t point = 1; point <= ev->max_point; point++) {
		const struct hot *h = &ev->hot[point];
		const struct plan *p = &ev->plans[ev->cold[point].plan];
		for (uint16_t todo = h->active; todo;) {
			size_t first = (size_t)__builtin_ctz(todo), is = first;
			uint16_t group = plan_group(p, first);
			todo &= (uint16_t)~group;
			if (judge_level(p, group, h->active, h->pending, &is))
				say_active(ev, point, is, fn, arg);
		}
	}
	if (ev->when)
		when_active(ev->when, fn, arg);
}

static void ignore(void *arg, const struct transition *t) { (void)arg, (void)t; }

void evaluator_resume(struct evaluator *ev, alarm_newest_fn *newest, void *arg)
{
	for (uint32_t point = 1; point <= ev->max_point; point++) {
		if (!ev->hot[point].known || !ev->hot[point].pending)
			continue;
		struct judged j = judged_of(ev, point, ignore, NULL);
		int64_t to = 0;
		for (uint16_t m = j.h->pending; m; m &= (uint16_t)(m - 1)) {
			const struct cond *c = &j.plan->c[__builtin_ctz(m)];
			to = MAX(to, newest(arg, point, c->rule, (enum level)c->level));
		}
		judge_advance(&j, to);
		timer_set(ev, point);
	}
	if (ev->when)
		when_resume(ev->when, newest, arg);
}

static void make_active(struct evaluator *ev, uint32_t point, size_t cond)
{
	struct hot *h = &ev->hot[point];
	const struct cond *c = &ev->plans[ev->cold[point].plan].c[cond];
	h->active |= (uint16_t)(1u << cond);
	h->pending &= (uint16_t)~(1u << cond);
	if (c->family == FAMILY_FLAT)
		h->flags |= HOT_FLAT;
	else if (c->family != FAMILY_SILENT)
		point_words(ev, point)[c->word] = 0;
	timer_set(ev, point);
}

void evaluator_adopt(struct evaluator *ev, uint32_t point, struct str rule, enum level level)
{
	uint32_t key = crc32c(0, rule.p, rule.n);
	bool known = point <= ev->max_point && ev->hot[point].known;
	const struct plan *p = known ? &ev->plans[ev->cold[point].plan] : &ev->plans[0];
	if (level >= LEVEL_WHEN && known && ev->when && when_adopt(ev->when, point, key, level))
		return;
	for (size_t i = 0; i < p->n; i++) {
		if (p->c[i].key != key || p->c[i].level != level)
			continue;
		if (plan_group(p, i) & ev->hot[point].active)
			return;
		if ((ev->hot[point].flags & (HOT_SEEN | HOT_UNSURE)) == HOT_SEEN)
			break; // its state is whole and says: not active. The return was lost.
		make_active(ev, point, i);
		return;
	}
	struct transition t = { .point = point, .rule = RULE_GONE, .key = key, .kind = COND_RETURNED, .level = level,
		                .cause_value = NAN, .limit = NAN };
	if (known)
		t.at = t.cause_time = ev->hot[point].time;
	evaluator_note_gone(ev, &t);
}
