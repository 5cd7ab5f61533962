// Messages to persons: one row for each person who should know. Written in store jobs (moves, escalation, alarms),
// read on any connection.
#include "base/time.h"
#include "flow/draft.h"

enum err notice_put(struct db *db, const struct notice_new *n)
{
	struct query q;
	query_begin(&q, db, STMT_NOTICE_ADD);
	query_i64(&q, 1, n->person);
	query_i64(&q, 2, clock_now());
	query_str(&q, 3, n->text.zh);
	query_str(&q, 4, n->text.en);
	query_str(&q, 5, n->type);
	query_i64(&q, 6, n->record);
	query_str(&q, 7, str_of(n->kind));
	query_str(&q, 8, n->channels);
	query_i64(&q, 9, n->release);
	return query_run(&q);
}

enum err notice_add(struct db *db, int64_t person, struct label text, struct str type, int64_t record, const char *kind)
{
	return notice_put(db, &(struct notice_new){ .person = person, .text = text, .type = type, .record = record, .kind = kind,
	                                            .channels = STR_EMPTY });
}

enum err notice_settle(struct db *db, struct str type, int64_t record)
{
	struct query q;
	query_begin(&q, db, STMT_NOTICE_SETTLE);
	query_i64(&q, 1, record);
	query_str(&q, 2, type);
	query_i64(&q, 3, clock_now());
	return query_run(&q);
}

enum err flow_notify_role(struct db *db, struct str role, struct str area, int64_t enterprise, struct str text_zh,
                          struct str text_en, struct str type, int64_t record)
{
	struct arena *a = arena_new(0);
	const struct registry *reg = registry_pin();
	struct type none = { .name = type };
	struct row row = { .c = { .id = record, .area = area, .enterprise = enterprise, .sector = STR_EMPTY } };
	struct audience au = { .reg = reg, .t = &none, .row = &row, .kind = "tell", .text = { text_zh, text_en } };
	enum err err = reg ? flow_tell(db, &au, &role, 1, a) : OK;
	registry_unpin(reg);
	arena_free(a);
	return err;
}

enum err flow_notices(struct db *db, const struct identity *by, bool unread_only, size_t limit, struct arena *a,
                      struct notice **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, unread_only ? STMT_NOTICE_UNREAD : STMT_NOTICE_LIST);
	query_i64(&q, 1, by->person);
	query_i64(&q, 2, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct notice){ .id = query_get_i64(&q, 0), .at = query_get_i64(&q, 1),
			                              .text_zh = query_get_str(&q, 2, a), .text_en = query_get_str(&q, 3, a),
			                              .type = query_get_str(&q, 4, a), .record = query_get_i64(&q, 5),
			                              .read_at = query_get_i64(&q, 6), .kind = query_get_str(&q, 7, a) };
	}
	return query_end(&q);
}

enum err flow_notice_read(struct db *db, const struct identity *by, int64_t notice, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_NOTICE_READ);
	query_i64(&q, 1, notice);
	query_i64(&q, 2, by->person);
	query_i64(&q, 3, now);
	enum err err = query_run(&q);
	if (err || !db_changes(db))
		return err ? err : ERR_NOT_FOUND;
	query_begin(&q, db, STMT_RECEIPT_READ); // of a release: that he has seen it stands in his receipt
	query_i64(&q, 1, notice);
	query_i64(&q, 2, by->person);
	query_i64(&q, 3, now);
	return query_run(&q);
}
