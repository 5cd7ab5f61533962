// MQTT packets byte by byte: as mosquitto_pub and mosquitto_sub 2.0 send them (captured on loopback), and wrong
// in every way the standards name.
// needs: base gate gate/decode bus loop
#include "gate/mqtt_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MAX_PACKET (1u << 20)

// Hex with blanks → bytes in a static buffer (one at a time).
static struct str bytes(const char *hex)
{
	static uint8_t out[4096];
	size_t n = 0;
	for (const char *p = hex; *p;) {
		if (*p == ' ') {
			p++;
			continue;
		}
		assert_true(str_from_hex(str_from(p, 2), &out[n++], 1));
		p += 2;
	}
	return str_from((char *)out, n);
}

static struct str body_of(struct str packet, struct mqtt_fixed *f)
{
	assert_int_equal(mqtt_frame(packet, MAX_PACKET, f), MQTT_FRAME_OK);
	assert_int_equal(f->size, packet.n);
	return str_from(packet.p + f->head, f->size - f->head);
}

static void assert_str(struct str s, const char *want)
{
	if (!str_is(s, want))
		fail_msg("'%.*s' instead of '%s'", STR_FMT(s), want);
}

static void frames(void **state)
{
	(void)state;
	struct mqtt_fixed f;
	assert_int_equal(mqtt_frame(bytes(""), MAX_PACKET, &f), MQTT_FRAME_MORE);
	assert_int_equal(mqtt_frame(bytes("C0"), MAX_PACKET, &f), MQTT_FRAME_MORE);
	assert_int_equal(mqtt_frame(bytes("C0 00"), MAX_PACKET, &f), MQTT_FRAME_OK);
	assert_int_equal(f.type, MQTT_PINGREQ);
	assert_int_equal(f.size, 2);
	assert_int_equal(mqtt_frame(bytes("00 00"), MAX_PACKET, &f), MQTT_FRAME_MALFORMED); // type 0
	assert_int_equal(mqtt_frame(bytes("30 80 80 80 80"), MAX_PACKET, &f), MQTT_FRAME_MALFORMED); // fifth length byte
	assert_int_equal(mqtt_frame(bytes("30 FF FF FF 7F"), MAX_PACKET, &f), MQTT_FRAME_TOO_LARGE);
	assert_int_equal(mqtt_frame(bytes("30 80 80 01"), MAX_PACKET, &f), MQTT_FRAME_MORE); // 16384 and the header
	assert_int_equal(f.size, 16388);
	assert_int_equal(mqtt_frame(bytes("30 80 80"), MAX_PACKET, &f), MQTT_FRAME_MORE);
	assert_int_equal(f.size, 0);
}

// mosquitto_pub -V mqttv311 -i dev -u D1 -P secret -k 60
static const char CONNECT_311[] = "10 1B 0004 4D515454 04 C2 003C 0003 646576 0002 4431 0006 736563726574";
// mosquitto_pub -V mqttv5 -i dev -u D1 -P secret -k 60: Receive Maximum 20
static const char CONNECT_5[] = "10 1F 0004 4D515454 05 C2 003C 03 210014 0003 646576 0002 4431 0006 736563726574";

static void connect_as_clients_send_it(void **state)
{
	(void)state;
	struct mqtt_fixed f;
	struct mqtt_connect k;
	struct str b = body_of(bytes(CONNECT_311), &f);
	assert_int_equal(mqtt_read_connect(f.flags, b, &k), MQTT_SUCCESS);
	assert_int_equal(k.version, MQTT_V311);
	assert_true(k.clean && k.has_user && k.has_password && !k.has_will);
	assert_int_equal(k.keep_alive, 60);
	assert_str(k.client_id, "dev");
	assert_str(k.user, "D1");
	assert_str(k.password, "secret");
	b = body_of(bytes(CONNECT_5), &f);
	assert_int_equal(mqtt_read_connect(f.flags, b, &k), MQTT_SUCCESS);
	assert_int_equal(k.version, MQTT_V5);
	assert_int_equal(k.props.receive_max, 20);
	assert_str(k.password, "secret");
	// 5.0 with a will (delay 10 s, user property a=b), session expiry 3600, maximum packet 65536
	b = body_of(bytes("10 43 0004 4D515454 05 EE 003C 0D 27 00010000 11 00000E10 21 0014 0003 646576"
	                  "0C 18 0000000A 26 0001 61 0001 62 0004 62796521 0005 68656C6C6F 0002 4431 0006 736563726574"), &f);
	assert_int_equal(mqtt_read_connect(f.flags, b, &k), MQTT_SUCCESS);
	assert_int_equal(k.props.session_expiry, 3600);
	assert_int_equal(k.props.max_packet, 65536);
	assert_true(k.has_will && k.will_retain);
	assert_int_equal(k.will_qos, 1);
	assert_str(k.will_topic, "bye!");
	assert_str(k.will_payload, "hello");
}

