// Order statistics of doubles (no NaN among them). Each sorts x. Any thread.
#pragma once

#include "base/base.h"

void order_sort(double *x, size_t n);
double order_median(double *x, size_t n); // n >= 1
// Linear between the two nearest (R. Hyndman, Y. Fan, Am. Stat. 50, 1996, type 7). n >= 1, q 0..1.
double order_quantile(double *x, size_t n, double q);
