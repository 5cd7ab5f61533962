// Commands in the words of each protocol: the bytes of the standard's example, of its layouts with checksums computed elsewhere,
// and what in a device's frame answers which command.
// needs: base bus gate/decode
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "gate/decode/downlink.h"

#define NOW INT64_C(1785545937000000) // 2026-08-01T08:58:57+08:00
#define MN "010000A8900016F000169DC0"

static struct buf out;
static struct arena *arena;

static int start(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	arena = arena_new(0);
	return 0;
}
static int end(void **state)
{
	(void)state;
	buf_free(&out);
	arena_free(arena);
	return 0;
}

static void expect_text(const char *text)
{
	if (!str_is(buf_str(&out), text))
		fail_msg("wrote '%.*s' instead of '%s'", (int)out.n, out.p, text);
	buf_clear(&out);
}

static void expect_hex(const char *hex)
{
	char got[512], want[512];
	size_t n = 0;
	assert_true(2 * out.n <= sizeof got && strlen(hex) < sizeof want);
	str_to_hex((const uint8_t *)out.p, out.n, got);
	for (const char *h = hex; *h; h++) // blanks are for the reader
		if (*h != ' ')
			want[n++] = *h;
	if (!str_eq_nocase(str_from(got, 2 * out.n), str_from(want, n)))
		fail_msg("wrote %.*s instead of %s", (int)(2 * out.n), got, hex);
	buf_clear(&out);
}

// --- HJ 212 ---

static struct hj212 hj212(const char *segment)
{
	struct hj212 m;
	struct refusal why;
	struct buf b;
	buf_init(&b, 4096);
	hj212_frame(str_of(segment), &b);
	assert_true(hj212_decode(arena_str(arena, buf_str(&b)), &m, &why));
	buf_free(&b);
	return m;
}

static struct downlink_peer hj212_device(const char *pw, int st)
{
	struct downlink_peer p = { .code_len = 0 };
	struct hj212 m = hj212(arena_printf(arena, "QN=20160801085857223;ST=%d;CN=2011;PW=%s;MN=" MN ";Flag=5;CP=&&&&", st, pw).p);
	hj212_peer(&m, &p);
	m = hj212(arena_printf(arena, "QN=20160801085857223;ST=91;CN=9011;PW=%s;MN=" MN ";Flag=4;CP=&&QnRtn=1&&", pw).p);
	hj212_peer(&m, &p); // an answer is not of its system type
	return p;
}

#define QN (UINT64_C(1470013137223)) // 20160801085857223 at GMT+8, ms