static void wrong_connects(void **state)
{
	(void)state;
	static const struct {
		const char *what, *hex;
		enum mqtt_reason want;
	} cases[] = {
		{ "protocol name", "10 0E 0004 4D515458 04 02 003C 0002 6465", MQTT_MALFORMED },
		{ "MQTT 3.1", "10 10 0006 4D5149736470 03 02 003C 0002 6465", MQTT_BAD_VERSION },
		{ "level 6", "10 0E 0004 4D515454 06 02 003C 0002 6465", MQTT_BAD_VERSION },
		{ "level 3 of MQTT", "10 0E 0004 4D515454 03 02 003C 0002 6465", MQTT_BAD_VERSION },
		{ "reserved flag", "10 0E 0004 4D515454 04 03 003C 0002 6465", MQTT_MALFORMED },
		{ "header flags", "11 0E 0004 4D515454 04 02 003C 0002 6465", MQTT_MALFORMED },
		{ "will QoS 3", "10 14 0004 4D515454 04 1E 003C 0002 6465 0001 61 0001 62", MQTT_MALFORMED },
		{ "will QoS without will", "10 0E 0004 4D515454 04 0A 003C 0002 6465", MQTT_MALFORMED },
		{ "will retain without will", "10 0E 0004 4D515454 04 22 003C 0002 6465", MQTT_MALFORMED },
		{ "3.1.1 password without user", "10 11 0004 4D515454 04 42 003C 0002 6465 0001 61", MQTT_MALFORMED },
		{ "trailing byte", "10 0F 0004 4D515454 04 02 003C 0002 6465 00", MQTT_MALFORMED },
		{ "cut client id", "10 0E 0004 4D515454 04 02 003C 0003 6465", MQTT_MALFORMED },
		{ "no user behind its flag", "10 0E 0004 4D515454 04 82 003C 0002 6465", MQTT_MALFORMED },
		{ "NUL in client id", "10 0E 0004 4D515454 04 02 003C 0002 6400", MQTT_MALFORMED },
		{ "broken UTF-8", "10 0E 0004 4D515454 04 02 003C 0002 64FF", MQTT_MALFORMED },
		{ "surrogate", "10 0F 0004 4D515454 04 02 003C 0003 EDA080", MQTT_MALFORMED },
		{ "wildcard will topic", "10 14 0004 4D515454 04 06 003C 0002 6465 0001 23 0001 62", MQTT_MALFORMED },
		{ "empty", "10 00", MQTT_MALFORMED },
		{ "property longer than packet", "10 0F 0004 4D515454 05 02 003C 7F 0002 6465", MQTT_MALFORMED },
		{ "unknown property", "10 11 0004 4D515454 05 02 003C 02 7E01 0002 6465", MQTT_MALFORMED },
		{ "property of another packet", "10 12 0004 4D515454 05 02 003C 03 230001 0002 6465", MQTT_PROTOCOL_ERROR },
		{ "receive maximum 0", "10 12 0004 4D515454 05 02 003C 03 210000 0002 6465", MQTT_PROTOCOL_ERROR },
		{ "receive maximum twice", "10 15 0004 4D515454 05 02 003C 06 210001 210001 0002 6465", MQTT_PROTOCOL_ERROR },
		{ "cut property", "10 11 0004 4D515454 05 02 003C 02 2100 0002 6465", MQTT_MALFORMED },
		{ "request problem information 2", "10 11 0004 4D515454 05 02 003C 02 1702 0002 6465", MQTT_PROTOCOL_ERROR },
		{ "authentication data alone", "10 13 0004 4D515454 05 02 003C 04 16000161 0002 6465", MQTT_PROTOCOL_ERROR },
		{ "five-byte property length", "10 13 0004 4D515454 05 02 003C 8080808000 0002 6465", MQTT_MALFORMED },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mqtt_fixed f;
		struct mqtt_connect k;
		struct str b = body_of(bytes(cases[i].hex), &f);
		enum mqtt_reason got = mqtt_read_connect(f.flags, b, &k);
		if (got != cases[i].want)
			fail_msg("%s: 0x%02X instead of 0x%02X", cases[i].what, got, cases[i].want);
	}
}

