// The risk index, live: a thread that counts again what changed, tells browsers, keeps the changes of level and rises, and
// tells people. T_EVENTS only notes what happened (index_note); nothing waits for this thread.
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "measure/index.h"

#define TOLD 20                 // notices, and records opened, for enterprises that change at once; beyond it the areas say so
#define STREAMED 500            // changes sent to browsers one by one; beyond it they load anew
#define STORM 64                // notes at once that are one: then the thread rests twice as long as it worked, readings go first
#define KEPT_AT_ONCE 500        // rows of the history in one job
#define PART_US 2000            // a count of everything gives way after so long

struct note { int64_t id, mono; char type[48]; }; // of an enterprise, or of an alarm

struct index_thread {
	struct core *co;
	pthread_t thread;
	bool runs;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct note *notes, *more;  // more: taken between two parts of a long job; its own
	struct note *again;         // of those: what the boards that are being counted may not have seen; its own
	size_t n, nagain;
	bool all, config, stop;
	bool counting;              // everything, into boards that nobody reads yet
	int64_t not_before;         // clock_mono: after a long count some rest, for an import that fills the notes again and again
	// its own
	const struct registry *reg; // what the boards were made from
	struct arena *declared;
	int64_t hour, minute;
	bool begun;
};

// ---- from other threads ------------------------------------------------------------------------
static void note(struct core *co, struct str type, int64_t id)
{
	struct index_thread *t = co->index;
	if (!t || id <= 0)
		return;
	pthread_mutex_lock(&t->mutex);
	if (t->n < LIMIT_INDEX_NEWS) {
		struct note *n = &t->notes[t->n++];
		*n = (struct note){ .id = id, .mono = clock_mono() };
		snprintf(n->type, sizeof n->type, "%.*s", STR_FMT(type));
	} else {
		t->all = true;
	}
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->mutex);
}

void index_note_alarm(struct core *co, int64_t alarm) { note(co, STR("alarm"), alarm); }

// A record without enterprise may cover an area.
void index_note_record(struct core *co, const struct record_event *e)
{
	bool own = str_is(e->type, "enterprise");
	note(co, e->type, own ? e->id : e->enterprise > 0 ? e->enterprise : INT64_MAX);
}

void index_note_all(struct core *co, bool config)
{
	struct index_thread *t = co->index;
	if (!t)
		return;
	pthread_mutex_lock(&t->mutex);
	t->all = true;
	t->config |= config;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->mutex);
}

// ---- to browsers -------------------------------------------------------------------------------
static void publish_one(struct core *co, const struct risk_index *x, const struct index_change *c)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 4 << 10);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "index", x->name);
	jw_kcstr(&w, "kind", index_kind_name(c->kind));
	jw_kstr(&w, "key", c->key);
	jw_kf64(&w, "score", c->tenths / 10.0);
	jw_kcstr(&w, "level", index_color_name(c->color));
	jw_kcstr(&w, "level_was", index_color_name(c->color_was));
	jw_kbool(&w, "rise", c->rise);
	jw_end(&w);
	if (jw_done(&w))
		http_publish(co->app.http, "map", buf_str(&out), &(struct api_event){ .place = c->place, .type = STR("enterprise") });
	buf_free(&out);
}

static void publish(struct core *co, const struct risk_index *x, const struct index_changes *c)
{
	bool many = c->many || c->n > STREAMED;
	if (c->n)
		map_note_alarm(co); // colours by risk are compared soon
	for (size_t i = 0; i < c->n; i++)
		if (!many || (c->v[i].kind == INDEX_AREA && c->v[i].color != c->v[i].color_was))
			publish_one(co, x, &c->v[i]);
	if (many && c->n)
		http_publish(co->app.http, "map", STR("{\"index\":\"\",\"reload\":true}"), &(struct api_event){ .type = STR_EMPTY, .everybody = true });
}

// ---- to people ---------------------------------------------------------------------------------
struct keep_job {
	struct index_thread *t;
	const struct risk_index *x;
	struct index_changes c;
	int64_t now;
	bool tell;
	struct arena *a;
};

