// needs: base bus gate/decode
// Any command with any parameters to any protocol: it is refused with a reason, or becomes a frame of that protocol; and any bytes as
// what a device said. Input: kind, span, seconds, element, from, to, factor, info (44 bytes, LE), then a text.
#include "base/cursor.h"
#include "gate/decode/downlink.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW INT64_C(1795305600000000)

static void speak(const struct command *c, struct str protocol)
{
	struct downlink_sent s = { 7, *c };
	struct downlink_peer hj = { .code = "010000A8900016F000169DC0", .code_len = 24, .key = "123456", .key_len = 6, .version = 4, .system = 32 };
	struct downlink_peer sl = { .code = "0012345678", .code_len = 10, .key = "1234", .key_len = 4, .system = 1 };
	struct hj212 m;
	struct sl651 l;
	struct refusal why;
	struct buf out;
	buf_init(&out, 8192);
	if (str_is(protocol, "hj212")) {
		hj212_command(&hj, &s, NOW, &out);
		struct fed f = hj212_feed(buf_str(&out));
		must(f.what == FEED_FRAME && f.drop == out.n && hj212_decode(f.frame, &m, &why) && str_is(m.pw, "123456"));
	} else if (str_is(protocol, "sl651")) {
		sl651_command(&sl, &s, NOW, &out);
		struct fed f = sl651_feed(buf_str(&out));
		must(f.what == FEED_FRAME && f.drop == out.n && sl651_decode(f.frame, &l, &why) && l.down);
	}
	buf_free(&out);
}

static void ask(const struct command *c, struct str protocol)
{
	const struct downlink *d = downlink_of(protocol);
	struct downlink_wrong w = { .field = NULL };
	bool ok = downlink_check(d, c, NOW, &w);
	const struct downlink_range *r = d ? downlink_seconds(d, (enum command_kind)c->kind) : NULL;
	must(ok || (w.field && w.zh && w.en && w.min <= w.max));
	must(!ok || (downlink_has(d, (enum command_kind)c->kind) && (!r || (c->seconds >= r->min && c->seconds <= r->max))));
	if (ok)
		speak(c, protocol);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const protocols[] = { "mqtt", "hj212", "gb26875", "jt808", "gb32960", "sl651" };
	struct cursor in = cursor_of(str_from((const char *)data, n));
	struct command c = { .kind = take_u8(&in) % COMMAND__MAX, .span = take_u8(&in) % SPAN__MAX };
	take_le16(&in);
	c.seconds = take_le32(&in);
	c.element = take_le32(&in);
	c.from = (int64_t)take_le64(&in);
	c.to = (int64_t)take_le64(&in);
	take_bytes(&in, c.factor, sizeof c.factor);
	take_bytes(&in, c.info, sizeof c.info);
	struct str text = cursor_ok(&in) ? take_rest(&in) : STR_EMPTY;
	struct command_answer a;
	char kept[16];
	uint8_t len;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		ask(&c, str_of(protocols[i]));
	ask(&c, text); // hardly a protocol
	must(downlink_said(&a, OUTCOME_DONE, 0, "%.*s", STR_FMT(text)) && str_utf8_valid(str_of(a.text)));
	downlink_keep(kept, &len, sizeof kept, text);
	must(len == MIN(text.n, sizeof kept) && memcmp(kept, text.p, len) == 0);
	return 0;
}
