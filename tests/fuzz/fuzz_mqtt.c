// The byte stream of one connection against the whole gate but its sockets: sessions, decoders, ring, acknowledgements.
// First byte: bit 0 = the stream comes in pieces of 7 bytes, bits 1-2 = protocol of the listener (0, 3: MQTT; 1: HJ 212;
// 2: GB/T 26875.3), bit 3 = the core answers only at the end. The core here welcomes every device with three points.
// needs: base bus loop gate gate/decode
#include "base/time.h"
#include "gate/conn.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate gate;
static struct gate_config cfg = { .mqtt_fd = -1, .mqtts_fd = -1, .generation = 1 };

static void core_put(const void *m, size_t n)
{
	void *to = ring_reserve(cfg.from_core, n);
	if (!to)
		abort();
	memcpy(to, m, n);
	ring_commit(cfg.from_core, n);
}

static void core_welcome(const struct msg_hello *h)
{
	static const char *const names[] = { "level", "w01018", "1.11.fire" };
	struct {
		struct msg_welcome w;
		struct {
			struct msg_point p;
			char name[16];
		} points[3];
	} out = { .w = { .m = h->m } };
	if (h->name_len > LIMIT_DEVICE_NAME || h->key_len > LIMIT_DEVICE_KEY)
		abort();
	out.w.m.kind = h->m.kind == MSG_HELLO ? MSG_WELCOME : MSG_POINTS;
	out.w.m.device = 1;
	out.w.m.count = 3;
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(names[i]);
		out.points[i].p = (struct msg_point){ (uint32_t)i + 1, (uint16_t)len, (uint16_t)(16 - len), 1 };
		memcpy(out.points[i].name, names[i], len); // the rest, zeros, is its address
	}
	core_put(&out, sizeof out);
}

static struct { // what the gate has kept last, given back to whoever comes
	struct msg_keep k;
	char bytes[4096];
} kept;

static void core_keep(const struct msg_keep *k, size_t n, const struct msg *ack)
{
	if (n != sizeof *k + k->m.count || n > sizeof kept)
		abort();
	memcpy(&kept, k, n);
	core_put(ack, sizeof *ack);
}

static void core_give(uint64_t conn)
{
	kept.k.m.kind = MSG_KEPT;
	kept.k.m.conn = conn;
	if (kept.k.m.count)
		core_put(&kept, sizeof kept.k + kept.k.m.count);
}

static void core_serve(void)
{
	size_t n;
	const struct msg *m;
	while ((m = ring_next(cfg.to_core, &n))) {
		struct msg ack = { .size = sizeof ack, .kind = MSG_ACK, .seq = m->seq };
		struct msg command = { .size = sizeof command, .kind = MSG_COMMAND, .device = m->device, .seq = 1 };
		if (m->size != n)
			abort();
		if (m->kind == MSG_HELLO)
			core_give(m->conn);
		if (m->kind == MSG_HELLO || m->kind == MSG_REFRESH)
			core_welcome((const struct msg_hello *)m);
		else if (m->kind == MSG_KEEP)
			core_keep((const struct msg_keep *)m, n, &ack);
		else if (m->kind == MSG_READINGS)
			core_put(&ack, sizeof ack);
		else if (m->kind == MSG_SUBSCRIBED)
			core_put(&command, sizeof command);
		else if (m->kind > MSG_READY)
			abort();
	}
	if (ring_is_corrupt(cfg.to_core))
		abort();
	ring_release(cfg.to_core, ring_position(cfg.to_core));
}

static void turn(bool with_core)
{
	if (with_core)
		core_serve();
	while (gate_idle(&gate))
		;
	if (gate.blocked && with_core)
		abort(); // a megabyte of input cannot fill the ring
}

static void set_up(void)
{
	clock_set_fake(INT64_C(1795000000000000)); // 2026-11-18
	if (ring_create(&cfg.to_core, 16u << 20) || ring_create(&cfg.from_core, 1u << 20))
		abort();
	gate_init(&gate, &cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kept.k.m.count = 0;
	if (!gate.loop)
		set_up();
	if (size < 1)
		return 0;
	unsigned how = data[0], listener = how >> 1 & 3;
	static const enum protocol later[] = { PROTO_JT808, PROTO_GB32960, PROTO_SL651, PROTO_JT808 };
	enum protocol protocol = listener == 1 ? PROTO_HJ212 : listener == 2 ? PROTO_GB26875 : listener == 3 ? later[how >> 4 & 3] : PROTO_NONE;
	struct conn *c = conn_new(&gate, -1, protocol ? &proto_line : &proto_mqtt, protocol);
	uint64_t id = c->id;
	size_t piece = how & 1 ? 7 : size;
	for (size_t at = 1; at < size && (c = conn_by_id(&gate, id)); at += piece) {
		conn_feed(c, str_from((const char *)data + at, MIN(piece, size - at)));
		turn(!(how & 8) || at == 1);
	}
	for (int i = 0; i < 3; i++)
		turn(true);
	if ((c = conn_by_id(&gate, id)))
		conn_drop(c);
	turn(true);
	if (gate.nfree != LIMIT_GATE_CONNECTIONS || gate.ndevices || gate.waiting || gate.held_n > 1u << 20)
		abort(); // something of the connection is left
	while (gate.held_n) { // acknowledgements nobody waits for
		struct msg ack = { .size = sizeof ack, .kind = MSG_ACK, .seq = gate.seq };
		core_put(&ack, sizeof ack);
		turn(true);
	}
	return 0;
}
