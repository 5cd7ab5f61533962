// The HTTP server on libmicrohttpd: limits, TLS, static files, request bodies, event streams. It knows no business:
// one dispatch function gets every request that is not a static file.
//
// Threads: a pool of HTTP workers runs the dispatch function; it may wait for the disk, never for a person.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

struct http;
struct http_stream;

struct http_request {
	struct str method;        // "GET", "POST", "PATCH", "DELETE", "PUT"
	struct str path;          // decoded, begins with /
	struct str body;          // whole body, at most LIMIT_HTTP_BODY
	struct str peer;          // address without port
	bool peer_loopback;
	struct arena *arena;      // dies with the request
	void *conn;               // MHD_Connection, for the functions below
	struct http *server;
};

struct http_response {
	int status;               // 200 unless set
	const char *type;         // content type; default application/json
	struct buf body;          // owned by the server
	struct str cookie;        // Set-Cookie, or empty
	struct str filename;      // Content-Disposition: attachment, or empty
	int retry_after;          // seconds, 0 = none
	struct http_stream *stream; // set by http_stream_open: body is ignored, the stream is the answer
};

typedef void http_dispatch(void *arg, struct http_request *rq, struct http_response *rs);

struct http_config {
	struct str addr;          // "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"; port 0 = any free one
	int listen_fd;            // >= 0: an already bound socket, used instead of addr
	struct str ui_dir;        // static files, or empty
	struct str cert, key;     // PEM texts; both empty = plain HTTP
	int threads;              // workers
	http_dispatch *dispatch;
	void *arg;
};

enum err http_start(struct http **ret, const struct http_config *cfg, struct problem *p) must_check;
// Ends the event streams, finishes running requests, stops the workers.
void http_stop(struct http *h);

struct str http_header(const struct http_request *rq, const char *name); // empty if absent
struct str http_query(const struct http_request *rq, const char *name);  // decoded; empty if absent
// Calls back for every query parameter in order.
void http_each_query(const struct http_request *rq, void (*fn)(void *arg, struct str key, struct str value), void *arg);
struct str http_cookie(const struct http_request *rq, const char *name);

// ---- event streams (text/event-stream) ---------------------------------------------------------
// wants: may this reader get the event? Called for each published event; ctx is freed with ctx_free at the end.
typedef bool http_wants(void *ctx, const void *event);
// Makes the response of rq an event stream. ERR_UNAVAILABLE beyond LIMIT_EVENT_STREAMS.
enum err http_stream_open(struct http_request *rq, struct http_response *rs, http_wants *wants, void *ctx,
                          void (*ctx_free)(void *ctx)) must_check;
// Sends one event to every stream that wants it. event is passed to wants. Any thread; never waits: a reader that
// lags more than LIMIT_EVENT_BACKLOG is closed (it reconnects and reloads).
void http_publish(struct http *h, const char *name, struct str json, const void *event);
void http_ping(struct http *h); // a comment line to every stream, so that dead ones are noticed; every 15 s
size_t http_streams(struct http *h);
