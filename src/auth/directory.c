// Login directories: what their records say, their secrets, and the trial an administrator makes. Any thread.
#include <arpa/inet.h>
#include <stdarg.h>

#include "auth/auth_int.h"
#include "auth/directory.h"
#include "auth/oidc.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"
#include "model/held.h"

// ---- the record --------------------------------------------------------------------------------
static struct str text(const struct type *t, const struct row *row, const char *field)
{
	return str_trim(held_text(t, row, field));
}

static bool flag(const struct type *t, const struct row *row, const char *field)
{
	const struct value *v = held(t, row, field);
	return v->kind == VAL_INT && v->i != 0;
}

static void fill(struct directory *d, const struct type *t, const struct row *r)
{
	*d = (struct directory){ .id = r->c.id,
		                 .kind = str_is(text(t, r, "kind"), "oidc") ? DIRECTORY_OIDC : DIRECTORY_LDAP,
		                 .enabled = flag(t, r, "enabled"),
		                 .plain = flag(t, r, "plain"),
		                 .name = r->c.title,
		                 .url = text(t, r, "url"),
		                 .ca = text(t, r, "ca"),
		                 .account = text(t, r, "account"),
		                 .base = text(t, r, "base"),
		                 .attribute = text(t, r, "attribute"),
		                 .filter = text(t, r, "filter"),
		                 .template = text(t, r, "template"),
		                 .client = text(t, r, "client"),
		                 .claim = text(t, r, "claim"),
		                 .scopes = text(t, r, "scopes"),
		                 .secret = STR_EMPTY };
	if (!d->attribute.n)
		d->attribute = STR("uid");
	if (!d->claim.n)
		d->claim = STR("preferred_username");
	if (!d->scopes.n)
		d->scopes = STR("openid profile");
}

// A stored secret goes to the address it was typed for and to no other.
static const char *seal_name(const struct directory *d, struct arena *a)
{
	return arena_printf(a, "directory %.*s", STR_FMT(d->url)).p;
}

static enum err secret_read(struct db *db, const struct auth *au, struct directory *d, struct arena *a)
{
	struct query q;
	struct str sealed = STR_EMPTY;
	query_begin(&q, db, STMT_DIRECTORY_SECRET);
	query_i64(&q, 1, d->id);
	if (query_row(&q))
		sealed = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	d->secret_stale = !err && sealed.n && auth_unseal(au, seal_name(d, a), d->id, sealed, a, &d->secret);
	return err;
}

enum err directory_read(struct db *db, const struct registry *reg, const struct auth *au, int64_t id, struct arena *a,
                        struct directory *ret)
{
	const struct type *t = registry_type(reg, STR("directory"));
	struct row row;
	enum err err = t ? records_get(db, &t->table, NULL, id, a, &row) : ERR_NOT_FOUND;
	if (!err && row.c.retired)
		err = ERR_NOT_FOUND;
	if (err)
		return err;
	fill(ret, t, &row);
	return secret_read(db, au, ret, a);
}

enum err directory_now(struct auth *au, int64_t id, struct arena *a, struct directory *ret)
{
	const struct registry *reg = registry_pin();
	struct db *db = store_read_begin(au->store);
	enum err err = directory_read(db, reg, au, id, a, ret);
	store_read_end(au->store, db);
	registry_unpin(reg);
	return err;
}

enum err directory_off(struct problem *p)
{
	problem_set(p, ERR_UNAVAILABLE, "", "登录目录已停用", "the login directory is switched off");
	problem_hint(p, "请联系系统管理员", "ask the administrator");
	return ERR_UNAVAILABLE;
}

enum err auth_login_ways(struct auth *au, struct arena *a, struct login_way **ret, size_t *ret_n)
{
	const struct registry *reg = registry_pin();
	const struct type *t = registry_type(reg, STR("directory"));
	struct list_query lq = { .limit = LIMIT_CHANNELS };
	struct row *rows = NULL;
	size_t n = 0, cap = 0;
	struct db *db = store_read_begin(au->store);
	enum err err = t ? records_list(db, &t->table, NULL, &lq, a, &rows, &n, NULL, NULL) : OK;
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; !err && i < n; i++) {
		struct directory d;
		fill(&d, t, &rows[i]);
		if (d.kind != DIRECTORY_OIDC || !d.enabled)
			continue;
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct login_way){ d.id, d.name };
	}
	store_read_end(au->store, db);
	registry_unpin(reg);
	return err;
}

// ---- limits and answers ------------------------------------------------------------------------
enum err directory_enter(struct auth *au, struct problem *p)
{
	if (au->directory_busy++ < LIMIT_DIRECTORY_BUSY)
		return OK;
	au->directory_busy--;
	problem_set(p, ERR_UNAVAILABLE, "", "正在等登录目录回答的人太多", "too many logins wait for the directory");
	problem_hint(p, "请几秒后再试", "try again in a few seconds");
	return ERR_UNAVAILABLE;
}

void directory_leave(struct auth *au) { au->directory_busy--; }

