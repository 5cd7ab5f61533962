// The roles and what each can reach: for who grants, secures and audits.
#include "api/api.h"
#include "flow/reach.h"

static enum err for_administrators(struct call *c)
{
	if (auth_may(&c->id, "user.manage") || auth_may(&c->id, "session.manage") || auth_may(&c->id, "audit.read"))
		return OK;
	return call_fail(c, ERR_FORBIDDEN, NULL, "您的角色没有此项权限", "your role does not have this permission");
}

enum err roles_get(struct call *c)
{
	enum err err = for_administrators(c);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < c->reg->nroles; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", c->reg->roles[i].name);
		jw_klabel(&c->w, "label", c->reg->roles[i].label);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err roles_reach(struct call *c)
{
	const struct role *r = registry_role(c->reg, c->param[0]);
	enum err err = for_administrators(c);
	if (err)
		return err;
	if (!r)
		return call_fail(c, ERR_NOT_FOUND, "role", "没有这个角色", "there is no such role");
	if (!str_is(http_query(c->rq, "format"), "csv")) {
		reach_json(&c->w, c->reg, r, c->arena);
		return OK;
	}
	reach_csv(&c->rs->body, c->reg, r, call_is_en(c), c->arena);
	c->rs->type = "text/csv; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "role-%.*s.csv", STR_FMT(r->name));
	return OK;
}
