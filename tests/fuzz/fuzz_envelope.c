// needs: base bus gate/decode
// Encrypted envelopes: framing keeps its word, what opens is text, answers end the frame once, printing gives JSON.
#include "gate/decode/decoders.h"
#include "gate/decode/envelope.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n), plain;
	struct envelope e;
	struct refusal why;
	const char *iv;
	struct fed fed = envelope_feed(in);
	must(fed.drop <= n && (fed.what != FEED_FRAME || fed.drop >= fed.frame.n + 2));
	if (envelope_read(in, arena, &e, &why)) {
		struct buf out;
		must(e.service.n && e.data.n);
		buf_init(&out, 8u << 20);
		envelope_answer(e.data_id, 400, "SYSTEM_ERROR", "x", &out);
		must(buf_ok(&out) && (const char *)memmem(out.p, out.n, "@@", 2) == out.p + out.n - 2);
		buf_free(&out);
	}
	if (envelope_open_aes(in, STR("1234567890ABCDEF"), arena, &plain, &iv, &why)) {
		must(str_utf8_valid(plain) && iv);
	}
	if (envelope_open_des(in, STR("ab23dcef"), arena, &plain, &iv, &why)) {
		must(str_utf8_valid(plain) && iv);
	}
	fuzz_print(decoder_find(STR("gateway-aes")), in, arena);
	fuzz_print(decoder_find(STR("dust")), in, arena);
	arena_free(arena);
	return 0;
}
