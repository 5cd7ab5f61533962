// needs: base bus gate/decode
// The plain array: readings are sound, refusals say why, printing gives JSON. The short way for the usual form and the
// general reader say the same: the body is read as it is and with a blank behind each opening brace outside of strings,
// which the short way does not know.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void say_reading(void *owner, const struct decoded *d)
{
	struct buf *b = owner;
	uint64_t bits;
	unsigned seen = 0;
	fuzz_reading(&seen, d);
	memcpy(&bits, &d->value, sizeof bits);
	buf_printf(b, "%.*s|%.*s|%lld|%llx|%d|%d|%d\n", STR_FMT(d->name), STR_FMT(d->alias), (long long)d->time,
	           (unsigned long long)bits, (int)d->quality, d->flags, d->optional);
}

static void say_refusal(void *owner, enum reject why, struct str what)
{
	struct buf *b = owner;
	must(why < REJECT__MAX && what.p);
	buf_printf(b, "%.*s: %s\n", STR_FMT(what), reject_name(why));
}

// The same text for the general reader only.
static struct str with_blanks(struct str in, struct arena *a)
{
	char *to = arena_alloc(a, 2 * in.n + 1);
	size_t n = 0;
	bool quoted = false;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		to[n++] = c;
		if (quoted && c == '\\' && i + 1 < in.n) {
			to[n++] = in.p[++i];
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && c == '{') {
			to[n++] = ' ';
		}
	}
	return str_from(to, n);
}

static bool said(struct str in, struct arena *arena, struct buf *ret, struct refusal *why)
{
	struct decode_sink sink = { ret, say_reading, say_refusal };
	bool ok = payload_json(in, arena, &sink, why);
	must(ok || (why->reason < REJECT__MAX && why->zh && why->en && why->offset <= in.n));
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	struct refusal why = { 0 }, why_general = { 0 };
	struct buf out, out_general;
	buf_init(&out, 16u << 20);
	buf_init(&out_general, 16u << 20);
	bool ok = said(in, arena, &out, &why);
	bool ok_general = said(with_blanks(in, arena), arena, &out_general, &why_general);
	must(ok == ok_general && str_eq(buf_str(&out), buf_str(&out_general)));
	must(ok || (why.reason == why_general.reason && why.en == why_general.en));
	buf_free(&out);
	buf_free(&out_general);
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	payload_decode(in, arena, INT64_C(1795305600000000), &sink, &why);
	fuzz_print(decoder_find(STR("json")), in, arena);
	arena_free(arena);
	return 0;
}