static void publishes(void **state)
{
	(void)state;
	struct mqtt_fixed f;
	struct mqtt_publish p;
	struct str b = body_of(bytes("32 0A 0003 612F62 0007 7B7D0A"), &f); // QoS 1
	assert_int_equal(mqtt_read_publish(MQTT_V311, f.flags, b, &p), MQTT_SUCCESS);
	assert_int_equal(p.qos, 1);
	assert_int_equal(p.id, 7);
	assert_str(p.topic, "a/b");
	assert_str(p.payload, "{}\n");
	b = body_of(bytes("31 05 0003 612F62"), &f); // QoS 0, retain, empty
	assert_int_equal(mqtt_read_publish(MQTT_V311, f.flags, b, &p), MQTT_SUCCESS);
	assert_true(p.retain && p.qos == 0 && p.payload.n == 0);
	// mosquitto_pub -D publish …: payload format 1, expiry 60, content type t, user property twice; here sent again (DUP)
	b = body_of(bytes("3A 23 0003 612F62 0001 19 0101 02 0000003C 03 0001 74 26 0001 61 0001 62 26 0001 61 0001 62 7B7D"), &f);
	assert_int_equal(mqtt_read_publish(MQTT_V5, f.flags, b, &p), MQTT_SUCCESS);
	assert_true(p.dup);
	assert_str(p.payload, "{}");
	b = body_of(bytes("32 0B 0003 612F62 0007 03 230005"), &f);
	assert_int_equal(mqtt_read_publish(MQTT_V5, f.flags, b, &p), MQTT_SUCCESS);
	assert_int_equal(p.props.topic_alias, 5);

	static const struct {
		const char *hex;
		uint8_t version;
		enum mqtt_reason want;
	} wrong[] = {
		{ "36 0A 0003 612F62 0007 7B7D0A", MQTT_V311, MQTT_MALFORMED },         // QoS 3
		{ "38 05 0003 612F62", MQTT_V311, MQTT_MALFORMED },                     // DUP with QoS 0
		{ "32 07 0003 612F62 0000", MQTT_V311, MQTT_PROTOCOL_ERROR },           // packet id 0
		{ "32 05 0003 612F62", MQTT_V311, MQTT_MALFORMED },                     // no packet id
		{ "30 04 0003 612F", MQTT_V311, MQTT_MALFORMED },                       // cut topic
		{ "30 05 0003 612F62", MQTT_V5, MQTT_MALFORMED },                       // no property length
		{ "30 08 0003 612F62 02 0102", MQTT_V5, MQTT_PROTOCOL_ERROR },          // payload format 2
		{ "30 08 0003 612F62 02 0B01", MQTT_V5, MQTT_PROTOCOL_ERROR },          // subscription id from a client
		{ "30 00", MQTT_V311, MQTT_MALFORMED },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		b = body_of(bytes(wrong[i].hex), &f);
		if (mqtt_read_publish(wrong[i].version, f.flags, b, &p) != wrong[i].want)
			fail_msg("case %zu", i);
	}
}

