#include "series/cells.h"

#include "base/arena.h"

void cells_init(struct cells *c)
{
	*c = (struct cells){ .fresh = 1 };
}

void cells_free(struct cells *c)
{
	for (uint32_t i = 0; i < c->n_pages; i++)
		mem_free(c->page_memory[i]);
	mem_free(c->page_memory);
	mem_free(c->page);
	cells_init(c);
}

static void add_page(struct cells *c)
{
	if (c->n_pages == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->page = mem_resize(c->page, c->cap * sizeof(*c->page));
		c->page_memory = mem_resize(c->page_memory, c->cap * sizeof(*c->page_memory));
	}
	char *p = mem_table(sizeof(struct cell) * CELLS_PER_PAGE + 64);
	c->page_memory[c->n_pages] = p;
	c->page[c->n_pages++] = (struct cell *)(void *)(p + (64 - (uintptr_t)p % 64) % 64);
}

uint32_t cells_take(struct cells *c)
{
	c->in_use++;
	if (c->free) {
		uint32_t i = c->free;
		c->free = cells_at(c, i)->next;
		return i;
	}
	if (c->fresh >> CELLS_PAGE_BITS >= c->n_pages)
		add_page(c);
	return c->fresh++;
}

void cells_give(struct cells *c, uint32_t head, uint32_t tail, uint32_t n)
{
	if (!head)
		return;
	cells_at(c, tail)->next = c->free;
	c->free = head;
	c->in_use -= n;
}
