// Root finding and integration, once. Pure; any thread.
#pragma once

#include "base/base.h"

// A zero of f between a and b, where f has different signs (or is zero); bisection with secant steps, to a relative width of
// 1e-12. False: the signs are the same or a value is not finite.
bool num_root(double (*f)(double x, const void *ctx), const void *ctx, double a, double b, double *ret);
// Integral of f from a to b by Simpson's rule in n (even) steps.
double num_simpson(double (*f)(double x, const void *ctx), const void *ctx, double a, double b, unsigned n);
// Linear, and linear in the logarithms of both; x outside is held at the ends. xs rise.
double num_interp(const double *xs, const double *ys, size_t n, double x);
double num_interp_loglog(const double *xs, const double *ys, size_t n, double x);
double num_clamp(double v, double lo, double hi);
// Distribution function of the normal distribution.
double num_phi(double x);
