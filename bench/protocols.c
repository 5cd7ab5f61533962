// How each peer is told readings, and how it says that it has them.
#include "load.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---- HTTP ----

static void http_post(struct link *l, const char *path, const char *headers)
{
	char head[512];
	int n = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: peer\r\n%sContent-Length: %zu\r\n\r\n", path, headers, l->out.n);
	send_all(l, head, (size_t)n);
	send_all(l, l->out.p, l->out.n);
}

static const char *http_header(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at ? at + strlen(name) : NULL;
}

static void http_answer(struct link *l)
{
	const char *body;
	while (!(body = strstr(l->in.p + l->used, "\r\n\r\n")))
		receive(l);
	const char *head = l->in.p + l->used;
	int status = atoi(head + 9);
	size_t head_n = (size_t)(body + 4 - head), body_n = 0;
	if (status < 200 || status > 299) {
		fprintf(stderr, "%.400s\n", head);
		die("the peer refused a request");
	}
	const char *length = http_header(head, "\r\nContent-Length:"), *chunked = http_header(head, "\r\nTransfer-Encoding: chunked");
	if (length && length < body)
		body_n = (size_t)atoi(length);
	while (chunked && chunked < body && !strstr(l->in.p + l->used + head_n, "0\r\n\r\n")) { // no peer says more than a line
		receive(l);
		body_n = 0;
	}
	if (chunked && chunked < body)
		body_n = (size_t)(strstr(l->in.p + l->used + head_n, "0\r\n\r\n") + 5 - (l->in.p + l->used + head_n));
	while (l->in.n - l->used < head_n + body_n)
		receive(l);
	l->used += head_n + body_n;
}

// InfluxDB line protocol, also understood by VictoriaMetrics.
static void lines_request(struct link *l, unsigned readings)
{
	for (unsigned i = 0; i < readings; i++) {
		struct reading r = next_reading(l);
		add_text(&l->out, "r,p=");
		add_name(&l->out, r.point);
		add_text(&l->out, " v=");
		add_tenths(&l->out, r.tenths);
		add_text(&l->out, " ");
		add_uint(&l->out, (uint64_t)r.ms);
		add_text(&l->out, "\n");
	}
	http_post(l, "/write?db=bench&precision=ms", "");
}

// ClickHouse RowBinary: point as a number, which is the best it can be given.
static void rows_request(struct link *l, unsigned readings)
{
	for (unsigned i = 0; i < readings; i++) {
		struct reading r = next_reading(l);
		double v = r.tenths / 10.0;
		add(&l->out, &r.point, 4);
		add(&l->out, &r.ms, 8);
		add(&l->out, &v, 8);
	}
	http_post(l, "/?query=INSERT%20INTO%20bench.r%20FORMAT%20RowBinary", "");
}

// ---- Prometheus remote write 1.0: protobuf in a snappy block. Uncompressed literals are a valid block. ----

static void add_varint(struct bytes *b, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		add(b, &(char){ (char)(v | 128) }, 1);
	add(b, &(char){ (char)v }, 1);
}

static void add_series(struct bytes *b, struct reading r)
{
	struct bytes time = { .p = (char[16]){ 0 }, .cap = 16 };
	double v = r.tenths / 10.0;
	add_varint(&time, (uint64_t)r.ms);
	uint64_t sample = 1 + 8 + 1 + time.n, label = 2 + 1 + 2 + 8, name = 2 + 8 + 2 + 1;
	add(b, "\x0a", 1);                                       // timeseries
	add_varint(b, 2 + name + 2 + label + 2 + sample);
	add(b, "\x0a\x0d\x0a\x08__name__\x12\x01r", 15);          // its labels, sorted
	add(b, "\x0a\x0d\x0a\x01p\x12\x08", 7);
	add_name(b, r.point);
	add(b, "\x12", 1);                                       // its sample
	add_varint(b, sample);
	add(b, "\x09", 1);
	add(b, &v, 8);
	add(b, "\x10", 1);
	add(b, time.p, time.n);
}

static void remote_write_request(struct link *l, unsigned readings)
{
	l->head.n = 0;
	for (unsigned i = 0; i < readings; i++)
		add_series(&l->head, next_reading(l));
	add_varint(&l->out, l->head.n);
	for (size_t at = 0; at < l->head.n;) {
		size_t n = l->head.n - at < 65536 ? l->head.n - at : 65536;
		uint16_t less = (uint16_t)(n - 1);
		add(&l->out, "\xf4", 1); // a literal whose length has two bytes
		add(&l->out, &less, 2);
		add(&l->out, l->head.p + at, n);
		at += n;
	}
	http_post(l, "/api/v1/write",
	          "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n");
}

// ---- the JSON that Anlan is sent, for those that only pass messages on ----

static void add_readings_json(struct link *l, unsigned readings)
{
	char at[40] = "";
	int64_t last = -1;
	for (unsigned i = 0; i < readings; i++) {
		struct reading r = next_reading(l);
		if (r.ms != last) {
			time_t s = (time_t)(r.ms / 1000);
			struct tm tm;
			size_t n = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
			snprintf(at + n, sizeof at - n, ".%03dZ", (int)(r.ms % 1000));
			last = r.ms;
		}
		add_text(&l->out, i ? ",{\"point\":\"" : "[{\"point\":\"");
		add_name(&l->out, r.point);
		add_text(&l->out, "\",\"time\":\"");
		add_text(&l->out, at);
		add_text(&l->out, "\",\"value\":");
		add_tenths(&l->out, r.tenths);
		add_text(&l->out, "}");
	}
	add_text(&l->out, "]");
}

// ---- NATS JetStream ----

