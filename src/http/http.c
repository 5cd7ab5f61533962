// Owns the MHD daemon and the life of a request. One struct exchange per request, in its own arena.
#include "http/http.h"

#include <inttypes.h>
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "http/http_int.h"

struct exchange { // one request from its first header to the last byte of the answer
	struct work work;   // the answering of it, while its connection is suspended
	struct arena *arena;
	struct buf body;
	struct http_plan plan;
	bool too_large, no_room;
	size_t counted;     // bytes of the body that are counted in bodies
	bool started, answered;
	struct http *h;
	struct MHD_Connection *conn;
	const char *url, *method;
	struct MHD_Response *response; // ready to be sent, or stream is
	unsigned status;
	struct http_stream *stream;
};

static const char *const security_headers[][2] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" },
	{ "Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
				     "font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'self'" },
};

void http_add_security(struct MHD_Response *r, const char *csp)
{
	for (size_t i = 0; i < ARRAY_LEN(security_headers); i++) {
		bool own = csp && strcmp(security_headers[i][0], "Content-Security-Policy") == 0;
		MHD_add_response_header(r, security_headers[i][0], own ? csp : security_headers[i][1]);
	}
}

// Bytes of bodies in memory beyond LIMIT_HTTP_BODY_SMALL each.
static _Atomic size_t bodies;

static struct str conn_value(const struct http_request *rq, enum MHD_ValueKind kind, const char *name)
{
	const char *v = NULL;
	size_t n = 0;
	if (MHD_lookup_connection_value_n(rq->conn, kind, name, strlen(name), &v, &n) == MHD_NO || !v)
		return STR_EMPTY;
	return str_from(v, n);
}

struct str http_header(const struct http_request *rq, const char *name) { return conn_value(rq, MHD_HEADER_KIND, name); }
struct str http_query(const struct http_request *rq, const char *name) { return conn_value(rq, MHD_GET_ARGUMENT_KIND, name); }
struct str http_cookie(const struct http_request *rq, const char *name) { return conn_value(rq, MHD_COOKIE_KIND, name); }

struct each {
	void (*fn)(void *, struct str, struct str);
	void *arg;
};

static enum MHD_Result each_value(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value, size_t n)
{
	(void)kind;
	struct each *e = cls;
	e->fn(e->arg, str_from(key, key_n), str_from(value, n));
	return MHD_YES;
}

void http_each_query(const struct http_request *rq, void (*fn)(void *, struct str, struct str), void *arg)
{
	struct each e = { fn, arg };
	MHD_get_connection_values_n(rq->conn, MHD_GET_ARGUMENT_KIND, each_value, &e);
}

static void set_peer(struct http_request *rq)
{
	const union MHD_ConnectionInfo *ci = MHD_get_connection_info(rq->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN] = "";
	if (ci && ci->client_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ci->client_addr;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		rq->peer_loopback = (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	} else if (ci && ci->client_addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)ci->client_addr;
		inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
		rq->peer_loopback = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
	}
	rq->peer = arena_str(rq->arena, str_of(text));
}

// RFC 6266 and RFC 8187: a name of ASCII letters for old clients, and the whole name in UTF-8.
static void add_disposition(struct http_request *rq, struct http_response *rs, struct MHD_Response *r)
{
	struct buf plain, coded;
	buf_init(&plain, 4096);
	buf_init(&coded, 8192);
	for (size_t i = 0; i < rs->filename.n; i++) {
		unsigned char ch = (unsigned char)rs->filename.p[i];
		bool safe = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '.' || ch == '-' || ch == '_';
		buf_add_u8(&plain, safe ? ch : '_');
		if (safe)
			buf_add_u8(&coded, ch);
		else
			buf_printf(&coded, "%%%02X", ch);
	}
	struct str v = arena_printf(rq->arena, "%s; filename=\"%.*s\"; filename*=UTF-8''%.*s", rs->shown ? "inline" : "attachment",
	                            (int)plain.n, plain.p, (int)coded.n, coded.p);
	MHD_add_response_header(r, "Content-Disposition", v.p);
	buf_free(&plain);
	buf_free(&coded);
}

