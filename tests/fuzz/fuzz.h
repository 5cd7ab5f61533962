// What the targets of decoders share: a sink that checks each reading.
#pragma once

#include "gate/decode/decode.h"
#include "tests/fuzz/must.h"

#include <math.h>
#include <stdlib.h>

static inline void fuzz_reading(void *owner, const struct decoded *d)
{
	unsigned *n = owner;
	++*n;
	must(isfinite(d->value) && d->untimed == (d->time == INT64_MIN) && d->quality < Q__MAX && d->name.p && d->alias.p);
	volatile char sum = 0; // every byte of the names is there
	for (size_t i = 0; i < d->name.n; i++) {
		sum = (char)(sum + d->name.p[i]);
	}
	for (size_t i = 0; i < d->alias.n; i++) {
		sum = (char)(sum + d->alias.p[i]);
	}
}

static inline void fuzz_refuse(void *owner, enum reject why, struct str what)
{
	unsigned *n = owner;
	++*n;
	must(why < REJECT__MAX && what.p);
}

// Prints the frame: what comes out must be JSON whatever goes in.
static inline void fuzz_print(const struct decoder *d, struct str frame, struct arena *arena)
{
	if (d->form == FRAME_HEX) {
		char *hex = arena_alloc(arena, 2 * frame.n + 1);
		str_to_hex((const uint8_t *)frame.p, frame.n, hex);
		frame = str_from(hex, 2 * frame.n);
	}
	struct buf out;
	buf_init(&out, 64u << 20);
	bool ok = decoder_print(d, frame, arena, INT64_C(1795305600000000), false, &out);
	must(buf_ok(&out));
	must(ok != str_starts(buf_str(&out), STR("{\"error\":{")));
	buf_free(&out);
}
