// Arenas: a list of blocks that grow as needed and are freed or reset together. Called from everywhere; one owner
// at a time. Under ASan the memory that is not handed out is poisoned, so a use after reset is found.
#include "base/arena.h"
#include "base/log.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // poisoning fresh memory reads nothing of it
#endif
#define POISON(p, n) __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN 16u
#define FIRST_BLOCK 4096u
#define BLOCK_GROW_MAX (1u << 20) // blocks double up to this size

struct block {
	struct block *next; // older block
	size_t size;        // usable bytes behind the header
	_Alignas(16) char data[];
};

struct arena {
	struct block *top;  // newest block, from which memory is taken
	size_t at;          // bytes used in top
	size_t used;        // bytes handed out since the last reset
	size_t next_size;   // usable size of the next block
};

void *mem_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p) {
		log_die("memory", "out of memory, %zu bytes wanted", n);
	}
	return p;
}

static const size_t huge_page = (size_t)2 << 20;

void *mem_table(size_t n)
{
	char *p = mem_alloc(n); // lies apart and is not cleared by hand, so nothing of it is in small pages yet
	uintptr_t from = ((uintptr_t)p + huge_page - 1) & ~(huge_page - 1), to = ((uintptr_t)p + n) & ~(huge_page - 1);
	if (n >= 2 * huge_page && to > from)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE); // a kernel without them gives small ones
	return p;
}

void *mem_lines(size_t n)
{
	const size_t page = huge_page; // 4 MiB and more lie apart anyway
	size_t align = n >= 4 * page ? page : 64;
	void *p = NULL;
	if (posix_memalign(&p, align, n ? n : 1)) {
		log_die("memory", "out of memory, %zu bytes wanted", n);
	}
	if (align == page) {
		(void)madvise(p, n & ~(page - 1), MADV_HUGEPAGE); // a kernel without them gives small ones
	}
	memset(p, 0, n);
	return p;
}

void *mem_resize(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);
	if (!q) {
		log_die("memory", "out of memory, %zu bytes wanted", n);
	}
	return q;
}

void mem_free(void *p)
{
	free(p);
}

void mem_large_apart(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20); // without this glibc raises it to 32 MiB once such a block was freed
	mallopt(M_TRIM_THRESHOLD, 8 << 20); // and this with it: or what a request frees is cleared anew for the next
}

void mem_give_back(void)
{
	malloc_trim(0);
}

static struct block *block_new(size_t size)
{
	if (size > SIZE_MAX / 2) {
		log_die("memory", "absurd allocation of %zu bytes", size);
	}
	struct block *b = malloc(sizeof(*b) + size);
	if (!b) {
		log_die("memory", "out of memory, %zu bytes wanted", size);
	}
	b->next = NULL;
	b->size = size;
	POISON(b->data, size);
	return b;
}

static void block_free(struct block *b)
{
	UNPOISON(b->data, b->size);
	free(b);
}

struct arena *arena_new(size_t first_block)
{
	struct arena *a = mem_alloc(sizeof(*a));
	a->next_size = first_block ? first_block : FIRST_BLOCK;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a) {
		return;
	}
	for (struct block *b = a->top; b;) {
		struct block *next = b->next;
		block_free(b);
		b = next;
	}
	free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_reset(struct arena *a)
{
	struct block *largest = a->top;
	for (struct block *b = a->top; b; b = b->next) {
		if (b->size > largest->size) {
			largest = b;
		}
	}
	for (struct block *b = a->top; b;) {
		struct block *next = b->next;
		if (b != largest) {
			block_free(b);
		}
		b = next;
	}
	if (largest) {
		largest->next = NULL;
		POISON(largest->data, largest->size);
	}
	a->top = largest;
	a->at = 0;
	a->used = 0;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

static void arena_add_block(struct arena *a, size_t n)
{
	size_t size = MAX(a->next_size, n);
	struct block *b = block_new(size);
	b->next = a->top;
	a->top = b;
	a->at = 0;
	if (a->next_size < BLOCK_GROW_MAX) {
		a->next_size = MIN(a->next_size * 2, (size_t)BLOCK_GROW_MAX);
	}
}

// n bytes without clearing them.
static void *arena_take(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 4) {
		log_die("memory", "absurd allocation of %zu bytes", n);
	}
	size_t want = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!a->top || a->top->size - a->at < want) {
		arena_add_block(a, want);
	}
	char *p = a->top->data + a->at;
	a->at += want;
	a->used += want;
	UNPOISON(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = arena_take(a, n);
	memset(p, 0, n);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		log_die("memory", "absurd array of %zu times %zu bytes", n, size);
	}
	return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, const void *old, size_t old_n, size_t new_n, size_t size)
{
	assert(new_n >= old_n);
	void *p = arena_array(a, new_n, size);
	if (old_n) {
		memcpy(p, old, old_n * size);
	}
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_cstr(a, s), s.n };
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_take(a, s.n + 1);
	if (s.n) {
		memcpy(p, s.p, s.n);
	}
	p[s.n] = '\0';
	return p;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	struct str ret = STR_EMPTY;
	if (n >= 0 && (size_t)n < sizeof(small)) {
		ret = arena_str(a, str_from(small, (size_t)n));
	} else if (n >= 0) {
		char *p = arena_take(a, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
		ret = str_from(p, (size_t)n);
	}
	va_end(again);
	return ret;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str ret = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return ret;
}

void *arena_push(struct arena *a, void *v, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		size_t new_cap = *cap ? *cap * 2 : 8;
		v = arena_grow(a, v, *n, new_cap, size);
		*cap = new_cap;
	}
	(*n)++;
	return v;
}
