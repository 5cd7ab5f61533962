// What people say about a record: read and written by who may read the record; a mention tells somebody who may read it
// too. Writing in store jobs, reading on any connection.
#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"

static bool may_read(const struct type *t, const struct row *row, const struct identity *who)
{
	return auth_may_read(who, t) && row_in_scope(who, t, &row->c);
}

// One mention: a person who may read the record.
static enum err mention_check(const struct change *ch, const struct row *row, int64_t person)
{
	struct identity who;
	enum err err = auth_identity(ch->db, ch->reg, person, ch->a, &who);
	if (err == ERR_NOT_FOUND)
		return problem_set(ch->p, ERR_INVALID, "mentions", "没有这个人", "there is no such person");
	if (!err && !may_read(ch->t, row, &who))
		return problem_set(ch->p, ERR_INVALID, "mentions", "%.*s 无权查看这条记录", "%.*s may not see this record", STR_FMT(who.title));
	return err;
}

static enum err mentions(const struct change *ch, const struct row *row, const json_t *list, struct str *ret)
{
	size_t i;
	json_t *one;
	enum err err = OK;
	*ret = STR_EMPTY;
	if (list && (!json_is_array(list) || json_array_size(list) > LIMIT_MENTIONS))
		return problem_set(ch->p, ERR_INVALID, "mentions", "提到的人应为不超过 %d 个编号的列表", "mentions is a list of at most %d ids", LIMIT_MENTIONS);
	json_array_foreach((json_t *)(uintptr_t)list, i, one) {
		if (!json_is_integer(one))
			return problem_set(ch->p, ERR_INVALID, "mentions", "提到的人要写编号", "mentions are ids");
		if ((err = mention_check(ch, row, json_integer_value(one))))
			return err;
		*ret = arena_printf(ch->a, "%.*s%s%lld,", STR_FMT(*ret), ret->n ? "" : ",", (long long)json_integer_value(one));
	}
	return err;
}

static enum err mentions_tell(const struct change *ch, const struct row *row, struct str ids)
{
	enum err err = OK;
	int64_t id;
	const struct common *c = &row->c;
	struct str name = c->number.n ? c->number : c->title;
	struct label text = { arena_printf(ch->a, "%.*s 在%.*s %.*s 的留言中提到了你", STR_FMT(ch->by->title), STR_FMT(ch->t->label.zh), STR_FMT(name)),
		              arena_printf(ch->a, "%.*s mentioned you in a comment on %.*s %.*s", STR_FMT(ch->by->title),
		                           STR_FMT(ch->t->label.en), STR_FMT(name)) };
	while (!err && ids.n)
		if (str_to_i64(str_cut(&ids, ','), &id))
			err = notice_add(ch->db, id, text, ch->t->name, c->id, "mention");
	return err;
}

static enum err comment_write(const struct change *ch, int64_t id, struct str text, struct str ids, int64_t *ret_id)
{
	struct query q;
	query_begin(&q, ch->db, STMT_COMMENT_ADD);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	query_i64(&q, 3, clock_now());
	query_i64(&q, 4, ch->by->person);
	query_str(&q, 5, ch->by->title);
	query_str(&q, 6, text);
	query_str(&q, 7, ids);
	enum err err = query_run(&q);
	*ret_id = db_last_id(ch->db);
	return err;
}

enum err flow_comment(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                      const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row row;
	struct str text = body_text(body, "text", a), ids;
	enum err err = change_load(&ch, id, &row);
	if (!err && !auth_may_write(by, t))
		err = problem_set(p, ERR_FORBIDDEN, "", "这个令牌不能写", "this token may not write");
	if (!err && (text.n == 0 || text.n > LIMIT_TEXT_FIELD))
		err = problem_set(p, ERR_INVALID, "text", "请写留言（不超过 %d 字节）", "write a comment (at most %d bytes)", (int)LIMIT_TEXT_FIELD);
	if (err || (err = mentions(&ch, &row, json_object_get(body, "mentions"), &ids)) || (err = comment_write(&ch, id, text, ids, ret_id)))
		return err;
	struct str detail = arena_printf(a, "{\"comment\":%lld}", (long long)*ret_id);
	err = history_add(db, t, id, "comment", STR_EMPTY, detail, by);
	if (!err)
		err = mentions_tell(&ch, &row, ids);
	change_announce(&ch, "commented", &row.c);
	return err;
}

enum err flow_comments(struct db *db, const struct type *t, int64_t id, int64_t before, size_t limit, struct arena *a,
                       struct comment **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_COMMENT_LIST);
	query_str(&q, 1, t->name);
	query_i64(&q, 2, id);
	query_i64(&q, 3, before);
	query_i64(&q, 4, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct comment){ .id = query_get_i64(&q, 0), .at = query_get_i64(&q, 1), .person = query_get_i64(&q, 2),
			                               .name = query_get_str(&q, 3, a), .text = query_get_str(&q, 4, a),
			                               .mentions = query_get_str(&q, 5, a) };
	}
	return query_end(&q);
}
