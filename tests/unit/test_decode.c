// needs: base bus gate/decode
// Framing of streams, readings with their names, times and qualities, and the answers: what the gate relies on.
#include "gate/decode/decode.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW INT64_C(1795305600000000) // 2026-11-22T08:00:00+08:00
#define FRAME1 "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80"

// Readings and refusals as lines of text.
struct log {
	struct buf out;
};

static void log_reading(void *owner, const struct decoded *d)
{
	struct log *l = owner;
	char at[TIME_TEXT_MAX], v[F64_TEXT_MAX];
	size_t n_at = d->untimed ? 0 : time_text_zone(d->time, ZONE_CHINA_MIN, at), n_v = f64_text(d->value, v);
	buf_printf(&l->out, "%.*s|%.*s|%.*s|%.*s|%s%s%s\n", STR_FMT(d->name), STR_FMT(d->alias), (int)n_at, at, (int)n_v, v,
	           quality_name(d->quality), d->flags & READING_HISTORY ? "|history" : "", d->optional ? "|optional" : "");
	if (d->untimed) {
		buf_printf(&l->out, "untimed\n");
	}
}

static void log_refusal(void *owner, enum reject why, struct str what)
{
	struct log *l = owner;
	buf_printf(&l->out, "refused %.*s: %s\n", STR_FMT(what), reject_name(why));
}

#define LOG(l) struct log l; buf_init(&l.out, 1 << 20); struct decode_sink sink = { &l, log_reading, log_refusal }

static void check_log(struct log *l, const char *want)
{
	if (!str_is(buf_str(&l->out), want)) {
		fail_msg("have:\n%.*s\nwant:\n%s", STR_FMT(buf_str(&l->out)), want);
	}
	buf_free(&l->out);
}

// --- HJ 212 ------------------------------------------------------------------------------------------------------------

static void test_hj212_crc(void **state)
{
	(void)state;
	assert_int_equal(hj212_crc(STR("123456789")), 0x2f80);
	for (unsigned b = 0; b < 256; b++) { // against the text of annex A
		char byte = (char)b;
		unsigned crc = 0xff ^ b;
		for (int bit = 0; bit < 8; bit++) {
			crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
		}
		assert_int_equal(hj212_crc(str_from(&byte, 1)), crc);
	}
}

static struct hj212 hj212_of(const char *segment)
{
	static struct buf frame;
	struct hj212 m;
	struct refusal why;
	buf_free(&frame);
	buf_init(&frame, 4096);
	hj212_frame(str_of(segment), &frame);
	if (!hj212_decode(buf_str(&frame), &m, &why)) {
		fail_msg("%s: %s", segment, why.en);
	}
	return m;
}

static void check_hj212(const char *segment, const char *want)
{
	LOG(l);
	struct refusal why;
	struct hj212 m = hj212_of(segment);
	assert_true(hj212_readings(&m, &sink, &why));
	check_log(&l, want);
}

