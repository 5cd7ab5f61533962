// Shared by the files of http/ only.
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "http/http.h"
#include "http/work.h"

struct static_file {
	struct str path;          // "/assets/x.js"
	const char *type;
	char *data, *gzip;        // owned; gzip may be NULL
	size_t n, gzip_n;
	char etag[20];
	bool immutable;           // name holds a digest
};

struct http {
	struct http_config cfg;
	struct MHD_Daemon *daemon;
	struct static_file *files;
	size_t nfiles, cap_files;
	struct arena *arena;        // of the file names
	pthread_mutex_t mutex;      // guards streams
	struct http_stream *streams;
	size_t nstreams;
	bool closing;
	struct workers *workers;    // they answer
};

void http_add_security(struct MHD_Response *r, const char *csp); // csp NULL: that of the pages
void http_static_load(struct http *h);
void http_static_free(struct http *h);
enum MHD_Result http_static_answer(struct http *h, struct http_request *rq);
enum MHD_Result http_stream_queue(struct http_request *rq, struct http_stream *s);
void http_stream_drop(struct http_stream *s); // opened, and cannot be queued any more
void http_streams_close(struct http *h);