static void subscriptions(void **state)
{
	(void)state;
	struct mqtt_fixed f;
	struct mqtt_filters s;
	struct str b = body_of(bytes("82 0C 0001 0003 612F62 01 0001 63 01"), &f); // mosquitto_sub -t a/b -t c
	assert_int_equal(mqtt_read_subscribe(MQTT_V311, f.flags, b, &s), MQTT_SUCCESS);
	assert_int_equal(s.n, 2);
	assert_str(s.at[1].filter, "c");
	assert_int_equal(s.at[0].qos, 1);
	b = body_of(bytes("82 0D 0001 00 0003 612F62 01 0001 63 01"), &f);
	assert_int_equal(mqtt_read_subscribe(MQTT_V5, f.flags, b, &s), MQTT_SUCCESS);
	b = body_of(bytes("82 09 0001 02 0B07 0001 61 2D"), &f); // 5.0: identifier 7, no local, retain handling 2
	assert_int_equal(mqtt_read_subscribe(MQTT_V5, f.flags, b, &s), MQTT_SUCCESS);
	b = body_of(bytes("A2 05 0001 0001 61"), &f);
	assert_int_equal(mqtt_read_unsubscribe(MQTT_V311, f.flags, b, &s), MQTT_SUCCESS);
	b = body_of(bytes("A2 0D 0001 07 26 0001 61 0001 62 0001 61"), &f);
	assert_int_equal(mqtt_read_unsubscribe(MQTT_V5, f.flags, b, &s), MQTT_SUCCESS);

	static const struct {
		const char *hex;
		uint8_t version;
		enum mqtt_reason want;
	} wrong[] = {
		{ "80 06 0001 0001 61 00", MQTT_V311, MQTT_MALFORMED },      // header flags
		{ "82 02 0001", MQTT_V311, MQTT_PROTOCOL_ERROR },            // no filter
		{ "82 06 0000 0001 61 00", MQTT_V311, MQTT_PROTOCOL_ERROR }, // packet id 0
		{ "82 06 0001 0001 61 03", MQTT_V311, MQTT_MALFORMED },      // QoS 3
		{ "82 06 0001 0001 61 05", MQTT_V311, MQTT_MALFORMED },      // reserved option in 3.1.1
		{ "82 05 0001 0001 61", MQTT_V311, MQTT_MALFORMED },         // no options
		{ "82 05 0001 0000 00", MQTT_V311, MQTT_MALFORMED },         // empty filter
		{ "82 07 0001 00 0001 61 C0", MQTT_V5, MQTT_MALFORMED },     // reserved options
		{ "82 07 0001 00 0001 61 30", MQTT_V5, MQTT_MALFORMED },     // retain handling 3
		{ "82 09 0001 02 0B00 0001 61 00", MQTT_V5, MQTT_PROTOCOL_ERROR }, // identifier 0
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		b = body_of(bytes(wrong[i].hex), &f);
		if (mqtt_read_subscribe(wrong[i].version, f.flags, b, &s) != wrong[i].want)
			fail_msg("case %zu", i);
	}
	char many[8 + 20 * 8 + 1];
	int n = snprintf(many, sizeof many, "82520001");
	for (int i = 0; i < 20; i++)
		n += snprintf(many + n, sizeof many - (size_t)n, "00016100");
	b = body_of(bytes(many), &f);
	assert_int_equal(mqtt_read_subscribe(MQTT_V311, f.flags, b, &s), MQTT_SUCCESS);
	assert_int_equal(s.n, 20); // counted, though only some are kept
}

static void acks(void **state)
{
	(void)state;
	struct mqtt_fixed f;
	struct mqtt_ack a;
	struct str b = body_of(bytes("40 02 0007"), &f);
	assert_int_equal(mqtt_read_ack(MQTT_V5, MQTT_PUBACK, f.flags, b, &a), MQTT_SUCCESS);
	assert_true(a.id == 7 && a.reason == 0);
	b = body_of(bytes("40 08 0007 80 04 1F0001 61"), &f);
	assert_int_equal(mqtt_read_ack(MQTT_V5, MQTT_PUBACK, f.flags, b, &a), MQTT_SUCCESS);
	assert_true(a.reason == 0x80);
	assert_str(a.props.reason, "a");
	assert_int_equal(mqtt_read_ack(MQTT_V311, MQTT_PUBACK, f.flags, b, &a), MQTT_MALFORMED);
	b = body_of(bytes("62 02 0007"), &f);
	assert_int_equal(mqtt_read_ack(MQTT_V311, MQTT_PUBREL, f.flags, b, &a), MQTT_SUCCESS);
	assert_int_equal(a.id, 7);
	b = body_of(bytes("60 02 0007"), &f); // the flags of PUBREL are 2
	assert_int_equal(mqtt_read_ack(MQTT_V311, MQTT_PUBREL, f.flags, b, &a), MQTT_MALFORMED);
	b = body_of(bytes("E0 00"), &f);
	assert_int_equal(mqtt_read_disconnect(MQTT_V311, f.flags, b, &a), MQTT_SUCCESS);
	assert_int_equal(mqtt_read_disconnect(MQTT_V5, f.flags, b, &a), MQTT_SUCCESS);
	b = body_of(bytes("E0 02 04 00"), &f);
	assert_int_equal(mqtt_read_disconnect(MQTT_V5, f.flags, b, &a), MQTT_SUCCESS);
	assert_int_equal(a.reason, 4);
	b = body_of(bytes("E1 00"), &f);
	assert_int_equal(mqtt_read_disconnect(MQTT_V5, f.flags, b, &a), MQTT_MALFORMED);
}

static void assert_bytes(struct buf *b, const char *hex)
{
	struct str want = bytes(hex);
	if (!str_eq(buf_str(b), want)) {
		char got[1024];
		str_to_hex((uint8_t *)b->p, MIN(b->n, sizeof got / 2 - 1), got);
		fail_msg("%.*s instead of %s", (int)(2 * b->n), got, hex);
	}
	buf_clear(b);
}

