// Soon after the start and then once a day, in a thread of its own: readings that are older than their kinds say are
// deleted, month by month (series_retain), and so are answers kept for requests that are sent again.
#include "core/core_int.h"

#define FIRST (20 * US_PER_S)
#define EVERY US_PER_DAY

static void log_removal(const struct series_removal *r)
{
	struct civil c = time_to_civil(r->month, 0);
	log_info("retention", "%04d-%02d: %llu blocks and %llu roll-ups of %llu points deleted, %llu bytes; %llu blocks held%s", c.year, c.month,
	         (unsigned long long)r->blocks, (unsigned long long)r->days, (unsigned long long)r->points,
	         (unsigned long long)(r->bytes + r->day_bytes), (unsigned long long)r->held, r->file ? "; the file is gone" : "");
}

static void *run(void *arg)
{
	struct core *co = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct series_retention what;
	struct series_removal *v = NULL;
	size_t n = 0;
	struct site *site = core_site_take(&co->app);
	struct db *db = store_read_begin(co->app.store);
	enum err err = api_retention(&co->app, site, db, a, &what);
	store_read_end(co->app.store, db);
	core_site_give(&co->app, site);
	if (!err && what.nkeep)
		err = series_retain(co->app.series, &what, false, a, &v, &n);
	for (size_t i = 0; i < n; i++)
		if (!err && (v[i].points || v[i].file))
			log_removal(&v[i]);
	if (!err)
		err = api_forget_answers(&co->app, a);
	if (err && err != ERR_UNAVAILABLE)
		log_error("retention", "%s", err_name(err));
	__atomic_store_n(&co->retention_over, true, __ATOMIC_RELEASE);
	return NULL;
}

void retention_tick(struct core *co)
{
	if (!co->retention_due)
		co->retention_due = clock_mono() + FIRST;
	if (co->retention_started && __atomic_load_n(&co->retention_over, __ATOMIC_ACQUIRE))
		retention_stop(co);
	if (co->retention_started || clock_mono() < co->retention_due)
		return;
	co->retention_due = clock_mono() + EVERY;
	co->retention_over = false;
	co->retention_started = pthread_create(&co->retention_thread, NULL, run, co) == 0;
}

void retention_stop(struct core *co)
{
	if (co->retention_started)
		pthread_join(co->retention_thread, NULL);
	co->retention_started = false;
}