static void nats_line(struct link *l, const char *start) // until a line that starts so
{
	for (;;) {
		const char *line = l->in.p + l->used, *end = strstr(line, "\r\n");
		if (!end) {
			receive(l);
			continue;
		}
		l->used += (size_t)(end + 2 - line);
		if (!strncmp(line, "-ERR", 4))
			die("NATS refused a command");
		if (!strncmp(line, start, strlen(start)))
			return;
	}
}

static void nats_open(struct link *l)
{
	char text[256];
	int n = snprintf(text, sizeof text, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB in.%u.* 1\r\nPING\r\n", l->index);
	send_all(l, text, (size_t)n);
	nats_line(l, "PONG");
	if (l->index == 0) {
		const char *stream = "{\"name\":\"bench\",\"subjects\":[\"readings.*\"],\"storage\":\"file\",\"retention\":\"limits\",\"num_replicas\":1}";
		n = snprintf(text, sizeof text, "PUB $JS.API.STREAM.CREATE.bench in.0.made %zu\r\n%s\r\n", strlen(stream), stream);
		send_all(l, text, (size_t)n);
		nats_line(l, "MSG in.0.made");
		nats_line(l, "{");
	} else {
		struct timespec half = { 0, 500000000 };
		nanosleep(&half, NULL); // until the first connection has made the stream
	}
}

static void nats_request(struct link *l, unsigned readings)
{
	char head[64];
	add_readings_json(l, readings);
	int n = snprintf(head, sizeof head, "PUB readings.%u in.%u.a %zu\r\n", l->index, l->index, l->out.n);
	add_text(&l->out, "\r\n");
	send_all(l, head, (size_t)n);
	send_all(l, l->out.p, l->out.n);
}

static void nats_answer(struct link *l)
{
	nats_line(l, "MSG in.");
	nats_line(l, "{\"stream\":\"bench\""); // {"stream":…,"seq":…}; an error has no stream
}

// ---- MQTT 3.1.1 QoS 1 ----

static void mqtt_open(struct link *l)
{
	char id[8] = "load00", packet[64] = { 0x10, 18, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 6 };
	snprintf(id, sizeof id, "load%02u", l->index % 100);
	memcpy(packet + 14, id, 6);
	send_all(l, packet, 20);
	while (l->in.n < 4)
		receive(l);
	if (l->in.p[0] != 0x20 || l->in.p[3] != 0)
		die("MQTT: not accepted");
	l->used = 4;
}

static void mqtt_request(struct link *l, unsigned readings)
{
	char topic[32], head[64] = { 0x32 };
	add_readings_json(l, readings);
	unsigned topic_n = (unsigned)snprintf(topic, sizeof topic, "readings/%u", l->index);
	size_t left = 2 + topic_n + 2 + l->out.n, n = 1;
	for (; left >= 128; left >>= 7)
		head[n++] = (char)(left | 128);
	head[n++] = (char)left;
	head[n++] = 0;
	head[n++] = (char)topic_n;
	memcpy(head + n, topic, topic_n);
	n += topic_n;
	l->id = l->id == UINT16_MAX ? 1 : (uint16_t)(l->id + 1);
	head[n++] = (char)(l->id >> 8);
	head[n++] = (char)l->id;
	send_all(l, head, n);
	send_all(l, l->out.p, l->out.n);
}

static void mqtt_answer(struct link *l)
{
	while (l->in.n - l->used < 4)
		receive(l);
	if (l->in.p[l->used] != 0x40)
		die("MQTT: PUBACK expected");
	l->used += 4;
}

// ---- PostgreSQL: COPY, one transaction a request. ADDR:PORT is that of a server that trusts loopback ----

static void pg_open(struct link *l)
{
	char text[200];
	snprintf(text, sizeof text, "host=%s port=%u user=postgres dbname=postgres", l->host, l->port);
	PGconn *c = PQconnectdb(text);
	if (PQstatus(c) != CONNECTION_OK)
		die(PQerrorMessage(c));
	l->session = c;
}

static void pg_request(struct link *l, unsigned readings)
{
	PGconn *c = l->session;
	PGresult *r = PQexec(c, "COPY r FROM STDIN");
	if (PQresultStatus(r) != PGRES_COPY_IN)
		die(PQerrorMessage(c));
	PQclear(r);
	for (unsigned i = 0; i < readings; i++) {
		struct reading x = next_reading(l);
		add_uint(&l->out, x.point);
		add_text(&l->out, "\t");
		add_uint(&l->out, (uint64_t)x.ms);
		add_text(&l->out, "\t");
		add_tenths(&l->out, x.tenths);
		add_text(&l->out, "\n");
	}
	if (PQputCopyData(c, l->out.p, (int)l->out.n) != 1 || PQputCopyEnd(c, NULL) != 1)
		die(PQerrorMessage(c));
}

static void pg_answer(struct link *l)
{
	for (PGresult *r; (r = PQgetResult(l->session)); PQclear(r))
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die(PQerrorMessage(l->session));
}

const struct peer *peer_find(const char *name)
{
	static const struct peer peers[] = {
		{ "influxdb", 1, NULL, lines_request, http_answer },
		{ "victoria-metrics", 1, NULL, lines_request, http_answer },
		{ "clickhouse", 1, NULL, rows_request, http_answer },
		{ "prometheus", 1, NULL, remote_write_request, http_answer },
		{ "nats", 1, nats_open, nats_request, nats_answer },
		{ "mosquitto", 1, mqtt_open, mqtt_request, mqtt_answer },
		{ "postgresql", 0, pg_open, pg_request, pg_answer },
	};
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
		if (!strcmp(peers[i].name, name))
			return &peers[i];
	return NULL;
}
