// The SLAB models as entered in models.c: horizontal jet and evaporating pool. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/slab.h"

// log of a positive value, linear in log x, between the points around x
static double along(const struct slab_out *o, double x, size_t field_offset, bool positive)
{
	for (size_t i = 1; i < o->n; i++) {
		if (x <= o->v[i].x) {
			double a = *(const double *)((const char *)&o->v[i - 1] + field_offset),
			b = *(const double *)((const char *)&o->v[i] + field_offset);
			double f = log(x / o->v[i - 1].x) / log(o->v[i].x / o->v[i - 1].x);
			return positive && a > 0 && b > 0 ? a * pow(b / a, f) : a + (b - a) * f;
		}
	}
	return NAN;
}

static void answer(struct risk_run *r, const struct slab_in *in)
{
	static const double reference[] = { 17.63, 40.17, 93.09, 217.31, 508.89, 1196.3, 2991.36 }; // positions of the manual's example
	struct slab_out o;
	slab_run(in, r->arena, &o);
	if (o.failed || o.n < 2) {
		risk_fail(r, "", "该组输入下无法积分，超出模型适用范围（%s）", "%s", o.failed ? o.failed : "no point downwind of the source");
		return;
	}
	size_t n;
	const double *xs = risk_list(r, "x", &n);
	bool asked = n > 0;
	if (!asked) {
		xs = reference;
		n = ARRAY_LEN(reference);
	}
	for (size_t i = 0; i < n; i++) {
		if (xs[i] < o.v[0].x || xs[i] > o.v[o.n - 1].x) {
			if (asked) {
				risk_fail(r, "x", "x = %g 在计算范围 %.4g … %.4g m 之外",
					"x = %g is outside of what was computed, %.4g … %.4g m", xs[i], o.v[0].x, o.v[o.n - 1].x);
				return;
			}
			continue;
		}
		risk_out_named(r, along(&o, xs[i], offsetof(struct slab_point, cv), true), "c_%gm", xs[i]);
		risk_out_named(r, along(&o, xs[i], offsetof(struct slab_point, temperature), false), "T_%gm", xs[i]);
		risk_out_named(r, along(&o, xs[i], offsetof(struct slab_point, c_max), true), "cmax_%gm", xs[i]);
	}
	static const struct { const char *name; size_t at; } lists[] = {
		{ "x", offsetof(struct slab_point, x) }, { "t", offsetof(struct slab_point, t) }, { "c", offsetof(struct slab_point, cv) },
		{ "c_max", offsetof(struct slab_point, c_max) }, { "T", offsetof(struct slab_point, temperature) },
		{ "height", offsetof(struct slab_point, h) },
		{ "half_width", offsetof(struct slab_point, half_width) }, { "u_cloud", offsetof(struct slab_point, u) },
	};
	double *v = arena_many(r->arena, o.n, double);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		for (size_t i = 0; i < o.n; i++) {
			v[i] = *(const double *)((const char *)&o.v[i] + lists[k].at);
		}
		risk_out_list(r, lists[k].name, v, o.n);
	}
	if (risk_given(r, "threshold")) {
		double want = risk_num(r, "threshold"), distance = 0;
		for (size_t i = 1; i < o.n; i++) {
			const struct slab_point *a = &o.v[i - 1], *b = &o.v[i];
			if (a->c_max >= want && b->c_max < want && b->c_max > 0) {
				distance = a->x * pow(b->x / a->x, log(want / a->c_max) / log(b->c_max / a->c_max));
			}
		}
		if (o.v[o.n - 1].c_max >= want) {
			risk_warn(r, "计算终点处仍高于阈值，请加大 x_max", "still above the threshold where the computation ends; raise x_max");
			distance = o.v[o.n - 1].x;
		}
		risk_out(r, "distance", distance);
	}
	if (in->pool && o.half_width > 0.5 * sqrt(in->area) * 1.001) {
		risk_warn(r, "蒸气向上风扩展，源半宽由 %.3g 扩大到 %.3g m",
			"the vapour spreads upwind: half width of the source %.3g → %.3g m", 0.5 * sqrt(in->area), o.half_width);
	}
	if (o.limited) {
		risk_warn(r, "该稳定度在此风速和粗糙度下要求的地面热通量超过晴天正午日照所能提供的，按最大热通量取（相当于 %.2f 级，1=A，4=D）；有实测莫宁-奥布霍夫长度时请给 inv_L",
			"at this wind and roughness the class asks for more heat from the ground than the noon sun gives: the greatest heat is taken "
			"(class %.2f, 1 = A, 4 = D); give inv_L if the Monin-Obukhov length was measured", o.stability);
	}
	risk_out(r, "u_star", o.u_star);
	risk_out(r, "source_half_width", o.half_width);
}

