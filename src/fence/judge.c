// The judge: positions in the order of their device's time against the fences in force. What it remembers of a mover is its newest
// position and, for each fence at which something is under way, one watch: how many positions say so, since when, whether it was said.
// Machines of both kinds are little-endian, so saved state is structs without padding.
#include <math.h>

#include "base/cursor.h"
#include "fence/fence_int.h"

#define NONE UINT32_MAX

struct live {                    // a mover
	int64_t time;            // newest judged position
	int64_t arrival;
	double lon, lat;         // of it
	double kmh;              // at it; NaN = unknown
	int64_t at[3];           // newest longitude, latitude, speed
	double v[3];
	int64_t came;            // arrival of the newest of them
	uint32_t first;          // watch, NONE
	bool seen, waiting;      // waiting: to be judged by fences_settle
};

struct watch {
	uint32_t mover, fence;   // indexes in the set
	uint32_t next;           // of the same mover
	uint32_t place;          // in the dense list
	uint8_t what;
	uint8_t n;               // positions one after the other that say so; while it lasts: that say the contrary
	bool active, used;
	int64_t since;           // first of the positions that say so
	int64_t said;            // when it began
};

struct fences {
	struct fence_set *set;   // NULL: none yet
	struct live *live;
	struct watch *watches;
	size_t nwatches, watches_cap;
	uint32_t free;           // chained by next
	uint32_t *dense;         // watches in use
	size_t ndense, dense_cap;
	uint32_t *waiting;       // movers
	size_t nwaiting;
	uint32_t *stamp;         // by fence: seen at the position at hand
	uint32_t now;
	struct fences_stats stats;
};

struct fences *fences_new(void)
{
	struct fences *f = mem_alloc(sizeof *f);
	f->free = NONE;
	return f;
}

void fences_free(struct fences *f)
{
	fence_set_free(f->set);
	mem_free(f->live);
	mem_free(f->watches);
	mem_free(f->dense);
	mem_free(f->waiting);
	mem_free(f->stamp);
	mem_free(f);
}

struct fences_stats fences_stats(const struct fences *f)
{
	struct fences_stats s = f->stats;
	s.fences = f->set ? f->set->n : 0;
	s.movers = f->set ? f->set->nmovers : 0;
	s.watches = f->ndense;
	return s;
}

// ---- watches -----------------------------------------------------------------------------------
static uint32_t watch_find(const struct fences *f, uint32_t mover, uint32_t fence, enum fence_what what)
{
	uint32_t i = f->live[mover].first;
	while (i != NONE && (f->watches[i].fence != fence || f->watches[i].what != what))
		i = f->watches[i].next;
	return i;
}

static uint32_t watch_new(struct fences *f, uint32_t mover, uint32_t fence, enum fence_what what)
{
	uint32_t i = f->free;
	if (i != NONE) {
		f->free = f->watches[i].next;
	} else {
		if (f->nwatches == f->watches_cap) {
			f->watches_cap = MAX(f->watches_cap * 2, (size_t)256);
			f->watches = mem_resize(f->watches, f->watches_cap * sizeof *f->watches);
		}
		i = (uint32_t)f->nwatches++;
	}
	if (f->ndense == f->dense_cap) {
		f->dense_cap = MAX(f->dense_cap * 2, (size_t)256);
		f->dense = mem_resize(f->dense, f->dense_cap * sizeof *f->dense);
	}
	f->watches[i] = (struct watch){ .mover = mover, .fence = fence, .what = (uint8_t)what, .used = true,
		.next = f->live[mover].first, .place = (uint32_t)f->ndense };
	f->live[mover].first = i;
	f->dense[f->ndense++] = i;
	return i;
}

static void watch_drop(struct fences *f, uint32_t i)
{
	struct watch *w = &f->watches[i];
	uint32_t *link = &f->live[w->mover].first;
	while (*link != i)
		link = &f->watches[*link].next;
	*link = w->next;
	uint32_t last = f->dense[--f->ndense];
	f->dense[w->place] = last;
	f->watches[last].place = w->place;
	w->used = false;
	w->next = f->free;
	f->free = i;
}

