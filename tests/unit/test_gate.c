// The gate over its real sockets and rings: MQTT sessions, acknowledgement after durability, refusals, walls.
// needs: base bus loop gate gate/decode
#include "fake_core.h"

#define T1 "anlan/v1/D1/readings"
#define C1 "anlan/v1/D1/command"

static struct fake *f;

static int start(void **state)
{
	(void)state;
	f = fake_start(STR_EMPTY, STR_EMPTY);
	return 0;
}
static int end(void **state)
{
	(void)state;
	fake_end(f);
	return 0;
}

static void publish(int fd, uint8_t version, uint16_t id, const char *point, double value)
{
	char b[200];
	mqtt_publish_id(fd, version, T1, id ? 1 : 0, id, reading_json(b, sizeof b, point, value));
}

// --- connecting ---

static void both_versions_connect(void **state)
{
	(void)state;
	close(mqtt_client_ready(f, MQTT_V311, "D1", "secret"));
	assert_memory_equal(f->peer, "127.0.0.1:", 10);
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	client_send_hex(fd, "C000");
	client_expect(f, fd, "D000");
	client_send_hex(fd, "E000");
	client_expect_end(f, fd);
	UNTIL(f, f->gone == 2);
}

static void each_refusal_has_its_code(void **state)
{
	(void)state;
	static const struct {
		uint8_t version;
		const char *user, *key, *answer;
	} cases[] = {
		{ MQTT_V311, "D1", "wrong", "20020004" },  { MQTT_V5, "D1", "wrong", "2003008600" },
		{ MQTT_V311, "NO", "secret", "20020004" }, { MQTT_V5, "NO", "secret", "2003008600" },
		{ MQTT_V311, "OFF", "secret", "20020005" }, { MQTT_V5, "OFF", "secret", "2003008700" },
		{ MQTT_V311, "", "secret", "20020004" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = mqtt_client(f, cases[i].version, cases[i].user, cases[i].key, 60);
		client_expect(f, fd, cases[i].answer);
		client_expect_end(f, fd);
	}
}

static void connects_that_never_reach_the_core(void **state)
{
	(void)state;
	static const struct {
		const char *what, *hex, *answer;
	} cases[] = {
		{ "MQTT 3.1", "10 10 0006 4D5149736470 03 02 003C 0002 6465", "20020001" },
		{ "level 6", "10 0E 0004 4D515454 06 02 003C 0002 6465", "2003008400" },
		{ "no client id to keep a session for", "10 14 0004 4D515454 04 C0 003C 0000 0002 4431 0002 6161", "20020002" },
		{ "no user", "10 0E 0004 4D515454 04 02 003C 0002 6465", "20020005" },
		{ "no user, 5.0", "10 0F 0004 4D515454 05 02 003C 00 0002 6465", "2003008700" },
		{ "authentication method", "10 14 0004 4D515454 05 02 003C 05 15 0002 7878 0002 6465", "2003008C00" },
		{ "malformed, 5.0", "10 10 0004 4D515454 05 02 003C 00 0002 6465 00", "2003008100" },
		{ "malformed, 3.1.1", "10 0F 0004 4D515454 04 02 003C 0002 6465 00", "" },
		{ "not MQTT", "474554202F20485454502F312E310D0A0D0A", "" }, // GET / HTTP/1.1
		{ "PUBLISH first", "30 05 0003 612F62", "" },
		{ "SUBSCRIBE, cut", "82 7F", "" },
	};
	unsigned hello = f->hello;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = client_connect(f->mqtt);
		client_send_hex(fd, cases[i].hex);
		client_expect(f, fd, cases[i].answer);
		client_expect_end(f, fd);
	}
	assert_int_equal(f->hello, hello);
}

