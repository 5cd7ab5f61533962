// Fences and routes in the core: records and points become a generation (T_EVENTS), positions on their way through T_SERIES are judged
// by it (fence/), and what it finds goes the way of every change of an alarm. A change of a fence, a group or a mover makes the whole
// generation anew beside what runs; T_SERIES only swaps it.
#include <math.h>
#include <sched.h>

#include "core/core_int.h"
#include "fence/record.h"

// ---- T_EVENTS: a generation ---------------------------------------------------------------------

static void on_bad(void *arg, int64_t id)
{
	(void)arg;
	log_warn("fence", "fence %lld is left out: its shape cannot be used, or there are too many fences", (long long)id);
}

static struct fence_set *make(struct core *co, const struct site *s)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct fence_def *defs = NULL;
	struct fence_mover *movers = NULL;
	size_t n = 0, nmovers = 0;
	struct db *db = store_read_begin(co->app.store);
	enum err err = fence_read_all(db, s->reg, a, &defs, &n);
	store_read_end(co->app.store, db);
	if (err) {
		log_error("fence", "cannot read the fences: %s", err_name(err));
		return NULL;
	}
	if (n)
		fence_movers(s->points, a, &movers, &nmovers);
	struct fence_set *set = fence_set_new(defs, n, movers, nmovers, n ? points_max(s->points) : 0, on_bad, NULL);
	for (size_t i = 0; i < n; i++)
		fence_unread(&defs[i]);
	struct fence_made m = fence_set_made(set);
	if (m.crowded)
		log_warn("fence", "%zu times a vehicle or person must stay in more than %d fences; those beyond are left out",
			m.crowded, LIMIT_FENCES_A_MOVER);
	return set;
}

void fences_load(struct core *co)
{
	struct site *s = core_site_take(&co->app);
	struct fence_set *set = make(co, s);
	core_site_give(&co->app, s);
	struct control c = { .kind = CONTROL_FENCES, .fences = set };
	while (set && !queue_push(co->control, &c))
		sched_yield(); // T_SERIES drains it within a turn
}

static void on_timer(void *arg) { fences_load(arg); }

void fences_start(struct core *co) { loop_timer_init(&co->fence_timer, on_timer, co); }

void fences_wake(struct core *co)
{
	if (!loop_timer_is_set(&co->fence_timer))
		loop_timer_in(co->event_loop, &co->fence_timer, 200 * US_PER_MS);
}

void fences_note(struct core *co, const struct record_event *e)
{
	if (str_is(e->type, "fence") || str_is(e->type, "fence_group"))
		fences_wake(co);
}

// ---- T_SERIES: judging --------------------------------------------------------------------------

// Which rule speaks is looked for in the site of now. What ends, ends whichever rule had spoken; a hint has no alarm to be ended.
static bool find_rule(struct core *co, const struct fence_event *e, struct transition *t)
{
	struct site_point p;
	t->rule = RULE_GONE;
	bool found = site_point(co->current, e->point, &p) && rules_fence(co->current->rules, e->what, &p.def, &t->rule);
	if (!e->begins && !(found && rule_hint(co->current->rules, t->rule)))
		t->rule = RULE_GONE;
	return found || !e->begins;
}

struct passing { struct core *co; transition_fn *fn; };

static void pass(void *arg, const struct fence_event *e)
{
	struct passing *p = arg;
	struct transition t = { .point = e->point, .kind = e->begins ? COND_RAISED : COND_RETURNED, .level = LEVEL_FENCE, .at = e->at,
		                .cause_time = e->cause, .cause_value = e->value, .limit = e->limit, .arrival = e->arrival,
		                .standing = e->standing, .fence = e->fence, .what = e->what, .lon = e->lon, .lat = e->lat };
	if (find_rule(p->co, e, &t))
		p->fn(p->co, &t);
}

void fences_reading(struct core *co, const struct reading *r, int64_t arrival, transition_fn *fn)
{
	fences_feed(co->fences, r, arrival, pass, &(struct passing){ co, fn });
}

void fences_turn(struct core *co, transition_fn *fn) { fences_settle(co->fences, pass, &(struct passing){ co, fn }); }

void fences_second(struct core *co, transition_fn *fn)
{
	fences_tick(co->fences, core_now(co), pass, &(struct passing){ co, fn });
	struct fences_stats s = fences_stats(co->fences);
	atomic_store(&co->fences_now, s.fences);
	atomic_store(&co->fence_watches, s.watches);
	atomic_store(&co->fence_positions, s.judged);
	atomic_store(&co->fence_left_out, s.left_out);
}

// Milliseconds for 10,000 vehicles (anlan bench fences): their state is copied, the generation before freed.
void fences_swap(struct core *co, struct fence_set *s, transition_fn *fn)
{
	struct fence_set *old = fences_take(co->fences, s, core_now(co), pass, &(struct passing){ co, fn });
	fence_set_free(old);
}

// ---- over a restart -----------------------------------------------------------------------------
// The state of the fences stands behind the evaluator's in the snapshot (behind_close).
#define MARK 0x31434e46u // FNC1

void fences_save_behind(struct core *co, struct buf *out)
{
	size_t before = out->n;
	fences_save(co->fences, out);
	behind_close(out, before, MARK);
}

struct str fences_restore_behind(struct core *co, struct str saved)
{
	struct str before, own;
	if (behind_open(saved, MARK, &before, &own)) // false: of a version without fences
		fences_restore(co->fences, own);
	return before;
}

void fences_tell_active(struct core *co, transition_fn *fn) { fences_active(co->fences, pass, &(struct passing){ co, fn }); }

void fences_adopt_row(struct core *co, uint32_t point, int64_t fence, enum fence_what what)
{
	struct fence_event e = { .point = point, .fence = fence, .what = what, .at = core_now(co), .cause = core_now(co),
		                 .value = NAN, .limit = NAN };
	if (!fences_adopt(co->fences, point, fence, what))
		pass(&(struct passing){ co, on_transition }, &e);
}
