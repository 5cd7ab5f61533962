// The map's layers (map/map.h) follow the records and what alarms and measurements say. A layer is filled by the first request
// for it; from then on its thread reads each changed record again and puts it in its place, and while somebody looks at the map
// it compares the colours of now every few seconds. What changed is told to the event streams.
#include <errno.h>
#include <time.h>

#include "core/core_int.h"
#include "measure/index.h"

#define GATHER_US (100 * US_PER_MS)  // changes of this long are one batch
#define LOOK_US (5 * US_PER_S)       // colours are compared this often …
#define ALARM_US (500 * US_PER_MS)   // … and this soon after an alarm …
#define WATCHED_US (60 * US_PER_S)   // … while a tile was asked for within this time
#define NEWS_MAX 20000               // more changed records than this: the layer is filled anew

struct kept {
	char name[49];
	int64_t version;            // of the type it was filled by
	bool filled, anew;          // anew: changes were lost
	struct map_layer *layer;
};

struct news {
	size_t kept;
	int64_t id;
};

struct keeper {
	struct core *co;
	pthread_t thread;
	pthread_mutex_t fill;       // who fills or changes layers, one after the other; guards levels
	struct map_levels levels;
	struct arena *levels_arena;

	pthread_mutex_t mutex;      // of everything below
	pthread_cond_t cond;
	bool stop, alarms;
	struct kept kept[LIMIT_MAP_LAYERS];
	size_t nkept;
	struct news *news;
	size_t nnews, news_cap;
	int64_t asked, looked;      // monotonic us
};

// ---- what changed is told -------------------------------------------------------------------------
struct told {
	struct arena *a;
	struct map_object *v;
	size_t n, cap;
};

static void tell(struct told *t, const struct map_object *o)
{
	if (!o->id || t->n > LIMIT_MAP_TOLD) // one more than is named: all
		return;
	t->v = arena_push(t->a, t->v, &t->n, &t->cap, sizeof *t->v);
	t->v[t->n - 1] = *o;
	t->v[t->n - 1].place.area = arena_str(t->a, o->place.area);
	t->v[t->n - 1].place.sector = arena_str(t->a, o->place.sector);
}

// ---- the colours of now ---------------------------------------------------------------------------
// fill is held.
static enum err look(struct keeper *k)
{
	struct arena *a = arena_new(64 << 10);
	struct map_levels lv = { 0 };
	struct site *site = core_site_take(&k->co->app);
	struct db *db = store_read_begin(k->co->app.store);
	enum err err = api_map_levels(&k->co->app, site, db, k->levels.n, a, &lv);
	store_read_end(k->co->app.store, db);
	core_site_give(&k->co->app, site);
	if (err) {
		arena_free(a);
		return err;
	}
	arena_free(k->levels_arena);
	k->levels_arena = a;
	lv.risk = k->levels.risk;
	lv.arg = k->levels.arg;
	k->levels = lv;
	return OK;
}

static bool risk_of(void *arg, int64_t enterprise, enum map_color *ret)
{
	struct core *co = arg;
	struct index_mark m;
	bool known = co->app.index && index_mark(co->app.index, enterprise, &m);
	return known && map_color_of(str_of(index_color_name((enum index_color)m.color)), ret);
}

// Under fill, inside a batch: the risk index goes on without a change of the records.
static bool tint_risk(struct keeper *k, struct map_layer *l, int64_t id)
{
	enum map_color c;
	return k->levels.risk(k->levels.arg, id, &c) && map_tint(l, id, MAP_BY_RISK, c);
}

static void tint(struct keeper *k, const struct kept *kept, enum map_live kind)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct told t = { .a = a };
	struct map_object o;
	map_begin(kept->layer, false);
	for (int64_t id = 1, last = map_last(kept->layer); id <= last; id++) {
		bool other = (size_t)id < k->levels.n[kind] && map_tint(kept->layer, id, MAP_BY_STATE, (enum map_color)k->levels.of[kind][id]);
		other |= kind == MAP_LIVE_ENTERPRISE && tint_risk(k, kept->layer, id);
		if (other && map_known(kept->layer, id, &o))
			tell(&t, &o);
	}
	map_end(kept->layer);
	api_publish_map(&k->co->app, str_of(kept->name), t.v, t.n);
}

static void look_and_tint(struct keeper *k)
{
	enum map_live kind;
	pthread_mutex_lock(&k->fill);
	enum err err = look(k);
	pthread_mutex_lock(&k->mutex);
	size_t n = k->nkept;
	pthread_mutex_unlock(&k->mutex);
	for (size_t i = 0; !err && i < n; i++)
		if (k->kept[i].filled && map_live_of(str_of(k->kept[i].name), &kind))
			tint(k, &k->kept[i], kind);
	pthread_mutex_unlock(&k->fill);
	if (err)
		log_error("map", "cannot read the colours of now: %s", err_name(err));
}