// The one range of bytes that is asked for (RFC 9110 clause 14.2), as players of video do; false for several, or none that is in
// the file: the whole file is sent.
static bool range_of(const struct http_request *rq, uint64_t size, uint64_t *from, uint64_t *n)
{
	struct str s = http_header(rq, "Range");
	int64_t first, last = (int64_t)size - 1;
	if (!str_starts(s, STR("bytes=")))
		return false;
	s = str_skip(s, 6);
	if (!str_to_i64(str_cut(&s, '-'), &first) || (s.n && !str_to_i64(s, &last)) || first < 0 || first > last || first >= (int64_t)size)
		return false;
	*from = (uint64_t)first;
	*n = MIN((uint64_t)last, size - 1) - *from + 1;
	return true;
}

static struct MHD_Response *file_response(const struct http_request *rq, struct http_response *rs)
{
	uint64_t from = 0, n = rs->fd_size;
	bool part = rs->status == 200 && range_of(rq, rs->fd_size, &from, &n);
	struct MHD_Response *r = MHD_create_response_from_fd_at_offset64(n, rs->fd, from);
	if (!r)
		return NULL;
	MHD_add_response_header(r, "Accept-Ranges", "bytes");
	if (part) {
		rs->status = 206;
		MHD_add_response_header(r, "Content-Range",
					arena_printf(rq->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, from + n - 1, rs->fd_size).p);
	}
	return r;
}

static struct MHD_Response *body_response(const struct http_request *rq, struct http_response *rs)
{
	if (rs->fd >= 0) {
		buf_free(&rs->body);
		return file_response(rq, rs);
	}
	if (!buf_ok(&rs->body)) {
		rs->status = 500;
		buf_clear(&rs->body);
		buf_add_cstr(&rs->body,
			     "{\"error\":{\"code\":\"too_large\",\"message\":\"response too large 结果过大，请缩小范围\"}}");
	}
	// MHD takes the buffer over and frees it with free(), which is what base/ memory is made of.
	return MHD_create_response_from_buffer_with_free_callback(rs->body.n, rs->body.p ? rs->body.p : (char *)(uintptr_t) "",
								  rs->body.p ? mem_free : NULL);
}

static struct MHD_Response *make_response(struct http_request *rq, struct http_response *rs)
{
	struct MHD_Response *r = body_response(rq, rs);
	if (!r)
		return NULL;
	MHD_add_response_header(r, "Content-Type", rs->type);
	MHD_add_response_header(r, "Cache-Control",
				rs->cache_s ? arena_printf(rq->arena, "public, max-age=%d", rs->cache_s).p : rs->kept ? "private, no-cache" : "no-store");
	if (rs->cache_s)
		MHD_add_response_header(r, "Vary", "Accept-Language");
	if (rs->kept) // another person at the same browser is another reader
		MHD_add_response_header(r, "Vary", "Accept-Encoding, Authorization, Cookie");
	if (rs->gzip)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	http_add_security(r, rs->csp);
	for (size_t i = 0; i < ARRAY_LEN(rs->cookie); i++)
		if (rs->cookie[i].n)
			MHD_add_response_header(r, "Set-Cookie", arena_cstr(rq->arena, rs->cookie[i]));
	if (rs->location.n)
		MHD_add_response_header(r, "Location", arena_cstr(rq->arena, rs->location));
	if (rs->filename.n)
		add_disposition(rq, rs, r);
	if (rs->etag.n)
		MHD_add_response_header(r, "ETag", arena_cstr(rq->arena, rs->etag));
	if (rs->challenge)
		MHD_add_response_header(r, "WWW-Authenticate", rs->challenge);
	if (rs->allow.n)
		MHD_add_response_header(r, "Allow", arena_cstr(rq->arena, rs->allow));
	if (rs->retry_after)
		MHD_add_response_header(r, "Retry-After", arena_printf(rq->arena, "%d", rs->retry_after).p);
	return r;
}

static struct http_request request_of(struct http *h, struct MHD_Connection *c, struct exchange *x, const char *url, const char *method)
{
	struct http_request rq = { .method = str_of(method),
				   .path = str_of(url),
				   .body = buf_str(&x->body),
				   .arena = x->arena,
				   .upload = x->plan.sink.write ? x->plan.sink.ctx : NULL,
				   .tls = h->cfg.cert.n > 0,
				   .conn = c,
				   .server = h };
	set_peer(&rq);
	return rq;
}

