// Alarms as they were. See past.h.
#include "alarm/past.h"

#include <math.h>

#include "alarm/alarm_row.h"
#include "alarm/rule.h"

// ---- states from a journal: pure -----------------------------------------------------------------
static bool is_condition(struct str what) { return str_is(what, "raised") || str_is(what, "level") || str_is(what, "returned"); }

// A late episode that was over before what was known of the alarm: counted and journaled only (alarm_store.c, note_past).
static bool only_noted(const struct past_entry *e, int64_t newest)
{
	return str_is(e->reason, "late") && e->from == e->to && is_condition(e->what) && e->at < newest;
}

// After each entry, in the order in which they were written.
static void follow(struct past_entry *v, size_t n, struct past_step *after)
{
	struct past_step now = { .state = ALARM_NORMAL };
	int64_t newest = INT64_MIN; // time of a change of the condition
	for (size_t i = 0; i < n; i++) {
		struct past_entry *e = &v[i];
		e->noted = only_noted(e, newest);
		if (!e->noted && is_condition(e->what)) {
			newest = MAX(newest, e->at);
			now.active = !str_is(e->what, "returned");
			now.level = e->level;
		}
		if (!e->noted)
			now.state = e->to;
		after[i] = now;
		after[i].at = e->at;
	}
}

// By time, then in the order they were written. Few, and nearly in order.
static void sort_by_time(size_t *order, const struct past_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = i;
		for (; k > 0 && v[order[k - 1]].at > v[i].at; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static bool same_step(const struct past_step *x, const struct past_step *y)
{
	return x->state == y->state && x->active == y->active && str_eq(x->level, y->level);
}

size_t past_steps(struct past_entry *v, size_t n, struct arena *a, struct past_step **ret)
{
	struct past_step *after = arena_many(a, n + 1, struct past_step), *out = arena_many(a, n + 1, struct past_step);
	size_t *order = arena_many(a, n + 1, size_t);
	size_t nout = 0, newest = 0; // newest: 1 + place of the newest written entry that counts
	follow(v, n, after);
	sort_by_time(order, v, n);
	for (size_t i = 0; i < n; i++) {
		size_t at = order[i];
		if (v[at].noted || at + 1 <= newest)
			continue;
		newest = at + 1;
		if (nout && out[nout - 1].at == v[at].at)
			nout--; // more than one at that moment: the last counts
		if (!nout || !same_step(&out[nout - 1], &after[at]))
			out[nout++] = after[at];
	}
	*ret = out;
	return nout;
}

const struct past_step *past_at(const struct past_step *v, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v[mid].at <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &v[lo - 1] : NULL;
}

// ---- reading -------------------------------------------------------------------------------------
static enum alarm_state state_of(struct str name)
{
	int s = ALARM_NORMAL;
	while (s < ALARM_OUT_OF_SERVICE && !str_is(name, alarm_state_name((enum alarm_state)s)))
		s++;
	return (enum alarm_state)s;
}

static double real_or_nan(struct query *q, int col) { return query_is_null(q, col) ? NAN : query_get_f64(q, col); }

static enum err read_entries(struct db *db, int64_t alarm, int64_t to, size_t most, struct arena *a, struct past_entry **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_ALARM_JOURNAL_LIST);
	query_i64(&q, 1, alarm);
	while (query_row(&q)) {
		int64_t at = query_get_i64(&q, 1);
		if (at >= to || *ret_n > most)
			continue;
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct past_entry){ .id = query_get_i64(&q, 0), .at = at, .what = query_get_str(&q, 2, a),
			.level = query_get_str(&q, 3, a), .from = state_of(query_get_str(&q, 4, a)), .to = state_of(query_get_str(&q, 5, a)),
			.actor = query_get_i64(&q, 6), .value = real_or_nan(&q, 7), .quality = (uint16_t)query_get_i64(&q, 8),
			.limit = real_or_nan(&q, 9), .reason = query_get_str(&q, 10, a), .arrival = query_get_i64(&q, 11) };
	}
	enum err err = query_end(&q);
	return !err && *ret_n > most ? ERR_TOO_LARGE : err;
}

static bool find_rule(const struct rule_set *rs, struct str name, uint32_t *ret)
{
	for (*ret = 0; rs && *ret < rules_count(rs); ++*ret)
		if (str_eq(rule_info(rs, *ret).name, name))
			return true;
	return false;
}

