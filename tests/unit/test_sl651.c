// SL 651 stations: what their elements mean, and the conversation with the gate.
// needs: base bus loop gate gate/decode
#include "fake_core.h"

#include "base/time.h"
#include "gate/decode/sl651.h"

#define HEAD "0003 260101083015"                             // serial 3, sent 2026-01-01T08:30:15+08:00
#define STATION "F1F1 0012345678 48"
#define AT_0830 "F0F0 2601010830"
#define T_0830 INT64_C(1767227400000000)

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

// A frame up from station 0012345678.
static struct str frame(uint8_t function, uint8_t begin, uint8_t end_sign, const char *password, const char *body_hex)
{
	static uint8_t b[4200];
	hex_bytes("7E7E 01 0012345678", b, 8);
	hex_bytes(password, b + 8, 2);
	b[10] = function;
	size_t n = hex_bytes(body_hex, b + 14, sizeof b - 17);
	b[11] = (uint8_t)(n >> 8);
	b[12] = (uint8_t)n;
	b[13] = begin;
	b[14 + n] = end_sign;
	uint16_t crc = sl651_crc(str_from((char *)b, 15 + n));
	b[15 + n] = (uint8_t)(crc >> 8);
	b[16 + n] = (uint8_t)crc;
	return str_from((char *)b, 17 + n);
}

struct seen {
	struct decoded d[100];
	size_t n;
	enum reject refused;
};

static void keep(void *owner, const struct decoded *d)
{
	struct seen *s = owner;
	assert_true(s->n < ARRAY_LEN(s->d));
	s->d[s->n++] = *d;
}

static void keep_refusal(void *owner, enum reject why, struct str what)
{
	(void)what;
	((struct seen *)owner)->refused = why;
}

static struct seen *read_body(uint8_t function, const char *body_hex, struct arena *a)
{
	static struct seen s;
	struct sl651 m;
	struct refusal why;
	struct decode_sink sink = { &s, keep, keep_refusal };
	memset(&s, 0, sizeof s);
	s.refused = REJECT__MAX;
	assert_true(sl651_decode(frame(function, SL651_STX, SL651_ETX, "1234", body_hex), &m, &why));
	assert_true(sl651_readings(&m, a, &sink, &why));
	return &s;
}

static void expect(const struct decoded *d, const char *name, const char *alias, double value, int64_t time, enum quality q)
{
	if (!str_is(d->name, name) || !str_is(d->alias, alias) || d->value != value || d->time != time || d->quality != q)
		fail_msg("%.*s %.*s %g at %lld, %s", STR_FMT(d->name), STR_FMT(d->alias), d->value, (long long)d->time, quality_name(d->quality));
}

