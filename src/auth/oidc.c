// Single sign-on by OpenID Connect (Core 1.0): authorization code flow with PKCE (RFC 7636, S256). Any thread; waits for the
// network with at most LIMIT_DIRECTORY_BUSY others.
//
// Between button and session the browser carries one cookie, sealed under a key of this process: first the flow (state, nonce
// and verifier of this login), then the finding (who it is, or what went wrong). The server remembers nothing that a
// stranger could fill up; a restart ends the logins on their way.
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "auth/auth_int.h"
#include "auth/fetch.h"
#include "auth/jwt.h"
#include "auth/oidc.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"

#define FRESH_US US_PER_HOUR    // description and keys are read again after it
#define RANDOM 43               // characters: above 200 bits; RFC 7636 section 4.1 wants 43 to 128

// ---- what is known of the providers ------------------------------------------------------------
struct slot {
	int64_t id, read_at, keys_at; // directory, 0 = free
	struct buf issuer, description, keys;
};

struct oidc {
	pthread_mutex_t lock;
	struct slot v[LIMIT_OIDC_CACHED];
};

struct provider {
	struct str description, keys; // JSON, in the caller's arena
	struct str authorize, token, jwks;
	bool post;              // the secret goes into the form instead of the header
	int64_t keys_at;
};

struct oidc *oidc_new(void)
{
	struct oidc *o = mem_alloc(sizeof(*o));
	pthread_mutex_init(&o->lock, NULL);
	for (size_t i = 0; i < LIMIT_OIDC_CACHED; i++) {
		buf_init(&o->v[i].issuer, 1024);
		buf_init(&o->v[i].description, LIMIT_DIRECTORY_ANSWER + 1);
		buf_init(&o->v[i].keys, LIMIT_DIRECTORY_ANSWER + 1);
	}
	return o;
}

void oidc_free(struct oidc *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < LIMIT_OIDC_CACHED; i++) {
		buf_free(&o->v[i].issuer);
		buf_free(&o->v[i].description);
		buf_free(&o->v[i].keys);
	}
	pthread_mutex_destroy(&o->lock);
	mem_free(o);
}

static bool known(struct oidc *o, const struct directory *d, int64_t now, struct arena *a, struct provider *ret)
{
	bool found = false;
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < LIMIT_OIDC_CACHED && !found; i++) {
		const struct slot *s = &o->v[i];
		found = s->id == d->id && str_eq(buf_str(&s->issuer), d->url) && now - s->read_at < FRESH_US;
		if (found) {
			ret->description = arena_str(a, buf_str(&s->description));
			ret->keys = arena_str(a, buf_str(&s->keys));
			ret->keys_at = s->keys_at;
		}
	}
	pthread_mutex_unlock(&o->lock);
	return found;
}

static void put(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_add_str(b, s);
}

static void remember(struct oidc *o, const struct directory *d, const struct provider *pr, int64_t read_at)
{
	pthread_mutex_lock(&o->lock);
	struct slot *s = &o->v[0]; // the one of this directory, else a free one, else the oldest
	for (size_t i = 1; i < LIMIT_OIDC_CACHED && s->id != d->id; i++)
		if (o->v[i].id == d->id || o->v[i].read_at < s->read_at)
			s = &o->v[i];
	s->id = d->id;
	s->read_at = read_at ? read_at : s->read_at;
	s->keys_at = pr->keys_at;
	put(&s->issuer, d->url);
	put(&s->description, pr->description);
	put(&s->keys, pr->keys);
	pthread_mutex_unlock(&o->lock);
}

// ---- the provider's description ----------------------------------------------------------------
static void json_free(json_t **j) { json_decref(*j); }

static struct str text_in(const json_t *object, const char *key, struct arena *a)
{
	const json_t *v = json_object_get(object, key);
	return json_is_string(v) ? arena_str(a, str_from(json_string_value(v), json_string_length(v))) : STR_EMPTY;
}

