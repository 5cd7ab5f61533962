// The gate's middle: start-up, listening, and everything that passes between connections and the core.
#include "gate/conn.h"

#include "base/log.h"
#include "base/time.h"
#include "bus/pass.h"
#include "gate/decode/envelope.h"
#include "gate/line.h"
#include "gate/mqtt_packet.h"
#include "gate/sandbox.h"
#include "gate/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CORE_MESSAGES_PER_TURN 4096
#define ACCEPTS_PER_EVENT 64
#define BACKLOG_MAX (16u << 20)       // at most a few small messages a connection: see gate_put
#define REJECT_TEXT 120               // bus/msg.h
#define HISTORY_AGAIN (5 * US_PER_MS)  // if no acknowledgement brings us there sooner
#define ACCEPT_AGAIN (100 * US_PER_MS) // after the process ran out of descriptors

void ids_add(struct ids *v, uint64_t id)
{
	if (v->n == v->cap) {
		v->cap = MAX(v->cap * 2, (size_t)64);
		v->at = mem_resize(v->at, v->cap * sizeof *v->at);
	}
	v->at[v->n++] = id;
}

// --- to the core ---

void *gate_reserve(struct gate *g, size_t n)
{
	void *p = g->blocked ? NULL : ring_reserve(g->to_core, n);
	if (!p && !g->blocked)
		g->blocked_since = clock_mono();
	if (!p)
		g->blocked = true; // ring_space_fd will tell
	return p;
}

static void count_blocked(struct gate *g)
{
	int64_t now = clock_mono();
	if (g->blocked)
		g->said.blocked_us += (uint64_t)(now - g->blocked_since);
	g->blocked_since = now;
}

// A small message: head of n bytes that begins with a struct msg, then texts. Never refused: what the ring cannot take
// waits in the backlog, and while it waits nothing is read from devices, so that it cannot grow without end.
static void gate_put(struct gate *g, void *head, size_t n, const struct str *texts, size_t ntexts)
{
	struct msg *m = head;
	size_t size = n;
	for (size_t i = 0; i < ntexts; i++)
		size += texts[i].n;
	m->size = (uint32_t)size;
	char *to = gate_reserve(g, size);
	bool direct = to != NULL;
	if (!direct)
		to = buf_room(&g->backlog, (size + 7) / 8 * 8);
	if (!to)
		log_die("gate", "backlog beyond %u bytes", BACKLOG_MAX);
	memcpy(to, head, n);
	for (size_t i = 0, at = n; i < ntexts; at += texts[i++].n)
		memcpy(to + at, texts[i].p, texts[i].n);
	if (direct)
		ring_commit(g->to_core, size);
	else
		buf_commit(&g->backlog, (size + 7) / 8 * 8);
}

static struct msg conn_msg(const struct conn *c, enum msg_kind kind);

void gate_keep(struct conn *c, uint64_t series, unsigned parts, unsigned part, struct str bytes)
{
	struct msg_keep k = { .m = conn_msg(c, MSG_KEEP), .series = series, .parts = parts, .part = part };
	k.m.seq = ++c->gate->seq;
	k.m.count = (uint32_t)bytes.n;
	gate_put(c->gate, &k, sizeof k, &bytes, 1);
}

static struct msg conn_msg(const struct conn *c, enum msg_kind kind)
{
	return (struct msg){ .kind = (uint16_t)kind, .protocol = (uint16_t)c->protocol, .conn = c->id,
		             .device = c->device ? c->device->id : 0 };
}

static void put_hello(struct conn *c, enum msg_kind kind, struct str name, struct str key, bool keyless)
{
	struct str texts[] = { name, key, str_of(c->peer) };
	struct msg_hello h = { .m = conn_msg(c, kind), .name_len = (uint16_t)name.n, .key_len = (uint16_t)key.n,
		               .peer_len = (uint16_t)texts[2].n, .keyless = keyless };
	gate_put(c->gate, &h, sizeof h, texts, ARRAY_LEN(texts));
}