static void elements_become_readings(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct seen *s = read_body(0x33, HEAD STATION AT_0830 "20 19 000012 39 23 FF000127 3B 23 FFFFFFFF 38 12 1203 FF38 12 1250 45 20 00000003", a);
	expect(&s->d[0], "20", "PJ", 1.2, T_0830, Q_GOOD);
	expect(&s->d[1], "39", "Z", -0.127, T_0830, Q_GOOD);
	expect(&s->d[2], "3B", "ZU", 0, T_0830, Q_BAD);
	expect(&s->d[3], "38", "VT", 12.03, T_0830, Q_GOOD);
	assert_true(s->d[3].optional && !s->d[1].optional);
	expect(&s->d[4], "FF38", "", 12.5, T_0830, Q_GOOD);
	expect(&s->d[5], "45", "ZT", 3, T_0830, Q_GOOD);
	expect(&s->d[7], "ZT.battery_low", "", 1, T_0830, Q_GOOD);
	s = read_body(0x30, HEAD STATION AT_0830 "39 23 00000127", a); // a test report
	expect(&s->d[0], "39", "Z", 0.127, T_0830, Q_MAINTENANCE);
	// twelve values of the hour that ends at nine; the eleventh is missing
	s = read_body(0x34, HEAD STATION "F0F0 2601010900 F4 60 00010203040506070809FF0B", a);
	assert_int_equal(s->n, 12);
	expect(&s->d[0], "F4", "DRP", 0, T_0830 - 25 * US_PER_MIN, Q_GOOD);
	expect(&s->d[10], "F4", "DRP", 25.5, T_0830 + 25 * US_PER_MIN, Q_BAD);
	expect(&s->d[11], "F4", "DRP", 1.1, T_0830 + 30 * US_PER_MIN, Q_GOOD);
	// levels named by the time of the first
	s = read_body(0x34, HEAD STATION "F0F0 2601010805 F5 C0 03E8 03E9 03EA 03EB 03EC 03ED 03EE 03EF 03F0 03F1 03F2 FFFF", a);
	expect(&s->d[0], "F5", "DRZ1", 10, T_0830 - 25 * US_PER_MIN, Q_GOOD);
	// a series, five minutes apart
	s = read_body(0x31, HEAD STATION AT_0830 "04 18 000005 39 23 00010490 00010500 00010510", a);
	assert_int_equal(s->n, 3);
	expect(&s->d[2], "39", "Z", 10.51, T_0830 + 10 * US_PER_MIN, Q_GOOD);
	s = read_body(0x31, HEAD STATION AT_0830 "04 18 000005 39 23 00010490 39 23 00010500 39 23 FFFFFFFF", a); // with its identifier each time
	assert_int_equal(s->n, 3);
	expect(&s->d[1], "39", "Z", 10.5, T_0830 + 5 * US_PER_MIN, Q_GOOD);
	expect(&s->d[2], "39", "Z", 0, T_0830 + 10 * US_PER_MIN, Q_BAD);
	s = read_body(0x38, HEAD STATION AT_0830 "04 18 000100 FF38 12 1250 FF38 12 1251", a);
	assert_int_equal(s->n, 2);
	expect(&s->d[1], "FF38", "", 12.51, T_0830 + US_PER_HOUR, Q_GOOD);
	s = read_body(0x31, HEAD STATION AT_0830 "04 18 000005 39 23 00010490 20 19 000012", a); // another element: its own value
	assert_int_equal(s->n, 2);
	expect(&s->d[1], "20", "PJ", 1.2, T_0830, Q_GOOD);
	s = read_body(0x38, HEAD STATION AT_0830 "04 18 010000 39 23 00010490 00010500", a); // history by the day
	assert_true(s->d[1].flags == READING_HISTORY && s->d[1].time == T_0830 + US_PER_DAY);
	// pumps and their currents; what the station itself says of pumps, valves and sluices
	s = read_body(0x44, HEAD STATION AT_0830 "70 11 2203 73 11 0125", a);
	expect(&s->d[0], "70", "VTA", 220.3, T_0830, Q_GOOD);
	expect(&s->d[1], "73", "VIA", 12.5, T_0830, Q_GOOD);
	s = read_body(0x4c, HEAD "F1F1 0012345678" "01 05", a);
	assert_int_equal(s->n, 8);
	assert_true(str_is(s->d[0].name, "PUMP.1") && s->d[0].value == 1 && s->d[1].value == 0 && s->d[2].value == 1 && s->d[0].optional);
	s = read_body(0x4e, HEAD "F1F1 0012345678" "02 01 0150 0000", a);
	assert_int_equal(s->n, 4);
	assert_true(str_is(s->d[1].name, "SLUICE.1.opening") && s->d[1].value == 1.5);
	assert_true(str_is(s->d[2].name, "SLUICE.2") && s->d[2].value == 0);
	s = read_body(0x4d, HEAD "F1F1 0012345678" "02 05", a); // a byte too few
	assert_int_equal(s->n, 0);
	arena_free(a);
}

// 6.6.2.7: a report may hold several stations, each behind its address. What is another's must not be this one's level.
static void another_station_keeps_its_name(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct seen *s = read_body(0x32, HEAD STATION AT_0830 "39 23 00012345 F1F1 0012345679 50" AT_0830 "39 23 00099999 45 20 00000004 F1F1 0012345678 48 38 12 1250", a);
	expect(&s->d[0], "39", "Z", 12.345, T_0830, Q_GOOD);
	expect(&s->d[1], "0012345679.39", "", 99.999, T_0830, Q_GOOD);
	assert_true(str_is(s->d[5].name, "0012345679.ZT.water_level_over_limit") && s->d[5].value == 1);
	expect(&s->d[s->n - 1], "38", "VT", 12.5, T_0830, Q_GOOD);
	// without its class, as some stations send it, the first element is not taken for one
	s = read_body(0x32, HEAD "F1F1 0012345678" "20 19 000012", a);
	assert_int_equal(s->n, 1);
	assert_true(str_is(s->d[0].name, "20") && s->d[0].value == 1.2);
	arena_free(a);
}

static void what_cannot_be_read_does_not_cost_what_can(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct seen *s = read_body(0x32, HEAD STATION AT_0830 "39 23 00010490 AB 00 11", a);
	assert_true(s->n == 1 && s->refused == REJECT_UNSUPPORTED);
	s = read_body(0x32, HEAD STATION AT_0830 "39 23 0001A490 20 19 000012", a);
	assert_true(s->n == 1 && s->refused == REJECT_VALUE);
	s = read_body(0x32, HEAD STATION "F0F0 2613010830 39 23 00010490", a);
	assert_true(s->n == 0 && s->refused == REJECT_TIME);
	s = read_body(0x35, HEAD STATION AT_0830 "F2F2 39230001", a); // what somebody typed is no measurement
	assert_true(s->n == 0 && s->refused == REJECT__MAX);
	assert_true(sl651_feed(STR("\x01" "0011")).why.reason == REJECT_UNSUPPORTED);
	arena_free(a);
}

