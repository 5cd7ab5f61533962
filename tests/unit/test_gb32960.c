// GB/T 32960.3 electric vehicles: units with their scales and what is invalid in them, and the conversation with the gate.
// needs: base bus loop gate gate/decode
#include "fake_core.h"

#include "base/time.h"
#include "gate/decode/gb32960.h"

#define VIN "4C5356414C3030303044454D4F30303031" // LSVAL0000DEMO0001
#define TIME "1A0101081E0F"                      // 2026-01-01T08:30:15+08:00

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

// A packet around command and data.
static struct str packet(uint8_t command, uint8_t response, uint8_t encryption, const char *data_hex)
{
	static uint8_t b[4096];
	hex_bytes("2323", b, 2);
	b[2] = command;
	b[3] = response;
	hex_bytes(VIN, b + 4, 17);
	b[21] = encryption;
	size_t n = hex_bytes(data_hex, b + 24, sizeof b - 25);
	b[22] = (uint8_t)(n >> 8);
	b[23] = (uint8_t)n;
	b[24 + n] = 0;
	for (size_t i = 2; i < 24 + n; i++)
		b[24 + n] ^= b[i];
	return str_from((char *)b, 25 + n);
}

struct seen {
	struct decoded d[200];
	size_t n;
	enum reject refused;
	char what[32];
};

static void keep(void *owner, const struct decoded *d)
{
	struct seen *s = owner;
	assert_true(s->n < ARRAY_LEN(s->d));
	s->d[s->n++] = *d;
}

static void keep_refusal(void *owner, enum reject why, struct str what)
{
	struct seen *s = owner;
	s->refused = why;
	snprintf(s->what, sizeof s->what, "%.*s", STR_FMT(what));
}

static bool read_packet(struct str frame, struct arena *a, struct seen *s)
{
	struct gb32960 m;
	struct refusal why;
	struct decode_sink sink = { s, keep, keep_refusal };
	memset(s, 0, sizeof *s);
	assert_true(gb32960_decode(frame, &m, &why));
	return gb32960_readings(&m, a, &sink, &why);
}

static void expect(const struct seen *s, const char *name, double value, enum quality q)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_is(s->d[i].name, name)) {
			if (s->d[i].value != value || s->d[i].quality != q)
				fail_msg("%s is %g %s", name, s->d[i].value, quality_name(s->d[i].quality));
			return;
		}
	fail_msg("no %s", name);
}

static void units_become_readings(void **state)
{
	(void)state;
	static struct seen s;
	struct arena *a = arena_new(0);
	assert_true(read_packet(packet(2, 0xfe, 1, TIME "01 01 03 01 01F4 0001E240 0E74 26DD 55 01 2E 07D0 FE FF"
	                                                "02 01 02 01 5A 55F0 4E84 50 0E74 2774"
	                                                "05 02 072FFC64 01DD9546"
	                                                "07 02 00000805 01 000000C8 00 00 FF"
	                                                "08 01 01 025A 26DD 0004 0003 02 0CCC FFFF"
	                                                "09 01 01 0002 47 FE"), a, &s));
	expect(&s, "speed", 50, Q_GOOD);
	expect(&s, "mileage", 12345.6, Q_GOOD);
	expect(&s, "current", -5.1, Q_GOOD);
	expect(&s, "soc", 85, Q_GOOD);
	expect(&s, "accelerator", 0, Q_BAD);
	expect(&s, "brake", 0, Q_BAD);
	expect(&s, "motor2.speed", 2000, Q_GOOD);
	expect(&s, "motor2.torque", 10, Q_GOOD);
	expect(&s, "motor2.controller_temp", 50, Q_GOOD);
	expect(&s, "lon", 120.585316, Q_GOOD);
	expect(&s, "lat", -31.298886, Q_GOOD);
	expect(&s, "alarm.level", 2, Q_GOOD);
	expect(&s, "alarm.insulation", 1, Q_GOOD);
	expect(&s, "alarm.soc_low", 0, Q_GOOD);
	expect(&s, "faults.battery", 1, Q_GOOD);
	expect(&s, "faults.other", 0, Q_BAD);
	expect(&s, "battery1.voltage", 60.2, Q_GOOD);
	expect(&s, "battery1.cell3", 3.276, Q_GOOD);
	expect(&s, "battery1.cell4", 0, Q_BAD);
	expect(&s, "battery1.temp1", 31, Q_GOOD);
	expect(&s, "battery1.temp2", 0, Q_BAD);
	assert_true(s.d[0].time == INT64_C(1767227415000000) && s.d[0].flags == 0);
	assert_true(read_packet(packet(3, 0xfe, 1, TIME "05 01 072FFC64 01DD9546"), a, &s)); // reissued, without a fix
	expect(&s, "lon", 0, Q_BAD);
	assert_int_equal(s.d[0].flags, READING_HISTORY);
	arena_free(a);
}

