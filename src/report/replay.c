// What happened in a span of time. See replay.h.
#include "report/replay.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/strmap.h"
#include "base/time.h"
#include "flow/words.h"
#include "notify/notify.h"
#include "store/audit.h"

#define BEFORE (30 * US_PER_MIN)        // what is shown before the subject began
#define LONGEST (LIMIT_REPLAY_DAYS * US_PER_DAY)
#define LOG_BEFORE US_PER_DAY           // a message made so long before may still be sent in the span
#define RELEASE_BEFORE (7 * US_PER_DAY) // a release made so long before may still be confirmed in it

struct seen {                   // a record that changes or messages are about
	bool visible;
	const struct type *t;
	struct str number, title;
};

struct gathering_up {
	struct db *db;
	const struct registry *reg;
	const struct rule_set *rs;
	const struct identity *by;
	struct words *words;
	struct strmap *index;   // "type:id" → place in seen
	struct seen *seen;
	size_t nseen, cap, events_cap;
	struct arena *a;
	struct replay *r;
	struct problem *p;
};

// ---- the subject ---------------------------------------------------------------------------------
static enum err lost(struct gathering_up *g, const char *field)
{
	return problem_set(g->p, ERR_NOT_FOUND, field, "没有这个对象，或不在您的管辖范围", "no such thing, or outside your scope");
}

static enum err get_row(struct gathering_up *g, struct str type, int64_t id, struct arena *a, const struct type **ret_t, struct row *ret)
{
	const struct type *t = registry_type(g->reg, type);
	if (!t || !auth_may_read(g->by, t))
		return ERR_NOT_FOUND;
	struct scope scope = auth_scope(g->by, t);
	*ret_t = t;
	return records_get(g->db, &t->table, &scope, id, a, ret);
}

// The first time that a record says of itself, or when it was made.
static int64_t began(const struct type *t, const struct row *row)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (f->kind == FIELD_TIME && f->ncols && row->vals[f->col].kind == VAL_INT && row->vals[f->col].i > 0)
			return MIN(row->vals[f->col].i, row->c.created_at);
	}
	return row->c.created_at;
}

static void span_of(struct replay *r, const struct replay_ask *ask, int64_t start, int64_t end)
{
	r->from = ask->from ? ask->from : ask->to && start - BEFORE >= ask->to ? ask->to - US_PER_HOUR : start - BEFORE;
	r->to = ask->to ? ask->to : MIN(end ? end + US_PER_MIN : ask->now, r->from + LONGEST);
	r->to = MIN(r->to, ask->now);
}

static enum err about_alarm(struct gathering_up *g, const struct replay_ask *ask)
{
	struct past_which w;
	enum err err = past_which(g->db, &g->by->scope, ask->alarm, g->a, &w);
	if (err)
		return err == ERR_NOT_FOUND ? lost(g, "alarm") : err;
	struct replay *r = g->r;
	r->kind = STR("alarm");
	r->id = ask->alarm;
	r->title = w.title;
	r->enterprise = w.enterprise;
	r->installation = w.installation;
	r->point = w.point;
	r->area = w.enterprise ? STR_EMPTY : area_prefix(w.area);
	span_of(r, ask, w.raised, w.closed);
	return OK;
}

static void place_of(struct replay *r, const struct type *t, const struct row *row)
{
	r->enterprise = str_is(t->name, "enterprise") ? row->c.id : row->c.enterprise;
	r->area = r->enterprise ? STR_EMPTY : area_prefix(row->c.area);
}

static enum err about_record(struct gathering_up *g, const struct replay_ask *ask, struct str type, int64_t id, const char *kind)
{
	const struct type *t;
	struct row row;
	enum err err = get_row(g, type, id, g->a, &t, &row);
	if (err)
		return err == ERR_NOT_FOUND ? lost(g, str_is(str_of(kind), "record") ? "record" : kind) : err;
	struct replay *r = g->r;
	const struct state *s = type_state(t, row.c.state);
	r->kind = str_of(kind);
	r->id = id;
	r->t = t;
	r->title = row.c.title;
	r->number = row.c.number;
	place_of(r, t, &row);
	if (str_is(type, "installation"))
		r->installation = id;
	if (str_is(type, "point"))
		r->point = id;
	if (str_is(str_of(kind), "record"))
		span_of(r, ask, began(t, &row), s && s->end ? row.c.state_at : 0);
	else
		span_of(r, ask, (ask->to ? ask->to : ask->now) - BEFORE, 0);
	return OK;
}

