#include "alarm/kpi.h"

#include <stdio.h>

#include "base/strmap.h"
#include "base/time.h"

static const char *const by_names[] = { "", "area", "enterprise", "operator" };

bool kpi_by_find(struct str name, enum kpi_by *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(by_names); i++)
		if (str_is(name, by_names[i])) {
			*ret = (enum kpi_by)i;
			return true;
		}
	return false;
}

// ---- the numbers of one group -------------------------------------------------------------------
static int64_t count_at(const struct kpi_count *v, size_t n, size_t *at, int64_t period)
{
	while (*at < n && v[*at].period < period)
		++*at;
	return *at < n && v[*at].period == period ? v[*at].n : 0;
}

struct kpi_numbers kpi_of(const struct kpi_count *v, size_t n, int64_t periods)
{
	struct kpi_numbers k = { .key = STR_EMPTY, .title = STR_EMPTY, .periods = periods };
	bool flood = false;
	int64_t hour = 0;
	size_t at = 0;
	for (int64_t p = 0; p < periods; p++) {
		int64_t c = count_at(v, n, &at, p);
		bool was = flood;
		flood = c >= KPI_FLOOD_BEGINS || (flood && c >= KPI_FLOOD_ENDS);
		k.floods += flood && !was;
		k.flood_periods += flood;
		k.above += c > KPI_TARGET;
		k.activations += c;
		k.peak_period = MAX(k.peak_period, c);
		hour = p % 6 == 0 ? c : hour + c; // six periods an hour, counted from the beginning
		k.peak_hour = MAX(k.peak_hour, hour);
		if (p % 6 == 5 || p + 1 == periods) {
			k.hours++;
			k.busy_hours += hour > KPI_BUSY_HOUR;
		}
	}
	return k;
}

bool kpi_flood_at(const struct kpi_count *v, size_t n, int64_t now, int64_t *ret_since)
{
	enum { SPAN = KPI_PERIOD / US_PER_MIN };
	bool flood = false;
	int64_t sum = 0;
	size_t in = 0, out = 0; // v[out..in) are within the ten minutes
	for (int64_t minute = n ? v[0].period : now + 1; minute <= now; minute++) {
		for (; in < n && v[in].period <= minute; in++)
			sum += v[in].n;
		for (; out < in && v[out].period <= minute - SPAN; out++)
			sum -= v[out].n;
		if (!flood && sum >= KPI_FLOOD_BEGINS)
			*ret_since = minute;
		flood = sum >= KPI_FLOOD_BEGINS || (flood && sum >= KPI_FLOOD_ENDS);
	}
	return flood;
}

const char *kpi_load(double per_hour)
{
	return per_hour <= 6 ? "acceptable" : per_hour <= 12 ? "manageable" : per_hour <= 60 ? "demanding" : "unacceptable";
}

static void ask(struct query *q, struct db *db, enum stmt stmt, const struct scope *scope, const struct kpi_query *kq)
{
	query_begin(q, db, stmt);
	query_scope(q, scope);
	query_i64(q, 4, kq->from);
	query_i64(q, 5, kq->to);
	query_str(q, 6, kq->area);
	query_i64(q, 7, kq->enterprise);
}

static int64_t periods_of(const struct kpi_query *kq) { return (kq->to - kq->from + KPI_PERIOD - 1) / KPI_PERIOD; }

struct group { struct str key, title; struct kpi_count *v; size_t n, cap; };

