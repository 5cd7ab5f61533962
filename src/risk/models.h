// The models, by family. A new one: its struct in the file of its family, its name here and in models.c.
#pragma once

#include "risk/risk.h"

extern const struct risk_model model_sigma, model_stability, model_length, model_wind_power, model_wind_log, model_mixing; // weather.c
extern const struct risk_model model_plume, model_puff, model_release, model_plume_max, model_zone, model_rise; // gauss.c
extern const struct risk_model model_plume_beta, model_puff_beta, model_bm_plume, model_bm_puff, model_criterion, model_jet; // dense.c
extern const struct risk_model model_slab_jet, model_slab_pool, model_flashing_jet; // slab_model.c
// source.c
extern const struct risk_model model_liquid, model_tank, model_gas, model_blowdown, model_vessel, model_relief, model_erm,
	model_subcooled, model_hj169, model_flash, model_cei;
extern const struct risk_model model_casal, model_mackay, model_sutton, model_crowl, model_lfa, model_boiling, model_spread; // pool.c
extern const struct risk_model model_butane_leak, model_butane_cloud; // butane.c
// fire.c
extern const struct risk_model model_view, model_tau, model_point, model_burning, model_pool_fire, model_epa_pool,
	model_jet_fire, model_flare, model_profile;
extern const struct risk_model model_ball_size, model_ball_gost, model_bleve, model_epa_ball, model_flash_fire; // fireball.c
// blast.c
extern const struct risk_model model_kb, model_kb_charge, model_kg, model_tnt, model_mills, model_vce_gost, model_vce_epa,
	model_zones, model_burst, model_kst, model_vent, model_outside, model_damage;
extern const struct risk_model model_bst, model_mem, model_deflagration; // vce.c
// probit.c
extern const struct risk_model model_dose, model_thermal, model_overpressure, model_other, model_toxic, model_toxic_ppm,
	model_load;
// societal.c
extern const struct risk_model model_circles, model_wedge, model_fn, model_criteria, model_frequency, model_ignition,
	model_domino, model_combination;
extern const struct risk_model model_locate, model_pipe_leak; // locate.c
extern const struct risk_model model_rico, model_breach; // tailings.c
extern const struct risk_model model_inverse; // slope.c
extern const struct risk_model model_erg, model_threshold, model_oca, model_oca_ammonia, model_oca_rate; // lookup.c
extern const struct risk_model model_gb18218; // gb18218.c
extern const struct risk_model model_inventory; // inventory.c
extern const struct risk_model model_lec, model_ls, model_mes; // methods.c
extern const struct risk_model model_evidence; // evidence.c
extern const struct risk_model model_prairie, model_lng, model_tortoise; // trials.c
