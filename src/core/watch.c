// How devices keep time and how complete their readings are, and the server's own clock.
//
// Clocks. A device's clock is compared with ours at each message: offset = arrival − the time at which the sender says it
// sent (HJ 212 QN, collectTime, the frame's time label), or else the newest live reading's time. What comes late (a slow
// line, a buffer) only adds to the offset, so the least one of five to ten minutes is nearest to the clock's own error.
//
// Completeness. Readings are counted by point in the five minutes that run; at their end each point counts at most one
// more than its interval promises, so that a busy point does not hide a silent one. What is sent later for five minutes
// that are over counts for its device. A device has 13 cells of five minutes and 24 of an hour, however much it sends.
#include <math.h>
#include <stdatomic.h>

#include "core/core_int.h"

#ifdef ANLAN_TEST
#define SLOT (2 * US_PER_S)            // so that a test lives to see them end
#define MINUTE US_PER_S
#else
#define SLOT (5 * US_PER_MIN)
#define MINUTE US_PER_MIN
#endif
#define HOUR_SLOTS 12
#define LEAP (30 * US_PER_S)           // a clock that moves by more has been set
#define NOTICED (50 * US_PER_MS)       // less between wall clock and monotonic clock is no setting of the clock
#define NONE INT64_MAX

// ---- the server's clock -------------------------------------------------------------------------

// Wall clock − monotonic clock. Read until nothing came between the two.
int64_t watch_offset(void)
{
	int64_t best = 0, least = NONE;
	for (int i = 0; i < 20 && least > 20; i++) {
		int64_t before = clock_mono(), wall = clock_now(), after = clock_mono();
		if (after - before >= least)
			continue;
		least = after - before;
		best = wall - before - least / 2;
	}
	return best;
}

static void forget_clocks(struct core *co)
{
	pthread_mutex_lock(&co->stats_mutex);
	for (size_t i = 0; i < co->stats_cap; i++)
		co->stats[i].clock = (struct device_clock){ 0 };
	pthread_mutex_unlock(&co->stats_mutex);
}

// Everything here counts by the monotonic clock; only what is shown and stored follows the wall clock.
static void look_at_clock(struct core *co)
{
	int64_t by = watch_offset() - co->wall;
	if (by < NOTICED && by > -NOTICED)
		return;
	co->wall += by;
	evaluator_clock_set(co->evaluator, by, core_now(co));
	fences_clock_set(co->fences, by);
	if (by < US_PER_S && by > -US_PER_S)
		return;
	log_warn("core", "the server's clock was set by %.1f s; delays and silence of alarms go on as if it had not been", (double)by / US_PER_S);
	atomic_fetch_add(&co->clock_sets, 1);
	atomic_store(&co->clock_set_by, by);
	atomic_store(&co->clock_set_at, core_now(co));
	forget_clocks(co);
	co->tally.set = true;
}

int64_t core_clock_set(struct app *app, int64_t *ret_by)
{
	struct core *co = (struct core *)app;
	*ret_by = atomic_load(&co->clock_set_by);
	return atomic_load(&co->clock_set_at);
}

// ---- devices' clocks ----------------------------------------------------------------------------

static void clock_note(struct device_clock *k, int64_t offset, int64_t now)
{
	int64_t slot = now / SLOT;
	if (!k->known || slot != k->slot) {
		k->least[1] = k->known && slot == k->slot + 1 ? k->least[0] : NONE;
		k->least[0] = NONE;
		k->slot = slot;
	}
	k->least[0] = MIN(k->least[0], offset);
	int64_t off = MIN(k->least[0], k->least[1]);
	if (k->known && (off - k->off > LEAP || k->off - off > LEAP)) {
		k->leaps++;
		k->leap_by = k->off - off; // > 0: it was set forward
		k->leap_at = now;
	}
	k->off = off;
	k->known = true;
}

void watch_message(struct core *co, struct device_stats *s, const struct arrived *a) // stats_mutex is held
{
	s->lag = a->arrival - a->newest;
	histogram_add(&co->lag, s->lag);
	if (a->sent)
		clock_note(&s->clock, a->arrival - a->sent, a->arrival);
	else if (!a->history)
		clock_note(&s->clock, a->arrival - a->newest, a->arrival);
}

void watch_refused_time(struct core *co, struct device_stats *s, int64_t time) // stats_mutex is held
{
	(void)co;
	int64_t now = clock_now();
	clock_note(&s->clock, now - time, now);
}

const char *clock_state_name(enum clock_state s)
{
	static const char *const names[] = { "unknown", "ok", "warn", "bad" };
	return names[s];
}