static void read_common(struct risk_run *r, struct slab_in *in)
{
	*in = (struct slab_in){ .mw = risk_num(r, "mw"), .cp = risk_num(r, "cp_v"), .cp_l = risk_num(r, "cp_l"), .t_boil = risk_num(r, "T_boil"),
		.dhv = risk_num(r, "dHv"), .rho_l = risk_num(r, "rho_l"), .spb = risk_given(r, "spb") ? risk_num(r, "spb") : -1,
		.spc = risk_num(r, "spc"),
		.rate = risk_num(r, "rate"),
		.duration = risk_num(r, "duration"), .z0 = risk_num(r, "z0"), .z_u = risk_num(r, "z_u"), .u = risk_num(r, "u"),
		.t_air = risk_num(r, "T_air"),
		.rh = risk_num(r, "RH"), .t_avg = risk_num(r, "t_avg"), .x_max = risk_num(r, "x_max"), .z = risk_num(r, "z") };
	if (risk_given(r, "inv_L")) {
		in->inv_l = risk_num(r, "inv_L");
	} else if (risk_given(r, "stability")) {
		in->stability = risk_choice(r, "stability") + 1;
	} else {
		risk_fail(r, "stability", "应给出 stability 或 inv_L", "stability or inv_L is needed");
	}
	if (in->z_u <= 3 * in->z0) {
		risk_fail(r, "z_u", "风速高度应大于粗糙度的 3 倍", "the height of the wind must be above three roughness lengths");
	}
}

static void read_source(struct risk_run *r, struct slab_in *in)
{
	in->t_source = risk_given(r, "T_source") ? risk_num(r, "T_source") : in->t_boil;
	in->area = risk_num(r, "area");
}

#define IN_SLAB_SUBSTANCE IN_NUM("mw", "kg/mol", "摩尔质量", "molar mass", 0.002, 0.5), \
	IN_NUM("cp_v", "J/kg/K", "蒸气定压比热", "heat capacity of the vapour", 200, 20000), \
	IN_NUM("T_boil", "K", "沸点", "boiling point", 15, 600), IN_NUM("dHv", "J/kg", "汽化热", "heat of vaporisation", 1e4, 3e6), \
	IN_NUM("cp_l", "J/kg/K", "液体比热", "heat capacity of the liquid", 200, 15000), \
	IN_NUM("rho_l", "kg/m3", "液体密度", "density of the liquid", 50, 3000), \
	IN_OPT("spb", "K", "Antoine B", "Antoine B (p in atm); absent: from dHv", 10, 2e4, NAN), \
	IN_OPT("spc", "K", "Antoine C", "Antoine C", -200, 200, 0)
#define IN_SLAB_SOURCE_T IN_OPT("T_source", "K", "源温度", "source temperature; absent: boiling point", 15, 2000, NAN)
#define IN_SLAB_AIR IN_NUM("z0", "m", "地面粗糙度", "roughness length", 1e-5, 2), \
	IN_OPT("z_u", "m", "风速高度", "height of the wind", 0.1, 100, 10), IN_WIND, \
	IN_NUM("T_air", "K", "气温", "air temperature", 220, 330), IN_OPT("RH", "%", "相对湿度", "relative humidity", 0, 100, 50), \
	IN_STABILITY_OPT, \
	IN_OPT("inv_L", "1/m", "莫宁-奥布霍夫长度倒数", "inverse Monin-Obukhov length, instead of stability", -0.5, 0.5, NAN), \
	IN_OPT("t_avg", "s", "平均时间", "averaging time", 1, 3600, 10), IN_OPT("x_max", "m", "计算距离", "how far to compute", 50, 50000, 2800), \
	IN_OPT("z", "m", "受体高度", "height of c_max", 0, 100, 1), IN_LIST_OPT("x", "m", "下风距离", "distances asked for", 0.5, 5e4, \
		{ "不填：取手册算例的位置", "absent: positions of the manual's example" }), \
	IN_OPT("threshold", "vol frac", "阈值", "threshold, for the distance", 1e-9, 0.99, NAN)

