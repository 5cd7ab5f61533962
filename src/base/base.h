// The few macros every file uses. No functions, no state.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define must_check __attribute__((warn_unused_result))
#define nonnull_args __attribute__((nonnull))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define on_scope_exit(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// Asks for the line of memory at p, which is written soon. The empty asm is an effect: without it a compiler takes a function that does
// nothing else for one that does nothing, and leaves out its calls.
#define prefetch(p) do { __builtin_prefetch((p), 1); __asm__ volatile(""); } while (0)

// Times are UTC microseconds since 1970 everywhere inside; see time.h for text.
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define US_PER_MIN (60 * US_PER_S)
#define US_PER_HOUR (60 * US_PER_MIN)
#define US_PER_DAY (24 * US_PER_HOUR)