static void test_hj212_readings(void **state)
{
	(void)state;
	const char *head = "QN=20261122080000123;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&";
	char text[1024];
	snprintf(text, sizeof(text), "%sDataTime=20261122080000; LA-Rtd=50.1;a-Rtd=1,a-Flag=N;b-Rtd=2,b-Flag=D;c-Rtd=3,c-Flag=M;"
	         "d-Rtd=4,d-Flag=T;e-SampleTime=20261122073000,e-Rtd=5;f-Rtd=,f-Flag=B;g-Rtd=x;h-Rtd=1,i-Rtd=2,h-Flag=F,i-Flag=N&&", head);
	check_hj212(text,
	            "LA|LA-Rtd|2026-11-22T08:00:00+08:00|50.1|good\na|a-Rtd|2026-11-22T08:00:00+08:00|1|good\n"
	            "b|b-Rtd|2026-11-22T08:00:00+08:00|2|bad\nc|c-Rtd|2026-11-22T08:00:00+08:00|3|maintenance\n"
	            "d|d-Rtd|2026-11-22T08:00:00+08:00|4|range\ne|e-Rtd|2026-11-22T07:30:00+08:00|5|good\n"
	            "f|f-Rtd|2026-11-22T08:00:00+08:00|0|bad\nrefused g-Rtd: value\nh|h-Rtd|2026-11-22T08:00:00+08:00|1|maintenance\n"
	            "i|i-Rtd|2026-11-22T08:00:00+08:00|2|good\n");
	snprintf(text, sizeof(text), "%sa-Rtd=1&&", head); // no DataTime: the request number's time
	check_hj212(text, "a|a-Rtd|2026-11-22T08:00:00.123+08:00|1|good\n");
	snprintf(text, sizeof(text), "%sDataTime=2026,a-Rtd=1;b-SampleTime=x,b-Rtd=1&&", head);
	check_hj212(text, "refused a-Rtd: time\nrefused b-Rtd: time\n");
	check_hj212("ST=31;CN=2011;PW=1;MN=A;CP=&&a-Rtd=1&&", "refused a-Rtd: time\n");
	check_hj212("ST=31;CN=2051;PW=1;MN=A;CP=&&DataTime=20261122080000;a-Min=1,a-Avg=2,a-Max=3,a-Flag=N;SB1-RS=1&&",
	            "a-Min||2026-11-22T08:00:00+08:00|1|good|optional\na-Avg||2026-11-22T08:00:00+08:00|2|good|optional\n"
	            "a-Max||2026-11-22T08:00:00+08:00|3|good|optional\nSB1-RS||2026-11-22T08:00:00+08:00|1|good|optional\n");
	check_hj212("ST=91;CN=9014;PW=1;MN=A;Flag=4;CP=&&&&", "");
	check_hj212("ST=32;CN=1062;PW=1;MN=A;Flag=4;CP=&&x-Rtd=30&&", "");
}

static void check_answer(const char *segment, const char *want_segment)
{
	struct buf out, want;
	struct hj212 m = hj212_of(segment);
	buf_init(&out, 4096);
	buf_init(&want, 4096);
	hj212_answer(&m, &out);
	if (*want_segment) {
		hj212_frame(str_of(want_segment), &want);
	}
	if (!str_eq(buf_str(&out), buf_str(&want))) {
		fail_msg("%s answered with %.*s", segment, STR_FMT(buf_str(&out)));
	}
	buf_free(&out);
	buf_free(&want);
}

static void test_hj212_answers(void **state)
{
	(void)state;
#define MSG(cn, flag) "QN=20160801085857223;ST=32;CN=" cn ";PW=123456;MN=010000A8900016F000169DC0;Flag=" flag ";CP=&&&&"
#define ANSWER(cn, cp) "QN=20160801085857223;ST=91;CN=" cn ";PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&" cp "&&"
	check_answer(MSG("2011", "5"), ANSWER("9014", ""));
	check_answer(MSG("2061", "7"), ANSWER("9014", ""));
	check_answer(MSG("2081", "5"), ANSWER("9014", ""));
	check_answer(MSG("2011", "4"), "");
	check_answer(MSG("1013", "5"), ANSWER("9013", ""));
	check_answer(MSG("1062", "5"), ANSWER("9011", "QnRtn=2"));
	check_answer(MSG("7777", "5"), ANSWER("9011", "QnRtn=8"));
	check_answer(MSG("9012", "5"), "");
	check_answer("ST=32;CN=2011;PW=123456;MN=A;CP=&&&&", "");
	check_answer("QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=1;CP=&&&&", "QN=1;ST=91;CN=9014;PW=1;MN=A;Flag=0;CP=&&&&");
	struct hj212 m = hj212_of(MSG("2011", "5"));
	struct buf out;
	buf_init(&out, 4096);
	hj212_answer(&m, &out);
	assert_true(str_is(buf_str(&out), "##0087QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&3240\r\n"));
	buf_clear(&out);
	hj212_deny(&m, HJ212_READY, &out);
	assert_true(str_is(buf_str(&out), "##0094QN=20160801085857223;ST=91;CN=9011;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&QnRtn=1&&1B00\r\n"));
	buf_clear(&out);
	hj212_deny(&m, HJ212_WRONG_PW, &out);
	assert_true(str_contains(buf_str(&out), STR("QnRtn=3")));
	buf_clear(&out);
	struct refusal why;
	assert_false(hj212_decode(STR("##0044QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=5;CP=&&&&0000"), &m, &why));
	assert_int_equal(why.reason, REJECT_SYNTAX);
	hj212_deny(&m, HJ212_WRONG_CRC, &out); // nothing is known of the sender
	assert_int_equal(out.n, 0);
	assert_false(hj212_decode(STR("##0043QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=5;CP=&&&&0000"), &m, &why));
	assert_int_equal(why.reason, REJECT_CHECKSUM);
	hj212_deny(&m, HJ212_WRONG_CRC, &out);
	assert_true(str_contains(buf_str(&out), STR("QnRtn=9")));
	buf_free(&out);
}

