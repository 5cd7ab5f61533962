#include "alarm/suppress.h"

#include <math.h>

#include "alarm/rule.h"
#include "base/time.h"

#define CHAIN_MAX 8 // causes behind causes that are followed

// ---- which of them holds ------------------------------------------------------------------------
static enum err find_window(const struct follow *f, const struct alarm_row *row, struct hold *ret)
{
	struct query q;
	query_begin(&q, f->db, STMT_WINDOW_AT);
	query_i64(&q, 1, row->enterprise);
	query_i64(&q, 2, row->point);
	query_i64(&q, 3, row->device);
	query_i64(&q, 4, row->installation);
	query_i64(&q, 5, f->at);
	if (query_row(&q)) {
		struct str number = query_get_str(&q, 1, f->a), reason = query_get_str(&q, 3, f->a);
		*ret = (struct hold){ .by = HIDE_WINDOW, .ref = query_get_i64(&q, 0), .until = query_get_i64(&q, 2) };
		ret->who = query_get_str(&q, 4, f->a);
		ret->why.zh = arena_printf(f->a, "检修窗口 %.*s：%.*s", STR_FMT(number), STR_FMT(reason));
		ret->why.en = arena_printf(f->a, "Maintenance window %.*s: %.*s", STR_FMT(number), STR_FMT(reason));
	}
	return query_end(&q);
}

// One reason for which the alarm may be suppressed: a rule's, or that of a rationale.
struct design {
	struct str rule;        // the cause's
	enum cause_at at;
	int64_t point;          // the cause's, 0 = any
	struct str code;        // the same by its code, empty = any
	int64_t longest;
	struct label why;
};

struct lasting { int64_t id, since, alarm, point, installation, device; struct str code, name; struct label say; };

static bool cause_fits(const struct design *d, const struct lasting *c, const struct alarm_row *row)
{
	if ((d->point && c->point != d->point) || (d->code.n && !str_eq(d->code, c->code)))
		return false;
	switch (d->at) {
	case CAUSE_AT_POINT: return c->point == row->point;
	case CAUSE_AT_DEVICE: return c->device == row->device && c->device != 0;
	case CAUSE_AT_INSTALLATION: return c->installation == row->installation && c->installation != 0;
	case CAUSE_AT_ENTERPRISE: break;
	}
	return true;
}

// Would the alarm be hidden by itself, through others? Then all of them would be silent.
static enum err comes_from(const struct follow *f, int64_t cause_alarm, int64_t alarm, bool *ret)
{
	*ret = false;
	for (int i = 0; i < CHAIN_MAX && cause_alarm && !*ret; i++) {
		struct alarm_row row;
		struct query q;
		*ret = cause_alarm == alarm;
		enum err err = alarm_row_get(f->db, cause_alarm, f->a, &row);
		if (err)
			return err == ERR_NOT_FOUND ? OK : err;
		cause_alarm = 0;
		if (row.hidden.by != HIDE_CAUSE)
			break;
		query_begin(&q, f->db, STMT_CAUSE_ONE);
		query_i64(&q, 1, row.hidden.ref);
		if (query_row(&q))
			cause_alarm = query_get_i64(&q, 0);
		if ((err = query_end(&q)))
			return err;
	}
	return OK;
}

static enum err causes_of(const struct follow *f, const struct design *d, const struct alarm_row *row, struct lasting **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, f->db, STMT_CAUSE_FOR);
	query_i64(&q, 1, row->enterprise);
	query_str(&q, 2, d->rule);
	while (query_row(&q)) {
		struct lasting c = { .id = query_get_i64(&q, 0), .since = query_get_i64(&q, 1), .alarm = query_get_i64(&q, 2),
			             .point = query_get_i64(&q, 3), .installation = query_get_i64(&q, 4), .device = query_get_i64(&q, 5) };
		c.code = query_get_str(&q, 6, f->a);
		c.name = query_get_str(&q, 7, f->a);
		c.say = (struct label){ query_get_str(&q, 8, f->a), query_get_str(&q, 9, f->a) };
		if (!cause_fits(d, &c, row) || c.since + d->longest <= f->at)
			continue;
		*ret = arena_push(f->a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = c;
	}
	return query_end(&q);
}