enum err kpi_groups(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct arena *a, struct kpi_numbers **ret,
                    size_t *ret_n)
{
	struct query q;
	struct group *g = NULL;
	size_t n = 0, cap = 0;
	ask(&q, db, STMT_KPI_PERIODS, scope, kq);
	query_str(&q, 8, str_of(by_names[kq->by]));
	while (query_row(&q)) {
		struct str key = query_get_str(&q, 0, a), title = query_get_str(&q, 3, a);
		if (n == 0 || !str_eq(g[n - 1].key, key)) {
			g = arena_push(a, g, &n, &cap, sizeof *g);
			g[n - 1] = (struct group){ .key = key };
		}
		struct group *now = &g[n - 1];
		now->title = title.n ? title : now->title;
		now->v = arena_push(a, now->v, &now->n, &now->cap, sizeof *now->v);
		now->v[now->n - 1] = (struct kpi_count){ query_get_i64(&q, 1), query_get_i64(&q, 2) };
	}
	enum err err = query_end(&q);
	if (!err && n == 0 && kq->by == KPI_ALL) {
		g = arena_one(a, struct group);
		g[n++] = (struct group){ .key = STR_EMPTY };
	}
	*ret = arena_many(a, n, struct kpi_numbers);
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		(*ret)[i] = kpi_of(g[i].v, g[i].n, periods_of(kq));
		(*ret)[i].key = g[i].key;
		(*ret)[i].title = g[i].title.p ? g[i].title : STR_EMPTY;
	}
	return err;
}

// ---- JSON ---------------------------------------------------------------------------------------
static void numbers_json(struct jw *w, const struct kpi_numbers *k, const struct kpi_query *kq)
{
	double hours = (double)(kq->to - kq->from) / (double)US_PER_HOUR;
	jw_kstr(w, "key", k->key);
	jw_kstr(w, "title", k->title);
	jw_ki64(w, "activations", k->activations);
	jw_kf64(w, "per_hour", hours > 0 ? (double)k->activations / hours : 0);
	jw_kf64(w, "per_day", hours > 0 ? 24 * (double)k->activations / hours : 0);
	jw_kcstr(w, "load", kpi_load(hours > 0 ? (double)k->activations / hours : 0));
	jw_kf64(w, "busy_hours_percent", k->hours ? 100.0 * (double)k->busy_hours / (double)k->hours : 0);
	jw_ki64(w, "peak_10min", k->peak_period);
	jw_ki64(w, "peak_hour", k->peak_hour);
	jw_ki64(w, "floods", k->floods);
	jw_kf64(w, "flood_percent", k->periods ? 100.0 * (double)k->flood_periods / (double)k->periods : 0);
	jw_kf64(w, "above_percent", k->periods ? 100.0 * (double)k->above / (double)k->periods : 0);
}

static void label_json(struct jw *w, const char *key, struct str zh, struct str en)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", zh);
	jw_kstr(w, "en", en);
	jw_end(w);
}

// ret_n: their activations together; NULL: nobody asks.
static enum err actors_json(struct db *db, enum stmt stmt, const char *key, const struct scope *scope, const struct kpi_query *kq,
                            struct jw *w, struct arena *a, int64_t *ret_n)
{
	struct query q;
	int64_t sum = 0;
	ask(&q, db, stmt, scope, kq);
	jw_karr(w, key);
	while (query_row(&q)) {
		struct str name = query_get_str(&q, 2, a);
		jw_obj(w);
		jw_ki64(w, "point", query_get_i64(&q, 0));
		jw_kstr(w, "name", name.n ? name : query_get_str(&q, 1, a));
		jw_kstr(w, "rule", query_get_str(&q, 3, a));
		label_json(w, "rule_label", query_get_str(&q, 4, a), query_get_str(&q, 5, a));
		jw_ki64(w, "n", query_get_i64(&q, 6));
		jw_end(w);
		sum += query_get_i64(&q, 6);
	}
	jw_end(w);
	if (ret_n)
		*ret_n = sum;
	return query_end(&q);
}

