// Receipts of releases: who was told when, has read it, has confirmed it; who has not in time is told again, and with the first
// that is late the next tier of the matrix is told. All of it is in the rows, so a restart loses nothing. Changes run in store
// jobs, reading on any connection.
#include "base/time.h"
#include "flow/change.h"

#define STEPS_A_TICK 200

enum err receipts_add(struct db *db, const struct type *t, const struct row *row, int64_t release, int64_t tier,
                      const struct recipients *to, struct label text, const char *kind, int64_t now)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < to->n; i++) {
		const struct recipient *r = &to->v[i];
		struct query q;
		query_begin(&q, db, STMT_RECEIPT_ADD);
		query_i64(&q, 1, release);
		query_i64(&q, 2, r->person);
		query_str(&q, 3, r->name);
		query_i64(&q, 4, tier);
		query_str(&q, 5, r->channels);
		query_i64(&q, 6, r->wait);
		query_i64(&q, 7, r->times);
		query_i64(&q, 8, now);
		query_i64(&q, 9, r->wait ? now + r->wait : 0);
		err = query_run(&q);
		if (err || !db_changes(db)) // he is told already
			continue;
		err = notice_put(db, &(struct notice_new){ .person = r->person, .record = row->c.id, .release = release, .text = text,
		                                           .type = t->name, .channels = r->channels, .kind = kind });
		if (!err)
			err = work_put(db, r->person, "copied", t, &row->c, row->c.state);
	}
	return err;
}

// ---- what a person does -------------------------------------------------------------------------
enum err receipt_confirm(const struct change *ch, int64_t id, struct str note, bool *ret_done)
{
	struct query q;
	query_begin(&q, ch->db, STMT_RECEIPT_CONFIRM);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	query_i64(&q, 3, ch->by->person);
	query_i64(&q, 4, clock_now());
	query_i64(&q, 5, ch->by->actor ? ch->by->actor : ch->by->person);
	query_str(&q, 6, ch->by->title.n ? ch->by->title : ch->by->name);
	query_str(&q, 7, note);
	enum err err = query_run(&q);
	*ret_done = !err && db_changes(ch->db) > 0;
	return err || !*ret_done ? err : history_add(ch->db, ch->t, id, "receipt", STR_EMPTY, STR("{}"), ch->by);
}

enum err flow_receipt(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str note,
                      const struct identity *by, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row row;
	bool done;
	if (note.n > RECEIPT_NOTE_MAX)
		return problem_set(p, ERR_INVALID, "note", "附言太长", "the note is too long");
	enum err err = change_load(&ch, id, &row);
	if (!err)
		err = receipt_confirm(&ch, id, note, &done);
	if (!err && !done)
		return problem_set(p, ERR_CONFLICT, "", "没有等您确认的发布，或已确认过", "nothing waits for your receipt, or you have confirmed it");
	if (!err)
		change_announce(&ch, "updated", &row.c);
	return err;
}

// ---- what time does -----------------------------------------------------------------------------
struct due {
	int64_t release, person, tier, wait, times, record, told_tier, sent;
	struct str channels, type;
	struct label text;
};

struct chase {
	struct db *db;
	const struct registry *reg;
	int64_t now;
	struct arena *a;
};

static enum err due_read(const struct chase *k, struct due *v, size_t *ret_n)
{
	struct query q;
	size_t n = 0;
	query_begin(&q, k->db, STMT_RECEIPT_DUE);
	query_i64(&q, 1, k->now);
	query_i64(&q, 2, STEPS_A_TICK);
	while (query_row(&q) && n < STEPS_A_TICK)
		v[n++] = (struct due){ .release = query_get_i64(&q, 0), .person = query_get_i64(&q, 1), .tier = query_get_i64(&q, 2),
			               .channels = query_get_str(&q, 3, k->a), .wait = query_get_i64(&q, 4), .times = query_get_i64(&q, 5),
			               .type = query_get_str(&q, 6, k->a), .record = query_get_i64(&q, 7), .told_tier = query_get_i64(&q, 8),
			               .text = { query_get_str(&q, 9, k->a), query_get_str(&q, 10, k->a) }, .sent = query_get_i64(&q, 11) };
	*ret_n = n;
	return query_end(&q);
}

