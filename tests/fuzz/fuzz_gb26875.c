// needs: base bus gate/decode
// A stream of GB/T 26875.3 bytes: framing always moves on, accepted frames decode, print and are answered.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_downlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out)
{
	struct command_answer a;
	struct gb26875 m;
	struct refusal why;
	const struct gb26875 *theirs = said;
	s->number = theirs->seq;
	gb26875_command(to, s, INT64_C(1795305600000000), out);
	must(gb26875_decode(buf_str(out), false, &m, &why) && memcmp(m.destination, theirs->source, sizeof m.destination) == 0);
	must(!gb26875_answers(theirs, s, &a) || fuzz_answer(&a));
}

static void whole_frame(struct str frame, struct arena *arena)
{
	struct gb26875 m;
	struct refusal why;
	struct buf out;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	buf_init(&out, 4096);
	for (int bcd = 0; bcd < 2; bcd++) {
		bool ok = gb26875_decode(frame, bcd, &m, &why);
		if (ok) {
			must(gb26875_readings(&m, arena, &sink, &why));
			struct downlink_peer peer = { .code_len = 0 };
			gb26875_peer(&m, &peer);
			fuzz_commands(STR("gb26875"), &peer, ask, &m);
		} else {
			must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= frame.n);
		}
		buf_clear(&out);
		gb26875_answer(&m, ok, INT64_C(1795305600000000), &out);
		if (out.n) {
			struct fed f = gb26875_feed(buf_str(&out));
			must(f.what == FEED_FRAME && f.drop == out.n && gb26875_decode(f.frame, bcd, &m, &why) && m.time != INT64_MIN);
		}
	}
	buf_free(&out);
	fuzz_print(decoder_find(STR("gb26875")), frame, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	if (n >= 27 && n <= 27 + LIMIT_GB26875_DATA) { // with everything around the data put right
		struct buf b;
		uint8_t sum = 0;
		buf_init(&b, 4096);
		buf_add_str(&b, in);
		b.p[0] = b.p[1] = '@';
		b.p[24] = (char)(n - 27);
		b.p[25] = (char)((n - 27) >> 8);
		for (size_t i = 2; i < n; i++) {
			sum = (uint8_t)(sum + (uint8_t)b.p[i]);
		}
		buf_add_u8(&b, sum);
		buf_add_cstr(&b, "##");
		struct fed f = gb26875_feed(buf_str(&b));
		must(f.what == FEED_FRAME && f.drop == b.n);
		whole_frame(f.frame, arena);
		buf_free(&b);
	}
	whole_frame(in, arena);
	while (in.n) {
		struct fed f = gb26875_feed(in);
		must(f.drop <= in.n);
		if (f.what == FEED_MORE) {
			must(in.n - f.drop < FEED_BYTES_MAX);
			break;
		}
		must(f.drop > 0);
		if (f.what == FEED_FRAME) {
			whole_frame(f.frame, arena);
		}
		in = str_skip(in, f.drop);
	}
	arena_free(arena);
	return 0;
}
