// needs: base bus gate/decode
// A stream of HJ 212 bytes: framing always moves on, accepted frames decode, print and are answered.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void whole_frame(struct str frame, struct arena *arena)
{
	struct hj212 m;
	struct refusal why;
	struct buf out;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	buf_init(&out, 4096);
	bool ok = hj212_decode(frame, &m, &why);
	if (ok) {
		must(hj212_readings(&m, &sink, &why));
		hj212_answer(&m, &out);
	} else {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= frame.n);
		hj212_deny(&m, HJ212_WRONG_CRC, &out);
	}
	if (out.n) { // our own answer must be a frame
		struct fed f = hj212_feed(buf_str(&out));
		must(f.what == FEED_FRAME && f.drop == out.n && hj212_decode(f.frame, &m, &why));
	}
	buf_free(&out);
	fuzz_print(decoder_find(STR("hj212")), frame, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	// the text as a segment with a right length and CRC, so that what is behind them is reached
	if (n <= LIMIT_HJ212_SEGMENT) {
		struct buf b;
		buf_init(&b, 4096);
		buf_printf(&b, "##%04zu", n);
		buf_add_str(&b, in);
		buf_printf(&b, "%04X\r\n", hj212_crc(in));
		struct fed f = hj212_feed(buf_str(&b));
		must(f.what == FEED_FRAME && f.drop == b.n);
		whole_frame(f.frame, arena);
		buf_free(&b);
	}
	whole_frame(in, arena);
	while (in.n) {
		struct fed f = hj212_feed(in);
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
