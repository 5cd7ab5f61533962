// needs: base series store
// Bytes of a chunk, as they come from a block file: never a crash, never more samples than announced, and what can be
// decoded can be coded again to the same samples.
#include <stdlib.h>

#include "series/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sample v[CHUNK_SAMPLES], again[CHUNK_SAMPLES];
	static uint8_t flat[CHUNK_SAMPLES * 40];
	size_t n = 0, m = 0;
	if (chunk_decode(str_from((const char *)data, size), v, &n) != OK || n > 200)
		return 0;
	struct cells pool;
	struct chunk c = { 0 };
	cells_init(&pool);
	bool ok = n > 0;
	for (size_t i = 0; ok && i < n; i++) {
		// what series_add would refuse cannot be coded
		ok = __builtin_isfinite(v[i].value) && !(v[i].value == 0 && __builtin_signbit(v[i].value)) &&
		     v[i].time > -CHUNK_TIME_LIMIT && v[i].time < CHUNK_TIME_LIMIT;
		if (ok)
			chunk_add(&c, &pool, &v[i]);
	}
	if (ok) {
		size_t k = chunk_flatten(&c, &pool, flat);
		if (chunk_decode(str_from((const char *)flat, k), again, &m) != OK || m != n)
			abort();
		for (size_t i = 0; i < n; i++)
			if (again[i].time != v[i].time || again[i].value != v[i].value || again[i].quality != v[i].quality)
				abort();
	}
	cells_free(&pool);
	return 0;
}