static void test_hj212_feed(void **state)
{
	(void)state;
	const char frame[] = FRAME1 "\r\n";
	for (size_t n = 0; n < sizeof(FRAME1) - 1; n++) {
		struct fed f = hj212_feed(str_from(frame, n));
		assert_true(f.what == FEED_MORE && f.drop == 0);
	}
	struct fed f = hj212_feed(str_from(frame, sizeof(FRAME1) - 1)); // CR LF still on its way
	assert_true(f.what == FEED_FRAME && f.drop == sizeof(FRAME1) - 1 && str_is(f.frame, FRAME1));
	f = hj212_feed(STR(" \r\n" FRAME1 "\r\n##00"));
	assert_true(f.what == FEED_FRAME && f.drop == 3 + sizeof(FRAME1) - 1 + 2);
	f = hj212_feed(STR("\r\n"));
	assert_true(f.what == FEED_MORE && f.drop == 2);
	f = hj212_feed(STR("GET / HTTP/1.1\r\n"));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_SYNTAX && f.drop == 16);
	f = hj212_feed(STR("noise#" FRAME1));
	assert_true(f.what == FEED_BAD && f.drop == 5);
	f = hj212_feed(STR("#" FRAME1)); // ### and no digits: one byte further it is a frame
	assert_true(f.what == FEED_BAD && f.drop == 1);
	f = hj212_feed(STR("##12x4" FRAME1));
	assert_true(f.what == FEED_BAD && f.drop == 6);
	f = hj212_feed(STR("##1025"));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_TOO_LARGE && f.drop == 6);
	f = hj212_feed(STR("##0005abcdeFFFF"));
	assert_true(f.what == FEED_MORE);
	f = hj212_feed(STR("##0005abcdeFFFF\r\n"));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_CHECKSUM && f.drop == 17 && str_is(f.frame, "##0005abcdeFFFF"));
	f = hj212_feed(STR("##0007abcdeFFFF\r\n" FRAME1)); // too long by two: the next frame is not lost
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_SYNTAX && f.drop == 17);
}

// --- GB/T 26875.3 ------------------------------------------------------------------------------------------------------

static struct str gb_bytes(const char *hex)
{
	static uint8_t bytes[1100];
	size_t n = strlen(hex) / 2;
	assert_true(str_from_hex(str_of(hex), bytes, n));
	return str_from((const char *)bytes, n);
}

static struct gb26875 gb_of(const char *hex)
{
	struct gb26875 m;
	struct refusal why;
	if (!gb26875_decode(gb_bytes(hex), false, &m, &why)) {
		fail_msg("%s: %s", hex, why.en);
	}
	return m;
}

static void check_gb(const char *hex, const char *want)
{
	LOG(l);
	struct refusal why;
	struct arena *arena = arena_new(0);
	struct gb26875 m = gb_of(hex);
	assert_true(gb26875_readings(&m, arena, &sink, &why));
	check_log(&l, want);
	arena_free(arena);
}