// Alarms that stand for a day: ?4 of the statement is the moment before which they were raised.
static enum err open_json(struct db *db, enum stmt stmt, const char *key, const struct scope *scope, const struct kpi_query *kq,
                          struct jw *w, struct arena *a)
{
	struct query q;
	struct kpi_query before = *kq;
	before.from = kq->now - KPI_STANDING;
	ask(&q, db, stmt, scope, &before);
	jw_karr(w, key);
	while (query_row(&q)) {
		struct str name = query_get_str(&q, 3, a);
		jw_obj(w);
		jw_ki64(w, "alarm", query_get_i64(&q, 0));
		jw_ki64(w, "point", query_get_i64(&q, 1));
		jw_kstr(w, "name", name.n ? name : query_get_str(&q, 2, a));
		jw_kstr(w, "rule", query_get_str(&q, 4, a));
		label_json(w, "rule_label", query_get_str(&q, 5, a), query_get_str(&q, 6, a));
		jw_kstr(w, "color", query_get_str(&q, 7, a));
		jw_ktime(w, "since", query_get_i64(&q, 8));
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

static enum err colors_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct jw *w, struct arena *a)
{
	static const char *const colors[] = { "red", "orange", "yellow", "blue" };
	struct query q;
	int64_t n[ARRAY_LEN(colors)] = { 0 };
	ask(&q, db, STMT_KPI_COLORS, scope, kq);
	while (query_row(&q)) {
		struct str color = query_get_str(&q, 0, a);
		for (size_t i = 0; i < ARRAY_LEN(colors); i++)
			if (str_is(color, colors[i]))
				n[i] = query_get_i64(&q, 1);
	}
	jw_kobj(w, "priorities");
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		jw_ki64(w, colors[i], n[i]);
	jw_end(w);
	return query_end(&q);
}

static enum err operators_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct jw *w, struct arena *a)
{
	struct query q;
	struct table people = { .name = STR("person") };
	ask(&q, db, STMT_KPI_OPERATORS, scope, kq);
	jw_karr(w, "operators");
	while (query_row(&q)) {
		struct row row;
		int64_t id = query_get_i64(&q, 0);
		bool found = records_get(db, &people, NULL, id, a, &row) == OK;
		jw_obj(w);
		jw_ki64(w, "person", id);
		jw_kstr(w, "name", found ? row.c.title : STR_EMPTY);
		jw_ki64(w, "acks", query_get_i64(&q, 1));
		jw_kf64(w, "response_s", query_get_f64(&q, 2) / (double)US_PER_S);
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

// What people and the design hide now, by state.
static enum err hidden_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct jw *w, struct arena *a)
{
	static const char *const states[] = { "shelved", "suppressed", "out_of_service" };
	struct query q;
	int64_t n[ARRAY_LEN(states)] = { 0 };
	ask(&q, db, STMT_KPI_HIDDEN, scope, kq);
	while (query_row(&q))
		for (size_t i = 0; i < ARRAY_LEN(states); i++)
			if (str_is(query_get_str(&q, 0, a), states[i]))
				n[i] = query_get_i64(&q, 1);
	jw_kobj(w, "hidden");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		jw_ki64(w, states[i], n[i]);
	jw_end(w);
	return query_end(&q);
}

// ---- rationalisation ----------------------------------------------------------------------------
struct rationales { struct strmap *rules; struct arena *a; int64_t due, now; };

static enum err on_rationale(void *arg, const struct row *row)
{
	struct rationales *r = arg;
	struct str rule = row->vals[0].kind == VAL_TEXT ? row->vals[0].s : STR_EMPTY;
	struct str date = row->vals[1].kind == VAL_TEXT ? row->vals[1].s : STR_EMPTY;
	int64_t at = 0;
	char text[32];
	if (row->c.retired)
		return OK;
	size_t n = date.n == 10 ? (size_t)snprintf(text, sizeof text, "%.*s 00:00:00", STR_FMT(date)) : 0;
	r->due += !n || !time_parse_local(str_from(text, n), time_zone(), &at) || at + KPI_REVIEW < r->now;
	strmap_put(r->rules, arena_str(r->a, rule), 1);
	return OK;
}

// Which rules alarmed without anybody having written why they do, and how many rationales nobody has looked at for a year.
static enum err rationalised_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct jw *w, struct arena *a)
{
	static const struct column cols[] = { { .name = { "rule", 4 }, .kind = COL_TEXT }, { .name = { "reviewed", 8 }, .kind = COL_TEXT } };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct table t = { .name = STR("alarm_rationale"), .cols = cols, .ncols = ARRAY_LEN(cols) };
	struct list_query all = { .text = STR_EMPTY };
	struct rationales r = { .rules = strmap_new(64), .a = a, .now = kq->now };
	struct query q;
	uint32_t found;
	enum err err = kq->rationales ? records_each(db, &t, &all, scratch, on_rationale, &r) : OK;
	if (err) {
		strmap_free(r.rules);
		return err;
	}
	ask(&q, db, STMT_KPI_RULES, scope, kq);
	jw_karr(w, "unrationalised");
	while (query_row(&q)) {
		struct str rule = query_get_str(&q, 0, a);
		if (strmap_get(r.rules, rule, &found))
			continue;
		jw_obj(w);
		jw_kstr(w, "rule", rule);
		label_json(w, "rule_label", query_get_str(&q, 1, a), query_get_str(&q, 2, a));
		jw_ki64(w, "n", query_get_i64(&q, 3));
		jw_end(w);
	}
	jw_end(w);
	jw_ki64(w, "reviews_due", r.due);
	strmap_free(r.rules);
	return query_end(&q);
}