static void hj212_asks_as_the_standard_writes(void **state)
{
	(void)state;
	struct downlink_peer p = hj212_device("100000", 32);
	struct downlink_sent s = { QN, { .kind = COMMAND_INTERVAL_SET, .seconds = 30 } };
	hj212_command(&p, &s, NOW, &out); // the example of annex A
	expect_text("##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=" MN ";Flag=5;CP=&&RtdInterval=30&&1C80\r\n");
	static const struct {
		struct command c;
		const char *cn, *cp;
	} rows[] = {
		{ { .kind = COMMAND_TIME_SET }, "1012", "SystemTime=20260801085857" },
		{ { .kind = COMMAND_TIME_GET }, "1011", "" },
		{ { .kind = COMMAND_INTERVAL_GET }, "1061", "" },
		{ { .kind = COMMAND_MINUTE_SET, .seconds = 600 }, "1064", "MinInterval=10" },
		{ { .kind = COMMAND_MINUTE_GET }, "1063", "" },
		{ { .kind = COMMAND_QUERY_NOW }, "2011", "" },
		{ { .kind = COMMAND_REALTIME_STOP }, "2012", "" },
		{ { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_MINUTE, .from = NOW - US_PER_DAY, .to = NOW }, "2051",
		  "BeginTime=20260731085857;EndTime=20260801085857" },
		{ { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_HOUR, .from = NOW - US_PER_DAY, .to = NOW }, "2061",
		  "BeginTime=20260731085857;EndTime=20260801085857" },
		{ { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_DAY, .from = NOW - US_PER_DAY, .to = NOW }, "2031",
		  "BeginTime=20260731085857;EndTime=20260801085857" },
		{ { .kind = COMMAND_INSTRUMENT_ID, .factor = "w01018" }, "3019", "PolId=w01018" },
		{ { .kind = COMMAND_INSTRUMENT_INFO, .factor = "w01018", .info = "i13004" }, "3020", "PolId=w01018;InfoId=i13004" },
		{ { .kind = COMMAND_INSTRUMENT_LOG, .factor = "a34004xx", .from = NOW - US_PER_DAY, .to = NOW }, "3020",
		  "PolId=a34004xx;InfoId=i11001;BeginTime=20260731085857,EndTime=20260801085857" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf want;
		buf_init(&want, 4096);
		hj212_frame(arena_printf(arena, "QN=20160801085857223;ST=32;CN=%s;PW=100000;MN=" MN ";Flag=5;CP=&&%s&&", rows[i].cn, rows[i].cp), &want);
		s.c = rows[i].c;
		hj212_command(&p, &s, NOW, &out);
		expect_text(arena_printf(arena, "%.*s", (int)want.n, want.p).p);
		buf_free(&want);
	}
}

static void hj212_answers_in_two_steps(void **state)
{
	(void)state;
	struct downlink_sent set = { QN, { .kind = COMMAND_INTERVAL_SET, .seconds = 30 } }, now = { QN, { .kind = COMMAND_QUERY_NOW } },
			     get = { QN, { .kind = COMMAND_TIME_GET } }, other = { QN + 1, { .kind = COMMAND_INTERVAL_SET } };
	struct command_answer a;
	struct refusal why;
	struct hj212 m;
	// the frames of the standards file
	assert_true(hj212_decode(STR("##0094QN=20160801085857223;ST=91;CN=9011;PW=123456;MN=" MN ";Flag=4;CP=&&QnRtn=1&&1B00"), &m, &why));
	assert_true(hj212_answers(&m, &set, &a) && a.outcome == OUTCOME_ACCEPTED && a.code == 1);
	assert_true(hj212_answers(&m, &now, &a) && a.outcome == OUTCOME_DONE); // there is nothing more to come
	assert_false(hj212_answers(&m, &other, &a));
	assert_true(hj212_decode(STR("##0095QN=20160801085857223;ST=91;CN=9012;PW=123456;MN=" MN ";Flag=4;CP=&&ExeRtn=1&&6240"), &m, &why));
	assert_true(hj212_answers(&m, &set, &a) && a.outcome == OUTCOME_DONE && a.code == 1);
	static const struct {
		const char *cn, *cp;
		enum command_outcome outcome;
		int code;
	} rows[] = {
		{ "9011", "QnRtn=2", OUTCOME_REFUSED, 2 }, { "9011", "QnRtn=100", OUTCOME_REFUSED, 100 }, { "9011", "", OUTCOME_REFUSED, -1 },
		{ "9012", "ExeRtn=3", OUTCOME_REFUSED, 3 }, { "9012", "ExeRtn=100", OUTCOME_DONE, 100 }, { "9012", "ExeRtn=-9", OUTCOME_REFUSED, -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		m = hj212(arena_printf(arena, "QN=20160801085857223;ST=91;CN=%s;PW=1;MN=" MN ";Flag=4;CP=&&%s&&", rows[i].cn, rows[i].cp).p);
		assert_true(hj212_answers(&m, &set, &a));
		assert_int_equal(a.outcome, rows[i].outcome);
		assert_int_equal(a.code, rows[i].code);
	}
	m = hj212("QN=20160801085857223;ST=32;CN=1011;PW=1;MN=" MN ";Flag=4;CP=&&SystemTime=20160801085858&&");
	assert_true(hj212_answers(&m, &get, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "SystemTime=20160801085858") == 0);
	assert_false(hj212_answers(&m, &set, &a));
	m = hj212("QN=20160801085857223;ST=32;CN=1011;PW=1;MN=" MN ";Flag=4;CP=&&SystemTime=\xff\x01" "20&&");
	assert_true(hj212_answers(&m, &get, &a) && strcmp(a.text, "SystemTime=..20") == 0); // it will stand in a record
	// HJ/T 212-2005: no QN of its own, that of the request stands in CP
	m = hj212("ST=91;CN=9012;PW=1;MN=" MN ";CP=&&QN=20160801085857223;ExeRtn=1&&");
	assert_true(hj212_answers(&m, &set, &a) && a.outcome == OUTCOME_DONE && a.code == 1);
	m = hj212("ST=91;CN=9012;PW=1;MN=" MN ";CP=&&QN=20160801085857224;ExeRtn=1&&");
	assert_false(hj212_answers(&m, &set, &a));
	m = hj212("ST=91;CN=9012;PW=1;MN=" MN ";CP=&&ExeRtn=1&&");
	assert_false(hj212_answers(&m, &set, &a));
}

static void hj212_instruments_say_who_they_are(void **state)
{
	(void)state;
	struct downlink_sent id = { QN, { .kind = COMMAND_INSTRUMENT_ID, .factor = "w01018" } }, log = { QN, { .kind = COMMAND_INSTRUMENT_LOG, .factor = "w01018" } },
			     set = { QN, { .kind = COMMAND_TIME_SET } };
	struct command_answer a;
	struct hj212 m = hj212("QN=20160801085857223;ST=32;CN=3019;PW=1;MN=" MN ";Flag=4;CP=&&PolId=w01018;w01018-SN=010000A8900016F000169DC1&&");
	assert_true(hj212_answers(&m, &id, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "w01018-SN=010000A8900016F000169DC1") == 0);
	assert_false(hj212_answers(&m, &log, &a));
	assert_false(hj212_answers(&m, &set, &a));
	m = hj212("QN=20160801085857223;ST=32;CN=3020;PW=1;MN=" MN ";Flag=4;CP=&&DataTime=20160801062035;PolId=w01018;i11001-Info=//清洗管路; 换试剂, 1=2//&&");
	assert_true(hj212_answers(&m, &log, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "20160801062035 i11001-Info=//清洗管路; 换试剂, 1=2//") == 0);
	struct buf cp;
	buf_init(&cp, 1000);
	buf_printf(&cp, "QN=20160801085857223;ST=32;CN=3020;PW=1;MN=" MN ";Flag=4;CP=&&i11001-Info=//x");
	for (int i = 0; i < 200; i++)
		buf_add_cstr(&cp, "洗");
	buf_add_cstr(&cp, "//&&");
	m = hj212(arena_printf(arena, "%.*s", (int)cp.n, cp.p).p);
	buf_free(&cp);
	assert_true(hj212_answers(&m, &log, &a) && str_utf8_valid(str_of(a.text)) && strlen(a.text) > 190); // cut between characters
	m = hj212("QN=20160801085857223;ST=32;CN=3019;PW=1;MN=" MN ";Flag=4;CP=&&PolId=w01018&&");
	assert_true(hj212_answers(&m, &id, &a) && a.outcome == OUTCOME_REFUSED); // it has none
}

// --- GB/T 26875.3 ---

static void gb26875_sets_the_clock_in_bcd(void **state)
{
	(void)state;
	struct downlink_peer p = { .code_len = 0 };
	struct downlink_sent s = { 3, { .kind = COMMAND_TIME_SET } };
	struct gb26875 m = { .main_version = 1, .user_version = 5, .source = { 1 }, .destination = { 2, 2 }, .bcd = true }, back;
	struct refusal why;
	gb26875_peer(&m, &p);
	buf_clear(&out);
	gb26875_command(&p, &s, NOW, &out);
	assert_true(gb26875_decode(buf_str(&out), true, &back, &why) && back.time == NOW);
	assert_memory_equal(out.p + 29, out.p + 6, 6); // the label of the frame and of the object
}

static void gb26875_sets_the_clock(void **state)
{
	(void)state;
	struct downlink_peer p = { .code_len = 0 };
	struct downlink_sent s = { 3, { .kind = COMMAND_TIME_SET } };
	struct gb26875 m = { .main_version = 1, .user_version = 5, .source = { 1 }, .destination = { 2, 2 } };
	struct command_answer a;
	gb26875_peer(&m, &p);
	gb26875_command(&p, &s, NOW, &out);
	expect_hex("4040 0300 0105 393A0801081A 020200000000 010000000000 0800 01 5A01 393A0801081A AE 2323");
	m.seq = 3;
	m.command = GB26875_CONFIRM;
	assert_true(gb26875_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE);
	m.command = GB26875_DENY;
	assert_true(gb26875_answers(&m, &s, &a) && a.outcome == OUTCOME_REFUSED && a.code == 6);
	m.command = GB26875_SEND;
	assert_false(gb26875_answers(&m, &s, &a));
	m.command = GB26875_CONFIRM;
	m.seq = 4;
	assert_false(gb26875_answers(&m, &s, &a));
}

// --- JT/T 808 ---

static struct jt808 jt808(uint16_t id, const char *body_hex)
{
	struct jt808 m = { .id = id, .phone = "013800138000", .digits = 12 };
	size_t n = strlen(body_hex) / 2;
	uint8_t *body = arena_alloc(arena, n + 1);
	assert_true(str_from_hex(str_of(body_hex), body, n));
	m.body = str_from((char *)body, n);
	return m;
}

static void jt808_asks_and_is_answered(void **state)
{
	(void)state;
	struct downlink_peer p = { .code_len = 0 };
	struct jt808 m = jt808(JT808_HEARTBEAT, "");
	struct command_answer a;
	jt808_peer(&m, &p);
	struct downlink_sent set = { 0x7e, { .kind = COMMAND_INTERVAL_SET, .seconds = 300 } }, get = { 3, { .kind = COMMAND_INTERVAL_GET } },
			     now = { 4, { .kind = COMMAND_QUERY_NOW } };
	jt808_command(&p, &set, NOW, &out);
	expect_hex("7E8103000A013800138000007D020100000029040000012C5D7E");
	jt808_command(&p, &get, NOW, &out);
	expect_hex("7E8104000001380013800000032C7E");
	jt808_command(&p, &now, NOW, &out);
	expect_hex("7E8201000001380013800000042D7E");
	struct downlink_sent restart = { 5, { .kind = COMMAND_RESTART } };
	jt808_command(&p, &restart, NOW, &out);
	expect_hex("7E810500010138001380000005042E7E");
	m = jt808(JT808_ACK, "0005810500");
	assert_true(jt808_answers(&m, &restart, &a) && a.outcome == OUTCOME_DONE);
	m = jt808(JT808_ACK, "0005810503");
	assert_true(jt808_answers(&m, &restart, &a) && a.outcome == OUTCOME_REFUSED && a.code == 3);
	m = jt808(JT808_ACK, "0005810300");
	assert_false(jt808_answers(&m, &restart, &a));
	static const struct {
		const char *body;
		bool answers;
		enum command_outcome outcome;
	} acks[] = {
		{ "007E810300", true, OUTCOME_DONE },  { "007E810301", true, OUTCOME_REFUSED }, { "007E810303", true, OUTCOME_REFUSED },
		{ "007F810300", false, OUTCOME_DONE }, { "007E820100", false, OUTCOME_DONE },   { "007E81", false, OUTCOME_DONE },
	};
	for (size_t i = 0; i < ARRAY_LEN(acks); i++) {
		m = jt808(JT808_ACK, acks[i].body);
		assert_int_equal(jt808_answers(&m, &set, &a), acks[i].answers);
		assert_true(!acks[i].answers || a.outcome == acks[i].outcome);
	}
	m = jt808(JT808_ACK, "0003810400"); // what was asked for is still to come
	assert_false(jt808_answers(&m, &get, &a));
	m = jt808(JT808_ACK, "0003810403");
	assert_true(jt808_answers(&m, &get, &a) && a.outcome == OUTCOME_REFUSED && a.code == 3);
	m = jt808(JT808_PARAMETERS, "00030200000001040000003C00000029040000012C");
	assert_true(jt808_answers(&m, &get, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "0104 0029=300 s") == 0);
	m = jt808(JT808_PARAMETERS, "00030200000001040000003C0000002904"); // cut off
	assert_true(jt808_answers(&m, &get, &a) && a.outcome == OUTCOME_REFUSED);
	m = jt808(JT808_POSITION_ANSWER, "0004000000010000000301DD9546072FFC64000C01C8005A260101083015");
	assert_true(jt808_answers(&m, &now, &a) && a.outcome == OUTCOME_DONE);
	m = jt808(JT808_POSITION_ANSWER, "0004");
	assert_true(jt808_answers(&m, &now, &a) && a.outcome == OUTCOME_REFUSED);
}

// --- SL 651 ---

static void sl651_asks_and_is_answered(void **state)
{
	(void)state;
	struct downlink_peer p = { .code_len = 0 };
	struct sl651 m = { .centre = 1, .station = "0012345678", .password = "1234" };
	struct command_answer a;
	sl651_peer(&m, &p);
	struct downlink_sent s = { 7, { .kind = COMMAND_TIME_SET } };
	sl651_command(&p, &s, NOW, &out);
	expect_hex("7E7E00123456780112344A800802000726080108585705C1E5");
	s = (struct downlink_sent){ 10, { .kind = COMMAND_QUERY_NOW } };
	sl651_command(&p, &s, NOW, &out);
	expect_hex("7E7E001234567801123437800802000A260801085857052588");
	s = (struct downlink_sent){ 9, { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_HOUR, .element = 0x3923,
		                         .from = NOW - (8 * 3600 + 58 * 60 + 57) * US_PER_S, .to = NOW - (6 * 3600 + 58 * 60 + 57) * US_PER_S } };
	sl651_command(&p, &s, NOW, &out);
	expect_hex("7E7E0012345678011234388017020009260801085857260801002608010204180001003923050944");
	s = (struct downlink_sent){ 8, { .kind = COMMAND_INTERVAL_SET, .seconds = 6 * 3600 } };
	sl651_command(&p, &s, NOW, &out);
	expect_hex("7E7E001234567801123442800B02000826080108585720080605DB3D");
	m.function = SL651_SET_RUNNING;
	m.end = SL651_ETX;
	m.body = STR("\0\1\x26\x08\x01\x08\x58\x57\xf1\xf1\0\x12\x34\x56\x78\x20\x08\x06");
	assert_true(sl651_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "42 20H=6 h") == 0);
	s.c.seconds = 3600; // it kept another one
	assert_true(sl651_answers(&m, &s, &a) && a.outcome == OUTCOME_REFUSED);
	m.body = str_first(m.body, m.body.n - 1); // it says nothing of it
	assert_true(sl651_answers(&m, &s, &a) && a.outcome == OUTCOME_REFUSED);
	m.end = SL651_ETB; // more follows
	assert_false(sl651_answers(&m, &s, &a));
	m.end = SL651_ETX;
	m.function = SL651_TIMED; // a report of its own
	assert_false(sl651_answers(&m, &s, &a));
	m.function = SL651_GET_CLOCK;
	s.c.kind = COMMAND_TIME_GET;
	assert_true(sl651_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "51 2026-08-01T08:58:57+08:00") == 0);
}