// A frame around a unit, with its length and sum.
static const char *gb_made(const char *label, const char *unit, uint8_t command)
{
	static char hex[400];
	struct str data = gb_bytes(unit);
	uint8_t sum = 0, bytes[200];
	size_t n = (size_t)snprintf(hex, sizeof hex, "404001000101%s010000000000000000000000%02X00%02X%s", label, (unsigned)data.n, command, unit);
	assert_true(str_from_hex(str_from(hex, n), bytes, n / 2));
	for (size_t i = 2; i < n / 2; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	snprintf(hex + n, sizeof hex - n, "%02X2323", sum);
	return hex;
}

static void test_gb26875_readings(void **state)
{
	(void)state;
	check_gb("404001000101051E0E13091A010000000000000000000000120002030101011F0100000003FB00051E0E13091A0A2323",
	         "1.1.31.1.3||2026-09-19T14:30:05+08:00|25.1|good\n");
	check_gb("404003000101051E0E13091A010000000000000000000000090002150101051E0E13091AF62323",
	         "device.status||2026-09-19T14:30:05+08:00|1|good|optional\ndevice.normal||2026-09-19T14:30:05+08:00|1|good|optional\n"
	         "device.fire||2026-09-19T14:30:05+08:00|0|good|optional\ndevice.fault||2026-09-19T14:30:05+08:00|0|good|optional\n"
	         "device.main_power_fault||2026-09-19T14:30:05+08:00|0|good|optional\ndevice.standby_power_fault||2026-09-19T14:30:05+08:00|0|good|optional\n"
	         "device.link_fault||2026-09-19T14:30:05+08:00|0|good|optional\ndevice.monitored_line_fault||2026-09-19T14:30:05+08:00|0|good|optional\n");
	check_gb("404003000101103B0C1B0C11672B00000000385B010000000A000218010100003B0C1B0C115F2323",
	         "device.operation||2017-12-27T12:59:00+08:00|1|good|optional\n");
	check_gb("4040000001010C3B0C1B0C11672B00000000385B01000000000002B52323", "");
	// a label that is no time, or that of a clock without a battery: the frame's counts; without either that of the arrival
	check_gb(gb_made("051E0E13091A", "0301" "01011F0100000003FB00" "000000000000", 2), "1.1.31.1.3||2026-09-19T14:30:05+08:00|25.1|good\n");
	check_gb(gb_made("051E0E13091A", "0301" "01011F0100000003FB00" "000000010100", 2), "1.1.31.1.3||2026-09-19T14:30:05+08:00|25.1|good\n");
	check_gb(gb_made("000000010100", "0301" "01011F0100000003FB00" "000000000000", 2), "1.1.31.1.3|||25.1|good\nuntimed\n");
}

static void test_gb26875_answers(void **state)
{
	(void)state;
	struct buf out;
	char hex[60], device[12];
	struct gb26875 m = gb_of("404003000101051E0E13091A010000000000000000000000090002150101051E0E13091AF62323");
	buf_init(&out, 4096);
	gb26875_answer(&m, true, m.time, &out);
	assert_int_equal(out.n, 30);
	str_to_hex((const uint8_t *)out.p, 30, hex);
	assert_true(str_eq_nocase(str_from(hex, 60), STR("404003000101051E0E13091A000000000000010000000000000003702323")));
	buf_clear(&out);
	gb26875_answer(&m, false, m.time, &out);
	assert_int_equal(out.p[26], GB26875_DENY);
	gb26875_device(&m, device);
	assert_memory_equal(device, "010000000000", 12);
	buf_clear(&out);
	m = gb_of("404000000101001E16080C15000000000000800D00000000000003EF2323"); // a confirmation wants none
	gb26875_answer(&m, true, m.time, &out);
	assert_int_equal(out.n, 0);
	m.command = GB26875_REQUEST;
	gb26875_answer(&m, true, m.time, &out);
	assert_int_equal(out.p[26], GB26875_DENY);
	buf_clear(&out); // 6.5: a command that is none is denied; whatever a user's own holds is no error
	m = gb_of(gb_made("051E0E13091A", "0102", 128));
	gb26875_answer(&m, true, m.time, &out);
	assert_int_equal(out.p[26], GB26875_DENY);
	buf_free(&out);
}

static void test_gb26875_bcd(void **state)
{
	(void)state;
	struct str label = STR("\x59\x30\x14\x19\x09\x26");
	char text[TIME_TEXT_MAX];
	size_t n = time_text_zone(gb26875_time(label, true), ZONE_CHINA_MIN, text);
	assert_true(str_is(str_from(text, n), "2026-09-19T14:30:59+08:00"));
	assert_true(gb26875_time(label, false) == INT64_MIN);
	assert_true(gb26875_time(STR("\x59\x30\x14\x19\x09\x1a"), true) == INT64_MIN && gb26875_time(STR("\x3b\x30\x14\x19\x09\x26"), true) == INT64_MIN);
	assert_true(gb26875_time(STR("\x00\x00\x00\x00\x00"), false) == INT64_MIN);
}

static void test_gb26875_feed(void **state)
{
	(void)state;
	const char *hex = "404000000101011E16080C15800D00000000000000000000040002190101000E2323";
	char two[80];
	struct str one = gb_bytes(hex);
	memcpy(two, one.p, one.n);
	memcpy(two + one.n, one.p, one.n);
	for (size_t n = 0; n < one.n; n++) {
		assert_true(gb26875_feed(str_from(two, n)).what == FEED_MORE);
	}
	struct fed f = gb26875_feed(str_from(two, 2 * one.n));
	assert_true(f.what == FEED_FRAME && f.drop == one.n && f.frame.n == one.n);
	two[30] ^= 1;
	f = gb26875_feed(str_from(two, one.n));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_CHECKSUM && f.drop == one.n && f.frame.n == one.n);
	two[30] ^= 1;
	two[24] = 3; // a length that does not fit: the next frame is found
	f = gb26875_feed(str_from(two, 2 * one.n));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_SYNTAX && f.drop == one.n);
	two[24] = 1;
	two[25] = 4;
	f = gb26875_feed(str_from(two, 27));
	assert_true(f.what == FEED_BAD && f.why.reason == REJECT_TOO_LARGE);
	f = gb26875_feed(STR("noise@"));
	assert_true(f.what == FEED_BAD && f.drop == 5);
}