enum clock_state clock_judge(const struct device_clock *k, int64_t warn, int64_t bad)
{
	if (!k->known)
		return CLOCK_UNKNOWN;
	int64_t off = k->off < 0 ? -k->off : k->off;
	return off > bad ? CLOCK_BAD : off > warn ? CLOCK_WARN : CLOCK_OK;
}

// ---- completeness -------------------------------------------------------------------------------

static struct cell *five_cell(struct heard *h, int64_t slot) { return &h->five[slot % (int64_t)ARRAY_LEN(h->five)]; }
static struct cell *hour_cell(struct heard *h, int64_t slot) { return &h->hour[slot / HOUR_SLOTS % (int64_t)ARRAY_LEN(h->hour)]; }

static void heard_room(struct core *co, size_t device) // stats_mutex is held
{
	if (device < co->nheard)
		return;
	size_t n = MAX(device + 1, co->nheard * 2);
	co->heard = mem_resize(co->heard, n * sizeof *co->heard);
	memset(co->heard + co->nheard, 0, (n - co->nheard) * sizeof *co->heard);
	co->nheard = n;
}

// Of five minutes that are over, or to come: the device's clock decides, so it counts where it says.
void watch_tally_late(struct core *co, struct late_run *run, int64_t time)
{
	int64_t slot = time / SLOT;
	if (run->n && slot != run->slot)
		watch_tally_end(co, run);
	run->slot = slot;
	run->n++;
}

void watch_tally_end(struct core *co, struct late_run *run)
{
	int64_t age = co->tally.slot - run->slot;
	if (run->n && age > 0 && age < 24 * HOUR_SLOTS - HOUR_SLOTS) {
		pthread_mutex_lock(&co->stats_mutex);
		heard_room(co, run->device);
		struct heard *h = &co->heard[run->device];
		if (age < (int64_t)ARRAY_LEN(h->five))
			five_cell(h, run->slot)->got += run->n;
		hour_cell(h, run->slot)->got += run->n;
		pthread_mutex_unlock(&co->stats_mutex);
	}
	run->n = 0;
}

static double due_of(const struct point_def *d) // readings in five minutes
{
	return d->device > 0 && d->interval > 0 && !d->out_of_service ? (double)SLOT / (double)d->interval : 0;
}

static void tally_room(struct tally *t, const struct site *s)
{
	size_t n = points_max(s->points) + 1;
	if (n <= t->n)
		return;
	struct tally_point *v = mem_table(n * sizeof *v);
	if (t->n)
		memcpy(v, t->point, t->n * sizeof *v);
	mem_free(t->point);
	t->point = v;
	t->n = n;
}

static void tally_point(struct core *co, const struct point_def *d) // stats_mutex is held
{
	double due = due_of(d);
	if (due == 0)
		return;
	co->tally.point[d->id].device = (uint32_t)d->device;
	co->tally.point[d->id].most = (uint16_t)MIN(ceil(due) + 1, (double)UINT16_MAX);
	heard_room(co, (size_t)d->device);
	co->heard[d->device].due += (float)due;
}

// New points: counts of the running five minutes are kept.
void watch_site(struct core *co, const struct site *s)
{
	struct tally *t = &co->tally;
	struct site_point p;
	tally_room(t, s);
	for (size_t i = 0; i < t->n; i++)
		t->point[i].device = t->point[i].most = 0;
	pthread_mutex_lock(&co->stats_mutex);
	for (size_t i = 0; i < co->nheard; i++)
		co->heard[i].due = 0;
	for (uint32_t i = 0; site_point_next(s, &i, &p);)
		tally_point(co, &p.def);
	pthread_mutex_unlock(&co->stats_mutex);
}

void watch_point(struct core *co, uint32_t id, const struct site *before, const struct site *s)
{
	struct site_point p;
	tally_room(&co->tally, s);
	co->tally.point[id].device = co->tally.point[id].most = 0;
	pthread_mutex_lock(&co->stats_mutex);
	if (site_point(before, id, &p) && due_of(&p.def) > 0)
		co->heard[p.def.device].due -= (float)due_of(&p.def);
	if (site_point(s, id, &p))
		tally_point(co, &p.def);
	pthread_mutex_unlock(&co->stats_mutex);
}

