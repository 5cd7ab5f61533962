// Passwords checked by an LDAP directory (RFC 4511), by libldap: find the DN with a read-only account, then bind as the
// person; or bind by a template. One connection a check, closed at its end. Any thread; waits for the network.
//
// A simple bind with a name and no password, or without a name, succeeds without proving anything (RFC 4513 5.1.1, 5.1.2):
// neither is ever sent. Referrals are not followed: the password would go along.
#include <fcntl.h>
#include <ldap.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "auth/directory.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
#define NAME_MAX_BYTES 200

// ---- texts -------------------------------------------------------------------------------------
static struct str escaped(struct str s, struct arena *a, bool (*special)(struct str s, size_t i))
{
	struct buf b;
	buf_init(&b, s.n * 3 + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (special(s, i))
			buf_printf(&b, "\\%02x", (unsigned)(uint8_t)s.p[i]);
		else
			buf_add_u8(&b, (uint8_t)s.p[i]);
	}
	struct str r = arena_str(a, buf_str(&b));
	buf_free(&b);
	return r;
}

static bool filter_special(struct str s, size_t i)
{
	return s.p[i] == '*' || s.p[i] == '(' || s.p[i] == ')' || s.p[i] == '\\' || s.p[i] == 0;
}

static bool dn_special(struct str s, size_t i)
{
	bool edge = (i == 0 && (s.p[i] == ' ' || s.p[i] == '#')) || (i == s.n - 1 && s.p[i] == ' ');
	return edge || s.p[i] == 0 || strchr("\"+,;<>\\=", s.p[i]) != NULL;
}

struct str ldap_filter_text(struct str s, struct arena *a) { return escaped(s, a, filter_special); }
struct str ldap_dn_text(struct str s, struct arena *a) { return escaped(s, a, dn_special); }

static bool principal_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
	       (uint8_t)c >= 0x80;
}

bool ldap_bind_name(struct str template, struct str name, struct arena *a, struct str *ret)
{
	const struct str mark = STR("{name}");
	size_t at = 0;
	while (at + mark.n <= template.n && !str_eq(str_from(template.p + at, mark.n), mark))
		at++;
	if (at + mark.n > template.n || !name.n)
		return false;
	bool dn = memchr(template.p, '=', template.n) != NULL;
	for (size_t i = 0; !dn && i < name.n; i++)
		if (!principal_char(name.p[i]))
			return false;
	struct str put = dn ? ldap_dn_text(name, a) : name, tail = str_skip(template, at + mark.n);
	*ret = arena_printf(a, "%.*s%.*s%.*s", (int)at, template.p, STR_FMT(put), STR_FMT(tail));
	return true;
}

// ---- addresses ---------------------------------------------------------------------------------
static enum err url_check(const char *url, bool plain, struct problem *p)
{
	LDAPURLDesc *u = NULL;
	bool form = ldap_url_parse(url, &u) == LDAP_URL_SUCCESS && u->lud_host && *u->lud_host && (!u->lud_dn || !*u->lud_dn) &&
	            !u->lud_filter && !u->lud_attrs && !u->lud_exts;
	bool scheme = form && (strcmp(u->lud_scheme, "ldap") == 0 || strcmp(u->lud_scheme, "ldaps") == 0);
	bool near = form && host_is_loopback(str_of(u->lud_host));
	ldap_free_urldesc(u);
	if (!scheme)
		return problem_set(p, ERR_INVALID, "url", "地址 %s 不对：应为 ldaps://主机[:端口] 或 ldap://主机[:端口]",
		                   "the address %s is wrong: it is ldaps://host[:port] or ldap://host[:port]", url);
	if (plain && !near)
		return problem_set(p, ERR_INVALID, "plain", "地址 %s 不在本机，不能不加密：口令会在网上明文传输",
		                   "%s is not this machine, so it cannot be unencrypted: passwords would cross the network", url);
	return OK;
}