bool host_is_loopback(struct str host)
{
	char text_of[64];
	struct in_addr v4;
	struct in6_addr v6;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_from(host.p + 1, host.n - 2);
	if (host.n >= sizeof text_of)
		return false;
	memcpy(text_of, host.p, host.n);
	text_of[host.n] = 0;
	if (inet_pton(AF_INET, text_of, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, text_of, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return str_eq_nocase(host, STR("localhost"));
}

enum err directory_away(const struct directory *d, const char *why, struct problem *p)
{
	problem_set(p, ERR_UNAVAILABLE, "", "登录目录“%.*s”用不了（%s）", "the login directory \"%.*s\" cannot be used (%s)",
	            STR_FMT(d->name), why);
	problem_hint(p, "请稍后再试；一直不行，请系统管理员用平台口令登录，在“登录目录”中试一下连接",
	             "try again later; if it stays so, an administrator logs in with the password kept here and tries the connection under "
	             "login directories");
	return ERR_UNAVAILABLE;
}

bool trial_step(struct directory_trial *t, const char *name, bool ok, const char *zh, const char *en, ...)
{
	if (!t || t->n == ARRAY_LEN(t->v))
		return ok;
	va_list ap;
	va_start(ap, en);
	t->v[t->n] = (struct directory_step){ .name = name, .ok = ok, .zh = arena_vprintf(t->a, zh, ap) };
	va_end(ap);
	va_start(ap, en);
	t->v[t->n++].en = arena_vprintf(t->a, en, ap);
	va_end(ap);
	return ok;
}

// ---- the administrator's -----------------------------------------------------------------------
struct directory_job {
	const struct identity *by;
	int64_t id;
	struct str sealed;
	const char *action;
};

static enum err job_note(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	const struct directory_job *j = arg;
	enum err err = OK;
	if (j->sealed.n) {
		struct query q;
		query_begin(&q, db, STMT_DIRECTORY_SECRET_SET);
		query_i64(&q, 1, j->id);
		query_blob(&q, 2, j->sealed);
		err = query_run(&q);
	}
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = j->by->person, .actor_name = j->by->name,
		                         .action = str_of(j->action), .type = STR("directory"), .record = j->id,
		                         .detail = peer_detail(j->by->peer, db_arena(db)) });
}

static enum err read_for(struct auth *au, int64_t id, struct directory *ret, struct problem *p)
{
	enum err err = directory_now(au, id, p->arena, ret);
	return err == ERR_NOT_FOUND ? problem_set(p, err, "id", "没有这个登录目录", "there is no such login directory") : err;
}

enum err auth_directory_secret(struct auth *au, const struct identity *by, int64_t id, struct str secret, struct problem *p)
{
	struct directory d;
	struct directory_job j = { .by = by, .id = id, .action = "directory.secret" };
	if (!secret.n || secret.n > LIMIT_SECRET)
		return problem_set(p, ERR_INVALID, "secret", "口令空着或太长", "the secret is empty or too long");
	enum err err = read_for(au, id, &d, p);
	if (!err)
		err = auth_seal(au, seal_name(&d, p->arena), id, secret, p->arena, &j.sealed);
	return err ? err : store_write(au->store, job_note, &j, p);
}

static enum err try_ldap(struct auth *au, const struct identity *by, const struct directory *d, struct str name,
                         struct str password, struct directory_trial *t, struct problem *p)
{
	int64_t now = clock_now();
	bool ok;
	if (password.n && (throttle_blocked(au->throttle, 'n', name, now) || throttle_blocked(au->throttle, 's', by->name, now)))
		return problem_set(p, ERR_THROTTLED, "", "口令错误次数过多，请一分钟后再试", "too many wrong passwords; try again in a minute");
	enum err err = ldap_check(d, name, password, t, p->arena, &ok, p);
	if (!err && password.n && !ok) {
		throttle_fail(au->throttle, 'n', name, now);
		throttle_fail(au->throttle, 's', by->name, now);
	}
	return err;
}

enum err auth_directory_test(struct auth *au, const struct identity *by, int64_t id, struct str name, struct str password,
                             struct str site_url, struct directory_trial *t, struct problem *p)
{
	struct directory d;
	struct directory_job j = { .by = by, .id = id, .action = "directory.test" };
	enum err err = read_for(au, id, &d, p);
	if (!err && d.kind == DIRECTORY_LDAP && !name.n)
		err = problem_set(p, ERR_INVALID, "name", "请输入一个登录名", "enter a login name");
	if (!err)
		err = store_write(au->store, job_note, &j, p);
	if (!err)
		err = directory_enter(au, p);
	if (err)
		return err;
	err = d.kind == DIRECTORY_LDAP ? try_ldap(au, by, &d, name, password, t, p) : oidc_try(au, &d, site_url, t, p);
	directory_leave(au);
	if (err != ERR_UNAVAILABLE && err != ERR_INVALID)
		return err;
	if (t->n < ARRAY_LEN(t->v)) // what stopped it is the last step
		t->v[t->n++] = (struct directory_step){ "stopped", false, p->zh, p->en };
	return OK;
}
