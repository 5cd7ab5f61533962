// Devices as the core sees them: who they say they are (T_DEVICE), what they sent and what was refused, commands to
// them. Counters live in memory and start at zero with the core.
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "core/core_int.h"
#include "gate/decode/envelope.h"

bool to_gate_send(struct core *co, const void *msg, size_t n)
{
	pthread_mutex_lock(&co->to_gate);
	void *room = ring_reserve(co->cfg.to_gate, n);
	if (room) {
		memcpy(room, msg, n);
		ring_commit(co->cfg.to_gate, n);
	}
	pthread_mutex_unlock(&co->to_gate);
	return room != NULL;
}

// ---- counters -----------------------------------------------------------------------------------

static struct device_stats *stats_of(struct core *co, uint32_t device) // stats_mutex is held
{
	if (device >= co->stats_cap) {
		size_t cap = MAX((size_t)device + 1, co->stats_cap * 2);
		co->stats = mem_resize(co->stats, cap * sizeof *co->stats);
		co->conns = mem_resize(co->conns, cap * sizeof *co->conns);
		memset(co->stats + co->stats_cap, 0, (cap - co->stats_cap) * sizeof *co->stats);
		memset(co->conns + co->stats_cap, 0, (cap - co->stats_cap) * sizeof *co->conns);
		co->stats_cap = cap;
	}
	return &co->stats[device];
}

void device_on_readings(struct core *co, const struct arrived *a)
{
	pthread_mutex_lock(&co->stats_mutex);
	struct device_stats *s = stats_of(co, a->device);
	s->device = a->device;
	s->protocol = a->protocol;
	s->messages++;
	s->readings += a->accepted;
	s->duplicates += a->duplicates;
	s->last = a->arrival;
	watch_message(co, s, a);
	pthread_mutex_unlock(&co->stats_mutex);
}

// HTTP has no connection to watch: recent contact is what there is.
bool device_is_online(const struct device_stats *s, int64_t now)
{
	return s->protocol == PROTO_HTTP ? s->last && now - s->last < 5 * US_PER_MIN : s->online;
}

static void keep_reject(struct device_stats *s, enum reject reason, size_t n, struct str text, int64_t at)
{
	s->rejects[reason] += n;
	s->last_reason = (uint16_t)reason;
	s->last_reject_at = at;
	size_t len = 0;
	for (size_t i = 0; i < text.n && len + 1 < sizeof s->last_reject; i++)
		s->last_reject[len++] = (char)((uint8_t)text.p[i] < 0x20 ? '.' : text.p[i]);
	while (len && !str_utf8_valid(str_from(s->last_reject, len)))
		len--;
	s->last_reject[len] = 0;
}

static struct device_stats *unknown_of(struct core *co, struct str peer) // one line an address; the oldest gives way
{
	struct device_stats *oldest = &co->unknown[0];
	for (size_t i = 0; i < co->nunknown; i++) {
		if (str_is(peer, co->unknown[i].peer))
			return &co->unknown[i];
		if (co->unknown[i].last_reject_at < oldest->last_reject_at)
			oldest = &co->unknown[i];
	}
	if (co->nunknown < ARRAY_LEN(co->unknown))
		oldest = &co->unknown[co->nunknown++];
	*oldest = (struct device_stats){ 0 };
	memcpy(oldest->peer, peer.p, MIN(peer.n, sizeof oldest->peer - 1));
	return oldest;
}

static void count_reject(struct core *co, uint32_t device, enum reject reason, size_t n, struct str text, struct str peer, int64_t time)
{
	pthread_mutex_lock(&co->stats_mutex);
	struct device_stats *s = device ? stats_of(co, device) : unknown_of(co, peer);
	s->device = device;
	keep_reject(s, reason, n, text, clock_now());
	if (time)
		watch_refused_time(co, s, time);
	pthread_mutex_unlock(&co->stats_mutex);
}

void core_device_reject(struct app *app, uint32_t device, enum reject reason, struct str text, struct str peer, int64_t time)
{
	count_reject((struct core *)app, device, reason, 1, text, peer, time);
}

bool core_device_stats(struct app *app, uint32_t device, struct device_stats *ret)
{
	struct core *co = (struct core *)app;
	pthread_mutex_lock(&co->stats_mutex);
	bool known = device < co->stats_cap && co->stats[device].device;
	*ret = known ? co->stats[device] : (struct device_stats){ 0 };
	watch_shares(co, device, &ret->hour, &ret->day);
	pthread_mutex_unlock(&co->stats_mutex);
	ret->online = device_is_online(ret, clock_now());
	return known;
}

size_t core_unknown_devices(struct app *app, struct device_stats *ret, size_t max)
{
	struct core *co = (struct core *)app;
	pthread_mutex_lock(&co->stats_mutex);
	size_t n = MIN(co->nunknown, max);
	memcpy(ret, co->unknown, n * sizeof *ret);
	pthread_mutex_unlock(&co->stats_mutex);
	return n;
}

