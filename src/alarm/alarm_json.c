// Alarms for the API and the event stream, and the short lists the core asks for. Any thread, own connection.
#include <math.h>

#include "alarm/alarm_json.h"
#include "base/limits.h"
#include "base/time.h"

static void write_label(struct jw *w, const char *key, struct label l)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}
static void write_time_or_null(struct jw *w, const char *key, int64_t us)
{
	jw_key(w, key);
	if (us)
		jw_time(w, us);
	else
		jw_null(w);
}
static void write_ref(struct jw *w, const char *key, int64_t id, struct str title)
{
	jw_key(w, key);
	if (!id) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_ki64(w, "id", id);
	jw_kstr(w, "title", title);
	jw_end(w);
}

static void write_point(struct jw *w, const struct alarm_row *r)
{
	jw_kobj(w, "point");
	jw_ki64(w, "id", r->point);
	jw_kstr(w, "code", r->point_code);
	jw_kstr(w, "name", r->point_name.n ? r->point_name : r->point_code);
	jw_kstr(w, "kind", r->point_kind);
	jw_kstr(w, "unit", r->point_unit);
	jw_end(w);
}

static void write_opened(struct jw *w, struct db *db, const struct alarm_row *r, struct arena *a)
{
	struct table t = { .name = r->opened_type };
	struct row row;
	jw_key(w, "opened");
	if (!r->opened_id) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "type", r->opened_type);
	jw_ki64(w, "id", r->opened_id);
	if (records_get(db, &t, &(struct scope){ 0 }, r->opened_id, a, &row) == OK)
		jw_kstr(w, "number", row.c.number);
	jw_end(w);
}

static void write_hidden(struct jw *w, const struct alarm_row *r)
{
	jw_key(w, "hidden");
	if (!r->hidden.by || r->mode.state <= ALARM_SHELVED) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_kcstr(w, "by", hider_name(r->hidden.by));
	jw_ki64(w, "ref", r->hidden.ref);
	write_time_or_null(w, "since", r->hidden_at);
	write_time_or_null(w, "until", r->hidden.until);
	jw_kstr(w, "who", r->hidden.who);
	write_label(w, "why", r->hidden.why);
	jw_end(w);
}

static void write_numbers(struct jw *w, const struct alarm_row *r)
{
	jw_kf64(w, "value", r->value);
	jw_kf64(w, "limit", r->limit);
	jw_kf64(w, "peak", r->peak);
	jw_kcstr(w, "quality", quality_name((enum quality)r->quality));
	jw_ki64(w, "count", r->count);
}

void alarm_write(struct jw *w, struct db *db, const struct alarm_row *r, struct arena *a)
{
	jw_obj(w);
	jw_ki64(w, "id", r->id);
	write_point(w, r);
	write_ref(w, "enterprise", r->enterprise, r->enterprise_title);
	write_ref(w, "installation", r->installation, r->installation_title);
	jw_kstr(w, "area", r->area);
	jw_kstr(w, "rule", r->rule);
	write_label(w, "rule_label", r->rule_label);
	jw_kstr(w, "family", r->family);
	jw_kstr(w, "level", r->level);
	jw_kstr(w, "color", r->color);
	jw_kcstr(w, "state", alarm_state_name(r->mode.state));
	jw_kbool(w, "active", r->mode.active);
	jw_kbool(w, "acked", r->mode.acked);
	jw_kbool(w, "latch", r->mode.latch);
	jw_ktime(w, "raised_at", r->raised_at);
	jw_ktime(w, "last_raised_at", r->last_raised_at);
	jw_ktime(w, "level_at", r->level_at);
	write_time_or_null(w, "returned_at", r->returned_at);
	write_time_or_null(w, "closed_at", r->closed_at);
	jw_ktime(w, "cause_time", r->cause_time);
	write_time_or_null(w, "arrived_at", r->arrival);
	write_numbers(w, r);
	write_label(w, "say", r->say);
	write_label(w, "guide", r->guide);
	write_ref(w, "acked_by", r->acked_by, r->acked_name);
	write_time_or_null(w, "acked_at", r->acked_at);
	write_time_or_null(w, "shelved_until", r->shelved_until);
	jw_kstr(w, "shelve_reason", r->reason);
	write_hidden(w, r);
	jw_kbool(w, "never_hidden", r->always);
	jw_ki64(w, "thread", r->thread);
	write_opened(w, db, r, a);
	jw_kbool(w, "late", r->late);
	jw_key(w, "position");
	if (isnan(r->lon) || isnan(r->lat)) {
		jw_null(w);
	} else {
		jw_arr(w);
		jw_f64(w, r->lon);
		jw_f64(w, r->lat);
		jw_end(w);
	}
	jw_end(w);
}

