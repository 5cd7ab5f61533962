// The second factor and personal access tokens.
#include <qrencode.h>

#include "api/api.h"
#include "base/time.h"

// ---- second factor -----------------------------------------------------------------------------
// Rows of 0 and 1, without a margin: the page draws them, a terminal prints them.
static void qr_rows(struct jw *w, struct str text, struct arena *a)
{
	QRcode *qr = QRcode_encodeString(arena_cstr(a, text), 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	jw_karr(w, "qr");
	for (int y = 0; qr && y < qr->width; y++) {
		char *row = arena_alloc(a, (size_t)qr->width + 1);
		for (int x = 0; x < qr->width; x++)
			row[x] = qr->data[y * qr->width + x] & 1 ? '1' : '0';
		jw_cstr(w, row);
	}
	jw_end(w);
	QRcode_free(qr);
}

enum err totp_start(struct call *c)
{
	struct str secret, uri;
	enum err err = auth_totp_start(c->app->auth, &c->id, body_str(c, "password"), c->arena, &secret, &uri, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "secret", secret);
	jw_kstr(&c->w, "uri", uri);
	qr_rows(&c->w, uri, c->arena);
	jw_end(&c->w);
	return OK;
}

enum err totp_confirm(struct call *c)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT];
	enum err err = auth_totp_confirm(c->app->auth, &c->id, body_str(c, "code"), codes, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kbool(&c->w, "done", true);
	jw_karr(&c->w, "recovery");
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		jw_cstr(&c->w, codes[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err totp_remove(struct call *c)
{
	const json_t *person = json_object_get(c->body, "person");
	int64_t who = json_is_integer(person) ? json_integer_value(person) : c->id.person;
	enum err err = auth_totp_remove(c->app->auth, &c->id, who, body_str(c, "password"), body_str(c, "code"), &c->p);
	return err ? err : call_done(c);
}

// ---- tokens ------------------------------------------------------------------------------------
static void token_json(struct jw *w, const struct access_token *t)
{
	struct str scopes = t->scopes;
	jw_ki64(w, "id", t->id);
	jw_ki64(w, "person", t->person);
	jw_kstr(w, "name", t->name);
	jw_karr(w, "scopes");
	while (scopes.n) {
		struct str one = str_cut(&scopes, ',');
		if (one.n)
			jw_str(w, one);
	}
	jw_end(w);
	jw_ktime(w, "created_at", t->created_at);
	jw_ktime(w, "expires_at", t->expires_at);
	jw_key(w, "seen_at");
	if (t->seen_at)
		jw_time(w, t->seen_at);
	else
		jw_null(w);
	jw_kstr(w, "peer", t->peer);
}

enum err tokens_get(struct call *c)
{
	struct access_token *v;
	size_t n;
	enum err err = auth_tokens(call_db(c), &c->id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		token_json(&c->w, &v[i]);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

static enum err read_scopes(struct call *c, struct str *ret)
{
	const json_t *list = json_object_get(c->body, "scopes");
	*ret = STR(",");
	for (size_t i = 0; i < json_array_size(list) && i < LIMIT_TOKEN_SCOPES; i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (!s || !*s || strchr(s, ',') || strlen(s) > 80)
			return call_fail(c, ERR_INVALID, "scopes", "授权范围须为文字列表", "scopes must be a list of words");
		*ret = arena_printf(c->arena, "%.*s%s,", STR_FMT(*ret), s);
	}
	if (json_array_size(list) > LIMIT_TOKEN_SCOPES)
		return call_fail(c, ERR_INVALID, "scopes", "授权范围太多", "too many scopes");
	return OK;
}

enum err tokens_create(struct call *c)
{
	struct access_token t;
	struct str scopes, until = body_str(c, "expires_at");
	char text[ACCESS_TOKEN_TEXT];
	int64_t expires = 0;
	enum err err = read_scopes(c, &scopes);
	if (!err && until.n && !time_parse(until, &expires))
		err = call_fail(c, ERR_INVALID, "expires_at", "应为时间，如 2026-11-22T08:00:00+08:00", "a time like 2026-11-22T08:00:00+08:00 is expected");
	if (!err)
		err = auth_token_new(c->app->auth, c->reg, &c->id, body_str(c, "name"), scopes, expires, text, &t, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	token_json(&c->w, &t);
	jw_kcstr(&c->w, "token", text);
	jw_end(&c->w);
	c->rs->status = 201;
	return OK;
}

enum err tokens_delete(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = auth_token_end(c->app->auth, &c->id, id, &c->p);
	return err ? err : call_done(c);
}
