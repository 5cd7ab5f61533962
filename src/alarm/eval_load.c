// Puts rules and points in force: plans (which conditions), limits (which numbers), state carried over from the
// generation before. T_SERIES, between two samples.
#include <math.h>

#include "alarm/eval.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/strmap.h"

// ---- life --------------------------------------------------------------------------------------
static const struct hot fresh = { .quality = QUALITY_NONE, .lo = 1, .hi = -1, .min = -INFINITY, .max = INFINITY };

// Hot and cold for points up to max_point; those that are there stay.
static void memory_grow(struct evaluator *ev, uint32_t max_point)
{
	uint32_t from = ev->hot ? ev->max_point + 1 : 0;
	void *block = mem_table(((size_t)max_point + 2) * sizeof(struct hot));
	struct hot *hot = (struct hot *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
	struct cold *cold = mem_table(((size_t)max_point + 1) * sizeof *cold);
	if (from) {
		memcpy(hot, ev->hot, from * sizeof *hot);
		memcpy(cold, ev->cold, from * sizeof *cold);
	}
	mem_free(ev->hot_block);
	mem_free(ev->cold);
	ev->hot_block = block;
	ev->hot = hot;
	ev->cold = cold;
	for (uint32_t i = from; i <= max_point; i++)
		ev->hot[i] = fresh;
	ev->max_point = max_point;
}

// Nothing is known.
static void memory_new(struct evaluator *ev, uint32_t max_point)
{
	ev->hot_block = NULL;
	ev->hot = NULL;
	ev->cold = NULL;
	memory_grow(ev, max_point);
	ev->plans = mem_alloc(sizeof *ev->plans); // plan 0 judges nothing
	ev->words = mem_alloc(sizeof *ev->words);
	ev->limits = mem_alloc(sizeof *ev->limits);
	ev->nplans = ev->plans_cap = 1;
	ev->words_cap = ev->limits_cap = 1;
	ev->nwords = ev->nlimits = ev->npoints = ev->nwatched = 0;
	ev->next_calibration = INT64_MAX;
}

struct evaluator *evaluator_new(uint32_t max_point)
{
	struct evaluator *ev = mem_alloc(sizeof *ev);
	memory_new(ev, 0);
	ev->limit_point = max_point;
	return ev;
}

static void memory_free(struct evaluator *ev)
{
	mem_free(ev->hot_block);
	mem_free(ev->cold);
	mem_free(ev->plans);
	mem_free(ev->words);
	mem_free(ev->limits);
}

void evaluator_free(struct evaluator *ev)
{
	if (!ev)
		return;
	memory_free(ev);
	mem_free(ev->heap);
	mem_free(ev->gone);
	mem_free(ev->late);
	when_free(ev->when);
	mem_free(ev);
}

void evaluator_note_gone(struct evaluator *ev, const struct transition *t)
{
	if (ev->ngone == ev->gone_cap) {
		ev->gone_cap = ev->gone_cap ? ev->gone_cap * 2 : 64;
		ev->gone = mem_resize(ev->gone, ev->gone_cap * sizeof *ev->gone);
	}
	ev->gone[ev->ngone++] = *t;
}

struct evaluator_stats evaluator_stats(const struct evaluator *ev)
{
	size_t points = (size_t)ev->max_point + 1;
	return (struct evaluator_stats){
		.points = ev->npoints, .watched = ev->nwatched, .pending = ev->nheap, .late = ev->nlate,
		.late_dropped = ev->late_dropped,
		.bytes = points * (sizeof(struct hot) + sizeof(struct cold)) + ev->plans_cap * sizeof *ev->plans +
		         ev->words_cap * sizeof *ev->words + ev->limits_cap * sizeof *ev->limits +
		         ev->heap_cap * sizeof *ev->heap + ev->late_cap * sizeof *ev->late + (ev->when ? when_bytes(ev->when) : 0)
	};
}

// ---- which rules watch a point ------------------------------------------------------------------
struct before {                 // what a point was before it is put anew or dropped
	struct hot hot;
	uint32_t plan, at_words, nwords, at_limits;
	int64_t words[POINT_WORDS + 1];
};
struct evaluator_load {
	struct evaluator *ev;
	bool all;
	struct evaluator old;       // all: what was in force
	struct before *before;      // not all: of the point that is put; its words and limits are used again if they fit
	const struct rule_set *rs;
	const struct registry *reg;
	struct arena *a;
	struct strmap *kinds;       // kind → index in by_kind
	struct kind_rules { uint16_t *v; size_t n, cap; double min, max; } *by_kind;
	size_t nkinds, kinds_cap;
	struct strmap *plans;       // rules and levels of a point → plan
	uint32_t *plan_limits;      // by plan: the limits used last, UINT32_MAX = none yet
	size_t nplan_limits, plan_limits_cap;
	struct when_load *when;
	int64_t now;
};

static struct kind_rules *kind_of(struct evaluator_load *b, struct str kind)
{
	uint32_t i;
	if (strmap_get(b->kinds, kind, &i))
		return &b->by_kind[i];
	const struct point_kind *k = registry_kind(b->reg, kind);
	strmap_put(b->kinds, kind, (uint32_t)b->nkinds);
	b->by_kind = arena_push(b->a, b->by_kind, &b->nkinds, &b->kinds_cap, sizeof *b->by_kind);
	struct kind_rules *kr = &b->by_kind[b->nkinds - 1];
	kr->min = k ? k->min : NAN;
	kr->max = k ? k->max : NAN;
	for (size_t r = 0; r < b->rs->n; r++)
		for (size_t n = 0; n < b->rs->v[r].nkinds; n++)
			if (str_eq(b->rs->v[r].kinds[n], kind)) {
				kr->v = arena_push(b->a, kr->v, &kr->n, &kr->cap, sizeof *kr->v);
				kr->v[kr->n - 1] = (uint16_t)r;
				break;
			}
	return kr;
}

// The limit of a level at a point, multiplied by sign; false if the point has none.
static bool limit_of(const struct rule_cond *c, enum level level, const struct point_def *p, struct pair *ret)
{
	double sign = level == LEVEL_H || level == LEVEL_HH ? 1 : -1, limit;
	if (!rule_limit(c, level, p, &limit))
		return false;
	ret->limit = sign * limit;
	ret->clear = p->own.has_deadband ? sign * limit - p->own.deadband :
	             c->has_clear ? sign * c->clear :
	             c->has_clear_by ? sign * limit - c->clear_by : sign * limit;
	return true;
}

// ---- plans -------------------------------------------------------------------------------------
static const uint8_t family_of[ALARM_LEVELS] = { FAMILY_LIMIT, FAMILY_LIMIT,  FAMILY_LIMIT, FAMILY_LIMIT,
	                                         FAMILY_RATE,  FAMILY_SILENT, FAMILY_FLAT,  FAMILY_BAD,
	                                         FAMILY_BAD,   FAMILY_BAD };
static const uint8_t words_of[ALARM_LEVELS] = { 1, 1, 1, 1, 5, 0, 2, 1 };

// What two points must share to share a plan.
struct chosen { uint16_t rule; uint16_t levels; }; // levels: bits that exist at this point
struct plan_key {
	int64_t on, off;            // the point's own delays of limits, -1 = the rules'
	struct chosen v[POINT_CONDS];
};

static void plan_add(struct plan *p, const struct rule_set *rs, const struct plan_key *key, uint16_t rule, enum level level)
{
	const struct rule *r = &rs->v[rule];
	const struct rule_cond *rc = &r->at[level];
	struct cond *c = &p->c[p->n];
	*c = (struct cond){ .level = (uint8_t)level, .family = family_of[level], .word = p->words, .rule = rule,
		            .key = r->key, .on = rc->on, .off = rc->off, .per = rc->per, .by = rc->limit };
	c->sign = level == LEVEL_H || level == LEVEL_HH || (level == LEVEL_RATE && rc->rise) ? 1 : -1;
	c->group = p->n;
	if (c->family == FAMILY_LIMIT) {
		c->limit = p->nlimits++;
		c->on = key->on < 0 ? c->on : key->on;
		c->off = key->off < 0 ? c->off : key->off;
		for (uint8_t i = 0; i < p->n; i++)
			if (p->c[i].family == FAMILY_LIMIT && p->c[i].rule == rule) {
				c->group = p->c[i].group;
				break;
			}
	}
	p->n++;
	p->words = (uint8_t)(p->words + words_of[level]);
	p->slow |= level == LEVEL_RATE || level == LEVEL_FLAT;
	p->lookback = MAX(p->lookback, MAX(c->per * 2, level == LEVEL_SILENT ? 0 : c->on) + c->off);
	uint32_t identity[2] = { r->key, (uint32_t)level };
	p->digest = crc32c(p->digest, identity, sizeof identity);
}

static bool cond_same(const struct cond *a, const struct cond *b)
{
	return a->level == b->level && a->rule == b->rule && a->key == b->key && a->word == b->word && a->limit == b->limit &&
	       a->sign == b->sign && a->group == b->group && a->on == b->on && a->off == b->off && a->per == b->per && a->by == b->by;
}

// The plan that is the same as p, which stands behind the last; or p itself.
static uint32_t plan_there(const struct evaluator *ev, const struct plan *p)
{
	for (uint32_t i = 1; i < ev->nplans; i++) {
		const struct plan *q = &ev->plans[i];
		size_t same = 0;
		while (q->n == p->n && q->digest == p->digest && same < p->n && cond_same(&p->c[same], &q->c[same]))
			same++;
		if (q->n == p->n && same == p->n)
			return i;
	}
	return ev->nplans;
}

static int64_t shortest_silence(const struct plan *p)
{
	int64_t shortest = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].family == FAMILY_SILENT && (!shortest || p->c[i].on < shortest))
			shortest = p->c[i].on;
	return shortest;
}

