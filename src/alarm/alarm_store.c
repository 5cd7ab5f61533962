// From transitions of conditions to rows of table alarm: opens, changes, closes, and journals, in one transaction with
// what is to be opened for it. Runs in store jobs (writer thread) only. Everything may be applied twice.
#include <math.h>

#include "alarm/alarm_row.h"
#include "alarm/rule.h"
#include "alarm/suppress.h"
#include "base/hash.h"
#include "store/records.h"

struct applying {
	struct db *db;
	const struct alarm_context *cx;
	const struct transition *t;     // own
	struct transition own;          // its rule is an index in cx->rules
	const struct point_def *point;  // NULL: the point is no more
	struct str rule;                // name
	struct str family;
	struct arena *a;
	struct alarm_change *ret;
	struct problem p;
	bool service;                   // its point is in maintenance or out of service
};

static struct alarm_entry entry_of(const struct applying *ap, const char *what, int64_t at)
{
	const struct transition *t = ap->t;
	return (struct alarm_entry){ .at = at, .what = what, .level = str_of(level_name(t->level)), .value = t->cause_value,
		                     .limit = t->limit, .quality = t->cause_quality, .arrival = t->arrival,
		                     .reason = t->late ? STR("late") : STR_EMPTY };
}

// ---- finding -----------------------------------------------------------------------------------
static bool rule_matches(const struct rule_set *rs, uint32_t rule, const struct transition *t)
{
	if (rule >= rules_count(rs) || rule_color(rs, rule, t->level).n == 0)
		return false;
	struct str name = rule_info(rs, rule).name;
	return t->key == 0 || crc32c(0, name.p, name.n) == t->key;
}

// The rule's name; of a rule that is no more, from the open alarms of the point.
static enum err find_rule(struct applying *ap)
{
	struct transition *t = &ap->own;
	const struct rule_set *rs = ap->cx->rules;
	if (t->rule != RULE_GONE && !rule_matches(rs, t->rule, t)) { // evaluated under the generation before
		uint32_t i = 0;
		while (i < rules_count(rs) && !rule_matches(rs, i, t))
			i++;
		t->rule = i < rules_count(rs) ? i : RULE_GONE;
	}
	if (t->rule != RULE_GONE) {
		ap->rule = rule_info(rs, t->rule).name;
		return OK;
	}
	struct query q;
	query_begin(&q, ap->db, STMT_ALARM_OPEN_POINT);
	query_i64(&q, 1, t->point);
	query_str(&q, 2, ap->family);
	while (query_row(&q)) {
		struct str name = query_get_str(&q, 0, ap->a);
		if (!t->key || crc32c(0, name.p, name.n) == t->key)
			ap->rule = name;
	}
	enum err err = query_end(&q);
	return err ? err : ap->rule.n ? OK : ERR_NOT_FOUND;
}

static void bind_condition(const struct applying *ap, struct query *q, enum stmt stmt)
{
	query_begin(q, ap->db, stmt);
	query_i64(q, 1, ap->t->point);
	query_str(q, 2, ap->rule);
	query_str(q, 3, ap->family);
}

static enum err find_open(struct applying *ap, struct alarm_row *ret, bool *ret_found)
{
	struct query q;
	bind_condition(ap, &q, STMT_ALARM_OPEN);
	*ret_found = query_row(&q);
	if (*ret_found)
		alarm_row_read(&q, ap->a, ret);
	return query_end(&q);
}

static enum err journal_knows(struct applying *ap, const char *what, int64_t at, bool *ret)
{
	struct query q;
	bind_condition(ap, &q, STMT_ALARM_JOURNAL_KNOWN);
	query_i64(&q, 4, at);
	query_str(&q, 5, str_of(what));
	query_str(&q, 6, str_is(str_of(what), "returned") ? STR_EMPTY : str_of(level_name(ap->t->level)));
	*ret = query_row(&q);
	return query_end(&q);
}

// Is this change in the journal already? A replayed one is if the journal has anything newer: the table is never ahead
// of the log and takes changes in their order.
static enum err is_known(struct applying *ap, const char *what, bool *ret)
{
	const struct transition *t = ap->t;
	int64_t newest = 0;
	enum err err = OK;
	if (t->replayed && (err = alarm_newest(ap->db, t->point, ap->rule, ap->family, &newest)))
		return err;
	*ret = newest > t->at;
	return *ret ? OK : journal_knows(ap, what, t->at, ret);
}

