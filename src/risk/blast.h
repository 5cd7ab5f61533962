// Blast of TNT: scaled distance Z in m/kg^(1/3). Pure; any thread.
#pragma once

#include "base/base.h"

enum kb { KB_SIDE_ON, KB_REFLECTED, KB_ARRIVAL, KB_DURATION, KB_IMPULSE, KB_IMPULSE_REFLECTED, KB_VELOCITY, KB__MAX };

// Kingery-Bulmash, hemispherical surface burst, as simplified by Swisdak (ADA526744, 1994): kPa, kPa, ms/kg^(1/3) (arrival,
// duration), kPa ms/kg^(1/3) (impulses), m/ms. NAN outside of the range of the quantity.
double kingery_bulmash(enum kb what, double z);
// Overpressure by ambient pressure; factor 808 in free air (Kinney & Graham), 1616 at the ground (Crowl & Louvar 6-21).
double kinney_graham(double z, double factor);