// ---- lists -------------------------------------------------------------------------------------
static void bind_scope(struct query *q, struct db *db, enum stmt stmt, const struct scope *s)
{
	query_begin(q, db, stmt);
	query_scope(q, s);
}

static void bind_wanted(struct query *q, const struct alarm_query *want)
{
	bool any = want->state.n == 0 || str_is(want->state, "all");
	query_str(q, 4, any ? STR_EMPTY : want->state);
	query_str(q, 5, want->point_code);
	query_i64(q, 6, want->point);
	query_i64(q, 7, want->enterprise);
	query_str(q, 10, want->color);
	query_str(q, 11, want->area);
	query_str(q, 12, want->words);
	if (want->to) {
		query_i64(q, 13, want->from);
		query_i64(q, 14, want->to);
	}
}

// Only closed alarms are normal; "all" and "normal" look at every row, the rest only at open ones.
static bool wants_closed(const struct alarm_query *q) { return str_is(q->state, "all") || str_is(q->state, "normal"); }

static enum err read_rows(struct db *db, const struct scope *scope, const struct alarm_query *want, struct arena *a,
                          struct alarm_row **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0, limit = want->limit ? MIN(want->limit, (size_t)LIMIT_PAGE_SIZE) : 100;
	*ret = NULL;
	*ret_n = 0;
	bind_scope(&q, db, want->to ? STMT_ALARM_LIST_SPAN : wants_closed(want) ? STMT_ALARM_LIST_ALL : STMT_ALARM_LIST_OPEN, scope);
	bind_wanted(&q, want);
	query_i64(&q, 8, want->before);
	query_i64(&q, 9, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		alarm_row_read(&q, a, &(*ret)[*ret_n - 1]);
	}
	return query_end(&q);
}

static enum err write_counts(struct db *db, const struct scope *scope, const struct alarm_query *want, struct jw *w,
                             struct arena *a)
{
	struct query q;
	int64_t total = 0, by_state[ALARM_OUT_OF_SERVICE + 1] = { 0 };
	bind_scope(&q, db, want->to ? STMT_ALARM_COUNT_SPAN : wants_closed(want) ? STMT_ALARM_COUNT_ALL : STMT_ALARM_COUNT_OPEN, scope);
	bind_wanted(&q, want);
	if (query_row(&q))
		total = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	if (err)
		return err;
	bind_scope(&q, db, STMT_ALARM_COUNT_STATES, scope);
	while (query_row(&q)) {
		struct str state = query_get_str(&q, 0, a);
		for (size_t s = 0; s < ARRAY_LEN(by_state); s++)
			if (str_is(state, alarm_state_name((enum alarm_state)s)))
				by_state[s] = query_get_i64(&q, 1);
	}
	if ((err = query_end(&q)))
		return err;
	jw_ki64(w, "total", total);
	jw_kobj(w, "counts");
	for (size_t s = ALARM_UNACK; s < ARRAY_LEN(by_state); s++)
		jw_ki64(w, alarm_state_name((enum alarm_state)s), by_state[s]);
	jw_end(w);
	return OK;
}

static bool state_valid(struct str s)
{
	if (s.n == 0 || str_is(s, "all"))
		return true;
	for (int i = ALARM_NORMAL; i <= ALARM_OUT_OF_SERVICE; i++)
		if (str_is(s, alarm_state_name((enum alarm_state)i)))
			return true;
	return false;
}

