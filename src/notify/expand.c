// Notices and changes become messages. Runs in a store job of the notify thread; how far it has come is in the same
// transaction as the messages, so a crash repeats nothing and loses nothing.
#include "base/hash.h"
#include "notify/notify_int.h"

#define BATCH 500               // notices or changes in one job
#define URGENT_MERGE_S 10       // urgent messages of one kind wait at most so long for each other

struct expand {
	struct db *db;
	const struct registry *reg;
	const struct channel *chs;
	size_t nchs;
	int64_t now;
	struct arena *a;
};

// ---- quiet hours -------------------------------------------------------------------------------
static bool clock_minutes(struct str s, int *ret)
{
	uint64_t h, m;
	struct str hours = str_cut(&s, ':');
	if (!str_to_u64(hours, &h) || !str_to_u64(s, &m) || h > 23 || m > 59)
		return false;
	*ret = (int)(h * 60 + m);
	return true;
}

int64_t notify_quiet_end(struct str from, struct str to, int64_t now)
{
	int begin, end;
	if (!clock_minutes(from, &begin) || !clock_minutes(to, &end) || begin == end)
		return now;
	struct civil c = time_to_civil(now, time_zone());
	int at = c.hour * 60 + c.min;
	bool quiet = begin < end ? at >= begin && at < end : at >= begin || at < end;
	if (!quiet)
		return now;
	struct civil day = { .year = c.year, .month = c.month, .day = c.day, .hour = end / 60, .min = end % 60 };
	int64_t until = time_from_civil(day, time_zone());
	return until > now ? until : until + US_PER_DAY;
}

// ---- notices -----------------------------------------------------------------------------------
static bool color_red(const struct field *f, const struct value *v)
{
	const struct menu_item *item = f->kind == FIELD_MENU && f->menu && v->kind == VAL_TEXT ? menu_item(f->menu, v->s) : NULL;
	return item && str_is(item->color, "red");
}

// What does not wait for the morning: the record is of a red level, or its time has run out.
static bool urgent(const struct expand *x, struct str type, int64_t record, int64_t at)
{
	const struct type *t = registry_type(x->reg, type);
	struct row r;
	if (!t || !record || records_get(x->db, &t->table, NULL, record, x->a, &r))
		return false;
	const struct state *s = type_state(t, r.c.state);
	if (s && s->end)
		return false;
	if (r.c.deadline && r.c.deadline <= at)
		return true;
	const struct field *level = type_field(t, STR("level"));
	return level && level->ncols && color_red(level, &r.vals[level->col]);
}

// The nearest channel of a kind that serves the person's area: the longest prefix, then the oldest.
static const struct channel *channel_for(const struct expand *x, const struct person *p, struct str kind)
{
	const struct channel *best = NULL;
	for (size_t i = 0; i < x->nchs; i++) {
		const struct channel *c = &x->chs[i];
		if (!str_is(c->via, VIA_CHANNEL) || !c->enabled || !str_eq(c->kind, kind) || !str_starts(p->area, c->area))
			continue;
		if (!best || c->area.n > best->area.n || (c->area.n == best->area.n && c->id < best->id))
			best = c;
	}
	return best;
}

enum err message_add(struct db *db, const struct new_message *m, int64_t now, struct arena *a, int64_t *ret_id)
{
	struct query q;
	char mid[25] = "";
	random_text(mid, 24);
	query_begin(&q, db, STMT_OUTMSG_ADD);
	query_str(&q, 1, arena_str(a, str_from(mid, 24)));
	query_str(&q, 2, m->via);
	query_i64(&q, 3, m->channel);
	query_str(&q, 4, m->kind);
	query_i64(&q, 5, m->person);
	query_str(&q, 6, m->address);
	query_str(&q, 7, m->mergekey);
	query_str(&q, 8, m->type);
	query_i64(&q, 9, m->record);
	query_str(&q, 10, m->body);
	query_i64(&q, 11, m->urgent);
	query_i64(&q, 12, m->parts);
	query_i64(&q, 13, now);
	query_i64(&q, 14, m->next_at);
	enum err err = query_run(&q);
	if (!err)
		*ret_id = db_last_id(db);
	return err;
}

static enum err part_add(struct db *db, int64_t message, int64_t notice)
{
	struct query q;
	query_begin(&q, db, STMT_OUTMSG_PART_ADD);
	query_i64(&q, 1, message);
	query_i64(&q, 2, notice);
	return query_run(&q);
}

static int64_t merge_look(struct db *db, enum stmt stmt, const struct new_message *m)
{
	struct query q;
	int64_t v = 0;
	query_begin(&q, db, stmt);
	query_i64(&q, 1, m->channel);
	query_i64(&q, 2, m->person);
	query_str(&q, 3, m->mergekey);
	if (query_row(&q))
		v = query_get_i64(&q, 0);
	return query_end(&q) ? 0 : v;
}

struct notice_row {
	int64_t id, person, at, record;
	struct str type, channels;
};