void gate_hello(struct conn *c, struct str name, struct str key, bool keyless)
{
	memcpy(c->name, name.p, name.n); // the protocols have checked LIMIT_DEVICE_NAME and LIMIT_DEVICE_KEY
	c->name_len = (uint8_t)name.n;
	c->state = CONN_WAITING;
	loop_timer_in(c->gate->loop, &c->timer, LIMIT_GATE_UNAUTHENTICATED_S * US_PER_S);
	c->announced = true;
	put_hello(c, MSG_HELLO, name, key, keyless);
}

void gate_refresh(struct conn *c)
{
	if (c->device)
		put_hello(c, MSG_REFRESH, c->device->code, STR_EMPTY, false);
}

void gate_gone(struct conn *c)
{
	struct msg m = conn_msg(c, MSG_GONE);
	gate_put(c->gate, &m, sizeof m, NULL, 0);
}

void gate_subscribed(struct conn *c)
{
	struct msg m = conn_msg(c, MSG_SUBSCRIBED);
	gate_put(c->gate, &m, sizeof m, NULL, 0);
}

void gate_delivered(struct gate *g, uint32_t device, uint64_t conn, uint64_t seq, bool delivered)
{
	struct msg m = { .kind = MSG_DELIVERED, .conn = conn, .seq = seq, .device = device, .count = delivered };
	gate_put(g, &m, sizeof m, NULL, 0);
}

void gate_answered(struct conn *c, uint64_t seq, const struct command_answer *a)
{
	struct msg_answer m = { .m = conn_msg(c, MSG_ANSWER), .a = *a };
	m.m.seq = seq;
	gate_put(c->gate, &m, sizeof m, NULL, 0);
}

// The first bytes of what was refused, for a page: valid UTF-8 stays, everything else becomes a dot.
static size_t printable(struct str s, char *ret)
{
	size_t n = MIN(s.n, (size_t)REJECT_TEXT);
	while (n < s.n && n && ((uint8_t)s.p[n] & 0xC0) == 0x80) // not in the middle of a character
		n--;
	bool utf8 = str_utf8_valid(str_from(s.p, n));
	for (size_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)s.p[i];
		ret[i] = (char)(b < 0x20 || b == 0x7F || (b >= 0x80 && !utf8) ? '.' : b);
	}
	return n;
}

// --- unfinished messages of all together ---

// Who waits is read again when there is room, or when his share has grown; after LIMIT_GATE_CROWDED_S he is closed, so that
// there is room at last (unless he waits for us). What a device had not been answered it sends again.
static void gate_uncrowd(struct gate *g)
{
	struct ids waiting = g->crowded;
	int64_t now = loop_mono(g->loop);
	g->crowded = (struct ids){ 0 };
	for (size_t i = 0; i < waiting.n; i++) {
		struct conn *c = conn_by_id(g, waiting.at[i]);
		if (!c || c->state >= CONN_LINGER)
			continue;
		if (!conn_too_much(c)) {
			c->crowded = false;
			conn_resume(c);
		} else if (conn_may_read(c) && now - c->crowded_since > LIMIT_GATE_CROWDED_S * US_PER_S) {
			conn_end(c, REJECT_SLOW, MQTT_QUOTA, STR_EMPTY);
			conn_forget_input(c);
		} else {
			ids_add(&g->crowded, c->id);
		}
	}
	mem_free(waiting.at);
}

// Who keeps more than his share and sends nothing more would never be found waiting.
static void gate_crowd_the_quiet(struct gate *g)
{
	for (size_t i = 0; i < LIMIT_GATE_CONNECTIONS && g->buffered > LIMIT_GATE_BUFFERED; i++)
		if (g->slots[i])
			conn_wait_for_room(g->slots[i]);
}

// Once a second, how the gate is. While the ring is full the core has other worries, and no second copy waits for it.
static void gate_report(void *ctx)
{
	struct gate *g = ctx;
	loop_timer_in(g->loop, &g->report, US_PER_S);
	gate_crowd_the_quiet(g);
	gate_uncrowd(g);
	count_blocked(g);
	if (g->blocked)
		return;
	g->said.m = (struct msg){ .kind = MSG_GATE };
	g->said.connections = (uint32_t)(LIMIT_GATE_CONNECTIONS - g->nfree);
	g->said.strangers = g->strangers;
	g->said.crowded = (uint32_t)g->crowded.n;
	g->said.buffered = g->buffered;
	gate_put(g, &g->said, sizeof g->said, NULL, 0);
}