// The running five minutes end: what came is added up, what was due of them is added to what was due.
static void slot_end(struct core *co, double part)
{
	struct tally *t = &co->tally;
	for (size_t i = 0; i < t->n; i++) {
		struct tally_point *p = &t->point[i];
		if (p->count && p->device < co->nheard) {
			uint32_t got = MIN(p->count, p->most);
			five_cell(&co->heard[p->device], t->slot)->got += got;
			hour_cell(&co->heard[p->device], t->slot)->got += got;
		}
		p->count = 0;
	}
	for (size_t i = 0; i < co->nheard; i++) {
		struct heard *h = &co->heard[i];
		five_cell(h, t->slot)->due += (float)(h->due * part);
		hour_cell(h, t->slot)->due += (float)(h->due * part);
	}
}

static void slot_begin(struct core *co, int64_t slot)
{
	bool hour = slot % HOUR_SLOTS == 0;
	for (size_t i = 0; i < co->nheard; i++) {
		*five_cell(&co->heard[i], slot) = (struct cell){ 0 };
		if (hour)
			*hour_cell(&co->heard[i], slot) = (struct cell){ 0 };
	}
	co->tally.slot = slot;
	co->tally.from = slot * SLOT;
}

static void slot_turn(struct core *co, int64_t now)
{
	struct tally *t = &co->tally;
	int64_t slot = now / SLOT;
	if (slot == t->slot && !t->set)
		return;
	pthread_mutex_lock(&co->stats_mutex);
	if (t->slot && slot > t->slot && !t->set) {
		slot_end(co, (double)((t->slot + 1) * SLOT - MAX(t->from, t->since)) / SLOT);
		for (int64_t next = MAX(t->slot + 1, slot - 24 * HOUR_SLOTS); next < slot; next++) // the machine slept
			slot_begin(co, next);
	} else { // the start, or the clock was set: what was counted belongs nowhere now
		for (size_t i = 0; i < co->nheard; i++)
			co->heard[i] = (struct heard){ .due = co->heard[i].due };
		for (size_t i = 0; i < t->n; i++)
			t->point[i].count = 0;
		t->since = now;
		t->set = false;
	}
	slot_begin(co, slot);
	pthread_mutex_unlock(&co->stats_mutex);
}

static void minute(struct core *co, int64_t now) // who is there
{
	pthread_mutex_lock(&co->stats_mutex);
	for (size_t i = 0; i < co->current->roster->ndevices; i++) {
		const struct site_device *d = &co->current->roster->devices[i];
		if (d->disabled)
			continue;
		heard_room(co, d->id);
		struct heard *h = &co->heard[d->id];
		bool on = d->id < co->stats_cap && device_is_online(&co->stats[d->id], now);
		five_cell(h, co->tally.slot)->of++;
		five_cell(h, co->tally.slot)->on += on;
		hour_cell(h, co->tally.slot)->of++;
		hour_cell(h, co->tally.slot)->on += on;
	}
	pthread_mutex_unlock(&co->stats_mutex);
}

static void share_add(struct device_share *s, const struct cell *c)
{
	s->received += c->due > 0 ? c->got : 0; // before the start nothing was due: it would only hide what is missing now
	s->expected += c->due;
	s->on += c->on;
	s->of += c->of;
}

void watch_shares(struct core *co, uint32_t device, struct device_share *hour, struct device_share *day) // stats_mutex is held
{
	*hour = *day = (struct device_share){ 0 };
	if (device >= co->nheard)
		return;
	struct heard *h = &co->heard[device];
	for (int64_t back = 1; back <= HOUR_SLOTS; back++)
		share_add(hour, five_cell(h, co->tally.slot - back));
	for (size_t i = 0; i < ARRAY_LEN(h->hour); i++)
		share_add(day, &h->hour[i]);
	hour->received = MIN(hour->received, hour->expected);
	day->received = MIN(day->received, day->expected);
	hour->on += five_cell(h, co->tally.slot)->on; // who is there is known at once, what is complete only afterwards
	hour->of += five_cell(h, co->tally.slot)->of;
}

// ---- every second -------------------------------------------------------------------------------

static void on_second(void *arg)
{
	struct core *co = arg;
	look_at_clock(co);
	int64_t now = core_now(co);
	slot_turn(co, now);
	if (!co->minute) // after a start devices have a minute to come back
		co->minute = now / MINUTE;
	if (now / MINUTE != co->minute) {
		co->minute = now / MINUTE;
		minute(co, now);
	}
	loop_timer_in(co->loop, &co->watch_timer, US_PER_S);
}

void watch_start(struct core *co)
{
	loop_timer_init(&co->watch_timer, on_second, co);
	loop_timer_in(co->loop, &co->watch_timer, 0);
}
