// The one list of models. Pure; any thread.
#include "risk/models.h"

static const struct risk_model *const models[] = {
	&model_sigma, &model_stability, &model_length, &model_wind_power, &model_wind_log, &model_mixing,
	&model_plume, &model_puff, &model_release, &model_plume_max, &model_zone, &model_rise,
	&model_plume_beta, &model_puff_beta, &model_bm_plume, &model_bm_puff, &model_criterion, &model_jet,
	&model_slab_jet, &model_slab_pool, &model_flashing_jet,
	&model_liquid, &model_tank, &model_gas, &model_blowdown, &model_vessel, &model_relief, &model_erm, &model_subcooled,
	&model_hj169, &model_flash, &model_cei,
	&model_casal, &model_mackay, &model_sutton, &model_crowl, &model_lfa, &model_boiling, &model_spread,
	&model_butane_leak, &model_butane_cloud,
	&model_view, &model_tau, &model_point, &model_burning, &model_pool_fire, &model_epa_pool, &model_jet_fire, &model_flare,
	&model_profile,
	&model_ball_size, &model_ball_gost, &model_bleve, &model_epa_ball, &model_flash_fire,
	&model_kb, &model_kb_charge, &model_kg, &model_tnt, &model_mills, &model_vce_gost, &model_vce_epa, &model_zones,
	&model_burst, &model_kst, &model_vent, &model_outside, &model_damage,
	&model_bst, &model_mem, &model_deflagration,
	&model_dose, &model_thermal, &model_overpressure, &model_other, &model_toxic, &model_toxic_ppm, &model_load,
	&model_circles, &model_wedge, &model_fn, &model_criteria, &model_frequency, &model_ignition, &model_domino,
	&model_combination,
	&model_locate, &model_pipe_leak,
	&model_rico, &model_breach,
	&model_erg, &model_threshold, &model_oca, &model_oca_ammonia, &model_oca_rate,
	&model_gb18218, &model_inventory,
	&model_lec, &model_ls, &model_mes, &model_evidence,
	&model_prairie, &model_lng, &model_tortoise,
};

// The families, each from its first model to the next one's, in the order of the list.
static const struct risk_family families[] = {
	{ &model_sigma, "weather", "天气与扩散参数", "Weather and dispersion parameters", "风速、稳定度、扩散参数：其他扩散模型的输入。", "Wind, stability, dispersion parameters: what the other models of dispersion need." },
	{ &model_plume, "gauss", "高斯扩散", "Gaussian dispersion", "与空气差不多重的气体向下风扩散到多远、多浓。", "How far and how strong gas about as heavy as air is carried downwind." },
	{ &model_plume_beta, "dense", "重气扩散", "Gas heavier than air", "液氯、液化石油气、低温气体贴地扩散。", "Chlorine, LPG, cold gas that keeps to the ground." },
	{ &model_liquid, "source", "泄漏与蒸发", "Release and evaporation", "从孔口、罐、管道流出多少，液池蒸发多快。", "How much leaves a hole, a tank, a pipe; how fast a pool evaporates." },
	{ &model_view, "fire", "火灾", "Fires", "池火、喷射火、火球、闪火在某处的热辐射。", "Heat of pool fires, jets, fireballs and flash fires at a place." },
	{ &model_kb, "blast", "爆炸", "Explosions", "炸药、蒸气云、容器、粉尘爆炸的超压和破坏。", "Pressure and damage of charges, vapour clouds, vessels, dust." },
	{ &model_dose, "harm", "中毒与伤害概率", "Probits and poison", "受到这样的热、压力或毒物，死亡的可能有多大。", "How likely such heat, pressure or poison kills." },
	{ &model_circles, "risk", "风险与多米诺", "Risk and domino", "个人风险、社会风险、失效频率、点火概率、设备连锁。", "Individual and societal risk, frequencies, ignition, escalation." },
	{ &model_rico, "tailings", "尾矿库溃坝", "Tailings dams", "溃坝放出多少尾砂、流到多远、水流多大。", "How much a broken dam lets go, how far, how fast." },
	{ &model_erg, "lookup", "查表", "Look-ups", "应急隔离距离、毒性与爆炸阈值、EPA 距离表。", "Isolation distances, toxic and flammable thresholds, EPA tables." },
	{ &model_gb18218, "grading", "辨识与分级", "Grading", "重大危险源辨识分级、LEC、LS、MES、多源证据。", "Major hazard installations, LEC, LS, MES, evidence of several sources." },
	{ &model_prairie, "trials", "与现场试验对比", "Against field trials", "模型与实测相差多少。", "How far the models agree with what was measured." },
};

const struct risk_family *risk_families(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(families);
	return families;
}

const struct risk_model *const *risk_models(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(models);
	return models;
}
