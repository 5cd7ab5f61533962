// Transfers by libcurl: SMTP and HTTP(S), several at once, in the notify thread. Nothing here knows the database.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/jr.h"
#include "base/log.h"
#include "notify/notify_int.h"

struct transfer {
	struct outgoing *o;
	CURL *easy;             // NULL: free, or ended before it began
	struct curl_slist *lists[2]; // header lines, recipients
	size_t sent;            // SMTP: bytes of the body given
	struct buf answer;
	char error[CURL_ERROR_SIZE];
	struct outcome out;
	bool used, done;
	bool nowhere;           // the name led to an address that nothing of ours listens at
};

struct sender {
	CURLM *multi;
	struct transfer v[LIMIT_MESSAGE_TRANSFERS];
	size_t busy;
};

struct sender *sender_new(void)
{
	struct sender *s = mem_alloc(sizeof *s);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(s->multi = curl_multi_init()))
		log_die("notify", "libcurl does not start");
	return s;
}

static void transfer_end(struct sender *s, struct transfer *t)
{
	if (t->easy) {
		curl_multi_remove_handle(s->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	for (size_t i = 0; i < ARRAY_LEN(t->lists); i++)
		curl_slist_free_all(t->lists[i]);
	buf_free(&t->answer);
	*t = (struct transfer){ 0 };
	s->busy--;
}

void sender_free(struct sender *s)
{
	for (size_t i = 0; i < LIMIT_MESSAGE_TRANSFERS; i++)
		if (s->v[i].used) {
			struct arena *a = s->v[i].o->arena;
			transfer_end(s, &s->v[i]);
			arena_free(a);
		}
	curl_multi_cleanup(s->multi);
	mem_free(s);
}

bool sender_room(const struct sender *s) { return s->busy < LIMIT_MESSAGE_TRANSFERS; }
size_t sender_busy(const struct sender *s) { return s->busy; }
void sender_wake(struct sender *s) { curl_multi_wakeup(s->multi); }

// ---- one transfer ------------------------------------------------------------------------------
static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t room = LIMIT_MESSAGE_ANSWER - MIN(t->answer.n, (size_t)LIMIT_MESSAGE_ANSWER);
	buf_add(&t->answer, p, MIN(size * n, room));
	return size * n;
}

static size_t on_upload(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t give = MIN(size * n, t->o->body.n - t->sent);
	memcpy(p, t->o->body.p + t->sent, give);
	t->sent += give;
	return give;
}

static void refuse(struct transfer *t, const char *why)
{
	t->out.error = str_of(why);
	t->out.final = true;
	t->done = true;
}

static void add_line(struct transfer *t, int list, struct str line)
{
	t->lists[list] = curl_slist_append(t->lists[list], arena_cstr(t->o->arena, line));
}

// Link-local is where clouds keep the keys of their machines; unspecified is ourselves, multicast and broadcast are everybody.
static bool is_nowhere(const struct sockaddr *a)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	uint32_t four = a->sa_family == AF_INET ? ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) : 1;
	if (a->sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(six))
		return IN6_IS_ADDR_LINKLOCAL(six) || IN6_IS_ADDR_MULTICAST(six) || IN6_IS_ADDR_UNSPECIFIED(six);
	if (a->sa_family == AF_INET6)
		four = (uint32_t)six->s6_addr[12] << 24 | (uint32_t)six->s6_addr[13] << 16 | (uint32_t)six->s6_addr[14] << 8 | six->s6_addr[15];
	return four >> 16 == 0xa9fe || four >> 28 >= 0xe || four >> 24 == 0;
}

// libcurl asks for the socket. The address itself is looked at, after its name was looked up: a name that leads elsewhere the
// second time gains nothing.
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	(void)purpose;
	t->nowhere = is_nowhere(&a->addr);
	return t->nowhere ? CURL_SOCKET_BAD : socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static bool is_smtp(struct str url) { return str_starts(url, STR("smtp://")) || str_starts(url, STR("smtps://")); }

static void prepare_mail(struct transfer *t)
{
	const struct channel *ch = &t->o->ch;
	struct arena *a = t->o->arena;
	add_line(t, 1, arena_printf(a, "<%.*s>", STR_FMT(t->o->to)));
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(t->easy, CURLOPT_USE_SSL, (long)(str_is(ch->tls, "none") ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(t->easy, CURLOPT_MAIL_FROM, arena_printf(a, "<%.*s>", STR_FMT(ch->from)).p);
	curl_easy_setopt(t->easy, CURLOPT_MAIL_RCPT, t->lists[1]);
	curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
	if (ch->user.n) {
		curl_easy_setopt(t->easy, CURLOPT_USERNAME, arena_cstr(a, ch->user));
		curl_easy_setopt(t->easy, CURLOPT_PASSWORD, arena_cstr(a, ch->secret));
	}
}

static void prepare_post(struct transfer *t)
{
	const struct channel *ch = &t->o->ch;
	struct arena *a = t->o->arena;
	char at[24];
	struct str time = str_from(at, (size_t)snprintf(at, sizeof at, "%lld", (long long)(clock_now() / US_PER_S)));
	add_line(t, 0, STR("Content-Type: application/json; charset=utf-8"));
	add_line(t, 0, STR("Expect:"));
	add_line(t, 0, arena_printf(a, "X-Anlan-Message: %.*s", STR_FMT(t->o->mid)));
	add_line(t, 0, arena_printf(a, "X-Anlan-Time: %.*s", STR_FMT(time)));
	if (ch->secret.n)
		add_line(t, 0, arena_printf(a, "X-Anlan-Signature: %s", notify_sign(ch->secret, time, t->o->body, a).p));
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lists[0]);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)t->o->body.n);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->o->body.p);
}

