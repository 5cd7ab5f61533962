// Releases of a record: what was said to whom, who has read and confirmed it, and the same as a CAP 1.2 message.
#include "api/api.h"
#include "base/time.h"
#include "exchange/table.h"
#include "report/cap.h"

struct releases {
	struct call *c;
	const struct type *t;
	int64_t id;
	struct row row;
	struct release_row *v;
	size_t n;
	bool all;               // sees every receipt, else his own
};

static enum err releases_of(struct call *c, struct releases *s)
{
	*s = (struct releases){ .c = c };
	enum err err = call_record(c, &s->t, &s->id, &s->row);
	if (!err && !s->t->release.matrix)
		return call_fail(c, ERR_NOT_FOUND, "type", "这类记录不发布", "records of this type are not released");
	for (size_t i = 0; !err && i < s->t->release.nsee; i++)
		s->all |= auth_has_role(&c->id, s->t->release.see[i]);
	return err ? err : flow_releases(call_db(c), s->t, s->id, c->arena, &s->v, &s->n);
}

static bool is_late(const struct receipt *r, int64_t now) { return !r->confirmed_at && r->wait && r->told_at + r->wait <= now; }

static void time_if(struct jw *w, const char *key, int64_t at)
{
	if (at)
		jw_ktime(w, key, at);
}

static struct str channel_title(struct call *c, int64_t id)
{
	const struct type *t = registry_type(c->reg, STR("channel"));
	struct row row;
	return t && records_get(call_db(c), &t->table, NULL, id, c->arena, &row) == OK ? row.c.title : STR_EMPTY;
}

static enum err messages_json(const struct releases *s, int64_t release, int64_t person)
{
	struct call *c = s->c;
	struct receipt_message *v;
	size_t n;
	enum err err = flow_receipt_messages(call_db(c), release, person, c->arena, &v, &n);
	jw_karr(&c->w, "messages");
	for (size_t i = 0; !err && i < n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "channel", channel_title(c, v[i].channel));
		jw_kstr(&c->w, "state", v[i].state);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return err;
}

static enum err receipt_json(const struct releases *s, int64_t release, const struct receipt *r, int64_t now)
{
	struct jw *w = &s->c->w;
	jw_obj(w);
	jw_ki64(w, "person", r->person);
	jw_kstr(w, "name", r->name);
	jw_ki64(w, "tier", r->tier);
	jw_ktime(w, "told_at", r->told_at);
	jw_ki64(w, "sent", r->sent);
	time_if(w, "read_at", r->read_at);
	time_if(w, "confirmed_at", r->confirmed_at);
	jw_kstr(w, "confirmed_by", r->confirmed_name);
	jw_kstr(w, "note", r->note);
	jw_kbool(w, "late", is_late(r, now));
	time_if(w, "next_at", r->due_at);
	enum err err = messages_json(s, release, r->person);
	jw_end(w);
	return err;
}

static void counts_json(struct jw *w, const struct receipt *v, size_t n, int64_t now)
{
	size_t read = 0, confirmed = 0, late = 0;
	for (size_t i = 0; i < n; i++) {
		read += v[i].read_at != 0;
		confirmed += v[i].confirmed_at != 0;
		late += is_late(&v[i], now);
	}
	jw_kobj(w, "counts");
	jw_ki64(w, "told", (int64_t)n);
	jw_ki64(w, "read", (int64_t)read);
	jw_ki64(w, "confirmed", (int64_t)confirmed);
	jw_ki64(w, "late", (int64_t)late);
	jw_end(w);
}

