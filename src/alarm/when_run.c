// Judges watchers: at each time of a sample of theirs, and when their value may have changed by itself; delays as everywhere.
// T_SERIES, or who back-tests.
//
// An input that comes after another one's newer sample counts from that newer time on. A watcher is judged at a time once what
// came of that time is taken: at the end of a turn, or when one of its points has a later sample.
#include <math.h>

#include "alarm/rule.h"
#include "base/limits.h"

static const enum level levels[WATCH__MAX] = { LEVEL_WHEN, LEVEL_BLIND };

static const struct rule_cond *cond_of(const struct when_set *s, const struct watcher *w, int which)
{
	return &s->rules->v[w->rule].at[levels[which]];
}

// ---- timers ------------------------------------------------------------------------------------
static void heap_put(struct when_set *s, uint32_t at, struct when_timer t)
{
	s->heap[at] = t;
	s->heap_at[t.watcher] = at + 1;
}

// Four below each: half as many lines of memory on the way down as with two.
static void heap_up(struct when_set *s, uint32_t at)
{
	struct when_timer t = s->heap[at];
	for (uint32_t above; at > 0 && s->heap[above = (at - 1) / 4].due > t.due; at = above)
		heap_put(s, at, s->heap[above]);
	heap_put(s, at, t);
}

static void heap_down(struct when_set *s, uint32_t at)
{
	struct when_timer t = s->heap[at];
	for (uint32_t first; (first = 4 * at + 1) < s->nheap;) {
		uint32_t least = first, end = MIN(first + 4, s->nheap);
		for (uint32_t i = first + 1; i < end; i++)
			if (s->heap[i].due < s->heap[least].due)
				least = i;
		if (s->heap[least].due >= t.due)
			break;
		heap_put(s, at, s->heap[least]);
		at = least;
	}
	heap_put(s, at, t);
}

static void heap_pop(struct when_set *s)
{
	s->heap_at[s->heap[0].watcher] = 0;
	struct when_timer last = s->heap[--s->nheap];
	if (s->nheap > 0) {
		heap_put(s, 0, last);
		heap_down(s, 0);
	}
}

static int64_t *since_of(const struct when_set *s, const struct watcher *w) { return s->cold[w - s->watchers].since; }

// When the delay that runs is over; event time.
static int64_t delay_due(const struct when_set *s, const struct watcher *w)
{
	int64_t due = INT64_MAX;
	for (int i = 0; w->pending && i < WATCH__MAX; i++)
		if (w->pending & 1u << i)
			due = MIN(due, since_of(s, w)[i] + (w->active & 1u << i ? cond_of(s, w, i)->off : cond_of(s, w, i)->on));
	return due;
}

// An entry that is too early costs one look.
static void timer_want(struct when_set *s, uint32_t watcher)
{
	struct watcher *w = &s->watchers[watcher];
	int64_t due = MIN(w->due, delay_due(s, w));
	if (due == INT64_MAX || !s->started)
		return;
	due += w->offset;
	if (due >= w->timer)
		return;
	bool there = w->timer != INT64_MAX; // one place for each watcher
	uint32_t at = there ? s->heap_at[watcher] - 1 : s->nheap++;
	w->timer = due;
	s->heap[at] = (struct when_timer){ due, watcher };
	heap_up(s, at);
}

void when_timers(struct when_set *s)
{
	s->nheap = 0;
	for (uint32_t i = 0; i < s->nwatchers; i++) {
		s->watchers[i].timer = INT64_MAX;
		s->heap_at[i] = 0;
	}
	for (uint32_t i = 0; i < s->nwatchers; i++)
		timer_want(s, i);
}

// ---- what comes out ----------------------------------------------------------------------------
static void see(const struct when_set *s, const struct watcher *w, struct transition *t)
{
	const struct when *when = s->rules->v[w->rule].when;
	for (size_t i = 0; i < when->nslots && t->nseen < ALARM_SEEN; i++) {
		const struct bind *b = &s->binds[w->binds + i];
		for (uint32_t k = 0; k < MAX(b->n, 1u) && b->n != UINT32_MAX && t->nseen < ALARM_SEEN; k++) {
			struct bounds v = when_slot_value(s, w, i, k, t->at);
			uint32_t point = k < b->n ? s->channels[s->members[b->first + k].channel].point : 0;
			t->seen[t->nseen++] = (struct alarm_seen){ (uint16_t)i, point, v.lo == v.hi ? v.lo : NAN };
			if (when->slots[i].what >= SLOT_HIGHEST && when->slots[i].what <= SLOT_AVERAGE)
				break; // one value of all
		}
	}
}