void gate_reject(struct conn *c, enum reject why, uint32_t count, struct str what)
{
	gate_reject_time(c, why, count, what, 0);
}

void gate_reject_time(struct conn *c, enum reject why, uint32_t count, struct str what, int64_t time)
{
	char text[REJECT_TEXT];
	size_t n = printable(what.n ? what : str_from(c->name, c->name_len), text);
	struct str texts[] = { str_from(text, n), str_of(c->peer) };
	struct msg_reject r = { .m = conn_msg(c, MSG_REJECT), .reason = (uint16_t)why, .text_len = (uint16_t)n,
		                .peer_len = (uint16_t)texts[1].n, .time = time };
	r.m.count = count;
	gate_put(c->gate, &r, sizeof r, texts, ARRAY_LEN(texts));
}

static void gate_unblock(struct gate *g)
{
	size_t done = 0;
	while (done < g->backlog.n) {
		struct msg m;
		memcpy(&m, g->backlog.p + done, sizeof m);
		void *to = ring_reserve(g->to_core, m.size);
		if (!to)
			break;
		memcpy(to, g->backlog.p + done, m.size);
		ring_commit(g->to_core, m.size);
		done += (m.size + 7) / 8 * 8;
	}
	buf_drop_front(&g->backlog, done);
	if (g->backlog.n)
		return;
	count_blocked(g);
	g->blocked = false;
	struct ids again = g->stalled;
	g->stalled = (struct ids){ 0 };
	for (size_t i = 0; i < again.n; i++) {
		struct conn *c = conn_by_id(g, again.at[i]);
		if (c)
			conn_resume(c);
	}
	mem_free(again.at);
}

static void gate_on_space(void *ctx, uint32_t events)
{
	(void)events;
	struct gate *g = ctx;
	uint64_t n;
	// taken away even when nobody waits (a core that starts says "space" in any case), or the loop would never sleep;
	// a try that meets a full ring again arms it anew
	ssize_t r = read(ring_space_fd(g->to_core), &n, sizeof n);
	(void)r;
	if (g->blocked)
		gate_unblock(g);
}

// --- history lets live readings go first ---
//
// The core takes the ring in order, so what waits there is how long a live reading waits. A device that sends what it kept
// while it was away is read only while little waits; one that has not sent anything yet, while not much waits; the others
// until the ring is full.

bool gate_has_room(const struct conn *c)
{
	return c->live || ring_used(c->gate->to_core) < (c->heard ? LIMIT_GATE_HISTORY : LIMIT_GATE_FIRST);
}

void gate_yield(struct conn *c)
{
	struct gate *g = c->gate;
	if (c->yields)
		return;
	c->yields = true;
	ids_add(&g->history, c->id);
	if (!loop_timer_is_set(&g->history_timer))
		loop_timer_in(g->loop, &g->history_timer, HISTORY_AGAIN);
}

// One after the other, each as much as one read brings, until the core has enough to do.
static void gate_take_history(struct gate *g)
{
	size_t n = g->history.n;
	while (g->history_first < n && !g->blocked && ring_used(g->to_core) < LIMIT_GATE_HISTORY) {
		struct conn *c = conn_by_id(g, g->history.at[g->history_first++]);
		if (!c)
			continue;
		c->yields = false;
		conn_resume(c);
	}
	size_t left = g->history.n - g->history_first;
	if (g->history_first > left) { // the front is given back when it is the longer part
		memmove(g->history.at, g->history.at + g->history_first, left * sizeof *g->history.at);
		g->history.n = left;
		g->history_first = 0;
	}
	g->said.waiting = (uint32_t)left;
}

static void gate_on_history_timer(void *ctx)
{
	struct gate *g = ctx;
	gate_take_history(g);
	if (g->history.n > g->history_first)
		loop_timer_in(g->loop, &g->history_timer, HISTORY_AGAIN);
}

// --- acknowledgements ---