static const struct risk_output out_slab[] = {
	{ "c_max", "vol frac", "轴线最大浓度", "highest concentration on the axis at height z" },
	{ "c_*", "vol frac", "该处云团体积分数", "volume fraction of the cloud there" },
	{ "T_*", "K", "该处云团温度", "temperature of the cloud there" },
	{ "cmax_*", "vol frac", "该处轴线最大浓度", "highest concentration on the axis there" },
	{ "x", "m", "计算点", "points" }, { "t", "s", "云团中心到达时间", "when the centre is there" },
	{ "c", "vol frac", "云团体积分数", "volume fraction of the cloud" },
	{ "T", "K", "云团温度", "temperature" }, { "height", "m", "云团高度", "height" }, { "half_width", "m", "云团半宽", "half width" },
	{ "u_cloud", "m/s", "云团速度", "speed of the cloud" },
	{ "distance", "m", "达到阈值的距离", "distance of the threshold (c_max)" }, { "u_star", "m/s", "摩擦速度", "friction velocity" },
	{ "source_half_width", "m", "源半宽", "half width of the source" },
	{ "liquid_frac", "", "膨胀后液体质量分数", "mass fraction of liquid after the expansion" },
	{ "P_exit", "Pa", "出口压力", "pressure at the exit" }, { "u_exit", "m/s", "出口流速", "speed at the exit" },
	{ "u_jet", "m/s", "膨胀后流速", "speed after the expansion" }, { "area_jet", "m2", "膨胀后截面积", "area after the expansion" }, { 0 },
};

static void run_slab_jet(struct risk_run *r)
{
	struct slab_in in;
	read_common(r, &in);
	read_source(r, &in);
	in.liquid = risk_num(r, "liquid_frac");
	in.height = risk_num(r, "h_source");
	if (!risk_failed(r)) {
		answer(r, &in);
	}
}

static void run_slab_pool(struct risk_run *r)
{
	struct slab_in in;
	read_common(r, &in);
	read_source(r, &in);
	in.pool = true;
	if (!risk_failed(r)) {
		answer(r, &in);
	}
}

// J/m2/K/s^0.5 of a kind of ground; 0: failed
static double ground_inertia(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "ground");
	int row = !t ? -1 : risk_given(r, "ground") ? risk_need_row(r, "ground", "ground", "ground") : risk_table_row(t, "ground", STR("soil"));
	return row < 0 ? 0 : risk_table_num(t, (size_t)row, "lambda") / sqrt(risk_table_num(t, (size_t)row, "alpha"));
}

static void run_flashing_jet(struct risk_run *r)
{
	struct slab_in in;
	read_common(r, &in);
	struct slab_flash f = { .t = risk_num(r, "T_store"), .pa = risk_num(r, "Pa"), .rate = in.rate,
		.area = M_PI / 4 * risk_num(r, "d") * risk_num(r, "d") };
	in.t_source = in.t_boil;
	in.height = risk_num(r, "h_source");
	in.free_jet = true;
	in.ground = ground_inertia(r);
	f.p = risk_given(r, "P_exit") ? risk_num(r, "P_exit") : slab_saturation(&in, f.t);
	if (f.t <= in.t_boil) {
		risk_fail(r, "T_store", "贮存温度不高于沸点，不闪蒸；请用液池模型（pool-spread、slab-pool）",
			"the liquid is not warmer than its boiling point and does not flash: use a pool (pool-spread, slab-pool)");
	} else if (f.p < f.pa) {
		risk_fail(r, "P_exit", "出口压力低于环境压力", "the pressure at the exit is below that outside");
	}
	if (risk_failed(r)) {
		return;
	}
	struct slab_flashed s = slab_flash(&in, &f);
	if (s.u_exit > 200) {
		risk_fail(r, "d", "按此速率和孔径，出口流速 %.3g m/s：不可能是液体，请核对 rate 与 d",
			"this rate through this hole is %.3g m/s: not a liquid; check rate and d", s.u_exit);
		return;
	}
	if (s.u > 330) {
		risk_fail(r, "rate", "按此速率和孔径，膨胀后流速 %.3g m/s 超过声速：该孔在此压力下会泄漏更多，请核对 rate、d 与 P_exit",
			"this rate through this hole would expand to %.3g m/s, faster than sound: at this pressure the hole lets more out; check rate, d and P_exit", s.u);
		return;
	}
	in.liquid = s.liquid;
	in.area = s.area;
	risk_out(r, "liquid_frac", s.liquid);
	risk_out(r, "P_exit", f.p);
	risk_out(r, "u_exit", s.u_exit);
	risk_out(r, "u_jet", s.u);
	risk_out(r, "area_jet", s.area);
	risk_warn(r, "液滴按全部随云团带走计算，不计雨落；下风方向无障碍，地面平坦",
		"all drops are taken to stay in the cloud, none falls out; no obstacle, flat ground");
	answer(r, &in);
}