// The first message of a kind goes out at once; what follows within the window is gathered into one.
static enum err channel_add(const struct expand *x, const struct channel *c, const struct person *p, const struct notice_row *n,
                            bool is_urgent, struct str address)
{
	struct new_message m = { .via = STR(VIA_CHANNEL), .channel = c->id, .kind = STR("notice"), .address = address,
		                 .person = p->id, .type = n->type, .record = n->record, .parts = 1, .urgent = is_urgent,
		                 .mergekey = arena_printf(x->a, "%.*s%s", STR_FMT(n->type), is_urgent ? "!" : "") };
	int64_t open = merge_look(x->db, STMT_OUTMSG_OPEN, &m);
	struct query q;
	if (open) {
		query_begin(&q, x->db, STMT_OUTMSG_PART_MORE);
		query_i64(&q, 1, open);
		query_i64(&q, 2, is_urgent);
		enum err err = query_run(&q);
		return err ? err : part_add(x->db, open, n->id);
	}
	int64_t window = (is_urgent ? MIN(c->merge_s, URGENT_MERGE_S) : c->merge_s) * US_PER_S;
	int64_t before = merge_look(x->db, STMT_OUTMSG_BEFORE, &m);
	m.next_at = before && before + window > x->now ? before + window : x->now;
	if (!is_urgent)
		m.next_at = notify_quiet_end(p->quiet_from, p->quiet_to, m.next_at);
	int64_t id;
	enum err err = message_add(x->db, &m, x->now, x->a, &id);
	return err ? err : part_add(x->db, id, n->id);
}

static enum err notice_expand(const struct expand *x, const struct notice_row *n)
{
	static const struct str kinds[] = { { "mail", 4 }, { "sms", 3 }, { "wecom", 5 } };
	struct person p;
	enum err err = person_read(x->db, x->reg, n->person, x->a, &p);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	bool is_urgent = urgent(x, n->type, n->record, n->at);
	for (size_t i = 0; !err && i < ARRAY_LEN(kinds); i++) {
		struct str address = person_address(&p, kinds[i], n->channels);
		const struct channel *c = address.n ? channel_for(x, &p, kinds[i]) : NULL;
		if (c && (is_urgent || !c->urgent_only))
			err = channel_add(x, c, &p, n, is_urgent, address);
	}
	return err;
}

// ---- changes of records ------------------------------------------------------------------------
struct change_row {
	int64_t seq, at, actor, record;
	struct str action, type;
};

static struct str event_name(struct str action)
{
	static const struct { const char *action, *event; } names[] = {
		{ "create", "created" }, { "update", "updated" }, { "move", "moved" }, { "retire", "retired" }, { "overdue", "overdue" },
		{ "release", "released" },
	};
	struct str head = str_cut(&action, ':');
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(head, names[i].action))
			return str_of(names[i].event);
	return STR_EMPTY;
}

// Of an entry "release:ID": what was released. False if no row of the matrix named webhooks for it.
static bool release_to_hooks(const struct expand *x, struct str id, struct jw *w)
{
	struct query q;
	int64_t release;
	bool hooks = false;
	if (!str_to_i64(id, &release))
		return false;
	query_begin(&q, x->db, STMT_NOTIFY_RELEASE);
	query_i64(&q, 1, release);
	if (query_row(&q)) {
		hooks = query_get_i64(&q, 0) != 0;
		if (w) {
			jw_ki64(w, "release", release);
			jw_kstr(w, "message", query_get_str(&q, 1, x->a));
			jw_kstr(w, "level", query_get_str(&q, 2, x->a));
		}
	}
	return query_end(&q) == OK && hooks;
}