static void on_gone(struct core *co, const struct msg *m)
{
	pthread_mutex_lock(&co->stats_mutex);
	if (m->device && m->device < co->stats_cap && co->conns[m->device] == m->conn) {
		co->stats[m->device].online = false;
		co->conns[m->device] = 0;
	}
	pthread_mutex_unlock(&co->stats_mutex);
}

// ---- who are you --------------------------------------------------------------------------------

struct hello { // an owned copy of the message, strings behind
	struct msg_hello *h;
};

void device_on_message(struct core *co, const struct msg *m, size_t size)
{
	struct hello item;
	switch (m->kind) {
	case MSG_HELLO:
	case MSG_REFRESH:
		item.h = mem_alloc(size);
		memcpy(item.h, m, size);
		if (!queue_push(co->hellos, &item)) // the gate asks again or closes after its time
			mem_free(item.h);
		break;
	case MSG_REJECT: {
		const struct msg_reject *r = (const void *)m;
		const char *at = (const char *)(r + 1);
		struct str text = str_from(at, r->text_len), peer = str_from(at + r->text_len, r->peer_len);
		if (r->reason < REJECT__MAX)
			count_reject(co, m->device, (enum reject)r->reason, m->count, text, peer, r->time);
		break;
	}
	case MSG_GONE:
		on_gone(co, m);
		break;
	case MSG_SUBSCRIBED:
		commands_subscribed(co, m->device, m->conn);
		break;
	case MSG_GATE:
		pthread_mutex_lock(&co->stats_mutex);
		co->gate = *(const struct msg_gate *)m;
		pthread_mutex_unlock(&co->stats_mutex);
		break;
	case MSG_DELIVERED:
		commands_delivered(co, m->seq, m->count != 0);
		break;
	case MSG_ANSWER:
		commands_answered(co, (const struct msg_answer *)m);
		break;
	default:
		break;
	}
}

// What opens the messages of an encrypted gateway; that it does is the proof that it is the device.
static bool cipher_key(struct core *co, const struct site_device *d, uint8_t ret[ENVELOPE_AES_KEY])
{
	struct arena *a = arena_new(0);
	struct str key = STR_EMPTY;
	struct db *db = store_read_begin(co->app.store);
	bool ok = d->cipher == CIPHER_AES && device_cipher_key(db, co->app.auth, d->id, a, &key) && key.n == ENVELOPE_AES_KEY;
	store_read_end(co->app.store, db);
	if (ok)
		memcpy(ret, key.p, ENVELOPE_AES_KEY);
	arena_free(a);
	return ok;
}

static enum welcome verdict(struct core *co, const struct site_device *d, const struct msg_hello *h, struct str key, struct msg_welcome *w)
{
	if (!d)
		return WELCOME_UNKNOWN;
	if (d->disabled)
		return WELCOME_DISABLED;
	if (h->m.kind == MSG_REFRESH)
		return WELCOME_OK;
	if (h->m.protocol == PROTO_MODBUS) // we called it
		return d->poll_address.n ? WELCOME_OK : WELCOME_WRONG_KEY;
	if (h->m.protocol == PROTO_GATEWAY) {
		w->key_len = cipher_key(co, d, w->key) ? ENVELOPE_AES_KEY : 0;
		return w->key_len ? WELCOME_OK : WELCOME_WRONG_KEY;
	}
	if (h->keyless)
		return d->keyless ? WELCOME_OK : WELCOME_WRONG_KEY;
	struct db *db = store_read_begin(co->app.store);
	bool ok = device_key_ok(db, d->id, key);
	store_read_end(co->app.store, db);
	return ok ? WELCOME_OK : WELCOME_WRONG_KEY;
}

static void add_points(struct buf *out, const struct site *s, const struct site_device *d)
{
	size_t n;
	const uint32_t *ids = points_of_device(s->points, d->id, &n);
	for (size_t i = 0; i < n && i < LIMIT_POINTS_PER_DEVICE; i++) {
		struct site_point p;
		if (!site_point(s, ids[i], &p))
			continue;
		struct msg_point mp = { .point = ids[i], .name_len = (uint16_t)p.def.code.n, .addr_len = (uint16_t)p.address.n, .scale = p.scale };
		buf_add(out, &mp, sizeof mp);
		buf_add_str(out, p.def.code);
		buf_add_str(out, p.address);
		while (out->n % 8)
			buf_add_u8(out, 0);
	}
}

static void pause_ms(void) // the gate is slow or dead: its successor asks again
{
	struct timespec ms = { .tv_nsec = 1000000 };
	nanosleep(&ms, NULL);
}

