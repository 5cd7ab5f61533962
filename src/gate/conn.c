// One connection's bytes: reading without copying where possible, writing together at the end of a turn, pausing when
// the ring or the core cannot take more, and ending with the protocol's own last words.
#include "gate/conn.h"

#include "gate/tls.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_EVENT 4   // then the others have their turn
#define READS_PER_EVENT_TLS 16 // of at most 16 KiB each
#define HISTORY_READ (16u << 10) // read at once from a connection that may have to wait with the rest of it
#define KEEP_BUFFER 4096u   // an empty input buffer above this is given back

static void conn_on_event(void *ctx, uint32_t events);
static void conn_on_timer(void *ctx);

// --- memory of all together ---

// After each change of c->in.
static void conn_count(struct conn *c)
{
	struct gate *g = c->gate;
	if (c->in.cap == c->counted)
		return;
	g->holders += (c->in.cap != 0) - (size_t)(c->counted != 0);
	g->buffered += c->in.cap - c->counted;
	c->counted = c->in.cap;
}

void conn_forget_input(struct conn *c)
{
	buf_free(&c->in);
	conn_count(c);
}

bool conn_too_much(const struct conn *c)
{
	const struct gate *g = c->gate;
	return g->buffered > LIMIT_GATE_BUFFERED && c->state < CONN_LINGER && c->in.cap > LIMIT_GATE_BUFFERED / g->holders;
}

// --- life ---

struct conn *conn_new(struct gate *g, int fd, const struct proto *proto, enum protocol protocol)
{
	if (!g->nfree)
		return NULL;
	uint32_t slot = g->free_slots[--g->nfree];
	struct conn *c = mem_alloc(sizeof *c);
	c->id = (uint64_t)(g->cfg->generation & 0xFFFF) << 48 | (uint64_t)slot << 32 | ++g->serials[slot];
	c->gate = g;
	c->fd = fd;
	c->proto = proto;
	c->protocol = protocol;
	c->last_in = loop_mono(g->loop);
	buf_init(&c->in, (protocol == PROTO_GATEWAY ? LIMIT_GATEWAY_FRAME : LIMIT_MQTT_PACKET) + GATE_SCRATCH);
	buf_init(&c->out, LIMIT_GATE_OUT);
	if (proto == &proto_line)
		line_init(c);
	loop_timer_init(&c->timer, conn_on_timer, c);
	loop_timer_in(g->loop, &c->timer, LIMIT_GATE_UNAUTHENTICATED_S * US_PER_S);
	if (fd >= 0 && loop_watch(g->loop, fd, EPOLLIN, conn_on_event, c) != OK)
		conn_drop(c);
	g->slots[slot] = c;
	g->strangers++;
	return c;
}

struct conn *conn_by_id(struct gate *g, uint64_t id)
{
	uint32_t slot = id >> 32 & 0xFFFF;
	struct conn *c = slot < LIMIT_GATE_CONNECTIONS ? g->slots[slot] : NULL;
	return c && c->id == id ? c : NULL;
}

void conn_free(struct conn *c)
{
	struct gate *g = c->gate;
	uint32_t slot = c->id >> 32 & 0xFFFF;
	loop_timer_stop(g->loop, &c->timer);
	if (c->fd >= 0) {
		loop_unwatch(g->loop, c->fd);
		tls_session_free(c->tls);
		close(c->fd);
	}
	conn_forget_input(c);
	buf_free(&c->out);
	if (c->proto->done)
		c->proto->done(c);
	g->slots[slot] = NULL;
	g->strangers -= !c->welcomed;
	g->free_slots[g->nfree++] = slot;
	mem_free(c);
}

static void conn_leave_device(struct conn *c)
{
	if (c->device && c->proto->leaving)
		c->proto->leaving(c);
	if (c->announced)
		gate_gone(c);
	c->announced = false;
	device_detach(c);
}

void conn_drop(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	conn_leave_device(c);
	c->state = CONN_DEAD;
	ids_add(&c->gate->dead, c->id);
}

void conn_end(struct conn *c, enum reject why, uint8_t mqtt_reason, struct str what)
{
	if (c->state >= CONN_LINGER)
		return;
	if (why < REJECT__MAX)
		gate_reject(c, why, 1, what);
	c->proto->bye(c, why, mqtt_reason);
	conn_leave_device(c);
	c->state = CONN_LINGER;
	loop_timer_in(c->gate->loop, &c->timer, LIMIT_GATE_LINGER_S * US_PER_S);
	buf_clear(&c->in);
	conn_dirty(c);
}

// --- what may be done now ---

