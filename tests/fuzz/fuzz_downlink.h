// Every command of a protocol, asked of whoever sent the frame, and the frame taken for its answer.
#pragma once

#include "gate/decode/downlink.h"

typedef void fuzz_ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out);

static bool fuzz_answer(const struct command_answer *a)
{
	size_t n = strnlen(a->text, sizeof a->text);
	return n < sizeof a->text && str_utf8_valid(str_from(a->text, n)) && a->outcome <= OUTCOME_REFUSED;
}

static void fuzz_commands(struct str protocol, const struct downlink_peer *peer, fuzz_ask *ask, const void *said)
{
	const struct downlink *d = downlink_of(protocol);
	for (int k = 0; k < COMMAND__MAX; k++) {
		struct downlink_sent s = { .c = { .kind = (uint32_t)k, .span = SPAN_HOUR, .seconds = 3600, .element = 0xff38,
			                          .from = INT64_C(1795219200000000), .to = INT64_C(1795305600000000) } };
		struct buf out;
		buf_init(&out, 8192);
		if (downlink_has(d, (enum command_kind)k))
			ask(peer, &s, said, &out);
		buf_free(&out);
	}
}
