// Personal data of one record in the clear, for a reason that stays in the audit chain. Runs in a store job: what is
// shown is noted first.
#include "base/limits.h"
#include "flow/draft.h"

// Whoever may not unmask sees it masked: that is what makes it personal.
static bool is_personal(const struct field *f)
{
	static const struct identity nobody;
	return f->ncols && !auth_sees_masked(&nobody, f);
}

static enum err pick(const struct type *t, const json_t *names, const struct identity *by,
                     const struct field **ret, size_t *ret_n, struct problem *p)
{
	*ret_n = 0;
	for (size_t i = 0; i < json_array_size(names) && i < LIMIT_TYPE_FIELDS; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const struct field *f = name ? type_field(t, str_of(name)) : NULL;
		if (!f || !is_personal(f) || !auth_may_read_field(by, f))
			return problem_set(p, ERR_INVALID, "fields", "第 %zu 项不是个人信息字段", "item %zu is not a field of personal data", i + 1);
		ret[(*ret_n)++] = f;
	}
	return *ret_n ? OK : problem_set(p, ERR_INVALID, "fields", "请指明要查看哪些字段", "say which fields you need");
}

static struct str reveal_detail(const struct field **fields, size_t n, struct str reason, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_karr(&w, "fields");
	for (size_t i = 0; i < n; i++)
		jw_str(&w, fields[i]->name);
	jw_end(&w);
	jw_kstr(&w, "reason", reason);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

enum err flow_reveal(struct db *db, const struct type *t, int64_t id, const json_t *body, const struct identity *by,
                     struct jw *w, struct arena *a, struct problem *p)
{
	const struct field *fields[LIMIT_TYPE_FIELDS];
	size_t n;
	struct row row;
	const json_t *r = json_object_get(body, "reason");
	struct str reason = json_is_string(r) ? str_trim(str_from(json_string_value(r), json_string_length(r))) : STR_EMPTY;
	if (!auth_may_read(by, t) || !auth_may_reveal(by))
		return problem_set(p, ERR_FORBIDDEN, "", "您的角色不能查看完整的个人信息", "your role may not see personal data in full");
	if (str_utf8_len(reason) < 2 || reason.n > LIMIT_TEXT_FIELD)
		return problem_set(p, ERR_INVALID, "reason", "请说明查看的理由，理由会记入审计", "say why you need it; the reason goes to the audit");
	struct scope scope = auth_scope(by, t);
	enum err err = records_get(db, &t->table, &scope, id, a, &row);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这条记录，或不在你的范围内", "there is no such record in your area");
	if (!err)
		err = pick(t, json_object_get(body, "fields"), by, fields, &n, p);
	if (!err)
		err = history_add(db, t, id, "reveal", STR_EMPTY, reveal_detail(fields, n, arena_str(a, reason), a), by);
	if (err)
		return err;
	jw_obj(w);
	jw_kobj(w, "values");
	for (size_t i = 0; i < n; i++) {
		jw_key_str(w, fields[i]->name);
		value_json(w, fields[i], &row.vals[fields[i]->col], false, a);
	}
	jw_end(w);
	jw_end(w);
	return OK;
}