static void held_grow(struct gate *g)
{
	size_t cap = MAX(g->held_cap * 2, (size_t)256);
	struct held *h = mem_alloc(cap * sizeof *h);
	for (size_t i = 0; i < g->held_n; i++)
		h[i] = g->held[(g->held_first + i) & (g->held_cap - 1)];
	mem_free(g->held);
	g->held = h;
	g->held_cap = cap;
	g->held_first = 0;
}

void gate_hold(struct conn *c, uint32_t what)
{
	struct gate *g = c->gate;
	if (g->seq <= g->acked) {
		c->proto->released(c, what);
		return;
	}
	if (g->held_n == g->held_cap)
		held_grow(g);
	g->held[(g->held_first + g->held_n++) & (g->held_cap - 1)] = (struct held){ g->seq, c->id, what };
	c->inflight++;
}

static void gate_on_ack(struct gate *g, uint64_t seq)
{
	if (seq <= g->acked || seq > g->seq)
		return; // of an earlier gate
	g->acked = seq;
	while (g->held_n && g->held[g->held_first].seq <= seq) {
		struct held h = g->held[g->held_first];
		g->held_first = (g->held_first + 1) & (g->held_cap - 1);
		g->held_n--;
		struct conn *c = conn_by_id(g, h.conn);
		if (!c || c->state >= CONN_LINGER)
			continue;
		c->inflight--;
		c->proto->released(c, h.what);
		if (c->paused && c->inflight == LIMIT_MQTT_INFLIGHT / 2)
			conn_resume(c);
	}
}

// --- from the core ---

static void gate_on_welcome(struct gate *g, const struct msg_welcome *m, size_t n)
{
	struct conn *c = conn_by_id(g, m->m.conn);
	if (!c || c->state != CONN_WAITING)
		return;
	enum welcome verdict = (enum welcome)m->verdict;
	struct device *d = NULL;
	if (verdict == WELCOME_OK && !(d = device_learn(g, m, n, str_from(c->name, c->name_len))))
		verdict = WELCOME_BUSY;
	if (d) {
		device_attach(d, c);
		if (c->protocol == PROTO_GATEWAY)
			line_key(c, m);
		for (struct conn *old = d->conns, *next; old; old = next) { // one connection a device: the newest
			next = old->device_next;
			if (old != c && old->proto == &proto_line && c->protocol == old->protocol)
				line_inherit(c, old);
			if (old != c)
				conn_end(old, REJECT__MAX, MQTT_TAKEN_OVER, STR_EMPTY);
		}
		c->state = CONN_READY;
		g->strangers -= !c->welcomed;
		c->welcomed = true;
		loop_timer_stop(g->loop, &c->timer);
	}
	c->proto->welcome(c, verdict);
	conn_resume(c);
}

static void gate_on_command(struct gate *g, const struct msg_command *k, size_t n)
{
	struct device *d = device_by_id(g, k->m.device);
	struct str payload = str_from((const char *)(k + 1), n - sizeof *k);
	for (struct conn *c = d ? d->conns : NULL; c; c = c->device_next)
		if (c->proto->command && c->proto->command(c, k, payload))
			return;
	gate_delivered(g, k->m.device, 0, k->m.seq, false);
}

static void gate_on_kick(struct gate *g, uint32_t device)
{
	struct device *d;
	while ((d = device_by_id(g, device)) && d->conns)
		conn_end(d->conns, REJECT__MAX, MQTT_ADMINISTRATIVE, STR_EMPTY);
}

static void gate_on_points(struct gate *g, const struct msg_welcome *m, size_t n)
{
	struct device *d = device_by_id(g, m->m.device);
	if (d && m->verdict != WELCOME_OK)
		gate_on_kick(g, m->m.device); // retired or disabled meanwhile
	else if (d)
		device_learn(g, m, n, d->code);
}

static void gate_on_ready(struct gate *g, uint32_t device)
{
	struct device *only = device ? device_by_id(g, device) : NULL;
	for (struct conn *c = only ? only->conns : NULL; c; c = c->device_next)
		gate_refresh(c);
	for (size_t i = 0; !device && i < g->ndevices; i++)
		for (struct conn *c = g->device_at[i]->conns; c; c = c->device_next)
			gate_refresh(c);
}

