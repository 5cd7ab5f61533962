// The HTTP server on libmicrohttpd: limits, TLS, static files, request bodies, event streams. It knows no business:
// one dispatch function gets every request that is not a static file.
//
// Threads: those of MHD move bytes, read static files and ask for the plan; threads of their own (work.h) run the dispatch
// function, which may wait for the disk, never for a person.
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
	void *upload;             // ctx of the sink that took the body, or NULL
	void *conn;               // MHD_Connection, for the functions below
	struct http *server;
	bool tls;                 // it came encrypted to us
};

struct http_response {
	int status;               // 200 unless set
	const char *type;         // content type; default application/json
	struct buf body;          // owned by the server
	struct str cookie[2];     // Set-Cookie, or empty
	struct str location;      // of a redirect, or empty
	struct str filename;      // Content-Disposition: attachment, or empty
	int retry_after;          // seconds, 0 = none
	struct str etag;          // with its quotes, or empty
	int cache_s;              // > 0: anybody may keep the answer so long; 0: nobody may
	bool kept;                // the reader himself may keep it and ask by its etag whether it is still so
	bool gzip;                // the body is compressed
	const char *challenge;    // WWW-Authenticate, or NULL
	struct str allow;         // Allow, of a 405, or empty
	struct http_stream *stream; // set by http_stream_open: body is ignored, the stream is the answer
	int fd;                   // >= 0: a file is the answer instead of body; taken over and closed by the server
	uint64_t fd_size;         // bytes of it
	bool shown;               // Content-Disposition: inline instead of attachment
	const char *csp;          // Content-Security-Policy of this answer instead of the pages', or NULL
};

// Where a body goes that is too large to be held in memory: written as it comes, by the connection's worker.
struct http_sink {
	void (*write)(void *ctx, const void *bytes, size_t n); // NULL: the body is held in memory as ever
	void (*end)(void *ctx);   // when the request is over, answered or not
	void *ctx;
};
struct http_plan {            // what is to be done with a request whose headers are here
	struct http_sink sink;
	bool drop;            // the body is not wanted: the dispatch function refuses
	bool slow;            // may take seconds of work: few of these run at the same time
};
// Called when the headers are here, before the body; the request has no body yet. It may look at headers and query only.
typedef void http_planner(void *arg, struct http_request *rq, struct http_plan *ret);

typedef void http_dispatch(void *arg, struct http_request *rq, struct http_response *rs);

struct http_config {
	struct str addr;          // "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"; port 0 = any free one
	int listen_fd;            // >= 0: an already bound socket, used instead of addr
	struct str ui_dir;        // static files, or empty
	struct str cert, key;     // PEM texts; both empty = plain HTTP
	int threads;              // that move bytes
	http_dispatch *dispatch;
	http_planner *plan;       // or NULL
	void *arg;                // of both
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
// wants: may this reader get the event? Called for each published event; with NULL at each beat: may he still listen? ctx is freed
// with ctx_free at the end.
typedef bool http_wants(void *ctx, const void *event);
// Makes the response of rq an event stream of owner (0: nobody's). ERR_UNAVAILABLE beyond LIMIT_EVENT_STREAMS, or
// LIMIT_EVENT_STREAMS_PERSON of one owner.
enum err http_stream_open(struct http_request *rq, struct http_response *rs, int64_t owner, http_wants *wants, void *ctx,
                          void (*ctx_free)(void *ctx)) must_check;
// Sends one event to every stream that wants it. event is passed to wants. Any thread; never waits: a reader that
// lags more than LIMIT_EVENT_BACKLOG is closed (it reconnects and reloads).
void http_publish(struct http *h, const char *name, struct str json, const void *event);
// A beat to every stream, every HTTP_BEAT_S: a dead one is noticed here, and a reader that hears none for longer knows that
// he is cut off, which a half-open connection does not tell him. The first event of a stream says how often.
#ifdef ANLAN_TEST
#define HTTP_BEAT_S 2             // so that a test need not wait for it
#else
#define HTTP_BEAT_S 15
#endif
void http_ping(struct http *h);
size_t http_streams(struct http *h);