enum err ldap_urls_check(struct str urls, bool plain, struct problem *p)
{
	size_t n = 0;
	for (struct str rest = urls; rest.n;) {
		struct str one = str_cut(&rest, ' ');
		if (!one.n)
			continue;
		n++;
		enum err err = url_check(arena_cstr(p->arena, one), plain, p);
		if (err)
			return err;
	}
	return n ? OK : problem_set(p, ERR_INVALID, "url", "没有填写地址", "there is no address");
}

// ---- the connection ----------------------------------------------------------------------------
// libldap's TLS handshake (GnuTLS) has no end of its own when the other side says nothing, and with a network timeout it spins:
// the handshake is made blocking, and a thread ends the connection when the time is up.
struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	struct timespec until;  // CLOCK_MONOTONIC
	int fd;                 // of the connection there is now, -1 = none
	bool over;
	struct ldap_conncb cb;
};

struct link {
	const struct directory *d;
	LDAP *ld;
	struct watch w;
	int64_t until;          // clock_mono
	struct directory_trial *t;
	struct arena *a;
	struct problem *p;
};

static int on_connected(LDAP *ld, Sockbuf *sb, LDAPURLDesc *srv, struct sockaddr *addr, struct ldap_conncb *cb)
{
	(void)srv, (void)addr;
	struct watch *w = cb->lc_arg;
	ber_socket_t fd = -1;
	ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &fd);
	ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, NULL); // it was for connecting
	pthread_mutex_lock(&w->lock);
	w->fd = fd;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static void on_closing(LDAP *ld, Sockbuf *sb, struct ldap_conncb *cb)
{
	(void)ld, (void)sb;
	struct watch *w = cb->lc_arg;
	pthread_mutex_lock(&w->lock);
	w->fd = -1;
	pthread_mutex_unlock(&w->lock);
}