// ---- what comes out ----------------------------------------------------------------------------
struct telling { struct fences *f; fence_fn *fn; void *arg; };

static void numbers(const struct fence *k, const struct live *l, const struct watch *w, int64_t at, struct fence_event *e)
{
	e->value = e->limit = NAN;
	switch ((enum fence_what)w->what) {
	case FENCE_LEFT:
	case FENCE_OFF_ROUTE:
		e->value = round(fmax(fence_where(k, l->lon, l->lat), 0));
		e->limit = 0;
		break;
	case FENCE_ENTERED:
		e->value = round(fmax(-fence_where(k, l->lon, l->lat), 0));
		break;
	case FENCE_FAST:
		e->value = l->kmh;
		e->limit = k->def.speed;
		break;
	case FENCE_STAYED:
	case FENCE_STOPPED:
	case FENCE_OFF_POST:
		e->value = round((double)(at - w->since) / (double)US_PER_MIN * 10) / 10;
		e->limit = (double)k->def.allowed / (double)US_PER_MIN;
		break;
	case FENCE_WHATS:
		break;
	}
}

static void tell(const struct telling *t, const struct watch *w, bool begins, int64_t at)
{
	const struct live *l = &t->f->live[w->mover];
	const struct fence *k = &t->f->set->v[w->fence];
	struct fence_event e = { .point = t->f->set->movers[w->mover].lon, .fence = k->def.id, .what = (enum fence_what)w->what,
		.begins = begins,
		                 .at = at, .cause = l->time, .arrival = l->arrival, .lon = l->lon, .lat = l->lat };
	numbers(k, l, w, at, &e);
	t->fn(t->arg, &e);
}

static void begin(const struct telling *t, struct watch *w, int64_t at)
{
	w->active = true;
	w->n = 0;
	w->said = at;
	tell(t, w, true, at);
}

static void end(const struct telling *t, uint32_t i, int64_t at)
{
	struct watch *w = &t->f->watches[i];
	if (w->active)
		tell(t, w, false, MAX(at, w->said));
	watch_drop(t->f, i);
}

// ---- a position --------------------------------------------------------------------------------
// One thing that may be wrong at one fence. says: it is; ends: it is not, by more than the dead band.
static void follow(const struct telling *t, uint32_t mover, uint32_t fence, enum fence_what what, bool says, bool ends, bool old)
{
	struct fences *f = t->f;
	const struct fence_def *d = &f->set->v[fence].def;
	int64_t at = f->live[mover].time;
	uint32_t i = watch_find(f, mover, fence, what);
	if (i == NONE) {
		if (!says)
			return;
		i = watch_new(f, mover, fence, what);
		f->watches[i].since = at;
	}
	struct watch *w = &f->watches[i];
	if (w->active) {
		w->n = ends ? (uint8_t)(w->n + 1) : 0;
		if (w->n >= d->positions)
			end(t, i, at);
		return;
	}
	if (!says) {
		watch_drop(f, i);
		return;
	}
	w->n = (uint8_t)MIN(w->n + 1u, 200u);
	bool timed = what == FENCE_STAYED || what == FENCE_STOPPED || what == FENCE_OFF_POST;
	int64_t due = timed ? w->since + d->allowed : at;
	if (!old && w->n >= d->positions && at >= due)
		begin(t, w, due);
}