// ---- filling --------------------------------------------------------------------------------------
// fill is held.
static enum err fill(struct keeper *k, struct kept *kept, const struct type *t)
{
	struct map_source s;
	if (!map_source_of(t, &s))
		return ERR_NOT_FOUND;
	enum err err = s.live && !k->levels.of[s.kind] ? look(k) : OK;
	if (err)
		return err;
	pthread_mutex_lock(&k->mutex);
	kept->anew = false; // what is lost from here on is not in what is read now
	pthread_mutex_unlock(&k->mutex);
	struct db *db = store_read_begin(k->co->app.store);
	int64_t began = clock_mono();
	err = map_load(kept->layer, &s, &k->levels, db);
	store_read_end(k->co->app.store, db);
	log_info("map", "layer %s: %zu objects, %zu KiB, read in %lld ms", kept->name, map_count(kept->layer), map_bytes(kept->layer) >> 10,
	         (long long)((clock_mono() - began) / US_PER_MS));
	pthread_mutex_lock(&k->mutex);
	kept->filled = !err;
	kept->version = t->version;
	pthread_mutex_unlock(&k->mutex);
	return err;
}

// Under mutex. NULL: no room.
static struct kept *kept_of(struct keeper *k, struct str name)
{
	for (size_t i = 0; i < k->nkept; i++)
		if (str_is(name, k->kept[i].name))
			return &k->kept[i];
	if (k->nkept == LIMIT_MAP_LAYERS || name.n >= sizeof k->kept->name)
		return NULL;
	struct kept *kept = &k->kept[k->nkept++];
	*kept = (struct kept){ .layer = map_layer_new(name) };
	memcpy(kept->name, name.p, name.n);
	return kept;
}

struct map_layer *core_map_layer(struct app *app, const struct type *t, struct problem *p)
{
	struct keeper *k = ((struct core *)app)->map;
	int64_t now = clock_mono();
	enum err err = OK;
	pthread_mutex_lock(&k->mutex);
	struct kept *kept = kept_of(k, t->name);
	bool ready = kept && kept->filled && kept->version == t->version && !kept->anew;
	if (now - k->asked > LOOK_US) // the thread wakes up again
		pthread_cond_broadcast(&k->cond);
	k->asked = now;
	pthread_mutex_unlock(&k->mutex);
	if (kept && !ready) {
		pthread_mutex_lock(&k->fill);
		pthread_mutex_lock(&k->mutex);
		ready = kept->filled && kept->version == t->version && !kept->anew; // by who came before
		pthread_mutex_unlock(&k->mutex);
		err = ready ? OK : fill(k, kept, t);
		pthread_mutex_unlock(&k->fill);
	}
	if (kept && !err)
		return kept->layer;
	problem_set(p, kept ? err : ERR_TOO_LARGE, "layer", "图层无法读取，请稍后再试", "the layer cannot be read; try again later");
	return NULL;
}

// ---- records that changed -------------------------------------------------------------------------
static void follow(struct keeper *k, struct kept *kept, const struct news *v, size_t n)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct told t = { .a = a };
	struct map_object was, is;
	struct map_source s;
	enum err err = OK;
	const struct registry *reg = registry_pin();
	const struct type *type = registry_type(reg, str_of(kept->name));
	if (type && type->version == kept->version && map_source_of(type, &s)) {
		struct db *db = store_read_begin(k->co->app.store);
		map_begin(kept->layer, false);
		for (size_t i = 0; i < n && !err; i++) {
			if (v[i].kept != (size_t)(kept - k->kept))
				continue;
			err = map_follow(kept->layer, &s, &k->levels, db, v[i].id, a, &was, &is);
			tell(&t, &was);
			if (is.lon != was.lon || is.lat != was.lat || !str_eq(is.place.area, was.place.area))
				tell(&t, &is);
		}
		map_end(kept->layer);
		store_read_end(k->co->app.store, db);
	}
	registry_unpin(reg);
	if (!err) {
		api_publish_map(&k->co->app, str_of(kept->name), t.v, t.n);
		return;
	}
	log_error("map", "layer %s: a changed record cannot be read: %s; the layer is read anew", kept->name, err_name(err));
	pthread_mutex_lock(&k->mutex);
	kept->anew = true;
	pthread_mutex_unlock(&k->mutex);
}