static enum err find_cause(const struct follow *f, const struct design *d, const struct alarm_row *row, struct hold *ret)
{
	struct lasting *v;
	size_t n;
	enum err err = causes_of(f, d, row, &v, &n);
	for (size_t i = 0; !err && i < n && !ret->by; i++) {
		const struct lasting *c = &v[i];
		bool circle;
		if ((err = comes_from(f, c->alarm, row->id, &circle)) || circle)
			continue;
		*ret = (struct hold){ .by = HIDE_CAUSE, .ref = c->id, .until = c->since + d->longest, .who = STR_EMPTY };
		ret->why.zh = arena_printf(f->a, "起因：%.*s %.*s（%.*s）", STR_FMT(c->name), STR_FMT(c->say.zh), STR_FMT(d->why.zh));
		ret->why.en = arena_printf(f->a, "Cause: %.*s %.*s (%.*s)", STR_FMT(c->name), STR_FMT(c->say.en), STR_FMT(d->why.en));
	}
	return err;
}

static enum err find_rationale(const struct follow *f, const struct alarm_row *row, struct hold *ret)
{
	struct query q;
	struct design *v = NULL;
	size_t n = 0, cap = 0;
	query_begin(&q, f->db, STMT_DESIGN_FOR);
	query_str(&q, 1, row->rule);
	query_str(&q, 2, row->level);
	query_i64(&q, 3, row->point);
	query_i64(&q, 4, row->enterprise);
	while (query_row(&q)) {
		struct str why = query_get_str(&q, 4, f->a);
		v = arena_push(f->a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct design){ .rule = query_get_str(&q, 1, f->a), .at = CAUSE_AT_ENTERPRISE, .point = query_get_i64(&q, 2),
			                    .code = STR_EMPTY, .longest = query_get_i64(&q, 3), .why = { why, why } };
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n && !ret->by; i++)
		err = find_cause(f, &v[i], row, ret);
	return err;
}

enum err hold_find(const struct follow *f, const struct alarm_row *row, bool service, struct hold *ret)
{
	uint32_t rule;
	*ret = (struct hold){ .who = STR_EMPTY, .why = { STR_EMPTY, STR_EMPTY } };
	if (service) {
		ret->by = HIDE_SERVICE;
		ret->why = (struct label){ STR("监测点检修或停用"), STR("The point is in maintenance or out of service") };
		return OK;
	}
	if (row->always)
		return OK;
	enum err err = find_window(f, row, ret);
	if (err || ret->by)
		return err;
	if (f->rules && rule_find(f->rules, row->rule, &rule)) {
		const struct rule *r = &f->rules->v[rule];
		for (size_t i = 0; !err && i < r->ncauses && !ret->by; i++) {
			const struct rule_cause *c = &r->causes[i];
			struct design d = { .rule = c->rule, .at = c->at, .code = c->point, .longest = c->longest, .why = c->why };
			err = find_cause(f, &d, row, ret);
		}
	}
	return err || ret->by ? err : find_rationale(f, row, ret);
}

// ---- hiding and bringing back -------------------------------------------------------------------
static struct str journal_reason(const struct follow *f, const struct hold *h)
{
	if (h->by == HIDE_SERVICE)
		return STR("maintenance");
	char text[TIME_TEXT_MAX];
	struct str until = h->until ? str_from(text, time_text(h->until, text)) : STR_EMPTY;
	return arena_printf(f->a, "%.*s / %.*s%s%.*s%s%.*s", STR_FMT(h->why.zh), STR_FMT(h->why.en), h->who.n ? " · " : "", STR_FMT(h->who),
	                    until.n ? " → " : "", STR_FMT(until));
}

