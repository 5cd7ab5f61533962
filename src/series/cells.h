// Memory of all open chunks: cells of 64 bytes from one pool, chained. One size only, so chunks that all grow in step
// leave no holes behind, and appending never copies. T_SERIES only.
#pragma once

#include "base/base.h"

#define CELL_BYTES 60

struct cell {
	uint8_t b[CELL_BYTES];
	uint32_t next;           // index of the next in the chain; undefined in the last (a store may run over b)
};

struct cells {
	struct cell **page;      // CELLS_PER_PAGE cells each
	void **page_memory;      // what page[] was allocated as (page[] is aligned to 64)
	uint32_t n_pages, cap;
	uint32_t fresh;          // first index never used; 0 is reserved
	uint32_t free;           // chain of returned cells
	uint32_t in_use;
};

#define CELLS_PAGE_BITS 17       // 8 MiB, of which only what is in use is memory
#define CELLS_PER_PAGE (1u << CELLS_PAGE_BITS)

void cells_init(struct cells *c);
void cells_free(struct cells *c);
uint32_t cells_take(struct cells *c); // contents unspecified
void cells_give(struct cells *c, uint32_t head, uint32_t tail, uint32_t n); // a whole chain; head 0 is fine

static inline struct cell *cells_at(const struct cells *c, uint32_t i)
{
	return &c->page[i >> CELLS_PAGE_BITS][i & (CELLS_PER_PAGE - 1)];
}
