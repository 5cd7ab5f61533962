// Memory with a named lifetime: process, registry generation, connection, request, tick. What is allocated
// here is freed together; a handler frees nothing. Allocation never returns NULL: when the machine has no
// memory left the process ends with a log line and the parent restarts it. What a stranger can make us
// allocate is bounded by base/limits.h before it gets here. Not thread-safe: one owner at a time.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

// first_block: size of the first block in bytes (0 = 4 KiB). Owned by the caller until arena_free.
struct arena *arena_new(size_t first_block);
void arena_free(struct arena *a); // NULL is fine
void arena_freep(struct arena **a); // for on_scope_exit
// Forgets everything allocated but keeps the largest block. Poisoned under ASan.
void arena_reset(struct arena *a);
// Bytes handed out since the last reset.
size_t arena_used(const struct arena *a);

// Zeroed memory, aligned to 16. n may be 0.
void *arena_alloc(struct arena *a, size_t n);
// n objects of size; aborts on overflow of n*size.
void *arena_array(struct arena *a, size_t n, size_t size);
// Copies old_n objects into a new array of new_n (new_n >= old_n), the rest zeroed.
void *arena_grow(struct arena *a, const void *old, size_t old_n, size_t new_n, size_t size);
struct str arena_str(struct arena *a, struct str s);   // copy, NUL-terminated behind its end
char *arena_cstr(struct arena *a, struct str s);       // copy as a C string
struct str arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, __builtin_va_list ap);

#define arena_one(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_many(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))
// Appends room for one element to the arena vector (T *v; size_t n, cap): v = arena_push(a, v, &n, &cap, sizeof *v);
// the new element is v[n-1], zeroed.
void *arena_push(struct arena *a, void *v, size_t *n, size_t *cap, size_t size);

// The only other places memory comes from: long-lived blocks of base/ containers. They abort when out of memory.
void *mem_alloc(size_t n);              // zeroed
void *mem_table(size_t n);              // zeroed; of 4 MiB and more in huge pages if the kernel gives them: for what is used all over
void *mem_lines(size_t n);              // zeroed, aligned to a cache line; of 8 MiB and more in huge pages if the kernel gives them
void *mem_resize(void *p, size_t n);    // not for those
void mem_free(void *p);
// Of the process: from now on blocks of 4 MiB and more lie apart, are moved by the kernel when they grow, and go back to it when
// they are freed.
void mem_large_apart(void);
void mem_give_back(void);               // what is free goes back to the kernel, after much was; milliseconds, with the heap locked
