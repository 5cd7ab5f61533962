#include "store/views.h"

#include "base/arena.h"
#include "base/limits.h"

enum err views_list(struct db *db, struct str type, int64_t person, int64_t organisation, struct arena *a, struct view **ret,
                    size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_VIEW_LIST);
	query_str(&q, 1, type);
	query_i64(&q, 2, person);
	query_i64(&q, 3, organisation);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		(*ret)[*ret_n - 1] = (struct view){ .id = query_get_i64(&q, 0), .person = query_get_i64(&q, 1), .name = query_get_str(&q, 2, a),
			                                .query = query_get_str(&q, 3, a), .shared = query_get_i64(&q, 4) != 0,
			                                .at = query_get_i64(&q, 5) };
	}
	return query_end(&q);
}

enum err views_add(struct db *db, struct str type, int64_t organisation, const struct view *v, int64_t *ret_id,
                   struct problem *p)
{
	struct query q;
	query_begin(&q, db, STMT_VIEW_COUNT);
	query_i64(&q, 1, v->person);
	int64_t n = query_row(&q) ? query_get_i64(&q, 0) : 0;
	enum err err = query_end(&q);
	if (err)
		return err;
	if (n >= LIMIT_VIEWS)
		return problem_set(p, ERR_TOO_LARGE, "name", "已保存 %d 个列表，请先删除不用的", "you have saved %d lists: delete some first", LIMIT_VIEWS);
	query_begin(&q, db, STMT_VIEW_ADD);
	query_i64(&q, 1, v->person);
	query_i64(&q, 2, organisation);
	query_str(&q, 3, type);
	query_str(&q, 4, v->name);
	query_str(&q, 5, v->query);
	query_i64(&q, 6, v->shared);
	query_i64(&q, 7, v->at);
	err = query_run(&q);
	*ret_id = db_last_id(db);
	if (err == ERR_CONFLICT)
		return problem_set(p, err, "name", "你已有同名的列表，请换一个名称", "you have a list of this name: choose another");
	return err;
}

enum err views_remove(struct db *db, int64_t id, int64_t person)
{
	struct query q;
	query_begin(&q, db, STMT_VIEW_DELETE);
	query_i64(&q, 1, id);
	query_i64(&q, 2, person);
	enum err err = query_run(&q);
	return err ? err : db_changes(db) ? OK : ERR_NOT_FOUND;
}