static void at_fence(const struct telling *t, uint32_t mover, uint32_t fence, double d, bool old)
{
	const struct fence *k = &t->f->set->v[fence];
	const struct live *l = &t->f->live[mover];
	bool in = d <= 0, out = d > k->def.band, known = !isnan(l->kmh), still = known && l->kmh <= k->def.still;
	bool fast = known && l->kmh > k->def.speed, slow = known && l->kmh <= k->def.speed - k->def.speed_band;
	switch (k->def.kind) {
	case FENCE_IN: follow(t, mover, fence, FENCE_LEFT, out, in, old); break;
	case FENCE_OUT: follow(t, mover, fence, FENCE_ENTERED, in, out, old); break;
	case FENCE_SPEED: follow(t, mover, fence, FENCE_FAST, in && fast, out || slow, old); break;
	case FENCE_STAY: follow(t, mover, fence, FENCE_STAYED, in && still, out || (known && !still), old); break;
	case FENCE_POST: follow(t, mover, fence, FENCE_OFF_POST, out, in, old); break;
	case FENCE_ROUTE:
		follow(t, mover, fence, FENCE_OFF_ROUTE, out, in, old);
		if (k->def.allowed) {
			bool stop = still && !fence_at_stop(k, l->lon, l->lat);
			follow(t, mover, fence, FENCE_STOPPED, stop, known && !stop, old);
		}
		break;
	case FENCE_KINDS: break;
	}
}

static void end_all(const struct telling *t, uint32_t mover, uint32_t fence)
{
	for (uint32_t i = t->f->live[mover].first, next; i != NONE; i = next) {
		next = t->f->watches[i].next;
		if (t->f->watches[i].fence == fence)
			end(t, i, t->f->live[mover].time);
	}
}

// d: NaN = to be found; HUGE_VAL: far outside
static void visit(const struct telling *t, uint32_t mover, uint32_t fence, double d, bool old)
{
	struct fences *f = t->f;
	const struct live *l = &f->live[mover];
	const struct fence *k = &f->set->v[fence];
	if (f->stamp[fence] == f->now)
		return;
	f->stamp[fence] = f->now;
	if (!fence_in_force(&k->def.times, l->time)) {
		end_all(t, mover, fence);
		return;
	}
	if (isnan(d)) {
		d = fence_where(k, l->lon, l->lat);
		f->stats.tested++;
	}
	at_fence(t, mover, fence, d, old);
}

static void visit_square(const struct telling *t, uint32_t mover, const struct fence_cell *c, size_t *room, bool old)
{
	const struct fence_set *s = t->f->set;
	for (uint32_t i = c->at; i < c->at + c->n; i++) {
		const struct fence_in_cell *in = &s->in[i];
		if (!fence_holds(&s->v[in->fence], &s->movers[mover], mover))
			continue;
		if (!*room) {
			t->f->stats.left_out++;
			return;
		}
		--*room;
		visit(t, mover, in->fence, in->within ? -HUGE_VAL : NAN, old);
	}
}

static void judge(const struct telling *t, uint32_t mover)
{
	struct fences *f = t->f;
	const struct fence_set *s = f->set;
	struct live *l = &f->live[mover];
	size_t room = LIMIT_FENCES_HERE;
	bool old = l->arrival - l->time > FENCE_OLD;
	f->stats.judged++;
	if (!++f->now) { // once in four thousand million positions
		memset(f->stamp, 0, s->n * sizeof *f->stamp);
		f->now = 1;
	}
	for (unsigned level = 0; level < FENCE_CELL_LEVELS; level++) {
		const struct fence_cell *c = s->levels & 1u << level ? fence_cell_find(s, fence_key(level, l->lon, l->lat)) : NULL;
		if (c)
			visit_square(t, mover, c, &room, old);
	}
	const struct mover_fences *must = &s->must[mover];
	for (uint32_t i = must->at; i < must->at + must->n; i++)
		visit(t, mover, s->musts[i], HUGE_VAL, old); // in none of its squares: farther away than the dead band
	for (uint32_t i = l->first, next; i != NONE; i = next) { // left since
		next = f->watches[i].next;
		visit(t, mover, f->watches[i].fence, HUGE_VAL, old);
		if (next != NONE && !f->watches[next].used)
			next = l->first;
	}
}

// Longitude and latitude of one time are there.
static bool is_whole(const struct live *l) { return l->at[0] == l->at[1] && l->at[0] > l->time; }

