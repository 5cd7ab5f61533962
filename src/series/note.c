// Notes in the arrival log: some bytes that an owner needs again after a crash, as readings of point 0, which is no point: first one
// whose value is the number of bytes, then six bytes in each, the first lowest. Their time is the owner.
#include "series/series_in.h"

#define A_READING 6u // bytes that a double holds exactly as an integer

enum { BEGINS = 1, GOES_ON = 0 }; // as quality

static void put(struct series *s, uint32_t owner, uint16_t how, int64_t value, int64_t arrival)
{
	struct reading r = { .point = 0, .quality = how, .time = owner, .value = (double)value };
	slog_add(s->log, &r, arrival, 0, value);
}

void series_note(struct series *s, uint32_t owner, struct str bytes, int64_t arrival)
{
	bytes = str_first(bytes, SERIES_NOTE_MAX);
	put(s, owner, BEGINS, (int64_t)bytes.n, arrival);
	for (size_t i = 0; i < bytes.n; i += A_READING) {
		int64_t value = 0;
		for (size_t k = MIN(bytes.n - i, (size_t)A_READING); k-- > 0;)
			value = value << 8 | (uint8_t)bytes.p[i + k];
		put(s, owner, GOES_ON, value, arrival);
	}
}

void note_replay(struct note_in *n, const struct reading *r, const struct series_hooks *hooks)
{
	uint64_t value = r->value >= 0 ? (uint64_t)r->value : 0;
	if (r->quality == BEGINS) {
		*n = (struct note_in){ .owner = (uint32_t)r->time, .want = (uint32_t)MIN(value, (uint64_t)SERIES_NOTE_MAX), .open = true };
	} else if (n->open && r->time == n->owner) {
		for (unsigned k = 0; k < A_READING && n->have < n->want; k++, value >>= 8)
			n->bytes[n->have++] = (char)value;
	}
	if (!n->open || n->have < n->want)
		return;
	n->open = false;
	if (hooks->note)
		hooks->note(hooks->arg, n->owner, str_from(n->bytes, n->have));
}
