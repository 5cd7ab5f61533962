// Owns the MHD daemon and the life of a request. One struct exchange per request, in its own arena.
#include "http/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "http/http_int.h"

struct exchange { // one request from its first header to the last byte of the answer
	struct arena *arena;
	struct buf body;
	bool too_large;
	bool started;
};

static const char *const security_headers[][2] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" },
	{ "Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
				     "font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'" },
};

void http_add_security(struct MHD_Response *r)
{
	for (size_t i = 0; i < ARRAY_LEN(security_headers); i++)
		MHD_add_response_header(r, security_headers[i][0], security_headers[i][1]);
}

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

static enum MHD_Result send_response(struct http_request *rq, struct http_response *rs)
{
	if (rs->stream) {
		buf_free(&rs->body);
		return http_stream_queue(rq, rs->stream);
	}
	bool fits = buf_ok(&rs->body);
	if (!fits) {
		rs->status = 500;
		buf_clear(&rs->body);
		buf_add_cstr(&rs->body,
			     "{\"error\":{\"code\":\"too_large\",\"message\":\"response too large 结果过大，请缩小范围\"}}");
	}
	// MHD takes the buffer over and frees it with free(), which is what base/ memory is made of.
	struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback(
		rs->body.n, rs->body.p ? rs->body.p : (char *)(uintptr_t) "", rs->body.p ? mem_free : NULL);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", rs->type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	http_add_security(r);
	if (rs->cookie.n)
		MHD_add_response_header(r, "Set-Cookie", arena_cstr(rq->arena, rs->cookie));
	if (rs->filename.n) {
		struct str v = arena_printf(rq->arena, "attachment; filename=\"%.*s\"", STR_FMT(rs->filename));
		MHD_add_response_header(r, "Content-Disposition", v.p);
	}
	if (rs->retry_after)
		MHD_add_response_header(r, "Retry-After", arena_printf(rq->arena, "%d", rs->retry_after).p);
	enum MHD_Result res = MHD_queue_response(rq->conn, (unsigned)rs->status, r);
	MHD_destroy_response(r);
	return res;
}

static enum MHD_Result answer(struct http *h, struct MHD_Connection *c, struct exchange *x, const char *url, const char *method)
{
	struct http_request rq = { .method = str_of(method),
				   .path = str_of(url),
				   .body = buf_str(&x->body),
				   .arena = x->arena,
				   .conn = c,
				   .server = h };
	set_peer(&rq);
	if (!str_starts(rq.path, STR("/api/")) && !str_is(rq.path, "/healthz") && !str_is(rq.path, "/metrics"))
		return http_static_answer(h, &rq);
	struct http_response rs = { .status = 200, .type = "application/json; charset=utf-8" };
	buf_init(&rs.body, LIMIT_RESPONSE);
	if (x->too_large) {
		rs.status = 413;
		buf_add_cstr(&rs.body, "{\"error\":{\"code\":\"too_large\",\"message\":\"请求体过大 request body too large\"}}");
	} else {
		h->cfg.dispatch(h->cfg.arg, &rq, &rs);
	}
	return send_response(&rq, &rs);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *n, void **state)
{
	(void)version;
	struct exchange *x = *state;
	if (!x) {
		struct arena *a = arena_new(16 << 10);
		x = arena_one(a, struct exchange);
		x->arena = a;
		buf_init(&x->body, LIMIT_HTTP_BODY);
		*state = x;
		return MHD_YES;
	}
	if (*n) {
		buf_add(&x->body, data, *n);
		x->too_large |= !buf_ok(&x->body);
		*n = 0;
		return MHD_YES;
	}
	if (x->started)
		return MHD_YES;
	x->started = true;
	return answer(cls, c, x, url, method);
}

static void on_end(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	(void)cls, (void)c, (void)why;
	struct exchange *x = *state;
	if (!x)
		return;
	buf_free(&x->body);
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
		(unsigned)LIMIT_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_HEADERS + (32u << 10), MHD_OPTION_NOTIFY_COMPLETED, on_end,
		h, MHD_OPTION_ARRAY, cfg->cert.n ? tls : tls + 3, MHD_OPTION_END);
	if (!h->daemon) {
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
	MHD_stop_daemon(h->daemon);
	http_static_free(h);
	pthread_mutex_destroy(&h->mutex);
	mem_free(h);
}