// ---- a new row ---------------------------------------------------------------------------------
static void title_of(struct applying *ap, const char *type, int64_t id, struct str *ret)
{
	struct table t = { .name = str_of(type) };
	struct row row;
	if (id && records_get(ap->db, &t, &(struct scope){ 0 }, id, ap->a, &row) == OK)
		*ret = row.c.title;
}

// Of a fence: who moves, where it was, and the unit of what the fence measures. A tag is said by its number.
static void name_mover(struct applying *ap, struct alarm_row *row)
{
	static const char *const units[FENCE_WHATS] = { [FENCE_LEFT] = "m", [FENCE_ENTERED] = "m", [FENCE_FAST] = "km/h", [FENCE_STAYED] = "min",
		                                        [FENCE_OFF_ROUTE] = "m", [FENCE_STOPPED] = "min", [FENCE_OFF_POST] = "min" };
	struct str device = STR_EMPTY, name = row->point_name;
	title_of(ap, "device", row->device, &device);
	row->point_name = device.n ? arena_printf(ap->a, "%.*s %.*s", STR_FMT(device), STR_FMT(name)) : name;
	row->point_unit = str_of(units[ap->t->what]);
	row->lon = ap->t->lon;
	row->lat = ap->t->lat;
}

// Names as they are now; an alarm is raised even if they cannot be found.
static void find_names(struct applying *ap, struct alarm_row *row)
{
	static const struct column cols[] = { { .name = { "name", 4 }, .kind = COL_TEXT },
		                              { .name = { "unit", 4 }, .kind = COL_TEXT },
		                              { .name = { "position_lon", 12 }, .kind = COL_REAL },
		                              { .name = { "position_lat", 12 }, .kind = COL_REAL } };
	struct table t = { .name = STR("point"), .cols = cols, .ncols = ARRAY_LEN(cols) };
	struct row r;
	row->lon = row->lat = NAN;
	if (records_get(ap->db, &t, &(struct scope){ 0 }, row->point, ap->a, &r) == OK) {
		row->point_name = r.vals[0].kind == VAL_TEXT ? r.vals[0].s : STR_EMPTY;
		row->point_unit = r.vals[1].kind == VAL_TEXT ? r.vals[1].s : STR_EMPTY;
		row->lon = r.vals[2].kind == VAL_REAL ? r.vals[2].f : NAN;
		row->lat = r.vals[3].kind == VAL_REAL ? r.vals[3].f : NAN;
	}
	if (ap->t->level == LEVEL_FENCE)
		name_mover(ap, row);
	title_of(ap, "enterprise", row->enterprise, &row->enterprise_title);
	title_of(ap, "installation", row->installation, &row->installation_title);
}

static void bind_real(struct query *q, int col, double v)
{
	if (isnan(v))
		query_null(q, col);
	else
		query_f64(q, col, v);
}

static enum err insert_row(struct applying *ap, struct alarm_row *row)
{
	const struct transition *t = ap->t;
	struct query q;
	bind_condition(ap, &q, STMT_ALARM_ADD);
	query_str(&q, 4, row->level);
	query_str(&q, 5, row->color);
	query_i64(&q, 6, t->at);
	query_i64(&q, 7, t->cause_time);
	bind_real(&q, 8, t->cause_value);
	query_i64(&q, 9, t->cause_quality);
	bind_real(&q, 10, t->limit);
	query_i64(&q, 11, t->arrival);
	query_i64(&q, 12, t->late);
	query_str(&q, 13, row->area);
	query_i64(&q, 14, row->enterprise);
	query_i64(&q, 15, row->installation);
	query_i64(&q, 16, row->device);
	query_str(&q, 17, row->point_code);
	query_i64(&q, 18, row->thread);
	query_str(&q, 19, row->point_name);
	query_str(&q, 20, row->point_kind);
	query_str(&q, 21, row->point_unit);
	query_str(&q, 22, row->enterprise_title);
	query_str(&q, 23, row->installation_title);
	bind_real(&q, 24, row->lon);
	bind_real(&q, 25, row->lat);
	query_str(&q, 26, row->sector);
	enum err err = query_run(&q);
	row->id = db_changes(ap->db) ? db_last_id(ap->db) : 0;
	return err;
}

