// Work of the seal thread that can wait: rolling up blocks, a slice of some milliseconds at a time and then a rest, and
// deleting what retention says. A pass goes through all monthly files that have blocks which are not rolled up, point by
// point; what it does with a point is one transaction with others, so a crash leaves a point done or not done.
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "series/roll.h"
#include "series/series_in.h"
#include "store/rolls.h"

#define FIRST_US (2 * US_PER_MIN)    // after the start
#define SLICE_US (10 * US_PER_MS)
#define REST 4                       // times a slice's length, unless someone waits for the pass
#define RETRY_US US_PER_MIN
#define PACK_AFTER (3 * US_PER_DAY)  // of a month's end: what devices send late is mostly there
#define BLOCKS_AT_ONCE 512
#define SAMPLES_MAX 50000000u
#define ROW_MAX (64u << 10)

// ---- rolling up a point ----

struct rolling {
	struct series *s;
	int32_t month;
	int64_t start, end;  // of the month, us
	uint32_t point;
	struct arena *arena;
	struct gather g, day; // new samples; all samples of a day that is made anew
	struct roll_day row;
};

static void rolling_begin(struct rolling *r, struct series *s, int32_t month)
{
	*r = (struct rolling){ .s = s, .month = month, .start = blocks_month_start(month), .end = blocks_month_start(month + 1),
		.arena = arena_new(64 << 10) };
	gather_begin(&r->g, s);
	gather_begin(&r->day, s);
}

static void rolling_end(struct rolling *r)
{
	gather_end(&r->g);
	gather_end(&r->day);
	arena_free(r->arena);
}

static void add_to_row(struct roll_day *d, int64_t day, const struct found *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t t = v[i].sample.time - day;
		roll_add(&d->hour[t / US_PER_HOUR], &v[i].sample);
		d->newest = t;
	}
}

// The new samples v of a day into its row; all of the day again if they do not follow what the row holds.
static enum err roll_a_day(struct rolling *r, int day, const struct found *v, size_t n)
{
	struct str old;
	bool there;
	int64_t at = r->start + day * US_PER_DAY;
	enum err err = rolls_row(r->s->blocks, r->month, r->point, day, r->arena, &old, &there);
	bool whole = there && roll_day_read(old, &r->row);
	if (!err && there && (!whole || v[0].sample.time - at <= r->row.newest)) {
		memset(&r->row, 0, sizeof(r->row));
		err = gather_all(&r->day, r->point, at, MIN(at + US_PER_DAY, r->end), SAMPLES_MAX, STR_EMPTY);
		v = r->day.v;
		n = r->day.n;
	} else if (!there) {
		memset(&r->row, 0, sizeof(r->row));
	}
	if (err)
		return err;
	struct buf out;
	buf_init(&out, ROW_MAX);
	add_to_row(&r->row, at, v, n);
	roll_day_write(&r->row, &out);
	err = buf_ok(&out) ? rolls_put(r->s->blocks, r->month, r->point, day, buf_str(&out), r->arena) : ERR_BUG;
	buf_free(&out);
	return err;
}

static enum err roll_new(struct rolling *r)
{
	enum err err = OK;
	gather_once(&r->g);
	for (size_t i = 0, end; !err && i < r->g.n; i = end) {
		int day = (int)((r->g.v[i].sample.time - r->start) / US_PER_DAY);
		for (end = i; end < r->g.n && (r->g.v[end].sample.time - r->start) / US_PER_DAY == day;)
			end++;
		err = roll_a_day(r, day, r->g.v + i, end - i);
		arena_reset(r->arena);
	}
	return err;
}

static enum err roll_point(struct rolling *r, uint32_t point)
{
	struct rolled state;
	size_t n = BLOCKS_AT_ONCE;
	bool more = false;
	r->point = point;
	enum err err = rolls_state(r->s->blocks, r->month, point, &state);
	if (state.gone)
		return err; // what comes now comes too late to be counted
	while (!err && n == BLOCKS_AT_ONCE) {
		uint32_t corrupt = 0;
		gather_for(&r->g, r->start, r->end, SAMPLES_MAX);
		err = rolls_blocks(r->s->blocks, r->month, point, state.no, BLOCKS_AT_ONCE, gather_block, &r->g, &state.no, &n, &corrupt);
		if (corrupt)
			atomic_fetch_add_explicit(&r->s->n_corrupt, corrupt, memory_order_relaxed);
		if (!err)
			err = roll_new(r);
		more |= n != 0;
	}
	return err || !more ? err : rolls_set(r->s->blocks, r->month, point, state);
}

