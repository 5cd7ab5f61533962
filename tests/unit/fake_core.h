// For the tests of the gate: a gate in a child process and, on this side of its rings, a core that knows a few devices,
// remembers what it was told and acknowledges when the test says so. Clients are plain sockets; while they wait for bytes
// the core is served. Everything static: included by test_gate*.c only.
#pragma once

#include "base/arena.h"
#include "bus/command.h"
#include "bus/msg.h"
#include "bus/ring.h"
#include "gate/gate.h"
#include "gate/mqtt_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HJ_MN "010000A8900016F000169DC0"
#define BCD_DEVICE "030303030303" // GB/T 26875.3: its record says that its time labels are in BCD
#define MAX_KEPT 4096
#define WAIT_MS 30000 // for what must come: a slow machine takes longer, and a wait that succeeds costs nothing
#define HELPER static __attribute__((unused)) // not every test needs every one

struct fake_device {
	uint32_t id;
	const char *code, *key; // key NULL: keyless
	enum welcome otherwise; // verdict for the right key
	struct {
		uint32_t id;
		const char *name, *addr;
		double scale;
	} points[4];
};

static const struct fake_device DEVICES[] = {
	{ 7, "D1", "secret", WELCOME_OK, { { 101, "level", "", 1 }, { 102, "temp", "", 1 }, { 103, "raw", "q1", 0.1 } } },
	{ 8, "D2", "secret2", WELCOME_OK, { { 201, "p", "", 1 } } },
	{ 9, "OFF", "secret", WELCOME_DISABLED, { { 0 } } },
	{ 10, HJ_MN, "123456", WELCOME_OK, { { 301, "ph", "w01001", 1 }, { 302, "cod", "w01018", 1 } } },
	{ 11, "010101010101", NULL, WELCOME_OK, { { 401, "fire", "1.11.fire", 1 } } },
	{ 12, "13800138000", "J1380", WELCOME_OK, { { 501, "V-lon", "lon", 1 }, { 502, "V-lat", "lat", 1 }, { 503, "V-speed", "speed", 1 } } },
	{ 14, "LSVAL0000DEMO0001", NULL, WELCOME_OK, { { 601, "E-soc", "soc", 1 }, { 602, "E-speed", "speed", 1 }, { 603, "E-lon", "lon", 1 } } },
	{ 15, "0012345678", "011234", WELCOME_OK, { { 701, "R-level", "Z", 1 }, { 702, "R-rain", "20", 1 }, { 703, "R-list", "DRP", 1 } } },
	{ 16, BCD_DEVICE, NULL, WELCOME_OK, { { 411, "fire2", "1.11.fire", 1 } } },
	{ 13, "13412345678", NULL, WELCOME_OK, { { 511, "V-sos", "alarm.sos", 1 } } },
};

struct fake {
	struct gate_config cfg;
	pid_t pid;
	uint16_t mqtt, mqtts, line[PROTO__MAX]; // ports
	bool auto_ack;
	bool deaf;               // the core reads nothing
	uint64_t seq;            // of the last READINGS
	uint64_t conn;           // of the last HELLO
	char peer[64];           // of the last HELLO
	struct reading readings[MAX_KEPT];
	size_t nreadings, nmessages, total;
	uint32_t rejects[REJECT__MAX];
	char reject_text[130];
	struct msg_reject reject;
	struct msg_keep keep;    // the newest, and its bytes
	char kept[2048];
	bool gives;              // it back, to whoever comes
	struct msg_gate gate, most; // the newest, and the most of each count
	unsigned hello, gone, refresh, subscribed;
	struct msg delivered;
	unsigned ndelivered;
	struct msg_answer answer;
	unsigned nanswers;
};

HELPER int listen_loopback(uint16_t *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 128) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

HELPER void fake_spawn(struct fake *f)
{
	f->cfg.generation++;
	f->pid = fork();
	if (f->pid == 0)
		gate_run(&f->cfg);
}

