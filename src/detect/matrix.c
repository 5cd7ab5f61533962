#include "detect/matrix.h"

#include <math.h>

#include "detect/order.h"

static bool decompose(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double *row = a + i * n;
		for (size_t j = 0; j <= i; j++) {
			const double *other = a + j * n;
			double s = row[j];
			for (size_t k = 0; k < j; k++)
				s -= row[k] * other[k];
			if (i == j && !(s > 0))
				return false;
			row[j] = i == j ? sqrt(s) : s / other[j];
		}
	}
	return true;
}

// The inverse of the lower triangle in place.
static void invert_triangle(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		a[i * n + i] = 1 / a[i * n + i];
		for (size_t j = 0; j < i; j++) {
			double s = 0;
			for (size_t k = j; k < i; k++)
				s -= a[i * n + k] * a[k * n + j];
			a[i * n + j] = s * a[i * n + i];
		}
	}
}

bool matrix_invert(double *a, size_t n)
{
	if (!decompose(a, n))
		return false;
	invert_triangle(a, n);
	for (size_t i = 0; i < n; i++) // the inverse is M'M with M the inverted triangle; column i below the diagonal is used last here
		for (size_t j = i; j < n; j++) {
			double s = 0;
			for (size_t k = j; k < n; k++)
				s += a[k * n + i] * a[k * n + j];
			a[i * n + j] = s;
		}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			a[i * n + j] = a[j * n + i];
	return true;
}

void matrix_quadratic3(const double *packed, size_t n, const double *const x[3], double ret[3])
{
	const double *x0 = x[0], *x1 = x[1], *x2 = x[2];
	double s0 = 0, s1 = 0, s2 = 0;
	for (size_t i = 0; i < n; i++) {
		double d0 = 0, d1 = 0, d2 = 0;
		for (size_t j = 0; j < i; j++) {
			d0 += packed[j] * x0[j];
			d1 += packed[j] * x1[j];
			d2 += packed[j] * x2[j];
		}
		s0 += x0[i] * (2 * d0 + packed[i] * x0[i]);
		s1 += x1[i] * (2 * d1 + packed[i] * x1[i]);
		s2 += x2[i] * (2 * d2 + packed[i] * x2[i]);
		packed += i + 1;
	}
	ret[0] = s0;
	ret[1] = s1;
	ret[2] = s2;
}

void matrix_times(const double *packed, size_t n, const double *x, double *ret)
{
	memset(ret, 0, n * sizeof *ret);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			ret[i] += packed[j] * x[j];
			ret[j] += packed[j] * x[i];
		}
		ret[i] += packed[i] * x[i];
		packed += i + 1;
	}
}

static void rotate(double *a, size_t n, size_t p, size_t q)
{
	double apq = a[p * n + q];
	if (fabs(apq) < 1e-300)
		return;
	double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
	double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
	for (size_t k = 0; k < n; k++) {
		double kp = a[k * n + p], kq = a[k * n + q];
		a[k * n + p] = c * kp - s * kq;
		a[k * n + q] = s * kp + c * kq;
	}
	for (size_t k = 0; k < n; k++) {
		double pk = a[p * n + k], qk = a[q * n + k];
		a[p * n + k] = c * pk - s * qk;
		a[q * n + k] = s * pk + c * qk;
	}
}

void matrix_eigenvalues(double *a, size_t n, double *ret)
{
	for (int sweep = 0; sweep < 30; sweep++) {
		double off = 0, all = 0;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++) {
				off += i == j ? 0 : a[i * n + j] * a[i * n + j];
				all += a[i * n + j] * a[i * n + j];
			}
		if (off <= 1e-20 * all)
			break;
		for (size_t p = 0; p + 1 < n; p++)
			for (size_t q = p + 1; q < n; q++)
				rotate(a, n, p, q);
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = a[i * n + i];
	order_sort(ret, n);
	for (size_t i = 0; i < n / 2; i++) {
		double x = ret[i];
		ret[i] = ret[n - 1 - i];
		ret[n - 1 - i] = x;
	}
}
