// Inside `anlan bench detect`.
#pragma once

#include "base/err.h"
#include "base/jw.h"

bool bench_nab(struct arena *a, struct jw *w, const char *dir); // bench_nab.c
double bench_round4(double v);
bool bench_is_dir(const char *path);
// Files below dir that end in suffix, as paths relative to it, sorted.
struct str *bench_files(struct arena *a, const char *dir, const char *suffix, size_t *ret_n);
bool bench_refuse(const struct problem *p, const char *path); // says it on standard error; false
