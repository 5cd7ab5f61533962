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
	&model_inverse,
	&model_erg, &model_threshold, &model_oca, &model_oca_ammonia, &model_oca_rate,
	&model_gb18218, &model_inventory,
	&model_lec, &model_ls, &model_mes, &model_evidence,
	&model_prairie, &model_lng, &model_tortoise,
};

// The families, each from its first model to the next one's, in the order of the list.
static const struct risk_family families[] = {
	{ &model_sigma, "weather", "天气与扩散参数", "Weather and dispersion parameters", "风速、稳定度、扩散参数：其他扩散模型的输入。", "Wind, stability, dispersion parameters: what the other models of dispersion need.",
		{ "分级定参数：稳定度定错一级，1 km 处浓度差 2.2～2.8 倍（briggs-rural）",
		"parameters of a class: with the class next to it a concentration at 1 km differs by a factor of 2.2 to 2.8 (briggs-rural)" } },
	{ &model_plume, "gauss", "高斯扩散", "Gaussian dispersion", "与空气差不多重的气体向下风扩散到多远、多浓。", "How far and how strong gas about as heavy as air is carried downwind.",
		{ "与 Prairie Grass 25 个实测值比：60 % 在两倍以内，单点可差五倍（trial-prairie-grass）；建筑、地形、弱风时更差",
		"against 25 values of Prairie Grass: 60 % within a factor of two, single ones by five (trial-prairie-grass); worse with buildings, slopes, little wind" } },
	{ &model_plume_beta, "dense", "重气扩散", "Gas heavier than air", "液氯、液化石油气、低温气体贴地扩散。", "Chlorine, LPG, cold gas that keeps to the ground.",
		{ "SLAB 与 37 个 LNG 实测值比：84 % 在两倍以内（trial-lng）；两相氨射流 3 点中 2 点（trial-desert-tortoise）；Britter-McQuaid 对低温气体平均偏高三倍",
		"SLAB against 37 values of LNG: 84 % within a factor of two (trial-lng); two-phase ammonia 2 of 3 (trial-desert-tortoise); Britter-McQuaid is three times too high for cold gas" } },
	{ &model_liquid, "source", "泄漏与蒸发", "Release and evaporation", "从孔口、罐、管道流出多少，液池蒸发多快。", "How much leaves a hole, a tank, a pipe; how fast a pool evaporates.",
		{ "公式本身小于孔径、流量系数（0.6～1.0，差 1.6 倍）和两相流的不确定；输入不确定多少，结果就不确定多少",
		"the formulas are better known than the hole, the coefficient (0.6 to 1.0: a factor of 1.6) and two phases; the inputs decide" } },
	{ &model_view, "fire", "火灾", "Fires", "池火、喷射火、火球、闪火在某处的热辐射。", "Heat of pool fires, jets, fireballs and flash fires at a place.",
		{ "各式差别：254 t 丙烷火球 500 m 处 12.9（GOST）至 24.8（CCPS）kW/m2；15 m 汽油池火表面功率 40（mudan）或 146（fraction）kW/m2",
		"formulas differ: a fireball of 254 t of propane at 500 m 12.9 (GOST) to 24.8 (CCPS) kW/m2; the surface of a gasoline pool of 15 m 40 (mudan) or 146 (fraction) kW/m2" } },
	{ &model_kb, "blast", "爆炸", "Explosions", "炸药、蒸气云、容器、粉尘爆炸的超压和破坏。", "Pressure and damage of charges, vapour clouds, vessels, dust.",
		{ "同一药量各曲线可差两倍（1 kg TNT、30 m：5.6、3.6、2.9 kPa）；蒸气云当量系数 0.03～0.10，距离差 1.5 倍",
		"curves for one charge differ by two (1 kg TNT at 30 m: 5.6, 3.6, 2.9 kPa); yields of clouds are 0.03 to 0.10: a factor of 1.5 in distance" } },
	{ &model_dose, "harm", "中毒与伤害概率", "Probits and poison", "受到这样的热、压力或毒物，死亡的可能有多大。", "How likely such heat, pressure or poison kills.",
		{ "各家常数不同：同一热剂量 Eisenberg 与 Tsao-Perry 的概率单位差 2.1（同一热剂量可以是 2 % 或 50 % 死亡）",
		"constants differ by author: Eisenberg and Tsao-Perry by 2.1 probits for one dose of heat (2 % or 50 % dead)" } },
	{ &model_circles, "risk", "风险与多米诺", "Risk and domino", "个人风险、社会风险、失效频率、点火概率、设备连锁。", "Individual and societal risk, frequencies, ignition, escalation.",
		{ "频率和点火概率是行业通用值，不是本厂统计；个别设备可差一个数量级 [M]",
		"frequencies and ignition are generic, not of this plant; a single unit may differ by an order of magnitude [M]" } },
	{ &model_rico, "tailings", "尾矿库溃坝", "Tailings dams", "溃坝放出多少尾砂、流到多远、水流多大。", "How much a broken dam lets go, how far, how fast.",
		{ "统计关系，观测可差一个数量级：只供筛查",
		"regressions; observations scatter over an order of magnitude: for screening only" } },
	{ &model_inverse, "slope", "边坡", "Slopes", "持续加速的边坡大约何时破坏。", "When a slope that accelerates may fail.",
		{ "给出拟合的 95% 区间；经验关系，实际可能提前或停止加速",
		"the 95 % interval of the fit is given; empirical, it may fail sooner or come to rest" } },
	{ &model_erg, "lookup", "查表", "Look-ups", "应急隔离距离、毒性与爆炸阈值、EPA 距离表。", "Isolation distances, toxic and flammable thresholds, EPA tables.",
		{ "查表值，不含现场条件；以现行版原书为准",
		"values of a table, without the conditions of the place; the edition in force counts" } },
	{ &model_gb18218, "grading", "辨识与分级", "Grading", "重大危险源辨识分级、LEC、LS、MES、多源证据。", "Major hazard installations, LEC, LS, MES, evidence of several sources.",
		{ "判据和评分，不是测量：结果由所填的量和分值决定",
		"criteria and scores, not a measurement: what is entered decides" } },
	{ &model_prairie, "trials", "与现场试验对比", "Against field trials", "模型与实测相差多少。", "How far the models agree with what was measured.",
		{ "样本很少：一个数就能改变比例",
		"few samples: a single value changes the share" } },
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

const struct risk_family *risk_family_of(const struct risk_model *m)
{
	size_t family = 0;
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		family += family + 1 < ARRAY_LEN(families) && families[family + 1].first == models[i];
		if (models[i] == m) {
			return &families[family];
		}
	}
	return NULL;
}