// What other systems are told: which record, and the columns every record has; never a field, so never a personal datum.
static struct str event_json(const struct expand *x, const struct change_row *n, struct str event, const struct type *t)
{
	struct row r;
	struct buf b;
	struct jw w;
	struct str move = n->action;
	bool found = records_get(x->db, &t->table, NULL, n->record, x->a, &r) == OK;
	(void)str_cut(&move, ':');
	buf_init(&b, 16 << 10);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "event", event);
	jw_kstr(&w, "type", n->type);
	jw_ki64(&w, "record", n->record);
	jw_ki64(&w, "seq", n->seq);
	jw_ktime(&w, "at", n->at);
	if (str_is(event, "released"))
		(void)release_to_hooks(x, move, &w);
	else if (move.n)
		jw_kstr(&w, "move", move);
	jw_ki64(&w, "actor", n->actor);
	jw_kstr(&w, "number", found ? r.c.number : STR_EMPTY);
	jw_kstr(&w, "state", found ? r.c.state : STR_EMPTY);
	jw_kstr(&w, "area", found ? r.c.area : STR_EMPTY);
	jw_ki64(&w, "enterprise", found ? r.c.enterprise : 0);
	jw_ki64(&w, "version", found ? r.c.version : 0);
	jw_kbool(&w, "retired", found && r.c.retired);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(x->a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

static enum err change_expand(const struct expand *x, const struct change_row *n)
{
	struct str event = event_name(n->action), body = STR_EMPTY, of = n->action;
	const struct type *t = event.n ? registry_type(x->reg, n->type) : NULL;
	enum err err = OK;
	(void)str_cut(&of, ':');
	if (str_is(event, "released") && !release_to_hooks(x, of, NULL))
		return OK;
	for (size_t i = 0; t && !err && i < x->nchs; i++) {
		const struct channel *c = &x->chs[i];
		if (!str_is(c->via, VIA_WEBHOOK) || !c->enabled || (c->types.n && !listed(c->types, n->type)) || !listed(c->events, event))
			continue;
		if (!body.n)
			body = event_json(x, n, event, t);
		struct new_message m = { .via = STR(VIA_WEBHOOK), .channel = c->id, .kind = STR("event"), .type = n->type,
			                 .record = n->record, .body = body, .parts = 1, .next_at = x->now };
		int64_t id;
		err = message_add(x->db, &m, x->now, x->a, &id);
	}
	return err;
}

// ---- the job -----------------------------------------------------------------------------------
static enum err cursor_set(struct db *db, const char *name, int64_t value)
{
	struct query q;
	query_begin(&q, db, STMT_NOTIFY_CURSOR_SET);
	query_str(&q, 1, str_of(name));
	query_i64(&q, 2, value);
	return query_run(&q);
}

static enum err notices_read(const struct expand *x, int64_t after, struct notice_row *v, size_t *ret_n)
{
	struct query q;
	size_t n = 0;
	query_begin(&q, x->db, STMT_NOTIFY_NOTICES);
	query_i64(&q, 1, after);
	query_i64(&q, 2, BATCH);
	while (query_row(&q) && n < BATCH)
		v[n++] = (struct notice_row){ query_get_i64(&q, 0), query_get_i64(&q, 1), query_get_i64(&q, 2),
			                      query_get_i64(&q, 4), query_get_str(&q, 3, x->a), query_get_str(&q, 5, x->a) };
	*ret_n = n;
	return query_end(&q);
}

static enum err changes_read(const struct expand *x, int64_t after, struct change_row *v, size_t *ret_n)
{
	struct query q;
	size_t n = 0;
	query_begin(&q, x->db, STMT_NOTIFY_CHANGES);
	query_i64(&q, 1, after);
	query_i64(&q, 2, BATCH);
	while (query_row(&q) && n < BATCH)
		v[n++] = (struct change_row){ query_get_i64(&q, 0), query_get_i64(&q, 1), query_get_i64(&q, 2),
			                      query_get_i64(&q, 5), query_get_str(&q, 3, x->a), query_get_str(&q, 4, x->a) };
	*ret_n = n;
	return query_end(&q);
}

static bool any_enabled(const struct expand *x, const char *via)
{
	for (size_t i = 0; i < x->nchs; i++)
		if (x->chs[i].enabled && str_is(x->chs[i].via, via))
			return true;
	return false;
}

static enum err expand_notices(const struct expand *x, int64_t newest, int64_t done, bool *ret_more)
{
	size_t n = 0;
	if (newest <= done)
		return OK;
	if (!any_enabled(x, VIA_CHANNEL))
		return cursor_set(x->db, "notice", newest);
	struct notice_row *v = arena_many(x->a, BATCH, struct notice_row);
	enum err err = notices_read(x, done, v, &n);
	for (size_t i = 0; !err && i < n; i++)
		err = notice_expand(x, &v[i]);
	*ret_more |= n == BATCH;
	return err ? err : cursor_set(x->db, "notice", n ? v[n - 1].id : newest);
}

static enum err expand_changes(const struct expand *x, int64_t newest, int64_t done, bool *ret_more)
{
	size_t n = 0;
	if (newest <= done)
		return OK;
	if (!any_enabled(x, VIA_WEBHOOK))
		return cursor_set(x->db, "audit", newest);
	struct change_row *v = arena_many(x->a, BATCH, struct change_row);
	enum err err = changes_read(x, done, v, &n);
	for (size_t i = 0; !err && i < n; i++)
		err = change_expand(x, &v[i]);
	*ret_more |= n == BATCH;
	return err ? err : cursor_set(x->db, "audit", n ? v[n - 1].seq : newest);
}

enum err expand(struct db *db, const struct registry *reg, const struct channel *chs, size_t nchs, int64_t now,
                struct arena *a, bool *ret_more)
{
	struct expand x = { db, reg, chs, nchs, now, a };
	struct query q;
	int64_t v[4] = { 0 };
	query_begin(&q, db, STMT_NOTIFY_NEWEST);
	if (query_row(&q))
		for (int i = 0; i < 4; i++)
			v[i] = query_get_i64(&q, i);
	enum err err = query_end(&q);
	if (!err)
		err = expand_notices(&x, v[0], v[2], ret_more);
	return err ? err : expand_changes(&x, v[1], v[3], ret_more);
}