// What is said, and what a condition over several points saw.
static struct label with_seen(struct applying *ap, struct label say)
{
	struct str fence = STR_EMPTY;
	if (ap->t->level == LEVEL_FENCE)
		title_of(ap, "fence", ap->t->fence, &fence);
	if (fence.n)
		return (struct label){ arena_printf(ap->a, "%.*s（围栏：%.*s）", STR_FMT(say.zh), STR_FMT(fence)),
			               arena_printf(ap->a, "%.*s (fence: %.*s)", STR_FMT(say.en), STR_FMT(fence)) };
	struct label seen = rule_seen(ap->cx->rules, ap->t->rule, ap->t->seen, ap->t->nseen, ap->a);
	if (!seen.zh.n)
		return say;
	return (struct label){ arena_printf(ap->a, "%.*s（当时：%.*s）", STR_FMT(say.zh), STR_FMT(seen.zh)),
		               arena_printf(ap->a, "%.*s (then: %.*s)", STR_FMT(say.en), STR_FMT(seen.en)) };
}

static enum err write_words(struct applying *ap, struct alarm_row *row)
{
	if (ap->t->rule == RULE_GONE)
		return OK;
	const struct rule_set *rs = ap->cx->rules;
	row->rule_label = rule_info(rs, ap->t->rule).label;
	row->say = with_seen(ap, rule_say(rs, ap->t->rule, ap->t->level));
	row->guide = rule_guide(rs, ap->t->rule, ap->t->level);
	row->opens = rule_opens(rs, ap->t->rule, ap->t->level);
	row->always = rule_always(rs, ap->t->rule, ap->t->level);
	row->hide_longest = rule_hide_longest(rs, ap->t->rule);
	struct query q;
	query_begin(&q, ap->db, STMT_ALARM_SET_WORDS);
	query_i64(&q, 1, row->id);
	query_str(&q, 2, row->rule_label.zh);
	query_str(&q, 3, row->rule_label.en);
	query_str(&q, 4, row->say.zh);
	query_str(&q, 5, row->say.en);
	query_str(&q, 6, row->guide.zh);
	query_str(&q, 7, row->guide.en);
	query_str(&q, 8, row->opens);
	query_i64(&q, 9, row->always);
	query_i64(&q, 10, row->hide_longest);
	return query_run(&q);
}

static enum err new_row(struct applying *ap, struct alarm_row *row)
{
	const struct transition *t = ap->t;
	*row = (struct alarm_row){ .point = t->point, .rule = ap->rule, .family = ap->family, .count = 1,
		                   .level = str_of(level_name(t->level)),
		                   .color = rule_color(ap->cx->rules, t->rule, t->level),
		                   .mode = { ALARM_NORMAL, false, true, false }, .raised_at = t->at, .last_raised_at = t->at };
	if (ap->point) {
		row->area = ap->point->area;
		row->sector = ap->point->sector;
		row->enterprise = ap->point->enterprise;
		row->installation = ap->point->installation;
		row->device = ap->point->device;
		row->point_code = ap->point->code;
		row->point_kind = ap->point->kind;
	}
	find_names(ap, row);
	enum err err = records_next_seq(ap->db, STR("thread"), &row->thread);
	if (!err)
		err = insert_row(ap, row);
	return err || row->id == 0 ? err : write_words(ap, row);
}

// ---- changes -----------------------------------------------------------------------------------
static enum err write_level(struct applying *ap, struct alarm_row *row)
{
	const struct transition *t = ap->t;
	bool low = t->level == LEVEL_LL || t->level == LEVEL_L;
	double peak = isnan(row->peak) ? t->cause_value : low ? fmin(row->peak, t->cause_value) : fmax(row->peak, t->cause_value);
	row->level = str_of(level_name(t->level));
	if (t->rule != RULE_GONE)
		row->color = rule_color(ap->cx->rules, t->rule, t->level);
	struct query q;
	query_begin(&q, ap->db, STMT_ALARM_SET_LEVEL);
	query_i64(&q, 1, row->id);
	query_str(&q, 2, row->level);
	query_str(&q, 3, row->color);
	query_i64(&q, 4, t->at);
	query_i64(&q, 5, t->cause_time);
	bind_real(&q, 6, t->cause_value);
	query_i64(&q, 7, t->cause_quality);
	bind_real(&q, 8, t->limit);
	bind_real(&q, 9, peak);
	query_i64(&q, 10, t->arrival);
	enum err err = query_run(&q);
	return err ? err : write_words(ap, row);
}