// The quality to tell with it: maintenance, if one of the inputs is in maintenance; else that of the point itself.
static uint16_t quality_of(const struct when_set *s, const struct watcher *w, const struct channel *own)
{
	const struct when *when = s->rules->v[w->rule].when;
	for (size_t i = 0; i < when->nslots; i++) {
		const struct bind *b = &s->binds[w->binds + i];
		for (uint32_t k = 0; k < b->n && b->n != UINT32_MAX; k++)
			if (s->channels[s->members[b->first + k].channel].quality == Q_MAINTENANCE)
				return Q_MAINTENANCE;
	}
	return own && own->time ? own->quality : Q_GOOD;
}

struct transition when_said(const struct when_set *s, const struct watcher *w, int which, enum transition_kind kind, int64_t at)
{
	const struct channel *own = when_channel(s, w->point);
	struct transition t = { .point = w->point, .rule = w->rule, .key = w->key, .kind = kind, .level = levels[which], .at = at,
		                .cause_time = w->cause, .cause_value = own && own->time ? own->value : NAN,
		                .cause_quality = quality_of(s, w, own), .limit = NAN, .arrival = s->arrival };
	see(s, w, &t);
	return t;
}

static void say(struct when_set *s, const struct watcher *w, int which, enum transition_kind kind, int64_t at)
{
	if (!s->fn || s->mute)
		return;
	struct transition t = when_said(s, w, which, kind, at);
	s->fn(s->arg, &t);
}

static void change(struct when_set *s, struct watcher *w, int which, int64_t at)
{
	uint8_t bit = (uint8_t)(1u << which);
	w->active ^= bit;
	w->pending &= (uint8_t)~bit;
	since_of(s, w)[which] = at;
	say(s, w, which, w->active & bit ? COND_RAISED : COND_RETURNED, at);
}

// As lean() of eval_judge.c: the condition says `toward` the other state, or not.
static void lean(struct when_set *s, struct watcher *w, int which, bool toward, int64_t at)
{
	uint8_t bit = (uint8_t)(1u << which);
	const struct rule_cond *c = cond_of(s, w, which);
	bool active = w->active & bit;
	if (!toward) {
		if (w->pending & bit)
			since_of(s, w)[which] = 0;
		w->pending &= (uint8_t)~bit;
	} else if (!(w->pending & bit)) {
		if ((active ? c->off : c->on) == 0) {
			change(s, w, which, at);
			return;
		}
		w->pending |= bit;
		since_of(s, w)[which] = at;
	}
}

// ---- one watcher -------------------------------------------------------------------------------
static void judge(struct when_set *s, struct watcher *w, int64_t at)
{
	struct bounds v = when_value(s, w, at);
	bool yes = v.lo > 0, no = v.hi <= 0, blind = !yes && !no;
	w->clock = at;
	w->dirty = false;
	if (!blind)
		lean(s, w, WATCH_WHEN, w->active & 1u << WATCH_WHEN ? no : yes, at);
	else if (w->active & 1u << WATCH_WHEN)
		lean(s, w, WATCH_WHEN, false, at); // it does not end; a delay to its beginning goes on
	if (cond_of(s, w, WATCH_BLIND)->set)
		lean(s, w, WATCH_BLIND, w->active & 1u << WATCH_BLIND ? !blind : blind, at);
	w->due = when_next(s, w, at);
}

// Everything up to and including `to`, in its order.
static void pass(struct when_set *s, struct watcher *w, int64_t to)
{
	for (;;) {
		int64_t delay = delay_due(s, w), at = MIN(w->due, w->dirty ? w->clock : INT64_MAX), next = MIN(delay, at);
		if (next > to)
			return;
		for (int i = 0; w->pending && i < WATCH__MAX; i++)
			if (w->pending & 1u << i && since_of(s, w)[i] + (w->active & 1u << i ? cond_of(s, w, i)->off : cond_of(s, w, i)->on) == next)
				change(s, w, i, next);
		if (at == next)
			judge(s, w, next);
	}
}