static bool rose(const struct risk_index *x, const struct index_change *c)
{
	return c->was >= 0 && ((c->color > c->color_was && x->told & 1u << c->color) || c->rise);
}

static bool is_told(const struct index_change *c)
{
	size_t digits = c->kind == INDEX_AREA ? area_prefix(c->key).n : 0;
	return c->kind == INDEX_ENTERPRISE || c->kind == INDEX_SECTOR || digits == 9 || digits == 6; // towns and the county
}

static enum err record_of(struct db *db, const struct registry *reg, const struct index_change *c, struct arena *a, struct row *ret,
                          const char **ret_type)
{
	const struct type *t = registry_type(reg, str_of(*ret_type = c->kind == INDEX_AREA ? "area" : "enterprise"));
	if (!t || c->kind == INDEX_SECTOR)
		return ERR_NOT_FOUND;
	if (c->kind == INDEX_AREA)
		return records_find(db, &t->table, NULL, STR("code"), (struct value){ .kind = VAL_TEXT, .s = c->key }, a, ret);
	return records_get(db, &t->table, &(struct scope){ .area = STR_EMPTY }, c->id, a, ret);
}

// The three components that weigh most: "正在报警 25.0、未闭环隐患 18.0".
static struct label reasons(const struct risk_index *x, const struct index_change *c, struct arena *a)
{
	struct label l = { STR_EMPTY, STR_EMPTY };
	bool used[INDEX_COMPONENTS] = { false };
	for (int k = 0; k < 3; k++) {
		size_t best = SIZE_MAX;
		for (size_t i = 0; i < x->ncomponents; i++)
			if (!used[i] && c->points[i] > 0.05 && (best == SIZE_MAX || c->points[i] > c->points[best]))
				best = i;
		if (best == SIZE_MAX)
			break;
		used[best] = true;
		const struct label *n = &x->components[best].label;
		l.zh = arena_printf(a, "%.*s%s%.*s %.1f", STR_FMT(l.zh), k ? "、" : "", STR_FMT(n->zh), c->points[best]);
		l.en = arena_printf(a, "%.*s%s%.*s %.1f", STR_FMT(l.en), k ? ", " : "", STR_FMT(n->en), c->points[best]);
	}
	return l;
}

static struct label sentence(const struct risk_index *x, const struct index_change *c, const struct str *title, struct arena *a)
{
	const struct label *l = &x->levels[c->color].label;
	struct label why = reasons(x, c, a);
	if (c->color > c->color_was)
		return (struct label){ arena_printf(a, "%.*s %.*s升为%.*s：%.1f 分（%.*s）", STR_FMT(*title), STR_FMT(x->label.zh), STR_FMT(l->zh), c->tenths / 10.0, STR_FMT(why.zh)),
			               arena_printf(a, "%.*s: %.*s is up to %.*s, %.1f points (%.*s)", STR_FMT(*title), STR_FMT(x->label.en), STR_FMT(l->en), c->tenths / 10.0, STR_FMT(why.en)) };
	return (struct label){ arena_printf(a, "%.*s %.*s 24 小时内上升 %.1f 分，现为 %.1f 分（%.*s）", STR_FMT(*title), STR_FMT(x->label.zh), (c->tenths - c->lowest) / 10.0, c->tenths / 10.0, STR_FMT(why.zh)),
		               arena_printf(a, "%.*s: %.*s rose by %.1f within 24 h to %.1f points (%.*s)", STR_FMT(*title), STR_FMT(x->label.en), (c->tenths - c->lowest) / 10.0, c->tenths / 10.0, STR_FMT(why.en)) };
}

static struct value text_value(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }
static struct value int_value(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }

