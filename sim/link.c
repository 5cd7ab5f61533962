// See link.h. A batch is what a device had to say at one moment; it leaves the queue when the protocol's own
// acknowledgement for it has come (PUBACK, HTTP 2xx, HJ 212 9014, GB/T 26875.3 confirmation).
#include "sim/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "sim/frames.h"
#include "sim/mqtt.h"
#include "sim/payload.h"

#define ANSWER_S 10                  // HJ 212-2017 table 1: 10 s; used for the others as well
#define KEEP_ALIVE_S 60
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 15000
#define LINK_BUFFER (1u << 20)

enum link_state { LINK_OFF, LINK_CONNECTING, LINK_HELLO, LINK_READY };

struct batch {
	struct batch *next;
	int64_t time, sent_at;       // sent_at 0: not under way
	uint16_t id;                 // MQTT packet, first GB/T 26875.3 sequence number
	uint16_t frames;             // GB/T 26875.3: confirmations still to come
	uint16_t tries;
	uint32_t n;
	struct held_value v[];
};

struct link {
	struct net *net;
	struct sim_device *d;
	int fd;
	enum link_state state;
	bool want_out;
	int64_t retry_at, backoff;   // us
	int64_t last_out, started;
	struct buf in, out;
	struct batch *first, *last;
	size_t held;                 // readings waiting
	unsigned flying;             // batches sent and not answered
	uint16_t next_id;
};

bool endpoint_set(struct endpoint *e, const char *host_port)
{
	const char *colon = strrchr(host_port, ':');
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char host[100];
	size_t n = colon ? (size_t)(colon - host_port) : 0;
	bool ok = colon && n < sizeof host;
	if (ok) {
		bool bracket = n > 1 && host_port[0] == '[' && host_port[n - 1] == ']';
		snprintf(host, sizeof host, "%.*s", (int)(bracket ? n - 2 : n), host_port + bracket);
		ok = getaddrinfo(host, colon + 1, &want, &found) == 0 && found->ai_addrlen <= sizeof e->addr;
	}
	if (ok) {
		memcpy(&e->addr, found->ai_addr, found->ai_addrlen);
		e->len = found->ai_addrlen;
		snprintf(e->text, sizeof e->text, "%s", host_port);
	} else {
		log_error("sim", "cannot resolve %s", host_port);
	}
	if (found)
		freeaddrinfo(found);
	return ok;
}

struct link *link_new(struct net *net, struct sim_device *d, int64_t first_try)
{
	struct link *l = mem_alloc(sizeof *l);
	*l = (struct link){ .net = net, .d = d, .fd = -1, .retry_at = first_try, .backoff = RETRY_FIRST_MS * US_PER_MS, .next_id = 1 };
	buf_init(&l->in, LINK_BUFFER);
	buf_init(&l->out, LINK_BUFFER);
	d->link = l;
	return l;
}

static void drop_first(struct link *l)
{
	struct batch *b = l->first;
	l->first = b->next;
	if (!l->first)
		l->last = NULL;
	l->held -= b->n;
	if (b->sent_at && l->flying)
		l->flying--;
	mem_free(b);
}

static void link_close(struct link *l, int64_t now, const char *why)
{
	if (l->fd >= 0) {
		close(l->fd);
		if (l->state == LINK_READY)
			l->net->online--;
		if (why && l->state == LINK_READY)
			log_debug("sim", "%s: %s", l->d->code, why);
	}
	l->fd = -1;
	l->state = LINK_OFF;
	l->want_out = false;
	l->retry_at = now + l->backoff;
	l->backoff = MIN(l->backoff * 2, RETRY_MAX_MS * US_PER_MS);
	l->flying = 0;
	buf_clear(&l->in);
	buf_clear(&l->out);
	for (struct batch *b = l->first; b; b = b->next)
		b->sent_at = 0;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	while (l->first)
		drop_first(l);
	buf_free(&l->in);
	buf_free(&l->out);
	mem_free(l);
}

void link_add(struct link *l, int64_t time, const struct held_value *v, size_t n)
{
	while (l->held + n > SIM_MAX_HELD && l->first && !l->first->sent_at) {
		l->net->dropped += l->first->n;
		drop_first(l);
	}
	struct batch *b = mem_alloc(sizeof *b + n * sizeof *v);
	b->time = time;
	b->n = (uint32_t)n;
	memcpy(b->v, v, n * sizeof *v);
	if (l->last)
		l->last->next = b;
	else
		l->first = b;
	l->last = b;
	l->held += n;
}

static void watch(struct link *l, bool out)
{
	if (out == l->want_out)
		return;
	struct epoll_event e = { .events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0), .data.ptr = l };
	epoll_ctl(l->net->epoll, EPOLL_CTL_MOD, l->fd, &e);
	l->want_out = out;
}

static void link_flush(struct link *l, int64_t now)
{
	while (l->out.n) {
		ssize_t n = send(l->fd, l->out.p, l->out.n, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			link_close(l, now, "connection lost");
			return;
		}
		buf_drop_front(&l->out, (size_t)n);
		l->last_out = now;
	}
	watch(l, l->out.n > 0);
}

