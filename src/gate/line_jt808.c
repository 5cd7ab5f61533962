// JT/T 808: the phone number is the device, the authentication code of 0102 its key. A device with a key gets it from its
// administrator and need not register; registering is granted, with the phone number as authentication code, only to one
// that may connect without a key. Whoever has authenticated may send everything else on that connection.
#include "gate/line.h"

#include "gate/decode/jt808.h"

struct said {
	struct jt808 m;
	struct line_state *state; // v[0]: number of our next message
};

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	struct said *s = arena_one(a, struct said);
	if (!jt808_decode(bytes, a, &s->m, why))
		return false;
	s->state = state;
	struct str device = jt808_device(&s->m), code = s->m.id == JT808_AUTHENTICATE ? jt808_auth_code(&s->m) : STR_EMPTY;
	if (code.n > LIMIT_DEVICE_KEY)
		return refuse_at(why, REJECT_SYNTAX, 0, "鉴权码过长", "the authentication code is too long");
	bool handed_out = s->m.id == JT808_AUTHENTICATE && str_eq(code, device);
	*ret = (struct line_frame){ .name = device, .key = handed_out ? STR_EMPTY : code, .said = s };
	ret->keyless = handed_out || s->m.id == JT808_REGISTER;
	ret->bound = s->m.id != JT808_AUTHENTICATE && s->m.id != JT808_REGISTER;
	if (s->m.parts) {
		ret->parts = s->m.parts;
		ret->part = s->m.part;
		ret->series = (uint64_t)s->m.id << 16 | (uint16_t)(s->m.seq - s->m.part); // numbered one after the other
		ret->piece = s->m.body;
	}
	return true;
}

static bool join(const struct line_frame *last, struct str whole, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	(void)why;
	struct said *s = arena_one(a, struct said);
	*s = *(const struct said *)last->said;
	s->m.body = whole;
	*ret = (struct line_frame){ .name = last->name, .key = last->key, .keyless = last->keyless, .bound = last->bound, .said = s };
	return true;
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	const struct said *s = f->said;
	return jt808_readings(&s->m, a, sink, why);
}

static void answer_register(const struct jt808 *m, bool accepted, enum welcome verdict, uint16_t seq, struct buf *out)
{
	if (accepted)
		jt808_registered(m, seq, JT808_REGISTERED_OK, jt808_device(m), out);
	else if (verdict == WELCOME_WRONG_KEY)
		jt808_registered(m, seq, JT808_TERMINAL_TAKEN, STR_EMPTY, out); // it has a key: authenticate with that
	else if (verdict != WELCOME_BUSY) // for that the table has no code: it tries again
		jt808_registered(m, seq, JT808_NO_TERMINAL, STR_EMPTY, out);
}

static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	const struct said *s = f->said;
	const struct jt808 *m = &s->m;
	uint16_t seq = (uint16_t)s->state->v[0];
	if (!jt808_wants_ack(m))
		return;
	s->state->v[0]++;
	if (m->id == JT808_REGISTER)
		answer_register(m, accepted, verdict, seq, out);
	else if (m->id == JT808_ASK_TIME && accepted)
		jt808_server_time(m, seq, now, out);
	else if (accepted)
		jt808_ack(m, seq, JT808_OK, out);
	else if (verdict == WELCOME_OK)
		jt808_ack(m, seq, jt808_result(m) == JT808_OK ? JT808_WRONG : JT808_UNSUPPORTED, out);
	else
		jt808_ack(m, seq, JT808_FAILED, out);
}

static void peer(const struct line_frame *f, struct downlink_peer *ret)
{
	const struct said *s = f->said;
	if (s->m.id != JT808_REGISTER) // it goes on with its authentication: nothing is asked between
		jt808_peer(&s->m, ret);
}

static uint64_t number(struct line_state *state, int64_t now)
{
	(void)now;
	return (uint16_t)state->v[0]++;
}

static bool answers(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret)
{
	return jt808_answers(&((const struct said *)f->said)->m, s, ret);
}

// a position of 28 bytes is 8 numbers and 53 bits, each of its extras has at least three bytes
const struct line_protocol line_jt808 = {
	.feed = jt808_feed, .decode = decode, .join = join, .spread = 3, .readings = readings, .answer = answer,
	.peer = peer, .number = number, .command = jt808_command, .answers = answers,
};