static struct follow follow_of(struct applying *ap, int64_t at)
{
	return (struct follow){ .db = ap->db, .rules = ap->cx->rules, .a = ap->a, .p = &ap->p, .at = at, .cx = ap->cx };
}

// Maintenance, a window or a cause hides the alarm, or what hid it is over. raising: before it becomes active, so that it is not
// announced for a moment.
static enum err hide_or_show(struct applying *ap, struct alarm_row *row, bool raising, int64_t at)
{
	struct follow f = follow_of(ap, at);
	struct hold h;
	enum err err = hold_find(&f, row, ap->service, &h);
	return err ? err : follow_hold(&f, row, &h, raising, entry_of(ap, "", at));
}

static enum err finish(struct applying *ap, struct alarm_row *row)
{
	ap->ret->alarm = row->id;
	ap->ret->state = row->mode.state;
	ap->ret->changed = true;
	bool had = row->opened_type.n > 0;
	enum err err = alarm_want_open(ap->db, row);
	ap->ret->opened = !had && row->opened_type.n > 0;
	return err;
}

static enum err change_level(struct applying *ap, struct alarm_row *row)
{
	enum level was = ap->t->level;
	enum alarm_state before = row->mode.state;
	(void)level_find(row->level, &was);
	if (was != ap->t->level) {
		int up = level_rank(ap->t->level) - level_rank(was);
		struct alarm_entry e = entry_of(ap, "level", ap->t->at);
		enum err err = write_level(ap, row);
		// the other side of the band is news, even if it is no more severe
		if (!err)
			err = alarm_move(ap->db, row, up >= 0 ? IN_LEVEL_UP : IN_LEVEL_DOWN, &e, &ap->p);
		if (err)
			return err;
	}
	enum err err = hide_or_show(ap, row, false, ap->t->at);
	return err || (was == ap->t->level && before == row->mode.state) ? err : finish(ap, row);
}

static enum err raise_row(struct applying *ap, struct alarm_row *row, bool found, int64_t at)
{
	enum err err;
	if (!found) {
		if ((err = new_row(ap, row)) || row->id == 0)
			return err;
	} else {
		struct query q;
		query_begin(&q, ap->db, STMT_ALARM_AGAIN);
		query_i64(&q, 1, row->id);
		query_i64(&q, 2, at);
		if ((err = query_run(&q)) || (err = write_level(ap, row)))
			return err;
	}
	struct alarm_entry e = entry_of(ap, "raised", at);
	row->mode.latch |= rule_latch(ap->cx->rules, ap->t->rule);
	if ((err = hide_or_show(ap, row, true, at)) || (err = alarm_move(ap->db, row, IN_RAISE, &e, &ap->p)))
		return err;
	return finish(ap, row);
}

static enum err apply_raised(struct applying *ap)
{
	struct alarm_row row;
	bool found, known;
	int64_t newest = 0;
	enum err err = is_known(ap, "raised", &known);
	if (err || (known && !ap->t->standing) || (err = find_open(ap, &row, &found)))
		return err;
	if (found && row.mode.active)
		return change_level(ap, &row);
	if (ap->t->standing && (err = alarm_newest(ap->db, ap->t->point, ap->rule, ap->family, &newest)))
		return err;
	return raise_row(ap, &row, found, MAX(ap->t->at, newest));
}

static enum err apply_level(struct applying *ap)
{
	struct alarm_row row;
	bool found, known;
	enum err err = is_known(ap, "level", &known);
	if (err || known || (err = find_open(ap, &row, &found)))
		return err;
	if (found && row.mode.active)
		return ap->t->at < row.last_raised_at ? OK : change_level(ap, &row);
	return ap->t->rule == RULE_GONE ? OK : raise_row(ap, &row, found, ap->t->at);
}

static enum err return_row(struct applying *ap, struct alarm_row *row, int64_t at)
{
	struct alarm_entry e = entry_of(ap, "returned", at);
	enum err err = alarm_move(ap->db, row, IN_RETURN, &e, &ap->p);
	return err ? err : finish(ap, row);
}

