// Readings that came late at a point that expressions read: its windows are made anew from history, and each of its watchers is
// judged again by the same code on the history of all its points, from before the late readings to now. What was raised stays raised;
// episodes that were missed come out with late = true, and the watcher's state becomes what the whole history says. T_SERIES only.
#include <math.h>

#include "alarm/rule.h"
#include "base/arena.h"
#include "series/series.h"

#define LATE_PATIENCE 64        // calls that a point is left alone while its late samples keep coming
#define LATE_BEHIND US_PER_HOUR // judged before the oldest late sample at least
#define LATE_SLICE US_PER_DAY   // history is read in slices of this

struct episode { struct transition raised, returned; bool over; };

struct again {                  // a watcher judged again
	const struct watcher *w;
	struct when_set *own;   // with only its points
	struct episode *v;
	size_t n, cap;
	struct arena *a;
	struct sample **samples;
	size_t *nsamples, *at;
};

void when_note_late(struct when_set *s, uint32_t point, int64_t from, int64_t to)
{
	const struct channel *c = when_channel(s, point);
	if (!c)
		return;
	for (size_t i = 0; i < s->nlate; i++)
		if (s->late[i].point == point) {
			s->late[i].fresh = true;
			s->late[i].from = MIN(s->late[i].from, from);
			s->late[i].to = MAX(s->late[i].to, to);
			return;
		}
	if (s->nlate == s->late_cap) { // at most one entry a point
		s->late_cap = s->late_cap ? s->late_cap * 2 : 16;
		s->late = mem_resize(s->late, s->late_cap * sizeof *s->late);
	}
	s->late[s->nlate++] = (struct when_late){ .point = point, .fresh = true, .from = from, .to = to };
}

static int64_t reach_of(const struct when_slot *s)
{
	int64_t reach = 2 * s->window;
	for (size_t i = 0; i < WHEN_DUES; i++)
		reach = MAX(reach, 2 * s->due[i]);
	return reach;
}

// ---- the windows of the point --------------------------------------------------------------------
static enum err windows_again(struct when_set *s, struct channel *c, late_read *read, void *read_arg, struct arena *a)
{
	int64_t reach = LATE_BEHIND;
	struct sample *v;
	size_t n;
	for (uint32_t i = c->features; i < c->features + c->nfeatures; i++)
		reach = MAX(reach, reach_of(s->features[i].slot));
	enum err err = c->nfeatures ? read(read_arg, c->point, MAX(c->time - reach, 1), c->time + 1, a, &v, &n) : OK;
	if (err || c->nfeatures == 0)
		return err;
	for (uint32_t i = c->features; i < c->features + c->nfeatures; i++) {
		struct channel before = { .hold = c->hold };
		int64_t *ring = s->rings + s->features[i].ring;
		window_reset(&s->features[i], ring);
		for (size_t k = 0; k < n; k++) {
			struct reading r = { .point = c->point, .time = v[k].time, .value = v[k].value, .quality = v[k].quality };
			bool usable = r.quality <= Q_RANGE;
			window_sample(&s->features[i], ring, &before, &r, usable);
			before.time = r.time;
			before.value = r.value;
			before.usable = usable;
		}
	}
	return OK;
}

// ---- a watcher -----------------------------------------------------------------------------------
static void collect(void *arg, const struct transition *t)
{
	struct again *g = arg;
	if (t->point != g->w->point || t->key != g->w->key || t->level != LEVEL_WHEN)
		return;
	if (t->kind == COND_RAISED) {
		g->v = arena_push(g->a, g->v, &g->n, &g->cap, sizeof *g->v);
		g->v[g->n - 1] = (struct episode){ .raised = *t };
	} else if (g->n) {
		g->v[g->n - 1].returned = *t;
		g->v[g->n - 1].over = true;
	}
}

static void set_of(struct again *g, const struct when_set *s)
{
	struct when_load *l = when_begin(NULL, s->rules, s->reg, true);
	const struct when *when = s->rules->v[g->w->rule].when;
	when_put(l, when_point_of(s, g->w->point));
	for (size_t i = 0; i < when->nslots; i++) {
		const struct bind *b = &s->binds[g->w->binds + i];
		for (uint32_t k = 0; k < b->n && b->n != UINT32_MAX; k++) {
			uint32_t point = s->channels[s->members[b->first + k].channel].point;
			if (point != g->w->point && !when_has(l, point))
				when_put(l, when_point_of(s, point));
		}
	}
	g->own = when_end(l, NULL, 0, NULL, NULL);
}

