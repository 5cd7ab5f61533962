// See numeric.h.
#include "risk/numeric.h"

#include <math.h>

bool num_root(double (*f)(double x, const void *ctx), const void *ctx, double a, double b, double *ret)
{
	double fa = f(a, ctx), fb = f(b, ctx);
	if (!isfinite(fa) || !isfinite(fb) || fa * fb > 0) {
		return false;
	}
	for (int i = 0; i < 200 && fabs(b - a) > 1e-12 * fmax(fabs(a), fabs(b)); i++) {
		double x = i % 3 == 2 || fa == fb ? 0.5 * (a + b) : b - fb * (b - a) / (fb - fa);
		if (!(x > fmin(a, b) && x < fmax(a, b))) {
			x = 0.5 * (a + b);
		}
		double fx = f(x, ctx);
		if (!isfinite(fx)) {
			return false;
		}
		if ((fa <= 0) == (fx <= 0)) {
			a = x, fa = fx;
		} else {
			b = x, fb = fx;
		}
		if (fx == 0) {
			a = b = x;
		}
	}
	*ret = fabs(fa) < fabs(fb) ? a : b;
	return true;
}

double num_simpson(double (*f)(double x, const void *ctx), const void *ctx, double a, double b, unsigned n)
{
	double h = (b - a) / n, sum = f(a, ctx) + f(b, ctx);
	for (unsigned i = 1; i < n; i++) {
		sum += (i % 2 ? 4 : 2) * f(a + h * i, ctx);
	}
	return sum * h / 3;
}

double num_interp(const double *xs, const double *ys, size_t n, double x)
{
	if (x <= xs[0]) {
		return ys[0];
	}
	for (size_t i = 1; i < n; i++) {
		if (x <= xs[i]) {
			return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
		}
	}
	return ys[n - 1];
}

double num_interp_loglog(const double *xs, const double *ys, size_t n, double x)
{
	if (x <= xs[0]) {
		return ys[0];
	}
	for (size_t i = 1; i < n; i++) {
		if (x <= xs[i]) {
			double f = log(x / xs[i - 1]) / log(xs[i] / xs[i - 1]);
			return ys[i - 1] * pow(ys[i] / ys[i - 1], f);
		}
	}
	return ys[n - 1];
}

double num_clamp(double v, double lo, double hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

double num_phi(double x)
{
	return 0.5 * erfc(-x / sqrt(2));
}
