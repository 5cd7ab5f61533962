// Event streams. A stream is suspended in MHD while it has nothing to send and resumed by whoever publishes.
// Every field of a stream is guarded by the server's mutex.
#include "base/limits.h"
#include "http/http_int.h"

struct http_stream {
	struct http *h;
	struct http_stream *next;
	struct MHD_Connection *conn;
	struct buf out;
	int64_t owner;
	http_wants *wants;
	void *ctx;
	void (*ctx_free)(void *);
	bool suspended;
	bool closed;              // ends once out is empty
};

static void stream_wake(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->conn);
}

static ssize_t on_read(void *cls, uint64_t pos, char *to, size_t max)
{
	(void)pos;
	struct http_stream *s = cls;
	pthread_mutex_lock(&s->h->mutex);
	size_t n = MIN(max, s->out.n);
	if (n) {
		memcpy(to, s->out.p, n);
		buf_drop_front(&s->out, n);
	} else if (!s->closed && !s->h->closing) {
		s->suspended = true;
		MHD_suspend_connection(s->conn);
	}
	bool end = !n && !s->suspended;
	pthread_mutex_unlock(&s->h->mutex);
	return end ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

void http_stream_drop(struct http_stream *s)
{
	pthread_mutex_lock(&s->h->mutex);
	for (struct http_stream **at = &s->h->streams; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	s->h->nstreams--;
	pthread_mutex_unlock(&s->h->mutex);
	if (s->ctx_free)
		s->ctx_free(s->ctx);
	buf_free(&s->out);
	mem_free(s);
}

static void on_free(void *cls) { http_stream_drop(cls); }

static size_t streams_of(const struct http *h, int64_t owner)
{
	size_t n = 0;
	for (const struct http_stream *s = h->streams; s && owner; s = s->next)
		n += s->owner == owner;
	return n;
}

enum err http_stream_open(struct http_request *rq, struct http_response *rs, int64_t owner, http_wants *wants, void *ctx,
                          void (*ctx_free)(void *))
{
	struct http *h = rq->server;
	pthread_mutex_lock(&h->mutex);
	bool full = h->nstreams >= LIMIT_EVENT_STREAMS || h->closing || streams_of(h, owner) >= LIMIT_EVENT_STREAMS_PERSON;
	if (!full)
		h->nstreams++;
	pthread_mutex_unlock(&h->mutex);
	if (full)
		return ERR_UNAVAILABLE;
	struct http_stream *s = mem_alloc(sizeof *s);
	*s = (struct http_stream){ .h = h, .conn = rq->conn, .owner = owner, .wants = wants, .ctx = ctx, .ctx_free = ctx_free };
	buf_init(&s->out, LIMIT_EVENT_BACKLOG);
	buf_printf(&s->out, "retry: 2000\nevent: hello\ndata: {\"beat_s\":%d}\n\n", HTTP_BEAT_S);
	rs->stream = s;
	return OK;
}

enum MHD_Result http_stream_queue(struct http_request *rq, struct http_stream *s)
{
	struct http *h = s->h;
	struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, on_read, s, on_free);
	if (!r) {
		http_stream_drop(s);
		return MHD_NO;
	}
	pthread_mutex_lock(&h->mutex);
	s->next = h->streams;
	h->streams = s;
	pthread_mutex_unlock(&h->mutex);
	MHD_add_response_header(r, "Content-Type", "text/event-stream; charset=utf-8");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "X-Accel-Buffering", "no");
	http_add_security(r, NULL);
	MHD_set_connection_option(rq->conn, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	enum MHD_Result res = MHD_queue_response(rq->conn, 200, r);
	MHD_destroy_response(r);
	return res;
}

static void stream_add(struct http_stream *s, struct str text)
{
	if (s->closed)
		return;
	buf_add_str(&s->out, text);
	if (!buf_ok(&s->out)) { // lags too far: it reconnects and reloads
		buf_clear(&s->out);
		s->closed = true;
	}
	stream_wake(s);
}

void http_publish(struct http *h, const char *name, struct str json, const void *event)
{
	struct buf text;
	buf_init(&text, LIMIT_EVENT_BACKLOG);
	buf_printf(&text, "event: %s\ndata: %.*s\n\n", name, STR_FMT(json));
	if (buf_ok(&text)) {
		pthread_mutex_lock(&h->mutex);
		for (struct http_stream *s = h->streams; s; s = s->next)
			if (s->wants(s->ctx, event))
				stream_add(s, buf_str(&text));
		pthread_mutex_unlock(&h->mutex);
	}
	buf_free(&text);
}

void http_ping(struct http *h)
{
	pthread_mutex_lock(&h->mutex);
	for (struct http_stream *s = h->streams; s; s = s->next) {
		if (s->wants(s->ctx, NULL)) {
			stream_add(s, STR("event: beat\ndata: {}\n\n"));
		} else { // he has logged out, or was shown the door
			s->closed = true;
			stream_wake(s);
		}
	}
	pthread_mutex_unlock(&h->mutex);
}

size_t http_streams(struct http *h)
{
	pthread_mutex_lock(&h->mutex);
	size_t n = h->nstreams;
	pthread_mutex_unlock(&h->mutex);
	return n;
}

void http_streams_close(struct http *h)
{
	pthread_mutex_lock(&h->mutex);
	h->closing = true;
	for (struct http_stream *s = h->streams; s; s = s->next)
		stream_wake(s);
	pthread_mutex_unlock(&h->mutex);
}