// --- bodies ------------------------------------------------------------------------------------------------------------

static bool decode_body(const char *body, struct log *l, struct refusal *why)
{
	struct arena *arena = arena_new(0);
	struct decode_sink sink = { l, log_reading, log_refusal };
	buf_init(&l->out, 8 << 20);
	bool ok = payload_decode(str_of(body), arena, NOW, &sink, why);
	arena_free(arena);
	return ok;
}

static void check_body(const char *body, const char *want)
{
	struct log l;
	struct refusal why;
	if (!decode_body(body, &l, &why)) {
		fail_msg("%s: %s", body, why.en);
	}
	check_log(&l, want);
}

static void check_refused(const char *body, enum reject reason)
{
	struct log l;
	struct refusal why;
	if (decode_body(body, &l, &why) || why.reason != reason) {
		fail_msg("%s: accepted, or refused for another reason", body);
	}
	buf_free(&l.out);
}

static void test_payloads(void **state)
{
	(void)state;
	check_body("[{\"point\":\"T-1\",\"time\":\"2026-11-22T08:00:00+08:00\",\"value\":12.5,\"quality\":\"stale\"},{\"point\":\"T-2\",\"value\":1}]",
	           "T-1||2026-11-22T08:00:00+08:00|12.5|stale\nrefused T-2: time\n");
	check_body("[{\"bn\":\"a/\",\"n\":\"b\",\"v\":1,\"t\":-10},{\"n\":\"c\",\"vb\":true},{\"n\":\"d\",\"vs\":\"x\"},{\"n\":\"e\",\"s\":2}]",
	           "a/b||2026-11-22T07:59:50+08:00|1|good\na/c||2026-11-22T08:00:00+08:00|1|good\nrefused a/d: unsupported\n"
	           "a/e||2026-11-22T08:00:00+08:00|2|good\n");
	check_body("{\"datas\":[{\"quotaId\":\"Q1\",\"value\":1.5,\"isValid\":true},{\"quotaId\":\"Q2\",\"value\":7,\"isValid\":false},{\"quotaId\":\"Q3\"}],"
	           "\"gatewayId\":\"g\",\"collectTime\":\"20261122075900\",\"reportType\":\"continues\"}",
	           "Q1||2026-11-22T07:59:00+08:00|1.5|good|history\nQ2||2026-11-22T07:59:00+08:00|7|bad|history\nrefused Q3: value\n");
	check_body("{\"gatewayCode\":\"g\",\"isConnectDataSource\":false,\"reportType\":\"report\",\"dataType\":\"04\",\"datas\":[{\"pointCode\":\"P\",\"pointValue\":\"13.20\","
	           "\"dataTime\":\"2026-11-22 07:58:00\"},{\"pointCode\":\"P\",\"pointValue\":\"x\",\"dataTime\":\"2026-11-22 07:58:00\"},{\"pointCode\":\"P\",\"pointValue\":1}]}",
	           "P||2026-11-22T07:58:00+08:00|13.2|stale\nrefused P: value\nrefused P: time\n");
	check_body("{\"dataType\":\"05\",\"datas\":[{\"pointCode\":\"P\",\"avgValue\":1,\"maxValue\":2,\"statTime\":\"2026-11-22 07:00:00\"}]}",
	           "P-Avg||2026-11-22T07:00:00+08:00|1|good|optional\nP-Max||2026-11-22T07:00:00+08:00|2|good|optional\n");
	check_body("{\"dataType\":\"1001\",\"datas\":[{\"alarmLevel\":1}]}", "refused 1001: unsupported\n");
	// the object of the drafts before the RFC, e before or behind the base fields; bv is there a truth
	check_body("{\"e\":[{\"n\":\"b\",\"v\":1,\"t\":-10},{\"n\":\"c\",\"bv\":true},{\"n\":\"d\",\"sv\":\"x\"}],\"bn\":\"a/\",\"bt\":1795305600,\"ver\":1}",
	           "a/b||2026-11-22T07:59:50+08:00|1|good\na/c||2026-11-22T08:00:00+08:00|1|good\nrefused a/d: unsupported\n");
	check_body("{\"bn\":\"a\",\"e\":[{\"v\":-1.5}]}", "a||2026-11-22T08:00:00+08:00|-1.5|good\n");
	check_refused("{\"bn\":1,\"e\":[{\"n\":\"b\",\"v\":1}]}", REJECT_SYNTAX);
	check_refused("{\"bn\":\"a\",\"e\":[{\"n\":\"b\",\"v\":1}", REJECT_SYNTAX);
	check_refused("{\"bn\":\"a\",\"e\":[1]}", REJECT_SYNTAX);
	check_body("[]", "");
	check_refused("", REJECT_SYNTAX);
	check_refused("{}", REJECT_SYNTAX);
	check_refused("{\"a\":1}", REJECT_SYNTAX);
	check_refused("[{\"point\":\"A\",\"time\":0,\"value\":1}", REJECT_SYNTAX);
	check_refused("[{\"point\":\"A\",\"time\":0,\"value\":1}] x", REJECT_SYNTAX);
	check_refused("{\"appId\":\"a\",\"data\":\"xxx=\"}", REJECT_UNSUPPORTED);
}