// ---- a pass ----

// Points of the month, for SLICE_US. *ret_over: it has no more.
static enum err roll_slice(struct series *s, int32_t month, uint32_t *point, bool *ret_over)
{
	struct rolling r;
	*ret_over = rolls_complete(s->blocks, month);
	if (*ret_over)
		return OK;
	int64_t end = clock_mono() + SLICE_US;
	enum err err = rolls_begin(s->blocks, month);
	rolling_begin(&r, s, month);
	while (!err && !*ret_over && clock_mono() < end) {
		uint32_t next;
		err = rolls_point(s->blocks, month, *point, &next);
		*ret_over = !err && !next;
		if (!err && next)
			err = roll_point(&r, next);
		*point = err || !next ? *point : next;
	}
	rolling_end(&r);
	if (!err && *ret_over)
		err = rolls_set_complete(s->blocks, month);
	return rolls_end(s->blocks, month, err);
}

static void pass_over(struct series *s, int64_t mono, enum err err)
{
	struct seal *x = &s->seal;
	struct roller *r = &x->roller;
	pthread_mutex_lock(&x->mutex);
	r->running = false;
	r->done = r->taken;
	r->result = err;
	r->next = mono + (err ? RETRY_US : s->cfg.roll_us);
	pthread_cond_broadcast(&x->chores);
	pthread_mutex_unlock(&x->mutex);
}

static bool awaited(struct series *s) // somebody waits for this pass
{
	pthread_mutex_lock(&s->seal.mutex);
	bool is = s->seal.roller.asked > s->seal.roller.done;
	pthread_mutex_unlock(&s->seal.mutex);
	return is;
}

// A month that is over gets hardly any more blocks: its file is made as small as it can be.
static void pack_month(struct series *s, int32_t month)
{
	bool packed = false;
	if (month >= blocks_month(clock_now() - PACK_AFTER))
		return;
	int64_t began = clock_mono();
	enum err err = rolls_pack(s->blocks, month, &packed);
	if (err)
		log_error("series", "the file of month %d-%02d cannot be made smaller, it stays as it is: %s", month / 12, month % 12 + 1,
		          err_name(err));
	else if (packed)
		log_info("series", "the file of month %d-%02d was written anew in %" PRId64 " ms", month / 12, month % 12 + 1,
		         (clock_mono() - began) / US_PER_MS);
}

static void pass_step(struct series *s, int64_t mono)
{
	struct roller *r = &s->seal.roller;
	bool over = false;
	if (!blocks_month_next(s->blocks, &r->month, INT32_MAX)) {
		pass_over(s, mono, OK);
		return;
	}
	enum err err = roll_slice(s, r->month, &r->point, &over);
	if (err == ERR_CORRUPT) { // a damaged file: the others are rolled up all the same
		atomic_fetch_add_explicit(&s->n_corrupt, 1, memory_order_relaxed);
		over = true;
		err = OK;
	}
	if (err) {
		pass_over(s, mono, err);
		return;
	}
	if (over && !awaited(s))
		pack_month(s, r->month);
	if (over) {
		r->month++;
		r->point = 0;
	}
	int64_t now = clock_mono();
	pthread_mutex_lock(&s->seal.mutex);
	r->next = r->asked > r->done ? now : now + (now - mono) * REST;
	pthread_mutex_unlock(&s->seal.mutex);
}

// ---- retention ----

struct retain_job {
	const struct series_retention *what;
	bool dry, done;              // done: under seal.mutex
	struct arena *arena;
	struct series_removal *v;
	size_t n, cap;
	enum err err;
	size_t at;                   // of v, in work
	uint32_t point;              // last done of it
};

struct goes { // of one point and month
	const struct series_hold *hold;
	size_t n;
};

static bool goes(void *arg, int64_t t0, int64_t t1)
{
	const struct goes *g = arg;
	for (size_t i = 0; i < g->n; i++)
		if (t0 <= g->hold[i].to && t1 >= g->hold[i].from)
			return false;
	return true;
}

static int compare_keep(const void *a, const void *b)
{
	const struct series_keep *x = a, *y = b;
	return (x->point > y->point) - (x->point < y->point);
}