static int64_t late_count(const struct chase *k, int64_t release)
{
	struct query q;
	query_begin(&q, k->db, STMT_RECEIPT_LATE);
	query_i64(&q, 1, release);
	query_i64(&q, 2, k->now);
	int64_t n = query_row(&q) ? query_get_i64(&q, 0) : 0;
	return query_end(&q) ? 0 : n;
}

// The next tier hears of it once a release, with the first receipt of the tier before it that is late.
static enum err next_tier(const struct chase *k, const struct type *t, const struct row *row, const struct due *d)
{
	struct identity system = identity_system();
	struct recipients to = { 0 };
	struct query q;
	long long late = late_count(k, d->release);
	struct label text = { arena_printf(k->a, "尚有 %lld 人未确认收到，上报下一级：%.*s", late, STR_FMT(d->text.zh)),
		              arena_printf(k->a, "Not confirmed by %lld, so the next tier is told: %.*s", late, STR_FMT(d->text.en)) };
	enum err err = release_recipients(k->db, k->reg, t, row, d->tier + 1, k->a, &to);
	if (!err)
		err = receipts_add(k->db, t, row, d->release, d->tier + 1, &to, text, "overdue", k->now);
	if (err)
		return err;
	query_begin(&q, k->db, STMT_RELEASE_TIER);
	query_i64(&q, 1, d->release);
	query_i64(&q, 2, d->tier + 1);
	err = query_run(&q);
	struct str detail = arena_printf(k->a, "{\"tier\":%lld,\"late\":%lld,\"told\":%zu}", (long long)d->tier + 1, late, to.n);
	return err ? err : history_add(k->db, t, row->c.id, "receipts_late", STR_EMPTY, detail, &system);
}

static enum err again(const struct chase *k, const struct due *d, bool send)
{
	struct query q;
	struct label text = { arena_printf(k->a, "再次提醒，尚未确认收到：%.*s", STR_FMT(d->text.zh)),
		              arena_printf(k->a, "Again, not confirmed yet: %.*s", STR_FMT(d->text.en)) };
	query_begin(&q, k->db, STMT_RECEIPT_AGAIN);
	query_i64(&q, 1, d->release);
	query_i64(&q, 2, d->person);
	query_i64(&q, 3, send && d->sent < d->times ? k->now + d->wait : 0);
	query_i64(&q, 4, send);
	enum err err = query_run(&q);
	return err || !send ? err
	                    : notice_put(k->db, &(struct notice_new){ .person = d->person, .record = d->record, .release = d->release,
	                                                              .text = text, .type = d->type, .channels = d->channels, .kind = "overdue" });
}

static enum err late(const struct chase *k, const struct due *d, int64_t *tier)
{
	const struct type *t = registry_type(k->reg, d->type);
	struct row row;
	bool gone = !t || !t->release.matrix || records_get(k->db, &t->table, NULL, d->record, k->a, &row) || row.c.retired;
	enum err err = again(k, d, !gone && d->sent <= d->times);
	if (err || gone || *tier > d->tier)
		return err;
	*tier = d->tier + 1;
	if ((err = next_tier(k, t, &row, d)))
		return err;
	flow_changed(k->db, &(struct record_event){ .what = "overdue", .type = t->name, .id = row.c.id, .state = row.c.state,
	                                            .area = row.c.area, .enterprise = row.c.enterprise, .sector = row.c.sector });
	return OK;
}

struct ended { int64_t id, record; struct str type; };

static enum err tell_ended(const struct chase *k, const struct ended *e)
{
	struct query q;
	const struct type *t = registry_type(k->reg, e->type);
	struct row row;
	query_begin(&q, k->db, STMT_RELEASE_TOLD);
	query_i64(&q, 1, e->id);
	enum err err = query_run(&q);
	if (err || !t || !t->release.matrix || records_get(k->db, &t->table, NULL, e->record, k->a, &row) || row.c.retired)
		return err;
	struct label text = { arena_printf(k->a, "%.*s %.*s 的有效期已到，请延长或解除", STR_FMT(t->label.zh), STR_FMT(row.c.number)),
		              arena_printf(k->a, "The validity of %.*s %.*s has ended: prolong or lift it", STR_FMT(t->label.en), STR_FMT(row.c.number)) };
	struct audience au = { .reg = k->reg, .t = t, .row = &row, .kind = "overdue", .text = text };
	return flow_tell(k->db, &au, t->release.expired, t->release.nexpired, k->a);
}

