// Discharge of liquid and gas through a hole. SI units, absolute pressures. Pure; any thread.
#pragma once

#include "base/base.h"

struct gas_hole {
	double p, pa;      // Pa inside, outside
	double t;          // K inside
	double m;          // kg/mol
	double k;          // heat capacity ratio
	double area, cd;   // m2
};

// kg/s; 0 if p <= pa. *ret_choked may be NULL.
double gas_discharge(const struct gas_hole *g, bool *ret_choked);
// Pa/P below which the flow is choked.
double gas_critical_ratio(double k);
// m/s in the hole (without Cd): pressure difference dp >= 0 (Pa) and head h (m).
double liquid_velocity(double dp, double rho, double head);
