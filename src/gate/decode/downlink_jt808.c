// JT/T 808, from the platform: 8103 sets and 8104 asks for parameters (table 12: 0001 heartbeat, 0029 interval of positions,
// each a DWORD of seconds), 8201 asks where the vehicle is, 8105 with 4 restarts the terminal (its other words may leave it out of reach).
// 8103 and 8105 are answered with 0001, which bears number and identifier of the message it answers; 8104 with 0104 and 8201 with
// 0201, which begin with that number. A terminal that cannot says so with 0001.
// Word 4 of 8105 without parameters, restart, and 5, back to the factory's: confirmed by two public implementers' documents (a tracker's
// protocol after the standard, its table 14 "terminal control command word", and a terminal's command list 1 to 7); not read in the
// standard itself: 待核. 8103, 8104, 8201 and their answers: as in the gateways whose frames are in tests/decode/jt808.
#include "gate/decode/downlink.h"

#include "base/cursor.h"

#define HEARTBEAT 0x0001u
#define INTERVAL 0x0029u

void jt808_peer(const struct jt808 *m, struct downlink_peer *ret)
{
	downlink_keep(ret->code, &ret->code_len, sizeof ret->code, str_from(m->phone, m->digits));
	ret->edition_2019 = m->edition_2019;
	ret->version = m->version;
}

static uint16_t id_of(uint32_t kind)
{
	return kind == COMMAND_RESTART ? JT808_CONTROL : kind == COMMAND_QUERY_NOW ? JT808_GET_POSITION :
	       kind == COMMAND_INTERVAL_GET ? JT808_GET_PARAMETERS : JT808_SET_PARAMETERS;
}

void jt808_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out)
{
	struct jt808 m = { .edition_2019 = to->edition_2019, .version = to->version, .digits = to->code_len };
	uint16_t seq = (uint16_t)s->number;
	(void)now;
	memcpy(m.phone, to->code, MIN((size_t)to->code_len, sizeof m.phone));
	struct jt808_parameter p = { .id = s->c.kind == COMMAND_HEARTBEAT_SET ? HEARTBEAT : INTERVAL, .bytes = 4, .value = s->c.seconds };
	switch (id_of(s->c.kind)) {
	case JT808_GET_POSITION: jt808_ask_position(&m, seq, out); break;
	case JT808_CONTROL: jt808_restart(&m, seq, out); break;
	case JT808_GET_PARAMETERS: jt808_ask_parameters(&m, seq, out); break;
	default: jt808_set_parameters(&m, seq, &p, 1, out); break;
	}
}

static bool acknowledged(const struct jt808 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	static const char *const results[] = { "成功 done", "失败 failed", "消息有误 wrong message", "不支持 unsupported", "报警处理确认 alarm confirmed" };
	struct cursor c = cursor_of(m->body);
	uint16_t seq = take_be16(&c), id = take_be16(&c);
	uint8_t result = take_u8(&c);
	if (!cursor_ok(&c) || seq != (uint16_t)s->number || id != id_of(s->c.kind))
		return false;
	if (result == JT808_OK && id != JT808_SET_PARAMETERS && id != JT808_CONTROL)
		return false; // what was asked for is still to come
	return downlink_said(ret, result == JT808_OK ? OUTCOME_DONE : OUTCOME_REFUSED, result, "0001 %u %s", result,
	                     result < ARRAY_LEN(results) ? results[result] : "");
}

static bool parameters(struct cursor *c, struct command_answer *ret)
{
	unsigned n = take_u8(c);
	for (unsigned i = 0; i < n && cursor_ok(c); i++) {
		uint32_t id = take_be32(c);
		struct str v = take_str(c, take_u8(c));
		struct cursor value = cursor_of(v);
		if (cursor_ok(c) && id == INTERVAL && v.n == 4)
			return downlink_said(ret, OUTCOME_DONE, 0, "0104 0029=%u s", take_be32(&value));
	}
	return downlink_said(ret, OUTCOME_REFUSED, 0, "0104 没有参数 0029 without parameter 0029");
}

static bool position(struct cursor *c, struct command_answer *ret)
{
	struct jt808_position p;
	if (!jt808_position(take_rest(c), &p))
		return downlink_said(ret, OUTCOME_REFUSED, 0, "0201 位置信息过短 the position is too short");
	return downlink_said(ret, OUTCOME_DONE, 0, "0201 %.6f, %.6f, %.1f km/h", p.lat, p.lon, p.speed);
}

bool jt808_answers(const struct jt808 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	struct cursor c = cursor_of(m->body);
	uint16_t seq;
	switch (m->id) {
	case JT808_ACK: return acknowledged(m, s, ret);
	case JT808_PARAMETERS:
		seq = take_be16(&c);
		return cursor_ok(&c) && s->c.kind == COMMAND_INTERVAL_GET && seq == (uint16_t)s->number && parameters(&c, ret);
	case JT808_POSITION_ANSWER:
		seq = take_be16(&c);
		return cursor_ok(&c) && s->c.kind == COMMAND_QUERY_NOW && seq == (uint16_t)s->number && position(&c, ret);
	default: return false;
	}
}
