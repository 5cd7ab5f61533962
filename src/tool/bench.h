// The benchmarks behind `anlan bench`; each prints one JSON object and returns the exit status.
#pragma once

#include "base/base.h"
#include "tool/bench_series.h"

// The folder, made with those above it if it is not there. False: it cannot be, and standard error says why and what to do.
bool bench_dir(const char *dir);

int bench_ingest(int argc, char **argv);
int bench_flood(int argc, char **argv);
int bench_alarm(int argc, char **argv);
int bench_gate(int argc, char **argv);
int bench_records(int argc, char **argv);
int bench_import(int argc, char **argv);
int bench_query(int argc, char **argv);
int bench_index(int argc, char **argv);
int bench_fences(int argc, char **argv);
int bench_detect(int argc, char **argv);
int bench_tiles(int argc, char **argv);
int bench_qra(int argc, char **argv);
