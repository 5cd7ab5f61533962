// The micro benchmark of src/series. Called by main as a tool command; returns the exit status.
#pragma once

int bench_series(int argc, char **argv);