static enum err about_area(struct gathering_up *g, const struct replay_ask *ask)
{
	struct replay *r = g->r;
	r->kind = STR("area");
	r->area = area_prefix(ask->area);
	r->title = words_area(g->words, ask->area);
	span_of(r, ask, (ask->to ? ask->to : ask->now) - BEFORE, 0);
	return OK;
}

static enum err find_subject(struct gathering_up *g, const struct replay_ask *ask)
{
	if (ask->alarm)
		return about_alarm(g, ask);
	if (ask->type.n || ask->record)
		return about_record(g, ask, ask->type, ask->record, "record");
	if (ask->enterprise)
		return about_record(g, ask, STR("enterprise"), ask->enterprise, "enterprise");
	if (ask->installation)
		return about_record(g, ask, STR("installation"), ask->installation, "installation");
	if (ask->point)
		return about_record(g, ask, STR("point"), ask->point, "point");
	return about_area(g, ask);
}

static enum err check_span(struct gathering_up *g)
{
	const struct replay *r = g->r;
	if (r->from >= r->to)
		return problem_set(g->p, ERR_INVALID, "from", "起止时间不对：开始须早于结束，且不晚于现在", "from must be before to, and not after now");
	if (r->to - r->from > LONGEST)
		return problem_set(g->p, ERR_TOO_LARGE, "to", "一次最多回放 %d 天，请缩短时间", "at most %d days in one replay; choose a shorter time", LIMIT_REPLAY_DAYS);
	return OK;
}

// ---- events --------------------------------------------------------------------------------------
static enum err too_many(struct gathering_up *g)
{
	return problem_set(g->p, ERR_TOO_LARGE, "to", "这段时间里发生的事太多（至多 %d 条报警、%d 条事件），请缩短时间或缩小范围",
	                   "too much happened in that time (at most %d alarms and %d events): a shorter time or a smaller place", LIMIT_REPLAY_ALARMS,
	                   LIMIT_REPLAY_EVENTS);
}

static struct replay_event *put(struct gathering_up *g, int64_t at, enum replay_kind kind, struct str what)
{
	struct replay *r = g->r;
	if (at < r->from || at >= r->to || r->nevents > LIMIT_REPLAY_EVENTS)
		return NULL;
	r->events = arena_push(g->a, r->events, &r->nevents, &g->events_cap, sizeof *r->events);
	struct replay_event *e = &r->events[r->nevents - 1];
	*e = (struct replay_event){ .at = at, .kind = kind, .what = what };
	return e;
}

static enum err put_alarms(struct gathering_up *g)
{
	struct replay *r = g->r;
	struct past_query q = { .from = r->from, .to = r->to, .enterprise = r->enterprise, .area = r->area,
		.installation = str_is(r->kind, "installation") ? r->installation : 0, .point = str_is(r->kind, "point") ? r->point : 0,
		.most = LIMIT_REPLAY_ALARMS, .most_entries = LIMIT_REPLAY_JOURNAL };
	enum err err = past_alarms(g->db, g->rs, &g->by->scope, &q, g->a, &r->alarms, &r->nalarms);
	for (size_t i = 0; !err && i < r->nalarms; i++)
		for (size_t k = 0; k < r->alarms[i].nentries; k++) {
			const struct past_entry *n = &r->alarms[i].entries[k];
			struct replay_event *e = put(g, n->at, REPLAY_ALARM, n->what);
			if (!e)
				continue;
			e->alarm = &r->alarms[i];
			e->entry = n;
			e->reason = n->reason;
			e->actor = n->actor ? words_title(g->words, STR("person"), n->actor) : STR_EMPTY;
		}
	return err == ERR_TOO_LARGE ? too_many(g) : err;
}

static struct str title_of(struct gathering_up *g, const struct type *t, const struct row *row)
{
	const struct field *f = type_field(t, t->title);
	bool hidden = f && (!auth_may_read_field(g->by, f) || (f->personal && !auth_sees_masked(g->by, f)));
	return hidden ? replay_mask(row->c.title, g->a) : row->c.title;
}

static bool in_place(const struct replay *r, const struct type *t, const struct row *row)
{
	if (r->t == t && r->id == row->c.id)
		return true;
	int64_t enterprise = str_is(t->name, "enterprise") ? row->c.id : row->c.enterprise;
	if (r->enterprise)
		return enterprise == r->enterprise;
	return (r->area.n || str_is(r->kind, "area")) && str_starts(row->c.area, r->area);
}