static uint32_t plan_for(struct evaluator_load *b, const struct plan_key *own, size_t n)
{
	struct evaluator *ev = b->ev;
	const struct chosen *v = own->v;
	struct str key = str_from((const char *)own, offsetof(struct plan_key, v) + n * sizeof *v);
	uint32_t at;
	if (n == 0)
		return 0;
	if (strmap_get(b->plans, key, &at))
		return at;
	if (ev->nplans == ev->plans_cap) {
		ev->plans_cap = MAX(ev->plans_cap * 2, 16u);
		ev->plans = mem_resize(ev->plans, ev->plans_cap * sizeof *ev->plans);
	}
	struct plan *p = &ev->plans[ev->nplans];
	*p = (struct plan){ 0 };
	for (size_t i = 0; i < n; i++)
		p->clock |= (v[i].levels & (1u << LEVEL_RATE | 1u << LEVEL_FLAT)) != 0;
	p->words = p->clock;
	for (size_t i = 0; i < n; i++)
		for (int level = 0; level < LEVEL_WHEN; level++)
			if (v[i].levels & 1u << level)
				plan_add(p, b->rs, own, v[i].rule, (enum level)level);
	p->silent_for = shortest_silence(p);
	at = b->all ? ev->nplans : plan_there(ev, p);
	strmap_put(b->plans, key, at);
	ev->nplans += at == ev->nplans;
	return at;
}