static struct http_response run_dispatch(struct http *h, struct http_request *rq, struct exchange *x)
{
	struct http_response rs = { .status = 200, .type = "application/json; charset=utf-8", .fd = -1 };
	buf_init(&rs.body, LIMIT_RESPONSE);
	if (x->too_large) {
		rs.status = 413;
		buf_add_cstr(&rs.body, "{\"error\":{\"code\":\"too_large\",\"message\":\"请求体过大 request body too large\"}}");
	} else if (x->no_room) {
		rs.status = 503;
		rs.retry_after = LIMIT_HTTP_SECONDS;
		buf_add_cstr(&rs.body, "{\"error\":{\"code\":\"unavailable\",\"message\":\"正在接收的内容太多，请稍后再试 too much is being received; try again later\"}}");
	} else {
		h->cfg.dispatch(h->cfg.arg, rq, &rs);
	}
	return rs;
}

static bool is_api(const char *url)
{
	struct str path = str_of(url);
	return str_starts(path, STR("/api/")) || str_starts(path, STR("/public/")) || str_starts(path, STR("/ogc/")) || str_is(path, "/ogc") ||
	       str_starts(path, STR("/verify/")) || str_is(path, "/healthz") || str_is(path, "/metrics");
}

// ---- answering ---------------------------------------------------------------------------------
// In a thread of the workers.
static void answer(struct work *w)
{
	struct exchange *x = (struct exchange *)w;
	struct http_request rq = request_of(x->h, x->conn, x, x->url, x->method);
	struct http_response rs = run_dispatch(x->h, &rq, x);
	x->stream = rs.stream;
	if (rs.stream)
		buf_free(&rs.body);
	else
		x->response = make_response(&rq, &rs);
	x->status = (unsigned)rs.status;
	x->answered = true;
	MHD_resume_connection(x->conn); // x belongs to the connection's thread again
}

static void answer_start(struct http *h, struct MHD_Connection *c, struct exchange *x, const char *url, const char *method)
{
	x->h = h;
	x->conn = c;
	x->url = arena_cstr(x->arena, str_of(url));
	x->method = arena_cstr(x->arena, str_of(method));
	x->work.run = answer;
	x->work.kind = x->plan.slow ? WORK_SLOW : strcmp(method, "GET") == 0 ? WORK_READ : WORK_CHANGE;
	MHD_suspend_connection(c);
	if (!workers_put(h->workers, &x->work))
		answer(&x->work); // stopping, or no thread can be made: the others of this thread wait
}

static enum MHD_Result send_answer(struct MHD_Connection *c, struct exchange *x)
{
	struct MHD_Response *r = x->response;
	struct http_stream *stream = x->stream;
	x->response = NULL;
	x->stream = NULL;
	if (stream)
		return http_stream_queue(&(struct http_request){ .conn = c }, stream);
	if (!r)
		return MHD_NO;
	enum MHD_Result res = MHD_queue_response(c, x->status, r);
	MHD_destroy_response(r);
	return res;
}

// ---- requests ----------------------------------------------------------------------------------
static struct exchange *exchange_new(struct http *h, struct MHD_Connection *c, const char *url, const char *method)
{
	struct arena *a = arena_new(16 << 10);
	struct exchange *x = arena_one(a, struct exchange);
	x->arena = a;
	buf_init(&x->body, LIMIT_HTTP_BODY);
	if (h->cfg.plan && is_api(url)) {
		struct http_request rq = request_of(h, c, x, url, method);
		h->cfg.plan(h->cfg.arg, &rq, &x->plan);
	}
	return x;
}

// All bodies together are bounded: a few thousand connections that begin a large one and wait do not fill the memory.
static bool body_room(struct exchange *x, size_t n)
{
	size_t whole = x->body.n + n, wanted = whole > LIMIT_HTTP_BODY_SMALL ? whole - x->counted : 0;
	if (!wanted)
		return true;
	if (atomic_fetch_add(&bodies, wanted) + wanted > LIMIT_HTTP_BODIES) {
		bodies -= wanted;
		x->no_room = true;
		return false;
	}
	x->counted += wanted;
	return true;
}

static void take_body(struct exchange *x, const char *data, size_t n)
{
	if (x->plan.sink.write) {
		x->plan.sink.write(x->plan.sink.ctx, data, n);
	} else if (!x->plan.drop && !x->no_room && body_room(x, n)) {
		buf_add(&x->body, data, n);
		x->too_large |= !buf_ok(&x->body);
	}
}

