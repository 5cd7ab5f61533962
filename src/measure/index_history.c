// Answers from the history of the risk index: trends, changes, and how often it warned in time.
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "measure/index_int.h"

// ---- trend -------------------------------------------------------------------------------------
static bool may_see(const struct index_ask *q, const struct index_row *r)
{
	struct place at = { r->area, r->enterprise, r->sector };
	return auth_in_scope(q->by, at) && (r->enterprise || !q->by->scope.sectors.n);
}

static void row_json(const struct index_row *r, struct jw *w)
{
	jw_obj(w);
	jw_ktime(w, "at", r->at);
	jw_kf64(w, "score", r->score / 10.0);
	jw_kstr(w, "level", r->color);
	jw_kstr(w, "what", r->what);
	jw_kstr(w, "version", r->version);
	if (r->parts.n) {
		jw_key(w, "parts");
		jw_raw(w, r->parts);
	}
	jw_end(w);
}

static enum err trend_part(const struct index_ask *q, enum stmt stmt, enum index_kind kind, struct str key, int64_t from, int64_t to,
                           struct jw *w)
{
	struct query s;
	query_begin(&s, q->db, stmt);
	query_str(&s, 1, q->name);
	query_str(&s, 2, str_of(index_kind_name(kind)));
	query_str(&s, 3, key);
	query_i64(&s, 4, from);
	if (stmt == STMT_INDEX_TREND) {
		query_i64(&s, 5, to);
		query_i64(&s, 6, 5000);
	}
	while (query_row(&s)) {
		struct index_row r = index_row_read(&s, q->arena);
		if (may_see(q, &r))
			row_json(&r, w);
	}
	return query_end(&s);
}

enum err index_trend_json(const struct index_ask *q, enum index_kind kind, struct str key, int64_t from, int64_t to, struct jw *w)
{
	jw_obj(w);
	jw_ktime(w, "from", from);
	jw_ktime(w, "to", to);
	jw_karr(w, "items");
	enum err err = trend_part(q, STMT_INDEX_BEFORE, kind, key, from, to, w); // what it was when the time began
	if (!err)
		err = trend_part(q, STMT_INDEX_TREND, kind, key, from, to, w);
	jw_end(w);
	jw_end(w);
	return err;
}

// ---- changes -----------------------------------------------------------------------------------
static struct str title_of(const struct index_ask *q, const struct index_row *r)
{
	const struct type *t = registry_type(q->reg, str_is(r->kind, "area") ? STR("area") : str_is(r->kind, "grid") ? STR("grid") : STR("enterprise"));
	const struct menu *m = registry_menu(q->reg, STR("sector"));
	const struct menu_item *item = m && str_is(r->kind, "sector") ? menu_item(m, r->key) : NULL;
	struct row row;
	int64_t id;
	if (item)
		return str_is(q->by->lang, "en") ? item->label.en : item->label.zh;
	if (t && str_is(r->kind, "area") &&
	    !records_find(q->db, &t->table, NULL, STR("code"), (struct value){ .kind = VAL_TEXT, .s = r->key }, q->arena, &row))
		return row.c.title;
	if (t && str_to_i64(r->key, &id) && !records_get(q->db, &t->table, &(struct scope){ 0 }, id, q->arena, &row))
		return row.c.title;
	return r->key;
}