static void link_connect(struct link *l, int64_t now)
{
	const struct endpoint *to = &l->net->to[l->d->protocol];
	int one = 1;
	l->fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		link_close(l, now, NULL);
		return;
	}
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	l->state = LINK_CONNECTING;
	l->started = now;
	if (connect(l->fd, (const struct sockaddr *)&to->addr, to->len) != 0 && errno != EINPROGRESS) {
		link_close(l, now, NULL);
		return;
	}
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = l };
	epoll_ctl(l->net->epoll, EPOLL_CTL_ADD, l->fd, &e);
	l->want_out = true;
}

static void link_ready(struct link *l)
{
	l->state = LINK_READY;
	l->backoff = RETRY_FIRST_MS * US_PER_MS;
	l->net->online++;
	l->net->connects++;
}

static void link_connected(struct link *l, int64_t now)
{
	if (l->d->protocol != SIM_MQTT) {
		link_ready(l);
		return;
	}
	l->state = LINK_HELLO;
	mqtt_connect(&l->out, str_of(l->d->code), str_of(l->d->code), str_of(l->d->key), KEEP_ALIVE_S);
	link_flush(l, now);
}

// ---- sending -----------------------------------------------------------------------------------

static uint16_t new_id(struct link *l)
{
	uint16_t id = l->next_id++;
	if (l->next_id == 0)
		l->next_id = 1;
	return id;
}

static void batch_json(struct link *l, const struct batch *b, int64_t now, struct buf *out)
{
	bool late = b->tries > 0 || now - b->time > SIM_LATE_S * US_PER_S;
	(late ? payload_continues : payload_array)(out, l->d, b->time, b->v, b->n);
}

static void send_mqtt(struct link *l, struct batch *b, int64_t now)
{
	struct buf payload, topic;
	buf_init(&payload, LINK_BUFFER / 2);
	buf_init(&topic, 128);
	batch_json(l, b, now, &payload);
	buf_printf(&topic, "anlan/v1/%s/readings", l->d->code);
	b->id = new_id(l);
	mqtt_publish(&l->out, buf_str(&topic), b->id, buf_str(&payload), false);
	buf_free(&payload);
	buf_free(&topic);
}

static void send_http(struct link *l, struct batch *b, int64_t now)
{
	struct buf payload;
	buf_init(&payload, LINK_BUFFER / 2);
	batch_json(l, b, now, &payload);
	buf_printf(&l->out, "POST /api/v1/readings HTTP/1.1\r\nHost: %s\r\nAuthorization: Device %s:%s\r\nContent-Type: application/json\r\n"
	           "Content-Length: %zu\r\n\r\n", l->net->to[SIM_HTTP].text, l->d->code, l->d->key, payload.n);
	buf_add_str(&l->out, buf_str(&payload));
	buf_free(&payload);
}

static void send_batch(struct link *l, struct batch *b, int64_t now)
{
	uint16_t seq = l->next_id;
	switch (l->d->protocol) {
	case SIM_MQTT: send_mqtt(l, b, now); break;
	case SIM_HTTP: send_http(l, b, now); break;
	case SIM_HJ212: (void)payload_hj212(&l->out, l->d, b->time, b->v, b->n); break;
	case SIM_GB26875:
		b->id = seq;
		b->frames = (uint16_t)payload_gb26875(&l->out, l->d, b->time, b->v, b->n, &seq);
		l->next_id = seq;
		break;
	case SIM_PROTOCOLS: break;
	}
	b->sent_at = now;
	b->tries++;
	l->flying++;
	l->net->sent += b->n;
}

static void send_more(struct link *l, int64_t now)
{
	unsigned window = l->d->protocol == SIM_MQTT ? SIM_WINDOW : 1;
	for (struct batch *b = l->first; b && l->flying < window && buf_ok(&l->out) && l->out.n < LINK_BUFFER / 4; b = b->next) {
		size_t before = l->out.n;
		if (b->sent_at)
			continue;
		send_batch(l, b, now);
		if (l->out.n == before && buf_ok(&l->out) && b == l->first) { // the protocol has no words for it
			l->net->dropped += b->n;
			drop_first(l);
			return;
		}
	}
	if (!buf_ok(&l->out))
		link_close(l, now, "does not take what is sent");
}

// ---- answers -----------------------------------------------------------------------------------

static void batch_done(struct link *l)
{
	l->net->acked += l->first->n;
	drop_first(l);
}

static bool on_mqtt(struct link *l, const struct mqtt_in *m)
{
	if (m->type == MQTT_CONNACK) {
		if (l->state != LINK_HELLO || m->code != 0) {
			log_warn("sim", "%s: refused by the gate, CONNACK code %u", l->d->code, m->code);
			return false;
		}
		struct buf topic;
		buf_init(&topic, 128);
		buf_printf(&topic, "anlan/v1/%s/command", l->d->code);
		mqtt_subscribe(&l->out, new_id(l), buf_str(&topic));
		buf_free(&topic);
		link_ready(l);
	} else if (m->type == MQTT_PUBACK) {
		// the gate acknowledges in order: the first batch under way is the one meant
		if (!l->first || !l->first->sent_at || l->first->id != m->id)
			return false;
		batch_done(l);
	}
	return true;
}