bool conn_may_read(const struct conn *c)
{
	if (c->state == CONN_LINGER)
		return true; // only thrown away
	if (c->state != CONN_NEW && c->state != CONN_READY)
		return false;
	// In 5.0 the client knows the limit and is told off when it passes it (mqtt.c); others are made to wait.
	bool polite = c->protocol == PROTO_MQTT5 || c->inflight < LIMIT_MQTT_INFLIGHT;
	return polite && !c->gate->blocked && (c->state != CONN_READY || gate_has_room(c));
}

static void conn_watch(struct conn *c)
{
	if (c->fd >= 0 && c->state != CONN_DEAD)
		loop_rewatch(c->gate->loop, c->fd, (c->paused ? 0 : EPOLLIN) | (c->want_out ? EPOLLOUT : 0));
}

void conn_wait_for_room(struct conn *c)
{
	if (c->crowded || !conn_too_much(c))
		return;
	c->crowded = true;
	c->crowded_since = loop_mono(c->gate->loop);
	ids_add(&c->gate->crowded, c->id);
}

static void conn_pause(struct conn *c)
{
	c->paused = true;
	conn_wait_for_room(c);
	if (c->gate->blocked && !c->stalled) {
		c->stalled = true;
		ids_add(&c->gate->stalled, c->id);
	} else if (!c->gate->blocked && !c->live && c->state == CONN_READY) {
		gate_yield(c);
	}
	conn_watch(c);
}

// --- input ---

// Whole frames from the front of in, as long as the connection may go on. Returns the bytes used.
static size_t conn_parse(struct conn *c, struct str in)
{
	size_t used = 0;
	while (used < in.n && c->state != CONN_LINGER && conn_may_read(c)) {
		c->need = 0;
		size_t n = c->proto->input(c, str_skip(in, used));
		if (!n)
			break;
		used += n;
		c->last_in = loop_mono(c->gate->loop);
	}
	return c->state >= CONN_LINGER ? in.n : used;
}

static void conn_parse_kept(struct conn *c)
{
	if (!c->in.n)
		return;
	size_t used = conn_parse(c, buf_str(&c->in));
	buf_drop_front(&c->in, MIN(used, c->in.n)); // conn_end may have emptied it
	if (!c->in.n && c->in.cap > KEEP_BUFFER)
		buf_free(&c->in);
}

static void conn_parse_fresh(struct conn *c, struct str bytes)
{
	size_t used = conn_parse(c, bytes);
	buf_add_str(&c->in, str_skip(bytes, used));
}

void conn_feed(struct conn *c, struct str bytes)
{
	if (c->state >= CONN_LINGER)
		return;
	if (c->in.n || !conn_may_read(c)) {
		buf_add_str(&c->in, bytes);
		if (!buf_ok(&c->in)) {
			conn_drop(c);
			return;
		}
		conn_parse_kept(c);
	} else {
		conn_parse_fresh(c, bytes);
	}
	conn_count(c);
	if (c->state < CONN_LINGER && !conn_may_read(c))
		conn_pause(c);
}

// As recv; TLS_AGAIN, TLS_CLOSED.
static ssize_t conn_recv(struct conn *c, void *p, size_t n)
{
	if (c->tls) {
		uint32_t wait = 0;
		ssize_t got = tls_read(c->tls, p, n, &wait);
		if (got == TLS_AGAIN && wait == EPOLLOUT)
			c->want_out = true; // handshake: told to conn_watch by the caller
		return got;
	}
	ssize_t got = recv(c->fd, p, n, 0);
	if (got > 0)
		return got;
	return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? TLS_AGAIN : TLS_CLOSED;
}

// One read. False: nothing more now.
static bool conn_read_once(struct conn *c)
{
	size_t most = c->state == CONN_NEW ? GATE_NEW_READ : c->live ? GATE_SCRATCH : HISTORY_READ; // what is not parsed is kept
	char *to = c->gate->scratch;
	bool append = c->in.n && c->state != CONN_LINGER;
	if (append) { // complete the frame at the front, then read into scratch again
		most = MIN(c->need > c->in.n ? c->need - c->in.n : GATE_NEW_READ, most);
		to = buf_room(&c->in, most);
	}
	ssize_t got = to ? conn_recv(c, to, most) : TLS_CLOSED;
	if (got == TLS_CLOSED) {
		conn_drop(c);
		return false;
	}
	if (got == TLS_AGAIN || c->state == CONN_LINGER)
		return got > 0;
	if (append) {
		buf_commit(&c->in, (size_t)got);
		conn_parse_kept(c);
	} else {
		conn_parse_fresh(c, str_from(to, (size_t)got));
	}
	if (!buf_ok(&c->in))
		conn_drop(c);
	return (size_t)got == most || c->tls; // TLS may hold more than the socket shows
}

