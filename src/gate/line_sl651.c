// SL 651: the station address is the device; centre address and password, six hex digits, are its key: four would be too few.
// What was received and is durable is confirmed with ESC (the station stays on line), or ACK where more follows; M3's packets only
// when the message is whole, in one frame that bears the number of the last (tables 10, 23). Nothing answers the frame that keeps
// the link.
#include "gate/line.h"

#include "gate/decode/sl651.h"

struct said {
	struct sl651 m;
	struct line_state *state; // v[0]: serial of a message in packets, which only the first one bears; v[1]: our last own
};

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	struct said *s = arena_one(a, struct said);
	struct sl651_head h;
	if (!sl651_decode(bytes, &s->m, why))
		return false;
	s->state = state;
	struct str station = str_from(s->m.station, sizeof s->m.station);
	struct str key = arena_printf(a, "%02X%.*s", s->m.centre, (int)sizeof s->m.password, s->m.password);
	*ret = (struct line_frame){ .name = station, .key = key, .said = s };
	if (s->m.part <= 1 && sl651_head(s->m.body, &h))
		state->v[0] = h.serial;
	if (s->m.parts) {
		ret->parts = s->m.parts;
		ret->part = s->m.part;
		ret->series = s->m.function;
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
	*ret = (struct line_frame){ .name = last->name, .key = last->key, .said = s };
	return true;
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	const struct said *s = f->said;
	return sl651_readings(&s->m, a, sink, why);
}

static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	const struct said *s = f->said;
	uint8_t end = !s->m.parts && s->m.end == SL651_ETB ? SL651_ACK : SL651_ESC;
	if (s->m.down || verdict != WELCOME_OK || s->m.function == SL651_KEEP)
		return;
	if (accepted && s->m.part < s->m.parts)
		return; // M3: when it is whole
	sl651_answer(&s->m, (uint16_t)s->state->v[0], accepted ? end : SL651_NAK, now, out);
}

static void peer(const struct line_frame *f, struct downlink_peer *ret) { sl651_peer(&((const struct said *)f->said)->m, ret); }

static uint64_t number(struct line_state *state, int64_t now)
{
	(void)now;
	state->v[1] = state->v[1] % UINT16_MAX + 1;
	return state->v[1];
}

static bool answers(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret)
{
	return sl651_answers(&((const struct said *)f->said)->m, s, ret);
}

// an element takes three bytes at least; the status of six is 13, a list of 14 is 12
const struct line_protocol line_sl651 = {
	.feed = sl651_feed, .decode = decode, .join = join, .spread = 3, .readings = readings, .answer = answer,
	.peer = peer, .number = number, .command = sl651_command, .answers = answers,
};
