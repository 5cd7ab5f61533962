// needs: base bus gate/decode
// Any bytes as a Modbus stream, as an answer to a request of ours, and as an address.
#include "gate/decode/decoders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The answer to the question it would fit: every kind of item at every place of it.
static void read_answer(const struct modbus *m)
{
	static const enum modbus_table tables[] = { [1] = MODBUS_COIL, [2] = MODBUS_DISCRETE, [3] = MODBUS_HOLDING, [4] = MODBUS_INPUT };
	struct refusal why;
	unsigned f = m->function & 0x7f;
	if (f < 1 || f > 4 || !m->data.n)
		return;
	struct modbus_read r = { .unit = m->unit, .transaction = m->transaction, .table = tables[f], .at = 0 };
	r.n = (uint16_t)(f <= 2 ? (m->data.n - 1) * 8 : (m->data.n - 1) / 2);
	if (!modbus_answers(m, &r, &why) || m->exception)
		return;
	for (int type = MODBUS_BIT; type <= MODBUS_F64; type++)
		for (unsigned at = 0; at < r.n; at++) {
			struct modbus_item it = { .table = r.table, .type = (enum modbus_type)type, .at = (uint16_t)at, .bit = type == MODBUS_BIT ? (int)at % 16 : -1,
				                  .words_swapped = at & 1, .bytes_swapped = at >> 1 & 1 };
			if (at + modbus_words(&it) <= r.n)
				(void)modbus_value(&it, &r, m);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from((const char *)data, size);
	struct arena *a = arena_new(0);
	struct modbus m;
	struct refusal why;
	struct modbus_item it;
	struct fed f = modbus_feed(in);
	if (f.what == FEED_FRAME && modbus_decode(f.frame, &m, &why))
		read_answer(&m);
	if (modbus_address(in, &it)) {
		struct modbus_read r = { .unit = 1, .table = it.table, .at = it.at, .n = (uint16_t)modbus_words(&it) };
		uint8_t bytes[MODBUS_REQUEST];
		f = modbus_feed(modbus_request(&r, bytes)); // our own question must be a frame
		must(f.what == FEED_FRAME && modbus_decode(f.frame, &m, &why));
	}
	fuzz_print(decoder_find(STR("modbus")), in, a);
	arena_free(a);
	return 0;
}