static bool same_hold(const struct hold *x, const struct hold *y) { return x->by == y->by && x->ref == y->ref; }
static bool is_shown(const struct alarm_row *row) { return row->mode.state < ALARM_SHELVED; }

static enum err hide(const struct follow *f, struct alarm_row *row, const struct hold *h, struct alarm_entry e)
{
	bool cause = h->by == HIDE_CAUSE;
	e.what = cause ? "suppress" : "out_of_service";
	e.reason = journal_reason(f, h);
	enum err err = alarm_move(f->db, row, cause ? IN_SUPPRESS : IN_OUT_OF_SERVICE, &e, f->p);
	return err ? err : alarm_set_hidden(f->db, row, h, e.at);
}

// Another reason for the same state: said, and kept.
static enum err exchange(const struct follow *f, struct alarm_row *row, const struct hold *h, struct alarm_entry e)
{
	e.what = h->by == HIDE_CAUSE ? "suppress" : "out_of_service";
	e.reason = journal_reason(f, h);
	enum err err = alarm_note(f->db, row->id, &e, row->mode.state, row->mode.state);
	return err ? err : alarm_set_hidden(f->db, row, h, e.at);
}

static enum err reveal(const struct follow *f, struct alarm_row *row, struct alarm_entry e, const char *why)
{
	e.reason = str_of(why);
	return alarm_reveal(f->db, row, e, f->p);
}

static bool is_low(enum level l) { return l == LEVEL_L || l == LEVEL_LL; }

// Has it become another alarm than the one a person shelved or suppressed? A shelf of the high limit is none of the high-high.
static enum err outgrown(const struct follow *f, const struct alarm_row *row, bool *ret)
{
	struct query q;
	enum level now, then;
	bool by_person = row->mode.state == ALARM_SHELVED || (row->mode.state == ALARM_SUPPRESSED && row->hidden.by == HIDE_PERSON);
	*ret = false;
	if (!by_person)
		return OK;
	query_begin(&q, f->db, STMT_ALARM_JOURNAL_HID);
	query_i64(&q, 1, row->id);
	if (query_row(&q) && level_find(query_get_str(&q, 0, f->a), &then) && level_find(row->level, &now))
		*ret = level_rank(now) > level_rank(then) || is_low(now) != is_low(then);
	return query_end(&q);
}

enum err follow_hold(const struct follow *f, struct alarm_row *row, const struct hold *h, bool raising, struct alarm_entry e)
{
	bool by_itself = row->hidden.by > HIDE_PERSON && !is_shown(row);
	enum alarm_state to = h->by == HIDE_NONE ? ALARM_NORMAL : h->by == HIDE_CAUSE ? ALARM_SUPPRESSED : ALARM_OUT_OF_SERVICE;
	bool other = false;
	enum err err = (row->mode.active || raising) && h->by != HIDE_SERVICE ? outgrown(f, row, &other) : OK;
	if (!err && other)
		err = reveal(f, row, e, "level");
	if (err)
		return err;
	if (by_itself && same_hold(h, &row->hidden))
		return h->until == row->hidden.until ? OK : alarm_set_hidden(f->db, row, h, row->hidden_at);
	if (by_itself && row->mode.state == to)
		return exchange(f, row, h, e);
	if (by_itself && !(h->by && to > row->mode.state) && (err = reveal(f, row, e, h->by ? "other" : "over")))
		return err;
	if (!by_itself && !is_shown(row) && row->always && h->by == HIDE_NONE && (row->mode.active || raising))
		return reveal(f, row, e, "never_suppress");
	if (h->by == HIDE_NONE)
		return OK;
	// what a person hid ends by itself, and what has returned waits for its acknowledgement or reset
	if (h->by == HIDE_SERVICE)
		return row->mode.state == ALARM_OUT_OF_SERVICE || (is_shown(row) && !row->mode.active && !raising) ? OK : hide(f, row, h, e);
	return by_itself || (is_shown(row) && (row->mode.active || raising)) ? hide(f, row, h, e) : OK;
}

