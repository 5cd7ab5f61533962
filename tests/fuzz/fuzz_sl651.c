// needs: base bus gate/decode
// A stream of SL 651 bytes: framing always moves on, accepted frames decode, print and are answered.
#include "gate/decode/decoders.h"
#include "gate/decode/sl651.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_downlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out)
{
	struct command_answer a;
	struct sl651 m;
	struct refusal why;
	s->number = 7;
	sl651_command(to, s, INT64_C(1795305600000000), out);
	must(sl651_decode(buf_str(out), &m, &why) && m.down && m.end == SL651_ENQ);
	must(!sl651_answers(said, s, &a) || fuzz_answer(&a));
}

static void whole_frame(struct str frame, struct arena *arena)
{
	struct sl651 m, back;
	struct refusal why;
	struct buf out;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	buf_init(&out, 4096);
	if (sl651_decode(frame, &m, &why)) {
		must(m.part <= m.parts);
		if (!sl651_readings(&m, arena, &sink, &why))
			must(why.reason < REJECT__MAX && why.zh && why.en);
		must(seen <= 3 * frame.n);
		sl651_answer(&m, 7, SL651_ESC, INT64_C(1795305600000000), &out);
		struct fed f = sl651_feed(buf_str(&out));
		must(f.what == FEED_FRAME && f.drop == out.n && sl651_decode(f.frame, &back, &why) && back.down);
		struct downlink_peer peer = { .code_len = 0 };
		sl651_peer(&m, &peer);
		fuzz_commands(STR("sl651"), &peer, ask, &m);
		must(memcmp(back.station, m.station, sizeof m.station) == 0 && back.centre == m.centre && back.function == m.function);
	} else {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= frame.n);
	}
	buf_free(&out);
	fuzz_print(decoder_find(STR("sl651")), frame, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	if (n >= 14 && n <= 14 + 0xfff) { // with everything around the body put right
		struct buf b;
		buf_init(&b, 8192);
		buf_add_str(&b, in);
		b.p[0] = b.p[1] = '~';
		b.p[11] = (char)((data[11] & 0x80) | (n - 14) >> 8);
		b.p[12] = (char)(n - 14);
		b.p[13] = data[13] & 1 ? SL651_SYN : SL651_STX;
		buf_add_u8(&b, SL651_ETX);
		buf_add_be16(&b, sl651_crc(buf_str(&b)));
		struct fed f = sl651_feed(buf_str(&b));
		must(f.what == FEED_FRAME && f.drop == b.n);
		whole_frame(f.frame, arena);
		buf_free(&b);
	}
	whole_frame(in, arena);
	while (in.n) {
		struct fed f = sl651_feed(in);
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