static void take_news(struct keeper *k)
{
	pthread_mutex_lock(&k->fill);
	pthread_mutex_lock(&k->mutex);
	struct news *v = k->news;
	size_t n = k->nnews, layers = k->nkept;
	k->news = NULL;
	k->nnews = k->news_cap = 0;
	pthread_mutex_unlock(&k->mutex);
	for (size_t i = 0; n && i < layers; i++) {
		pthread_mutex_lock(&k->mutex);
		bool whole = k->kept[i].filled && !k->kept[i].anew;
		pthread_mutex_unlock(&k->mutex);
		if (whole)
			follow(k, &k->kept[i], v, n);
	}
	pthread_mutex_unlock(&k->fill);
	mem_free(v);
}

void map_note_record(struct core *co, const struct record_event *e)
{
	struct keeper *k = co->map;
	pthread_mutex_lock(&k->mutex);
	size_t i = 0;
	while (i < k->nkept && !str_is(e->type, k->kept[i].name))
		i++;
	if (i < k->nkept && k->nnews >= NEWS_MAX) {
		k->kept[i].anew = true;
	} else if (i < k->nkept) {
		if (k->nnews == k->news_cap) {
			k->news_cap = k->news_cap * 2 + 64;
			k->news = mem_resize(k->news, k->news_cap * sizeof *k->news);
		}
		k->news[k->nnews++] = (struct news){ i, e->id };
		pthread_cond_broadcast(&k->cond);
	}
	pthread_mutex_unlock(&k->mutex);
}

void map_note_lost(struct core *co)
{
	struct keeper *k = co->map;
	pthread_mutex_lock(&k->mutex);
	for (size_t i = 0; i < k->nkept; i++)
		k->kept[i].anew = true;
	pthread_mutex_unlock(&k->mutex);
}

void map_note_alarm(struct core *co)
{
	struct keeper *k = co->map;
	pthread_mutex_lock(&k->mutex);
	k->alarms = true;
	pthread_cond_broadcast(&k->cond);
	pthread_mutex_unlock(&k->mutex);
}

// ---- the thread -----------------------------------------------------------------------------------
// Under mutex: until the time of the monotonic clock, or until somebody wakes it.
static void wait_until(struct keeper *k, int64_t mono)
{
	struct timespec ts = { .tv_sec = mono / US_PER_S, .tv_nsec = mono % US_PER_S * 1000 };
	pthread_cond_timedwait(&k->cond, &k->mutex, &ts);
}

// Under mutex: when the colours are to be compared next; INT64_MAX while nobody looks.
static int64_t next_look(const struct keeper *k, int64_t now)
{
	if (!k->asked || now - k->asked > WATCHED_US)
		return INT64_MAX;
	return k->looked + (k->alarms ? ALARM_US : LOOK_US);
}

// Under mutex: waits for work. True: the colours are due.
static bool wait_for_work(struct keeper *k)
{
	while (!k->stop && !k->nnews) {
		int64_t now = clock_mono(), due = next_look(k, now);
		if (due <= now)
			return true;
		wait_until(k, MIN(due, now + US_PER_HOUR));
	}
	for (int64_t until = clock_mono() + GATHER_US; !k->stop && clock_mono() < until;)
		wait_until(k, until);
	return false;
}

static void *map_thread(void *arg)
{
	struct keeper *k = arg;
	map_ways_give(k->co->app.base, map_ways_take(k->co->app.base)); // nobody's first question waits for the county's roads
	pthread_mutex_lock(&k->mutex);
	while (!k->stop) {
		bool due = wait_for_work(k);
		if (due) {
			k->looked = clock_mono();
			k->alarms = false;
		}
		bool stop = k->stop;
		pthread_mutex_unlock(&k->mutex);
		if (due)
			look_and_tint(k);
		else if (!stop)
			take_news(k);
		pthread_mutex_lock(&k->mutex);
	}
	pthread_mutex_unlock(&k->mutex);
	return NULL;
}

void map_start(struct core *co)
{
	struct keeper *k = mem_alloc(sizeof *k);
	pthread_condattr_t attr;
	k->co = co;
	k->levels.risk = risk_of;
	k->levels.arg = co;
	pthread_mutex_init(&k->mutex, NULL);
	pthread_mutex_init(&k->fill, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->cond, &attr);
	co->map = k;
	co->app.tiles = map_cache_new(LIMIT_MAP_CACHE);
	co->app.base = map_base_new(co->app.data_dir);
	co->app.placings = map_placings_new();
	if (pthread_create(&k->thread, NULL, map_thread, k))
		log_die("core", "cannot start a thread");
}

void map_stop(struct core *co)
{
	struct keeper *k = co->map;
	pthread_mutex_lock(&k->mutex);
	k->stop = true;
	pthread_cond_broadcast(&k->cond);
	pthread_mutex_unlock(&k->mutex);
	pthread_join(k->thread, NULL);
}