// A record that the index opened for the enterprise and that is not at an end yet.
static enum err open_already(struct keep_job *j, struct db *db, int64_t enterprise, bool *ret, struct problem *p)
{
	const struct type *t = j->x->opens;
	struct value who = int_value(enterprise), source = text_value(STR("index"));
	struct filter f[] = { { .column = STR("enterprise"), .op = FILTER_EQ, .vals = &who, .nvals = 1 },
		              { .column = STR("source"), .op = FILTER_EQ, .vals = &source, .nvals = 1 } };
	struct list_query lq = { .filters = f, .nfilters = type_field(t, STR("source")) ? 2 : 1, .limit = 50 };
	struct row *rows;
	size_t n = 0;
	int64_t total;
	*ret = false;
	enum err err = records_list(db, &t->table, NULL, &lq, j->a, &rows, &n, &total, p);
	for (size_t i = 0; !err && i < n; i++) {
		const struct state *s = type_state(t, rows[i].c.state);
		*ret |= s && !s->end;
	}
	return err;
}

static enum err open_record(struct keep_job *j, struct db *db, const struct index_change *c, const struct row *of, struct problem *p)
{
	const struct risk_index *x = j->x;
	const struct index_level *l = &x->levels[c->color];
	struct label text = sentence(x, c, &of->c.title, j->a);
	bool there;
	enum err err = open_already(j, db, c->id, &there, p);
	if (err || there)
		return err;
	struct flow_field all[] = {
		{ "title", text_value(arena_printf(j->a, "%.*s %.*s%.*s", STR_FMT(of->c.title), STR_FMT(x->label.zh), STR_FMT(l->label.zh))) },
		{ "level", text_value(str_of(index_color_name(c->color))) },
		{ "category", text_value(x->category) },
		{ "content", text_value(text.zh) },
		{ "content_en", text_value(text.en) },
		{ "source", text_value(STR("index")) },
		{ "enterprise", int_value(c->id) },
		{ "happened", int_value(j->now) },
		{ "advice", text_value(l->actions.zh) },
		{ "control_plan", text_value(l->actions.zh) },
		{ "control_plan_en", text_value(l->actions.en) },
	};
	struct flow_field fields[ARRAY_LEN(all)];
	size_t n = 0;
	int64_t id;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) // a type takes what it has a field for
		if (type_field(x->opens, str_of(all[i].name)) && all[i].v.kind != VAL_NULL)
			fields[n++] = all[i];
	return flow_open(db, j->t->reg, x->opens, fields, n, of->c.area, c->id, 0, j->a, &id, p);
}

static enum err tell_one(struct keep_job *j, struct db *db, const struct index_change *c, struct problem *p)
{
	const struct risk_index *x = j->x;
	struct row row;
	const char *type;
	enum err err = record_of(db, j->t->reg, c, j->a, &row, &type);
	if (err == ERR_NOT_FOUND) {
		row = (struct row){ .c = { .title = c->key, .area = c->place.area } };
		type = "";
		err = OK;
	}
	struct label text = err ? (struct label){ STR_EMPTY, STR_EMPTY } : sentence(x, c, &row.c.title, j->a);
	for (size_t i = 0; !err && i < x->ntell; i++)
		err = flow_notify_role(db, x->tell[i], c->kind == INDEX_AREA ? c->key : row.c.area, c->id, text.zh, text.en, str_of(type), row.c.id);
	if (!err && c->kind == INDEX_ENTERPRISE && x->opens && c->color > c->color_was && x->opens_at & 1u << c->color)
		err = open_record(j, db, c, &row, p);
	return err;
}

static enum err keep_run(struct db *db, void *arg, struct problem *p)
{
	struct keep_job *j = arg;
	size_t told = 0;
	enum err err = index_keep(db, j->x, &j->c, j->now, j->a);
	for (size_t i = 0; !err && j->tell && i < j->c.n; i++) {
		const struct index_change *c = &j->c.v[i];
		if (!rose(j->x, c) || !is_told(c) || (c->kind == INDEX_ENTERPRISE && told++ >= TOLD))
			continue;
		err = tell_one(j, db, c, p);
	}
	return err;
}

