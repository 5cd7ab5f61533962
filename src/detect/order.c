#include "detect/order.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void order_sort(double *x, size_t n)
{
	qsort(x, n, sizeof *x, by_value);
}

double order_median(double *x, size_t n)
{
	return order_quantile(x, n, 0.5);
}

double order_quantile(double *x, size_t n, double q)
{
	order_sort(x, n);
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;
	return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[i];
}