// ---- causes -------------------------------------------------------------------------------------
static enum err ids_of(const struct follow *f, struct query *q, int64_t **ret, size_t *ret_n)
{
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	while (query_row(q)) {
		*ret = arena_push(f->a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = query_get_i64(q, 0);
	}
	return query_end(q);
}

static bool out_of_service(const struct follow *f, int64_t point)
{
	const struct point_def *p = f->cx && f->cx->point ? f->cx->point(f->cx->arg, (uint32_t)point) : NULL;
	return p && (p->maintenance || p->out_of_service);
}

// Does the next sample say whether it is over? Of silence, bad data and expressions none does.
static bool told_by_sample(struct str level)
{
	enum level l;
	return level_find(level, &l) && l <= LEVEL_FLAT && l != LEVEL_SILENT;
}

// Looks at one alarm anew. What its point's service hides and is active stays if the next sample says whether it is over. What has
// returned meanwhile waits for no sample.
static enum err look_anew(const struct follow *f, int64_t id)
{
	struct alarm_row row;
	struct hold h;
	enum err err = alarm_row_get(f->db, id, f->a, &row);
	if (err || row.closed_at)
		return err == ERR_NOT_FOUND ? OK : err;
	bool service = out_of_service(f, row.point);
	if (row.hidden.by == HIDE_SERVICE && ((row.mode.active && told_by_sample(row.level)) || !f->cx || !f->cx->point))
		return OK;
	struct alarm_mode was = row.mode;
	struct alarm_entry e = { .at = f->at, .level = row.level, .value = NAN, .limit = NAN };
	if ((err = hold_find(f, &row, service, &h)) || (err = follow_hold(f, &row, &h, false, e)))
		return err;
	if (was.state == row.mode.state)
		return OK;
	bool had = row.opened_type.n > 0;
	err = alarm_want_open(f->db, &row);
	if (!err && f->cx && f->cx->touched)
		f->cx->touched(f->cx->arg, id, !had && row.opened_type.n > 0);
	return err;
}

static enum err look_at_all(const struct follow *f, struct query *q)
{
	int64_t *v;
	size_t n;
	enum err err = ids_of(f, q, &v, &n);
	for (size_t i = 0; !err && i < n; i++)
		err = look_anew(f, v[i]);
	return err;
}

enum err cause_matters(const struct follow *f, struct str rule, bool *ret)
{
	uint32_t i;
	struct query q;
	*ret = f->rules && rule_find(f->rules, rule, &i) && f->rules->v[i].is_cause;
	if (*ret)
		return OK;
	query_begin(&q, f->db, STMT_DESIGN_CAUSES);
	query_str(&q, 1, rule);
	*ret = query_row(&q);
	return query_end(&q);
}

static enum err cause_id(const struct follow *f, const struct cause *c, int64_t *ret)
{
	struct query q;
	query_begin(&q, f->db, STMT_CAUSE_GET);
	query_i64(&q, 1, c->point);
	query_str(&q, 2, c->rule);
	query_str(&q, 3, c->family);
	*ret = query_row(&q) ? query_get_i64(&q, 0) : 0;
	return query_end(&q);
}

enum err cause_lasts(const struct follow *f, const struct cause *c)
{
	struct query q;
	query_begin(&q, f->db, STMT_CAUSE_PUT);
	query_i64(&q, 1, c->point);
	query_str(&q, 2, c->rule);
	query_str(&q, 3, c->family);
	query_i64(&q, 4, c->since);
	query_i64(&q, 5, c->alarm);
	query_str(&q, 6, c->area);
	query_str(&q, 7, c->sector);
	query_i64(&q, 8, c->enterprise);
	query_i64(&q, 9, c->installation);
	query_i64(&q, 10, c->device);
	query_str(&q, 11, c->point_code);
	query_str(&q, 12, c->point_name);
	query_str(&q, 13, c->say.zh);
	query_str(&q, 14, c->say.en);
	query_i64(&q, 15, c->matters);
	enum err err = query_run(&q);
	if (err || !c->matters)
		return err;
	query_begin(&q, f->db, STMT_ALARM_SHOWN_NEAR);
	query_i64(&q, 1, c->enterprise);
	return look_at_all(f, &q);
}

enum err cause_over(const struct follow *f, const struct cause *c)
{
	struct query q;
	int64_t id;
	enum err err = cause_id(f, c, &id);
	if (err || !id)
		return err;
	query_begin(&q, f->db, STMT_CAUSE_DROP);
	query_i64(&q, 1, id);
	if ((err = query_run(&q)))
		return err;
	query_begin(&q, f->db, STMT_ALARM_HIDDEN_BY);
	query_str(&q, 1, str_of(hider_name(HIDE_CAUSE)));
	query_i64(&q, 2, id);
	return look_at_all(f, &q);
}

// ---- what time and a change of rules or records do ----------------------------------------------
// What a person hid until now. A row whose end is not its own (the window's, the cause's) is found anew.
static enum err end_person(const struct follow *f, int64_t id)
{
	struct alarm_row row;
	enum err err = alarm_row_get(f->db, id, f->a, &row);
	if (err)
		return err;
	if (row.closed_at || is_shown(&row))
		return alarm_set_hidden(f->db, &row, &(struct hold){ .who = STR_EMPTY, .why = { STR_EMPTY, STR_EMPTY } }, 0);
	if (row.hidden.by != HIDE_PERSON)
		return look_anew(f, id);
	struct alarm_entry e = { .at = f->at, .level = row.level, .value = NAN, .limit = NAN };
	err = reveal(f, &row, e, "time");
	if (!err)
		err = alarm_want_open(f->db, &row);
	if (!err && f->cx && f->cx->touched)
		f->cx->touched(f->cx->arg, id, row.opened_type.n > 0);
	return err ? err : row.closed_at ? OK : look_anew(f, id);
}

// An alarm whose rule has become a hint is none any more.
static enum err end_hint(const struct follow *f, int64_t id)
{
	struct alarm_row row;
	enum err err = alarm_row_get(f->db, id, f->a, &row);
	struct alarm_entry e = { .at = f->at, .what = "returned", .level = row.level, .value = NAN, .limit = NAN, .reason = STR("hint") };
	if (!err)
		err = alarm_move(f->db, &row, IN_RETURN, &e, f->p);
	if (!err && f->cx->touched)
		f->cx->touched(f->cx->arg, id, false);
	return err;
}

static enum err end_hints(const struct follow *f)
{
	struct query q;
	int64_t *v = NULL;
	size_t n = 0, cap = 0;
	query_begin(&q, f->db, STMT_ALARM_ACTIVE_RULES);
	while (query_row(&q)) {
		uint32_t rule;
		if (!rule_find(f->rules, query_get_str(&q, 1, f->a), &rule) || !rule_hint(f->rules, rule))
			continue;
		v = arena_push(f->a, v, &n, &cap, sizeof *v);
		v[n - 1] = query_get_i64(&q, 0);
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n; i++)
		err = end_hint(f, v[i]);
	return err;
}

// What is announced and active and might be hidden: all of it if a cause or a window lasts, else what its point's service hides.
static enum err look_at_shown(const struct follow *f, bool any)
{
	struct query q;
	int64_t *v = NULL;
	size_t n = 0, cap = 0;
	query_begin(&q, f->db, STMT_ALARM_SHOWN);
	while (query_row(&q)) {
		if (!any && !out_of_service(f, query_get_i64(&q, 1)))
			continue;
		v = arena_push(f->a, v, &n, &cap, sizeof *v);
		v[n - 1] = query_get_i64(&q, 0);
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n; i++)
		err = look_anew(f, v[i]);
	return err;
}

static enum err names_of(const struct follow *f, enum stmt stmt, struct str **ret, size_t *ret_n, size_t *cap)
{
	struct query q;
	query_begin(&q, f->db, stmt);
	while (query_row(&q)) {
		*ret = arena_push(f->a, *ret, ret_n, cap, sizeof **ret);
		(*ret)[*ret_n - 1] = query_get_str(&q, 0, f->a);
	}
	return query_end(&q);
}

static enum err run_for(const struct follow *f, enum stmt stmt, struct str rule, const bool *flag)
{
	struct query q;
	query_begin(&q, f->db, stmt);
	query_str(&q, 1, rule);
	if (flag)
		query_i64(&q, 2, *flag);
	return query_run(&q);
}

// Which conditions are causes, from the open alarms and what rules and rationales say now; hints are there already, whether they
// suppress anything or not.
static enum err causes_anew(const struct follow *f)
{
	struct query q;
	struct str *v = NULL, *known = NULL;
	size_t n = 0, cap = 0, nknown = 0, cap_known = 0;
	query_begin(&q, f->db, STMT_CAUSE_STALE_ALARMS);
	enum err err = query_run(&q);
	for (size_t i = 0; i < f->rules->n; i++)
		if (f->rules->v[i].is_cause) {
			v = arena_push(f->a, v, &n, &cap, sizeof *v);
			v[n - 1] = f->rules->v[i].info.name;
		}
	if (!err)
		err = names_of(f, STMT_DESIGN_RULES, &v, &n, &cap);
	for (size_t i = 0; !err && i < n; i++)
		err = run_for(f, STMT_CAUSE_OF_ALARMS, v[i], NULL);
	if (!err) {
		query_begin(&q, f->db, STMT_CAUSE_DROP_STALE);
		err = query_run(&q);
	}
	if (!err)
		err = names_of(f, STMT_CAUSE_RULES, &known, &nknown, &cap_known);
	for (size_t i = 0; !err && i < nknown; i++) {
		bool matters;
		if (!(err = cause_matters(f, known[i], &matters)))
			err = run_for(f, STMT_CAUSE_MATTERS, known[i], &matters);
	}
	return err;
}

static enum err anything_hides(const struct follow *f, bool *ret)
{
	struct query q;
	query_begin(&q, f->db, STMT_CAUSE_ANY);
	query_i64(&q, 1, f->at);
	*ret = query_row(&q) && query_get_i64(&q, 0);
	return query_end(&q);
}

enum err alarm_suppress_tick(struct db *db, const struct alarm_context *cx, int64_t now, bool all, struct arena *a, int64_t *ret_next)
{
	struct problem p;
	problem_init(&p, a);
	struct follow f = { .db = db, .rules = cx->rules, .a = a, .p = &p, .at = now, .cx = cx };
	struct query q;
	int64_t *v;
	size_t n;
	bool any = false;
	*ret_next = 0;
	query_begin(&q, db, STMT_ALARM_HIDDEN_ENDED);
	query_i64(&q, 1, now);
	enum err err = ids_of(&f, &q, &v, &n);
	for (size_t i = 0; !err && i < n; i++)
		err = end_person(&f, v[i]);
	if (err || !all)
		return err;
	if (!(err = causes_anew(&f)))
		err = end_hints(&f);
	if (!err) {
		query_begin(&q, db, STMT_ALARM_HIDDEN_ALL);
		err = look_at_all(&f, &q);
	}
	if (!err && !(err = anything_hides(&f, &any)))
		err = look_at_shown(&f, any);
	if (err)
		return err;
	query_begin(&q, db, STMT_WINDOW_NEXT);
	query_i64(&q, 1, now);
	*ret_next = query_row(&q) && !query_is_null(&q, 0) ? query_get_i64(&q, 0) : 0;
	return query_end(&q);
}

enum err alarm_settle(struct db *db, const struct alarm_context *cx, int64_t alarm, int64_t now)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	problem_init(&p, a);
	struct follow f = { .db = db, .rules = cx->rules, .a = a, .p = &p, .at = now, .cx = cx };
	return look_anew(&f, alarm);
}

enum err alarm_causes_forget(struct db *db)
{
	struct query q;
	query_begin(&q, db, STMT_CAUSE_FORGET);
	return query_run(&q);
}