// ---- keeping -----------------------------------------------------------------------------------
static void update(struct index_thread *t, struct note *v, size_t n, bool covers);

// What has happened meanwhile does not wait for the rest of a long job.
static void catch_up(struct index_thread *t)
{
	pthread_mutex_lock(&t->mutex);
	size_t n = t->n;
	memcpy(t->more, t->notes, n * sizeof *t->more);
	t->n = 0;
	pthread_mutex_unlock(&t->mutex);
	size_t room = t->counting ? MIN(n, LIMIT_INDEX_NEWS - t->nagain) : 0;
	memcpy(t->again + t->nagain, t->more, room * sizeof *t->again); // before their alarms are resolved
	t->nagain += room;
	if (t->counting && room < n)
		index_note_all(t->co, false); // too many to be put in twice
	if (n)
		update(t, t->more, n, false);
}

static bool keep(struct index_thread *t, size_t which, const struct index_changes *c, bool tell)
{
	for (size_t at = 0; at < c->n; at += KEPT_AT_ONCE) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
		struct problem p;
		problem_init(&p, a);
		struct keep_job j = { .t = t, .x = index_of_board(t->co->app.index, which), .now = clock_now(), .tell = tell, .a = a,
			              .c = { .v = c->v + at, .n = MIN(c->n - at, (size_t)KEPT_AT_ONCE) } };
		enum err err = store_write(t->co->app.store, keep_run, &j, &p);
		if (err) { // what is not kept is kept with the next hour
			log_error("index", "cannot keep changes: %s %.*s", err_name(err), STR_FMT(p.en));
			return false;
		}
		index_kept(t->co->app.index, which, &j.c);
	}
	return true;
}

// Only what the history needs at once.
static struct index_changes important(const struct index_changes *all, struct arena *a)
{
	struct index_changes some = { 0 };
	for (size_t i = 0; i < all->n; i++) {
		const struct index_change *c = &all->v[i];
		if (c->was >= 0 && c->color == c->color_was && !c->rise)
			continue;
		some.v = arena_push(a, some.v, &some.n, &some.cap, sizeof *some.v);
		some.v[some.n - 1] = *c;
	}
	return some;
}

static void said(struct index_thread *t, size_t which, const struct index_changes *all, bool tell, struct arena *a)
{
	publish(t->co, index_of_board(t->co->app.index, which), all);
	struct index_changes some = important(all, a);
	(void)keep(t, which, &some, tell);
}

// ---- counting ----------------------------------------------------------------------------------
static void keep_hour(struct index_thread *t)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	for (size_t i = 0; i < index_boards(t->co->app.index); i++) {
		struct index_changes part = { .n = KEPT_AT_ONCE };
		for (bool ok = true; ok && part.n == KEPT_AT_ONCE;) {
			arena_reset(a);
			part = (struct index_changes){ 0 };
			index_differs(t->co->app.index, i, KEPT_AT_ONCE, a, &part);
			ok = keep(t, i, &part, false);
			catch_up(t);
		}
	}
}

static void resolve_alarms(struct index_thread *t, struct db *db, struct note *v, size_t n)
{
	(void)t;
	for (size_t i = 0; i < n; i++) {
		struct query q;
		if (strcmp(v[i].type, "alarm") != 0)
			continue;
		query_begin(&q, db, STMT_INDEX_ALARM_OF);
		query_i64(&q, 1, v[i].id);
		v[i].id = query_row(&q) ? query_get_i64(&q, 0) : 0;
		if (query_end(&q))
			v[i].id = 0;
	}
}

// What of the notes board `which` is to count again.
static void news_of(struct index_live *l, size_t which, const struct note *v, size_t n, struct arena *a, struct index_news *ret)
{
	ret->enterprises = arena_many(a, n + 1, int64_t);
	for (size_t k = 0; k < n; k++) {
		bool of_cover;
		unsigned bits = index_concerns(l, which, str_of(v[k].type), &of_cover);
		ret->covers |= of_cover;
		if (!bits && strcmp(v[k].type, "enterprise") != 0)
			continue;
		if (v[k].id == INT64_MAX) {
			ret->own |= bits;
			continue;
		}
		ret->components |= bits;
		ret->enterprises[ret->n++] = v[k].id;
	}
}