enum err index_changes_json(const struct index_ask *q, int64_t from, int64_t to, size_t limit, struct jw *w)
{
	struct query s;
	struct scope scope = q->by->system ? (struct scope){ .area = STR_EMPTY } : q->by->scope;
	jw_obj(w);
	jw_karr(w, "items");
	query_begin(&s, q->db, STMT_INDEX_CHANGES);
	query_scope(&s, &scope);
	query_str(&s, 4, q->name);
	query_i64(&s, 5, from);
	query_i64(&s, 6, to);
	query_i64(&s, 7, (int64_t)limit);
	while (query_row(&s)) {
		struct index_row r = index_row_read(&s, q->arena);
		if (!may_see(q, &r))
			continue;
		jw_obj(w);
		jw_ktime(w, "at", r.at);
		jw_kstr(w, "kind", r.kind);
		jw_kstr(w, "key", r.key);
		jw_kstr(w, "title", title_of(q, &r));
		jw_kstr(w, "what", r.what);
		jw_kf64(w, "score", r.score / 10.0);
		jw_kf64(w, "was", r.was / 10.0);
		jw_kstr(w, "level", r.color);
		jw_kstr(w, "level_was", r.color_was);
		jw_kstr(w, "version", r.version);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return query_end(&s);
}

// ---- back-test ---------------------------------------------------------------------------------
struct spell { int64_t enterprise, from, to; bool hit; }; // orange or red without a break
struct happening { int64_t enterprise, at; const struct index_event *of; };
struct trial {
	const struct index_ask *q;
	const struct risk_index *x;
	int64_t from, to, span;     // span: us
	struct spell *spells;
	size_t nspells, cap_spells;
	struct { int64_t enterprise, since; } *known; // since when there is a history of it
	size_t nknown, cap_known;
	struct happening *events;
	size_t nevents, cap_events;
	const struct index_event *of; // being read
	double warned, watched;     // us in orange or red, and in all, within the time asked about
};

static void spell_end(struct trial *t, int64_t at)
{
	struct spell *s = t->nspells ? &t->spells[t->nspells - 1] : NULL;
	if (s && s->to == 0)
		s->to = at;
}

static double overlap(int64_t a, int64_t b, int64_t from, int64_t to) { return (double)MAX(MIN(b, to) - MAX(a, from), INT64_C(0)); }

static enum err read_spells(struct trial *t)
{
	const struct index_ask *q = t->q;
	struct scope scope = q->by->system ? (struct scope){ .area = STR_EMPTY } : q->by->scope;
	struct query s;
	int64_t last = 0;
	query_begin(&s, q->db, STMT_INDEX_HISTORY);
	query_scope(&s, &scope);
	query_str(&s, 4, q->name);
	query_i64(&s, 5, t->to);
	while (query_row(&s)) {
		struct index_row r = index_row_read(&s, q->arena);
		bool high = index_color_of(r.color) >= INDEX_ORANGE;
		if (r.enterprise != last) {
			spell_end(t, t->to); // of the enterprise before
			t->known = arena_push(q->arena, t->known, &t->nknown, &t->cap_known, sizeof *t->known);
			t->known[t->nknown - 1].enterprise = last = r.enterprise;
			t->known[t->nknown - 1].since = r.at;
		}
		struct spell *open = t->nspells && t->spells[t->nspells - 1].to == 0 ? &t->spells[t->nspells - 1] : NULL;
		if (high && !open) {
			t->spells = arena_push(q->arena, t->spells, &t->nspells, &t->cap_spells, sizeof *t->spells);
			t->spells[t->nspells - 1] = (struct spell){ .enterprise = r.enterprise, .from = r.at };
		} else if (!high) {
			spell_end(t, r.at);
		}
	}
	spell_end(t, t->to);
	for (size_t i = 0; i < t->nspells; i++)
		t->warned += overlap(t->spells[i].from, t->spells[i].to, t->from, t->to);
	for (size_t i = 0; i < t->nknown; i++)
		t->watched += overlap(t->known[i].since, t->to, t->from, t->to);
	return query_end(&s);
}

static enum err event_row(void *arg, const struct row *row)
{
	struct trial *t = arg;
	int64_t at = row_moment(&t->of->of, row);
	if (at < t->from || at > t->to || !row->c.enterprise || !auth_in_scope(t->q->by, common_place(&row->c)))
		return OK;
	t->events = arena_push(t->q->arena, t->events, &t->nevents, &t->cap_events, sizeof *t->events);
	t->events[t->nevents - 1] = (struct happening){ row->c.enterprise, at, t->of };
	return OK;
}

static enum err read_events(struct trial *t)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(16 << 10);
	enum err err = OK;
	for (size_t i = 0; !err && i < t->x->nevents; i++) {
		t->of = &t->x->events[i];
		if (!auth_may_read(t->q->by, t->of->of.type))
			continue;
		struct list_query lq = index_rows(&t->of->of, 0, t->q->now, t->q->arena);
		err = records_each(t->q->db, &t->of->of.type->table, &lq, scratch, event_row, t);
	}
	return err;
}

// Is there a history of the enterprise for the whole time before the event?
static bool watched(const struct trial *t, const struct happening *h)
{
	for (size_t i = 0; i < t->nknown; i++)
		if (t->known[i].enterprise == h->enterprise)
			return t->known[i].since <= h->at - t->span;
	return false;
}