HELPER struct fake *fake_start(struct str cert, struct str key)
{
	struct fake *f = mem_alloc(sizeof *f);
	f->auto_ack = true;
	assert_int_equal(ring_create(&f->cfg.to_core, 4u << 20), OK);
	assert_int_equal(ring_create(&f->cfg.from_core, 16u << 20), OK);
	f->cfg.mqtt_fd = listen_loopback(&f->mqtt);
	f->cfg.mqtts_fd = cert.n ? listen_loopback(&f->mqtts) : -1;
	for (int p = PROTO_HJ212; p < PROTO__MAX; p++)
		f->cfg.line_fd[p] = listen_loopback(&f->line[p]);
	f->cfg.cert = cert;
	f->cfg.key = key;
	fake_spawn(f);
	ring_attach_consumer(f->cfg.to_core);
	ring_attach_producer(f->cfg.from_core);
	return f;
}

HELPER void fake_end(struct fake *f)
{
	int status;
	kill(f->pid, SIGTERM);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(f->cfg.mqtt_fd);
	if (f->cfg.mqtts_fd >= 0)
		close(f->cfg.mqtts_fd);
	for (int p = PROTO_HJ212; p < PROTO__MAX; p++)
		close(f->cfg.line_fd[p]);
	ring_destroy(f->cfg.to_core);
	ring_destroy(f->cfg.from_core);
	mem_free(f);
}

// --- the core ---

HELPER void core_send(struct fake *f, const void *m, size_t n)
{
	void *to = ring_reserve(f->cfg.from_core, n);
	assert_non_null(to);
	memcpy(to, m, n);
	ring_commit(f->cfg.from_core, n);
}

HELPER void core_ack(struct fake *f, uint64_t seq)
{
	struct msg m = { .size = sizeof m, .kind = MSG_ACK, .seq = seq };
	core_send(f, &m, sizeof m);
}

HELPER void core_say(struct fake *f, enum msg_kind kind, uint32_t device, uint64_t seq, const char *payload)
{
	char b[512];
	struct msg m = { .size = (uint32_t)(sizeof m + strlen(payload)), .kind = (uint16_t)kind, .device = device, .seq = seq };
	memcpy(b, &m, sizeof m);
	memcpy(b + sizeof m, payload, strlen(payload));
	core_send(f, b, m.size);
}

HELPER void core_command(struct fake *f, uint32_t device, uint64_t seq, struct command c, const char *payload)
{
	char b[512];
	struct msg_command m = { .m = { .size = (uint32_t)(sizeof m + strlen(payload)), .kind = MSG_COMMAND, .device = device, .seq = seq }, .c = c };
	memcpy(b, &m, sizeof m);
	memcpy(b + sizeof m, payload, strlen(payload));
	core_send(f, b, m.m.size);
}

HELPER void core_welcome(struct fake *f, const struct msg_hello *h, enum welcome verdict, const struct fake_device *d)
{
	char b[1024];
	size_t n = sizeof(struct msg_welcome);
	struct msg_welcome w = { .m = h->m, .verdict = verdict };
	w.m.kind = h->m.kind == MSG_REFRESH ? MSG_POINTS : MSG_WELCOME;
	w.m.device = d ? d->id : 0;
	w.m.count = 0;
	w.flags = d && strcmp(d->code, BCD_DEVICE) == 0 ? WELCOME_BCD_TIME : 0;
	for (size_t i = 0; verdict == WELCOME_OK && i < 4 && d->points[i].id; i++, w.m.count++) {
		struct msg_point p = { d->points[i].id, (uint16_t)strlen(d->points[i].name), (uint16_t)strlen(d->points[i].addr),
			               d->points[i].scale };
		memcpy(b + n, &p, sizeof p);
		n += sizeof p;
		memcpy(b + n, d->points[i].name, p.name_len);
		memcpy(b + n + p.name_len, d->points[i].addr, p.addr_len);
		n += (size_t)(p.name_len + p.addr_len + 7) / 8 * 8;
	}
	w.m.size = (uint32_t)n;
	memcpy(b, &w, sizeof w);
	core_send(f, b, n);
}