static bool lists(const json_t *object, const char *key, const char *word)
{
	const json_t *list = json_object_get(object, key);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_is(str_of(json_string_value(json_array_get(list, i))), word))
			return true;
	return false;
}

static enum err get(const struct directory *d, struct str url, struct arena *a, struct str *ret, struct problem *p)
{
	struct str why;
	if (fetch_run(&(struct fetch){ .url = url, .ca = d->ca }, a, ret, &why))
		return OK;
	return directory_away(d, arena_printf(a, "%.*s: %.*s", STR_FMT(url), STR_FMT(why)).p, p);
}

static enum err read_description(const struct directory *d, struct provider *pr, struct arena *a, struct problem *p)
{
	json_t *j on_scope_exit(json_free) = json_loadb(pr->description.p, pr->description.n, JSON_REJECT_DUPLICATES, NULL);
	struct str issuer = text_in(j, "issuer", a);
	if (!str_eq(issuer, d->url)) // Discovery 1.0 section 4.3: exactly
		return directory_away(d, arena_printf(a, "the provider calls itself \"%.*s\": write the address exactly so", STR_FMT(issuer)).p, p);
	pr->authorize = text_in(j, "authorization_endpoint", a);
	pr->token = text_in(j, "token_endpoint", a);
	pr->jwks = text_in(j, "jwks_uri", a);
	if (!fetch_url_ok(pr->authorize) || !fetch_url_ok(pr->token) || !fetch_url_ok(pr->jwks))
		return directory_away(d, "an address in the provider's description is missing or not https", p);
	const char *methods = "token_endpoint_auth_methods_supported";
	pr->post = json_object_get(j, methods) && !lists(j, methods, "client_secret_basic") && lists(j, methods, "client_secret_post");
	return OK;
}

static enum err load(struct auth *au, const struct directory *d, struct provider *ret, struct problem *p)
{
	struct arena *a = p->arena;
	int64_t now = clock_now();
	*ret = (struct provider){ .description = STR_EMPTY, .keys = STR_EMPTY };
	if (!fetch_url_ok(d->url) || !d->client.n)
		return directory_away(d, d->client.n ? "the address must be https" : "there is no client id", p);
	if (known(au->oidc, d, now, a, ret))
		return read_description(d, ret, a, p);
	struct str base = d->url;
	if (str_ends(base, STR("/")))
		base.n--;
	enum err err = get(d, arena_printf(a, "%.*s/.well-known/openid-configuration", STR_FMT(base)), a, &ret->description, p);
	if (!err)
		err = read_description(d, ret, a, p);
	if (!err)
		err = get(d, ret->jwks, a, &ret->keys, p);
	ret->keys_at = now;
	if (!err)
		remember(au->oidc, d, ret, now);
	return err;
}

// A token is signed by a key that is not known: the provider may have changed its keys. At most every LIMIT_OIDC_REFRESH_S.
static bool load_keys(struct auth *au, const struct directory *d, struct provider *pr, struct arena *a)
{
	struct problem p;
	int64_t now = clock_now();
	problem_init(&p, a);
	if (now - pr->keys_at < LIMIT_OIDC_REFRESH_S * US_PER_S || get(d, pr->jwks, a, &pr->keys, &p))
		return false;
	pr->keys_at = now;
	remember(au->oidc, d, pr, 0);
	return true;
}

// ---- the cookie --------------------------------------------------------------------------------
static struct str cookie_of(struct auth *au, const char *what, struct buf *json, struct arena *a)
{
	struct str sealed;
	if (!buf_ok(json) || key_seal(au->flow_key, what, 0, buf_str(json), a, &sealed))
		return STR_EMPTY;
	return base64url_text(sealed, a);
}

// The object in the cookie, if it is ours, of that use and not too old; else NULL.
static json_t *cookie_open(struct auth *au, const char *what, struct str cookie, struct arena *a)
{
	struct str sealed, text;
	if (!str_from_base64url(a, cookie, &sealed) || key_unseal(au->flow_key, what, 0, sealed, a, &text))
		return NULL;
	json_t *j = json_loadb(text.p, text.n, 0, NULL);
	if (json_integer_value(json_object_get(j, "until")) > clock_now())
		return j;
	json_decref(j);
	return NULL;
}

