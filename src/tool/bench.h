// The benchmarks behind `anlan bench`; each prints one JSON object and returns the exit status.
#pragma once

#include "tool/bench_series.h"

int bench_ingest(int argc, char **argv);
int bench_alarm(int argc, char **argv);