HELPER void core_on_hello(struct fake *f, const struct msg_hello *h)
{
	struct str name = str_from((const char *)(h + 1), h->name_len), key = str_from(name.p + h->name_len, h->key_len);
	struct str peer = str_from(key.p + h->key_len, h->peer_len);
	f->conn = h->m.conn;
	snprintf(f->peer, sizeof f->peer, "%.*s", STR_FMT(peer));
	for (size_t i = 0; i < ARRAY_LEN(DEVICES); i++) {
		const struct fake_device *d = &DEVICES[i];
		if (!str_is(name, d->code))
			continue;
		bool right = h->m.kind == MSG_REFRESH || (d->key ? !h->keyless && str_is(key, d->key) : h->keyless);
		if (f->gives && h->m.kind == MSG_HELLO) {
			struct { struct msg_keep k; char bytes[sizeof f->kept]; } m = { .k = f->keep };
			m.k.m.kind = MSG_KEPT;
			m.k.m.conn = h->m.conn;
			memcpy(m.bytes, f->kept, f->keep.m.count);
			core_send(f, &m, sizeof m.k + f->keep.m.count);
		}
		core_welcome(f, h, right ? d->otherwise : WELCOME_WRONG_KEY, d);
		return;
	}
	core_welcome(f, h, WELCOME_UNKNOWN, NULL);
}

HELPER void core_on_readings(struct fake *f, const struct msg_readings *m)
{
	const struct reading *r = (const struct reading *)(m + 1);
	assert_int_equal(m->m.size, sizeof *m + m->m.count * sizeof *r);
	assert_true(m->m.seq == f->seq + 1 || m->m.seq == ((uint64_t)f->cfg.generation << 40) + 1);
	f->seq = m->m.seq;
	f->nmessages++;
	f->total += m->m.count;
	for (uint32_t i = 0; i < m->m.count && f->nreadings < MAX_KEPT; i++)
		f->readings[f->nreadings++] = r[i];
	if (f->auto_ack)
		core_ack(f, m->m.seq);
}

HELPER void core_on_keep(struct fake *f, const struct msg_keep *m)
{
	assert_int_equal(m->m.size, sizeof *m + m->m.count);
	assert_true(m->m.seq == f->seq + 1 || m->m.seq == ((uint64_t)f->cfg.generation << 40) + 1);
	f->seq = m->m.seq;
	f->keep = *m;
	memcpy(f->kept, m + 1, MIN(m->m.count, sizeof f->kept));
	if (f->auto_ack)
		core_ack(f, m->m.seq);
}

HELPER void core_on_message(struct fake *f, const struct msg *m)
{
	switch (m->kind) {
	case MSG_HELLO:
		f->hello++;
		core_on_hello(f, (const struct msg_hello *)m);
		break;
	case MSG_REFRESH:
		f->refresh++;
		core_on_hello(f, (const struct msg_hello *)m);
		break;
	case MSG_READINGS: core_on_readings(f, (const struct msg_readings *)m); break;
	case MSG_KEEP: core_on_keep(f, (const struct msg_keep *)m); break;
	case MSG_REJECT:
		memcpy(&f->reject, m, sizeof f->reject);
		f->rejects[f->reject.reason] += m->count;
		snprintf(f->reject_text, sizeof f->reject_text, "%.*s", (int)f->reject.text_len,
		         (const char *)((const struct msg_reject *)m + 1));
		break;
	case MSG_GATE:
		f->gate = *(const struct msg_gate *)m;
		f->most.crowded = MAX(f->most.crowded, f->gate.crowded);
		f->most.buffered = MAX(f->most.buffered, f->gate.buffered);
		break;
	case MSG_GONE: f->gone++; break;
	case MSG_SUBSCRIBED: f->subscribed++; break;
	case MSG_DELIVERED:
		f->delivered = *m;
		f->ndelivered++;
		break;
	case MSG_ANSWER:
		f->answer = *(const struct msg_answer *)m;
		f->nanswers++;
		break;
	default: fail_msg("the gate sent kind %u", m->kind);
	}
}

HELPER void core_serve(struct fake *f)
{
	size_t n;
	const struct msg *m;
	while (!f->deaf && (m = ring_next(f->cfg.to_core, &n))) {
		assert_int_equal(m->size, n);
		core_on_message(f, m);
		ring_release(f->cfg.to_core, ring_position(f->cfg.to_core));
	}
}