enum err alarm_list_json(struct db *db, const struct alarm_context *cx, const struct scope *scope,
                         const struct alarm_query *want, struct jw *w, struct arena *a)
{
	struct alarm_row *rows = NULL;
	size_t n = 0;
	struct alarm_row one;
	(void)cx; // what was said then is in the row
	if (!state_valid(want->state))
		return ERR_INVALID;
	enum err err = OK;
	if (want->id) {
		err = alarm_row_get(db, want->id, a, &one);
		rows = &one;
		n = !err && scope_admits(scope, alarm_row_place(&one));
		err = err == ERR_NOT_FOUND ? OK : err;
	} else {
		err = read_rows(db, scope, want, a, &rows, &n);
	}
	if (err)
		return err;
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t i = 0; i < n; i++)
		alarm_write(w, db, &rows[i], a);
	jw_end(w);
	err = write_counts(db, scope, want, w, a);
	jw_end(w);
	return err;
}

enum err alarm_json(struct db *db, const struct alarm_context *cx, const struct scope *scope, int64_t alarm,
                    struct jw *w, struct arena *a)
{
	struct alarm_row row;
	(void)cx;
	enum err err = alarm_row_get(db, alarm, a, &row);
	if (err)
		return err;
	if (!scope_admits(scope, alarm_row_place(&row)))
		return ERR_NOT_FOUND;
	alarm_write(w, db, &row, a);
	return OK;
}

static struct str person_title(struct db *db, int64_t id, struct arena *a)
{
	struct table t = { .name = STR("person") };
	struct row row;
	return records_get(db, &t, &(struct scope){ 0 }, id, a, &row) == OK ? row.c.title : STR_EMPTY;
}

static void write_real_or_null(struct jw *w, const char *key, struct query *q, int col)
{
	jw_key(w, key);
	if (query_is_null(q, col))
		jw_null(w);
	else
		jw_f64(w, query_get_f64(q, col));
}

enum err alarm_journal_json(struct db *db, int64_t alarm, struct jw *w, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_JOURNAL_LIST);
	query_i64(&q, 1, alarm);
	jw_obj(w);
	jw_karr(w, "items");
	while (query_row(&q)) {
		int64_t actor = query_get_i64(&q, 6);
		jw_obj(w);
		jw_ki64(w, "id", query_get_i64(&q, 0));
		jw_ktime(w, "at", query_get_i64(&q, 1));
		jw_kstr(w, "what", query_get_str(&q, 2, a));
		jw_kstr(w, "level", query_get_str(&q, 3, a));
		jw_kstr(w, "from", query_get_str(&q, 4, a));
		jw_kstr(w, "to", query_get_str(&q, 5, a));
		write_ref(w, "actor", actor, actor ? person_title(db, actor, a) : STR_EMPTY);
		write_real_or_null(w, "value", &q, 7);
		jw_kcstr(w, "quality", quality_name((enum quality)query_get_i64(&q, 8)));
		write_real_or_null(w, "limit", &q, 9);
		jw_kstr(w, "reason", query_get_str(&q, 10, a));
		write_time_or_null(w, "arrived_at", query_get_i64(&q, 11));
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return query_end(&q);
}

enum err alarm_thread_json(struct db *db, const struct alarm_context *cx, const struct scope *scope, int64_t thread,
                           struct jw *w, struct arena *a)
{
	struct query q;
	(void)cx;
	bind_scope(&q, db, STMT_ALARM_THREAD, scope);
	query_i64(&q, 4, thread);
	while (query_row(&q)) {
		struct alarm_row r;
		alarm_row_read(&q, a, &r);
		jw_obj(w);
		jw_kcstr(w, "kind", "alarm");
		jw_ki64(w, "id", r.id);
		jw_kstr(w, "number", arena_printf(a, "%lld", (long long)r.id));
		struct str point = r.point_name.n ? r.point_name : r.point_code;
		write_label(w, "title", (struct label){
			.zh = arena_printf(a, "%.*s %.*s", STR_FMT(point), STR_FMT(r.say.zh)),
			.en = arena_printf(a, "%.*s %.*s", STR_FMT(point), STR_FMT(r.say.en)),
		});
		jw_kcstr(w, "state", alarm_state_name(r.mode.state));
		jw_ktime(w, "at", r.raised_at);
		jw_end(w);
	}
	return query_end(&q);
}

