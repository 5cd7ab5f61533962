// anlan bench gate: what the gate does with a message of 100 readings, from the bytes of a connection to the ring and
// back to the PUBACK, in one thread and without sockets: MQTT, JSON, names to ids, ring, acknowledgement. Prints one
// JSON object. The same bytes every time, so that instructions can be compared:
//   valgrind --tool=callgrind --toggle-collect=bench_gate_turn build/anlan bench gate
#include "tool/bench.h"

#include <stdio.h>
#include <time.h>

#include "gate/conn.h"
#include "gate/mqtt_packet.h"
#include "tool/tool.h"

#define POINTS 1000u          // of the device
#define BATCH 100u            // readings of a message
#define MESSAGES 100u         // prepared; sent again and again
#define ROUNDS 20u
#define TURN 10u              // messages in one turn of the loop

struct bench {
	struct gate gate;
	struct gate_config cfg;
	struct conn *conn;
	struct buf packets;       // MESSAGES packets
	size_t ends[MESSAGES + 1];
	uint64_t readings, pubacks;
};

void bench_gate_turn(struct bench *b, size_t first); // not static: callgrind knows it by name

static void core_send(struct bench *b, const void *m, size_t n)
{
	memcpy(ring_reserve(b->cfg.from_core, n), m, n);
	ring_commit(b->cfg.from_core, n);
}

static void core_welcome(struct bench *b, const struct msg *hello)
{
	struct buf out;
	buf_init(&out, 1u << 20);
	struct msg_welcome w = { .m = *hello, .verdict = WELCOME_OK };
	w.m.kind = MSG_WELCOME;
	w.m.device = 1;
	w.m.count = POINTS;
	w.m.size = sizeof w + POINTS * (sizeof(struct msg_point) + 8);
	buf_add(&out, &w, sizeof w);
	for (unsigned i = 0; i < POINTS; i++) {
		struct msg_point p = { i + 1, 8, 0, 1 };
		buf_add(&out, &p, sizeof p);
		buf_printf(&out, "B%07u", i);
	}
	core_send(b, out.p, out.n);
	buf_free(&out);
}

// Takes what the gate sent and says that it is on disk.
static void core_turn(struct bench *b)
{
	size_t n;
	const struct msg *m;
	struct msg ack = { .size = sizeof ack, .kind = MSG_ACK };
	while ((m = ring_next(b->cfg.to_core, &n))) {
		if (m->kind == MSG_HELLO)
			core_welcome(b, m);
		if (m->kind != MSG_READINGS)
			continue;
		b->readings += m->count;
		ack.seq = m->seq;
	}
	ring_release(b->cfg.to_core, ring_position(b->cfg.to_core));
	if (ack.seq)
		core_send(b, &ack, sizeof ack);
}

static void make_packets(struct bench *b)
{
	struct buf body;
	unsigned point = 0;
	int64_t at = clock_now() - US_PER_DAY;
	buf_init(&b->packets, 16u << 20);
	buf_init(&body, 1u << 20);
	for (unsigned i = 0; i < MESSAGES; i++, at += US_PER_S + 7 * US_PER_MS) {
		char text[TIME_TEXT_MAX];
		size_t n = time_text(at, text);
		buf_clear(&body);
		for (unsigned k = 0; k < BATCH; k++, point = (point + 1) % POINTS)
			buf_printf(&body, "%c{\"point\":\"B%07u\",\"time\":\"%.*s\",\"value\":%u.%u}", k ? ',' : '[', point, (int)n, text,
			           point * 7 % 100, (i + k) % 10);
		buf_add_u8(&body, ']');
		b->ends[i] = b->packets.n;
		mqtt_write_publish(&b->packets, 4, STR("anlan/v1/D/readings"), 1, (uint16_t)(i + 1), buf_str(&body));
	}
	b->ends[MESSAGES] = b->packets.n;
	buf_free(&body);
}

__attribute__((noinline)) void bench_gate_turn(struct bench *b, size_t first)
{
	struct str bytes = str_from(b->packets.p + b->ends[first], b->ends[first + TURN] - b->ends[first]);
	conn_feed(b->conn, bytes);
	core_turn(b);
	gate_idle(&b->gate);
	b->pubacks += b->conn->out.n / 4;
	buf_clear(&b->conn->out);
}

static double cpu_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool start(struct bench *b)
{
	struct buf hello;
	b->cfg = (struct gate_config){ .mqtt_fd = -1, .mqtts_fd = -1, .generation = 1 };
	if (ring_create(&b->cfg.to_core, 16u << 20) || ring_create(&b->cfg.from_core, 16u << 20))
		return false;
	gate_init(&b->gate, &b->cfg);
	ring_attach_consumer(b->cfg.to_core);
	ring_attach_producer(b->cfg.from_core);
	b->conn = conn_new(&b->gate, -1, &proto_mqtt, PROTO_NONE);
	buf_init(&hello, 4096);
	mqtt_write_connect(&hello, 4, STR("D"), STR("D"), STR("key"), 0);
	conn_feed(b->conn, buf_str(&hello));
	buf_free(&hello);
	core_turn(b);
	gate_idle(&b->gate);
	buf_clear(&b->conn->out);
	return b->conn->state == CONN_READY;
}

static void stop(struct bench *b)
{
	gate_done(&b->gate);
	buf_free(&b->packets);
	ring_destroy(b->cfg.to_core);
	ring_destroy(b->cfg.from_core);
	mem_free(b);
}

int bench_gate(int argc, char **argv)
{
	tool_no_more_options(argc, argv, "anlan bench gate\n");
	struct bench *b = mem_alloc(sizeof *b);
	make_packets(b);
	bool ok = start(b);
	double begun = cpu_now();
	for (unsigned round = 0; ok && round < ROUNDS; round++)
		for (size_t i = 0; i < MESSAGES; i += TURN)
			bench_gate_turn(b, i);
	double cpu = cpu_now() - begun;
	ok = ok && b->readings == (uint64_t)ROUNDS * MESSAGES * BATCH && b->pubacks == (uint64_t)ROUNDS * MESSAGES;
	printf("{\"readings\":%llu,\"messages_acknowledged\":%llu,\"ns_per_reading\":%.1f}\n", (unsigned long long)b->readings,
	       (unsigned long long)b->pubacks, cpu * 1e9 / (double)MAX(b->readings, UINT64_C(1)));
	stop(b);
	return ok ? 0 : 1;
}