static bool conn_read_and_count(struct conn *c)
{
	bool more = conn_read_once(c);
	conn_count(c);
	return more;
}

static void conn_read(struct conn *c)
{
	int reads = 0;
	while (c->state != CONN_DEAD && conn_may_read(c) && !conn_too_much(c) && conn_read_and_count(c))
		if (++reads >= (c->tls ? READS_PER_EVENT_TLS : READS_PER_EVENT)) { // epoll brings us back; with TLS it may not
			if (c->tls && !c->again)
				ids_add(&c->gate->again, c->id);
			c->again = c->tls != NULL;
			break;
		}
	if (c->state == CONN_DEAD)
		return;
	if (!conn_may_read(c) || conn_too_much(c))
		conn_pause(c);
	else
		conn_watch(c);
}

void conn_resume(struct conn *c)
{
	if (c->state >= CONN_LINGER)
		return;
	c->stalled = false;
	if (!conn_may_read(c)) {
		conn_pause(c);
		return;
	}
	c->paused = false;
	conn_parse_kept(c);
	conn_count(c);
	if (c->fd >= 0)
		conn_read(c);
	else if (!conn_may_read(c))
		conn_pause(c);
}

static void conn_on_event(void *ctx, uint32_t events)
{
	struct conn *c = ctx;
	if (c->state == CONN_DEAD)
		return;
	if (events & (EPOLLERR | EPOLLHUP) && (c->paused || !(events & EPOLLIN))) {
		conn_drop(c);
		return;
	}
	if (events & EPOLLOUT) {
		c->want_out = false;
		conn_flush(c);
	}
	if (c->state != CONN_DEAD && !c->paused)
		conn_read(c);
}

// --- output ---

void conn_dirty(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	ids_add(&c->gate->dirty, c->id);
}

static ssize_t conn_send(struct conn *c, const void *p, size_t n)
{
	if (c->tls) {
		uint32_t wait = 0;
		ssize_t sent = tls_write(c->tls, p, n, &wait);
		if (sent == TLS_AGAIN)
			c->want_out = c->want_out || wait == EPOLLOUT;
		return sent;
	}
	ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return TLS_CLOSED;
	c->want_out = true;
	return TLS_AGAIN;
}

// Everything is out and the connection is to end: close our side, wait a moment for the other's.
static void conn_shut(struct conn *c)
{
	if (c->eof)
		return;
	c->eof = true;
	if (c->tls)
		tls_bye(c->tls);
	if (c->fd < 0)
		conn_drop(c);
	else if (shutdown(c->fd, SHUT_WR) < 0)
		conn_drop(c);
	c->paused = false;
	conn_watch(c);
}

void conn_flush(struct conn *c)
{
	c->dirty = false;
	if (!buf_ok(&c->out)) { // more than LIMIT_GATE_OUT waits: it does not read
		if (c->state < CONN_LINGER)
			gate_reject(c, REJECT_SLOW, 1, STR_EMPTY);
		conn_drop(c);
		return;
	}
	size_t sent = 0;
	while (c->fd >= 0 && sent < c->out.n && !c->want_out) {
		ssize_t n = conn_send(c, c->out.p + sent, c->out.n - sent);
		if (n == TLS_CLOSED) {
			conn_drop(c);
			return;
		}
		if (n == TLS_AGAIN)
			break;
		sent += (size_t)n;
	}
	buf_drop_front(&c->out, sent);
	if (!c->out.n && c->out.cap > KEEP_BUFFER)
		buf_free(&c->out);
	if (c->state == CONN_LINGER && (!c->out.n || c->fd < 0))
		conn_shut(c);
	else
		conn_watch(c);
}

// --- time ---

static void conn_on_timer(void *ctx)
{
	struct conn *c = ctx;
	struct gate *g = c->gate;
	if (c->state == CONN_LINGER) {
		conn_drop(c);
		return;
	}
	if (c->state != CONN_READY) {
		if (c->state == CONN_NEW && c->gate->blocked) // not its fault
			loop_timer_in(g->loop, &c->timer, LIMIT_GATE_UNAUTHENTICATED_S * US_PER_S);
		else if (c->state == CONN_WAITING)
			c->proto->welcome(c, WELCOME_BUSY); // the core does not answer
		else
			conn_drop(c);
		return;
	}
	if (c->proto->tick)
		c->proto->tick(c);
}
