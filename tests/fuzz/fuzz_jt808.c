// needs: base bus gate/decode
// A stream of JT/T 808 bytes: framing always moves on, accepted messages decode, print and are answered.
#include "gate/decode/decoders.h"
#include "gate/decode/jt808.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_downlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void answer_must_be_read(const struct jt808 *m, struct arena *arena)
{
	struct buf out;
	struct jt808 back;
	struct refusal why;
	buf_init(&out, 8192);
	jt808_ack(m, 0x7e7d, JT808_OK, &out);
	size_t first = out.n;
	jt808_server_time(m, m->seq, INT64_C(1795305600000000), &out);
	jt808_registered(m, m->seq, JT808_REGISTERED_OK, jt808_device(m), &out);
	jt808_text(m, m->seq, 1, 2, m->body, &out);
	struct str rest = buf_str(&out);
	for (int i = 0; i < 4; i++) {
		struct fed f = jt808_feed(rest);
		must(f.what == FEED_FRAME && (i || f.drop == first));
		must(jt808_decode(f.frame, arena, &back, &why) && str_eq(jt808_device(&back), jt808_device(m)));
		must(back.edition_2019 == m->edition_2019 && back.version == m->version);
		rest = str_skip(rest, f.drop);
	}
	must(!rest.n);
	buf_free(&out);
}

static void ask(const struct downlink_peer *to, struct downlink_sent *s, const void *said, struct buf *out)
{
	struct command_answer a;
	const struct jt808 *theirs = said;
	s->number = theirs->body.n > 1 ? (uint64_t)((uint8_t)theirs->body.p[0] << 8 | (uint8_t)theirs->body.p[1]) : 0;
	jt808_command(to, s, INT64_C(1795305600000000), out);
	must(jt808_feed(buf_str(out)).what == FEED_FRAME);
	must(!jt808_answers(theirs, s, &a) || fuzz_answer(&a));
}

static void whole_frame(struct str frame, struct arena *arena)
{
	struct jt808 m;
	struct refusal why;
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	if (jt808_decode(frame, arena, &m, &why)) {
		must(m.body.n <= LIMIT_JT808_BODY && m.part <= m.parts && jt808_device(&m).n);
		if (!jt808_readings(&m, arena, &sink, &why))
			must(why.reason < REJECT__MAX && why.zh && why.en);
		must(seen <= 3 * m.body.n + 3 * 12);
		(void)jt808_auth_code(&m);
		answer_must_be_read(&m, arena);
		struct downlink_peer peer = { .code_len = 0 };
		jt808_peer(&m, &peer);
		fuzz_commands(STR("jt808"), &peer, ask, &m);
	} else {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= frame.n);
	}
	fuzz_print(decoder_find(STR("jt808")), frame, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	if (n >= 3 && n <= 3 + LIMIT_JT808_BODY) { // a message of any id with everything around its body put right
		struct jt808 to = { .edition_2019 = data[0] & 1, .version = 1, .phone = "00000000013800138000", .digits = data[0] & 1 ? 20 : 12 };
		struct buf b;
		buf_init(&b, 8192);
		jt808_frame(&to, (uint16_t)(data[1] << 8 | data[2]), 1, str_skip(in, 3), &b);
		struct fed f = jt808_feed(buf_str(&b));
		must(f.what == FEED_FRAME && f.drop == b.n);
		whole_frame(f.frame, arena);
		buf_free(&b);
	}
	whole_frame(in, arena);
	while (in.n) {
		struct fed f = jt808_feed(in);
		must(f.drop <= in.n);
		if (f.what == FEED_MORE && !f.drop) {
			must(in.n < FEED_BYTES_MAX);
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