static void what_the_gate_sends(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	mqtt_write_connack(&b, MQTT_V311, &(struct mqtt_connack){ .code = MQTT311_BAD_USER });
	assert_bytes(&b, "20 02 00 04");
	mqtt_write_connack(&b, MQTT_V5, &(struct mqtt_connack){ .code = MQTT_BAD_USER });
	assert_bytes(&b, "20 03 00 86 00");
	mqtt_write_connack(&b, MQTT_V5, &(struct mqtt_connack){ .assigned_id = STR("x"), .expiry_zero = true });
	assert_bytes(&b, "20 1B 00 00 18 210400 2700100000 220008 2900 2A00 1100000000 12000178");
	mqtt_write_ack(&b, MQTT_V311, MQTT_PUBACK, 0x1234, MQTT_BAD_PAYLOAD);
	assert_bytes(&b, "40 02 1234");
	mqtt_write_ack(&b, MQTT_V5, MQTT_PUBACK, 0x1234, MQTT_SUCCESS);
	assert_bytes(&b, "40 02 1234");
	mqtt_write_ack(&b, MQTT_V5, MQTT_PUBACK, 0x1234, MQTT_BAD_PAYLOAD);
	assert_bytes(&b, "40 03 1234 99");
	mqtt_write_ack(&b, MQTT_V5, MQTT_PUBREC, 0x1234, MQTT_SUCCESS);
	assert_bytes(&b, "50 02 1234");
	mqtt_write_suback(&b, MQTT_V311, 1, (uint8_t[]){ 1, 0x80 }, 2);
	assert_bytes(&b, "90 04 0001 01 80");
	mqtt_write_suback(&b, MQTT_V5, 1, (uint8_t[]){ 1, 0x87 }, 2);
	assert_bytes(&b, "90 05 0001 00 01 87");
	mqtt_write_unsuback(&b, MQTT_V311, 1, (uint8_t[]){ 0 }, 1);
	assert_bytes(&b, "B0 02 0001");
	mqtt_write_unsuback(&b, MQTT_V5, 1, (uint8_t[]){ 0x11 }, 1);
	assert_bytes(&b, "B0 04 0001 00 11");
	mqtt_write_pingresp(&b);
	assert_bytes(&b, "D0 00");
	mqtt_write_disconnect(&b, MQTT_V5, MQTT_TAKEN_OVER);
	assert_bytes(&b, "E0 01 8E");
	mqtt_write_disconnect(&b, MQTT_V311, MQTT_TAKEN_OVER);
	assert_int_equal(b.n, 0);
	mqtt_write_publish(&b, MQTT_V5, STR("a"), 1, 9, STR("hi"));
	assert_bytes(&b, "32 08 0001 61 0009 00 6869");
	buf_free(&b);
}

static void a_client_and_the_gate_understand_each_other(void **state)
{
	(void)state;
	for (uint8_t v = MQTT_V311; v <= MQTT_V5; v++) {
		struct buf b;
		struct mqtt_fixed f;
		struct mqtt_connect k;
		struct mqtt_connack a;
		struct mqtt_props props;
		buf_init(&b, 4096);
		mqtt_write_connect(&b, v, STR("client"), STR("user"), STR("key"), 30);
		struct str body = body_of(buf_str(&b), &f);
		assert_int_equal(mqtt_read_connect(f.flags, body, &k), MQTT_SUCCESS);
		assert_str(k.user, "user");
		assert_int_equal(k.keep_alive, 30);
		buf_clear(&b);
		mqtt_write_connack(&b, v, &(struct mqtt_connack){ .assigned_id = STR("id") });
		body = body_of(buf_str(&b), &f);
		assert_int_equal(mqtt_read_connack(v, body, &a, &props), MQTT_SUCCESS);
		assert_int_equal(a.code, 0);
		if (v == MQTT_V5) {
			assert_int_equal(props.receive_max, LIMIT_MQTT_INFLIGHT);
			assert_false(props.seen >> 0x24 & 1); // no maximum of QoS
			assert_str(a.assigned_id, "id");
		}
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(connect_as_clients_send_it),
		cmocka_unit_test(wrong_connects),
		cmocka_unit_test(publishes),
		cmocka_unit_test(subscriptions),
		cmocka_unit_test(acks),
		cmocka_unit_test(what_the_gate_sends),
		cmocka_unit_test(a_client_and_the_gate_understand_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