static enum err apply_returned(struct applying *ap)
{
	struct alarm_row row;
	bool found, known;
	enum err err = find_open(ap, &row, &found);
	if (err || !found || !row.mode.active)
		return err;
	if ((err = journal_knows(ap, "returned", ap->t->at, &known)) || (known && row.last_raised_at > ap->t->at))
		return err;
	int64_t at = ap->t->rule == RULE_GONE ? MAX(ap->t->at, row.last_raised_at) : ap->t->at;
	return at < row.last_raised_at ? OK : return_row(ap, &row, at);
}

// ---- late --------------------------------------------------------------------------------------
struct span { int64_t from, to; }; // to: INT64_MAX while it lasts

static enum err known_spans(struct applying *ap, struct span **ret, size_t *ret_n)
{
	struct query q;
	struct span *v = NULL; // newest first
	size_t n = 0, cap = 0;
	int64_t returned = INT64_MAX;
	bind_condition(ap, &q, STMT_ALARM_JOURNAL_EPISODES);
	while (query_row(&q)) {
		int64_t at = query_get_i64(&q, 0);
		if (str_is(query_get_str(&q, 1, ap->a), "returned")) {
			returned = at;
			continue;
		}
		v = arena_push(ap->a, v, &n, &cap, sizeof *v);
		v[n - 1] = (struct span){ at, returned };
		returned = at;
	}
	*ret = v;
	*ret_n = n;
	return query_end(&q);
}

// Does a known span stand for the late episode? Not one that belongs to the episode before it.
static bool covered(const struct span *v, size_t n, const struct transition *t)
{
	int64_t end = t->ended ? t->ended : INT64_MAX;
	for (size_t i = 0; i < n; i++)
		if (v[i].from == t->at || (v[i].from <= end && v[i].to >= t->at && (!t->prev_ended || v[i].from >= t->prev_ended)))
			return true;
	return false;
}

// An episode that began and ended before what is known of this alarm's present: counted and journaled only.
static enum err note_past(struct applying *ap, struct alarm_row *row, const char *what)
{
	struct alarm_entry e = entry_of(ap, what, ap->t->at);
	enum err err = alarm_note(ap->db, row->id, &e, row->mode.state, row->mode.state);
	if (err || ap->t->kind != COND_RAISED)
		return err;
	struct query q;
	query_begin(&q, ap->db, STMT_ALARM_AGAIN);
	query_i64(&q, 1, row->id);
	query_i64(&q, 2, ap->t->at);
	if ((err = query_run(&q)))
		return err;
	return finish(ap, row);
}

static enum err apply_late_raised(struct applying *ap)
{
	struct span *v;
	size_t n;
	struct alarm_row row;
	bool found;
	enum err err = find_open(ap, &row, &found);
	if (err || (err = known_spans(ap, &v, &n)))
		return err;
	bool active = found && row.mode.active, lasts = ap->t->ended == 0;
	if (covered(v, n, ap->t)) {
		int64_t after = v[0].to == INT64_MAX ? v[0].from : v[0].to;
		if (!lasts || active || after > ap->t->through) // what it says is known, or older than what is known
			return OK;
		// it lasts, and was taken for ended
		return raise_row(ap, &row, found, MAX(ap->t->at, after));
	}
	if (found && (active || (row.returned_at && row.returned_at > ap->t->at)))
		return note_past(ap, &row, "raised");
	return raise_row(ap, &row, found, ap->t->at);
}

static enum err apply_late_returned(struct applying *ap)
{
	struct span *v;
	size_t n;
	struct alarm_row row;
	bool found;
	const struct transition *t = ap->t;
	enum err err = find_open(ap, &row, &found);
	if (err || !found || (err = known_spans(ap, &v, &n)))
		return err;
	for (size_t i = 0; i < n; i++) {
		if (v[i].from < t->since || v[i].from > t->at)
			continue;
		if (i == 0 && row.mode.active) // the newest raise belongs to this episode, which is over
			return v[i].to == INT64_MAX ? return_row(ap, &row, t->at) : OK;
		if (v[i].from == t->since && v[i].to > t->at) // a past one noted by note_past
			return note_past(ap, &row, "returned");
		return OK;
	}
	return OK;
}

