// Tailings dam-break, screening. Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"

static void run_rico(struct risk_run *r)
{
	double vt = risk_num(r, "VT"), h = risk_num(r, "H"), vf = 0.354 * pow(vt, 1.01);
	if (risk_given(r, "fraction")) {
		vf = risk_num(r, "fraction") * vt;
	}
	risk_out(r, "VF", vf);
	risk_out(r, "D_max", 1.61 * pow(h * vf, 0.66));
	risk_out(r, "Qp", 325 * pow(h * vf, 0.42));
	double vf2 = pow(10, -0.477 + 0.954 * log10(vt)), hf = h * vf2 / vt * vf2;
	risk_out(r, "VF_larrauri", vf2);
	risk_out(r, "D_max_larrauri", pow(10, 0.484 + 0.545 * log10(hf)));
	risk_warn(r, "统计关系离散很大（观测可差一个数量级），仅供筛查",
		"the scatter of these regressions is large (observed: an order of magnitude); for screening only");
}

static const struct risk_input in_rico[] = {
	IN_NUM("VT", "1e6 m3", "库容", "volume stored", 1e-3, 1000), IN_NUM("H", "m", "坝高", "height of the dam", 1, 400),
	IN_OPT("fraction", "", "下泄比例", "part released, instead of the regression", 0.01, 1, NAN), IN_END,
};
static const struct risk_output out_rico[] = {
	{ "VF", "1e6 m3", "下泄量", "volume released" }, { "D_max", "km", "最大流动距离", "run-out" },
	{ "Qp", "m3/s", "峰值流量", "peak discharge" }, { "VF_larrauri", "1e6 m3", "下泄量（Larrauri-Lall）",
		"volume released (Larrauri & Lall)" },
	{ "D_max_larrauri", "km", "最大流动距离（Larrauri-Lall）", "run-out (Larrauri & Lall)" }, { 0 },
};
static const struct risk_alias alias_rico[] = { { "Rico*", NULL, NULL }, { 0 } };
const struct risk_model model_rico = { "tailings-release", "尾矿库溃坝下泄量与距离", "tailings release and run-out",
	"Rico et al. 2008 [M]; Concha Larrauri & Lall 2018 [M]", { "筛查", "screening" }, in_rico, out_rico, alias_rico, NULL, run_rico };

static void run_breach(struct risk_run *r)
{
	double b = risk_num(r, "b"), h = risk_num(r, "h"), width = risk_given(r, "B") ? risk_num(r, "B") : b, g = 9.81;
	if (width < b) {
		risk_fail(r, "B", "坝长不应小于溃口宽度", "the dam is not narrower than its breach");
		return;
	}
	double q = 8.0 / 27 * b * sqrt(g) * pow(h, 1.5);
	risk_out(r, "Qp_ritter", q);
	risk_out(r, "Qm_xie", pow(width / b, 0.25) * q);
	risk_out(r, "front_speed", 2 * sqrt(g * h));
	risk_out(r, "depth_at_dam", 4.0 / 9 * h);
	risk_out(r, "velocity_at_dam", 2.0 / 3 * sqrt(g * h));
	if (risk_given(r, "W")) {
		risk_out(r, "Qp_froehlich", 0.607 * pow(risk_num(r, "W"), 0.295) * pow(h, 1.24));
	}
	if (risk_given(r, "W") && risk_given(r, "L")) {
		double w = risk_num(r, "W"), qm = pow(width / b, 0.25) * q, l = risk_num(r, "L"),
		ql = w / (w / qm + l / (risk_num(r, "v") * risk_num(r, "K")));
		risk_out(r, "Q_L", ql);
		risk_out(r, "t_arrival", l / (2 * sqrt(g * h)));
		risk_out(r, "t_peak", l / risk_num(r, "v"));
	}
}

static const struct risk_input in_breach[] = {
	IN_NUM("b", "m", "溃口宽度", "width of the breach", 0.5, 5000), IN_NUM("h", "m", "坝前水深", "depth at the dam", 0.5, 400),
	IN_OPT("B", "m", "坝长", "length of the dam; absent: b", 0.5, 2e4, NAN), IN_OPT("W", "m3", "下泄总量", "volume released", 1, 1e10, NAN),
	IN_OPT("L", "m", "下游距离", "distance downstream", 1, 1e6, NAN),
	IN_OPT_NOTE("v", "m/s", "洪水平均流速", "mean velocity", 0.5, 15, 4, { "山区 3～5 [M]", "3 … 5 in mountains [M]" }),
	IN_OPT_NOTE("K", "", "地形系数", "terrain", 0.5, 2, 1.1, { "山区 1.1～1.5，丘陵 1.0，平原 0.8～0.9 [M]", "mountain 1.1 … 1.5, hills 1.0, plain 0.8 … 0.9 [M]" }), IN_END,
};
static const struct risk_output out_breach[] = {
	{ "Qp_ritter", "m3/s", "瞬时全溃峰值（Ritter）", "instantaneous failure (Ritter)" },
	{ "Qm_xie", "m3/s", "坝址最大流量（谢任之）", "largest discharge (Xie Renzhi)" },
	{ "front_speed", "m/s", "波前速度", "speed of the front" }, { "depth_at_dam", "m", "坝址水深", "depth at the dam" },
	{ "velocity_at_dam", "m/s", "坝址流速", "velocity at the dam" },
	{ "Qp_froehlich", "m3/s", "峰值流量（Froehlich）", "peak discharge (Froehlich 1995)" },
	{ "Q_L", "m3/s", "下游最大流量", "largest discharge downstream" },
	{ "t_arrival", "s", "波前到达时间（下限）", "arrival of the front, at its first speed" },
	{ "t_peak", "s", "洪峰到达时间", "arrival of the peak" }, { 0 },
};
static const struct risk_alias alias_breach[] = { { "Ritter*", NULL, NULL }, { "Xie Renzhi*", NULL, NULL }, { "Froehlich*", NULL, NULL }, { 0 } };
const struct risk_model model_breach = { "dam-break", "溃坝流量", "dam break",
	"Ritter 1892 (dry, rectangular, frictionless); Xie Renzhi [M]; Froehlich 1995 [M]; Q_L = W/(W/Qm + L/(v K))",
	{ "按水计算；尾砂流动更慢、更近", "water; tailings flow slower and less far" }, in_breach, out_breach, alias_breach, NULL, run_breach };
