// Inputs that many models share, and constants of physics.
#pragma once

#include "risk/risk.h"

#define GAS_CONSTANT 8.314462618    // J/mol/K, exact (SI 2019)
#define GRAVITY 9.80665             // m/s2, standard
#define ATM 101325.0                // Pa
#define AIR_MOLAR_MASS 0.0289647    // kg/mol, dry

extern const char *const menu_stability[]; // A … F: index 0 … 5
extern const char *const menu_sigma_set[]; // index is enum sigma_set

#define IN_STABILITY { .name = "stability", .kind = RISK_MENU, .menu = menu_stability, .zh = "大气稳定度", .en = "stability class (Pasquill)" }
#define IN_STABILITY_OPT { .name = "stability", .kind = RISK_MENU, .menu = menu_stability, .zh = "大气稳定度", \
	.en = "stability class (Pasquill)", .opt = true }
#define IN_SIGMA_SET { .name = "sigma_set", .kind = RISK_MENU, .menu = menu_sigma_set, .zh = "扩散参数", \
	.en = "set of dispersion parameters", .opt = true }
#define IN_WIND { .name = "u", .unit = "m/s", .zh = "风速", .en = "wind speed", .min = 0.1, .max = 60 }
// A number that must be there; one with a default.
#define IN_NUM(n, u, z, e, lo, hi) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi }
#define IN_OPT(n, u, z, e, lo, hi, d) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .opt = true, .def = d }
#define IN_OPT_NOTE(n, u, z, e, lo, hi, d, ...) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .opt = true, .def = d, \
	.note = __VA_ARGS__ }
// A pressure above that outside: "0.2 bar g" and "0.2 bar" are the same.
#define IN_OVER(n, u, z, e, lo, hi) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .difference = true }
#define IN_OVER_OPT(n, u, z, e, lo, hi, d, ...) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .opt = true, .def = d, \
	.difference = true, .note = __VA_ARGS__ }
#define IN_REMARK(n, u, z, e, lo, hi) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .remark = true }
#define IN_LIST(n, u, z, e, lo, hi) { .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .kind = RISK_LIST }
#define IN_LIST_OPT(n, u, z, e, lo, hi, ...) \
	{ .name = n, .unit = u, .zh = z, .en = e, .min = lo, .max = hi, .kind = RISK_LIST, .opt = true, \
	.note = __VA_ARGS__ }
#define IN_MENU(n, z, e, m) { .name = n, .kind = RISK_MENU, .menu = m, .zh = z, .en = e }
#define IN_MENU_OPT(n, z, e, m) { .name = n, .kind = RISK_MENU, .menu = m, .zh = z, .en = e, .opt = true }
#define IN_TEXT(n, z, e) { .name = n, .kind = RISK_TEXT, .zh = z, .en = e }
#define IN_TEXT_OPT(n, z, e, ...) { .name = n, .kind = RISK_TEXT, .zh = z, .en = e, .opt = true, .note = __VA_ARGS__ }
// The other names of a model, for its struct: CALLED(AS("pool fire*"), AS("fire of a pool*")).
#define AS(n) { n, NULL, NULL }
#define CALLED(...) ((const struct risk_alias[]){ __VA_ARGS__, { 0 } })
#define IN_END { .name = NULL }
#define IN_ROWS(n, z, e, c) { .name = n, .kind = RISK_ROWS, .columns = c, .zh = z, .en = e }