// ---- points ------------------------------------------------------------------------------------
static bool limits_same(const struct evaluator *ev, uint32_t at, const struct pair *v, size_t n)
{
	return at + n <= ev->nlimits && memcmp(&ev->limits[at], v, n * sizeof *v) == 0;
}

// Limits of points next to each other, or of the plan, are often the same numbers: shared.
static uint32_t limits_for(struct evaluator_load *b, uint32_t plan, const struct pair *v, size_t n)
{
	struct evaluator *ev = b->ev;
	if (b->before && limits_same(ev, b->before->at_limits, v, n))
		return b->before->at_limits;
	while (b->nplan_limits <= plan) {
		b->plan_limits = arena_push(b->a, b->plan_limits, &b->nplan_limits, &b->plan_limits_cap,
		                            sizeof *b->plan_limits);
		b->plan_limits[b->nplan_limits - 1] = UINT32_MAX;
	}
	uint32_t *plan_limits = &b->plan_limits[plan];
	if (n == 0 || (*plan_limits != UINT32_MAX && limits_same(ev, *plan_limits, v, n)))
		return n ? *plan_limits : 0;
	if (ev->nlimits + n > ev->limits_cap) {
		ev->limits_cap = MAX(ev->limits_cap * 5 / 4, ev->nlimits + n + 64);
		ev->limits = mem_resize(ev->limits, ev->limits_cap * sizeof *ev->limits);
	}
	memcpy(&ev->limits[ev->nlimits], v, n * sizeof *v);
	*plan_limits = (uint32_t)ev->nlimits;
	ev->nlimits += n;
	return *plan_limits;
}

