// The one list of models. Pure; any thread.
#include "risk/models.h"

static const struct risk_model *const models[] = {
	&model_sigma, &model_stability, &model_length, &model_wind_power, &model_wind_log, &model_mixing,
	&model_plume, &model_puff, &model_release, &model_plume_max, &model_zone, &model_rise,
	&model_plume_beta, &model_puff_beta, &model_bm_plume, &model_bm_puff, &model_criterion, &model_jet,
	&model_slab_jet, &model_slab_pool,
	&model_liquid, &model_tank, &model_gas, &model_blowdown, &model_vessel, &model_relief, &model_erm, &model_subcooled,
	&model_hj169, &model_flash, &model_cei,
	&model_casal, &model_mackay, &model_sutton, &model_crowl, &model_lfa, &model_boiling, &model_spread,
	&model_butane_leak, &model_butane_cloud,
	&model_view, &model_tau, &model_point, &model_burning, &model_pool_fire, &model_epa_pool, &model_jet_fire, &model_flare,
	&model_profile,
	&model_ball_size, &model_ball_gost, &model_bleve, &model_epa_ball, &model_flash_fire,
	&model_kb, &model_kb_charge, &model_kg, &model_tnt, &model_mills, &model_vce_gost, &model_vce_epa, &model_zones,
	&model_burst, &model_kst, &model_vent, &model_damage,
	&model_bst, &model_mem, &model_deflagration,
	&model_dose, &model_thermal, &model_overpressure, &model_other, &model_toxic, &model_toxic_ppm, &model_load,
	&model_circles, &model_wedge, &model_fn, &model_criteria, &model_frequency, &model_ignition, &model_domino,
	&model_combination,
	&model_locate, &model_pipe_leak,
	&model_rico, &model_breach,
	&model_erg, &model_threshold, &model_oca, &model_oca_ammonia, &model_oca_rate,
	&model_gb18218, &model_inventory,
	&model_lec, &model_ls, &model_mes,
	&model_prairie, &model_lng,
};

const struct risk_model *const *risk_models(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(models);
	return models;
}
