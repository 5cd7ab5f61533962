// What the server says to a JT/T 808 terminal: frames with their escapes, answers, and questions. Pure, any thread.
#include "gate/decode/jt808.h"

// 4.4.2: the message is first summed, then escaped.
static void add_escaped(struct buf *out, uint8_t b)
{
	if (b == 0x7e || b == 0x7d) {
		buf_add_u8(out, 0x7d);
		b = b == 0x7e ? 2 : 1;
	}
	buf_add_u8(out, b);
}

static uint8_t bcd_at(struct str digits, size_t i) { return (uint8_t)((digits.p[i] - '0') << 4 | (digits.p[i + 1] - '0')); }

void jt808_frame(const struct jt808 *to, uint16_t id, uint16_t seq, struct str body, struct buf *out)
{
	uint8_t head[32], sum = 0;
	size_t n = 0;
	struct str phone = str_from(to->phone, to->digits);
	uint16_t attributes = (uint16_t)(MIN(body.n, (size_t)LIMIT_JT808_BODY) | (to->edition_2019 ? 1u << 14 : 0));
	body = str_first(body, LIMIT_JT808_BODY);
	head[n++] = (uint8_t)(id >> 8);
	head[n++] = (uint8_t)id;
	head[n++] = (uint8_t)(attributes >> 8);
	head[n++] = (uint8_t)attributes;
	if (to->edition_2019) {
		head[n++] = to->version;
	}
	for (size_t i = 0; i < phone.n; i += 2) {
		head[n++] = bcd_at(phone, i);
	}
	head[n++] = (uint8_t)(seq >> 8);
	head[n++] = (uint8_t)seq;
	buf_add_u8(out, 0x7e);
	for (size_t i = 0; i < n + body.n; i++) {
		uint8_t b = i < n ? head[i] : (uint8_t)body.p[i - n];
		sum ^= b;
		add_escaped(out, b);
	}
	add_escaped(out, sum);
	buf_add_u8(out, 0x7e);
}

static void frame_of(const struct jt808 *to, uint16_t id, uint16_t seq, struct buf *body, struct buf *out)
{
	jt808_frame(to, id, seq, buf_str(body), out);
	buf_free(body);
}

bool jt808_wants_ack(const struct jt808 *m)
{
	switch (m->id) {
	case JT808_ACK: case JT808_PARAMETERS: case JT808_ATTRIBUTES: case JT808_POSITION_ANSWER: case 0x0302: case 0x0500: case 0x0608:
	case 0x0700: case 0x0802: case 0x0805:
		return false; // the terminal answers a question
	default:
		return m->id < 0x8000;
	}
}

enum jt808_result jt808_result(const struct jt808 *m)
{
	switch (m->id) {
	case JT808_HEARTBEAT: case JT808_LOGOUT: case JT808_ASK_TIME: case JT808_REGISTER: case JT808_AUTHENTICATE: case JT808_POSITION:
	case JT808_BATCH:
		return m->encryption ? JT808_UNSUPPORTED : JT808_OK;
	default:
		return jt808_wants_ack(m) ? JT808_UNSUPPORTED : JT808_OK;
	}
}

void jt808_ack(const struct jt808 *m, uint16_t seq, enum jt808_result result, struct buf *out)
{
	struct buf body;
	buf_init(&body, LIMIT_JT808_BODY);
	buf_add_be16(&body, m->seq);
	buf_add_be16(&body, m->id);
	buf_add_u8(&body, (uint8_t)result);
	frame_of(m, JT808_SERVER_ACK, seq, &body, out);
}

void jt808_registered(const struct jt808 *m, uint16_t seq, enum jt808_registered result, struct str auth_code, struct buf *out)
{
	struct buf body;
	buf_init(&body, LIMIT_JT808_BODY);
	buf_add_be16(&body, m->seq);
	buf_add_u8(&body, (uint8_t)result);
	if (result == JT808_REGISTERED_OK) {
		buf_add_str(&body, auth_code);
	}
	frame_of(m, JT808_REGISTERED, seq, &body, out);
}

void jt808_server_time(const struct jt808 *m, uint16_t seq, int64_t now, struct buf *out)
{
	struct civil t = time_to_civil(now, ZONE_CHINA_MIN); // as captures have it: BCD, like every other time
	const int parts[6] = { t.year % 100, t.month, t.day, t.hour, t.min, t.sec };
	struct buf body;
	buf_init(&body, LIMIT_JT808_BODY);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_add_u8(&body, (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10));
	}
	frame_of(m, JT808_SERVER_TIME, seq, &body, out);
}

void jt808_ask_position(const struct jt808 *to, uint16_t seq, struct buf *out) { jt808_frame(to, JT808_GET_POSITION, seq, STR_EMPTY, out); }

void jt808_restart(const struct jt808 *to, uint16_t seq, struct buf *out) { jt808_frame(to, JT808_CONTROL, seq, STR("\4"), out); }

void jt808_ask_parameters(const struct jt808 *to, uint16_t seq, struct buf *out)
{
	jt808_frame(to, JT808_GET_PARAMETERS, seq, STR_EMPTY, out);
}

void jt808_set_parameters(const struct jt808 *to, uint16_t seq, const struct jt808_parameter *p, uint8_t n, struct buf *out)
{
	struct buf body;
	n = MIN(n, 100);
	buf_init(&body, LIMIT_JT808_BODY);
	buf_add_u8(&body, n);
	for (size_t i = 0; i < n; i++) {
		buf_add_be32(&body, p[i].id);
		buf_add_u8(&body, p[i].bytes);
		for (unsigned b = p[i].bytes; b--;) {
			buf_add_u8(&body, b < 4 ? (uint8_t)(p[i].value >> 8 * b) : 0);
		}
	}
	frame_of(to, JT808_SET_PARAMETERS, seq, &body, out);
}

void jt808_text(const struct jt808 *to, uint16_t seq, uint8_t flags, uint8_t type, struct str text, struct buf *out)
{
	struct buf body;
	buf_init(&body, LIMIT_JT808_BODY + 2u);
	buf_add_u8(&body, flags);
	if (to->edition_2019) {
		buf_add_u8(&body, type);
	}
	buf_add_str(&body, str_first(text, LIMIT_JT808_BODY - 2u));
	frame_of(to, JT808_TEXT, seq, &body, out);
}