struct framing {
	int lengths, codings;
	bool blanks;
};

static enum MHD_Result count_framing(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value, size_t n)
{
	(void)kind, (void)value, (void)n;
	struct framing *f = cls;
	f->blanks |= key_n && (key[key_n - 1] == ' ' || key[key_n - 1] == '\t'); // "Content-Length : 2" is a length for some
	f->lengths += str_eq_nocase(str_from(key, key_n), STR("Content-Length"));
	f->codings += str_eq_nocase(str_from(key, key_n), STR("Transfer-Encoding"));
	return MHD_YES;
}

// Where the body ends is said twice, or in a way that not everybody reads alike: a proxy in front may have believed the other one,
// and what it took for the body would be somebody's next request (RFC 9112 6.3). The library takes the first.
static bool ambiguous(struct MHD_Connection *c)
{
	struct framing f = { 0 };
	MHD_get_connection_values_n(c, MHD_HEADER_KIND, count_framing, &f);
	return f.blanks || f.lengths + f.codings > 1;
}

static enum MHD_Result refuse_ambiguous(struct MHD_Connection *c)
{
	static const char text[] = "{\"error\":{\"code\":\"parse\",\"message\":\"请求体的长度说了两次 the length of the body is said twice\"}}";
	struct MHD_Response *r = MHD_create_response_from_buffer(sizeof text - 1, (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", "application/json; charset=utf-8");
	MHD_add_response_header(r, "Connection", "close");
	http_add_security(r, NULL);
	enum MHD_Result res = MHD_queue_response(c, 400, r);
	MHD_destroy_response(r);
	return res;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *n, void **state)
{
	(void)version;
	struct exchange *x = *state;
	if (!x && ambiguous(c))
		return refuse_ambiguous(c);
	if (!x) {
		*state = exchange_new(cls, c, url, method);
		return MHD_YES;
	}
	if (*n) {
		take_body(x, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (x->answered)
		return send_answer(c, x);
	if (x->started)
		return MHD_YES;
	x->started = true;
	if (is_api(url)) {
		answer_start(cls, c, x, url, method);
		return MHD_YES;
	}
	struct http_request rq = request_of(cls, c, x, url, method);
	return http_static_answer(cls, &rq);
}

static void on_end(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	(void)cls, (void)c, (void)why;
	struct exchange *x = *state;
	if (!x)
		return;
	if (x->plan.sink.end)
		x->plan.sink.end(x->plan.sink.ctx);
	if (x->response)
		MHD_destroy_response(x->response);
	if (x->stream)
		http_stream_drop(x->stream);
	buf_free(&x->body);
	bodies -= x->counted;
	arena_free(x->arena);
	*state = NULL;
}

// A handler's URI log would show what people search for; MHD's own messages go to the log at debug.
static void on_log(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	char line[256];
	vsnprintf(line, sizeof line, fmt, ap);
	log_debug("http", "%s", line);
}

enum err http_start(struct http **ret, const struct http_config *cfg, struct problem *p)
{
	struct http *h = mem_alloc(sizeof *h);
	h->cfg = *cfg;
	pthread_mutex_init(&h->mutex, NULL);
	h->workers = workers_open();
	http_static_load(h);
	unsigned flags =
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (cfg->cert.n ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cfg->cert.p },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)cfg->key.p },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1" },
		{ MHD_OPTION_END, 0, NULL },
	};
	h->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
		cfg->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)cfg->threads, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)LIMIT_HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)LIMIT_HTTP_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_HEADERS + (32u << 10), MHD_OPTION_NOTIFY_COMPLETED, on_end,
		h, MHD_OPTION_ARRAY, cfg->cert.n ? tls : tls + 3, MHD_OPTION_END);
	if (!h->daemon) {
		workers_close(h->workers);
		workers_free(h->workers);
		http_static_free(h);
		mem_free(h);
		return problem_set(p, ERR_IO, "http", "无法启动 HTTP 服务：检查证书与私钥是否匹配",
				   "cannot start the HTTP service: check that certificate and key match");
	}
	*ret = h;
	return OK;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	http_streams_close(h);
	workers_close(h->workers);
	MHD_stop_daemon(h->daemon);
	workers_free(h->workers);
	http_static_free(h);
	pthread_mutex_destroy(&h->mutex);
	mem_free(h);
}