// Serves the core until a condition holds, at most WAIT_MS turns of a millisecond or more.
#define UNTIL(f, condition) \
	do { \
		int turns_ = 0; \
		for (core_serve(f); !(condition) && turns_ < WAIT_MS; turns_++, core_serve(f)) \
			usleep(1000); \
		if (!(condition)) \
			fail_msg("waited in vain for " #condition); \
	} while (0)

HELPER void core_serve_for(struct fake *f, int ms)
{
	for (int i = 0; i < ms; i++, core_serve(f))
		usleep(1000);
}

// --- clients ---

HELPER int client_connect(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
	return fd;
}

HELPER void client_send(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		assert_true(n > 0);
		s = str_skip(s, (size_t)n);
	}
}

HELPER size_t hex_bytes(const char *hex, uint8_t *ret, size_t max)
{
	size_t n = 0;
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert_true(n < max && str_from_hex(str_from(hex, 2), &ret[n++], 1));
		hex++;
	}
	return n;
}

HELPER void client_send_hex(int fd, const char *hex)
{
	uint8_t b[4096];
	client_send(fd, str_from((char *)b, hex_bytes(hex, b, sizeof b)));
}

// Up to n bytes, waiting at most ms for each; fewer at the end of the stream or of the time.
HELPER size_t client_receive(struct fake *f, int fd, uint8_t *ret, size_t n, int ms)
{
	size_t got = 0;
	for (int i = 0; got < n && i < ms; i++) {
		core_serve(f);
		if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1) != 1)
			continue;
		ssize_t r = recv(fd, ret + got, n - got, 0);
		if (r <= 0)
			break;
		got += (size_t)r;
		i = 0;
	}
	return got;
}

HELPER void client_expect(struct fake *f, int fd, const char *hex)
{
	uint8_t want[1024], got[1024];
	char text[2049] = "";
	size_t n = hex_bytes(hex, want, sizeof want), m = client_receive(f, fd, got, n, WAIT_MS);
	str_to_hex(got, m, text);
	if (m != n || memcmp(got, want, n) != 0)
		fail_msg("received %s instead of %s", text, hex);
}

HELPER void client_expect_nothing(struct fake *f, int fd, int ms)
{
	uint8_t b[64];
	assert_int_equal(client_receive(f, fd, b, 1, ms), 0);
}

HELPER void client_expect_end(struct fake *f, int fd)
{
	uint8_t b[64];
	for (int i = 0; i < WAIT_MS; i++) {
		core_serve(f);
		if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1) == 1) {
			assert_true(recv(fd, b, sizeof b, 0) <= 0);
			close(fd);
			return;
		}
	}
	fail_msg("the connection was not closed");
}

HELPER int mqtt_client(struct fake *f, uint8_t version, const char *user, const char *key, uint16_t keep_alive)
{
	struct buf b;
	buf_init(&b, 4096);
	mqtt_write_connect(&b, version, STR("client"), str_of(user), str_of(key), keep_alive);
	int fd = client_connect(f->mqtt);
	client_send(fd, buf_str(&b));
	buf_free(&b);
	return fd;
}

#define CONNACK_311 "20 02 00 00"
#define CONNACK_5 "20 12 00 00 0F 210400 2700100000 220008 2900 2A00"

HELPER int mqtt_client_ready(struct fake *f, uint8_t version, const char *user, const char *key)
{
	int fd = mqtt_client(f, version, user, key, 60);
	client_expect(f, fd, version == MQTT_V5 ? CONNACK_5 : CONNACK_311);
	return fd;
}

HELPER void mqtt_publish_id(int fd, uint8_t version, const char *topic, uint8_t qos, uint16_t id, struct str payload)
{
	struct buf b;
	buf_init(&b, 4u << 20);
	mqtt_write_publish(&b, version, str_of(topic), qos, id, payload);
	client_send(fd, buf_str(&b));
	buf_free(&b);
}

// [{"point":NAME,"time":now,"value":VALUE}]
HELPER struct str reading_json(char *to, size_t n, const char *name, double value)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int len = snprintf(to, n, "[{\"point\":\"%s\",\"time\":%lld,\"value\":%g}]", name, (long long)now.tv_sec * 1000, value);
	return str_from(to, (size_t)len);
}