static enum err validity(const struct chase *k)
{
	struct query q;
	struct ended *v = arena_many(k->a, STEPS_A_TICK, struct ended);
	size_t n = 0;
	query_begin(&q, k->db, STMT_RELEASE_EXPIRED);
	query_i64(&q, 1, k->now);
	query_i64(&q, 2, STEPS_A_TICK);
	while (query_row(&q) && n < STEPS_A_TICK)
		v[n++] = (struct ended){ query_get_i64(&q, 0), query_get_i64(&q, 2), query_get_str(&q, 1, k->a) };
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n; i++)
		err = tell_ended(k, &v[i]);
	return err;
}

int64_t receipts_due(struct db *db)
{
	struct query q;
	query_begin(&q, db, STMT_RECEIPT_NEXT);
	int64_t at = query_row(&q) && !query_is_null(&q, 0) ? query_get_i64(&q, 0) : 0;
	return query_end(&q) ? 0 : at;
}

enum err receipts_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next)
{
	struct chase k = { db, reg, now, a };
	struct due *v = arena_many(a, STEPS_A_TICK, struct due);
	size_t n;
	int64_t tier = 0, release = 0;
	enum err err = due_read(&k, v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (v[i].release != release)
			tier = v[i].told_tier;
		release = v[i].release;
		err = late(&k, &v[i], &tier);
	}
	if (!err)
		err = validity(&k);
	int64_t at = err ? 0 : receipts_due(db);
	if (at)
		*ret_next = MIN(*ret_next, MAX(at, now));
	return err;
}

// ---- reading ------------------------------------------------------------------------------------
enum err flow_releases(struct db *db, const struct type *t, int64_t id, struct arena *a, struct release_row **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_RELEASE_LIST);
	query_str(&q, 1, t->name);
	query_i64(&q, 2, id);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct release_row){
			.id = query_get_i64(&q, 0), .seq = query_get_i64(&q, 1), .msg = query_get_str(&q, 2, a), .level = query_get_str(&q, 3, a),
			.at = query_get_i64(&q, 4), .person = query_get_i64(&q, 5), .name = query_get_str(&q, 6, a),
			.reason = query_get_str(&q, 7, a), .text = { query_get_str(&q, 8, a), query_get_str(&q, 9, a) },
			.expires = query_get_i64(&q, 10), .tier = query_get_i64(&q, 11), .superseded_at = query_get_i64(&q, 12),
			.facts = query_get_str(&q, 13, a),
		};
	}
	return query_end(&q);
}

enum err flow_receipts(struct db *db, int64_t release, struct arena *a, struct receipt **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_RECEIPT_LIST);
	query_i64(&q, 1, release);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct receipt){
			.person = query_get_i64(&q, 0), .name = query_get_str(&q, 1, a), .tier = query_get_i64(&q, 2),
			.channels = query_get_str(&q, 3, a), .wait = query_get_i64(&q, 4), .told_at = query_get_i64(&q, 5),
			.sent = query_get_i64(&q, 6), .read_at = query_get_i64(&q, 7), .confirmed_at = query_get_i64(&q, 8),
			.confirmed_name = query_get_str(&q, 9, a), .note = query_get_str(&q, 10, a), .due_at = query_get_i64(&q, 11),
		};
	}
	return query_end(&q);
}

enum err flow_receipt_messages(struct db *db, int64_t release, int64_t person, struct arena *a, struct receipt_message **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_RECEIPT_SENT);
	query_i64(&q, 1, release);
	query_i64(&q, 2, person);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct receipt_message){ query_get_i64(&q, 1), query_get_str(&q, 2, a) };
	}
	return query_end(&q);
}

enum err flow_receipts_span(struct db *db, int64_t from, int64_t to, size_t limit, struct arena *a, struct receipt_then **ret,
                            size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_RECEIPT_SPAN);
	query_i64(&q, 1, from);
	query_i64(&q, 2, to);
	query_i64(&q, 3, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct receipt_then){ .type = query_get_str(&q, 0, a), .record = query_get_i64(&q, 1),
			.msg = query_get_str(&q, 2, a),
			.level = query_get_str(&q, 3, a), .person = query_get_i64(&q, 4), .name = query_get_str(&q, 5, a), .tier = query_get_i64(&q, 6),
			.told_at = query_get_i64(&q, 7), .read_at = query_get_i64(&q, 8), .confirmed_at = query_get_i64(&q, 9),
			.confirmed_name = query_get_str(&q, 10, a) };
	}
	return query_end(&q);
}
