// Who reported a danger: sealed beside the record under secret.key, opened one at a time with a reason (doc/decisions/0031-enforcement.md).
#include "base/limits.h"
#include "flow/change.h"

enum err flow_seal(struct db *db, const struct auth *au, int64_t record, struct str digest, struct str plain, struct arena *a)
{
	struct query q;
	struct str sealed = STR_EMPTY;
	enum err err = plain.n ? auth_seal(au, "report", record, plain, a, &sealed) : OK;
	if (err)
		return err;
	query_begin(&q, db, STMT_SEAL_ADD);
	query_i64(&q, 1, record);
	query_blob(&q, 2, digest);
	query_blob(&q, 3, sealed);
	return query_run(&q);
}

enum err flow_sealed_record(struct db *db, struct str digest, int64_t *ret)
{
	struct query q;
	*ret = 0;
	query_begin(&q, db, STMT_SEAL_FIND);
	query_blob(&q, 1, digest);
	if (query_row(&q))
		*ret = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	return err ? err : *ret ? OK : ERR_NOT_FOUND;
}

enum err flow_sealed_text(struct db *db, const struct auth *au, int64_t record, struct arena *a, struct str *ret)
{
	struct query q;
	struct str sealed = STR_EMPTY;
	*ret = STR_EMPTY;
	query_begin(&q, db, STMT_SEAL_GET);
	query_i64(&q, 1, record);
	if (query_row(&q))
		sealed = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	if (err || !sealed.n)
		return err ? err : ERR_NOT_FOUND;
	return auth_unseal(au, "report", record, sealed, a, ret);
}

static struct str reason_detail(struct str reason, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "reason", reason);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

enum err flow_unseal(struct db *db, const struct auth *au, const struct type *t, int64_t id, const json_t *body,
                     const struct identity *by, struct arena *a, struct str *ret, struct problem *p)
{
	struct row row;
	const json_t *r = json_object_get(body, "reason");
	struct str reason = json_is_string(r) ? str_trim(str_from(json_string_value(r), json_string_length(r))) : STR_EMPTY;
	*ret = STR_EMPTY;
	if (!auth_may(by, "report.unseal") || !auth_may_read(by, t))
		return problem_set(p, ERR_FORBIDDEN, "", "只有举报保密员可以开启", "only the keeper of the seal may open it");
	if (str_utf8_len(reason) < 5 || reason.n > LIMIT_TEXT_FIELD)
		return problem_set(p, ERR_INVALID, "reason", "请写明开启的理由（至少 5 个字），理由会记入审计", "say why it must be opened (5 characters at least); the reason goes to the audit");
	struct scope scope = auth_scope(by, t);
	enum err err = records_get(db, &t->table, &scope, id, a, &row);
	if (!err)
		err = flow_sealed_text(db, au, id, a, ret);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这件举报，或举报人没有留下身份", "no such report, or nobody is named");
	if (err == ERR_CORRUPT)
		return problem_set(p, err, "", "密封用的 secret.key 不是现在这一份，请放回原来的文件", "it was sealed under another secret.key: put that file back");
	return err ? err : history_add(db, t, id, "unseal", STR_EMPTY, reason_detail(arena_str(a, reason), a), by);
}