// Was it orange or red at some time within `days` before, but not only since the event itself?
static bool warned(struct trial *t, const struct happening *h)
{
	bool hit = false;
	for (size_t i = 0; i < t->nspells; i++) {
		struct spell *s = &t->spells[i];
		if (s->enterprise != h->enterprise || s->from >= h->at || s->to < h->at - t->span)
			continue;
		s->hit = true;
		hit = true;
	}
	return hit;
}

// 95 % interval of a rate (Wilson 1927): honest for small numbers.
static void rate_json(struct jw *w, const char *key, int64_t k, int64_t n)
{
	const double z = 1.96;
	double p = n ? (double)k / (double)n : 0, d = 1 + z * z / (double)MAX(n, INT64_C(1));
	double mid = (p + z * z / (2 * (double)MAX(n, INT64_C(1)))) / d;
	double half = n ? z * sqrt(p * (1 - p) / (double)n + z * z / (4 * (double)n * (double)n)) / d : 0;
	jw_kobj(w, key);
	jw_ki64(w, "k", k);
	jw_ki64(w, "n", n);
	jw_key(w, "rate");
	if (n)
		jw_f64(w, round(p * 1000) / 1000);
	else
		jw_null(w);
	if (n) {
		jw_kf64(w, "low", round(fmax(mid - half, 0) * 1000) / 1000);
		jw_kf64(w, "high", round(fmin(mid + half, 1) * 1000) / 1000);
	}
	jw_end(w);
}

#define ENOUGH 30               // events and spells below which a rate says little

static void trial_json(struct trial *t, int days, struct jw *w)
{
	int64_t judged = 0, hits = 0, spells = 0, alone = 0, running = 0;
	for (size_t i = 0; i < t->nevents; i++) {
		bool hit = warned(t, &t->events[i]), known = watched(t, &t->events[i]);
		judged += known;
		hits += known && hit;
	}
	for (size_t i = 0; i < t->nspells; i++) {
		const struct spell *s = &t->spells[i];
		if (s->to < t->from)
			continue;
		bool over = s->hit || s->to + t->span <= t->q->now; // what may still come is not judged
		running += !over;
		spells += over;
		alone += over && !s->hit;
	}
	bool enough = judged >= ENOUGH && spells >= ENOUGH;
	jw_obj(w);
	jw_kstr(w, "index", t->x->name);
	jw_kstr(w, "version", t->x->version);
	jw_ktime(w, "from", t->from);
	jw_ktime(w, "to", t->to);
	jw_ki64(w, "days", days);
	jw_ki64(w, "events", (int64_t)t->nevents);
	jw_ki64(w, "events_without_history", (int64_t)t->nevents - judged);
	rate_json(w, "hits", hits, judged);
	rate_json(w, "false_alarms", alone, spells);
	jw_ki64(w, "spells_not_over", running);
	jw_kf64(w, "share_of_time", t->watched > 0 ? round(t->warned / t->watched * 1000) / 1000 : 0);
	jw_kbool(w, "enough", enough);
	jw_kobj(w, "say");
	jw_kcstr(w, "zh", enough ? "次数够作初步判断；命中率要与“橙红所占时间”相比，相差不大说明没有预警作用。"
	                         : "次数太少，比率只能参考，不能据此说明指数有效或无效。");
	jw_kcstr(w, "en", enough ? "Enough for a first judgement; compare the hit rate with the share of time in orange and red: if they are alike, it does not warn."
	                         : "Too few: the rates are no evidence for or against the index.");
	jw_end(w);
	jw_end(w);
}

enum err index_backtest_json(const struct index_ask *q, int64_t from, int64_t to, int days, struct jw *w)
{
	pthread_rwlock_rdlock(&q->live->lock);
	const struct board *b = live_board(q->live, q->name);
	struct trial t = { .q = q, .x = b ? b->x : NULL, .from = from, .to = MIN(to, q->now) };
	enum err err = b ? OK : problem_set(q->p, ERR_NOT_FOUND, "name", "没有这个指数", "no such index");
	if (!err && !b->x->nevents)
		err = problem_set(q->p, ERR_INVALID, "name", "这个指数没有写 backtest", "the index has no backtest");
	if (!err) {
		days = days ? days : b->x->days;
		t.span = days * US_PER_DAY;
		err = read_spells(&t);
	}
	if (!err)
		err = read_events(&t);
	if (!err)
		trial_json(&t, days, w);
	pthread_rwlock_unlock(&q->live->lock);
	return err;
}