static void take_position(struct live *l)
{
	int64_t at = l->at[0];
	double lon = l->v[0], lat = l->v[1], kmh = l->at[2] && l->at[2] <= at && at - l->at[2] <= FENCE_SPEED_AGE ? l->v[2] : NAN;
	if (isnan(kmh) && l->seen) {
		double rad = M_PI / 180, x = (lon - l->lon) * cos(lat * rad), y = lat - l->lat;
		kmh = hypot(x, y) * 111195 * 3.6 / ((double)(at - l->time) / (double)US_PER_S); // of a sphere of 6371 km
	}
	l->time = at;
	l->arrival = l->came;
	l->lon = lon;
	l->lat = lat;
	l->kmh = kmh;
	l->seen = true;
}

static void judge_waiting(const struct telling *t, uint32_t mover)
{
	struct live *l = &t->f->live[mover];
	if (!is_whole(l))
		return;
	take_position(l);
	judge(t, mover);
}

void fences_feed(struct fences *f, const struct reading *r, int64_t arrival, fence_fn *fn, void *arg)
{
	uint32_t role = f->set && r->point <= f->set->max_point ? f->set->role[r->point] : 0;
	if (!role || r->quality > Q_FLAT)
		return;
	uint32_t mover = role / 4 - 1, which = role % 4 - 1;
	struct live *l = &f->live[mover];
	struct telling t = { f, fn, arg };
	if (r->time <= l->at[which] || !isfinite(r->value))
		return;
	if (r->time > l->at[0] || r->time > l->at[1])
		judge_waiting(&t, mover);
	l->at[which] = r->time;
	l->v[which] = r->value;
	l->came = arrival;
	if (is_whole(l) && !l->waiting) {
		l->waiting = true;
		f->waiting[f->nwaiting++] = mover;
	}
}

void fences_settle(struct fences *f, fence_fn *fn, void *arg)
{
	struct telling t = { f, fn, arg };
	for (size_t i = 0; i < f->nwaiting; i++) {
		f->live[f->waiting[i]].waiting = false;
		judge_waiting(&t, f->waiting[i]);
	}
	f->nwaiting = 0;
}

// ---- time passing ------------------------------------------------------------------------------
static void watch_tick(const struct telling *t, uint32_t i, int64_t now)
{
	struct watch *w = &t->f->watches[i];
	const struct fence_def *d = &t->f->set->v[w->fence].def;
	const struct live *l = &t->f->live[w->mover];
	int64_t event_now = now - (l->arrival - l->time), due = w->since + d->allowed;
	if (w->active && l->time && !fence_in_force(&d->times, event_now)) {
		end(t, i, event_now);
		return;
	}
	bool timed = w->what == FENCE_STAYED || w->what == FENCE_STOPPED || w->what == FENCE_OFF_POST;
	if (!w->active && timed && w->n >= d->positions && event_now >= due && l->arrival - l->time <= FENCE_OLD &&
		fence_in_force(&d->times, due))
		begin(t, w, due);
}

void fences_tick(struct fences *f, int64_t now, fence_fn *fn, void *arg)
{
	struct telling t = { f, fn, arg };
	for (size_t i = f->ndense; i > 0; i--) // backwards: the last takes the place of one that is dropped
		watch_tick(&t, f->dense[i - 1], now);
}

void fences_clock_set(struct fences *f, int64_t by)
{
	for (size_t i = 0; f->set && i < f->set->nmovers; i++) {
		f->live[i].arrival += f->live[i].time ? by : 0;
		f->live[i].came += f->live[i].came ? by : 0;
	}
}

// ---- another generation ------------------------------------------------------------------------
static bool mover_find(const struct fence_set *s, uint32_t lon, uint32_t *ret)
{
	uint32_t role = s && lon <= s->max_point ? s->role[lon] : 0;
	*ret = role / 4 - 1;
	return role && role % 4 == 1;
}

