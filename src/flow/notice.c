// Messages to persons: one row for each person who should know. Written in store jobs (moves, escalation, alarms),
// read on any connection.
#include "base/time.h"
#include "flow/flow.h"

static enum err notice_add(struct db *db, int64_t person, struct str zh, struct str en, struct str type, int64_t record)
{
	struct query q;
	query_begin(&q, db, STMT_NOTICE_ADD);
	query_i64(&q, 1, person);
	query_i64(&q, 2, clock_now());
	query_str(&q, 3, zh);
	query_str(&q, 4, en);
	query_str(&q, 5, type);
	query_i64(&q, 6, record);
	return query_run(&q);
}

// The scope of a person's row is what a session of his would have.
static bool covers(const struct row *person, struct str area, int64_t enterprise)
{
	struct identity id = { .person = person->c.id,
		               .scope = { .area = area_prefix(person->c.area), .enterprise = person->c.enterprise } };
	return auth_in_scope(&id, area, enterprise);
}

static enum err tell_people(struct db *db, const struct type *people, struct str role, struct str area, int64_t enterprise,
                            const struct notice *n)
{
	struct arena *a = arena_new(0);
	struct problem p;
	struct row *rows;
	size_t nrows;
	problem_init(&p, a);
	struct value wanted = { .kind = VAL_TEXT, .s = arena_printf(a, ",%.*s,", STR_FMT(role)) };
	struct filter filter = { STR("role"), FILTER_CONTAINS, &wanted, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &filter, .nfilters = 1 };
	enum err err = records_list(db, &people->table, NULL, &lq, a, &rows, &nrows, NULL, &p);
	for (size_t i = 0; !err && i < nrows; i++)
		if (covers(&rows[i], area, enterprise))
			err = notice_add(db, rows[i].c.id, n->text_zh, n->text_en, n->type, n->record);
	arena_free(a);
	return err;
}

enum err flow_notify_role(struct db *db, struct str role, struct str area, int64_t enterprise, struct str text_zh,
                          struct str text_en, struct str type, int64_t record)
{
	struct notice n = { .text_zh = text_zh, .text_en = text_en, .type = type, .record = record };
	const struct registry *reg = registry_pin();
	const struct type *people = reg ? registry_type(reg, STR("person")) : NULL;
	enum err err = OK;
	if (people && type_field(people, STR("role")))
		err = tell_people(db, people, role, area, enterprise, &n);
	registry_unpin(reg);
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
			                              .read_at = query_get_i64(&q, 6) };
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
	return err ? err : db_changes(db) ? OK : ERR_NOT_FOUND;
}
