// Logging in by the county's directories: the ways offered, single sign-on, and what the administrator does with them.
#include "api/api.h"

#define FLOW_COOKIE "anlan_oidc"

enum err login_ways(struct call *c)
{
	struct login_way *v;
	size_t n;
	enum err err = auth_login_ways(c->app->auth, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_kstr(&c->w, "name", v[i].name);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// ---- single sign-on ----------------------------------------------------------------------------
// Lax: the browser comes back from the provider's site. Only this part of the API ever sees it.
static struct str flow_cookie(struct call *c, struct str value)
{
	return arena_printf(c->arena, FLOW_COOKIE "=%.*s; Path=/api/v1/oidc; HttpOnly; SameSite=Lax; Max-Age=%d%s", STR_FMT(value),
	                    value.n ? LIMIT_OIDC_FLOW_S : 0, str_starts(c->app->site_url, STR("https://")) ? "; Secure" : "");
}

static enum err send_to(struct call *c, struct str url, struct str cookie)
{
	c->rs->status = 303;
	c->rs->type = "text/plain; charset=utf-8";
	c->rs->location = url;
	c->rs->cookie[0] = flow_cookie(c, cookie);
	return OK;
}

// The one address of ours that a login on its way comes back to; the page there finishes it.
static struct str login_page(struct call *c, int64_t id) { return arena_printf(c->arena, "/login?by=%lld", (long long)id); }

enum err oidc_begin(struct call *c)
{
	struct str url, cookie;
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (err)
		return err;
	auth_oidc_begin(c->app->auth, id, c->app->site_url, c->rq->peer, c->arena, &url, &cookie);
	return send_to(c, url.n ? url : login_page(c, id), cookie);
}

enum err oidc_callback(struct call *c)
{
	struct oidc_answer said = { http_query(c->rq, "code"), http_query(c->rq, "state"), http_query(c->rq, "iss"), http_query(c->rq, "error") };
	struct str cookie;
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (err)
		return err;
	auth_oidc_callback(c->app->auth, id, c->app->site_url, &said, http_cookie(c->rq, FLOW_COOKIE), c->rq->peer, c->arena, &cookie);
	return send_to(c, login_page(c, id), cookie);
}

enum err oidc_finish(struct call *c)
{
	char token[33];
	if (!call_same_origin(c))
		return call_fail(c, ERR_FORBIDDEN, NULL, "请求不是从本平台页面发出", "the request did not come from this platform's pages");
	enum err err = auth_oidc_finish(c->app->auth, http_cookie(c->rq, FLOW_COOKIE), body_str(c, "code"), c->rq->peer, token, &c->p);
	if (err)
		return err;
	c->rs->cookie[1] = flow_cookie(c, STR_EMPTY);
	return session_answer(c, token);
}

// ---- the administrator's -----------------------------------------------------------------------
enum err directory_secret_post(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = auth_directory_secret(c->app->auth, &c->id, id, body_str(c, "secret"), &c->p);
	return err ? err : call_done(c);
}

enum err directory_test_post(struct call *c)
{
	struct directory_trial t = { .a = c->arena };
	bool fine = true;
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = auth_directory_test(c->app->auth, &c->id, id, str_trim(body_str(c, "name")), body_str(c, "password"), c->app->site_url, &t, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "steps");
	for (size_t i = 0; i < t.n; i++) {
		jw_obj(&c->w);
		jw_kcstr(&c->w, "name", t.v[i].name);
		jw_kbool(&c->w, "ok", t.v[i].ok);
		jw_kstr(&c->w, "text", call_is_en(c) ? t.v[i].en : t.v[i].zh);
		jw_end(&c->w);
		fine &= t.v[i].ok;
	}
	jw_end(&c->w);
	jw_kbool(&c->w, "ok", fine && t.n > 0);
	jw_end(&c->w);
	return OK;
}