static void an_empty_client_id_gets_one(void **state)
{
	(void)state;
	int fd = client_connect(f->mqtt);
	client_send_hex(fd, "10 23 0004 4D515454 05 C2 003C 0A 11 00000E10 27 00001000 0000 0002 4431 0006 736563726574");
	// … session expiry 0: nothing is kept; assigned client id anlan-CONN
	client_expect(f, fd, "20 30 00 00 2D 210400 2700100000 220008 2900 2A00 1100000000 120016 616E6C616E2D");
	close(fd);
}

static void byte_by_byte_is_fine_too(void **state)
{
	(void)state;
	struct buf b;
	char json[200];
	buf_init(&b, 4096);
	mqtt_write_connect(&b, MQTT_V311, STR("slow"), STR("D1"), STR("secret"), 60);
	mqtt_write_publish(&b, MQTT_V311, STR(T1), 1, 5, reading_json(json, sizeof json, "level", 1));
	int fd = client_connect(f->mqtt);
	for (size_t i = 0; i < b.n; i++) {
		client_send(fd, str_from(b.p + i, 1));
		usleep(i % 10 == 0 ? 1000 : 0);
		core_serve(f);
	}
	client_expect(f, fd, CONNACK_311 "40020005");
	close(fd);
	buf_free(&b);
}

// --- publishing ---

static void puback_waits_for_the_disk(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	f->auto_ack = false;
	for (uint16_t i = 1; i <= 5; i++)
		publish(fd, MQTT_V311, i, i % 2 ? "level" : "temp", i);
	UNTIL(f, f->nmessages == 5);
	client_expect_nothing(f, fd, 50);
	assert_int_equal(f->readings[0].point, 101);
	assert_int_equal(f->readings[1].point, 102);
	assert_true(f->readings[4].value == 5);
	core_ack(f, f->seq - 2);
	client_expect(f, fd, "40020001 40020002 40020003");
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	client_expect(f, fd, "40020004 40020005");
	close(fd);
}

static void qos_2_is_released_in_two_steps(void **state)
{
	(void)state;
	for (uint8_t version = MQTT_V311; version <= MQTT_V5; version++) {
		int fd = mqtt_client_ready(f, version, "D1", "secret");
		char b[200];
		f->auto_ack = false;
		size_t before = f->nmessages;
		mqtt_publish_id(fd, version, T1, 2, 5, reading_json(b, sizeof b, "level", version));
		UNTIL(f, f->nmessages == before + 1);
		client_expect_nothing(f, fd, 50); // not before the disk
		core_ack(f, f->seq);
		client_expect(f, fd, "50020005");
		client_send_hex(fd, "62020005");
		client_expect(f, fd, "70020005");
		client_send_hex(fd, "62020005"); // again: there is nothing left of it, which is what it asks
		client_expect(f, fd, "70020005");
		assert_true(f->readings[f->nreadings - 1].value == version);
		close(fd);
	}
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	mqtt_publish_id(fd, MQTT_V5, "anlan/v1/D2/readings", 2, 6, STR("[]"));
	client_expect(f, fd, "5003000687");
	close(fd);
}

static void a_topic_may_be_named_by_a_number(void **state)
{
	(void)state;
	char json[200];
	struct buf b;
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	struct str message = reading_json(json, sizeof json, "level", 1);
	buf_init(&b, 4096);
	for (int i = 0; i < 4; i++) { // topic and number, number alone, another topic for it, number alone
		struct str topic = i == 0 ? STR(T1) : i == 2 ? STR("anlan/v1/D2/readings") : STR_EMPTY;
		buf_add_u8(&b, MQTT_PUBLISH << 4 | 2);
		size_t left = 2 + topic.n + 2 + 4 + message.n;
		buf_add_u8(&b, (uint8_t)(left & 127) | 128);
		buf_add_u8(&b, (uint8_t)(left >> 7));
		buf_add_be16(&b, (uint16_t)topic.n);
		buf_add_str(&b, topic);
		buf_add_be16(&b, (uint16_t)(i + 1));
		buf_add(&b, "\003\043\000\010", 4); // alias 8
		buf_add_str(&b, message);
	}
	client_send(fd, buf_str(&b));
	client_expect(f, fd, "40020001 40020002 4003000387 4003000487");
	assert_int_equal(f->nreadings, 2);
	buf_free(&b);
	close(fd);
}