static void gone(const struct fence_set *old, const struct live *l, const struct watch *w, int64_t now, fence_fn *fn, void *arg)
{
	if (!w->active)
		return;
	struct fence_event e = { .point = old->movers[w->mover].lon, .fence = old->v[w->fence].def.id,
		.what = (enum fence_what)w->what, .gone = true,
		                 .at = MAX(now - (l->arrival - l->time), w->said), .cause = l->time, .arrival = l->arrival, .lon = l->lon,
		                 .lat = l->lat, .value = NAN, .limit = NAN };
	fn(arg, &e);
}

// Whether the thing can be said of a fence of that kind.
static bool says_of(const struct fence_def *d, enum fence_what what)
{
	static const uint8_t kinds[FENCE_WHATS] = {
		[FENCE_LEFT] = FENCE_IN, [FENCE_ENTERED] = FENCE_OUT, [FENCE_FAST] = FENCE_SPEED, [FENCE_STAYED] = FENCE_STAY,
		[FENCE_OFF_ROUTE] = FENCE_ROUTE, [FENCE_STOPPED] = FENCE_ROUTE, [FENCE_OFF_POST] = FENCE_POST,
	};
	return kinds[what] == d->kind && (what != FENCE_STOPPED || d->allowed);
}

static bool still_there(const struct fence_set *s, uint32_t lon, int64_t fence, enum fence_what what, uint32_t *mover, uint32_t *index)
{
	return mover_find(s, lon, mover) && fence_find(s, fence, index) && says_of(&s->v[*index].def, what) &&
	       fence_holds(&s->v[*index], &s->movers[*mover], *mover);
}

struct fence_set *fences_take(struct fences *f, struct fence_set *s, int64_t now, fence_fn *fn, void *arg)
{
	fences_settle(f, fn, arg);
	struct fences old = *f;
	*f = (struct fences){ .set = s, .free = NONE, .stats = old.stats };
	size_t n = s ? s->nmovers : 0;
	f->live = mem_alloc((n + 1) * sizeof *f->live);
	f->waiting = mem_alloc((n + 1) * sizeof *f->waiting);
	f->stamp = mem_alloc(((s ? s->n : 0) + 1) * sizeof *f->stamp);
	for (uint32_t m = 0; m < n; m++) {
		uint32_t was;
		f->live[m] = (struct live){ .kmh = NAN, .first = NONE };
		if (mover_find(old.set, s->movers[m].lon, &was) && old.set->movers[was].lat == s->movers[m].lat) {
			f->live[m] = old.live[was];
			f->live[m].first = NONE;
			f->live[m].waiting = false;
		}
	}
	for (size_t i = 0; i < old.ndense; i++) {
		const struct watch *w = &old.watches[old.dense[i]];
		uint32_t mover, fence;
		if (!still_there(s, old.set->movers[w->mover].lon, old.set->v[w->fence].def.id, (enum fence_what)w->what, &mover,
			&fence)) {
			gone(old.set, &old.live[w->mover], w, now, fn, arg);
			continue;
		}
		uint32_t at = watch_new(f, mover, fence, (enum fence_what)w->what);
		struct watch *own = &f->watches[at];
		own->n = w->n;
		own->active = w->active;
		own->since = w->since;
		own->said = w->said;
	}
	mem_free(old.live);
	mem_free(old.watches);
	mem_free(old.dense);
	mem_free(old.waiting);
	mem_free(old.stamp);
	return old.set;
}

// ---- over a restart ----------------------------------------------------------------------------
#define VERSION 1u
struct saved_head { uint32_t version, movers, watches, zero; };
struct saved_mover { uint32_t point, zero; int64_t time, arrival; double lon, lat; };
struct saved_watch { uint32_t point; uint8_t what, n, active, zero; int64_t fence, since, said; };
_Static_assert(sizeof(struct saved_head) == 16 && sizeof(struct saved_mover) == 40 && sizeof(struct saved_watch) == 32, "no padding");

