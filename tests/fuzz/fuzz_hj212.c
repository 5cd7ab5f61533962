// needs: base bus gate/decode
// A stream of HJ 212 bytes: framing always moves on, accepted frames decode, print and are answered.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_downlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out)
{
	struct command_answer a;
	struct hj212 m;
	struct refusal why;
	const struct hj212 *theirs = said;
	s->number = theirs->qn_time > 0 ? (uint64_t)theirs->qn_time / US_PER_MS : 1;
	hj212_command(to, s, INT64_C(1795305600000000), out);
	must(hj212_decode(buf_str(out), &m, &why)); // our own question must be a frame
	must(str_eq(m.mn, str_from(to->code, to->code_len)) && str_eq(m.pw, str_from(to->key, to->key_len)));
	must(!hj212_answers(theirs, s, &a) || fuzz_answer(&a));
}

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
		struct downlink_peer peer = { .code_len = 0 };
		hj212_peer(&m, &peer);
		fuzz_commands(STR("hj212"), &peer, ask, &m);
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