// ---- for the core ------------------------------------------------------------------------------
enum err alarm_which(struct db *db, const struct scope *scope, int64_t alarm, struct arena *a, struct alarm_which *ret)
{
	struct alarm_row row;
	enum err err = alarm_row_get(db, alarm, a, &row);
	if (!err && !scope_admits(scope, alarm_row_place(&row)))
		return ERR_NOT_FOUND;
	if (!err)
		*ret = (struct alarm_which){ row.point, row.enterprise, row.rule, row.level };
	return err;
}

enum err alarm_place(struct db *db, int64_t alarm, struct arena *a, struct place *ret)
{
	struct alarm_row row;
	enum err err = alarm_row_get(db, alarm, a, &row);
	if (!err)
		*ret = alarm_row_place(&row);
	return err;
}

static enum err sectorless(struct db *db, struct arena *a, int64_t **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_ALARM_SECTORLESS);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = query_get_i64(&q, 0);
	}
	return query_end(&q);
}

enum err alarm_fill_sectors(struct db *db)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct table t = { .name = STR("enterprise") };
	int64_t *of;
	size_t n;
	enum err err = sectorless(db, a, &of, &n);
	for (size_t i = 0; !err && i < n; i++) {
		struct query q;
		struct row row;
		bool found = of[i] && records_get(db, &t, NULL, of[i], a, &row) == OK;
		query_begin(&q, db, STMT_ALARM_SET_SECTOR);
		query_i64(&q, 1, of[i]);
		query_str(&q, 2, found ? row.c.sector : STR_EMPTY);
		err = query_run(&q);
	}
	return err;
}

enum err alarm_each_active(struct db *db, void (*fn)(void *arg, uint32_t point, struct str color), void *arg,
                           struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_ACTIVE);
	while (query_row(&q))
		fn(arg, (uint32_t)query_get_i64(&q, 0), query_get_str(&q, 3, a));
	return query_end(&q);
}

enum err alarm_each_opened(struct db *db, int64_t now, void (*fn)(void *arg, uint32_t point, int64_t from, int64_t to), void *arg)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_OPENED);
	query_i64(&q, 1, now);
	while (query_row(&q))
		fn(arg, (uint32_t)query_get_i64(&q, 0), query_get_i64(&q, 1), query_get_i64(&q, 2));
	return query_end(&q);
}

enum err alarm_each_open(struct db *db, void (*fn)(void *arg, uint32_t point, struct str rule, struct str level, struct str family),
                         void *arg, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_ACTIVE);
	while (query_row(&q))
		fn(arg, (uint32_t)query_get_i64(&q, 0), query_get_str(&q, 1, a), query_get_str(&q, 2, a), query_get_str(&q, 4, a));
	return query_end(&q);
}

bool alarm_family_fence(struct str family, int64_t *fence, enum fence_what *what)
{
	uint64_t id;
	size_t n = 6;
	if (!str_starts(family, STR("fence:")))
		return false;
	while (n < family.n && family.p[n] != ':')
		n++;
	bool ok = n < family.n && str_to_u64(str_from(family.p + 6, n - 6), &id) && fence_what_find(str_skip(family, n + 1), what);
	*fence = ok ? (int64_t)id : 0;
	return ok;
}

enum err alarm_newest(struct db *db, uint32_t point, struct str rule, struct str family, int64_t *ret)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_JOURNAL_NEWEST);
	query_i64(&q, 1, point);
	query_str(&q, 2, rule);
	query_str(&q, 3, family);
	*ret = query_row(&q) ? query_get_i64(&q, 0) : 0;
	return query_end(&q);
}