static uint32_t words_take(struct evaluator *ev, size_t n)
{
	if (ev->nwords + n > ev->words_cap) {
		ev->words_cap = MAX(ev->words_cap * 5 / 4, ev->nwords + n + 64);
		ev->words = mem_resize(ev->words, ev->words_cap * sizeof *ev->words);
	}
	ev->nwords += n;
	return (uint32_t)(ev->nwords - n);
}

void words_keep(struct evaluator *ev, uint32_t point)
{
	struct cold *c = &ev->cold[point];
	size_t n = ev->plans[c->plan].words, i = 0;
	while (c->words == WORDS_NONE && i < n && ev->none[i] == 0)
		i++;
	if (c->words != WORDS_NONE || i == n)
		return;
	c->words = words_take(ev, n);
	memcpy(ev->words + c->words, ev->none, n * sizeof *ev->none);
	memset(ev->none, 0, n * sizeof *ev->none);
}

static uint32_t words_for(struct evaluator_load *b, size_t n)
{
	struct evaluator *ev = b->ev;
	if (b->before && b->before->nwords >= n)
		return b->before->at_words;
	return words_take(ev, n);
}

// The rules of a point with the levels that exist there, and their limits; never more than a point's state holds.
static size_t choose(struct evaluator_load *b, const struct kind_rules *kr, const struct point_def *p,
                     struct chosen chosen[POINT_CONDS], struct pair pairs[POINT_CONDS], size_t *npairs)
{
	size_t n = 0, conds = 0, words = 1;
	for (size_t i = 0; i < kr->n; i++) {
		const struct rule *r = &b->rs->v[kr->v[i]];
		uint16_t levels = 0;
		if (!rule_watches(r, p))
			continue;
		for (int level = 0; level < LEVEL_WHEN; level++) { // the others have a memory of their own: when.h
			struct pair pair;
			bool limit = level <= LEVEL_HH;
			if (!r->at[level].set || conds == POINT_CONDS || words + words_of[level] > POINT_WORDS + 1u ||
			    (limit && !limit_of(&r->at[level], (enum level)level, p, &pair)))
				continue;
			if (limit)
				pairs[(*npairs)++] = pair;
			conds++;
			words += words_of[level];
			levels |= (uint16_t)(1u << level);
		}
		if (levels)
			chosen[n++] = (struct chosen){ kr->v[i], levels };
	}
	return n;
}

static void point_add(struct evaluator_load *b, const struct point_def *p)
{
	struct evaluator *ev = b->ev;
	const struct kind_rules *kr = kind_of(b, p->kind);
	struct plan_key key = { .on = p->own.has_on ? p->own.on : -1, .off = p->own.has_off ? p->own.off : -1 };
	struct pair pairs[POINT_CONDS];
	size_t npairs = 0, n = choose(b, kr, p, key.v, pairs, &npairs);
	struct hot *h = &ev->hot[p->id];
	struct cold *c = &ev->cold[p->id];
	c->plan = plan_for(b, &key, n);
	const struct plan *pl = &ev->plans[c->plan];
	c->limits = limits_for(b, c->plan, pairs, npairs);
	c->words = pl->clock || (b->before && b->before->nwords) ? words_for(b, pl->words) : WORDS_NONE;
	plan_reset_words(pl, point_words(ev, p->id));
	c->calibration_due = (uint32_t)((p->calibration_due + US_PER_MIN - 1) / US_PER_MIN);
	h->known = 1;
	h->min = !isnan(p->min) ? p->min : !isnan(kr->min) ? kr->min : -INFINITY;
	h->max = !isnan(p->max) ? p->max : !isnan(kr->max) ? kr->max : INFINITY;
	if (p->out_of_service || p->maintenance)
		h->flags |= HOT_MAINTENANCE;
	if (p->calibration_due && p->calibration_due <= b->now)
		h->flags |= HOT_CALIBRATION;
	else if (p->calibration_due)
		ev->next_calibration = MIN(ev->next_calibration, p->calibration_due);
	ev->npoints++;
	ev->nwatched += pl->n > 0;
}