static void gate_on_kept(struct gate *g, const struct msg_keep *m, size_t n)
{
	struct conn *c = conn_by_id(g, m->m.conn);
	if (c && c->proto == &proto_line && m->m.count <= n - sizeof *m)
		line_kept(c, m, str_from((const char *)(m + 1), m->m.count));
}

static void gate_on_message(struct gate *g, const struct msg *m, size_t n)
{
	if (n < sizeof *m)
		return;
	switch (m->kind) {
	case MSG_WELCOME:
		if (n >= sizeof(struct msg_welcome))
			gate_on_welcome(g, (const struct msg_welcome *)m, n);
		break;
	case MSG_POINTS:
		if (n >= sizeof(struct msg_welcome))
			gate_on_points(g, (const struct msg_welcome *)m, n);
		break;
	case MSG_ACK: gate_on_ack(g, m->seq); break;
	case MSG_KEPT:
		if (n >= sizeof(struct msg_keep))
			gate_on_kept(g, (const struct msg_keep *)m, n);
		break;
	case MSG_COMMAND:
		if (n >= sizeof(struct msg_command))
			gate_on_command(g, (const struct msg_command *)m, n);
		break;
	case MSG_KICK: gate_on_kick(g, m->device); break;
	case MSG_READY: gate_on_ready(g, m->device); break;
	default: break;
	}
}

// True: there may be more.
static bool gate_listen_to_core(struct gate *g)
{
	size_t n;
	const void *m;
	for (int i = 0; i < CORE_MESSAGES_PER_TURN && (m = ring_next(g->from_core, &n)); i++)
		gate_on_message(g, m, n);
	ring_release(g->from_core, ring_position(g->from_core));
	if (ring_is_corrupt(g->from_core)) {
		log_error("gate", "the ring from the core is damaged; both start again");
		_exit(RING_EXIT);
	}
	return !ring_may_sleep(g->from_core);
}

static void gate_say_goodbye(struct gate *g)
{
	for (size_t i = 0; i < LIMIT_GATE_CONNECTIONS; i++)
		if (g->slots[i]) {
			conn_end(g->slots[i], REJECT__MAX, MQTT_SHUTTING_DOWN, STR_EMPTY);
			conn_flush(g->slots[i]);
		}
	_exit(0);
}

static bool gate_read_again(struct gate *g)
{
	struct ids again = g->again;
	g->again = (struct ids){ 0 };
	for (size_t i = 0; i < again.n; i++) {
		struct conn *c = conn_by_id(g, again.at[i]);
		if (!c)
			continue;
		c->again = false;
		conn_resume(c);
	}
	mem_free(again.at);
	return again.n != 0;
}

bool gate_idle(void *gate)
{
	struct gate *g = gate;
	bool more = gate_listen_to_core(g);
	gate_take_history(g);
	for (size_t i = 0; i < g->dirty.n; i++) { // flushing adds no dirty ones, but may add dead ones
		struct conn *c = conn_by_id(g, g->dirty.at[i]);
		if (c && c->state != CONN_DEAD)
			conn_flush(c);
	}
	g->dirty.n = 0;
	for (size_t i = 0; i < g->dead.n; i++) {
		struct conn *c = conn_by_id(g, g->dead.at[i]);
		if (c)
			conn_free(c);
	}
	g->dead.n = 0;
	if (g->crowded.n && g->buffered <= LIMIT_GATE_BUFFERED)
		gate_uncrowd(g);
	return gate_read_again(g) || more;
}

// --- listening ---

static void peer_text(const struct sockaddr_storage *a, char *ret, size_t n)
{
	char ip[INET6_ADDRSTRLEN] = "";
	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)a;
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
		snprintf(ret, n, "%s:%u", ip, ntohs(in->sin_port));
	} else if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;
		inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
		snprintf(ret, n, "[%s]:%u", ip, ntohs(in->sin6_port));
	}
}

// Acknowledgements are few and small: they do not wait for company. The probes find out about devices that have no
// keep-alive of their own and vanished (after 120 + 4 × 30 s), the last option about those that stopped reading.
static void socket_tune(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },    { SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 120 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 30 }, { IPPROTO_TCP, TCP_KEEPCNT, 4 }, { IPPROTO_TCP, TCP_USER_TIMEOUT, 60000 },
	};
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
}

