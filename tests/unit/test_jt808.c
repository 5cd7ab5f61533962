// JT/T 808 vehicles: what their positions mean, and the conversation with the gate. Frames are built by jt808_frame, which
// is held against captures first.
// needs: base bus loop gate gate/decode
#include "fake_core.h"

#include "base/time.h"
#include "gate/decode/jt808.h"

#define TEST(t) cmocka_unit_test_setup_teardown(t, start, end)
#define POSITION "00000001 00000003 01DD9546 072FFC64 000C 01C8 005A 260101083015" // 31.298886 N 120.585316 E, SOS

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

static struct jt808 terminal(const char *phone, uint16_t seq)
{
	struct jt808 m = { .edition_2019 = strlen(phone) == 20, .version = 1, .digits = (uint8_t)strlen(phone), .seq = seq };
	memcpy(m.phone, phone, strlen(phone));
	return m;
}

// --- the decoder ---

struct seen {
	struct decoded d[400];
	size_t n;
	unsigned refused;
};

static void keep(void *owner, const struct decoded *d)
{
	struct seen *s = owner;
	assert_true(s->n < ARRAY_LEN(s->d));
	s->d[s->n++] = *d;
}

static void keep_refusal(void *owner, enum reject why, struct str what)
{
	(void)why, (void)what;
	((struct seen *)owner)->refused++;
}

static const struct decoded *find(const struct seen *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_is(s->d[i].name, name))
			return &s->d[i];
	fail_msg("no %s", name);
	return NULL;
}

static bool read_body(uint16_t id, const char *hex, struct arena *a, struct seen *s)
{
	uint8_t body[1024];
	struct jt808 m = terminal("013800138000", 1);
	struct decode_sink sink = { s, keep, keep_refusal };
	struct refusal why;
	m.id = id;
	m.body = str_from((char *)body, hex_bytes(hex, body, sizeof body));
	memset(s, 0, sizeof *s);
	return jt808_readings(&m, a, &sink, &why);
}

static void positions_become_readings(void **state)
{
	(void)state;
	static struct seen s;
	struct arena *a = arena_new(0);
	assert_true(read_body(JT808_POSITION, POSITION "0104 00003039 0202 007D 0602 FFFB 3001 15", a, &s));
	assert_true(find(&s, "lon")->value == 120.585316 && find(&s, "lat")->value == 31.298886);
	assert_true(find(&s, "speed")->value == 45.6 && find(&s, "direction")->value == 90 && find(&s, "alt")->value == 12);
	assert_true(find(&s, "mileage")->value == 1234.5 && find(&s, "fuel")->value == 12.5 && find(&s, "rssi")->value == 21);
	assert_true(find(&s, "carriage_temp")->value == -5);
	assert_true(find(&s, "alarm.sos")->value == 1 && find(&s, "alarm.overspeed")->value == 0 && find(&s, "status.acc")->value == 1);
	assert_true(read_body(JT808_POSITION, POSITION "0602 8005 0602 FF38", a, &s)); // as sign and magnitude; -200 as two's complement
	assert_true(find(&s, "carriage_temp")->value == -5 && s.d[s.n - 1].value == -200);
	assert_true(read_body(JT808_POSITION, POSITION, a, &s));
	assert_false(find(&s, "lon")->optional);
	assert_true(find(&s, "alarm.sos")->optional);
	assert_int_equal(find(&s, "lon")->quality, Q_GOOD);
	assert_true(find(&s, "lon")->time == INT64_C(1767227415000000)); // 2026-01-01T08:30:15+08:00
	assert_int_equal(find(&s, "lon")->flags, 0);
	// south and west; no fix: the satellites' values are bad, the vehicle's own are not
	assert_true(read_body(JT808_POSITION, "00000000 0000000C 01DD9546 072FFC64 000C 01C8 005A 260101083015 0104 00003039", a, &s));
	assert_true(find(&s, "lon")->value == -120.585316 && find(&s, "lat")->value == -31.298886);
	assert_int_equal(find(&s, "lon")->quality, Q_BAD);
	assert_int_equal(find(&s, "mileage")->quality, Q_GOOD);
	// a fix beyond the pole is none
	assert_true(read_body(JT808_POSITION, "00000000 00000002 055D4A81 072FFC64 000C 01C8 005A 260101083015", a, &s));
	assert_int_equal(find(&s, "lon")->quality, Q_BAD);
	// blind area: history
	assert_true(read_body(JT808_BATCH, "0002 01 001C" POSITION "001C" POSITION, a, &s));
	assert_int_equal(find(&s, "lon")->flags, READING_HISTORY);
	assert_true(read_body(JT808_BATCH, "0001 00 001C" POSITION, a, &s));
	assert_int_equal(find(&s, "lon")->flags, 0);
	// an impossible time; too few; a body too short
	assert_true(read_body(JT808_POSITION, "00000000 00000003 01DD9546 072FFC64 000C 01C8 005A 261301083015", a, &s));
	assert_true(s.n == 0 && s.refused == 1);
	assert_false(read_body(JT808_BATCH, "0003 01 001C" POSITION, a, &s));
	assert_false(read_body(JT808_POSITION, "00000000", a, &s));
	assert_false(read_body(0x0801, "00", a, &s));
	arena_free(a);
}