// ---- state from the generation before -----------------------------------------------------------
static void carry_words(const struct plan *old, const int64_t *ow, const struct plan *new, int64_t *nw, struct hot *h,
                        const struct hot *oh)
{
	if (old->clock && new->clock)
		nw[0] = ow[0];
	for (size_t i = 0; i < new->n; i++)
		for (size_t k = 0; k < old->n; k++) {
			if (new->c[i].key != old->c[k].key || new->c[i].level != old->c[k].level)
				continue;
			bool same_window = new->c[i].per == old->c[k].per && new->c[i].sign == old->c[k].sign;
			h->active |= (uint16_t)((oh->active >> k & 1) << i);
			h->pending |= (uint16_t)((oh->pending >> k & 1) << i);
			memcpy(&nw[new->c[i].word], &ow[old->c[k].word],
			       (same_window ? words_of[new->c[i].level] : 1) * sizeof *nw);
		}
}

static uint16_t group_in(const struct plan *p, const struct cond *like)
{
	uint16_t group = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].key == like->key && p->c[i].family == like->family)
			group |= (uint16_t)(1u << i);
	return group;
}

// What was active under the old rules and is not, or at another level, under the new.
static void say_gone(struct evaluator *ev, uint32_t point, const struct plan *old, const struct hot *oh,
                     const struct plan *new, const struct hot *h, int64_t now)
{
	for (uint16_t todo = oh->active; todo;) {
		size_t was = (size_t)__builtin_ctz(todo), is = 0;
		uint16_t group = plan_group(old, was), in_new = group_in(new, &old->c[was]);
		todo &= (uint16_t)~group;
		(void)judge_level(old, group, oh->active, oh->pending, &was);
		struct transition t = { .point = point, .rule = RULE_GONE, .key = old->c[was].key, .at = now,
			                .level = (enum level)old->c[was].level, .kind = COND_RETURNED,
			                .cause_time = oh->time, .cause_value = oh->value, .limit = NAN,
			                .cause_quality = oh->quality, .arrival = now };
		if (judge_level(new, in_new, h->active, h->pending, &is)) {
			if (new->c[is].level == old->c[was].level)
				continue;
			t.kind = COND_LEVEL;
			t.level = (enum level)new->c[is].level;
		}
		if (in_new)
			t.rule = new->c[__builtin_ctz(in_new)].rule;
		evaluator_note_gone(ev, &t);
	}
}

// The state that a point had under plan op goes on under the one it has now, if it is still there.
static void carry(struct evaluator *ev, uint32_t point, const struct hot *oh, const struct plan *op, const int64_t *ow, int64_t now)
{
	static const struct hot nothing;
	const struct plan *np = &ev->plans[0];
	const struct hot *state = &nothing;
	if (point <= ev->max_point && ev->hot[point].known) {
		struct hot *h = &ev->hot[point];
		np = &ev->plans[ev->cold[point].plan];
		state = h;
		h->time = oh->time;
		h->arrival = oh->arrival;
		h->value = oh->value;
		h->quality = oh->quality;
		h->flags |= oh->flags & (HOT_SEEN | HOT_SERVICED);
		if ((oh->flags & HOT_MAINTENANCE) && !(h->flags & HOT_MAINTENANCE)) // also if none came meanwhile, the next sample says anew
			h->flags |= HOT_SERVICED;                                    // what lasts
		carry_words(op, ow, np, point_words(ev, point), h, oh);
		words_keep(ev, point);
		for (size_t i = 0; i < np->n; i++)
			if (np->c[i].family == FAMILY_FLAT && (h->active & 1u << i))
				h->flags |= HOT_FLAT;
	}
	say_gone(ev, point, op, oh, np, state, now);
}

// ---- a load ------------------------------------------------------------------------------------
struct evaluator_load *evaluator_begin(struct evaluator *ev, const struct rule_set *rs, const struct registry *reg, bool all,
                                       uint32_t max_point, int64_t now)
{
	struct evaluator_load *l = mem_alloc(sizeof *l);
	*l = (struct evaluator_load){ .ev = ev, .all = all, .rs = rs, .reg = reg, .a = arena_new(0), .kinds = strmap_new(64),
		                      .plans = strmap_new(256), .now = now };
	l->when = when_begin(ev->when, rs, reg, all);
	if (all) {
		l->old = *ev;
		memory_new(ev, MAX(ev->max_point, MIN(max_point, ev->limit_point)));
	}
	return l;
}