static void prepare(struct transfer *t, bool mail)
{
	struct str url = t->o->ch.url;
	curl_easy_setopt(t->easy, CURLOPT_URL, arena_cstr(t->o->arena, url));
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT, (long)LIMIT_MESSAGE_SECONDS);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	if (mail)
		prepare_mail(t);
	else
		prepare_post(t);
}

void sender_start(struct sender *s, struct outgoing *o)
{
	size_t i = 0;
	while (s->v[i].used)
		i++;
	struct transfer *t = &s->v[i];
	*t = (struct transfer){ .o = o, .used = true };
	t->out = (struct outcome){ .id = o->id, .tries = o->tries, .ch = o->ch };
	buf_init(&t->answer, LIMIT_MESSAGE_ANSWER);
	s->busy++;
	bool mail = str_is(o->ch.kind, "mail") && str_is(o->ch.via, VIA_CHANNEL);
	if (mail ? !is_smtp(o->ch.url) : !str_starts(o->ch.url, STR("http://")) && !str_starts(o->ch.url, STR("https://"))) {
		refuse(t, "the address of the channel has another form (smtp:// smtps:// for mail, http:// https:// for the rest)");
		return;
	}
	if (!o->body.n) {
		refuse(t, "the message is empty or too long");
		return;
	}
	t->easy = curl_easy_init();
	if (!t->easy) {
		refuse(t, "libcurl gives no handle");
		return;
	}
	prepare(t, mail);
	curl_multi_add_handle(s->multi, t->easy);
}

// ---- what came of it ---------------------------------------------------------------------------
// A top-level value of the answer, as text.
static struct str answer_value(struct transfer *t, struct str key)
{
	struct jr r;
	struct str k, found = STR_EMPTY;
	jr_init(&r, buf_str(&t->answer), t->o->arena);
	if (jr_peek(&r) != JR_OBJECT)
		return STR_EMPTY;
	for (jr_obj(&r); jr_key(&r, &k);) {
		bool wanted = str_eq(k, key);
		struct str v = jr_peek(&r) == JR_STRING ? jr_str(&r) : jr_skip(&r);
		if (wanted)
			found = arena_str(t->o->arena, str_first(v, 120));
	}
	return found;
}

static void judge_http(struct transfer *t)
{
	long status = 0;
	curl_off_t wait = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
	struct str want = t->o->ch.success, key = str_cut(&want, '=');
	struct outcome *out = &t->out;
	out->ok = status >= 200 && status < 300;
	if (!out->ok) {
		out->error = arena_printf(t->o->arena, "HTTP %ld", status);
		out->final = status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
		out->after_s = wait;
	} else if (key.n && !str_eq(answer_value(t, key), want)) {
		out->ok = false;
		struct str said = answer_value(t, key);
		out->error = arena_printf(t->o->arena, "%.*s=%.*s", STR_FMT(key), STR_FMT(said));
	}
	out->receipt = answer_value(t, t->o->ch.receipt.n ? t->o->ch.receipt : STR("id"));
}

static void judge(struct transfer *t, CURLcode code)
{
	long status = 0;
	bool mail = is_smtp(t->o->ch.url);
	if (code == CURLE_OK && !mail) {
		judge_http(t);
		return;
	}
	t->out.ok = code == CURLE_OK;
	if (t->out.ok)
		return;
	if (t->nowhere) {
		t->out.final = true;
		t->out.error = STR("the address is link-local, multicast or none");
		return;
	}
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	// 5xx of SMTP is for good (RFC 5321 4.2.1), but a refused login may be put right by the administrator
	t->out.final = mail && status >= 550 && status <= 559 && code != CURLE_LOGIN_DENIED;
	t->out.error = arena_printf(t->o->arena, "%s", t->error[0] ? t->error : curl_easy_strerror(code));
}

void sender_wait(struct sender *s, int ms)
{
	int running, left;
	for (size_t i = 0; i < LIMIT_MESSAGE_TRANSFERS; i++)
		if (s->v[i].done)
			ms = 0;
	curl_multi_perform(s->multi, &running);
	curl_multi_poll(s->multi, NULL, 0, ms, NULL);
	curl_multi_perform(s->multi, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &left)) != NULL;) {
		struct transfer *t = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		judge(t, m->data.result);
		t->done = true;
	}
}

struct outgoing *sender_done(struct sender *s, struct outcome *ret)
{
	for (size_t i = 0; i < LIMIT_MESSAGE_TRANSFERS; i++)
		if (s->v[i].done) {
			struct outgoing *o = s->v[i].o;
			*ret = s->v[i].out;
			transfer_end(s, &s->v[i]);
			return o;
		}
	return NULL;
}
