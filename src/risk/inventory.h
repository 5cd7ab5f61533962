// What is in a tank, from its level. Pure; any thread.
#pragma once

enum tank_shape { TANK_VERTICAL, TANK_HORIZONTAL, TANK_SPHERE };

// Share of the volume that is full, 0 … 1, of a vertical cylinder, a lying cylinder (ends as flat: up to 1 % of a lying tank with
// dished ends lies in them) or a sphere filled to h, the share of its height; h beyond 0 … 1 is as if at the end.
double tank_full(enum tank_shape shape, double h);