static void room_for(struct evaluator *ev, uint32_t point)
{
	if (point > ev->max_point)
		memory_grow(ev, MIN(point + point / 8, ev->limit_point));
}

// Its places on the wheel, in the heap and among the late stay: an entry too many costs a look.
static void take_out(struct evaluator *ev, uint32_t point, struct before *ret)
{
	struct hot *h = &ev->hot[point];
	struct cold *c = &ev->cold[point];
	*ret = (struct before){ .hot = *h, .plan = c->plan, .at_words = c->words, .at_limits = c->limits };
	ret->nwords = c->words == WORDS_NONE ? 0 : ev->plans[c->plan].words;
	memcpy(ret->words, ev->words + (ret->nwords ? c->words : 0), ret->nwords * sizeof *ret->words);
	ev->npoints -= h->known;
	ev->nwatched -= h->known && ev->plans[c->plan].n > 0;
	*h = fresh;
	h->flags = ret->hot.flags & (HOT_WHEEL | HOT_INPUT);
	*c = (struct cold){ .heap_at = c->heap_at, .wheel_next = c->wheel_next, .late_at = c->late_at };
}

static void put_anew(struct evaluator_load *l, uint32_t point, const struct point_def *p) // p NULL: dropped
{
	struct evaluator *ev = l->ev;
	struct before b;
	take_out(ev, point, &b);
	l->before = &b;
	if (p)
		point_add(l, p);
	l->before = NULL;
	if (b.hot.known)
		carry(ev, point, &b.hot, &ev->plans[b.plan], b.words, l->now);
	if (p)
		timer_set(ev, point);
}

void evaluator_put(struct evaluator_load *l, const struct point_def *p)
{
	if (p->id > l->ev->limit_point)
		return;
	room_for(l->ev, p->id);
	when_put(l->when, p);
	if (l->all)
		point_add(l, p);
	else
		put_anew(l, p->id, p);
}

void evaluator_drop(struct evaluator_load *l, uint32_t point)
{
	if (l->all || point > l->ev->max_point)
		return;
	when_drop(l->when, point);
	put_anew(l, point, NULL);
}

static void trim(struct evaluator *ev)
{
	ev->words_cap = ev->nwords + 1;
	ev->words = mem_resize(ev->words, ev->words_cap * sizeof *ev->words);
	ev->limits_cap = ev->nlimits + 1;
	ev->limits = mem_resize(ev->limits, ev->limits_cap * sizeof *ev->limits);
}

static void note_gone(void *ev, const struct transition *t) { evaluator_note_gone(ev, t); }

static void mark_inputs(struct evaluator *ev, bool on)
{
	for (size_t i = 0; ev->when && i < ev->when->nchannels; i++) {
		uint32_t point = ev->when->channels[i].point;
		if (point <= ev->max_point)
			ev->hot[point].flags = (uint16_t)((ev->hot[point].flags & ~HOT_INPUT) | (on ? HOT_INPUT : 0));
	}
}

void evaluator_end(struct evaluator_load *l)
{
	struct evaluator *ev = l->ev;
	mark_inputs(ev, false);
	ev->when = when_end(l->when, ev->when, l->now, note_gone, ev);
	mark_inputs(ev, true);
	if (l->all) {
		for (uint32_t point = 1; point <= l->old.max_point; point++) {
			const struct cold *c = &l->old.cold[point];
			if (l->old.hot[point].known)
				carry(ev, point, &l->old.hot[point], &l->old.plans[c->plan], point_words(&l->old, point), l->now);
		}
		memory_free(&l->old);
		trim(ev);
		timers_rebuild(ev);
		for (uint32_t i = 0; i < ev->nlate; i++)
			if (ev->late[i].point <= ev->max_point)
				ev->cold[ev->late[i].point].late_at = i + 1;
	}
	strmap_free(l->kinds);
	strmap_free(l->plans);
	arena_free(l->a);
	mem_free(l);
}

void evaluator_load(struct evaluator *ev, const struct rule_set *rs, const struct registry *reg,
                    const struct point_def *points, size_t n, int64_t now)
{
	struct evaluator_load *l = evaluator_begin(ev, rs, reg, true, 0, now);
	for (size_t i = 0; i < n; i++)
		evaluator_put(l, &points[i]);
	evaluator_end(l);
}