static struct goes holds_of(const struct series_retention *w, uint32_t point)
{
	size_t lo = 0, hi = w->nhold;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w->hold[mid].point < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	struct goes g = { w->hold + lo, 0 };
	while (lo + g.n < w->nhold && w->hold[lo + g.n].point == point)
		g.n++;
	return g;
}

struct verdict { // on one point and month
	bool raw, hours; // over
	struct goes holds;
	struct series_removal is;
};

static enum err judge(struct series *s, const struct series_retention *w, int32_t month, uint32_t point, struct verdict *ret)
{
	struct series_keep key = { .point = point };
	const struct series_keep *k = w->nkeep ? bsearch(&key, w->keep, w->nkeep, sizeof(key), compare_keep) : NULL;
	int64_t end = blocks_month_start(month + 1);
	*ret = (struct verdict){ .raw = k && k->raw && end <= k->raw, .holds = holds_of(w, point) };
	if (!ret->raw)
		return OK;
	enum err err = rolls_count(s->blocks, month, point, goes, &ret->holds, &ret->is.blocks, &ret->is.bytes, &ret->is.held);
	ret->hours = k->hours && end <= k->hours && !ret->is.held; // of what is held its hours stay too
	if (!err && ret->hours)
		err = rolls_days(s->blocks, month, point, &ret->is.days, &ret->is.day_bytes);
	return err;
}

