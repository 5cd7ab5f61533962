// needs: base bus gate/decode
// SenML CBOR: readings are sound and no more than announced, refusals say why, printing gives JSON.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	unsigned seen = 0;
	struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
	struct refusal why;
	if (!payload_senml_cbor(in, arena, INT64_C(1795305600000000), &sink, &why)) {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= n);
	}
	fuzz_print(decoder_find(STR("senml-cbor")), str_from((const char *)data, n), arena);
	arena_free(arena);
	return 0;
}