static void pass_all(struct when_set *s, const struct channel *c, int64_t to)
{
	const uint32_t *users = when_users(s, c);
	for (uint32_t i = 0; i < c->nusers; i++) {
		struct watcher *w = &s->watchers[users[i]];
		if (w->clock && (w->due <= to || (w->dirty && w->clock <= to) || w->pending))
			pass(s, w, to);
	}
}

void when_mark(struct when_set *s, uint32_t watcher)
{
	struct watcher *w = &s->watchers[watcher];
	w->dirty = true;
	if (!w->queued)
		s->dirty[s->ndirty++] = watcher;
	w->queued = true;
}

void when_prefetch_rings(const struct when_set *s, const struct reading *r)
{
	const struct channel *c = when_channel(s, r->point);
	for (uint32_t i = 0; c && i < c->nfeatures; i++)
		window_prefetch(&s->features[c->features + i], s->rings + s->features[c->features + i].ring, r->time);
}

static void tell(struct when_set *s, const struct channel *c, const struct reading *r, int64_t arrival)
{
	const uint32_t *users = when_users(s, c);
	for (uint32_t i = 0; i < c->nusers; i++) {
		uint32_t at = users[i];
		struct watcher *w = &s->watchers[at];
		if (r->time >= w->clock) {
			w->clock = r->time;
			w->offset = arrival - r->time;
		}
		w->cause = MAX(w->cause, r->time);
		when_mark(s, at);
	}
}

void when_feed(struct when_set *s, const struct reading *r, int64_t arrival, transition_fn *fn, void *arg)
{
	struct channel *c = when_channel(s, r->point);
	if (!c || r->time <= c->time)
		return;
	s->fn = fn;
	s->arg = arg;
	s->arrival = arrival;
	for (uint32_t i = 0; c->nusers > 1 && i < c->nusers; i++)
		prefetch(&s->watchers[s->users[c->users + i]]);
	pass_all(s, c, r->time - 1);
	bool usable = r->quality <= Q_RANGE;
	for (uint32_t i = c->features; i < c->features + c->nfeatures; i++)
		window_sample(&s->features[i], s->rings + s->features[i].ring, c, r, usable);
	c->time = r->time;
	c->value = r->value;
	c->quality = (uint8_t)r->quality;
	c->usable = usable;
	tell(s, c, r, arrival);
}

// Of one with a member for each slot; others are rare enough to wait.
static const struct member *members_of(const struct when_set *s, size_t dirty, size_t *ret_n)
{
	const struct watcher *w = &s->watchers[s->dirty[dirty]];
	*ret_n = w->single ? MIN(s->rules->v[w->rule].when->nslots, (size_t)8) : 0;
	return &s->members[w->members];
}

// What a watcher is judged by lies in half a dozen lines of memory, at many watchers in no cache: they are asked for some watchers
// ahead, one step of the way at a time.
static void ask_ahead(const struct when_set *s, size_t i, int64_t to)
{
	size_t n = 0;
	if (i + 12 < s->ndirty)
		prefetch(&s->watchers[s->dirty[i + 12]]);
	if (i + 8 < s->ndirty)
		prefetch(&s->members[s->watchers[s->dirty[i + 8]].members]);
	const struct member *m = i + 4 < s->ndirty ? members_of(s, i + 4, &n) : NULL;
	for (size_t k = 0; k < n; k++) {
		if (m[k].feature != UINT32_MAX)
			prefetch(&s->features[m[k].feature]);
		if (m[k].channel != UINT32_MAX)
			prefetch(&s->channels[m[k].channel]);
	}
	m = i + 2 < s->ndirty ? members_of(s, i + 2, &n) : NULL;
	const struct watcher *w = m ? &s->watchers[s->dirty[i + 2]] : NULL;
	for (size_t k = 0; m && k < n; k++)
		if (m[k].feature != UINT32_MAX)
			window_prefetch(&s->features[m[k].feature], s->rings + s->features[m[k].feature].ring, MAX(w->clock, MIN(w->due, to)));
}

void when_settle(struct when_set *s, transition_fn *fn, void *arg)
{
	s->fn = fn;
	s->arg = arg;
	for (size_t i = 0; i < s->ndirty; i++) {
		ask_ahead(s, i, 0);
		struct watcher *w = &s->watchers[s->dirty[i]];
		w->queued = false;
		if (w->dirty)
			pass(s, w, w->clock);
		timer_want(s, s->dirty[i]);
	}
	s->ndirty = 0;
}

