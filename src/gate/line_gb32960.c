// GB/T 32960.3-2016: the VIN is the device; there is no key.
#include "gate/line.h"

#include "gate/decode/gb32960.h"

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	(void)state;
	struct gb32960 *m = arena_one(a, struct gb32960);
	if (!gb32960_decode(bytes, m, why))
		return false;
	*ret = (struct line_frame){ .name = m->vin, .key = STR_EMPTY, .keyless = true, .said = m };
	return true;
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	return gb32960_readings(f->said, a, sink, why);
}

static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	(void)verdict;
	gb32960_answer(f->said, accepted, now, out);
}

static void peer(const struct line_frame *f, struct downlink_peer *ret) { gb32960_peer(f->said, ret); }

static uint64_t number(struct line_state *state, int64_t now) // the protocol has none
{
	(void)state;
	(void)now;
	return 0;
}

static bool answers(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret)
{
	return gb32960_answers(f->said, s, ret);
}

// ten bytes of unit 07 are 25 readings, and hardly anything else is more than one a byte
const struct line_protocol line_gb32960 = {
	.feed = gb32960_feed, .decode = decode, .spread = 3, .readings = readings, .answer = answer,
	.peer = peer, .number = number, .command = gb32960_command, .answers = answers,
};
