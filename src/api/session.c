// Logging in and out, who I am, my password, my sessions, and the demo's one-click roles.
#include "api/api.h"

static void set_cookie(struct call *c, const char *token)
{
	bool tls = c->rq->tls || str_is(http_header(c->rq, "X-Forwarded-Proto"), "https");
	c->rs->cookie[0] = arena_printf(c->arena, "anlan=%s; Path=/; HttpOnly; SameSite=Strict%s%s", token, *token ? "" : "; Max-Age=0", tls ? "; Secure" : "");
}

static struct str title_of(struct call *c, const char *type_name, struct str column, struct value v)
{
	const struct type *t = registry_type(c->reg, str_of(type_name));
	struct row row;
	if (!t || records_find(call_db(c), &t->table, &(struct scope){ 0 }, column, v, c->arena, &row))
		return STR_EMPTY;
	return row.c.title;
}

static void write_me(struct call *c)
{
	struct jw *w = &c->w;
	jw_ki64(w, "id", c->id.person);
	jw_kstr(w, "name", c->id.name);
	jw_kstr(w, "title", c->id.title);
	if (c->id.actor)
		jw_ki64(w, "actor", c->id.actor);
	jw_kstr(w, "lang", c->id.lang);
	jw_karr(w, "roles");
	for (size_t i = 0; i < c->id.nroles; i++) {
		jw_obj(w);
		jw_kstr(w, "name", c->id.roles[i]->name);
		jw_klabel(w, "label", c->id.roles[i]->label);
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "may");
	for (size_t i = 0; i < c->id.nroles; i++)
		for (size_t k = 0; k < c->id.roles[i]->nmay; k++)
			jw_str(w, c->id.roles[i]->may[k]);
	jw_end(w);
	jw_kstr(w, "area", c->id.scope.area);
	if (c->id.scope.enterprise) {
		jw_kobj(w, "enterprise");
		jw_ki64(w, "id", c->id.scope.enterprise);
		jw_kstr(w, "title", title_of(c, "enterprise", STR("id"), (struct value){ .kind = VAL_INT, .i = c->id.scope.enterprise }));
		jw_end(w);
	} else {
		jw_key(w, "enterprise");
		jw_null(w);
	}
	jw_kobj(w, "second_factor");
	jw_kbool(w, "on", c->id.second_factor);
	jw_kbool(w, "must", c->id.must_enrol); // until it is set up nothing else is open
	jw_end(w);
	jw_kbool(w, "reveal", auth_may_reveal(&c->id));
	jw_kbool(w, "demo", c->app->demo);
	jw_kobj(w, "county");
	jw_kstr(w, "name", c->app->county);
	jw_end(w);
}

enum err session_answer(struct call *c, const char *token)
{
	enum err err = auth_session(c->app->auth, c->reg, str_of(token), c->arena, &c->id);
	if (err)
		return err;
	set_cookie(c, token);
	jw_obj(&c->w);
	jw_kcstr(&c->w, "token", token);
	jw_kobj(&c->w, "me");
	write_me(c);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err session_login(struct call *c)
{
	struct str name = body_str(c, "name"), password = body_str(c, "password");
	if (!name.n || !password.n)
		return call_fail(c, ERR_INVALID, name.n ? "password" : "name", "请输入用户名和密码", "enter name and password");
	char token[33];
	enum err err = auth_login(c->app->auth, name, password, body_str(c, "code"), c->rq->peer, token, &c->p);
	return err ? err : session_answer(c, token);
}

enum err session_logout(struct call *c)
{
	enum err err = auth_logout(c->app->auth, &c->id);
	if (err)
		return err;
	set_cookie(c, "");
	return call_done(c);
}

enum err session_me(struct call *c)
{
	jw_obj(&c->w);
	write_me(c);
	jw_end(&c->w);
	return OK;
}

enum err session_password(struct call *c)
{
	const json_t *person = json_object_get(c->body, "person");
	int64_t who = json_is_integer(person) ? json_integer_value(person) : c->id.person;
	enum err err = who == c->id.person ? auth_check_password(c->app->auth, &c->id, body_str(c, "old"), &c->p) : OK;
	if (err == ERR_UNAVAILABLE)
		return err;
	if (err)
		return call_fail(c, ERR_INVALID, "old", "原密码不正确", "the old password is wrong");
	err = auth_set_password(c->app->auth, &c->id, who, body_str(c, "new"), &c->p);
	return err ? err : call_done(c);
}

enum err session_list(struct call *c)
{
	struct session_info *v;
	size_t n;
	enum err err = auth_sessions(c->app->auth, &c->id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_ktime(&c->w, "created_at", v[i].created_at);
		jw_ktime(&c->w, "seen_at", v[i].seen_at);
		jw_kstr(&c->w, "peer", v[i].peer);
		jw_kbool(&c->w, "current", v[i].current);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err session_delete(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = auth_revoke(c->app->auth, &c->id, id);
	return err ? err : call_done(c);
}

static enum err demo_only(struct call *c)
{
	if (c->app->demo && c->rq->peer_loopback)
		return OK;
	return call_fail(c, ERR_NOT_FOUND, NULL, "不是演示环境", "this is not a demo");
}

enum err demo_info(struct call *c)
{
	enum err err = demo_only(c);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kbool(&c->w, "demo", true);
	jw_karr(&c->w, "roles");
	for (size_t i = 0; i < c->reg->nroles; i++) {
		const struct role *r = &c->reg->roles[i];
		struct str person;
		if (!r->demo || auth_demo_title(call_db(c), c->reg, r->name, c->arena, &person))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", r->name);
		jw_klabel(&c->w, "label", r->label);
		jw_kstr(&c->w, "person", person);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err demo_login(struct call *c)
{
	enum err err = demo_only(c);
	if (err)
		return err;
	char token[33];
	err = auth_demo_login(c->app->auth, body_str(c, "role"), c->rq->peer, token, &c->p);
	return err ? err : session_answer(c, token);
}