static void answers_are_those_of_captures(void **state)
{
	(void)state;
	struct sl651 m;
	struct refusal why;
	struct buf b;
	char hex[128];
	buf_init(&b, 4096);
	assert_true(sl651_decode(frame(0x30, SL651_STX, SL651_ETX, "1234", "0003591011154947"), &m, &why));
	sl651_answer(&m, 3, SL651_ESC, INT64_C(2833084187000000), &b); // 2059-10-11T15:49:47+08:00
	str_to_hex((const uint8_t *)b.p, b.n, hex);
	assert_true(str_eq_nocase(str_from(hex, 2 * b.n), STR("7E7E00123456780112343080080200035910111549471B75D4")));
	buf_free(&b);
}

// A frame of the centre: what it ends with, and the serial that it confirms.
static void expect_answer(int fd, uint8_t function, uint16_t serial, uint8_t end_sign)
{
	uint8_t b[25];
	assert_int_equal(client_receive(f, fd, b, sizeof b, WAIT_MS), sizeof b);
	assert_true(sl651_feed(str_from((char *)b, sizeof b)).what == FEED_FRAME);
	assert_true(b[10] == function && b[11] == 0x80 && (b[14] << 8 | b[15]) == serial && b[22] == end_sign);
}

static void a_station_is_confirmed_when_it_is_safe(void **state)
{
	(void)state;
	f->auto_ack = false;
	int fd = client_connect(f->line[PROTO_SL651]);
	client_send(fd, frame(0x2f, SL651_STX, SL651_ETX, "1234", HEAD)); // keeps the link: no answer
	client_send(fd, frame(0x32, SL651_STX, SL651_ETX, "1234", "0007 260101083015" STATION AT_0830 "39 23 00010490 20 19 000012"));
	UNTIL(f, f->nreadings == 2);
	assert_true(f->readings[0].point == 701 && f->readings[0].value == 10.49 && f->readings[1].point == 702);
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	expect_answer(fd, 0x32, 7, SL651_ESC);
	client_send(fd, frame(0x35, SL651_STX, SL651_ETB, "1234", HEAD STATION AT_0830 "F2F2 41"));
	expect_answer(fd, 0x35, 3, SL651_ACK);
	client_send(fd, frame(0x32, SL651_STX, SL651_ETX, "1234", "00"));
	assert_int_equal(f->hello, 1);
	uint8_t nak[25];
	assert_int_equal(client_receive(f, fd, nak, sizeof nak, WAIT_MS), sizeof nak);
	assert_int_equal(nak[22], SL651_NAK);
	close(fd);
	fd = client_connect(f->line[PROTO_SL651]);
	client_send(fd, frame(0x32, SL651_STX, SL651_ETX, "1235", HEAD STATION AT_0830 "39 23 00010490"));
	client_expect_end(f, fd); // wrong password: not a word
	assert_int_equal(f->nreadings, 2);
}

static void packets_become_one_report(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_SL651]);
	client_send(fd, frame(0x34, SL651_SYN, SL651_ETB, "1234", "002001 0009 260101090015" STATION "F0F0 2601010900 F4 60 0001"));
	client_expect_nothing(f, fd, 50); // M3: when it is whole
	client_send(fd, frame(0x34, SL651_SYN, SL651_ETX, "1234", "002002 02030405060708090A0B 39 23 00010490"));
	uint8_t b[28]; // one frame for all of them, with the number of the last: 7E7E station centre password function length SYN 002002
	assert_int_equal(client_receive(f, fd, b, sizeof b, WAIT_MS), sizeof b);
	assert_memory_equal(b + 10, "\x34\x80\x0b\x16\x00\x20\x02\x00\x09", 9);
	assert_int_equal(b[25], SL651_ESC);
	assert_true(sl651_feed(str_from((char *)b, sizeof b)).what == FEED_FRAME);
	assert_int_equal(f->nreadings, 13);
	assert_true(f->readings[11].point == 703 && f->readings[11].value == 1.1);
	assert_true(f->readings[12].point == 701 && f->readings[12].value == 10.49);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_become_readings),
		cmocka_unit_test(another_station_keeps_its_name),
		cmocka_unit_test(what_cannot_be_read_does_not_cost_what_can),
		cmocka_unit_test(answers_are_those_of_captures),
		cmocka_unit_test_setup_teardown(a_station_is_confirmed_when_it_is_safe, start, end),
		cmocka_unit_test_setup_teardown(packets_become_one_report, start, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
