// needs: base bus gate/decode
// Sparkplug B: what is accepted can be walked to its end, numbers are finite, topics are cut where they say, printing gives JSON.
#include "gate/decode/decoders.h"
#include "gate/decode/sparkplug.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	struct spb_payload p;
	struct spb_metric m;
	struct spb_topic t;
	struct refusal why;
	if (spb_read(in, &p, &why)) {
		size_t seen = 0;
		for (struct str rest = in; spb_next(&rest, &m); seen++) {
			double v;
			must(!spb_number(&m.value, m.type, &v) || isfinite(v));
			must(m.name.p && m.metadata.p && m.properties.p);
		}
		must(seen == p.metrics && seen <= LIMIT_READINGS_PER_MESSAGE);
	} else {
		must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= n);
	}
	if (spb_topic(in, &t)) {
		must(t.group.n && t.node.n && t.kind < SPB_KIND__MAX);
	}
	fuzz_print(decoder_find(STR("sparkplug")), str_from((const char *)data, n), arena);
	arena_free(arena);
	return 0;
}
