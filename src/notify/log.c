// What people see of messages out: the log, tests of a channel, receipts. Called by api/.
#include "base/hash.h"
#include "notify/notify_int.h"

static void time_or_null(struct jw *w, const char *key, int64_t us)
{
	jw_key(w, key);
	if (us)
		jw_time(w, us);
	else
		jw_null(w);
}

static struct str title_of(struct db *db, const struct registry *reg, struct str type, int64_t id, struct arena *a)
{
	const struct type *t = registry_type(reg, type);
	struct row r;
	return t && id && records_get(db, &t->table, NULL, id, a, &r) == OK ? r.c.title : STR_EMPTY;
}

static void message_row(struct query *q, struct db *db, const struct registry *reg, struct jw *w, struct arena *a)
{
	struct str via = query_get_str(q, 2, a);
	jw_obj(w);
	jw_ki64(w, "id", query_get_i64(q, 0));
	jw_kstr(w, "message", query_get_str(q, 1, a));
	jw_kobj(w, "channel");
	jw_kstr(w, "type", via);
	jw_ki64(w, "id", query_get_i64(q, 3));
	jw_kstr(w, "title", title_of(db, reg, via, query_get_i64(q, 3), a));
	jw_end(w);
	jw_kstr(w, "kind", query_get_str(q, 4, a));
	jw_kobj(w, "person");
	jw_ki64(w, "id", query_get_i64(q, 5));
	jw_kstr(w, "title", title_of(db, reg, STR("person"), query_get_i64(q, 5), a));
	jw_end(w);
	jw_kstr(w, "type", query_get_str(q, 6, a));
	jw_ki64(w, "record", query_get_i64(q, 7));
	jw_kbool(w, "urgent", query_get_i64(q, 8) != 0);
	jw_ki64(w, "count", query_get_i64(q, 9));
	jw_kstr(w, "state", query_get_str(q, 10, a));
	jw_ki64(w, "tries", query_get_i64(q, 11));
	jw_ktime(w, "created_at", query_get_i64(q, 12));
	time_or_null(w, "next_at", str_is(query_get_str(q, 10, a), "waiting") ? query_get_i64(q, 13) : 0);
	time_or_null(w, "sent_at", query_get_i64(q, 14));
	jw_kstr(w, "receipt", query_get_str(q, 15, a));
	time_or_null(w, "receipt_at", query_get_i64(q, 16));
	jw_kstr(w, "error", query_get_str(q, 17, a));
	jw_end(w);
}

static enum err channel_states(struct db *db, const struct registry *reg, struct jw *w, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_CHANNEL_STATE_LIST);
	jw_karr(w, "channels");
	while (query_row(&q)) {
		struct str via = query_get_str(&q, 0, a);
		jw_obj(w);
		jw_kstr(w, "type", via);
		jw_ki64(w, "id", query_get_i64(&q, 1));
		jw_kstr(w, "title", title_of(db, reg, via, query_get_i64(&q, 1), a));
		jw_ki64(w, "failures", query_get_i64(&q, 2));
		time_or_null(w, "last_ok", query_get_i64(&q, 3));
		time_or_null(w, "last_failure", query_get_i64(&q, 4));
		jw_kstr(w, "last_error", query_get_str(&q, 5, a));
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

enum err notify_log_json(struct db *db, const struct registry *reg, const struct notify_log_query *lq, struct jw *w, struct arena *a)
{
	struct query q;
	jw_obj(w);
	jw_karr(w, "items");
	query_begin(&q, db, STMT_OUTMSG_LOG);
	query_i64(&q, 1, lq->before ? lq->before : INT64_MAX);
	query_str(&q, 2, lq->state);
	query_i64(&q, 3, lq->channel);
	query_i64(&q, 4, lq->person);
	query_i64(&q, 5, (int64_t)lq->limit);
	while (query_row(&q))
		message_row(&q, db, reg, w, a);
	jw_end(w);
	enum err err = query_end(&q);
	if (!err)
		err = channel_states(db, reg, w, a);
	jw_end(w);
	return err;
}

enum err notify_message_json(struct db *db, const struct registry *reg, int64_t id, struct jw *w, struct arena *a)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_OUTMSG_GET);
	query_i64(&q, 1, id);
	if (query_row(&q)) {
		found = true;
		message_row(&q, db, reg, w, a);
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err notify_span(struct db *db, int64_t from, int64_t to, size_t limit, struct arena *a, struct message_then **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_OUTMSG_SPAN);
	query_i64(&q, 1, from);
	query_i64(&q, 2, to);
	query_i64(&q, 3, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct message_then){ .via = query_get_str(&q, 0, a), .channel = query_get_i64(&q, 1),
			.kind = query_get_str(&q, 2, a), .type = query_get_str(&q, 3, a), .record = query_get_i64(&q, 4),
			.parts = query_get_i64(&q, 5), .state = query_get_str(&q, 6, a),
			.created_at = query_get_i64(&q, 7), .sent_at = query_get_i64(&q, 8), .receipt_at = query_get_i64(&q, 9),
			.tried_at = query_get_i64(&q, 10), .error = query_get_str(&q, 11, a) };
	}
	return query_end(&q);
}

#define TEST_TEXT "这是安澜平台的测试消息。收到说明通道可用。"

enum err notify_test(struct db *db, const struct registry *reg, struct str via, int64_t channel, struct str address,
                     int64_t person, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct channel *chs;
	size_t n;
	enum err err = channels_read(db, reg, a, &chs, &n);
	const struct channel *c = err ? NULL : channel_find(chs, n, via, channel);
	if (err)
		return err;
	if (!c)
		return problem_set(p, ERR_NOT_FOUND, "channel", "没有这个通道", "there is no such channel");
	bool hook = str_is(via, VIA_WEBHOOK);
	if (!hook && !address.n)
		return problem_set(p, ERR_INVALID, "to", "请写收件地址（邮箱、手机号或企业微信账号）",
		                   "give the address to send to (mail, phone or WeCom account)");
	struct new_message m = { .via = c->via, .channel = c->id, .kind = STR("test"), .address = address, .person = person,
		                 .body = hook ? STR("{\"event\":\"test\"}") : STR(TEST_TEXT), .parts = 1, .next_at = clock_now(),
		                 .urgent = true };
	return message_add(db, &m, clock_now(), a, ret_id);
}

enum err notify_receipt(struct db *db, const struct auth *au, int64_t channel, struct str secret, struct str id, bool delivered,
                        struct str text)
{
	struct query q;
	if (!secret_fits(db, au, channel, secret))
		return ERR_FORBIDDEN;
	query_begin(&q, db, STMT_OUTMSG_RECEIPT);
	query_i64(&q, 1, channel);
	query_str(&q, 2, id);
	query_str(&q, 3, id);
	query_str(&q, 4, delivered ? STR("confirmed") : STR("undelivered"));
	query_i64(&q, 5, clock_now());
	query_str(&q, 6, delivered ? STR_EMPTY : str_first(text, 500));
	enum err err = query_run(&q);
	return err ? err : db_changes(db) ? OK : ERR_NOT_FOUND;
}
