// Segment files of the arrival log, shared by its writer (slog.c) and its reader (slog_read.c). No state.
#pragma once

#include "base/base.h"
#include "base/err.h"

#ifdef ANLAN_TEST
#define SEGMENT_BYTES (1u << 20)  // so that tests cross from one to the next
#else
#define SEGMENT_BYTES (64u << 20)
#endif

struct slog_files {
	uint64_t *first; // sorted; mem_free
	size_t n;
};
enum err slog_list(const char *dir, struct slog_files *ret) must_check; // creates the folder if need be
void slog_name(const char *dir, uint64_t first, char *ret, size_t cap);
enum err slog_sync_dir(const char *dir) must_check;
enum err err_of_errno(int e); // ERR_FULL or ERR_IO