static void qos_0_is_taken_without_a_word(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	publish(fd, MQTT_V5, 0, "raw", 50);
	UNTIL(f, f->nreadings == 1);
	assert_int_equal(f->readings[0].point, 103);
	assert_true(f->readings[0].value == 5); // scale 0.1
	publish(fd, MQTT_V5, 0, "q1", 60);      // by its address
	UNTIL(f, f->nreadings == 2);
	assert_int_equal(f->readings[1].point, 103);
	client_expect_nothing(f, fd, 30);
	close(fd);
}

static void refused_readings_are_counted_and_acknowledged(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	for (uint16_t i = 1; i <= 3; i++) {
		publish(fd, MQTT_V311, i, "nobody", 1);
		char want[10];
		snprintf(want, sizeof want, "4002%04X", i);
		client_expect(f, fd, want);
	}
	UNTIL(f, f->rejects[REJECT_UNKNOWN_POINT] == 3);
	assert_string_equal(f->reject_text, "nobody");
	assert_int_equal(f->reject.m.device, 7);
	UNTIL(f, f->refresh == 1); // asked once, not three times
	mqtt_publish_id(fd, MQTT_V311, T1, 1, 9, STR("[{\"point\":\"level\",\"time\":\"1999-01-01T00:00:00Z\",\"value\":1}]"));
	client_expect(f, fd, "40020009");
	UNTIL(f, f->rejects[REJECT_TIME] == 1);
	assert_int_equal(f->nreadings, 0);
	close(fd);
}

static void unreadable_payload(void **state)
{
	(void)state;
	int a = mqtt_client_ready(f, MQTT_V311, "D1", "secret"), b = mqtt_client_ready(f, MQTT_V5, "D2", "secret2");
	mqtt_publish_id(a, MQTT_V311, T1, 1, 1, STR("[{\"point\":\"level\",\"time\":1,\"value\":"));
	client_expect(f, a, "40020001");
	mqtt_publish_id(b, MQTT_V5, "anlan/v1/D2/readings", 1, 1, STR("\001\002\003"));
	client_expect(f, b, "4003000199");
	UNTIL(f, f->rejects[REJECT_SYNTAX] == 2);
	assert_string_equal(f->reject_text, "...");
	// half a good message counts for nothing
	mqtt_publish_id(b, MQTT_V5, "anlan/v1/D2/readings", 1, 2, STR("[{\"point\":\"p\",\"time\":1795000000000,\"value\":1},{"));
	client_expect(f, b, "4003000299");
	assert_int_equal(f->nreadings, 0);
	close(a);
	close(b);
}

static void another_devices_topic(void **state)
{
	(void)state;
	char json[200];
	int a = mqtt_client_ready(f, MQTT_V311, "D1", "secret"), b = mqtt_client_ready(f, MQTT_V5, "D2", "secret2");
	mqtt_publish_id(b, MQTT_V5, T1, 1, 1, reading_json(json, sizeof json, "level", 1));
	client_expect(f, b, "4003000187");
	mqtt_publish_id(a, MQTT_V311, "anlan/v1/D2/readings", 1, 1, reading_json(json, sizeof json, "p", 1));
	client_expect_end(f, a);
	UNTIL(f, f->rejects[REJECT_TOPIC] == 2);
	assert_int_equal(f->nreadings, 0);
	close(b);
}