static const struct risk_input in_slab_jet[] = {
	IN_SLAB_SUBSTANCE, IN_SLAB_SOURCE_T, IN_OPT("liquid_frac", "", "源处液体质量分数", "mass fraction of liquid at the source", 0, 0.99, 0),
	IN_NUM("rate", "kg/s", "释放速率", "release rate", 1e-3, 1e4),
	IN_NUM("area", "m2", "射流截面积（膨胀后）", "area of the jet after it expanded", 1e-5, 1e3),
	IN_NUM("duration", "s", "释放时间", "duration", 1, 1e5),
	IN_NUM("h_source", "m", "源高", "height of the source", 0, 200), IN_SLAB_AIR, IN_END,
};
static const struct risk_alias alias_slab_jet[] = { { "SLAB horizontal jet*", NULL, NULL }, { 0 } };
#define SLAB_SOURCE "Ermak, User's Manual for SLAB, LLNL UCRL-MA-105607, 1990"
const struct risk_model model_slab_jet = { "slab-jet", "重气积分模型：水平射流", "dense-gas integral model: horizontal jet", SLAB_SOURCE,
	{ "平坦无障碍地面，风速 1 m/s 以上，顺风射流", "flat ground without obstacles, wind from 1 m/s; jet downwind" }, in_slab_jet, out_slab, alias_slab_jet, NULL, run_slab_jet };

static const struct risk_input in_slab_pool[] = {
	IN_SLAB_SUBSTANCE, IN_SLAB_SOURCE_T, IN_NUM("rate", "kg/s", "蒸发速率", "rate of evaporation", 1e-3, 1e4),
	IN_NUM("area", "m2", "液池面积", "area of the pool", 0.1, 1e5),
	IN_NUM("duration", "s", "蒸发时间", "duration", 1, 1e5), IN_SLAB_AIR, IN_END,
};
static const struct risk_alias alias_slab_pool[] = { { "SLAB evaporating pool*", NULL, NULL }, { 0 } };
const struct risk_model model_slab_pool = { "slab-pool", "重气积分模型：蒸发液池", "dense-gas integral model: evaporating pool", SLAB_SOURCE,
	{ "平坦无障碍地面，风速 1 m/s 以上，蒸气处于沸点", "flat ground without obstacles, wind from 1 m/s; vapour at its boiling point" }, in_slab_pool, out_slab, alias_slab_pool, NULL,
	run_slab_pool };

static const struct risk_input in_flashing_jet[] = {
	IN_SLAB_SUBSTANCE, IN_NUM("T_store", "K", "贮存温度", "temperature of the stored liquid", 50, 600),
	IN_NUM("rate", "kg/s", "释放速率", "release rate", 1e-3, 1e4), IN_NUM("d", "m", "孔径", "diameter of the hole", 1e-3, 2),
	IN_OPT_NOTE("P_exit", "Pa", "出口压力（绝压）", "pressure at the exit, absolute", 1e4, 1e8, NAN,
		{ "不填：贮存温度下的饱和压力（出口处刚开始闪蒸）", "absent: saturation at the stored temperature, where the liquid begins to flash" }),
	IN_OPT("Pa", "Pa", "环境压力", "pressure outside", 5e4, 1.1e5, ATM),
	IN_NUM("duration", "s", "释放时间", "duration", 1, 1e5),
	IN_NUM("h_source", "m", "源高", "height of the source", 0, 200), IN_SLAB_AIR,
	IN_TEXT_OPT("ground", "地面（见数据表 ground）", "ground, of the table ground", { "不填：soil", "absent: soil" }), IN_END,
};
const struct risk_model model_flashing_jet = { "slab-flashing-jet", "重气积分模型：闪蒸两相射流", "dense-gas integral model: flashing two-phase jet",
	SLAB_SOURCE "; expansion by momentum: TNO Yellow Book CPR 14E 2.5.3; entrainment of the jet: Ricou & Spalding 1961, Ooms 1972",
	{ "加压液化气体（液氨、液氯、液化石油气）从孔口以液体流出，水平顺风射流；平坦无障碍，风速 1 m/s 以上，不计雨落；100 m 处偏高，2 km 以外偏低",
		"gas liquefied by pressure (ammonia, chlorine, LPG) that leaves the hole as a liquid, horizontal, downwind; flat ground without "
		"obstacles, wind from 1 m/s, no rain-out; too high at 100 m, too low beyond 2 km" }, in_flashing_jet, out_slab, NULL, "ground",
	run_flashing_jet };