static enum err release_json(const struct releases *s, const struct release_row *r, int64_t now)
{
	struct jw *w = &s->c->w;
	struct receipt *v;
	size_t n;
	enum err err = flow_receipts(call_db(s->c), r->id, s->c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(w);
	jw_ki64(w, "id", r->id);
	jw_ki64(w, "seq", r->seq);
	jw_kstr(w, "message", r->msg);
	jw_kstr(w, "level", r->level);
	jw_ktime(w, "at", r->at);
	jw_kstr(w, "by", r->name);
	jw_kstr(w, "reason", r->reason);
	jw_klabel(w, "text", r->text);
	time_if(w, "expires", r->expires);
	jw_ki64(w, "tier", r->tier);
	jw_kbool(w, "in_force", r->superseded_at == 0);
	counts_json(w, v, n, now);
	bool mine = false;
	jw_karr(w, "receipts");
	for (size_t i = 0; !err && i < n; i++) {
		bool own = v[i].person == s->c->id.person;
		mine |= own && !v[i].confirmed_at && !r->superseded_at;
		if (s->all || own)
			err = receipt_json(s, r->id, &v[i], now);
	}
	jw_end(w);
	jw_kbool(w, "mine", mine);
	jw_end(w);
	return err;
}

// ---- as a table ---------------------------------------------------------------------------------
static struct str csv_time(int64_t us, struct arena *a)
{
	char at[TIME_TEXT_MAX];
	return us ? arena_str(a, str_from(at, time_text(us - us % US_PER_S, at))) : STR_EMPTY;
}

static enum err release_csv(const struct releases *s, const struct release_row *r, int64_t now)
{
	struct arena *a = s->c->arena;
	struct receipt *v;
	size_t n;
	bool en = call_is_en(s->c);
	enum err err = flow_receipts(call_db(s->c), r->id, a, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (!s->all && v[i].person != s->c->id.person)
			continue;
		struct str cells[] = { arena_printf(a, "%lld", (long long)r->seq), r->msg, r->level, csv_time(r->at, a), v[i].name,
			               arena_printf(a, "%lld", (long long)v[i].tier), csv_time(v[i].told_at, a),
			               arena_printf(a, "%lld", (long long)v[i].sent), csv_time(v[i].read_at, a), csv_time(v[i].confirmed_at, a),
			               is_late(&v[i], now) ? (en ? STR("yes") : STR("是")) : STR_EMPTY, v[i].note };
		table_csv_row(&s->c->rs->body, cells, ARRAY_LEN(cells));
	}
	return err;
}

static enum err answer_csv(const struct releases *s, int64_t now)
{
	static const struct str zh[] = { { "序号", 6 }, { "消息", 6 }, { "级别", 6 }, { "发布时间", 12 }, { "接收人", 9 }, { "层级", 6 }, { "通知时间", 12 },
		                         { "发送次数", 12 }, { "已读时间", 12 }, { "确认时间", 12 }, { "超时", 6 }, { "附言", 6 } };
	static const struct str en[] = { { "No.", 3 }, { "Message", 7 }, { "Level", 5 }, { "Released", 8 }, { "Person", 6 }, { "Tier", 4 }, { "Told", 4 },
		                         { "Sent", 4 }, { "Read", 4 }, { "Confirmed", 9 }, { "Late", 4 }, { "Note", 4 } };
	struct call *c = s->c;
	buf_add_cstr(&c->rs->body, "\xEF\xBB\xBF");
	table_csv_row(&c->rs->body, call_is_en(c) ? en : zh, ARRAY_LEN(zh));
	enum err err = OK;
	for (size_t i = 0; !err && i < s->n; i++)
		err = release_csv(s, &s->v[i], now);
	c->rs->type = "text/csv; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "%.*s-receipts.csv", STR_FMT(s->row.c.number));
	return err;
}

enum err releases_get(struct call *c)
{
	struct releases s;
	int64_t now = clock_now();
	enum err err = releases_of(c, &s);
	if (err)
		return err;
	if (str_is(http_query(c->rq, "format"), "csv"))
		return answer_csv(&s, now);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; !err && i < s.n; i++)
		err = release_json(&s, &s.v[i], now);
	jw_end(&c->w);
	jw_kbool(&c->w, "all", s.all);
	jw_end(&c->w);
	return err;
}

// ---- the caller's receipt -----------------------------------------------------------------------
struct confirm {
	struct call *c;
	const struct type *t;
	int64_t id;
};

static enum err confirm_run(struct db *db, void *arg, struct problem *p)
{
	struct confirm *j = arg;
	return flow_receipt(db, j->c->reg, j->t, j->id, str_trim(body_str(j->c, "note")), &j->c->id, j->c->arena, p);
}

enum err receipt_post(struct call *c)
{
	struct releases s;
	enum err err = releases_of(c, &s);
	struct confirm j = { c, s.t, s.id };
	if (!err)
		err = store_write(c->app->store, confirm_run, &j, &c->p);
	return err ? err : call_done(c);
}

// ---- CAP ----------------------------------------------------------------------------------------
static struct str sender_name(const struct releases *s)
{
	const struct type *t = registry_type(s->c->reg, STR("organisation"));
	struct row row;
	struct identity by; // whoever released the newest
	if (!t || auth_identity(call_db(s->c), s->c->reg, s->v[0].person, s->c->arena, &by) || !by.organisation ||
	    records_get(call_db(s->c), &t->table, NULL, by.organisation, s->c->arena, &row))
		return STR_EMPTY;
	return row.c.title;
}

enum err cap_get(struct call *c)
{
	struct releases s;
	int64_t seq;
	size_t at = 0;
	enum err err = releases_of(c, &s);
	if (!err)
		err = query_int(c, "seq", 0, 0, INT64_MAX, &seq);
	while (!err && seq && at < s.n && s.v[at].seq != seq)
		at++;
	if (err)
		return err;
	if (at >= s.n)
		return call_fail(c, ERR_NOT_FOUND, "seq", "没有这次发布", "there is no such release");
	struct cap_ref *refs = arena_many(c->arena, s.n, struct cap_ref);
	struct cap_message m = { .sender = s.t->release.sender, .sender_name = sender_name(&s), .sent = s.v[at].at, .msg = s.v[at].msg,
		                 .facts = s.v[at].facts, .refs = refs,
		                 .identifier = cap_identifier(s.row.c.number, s.v[at].seq, c->arena) };
	for (size_t i = s.n; i-- > at + 1;) // oldest first
		refs[m.nrefs++] = (struct cap_ref){ cap_identifier(s.row.c.number, s.v[i].seq, c->arena), s.v[i].at };
	c->rs->type = "application/cap+xml; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "%.*s.xml", STR_FMT(m.identifier));
	return cap_write(&c->rs->body, &m, c->arena);
}