static void what_5_0_is_told_before_the_end(void **state)
{
	(void)state;
	static const struct {
		const char *what, *hex, *answer;
	} cases[] = {
		{ "QoS 3", "36 08 0003 612F62 0001 00", "E00181" },
		{ "a topic alias beyond the maximum", "32 0B 0003 612F62 0007 03 230009", "E00194" },
		{ "topic alias 0", "32 0B 0003 612F62 0007 03 230000", "E00194" },
		{ "a topic alias that nothing was given to", "32 08 0000 0007 03 230005", "E00182" },
		{ "no topic", "32 05 0000 0007 00", "E00182" },
		{ "too large", "30 FF FF FF 7F", "E00195" },
		{ "malformed length", "30 80 80 80 80", "E00181" },
		{ "CONNECT again", "10 0F 0004 4D515454 05 02 003C 00 0002 6465", "E00182" },
		{ "PUBREL with other flags", "60 02 0001", "E00181" },
		{ "PUBCOMP, of which there is nothing to complete", "70 02 0001", "E00182" },
		{ "AUTH", "F0 00", "E00182" },
		{ "SUBSCRIBE without filter", "82 03 0001 00", "E00182" },
		{ "PINGREQ with a body", "C0 01 00", "E00181" },
		{ "packet id 0", "32 08 0003 612F62 0000 00", "E00182" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
		client_send_hex(fd, cases[i].hex);
		client_expect(f, fd, cases[i].answer);
		client_expect_end(f, fd);
	}
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	client_send_hex(fd, "36 07 0003 612F62 0001");
	client_expect_end(f, fd);
}

static void more_in_flight_than_announced(void **state)
{
	(void)state;
	f->auto_ack = false;
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	for (uint16_t i = 1; i <= LIMIT_MQTT_INFLIGHT; i++)
		publish(fd, MQTT_V5, i, "level", i);
	UNTIL(f, f->nmessages == LIMIT_MQTT_INFLIGHT);
	client_expect_nothing(f, fd, 20);
	publish(fd, MQTT_V5, 2000, "level", 1);
	client_expect(f, fd, "E00193");
	client_expect_end(f, fd);
	// 3.1.1 knows no such limit: the gate just reads no further until there is room
	fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	size_t before = f->nmessages;
	for (uint16_t i = 1; i <= LIMIT_MQTT_INFLIGHT + 100; i++)
		publish(fd, MQTT_V311, i, "level", i);
	UNTIL(f, f->nmessages == before + LIMIT_MQTT_INFLIGHT);
	core_serve_for(f, 50);
	assert_int_equal(f->nmessages, before + LIMIT_MQTT_INFLIGHT);
	core_ack(f, f->seq);
	UNTIL(f, f->nmessages == before + LIMIT_MQTT_INFLIGHT + 100);
	core_ack(f, f->seq);
	static uint8_t acks[4 * (LIMIT_MQTT_INFLIGHT + 100)];
	assert_int_equal(client_receive(f, fd, acks, sizeof acks, WAIT_MS), sizeof acks);
	close(fd);
}

static void a_full_ring_stops_reading_and_loses_nothing(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret"), other = mqtt_client_ready(f, MQTT_V311, "D2", "secret2");
	static char json[64 << 10];
	size_t n = 0;
	n += (size_t)snprintf(json, sizeof json, "[");
	for (int i = 0; i < 1000; i++)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s{\"point\":\"level\",\"time\":%lld,\"value\":%d}", i ? "," : "",
		                      (long long)time(NULL) * 1000 - i, i);
	n += (size_t)snprintf(json + n, sizeof json - n, "]");
	f->deaf = true;
	pid_t sender = fork(); // blocks when the gate stops reading
	if (sender == 0) {
		for (uint16_t i = 1; i <= 500; i++) // 12 MB of readings through a ring of 4 MiB
			mqtt_publish_id(fd, MQTT_V311, T1, 1, i, str_from(json, n));
		_exit(0);
	}
	for (int i = 0; i < WAIT_MS && ring_used(f->cfg.to_core) < 3u << 20; i++)
		usleep(1000);
	usleep(100000);
	char small[200];
	mqtt_publish_id(other, MQTT_V311, "anlan/v1/D2/readings", 1, 77, reading_json(small, sizeof small, "p", 1));
	usleep(50000);
	assert_true(ring_used(f->cfg.to_core) <= 4u << 20);
	f->deaf = false;
	client_expect(f, other, "4002004D");
	UNTIL(f, f->nmessages == 501);
	assert_int_equal(f->total, 500001);
	static uint8_t acks[4 * 500];
	assert_int_equal(client_receive(f, fd, acks, sizeof acks, WAIT_MS), sizeof acks);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(acks[4 * i + 2] << 8 | acks[4 * i + 3], i + 1);
	waitpid(sender, NULL, 0);
	close(fd);
	close(other);
}

// A device with hours of history is read only while little waits in the ring; a live reading of another goes in at once.
static void history_lets_live_readings_go_first(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret"), live = mqtt_client_ready(f, MQTT_V311, "D2", "secret2");
	static char json[16 << 10];
	char small[200];
	mqtt_publish_id(live, MQTT_V311, "anlan/v1/D2/readings", 1, 1, reading_json(small, sizeof small, "p", 1));
	client_expect(f, live, "40020001");
	size_t n = (size_t)snprintf(json, sizeof json, "[");
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s{\"point\":\"level\",\"time\":%lld,\"value\":%d}", i ? "," : "",
		                      (long long)(time(NULL) - 7200 + i) * 1000, i);
	n += (size_t)snprintf(json + n, sizeof json - n, "]");
	f->deaf = true;
	pid_t sender = fork();
	if (sender == 0) {
		for (uint16_t i = 1; i <= 500; i++) // 3 MB of readings: the ring of 4 MiB would take them all
			mqtt_publish_id(fd, MQTT_V311, T1, 1, i, str_from(json, n));
		_exit(0);
	}
	size_t used = 0;
	for (int i = 0; i < WAIT_MS && (used = ring_used(f->cfg.to_core)) < LIMIT_GATE_HISTORY; i++)
		usleep(1000);
	assert_true(used >= LIMIT_GATE_HISTORY);
	usleep(100000); // time to do wrong
	used = ring_used(f->cfg.to_core);
	assert_true(used < LIMIT_GATE_HISTORY + (64u << 10));
	mqtt_publish_id(live, MQTT_V311, "anlan/v1/D2/readings", 1, 2, reading_json(small, sizeof small, "p", 2));
	for (int i = 0; i < WAIT_MS && ring_used(f->cfg.to_core) == used; i++)
		usleep(1000);
	assert_true(ring_used(f->cfg.to_core) > used);
	f->deaf = false;
	client_expect(f, live, "40020002");
	UNTIL(f, f->nmessages == 502);
	static uint8_t acks[4 * 500];
	assert_int_equal(client_receive(f, fd, acks, sizeof acks, WAIT_MS), sizeof acks);
	waitpid(sender, NULL, 0);
	close(fd);
	close(live);
}

// --- commands ---

static void commands_reach_who_listens(void **state)
{
	(void)state;
	core_command(f, 7, 40, (struct command){ .kind = COMMAND_PAYLOAD }, "nobody there");
	UNTIL(f, f->ndelivered == 1);
	assert_int_equal(f->delivered.count, 0);
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	struct buf b;
	buf_init(&b, 4096);
	mqtt_write_subscribe(&b, MQTT_V5, 1, STR("#"), 1);
	mqtt_write_subscribe(&b, MQTT_V5, 2, STR("anlan/v1/D2/command"), 1);
	mqtt_write_subscribe(&b, MQTT_V5, 3, STR(C1), 2);
	client_send(fd, buf_str(&b));
	client_expect(f, fd, "9004000100 87 9004000200 87 9004000300 01"); // QoS 2 becomes 1
	buf_clear(&b);
	mqtt_write_subscribe(&b, MQTT_V5, 4, STR("$share/all/" C1), 1);
	mqtt_write_subscribe(&b, MQTT_V5, 5, STR("anlan/v1/D2/#"), 1);
	mqtt_write_subscribe(&b, MQTT_V5, 6, STR("anlan/v1/D1/#"), 1); // all that there is for it
	client_send(fd, buf_str(&b));
	client_expect(f, fd, "9004000400 9E 9004000500 87 9004000600 01");
	UNTIL(f, f->subscribed == 2);
	core_command(f, 7, 41, (struct command){ .kind = COMMAND_PAYLOAD }, "{}");
	client_expect(f, fd, "32 1A 0013 616E6C616E2F76312F44312F636F6D6D616E64 0001 00 7B7D");
	assert_int_equal(f->ndelivered, 1);
	client_send_hex(fd, "40020001");
	UNTIL(f, f->ndelivered == 2);
	assert_true(f->delivered.count == 1 && f->delivered.seq == 41 && f->delivered.device == 7);
	client_send_hex(fd, "A218 0004 00 0013 616E6C616E2F76312F44312F636F6D6D616E64");
	client_expect(f, fd, "B00400040000");
	core_command(f, 7, 42, (struct command){ .kind = COMMAND_PAYLOAD }, "{}");
	UNTIL(f, f->ndelivered == 3);
	assert_int_equal(f->delivered.count, 0);
	close(fd);
	fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	buf_clear(&b);
	mqtt_write_subscribe(&b, MQTT_V311, 1, STR("#"), 0);
	mqtt_write_subscribe(&b, MQTT_V311, 2, STR(C1), 0);
	client_send(fd, buf_str(&b));
	client_expect(f, fd, "9003000180 9003000200");
	UNTIL(f, f->subscribed == 3);
	core_command(f, 7, 43, (struct command){ .kind = COMMAND_PAYLOAD }, "{}");
	client_expect(f, fd, "30 17 0013 616E6C616E2F76312F44312F636F6D6D616E64 7B7D");
	UNTIL(f, f->ndelivered == 4);
	close(fd);
	buf_free(&b);
}

// --- ends ---

static void the_newer_connection_wins(void **state)
{
	(void)state;
	int a = mqtt_client_ready(f, MQTT_V5, "D1", "secret"), b = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	client_expect(f, a, "E0018E");
	client_expect_end(f, a);
	publish(b, MQTT_V311, 3, "level", 1);
	client_expect(f, b, "40020003");
	int c = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	client_expect_end(f, b);
	UNTIL(f, f->gone == 2);
	core_say(f, MSG_KICK, 7, 0, "");
	client_expect(f, c, "E00198");
	client_expect_end(f, c);
	UNTIL(f, f->gone == 3);
}

static void keep_alive_ends_the_silent(void **state)
{
	(void)state;
	int a = mqtt_client(f, MQTT_V5, "D1", "secret", 1), b = mqtt_client(f, MQTT_V5, "D2", "secret2", 60);
	client_expect(f, a, CONNACK_5);
	client_expect(f, b, CONNACK_5);
	client_expect(f, a, "E0018D"); // after 1.5 s
	client_expect_end(f, a);
	client_send_hex(b, "C000");
	client_expect(f, b, "D000");
	close(b);
}

static void a_restarted_core_learns_who_is_there(void **state)
{
	(void)state;
	int a = mqtt_client_ready(f, MQTT_V5, "D1", "secret"), b = mqtt_client_ready(f, MQTT_V5, "D2", "secret2");
	core_say(f, MSG_READY, 0, 0, "");
	UNTIL(f, f->refresh == 2);
	core_say(f, MSG_READY, 7, 0, ""); // points of D1 have changed
	UNTIL(f, f->refresh == 3);
	core_say(f, MSG_READY, 0, 0, "");
	UNTIL(f, f->refresh == 5); // D2 was not asked in between
	close(a);
	close(b);
}

static void a_killed_gate_is_followed_by_another(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	f->auto_ack = false;
	publish(fd, MQTT_V311, 1, "level", 1);
	UNTIL(f, f->nmessages == 1);
	uint64_t old = f->seq, old_conn = f->conn;
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	client_expect_end(f, fd);
	fake_spawn(f);
	fd = mqtt_client_ready(f, MQTT_V311, "D1", "secret");
	assert_int_not_equal(old_conn, f->conn);
	publish(fd, MQTT_V311, 1, "level", 1);
	UNTIL(f, f->nmessages == 2);
	core_ack(f, old); // of the dead one: nobody's business
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	client_expect(f, fd, "40020001");
	close(fd);
}

static void a_stopping_gate_says_so(void **state)
{
	(void)state;
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	kill(f->pid, SIGTERM);
	client_expect(f, fd, "E0018B");
	client_expect_end(f, fd);
	waitpid(f->pid, NULL, 0);
	fake_spawn(f);
	close(mqtt_client_ready(f, MQTT_V5, "D1", "secret"));
}

static void garbage_from_many_is_survived(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int i = 0; i < 200; i++) {
		uint8_t b[300];
		for (size_t k = 0; k < sizeof b; k++)
			b[k] = (uint8_t)rand_r(&seed);
		int fd = i % 2 ? client_connect(f->mqtt) : mqtt_client_ready(f, MQTT_V5, "D1", "secret");
		if (i % 2)
			b[0] = 0x10;
		send(fd, b, sizeof b, MSG_NOSIGNAL);
		core_serve(f);
		close(fd);
	}
	int fd = mqtt_client_ready(f, MQTT_V5, "D1", "secret");
	publish(fd, MQTT_V5, 1, "level", 1);
	client_expect(f, fd, "40020001");
	close(fd);
}