static void gate_adopt(struct gate *g, size_t listener, int fd, const struct sockaddr_storage *addr)
{
	socket_tune(fd);
	struct conn *c = conn_new(g, fd, g->listeners[listener].proto, g->listeners[listener].protocol);
	if (!c) {
		g->said.turned_away++;
		close(fd);
		return;
	}
	g->said.accepted++;
	peer_text(addr, c->peer, sizeof c->peer);
	if (g->listeners[listener].tls && !(c->tls = tls_session_new(g->tls, fd)))
		conn_drop(c);
}

static void gate_watch_listeners(struct gate *g, uint32_t events)
{
	for (size_t i = 0; i < g->nlisteners; i++)
		loop_rewatch(g->loop, g->listeners[i].fd, events);
}

static void gate_accept_again(void *ctx) { gate_watch_listeners(ctx, EPOLLIN); }

static void gate_on_accept(void *ctx, uint32_t events)
{
	(void)events;
	typeof(&((struct gate *)0)->listeners[0]) l = ctx;
	struct gate *g = l->gate;
	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		struct sockaddr_storage addr = { 0 };
		socklen_t len = sizeof addr;
		int fd = accept4(l->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			gate_adopt(g, (size_t)(l - g->listeners), fd, &addr);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("gate", "no more connections can be taken: errno %d", errno);
			g->said.turned_away++;
			gate_watch_listeners(g, 0);
			loop_timer_in(g->loop, &g->accept_again, ACCEPT_AGAIN);
		}
		return;
	}
}

static bool gate_listen(struct gate *g, int fd, const struct proto *proto, enum protocol protocol, bool tls)
{
	if (fd < 0)
		return true;
	typeof(&g->listeners[0]) l = &g->listeners[g->nlisteners++];
	l->gate = g;
	l->fd = fd;
	l->proto = proto;
	l->protocol = protocol;
	l->tls = tls;
	return loop_watch(g->loop, fd, EPOLLIN, gate_on_accept, l) == OK;
}

// --- connections that the core has made ---

static void gate_on_dialled(void *ctx, uint32_t events)
{
	struct gate *g = ctx;
	struct dialled d;
	(void)events;
	for (int fd; (fd = pass_take(g->cfg->dialled_fd, &d)) >= 0;) {
		struct conn *c = d.protocol == PROTO_MODBUS ? conn_new(g, fd, &proto_modbus, PROTO_MODBUS) : NULL;
		if (!c) {
			close(fd);
			continue;
		}
		d.peer[sizeof d.peer - 1] = 0;
		memcpy(c->peer, d.peer, sizeof c->peer);
		c->modbus.unit = d.unit;
		c->modbus.interval = d.interval_ms * US_PER_MS;
		gate_hello(c, str_from(d.name, d.name_len), STR_EMPTY, true);
	}
}

// --- start ---

void gate_init(struct gate *g, const struct gate_config *cfg)
{
	memset(g, 0, sizeof *g);
	g->cfg = cfg;
	g->loop = loop_new();
	g->to_core = cfg->to_core;
	g->from_core = cfg->from_core;
	g->seq = g->acked = (uint64_t)cfg->generation << 40;
	g->slots = mem_alloc(LIMIT_GATE_CONNECTIONS * sizeof(*g->slots));
	g->serials = mem_alloc(LIMIT_GATE_CONNECTIONS * sizeof(*g->serials));
	g->free_slots = mem_alloc(LIMIT_GATE_CONNECTIONS * sizeof(*g->free_slots));
	for (g->nfree = 0; g->nfree < LIMIT_GATE_CONNECTIONS; g->nfree++)
		g->free_slots[g->nfree] = LIMIT_GATE_CONNECTIONS - 1 - (uint32_t)g->nfree;
	g->devices = strmap_new(64);
	g->arena = arena_new(64u << 10);
	g->frame_arena = arena_new(4u << 10);
	g->scratch = mem_alloc(GATE_SCRATCH);
	buf_init(&g->backlog, BACKLOG_MAX);
	loop_timer_init(&g->accept_again, gate_accept_again, g);
	loop_timer_init(&g->report, gate_report, g);
	loop_timer_init(&g->history_timer, gate_on_history_timer, g);
	ring_attach_producer(g->to_core);
	ring_attach_consumer(g->from_core);
}