static void targets_json(struct jw *w)
{
	jw_kobj(w, "targets"); // EEMUA 191; ISA-18.2-2016 clause 16
	jw_ki64(w, "per_hour", 5);
	jw_ki64(w, "peak_10min", KPI_FLOOD_BEGINS);
	jw_ki64(w, "peak_hour", 15);
	jw_ki64(w, "flood_percent", 1);
	jw_ki64(w, "busy_hours_percent", 1);
	jw_ki64(w, "per_day", KPI_DAY_TARGET);
	jw_ki64(w, "per_day_most", KPI_DAY_MOST);
	jw_ki64(w, "stale", KPI_STALE_TARGET);
	jw_ki64(w, "top_percent", KPI_TOP_TARGET);
	jw_kobj(w, "priorities"); // four levels: the highest below 1 %, then 5, 15, 80
	static const struct { const char *color; int percent; } shares[] = { { "red", 1 }, { "orange", 5 }, { "yellow", 15 }, { "blue", 80 } };
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		jw_ki64(w, shares[i].color, shares[i].percent);
	jw_end(w);
	jw_end(w);
}

enum err kpi_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, struct jw *w, struct arena *a)
{
	struct kpi_query all = *kq;
	struct kpi_numbers *total, *v;
	int64_t top = 0;
	size_t n;
	all.by = KPI_ALL;
	enum err err = kpi_groups(db, scope, &all, a, &total, &n);
	if (err || (err = kpi_groups(db, scope, kq, a, &v, &n)))
		return err;
	jw_obj(w);
	jw_ktime(w, "from", kq->from);
	jw_ktime(w, "to", kq->to);
	targets_json(w);
	jw_kobj(w, "total");
	numbers_json(w, total, kq);
	jw_end(w);
	jw_karr(w, "groups");
	for (size_t i = 0; kq->by != KPI_ALL && i < n; i++) {
		jw_obj(w);
		numbers_json(w, &v[i], kq);
		jw_end(w);
	}
	jw_end(w);
	if (!(err = colors_json(db, scope, kq, w, a)) && !(err = actors_json(db, STMT_KPI_ACTORS, "actors", scope, kq, w, a, &top)) &&
	    !(err = actors_json(db, STMT_KPI_CHATTER, "chattering", scope, kq, w, a, NULL)) &&
	    !(err = actors_json(db, STMT_KPI_FLEETING, "fleeting", scope, kq, w, a, NULL)) && !(err = hidden_json(db, scope, kq, w, a)) &&
	    !(err = rationalised_json(db, scope, kq, w, a)) &&
	    !(err = open_json(db, STMT_KPI_STANDING, "standing", scope, kq, w, a)) &&
	    !(err = open_json(db, STMT_KPI_STALE, "stale", scope, kq, w, a)))
		err = operators_json(db, scope, kq, w, a);
	jw_kf64(w, "top_percent", total->activations ? 100.0 * (double)top / (double)total->activations : 0);
	jw_end(w);
	return err;
}