#define FLOW "oidc flow"
#define FINDING "oidc finding"

// Who it is (err OK), or what went wrong, for /oidc/finish to say.
static struct str finding(struct auth *au, int64_t directory, int64_t person, enum err err, const struct problem *p, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 2600); // sealed and as base64 below the 4096 bytes of a cookie
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "until", clock_now() + LIMIT_OIDC_TICKET_S * US_PER_S);
	jw_ki64(&w, "directory", directory);
	jw_ki64(&w, "person", person);
	jw_ki64(&w, "err", err);
	jw_kstr(&w, "zh", str_first(p->zh, 500));
	jw_kstr(&w, "en", str_first(p->en, 500));
	jw_kstr(&w, "hint_zh", str_first(p->hint_zh, 300));
	jw_kstr(&w, "hint_en", str_first(p->hint_en, 300));
	jw_end(&w);
	struct str s = jw_done(&w) ? cookie_of(au, FINDING, &b, a) : STR_EMPTY;
	buf_free(&b);
	return s;
}

static enum err again(struct problem *p, const char *zh, const char *en)
{
	problem_set(p, ERR_UNAUTHENTICATED, "", "%s%.0s", "%.0s%s", zh, en);
	problem_hint(p, "请重新点登录按钮", "press the login button again");
	return ERR_UNAUTHENTICATED;
}

// ---- to the provider ---------------------------------------------------------------------------
static enum err find(struct auth *au, int64_t id, struct directory *ret, struct problem *p)
{
	enum err err = directory_now(au, id, p->arena, ret);
	if (err == ERR_NOT_FOUND || (!err && (!ret->enabled || ret->kind != DIRECTORY_OIDC)))
		return directory_off(p);
	return err;
}

static struct str redirect_of(int64_t id, struct str site_url, struct arena *a)
{
	return arena_printf(a, "%.*s/api/v1/oidc/%lld/callback", STR_FMT(site_url), (long long)id);
}

static struct str challenge_of(struct str verifier, struct arena *a)
{
	uint8_t hash[32];
	if (EVP_Digest(verifier.p, verifier.n, hash, NULL, EVP_sha256(), NULL) != 1)
		return STR_EMPTY;
	return base64url_text(str_from((const char *)hash, sizeof hash), a);
}

static struct str random_word(struct arena *a)
{
	char text[RANDOM];
	random_text(text, sizeof text);
	return arena_str(a, str_from(text, sizeof text));
}

static struct str flow_cookie(struct auth *au, int64_t id, struct str state, struct str nonce, struct str verifier, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "until", clock_now() + LIMIT_OIDC_FLOW_S * US_PER_S);
	jw_ki64(&w, "directory", id);
	jw_kstr(&w, "state", state);
	jw_kstr(&w, "nonce", nonce);
	jw_kstr(&w, "verifier", verifier);
	jw_end(&w);
	struct str s = jw_done(&w) ? cookie_of(au, FLOW, &b, a) : STR_EMPTY;
	buf_free(&b);
	return s;
}

static enum err ready(struct auth *au, int64_t id, struct str site_url, struct str peer, struct directory *d, struct provider *pr,
                      struct problem *p)
{
	if (throttle_blocked(au->throttle, 'p', peer, clock_now()))
		return problem_set(p, ERR_THROTTLED, "", "登录失败次数过多，请一分钟后再试", "too many failed logins; try again in a minute");
	enum err err = find(au, id, d, p);
	if (!err && !fetch_url_ok(site_url))
		err = directory_away(d, "this platform's own address (--url) must be https", p);
	if (!err && d->secret_stale)
		err = directory_away(d, "the address was changed: the secret must be stored again", p);
	return err ? err : load(au, d, pr, p);
}