// --- Debian's own client ---

static int mosquitto_pub(const char *version, const char *key, const char *qos, const char *message)
{
	char port[8];
	snprintf(port, sizeof port, "%u", f->mqtt);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 2);
		execlp("mosquitto_pub", "mosquitto_pub", "-V", version, "-h", "127.0.0.1", "-p", port, "-u", "D1", "-P", key, "-q",
		       qos, "-t", T1, "-m", message, NULL);
		_exit(127);
	}
	int status = -1;
	pid_t done = 0;
	UNTIL(f, done == pid || (done = waitpid(pid, &status, WNOHANG)) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void mosquitto_pub_works(void **state)
{
	(void)state;
	if (access("/usr/bin/mosquitto_pub", X_OK) != 0)
		skip();
	char b[200];
	static const char *const versions[] = { "mqttv311", "mqttv5" };
	for (size_t i = 0; i < 2; i++) {
		size_t before = f->nreadings;
		reading_json(b, sizeof b, "level", 42.5);
		assert_int_equal(mosquitto_pub(versions[i], "secret", "1", b), 0);
		UNTIL(f, f->nreadings == before + 1);
		assert_true(f->readings[before].value == 42.5);
		assert_int_equal(mosquitto_pub(versions[i], "secret", "0", b), 0);
		UNTIL(f, f->nreadings == before + 2);
		assert_int_not_equal(mosquitto_pub(versions[i], "wrong", "1", b), 0);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_versions_connect),
		TEST(each_refusal_has_its_code),
		TEST(connects_that_never_reach_the_core),
		TEST(an_empty_client_id_gets_one),
		TEST(byte_by_byte_is_fine_too),
		TEST(puback_waits_for_the_disk),
		TEST(qos_2_is_released_in_two_steps),
		TEST(a_topic_may_be_named_by_a_number),
		TEST(qos_0_is_taken_without_a_word),
		TEST(refused_readings_are_counted_and_acknowledged),
		TEST(unreadable_payload),
		TEST(another_devices_topic),
		TEST(what_5_0_is_told_before_the_end),
		TEST(more_in_flight_than_announced),
		TEST(a_full_ring_stops_reading_and_loses_nothing),
		TEST(history_lets_live_readings_go_first),
		TEST(commands_reach_who_listens),
		TEST(the_newer_connection_wins),
		TEST(keep_alive_ends_the_silent),
		TEST(a_restarted_core_learns_who_is_there),
		TEST(a_killed_gate_is_followed_by_another),
		TEST(a_stopping_gate_says_so),
		TEST(garbage_from_many_is_survived),
		TEST(mosquitto_pub_works),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
