// When a slope that accelerates may fail, from its displacement (inverse velocity). Entered in models.c. Pure; any thread.
#include "risk/inputs.h"
#include "risk/models.h"

#define READINGS_MIN 7    // six velocities: four degrees of freedom
#define SIGNIFICANT 0.05

// A straight line through n points, y = mean_y + b (x - mean_x).
struct line {
	size_t n;
	double mean_x, mean_y, sxx, sxy, syy, b, s2;
};

static void line_fit(struct line *l, const double *x, const double *y, size_t n)
{
	*l = (struct line){ .n = n };
	for (size_t i = 0; i < n; i++) {
		l->mean_x += x[i] / (double)n;
		l->mean_y += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		l->sxx += (x[i] - l->mean_x) * (x[i] - l->mean_x);
		l->sxy += (x[i] - l->mean_x) * (y[i] - l->mean_y);
		l->syy += (y[i] - l->mean_y) * (y[i] - l->mean_y);
	}
	l->b = l->sxy / l->sxx;
	l->s2 = fmax(l->syy - l->b * l->sxy, 0) / (double)(n - 2);
}

// Student's t that 97.5 % lie below, from the normal one (Abramowitz & Stegun 26.7.5); within 0.1 % from four degrees of freedom.
static double student(double df)
{
	double z = 1.959963985, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
	return z + (z3 + z) / (4 * df) + (5 * z5 + 16 * z3 + 3 * z) / (96 * df * df) +
		(3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * df * df * df);
}

// Fieller: where the 95 % band of the line meets zero, both sides of the best estimate. False: the line may as well be level, and
// there is no latest time.
static bool crossing(const struct line *l, double *ret_lo, double *ret_hi)
{
	double t = student((double)l->n - 2), g = t * t * l->s2 / (l->b * l->b * l->sxx);
	if (g >= 1)
		return false;
	double u = -l->mean_y / l->b, half = t * sqrt(l->s2) / fabs(l->b) * sqrt((1 - g) / (double)l->n + u * u / l->sxx);
	*ret_lo = l->mean_x + (u - half) / (1 - g);
	*ret_hi = l->mean_x + (u + half) / (1 - g);
	return true;
}

static void run_inverse(struct risk_run *r)
{
	size_t n = risk_rows(r, "readings");
	if (n < READINGS_MIN) {
		risk_fail(r, "readings", "至少 %d 次读数", "%d readings at least", READINGS_MIN);
		return;
	}
	double *x = arena_many(r->arena, n, double), *y = arena_many(r->arena, n, double), last = 0, speed = 0;
	for (size_t i = 1; i < n; i++) {
		double t0 = risk_cell(r, "readings", i - 1, "t")->num, t1 = risk_cell(r, "readings", i, "t")->num;
		double du = risk_cell(r, "readings", i, "u")->num - risk_cell(r, "readings", i - 1, "u")->num;
		if (!(t1 > t0)) {
			risk_fail(r, "readings", "读数要按时间先后排列，不能同时", "readings stand in the order of time, no two at once");
			return;
		}
		if (!(du > 0)) {
			risk_fail(r, "readings", "第 %zu 次读数没有继续位移，请只取加速阶段，噪声大的先取平均",
				"reading %zu does not move on: take the accelerating part, and means if it is noisy", i + 1);
			return;
		}
		x[i - 1] = (t0 + t1) / 2;
		y[i - 1] = (t1 - t0) / du;
		speed = du / (t1 - t0);
		last = t1;
	}
	struct line l;
	line_fit(&l, x, y, n - 1);
	double r2 = l.syy > 0 ? l.b * l.sxy / l.syy : 0, lo, hi;
	risk_out(r, "speed", speed);
	risk_out(r, "r2", r2);
	if (l.b >= 0 || !crossing(&l, &lo, &hi)) {
		risk_warn(r, "没有显著加速（%.0f%%），不预测破坏时间", "it does not accelerate significantly (at %.0f %%): no time is given", SIGNIFICANT * 100);
		return;
	}
	double best = l.mean_x - l.mean_y / l.b;
	risk_out(r, "t_failure", best);
	risk_out(r, "t_earliest", lo);
	risk_out(r, "t_latest", hi);
	risk_out(r, "left", best - last);
	risk_out(r, "left_earliest", lo - last);
	if (lo <= last)
		risk_warn(r, "按 95%% 区间现在就可能破坏", "by the interval of 95 %% it may fail now");
	risk_warn(r, "线性反速度是经验关系：降雨、开挖、加固会改变加速；区间只含拟合误差",
		"linear inverse velocity is empirical: rain, cuts and support change it; the interval holds the error of the fit alone");
}

static const struct risk_input columns_readings[] = { IN_NUM("t", "d", "时间", "time", -1e6, 1e6),
	IN_NUM("u", "mm", "累计位移", "displacement", -1e6, 1e6), IN_END };
static const struct risk_input in_inverse[] = { IN_ROWS("readings", "读数：时间、累计位移", "readings: time, displacement", columns_readings), IN_END };
static const struct risk_output out_inverse[] = {
	{ "speed", "mm/d", "最近速率", "latest velocity" }, { "r2", "", "反速度直线的决定系数", "r squared of the line" },
	{ "t_failure", "d", "预测破坏时间", "time of failure" }, { "t_earliest", "d", "最早（95% 区间）", "earliest (95 %)" },
	{ "t_latest", "d", "最晚（95% 区间）", "latest (95 %)" }, { "left", "d", "距最后读数", "from the last reading" },
	{ "left_earliest", "d", "距最后读数（最早）", "from the last reading (earliest)" }, { 0 },
};
const struct risk_model model_inverse = { "inverse-velocity", "边坡反速度破坏时间", "time of slope failure by inverse velocity",
	"Fukuzono 1985 [M], linear (alpha = 2); Fieller 1954 [M] for the interval", { "只用于持续加速阶段", "for the accelerating stage alone" },
	in_inverse, out_inverse, NULL, NULL, run_inverse };
