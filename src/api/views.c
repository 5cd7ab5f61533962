// Saved lists: own ones, and those shared in the caller's organisation.
#include "api/api.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/views.h"

#define NAME_MAX_BYTES 120

// The organisation the caller belongs to; 0 = none.
static int64_t own_organisation(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("person"));
	const struct field *f = t ? type_field(t, STR("organisation")) : NULL;
	struct row row;
	if (!f || f->kind != FIELD_REF || f->ncols == 0 || records_get(call_db(c), &t->table, NULL, c->id.person, c->arena, &row))
		return 0;
	return row.vals[f->col].kind == VAL_INT ? row.vals[f->col].i : 0;
}

static enum err find(struct call *c, struct str name, const struct type **ret)
{
	*ret = registry_type(c->reg, name);
	if (!*ret || !auth_may_read(&c->id, *ret))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	return OK;
}

enum err views_get(struct call *c)
{
	const struct type *t;
	struct view *v;
	size_t n;
	enum err err = find(c, http_query(c->rq, "type"), &t);
	if (!err)
		err = views_list(call_db(c), t->name, c->id.person, own_organisation(c), c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_kstr(&c->w, "name", v[i].name);
		jw_kstr(&c->w, "query", v[i].query);
		jw_kbool(&c->w, "shared", v[i].shared);
		jw_kbool(&c->w, "mine", v[i].person == c->id.person);
		jw_key(&c->w, "at");
		jw_time(&c->w, v[i].at);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

struct change {
	struct call *c;
	const struct type *t;
	struct view v;
	int64_t organisation;
};

static enum err audit(struct db *db, const struct call *c, const char *action, struct str type, int64_t id)
{
	return audit_add(db, &(struct audit_entry){ .at = clock_now(), .actor = c->id.person, .actor_name = c->id.title,
		                                        .action = str_of(action), .type = type, .record = id, .detail = STR("{}") });
}

static enum err job_add(struct db *db, void *arg, struct problem *p)
{
	struct change *ch = arg;
	enum err err = views_add(db, ch->t->name, ch->organisation, &ch->v, &ch->v.id, p);
	return err ? err : audit(db, ch->c, "view.create", STR("view"), ch->v.id);
}

static enum err job_remove(struct db *db, void *arg, struct problem *p)
{
	struct change *ch = arg;
	enum err err = views_remove(db, ch->v.id, ch->c->id.person);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这个列表，或不是你保存的", "there is no such list, or it is not yours");
	return err ? err : audit(db, ch->c, "view.delete", STR("view"), ch->v.id);
}

static bool query_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20)
			return false;
	return s.n <= LIMIT_VIEW_QUERY && str_utf8_valid(s);
}

enum err views_create(struct call *c)
{
	struct change ch = { .c = c };
	enum err err = find(c, body_str(c, "type"), &ch.t);
	if (err)
		return err;
	ch.v = (struct view){ .person = c->id.person, .name = str_trim(body_str(c, "name")), .query = body_str(c, "query"),
		                  .shared = json_is_true(json_object_get(c->body, "shared")), .at = clock_now() };
	if (ch.v.name.n == 0 || ch.v.name.n > NAME_MAX_BYTES || !query_ok(ch.v.name))
		return call_fail(c, ERR_INVALID, "name", "请填写名称，最长 40 个字", "a name is needed, of 40 characters at most");
	if (!query_ok(ch.v.query))
		return call_fail(c, ERR_INVALID, "query", "列表条件太长或含有控制字符", "the query is too long or holds control characters");
	ch.organisation = own_organisation(c);
	if (ch.v.shared && ch.organisation == 0)
		return call_fail(c, ERR_INVALID, "shared", "你不属于任何机构，不能共享；请管理员先填写所属机构",
		                 "you belong to no organisation to share it with: ask an administrator to enter yours");
	call_db_refresh(c);
	if ((err = store_write(c->app->store, job_add, &ch, &c->p)))
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", ch.v.id);
	jw_end(&c->w);
	c->rs->status = 201;
	return OK;
}

enum err views_delete(struct call *c)
{
	struct change ch = { .c = c };
	enum err err = param_id(c, 0, &ch.v.id);
	if (!err)
		err = store_write(c->app->store, job_remove, &ch, &c->p);
	return err ? err : call_done(c);
}
