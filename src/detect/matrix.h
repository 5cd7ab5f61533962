// The little linear algebra that the models need. Matrices are square, symmetric, of doubles, row by row (n x n), or packed:
// the lower triangle row by row, n(n+1)/2 numbers. Pure functions, any thread.
#pragma once

#include "base/base.h"

// Turns the symmetric positive definite a (n x n, changed) into its inverse, by Cholesky's decomposition (G. H. Golub,
// C. F. Van Loan, Matrix Computations, 4.2). False if a is not positive definite; then a is spoiled.
bool matrix_invert(double *a, size_t n) must_check;
// x' A x of three vectors at once: what costs is reading A. packed: the lower triangle of A; ret[k] for x[k].
void matrix_quadratic3(const double *packed, size_t n, const double *const x[3], double ret[3]);
// A x with A packed.
void matrix_times(const double *packed, size_t n, const double *x, double *ret);
// The eigenvalues of a (changed), the largest first, by Jacobi's rotations (Golub, Van Loan, 8.5): n^3 each of at most 30 sweeps.
void matrix_eigenvalues(double *a, size_t n, double *ret);