static void pause_count(void *arg) { catch_up(arg); }

// Everything, a part at a time; what happened meanwhile is in the live boards already and is put into these, too.
static enum err count_all(struct index_thread *t, struct index_live *next, const struct risk_indexes *all, int64_t now, struct arena *a,
                          struct problem *p)
{
	struct core *co = t->co;
	struct index_pause pause = { pause_count, t, PART_US };
	t->nagain = 0;
	t->counting = true;
	struct db *db = store_read_begin(co->app.store);
	enum err err = index_count_all(next, db, all, now, &pause, a, p);
	store_read_end(co->app.store, db);
	t->counting = false;
	db = store_read_begin(co->app.store); // sees what was noted until now
	resolve_alarms(t, db, t->again, t->nagain);
	for (size_t i = 0; !err && i < index_boards(next); i++) {
		struct index_changes c = { 0 };
		struct index_news news = { 0 };
		news_of(next, i, t->again, t->nagain, a, &news);
		if (news.n || news.covers || news.own)
			err = index_update(next, db, i, &news, clock_now(), a, &c, p);
	}
	store_read_end(co->app.store, db);
	return err;
}

static void recall(struct index_thread *t, int64_t now, struct arena *a)
{
	struct db *db = store_read_begin(t->co->app.store);
	enum err err = index_recall(t->co->app.index, db, now, a);
	store_read_end(t->co->app.store, db);
	if (err) // the scores are right; what they were within the day is not known
		log_error("index", "the past of the risk index cannot be read: %s", err_name(err));
}

// The declarations of the packs in force; those of before are freed when no board needs them any more.
static void build(struct index_thread *t, bool tell)
{
	struct core *co = t->co;
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20), *declared = arena_new(64 << 10);
	struct diags d = { .arena = declared };
	struct problem p;
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	int64_t begun = clock_mono(), now = clock_now();
	problem_init(&p, a);
	const struct registry *reg = registry_pin(), *old_reg = t->reg;
	struct arena *old = t->declared;
	const struct risk_indexes *all = indexes_load(reg, declared, &d);
	struct index_live *next = index_live_new();
	enum err err = all ? count_all(t, next, all, now, a, &p) : ERR_BUG;
	if (!err)
		index_replace(co->app.index, next, now, a, c);
	index_live_free(next);
	if (err) {
		log_error("index", "the risk index cannot be computed: %s %.*s; it is tried again within a minute", err_name(err), STR_FMT(p.en));
		arena_free(declared);
		registry_unpin(reg);
		return;
	}
	t->reg = reg;
	t->declared = declared;
	arena_free(old);
	if (old_reg)
		registry_unpin(old_reg);
	if (!t->begun)
		recall(t, now, a);
	for (size_t i = 0; i < index_boards(co->app.index); i++)
		said(t, i, &c[i], tell && t->begun, a);
	t->not_before = clock_mono() + 10 * (clock_mono() - begun);
	if (!t->begun)
		log_info("index", "the risk index was computed in %lld ms", (long long)((clock_mono() - begun) / US_PER_MS));
	t->begun = true;
}

static void update(struct index_thread *t, struct note *v, size_t n, bool covers)
{
	struct core *co = t->co;
	struct arena *a on_scope_exit(arena_freep) = arena_new(256 << 10);
	struct problem p;
	problem_init(&p, a);
	struct db *db = store_read_begin(co->app.store);
	resolve_alarms(t, db, v, n);
	for (size_t i = 0; i < index_boards(co->app.index); i++) {
		struct index_news news = { .covers = covers };
		struct index_changes c = { 0 };
		news_of(co->app.index, i, v, n, a, &news);
		if (!news.n && !news.covers && !news.own)
			continue;
		enum err err = index_update(co->app.index, db, i, &news, clock_now(), a, &c, &p);
		if (err) {
			log_error("index", "cannot count again: %s %.*s; all is counted anew", err_name(err), STR_FMT(p.en));
			index_note_all(co, false);
			break;
		}
		publish(co, index_of_board(co->app.index, i), &c);
		for (size_t k = 0; k < n; k++)
			histogram_add(&co->index_lag, clock_mono() - v[k].mono);
		struct index_changes some = important(&c, a);
		store_read_end(co->app.store, db);
		(void)keep(t, i, &some, true);
		db = store_read_begin(co->app.store);
	}
	store_read_end(co->app.store, db);
}