// Those whose time has come, in its order: the borders of buckets are the same for all, so they are many at once. Their place is the
// list of those with news, which is empty.
static void settle_due(struct when_set *s, int64_t now)
{
	while (s->nheap > 0 && s->heap[0].due <= now) {
		s->dirty[s->ndirty++] = s->heap[0].watcher;
		heap_pop(s);
	}
	for (size_t i = 0; i < s->ndirty; i++) {
		ask_ahead(s, i, now);
		struct watcher *w = &s->watchers[s->dirty[i]];
		w->timer = INT64_MAX;
		pass(s, w, now - w->offset);
		timer_want(s, s->dirty[i]);
	}
	s->ndirty = 0;
}

void when_advance(struct when_set *s, int64_t to, transition_fn *fn, void *arg)
{
	when_settle(s, fn, arg);
	for (uint32_t i = 0; i < s->nwatchers; i++)
		if (s->watchers[i].clock) {
			pass(s, &s->watchers[i], to);
			timer_want(s, i);
		}
}

void when_news(struct when_set *s)
{
	s->ndirty = 0;
	for (uint32_t i = 0; i < s->nwatchers; i++) {
		struct watcher *w = &s->watchers[i];
		w->dirty = w->queued = w->clock != 0;
		w->due = INT64_MAX; // it is found when it is judged
		if (w->dirty)
			s->dirty[s->ndirty++] = i;
	}
}

void when_drop_blind(struct when_set *s, struct watcher *w)
{
	if (cond_of(s, w, WATCH_BLIND)->set)
		return;
	w->active &= (uint8_t)~(1u << WATCH_BLIND);
	w->pending &= (uint8_t)~(1u << WATCH_BLIND);
}

// ---- the clock ---------------------------------------------------------------------------------
static void start(struct when_set *s, int64_t now)
{
	s->started = true;
	for (size_t i = 0; i < s->nwatchers; i++) // devices have the length of a delay to re-send what came in between
		s->watchers[i].offset = now - s->watchers[i].clock;
	when_timers(s);
}

void when_tick(struct when_set *s, int64_t now, transition_fn *fn, void *arg)
{
	s->arrival = now;
	when_settle(s, fn, arg);
	if (!s->started)
		start(s, now);
	settle_due(s, now);
}

int64_t when_due(const struct when_set *s)
{
	if (s->ndirty > 0 || !s->started)
		return 1;
	return s->nheap > 0 ? s->heap[0].due : INT64_MAX;
}

void when_clock_set(struct when_set *s, int64_t by)
{
	for (size_t i = 0; i < s->nwatchers; i++)
		s->watchers[i].offset += by;
	when_timers(s);
}

// ---- after a start -----------------------------------------------------------------------------
void when_active(const struct when_set *s, transition_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->nwatchers; i++)
		for (int k = 0; k < WATCH__MAX; k++) {
			const struct watcher *w = &s->watchers[i];
			if (!(w->active & 1u << k))
				continue;
			struct transition t = when_said(s, w, k, COND_RAISED, w->pending & 1u << k || !s->cold[i].since[k] ? w->clock : s->cold[i].since[k]);
			t.standing = true;
			fn(arg, &t);
		}
}

void when_resume(struct when_set *s, alarm_newest_fn *newest, void *arg)
{
	s->fn = NULL;
	for (uint32_t i = 0; i < s->nwatchers; i++) {
		struct watcher *w = &s->watchers[i];
		int64_t to = 0;
		for (int k = 0; k < WATCH__MAX; k++)
			if (w->pending & 1u << k)
				to = MAX(to, newest(arg, w->point, w->rule, levels[k]));
		if (to)
			pass(s, w, to);
	}
}

bool when_adopt(struct when_set *s, uint32_t point, uint32_t key, enum level level)
{
	struct watcher *w = when_watcher(s, point, key);
	int which = level == LEVEL_WHEN ? WATCH_WHEN : WATCH_BLIND;
	if (!w || !cond_of(s, w, which)->set)
		return false;
	if (w->active & 1u << which)
		return true;
	if (w->clock && !w->unsure)
		return false; // its state is whole and says: not active. The return was lost.
	w->active |= (uint8_t)(1u << which);
	w->pending &= (uint8_t)~(1u << which);
	since_of(s, w)[which] = 0;
	return true;
}