// --- GB/T 32960.3 ---

static void gb32960_asks_and_is_answered(void **state)
{
	(void)state;
	struct downlink_peer p = { .code_len = 0 };
	struct gb32960 m = { .vin_sent = STR("LSVAL0000DEMO0001") };
	struct command_answer a;
	gb32960_peer(&m, &p);
	struct downlink_sent s = { 0, { .kind = COMMAND_INTERVAL_SET, .seconds = 300 } };
	gb32960_command(&p, &s, NOW, &out);
	expect_hex("232381FE4C5356414C3030303044454D4F3030303101000A1A0801083A390102012C04");
	s.c = (struct command){ .kind = COMMAND_HEARTBEAT_SET, .seconds = 240 };
	gb32960_command(&p, &s, NOW, &out);
	expect_hex("232381FE4C5356414C3030303044454D4F303030310100091A0801083A390109F0D1");
	m.command = GB32960_SET;
	m.response = GB32960_SUCCESS;
	assert_true(gb32960_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE);
	m.response = GB32960_ERROR;
	assert_true(gb32960_answers(&m, &s, &a) && a.outcome == OUTCOME_REFUSED && a.code == 2);
	m.response = GB32960_COMMAND;
	assert_false(gb32960_answers(&m, &s, &a));
	s.c = (struct command){ .kind = COMMAND_INTERVAL_GET };
	gb32960_command(&p, &s, NOW, &out);
	expect_hex("232380FE4C5356414C3030303044454D4F303030310100081A0801083A3901022A");
	m = (struct gb32960){ .command = GB32960_QUERY, .response = GB32960_SUCCESS, .data = STR("\x1a\x08\x01\x08\x3a\x39\x01\x02\x01\x2c") };
	assert_true(gb32960_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "80 02=300 s") == 0);
	m.data.n--;
	assert_true(gb32960_answers(&m, &s, &a) && a.outcome == OUTCOME_REFUSED);
	m.command = GB32960_REALTIME;
	assert_false(gb32960_answers(&m, &s, &a));
	s.c = (struct command){ .kind = COMMAND_RESTART };
	gb32960_command(&p, &s, NOW, &out);
	expect_hex("232382FE4C5356414C3030303044454D4F303030310100071A0801083A390327");
	m = (struct gb32960){ .command = GB32960_CONTROL, .response = GB32960_SUCCESS, .data = STR("\x1a\x08\x01\x08\x3a\x39") };
	assert_true(gb32960_answers(&m, &s, &a) && a.outcome == OUTCOME_DONE && strcmp(a.text, "82 成功 done") == 0);
	m.command = GB32960_SET; // an answer to something else
	assert_false(gb32960_answers(&m, &s, &a));
}