static void frames_are_those_of_captures(void **state)
{
	(void)state;
	struct buf b;
	char hex[512];
	buf_init(&b, 4096);
	struct jt808 to = terminal("00000000012345678900", 1);
	jt808_text(&to, 1, 5, 1, STR("smallchi 518"), &b);
	str_to_hex((const uint8_t *)b.p, b.n, hex);
	assert_true(str_eq_nocase(str_from(hex, 2 * b.n), STR("7E8300400E010000000001234567890000010501736D616C6C63686920353138417E")));
	buf_clear(&b);
	to = terminal("012345678900", 100);
	to.id = JT808_POSITION;
	jt808_ack(&to, 10, JT808_OK, &b);
	str_to_hex((const uint8_t *)b.p, b.n, hex);
	assert_true(str_eq_nocase(str_from(hex, 2 * b.n), STR("7E80010005012345678900000A0064020000617E")));
	buf_clear(&b);
	to = terminal("00000000123456789012", 1);
	jt808_server_time(&to, 1, INT64_C(1575252610000000), &b); // 2019-12-02T10:10:10+08:00
	str_to_hex((const uint8_t *)b.p, b.n, hex);
	assert_true(str_eq_nocase(str_from(hex, 2 * b.n), STR("7E8004400601000000001234567890120001191202101010517E")));
	buf_free(&b);
}

static void the_stream_is_cut_at_its_signs(void **state)
{
	(void)state;
	char two[64];
	struct str one = STR("\x7e\x00\x02\x00\x00\x01\x34\x12\x34\x56\x78\x2c\x8f\x9c\x7e");
	memcpy(two, one.p, one.n);
	memcpy(two + one.n, one.p, one.n);
	for (size_t n = 0; n < one.n; n++)
		assert_true(jt808_feed(str_from(two, n)).what == FEED_MORE && !jt808_feed(str_from(two, n)).drop);
	assert_true(jt808_feed(str_from(two, 2 * one.n)).drop == one.n);
	struct fed lost = jt808_feed(str_from(two + one.n - 1, one.n + 1)); // the end of one, then the next
	assert_true(lost.what == FEED_MORE && lost.drop == 1);
	struct fed noise = jt808_feed(str_from(two + 1, 2 * one.n - 1));
	assert_true(noise.what == FEED_BAD && noise.drop == one.n - 2);
	// one sign between two messages, and one that broke off before a whole one: the second is read in both
	memcpy(two + one.n - 1, one.p, one.n);
	assert_true(jt808_feed(str_from(two, 2 * one.n - 1)).drop == one.n - 1);
	assert_true(jt808_feed(str_from(two + one.n - 1, one.n)).what == FEED_FRAME);
	memcpy(two + 5, one.p, one.n);
	assert_true(jt808_feed(str_from(two, 5 + one.n)).drop == 5 && jt808_feed(str_from(two + 5, one.n)).drop == one.n);
	static char flood[5000] = "\x7e";
	assert_true(jt808_feed(str_from(flood, sizeof flood)).what == FEED_BAD);
}