static uint64_t file_size(struct series *s, int32_t month)
{
	char path[4096];
	struct stat st;
	blocks_path(s->blocks, month, path, sizeof(path));
	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

// What goes of a month. Any thread.
static enum err plan_month(struct series *s, const struct series_retention *w, int32_t month, struct series_removal *ret)
{
	*ret = (struct series_removal){ .month = blocks_month_start(month), .file = true, .file_bytes = file_size(s, month) };
	enum err err = OK;
	bool any = false;
	for (uint32_t point = 0; !err;) {
		struct verdict v;
		err = rolls_next(s->blocks, month, point, &point);
		if (err || !point)
			break;
		err = judge(s, w, month, point, &v);
		any = true;
		ret->file &= v.raw && v.hours && !v.is.held;
		ret->points += v.is.blocks || v.is.days;
		ret->blocks += v.is.blocks;
		ret->bytes += v.is.bytes;
		ret->days += v.is.days;
		ret->day_bytes += v.is.day_bytes;
		ret->held += v.is.held;
	}
	ret->file &= any;
	return err;
}

static enum err drop_point(struct rolling *r, const struct series_retention *w, uint32_t point)
{
	struct verdict v;
	struct rolled state;
	uint64_t n = 0;
	struct blocks *b = r->s->blocks;
	enum err err = judge(r->s, w, r->month, point, &v);
	if (err || !(v.is.blocks || v.is.days))
		return err;
	if (!v.hours)
		err = roll_point(r, point); // all of it, before it goes
	if (!err)
		err = rolls_state(b, r->month, point, &state);
	if (!err)
		err = rolls_drop(b, r->month, point, v.hours, goes, &v.holds, &n);
	state.gone = true;
	return err ? err : rolls_set(b, r->month, point, state);
}

// Points of the month, for SLICE_US; *point = 0 at the end.
static enum err drop_slice(struct series *s, const struct series_retention *w, int32_t month, uint32_t *point)
{
	struct rolling r;
	int64_t end = clock_mono() + SLICE_US;
	enum err err = rolls_begin(s->blocks, month);
	rolling_begin(&r, s, month);
	do {
		if (!err)
			err = rolls_next(s->blocks, month, *point, point);
		if (!err && *point)
			err = drop_point(&r, w, *point);
	} while (!err && *point && clock_mono() < end);
	rolling_end(&r);
	return rolls_end(s->blocks, month, err);
}

static enum err drop_step(struct series *s, struct retain_job *j)
{
	const struct series_removal *m = &j->v[j->at];
	int32_t month = blocks_month(m->month);
	struct series_removal now = { .file = false };
	enum err err = m->file && !j->point ? plan_month(s, j->what, month, &now) : OK; // again: a block may have come since
	if (!err && now.file) {
		j->at++;
		return rolls_unlink(s->blocks, month);
	}
	if (!err)
		err = drop_slice(s, j->what, month, &j->point);
	if (err || j->point)
		return err;
	j->at++;
	return rolls_shrink(s->blocks, month);
}

static void retain_step(struct series *s, struct retain_job *j)
{
	struct seal *x = &s->seal;
	enum err err = drop_step(s, j);
	pthread_mutex_lock(&x->mutex);
	j->err = x->roller.leave ? ERR_UNAVAILABLE : err;
	if (j->err || j->at == j->n) {
		j->done = true;
		x->roller.retain = NULL;
		pthread_cond_broadcast(&x->chores);
	}
	pthread_mutex_unlock(&x->mutex);
}

static bool leaving(struct series *s)
{
	pthread_mutex_lock(&s->seal.mutex);
	bool leave = s->seal.roller.leave;
	pthread_mutex_unlock(&s->seal.mutex);
	return leave;
}

void series_leave(struct series *s)
{
	pthread_mutex_lock(&s->seal.mutex);
	s->seal.roller.leave = true;
	pthread_cond_broadcast(&s->seal.chores);
	pthread_cond_signal(&s->seal.cond);
	pthread_mutex_unlock(&s->seal.mutex);
}

static enum err plan(struct series *s, struct retain_job *j)
{
	enum err err = OK;
	int64_t over = 0; // months that end later are nobody's
	for (size_t i = 0; i < j->what->nkeep; i++)
		over = MAX(over, j->what->keep[i].raw);
	for (int32_t m = INT32_MIN; !err && blocks_month_next(s->blocks, &m, blocks_month(over) - 1); m++) {
		struct series_removal r;
		err = leaving(s) ? ERR_UNAVAILABLE : plan_month(s, j->what, m, &r);
		if (err || !(r.points || r.held || r.file))
			continue;
		j->v = arena_push(j->arena, j->v, &j->n, &j->cap, sizeof(*j->v));
		j->v[j->n - 1] = r;
	}
	return err;
}

enum err series_retain(struct series *s, const struct series_retention *w, bool dry, struct arena *a, struct series_removal **ret,
                       size_t *ret_n)
{
	struct seal *x = &s->seal;
	struct retain_job j = { .what = w, .arena = a };
	j.err = plan(s, &j);
	*ret = j.v;
	*ret_n = j.n;
	if (j.err || dry || !j.n)
		return j.err;
	pthread_mutex_lock(&x->mutex);
	while (x->roller.retain && !x->roller.leave)
		pthread_cond_wait(&x->chores, &x->mutex);
	j.err = ERR_UNAVAILABLE;
	j.done = x->roller.leave;
	if (!j.done) {
		x->roller.retain = &j;
		pthread_cond_signal(&x->cond);
	}
	while (!j.done)
		pthread_cond_wait(&x->chores, &x->mutex);
	pthread_mutex_unlock(&x->mutex);
	return j.err;
}

// ---- when ----

void roller_init(struct series *s)
{
	s->seal.roller = (struct roller){ .next = clock_mono() + MIN(s->cfg.roll_us, (int64_t)FIRST_US) };
}

int64_t roller_next(const struct series *s)
{
	return s->seal.roller.next;
}

bool roller_due(const struct series *s, int64_t mono)
{
	const struct roller *r = &s->seal.roller;
	return r->retain || mono >= r->next || (r->asked > r->done && !r->running);
}

void roller_work(struct series *s, int64_t mono)
{
	struct seal *x = &s->seal;
	struct roller *r = &x->roller;
	pthread_mutex_lock(&x->mutex);
	struct retain_job *j = r->retain;
	if (!j && !r->running) {
		r->running = true;
		r->taken = r->asked;
		r->month = INT32_MIN;
		r->point = 0;
	}
	pthread_mutex_unlock(&x->mutex);
	if (j)
		retain_step(s, j);
	else
		pass_step(s, mono);
}

enum err series_roll(struct series *s, int64_t wait_us)
{
	struct seal *x = &s->seal;
	int64_t end = clock_mono() + wait_us;
	struct timespec ts = { .tv_sec = end / US_PER_S, .tv_nsec = end % US_PER_S * 1000 };
	int rc = 0;
	pthread_mutex_lock(&x->mutex);
	uint64_t mine = ++x->roller.asked;
	if (x->roller.running)
		x->roller.next = 0; // the one that runs is not kept resting
	pthread_cond_signal(&x->cond);
	while (x->roller.done < mine && rc == 0 && !x->roller.leave)
		rc = pthread_cond_timedwait(&x->chores, &x->mutex, &ts);
	enum err err = x->roller.done < mine ? ERR_TIMEOUT : x->roller.result;
	pthread_mutex_unlock(&x->mutex);
	return err;
}