void auth_oidc_begin(struct auth *au, int64_t id, struct str site_url, struct str peer, struct arena *a, struct str *ret_url,
                     struct str *ret_cookie)
{
	struct problem p;
	struct directory d;
	struct provider pr;
	problem_init(&p, a);
	enum err err = directory_enter(au, &p);
	if (!err) {
		err = ready(au, id, site_url, peer, &d, &pr, &p);
		directory_leave(au);
	}
	if (err) {
		*ret_url = STR_EMPTY;
		*ret_cookie = finding(au, id, 0, err, &p, a);
		return;
	}
	struct str state = random_word(a), nonce = random_word(a), verifier = random_word(a);
	struct str client = url_text(d.client, a), redirect = url_text(redirect_of(id, site_url, a), a), scope = url_text(d.scopes, a),
		   challenge = challenge_of(verifier, a);
	*ret_url = arena_printf(a, "%.*s%cresponse_type=code&client_id=%.*s&redirect_uri=%.*s&scope=%.*s&state=%.*s&nonce=%.*s"
	                           "&code_challenge=%.*s&code_challenge_method=S256", STR_FMT(pr.authorize),
	                        memchr(pr.authorize.p, '?', pr.authorize.n) ? '&' : '?', STR_FMT(client), STR_FMT(redirect),
	                        STR_FMT(scope), STR_FMT(state), STR_FMT(nonce), STR_FMT(challenge));
	*ret_cookie = flow_cookie(au, id, state, nonce, verifier, a);
}

// ---- and back ----------------------------------------------------------------------------------
static bool same(struct str a, struct str b) { return a.n == b.n && a.n && equal_const_time(a.p, b.p, a.n); }

// RFC 6749 section 4.1.3 and RFC 7636 section 4.5.
static enum err exchange(const struct directory *d, const struct provider *pr, struct str code, struct str verifier, struct str redirect,
                         struct arena *a, struct str *ret_token, struct problem *p)
{
	struct str body, why, client = url_text(d->client, a), secret = url_text(d->secret, a), c = url_text(code, a), r = url_text(redirect, a);
	struct fetch f = { .url = pr->token, .ca = d->ca };
	f.form = arena_printf(a, "grant_type=authorization_code&code=%.*s&redirect_uri=%.*s&code_verifier=%.*s", STR_FMT(c), STR_FMT(r),
	                      STR_FMT(verifier));
	if (d->secret.n && !pr->post) {
		f.user = client; // RFC 6749 section 2.3.1: each encoded before they are joined
		f.password = secret;
	} else {
		f.form = arena_printf(a, "%.*s&client_id=%.*s%s%.*s", STR_FMT(f.form), STR_FMT(client), secret.n ? "&client_secret=" : "",
		                      STR_FMT(secret));
	}
	*ret_token = STR_EMPTY;
	if (!fetch_run(&f, a, &body, &why))
		return directory_away(d, arena_printf(a, "token: %.*s", STR_FMT(why)).p, p);
	json_t *j on_scope_exit(json_free) = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	*ret_token = text_in(j, "id_token", a);
	return OK;
}

static enum jwt verify(struct auth *au, const struct directory *d, struct provider *pr, struct str token, struct str nonce,
                       struct arena *a, struct str *ret_login)
{
	struct jws s;
	enum jwt why = jws_read(token, a, &s);
	if (!why)
		why = jws_verify(&s, pr->keys, a);
	if (why == JWT_KEY && load_keys(au, d, pr, a))
		why = jws_verify(&s, pr->keys, a);
	struct jwt_want want = { .issuer = d->url, .client = d->client, .nonce = nonce, .claim = d->claim, .now = clock_now() };
	return why ? why : jwt_claims(s.payload, &want, a, ret_login);
}