// --- the conversation ---

static void say(int fd, struct jt808 *m, uint16_t id, const char *body_hex)
{
	uint8_t body[1024];
	struct buf b;
	buf_init(&b, 4096);
	jt808_frame(m, id, ++m->seq, str_from((char *)body, hex_bytes(body_hex, body, sizeof body)), &b);
	client_send(fd, buf_str(&b));
	buf_free(&b);
}

// The body of the next message of the server, which must have this id.
static struct str hear(int fd, uint16_t id)
{
	static uint8_t b[1024];
	static struct arena *a;
	struct jt808 m;
	struct refusal why;
	size_t n = 0;
	if (!a)
		a = arena_new(0);
	do
		assert_int_equal(client_receive(f, fd, b + n, 1, WAIT_MS), 1);
	while (n++ == 0 || b[n - 1] != 0x7e);
	assert_true(jt808_decode(str_from((char *)b, n), a, &m, &why));
	assert_int_equal(m.id, id);
	return m.body;
}

static void hear_ack(int fd, uint16_t seq, uint16_t id, enum jt808_result result)
{
	struct str body = hear(fd, JT808_SERVER_ACK);
	const uint8_t want[] = { (uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)result };
	assert_int_equal(body.n, sizeof want);
	assert_memory_equal(body.p, want, sizeof want);
}

static void a_vehicle_authenticates_and_is_acknowledged_when_it_is_safe(void **state)
{
	(void)state;
	struct jt808 m = terminal("013800138000", 0x7d);
	f->auto_ack = false;
	int fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &m, JT808_AUTHENTICATE, "4A31333830"); // J1380; its number is 7E
	hear_ack(fd, 0x7e, JT808_AUTHENTICATE, JT808_OK);
	say(fd, &m, JT808_POSITION, POSITION);
	UNTIL(f, f->nreadings == 3);
	assert_int_equal(f->readings[0].point, 501);
	assert_true(f->readings[0].value == 120.585316);
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	hear_ack(fd, 0x7f, JT808_POSITION, JT808_OK);
	say(fd, &m, JT808_HEARTBEAT, "");
	hear_ack(fd, 0x80, JT808_HEARTBEAT, JT808_OK);
	say(fd, &m, JT808_ASK_TIME, "");
	assert_int_equal(hear(fd, JT808_SERVER_TIME).n, 6);
	say(fd, &m, 0x0702, "01"); // driver's card: not processed
	hear_ack(fd, 0x82, 0x0702, JT808_UNSUPPORTED);
	say(fd, &m, JT808_POSITION, "00");
	hear_ack(fd, 0x83, JT808_POSITION, JT808_WRONG);
	say(fd, &m, JT808_ACK, "0001820100"); // an answer is not answered
	say(fd, &m, JT808_LOGOUT, "");
	hear_ack(fd, 0x85, JT808_LOGOUT, JT808_OK);
	assert_int_equal(f->hello, 1);
	close(fd);
	// the same terminal after a change to the edition of 2019
	struct jt808 later = terminal("00000000013800138000", 0);
	fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &later, JT808_AUTHENTICATE, "05 4A31333830 383630303030303030303030303031 00");
	hear_ack(fd, 1, JT808_AUTHENTICATE, JT808_OK);
	close(fd);
}