// ---- what it suppresses ------------------------------------------------------------------------
static enum err tell_cause(struct applying *ap, const struct alarm_row *row, bool lasts, bool matters)
{
	const struct transition *t = ap->t;
	const struct point_def *p = ap->point;
	struct follow f = follow_of(ap, t->at);
	struct cause c = { .point = t->point, .rule = ap->rule, .family = ap->family };
	if (!lasts)
		return cause_over(&f, &c);
	if (!p || !p->enterprise) // a cause and what it suppresses are of one enterprise
		return OK;
	struct alarm_row names = { .point = t->point, .enterprise = p->enterprise };
	if (!row)
		find_names(ap, &names);
	c = (struct cause){ .point = t->point, .rule = ap->rule, .family = ap->family, .since = row ? row->last_raised_at : t->at,
		            .alarm = row ? row->id : 0, .enterprise = p->enterprise, .installation = p->installation, .device = p->device,
		            .area = p->area, .sector = p->sector, .point_code = p->code, .point_name = row ? row->point_name : names.point_name,
		            .say = row ? row->say : rule_say(ap->cx->rules, t->rule, t->level), .matters = matters };
	if (!c.point_name.n)
		c.point_name = p->code;
	return cause_lasts(&f, &c);
}

// After an alarm was changed: whether it lasts is in its row.
static enum err follow_cause(struct applying *ap)
{
	struct follow f = follow_of(ap, ap->t->at);
	struct alarm_row row;
	bool matters, found;
	enum err err = cause_matters(&f, ap->rule, &matters);
	if (err || !matters || (err = find_open(ap, &row, &found)))
		return err;
	return tell_cause(ap, &row, found && row.mode.active, true);
}

// A hint is never shown; what it suppresses is. An alarm from before its rule became a hint is over.
static enum err apply_hint(struct applying *ap)
{
	const struct transition *t = ap->t;
	struct follow f = follow_of(ap, t->at);
	struct alarm_row row;
	bool matters, found;
	enum err err = find_open(ap, &row, &found);
	if (!err && found && row.mode.active)
		err = return_row(ap, &row, MAX(t->at, row.last_raised_at));
	if (err || t->replayed) // after the replay evaluator_active says what lasts
		return err;
	if ((err = cause_matters(&f, ap->rule, &matters)))
		return err;
	return tell_cause(ap, NULL, t->kind == COND_LEVEL || (t->kind == COND_RAISED && !(t->late && t->ended)), matters);
}

// ---- the door ----------------------------------------------------------------------------------
static enum err apply_alarm(struct applying *ap)
{
	const struct transition *t = ap->t;
	switch (t->kind) {
	case COND_RAISED:
		return t->late ? apply_late_raised(ap) : apply_raised(ap);
	case COND_LEVEL:
		return apply_level(ap);
	case COND_RETURNED:
		return t->late ? apply_late_returned(ap) : apply_returned(ap);
	}
	return ERR_BUG;
}

static enum err apply(struct applying *ap)
{
	enum err err = find_rule(ap);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err; // nothing is open for a rule that is no more
	if (ap->t->rule == RULE_GONE && ap->t->kind == COND_RAISED)
		return OK;
	if (ap->t->rule != RULE_GONE && rule_hint(ap->cx->rules, ap->t->rule))
		return apply_hint(ap);
	err = apply_alarm(ap);
	return err ? err : follow_cause(ap);
}

enum err alarm_apply(struct db *db, const struct alarm_context *cx, const struct transition *t,
                     struct alarm_change *ret)
{
	struct applying ap = { .db = db, .cx = cx, .own = *t, .a = arena_new(0), .ret = ret, .rule = STR_EMPTY,
		               .family = str_of(level_family(t->level)) };
	*ret = (struct alarm_change){ 0 };
	ap.t = &ap.own;
	problem_init(&ap.p, ap.a);
	ap.point = cx->point ? cx->point(cx->arg, t->point) : NULL;
	ap.service = t->cause_quality == Q_MAINTENANCE || (ap.point && (ap.point->out_of_service || ap.point->maintenance));
	if (t->level == LEVEL_FENCE)
		ap.family = arena_printf(ap.a, "fence:%lld:%s", (long long)t->fence, fence_what_name(t->what));
	enum err err = apply(&ap);
	arena_free(ap.a);
	return err;
}