// The person with that login name whose record names this directory; 0 = nobody. *ret_known: the one with the name.
static enum err person_of(struct auth *au, struct str login, int64_t directory, struct arena *a, int64_t *ret, int64_t *ret_known)
{
	const struct registry *reg = registry_pin();
	const struct type *t = registry_type(reg, STR("person"));
	struct value name = { .kind = VAL_TEXT, .s = login };
	struct row row;
	struct db *db = store_read_begin(au->store);
	enum err err = t ? records_find(db, &t->table, NULL, STR("login"), name, a, &row) : ERR_UNAVAILABLE;
	*ret_known = err ? 0 : row.c.id;
	*ret = !err && person_directory(reg, &row) == directory ? row.c.id : 0;
	store_read_end(au->store, db);
	registry_unpin(reg);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err failed(struct auth *au, int64_t person, struct str name, struct str peer, struct problem *p)
{
	struct problem unused;
	problem_init(&unused, p->arena);
	enum err err = login_failed_there(au, person, name, peer, &unused);
	return err ? err : p->err;
}

static enum err who_is_it(struct auth *au, const struct directory *d, struct provider *pr, struct str token, struct str nonce,
                          struct str peer, int64_t *ret_person, struct problem *p)
{
	struct str login = STR_EMPTY;
	int64_t named;
	enum jwt why = verify(au, d, pr, token, nonce, p->arena, &login);
	if (why) {
		problem_set(p, ERR_UNAUTHENTICATED, "", "%s%.0s", "%.0s%s", jwt_text(why, true), jwt_text(why, false));
		problem_hint(p, "请重新点登录按钮；一直不行请系统管理员核对登录目录的设置",
		             "press the login button again; if it stays so, an administrator compares the settings of the directory");
		return failed(au, 0, STR_EMPTY, peer, p);
	}
	enum err err = person_of(au, login, d->id, p->arena, ret_person, &named);
	if (err || *ret_person)
		return err;
	struct str shown = str_first(login, 60);
	problem_set(p, ERR_UNAUTHENTICATED, "", "本平台没有登录名为“%.*s”、用此目录登录的人员",
	            "nobody here has the login name \"%.*s\" and logs in by this directory", STR_FMT(shown));
	problem_hint(p, "请系统管理员在“人员”中登记，并选上此登录目录", "an administrator adds the person and chooses this login directory there");
	return failed(au, named, named ? login : STR_EMPTY, peer, p);
}

static enum err came_back(struct auth *au, int64_t id, struct str site_url, const struct oidc_answer *said, struct str cookie,
                          struct str peer, int64_t *ret_person, struct problem *p)
{
	struct arena *a = p->arena;
	struct directory d;
	struct provider pr;
	json_t *flow on_scope_exit(json_free) = cookie_open(au, FLOW, cookie, a);
	if (!flow || json_integer_value(json_object_get(flow, "directory")) != id || !same(text_in(flow, "state", a), said->state))
		return again(p, "这次登录已过期，或不是从这个浏览器开始的", "this login is too old, or was not begun in this browser");
	enum err err = ready(au, id, site_url, peer, &d, &pr, p);
	if (err)
		return err;
	if (said->issuer.n && !str_eq(said->issuer, d.url)) { // RFC 9207
		again(p, "应答来自另一个身份平台", "the answer is of another provider");
		return failed(au, 0, STR_EMPTY, peer, p);
	}
	if (str_is(said->error, "access_denied"))
		return again(p, "身份平台没有同意这次登录", "the provider refused this login");
	if (said->error.n || !said->code.n || said->code.n > 2000)
		return again(p, "身份平台没有完成这次登录", "the provider did not complete this login");
	struct str token;
	err = exchange(&d, &pr, said->code, text_in(flow, "verifier", a), redirect_of(id, site_url, a), a, &token, p);
	if (err == ERR_UNAVAILABLE)
		throttle_fail(au->throttle, 'p', peer, clock_now()); // a code that was made up costs the provider a question
	return err ? err : who_is_it(au, &d, &pr, token, text_in(flow, "nonce", a), peer, ret_person, p);
}

void auth_oidc_callback(struct auth *au, int64_t id, struct str site_url, const struct oidc_answer *said, struct str cookie,
                        struct str peer, struct arena *a, struct str *ret_cookie)
{
	struct problem p;
	int64_t person = 0;
	problem_init(&p, a);
	enum err err = directory_enter(au, &p);
	if (!err) {
		err = came_back(au, id, site_url, said, cookie, peer, &person, &p);
		directory_leave(au);
	}
	*ret_cookie = finding(au, id, person, err, &p, a);
}

// ---- the session -------------------------------------------------------------------------------
// What was found is minutes old: the person is there still, and logs in by this directory still.
static enum err still(struct auth *au, int64_t directory, int64_t person, struct str *ret_login, struct problem *p)
{
	struct row row;
	struct directory d;
	enum err err = find(au, directory, &d, p);
	if (err)
		return err;
	const struct registry *reg = registry_pin();
	struct db *db = store_read_begin(au->store);
	err = person_get(db, reg, person, p->arena, &row);
	bool there = !err && !row.c.retired && person_directory(reg, &row) == directory;
	*ret_login = there ? person_text(reg, &row, "login") : STR_EMPTY;
	store_read_end(au->store, db);
	registry_unpin(reg);
	if (!err && !there)
		err = ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? problem_set(p, ERR_UNAUTHENTICATED, "", "此人已不能用这个目录登录", "this person no longer logs in by this directory") : err;
}

enum err auth_oidc_finish(struct auth *au, struct str cookie, struct str code, struct str peer, char ret_token[33], struct problem *p)
{
	struct arena *a = p->arena;
	json_t *j on_scope_exit(json_free) = cookie_open(au, FINDING, cookie, a);
	if (!j)
		return again(p, "这次登录已过期", "this login is too old");
	int64_t err = json_integer_value(json_object_get(j, "err"));
	if (err) {
		const char *zh = text_in(j, "zh", a).p, *en = text_in(j, "en", a).p;
		problem_set(p, (enum err)err, "", "%s%.0s", "%.0s%s", zh, en);
		problem_hint(p, text_in(j, "hint_zh", a).p, text_in(j, "hint_en", a).p);
		return (enum err)err;
	}
	struct str login;
	int64_t directory = json_integer_value(json_object_get(j, "directory")), person = json_integer_value(json_object_get(j, "person"));
	enum err now = still(au, directory, person, &login, p);
	return now ? now : login_by_directory(au, person, login, directory, code, peer, ret_token, p);
}

// ---- a trial -----------------------------------------------------------------------------------
enum err oidc_try(struct auth *au, const struct directory *d, struct str site_url, struct directory_trial *t, struct problem *p)
{
	struct provider pr;
	if (d->secret_stale)
		return directory_away(d, "the address was changed: the secret must be stored again", p);
	if (!trial_step(t, "site", fetch_url_ok(site_url), "本平台地址 %.*s（启动参数 --url，须为 https，本机除外）",
	                "the address of this platform, %.*s (option --url; https unless on this machine)", STR_FMT(site_url)))
		return OK;
	enum err err = load(au, d, &pr, p);
	if (err)
		return err;
	trial_step(t, "description", true, "身份平台的说明已读到：%.*s", "the provider's description was read: %.*s", STR_FMT(d->url));
	size_t n = jwks_usable(pr.keys);
	trial_step(t, "keys", n > 0, "可用的公钥（RS256、ES256）%zu 把", "keys that can be used (RS256, ES256): %zu", n);
	trial_step(t, "secret", true, d->secret.n ? "客户端密钥已存%s" : "没有存客户端密钥（公开客户端）%s", d->secret.n ? "a client secret is stored%s" :
	           "no client secret is stored (public client)%s", "");
	struct str redirect = redirect_of(d->id, site_url, p->arena);
	trial_step(t, "redirect", true, "请在身份平台登记回调地址：%.*s", "register this redirect address at the provider: %.*s", STR_FMT(redirect));
	return OK;
}
