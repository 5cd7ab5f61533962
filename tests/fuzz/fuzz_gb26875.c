// needs: base bus gate/decode
// A stream of GB/T 26875.3 bytes: framing always moves on, accepted frames decode, print and are answered.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void whole_frame(struct str frame, struct arena *arena)
{
	struct gb26875 m;
	struct refusal why;
	struct buf out;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	char *hex = arena_alloc(arena, 2 * frame.n);
	buf_init(&out, 4096);
	for (int bcd = 0; bcd < 2; bcd++) {
		bool ok = gb26875_decode(frame, bcd, &m, &why);
		if (ok) {
			must(gb26875_readings(&m, arena, &sink, &why));
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
	str_to_hex((const uint8_t *)frame.p, frame.n, hex);
	fuzz_print(decoder_find(STR("gb26875")), str_from(hex, 2 * frame.n), arena);
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
