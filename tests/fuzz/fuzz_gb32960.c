// needs: base bus gate/decode
// A stream of GB/T 32960.3 bytes: framing always moves on, accepted packets decode, print and are answered.
#include "gate/decode/decoders.h"
#include "gate/decode/gb32960.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_downlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out)
{
	struct command_answer a;
	struct gb32960 m;
	struct refusal why;
	gb32960_command(to, s, INT64_C(1795305600000000), out);
	must(gb32960_decode(buf_str(out), &m, &why) && m.response == GB32960_COMMAND);
	must(!gb32960_answers(said, s, &a) || fuzz_answer(&a));
}

static void whole_frame(struct str frame, struct arena *arena)
{
	struct gb32960 m;
	struct refusal why;
	struct buf out;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	buf_init(&out, 4096);
	bool ok = gb32960_decode(frame, &m, &why);
	if (ok) {
		if (!gb32960_readings(&m, arena, &sink, &why))
			must(why.reason < REJECT__MAX && why.zh && why.en);
		must(seen <= 3 * frame.n);
		struct downlink_peer peer = { .code_len = 0 };
		gb32960_peer(&m, &peer);
		fuzz_commands(STR("gb32960"), &peer, ask, &m);
	} else {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= frame.n);
	}
	gb32960_answer(&m, ok, INT64_C(1795305600000000), &out);
	if (out.n && ok) {
		struct str vin = m.vin;
		struct fed f = gb32960_feed(buf_str(&out));
		must(f.what == FEED_FRAME && f.drop == out.n && gb32960_decode(f.frame, &m, &why) && str_eq(m.vin, vin));
	}
	buf_free(&out);
	fuzz_print(decoder_find(STR("gb32960")), frame, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	if (n >= 24 && n <= 24 + LIMIT_GB32960_DATA) { // with everything around the data put right
		struct buf b;
		uint8_t bcc = 0;
		buf_init(&b, 32768);
		buf_add_str(&b, in);
		b.p[0] = b.p[1] = '#';
		b.p[3] = (char)GB32960_COMMAND;
		b.p[21] = GB32960_PLAIN;
		b.p[22] = (char)((n - 24) >> 8);
		b.p[23] = (char)(n - 24);
		for (size_t i = 2; i < n; i++)
			bcc ^= (uint8_t)b.p[i];
		buf_add_u8(&b, bcc);
		struct fed f = gb32960_feed(buf_str(&b));
		must(f.what == FEED_FRAME && f.drop == b.n);
		whole_frame(f.frame, arena);
		buf_free(&b);
	}
	whole_frame(in, arena);
	while (in.n) {
		struct fed f = gb32960_feed(in);
		must(f.drop <= in.n);
		if (f.what == FEED_MORE) {
			must(in.n - f.drop < FEED_BYTES_MAX);
			break;
		}
		must(f.drop > 0);
		if (f.what == FEED_FRAME)
			whole_frame(f.frame, arena);
		in = str_skip(in, f.drop);
	}
	arena_free(arena);
	return 0;
}