// --- bounds ---

static void bounds_are_those_of_the_protocol(void **state)
{
	(void)state;
	const struct downlink *hj = downlink_of(STR("hj212")), *sl = downlink_of(STR("sl651"));
	struct downlink_wrong w;
	assert_null(downlink_of(STR("http")));
	assert_true(downlink_check(hj, &(struct command){ .kind = COMMAND_INTERVAL_SET, .seconds = 30 }, NOW, &w));
	static const struct {
		const char *protocol, *field;
		struct command c;
	} rows[] = {
		{ "hj212", "seconds", { .kind = COMMAND_INTERVAL_SET, .seconds = 29 } },
		{ "hj212", "seconds", { .kind = COMMAND_INTERVAL_SET, .seconds = 3601 } },
		{ "hj212", "seconds", { .kind = COMMAND_MINUTE_SET, .seconds = 30 } },
		{ "hj212", "seconds", { .kind = COMMAND_MINUTE_SET, .seconds = 7 * 60 } }, // no whole part of an hour
		{ "hj212", "seconds", { .kind = COMMAND_MINUTE_SET, .seconds = 3600 } },
		{ "hj212", "kind", { .kind = COMMAND_RESTART } },
		{ "hj212", "kind", { .kind = COMMAND_HEARTBEAT_SET, .seconds = 30 } },
		{ "hj212", "kind", { .kind = COMMAND__MAX } },
		{ "http", "kind", { .kind = COMMAND_PAYLOAD } },
		{ "sl651", "seconds", { .kind = COMMAND_INTERVAL_SET, .seconds = 3601 } },
		{ "hj212", "since", { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_HOUR, .to = NOW } },
		{ "hj212", "until", { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_HOUR, .from = NOW - 1, .to = NOW + 1 } },
		{ "hj212", "until", { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_HOUR, .from = NOW - 32 * US_PER_DAY, .to = NOW } },
		{ "hj212", "span", { .kind = COMMAND_QUERY_HISTORY, .from = NOW - 1, .to = NOW } },
		{ "hj212", "element", { .kind = COMMAND_INSTRUMENT_ID, .factor = "w01;18" } },
		{ "hj212", "element", { .kind = COMMAND_INSTRUMENT_ID } },
		{ "hj212", "info", { .kind = COMMAND_INSTRUMENT_INFO, .factor = "w01018" } },
		{ "hj212", "since", { .kind = COMMAND_INSTRUMENT_LOG, .factor = "w01018" } },
		{ "sl651", "element", { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_DAY, .from = NOW - 1, .to = NOW } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_false(downlink_check(downlink_of(str_of(rows[i].protocol)), &rows[i].c, NOW, &w));
		assert_string_equal(w.field, rows[i].field);
	}
	struct command past = { .kind = COMMAND_QUERY_HISTORY, .span = SPAN_DAY, .from = NOW - US_PER_DAY, .to = NOW, .element = 0x3923 };
	assert_true(downlink_check(sl, &past, NOW, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hj212_asks_as_the_standard_writes, start, end),
		cmocka_unit_test_setup_teardown(hj212_answers_in_two_steps, start, end),
		cmocka_unit_test_setup_teardown(hj212_instruments_say_who_they_are, start, end),
		cmocka_unit_test_setup_teardown(gb26875_sets_the_clock, start, end),
		cmocka_unit_test_setup_teardown(gb26875_sets_the_clock_in_bcd, start, end),
		cmocka_unit_test_setup_teardown(jt808_asks_and_is_answered, start, end),
		cmocka_unit_test_setup_teardown(sl651_asks_and_is_answered, start, end),
		cmocka_unit_test_setup_teardown(gb32960_asks_and_is_answered, start, end),
		cmocka_unit_test_setup_teardown(bounds_are_those_of_the_protocol, start, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