// The row has the colour and the words of its last level; those of others are as the rule has them now.
static struct str color_of(const struct rule_set *rs, const struct alarm_row *r, struct str level)
{
	enum level l;
	uint32_t rule;
	if (str_eq(level, r->level) || !level_find(level, &l) || !find_rule(rs, r->rule, &rule))
		return r->color;
	struct str color = rule_color(rs, rule, l);
	return color.n ? color : r->color;
}

static struct label say_of(const struct rule_set *rs, const struct alarm_row *r, struct str level)
{
	enum level l;
	uint32_t rule;
	if (str_eq(level, r->level) || !level_find(level, &l) || !find_rule(rs, r->rule, &rule))
		return r->say;
	struct label say = rule_say(rs, rule, l);
	return say.zh.n ? say : r->say;
}

static int rank_of(struct str level)
{
	enum level l;
	return level_find(level, &l) ? level_rank(l) : 0;
}

static void dress(const struct rule_set *rs, const struct alarm_row *r, struct past_alarm *p)
{
	struct str highest = p->nsteps ? p->steps[0].level : r->level;
	for (size_t i = 0; i < p->nsteps; i++) {
		p->steps[i].color = color_of(rs, r, p->steps[i].level);
		if (rank_of(p->steps[i].level) > rank_of(highest))
			highest = p->steps[i].level;
	}
	p->say = say_of(rs, r, highest);
}

static enum err read_one(struct db *db, const struct rule_set *rs, const struct alarm_row *r, int64_t to, size_t most, struct arena *a,
                         struct past_alarm *ret)
{
	*ret = (struct past_alarm){ .id = r->id, .point = r->point, .enterprise = r->enterprise, .installation = r->installation,
		.thread = r->thread, .place = alarm_row_place(r), .rule = r->rule, .point_code = r->point_code,
		.point_name = r->point_name.n ? r->point_name : r->point_code, .point_unit = r->point_unit,
		.enterprise_title = r->enterprise_title, .rule_label = r->rule_label, .lon = r->lon, .lat = r->lat };
	enum err err = read_entries(db, r->id, to, most, a, &ret->entries, &ret->nentries);
	if (err)
		return err;
	ret->nsteps = past_steps(ret->entries, ret->nentries, a, &ret->steps);
	dress(rs, r, ret);
	return OK;
}

enum err past_alarms(struct db *db, const struct rule_set *rs, const struct scope *scope, const struct past_query *pq, struct arena *a,
                     struct past_alarm **ret, size_t *ret_n)
{
	struct query q;
	struct alarm_row *rows = NULL;
	size_t n = 0, cap = 0;
	query_begin(&q, db, STMT_ALARM_SPAN);
	query_scope(&q, scope);
	query_i64(&q, 4, pq->from);
	query_i64(&q, 5, pq->to);
	query_str(&q, 6, pq->area);
	query_i64(&q, 7, pq->enterprise);
	query_i64(&q, 8, pq->installation);
	query_i64(&q, 9, pq->point);
	query_i64(&q, 10, (int64_t)pq->most + 1);
	while (query_row(&q)) {
		rows = arena_push(a, rows, &n, &cap, sizeof *rows);
		alarm_row_read(&q, a, &rows[n - 1]);
	}
	enum err err = query_end(&q);
	if (!err && n > pq->most)
		err = ERR_TOO_LARGE;
	*ret = arena_many(a, n + 1, struct past_alarm);
	*ret_n = 0;
	size_t left = pq->most_entries;
	for (size_t i = 0; !err && i < n; i++) {
		err = read_one(db, rs, &rows[i], pq->to, left, a, &(*ret)[*ret_n]);
		left -= err ? 0 : (*ret)[(*ret_n)++].nentries;
	}
	return err;
}

enum err past_which(struct db *db, const struct scope *scope, int64_t alarm, struct arena *a, struct past_which *ret)
{
	struct alarm_row r;
	enum err err = alarm_row_get(db, alarm, a, &r);
	if (!err && !scope_admits(scope, alarm_row_place(&r)))
		return ERR_NOT_FOUND;
	if (!err)
		*ret = (struct past_which){ .raised = r.raised_at, .closed = r.closed_at, .point = r.point, .enterprise = r.enterprise,
			.installation = r.installation, .title = r.point_name.n ? r.point_name : r.point_code, .area = r.area };
	return err;
}