// ---- now ----------------------------------------------------------------------------------------
struct busy { int64_t installation, enterprise, n, first; struct str installation_title, enterprise_title; };

static enum err busy_json(struct db *db, const struct scope *scope, const struct kpi_query *kq, const struct busy *b, struct jw *w,
                          struct arena *a)
{
	struct query q;
	jw_obj(w);
	jw_ki64(w, "installation", b->installation);
	jw_ki64(w, "enterprise", b->enterprise);
	jw_kstr(w, "title", b->installation ? b->installation_title : b->enterprise_title);
	jw_ki64(w, "n", b->n);
	ask(&q, db, STMT_KPI_FIRST, scope, kq);
	query_i64(&q, 8, b->installation);
	query_i64(&q, 9, b->enterprise);
	if (query_row(&q)) {
		struct str name = query_get_str(&q, 1, a);
		jw_kobj(w, "first");
		jw_ki64(w, "alarm", query_get_i64(&q, 0));
		jw_kstr(w, "name", name.n ? name : query_get_str(&q, 2, a));
		label_json(w, "say", query_get_str(&q, 3, a), query_get_str(&q, 4, a));
		jw_ktime(w, "at", query_get_i64(&q, 5));
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

static enum err flood_now(struct db *db, const struct scope *scope, int64_t now, struct arena *a, bool *ret, int64_t *ret_since)
{
	struct kpi_query kq = { .from = now - KPI_FLOOD_BACK, .to = now + 1, .area = STR_EMPTY };
	struct kpi_count *v = NULL;
	struct query q;
	size_t n = 0, cap = 0;
	int64_t since = 0;
	ask(&q, db, STMT_KPI_MINUTES, scope, &kq);
	while (query_row(&q)) {
		v = arena_push(a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct kpi_count){ query_get_i64(&q, 0), query_get_i64(&q, 1) };
	}
	*ret = kpi_flood_at(v, n, now / US_PER_MIN, &since);
	*ret_since = since * US_PER_MIN;
	return query_end(&q);
}

enum err kpi_flood_json(struct db *db, const struct scope *scope, int64_t now, struct jw *w, struct arena *a)
{
	struct kpi_query kq = { .from = now - KPI_PERIOD, .to = now + 1, .area = STR_EMPTY };
	struct query q;
	struct busy *v = NULL;
	size_t n = 0, cap = 0;
	int64_t count = 0;
	ask(&q, db, STMT_KPI_GROUPED, scope, &kq);
	while (query_row(&q)) {
		v = arena_push(a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct busy){ .installation = query_get_i64(&q, 0), .enterprise = query_get_i64(&q, 1),
			                  .installation_title = query_get_str(&q, 2, a), .enterprise_title = query_get_str(&q, 3, a),
			                  .n = query_get_i64(&q, 4), .first = query_get_i64(&q, 5) };
		count += v[n - 1].n;
	}
	bool flood = false;
	int64_t since = 0;
	enum err err = query_end(&q);
	if (!err)
		err = flood_now(db, scope, now, a, &flood, &since);
	jw_obj(w);
	jw_kbool(w, "flood", flood);
	if (flood)
		jw_ktime(w, "since", since);
	jw_ki64(w, "count", count);
	jw_ki64(w, "minutes", KPI_PERIOD / US_PER_MIN);
	jw_karr(w, "groups");
	for (size_t i = 0; !err && i < n; i++)
		err = busy_json(db, scope, &kq, &v[i], w, a);
	jw_end(w);
	jw_end(w);
	return err;
}