// The record, if the reader may see it and it belongs to what is replayed; looked up once.
static enum err look_up(struct gathering_up *g, struct str type, int64_t id, const struct seen **ret)
{
	uint32_t at;
	struct str key = arena_printf(g->a, "%.*s:%lld", STR_FMT(type), (long long)id);
	if (!strmap_get(g->index, key, &at)) {
		struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
		struct seen s = { 0 };
		struct row row;
		enum err err = get_row(g, type, id, scratch, &s.t, &row);
		if (err && err != ERR_NOT_FOUND)
			return err;
		s.visible = !err && in_place(g->r, s.t, &row);
		if (s.visible) {
			s.number = arena_str(g->a, row.c.number);
			s.title = arena_str(g->a, title_of(g, s.t, &row));
		}
		g->seen = arena_push(g->a, g->seen, &g->nseen, &g->cap, sizeof *g->seen);
		at = (uint32_t)g->nseen - 1;
		g->seen[at] = s;
		strmap_put(g->index, key, at);
	}
	*ret = g->seen[at].visible ? &g->seen[at] : NULL;
	return OK;
}

static void of_record(struct replay_event *e, const struct seen *s, int64_t id)
{
	e->t = s->t;
	e->record = id;
	e->number = s->number;
	e->title = s->title;
}

// The states and the reason that the detail of an entry names.
static void read_detail(struct gathering_up *g, struct replay_event *e)
{
	json_t *j = e->detail.n ? json_loadb(e->detail.p, e->detail.n, 0, NULL) : NULL;
	const json_t *state = json_object_get(j, "state");
	const char *was = json_string_value(json_array_get(state, 0)), *is = json_string_value(json_array_get(state, 1));
	const char *reason = json_string_value(json_object_get(j, "reason")), *reason_en = json_string_value(json_object_get(j, "reason_en"));
	e->before = was ? arena_str(g->a, str_of(was)) : STR_EMPTY;
	e->after = is ? arena_str(g->a, str_of(is)) : STR_EMPTY;
	e->reason = reason ? arena_str(g->a, str_of(reason)) : STR_EMPTY;
	e->reason_en = reason_en ? arena_str(g->a, str_of(reason_en)) : STR_EMPTY;
	json_decref(j);
}

// What the platform itself writes into registers (the first filling, computed grades) is no event of anybody's day. An act on an
// alarm is in its journal.
static bool is_shown(const struct gathering_up *g, const struct audit_entry *e)
{
	const struct type *t = e->record ? registry_type(g->reg, e->type) : NULL;
	return t && (e->actor || t->nstates);
}

static enum err put_action(void *arg, const struct audit_entry *entry)
{
	struct gathering_up *g = arg;
	const struct seen *s = NULL;
	enum err err = is_shown(g, entry) ? look_up(g, entry->type, entry->record, &s) : OK;
	struct replay_event *e = s ? put(g, entry->at, REPLAY_ACTION, arena_str(g->a, entry->action)) : NULL;
	if (!e)
		return err;
	of_record(e, s, entry->record);
	e->seq = entry->seq;
	e->actor = arena_str(g->a, entry->actor_name);
	e->detail = arena_str(g->a, history_visible(s->t, entry->detail, g->by, g->a));
	read_detail(g, e);
	return OK;
}

static enum err put_actions(struct gathering_up *g)
{
	enum err err = audit_span(g->db, g->r->from, g->r->to, LIMIT_REPLAY_CHANGES, put_action, g);
	return err == ERR_TOO_LARGE ? too_many(g) : err;
}

// A message leaves word of its making, its sending and what became of it; not of whom it went to, who may be somebody to protect.
static void put_message(struct gathering_up *g, const struct message_then *m, const struct seen *s)
{
	bool sent = m->sent_at > 0, bad = str_is(m->state, "undelivered"), failed = str_is(m->state, "failed");
	const struct { int64_t at; const char *what; } steps[] = {
		{ m->created_at, "made" }, { m->sent_at, sent ? "sent" : NULL }, { m->receipt_at, bad ? "undelivered" : "delivered" },
		{ failed ? MAX(m->tried_at, m->created_at) : 0, "failed" } };
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct replay_event *e = steps[i].at && steps[i].what ? put(g, steps[i].at, REPLAY_MESSAGE, str_of(steps[i].what)) : NULL;
		if (!e)
			continue;
		of_record(e, s, m->record);
		e->channel = words_title(g->words, m->via, m->channel);
		e->reason = i == 3 ? m->error : STR_EMPTY;
	}
}