void fences_save(const struct fences *f, struct buf *out)
{
	struct saved_head h = { .version = VERSION, .watches = (uint32_t)f->ndense };
	for (size_t m = 0; f->set && m < f->set->nmovers; m++)
		h.movers += f->live[m].seen;
	buf_add(out, &h, sizeof h);
	for (size_t m = 0; f->set && m < f->set->nmovers; m++) {
		const struct live *l = &f->live[m];
		struct saved_mover v = { .point = f->set->movers[m].lon, .time = l->time, .arrival = l->arrival, .lon = l->lon,
			.lat = l->lat };
		if (l->seen)
			buf_add(out, &v, sizeof v);
	}
	for (size_t i = 0; i < f->ndense; i++) {
		const struct watch *w = &f->watches[f->dense[i]];
		struct saved_watch v = { .point = f->set->movers[w->mover].lon, .what = w->what, .n = w->n, .active = w->active,
			                 .fence = f->set->v[w->fence].def.id, .since = w->since, .said = w->said };
		buf_add(out, &v, sizeof v);
	}
}

static void restore_mover(struct fences *f, const struct saved_mover *v)
{
	uint32_t m;
	if (!mover_find(f->set, v->point, &m))
		return;
	struct live *l = &f->live[m];
	*l = (struct live){ .time = v->time, .arrival = v->arrival, .came = v->arrival, .lon = v->lon, .lat = v->lat, .kmh = NAN,
		.first = NONE, .seen = true,
		            .at = { v->time, v->time }, .v = { v->lon, v->lat } };
}

void fences_restore(struct fences *f, struct str saved)
{
	struct cursor c = cursor_of(saved);
	struct saved_head h;
	take_bytes(&c, &h, sizeof h);
	if (!cursor_ok(&c) || h.version != VERSION)
		return;
	for (uint32_t i = 0; i < h.movers; i++) {
		struct saved_mover v;
		take_bytes(&c, &v, sizeof v);
		if (!cursor_ok(&c))
			return;
		restore_mover(f, &v);
	}
	for (uint32_t i = 0; i < h.watches; i++) {
		struct saved_watch v;
		uint32_t mover, fence;
		take_bytes(&c, &v, sizeof v);
		if (!cursor_ok(&c))
			return;
		if (v.what >= FENCE_WHATS || !still_there(f->set, v.point, v.fence, (enum fence_what)v.what, &mover, &fence))
			continue; // the alarm table says that it lasted: fences_adopt answers that it is gone
		uint32_t at = watch_new(f, mover, fence, (enum fence_what)v.what);
		struct watch *w = &f->watches[at];
		w->n = v.n;
		w->active = v.active;
		w->since = v.since;
		w->said = v.said;
	}
}

void fences_active(const struct fences *f, fence_fn *fn, void *arg)
{
	for (size_t i = 0; i < f->ndense; i++) {
		const struct watch *w = &f->watches[f->dense[i]];
		const struct live *l = &f->live[w->mover];
		const struct fence *k = &f->set->v[w->fence];
		if (!w->active)
			continue;
		struct fence_event e = { .point = f->set->movers[w->mover].lon, .fence = k->def.id,
			.what = (enum fence_what)w->what, .begins = true,
			                 .standing = true, .at = w->said, .cause = l->time, .arrival = l->arrival, .lon = l->lon,
			                 	.lat = l->lat };
		numbers(k, l, w, MAX(l->time, w->said), &e);
		fn(arg, &e);
	}
}

bool fences_adopt(struct fences *f, uint32_t point, int64_t fence, enum fence_what what)
{
	uint32_t mover, index;
	if (!still_there(f->set, point, fence, what, &mover, &index))
		return false;
	uint32_t i = watch_find(f, mover, index, what);
	if (i == NONE)
		i = watch_new(f, mover, index, what);
	f->watches[i].n = f->watches[i].active ? f->watches[i].n : 0;
	f->watches[i].active = true;
	return true;
}