static void who_may_register_and_who_not(void **state)
{
	(void)state;
	struct jt808 keyed = terminal("013800138000", 0), stranger = terminal("019999999999", 0), free_one = terminal("013412345678", 0);
	int fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &keyed, JT808_REGISTER, "0020 01F5");
	assert_int_equal(hear(fd, JT808_REGISTERED).p[2], JT808_TERMINAL_TAKEN);
	client_expect_end(f, fd);
	fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &stranger, JT808_REGISTER, "0020 01F5");
	assert_int_equal(hear(fd, JT808_REGISTERED).p[2], JT808_NO_TERMINAL);
	client_expect_end(f, fd);
	fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &free_one, JT808_REGISTER, "0020 01F5");
	struct str body = hear(fd, JT808_REGISTERED);
	assert_true(body.p[2] == JT808_REGISTERED_OK && str_is(str_skip(body, 3), "13412345678"));
	close(fd);
	fd = client_connect(f->line[PROTO_JT808]); // later, with what it was given
	say(fd, &free_one, JT808_AUTHENTICATE, "3133343132333435363738");
	hear_ack(fd, 2, JT808_AUTHENTICATE, JT808_OK);
	say(fd, &free_one, JT808_POSITION, POSITION);
	hear_ack(fd, 3, JT808_POSITION, JT808_OK);
	assert_int_equal(f->readings[0].point, 511);
	close(fd);
}

static void nobody_speaks_for_a_vehicle_with_a_key(void **state)
{
	(void)state;
	static const char *const codes[] = { "4A31333831", "3133383030313338303030" }; // a wrong one; its phone number
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct jt808 m = terminal("013800138000", 0);
		int fd = client_connect(f->line[PROTO_JT808]);
		say(fd, &m, JT808_AUTHENTICATE, codes[i]);
		hear_ack(fd, 1, JT808_AUTHENTICATE, JT808_FAILED);
		client_expect_end(f, fd);
	}
	struct jt808 m = terminal("013800138000", 0), other = terminal("013412345678", 0);
	int fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &other, JT808_POSITION, POSITION); // may come without a key
	hear_ack(fd, 1, JT808_POSITION, JT808_OK);
	say(fd, &m, JT808_POSITION, POSITION); // may not
	hear_ack(fd, 1, JT808_POSITION, JT808_FAILED);
	client_expect_end(f, fd);
	assert_int_equal(f->nreadings, 1);
}

// --- messages in several packets ---