static bool on_gb26875(struct link *l, uint8_t command, uint16_t seq)
{
	struct batch *b = l->first;
	if (command != 3 && command != 6)
		return true;
	if (!b || !b->sent_at || (uint16_t)(seq - b->id) > 2)
		return false;
	if (--b->frames == 0)
		batch_done(l);
	return true;
}

// One HTTP response; 0 = not complete, SIZE_MAX = broken. ret_status: 200 …
static size_t http_answer(struct str in, int *ret_status)
{
	uint64_t status = 0, length = 0;
	struct str head = in;
	size_t at = 0;
	while (at + 3 < in.n && memcmp(in.p + at, "\r\n\r\n", 4) != 0)
		at++;
	if (at + 3 >= in.n)
		return in.n > 16384 ? SIZE_MAX : 0;
	head.n = at + 2;
	struct str line = str_cut(&head, '\n');
	str_cut(&line, ' ');
	if (!str_to_u64(str_cut(&line, ' '), &status) || status > 999)
		return SIZE_MAX;
	while (head.n) {
		struct str value = str_trim(str_cut(&head, '\n'));
		struct str key = str_cut(&value, ':');
		if (str_eq_nocase(key, STR("content-length")) && !str_to_u64(str_trim(value), &length))
			return SIZE_MAX;
	}
	*ret_status = (int)status;
	if (length > LINK_BUFFER)
		return SIZE_MAX;
	return at + 4 + length <= in.n ? at + 4 + (size_t)length : 0;
}

static bool on_http(struct link *l, int status)
{
	if (!l->first || !l->first->sent_at)
		return false;
	if (status >= 500 || status == 429 || status == 401)
		return false; // later again
	if (status >= 300)
		log_warn("sim", "%s: refused with HTTP %d", l->d->code, status);
	batch_done(l);
	return true;
}

static size_t take_answer(struct link *l, bool *ok)
{
	struct str in = buf_str(&l->in), qn;
	struct mqtt_in m;
	uint8_t command;
	uint16_t seq;
	int code = 0;
	size_t n = 0;
	switch (l->d->protocol) {
	case SIM_MQTT:
		n = mqtt_take(in, &m);
		*ok = n != SIZE_MAX && (n == 0 || on_mqtt(l, &m));
		break;
	case SIM_HTTP:
		n = http_answer(in, &code);
		*ok = n != SIZE_MAX && (n == 0 || on_http(l, code));
		break;
	case SIM_HJ212:
		n = hj212_device_answer(in, &code, &qn);
		*ok = n != SIZE_MAX;
		if (*ok && n && code == 9014 && l->first && l->first->sent_at)
			batch_done(l);
		else if (*ok && n && code == 9011)
			*ok = false; // refused
		break;
	case SIM_GB26875:
		n = gb_answer(in, &command, &seq);
		*ok = n != SIZE_MAX && (n == 0 || on_gb26875(l, command, seq));
		break;
	case SIM_PROTOCOLS: break;
	}
	return n;
}

static void link_receive(struct link *l, int64_t now)
{
	for (;;) {
		char *room = buf_room(&l->in, 4096);
		ssize_t n = room ? recv(l->fd, room, 4096, 0) : -1;
		if (n < 0 && room && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			link_close(l, now, "connection ended");
			return;
		}
		buf_commit(&l->in, (size_t)n);
	}
	bool ok = true;
	for (size_t n = 1; ok && n && l->in.n;) {
		n = take_answer(l, &ok);
		if (ok && n)
			buf_drop_front(&l->in, n);
	}
	if (!ok)
		link_close(l, now, "answer not understood or refused");
}

// ---- turning -----------------------------------------------------------------------------------

void link_event(struct link *l, uint32_t events, int64_t now)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (l->fd < 0)
		return;
	if (l->state == LINK_CONNECTING) {
		if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error) {
			link_close(l, now, NULL);
			return;
		}
		if (!(events & EPOLLOUT))
			return;
		link_connected(l, now);
	}
	if (l->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		link_receive(l, now);
	if (l->fd >= 0 && l->state == LINK_READY)
		send_more(l, now);
	if (l->fd >= 0)
		link_flush(l, now);
}

void link_turn(struct link *l, int64_t now)
{
	if (l->net->to[l->d->protocol].len == 0)
		return;
	if (l->fd < 0) {
		if (now >= l->retry_at)
			link_connect(l, now);
		return;
	}
	if (l->state != LINK_READY) {
		if (now - l->started > ANSWER_S * US_PER_S)
			link_close(l, now, "no answer");
		return;
	}
	if (l->first && l->first->sent_at && now - l->first->sent_at > ANSWER_S * US_PER_S) {
		link_close(l, now, "no acknowledgement");
		return;
	}
	if (l->d->protocol == SIM_MQTT && now - l->last_out > KEEP_ALIVE_S / 2 * US_PER_S)
		mqtt_ping(&l->out);
	send_more(l, now);
	if (l->fd >= 0)
		link_flush(l, now);
}
