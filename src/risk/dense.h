// Britter and McQuaid's correlations for gas heavier than air (Workbook on the Dispersion of Dense Gases, HSE CRR 17/1988),
// as piecewise lines printed in CCPS 1999. Pure; any thread.
#pragma once

#include "base/base.h"

#define BM_PLUME_CURVES 6
#define BM_PUFF_CURVES 7
#define BM_GRAVITY 9.80616 // m/s2, of the workbook's examples

extern const double bm_plume_ratio[BM_PLUME_CURVES]; // Cm/C0 of each curve, falling
extern const double bm_puff_ratio[BM_PUFF_CURVES];
// beta of every curve at alpha. steep: the line of 0.005 as CCPS 1999 prints it (-0.49) instead of -0.48.
void bm_plume_beta(double alpha, bool steep, double ret[BM_PLUME_CURVES]);
void bm_puff_beta(double alpha, double ret[BM_PUFF_CURVES]);
// Cm/C0, isothermal, at x/D (plume), x/V^(1/3) (puff): near-field form, lines between the curves, x^-2 behind the last.
double bm_plume_ratio_at(double alpha, bool steep, double x);
double bm_puff_ratio_at(double alpha, double x);
// The x/D at which the plume has this ratio (between the curves, and by the other forms outside).
double bm_plume_x_of(double alpha, bool steep, double ratio);
// Ratio after the isothermal one is corrected for a source at t_source in air of t_air.
double bm_warm(double ratio, double t_source, double t_air);
double bm_warm_inverse(double ratio, double t_source, double t_air);