static void answer(struct core *co, const struct msg_hello *h, struct msg_welcome w, const struct site *s, const struct site_device *d)
{
	struct buf out;
	buf_init(&out, 4 << 20);
	enum welcome v = (enum welcome)w.verdict;
	w.m = h->m;
	w.m.kind = h->m.kind == MSG_REFRESH ? MSG_POINTS : MSG_WELCOME;
	w.m.device = d ? d->id : 0;
	size_t npoints = 0;
	if (v == WELCOME_OK)
		(void)points_of_device(s->points, d->id, &npoints);
	w.m.count = (uint32_t)MIN(npoints, (size_t)LIMIT_POINTS_PER_DEVICE);
	w.flags = v == WELCOME_OK && d->bcd_time ? WELCOME_BCD_TIME : 0;
	w.template_len = v == WELCOME_OK && d->tpl ? d->tpl->size : 0;
	buf_add(&out, &w, sizeof w);
	if (v == WELCOME_OK)
		add_points(&out, s, d);
	if (v == WELCOME_OK && d->tpl)
		buf_add(&out, d->tpl, w.template_len);
	if (buf_ok(&out)) {
		((struct msg *)(void *)out.p)->size = (uint32_t)out.n;
		for (int i = 0; i < 1000 && !to_gate_send(co, out.p, out.n); i++)
			pause_ms();
	}
	explicit_bzero(out.p, out.n); // a gateway's key
	buf_free(&out);
}

// A site that was published while a HELLO was answered from the one before: the gate was told of it when it did not know the
// device yet, and would keep the old points.
static void answer_newer(struct core *co, const struct msg_hello *h, const struct site *old, struct str name)
{
	struct site *s = core_site_take(&co->app);
	if (s != old) {
		struct msg_hello again = *h;
		struct msg_welcome w = { 0 };
		const struct site_device *d = site_device(s, name);
		again.m.kind = MSG_REFRESH;
		w.verdict = verdict(co, d, &again, STR_EMPTY, &w);
		answer(co, &again, w, s, d);
	}
	core_site_give(&co->app, s);
}

static void on_hello(struct core *co, const struct msg_hello *h)
{
	const char *at = (const char *)(h + 1); // an empty str points elsewhere
	struct str name = str_from(at, h->name_len), key = str_from(at + h->name_len, h->key_len);
	struct str peer = str_from(at + h->name_len + h->key_len, h->peer_len);
	struct site *s = core_site_take(&co->app);
	const struct site_device *d = site_device(s, name);
	struct msg_welcome w = { 0 };
	enum welcome v = verdict(co, d, h, key, &w);
	w.verdict = v;
	if (v == WELCOME_OK) {
		pthread_mutex_lock(&co->stats_mutex);
		struct device_stats *st = stats_of(co, d->id);
		st->device = d->id;
		st->online = true;
		st->since = clock_now();
		st->protocol = h->m.protocol;
		co->conns[d->id] = h->m.conn;
		memset(st->peer, 0, sizeof st->peer);
		memcpy(st->peer, peer.p, MIN(peer.n, sizeof st->peer - 1));
		pthread_mutex_unlock(&co->stats_mutex);
	} else {
		count_reject(co, d ? d->id : 0, REJECT_AUTH, 1, name, peer, 0);
	}
	for (int i = 0; i < 1000 && v == WELCOME_OK && h->m.kind == MSG_HELLO && !kept_give(co, d->id, h->m.conn); i++)
		pause_ms();
	answer(co, h, w, s, d);
	explicit_bzero(w.key, sizeof w.key);
	if (v == WELCOME_OK)
		answer_newer(co, h, s, name);
	core_site_give(&co->app, s);
}

static void on_hello_item(void *arg, void *item)
{
	struct hello *h = item;
	if (!h->h) {
		loop_stop(((struct core *)arg)->device_loop);
		return;
	}
	on_hello(arg, h->h);
	mem_free(h->h);
}

static void hellos_ready(void *arg, uint32_t events)
{
	struct core *co = arg;
	(void)events;
	queue_drain(co->hellos, 0, on_hello_item, co);
}

void *device_thread(void *core)
{
	struct core *co = core;
	if (loop_watch(co->device_loop, queue_fd(co->hellos), EPOLLIN, hellos_ready, co))
		log_die("core", "cannot watch the device queue");
	struct msg ready = { .size = sizeof ready, .kind = MSG_READY };
	to_gate_send(co, &ready, sizeof ready);
	loop_run(co->device_loop);
	return NULL;
}

void device_thread_stop(struct core *co)
{
	struct hello stop = { 0 };
	while (!queue_push(co->hellos, &stop)) // a reconnect flood: the thread makes room
		usleep(1000);
	pthread_join(co->device_thread, NULL);
}

// ---- to devices ---------------------------------------------------------------------------------

uint64_t device_conn(struct core *co, uint32_t device)
{
	pthread_mutex_lock(&co->stats_mutex);
	uint64_t conn = device < co->stats_cap ? co->conns[device] : 0;
	pthread_mutex_unlock(&co->stats_mutex);
	return conn;
}

void core_kick(struct app *app, uint32_t device)
{
	struct core *co = (struct core *)app;
	struct msg m = { .size = sizeof m, .kind = MSG_KICK, .conn = device_conn(co, device), .device = device };
	if (m.conn && !to_gate_send(co, &m, sizeof m))
		log_warn("core", "the gate is not listening: a device keeps its connection until its next message");
}