void gate_done(struct gate *g)
{
	for (size_t i = 0; i < LIMIT_GATE_CONNECTIONS; i++)
		if (g->slots[i]) {
			device_detach(g->slots[i]);
			conn_free(g->slots[i]);
		}
	loop_free(g->loop);
	strmap_free(g->devices);
	tls_free(g->tls);
	arena_free(g->arena);
	arena_free(g->frame_arena);
	buf_free(&g->backlog);
	void *owned[] = { g->slots, g->serials, g->free_slots, g->scratch, g->held, g->device_at, g->stalled.at, g->dirty.at,
		          g->dead.at, g->again.at, g->history.at, g->crowded.at };
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		mem_free(owned[i]);
}

static void gate_on_sigterm(void *ctx, uint32_t events)
{
	(void)events;
	gate_say_goodbye(ctx);
}

// Through a descriptor, so that it cannot arrive between looking and sleeping.
static bool gate_watch_sigterm(struct gate *g)
{
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL) < 0)
		return false;
	int fd = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd >= 0 && loop_watch(g->loop, fd, EPOLLIN, gate_on_sigterm, g) == OK;
}

static void gate_on_core(void *ctx, uint32_t events) // only wakes: the idle hook does the work
{
	(void)events;
	struct gate *g = ctx;
	uint64_t n;
	ssize_t r = read(ring_data_fd(g->from_core), &n, sizeof n);
	(void)r;
}

static bool gate_start(struct gate *g, const struct gate_config *cfg)
{
	gate_init(g, cfg);
	if (cfg->mqtts_fd >= 0 && !(g->tls = tls_new(cfg->cert, cfg->key)))
		return false;
	if (loop_watch(g->loop, ring_data_fd(g->from_core), EPOLLIN, gate_on_core, g) != OK ||
	    loop_watch(g->loop, ring_space_fd(g->to_core), EPOLLIN, gate_on_space, g) != OK)
		return false;
	envelope_prepare();
	loop_on_idle(g->loop, gate_idle, g);
	loop_timer_in(g->loop, &g->report, US_PER_S);
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigaction(SIGPIPE, &ignore, NULL); // OpenSSL writes without MSG_NOSIGNAL
	sigaction(SIGINT, &ignore, NULL);  // a terminal's ^C is the parent's business
	for (int p = 0; p < PROTO__MAX; p++)
		if (cfg->line_fd[p] && !gate_listen(g, cfg->line_fd[p], &proto_line, (enum protocol)p, false))
			return false;
	if (cfg->dialled_fd && loop_watch(g->loop, cfg->dialled_fd, EPOLLIN, gate_on_dialled, g) != OK)
		return false;
	return gate_watch_sigterm(g) && gate_listen(g, cfg->mqtt_fd, &proto_mqtt, PROTO_NONE, false) &&
	       gate_listen(g, cfg->mqtts_fd, &proto_mqtt, PROTO_NONE, true);
}

_Noreturn void gate_run(const struct gate_config *cfg)
{
	static struct gate g;
	int keep[PROTO__MAX + 10] = { [PROTO__MAX] = 0, 1, 2, cfg->dialled_fd, cfg->mqtt_fd, cfg->mqtts_fd, ring_data_fd(cfg->to_core),
		       ring_space_fd(cfg->to_core), ring_data_fd(cfg->from_core), ring_space_fd(cfg->from_core) };
	memcpy(keep, cfg->line_fd, sizeof cfg->line_fd);
	sandbox_close_others(keep, ARRAY_LEN(keep));
	log_set(LOG_INFO, "gate");
	if (!gate_start(&g, cfg) || (!cfg->open && !sandbox_enter()))
		_exit(1);
	log_info("gate", "serving, generation %u", cfg->generation);
	loop_run(g.loop);
	_exit(0);
}
