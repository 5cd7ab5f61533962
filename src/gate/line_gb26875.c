// GB/T 26875.3-2011: the source address is the device; there is no key. Time labels are binary, as in all captures; in BCD where the
// device's record says so.
#include "gate/line.h"

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	struct gb26875 *m = arena_one(a, struct gb26875);
	if (!gb26875_decode(bytes, state->bcd_time, m, why))
		return false;
	char *source = arena_alloc(a, 12);
	gb26875_device(m, source);
	*ret = (struct line_frame){ .name = str_from(source, 12), .key = STR_EMPTY, .keyless = true, .sent = m->time, .said = m };
	return true;
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	return gb26875_readings(f->said, a, sink, why);
}

static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	(void)verdict;
	gb26875_answer(f->said, accepted, now, out);
}

static void peer(const struct line_frame *f, struct downlink_peer *ret) { gb26875_peer(f->said, ret); }

static uint64_t number(struct line_state *state, int64_t now) // v[0]: our last own
{
	(void)now;
	return (uint16_t)++state->v[0];
}

static bool answers(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret)
{
	return gb26875_answers(f->said, s, ret);
}

// 10 bytes of type 1 are a status and its 16 bits
const struct line_protocol line_gb26875 = {
	.feed = gb26875_feed, .decode = decode, .spread = 2, .readings = readings, .answer = answer,
	.peer = peer, .number = number, .command = gb26875_command, .answers = answers,
};