static void say_part(int fd, const char *phone, uint16_t id, uint16_t seq, uint16_t parts, uint16_t part, struct str piece)
{
	uint8_t head[] = { (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(0x20 | piece.n >> 8), (uint8_t)piece.n, 0, 0, 0, 0, 0, 0,
		           (uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(parts >> 8), (uint8_t)parts, (uint8_t)(part >> 8), (uint8_t)part };
	uint8_t sum = 0;
	struct buf plain, out;
	buf_init(&plain, 4096);
	buf_init(&out, 4096);
	str_from_hex(str_of(phone), head + 4, 6);
	buf_add(&plain, head, sizeof head);
	buf_add_str(&plain, piece);
	for (size_t i = 0; i < plain.n; i++)
		sum ^= (uint8_t)plain.p[i];
	buf_add_u8(&plain, sum);
	buf_add_u8(&out, 0x7e);
	for (size_t i = 0; i < plain.n; i++) {
		bool special = plain.p[i] == 0x7e || plain.p[i] == 0x7d;
		buf_add_u8(&out, special ? 0x7d : (uint8_t)plain.p[i]);
		if (special)
			buf_add_u8(&out, plain.p[i] == 0x7e ? 2 : 1);
	}
	buf_add_u8(&out, 0x7e);
	client_send(fd, buf_str(&out));
	buf_free(&plain);
	buf_free(&out);
}

static void packets_become_one_message(void **state)
{
	(void)state;
	uint8_t body[1024];
	struct str whole = str_from((char *)body, hex_bytes("0002 01 001C" POSITION "001C 00000000 00000003 01DD9546 072FFC64 000C 01C8 005A 260101083045", body, sizeof body));
	struct jt808 m = terminal("013800138000", 0);
	int fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &m, JT808_AUTHENTICATE, "4A31333830");
	hear_ack(fd, 1, JT808_AUTHENTICATE, JT808_OK);
	f->auto_ack = false;
	say_part(fd, "013800138000", JT808_BATCH, 5, 3, 1, str_first(whole, 20));
	hear_ack(fd, 5, JT808_BATCH, JT808_OK);
	say_part(fd, "013800138000", JT808_BATCH, 6, 3, 2, str_from(whole.p + 20, 20));
	hear_ack(fd, 6, JT808_BATCH, JT808_OK);
	say_part(fd, "013800138000", JT808_BATCH, 6, 3, 2, str_from(whole.p + 20, 20)); // again
	hear_ack(fd, 6, JT808_BATCH, JT808_OK);
	assert_int_equal(f->nreadings, 0);
	say_part(fd, "013800138000", JT808_BATCH, 7, 3, 3, str_skip(whole, 40));
	UNTIL(f, f->nreadings == 6);
	assert_int_equal(f->readings[5].flags, READING_HISTORY);
	client_expect_nothing(f, fd, 50); // the whole is acknowledged when it is safe
	core_ack(f, f->seq);
	hear_ack(fd, 7, JT808_BATCH, JT808_OK);
	// one that begins in the middle; one of which a packet is missing
	say_part(fd, "013800138000", JT808_BATCH, 12, 3, 2, str_first(whole, 20));
	hear_ack(fd, 12, JT808_BATCH, JT808_WRONG);
	say_part(fd, "013800138000", JT808_BATCH, 21, 3, 1, str_first(whole, 20));
	hear_ack(fd, 21, JT808_BATCH, JT808_OK);
	say_part(fd, "013800138000", JT808_BATCH, 23, 3, 3, str_skip(whole, 40));
	hear_ack(fd, 23, JT808_BATCH, JT808_WRONG);
	assert_int_equal(f->rejects[REJECT_PROTOCOL], 2);
	assert_int_equal(f->nreadings, 6);
	close(fd);
}

static void a_message_without_end_is_refused(void **state)
{
	(void)state;
	static char piece[1000];
	struct jt808 m = terminal("013800138000", 0);
	int fd = client_connect(f->line[PROTO_JT808]);
	say(fd, &m, JT808_AUTHENTICATE, "4A31333830");
	hear_ack(fd, 1, JT808_AUTHENTICATE, JT808_OK);
	uint16_t most = LIMIT_LINE_MESSAGE / sizeof piece;
	for (uint16_t i = 1; i <= most; i++) {
		say_part(fd, "013800138000", JT808_BATCH, (uint16_t)(100 + i), 5000, i, str_from(piece, sizeof piece));
		hear_ack(fd, (uint16_t)(100 + i), JT808_BATCH, JT808_OK);
	}
	say_part(fd, "013800138000", JT808_BATCH, (uint16_t)(101 + most), 5000, (uint16_t)(most + 1), str_from(piece, sizeof piece));
	hear_ack(fd, (uint16_t)(101 + most), JT808_BATCH, JT808_WRONG);
	assert_int_equal(f->rejects[REJECT_TOO_LARGE], 1);
	say(fd, &m, JT808_HEARTBEAT, "");
	hear_ack(fd, 2, JT808_HEARTBEAT, JT808_OK);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_become_readings),
		cmocka_unit_test(frames_are_those_of_captures),
		cmocka_unit_test(the_stream_is_cut_at_its_signs),
		TEST(a_vehicle_authenticates_and_is_acknowledged_when_it_is_safe),
		TEST(who_may_register_and_who_not),
		TEST(nobody_speaks_for_a_vehicle_with_a_key),
		TEST(packets_become_one_message),
		TEST(a_message_without_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