static enum err feed_slice(struct again *g, int64_t from, int64_t to, late_read *read, void *read_arg)
{
	struct when_set *own = g->own;
	enum err err = OK;
	for (size_t i = 0; i < own->nchannels && !err; i++) {
		g->at[i] = 0;
		err = read(read_arg, own->channels[i].point, from, to, g->a, &g->samples[i], &g->nsamples[i]);
	}
	while (!err) {
		size_t next = own->nchannels;
		for (size_t i = 0; i < own->nchannels; i++)
			if (g->at[i] < g->nsamples[i] &&
			    (next == own->nchannels || g->samples[i][g->at[i]].time < g->samples[next][g->at[next]].time))
				next = i;
		if (next == own->nchannels)
			break;
		const struct sample *v = &g->samples[next][g->at[next]++];
		struct reading r = { .point = own->channels[next].point, .time = v->time, .value = v->value, .quality = v->quality };
		when_feed(own, &r, r.time, collect, g);
	}
	return err;
}

static enum err judge_again(struct again *g, int64_t from, late_read *read, void *read_arg)
{
	enum err err = OK;
	g->samples = arena_many(g->a, g->own->nchannels, struct sample *);
	g->nsamples = arena_many(g->a, g->own->nchannels, size_t);
	g->at = arena_many(g->a, g->own->nchannels, size_t);
	for (int64_t at = from; at <= g->w->clock && !err; at += LATE_SLICE)
		err = feed_slice(g, at, MIN(at + LATE_SLICE, g->w->clock + 1), read, read_arg);
	when_settle(g->own, collect, g);
	return err;
}

// In order; alarm_apply leaves out those it knows.
static void say_episodes(const struct again *g, int64_t from, transition_fn *fn, void *arg)
{
	for (size_t i = 0; i < g->n; i++) {
		struct transition t = g->v[i].raised, end = g->v[i].returned;
		if (g->v[i].over && end.at < from)
			continue;
		t.late = end.late = true;
		t.through = end.through = g->w->clock;
		t.ended = g->v[i].over ? end.at : 0;
		t.prev_ended = i ? g->v[i - 1].returned.at : 0;
		end.since = t.at;
		fn(arg, &t);
		if (g->v[i].over)
			fn(arg, &end);
	}
}

static void take_over(struct when_set *s, const struct again *g, struct watcher *w, const struct watcher *is, transition_fn *fn, void *arg)
{
	const uint8_t bit = 1u << WATCH_WHEN;
	bool was = w->active & bit, now = is->active & bit, told = false;
	int64_t *since = s->cold[w - s->watchers].since, began = w->pending & bit ? 0 : since[WATCH_WHEN];
	for (size_t i = 0; i < g->n; i++)
		told |= g->v[i].over && g->v[i].returned.at > began && began >= g->v[i].raised.at;
	if (was && !now && !told) { // by the whole history it is not active, and its end was not among the episodes
		struct transition t = when_said(s, w, WATCH_WHEN, COND_RETURNED, MAX(w->clock, began));
		t.late = true;
		t.since = began;
		t.through = w->clock;
		fn(arg, &t);
	}
	if (!(was && now && !((w->pending | is->pending) & bit)))
		since[WATCH_WHEN] = g->own->cold[is - g->own->watchers].since[WATCH_WHEN];
	w->active = (uint8_t)((w->active & ~bit) | (is->active & bit));
	w->pending = (uint8_t)((w->pending & ~bit) | (is->pending & bit));
}

static void watcher_again(struct when_set *s, uint32_t at, const struct when_late *l, late_read *read, void *read_arg, struct arena *a,
                          transition_fn *fn, void *arg)
{
	struct watcher *w = &s->watchers[at];
	const struct rule *r = &s->rules->v[w->rule];
	struct again g = { .w = w, .a = a };
	int64_t back = LATE_BEHIND;
	if (!w->clock)
		return;
	for (size_t i = 0; i < r->when->nslots; i++)
		back = MAX(back, reach_of(&r->when->slots[i]) + r->at[LEVEL_WHEN].on + r->at[LEVEL_WHEN].off);
	set_of(&g, s);
	const struct watcher *is = when_watcher(g.own, w->point, w->key);
	if (is && judge_again(&g, MAX(l->from - back, 1), read, read_arg) == OK) {
		say_episodes(&g, l->from, fn, arg);
		take_over(s, &g, w, is, fn, arg);
		when_mark(s, at);
	}
	when_free(g.own);
}

size_t when_judge_late(struct when_set *s, size_t max, late_read *read, void *read_arg, struct arena *a, transition_fn *fn, void *arg)
{
	size_t done = 0;
	for (size_t i = s->nlate; i-- > 0 && done < max;) {
		struct when_late l = s->late[i];
		if (l.fresh && l.waited < LATE_PATIENCE) {
			s->late[i].fresh = false;
			s->late[i].waited++;
			continue;
		}
		s->late[i] = s->late[--s->nlate];
		struct channel *c = when_channel(s, l.point);
		if (!c || windows_again(s, c, read, read_arg, a))
			continue; // the readings are stored all the same
		for (uint32_t k = 0; k < c->nusers; k++)
			watcher_again(s, when_users(s, c)[k], &l, read, read_arg, a, fn, arg);
		arena_reset(a);
		done++;
	}
	return s->nlate;
}