static void what_cannot_be_read_does_not_cost_what_can(void **state)
{
	(void)state;
	static struct seen s;
	struct arena *a = arena_new(0);
	assert_true(read_packet(packet(2, 0xfe, 1, TIME "05 00 072FFC64 01DD9546 31 AABB"), a, &s));
	assert_true(s.n == 2 && s.refused == REJECT_UNSUPPORTED);
	assert_string_equal(s.what, "unit 0x31");
	assert_true(read_packet(packet(2, 0xfe, 1, TIME "05 00 072FFC64 01DD9546 04 01"), a, &s));
	assert_true(s.n == 2 && s.refused == REJECT_SYNTAX);
	assert_false(read_packet(packet(2, 0xfe, 3, TIME), a, &s)); // AES
	assert_false(read_packet(packet(5, 0xfe, 1, TIME "0001"), a, &s)); // a platform
	assert_false(read_packet(packet(2, 0xfe, 1, "1A0D0108 1E0F 05 00 072FFC64 01DD9546"), a, &s)); // month 13
	assert_false(read_packet(packet(2, 0xfe, 1, "64010108 1E0F 05 00 072FFC64 01DD9546"), a, &s)); // year 100
	assert_false(read_packet(packet(2, 0xfe, 1, ""), a, &s)); // a report begins with its time
	assert_true(read_packet(packet(7, 0xfe, 1, ""), a, &s)); // a heartbeat has none
	assert_true(read_packet(packet(2, 0xfe, 1, TIME "01 FF FF FF FFFF FFFFFFFF FFFF FFFF FF FF FF FFFF FF FF 05 00 FFFFFFFF 01DD9546"), a, &s));
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(s.d[i].quality, Q_BAD); // nothing of it is known, not even the gear and half a position
	assert_int_equal(s.n, 15);
	assert_true(read_packet(packet(2, 0x01, 1, TIME), a, &s)); // an answer
	assert_int_equal(s.n, 0);
	struct fed fed = gb32960_feed(STR("$$\x01\xfe" "LSVAL0000DEMO0001"));
	assert_true(fed.what == FEED_BAD && fed.why.reason == REJECT_UNSUPPORTED);
	arena_free(a);
}

static void expect_answer(int fd, uint8_t command, uint8_t response, const char *data_hex)
{
	uint8_t got[128];
	struct str want = packet(command, response, 1, data_hex);
	assert_int_equal(client_receive(f, fd, got, want.n, WAIT_MS), want.n);
	assert_memory_equal(got, want.p, want.n);
}

static void a_vehicle_is_answered_when_it_is_safe(void **state)
{
	(void)state;
	f->auto_ack = false;
	int fd = client_connect(f->line[PROTO_GB32960]);
	client_send(fd, packet(1, 0xfe, 1, TIME "0001 3839383630363136303230303436333739363239 00 00"));
	expect_answer(fd, 1, 1, TIME);
	client_send(fd, packet(2, 0xfe, 1, TIME "01 01 03 01 01F4 0001E240 0E74 26DD 55 01 2E 07D0 FE FF"));
	UNTIL(f, f->nreadings == 2);
	assert_true(f->readings[0].point == 602 && f->readings[0].value == 50 && f->readings[1].point == 601);
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	expect_answer(fd, 2, 1, TIME);
	client_send(fd, packet(7, 0xfe, 1, ""));
	expect_answer(fd, 7, 1, "");
	client_send(fd, packet(2, 0xfe, 3, TIME "00"));
	expect_answer(fd, 2, 2, "");
	client_send(fd, packet(8, 0xfe, 1, ""));
	uint8_t b[31];
	assert_int_equal(client_receive(f, fd, b, 31, WAIT_MS), 31);
	assert_true(b[2] == 8 && b[3] == 1 && b[23] == 6 && b[24] >= 20);
	struct str bad = packet(7, 0xfe, 1, "");
	char wrong[25];
	memcpy(wrong, bad.p, bad.n);
	wrong[24] ^= 1;
	client_send(fd, str_from(wrong, sizeof wrong));
	UNTIL(f, f->rejects[REJECT_CHECKSUM] == 1);
	client_send(fd, packet(4, 0xfe, 1, TIME "0001"));
	expect_answer(fd, 4, 1, TIME);
	assert_int_equal(f->rejects[REJECT_UNSUPPORTED], 1);
	close(fd);
}

static void a_stranger_is_told_so(void **state)
{
	(void)state;
	char unknown[256];
	struct str p = packet(7, 0xfe, 1, "");
	memcpy(unknown, p.p, p.n);
	unknown[20] = '2';
	unknown[24] ^= '1' ^ '2';
	int fd = client_connect(f->line[PROTO_GB32960]);
	client_send(fd, str_from(unknown, p.n));
	uint8_t b[25];
	assert_int_equal(client_receive(f, fd, b, 25, WAIT_MS), 25);
	assert_int_equal(b[3], 2);
	client_expect_end(f, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_become_readings),
		cmocka_unit_test(what_cannot_be_read_does_not_cost_what_can),
		cmocka_unit_test_setup_teardown(a_vehicle_is_answered_when_it_is_safe, start, end),
		cmocka_unit_test_setup_teardown(a_stranger_is_told_so, start, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
