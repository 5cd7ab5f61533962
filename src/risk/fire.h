// View factors, transmissivity. Pure; any thread.
#pragma once

#include "base/base.h"

// From a point of the ground to an upright cylinder, h = H/R, s = X/R > 1 (X from the axis): Mudan, SFPE handbook.
void view_cylinder(double h, double s, double *ret_vertical, double *ret_horizontal);
// The same for a cylinder that leans away from or towards the target by tilt (radians, positive towards it), by integration
// over its surface. h = length/R.
void view_tilted(double h, double s, double tilt, double *ret_vertical, double *ret_horizontal);
// Transmissivity of humid air over x m: 2.02 (Pw x)^-0.09 and its neighbours. rh %, t K. At most 1.
double transmissivity(double rh, double t, double x);
