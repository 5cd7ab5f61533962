// What goes wrong in the county, when, and in which order. Each scenario owns the points with its tag and gives them
// their values while it runs; everything else stays quiet. One thread.
#pragma once

#include "sim/sim.h"

struct scenarios;

// packs: folder of the packs, for recordings. speed: how much faster scenarios run than described (1 = as described).
// only: the name of one scenario, or NULL for all. once: each runs once. NULL if `only` is no scenario's name.
struct scenarios *scenarios_new(struct county *c, const char *packs, double speed, const char *only, bool once);
void scenarios_free(struct scenarios *s);
// dt: seconds since the last call. Returns false when nothing will ever happen again (once, and all have run).
bool scenarios_turn(struct scenarios *s, double dt);
void scenarios_list(struct buf *out); // name and what happens, a line each