static bool decode_json(const char *body, struct log *l, struct refusal *why)
{
	struct arena *arena on_scope_exit(arena_freep) = arena_new(0);
	buf_init(&l->out, 1 << 20);
	return payload_json(str_of(body), arena, &(struct decode_sink){ l, log_reading, log_refusal }, why);
}

static void test_too_many(void **state)
{
	(void)state;
	struct buf body;
	buf_init(&body, 4 << 20);
	for (unsigned extra = 0; extra < 2; extra++) {
		buf_clear(&body);
		buf_add_u8(&body, '[');
		for (unsigned i = 0; i < LIMIT_READINGS_PER_MESSAGE + extra; i++) {
			buf_printf(&body, "%s{\"point\":\"P\",\"time\":0,\"value\":1}", i ? "," : "");
		}
		buf_add_u8(&body, ']');
		buf_add_u8(&body, 0);
		struct log l;
		struct refusal why;
		assert_true(decode_body(body.p, &l, &why) == !extra);
		assert_true(!extra || why.reason == REJECT_TOO_LARGE);
		buf_free(&l.out);
	}
	buf_free(&body);
}

// An object in the usual order is read by a short way, in another order by the general reader: the same comes out,
// whatever stands in it.
static void test_two_ways_one_result(void **state)
{
	(void)state;
	static const char *const names[] = { "\"T-101\"", "\"\"", "\"a\\u0062\"", "\"\u5b89-1\"", "\"x", "5", "\"12345678\"", "\"tab\t\"" };
	static const char *const times[] = { "\"2026-11-22T08:00:00+08:00\"", "\"2026-11-22 08:00:00.123456789Z\"", "\"2026-11-22T08:00:00\"",
		"\"2026-02-29T08:00:00Z\"", "\"2026-11-22T08:00:00Zx\"", "1795305600123", "\"2026-11-22T08:00:00.5-00:30\"", "\"\"", "null" };
	static const char *const values[] = { "12.34", "-0", "1e400", "0.1234567890123456789", "12345678901234567890", "01", "1.", "true", "null", "\"1\"",
		"1e22", "0.30000000000000004", "9007199254740993", "000", "- 1", "1 ", "+1" };
	static const char *const forms[] = { "[{\"point\":%s,\"time\":%s,\"value\":%s}]", "[ {\"point\": %s, \"time\": %s, \"value\": %s}]",
		"[{\"point\":%s,\"time\":%s,\"value\":%s},]", "[{\"point\":%s,\"time\":%s,\"value\":%s,\"quality\":\"stale\"}]" };
	for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(times) * ARRAY_LEN(values) * ARRAY_LEN(forms); i++) {
		char usual[256], other[256];
		const char *form = forms[i % ARRAY_LEN(forms)];
		size_t k = i / ARRAY_LEN(forms), t = k / ARRAY_LEN(names);
		snprintf(usual, sizeof usual, form, names[k % ARRAY_LEN(names)], times[t % ARRAY_LEN(times)], values[t / ARRAY_LEN(times)]);
		snprintf(other, sizeof other, "[{\"none\":0,%s", strchr(usual, '{') + 1);
		struct log a, b;
		struct refusal why_a = { 0 }, why_b = { 0 };
		bool ok = decode_json(usual, &a, &why_a);
		if (decode_json(other, &b, &why_b) != ok || !str_eq(buf_str(&a.out), buf_str(&b.out)) || (!ok && why_a.en != why_b.en))
			fail_msg("%s: %.*s; the general reader: %.*s", usual, STR_FMT(buf_str(&a.out)), STR_FMT(buf_str(&b.out)));
		buf_free(&a.out);
		buf_free(&b.out);
	}
}

static void test_numbers(void **state)
{
	(void)state;
	double v;
	assert_true(decode_number(STR(" +007.50 "), &v) && v == 7.5);
	assert_true(decode_number(STR("-.5"), &v) && v == -0.5);
	assert_true(decode_number(STR("5."), &v) && v == 5);
	assert_true(decode_number(STR("-00"), &v) && v == 0);
	assert_true(decode_number(STR("1e3"), &v) && v == 1000);
	static const char *const bad[] = { "", " ", ".", "-", "+", "-.", "1 2", "1,5", "0x1", "nan", "inf", "--1", "+-1", "1e400", "..5" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (decode_number(str_of(bad[i]), &v)) {
			fail_msg("%s was accepted", bad[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hj212_crc),        cmocka_unit_test(test_hj212_readings), cmocka_unit_test(test_hj212_answers),
		cmocka_unit_test(test_hj212_feed),       cmocka_unit_test(test_gb26875_readings), cmocka_unit_test(test_gb26875_answers),
		cmocka_unit_test(test_gb26875_bcd),      cmocka_unit_test(test_gb26875_feed),   cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_too_many),         cmocka_unit_test(test_numbers),         cmocka_unit_test(test_two_ways_one_result),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