// ---- the thread --------------------------------------------------------------------------------
// Waits for news, at most until the next minute begins.
static size_t wait_news(struct index_thread *t, struct note *ret, bool *ret_all, bool *ret_config, bool *ret_stop)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&t->mutex);
	int late = 0;
	while (!t->n && !t->config && !(t->all && clock_mono() >= t->not_before) && !t->stop && late != ETIMEDOUT) {
		struct timespec rest = { .tv_sec = t->not_before / US_PER_S + 1 };
		late = pthread_cond_timedwait(&t->cond, &t->mutex, t->all && rest.tv_sec < until.tv_sec ? &rest : &until);
		if (late == ETIMEDOUT && t->all)
			break;
	}
	bool rested = t->config || clock_mono() >= t->not_before;
	size_t n = t->n;
	memcpy(ret, t->notes, n * sizeof *ret);
	t->n = 0;
	*ret_all = t->all && rested;
	*ret_config = t->config;
	*ret_stop = t->stop;
	t->all = t->all && !rested;
	t->config = false;
	pthread_mutex_unlock(&t->mutex);
	return n;
}

static void *index_main(void *arg)
{
	struct index_thread *t = arg;
	struct note *v = mem_alloc(LIMIT_INDEX_NEWS * sizeof *v);
	bool all, config, stop = false;
	pthread_setname_np(pthread_self(), "index");
	build(t, false);
	keep_hour(t);
	t->hour = clock_now() / US_PER_HOUR;
	t->minute = clock_now() / US_PER_MIN;
	while (!stop) {
		size_t n = wait_news(t, v, &all, &config, &stop);
		int64_t now = clock_now(), begun = clock_mono();
		bool hour = now / US_PER_HOUR != t->hour, minute = now / US_PER_MIN != t->minute;
		if (stop)
			break;
		if (all || hour || !t->begun)
			build(t, !config); // another version is no news about the county
		else if (n || minute)
			update(t, v, n, minute); // what covers areas begins and ends by the minute
		if (n > STORM)
			usleep((useconds_t)MIN(2 * (clock_mono() - begun), US_PER_S / 2));
		if (hour) {
			index_hour(t->co->app.index);
			keep_hour(t);
		}
		t->hour = now / US_PER_HOUR;
		t->minute = now / US_PER_MIN;
	}
	mem_free(v);
	return NULL;
}

void index_start(struct core *co)
{
	struct index_thread *t = mem_alloc(sizeof *t);
	pthread_condattr_t attr;
	t->co = co;
	t->notes = mem_alloc(LIMIT_INDEX_NEWS * sizeof *t->notes);
	t->more = mem_alloc(LIMIT_INDEX_NEWS * sizeof *t->more);
	t->again = mem_alloc(LIMIT_INDEX_NEWS * sizeof *t->again);
	pthread_mutex_init(&t->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->cond, &attr);
	pthread_condattr_destroy(&attr);
	co->index = t;
	t->runs = pthread_create(&t->thread, NULL, index_main, t) == 0;
	if (!t->runs)
		log_error("index", "cannot start the thread of the risk index");
}

void index_stop(struct core *co)
{
	struct index_thread *t = co->index;
	if (!t || !t->runs)
		return;
	pthread_mutex_lock(&t->mutex);
	t->stop = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->mutex);
	pthread_join(t->thread, NULL);
	t->runs = false;
}