static void *watch_thread(void *arg)
{
	struct watch *w = arg;
	bool late = false;
	pthread_mutex_lock(&w->lock);
	while (!w->over) {
		if (!late)
			late = pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &w->until) != 0;
		else
			pthread_cond_wait(&w->changed, &w->lock);
		if (late && w->fd >= 0)
			shutdown(w->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static bool watch_begin(struct watch *w)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->fd = -1;
	w->cb = (struct ldap_conncb){ .lc_add = on_connected, .lc_del = on_closing, .lc_arg = w };
	clock_gettime(CLOCK_MONOTONIC, &w->until);
	w->until.tv_sec += LIMIT_DIRECTORY_SECONDS;
	return pthread_create(&w->thread, NULL, watch_thread, w) == 0;
}

static void watch_end(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->over = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

// Every wait ends with the whole.
static struct timeval hurry(struct link *l)
{
	int64_t left = MAX(l->until - clock_mono(), 10 * US_PER_MS);
	struct timeval tv = { .tv_sec = left / US_PER_S, .tv_usec = left % US_PER_S };
	ldap_set_option(l->ld, LDAP_OPT_TIMEOUT, &tv);
	return tv;
}

static enum err away(struct link *l, int rc)
{
	char *more = NULL;
	ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	struct str why = arena_printf(l->a, "%s%s%s", ldap_err2string(rc), more && *more ? ": " : "", more && *more ? more : "");
	ldap_memfree(more);
	return directory_away(l->d, arena_cstr(l->a, str_first(why, 300)), l->p);
}

// The certificate authority as text becomes a file that only this process sees: libldap takes nothing else.
static bool tls_authority(struct link *l)
{
	if (!l->d->ca.n)
		return ldap_set_option(l->ld, LDAP_OPT_X_TLS_CACERTFILE, SYSTEM_CA) == LDAP_OPT_SUCCESS;
	int fd = memfd_create("ca", MFD_CLOEXEC), client = 0;
	bool ok = fd >= 0 && write(fd, l->d->ca.p, l->d->ca.n) == (ssize_t)l->d->ca.n;
	struct str path = arena_printf(l->a, "/proc/self/fd/%d", fd);
	ok = ok && ldap_set_option(l->ld, LDAP_OPT_X_TLS_CACERTFILE, path.p) == LDAP_OPT_SUCCESS &&
	     ldap_set_option(l->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS; // reads the file
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool tls_prepare(struct link *l)
{
	int demand = LDAP_OPT_X_TLS_DEMAND, min = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
	return ldap_set_option(l->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(l->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &min) == LDAP_OPT_SUCCESS && tls_authority(l) &&
	       (l->d->ca.n || ldap_set_option(l->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS);
}

static enum err link_open(struct link *l)
{
	int version = LDAP_VERSION3;
	int rc = ldap_initialize(&l->ld, arena_cstr(l->a, l->d->url));
	if (rc != LDAP_SUCCESS)
		return directory_away(l->d, ldap_err2string(rc), l->p);
	ldap_set_option(l->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(l->ld, LDAP_OPT_CONNECT_CB, &l->w.cb);
	ldap_set_option(l->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	ldap_set_option(l->ld, LDAP_OPT_RESTART, LDAP_OPT_OFF);
	struct timeval tv = hurry(l);
	ldap_set_option(l->ld, LDAP_OPT_NETWORK_TIMEOUT, &tv);
	if (l->d->plain)
		return OK;
	if (!tls_prepare(l))
		return directory_away(l->d, "TLS does not start: is the certificate authority PEM?", l->p);
	if (str_starts(l->d->url, STR("ldaps://")))
		return OK;
	rc = ldap_start_tls_s(l->ld, NULL, NULL);
	return rc == LDAP_SUCCESS ? OK : away(l, rc);
}

// ret_rc: LDAP_SUCCESS or LDAP_INVALID_CREDENTIALS; anything else is ERR_UNAVAILABLE.
static enum err bind_as(struct link *l, struct str dn, struct str password, int *ret_rc)
{
	*ret_rc = LDAP_INVALID_CREDENTIALS;
	if (!dn.n || !password.n)
		return OK;
	struct berval cred = { .bv_len = password.n, .bv_val = (char *)(uintptr_t)password.p };
	hurry(l);
	int rc = ldap_sasl_bind_s(l->ld, arena_cstr(l->a, dn), LDAP_SASL_SIMPLE, &cred, NULL, NULL, NULL);
	// an account that is not there, or may not log in, is a wrong login too
	bool refused = rc == LDAP_INVALID_CREDENTIALS || rc == LDAP_NO_SUCH_OBJECT || rc == LDAP_INVALID_DN_SYNTAX ||
	               rc == LDAP_INSUFFICIENT_ACCESS || rc == LDAP_INAPPROPRIATE_AUTH || rc == LDAP_UNWILLING_TO_PERFORM ||
	               rc == LDAP_CONSTRAINT_VIOLATION;
	if (rc != LDAP_SUCCESS && !refused)
		return away(l, rc);
	*ret_rc = rc == LDAP_SUCCESS ? rc : LDAP_INVALID_CREDENTIALS;
	return OK;
}

// ---- finding -----------------------------------------------------------------------------------
static enum err account_login(struct link *l)
{
	int rc;
	enum err err = bind_as(l, l->d->account, l->d->secret, &rc);
	if (err)
		return err;
	if (!trial_step(l->t, "account", rc == LDAP_SUCCESS, "查找账号 %.*s 登录", "the account for searching, %.*s, logs in",
	                STR_FMT(l->d->account)))
		return directory_away(l->d, l->d->secret_stale ? "the address was changed: the secret of the account must be stored again" :
		                            "the account for searching is refused: is its secret stored?", l->p);
	return OK;
}

// The DN of the one entry with that login name; empty if there is none or more than one.
static enum err find_dn(struct link *l, struct str name, struct str *ret)
{
	const struct directory *d = l->d;
	struct str value = ldap_filter_text(name, l->a);
	struct str filter = arena_printf(l->a, "(&%.*s(%.*s=%.*s))", STR_FMT(d->filter), STR_FMT(d->attribute), STR_FMT(value));
	char *none[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL };
	LDAPMessage *found = NULL;
	struct timeval tv = hurry(l);
	int rc = ldap_search_ext_s(l->ld, arena_cstr(l->a, d->base), LDAP_SCOPE_SUBTREE, filter.p, none, 0, NULL, NULL, &tv, 2, &found);
	int n = rc == LDAP_SUCCESS || rc == LDAP_PARTIAL_RESULTS || rc == LDAP_SIZELIMIT_EXCEEDED ? ldap_count_entries(l->ld, found) : -1;
	*ret = STR_EMPTY;
	if (n == 1 && rc != LDAP_SIZELIMIT_EXCEEDED) {
		char *dn = ldap_get_dn(l->ld, ldap_first_entry(l->ld, found));
		*ret = arena_str(l->a, str_of(dn));
		ldap_memfree(dn);
	}
	ldap_msgfree(found);
	if (n < 0)
		return away(l, rc);
	trial_step(l->t, "search", ret->n != 0, n == 0 ? "没有找到 %.*s：查看起点、属性和附加条件" : n > 1 ? "%.*s 不止一个：附加条件要写窄" : "找到 %.*s",
	           n == 0 ? "%.*s was not found: look at base, attribute and condition" : n > 1 ? "there is more than one %.*s: narrow the condition" :
	           "%.*s was found", STR_FMT(name));
	return OK;
}

static enum err name_to_bind(struct link *l, struct str name, struct str *ret)
{
	if (l->d->account.n) {
		enum err err = account_login(l);
		return err ? err : find_dn(l, name, ret);
	}
	if (ldap_bind_name(l->d->template, name, l->a, ret))
		return OK;
	*ret = STR_EMPTY;
	trial_step(l->t, "search", false, "模板里没有 {name}，或登录名里有不能用的字符：%.*s",
	           "the template has no {name}, or the login name has a character that cannot be used: %.*s", STR_FMT(name));
	return OK;
}

// ------------------------------------------------------------------------------------------------
static enum err check_over(struct link *l, struct str name, struct str password, bool *ret_ok)
{
	struct str dn = STR_EMPTY;
	int rc = LDAP_INVALID_CREDENTIALS;
	enum err err = link_open(l);
	if (!err)
		err = name_to_bind(l, name, &dn);
	if (!err && dn.n && password.n) {
		err = bind_as(l, dn, password, &rc);
		if (!err)
			trial_step(l->t, "password", rc == LDAP_SUCCESS, rc == LDAP_SUCCESS ? "口令正确：%.*s" : "口令不对，或账号停用：%.*s",
			           rc == LDAP_SUCCESS ? "the password is right: %.*s" : "the password is wrong, or the account is disabled: %.*s", STR_FMT(dn));
	}
	*ret_ok = !err && rc == LDAP_SUCCESS;
	return err;
}

enum err ldap_check(const struct directory *d, struct str name, struct str password, struct directory_trial *t,
                    struct arena *a, bool *ret_ok, struct problem *p)
{
	*ret_ok = false;
	enum err err = ldap_urls_check(d->url, d->plain, p);
	if (err)
		return err;
	trial_step(t, "settings", true, "地址和加密方式可以", "address and encryption are fine");
	if (!name.n || name.n > NAME_MAX_BYTES || memchr(name.p, 0, name.n) || (!password.n && !t) ||
	    memchr(password.p, 0, password.n))
		return OK;
	struct link l = { .d = d, .t = t, .a = a, .p = p, .until = clock_mono() + LIMIT_DIRECTORY_SECONDS * US_PER_S };
	if (!watch_begin(&l.w))
		return directory_away(d, "no thread can be started", p);
	err = check_over(&l, name, password, ret_ok);
	if (l.ld)
		ldap_unbind_ext_s(l.ld, NULL, NULL);
	watch_end(&l.w);
	return err;
}