static enum err put_messages(struct gathering_up *g)
{
	struct message_then *v;
	size_t n;
	enum err err = notify_span(g->db, g->r->from - LOG_BEFORE, g->r->to, LIMIT_REPLAY_CHANGES + 1, g->a, &v, &n);
	if (!err && n > LIMIT_REPLAY_CHANGES)
		return too_many(g);
	for (size_t i = 0; !err && i < n; i++) {
		const struct seen *s = NULL;
		if (v[i].record)
			err = look_up(g, v[i].type, v[i].record, &s);
		if (s)
			put_message(g, &v[i], s);
	}
	return err;
}

// As ReleasePanel shows them: names for the roles that the type says, else one's own (api/releases.c).
static bool sees_names(const struct gathering_up *g, const struct type *t, int64_t person)
{
	for (size_t i = 0; i < t->release.nsee; i++)
		if (auth_has_role(g->by, t->release.see[i]))
			return true;
	return person == g->by->person;
}

static void put_receipt(struct gathering_up *g, const struct receipt_then *c, const struct seen *s)
{
	const struct { int64_t at; const char *what; } steps[] = { { c->told_at, "told" }, { c->read_at, "read" }, { c->confirmed_at, "confirmed" } };
	bool named = sees_names(g, s->t, c->person);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct replay_event *e = steps[i].at ? put(g, steps[i].at, REPLAY_MESSAGE, str_of(steps[i].what)) : NULL;
		if (!e)
			continue;
		of_record(e, s, c->record);
		e->actor = named ? (i == 2 && c->confirmed_name.n ? c->confirmed_name : c->name) : STR_EMPTY;
		e->channel = c->msg;
		e->tier = c->tier;
	}
}

static enum err put_receipts(struct gathering_up *g)
{
	struct receipt_then *v;
	size_t n;
	enum err err = flow_receipts_span(g->db, g->r->from - RELEASE_BEFORE, g->r->to, LIMIT_REPLAY_CHANGES + 1, g->a, &v, &n);
	if (!err && n > LIMIT_REPLAY_CHANGES)
		return too_many(g);
	for (size_t i = 0; !err && i < n; i++) {
		const struct seen *s;
		err = look_up(g, v[i].type, v[i].record, &s);
		if (!err && s)
			put_receipt(g, &v[i], s);
	}
	return err;
}

static int64_t order_of(const struct replay_event *e) { return e->kind == REPLAY_ALARM ? e->entry->id : e->seq; }

static int by_time(const void *x, const void *y)
{
	const struct replay_event *e = x, *f = y;
	if (e->at != f->at)
		return e->at < f->at ? -1 : 1;
	if (e->kind != f->kind)
		return e->kind < f->kind ? -1 : 1;
	int64_t i = order_of(e), k = order_of(f);
	return i != k ? (i < k ? -1 : 1) : e->record != f->record ? (e->record < f->record ? -1 : 1) : str_cmp(e->what, f->what);
}

static enum err gather(struct gathering_up *g, const struct replay_ask *ask)
{
	enum err err = find_subject(g, ask);
	if (!err)
		err = check_span(g);
	if (!err)
		err = put_alarms(g);
	if (!err)
		err = put_actions(g);
	if (!err)
		err = put_messages(g);
	if (!err)
		err = put_receipts(g);
	if (!err && g->r->nevents > LIMIT_REPLAY_EVENTS)
		err = too_many(g);
	if (!err && g->r->nevents)
		qsort(g->r->events, g->r->nevents, sizeof *g->r->events, by_time);
	return err;
}

enum err replay_read(struct db *db, const struct registry *reg, const struct rule_set *rs, const struct identity *by, bool en,
                     const struct replay_ask *ask, struct arena *a, struct replay *ret, struct problem *p)
{
	*ret = (struct replay){ .title = STR_EMPTY, .number = STR_EMPTY, .area = STR_EMPTY };
	struct gathering_up g = { .db = db, .reg = reg, .rs = rs, .by = by, .words = words_new(db, reg, by, en), .index = strmap_new(64), .a = a,
		.r = ret, .p = p };
	enum err err = gather(&g, ask);
	strmap_free(g.index);
	// titles of words live as long as words: those that are shown are copied
	for (size_t i = 0; !err && i < ret->nevents; i++) {
		ret->events[i].actor = arena_str(a, ret->events[i].actor);
		ret->events[i].channel = arena_str(a, ret->events[i].channel);
	}
	ret->title = arena_str(a, ret->title);
	words_free(g.words);
	return err;
}
